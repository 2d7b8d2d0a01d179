"""How long a senior waits, in a real browser with the real encoder: `make turn-times`.

A warm start is a start with everything unpacked and encoded; times are seconds on the machine at hand.
"""

import shutil
import statistics
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Page, sync_playwright
from screenshots import ARGUMENTS, PATIENCE, running

QUESTIONS = [
    "ik wil filmpjes maken met mijn telefoon",
    "who can explain pivot tables to me",
    "hoe bewaar ik veilig mijn wachtwoorden",
    "I never know where my files are in Teams",
    "wat vinden jonge klanten van onze webshop",
    "help me with a better LinkedIn page",
]


def main() -> None:
    """Start cold, start warm, and ask."""
    with tempfile.TemporaryDirectory() as home, sync_playwright() as playwright:
        chromium = shutil.which("chromium") or "/usr/bin/chromium"
        browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        for start in ("first start", "warm start"):
            began = time.perf_counter()
            with running(Path(home)) as url:
                page = browser.new_page()
                page.set_default_timeout(PATIENCE)
                page.goto(f"{url}/?as=s001&lang=nl")
                page.get_by_test_id("stChatInputTextArea").wait_for()
                print(f"{start}: page ready after {time.perf_counter() - began:.1f} s")
                print(f"{start}: first suggestion, from Enter {asked(page, QUESTIONS[0]):.2f} s")
                print(f"{start}: from starting the server {time.perf_counter() - began:.1f} s")
                following = [asked(page, text) for text in QUESTIONS[1:]]
                median, most = statistics.median(following), max(following)
                print(f"{start}: following turns, median {median:.2f} s, most {most:.2f} s")
                page.close()
        browser.close()


def asked(page: Page, text: str) -> float:
    """Ask and return the seconds from Enter until the cards for this question are drawn."""
    box = page.get_by_test_id("stChatInputTextArea")
    box.fill(text)
    began = time.perf_counter()
    box.press("Enter")
    page.locator(".st-key-me").get_by_text(text, exact=True).wait_for()
    page.locator(".st-key-cards h2").first.wait_for()
    page.locator('[data-testid="stApp"][data-test-script-state="notRunning"]').wait_for()
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
