"""How it went, said by each side apart; why a card was put aside; and the switch for the order of cards."""

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from app import views
from recommender.domain import SeniorId, Side
from recommender.pair_letters import SIDES
from recommender.service import Service
from recommender.wording import LANGUAGES, Language, say
from tests.app.test_ask import ask, cards, sent
from tests.app.test_matches import page_of, partner, started
from tests.app.test_model import read
from tests.app.test_review import choose

Visit = Callable[..., AppTest]


def rated_on(at: AppTest) -> list[str]:
    """Return the questions how it went on a page."""
    return [each.proto.id for each in at.get("button_group") if "rating" in each.proto.id]


def log(service: Service) -> list[tuple[str, str]]:
    """Return the refusals that were logged, with their reasons."""
    rows = service.store.outcomes.log(["load"]).to_pylist()
    return [(each["junior"], each["refusal_reason"]) for each in rows if each["action"] == "refused"]


# After both have said yes


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("side", SIDES)
def test_says_how_it_went_and_can_change_it(visit: Visit, service: Service, language: Language, side: Side) -> None:
    """Five words, one press; another word replaces it, also after a reload, and the page says who doesn't see it."""
    pair = started(service)
    at = page_of(visit, pair.person(side), language)
    key = f"rating-{side}-{pair.slate_id}"
    assert at.pills(key=key).options == [say(f"rating.word_{each}", language) for each in (5, 4, 3, 2, 1)]
    assert at.pills(key=key).value is None
    assert say(f"rating.blind_{side}", language, name=partner(service, pair, side)) in read(at)
    at.pills(key=key).set_value(2).run()
    assert service.rating_of(pair.slate_id, side) == 2
    assert say(f"rating.said_{side}", language, word=say("rating.word_2", language)) in read(at)
    again = page_of(visit, pair.person(side), language)
    assert again.pills(key=key).value == 2
    again.pills(key=key).set_value(5).run()
    assert service.rating_of(pair.slate_id, side) == 5


def test_neither_side_sees_the_answer_of_the_other(visit: Visit, service: Service) -> None:
    """What one chose is nowhere on the page of the other."""
    pair = started(service)
    service.rate(pair.slate_id, Side.SENIOR, 1)
    at = page_of(visit, pair.junior_id)
    assert at.pills(key=f"rating-junior-{pair.slate_id}").value is None
    assert say("rating.said_junior", "nl", word=say("rating.word_1", "nl")) not in read(at)
    service.rate(pair.slate_id, Side.JUNIOR, 5)
    assert page_of(visit, "s1").pills(key=f"rating-senior-{pair.slate_id}").value == 1


def test_nothing_to_rate_before_both_have_said_yes(visit: Visit, service: Service) -> None:
    """A choice that waits, and an invitation that one side has accepted, have no question about how it went."""
    slate_id = choose(service, "s1", "Excel")
    assert not rated_on(page_of(visit, "s1"))
    service.reviewing.approve([slate_id], "coordinator")
    pair = service.pairs.of("s1")[0]
    service.pairs.answer(pair.id, Side.SENIOR, True, "s1")
    assert not rated_on(page_of(visit, "s1"))
    assert not rated_on(page_of(visit, pair.junior_id))


def test_rating_keeps_an_unsaved_profile(visit: Visit, service: Service) -> None:
    """Saying how it went on the other page does not touch what was typed in the profile."""
    pair = started(service)
    at = visit(pair.junior_id)
    at.text_area(key="profile-text").set_value("Nog niet bewaard").run()
    at.session_state["telemachos"].go_to = "matches"
    at.run()
    at.pills(key=f"rating-junior-{pair.slate_id}").set_value(4).run()
    at.session_state["telemachos"].go_to = "profile"
    at.run()
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
    """After an approval the page leads to the invitation, and undo is off."""
    at = sent(visit("s1"))
    service.reviewing.approve([service.reviewing.waiting()[0].slate.id], "coordinator")
    at.run()
    assert at.button(key="ask-undo").disabled
    at.button(key="ask-to-matches").click().run()
    assert at.title[0].value == say("matches.title", "nl")
