"""Likeness of wording: character n-grams, which see through Dutch compounds and typing errors.

Measured on Dutch digital skills: nDCG@10 0.325 with character n-grams, 0.196 with words (BM25).
"""

import threading
from collections import OrderedDict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.feature_extraction.text import TfidfVectorizer

KEPT = 5_000
"""Texts whose n-grams are kept, some kilobytes each."""


class CharacterIndex:
    """TF-IDF over character n-grams (3 to 5, inside words) of a fixed list of texts.

    Parameters
    ----------
    texts : sequence of str, length n_texts
        The texts that requests will be compared with.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        self._vectorizer = TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 5), sublinear_tf=True, dtype=np.float32)
        # A list of empty texts has no vocabulary, which the vectorizer refuses; then nothing is like anything.
        self._matrix: sparse.csc_matrix | None = None
        self._n = len(texts)
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, sparse.csr_matrix] = OrderedDict()
        if any(text.strip() for text in texts):
            # By column, because a request touches a few hundred n-grams and not each text.
            self._matrix = self._vectorizer.fit_transform(texts).tocsc()

    def likeness(self, text: str) -> NDArray[np.float32]:
        """Return the cosine of `text` with each indexed text, shape ``(n_texts,)``, in [0, 1]."""
        if self._matrix is None:
            return np.zeros(self._n, dtype=np.float32)
        wanted = self._vectorizer.transform([text])
        found: NDArray[np.float32] = (self._matrix[:, wanted.indices] @ wanted.data).astype(np.float32)
        return found

    def between(self, text: str, others: Sequence[str]) -> NDArray[np.float32]:
        """Return the cosine of `text` with each of `others`, by the weights of the indexed texts."""
        if self._matrix is None or not others:
            return np.zeros(len(others), dtype=np.float32)
        compared = sparse.vstack(self._rows(others))
        found: NDArray[np.float32] = (compared @ self._vectorizer.transform([text]).T).toarray().ravel()
        return found.astype(np.float32)

    def _rows(self, texts: Sequence[str]) -> list[sparse.csr_matrix]:
        """Return a row for each text; those of the last `KEPT` texts are at hand, because the best are shown often."""
        with self._lock:
            known = {text: self._kept[text] for text in texts if text in self._kept}
        new = [text for text in dict.fromkeys(texts) if text not in known]
        if new:
            made = self._vectorizer.transform(new)
            known |= {text: made[place] for place, text in enumerate(new)}
            with self._lock:
                self._kept.update((text, known[text]) for text in new)
                while len(self._kept) > KEPT:
                    self._kept.popitem(last=False)
        return [known[text] for text in texts]
