"""Everything that is kept, behind one name: the organisation's people, slates, decisions and conversations."""

from pathlib import Path

from recommender.rule_check import World
from recommender.store.conversations import Conversations
from recommender.store.database import Database
from recommender.store.facts import Facts
from recommender.store.named_pairs import NamedPairs
from recommender.store.notes import Notes
from recommender.store.outbox import Outbox
from recommender.store.outcomes import Outcomes
from recommender.store.pairs import Pairs
from recommender.store.people import People
from recommender.store.programme_log import ProgrammeLog
from recommender.store.rounds import Rounds
from recommender.store.slates import Slates
from recommender.store.steps import Step, Steps
from recommender.store.vectors import Vectors
from recommender.store.world import world

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
        self.outbox = Outbox(self._database)
        self.outcomes = Outcomes(self._database)
        self.conversations = Conversations(self._database)
        self.facts = Facts(self._database)
        self.steps = Steps(self._database)
        self.named_pairs = NamedPairs(self._database)
        self.pairs = Pairs(self._database)
        self.programme_log = ProgrammeLog(self._database)
        self.rounds = Rounds(self._database)
        self.notes = Notes(self._database)

    def world(self, off: frozenset[str], step: Step | None = None) -> World:
        """Return the organisation as the rules see it without those that are `off`; in a step, as that left it."""
        return world(step.rows if step else self._database.rows, off)

    def close(self) -> None:
        """Write everything into the main file and let go of it."""
        self._database.close()
