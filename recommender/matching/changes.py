"""What can be changed about a matching, one thing at a time, and what it costs to force a pair."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np

from recommender.errors import InputRefused
from recommender.matching.problem import Aim, Problem
from recommender.matching.scenarios import Difference, differences, in_numbers
from recommender.matching.solver import Solution, solve


class Kind(StrEnum):
    """A kind of change, in the order of preference."""

    ONE_MORE_PLACE = "one_more_place"
    LOWER_MINIMUM = "lower_minimum"
    DROP_WISH = "drop_wish"
    ADD_LANGUAGE = "add_language"
    SWITCH_RULE = "switch_rule"


ORDER = tuple(Kind)
GIVEN_UP = (Kind.DROP_WISH, Kind.ADD_LANGUAGE, Kind.SWITCH_RULE)
"""The kinds that open edges."""


@dataclass(frozen=True)
class Relaxed:
    """An edge that would exist if one thing were given up: ``needs`` is its kind and name, as ("drop_wish", "site").

    Raises
    ------
    InputRefused
        When the kind is none of `GIVEN_UP`.
    """

    senior: int
    junior: int
    quality: float
    needs: tuple[str, str]

    def __post_init__(self) -> None:
        if self.needs[0] not in GIVEN_UP:
            raise InputRefused("matching_need", value=self.needs[0], wanted=", ".join(GIVEN_UP))


@dataclass(frozen=True)
class Change:
    """One thing to change for one person.

    Attributes
    ----------
    kind : Kind
    senior : int or None
        Whom it is for; None for a place that a `Repair` asks for, which is for whoever fits best.
    junior : int or None
        Who gets one more place; else the junior the senior could get by it.
    quality : float
        The highest quality the change makes possible for the senior; NaN where the place helps them through others,
        or in a repair.
    value : str
        The name of the wish, language or rule.
    minimum : float
        The quality the minimum is lowered to, for this senior alone.
    opens : tuple of (junior, quality)
        The edges the senior gets by giving up a wish, adding a language, or an exception to a rule.
    """

    kind: Kind
    senior: int | None
    junior: int | None
    quality: float = float("nan")
    value: str = ""
    minimum: float = 0.0
    opens: tuple[tuple[int, float], ...] = ()

    @property
    def whom(self) -> int:
        """The senior, of a change that always has one."""
        if self.senior is None:
            raise ValueError(f"{self.kind} without a senior")
        return self.senior


@dataclass(frozen=True)
class OverLocked:
    """A junior with more locked pairs than places."""

    junior: int
    places: int
    seniors: tuple[int, ...]


@dataclass(frozen=True)
class Forcing:
    """What it costs to force a pair.

    Attributes
    ----------
    matched_lost : int
        How many people fewer are matched.
    lost : float
        How much the objective falls.
    moved : tuple of Difference
        Everybody else whose junior changes: `first` as it was, `second` as it would be.
    over_locked : OverLocked or None
        Why it isn't possible: all places of the junior are locked to others. The rest is 0 and empty then.
    """

    senior: int
    junior: int
    quality: float
    matched_lost: int = 0
    lost: float = 0.0
    moved: tuple[Difference, ...] = ()
    over_locked: OverLocked | None = None


def over_locked(problem: Problem) -> tuple[OverLocked, ...]:
    """Return the juniors with more locked pairs than places; `solve` refuses a problem that has any."""
    return tuple(
        OverLocked(
            int(junior),
            int(problem.capacity[junior]),
            tuple(int(each) for each in np.flatnonzero(problem.locked_junior == junior)),
        )
        for junior in np.flatnonzero(problem.places < 0)
    )


def cost_of_forcing(problem: Problem, aim: Aim, senior: int, junior: int, solution: Solution) -> Forcing:
    """Return what changes when a pair is locked and the rest is solved again.

    Parameters
    ----------
    problem : Problem
    aim : Aim
    senior, junior : int
        The pair; it takes the place of a locked pair of this senior.
    solution : Solution
        Of the problem as it is, for this aim.

    Returns
    -------
    Forcing
        Of equally good matchings the one nearest to `solution`, so that nobody moves without need.
    """
    others = tuple(pair for pair in problem.locked if pair[0] != senior)
    forced = replace(problem, locked=(*others, (senior, junior)))
    quality = float(problem.quality_of([senior], [junior])[0])
    over = over_locked(forced)
    if over:
        return Forcing(senior, junior, quality, over_locked=over[0])
    after = solve(forced, aim, keep=solution)
    moved = differences(in_numbers(problem, solution), in_numbers(forced, after))
    return Forcing(
        senior,
        junior,
        quality,
        matched_lost=solution.matched - after.matched,
        lost=solution.objective - after.objective,
        moved=tuple(each for each in moved if each.senior != senior),
    )


def apply(problem: Problem, *changes: Change) -> Problem:
    """Return the problem with changes made."""
    for change in changes:
        if change.kind is Kind.ONE_MORE_PLACE:
            more = np.arange(len(problem.juniors)) == change.junior
            problem = replace(problem, capacity=problem.capacity + more, room=np.maximum(problem.room - more, 0))
        elif change.kind is Kind.LOWER_MINIMUM:
            problem = replace(problem, lowered=(*problem.lowered, (change.whom, change.minimum)))
        else:
            juniors, qualities = zip(*change.opens, strict=True)
            more_edges = problem.edges.with_more([change.whom] * len(juniors), juniors, qualities)
            problem = replace(problem, edges=more_edges)
    return problem


def grouped(problem: Problem, relaxations: Sequence[Relaxed]) -> list[Change]:
    """Return one change for each senior and thing to give up, with all edges it opens.

    Raises
    ------
    InputRefused
        When an edge names nobody, or its quality is not in [0, 1].
    """
    edges = [(each.senior, each.junior, each.quality) for each in relaxations]
    if edges:
        replace(problem, edges=problem.edges.with_more(*zip(*edges, strict=True)))  # refuses what can't be
    opens: dict[tuple[int, str, str], list[tuple[int, float]]] = {}
    for each in relaxations:
        opens.setdefault((each.senior, *each.needs), []).append((each.junior, each.quality))
    return [
        Change(Kind(kind), senior, None, value=value, opens=tuple(sorted(edges)))
        for (senior, kind, value), edges in opens.items()
    ]
