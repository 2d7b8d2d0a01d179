"""What curves say: the shape of each feature, and how first places are spread. Points in, rows and words out."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from app.model_views import Point, Rows
from app.views import feature, number
from recommender.features import FEATURES, TEXT_FEATURES
from recommender.wording import Language, say

FLAT = 0.005
"""What a feature adds from low to high, below which it counts for nothing."""

TENTHS = 10
SHAPE_ROWS = 7


def shape(curves: Mapping[str, Any], name: str) -> list[Point]:
    """Return the curve of one feature."""
    return [Point(x, y) for x, y in zip(curves[name]["x"], curves[name]["y"], strict=True)]


def shape_rows(points: Sequence[Point], language: Language) -> Rows:
    """Return some points of a curve, evenly spread and with both ends."""
    last = len(points) - 1
    picked = [points[round(each * last / (SHAPE_ROWS - 1))] for each in range(SHAPE_ROWS)]
    return {number(each.x, language): [number(each.y, language, sign=True)] for each in picked}


def spans(curves: Mapping[str, Any], language: Language) -> list[tuple[str, float]]:
    """Return what each feature can add, from low to high, in the order of the model."""
    return [(feature(name, language), _span(curves, name)) for name in FEATURES]


def shape_told(curves: Mapping[str, Any], name: str, language: Language) -> str:
    """Say what a feature adds, and whether its curve is a straight line."""
    added = _span(curves, name)
    if abs(added) < FLAT:
        return say("learn.told_flat", language)
    rises = [after.y - before.y for before, after in pairwise(shape(curves, name))]
    straight = max(rises) - min(rises) < 1e-3 * abs(added)
    key = "learn.told_line" if straight else "learn.told_steps"
    return say(key, language, added=number(added, language, sign=True))


def _span(curves: Mapping[str, Any], name: str) -> float:
    low, high = (-1.0, 1.0) if name in TEXT_FEATURES else (0.0, 1.0)
    points = shape(curves, name)
    ends = [min(points, key=lambda each: abs(each.x - at)).y for at in (low, high)]
    return ends[1] - ends[0]


# Who stands first


def tenths(lorenz: Sequence[Sequence[float]]) -> list[float]:
    """Return the share of first places of each tenth of the juniors, the busiest first.

    Examples
    --------
    >>> [round(each, 2) for each in tenths([(0, 0), (0.5, 0.2), (1, 1)])][:2]
    [0.16, 0.16]
    """
    at = [each / TENTHS for each in range(TENTHS + 1)]
    sums = [_between(lorenz, each) for each in at]
    return [after - before for before, after in pairwise(sums)][::-1]


def _between(points: Sequence[Sequence[float]], x: float) -> float:
    for (left, low), (right, high) in pairwise(points):
        if x <= right:
            return low + (high - low) * (x - left) / max(right - left, 1e-12)
    return float(points[-1][1])
