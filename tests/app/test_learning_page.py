"""The Model page as the place where a model is trained, judged, put to use and taken back."""

import json
import shutil
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from app import identity, model_curves, model_training, model_views
from recommender import jobs, learning
from recommender.bootstrap import Installation
from recommender.errors import Conflict
from recommender.jobs import Job, Status
from recommender.model_card import FILE
from recommender.registry import COLD_START
from recommender.service import Service
from recommender.wording import LANGUAGES, Language, say
from tests.app.test_model import alts, plain, read, table
from tests.app.test_review import choose
from tests.synthetic import feedback, write_snapshot

Visit = Callable[..., AppTest]

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def learnt(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Give a home folder with a snapshot and a tiny model that was trained on it, and the model's id."""
    home = tmp_path_factory.mktemp("learnt")
    write_snapshot(home, feedback(seniors=50, each=4))
    return home, learning.train(home, shipped=ROOT / "models").id


@pytest.fixture
def model(learnt: tuple[Path, str], installation: Installation) -> str:
    """Put the tiny model into this organisation, which does not use it yet, and give its id."""
    shutil.copytree(learnt[0], installation.settings.home, dirs_exist_ok=True)
    return learnt[1]


def judged(home: Path, model_id: str, passed: bool) -> None:
    """Let the gate have said yes, or no, to everything."""
    file = home / "models" / model_id / "manifest.json"
    manifest = json.loads(file.read_text())
    manifest["gate"] = [each | {"passed": passed} for each in manifest["gate"]]
    file.write_text(json.dumps(manifest))


def a_job(home: Path, status: Status, *lines: str) -> Job:
    """Leave what a training leaves behind."""
    job = Job("j-20261124-100000-abcd", home / "jobs" / "j-20261124-100000-abcd")
    job.folder.mkdir(parents=True)
    (job.folder / "process").write_text("1")
    (job.folder / "log.txt").write_text("\n".join(lines))
    job.status_file.write_text(json.dumps(asdict(status)))
    return job


def look(at: AppTest, model_id: str) -> AppTest:
    """Choose the model to look at."""
    return at.selectbox(key="model-look").set_value(model_id).run()


# What is shown of a model


@pytest.mark.parametrize("language", LANGUAGES)
def test_trained_model_shows_every_figure(
    visit: Visit, installation: Installation, model: str, language: Language
) -> None:
    """Metrics with intervals, learning curve, chances, exposure and change are there, each in words and as a table."""
    at = look(visit("scientist", language), model)
    assert not at.exception
    figures = learning.read_figures(installation.settings.home / "models" / model)
    orders = table(at, "learn.orders_alt", language)
    assert len(orders) == len(figures["table"])
    assert model_views.orders_told(figures, language) in read(at)
    assert len(table(at, "learn.curve_alt", language)) == len(figures["learning_curve"])
    assert len(table(at, "learn.chances_alt", language)) == len(figures["reliability"]["candidate"])
    first = table(at, "learn.first_alt", language)
    shares = [int(plain(cell).rstrip("%")) for cell in first.iloc[:, 0]]
    assert len(shares) == 10
    assert sum(shares) == pytest.approx(100, abs=5)
    assert shares == sorted(shares, reverse=True)
    assert len(table(at, "learn.drift_alt", language)) == 14
    assert len(alts(at)) == 7
    assert all(each.strip() for each in alts(at))


def test_paired_difference_stands_beside_each_order(visit: Visit, installation: Installation, model: str) -> None:
    """The table has the difference from the model in use with its interval, and none for that model itself."""
    at = look(visit("scientist", "en"), model)
    line = learning.read_figures(installation.settings.home / "models" / model)["table"]["candidate"]
    rows = table(at, "learn.orders_alt", "en")
    rows.index = [plain(each) for each in rows.index]
    assert plain(rows.loc[say("learn.order_in_use", "en")].iloc[1]) == "–"
    cell = plain(rows.loc[say("learn.order_candidate", "en")].iloc[1])
    assert f"{line['difference']:+.3f}" in cell
    assert f"{line['difference_low']:+.3f} to {line['difference_high']:+.3f}" in cell


@pytest.mark.parametrize("language", LANGUAGES)
def test_gate_is_said_in_sentences(visit: Visit, installation: Installation, model: str, language: Language) -> None:
    """Each condition is one sentence that says whether it holds; a failed one counts in the verdict."""
    at = look(visit("scientist", language), model)
    manifest = installation.parts.registry.models()[0] if installation.parts.registry else None
    assert manifest
    assert len(manifest.gate) == 9
    for each in manifest.gate:
        assert model_views.check(each, language) in read(at)
        assert "?" not in model_views.check(each, language)
    assert say("learn.verdict_no", language, count=len(learning.unpassed(manifest))) in read(at)


def test_card_is_shown_as_english_text(visit: Visit, installation: Installation, model: str) -> None:
    """The card of the model is on the page, marked as English; the first model says that it has none."""
    assert say("learn.no_card", "nl") in read(visit("scientist"))
    at = look(visit("scientist"), model)
    card = (installation.settings.home / "models" / model / FILE).read_text()
    html = next(each.proto.body for each in at.get("html") if "<pre" in each.proto.body)
    assert 'lang="en"' in html
    assert card.splitlines()[0] in html


def test_too_little_to_say_about_change_is_said(visit: Visit, installation: Installation, model: str) -> None:
    """Weeks with few questions have no percentages, and small halves no chart."""
    file = installation.settings.home / "models" / model / "figures.json"
    figures = json.loads(file.read_text())
    halves = figures["drift"]["halves"] | {"enough": False, "psi": {}, "slates": [3, 4]}
    week = {"begins": "2026-03-02", "slates": 7, "approved": 0.5, "doubtful": 0.0, "enough": False}
    file.write_text(json.dumps(figures | {"drift": {"halves": halves, "since_model_in_use": None, "weeks": [week]}}))
    at = look(visit("scientist", "en"), model)
    assert say("learn.drift_little", "en", before=3, after=4, needed=20) in read(at)
    assert list(table(at, "learn.weeks_alt", "en").iloc[0])[1:] == [say("learn.too_little", "en")] * 2


def test_model_whose_scores_are_no_chances_says_so(visit: Visit, installation: Installation, model: str) -> None:
    """Figures or not: a model that is not calibrated has no chances to draw."""
    file = installation.settings.home / "models" / model / "manifest.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"calibrated": False}))
    at = look(visit("scientist"), model)
    assert say("learn.no_chances", "nl") in read(at)
    assert len(alts(at)) == 6


@pytest.mark.parametrize(
    ("low", "high", "key"), [(0.01, 0.05, "better"), (-0.01, 0.05, "unsure"), (-0.3, -0.1, "worse")]
)
def test_difference_counts_only_beyond_its_interval(low: float, high: float, key: str) -> None:
    """Better and worse are said when the whole interval is on one side of zero."""
    line = {"difference": (low + high) / 2, "difference_low": low, "difference_high": high}
    told = model_views.orders_told({"table": {"candidate": line}}, "en")
    assert told == say(f"learn.told_{key}", "en", difference=f"{line['difference']:+.3f}")


@pytest.mark.parametrize(("last", "key"), [(0.60, "rising"), (0.503, "level"), (0.45, "level")])
def test_curve_says_whether_more_answers_help(last: float, key: str) -> None:
    """From the middle to the end it must rise by more than a trifle."""
    curve = [{"slates": 10 * each, "mean": 0.5, "low": 0.4, "high": 0.6} for each in range(1, 4)]
    curve.append({"slates": 40, "mean": last, "low": last, "high": last})
    told = model_views.steps_told({"learning_curve": curve}, "en")
    assert told == say(f"learn.told_{key}", "en", middle="0.500", last=f"{last:.3f}")


@pytest.mark.parametrize(
    ("y", "key"), [([0.0, 0.5, 1.0], "line"), ([0.0, 0.0, 1.0], "steps"), ([0.2, 0.2, 0.2], "flat")]
)
def test_shape_is_named(y: list[float], key: str) -> None:
    """A line, steps, and nothing at all are three things."""
    told = model_curves.shape_told({"load": {"x": [0.0, 0.5, 1.0], "y": y}}, "load", "en")
    assert told == say(f"learn.told_{key}", "en", added="+1.00")


@pytest.mark.parametrize(("psi", "key"), [(0.05, "hardly"), (0.1, "little"), (0.3, "much")])
def test_change_is_said_in_words(psi: float, key: str) -> None:
    """The customary marks, in words."""
    assert model_views.moved(psi, "nl") == say(f"learn.moved_{key}", "nl")


# Putting to use and going back


@pytest.mark.parametrize("language", LANGUAGES)
def test_refused_model_needs_a_written_reason(
    visit: Visit, installation: Installation, service: Service, model: str, language: Language
) -> None:
    """Without a reason nothing changes and what was typed stays; with one the model serves, and the page says why."""
    judged(installation.settings.home, model, passed=False)
    at = look(visit("scientist", language), model)
    key = f"promote-reason-{model}"
    assert say("learn.reason_needed", language, least=15) in at.text_area(key=key).label
    at.text_area(key=key).set_value("Zomaar").run()
    at.button(key="promote-yes").click().run()
    assert len(at.error) == 1
    assert service.ranker.id == COLD_START
    assert at.text_area(key=key).value == "Zomaar"
    at.text_area(key=key).set_value("We proberen dit één week.").run()
    at.button(key="promote-yes").click().run()
    assert not at.exception
    assert not at.error
    assert service.ranker.id == model
    for text in ("We proberen dit één week.", say("demo.name_scientist", language), model):
        assert text in read(at)
    assert "promote-yes" not in {each.key for each in at.button}


def test_passed_model_needs_no_reason_and_can_be_taken_back(
    visit: Visit, installation: Installation, service: Service, model: str
) -> None:
    """Yes puts it to use at once; going back makes the first model serve again, and both changes stay listed."""
    judged(installation.settings.home, model, passed=True)
    at = look(visit("scientist"), model)
    assert say("learn.verdict_yes", "nl") in read(at)
    at.button(key="promote-yes").click().run()
    assert service.ranker.id == model
    at.text_area(key="back-reason-1").set_value("Het viel tegen").run()
    at.button(key="back-yes").click().run()
    assert service.ranker.id == COLD_START
    assert at.selectbox(key="model-look").value == COLD_START
    changes = table(at, "learn.history_alt", "nl")
    assert [plain(each) for each in changes.index] == [f"2. {COLD_START}", f"1. {model}"]
    assert plain(changes.iloc[0, 2]) == "Het viel tegen"


def test_reason_survives_looking_at_another_model(visit: Visit, installation: Installation, model: str) -> None:
    """A reason that was typed is still there after a look elsewhere."""
    judged(installation.settings.home, model, passed=False)
    at = look(visit("scientist"), model)
    at.text_area(key=f"promote-reason-{model}").set_value("Nog niet klaar").run()
    look(look(at, COLD_START), model)
    assert at.text_area(key=f"promote-reason-{model}").value == "Nog niet klaar"


def test_damaged_model_is_explained(visit: Visit, installation: Installation, service: Service, model: str) -> None:
    """A model whose file was changed is not drawn, and can't be put to use."""
    judged(installation.settings.home, model, passed=True)
    (installation.settings.home / "models" / model / "ranker.skops").write_bytes(b"no model")
    at = look(visit("scientist", "en"), model)
    assert not at.exception
    assert "was changed after it was made" in at.error[0].value
    at.button(key="promote-yes").click().run()
    assert not at.exception
    assert service.ranker.id == COLD_START


# Training


def test_snapshot_can_be_taken_and_trained_on(
    visit: Visit, installation: Installation, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A snapshot of what was logged appears in the list, and starting hands it over with the seed."""
    choose(service, "s1", "Excel")
    at = visit("scientist")
    at.button(key="train-snapshot-take").click().run()
    taken = learning.snapshots(installation.settings.home)
    assert at.selectbox(key="train-snapshot").value == taken[0]
    started = []
    monkeypatch.setattr(jobs, "start", lambda *given: started.append(given))
    at.number_input(key="train-seed").set_value(11).run()
    at.button(key="train-start").click().run()
    assert not at.error
    assert started == [(installation.settings.home, taken[0], 11)]


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_to_take_a_snapshot_of_is_explained(
    visit: Visit, installation: Installation, language: Language
) -> None:
    """Without any question there is a sentence, and no snapshot."""
    at = visit("scientist", language)
    at.button(key="train-snapshot-take").click().run()
    assert not at.exception
    assert len(at.error) == 1
    assert learning.snapshots(installation.settings.home) == []


def test_second_training_is_refused_with_a_sentence(visit: Visit, model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody else may have started one a moment before."""

    def busy(*_: object) -> Job:
        raise Conflict("training_running", id="j-1")

    at = visit("scientist")
    monkeypatch.setattr(jobs, "start", busy)
    at.button(key="train-start").click().run()
    assert not at.exception
    assert len(at.error) == 1


@pytest.mark.parametrize("language", LANGUAGES)
def test_running_training_says_how_far_it_is_and_can_be_stopped(
    visit: Visit, installation: Installation, monkeypatch: pytest.MonkeyPatch, language: Language
) -> None:
    """Step, share and log are there; there is no second start; stopping ends it and says that nothing changed."""
    job = a_job(installation.settings.home, Status("running", 3, 9, "choosing"), "one line", "another line")
    told = [Status("running", 3, 9, "choosing")]
    monkeypatch.setattr(jobs, "status", lambda _: told[-1])
    monkeypatch.setattr(jobs, "cancel", lambda stopped: told.append(Status("cancelled")) or stopped)
    at = visit("scientist", language)
    assert not at.exception
    assert f"{say('learn.step_choosing', language)} (33%)" in at.get("progress")[0].proto.text
    assert "another line" in read(at)
    assert not [each for each in at.button if each.key == "train-start"]
    at.button(key="train-cancel-yes").click().run()
    assert not at.exception
    assert say("learn.cancelled", language) in [each.value for each in at.info]
    assert job.folder.is_dir()


def test_page_shows_the_end_of_a_training_by_itself(
    visit: Visit, installation: Installation, model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When a training ends while the page is open, the whole page is drawn anew, and leads to the model."""
    a_job(installation.settings.home, Status("running", 9, 9, "comparing"))
    told = iter([Status("running", 9, 9, "comparing")])
    monkeypatch.setattr(jobs, "status", lambda _: next(told, Status("done", 1, 1, model_id=model)))
    at = visit("scientist")
    assert not at.exception
    assert say("learn.done", "nl", id=model) in plain(at.success[0].value)
    at.button(key="train-look").click().run()
    assert at.selectbox(key="model-look").value == model


@pytest.mark.parametrize("language", LANGUAGES)
def test_failed_training_says_why_and_changes_nothing(
    visit: Visit, installation: Installation, service: Service, model: str, language: Language
) -> None:
    """The reason and the log can be read, the model in use is the same, and one can start again."""
    a_job(installation.settings.home, Status("failed", message="Too little to learn from."), "Traceback of something")
    at = visit("scientist", language)
    assert not at.exception
    assert at.error[0].value == say("learn.failed", language)
    assert "Too little to learn from." in read(at)
    assert "Traceback of something" in read(at)
    assert service.ranker.id == COLD_START
    assert at.button(key="train-start")


def test_training_that_died_without_a_word_is_a_failure(visit: Visit, installation: Installation) -> None:
    """A process that is gone is not waited for."""
    a_job(installation.settings.home, Status("running", 1, 9, "choosing"))
    at = visit("scientist")
    assert at.error[0].value == say("learn.failed", "nl")
    assert say("learn.failed_silent", "nl") in read(at)


@pytest.mark.parametrize("language", LANGUAGES)
def test_coordinator_sees_the_figures_and_no_switches(
    visit: Visit, installation: Installation, model: str, monkeypatch: pytest.MonkeyPatch, language: Language
) -> None:
    """Who approves pairs may look at the model, not change it."""
    monkeypatch.setitem(identity.HOME, identity.Role.COORDINATOR, "model")
    at = look(visit("coordinator", language), model)
    assert not at.exception
    assert at.title[0].value == say("model.title", language)
    assert say("learn.only_keeper", language) in read(at)
    keys = {each.key for each in at.button}
    assert not keys & {"train-start", "train-snapshot-take", "promote-yes", "back-yes"}
    assert len(table(at, "learn.orders_alt", language)) == 6


def test_step_of_somebody_else_is_refused(
    visit: Visit, installation: Installation, model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A button that should not have been there changes nothing."""
    at = visit("scientist")
    started = []
    monkeypatch.setattr(jobs, "start", lambda *given: started.append(given))
    monkeypatch.setattr(model_training, "may", lambda _: False)
    at.button(key="train-start").click().run()
    assert not at.exception
    assert started == []
    assert len(at.error) == 1
