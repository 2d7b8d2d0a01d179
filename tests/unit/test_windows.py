"""A long text is read to its end, and a short one is left as it is."""

import numpy as np

from recommender.encoder import HashingEncoder
from recommender.windows import WINDOW, WindowedEncoder, windows


def test_the_end_of_a_long_text_counts() -> None:
    """What stands on the tenth page changes the vector."""
    encoder = WindowedEncoder(HashingEncoder())
    page = "Ik werk hier graag en ik doe van alles wat. " * 100
    plain, other = encoder.encode([page * 3, page * 2 + "draaitabellen in Excel " * 200])
    asked = encoder.encode(["draaitabellen in Excel"])[0]
    assert other @ asked > plain @ asked + 0.1


def test_short_texts_are_left_alone() -> None:
    """In any company: the vectors of short texts are those of the inner encoder, and rows stay unit rows in order."""
    inner = HashingEncoder()
    texts = ["Excel", "woord " * 2000, "", "TikTok"]
    found = WindowedEncoder(inner).encode(texts)
    np.testing.assert_allclose(found[[0, 2, 3]], inner.encode(["Excel", "", "TikTok"]), atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-5)
    assert WindowedEncoder(inner).encode([]).shape == (0, inner.dim)


def test_no_word_is_lost() -> None:
    """The windows together are the text, and none is much longer than allowed."""
    text = " ".join(f"woord{number}" for number in range(3000))
    cut = windows(text)
    assert " ".join(cut) == text
    assert max(map(len, cut)) < 1.2 * WINDOW
    assert windows("x" * 20_000) == ["x" * 20_000]
