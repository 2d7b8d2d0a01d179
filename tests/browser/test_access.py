"""Everybody can use every page: screen reader, keyboard, zoom, both languages, both themes."""

from itertools import pairwise

import pytest
from axe_playwright_python.sync_playwright import Axe

from recommender.wording import LANGUAGES, Language, say
from tests.browser.conftest import PATIENCE, Visit, Visitor

pytestmark = pytest.mark.browser

PAGES = {"s020": "ask", "j020": "profile", "coordinator": "review", "scientist": "model"}
WORKBENCH = [
    *(("coordinator", page) for page in ("rounds", "pairs", "overview", "programme", "story")),
    ("s023", "matches"),
    ("j023", "matches"),
]
HEADINGS = "[...document.querySelectorAll('.stMain :is(h1, h2, h3, h4, h5)')].map(each => each.tagName)"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
GRAVE = {"serious", "critical"}


def violations(visitor: Visitor) -> list[str]:
    """Return what axe finds that keeps people out, each with the first place."""
    found = Axe().run(visitor.page, options={"runOnly": RULES}).response["violations"]
    return [f"{each['id']}: {each['nodes'][0]['html'][:200]}" for each in found if each["impact"] in GRAVE]


def full(visitor: Visitor, who: str) -> Visitor:
    """Bring a page into its richest state."""
    if who.startswith("s0"):
        visitor.press("ask-restart").ask("Excel")
    return visitor


@pytest.fixture(scope="module", autouse=True)
def waiting(browser, server):  # type: ignore[no-untyped-def]
    """Put one choice in the queue, so that the review page is not empty."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(PATIENCE)
    visitor = Visitor(context.new_page(), server, [])
    visitor.go("s021", "en")  # the first visit in a language takes longer, with a banner that fades in and out
    visitor.go("s021").ask("Power BI")
    visitor.page.locator('[class*="st-key-card-choose-"] button').first.click()
    visitor.page.locator(".st-key-check").wait_for()
    visitor.press("ask-yes")
    visitor.page.goto(f"{server.url}/rounds?as=coordinator&lang=nl")
    visitor.page.locator(".st-key-round-gather").wait_for()
    visitor.settle()
    visitor.page.locator(".st-key-round-new input").first.fill("Toegankelijk")
    visitor.press("round-gather").page.locator(".st-key-round-state").wait_for()
    context.close()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("who", PAGES)
def test_axe_finds_nothing_grave(visit: Visit, who: str, language: Language, theme: str) -> None:
    """No serious or critical violation, with the page as it opens and in its richest state."""
    visitor = visit(color_scheme=theme).go(who, language)
    assert violations(visitor) == []
    assert violations(full(visitor, who)) == []


@pytest.mark.parametrize(("language", "theme"), [("nl", "light"), ("en", "dark")])
@pytest.mark.parametrize(("who", "page"), WORKBENCH)
def test_the_workbench_is_for_everybody(visit: Visit, who: str, page: str, language: Language, theme: str) -> None:
    """No serious or critical violation, headings in order, the language named, and no scrolling aside at 320 pixels."""
    visitor = visit(color_scheme=theme)
    visitor.page.goto(f"{visitor.server.url}/{page}?as={who}&lang={language}")
    visitor.page.locator("h1").wait_for()
    visitor.settle()
    if page == "rounds":
        visitor.page.locator('[class*="st-key-round-open-"] button').first.click()
        visitor.page.locator(".st-key-round-state").wait_for()
        visitor.settle()
    assert violations(visitor) == []
    assert visitor.page.evaluate("document.documentElement.lang") == language
    ranks = [int(each[1]) for each in visitor.page.evaluate(HEADINGS)]
    assert ranks.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(ranks))
    visitor.page.set_viewport_size({"width": 320, "height": 640})
    visitor.settle()
    assert visitor.page.evaluate("document.querySelector('.stMain').scrollWidth") <= 320


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_grave_in_what_opens(visit: Visit, theme: str) -> None:
    """Also the check, what was sent, an error, help, the demo switch, the numbers and the comparison."""
    visitor = visit(color_scheme=theme).go("s022", "nl").press("ask-restart")
    visitor.press("demo-switch")
    assert violations(visitor) == []
    visitor.page.keyboard.press("Escape")
    visitor.press("ask-human")
    assert violations(visitor) == []
    visitor.page.keyboard.press("Escape")
    visitor.page.get_by_test_id("stChatInputTextArea").fill("???")
    visitor.page.keyboard.press("Enter")
    visitor.page.locator(".st-key-problem").wait_for()
    assert violations(visitor.settle()) == []
    visitor.ask("Excel").page.locator('[class*="st-key-card-choose-"] button').first.click()
    visitor.page.locator(".st-key-check").wait_for()
    assert violations(visitor.settle()) == []
    visitor.press("ask-yes").page.locator(".st-key-sent-waiting").wait_for()
    assert violations(visitor) == []
    visitor.press("ask-undo")
    visitor.go("coordinator").page.locator(".st-key-numbers summary").click()
    visitor.page.locator('[class*="st-key-compare-"] label').click()
    assert violations(visitor.settle()) == []


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("who", PAGES)
def test_page_names_its_language_and_has_one_heading_of_each_rank_in_order(
    visit: Visit, who: str, language: Language
) -> None:
    """The lang attribute is right in the answer of the server and in the page; headings skip no rank."""
    visitor = visit().go(who, language)
    answer = visitor.page.request.get(f"{visitor.server.url}/?lang={language}", headers={"accept": "text/html"})
    assert f'<html lang="{language}">' in answer.text()
    assert visitor.page.evaluate("document.documentElement.lang") == language
    ranks = visitor.page.evaluate("[...document.querySelectorAll('.stMain :is(h1,h2,h3,h4)')].map(h => +h.tagName[1])")
    assert ranks[0] == 1
    assert ranks.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(ranks))


def test_switching_language_changes_the_attribute_and_every_text(visit: Visit) -> None:
    """After a press on English nothing Dutch of ours is left."""
    visitor = visit().go("s023", "nl")
    visitor.page.get_by_role("radio", name="English").click()
    visitor.page.get_by_role("heading", name=say("ask.title", "en")).wait_for()
    visitor.settle()
    assert visitor.page.evaluate("document.documentElement.lang") == "en"
    shown = visitor.page.inner_text(".stMain")
    for key in ("ask.undo", "ask.restart", "ask.human", "frame.size_normal", "ask.example_1", "demo.switch"):
        assert say(key, "nl") not in shown
        assert say(key, "en") in shown


def found(visitor: Visitor) -> str:
    """Return the announcement that fits what is on the page: with a question, or without."""
    asked = visitor.page.locator(".st-key-question").count()
    return "ask.announce_question" if asked else "ask.announce_found"


def test_each_reply_is_announced_once(visit: Visit) -> None:
    """The live region stays the same node and its text changes once for each reply, never for a mere redraw."""
    visitor = visit().go("s024", "nl")
    visitor.page.evaluate(
        """() => { window.told = []; const live = document.getElementById("sr-live"); window.live = live;
        new MutationObserver(() => window.told.push(live.textContent)).observe(live, {childList: true}); }"""
    )
    visitor.ask("Excel leren")
    first = found(visitor)
    visitor.press("ask-more")
    visitor.page.get_by_role("radio", name=say("frame.size_large", "nl"), exact=True).click()
    visitor.settle()
    visitor.ask("Filmpjes maken")
    last = found(visitor)
    told = visitor.page.evaluate("window.told")
    assert told == [
        say(first, "nl", reply=1, count=3),
        say("ask.announce_more", "nl", reply=2),
        say(last, "nl", reply=3, count=3),
    ]
    assert visitor.page.evaluate("window.live.isConnected && window.live === document.getElementById('sr-live')")
    assert visitor.page.get_by_role("status").filter(has_text=told[-1]).count() == 1


def test_says_so_when_it_takes_longer(visit: Visit) -> None:
    """While a run lasts the page says that it is looking; before and after it does not."""
    visitor = visit().go("s026", "nl")
    searching = visitor.page.locator(".st-key-searching")
    assert not searching.is_visible()
    visitor.page.evaluate("document.querySelector('.stApp').dataset.testScriptState = 'running'")
    searching.wait_for(state="visible")
    assert say("ask.searching", "nl") in searching.inner_text()
    visitor.page.evaluate("document.querySelector('.stApp').dataset.testScriptState = 'notRunning'")
    searching.wait_for(state="hidden")


@pytest.mark.parametrize("size", ["normal", "largest"])
@pytest.mark.parametrize("who", PAGES)
def test_nothing_is_wider_than_a_narrow_screen(visit: Visit, who: str, size: str) -> None:
    """At 320 pixels the page has no horizontal scroll, at the usual and at the largest text size."""
    visitor = full(visit(viewport={"width": 320, "height": 640}).go(who, "nl", size=size), who)
    widths = visitor.page.evaluate(
        "[document.documentElement.scrollWidth, document.querySelector('.stMain').scrollWidth]"
    )
    assert max(widths) <= 320
    cut = visitor.page.evaluate(
        """[...document.querySelectorAll('.stMain button')].filter(b => b.offsetParent &&
        (b.getBoundingClientRect().right > 321 || b.scrollWidth > b.clientWidth + 1)).map(b => b.innerText)"""
    )
    assert cut == []


def test_works_at_four_times_zoom(visit: Visit) -> None:
    """At 320 by 256 pixels an example can be chosen and its cards read."""
    visitor = visit(viewport={"width": 320, "height": 256}).go("s025", "nl")
    visitor.press("example-1")
    visitor.page.locator(".st-key-cards").wait_for()
    heading = visitor.page.locator(".st-key-cards h2").first
    heading.scroll_into_view_if_needed()
    assert heading.bounding_box()["y"] >= 0  # type: ignore[index]


@pytest.mark.parametrize("who", PAGES)
def test_targets_are_large_enough(visit: Visit, who: str) -> None:
    """Every button, tab and chip is at least 44 pixels high (WCAG 2.5.5), but for the parts of one field."""
    visitor = full(visit().go(who), who)
    small = visitor.page.evaluate(
        """[...document.querySelectorAll('.stMain :is(button, [role=radio], summary), header a')]
        .filter(b => b.offsetParent && !b.closest('.stSelectbox, [data-testid=stChatInput]'))
        .map(b => (b.closest('label') || b).getBoundingClientRect().height).filter(h => h < 43.5)"""
    )
    assert small == []


def test_focus_can_be_seen(visit: Visit) -> None:
    """Each stop of the Tab key has an outline."""
    visitor = visit().go("coordinator")
    bare = []
    for _ in range(25):
        visitor.page.keyboard.press("Tab")
        bare += visitor.page.evaluate(
            """(() => { const e = document.activeElement; if (e === document.body) return [];
            const seen = [e, ...e.querySelectorAll('*'), e.parentElement, e.parentElement.parentElement];
            const marked = n => { const s = getComputedStyle(n);
              return (s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) >= 2) || s.boxShadow !== 'none'; };
            return seen.some(marked) ? [] : [e.outerHTML.slice(0, 120)]; })()"""
        )
    assert bare == []
