"""What the product's own encoder adds to multilingual-e5-small: low-rank changes to its layers, learnt on skills.

The file holds, for each changed matrix, two thin ones whose product is the change (LoRA: Hu et al., 2021). It is added
once, when the encoder is unpacked; after that the model is an ordinary one and costs nothing more. How it was trained:
``scripts/tune_encoder.py`` and docs/adr/0011.
"""

import hashlib
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recommender.settings import ROOT

FILE = ROOT / "models" / "encoder" / "adapter.safetensors"
DOWN, UP = ".down", ".up"


def changes(path: Path = FILE) -> dict[str, NDArray[np.float32]]:
    """Return what to add to each weight, by its name in ``BertModel``."""
    from safetensors.numpy import load_file

    parts = load_file(path)
    names = [name.removesuffix(DOWN) for name in parts if name.endswith(DOWN)]
    return {name: parts[name + UP].astype(np.float32) @ parts[name + DOWN].astype(np.float32) for name in names}


@cache
def sha256(path: Path = FILE) -> str:
    """Return the hash of the file: another file makes another encoder, whose vectors don't mix."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
