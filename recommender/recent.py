"""Vectors of what was just encoded: a turn is read for what it does and then searched with, but encoded once."""

import threading
from collections import OrderedDict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from recommender.encoder import Encoder
from recommender.weights import Progress

KEPT = 512
"""Texts whose vectors are kept: some minutes of everybody's turns."""

FEW = 8
"""More texts at once are no turn of a conversation, and would push those out."""


class RecentEncoder:
    """An encoder that remembers the last few texts. Safe to share between threads.

    Parameters
    ----------
    inner : Encoder
        Gives the vectors.
    """

    def __init__(self, inner: Encoder) -> None:
        self._inner = inner
        self._lock = threading.Lock()
        self._known: OrderedDict[str, NDArray[np.float32]] = OrderedDict()

    @property
    def id(self) -> str:
        """Id of the inner encoder: the vectors are the same."""
        return self._inner.id

    @property
    def dim(self) -> int:
        """Length of a vector."""
        return self._inner.dim

    @property
    def genuine(self) -> bool:
        """Whether meaning is compared, not just characters."""
        return self._inner.genuine

    def encode(self, texts: Sequence[str], progress: Progress | None = None) -> NDArray[np.float32]:
        """See `Encoder.encode`."""
        if isinstance(texts, str) or not 0 < len(texts) <= FEW:
            return self._inner.encode(texts, progress)
        with self._lock:
            known = {text: self._known[text] for text in texts if text in self._known}
        new = [text for text in dict.fromkeys(texts) if text not in known]
        if new:
            known |= dict(zip(new, self._inner.encode(new, progress), strict=True))
        with self._lock:
            self._known.update(known)
            for text in known:
                self._known.move_to_end(text)
            while len(self._known) > KEPT:
                self._known.popitem(last=False)
        return np.stack([known[text] for text in texts])
