"""Ranker files: skops, never pickle, with a manifest whose hash must fit before anything is loaded."""

import hashlib
import json
import os
import tempfile
import warnings
from dataclasses import asdict, dataclass, field
from pathlib import Path
from zipfile import BadZipFile

import sklearn
import skops.io
from sklearn.exceptions import InconsistentVersionWarning

from recommender.errors import ModelRefused
from recommender.features import TEXT_FEATURES
from recommender.ranker import AdditiveRanker

COLD_START = "cold-start"

TRUSTED: list[str] = []
"""Types beyond the defaults of skops that a ranker file may hold: none. Never taken from the file itself."""


@dataclass(frozen=True)
class Manifest:
    """What a ranker file is, and what it was made from."""

    id: str
    encoder: str
    text_features: list[str]
    trained_on: dict[str, int]
    metrics: dict[str, dict[str, float]]
    seed: int
    doubt_below: float | None = None
    versions: dict[str, str] = field(default_factory=dict)
    sha256: str = ""


def save(folder: Path, ranker: AdditiveRanker, manifest: Manifest) -> None:
    """Write a ranker and then its manifest, each whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    content = skops.io.dumps(ranker.text_model)
    complete = asdict(manifest) | {
        "sha256": hashlib.sha256(content).hexdigest(),
        "versions": {"scikit-learn": sklearn.__version__, "skops": skops.__version__},
    }
    _write(folder / "ranker.skops", content)
    _write(folder / "manifest.json", (json.dumps(complete, indent=2) + "\n").encode())


def load(folder: Path) -> tuple[AdditiveRanker, Manifest]:
    """Read a ranker after checking its hash, its features and the versions it was made with.

    Raises
    ------
    ModelRefused
        If any of these don't fit, or a file is missing or damaged.
    """
    try:
        manifest = Manifest(**json.loads((folder / "manifest.json").read_text(encoding="utf-8")))
        content = (folder / "ranker.skops").read_bytes()
    except (OSError, ValueError, TypeError) as error:
        raise ModelRefused("model_unreadable", folder=folder) from error
    if hashlib.sha256(content).hexdigest() != manifest.sha256:
        raise ModelRefused("model_changed", folder=folder)
    if tuple(manifest.text_features) != TEXT_FEATURES:
        raise ModelRefused("model_features", folder=folder, features=", ".join(manifest.text_features))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", InconsistentVersionWarning)
            model = skops.io.loads(content, trusted=TRUSTED)
    except (InconsistentVersionWarning, skops.io.exceptions.UntrustedTypesFoundException, BadZipFile) as error:
        raise ModelRefused("model_unreadable", folder=folder) from error
    return AdditiveRanker(manifest.id, manifest.encoder, model), manifest


def _write(path: Path, content: bytes) -> None:
    """Replace a file in one step, so that a reader sees the old or the new one."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.chmod(temporary, 0o644)
    os.replace(temporary, path)
