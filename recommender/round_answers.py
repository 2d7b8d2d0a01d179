"""Why and why not, for a round: scenarios side by side, what would help who is left over, what forcing a pair costs."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np

from recommender.dialogue.brief import Brief, Wish
from recommender.domain import JuniorId, RoundId, Senior, SeniorId, Slate, Suggestion
from recommender.errors import InputRefused
from recommender.matching import (
    Aim,
    Change,
    Difference,
    Kind,
    LeftOver,
    Problem,
    Reason,
    Relaxed,
    Scenario,
    cost_of_forcing,
    differences,
    in_numbers,
    left_over,
    over_locked,
    side_by_side,
    solve,
)
from recommender.programme import ALWAYS_ON
from recommender.recommending import Recommender
from recommender.rounds import Rounds, quality_on
from recommender.store import Store
from recommender.store.rounds import DraftPair, Options

OPENED = 10
"""Candidates that are looked at behind each wish, language or rule."""


@dataclass(frozen=True)
class Moved:
    """Somebody whose junior differs between two drafts; `costs` is the quality the second has less."""

    senior_id: SeniorId
    first: JuniorId | None
    second: JuniorId | None
    costs: float


@dataclass(frozen=True)
class ScenarioNow:
    """One aim in numbers, with the pairs that differ from the draft as it stands, the costliest first."""

    aim: Aim
    numbers: Scenario
    differs: tuple[Moved, ...]


@dataclass(frozen=True)
class ChangeNow:
    """One thing to change. `junior_id` would help then; `wish` is the one to drop, `value` a language or rule."""

    kind: Kind
    junior_id: JuniorId | None
    quality: float
    value: str = ""
    wish: Wish | None = None


@dataclass(frozen=True)
class LeftOverNow:
    """Somebody without a junior: why, who share too few places with them, and the smallest change that would help."""

    senior_id: SeniorId
    reason: Reason
    seniors: tuple[SeniorId, ...]
    juniors: tuple[JuniorId, ...]
    places: int
    change: ChangeNow | None


@dataclass(frozen=True)
class Other:
    """Another candidate of a senior: how good, who holds them in the draft, and what they cost if they are full."""

    junior_id: JuniorId
    quality: float
    held_by: tuple[SeniorId, ...]


@dataclass(frozen=True)
class PairWhy:
    """Why two are in the draft together: the suggestion as it was made, and the best other candidates."""

    slate: Slate
    suggestion: Suggestion
    quality: float
    others: tuple[Other, ...]


@dataclass(frozen=True)
class ForcingNow:
    """What it costs the others to force a pair: people fewer, quality lost in all, and who moves."""

    quality: float
    people_lost: int
    lost: float
    moved: tuple[Moved, ...]
    possible: bool


class RoundAnswers:
    """Questions about a round; nothing here changes it.

    Parameters
    ----------
    store : Store
        The open database.
    recommender : Recommender
        What ranks.
    rounds : Rounds
        The rounds.
    clock : callable
        Gives the time.
    """

    def __init__(self, store: Store, recommender: Recommender, rounds: Rounds, clock: Callable[[], datetime]) -> None:
        self._store, self._recommender, self._rounds, self._clock = store, recommender, rounds, clock

    def scenarios(self, round_id: RoundId, options: Options | None = None) -> list[ScenarioNow]:
        """Return the three aims side by side, each with what differs from the draft.

        Empty where more pairs are locked with somebody than there are places: no aim can do that.
        """
        chosen = options or self._rounds.round(round_id).options
        problem = self._rounds.problem(round_id, chosen)
        if over_locked(problem):
            return []
        drafted = self._rounds.as_drafted(round_id, problem, chosen.aim)
        now = in_numbers(problem, drafted)
        return [
            ScenarioNow(each.solution.aim, each, tuple(_moved(problem, d) for d in differences(now, each)))
            for each in side_by_side(problem, keep=drafted)
        ]

    def left_over(self, round_id: RoundId, only: Collection[SeniorId] | None = None) -> list[LeftOverNow]:
        """Return why people are left over, and the smallest change that would give each somebody.

        Notes
        -----
        Each change was made and the matching solved again before it is told. For somebody with candidates, places and
        the minimum are looked at; for one without, each wish, language and rule that could be given up as well.
        """
        options = self._rounds.round(round_id).options
        problem = self._rounds.problem(round_id, options)
        drafted = self._rounds.as_drafted(round_id, problem, options.aim)
        wanted = {place for place, each in enumerate(problem.seniors) if only is None or each in only}
        bare = [place for place in wanted if drafted.junior_of[place] < 0 and np.isnan(problem.best[place])]
        if over_locked(problem):
            return []
        problem, relaxed, wishes = self._opened(round_id, problem, bare, options)
        drafted = self._rounds.as_drafted(round_id, problem, options.aim)
        return [_now(problem, each, wishes) for each in left_over(problem, drafted, relaxed, wanted)]

    def why(self, round_id: RoundId, senior_id: SeniorId) -> PairWhy:
        """Return what speaks for a senior's pair, and who else could help them."""
        pairs = self._store.rounds.pairs(round_id)
        mine = next((each for each in pairs if each.senior_id == senior_id), None)
        taker = next((each for each in self._store.rounds.takers(round_id) if each.senior_id == senior_id), None)
        if mine is None or taker is None:
            raise InputRefused("round_not_in_it", id=senior_id)
        slate = self._store.slates.slate(taker.slate_id)
        suggestion = next(each for each in slate.suggestions if each.junior_id == mine.junior_id)
        return PairWhy(slate, suggestion, mine.quality, self._others(round_id, slate, mine, pairs))

    def forcing(self, round_id: RoundId, senior_id: SeniorId, junior_id: JuniorId) -> ForcingNow:
        """Return what it would cost the others to put two together.

        Raises
        ------
        InputRefused
            If one of them has no part in this round.
        """
        options = self._rounds.round(round_id).options
        problem = self._rounds.problem(round_id, options)
        if senior_id not in problem.seniors or junior_id not in problem.juniors:
            raise InputRefused("round_not_in_it", id=senior_id if senior_id not in problem.seniors else junior_id)
        drafted = self._rounds.as_drafted(round_id, problem, options.aim)
        if over_locked(problem):
            return ForcingNow(0.0, 0, 0.0, (), possible=False)
        now = solve(problem, options.aim, keep=drafted)
        place = problem.seniors.index(senior_id), problem.juniors.index(junior_id)
        found = cost_of_forcing(problem, options.aim, *place, now)
        moved = tuple(_moved(problem, each) for each in found.moved)
        return ForcingNow(found.quality, found.matched_lost, found.lost, moved, found.over_locked is None)

    def _others(self, round_id: RoundId, slate: Slate, mine: DraftPair, pairs: list[DraftPair]) -> tuple[Other, ...]:
        share = self._rounds.round(round_id).options.exchange_share
        holders: dict[str, list[SeniorId]] = {}
        for each in pairs:
            holders.setdefault(each.junior_id, []).append(each.senior_id)
        found = [
            Other(each.junior_id, quality_on(slate, each.junior_id, share), tuple(holders.get(each.junior_id, ())))
            for each in slate.suggestions
            if each.junior_id != mine.junior_id
        ]
        return tuple(sorted(found, key=lambda each: -each.quality)[:OPENED])

    # What could be given up

    def _opened(
        self, round_id: RoundId, problem: Problem, bare: list[int], options: Options
    ) -> tuple[Problem, list[Relaxed], dict[tuple[int, str], Wish]]:
        """Return what edges seniors without any would have if they gave one thing up, and a problem that knows them."""
        takers = {each.senior_id: each for each in self._store.rounds.takers(round_id)}
        found: list[tuple[int, JuniorId, float, tuple[Kind, str]]] = []
        wishes: dict[tuple[int, str], Wish] = {}
        for place in bare:
            senior = self._store.people.senior(problem.seniors[place])
            asked = self._store.slates.slate(takers[senior.id].slate_id).request.text
            brief = self._rounds.brief_of(senior, asked)
            for wish in (each for each in brief.wishes if each.hard):
                name = f"{wish.kind}:{wish.value}:{wish.wanted}"
                wishes[place, name] = wish
                found += self._edges(place, senior, brief.without(wish), (Kind.DROP_WISH, name), options)
            for language in self._languages_beyond(senior):
                more = replace(senior, languages=(*senior.languages, language))
                found += self._edges(place, more, brief, (Kind.ADD_LANGUAGE, language), options)
            for rule in self._rules_that_may_go():
                found += self._edges(place, senior, brief, (Kind.SWITCH_RULE, rule), options)
        wider = self._rounds.with_juniors(problem, [junior_id for _, junior_id, _, _ in found])
        column = {each: place for place, each in enumerate(wider.juniors)}
        relaxed = [Relaxed(place, column[junior_id], quality, needs) for place, junior_id, quality, needs in found]
        return wider, relaxed, wishes

    def _edges(
        self, place: int, senior: Senior, brief: Brief, needs: tuple[Kind, str], options: Options
    ) -> list[tuple[int, JuniorId, float, tuple[Kind, str]]]:
        off = frozenset({needs[1]}) if needs[0] is Kind.SWITCH_RULE else frozenset[str]()
        ranking = self._recommender.rank(brief, senior, "nl", self._clock(), off=off)
        slate = self._recommender.slate(ranking, OPENED)
        share = options.exchange_share
        return [(place, each.junior_id, quality_on(slate, each.junior_id, share), needs) for each in slate.suggestions]

    def _languages_beyond(self, senior: Senior) -> list[str]:
        spoken = {language for each in self._store.people.juniors() for language in each.languages}
        return sorted(spoken - set(senior.languages))

    def _rules_that_may_go(self) -> list[str]:
        return sorted(self._recommender.rules() - ALWAYS_ON - self._store.facts.programme().rules_off)


def _moved(problem: Problem, each: Difference) -> Moved:
    return Moved(SeniorId(problem.seniors[each.senior]), _id(problem, each.first), _id(problem, each.second), each.cost)


def _id(problem: Problem, place: int | None) -> JuniorId | None:
    return None if place is None else JuniorId(problem.juniors[place])


def _now(problem: Problem, each: LeftOver, wishes: dict[tuple[int, str], Wish]) -> LeftOverNow:
    return LeftOverNow(
        SeniorId(problem.seniors[each.senior]),
        each.reason,
        tuple(SeniorId(problem.seniors[place]) for place in each.seniors),
        tuple(JuniorId(problem.juniors[place]) for place in each.juniors),
        each.places,
        _change(problem, each.change, wishes) if each.change else None,
    )


def _change(problem: Problem, change: Change, wishes: dict[tuple[int, str], Wish]) -> ChangeNow:
    wish = wishes.get((change.whom, change.value))
    return ChangeNow(change.kind, _id(problem, change.junior), change.quality, "" if wish else change.value, wish)
