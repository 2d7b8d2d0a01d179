"""What another order would have brought, from slates that were shuffled a little and kept how likely each place was.

The value of a policy is the chance that a request ends in an accepted junior. It holds for orders of the same juniors:
who is on a slate stays as it was. The coordinator's decision is part of the reward, not of the policy: once somebody is
chosen, what a coordinator decides does not depend on the order.
"""

from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from recommender.slate_order import chances_of_those_left

Floats = NDArray[np.float64]

CLIP = 20.0
"""Largest weight of one slate: a little bias for far less variance (Ionides, 2008)."""

ENOUGH = 50.0
"""Effective number of slates below which nothing is concluded."""

DRAWS = 1000
OVERLAP = 0.9
"""Least mean weight after clipping. What is missing to 1 was cut away, and a reward is wrong by up to that much."""

CONTROL = 4.0
"""Standard errors that the mean weight may be off 1; beyond that the stored chances can't be those of the log."""


@dataclass(frozen=True)
class Log:
    """Slates as they were shown, one a line, in the order shown; lines are as long as the longest slate.

    Parameters
    ----------
    propensities : ndarray of shape (n_slates, n_ranks)
        Chance of each junior at its rank given those above; NaN after the end of a slate, and where it isn't known.
    length : ndarray of int, shape (n_slates,)
        Number of juniors on each slate.
    drawn : ndarray of int, shape (n_slates,)
        Last rank whose card was drawn; 0 where none was.
    reward : ndarray of shape (n_slates,)
        1 where the request ended in an accepted junior, else 0.
    senior : ndarray of shape (n_slates,)
        Who asked. Slates of one senior are no independent witnesses.
    """

    propensities: Floats
    length: NDArray[np.int64]
    drawn: NDArray[np.int64]
    reward: Floats
    senior: NDArray[np.str_]


@dataclass(frozen=True)
class Estimate:
    """A value with its 95% interval.

    `n` slates were used; `left_out` were not shuffled, so they say nothing about other orders. `reason` is empty, or a
    key of the catalogue under ``policy`` that tells why nothing may be concluded.
    """

    value: float
    low: float
    high: float
    effective_sample: float
    n: int
    conclusive: bool
    left_out: int = 0
    reason: str = ""


def ips(log: Log, scores: Floats, temperature: float, clip: float = CLIP, seed: int = 0) -> Estimate:
    """Estimate the value of ordering by other scores: the mean of reward times weight.

    Parameters
    ----------
    log : Log
        What was shown and what came of it.
    scores : ndarray of shape (n_slates, n_ranks)
        Of the policy asked about, for the juniors as they were shown. After the end of a slate nothing is read.
    temperature : float
        Of that policy; 0 for always by score.
    clip : float
        Largest weight of one slate.
    seed : int
        Of the bootstrap.

    Notes
    -----
    The weight of a slate is how much likelier the other policy was to put those juniors there, down to the last card
    that was drawn: what stood below can't have mattered, and the cards of one page are seen together. Counting each
    reward down to its own rank only would be RIPS (McInerney et al., 2020), which supposes that seniors look at one
    card after the other. Unbiased but for the clipping.
    """
    asked = _Asked(log, scores, temperature, clip)
    return asked.estimate(asked.log.reward * asked.weights, np.ones(len(asked.weights)), seed)


def snips(log: Log, scores: Floats, temperature: float, clip: float = CLIP, seed: int = 0) -> Estimate:
    """Estimate as `ips` does, divided by the mean weight: a little bias for less variance, and never above 1.

    Notes
    -----
    Swaminathan & Joachims (2015).
    """
    asked = _Asked(log, scores, temperature, clip)
    return asked.estimate(asked.log.reward * asked.weights, asked.weights, seed)


def doubly_robust(
    log: Log,
    scores: Floats,
    temperature: float,
    chances: Floats,
    looked_at: Floats,
    clip: float = CLIP,
    seed: int = 0,
) -> Estimate:
    """Estimate as `ips` does, with a model of the reward that takes out what it foretells.

    Parameters
    ----------
    log, scores, temperature, clip, seed
        As in `ips`.
    chances : ndarray of shape (n_slates, n_ranks)
        What a model takes for the chance that each junior shown would be accepted at the first rank. It may not depend
        on where anybody stood.
    looked_at : ndarray of shape (n,)
        Relative chance that each rank is looked at, first rank first (`labels.examination`); the last holds below it.

    Notes
    -----
    For each rank that was drawn: what the model expects of the other policy before that place is filled, minus the
    weighted expectation once the junior of the log stands there (Jiang & Li, 2016; for slates Kiyohara et al., 2022).
    These differences are zero in the mean whatever the model says, so a poor model costs precision, not truth. Below
    the rank the other policy's likeliest order is supposed: near enough, and no sum over all orders.
    """
    asked = _Asked(log, scores, temperature, clip)
    value = asked.log.reward * asked.weights + asked.control(chances[asked.lines], looked_at)
    return asked.estimate(value, np.ones(len(value)), seed)


def logged_value(log: Log, seed: int = 0) -> Estimate:
    """Return what the logged policy itself brought, on the slates that the others use: to compare with."""
    asked = _Asked(log, np.zeros(log.propensities.shape), 1.0, CLIP)
    asked.weights = np.ones(len(asked.weights))
    return asked.estimate(asked.log.reward, np.ones(len(asked.weights)), seed, check=False)


class _Asked:
    """A log, reduced to the slates that say something, and what another policy would have done on them."""

    def __init__(self, log: Log, scores: Floats, temperature: float, clip: float) -> None:
        ranks = np.arange(log.propensities.shape[1])
        inside = ranks < log.length[:, None]
        held = np.where(inside, log.propensities, 1.0)
        known = ((held > 0) & (held <= 1)).all(axis=1)
        shuffled = (held < 1).any(axis=1) | (log.length < 2)
        self.left_out = int((known & ~shuffled).sum())
        self.refusal = "" if known.all() else "no_propensity"
        if not self.refusal and not shuffled.any():
            self.refusal = "no_exploration"
        self.lines = np.flatnonzero(shuffled) if known.all() else np.zeros(0, dtype=np.int64)
        self.log = replace(log, **{each.name: getattr(log, each.name)[self.lines] for each in fields(log)})
        self.scores = np.where(inside, scores, np.nan)[self.lines]
        self.left = chances_of_those_left(self.scores, temperature)
        ratios = np.diagonal(self.left, axis1=1, axis2=2) / held[self.lines]
        self.drawn = ranks < self.log.drawn[:, None]
        plain = np.cumprod(np.where(self.drawn, ratios, 1.0), axis=1)
        self.steps = np.minimum(np.hstack([np.ones((len(plain), 1)), plain]), clip)
        """Weights down to each rank, with that of nobody placed yet in front."""
        self.weights: Floats = self.steps[:, -1]
        self._unclipped: Floats = np.prod(np.where(self.drawn, ratios, 1.0), axis=1)

    def control(self, chances: Floats, looked_at: Floats) -> Floats:
        """Return, for each slate, what is zero in the mean and falls where the reward rises."""
        ranks = self.scores.shape[1]
        looked = np.append(looked_at, np.full(ranks, looked_at[-1]))
        likely = np.where(np.isnan(self.scores), 0.0, chances)
        total, above = np.zeros(len(likely)), np.zeros(len(likely))
        for rank in range(ranks):
            best = rank + np.argsort(-np.nan_to_num(self.scores[:, rank:], nan=-np.inf), axis=1, kind="stable")
            sorted_likely = np.take_along_axis(likely, best, axis=1)
            # One of those left is put here; those who scored better keep their turn, the others move up by one.
            own = looked[rank:ranks]
            before = np.cumsum(sorted_likely * looked[rank + 1 : ranks + 1], axis=1)
            after = np.cumsum(sorted_likely * own, axis=1)
            rest = before - sorted_likely * looked[rank + 1 : ranks + 1] + after[:, -1:] - after
            expected = above[:, None] + looked[rank] * sorted_likely + rest
            ahead = (np.take_along_axis(self.left[:, rank], best, axis=1) * expected).sum(axis=1)
            put = expected[np.arange(len(best)), (best == rank).argmax(axis=1)]
            step = self.steps[:, rank] * ahead - self.steps[:, rank + 1] * put
            total += np.where(self.drawn[:, rank], step, 0.0)
            above += looked[rank] * likely[:, rank]
        return total

    def estimate(self, gained: Floats, counted: Floats, seed: int, *, check: bool = True) -> Estimate:
        """Return the sum of `gained` over that of `counted`, and whether it may be believed."""
        number, whole = len(gained), float(self.weights.sum())
        if not number or not whole > 0:
            nothing = float("nan")
            return Estimate(nothing, nothing, nothing, 0.0, number, False, self.left_out, self.refusal or "few_slates")
        effective = whole**2 / float(self.weights @ self.weights)
        low, high = _interval(gained, counted, self.log.senior, seed)
        reason = ""
        if effective < ENOUGH:
            reason = "few_slates"
        elif not self.log.reward.any():
            reason = "none_accepted"
        elif check and self._off():
            reason = "propensities_off"
        elif whole / number < OVERLAP:
            reason = "little_overlap"
        value = float(gained.sum() / counted.sum())
        return Estimate(value, low, high, effective, number, not reason, self.left_out, reason)

    def _off(self) -> bool:
        """Tell whether the weights are far from 1 in the mean, which true propensities forbid."""
        error = float(self._unclipped.std()) / len(self._unclipped) ** 0.5
        return bool(abs(float(self._unclipped.mean()) - 1) > CONTROL * error + 1e-9)


def _interval(gained: Floats, counted: Floats, senior: NDArray[np.str_], seed: int) -> tuple[float, float]:
    """Return the 95% interval of a ratio of sums, by a bootstrap that draws seniors with all their slates."""
    people, place = np.unique(senior, return_inverse=True)
    sums = np.column_stack([np.bincount(place, gained), np.bincount(place, counted)])
    drawn = np.random.default_rng(seed).multinomial(len(people), np.full(len(people), 1 / len(people)), size=DRAWS)
    above, below = (drawn @ sums).T
    low, high = np.percentile(above[below > 0] / below[below > 0], [2.5, 97.5])
    return float(low), float(high)
