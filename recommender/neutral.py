"""Vectors that don't tell which language a text was written in.

A multilingual encoder puts a Dutch text nearer to Dutch texts: asked in English, a junior with an English profile wins
from one who knows the subject. The directions in which the translations of one sentence differ are those of language,
not of meaning; what lies in them is taken out of every vector.

Notes
-----
The directions are the first right singular vectors of the differences between translations (after Yang et al., 2021, "A
Simple and Effective Method to Eliminate the Self Language Bias in Multilingual Representations", who take them from one
language at a time). The translations are sentences of this product's own catalogue, frozen in
``translation_pairs.tsv``; no benchmark text is among them. Evidence: docs/adr/0007.
"""

import hashlib
from collections.abc import Sequence
from functools import cache
from importlib import resources
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recommender.encoder import Encoder
from recommender.kept import kept_vectors
from recommender.weights import Progress

DIRECTIONS = 3
"""From 1 to 12 were tried: the gain stops at 3."""

Floats = NDArray[np.float32]


class NeutralEncoder:
    """An encoder whose vectors have no language.

    Parameters
    ----------
    inner : Encoder
        Gives the vectors. Its first use here encodes some 600 short sentences, unless they were kept.
    kept_in : Path, optional
        Where their vectors are kept between starts.
    """

    def __init__(self, inner: Encoder, kept_in: Path | None = None) -> None:
        self._inner, self._kept_in = inner, kept_in
        self._directions: Floats | None = None

    @property
    def id(self) -> str:
        """Id of the inner encoder, and what was taken out."""
        return f"{self._inner.id}+neutral{DIRECTIONS}-{_pairs_hash()}"

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
        if self._directions is None:
            dutch, english = zip(*translation_pairs(), strict=True)
            vectors = kept_vectors(self._inner, [*dutch, *english], self._kept_in)
            self._directions = language_directions(vectors[: len(dutch)], vectors[len(dutch) :])
        return without(self._inner.encode(texts, progress), self._directions)


def language_directions(dutch: Floats, english: Floats, number: int = DIRECTIONS) -> Floats:
    """Return the directions of language, shape ``(number, dim)``, orthonormal.

    Parameters
    ----------
    dutch, english : ndarray of shape (n_pairs, dim)
        Row by row translations of each other.
    number : int
        How many directions, at most ``min(n_pairs, dim)``.
    """
    _, _, directions = np.linalg.svd(english - dutch, full_matrices=False)
    found: Floats = directions[:number].astype(np.float32)
    return found


def without(vectors: Floats, directions: Floats) -> Floats:
    """Return unit vectors without their part in `directions`.

    Parameters
    ----------
    vectors : ndarray of shape (n_texts, dim)
        Unit rows.
    directions : ndarray of shape (n_directions, dim)
        Orthonormal rows.

    Examples
    --------
    >>> without(np.array([[0.6, 0.8]], dtype=np.float32), np.array([[1.0, 0.0]], dtype=np.float32))
    array([[0., 1.]], dtype=float32)
    """
    rest = vectors - (vectors @ directions.T) @ directions
    lengths = np.linalg.norm(rest, axis=1, keepdims=True)
    # A text that is nothing but its language keeps its vector, so that every row stays a unit row.
    found: Floats = np.where(lengths > 1e-6, rest / np.maximum(lengths, 1e-6), vectors).astype(np.float32)
    return found


@cache
def translation_pairs() -> tuple[tuple[str, str], ...]:
    """Return Dutch and English sentences that say the same."""
    lines = _pairs_file().splitlines()
    return tuple((dutch, english) for dutch, english in (line.split("\t") for line in lines))


def _pairs_file() -> str:
    return resources.files("recommender").joinpath("translation_pairs.tsv").read_text(encoding="utf-8")


@cache
def _pairs_hash() -> str:
    return hashlib.sha256(_pairs_file().encode()).hexdigest()[:8]
