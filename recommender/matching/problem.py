"""What is to be matched: people, who may be paired with whom, places, and what stays as it is.

Nothing here knows rules, profiles or the store: who may not be paired simply has no edge.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from recommender.errors import InputRefused

Floats = NDArray[np.float64]
Indices = NDArray[np.int32]
Counts = NDArray[np.int64]

LONG_WAIT = 60.0
"""Days of waiting after which somebody's priority no longer grows."""
MOST_WEIGHT = 100.0
"""Largest weight; costs stay exact integers for the solver."""


class Aim(StrEnum):
    """What a whole-group matching is best at."""

    BEST_FIT = "best_fit"
    MOST_MATCHED = "most_matched"
    FAIREST = "fairest"


@dataclass(frozen=True, eq=False)
class Edges:
    """Who may be paired with whom, sorted by senior and then junior.

    Parameters
    ----------
    senior, junior : array_like of shape (n_edges,)
        Places in the ids of a `Problem`.
    quality : array_like of shape (n_edges,)
        How good the pair is, in [0, 1].

    Raises
    ------
    InputRefused
        When the lengths differ, an index is no whole number from 0, or a quality is not in [0, 1].

    Notes
    -----
    An edge that is given more than once counts once, with its highest quality.
    """

    senior: Indices
    junior: Indices
    quality: Floats

    def __post_init__(self) -> None:
        senior, junior = as_indices("senior", self.senior), as_indices("junior", self.junior)
        quality = as_numbers("quality", self.quality, most=1.0)
        if not len(senior) == len(junior) == len(quality):
            raise InputRefused("matching_length", name="quality", given=len(quality), wanted=len(senior))
        key = (senior.astype(np.int64) << 32) | junior
        if (np.diff(key) <= 0).any():
            order = np.lexsort((-quality, key))
            key = key[order]
            first = np.r_[True, np.diff(key) > 0]
            order = order[first]
            senior, junior, quality = senior[order], junior[order], quality[order]
        for name, values in (("senior", senior), ("junior", junior), ("quality", quality)):
            object.__setattr__(self, name, frozen(values))

    def __len__(self) -> int:
        return len(self.senior)

    def with_more(self, senior: ArrayLike, junior: ArrayLike, quality: ArrayLike) -> "Edges":
        """Return these edges and others."""
        return Edges(
            np.r_[self.senior, np.asarray(senior, dtype=np.int32)],
            np.r_[self.junior, np.asarray(junior, dtype=np.int32)],
            np.r_[self.quality, np.asarray(quality, dtype=np.float64)],
        )

    def only(self, wanted: NDArray[np.bool_]) -> "Edges":
        """Return the edges at which `wanted`, shape ``(n_edges,)``, is true."""
        return Edges(self.senior[wanted], self.junior[wanted], self.quality[wanted])


@dataclass(frozen=True, eq=False)
class Problem:
    """One whole-group matching.

    Parameters
    ----------
    seniors, juniors : tuple of str
        Ids, each once.
    edges : Edges
        Pairs that break no hard rule, with their quality.
    capacity : array_like of shape (n_juniors,)
        Free places of each junior, before this matching; locked pairs use them too.
    locked : tuple of (senior, junior)
        Pairs that stay, as places in the ids. A pair need not be on an edge; without one its quality counts as 0.
    waiting : array_like of shape (n_seniors,)
        Days each senior has been waiting; 0 for all when left out.
    waiting_weight : float
        What `LONG_WAIT` days or more of waiting add to the value of a pair, in units of quality.
    balance_weight : float
        What a junior's second place costs, in units of quality; the third costs twice as much, and so on.
    minimum_quality : float
        Edges below it are not used.
    taken : array_like of shape (n_juniors,)
        Places of each junior that were in use before; they count for the balance only.
    lowered : tuple of (senior, quality)
        Seniors for whom another minimum counts.
    room : array_like of shape (n_juniors,)
        How many places more a junior could get at most when one is asked for; as many as needed when left out.

    Raises
    ------
    InputRefused
        When an index names nobody, a number is NaN or out of its range, lengths differ, an id is given twice, or a
        senior is locked twice. Too many locked pairs for a junior are no error here: see `over_locked`.
    """

    seniors: tuple[str, ...]
    juniors: tuple[str, ...]
    edges: Edges
    capacity: Counts
    locked: tuple[tuple[int, int], ...] = ()
    waiting: Floats = field(default_factory=lambda: np.zeros(0))
    waiting_weight: float = 0.0
    balance_weight: float = 0.0
    minimum_quality: float = 0.0
    taken: Counts = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    lowered: tuple[tuple[int, float], ...] = ()
    room: Counts = field(default_factory=lambda: np.zeros(0, dtype=np.int64))

    def __post_init__(self) -> None:
        n, m = len(self.seniors), len(self.juniors)
        for ids in (self.seniors, self.juniors):
            if len(set(ids)) < len(ids):
                raise InputRefused("matching_id_twice", id=next(each for each in ids if ids.count(each) > 1))
        _check_range("senior", self.edges.senior, n)
        _check_range("junior", self.edges.junior, m)
        locked = tuple((int(senior), int(junior)) for senior, junior in self.locked)
        _check_range("senior", as_indices("senior", [senior for senior, _ in locked]), n)
        _check_range("junior", as_indices("junior", [junior for _, junior in locked]), m)
        if len({senior for senior, _ in locked}) < len(locked):
            of = [senior for senior, _ in locked]
            raise InputRefused("matching_locked_twice", id=self.seniors[next(s for s in of if of.count(s) > 1)])
        _check_range("senior", as_indices("senior", [senior for senior, _ in self.lowered]), n)
        for name, value, most in (
            ("minimum_quality", self.minimum_quality, 1.0),
            ("waiting_weight", self.waiting_weight, MOST_WEIGHT),
            ("balance_weight", self.balance_weight, MOST_WEIGHT),
            *(("minimum_quality", quality, 1.0) for _, quality in self.lowered),
        ):
            as_numbers(name, [value], most=most)
        object.__setattr__(self, "locked", tuple(sorted(locked)))
        object.__setattr__(self, "waiting", _of_length("waiting", as_numbers("waiting", self.waiting), n, 0.0))
        object.__setattr__(self, "capacity", _of_length("capacity", as_counts("capacity", self.capacity), m))
        object.__setattr__(self, "taken", _of_length("taken", as_counts("taken", self.taken), m, 0))
        object.__setattr__(self, "room", _of_length("room", as_counts("room", self.room), m, max(n, 1)))

    @cached_property
    def least(self) -> Floats:
        """The lowest quality that may be used for each senior, shape ``(n_seniors,)``."""
        least = np.full(len(self.seniors), float(self.minimum_quality))
        for senior, quality in self.lowered:
            least[senior] = min(least[senior], quality)
        return frozen(least)

    @cached_property
    def usable(self) -> NDArray[np.bool_]:
        """Whether each edge is at least the minimum, shape ``(n_edges,)``."""
        return frozen(self.edges.quality >= self.least[self.edges.senior])

    @cached_property
    def best(self) -> Floats:
        """The best quality each senior has on a usable edge, shape ``(n_seniors,)``; NaN where there is none."""
        best = np.full(len(self.seniors), -np.inf)
        np.maximum.at(best, self.edges.senior[self.usable], self.edges.quality[self.usable])
        return frozen(np.where(np.isfinite(best), best, np.nan))

    @cached_property
    def locked_junior(self) -> Indices:
        """The junior each senior is locked to, shape ``(n_seniors,)``; -1 for nobody."""
        found = np.full(len(self.seniors), -1, dtype=np.int32)
        for senior, junior in self.locked:
            found[senior] = junior
        return frozen(found)

    @cached_property
    def places(self) -> Counts:
        """The places locked pairs leave of each junior, shape ``(n_juniors,)``; below 0 where too many are locked."""
        held = self.locked_junior[self.locked_junior >= 0]
        return frozen(self.capacity - np.bincount(held, minlength=len(self.juniors)))

    def quality_of(self, senior: ArrayLike, junior: ArrayLike) -> Floats:
        """Return the quality of pairs; 0 for a pair that is on no edge."""
        wanted = (np.asarray(senior, dtype=np.int64) << 32) | np.asarray(junior, dtype=np.int64)
        key = (self.edges.senior.astype(np.int64) << 32) | self.edges.junior
        place = np.searchsorted(key, wanted)
        inside = np.minimum(place, max(len(key) - 1, 0))
        if not len(key):
            return np.zeros(len(wanted))
        return np.where(key[inside] == wanted, self.edges.quality[inside], 0.0)


def frozen(values: NDArray[Any]) -> NDArray[Any]:
    """Return an array nobody can write into."""
    held = values.view()
    held.flags.writeable = False
    return held


def as_indices(name: str, values: ArrayLike) -> Indices:
    """Return whole numbers from 0 as places in ids; refuse others."""
    return as_counts(name, values).astype(np.int32)


def as_counts(name: str, values: ArrayLike) -> Counts:
    """Return whole numbers from 0 to the largest of 32 bits; refuse others."""
    given = np.asarray(values)
    if not len(given):
        return np.zeros(0, dtype=np.int64)
    numbers = as_numbers(name, given, most=float(np.iinfo(np.int32).max))
    if (numbers != np.floor(numbers)).any():
        raise InputRefused("matching_number", name=name, value=float(numbers[numbers != np.floor(numbers)][0]))
    return numbers.astype(np.int64)


def as_numbers(name: str, values: ArrayLike, most: float = np.inf) -> Floats:
    """Return finite numbers from 0 to `most`, as one row; refuse others."""
    numbers = np.atleast_1d(np.array(values, dtype=np.float64))
    if numbers.ndim != 1:
        raise InputRefused("matching_length", name=name, given=numbers.size, wanted=len(numbers))
    wrong = ~(np.isfinite(numbers) & (numbers >= 0) & (numbers <= most))
    if wrong.any():
        raise InputRefused("matching_number", name=name, value=float(numbers[wrong][0]))
    return numbers


def _check_range(name: str, values: Indices, count: int) -> None:
    """Refuse a place outside the ids."""
    if len(values) and values.max() >= count:
        raise InputRefused("matching_index", name=name, value=int(values.max()), count=count)


def _of_length(name: str, values: NDArray[Any], count: int, default: float | None = None) -> NDArray[Any]:
    """Return an array of a given length; one that was left out is filled in."""
    if not len(values) and default is not None:
        values = np.full(count, default, dtype=values.dtype)
    if len(values) != count:
        raise InputRefused("matching_length", name=name, given=len(values), wanted=count)
    return frozen(values)
