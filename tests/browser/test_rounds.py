"""Rounds in a real browser: from a draft to publication, and two coordinators at one round."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from recommender.wording import say
from tests.browser.conftest import Server, Visit, Visitor

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def own_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Give a server of its own: publishing a round takes places that other tests count on."""
    made = Server(tmp_path_factory.mktemp("rounds"), "hashing")
    made.start()
    yield made
    made.stop()


def at_rounds(visit: Visit, server: Server, **options: object) -> Visitor:
    """Open the page of rounds as the coordinator."""
    visitor = visit(server, **options)
    visitor.page.goto(f"{server.url}/rounds?as=coordinator&lang=nl")
    visitor.page.locator("h1").wait_for()
    return visitor.settle()


def gathered(visitor: Visitor, name: str) -> Visitor:
    """Start a round and wait for its draft."""
    visitor.page.locator(".st-key-round-name input").fill(name)
    visitor.page.keyboard.press("Tab")
    visitor.settle().press("round-gather")
    visitor.page.locator(".st-key-round-state").wait_for()
    return visitor.settle()


def pair_at(visitor: Visitor, place: int) -> str:
    """Return who is in a pair of the list, as its heading says."""
    return visitor.page.locator('[class*="st-key-round-pair-"] h3').nth(place).inner_text()


def toggle(visitor: Visitor, place: int) -> Visitor:
    """Press the lock of a pair of the list."""
    visitor.page.locator('[class*="st-key-round-lock-"] label').nth(place).click()
    return visitor.settle()


def section(visitor: Visitor, name: str) -> Visitor:
    """Go to a part of the round."""
    label = say(f"rounds.section_{name}", "nl")
    visitor.page.locator(".st-key-round-section-picked").get_by_role("radio", name=label).click()
    return visitor.settle()


def back_to_all(visitor: Visitor) -> Visitor:
    """Go to the list of rounds."""
    return visitor.press("round-back")


def test_round_from_draft_to_publication(visit: Visit, own_server: Server, tmp_path: Path) -> None:
    """Gather, lock, run again with another aim, publish, and take it back; the keyboard never gets lost."""
    visitor = gathered(at_rounds(visit, own_server), "Voorjaar")
    page = visitor.page
    assert "koppels" in visitor.heard()
    expect(page.locator(".st-key-round-state")).to_contain_text(say("rounds.nobody_told", "nl"))
    locked = pair_at(visitor, 0)
    toggle(visitor, 0)
    assert "vastgezet" in visitor.heard()
    section(visitor, "again")
    expect(page.locator(".st-key-round-section")).to_contain_text(say("rounds.again_text", "nl", count=1))
    page.locator(".st-key-round-again-aim").get_by_text(say("aim.fairest", "nl"), exact=True).click()
    visitor.settle().press("round-run")
    assert visitor.focused() == "H2"
    section(visitor, "pairs")
    assert pair_at(visitor, 0) == locked
    assert page.locator('[class*="st-key-round-lock-"] input').first.is_checked()
    visitor.press("round-publish")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("0 regels gebroken")
    page.keyboard.press("Escape")
    dialog.wait_for(state="detached")
    visitor.settle().press("round-publish")
    visitor.press("round-publish-yes")
    page.locator(".st-key-round-published").wait_for()
    visitor.settle()
    assert "gepubliceerd" in visitor.heard()
    assert visitor.focused() == "H2"
    page.get_by_role("button", name=say("rounds.undo_all", "nl")).click()
    page.locator(".st-key-round-state").wait_for()
    visitor.settle()
    assert pair_at(visitor, 0) == locked
    visitor.press("round-discard").press("round-discard-yes")
    page.locator(".st-key-round-discarded").wait_for()


def test_two_coordinators_at_one_round(visit: Visit, own_server: Server) -> None:
    """The second is told who was first; nothing is overwritten, and what they had ticked and set is still there."""
    first = gathered(at_rounds(visit, own_server), "Samen")
    second = at_rounds(visit, own_server)
    second.page.get_by_role("button", name=say("rounds.open", "nl", name="Samen")).click()
    second.page.locator(".st-key-round-state").wait_for()
    second.settle()
    second.page.locator('[class*="st-key-round-tick-"] label').nth(1).click()
    second.settle()
    section(second, "again")
    second.page.locator(".st-key-round-again-aim").get_by_text(say("aim.best_fit", "nl"), exact=True).click()
    second.settle()
    toggle(first, 0)
    kept = pair_at(first, 0)
    second.press("round-run")
    problem = second.page.locator(".st-key-problem")
    expect(problem).to_contain_text("De coördinator heeft deze ronde net veranderd.")
    expect(problem).to_contain_text(say("step.round_locked", "nl"))
    assert second.page.locator(".st-key-round-again-aim input").first.is_checked()
    expect(second.page.locator(".st-key-round-section")).to_contain_text(say("rounds.again_text", "nl", count=1))
    second.press("round-run")
    assert problem.count() == 0
    section(second, "pairs")
    assert pair_at(second, 0) == kept
    assert second.page.locator('[class*="st-key-round-lock-"] input').first.is_checked()
    assert second.page.locator('[class*="st-key-round-tick-"] input').nth(1).is_checked()


@pytest.mark.parametrize("size", [(320, 256), (390, 844)])
def test_page_fits_a_narrow_screen(visit: Visit, own_server: Server, size: tuple[int, int]) -> None:
    """No part needs scrolling to the side, at 400 % zoom and on a phone."""
    width, height = size
    visitor = at_rounds(visit, own_server, viewport={"width": width, "height": height})
    if visitor.page.locator('[class*="st-key-round-open-"]').count() == 0:
        gathered(visitor, "Smal")
    else:
        visitor.page.locator('[class*="st-key-round-open-"] button').first.click()
        visitor.settle()
    for part in ("pairs", "left", "compare", "again", "steps"):
        section(visitor, part)
        assert visitor.page.evaluate("document.querySelector('.stMain').scrollWidth") <= width
