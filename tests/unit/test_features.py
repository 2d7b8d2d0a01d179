"""Features are what they say, and a better circumstance is never a lower number."""

import numpy as np
import pytest

from recommender.domain import Remote
from recommender.features import FIT_FEATURES, NEUTRAL, Circumstances, fit_features, text_features
from recommender.index import Likeness
from recommender.population import Population
from tests.builders import a_junior, a_senior


def fit(feature: str, junior: object, senior: object | None = None, language: str = "nl", **asked: object) -> float:
    """Return one feature of one junior."""
    load = asked.pop("load", {})
    circumstances = Circumstances(senior, language, load, **asked)
    row = fit_features(Population.of([junior]), circumstances, np.array([0]))[0]
    return float(row[FIT_FEATURES.index(feature)])


@pytest.mark.parametrize(
    ("feature", "worse_to_better"),
    [
        ("wish_to_teach", [a_junior(wish_to_teach=wish) for wish in (1, 2, 3, 4, 5)]),
        ("level", [a_junior(level=level) for level in (1, 2, 3, 4, 5)]),
    ],
)
def test_more_is_better(feature: str, worse_to_better: list) -> None:
    """The feature rises from 0 to 1 with what it measures."""
    values = [fit(feature, junior) for junior in worse_to_better]
    assert values == sorted(set(values))
    assert (values[0], values[-1]) == (0, 1)


@pytest.mark.parametrize("feature", ["wish_to_teach", "level"])
def test_unknown_is_neutral(feature: str) -> None:
    """What a junior did not say counts neither for nor against."""
    assert fit(feature, a_junior(wish_to_teach=None, level=None)) == NEUTRAL


def test_above_the_helper_level_more_is_not_better() -> None:
    """An expert of level 8 is no better for a beginner than a helper of level 5."""
    assert fit("level", a_junior(level=8)) == fit("level", a_junior(level=5)) == 1


def test_language_is_that_of_the_request() -> None:
    """Who speaks the language of the question gets the point."""
    assert fit("language", a_junior(languages=("nl",)), language="nl") == 1
    assert fit("language", a_junior(languages=("nl",)), language="en") == 0


@pytest.mark.parametrize(
    ("junior", "senior", "expected"),
    [
        (a_junior(site="Utrecht"), a_senior(site="Utrecht"), 1),
        (a_junior(site="Gent"), a_senior(site="Utrecht"), NEUTRAL),
        (a_junior(site="Gent", remote=Remote.ON_SITE), a_senior(site="Utrecht"), 0),
        (a_junior(site="Gent"), a_senior(site="Utrecht", remote=Remote.ON_SITE), 0),
        (a_junior(site="Utrecht", remote=Remote.ONLINE), a_senior(site="Utrecht", remote=Remote.ON_SITE), 0),
        (a_junior(site="Utrecht", remote=Remote.ONLINE), a_senior(site="Utrecht"), NEUTRAL),
        (a_junior(), None, NEUTRAL),
    ],
)
def test_place(junior: object, senior: object, expected: float) -> None:
    """Same building beats online beats not possible."""
    assert fit("place", junior, senior) == expected


def test_load_is_the_share_of_places_that_is_free() -> None:
    """Half full is half the value."""
    assert [fit("load", a_junior(capacity=2), load={"j1": load}) for load in (0, 1, 2)] == [1, 0.5, 0]


@pytest.mark.parametrize(
    ("days", "expected"),
    [((), NEUTRAL), (("mon",), 0), (("tue",), 0.5), (("tue", "wed"), 1), (("tue", "wed", "fri"), 1)],
)
def test_days_are_shared(days: tuple[str, ...], expected: float) -> None:
    """Two shared days are enough; who has not said is not held to it."""
    assert fit("days", a_junior(days=days), a_senior(days=("tue", "wed", "fri"))) == expected
    assert fit("days", a_junior(days=days), a_senior(days=())) == NEUTRAL


@pytest.mark.parametrize(("department", "expected"), [("Finance", 0), ("HR", 1), ("", NEUTRAL)])
def test_distance(department: str, expected: float) -> None:
    """Another department is better than one's own."""
    senior = a_senior(department="Finance")
    population = Population.of([a_junior(department=department), a_junior(id="j2", department="Finance")])
    row = fit_features(population, Circumstances(senior, "nl", {}), np.array([0]))[0]
    assert row[FIT_FEATURES.index("distance")] == expected


@pytest.mark.parametrize(("asker", "expected"), [(None, NEUTRAL), (5.0, 1), (2.0, 1), (6.0, 0.75), (7.0, 0.5)])
def test_gap(asker: float | None, expected: float) -> None:
    """One to four levels ahead is right; further away or behind is less so; an untold level says nothing."""
    assert fit("gap", a_junior(level=6), level=asker) == expected


def test_competence_counts_by_what_was_asked() -> None:
    """A profile about what is asked counts as far as the request was read; one that names nothing is neutral."""
    population = Population.of([a_junior(), a_junior(id="j2")], competences=np.array([[0.9, 0.1], [0.2, 0.8]]))
    asked = Circumstances(None, "nl", {}, competences=np.array([0.5, 0.0]))
    column = fit_features(population, asked, np.array([0, 1]))[:, FIT_FEATURES.index("competence")]
    np.testing.assert_allclose(column, [0.5 + 0.5 * 0.4, 0.5 - 0.5 * 0.3])
    silent = Circumstances(None, "nl", {}, competences=np.zeros(2))
    assert (fit_features(population, silent, np.array([0]))[:, 0] == NEUTRAL).all()


def test_exchange_is_how_near_the_wish_is_to_the_offer() -> None:
    """The wish that is offered scores 1, another 0, and none at all is neutral."""
    wishes = np.array([[1, 0], [0, 1], [0, 0]], dtype=np.float32)
    population = Population.of([a_junior(id=f"j{number}") for number in range(3)], wishes=wishes)
    asked = Circumstances(None, "nl", {}, offers=np.array([1, 0], dtype=np.float32))
    column = fit_features(population, asked, np.arange(3))[:, FIT_FEATURES.index("exchange")]
    assert column.tolist() == [1, 0, NEUTRAL]


def test_few_ratings_say_little() -> None:
    """One bad session weighs less than ten, and the average junior is neutral."""
    population = Population.of([a_junior(id=f"j{number}") for number in range(3)])
    asked = Circumstances(None, "nl", {}, ratings={"j0": (0.0, 1), "j1": (0.0, 10), "other": (10.0, 10)})
    column = fit_features(population, asked, np.arange(3))[:, FIT_FEATURES.index("experience")]
    assert column[1] < column[0] < column[2] == NEUTRAL


def test_text_features_mean_the_same_for_any_encoder() -> None:
    """Another height and spread of cosines gives the same features."""
    rng = np.random.default_rng(0)
    cosines = rng.random((3, 50)).astype(np.float32)
    crowded = 0.8 + 0.1 * cosines
    one, other = (text_features(Likeness(np.zeros(1), *each)) for each in (cosines, crowded))
    np.testing.assert_allclose(one, other, atol=1e-4)


def test_equal_likeness_says_nothing() -> None:
    """When all profiles are alike the features are 0, not a division by zero."""
    same = np.full(4, 0.7, dtype=np.float32)
    assert not text_features(Likeness(same, same, same, same)).any()
