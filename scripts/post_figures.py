"""What becomes of 200 letters when the mail server is well, down, slow, refuses, drops the line, or the app is killed.

Real servers on this machine, a clock that is moved on. A letter is lost if it did not arrive and no coordinator sees
that. Run: ``.venv/bin/python scripts/post_figures.py``.
"""

import asyncio
import logging
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pydantic import SecretStr

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))  # the misbehaving server belongs to the tests

from recommender.domain import Senior, SeniorId  # noqa: E402
from recommender.post import Post  # noqa: E402
from recommender.smtp import Smtp  # noqa: E402
from recommender.store import Store  # noqa: E402
from tests.mail_server import Behaviour, MailServer, Stage, Talk, free_port, well  # noqa: E402

LETTERS = 200
EVERY = 10
"""Every so many talks the server does what the row is about."""
PATIENT, TIMEOUT, SLOW = 10.0, 0.25, 3.0
"""Seconds of ours for a server; of ours for a slow one; and of the slow one."""
START = datetime(2026, 12, 1, 9, 0, tzinfo=UTC)
VALUES = {"name": "Anneke", "other": "Sanne", "topic": "Excel", "until": "2026-12-11"}

CHILD = """
import sys
from datetime import datetime, timedelta
from pathlib import Path
from pydantic import SecretStr
from recommender.post import Post
from recommender.smtp import Smtp
from recommender.store import Store
store = Store(Path(sys.argv[1]))
smtp = Smtp("127.0.0.1", int(sys.argv[2]), "none", "", SecretStr(""), "post@telemachos.example", 20.0)
Post(store, smtp, lambda: datetime.fromisoformat(sys.argv[3]), timedelta()).deliver(1000)
"""


@dataclass(frozen=True)
class Row:
    """What became of the letters under one kind of server."""

    name: str
    queued: int
    once: int
    twice: int
    lost: int
    seen: int
    seconds: float


def queued(path: Path | None) -> Store:
    """Return a store with letters that are due."""
    store = Store(path)
    people = [Senior(SeniorId(f"s{n}"), f"Anneke {n}", email=f"s{n}@klant.example") for n in range(LETTERS)]
    store.people.put(people)
    post = Post(store, None, lambda: START, timedelta())
    with store.steps.step("figures", "figures", START) as step:
        for person in people:
            post.queue(step, f"letter-{person.id}", person, "invitation", VALUES, START)
    return store


def smtp(port: int, timeout: float = PATIENT) -> Smtp:
    """Return the product's side of a line."""
    return Smtp("127.0.0.1", port, "none", "", SecretStr(""), "post@telemachos.example", timeout)


def sometimes(stage: Stage, do: Callable[[Talk], object]) -> Behaviour:
    """Return a server that does something at one stage in every tenth talk."""
    talks = 0

    async def behave(now: Stage, talk: Talk) -> str | None:
        nonlocal talks
        if now != stage:
            return None
        talks += 1
        if talks % EVERY != 1:
            return None
        done = do(talk)
        said = await done if asyncio.iscoroutine(done) else done
        return said if isinstance(said, str) else None

    return behave


async def grey(stage: Stage, talk: Talk) -> str | None:
    """Say "later" to everybody who is new."""
    if stage != "rcpt" or not talk.envelope:
        return None
    known = vars(talk.mail_server).setdefault("known", set())
    address = talk.envelope.rcpt_tos[0]
    if address in known:
        return None
    known.add(address)
    return "451 4.7.1 come back later"


def until_quiet(post: Post, moment: list[datetime], threads: int = 1) -> None:
    """Deliver, and let time pass, until nothing waits any more or a month has gone."""
    with ThreadPoolExecutor(threads) as pool:
        while "waiting" in post.overview().counts and moment[0] < START + timedelta(days=31):
            list(pool.map(lambda _: post.deliver(1000), range(threads)))
            moment[0] += timedelta(minutes=20)


def counted(name: str, post: Post, server: MailServer, began: float) -> Row:
    """Count at the server what arrived, and in the store what a coordinator sees."""
    times = server.times()
    arrived = {to for to, _ in server.arrived}
    seen = [each.person_id for each in post.overview().troubled]
    shown = {f"{person}@klant.example" for person in seen}
    lost = sum(f"s{n}@klant.example" not in arrived | shown for n in range(LETTERS))
    once, twice = (sum(test(count) for count in times.values()) for test in ((1).__eq__, (1).__lt__))
    return Row(name, LETTERS, once, twice, lost, len(seen), time.perf_counter() - began)


def one(name: str, behave: Behaviour, threads: int = 1, timeout: float = PATIENT) -> Row:
    """Send all letters by one server."""
    began, moment = time.perf_counter(), [START]
    server, store = MailServer(behave), queued(None)
    try:
        post = Post(store, smtp(server.port, timeout), lambda: moment[0], timedelta())
        until_quiet(post, moment, threads)
        return counted(name, post, server, began)
    finally:
        server.stop()
        store.close()


def down_then_up() -> Row:
    """Send where nothing listens for a day, then where a server does."""
    began, moment, port = time.perf_counter(), [START], free_port()
    store = queued(None)
    post = Post(store, smtp(port), lambda: moment[0], timedelta())
    while moment[0] < START + timedelta(days=1):
        post.deliver(1000)
        moment[0] += timedelta(minutes=20)
    server = MailServer(port=port)
    try:
        until_quiet(post, moment)
        return counted("down for a day, then up", post, server, began)
    finally:
        server.stop()
        store.close()


def killed(name: str, stage: Stage, times: int = 5) -> Row:
    """Kill the process that sends, again and again, and start it anew."""
    began, moment = time.perf_counter(), START
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "post.duckdb"
        queued(path).close()
        child: subprocess.Popen[bytes] | None = None
        talks = 0

        async def kill(now: Stage, _: Talk) -> None:
            nonlocal talks
            talks += now == stage
            if now == stage and talks % (LETTERS // (times + 1)) == 0 and child:
                child.kill()
                await asyncio.to_thread(child.wait)

        server = MailServer(kill)
        try:
            for _ in range(times + 1):
                child = subprocess.Popen([sys.executable, "-c", CHILD, path, str(server.port), moment.isoformat()])
                child.wait()
                moment += timedelta(hours=1)
            server.behave = well
            store = Store(path)
            post = Post(store, smtp(server.port), lambda: moment, timedelta())
            post.deliver(1000)
            row = counted(name, post, server, began)
            store.close()
            return row
        finally:
            server.stop()


def main() -> None:
    """Print the table."""
    logging.disable(logging.WARNING)

    def silent(_: Talk) -> object:
        return asyncio.sleep(SLOW)

    async def half(talk: Talk) -> None:
        talk._writer.write(b"354 go on\r\n")
        await talk._writer.drain()
        talk.drop()

    rows = [
        one("up", well),
        one("up, 8 threads send", well, threads=8),
        down_then_up(),
        one("slow before the letter", sometimes("rcpt", silent), timeout=TIMEOUT),
        one("slow after the letter", sometimes("end", silent), timeout=TIMEOUT),
        one("grey list: everybody later", grey),
        one("refuses the reader (550)", sometimes("rcpt", lambda _: "550 5.1.1 unknown")),
        one("drops before the letter", sometimes("rcpt", Talk.drop)),
        one("drops within the letter", sometimes("data", half)),
        one("drops after the letter", sometimes("end", Talk.drop)),
        killed("app killed before the letter", "rcpt"),
        killed("app killed after the letter", "end"),
    ]
    print("| server | letters | arrived once | arrived twice | lost | shown to the coordinator | seconds |")
    print("|---|---|---|---|---|---|---|")
    for row in rows:
        print(f"| {row.name} | {row.queued} | {row.once} | {row.twice} | {row.lost} | {row.seen} | {row.seconds:.1f} |")


if __name__ == "__main__":
    main()
