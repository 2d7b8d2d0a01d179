"""Take the pictures of the docs: every page in both languages, with the real app and the real encoder.

Starts a server of its own on a free port with a fresh home, and stops it again. Run: ``make screenshots``.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).parents[1]
TARGET = ROOT / "docs" / "screenshots"
PATIENCE = 300_000
WIDTH = 1280
ARGUMENTS = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync"]
QUESTIONS = {
    "nl": ("s001", "ik wil filmpies maken voor onse etalage met mn gsm"),
    "en": ("s003", "who can explane pivot tables and power querry to me"),
}


def main() -> None:
    """Make every picture anew."""
    TARGET.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as home, running(Path(home)) as url, sync_playwright() as playwright:
        chromium = shutil.which("chromium") or "/usr/bin/chromium"
        browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        for theme in ("light", "dark"):
            page = browser.new_page(viewport={"width": WIDTH, "height": 900}, color_scheme=theme)  # type: ignore[arg-type]
            page.set_default_timeout(PATIENCE)
            for language in QUESTIONS:
                journey(page, url, language, "" if theme == "light" else "-dark")
                if theme == "light":
                    workbench(page, url, language)
        browser.close()


def journey(page: Page, url: str, language: str, suffix: str) -> None:
    """Walk through the app as everybody, and take a picture of each page."""
    who, question = QUESTIONS[language]
    visit(page, url, who, language)
    page.locator(".st-key-ask-restart button").click()
    settle(page)
    take(page, f"ask-start-{language}{suffix}")
    box = page.get_by_test_id("stChatInputTextArea")
    box.fill(question)
    box.press("Enter")
    page.locator(".st-key-cards").wait_for()
    settle(page)
    take(page, f"ask-cards-{language}{suffix}")
    page.locator('[class*="st-key-card-choose-"] button').first.click()
    page.locator(".st-key-check").wait_for()
    settle(page)
    take(page, f"ask-check-{language}{suffix}")
    page.locator(".st-key-ask-yes button").click()
    page.locator(".st-key-sent-waiting").wait_for()
    settle(page)
    take(page, f"ask-sent-{language}{suffix}")
    visit(page, url, "coordinator", language)
    take(page, f"review-{language}{suffix}")
    visit(page, url, "scientist", language)
    take(page, f"model-{language}{suffix}")
    visit(page, url, "j001", language)
    take(page, f"profile-{language}{suffix}")


def workbench(page: Page, url: str, language: str) -> None:
    """Walk through the coordinator's pages, with a round that is published and a pair that says yes."""
    name = {"nl": "Najaar", "en": "Autumn"}[language]
    page.goto(f"{url}/rounds?as=coordinator&lang={language}")
    page.locator(".st-key-round-new input").first.wait_for()
    settle(page)
    page.locator(".st-key-round-new input").first.fill(name)
    page.locator(".st-key-round-gather button").click()
    page.locator(".st-key-round-state").wait_for()
    settle(page)
    take(page, f"rounds-{language}")
    page.locator(".st-key-round-publish button").click()
    page.locator(".st-key-round-publish-yes button").click()
    page.locator(".st-key-round-published").wait_for()
    settle(page)
    for who, where in (
        ("coordinator", "pairs"),
        ("s005", "matches"),
        ("coordinator", "overview"),
        ("coordinator", "programme"),
    ):
        page.goto(f"{url}/{where}?as={who}&lang={language}")
        page.locator("h1").wait_for()
        settle(page)
        take(page, f"{where}-{language}")
    page.goto(f"{url}/story?as=coordinator&lang={language}")
    page.locator(".st-key-story-play button").click()
    page.locator(".st-key-story-outcome").wait_for()
    settle(page)
    take(page, f"story-{language}")
    page.goto(f"{url}/rounds?as=coordinator&lang={language}")
    page.locator('[class*="st-key-round-open-"] button').first.click()
    settle(page)
    page.locator(".st-key-round-published button").first.click()  # back in one go, for the next language
    settle(page)


def visit(page: Page, url: str, who: str, language: str) -> None:
    """Open the app as somebody."""
    page.goto(f"{url}/?as={who}&lang={language}")
    page.locator("h1").wait_for()
    settle(page)


def settle(page: Page) -> None:
    """Wait until the page is drawn."""
    page.wait_for_timeout(400)
    page.locator('[data-testid="stApp"][data-test-script-state="notRunning"]').wait_for()
    page.wait_for_timeout(600)


def take(page: Page, name: str) -> None:
    """Save a picture of the whole page: Streamlit scrolls inside it, so the window grows for a moment."""
    page.evaluate("document.activeElement.blur(); document.querySelector('.stMain').scrollTo(0, 0)")
    height = page.evaluate("document.querySelector('.stMainBlockContainer').scrollHeight")
    page.set_viewport_size({"width": WIDTH, "height": max(int(height), 700)})
    page.wait_for_timeout(500)
    page.screenshot(path=TARGET / f"{name}.png")
    page.set_viewport_size({"width": WIDTH, "height": 900})
    print(f"docs/screenshots/{name}.png")


@contextmanager
def running(home: Path) -> Iterator[str]:
    """Run the app on a free port, and stop exactly that process afterwards."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TELEMACHOS_")}
    process = subprocess.Popen(
        [sys.executable, "-m", "streamlit", "run", str(ROOT / "streamlit_app.py"), "--server.port", str(port)],
        cwd=ROOT,
        env=environment | {"TELEMACHOS_HOME": str(home)},
    )
    try:
        while True:
            try:
                with urllib.request.urlopen(f"http://localhost:{port}/_stcore/health"):  # our own address
                    break
            except (urllib.error.URLError, ConnectionError):
                if process.poll() is not None:
                    raise SystemExit("The app did not start.") from None
                time.sleep(0.2)
        yield f"http://localhost:{port}"
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


if __name__ == "__main__":
    main()
