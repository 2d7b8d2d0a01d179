"""The page of the two: an invitation, what they agree on, meetings, short questions, and the way out."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from icalendar import Calendar
from streamlit.testing.v1 import AppTest

from app import matches_views
from app.matches_views import Next
from app.views import first_name
from recommender.domain import Side
from recommender.letters import day
from recommender.pair import QUESTIONS, MeetingState, Pair, PairState
from recommender.pair_letters import SIDES
from recommender.service import Service
from recommender.wording import LANGUAGES, Language, say
from tests.app.conftest import Clock
from tests.app.test_model import read
from tests.app.test_review import choose

Visit = Callable[..., AppTest]

REQUEST = "Excel draaitabellen voor mijn verslag"


@pytest.fixture(autouse=True)
def people(service: Service) -> None:
    """Let everybody be free on Wednesdays, and seniors give something back."""
    juniors = [replace(each, days=("wed",), capacity=2) for each in service.store.people.juniors()]
    seniors = [replace(each, days=("wed",), offers="Netwerken") for each in service.store.people.seniors()]
    service.put_people([*juniors, *seniors])


def invited(service: Service, senior: str = "s1") -> Pair:
    """Let a senior choose somebody and the coordinator approve it."""
    service.reviewing.approve([choose(service, senior, REQUEST)], "coordinator")
    return service.pairs.of(senior)[0]


def started(service: Service, senior: str = "s1") -> Pair:
    """Go on until both have said yes."""
    pair = invited(service, senior)
    for side in SIDES:
        pair = service.pairs.answer(pair.id, side, True, pair.person(side))
    return pair


def agreed(service: Service, senior: str = "s1") -> Pair:
    """Go on until both have agreed."""
    pair = started(service, senior)
    text = service.pairs.agreement(pair.id, "nl")
    for side in SIDES:
        pair = service.pairs.agree(pair.id, side, text, pair.person(side))
    return pair


def page_of(visit: Visit, person_id: str, language: Language = "nl") -> AppTest:
    """Open somebody's own page of appointments."""
    at = visit(person_id, language)
    at.session_state["telemachos"].go_to = "matches"
    at.run()
    assert not at.exception
    assert at.title[0].value == say("matches.title", language)
    return at


def partner(service: Service, pair: Pair, side: Side) -> str:
    """Return the first name of the other."""
    person = service.junior(pair.junior_id) if side is Side.SENIOR else service.senior(pair.senior_id)
    return first_name(person.name)


def fill_in(at: AppTest, pair: Pair, week: int, answer: int = 4, rating: int | None = 5) -> AppTest:
    """Answer every short question and send them."""
    for question in QUESTIONS:
        at.pills(key=f"checkin-{question}-{pair.id}-{week}").set_value(answer)
    at.pills(key=f"checkin-go_on-{pair.id}-{week}").set_value(1)
    if rating:
        at.pills(key=f"checkin-rating-{pair.id}-{week}").set_value(rating)
    at.run()
    return at.button(key="checkin-send").click().run()


# Before


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("side", SIDES)
def test_nothing_yet_says_what_to_do(visit: Visit, language: Language, side: Side) -> None:
    """Without pairs the page says how one comes about."""
    at = page_of(visit, "s1" if side is Side.SENIOR else "j1", language)
    assert say(f"matches.empty_{side}", language) in read(at)


def test_senior_goes_from_here_to_asking(visit: Visit) -> None:
    """The button of the empty page leads to the conversation."""
    at = page_of(visit, "s1")
    at.button(key="matches-ask").click().run()
    assert at.title[0].value == say("ask.title", "nl")


# The invitation


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("side", SIDES)
def test_invitation_says_who_what_and_until_when(
    visit: Visit, service: Service, language: Language, side: Side
) -> None:
    """Each side reads what a yes means; only the junior reads what the senior gives, only the senior the reasons."""
    pair = invited(service)
    at = page_of(visit, pair.person(side), language)
    name = partner(service, pair, side)
    assert say(f"invited.title_{side}", language, name=name) in read(at)
    assert say(f"invited.means_{side}", language) in read(at)
    assert ("“Netwerken”" in read(at)) == (side is Side.JUNIOR)
    assert (say("card.why", language) in read(at)) == (side is Side.SENIOR)
    assert day(pair.expires_at, language) in read(at)


def test_junior_never_reads_the_words_of_the_senior(visit: Visit, service: Service) -> None:
    """The subject is shown, the question isn't: not before and not after both have said yes."""
    pair = invited(service)
    assert REQUEST not in read(page_of(visit, pair.junior_id))
    for side in SIDES:
        service.pairs.answer(pair.id, side, True, pair.person(side))
    assert REQUEST not in read(page_of(visit, pair.junior_id))


def test_two_times_yes_starts_the_pair(visit: Visit, service: Service) -> None:
    """After the first yes one waits, after the second both may begin."""
    pair = invited(service)
    at = page_of(visit, "s1")
    at.button(key="invited-yes").click().run()
    assert say("invited.wait_senior", "nl") in read(at)
    assert service.pairs.pair(pair.id).state is PairState.INVITED
    at = page_of(visit, pair.junior_id)
    at.button(key="invited-yes").click().run()
    assert service.pairs.pair(pair.id).state is PairState.ACTIVE
    assert say("pactform.title", "nl") in read(at)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("side", SIDES)
def test_no_with_a_reason_that_the_other_never_sees(
    visit: Visit, service: Service, language: Language, side: Side
) -> None:
    """The form says who sees the reason, and the other reads only that it did not work out."""
    pair = invited(service)
    at = page_of(visit, pair.person(side), language)
    at.button(key="invited-no").click().run()
    assert say(f"invited.secret_{side}", language, name=partner(service, pair, side)) in read(at)
    at.pills(key=f"decline-{pair.id}").set_value("person").run()
    at.button(key="invited-no-sure").click().run()
    held = service.pairs.pair(pair.id)
    assert (held.state, held.end_reason) == (PairState.DECLINED, "person")
    other = Side.JUNIOR if side is Side.SENIOR else Side.SENIOR
    seen = read(page_of(visit, pair.person(other), language))
    assert say("matches.over_no_other", language, name=partner(service, pair, other)) in seen
    assert say("pairdecline.person", language) not in seen


def test_no_can_be_thought_over(visit: Visit, service: Service) -> None:
    """Back closes the form and nothing is answered."""
    pair = invited(service)
    at = page_of(visit, "s1")
    at.button(key="invited-no").click().run()
    at.button(key="form-back").click().run()
    assert at.button(key="invited-yes")
    assert service.pairs.pair(pair.id).said(Side.SENIOR) == ""


def test_invitation_that_ran_out_meanwhile_is_explained(visit: Visit, service: Service, clock: Clock) -> None:
    """A late yes gives a sentence."""
    invited(service)
    at = page_of(visit, "s1")
    clock.later(days=11)
    at.button(key="invited-yes").click().run()
    assert say("error.invitation_over", "nl").split(".")[0] in at.error[0].value


# What they agree on


@pytest.mark.parametrize("language", LANGUAGES)
def test_agreement_counts_once_both_agree(visit: Visit, service: Service, language: Language) -> None:
    """One changes the text and agrees; the other is told so, and agrees to the same text."""
    pair = started(service)
    at = page_of(visit, "s1", language)
    field = next(each for each in at.text_area if each.label == say("pactform.how_to_stop", language))
    field.set_value("Een belletje is genoeg.").run()
    at.button(key="pact-agree").click().run()
    assert say("pactform.waits_senior", language, name=partner(service, pair, Side.SENIOR)) in read(at)
    at = page_of(visit, pair.junior_id, language)
    told = say("pactform.other_agreed_junior", language, name=partner(service, pair, Side.JUNIOR))
    assert told in read(at)
    at.button(key="pact-agree").click().run()
    held = service.pairs.pair(pair.id).agreement
    assert held is not None
    assert held.settled
    assert held.how_to_stop == "Een belletje is genoeg."
    assert say("pactform.settled_junior", language, name=partner(service, pair, Side.JUNIOR)) in read(at)


def test_changed_agreement_is_asked_again(visit: Visit, service: Service) -> None:
    """What the second changes, the first reads and agrees to anew."""
    pair = started(service)
    page_of(visit, "s1").button(key="pact-agree").click().run()
    at = page_of(visit, pair.junior_id)
    next(each for each in at.text_area if each.label == say("pactform.rhythm", "nl")).set_value("Elke week").run()
    at.button(key="pact-agree").click().run()
    assert not at.error
    at = page_of(visit, "s1")
    assert say("pactform.other_agreed_senior", "nl", name=partner(service, pair, Side.SENIOR)) in read(at)
    assert any(each.value == "Elke week" for each in at.text_area)


def test_agreement_changed_under_ones_eyes_is_explained(visit: Visit, service: Service) -> None:
    """Who agrees to a text that the other has just changed reads the new one first."""
    pair = started(service)
    at = page_of(visit, pair.junior_id)
    text = service.pairs.agreement(pair.id, "nl")
    changed = text.with_words(["Alleen Excel", *text.words[1:]])
    service.pairs.agree(pair.id, Side.SENIOR, changed, "s1", text)
    next(each for each in at.text_area if each.label == say("pactform.rhythm", "nl")).set_value("Elke week")
    at.button(key="pact-agree").click().run()
    assert say("error.agreement_changed", "nl").split(".")[0] in at.error[0].value
    assert any(each.value == "Alleen Excel" for each in at.text_area)
    assert "Elke week" in [each.value for each in at.text]  # what was typed is not lost
    assert say("pactform.typed_junior", "nl") in read(at)
    at.button(key="pact-agree").click().run()
    assert say("pactform.typed_junior", "nl") not in read(at)


# Meetings


def planned(visit: Visit, pair: Pair, language: Language = "nl") -> AppTest:
    """Plan a meeting with the form as it stands."""
    at = page_of(visit, pair.senior_id, language)
    return at.button(key="meeting-save").click().run()


@pytest.mark.parametrize("language", LANGUAGES)
def test_meeting_is_planned_on_a_day_that_suits_both(visit: Visit, service: Service, language: Language) -> None:
    """The form proposes the first Wednesday on which both can; days and times are words."""
    pair = agreed(service)
    at = page_of(visit, "s1", language)
    assert at.selectbox(key=f"meeting-day-{pair.id}").value.weekday() == 2
    assert any(each.startswith(say("day.mon", language)) for each in at.selectbox(key=f"meeting-day-{pair.id}").options)
    at.button(key="meeting-save").click().run()
    meeting = service.pairs.meetings(pair.id)[0]
    local = meeting.starts_at.astimezone()
    assert (local.weekday(), local.hour, meeting.minutes, meeting.place) == (2, 10, 60, "Online")
    assert say("matches.nothing_senior", language) in read(at)
    calendar = Calendar.from_ical(service.pairs.calendar(meeting.id, language))
    assert calendar.walk("VEVENT")[0].decoded("dtstart") == meeting.starts_at
    assert at.get("download_button")


def test_meeting_moves_and_is_cancelled_with_a_reason(visit: Visit, service: Service) -> None:
    """Without a reason it stays; the other reads who cancelled and not why."""
    pair = agreed(service)
    at = planned(visit, pair)
    meeting = service.pairs.meetings(pair.id)[0]
    at.button(key=f"move-{meeting.id}").click().run()
    days = at.selectbox(key=f"meeting-day-{meeting.id}")
    days.select_index(days.index + 1)
    at.button(key="meeting-save").click().run()
    moved = service.pairs.meetings(pair.id)[0]
    assert moved.starts_at - meeting.starts_at == timedelta(days=1)
    at.button(key=f"cancel-{meeting.id}").click().run()
    at.button(key="meeting-cancel").click().run()
    assert say("error.reason_missing", "nl").split(".")[0] in at.error[0].value
    at.pills(key=f"cancel-reason-{meeting.id}").set_value("ill").run()
    at.button(key="meeting-cancel").click().run()
    held = service.pairs.meetings(pair.id)[0]
    assert (held.state, held.cancelled_by, held.reason) == (MeetingState.CANCELLED, Side.SENIOR, "ill")
    seen = read(page_of(visit, pair.junior_id))
    assert say("matches.was_off_other", "nl", name=partner(service, pair, Side.JUNIOR)) in seen
    assert say("pairoff.ill", "nl") not in seen


@pytest.mark.parametrize("answer", [MeetingState.HELD, MeetingState.CANCELLED])
def test_meeting_that_is_over_asks_whether_it_was_held(
    visit: Visit, service: Service, clock: Clock, answer: MeetingState
) -> None:
    """That question comes before anything else."""
    pair = agreed(service)
    planned(visit, pair)
    clock.later(days=10)
    at = page_of(visit, "s1")
    assert say("meeting.mark_title", "nl") in read(at)
    meeting = service.pairs.meetings(pair.id)[0]
    if answer is MeetingState.HELD:
        at.button(key="meeting-held").click().run()
    else:
        at.button(key="meeting-not-held").click().run()
        at.pills(key=f"cancel-reason-{meeting.id}").set_value("busy").run()
        at.button(key="meeting-cancel").click().run()
    assert service.pairs.meetings(pair.id)[0].state is answer
    assert say("meeting.mark_title", "nl") not in read(at)


# The short questions


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("side", SIDES)
def test_short_questions_when_they_are_due(
    visit: Visit, service: Service, clock: Clock, language: Language, side: Side
) -> None:
    """Not before week 4; then they come first, say who sees them, and a mark goes with them, unseen by the other."""
    pair = agreed(service)
    assert say("checkin.title", language) not in read(page_of(visit, pair.person(side), language))
    clock.later(weeks=4)
    at = page_of(visit, pair.person(side), language)
    name = partner(service, pair, side)
    assert say(f"checkin.blind_{side}", language, name=name) in read(at)
    at.button(key="checkin-send").click().run()
    assert say("error.check_in_answer", language, number=1).split(".")[0] in at.error[0].value
    fill_in(at, pair, 4)
    assert not at.error
    assert service.rating_of(pair.slate_id, side) == 5
    other = Side.JUNIOR if side is Side.SENIOR else Side.SENIOR
    seen = page_of(visit, pair.person(other), language)
    assert seen.pills(key=f"checkin-goal_nearer-{pair.id}-4").value is None
    assert seen.pills(key=f"checkin-rating-{pair.id}-4").value is None


def test_answers_can_be_changed_while_they_are_open(visit: Visit, service: Service, clock: Clock) -> None:
    """What was answered is chosen already, and another answer replaces it."""
    pair = agreed(service)
    clock.later(weeks=4)
    at = fill_in(page_of(visit, "s1"), pair, 4, rating=None)
    assert service.rating_of(pair.slate_id, Side.SENIOR) is None
    at = page_of(visit, "s1")
    at.button(key="checkin-again").click().run()
    assert at.pills(key=f"checkin-goal_nearer-{pair.id}-4").value == 4
    fill_in(at, pair, 4, answer=2)
    mine = next(each for each in service.pairs.check_ins(pair.id) if (each.week, each.side) == (4, Side.SENIOR))
    assert mine.answers["goal_nearer"] == 2


# Pause and stop


def test_pause_and_going_on(visit: Visit, service: Service) -> None:
    """A pause needs a reason, and either side ends it."""
    pair = agreed(service)
    at = page_of(visit, "s1")
    at.button(key="stop-pause").click().run()
    at.button(key="stop-save").click().run()
    assert say("error.reason_missing", "nl").split(".")[0] in at.error[0].value
    at.pills(key=f"stop-reason-pause-{pair.id}").set_value("away").run()
    at.button(key="stop-save").click().run()
    assert service.pairs.pair(pair.id).state is PairState.PAUSED
    at = page_of(visit, pair.junior_id)
    assert say("pairoff.away", "nl") not in read(at)
    at.button(key="stop-resume").click().run()
    assert service.pairs.pair(pair.id).state is PairState.ACTIVE


@pytest.mark.parametrize("language", LANGUAGES)
def test_stopping_leaves_the_question_how_it_went(visit: Visit, service: Service, language: Language) -> None:
    """After the end both can still say how it went; the reason stays with who gave it."""
    pair = agreed(service)
    at = page_of(visit, "s1", language)
    at.button(key="stop-stop").click().run()
    at.pills(key=f"stop-reason-stop-{pair.id}").set_value("goal_reached").run()
    at.button(key="stop-save").click().run()
    held = service.pairs.pair(pair.id)
    assert (held.state, held.end_reason) == (PairState.ENDED, "goal_reached")
    at = page_of(visit, pair.junior_id, language)
    assert say("pairend.goal_reached", language) not in read(at)
    at.pills(key=f"rating-junior-{pair.slate_id}").set_value(3).run()
    assert service.rating_of(pair.slate_id, Side.JUNIOR) == 3


def test_junior_with_two_pairs_sees_first_the_one_that_asks(visit: Visit, service: Service) -> None:
    """Names to choose from; the other pair is one press away."""
    first = started(service)
    second = started(service, "s2")
    assert second.junior_id == first.junior_id
    text = service.pairs.agreement(first.id, "nl")
    service.pairs.agree(first.id, Side.JUNIOR, text, first.junior_id)
    service.pairs.plan(first.id, service.now() + timedelta(days=7), 60, "", "s1")
    at = page_of(visit, first.junior_id)
    assert at.pills(key=f"matches-which-{first.junior_id}").value == second.id
    at.pills(key=f"matches-which-{first.junior_id}").set_value(first.id).run()
    assert say("matches.nothing_junior", "nl") in read(at)


# Plain data


def test_day_that_suits_nobody_is_a_working_day_soon() -> None:
    """Without shared days the form proposes the first working day after three days."""
    now = datetime.now(UTC)
    days = matches_views.days_to_pick(now)
    assert all(each.weekday() < 5 for each in days)
    assert 3 <= (matches_views.first_day(days, now, ()) - now.astimezone().date()).days <= 5
    assert matches_views.first_day(days, now, ("tue",)).weekday() == 1


def test_next_step_follows_the_life_of_a_pair(service: Service, clock: Clock) -> None:
    """Answer, wait, agree, plan, meet, mark, answer questions, rest."""

    def step() -> Next:
        return matches_views.mine(service, "s1", Side.SENIOR, "nl")[0].next

    pair = invited(service)
    assert step() is Next.ANSWER
    service.pairs.answer(pair.id, Side.SENIOR, True, "s1")
    assert step() is Next.WAIT
    service.pairs.answer(pair.id, Side.JUNIOR, True, pair.junior_id)
    assert step() is Next.AGREE
    service.pairs.agree(pair.id, Side.SENIOR, service.pairs.agreement(pair.id, "nl"), "s1")
    assert step() is Next.PLAN
    meeting = service.pairs.plan(pair.id, clock() + timedelta(days=2), 60, "", "s1")
    assert step() is Next.NOTHING
    clock.later(days=3)
    assert step() is Next.MARK
    service.pairs.held(meeting.id, "s1")
    clock.later(weeks=4)
    assert step() is Next.CHECK_IN
    service.pairs.check_in(pair.id, 4, Side.SENIOR, dict.fromkeys(QUESTIONS, 3) | {"go_on": 1}, "s1")
    assert step() is Next.PLAN
    service.pairs.pause(pair.id, "s1", "busy")
    assert step() is Next.REST
