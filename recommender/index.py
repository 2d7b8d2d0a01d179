"""How like a request each junior's profile is: in meaning (embeddings) and in wording (character n-grams).

Profiles are compared whole and statement by statement, because a long profile hides the one sentence that matters.
Search is exact: one matrix product over all statements (design: up to some 200,000 people).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recommender.domain import Statement
from recommender.lexical import CharacterIndex

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Likeness:
    """One request against all profiles.

    `statements` has shape ``(n_statements,)``, the others ``(n_juniors,)``. Meaning is a cosine, wording one in [0, 1].
    """

    statements: Floats
    best_statement: Floats
    whole: Floats
    wording: Floats


class ProfileIndex:
    """The profiles of all juniors, ready to be compared.

    Parameters
    ----------
    junior_ids : sequence of str, length n_juniors
        All juniors, in the order of the population.
    texts : sequence of str, length n_juniors
        Each junior's whole profile.
    text_vectors : ndarray of shape (n_juniors, dim)
        Unit rows, one for each whole profile.
    statements : sequence of Statement
        In the order of `junior_ids`; a junior without any is never like anything.
    vectors : ndarray of shape (n_statements, dim)
        Unit rows, one for each statement.
    """

    def __init__(
        self,
        junior_ids: Sequence[str],
        texts: Sequence[str],
        text_vectors: Floats,
        statements: Sequence[Statement],
        vectors: Floats,
    ) -> None:
        place = {junior_id: number for number, junior_id in enumerate(junior_ids)}
        self.statements = tuple(statements)
        self._owners = np.array([place[each.owner] for each in statements], dtype=np.int64)
        if np.any(np.diff(self._owners) < 0):
            raise ValueError("statements must come in the order of junior_ids")
        self._n_juniors = len(junior_ids)
        self._vectors = np.ascontiguousarray(vectors, dtype=np.float32)
        self._text_vectors = np.ascontiguousarray(text_vectors, dtype=np.float32)
        self._with_text, self._starts = np.unique(self._owners, return_index=True)
        self._wording = CharacterIndex(texts)

    def statements_of(self, junior: int) -> range:
        """Return the places of one junior's statements in `statements`."""
        first, last = np.searchsorted(self._owners, [junior, junior + 1])
        return range(int(first), int(last))

    def compare(self, text: str, vector: Floats) -> Likeness:
        """Compare one request, as text and as unit vector of shape ``(dim,)``, with every profile."""
        meaning = self._vectors @ vector
        best = self.best_of(meaning)
        whole = self._text_vectors @ vector
        return Likeness(meaning, best, whole, self._wording.likeness(text))

    def best_of(self, values: NDArray[Any]) -> NDArray[Any]:
        """Return for each junior the highest value among their statements; 0 where there is none.

        Parameters
        ----------
        values : ndarray of shape (n_statements,) or (n_statements, n_columns)
            In the order of `statements`.

        Returns
        -------
        ndarray of shape (n_juniors,) or (n_juniors, n_columns)
        """
        best = np.zeros((self._n_juniors, *values.shape[1:]), dtype=values.dtype)
        if len(self._starts):
            best[self._with_text] = np.maximum.reduceat(values, self._starts, axis=0)
        return best

    def vector(self, statement: int) -> Floats:
        """Return the unit vector of one statement, shape ``(dim,)``."""
        found: Floats = self._vectors[statement]
        return found

    def nearest(self, vectors: Floats, juniors: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return how near the best statement of some juniors is to each vector, shape ``(len(juniors), n_vectors)``."""
        ranges = [self.statements_of(int(each)) for each in juniors]
        rows = np.concatenate([np.arange(each.start, each.stop) for each in ranges]) if ranges else np.zeros(0, int)
        likeness = (self._vectors[rows] @ vectors.T).astype(np.float64)
        found = np.zeros((len(ranges), len(vectors)))
        ends = np.cumsum([len(each) for each in ranges])
        for place, (end, own) in enumerate(zip(ends, ranges, strict=True)):
            if len(own):
                found[place] = likeness[end - len(own) : end].max(axis=0)
        return found

    def alike(self, junior: int | None, juniors: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return how like some juniors' profiles are to another one's, shape ``(len(juniors),)``; zeros for nobody."""
        if junior is None:
            return np.zeros(len(juniors))
        found: NDArray[np.float64] = (self._text_vectors[juniors] @ self._text_vectors[junior]).astype(np.float64)
        return found

    def wording_of(self, request: str, texts: Sequence[str]) -> Floats:
        """Return how like in wording a request is to a few texts, shape ``(len(texts),)``."""
        return self._wording.between(request, texts)
