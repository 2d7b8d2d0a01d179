"""The fewest changes after which everybody is matched, proven to be the fewest.

The same flow as in `solver`, with every change as an arc that costs one: a place more, an edge below the minimum, an
edge behind something to give up. A senior uses one edge only, so no change is paid for twice. The cheapest flow that
serves everybody is the smallest repair.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from ortools.graph.python.min_cost_flow import SimpleMinCostFlow

from recommender.errors import InputRefused
from recommender.matching.changes import ORDER, Change, Kind, Relaxed, grouped
from recommender.matching.problem import Counts, Floats, Indices, Problem
from recommender.matching.solver import most_that_can_be_matched

MOST_COST = 2**61
FINEST = 10**6


@dataclass(frozen=True)
class Repair:
    """The fewest changes after which everybody has a junior.

    Attributes
    ----------
    changes : tuple of Change or None
        Empty when nothing is needed; None when no set of changes does it.
    at_least : int
        What counting alone proves: a change matches one person more at most, so there can't be fewer changes than
        people left over and locked pairs without a place. More can be needed, for somebody who needs an edge to a
        junior who is full. That `changes` are the fewest is proven by the solver.
    impossible : tuple of int
        Seniors who stay without a junior whatever is changed; where several people want the same last place, one of
        them is named.
    """

    changes: tuple[Change, ...] | None
    at_least: int
    impossible: tuple[int, ...] = ()


@dataclass(frozen=True, eq=False)
class _Arcs:
    """Edges as they are and as they could become, with what each needs."""

    senior: Indices
    junior: Indices
    quality: Floats
    changes: list[tuple[Change, ...]]


def smallest_repair(problem: Problem, relaxations: Sequence[Relaxed] = ()) -> Repair:
    """Return the fewest changes after which everybody has a junior.

    Parameters
    ----------
    problem : Problem
        Too many locked pairs for a junior are allowed here: each asks for a place more.
    relaxations : sequence of Relaxed
        Edges that would exist if one thing were given up.

    Notes
    -----
    Of equally few, those earlier in the order of `Kind` are taken, then those with the highest total quality. An edge
    that needs a wish dropped and is below the minimum as well counts as two.
    """
    over = np.maximum(-problem.places, 0)
    free = np.flatnonzero(problem.locked_junior < 0)
    at_least = int(over.sum()) + len(problem.seniors) - most_that_can_be_matched(problem)
    short = np.flatnonzero(over > problem.room)
    if len(short):
        locked = np.flatnonzero(np.isin(problem.locked_junior, short))
        return Repair(None, at_least, tuple(int(senior) for senior in locked))
    arcs = _arcs(problem, relaxations)
    used, places_more = _cheapest(problem, arcs, free, problem.room - over)
    unserved = np.setdiff1d(free, arcs.senior[used])
    if len(unserved):
        return Repair(None, at_least, tuple(int(senior) for senior in unserved))
    places = np.repeat(np.arange(len(problem.juniors)), over + places_more)
    more = [Change(Kind.ONE_MORE_PLACE, None, int(junior)) for junior in places]
    return Repair((*more, *(change for place in used for change in arcs.changes[place])), at_least)


def _arcs(problem: Problem, relaxations: Sequence[Relaxed]) -> _Arcs:
    edges = problem.edges
    changes: list[tuple[Change, ...]] = [()] * len(edges)
    for place in np.flatnonzero(~problem.usable):
        changes[place] = (_lowered(int(edges.senior[place]), int(edges.junior[place]), float(edges.quality[place])),)
    opened = [(change, junior, quality) for change in grouped(problem, relaxations) for junior, quality in change.opens]
    for change, junior, quality in opened:
        needed: tuple[Change, ...] = (replace(change, junior=junior, quality=quality),)
        if quality < problem.least[change.whom]:
            needed = (_lowered(change.whom, junior, quality), *needed)
        changes.append(needed)
    all_edges = (
        np.r_[edges.senior, [change.whom for change, _, _ in opened]].astype(np.int32),
        np.r_[edges.junior, [junior for _, junior, _ in opened]].astype(np.int32),
        np.r_[edges.quality, [quality for _, _, quality in opened]].astype(np.float64),
    )
    free = np.flatnonzero(problem.locked_junior[all_edges[0]] < 0)
    senior, junior, quality = (values[free] for values in all_edges)
    return _Arcs(senior, junior, quality, [changes[place] for place in free])


def _lowered(senior: int, junior: int, quality: float) -> Change:
    return Change(Kind.LOWER_MINIMUM, senior, junior, quality=quality, minimum=quality)


def _cheapest(problem: Problem, arcs: _Arcs, free: NDArray[np.intp], room: Counts) -> tuple[Counts, Counts]:
    """Return the places of the arcs that are used, and the places more for each junior, shape ``(n_juniors,)``."""
    n, m = len(problem.seniors), len(problem.juniors)
    sink = n + m
    # Lexicographic in one whole number: the number of changes, then their kinds, then quality.
    fineness = min(FINEST, MOST_COST // (3 * 6 * (n + 1) ** 2 * (n + m + 3)))
    kind_cost = n * fineness + 1
    change_cost = kind_cost * (len(ORDER) * n + 1)
    ranks = np.array([sum(ORDER.index(change.kind) for change in each) for each in arcs.changes], dtype=np.int64)
    counts = np.array([len(each) for each in arcs.changes], dtype=np.int64)
    costs = counts * change_cost + ranks * kind_cost - np.rint(arcs.quality * fineness).astype(np.int64)
    flow = SimpleMinCostFlow()
    added = flow.add_arcs_with_capacity_and_unit_cost(
        np.r_[arcs.senior, n + np.arange(m), n + np.arange(m)].astype(np.int32),
        np.r_[n + arcs.junior, np.full(2 * m, sink)].astype(np.int32),
        np.r_[np.ones(len(arcs.senior)), np.maximum(problem.places, 0), np.minimum(room, n)].astype(np.int64),
        np.r_[costs, np.zeros(m), np.full(m, change_cost)].astype(np.int64),
    )
    flow.set_nodes_supplies(np.r_[free, sink].astype(np.int32), np.r_[np.ones(len(free)), -len(free)].astype(np.int64))
    status = flow.solve_max_flow_with_min_cost()
    if status != flow.OPTIMAL:
        raise InputRefused("matching_too_large", seniors=n, edges=len(arcs.senior), status=status.name)
    flows = flow.flows(added)
    return np.flatnonzero(flows[: len(arcs.senior)] > 0), flows[len(arcs.senior) + m :].astype(np.int64)
