"""The page of somebody who wants to learn."""

import logging
import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from streamlit.testing.v1 import AppTest

from recommender.conversing import MAX_REQUEST, Conversing
from recommender.domain import SeniorId
from recommender.service import Service
from recommender.wording import LANGUAGES, Language, say

Visit = Callable[..., AppTest]


def ask(at: AppTest, text: str) -> AppTest:
    """Type a question and send it."""
    return at.chat_input(key="ask-text").set_value(text).run()


def cards(at: AppTest) -> list[str]:
    """Return who is on the cards, by id, in order."""
    keys = [button.key or "" for button in at.button]
    return [key.removeprefix("card-choose-") for key in keys if key.startswith("card-choose-")]


def texts(at: AppTest) -> str:
    """Return everything that can be read on the page."""
    parts = [*at.title, *at.header, *at.subheader, *at.markdown, *at.text, *at.caption, *at.error, *at.warning]
    return "\n".join(part.value for part in parts)


def sent(at: AppTest) -> AppTest:
    """Go all the way: ask, choose the first card, confirm."""
    ask(at, "Excel draaitabellen")
    at.button(key=f"card-choose-{cards(at)[0]}").click().run()
    return at.button(key="ask-yes").click().run()


@pytest.mark.parametrize("language", LANGUAGES)
def test_greets_in_the_language_of_the_page(visit: Visit, language: Language) -> None:
    """The page says what can be done, that it is a computer, and offers seven examples."""
    at = visit("s1", language)
    assert not at.exception
    assert at.title[0].value == say("ask.title", language)
    assert say("ask.greeting", language) in texts(at)
    assert [at.button(key=f"example-{n}").label for n in range(1, 8)] == [
        say(f"ask.example_{n}", language) for n in range(1, 8)
    ]


@pytest.mark.parametrize("language", LANGUAGES)
def test_question_with_typing_errors_gives_three_cards(visit: Visit, service: Service, language: Language) -> None:
    """Three people are shown, each with a sentence of their own profile and at least one reason."""
    at = ask(visit("s1", language), "ik wil exel leeren met draaitabelen")
    assert len(cards(at)) == 3
    assert say("ask.these", language) in texts(at)
    slate = service.store.slates.slate(service.talk.state(service.talk.conversation(SeniorId("s1"), language)).slate_id)
    for suggestion in slate.suggestions[:3]:
        assert all(f"“{sentence}”" in texts(at) for sentence in suggestion.evidence)
        assert suggestion.evidence
    assert texts(at).count("✓") >= 3


def test_cards_hold_no_scores(visit: Visit) -> None:
    """A senior sees words, no numbers behind the order."""
    at = ask(visit("s1"), "Excel")
    shown = "\n".join(part.value for part in [*at.header, *at.text])
    assert not re.search(r"\d[.,]\d", shown)


def test_example_answers_at_once(visit: Visit, service: Service) -> None:
    """One press of an example asks that question in the senior's name."""
    at = visit("s1").button(key="example-1").click().run()
    assert say("ask.example_1", "nl") in [part.value for part in at.text]
    assert cards(at)


def test_only_drawn_cards_count_as_shown_and_only_once(visit: Visit, service: Service) -> None:
    """Three cards are three impressions, also after the page is drawn again; three more are six."""
    at = ask(visit("s1"), "Excel")
    at.run()
    assert service.counts()["impressions"] == 3
    at.button(key="ask-more").click().run()
    assert len(cards(at)) == 6
    assert service.counts()["impressions"] == 6


def test_refused_card_goes_away_and_the_next_moves_up(visit: Visit) -> None:
    """After "not for me" there are still three cards, without that one."""
    at = ask(visit("s1"), "Excel")
    first, *others = cards(at)
    at.button(key=f"card-refuse-{first}").click().run()
    assert first not in cards(at)
    assert cards(at)[:2] == others


def test_all_refused_says_so(visit: Visit) -> None:
    """When every card is put aside the page says what to do next."""
    at = ask(visit("s1"), "Excel")
    while cards(at):
        at.button(key=f"card-refuse-{cards(at)[0]}").click().run()
    assert say("ask.all_refused", "nl") in texts(at)
    assert say("ask.nobody_next", "nl") in texts(at)


def test_not_meant_takes_the_question_back(visit: Visit) -> None:
    """The button "that is not what I mean" returns to the empty page."""
    at = ask(visit("s1"), "Excel")
    at.button(key="ask-not-meant").click().run()
    assert not cards(at)
    assert say("ask.greeting", "nl") in texts(at)
    assert at.button(key="ask-undo").disabled


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_is_sent_before_yes(visit: Visit, service: Service, language: Language) -> None:
    """Choosing asks to confirm; going back sends nothing; yes puts one choice in the queue."""
    at = ask(visit("s1", language), "Excel")
    chosen = cards(at)[0]
    name = service.junior(chosen).name.split()[0]
    at.button(key=f"card-choose-{chosen}").click().run()
    assert say("ask.check", language, name=name) in texts(at)
    at.button(key="ask-back").click().run()
    assert service.reviewing.waiting() == []
    assert cards(at)[0] == chosen
    at.button(key=f"card-choose-{chosen}").click().run()
    at.button(key="ask-yes").click().run()
    assert [each.junior_id for each in service.reviewing.waiting()] == [chosen]
    assert say("ask.sent_to", language, name=name) in texts(at)


def test_sent_question_can_be_undone_until_the_decision(visit: Visit, service: Service) -> None:
    """Undo takes the choice out of the queue; after an approval it is off and the page says so."""
    at = sent(visit("s1"))
    at.button(key="ask-undo").click().run()
    assert service.reviewing.waiting() == []
    at.button(key="ask-yes").click().run()
    service.reviewing.approve([service.reviewing.waiting()[0].slate.id], "coordinator")
    at.run()
    name = service.reviewing.decided()[0].slate.suggestions[0].name.split()[0]
    assert say("ask.approved", "nl", name=name) in texts(at)
    assert at.button(key="ask-undo").disabled


@pytest.mark.parametrize("language", LANGUAGES)
def test_rejection_shows_its_reason_and_offers_others(visit: Visit, service: Service, language: Language) -> None:
    """The senior reads why, and one press searches again with the same words."""
    at = sent(visit("s1", language))
    service.reviewing.reject([service.reviewing.waiting()[0].slate.id], "coordinator", "place")
    at.run()
    assert say("ask.rejected_reason", language, reason=say("reject.place", language)) in texts(at)
    at.button(key="ask-again").click().run()
    assert len(cards(at)) == 3
    assert "Excel draaitabellen" in [part.value for part in at.text]


def test_nobody_found_says_what_to_do(visit: Visit, service: Service) -> None:
    """Without anybody who may be suggested the page stays friendly and the box stays open."""
    service.put_people([replace(each, consent=False) for each in service.store.people.juniors()])
    at = ask(visit("s1"), "Excel")
    assert say("reply.nobody", "nl") in texts(at)
    assert at.chat_input(key="ask-text") is not None


def test_reload_loses_nothing(visit: Visit) -> None:
    """A new session of the same senior shows the same question and the same cards."""
    first = ask(visit("s1"), "Excel draaitabellen")
    again = visit("s1")
    assert cards(again) == cards(first)
    assert "Excel draaitabellen" in [part.value for part in again.text]
    assert cards(visit("s2")) == []


def test_language_switch_keeps_the_cards(visit: Visit) -> None:
    """Switching to English changes our words only."""
    at = ask(visit("s1"), "Excel draaitabellen")
    before = cards(at)
    at.segmented_control(key="lang").set_value("en").run()
    assert at.title[0].value == say("ask.title", "en")
    assert cards(at) == before


def test_restart_begins_with_an_empty_page(visit: Visit) -> None:
    """Starting again shows the greeting."""
    at = ask(visit("s1"), "Excel")
    at.button(key="ask-restart").click().run()
    assert say("ask.greeting", "nl") in texts(at)


def test_earlier_questions_stay_readable(visit: Visit) -> None:
    """After a second question the first is kept under "earlier"."""
    at = ask(ask(visit("s1"), "Excel draaitabellen"), "Filmpjes maken")
    assert "“Excel draaitabellen”" in [part.value for part in at.text]


@pytest.mark.parametrize("language", LANGUAGES)
def test_refused_text_is_explained_and_put_back(visit: Visit, language: Language) -> None:
    """A text without a letter is refused in the page's language, and stays in the box."""
    at = ask(visit("s1", language), "???")
    assert say("error.empty_request", language).split(".")[0] in at.error[0].value.replace("\\", "")
    assert at.chat_input(key="ask-text").proto.value == "???"


@pytest.mark.parametrize("language", LANGUAGES)
def test_unexpected_error_has_a_code_and_loses_no_text(
    visit: Visit,
    service: Service,
    language: Language,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The page shows a reference code that is also in the log; what was typed is back in the box; then it works."""
    at = visit("s1", language)
    with monkeypatch.context() as broken, caplog.at_level(logging.ERROR):
        broken.setattr(Conversing, "hear", lambda *_: 1 / 0)
        ask(at, "Excel")
    code = re.search(r"[0-9A-F]{4}", at.error[0].value)
    assert code
    assert f"reference {code.group()}" in caplog.text
    assert "ZeroDivisionError" not in texts(at)
    assert at.chat_input(key="ask-text").proto.value == "Excel"
    ask(at, "Excel")
    assert not at.error
    assert len(cards(at)) == 3


def test_late_click_on_an_old_card_changes_nothing(visit: Visit, service: Service) -> None:
    """A second tab that was left behind gets a sentence, not a wrong choice."""
    first, second = ask(visit("s1"), "Excel"), visit("s1")
    second.button(key="ask-restart").click().run()
    first.button(key=f"card-choose-{cards(first)[0]}").click().run()
    assert first.error[0].value
    assert service.reviewing.waiting() == []


def test_box_takes_a_page_of_text(visit: Visit) -> None:
    """The box accepts as many characters as the service does."""
    assert visit("s1").chat_input(key="ask-text").proto.max_chars == MAX_REQUEST


def test_contact_is_always_there(visit: Visit) -> None:
    """A person can be reached from the first page and after sending."""
    at = visit("s1")
    assert texts(at).count(say("contact.phone", "nl")) == 2  # help in the top bar, and "talk to a person"
    assert texts(sent(at)).count(say("contact.phone", "nl")) == 2
