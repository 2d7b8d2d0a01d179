"""Vectors lose their language and keep their meaning."""

import numpy as np

from recommender.neutral import NeutralEncoder, language_directions, translation_pairs, without


def test_language_goes_and_meaning_stays() -> None:
    """Of texts made of a meaning and a language part, only the meaning is left."""
    rng = np.random.default_rng(0)
    meaning = np.hstack([np.zeros((50, 2)), rng.normal(size=(50, 6))]).astype(np.float32)
    language = np.eye(2, 8, dtype=np.float32)
    dutch, english = meaning + 3 * language[0], meaning + 3 * language[1]
    directions = language_directions(dutch, english, number=1)
    unit = [rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in (dutch, english)]
    plain, neutral = unit[0] @ unit[1].T, without(unit[0], directions) @ without(unit[1], directions).T
    assert np.diag(plain).mean() < np.diag(neutral).mean()
    np.testing.assert_allclose(np.diag(neutral), 1, atol=1e-5)


def test_rows_stay_unit_rows() -> None:
    """Also a text that is nothing but its language."""
    directions = np.eye(1, 4, dtype=np.float32)
    vectors = np.vstack([directions, np.full((1, 4), 0.5, dtype=np.float32)])
    np.testing.assert_allclose(np.linalg.norm(without(vectors, directions), axis=1), 1, atol=1e-6)


def test_encoding_nothing_gives_nothing() -> None:
    """An empty list has no rows and the right width."""

    class Fixed:
        id, dim, genuine = "fixed", 400, True

        def encode(self, texts, progress=None):
            rng = np.random.default_rng(len(texts))
            rows = rng.normal(size=(len(texts), 400)).astype(np.float32)
            return rows / np.linalg.norm(rows, axis=1, keepdims=True)

    encoder = NeutralEncoder(Fixed())
    assert encoder.encode([]).shape == (0, 400)
    assert encoder.encode(["a", "b"]).shape == (2, 400)
    assert encoder.id.startswith("fixed+neutral3-")


def test_pairs_are_translations_not_copies() -> None:
    """Each line has two different texts, and none is a request of the parity test."""
    pairs = translation_pairs()
    assert len(pairs) > 250
    assert all(dutch and english and dutch != english for dutch, english in pairs)
