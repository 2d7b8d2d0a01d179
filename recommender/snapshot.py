"""The feedback of an organisation as one Parquet file without names: what a ranker is trained on, and can be again.

A model is as good as the data it was made from, so the data stay as they were: the file has a hash, and a snapshot that
was changed is refused.
"""

import hashlib
import hmac
import json
import os
import re
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from recommender.errors import InputRefused
from recommender.features import FEATURES
from recommender.ranker import CENTRE
from recommender.store import Store
from recommender.wording import LANGUAGES

FILE, MANIFEST = "suggestions.parquet", "manifest.json"

ACTIONS = {"chose": "chosen", "refused": "refused", "undid": "undone"}
KEY = re.compile(r"[a-z][a-z0-9_]{0,30}")
"""What a reason looks like. Anything else could be somebody's words and becomes "other"."""


@dataclass(frozen=True)
class SnapshotInfo:
    """What a snapshot is: its numbers, from when to when it goes, and the hash of its file. Times are ISO 8601, UTC."""

    id: str
    rows: int
    slates: int
    seniors: int
    since: str
    until: str
    sha256: str
    features: list[str]
    made_at: str


@dataclass(frozen=True)
class Snapshot:
    """Every suggestion that was ever made, one row each, by time, slate and rank.

    `rows` has these columns:

    - ``slate``, ``request``, ``senior``, ``junior``, ``senior_department``, ``junior_department``: pseudonyms, the same
      in each snapshot of one organisation; empty where there is none;
    - ``at``: when it was asked; ``language``: of the request, "nl" or "en";
    - ``junior_language_nl``, ``junior_language_en``: whether the junior speaks it, for figures about fairness;
    - ``model_id``, ``encoder_id``, ``explored``, ``doubtful``: of the slate;
    - ``rank``, ``propensity``, ``score``: as logged; ``shown``: whether the card was really drawn;
    - ``action``: "", "chosen", "refused" or "undone"; ``refusal_reason``: a key or "";
    - ``decision``: "", "approved" or "rejected"; ``decision_reason``: a key or "";
    - ``senior_rating``, ``junior_rating``: 1 to 5 of each side, or missing;
    - ``f_<name>``: one for each of `FEATURES`; where an old slate had none it is what "not known" counts as.
    """

    info: SnapshotInfo
    rows: pd.DataFrame


def write_snapshot(store: Store, folder: Path, at: datetime | None = None) -> SnapshotInfo:
    """Write everything that was logged to a new folder under `folder`, named after time and content.

    The same data give the same file, byte by byte, whenever it is written; `at` is now where it isn't given. The folder
    appears whole or not at all.

    Raises
    ------
    InputRefused
        If there is nothing yet.

    Notes
    -----
    Pseudonyms are HMAC-SHA256 under a secret that stays in the database, shortened to 64 bits: whoever knows an id
    can't find its rows. They are still personal data in the sense of the law, because the organisation can.
    """
    table = _pseudonymous(store.outcomes.log(FEATURES), store.facts.snapshot_key())
    if not table.num_rows:
        raise InputRefused("snapshot_empty")
    folder.mkdir(parents=True, exist_ok=True)
    making = Path(tempfile.mkdtemp(dir=folder, prefix=".making-"))
    try:
        pq.write_table(table, making / FILE, compression="zstd", version="2.6", row_group_size=100_000)
        info = _describe(table, _sha256(making / FILE), (at or datetime.now(UTC)).astimezone(UTC))
        (making / MANIFEST).write_text(json.dumps(asdict(info), indent=2) + "\n", encoding="utf-8")
        for each in making.iterdir():
            _sync(each)
        # The name holds the hash of the content, so a folder that is there already holds the same.
        if not (folder / info.id).exists():
            os.rename(making, folder / info.id)
    finally:
        shutil.rmtree(making, ignore_errors=True)
    return info


def read_snapshot(folder: Path) -> Snapshot:
    """Read a snapshot after checking its hash and its features.

    Raises
    ------
    InputRefused
        If it is missing or damaged, was changed after it was made, or has other features.
    """
    info = read_info(folder)
    try:
        if _sha256(folder / FILE) != info.sha256:
            raise InputRefused("snapshot_changed", folder=folder)
        if tuple(info.features) != FEATURES:
            raise InputRefused("snapshot_features", folder=folder, features=", ".join(info.features))
        table = pq.read_table(folder / FILE)
    except (OSError, pa.ArrowInvalid) as error:
        raise InputRefused("snapshot_unreadable", folder=folder) from error
    rows: pd.DataFrame = table.to_pandas(types_mapper={pa.int8(): pd.Int8Dtype()}.get)
    return Snapshot(info, rows)


def read_info(folder: Path) -> SnapshotInfo:
    """Read what a snapshot says of itself, without its rows.

    Raises
    ------
    InputRefused
        If it is missing or damaged.
    """
    try:
        return SnapshotInfo(**json.loads((folder / MANIFEST).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise InputRefused("snapshot_unreadable", folder=folder) from error


def _pseudonymous(log: pa.Table, secret: bytes) -> pa.Table:
    """Return the columns of `Snapshot.rows` and nothing else, in a fixed order."""
    held = {name: log[name] for name in log.column_names}
    columns: dict[str, pa.ChunkedArray] = {}
    for name in ("slate", "request", "senior", "junior", "senior_department", "junior_department"):
        kind = name.removeprefix("senior_").removeprefix("junior_")
        columns[name] = _mapped(held[name], _pseudonym(kind, secret))
    columns["at"] = held["at"].cast(pa.timestamp("us", tz="UTC"))
    columns["language"] = held["language"].cast(pa.string())
    spoken = held["junior_languages"].to_pylist()
    for language in LANGUAGES:
        columns[f"junior_language_{language}"] = pa.chunked_array([[language in (each or ()) for each in spoken]])
    for name in ("model_id", "encoder_id"):
        columns[name] = held[name].cast(pa.string())
    for name in ("explored", "doubtful"):
        columns[name] = pc.fill_null(held[name], False)
    columns["rank"] = held["rank"].cast(pa.int64())
    columns["propensity"], columns["score"] = held["propensity"], held["score"]
    columns["shown"] = held["shown"]
    columns["action"] = _mapped(held["action"], lambda action: ACTIONS.get(action, ""))
    for name in ("refusal_reason", "decision", "decision_reason"):
        columns[name] = _mapped(held[name], _key)
    for name in ("senior_rating", "junior_rating"):
        columns[name] = held[name].cast(pa.int8())
    for name in FEATURES:
        columns[f"f_{name}"] = pc.fill_null(held[f"f_{name}"].cast(pa.float64()), CENTRE[name])
    table = pa.table(columns)
    return table.sort_by([("at", "ascending"), ("slate", "ascending"), ("rank", "ascending")]).combine_chunks()


def _pseudonym(kind: str, secret: bytes) -> Callable[[str], str]:
    def of(value: str) -> str:
        return hmac.new(secret, f"{kind}:{value}".encode(), hashlib.sha256).hexdigest()[:16] if value else ""

    return of


def _key(reason: str) -> str:
    return reason if not reason or KEY.fullmatch(reason) else "other"


def _mapped(column: pa.ChunkedArray, change: Callable[[str], str]) -> pa.ChunkedArray:
    """Return a text column with each different value changed once; null counts as empty."""
    texts = pc.fill_null(column.cast(pa.string()), "")
    changed = {each: change(each) for each in texts.unique().to_pylist()}
    return pa.chunked_array([[changed[each] for each in texts.to_pylist()]], type=pa.string())


def _describe(table: pa.Table, sha256: str, at: datetime) -> SnapshotInfo:
    when = pc.min_max(table["at"])
    return SnapshotInfo(
        id=f"{at:%Y%m%d-%H%M%S}-{sha256[:6]}",
        rows=table.num_rows,
        slates=len(table["slate"].unique()),
        seniors=len(set(table["senior"].unique().to_pylist()) - {""}),
        since=when["min"].as_py().isoformat(),
        until=when["max"].as_py().isoformat(),
        sha256=sha256,
        features=list(FEATURES),
        made_at=at.isoformat(),
    )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sync(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())
