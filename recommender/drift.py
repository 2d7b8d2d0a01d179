"""Have the questions, the juniors or the answers changed since? Two sets of logged rows, laid beside each other."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from recommender.features import FEATURES

Floats = NDArray[np.float64]

ENOUGH_ROWS, ENOUGH_SLATES = 100, 20
"""Rows on each side from which on a distribution, and slates from which on a share, says something."""

BINS = 10
LEAST = 1e-3
"""Share of a bin that holds nothing: its logarithm has to exist."""

NOTICEABLE, LARGE = 0.1, 0.25
"""PSI from which on a feature has moved a little, and much: the customary marks."""


@dataclass(frozen=True)
class Drift:
    """What changed from one set of rows to another. With too little on a side, `enough` is False and `psi` empty.

    `psi` is the population stability index of each feature; `languages` and `doubtful` are shares of slates, before
    and after.
    """

    enough: bool
    slates: tuple[int, int]
    psi: dict[str, float]
    languages: dict[str, tuple[float, float]]
    doubtful: tuple[float, float]

    @property
    def moved(self) -> tuple[str, ...]:
        """Return the features that moved much, most first."""
        return tuple(name for name in sorted(self.psi, key=lambda each: -self.psi[each]) if self.psi[name] >= LARGE)


@dataclass(frozen=True)
class Week:
    """One week of slates: how many, the share with a junior approved, and whether that says something."""

    begins: str
    slates: int
    approved: float
    doubtful: float
    enough: bool


def between(before: pd.DataFrame, after: pd.DataFrame) -> Drift:
    """Lay two sets of snapshot rows beside each other."""
    slates = _slates(before), _slates(after)
    languages = [_mix(each["language"]) for each in slates]
    enough = min(len(before), len(after)) >= ENOUGH_ROWS and min(map(len, slates)) >= ENOUGH_SLATES
    return Drift(
        enough=enough,
        slates=(len(slates[0]), len(slates[1])),
        psi={name: psi(_values(before, name), _values(after, name)) for name in FEATURES} if enough else {},
        languages={
            name: (languages[0].get(name, 0.0), languages[1].get(name, 0.0))
            for name in sorted({*languages[0], *languages[1]})
        },
        doubtful=(_share(slates[0]["doubtful"]), _share(slates[1]["doubtful"])),
    )


def halves(rows: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the earlier and the later half of the slates."""
    middle = _slates(rows)["at"].median()
    return rows[rows["at"] <= middle], rows[rows["at"] > middle]


def weekly(rows: pd.DataFrame) -> list[Week]:
    """Return how each week went, oldest first."""
    approved = rows.loc[rows["decision"] == "approved", "slate"].unique()
    slates = _slates(rows).assign(approved=lambda each: each["slate"].isin(approved))
    monday = (slates["at"] - pd.to_timedelta(slates["at"].dt.day_of_week, unit="D")).dt.strftime("%Y-%m-%d")
    return [
        Week(str(begins), len(week), _share(week["approved"]), _share(week["doubtful"]), len(week) >= ENOUGH_SLATES)
        for begins, week in slates.groupby(monday)
    ]


def psi(before: Floats, after: Floats) -> float:
    """Return the population stability index: 0 for the same distribution, more the further apart they are.

    Notes
    -----
    Bins hold a tenth of `before` each. Values that many rows share, as "not known" is, fill a bin of their own.

    Examples
    --------
    >>> same = np.arange(100.0)
    >>> psi(same, same), psi(same, same + 50) > LARGE
    (0.0, True)
    """
    edges = np.unique(np.quantile(before, np.linspace(0, 1, BINS + 1)[1:-1]))
    shares = []
    for values in (before, after):
        # Left and right of an edge and on it are different places, so that a common value does not hide in a bin.
        place = np.searchsorted(edges, values, side="left") + np.searchsorted(edges, values, side="right")
        counts = np.bincount(place, minlength=2 * len(edges) + 1)
        shares.append(np.maximum(counts / len(values), LEAST))
    return float(np.sum((shares[1] - shares[0]) * np.log(shares[1] / shares[0])))


def _slates(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.drop_duplicates("slate")


def _values(rows: pd.DataFrame, name: str) -> Floats:
    return rows[f"f_{name}"].to_numpy(dtype=np.float64)


def _mix(column: "pd.Series[str]") -> dict[str, float]:
    return {str(name): float(share) for name, share in column.value_counts(normalize=True).items()}


def _share(column: "pd.Series[bool]") -> float:
    return float(column.mean()) if len(column) else 0.0
