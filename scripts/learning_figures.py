"""What learning from feedback is worth, in simulated organisations, as Markdown.

    python scripts/learning_figures.py BENCHMARKS [--worlds vdab_esco_nl iot_stackexchange] [--requests 500] [--seeds 5]

BENCHMARKS is the folder with the benchmark folders. Each seed is another organisation: needs, juniors, circumstances,
tastes, luck. Models learn from seniors who gave feedback and are measured on other seniors, with other needs. What
this shows and what it can't is in docs/learning.md.
"""

import argparse
import hashlib
import json
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import Progress, TaskID

from recommender.benchmarks import Benchmark, prepare, read_judgements
from recommender.bootstrap import load_parts
from recommender.competences import FOLDER, CompetenceReader, load_reader
from recommender.demo import FOLDER as DEMO
from recommender.domain import Junior, JuniorId, Senior, SeniorId
from recommender.encoder import Encoder
from recommender.errors import InputRefused, ModelRefused
from recommender.features import text_features
from recommender.gate import judge
from recommender.importing import read_people
from recommender.index import Likeness
from recommender.judged import read_judged
from recommender.population import Population
from recommender.ranker import AdditiveRanker, similarity_only
from recommender.registry import COLD_START, load
from recommender.settings import ROOT, load_settings
from recommender.simulator import Asked, Behaviour, Order, Part, Places, Quality, World, simulate, true_quality
from recommender.snapshot import Snapshot
from recommender.training import Debias, train
from recommender.understanding import understand
from recommender.weights import Progress as Tell
from recommender.wording import Language

People = tuple[Sequence[Junior], Sequence[Senior]]
Grades = Mapping[str, Mapping[str, int]]
Figures = dict[str, Any]

WORLDS: dict[str, tuple[str, str, Language]] = {
    "vdab_esco_nl": ("candidates.jsonl", "qrels.tsv", "nl"),
    "iot_stackexchange": ("candidates.jsonl", "qrels_topic.tsv", "en"),
    "demo_needs": ("../demo/juniors.jsonl", "qrels.tsv", "nl"),
}
"""Candidates, judgements and the language of the page; the last one is of this product, not of the folder."""

MARKS = (50, 100, 200, 500, 1000, 2000)
"""Numbers of requests after which a model is trained."""

UNSEEN = 200
"""Requests of unseen seniors that each organisation is measured on."""

SHUFFLES = 4
"""Logs with shuffled labels for each organisation; the last of them is measured as well."""

VARIANTS: dict[str, tuple[bool, Debias]] = {
    "ranks as columns, explored": (True, "position"),
    "ranks as columns, not explored": (False, "position"),
    "weights by rank (ips), explored": (True, "ips"),
    "raw clicks, explored": (True, "none"),
    "raw clicks, not explored": (False, "none"),
}

PLAIN = ("best possible", "cold start", "similarity only", "random")
DRAWS = 2000


class Remembered:
    """An encoder whose vectors are kept in one file, so that a second run needs to encode nothing."""

    def __init__(self, folder: Path, encoder_id: str, dim: int, inner: Encoder | None = None) -> None:
        self.id, self.dim, self.genuine = encoder_id, dim, True
        self._inner, self._path = inner, folder / f"{hashlib.sha256(encoder_id.encode()).hexdigest()[:16]}.npz"
        self._known: dict[str, NDArray[np.float32]] = {}
        if self._path.is_file():
            with np.load(self._path) as held:
                self._known = dict(zip(held["texts"].tolist(), held["vectors"], strict=True))

    def encode(self, texts: Sequence[str], progress: Tell | None = None) -> NDArray[np.float32]:
        """Return vectors as `Encoder.encode` does; texts that are new need the encoder itself."""
        hashes = [hashlib.sha256(each.encode()).hexdigest()[:32] for each in texts]
        new = {each: text for each, text in zip(hashes, texts, strict=True) if each not in self._known}
        if new:
            if self._inner is None:
                raise ValueError(f"{len(new)} texts were not encoded beforehand, such as {next(iter(new.values()))!r}")
            self._known |= dict(zip(new, self._inner.encode(list(new.values()), progress), strict=True))
        return np.stack([self._known[each] for each in hashes]) if texts else np.zeros((0, self.dim), np.float32)

    def save(self) -> None:
        """Write what is known, whole or not at all."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        making = self._path.with_suffix(".making.npz")
        np.savez(making, texts=np.array(list(self._known)), vectors=np.stack(list(self._known.values())))
        making.replace(self._path)


def build_world(
    benchmark: Benchmark,
    grades: Grades,
    people: People,
    encoder: Encoder,
    seed: int,
    reader: CompetenceReader | None = None,
    page_language: Language = "nl",
    sizes: tuple[int, int] = (350, 200),
    behaviour: Behaviour | None = None,
) -> World:
    """Make a world of `sizes` juniors and seniors, with texts of a benchmark and circumstances of `people`.

    Notes
    -----
    Needs are added in random order as long as those judged for them fit among the juniors; needs with the same
    judgements (translations, questions on one subject) are all in one part. What is left is filled with other
    candidates. Circumstances are drawn a whole row of `people` at a time, so that what belongs together stays together.
    Likenesses are standardised over these
    juniors alone, as in the product; only the rareness of n-grams is that of all candidates.
    """
    rng, rules = np.random.default_rng([seed, 99]), behaviour or Behaviour()
    asked, kept = _sample(benchmark, grades, sizes[0], rng)
    rows, others = (rng.integers(len(each), size=n) for each, n in zip(people, (len(kept), sizes[1]), strict=True))
    ids = [benchmark.candidates[each].id for each in kept]
    juniors = [replace(people[0][row], id=JuniorId(each), email="") for row, each in zip(rows, ids, strict=True)]
    seniors = [replace(people[1][row], id=SeniorId(f"{seed}-{each}"), email="") for each, row in enumerate(others)]
    wishes = encoder.encode([junior.wants for junior in juniors])
    wishes[[not junior.wants for junior in juniors]] = 0
    index, about = benchmark.index, None
    if reader is not None:
        about = index.best_of(reader.chances(encoder.encode([each.text for each in index.statements])))[kept]
    needs, texts = [], []
    for text, vector in ((benchmark.queries[each].text, benchmark.query_vectors[each]) for each in asked):
        needs.append(understand(text, page_language, vector, reader))
        found = index.compare(text, vector)
        columns = (each[kept] for each in (found.best_statement, found.whole, found.wording))
        texts.append(text_features(Likeness(found.statements, *columns)))
    judged = np.array([[grades[benchmark.queries[need].id].get(each, 0) for each in ids] for need in asked])
    return World(
        population=Population.of(juniors, about, wishes),
        behaviour=rules,
        encoder_id=encoder.id,
        parts=_parts(judged, len(seniors)),
        seniors=tuple(seniors),
        tastes=rng.random((len(seniors), len(rules.minds))) < rules.minds,
        pickiness=rng.normal(0, rules.pickiness, len(seniors)),
        offers=encoder.encode([senior.offers for senior in seniors]),
        needs=tuple(needs),
        grades=judged,
        texts=np.stack(texts),
        competences=reader.chances(benchmark.query_vectors[asked]) if reader else None,
    )


def _sample(benchmark: Benchmark, grades: Grades, n: int, rng: np.random.Generator) -> tuple[Places, Places]:
    """Return the places of needs and of at most `n` candidates, both in random order."""
    place = {each.id: number for number, each in enumerate(benchmark.candidates)}
    asked: list[int] = []
    kept: dict[int, None] = {}
    for number in rng.permutation(len(benchmark.queries)):
        judged = grades.get(benchmark.queries[number].id, {})
        wider = kept | {place[each]: None for each in judged}
        if judged and len(wider) <= n:
            kept = wider
            asked.append(int(number))
    others = [int(each) for each in rng.permutation(len(place)) if each not in kept]
    return np.array(asked), rng.permutation([*kept, *others][:n])


def _parts(grades: Places, n_seniors: int) -> dict[Part, tuple[Places, Places]]:
    """Return the places of seniors and needs, half of each for either part."""
    group = np.unique(grades, axis=0, return_inverse=True)[1]
    _, first = np.unique(group, return_index=True)
    order = {each: number for number, each in enumerate(group[np.sort(first)].tolist())}
    side = np.array([order[each] % 2 for each in group.tolist()])
    parts: tuple[Part, Part] = ("feedback", "unseen")
    return {part: (np.arange(odd, n_seniors, 2), np.flatnonzero(side == odd)) for odd, part in enumerate(parts)}


@dataclass(frozen=True)
class Job:
    """One organisation to work on, told so that another process can read everything by itself."""

    name: str
    folder: Path
    cache: Path
    models: Path
    encoder_id: str
    dim: int
    requests: int
    seed: int


def read_benchmark(folder: Path, name: str, encoder: Encoder, tell: Tell | None = None) -> tuple[Benchmark, Grades]:
    """Return a benchmark and its judgements; of the Flemish one the digital part."""
    candidates, judgements, _ = WORLDS[name]
    grades = read_judgements(folder / judgements)
    if (folder / "splits.tsv").is_file():
        parts = [line.split("\t") for line in (folder / "splits.tsv").read_text(encoding="utf-8").splitlines()]
        digital = {query for query, part, *_ in parts if part == "digital"}
        grades = {query: each for query, each in grades.items() if query in digital}
    return prepare(folder, encoder, candidates, tell), grades


def reader_of(models: Path, encoder_id: str) -> CompetenceReader | None:
    """Return what names competences, if there is one for this encoder, as the product does."""
    try:
        reader = load_reader(models / FOLDER)
    except ModelRefused:
        return None
    return reader if reader.encoder == encoder_id else None


def demo_people() -> People:
    """Return the demo organisation, whose circumstances are drawn from."""
    return (
        read_people(DEMO / "juniors.jsonl", "juniors").people,  # type: ignore[return-value]  # of the kind asked for
        read_people(DEMO / "seniors.jsonl", "seniors").people,
    )


def work(job: Job) -> Figures:
    """Return everything about one organisation: plain orders, variants after each mark, and what the gate said."""
    encoder = Remembered(job.cache, job.encoder_id, job.dim)
    benchmark, grades = read_benchmark(job.folder, job.name, encoder)
    reader, language = reader_of(job.models, job.encoder_id), WORLDS[job.name][2]
    world = build_world(benchmark, grades, demo_people(), encoder, job.seed, reader, language)
    cold, _ = load(job.models / COLD_START)
    luck = np.random.default_rng(job.seed)
    orders: dict[str, Order] = {
        "best possible": lambda asked: asked.expected,
        "cold start": order_of(cold),
        "similarity only": order_of(similarity_only()),
        "random": lambda asked: luck.random(len(asked.places)),
    }
    logs = {explore: simulate(world, cold, job.requests, job.seed, explore=explore) for explore in (True, False)}
    unseen = list(world.requests("unseen", UNSEEN, job.seed))
    measured = {name: measure(world, order, unseen) for name, order in orders.items()}
    for mark in marks(job.requests):
        for name, (explore, debias) in VARIANTS.items():
            found = learnt(until(logs[explore], mark), cold, job.seed, debias)
            if found:
                measured[f"{name}|{mark}"] = measure(world, order_of(found[0]), unseen)
    last = logs[True]
    spoilt = [("shuffled", shuffled(last, draw)) for draw in range(SHUFFLES)]
    gates: dict[str, list[list[str]]] = {}
    for name, snapshot in [("clean", last), *spoilt, *wrong(last, job.seed).items()]:
        found = learnt(snapshot, cold, job.seed, "position")
        if found:
            gates.setdefault(name, []).append(found[1])
            measured[name] = measure(world, order_of(found[0]), unseen)
    approved = {
        "explored" if explore else "not explored": float((log.rows["decision"] == "approved").sum()) / job.requests
        for explore, log in logs.items()
    }
    size = {
        "juniors": len(world.population),
        "needs": len(world.needs),
        "unseen": len(world.parts["unseen"][1]),
        "reader": reader is not None,
    }
    return {
        "job": job.name,
        "encoder": job.encoder_id,
        "ranker": cold.id,
        "measured": measured,
        "gates": gates,
        "approved": approved,
        "size": size,
    }


def marks(requests: int) -> list[int]:
    """Return the numbers of requests to train after."""
    return sorted({each for each in MARKS if each < requests} | {requests})


def order_of(ranker: AdditiveRanker) -> Order:
    """Return a ranker as an order."""
    return lambda asked: ranker.score(asked.features)


def measure(world: World, order: Order, requests: Sequence[Asked]) -> Figures:
    """Return the true quality on requests of unseen seniors."""
    found: Quality = true_quality(world, order, requests)
    return {"ndcg": found.ndcg.tolist(), "regret": found.regret.tolist(), "senior": found.senior.tolist()}


def learnt(
    snapshot: Snapshot, cold: AdditiveRanker, seed: int, debias: Debias
) -> tuple[AdditiveRanker, list[str]] | None:
    """Return a model learnt from a snapshot, and the checks of the gate that it fails; None if there is too little."""
    try:
        trained = train(snapshot, cold, cold, seed, debias=debias)
    except InputRefused:
        return None
    ranker = trained.ranker("candidate")
    return ranker, list(judge(trained.comparison, ranker, cold, read_judged(ROOT / "models" / COLD_START)).failed)


def until(snapshot: Snapshot, requests: int) -> Snapshot:
    """Return the first so many requests of a log."""
    first = snapshot.rows["slate"].unique()[:requests]
    return replace(snapshot, rows=snapshot.rows[snapshot.rows["slate"].isin(first)].reset_index(drop=True))


ANSWER = ["action", "decision", "decision_reason", "senior_rating"]


def shuffled(snapshot: Snapshot, seed: int) -> Snapshot:
    """Return a log in which every drawn card got the answer of some other one."""
    rows = snapshot.rows.copy()
    drawn = np.flatnonzero(rows["shown"])
    rows.loc[drawn, ANSWER] = rows.loc[np.random.default_rng(seed).permutation(drawn), ANSWER].to_numpy()
    return replace(snapshot, rows=rows.astype({"senior_rating": "Int8"}))


def wrong(snapshot: Snapshot, seed: int, share: float = 0.1) -> dict[str, Snapshot]:
    """Return logs with wrong answers, in two ways: a share of the cards turned round, a share of the slates random."""
    rng, turned, random = np.random.default_rng(seed), snapshot.rows.copy(), snapshot.rows.copy()
    drawn = np.flatnonzero(turned["shown"])
    for row in rng.choice(drawn, int(share * len(drawn)), replace=False):
        _answer(turned, int(row), accepted=turned.at[row, "decision"] not in ("approved",))
    slates = random["slate"].unique()
    for slate in rng.choice(slates, int(share * len(slates)), replace=False):
        here = np.flatnonzero((random["slate"] == slate) & random["shown"])
        accepted = rng.choice(here)
        for row in here:
            _answer(random, int(row), accepted=bool(row == accepted))
    return {"cards turned": replace(snapshot, rows=turned), "slates random": replace(snapshot, rows=random)}


def _answer(rows: pd.DataFrame, row: int, *, accepted: bool) -> None:
    rows.loc[row, ANSWER] = ["chosen", "approved", "", None] if accepted else ["", "", "", None]


def bootstrap(values: NDArray[np.float64], seniors: Sequence[str]) -> tuple[float, float, float]:
    """Return mean and 95% interval; seniors are drawn, with all their requests and from all organisations at once."""
    told = np.isfinite(values)
    people, place = np.unique(np.array(seniors)[told], return_inverse=True)
    values = values[told]
    sums, counts = np.bincount(place, values), np.bincount(place)
    drawn = np.random.default_rng(0).multinomial(len(people), np.full(len(people), 1 / len(people)), size=DRAWS)
    low, high = np.percentile((drawn @ sums) / (drawn @ counts), [2.5, 97.5])
    return float(values.mean()), float(low), float(high)


def pooled(results: Sequence[Figures], name: str, against: str = "cold start") -> Figures:
    """Return an order over all organisations; where too little was there to learn from, the one in use stays."""
    base = [each["measured"][against] for each in results]
    held = [each["measured"].get(name, other) for each, other in zip(results, base, strict=True)]
    seniors = [senior for each in held for senior in each["senior"]]
    found: Figures = {
        "models": sum(name in each["measured"] for each in results),
        "silent": float(np.isnan([each["ndcg"] for each in base]).mean()),
    }
    for figure in ("ndcg", "regret"):
        away = [np.subtract(each[figure], other[figure]) for each, other in zip(held, base, strict=True)]
        found[figure] = float(np.nanmean([each[figure] for each in held]))
        found[f"{figure}_difference"] = bootstrap(np.concatenate(away), seniors)
        found[f"{figure}_by_seed"] = [float(np.nanmean(each)) for each in away]
    return found


def figures(name: str, requests: int, results: Sequence[Figures]) -> Figures:
    """Return the figures of one world over all its organisations."""
    approved = {name: float(np.mean([each["approved"][name] for each in results])) for name in results[0]["approved"]}
    gates = {}
    for label in results[0]["measured"]:
        said = [checks for each in results for checks in each["gates"].get(label, [])]
        if said:
            gates[label] = {
                "models": len(said),
                "passed": sum(not each for each in said),
                "failed": dict(Counter(check for checks in said for check in checks).most_common()),
                "ndcg_difference": pooled(results, label, "clean")["ndcg_difference"],
            }
    return {
        "world": name,
        "organisations": len(results),
        "size": results[0]["size"],
        "approved": approved,
        "plain": {order: pooled(results, order) for order in PLAIN},
        "learnt": {
            variant: {str(mark): pooled(results, f"{variant}|{mark}") for mark in marks(requests)}
            for variant in VARIANTS
        },
        "gates": gates,
    }


def markdown(found: Figures, requests: int) -> str:
    """Return the tables of one world."""
    size, number = found["size"], found["organisations"]
    approved = ", ".join(f"{share:.1%} {name}" for name, share in found["approved"].items())
    silent = found["plain"]["cold start"]["silent"]
    names = "nDCG@10 | to cold start | regret | to cold start | better in"
    lines = [
        f"## {found['world']}\n",
        f"{number} organisations of {size['juniors']} juniors with {size['needs']} needs, {size['unseen']} of them "
        f"unseen, competences {'read' if size['reader'] else 'not read'}. Requests that ended approved: {approved}. "
        f"In {silent:.0%} of the unseen requests nobody who could help was free; nDCG leaves them out.\n",
        f"| order | {names} |\n|---|---|---|---|---|---|",
        *(f"| {order} | {_cells(each, number)} |" for order, each in found["plain"].items()),
        f"\n| learnt from | requests | models | {names} |\n|---|---|---|---|---|---|---|---|",
    ]
    for variant, rows in found["learnt"].items():
        lines += [
            f"| {variant} | {mark} | {each['models']}/{number} | {_cells(each, number)} |"
            for mark, each in rows.items()
            if each["models"]
        ]
    none = [mark for mark, each in next(iter(found["learnt"].values())).items() if not each["models"]]
    if none:
        lines.append(f"\nAfter {', '.join(none)} requests too few were accepted to learn from: the cold start stays.")
    lines.append(
        f"\n| labels of {requests} requests | let pass | checks that failed | nDCG@10 to clean |\n|---|---|---|---|"
    )
    for label, each in found["gates"].items():
        failed = ", ".join(f"{check} ({times})" for check, times in each["failed"].items())
        passed = f"{each['passed']}/{each['models']}"
        lines.append(f"| {label} | {passed} | {failed or 'none'} | {_difference(each['ndcg_difference'])} |")
    return "\n".join(lines)


def _cells(found: Figures, number: int) -> str:
    cells = []
    for figure in ("ndcg", "regret"):
        cells += [f"{found[figure]:.3f}", _difference(found[f"{figure}_difference"])]
    return " | ".join([*cells, f"{sum(each > 0 for each in found['ndcg_by_seed'])}/{number}"])


def _difference(found: Sequence[float]) -> str:
    return "{:+.3f} [{:+.3f}, {:+.3f}]".format(*found)


def run(options: argparse.Namespace, progress: Progress) -> list[Figures]:
    """Encode what is new, work on all organisations, and return what came out, in order."""
    settings = load_settings()
    parts = load_parts(settings)
    cache, people, jobs = settings.home / "cache", demo_people(), []
    encoder = Remembered(cache, parts.encoder.id, parts.encoder.dim, parts.encoder)
    encoder.encode([*(each.wants for each in people[0]), *(each.offers for each in people[1])])
    for name in options.worlds:
        folder = ROOT / "data" / name if name == "demo_needs" else options.benchmarks / name
        task = progress.add_task(f"encode {name}", total=None)
        read_benchmark(folder, name, encoder, partial(_tell, progress, task))
        progress.update(task, completed=1, total=1)
        encoder.save()
        jobs += [
            Job(name, folder, cache, settings.models, encoder.id, encoder.dim, options.requests, seed)
            for seed in range(options.seeds)
        ]
    task = progress.add_task("organisations", total=len(jobs))
    # Two processes side by side, each on one core: set before numpy is loaded in them.
    os.environ["OMP_NUM_THREADS"] = "1"
    with ProcessPoolExecutor(max_workers=2, mp_context=get_context("spawn")) as pool:
        waiting = [pool.submit(work, job) for job in jobs]
        for _ in as_completed(waiting):
            progress.advance(task)
        return [each.result() for each in waiting]


def _tell(progress: Progress, task: TaskID, done: int, total: int) -> None:
    progress.update(task, completed=done, total=total)


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("benchmarks", type=Path, help="Folder with the benchmark folders.")
    parser.add_argument("--worlds", nargs="+", choices=WORLDS, default=["vdab_esco_nl", "iot_stackexchange"])
    parser.add_argument("--requests", type=int, default=500)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--json", action="store_true", help="Print JSON instead of tables.")
    options = parser.parse_args()
    with Progress(console=Console(stderr=True)) as progress:
        results = run(options, progress)
    found = [
        figures(name, options.requests, [each for each in results if each["job"] == name]) for name in options.worlds
    ]
    if options.json:
        print(json.dumps(found, indent=1))
    else:
        print(f"{results[0]['ranker']}, encoder {results[0]['encoder']}\n")
        print("\n\n".join(markdown(each, options.requests) for each in found))


if __name__ == "__main__":
    main()
