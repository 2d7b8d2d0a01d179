"""How far people come, how long it takes, how pairs do, who is missing: counted right, and told only of many."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from recommender.domain import Decision, Junior, JuniorId, PairId, Remote, Senior, SeniorId, Side, SlateId
from recommender.encoder import HashingEncoder
from recommender.pair import CheckIn, Event, Meeting, MeetingState, Pair, PairState, answered, happened
from recommender.pair_health import HealthWord
from recommender.programme_counts import Counting, View, content, decision_counts, pair_counts, rating_counts
from recommender.programme_figures import ProgrammeFigures, need_counts, scarce, shortages, spread
from recommender.programme_journeys import FUNNEL, funnel, journeys, waits
from recommender.ranker import similarity_only
from recommender.recommending import Recommender
from recommender.recruiting import choices
from recommender.service import Service
from recommender.store import Store
from recommender.store.database import Database
from recommender.store.programme_log import Asked, Decided, Rated
from recommender.supply import Gap
from tests.builders import a_junior, a_senior

NOW = datetime.now(UTC)
GOOD = {"goal_nearer": 4, "time_well_spent": 5, "feel_safe": 5, "go_on": 1}


def ago(days: float) -> datetime:
    """Return a moment so many days back."""
    return NOW - timedelta(days=days)


def seniors(number: int, **changes: object) -> list[Senior]:
    """Return so many seniors: s0, s1 and on."""
    return [a_senior(id=SeniorId(f"s{each}"), **changes) for each in range(number)]


def asks(number: int, first: int = 0, **changes: object) -> list[Asked]:
    """Return one request of each of so many people."""
    base = Asked("", ago(20), (), saw=False, chose=False, approved_at=None)
    return [replace(base, who=f"s{each}", **changes) for each in range(first, first + number)]  # type: ignore[arg-type]


def a_pair(number: int, **changes: object) -> Pair:
    """Return an invited pair of senior s<number>."""
    senior, junior = SeniorId(f"s{number}"), JuniorId(f"j{number}")
    made = Pair(PairId(f"p{number}"), SlateId(f"l{number}"), senior, junior, None, PairState.INVITED, ago(15), ago(5))
    return replace(made, **changes)  # type: ignore[arg-type]


def started(number: int) -> Pair:
    """Return a pair in which both said yes."""
    return answered(answered(a_pair(number), Side.SENIOR, True, ago(14)), Side.JUNIOR, True, ago(13))


def everybody(number: int = 40) -> Counting:
    """Return what counts everything."""
    return Counting(View(), seniors(number), NOW)


def test_funnel_counts_everybody_at_each_step_they_came_to() -> None:
    """Who is approved has seen and chosen as well, whatever was logged."""
    asked = [*asks(10), *asks(10, 10, saw=True), *asks(10, 20, approved_at=ago(10))]
    steps = funnel(journeys(asked, [], {}, [], {}), everybody())
    assert [(each.name, each.count) for each in steps] == list(zip(FUNNEL, [30, 20, 10, 10, 0, 0, 0], strict=True))
    assert [each.share for each in steps][:4] == [None, 20 / 30, 0.5, 1.0]


def test_funnel_follows_pairs_to_how_it_went() -> None:
    """Invited is approved, both yes is accepted, a meeting that was held is met, good marks are well."""
    pairs = [*(a_pair(each) for each in range(5)), *(started(each) for each in range(5, 25))]
    held = {f"p{e}": [Meeting(f"m{e}", PairId(f"p{e}"), ago(5), 60, "", MeetingState.HELD)] for e in range(10, 25)}
    marks = [Rated(f"s{each}", Side.SENIOR, 4, ago(1)) for each in range(15, 20)]
    marks += [Rated("s15", Side.JUNIOR, 5, ago(1))]
    said = {f"p{e}": [CheckIn(PairId(f"p{e}"), 4, Side.SENIOR, ago(3), ago(2), GOOD)] for e in range(20, 25)}
    steps = funnel(journeys(asks(25), pairs, held, marks, said), everybody())
    assert [each.count for each in steps] == [25, 25, 25, 25, 20, 15, 10]


def test_one_low_mark_is_not_well() -> None:
    """Both have to be content, and a mark counts for more than a check-in."""
    marks = [Rated("s0", Side.SENIOR, 5, ago(1)), Rated("s0", Side.JUNIOR, 2, ago(1))]
    said = {"p0": [CheckIn(PairId("p0"), 4, Side.SENIOR, ago(3), ago(2), GOOD)]}
    (found,) = journeys(asks(1), [started(0)], {}, marks, said)
    assert FUNNEL[found.step] == "met"


@pytest.mark.parametrize("change", [{"go_on": 0}, {"feel_safe": 3}, {}])
def test_content_is_good_answers_to_everything(change: dict[str, int]) -> None:
    """On with it, and mostly or fully to each question."""
    check_in = CheckIn(PairId("p"), 4, Side.SENIOR, ago(3), ago(2), GOOD | change)
    assert content(check_in) == (not change)
    assert not content(replace(check_in, answers={}))


def test_days_to_match_are_a_median_and_who_waits_is_counted() -> None:
    """From the first request; nobody's second request makes the wait shorter."""
    asked = [*asks(10, at=ago(20), approved_at=ago(14)), *asks(10, 10, at=ago(30), approved_at=ago(20))]
    asked += [*asks(6, 20, at=ago(50)), *asks(1, 20, at=ago(2))]
    people = journeys(asked, [], {}, [], {})
    found = waits(people, funnel(people, everybody()), everybody())
    assert found.median == pytest.approx(8)
    assert found.ninety == pytest.approx(10)
    assert (found.waiting, found.longest) == (6, 50)


def test_waits_of_few_are_not_told() -> None:
    """Four people's days are theirs."""
    people = journeys([*asks(4, approved_at=ago(14)), *asks(4, 10)], [], {}, [], {})
    found = waits(people, funnel(people, everybody()), everybody())
    assert (found.median, found.ninety, found.longest) == (None, None, None)


def test_a_period_holds_who_asked_first_in_it() -> None:
    """The shorter period has fewer people, and is hidden when the difference is small."""
    asked = [*asks(10, at=ago(10)), *asks(10, 10, at=ago(60))]
    people = journeys(asked, [], {}, [], {})
    counts = {days: funnel(people, Counting(View(days), seniors(30), NOW))[0].count for days in (None, 365, 90, 30)}
    assert counts == {None: 20, 365: 20, 90: 20, 30: 10}
    people = journeys([*asks(10, at=ago(10)), *asks(2, 10, at=ago(60))], [], {}, [], {})
    assert funnel(people, Counting(View(30), seniors(30), NOW))[0].count is None


def test_a_group_is_hidden_with_the_next_smallest() -> None:
    """Three in HR: neither they nor Finance is told, because everybody minus Sales would tell."""
    people = [
        *seniors(30, department="Sales"),
        *(replace(e, id=SeniorId(f"f{e.id}"), department="Finance") for e in seniors(10)),
    ]
    people += [replace(each, id=SeniorId(f"h{each.id}"), department="HR") for each in seniors(3)]
    asked = [Asked(each.id, ago(9), (), saw=True, chose=True, approved_at=None) for each in people]
    found = {
        group: funnel(journeys(asked, [], {}, [], {}), Counting(View(None, "department", group), people, NOW))[0].count
        for group in ("", "Sales", "Finance", "HR")
    }
    assert found == {"": 43, "Sales": 30, "Finance": None, "HR": None}


def test_pairs_are_counted_by_state_reason_and_how_they_do() -> None:
    """One count for the three, so that none tells of another."""
    pairs = [*(a_pair(each) for each in range(6)), *(started(each) for each in range(6, 22))]
    pairs += [happened(started(each), Event.END, ago(1), "goal_reached") for each in range(22, 29)]
    words = {each.id: HealthWord.GOOD if int(each.id[1:]) < 14 else HealthWord.WATCH for each in pairs}
    states, reasons, healths = pair_counts(pairs, words, everybody())
    assert states.total == 29
    assert {name: count for name, count in states.parts.items() if count} == {"invited": 6, "active": 16, "ended": 7}
    assert (reasons.total, reasons.parts) == (7, {"goal_reached": 7})
    assert (healths.total, healths.parts) == (16, {"good": 8, "watch": 8, "trouble": 0, "unknown": 0})


def test_few_pairs_in_trouble_are_not_told_and_not_to_be_worked_out() -> None:
    """Two in trouble: another word is hidden with it."""
    pairs = [started(each) for each in range(20)]
    words = dict(
        zip(
            [each.id for each in pairs],
            [HealthWord.TROUBLE] * 2 + [HealthWord.GOOD] * 12 + [HealthWord.WATCH] * 6,
            strict=True,
        )
    )
    healths = pair_counts(pairs, words, everybody())[2]
    assert healths.total == 20
    assert healths.parts == {"good": 12, "watch": None, "trouble": None, "unknown": 0}


def test_marks_are_counts_of_each_side() -> None:
    """No mean, and the sides apart."""
    marks = [Rated(f"s{each}", Side.SENIOR, 5, ago(1)) for each in range(7)]
    marks += [Rated(f"s{each}", Side.JUNIOR, 3, ago(1)) for each in range(6)]
    found = rating_counts(marks, everybody())
    assert found[Side.SENIOR].parts == {"5": 7, "4": 0, "3": 0, "2": 0, "1": 0}
    assert found[Side.JUNIOR].parts["3"] == 6


def test_decisions_are_counted_against_the_first_suggestion() -> None:
    """A round's are apart: its solver looked at everybody at once."""
    base = Decided("", Decision.APPROVED, "", ago(1), 1, in_round=False)
    decided = [replace(base, who=f"s{each}") for each in range(8)]
    decided += [replace(base, who=f"s{each}", rank=2) for each in range(8, 14)]
    decided += [replace(base, who=f"s{each}", rank=3, in_round=True) for each in range(14, 19)]
    decided += [replace(base, who=f"s{e}", decision=Decision.REJECTED, reason="topic") for e in range(19, 24)]
    approvals, rejections = decision_counts(decided, everybody())
    assert approvals.parts == {"first": 8, "lower": 6, "round": 5}
    assert rejections.parts == {"topic": 5}


def test_demand_is_people_and_supply_is_everybody() -> None:
    """Who asked twice counts once; a shortage of small numbers is no news."""
    asked = [*asks(14, competences=("3.1",)), *asks(14, competences=("3.1",)), *asks(6, competences=("1.1", "9.9"))]
    able = np.zeros((20, 2), dtype=bool)
    able[:5, 1], able[:, 0] = True, True
    found = need_counts(asked, ("1.1", "3.1"), able, everybody())
    assert found == (Gap("3.1", 14, 5), Gap("1.1", 6, 20))
    assert shortages(found) == (Gap("3.1", 14, 5),)


def test_choices_follow_rank_language_place_and_room() -> None:
    """Each of these keeps a junior from a senior who would otherwise have one."""
    asker = a_senior(remote=Remote.ON_SITE)
    changes: list[dict[str, object]] = [{}, {"rank": 9}, {"languages": ("pl",)}, {"site": "Gent"}, {"capacity": 0}]
    changes += [{"consent": False}, {"active": False}, {"level": 3}, {"remote": Remote.ONLINE}]
    juniors = [a_junior(id=JuniorId(f"j{place}"), **each) for place, each in enumerate(changes)]
    assert [int(choices([asker], [each], {})[0]) for each in juniors] == [1, 0, 0, 0, 0, 0, 0, 0, 0]
    assert choices([asker, replace(asker, remote=Remote.BOTH)], juniors, {}).tolist() == [1, 3]
    assert choices([asker], juniors, {"j0": 1}).tolist() == [0]
    assert choices([asker], [], {}).tolist() == [0]


def test_sites_with_hardly_any_choice_are_named() -> None:
    """Only where they are many enough."""
    waiting = [
        *seniors(12, site="Gent"),
        *(replace(each, id=SeniorId(f"u{each.id}"), site="Utrecht") for each in seniors(9)),
    ]
    found = scarce(waiting, [0] * 7 + [5] * 14, lambda each: each.site)
    assert [(each.name, each.waiting, each.few) for each in found] == [("Gent", 12, 7)]


def test_spread_is_of_first_places_without_ids() -> None:
    """Half of the ten stand first alike often, the rest never."""
    found = spread([(6, 2)] * 5 + [(3, 0)] * 5)
    assert found
    assert (found.juniors, found.shown, found.first, found.never) == (10, 45, 10, 0)
    assert found.gini == pytest.approx(0.5)
    assert found.top == pytest.approx(0.2)
    assert dict(found.lorenz)[0.5] == pytest.approx(0)


@pytest.mark.parametrize(("places", "never"), [([(2, 1)] * 6 + [(0, 0)] * 3, None), ([(2, 1)] * 6 + [(0, 0)] * 5, 5)])
def test_few_who_were_never_shown_are_not_counted(places: list[tuple[int, int]], never: int | None) -> None:
    """Three people without a card know who they are."""
    found = spread(places)
    assert found
    assert found.never == never
    assert spread([(0, 0)] * 9) is None
    assert spread([(3, 1)] * 4) is None


# From the store


@pytest.fixture
def service() -> Iterator[Service]:
    """Give a small organisation: twelve who learn, six who explain."""
    store = Store(None)
    made = Service(store, Recommender(store, HashingEncoder(), similarity_only))
    learners = [replace(each, site="Gent" if place < 2 else "Utrecht") for place, each in enumerate(seniors(12))]
    juniors: list[Junior] = [a_junior(id=JuniorId(f"j{each}"), capacity=5) for each in range(6)]
    made.put_people([*learners, *juniors])
    yield made
    store.close()


def figures(service: Service) -> ProgrammeFigures:
    """Return the figures of a service."""
    return ProgrammeFigures(service.store, service.recommender, lambda: datetime.now(UTC))


def test_an_empty_store_has_figures_of_nothing(service: Service) -> None:
    """Nothing breaks, and nothing is hidden."""
    found = figures(service).of(View())
    assert found
    assert [each.count for each in found.funnel] == [0] * 7
    assert found.states.empty
    assert found.spread is None
    assert found.needs == ()
    assert figures(service).pair_list() == []


def test_the_log_is_read_as_it_was_written(service: Service) -> None:
    """Asked, saw, chose, approved; cards and first places; decisions with the rank of who was taken."""
    for number in range(12):
        slate = service.recommend("Excel", SeniorId(f"s{number}"))
        if number < 10:
            service.shown(slate.id, [each.junior_id for each in slate.suggestions[:3]])
        if number < 5:
            _choose(service, slate.id, slate.suggestions[0].junior_id, number)
    found = figures(service).of(View())
    assert found
    assert [each.count for each in found.funnel][:4] == [12, None, 5, 5]
    assert found.spread
    assert (found.spread.shown, found.spread.first) == (30, 10)
    assert found.approvals.parts["first"] == 5


def _choose(service: Service, slate_id: SlateId, junior_id: JuniorId, number: int) -> None:
    store, at = service.store, datetime.now(UTC)
    store.slates.choose(slate_id, junior_id, SeniorId(f"s{number}"), None, at)
    with store.steps.step("review_approved", "coordinator", at) as step:
        store.slates.decide(step, slate_id, Decision.APPROVED, "", "", "coordinator", at)


def test_a_group_of_few_shows_nothing(service: Service) -> None:
    """Two of Gent have asked: there is no view of Gent, and Utrecht has no numbers that give them away."""
    for number in range(12):
        service.recommend("Excel", SeniorId(f"s{number}"))
    made = figures(service)
    assert made.of(View(None, "site", "Gent")) is None
    utrecht = made.of(View(None, "site", "Utrecht"))
    assert utrecht
    assert utrecht.funnel[0].count is None


def test_the_list_of_pairs_has_names(service: Service) -> None:
    """Who, where, since when, and how often they met."""
    pair = replace(started(1), junior_id=JuniorId("j1"))
    with service.store.steps.step("pair_started", "coordinator", NOW) as step:
        service.store.pairs.add(step, [pair])
        for number, state in enumerate((MeetingState.HELD, MeetingState.HELD, MeetingState.CANCELLED)):
            service.store.pairs.add_meeting(step, Meeting(f"m{number}", pair.id, ago(9 - number), 60, "", state))
    (found,) = figures(service).pair_list()
    assert (found.senior, found.junior, found.department) == ("Anneke Vos", "Sanne de Wit", "Verkoop")
    assert (found.held, found.cancelled, found.word) == (2, 1, HealthWord.GOOD)
    assert found.last
    assert found.last.date() == ago(8).date()


def test_figures_are_read_in_few_queries(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page may not ask once for each pair."""
    asked: list[str] = []
    rows = Database.rows

    def counted(self: Database, sql: str, *values: object) -> list[tuple[object, ...]]:
        asked.append(sql)
        return rows(self, sql, *values)

    monkeypatch.setattr(Database, "rows", counted)
    figures(service).of(View())
    assert 0 < len(asked) <= 12
