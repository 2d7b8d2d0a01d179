"""The page of the coordinator."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from recommender.domain import JuniorId, SeniorId, SlateId
from recommender.service import Service
from recommender.wording import LANGUAGES, Language, say
from tests.builders import a_senior

Visit = Callable[..., AppTest]


def choose(service: Service, senior: str, text: str, place: int = 0) -> SlateId:
    """Let a senior ask, choose the junior at `place` of the slate, and confirm."""
    senior_id = SeniorId(senior)
    conversation = service.talk.new_conversation(senior_id, "nl")
    state = service.talk.say(conversation, senior_id, text, "nl")
    assert state.slate_id
    junior_id = service.slate(state.slate_id).suggestions[place].junior_id
    service.talk.pick(conversation, JuniorId(junior_id))
    service.talk.confirm(conversation, senior_id)
    return state.slate_id


def keys(elements: Iterable[Any]) -> set[str]:
    """Return the keys of widgets."""
    return {each.key for each in elements}


def many(service: Service, number: int) -> list[SlateId]:
    """Let as many seniors each choose another junior than the rest."""
    service.put_people([replace(each, capacity=number) for each in service.store.people.juniors()])
    service.put_people([a_senior(id=SeniorId(f"m{each}"), name=f"Wachter{each} Voorbeeld") for each in range(number)])
    return [choose(service, f"m{each}", "Excel") for each in range(number)]


def read(at: AppTest) -> str:
    """Return everything that can be read on the page."""
    parts = [*at.title, *at.header, *at.subheader, *at.markdown, *at.text, *at.caption, *at.warning, *at.error]
    return "\n".join(part.value for part in parts)


@pytest.mark.parametrize("language", LANGUAGES)
def test_empty_queue_says_so(visit: Visit, language: Language) -> None:
    """Without choices the page is calm and complete."""
    at = visit("coordinator", language)
    assert not at.exception
    assert at.title[0].value == say("review.title", language)
    assert say("review.empty", language) in read(at)


@pytest.mark.parametrize("language", LANGUAGES)
def test_oldest_choice_is_shown_first_with_everything_to_decide(
    visit: Visit, service: Service, language: Language
) -> None:
    """The request, both names, evidence and all parts of the score are there, for the oldest choice."""
    first = choose(service, "s1", "Excel draaitabellen")
    choose(service, "s2", "Filmpjes maken")
    at = visit("coordinator", language)
    suggestion = service.slate(first).suggestions[0]
    pair = say("review.pair", language, senior=service.senior("s1").name, junior=suggestion.name)
    assert say("review.waiting", language, count=2) in read(at)
    assert at.header[1].value == pair
    assert "“Excel draaitabellen”" in read(at)
    assert all(f"“{each}”" in read(at) for each in suggestion.evidence)
    assert len(at.table[0].value) == len(suggestion.contributions) + 1


def test_looking_at_another_choice_changes_the_detail(visit: Visit, service: Service) -> None:
    """A press on the second item shows that request."""
    choose(service, "s1", "Excel draaitabellen")
    second = choose(service, "s2", "Filmpjes maken")
    at = visit("coordinator")
    at.button(key=f"look-{second}").click().run()
    assert f"note-{second}" in keys(at.text_area)
    assert read(at).count("“Filmpjes maken”") == 2
    assert read(at).count("“Excel draaitabellen”") == 1


def test_approval_empties_the_queue_and_can_be_undone(visit: Visit, service: Service) -> None:
    """Approve makes a match; undo puts the choice back and frees the place."""
    slate_id = choose(service, "s1", "Excel")
    at = visit("coordinator")
    at.button(key="approve").click().run()
    assert service.counts()["matches"] == 1
    assert say("queue.done_approved", "nl", count=1) in read(at)
    assert say("review.was_approved", "nl") in read(at)
    at.button(key="take-back").click().run()
    assert service.counts()["matches"] == 0
    assert [each.slate.id for each in service.reviewing.waiting()] == [slate_id]
    assert say("review.was_approved", "nl") not in read(at)


@pytest.mark.parametrize("language", LANGUAGES)
def test_rejection_needs_a_reason(visit: Visit, service: Service, language: Language) -> None:
    """Without a reason nothing happens and the note stays; with one it is stored."""
    slate_id = choose(service, "s1", "Excel")
    at = visit("coordinator", language)
    at.text_area(key=f"note-{slate_id}").set_value("Even bellen.").run()
    at.button(key="reject").click().run()
    assert say("error.reason_required", language).split(".")[0] in at.error[0].value
    assert at.text_area(key=f"note-{slate_id}").value == "Even bellen."
    assert service.reviewing.waiting()
    at.pills(key=f"reason-{slate_id}").set_value("time").run()
    at.button(key="reject").click().run()
    assert [each.reason for each in service.reviewing.decided()] == ["time"]
    assert say("review.was_rejected", language, reason=say("reject.time", language)) in read(at)


@pytest.mark.parametrize("decision", ["approve", "reject"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_somebody_else_was_first(visit: Visit, service: Service, language: Language, decision: str) -> None:
    """What another decided meanwhile is said with the name; nothing changes, and the note that was typed stays."""
    slate_id = choose(service, "s1", "Excel")
    at = visit("coordinator", language)
    at.text_area(key=f"note-{slate_id}").set_value("Even bellen.").run()
    if decision == "approve":
        service.reviewing.approve([slate_id], "Piet")
    else:
        service.reviewing.reject([slate_id], "Piet", "other")
    at.button(key="approve").click().run()
    assert [each.value.split()[0] for each in at.error] == ["Piet"]
    assert service.counts()["matches"] == (decision == "approve")
    assert at.text_area(key=f"note-{slate_id}").value == "Even bellen."
    at.button(key="remark-typed").click().run()
    assert [each.text for each in service.reviewing.notes(slate_id)] == ["Even bellen."]


def test_choice_that_was_taken_back_leaves_no_other_in_its_place(visit: Visit, service: Service) -> None:
    """When the senior takes back what the coordinator looks at, no other choice slips under the button."""
    first = choose(service, "s1", "Excel")
    choose(service, "s2", "Filmpjes maken")
    at = visit("coordinator")
    service.store.slates.undo_choice(first, datetime.now(UTC))
    at.run()
    assert [each.value for each in at.error] == [say("queue.gone", "nl").replace(".", "\\.")]
    assert "approve" not in keys(at.button)


def test_comparison_puts_three_side_by_side(visit: Visit, service: Service) -> None:
    """The chosen junior and the two best others stand in columns, with site, days, level, load and score as rows."""
    slate_id = choose(service, "s1", "Excel", place=4)
    at = visit("coordinator")
    at.toggle(key=f"compare-{slate_id}").set_value(True).run()
    table = at.table[1].value
    suggestions = service.slate(slate_id).suggestions
    assert list(table.columns) == [suggestions[place].name for place in (4, 0, 1)]
    for row in ("site", "days", "languages", "level", "load", "reasons", "minus", "score"):
        assert say(f"review.row_{row}", "nl") in [name.replace("\\", "") for name in table.index]
    at.pills(key=f"beside-{slate_id}").set_value([suggestions[2].junior_id]).run()
    assert list(at.table[1].value.columns) == [suggestions[place].name for place in (4, 2)]


def test_comparison_marks_what_differs(visit: Visit, service: Service) -> None:
    """A site that only one has is bold; what all have is not; names and Markdown stay words."""
    slate_id = choose(service, "s1", "Excel")
    chosen, *others = (each.junior_id for each in service.slate(slate_id).suggestions)
    service.put_people([replace(service.junior(chosen), site="*Gent*", days=("mon", "tue"))])
    service.put_people([replace(service.junior(each), site="Utrecht", days=("tue",)) for each in others])
    at = visit("coordinator")
    at.toggle(key=f"compare-{slate_id}").set_value(True).run()
    table = at.table[1].value
    assert list(table.loc[say("review.row_site", "nl")]) == ["**\\*Gent\\***", "**Utrecht**", "**Utrecht**"]
    assert list(table.loc[say("review.row_days", "nl")]) == ["**maandag**; dinsdag", "dinsdag", "dinsdag"]


def test_two_people_with_one_name_can_be_compared(visit: Visit, service: Service) -> None:
    """Names are not unique; both columns are drawn."""
    service.put_people([replace(each, name="Jan Jansen") for each in service.store.people.juniors()])
    slate_id = choose(service, "s1", "Excel")
    at = visit("coordinator")
    at.toggle(key=f"compare-{slate_id}").set_value(True).run()
    assert not at.exception
    assert not at.error
    assert len(at.table[1].value.columns) == 3


def test_warnings_name_what_to_check_by_hand(visit: Visit, service: Service) -> None:
    """An unknown rank, a withdrawn consent, a pause and a lower place on the list are all said."""
    slate_id = choose(service, "s1", "Excel", place=2)
    junior = service.junior(service.slate(slate_id).suggestions[2].junior_id)
    service.put_people([replace(junior, rank=None, consent=False, active=False)])
    at = visit("coordinator")
    expected = {say(f"review.warn_{name}", "nl") for name in ("junior_rank", "consent", "inactive", "not_first")}
    assert {each.value for each in at.warning} == expected


def test_full_junior_is_refused_with_a_sentence(visit: Visit, service: Service) -> None:
    """When the last place went to another, approving says so and the choice keeps waiting."""
    slate_id = choose(service, "s1", "Excel")
    junior_id = service.slate(slate_id).suggestions[0].junior_id
    service.put_people([replace(service.junior(junior_id), capacity=0)])
    at = visit("coordinator")
    assert say("review.warn_full", "nl") in {each.value for each in at.warning}
    at.button(key="approve").click().run()
    assert at.error
    assert service.reviewing.waiting()


def test_only_the_coordinator_sees_the_queue(visit: Visit, service: Service) -> None:
    """The keeper of the model and somebody who learns get their own page, without names from the queue."""
    choose(service, "s1", "Excel")
    for who in ("scientist", "s2", "j8"):
        assert service.senior("s1").name not in read(visit(who))


# The queue


@pytest.mark.parametrize("view", ["list", "table"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_list_and_table_say_the_same(visit: Visit, service: Service, language: Language, view: str) -> None:
    """Who, what was asked, how long it waits and the load of the junior; a box and a button for each."""
    first, second = choose(service, "s1", "Excel draaitabellen"), choose(service, "s2", "Filmpjes maken")
    at = visit("coordinator", language)
    at.segmented_control(key="queue-view").set_value(view).run()
    assert not at.exception
    text = read(at)
    assert "“Filmpjes maken”" in text
    assert say("review.today", language) in text
    assert say("review.places", language, taken=1, capacity=1) in text
    assert {f"pick-{first}", f"pick-{second}", "pick-page"} <= keys(at.checkbox)
    assert f"look-{second}" in keys(at.button)


def test_ten_on_a_page(visit: Visit, service: Service) -> None:
    """The eleventh is on the next page, and the choice that was looked at stays."""
    ids = many(service, 11)
    at = visit("coordinator")
    assert len(keys(at.checkbox) & {f"pick-{each}" for each in ids}) == 10
    at.button(key="page-after").click().run()
    assert keys(at.checkbox) & {f"pick-{each}" for each in ids} == {f"pick-{ids[10]}"}
    assert f"note-{ids[0]}" in keys(at.text_area)


def test_page_is_approved_in_one_step_and_taken_back_in_one(visit: Visit, service: Service) -> None:
    """Everything on the page is ticked, approved at once, and all of it waits again after one press."""
    many(service, 11)
    at = visit("coordinator")
    at.checkbox(key="pick-page").check().run()
    assert say("queue.chosen", "nl", count=10) in read(at)
    at.button(key="bulk-approve").click().run()
    assert say("queue.done_approved_many", "nl", count=10) in read(at)
    assert say("queue.was_approved_many", "nl", count=10) in read(at)
    assert len(service.reviewing.waiting()) == 1
    at.button(key="take-back").click().run()
    assert not at.error
    assert len(service.reviewing.waiting()) == 11
    assert service.counts()["matches"] == 0


def test_several_are_rejected_for_one_reason(visit: Visit, service: Service) -> None:
    """Without a reason nothing happens and the ticks stay; the batch can be undone from the list below."""
    ids = many(service, 3)
    at = visit("coordinator")
    for each in ids[:2]:
        at.checkbox(key=f"pick-{each}").check().run()
    at.button(key="bulk-reject").click().run()
    assert say("error.reason_required", "nl").split(".")[0] in at.error[0].value
    assert at.checkbox(key=f"pick-{ids[1]}").value
    at.pills(key="bulk-reason").set_value("time").run()
    at.button(key="bulk-reject").click().run()
    assert {each.reason for each in service.reviewing.decided()} == {"time"}
    assert [each.slate.id for each in service.reviewing.waiting()] == [ids[2]]
    undo = next(each for each in keys(at.button) if each and each.startswith("undo-"))
    at.button(key=undo).click().run()
    assert len(service.reviewing.waiting()) == 3


def test_nothing_ticked_is_said(visit: Visit, service: Service) -> None:
    """A press without a choice says what to do, and decides nothing."""
    many(service, 2)
    at = visit("coordinator")
    at.button(key="bulk-approve").click().run()
    assert say("error.nothing_chosen", "nl").split(".")[0] in at.error[0].value
    assert len(service.reviewing.waiting()) == 2


def test_bulk_says_which_were_decided_by_another(visit: Visit, service: Service) -> None:
    """All or none: one that was decided meanwhile stops the batch; the others stay ticked."""
    ids = many(service, 3)
    at = visit("coordinator")
    at.checkbox(key="pick-page").check().run()
    service.reviewing.reject([ids[2]], "Piet", "other")
    at.button(key="bulk-approve").click().run()
    assert say("queue.clash", "nl").split(".")[0] in at.error[0].value
    assert "Piet" in at.error[0].value
    assert service.counts()["matches"] == 0
    at.button(key="bulk-approve").click().run()
    assert service.counts()["matches"] == 2


def test_filters_narrow_the_list_and_are_cleared(visit: Visit, service: Service) -> None:
    """Site, word and open question each leave the right ones; the number is said; one press shows all again."""
    first, second = choose(service, "s1", "Excel draaitabellen"), choose(service, "s2", "Filmpjes maken")
    service.put_people([replace(service.senior("s2"), site="Gent", department="Inkoop")])
    service.reviewing.ask(second, "coordinator", "Kunt u ook op dinsdag?")
    at = visit("coordinator")
    assert say("queue.question_open", "nl") in read(at)
    narrowed = (
        ("selectbox", "filter-site", "Gent"),
        ("selectbox", "filter-department", "Inkoop"),
        ("text_input", "filter-words", "FILMPJES"),
        ("checkbox", "filter-asked", True),
    )
    for widget, key, value in narrowed:
        at.checkbox(key=f"pick-{first}").check().run()
        getattr(at, widget)(key=key).set_value(value).run()
        assert say("queue.shown", "nl", shown=1, count=2) in read(at), key
        assert f"pick-{first}" not in keys(at.checkbox)
        at.button(key="filter-clear").click().run()
        assert say("queue.shown", "nl", shown=2, count=2) in read(at)
        assert not at.checkbox(key=f"pick-{first}").value, "what was hidden is no longer ticked"
    at.text_input(key="filter-words").set_value("nergens").run()
    assert say("queue.none_shown", "nl").split(".")[0] in read(at)


def test_long_waits_can_be_picked_out(visit: Visit, service: Service) -> None:
    """Six days is longer than five, five is not."""
    first, second = choose(service, "s1", "Excel"), choose(service, "s2", "Filmpjes maken")
    now = datetime.now(UTC)
    for slate_id, days in ((first, 5), (second, 6)):
        choice = service.choice(slate_id)
        assert choice
        service.store.slates.undo_choice(slate_id, now)
        senior = choice.slate.request.senior_id
        service.store.slates.choose(slate_id, choice.junior_id, senior, None, now - timedelta(days=days))
    at = visit("coordinator")
    at.checkbox(key="filter-long").check().run()
    assert f"pick-{second}" in keys(at.checkbox)
    assert f"pick-{first}" not in keys(at.checkbox)


# More than yes and no


@pytest.mark.parametrize("language", LANGUAGES)
def test_another_junior_needs_a_reason(visit: Visit, service: Service, language: Language) -> None:
    """The first is rejected for the reason that was given, the other is invited, and both go back in one press."""
    slate_id = choose(service, "s1", "Excel")
    other = service.slate(slate_id).suggestions[2].junior_id
    at = visit("coordinator", language)
    at.selectbox(key=f"other-{slate_id}").set_value(other).run()
    at.button(key="reassign").click().run()
    assert say("error.reason_required", language).split(".")[0] in at.error[0].value
    at.pills(key=f"other-reason-{slate_id}").set_value("place").run()
    at.button(key="reassign").click().run()
    assert not at.error
    assert [each.junior_id for each in service.pairs.of(other)] == [other]
    assert say("queue.was_reassigned", language) in read(at)
    at.button(key="take-back").click().run()
    assert [each.slate.id for each in service.reviewing.waiting()] == [slate_id]
    assert service.pairs.of(other) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_question_goes_to_the_senior_and_the_answer_comes_back(
    visit: Visit, service: Service, language: Language
) -> None:
    """The queue says that an answer is awaited; the senior answers on their own page; the detail shows it."""
    slate_id = choose(service, "s1", "Excel")
    at = visit("coordinator", language)
    at.text_area(key=f"ask-{slate_id}").set_value("Kunt u ook op dinsdag?").run()
    at.button(key="ask").click().run()
    assert say("queue.no_answer", language) in read(at)
    assert say("queue.question_open", language) in read(at)
    assert at.text_area(key=f"ask-{slate_id}").value == ""

    (question,) = service.reviewing.questions_for(SeniorId("s1"))
    senior = visit("s1", language)
    assert "“Kunt u ook op dinsdag?”" in read(senior)
    senior.text_area(key=f"answer-{question.id}").set_value("Dinsdag is goed.").run()
    senior.button(key=f"answer-send-{question.id}").click().run()
    assert not senior.error
    assert say("asked.answered", language) in read(senior)

    at.run()
    assert "“Dinsdag is goed.”" in read(at)
    assert say("queue.question_answered", language) in read(at)
    assert "Kunt u ook op dinsdag?" not in read(visit("s2", language))


def test_note_is_kept_with_who_and_stays_with_the_choice(visit: Visit, service: Service) -> None:
    """An empty note is refused; a written one is listed for this choice only."""
    slate_id, other = choose(service, "s1", "Excel"), choose(service, "s2", "Filmpjes maken")
    at = visit("coordinator")
    at.button(key="remark").click().run()
    assert say("error.note_empty", "nl").split(".")[0] in at.error[0].value
    at.text_area(key=f"remark-{slate_id}").set_value("Belt *liever*.").run()
    at.button(key="remark").click().run()
    assert "Belt *liever*." in read(at)
    assert "De coördinator schreef op" in read(at)
    at.button(key=f"look-{other}").click().run()
    assert "Belt *liever*." not in read(at)


def test_typed_note_survives_a_look_elsewhere(visit: Visit, service: Service) -> None:
    """A note that isn't used yet is still there after looking at another choice and back."""
    slate_id, other = choose(service, "s1", "Excel"), choose(service, "s2", "Filmpjes maken")
    at = visit("coordinator")
    at.text_area(key=f"note-{slate_id}").set_value("Even bellen.").run()
    at.button(key=f"look-{other}").click().run()
    at.button(key=f"look-{slate_id}").click().run()
    assert at.text_area(key=f"note-{slate_id}").value == "Even bellen."


@pytest.mark.parametrize("language", LANGUAGES)
def test_fast_approvals_are_said_and_nothing_is_blocked(visit: Visit, service: Service, language: Language) -> None:
    """After eight in a row within seconds the page says so; another kind of decision ends it."""
    ids = many(service, 10)
    for each in ids[:8]:
        service.reviewing.approve([each], "coordinator")
    at = visit("coordinator", language)
    assert "8" in at.info[0].value
    assert say("queue.pace_advice", language) in at.info[0].value
    at.button(key="approve").click().run()
    assert len(service.reviewing.waiting()) == 1
    service.reviewing.reject([ids[9]], "coordinator", "time")
    assert not at.run().info
