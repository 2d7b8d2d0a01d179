"""A text that was just encoded isn't encoded again."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from recommender import recent
from recommender.encoder import HashingEncoder
from recommender.recent import RecentEncoder


class Counting(HashingEncoder):
    """An encoder that notes what it was asked."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []

    def encode(self, texts: Sequence[str], progress: object = None) -> NDArray[np.float32]:
        """Return vectors, and remember for what."""
        self.asked += texts
        return super().encode(texts)


def test_once_is_enough() -> None:
    """The same vectors, in the order asked, from one encoding."""
    inner = Counting()
    encoder = RecentEncoder(inner)
    first = encoder.encode(["Excel", "TikTok"])
    again = encoder.encode(["TikTok", "Excel", "TikTok"])
    assert inner.asked == ["Excel", "TikTok"]
    assert np.array_equal(again, first[[1, 0, 1]])
    assert encoder.id == inner.id


def test_it_forgets(monkeypatch) -> None:  # type: ignore[no-untyped-def]
    """Only the last few are kept; many at once pass through."""
    monkeypatch.setattr(recent, "KEPT", 2)
    inner = Counting()
    encoder = RecentEncoder(inner)
    for text in ("a1", "b2", "c3", "a1"):
        encoder.encode([text])
    assert inner.asked == ["a1", "b2", "c3", "a1"]
    many = [f"text {each}" for each in range(recent.FEW + 1)]
    encoder.encode(many)
    encoder.encode(many)
    assert inner.asked.count("text 0") == 2
    assert encoder.encode([]).shape == (0, encoder.dim)
