"""Vectors of the product's own fixed texts, encoded once for each encoder and kept in the home folder."""

import hashlib
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recommender.encoder import Encoder
from recommender.files import write


def kept_vectors(encoder: Encoder, texts: Sequence[str], folder: Path | None) -> NDArray[np.float32]:
    """Return the vectors of `texts`, shape ``(n_texts, dim)``, from `folder` where they were kept before.

    A file that can't be read, or that holds something else, is made anew. Without a folder nothing is kept.
    """
    if folder is None:
        return encoder.encode(texts)
    told = "\0".join([encoder.id, *texts])
    path = folder / f"{hashlib.sha256(told.encode()).hexdigest()[:16]}.npy"
    try:
        vectors = np.load(path, allow_pickle=False)
    except (OSError, ValueError):
        vectors = np.zeros(0)
    if vectors.shape != (len(texts), encoder.dim):
        vectors = encoder.encode(texts)
        folder.mkdir(parents=True, exist_ok=True)
        write(path, _bytes(vectors))
    found: NDArray[np.float32] = vectors.astype(np.float32)
    return found


def _bytes(vectors: NDArray[np.float32]) -> bytes:
    file = BytesIO()
    np.save(file, vectors, allow_pickle=False)
    return file.getvalue()
