"""Many seniors at once: how long a turn takes, what it costs the server, and whether anything that was said gets lost.

The aim is 50 sessions at one message per 5 seconds with 95% of the answers within a second. The real app runs with the
real encoder; each session is a raw websocket that speaks Streamlit's protobuf as a browser does, so no browser takes
part of the machine. A round trip lasts from sending until the run of the script has finished.

What is kept in `--home` is used from a copy. Run: ``.venv/bin/python scripts/session_load.py --home data/local``.
"""

import argparse
import asyncio
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import uuid
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.Element_pb2 import Element
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from recommender.bootstrap import DATABASE
from recommender.dialogue.state import GUIDE, SENIOR, Kind
from recommender.domain import ConversationId, SeniorId, Turn
from recommender.store import Store

try:
    import psutil
except ImportError:  # it comes with packages that are only there for development
    psutil = None

ROOT = Path(__file__).parents[1]
SPREAD = 10.0
THINK = (4.0, 6.0)
"""Seconds from one message of a session to its next."""

PATIENCE = 120.0
"""Seconds after which a session that waits for an answer gives up; a browser would wait on."""

STARTING = 900.0
"""Seconds for the first visit, which may unpack the encoder and read the demo organisation."""

SHARE_TYPED = 0.7
SHARE_SENT = 0.2

GOALS = """
ik wil filmpies maken met mn telefoon voor onze etalage
hoe maak ik een draaitabbel in exel
ik snap niks van teams, waar blijve mijn bestanden
kan iemant mij helpen met linkedin profiel
ik wil leren werken met chatgpt voor mijn mails
hoe bewaar ik veilig mijn wachtworden
powerpoint mooier maken met annimaties
ik wil begrijpen wat jonge klanten van onze webshob vinden
instagram voor de afdelling, waar begin ik
hoe maak ik een online vergaderng met delen van scherm
ik wil podcasts leren maken en opneme
wat is AI eigelijk en wat kan ik ermee
planing maken in planner of trello
ik wil vertikaal video monteren op me gsm
hoe zoek ik snel iets in onedrijf
fotos bewerken zonder fotoshop
een nieuwsbrief maken in mailchip
ik wil beter prompts schriven
data uit ons systeem in een grafiekje zeten
power bi dashbord lezen en zelf bouwen
hoe herken ik pishing mails
ik wil minder tijd kwijt zijn aan mijn mailbocs
whatsapp zakelijk gebruike met klanten
een enquette maken en de antwoorden verwerken
tiktok snappen, mn kleinkinderen doen het ook
ik wil een formulier op me tablet invulen bij de klant
samen in een document werken zonder versies kwijt te rake
hoe maak ik een gratis websitje
notities maken met onenot
ik wil leren programeren, een beetje paiton
macros in excell automaties laten lopen
digitale handtekning zetten onder een contract
ik wil beeldbelle met klanten zonder stress
mijn kalender delen met kollega's
hoe praten jongeren over duurzaamheit en werk
canva gebruiken voor een posterr
een chatbot makken voor vragen van de klant
voise opdrachten op mijn telefoon gebruikn
privacy instelingen op mijn laptop en telefoon
virtuele bril, wat kan onze opleiding daarmee doen
""".strip().splitlines()

FOLLOWING = """
liever iemand bij mij in de buurt
het moet online kunen
ik heb alleen op dinsdag tijd
iemand met veel gedult graag
wat technischer mag ook
niet iemand van mijn eigen afdelling
waarom deze?
waarom staat de eerste bovenaan
kun je ze vergelijke
vergelijk de eerste twee
laat er nog meer zien
nog een paar anderen aub
nee deze passen niet
doe maar ongedaan
toch niet, terug
ik ben echt een beginer
ik kan het al een beetje
en ook iets met exel
liever engels sprekend
maakt niet uit
wie ben jij eigelijk
help
dat weet ik niet
liever op lokatie
donderdagmiddag komt goed uit
iemand die ook van muziek houdt?
ik kies de eerste
hoe weet je dat
wat weet je van mij
bedankt, leuk
sla maar over
ik bedoelde iets anders: een presentatie geven met beelden
kan het ook in de ochtent
iemand van marketing misschien
""".strip().splitlines()

CLICKED = (
    "ask-more",
    "ask-compare",
    "ask-undo",
    "ask-about-me",
    "card-choose-",
    "card-refuse-",
    "drop-wish-",
    "meant-",
    "offer-no",
    "option-",
    "question-skip",
    "question-why",
    "wish-",
)
"""How the keys begin of what a senior clicks while there is a text box."""


@dataclass
class Page:
    """What one run of the script has drawn, as far as it can be used or is an error."""

    chat: str = ""
    buttons: dict[str, str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def draw(self, element: Element) -> None:
        """Note one element."""
        match element.WhichOneof("type"):
            case "chat_input":
                self.chat = element.chat_input.id
            case "button" if not element.button.disabled:
                # An id is "$$ID-", a hash, "-" and the key.
                self.buttons[element.button.id.split("-", 2)[2]] = element.button.id
            case "exception":
                self.problems.append(f"exception: {element.exception.message}")
            case "alert" if element.alert.format == element.alert.ERROR:
                self.problems.append(f"error box: {element.alert.body}")


@dataclass(frozen=True)
class Sent:
    """One message with how long its answer took, and what went wrong."""

    what: str
    seconds: float
    problems: tuple[str, ...]


class Dropped(Exception):
    """The connection has gone, or an answer didn't come."""


@dataclass
class Visit:
    """One browser tab of one senior."""

    url: str
    senior: SeniorId
    rng: np.random.Generator
    patience: float = PATIENCE
    first: float | None = None
    turns: list[Sent] = field(default_factory=list)
    dropped: str = ""
    late: int = 0

    def __post_init__(self) -> None:
        self._page = Page()
        self._query, self._page_hash = f"as={self.senior}&lang=nl", ""
        self._cached: set[str] = set()
        self._goals = list(self.rng.permutation(GOALS))
        self._following = list(self.rng.permutation(FOLLOWING))

    async def run(self, after: float, seconds: float, messages: int = 10_000) -> None:
        """Wait, open the page, and talk for so many seconds or messages."""
        await asyncio.sleep(after)
        end = time.perf_counter() + seconds
        try:
            began = time.perf_counter()
            # As in a browser: no pings from this side, and no limit to what is received.
            async with connect(self.url, subprotocols=["streamlit"], max_size=None, ping_interval=None) as socket_:  # type: ignore[list-item]
                await self._finished(socket_, None)
                self.first = time.perf_counter() - began
                if self._page.problems:
                    self.turns.append(Sent("opening", self.first, tuple(self._page.problems)))
                due = time.perf_counter() + self.rng.uniform(0, THINK[1])
                while len(self.turns) < messages and due < end:
                    await self._think(socket_, due)
                    due = max(due + self.rng.uniform(*THINK), time.perf_counter())
                    await self._turn(socket_)
        except (Dropped, WebSocketException, OSError) as error:
            self.dropped = f"{type(error).__name__}: {error}"

    async def _turn(self, socket_: ClientConnection) -> None:
        what, state = self._next()
        began = time.perf_counter()
        await self._finished(socket_, state)
        self.turns.append(Sent(what, time.perf_counter() - began, tuple(self._page.problems)))

    def _next(self) -> tuple[str, WidgetState]:
        """Return what the senior does now, as far as the page lets them."""
        page = self._page
        if not page.chat:
            if "ask-back" in page.buttons:
                sends = "ask-yes" in page.buttons and self.rng.random() < SHARE_SENT
                return self._click("ask-yes" if sends else "ask-back")
            if "ask-restart" not in page.buttons:
                raise Dropped("nothing on the page can be used")
            return self._click("ask-undo" if "ask-undo" in page.buttons else "ask-restart")
        if "example-1" not in page.buttons:
            clicks = [key for key in page.buttons if key.startswith(CLICKED)]
            if clicks and self.rng.random() > SHARE_TYPED:
                groups = sorted({next(each for each in CLICKED if key.startswith(each)) for key in clicks})
                group = self.rng.choice(groups)
                return self._click(self.rng.choice([key for key in clicks if key.startswith(group)]))
            return "words", self._typed(self._following)
        return "goal", self._typed(self._goals)

    def _typed(self, texts: list[str]) -> WidgetState:
        text = str(texts.pop())
        texts.insert(0, text)
        state = WidgetState(id=self._page.chat)
        state.chat_input_value.data = text
        return state

    def _click(self, key: str) -> tuple[str, WidgetState]:
        return "click", WidgetState(id=self._page.buttons[key], trigger_value=True)

    async def _finished(self, socket_: ClientConnection, state: WidgetState | None) -> None:
        """Ask for a run of the script and wait until it has finished."""
        message = BackMsg()
        run = message.rerun_script
        run.query_string, run.page_script_hash = self._query, self._page_hash
        run.cached_message_hashes.extend(self._cached)
        run.context_info.timezone, run.context_info.locale = "Europe/Amsterdam", "nl-NL"
        if state is not None:
            run.widget_states.widgets.append(state)
        try:
            async with asyncio.timeout(self.patience):
                await socket_.send(message.SerializeToString())
                while not await self._received(socket_):
                    pass
        except TimeoutError:
            raise Dropped(f"no answer within {self.patience:.0f} s") from None

    async def _think(self, socket_: ClientConnection, until: float) -> None:
        """Wait, and take whatever comes meanwhile."""
        try:
            async with asyncio.timeout(max(until - time.perf_counter(), 0)):
                while True:
                    self.late += await self._received(socket_)
        except TimeoutError:
            return

    async def _received(self, socket_: ClientConnection) -> bool:
        """Take one message, and tell whether it ends a run."""
        message = ForwardMsg.FromString(await socket_.recv(decode=False))
        if message.metadata.cacheable and message.hash:
            self._cached.add(message.hash)
        match message.WhichOneof("type"):
            case "new_session":
                self._page, self._page_hash = Page(), message.new_session.page_script_hash
            case "page_info_changed":
                self._query = message.page_info_changed.query_string
            case "delta" if message.delta.WhichOneof("type") == "new_element":
                self._page.draw(message.delta.new_element)
            case "script_finished":
                if message.script_finished == ForwardMsg.FINISHED_WITH_COMPILE_ERROR:
                    self._page.problems.append("compile error")
                    return True
                return message.script_finished == ForwardMsg.FINISHED_SUCCESSFULLY
        return False


@dataclass(frozen=True)
class Usage:
    """What a process has used: CPU seconds so far, and megabytes of memory now."""

    cpu: float
    memory: float

    @classmethod
    def of(cls, pid: int) -> "Usage":
        """Look at a process."""
        if psutil is not None:
            process = psutil.Process(pid)
            times = process.cpu_times()
            return cls(times.user + times.system, process.memory_info().rss / 2**20)
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        return cls(
            (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK"), pages * os.sysconf("SC_PAGE_SIZE") / 2**20
        )


@dataclass(frozen=True)
class Series:
    """What came of one number of sessions."""

    visits: Sequence[Visit]
    seconds: float
    cpu: float
    own_cpu: float
    before: Usage
    after: Usage
    unexpected: int
    lost: int
    unacknowledged: int

    @property
    def turns(self) -> list[Sent]:
        """All turns of all sessions."""
        return [turn for visit in self.visits for turn in visit.turns]

    def row(self) -> str:
        """Return one row of the table."""
        turns = self.turns
        first = [visit.first for visit in self.visits if visit.first is not None]
        cells = (
            len(self.visits),
            len(turns),
            f"{len(turns) / self.seconds:.1f}",
            sum(bool(turn.problems) for turn in turns),
            self.unexpected,
            sum(bool(visit.dropped) for visit in self.visits),
            _times(first, 50, 95),
            _times([turn.seconds for turn in turns], 50, 95, 100),
            f"{self.cpu:.1f} of {self.seconds:.0f} s",
            f"{self.own_cpu:.1f}",
            f"{self.before.memory:.0f} → {self.after.memory:.0f}",
            self.lost,
        )
        return f"| {' | '.join(map(str, cells))} |"

    def told(self) -> list[str]:
        """Return rows with times for each sort of message, and what went wrong."""
        lines = [
            f"| {len(self.visits)} | {what} | {len(some)} | {_times(some, 50, 95, 100)} |"
            for what, some in self._sorts()
        ]
        problems = Counter(problem for turn in self.turns for problem in turn.problems)
        problems.update(visit.dropped for visit in self.visits if visit.dropped)
        if self.unacknowledged:
            problems["turns stored for which no answer was seen"] = self.unacknowledged
        if late := sum(visit.late for visit in self.visits):
            problems["runs that nobody asked for"] = late
        return lines + [f"- {len(self.visits)} sessions, {number} times: {text}" for text, number in problems.items()]

    def _sorts(self) -> Iterator[tuple[str, list[float]]]:
        for what in sorted({turn.what for turn in self.turns}):
            yield what, [turn.seconds for turn in self.turns if turn.what == what]


def _times(seconds: Sequence[float], *percentiles: float) -> str:
    if not seconds:
        return "–"
    return " / ".join(f"{np.percentile(seconds, each):.2f}" for each in percentiles)


def main() -> None:
    """Run each number of sessions on a copy of the same home, and print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--home", type=Path, help="start from a copy of this one; the default is a fresh one")
    parser.add_argument("--sessions", type=int, default=50, help="fewer than there are seniors")
    parser.add_argument("--beside", type=int, default=10, help="sessions of the series beside it; 0 is none")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=7)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = asked.home or Path(folder, "fresh")
        if not (home / DATABASE).exists():
            with running(home) as (url, _):
                asyncio.run(_warm(url, SeniorId(""), 0))
        numbers = [number for number in (asked.beside, asked.sessions) if number]
        series = [measured(copy_of(home, Path(folder, f"home-{n}")), n, asked.seconds, asked.seed) for n in numbers]
    print(
        f"One message per {THINK[0]:.0f} to {THINK[1]:.0f} s in each session, {asked.seconds:.0f} s long, "
        f"{os.cpu_count()} cores, load of the machine afterwards {os.getloadavg()[0]:.1f}. Times are seconds.\n\n"
        "| sessions | messages | per second | error boxes and exceptions | unexpected errors in the log | dropped "
        "| first run p50 / p95 | round trip p50 / p95 / max | server CPU s | own CPU s | memory MB | lost |\n"
        "|---|---|---|---|---|---|---|---|---|---|---|---|"
    )
    print(*(each.row() for each in series), sep="\n")
    print("\n| sessions | sort | messages | p50 / p95 / max |\n|---|---|---|---|")
    told = [line for each in series for line in each.told()]
    print(*(line for line in told if line.startswith("|")), sep="\n")
    print("", *(line for line in told if not line.startswith("|")), sep="\n")
    if any(each.lost for each in series):
        sys.exit("Something that was said is lost.")


def copy_of(home: Path, target: Path) -> Path:
    """Return a home with the same people; encoders are only read, so a link is enough."""
    target.mkdir()
    for file in home.glob(f"{DATABASE}*"):
        shutil.copy(file, target)
    if (home / "models").exists():
        shutil.copytree(home / "models", target / "models")
    if (home / "encoders").exists():
        (target / "encoders").symlink_to((home / "encoders").resolve())
    return target


def measured(home: Path, sessions: int, seconds: float, seed: int) -> Series:
    """Run so many sessions against a server of their own."""
    begun = begin(home, sessions + 1)
    *seniors, first = begun
    with running(home) as (url, pid):
        warm = asyncio.run(_warm(url, first, 3))
        if warm.dropped or not warm.turns:
            sys.exit(f"The first visit came to nothing: {warm.dropped}")
        since, before, own = time.perf_counter(), Usage.of(pid), time.process_time()
        visits = [Visit(url, senior, np.random.default_rng([seed, n])) for n, senior in enumerate(seniors)]
        asyncio.run(_all(visits, seconds))
        after, own = Usage.of(pid), time.process_time() - own
        lasted = time.perf_counter() - since
    stored = said_in(home, begun)
    # What was refused shows an error box and stores nothing.
    said = {visit.senior: sum(not turn.problems for turn in visit.turns) for visit in (*visits, warm)}
    return Series(
        visits,
        lasted,
        after.cpu - before.cpu,
        own,
        before,
        after,
        (home / "log").read_text(encoding="utf-8").count("unexpected error"),
        sum(max(number - stored[senior], 0) for senior, number in said.items()),
        sum(max(stored[senior] - number, 0) for senior, number in said.items()),
    )


def begin(home: Path, number: int) -> dict[SeniorId, ConversationId]:
    """Start a new conversation for each of so many seniors, so that all begin with an empty page."""
    store = Store(home / DATABASE)
    seniors = [each.id for each in store.people.seniors()][:number]
    if len(seniors) < number:
        sys.exit(f"{number} seniors are needed, and there are {len(seniors)}.")
    begun = {senior: ConversationId(uuid.uuid4().hex) for senior in seniors}
    for senior, where in begun.items():
        greeting = Turn(where, 0, GUIDE, Kind.GREETING, at=datetime.now(UTC))
        store.conversations.start(where, senior, "nl", greeting)
    store.close()
    return begun


def said_in(home: Path, begun: Mapping[SeniorId, ConversationId]) -> dict[SeniorId, int]:
    """Count what each senior said or clicked, as far as it was stored."""
    store = Store(home / DATABASE)
    said = {
        senior: sum(turn.speaker == SENIOR for turn in store.conversations.turns(where))
        for senior, where in begun.items()
    }
    store.close()
    return said


async def _warm(url: str, senior: SeniorId, messages: int) -> Visit:
    visit = Visit(url, senior, np.random.default_rng(0), patience=STARTING)
    await visit.run(0, STARTING, messages)
    return visit


async def _all(visits: Sequence[Visit], seconds: float) -> None:
    await asyncio.gather(*(visit.run(SPREAD * n / len(visits), seconds) for n, visit in enumerate(visits)))


@contextmanager
def running(home: Path) -> Iterator[tuple[str, int]]:
    """Run the app on a free port; give the address of its websocket and its process id, and stop just that process."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    home.mkdir(parents=True, exist_ok=True)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TELEMACHOS_")}
    with (home / "log").open("w", encoding="utf-8") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "streamlit", "run", str(ROOT / "streamlit_app.py"), "--server.port", str(port)],
            cwd=ROOT,
            env=environment | {"TELEMACHOS_HOME": str(home.resolve())},
            stdout=log,
            stderr=log,
        )
        try:
            while not _healthy(port):
                if process.poll() is not None:
                    sys.exit(f"The app did not start.\n{(home / 'log').read_text(encoding='utf-8')}")
                time.sleep(0.2)
            yield f"ws://localhost:{port}/_stcore/stream", process.pid
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)


def _healthy(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://localhost:{port}/_stcore/health"):  # our own address
            return True
    except (urllib.error.URLError, ConnectionError):
        return False


if __name__ == "__main__":
    main()
