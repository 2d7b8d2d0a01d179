"""Training in a process of its own, so that nobody waits for it: start, look, read the log, cancel.

A job is a folder under ``<home>/jobs``. The process that works writes ``status.json``, whole or not at all, and says
the rest into ``log.txt``. It inherits the lock on ``lock``, and the system lets go of that when it ends, however it
ends: so a process that crashed is never taken for one that works, and while the lock is held the number in ``process``
is that of no other process. The database is not opened here, nor by the process.
"""

import fcntl
import json
import os
import re
import secrets
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from recommender.errors import Conflict, InputRefused
from recommender.files import write

State = Literal["queued", "running", "done", "failed", "cancelled"]
OVER: tuple[State, ...] = ("done", "failed", "cancelled")

KEPT = 20
"""Jobs whose log is kept."""

TAIL = 64_000
"""Bytes at the end of a log that are read."""

PATIENCE = 5.0
"""Seconds that a process gets to end by itself."""


@dataclass(frozen=True)
class Job:
    """One training, past or present."""

    id: str
    folder: Path

    @property
    def status_file(self) -> Path:
        """Return where the process that works says how far it is."""
        return self.folder / "status.json"


@dataclass(frozen=True)
class Status:
    """How far a job is. `step` is the word after ``learn.step_``; `message` says why it failed."""

    state: State
    done: int = 0
    total: int = 0
    step: str = ""
    model_id: str = ""
    message: str = ""


def start(home: Path, snapshot_id: str | None = None, seed: int = 7) -> Job:
    """Start a training and return at once.

    Raises
    ------
    Conflict
        If one is running already: two would only slow each other down.
    """
    running = [each.id for each in jobs(home) if status(each).state not in OVER]
    if running:
        raise Conflict("training_running", id=running[0])
    job_id = f"j-{datetime.now(UTC):%Y%m%d-%H%M%S-%f}-{secrets.token_hex(2)}"
    job = Job(job_id, home / "jobs" / job_id)
    job.folder.mkdir(parents=True)
    tell(job.status_file, Status("queued"))
    process = _spawn(job, command(home, snapshot_id, seed, job.status_file))
    write(job.folder / "process", str(process.pid).encode())
    # Somebody has to take note of its end, or it stays in the system's list.
    threading.Thread(target=process.wait, daemon=True, name=job_id).start()
    for old in jobs(home)[KEPT:]:
        shutil.rmtree(old.folder, ignore_errors=True)
    return job


def command(home: Path, snapshot_id: str | None, seed: int, status_file: Path) -> list[str]:
    """Return the command that a job runs."""
    chosen = ["--snapshot", snapshot_id] if snapshot_id else []
    rest = ["--home", str(home), *chosen, "--seed", str(seed), "--status", str(status_file)]
    return [sys.executable, "-m", "recommender", "train", *rest]


def jobs(home: Path) -> list[Job]:
    """Return all jobs, the newest first."""
    found = [Job(each.parent.name, each.parent) for each in (home / "jobs").glob("j-*/process")]
    return sorted(found, key=lambda each: each.id, reverse=True)


def find(home: Path, job_id: str) -> Job:
    """Return one job.

    Raises
    ------
    InputRefused
        If there is none of that id.
    """
    job = Job(job_id, home / "jobs" / job_id)
    if not re.fullmatch(r"j-[0-9a-f-]+", job_id) or not (job.folder / "process").is_file():
        raise InputRefused("job_unknown", id=job_id)
    return job


def status(job: Job) -> Status:
    """Return how far a job is; one whose process ended without a word has failed."""
    # First the process and then its file: in the other order a job that ends in between looks like a crash.
    alive = _alive(job)
    said = _read(job.status_file)
    if alive or said.state in OVER:
        return said
    lines = log(job, 1)
    return Status("failed", said.done, said.total, said.step, message=lines[-1] if lines else "")


def log(job: Job, last_lines: int = 20) -> list[str]:
    """Return the last lines that are not empty."""
    try:
        with (job.folder / "log.txt").open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - TAIL))
            text = file.read().decode("utf-8", errors="replace")
    except OSError:
        return []
    return [line.strip()[:300] for line in text.splitlines() if line.strip()][-last_lines:]


def cancel(job: Job, patience: float = PATIENCE) -> Status:
    """End a job: ask its process first, and insist after `patience` seconds. A job that is over stays what it is."""
    for kind in (signal.SIGTERM, signal.SIGKILL):
        if _alive(job):
            _send(job, kind)
            _wait(job, patience)
    said = _read(job.status_file)
    if said.state not in OVER and not _alive(job):
        said = Status("cancelled", said.done, said.total, said.step)
        tell(job.status_file, said)
    return said


def tell(path: Path, said: Status) -> None:
    """Write how far a job is, in one step."""
    write(path, json.dumps(asdict(said)).encode())


def _read(path: Path) -> Status:
    try:
        return Status(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return Status("queued")


def _spawn(job: Job, words: Sequence[str]) -> "subprocess.Popen[bytes]":
    cores = max(1, (os.cpu_count() or 2) // 2)
    with (job.folder / "lock").open("wb") as lock, (job.folder / "log.txt").open("wb") as said:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return subprocess.Popen(
            words,
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=subprocess.STDOUT,
            # The lock goes over to the process: it is held for as long as that lives, also when the app is gone.
            pass_fds=(lock.fileno(),),
            start_new_session=True,
            env=os.environ | {"OMP_NUM_THREADS": str(cores)},
        )


def _alive(job: Job) -> bool:
    try:
        with (job.folder / "lock").open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def _send(job: Job, kind: signal.Signals) -> None:
    try:
        os.kill(int((job.folder / "process").read_text()), kind)
    except (OSError, ValueError):
        return


def _wait(job: Job, patience: float) -> None:
    until = time.monotonic() + patience
    while _alive(job) and time.monotonic() < until:
        time.sleep(0.02)
