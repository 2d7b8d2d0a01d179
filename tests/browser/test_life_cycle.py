"""A pair from the question to the end, 24 weeks in a few minutes: the time comes from a file."""

import os
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from icalendar import Calendar
from playwright.sync_api import Locator

from recommender.bootstrap import DATABASE
from recommender.pair import QUESTIONS, SCALE
from recommender.snapshot import read_snapshot, write_snapshot
from recommender.store import Store
from recommender.wording import say
from tests.browser.conftest import Server, Visit, Visitor

pytestmark = pytest.mark.browser

REQUEST = "Draaitabellen in Excel voor mijn kwartaalcijfers"
SENIOR = "s021"
WEEKS = (4, 12, 24)
RATINGS = {"senior": (3, 4, 5), "junior": (4, 3, 4)}
"""What each says how it goes, at each of the three check-ins."""


class ClockFile:
    """The file that the app takes the time from."""

    def __init__(self, path: Path) -> None:
        self.path, self.start = path, datetime.now(UTC)
        self.turn(timedelta())

    def turn(self, since_start: timedelta) -> None:
        """Set the time. The file appears whole: the app may read it at any moment."""
        fresh = self.path.with_suffix(".new")
        fresh.write_text((self.start + since_start).isoformat())
        os.replace(fresh, self.path)


@pytest.fixture
def clock(tmp_path: Path) -> ClockFile:
    """Give the clock of the server."""
    return ClockFile(tmp_path / "clock")


@pytest.fixture
def timed_server(tmp_path: Path, clock: ClockFile) -> Iterator[Server]:
    """Give a server of its own that goes by the clock."""
    home = tmp_path / "home"
    home.mkdir()
    made = Server(home, "hashing", {"TELEMACHOS_CLOCK": str(clock.path)})
    made.start()
    yield made
    made.stop()


def appointments(visitor: Visitor, who: str) -> Visitor:
    """Open somebody's own page of appointments anew."""
    visitor.page.goto(f"{visitor.server.url}/matches?as={who}&lang=nl")
    visitor.page.get_by_role("heading", name=say("matches.title", "nl"), level=1).wait_for()
    return visitor.settle()


def now(visitor: Visitor, text: str) -> Locator:
    """Wait until the one thing to do has this heading."""
    heading = visitor.page.locator(".st-key-now").get_by_role("heading", name=text)
    heading.wait_for()
    return heading


def choose(visitor: Visitor, field: str, word: str) -> None:
    """Press one of the words of a field."""
    visitor.page.locator(f'[class*="st-key-{field}"]').get_by_role("radio", name=word, exact=True).click()
    visitor.settle()


def answer_questions(visitor: Visitor, rating: int) -> None:
    """Answer the short questions and send them."""
    now(visitor, say("checkin.title", "nl"))
    for question in QUESTIONS:
        choose(visitor, f"checkin-{question}-", say(f"scale.{SCALE[3]}", "nl"))
    choose(visitor, "checkin-go_on-", say("checkin.yes", "nl"))
    choose(visitor, "checkin-rating-", say(f"rating.word_{rating}", "nl"))
    visitor.press("checkin-send")
    visitor.page.locator(".st-key-checkin-again").wait_for()


def test_from_a_question_to_the_training_data(
    visit: Visit, timed_server: Server, clock: ClockFile, tmp_path: Path
) -> None:
    """Ask, approve, two times yes, agree, meet, three check-ins of both, end: both ratings are in the snapshot."""
    asker = visit(timed_server, accept_downloads=True).go(SENIOR).ask(REQUEST)
    assert asker.page.locator(".st-key-notice-clock_test").count() == 1
    card = asker.page.locator('[class*="st-key-card-choose-"]').first
    junior = re.search(r"st-key-card-choose-(\S+)", card.get_attribute("class") or "").group(1)  # type: ignore[union-attr]
    card.locator("button").click()
    asker.page.locator(".st-key-check").wait_for()
    asker.settle().press("ask-yes")
    asker.page.locator(".st-key-sent-waiting").wait_for()
    visit(timed_server).go("coordinator").look_at(REQUEST).press("approve")

    asker.page.reload()
    asker.page.locator(".st-key-sent-approved").wait_for()
    asker.settle().press("ask-to-matches")
    asker.page.locator(".st-key-invited-yes").wait_for()
    asker.settle().press("invited-yes")
    now(asker, say("invited.wait_senior", "nl"))

    helper = appointments(visit(timed_server), junior)
    assert REQUEST not in helper.page.inner_text(".stMain")
    helper.press("invited-yes")
    now(helper, say("pactform.title", "nl"))

    appointments(asker, SENIOR).press("pact-agree")
    now(asker, say("meeting.plan_title", "nl"))
    appointments(helper, junior).press("pact-agree")
    now(helper, say("meeting.plan_title", "nl"))

    asker.press("meeting-save")
    now(asker, say("matches.nothing_senior", "nl"))
    with asker.page.expect_download() as downloading:
        asker.page.locator('[class*="st-key-calendar-"] button').click()
    assert downloading.value.suggested_filename == say("calendarfile.name", "nl")
    event = Calendar.from_ical(Path(downloading.value.path()).read_bytes()).walk("VEVENT")[0]
    assert clock.start < event.decoded("dtstart") < clock.start + timedelta(weeks=2)
    assert event.decoded("dtend") - event.decoded("dtstart") == timedelta(minutes=60)

    for place, week in enumerate(WEEKS):
        clock.turn(timedelta(weeks=week, hours=1))
        appointments(asker, SENIOR)
        if place == 0:
            now(asker, say("meeting.mark_title", "nl"))
            asker.press("meeting-held")
        answer_questions(asker, RATINGS["senior"][place])
        answer_questions(appointments(helper, junior), RATINGS["junior"][place])

    asker.press("stop-stop")
    choose(asker, "stop-reason-stop-", say("pairend.goal_reached", "nl"))
    asker.press("stop-save")
    asker.page.locator('[class*="st-key-over-"]').wait_for()
    timed_server.stop()

    store = Store(timed_server.home / DATABASE)
    try:
        info = write_snapshot(store, tmp_path / "snapshots")
    finally:
        store.close()
    rows = read_snapshot(tmp_path / "snapshots" / info.id).rows
    rated = rows[rows["senior_rating"].notna() | rows["junior_rating"].notna()]
    assert len(rated) == 1
    last = rated.iloc[0]
    assert (last["action"], last["decision"]) == ("chosen", "approved")
    assert (last["senior_rating"], last["junior_rating"]) == (RATINGS["senior"][-1], RATINGS["junior"][-1])
