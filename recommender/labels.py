"""From logged feedback to rows to learn from: who was accepted, how good that was, and what the rank had to do with it.

Seniors and coordinators are two policies and stay apart. `labelled` is about what seniors did with cards; a coordinator
only takes back what didn't fit. `reviewed` is about what coordinators did with choices.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit, log_expit

from recommender.features import FEATURES
from recommender.off_policy import Log
from recommender.snapshot import Snapshot

Floats = NDArray[np.float64]
Strings = NDArray[np.str_]
Bools = NDArray[np.bool_]

FIT_REASONS = frozenset({"topic", "time", "place", "language"})
"""Reasons to reject that say something about how two people fit. The others ("line", "person", "other") are about
somebody's circumstances or a rule that the ranker can't see, and would teach it something wrong."""

FAILED, WENT_WELL = 2, 4
"""Ratings of the senior up to which, and from which on, sessions failed or went well."""

STILL_OPEN = pd.Timedelta(days=1)
"""A slate without an answer that is this much younger than the newest may still get one."""

RARELY = 0.05
"""A rank is taken to be looked at no less than this, relative to the first: below it, weights would be luck."""

CAUTION = 1.0
"""How dear it is to hold that ranks differ: half the squared logarithm times this, against the summed log loss."""


@dataclass(frozen=True)
class Labelled:
    """Cards that were really drawn, one a row, with what came of them; each column has shape ``(n,)``.

    Parameters
    ----------
    features : ndarray of shape (n, n_features)
        As the ranker saw them, in the order of `FEATURES`.
    accepted : ndarray of int
        1 where the senior chose and nothing said afterwards that it didn't fit.
    rank, slate, senior, language : ndarray
        Where and for whom; ``(slate, rank)`` names a row of the snapshot. Who asks without being known is somebody else
        in each slate.
    weight : ndarray
        1: each card counts alike.
    grade : ndarray
        0 shown, 1 accepted, 2 approved, 3 rated well by the senior; above 0 where `accepted` is 1, and only there.
    """

    features: Floats
    accepted: NDArray[np.int64]
    rank: NDArray[np.int64]
    slate: Strings
    senior: Strings
    language: Strings
    weight: Floats
    grade: Floats


@dataclass(frozen=True)
class Reviewed:
    """Choices that a coordinator decided on, one a row: another policy, with what it saw.

    `features` has shape ``(n, n_features)``, the others ``(n,)``; `approved` is 0 or 1 and `reason` a key or "".
    """

    features: Floats
    approved: NDArray[np.int64]
    reason: Strings
    rank: NDArray[np.int64]
    slate: Strings
    senior: Strings
    language: Strings


def labelled(snapshot: Snapshot) -> Labelled:
    """Return the cards that were drawn, with what came of them.

    Parameters
    ----------
    snapshot : Snapshot
        Logged feedback.

    Notes
    -----
    A choice that still waits counts as accepted. A rejection counts against it for a reason of fit only, and so does a
    senior's rating of 1 or 2. What the junior says of the pair doesn't: it is about the senior.

    Slates where the senior did nothing stay in, with grade 0. They say how often nobody is accepted, which chances
    need; about the order they say nothing, and measures of order leave out slates without a positive grade. A slate
    that is less than a day older than the newest is left out while it has no answer.
    """
    rows = snapshot.rows
    kept = rows["shown"].to_numpy(dtype=bool) & _closed(rows)
    rows = rows[kept]
    accepted = _accepted(rows)
    approved = (rows["decision"] == "approved").to_numpy(dtype=bool)
    well = _rating(rows) >= WENT_WELL
    return Labelled(
        features=_features(rows),
        accepted=accepted.astype(np.int64),
        rank=rows["rank"].to_numpy(dtype=np.int64),
        slate=rows["slate"].to_numpy(dtype=str),
        senior=_senior(rows),
        language=rows["language"].to_numpy(dtype=str),
        weight=np.ones(len(rows)),
        grade=np.where(accepted, 1.0 + approved + (approved & well), 0.0),
    )


def reviewed(snapshot: Snapshot) -> Reviewed:
    """Return the choices that were decided on, with the decision."""
    rows = snapshot.rows[(snapshot.rows["decision"] != "").to_numpy(dtype=bool)]
    return Reviewed(
        features=_features(rows),
        approved=(rows["decision"] == "approved").to_numpy(dtype=bool).astype(np.int64),
        reason=rows["decision_reason"].to_numpy(dtype=str),
        rank=rows["rank"].to_numpy(dtype=np.int64),
        slate=rows["slate"].to_numpy(dtype=str),
        senior=_senior(rows),
        language=rows["language"].to_numpy(dtype=str),
    )


def logged_slates(snapshot: Snapshot) -> tuple[Log, NDArray[np.int64]]:
    """Return whole slates, also what was not drawn, as `off_policy` wants them.

    Returns
    -------
    log : Log
        One line a slate.
    place : ndarray of shape (n_slates, n_ranks)
        Row of the snapshot that stands there, -1 after the end of a slate: ``scores_of_rows[place]`` are the scores of
        another policy in the order shown.
    """
    closed = np.flatnonzero(_closed(snapshot.rows))
    rows = snapshot.rows.iloc[closed]
    _, first, line = np.unique(rows["slate"].to_numpy(dtype=str), return_index=True, return_inverse=True)
    rank = rows["rank"].to_numpy(dtype=np.int64)
    shape = (len(first), int(rank.max(initial=0)))
    propensities, place = np.full(shape, np.nan), np.full(shape, -1, dtype=np.int64)
    propensities[line, rank - 1] = rows["propensity"].to_numpy(dtype=np.float64)
    place[line, rank - 1] = closed
    length, drawn = np.zeros(len(first), dtype=np.int64), np.zeros(len(first), dtype=np.int64)
    np.maximum.at(length, line, rank)
    np.maximum.at(drawn, line, np.where(rows["shown"].to_numpy(dtype=bool), rank, 0))
    reward = np.zeros(len(first))
    np.maximum.at(reward, line, _accepted(rows).astype(np.float64))
    return Log(propensities, length, drawn, reward, _senior(rows)[first]), place


def examination(rows: Labelled) -> Floats:
    """Estimate how much less a card at each rank is chosen than the same card at the first.

    Parameters
    ----------
    rows : Labelled
        Cards that were drawn.

    Returns
    -------
    ndarray of shape (max_rank,)
        In [`RARELY`, 1], for the first rank 1. One divided by it is the weight of a choice at that rank in inverse
        propensity weighting (Joachims et al., 2017). A rank without cards is as the one above.

    Notes
    -----
    The chance of a choice is that of the rank being looked at times that of the junior fitting (Craswell et al., 2008),
    the latter a logistic regression on the features. Wang et al. (2018) alternate between the two parts; here both are
    fitted at once, to the same likelihood, with ranks held near 1 where there are few choices. Ranks and juniors can be
    told apart because slates were shuffled a little, and because the same features stand at other ranks elsewhere.

    On a page of three cards this holds little more than habit; below it, it also holds who pressed "show more".
    """
    last = int(rows.rank.max(initial=1))
    if not rows.accepted.any():
        return np.ones(last)
    spread = rows.features.std(axis=0)
    moved = (rows.features - rows.features.mean(axis=0)) / np.where(spread > 0, spread, 1)
    place, width = rows.rank - 1, moved.shape[1]
    chosen = rows.accepted.astype(np.float64)

    def loss(parameters: Floats) -> tuple[float, Floats]:
        coef, intercept, looked = parameters[:width], parameters[width], parameters[width + 1 :]
        fits = moved @ coef + intercept
        log_chance = np.minimum(looked[place] + log_expit(fits), -1e-12)
        chance = np.exp(log_chance)
        value = -rows.weight @ (chosen * log_chance + (1 - chosen) * np.log1p(-chance))
        slope = -rows.weight * (chosen - chance) / (1 - chance)
        of_fit = slope * expit(-fits)
        penalty = CAUTION / 2 * (looked @ looked + coef @ coef)
        of_looks = np.bincount(place, slope, minlength=last) + CAUTION * looked
        return float(value + penalty), np.concatenate([moved.T @ of_fit + CAUTION * coef, [of_fit.sum()], of_looks])

    base = float(np.clip(chosen.mean(), 1e-3, 1 - 1e-3))
    start = np.concatenate([np.zeros(width), [np.log(base / (1 - base))], np.full(last, -0.1)])
    start[width + 1] = 0.0
    free = [(None, None)] * (width + 1)
    bounds = [*free, (0.0, 0.0), *([(float(np.log(RARELY)), 0.0)] * (last - 1))]
    found = np.exp(minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds).x[width + 1 :])
    for empty in np.setdiff1d(np.arange(1, last), place):
        found[empty] = found[empty - 1]
    looked_at: Floats = np.clip(found, RARELY, 1)
    return looked_at


def _closed(rows: pd.DataFrame) -> Bools:
    """Tell which rows are of a slate that has an answer or won't get one."""
    answered = set(rows.loc[rows["action"].isin(["chosen", "refused"]), "slate"])
    old = rows["at"] <= rows["at"].max() - STILL_OPEN
    closed: Bools = (old | rows["slate"].isin(answered)).to_numpy(dtype=bool)
    return closed


def _accepted(rows: pd.DataFrame) -> Bools:
    chosen = (rows["action"] == "chosen").to_numpy(dtype=bool)
    unfit = ((rows["decision"] == "rejected") & rows["decision_reason"].isin(FIT_REASONS)).to_numpy(dtype=bool)
    rating = _rating(rows)
    accepted: Bools = chosen & ~unfit & ~((rating > 0) & (rating <= FAILED))
    return accepted


def _rating(rows: pd.DataFrame) -> NDArray[np.int64]:
    """Return the senior's rating, 0 where there is none."""
    return rows["senior_rating"].fillna(0).to_numpy(dtype=np.int64)


def _features(rows: pd.DataFrame) -> Floats:
    return rows[[f"f_{name}" for name in FEATURES]].to_numpy(dtype=np.float64)


def _senior(rows: pd.DataFrame) -> Strings:
    unknown = (rows["senior"] == "").to_numpy(dtype=bool)
    return np.where(unknown, rows["slate"].to_numpy(dtype=str), rows["senior"].to_numpy(dtype=str))
