"""Juniors and seniors, the statements cut from juniors' profiles, and the do-not-pair list."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, fields
from typing import Any, TypeVar

import pyarrow as pa

from recommender.domain import Junior, JuniorId, Person, Remote, Senior, SeniorId, Statement
from recommender.errors import UnknownPerson
from recommender.store.database import Cursor, Database, sets_of
from recommender.text import content_hash, statements

P = TypeVar("P", Junior, Senior)


class People:
    """Profiles, each written whole: a junior's statements always belong to the text beside them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, people: Sequence[Person]) -> None:
        """Add or replace profiles, all or nothing."""
        juniors = [person for person in people if isinstance(person, Junior)]
        seniors = [person for person in people if isinstance(person, Senior)]
        with self._database.writing() as cursor:
            if juniors:
                _upsert(cursor, "INSERT OR REPLACE INTO juniors BY NAME SELECT * FROM incoming", _table(juniors))
                _replace_statements(cursor, juniors)
            if seniors:
                _upsert(cursor, "INSERT OR REPLACE INTO seniors BY NAME SELECT * FROM incoming", _table(seniors))
            _touch(cursor)

    def juniors(self) -> list[Junior]:
        """Return all juniors, by id."""
        with self._database.reading() as cursor:
            return _people(cursor.execute("SELECT * FROM juniors ORDER BY id"), Junior)

    def seniors(self) -> list[Senior]:
        """Return all seniors, by id."""
        with self._database.reading() as cursor:
            return _people(cursor.execute("SELECT * FROM seniors ORDER BY id"), Senior)

    def junior(self, junior_id: str) -> Junior:
        """Return one junior; raise `UnknownPerson` when there is none."""
        with self._database.reading() as cursor:
            return _only(_people(cursor.execute("SELECT * FROM juniors WHERE id = ?", [junior_id]), Junior), junior_id)

    def senior(self, senior_id: str) -> Senior:
        """Return one senior; raise `UnknownPerson` when there is none."""
        with self._database.reading() as cursor:
            return _only(_people(cursor.execute("SELECT * FROM seniors WHERE id = ?", [senior_id]), Senior), senior_id)

    def statements(self) -> list[Statement]:
        """Return every statement of every junior, by owner and position."""
        rows = self._database.rows("SELECT owner, position, text FROM statements ORDER BY owner, position")
        return [Statement(*row) for row in rows]

    def managers(self) -> dict[str, str]:
        """Return who reports to whom, ``{person: manager}``."""
        return dict(
            self._database.rows(
                "SELECT id, manager_id FROM juniors WHERE manager_id IS NOT NULL "
                "UNION ALL SELECT id, manager_id FROM seniors WHERE manager_id IS NOT NULL"
            )
        )

    def forbid_pair(self, junior_id: JuniorId, senior_id: SeniorId, reason: str) -> None:
        """Put two people on the do-not-pair list."""
        with self._database.writing() as cursor:
            cursor.execute("INSERT OR REPLACE INTO do_not_pair VALUES (?, ?, ?)", [junior_id, senior_id, reason])

    def forbidden_for(self, senior_id: SeniorId) -> set[str]:
        """Return the juniors whom the do-not-pair list keeps from this senior."""
        return {j for (j,) in self._database.rows("SELECT junior_id FROM do_not_pair WHERE senior_id = ?", senior_id)}

    def forbidden(self) -> dict[str, frozenset[str]]:
        """Return the whole do-not-pair list: the juniors for each senior."""
        return sets_of(self._database.rows("SELECT senior_id, junior_id FROM do_not_pair"))

    def version(self) -> int:
        """Return a number that grows with every change of a profile: of those written here, and of those in steps."""
        rows = self._database.rows(
            "SELECT coalesce((SELECT CAST(value AS BIGINT) FROM facts WHERE name = 'profiles_version'), 0) "
            "+ (SELECT count(*) FROM changes WHERE name IN ('juniors', 'seniors'))"
        )
        return int(rows[0][0])


def _upsert(cursor: Cursor, sql: str, table: pa.Table) -> None:
    """Run one bulk write over an Arrow table: row by row takes a millisecond each."""
    cursor.register("incoming", table)
    cursor.execute(sql)
    cursor.unregister("incoming")


def _table(people: Iterable[Person]) -> pa.Table:
    return pa.Table.from_pylist([asdict(person) for person in people], schema=_schema(next(iter(people))))


def _schema(person: Person) -> pa.Schema:
    """Return the Arrow types of a profile, so that a column of only None keeps its type."""
    kinds = {"rank": pa.int32(), "capacity": pa.int32(), "wish_to_teach": pa.int32(), "level": pa.int32()}
    kinds |= {"languages": pa.list_(pa.string()), "days": pa.list_(pa.string())}
    kinds |= {"active": pa.bool_(), "consent": pa.bool_()}
    return pa.schema([(each.name, kinds.get(each.name, pa.string())) for each in fields(person)])


def _replace_statements(cursor: Cursor, juniors: Sequence[Junior]) -> None:
    owners = pa.table({"owner": [junior.id for junior in juniors]})
    _upsert(cursor, "DELETE FROM statements WHERE owner IN (SELECT owner FROM incoming)", owners)
    rows = [
        {"owner": junior.id, "position": position, "text": text, "content_hash": content_hash(text)}
        for junior in juniors
        for position, text in enumerate(statements(junior.text))
    ]
    if rows:
        _upsert(cursor, "INSERT INTO statements BY NAME SELECT * FROM incoming", pa.Table.from_pylist(rows))


def _touch(cursor: Cursor) -> None:
    cursor.execute(
        "INSERT INTO facts VALUES ('profiles_version', '1') "
        "ON CONFLICT DO UPDATE SET value = CAST(CAST(facts.value AS BIGINT) + 1 AS TEXT)"
    )


def _people(result: Cursor, kind: type[P]) -> list[P]:
    names = [column[0] for column in result.description]
    return [kind(**_from_row(dict(zip(names, row, strict=True)))) for row in result.fetchall()]


def _from_row(row: dict[str, Any]) -> dict[str, Any]:
    return row | {
        "languages": tuple(row["languages"]),
        "days": tuple(row["days"]),
        "remote": Remote(row["remote"]),
    }


def _only(found: list[P], wanted: str) -> P:
    if not found:
        raise UnknownPerson("unknown_person", id=wanted)
    return found[0]
