"""The gate lets a model pass only if everything holds; each condition can stop it alone."""

from dataclasses import replace

import numpy as np
import pytest

from recommender.comparison import CANDIDATE, FIRST, IN_USE, LINE, SIMILARITY, Comparison
from recommender.features import FEATURES, TEXT_FEATURES
from recommender.gate import LANGUAGE_SLATES, judge, never_falls
from recommender.judged import JudgedNeeds
from recommender.ranker import AdditiveRanker, Curve
from tests.synthetic import first_model

OLD = first_model()
NEW = replace(OLD, id="m-new", calibrated=True)


def line(ndcg: float, low: float = 0.02, high: float = 0.1) -> dict[str, float]:
    """Return one row of a table, with the difference's interval."""
    return dict(zip(LINE, (ndcg, ndcg - 0.05, ndcg + 0.05, (low + high) / 2, low, high), strict=True))


def comparison(
    candidate: dict[str, float] | None = None,
    languages: dict[str, dict[str, float]] | None = None,
    **plain: float,
) -> Comparison:
    """Return a comparison that a good model comes out of."""
    orders = {IN_USE: 0.5, FIRST: 0.5, SIMILARITY: 0.45} | plain
    told = languages or {"nl": line(0.56)}
    return Comparison(
        slates=100,
        silent=20,
        seniors=30,
        table={CANDIDATE: candidate or line(0.56)} | {name: line(ndcg) for name, ndcg in orders.items()},
        languages={name: {CANDIDATE: each} for name, each in told.items()},
        language_slates=dict.fromkeys(told, LANGUAGE_SLATES),
        chances={CANDIDATE: {"log_loss": 0.3, "brier": 0.1, "ece": 0.03}},
        reliability={},
        exposure={},
    )


def with_curve(name: str, curve: Curve) -> AdditiveRanker:
    """Return the new model with one other curve."""
    return replace(NEW, curves={**NEW.curves, name: curve})


def test_what_was_judged_apart_may_not_be_unlearnt() -> None:
    """A model that turns the likeness of texts round fails on judged needs, whatever the feedback says."""
    features = np.zeros((1, 12, len(TEXT_FEATURES)), dtype=np.float32)
    features[0, :, 0] = np.linspace(-1, 1, 12)
    judged = JudgedNeeds(features, np.array([[0.0] * 11 + [3.0]]))
    assert judge(comparison(), NEW, OLD, judged).passed
    turned = with_curve("best_statement", Curve.line(-5.0, 0.0))
    assert "judged_needs_kept" in judge(comparison(), turned, OLD, judged).failed


def test_a_better_model_passes() -> None:
    """Where everything holds, nothing stands in the way."""
    verdict = judge(comparison(), NEW, OLD)
    assert verdict.passed
    assert verdict.failed == ()


@pytest.mark.parametrize(
    ("found", "key"),
    [
        (comparison(line(0.56, low=-0.001)), "better_than_in_use"),
        (comparison(line(0.56, low=0.0)), "better_than_in_use"),
        (comparison(languages={"nl": line(0.6), "en": line(0.5, -0.05, 0.01)}), "no_language_worse"),
        (comparison(languages={"nl": line(0.6), "en": line(0.5, -0.008, -0.001)}), "no_language_worse"),
        (comparison(**{SIMILARITY: 0.58}), "not_below_similarity"),
        (comparison(**{FIRST: 0.58}), "not_below_first_model"),
        (replace(comparison(), slates=19), "enough_feedback"),
        (replace(comparison(), seniors=4), "enough_feedback"),
        (replace(comparison(), chances={CANDIDATE: {"ece": 0.11}}), "calibrated"),
        (replace(comparison(), chances={}), "calibrated"),
    ],
)
def test_each_figure_can_stop_it_alone(found: Comparison, key: str) -> None:
    """One figure that is not good enough is named, and only that one."""
    assert judge(found, NEW, OLD).failed == (key,)


@pytest.mark.parametrize(
    ("candidate", "key"),
    [
        (with_curve("load", Curve.line(-0.01, 0.5)), "monotone"),
        (with_curve("load", Curve(0.0, 0.0, np.array([0.5]), np.array([0.1, 0.0]))), "monotone"),
        (with_curve("load", Curve.line(float("nan"), 0.5)), "monotone"),
        (replace(NEW, intercept=float("inf")), "monotone"),
        (with_curve("gender", Curve.line(0.1, 0.5)), "features_allowed"),
        (with_curve("age_group", Curve.line(0.1, 0.5)), "features_allowed"),
        (replace(NEW, curves={name: NEW.curves[name] for name in FEATURES[1:]}), "features_allowed"),
        (replace(NEW, encoder="another"), "features_allowed"),
        (replace(NEW, calibrated=False), "calibrated"),
    ],
)
def test_what_the_model_is_can_stop_it_alone(candidate: AdditiveRanker, key: str) -> None:
    """A curve that falls, a number that is none, a feature too many or too few: good figures don't help."""
    assert judge(comparison(), candidate, OLD).failed == (key,)


def test_a_language_with_few_slates_stops_nothing() -> None:
    """On a handful of slates a difference is luck; the figures are shown and not judged."""
    few = comparison(languages={"nl": line(0.6), "en": line(0.3, -0.3, -0.1)})
    assert judge(replace(few, language_slates={"nl": 50, "en": LANGUAGE_SLATES - 1}), NEW, OLD).passed
    assert not judge(few, NEW, OLD).passed


def test_without_any_acceptance_nothing_passes() -> None:
    """An empty table is refused, not read as "no difference"."""
    empty = replace(comparison(), slates=0, seniors=0, table={}, languages={}, language_slates={}, chances={})
    failed = judge(empty, NEW, OLD).failed
    assert {"enough_feedback", "better_than_in_use", "not_below_similarity", "calibrated"} <= set(failed)


def test_numbers_stand_beside_each_check() -> None:
    """Whoever overrules the gate sees by how much it failed."""
    check = next(each for each in judge(comparison(), NEW, OLD).checks if each.key == "better_than_in_use")
    assert check.numbers == pytest.approx({"difference": 0.06, "difference_low": 0.02, "difference_high": 0.1})


def test_a_level_curve_never_falls() -> None:
    """A feature that adds nothing, or the same everywhere, is no reason to stop a model."""
    assert never_falls(Curve.line(0.0, 0.5))
    assert never_falls(Curve(0.0, 0.0, np.array([0.2, 0.6]), np.array([-1.0, 0.0, 0.0])))
