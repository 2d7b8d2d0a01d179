"""The page of the whole programme: in words, with tables, without names, and nothing about few people."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from app import overview_views
from app.components import WORD_JOINER
from recommender.domain import Decision, JuniorId, PairId, SeniorId, Side
from recommender.framework import framework
from recommender.pair import Meeting, MeetingState, Pair, PairState, answered
from recommender.programme_counts import View
from recommender.programme_figures import Scarce
from recommender.programme_journeys import Step
from recommender.service import Service
from recommender.spreadsheets import csv_file
from recommender.supply import Gap
from recommender.wording import LANGUAGES, Language, say
from tests.builders import a_junior, a_senior

Visit = Callable[..., AppTest]
PEOPLE = 24


def plain(text: str) -> str:
    """Return a text as somebody reads it."""
    return text.replace("\\", "").replace(WORD_JOINER, "")


def read(at: AppTest) -> str:
    """Return everything that can be read on the page, beside tables."""
    parts = [*at.title, *at.header, *at.subheader, *at.markdown, *at.text, *at.caption, *at.error, *at.warning]
    return plain("\n".join(part.value for part in parts))


def table(at: AppTest, title: str, language: Language) -> pd.DataFrame:
    """Return the table below a title."""
    alt = say("overview.table_of", language, what=say(f"overview.{title}", language))
    return next(each.value for each in at.table if each.proto.alt == alt)


@pytest.fixture
def busy(service: Service) -> Service:
    """Give an organisation with a programme that runs: 24 asked, 20 chose, 16 learn together, 10 met."""
    now, store = datetime.now(UTC), service.store
    learners = [
        a_senior(id=SeniorId(f"v{each}"), name=f"Leerling{each} =Formule", department="HR" if each < 3 else "Verkoop")
        for each in range(PEOPLE)
    ]
    explainers = [a_junior(id=JuniorId(f"u{each}"), name=f"Uitlegger{each}", capacity=PEOPLE) for each in range(6)]
    service.put_people([*learners, *explainers])
    for number, each in enumerate(learners):
        slate = service.recommend("Excel", each.id)
        service.shown(slate.id, [one.junior_id for one in slate.suggestions[:3]])
        if number >= 20:
            continue
        junior = next(one.junior_id for one in slate.suggestions if one.junior_id.startswith("u"))
        store.slates.choose(slate.id, junior, each.id, None, now)
        if number >= 16:
            continue
        pair = Pair(
            PairId(f"p{number}"), slate.id, each.id, junior, None, PairState.INVITED, now, now + timedelta(days=9)
        )
        started = answered(answered(pair, Side.SENIOR, True, now), Side.JUNIOR, True, now)
        with store.steps.step("review_approved", "coordinator", now) as step:
            store.slates.decide(step, slate.id, Decision.APPROVED, "", "", "coordinator", now)
            store.pairs.add(step, [started])
            if number < 10:
                held = Meeting(f"m{number}", pair.id, now - timedelta(hours=2), 60, "", MeetingState.HELD)
                store.pairs.add_meeting(step, held)
    return service


def alone(who: str, language: str) -> None:
    """Run this page by itself, as a member of the staff."""
    from app import session
    from app.identity import Identity, Role
    from app.pages import overview

    held = session.current()
    held.language, held.who_id, held.who = language, who, Identity(who, who, Role(who))  # type: ignore[assignment]
    overview.page()


@pytest.fixture
def visit(service: Service) -> Visit:
    """Give a function that opens the page as somebody, in a language."""

    def opened(who: str, language: str = "nl") -> AppTest:
        return AppTest.from_function(alone, default_timeout=60, args=(who, language)).run()

    return opened


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("who", ["coordinator", "scientist"])
def test_a_fresh_programme_says_what_is_missing(visit: Visit, who: str, language: Language) -> None:
    """Each part says in words that there is nothing yet, and draws nothing."""
    at = visit(who, language)
    assert not at.exception
    for key in ("no_asked", "no_pairs", "no_working", "no_ended", "no_meetings", "no_shown", "no_ratings"):
        assert say(f"overview.{key}", language) in read(at)
    for key in ("no_check_ins", "no_approvals", "no_rejections", "no_reader", "no_recruit"):
        assert say(f"overview.{key}", language) in read(at)
    assert not at.table
    assert not at.get("vega_lite_chart")


@pytest.mark.parametrize("language", LANGUAGES)
def test_numbers_are_said_drawn_and_tabled(busy: Service, visit: Visit, language: Language) -> None:
    """Every chart has its conclusion as alternative text, and the same numbers as a table."""
    at = visit("scientist", language)
    assert not at.exception
    assert say("overview.told_states", language, count=16, all=16) in read(at)
    assert say("overview.told_meetings", language, count=10, all=10) in read(at)
    alts = [each.proto.alt for each in at.get("vega_lite_chart")]
    assert len(alts) == len(at.table) == 6
    assert all(say("learn.table_below", language) in each for each in alts)
    rows = table(at, "funnel", language)
    assert rows.iloc[0, 0] == str(PEOPLE)
    assert [plain(each) for each in rows.index] == [
        say(f"overview.funnel_{each}", language)
        for each in ("asked", "saw", "chose", "approved", "accepted", "met", "well")
    ]


def test_steps_that_few_did_not_take_are_a_range(busy: Service, visit: Visit) -> None:
    """Four of twenty-four didn't choose: the number that would tell is between those that don't."""
    rows = table(visit("coordinator", "en"), "funnel", "en")
    assert plain(rows.iloc[2, 0]) == "16 to 24"
    assert plain(rows.iloc[2, 1]) == "–"


def test_period_and_group_change_the_numbers(busy: Service, visit: Visit) -> None:
    """A department of three has no page, and the one beside it doesn't give it away."""
    at = visit("coordinator", "nl")
    places = {plain(name): place for place, name in enumerate(at.selectbox(key="overview-group").options)}
    at.selectbox(key="overview-group").set_value(places["Afdeling HR"]).run()
    assert say("overview.too_small", "nl") in read(at)
    assert not at.table
    assert not at.get("download_button")
    at.selectbox(key="overview-group").set_value(places["Afdeling Verkoop"]).run()
    at.selectbox(key="overview-period").set_value(30).run()
    assert not at.exception
    assert plain(table(at, "funnel", "nl").iloc[0, 0]) == say("overview.hidden", "nl")


def test_names_are_for_the_coordinator_and_in_a_file_only(busy: Service, visit: Visit) -> None:
    """The page names nobody; the data scientist gets no list of pairs."""
    for who, buttons in (("coordinator", 4), ("scientist", 2)):
        at = visit(who)
        assert not re.search(
            "Leerling|Uitlegger|Naam1", read(at) + "".join(each.value.to_string() for each in at.table)
        )
        assert len(at.get("download_button")) == buttons


@pytest.mark.parametrize("language", LANGUAGES)
def test_files_hold_what_the_page_shows(busy: Service, visit: Visit, language: Language) -> None:
    """Figures without names; pairs with names, guarded where they look like formulas."""
    visit("coordinator", language)
    figures = busy.figures.of(View())
    assert figures
    block = overview_views.funnel(figures.funnel, language)
    told = csv_file(overview_views.figure_sheet([block], [], View(), language), language).decode("utf-8-sig")
    assert f"{say('overview.funnel_asked', language)}" in told
    assert len(told.splitlines()) == 1 + 7 * 2
    assert "Leerling" not in told
    pairs = overview_views.pair_sheet(busy.figures.pair_list(), language)
    assert len(pairs.rows) == 16
    assert pairs.rows[0][4] == say("pairstate.active", language)
    assert len(pairs.heads) == len(pairs.rows[0])


@pytest.mark.parametrize("language", LANGUAGES)
def test_demand_is_a_sentence_bars_and_a_table(language: Language) -> None:
    """Excel: 14 asked, 5 can. Small groups have no number and no bar."""
    first, second, third = framework().competences[:3]
    block, bars = overview_views.needs(
        [Gap(first.code, 14, 5), Gap(second.code, 9, None), Gap(third.code, None, 0)], language
    )
    name = first.short[language]
    assert block.told == say("overview.asked_can", language, name=name[0].upper() + name[1:], asked=14, can=5)
    assert [(each.left, each.right) for each in bars] == [(5, 14), (0, 9)]
    assert [cells for _, cells in block.rows] == [("14", "5"), ("9", say("learn.few", language, limit=5))]


def test_who_to_look_for_is_said_in_words(busy: Service, visit: Visit) -> None:
    """Subjects with a number, or at least that many; sites and languages with hardly any choice."""
    visit("coordinator")
    figures = busy.figures.of(View())
    assert figures
    first, second = framework().competences[:2]
    gaps = (Gap(first.code, 14, 5), Gap(second.code, 9, None))
    made = replace(figures, recruit=gaps, sites=(Scarce("Gent", 9, 6),), languages=(Scarce("en,fr", 9, 5),))
    assert overview_views.recruit(made, "nl") == [
        f"Zoek 9 mensen die dit kunnen uitleggen: {first.short['nl']}.",
        f"Zoek minstens 5 mensen die dit kunnen uitleggen: {second.short['nl']}.",
        "Zoek mensen in Gent: 6 mensen hebben daar bijna geen keus.",
        "Zoek mensen voor wie Engels en Frans spreekt: 5 mensen hebben bijna geen keus.",
    ]


def test_a_step_that_is_not_told_between_nothing_says_so() -> None:
    """Without a number above or below there is no range."""
    steps = [Step("asked", None, None), Step("saw", None, None), Step("chose", 0, None)]
    block = overview_views.funnel(steps, "en")
    assert [cells[0] for _, cells in block.rows] == [None, None, 0]
    assert overview_views.cell(None, "en") == "not shown"
