"""The best whole-group matching for an aim, proven optimal.

A matching with places is a flow: each senior sends one unit over an edge to a junior, and each junior passes on as many
as there are places. OR-tools finds the cheapest flow exactly in whole numbers; qualities are rounded to `GRID` for
that, which is all that can be lost (`Solution.gap`).
"""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from ortools.graph.python.max_flow import SimpleMaxFlow
from ortools.graph.python.min_cost_flow import SimpleMinCostFlow

from recommender.errors import InputRefused
from recommender.matching.problem import LONG_WAIT, Aim, Counts, Floats, Indices, Problem, frozen

GRID = 1e-6
"""Values are whole multiples of this inside the solver."""


@dataclass(frozen=True, eq=False)
class Solution:
    """A matching for one problem and aim; proven to be within `gap` of the best there is.

    Attributes
    ----------
    senior, junior : ndarray of shape (n_matched,)
        The pairs, locked ones included, as places in the ids of the problem, by senior.
    quality : ndarray of shape (n_matched,)
        Of each pair; 0 for a locked pair that is on no edge.
    locked : ndarray of shape (n_matched,)
        Whether the pair was locked.
    objective : float
        Quality plus what waiting adds minus what balance costs, over all pairs.
    gap : float
        How much larger the objective of the best matching can be at most; it comes from rounding to `GRID`. For the
        fairest, the largest regret may be this much off as well.
    n_seniors : int
        Of the problem.
    """

    aim: Aim
    senior: Indices
    junior: Indices
    quality: Floats
    locked: NDArray[np.bool_]
    objective: float
    gap: float
    n_seniors: int

    @property
    def matched(self) -> int:
        """How many seniors have a junior."""
        return len(self.senior)

    @property
    def total(self) -> float:
        """The sum of the qualities."""
        return float(self.quality.sum())

    @cached_property
    def junior_of(self) -> Indices:
        """The junior of each senior, shape ``(n_seniors,)``; -1 for nobody."""
        found = np.full(self.n_seniors, -1, dtype=np.int32)
        found[self.senior] = self.junior
        return frozen(found)

    @cached_property
    def quality_of(self) -> Floats:
        """The quality each senior got, shape ``(n_seniors,)``; NaN where there is no junior."""
        found = np.full(self.n_seniors, np.nan)
        found[self.senior] = self.quality
        return frozen(found)


@dataclass(frozen=True, eq=False)
class Free:
    """What is left to decide: edges of seniors who aren't locked, to juniors with places. Values count in `GRID`."""

    senior: Indices
    junior: Indices
    value: Counts
    regret: Counts
    kept: NDArray[np.bool_]
    places: Counts
    taken: Counts
    place_cost: int
    n_seniors: int

    def only(self, wanted: NDArray[np.bool_]) -> "Free":
        """Return the same with the edges at which `wanted` is true."""
        return replace(
            self,
            senior=self.senior[wanted],
            junior=self.junior[wanted],
            value=self.value[wanted],
            regret=self.regret[wanted],
            kept=self.kept[wanted],
        )


def solve(problem: Problem, aim: Aim, keep: Solution | None = None) -> Solution:
    """Return the best matching.

    Parameters
    ----------
    problem : Problem
    aim : Aim
        ``best_fit`` makes the sum over all pairs of quality plus waiting minus balance as large as possible, also
        where more people could be matched. ``most_matched`` matches as many as possible, and then the same.
        ``fairest`` matches as many as possible, then makes the largest regret as small as possible, then the same.
        The regret of a senior is their best usable quality minus the quality they got; a locked pair has none, since
        no matching could change it.
    keep : Solution, optional
        Of equally good matchings, the one that keeps most of these pairs.

    Returns
    -------
    Solution
        The same one each time: edges are laid out in a fixed order and the solver draws nothing, so ties are broken
        the same way whatever the order the edges were given in.

    Raises
    ------
    InputRefused
        ``locked_over_capacity`` when a junior has more locked pairs than places; `over_locked` tells who.
        ``matching_too_large`` when the numbers don't fit the solver's.

    Examples
    --------
    >>> from recommender.matching.problem import Edges
    >>> edges = Edges([0, 0, 1], [0, 1, 0], [0.9, 0.5, 0.8])
    >>> found = solve(Problem(("An", "Bo"), ("Kim", "Lee"), edges, [1, 1]), Aim.MOST_MATCHED)
    >>> found.junior_of.tolist(), found.total
    ([1, 0], 1.3)
    """
    over = np.flatnonzero(problem.places < 0)
    if len(over):
        junior = int(over[0])
        places = int(problem.capacity[junior])
        raise InputRefused(
            "locked_over_capacity",
            id=problem.juniors[junior],
            places=places,
            locked=places - int(problem.places[junior]),
        )
    free = _free(problem, keep)
    if aim is Aim.BEST_FIT:
        chosen = _cheapest_flow(free, everybody=False)
    elif aim is Aim.MOST_MATCHED:
        chosen = _cheapest_flow(free, everybody=True)
    else:
        fair = free.only(free.regret <= _smallest_regret(free))
        chosen = _cheapest_flow(fair, everybody=True)
        free = fair
    return _solution(problem, aim, free, chosen)


def most_that_can_be_matched(problem: Problem) -> int:
    """Return the largest number of seniors who can have a junior at once, locked ones included."""
    free = _free(problem, None)
    return len(problem.locked) + int(_most(free).sum())


def _free(problem: Problem, keep: Solution | None) -> Free:
    """Take out what is locked, below the minimum or full, and round the rest."""
    edges = problem.edges
    wanted = problem.usable & (problem.locked_junior[edges.senior] < 0) & (problem.places[edges.junior] > 0)
    senior, junior, quality = edges.senior[wanted], edges.junior[wanted], edges.quality[wanted]
    waited = np.minimum(problem.waiting / LONG_WAIT, 1.0) * problem.waiting_weight
    held = problem.locked_junior[problem.locked_junior >= 0]
    return Free(
        senior,
        junior,
        value=_rounded(quality + waited[senior]),
        regret=_rounded(problem.best[senior]) - _rounded(quality),
        kept=keep.junior_of[senior] == junior if keep else np.zeros(len(senior), dtype=np.bool_),
        places=problem.places,
        taken=problem.taken + np.bincount(held, minlength=len(problem.juniors)),
        place_cost=round(problem.balance_weight / GRID),
        n_seniors=len(problem.seniors),
    )


def _rounded(values: Floats) -> Counts:
    return np.rint(values / GRID).astype(np.int64)


def _cheapest_flow(free: Free, everybody: bool) -> NDArray[np.intp]:
    """Return the places of the edges in the best matching; `everybody`: of those with most people, else of all."""
    if not len(free.senior):
        return np.zeros(0, dtype=np.intp)
    seniors, senior = np.unique(free.senior, return_inverse=True)
    juniors, junior = np.unique(free.junior, return_inverse=True)
    n, m = len(seniors), len(juniors)
    # One unit of value outweighs everything `keep` can add up to.
    scale = n + 1 if free.kept.any() else 1
    place_junior, place_capacity, place_cost = _places(free, junior, juniors)
    sink = n + m
    tails = [senior, n + place_junior]
    heads = [n + junior, np.full(len(place_junior), sink)]
    capacities = [np.ones(len(senior)), place_capacity]
    costs = [-free.value * scale - free.kept, place_cost * scale]
    if not everybody:
        tails.append(np.arange(n))
        heads.append(np.full(n, sink))
        capacities.append(np.ones(n))
        costs.append(np.zeros(n))
    flow = SimpleMinCostFlow()
    arcs = flow.add_arcs_with_capacity_and_unit_cost(
        np.concatenate(tails).astype(np.int32),
        np.concatenate(heads).astype(np.int32),
        np.concatenate(capacities).astype(np.int64),
        np.concatenate(costs).astype(np.int64),
    )
    flow.set_nodes_supplies(np.r_[np.arange(n), sink].astype(np.int32), np.r_[np.ones(n), -n].astype(np.int64))
    status = flow.solve_max_flow_with_min_cost() if everybody else flow.solve()
    if status != flow.OPTIMAL:
        raise InputRefused("matching_too_large", seniors=n, edges=len(free.senior), status=status.name)
    return np.flatnonzero(flow.flows(arcs[: len(senior)]) > 0)


def _places(
    free: Free, junior: NDArray[np.intp], juniors: Indices
) -> tuple[NDArray[np.intp], Counts, NDArray[np.object_] | Counts]:
    """Return the arcs from juniors to the sink: junior, capacity, and cost of each.

    Costs of a junior's places rise, so the cheapest flow fills them in order and one arc a place is exact.
    """
    useful = np.minimum(free.places[juniors], np.bincount(junior, minlength=len(juniors)))
    if not free.place_cost:
        return np.arange(len(juniors)), useful, np.zeros(len(juniors), dtype=np.int64)
    owner = np.repeat(np.arange(len(juniors)), useful)
    nth = np.arange(len(owner)) - np.repeat(np.cumsum(useful) - useful, useful)
    return owner, np.ones(len(owner), dtype=np.int64), (free.taken[juniors][owner] + nth) * free.place_cost


def _smallest_regret(free: Free) -> int:
    """Return the smallest largest regret with which as many people can be matched as without a limit."""
    first = _most(free)
    if not first.any():
        return 0
    regrets = np.unique(free.regret)
    low, high = 0, int(np.searchsorted(regrets, free.regret[first].max()))
    while low < high:
        middle = (low + high) // 2
        part = free.only(free.regret <= regrets[middle])
        used = _most(part)
        if used.sum() == first.sum():
            high = int(np.searchsorted(regrets, part.regret[used].max()))
        else:
            low = middle + 1
    return int(regrets[high])


def _most(free: Free) -> NDArray[np.bool_]:
    """Return which edges are used, shape ``(n_edges,)``, when as many seniors as possible are matched."""
    if not len(free.senior):
        return np.zeros(0, dtype=np.bool_)
    n, m = free.n_seniors, len(free.places)
    source, sink = n + m, n + m + 1
    flow = SimpleMaxFlow()
    arcs = flow.add_arcs_with_capacity(
        np.r_[free.senior, np.full(n, source), n + np.arange(m)].astype(np.int32),
        np.r_[n + free.junior, np.arange(n), np.full(m, sink)].astype(np.int32),
        np.r_[np.ones(len(free.senior) + n), np.maximum(free.places, 0)].astype(np.int64),
    )
    status = flow.solve(source, sink)
    if status != flow.OPTIMAL:
        raise InputRefused("matching_too_large", seniors=n, edges=len(free.senior), status=status.name)
    used: NDArray[np.bool_] = flow.flows(arcs[: len(free.senior)]) > 0
    return used


def _solution(problem: Problem, aim: Aim, free: Free, chosen: NDArray[np.intp]) -> Solution:
    """Put the chosen and the locked pairs together."""
    held = np.asarray(problem.locked, dtype=np.int32).reshape(-1, 2)
    senior, junior = np.r_[held[:, 0], free.senior[chosen]], np.r_[held[:, 1], free.junior[chosen]]
    locked = np.arange(len(senior)) < len(held)
    order = np.argsort(senior, kind="stable")
    senior, junior, locked = senior[order], junior[order], locked[order]
    quality = problem.quality_of(senior, junior)
    could = min(len(problem.seniors) - len(held), int(np.maximum(problem.places, 0).sum()))
    return Solution(
        aim,
        senior=frozen(senior),
        junior=frozen(junior),
        quality=frozen(quality),
        locked=frozen(locked),
        objective=objective(problem, senior, junior),
        gap=GRID * could * (2 if problem.balance_weight else 1),
        n_seniors=len(problem.seniors),
    )


def objective(problem: Problem, senior: Indices, junior: Indices) -> float:
    """Return what pairs are worth: quality plus what waiting adds minus what balance costs."""
    waited = np.minimum(problem.waiting[senior] / LONG_WAIT, 1.0) * problem.waiting_weight
    new = np.bincount(junior, minlength=len(problem.juniors)).astype(np.float64)
    # The places taken + 1 .. taken + new of a junior cost taken .. taken + new - 1 times the weight.
    crowding = new * problem.taken + new * (new - 1) / 2
    return float((problem.quality_of(senior, junior) + waited).sum() - problem.balance_weight * crowding.sum())
