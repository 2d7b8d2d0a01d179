"""On random groups: the matching is the best there is, breaks nothing, and each "why not" is true.

The best is found again without the solver, by looking at every matching or by another solver; see `tests.matchings`.
`make match-figures` does the same on many more.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recommender.matching import Aim, Edges, Problem, apply, cost_of_forcing, left_over, smallest_repair, solve
from recommender.matching.changes import ORDER
from tests.matchings import (
    SAME,
    all_fit,
    best_by_enumeration,
    best_by_milp,
    changed,
    every_change,
    every_matching,
    fewest_changes,
    key,
    pairs_of,
    random_problem,
    random_relaxations,
    violations,
    worth,
    wrong_about,
)

SEEDS = st.integers(0, 2**32 - 1)


def check_is_best(problem: Problem, best: dict[Aim, tuple[float, ...]]) -> None:
    """Compare all three aims with the best there is."""
    for aim in Aim:
        found = solve(problem, aim)
        pairs = pairs_of(found)
        assert not violations(problem, pairs)
        assert key(problem, aim, pairs) == pytest.approx(best[aim], abs=SAME)
        assert found.objective == pytest.approx(worth(problem, pairs), abs=SAME)


@given(SEEDS)
@settings(max_examples=150)
def test_is_the_best_of_every_matching(seed: int) -> None:
    """Tiny groups, by enumeration."""
    problem = random_problem(np.random.default_rng(seed), 6, 5)
    check_is_best(problem, best_by_enumeration(problem))


@given(SEEDS)
@settings(max_examples=150)
def test_is_as_good_as_another_solvers(seed: int) -> None:
    """Small groups, by HiGHS."""
    problem = random_problem(np.random.default_rng(seed), 14, 9)
    check_is_best(problem, best_by_milp(problem))


@given(SEEDS)
@settings(max_examples=30)
def test_gap_covers_the_rounding(seed: int) -> None:
    """Qualities that are no multiples of the grid cost the stated gap at most."""
    rng = np.random.default_rng(seed)
    senior, junior = np.divmod(np.arange(20), 4)
    # All within a few steps of the grid, so that rounding does decide.
    edges = Edges(senior, junior, 0.5 + rng.random(20) * 3e-6)
    problem = Problem(tuple("abcde"), tuple("klmn"), edges, [1, 1, 2, 1], balance_weight=2e-6, waiting_weight=1e-6)
    best = max(worth(problem, pairs) for pairs in every_matching(problem))
    found = solve(problem, Aim.BEST_FIT)
    assert found.objective <= best + 1e-12 <= found.objective + found.gap + 2e-12


@given(SEEDS)
@settings(max_examples=60)
def test_forcing_moves_nobody_without_need(seed: int) -> None:
    """The cost is that of the best matching with the pair, and of those the nearest one is told."""
    rng = np.random.default_rng(seed)
    problem = random_problem(rng, 5, 4)
    if not problem.seniors:
        return
    senior, junior = int(rng.integers(len(problem.seniors))), int(rng.integers(len(problem.juniors)))
    for aim in Aim:
        now = solve(problem, aim)
        told = cost_of_forcing(problem, aim, senior, junior, now)
        others = tuple(pair for pair in problem.locked if pair[0] != senior)
        held = sum(other == junior for _, other in others)
        assert (told.over_locked is not None) == (held + 1 > problem.capacity[junior])
        if told.over_locked:
            continue
        forced = Problem(
            problem.seniors,
            problem.juniors,
            problem.edges,
            problem.capacity,
            (*others, (senior, junior)),
            problem.waiting,
            problem.waiting_weight,
            problem.balance_weight,
            problem.minimum_quality,
            problem.taken,
            problem.lowered,
        )
        keys = {pairs: key(forced, aim, pairs) for pairs in every_matching(forced)}
        best = max(keys.values())
        nearest = min(
            sum(dict(pairs).get(one, -1) != now.junior_of[one] for one in range(len(problem.seniors)) if one != senior)
            for pairs, each in keys.items()
            if np.allclose(each, best, rtol=0, atol=SAME)
        )
        assert len(told.moved) == nearest
        assert told.lost == pytest.approx(now.objective - best[-1], abs=SAME)


def infeasible(seed: int) -> tuple[Problem, tuple]:
    """Return a group in which not everybody can be matched, with what could be given up."""
    rng = np.random.default_rng(seed)
    while True:
        problem = random_problem(rng, 5, 4)
        if not all_fit(problem, set(range(len(problem.seniors)))):
            return problem, random_relaxations(rng, problem, 6)


@given(SEEDS)
@settings(max_examples=100)
def test_each_left_over_is_explained(seed: int) -> None:
    """The reason, who shares which places, and the change are true, and the change is the preferred one."""
    problem, relaxed = infeasible(seed)
    for aim in Aim:
        found = solve(problem, aim)
        told = left_over(problem, found, relaxed)
        assert [each.senior for each in told] == np.flatnonzero(found.junior_of < 0).tolist()
        for each in told:
            assert not wrong_about(problem, pairs_of(found), each, relaxed, ORDER)


@given(SEEDS)
@settings(max_examples=50)
def test_repair_is_the_smallest(seed: int) -> None:
    """Everybody fits after it, and after no smaller set of changes; where there is none, not after all changes."""
    problem, relaxed = infeasible(seed)
    everybody = set(range(len(problem.seniors)))
    told = smallest_repair(problem, relaxed)
    if told.changes is None:
        assert not all_fit(changed(problem, tuple(every_change(problem, relaxed)), relaxed), everybody)
        assert told.impossible
        return
    assert all_fit(apply(problem, *told.changes), everybody)
    assert fewest_changes(problem, relaxed, len(told.changes)) == len(told.changes) >= told.at_least
