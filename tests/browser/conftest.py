"""A real server process and a real Chromium. Servers are shared: starting one is the slow part."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, sync_playwright

from recommender.settings import DEFAULT_ENCODER

ROOT = Path(__file__).parents[2]
CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
ARGUMENTS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE = 180_000
"""Milliseconds until a browser step counts as failed: long, because nothing here measures speed."""


@dataclass
class Server:
    """One app process with a home of its own. `settings` are environment variables besides those two."""

    home: Path
    encoder: str
    settings: dict[str, str] = field(default_factory=dict)
    port: int = 0
    process: subprocess.Popen[bytes] | None = None
    log: list[Path] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Where a browser finds it."""
        return f"http://localhost:{self.port}"

    def start(self) -> None:
        """Start the app and wait until it answers. The port stays the same over restarts."""
        self.port = self.port or _free_port()
        self.log.append(self.home / f"server-{len(self.log)}.log")
        environment = os.environ | {"TELEMACHOS_HOME": str(self.home), "TELEMACHOS_ENCODER": self.encoder}
        environment |= self.settings
        command = [sys.executable, "-m", "streamlit", "run", str(ROOT / "streamlit_app.py"), "--server.port"]
        with self.log[-1].open("wb") as output:
            self.process = subprocess.Popen(
                [*command, str(self.port)], cwd=ROOT, env=environment, stdout=output, stderr=subprocess.STDOUT
            )
        while True:
            if self.process.poll() is not None:
                raise RuntimeError(self.log[-1].read_text())
            try:
                with urllib.request.urlopen(f"{self.url}/_stcore/health"):  # noqa: S310  # our own address
                    return
            except (urllib.error.URLError, ConnectionError):
                time.sleep(0.2)

    def stop(self) -> None:
        """End our own process, and no other."""
        if self.process is not None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
            self.process = None


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Give the shared server: the demo organisation with the fast test encoder."""
    made = Server(tmp_path_factory.mktemp("home"), "hashing")
    made.start()
    yield made
    made.stop()


@pytest.fixture(scope="session")
def genuine_server(encoder_home: Path) -> Iterator[Server]:
    """Give a server with the real encoder. Its vectors are kept between runs, its conversations as well."""
    made = Server(encoder_home, DEFAULT_ENCODER)
    made.start()
    yield made
    made.stop()


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    """Give the driver of the browser."""
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Browser]:
    """Give one Chromium for all tests."""
    if not Path(CHROMIUM).exists():
        pytest.fail("There is no Chromium. Run scripts/install-chromium.")
    launched = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
    yield launched
    launched.close()


Visit = Callable[..., "Visitor"]


@dataclass
class Visitor:
    """One person at one browser tab."""

    page: Page
    server: Server
    requests: list[str]

    def go(self, who: str, language: str = "nl", **query: str) -> "Visitor":
        """Open the app as somebody and wait until the page is drawn."""
        extra = "".join(f"&{name}={value}" for name, value in query.items())
        self.page.goto(f"{self.server.url}/?as={who}&lang={language}{extra}")
        self.page.locator("h1").wait_for()
        return self.settle()

    def settle(self) -> "Visitor":
        """Wait until the script has run and nothing old is on the page, and it stays so for a moment."""
        quiet = '[data-testid="stApp"][data-test-script-state="notRunning"]'
        while True:
            self.page.wait_for_timeout(250)  # a press reaches the server a moment later
            self.page.locator(quiet).wait_for()
            self.page.wait_for_function(
                '!document.querySelector(\'[data-stale="true"], .stMain [data-testid="stSpinner"]\')'
            )
            self.page.wait_for_timeout(250)  # the announcer speaks, and moves the focus, just after a run
            if self.page.locator(quiet).count():
                return self

    def ask(self, text: str) -> "Visitor":
        """Type a question, press Enter, and wait for the cards."""
        box = self.page.get_by_test_id("stChatInputTextArea")
        box.fill(text)
        box.press("Enter")
        self.page.locator(".st-key-me").get_by_text(text, exact=True).wait_for()
        self.page.locator(".st-key-cards").first.wait_for()
        return self.settle()

    def press(self, key: str) -> "Visitor":
        """Press the button with a key."""
        self.page.locator(f".st-key-{key} button").first.click()
        return self.settle()

    def look_at(self, asked: str) -> "Visitor":
        """As the coordinator: go through the queue until the question with these words is shown."""
        looked = 0
        while self.page.locator(".st-key-request").get_by_text(asked).count() == 0:
            buttons = self.page.locator('[class*="st-key-look-"] button')
            assert looked < 20, f"nobody in the queue asked {asked!r}"
            buttons.nth(looked % buttons.count()).click()
            looked += 1
            self.settle()
        return self

    def titles(self) -> list[str]:
        """Return the headings of the cards."""
        return self.page.locator(".st-key-cards h2").all_inner_texts()

    def heard(self) -> str:
        """Return what the live region says."""
        return str(self.page.evaluate("document.getElementById('sr-live').textContent"))

    def focused(self) -> str:
        """Return the tag that has the keyboard."""
        return str(self.page.evaluate("document.activeElement.tagName"))


@pytest.fixture
def visit(browser: Browser, server: Server) -> Iterator[Visit]:
    """Give a function that opens a fresh tab with cookies of its own."""
    contexts: list[BrowserContext] = []

    def opened(at: Server = server, **options: object) -> Visitor:
        context = browser.new_context(**({"viewport": {"width": 1280, "height": 900}} | options))  # type: ignore[arg-type]
        context.set_default_timeout(PATIENCE)
        contexts.append(context)
        page = context.new_page()
        requests: list[str] = []
        page.on("request", lambda request: requests.append(request.url))
        return Visitor(page, at, requests)

    yield opened
    for context in contexts:
        context.close()
