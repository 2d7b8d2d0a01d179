"""Why not: why somebody is left over, and the smallest change that would help them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from recommender.matching.changes import ORDER, Change, Kind, Relaxed, apply, grouped
from recommender.matching.problem import Aim, Indices, Problem
from recommender.matching.solver import Solution, solve


class Reason(StrEnum):
    """Why a senior has no junior."""

    NO_CANDIDATES = "no_candidates"
    BELOW_MINIMUM = "below_minimum"
    ALL_TAKEN = "all_taken"
    BY_AIM = "by_aim"
    """More people could be matched, this senior among them, but the aim was something else."""


@dataclass(frozen=True)
class LeftOver:
    """A senior without a junior, and what would help.

    Attributes
    ----------
    seniors, juniors, places
        When all are taken: these seniors can only go to these juniors, who have fewer places than that together.
        Locked pairs and their places don't count.
    change : Change or None
        The smallest change with which this senior is matched and everybody who was matched stays so; None when no
        single change does it, and for `Reason.BY_AIM`, which needs none.
    """

    senior: int
    reason: Reason
    seniors: tuple[int, ...] = ()
    juniors: tuple[int, ...] = ()
    places: int = 0
    change: Change | None = None

    @property
    def nothing(self) -> bool:
        """Whether no single change would help."""
        return self.change is None and self.reason is not Reason.BY_AIM


def left_over(
    problem: Problem,
    solution: Solution,
    relaxations: Sequence[Relaxed] = (),
    only: Collection[int] | None = None,
) -> tuple[LeftOver, ...]:
    """Return why each senior without a junior has none, and the smallest change that would match them.

    Parameters
    ----------
    problem : Problem
    solution : Solution
        Of this problem.
    relaxations : sequence of Relaxed
        Edges that would exist if one thing were given up.
    only : collection of int, optional
        Seniors to answer for; everybody when left out. Each costs a solve or two.

    Notes
    -----
    A change is proposed only after it was made and the problem was solved again for everybody who was matched and this
    senior alone, and all of them had a junior. Changes of the kinds in `ORDER` are tried in that order, within a kind
    the highest quality first.
    """
    view = _View(problem, solution)
    wanted = [int(s) for s in np.flatnonzero(solution.junior_of < 0) if only is None or int(s) in only]
    of: dict[int, list[Change]] = {senior: [] for senior in wanted}
    for change in grouped(problem, relaxations):
        of.get(change.whom, []).append(change)
    return tuple(_one_left_over(view, senior, of[senior]) for senior in wanted)


@dataclass(frozen=True, eq=False)
class _View:
    """A solution with who could go where."""

    problem: Problem
    solution: Solution
    usable: list[list[int]] = field(init=False)
    """The juniors each senior has a usable edge to, the best first."""
    helped: list[list[int]] = field(init=False)
    """The seniors each junior helps in the solution, without locked ones."""
    open: NDArray[np.bool_] = field(init=False)
    """Whether one more senior could come to a junior, when others make room without anybody losing their place."""

    def __post_init__(self) -> None:
        problem, solution = self.problem, self.solution
        senior, junior = problem.edges.senior[problem.usable], problem.edges.junior[problem.usable]
        usable: list[list[int]] = [[] for _ in problem.seniors]
        for place in np.argsort(-problem.edges.quality[problem.usable], kind="stable"):
            usable[senior[place]].append(int(junior[place]))
        helped: list[list[int]] = [[] for _ in problem.juniors]
        for one, other in zip(solution.senior[~solution.locked], solution.junior[~solution.locked], strict=True):
            helped[other].append(int(one))
        is_open = _open(problem, solution, senior, junior)
        for name, value in (("usable", usable), ("helped", helped), ("open", is_open)):
            object.__setattr__(self, name, value)

    def bottleneck(self, senior: int) -> tuple[set[int], set[int]]:
        """Return the seniors and juniors an alternating path from a senior leads to: they can only go to each other."""
        seniors, juniors, waiting = {senior}, set[int](), [senior]
        while waiting:
            for junior in self.usable[waiting.pop()]:
                if junior not in juniors:
                    juniors.add(junior)
                    new = set(self.helped[junior]) - seniors
                    seniors |= new
                    waiting.extend(new)
        for other in np.flatnonzero(self.solution.junior_of < 0):
            if self.usable[other] and juniors.issuperset(self.usable[other]):
                seniors.add(int(other))
        return seniors, juniors

    def helps(self, senior: int, change: Change) -> bool:
        """Whether everybody who is matched, and this senior, have a junior once the change is made."""
        changed = apply(self.problem, change)
        concerned = self.solution.junior_of >= 0
        concerned[senior] = True
        alone = replace(changed, edges=changed.edges.only(concerned[changed.edges.senior]))
        return solve(alone, Aim.MOST_MATCHED).matched == self.solution.matched + 1


def _open(problem: Problem, solution: Solution, senior: Indices, junior: Indices) -> NDArray[np.bool_]:
    """Return which juniors an alternating path leads from to a free place, shape ``(n_juniors,)``."""
    load = np.bincount(solution.junior, minlength=len(problem.juniors))
    found: NDArray[np.bool_] = load < problem.capacity
    now = solution.junior_of.copy()
    now[problem.locked_junior >= 0] = -1
    movable = now[senior] >= 0
    here, there = now[senior[movable]], junior[movable]
    while True:
        more = found.copy()
        more[here[found[there]]] = True
        if (more == found).all():
            return found
        found = more


def _one_left_over(view: _View, senior: int, given_up: list[Change]) -> LeftOver:
    edges = view.problem.edges
    reason, seniors, juniors = Reason.ALL_TAKEN, set[int](), set[int]()
    if not (edges.senior == senior).any():
        reason = Reason.NO_CANDIDATES
    elif not view.usable[senior]:
        reason = Reason.BELOW_MINIMUM
    elif view.open[view.usable[senior]].any():
        return LeftOver(senior, Reason.BY_AIM)
    else:
        seniors, juniors = view.bottleneck(senior)
    change = next((each for each in _changes(view, senior, juniors, given_up) if view.helps(senior, each)), None)
    places = int(view.problem.places[list(juniors)].sum())
    return LeftOver(senior, reason, tuple(sorted(seniors)), tuple(sorted(juniors)), places, change)


def _changes(view: _View, senior: int, shared: set[int], given_up: list[Change]) -> list[Change]:
    """Return the single changes that could help, the most preferred first; each is verified before it is told."""
    problem = view.problem
    own = view.usable[senior]
    through_others = sorted(shared.difference(own))
    found = [
        Change(
            Kind.ONE_MORE_PLACE,
            senior,
            junior,
            quality=float(problem.quality_of([senior], [junior])[0]) if junior in own else float("nan"),
        )
        for junior in (*own, *through_others)
        if problem.room[junior] > 0
    ]
    mine = (problem.edges.senior == senior) & ~problem.usable
    below = [
        Change(Kind.LOWER_MINIMUM, senior, int(junior), quality=float(quality), minimum=float(quality))
        for junior, quality in zip(problem.edges.junior[mine], problem.edges.quality[mine], strict=True)
        if view.open[junior]
    ]
    opened = [
        replace(change, junior=best[0], quality=best[1])
        for change in given_up
        if (best := _best(view, change, float(problem.least[senior])))
    ]
    by_preference = sorted((*below, *opened), key=lambda c: (ORDER.index(c.kind), -c.quality, c.value, c.junior or 0))
    return [*found, *by_preference]


def _best(view: _View, change: Change, least: float) -> tuple[int, float] | None:
    """Return the best edge a change opens to a junior who can be had, at the minimum or above."""
    usable = [(junior, quality) for junior, quality in change.opens if quality >= least and view.open[junior]]
    return max(usable, key=lambda each: (each[1], -each[0]), default=None)
