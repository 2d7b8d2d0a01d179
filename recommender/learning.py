"""The learning loop in a few lines, for notebooks and the command line: snapshot, train, evaluate, promote, go back.

Only `snapshot` needs the database. The rest works on files in the home folder, so it can run beside the app.
"""

import json
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from scipy.special import expit

from recommender import drift, gate, model_card, off_policy, training
from recommender.comparison import CANDIDATE, Comparison
from recommender.errors import Forbidden, InputRefused, ModelRefused
from recommender.features import FEATURES, TEXT_FEATURES
from recommender.files import write
from recommender.gate import Verdict
from recommender.judged import JudgedNeeds, read_judged
from recommender.labels import examination, labelled, logged_slates
from recommender.off_policy import Estimate
from recommender.ranker import AdditiveRanker
from recommender.registry import COLD_START, Manifest, Promotion, Registry, load, read_manifest, save
from recommender.settings import ROOT
from recommender.slate_order import TEMPERATURE
from recommender.snapshot import Snapshot, SnapshotInfo, read_snapshot, write_snapshot
from recommender.store import Store
from recommender.training import Debias, Progress, Trained

SHORTEST_REASON = 15
"""Characters of a reason that somebody can make sense of next year."""

FIGURES = "figures.json"

SHIPPED = ROOT / "models"


@dataclass(frozen=True)
class Evaluation:
    """How a model does on a snapshot, beside the model in use and plain orders, and what the gate says of that."""

    model_id: str
    in_use: str
    snapshot: SnapshotInfo
    comparison: Comparison
    verdict: Verdict
    off_policy: dict[str, Estimate]


def registry_of(home: Path, shipped: Path = SHIPPED) -> Registry:
    """Return the models of an organisation; `shipped` is the folder with the one that came with the product."""
    return Registry(home / "models", shipped)


def snapshot(store: Store, home: Path) -> SnapshotInfo:
    """Write all feedback of this moment into ``<home>/snapshots/<id>``, with pseudonyms for people."""
    return write_snapshot(store, home / "snapshots")


def snapshots(home: Path) -> list[str]:
    """Return the ids of all snapshots, the newest first."""
    folders = [each for each in (home / "snapshots").glob("*") if each.is_dir() and not each.name.startswith(".")]
    return sorted((each.name for each in folders), reverse=True)


def read(home: Path, snapshot_id: str | None = None) -> Snapshot:
    """Read one snapshot, the newest by default.

    Raises
    ------
    InputRefused
        If there is none, or none of that id.
    """
    known = snapshots(home)
    if not known:
        raise InputRefused("no_snapshot", folder=home / "snapshots")
    if snapshot_id is not None and snapshot_id not in known:
        raise InputRefused("snapshot_unknown", id=snapshot_id)
    return read_snapshot(home / "snapshots" / (snapshot_id or known[0]))


def train(
    home: Path,
    snapshot_id: str | None = None,
    seed: int = 7,
    progress: Progress | None = None,
    debias: Debias = "position",
    shipped: Path = SHIPPED,
) -> Manifest:
    """Learn a model from a snapshot and keep it, with figures and a card. It serves only once it is promoted.

    Raises
    ------
    InputRefused
        If there is no such snapshot, or too little feedback in it.
    """
    registry, source = registry_of(home, shipped), read(home, snapshot_id)
    in_use, used = registry.current()
    trained = training.train(source, in_use, _first(registry), seed, progress, debias)
    made_at = datetime.now(UTC)
    model_id = f"m-{made_at:%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"
    ranker = trained.ranker(model_id)
    verdict = gate.judge(trained.comparison, ranker, in_use, _judged(registry))
    manifest = Manifest(
        id=model_id,
        encoder=trained.encoder,
        features=list(FEATURES),
        trained_on=trained.counts,
        metrics=_metrics(trained.comparison),
        seed=seed,
        learner=type(trained.learner).__name__,
        calibrated=True,
        doubt_below=used.doubt_below,
        snapshot={"id": source.info.id, "sha256": source.info.sha256},
        parent=trained.parent,
        fairness=_fairness(trained.comparison),
        gate=[asdict(each) for each in verdict.checks],
        made_at=made_at.isoformat(timespec="seconds"),
    )
    folder = registry.folder_of(model_id)
    folder.mkdir(parents=True)
    changed = drift.between(*drift.halves(source.rows))
    figures = _figures(trained, ranker, verdict) | {"drift": _drift(home, source, used, changed)}
    write(folder / FIGURES, (json.dumps(figures, indent=1, allow_nan=False) + "\n").encode())
    # The manifest comes last but for the card: a folder without one is no model.
    manifest = save(folder, trained.learner, manifest)
    model_card.write_card(folder, manifest, trained.comparison, _facts(trained, source), changed)
    return manifest


def evaluate(
    home: Path, model_id: str | None = None, snapshot_id: str | None = None, shipped: Path = SHIPPED
) -> Evaluation:
    """Compare a model, by default the one in use, with the one in use, on seniors that were held out of its training.

    Raises
    ------
    InputRefused
        If there is no such snapshot, or nobody accepted anybody among those held out.
    ModelRefused
        If the model can't be read.
    """
    registry, source = registry_of(home, shipped), read(home, snapshot_id)
    in_use, _ = registry.current()
    candidate, manifest = load(_known(registry, model_id or in_use.id))
    found = training.measure(source, candidate, in_use, _first(registry), manifest.seed)
    if not found.slates:
        raise InputRefused("nothing_to_evaluate", id=source.info.id)
    verdict = gate.judge(found, candidate, in_use, _judged(registry))
    return Evaluation(candidate.id, in_use.id, source.info, found, verdict, served(source, candidate))


def served(source: Snapshot, candidate: AdditiveRanker) -> dict[str, Estimate]:
    """Estimate the chance that a request ends in somebody accepted if a model ordered the cards, in three ways.

    ``logged`` is what the orders that were shown brought, on the same slates. Only slates that were shuffled a little
    tell anything about another order, so the model is taken to shuffle as much.
    """
    log, place = logged_slates(source)
    features = source.rows[[f"f_{name}" for name in FEATURES]].to_numpy(dtype=float)
    scores = candidate.score(features)[place]
    looked_at = examination(labelled(source))
    return {
        "logged": off_policy.logged_value(log),
        "ips": off_policy.ips(log, scores, TEMPERATURE),
        "snips": off_policy.snips(log, scores, TEMPERATURE),
        "doubly_robust": off_policy.doubly_robust(log, scores, TEMPERATURE, expit(scores), looked_at),
    }


def promote(registry: Registry, model_id: str, by: str, reason: str, at: datetime) -> Promotion:
    """Put a model to use. One that did not pass the gate needs a written reason.

    Raises
    ------
    Forbidden
        If the gate did not let it pass and the reason says less than `SHORTEST_REASON` characters.
    ModelRefused
        If it can't be read, or is in use already.
    """
    failed = unpassed(read_manifest(_known(registry, model_id)))
    if failed and len(" ".join(reason.split())) < SHORTEST_REASON:
        raise Forbidden("gate_reason", id=model_id, checks=", ".join(failed), least=SHORTEST_REASON)
    return registry.promote(model_id, by, reason.strip(), at)


def rollback(registry: Registry, by: str, reason: str, at: datetime) -> Promotion:
    """Go back to the model that served before.

    Raises
    ------
    ModelRefused
        If there is none, or it can't be read any more.
    """
    return registry.rollback(by, reason.strip(), at)


def unpassed(manifest: Manifest) -> list[str]:
    """Return the checks of the gate that a model failed; one that was trained and never judged failed all of them."""
    if manifest.id != COLD_START and not manifest.gate:
        return ["not_judged"]
    return [str(each["key"]) for each in manifest.gate if not each["passed"]]


def read_figures(folder: Path) -> dict[str, Any]:
    """Return what the Model page draws of a model; empty where there is nothing, as for the first one."""
    try:
        figures = json.loads((folder / FIGURES).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return figures if isinstance(figures, dict) else {}


def _known(registry: Registry, model_id: str) -> Path:
    folder = registry.folder_of(model_id)
    if not (folder / "manifest.json").is_file():
        raise ModelRefused("model_unknown", id=model_id)
    return folder


def _judged(registry: Registry) -> JudgedNeeds | None:
    return read_judged(registry.folder_of(COLD_START))


def _first(registry: Registry) -> AdditiveRanker:
    return load(registry.folder_of(COLD_START))[0]


def _metrics(found: Comparison) -> dict[str, dict[str, float]]:
    return {name: line | found.chances.get(name, {}) for name, line in found.table.items()}


def _fairness(found: Comparison) -> dict[str, float]:
    gini = {f"gini_{name}": each.gini for name, each in found.exposure.items()}
    mine = found.exposure[CANDIDATE]
    first = {f"first_{name}": share for name, share in mine.groups.items()}
    return gini | first | {f"shown_{name}": share for name, share in mine.shown.items()}


def _figures(trained: Trained, ranker: AdditiveRanker, verdict: Verdict) -> dict[str, Any]:
    """Return everything that is drawn about a model."""
    return {
        **asdict(trained.comparison),
        "learning_curve": [asdict(each) for each in trained.curve],
        "tried": [asdict(each.recipe) | {"log_loss": each.log_loss, "ndcg": each.ndcg} for each in trained.tried],
        "looked_at": list(trained.looked_at),
        "curves": curves(ranker),
        "gate": [asdict(each) for each in verdict.checks],
    }


def curves(ranker: AdditiveRanker) -> dict[str, dict[str, list[float]]]:
    """Return, for each feature, points ``x`` and what each adds to the score, ``y``."""
    drawn = {}
    for name in FEATURES:
        low, high = (-2, 4) if name in TEXT_FEATURES else (0, 1)
        x = np.linspace(low, high, 61).round(4)
        drawn[name] = {"x": x.tolist(), "y": ranker.curves[name](x).round(5).tolist()}
    return drawn


def _drift(home: Path, source: Snapshot, used: Manifest, halves: drift.Drift) -> dict[str, Any]:
    """Return what changed within the snapshot, and since the one that the model in use was trained on."""
    since = None
    before = used.snapshot.get("id", "")
    if before in snapshots(home) and before != source.info.id:
        since = asdict(drift.between(read(home, before).rows, source.rows))
    weeks = [asdict(each) for each in drift.weekly(source.rows)]
    return {"halves": asdict(halves), "since_model_in_use": since, "weeks": weeks}


def _facts(trained: Trained, source: Snapshot) -> Mapping[str, str]:
    return {
        "feedback from": source.info.since[:10],
        "feedback to": source.info.until[:10],
        "ranks taken into account by": trained.debias,
        "slope of the calibration": f"{trained.slope:.3f}",
    }
