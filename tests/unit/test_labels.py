"""What counts as accepted, what is left out, and how much of a choice is owed to the rank."""

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest

from recommender.features import FEATURES
from recommender.labels import FIT_REASONS, RARELY, Labelled, examination, labelled, logged_slates, reviewed
from recommender.ranker import CENTRE
from recommender.snapshot import Snapshot, SnapshotInfo
from recommender.wording import catalogue

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
LATER = NOW + timedelta(days=30)


def a_row(**changes: Any) -> dict[str, Any]:
    """Return one suggestion that was drawn and left alone."""
    row = {
        "slate": "slate",
        "request": "request",
        "senior": "senior",
        "junior": "junior",
        "language": "nl",
        "at": NOW,
        "rank": 1,
        "propensity": 0.5,
        "score": 0.0,
        "shown": True,
        "action": "",
        "refusal_reason": "",
        "decision": "",
        "decision_reason": "",
        "senior_rating": None,
        "junior_rating": None,
    }
    return row | {f"f_{name}": CENTRE[name] for name in FEATURES} | changes


def a_snapshot(*rows: dict[str, Any]) -> Snapshot:
    """Return a snapshot of these rows and of one old slate, so that nothing else is the newest."""
    table = pd.DataFrame([*rows, a_row(slate="last", senior="other", at=LATER, action="refused")])
    table["senior_rating"] = table["senior_rating"].astype("Int8")
    info = SnapshotInfo("id", len(table), 1, 1, "", "", "", list(FEATURES), "")
    return Snapshot(info, table)


APPROVED = {"action": "chosen", "decision": "approved"}
REJECTED = {"action": "chosen", "decision": "rejected"}


@pytest.mark.parametrize(
    ("became", "accepted", "grade"),
    [
        ({}, 0, 0),
        ({"action": "refused", "refusal_reason": "level"}, 0, 0),
        ({"action": "undone"}, 0, 0),
        ({"action": "chosen"}, 1, 1),
        (APPROVED, 1, 2),
        (APPROVED | {"senior_rating": 3}, 1, 2),
        (APPROVED | {"senior_rating": 4}, 1, 3),
        (APPROVED | {"senior_rating": 2}, 0, 0),
        (APPROVED | {"junior_rating": 1}, 1, 2),
        (REJECTED | {"decision_reason": "topic"}, 0, 0),
        (REJECTED | {"decision_reason": "person"}, 1, 1),
        (REJECTED | {"decision_reason": "line"}, 1, 1),
    ],
)
def test_what_counts_as_accepted(became: dict[str, Any], accepted: int, grade: int) -> None:
    """Only a choice that nothing about fit speaks against afterwards; what went further has a higher grade."""
    found = labelled(a_snapshot(a_row(**became)))
    assert (found.accepted[0], found.grade[0]) == (accepted, grade)


def test_reasons_of_fit_are_reasons() -> None:
    """Each is one that a coordinator can give, and some that can be given are none."""
    known = {key.removeprefix("reject.") for key in catalogue() if key.startswith("reject.")}
    assert known > FIT_REASONS


def test_cards_that_were_not_drawn_say_nothing() -> None:
    """What stood below the fold is no refusal."""
    found = labelled(a_snapshot(a_row(action="chosen"), a_row(rank=2), a_row(rank=3, shown=False)))
    assert found.rank[found.slate == "slate"].tolist() == [1, 2]


def test_abandoned_slates_stay_unless_they_are_fresh() -> None:
    """Nobody chosen is an answer after a day, and none before; a fresh slate with an answer counts."""
    fresh = LATER - timedelta(hours=3)
    found = labelled(
        a_snapshot(
            a_row(slate="old"),
            a_row(slate="fresh", at=fresh),
            a_row(slate="undone", at=fresh, action="undone"),
            a_row(slate="answered", at=fresh, action="chosen"),
            a_row(slate="answered", at=fresh, rank=2),
        )
    )
    assert found.slate.tolist() == ["old", "answered", "answered", "last"]
    assert found.grade.tolist() == [0, 1, 0, 0]


def test_unknown_askers_are_not_one_person() -> None:
    """Slates of askers without a profile are told apart, so that a split by senior doesn't lump them."""
    found = labelled(a_snapshot(a_row(slate="a", senior=""), a_row(slate="b", senior=""), a_row(slate="c")))
    assert found.senior.tolist() == ["a", "b", "senior", "other"]


def test_features_are_in_the_order_of_the_ranker() -> None:
    """Each column is the feature of that place."""
    values = {f"f_{name}": number / 100 for number, name in enumerate(FEATURES)}
    found = labelled(a_snapshot(dict(reversed(a_row(**values).items()))))
    np.testing.assert_allclose(found.features[0], np.arange(len(FEATURES)) / 100)


def test_the_coordinator_is_a_policy_apart() -> None:
    """Only decided choices are there, rejected for whatever reason; seniors' refusals and waiting choices aren't."""
    found = reviewed(
        a_snapshot(
            a_row(slate="a", **APPROVED),
            a_row(slate="b", **REJECTED, decision_reason="person"),
            a_row(slate="c", action="chosen"),
            a_row(slate="d", action="refused"),
        )
    )
    assert found.slate.tolist() == ["a", "b"]
    assert found.approved.tolist() == [1, 0]
    assert found.reason.tolist() == ["", "person"]
    assert found.features.shape == (2, len(FEATURES))


def test_whole_slates_in_the_order_shown() -> None:
    """Each line has its own length, its last drawn rank and whether somebody was accepted, and leads to its rows."""
    snapshot = a_snapshot(
        a_row(slate="b", rank=2, propensity=1.0, action="chosen"),
        a_row(slate="b", rank=1, propensity=0.4),
        a_row(slate="a", rank=1, propensity=0.3),
        a_row(slate="a", rank=2, propensity=0.6, shown=False),
        a_row(slate="a", rank=3, propensity=1.0, shown=False),
    )
    log, place = logged_slates(snapshot)
    np.testing.assert_equal(log.propensities, [[0.3, 0.6, 1.0], [0.4, 1.0, np.nan], [0.5, np.nan, np.nan]])
    assert place.tolist() == [[2, 3, 4], [1, 0, -1], [5, -1, -1]]
    assert log.length.tolist() == [3, 2, 1]
    assert log.drawn.tolist() == [1, 2, 1]
    assert log.reward.tolist() == [0, 1, 0]
    assert log.senior.tolist() == ["senior", "senior", "other"]


LOOKED_AT = np.array([1.0, 0.75, 0.5, 0.25])


def choices(slates: int, seed: int = 0) -> Labelled:
    """Return made-up answers to four cards a slate, better ones mostly first, with ranks looked at as `LOOKED_AT`."""
    rng = np.random.default_rng(seed)
    features = np.tile([CENTRE[name] for name in FEATURES], (slates * 4, 1))
    fit = rng.normal(size=(slates, 4))
    fit = np.take_along_axis(fit, np.argsort(-fit + rng.gumbel(size=fit.shape), axis=1), axis=1).ravel()
    features[:, 0] = fit
    rank = np.tile(np.arange(1, 5), slates)
    likely = LOOKED_AT[rank - 1] / (1 + np.exp(1.0 - fit))
    accepted = (rng.random(len(rank)) < likely).astype(np.int64)
    names = np.repeat(np.arange(slates), 4).astype(str)
    languages = np.full(len(rank), "nl")
    return Labelled(features, accepted, rank, names, names, languages, np.ones(len(rank)), accepted.astype(float))


def test_examination_is_found_beside_fit() -> None:
    """From 3,000 slates each rank is within 0.08 of the truth; the plain ratio, which blames rank for fit, is not."""
    rows = choices(3_000)
    np.testing.assert_allclose(examination(rows), LOOKED_AT, atol=0.08)
    rates = np.array([rows.accepted[rows.rank == rank].mean() for rank in range(1, 5)])
    assert np.abs(rates / rates[0] - LOOKED_AT).max() > 0.15


def test_few_answers_leave_ranks_alike() -> None:
    """With one choice nothing is known of ranks, and without any they are all looked at."""
    rows = choices(5)
    rows.accepted[:] = 0
    assert examination(rows).tolist() == [1, 1, 1, 1]
    rows.accepted[0] = 1
    assert (examination(rows) > 0.5).all()


def test_a_rank_that_was_never_drawn_is_as_the_one_above() -> None:
    """There is a value for each rank down to the last, none below the least."""
    rows = choices(500)
    rows.rank[rows.rank >= 3] += 1
    found = examination(rows)
    assert len(found) == 5
    assert found[2] == found[1]
    assert found[0] == 1
    assert ((found >= RARELY) & (found <= 1)).all()
