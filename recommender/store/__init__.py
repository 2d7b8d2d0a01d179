"""Everything that is kept, behind one name: the organisation's people, slates, decisions and conversations."""

from pathlib import Path

from recommender.store.conversations import Conversations
from recommender.store.database import Database
from recommender.store.facts import Facts
from recommender.store.outcomes import Outcomes
from recommender.store.people import People
from recommender.store.slates import Slates
from recommender.store.steps import Steps
from recommender.store.vectors import Vectors

__all__ = ["Store"]


class Store:
    """The open database with one part for each kind of thing.

    Parameters
    ----------
    path : Path or None
        The DuckDB file, or None for one in memory (tests).
    """

    def __init__(self, path: Path | None) -> None:
        self._database = Database(path)
        self.people = People(self._database)
        self.vectors = Vectors(self._database)
        self.slates = Slates(self._database)
        self.outcomes = Outcomes(self._database)
        self.conversations = Conversations(self._database)
        self.facts = Facts(self._database)
        self.steps = Steps(self._database)

    def close(self) -> None:
        """Write everything into the main file and let go of it."""
        self._database.close()
