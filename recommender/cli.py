"""The command line: a thin layer over the service. Exit code 0 done, 1 the input was refused, 2 wrong usage."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from recommender import learning_cli, match_cli
from recommender.bootstrap import Installation, install
from recommender.domain import Junior, JuniorId, SeniorId, Slate
from recommender.errors import TelemachosError
from recommender.explain import join, minus_sentence
from recommender.framework import framework
from recommender.settings import DEFAULT_ENCODER, Settings, load_settings
from recommender.wording import Language, say

if TYPE_CHECKING:
    from recommender.importing import FileNote, ImportReport, RowNote

app = typer.Typer(
    name="telemachos",
    help="Suggest juniors who can explain what a senior wants to learn.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)

screen = Console(stderr=True)
"""Everything that is not the answer goes to stderr, so that --json leaves one document on stdout."""

Home = Annotated[Path | None, typer.Option(help="Folder with the database, encoders and models.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout.")]


@contextmanager
def refusals(language: Language = "en") -> Iterator[None]:
    """Say what is wrong in one sentence and exit with 1."""
    try:
        yield
    except TelemachosError as error:
        screen.print(error.sentence(language), style="red", markup=False, highlight=False)
        raise typer.Exit(1) from error
    except BrokenPipeError:
        _stop(0)


def _stop(code: int) -> NoReturn:
    sys.stderr.close()
    raise typer.Exit(code)


@contextmanager
def progress_bar(label: str) -> Iterator["Bar"]:
    """Show how far long work is, on stderr."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=screen, transient=True) as progress:
        yield Bar(progress, label)


class Bar:
    """A progress callback for the service: called with what is done and the total."""

    def __init__(self, progress: Progress, label: str) -> None:
        self._progress, self._task = progress, progress.add_task(label, total=None)

    def __call__(self, done: int, total: int) -> None:
        """Move the bar."""
        self._progress.update(self._task, completed=done, total=total)


def settings_of(home: Path | None) -> Settings:
    """Read the settings; which language to refuse in isn't known before."""
    with refusals():
        return load_settings(home=home)


@contextmanager
def opened(home: Path | None) -> Iterator[Installation]:
    """Open the installation for one command and close its store afterwards."""
    settings = settings_of(home)
    with refusals(settings.language):
        with progress_bar(say("progress.encoder", settings.language)) as bar:
            installation = install(settings, bar)
        try:
            _say_notices(installation)
            yield installation
        finally:
            installation.service.store.close()


def _say_notices(installation: Installation) -> None:
    for notice in installation.notices:
        screen.print(say(f"notice.{notice}", installation.settings.language), style="yellow")


@app.command()
def demo(home: Home = None) -> None:
    """Load the demo organisation; a second time changes nothing."""
    from recommender.demo import load_demo

    with opened(home) as here, progress_bar(say("progress.people", here.settings.language)) as bar:
        people = load_demo(here.service, bar)
        screen.print(say("cli.demo", here.settings.language, people=people))


@app.command("import")
def import_people(
    file: Annotated[Path, typer.Argument(help="CSV, XLSX, JSONL or Parquet.")],
    kind: Annotated[str, typer.Option("--as", help="juniors or seniors")],
    mapping: Annotated[Path | None, typer.Option(help="TOML file: our field = 'their header'.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check the file and store nothing.")] = False,
    keep_good: Annotated[bool, typer.Option("--keep-good", help="Store the good rows, leave out the refused.")] = False,
    refused: Annotated[Path | None, typer.Option(help="Where to write refused rows with their reasons.")] = None,
    as_json: Json = False,
    home: Home = None,
) -> None:
    """Import people from a file: all rows, or nothing."""
    from recommender.importing import read_people, write_refused

    if kind not in ("juniors", "seniors"):
        raise typer.BadParameter("juniors or seniors", param_hint="--as")
    settings = settings_of(home)
    language = settings.language
    with refusals(language):
        report = read_people(file, kind, mapping)  # type: ignore[arg-type]  # checked above
        stores = not dry_run and bool(report.people) and (keep_good or not report.refused)
        rest = refused or file.with_name(f"{file.stem}.refused.csv")
        if report.refused:
            write_refused(report, rest)
    if stores:
        with opened(home) as here, progress_bar(say("progress.people", language)) as bar:
            here.service.put_people(report.people, bar)
    stored = len(report.people) if stores else 0
    if as_json:
        print_json(_import_document(report, stored, rest, language))
    else:
        _tell_import(report, stored, rest, language)
    if report.refused and not keep_good:
        raise typer.Exit(1)


def _import_document(report: "ImportReport", stored: int, rest: Path, language: Language) -> dict[str, object]:
    return {
        "accepted": report.accepted,
        "columns": report.mapping,
        "ignored_columns": list(report.ignored_columns),
        "notes": [note.sentence(language) for note in report.notes],
        "changed": [note.sentence(language) for note in report.changed],
        "refused": [note.sentence(language) for note in report.refused],
        "stored": stored,
        "refused_file": str(rest) if report.refused else None,
    }


def _tell_import(report: "ImportReport", stored: int, rest: Path, language: Language) -> None:
    # Headers and values are other people's words: no markup.
    for theirs, ours in report.mapping.items():
        screen.print(say("cli.column", language, theirs=theirs, ours=ours), markup=False, highlight=False)
    notes: list[FileNote | RowNote] = [*report.notes, *report.changed, *report.refused]
    for note in notes:
        screen.print(note.sentence(language), markup=False, highlight=False)
    counts = {"changed": report.changed_rows, "refused": len(report.refused_rows)}
    screen.print(say("cli.imported", language, accepted=report.accepted, stored=stored, **counts))
    if report.refused:
        screen.print(say("cli.refused_file", language, path=rest), markup=False)


@app.command()
def recommend(
    text: Annotated[str, typer.Argument(help="What somebody wants to learn, in their own words.")],
    senior: Annotated[str | None, typer.Option(help="Id of the senior who asks.")] = None,
    k: Annotated[int, typer.Option("-k", min=1, max=100, help="How many juniors.")] = 5,
    as_json: Json = False,
    home: Home = None,
) -> None:
    """Suggest juniors for one request."""
    with opened(home) as here:
        slate = here.service.recommend(text, SeniorId(senior) if senior else None, k, here.settings.language)
        juniors = {each.junior_id: here.service.junior(each.junior_id) for each in slate.suggestions}
        if as_json:
            print_json(slate_document(slate, juniors))
        else:
            _print_slate(slate, juniors)


def slate_document(slate: Slate, juniors: dict[JuniorId, Junior]) -> dict[str, object]:
    """Return a slate in the form of the contract."""
    language = slate.request.understood.language
    return {
        "request_id": slate.request.id,
        "model_id": slate.model_id,
        "encoder": slate.encoder_id,
        "understood": {
            "goal": slate.request.understood.goal,
            "language": language,
            "competences": [
                {"code": code, "name": framework().competence(code).name[language], "confidence": confidence}
                for code, confidence in slate.request.understood.competences
            ],
            "level": slate.request.understood.level,
        },
        "intercept": slate.intercept,
        "suggestions": [
            {
                "rank": each.rank,
                "junior_id": each.junior_id,
                "name": each.name,
                "score": each.score,
                "contributions": each.contributions,
                "evidence": list(each.evidence),
                "minus": minus_sentence(each.minus, juniors[each.junior_id], language) if each.minus else None,
            }
            for each in slate.suggestions
        ],
        "excluded": slate.excluded,
        "doubtful": slate.doubtful,
    }


def _print_slate(slate: Slate, juniors: dict[JuniorId, Junior]) -> None:
    language = slate.request.understood.language
    if slate.doubtful:
        print(say("ask.doubtful", language))
    for each in slate.suggestions:
        junior = juniors[each.junior_id]
        print(f"{each.rank}. {each.name} ({each.junior_id}), {junior.site}  {each.score:.2f}")
        for sentence in each.evidence:
            print(f"   “{sentence}”")
        if each.minus:
            print(f"   − {minus_sentence(each.minus, junior, language)}")
    if not slate.suggestions:
        print(say("cli.nobody", language))
    left_out = [f"{say(f'rule.{rule}', language)}: {count}" for rule, count in slate.excluded.items()]
    if left_out:
        print(say("cli.left_out", language, rules=join(left_out, language)))


@app.command()
def rank(
    folder: Annotated[Path, typer.Argument(help="Benchmark folder.")],
    run: Annotated[Path, typer.Option(help="Where to write query, candidate, score.")],
    candidates: Annotated[str, typer.Option(help="File with the candidates.")] = "candidates.jsonl",
    k: Annotated[int, typer.Option("--k", min=1, help="How many candidates for each query.")] = 100,
    home: Home = None,
) -> None:
    """Rank a benchmark folder through the product's own path, by text alone."""
    from recommender.benchmarks import rank_folder, write_run
    from recommender.bootstrap import load_parts

    settings = settings_of(home)
    with refusals(settings.language), progress_bar(say("progress.encoder", settings.language)) as bar:
        parts = load_parts(settings, bar)
        rows = rank_folder(folder, parts.encoder, parts.ranker(), candidates, k, bar, parts.known_needs)
        write_run(run, rows)
    screen.print(say("cli.ranked", settings.language, rows=len(rows), path=run), markup=False)


@app.command("cold-start")
def cold_start(
    folder: Annotated[Path, typer.Argument(help="Folder that holds the benchmark folders.")],
    out: Annotated[Path, typer.Option(help="Where the ranker goes.")] = Path("models"),
    home: Home = None,
) -> None:
    """Fit the ranker that serves before there is feedback, and print how it does on folders left out of the fit."""
    from recommender.bootstrap import load_parts
    from recommender.cold_start import fit_and_save

    settings = settings_of(home)
    with refusals(settings.language), progress_bar(say("progress.encoder", settings.language)) as bar:
        parts = load_parts(settings, bar)
        report = fit_and_save(folder, parts.encoder, settings.encoder, out, bar, parts.known_needs)
    print(report)


@app.command()
def chat(
    script: Annotated[Path | None, typer.Option(help="Play a file, one turn a line.")] = None,
    senior: Annotated[str | None, typer.Option(help="Id of the senior who talks.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON line for each turn.")] = False,
    home: Home = None,
) -> None:
    """Hold the same conversation as the page, in a terminal."""
    from recommender.terminal import converse

    lines = script.read_text(encoding="utf-8").splitlines() if script else None
    with opened(home) as here:
        converse(here, SeniorId(senior) if senior else None, lines, as_json=as_json)


@app.command()
def bench(as_json: Json = False, home: Home = None) -> None:
    """Measure how fast this machine is, each figure beside a named other way; takes some minutes."""
    import tempfile

    from recommender import bench as measuring

    settings = settings_of(home)
    label = say("progress.bench", settings.language)
    with refusals(settings.language), tempfile.TemporaryDirectory() as scratch, progress_bar(label) as bar:
        figures = measuring.bench(settings, Path(scratch), bar)
    if as_json:
        print_json(figures)
    else:
        print(measuring.told(figures, settings.language))


@app.command()
def doctor(as_json: Json = False, home: Home = None) -> None:
    """Check that everything is well here, the encoder's files by their hashes."""
    from recommender.weights import damaged, folder_of

    with opened(home) as here:
        default = here.settings.encoder == DEFAULT_ENCODER
        broken = damaged(folder_of(here.settings.home), thorough=True) if default else ()
        facts: dict[str, object] = {
            "home": str(here.settings.home.resolve()),
            "encoder": here.service.encoder.id,
            "model": here.service.ranker.id,
            "juniors": len(here.service.store.people.juniors()),
            "seniors": len(here.service.store.people.seniors()),
            **here.service.store.slates.counts(),
            "notices": [say(f"notice.{each}", here.settings.language) for each in here.notices],
            "trouble": [str(each) for each in here.parts.trouble],
            "damaged": list(broken),
        }
        if as_json:
            print_json(facts)
        else:
            for name, value in facts.items():
                print(f"{name}: {value}")
        if here.notices or broken:
            raise typer.Exit(1)


def print_json(document: object) -> None:
    """Print the one document of a command on stdout."""
    print(json.dumps(document, ensure_ascii=False, indent=2))


learning_cli.register(app)
match_cli.register(app)
