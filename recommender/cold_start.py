"""The ranker for the first day: text weights fitted on relevance judgements that other people made.

No label here comes from a formula of ours: they are judgements by people, or, for the demo's needs, by a reader
(``data/demo_needs/README.md``). Each source counts alike whatever its size, and the figures come from sources that were
left out of the fit, with their relatives: a recipe that only fits what it saw would show.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from recommender.benchmarks import Benchmark, prepare, read_judgements
from recommender.encoder import Encoder
from recommender.evaluation import interval, ndcg_at_k
from recommender.features import FEATURES, FIT_FEATURES, TEXT_FEATURES
from recommender.judged import JudgedNeeds
from recommender.known_needs import KnownNeeds
from recommender.learners import CarefulLogit
from recommender.ranker import CENTRE, PRIORS
from recommender.registry import COLD_START, Manifest, save
from recommender.settings import ROOT
from recommender.weights import Progress

SEED = 7

DATA = ROOT / "data"
"""Of this product: its own judged needs are a source too, and the only one that is people asking people."""

DOUBT_PERCENTILE = 5
"""Share of real requests, in percent, that are wrongly met with doubt."""

NEGATIVES = 800
"""Candidates drawn for each request that nobody judged relevant; they are weighted back to their true number."""


@dataclass(frozen=True)
class Source:
    """One set of judgements. Sources of one family share texts, so they are left out of a fit together."""

    name: str
    family: str
    folder: str
    candidates: str = "candidates.jsonl"
    judgements: str = "qrels.tsv"


SOURCES = (
    Source("iot_stackexchange", "community", "iot_stackexchange", judgements="qrels_topic.tsv"),
    Source("vdab_esco_nl", "vdab", "vdab_esco_nl"),
    Source("vdab_esco_nl, English", "vdab", "vdab_esco_nl", candidates="candidates_en.jsonl"),
    Source("job_titles_nl", "titles", "job_titles_nl"),
    Source("job_titles_en", "titles", "job_titles_en"),
    Source("skill_sentences_en", "sentences", "skill_sentences_en"),
    Source("demo_needs", "needs", str(DATA / "demo_needs"), candidates="../demo/juniors.jsonl"),
)


@dataclass(frozen=True)
class Judged:
    """One request with its features, shape ``(n_candidates, n_features)``, and grades, shape ``(n_candidates,)``."""

    features: NDArray[np.float32]
    grades: NDArray[np.float64]


def fit_and_save(
    folder: Path,
    encoder: Encoder,
    name: str,
    out: Path,
    progress: Progress | None = None,
    known_needs: KnownNeeds | None = None,
) -> str:
    """Fit on all sources under `folder`, write the ranker into `out`, and return the figures as a Markdown table.

    `name` is the encoder's name in the settings; the ranker is for that encoder, whatever computes it.

    Raises
    ------
    InputRefused
        If a benchmark file is missing or unreadable.
    """
    judged = {source: _judged(folder, source, encoder, progress, known_needs) for source in SOURCES}
    metrics = {source.name: _left_out(source, judged) for source in SOURCES}
    model = _fit(list(judged.values()))
    needs = prepare(DATA / "demo_needs", encoder, "../demo/juniors.jsonl", None, known_needs)
    manifest = Manifest(
        id=COLD_START,
        encoder=name,
        features=list(FEATURES),
        trained_on={source.name: len(judged[source]) for source in SOURCES},
        metrics=metrics,
        seed=SEED,
        doubt_below=doubt_below(needs),
    )
    save(out / COLD_START, first_ranker(model.coef_[0], float(model.intercept_[0])), manifest)
    judged_needs(needs).save(out / COLD_START)
    return table(metrics)


def judged_needs(needs: Benchmark) -> JudgedNeeds:
    """Return the demo's needs with their grades, for the gate."""
    grades = read_judgements(DATA / "demo_needs" / "qrels.tsv")
    known = [
        (features, _row(needs, grades[query.id])) for query, features in needs.text_features() if query.id in grades
    ]
    return JudgedNeeds(
        np.stack([features for features, _ in known]).astype(np.float32), np.stack([row for _, row in known])
    )


def first_ranker(text_weights: NDArray[np.float64], intercept: float) -> CarefulLogit:
    """Return fitted text weights, of shape ``(n_text_features,)``, with `PRIORS` for the circumstances."""
    start = np.concatenate([text_weights, [PRIORS[name] for name in FIT_FEATURES]])
    centre = np.array([CENTRE[name] for name in FEATURES])
    learner = CarefulLogit(start, centre, np.ones(len(FEATURES), dtype=bool))
    learner.classes_ = np.array([0, 1])
    learner.coef_, learner.intercept_ = start, intercept
    return learner


def doubt_below(needs: Benchmark) -> float:
    """Return the likeness that nearly every real request reaches with somebody.

    Notes
    -----
    Requests about knitting or roses stay below it, nineteen of twenty real ones reach it. A threshold, no
    probability: "nobody fits" is said as doubt, and the nearest are shown all the same.
    """
    pairs = zip(needs.queries, needs.query_vectors, strict=True)
    nearest = [needs.index.compare(query.text, vector).whole.max() for query, vector in pairs]
    return float(np.percentile(nearest, DOUBT_PERCENTILE))


def table(metrics: Mapping[str, Mapping[str, float]]) -> str:
    """Return nDCG@10 by source as a Markdown table."""
    columns = ("ranker", "low", "high", *TEXT_FEATURES)
    lines = ["| left out of the fit | " + " | ".join(columns) + " |", "|---" * (len(columns) + 1) + "|"]
    for name, row in metrics.items():
        lines.append(f"| {name} | " + " | ".join(f"{row[column]:.3f}" for column in columns) + " |")
    return "\n".join(lines)


def _judged(
    folder: Path, source: Source, encoder: Encoder, progress: Progress | None, known_needs: KnownNeeds | None
) -> list[Judged]:
    benchmark = prepare(folder / source.folder, encoder, source.candidates, progress, known_needs)
    grades = read_judgements(folder / source.folder / source.judgements)
    return [
        Judged(features.astype(np.float32), _row(benchmark, grades[query.id]))
        for query, features in benchmark.text_features()
        if query.id in grades
    ]


def _row(benchmark: Benchmark, grades: Mapping[str, int]) -> NDArray[np.float64]:
    return np.array([grades.get(candidate.id, 0) for candidate in benchmark.candidates], dtype=np.float64)


def _left_out(source: Source, judged: Mapping[Source, list[Judged]]) -> dict[str, float]:
    """Return nDCG@10 on one source of a fit on the other families, with its interval, beside each feature alone."""
    model = _fit([rows for other, rows in judged.items() if other.family != source.family])
    values = _ndcg(judged[source], model.coef_[0])
    low, high = interval(values)
    alone = {
        name: float(_ndcg(judged[source], np.eye(len(TEXT_FEATURES))[place]).mean())
        for place, name in enumerate(TEXT_FEATURES)
    }
    return {"ranker": float(values.mean()), "low": low, "high": high, **alone}


def _ndcg(rows: Sequence[Judged], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    found = []
    for row in rows:
        order = np.argsort(-(row.features @ weights), kind="stable")
        found.append(ndcg_at_k(row.grades[order]))
    return np.array(found)


def _fit(sources: Sequence[Sequence[Judged]]) -> LogisticRegression:
    """Fit the chance that a candidate is relevant, each source counting alike.

    Negatives are drawn evenly and weighted to their true number. Drawing only hard ones, picked by one of the features,
    turned that feature's weight negative: the choice itself was then what the model learnt.
    """
    rng = np.random.default_rng(SEED)
    features, labels, weights = [], [], []
    for rows in sources:
        for row in rows:
            relevant, other = np.flatnonzero(row.grades > 0), np.flatnonzero(row.grades == 0)
            drawn = rng.choice(other, min(NEGATIVES, len(other)), replace=False)
            features.append(row.features[np.concatenate([relevant, drawn])])
            labels.append(np.repeat([1, 0], [len(relevant), len(drawn)]))
            each = np.repeat([1.0, len(other) / len(drawn)], [len(relevant), len(drawn)])
            weights.append(each / (len(relevant) * len(rows)))
    model = LogisticRegression(C=1e4, max_iter=1000)
    # A common factor, so that the regulariser of scikit-learn, which counts rows, hardly bites.
    return model.fit(np.vstack(features), np.concatenate(labels), sample_weight=100 * np.concatenate(weights))
