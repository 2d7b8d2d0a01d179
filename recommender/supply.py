"""What is asked of the digital competences against who can explain it, and how often each junior was shown.

Pure functions over arrays. Numbers that could point at somebody never leave here.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Bools = NDArray[np.bool_]

HIDDEN_BELOW = 5
"""Groups of one to four people are not counted out: in a small organisation everybody knows who that is."""


@dataclass(frozen=True)
class Gap:
    """One competence: how many people asked for it, and how many juniors can explain it. None is "fewer than five"."""

    code: str
    asked: int | None
    can: int | None

    @property
    def gap(self) -> int:
        """How many more ask than can; a hidden number counts as 0."""
        return (self.asked or 0) - (self.can or 0)

    @property
    def hidden(self) -> bool:
        """Whether too few people are on both sides to say anything."""
        return not self.asked and not self.can


def gaps(asked: Bools, can: Bools, codes: Sequence[str]) -> list[Gap]:
    """Return demand and supply of each competence, the largest shortage first.

    Parameters
    ----------
    asked : ndarray of bool, shape (n_askers, n_codes)
        Who asked for what.
    can : ndarray of bool, shape (n_juniors, n_codes)
        Whose profile is about what.
    codes : sequence of str
        Of the columns.

    Examples
    --------
    >>> gaps(np.ones((14, 1), dtype=bool), np.ones((3, 1), dtype=bool), ["3.1"])
    [Gap(code='3.1', asked=14, can=None)]
    """
    counts = zip(asked.sum(axis=0).tolist(), can.sum(axis=0).tolist(), strict=True)
    found = [Gap(code, _counted(a), _counted(c)) for code, (a, c) in zip(codes, counts, strict=True)]
    return sorted(found, key=lambda each: -each.gap)


def askers(requests: Iterable[tuple[str | None, Mapping[str, float]]], codes: Sequence[str]) -> Bools:
    """Return who asked for what, shape ``(n_askers, n_codes)``: somebody who asked twice counts once.

    Parameters
    ----------
    requests : iterable of (str or None, mapping of str to float)
        Who asked, and the competences that were read in the words. None is somebody else each time.
    codes : sequence of str
        Of the columns; a competence of another framework is passed over.
    """
    column = {code: place for place, code in enumerate(codes)}
    rows: dict[object, Bools] = {}
    for number, (senior_id, competences) in enumerate(requests):
        row = rows.setdefault(number if senior_id is None else senior_id, np.zeros(len(codes), dtype=bool))
        row[[column[code] for code in competences if code in column]] = True
    return np.array(list(rows.values()), dtype=bool).reshape(len(rows), len(codes))


def _counted(number: int) -> int | None:
    return None if 0 < number < HIDDEN_BELOW else number
