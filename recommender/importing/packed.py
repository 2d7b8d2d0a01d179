"""XLSX and Parquet as tables. Nothing is evaluated: of a formula the stored result is read."""

import io
import re
import warnings
import zipfile
from collections.abc import Iterator
from itertools import zip_longest
from typing import Any

import openpyxl
import pyarrow
import pyarrow.parquet
from openpyxl.cell.read_only import EMPTY_CELL
from openpyxl.utils.escape import unescape

from recommender.errors import InputRefused
from recommender.importing.rows import (
    MAX_COLUMNS,
    MAX_ROWS,
    MAX_UNPACKED,
    Problem,
    Row,
    Table,
    as_header,
    counted,
    printable,
    with_header,
)

MAX_TAGS = 8_000_000
"""A full list (50,000 rows of 17 cells) has some 5 million. Each costs a microsecond and 100 bytes, also if empty."""
EXCEL_ROWS = 1_048_576
"""The last row a spreadsheet can have: a higher number in the file is nonsense, and the reader would count to it."""
ZIP_KINDS = (("word/", "Word"), ("ppt/", "PowerPoint"), ("content.xml", "OpenDocument"), ("xl/workbook.bin", "XLSB"))


def read_xlsx(content: bytes) -> Table:
    """Read the first visible sheet of a workbook."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = archive.namelist()
            unpacked = sum(entry.file_size for entry in archive.infolist())
            if not any(name.startswith("xl/workbook") for name in names) or "xl/workbook.bin" in names:
                raise InputRefused("import_wrong_format", what=_zip_kind(names))
            if unpacked > MAX_UNPACKED:  # zipfile never unpacks more than an entry declares
                raise InputRefused("import_unpacked", limit=MAX_UNPACKED // 1_000_000)
            if sum(archive.read(name).count(b"<") for name in names) > MAX_TAGS:
                raise InputRefused("import_too_full")
            return _first_sheet(content, archive)
    except InputRefused:
        raise
    except Exception as error:  # a damaged workbook raises nearly anything: KeyError, ParseError, zlib.error, ...
        raise InputRefused("import_damaged", what="XLSX") from error


def _zip_kind(names: list[str]) -> str:
    return next((what for start, what in ZIP_KINDS for name in names if name.startswith(start)), "ZIP")


def _first_sheet(content: bytes, archive: zipfile.ZipFile) -> Table:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # openpyxl warns of styles and extensions it leaves out
        book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True, keep_links=False)
        sheets = [sheet for sheet in book.worksheets if sheet.sheet_state == "visible"]
        if not sheets:
            raise InputRefused("import_empty")
        xml = archive.read(sheets[0]._worksheet_path)
        formulas = None
        if re.search(rb"<(?:\w+:)?f[\s/>]", xml):
            formulas = openpyxl.load_workbook(io.BytesIO(content), read_only=True, keep_links=False)[sheets[0].title]
        titles, merged_until = _merged(xml)
        all_rows = counted(_xlsx_rows(_cells(sheets[0]), _cells(formulas), merged_until), headers=1)
    rows = tuple(row for row in all_rows if not (row.number in titles and _has_one_cell(row)))
    return with_header(
        "xlsx",
        rows,
        sheet=printable(sheets[0].title),
        other_sheets=len(book.worksheets) - 1,
        titles=len(all_rows) - len(rows),
    )


def _cells(sheet: Any) -> Iterator[tuple[Any, ...]]:  # openpyxl has no types
    # Said here, for the size that the file itself claims may be wrong, and rows would be lost.
    return sheet.iter_rows(max_row=EXCEL_ROWS, max_col=MAX_COLUMNS + 1) if sheet else iter(())


def _xlsx_rows(
    results: Iterator[tuple[Any, ...]], sources: Iterator[tuple[Any, ...]], merged_until: dict[int, int]
) -> Iterator[Row]:
    """Yield each row with the stored results; `sources` are the same cells as formulas, or nothing."""
    until, blank = 0, None
    for number, (row, source) in enumerate(zip_longest(results, sources, fillvalue=()), start=1):
        problem = Problem("import_merged") if number <= until else None
        until = max(until, merged_until.get(number, 0))
        if row is blank or all(cell is EMPTY_CELL for cell in row):
            blank = row  # openpyxl gives this one tuple for each row that isn't there, up to a million times
            continue
        cells = [unescape(cell.value) if isinstance(cell.value, str) else cell.value for cell in row]
        for position, (result, formula) in enumerate(zip(row, source, strict=False)):
            # A formula with the result "" is stored as type "str"; one that was never calculated has no type.
            if formula.data_type == "f" and result.value is None and result.data_type != "str":
                cells[position] = formula.value if isinstance(formula.value, str) else "="
                problem = Problem("import_formula", {"column": position + 1})
        yield Row(number, tuple(cells), problem)


_MERGED = re.compile(rb'<(?:\w+:)?mergeCell\s[^>]*?ref="[A-Z]+(\d{1,7}):[A-Z]+(\d{1,7})"')


def _merged(xml: bytes) -> tuple[set[int], dict[int, int]]:
    """Return the rows with cells merged sideways, and for cells merged downwards their first and last row."""
    sideways: set[int] = set()
    downwards: dict[int, int] = {}
    for count, found in enumerate(_MERGED.finditer(xml)):
        first, last = int(found[1]), int(found[2])
        if first == last:
            sideways.add(first)
        else:
            downwards[first] = max(last, downwards.get(first, 0))
        if count > MAX_ROWS:
            raise InputRefused("import_too_many_rows", limit=MAX_ROWS)
    return sideways, downwards


def _has_one_cell(row: Row) -> bool:
    return sum(cell not in (None, "") for cell in row.cells) == 1


def read_parquet(content: bytes) -> Table:
    """Read a Parquet file; its schema and declared size are looked at before its data."""
    try:
        file = pyarrow.parquet.ParquetFile(pyarrow.BufferReader(content))
        _check_parquet(file.metadata, len(file.schema_arrow.names))
        # Text stays packed as a dictionary until it is counted: a small file can repeat one long text for every row.
        packed = [
            name for name in file.schema_arrow.names if pyarrow.types.is_string(file.schema_arrow.field(name).type)
        ]
        table = pyarrow.parquet.ParquetFile(pyarrow.BufferReader(content), read_dictionary=packed).read()
        columns = [_unpacked(column) for column in table.columns]
    except InputRefused:
        raise
    except Exception as error:  # a damaged file raises ArrowInvalid, OSError, UnicodeDecodeError, OverflowError, ...
        raise InputRefused("import_damaged", what="Parquet") from error
    # Numbered as a spreadsheet would show it: the names of the columns are row 1.
    rows = counted(Row(number, cells) for number, cells in enumerate(zip(*columns, strict=True), start=2))
    return Table("parquet", tuple(map(as_header, table.column_names)), rows)


def _check_parquet(metadata: Any, columns: int) -> None:  # pyarrow has no types
    if metadata.num_rows > MAX_ROWS:
        raise InputRefused("import_too_many_rows", limit=MAX_ROWS)
    if columns > MAX_COLUMNS:
        raise InputRefused("import_too_many_columns", count=columns, limit=MAX_COLUMNS)
    if sum(metadata.row_group(group).total_byte_size for group in range(metadata.num_row_groups)) > MAX_UNPACKED:
        raise InputRefused("import_unpacked", limit=MAX_UNPACKED // 1_000_000)


def _unpacked(column: Any) -> list[object]:
    """Return the values of a column; equal texts are one object."""
    values: list[object] = []
    for chunk in column.chunks:
        if pyarrow.types.is_dictionary(chunk.type):
            texts = chunk.dictionary.to_pylist()
            values += [None if index is None else texts[index] for index in chunk.indices.to_pylist()]
        else:
            values += chunk.to_pylist()
    return values
