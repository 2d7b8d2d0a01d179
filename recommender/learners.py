"""What learns a ranker from labelled rows: two scikit-learn classifiers, both additive and monotone.

`CarefulLogit` moves known weights as far as the data carry it: right for tens or hundreds of answers. `AdditiveTrees`
finds the shape of each feature by itself: right for thousands. `training` takes the one that does better on people left
out of the fit. Both give one `Curve` a feature, so that what was learnt is what is explained.
"""

from copy import copy
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.ensemble import HistGradientBoostingClassifier

from recommender.ranker import Curve

Floats = NDArray[np.float64]


class _Additive(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """An intercept and one curve a column; `intercept_` and `curves` come from the fit."""

    intercept_: float
    classes_: NDArray[np.int64]

    def curves(self) -> list[Curve]:
        """Return one curve for each column, in order."""
        raise NotImplementedError

    def without(self, last: int) -> Self:
        """Return the same with that many columns left off at the end, as if each stood at its centre."""
        raise NotImplementedError

    def scaled(self, slope: float, shift: float) -> Self:
        """Return the same with every score `s` turned into ``slope * s + shift``; `slope` > 0 keeps the order."""
        raise NotImplementedError

    def decision_function(self, X: Floats) -> Floats:  # noqa: N803  # scikit-learn's name
        """Return the log-odds of acceptance, shape ``(n_rows,)``."""
        parts = [curve(column) for curve, column in zip(self.curves(), X.T, strict=True)]
        total: Floats = np.sum(parts, axis=0) + self.intercept_
        return total

    def predict_proba(self, X: Floats) -> Floats:  # noqa: N803
        """Return the chance of each class, shape ``(n_rows, 2)``."""
        accepted = expit(self.decision_function(X))
        return np.column_stack([1 - accepted, accepted])

    def predict(self, X: Floats) -> NDArray[np.int64]:  # noqa: N803
        """Return 1 where acceptance is likelier than not."""
        return (self.decision_function(X) > 0).astype(np.int64)


class CarefulLogit(_Additive):
    """Logistic regression around known weights.

    Parameters
    ----------
    start : ndarray of shape (n_features,)
        Weights to stay near to: those of the model in use, or priors.
    centre : ndarray of shape (n_features,)
        Value at which each feature adds nothing.
    monotone : ndarray of bool, shape (n_features,)
        Where a weight may not fall below 0.
    strength : float or ndarray of shape (n_features,)
        How dear it is to leave `start`: half the squared distance times this, against the summed log loss.

    Notes
    -----
    The maximum of the posterior under a normal prior around `start` with variance ``1 / strength``, found by L-BFGS-B
    with bounds (Byrd et al., 1995). scikit-learn's own LogisticRegression shrinks to zero and knows no bounds.

    Examples
    --------
    >>> X, y = np.array([[0.0], [1.0], [2.0], [3.0]]), np.array([0, 0, 1, 1])
    >>> model = CarefulLogit(start=np.ones(1), centre=np.zeros(1), monotone=np.array([True]), strength=1e6).fit(X, y)
    >>> model.coef_.round(2)
    array([1.])
    """

    def __init__(
        self, start: Floats, centre: Floats, monotone: NDArray[np.bool_], strength: float | Floats = 4.0
    ) -> None:
        self.start, self.centre, self.monotone, self.strength = start, centre, monotone, strength

    def fit(self, X: Floats, y: NDArray[np.int64], sample_weight: Floats | None = None) -> Self:  # noqa: N803
        """Fit to rows of features `X` and labels `y` in {0, 1}; weights default to 1."""
        moved, signs = X - self.centre, 2.0 * y - 1.0
        weights = np.ones(len(y)) if sample_weight is None else sample_weight

        def loss(parameters: Floats) -> tuple[float, Floats]:
            coef, intercept = parameters[:-1], parameters[-1]
            margin = signs * (moved @ coef + intercept)
            away = coef - self.start
            slope = -weights * signs * expit(-margin)
            value = float(weights @ np.logaddexp(0, -margin) + (self.strength * away) @ away / 2)
            return value, np.append(moved.T @ slope + self.strength * away, slope.sum())

        bounds = [(0.0, None) if each else (None, None) for each in self.monotone]
        found = minimize(loss, np.append(self.start, 0.0), jac=True, method="L-BFGS-B", bounds=[*bounds, (None, None)])
        self.classes_ = np.array([0, 1])
        self.coef_, self.intercept_ = found.x[:-1], float(found.x[-1])
        return self

    def without(self, last: int) -> Self:
        """Return the same with that many columns left off at the end, as if each stood at its centre."""
        kept, rest = slice(len(self.coef_) - last), copy(self)
        rest.start, rest.centre, rest.monotone = self.start[kept], self.centre[kept], self.monotone[kept]
        rest.coef_ = self.coef_[kept]
        if isinstance(self.strength, np.ndarray):
            rest.strength = self.strength[kept]
        return rest

    def scaled(self, slope: float, shift: float) -> Self:
        """Return the same with every score `s` turned into ``slope * s + shift``; `slope` > 0 keeps the order."""
        other = copy(self)
        other.coef_, other.intercept_ = self.coef_ * slope, self.intercept_ * slope + shift
        return other

    def curves(self) -> list[Curve]:
        """Return one straight line for each column."""
        return [Curve.line(float(weight), float(at)) for weight, at in zip(self.coef_, self.centre, strict=True)]


class AdditiveTrees(_Additive):
    """Gradient-boosted trees of one feature each, turned into step curves.

    Parameters
    ----------
    centre : ndarray of shape (n_features,)
        Value at which each feature adds nothing.
    monotone : ndarray of bool, shape (n_features,)
        Where more is never worse.
    learning_rate, max_iter, min_samples_leaf, l2_regularization : float or int
        As in `HistGradientBoostingClassifier`.
    seed : int
        For its binning.

    Notes
    -----
    With ``interaction_cst="no_interactions"`` each tree looks at one feature, so the sum over trees is a sum over
    features. A curve is read off by moving one feature over the values it was fitted on, the others at `centre`.
    """

    def __init__(
        self,
        centre: Floats,
        monotone: NDArray[np.bool_],
        learning_rate: float = 0.1,
        max_iter: int = 300,
        min_samples_leaf: int = 40,
        l2_regularization: float = 1.0,
        seed: int = 7,
    ) -> None:
        self.centre, self.monotone, self.seed = centre, monotone, seed
        self.learning_rate, self.max_iter = learning_rate, max_iter
        self.min_samples_leaf, self.l2_regularization = min_samples_leaf, l2_regularization

    def fit(self, X: Floats, y: NDArray[np.int64], sample_weight: Floats | None = None) -> Self:  # noqa: N803
        """Fit to rows of features `X` and labels `y` in {0, 1}; weights default to 1."""
        trees = HistGradientBoostingClassifier(
            interaction_cst="no_interactions",
            monotonic_cst=self.monotone.astype(int),
            learning_rate=self.learning_rate,
            max_iter=self.max_iter,
            min_samples_leaf=self.min_samples_leaf,
            l2_regularization=self.l2_regularization,
            random_state=self.seed,
            early_stopping=False,
        )
        # Bins by weighted quantiles take ten times as long, and with equal weights they are the same.
        equal = sample_weight is None or (sample_weight == sample_weight[0]).all()
        trees.fit(X, y, sample_weight=None if equal else sample_weight)
        self.classes_ = np.array([0, 1])
        self.intercept_ = float(trees.decision_function(self.centre[None])[0])
        self.edges_, self.steps_ = [], []
        for column, values in enumerate(X.T):
            seen = np.unique(values)
            rows = np.tile(self.centre, (len(seen), 1))
            rows[:, column] = seen
            steps = trees.decision_function(rows) - self.intercept_
            changes = np.flatnonzero(np.diff(steps))
            self.edges_.append((seen[changes] + seen[changes + 1]) / 2)
            self.steps_.append(steps[np.append(changes, len(seen) - 1)])
        return self

    def without(self, last: int) -> Self:
        """Return the same with that many columns left off at the end, as if each stood at its centre."""
        kept, rest = slice(len(self.steps_) - last), copy(self)
        rest.centre, rest.monotone = self.centre[kept], self.monotone[kept]
        rest.edges_, rest.steps_ = self.edges_[kept], self.steps_[kept]
        return rest

    def scaled(self, slope: float, shift: float) -> Self:
        """Return the same with every score `s` turned into ``slope * s + shift``; `slope` > 0 keeps the order."""
        other = copy(self)
        other.steps_, other.intercept_ = [each * slope for each in self.steps_], self.intercept_ * slope + shift
        return other

    def curves(self) -> list[Curve]:
        """Return one step curve for each column."""
        return [Curve(0.0, 0.0, edges, steps) for edges, steps in zip(self.edges_, self.steps_, strict=True)]
