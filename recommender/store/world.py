"""Everything the independent check looks at, read with queries of its own."""

from collections.abc import Callable
from typing import Any

from recommender.domain import Junior, JuniorId, Remote, Senior, SeniorId
from recommender.rule_check import World

BUSY = (
    "SELECT senior_id FROM matches WHERE senior_id IS NOT NULL UNION SELECT c.senior_id FROM choices c "
    "LEFT JOIN reviews r ON r.slate_id = c.slate_id WHERE r.slate_id IS NULL AND c.senior_id IS NOT NULL"
)
"""The seniors who have a junior, or whose choice waits."""

Rows = Callable[..., list[tuple[Any, ...]]]


def world(rows: Rows, off: frozenset[str]) -> World:
    """Return the organisation as the rules see it.

    Parameters
    ----------
    rows : callable
        Runs one query: `Database.rows`, or `Step.rows` for what a step has left so far.
    off : frozenset of str
        Rules that the programme has switched off.
    """
    juniors = [
        Junior(
            JuniorId(id_),
            name,
            "",
            remote=Remote.BOTH,
            rank=rank,
            languages=tuple(languages),
            capacity=capacity,
            level=level,
            active=active,
            consent=consent,
            email=email,
        )
        for id_, name, rank, languages, capacity, level, active, consent, email in rows(
            "SELECT id, name, rank, languages, capacity, level, active, consent, email FROM juniors"
        )
    ]
    seniors = [
        Senior(SeniorId(id_), name, rank=rank, languages=tuple(languages), active=active, consent=consent, email=email)
        for id_, name, rank, languages, active, consent, email in rows(
            "SELECT id, name, rank, languages, active, consent, email FROM seniors"
        )
    ]
    return World(
        juniors={each.id: each for each in juniors},
        seniors={each.id: each for each in seniors},
        managers=dict(
            rows(
                "SELECT id, manager_id FROM juniors WHERE manager_id IS NOT NULL UNION ALL "
                "SELECT id, manager_id FROM seniors WHERE manager_id IS NOT NULL"
            )
        ),
        forbidden=_pairs(rows("SELECT senior_id, junior_id FROM do_not_pair")),
        earlier=_pairs(
            rows(
                "SELECT senior_id, junior_id FROM pairs WHERE state NOT IN ('expired', 'withdrawn') "
                "UNION SELECT senior_id, junior_id FROM matches "
                "WHERE senior_id IS NOT NULL"
            )
        ),
        rejected=_pairs(
            rows(
                "SELECT c.senior_id, r.junior_id FROM reviews r JOIN choices c ON c.slate_id = r.slate_id "
                "WHERE r.decision = 'rejected' AND c.senior_id IS NOT NULL"
            )
        ),
        taken=dict(
            rows(
                "SELECT junior_id, count(*) FROM (SELECT junior_id FROM matches UNION ALL SELECT c.junior_id "
                "FROM choices c LEFT JOIN reviews r ON r.slate_id = c.slate_id WHERE r.slate_id IS NULL) "
                "GROUP BY junior_id"
            )
        ),
        busy=frozenset(str(row[0]) for row in rows(BUSY)),
        off=off,
    )


def _pairs(rows: list[tuple[Any, ...]]) -> frozenset[tuple[str, str]]:
    return frozenset((str(senior_id), str(junior_id)) for senior_id, junior_id in rows)
