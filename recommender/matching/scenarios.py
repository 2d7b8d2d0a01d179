"""The three aims side by side, and what differs between two of them."""

from dataclasses import dataclass

import numpy as np

from recommender.matching.problem import Aim, Floats, Problem
from recommender.matching.solver import Solution, solve


@dataclass(frozen=True, eq=False)
class Scenario:
    """One aim's matching in numbers.

    Attributes
    ----------
    matched : int
        Seniors with a junior.
    mean_quality, lowest_quality : float or None
        Over the pairs; None when there are none.
    largest_regret : float or None
        The most that a matched senior's quality is below their best usable one. Locked pairs don't count: no aim can
        change them.
    got_best : int
        Matched seniors who got their best usable quality, or better.
    most_places : int
        The most people one junior helps, places that were taken before included.
    juniors_used : int
        Juniors with at least one of these pairs.
    """

    aim: Aim
    solution: Solution
    matched: int
    mean_quality: float | None
    lowest_quality: float | None
    largest_regret: float | None
    got_best: int
    most_places: int
    juniors_used: int


@dataclass(frozen=True)
class Difference:
    """A senior whose junior differs between two scenarios.

    `cost` is the quality the second has less than the first, nobody counting as 0; below 0 the second is better.
    """

    senior: int
    first: int | None
    second: int | None
    first_quality: float
    second_quality: float

    @property
    def cost(self) -> float:
        """What the second scenario costs this senior."""
        return self.first_quality - self.second_quality


def side_by_side(problem: Problem, keep: Solution | None = None) -> tuple[Scenario, ...]:
    """Return the three aims, in the order of `Aim`.

    Of equally good matchings each aim takes the one nearest to `keep`, or else to that of the best fit, so that what
    differs is due to the aim.

    Raises
    ------
    InputRefused
        As `solve`.
    """
    best = solve(problem, Aim.BEST_FIT, keep=keep)
    others = (solve(problem, aim, keep=keep or best) for aim in Aim if aim is not Aim.BEST_FIT)
    return tuple(in_numbers(problem, each) for each in (best, *others))


def in_numbers(problem: Problem, solution: Solution) -> Scenario:
    """Return what a matching comes to."""
    quality = solution.quality
    regret = regrets(problem, solution)
    free = regret[~solution.locked]
    load = problem.taken + np.bincount(solution.junior, minlength=len(problem.juniors))
    used = np.unique(solution.junior)
    return Scenario(
        solution.aim,
        solution,
        matched=solution.matched,
        mean_quality=float(quality.mean()) if len(quality) else None,
        lowest_quality=float(quality.min()) if len(quality) else None,
        largest_regret=float(free.max()) if len(free) else None,
        got_best=int((regret <= 0).sum()),
        most_places=int(load[used].max()) if len(used) else 0,
        juniors_used=len(used),
    )


def regrets(problem: Problem, solution: Solution) -> Floats:
    """Return how far each pair is below the senior's best usable quality, shape ``(n_matched,)``.

    A senior with a locked pair and no usable edge can't have better, and has none.
    """
    best = problem.best[solution.senior]
    return np.where(np.isnan(best), 0.0, best - solution.quality)


def differences(first: Scenario, second: Scenario) -> tuple[Difference, ...]:
    """Return the seniors whose junior differs between two scenarios of one problem, the costliest first."""
    a, b = first.solution, second.solution
    found = [
        Difference(
            int(senior),
            first=_person(a.junior_of[senior]),
            second=_person(b.junior_of[senior]),
            first_quality=float(np.nan_to_num(a.quality_of[senior])),
            second_quality=float(np.nan_to_num(b.quality_of[senior])),
        )
        for senior in np.flatnonzero(a.junior_of != b.junior_of)
    ]
    return tuple(sorted(found, key=lambda each: (-each.cost, each.senior)))


def _person(place: np.int32) -> int | None:
    return int(place) if place >= 0 else None
