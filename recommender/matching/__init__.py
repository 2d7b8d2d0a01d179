"""Whole-group matching: exact, with places, aims, and an answer to "why not"."""

from recommender.matching.changes import (
    Change,
    Forcing,
    Kind,
    OverLocked,
    Relaxed,
    apply,
    cost_of_forcing,
    over_locked,
)
from recommender.matching.left_over import LeftOver, Reason, left_over
from recommender.matching.problem import Aim, Edges, Problem
from recommender.matching.repair import Repair, smallest_repair
from recommender.matching.scenarios import Difference, Scenario, differences, in_numbers, side_by_side
from recommender.matching.solver import Solution, solve

__all__ = [
    "Aim",
    "Change",
    "Difference",
    "Edges",
    "Forcing",
    "Kind",
    "LeftOver",
    "OverLocked",
    "Problem",
    "Reason",
    "Relaxed",
    "Repair",
    "Scenario",
    "Solution",
    "apply",
    "cost_of_forcing",
    "differences",
    "in_numbers",
    "left_over",
    "over_locked",
    "side_by_side",
    "smallest_repair",
    "solve",
]
