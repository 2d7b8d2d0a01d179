"""People's words are shown as they are: nothing in them is drawn, followed or fetched."""

import pytest

from tests.browser.conftest import Visit

pytestmark = pytest.mark.browser

HOSTILE = (
    '<img src=x onerror="window.hacked=1"> ![plaatje](http://evil.example/pixel.png) :red[rood] '
    "[klik](javascript:window.hacked=1) <script>window.hacked=1</script> :material/home: :smile: $x^2$ "
    "http://evil.example/link www.evil.example **vet**"
)


def test_hostile_profile_and_question_are_plain_text(visit: Visit) -> None:
    """The same letters appear in the preview, the card, the question and the queue; no request leaves for elsewhere."""
    junior = visit().go("j030")
    junior.page.locator(".st-key-profile-text textarea").fill(f"kwaadwillend {HOSTILE}")
    junior.page.locator(".st-key-profile-wants textarea").click()
    junior.page.locator(".st-key-preview").get_by_text("kwaadwillend").first.wait_for()
    junior.press("profile-save")

    asker = visit().go("s030").ask(f"kwaadwillend {HOSTILE}")
    asker.page.locator('[class*="st-key-card-choose-"] button').first.click()
    asker.page.locator(".st-key-check").wait_for()
    asker.press("ask-yes").page.locator(".st-key-sent-waiting").wait_for()
    coordinator = visit().go("coordinator")
    while coordinator.page.locator(".st-key-request").get_by_text("kwaadwillend").count() == 0:
        coordinator.page.locator('[class*="st-key-look-"] button').last.click()
        coordinator.settle()
    coordinator.page.locator('[class*="st-key-compare-"] label').click()
    coordinator.settle()

    for visitor, part in ((junior, ".st-key-preview"), (asker, ".st-key-me"), (coordinator, ".st-key-detail")):
        place = visitor.page.locator(part)
        shown = place.inner_text()
        for letters in ("<img src=x", "![plaatje](http://evil.example/pixel.png)", ":red[rood]", "[klik](javascript:"):
            assert letters in shown.replace("\u2060", "").replace("\n", " ")
        for letters in (":material/home:", ":smile:", "$x^2$", "**vet**", "<script>"):
            assert letters in shown.replace("\u2060", "")
        assert place.locator("a, img, script, strong").count() == 0
        assert visitor.page.evaluate("window.hacked") is None
        assert [url for url in visitor.requests if not url.startswith((visitor.server.url, "data:", "blob:"))] == []


def test_hostile_name_is_plain_text_in_headings_and_buttons(visit: Visit, server) -> None:  # type: ignore[no-untyped-def]
    """Names stand in labels that read Markdown; they are escaped there."""
    from app.components import plain

    assert plain(HOSTILE) != HOSTILE
    visitor = visit().go("s031").ask("Excel")
    name = visitor.titles()[0].split(",")[0]
    assert "\\" not in name
    assert visitor.page.get_by_role("button", name=f"Kies {name}", exact=True).count() >= 1
