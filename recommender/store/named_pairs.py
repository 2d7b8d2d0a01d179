"""Pairs of people by name: those who know each other, and those who are kept apart."""

from recommender.domain import JuniorId, SeniorId
from recommender.store.database import Database
from recommender.store.steps import Step

Pair = tuple[SeniorId, JuniorId]


class NamedPairs:
    """What coordinators have said about two people."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def known(self) -> list[Pair]:
        """Return who know each other already, or asked for each other, by id."""
        rows = self._database.rows("SELECT senior_id, junior_id FROM known_pairs ORDER BY ALL")
        return [(SeniorId(senior_id), JuniorId(junior_id)) for senior_id, junior_id in rows]

    def forbidden(self) -> dict[Pair, str]:
        """Return who must not be paired, by id, each with the reason."""
        rows = self._database.rows("SELECT senior_id, junior_id, reason FROM do_not_pair ORDER BY ALL")
        return {(SeniorId(senior_id), JuniorId(junior_id)): reason for senior_id, junior_id, reason in rows}

    def add_known(self, step: Step, pair: Pair) -> None:
        """Note that two people know each other."""
        step.insert("known_pairs", [{"senior_id": pair[0], "junior_id": pair[1]}])

    def remove_known(self, step: Step, pair: Pair) -> bool:
        """Take two people off the list; tell whether they were on it."""
        return bool(step.delete("known_pairs", senior_id=pair[0], junior_id=pair[1]))

    def forbid(self, step: Step, pair: Pair, reason: str) -> None:
        """Put two people on the do-not-pair list."""
        step.insert("do_not_pair", [{"senior_id": pair[0], "junior_id": pair[1], "reason": reason}])

    def allow(self, step: Step, pair: Pair) -> bool:
        """Take two people off the do-not-pair list; tell whether they were on it."""
        return bool(step.delete("do_not_pair", senior_id=pair[0], junior_id=pair[1]))
