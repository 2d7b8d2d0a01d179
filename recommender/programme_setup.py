"""The coordinator's set-up: purpose, rhythm, rules, and pairs by name. Every part of it can be undone."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import numpy as np

from recommender.domain import JuniorId, SeniorId
from recommender.eligibility import ELIGIBLE, RULES, each_alone, excluded_by
from recommender.errors import Conflict, InputRefused, RuleBroken
from recommender.programme import ALWAYS_ON, TEXTS, Programme
from recommender.recommending import Recommender
from recommender.store import Store
from recommender.store.named_pairs import Pair
from recommender.store.steps import Done, StepId
from recommender.text import clean_text
from recommender.wording import Language, say

ABOUT = "programme"
"""What every step of the set-up is about."""

MOST_CHARACTERS = 2_000
RANGES = {"months": (1, 24), "minutes": (15, 240), "every_weeks": (1, 12), "invitation_days": (1, 60)}
SHARES = ("minimum_quality", "exchange_share")
YEARS = (2000, 2100)
LAST_WEEK = 104
WEEKS_A_MONTH = 4.35
WEEKS_AFTER = 4
"""How long after its end a programme may still ask how it went."""


@dataclass(frozen=True)
class RuleNow:
    """What one rule does today.

    `pairs` counts the pairs of a senior who takes part and any junior that it excludes, on its own: whether it is on
    or not, and whatever other rules say. `seniors_left_with_nobody` counts the seniors for whom somebody is left by all
    other rules that are on, and nobody with this one.
    """

    name: str
    on: bool
    switchable: bool
    pairs: int
    seniors_left_with_nobody: int


class FieldRefused(InputRefused):
    """A value of one field, which the sentence names in the reader's own language.

    Parameters
    ----------
    key : str
        Key of the catalogue under ``error``.
    field : str
        Name of the field, a key of the catalogue under ``programme.field_``.
    **values
        What else the sentence names.
    """

    def __init__(self, key: str, field: str, **values: object) -> None:
        super().__init__(key, **values)
        self.field = field

    def sentence(self, language: Language) -> str:
        """Say which field, what was wrong, the value, and what to do next."""
        field = say(f"programme.field_{self.field}", language)
        return say(f"error.{self.key}", language, **self.values, field=field)


class ProgrammeSetUp:
    """Set up the programme of one organisation.

    Parameters
    ----------
    store : Store
        The open database.
    recommender : Recommender
        Knows all juniors as columns, for counting whom rules exclude.
    clock : callable
        Gives the time.
    """

    def __init__(self, store: Store, recommender: Recommender, clock: Callable[[], datetime]) -> None:
        self._store, self._recommender, self._clock = store, recommender, clock

    def current(self) -> Programme:
        """Return how the programme runs now."""
        return self._store.facts.programme()

    def save(self, programme: Programme, who: str, seen: Programme) -> Programme:
        """Keep how the programme runs from now on, and return it as it was kept.

        Parameters
        ----------
        programme : Programme
            What is wanted.
        who : str
            Id of who saves it.
        seen : Programme
            What they looked at before they changed it.

        Raises
        ------
        InputRefused
            If a value is outside its range or a text is too long.
        Conflict
            If somebody else saved another one in between.
        """
        checked = _checked(programme)
        with self._store.steps.step("programme_saved", who, self._clock(), ABOUT) as step:
            if self.current() != seen:
                raise Conflict("programme_changed")
            self._store.facts.set_programme(step, checked)
        return checked

    def undo(self, step_id: StepId, who: str) -> None:
        """Take a step of the set-up back.

        Raises
        ------
        Conflict
            If something of it has changed since, or it was taken back already.
        """
        self._store.steps.undo(step_id, who, self._clock())

    def history(self, most: int) -> list[Done]:
        """Return the newest steps of the set-up first."""
        return self._store.steps.recent(most, ABOUT)

    # Rules

    def rules(self, off: frozenset[str] | None = None) -> list[RuleNow]:
        """Return what each rule does today, in the order of `RULES`.

        Parameters
        ----------
        off : frozenset of str, optional
            Rules that are taken to be off; those of the programme unless told.
        """
        off = self.current().rules_off if off is None else off
        population, seniors = self._recommender.population(), self._store.people.seniors()
        load, on = self._store.slates.load(), np.array([name not in off for name in RULES])
        pairs, alone_to_blame = np.zeros(len(RULES), dtype=np.int64), np.zeros(len(RULES), dtype=np.int64)
        for asker in self._recommender.askers([each for each in seniors if each.active and each.consent]):
            excluded = each_alone(population, asker, load)
            pairs += excluded.sum(axis=1)
            by_others = excluded[on].sum(axis=0) - np.where(on[:, None], excluded, 0)
            left = by_others == 0
            alone_to_blame += left.any(axis=1) & ~(left & ~excluded).any(axis=1)
        return [
            RuleNow(name, name not in off, name not in ALWAYS_ON, int(pairs[place]), int(alone_to_blame[place]))
            for place, name in enumerate(RULES)
        ]

    # Pairs by name

    def known_pairs(self) -> list[Pair]:
        """Return the pairs that come first in a round: a senior's and a junior's id each."""
        return self._store.named_pairs.known()

    def kept_apart(self) -> dict[Pair, str]:
        """Return the pairs that are never made, with the reason."""
        return self._store.named_pairs.forbidden()

    def add_known(self, senior_id: SeniorId, junior_id: JuniorId, who: str) -> None:
        """Let two people who know each other, or asked for each other, come first in a round.

        Raises
        ------
        RuleBroken
            If a rule that is on forbids it.
        InputRefused
            If the senior takes no part, or is in another known pair.
        UnknownPerson
            If there is no such person.
        Conflict
            If the list has changed meanwhile.
        """
        pair, seen = (senior_id, junior_id), self.known_pairs()
        if pair in seen:
            return
        # Before the step: whoever holds the database may not wait for the index, as its builder waits for the database.
        self._check_known(pair, seen)
        with self._store.steps.step("known_pair_added", who, self._clock(), ABOUT) as step:
            if self.known_pairs() != seen:
                raise Conflict("already_there")
            self._store.named_pairs.add_known(step, pair)

    def remove_known(self, senior_id: SeniorId, junior_id: JuniorId, who: str) -> None:
        """Take a known pair off the list; one that isn't there changes nothing."""
        with self._store.steps.step("known_pair_removed", who, self._clock(), ABOUT) as step:
            self._store.named_pairs.remove_known(step, (senior_id, junior_id))

    def keep_apart(self, senior_id: SeniorId, junior_id: JuniorId, reason: str, who: str) -> None:
        """Never pair two people; if they were a known pair, they no longer are.

        Raises
        ------
        InputRefused
            If the reason is too long.
        UnknownPerson
            If there is no such person.
        """
        reason, pair = _clean("reason", reason), (senior_id, junior_id)
        self._store.people.senior(senior_id)
        self._store.people.junior(junior_id)
        with self._store.steps.step("kept_apart", who, self._clock(), ABOUT) as step:
            if pair in self.kept_apart():
                return
            self._store.named_pairs.remove_known(step, pair)
            self._store.named_pairs.forbid(step, pair, reason)

    def allow(self, senior_id: SeniorId, junior_id: JuniorId, who: str) -> None:
        """Take two people off the do-not-pair list; who isn't on it stays so."""
        with self._store.steps.step("allowed_again", who, self._clock(), ABOUT) as step:
            self._store.named_pairs.allow(step, (senior_id, junior_id))

    def _check_known(self, pair: Pair, known: list[Pair]) -> None:
        """Refuse a known pair that no round could make."""
        senior, junior = self._store.people.senior(pair[0]), self._store.people.junior(pair[1])
        if not (senior.active and senior.consent):
            raise InputRefused("known_pair_away", senior=senior.name)
        if any(senior_id == senior.id for senior_id, _ in known):
            raise InputRefused("known_pair_twice", senior=senior.name)
        population, load = self._recommender.population(), self._store.slates.load()
        load[junior.id] = load.get(junior.id, 0) + sum(junior_id == junior.id for _, junior_id in known)
        excluded = excluded_by(population, self._recommender.askers([senior])[0], load, self.current().rules_off)
        code = excluded[population.position[junior.id]]
        if code != ELIGIBLE:
            raise RuleBroken(list(RULES)[code], senior.name, junior.name)


def _checked(programme: Programme) -> Programme:
    """Return a programme with clean texts; refuse values that make no sense."""
    for field, (lowest, highest) in RANGES.items():
        _within(field, getattr(programme, field), lowest, highest)
    for field in SHARES:
        if not 0 <= (share := getattr(programme, field)) <= 1:
            raise FieldRefused("programme_share", field, value=f"{share:.0%}")
    if programme.start is not None:
        _within("start", programme.start.year, *YEARS)
    weeks = programme.check_in_weeks
    told = ", ".join(map(str, weeks))
    if not weeks or list(weeks) != sorted(set(weeks)) or weeks[0] < 1 or weeks[-1] > LAST_WEEK:
        raise FieldRefused("programme_weeks", "check_in_weeks", weeks=told or "–", most=LAST_WEEK)
    if weeks[-1] > (last := int(programme.months * WEEKS_A_MONTH + WEEKS_AFTER)):
        raise FieldRefused("programme_weeks_late", "check_in_weeks", week=weeks[-1], last=last)
    stray = sorted(programme.rules_off - (RULES.keys() - ALWAYS_ON))
    if stray:
        raise InputRefused("programme_rules", rules=", ".join(stray))
    texts: dict[str, Any] = {field: _clean(field, getattr(programme, field)) for field in TEXTS}
    return replace(programme, **texts)


def _within(field: str, value: int, lowest: int, highest: int) -> None:
    if not lowest <= value <= highest:
        raise FieldRefused("programme_number", field, value=value, lowest=lowest, highest=highest)


def _clean(field: str, text: str) -> str:
    if len(text) > MOST_CHARACTERS:
        raise FieldRefused("programme_text", field, length=len(text), limit=MOST_CHARACTERS)
    return clean_text(text, MOST_CHARACTERS)
