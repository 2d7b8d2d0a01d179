"""The additive ranker: each feature adds its own part to the score, so the parts are the explanation.

A score is the log-odds that both sides accept. It starts from an intercept, and each feature adds what its curve says:
a straight line where little is known, steps where an organisation's own feedback has shown a shape (`learners`).
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recommender.features import FEATURES, NEUTRAL, TEXT_FEATURES

Floats = NDArray[np.float64]

CENTRE = {name: 0.0 if name in TEXT_FEATURES else NEUTRAL for name in FEATURES}
"""The value at which a feature adds nothing: the mean of a request for texts, "not known" for circumstances."""

PRIORS: dict[str, float] = {
    # What the profile is about, by name, beside how alike the texts are.
    "competence": 0.6,
    # Below the level at which people can help others (DigComp 5) a pair soon runs dry.
    "level": 0.6,
    # Somebody one to four levels ahead still remembers what was hard.
    "gap": 0.4,
    # Somebody who would rather not explain makes a poor pair, however well they know the subject.
    "wish_to_teach": 0.8,
    # People share a language anyhow (a hard rule); the one the question was asked in is a little easier.
    "language": 0.3,
    # Meeting in person is easier for a first session, and online works as well.
    "place": 0.4,
    # Most programmes die of calendars.
    "days": 0.4,
    # Outside one's own department it is easier to show what one can't do.
    "distance": 0.3,
    # A match serves both: what the junior would like back is what the senior offers.
    "exchange": 0.4,
    # Sessions that both rated well, shrunk to the mean because few have had many.
    "experience": 0.6,
    # Spread the work: between two who fit alike, the one with room.
    "load": 0.4,
}
"""Weight of each circumstance before there is feedback, on the scale of log-odds, from its worst to its best value."""


@dataclass(frozen=True)
class Curve:
    """What one feature adds to the score: ``weight * (value - centre)``, plus the step that the value falls on.

    `edges` has shape ``(n_steps - 1,)`` and `steps` shape ``(n_steps,)``; a value at an edge belongs to the step below.
    """

    weight: float
    centre: float
    edges: Floats
    steps: Floats

    @classmethod
    def line(cls, weight: float, centre: float) -> "Curve":
        """Return a straight line through `centre`."""
        return cls(weight, centre, np.zeros(0), np.zeros(1))

    def __call__(self, values: Floats) -> Floats:
        """Return what each value adds, in the shape of `values`."""
        added: Floats = (values - self.centre) * self.weight + self.steps[np.searchsorted(self.edges, values)]
        return added


@dataclass(frozen=True)
class AdditiveRanker:
    """A ranker in use.

    Parameters
    ----------
    id : str
        Name of the model, stored with every slate.
    encoder : str
        Name of the encoder whose likenesses it was fitted on.
    intercept : float
        What every score starts from.
    curves : mapping of str to Curve
        One for each of `FEATURES`.
    calibrated : bool
        Whether a score is the log-odds that both sides accept, as measured on feedback; else it only orders.
    """

    id: str
    encoder: str
    intercept: float
    curves: Mapping[str, Curve]
    calibrated: bool = False

    def contributions(self, features: Floats) -> Floats:
        """Return what each feature adds, shape ``(n_juniors, n_features)`` in the order of `FEATURES`."""
        return np.column_stack([self.curves[name](column) for name, column in zip(FEATURES, features.T, strict=True)])

    def score(self, features: Floats) -> Floats:
        """Return the scores, shape ``(n_juniors,)``; comparable within one request only."""
        total: Floats = self.contributions(features).sum(axis=1) + self.intercept
        return total

    def text_score(self, text_features: Floats) -> Floats:
        """Return the scores by text alone, shape ``(n_juniors,)``: for the shortlist and for benchmarks."""
        columns = zip(TEXT_FEATURES, text_features.T, strict=True)
        total: Floats = np.sum([self.curves[name](column) for name, column in columns], axis=0) + self.intercept
        return total

    @property
    def spans(self) -> dict[str, float]:
        """What each feature can add, in the order of `FEATURES`."""
        return {name: self.span(name) for name in FEATURES}

    def span(self, name: str) -> float:
        """Return what a feature adds from low to high: from 0 to 1, for texts a standard deviation to either side."""
        low, high = (-1.0, 1.0) if name in TEXT_FEATURES else (0.0, 1.0)
        ends = self.curves[name](np.array([low, high]))
        return float(ends[1] - ends[0])


def chance(score: float) -> float:
    """Return a score of a calibrated ranker as a chance in [0, 1]."""
    return float(1 / (1 + np.exp(-score)))


def similarity_only() -> AdditiveRanker:
    """Return the order by likeness and `PRIORS`, for when no fitted ranker can be had. Callers label it."""
    weights = {name: float(name == "best_statement") for name in FEATURES} | PRIORS
    curves = {name: Curve.line(weights[name], CENTRE[name]) for name in FEATURES}
    return AdditiveRanker("similarity-only", "", 0.0, curves)
