"""How it went, said by each side apart; why a card was put aside; and the switch for the order of cards."""

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from app import views
from recommender.domain import SeniorId, Side, SlateId
from recommender.service import Service
from recommender.wording import LANGUAGES, Language, say
from tests.app.test_ask import ask, cards, sent
from tests.app.test_model import read
from tests.app.test_review import choose

Visit = Callable[..., AppTest]


def approved(service: Service) -> SlateId:
    """Bring s1 and a junior together."""
    slate_id = choose(service, "s1", "Excel draaitabellen")
    service.reviewing.approve([slate_id], "coordinator")
    return slate_id


def junior_of(service: Service, slate_id: SlateId) -> str:
    """Return who was chosen."""
    return next(each.junior_id for each in service.reviewing.decided() if each.slate.id == slate_id)


def log(service: Service) -> list[tuple[str, str]]:
    """Return the refusals that were logged, with their reasons."""
    rows = service.store.outcomes.log(["load"]).to_pylist()
    return [(each["junior"], each["refusal_reason"]) for each in rows if each["action"] == "refused"]


# After a match


@pytest.mark.parametrize("language", LANGUAGES)
def test_senior_says_how_it_went_and_can_change_it(visit: Visit, service: Service, language: Language) -> None:
    """Five words, one press; another word replaces it, also after a reload, and the page says who doesn't see it."""
    slate_id = approved(service)
    name = views.first_name(service.junior(junior_of(service, slate_id)).name)
    at = visit("s1", language)
    assert not at.exception
    key = f"rating-senior-{slate_id}"
    assert at.pills(key=key).options == [say(f"rating.word_{each}", language) for each in (5, 4, 3, 2, 1)]
    assert at.pills(key=key).value is None
    assert say("rating.blind_senior", language, name=name) in read(at)
    at.pills(key=key).set_value(2).run()
    assert service.rating_of(slate_id, Side.SENIOR) == 2
    assert say("rating.said_senior", language, word=say("rating.word_2", language)) in read(at)
    again = visit("s1", language)
    assert again.pills(key=key).value == 2
    again.pills(key=key).set_value(5).run()
    assert service.rating_of(slate_id, Side.SENIOR) == 5


@pytest.mark.parametrize("language", LANGUAGES)
def test_junior_says_how_it_went(visit: Visit, service: Service, language: Language) -> None:
    """The junior finds whom they explain to, what was asked, and the same five words."""
    slate_id = approved(service)
    at = visit(junior_of(service, slate_id), language)
    assert not at.exception
    assert say("rating.matches", language) in read(at)
    assert "“Excel draaitabellen”" in read(at)
    at.pills(key=f"rating-junior-{slate_id}").set_value(4).run()
    assert service.rating_of(slate_id, Side.JUNIOR) == 4
    assert say("rating.said_junior", language, word=say("rating.word_4", language)) in read(at)


def test_neither_side_sees_the_answer_of_the_other(visit: Visit, service: Service) -> None:
    """What one chose is nowhere on the page of the other."""
    slate_id = approved(service)
    service.rate(slate_id, Side.SENIOR, 1)
    at = visit(junior_of(service, slate_id))
    assert at.pills(key=f"rating-junior-{slate_id}").value is None
    assert say("rating.said_junior", "nl", word=say("rating.word_1", "nl")) not in read(at)
    service.rate(slate_id, Side.JUNIOR, 5)
    assert visit("s1").pills(key=f"rating-senior-{slate_id}").value == 1


def test_nothing_to_rate_before_the_coordinator_has_approved(visit: Visit, service: Service) -> None:
    """A choice that waits, or was rejected, has no question about how it went."""
    slate_id = choose(service, "s1", "Excel")
    junior = service.reviewing.waiting()[0].junior_id
    for _ in range(2):
        assert not [each for each in visit("s1").get("button_group") if "rating" in each.proto.id]
        assert say("rating.matches", "nl") not in read(visit(junior))
        if service.reviewing.waiting():
            service.reviewing.reject([slate_id], "coordinator", "time")


def test_late_answer_to_a_match_that_was_taken_back_is_explained(visit: Visit, service: Service) -> None:
    """When the approval is undone meanwhile, the press gives a sentence and stores nothing."""
    slate_id = approved(service)
    at = visit("s1")
    service.reviewing.undo(service.store.steps.recent(1)[0].id, "coordinator")
    at.pills(key=f"rating-senior-{slate_id}").set_value(3).run()
    assert not at.exception
    assert len(at.error) == 1
    assert service.rating_of(slate_id, Side.SENIOR) is None


def test_rating_keeps_an_unsaved_profile(visit: Visit, service: Service) -> None:
    """Saying how it went does not touch what was typed in the profile."""
    slate_id = approved(service)
    at = visit(junior_of(service, slate_id))
    at.text_area(key="profile-text").set_value("Nog niet bewaard").run()
    at.pills(key=f"rating-junior-{slate_id}").set_value(4).run()
    assert at.text_area(key="profile-text").value == "Nog niet bewaard"


# A card that is put aside


@pytest.mark.parametrize("language", LANGUAGES)
def test_card_goes_at_once_and_a_reason_may_follow(visit: Visit, service: Service, language: Language) -> None:
    """One press puts the card aside; then six chips ask why, and the page works the same without an answer."""
    at = ask(visit("s1", language), "Excel")
    first = cards(at)[0]
    at.button(key=f"card-refuse-{first}").click().run()
    assert first not in cards(at)
    assert log(service) == [(first, "")]
    slate_id = service.talk.state(service.talk.conversation(SeniorId("s1"), language)).slate_id
    chips = at.pills(key=f"aside-{slate_id}-{first}")
    assert chips.options == [say(f"refuse.{each}", language) for each in views.REFUSALS]
    chips.set_value("time").run()
    assert not at.exception
    assert log(service) == [(first, "time")]
    assert len(cards(at)) == 3
    at.pills(key=f"aside-{slate_id}-{first}").set_value("level").run()
    assert log(service) == [(first, "level")]


def test_question_why_goes_when_somebody_goes_on(visit: Visit) -> None:
    """Only the last card is asked about, and nobody has to answer before they choose."""
    at = ask(visit("s1"), "Excel")
    for _ in range(2):
        at.button(key=f"card-refuse-{cards(at)[0]}").click().run()
    groups = [each.proto.label for each in at.get("button_group") if "aside" in each.proto.id]
    assert len(groups) == 1
    at.button(key=f"card-choose-{cards(at)[0]}").click().run()
    assert not [each for each in at.get("button_group") if "aside" in each.proto.id]


def test_one_undo_brings_back_a_card_with_a_reason(visit: Visit, service: Service) -> None:
    """The reason is no step of its own."""
    at = ask(visit("s1"), "Excel")
    first = cards(at)[0]
    at.button(key=f"card-refuse-{first}").click().run()
    slate_id = service.talk.state(service.talk.conversation(SeniorId("s1"), "nl")).slate_id
    at.pills(key=f"aside-{slate_id}-{first}").set_value("topic").run()
    at.button(key="ask-undo").click().run()
    assert cards(at)[0] == first
    assert log(service) == []


# The switch of the coordinator


@pytest.mark.parametrize("language", LANGUAGES)
def test_coordinator_switches_the_order_of_cards(visit: Visit, service: Service, language: Language) -> None:
    """The switch says what is stored, also when another person switched it, and one sentence explains it."""
    at = visit("coordinator", language)
    assert not at.exception
    assert say("explore.text", language) in read(at)
    assert at.toggle(key="exploration").value is True
    at.toggle(key="exploration").set_value(False).run()
    assert service.exploration() is False
    assert at.toggle(key="exploration").value is False
    service.set_exploration(True)
    assert at.run().toggle(key="exploration").value is True


def test_page_of_the_senior_notices_the_answer(visit: Visit, service: Service) -> None:
    """After an approval the page has the question how it went, and undo is off."""
    at = sent(visit("s1"))
    service.reviewing.approve([service.reviewing.waiting()[0].slate.id], "coordinator")
    at.run()
    assert [each for each in at.get("button_group") if "rating" in each.proto.id]
    assert at.button(key="ask-undo").disabled
