"""A whole conversation with the real reader of turns, by keyboard alone, at the usual size and at four times zoom."""

from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe

from recommender.wording import LANGUAGES, Language, say
from tests.browser.conftest import Server, Visit, Visitor
from tests.browser.test_access import GRAVE, RULES

pytestmark = pytest.mark.browser

SAID: dict[Language, tuple[str, ...]] = {
    "nl": (
        "ik wil graag filmpies leren maken met mn telefoon",
        "liever iemant die geduldig is",
        "waarom deze mensen",
        "wat is het verschil tussen de eerste en de twede",
    ),
    "en": (
        "i wold like to lern making videos with my phone",
        "somebody more patient plese",
        "why these people",
        "what is the diffrence between the first and the second",
    ),
}
CHOOSE: dict[Language, str] = {"nl": "doe maar de eerste", "en": "I'll take the first one"}
YES: dict[Language, str] = {"nl": "ja graag", "en": "yes please"}
ZOOMED = {"width": 320, "height": 256}
USUAL = {"width": 1280, "height": 900}


def typed(visitor: Visitor, text: str) -> None:
    """Type a line with the keyboard and wait for the answer."""
    before = visitor.heard()
    reach(visitor, "[data-testid=stChatInputTextArea]")
    visitor.page.keyboard.type(text)
    visitor.page.keyboard.press("Enter")
    visitor.page.wait_for_function("b => document.getElementById('sr-live').textContent !== b", arg=before)
    visitor.settle()


def reach(visitor: Visitor, selector: str) -> None:
    """Go to a part of the page with the Tab key."""
    for _ in range(120):
        if visitor.page.evaluate("s => document.activeElement.matches(s)", selector):
            return
        visitor.page.keyboard.press("Tab")
    pytest.fail(f"{selector} can't be reached with Tab")


def grave(visitor: Visitor) -> list[str]:
    """Return what axe finds that keeps people out."""
    found = Axe().run(visitor.page, options={"runOnly": RULES}).response["violations"]
    return [each["id"] for each in found if each["impact"] in GRAVE]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("viewport", [USUAL, ZOOMED], ids=["usual", "zoomed"])
def test_from_greeting_to_the_coordinator(
    visit: Visit, genuine_server: Server, language: Language, viewport: dict[str, int]
) -> None:
    """Goal, wish, why, difference, a question skipped, a choice by words, and a yes: without a mouse, axe clean."""
    senior = {"nl": "s031", "en": "s032"}[language] if viewport is USUAL else {"nl": "s033", "en": "s034"}[language]
    visitor = visit(genuine_server, viewport=viewport).go(senior, language)
    visitor.press("ask-restart")
    assert say("ask.greeting", language).split(".")[0] in visitor.page.inner_text(".stMain")
    heard = [visitor.heard()]
    for text in SAID[language]:
        typed(visitor, text)
        heard.append(visitor.heard())
        assert visitor.page.locator(".st-key-me").get_by_text(text, exact=True).count() == 1
    assert len(set(heard)) == len(heard)
    assert visitor.page.locator('[class*="st-key-drop-wish-"]').count() >= 1
    if visitor.page.locator(".st-key-question").count():
        reach(visitor, ".st-key-question-why button")
        visitor.page.keyboard.press("Enter")
        visitor.page.locator(".st-key-reply").get_by_text(say("reply.why_question", language)).wait_for()
        visitor.settle()
        reach(visitor, ".st-key-question-skip button")
        visitor.page.keyboard.press("Enter")
        visitor.page.locator(".st-key-question").wait_for(state="detached")
        visitor.settle()
    assert grave(visitor) == []
    name = visitor.titles()[0].split(",")[0]
    typed(visitor, CHOOSE[language])
    visitor.page.get_by_role("heading", name=say("ask.check", language, name=name)).wait_for()
    visitor.page.reload()
    visitor.page.get_by_role("heading", name=say("ask.check", language, name=name)).wait_for()
    visitor.settle()
    assert grave(visitor) == []
    reach(visitor, ".st-key-ask-yes button")
    visitor.page.keyboard.press("Enter")
    visitor.page.get_by_role("heading", name=say("ask.sent_to", language, name=name)).wait_for()
    visitor.settle()
    assert say("ask.sent_text", language).split(".")[0] in visitor.page.inner_text(".stMain")
    widths = visitor.page.evaluate(
        "[document.documentElement.scrollWidth, document.querySelector('.stMain').scrollWidth]"
    )
    assert max(widths) <= viewport["width"]
    visitor.press("ask-undo").press("ask-restart")


def test_chips_survive_a_restart_of_the_server(visit: Visit, tmp_path: Path) -> None:
    """Wishes, the open question and the cards are there again after the server was stopped and started."""
    server = Server(tmp_path, "hashing")
    server.start()
    try:
        visitor = visit(server).go("s001", "nl").ask("Filmpjes maken met mijn telefoon")
        visitor.page.locator(".st-key-wishes button").first.click()
        visitor.page.locator('[class*="st-key-drop-wish-"]').first.wait_for()
        visitor.settle()
        chips = visitor.page.locator(".st-key-brief button").all_inner_texts()
        asked = visitor.page.locator(".st-key-question h2").all_inner_texts()
        titles = visitor.titles()
        lost = visitor.page.locator(".st-key-lost")
        assert not lost.is_visible()
        server.stop()
        lost.wait_for(state="visible")
        assert say("frame.lost", "nl") in lost.inner_text()
        server.start()
        visitor.page.reload()
        visitor.page.locator(".st-key-cards").wait_for()
        visitor.settle()
        assert visitor.page.locator(".st-key-brief button").all_inner_texts() == chips
        assert visitor.page.locator(".st-key-question h2").all_inner_texts() == asked
        assert visitor.titles() == titles
        visitor.page.locator('[class*="st-key-drop-wish-"] button').first.click()
        visitor.page.locator('[class*="st-key-drop-wish-"]').first.wait_for(state="detached")
    finally:
        server.stop()


def test_upset_words_go_to_a_person_with_the_conversation(visit: Visit, genuine_server: Server) -> None:
    """No cards are made of it; yes gives it to the coordinator, who reads the words and can say that it is done."""
    words = "ik word gepest door mijn leidinggevende en slaap niet meer"
    visitor = visit(genuine_server).go("s035", "nl").press("ask-restart")
    typed(visitor, words)
    assert visitor.page.locator(".st-key-cards").count() == 0
    visitor.press("offer-yes")
    visitor.page.locator(".st-key-reply").get_by_text(say("reply.handed", "nl")).wait_for()
    coordinator = visit(genuine_server).go("coordinator", "nl")
    box = coordinator.page.locator('[class*="st-key-handed-"]').first
    box.locator("summary").click()
    coordinator.page.get_by_text(words).first.wait_for()
    assert grave(coordinator.settle()) == []
    while coordinator.page.locator('[class*="st-key-handed-done-"] button').count():
        coordinator.page.locator('[class*="st-key-handed-done-"] button').first.click()
        coordinator.settle()
    visitor.press("ask-restart")
