"""Counts that may be told: none of them, and nothing that can be computed from them, is about one to four people.

Each number is audited before it is given. It is given only when, together with all numbers given before it, no count
of a small group follows: not of a cell, not of the difference between two cells, two periods or a step and the next,
and not of what is left when groups are taken from everybody. So the smallest cell beside a hidden one is hidden too.

Sums are audited as a space of vectors (Chin and Özsoyoğlu, Auditing and inference control in statistical databases,
IEEE TSE 8(6), 1982). A reader who knows this order of giving could still narrow a hidden number down to a few values.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from recommender.supply import HIDDEN_BELOW

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]

EVERYBODY = ""
"""The group of all groups. People of whom no group is known count here only."""

KNOWN = 1e-7
"""Squared length of what is left of a vector, below which it follows from what was given."""


@dataclass(frozen=True)
class Tally:
    """One thing to count: whose it is, in which group, in which period it still falls, and of which kind.

    `band` is the place of the shortest period that holds it; each longer period, at a lower place, holds it too.
    """

    who: str
    group: str
    band: int
    kind: int


Place = tuple[int, str, int]
"""A period, a group and a cell."""


def safe_counts(
    tallies: Sequence[Tally],
    cells: Sequence[frozenset[int]],
    splits: Sequence[tuple[int, Sequence[int]]] = (),
    periods: int = 1,
    groups: Sequence[str] = (),
) -> dict[Place, int | None]:
    """Return each count by period, group and cell; None is a number that can't be given.

    Parameters
    ----------
    tallies : sequence of Tally
        What is counted.
    cells : sequence of frozenset of int
        Kinds of each cell, the most important cell first. Cells may hold each other, as steps of a funnel do.
    splits : sequence of (int, sequence of int)
        A cell, and the cells that it is cut into without anything left over.
    periods : int
        How many there are, the longest at place 0.
    groups : sequence of str
        To be told apart beside everybody; none shares anybody with another.

    Examples
    --------
    >>> people = [Tally(str(each), "a" if each < 9 else "b", 0, 0) for each in range(12)]
    >>> safe_counts(people, [frozenset({0})], groups=["a", "b"])
    {(0, '', 0): 12, (0, 'a', 0): None, (0, 'b', 0): None}
    """
    if not tallies:
        return {(p, group, c): 0 for p in range(periods) for group in (EVERYBODY, *groups) for c in range(len(cells))}
    audit = _Audit(tallies, cells, splits, periods, groups)
    sequence = [_largest_first(audit.counts[period, :, 0], splits) for period in range(periods)]
    order = [(period, EVERYBODY, cell) for period in range(periods) for cell in sequence[period]]
    for period in range(periods):
        for cell in sequence[period]:
            sizes = audit.counts[period, cell, 1:]
            order += [(period, groups[place], cell) for place in np.argsort(-sizes, kind="stable")]
    return {place: audit.give(*place) for place in order}


class _Audit:
    """What was given so far, and what follows from it.

    Every sum that must not point at a small group is a row of `_sums`, of shape (periods or parts of them, cells or
    parts of them, groups with everybody first, kinds of thing counted), flattened to two dimensions.
    """

    def __init__(
        self,
        tallies: Sequence[Tally],
        cells: Sequence[frozenset[int]],
        splits: Sequence[tuple[int, Sequence[int]]],
        periods: int,
        groups: Sequence[str],
    ) -> None:
        self._groups = {EVERYBODY: 0} | {group: place + 1 for place, group in enumerate(groups)}
        atoms = sorted({(each.group, each.band, each.kind) for each in tallies})
        spans = list(combinations(range(periods + 1), 2))
        self._spans = {span: place for place, span in enumerate(spans)}
        parts = _parts(cells, splits)
        self._cells = [parts.index(cell) for cell in cells]
        self._periods = periods
        in_span = np.array([[first <= band < last for _, band, _ in atoms] for first, last in spans])
        in_part = np.array([[kind in part for _, _, kind in atoms] for part in parts])
        in_group = np.array([[name in (EVERYBODY, group) for group, _, _ in atoms] for name in self._groups])
        self._shape = shape = (len(spans), len(parts), len(self._groups))
        sums = in_span[:, None, None] & in_part[None, :, None] & in_group[None, None, :]
        # Many sums are the same people, and are looked at once.
        flat = np.packbits(sums.reshape(-1, len(atoms)), axis=1)
        _, first, row = np.unique(flat, axis=0, return_index=True, return_inverse=True)
        self._row = row.ravel()
        self._sums = sums.reshape(-1, len(atoms))[first].astype(np.float64)
        sizes, people = _counted(tallies, atoms, self._sums)
        self._sizes, self._numbers = sizes, sizes[self._row].reshape(shape)
        self._weighed = self._sums * _atom_sizes(tallies, atoms)
        self._some, self._small = people > 0, (people > 0) & (people < HIDDEN_BELOW)
        self._left = (self._sums**2).sum(axis=1)
        self._given = np.zeros((0, len(atoms)))
        self._splits = [(self._cells[whole], [self._cells[each] for each in pieces]) for whole, pieces in splits]
        whole = [self._spans[period, periods] for period in range(periods)]
        self.counts: Ints = self._numbers[whole][:, self._cells]

    def give(self, period: int, group: str, cell: int) -> int | None:
        """Return a count, or None when it would tell of a small group."""
        place = (self._spans[period, self._periods], self._cells[cell], self._groups[group])
        number = int(self._numbers[place])
        if number == 0:
            return 0
        row = int(self._row[np.ravel_multi_index(place, self._shape)])
        if self._small[row]:
            return None
        if self._left[row] < KNOWN:
            return number
        vector = self._sums[row]
        for _ in range(2):  # twice, or rounding leaves something of what was given
            vector = vector - self._given.T @ (self._given @ vector)
        vector /= np.linalg.norm(vector)
        left = self._left - (self._sums @ vector) ** 2
        known = (left < KNOWN) & self._some
        if self._tells(known) or self._differs_little(known):
            return None
        self._left, self._given = left, np.vstack([self._given, vector])
        return number

    def _differs_little(self, known: Bools) -> bool:
        """Tell whether a sum that becomes known holds another, or lies within it, with a small group between them."""
        new = np.flatnonzero(known & (self._left >= KNOWN))
        every = np.flatnonzero(known)
        shared = self._weighed[every] @ self._sums[new].T
        sizes, own = self._sizes[every][:, None], self._sizes[new][None, :]
        apart = np.abs(sizes - own)
        within = np.rint(shared) == np.minimum(sizes, own)
        return bool((within & (apart > 0) & (apart < HIDDEN_BELOW)).any())

    def _tells(self, known: Bools) -> bool:
        """Tell whether what is known, or what is left when it is taken from its whole, is about a small group."""
        if (known & self._small).any():
            return True
        table, numbers = known[self._row].reshape(self._shape), self._numbers
        if _rest_tells(table[..., 0], table[..., 1:], numbers[..., 0], numbers[..., 1:]):
            return True
        return any(
            _rest_tells(
                table[:, whole],
                np.moveaxis(table[:, pieces], 1, -1),
                numbers[:, whole],
                np.moveaxis(numbers[:, pieces], 1, -1),
            )
            for whole, pieces in self._splits
        )


def _rest_tells(whole: Bools, pieces: Bools, total: Ints, numbers: Ints) -> bool:
    """Tell whether the unknown pieces of a known whole are together a small group, or must be one each."""
    rest = total - (numbers * pieces).sum(axis=-1)
    hidden = ((numbers > 0) & ~pieces).sum(axis=-1)
    return bool((whole & (rest > 0) & ((rest < HIDDEN_BELOW) | (rest <= hidden))).any())


def _parts(cells: Sequence[frozenset[int]], splits: Sequence[tuple[int, Sequence[int]]]) -> list[frozenset[int]]:
    """Return the cells, and what is left of one when another within it is taken away.

    What is left of a cell beside its pieces is looked at as a rest.
    """
    cut = {cell for whole, pieces in splits for cell in (whole, *pieces)}
    chained = [cell for place, cell in enumerate(cells) if place not in cut]
    return list(dict.fromkeys([*cells, *(one - other for one in chained for other in chained if other < one)]))


def _largest_first(counts: Ints, splits: Sequence[tuple[int, Sequence[int]]]) -> list[int]:
    """Return the cells in the order of giving: as they are, but the pieces of a cell by size, so the smallest goes."""
    order = list(range(len(counts)))
    for _, pieces in splits:
        places = sorted(order.index(each) for each in pieces)
        for place, cell in zip(places, sorted(pieces, key=lambda each: -counts[each]), strict=True):
            order[place] = cell
    return order


def _atom_sizes(tallies: Sequence[Tally], atoms: Sequence[tuple[str, int, int]]) -> Floats:
    sizes = Counter((each.group, each.band, each.kind) for each in tallies)
    return np.array([sizes[atom] for atom in atoms], dtype=np.float64)


def _counted(tallies: Sequence[Tally], atoms: Sequence[tuple[str, int, int]], sums: Floats) -> tuple[Ints, Ints]:
    """Return for each sum how many things are in it, and of how many people."""
    column = {atom: place for place, atom in enumerate(atoms)}
    rows = {who: place for place, who in enumerate(dict.fromkeys(each.who for each in tallies))}
    whose = np.zeros((len(rows), len(atoms)), dtype=np.float32)
    for each in tallies:
        whose[rows[each.who], column[each.group, each.band, each.kind]] += 1
    numbers = np.rint(sums @ whose.sum(axis=0, dtype=np.float64)).astype(np.int64)
    people = (sums.astype(np.float32) @ (whose > 0).T.astype(np.float32) > 0).sum(axis=1).astype(np.int64)
    return numbers, people
