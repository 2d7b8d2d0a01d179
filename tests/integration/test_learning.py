"""Feedback with a hidden rule of choice makes a better ranker, feedback without one makes none; each step shows."""

import json
import re
import time
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from recommender import jobs, learning, learning_cli, training
from recommender.errors import Forbidden, InputRefused
from recommender.features import FEATURES
from recommender.jobs import Status
from recommender.registry import COLD_START, Manifest, load
from tests.synthetic import feedback, write_first, write_snapshot

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
SNAPSHOT, SHUFFLED, LITTLE = "20260601-120000-abcdef", "20260602-120000-abcdef", "20260603-120000-abcdef"

app = typer.Typer()
learning_cli.register(app)
RUNNER = CliRunner()


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder with the model that ships."""
    return write_first(tmp_path_factory.mktemp("shipped"))


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a home folder with feedback that has a rule in it, with some that has none, and with next to nothing."""
    home = tmp_path_factory.mktemp("home")
    write_snapshot(home, feedback(), SNAPSHOT)
    write_snapshot(home, feedback(shuffled=True), SHUFFLED)
    write_snapshot(home, feedback(5, 2), LITTLE)
    return home


@pytest.fixture(scope="module")
def learnt(home: Path, shipped: Path) -> Manifest:
    """Return the model that was learnt from the rule."""
    return learning.train(home, SNAPSHOT, shipped=shipped)


@pytest.fixture(scope="module")
def unlearnt(home: Path, shipped: Path, learnt: Manifest) -> Manifest:
    """Return the model that was learnt from chance."""
    return learning.train(home, SHUFFLED, shipped=shipped)


@pytest.fixture
def at_start(home: Path) -> None:
    """Put the model that ships to use."""
    (home / "models" / "CURRENT").unlink(missing_ok=True)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Try one way of learning only, where it doesn't matter which."""
    monkeypatch.setattr(training, "RECIPES", training.RECIPES[:1])


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, home: Path, shipped: Path) -> None:
    """Let commands work in these folders."""
    monkeypatch.setenv("TELEMACHOS_HOME", str(home))
    monkeypatch.setenv("TELEMACHOS_MODELS", str(shipped))


def test_what_people_chose_makes_a_better_ranker(learnt: Manifest) -> None:
    """On seniors it never saw it beats the ranker of the first day and every plain order, and passes the gate."""
    assert learning.unpassed(learnt) == []
    mine = learnt.metrics["candidate"]
    assert mine["difference_low"] > 0
    assert mine["ndcg"] > max(line["ndcg"] for name, line in learnt.metrics.items() if name != "candidate")


def test_the_hidden_rule_is_found(home: Path, shipped: Path, learnt: Manifest) -> None:
    """What the rule looks at counts, and of what it doesn't look at hardly anything is left."""
    ranker, _ = load(learning.registry_of(home, shipped).folder_of(learnt.id))
    counts = {name: ranker.span(name) for name in FEATURES}
    assert min(counts[name] for name in ("competence", "gap", "days", "load")) > 0.5
    assert max(counts[name] for name in ("language", "place", "exchange", "experience")) < 0.5


def test_chance_makes_no_ranker(home: Path, shipped: Path, unlearnt: Manifest, at_start: None) -> None:
    """Where choices mean nothing the gate says no; it takes a written reason to put such a model to use."""
    assert "better_than_in_use" in learning.unpassed(unlearnt)
    registry = learning.registry_of(home, shipped)
    with pytest.raises(Forbidden):
        learning.promote(registry, unlearnt.id, "Ada", "no reason", NOW)
    learning.promote(registry, unlearnt.id, "Ada", "To see what happens in the test group.", NOW)
    assert registry.current_id() == unlearnt.id


def test_promoting_and_going_back(home: Path, shipped: Path, learnt: Manifest, at_start: None) -> None:
    """The new ranker orders from then on, and going back gives the very scores of before."""
    registry = learning.registry_of(home, shipped)
    features = np.random.default_rng(0).random((20, len(FEATURES)))
    before = registry.current()[0].score(features)
    learning.promote(registry, learnt.id, "Ada", "", NOW)
    assert (registry.current()[0].score(features) != before).any()
    assert registry.current()[0].calibrated
    learning.rollback(registry, "Ada", "", NOW)
    assert (registry.current()[0].score(features) == before).all()


def test_a_model_tells_what_it_was_made_from(home: Path, learnt: Manifest) -> None:
    """Snapshot with its hash, seed, parent, features, versions and counts: enough to make it again."""
    assert re.fullmatch(r"m-\d{8}-\d{6}-[0-9a-f]{4}", learnt.id)
    assert learnt.snapshot == {"id": SNAPSHOT, "sha256": learning.read(home, SNAPSHOT).info.sha256}
    assert (learnt.seed, learnt.parent, learnt.encoder) == (7, COLD_START, "hashing")
    assert tuple(learnt.features) == FEATURES
    assert set(learnt.versions) >= {"scikit-learn", "skops"}
    assert learnt.trained_on["trained_seniors"] + learnt.trained_on["held_out_seniors"] == 150


def test_figures_are_those_of_the_model(home: Path, shipped: Path, learnt: Manifest) -> None:
    """What the page draws is strict JSON, and its curves are those that rank."""
    folder = learning.registry_of(home, shipped).folder_of(learnt.id)
    figures = json.loads((folder / learning.FIGURES).read_text(), parse_constant=pytest.fail)
    assert figures == learning.read_figures(folder)
    ranker, _ = load(folder)
    for name, drawn in figures["curves"].items():
        np.testing.assert_allclose(ranker.curves[name](np.array(drawn["x"])), drawn["y"], atol=1e-5)
    assert [each["key"] for each in figures["gate"]] == [each["key"] for each in learnt.gate]
    assert len(figures["learning_curve"]) == 6
    assert set(figures["drift"]) == {"halves", "since_model_in_use", "weeks"}
    assert figures["drift"]["halves"]["enough"]


def test_the_card_is_complete_and_names_nobody(home: Path, shipped: Path, learnt: Manifest) -> None:
    """It says what for, from what, how well, how fair, and where it ends; no pseudonym is in it."""
    card = (learning.registry_of(home, shipped).folder_of(learnt.id) / "card.md").read_text()
    heads = re.findall(r"^## (.+)$", card, re.MULTILINE)
    assert heads == [
        "What it is for",
        "Made from",
        "How well it orders",
        "Are its chances true",
        "Who stands first",
        "Gate",
        "What changed within the feedback",
        "Limits",
    ]
    assert learnt.snapshot["sha256"] in card
    assert learnt.versions["scikit-learn"] in card
    assert f"{learnt.metrics['candidate']['ndcg']:.3f}" in card
    rows = learning.read(home, SNAPSHOT).rows
    people = {*rows["senior"], *rows["junior"]}
    assert not [each for each in people if re.search(rf"\b{each}\b", card)]


def test_feedback_that_changed_is_told(
    home: Path, shipped: Path, learnt: Manifest, at_start: None, quick: None
) -> None:
    """A model trained later says what changed since the snapshot of the model in use."""
    rows = feedback(40, 5, seed=9)
    rows["f_load"] = rows["f_load"] ** 4
    later = write_snapshot(home, rows, "20260604-120000-abcdef")
    learning.promote(learning.registry_of(home, shipped), learnt.id, "Ada", "", NOW)
    newer = learning.train(home, later, shipped=shipped)
    since = learning.read_figures(home / "models" / newer.id)["drift"]["since_model_in_use"]
    assert newer.parent == learnt.id
    assert max(since["psi"], key=since["psi"].get) == "load"
    assert since["psi"]["load"] > 0.25 > since["psi"]["days"]


def test_a_model_is_measured_on_other_feedback(home: Path, shipped: Path, learnt: Manifest, at_start: None) -> None:
    """On feedback without a rule the good model is no better than the first, and the gate says so."""
    good = learning.evaluate(home, learnt.id, SNAPSHOT, shipped)
    assert good.verdict.passed
    assert good.comparison.table["candidate"]["ndcg"] == pytest.approx(learnt.metrics["candidate"]["ndcg"])
    assert not learning.evaluate(home, learnt.id, SHUFFLED, shipped).verdict.passed
    itself = learning.evaluate(home, None, SNAPSHOT, shipped)
    assert itself.model_id == itself.in_use == COLD_START
    assert itself.comparison.table["candidate"]["difference"] == 0


@pytest.mark.parametrize(("snapshot_id", "key"), [("nothing", "snapshot_unknown"), (LITTLE, "too_little_feedback")])
def test_what_cannot_be_learnt_from_is_refused(home: Path, shipped: Path, snapshot_id: str, key: str) -> None:
    """A snapshot that isn't there, or holds next to nothing, is refused and leaves no model behind."""
    before = learning.registry_of(home, shipped).models()
    with pytest.raises(InputRefused) as refused:
        learning.train(home, snapshot_id, shipped=shipped)
    assert refused.value.key == key
    assert learning.registry_of(home, shipped).models() == before


def test_without_a_snapshot_the_next_step_is_told(tmp_path: Path, shipped: Path) -> None:
    """The first thing to do is named."""
    with pytest.raises(InputRefused) as refused:
        learning.train(tmp_path, shipped=shipped)
    assert refused.value.key == "no_snapshot"


def test_commands_answer_in_json(home: Path, learnt: Manifest, unlearnt: Manifest, at_start: None) -> None:
    """One document on stdout; the gate makes promoting end with 1, and says why on stderr."""
    told = json.loads(RUNNER.invoke(app, ["evaluate", learnt.id, "--snapshot", SNAPSHOT, "--json"]).stdout)
    assert told["passed"] is True
    assert told["comparison"]["slates"] > 0
    refused = RUNNER.invoke(app, ["promote", unlearnt.id, "--reason", "no"])
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert RUNNER.invoke(app, ["promote", learnt.id, "--by", "Ada"]).exit_code == 0
    listed = json.loads(RUNNER.invoke(app, ["models", "--json"]).stdout)
    assert listed["current"] == learnt.id
    assert {each["id"] for each in listed["models"]} >= {learnt.id, unlearnt.id, COLD_START}
    assert listed["history"][-1]["by"] == "Ada"
    assert RUNNER.invoke(app, ["rollback"]).exit_code == 0
    assert json.loads(RUNNER.invoke(app, ["models", "--json"]).stdout)["current"] == COLD_START
    assert RUNNER.invoke(app, ["promote"]).exit_code == 2


def test_a_training_says_how_far_it_is(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, quick: None
) -> None:
    """The command keeps the status file, steps aside for others, prints the manifest, and opens no database."""
    aside: list[int] = []
    monkeypatch.setattr(learning_cli.os, "nice", aside.append)
    written: list[Status] = []
    monkeypatch.setattr(learning_cli.jobs, "tell", lambda path, said: written.append(said))
    small = write_snapshot(home, feedback(40, 5, seed=3), "20260605-120000-abcdef")
    done = RUNNER.invoke(app, ["train", "--json", "--snapshot", small, "--status", str(tmp_path / "status.json")])
    assert done.exit_code == 0, done.stderr
    assert aside == [learning_cli.POLITE]
    assert written[-1] == Status("done", 1, 1, model_id=json.loads(done.stdout)["id"])
    assert {each.state for each in written[:-1]} == {"running"}
    assert not list(home.glob("*.duckdb*"))


def test_a_job_that_is_refused_says_why(home: Path) -> None:
    """A training of its own, started for real: the page shows the sentence, with the numbers."""
    job = jobs.start(home, LITTLE)
    for _ in range(1200):
        if jobs.status(job).state in jobs.OVER:
            break
        time.sleep(0.05)
    assert jobs.status(job).state == "failed"
    assert "too little" in jobs.status(job).message.lower()
