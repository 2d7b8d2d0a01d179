"""Reading a model that is kept as arrays: a manifest, and a file whose hash it holds. Nothing in it is executed."""

import hashlib
import json
from pathlib import Path
from typing import Any, Protocol, TypeVar
from zipfile import BadZipFile

import skops.io

from recommender.errors import ModelRefused


class HasHash(Protocol):
    """A manifest that tells the hash of its file."""

    @property
    def sha256(self) -> str:
        """Of the file, in hexadecimal."""


M = TypeVar("M", bound=HasHash)


def read_checked(folder: Path, manifest_type: type[M]) -> tuple[M, bytes]:
    """Return the manifest of a folder and the content of its ``reader.skops``.

    Raises
    ------
    ModelRefused
        If a file is missing or damaged, or the content isn't that which the manifest is about.
    """
    try:
        manifest = manifest_type(**json.loads((folder / "manifest.json").read_text(encoding="utf-8")))
        content = (folder / "reader.skops").read_bytes()
    except (OSError, ValueError, TypeError) as error:
        raise ModelRefused("model_unreadable", folder=folder) from error
    if hashlib.sha256(content).hexdigest() != manifest.sha256:
        raise ModelRefused("model_changed", folder=folder)
    return manifest, content


def arrays_in(content: bytes, folder: Path) -> dict[str, Any]:
    """Return the arrays of a file by name; raise `ModelRefused` if it holds anything else."""
    try:
        arrays: dict[str, Any] = skops.io.loads(content, trusted=[])
    except (skops.io.exceptions.UntrustedTypesFoundException, BadZipFile, TypeError, ValueError) as error:
        raise ModelRefused("model_unreadable", folder=folder) from error
    return arrays
