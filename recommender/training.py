"""From logged feedback to a ranker: hold seniors out, choose a learner on the others, fit, calibrate, compare.

Whoever stood first was looked at most, so a choice says where somebody stood as well as who they are. While fitting,
the rank has columns of its own, which take that part upon themselves and are dropped afterwards (the shallow tower of
Zhao et al., 2019): what is left is the score of somebody who stands first.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_expit
from threadpoolctl import threadpool_limits

from recommender.comparison import (
    CANDIDATE,
    FIRST,
    IN_USE,
    SIMILARITY,
    Comparison,
    Scorer,
    Step,
    compare,
    learning_curve,
    looks,
    mean_ndcg,
    plain_orders,
    take,
)
from recommender.errors import InputRefused
from recommender.features import FEATURES, TEXT_FEATURES
from recommender.labels import Labelled, examination, labelled
from recommender.learners import AdditiveTrees, CarefulLogit
from recommender.ranker import CENTRE, AdditiveRanker, similarity_only
from recommender.registry import Learner
from recommender.snapshot import Snapshot

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Debias = Literal["position", "ips", "none"]

HELD_OUT = 0.3
"""Share of seniors that no choice and no fit sees."""

FOLDS = 5

RANKS = np.arange(2, 10)
"""Ranks with a column of their own while fitting, beside the first; whatever comes after shares the last one's."""

ENOUGH_SLATES, ENOUGH_SENIORS, ENOUGH_HELD_OUT = 40, 10, 3
"""Slates with somebody accepted, seniors who accepted somebody, and how many of those are held out, at the least."""

RANK_STRENGTH = 1.0

STRENGTHS = (1.0, 4.0, 16.0, 64.0, 256.0)
"""How dear it may be to leave the weights of the model in use."""

SLATE_REACH = 4.0
"""Standard deviations above the mean up to which texts on a slate lie; trees are flat below what they have seen."""

LEAVES = (40.0,)
"""Rows that each step of a tree must stand on."""

FLATTEST = 0.05
"""The least slope of the calibration: at 0 everybody would be alike, and below it the order would turn round."""


class Progress(Protocol):
    """Is told what is done of the total, and the word after ``learn.step_`` for what is going on."""

    def __call__(self, done: int, total: int, step: str = "") -> object:
        """Take note."""


@dataclass(frozen=True)
class Recipe:
    """A learner with its one setting: the strength of `CarefulLogit`, the smallest leaf of `AdditiveTrees`."""

    learner: str
    setting: float


@dataclass(frozen=True)
class Tried:
    """A recipe and how it did on seniors left out of its fit, ranks being taken into account."""

    recipe: Recipe
    log_loss: float
    ndcg: float


@dataclass(frozen=True)
class Trained:
    """A ranker that was learnt, and how.

    `learner` has one column for each of `FEATURES`; its scores are log-odds. `comparison` and `curve` are on the
    seniors that were held out. `counts` has rows, slates and seniors of both parts; `looked_at` is the relative chance
    that each rank is looked at.
    """

    learner: Learner
    encoder: str
    parent: str
    seed: int
    debias: Debias
    tried: tuple[Tried, ...]
    slope: float
    counts: dict[str, int]
    looked_at: tuple[float, ...]
    comparison: Comparison
    curve: tuple[Step, ...]

    def ranker(self, model_id: str) -> AdditiveRanker:
        """Return it as a ranker of that name."""
        return _ranker(model_id, self.encoder, self.learner)


RECIPES = (*(Recipe("CarefulLogit", each) for each in STRENGTHS), *(Recipe("AdditiveTrees", each) for each in LEAVES))


def train(
    snapshot: Snapshot,
    in_use: AdditiveRanker,
    first: AdditiveRanker,
    seed: int = 7,
    progress: Progress | None = None,
    debias: Debias = "position",
) -> Trained:
    """Learn a ranker from a snapshot; the same snapshot, models and seed give the same ranker.

    Parameters
    ----------
    snapshot : Snapshot
        Logged feedback.
    in_use : AdditiveRanker
        The ranker to start from and to beat.
    first : AdditiveRanker
        The ranker of the first day, to compare with.
    seed : int
        Decides who is held out, the folds, and every draw.
    progress : Progress, optional
        Is told how far it is.
    debias : {"position", "ips", "none"}
        What is done about ranks: columns of their own, more weight to choices far down, or nothing.

    Raises
    ------
    InputRefused
        If there is too little feedback to learn from.
    """
    report, total = progress or _silent, len(RECIPES) + 3
    rows = labelled(snapshot)
    aside = held_out(rows.senior, seed)
    check_enough(rows, aside)
    training, testing = take(rows, ~aside), take(rows, aside)
    fitter = Fitter(in_use, examination(training), debias)
    left_out: list[tuple[Tried, Floats]] = []
    for recipe in RECIPES:
        report(len(left_out), total, "choosing")
        left_out.append(fitter.left_out(recipe, training, seed))
    best = min(range(len(RECIPES)), key=lambda each: left_out[each][0].log_loss)
    report(len(RECIPES), total, "fitting")
    slope, shift = fitter.calibration(left_out[best][1], training)
    learner = fitter.fit(RECIPES[best], training, seed).scaled(slope, shift)
    report(len(RECIPES) + 1, total, "learning_curve")
    curve = learning_curve(
        lambda part, other: _scorer(fitter.fit(RECIPES[best], part, other)), training, testing, fitter.looked_at, seed
    )
    report(len(RECIPES) + 2, total, "comparing")
    found = measure(snapshot, _ranker("", in_use.encoder, learner), in_use, first, seed)
    report(total, total, "comparing")
    return Trained(
        learner=learner,
        encoder=in_use.encoder,
        parent=in_use.id,
        seed=seed,
        debias=debias,
        tried=tuple(each for each, _ in left_out),
        slope=slope,
        counts={**_counts("trained", training), **_counts("held_out", testing)},
        looked_at=tuple(fitter.looked_at.tolist()),
        comparison=found,
        curve=tuple(curve),
    )


def measure(
    snapshot: Snapshot, candidate: AdditiveRanker, in_use: AdditiveRanker, first: AdditiveRanker, seed: int
) -> Comparison:
    """Compare a ranker with the one in use and with plain orders, on the seniors that `seed` holds out."""
    rows = labelled(snapshot)
    aside = held_out(rows.senior, seed)
    testing = take(rows, aside)
    rankers = {CANDIDATE: candidate, IN_USE: in_use, FIRST: first, SIMILARITY: similarity_only()}
    juniors, groups = who(snapshot, testing)
    return compare(
        {name: _scorer(each) for name, each in rankers.items()} | plain_orders(),
        testing,
        seed,
        looked_at=examination(rows),
        chances=[name for name, each in rankers.items() if each.calibrated],
        juniors=juniors,
        groups=groups,
    )


def held_out(seniors: NDArray[np.str_], seed: int) -> Bools:
    """Tell which rows are of a senior who is held out, shape ``(n,)``; a senior keeps their side in later snapshots."""
    return np.array([_draw(f"{seed}:{each}") < HELD_OUT for each in seniors.tolist()], dtype=bool)


def check_enough(rows: Labelled, aside: Bools) -> None:
    """Refuse to learn from next to nothing.

    Raises
    ------
    InputRefused
        If there are too few slates with somebody accepted, or too few seniors who accepted.
    """
    accepted = rows.accepted > 0
    slates, seniors = len(set(rows.slate[accepted].tolist())), len(set(rows.senior[accepted].tolist()))
    tested = len(set(rows.senior[accepted & aside].tolist()))
    if slates < ENOUGH_SLATES or seniors < ENOUGH_SENIORS or tested < ENOUGH_HELD_OUT:
        raise InputRefused(
            "too_little_feedback",
            slates=slates,
            needed_slates=ENOUGH_SLATES,
            seniors=seniors,
            needed_seniors=ENOUGH_SENIORS,
        )


class Fitter:
    """Fits a recipe around the weights of the model in use, with ranks taken into account in one of three ways."""

    def __init__(self, in_use: AdditiveRanker, looked_at: Floats, debias: Debias) -> None:
        self.looked_at, self._debias = looked_at, debias
        extra = len(RANKS) if debias == "position" else 0
        self._start = [_slope(in_use, name) for name in FEATURES]
        self._centre, self._extra = [CENTRE[name] for name in FEATURES], extra

    def fit(self, recipe: Recipe, rows: Labelled, seed: int) -> Learner:
        """Return a learner of `FEATURES`; its scores are those of somebody who stands first."""
        return self._with_ranks(recipe, rows, seed).without(self._extra)

    def left_out(self, recipe: Recipe, rows: Labelled, seed: int) -> tuple[Tried, Floats]:
        """Return how a recipe does on seniors left out of its fit, and the scores they got."""
        scores, log_odds = np.zeros(len(rows.rank)), np.zeros(len(rows.rank))
        for left in folds(rows.senior, seed):
            learner = self._with_ranks(recipe, take(rows, ~left), seed)
            log_odds[left] = learner.decision_function(self._columns(rows.features[left], rows.rank[left]))
            scores[left] = learner.without(self._extra).decision_function(rows.features[left])
        signs = 2.0 * rows.accepted - 1.0
        loss = float(np.average(-log_expit(signs * log_odds), weights=self._weights(rows)))
        return Tried(recipe, loss, mean_ndcg(scores, rows, looks(rows, self.looked_at))), scores

    def calibration(self, scores: Floats, rows: Labelled) -> tuple[float, float]:
        """Return slope and shift that turn scores of rows left out of their fit into log-odds of acceptance."""
        columns = self._columns(scores[:, None], rows.rank)
        extra = np.zeros(self._extra)
        start, monotone = np.append(1.0, extra), np.append(True, extra > 0)
        platt = CarefulLogit(start, np.zeros(len(start)), monotone, RANK_STRENGTH)
        platt.fit(columns, rows.accepted, self._weights(rows))
        return max(float(platt.coef_[0]), FLATTEST), platt.intercept_

    def _with_ranks(self, recipe: Recipe, rows: Labelled, seed: int) -> Learner:
        extra = [0.0] * self._extra
        centre = np.array([*self._centre, *extra])
        monotone = np.array([True] * len(FEATURES) + [False] * self._extra)
        learner: Learner
        if recipe.learner == "CarefulLogit":
            # Nothing is known of ranks beforehand: they are held back little, however dear it is to leave the weights.
            strength = np.array([recipe.setting] * len(FEATURES) + [RANK_STRENGTH] * self._extra)
            learner = CarefulLogit(np.array([*self._start, *extra]), centre, monotone, strength)
        else:
            learner = AdditiveTrees(centre, monotone, min_samples_leaf=int(recipe.setting), seed=seed)
        # Where an app works on the same few cores, threads that wait for each other take many times as long as one.
        with threadpool_limits(1):
            return learner.fit(self._columns(rows.features, rows.rank), rows.accepted, self._weights(rows))

    def _columns(self, columns: Floats, rank: NDArray[np.int64]) -> Floats:
        if not self._extra:
            return columns
        return np.hstack([columns, np.minimum(rank, RANKS[-1])[:, None] == RANKS])

    def _weights(self, rows: Labelled) -> Floats:
        if self._debias != "ips":
            return rows.weight
        return np.where(rows.accepted > 0, rows.weight / looks(rows, self.looked_at), rows.weight)


def _slope(ranker: AdditiveRanker, name: str) -> float:
    """Return what a feature adds for each unit of its values, over the range that juniors on a slate have."""
    if name not in TEXT_FEATURES:
        return ranker.span(name)
    ends = ranker.curves[name](np.array([0.0, SLATE_REACH]))
    return float(ends[1] - ends[0]) / SLATE_REACH


def folds(seniors: NDArray[np.str_], seed: int) -> list[Bools]:
    """Return, for each fold, which rows are left out; all rows of a senior are in the same one."""
    people = sorted(set(seniors.tolist()), key=lambda each: _draw(f"fold:{seed}:{each}"))
    return [np.isin(seniors, people[number::FOLDS]) for number in range(FOLDS)]


def who(snapshot: Snapshot, rows: Labelled) -> tuple[NDArray[np.str_], Mapping[str, Bools]]:
    """Return whom each row is about, and the rows of each language that juniors speak: for exposure only."""
    about = snapshot.rows.set_index(["slate", "rank"]).loc[list(zip(rows.slate, rows.rank, strict=True))]
    languages = [name for name in about.columns if name.startswith("junior_language_")]
    return about["junior"].to_numpy(dtype=str), {name: about[name].to_numpy(dtype=bool) for name in languages}


def _scorer(ranker: AdditiveRanker | Learner) -> Scorer:
    if isinstance(ranker, AdditiveRanker):
        return lambda rows: ranker.score(rows.features)
    return lambda rows: ranker.decision_function(rows.features)


def _ranker(model_id: str, encoder: str, learner: Learner) -> AdditiveRanker:
    curves = dict(zip(FEATURES, learner.curves(), strict=True))
    return AdditiveRanker(model_id, encoder, learner.intercept_, curves, calibrated=True)


def _counts(part: str, rows: Labelled) -> dict[str, int]:
    each: Mapping[str, Sequence[str]] = {"slates": rows.slate.tolist(), "seniors": rows.senior.tolist()}
    return {f"{part}_rows": len(rows.rank), **{f"{part}_{name}": len(set(ids)) for name, ids in each.items()}}


def _draw(text: str) -> float:
    """Return a number in [0, 1) that depends on the text alone."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:7]) / 256**7


def _silent(done: int, total: int, step: str = "") -> None:
    """Tell nobody."""
