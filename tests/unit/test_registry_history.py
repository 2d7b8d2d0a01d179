"""Which model serves is one small file: it changes in one step, is never lost sight of, and can be taken back."""

import json
import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from recommender.errors import Forbidden, ModelRefused
from recommender.learning import promote, rollback
from recommender.registry import COLD_START, KEPT, Registry, save
from tests.synthetic import first_learner, first_manifest, write_first

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
PASSED = [{"key": "better_than_in_use", "passed": True, "numbers": {}}]
FAILED = [PASSED[0] | {"passed": False}, PASSED[0] | {"key": "monotone"}]


@pytest.fixture
def shipped(tmp_path: Path) -> Path:
    """Return the folder of the model that ships."""
    return write_first(tmp_path / "shipped")


@pytest.fixture
def registry(tmp_path: Path, shipped: Path) -> Registry:
    """Return a registry with the models m-1 to m-3, trained in that order."""
    made = Registry(tmp_path / "models", shipped)
    for number in (1, 2, 3):
        add(made, number)
    return made


def add(registry: Registry, number: int, gate: list[dict[str, object]] = PASSED) -> str:
    """Save one more model; return its id."""
    made_at = (NOW + timedelta(hours=number)).isoformat()
    manifest = replace(first_manifest(), id=f"m-{number}", made_at=made_at, gate=gate)
    return save(registry.folder / manifest.id, first_learner(), manifest).id


def test_the_first_model_serves_until_another_is_promoted(registry: Registry) -> None:
    """Training changes nothing; promoting acts at the next look, also for whoever held the old one."""
    assert registry.current()[0].id == COLD_START
    change = promote(registry, "m-1", "Ada", "", NOW)
    assert (change.id, change.before, change.by) == ("m-1", COLD_START, "Ada")
    assert registry.current()[0].id == "m-1"


def test_another_process_sees_a_promotion(registry: Registry, shipped: Path) -> None:
    """Whoever reads the same folder serves the new model from the next request on."""
    other = Registry(registry.folder, shipped)
    assert other.current()[0].id == COLD_START
    promote(registry, "m-2", "Ada", "", NOW)
    assert other.current()[0].id == "m-2"


def test_going_back_is_a_change_like_any_other(registry: Registry) -> None:
    """The model before serves again, and the history holds both changes with who and why."""
    promote(registry, "m-1", "Ada", "", NOW)
    promote(registry, "m-2", "Ada", "", NOW)
    rollback(registry, "Bo", "Seniors complained.", NOW)
    assert registry.current()[0].id == "m-1"
    assert [(each.before, each.id, each.by, each.reason) for each in registry.history()] == [
        (COLD_START, "m-1", "Ada", ""),
        ("m-1", "m-2", "Ada", ""),
        ("m-2", "m-1", "Bo", "Seniors complained."),
    ]


def test_going_back_to_the_first_model(registry: Registry) -> None:
    """The model that ships needs no gate: it served before there was one."""
    promote(registry, "m-1", "Ada", "", NOW)
    rollback(registry, "Ada", "", NOW)
    assert registry.current()[0].id == COLD_START


def test_there_is_nothing_before_the_first(registry: Registry) -> None:
    """Going back without a promotion is refused."""
    with pytest.raises(ModelRefused) as refused:
        rollback(registry, "Ada", "", NOW)
    assert refused.value.key == "model_first"


@pytest.mark.parametrize("reason", ["", "because", "   because of   x"])
def test_the_gate_needs_a_written_reason(registry: Registry, reason: str) -> None:
    """A model that did not pass is refused with the names of what failed, and the old one serves on."""
    add(registry, 4, FAILED)
    with pytest.raises(Forbidden) as refused:
        promote(registry, "m-4", "Ada", reason, NOW)
    assert refused.value.key == "gate_reason"
    assert refused.value.values == {"id": "m-4", "checks": "better_than_in_use", "least": 15}
    assert registry.current()[0].id == COLD_START


def test_a_written_reason_is_kept(registry: Registry) -> None:
    """Who overrules the gate signs for it."""
    add(registry, 4, FAILED)
    promote(registry, "m-4", "Ada", " The pilot needs it by Monday. ", NOW)
    assert registry.history()[-1].reason == "The pilot needs it by Monday."


def test_a_model_that_was_never_judged_has_not_passed(registry: Registry) -> None:
    """Taking the checks out of a manifest doesn't get a model past them."""
    add(registry, 4, [])
    with pytest.raises(Forbidden):
        promote(registry, "m-4", "Ada", "", NOW)


@pytest.mark.parametrize("model_id", ["m-9", "../models", "M-1", ""])
def test_a_model_that_is_not_there_is_refused(registry: Registry, model_id: str) -> None:
    """An id of nothing, or one that leads elsewhere, is refused by name."""
    with pytest.raises(ModelRefused) as refused:
        promote(registry, model_id, "Ada", "", NOW)
    assert refused.value.key == "model_unknown"


def test_promoting_what_serves_is_refused(registry: Registry) -> None:
    """Twice the same is no change, and the history doesn't grow."""
    promote(registry, "m-1", "Ada", "", NOW)
    with pytest.raises(ModelRefused) as refused:
        promote(registry, "m-1", "Ada", "", NOW)
    assert refused.value.key == "model_in_use"
    assert len(registry.history()) == 1


def test_the_last_five_are_kept(registry: Registry) -> None:
    """Old models go; the one in use, the one before it and the five newest others stay, and so does the history."""
    promote(registry, "m-1", "Ada", "", NOW)
    for number in range(4, 12):
        add(registry, number)
    promote(registry, "m-2", "Ada", "", NOW)
    left = {each.id for each in registry.models()}
    assert left == {COLD_START, "m-1", "m-2", *(f"m-{number}" for number in range(12 - KEPT, 12))}
    assert rollback(registry, "Ada", "", NOW).id == "m-1"
    assert len(registry.history()) == 3


def damage(path: Path) -> None:
    """Change one byte in the middle of a file."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("name", ["ranker.skops", "manifest.json"])
def test_a_damaged_model_is_not_promoted(registry: Registry, name: str) -> None:
    """It is read whole before anything points to it, so the old one serves on."""
    promote(registry, "m-1", "Ada", "", NOW)
    path = registry.folder / "m-2" / name
    damage(path) if name == "ranker.skops" else path.write_text("{")
    with pytest.raises(ModelRefused):
        promote(registry, "m-2", "Ada", "", NOW)
    assert registry.current()[0].id == registry.current_id() == "m-1"


def test_a_model_damaged_while_it_serves_goes_on_serving(registry: Registry, shipped: Path) -> None:
    """Who read it keeps it; who starts anew gets the one that ships instead of an error."""
    promote(registry, "m-1", "Ada", "", NOW)
    assert registry.current()[0].id == "m-1"
    damage(registry.folder / "m-1" / "ranker.skops")
    assert registry.current()[0].id == "m-1"
    assert Registry(registry.folder, shipped).current()[0].id == COLD_START


def test_when_the_next_model_is_damaged_the_old_one_serves(registry: Registry) -> None:
    """A pointer to a model that was damaged afterwards leaves the one that was read before."""
    promote(registry, "m-1", "Ada", "", NOW)
    registry.current()
    promote(registry, "m-2", "Ada", "", NOW)
    damage(registry.folder / "m-2" / "ranker.skops")
    assert registry.current()[0].id == "m-1"


@pytest.mark.parametrize("content", ["", "{", '[{"id": "m-1"}]', '{"id": "m-1"}'])
def test_a_damaged_pointer_never_stops_anybody(registry: Registry, shipped: Path, content: str) -> None:
    """What served goes on serving, a fresh start has the first model, and the history is never written over."""
    promote(registry, "m-1", "Ada", "", NOW)
    registry.current()
    (registry.folder / "CURRENT").write_text(content)
    assert registry.current()[0].id == "m-1"
    assert Registry(registry.folder, shipped).current()[0].id == COLD_START
    with pytest.raises(ModelRefused, match="CURRENT"):
        promote(registry, "m-2", "Ada", "", NOW)
    assert (registry.folder / "CURRENT").read_text() == content


def test_the_pointer_changes_in_one_step(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    """A crash before the last step leaves the old pointer whole, and the old model serving."""
    promote(registry, "m-1", "Ada", "", NOW)
    before = (registry.folder / "CURRENT").read_bytes()

    def crash(*_: object) -> None:
        raise OSError("the power went")

    with monkeypatch.context() as patched:
        patched.setattr(os, "replace", crash)
        with pytest.raises(OSError, match="power"):
            promote(registry, "m-2", "Ada", "", NOW)
    assert (registry.folder / "CURRENT").read_bytes() == before
    assert registry.current()[0].id == "m-1"
    assert os.stat(registry.folder / "CURRENT").st_mode & 0o777 == 0o644


def test_the_history_is_plain_to_read(registry: Registry) -> None:
    """The pointer is JSON with the last change last, so that people can read it without the product."""
    promote(registry, "m-1", "Ada", "", NOW)
    rows = json.loads((registry.folder / "CURRENT").read_text())
    assert rows == [{"id": "m-1", "before": COLD_START, "by": "Ada", "reason": "", "at": NOW.isoformat()}]
