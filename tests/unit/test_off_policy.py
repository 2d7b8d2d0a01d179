"""Estimates of what another order would have brought agree with a world where that is known."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray

from recommender.off_policy import ENOUGH, Estimate, Log, doubly_robust, ips, logged_value, snips
from recommender.slate_order import chances_of_those_left

Floats = NDArray[np.float64]

LOOKED_AT = np.array([1.0, 0.8, 0.6, 0.3, 0.3])
ON_A_PAGE, JUNIORS, TEMPERATURE = 3, 5, 0.3


class World:
    """Slates of five juniors on two pages; a senior sees all of a page, takes at most one, and may turn to the next."""

    def __init__(self, seed: int, slates: int) -> None:
        self.rng = np.random.default_rng(seed)
        fit = self.rng.normal(-1.5, 1.0, (slates, JUNIORS))
        self.likely = 1 / (1 + np.exp(-fit))
        self.old = 0.2 * fit + self.rng.normal(0, 0.2, fit.shape)
        self.new = self.old + 0.2 * fit

    def order(self, scores: Floats) -> NDArray[np.int64]:
        """Draw an order for each slate."""
        return np.argsort(-(scores / TEMPERATURE + self.rng.gumbel(size=scores.shape)), axis=1)

    def chance_a_page(self, order: NDArray[np.int64]) -> Floats:
        """Return the chance that somebody of the first and of the second page is accepted, once it is seen."""
        taken = np.take_along_axis(self.likely, order, axis=1) * LOOKED_AT
        return np.column_stack([1 - (1 - page).prod(axis=1) for page in (taken[:, :ON_A_PAGE], taken[:, ON_A_PAGE:])])

    def value(self, scores: Floats, draws: int = 40) -> float:
        """Return the true value of a policy, with the noise of drawing orders only."""
        pages = np.mean([self.chance_a_page(self.order(scores)) @ [1, 0] for _ in range(draws)])
        both = [self.chance_a_page(self.order(scores)) for _ in range(draws)]
        second = np.mean([(1 - each[:, 0]) * 0.5 * each[:, 1] for each in both])
        return float(pages + second)

    def log(self, temperature: float = TEMPERATURE) -> tuple[Log, Floats, Floats]:
        """Return a log that says it was drawn at `temperature`, the new scores, and what a fair model foretells."""
        order = self.order(self.old)
        pages = self.chance_a_page(order)
        first = self.rng.random(len(order)) < pages[:, 0]
        turned = ~first & (self.rng.random(len(order)) < 0.5)
        second = turned & (self.rng.random(len(order)) < pages[:, 1])
        left = chances_of_those_left(np.take_along_axis(self.old, order, axis=1), temperature)
        log = Log(
            propensities=np.diagonal(left, axis1=1, axis2=2),
            length=np.full(len(order), JUNIORS),
            drawn=np.where(turned, JUNIORS, ON_A_PAGE),
            reward=(first | second).astype(float),
            senior=self.rng.integers(0, len(order) // 3, len(order)).astype(str),
        )
        model = 0.8 * np.take_along_axis(self.likely, order, axis=1) + 0.05
        return log, np.take_along_axis(self.new, order, axis=1), model


@cache
def errors(runs: int = 60, slates: int = 600, temperature: float = TEMPERATURE) -> dict[str, Floats]:
    """Return the error of each estimator without clipping, for each of many logs."""
    found: dict[str, list[float]] = {"ips": [], "snips": [], "dr": []}
    for seed in range(runs):
        world = World(seed, slates)
        truth = world.value(world.new)
        log, scores, model = world.log(temperature)
        found["ips"].append(ips(log, scores, TEMPERATURE, np.inf).value - truth)
        found["snips"].append(snips(log, scores, TEMPERATURE, np.inf).value - truth)
        found["dr"].append(doubly_robust(log, scores, TEMPERATURE, model, LOOKED_AT, np.inf).value - truth)
    return {name: np.array(each) for name, each in found.items()}


@pytest.mark.parametrize("name", ["ips", "snips", "dr"])
def test_estimates_are_right_in_the_mean(name: str) -> None:
    """Over 60 logs the mean error is within three standard errors of 0, and that is a small number."""
    each = errors()[name]
    error = each.std() / len(each) ** 0.5
    assert error < 0.006
    assert abs(each.mean()) < 3 * error


def test_a_model_of_the_reward_makes_it_steadier() -> None:
    """Over the same logs the doubly robust estimate varies less than the plain one."""
    assert errors()["dr"].std() < 0.9 * errors()["ips"].std()


def test_a_poor_model_does_not_make_it_wrong() -> None:
    """Also with a model that says the opposite of the truth, the doubly robust estimate is right in the mean."""
    off = []
    for seed in range(60):
        world = World(seed, 600)
        log, scores, model = world.log()
        poor = 0.6 - model / 2
        off.append(doubly_robust(log, scores, TEMPERATURE, poor, LOOKED_AT, np.inf).value - world.value(world.new))
    assert abs(np.mean(off)) < 3 * np.std(off) / 60**0.5


@pytest.mark.parametrize("name", ["ips", "dr"])
def test_wrong_propensities_are_wrong(name: str) -> None:
    """A log that says it was shuffled more than it was gives a wrong value: the check above can fail."""
    each = errors(runs=10, temperature=0.9)[name]
    assert abs(each.mean()) > 10 * each.std() / 10**0.5


def test_wrong_propensities_are_told() -> None:
    """Weights that are not 1 in the mean can't come from the stored chances, so nothing is concluded."""
    log, scores, _ = World(0, 600).log(0.9)
    assert ips(log, scores, TEMPERATURE).reason == "propensities_off"


def test_intervals_hold_the_truth() -> None:
    """Of 60 intervals of 95%, at least 53 hold the true value (a fair 95% gives fewer in 1 of 50)."""
    held = 0
    for seed in range(60):
        world = World(seed, 600)
        log, scores, model = world.log()
        found = doubly_robust(log, scores, TEMPERATURE, model, LOOKED_AT)
        held += found.low <= world.value(world.new) <= found.high
        assert found.conclusive
    assert held >= 53


def test_the_logged_policy_is_worth_what_it_brought() -> None:
    """Asked about the policy of the log itself, each estimate is the mean reward, and each slate counts."""
    log, scores = a_log(200)
    for found in (ips(log, scores, 1.0), snips(log, scores, 1.0), logged_value(log)):
        assert (found.value, found.effective_sample, found.conclusive) == (0.5, 200, True)
        assert found.low < 0.5 < found.high


def a_log(slates: int, **changes: object) -> tuple[Log, Floats]:
    """Return a log of evenly shuffled slates of two, with every second one accepted, and even scores."""
    log = Log(
        propensities=np.tile([0.5, 1.0], (slates, 1)),
        length=np.full(slates, 2),
        drawn=np.full(slates, 2),
        reward=np.arange(slates) % 2.0,
        senior=np.arange(slates).astype(str),
    )
    return replace(log, **changes), np.zeros((slates, 2))  # type: ignore[arg-type]


def test_too_few_slates_conclude_nothing() -> None:
    """Below the effective sample that is enough, the estimate says so; with it, it concludes."""
    for number, reason in ((int(ENOUGH) - 1, "few_slates"), (int(ENOUGH), "")):
        found = ips(*a_log(number), 1.0)
        assert (found.conclusive, found.reason) == (not reason, reason)
        assert found.effective_sample == pytest.approx(number)


def test_uneven_weights_count_for_fewer_slates() -> None:
    """A hundred slates of which only a part fits the order asked about are worth less than a hundred."""
    log, _ = a_log(100)
    scores = np.array([[1.0, 0.0], [0.0, 1.0]]).repeat(50, axis=0)
    found = snips(log, scores, 0)
    assert found.effective_sample == pytest.approx(50)
    assert (found.n, found.value) == (100, 0.5)


def test_slates_that_were_not_shuffled_are_left_out() -> None:
    """They are counted and change nothing; where no other is left, nothing is concluded."""
    log, scores = a_log(200)
    mixed = log.propensities.copy()
    mixed[:80] = 1.0
    reward = log.reward.copy()
    reward[:80] = 1.0
    found = ips(replace(log, propensities=mixed, reward=reward), scores, 1.0)
    assert (found.n, found.left_out, found.value, found.conclusive) == (120, 80, 0.5, True)
    none = ips(replace(log, propensities=np.ones((200, 2))), scores, 1.0)
    assert (none.n, none.left_out, none.conclusive, none.reason) == (0, 200, False, "no_exploration")
    assert np.isnan(none.value)


@pytest.mark.parametrize("bad", [np.nan, 0.0, 1.5])
def test_a_slate_without_propensities_stops_everything(bad: float) -> None:
    """One slate whose chances aren't known, or can't be chances, is enough to conclude nothing."""
    log, scores = a_log(200)
    broken = log.propensities.copy()
    broken[7, 0] = bad
    for each in (ips, snips):
        found: Estimate = each(replace(log, propensities=broken), scores, 1.0)
        assert (found.conclusive, found.reason) == (False, "no_propensity")


def test_what_stands_after_the_end_of_a_slate_is_not_read() -> None:
    """A shorter slate gives the same, whatever fills the rest of its line."""
    log, scores = a_log(100)
    wider = replace(log, propensities=np.hstack([log.propensities, np.full((100, 2), np.nan)]))
    filled = np.hstack([scores, np.full((100, 2), 9.0)])
    assert ips(wider, filled, 1.0) == ips(log, scores, 1.0)
    model = np.full((100, 4), 0.3)
    assert doubly_robust(wider, filled, 1.0, model, np.array([1.0, 0.5])).value == pytest.approx(
        doubly_robust(log, scores, 1.0, model[:, :2], np.array([1.0, 0.5])).value
    )


def test_cards_below_the_last_drawn_do_not_count() -> None:
    """Where only the first card was drawn, an order that differs below has full weight."""
    log, _ = a_log(100, propensities=np.tile([0.5, 0.5, 1.0], (100, 1)), length=np.full(100, 3), drawn=np.ones(100))
    same_first = np.tile([5.0, 0.0, 1.0], (100, 1))
    assert ips(log, same_first, 0).value == pytest.approx(2 * log.reward.mean())


def test_nobody_accepted_concludes_nothing() -> None:
    """A value of 0 with an interval of no width is no finding."""
    found = ips(*a_log(200, reward=np.zeros(200)), 1.0)
    assert (found.value, found.reason) == (0.0, "none_accepted")


def test_one_senior_with_many_slates_is_no_crowd() -> None:
    """The interval is wider where the slates come from few seniors who each answer alike."""
    reward = (np.arange(200) < 100).astype(float)
    many, few = np.arange(200).astype(str), (np.arange(200) // 50).astype(str)
    widths = []
    for senior in (many, few):
        found = ips(*a_log(200, reward=reward, senior=senior), 1.0)
        widths.append(found.high - found.low)
    assert widths[1] > 3 * widths[0]


def test_little_overlap_concludes_nothing() -> None:
    """Where clipping cuts away a tenth of the weights or more, the value may be as wrong."""
    rare = (np.arange(4_000) % 40 == 0)[:, None]
    log, _ = a_log(4_000, propensities=np.where(rare, [0.025, 1.0], [0.975, 1.0]))
    scores = np.where(rare, [np.log(0.7), np.log(0.3)], [np.log(0.3), np.log(0.7)])
    for clip, reason in ((100.0, ""), (20.0, "little_overlap")):
        assert ips(log, scores, 1.0, clip).reason == reason
