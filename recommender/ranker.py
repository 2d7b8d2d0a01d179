"""The additive ranker: each feature adds its own part to the score, so the parts are the explanation.

The weights of the text features are a scikit-learn logistic regression, fitted on other people's relevance judgements
(`cold_start`). There is no feedback yet about circumstances, so their weights are priors: decided, written down with a
reason, and all positive, so that a better value never lowers a score.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from recommender.features import FEATURES, FIT_FEATURES, NEUTRAL, TEXT_FEATURES

Floats = NDArray[np.float64]

PRIORS: dict[str, float] = {
    # Somebody who would rather not explain makes a poor pair, however well they know the subject.
    "wish_to_teach": 0.8,
    # Below the level at which people can help others (DigComp 5) a pair soon runs dry.
    "level": 0.6,
    # People can share a language and still not the one the question was asked in.
    "language": 0.6,
    # Meeting in person is easier for a first session, and online works as well.
    "place": 0.4,
    # Spread the work: between two who fit alike, the one with room.
    "load": 0.4,
}
"""Weight of each circumstance, on the scale of log-odds, from its worst to its best value."""


@dataclass(frozen=True)
class AdditiveRanker:
    """A fitted ranker.

    Parameters
    ----------
    id : str
        Name of the model, stored with every slate.
    encoder : str
        Name of the encoder whose likenesses it was fitted on.
    text_model : LogisticRegression
        Fitted on `TEXT_FEATURES`, in that order.
    """

    id: str
    encoder: str
    text_model: LogisticRegression

    @property
    def intercept(self) -> float:
        """What every score starts from."""
        return float(self.text_model.intercept_[0])

    @property
    def weights(self) -> dict[str, float]:
        """Weight of each feature, in the order of `FEATURES`."""
        text = dict(zip(TEXT_FEATURES, map(float, self.text_model.coef_[0]), strict=True))
        return text | {name: PRIORS[name] for name in FIT_FEATURES}

    def contributions(self, features: Floats) -> Floats:
        """Return what each feature adds, shape ``(n_juniors, n_features)`` in the order of `FEATURES`.

        Parameters
        ----------
        features : ndarray of shape (n_juniors, n_features)
            Text features, then fit features. A circumstance at `NEUTRAL` adds nothing.
        """
        centre = np.array([0.0 if name in TEXT_FEATURES else NEUTRAL for name in FEATURES])
        weighted: Floats = (features - centre) * np.array(list(self.weights.values()))
        return weighted

    def score(self, features: Floats) -> Floats:
        """Return the scores, shape ``(n_juniors,)``; comparable within one request only."""
        total: Floats = self.contributions(features).sum(axis=1) + self.intercept
        return total

    def text_score(self, text_features: Floats) -> Floats:
        """Return the scores by text alone, shape ``(n_juniors,)``: for retrieval and for benchmarks."""
        total: Floats = self.text_model.decision_function(text_features)
        return total


def similarity_only() -> AdditiveRanker:
    """Return the plain order by likeness, for when no fitted ranker can be had. Callers label it."""
    model = LogisticRegression()
    model.classes_ = np.array([0, 1])
    model.coef_ = np.array([[1.0 if name == "best_statement" else 0.0 for name in TEXT_FEATURES]])
    model.intercept_ = np.zeros(1)
    return AdditiveRanker("similarity-only", "", model)
