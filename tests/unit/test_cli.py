"""Commands answer on stdout, talk on stderr, and refuse with exit code 1 and one sentence."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from recommender.cli import app
from recommender.features import FEATURES

RUNNER = CliRunner()
PEOPLE = (
    "id,naam,tekst,toestemming,talen\n"
    "j1,Jan Bos,Ik leg draaitabellen in Excel uit,ja,nl\n"
    'j2,Noa Vis,Filmpjes maken voor TikTok,ja,"nl, en"\n'
)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty home folder; the test encoder is in use."""
    monkeypatch.setenv("TELEMACHOS_ENCODER", "hashing")
    monkeypatch.setenv("TELEMACHOS_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def imported(home: Path, tmp_path: Path) -> Path:
    """Return a home folder with two juniors."""
    (tmp_path / "people.csv").write_text(PEOPLE, encoding="utf-8")
    assert RUNNER.invoke(app, ["import", str(tmp_path / "people.csv"), "--as", "juniors"]).exit_code == 0
    return home


def test_recommend_keeps_the_contract(imported: Path) -> None:
    """One JSON document with these names; contributions and intercept are the score."""
    result = RUNNER.invoke(app, ["recommend", "draaitabellen", "--json", "-k", "2"])
    document = json.loads(result.stdout)
    names = {"request_id", "model_id", "encoder", "understood", "intercept", "suggestions", "excluded", "doubtful"}
    assert set(document) == names
    first = document["suggestions"][0]
    assert set(first) == {"rank", "junior_id", "name", "score", "contributions", "evidence", "minus"}
    assert (first["rank"], first["junior_id"]) == (1, "j1")
    assert set(first["contributions"]) == set(FEATURES)
    assert sum(first["contributions"].values()) + document["intercept"] == pytest.approx(first["score"], abs=1e-6)


def test_the_test_encoder_is_labelled(imported: Path) -> None:
    """Nobody takes the hashing encoder for the real one."""
    assert "test model" in RUNNER.invoke(app, ["recommend", "excel"]).stderr


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (["recommend", "  "], "own words"),
        (["recommend", "excel", "--senior", "s9"], "s9"),
        (["import", "nowhere.csv", "--as", "juniors"], "nowhere.csv"),
        (["rank", "nowhere", "--run", "out.tsv"], "nowhere"),
    ],
)
def test_refusals(home: Path, command: list[str], words: str) -> None:
    """What can't be used is refused in a sentence with the value in it, without a traceback."""
    result = RUNNER.invoke(app, command)
    assert result.exit_code == 1
    assert words in result.stderr
    assert "Traceback" not in result.output


def test_wrong_usage_is_exit_2(home: Path) -> None:
    """An unknown kind of people is wrong usage, not bad input."""
    assert RUNNER.invoke(app, ["import", "x.csv", "--as", "mentors"]).exit_code == 2


def test_an_unknown_setting_is_refused(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A typing error in a variable is told, not passed over."""
    monkeypatch.setenv("TELEMACHOS_ENCODR", "hashing")
    result = RUNNER.invoke(app, ["doctor"])
    assert result.exit_code == 1
    assert "TELEMACHOS_ENCODR" in result.stderr


def test_one_bad_row_stores_nothing(home: Path, tmp_path: Path) -> None:
    """All or nothing: the good row waits until the bad one is mended, or --keep-good."""
    (tmp_path / "mixed.csv").write_text(PEOPLE + "j3,,Zonder naam,ja,nl\n", encoding="utf-8")
    command = ["import", str(tmp_path / "mixed.csv"), "--as", "juniors", "--json"]
    refused = RUNNER.invoke(app, command)
    assert refused.exit_code == 1
    assert json.loads(refused.stdout)["stored"] == 0
    assert not (home / "telemachos.duckdb").exists()
    assert "Row 4" in (tmp_path / "mixed.refused.csv").read_text(encoding="utf-8-sig") or "4" in refused.stdout
    kept = RUNNER.invoke(app, [*command, "--keep-good"])
    assert json.loads(kept.stdout)["stored"] == 2


def test_dry_run_stores_nothing(home: Path, tmp_path: Path) -> None:
    """A dry run reports and leaves no database behind."""
    (tmp_path / "people.csv").write_text(PEOPLE, encoding="utf-8")
    result = RUNNER.invoke(app, ["import", str(tmp_path / "people.csv"), "--as", "juniors", "--dry-run", "--json"])
    assert json.loads(result.stdout)["accepted"] == 2
    assert not (home / "telemachos.duckdb").exists()


def test_rank_writes_a_run(home: Path, tmp_path: Path) -> None:
    """Each query gets its candidates with falling scores, and the right one first."""
    folder = tmp_path / "bench"
    folder.mkdir()
    rows = [{"id": "c1", "text": "draaitabellen in Excel"}, {"id": "c2", "text": "filmpjes op TikTok"}]
    (folder / "candidates.jsonl").write_text("\n".join(map(json.dumps, rows)))
    (folder / "queries.jsonl").write_text(json.dumps({"id": "q1", "text": "tiktok filmpjes", "lang": "nl"}))
    out = tmp_path / "out.tsv"
    assert RUNNER.invoke(app, ["rank", str(folder), "--run", str(out)]).exit_code == 0
    lines = [line.split("\t") for line in out.read_text().splitlines()]
    assert [line[:2] for line in lines] == [["q1", "c2"], ["q1", "c1"]]
    assert float(lines[0][2]) > float(lines[1][2])


def test_chat_plays_a_script(imported: Path, tmp_path: Path) -> None:
    """A scripted conversation gives a JSON line a turn, from greeting to sent, and undo works."""
    script = tmp_path / "script.txt"
    script.write_text("ik wil draaitabellen leren\n1\nnee\nmeer\n1\nja\nongedaan\n", encoding="utf-8")
    result = RUNNER.invoke(app, ["chat", "--script", str(script), "--json"])
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert [line["act"] for line in lines] == ["greeting", "goal", "pick", "back", "more", "pick", "confirm", "undo"]
    assert [line["state"] for line in lines][-2:] == ["sent", "checking"]
    assert lines[1]["suggestions"][0]["junior_id"] == "j1"
    assert all(set(line) == {"act", "state", "reply", "suggestions"} and line["reply"] for line in lines)


def test_doctor_says_what_is_in_use(imported: Path) -> None:
    """Counts and names, and exit 1 because a stand-in serves."""
    result = RUNNER.invoke(app, ["doctor", "--json"])
    facts = json.loads(result.stdout)
    assert (facts["encoder"], facts["juniors"]) == ("hashing", 2)
    assert result.exit_code == 1
