"""Each hard rule excludes whom it should, says so, and nothing outweighs it."""

import pytest

from recommender.eligibility import ELIGIBLE, RULES, Asker, counts, each_alone, excluded_by
from recommender.population import Population
from tests.builders import a_junior, a_senior

SENIOR = a_senior(email="A.Vos@example.org")

BREAKS = {
    "inactive": (a_junior(active=False), Asker(SENIOR), {}),
    "no_consent": (a_junior(consent=False), Asker(SENIOR), {}),
    "same_person": (a_junior(email="a.vos@EXAMPLE.org"), Asker(SENIOR), {}),
    "not_lower_in_rank": (a_junior(rank=8), Asker(SENIOR), {}),
    "reporting_line": (a_junior(), Asker(SENIOR, reports=frozenset({"j1"})), {}),
    "do_not_pair": (a_junior(), Asker(SENIOR, forbidden=frozenset({"j1"})), {}),
    "matched_before": (a_junior(), Asker(SENIOR, already_matched=frozenset({"j1"})), {}),
    "rejected": (a_junior(), Asker(SENIOR, rejected=frozenset({"j1"})), {}),
    "no_shared_language": (a_junior(languages=("fr",)), Asker(SENIOR), {}),
    "below_helper_level": (a_junior(level=4), Asker(SENIOR), {}),
    "full": (a_junior(capacity=2), Asker(SENIOR), {"j1": 2}),
}


def test_every_rule_has_a_case() -> None:
    """A new rule needs a case here."""
    assert set(BREAKS) == set(RULES)


@pytest.mark.parametrize("rule", BREAKS)
def test_rule_excludes(rule: str) -> None:
    """A junior who breaks one rule is excluded under its name, and the others stay."""
    junior, asker, load = BREAKS[rule]
    population = Population.of([junior, a_junior(id="j2")])
    found = excluded_by(population, asker, load, off=frozenset())
    assert found.tolist() == [list(RULES).index(rule), ELIGIBLE]
    assert counts(found) == {rule: 1}


@pytest.mark.parametrize("rule", BREAKS)
def test_rule_that_is_off_excludes_nobody(rule: str) -> None:
    """And `each_alone` still tells whom it would exclude, in its own row and in no other."""
    junior, asker, load = BREAKS[rule]
    population = Population.of([junior, a_junior(id="j2")])
    assert excluded_by(population, asker, load, off=frozenset({rule})).tolist() == [ELIGIBLE, ELIGIBLE]
    alone = each_alone(population, asker, load)
    assert [list(RULES)[row] for row, place in zip(*alone.nonzero(), strict=True) if place == 0] == [rule]
    assert not alone[:, 1].any()


def test_level_counts_only_where_it_is_told_and_asked_for() -> None:
    """A new programme doesn't look at it, and who told none is never left out."""
    population = Population.of([a_junior(level=4), a_junior(id="j2", level=None), a_junior(id="j3", level=5)])
    assert excluded_by(population, Asker(SENIOR), {}).tolist() == [ELIGIBLE] * 3
    level = list(RULES).index("below_helper_level")
    assert excluded_by(population, Asker(SENIOR), {}, frozenset()).tolist() == [level, ELIGIBLE, ELIGIBLE]


def test_unknown_asker_still_meets_the_rules_about_the_junior() -> None:
    """Without a senior only consent, activity and capacity can be checked."""
    population = Population.of([a_junior(consent=False), a_junior(id="j2", rank=9, languages=("fr",))])
    found = excluded_by(population, Asker(None), {})
    assert found.tolist() == [list(RULES).index("no_consent"), ELIGIBLE]


def test_unknown_rank_is_not_held_against_anybody() -> None:
    """The rank rule needs both ranks; the coordinator is warned instead."""
    population = Population.of([a_junior(rank=None)])
    assert excluded_by(population, Asker(SENIOR), {}).tolist() == [ELIGIBLE]
    assert excluded_by(Population.of([a_junior(rank=9)]), Asker(a_senior(rank=None)), {}).tolist() == [ELIGIBLE]
