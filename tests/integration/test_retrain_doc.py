"""What docs/retrain.md shows can be typed."""

import re
from pathlib import Path

import pytest
import typer.main

from recommender import gate, training
from recommender.cli import app
from tests.synthetic import feedback, write_snapshot

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "retrain.md").read_text(encoding="utf-8")


def test_the_python_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All blocks, one after another as in a notebook, on made-up feedback."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(training, "RECIPES", training.RECIPES[:1])
    write_snapshot(tmp_path / "data" / "local", feedback(60, 5))
    blocks = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    assert len(blocks) == 4
    names: dict[str, object] = {}
    for block in blocks:
        exec(compile(block, "retrain.md", "exec"), names)  # noqa: S102  # our own page
    assert set(names["table"]) == {"candidate", "in_use", "logged_order", "random_order"}  # type: ignore[call-overload]
    assert (tmp_path / "data" / "local" / "models" / "CURRENT").is_file()


def test_the_commands_exist() -> None:
    """Each command of the page is one, with the options that are shown."""
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    shown = re.findall(r"^telemachos ([a-z]+)(.*?)(?:#|$)", PAGE, re.MULTILINE)
    assert {name for name, _ in shown} == {"snapshot", "train", "models", "evaluate", "promote", "rollback"}
    for name, rest in shown:
        options = {option for each in commands[name].params for option in each.opts}
        assert set(re.findall(r"--[a-z]+", rest)) <= options, name


def test_the_checks_are_all_of_the_gate() -> None:
    """The table names every check, and no other."""
    source = Path(gate.__file__).read_text(encoding="utf-8")
    written = re.findall(r"^\| (`[a-z_`, ]+) \|", PAGE, re.MULTILINE)
    named = set(re.findall(r"`([a-z_]+)`", " ".join(written)))
    in_code = set(re.findall(r'Check\("([a-z_]+)"', source)) | {"not_below_similarity", "not_below_first_model"}
    assert named == in_code


@pytest.mark.parametrize("number", [training.ENOUGH_SLATES, training.ENOUGH_SENIORS])
def test_the_limits_are_those_of_the_code(number: int) -> None:
    """The page says how much feedback it takes."""
    limits = PAGE.split("## Limits")[1]
    assert re.search(rf"\b{number}\b", limits)
