"""People's words are shown as they are: nothing in them is drawn, followed or fetched."""

from pathlib import Path

import pytest

from recommender.bootstrap import DATABASE
from recommender.domain import JuniorId, SeniorId
from recommender.store import Store
from tests.browser.conftest import Server, Visit
from tests.builders import a_junior, a_senior

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
    coordinator = visit().go("coordinator").look_at("kwaadwillend")
    coordinator.page.locator('[class*="st-key-compare-"] label').click()
    coordinator.page.locator(".st-key-detail table").nth(1).wait_for()

    for visitor, part in ((junior, ".st-key-preview"), (asker, ".st-key-me"), (coordinator, ".st-key-detail")):
        place = visitor.page.locator(part)
        shown = place.inner_text()
        for letters in ("<img src=x", "![plaatje](http://evil.example/pixel.png)", ":red[rood]", "[klik](javascript:"):
            assert letters in shown.replace("\u2060", "").replace("\n", " ")
        for letters in (":material/home:", ":smile:", "$x^2$", "**vet**", "<script>"):
            assert letters in shown.replace("\u2060", "")
        assert place.locator("a, img, script").count() == 0
        # What differs in the comparison is bold as a whole cell; never a part of somebody's words.
        assert "vet" not in place.locator("strong").all_inner_texts()
        assert visitor.page.evaluate("window.hacked") is None
        assert [url for url in visitor.requests if not url.startswith((visitor.server.url, "data:", "blob:"))] == []


def test_hostile_name_is_plain_text_in_headings_and_buttons(visit: Visit, tmp_path: Path) -> None:
    """Names stand in labels that read Markdown; they are escaped there, and read the same."""
    name = "<b>:smile:![x](http://evil.example/p.png)*www.evil.example*"
    store = Store(tmp_path / DATABASE)
    juniors = [a_junior(id=JuniorId(f"j{number}"), name=f"{name} Jansen") for number in (1, 2)]
    store.people.put([*juniors, a_senior(id=SeniorId("s1"), name=f"{name} Vos")])
    store.close()
    server = Server(tmp_path, "hashing")
    server.start()
    try:
        visitor = visit(server).go("s1").ask("Excel")
        assert [title.replace("\u2060", "") for title in visitor.titles()] == [f"{name}, Utrecht"] * 2
        button = visitor.page.locator('[class*="st-key-card-choose-"] button').first
        assert button.inner_text().replace("\u2060", "") == f"Kies {name}"
        button.click()
        visitor.page.locator(".st-key-check").wait_for()
        visitor.press("ask-yes")
        visitor.go("coordinator").page.locator('[class*="st-key-compare-"] label').click()
        visitor.page.locator(".st-key-detail table").nth(1).wait_for()
        assert name in visitor.page.locator(".st-key-detail h2").first.inner_text().replace("\u2060", "")
        assert name in visitor.page.locator(".st-key-detail table").last.inner_text().replace("\u2060", "")
        assert visitor.page.locator(".st-key-detail").locator("a, img, b, em").count() == 0
        assert [url for url in visitor.requests if "evil" in url] == []
    finally:
        server.stop()
