"""What a text is about: the digital competences it asks for or offers, and the level it tells.

Works on vectors, not on texts: who asks has them already. All outputs together are one matrix product, so a hundred
thousand statements take a second. Which words mean what is nowhere written down: `competence_fit` learns it from
labelled texts. The names are those of the European framework DigComp, kept as data with its version and source.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recommender.errors import ModelRefused
from recommender.framework import framework
from recommender.kept_arrays import arrays_in, read_checked
from recommender.odds import log_odds, sigmoid, softmax

FOLDER = "competences"
"""Of the reader, within the folder of models."""
LEVELS = np.arange(1.0, 9.0)
"""Of DigComp."""

Floats = NDArray[np.float64]
Vectors = NDArray[np.float32]


@dataclass(frozen=True)
class Found:
    """What a text is about: the code of a competence, or the id of a skill, with the chance that it is, in [0, 1]."""

    code: str
    confidence: float


@dataclass(frozen=True)
class Reading:
    """What was read in one text, the surest first. Nothing found is "don't know"; a level of None is "not told"."""

    found: tuple[Found, ...]
    level: float | None


@dataclass(frozen=True)
class ReaderManifest:
    """What a reader file is, and what it was made from.

    `threshold`, `digital_floor` and `level_floor` are the chances from which a competence, anything at all, and a level
    are named. `metrics` are those of grouped cross-validation on the training texts.
    """

    encoder: str
    dim: int
    codes: list[str]
    threshold: float
    digital_floor: float
    level_floor: float
    trained_on: dict[str, int]
    metrics: dict[str, float]
    seed: int
    versions: dict[str, str] = field(default_factory=dict)
    sha256: str = ""


class CompetenceReader:
    """Reads competences and level from vectors.

    Parameters
    ----------
    weights : ndarray of shape (dim, n_codes + 10)
        Columns: the logits of each competence and of "nothing digital", which compete; the logit of "a level is
        told"; the logits of the levels 1 to 8, which compete.
    bias : ndarray of shape (n_codes + 10,)
        Added to the product.
    curves : ndarray of shape (2, 2)
        Calibration: factor and intercept for the logit of a competence, and for that of "anything digital".
    skill_curve : ndarray of shape (3,)
        Logit of a skill: weight of its cosine, weight of its standardised cosine, and intercept.
    manifest : ReaderManifest
        Codes, thresholds and dimension.
    """

    def __init__(
        self, weights: Floats, bias: Floats, curves: Floats, skill_curve: Floats, manifest: ReaderManifest
    ) -> None:
        self._weights, self._bias = weights.astype(np.float32), bias.astype(np.float32)
        self._curves, self._skill_curve, self.manifest = curves, skill_curve, manifest

    @property
    def encoder(self) -> str:
        """Id of the encoder whose vectors it reads."""
        return self.manifest.encoder

    @property
    def codes(self) -> tuple[str, ...]:
        """Codes of the columns of `chances`."""
        return tuple(self.manifest.codes)

    def chances(self, vectors: Vectors) -> Floats:
        """Return the chance that each text is about each competence.

        Parameters
        ----------
        vectors : ndarray of shape (n_texts, dim)
            Of the encoder the reader was fitted with. A row of zeros is a text without any evidence.

        Returns
        -------
        ndarray of shape (n_texts, n_codes)
            In [0, 1]. Rows don't add up to 1: a text may be about several competences, or none.

        Raises
        ------
        ModelRefused
            If the vectors have another dimension: they come from another encoder.
        """
        return self._split(vectors)[0]

    def digital(self, vectors: Vectors) -> Floats:
        """Return the chance that each text is about anything digital, shape ``(n_texts,)``."""
        return self._split(vectors)[1]

    def named(self, vectors: Vectors) -> Floats:
        """Return `chances`, but 0 for each that is too small to be named, so that "don't know" is a row of zeros."""
        chances, digital, _, _ = self._split(vectors)
        counts = (chances >= self.manifest.threshold) & (digital >= self.manifest.digital_floor)[:, None]
        return np.where(counts, chances, 0.0)

    def read(self, vectors: Vectors) -> list[Reading]:
        """Return what can be said of each text; the same vectors and errors as `chances`."""
        _, _, told, level = self._split(vectors)
        named = self.named(vectors)
        found: list[list[Found]] = [[] for _ in named]
        for row, column in np.argwhere(named):
            found[row].append(Found(self.manifest.codes[column], float(named[row, column])))
        return [
            Reading(
                tuple(sorted(each, key=lambda one: -one.confidence)),
                round(float(level[row]), 1) if told[row] >= self.manifest.level_floor else None,
            )
            for row, each in enumerate(found)
        ]

    def skills(
        self, vectors: Vectors, skill_vectors: Vectors, ids: Sequence[str], k: int = 5, floor: float = 0.0
    ) -> list[tuple[Found, ...]]:
        """Return the nearest digital skills of each text, the surest first.

        Parameters
        ----------
        vectors : ndarray of shape (n_texts, dim)
            As for `chances`.
        skill_vectors : ndarray of shape (n_skills, dim)
            Of the same encoder: `Skill.text` of each of `digital_skills`.
        ids : sequence of str
            `Skill.id` of each row of `skill_vectors`.
        k : int
            Skills for each text, at most.
        floor : float
            Confidence below which a skill is left out.
        """
        self._check(vectors)
        self._check(skill_vectors)
        likeness = vectors @ skill_vectors.T
        places = np.argsort(-likeness, axis=1, kind="stable")[:, :k]
        confidence = sigmoid(skill_features(likeness, places) @ self._skill_curve[:2] + self._skill_curve[2])
        confidence *= np.any(vectors, axis=1, keepdims=True)
        return [
            tuple(Found(ids[place], float(chance)) for place, chance in zip(*row, strict=True) if chance > floor)
            for row in zip(places, confidence, strict=True)
        ]

    def _split(self, vectors: Vectors) -> tuple[Floats, Floats, Floats, Floats]:
        """Return chances, the chance of anything digital, the chance that a level is told, and the level."""
        self._check(vectors)
        # A text without evidence has a vector of zeros; the intercepts alone would call it something.
        some: NDArray[np.bool_] = np.asarray(vectors.any(axis=1, keepdims=True))
        outputs = (vectors @ self._weights + self._bias).astype(np.float64)
        n = len(self.manifest.codes) + 1
        logits = log_odds(outputs[:, :n])
        chances = sigmoid(logits[:, :-1] * self._curves[0, 0] + self._curves[0, 1]) * some
        digital = sigmoid(-logits[:, -1] * self._curves[1, 0] + self._curves[1, 1]) * some[:, 0]
        told = sigmoid(outputs[:, n]) * some[:, 0]
        return chances, digital, told, softmax(outputs[:, n + 1 :]) @ LEVELS

    def _check(self, vectors: Vectors) -> None:
        if vectors.ndim != 2 or vectors.shape[1] != self.manifest.dim:
            raise ModelRefused("reader_dimension", found=vectors.shape, expected=self.manifest.dim)


def skill_features(likeness: Vectors, places: NDArray[np.intp]) -> Floats:
    """Return what the confidence in a skill rests on, shape ``(n_texts, k, 2)``.

    The cosine, and how far it stands out among the text's cosines to all skills: a vague text is a little like all.
    """
    chosen = np.take_along_axis(likeness, places, axis=1)
    spread = likeness.std(axis=1, keepdims=True) + 1e-6
    return np.stack([chosen, (chosen - likeness.mean(axis=1, keepdims=True)) / spread], axis=-1).astype(np.float64)


def load_reader(folder: Path) -> CompetenceReader:
    """Read the reader of a folder, after checking its hash.

    Raises
    ------
    ModelRefused
        If a file is missing, damaged or changed, or it was made for another framework.
    """
    manifest, content = read_checked(folder, ReaderManifest)
    if tuple(manifest.codes) != framework().codes:
        raise ModelRefused("model_features", folder=folder, features=", ".join(manifest.codes))
    try:
        return CompetenceReader(**arrays_in(content, folder), manifest=manifest)
    except TypeError as error:
        raise ModelRefused("model_unreadable", folder=folder) from error
