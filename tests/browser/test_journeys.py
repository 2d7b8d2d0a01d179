"""What people do from beginning to end, in a real browser against a real server."""

from pathlib import Path

import pytest

from recommender.wording import Language, say
from tests.browser.conftest import Server, Visit, Visitor

pytestmark = pytest.mark.browser

QUESTIONS: dict[Language, str] = {
    "nl": "ik wil leeren werke met draaitabelen in exel",
    "en": "i wold like to undrstand pivvot tables in exel",
}
SENIORS = {"nl": "s002", "en": "s003"}


def read(visitor: Visitor) -> str:
    """Return the text of the page."""
    return visitor.page.inner_text(".stMain")


@pytest.mark.parametrize("language", QUESTIONS)
def test_first_suggestion_with_the_real_encoder(visit: Visit, genuine_server: Server, language: Language) -> None:
    """A question full of typing errors gives people who write about spreadsheets; no stand-in is in use."""
    visitor = visit(genuine_server).go(SENIORS[language], language).press("ask-restart").ask(QUESTIONS[language])
    assert len(visitor.titles()) == 3
    assert say(f"ask.heard_{language}", language) in read(visitor)
    quotes = " ".join(visitor.page.locator('[class*="st-key-card-quote-"]').all_inner_texts()).lower()
    assert any(word in quotes for word in ("excel", "draaitabel", "pivot", "spreadsheet"))
    assert visitor.page.locator('[class*="st-key-notice-"]').count() == 0


@pytest.mark.parametrize("language", QUESTIONS)
def test_ask_choose_approve_see(visit: Visit, language: Language) -> None:
    """Somebody asks and chooses; the coordinator approves; the senior reads it, all in one language."""
    senior = {"nl": "s010", "en": "s011"}[language]
    asker = visit().go(senior, language).ask(QUESTIONS[language])
    name = asker.titles()[0].split(",")[0]
    asker.page.get_by_role("button", name=say("ask.choose", language, name=name), exact=True).first.click()
    asker.page.get_by_role("button", name=say("ask.yes", language, name=name)).click()
    asker.page.get_by_role("heading", name=say("ask.sent_to", language, name=name)).wait_for()

    coordinator = visit().go("coordinator", language)
    coordinator.look_at(QUESTIONS[language])
    coordinator.press("approve")
    coordinator.page.locator(".st-key-recent").get_by_text(say("review.was_approved", language)).first.wait_for()

    asker.page.reload()
    asker.page.get_by_role("heading", name=say("ask.approved", language, name=name)).wait_for()


def test_senior_sees_the_decision_without_a_reload(visit: Visit) -> None:
    """The page of somebody who waits looks again by itself."""
    asker = visit().go("s012").ask("Podcasts voor thuis")
    asker.page.locator('[class*="st-key-card-choose-"] button').first.click()
    asker.press("ask-yes")
    asker.page.locator(".st-key-sent-waiting").wait_for()
    visit().go("coordinator").look_at("Podcasts voor thuis").press("approve")
    asker.page.locator(".st-key-sent-approved").wait_for()


@pytest.mark.parametrize("language", QUESTIONS)
def test_keyboard_alone_is_enough(visit: Visit, language: Language) -> None:
    """From the first Tab to a sent question without a mouse; the focus is never lost."""
    visitor = visit().go({"nl": "s013", "en": "s014"}[language], language)
    keyboard = visitor.page.keyboard

    def tab_to(selector: str, key: str = "Tab") -> None:
        for _ in range(60):
            if visitor.page.evaluate("s => document.activeElement.matches(s)", selector):
                return
            keyboard.press(key)
        pytest.fail(f"{selector} can't be reached with Tab")

    tab_to("[data-testid=stChatInputTextArea]")
    keyboard.type(QUESTIONS[language])
    keyboard.press("Enter")
    visitor.page.locator(".st-key-cards").wait_for()
    visitor.settle()
    assert visitor.focused() == "TEXTAREA"
    tab_to(".st-key-wishes button", "Shift+Tab")
    keyboard.press("Space")
    visitor.page.locator('[class*="st-key-drop-wish-"]').first.wait_for()
    visitor.settle()
    assert visitor.focused() != "BODY"
    tab_to('[class*="st-key-card-choose-"] button')
    keyboard.press("Enter")
    visitor.page.locator(".st-key-check").wait_for()
    visitor.settle()
    assert visitor.focused() == "H2"
    tab_to(".st-key-ask-yes button")
    keyboard.press("Enter")
    visitor.page.locator(".st-key-sent-waiting").wait_for()
    visitor.settle()
    assert visitor.focused() != "BODY"
    tab_to(".st-key-ask-undo button")
    keyboard.press("Enter")
    visitor.page.locator(".st-key-check").wait_for()
    visitor.settle()
    assert visitor.focused() != "BODY"


def test_reload_and_restart_of_the_server_lose_nothing(visit: Visit, tmp_path: Path) -> None:
    """In the middle of choosing, the tab is reloaded and then the server is stopped and started."""
    server = Server(tmp_path, "hashing")
    server.start()
    try:
        visitor = visit(server).go("s001", "en", size="large").ask("make videos for our window")
        before = visitor.titles()
        visitor.page.reload()
        visitor.page.locator(".st-key-cards").wait_for()
        assert visitor.settle().titles() == before
        visitor.page.locator('[class*="st-key-card-choose-"] button').first.click()
        visitor.page.locator(".st-key-check").wait_for()
        server.stop()
        server.start()
        visitor.page.reload()
        visitor.page.locator(".st-key-check").wait_for()
        visitor.settle()
        assert "make videos for our window" in read(visitor)
        assert visitor.page.evaluate("document.documentElement.lang") == "en"
        assert "as=s001" in visitor.page.url
        visitor.press("ask-yes")
        visitor.page.locator(".st-key-sent-waiting").wait_for()
    finally:
        server.stop()


def test_junior_edits_and_the_coordinator_page_stays_closed(visit: Visit) -> None:
    """A profile is saved in the browser; the address of another role's page leads home."""
    visitor = visit().go("j007")
    visitor.page.locator(".st-key-profile-text textarea").fill("Ik leg drones uit. Filmen van boven doe ik graag.")
    visitor.page.locator(".st-key-profile-wants textarea").click()
    visitor.page.locator(".st-key-preview").get_by_text("Ik leg drones uit.").wait_for()
    visitor.press("profile-save")
    visitor.page.get_by_text(say("profile.saved", "nl"), exact=True).wait_for()
    visitor.page.goto(f"{visitor.server.url}/review?as=j007&lang=nl")
    visitor.page.get_by_role("heading", name=say("profile.title", "nl"), level=1).wait_for()
    assert visitor.page.locator(".st-key-queue").count() == 0
