"""Demand against supply: who counts, what is first, and what is never told."""

import numpy as np
import pytest

from recommender.supply import HIDDEN_BELOW, Gap, askers, gaps

CODES = ("1.1", "1.2", "1.3")


def test_somebody_who_asks_twice_counts_once() -> None:
    """Two requests of one person are one asker with both competences; strangers are different people."""
    found = askers([("s1", {"1.1": 0.9}), ("s1", {"1.2": 0.8}), (None, {"1.1": 0.7}), (None, {"1.1": 0.7})], CODES)
    assert found.tolist() == [[True, True, False], [True, False, False], [True, False, False]]


def test_competence_of_another_framework_is_passed_over() -> None:
    """An old request may name a code that no longer exists."""
    assert not askers([("s1", {"9.9": 1.0})], CODES).any()


def test_nobody_asked_is_no_rows() -> None:
    """Without requests there are columns, and all juniors still count."""
    found = gaps(askers([], CODES), np.ones((6, 3), dtype=bool), CODES)
    assert found == [Gap(code, 0, 6) for code in CODES]


def test_without_a_reader_there_is_nothing_to_tell() -> None:
    """No competences are no rows, whoever asked."""
    assert gaps(askers([("s1", {}), ("s2", {})], ()), np.zeros((0, 0), dtype=bool), ()) == []


def test_largest_shortage_comes_first() -> None:
    """Sorted by how many more ask than can."""
    asked = np.zeros((20, 3), dtype=bool)
    asked[:8, 0] = asked[:20, 1] = asked[:6, 2] = True
    can = np.zeros((30, 3), dtype=bool)
    can[:5, 0] = can[:30, 1] = True
    assert [each.code for each in gaps(asked, can, CODES)] == ["1.3", "1.1", "1.2"]


@pytest.mark.parametrize("people", range(8))
def test_small_groups_are_not_counted_out(people: int) -> None:
    """One to four people are "fewer than five" on either side; nobody is nobody."""
    rows = np.ones((people, 1), dtype=bool)
    expected = None if 0 < people < HIDDEN_BELOW else people
    (found,) = gaps(rows, rows, ["1.1"])
    assert (found.asked, found.can) == (expected, expected)
    assert found.hidden == (people < HIDDEN_BELOW)
