"""The DuckDB file: opening it, reading, writing one unit of work at a time, and migrations.

The only module that imports duckdb. One process owns the file; inside it each unit of work has its own cursor, and one
lock lets a single writer in. Measured before: threads that share a connection read each other's rows, and the lock
makes writing faster, not slower (docs/adr/0003).
"""

import contextlib
import re
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from importlib import resources
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from recommender.errors import Conflict, StoreUnavailable

Cursor = duckdb.DuckDBPyConnection

# User text never reaches SQL, and a bound value can't open files; this closes what a mistake of ours could open.
LOCKED_DOWN: dict[str, str | bool | int | float | list[str]] = {
    "enable_external_access": "false",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
}


class Database:
    """One open DuckDB file.

    Parameters
    ----------
    path : Path or None
        The file; its folder is made when missing. None keeps everything in memory, for tests.

    Raises
    ------
    StoreUnavailable
        If another process has the file, or the folder or file can't be used.
    """

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self._lock = threading.RLock()
        with _plain_errors(path):
            if path is not None:
                path.parent.mkdir(parents=True, exist_ok=True)
            self._root = duckdb.connect(str(path) if path else ":memory:", config=LOCKED_DOWN)
            # One time zone for what is stored; pages show local time.
            self._root.execute("SET TimeZone='UTC'")
        self._migrate()

    @contextmanager
    def reading(self) -> Iterator[Cursor]:
        """Give a cursor of its own for one read."""
        cursor = self._root.cursor()
        try:
            with _plain_errors(self.path):
                yield cursor
        finally:
            cursor.close()

    @contextmanager
    def writing(self) -> Iterator[Cursor]:
        """Give a cursor in a transaction: all of the block is stored, or nothing of it."""
        with self._lock, self.reading() as cursor:
            cursor.begin()
            try:
                yield cursor
                cursor.commit()
            except BaseException:
                _roll_back(cursor)
                raise

    def rows(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """Return all rows of one query with its values bound."""
        with self.reading() as cursor:
            return cursor.execute(sql, list(values)).fetchall()

    def close(self) -> None:
        """Write everything into the main file and let go of it."""
        with self._lock:
            if self.path is not None:
                self._root.execute("CHECKPOINT")
            self._root.close()

    def _migrate(self) -> None:
        """Run the numbered migrations that this file has not seen."""
        with self.writing() as cursor:
            cursor.execute("CREATE TABLE IF NOT EXISTS migrations (number INTEGER PRIMARY KEY)")
            done = {number for (number,) in cursor.execute("SELECT number FROM migrations").fetchall()}
            scripts = sorted(
                (
                    entry
                    for entry in resources.files("recommender.store.migrations").iterdir()
                    if entry.name.endswith(".sql")
                ),
                key=lambda each: each.name,
            )
            if done and max(done) > len(scripts):
                raise StoreUnavailable("store_newer", path=self.path, found=max(done), known=len(scripts))
            for script in scripts:
                number = int(script.name.split("_")[0])
                if number not in done:
                    cursor.execute(script.read_text(encoding="utf-8"))
                    cursor.execute("INSERT INTO migrations VALUES (?)", [number])


def insert_table(cursor: Cursor, name: str, rows: pa.Table) -> None:
    """Add many rows at once, by the names of their columns: row by row takes a millisecond each."""
    cursor.register("incoming", rows)
    cursor.execute(f"INSERT INTO {name} BY NAME SELECT * FROM incoming")  # noqa: S608  # our own names only
    cursor.unregister("incoming")


def sets_of(pairs: Iterable[tuple[str, str]]) -> dict[str, frozenset[str]]:
    """Return for each first of some pairs all seconds."""
    found: dict[str, set[str]] = {}
    for first, second in pairs:
        found.setdefault(first, set()).add(second)
    return {first: frozenset(seconds) for first, seconds in found.items()}


def _roll_back(cursor: Cursor) -> None:
    # A failed commit has rolled back already; the first error is the one that counts.
    with contextlib.suppress(duckdb.Error):
        cursor.rollback()


@contextmanager
def _plain_errors(path: Path | None) -> Iterator[None]:
    """Turn what DuckDB and the file system say into one sentence with a next step."""
    try:
        yield
    except PermissionError as error:
        raise StoreUnavailable("store_not_allowed", path=path) from error
    except OSError as error:
        raise StoreUnavailable("store_unusable", path=path, why=error.strerror or error) from error
    except duckdb.Error as error:
        text = str(error)
        if "Could not set lock" in text:
            owner = re.search(r"PID (\d+)", text)
            raise StoreUnavailable("store_locked", path=path, pid=owner.group(1) if owner else "?") from error
        if "No space left" in text:
            raise StoreUnavailable("store_full", path=path) from error
        if "Permission denied" in text or "read-only" in text:
            raise StoreUnavailable("store_not_allowed", path=path) from error
        if "constraint" in text.lower():
            raise Conflict("already_there") from error
        if isinstance(error, duckdb.IOException | duckdb.FatalException | duckdb.SerializationException):
            raise StoreUnavailable("store_unusable", path=path, why=text.splitlines()[0]) from error
        raise
