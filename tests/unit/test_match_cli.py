"""``telemachos match``: a whole group from the command line, with one document on stdout."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from recommender.cli import app

RUNNER = CliRunner()
JUNIORS = "id,naam,tekst,toestemming,talen\nj1,Jan Bos,Ik leg Excel uit,ja,nl\nj2,Noa Vis,Filmpjes maken,ja,nl\n"
SENIORS = (
    "id,naam,tekst,toestemming,talen\n"
    "s1,Els Ruiter,Excel leren,ja,nl\ns2,Piet Top,Filmpjes leren maken,ja,nl\ns3,Bo Jansen,Excel leren,ja,nl\n"
)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a home with two who explain and three who want to learn."""
    monkeypatch.setenv("TELEMACHOS_ENCODER", "hashing")
    monkeypatch.setenv("TELEMACHOS_HOME", str(tmp_path / "home"))
    for kind, text in (("juniors", JUNIORS), ("seniors", SENIORS)):
        file = tmp_path / f"{kind}.csv"
        file.write_text(text, encoding="utf-8")
        assert RUNNER.invoke(app, ["import", str(file), "--as", kind]).exit_code == 0
    return tmp_path / "home"


def match(*words: str) -> dict[str, Any]:
    """Run the command and return its document."""
    result = RUNNER.invoke(app, ["match", "--json", *words])
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def test_everybody_who_can_is_matched_and_the_rest_is_explained() -> None:
    """Two places for three people: two pairs, and one more place would help the third."""
    found = match()
    assert (found["state"], found["matched"], found["violations"]) == ("draft", 2, [])
    assert {each["junior_id"] for each in found["pairs"]} == {"j1", "j2"}
    (left,) = found["left_over"]
    assert left["reason"] == "all_taken"
    assert left["change"]["kind"] == "one_more_place"


def test_a_draft_is_run_again_with_another_aim_and_published() -> None:
    """The same round keeps its id; after publication it can't be run any more, in one sentence."""
    first = match("--name", "Voorjaar")
    again = match("--round", first["round_id"], "--aim", "fairest")
    assert (again["round_id"], again["aim"]) == (first["round_id"], "fairest")
    assert match("--round", first["round_id"], "--publish")["state"] == "published"
    result = RUNNER.invoke(app, ["match", "--round", first["round_id"]])
    assert result.exit_code == 1
    assert "published already" in " ".join(result.stderr.split())


def test_it_is_told_in_lines() -> None:
    """Names, ids and a last line with the counts."""
    result = RUNNER.invoke(app, ["match"])
    assert "Piet Top (s2) - Noa Vis (j2)" in result.stdout
    assert "2 pairs, 1 people left over, 0 rules broken" in result.stdout


@pytest.mark.parametrize(("words", "code"), [(["--round", "nope"], 1), (["--aim", "luck"], 2)])
def test_refusals(words: list[str], code: int) -> None:
    """An unknown round is refused by name, an unknown aim is wrong usage."""
    result = RUNNER.invoke(app, ["match", *words])
    assert result.exit_code == code
    assert words[1] in result.stderr
