"""What the documents say exists, exists."""

import re
from pathlib import Path

import pytest
import typer.main

from recommender.cli import app
from recommender.settings import PREFIX, Settings

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *ROOT.glob("docs/**/*.md")]
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_files_and_make_targets_exist(path: Path) -> None:
    """Each linked file is there, and each `make` word is a target."""
    text = path.read_text(encoding="utf-8")
    for link in re.findall(r"\]\(([^)#]+)\)", text):
        if not link.startswith("http"):
            assert (path.parent / link).exists(), link
    for target in re.findall(r"`?make ([a-z][a-z0-9-]+)", " ".join(re.findall(r"`[^`]+`|```.*?```", text, re.DOTALL))):
        assert re.search(rf"^{target}:", MAKEFILE, re.MULTILINE), target


def test_settings_table_is_complete() -> None:
    """Each setting is in the README, and each variable in the README is a setting."""
    named = set(re.findall(rf"`({PREFIX}[A-Z_]+)`", README))
    assert named == {f"{PREFIX}{name}".upper() for name in Settings.model_fields}


def test_every_command_has_help_and_is_in_the_changelog() -> None:
    """`telemachos --help` tells what each command does, and users were told that it exists."""
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    for name, command in typer.main.get_command(app).commands.items():  # type: ignore[attr-defined]
        assert command.help, name
        assert re.search(rf"`(telemachos )?{name}`", changelog), name


def test_commands_in_the_readme_exist() -> None:
    """Nobody copies a command that isn't there."""
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    for name in re.findall(r"telemachos ([a-z][a-z-]+)", README):
        assert name in commands, name


def test_every_glossary_word_is_used() -> None:
    """The glossary holds no word that the code has dropped."""
    code = "\n".join(path.read_text(encoding="utf-8") for path in ROOT.glob("recommender/**/*.py"))
    glossary = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
    for row in re.findall(r"^\| (`.+?) \|", glossary, re.MULTILINE):
        for word in re.findall(r"`([a-z]+)`", row):
            assert re.search(rf"\b{word}", code, re.IGNORECASE), word


def test_nothing_names_a_machine() -> None:
    """No document or script names a path of somebody's machine or a package registry."""
    for path in [*DOCUMENTS, *ROOT.glob("scripts/*"), ROOT / "Makefile", ROOT / "constraints.txt"]:
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"/(work|home|root|Users)/|pypi\.org|pythonhosted|registry\.npmjs", text), path
