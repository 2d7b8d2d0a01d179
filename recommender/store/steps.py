"""What people did, step by step, with every row a step changed: the audit trail, and the way back.

A step is a transaction. Undoing one puts back exactly what was there before, or refuses when any of it has changed
since: nobody's later work is lost by it. An undo is a step too.
"""

import json
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from typing import Any, NewType

import pyarrow as pa

from recommender.errors import Conflict, InputRefused
from recommender.store.database import Cursor, Database, insert_table

StepId = NewType("StepId", str)
Row = dict[str, Any]

KEYS: dict[str, tuple[str, ...]] = {
    "facts": ("name",),
    "juniors": ("id",),
    "seniors": ("id",),
    "choices": ("slate_id",),
    "reviews": ("slate_id",),
    "matches": ("junior_id", "slot"),
    "outcomes": ("slate_id", "side"),
    "rounds": ("id",),
    "round_people": ("round_id", "senior_id"),
    "round_pairs": ("round_id", "senior_id"),
    "known_pairs": ("senior_id", "junior_id"),
    "do_not_pair": ("junior_id", "senior_id"),
    "pairs": ("id",),
    "meetings": ("id",),
    "check_ins": ("pair_id", "week", "side"),
    "outbox": ("id",),
    "notes": ("id",),
}
"""The tables that steps may change, each with its key."""

UNDO = "undo"
AT_ONCE = 500
"""Rows in one statement: each statement costs about a millisecond, whatever it holds."""


@dataclass(frozen=True)
class Done:
    """A step that was taken. `about` is the id of what it was about; `undone` tells whether it was taken back."""

    id: StepId
    number: int
    kind: str
    who: str
    about: str
    at: datetime
    undone: bool


@dataclass(frozen=True)
class Change:
    """One row that a step changed: values before and after, by column; None where there was no row."""

    table: str
    key: Row
    before: Row | None
    after: Row | None


class Step:
    """One step while it is taken. What isn't changed through it can't be undone."""

    def __init__(self, step_id: StepId, cursor: Cursor) -> None:
        self.id = step_id
        self._cursor = cursor
        self.changes: list[Change] = []

    def rows(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """Return all rows of one query, as this step has left them so far."""
        return self._cursor.execute(sql, list(values)).fetchall()

    def found(self, table: str, **key: object) -> list[Row]:
        """Return the rows with these values, by column."""
        where, values = _where(key)
        result = self._cursor.execute(f"SELECT * FROM {_known(table)} WHERE {where}", values)  # noqa: S608
        names = [column[0] for column in result.description]
        return [dict(zip(names, row, strict=True)) for row in result.fetchall()]

    def insert(self, table: str, rows: Sequence[Row]) -> None:
        """Add whole rows; raise `Conflict` when one is there already."""
        columns = self._columns(table)
        for row in rows:
            if set(row) != set(columns):
                raise ValueError(f"{table}: {sorted(set(row) ^ set(columns))}")
        for first in range(0, len(rows), AT_ONCE):
            some = rows[first : first + AT_ONCE]
            one = f"({', '.join('?' * len(columns))})"
            self._cursor.execute(
                f"INSERT INTO {_known(table)} ({', '.join(columns)}) VALUES {', '.join([one] * len(some))}",  # noqa: S608
                [row[column] for row in some for column in columns],
            )
        self.changes += [Change(table, _key(table, row), None, _plain(row)) for row in rows]

    def update(self, table: str, key: Row, values: Row) -> None:
        """Set columns of one row; raise `Conflict` when it is gone. What already has its value isn't a change."""
        held = self.found(table, **key)
        if not held:
            raise Conflict("gone_meanwhile", what=table)
        before = {column: _plain_value(held[0][column]) for column in values}
        after = _plain(values)
        changed = [column for column in values if before[column] != after[column]]
        if not changed:
            return
        where, bound = _where(key)
        sets = ", ".join(f"{column} = ?" for column in changed)
        self._cursor.execute(
            f"UPDATE {_known(table)} SET {sets} WHERE {where}",  # noqa: S608
            [*(values[column] for column in changed), *bound],
        )
        self.changes.append(
            Change(
                table, _plain(key), {each: before[each] for each in changed}, {each: after[each] for each in changed}
            )
        )

    def delete(self, table: str, **key: object) -> list[Row]:
        """Remove the rows with these values and return them."""
        gone = self.found(table, **key)
        if gone:
            where, values = _where(key)
            self._cursor.execute(f"DELETE FROM {_known(table)} WHERE {where}", values)  # noqa: S608
            self.changes += [Change(table, _key(table, row), _plain(row), None) for row in gone]
        return gone

    def _columns(self, table: str) -> list[str]:
        return [row[0] for row in self._cursor.execute(f"DESCRIBE {_known(table)}").fetchall()]


class Steps:
    """The log of what was done, by whom and when."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @contextmanager
    def step(self, kind: str, who: str, at: datetime, about: str = "") -> Iterator[Step]:
        """Take one step: all of it is stored with what it changed, or nothing.

        Parameters
        ----------
        kind : str
            What is done, a key of the catalogue under ``step``.
        who : str
            Id of who does it.
        at : datetime
            When.
        about : str, optional
            Id of the round, pair or choice.
        """
        with self._database.writing() as cursor:
            step = Step(StepId(uuid.uuid4().hex), cursor)
            yield step
            if step.changes:
                _keep(cursor, step, kind, who, about, at)

    def undo(self, step_id: StepId, who: str, at: datetime, also: Callable[[Step], None] | None = None) -> Step:
        """Put back what a step changed, exactly; `also` takes away what only had a meaning with it.

        Raises
        ------
        Conflict
            If any of it has changed since, or the step was undone already.
        InputRefused
            If there is no such step.
        """
        with self._database.writing() as cursor:
            known = cursor.execute("SELECT about FROM steps WHERE id = ?", [step_id]).fetchone()
            if known is None:
                raise InputRefused("step_unknown", id=step_id)
            if cursor.execute("SELECT 1 FROM undone WHERE step_id = ?", [step_id]).fetchone():
                raise Conflict("undone_already")
            step = Step(StepId(uuid.uuid4().hex), cursor)
            for (table, kind), changes in groupby(reversed(_changes(cursor, step_id)), key=_sort):
                _put_back(step, table, kind, list(changes))
            if also:
                also(step)
            _keep(cursor, step, UNDO, who, known[0], at)
            cursor.execute("INSERT INTO undone VALUES (?, ?)", [step_id, step.id])
            return step

    def changes(self, step_id: StepId) -> list[Change]:
        """Return what a step changed, in order."""
        with self._database.reading() as cursor:
            return _changes(cursor, step_id)

    def recent(self, most: int, about: str | None = None, kinds: Sequence[str] = ()) -> list[Done]:
        """Return the newest steps first, of one subject or of some kinds where given."""
        rows = self._database.rows(
            "SELECT s.id, s.number, s.kind, s.who, s.about, s.happened_at, u.step_id IS NOT NULL FROM steps s "
            "LEFT JOIN undone u ON u.step_id = s.id WHERE ($1::TEXT IS NULL OR s.about = $1) "
            "AND (len($2::TEXT[]) = 0 OR list_contains($2::TEXT[], s.kind)) ORDER BY s.number DESC LIMIT $3",
            about,
            list(kinds),
            most,
        )
        return [Done(*row) for row in rows]


def _keep(cursor: Cursor, step: Step, kind: str, who: str, about: str, at: datetime) -> None:
    cursor.execute(
        "INSERT INTO steps (id, kind, who, about, happened_at) VALUES (?, ?, ?, ?, ?)", [step.id, kind, who, about, at]
    )
    if not step.changes:
        return
    incoming = pa.table(
        {
            "step_id": [step.id] * len(step.changes),
            "position": pa.array(range(len(step.changes)), pa.int32()),
            "name": [each.table for each in step.changes],
            "key": [json.dumps(each.key) for each in step.changes],
            "before": pa.array([_text(each.before) for each in step.changes], pa.string()),
            "after": pa.array([_text(each.after) for each in step.changes], pa.string()),
        }
    )
    insert_table(cursor, "changes", incoming)


def _changes(cursor: Cursor, step_id: StepId) -> list[Change]:
    rows = cursor.execute(
        "SELECT name, key, before, after FROM changes WHERE step_id = ? ORDER BY position", [step_id]
    ).fetchall()
    return [Change(name, json.loads(key), _row(before), _row(after)) for name, key, before, after in rows]


def _sort(change: Change) -> tuple[str, str]:
    return change.table, "added" if change.before is None else "removed" if change.after is None else "changed"


def _put_back(step: Step, table: str, kind: str, changes: Sequence[Change]) -> None:
    """Reverse changes of one kind to one table, after making sure that nothing happened to those rows since."""
    if kind == "removed":
        step.insert(table, [each.before or {} for each in changes])
        return
    for each in changes:
        held = step.found(table, **each.key)
        expected = each.after or {}
        if not held or any(_plain_value(held[0][column]) != value for column, value in expected.items()):
            raise Conflict("changed_since", what=table)
        if kind == "added":
            step.delete(table, **each.key)
        else:
            step.update(table, each.key, each.before or {})


def _known(table: str) -> str:
    """Return the name of a table that steps may change; only these names ever reach SQL."""
    if table not in KEYS:
        raise ValueError(table)
    return table


def _key(table: str, row: Row) -> Row:
    return _plain({column: row[column] for column in KEYS[table]})


def _where(key: Mapping[str, object]) -> tuple[str, list[object]]:
    return " AND ".join(f"{column} = ?" for column in key), list(key.values())


def _plain(row: Mapping[str, Any]) -> Row:
    return {column: _plain_value(value) for column, value in row.items()}


def _plain_value(value: Any) -> Any:
    """Return a value as JSON keeps it; moments in UTC, so that the same one is always the same text."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return str(value) if isinstance(value, str) else value


def _text(row: Row | None) -> str | None:
    return None if row is None else json.dumps(row, ensure_ascii=False)


def _row(text: str | None) -> Row | None:
    return None if text is None else json.loads(text)
