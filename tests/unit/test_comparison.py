"""Orders are measured fairly: ranks, ties, seniors who ask often and slates that say nothing are all accounted for."""

from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest
from scipy.special import expit

from recommender.comparison import (
    CANDIDATE,
    IN_USE,
    RANDOM,
    Comparison,
    Scorer,
    accuracy,
    compare,
    gini,
    learning_curve,
    mean_ndcg,
    plain_orders,
    take,
)
from recommender.evaluation import ndcg_at_k
from recommender.features import FEATURES
from recommender.labels import Labelled

SEEN = np.ones(3)


def rows_of(
    grades: list[list[float]], seniors: list[str] | None = None, languages: list[str] | None = None
) -> Labelled:
    """Return labelled rows, one list of grades a slate, in the order shown."""
    lengths = [len(each) for each in grades]
    grade = np.concatenate([np.array(each, dtype=np.float64) for each in grades])
    rank = np.concatenate([np.arange(1, length + 1) for length in lengths])
    seniors = seniors or [f"q{place}" for place in range(len(grades))]
    features = np.zeros((len(grade), len(FEATURES)))
    features[:, 0] = np.arange(len(grade))
    return Labelled(
        features=features,
        accepted=(grade > 0).astype(np.int64),
        rank=rank,
        slate=np.repeat([f"s{place:03d}" for place in range(len(grades))], lengths),
        senior=np.repeat(seniors, lengths),
        language=np.repeat(languages or ["nl"] * len(grades), lengths),
        weight=np.ones(len(grade)),
        grade=grade,
    )


def upside_down(rows: Labelled) -> np.ndarray:
    """Score the last shown highest."""
    return rows.rank.astype(np.float64)


def as_shown(rows: Labelled) -> np.ndarray:
    """Score the first shown highest."""
    return -rows.rank.astype(np.float64)


def measured(rows: Labelled, candidate: Scorer = upside_down, in_use: Scorer = as_shown, **more: object) -> Comparison:
    """Compare two orders where all ranks are looked at alike, unless it says otherwise."""
    orders = {CANDIDATE: candidate, IN_USE: in_use} | plain_orders()
    return compare(orders, rows, 7, **({"looked_at": SEEN} | more))  # type: ignore[arg-type]


def test_one_slate_is_ndcg() -> None:
    """Without ties it is the measure that everything else here is told in."""
    rng = np.random.default_rng(0)
    for _ in range(50):
        grades, scores = rng.integers(0, 4, 7).astype(float), rng.random(7)
        grades[0] = 1
        found = mean_ndcg(scores, rows_of([grades.tolist()]), np.ones(7))
        assert found == pytest.approx(ndcg_at_k(grades[np.argsort(-scores)], k=7))


def test_ties_are_broken_by_chance() -> None:
    """An order that knows nothing gets the mean over all orders: it gains nothing from the order that was shown."""
    grades = [3.0, 0.0, 1.0, 0.0]
    every = [ndcg_at_k(np.array(each), k=4) for each in permutations(grades)]
    assert mean_ndcg(np.zeros(4), rows_of([grades]), np.ones(4)) == pytest.approx(np.mean(every))


def test_a_choice_that_few_could_see_stands_for_many() -> None:
    """With the third place looked at by one of four, a choice there weighs four times one at the first place."""
    rows = rows_of([[1, 0, 0], [0, 0, 1]])
    found = measured(rows, looked_at=np.array([1.0, 0.5, 0.25])).table
    best, worst = 1.0, 1 / np.log2(4)
    assert found[CANDIDATE]["ndcg"] == pytest.approx((1 * worst + 4 * best) / 5)
    assert found[IN_USE]["ndcg"] == pytest.approx((1 * best + 4 * worst) / 5)


def test_no_choice_outweighs_all_others() -> None:
    """A place that hardly anybody looks at is capped: one lucky choice must not decide."""
    rows = rows_of([[1, 0, 0], [0, 0, 1]])
    found = measured(rows, looked_at=np.array([1.0, 0.5, 0.0001])).table[CANDIDATE]["ndcg"]
    assert found == pytest.approx((1 / np.log2(4) + 10) / 11)


def test_silent_slates_are_counted_and_left_out() -> None:
    """Where nobody was accepted there is nothing to say about an order."""
    one, two = measured(rows_of([[0, 0, 1]])), measured(rows_of([[0, 0, 1], [0, 0, 0]]))
    assert (two.slates, two.silent, two.seniors) == (1, 1, 1)
    assert two.table == one.table


def test_nothing_accepted_gives_no_figures() -> None:
    """Without a single acceptance the table is empty, and nothing fails."""
    found = measured(rows_of([[0, 0], [0, 0]]))
    assert (found.slates, found.table, found.languages) == (0, {}, {})


def test_the_same_order_differs_by_nothing() -> None:
    """Differences are paired: against itself an order has an interval of no width."""
    rng = np.random.default_rng(1)
    rows = rows_of([rng.permutation([1, 0, 0]).tolist() for _ in range(20)])
    line = measured(rows, candidate=as_shown).table[CANDIDATE]
    assert (line["difference"], line["difference_low"], line["difference_high"]) == (0, 0, 0)
    assert line["low"] < line["ndcg"] < line["high"]


def test_a_senior_who_asks_often_is_one_witness() -> None:
    """Ten copies of each slate by the same senior make an interval no narrower; ten times the seniors do."""
    rng = np.random.default_rng(2)
    slates = [rng.permutation([1, 0, 0]).tolist() for _ in range(12)]
    width = []
    for seniors in ([f"q{place}" for place in range(12)] * 10, [f"q{place}" for place in range(120)]):
        line = measured(rows_of(slates * 10, seniors)).table[CANDIDATE]
        width.append(line["high"] - line["low"])
    once = measured(rows_of(slates)).table[CANDIDATE]
    assert width[0] == pytest.approx(once["high"] - once["low"], rel=0.1)
    assert width[1] < width[0] / 2


def test_each_language_has_its_own_figures() -> None:
    """A gain in one language doesn't hide a loss in another."""
    rows = rows_of([[0, 0, 1], [1, 0, 0]], languages=["nl", "en"])
    found = measured(rows)
    assert found.language_slates == {"en": 1, "nl": 1}
    assert found.languages["nl"][CANDIDATE]["difference"] == pytest.approx(0.5)
    assert found.languages["en"][CANDIDATE]["difference"] == pytest.approx(-0.5)


def test_chances_are_judged_as_if_everybody_had_looked() -> None:
    """True chances come out as true although few looked at the lower places; taking clicks as they are fails."""
    rng = np.random.default_rng(3)
    scores, seen = rng.normal(-1, 1, 60_000), rng.choice([1.0, 0.5, 0.25], 60_000)
    accepted = ((rng.random(60_000) < expit(scores)) & (rng.random(60_000) < seen)).astype(np.int64)
    fair, naive = accuracy(scores, accepted, seen), accuracy(scores, accepted, np.ones(60_000))
    true = expit(scores)
    entropy = -(true * np.log(true) + (1 - true) * np.log(1 - true)).mean()
    assert fair["log_loss"] == pytest.approx(entropy, rel=0.02)
    assert fair["brier"] == pytest.approx((true * (1 - true)).mean(), rel=0.02)
    assert fair["ece"] < 0.01 < 0.1 < naive["ece"]


def test_only_chances_are_judged_as_chances() -> None:
    """A score that only orders gets no log-loss and no bins."""
    found = measured(rows_of([[0, 0, 1]] * 3), chances=[CANDIDATE])
    assert set(found.chances) == set(found.reliability) == {CANDIDATE}
    assert sum(each["rows"] for each in found.reliability[CANDIDATE]) == 9


def test_exposure_sees_who_always_stands_first() -> None:
    """An order that always prefers the same three has a high Gini; one without preference has none."""
    rows = rows_of([[1, 0, 0, 0, 0, 0]] * 30)
    juniors = np.tile([f"j{place}" for place in range(6)], 30)
    dutch = np.tile([True, False, False, False, False, False], 30)
    found = measured(rows, looked_at=np.ones(6), juniors=juniors, groups={"nl": dutch}).exposure
    assert found[IN_USE].gini == pytest.approx(0.5)
    assert found[RANDOM].gini == pytest.approx(0, abs=1e-9)
    assert found[IN_USE].groups["nl"] == pytest.approx(1 / 3)
    assert found[CANDIDATE].groups["nl"] == 0
    assert found[RANDOM].groups["nl"] == found[RANDOM].shown["nl"] == pytest.approx(1 / 6)
    assert found[IN_USE].lorenz[0] == (0, 0)
    assert found[IN_USE].lorenz[-1] == (1, 1)
    assert found[IN_USE].lorenz[10] == (0.5, 0)


def test_gini_of_nothing_is_nothing() -> None:
    """No juniors, or none who stood first, is no inequality."""
    assert gini(np.zeros(0)) == gini(np.zeros(4)) == 0


def test_learning_curve_grows_with_the_seniors() -> None:
    """Each share is that share of the seniors; a share in which nobody accepted is left out."""
    training, held_out = rows_of([[0, 0, 1]] * 20), rows_of([[0, 0, 1]] * 5)
    asked: list[int] = []

    def fit(rows: Labelled, seed: int) -> Scorer:
        asked.append(len(set(rows.senior.tolist())))
        return upside_down

    steps = learning_curve(fit, training, held_out, SEEN, seed=7, shares=(0.1, 0.5, 1.0), seeds=2)
    assert asked == [2, 2, 10, 10, 20]
    assert [each.seniors for each in steps] == [2, 10, 20]
    assert [each.mean for each in steps] == [1, 1, 1]
    nobody = replace(training, accepted=np.zeros_like(training.accepted))
    assert learning_curve(fit, nobody, held_out, SEEN, seed=7) == []


def test_taking_rows_takes_from_every_column() -> None:
    """No column is left behind."""
    rows = take(rows_of([[0, 1], [1, 0]]), np.array([False, True, True, False]))
    assert rows.accepted.tolist() == [1, 1]
    assert rows.features[:, 0].tolist() == [1, 2]
    assert rows.slate.tolist() == ["s000", "s001"]


def test_the_seed_decides_the_draws() -> None:
    """The same seed gives the same interval to the last bit."""
    rng = np.random.default_rng(5)
    rows = rows_of([rng.permutation([1, 0, 0]).tolist() for _ in range(20)])
    assert measured(rows).table == measured(rows).table
