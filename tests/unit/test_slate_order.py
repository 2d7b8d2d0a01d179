"""A slate is shuffled a little, the same way each time it is asked for, and the log says truly how likely that was."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender.slate_order import (
    TEMPERATURE,
    chances_of_those_left,
    explored_order,
    order_by_score,
    probability_of_order,
)

SCORES = st.lists(st.floats(-30, 30), min_size=1, max_size=9).map(np.array)
TEMPERATURES = st.floats(0.02, 5)
NEAR = np.array([0.3, 0.2, 0.0, -0.1])
TYPICAL = -np.cumsum(np.full(9, 0.25))
"""The middle of the gaps between consecutive scores."""

PINNED = [6, 1, 0, 3, 2, 7, 4, 5, 8]
"""What "3f2a" gave when this was written: it must never change, or the log can't be replayed."""


@given(SCORES, st.text(max_size=20), TEMPERATURES)
def test_everybody_stays_on_the_slate(scores: np.ndarray, request_id: str, temperature: float) -> None:
    """An order has each junior once, and each propensity is in (0, 1]; the last has no other choice."""
    order, propensities = explored_order(scores, request_id, temperature)
    assert sorted(order) == list(range(len(scores)))
    assert ((propensities > 0) & (propensities <= 1)).all()
    assert propensities[-1] == 1


@given(st.lists(st.floats(-5, 5), min_size=1, max_size=9).map(np.array), st.text(max_size=20), st.floats(0.2, 5))
def test_logged_chance_is_that_of_plackett_and_luce(scores: np.ndarray, request_id: str, temperature: float) -> None:
    """What is logged agrees with the formula written out: one's own weight among those who are left."""
    order, propensities = explored_order(scores, request_id, temperature)
    weights = np.exp(scores / temperature)[order]
    np.testing.assert_allclose(propensities, [weights[k] / weights[k:].sum() for k in range(len(order))], rtol=1e-6)


@given(st.lists(st.floats(-5, 5), min_size=1, max_size=4).map(np.array), TEMPERATURES)
def test_all_orders_together_are_certain(scores: np.ndarray, temperature: float) -> None:
    """The chances of all orders add up to 1, and so do those of who stands first."""
    orders = [np.array(each) for each in itertools.permutations(range(len(scores)))]
    each = [probability_of_order(scores, order, temperature) for order in orders]
    assert sum(chances.prod() for chances in each) == pytest.approx(1)
    first = {order[0]: chances[0] for order, chances in zip(orders, each, strict=True)}
    assert sum(first.values()) == pytest.approx(1)


def test_placements_are_as_often_as_logged() -> None:
    """Over 4,000 requests each junior stands at each of the first two ranks as often as the policy says, within 3%."""
    number, temperature = 4_000, 0.3
    orders = np.array([explored_order(NEAR, f"request {each}", temperature)[0] for each in range(number)])
    expected = np.zeros((2, 4))
    for order in itertools.permutations(range(4)):
        chance = probability_of_order(NEAR, np.array(order), temperature).prod()
        for rank in range(2):
            expected[rank, order[rank]] += chance
    for rank in range(2):
        found = np.bincount(orders[:, rank], minlength=4) / number
        # Standard error of a share is at most 0.8%.
        np.testing.assert_allclose(found, expected[rank], atol=0.03)


def test_same_request_same_order() -> None:
    """A replay gives the same slate, also on another machine; another request gets a draw of its own."""
    order, propensities = explored_order(TYPICAL, "3f2a", 0.5)
    again, same = explored_order(TYPICAL, "3f2a", 0.5)
    assert order.tolist() == again.tolist() == PINNED
    assert propensities.tolist() == same.tolist()
    assert len({tuple(explored_order(TYPICAL, f"{each}", 0.5)[0]) for each in range(20)}) > 10


def test_exploration_is_a_little() -> None:
    """At the temperature in use the best of a typical slate is nearly always among the three that are seen at once."""
    places = np.array([explored_order(TYPICAL, f"{each}", TEMPERATURE)[0] for each in range(2_000)])
    assert 0.7 < (places[:, 0] == 0).mean() < 0.95
    assert (places[:, :3] == 0).any(axis=1).mean() > 0.99


def test_without_exploration_the_score_decides() -> None:
    """Best first, of equals the earlier first, and no doubt about it."""
    for order, propensities in (order_by_score(NEAR[::-1]), explored_order(NEAR[::-1], "request", 0)):
        assert order.tolist() == [3, 2, 1, 0]
        assert propensities.tolist() == [1, 1, 1, 1]
    assert order_by_score(np.zeros(3))[0].tolist() == [0, 1, 2]
    assert explored_order(np.zeros(0), "request")[0].tolist() == []


def test_a_policy_without_chance_gives_one_order() -> None:
    """At temperature 0 the order by score has chance 1, and any other 0 at the first rank that differs."""
    assert probability_of_order(NEAR, np.array([0, 1, 2, 3]), 0).tolist() == [1, 1, 1, 1]
    assert probability_of_order(NEAR, np.array([0, 2, 1, 3]), 0).tolist() == [1, 0, 1, 1]


def test_shorter_slates_stand_beside_longer_ones() -> None:
    """After its end a slate counts as certain, and nothing there takes chance from those on it."""
    scores = np.array([[0.0, 0.0, np.nan], [0.0, 0.0, 0.0]])
    left = chances_of_those_left(scores, 1.0)
    np.testing.assert_allclose(left[0], [[0.5, 0.5, 0], [0, 1, 0], [0, 0, 1]])
    np.testing.assert_allclose(left[1, 0], [1 / 3, 1 / 3, 1 / 3])
