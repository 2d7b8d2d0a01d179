"""Fit what reads competences and levels from vectors, on the labelled texts in ``data/competences``.

    python -m recommender.competence_fit

To be run again whenever the encoder changes: a reader is for the vectors of one encoder.
"""

import hashlib
import json
import random
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import sklearn
import skops.io
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, brier_score_loss, f1_score, roc_auc_score
from threadpoolctl import threadpool_limits

from recommender.competence_texts import Example, composed, described, read_examples
from recommender.competences import (
    FOLDER,
    LEVELS,
    CompetenceReader,
    ReaderManifest,
    skill_features,
)
from recommender.encoder import Encoder
from recommender.files import write
from recommender.framework import Skill, digital_skills, framework
from recommender.odds import log_odds, sigmoid, softmax
from recommender.weights import Progress

SEED = 7
FOLDS = 5
STRENGTHS = (5.0, 15.0, 50.0, 150.0)
"""Inverse strengths of the regulariser that are tried. Vectors are scaled first, so one range suits any encoder."""
TOLD_STRENGTH = 1.0
"""Whether a level is told shows plainly; from 1 to 30 the figures are alike."""
FLOOR = 0.5
"""Chance from which a text is called digital."""
FLAT = 0.01
"""Of F1, that is given up for naming something more often."""
THRESHOLDS = tuple(float(each) for each in np.round(np.arange(0.1, 0.9, 0.01), 2))
"""Chances from which a competence or a level is named, of which the best is taken."""
NEAREST = 5
"""Skills of each text that the confidence in a skill is fitted on."""

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Linear:
    """Outputs of a linear model: `weights` of shape ``(dim, n_outputs)``, `bias` of shape ``(n_outputs,)``."""

    weights: Floats
    bias: Floats

    def __call__(self, vectors: Floats) -> Floats:
        """Return the outputs, shape ``(n_texts, n_outputs)``."""
        found: Floats = vectors @ self.weights + self.bias
        return found


@dataclass(frozen=True)
class Texts:
    """Examples as arrays; the first `written` were written whole, the others are put together from them.

    `classes` has a column for each competence and a last one for "nothing digital"; `level` is 0 where none is told;
    `held` has a row for each fold and tells which texts are not to be fitted on in it.
    """

    vectors: Floats
    classes: Mask
    level: NDArray[np.int64]
    weights: Floats
    held: Mask
    written: int

    def out_of_fold(self, fit: Callable[[Mask], Linear]) -> Floats:
        """Return the outputs for each written text of the fit that left its group out."""
        parts = [fit(~held)(self.vectors[: self.written]) for held in self.held]
        return np.asarray(np.stack(parts)[self.held[:, : self.written].argmax(axis=0), np.arange(self.written)])


def fit(
    encoder: Encoder, examples: Sequence[Example], skills: Sequence[Skill] = (), progress: Progress | None = None
) -> tuple[dict[str, Floats], ReaderManifest]:
    """Fit a reader for the vectors of an encoder; the same examples and encoder give the same reader.

    Returns
    -------
    dict, ReaderManifest
        The arguments of `CompetenceReader`.

    Notes
    -----
    Competences and "nothing digital" are the classes of one multinomial regression: a text with two labels counts half
    for each. The log-odds of its shares are calibrated by a sigmoid (Platt, 1999), fitted on texts whose topic was left
    out. Levels are classes too; what is told is their mean. Alternatives that lost: ``data/competences/README.md``.
    """
    whole = [*examples, *described(), *composed(examples, SEED)]
    vectors = encoder.encode([each.text for each in whole], progress)
    centre, scale = _scaling(vectors[: len(examples)])
    texts = _arrays((vectors - centre) / scale, whole, len(examples))

    # Thousands of small products: on a busy machine, threads that wait for each other make them ten times slower.
    with threadpool_limits(limits=1):
        competences, curves, threshold, of_competences = _fit_competences(texts)
        told, levels, level_floor, of_levels = _fit_levels(texts)
    weights = np.hstack([competences.weights, told.weights, levels.weights]) / scale
    bias = np.hstack([competences.bias, told.bias, levels.bias]) - centre @ weights
    manifest = ReaderManifest(
        encoder=encoder.id,
        dim=encoder.dim,
        codes=list(framework().codes),
        threshold=threshold,
        digital_floor=FLOOR,
        level_floor=level_floor,
        trained_on={"texts": len(examples), "composed": len(whole) - len(examples)},
        metrics=of_competences | of_levels,
        seed=SEED,
    )
    of_skills = encoder.encode([each.text for each in skills], progress)
    curve = _skill_curve(vectors[: len(examples)], examples, of_skills, skills)
    return {"weights": weights, "bias": bias, "curves": curves, "skill_curve": curve}, manifest


def save(folder: Path, arrays: dict[str, Floats], manifest: ReaderManifest) -> None:
    """Write a reader and then its manifest, each whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    content = skops.io.dumps(arrays)
    versions = {"scikit-learn": sklearn.__version__, "skops": skops.__version__}
    complete = replace(manifest, versions=versions, sha256=hashlib.sha256(content).hexdigest())
    write(folder / "reader.skops", content)
    write(folder / "manifest.json", (json.dumps(asdict(complete), indent=2) + "\n").encode())


def fit_and_save(models: Path, encoder: Encoder, progress: Progress | None = None) -> CompetenceReader:
    """Fit on the shipped texts, write the reader into `models`, and return it."""
    arrays, manifest = fit(encoder, read_examples(), digital_skills(), progress)
    save(models / FOLDER, arrays, manifest)
    return CompetenceReader(**arrays, manifest=manifest)


def _scaling(vectors: NDArray[np.float32]) -> tuple[Floats, float]:
    """Return the mean, and the root mean square distance from it: encoders differ in how near all their texts are."""
    centre = vectors.mean(axis=0, dtype=np.float64)
    return centre, float(np.sqrt(((vectors - centre) ** 2).sum(axis=1).mean()))


def _arrays(vectors: Floats, examples: Sequence[Example], written: int) -> Texts:
    labels = np.array([[code in each.codes for code in framework().codes] for each in examples])
    groups = sorted({group for each in examples for group in each.groups})
    random.Random(SEED).shuffle(groups)  # noqa: S311
    fold = {group: place % FOLDS for place, group in enumerate(groups)}
    return Texts(
        vectors,
        np.hstack([labels, ~labels.any(axis=1, keepdims=True)]),
        np.array([each.level or 0 for each in examples]),
        np.array([each.weight for each in examples]),
        np.array([[number in [fold[group] for group in each.groups] for each in examples] for number in range(FOLDS)]),
        written,
    )


def _fit_competences(texts: Texts) -> tuple[Linear, Floats, float, dict[str, float]]:
    """Return the outputs, their two calibration curves, the threshold for naming, and figures."""
    labels, digital = texts.classes[: texts.written, :-1], ~texts.classes[: texts.written, -1]

    def fitted(strength: float, rows: Mask) -> Linear:
        places, classes = np.nonzero(texts.classes & rows[:, None])
        share = texts.weights[places] / texts.classes[places].sum(axis=1)
        return _regression(texts.vectors[places], classes, share, strength)

    tried = {
        strength: log_odds(texts.out_of_fold(lambda rows, strength=strength: fitted(strength, rows)))  # type: ignore[misc]
        for strength in STRENGTHS
    }
    precision = {strength: average_precision_score(labels, odds[:, :-1]) for strength, odds in tried.items()}
    best = max(precision, key=precision.__getitem__)
    odds = tried[best]
    curves = np.array([_curve(odds[:, :-1].ravel(), labels.ravel()), _curve(-odds[:, -1], digital)])
    chances = sigmoid(odds[:, :-1] * curves[0, 0] + curves[0, 1])
    seen = sigmoid(-odds[:, -1] * curves[1, 0] + curves[1, 1])
    named = {
        threshold: float(f1_score(labels, (chances >= threshold) & (seen >= FLOOR)[:, None], average="micro"))
        for threshold in THRESHOLDS
    }
    # F1 is flat around its best; there, naming one too many is undone by a click, and naming nothing helps nobody.
    threshold = min(each for each, value in named.items() if value >= max(named.values()) - FLAT)
    figures = {
        "macro_average_precision": float(precision[best]),
        "micro_f1": named[threshold],
        "brier": float(brier_score_loss(labels.ravel(), chances.ravel())),
        "digital_auroc": float(roc_auc_score(digital, seen)),
        "strength": best,
    }
    return fitted(best, np.ones(len(texts.weights), dtype=bool)), curves, threshold, figures


def _fit_levels(texts: Texts) -> tuple[Linear, Linear, float, dict[str, float]]:
    """Return the outputs "a level is told" and those of the levels, the floor for the first, and figures."""
    known, everything = texts.level > 0, np.ones(len(texts.level), dtype=bool)

    def told(rows: Mask) -> Linear:
        return _regression(texts.vectors[rows], known[rows], texts.weights[rows], TOLD_STRENGTH)

    def levels(strength: float, rows: Mask) -> Linear:
        rows = rows & known
        return _regression(texts.vectors[rows], texts.level[rows], texts.weights[rows], strength)

    true = texts.level[: texts.written]
    errors = {}
    for strength in STRENGTHS:
        outputs = texts.out_of_fold(lambda rows, strength=strength: levels(strength, rows))  # type: ignore[misc]
        errors[strength] = float(np.abs(softmax(outputs) @ LEVELS - true)[true > 0].mean())
    best = min(errors, key=errors.__getitem__)
    seen = sigmoid(texts.out_of_fold(told)[:, 0])
    floor = max(THRESHOLDS, key=lambda floor: float(f1_score(true > 0, seen >= floor)))
    figures = {
        "level_told_auroc": float(roc_auc_score(true > 0, seen)),
        "level_absolute_error": errors[best],
        "level_strength": best,
    }
    return told(everything), levels(best, everything), floor, figures


def _regression(vectors: Floats, classes: NDArray[np.generic], weights: Floats, strength: float) -> Linear:
    model = LogisticRegression(C=strength, max_iter=300).fit(vectors, classes, sample_weight=weights)
    return Linear(model.coef_.T, model.intercept_)


def _curve(logits: Floats, labels: Mask) -> tuple[float, float]:
    """Return factor and intercept of the sigmoid that turns logits into chances."""
    model = LogisticRegression(C=1e6).fit(logits[:, None], labels)
    return float(model.coef_[0, 0]), float(model.intercept_[0])


def _skill_curve(
    vectors: NDArray[np.float32],
    examples: Sequence[Example],
    of_skills: NDArray[np.float32],
    skills: Sequence[Skill],
) -> Floats:
    """Return what turns a likeness to a skill into the chance that the skill is meant.

    Nobody judged skills for these texts. A skill counts as meant here when it shares a competence with the text.
    """
    if not skills:
        return np.zeros(3)
    likeness = vectors @ of_skills.T
    places = np.argsort(-likeness, axis=1, kind="stable")[:, :NEAREST]
    right = [
        [bool(set(skills[place].codes) & set(each.codes)) for place in row]
        for each, row in zip(examples, places, strict=True)
    ]
    features = skill_features(likeness, places).reshape(-1, 2)
    model = LogisticRegression(C=1e4, max_iter=1000).fit(features, np.ravel(right))
    return np.append(model.coef_[0], model.intercept_)


if __name__ == "__main__":
    from recommender.bootstrap import load_parts
    from recommender.settings import load_settings

    settings = load_settings()
    print(json.dumps(fit_and_save(settings.models, load_parts(settings).encoder).manifest.metrics, indent=2))
