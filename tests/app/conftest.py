"""The app over a small organisation in memory: no server, no browser, no model to load."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from app import resources
from recommender.bootstrap import Installation, load_parts
from recommender.domain import JuniorId, SeniorId
from recommender.recommending import Recommender
from recommender.service import Service
from recommender.settings import Settings
from recommender.store import Store
from tests.builders import a_junior, a_senior

ROOT = Path(__file__).parents[2]

TEXTS = (
    "Ik help mensen met Excel. Draaitabellen leg ik rustig uit.",
    "Excel en Power BI, dat doe ik elke dag.",
    "Formules in Excel, van begin tot eind.",
    "I build Excel sheets and explain them with patience.",
    "Filmpjes maken voor Instagram, met een gewone telefoon.",
    "Vergaderen met Teams zonder gedoe.",
    "Veilige wachtwoorden en een kluis daarvoor.",
    "Grafieken in Excel.",
)


class Clock:
    """The time of the machine, or as much later as a test makes it."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        """Return what time it is made to be."""
        return datetime.now(UTC) + self.ahead

    def later(self, **by: float) -> None:
        """Let time pass."""
        self.ahead += timedelta(**by)


@pytest.fixture
def clock() -> Clock:
    """Give the clock of the installation."""
    return Clock()


@pytest.fixture
def installation(tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Installation]:
    """Give an installation with two who learn and eight who explain."""
    settings = Settings(home=tmp_path, encoder="hashing", models=ROOT / "models")
    parts = load_parts(settings)
    store = Store(None)
    made = Installation(settings, Service(store, Recommender(store, parts.encoder, parts.ranker), clock), parts)
    juniors = [
        a_junior(id=JuniorId(f"j{number}"), name=f"Naam{number} Achternaam", text=text)
        for number, text in enumerate(TEXTS, start=1)
    ]
    seniors = [a_senior(id=SeniorId(f"s{number}"), name=f"Vrager{number} Voorbeeld") for number in (1, 2)]
    made.service.put_people([*juniors, *seniors])
    monkeypatch.setattr(resources, "installation", lambda: made)
    yield made
    store.close()


@pytest.fixture
def service(installation: Installation) -> Service:
    """Give the use cases behind the pages."""
    return installation.service


@pytest.fixture
def visit(installation: Installation) -> Callable[..., AppTest]:
    """Give a function that opens the app as somebody, in a language."""

    def opened(who: str, language: str = "nl") -> AppTest:
        at = AppTest.from_file(ROOT / "streamlit_app.py", default_timeout=30)
        at.query_params["as"] = who
        at.query_params["lang"] = language
        return at.run()

    return opened
