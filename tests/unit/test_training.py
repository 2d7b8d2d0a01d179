"""What is learnt comes from the seniors that were not held out, is monotone, and is not fooled by where cards stood."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from recommender import training
from recommender.errors import InputRefused
from recommender.features import FEATURES
from recommender.gate import never_falls
from recommender.labels import Labelled, examination, labelled
from recommender.learners import AdditiveTrees, CarefulLogit
from recommender.ranker import Curve
from recommender.training import RECIPES, Debias, Fitter, Recipe, Trained, train
from tests.synthetic import feedback, first_model, snapshot_of

FIRST = first_model()
TREES = Recipe("AdditiveTrees", 40.0)
LOGIT = Recipe("CarefulLogit", 16.0)


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    """Return feedback of forty seniors with a hidden rule of choice."""
    return feedback(seniors=40, each=5, seed=3)


@pytest.fixture(scope="module")
def told() -> list[tuple[int, int, str]]:
    """Return what was told while `trained` was learnt."""
    return []


@pytest.fixture(scope="module")
def trained(rows: pd.DataFrame, told: list[tuple[int, int, str]]) -> Trained:
    """Return what is learnt from it."""
    return train(snapshot_of(rows), FIRST, FIRST, progress=lambda *each: told.append(each))


@pytest.fixture(scope="module")
def clicks() -> Labelled:
    """Return feedback in which nothing but the rank counted; the first ranker set the ranks."""
    return labelled(snapshot_of(feedback(seniors=200, each=5, seed=4, shuffled=True)))


def test_the_seed_decides_everything(rows: pd.DataFrame, trained: Trained) -> None:
    """The same snapshot and seed give the same ranker and the same figures, to the last bit."""
    again = train(snapshot_of(rows), FIRST, FIRST)
    features = labelled(snapshot_of(rows)).features
    assert (again.learner.decision_function(features) == trained.learner.decision_function(features)).all()
    assert again.comparison == trained.comparison
    assert (again.tried, again.curve, again.slope) == (trained.tried, trained.curve, trained.slope)


def test_held_out_seniors_teach_nothing(rows: pd.DataFrame, trained: Trained) -> None:
    """Whatever the held-out seniors chose, the ranker is the same: figures on them are of strangers."""
    aside = training.held_out(rows["senior"].to_numpy(dtype=str), 7)
    other = rows.copy()
    first = (other["rank"] == 1).to_numpy()
    other.loc[aside, ["action", "decision"]] = ""
    other.loc[aside & first, ["action", "decision"]] = ["chosen", "approved"]
    changed = train(snapshot_of(other), FIRST, FIRST)
    features = labelled(snapshot_of(rows)).features
    assert (changed.learner.decision_function(features) == trained.learner.decision_function(features)).all()
    assert changed.comparison != trained.comparison


def test_whole_seniors_are_held_out_and_stay_so() -> None:
    """About three of ten, all their rows, and the same ones when others join later."""
    people = np.array([f"q{number:04d}" for number in range(1000)])
    aside = training.held_out(people, 7)
    assert 0.26 < aside.mean() < 0.34
    assert (training.held_out(np.repeat(people[500:], 2), 7) == np.repeat(aside[500:], 2)).all()
    assert (training.held_out(people, 8) != aside).any()


def test_folds_split_by_senior() -> None:
    """Each row is left out once, with all others of its senior."""
    people = np.repeat([f"q{number}" for number in range(23)], 3)
    left = training.folds(people, 7)
    assert (np.sum(left, axis=0) == 1).all()
    for fold in left:
        assert not set(people[fold]) & set(people[~fold])


def test_counts_add_up(rows: pd.DataFrame, trained: Trained) -> None:
    """Every row is either learnt from or held out."""
    counts = trained.counts
    assert counts["trained_rows"] + counts["held_out_rows"] == len(labelled(snapshot_of(rows)).rank)
    assert counts["trained_seniors"] + counts["held_out_seniors"] == 40


def test_the_best_on_people_left_out_is_taken(trained: Trained) -> None:
    """Every recipe is tried, and the lowest log-loss decides which learner it is."""
    best = min(trained.tried, key=lambda each: each.log_loss)
    assert [each.recipe for each in trained.tried] == list(RECIPES)
    assert type(trained.learner).__name__ == best.recipe.learner


@pytest.mark.parametrize("debias", ["position", "ips"])
def test_ranks_are_not_mistaken_for_fit(clicks: Labelled, debias: Debias) -> None:
    """Where only the rank counted, raw clicks teach that wording counts, because it made the ranks."""

    def learnt(how: Debias) -> float:
        fitter = Fitter(replace(FIRST, curves=flat()), examination(clicks), how)
        learner = fitter.fit(Recipe("CarefulLogit", 1.0), clicks, 7)
        assert isinstance(learner, CarefulLogit)
        return float(learner.coef_[FEATURES.index("wording")])

    assert learnt("none") > 0.1
    assert learnt(debias) < learnt("none") / 2


def flat() -> dict[str, Curve]:
    """Return curves that know nothing."""
    return {name: Curve.line(0.0, 0.0) for name in FEATURES}


@pytest.mark.parametrize("recipe", [TREES, LOGIT])
def test_better_is_never_worse_whatever_people_chose(rows: pd.DataFrame, recipe: Recipe) -> None:
    """Also where seniors chose against a feature, more of it never lowers a score."""
    known = labelled(snapshot_of(rows))
    against = replace(known, accepted=(known.features[:, FEATURES.index("load")] < 0.3).astype(np.int64))
    learner = Fitter(FIRST, examination(known), "position").fit(recipe, against, 7)
    curves = dict(zip(FEATURES, learner.curves(), strict=True))
    assert all(never_falls(curve) for curve in curves.values())
    assert np.ptp(curves["load"](np.array([0.0, 1.0]))) == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("recipe", [TREES, LOGIT])
def test_calibration_is_folded_in(rows: pd.DataFrame, recipe: Recipe) -> None:
    """Scaling a learner scales every score, and parts still add up to the whole."""
    known = labelled(snapshot_of(rows))
    learner = Fitter(FIRST, examination(known), "position").fit(recipe, known, 7)
    scaled = learner.scaled(0.5, -1.0)
    np.testing.assert_allclose(
        scaled.decision_function(known.features), 0.5 * learner.decision_function(known.features) - 1
    )
    parts = [curve(column) for curve, column in zip(scaled.curves(), known.features.T, strict=True)]
    np.testing.assert_allclose(np.sum(parts, axis=0) + scaled.intercept_, scaled.decision_function(known.features))


def test_dropping_columns_leaves_them_at_their_centre() -> None:
    """A learner without its last columns scores as the whole one does where these stand at their centre."""
    rng = np.random.default_rng(0)
    columns = np.column_stack([rng.random((400, 2)), rng.random((400, 2)) < 0.5]).astype(np.float64)
    chosen = (columns.sum(axis=1) + rng.normal(0, 0.5, 400) > 2).astype(np.int64)
    centre, monotone = np.array([0.5, 0.5, 0.0, 0.0]), np.array([True, True, False, False])
    for learner in (
        CarefulLogit(np.zeros(4), centre, monotone, np.ones(4)),
        AdditiveTrees(centre, monotone, max_iter=20),
    ):
        learner.fit(columns, chosen)
        neutral = np.column_stack([columns[:, :2], np.zeros((400, 2))])
        np.testing.assert_allclose(
            learner.without(2).decision_function(columns[:, :2]), learner.decision_function(neutral)
        )
        assert len(learner.without(2).curves()) == 2


def test_calibration_never_turns_the_order_round(clicks: Labelled) -> None:
    """Scores that order people the wrong way are flattened, and never turned round behind the curves' back."""
    fitter = Fitter(FIRST, examination(clicks), "none")
    slope, _ = fitter.calibration(-5.0 * clicks.accepted, clicks)
    assert slope == training.FLATTEST


def test_chances_come_true_on_average(trained: Trained) -> None:
    """The scores are log-odds: on strangers, chances are right within a tenth."""
    assert trained.ranker("m").calibrated
    assert trained.comparison.chances["candidate"]["ece"] < 0.1
    assert trained.slope > 0


@pytest.mark.parametrize(("seniors", "each"), [(8, 40), (30, 1)])
def test_too_little_feedback_is_refused_with_numbers(seniors: int, each: int) -> None:
    """With few seniors, or few choices, the sentence says how many there are and how many it takes."""
    with pytest.raises(InputRefused) as refused:
        train(snapshot_of(feedback(seniors, each)), FIRST, FIRST)
    assert refused.value.key == "too_little_feedback"
    values = refused.value.values
    assert values["seniors"] <= seniors
    assert values["slates"] <= seniors * each
    assert (values["needed_slates"], values["needed_seniors"]) == (40, 10)


def test_progress_ends_at_the_total(trained: Trained, told: list[tuple[int, int, str]]) -> None:
    """It never goes back, and the last call says that all is done."""
    done = [each[0] for each in told]
    assert done == sorted(done)
    assert told[-1][:2] == (told[0][1], told[0][1])
    assert [*dict.fromkeys(each[2] for each in told)] == ["choosing", "fitting", "learning_curve", "comparing"]
