"""Quality of rankings: pure functions over arrays."""

import numpy as np
from numpy.typing import NDArray


def ndcg_at_k(gains: NDArray[np.float64], k: int = 10) -> float:
    """Return the normalised discounted cumulative gain of one ranking.

    Parameters
    ----------
    gains : ndarray of shape (n_judged,)
        Grade of every candidate, in ranked order, best rank first. Judged candidates the ranking left out go at the
        end: dropping them inflates the result.
    k : int
        Number of top ranks that count, at least 1.

    Returns
    -------
    float
        In [0, 1]; 1 is the ideal order. ``nan`` if no grade is positive: such a request says nothing about the
        ranking, and callers report how many they left out.

    Raises
    ------
    ValueError
        If `gains` is not 1-D, is not finite, has a negative grade, or if `k` < 1.

    Notes
    -----
    Linear gain after Järvelin & Kekäläinen (2002): grades are ordinal, and 3 is not seven times 1.

    Examples
    --------
    >>> round(ndcg_at_k(np.array([0.0, 3.0, 1.0]), k=3), 3)
    0.659
    """
    if gains.ndim != 1 or not np.isfinite(gains).all() or (gains < 0).any():
        raise ValueError(f"gains must be 1-D, finite and non-negative, got {gains!r}")
    if k < 1:
        raise ValueError(f"k must be at least 1, got {k}")
    ideal = np.sort(gains)[::-1][:k]
    if not ideal.any():
        return float("nan")
    discounts = 1.0 / np.log2(np.arange(2, ideal.size + 2))
    return float(gains[:k] @ discounts / (ideal @ discounts))


def interval(values: NDArray[np.float64], seed: int = 0, draws: int = 1000) -> tuple[float, float]:
    """Return the 95% bootstrap interval of the mean of `values`, which has shape ``(n_requests,)``."""
    rng = np.random.default_rng(seed)
    means = values[rng.integers(0, len(values), (draws, len(values)))].mean(axis=1)
    low, high = np.percentile(means, [2.5, 97.5])
    return float(low), float(high)
