"""The ranker is additive and monotone, and its file is refused unless it is what it was."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommender import files, registry
from recommender.errors import ModelRefused
from recommender.features import FEATURES, FIT_FEATURES, NEUTRAL, TEXT_FEATURES
from recommender.ranker import PRIORS, AdditiveRanker, similarity_only
from recommender.settings import Settings

SHIPPED = Settings().models / registry.COLD_START


def shipped() -> AdditiveRanker:
    """Return the ranker that ships."""
    return registry.load(SHIPPED)[0]


ROWS = st.lists(
    st.tuples(*[st.floats(-3, 8)] * len(TEXT_FEATURES), *[st.floats(0, 1)] * len(FIT_FEATURES)), min_size=1, max_size=20
)


@given(ROWS)
def test_contributions_add_up(rows: list[tuple[float, ...]]) -> None:
    """The parts and the intercept are the score, for any features."""
    features, ranker = np.array(rows), shipped()
    parts = ranker.contributions(features)
    np.testing.assert_allclose(parts.sum(axis=1) + ranker.intercept, ranker.score(features), atol=1e-9)


@given(ROWS, st.sampled_from(FEATURES), st.floats(0, 3))
def test_better_is_never_worse(rows: list[tuple[float, ...]], name: str, more: float) -> None:
    """Raising one feature never lowers a score: that holds for what was fitted, too."""
    worse = np.array(rows)
    better = worse.copy()
    better[:, FEATURES.index(name)] += more
    assert (shipped().score(better) >= shipped().score(worse) - 1e-9).all()


def test_unknown_circumstances_add_nothing() -> None:
    """What is neutral is neither a reason nor a minus."""
    row = np.array([[0.0] * len(TEXT_FEATURES) + [NEUTRAL] * len(FIT_FEATURES)])
    assert not shipped().contributions(row).any()


def test_text_score_is_the_score_without_circumstances() -> None:
    """Benchmarks are ranked by the same weights as people."""
    text = np.random.default_rng(0).normal(size=(5, len(TEXT_FEATURES)))
    neutral = np.full((5, len(FIT_FEATURES)), NEUTRAL)
    ranker = shipped()
    np.testing.assert_allclose(ranker.text_score(text), ranker.score(np.hstack([text, neutral])))


def test_every_circumstance_has_a_positive_prior() -> None:
    """The priors are about these features, and each of them helps."""
    assert set(PRIORS) == set(FIT_FEATURES)
    assert min(PRIORS.values()) > 0


def test_similarity_only_orders_by_likeness() -> None:
    """Without a fitted ranker the best statement decides, other texts don't."""
    text = np.array([[1.0, 0, 0], [0, 9.0, 9.0]])
    assert similarity_only().text_score(text).argmax() == 0


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Return a folder with a saved ranker."""
    registry.save(tmp_path, registry.load_learner(SHIPPED), registry.read_manifest(SHIPPED))
    return tmp_path


def test_saved_and_loaded_is_the_same(copy: Path) -> None:
    """Weights survive the file to the last bit."""
    assert registry.load(copy)[0].spans == shipped().spans


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"sha256": "0" * 64}, "was changed"),
        ({"features": ["wording", "best_statement", "whole_profile"]}, "other features"),
        ({"unheard_of": 1}, "can't be read"),
    ],
)
def test_a_manifest_that_does_not_fit_is_refused(copy: Path, change: dict[str, object], words: str) -> None:
    """Another hash, another order of features or an unknown entry: nothing is loaded."""
    manifest = json.loads((copy / "manifest.json").read_text()) | change
    (copy / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(ModelRefused, match=words):
        registry.load(copy)


@pytest.mark.parametrize("place", [0, 100, -5])
def test_a_flipped_bit_is_refused(copy: Path, place: int) -> None:
    """A file that is not the one the manifest tells of is not loaded."""
    content = bytearray((copy / "ranker.skops").read_bytes())
    content[place] ^= 1
    (copy / "ranker.skops").write_bytes(content)
    with pytest.raises(ModelRefused, match="was changed"):
        registry.load(copy)


def test_a_missing_ranker_is_refused_in_a_sentence(tmp_path: Path) -> None:
    """No file gives a named error, which callers answer with the labelled stand-in."""
    with pytest.raises(ModelRefused, match="can't be read"):
        registry.load(tmp_path)


def test_nothing_half_written_stays(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A crash while saving leaves the old ranker serving."""
    ranker, manifest = registry.load(copy)
    learner = registry.load_learner(copy)

    def crash(*_: object) -> None:
        raise OSError("no power")

    monkeypatch.setattr(files.os, "replace", crash)
    with pytest.raises(OSError, match="no power"):
        registry.save(copy, learner, manifest)
    monkeypatch.undo()
    assert registry.load(copy)[0].spans == ranker.spans
