"""May a model go to work? Each check says why not, with the numbers; a person may overrule with a written reason.

The gate looks at what the model is, curve by curve, and at what it did on seniors it never saw.
"""

from dataclasses import dataclass

import numpy as np

from recommender.comparison import CANDIDATE, FIRST, SIMILARITY, Comparison
from recommender.features import FEATURES
from recommender.judged import JudgedNeeds
from recommender.ranker import AdditiveRanker, Curve

FORBIDDEN = ("age", "birth", "gender", "sex", "origin", "nationality", "religion", "health", "chosen", "popularity")
"""What no feature may be about: who somebody is, and how often they were chosen."""

TOLERANCE = 0.01
"""nDCG that a model may lose on a language or against a plain order before that counts as worse."""

ROUNDING = 1e-9
"""A fall of a curve that is only a sum in floating point."""

LANGUAGE_SLATES = 20
"""Slates in a language from which on its figures say something."""

HIGHEST_ECE = 0.1
"""How far a chance may be off on average."""

ENOUGH_SLATES, ENOUGH_SENIORS = 20, 5
"""Held-out slates with somebody accepted, and their seniors, from which on a comparison says something."""


@dataclass(frozen=True)
class Check:
    """One condition: a key of the catalogue under ``check``, whether it holds, and the numbers behind it."""

    key: str
    passed: bool
    numbers: dict[str, float]


@dataclass(frozen=True)
class Verdict:
    """What the gate says of a model."""

    checks: tuple[Check, ...]

    @property
    def passed(self) -> bool:
        """Tell whether every check holds."""
        return all(each.passed for each in self.checks)

    @property
    def failed(self) -> tuple[str, ...]:
        """Return the keys of the checks that don't hold."""
        return tuple(each.key for each in self.checks if not each.passed)


def judge(
    comparison: Comparison, candidate: AdditiveRanker, in_use: AdditiveRanker, judged: JudgedNeeds | None = None
) -> Verdict:
    """Check a model against the one in use.

    Parameters
    ----------
    comparison : Comparison
        On seniors the candidate never saw, with `CANDIDATE`, `IN_USE`, `FIRST` and `SIMILARITY` among the orders.
    candidate, in_use : AdditiveRanker
        The new and the old one.
    judged : JudgedNeeds, optional
        Needs that were judged apart from the feedback; without any, that check is left out.

    Notes
    -----
    The hard rules are no part of a ranker: `eligibility` leaves people out before anything is scored. All that a model
    could bring in is a feature, so a model with exactly `FEATURES` can't reach around the rules.
    """
    return Verdict(
        (
            _enough(comparison),
            _better(comparison),
            _languages(comparison),
            *(_not_below(comparison, plain) for plain in (SIMILARITY, FIRST)),
            *([_judged(judged, candidate, in_use)] if judged else []),
            _monotone(candidate),
            _allowed(candidate, in_use),
            _calibrated(comparison, candidate),
        )
    )


def _enough(found: Comparison) -> Check:
    numbers = {"slates": found.slates, "seniors": found.seniors, "needed": ENOUGH_SLATES, "people": ENOUGH_SENIORS}
    passed = found.slates >= ENOUGH_SLATES and found.seniors >= ENOUGH_SENIORS
    return Check("enough_feedback", passed, {name: float(value) for name, value in numbers.items()})


def _better(found: Comparison) -> Check:
    """Better than the model in use, beyond what chance explains."""
    line = found.table.get(CANDIDATE)
    return Check("better_than_in_use", line is not None and line["difference_low"] > 0, _difference(line))


def _languages(found: Comparison) -> Check:
    """Nobody pays for the gain of others: each language with enough slates does as well as before."""
    told = [name for name, slates in found.language_slates.items() if slates >= LANGUAGE_SLATES]
    lines = {name: found.languages[name][CANDIDATE] for name in told}
    passed = all(line["difference"] >= -TOLERANCE and line["difference_high"] >= 0 for line in lines.values())
    return Check("no_language_worse", passed, {name: line["difference"] for name, line in lines.items()})


def _not_below(found: Comparison, plain: str) -> Check:
    line, other = found.table.get(CANDIDATE), found.table.get(plain)
    if line is None or other is None:
        return Check(f"not_below_{plain}", False, {"difference": 0.0, "plain": 0.0})
    difference = line["ndcg"] - other["ndcg"]
    return Check(f"not_below_{plain}", difference >= -TOLERANCE, {"difference": difference, "plain": other["ndcg"]})


def _judged(judged: JudgedNeeds, candidate: AdditiveRanker, in_use: AdditiveRanker) -> Check:
    """Needs that were judged apart from the feedback are understood as well as before."""
    difference = float((judged.ndcg(candidate) - judged.ndcg(in_use)).mean())
    return Check("judged_needs_kept", difference >= -TOLERANCE, {"difference": difference})


def _monotone(candidate: AdditiveRanker) -> Check:
    """Better is never worse, over the whole range of every feature, and every number is one."""
    wrong = sum(not never_falls(curve) for curve in candidate.curves.values())
    finite = bool(np.isfinite(candidate.intercept))
    return Check("monotone", finite and not wrong, {"wrong": float(wrong)})


def never_falls(curve: Curve) -> bool:
    """Tell whether a curve is finite and rises or stays level everywhere."""
    numbers = np.concatenate([[curve.weight, curve.centre], curve.edges, curve.steps])
    ordered = (np.diff(curve.edges) >= 0).all() and (np.diff(curve.steps) >= -ROUNDING).all()
    return bool(np.isfinite(numbers).all() and curve.weight >= 0 and ordered)


def _allowed(candidate: AdditiveRanker, in_use: AdditiveRanker) -> Check:
    """Exactly the features that are computed, none about who somebody is, and likenesses of the same encoder."""
    names = tuple(candidate.curves)
    forbidden = [name for name in names if set(name.split("_")) & set(FORBIDDEN)]
    passed = names == FEATURES and not forbidden and candidate.encoder == in_use.encoder
    return Check("features_allowed", passed, {"features": float(len(names)), "forbidden": float(len(forbidden))})


def _calibrated(found: Comparison, candidate: AdditiveRanker) -> Check:
    figures = found.chances.get(CANDIDATE, {})
    ece = figures.get("ece", 1.0)
    return Check("calibrated", candidate.calibrated and ece <= HIGHEST_ECE, {"ece": ece, "highest": HIGHEST_ECE})


def _difference(line: dict[str, float] | None) -> dict[str, float]:
    names = ("difference", "difference_low", "difference_high")
    return {name: line[name] if line else 0.0 for name in names}
