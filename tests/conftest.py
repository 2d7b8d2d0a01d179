"""Fixtures for every folder of tests."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

# Before any library is imported: no test may look for a model on a hub.
os.environ["HF_HUB_OFFLINE"] = os.environ["TRANSFORMERS_OFFLINE"] = "1"

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def encoder_home() -> Path:
    """Return a home folder with the default encoder unpacked; a minute the first time, kept between runs."""
    from recommender.weights import prepare

    home = ROOT / "data/local/test-home"
    prepare(home)
    return home


# How long an example takes says something about the machine, not about the code.
settings.register_profile("telemachos", deadline=None)
settings.load_profile("telemachos")
