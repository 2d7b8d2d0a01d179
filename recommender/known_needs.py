"""Needs that the product knows: a request is read together with those it comes near to.

A request is a few words; each known need says the same thing in four ways, as a question and as an answer, in Dutch and
in English. Moving a request towards the nearest ones adds what it left out, and takes away in which language it came.
A request that is near to none of them stays as it is.

Notes
-----
Query expansion after Rocchio (1971), with a fixed collection in place of the first results, so that the same request
reads the same whoever joins. The needs were written for this product (``data/tuning``); no benchmark text is there.
"""

import json
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recommender.encoder import Encoder
from recommender.kept import kept_vectors
from recommender.settings import ROOT

FOLDER = ROOT / "data" / "tuning"

WAYS = ("need_nl", "need_en", "offer_nl", "offer_en")
NEAREST = 5
PULL = 1.5
"""Length of the step towards the nearest needs, where the request is as near as `NEAR`."""
FAR, NEAR = 0.5, 0.8
"""Cosines with the nearest need at which a request is left as it is, and at which it is read with it in full."""
SHARPNESS = 0.05
"""Cosine by which a need must be nearer to count e times as much."""

Floats = NDArray[np.float32]


class KnownNeeds:
    """The known needs as vectors of one encoder.

    Parameters
    ----------
    encoder : Encoder
        Gives unit vectors. Its first use here encodes some 2,600 sentences, unless they were kept.
    kept_in : Path, optional
        Where the vectors are kept between starts.
    """

    def __init__(self, encoder: Encoder, kept_in: Path | None = None) -> None:
        texts = [row[way] for way in WAYS for row in known_needs()]
        of_ways = kept_vectors(encoder, texts, kept_in).reshape(len(WAYS), -1, encoder.dim)
        self._needs = _unit(of_ways.sum(axis=0))

    def read_with(self, vectors: Floats) -> Floats:
        """Return requests read together with the known needs they come near to, both of shape ``(n, dim)``."""
        likeness = vectors @ self._needs.T
        places = np.argsort(-likeness, axis=1, kind="stable")[:, :NEAREST]
        near = np.take_along_axis(likeness, places, axis=1)
        shares = np.exp((near - near[:, :1]) / SHARPNESS)
        towards = _unit(np.einsum("nk,nkd->nd", shares, self._needs[places]))
        pull = PULL * np.clip((near[:, :1] - FAR) / (NEAR - FAR), 0, 1)
        return _unit(vectors + pull * towards)


@cache
def known_needs() -> tuple[dict[str, str], ...]:
    """Return the needs, each as a question and an answer in both languages."""
    files = sorted(FOLDER.glob("*.jsonl"))
    return tuple(json.loads(line) for file in files for line in file.read_text(encoding="utf-8").splitlines())


def _unit(vectors: Floats) -> Floats:
    found: Floats = (vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)).astype(np.float32)
    return found
