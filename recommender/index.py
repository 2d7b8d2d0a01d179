"""How like a request each junior's profile is: in meaning (embeddings) and in wording (character n-grams).

Profiles are compared statement by statement, because a long profile's mean hides the one sentence that matters.
Search is exact: one matrix product over all statements (design: up to some 200,000 people).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recommender.domain import Statement
from recommender.lexical import CharacterIndex

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Likeness:
    """One request against all profiles; arrays of shape ``(n_statements,)`` and ``(n_juniors,)``."""

    statement_meaning: Floats
    statement_wording: Floats
    best_meaning: Floats
    whole_meaning: Floats
    best_wording: Floats
    whole_wording: Floats


class ProfileIndex:
    """Statements of all juniors, ready to be compared.

    Parameters
    ----------
    junior_ids : sequence of str
        All juniors, in the order of the population.
    statements : sequence of Statement
        In the order of `junior_ids`; a junior without any is never like anything.
    vectors : ndarray of shape (n_statements, dim)
        Unit rows, one for each statement.
    """

    def __init__(self, junior_ids: Sequence[str], statements: Sequence[Statement], vectors: Floats) -> None:
        place = {junior_id: number for number, junior_id in enumerate(junior_ids)}
        self.statements = tuple(statements)
        self.owners = np.array([place[each.owner] for each in statements], dtype=np.int64)
        if np.any(np.diff(self.owners) < 0):
            raise ValueError("statements must come in the order of junior_ids")
        self._n_juniors = len(junior_ids)
        self._vectors = np.ascontiguousarray(vectors, dtype=np.float32)
        self._with_text, self._starts = np.unique(self.owners, return_index=True)
        self._profiles = self._mean_vectors()
        texts = [each.text for each in statements]
        self._statement_wording = CharacterIndex(texts)
        self._profile_wording = CharacterIndex(self._joined(texts)) if len(texts) > self._n_juniors else None

    def statements_of(self, junior: int) -> range:
        """Return the places of one junior's statements in `statements`."""
        first, last = np.searchsorted(self.owners, [junior, junior + 1])
        return range(int(first), int(last))

    def compare(self, text: str, vector: Floats) -> Likeness:
        """Compare one request, as text and as unit vector of shape ``(dim,)``, with every profile."""
        meaning, wording = self._vectors @ vector, self._statement_wording.likeness(text)
        best_wording = self._best(wording)
        return Likeness(
            statement_meaning=meaning,
            statement_wording=wording,
            best_meaning=self._best(meaning),
            whole_meaning=self._profiles @ vector,
            best_wording=best_wording,
            whole_wording=self._profile_wording.likeness(text) if self._profile_wording else best_wording,
        )

    def _best(self, values: Floats) -> Floats:
        """Return the best value of each junior's statements; 0 for a junior without any."""
        best = np.zeros(self._n_juniors, dtype=np.float32)
        if len(self._starts):
            best[self._with_text] = np.maximum.reduceat(values, self._starts)
        return best

    def _mean_vectors(self) -> Floats:
        """Return each junior's normalised mean statement, shape ``(n_juniors, dim)``."""
        means = np.zeros((self._n_juniors, self._vectors.shape[1]), dtype=np.float32)
        if len(self._starts):
            means[self._with_text] = np.add.reduceat(self._vectors, self._starts, axis=0)
        lengths = np.linalg.norm(means, axis=1, keepdims=True)
        return np.divide(means, lengths, out=means, where=lengths > 0)

    def _joined(self, texts: Sequence[str]) -> list[str]:
        """Return each junior's whole profile as one text."""
        whole: list[list[str]] = [[] for _ in range(self._n_juniors)]
        for owner, text in zip(self.owners, texts, strict=True):
            whole[owner].append(text)
        return [" ".join(parts) for parts in whole]
