"""Made-up feedback with a hidden rule of choice that no ranker has: a threshold, a "both or nothing" and a saturation.

Tests learn from it, so it has to be learnable and must not be the formula of what learns.
"""

import hashlib
import json
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit

from recommender.cold_start import first_ranker
from recommender.features import FEATURES, TEXT_FEATURES
from recommender.learners import CarefulLogit
from recommender.ranker import AdditiveRanker
from recommender.registry import COLD_START, Manifest, save
from recommender.snapshot import FILE, MANIFEST, Snapshot, SnapshotInfo

BEGIN = datetime(2026, 3, 2, 9, tzinfo=UTC)
LOOKED_AT = 1 / np.arange(1, 10) ** 0.7
"""Chance that a senior looks at each rank."""

Floats = NDArray[np.float64]


def first_learner() -> CarefulLogit:
    """Return a first ranker that leans on wording, which the hidden rule hardly does."""
    return first_ranker(np.array([0.3, 0.2, 0.6]), -2.0)


def first_manifest() -> Manifest:
    """Return what the first ranker says of itself."""
    return Manifest(COLD_START, "hashing", list(FEATURES), {}, {}, 7)


def first_model() -> AdditiveRanker:
    """Return the first ranker."""
    curves = dict(zip(FEATURES, first_learner().curves(), strict=True))
    return AdditiveRanker(COLD_START, "hashing", -2.0, curves)


def liking(features: Floats) -> Floats:
    """Return the hidden log-odds that a pair would do, shape ``(n,)``: no sum of curves of single features."""
    of = dict(zip(FEATURES, features.T, strict=True))
    near = np.minimum(of["best_statement"], 1.2) + 0.5 * np.minimum(of["whole_profile"], 1.0)
    both = (of["competence"] > 0.6) & (of["gap"] > 0.4)
    return 1.3 * near + 1.5 * both + 1.2 * (of["days"] > 0.45) - 1.5 * (of["load"] < 0.3) - 3.4


def feedback(seniors: int = 150, each: int = 6, shown: int = 9, seed: int = 0, shuffled: bool = False) -> pd.DataFrame:
    """Return rows as a snapshot has them: one for each suggestion, logged by the first ranker with some chance in it.

    With `shuffled`, who was chosen has nothing to do with anything but the rank.
    """
    rng, model = np.random.default_rng(seed), first_model()
    slates, pool = seniors * each, 25
    features = rng.random((slates, pool, len(FEATURES)))
    features[:, :, : len(TEXT_FEATURES)] = rng.normal(0.8, 1, (slates, pool, len(TEXT_FEATURES)))
    people = rng.permuted(np.tile(np.arange(40), (slates, 1)), axis=1)[:, :pool]
    scores = model.score(features.reshape(-1, len(FEATURES))).reshape(slates, pool)
    order = np.argsort(-(scores + rng.gumbel(0, 0.4, scores.shape)), axis=1)[:, :shown]
    line = np.arange(slates)[:, None]
    features, people, scores = features[line, order], people[line, order], scores[line, order]
    wanted = rng.random((slates, shown)) < expit(liking(features.reshape(-1, len(FEATURES)))).reshape(slates, shown)
    if shuffled:
        wanted = rng.permuted(wanted, axis=1)
    found = wanted & (rng.random(wanted.shape) < LOOKED_AT[:shown])
    chosen = (found & (found.cumsum(axis=1) == 1)).ravel()
    number, junior = np.repeat(np.arange(slates), shown), people.ravel()
    dutch, english = rng.random(40) < 0.8, rng.random(40) < 0.5
    named = pd.DataFrame(features.reshape(-1, len(FEATURES)), columns=[f"f_{name}" for name in FEATURES])
    return named.assign(
        slate=[f"s{each:05d}" for each in number],
        request=[f"r{each:05d}" for each in number],
        senior=[f"q{each % seniors:03d}" for each in number],
        junior=[f"p{each:03d}" for each in junior],
        senior_department="d1",
        junior_department="d2",
        junior_language_nl=dutch[junior],
        junior_language_en=english[junior],
        language=np.where(number % seniors % 4, "nl", "en"),
        at=[BEGIN + timedelta(hours=5 * int(each)) for each in number],
        model_id=COLD_START,
        encoder_id="hashing",
        explored=True,
        doubtful=(rng.random(slates) < 0.1)[number],
        rank=np.tile(np.arange(1, shown + 1), slates),
        propensity=1.0,
        score=scores.ravel(),
        shown=True,
        action=np.where(chosen, "chosen", ""),
        refusal_reason="",
        decision=np.where(chosen, "approved", ""),
        decision_reason="",
        senior_rating=pd.array([pd.NA] * len(number), dtype="Int8"),
        junior_rating=pd.array([pd.NA] * len(number), dtype="Int8"),
    )


def snapshot_of(rows: pd.DataFrame, snapshot_id: str = "20260601-120000-abcdef") -> Snapshot:
    """Return rows as a snapshot."""
    seniors = rows["senior"].nunique()
    info = SnapshotInfo(
        id=snapshot_id,
        rows=len(rows),
        slates=rows["slate"].nunique(),
        seniors=seniors,
        since=rows["at"].min().isoformat(),
        until=rows["at"].max().isoformat(),
        sha256="",
        features=list(FEATURES),
        made_at=rows["at"].max().isoformat(),
    )
    return Snapshot(info, rows)


def write_snapshot(home: Path, rows: pd.DataFrame, snapshot_id: str = "20260601-120000-abcdef") -> str:
    """Write rows where a home folder keeps its snapshots; return the id."""
    folder = home / "snapshots" / snapshot_id
    folder.mkdir(parents=True)
    rows.to_parquet(folder / FILE)
    sha256 = hashlib.sha256((folder / FILE).read_bytes()).hexdigest()
    info = replace(snapshot_of(rows, snapshot_id).info, sha256=sha256)
    (folder / MANIFEST).write_text(json.dumps(asdict(info)))
    return snapshot_id


def write_first(shipped: Path) -> Path:
    """Write the first ranker where the product ships it; return the folder of shipped models."""
    save(shipped / COLD_START, first_learner(), first_manifest())
    return shipped
