"""Pairs in a real store with the real post: every use case, what it writes, how it is taken back, and many at once."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from icalendar import Calendar

from recommender.domain import Action, Decision, Request, Side, Slate, Suggestion, Understood
from recommender.errors import Conflict, Forbidden, InputRefused, UnknownPerson
from recommender.letters import Outdated, compose
from recommender.pair import GO_ON, QUESTIONS, Agreement, Meeting, MeetingState, Pair, PairState
from recommender.pair_health import HealthWord
from recommender.pairing import Invitation, Pairing
from recommender.post import Post
from recommender.store import Store
from recommender.store.steps import KEYS
from tests.builders import a_junior, a_senior

START = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
DAY, WEEK = timedelta(days=1), timedelta(weeks=1)
SENIOR, JUNIOR = Side.SENIOR, Side.JUNIOR
FINE = dict.fromkeys(QUESTIONS, 4) | {GO_ON: 1}


class Programme:
    """A small programme with a clock of its own: two seniors, four juniors with one place each."""

    def __init__(self) -> None:
        self.now = START
        self.store = Store(None)
        self.post = Post(self.store, None, lambda: self.now, timedelta(minutes=10))
        self.pairing = Pairing(self.store, self.post, lambda: self.now)
        juniors = [a_junior(id=f"j{n}", name=f"Junior{n} Achternaam", email=f"j{n}@example.com") for n in range(1, 5)]
        seniors = [a_senior(id=f"s{n}", name=f"Senior{n} Achternaam", email=f"s{n}@example.com") for n in (1, 2)]
        self.store.people.put([*juniors, *seniors])
        for senior in seniors:
            self.store.slates.put(a_slate(f"slate-{senior.id}", senior.id))

    def invite(self, senior_id: str = "s1", junior_id: str = "j1") -> Pair:
        """Let a coordinator bring two people together."""
        slate_id = f"slate-{senior_id}"
        with self.store.steps.step("review_approved", "co", self.now, slate_id) as step:
            self.store.slates.match_many(step, [(junior_id, senior_id, slate_id)], "co", self.now)
            return self.pairing.invite(step, slate_id, senior_id, junior_id, self.now)

    def start(self, senior_id: str = "s1", junior_id: str = "j1") -> Pair:
        """Return a pair that both said yes to."""
        pair = self.invite(senior_id, junior_id)
        self.pairing.answer(pair.id, SENIOR, True, senior_id)
        return self.pairing.answer(pair.id, JUNIOR, True, junior_id)

    def letters(self, kind: str) -> list[str]:
        """Return who gets a letter of this kind, by the time it was made."""
        rows = self.store._database.rows(
            "SELECT person_id FROM outbox WHERE kind = ? ORDER BY made_at, person_id DESC", kind
        )
        return [person_id for (person_id,) in rows]

    def places(self) -> list[tuple[str, str]]:
        """Return which junior's place is taken by which senior."""
        return self.store._database.rows("SELECT junior_id, senior_id FROM matches ORDER BY ALL")

    def state(self) -> dict[str, list[str]]:
        """Return every row that steps may change."""
        return {table: sorted(map(str, self._rows(table))) for table in KEYS}

    def _rows(self, table: str) -> list[tuple[Any, ...]]:
        return self.store._database.rows(f"SELECT * FROM {table}")  # noqa: S608

    def undo_last(self) -> None:
        """Take the last step back."""
        self.store.steps.undo(self.store.steps.recent(1)[0].id, "co", self.now)


def a_slate(name: str, senior_id: str) -> Slate:
    """Return a slate with all four juniors in order."""
    suggestions = tuple(Suggestion(rank, f"j{rank}", "?", -rank, {}, {}, (), None) for rank in range(1, 5))
    request = Request(
        f"request-{name}", senior_id, "Iets geheims", Understood("Iets geheims", "nl", (("3.1", 0.7),)), START
    )
    return Slate(name, request, "cold-start", "hashing", 0.0, suggestions)


@pytest.fixture
def programme() -> Iterator[Programme]:
    """Give a programme in which nobody is a pair yet."""
    made = Programme()
    yield made
    made.store.close()


# Invitation and answers


def test_invitation_asks_both(programme: Programme) -> None:
    """Each gets one letter with first names, the subject as a competence and not in the senior's words, and a day."""
    pair = programme.invite()
    assert (pair.state, pair.expires_at) == (PairState.INVITED, START + 10 * DAY)
    assert programme.pairing.pair(pair.id) == pair
    letters = programme.post.letters("j1") + programme.post.letters("s1")
    assert [(each.kind, each.values["name"], each.values["other"]) for each in letters] == [
        ("invitation", "Junior1", "Senior1"),
        ("invitation", "Senior1", "Junior1"),
    ]
    assert {each.values["until"] for each in letters} == {pair.expires_at.isoformat()}
    assert "geheim" not in str([each.values for each in letters])
    assert letters[0].values["topic"] not in {"", "3.1"}


def test_invitation_belongs_to_the_step_around_it(programme: Programme) -> None:
    """Undoing the approval takes back the pair, its place and its letters, to the letter."""
    before = programme.state()
    programme.invite()
    programme.undo_last()
    assert programme.state() == before


def test_second_yes_starts(programme: Programme) -> None:
    """Both are told, and check-ins are planned for both."""
    pair = programme.start()
    assert (pair.state, pair.started_at) == (PairState.ACTIVE, START)
    assert programme.letters("started") == ["s1", "j1"]
    due = {(each.week, each.side): each.due_at for each in programme.pairing.check_ins(pair.id)}
    assert due == {(week, side): START + week * WEEK for week in (4, 12, 24) for side in Side}
    assert programme.places() == [("j1", "s1")]


def test_no_frees_the_place_and_keeps_the_reason(programme: Programme) -> None:
    """Only the other is told, without the reason; the coordinator is offered the next on the slate."""
    pair = programme.invite()
    programme.pairing.answer(pair.id, SENIOR, True, "s1")
    declined = programme.pairing.answer(pair.id, JUNIOR, False, "j1", "person")
    assert (declined.state, declined.end_reason) == (PairState.DECLINED, "person")
    assert programme.places() == []
    assert programme.letters("declined") == ["s1"]
    assert "person" not in str([each.values for each in programme.post.letters("s1")])
    assert [each.id for each in programme.pairing.to_match_again()] == [pair.id]
    assert programme.pairing.next_candidates(pair.id) == ["j2", "j3", "j4"]
    assert programme.store.slates.choice("slate-s1").decision is Decision.APPROVED  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("side", "who", "days", "error", "said"),
    [
        (SENIOR, "j1", 0, Forbidden, "right person"),
        (JUNIOR, "s1", 0, Forbidden, "right person"),
        (SENIOR, "stranger", 0, Forbidden, "stranger"),
        (SENIOR, "s1", 10, Conflict, "is over"),
    ],
)
def test_answer_is_refused(
    programme: Programme, side: Side, who: str, days: int, error: type[Exception], said: str
) -> None:
    """From somebody who isn't on that side, and when the time is up; nothing changes."""
    pair = programme.invite()
    programme.now += days * DAY
    before = programme.state()
    with pytest.raises(error, match=said):
        programme.pairing.answer(pair.id, side, True, who)
    assert programme.state() == before


@pytest.mark.parametrize("yes", [True, False])
def test_answering_twice_is_refused(programme: Programme, yes: bool) -> None:
    """Also with another answer, also when it has started."""
    pair = programme.invite()
    programme.pairing.answer(pair.id, SENIOR, True, "s1")
    with pytest.raises(Conflict, match="answered already"):
        programme.pairing.answer(pair.id, SENIOR, yes, "s1")
    programme.pairing.answer(pair.id, JUNIOR, True, "j1")
    with pytest.raises(Conflict, match="answered already"):
        programme.pairing.answer(pair.id, SENIOR, yes, "s1")


def test_reasons_are_keys(programme: Programme) -> None:
    """Never free text: somebody else could read it."""
    pair = programme.start()
    for call in (
        partial(programme.pairing.answer, pair.id, SENIOR, False, "s1", "He is rude"),
        partial(programme.pairing.pause, pair.id, "s1", "He is rude"),
        partial(programme.pairing.end, pair.id, "s1", "He is rude"),
        partial(programme.pairing.cancel, "m", SENIOR, "He is rude", "s1"),
    ):
        with pytest.raises(InputRefused, match="He is rude"):
            call()


def test_unknown_ids_are_refused(programme: Programme) -> None:
    """With the id."""
    with pytest.raises(InputRefused, match="nope"):
        programme.pairing.end("nope", "co", "other")
    with pytest.raises(InputRefused, match="nope"):
        programme.pairing.held("nope", "co")
    with pytest.raises(UnknownPerson, match="nope"):
        programme.pairing.leave("nope", "co")


def test_invitation_can_be_taken_back(programme: Programme) -> None:
    """By the coordinator, until it has started."""
    pair = programme.invite()
    programme.pairing.withdraw(pair.id, "co")
    assert programme.letters("withdrawn") == ["s1", "j1"]
    assert programme.places() == []
    with pytest.raises(Conflict, match="is over"):
        programme.pairing.answer(pair.id, SENIOR, True, "s1")
    with pytest.raises(Conflict, match="learning together"):
        programme.pairing.withdraw(programme.start("s2", "j2").id, "co")


def test_many_invitations_are_few_statements(programme: Programme, monkeypatch: pytest.MonkeyPatch) -> None:
    """Statements of a publication don't grow with each pair, letters aside."""
    people = [a_senior(id=f"many{n}", name=f"Senior {n}") for n in range(300)]
    people += [a_junior(id=f"teaches{n}", name=f"Junior {n}") for n in range(300)]
    programme.store.people.put(people)
    reads = []
    monkeypatch.setattr(type(programme.store._database), "rows", _counted(type(programme.store._database).rows, reads))
    with programme.store.steps.step("round_published", "co", START) as step:
        many = [Invitation("slate-s1", f"many{n}", f"teaches{n}", "round") for n in range(300)]
        pairs = programme.pairing.invite_many(step, many, START)
    assert len(reads) < 10
    assert [each.senior_id for each in pairs] == [f"many{n}" for n in range(300)]
    assert len(programme.letters("invitation")) == 600
    assert {each.round_id for each in programme.pairing.all({PairState.INVITED})} == {"round"}


def _counted(original: Callable[..., Any], calls: list[Any]) -> Callable[..., Any]:
    def counting(self: Any, *args: Any) -> Any:
        calls.append(args)
        return original(self, *args)

    return counting


# Next candidates


def test_next_candidates_may_be_invited(programme: Programme) -> None:
    """Nobody who is full, put aside, forbidden, away, rejected, or was asked before."""
    pair = programme.invite()
    programme.pairing.answer(pair.id, SENIOR, False, "s1")
    programme.start("s2", "j2")
    assert programme.pairing.next_candidates(pair.id) == ["j3", "j4"]
    programme.store.slates.interact("slate-s1", "j3", Action.REFUSED, START, "topic")
    assert programme.pairing.next_candidates(pair.id) == ["j4"]
    programme.pairing.leave("j4", "co")
    assert programme.pairing.next_candidates(pair.id) == []
    programme.undo_last()
    programme.store.people.forbid_pair("j4", "s1", "")
    assert programme.pairing.next_candidates(pair.id) == []


def test_next_candidates_come_from_the_whole_slate(programme: Programme) -> None:
    """Also when the pair was made from a slate of one card: the request is the same."""
    with programme.store.steps.step("round_published", "co", START) as step:
        card = programme.store.slates.single_cards(step, [("slate-s1", "j2")])[0]
        programme.store.slates.match_many(step, [("j2", "s1", card)], "co", START)
        pair = programme.pairing.invite(step, card, "s1", "j2", START)
    programme.pairing.withdraw(pair.id, "co")
    assert programme.pairing.next_candidates(pair.id) == ["j1", "j3", "j4"]


def test_partners_are_not_proposed_again(programme: Programme) -> None:
    """Who was a pair or said no; not who was never asked, nor whose invitation lapsed."""
    ended = programme.start()
    assert programme.pairing.rematch(ended.id, "co") == ["j2", "j3", "j4"]
    assert programme.pairing.pair(ended.id).end_reason == "no_fit"
    assert programme.pairing.rematch(ended.id, "co") == ["j2", "j3", "j4"]
    lapsed = programme.invite("s2", "j2")
    with pytest.raises(Conflict, match="not said yes"):
        programme.pairing.rematch(lapsed.id, "co")
    assert programme.store.pairs.partners_of("s2") == {"j2"}
    programme.now += 11 * DAY
    programme.pairing.beat()
    assert (programme.store.pairs.partners_of("s1"), programme.store.pairs.partners_of("s2")) == ({"j1"}, set())


def test_seniors_in_the_queue_wait_for_somebody(programme: Programme) -> None:
    """Not who reached the goal, has a pair again, has a choice that waits, or has left."""
    first = programme.start()
    programme.pairing.end(first.id, "s1", "goal_reached")
    assert programme.pairing.to_match_again() == []
    second = programme.invite("s2", "j2")
    programme.pairing.answer(second.id, JUNIOR, False, "j2")
    assert [each.id for each in programme.pairing.to_match_again()] == [second.id]
    programme.store.slates.put(a_slate("later", "s2"))
    with programme.store.steps.step("chose", "s2", START) as step:
        row = {"slate_id": "later", "junior_id": "j3", "senior_id": "s2", "conversation_id": None}
        step.insert("choices", [row | {"happened_at": START}])
    assert programme.pairing.to_match_again() == []
    programme.undo_last()
    programme.pairing.leave("s2", "co")
    assert programme.pairing.to_match_again() == []


# Agreement


def test_agreement_starts_from_the_programme(programme: Programme) -> None:
    """Its rhythm and its words about confidence, in the language of the reader."""
    pair = programme.start()
    text = programme.pairing.agreement(pair.id, "nl")
    assert "60" in text.rhythm
    assert all(text.words)
    assert text != programme.pairing.agreement(pair.id, "en")
    with programme.store.steps.step("programme_saved", "co", START) as step:
        current = programme.store.facts.programme()
        programme.store.facts.set_programme(step, replace(current, between_us="Alles.", minutes=45))
    text = programme.pairing.agreement(pair.id, "nl")
    assert (text.between_us, "45" in text.rhythm) == ("Alles.", True)


def test_both_agree_to_the_same_text(programme: Programme) -> None:
    """A change by one asks the other again."""
    pair = programme.start()
    text = programme.pairing.agreement(pair.id, "nl")
    programme.pairing.agree(pair.id, SENIOR, text, "s1")
    agreed = programme.pairing.agree(pair.id, JUNIOR, text, "j1")
    assert agreed.agreement is not None
    assert agreed.agreement.settled
    assert programme.letters("agreement_changed") == []
    changed = replace(text, topics="Teams")
    again = programme.pairing.agree(pair.id, JUNIOR, changed, "j1", seen=text)
    assert again.agreement == changed.by(JUNIOR)
    assert programme.letters("agreement_changed") == ["s1"]
    assert programme.pairing.agree(pair.id, SENIOR, changed, "s1").agreement == changed.by(SENIOR, JUNIOR)


def test_text_that_changed_meanwhile_is_not_agreed_to(programme: Programme) -> None:
    """Neither as it was, nor with a change of one's own on top."""
    pair = programme.start()
    text = programme.pairing.agreement(pair.id, "nl")
    programme.pairing.agree(pair.id, SENIOR, text, "s1")
    programme.pairing.agree(pair.id, SENIOR, replace(text, topics="Teams"), "s1", seen=text)
    for wanted in (text, replace(text, topics="Excel")):
        with pytest.raises(Conflict, match="just changed"):
            programme.pairing.agree(pair.id, JUNIOR, wanted, "j1", seen=text)
    with pytest.raises(InputRefused, match="empty"):
        programme.pairing.agree(pair.id, JUNIOR, Agreement(), "j1")


# Meetings


def test_meeting_from_plan_to_held(programme: Programme) -> None:
    """Both get each change for their calendars; it can be marked once it is there."""
    pair = programme.start()
    meeting = programme.pairing.plan(pair.id, START + DAY, 60, " Utrecht ", "s1")
    moved = programme.pairing.move(meeting.id, START + 2 * DAY, 45, "Teams", "j1")
    assert (moved.sequence, moved.place, meeting.place) == (1, "Teams", "Utrecht")
    assert programme.pairing.meetings(pair.id) == [moved]
    assert programme.letters("meeting") == programme.letters("meeting_moved") == ["s1", "j1"]
    letter = next(each for each in programme.post.letters("s1") if each.kind == "meeting_moved")
    assert (letter.attachment, letter.values["when"]) == (
        {"kind": "calendar", "meeting": meeting.id},
        moved.starts_at.isoformat(),
    )
    with pytest.raises(InputRefused, match="still to come"):
        programme.pairing.held(meeting.id, "s1")
    programme.now = START + 3 * DAY
    assert [each.id for each in programme.pairing.to_mark("j1")] == [meeting.id]
    assert programme.pairing.held(meeting.id, "s1").state is MeetingState.HELD
    assert programme.pairing.to_mark("s1") == []
    with pytest.raises(Conflict, match="held or cancelled"):
        programme.pairing.cancel(meeting.id, JUNIOR, "ill", "j1")


def test_calendar_file(programme: Programme) -> None:
    """With both first names; a cancelled one takes itself out."""
    meeting = programme.pairing.plan(programme.start().id, START + DAY, 60, "Utrecht", "s1")
    programme.pairing.cancel(meeting.id, SENIOR, "ill", "s1")
    calendar = Calendar.from_ical(programme.pairing.calendar(meeting.id, "nl"))
    event = calendar.walk("VEVENT")[0]
    assert (calendar["METHOD"], event["SEQUENCE"], event["STATUS"]) == ("CANCEL", 1, "CANCELLED")
    assert "Senior1" in event["SUMMARY"]
    assert "Junior1" in event["SUMMARY"]
    assert "Achternaam" not in event["SUMMARY"]


@pytest.mark.parametrize(
    ("starts", "minutes", "error", "said"),
    [
        (timedelta(), 60, InputRefused, "has passed"),
        (DAY, 14, InputRefused, "14"),
        (DAY, 241, InputRefused, "240"),
        (WEEK + timedelta(minutes=30), 60, Conflict, "already"),
    ],
)
def test_meeting_is_refused(
    programme: Programme, starts: timedelta, minutes: int, error: type[Exception], said: str
) -> None:
    """In the past, too short, too long, or at the time of another; the same for a move."""
    pair = programme.start()
    programme.pairing.plan(pair.id, START + WEEK, 60, "", "s1")
    movable = programme.pairing.plan(pair.id, START + 2 * WEEK, 60, "", "s1")
    with pytest.raises(error, match=said):
        programme.pairing.plan(pair.id, START + starts, minutes, "", "s1")
    with pytest.raises(error, match=said):
        programme.pairing.move(movable.id, START + starts, minutes, "", "s1")


def test_meeting_without_a_plan_counts(programme: Programme) -> None:
    """As held; a meeting that is to come is planned instead."""
    pair = programme.start()
    assert programme.pairing.record(pair.id, START - DAY, 30, "Kantine", "j1").state is MeetingState.HELD
    with pytest.raises(InputRefused, match="still to come"):
        programme.pairing.record(pair.id, START + DAY, 30, "", "j1")


def test_cancelled_twice_by_the_senior_warns_the_coordinator(programme: Programme) -> None:
    """Both are told of each, and who cancelled is known."""
    pair = programme.start()
    for number in (1, 2):
        meeting = programme.pairing.plan(pair.id, START + number * DAY, 60, "", "s1")
        assert programme.pairing.warnings() == []
        assert programme.pairing.cancel(meeting.id, SENIOR, "busy", "s1").cancelled_by is SENIOR
    found = programme.pairing.warnings()
    assert [(each.pair_id, each.senior_id, each.kind, each.cancelled) for each in found] == [
        (pair.id, "s1", "cancelled", 2)
    ]
    assert sorted(programme.letters("meeting_cancelled")) == ["j1", "j1", "s1", "s1"]
    assert programme.pairing.health()[pair.id].word is HealthWord.TROUBLE
    meeting = programme.pairing.plan(pair.id, START + 5 * DAY, 60, "", "s1")
    with pytest.raises(Forbidden):
        programme.pairing.cancel(meeting.id, SENIOR, "busy", "j1")


def test_a_meeting_that_did_not_happen(programme: Programme) -> None:
    """Can be said afterwards, and then nobody needs a letter."""
    meeting = programme.pairing.plan(programme.start().id, START + DAY, 60, "", "s1")
    programme.now += 2 * DAY
    assert programme.pairing.cancel(meeting.id, None, "other", "co").cancelled_by is None
    assert programme.letters("meeting_cancelled") == []


# Check-ins


def test_check_in_goes_to_the_answers_and_the_outcomes(programme: Programme) -> None:
    """The mark is kept apart, for this side alone; answering again replaces."""
    pair = programme.start()
    programme.now += 4 * WEEK
    given = programme.pairing.check_in(pair.id, 4, SENIOR, FINE | {"rating": 5}, "s1")
    assert (given.answers, given.answered_at) == (FINE, programme.now)
    outcomes = programme.store.outcomes
    assert (outcomes.rating_of("slate-s1", SENIOR), outcomes.rating_of("slate-s1", JUNIOR)) == (5, None)
    programme.pairing.check_in(pair.id, 4, SENIOR, FINE | {"feel_safe": 1, "rating": 2}, "s1")
    assert outcomes.rating_of("slate-s1", SENIOR) == 2
    assert programme.pairing.my_check_ins(pair.id, SENIOR)[0].answers["feel_safe"] == 1
    assert programme.pairing.my_check_ins(pair.id, JUNIOR)[0].answers == {}
    programme.undo_last()
    assert outcomes.rating_of("slate-s1", SENIOR) == 5


def test_check_in_is_refused(programme: Programme) -> None:
    """Far too early, too late, incomplete, or of somebody else."""
    pair = programme.start()
    with pytest.raises(Conflict, match="week 12"):
        programme.pairing.check_in(pair.id, 12, SENIOR, FINE, "s1")
    with pytest.raises(InputRefused, match="Question 4"):
        programme.pairing.check_in(pair.id, 4, SENIOR, dict.fromkeys(QUESTIONS, 4), "s1")
    with pytest.raises(Forbidden):
        programme.pairing.check_in(pair.id, 4, SENIOR, FINE, "j1")
    programme.now += 12 * WEEK
    with pytest.raises(Conflict, match="week 4"):
        programme.pairing.check_in(pair.id, 4, SENIOR, FINE, "s1")


def test_mark_needs_an_approval_that_stands(programme: Programme) -> None:
    """As everywhere where sessions are rated; then the answers aren't kept either."""
    pair = programme.start()
    with programme.store.steps.step("review_undone", "co", START) as step:
        step.delete("reviews", slate_id="slate-s1")
    with pytest.raises(Conflict):
        programme.pairing.check_in(pair.id, 4, SENIOR, FINE | {"rating": 5}, "s1")
    assert programme.pairing.my_check_ins(pair.id, SENIOR)[0].answers == {}


# Pause, end, leaving


def test_pause_shifts_what_is_to_come(programme: Programme) -> None:
    """Meetings are off, check-ins move by the time it took, and nothing is planned meanwhile."""
    pair = programme.start()
    meeting = programme.pairing.plan(pair.id, START + 9 * DAY, 60, "", "s1")
    programme.now += WEEK
    programme.pairing.pause(pair.id, "j1", "ill")
    assert (programme.letters("paused"), programme.letters("meeting_cancelled")) == (["s1", "j1"], ["s1", "j1"])
    off = programme.store.pairs.meeting(meeting.id)
    assert (off.state, off.cancelled_by, off.reason) == (MeetingState.CANCELLED, None, "paused")
    with pytest.raises(Conflict, match="break"):
        programme.pairing.plan(pair.id, START + 3 * WEEK, 60, "", "s1")
    programme.now += 2 * WEEK
    resumed = programme.pairing.resume(pair.id, "j1")
    assert (resumed.state, resumed.paused_at, resumed.end_reason) == (PairState.ACTIVE, None, "")
    assert {each.due_at - START for each in programme.pairing.check_ins(pair.id)} == {6 * WEEK, 14 * WEEK, 26 * WEEK}
    assert programme.store.pairs.resumed() == {pair.id: programme.now}
    assert programme.pairing.warnings() == []
    assert programme.letters("resumed") == ["s1", "j1"]


def test_an_end_during_a_pause_counts_the_pause(programme: Programme) -> None:
    """Paused at week five and ended twenty weeks later: what was open at week five is what may still be answered."""
    pair = programme.start()
    programme.now += 5 * WEEK
    before = [each.week for each in programme.pairing.my_check_ins(pair.id, SENIOR)]
    programme.pairing.pause(pair.id, "j1", "ill")
    programme.now += 20 * WEEK
    programme.pairing.end(pair.id, "co", "other")
    assert [each.week for each in programme.pairing.my_check_ins(pair.id, SENIOR)] == before


def test_an_invitation_ends_when_it_said_it_would(programme: Programme) -> None:
    """However late the beat comes."""
    pair = programme.invite()
    programme.now = pair.expires_at + 3 * WEEK
    programme.pairing.beat()
    assert programme.store.pairs.pair(pair.id).ended_at == pair.expires_at


def test_letters_that_ask_too_late_stay_here(programme: Programme) -> None:
    """Withdrawn, left, or over before it was sent: nobody is asked for what can't be answered."""
    withdrawn, left = programme.invite(), programme.invite("s2", "j2")
    programme.pairing.withdraw(withdrawn.id, "co")
    programme.pairing.leave("j2", "co")
    programme.now += timedelta(hours=1)
    told = programme.store._database.rows("SELECT id, person_id FROM outbox WHERE kind = 'invitation'")
    assert len(told) == 4
    for letter_id, person_id in told:
        (letter,) = [each for each in programme.post.letters(person_id) if each.id == letter_id]
        with pytest.raises(Outdated):
            compose(letter, programme.store, "telemachos@example.com", programme.now)
    assert left.id


def test_end_frees_the_place(programme: Programme) -> None:
    """And calls off what was planned; afterwards nothing happens to the pair."""
    pair = programme.start()
    meeting = programme.pairing.plan(pair.id, START + DAY, 60, "", "s1")
    ended = programme.pairing.end(pair.id, "s1", "goal_reached")
    assert (ended.state, ended.end_reason, ended.ended_at) == (PairState.ENDED, "goal_reached", START)
    assert (programme.places(), programme.letters("ended")) == ([], ["s1", "j1"])
    for call in (
        partial(programme.pairing.end, pair.id, "s1", "other"),
        partial(programme.pairing.pause, pair.id, "s1", "ill"),
        partial(programme.pairing.resume, pair.id, "s1"),
        partial(programme.pairing.plan, pair.id, START + WEEK, 60, "", "s1"),
        partial(programme.pairing.move, meeting.id, START + WEEK, 60, "", "s1"),
        partial(programme.pairing.agree, pair.id, SENIOR, Agreement("x"), "s1"),
    ):
        with pytest.raises(Conflict, match="have ended"):
            call()


def test_leaver_frees_everybody(programme: Programme) -> None:
    """All open pairs end, partners are told and not the leaver, and who has left is suggested to nobody."""
    with programme.store.steps.step("places", "co", START) as step:
        step.update("juniors", {"id": "j1"}, {"capacity": 2})
    pair, invited = programme.start(), programme.invite("s2", "j1")
    programme.pairing.plan(pair.id, START + DAY, 60, "", "s1")
    before, version = programme.state(), programme.store.people.version()
    programme.pairing.leave("j1", "co")
    assert {each.id: (each.state, each.end_reason) for each in programme.pairing.of("j1")} == {
        pair.id: (PairState.ENDED, "left"),
        invited.id: (PairState.ENDED, "left"),
    }
    assert programme.places() == []
    assert sorted(programme.letters("partner_left")) == ["s1", "s2"]
    assert programme.letters("meeting_cancelled") == ["s1"]
    assert not programme.store.people.junior("j1").active
    left = programme.store.people.version()
    assert left > version
    programme.undo_last()
    assert programme.state() == before
    assert programme.store.people.version() > left


def test_senior_can_leave(programme: Programme) -> None:
    """The junior's place is free."""
    programme.start()
    programme.pairing.leave("s1", "co")
    assert (programme.letters("partner_left"), programme.places()) == (["j1"], [])


# What time brings


def test_time_reminds_then_lets_go(programme: Programme) -> None:
    """Who hasn't answered is reminded once, halfway; then the place is free and who had said yes is told."""
    pair = programme.invite()
    programme.pairing.answer(pair.id, SENIOR, True, "s1")
    assert programme.pairing.beat() == 0
    programme.now += 5 * DAY
    assert [programme.pairing.beat() for _ in range(3)] == [1, 0, 0]
    assert programme.letters("reminder") == ["j1"]
    programme.now += 5 * DAY
    assert [programme.pairing.beat() for _ in range(3)] == [1, 0, 0]
    assert programme.pairing.pair(pair.id).state is PairState.EXPIRED
    assert (programme.letters("expired"), programme.places()) == (["s1"], [])
    assert [each.id for each in programme.pairing.to_match_again()] == [pair.id]
    steps = programme.store.steps.recent(10, pair.id, ["beat"])
    assert [(each.who, each.about) for each in steps] == [("telemachos", pair.id)] * 2


def test_time_asks_how_it_goes(programme: Programme) -> None:
    """Once for each check-in, and only who hasn't answered; not in a pause."""
    pair = programme.start()
    programme.pairing.check_in(pair.id, 4, SENIOR, FINE, "s1")
    programme.now += 4 * WEEK
    assert [programme.pairing.beat(), programme.pairing.beat()] == [1, 0]
    assert programme.letters("check_in") == ["j1"]
    programme.pairing.pause(pair.id, "s1", "away")
    programme.now += 12 * WEEK
    assert programme.pairing.beat() == 0
    programme.pairing.resume(pair.id, "s1")
    programme.now += 8 * WEEK
    assert [programme.pairing.beat(), programme.pairing.beat()] == [1, 0]
    assert programme.letters("check_in") == ["j1", "s1", "j1"]


def test_time_only_asks_about_meetings_that_passed(programme: Programme) -> None:
    """Nobody's meeting is marked by itself."""
    pair = programme.start()
    programme.pairing.plan(pair.id, START + DAY, 60, "", "s1")
    programme.now += 2 * DAY
    assert programme.pairing.beat() == 0
    assert len(programme.pairing.to_mark("s1")) == 1


# Undo


def _planned(programme: Programme, pair: Pair) -> Meeting:
    return programme.pairing.plan(pair.id, START + DAY, 60, "", "s1")


STEPS: dict[str, Callable[[Programme, Pair], Any]] = {
    "end": lambda p, pair: p.pairing.end(pair.id, "s1", "no_fit"),
    "pause": lambda p, pair: p.pairing.pause(pair.id, "s1", "away"),
    "plan": _planned,
    "record": lambda p, pair: p.pairing.record(pair.id, START, 30, "", "s1"),
    "agree": lambda p, pair: p.pairing.agree(pair.id, SENIOR, p.pairing.agreement(pair.id, "nl"), "s1"),
    "check_in": lambda p, pair: p.pairing.check_in(pair.id, 4, SENIOR, FINE | {"rating": 3}, "s1"),
    "leave": lambda p, pair: p.pairing.leave("s1", "co"),
}


@pytest.mark.parametrize("name", list(STEPS))
def test_every_step_can_be_taken_back(programme: Programme, name: str) -> None:
    """To the exact rows from before, letters and places included; and what was taken back can be done again."""
    pair = programme.start()
    programme.pairing.plan(pair.id, START + 2 * DAY, 60, "", "s1")
    before = programme.state()
    STEPS[name](programme, pair)
    assert programme.state() != before
    programme.undo_last()
    assert programme.state() == before
    STEPS[name](programme, pair)
    assert programme.state() != before


@pytest.mark.parametrize("yes", [True, False])
def test_an_answer_can_be_taken_back(programme: Programme, yes: bool) -> None:
    """The start with its check-ins, the no with its place; then the answer can be the other."""
    pair = programme.invite()
    programme.pairing.answer(pair.id, SENIOR, True, "s1")
    before = programme.state()
    programme.pairing.answer(pair.id, JUNIOR, yes, "j1")
    programme.undo_last()
    assert programme.state() == before
    assert programme.pairing.answer(pair.id, JUNIOR, not yes, "j1").open != yes


def test_a_place_that_is_taken_again_is_not_taken_back(programme: Programme) -> None:
    """Undoing an end is refused when the junior has somebody else now."""
    programme.pairing.end(programme.start().id, "s1", "other")
    undone = programme.store.steps.recent(1)[0].id
    programme.invite("s2", "j1")
    before = programme.state()
    with pytest.raises(Conflict):
        programme.store.steps.undo(undone, "co", START)
    assert programme.state() == before


# Many at once


def at_once(calls: list[Callable[[], Any]]) -> list[Any]:
    """Run calls in eight threads; what was refused gives its error."""

    def result(call: Callable[[], Any]) -> Any:
        try:
            return call()
        except (Conflict, InputRefused) as error:
            return error

    with ThreadPoolExecutor(8) as pool:
        return list(pool.map(result, calls))


@pytest.mark.parametrize("attempt", range(3))
def test_eight_threads_never_make_an_impossible_pair(programme: Programme, attempt: int) -> None:
    """Answers, withdrawal, expiry and leaving at the same moment: one end, and the place fits it."""
    pair = programme.invite()
    programme.now += 9 * DAY
    pairing = programme.pairing
    calls: list[Callable[[], Any]] = [
        partial(pairing.answer, pair.id, SENIOR, True, "s1"),
        partial(pairing.answer, pair.id, JUNIOR, True, "j1"),
        partial(pairing.answer, pair.id, JUNIOR, False, "j1"),
        partial(pairing.answer, pair.id, SENIOR, False, "s1"),
        partial(pairing.withdraw, pair.id, "co"),
        pairing.beat,
        partial(pairing.end, pair.id, "s1", "other"),
        partial(pairing.pause, pair.id, "s1", "away"),
    ]
    at_once(calls[attempt:] + calls[:attempt])
    found = pairing.pair(pair.id)
    assert programme.places() == ([("j1", "s1")] if found.open else [])
    assert (
        bool(found.started_at) == bool(pairing.check_ins(pair.id)) == (found.senior_said == found.junior_said == "yes")
    )
    assert (found.ended_at is None) == found.open


def test_eight_threads_cancel_once(programme: Programme) -> None:
    """One succeeds, the others are told; there is one letter for each side."""
    meeting = programme.pairing.plan(programme.start().id, START + DAY, 60, "", "s1")
    results = at_once([partial(programme.pairing.cancel, meeting.id, SENIOR, "busy", "s1")] * 8)
    assert sum(isinstance(each, Meeting) for each in results) == 1
    assert programme.store.pairs.meeting(meeting.id).sequence == 1
    assert programme.letters("meeting_cancelled") == ["s1", "j1"]


def test_eight_threads_plan_no_two_at_one_time(programme: Programme) -> None:
    """Whoever is first has the time."""
    pair = programme.start()
    at_once([partial(programme.pairing.plan, pair.id, START + DAY, 60, "", "s1")] * 8)
    assert len(programme.pairing.meetings(pair.id)) == 1


def test_eight_heartbeats_are_one(programme: Programme) -> None:
    """Letters go once, and a pair expires once."""
    first, second = programme.invite(), programme.start("s2", "j2")
    programme.now += 4 * WEEK
    assert sum(at_once([programme.pairing.beat] * 8)) == 2
    assert programme.letters("check_in") == ["s2", "j2"]
    assert len(programme.store.steps.recent(99, kinds=["beat"])) == 2
    assert [programme.pairing.pair(each.id).state for each in (first, second)] == ["expired", "active"]


def test_places_are_never_given_twice(programme: Programme) -> None:
    """Inviting, saying no and undoing, over and over in eight threads: never more pairs than places."""

    def once(senior_id: str) -> None:
        slate_id = f"slate-{senior_id}"
        with programme.store.steps.step("review_approved", "co", START, slate_id) as step:
            card = programme.store.slates.single_cards(step, [(slate_id, "j1")])[0]
            programme.store.slates.match_many(step, [("j1", senior_id, card)], "co", START)
            pair = programme.pairing.invite(step, card, senior_id, "j1", START)
        assert len(programme.places()) <= 1
        programme.pairing.answer(pair.id, JUNIOR, False, "j1")

    at_once([partial(once, senior_id) for senior_id in ("s1", "s2") * 12])
    assert programme.places() == []
    assert 1 <= len(programme.pairing.all({PairState.DECLINED})) <= 24
