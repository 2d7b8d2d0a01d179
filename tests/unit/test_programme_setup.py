"""The programme's set-up: nonsense is refused, nothing is overwritten unseen, and numbers of rules are right."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from recommender import agreement_page
from recommender.bootstrap import Parts, load_parts
from recommender.dialogue.brief import Brief
from recommender.domain import JuniorId, Senior, SeniorId
from recommender.eligibility import ELIGIBLE, RULES, excluded_by
from recommender.errors import Conflict, InputRefused, RuleBroken, UnknownPerson
from recommender.programme import ALWAYS_ON, OFF_AT_FIRST, Programme
from recommender.programme_setup import ProgrammeSetUp, RuleNow
from recommender.recommending import Recommender
from recommender.settings import Settings
from recommender.store import Store
from recommender.wording import LANGUAGES, Language, say
from tests.builders import a_junior, a_senior

ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
S1, S2, S3 = SeniorId("s1"), SeniorId("s2"), SeniorId("s3")
J1, J2, J3, J4 = JuniorId("j1"), JuniorId("j2"), JuniorId("j3"), JuniorId("j4")


@pytest.fixture
def store() -> Iterator[Store]:
    """Give three who learn, of whom one takes no part, and four who explain."""
    made = Store(None)
    made.people.put(
        [
            a_senior(),
            a_senior(id=S2, name="Bert Bos", rank=2, languages=("nl",)),
            a_senior(id=S3, name="Coen Dam", consent=False),
            a_junior(languages=("nl",), rank=1, level=3),
            a_junior(id=J2, name="Twee", languages=("fr",)),
            a_junior(id=J3, name="Drie", active=False, consent=False),
            a_junior(id=J4, name="Vier", languages=("en",), level=None, capacity=2),
        ]
    )
    yield made
    made.close()


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> Parts:
    """Give what ranks, with no model to load."""
    return load_parts(Settings(home=tmp_path_factory.mktemp("home"), encoder="hashing", models=ROOT / "models"))


@pytest.fixture
def recommender(store: Store, parts: Parts) -> Recommender:
    """Give the ranker over it."""
    return Recommender(store, parts.encoder, parts.ranker)


@pytest.fixture
def setup(store: Store, recommender: Recommender) -> ProgrammeSetUp:
    """Give the set-up of the programme, with the clock stopped."""
    return ProgrammeSetUp(store, recommender, lambda: NOW)


# What is kept


GOOD = Programme(
    purpose="Samen leren",
    start=date(2027, 1, 8),
    months=1,
    minutes=15,
    every_weeks=12,
    check_in_weeks=(1, 8),
    invitation_days=60,
    rules_off=frozenset({"reporting_line"}),
    minimum_quality=1.0,
    exchange_share=0.0,
)


def test_what_is_saved_is_kept_as_one_step(setup: ProgrammeSetUp) -> None:
    """With clean texts, at the ends of every range, and named in the history."""
    kept = setup.save(replace(GOOD, purpose="  Samen\u202e leren\r\n"), "co", setup.current())
    assert kept == setup.current() == GOOD
    assert [(each.kind, each.who) for each in setup.history(5)] == [("programme_saved", "co")]


REFUSED: dict[str, list[dict[str, object]]] = {
    "programme_number": [
        *({"months": each} for each in (0, 25)),
        *({"minutes": each} for each in (14, 241)),
        *({"every_weeks": each} for each in (0, 13)),
        *({"invitation_days": each} for each in (0, 61)),
        {"start": date(1999, 1, 1)},
    ],
    "programme_share": [{"minimum_quality": -0.01}, {"exchange_share": 1.01}, {"exchange_share": float("nan")}],
    "programme_weeks": [{"check_in_weeks": each} for each in ((), (0, 4), (4, 4), (8, 4), (104, 105))],
    "programme_weeks_late": [{"months": 1, "check_in_weeks": (9,)}, {"months": 6, "check_in_weeks": (31,)}],
    "programme_text": [{"contact": "a" * 2_001}],
    "programme_rules": [{"rules_off": frozenset({each})} for each in ("no_consent", "nonsense")],
    "text_surrogate": [{"who": "half \ud800"}],
}


@pytest.mark.parametrize(("key", "changes"), [(key, each) for key, all_of in REFUSED.items() for each in all_of])
def test_nonsense_is_refused(setup: ProgrammeSetUp, key: str, changes: dict[str, object]) -> None:
    """With a sentence in both languages that names the field, and nothing is kept."""
    wanted = replace(Programme(), **changes)  # type: ignore[arg-type]
    with pytest.raises(InputRefused) as refused:
        setup.save(wanted, "co", setup.current())
    assert refused.value.key == key
    field = getattr(refused.value, "field", None)
    for language in LANGUAGES:
        sentence = refused.value.sentence(language)
        assert field is None or say(f"programme.field_{field}", language) in sentence
    assert setup.history(1) == []


def test_two_who_save_at_once(setup: ProgrammeSetUp) -> None:
    """The second hears of it and overwrites nothing; having looked, they may."""
    seen = setup.current()
    first = setup.save(replace(seen, purpose="een"), "a", seen)
    with pytest.raises(Conflict) as refused:
        setup.save(replace(seen, purpose="twee"), "b", seen)
    assert refused.value.key == "programme_changed"
    assert setup.current() == first
    setup.save(replace(seen, purpose="twee"), "b", first)
    assert setup.current().purpose == "twee"


def test_undo_goes_back_exactly_or_not_at_all(setup: ProgrammeSetUp) -> None:
    """The newest can be undone, down to the programme that nobody had set up; an older one can't."""
    start = setup.current()
    setup.save(GOOD, "co", start)
    setup.save(replace(GOOD, purpose="later"), "co", GOOD)
    newest, oldest = setup.history(2)
    with pytest.raises(Conflict):
        setup.undo(oldest.id, "co")
    setup.undo(newest.id, "co")
    assert setup.current() == GOOD
    setup.undo(oldest.id, "co")
    assert setup.current() == start


# Rules


def plainly(store: Store, recommender: Recommender, off: frozenset[str]) -> dict[str, tuple[int, int]]:
    """Return pairs and seniors left with nobody of each rule, pair by pair and rule by rule."""
    population, load = recommender.population(), store.slates.load()
    seniors: list[Senior | None] = [each for each in store.people.seniors() if each.active and each.consent]
    every, found = frozenset(RULES), {}
    for name in RULES:
        pairs = blamed = 0
        for asker in recommender.askers(seniors):

            def out(without: frozenset[str], asker=asker) -> np.ndarray:  # type: ignore[no-untyped-def,type-arg]
                return excluded_by(population, asker, load, without) != ELIGIBLE

            pairs += int(out(every - {name}).sum())
            blamed += bool(not out(off | {name}).all() and out(off - {name}).all())
        found[name] = (pairs, blamed)
    return found


@pytest.mark.parametrize("off", [frozenset(), OFF_AT_FIRST, frozenset({"no_shared_language", "reporting_line"})])
def test_each_rule_is_counted_on_its_own(
    setup: ProgrammeSetUp, store: Store, recommender: Recommender, off: frozenset[str]
) -> None:
    """As counted one by one with `excluded_by`; seniors who take no part don't count."""
    setup.keep_apart(S1, J4, "", "co")
    rules = setup.rules(off)
    assert {each.name: (each.pairs, each.seniors_left_with_nobody) for each in rules} == plainly(
        store, recommender, off
    )
    assert [each.name for each in rules] == list(RULES)
    assert {each.name for each in rules if not each.on} == off
    assert {each.name for each in rules if not each.switchable} == ALWAYS_ON


def test_numbers_of_a_small_group(setup: ProgrammeSetUp) -> None:
    """Counted by hand: one leaves nobody to the second senior, whatever the others do."""
    by_name = {each.name: each for each in setup.rules()}
    assert by_name["inactive"] == RuleNow("inactive", True, False, 2, 0)
    # Junior 1 is of rank 1, the others of 2, as is senior 2. French is nobody's, English only senior 1's.
    assert by_name["not_lower_in_rank"] == RuleNow("not_lower_in_rank", True, True, 3, 0)
    assert by_name["no_shared_language"].pairs == 4 - 1
    # Only junior 1 is left to senior 2, at level 3.
    assert by_name["below_helper_level"] == RuleNow("below_helper_level", False, True, 2, 1)


def test_a_rule_that_is_off_lets_people_through_at_the_next_request(
    setup: ProgrammeSetUp, store: Store, recommender: Recommender
) -> None:
    """Both ways: the level starts off, and a rule may be switched on and off."""

    def found() -> set[str]:
        ranking = recommender.rank(Brief(("Excel",)), store.people.senior(S1), "nl", NOW)
        return {ranking.juniors.population.juniors[place].id for place in ranking.places}

    assert found() == {J1, J4}
    seen = setup.current()
    seen = setup.save(replace(seen, rules_off=frozenset()), "co", seen)
    assert found() == {J4}
    setup.save(replace(seen, rules_off=frozenset({"no_shared_language"})), "co", seen)
    assert found() == {J2, J4}


def test_every_rule_has_its_sentence() -> None:
    """For the switch, and as a short reason; and none is left over."""
    for name in RULES:
        for language in LANGUAGES:
            assert say(f"ruleswitch.{name}", language).endswith(".")
            assert say(f"rule.{name}", language)


# Pairs by name


def test_known_pair_is_kept_and_taken_back(setup: ProgrammeSetUp) -> None:
    """Adding it again, or taking off what isn't there, changes nothing."""
    setup.add_known(S1, J1, "co")
    setup.add_known(S1, J1, "co")
    setup.remove_known(S1, J4, "co")
    assert setup.known_pairs() == [(S1, J1)]
    assert len(setup.history(5)) == 1
    setup.undo(setup.history(1)[0].id, "co")
    assert setup.known_pairs() == []


@pytest.mark.parametrize(
    ("junior_id", "rule"), [(J2, "no_shared_language"), (J3, "inactive"), (J4, "do_not_pair")], ids=str
)
def test_known_pair_breaks_no_rule(setup: ProgrammeSetUp, junior_id: JuniorId, rule: str) -> None:
    """The refusal names both people and the rule."""
    setup.keep_apart(S1, J4, "", "co")
    with pytest.raises(RuleBroken) as refused:
        setup.add_known(S1, junior_id, "co")
    assert refused.value.rule == rule
    assert say(f"rule.{rule}", "nl") in refused.value.sentence("nl")
    assert "Anneke Vos" in refused.value.sentence("nl")
    assert setup.known_pairs() == []


def test_the_index_is_not_asked_inside_a_step(setup: ProgrammeSetUp, store: Store, monkeypatch: Any) -> None:
    """Who builds it may be waiting for the database, which a step holds: the two would wait for each other."""
    asked, population = [], setup._recommender.population
    monkeypatch.setattr(setup._recommender, "population", lambda: asked.append(_writable(store)) or population())
    setup.add_known(S1, J1, "co")
    assert asked == [True]


def _writable(store: Store) -> bool:
    """Tell whether another thread could write now."""
    with ThreadPoolExecutor(1) as pool:
        lock = store._database._lock
        return pool.submit(lambda: lock.acquire(blocking=False) and (lock.release() or True)).result()


def test_known_pair_may_break_a_rule_that_is_off(setup: ProgrammeSetUp) -> None:
    """The programme decides which rules hold."""
    setup.save(Programme(rules_off=frozenset({"no_shared_language"})), "co", setup.current())
    setup.add_known(S1, J2, "co")
    assert setup.known_pairs() == [(S1, J2)]


def test_known_pairs_fit_the_places(setup: ProgrammeSetUp, store: Store) -> None:
    """One junior of one place is promised once, and a senior is in one known pair."""
    store.people.put([a_senior(id=S3, name="Coen Dam")])
    setup.add_known(S1, J1, "co")
    with pytest.raises(RuleBroken) as full:
        setup.add_known(S3, J1, "co")
    assert full.value.rule == "full"
    with pytest.raises(InputRefused) as twice:
        setup.add_known(S1, J4, "co")
    assert twice.value.key == "known_pair_twice"


def test_known_pair_of_who_takes_no_part_is_refused(setup: ProgrammeSetUp) -> None:
    """With the name; and an id of nobody is refused as such."""
    with pytest.raises(InputRefused, match="Coen Dam"):
        setup.add_known(S3, J1, "co")
    with pytest.raises(UnknownPerson):
        setup.add_known(SeniorId("nobody"), J1, "co")


def test_keeping_two_apart_ends_their_known_pair(setup: ProgrammeSetUp, recommender: Recommender, store: Store) -> None:
    """In one step, so that one undo brings both back; and requests obey it at once."""
    setup.add_known(S1, J1, "co")
    setup.keep_apart(S1, J1, " Buren ", "co")
    assert setup.known_pairs() == []
    assert setup.kept_apart() == {(S1, J1): "Buren"}
    ranking = recommender.rank(Brief(("Excel",)), store.people.senior(S1), "nl", NOW)
    assert ranking.rule_against(J1) == "do_not_pair"
    setup.undo(setup.history(1)[0].id, "co")
    assert setup.known_pairs() == [(S1, J1)]
    assert setup.kept_apart() == {}


def test_two_may_be_paired_again(setup: ProgrammeSetUp) -> None:
    """And keeping them apart twice is once."""
    setup.keep_apart(S1, J1, "Buren", "co")
    setup.keep_apart(S1, J1, "iets anders", "co")
    assert setup.kept_apart() == {(S1, J1): "Buren"}
    setup.allow(S1, J1, "co")
    assert setup.kept_apart() == {}
    with pytest.raises(InputRefused) as refused:
        setup.keep_apart(S1, J1, "a" * 2_001, "co")
    assert refused.value.key == "programme_text"


# The agreement

HOSTILE = "<script>alert(1)</script> & \"quotes\" 'and' <img src=x onerror=alert(1)>\nnieuwe regel"


@pytest.mark.parametrize("language", LANGUAGES)
def test_agreement_is_one_file_with_every_text_escaped(language: Language) -> None:
    """No script, nothing from elsewhere, and no tag of a coordinator's own."""
    texts = dict.fromkeys(agreement_page.TEXTS, HOSTILE)
    page = agreement_page.document(replace(GOOD, **texts), language)  # type: ignore[arg-type]
    assert page.startswith("<!doctype html>")
    assert f'<html lang="{language}">' in page
    assert not re.search(r"<script|<img|<link|\son\w+=[^&]*>|https?:", page.replace("&lt;", ""))
    assert page.count("&lt;script&gt;alert(1)&lt;/script&gt; &amp; &quot;quotes&quot;") == len(texts)
    headings = [int(level) for level in re.findall(r"<h([1-6])", page)]
    assert headings[0] == 1
    assert all(later <= earlier + 1 for earlier, later in pairwise(headings))


@pytest.mark.parametrize("language", LANGUAGES)
def test_agreement_says_the_rhythm_in_words(language: Language) -> None:
    """One month and every week are words, not "1 months"."""
    often = agreement_page.rhythm(replace(GOOD, months=1, every_weeks=1), language)
    assert say("agreement.month_one", language) in often
    assert say("agreement.week_one", language) in often
    seldom = agreement_page.rhythm(Programme(), language)
    assert say("agreement.months", language, count=6) in seldom
    assert "4, 12" in seldom
    assert "24" in seldom


def test_agreement_says_when_it_no_longer_fits_one_page() -> None:
    """In characters; a line of its own costs as much as a full one. What isn't written is said to be so."""
    assert agreement_page.too_long(Programme(purpose="a" * agreement_page.ROOM)) == 0
    assert agreement_page.too_long(Programme(purpose="a" * (agreement_page.ROOM + 7))) == 7
    assert agreement_page.too_long(Programme(purpose="a\n" * 30)) > 0
    assert agreement_page.document(Programme(), "nl").count(say("agreement.empty", "nl")) == len(agreement_page.TEXTS)
