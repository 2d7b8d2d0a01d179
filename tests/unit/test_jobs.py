"""A training lives in a process of its own: it can be watched and ended, and a crash is told in one line."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from recommender import jobs
from recommender.errors import Conflict, InputRefused
from recommender.jobs import Job, Status

Start = Callable[[str], Job]

WRITES = """
import json, os, sys, time
from pathlib import Path
told = Path(sys.argv[1])
def tell(**said):
    told.with_suffix(".new").write_text(json.dumps(said))
    os.replace(told.with_suffix(".new"), told)
"""
"""What every job of these tests begins with. It imports nothing of ours, so that it starts at once."""


@pytest.fixture
def start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Start]:
    """Return what starts a job that runs a few lines of Python instead of a training."""

    def begin(lines: str) -> Job:
        def command(home: Path, snapshot_id: str | None, seed: int, status_file: Path) -> list[str]:
            return [sys.executable, "-c", WRITES + lines, str(status_file)]

        monkeypatch.setattr(jobs, "command", command)
        return jobs.start(tmp_path, "20260601-120000-abcdef")

    yield begin
    for job in jobs.jobs(tmp_path):
        jobs.cancel(job, patience=0.2)


def until(job: Job, *states: str, patience: float = 15) -> Status:
    """Wait for a job to come into one of these states."""
    end = time.monotonic() + patience
    while jobs.status(job).state not in states and time.monotonic() < end:
        time.sleep(0.02)
    status = jobs.status(job)
    assert status.state in states, (status, jobs.log(job))
    return status


def process_of(job: Job) -> int:
    """Return the number of a job's process."""
    return int((job.folder / "process").read_text())


def test_a_job_says_how_far_it_is_and_what_came_of_it(start: Start) -> None:
    """Its status is what its process wrote last, also after that has ended."""
    job = start(
        "tell(state='running', done=2, total=9, step='choosing')\n"
        "while not told.with_name('go').exists(): time.sleep(0.02)\n"
        "tell(state='done', done=9, total=9, model_id='m-1')"
    )
    assert until(job, "running") == Status("running", 2, 9, "choosing")
    (job.folder / "go").touch()
    assert until(job, "done") == Status("done", 9, 9, model_id="m-1")


def test_a_crash_is_told_in_one_line(start: Start) -> None:
    """The last line of the log stands for the traceback; the log keeps all of it."""
    job = start("tell(state='running', done=1, total=9); print('so far'); raise ValueError('a number is missing')")
    status = until(job, "failed")
    assert status == Status("failed", 1, 9, message="ValueError: a number is missing")


def test_a_killed_process_has_failed(start: Start) -> None:
    """A process that is gone without a word, as after running out of memory, is not taken for one that works."""
    job = start("tell(state='running', done=1, total=9); time.sleep(60)")
    until(job, "running")
    os.kill(process_of(job), signal.SIGKILL)
    assert until(job, "failed") == Status("failed", 1, 9)


def test_what_the_work_says_of_its_failure_stays(start: Start) -> None:
    """A refusal that the process wrote down in a sentence is not replaced by the log."""
    job = start("tell(state='failed', message='Too little.'); print('noise'); sys.exit(1)")
    assert until(job, "failed").message == "Too little."


def test_cancelling_ends_the_process(start: Start) -> None:
    """The process is gone, the job is cancelled, and the next one may start."""
    job = start("tell(state='running', done=3, total=9, step='choosing'); time.sleep(60)")
    until(job, "running")
    assert jobs.cancel(job) == Status("cancelled", 3, 9, "choosing")
    assert jobs.status(job).state == "cancelled"
    until(start("tell(state='done')"), "done")


def test_a_process_that_does_not_listen_is_ended(start: Start) -> None:
    """Who ignores the first request is not asked a second time."""
    job = start("import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\ntell(state='running'); time.sleep(60)")
    until(job, "running")
    assert jobs.cancel(job, patience=0.3).state == "cancelled"


def test_a_job_that_is_over_stays_what_it_is(start: Start) -> None:
    """Cancelling too late changes nothing."""
    job = start("tell(state='done', model_id='m-1')")
    until(job, "done")
    assert jobs.cancel(job) == Status("done", model_id="m-1")


def test_no_foreign_process_is_ended(start: Start) -> None:
    """The system gives numbers out again: a process that has the number of a job that ended is left alone."""
    job = start("tell(state='running'); print('bye')")
    until(job, "failed")
    foreign = subprocess.Popen(["sleep", "60"])
    try:
        (job.folder / "process").write_text(str(foreign.pid))
        assert jobs.cancel(job, patience=0.2).state == "cancelled"
        time.sleep(0.1)
        assert foreign.poll() is None
    finally:
        foreign.kill()
        foreign.wait()


def test_one_training_at_a_time(start: Start, tmp_path: Path) -> None:
    """While one runs a second is refused, with its id."""
    job = start("time.sleep(60)")
    with pytest.raises(Conflict) as refused:
        jobs.start(tmp_path)
    assert (refused.value.key, refused.value.values) == ("training_running", {"id": job.id})


def test_a_job_outlives_who_started_it(tmp_path: Path) -> None:
    """The app may stop: another process sees the job running, and can end it."""
    lines = (
        "import sys; from pathlib import Path; from recommender import jobs\n"
        "jobs.command = lambda *rest: [sys.executable, '-c', 'import time; time.sleep(60)']\n"
        f"print(jobs.start(Path({str(tmp_path)!r})).id)"
    )
    job_id = subprocess.run([sys.executable, "-c", lines], capture_output=True, text=True, check=True).stdout.strip()
    job = jobs.find(tmp_path, job_id)
    assert jobs.status(job).state == "queued"
    assert jobs.cancel(job).state == "cancelled"


def test_the_newest_job_comes_first(start: Start, tmp_path: Path) -> None:
    """Jobs are listed by when they started."""
    found = []
    for _ in range(3):
        found.append(start("tell(state='done')"))
        until(found[-1], "done")
    assert jobs.jobs(tmp_path) == found[::-1]


def test_old_logs_are_cleared_away(start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the last jobs are kept, with the one that runs."""
    monkeypatch.setattr(jobs, "KEPT", 2)
    for _ in range(4):
        last = start("tell(state='done')")
        until(last, "done")
        assert last in jobs.jobs(tmp_path)
    assert len(jobs.jobs(tmp_path)) == 2


@pytest.mark.parametrize("job_id", ["j-20260101-000000-aaaa", "../models", "j-.."])
def test_a_job_that_is_not_there_is_refused(tmp_path: Path, job_id: str) -> None:
    """An id that is none, or leads elsewhere, is refused by name."""
    for folder in ("jobs", "models"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "process").touch()
    with pytest.raises(InputRefused) as refused:
        jobs.find(tmp_path, job_id)
    assert refused.value.values == {"id": job_id}


def test_the_log_is_read_from_its_end(start: Start) -> None:
    """Of a long log only the last lines are read, without empty ones."""
    job = start("[print(f'line {n}\\n') for n in range(20000)]; tell(state='done')")
    until(job, "done")
    assert jobs.log(job, 2) == ["line 19998", "line 19999"]
    assert len(jobs.log(job, 100_000)) < 20_000


def test_the_command_is_one_of_ours(tmp_path: Path) -> None:
    """A job runs the command line of the product, with the Python that runs now."""
    words = jobs.command(tmp_path, "20260601-120000-abcdef", 9, tmp_path / "status.json")
    assert words[:4] == [sys.executable, "-m", "recommender", "train"]
    assert words[4:] == [
        *("--home", str(tmp_path)),
        *("--snapshot", "20260601-120000-abcdef"),
        *("--seed", "9"),
        *("--status", str(tmp_path / "status.json")),
    ]
