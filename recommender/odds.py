"""Shares, chances and log-odds, along the last axis."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def softmax(outputs: Floats) -> Floats:
    """Return shares that add up to 1 along the last axis."""
    shares = np.exp(outputs - outputs.max(axis=-1, keepdims=True))
    found: Floats = shares / shares.sum(axis=-1, keepdims=True)
    return found


def log_softmax(outputs: Floats) -> Floats:
    """Return the logarithms of the shares of `softmax`, without the loss of taking them afterwards."""
    even = outputs - outputs.max(axis=-1, keepdims=True)
    found: Floats = even - np.log(np.exp(even).sum(axis=-1, keepdims=True))
    return found


def log_odds(outputs: Floats) -> Floats:
    """Return the log-odds of each share of `softmax`, same shape."""
    shares = np.clip(softmax(outputs), 1e-9, 1 - 1e-9)
    found: Floats = np.log(shares / (1 - shares))
    return found


def sigmoid(logits: Floats) -> Floats:
    """Return chances of log-odds, same shape."""
    chances: Floats = 1 / (1 + np.exp(-np.clip(logits, -50, 50)))
    return chances
