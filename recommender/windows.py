"""Long texts, read whole: an encoder takes in a page at most, and forgets what comes after it."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from recommender.encoder import Encoder
from recommender.weights import Progress

WINDOW = 1500
"""Characters: some 400 tokens of Dutch or English, below the 512 that the default encoder takes in."""

Floats = NDArray[np.float32]


class WindowedEncoder:
    """An encoder for texts of any length: the vector of a long text is the mean of its windows.

    Parameters
    ----------
    inner : Encoder
        Gives the vector of a window.
    """

    def __init__(self, inner: Encoder) -> None:
        self._inner = inner

    @property
    def id(self) -> str:
        """Id of the inner encoder, and the size of a window."""
        return f"{self._inner.id}+windows{WINDOW}"

    @property
    def dim(self) -> int:
        """Length of a vector."""
        return self._inner.dim

    @property
    def genuine(self) -> bool:
        """Whether meaning is compared, not just characters."""
        return self._inner.genuine

    def encode(self, texts: Sequence[str], progress: Progress | None = None) -> Floats:
        """See `Encoder.encode`."""
        cut = [windows(text) for text in texts]
        vectors = self._inner.encode([window for each in cut for window in each], progress)
        if len(vectors) == len(texts):
            return vectors
        lengths = np.array([max(len(window), 1) for each in cut for window in each], dtype=np.float32)
        starts = np.cumsum([0, *(len(each) for each in cut[:-1])])
        means = np.add.reduceat(vectors * lengths[:, None], starts, axis=0)
        found: Floats = (means / np.linalg.norm(means, axis=1, keepdims=True)).astype(np.float32)
        return found


def windows(text: str) -> list[str]:
    """Cut a text into windows of about equal length, at most `WINDOW` characters if its words allow.

    Examples
    --------
    >>> windows("Excel")
    ['Excel']
    >>> [len(each) for each in windows("woord " * 600)]
    [1199, 1199, 1199]
    """
    words = text.split()
    number = -(-len(text) // WINDOW)
    if number <= 1 or len(words) < number:
        return [text]
    size = -(-len(words) // number)
    return [" ".join(words[start : start + size]) for start in range(0, len(words), size)]
