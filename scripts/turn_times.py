"""How long a senior waits, in a real browser with the real encoder: `make turn-times`.

A warm start is a start with everything unpacked and encoded; times are seconds on the machine at hand.
"""

import shutil
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
from playwright.sync_api import Browser, Page, sync_playwright
from screenshots import ARGUMENTS, PATIENCE, running

from recommender.bootstrap import install
from recommender.demo import demo_people
from recommender.domain import Junior, JuniorId, SeniorId
from recommender.settings import Settings

QUESTIONS = [
    "ik wil filmpjes maken met mijn telefoon",
    "who can explain pivot tables to me",
    "hoe bewaar ik veilig mijn wachtwoorden",
    "I never know where my files are in Teams",
    "wat vinden jonge klanten van onze webshop",
    "help me with a better LinkedIn page",
]


LATER = [
    "iemand die wat geduldiger is",
    "liever online",
    "waarom de eerste?",
    "wat is het verschil tussen de eerste en de tweede",
    "ook iets met Excel",
    "somebody more technical please",
    "nog een paar graag",
    "oeps, ga terug",
]
LARGE = 100_000
ROUNDS = 6
"""Conversations in the engine alone: each goal, then what is said later, as many times."""


def main() -> None:
    """Time the engine and the page, with the demo and with a large organisation that has the demo's texts."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        chromium = shutil.which("chromium") or "/usr/bin/chromium"
        browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        demo, large = Path(folder) / "demo", Path(folder) / "large"
        for start in ("first start", "warm start"):
            began = time.perf_counter()
            in_browser(browser, demo, start, began)
        print(f"| | juniors | turns | p50 s | p95 s |\n|---|---|---|---|---|\n{in_engine(demo)}")
        large.mkdir()
        (large / "encoders").symlink_to(demo / "encoders")
        enlarge(large)
        print(in_engine(large))
        in_browser(browser, large, "large organisation", time.perf_counter())
        browser.close()


def in_browser(browser: Browser, home: Path, name: str, began: float) -> None:
    """Start a server, ask, and say what else people say."""
    with running(home) as url:
        page = browser.new_page()
        page.set_default_timeout(PATIENCE)
        page.goto(f"{url}/?as=s001&lang=nl")
        page.get_by_test_id("stChatInputTextArea").wait_for()
        print(f"{name}: page ready after {time.perf_counter() - began:.1f} s")
        print(f"{name}: first suggestion, from Enter {asked(page, QUESTIONS[0]):.2f} s")
        print(f"{name}: from starting the server {time.perf_counter() - began:.1f} s")
        following = [asked(page, text) for text in [*QUESTIONS[1:], *LATER] * 2]
        print(f"{name}: following {len(following)} turns, {told(following)}")
        page.close()


def in_engine(home: Path) -> str:
    """Return a row with how long turns take without a page."""
    here = install(Settings(home=home))
    here.service.prepare()
    talk, senior = here.service.talk, SeniorId("s001")
    times = []
    for question in QUESTIONS * ROUNDS:
        where = talk.new_conversation(senior, "nl")
        for text in (question, *LATER):
            began = time.perf_counter()
            talk.hear(where, senior, text, "nl")
            times.append(time.perf_counter() - began)
    juniors = len(here.service.store.people.juniors())
    here.service.store.close()
    middle, late = np.percentile(times, [50, 95])
    return f"| engine alone | {juniors:,} | {len(times)} | {middle:.3f} | {late:.3f} |"


def enlarge(home: Path) -> None:
    """Fill an organisation with the demo's people, again and again under other ids."""
    here = install(Settings(home=home))
    people = demo_people()
    juniors = [each for each in people if isinstance(each, Junior)]
    copies = [
        replace(juniors[number % len(juniors)], id=JuniorId(f"x{number:06}"), email="", manager_id=None)
        for number in range(LARGE - len(juniors))
    ]
    here.service.put_people([*people, *copies])
    here.service.store.close()


def told(times: list[float]) -> str:
    """Say median, 95th percentile and the longest."""
    middle, late = np.percentile(times, [50, 95])
    return f"p50 {middle:.2f} s, p95 {late:.2f} s, most {max(times):.2f} s"


def asked(page: Page, text: str) -> float:
    """Type something and return the seconds from Enter until the answer is drawn and nothing runs any more."""
    before = page.evaluate("document.getElementById('sr-live').textContent")
    box = page.get_by_test_id("stChatInputTextArea")
    box.fill(text)
    began = time.perf_counter()
    box.press("Enter")
    page.wait_for_function("b => document.getElementById('sr-live').textContent !== b", arg=before)
    page.locator('[data-testid="stApp"][data-test-script-state="notRunning"]').wait_for()
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
