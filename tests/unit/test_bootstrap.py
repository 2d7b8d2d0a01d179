"""Where a part can't be had, a labelled stand-in serves."""

from pathlib import Path

import pytest

from recommender import bootstrap
from recommender.encoder import CHARACTERS
from recommender.errors import EncoderUnavailable
from recommender.settings import Settings


class Broken:
    """An encoder that is there and doesn't load."""

    id, dim, genuine = "broken", 400, True

    def encode(self, texts, progress=None):  # type: ignore[no-untyped-def]
        """Fail as a damaged model does: at the first text."""
        raise EncoderUnavailable("encoder_load", name="broken", why="damaged")


def test_an_encoder_that_does_not_load_is_replaced_and_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Also when it fails at its first text only: people are told before they ask, and get character n-grams."""
    monkeypatch.setattr(bootstrap, "load_encoder", lambda *_: Broken())
    parts = bootstrap.load_parts(Settings(home=tmp_path, encoder="broken"))
    assert parts.encoder.id == CHARACTERS
    assert parts.notices == ("encoder_fallback",)
    assert "damaged" in str(parts.trouble[0])
    assert parts.doubt_below is None


def test_a_missing_ranker_is_replaced_and_told(tmp_path: Path) -> None:
    """Plain likeness orders, and the page says so."""
    parts = bootstrap.load_parts(Settings(home=tmp_path, encoder="hashing", models=tmp_path))
    assert parts.ranker().id == "similarity-only"
    assert parts.notices == ("encoder_test", "ranker_missing")
