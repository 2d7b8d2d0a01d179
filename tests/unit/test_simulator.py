"""The simulated organisation is what it says: repeatable, noisy, looked at from the top, fair to who is measured."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from recommender.benchmarks import Benchmark, prepare, read_judgements
from recommender.encoder import HashingEncoder
from recommender.features import FEATURES
from recommender.labels import labelled
from recommender.ranker import CENTRE, AdditiveRanker, Curve, similarity_only
from recommender.settings import ROOT
from recommender.simulator import PAGE, SLATE, Behaviour, World, simulate, true_quality
from scripts.learning_figures import build_world, demo_people, shuffled, until, wrong

NEEDS = ROOT / "data" / "demo_needs"
BLIND = AdditiveRanker("blind", "", 0.0, {name: Curve.line(0.0, CENTRE[name]) for name in FEATURES})
"""Scores everybody alike, so ranks have nothing to do with who stands there."""

ALIKE = Behaviour(
    pleases=(0.5,) * 4, pickiness=0, minded=1, not_minded=1, approves=(1.0,) * 4, unwilling=1, strangers=1, elsewhere=0
)
"""People to whom all juniors are the same."""


@pytest.fixture(scope="module")
def benchmark() -> Benchmark:
    """Return the demo's judged needs, encoded by spelling."""
    return prepare(NEEDS, HashingEncoder(), "../demo/juniors.jsonl")


@pytest.fixture(scope="module")
def world_of(benchmark: Benchmark) -> Callable[..., World]:
    """Return what makes a small world; the same words make the same one."""
    grades = read_judgements(NEEDS / "qrels.tsv")

    def build(seed: int = 1, behaviour: Behaviour | None = None) -> World:
        return build_world(
            benchmark, grades, demo_people(), HashingEncoder(), seed, sizes=(120, 60), behaviour=behaviour
        )

    return build


@pytest.fixture(scope="module")
def world(world_of: Callable[..., World]) -> World:
    """Return a world of ordinary people."""
    return world_of()


def accepted_share(world: World, n: int = 120) -> float:
    """Return how many requests of a ranker that knows nothing end approved."""
    return float((simulate(world, BLIND, n, 3, explore=False).rows["decision"] == "approved").sum() / n)


def test_same_seed_same_log(world: World, world_of: Callable[..., World]) -> None:
    """World and log depend on the seed alone, and another seed gives another log."""
    logs = [
        simulate(each, similarity_only(), 40, seed, explore=True).rows for each, seed in ((world, 1), (world_of(), 1))
    ]
    assert logs[0].equals(logs[1])
    assert not logs[0].equals(simulate(world, similarity_only(), 40, 2, explore=True).rows)
    assert not np.array_equal(world.grades, world_of(seed=2).grades)


def test_unseen_seniors_and_needs_give_no_feedback(world: World) -> None:
    """Who is measured, and what they need, is never in the log; translations of a need count as the need."""
    asked = {part: list(world.requests(part, 300, 1)) for part in ("feedback", "unseen")}
    senior, need = (
        {part: {of(each) for each in found} for part, found in asked.items()}
        for of in (lambda each: each.senior, lambda each: each.need.goal)
    )
    assert not senior["feedback"] & senior["unseen"]
    assert not need["feedback"] & need["unseen"]
    judged = [{tuple(row) for row in world.grades[world.parts[part][1]].tolist()} for part in ("feedback", "unseen")]
    assert not judged[0] & judged[1]
    assert set(simulate(world, BLIND, 300, 1, explore=False).rows["senior"]) == senior["feedback"]


def test_log_is_as_the_product_writes_it(world: World) -> None:
    """A log has slates of nine with whole pages drawn, one answer at most, on a drawn card, and becomes labels."""
    snapshot = simulate(world, similarity_only(), 150, 1, explore=True)
    rows, by_slate = snapshot.rows, snapshot.rows.groupby("slate")
    assert (by_slate["rank"].max() == SLATE).all()
    assert set(by_slate["shown"].sum()) <= {PAGE, 2 * PAGE, 3 * PAGE}
    assert (by_slate["action"].apply(lambda each: (each == "chosen").sum()) <= 1).all()
    assert rows.loc[rows["action"] == "chosen", "shown"].all()
    assert ((rows["propensity"] > 0) & (rows["propensity"] <= 1)).all()
    assert (rows["propensity"] < 1).any()
    assert (simulate(world, similarity_only(), 20, 1, explore=False).rows["propensity"] == 1).all()
    assert 0 < labelled(snapshot).accepted.sum() <= 150
    assert labelled(snapshot).features.shape[1] == len(FEATURES)


def test_first_rank_is_chosen_more_among_equals(world_of: Callable[..., World]) -> None:
    """Where all juniors are alike, the first card is chosen more than the third, and without the habit as often."""
    chosen = {}
    for eta in (0.0, 1.0):
        world = world_of(behaviour=replace(ALIKE, eta=eta))
        rows = simulate(world, BLIND, 300, 1, explore=False).rows
        chosen[eta] = [int(((rows["rank"] == rank) & (rows["action"] == "chosen")).sum()) for rank in (1, 3)]
    assert chosen[1.0][0] > 2 * chosen[1.0][1]
    assert 0.75 < chosen[0.0][0] / chosen[0.0][1] < 1.33


@pytest.mark.parametrize(
    ("less", "more"),
    [
        ({"pleases": (0.03, 0.1, 0.2, 0.3)}, {"pleases": (0.2, 0.4, 0.6, 0.9)}),
        ({"eta": 2.0}, {"eta": 0.0}),
        ({"more": 0.0}, {"more": 1.0}),
        ({"minded": 0.0, "minds": (1.0,) * 5}, {"minds": (0.0,) * 5}),
        ({"approves": (0.0, 0.2, 0.4, 0.6)}, {"approves": (1.0,) * 4}),
        ({"unwilling": 0.0}, {"unwilling": 1.0}),
        ({"strangers": 0.0}, {"strangers": 1.0}),
        ({"elsewhere": 0.9}, {"elsewhere": 0.0}),
    ],
    ids=lambda change: next(iter(change)),
)
def test_each_parameter_acts_in_its_direction(world_of: Callable[..., World], less: dict, more: dict) -> None:
    """More requests end approved when people are easier to please, look further, or hinder less."""
    easy = replace(Behaviour(), pleases=(0.2, 0.4, 0.6, 0.8), approves=(0.8,) * 4)
    shares = [accepted_share(world_of(behaviour=replace(easy, **changes))) for changes in (less, more)]
    assert shares[0] < shares[1]


def test_who_fits_better_is_expected_more(world: World) -> None:
    """On average a higher grade is accepted more, but circumstances make some of grade 3 worse than some of grade 1."""
    asked = list(world.requests("unseen", 80, 1))
    grade, expected = (
        np.concatenate(each) for each in zip(*((each.grade, each.expected) for each in asked), strict=True)
    )
    assert (np.diff([expected[grade == each].mean() for each in range(4)]) > 0).all()
    assert expected[grade == 3].min() < np.median(expected[grade == 1])


def test_best_order_has_no_regret(world: World) -> None:
    """Ordering by what is really expected is perfect; nobody else reaches it, and no order has less than no regret."""
    requests = list(world.requests("unseen", 60, 1))
    best = true_quality(world, lambda asked: asked.expected, requests)
    helped = np.isfinite(best.ndcg)
    assert best.ndcg[helped] == pytest.approx(1)
    assert best.regret == pytest.approx(0)
    luck = np.random.default_rng(0)
    for order in (lambda asked: similarity_only().score(asked.features), lambda asked: luck.random(len(asked.places))):
        other = true_quality(world, order, requests)
        assert (other.regret >= -1e-12).all()
        assert (np.isfinite(other.ndcg) == helped).all()
        assert other.ndcg[helped].mean() < 0.95
        assert other.regret.mean() > 0.01


def test_better_text_match_has_less_regret(world: World) -> None:
    """An order by the judged grade alone, blind for circumstances, lies between chance and the best."""
    luck = np.random.default_rng(0)
    requests = list(world.requests("unseen", 60, 1))
    random = true_quality(world, lambda asked: luck.random(len(asked.places)), requests).regret.mean()
    graded = true_quality(world, lambda asked: asked.grade.astype(float), requests).regret.mean()
    assert 0 < graded < random / 2


def test_spoilt_logs_keep_what_is_not_spoilt(world: World) -> None:
    """Shuffling keeps the answers, wrong ones touch a tenth of cards or slates, and a part is the beginning."""
    snapshot = simulate(world, similarity_only(), 200, 1, explore=True)
    clean, mixed = snapshot.rows, shuffled(snapshot, 1).rows
    assert sorted(mixed["action"]) == sorted(clean["action"])
    assert (mixed["action"] != clean["action"]).any()
    assert mixed.loc[mixed["action"] == "chosen", "shown"].all()
    changed = {name: each.rows["decision"] != clean["decision"] for name, each in wrong(snapshot, 1).items()}
    assert changed["cards turned"].sum() == int(0.1 * clean["shown"].sum())
    assert 0 < clean.loc[changed["slates random"], "slate"].nunique() <= 20
    assert until(snapshot, 50).rows.equals(clean[clean["slate"].isin(clean["slate"].unique()[:50])])
