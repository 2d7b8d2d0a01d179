"""Judged needs that ship with the first ranker: what no feedback may unlearn.

Feedback is noisy, and a little of it can make chance look like progress. These needs were judged apart from it
(``data/demo_needs``); a model that understands their words worse than the one in use does not pass the gate.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recommender.evaluation import ndcg_at_k
from recommender.features import TEXT_FEATURES
from recommender.ranker import AdditiveRanker

FILE = "judged.npz"


@dataclass(frozen=True)
class JudgedNeeds:
    """Text features of shape ``(n_needs, n_juniors, n_text_features)`` and grades of shape ``(n_needs, n_juniors)``."""

    features: NDArray[np.float32]
    grades: NDArray[np.float64]

    def ndcg(self, ranker: AdditiveRanker) -> NDArray[np.float64]:
        """Return nDCG@10 of each need, ordered by the texts alone, shape ``(n_needs,)``."""
        found = []
        for features, grades in zip(self.features, self.grades, strict=True):
            order = np.argsort(-ranker.text_score(features.astype(np.float64)), kind="stable")
            found.append(ndcg_at_k(grades[order]))
        return np.array(found)

    def save(self, folder: Path) -> None:
        """Write them beside a ranker; half precision is finer than any judgement."""
        np.savez_compressed(
            folder / FILE, features=self.features.astype(np.float16), grades=self.grades.astype(np.uint8)
        )


def read_judged(folder: Path) -> JudgedNeeds | None:
    """Return the judged needs beside a ranker, or None where there are none for these features."""
    try:
        with np.load(folder / FILE, allow_pickle=False) as held:
            features, grades = held["features"], held["grades"]
    except (OSError, ValueError, KeyError):
        return None
    if features.ndim != 3 or features.shape[2] != len(TEXT_FEATURES) or features.shape[:2] != grades.shape:
        return None
    return JudgedNeeds(features.astype(np.float32), grades.astype(np.float64))
