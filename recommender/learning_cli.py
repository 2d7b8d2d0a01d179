"""The commands of the learning loop. Only `snapshot` opens the database; the others run beside the app."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from recommender import jobs
from recommender.errors import TelemachosError
from recommender.jobs import Status
from recommender.off_policy import Estimate
from recommender.wording import Language, say

Home = Annotated[Path | None, typer.Option(help="Folder with snapshots and models.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout.")]
SnapshotId = Annotated[str | None, typer.Option("--snapshot", help="Id of a snapshot; the newest by default.")]
By = Annotated[str, typer.Option(help="Who decides; kept with the change.")]

POLITE = 10
"""How far a training in the background steps aside for people who ask (a nice value)."""


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    for command in (snapshot, train, evaluate, models, promote, rollback):
        app.command()(command)


def snapshot(as_json: Json = False, home: Home = None) -> None:
    """Write down all feedback of this moment to learn from, with pseudonyms for people."""
    from recommender import learning
    from recommender.cli import opened, print_json, screen

    with opened(home) as here:
        info = learning.snapshot(here.service.store, here.settings.home)
        if as_json:
            print_json(asdict(info))
        else:
            facts = {"id": info.id, "rows": info.rows, "slates": info.slates, "seniors": info.seniors}
            screen.print(say("cli.snapshot", here.settings.language, **facts), markup=False, highlight=False)


def train(
    snapshot_id: SnapshotId = None,
    seed: Annotated[int, typer.Option(help="Decides who is held out, and every draw.")] = 7,
    status: Annotated[Path | None, typer.Option(help="File to keep telling how far it is.")] = None,
    as_json: Json = False,
    home: Home = None,
) -> None:
    """Learn a model from a snapshot. It serves only once it is promoted."""
    from recommender import learning
    from recommender.cli import print_json, progress_bar, refusals, screen, settings_of

    settings = settings_of(home)
    language = settings.language
    with refusals(language), _told(status, language) as tell:
        with progress_bar(say("progress.training", language)) as bar:

            def progress(done: int, total: int, step: str = "") -> None:
                bar(done, total)
                tell(Status("running", done, total, step))

            manifest = learning.train(settings.home, snapshot_id, seed, progress, shipped=settings.models)
        tell(Status("done", 1, 1, model_id=manifest.id))
    if as_json:
        print_json(asdict(manifest))
        return
    _say_checks(manifest.gate, language)
    key = "cli.trained_failed" if learning.unpassed(manifest) else "cli.trained"
    screen.print(say(key, language, id=manifest.id), markup=False, highlight=False)


def evaluate(
    model: Annotated[str | None, typer.Argument(help="Id of a model; the one in use by default.")] = None,
    snapshot_id: SnapshotId = None,
    as_json: Json = False,
    home: Home = None,
) -> None:
    """Compare a model with the one in use and with plain orders, on seniors it never saw."""
    from recommender import learning
    from recommender.cli import print_json, refusals, settings_of

    settings = settings_of(home)
    with refusals(settings.language):
        found = learning.evaluate(settings.home, model, snapshot_id, settings.models)
    if as_json:
        print_json(asdict(found) | {"passed": found.verdict.passed})
        return
    for name, line in found.comparison.table.items():
        interval = f"{line['low']:.3f} – {line['high']:.3f}"
        difference = f"{line['difference']:+.3f} ({line['difference_low']:+.3f} – {line['difference_high']:+.3f})"
        order = say(f"learn.order_{name}", settings.language)
        print(f"{order:<40} {line['ndcg']:.3f}  {interval}  {difference}")
    _say_checks([asdict(each) for each in found.verdict.checks], settings.language)
    _say_served(found.off_policy, settings.language)


def models(as_json: Json = False, home: Home = None) -> None:
    """List the models that can serve, the newest first, and every change of the one in use."""
    from recommender import learning
    from recommender.cli import print_json, refusals, settings_of

    settings = settings_of(home)
    with refusals(settings.language):
        registry = learning.registry_of(settings.home, settings.models)
        known, current = registry.models(), registry.current_id()
    if as_json:
        history = [asdict(each) for each in registry.history()]
        listed = [asdict(each) | {"failed": learning.unpassed(each)} for each in known]
        print_json({"current": current, "models": listed, "history": history})
        return
    for each in known:
        mark = "*" if each.id == current else " "
        ndcg = each.metrics.get("candidate", {}).get("ndcg")
        print(f"{mark} {each.id:<28} {'' if ndcg is None else f'{ndcg:.3f}'}  {', '.join(learning.unpassed(each))}")


def promote(
    model: Annotated[str, typer.Argument(metavar="ID", help="Id of the model that is to serve.")],
    reason: Annotated[str, typer.Option(help="Why; needed where the gate did not let it pass.")] = "",
    by: By = "command line",
    home: Home = None,
) -> None:
    """Let a model serve, from the next request on."""
    from recommender import learning
    from recommender.cli import refusals, screen, settings_of

    settings = settings_of(home)
    with refusals(settings.language):
        registry = learning.registry_of(settings.home, settings.models)
        change = learning.promote(registry, model, by, reason, datetime.now(UTC))
    told = say("cli.promoted", settings.language, id=change.id, before=change.before)
    screen.print(told, markup=False, highlight=False)


def rollback(
    reason: Annotated[str, typer.Option(help="Why.")] = "", by: By = "command line", home: Home = None
) -> None:
    """Go back to the model that served before."""
    from recommender import learning
    from recommender.cli import refusals, screen, settings_of

    settings = settings_of(home)
    with refusals(settings.language):
        registry = learning.registry_of(settings.home, settings.models)
        change = learning.rollback(registry, by, reason, datetime.now(UTC))
    told = say("cli.promoted", settings.language, id=change.id, before=change.before)
    screen.print(told, markup=False, highlight=False)


@contextmanager
def _told(path: Path | None, language: Language) -> Iterator["_Tell"]:
    """Give what keeps the status file, if there is one, and write down there why the work was refused."""
    tell = _Tell(path)
    if path is not None:
        os.nice(POLITE)
    try:
        yield tell
    except TelemachosError as error:
        tell(Status("failed", message=error.sentence(language)))
        raise


class _Tell:
    """Keeps the status file of a job."""

    def __init__(self, path: Path | None) -> None:
        self._path = path

    def __call__(self, said: Status) -> None:
        """Write it down, where somebody asked for that."""
        if self._path is not None:
            jobs.tell(self._path, said)


def _say_served(estimates: dict[str, Estimate], language: Language) -> None:
    """Say what the model would have brought with the cards it would have shown, or why nothing can be said."""
    for name, each in estimates.items():
        told = f"{each.value:.3f}  {each.low:.3f} – {each.high:.3f}" if each.conclusive or name == "logged" else "?"
        print(f"{say(f'served.{name}', language):<44} {told}  ({each.effective_sample:.0f})")
    asked = estimates["doubly_robust"]
    if asked.reason:
        print(say(f"policy.{asked.reason}", language))
    if asked.left_out:
        print(say("policy.left_out", language, number=asked.left_out))


def _say_checks(checks: list[dict[str, Any]], language: Language) -> None:
    from recommender.cli import screen

    for each in checks:
        numbers = {name: f"{value:.3f}".rstrip("0").rstrip(".") for name, value in each["numbers"].items()}
        told = say(f"check.{each['key']}", language, **numbers)
        screen.print(say("check.yes" if each["passed"] else "check.no", language), told, markup=False, highlight=False)
