"""The life of a pair, without a store: what may follow what, meetings, check-ins, early signs."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender.domain import Side
from recommender.pair import (
    AFTER,
    GO_ON,
    OPEN,
    QUESTIONS,
    SCALE,
    Agreement,
    Event,
    Meeting,
    MeetingState,
    Pair,
    PairState,
    answered,
    cancelled,
    cancelled_in_a_row,
    check_ins_of,
    clash,
    fault_in,
    happened,
    moved_by_pause,
    open_check_ins,
)
from recommender.pair_health import HealthWord, health, warnings_of

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
WEEK = timedelta(weeks=1)
INVITED = Pair("p", "slate", "s1", "j1", None, PairState.INVITED, NOW, NOW + timedelta(days=10))
ACTIVE = replace(INVITED, state=PairState.ACTIVE, started_at=NOW, senior_said="yes", junior_said="yes")
FINE = dict.fromkeys(QUESTIONS, 4) | {GO_ON: 1}


def a_meeting(week: float, state: str = "held", by: Side | None = None, **changes: Any) -> Meeting:
    """Return a meeting some weeks after the start."""
    return replace(Meeting(f"m{week}", "p", NOW + week * WEEK, 60, "", MeetingState(state), by), **changes)


# Invitation


@pytest.mark.parametrize("first", list(Side))
def test_starts_at_the_second_yes(first: Side) -> None:
    """Whoever is the first; the first yes alone changes nothing."""
    second = Side.JUNIOR if first is Side.SENIOR else Side.SENIOR
    half = answered(INVITED, first, True, NOW)
    assert (half.state, half.said(first), half.said(second)) == (PairState.INVITED, "yes", "")
    whole = answered(half, second, True, NOW + WEEK)
    assert (whole.state, whole.started_at) == (PairState.ACTIVE, NOW + WEEK)


def test_no_ends_it() -> None:
    """Also after a yes of the other."""
    declined = answered(answered(INVITED, Side.SENIOR, True, NOW), Side.JUNIOR, False, NOW, "no_time")
    assert (declined.state, declined.open, declined.end_reason) == (PairState.DECLINED, False, "no_time")


@given(st.lists(st.sampled_from(list(Event)), max_size=12))
def test_what_ended_stays_ended(events: list[Event]) -> None:
    """Any events in any order: a closed pair has an end, an open one has none, and only a pause has its date."""
    pair = INVITED
    for number, event in enumerate(events):
        if (pair.state, event) in AFTER:
            assert pair.open
            pair = happened(pair, event, NOW + number * WEEK, "other")
        else:
            with pytest.raises(KeyError):
                happened(pair, event, NOW)
        assert pair.open == (pair.state in OPEN) == (pair.ended_at is None)
        assert (pair.paused_at is not None) == (pair.state is PairState.PAUSED)


def test_reminder_is_halfway() -> None:
    """Five of ten days."""
    assert INVITED.reminder_at == NOW + timedelta(days=5)


# Agreement


def test_change_asks_again() -> None:
    """Other words are agreed to by nobody; `by` names who agrees."""
    text = Agreement("Excel", "monthly").by(Side.SENIOR, Side.JUNIOR)
    assert text.settled
    changed = text.with_words(["Teams", "", "", "", ""]).by(Side.JUNIOR)
    assert (changed.agreed(Side.JUNIOR), changed.agreed(Side.SENIOR), changed.settled) == (True, False, False)


# Meetings


@pytest.mark.parametrize(("minutes_later", "clashes"), [(-60, False), (-59, True), (0, True), (59, True), (60, False)])
def test_meetings_do_not_overlap(minutes_later: int, clashes: bool) -> None:
    """The end of one may be the start of the next."""
    other = a_meeting(1, "planned", id="other", starts_at=NOW + WEEK + timedelta(minutes=minutes_later))
    assert (clash([a_meeting(1, "planned")], other) is not None) == clashes


def test_cancelled_meeting_is_in_nobodys_way() -> None:
    """Nor is a meeting in the way of itself when it moves."""
    assert clash([a_meeting(1, "cancelled")], a_meeting(1, "planned", id="other")) is None
    assert clash([a_meeting(1, "planned")], a_meeting(1, "planned")) is None


def test_calendars_see_that_a_meeting_is_off() -> None:
    """Its sequence is higher."""
    off = cancelled(a_meeting(1, "planned"), Side.SENIOR, "busy")
    assert (off.state, off.cancelled_by, off.sequence) == (MeetingState.CANCELLED, Side.SENIOR, 1)


@pytest.mark.parametrize(
    ("meetings", "number"),
    [
        ([a_meeting(1, "cancelled", Side.SENIOR), a_meeting(2, "cancelled", Side.SENIOR)], 2),
        ([a_meeting(2, "cancelled", Side.SENIOR), a_meeting(3), a_meeting(1, "cancelled", Side.SENIOR)], 0),
        ([a_meeting(1, "cancelled", Side.SENIOR), a_meeting(2, "cancelled", Side.JUNIOR)], 1),
        ([a_meeting(1, "cancelled"), a_meeting(2, "planned")], 0),
    ],
)
def test_counts_what_the_senior_cancelled_in_a_row(meetings: list[Meeting], number: int) -> None:
    """Since the last that was held, in order of time, not counting others' cancelling."""
    assert cancelled_in_a_row(meetings) == number


# Check-ins


@pytest.mark.parametrize(
    ("week", "weeks_open"), [(0, [4]), (3.9, [4]), (4, [4, 12]), (11.9, [4, 12]), (12, [12, 24]), (99, [24])]
)
def test_check_in_is_open_from_the_one_before_until_the_next(week: float, weeks_open: list[int]) -> None:
    """Early and late are both fine."""
    check_ins = check_ins_of(ACTIVE, (4, 12, 24))
    assert len(check_ins) == 6
    found = open_check_ins(ACTIVE, check_ins, Side.JUNIOR, NOW + week * WEEK)
    assert ([each.week for each in found], {each.side for each in found}) == (weeks_open, {Side.JUNIOR})


def test_time_stands_still_in_a_pause() -> None:
    """What was due stays due; what was still to come moves by the time it took; answers stay."""
    paused = happened(ACTIVE, Event.PAUSE, NOW + 6 * WEEK)
    check_ins = check_ins_of(ACTIVE, (4, 12, 24))
    assert [each.week for each in open_check_ins(paused, check_ins, Side.SENIOR, NOW + 40 * WEEK)] == [4, 12]
    moved = moved_by_pause(check_ins, NOW + 6 * WEEK, NOW + 9 * WEEK)
    assert [(each.week, each.due_at) for each in moved if each.side is Side.SENIOR] == [
        (12, NOW + 15 * WEEK),
        (24, NOW + 27 * WEEK),
    ]
    early = [replace(each, answered_at=NOW) for each in check_ins]
    assert moved_by_pause(early, NOW + 6 * WEEK, NOW + 9 * WEEK) == []


@pytest.mark.parametrize(
    ("change", "number"),
    [
        ({}, None),
        ({"rating": 5}, None),
        ({"goal_nearer": 0}, 1),
        ({"time_well_spent": len(SCALE) + 1}, 2),
        ({"feel_safe": None}, 3),
        ({GO_ON: 2}, 4),
        ({"rating": 6}, 5),
        ({"salary": 3}, 6),
    ],
)
def test_answers_are_on_their_scale(change: dict[str, Any], number: int | None) -> None:
    """The first that isn't is told by its number; only the mark may be left out."""
    assert fault_in(FINE | change) == number


# Early signs and health


def test_two_cancelled_by_the_senior_is_a_warning() -> None:
    """With the number; one is none."""
    one = [a_meeting(1), a_meeting(2, "cancelled", Side.SENIOR)]
    assert warnings_of(ACTIVE, one, NOW + 3 * WEEK) == []
    found = warnings_of(ACTIVE, [*one, a_meeting(3, "cancelled", Side.SENIOR)], NOW + 4 * WEEK)
    assert [(each.kind, each.cancelled, each.since) for each in found] == [("cancelled", 2, NOW + 3 * WEEK)]


@pytest.mark.parametrize(
    ("weeks", "meetings", "kinds"),
    [
        (2.9, [], []),
        (3, [], ["no_first"]),
        (3, [a_meeting(2)], []),
        (3, [a_meeting(2, "planned")], []),
        (6, [], ["no_first", "no_plan"]),
        (8, [a_meeting(2)], ["no_plan"]),
        (7.9, [a_meeting(2)], []),
        (8, [a_meeting(2), a_meeting(9, "planned")], []),
        (8, [a_meeting(2), a_meeting(9, "cancelled")], ["no_plan"]),
    ],
)
def test_silence_is_a_warning(weeks: float, meetings: list[Meeting], kinds: list[str]) -> None:
    """No first meeting in three weeks, nothing for six; a meeting that nobody marked may have been held."""
    assert [each.kind for each in warnings_of(ACTIVE, meetings, NOW + weeks * WEEK)] == kinds


def test_a_pause_gives_no_warning() -> None:
    """Neither in it nor shortly after."""
    paused = happened(ACTIVE, Event.PAUSE, NOW + WEEK)
    assert warnings_of(paused, [], NOW + 9 * WEEK) == []
    assert warnings_of(happened(paused, Event.RESUME, NOW), [], NOW + 10 * WEEK, NOW + 9 * WEEK) == []


@pytest.mark.parametrize(
    ("meetings", "answers", "word", "reasons"),
    [
        ([], {}, "unknown", ("too_early",)),
        ([a_meeting(1)], {}, "good", ("met",)),
        ([a_meeting(1)], FINE, "good", ("met", "content")),
        ([a_meeting(1)], FINE | {"goal_nearer": 2}, "watch", ("little_gained",)),
        ([a_meeting(1)], FINE | {"feel_safe": 1}, "trouble", ("not_at_ease",)),
        ([a_meeting(1)], FINE | {GO_ON: 0}, "trouble", ("stop_asked",)),
        ([a_meeting(w, "cancelled", Side.SENIOR) for w in (1, 2)], FINE, "trouble", ("cancelled",)),
    ],
)
def test_health(meetings: list[Meeting], answers: dict[str, int], word: str, reasons: tuple[str, ...]) -> None:
    """From what was held and what each said last."""
    check_ins = check_ins_of(ACTIVE, (4,))
    if answers:
        check_ins = [replace(check_ins[1], answers=answers, answered_at=NOW), check_ins[0]]
    found = health(ACTIVE, meetings, check_ins, NOW + 2.5 * WEEK)
    assert (found.word, found.reasons) == (HealthWord(word), reasons)


def test_later_answers_count() -> None:
    """Somebody who was not at ease at week 4 and is at week 12 is at ease; no answers for two weeks is a sign."""
    check_ins = check_ins_of(ACTIVE, (4, 12))
    worse = [replace(each, answers=FINE | {"feel_safe": 1}, answered_at=NOW) for each in check_ins if each.week == 4]
    better = [replace(each, answers=FINE, answered_at=NOW) for each in check_ins if each.week == 12]
    met = [a_meeting(12)]
    assert health(ACTIVE, met, [*better, *worse], NOW + 13 * WEEK).word is HealthWord.GOOD
    assert health(ACTIVE, met, check_ins, NOW + 14 * WEEK).reasons == ("check_in_late",)


def test_health_of_a_pause_and_of_an_end() -> None:
    """A pause is to be watched; of what has ended nothing is said."""
    assert health(happened(ACTIVE, Event.PAUSE, NOW), [], [], NOW).reasons == ("paused",)
    assert health(happened(ACTIVE, Event.END, NOW), [a_meeting(1)], [], NOW).word is HealthWord.UNKNOWN
