"""Ranker files: skops, never pickle, with a manifest whose hash must fit before anything is loaded.

The ranker of the first day ships with the product. Those that an organisation trains live in its home folder, and one
small file says which of them is in use. Every write is whole or not at all.
"""

import contextlib
import hashlib
import json
import re
import shutil
import threading
import warnings
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import sklearn
import skops.io
from sklearn.exceptions import InconsistentVersionWarning

from recommender.errors import ModelRefused
from recommender.features import FEATURES
from recommender.files import write
from recommender.learners import AdditiveTrees, CarefulLogit
from recommender.ranker import AdditiveRanker

COLD_START = "cold-start"
KEPT = 5
"""Models beside the one in use that are kept for going back."""

TRUSTED = ["recommender.learners.AdditiveTrees", "recommender.learners.CarefulLogit"]
"""Types beyond the defaults of skops that a ranker file may hold. Never taken from the file itself."""

Learner = AdditiveTrees | CarefulLogit


@dataclass(frozen=True)
class Manifest:
    """What a ranker file is, and what it was made from.

    `metrics` holds, for each collection, a table of numbers by name; `snapshot` the id and hash of the feedback it was
    trained on (empty for the first ranker); `fairness` figures about groups and exposure, none of which is a feature.
    """

    id: str
    encoder: str
    features: list[str]
    trained_on: dict[str, int]
    metrics: dict[str, dict[str, float]]
    seed: int
    learner: str = "CarefulLogit"
    calibrated: bool = False
    doubt_below: float | None = None
    snapshot: dict[str, str] = field(default_factory=dict)
    parent: str = ""
    fairness: dict[str, float] = field(default_factory=dict)
    gate: list[dict[str, Any]] = field(default_factory=list)
    made_at: str = ""
    versions: dict[str, str] = field(default_factory=dict)
    sha256: str = ""


@dataclass(frozen=True)
class Promotion:
    """Which model is in use since when, who put it there and why; `before` is what it replaced."""

    id: str
    before: str
    by: str
    reason: str
    at: str


def save(folder: Path, learner: Learner, manifest: Manifest) -> Manifest:
    """Write a ranker and then its manifest, each whole or not at all; return the manifest with hash and versions."""
    folder.mkdir(parents=True, exist_ok=True)
    content = skops.io.dumps(learner)
    complete = replace(
        manifest,
        learner=type(learner).__name__,
        sha256=hashlib.sha256(content).hexdigest(),
        versions={"scikit-learn": sklearn.__version__, "skops": skops.__version__},
    )
    write(folder / "ranker.skops", content)
    write(folder / "manifest.json", (json.dumps(asdict(complete), indent=2) + "\n").encode())
    return complete


def read_manifest(folder: Path) -> Manifest:
    """Read what a model folder says of itself.

    Raises
    ------
    ModelRefused
        If it is missing or damaged.
    """
    try:
        return Manifest(**json.loads((folder / "manifest.json").read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise ModelRefused("model_unreadable", folder=folder) from error


def load(folder: Path) -> tuple[AdditiveRanker, Manifest]:
    """Read a ranker after checking its hash, its features and the versions it was made with.

    Raises
    ------
    ModelRefused
        If any of these don't fit, or a file is missing or damaged.
    """
    manifest, learner = read_manifest(folder), load_learner(folder)
    curves = dict(zip(FEATURES, learner.curves(), strict=True))
    return AdditiveRanker(manifest.id, manifest.encoder, learner.intercept_, curves, manifest.calibrated), manifest


def load_learner(folder: Path) -> Learner:
    """Read the fitted classifier of a model folder, with the checks of `load`."""
    manifest = read_manifest(folder)
    try:
        content = (folder / "ranker.skops").read_bytes()
    except OSError as error:
        raise ModelRefused("model_unreadable", folder=folder) from error
    if hashlib.sha256(content).hexdigest() != manifest.sha256:
        raise ModelRefused("model_changed", folder=folder)
    if tuple(manifest.features) != FEATURES:
        raise ModelRefused("model_features", folder=folder, features=", ".join(manifest.features))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", InconsistentVersionWarning)
            learner = skops.io.loads(content, trusted=TRUSTED)
    except (InconsistentVersionWarning, skops.io.exceptions.UntrustedTypesFoundException, BadZipFile) as error:
        raise ModelRefused("model_unreadable", folder=folder) from error
    if not isinstance(learner, AdditiveTrees | CarefulLogit):
        raise ModelRefused("model_unreadable", folder=folder)
    return learner


class Registry:
    """The models of one organisation, and which of them is in use. Safe to share between threads and processes.

    Parameters
    ----------
    folder : Path
        Where trained models live; made when the first one is saved.
    shipped : Path
        Folder with the ranker that came with the product.
    """

    def __init__(self, folder: Path, shipped: Path) -> None:
        self.folder, self._shipped = folder, shipped
        self._lock = threading.Lock()
        self._held: tuple[str, AdditiveRanker, Manifest] | None = None

    def current_id(self) -> str:
        """Return the id of the model in use; before any promotion it is the first one."""
        promotions = self.history()
        return promotions[-1].id if promotions else COLD_START

    def current(self) -> tuple[AdditiveRanker, Manifest]:
        """Return the model in use. Costs a look at one small file, so a promotion acts at the next request.

        A model that can't be read is passed over for the one that ships; one that was read before goes on serving.

        Raises
        ------
        ModelRefused
            If not even the one that ships can be read.
        """
        with self._lock:
            try:
                wanted = self.current_id()
            except ModelRefused:  # the pointer is damaged: what serves goes on serving
                wanted = self._held[0] if self._held else COLD_START
            if self._held is None or self._held[0] != wanted:
                try:
                    self._held = (wanted, *load(self.folder_of(wanted)))
                except ModelRefused:
                    if self._held is None:
                        self._held = (wanted, *load(self.folder_of(COLD_START)))
            return self._held[1], self._held[2]

    def folder_of(self, model_id: str) -> Path:
        """Return the folder of a model.

        Raises
        ------
        ModelRefused
            If the id could not be the name of a folder here.
        """
        if model_id == COLD_START:
            return self._shipped / COLD_START
        if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,60}", model_id):
            raise ModelRefused("model_unknown", id=model_id)
        return self.folder / model_id

    def models(self) -> list[Manifest]:
        """Return what is known of every readable model, the newest first, the one that ships last."""
        found = []
        for each in self.folder.iterdir() if self.folder.is_dir() else ():
            if (each / "manifest.json").is_file():
                with contextlib.suppress(ModelRefused):
                    found.append(read_manifest(each))
        found.sort(key=lambda each: each.made_at, reverse=True)
        return [*found, read_manifest(self.folder_of(COLD_START))]

    def history(self) -> list[Promotion]:
        """Return every change of the model in use, oldest first.

        Raises
        ------
        ModelRefused
            If the file is there and can't be read: it is never written over.
        """
        path = self.folder / "CURRENT"
        if not path.exists():
            return []
        try:
            return [Promotion(**row) for row in json.loads(path.read_text(encoding="utf-8"))]
        except (OSError, ValueError, TypeError) as error:
            raise ModelRefused("model_history", path=path) from error

    def promote(self, model_id: str, by: str, reason: str, at: datetime) -> Promotion:
        """Put a model to use, after reading it whole.

        Raises
        ------
        ModelRefused
            If it can't be read, or is in use already.
        """
        if not (self.folder_of(model_id) / "manifest.json").is_file():
            raise ModelRefused("model_unknown", id=model_id)
        before = self.current_id()
        if model_id == before:
            raise ModelRefused("model_in_use", id=model_id)
        load(self.folder_of(model_id))
        change = Promotion(model_id, before, by, reason, at.isoformat())
        self._point([*self.history(), change])
        self._prune()
        return change

    def rollback(self, by: str, reason: str, at: datetime) -> Promotion:
        """Go back to the model that served before the one in use.

        Raises
        ------
        ModelRefused
            If there is none, or it can't be read any more.
        """
        changes = self.history()
        if not changes:
            raise ModelRefused("model_first")
        return self.promote(changes[-1].before, by, reason, at)

    def _point(self, changes: list[Promotion]) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        write(self.folder / "CURRENT", (json.dumps([asdict(each) for each in changes], indent=2) + "\n").encode())

    def _prune(self) -> None:
        """Remove all but the newest models; those in use now or just before stay."""
        changes = self.history()
        wanted = {changes[-1].id, changes[-1].before}
        own = [each.id for each in self.models() if each.id != COLD_START and each.id not in wanted]
        for model_id in own[KEPT:]:
            shutil.rmtree(self.folder_of(model_id), ignore_errors=True)
