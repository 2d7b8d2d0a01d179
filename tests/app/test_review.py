"""The page of the coordinator."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from streamlit.testing.v1 import AppTest

from recommender.domain import JuniorId, SeniorId, SlateId
from recommender.service import Service
from recommender.wording import LANGUAGES, Language, say

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
    assert "“Filmpjes maken”" in read(at)
    assert "“Excel draaitabellen”" not in read(at)


def test_approval_empties_the_queue_and_can_be_undone(visit: Visit, service: Service) -> None:
    """Approve makes a match; undo puts the choice back and frees the place."""
    slate_id = choose(service, "s1", "Excel")
    at = visit("coordinator")
    at.button(key="approve").click().run()
    assert service.counts()["matches"] == 1
    assert say("review.was_approved", "nl") in read(at)
    at.button(key=f"undo-{slate_id}").click().run()
    assert service.counts()["matches"] == 0
    assert [each.slate.id for each in service.reviewing.waiting()] == [slate_id]


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


@pytest.mark.parametrize("language", LANGUAGES)
def test_somebody_else_was_first(visit: Visit, service: Service, language: Language) -> None:
    """A decision on a choice that was decided meanwhile is refused in a plain sentence."""
    slate_id = choose(service, "s1", "Excel")
    at = visit("coordinator", language)
    service.reviewing.reject([slate_id], "another", "other")
    at.button(key="approve").click().run()
    assert say("error.already_decided", language).split(".")[0] in at.error[0].value
    assert service.counts()["matches"] == 0


def test_comparison_puts_three_side_by_side(visit: Visit, service: Service) -> None:
    """The chosen junior and the two best others stand in columns, with site, days, level, load and score as rows."""
    slate_id = choose(service, "s1", "Excel", place=4)
    at = visit("coordinator")
    at.toggle(key=f"compare-{slate_id}").set_value(True).run()
    table = at.table[1].value
    names = [service.slate(slate_id).suggestions[place].name for place in (4, 0, 1)]
    assert list(table.columns) == names
    for row in ("site", "days", "languages", "level", "load", "reasons", "minus", "score"):
        assert say(f"review.row_{row}", "nl") in [name.replace("\\", "") for name in table.index]


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
