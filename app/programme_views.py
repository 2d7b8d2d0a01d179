"""What the Programme page shows and holds while somebody types, as plain data."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import lru_cache

from app import views
from recommender.domain import Junior, JuniorId, Senior, SeniorId
from recommender.errors import InputRefused
from recommender.programme import Programme
from recommender.programme_setup import FieldRefused, RuleNow
from recommender.store.named_pairs import Pair
from recommender.store.people import People
from recommender.store.steps import Done
from recommender.wording import Language, say

STEPS: dict[str, tuple[str, ...]] = {
    "why": ("purpose", "who", "sponsor"),
    "rhythm": ("start", "months", "minutes", "every_weeks", "check_in_weeks", "invitation_days"),
    "rules": ("minimum_quality", "exchange_share", "rules_off"),
    "between": ("between_us", "behaviour", "measures", "contact"),
    "agreement": (),
}
"""The steps in order, each with the fields of a programme that are asked there."""

TEXTS = (*STEPS["why"], *STEPS["between"])
SHARES = ("minimum_quality", "exchange_share")
KEPT = 5
"""Steps that were taken lately and can be undone on the page."""


@dataclass(frozen=True)
class Draft:
    """What is typed, over what was seen. `weeks` is the typed text of the check-ins, `step` the one that is open."""

    who: str
    seen: Programme
    typed: Programme
    weeks: str
    step: str = "why"

    @classmethod
    def of(cls, programme: Programme, who: str, step: str = "why") -> "Draft":
        """Start from what is kept."""
        return cls(who, programme, programme, weeks_told(programme.check_in_weeks), step)

    @property
    def changed(self) -> bool:
        """Tell whether anything was typed that isn't kept."""
        return self.typed != self.seen or self.weeks != weeks_told(self.seen.check_in_weeks)

    @property
    def number(self) -> int:
        """The number of the open step, from 1."""
        return list(STEPS).index(self.step) + 1

    def value(self, field: str) -> object:
        """Return what the control of a field shows: text, number, day, or whole percents."""
        if field == "check_in_weeks":
            return self.weeks
        held = getattr(self.typed, field)
        return round(held * 100) if field in SHARES else held

    def with_value(self, field: str, value: object) -> "Draft":
        """Return the draft with what a control holds now."""
        if field == "check_in_weeks":
            return replace(self, weeks=str(value or ""))
        if field in SHARES:
            return self if value == self.value(field) else self._with(field, float(str(value)) / 100)
        return self._with(field, value)

    def with_rule(self, name: str, on: bool) -> "Draft":
        """Return the draft with a rule on or off."""
        off = self.typed.rules_off
        return self._with("rules_off", off - {name} if on else off | {name})

    def with_examples(self, language: Language) -> "Draft":
        """Return the draft with an example in every text of the open step that is still empty."""
        examples = {each: say(f"programme.example_{each}", language) for each in empty_texts(self)}
        return replace(self, typed=replace(self.typed, **examples))  # type: ignore[arg-type]

    def wanted(self) -> Programme:
        """Return the programme as typed; raise `InputRefused` when the weeks can't be read."""
        return replace(self.typed, check_in_weeks=weeks_read(self.weeks))

    def _with(self, field: str, value: object) -> "Draft":
        return replace(self, typed=replace(self.typed, **{field: value}))  # type: ignore[arg-type]


def weeks_told(weeks: Sequence[int]) -> str:
    """Return weeks as they are typed.

    Examples
    --------
    >>> weeks_told((4, 12, 24))
    '4, 12, 24'
    """
    return ", ".join(map(str, weeks))


def weeks_read(text: str) -> tuple[int, ...]:
    """Return the weeks in a typed text: whole numbers with anything plain between them.

    Raises
    ------
    InputRefused
        If there is something else in it.

    Examples
    --------
    >>> weeks_read("4, 12 en 24"), weeks_read("4;12")
    ((4, 12, 24), (4, 12))
    """
    if not re.fullmatch(r"(?:\d{1,4}|[\s,;]|en|and|&)*", text):
        raise FieldRefused("programme_weeks_unread", "check_in_weeks", text=text[:40])
    return tuple(int(each) for each in re.findall(r"\d+", text))


def empty_texts(draft: Draft) -> list[str]:
    """Return the texts of the open step that nobody has written yet."""
    return [each for each in STEPS[draft.step] if each in TEXTS and not getattr(draft.typed, each).strip()]


def step_of(field: str) -> str | None:
    """Return the step where a field is asked, if it is a field of the programme."""
    return next((step for step, asked in STEPS.items() if field in asked), None)


def field_of(error: Exception | None) -> str:
    """Return the field of the programme that a refusal is about, or nothing."""
    return error.field if isinstance(error, FieldRefused) else ""


def picked(senior_id: str | None, junior_id: str | None) -> Pair:
    """Return the pair that was picked; raise `InputRefused` when one of the two is missing."""
    if not senior_id or not junior_id:
        raise InputRefused("pair_incomplete")
    return SeniorId(senior_id), JuniorId(junior_id)


def different(one: Programme, other: Programme, language: Language) -> str:
    """Return the names of the fields that differ, as a list in words."""
    names = [each.name for each in fields(Programme) if getattr(one, each.name) != getattr(other, each.name)]
    return ", ".join(say(f"programme.field_{each}", language) for each in names)


@dataclass(frozen=True)
class RuleLine:
    """One rule as it is shown: a sentence, what it does today, and whether it may be switched."""

    name: str
    sentence: str
    effect: str
    on: bool
    switchable: bool


def rule_lines(rules: Sequence[RuleNow], language: Language) -> list[RuleLine]:
    """Return every rule with what it excludes today, those that can be switched first."""
    lines = []
    for each in sorted(rules, key=lambda rule: not rule.switchable):
        state = "on" if each.on else "off"
        told = {"pairs": whole(each.pairs, language), "left": whole(each.seniors_left_with_nobody, language)}
        sentence = say(f"ruleswitch.{each.name}", language)
        effect = say(f"programme.rule_{state}", language, **told)
        lines.append(RuleLine(each.name, sentence, effect, each.on, each.switchable))
    return lines


def whole(number: int, language: Language) -> str:
    """Return a whole number with its thousands apart.

    Examples
    --------
    >>> whole(12345, "nl"), whole(12345, "en"), whole(7, "nl")
    ('12.345', '12,345', '7')
    """
    text = f"{number:,}"
    return text.replace(",", ".") if language == "nl" else text


def to_pick(people: People, version: int) -> tuple[Mapping[str, str], Mapping[str, str]]:
    """Return the labels of all seniors and of all juniors by id, by name; read once a version."""
    return _to_pick(people, version)


@lru_cache(maxsize=2)
def _to_pick(people: People, version: int) -> tuple[Mapping[str, str], Mapping[str, str]]:
    return _labels(people.seniors()), _labels(people.juniors())


def _labels(people: Sequence[Senior] | Sequence[Junior]) -> dict[str, str]:
    """Return names with what tells two of one name apart."""
    told = {each.id: ", ".join(part for part in (each.name, each.department, each.site) if part) for each in people}
    return dict(sorted(told.items(), key=lambda each: (each[1], each[0])))


@dataclass(frozen=True)
class StepLine:
    """One step of the set-up, with who took it and when."""

    id: str
    what: str
    told: str
    undone: bool


def step_lines(done: Sequence[Done], names: Mapping[str, str], language: Language) -> list[StepLine]:
    """Return steps in words."""
    return [
        StepLine(
            each.id,
            say(f"step.{each.kind}", language),
            say("programme.step_by", language, who=names.get(each.who, each.who), when=views.moment(each.at, language)),
            each.undone,
        )
        for each in done
    ]
