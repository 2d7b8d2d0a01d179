"""Whole-group matching on small groups one can check by hand."""

from dataclasses import replace
from itertools import permutations, product

import numpy as np
import pytest

from recommender.errors import InputRefused
from recommender.matching import (
    Aim,
    Change,
    Edges,
    Kind,
    OverLocked,
    Problem,
    Reason,
    Relaxed,
    apply,
    cost_of_forcing,
    differences,
    left_over,
    over_locked,
    side_by_side,
    smallest_repair,
    solve,
)


def a_problem(
    edges: dict[tuple[int, int], float], capacity: tuple[int, ...] = (1, 1), seniors: int = 2, **more: object
) -> Problem:
    """Return a problem with the given edges."""
    return Problem(
        tuple("ABCDEFG"[:seniors]),
        tuple("klmnopq"[: len(capacity)]),
        Edges([s for s, _ in edges], [j for _, j in edges], list(edges.values())),
        capacity,  # type: ignore[arg-type]
        **more,  # type: ignore[arg-type]
    )


FORKED = {(0, 0): 0.9, (1, 0): 0.8, (0, 1): 0.1}
"""B can only go to k; A prefers k, and could go to l."""


def test_best_fit_leaves_somebody_out_where_most_matched_does_not() -> None:
    """Each aim does what its name says."""
    crowded = a_problem({(0, 0): 0.5, (0, 1): 0.5, (1, 0): 0.5}, capacity=(2, 0), balance_weight=0.6)
    assert solve(crowded, Aim.BEST_FIT).matched == 1
    assert solve(crowded, Aim.MOST_MATCHED).matched == 2
    assert solve(a_problem(FORKED), Aim.MOST_MATCHED).junior_of.tolist() == [1, 0]


def test_fairest_has_the_smallest_largest_regret() -> None:
    """Two who give up a little rather than one who gives up more, though the sum is lower."""
    edges = {(0, 0): 1.0, (0, 1): 0.8, (1, 1): 1.0, (1, 2): 0.8, (2, 0): 1.0, (2, 2): 0.7}
    _, most, fairest = side_by_side(a_problem(edges, capacity=(1, 1, 1), seniors=3))
    assert most.solution.junior_of.tolist() == [0, 1, 2]
    assert fairest.solution.junior_of.tolist() == [1, 2, 0]
    assert (most.largest_regret, fairest.largest_regret) == pytest.approx((0.3, 0.2))
    told = differences(most, fairest)
    assert [(each.senior, each.first, each.second) for each in told] == [(0, 0, 1), (1, 1, 2), (2, 2, 0)]
    assert [each.cost for each in told] == pytest.approx([0.2, 0.2, -0.3])


def test_people_matched_come_before_fairness() -> None:
    """A large regret is taken where somebody would be left over without it."""
    fairest = side_by_side(a_problem(FORKED))[2]
    assert (fairest.matched, fairest.largest_regret) == (2, pytest.approx(0.8))


def test_waiting_comes_first_where_quality_is_equal() -> None:
    """Days count up to sixty."""
    problem = a_problem({(0, 0): 0.5, (1, 0): 0.5}, capacity=(1,), waiting=[10, 30], waiting_weight=0.1)
    assert solve(problem, Aim.BEST_FIT).junior_of.tolist() == [-1, 0]
    assert solve(problem, Aim.BEST_FIT).objective == pytest.approx(0.55)
    longer = replace(problem, waiting=np.array([60.0, 600.0]))
    assert solve(longer, Aim.BEST_FIT).objective == pytest.approx(0.6)


def test_balance_spreads_people_over_juniors() -> None:
    """A second place costs once the weight, and places that were taken count."""
    edges = {(0, 0): 0.9, (0, 1): 0.7, (1, 0): 0.9, (1, 1): 0.8}
    assert solve(a_problem(edges, capacity=(2, 2)), Aim.BEST_FIT).junior_of.tolist() == [0, 0]
    spread = a_problem(edges, capacity=(2, 2), balance_weight=0.15)
    assert solve(spread, Aim.BEST_FIT).junior_of.tolist() == [0, 1]
    busy = a_problem(edges, capacity=(2, 2), balance_weight=0.04, taken=[2, 0])
    found = solve(busy, Aim.BEST_FIT)
    assert found.junior_of.tolist() == [0, 1]
    assert found.objective == pytest.approx(0.9 - 0.08 + 0.8)


def test_locked_pairs_stay_and_use_places() -> None:
    """Also one that is on no edge, and one below the minimum."""
    problem = a_problem(FORKED, locked=((0, 0),), minimum_quality=0.95)
    found = solve(problem, Aim.BEST_FIT)
    assert found.junior_of.tolist() == [0, -1]
    assert found.quality.tolist() == [0.9]
    found = solve(a_problem(FORKED, locked=((1, 1),)), Aim.FAIREST)
    assert found.junior_of.tolist() == [0, 1]
    assert found.quality.tolist() == [0.9, 0.0]
    assert found.locked.tolist() == [False, True]


def test_too_many_locked_is_a_finding() -> None:
    """`solve` refuses it, and it can be told who."""
    problem = a_problem(FORKED, locked=((0, 0), (1, 0)))
    with pytest.raises(InputRefused) as refused:
        solve(problem, Aim.BEST_FIT)
    assert refused.value.key == "locked_over_capacity"
    assert "k" in refused.value.sentence("nl")
    assert over_locked(problem) == (OverLocked(0, 1, (0, 1)),)
    assert smallest_repair(problem).changes == (Change(Kind.ONE_MORE_PLACE, None, 0),)
    assert smallest_repair(replace(problem, room=np.array([0, 0]))).impossible == (0, 1)


def test_order_of_edges_does_not_matter() -> None:
    """Ties are broken the same way each time."""
    rng = np.random.default_rng(5)
    senior, junior = np.divmod(np.arange(400), 20)
    quality = rng.integers(0, 3, 400) / 2
    ids = tuple(str(each) for each in range(20))
    found = []
    for _ in range(4):
        order = rng.permutation(400)
        problem = Problem(ids, ids, Edges(senior[order], junior[order], quality[order]), np.ones(20))
        found.append([solve(problem, aim).junior_of.tolist() for aim in Aim])
    assert found[0] == found[1] == found[2] == found[3]


def test_best_of_a_repeated_edge_counts() -> None:
    """An edge that is given twice is one edge."""
    edges = Edges([0, 0, 0], [1, 0, 1], [0.2, 0.5, 0.7])
    assert (edges.junior.tolist(), edges.quality.tolist()) == ([0, 1], [0.5, 0.7])


def test_arrays_are_the_problems_own() -> None:
    """What the caller does to its arrays later changes nothing, and nobody can write into those of a problem."""
    quality = np.array([0.5])
    edges = Edges([0], [0], quality)
    quality[0] = 9
    assert edges.quality[0] == 0.5
    with pytest.raises(ValueError, match="read-only"):
        edges.quality[0] = 1


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"edges": ([0], [2], [0.5])}, "matching_index"),
        ({"edges": ([2], [0], [0.5])}, "matching_index"),
        ({"edges": ([-1], [0], [0.5])}, "matching_number"),
        ({"edges": ([0.5], [0], [0.5])}, "matching_number"),
        ({"edges": ([0], [0], [float("nan")])}, "matching_number"),
        ({"edges": ([0], [0], [1.01])}, "matching_number"),
        ({"edges": ([0], [0], [-0.01])}, "matching_number"),
        ({"edges": ([0], [0, 1], [0.5])}, "matching_length"),
        ({"capacity": [1]}, "matching_length"),
        ({"capacity": [1, -1]}, "matching_number"),
        ({"capacity": [1, 1.5]}, "matching_number"),
        ({"capacity": [1, float("inf")]}, "matching_number"),
        ({"locked": ((0, 2),)}, "matching_index"),
        ({"locked": ((2, 0),)}, "matching_index"),
        ({"locked": ((0, 0), (0, 1))}, "matching_locked_twice"),
        ({"waiting": [1]}, "matching_length"),
        ({"waiting": [1, float("nan")]}, "matching_number"),
        ({"waiting_weight": -1}, "matching_number"),
        ({"balance_weight": float("inf")}, "matching_number"),
        ({"minimum_quality": 1.1}, "matching_number"),
        ({"lowered": ((0, 2.0),)}, "matching_number"),
        ({"lowered": ((3, 0.2),)}, "matching_index"),
        ({"taken": [1, 2, 3]}, "matching_length"),
        ({"seniors": ("A", "A")}, "matching_id_twice"),
    ],
)
def test_nonsense_is_refused(change: dict[str, object], key: str) -> None:
    """With a sentence in both languages."""

    def make() -> None:
        edges = {name: Edges(*given) for name, given in change.items() if name == "edges"}  # type: ignore[misc]
        replace(a_problem(FORKED), **(change | edges))  # type: ignore[arg-type]

    with pytest.raises(InputRefused) as refused:
        make()
    assert refused.value.key == key
    assert refused.value.sentence("nl")
    assert refused.value.sentence("en")


def test_nobody_and_nothing() -> None:
    """No seniors, no juniors, no edges: an empty matching."""
    for problem in (a_problem({}, seniors=0), a_problem({}, capacity=()), a_problem({})):
        for scenario in side_by_side(problem):
            assert scenario.matched == scenario.got_best == scenario.juniors_used == scenario.most_places == 0
            assert scenario.mean_quality is scenario.largest_regret is None
    assert smallest_repair(a_problem({}, seniors=0)).changes == ()


def test_scenario_numbers() -> None:
    """They are those of the pairs."""
    problem = a_problem({(0, 0): 0.9, (0, 1): 0.6, (1, 0): 0.8, (2, 0): 0.4}, capacity=(2, 1), seniors=4, taken=[1, 0])
    best = side_by_side(problem)[0]
    assert best.solution.junior_of.tolist() == [1, 0, 0, -1]
    assert (best.matched, best.got_best, best.most_places, best.juniors_used) == (3, 2, 3, 2)
    assert (best.mean_quality, best.lowest_quality, best.largest_regret) == pytest.approx((0.6, 0.4, 0.3))


def test_forcing_a_pair_tells_who_pays() -> None:
    """A gets k, so B has nobody."""
    problem = a_problem(FORKED)
    now = solve(problem, Aim.MOST_MATCHED)
    told = cost_of_forcing(problem, Aim.MOST_MATCHED, 0, 0, now)
    assert told.matched_lost == 1
    assert told.lost == pytest.approx(0.0, abs=1e-9)
    assert [(each.senior, each.first, each.second, each.cost) for each in told.moved] == [(1, 0, None, 0.8)]
    locked = replace(problem, locked=((1, 0),))
    told = cost_of_forcing(locked, Aim.MOST_MATCHED, 0, 0, solve(locked, Aim.MOST_MATCHED))
    assert told.over_locked == OverLocked(0, 1, (0, 1))
    assert not told.moved


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_nobody_is_moved_without_need(order: tuple[int, ...]) -> None:
    """Everything is equally good, so what there is stays."""
    problem = a_problem(dict.fromkeys(product(range(3), range(3)), 0.5), capacity=(1, 1, 1), seniors=3)
    now = solve(replace(problem, locked=tuple(enumerate(order))), Aim.BEST_FIT)
    for aim in Aim:
        assert solve(problem, aim, keep=now).junior_of.tolist() == list(order)
        assert not cost_of_forcing(problem, aim, 0, order[0], now).moved
        assert [each.senior for each in cost_of_forcing(problem, aim, 0, order[1], now).moved] == [1]


def test_five_people_share_three_places() -> None:
    """Everybody who competes is named, with those who are left over as well."""
    edges = {(senior, junior): 0.5 for senior in range(5) for junior in range(2)} | {(5, 2): 0.9}
    problem = a_problem(edges, capacity=(2, 1, 1), seniors=6)
    first, second = left_over(problem, solve(problem, Aim.MOST_MATCHED))
    assert first.seniors == second.seniors == (0, 1, 2, 3, 4)
    assert (first.juniors, first.places, first.reason) == ((0, 1), 3, Reason.ALL_TAKEN)
    assert first.change is not None
    assert (first.change.kind, first.change.senior, first.change.junior) == (Kind.ONE_MORE_PLACE, first.senior, 0)


ALONE = a_problem({(0, 0): 0.9}, capacity=(1, 1), seniors=2)
WITH_LOW_EDGE = replace(ALONE, edges=ALONE.edges.with_more([1], [1], [0.2]), minimum_quality=0.5)


@pytest.mark.parametrize(
    ("problem", "relaxed", "reason", "kind"),
    [
        (ALONE, (), "no_candidates", None),
        (ALONE, [Relaxed(1, 1, 0.4, ("drop_wish", "site"))], "no_candidates", "drop_wish"),
        (ALONE, [Relaxed(1, 1, 0.4, ("add_language", "en"))], "no_candidates", "add_language"),
        (ALONE, [Relaxed(1, 1, 0.4, ("switch_rule", "rank"))], "no_candidates", "switch_rule"),
        (ALONE, [Relaxed(1, 0, 0.4, ("switch_rule", "rank"))], "no_candidates", None),
        (WITH_LOW_EDGE, (), "below_minimum", "lower_minimum"),
        (WITH_LOW_EDGE, [Relaxed(1, 1, 0.9, ("drop_wish", "site"))], "below_minimum", "lower_minimum"),
        (a_problem({(0, 0): 0.9, (1, 0): 0.8}), (), "all_taken", "one_more_place"),
        (a_problem({(0, 0): 0.9, (1, 0): 0.8}, room=[0, 0]), (), "all_taken", None),
    ],
)
def test_reason_and_smallest_change(problem: Problem, relaxed: list[Relaxed], reason: str, kind: str | None) -> None:
    """Each reason, and each kind of change in the order of preference."""
    now = solve(problem, Aim.MOST_MATCHED)
    (told,) = left_over(problem, now, relaxed)
    assert (told.senior, told.reason, told.change and told.change.kind) == (1, reason, kind)
    assert told.nothing == (kind is None)
    if told.change:
        after = solve(apply(problem, told.change), Aim.MOST_MATCHED)
        assert after.matched == now.matched + 1
        assert after.junior_of[1] >= 0


def test_a_locked_pair_makes_no_room() -> None:
    """A could go to l, but stays with k, so B can't have k."""
    problem = a_problem({(0, 1): 0.9, (1, 0): 0.9}, locked=((0, 0),))
    (told,) = left_over(problem, solve(problem, Aim.BEST_FIT))
    assert (told.reason, told.seniors, told.juniors, told.places) == (Reason.ALL_TAKEN, (1,), (0,), 0)
    assert told.change is not None
    assert told.change.kind is Kind.ONE_MORE_PLACE


def test_of_one_kind_the_highest_quality() -> None:
    """One thing given up may open several edges."""
    relaxed = [
        Relaxed(1, 1, 0.4, ("drop_wish", "day")),
        Relaxed(1, 0, 0.9, ("drop_wish", "day")),
        Relaxed(1, 1, 0.5, ("drop_wish", "site")),
    ]
    (told,) = left_over(ALONE, solve(ALONE, Aim.BEST_FIT), relaxed)
    assert told.change is not None
    assert (told.change.value, told.change.junior, told.change.quality) == ("site", 1, 0.5)
    with pytest.raises(InputRefused, match="nothing to give up"):
        Relaxed(0, 0, 0.5, ("one_more_place", "k"))
    with pytest.raises(InputRefused, match="does not exist"):
        left_over(ALONE, solve(ALONE, Aim.BEST_FIT), [Relaxed(7, 0, 0.5, ("drop_wish", "day"))])


def test_left_out_by_the_aim_needs_no_change() -> None:
    """More could have been matched."""
    crowded = a_problem({(0, 0): 0.5, (1, 0): 0.4}, capacity=(2,), balance_weight=0.6)
    (told,) = left_over(crowded, solve(crowded, Aim.BEST_FIT))
    assert (told.senior, told.reason, told.nothing) == (1, Reason.BY_AIM, False)


def test_repair_may_need_more_than_one_change_a_person() -> None:
    """B knows nobody; the only one they could know is full: two changes for one person."""
    problem = a_problem({(0, 0): 0.9}, capacity=(1,))
    told = smallest_repair(problem, [Relaxed(1, 0, 0.5, ("drop_wish", "site"))])
    assert told.at_least == 1
    assert told.changes is not None
    assert [each.kind for each in told.changes] == [Kind.ONE_MORE_PLACE, Kind.DROP_WISH]
    assert solve(apply(problem, *told.changes), Aim.MOST_MATCHED).matched == 2
    assert smallest_repair(problem).impossible == (1,)
    assert smallest_repair(problem).changes is None
