"""What the questions are worth to simulated seniors, beside other ways of asking, as Markdown.

    python scripts/question_figures.py BENCHMARKS [--seeds 5] [--needs 100] [--set TEMPERATURE=1 LEAST_GAIN=0.02]
    python scripts/question_figures.py BENCHMARKS --tune

BENCHMARKS is the folder with the benchmark folders. Each seed draws other juniors, circumstances, first requests,
juniors in mind and luck; within a seed all policies meet the same. `--tune` tries the constants of the product on the
demo's own needs, which are no part of the figures. What this shows and what it can't is in docs/questions.md.
"""

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import Progress

sys.path.insert(0, str(Path(__file__).parents[1]))  # so that it runs from anywhere

from recommender import questions, wish_fit
from recommender.benchmarks import Text, read_judgements, read_texts
from recommender.bootstrap import Parts, load_parts
from recommender.domain import Junior, JuniorId, Statement
from recommender.framework import framework
from recommender.index import ProfileIndex
from recommender.ranker import AdditiveRanker
from recommender.registry import COLD_START, load
from recommender.seniors import (
    Company,
    Conduct,
    Conversation,
    Luck,
    Need,
    Policy,
    blurred,
    converse,
    expected_gain_policy,
    fixed_form,
    information_gain,
    no_question,
    random_question,
)
from recommender.settings import ROOT, load_settings
from recommender.text import statements
from recommender.understanding import understand
from recommender.wording import LANGUAGES, Language, say
from scripts.learning_figures import WORLDS, Remembered, bootstrap, demo_people

Floats = NDArray[np.float64]
Figures = dict[str, Any]

JUNIORS = 500
"""Of a larger benchmark; a smaller one gives all it has."""

TUNED_ON = "demo_needs"

AREAS: dict[Language, tuple[str, ...]] = {
    each: tuple(area.name[each] for area in framework().areas) for each in LANGUAGES
}

PRODUCT = "expected gain"
POLICIES: dict[str, Policy] = {
    PRODUCT: expected_gain_policy,
    "no question": no_question,
    "random question": random_question,
    "fixed form": fixed_form(AREAS),
    "information gain": information_gain,
}
BLOCKS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "All questions": (tuple(questions.FACETS), ("theme", "level", "meet")),
    "Without place, day and language, which a profile of the senior tells": (
        ("theme", "level", "style", "meet", "exchange"),
        ("theme", "level", "meet"),
    ),
    "Questions about the subject only": (("theme",), ("theme",)),
}
"""What may be asked, and what the fixed form asks of it. Circumstances are drawn at random, the subject is not."""

GRID = {"TEMPERATURE": (0.7, 1.0, 1.5), "LEAST_GAIN": (0.0, 0.02, 0.05), "SHARPNESS": (0.05, 0.1)}


@dataclass(frozen=True)
class Source:
    """The texts and judgements of one benchmark; `juniors` are their own where the profiles are people."""

    name: str
    language: Language
    queries: tuple[Text, ...]
    candidates: tuple[Text, ...]
    grades: Mapping[str, Mapping[str, int]]
    juniors: Mapping[str, Junior]


def read_source(folder: Path, name: str) -> Source:
    """Read a benchmark; of the Flemish one the digital part."""
    candidates, judgements, language = WORLDS[name]
    grades = read_judgements(folder / judgements)
    if (folder / "splits.tsv").is_file():
        parts = [line.split("\t") for line in (folder / "splits.tsv").read_text(encoding="utf-8").splitlines()]
        digital = {query for query, part, *_ in parts if part == "digital"}
        grades = {query: each for query, each in grades.items() if query in digital}
    own = {str(each.id): each for each in demo_people()[0]} if name == TUNED_ON else {}
    return Source(name, language, read_texts(folder / "queries.jsonl"), read_texts(folder / candidates), grades, own)


def draw(source: Source, parts: Parts, encoder: Remembered, ranker: AdditiveRanker, seed: int, needs: int) -> "Drawn":
    """Draw an organisation and what its seniors need."""
    rng, conduct = np.random.default_rng([seed, 4242]), Conduct()
    asked, kept = _sample(source, needs, rng)
    people = demo_people()[0]
    juniors = []
    for row, each in zip(rng.integers(len(people), size=len(kept)), kept, strict=True):
        like = source.juniors.get(each.id, people[row])
        # Everybody may be suggested: otherwise nobody could help some seniors, whatever is asked.
        free = max(like.capacity, 1)
        juniors.append(
            replace(like, id=JuniorId(each.id), text=each.text, active=True, consent=True, capacity=free, email="")
        )
    cut = [Statement(each.id, place, text) for each in juniors for place, text in enumerate(statements(each.text))]
    index = ProfileIndex(
        [each.id for each in juniors],
        [each.text for each in juniors],
        encoder.encode([each.text for each in juniors]),
        cut,
        encoder.encode([each.text for each in cut]),
    )
    wishes = encoder.encode([each.wants for each in juniors])
    wishes[[not each.wants for each in juniors]] = 0
    fixed = [
        text for each in LANGUAGES for text in (*AREAS[each], *(say(f"offer.{o}", each) for o in questions.OFFERS))
    ]
    vectors = dict(zip(fixed, encoder.encode(fixed), strict=True))
    vectors |= {each.text: index.vector(place) for place, each in enumerate(cut)}
    about = index.best_of(parts.reader.chances(encoder.encode([each.text for each in cut]))) if parts.reader else None
    company = Company(juniors, index, wishes, ranker, vectors, about)
    place = {each.id: number for number, each in enumerate(juniors)}
    requests = [blurred(_subject(source, each), rng, conduct) for each in asked]
    wanted = encoder.encode(requests)
    found = []
    for query, request, vector in zip(asked, requests, wanted, strict=True):
        grades = source.grades[query.id]
        least = 2 if max(grades.values()) >= 2 else 1
        able = {each: grade for each, grade in grades.items() if grade >= least and each in place}
        shares = np.array(list(able.values()), dtype=np.float64)
        target = place[list(able)[int(rng.choice(len(able), p=shares / shares.sum()))]]
        helpful = np.zeros(len(juniors), dtype=bool)
        helpful[[place[each] for each in able]] = True
        language: Language = "en" if query.id.endswith("-en") else source.language
        read = understand(request, language, vector, parts.reader)
        near = parts.known_needs.read_with(vector[None])[0] if parts.known_needs else vector
        texts, likeness = company.read(request, near)
        about_it = parts.reader.named(vector[None])[0] if parts.reader else None
        luck = Luck.of(rng, conduct.turns)
        found.append(
            Need(
                query.id,
                query.text,
                request,
                read.language,
                texts,
                likeness,
                about_it,
                read.level,
                target,
                helpful,
                luck,
            )
        )
    return Drawn(source.name, seed, company, tuple(found))


@dataclass(frozen=True)
class Drawn:
    """One organisation and its seniors."""

    name: str
    seed: int
    company: Company
    needs: tuple[Need, ...]


def _sample(source: Source, needs: int, rng: np.random.Generator) -> tuple[list[Text], list[Text]]:
    """Return needs, and juniors: those judged for any need first, so that they are about the same things."""
    by_id = {each.id: each for each in source.candidates}
    order = [source.queries[each] for each in rng.permutation(len(source.queries))]
    judged = [each for each in order if source.grades.get(each.id)]
    kept = dict.fromkeys(junior for query in judged[:needs] for junior in source.grades[query.id])
    kept |= dict.fromkeys(junior for query in judged for junior in source.grades[query.id])
    kept |= dict.fromkeys(source.candidates[each].id for each in rng.permutation(len(source.candidates)))
    chosen = list(kept)[:JUNIORS]
    return judged[:needs], [by_id[chosen[each]] for each in rng.permutation(len(chosen))]


def _subject(source: Source, query: Text) -> str:
    """Return what a senior would say in brief: of a question with an explanation, its title."""
    return query.text.split(". ")[0] if source.name == "iot_stackexchange" else query.text


@contextmanager
def constants(**values: float) -> Iterator[None]:
    """Run with other constants of the product, by name."""
    modules = {"TEMPERATURE": questions, "LEAST_GAIN": questions, "SHARPNESS": wish_fit}
    before = {name: getattr(modules[name], name) for name in values}
    try:
        for name, value in values.items():
            setattr(modules[name], name, value)
        yield
    finally:
        for name, value in before.items():
            setattr(modules[name], name, value)


@contextmanager
def asking_only(facets: Sequence[str]) -> Iterator[None]:
    """Run with some facets only."""
    before = dict(questions.FACETS)
    try:
        for name in set(before) - set(facets):
            del questions.FACETS[name]
        yield
    finally:
        questions.FACETS.clear()
        questions.FACETS.update(before)


def talk(
    worlds: Sequence[Drawn], policies: Mapping[str, Policy], progress: Progress, label: str, with_shown: bool = False
) -> dict[str, list[Conversation]]:
    """Return the conversations of each policy, in the same order."""
    task = progress.add_task(label, total=len(policies) * sum(len(each.needs) for each in worlds))
    found: dict[str, list[Conversation]] = {name: [] for name in policies}
    for world in worlds:
        for number, need in enumerate(world.needs):
            for name, policy in policies.items():
                rng = np.random.default_rng([world.seed, number, 17])
                found[name].append(converse(world.company, need, policy, Conduct(), rng, with_shown=with_shown))
                progress.advance(task)
    return found


MEASURES = ("success@3", "success@5", "turns", "abandoned", "questions", "unanswered")


def measured(held: Sequence[Conversation], target: bool) -> dict[str, Floats]:
    """Return each measure of each conversation."""
    never = Conduct().turns + 1
    ends = [each.met if target else each.helped for each in held]
    turns = np.array([never if each is None else each for each in ends], dtype=np.float64)
    asked, silent = (
        np.array([count(each, end) for each, end in zip(held, ends, strict=True)], dtype=np.float64)
        for count in (Conversation.asked, Conversation.unanswered)
    )
    return {
        "success@3": (turns <= 3).astype(np.float64),
        "success@5": (turns <= 5).astype(np.float64),
        "turns": turns,
        "abandoned": (turns == never).astype(np.float64),
        "questions": asked,
        "unanswered": silent,
    }


def table(worlds: Sequence[Drawn], talks: Mapping[str, Sequence[Conversation]], target: bool) -> str:
    """Return one table: each policy's figures, and how the product differs from it with the same seniors."""
    clusters = [each.id.rsplit("-", 1)[0] for world in worlds for each in world.needs]
    figures = {name: measured(each, target) for name, each in talks.items()}
    seeds = np.array([world.seed for world in worlds for _ in world.needs])
    lines = ["| policy | " + " | ".join(MEASURES[:4]) + " | questions (no answer) |", "|---|" + "---|" * 5]
    for name, found in figures.items():
        cells = [_interval(bootstrap(found[each], clusters)) for each in MEASURES[:4]]
        asked = f"{found['questions'].mean():.2f} ({found['unanswered'].mean():.2f})"
        lines.append(f"| {name} | " + " | ".join([*cells, asked]) + " |")
    lines += ["", f"| {PRODUCT} less | " + " | ".join(MEASURES[:4]) + " | seeds with success@3 better, worse |"]
    lines.append("|---|" + "---|" * 5)
    for name, found in figures.items():
        if name == PRODUCT:
            continue
        away = {each: figures[PRODUCT][each] - found[each] for each in MEASURES[:4]}
        cells = [_difference(bootstrap(away[each], clusters)) for each in MEASURES[:4]]
        by_seed = [float(away["success@3"][seeds == each].mean()) for each in np.unique(seeds)]
        cells.append(f"{sum(each > 0 for each in by_seed)}, {sum(each < 0 for each in by_seed)}")
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _interval(found: Sequence[float]) -> str:
    return "{:.3f} [{:.3f}, {:.3f}]".format(*found)


def _difference(found: Sequence[float]) -> str:
    better = "**" if found[1] > 0 or found[2] < 0 else ""
    return better + "{:+.3f} [{:+.3f}, {:+.3f}]".format(*found) + better


def facets_asked(talks: Mapping[str, Sequence[Conversation]]) -> str:
    """Return what was asked, as shares of all questions."""
    lines = []
    for name, held in talks.items():
        every = [asked.rstrip("1") for each in held for asked in each.questions if asked]
        if every:
            shares = {facet: every.count(facet) / len(every) for facet in sorted(set(every))}
            told = ", ".join(
                f"{facet} {share:.0%}" for facet, share in sorted(shares.items(), key=lambda each: -each[1])
            )
            lines.append(f"- {name}: {told}")
    return "\n".join(lines)


def report(worlds: Sequence[Drawn], progress: Progress, with_shown: bool = False) -> str:
    """Return everything about one benchmark."""
    first = worlds[0]
    lines = [
        f"## {first.name}\n",
        f"{len(worlds)} seeds, {len(first.company.population)} juniors, {len(first.needs)} needs each, such as "
        f"“{first.needs[0].request}” of “{first.needs[0].full[:80]}”.",
    ]
    for title, (facets, form) in BLOCKS.items():
        policies = POLICIES | {"fixed form": fixed_form(AREAS, form)}
        with asking_only(facets):
            talks = talk(worlds, policies, progress, f"{first.name}: {title}", with_shown)
        for target in (False, True):
            aim = "the junior in mind is shown" if target else "somebody who can help is shown"
            lines += [f"\n### {title}: {aim}\n", table(worlds, talks, target)]
        lines += ["\nAsked:\n", facets_asked(talks)]
    return "\n".join(lines)


def tune(worlds: Sequence[Drawn], progress: Progress, with_shown: bool = False) -> str:
    """Return a table over the grid, on the demo's needs, the fewest turns first."""
    columns = ["success@3", "success@5", "turns", "questions"]
    parts = [f"{part} {each}" for part in ("", "in mind:", "subject only:") for each in columns]
    lines = ["| " + " | ".join([*GRID, *map(str.strip, parts)]) + " |", "|" + "---|" * (len(GRID) + len(parts))]
    rows = []
    for values in product(*GRID.values()):
        label, policy = " ".join(map(str, values)), {PRODUCT: expected_gain_policy}
        with constants(**dict(zip(GRID, values, strict=True))):
            every = talk(worlds, policy, progress, label, with_shown)[PRODUCT]
            with asking_only(("theme",)):
                text = talk(worlds, policy, progress, f"{label}, subject only", with_shown)[PRODUCT]
        found = [measured(every, target=False), measured(every, target=True), measured(text, target=False)]
        rows.append((values, [float(each[name].mean()) for each in found for name in columns]))
    for values, cells in sorted(rows, key=lambda each: each[1][2]):
        lines.append("| " + " | ".join([*(f"{each:g}" for each in values), *(f"{each:.3f}" for each in cells)]) + " |")
    return "\n".join(lines)


def prepared(options: argparse.Namespace, names: Sequence[str], progress: Progress) -> dict[str, list[Drawn]]:
    """Return the organisations of each benchmark; texts that are new are encoded and kept."""
    settings = load_settings()
    parts = load_parts(settings)
    encoder = Remembered(settings.home / "cache", parts.encoder.id, parts.encoder.dim, parts.encoder)
    ranker, _ = load(settings.models / COLD_START)
    task = progress.add_task("organisations", total=len(names) * options.seeds)
    found: dict[str, list[Drawn]] = {}
    for name in names:
        source = read_source(ROOT / "data" / name if name == TUNED_ON else options.benchmarks / name, name)
        for seed in range(options.seeds):
            found.setdefault(name, []).append(draw(source, parts, encoder, ranker, seed, options.needs))
            progress.advance(task)
        encoder.save()
    return found


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("benchmarks", type=Path, help="Folder with the benchmark folders.")
    parser.add_argument("--worlds", nargs="+", choices=WORLDS, default=["vdab_esco_nl", "iot_stackexchange"])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--needs", type=int, default=100)
    parser.add_argument("--set", nargs="+", default=[], metavar="NAME=VALUE", help="Other constants of the product.")
    parser.add_argument("--tune", action="store_true", help="Try constants on the demo's needs.")
    parser.add_argument(
        "--with-shown", action="store_true", help="Ask about those on screen too, as the product did at first."
    )
    options = parser.parse_args()
    values = {name: float(value) for name, value in (each.split("=") for each in options.set)}
    names = [TUNED_ON] if options.tune else options.worlds
    with Progress(console=Console(stderr=True)) as progress, constants(**values):
        worlds = prepared(options, names, progress)
        if options.tune:
            print(tune(worlds[TUNED_ON], progress, options.with_shown))
            return
        used = f"temperature {questions.TEMPERATURE}, least gain {questions.LEAST_GAIN}, sharpness {wish_fit.SHARPNESS}"
        print(f"Constants: {used}.\n")
        for each in worlds.values():
            print(report(each, progress, options.with_shown) + "\n", flush=True)


if __name__ == "__main__":
    main()
