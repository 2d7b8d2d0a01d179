"""A table of cells, as every format is read into it, and the limits that keep a file from filling the memory."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from recommender.errors import InputRefused

MAX_BYTES = 10_000_000
"""10 MB: 50,000 people with a profile of 200 characters each; larger files are no list of people."""
MAX_ROWS = 50_000
"""The largest organisation this store is measured for has some 200,000 people: four files."""
MAX_COLUMNS = 100
"""Exports of personnel systems have up to some 80 columns."""
MAX_HEADER = 200
"""Characters of a header; a long question of a form has some 150."""
MAX_UNPACKED = 100_000_000
"""100 MB, unpacked from a 10 MB file: text packs 3 to 8 times, so an honest file stays under it; a zip bomb doesn't."""
Format = Literal["csv", "xlsx", "jsonl", "parquet"]


@dataclass(frozen=True)
class Problem:
    """Why a row can't be used: a key of the catalogue, and what the sentence names."""

    key: str
    values: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Row:
    """One row; `number` is what a spreadsheet shows, or the line number in JSONL. A broken row has a `problem`."""

    number: int
    cells: tuple[object, ...]
    problem: Problem | None = None


@dataclass(frozen=True)
class Table:
    """Headers and rows; in a row without a problem, there is a cell for each header."""

    format: Format
    headers: tuple[str, ...]
    rows: tuple[Row, ...]
    encoding: str = ""
    separator: str = ""
    sheet: str = ""
    other_sheets: int = 0
    titles: int = 0
    """Rows that are one merged cell over the width of the table; they are no people and are left out."""


def printable(value: object) -> str:
    """Return `value` as text that can be printed and stored: half characters are shown as their code."""
    return str(value).encode("utf-8", "backslashreplace").decode("utf-8")


def as_header(cell: object) -> str:
    """Return a header as printable text; a longer one is no header, and is cut."""
    return "" if cell is None else printable(str(cell)[:MAX_HEADER]).strip()


def counted(rows: Iterable[Row], headers: int = 0) -> tuple[Row, ...]:
    """Keep the rows that hold something, within the limits for rows (beside the header) and for text."""
    kept: list[Row] = []
    characters = 0
    for row in rows:
        if all(cell is None or (isinstance(cell, str) and not cell.strip()) for cell in row.cells):
            continue
        characters += sum(len(cell) for cell in row.cells if isinstance(cell, str))
        if len(kept) == MAX_ROWS + headers:
            raise InputRefused("import_too_many_rows", limit=MAX_ROWS)
        if characters > MAX_UNPACKED:
            raise InputRefused("import_unpacked", limit=MAX_UNPACKED // 1_000_000)
        kept.append(row)
    return tuple(kept)


def with_header(format_: Format, rows: tuple[Row, ...], **found: object) -> Table:
    """Make a table of rows of which the first that holds something is the header."""
    if not rows:
        raise InputRefused("import_empty")
    headers = [as_header(cell) for cell in rows[0].cells]
    while headers and not headers[-1]:
        headers.pop()
    fitted = tuple(_fitted(row, len(headers)) for row in rows[1:])
    return Table(format_, tuple(headers), fitted, **found)  # type: ignore[arg-type]  # the fields of Table by name


def _fitted(row: Row, width: int) -> Row:
    cells = list(row.cells)
    while len(cells) > width and cells[-1] in (None, ""):
        cells.pop()
    if row.problem is None and len(cells) != width:
        return Row(row.number, tuple(cells), Problem("import_cells", {"found": len(cells), "expected": width}))
    return Row(row.number, tuple(cells), row.problem)
