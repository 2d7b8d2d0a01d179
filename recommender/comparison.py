"""How good orders are on logged slates, beside each other and beside plain ones: pure functions over arrays.

Feedback exists only for juniors who were shown, and whoever stood first was looked at most. So a slate says how well an
order puts the good ones *among those shown* first, and a choice far down counts for the many that nobody scrolled to.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, fields, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, log_expit

from recommender.labels import Labelled, examination

Floats = NDArray[np.float64]
Strings = NDArray[np.str_]
Scorer = Callable[[Labelled], Floats]
"""Labelled rows in, one number for each out: higher is better within a slate."""

CANDIDATE, IN_USE, FIRST, SIMILARITY, LOGGED, RANDOM = (
    "candidate",
    "in_use",
    "first_model",
    "similarity",
    "logged_order",
    "random_order",
)

HEAVIEST = 10.0
"""A choice at a place that hardly anybody looks at counts at most this often: rare luck must not decide."""

FIRST_PLACES = 3
"""What a senior sees at once."""

DRAWS = 1000
BINS = 10

LINE = ("ndcg", "low", "high", "difference", "difference_low", "difference_high")
"""A row of a table: nDCG with its interval, and the difference from the model in use with its own."""


@dataclass(frozen=True)
class Exposure:
    """Who stands first under one order.

    `gini` is 0 where everybody shown stands first alike often, near 1 where it is always the same few. `lorenz` holds
    points (share of juniors, share of first places). `groups` is the share of first places of each group, and `shown`
    the share that the group has of the slates.
    """

    gini: float
    lorenz: list[tuple[float, float]]
    groups: dict[str, float] = field(default_factory=dict)
    shown: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Comparison:
    """Orders beside each other on the same slates.

    `slates` have somebody good on them; `silent` ones say nothing about an order. `table` has the numbers of `LINE` for
    each order. `chances` has log-loss, Brier score and ECE of those whose score is a chance, `reliability` the bins.
    """

    slates: int
    silent: int
    seniors: int
    table: dict[str, dict[str, float]]
    languages: dict[str, dict[str, dict[str, float]]]
    language_slates: dict[str, int]
    chances: dict[str, dict[str, float]]
    reliability: dict[str, list[dict[str, float]]]
    exposure: dict[str, Exposure]


@dataclass(frozen=True)
class Step:
    """One point of a learning curve: nDCG after training on a share of the seniors, as mean and ends over the seeds."""

    share: float
    seniors: int
    slates: int
    mean: float
    low: float
    high: float


def compare(
    scorers: Mapping[str, Scorer],
    labelled: Labelled,
    seed: int,
    *,
    looked_at: Floats | None = None,
    chances: Collection[str] = (),
    juniors: Strings | None = None,
    groups: Mapping[str, NDArray[np.bool_]] | None = None,
) -> Comparison:
    """Measure each order on the same slates; `IN_USE` must be among them.

    Parameters
    ----------
    scorers : mapping of str to Scorer
        Orders by name.
    labelled : Labelled
        Rows that none of them was fitted on.
    seed : int
        Of the bootstrap.
    looked_at : ndarray of shape (n_ranks,), optional
        Relative chance that each rank is looked at; estimated from these rows where it isn't given.
    chances : collection of str
        Names whose score is the log-odds of acceptance.
    juniors : ndarray of str, shape (n,), optional
        Who each row is about, for exposure.
    groups : mapping of str to ndarray of bool, shape (n,), optional
        Rows of each group of juniors. No feature: only looked at here.

    Notes
    -----
    Slates of one senior are no independent witnesses, so the bootstrap draws seniors with all their slates. Every draw
    is used for all orders, which makes the differences paired.
    """
    seen = looks(labelled, looked_at)
    scores = {name: np.asarray(scorer(labelled), dtype=np.float64) for name, scorer in scorers.items()}
    grid = _Grid(labelled.slate)
    weights, telling = _slate_weights(grid, labelled.grade, seen)
    values = {name: _ndcg(grid, each, labelled.grade)[telling] for name, each in scores.items()}
    seniors, languages = labelled.senior[grid.first][telling], labelled.language[grid.first][telling]
    weights = weights[telling]
    table, by_language = _table(values, weights, seniors, seed), {}
    for language in sorted(set(languages.tolist())):
        here = languages == language
        of_language = {name: each[here] for name, each in values.items()}
        by_language[language] = _table(of_language, weights[here], seniors[here], seed)
    likely = {name: scores[name] for name in chances}
    return Comparison(
        slates=int(telling.sum()),
        silent=int((~telling).sum()),
        seniors=len(set(seniors.tolist())),
        table=table,
        languages=by_language,
        language_slates={name: int((languages == name).sum()) for name in by_language},
        chances={name: accuracy(each, labelled.accepted, seen) for name, each in likely.items()},
        reliability={name: reliability(each, labelled.accepted, seen) for name, each in likely.items()},
        exposure={}
        if juniors is None
        else {name: _exposure(grid, each, juniors, groups or {}) for name, each in scores.items()},
    )


def plain_orders() -> dict[str, Scorer]:
    """Return the orders that need no model: the one that was shown, and none at all (the mean over all orders)."""
    return {LOGGED: lambda rows: -rows.rank.astype(np.float64), RANDOM: lambda rows: np.zeros(len(rows.rank))}


def take(labelled: Labelled, rows: NDArray[np.bool_] | NDArray[np.intp]) -> Labelled:
    """Return some of the rows."""
    return replace(labelled, **{each.name: getattr(labelled, each.name)[rows] for each in fields(labelled)})


def looks(labelled: Labelled, looked_at: Floats | None = None) -> Floats:
    """Return the chance that each row was looked at, relative to the first rank, shape ``(n,)``."""
    by_rank = examination(labelled) if looked_at is None else looked_at
    chance: Floats = np.clip(by_rank[np.minimum(labelled.rank, len(by_rank)) - 1], 1 / HEAVIEST, 1)
    return chance


def mean_ndcg(scores: Floats, labelled: Labelled, seen: Floats) -> float:
    """Return the nDCG of one order, `seen` being what `looks` returns; ``nan`` if no slate has somebody good."""
    grid = _Grid(labelled.slate)
    weights, telling = _slate_weights(grid, labelled.grade, seen)
    if not telling.any():
        return float("nan")
    return float(np.average(_ndcg(grid, scores, labelled.grade)[telling], weights=weights[telling]))


def accuracy(scores: Floats, accepted: NDArray[np.int64], seen: Floats) -> dict[str, float]:
    """Return log-loss, Brier score and expected calibration error of scores that are log-odds.

    Notes
    -----
    An acceptance at a place that one of four looks at stands for four. That makes the sums unbiased (Saito et al.,
    2020): with ``r = accepted / seen``, the loss is ``r * loss(1) + (1 - r) * loss(0)``, also where ``r`` is above 1.
    """
    likely, real = expit(scores), accepted / seen
    log_loss = -(real * log_expit(scores) + (1 - real) * log_expit(-scores)).mean()
    brier = (likely**2 + real * (1 - 2 * likely)).mean()
    bins = reliability(scores, accepted, seen)
    ece = sum(each["rows"] * abs(each["foretold"] - each["found"]) for each in bins) / len(scores)
    return {"log_loss": float(log_loss), "brier": float(brier), "ece": float(ece)}


def reliability(scores: Floats, accepted: NDArray[np.int64], seen: Floats) -> list[dict[str, float]]:
    """Return, for each tenth of the chances that has rows, how much was foretold and how much was found."""
    likely, real = expit(scores), accepted / seen
    place = np.minimum((likely * BINS).astype(int), BINS - 1)
    return [
        {
            "from": each / BINS,
            "to": (each + 1) / BINS,
            "rows": int((place == each).sum()),
            "foretold": float(likely[place == each].mean()),
            "found": float(real[place == each].mean()),
        }
        for each in np.unique(place).tolist()
    ]


def learning_curve(
    fit: Callable[[Labelled, int], Scorer],
    training: Labelled,
    held_out: Labelled,
    looked_at: Floats,
    seed: int,
    shares: tuple[float, ...] = (0.1, 0.2, 0.4, 0.6, 0.8, 1.0),
    seeds: int = 3,
) -> list[Step]:
    """Return how good the order gets with more seniors to learn from; a share too small to fit is left out.

    Parameters
    ----------
    fit : callable
        Rows and a seed in, an order out. May raise ValueError where there is nothing to fit.
    training, held_out : Labelled
        Rows to fit on, and to measure on.
    looked_at : ndarray of shape (n_ranks,)
        Relative chance that each rank is looked at.
    seed : int
        Of the draws of seniors.
    shares : tuple of float
        In (0, 1].
    seeds : int
        Draws of seniors at each share.
    """
    people, seen, steps = np.unique(training.senior), looks(held_out, looked_at), []
    for share in shares:
        number, found, slates = max(1, round(share * len(people))), [], 0
        for again in range(seeds if share < 1 else 1):
            chosen = np.random.default_rng([seed, again]).permutation(people)[:number]
            rows = take(training, np.isin(training.senior, chosen))
            if len(set(rows.accepted.tolist())) > 1:
                found.append(mean_ndcg(fit(rows, seed + again)(held_out), held_out, seen))
                slates = len(set(rows.slate.tolist()))
        if found:
            steps.append(Step(share, number, slates, float(np.mean(found)), min(found), max(found)))
    return steps


def gini(counts: Floats) -> float:
    """Return how unequal counts are: 0 where all are alike, near 1 where one has everything.

    Examples
    --------
    >>> gini(np.array([1.0, 1.0, 1.0])), gini(np.array([0.0, 0.0, 3.0])).__round__(3)
    (0.0, 0.667)
    """
    ordered, number = np.sort(counts), len(counts)
    if not number or not ordered.sum() > 0:
        return 0.0
    return float(np.sum((2 * np.arange(1, number + 1) - number - 1) * ordered) / (number * ordered.sum()))


class _Grid:
    """Rows of slates as a matrix, one slate a line; what a shorter slate lacks is `missing`."""

    def __init__(self, slate: Strings) -> None:
        _, self.first, line = np.unique(slate, return_index=True, return_inverse=True)
        order = np.argsort(line, kind="stable")
        starts = np.searchsorted(line[order], np.arange(len(self.first)))
        column = np.empty(len(slate), dtype=np.intp)
        column[order] = np.arange(len(slate)) - starts[line[order]]
        self.places = (line, column)
        self.shape = (len(self.first), int(column.max(initial=0)) + 1)

    def of(self, values: Floats, missing: float) -> Floats:
        """Return one value a row as a matrix."""
        matrix = np.full(self.shape, missing)
        matrix[self.places] = values
        return matrix


def _expected(by_place: Floats, scores: Floats) -> Floats:
    """Return what each is expected to get of what the places give, ties being broken by chance; shape of `scores`."""
    ahead = (scores[:, None, :] > scores[:, :, None]).sum(axis=2)
    alike = (scores[:, None, :] == scores[:, :, None]).sum(axis=2)
    summed = np.append(0.0, np.cumsum(by_place))
    got: Floats = (summed[ahead + alike] - summed[ahead]) / alike
    return got


def _ndcg(grid: _Grid, scores: Floats, grade: Floats) -> Floats:
    """Return one value a slate; ``nan`` where nobody is good."""
    grades = grid.of(grade, 0.0)
    discounts = 1 / np.log2(np.arange(2, grid.shape[1] + 2))
    ideal = np.sort(grades, axis=1)[:, ::-1] @ discounts
    gained = (_expected(discounts, grid.of(scores, -np.inf)) * grades).sum(axis=1)
    share: Floats = np.divide(gained, ideal, out=np.full(len(ideal), np.nan), where=ideal > 0)
    return share


def _slate_weights(grid: _Grid, grade: Floats, seen: Floats) -> tuple[Floats, NDArray[np.bool_]]:
    """Return how much each slate counts, and whether anybody on it is good."""
    grades = grid.of(grade, 0.0)
    best = grades.argmax(axis=1)
    lines = np.arange(len(grades))
    return 1 / grid.of(seen, 1.0)[lines, best], grades[lines, best] > 0


def _table(values: Mapping[str, Floats], weights: Floats, seniors: Strings, seed: int) -> dict[str, dict[str, float]]:
    if not len(weights):
        return {}
    people, place = np.unique(seniors, return_inverse=True)
    each = np.column_stack(list(values.values()))
    total = np.zeros((len(people), each.shape[1]))
    np.add.at(total, place, each * weights[:, None])
    weight = np.bincount(place, weights)
    rng = np.random.default_rng(seed)
    drawn = rng.multinomial(len(people), np.full(len(people), 1 / len(people)), size=DRAWS).astype(np.float64)
    means = total.sum(axis=0) / weight.sum()
    draws = (drawn @ total) / (drawn @ weight)[:, None]
    used = list(values).index(IN_USE)
    low, high = np.percentile(draws, [2.5, 97.5], axis=0)
    less, more = np.percentile(draws - draws[:, [used]], [2.5, 97.5], axis=0)
    columns = (means, low, high, means - means[used], less, more)
    return {
        name: {key: float(column[number]) for key, column in zip(LINE, columns, strict=True)}
        for number, name in enumerate(values)
    }


def _exposure(grid: _Grid, scores: Floats, juniors: Strings, groups: Mapping[str, NDArray[np.bool_]]) -> Exposure:
    by_place = (np.arange(grid.shape[1]) < FIRST_PLACES).astype(np.float64)
    first = _expected(by_place, grid.of(scores, -np.inf))[grid.places]
    counts = np.bincount(np.unique(juniors, return_inverse=True)[1], first).astype(np.float64)
    shares = np.append(0.0, np.cumsum(np.sort(counts)) / max(counts.sum(), 1e-12))
    at = np.linspace(0, 1, 21)
    lorenz = np.interp(at, np.linspace(0, 1, len(shares)), shares)
    return Exposure(
        gini=gini(counts),
        lorenz=[(round(float(x), 4), round(float(y), 4)) for x, y in zip(at, lorenz, strict=True)],
        groups={name: float(first[rows].sum() / first.sum()) for name, rows in groups.items()},
        shown={name: float(rows.mean()) for name, rows in groups.items()},
    )
