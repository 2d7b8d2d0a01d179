"""What the rounds page shows, as plain data: no widgets, no store."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from app import views
from recommender.domain import Junior, JuniorId, Senior, SeniorId
from recommender.explain import join, language_name
from recommender.matching import Aim, Kind, Reason
from recommender.matching.scenarios import Scenario
from recommender.replies import Known, chip
from recommender.round_answers import ForcingNow, LeftOverNow, Moved, Other, ScenarioNow
from recommender.rounds import Draft
from recommender.rule_check import Violation
from recommender.store.rounds import DraftPair, Options, Taker
from recommender.store.steps import UNDO, Done, StepId
from recommender.wording import Language, say

PAGE = 10
"""Pairs, or people, that are drawn at a time."""

SECTIONS = ("pairs", "left", "compare", "again", "steps")
ORDERS = ("name", "lowest", "unlocked")
AIMS = tuple(Aim)
SHARES = ("minimum_quality", "waiting_weight", "balance_weight", "exchange_share")
"""The options that are a share, in the order in which they are asked."""

GOOD, FAIR = 0.55, 0.25
"""From which quality on a pair fits well, or fairly. What the junior gets back counts too: few pairs come near to 1."""

A_LITTLE, CLEARLY = 0.15, 0.4
"""Up to which weight something counts a little, or clearly."""

NAMED = 6
"""People who are named in a sentence; of more only the number is told."""

SHOWN_MOVES = 30


# Words for numbers


def fit(quality: float) -> str:
    """Return the name of a quality under ``fit`` of the catalogue.

    Examples
    --------
    >>> fit(0.8), fit(0.3), fit(0.1)
    ('good', 'fair', 'poor')
    """
    return "good" if quality >= GOOD else "fair" if quality >= FAIR else "poor"


def fit_told(quality: float, language: Language) -> str:
    """Return a quality in words, with the number for who wants it."""
    return say(
        "rounds.fit_told", language, fit=say(f"fit.{fit(quality)}", language), number=views.number(quality, language)
    )


def share_told(name: str, value: float, language: Language) -> str:
    """Say what an option does at this value."""
    if name == "minimum_quality":
        level = "none" if value == 0 else "poor" if value < FAIR else "fair" if value < GOOD else "good"
        return say(f"rounds.minimum_{level}", language)
    strength = "none" if value == 0 else "little" if value <= A_LITTLE else "clear" if value <= CLEARLY else "strong"
    return say(f"rounds.counts_{strength}", language)


def named(names: Sequence[str], language: Language) -> str:
    """Return a few names as one phrase; of many the first, and how many more."""
    if len(names) <= NAMED:
        return join(list(names), language)
    return say("rounds.and_more", language, names=", ".join(names[: NAMED - 1]), count=len(names) - NAMED + 1)


def with_capital(text: str) -> str:
    """Return a text that begins a sentence.

    Examples
    --------
    >>> with_capital("de coördinator")
    'De coördinator'
    """
    return text[:1].upper() + text[1:]


def percent(options: Options, name: str) -> int:
    """Return an option as the slider holds it."""
    return round(float(getattr(options, name)) * 100)


def with_percent(options: Options, name: str, value: int) -> Options:
    """Return options with what a slider holds; one that wasn't moved keeps its exact value."""
    share: dict[str, Any] = {name: value / 100}
    return options if value == percent(options, name) else replace(options, **share)


# A draft


def tiles(draft: Draft, language: Language) -> list[tuple[str, str]]:
    """Return how a draft stands, in a handful of facts."""
    none = say("rounds.none", language)
    lowest = min((each.quality for each in draft.pairs), default=None)
    return [
        (
            say("rounds.tile_matched", language),
            say("rounds.of", language, count=len(draft.pairs), total=len(draft.takers)),
        ),
        (say("rounds.tile_left", language), str(len(draft.left_over))),
        (say("rounds.tile_mean", language), fit_told(draft.quality, language) if draft.pairs else none),
        (say("rounds.tile_lowest", language), none if lowest is None else fit_told(lowest, language)),
        (say("rounds.tile_broken", language), str(len({each.senior_id for each in draft.violations}))),
    ]


def broken(draft: Draft, names: Mapping[str, str], language: Language) -> list[str]:
    """Return each violation as a sentence: who, and the rule."""
    return [
        say(
            "rounds.broken",
            language,
            senior=names.get(each.senior_id, each.senior_id),
            junior=names.get(each.junior_id, each.junior_id),
            rule=say(f"rule.{each.rule}", language),
        )
        for each in draft.violations
    ]


def ordered(draft: Draft, names: Mapping[str, str], search: str, order: str) -> list[DraftPair]:
    """Return the pairs in which a name holds the words that are searched for; those that break a rule come first."""
    wanted, breaking = search.casefold().split(), {each.senior_id for each in draft.violations}
    found = [
        each
        for each in draft.pairs
        if all(word in f"{_name(names, each.senior_id)} {_name(names, each.junior_id)}".casefold() for word in wanted)
    ]

    def key(pair: DraftPair) -> tuple[bool, float, str, str]:
        first = {"lowest": pair.quality, "unlocked": float(pair.locked)}.get(order, 0.0)
        return pair.senior_id not in breaking, first, _name(names, pair.senior_id), pair.senior_id

    return sorted(found, key=key)


def last_page(count: int) -> int:
    """Return the number of the last page, from 0.

    Examples
    --------
    >>> last_page(0), last_page(10), last_page(11)
    (0, 0, 1)
    """
    return max(count - 1, 0) // PAGE


@dataclass(frozen=True)
class Line:
    """One pair in words."""

    pair: DraftPair
    senior: str
    junior: str
    fit: str
    source: str
    load: str
    broken: tuple[str, ...]


def lines(
    draft: Draft,
    pairs: Iterable[DraftPair],
    names: Mapping[str, str],
    juniors: Mapping[JuniorId, Junior],
    load: Mapping[str, int],
    language: Language,
) -> list[Line]:
    """Return some pairs in words. `load` are the places that are taken outside this round."""
    here = Counter(each.junior_id for each in draft.pairs)
    rules: dict[str, list[Violation]] = {}
    for each in draft.violations:
        rules.setdefault(each.senior_id, []).append(each)
    return [
        Line(
            each,
            _name(names, each.senior_id),
            _name(names, each.junior_id),
            fit_told(each.quality, language),
            say(f"rounds.source_{each.source}", language),
            _load(juniors.get(each.junior_id), load.get(each.junior_id, 0) + here[each.junior_id], language),
            tuple(say(f"rule.{found.rule}", language) for found in rules.get(each.senior_id, ())),
        )
        for each in pairs
    ]


def _load(junior: Junior | None, taken: int, language: Language) -> str:
    if junior is None:
        return say("rule.gone", language)
    return say("review.places", language, taken=taken, capacity=junior.capacity)


def table(drawn: Sequence[Line], language: Language) -> tuple[list[str], dict[str, list[str]]]:
    """Return the heads and rows of the table view."""
    heads = [say(f"rounds.head_{name}", language) for name in ("junior", "fit", "load", "source", "locked", "rule")]
    yes, no = say("rounds.yes", language), say("rounds.no", language)
    rows = {
        each.senior: [
            each.junior,
            each.fit,
            each.load,
            each.source,
            yes if each.pair.locked else no,
            "; ".join(each.broken) or no,
        ]
        for each in _told_apart(drawn)
    }
    return heads, rows


def _told_apart(drawn: Sequence[Line]) -> list[Line]:
    """Two people may have one name: then the id stands behind it."""
    often = Counter(each.senior for each in drawn)
    return [
        each if often[each.senior] == 1 else replace(each, senior=f"{each.senior} ({each.pair.senior_id})")
        for each in drawn
    ]


# Who else could help somebody


@dataclass(frozen=True)
class Candidate:
    """A junior to choose by hand: with what is known of them, as one label."""

    junior_id: JuniorId
    label: str


def candidates(others: Sequence[Other], names: Mapping[str, str], language: Language) -> list[Candidate]:
    """Return the nearest candidates of a senior, the best first, each with who holds them."""
    found = []
    for each in others:
        label = say(
            "rounds.candidate",
            language,
            name=_name(names, each.junior_id),
            fit=fit_told(each.quality, language),
        )
        if each.held_by:
            holders = named([_name(names, holder) for holder in each.held_by], language)
            label = say("rounds.candidate_held", language, candidate=label, names=holders)
        found.append(Candidate(each.junior_id, label))
    return found


def others_table(others: Sequence[Other], names: Mapping[str, str], language: Language) -> dict[str, list[str]]:
    """Return the candidates that were not taken: how good, and who holds them."""
    nobody = say("rounds.nobody", language)
    return {
        _name(names, each.junior_id): [
            fit_told(each.quality, language),
            named([_name(names, holder) for holder in each.held_by], language) or nobody,
        ]
        for each in others
    }


def holders(draft: Draft, junior_id: JuniorId, senior_id: SeniorId) -> list[SeniorId]:
    """Return who else has a junior in the draft."""
    return [each.senior_id for each in draft.pairs if each.junior_id == junior_id and each.senior_id != senior_id]


def moves(moved: Sequence[Moved], names: Mapping[str, str], language: Language) -> dict[str, list[str]]:
    """Return who would get somebody else, with what that costs them; the costliest first."""
    nobody = say("rounds.nobody", language)
    rows: dict[str, list[str]] = {}
    for each in moved[:SHOWN_MOVES]:
        name = _name(names, each.senior_id)
        rows[name if name not in rows else f"{name} ({each.senior_id})"] = [
            _name(names, each.first) if each.first else nobody,
            _name(names, each.second) if each.second else nobody,
            costs(each.costs, language),
        ]
    return rows


def costs(value: float, language: Language) -> str:
    """Say how much a person loses or gains."""
    told = views.number(abs(value), language)
    if told == views.number(0, language):
        return say("rounds.costs_nothing", language)
    return say("rounds.costs_less" if value > 0 else "rounds.costs_more", language, number=told)


def forced(cost: ForcingNow, language: Language) -> str:
    """Say what forcing a pair costs the others together."""
    if cost.people_lost > 0:
        return say("rounds.cost_people", language, count=cost.people_lost)
    if not cost.moved:
        return say("rounds.cost_nobody", language)
    lost = sum(each.costs for each in cost.moved)
    key = "rounds.cost_moved_one" if len(cost.moved) == 1 else "rounds.cost_moved"
    return say(key, language, count=len(cost.moved), costs=costs(lost, language))


# Who is left over


@dataclass(frozen=True)
class LeftLine:
    """Somebody without a junior, in words. `change` is empty where no single change would help."""

    senior_id: SeniorId
    name: str
    waited: str
    reason: str
    change: str


def by_wait(draft: Draft) -> list[SeniorId]:
    """Return who is left over, those who wait longest first."""
    since = {each.senior_id: each.waiting_since for each in draft.takers}
    return sorted(draft.left_over, key=lambda each: (since[each], each))


def left_lines(
    left: Sequence[LeftOverNow],
    takers: Sequence[Taker],
    names: Mapping[str, str],
    known: Known,
    now: datetime,
    language: Language,
) -> list[LeftLine]:
    """Return people without a junior in words, in the given order."""
    since = {each.senior_id: each.waiting_since for each in takers}
    return [
        LeftLine(
            each.senior_id,
            _name(names, each.senior_id),
            views.waited(since[each.senior_id], now, language),
            say(f"leftover.{each.reason}", language),
            change(each, names, known, language),
        )
        for each in left
    ]


def change(left: LeftOverNow, names: Mapping[str, str], known: Known, language: Language) -> str:
    """Say the smallest change that would give somebody a junior, in one sentence."""
    if left.change is None:
        return "" if left.reason is Reason.BY_AIM else say("fix.none", language)
    kind, value = left.change.kind, left.change.value
    if left.change.wish:
        value = chip(left.change.wish, known, language)
    elif kind is Kind.SWITCH_RULE:
        value = say(f"ruleswitch.{value}", language).rstrip(".")
    elif kind is Kind.ADD_LANGUAGE:
        value = language_name(value, language)
    junior = _name(names, left.change.junior_id) if left.change.junior_id else say("rounds.somebody", language)
    return say(f"fix.{kind}", language, name=_name(names, left.senior_id), junior=junior, value=value)


@dataclass(frozen=True)
class Shared:
    """People who can only go to the same few juniors."""

    people: str
    told: str
    juniors: str


def shared(left: Sequence[LeftOverNow], names: Mapping[str, str], language: Language) -> list[Shared]:
    """Return the groups that share too few places, the largest first; each once."""
    groups: dict[tuple[JuniorId, ...], LeftOverNow] = {}
    for each in left:
        if each.reason is Reason.ALL_TAKEN:
            groups.setdefault(each.juniors, each)
    return [
        Shared(
            named([_name(names, senior_id) for senior_id in each.seniors], language),
            say("rounds.shared", language, people=len(each.seniors), places=each.places),
            named([_name(names, junior_id) for junior_id in each.juniors], language),
        )
        for each in sorted(groups.values(), key=lambda each: -len(each.seniors))
    ]


# The aims side by side


def scenarios(found: Sequence[ScenarioNow], language: Language) -> tuple[list[str], dict[str, list[str]]]:
    """Return the aims as columns, and what each comes to as rows."""
    heads = [say(f"aim.{each.aim}", language) for each in found]
    rows = {
        say(f"rounds.row_{name}", language): [_cell(each.numbers, name, language) for each in found]
        for name in (
            "matched",
            "mean_quality",
            "lowest_quality",
            "largest_regret",
            "got_best",
            "most_places",
            "juniors_used",
        )
    }
    rows[say("rounds.row_differs", language)] = [str(len(each.differs)) for each in found]
    return heads, rows


def _cell(numbers: Scenario, name: str, language: Language) -> str:
    value = getattr(numbers, name)
    if value is None:
        return say("rounds.none", language)
    if name in ("mean_quality", "lowest_quality"):
        return fit_told(value, language)
    return views.number(value, language) if isinstance(value, float) else str(value)


# What was done


@dataclass(frozen=True)
class StepLine:
    """One step, with who took it and when. Only the newest can be taken back: the others were built upon."""

    id: StepId
    what: str
    told: str
    undone: bool
    undoable: bool


def steps(done: Sequence[Done], names: Mapping[str, str], language: Language) -> list[StepLine]:
    """Return the steps of a round in words, the newest first."""
    newest = next((each.id for each in done if each.kind != UNDO and not each.undone), None)
    return [
        StepLine(
            each.id,
            say(f"step.{each.kind}", language),
            say("rounds.step_by", language, who=_name(names, each.who), when=views.moment(each.at, language)),
            each.undone,
            each.id == newest and each.kind != "round_gathered",
        )
        for each in done
    ]


def published(done: Sequence[Done]) -> StepId | None:
    """Return the step that published a round, as long as it stands."""
    return next((each.id for each in done if each.kind == "round_published" and not each.undone), None)


def letters(pairs: Sequence[DraftPair], seniors: Iterable[Senior], juniors: Iterable[Junior]) -> tuple[int, int]:
    """Return how many letters publishing sends, and how many people of the pairs have no address."""
    address: dict[str, str] = {each.id: each.email for each in seniors}
    address |= {each.id: each.email for each in juniors}
    to = [address.get(person, "") for each in pairs for person in (each.senior_id, each.junior_id)]
    return sum(1 for each in to if each), sum(1 for each in to if not each)


def _name(names: Mapping[str, str], person: str) -> str:
    return names.get(person, person)
