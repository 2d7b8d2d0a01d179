"""All juniors as columns, so that rules and features are one array expression each, whatever their number."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recommender.domain import DAYS, Junior, Remote

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Population:
    """Juniors in a fixed order; each column has shape ``(n_juniors,)``. Unknown numbers are NaN."""

    juniors: tuple[Junior, ...]
    position: dict[str, int]
    rank: Floats
    level: Floats
    wish_to_teach: Floats
    capacity: Floats
    active: Bools
    consent: Bools
    online: Bools
    on_site: Bools
    languages: dict[str, Bools]
    sites: dict[str, Bools]
    departments: dict[str, Bools]
    days: Bools
    """Shape ``(n_juniors, 5)`` in the order of `DAYS`; a row without any day is "not said"."""
    emails: dict[str, list[int]]
    """Place of each junior with an address, by address in small letters."""
    competences: Floats
    """Chance that a profile is about each competence, shape ``(n_juniors, n_competences)``; no columns: not read."""
    wishes: NDArray[np.float32]
    """Unit vectors of what each junior would like in return, shape ``(n_juniors, dim)``; zeros where none is said."""
    styles: Floats
    """How a profile tells of patience, of doing it together and of depth, as standardised log-odds, shape
    ``(n_juniors, 3)``; no columns: not read."""

    @classmethod
    def of(
        cls,
        juniors: Sequence[Junior],
        competences: Floats | None = None,
        wishes: NDArray[np.float32] | None = None,
        styles: Floats | None = None,
    ) -> "Population":
        """Lay out `juniors` as columns, with what was read in their texts."""
        return cls(
            juniors=tuple(juniors),
            position={junior.id: place for place, junior in enumerate(juniors)},
            rank=_numbers([junior.rank for junior in juniors]),
            level=_numbers([junior.level for junior in juniors]),
            wish_to_teach=_numbers([junior.wish_to_teach for junior in juniors]),
            capacity=_numbers([junior.capacity for junior in juniors]),
            active=np.array([junior.active for junior in juniors], dtype=bool),
            consent=np.array([junior.consent for junior in juniors], dtype=bool),
            online=np.array([junior.remote is not Remote.ON_SITE for junior in juniors], dtype=bool),
            on_site=np.array([junior.remote is not Remote.ONLINE for junior in juniors], dtype=bool),
            languages=_columns([junior.languages for junior in juniors]),
            sites=_columns([(junior.site,) if junior.site else () for junior in juniors]),
            departments=_columns([(junior.department,) if junior.department else () for junior in juniors]),
            days=np.array([[day in junior.days for day in DAYS] for junior in juniors], dtype=bool).reshape(
                -1, len(DAYS)
            ),
            emails=_by_email(juniors),
            competences=np.zeros((len(juniors), 0)) if competences is None else competences,
            wishes=np.zeros((len(juniors), 0), dtype=np.float32) if wishes is None else wishes,
            styles=np.zeros((len(juniors), 0)) if styles is None else styles,
        )

    def __len__(self) -> int:
        return len(self.juniors)

    def mask(self, junior_ids: set[str]) -> Bools:
        """Return where the juniors with these ids are; ids of others are passed over."""
        found = np.zeros(len(self), dtype=bool)
        found[[self.position[each] for each in junior_ids if each in self.position]] = True
        return found

    def taken(self, load: dict[str, int]) -> Floats:
        """Return the number of places taken of each junior."""
        counts = np.zeros(len(self))
        for junior_id, number in load.items():
            if junior_id in self.position:
                counts[self.position[junior_id]] = number
        return counts


def _numbers(values: Sequence[int | None]) -> Floats:
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)


def _columns(values: Sequence[Sequence[str]]) -> dict[str, Bools]:
    """Return for each value that occurs which juniors have it."""
    columns: dict[str, Bools] = {}
    for place, owned in enumerate(values):
        for value in owned:
            columns.setdefault(value, np.zeros(len(values), dtype=bool))[place] = True
    return columns


def _by_email(juniors: Sequence[Junior]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for place, junior in enumerate(juniors):
        if junior.email:
            found.setdefault(junior.email.casefold(), []).append(place)
    return found
