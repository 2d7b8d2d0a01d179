"""A file of people as a table. The format is told by the content, never by the name."""

import csv
import io
import itertools
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

from charset_normalizer import from_bytes

from recommender.errors import InputRefused
from recommender.importing.packed import read_parquet, read_xlsx
from recommender.importing.rows import (
    MAX_BYTES,
    MAX_COLUMNS,
    MAX_ROWS,
    Format,
    Problem,
    Row,
    Table,
    as_header,
    counted,
    printable,
    with_header,
)

MAX_BINARY_RATIO = 0.1
"""Above this share of control characters it isn't text; UTF-16 read as bytes has half of them."""
MAX_ODD_RATIO = 0.2
"""Above this share of impossible letters among those with an accent, it isn't Windows-1252."""

ENCODING_MARKS = ((b"\xff\xfe\x00\x00", "utf-32"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
CONTROLS = "".join(map(chr, (*range(9), 11, 12, *range(14, 32))))
SEPARATORS = (",", ";", "\t", "|")
NO_SEPARATOR = "\x1f"
SNIFFED_CHARACTERS, SNIFFED_ROWS = 65_536, 200

SUFFIXES: dict[str, Format] = {
    ".csv": "csv",
    ".tsv": "csv",
    ".txt": "csv",
    ".xlsx": "xlsx",
    ".xlsm": "xlsx",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
    ".parquet": "parquet",
}
SIGNATURES = (
    (b"%PDF-", "PDF"),
    (b"\x89PNG", "PNG"),
    (b"\xff\xd8\xff", "JPEG"),
    (b"GIF8", "GIF"),
    (b"\x1f\x8b", "GZIP"),
    (b"7z\xbc\xaf", "7-Zip"),
    (b"Rar!", "RAR"),
    (b"BZh", "BZIP2"),
    (b"\xfd7zXZ", "XZ"),
    (b"SQLite format 3", "SQLite"),
    (b"{\\rtf", "RTF"),
    (b"\x7fELF", "ELF"),
    (b"MZ\x90", "EXE"),
)
OLD_EXCEL = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def read_table(path: Path) -> Table:
    """Read the file at `path`.

    Raises
    ------
    InputRefused
        If there is no such file, it is empty, over a limit, damaged, or not one of the four formats.
    """
    content = read_bytes(path)
    reader = _reader(content, path.suffix.lower())
    table = reader(content)
    if not table.headers:
        raise InputRefused("import_empty")
    if len(table.headers) > MAX_COLUMNS:
        raise InputRefused("import_too_many_columns", count=len(table.headers), limit=MAX_COLUMNS)
    return table


def read_bytes(path: Path) -> bytes:
    """Return the content of a file of at most `MAX_BYTES`."""
    try:
        if not path.exists():
            raise InputRefused("import_no_file", path=printable(path))
        if not path.is_file():
            raise InputRefused("import_not_a_file", path=printable(path))
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        raise InputRefused("import_unreadable", path=printable(path), why=str(error)) from error
    if len(content) > MAX_BYTES:
        raise InputRefused("import_too_large", limit=MAX_BYTES // 1_000_000)
    if not content.strip(b"\x00 \t\r\n\xef\xbb\xbf,;|"):
        raise InputRefused("import_empty")
    return content


def _reader(content: bytes, suffix: str) -> Callable[[bytes], Table]:
    if content.startswith(b"PK\x03\x04") or content.startswith(b"PK\x05\x06"):
        return read_xlsx
    if content.startswith(b"PAR1"):
        return read_parquet
    if content.startswith(OLD_EXCEL):
        raise InputRefused("import_old_excel")
    for start, what in SIGNATURES:
        if content.startswith(start):
            raise InputRefused("import_wrong_format", what=what)
    start = content[:512].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith((b"<!doctype", b"<html", b"<?xml")):
        raise InputRefused("import_wrong_format", what="XML" if start.startswith(b"<?xml") else "HTML")
    return _read_jsonl if start.startswith(b"{") or SUFFIXES.get(suffix) == "jsonl" else _read_csv


def decode(content: bytes) -> tuple[str, str]:
    """Return the text and the name of its encoding: UTF-8, UTF-16 or -32 with a mark, or Windows-1252.

    Notes
    -----
    charset-normalizer only has to say whether Windows-1252 fits. Left free it took short Dutch files in Windows-1252
    for cp1250, Big5 and cp775 (measured, 3.5.2), so that "Renée" became another name.
    """
    encoding = next((name for mark, name in ENCODING_MARKS if content.startswith(mark)), "utf-8")
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        if encoding != "utf-8":
            raise InputRefused("import_encoding") from error
        text, encoding = _legacy(content, error.start), "windows-1252"
    text = text.removeprefix("\ufeff").rstrip("\x1a")
    if sum(map(text.count, CONTROLS)) > MAX_BINARY_RATIO * len(text):
        raise InputRefused("import_encoding")
    return text.replace("\r\n", "\n").replace("\r", "\n"), encoding


_ODD_LETTER = re.compile(
    "[A-Za-z][^\\w\\s\x00-\x7f\u2019\u2018\u2013\u2014\u2026\u2022\xad\xb4]+[A-Za-z]"  # a sign inside a word
    "|[\u00fe\u00f0\u00de\u00d0\u0192\u0178]|[\xa3\xa5\xaf\xb1\xb3\xb6\xb9\xbc\xbe][a-z]"  # Turkish, Polish
    "|[a-z][\u017d\u0160\u0152]|[\u00c0-\u00ff]{3}"  # Mac; Cyrillic and Greek
)


def _legacy(content: bytes, first_bad: int) -> str:
    forgiving = content.decode("utf-8", "replace")
    bad = forgiving.count("\ufffd")
    good = len(forgiving) - len(forgiving.encode("ascii", "ignore")) - bad
    if good >= bad:  # letters that are whole in UTF-8 hardly come about by chance
        raise InputRefused("import_mixed_encoding", line=content.count(b"\n", 0, first_bad) + 1)
    try:
        text = content.decode("windows-1252")
    except UnicodeDecodeError as error:
        raise InputRefused("import_encoding") from error
    odd = len(_ODD_LETTER.findall(text))
    accented = len(content) - len(content.translate(None, bytes(range(128, 256))))
    if odd > MAX_ODD_RATIO * accented or from_bytes(content, cp_isolation=["cp1252"]).best() is None:
        raise InputRefused("import_encoding")
    return text


def _read_csv(content: bytes) -> Table:
    text, encoding = decode(content)
    first = re.match(r"sep=([,;\t|])\n", text, re.IGNORECASE)  # the line by which Excel remembers the separator
    if first:
        text = text[first.end() :]
    separator = first[1] if first else _separator(text)
    rows = counted(_csv_rows(text, separator), headers=1)
    return with_header("csv", rows, encoding=encoding, separator=separator.replace(NO_SEPARATOR, ""))


def _separator(text: str) -> str:
    """Return the separator with which most of the first rows have as many cells as the header."""
    best, best_score = NO_SEPARATOR, (0.0, 0)
    complete = text[:SNIFFED_CHARACTERS]
    for separator in SEPARATORS:
        rows = [row.cells for row, _ in zip(_csv_rows(complete, separator), range(SNIFFED_ROWS), strict=False)]
        rows = [cells for cells in rows if any(cells)]
        if not rows or len(rows[0]) < 2:
            continue
        score = (sum(len(cells) == len(rows[0]) for cells in rows) / len(rows), len(rows[0]))
        if score > best_score:
            best, best_score = separator, score
    return best


def _csv_rows(text: str, separator: str) -> Iterator[Row]:
    """Yield the rows that have cells. A row with broken quotes is one cell with all its lines, and a problem."""
    taken: list[str] = []

    def lines() -> Iterator[str]:
        for line in io.StringIO(text, newline="\n"):  # str.splitlines also cuts at U+2028 and form feeds
            taken.append(line)
            yield line

    reader = csv.reader(lines(), delimiter=separator, strict=True)
    for number in itertools.count(1):
        first = reader.line_num + 1
        taken.clear()
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            problem = Problem("import_quotes", {"first": first, "last": reader.line_num})
            yield Row(number, ("".join(taken).strip("\n"),), problem)
            continue
        if cells:
            yield Row(number, tuple(cells))


def _read_jsonl(content: bytes) -> Table:
    text, encoding = decode(content)
    if text.lstrip().startswith("["):
        raise InputRefused("import_json_array")
    headers: dict[str, None] = {}
    parsed: list[tuple[int, dict[str, object] | Row]] = []
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        person = _json_object(number, line)
        parsed.append((number, person))
        if isinstance(person, dict):
            headers.update(dict.fromkeys(person))
        if len(headers) > MAX_COLUMNS:
            raise InputRefused("import_too_many_columns", count=len(headers), limit=MAX_COLUMNS)
        if len(parsed) > MAX_ROWS:
            raise InputRefused("import_too_many_rows", limit=MAX_ROWS)
    if not headers:
        raise InputRefused("import_no_json")
    rows = (
        person if isinstance(person, Row) else Row(number, tuple(person.get(header) for header in headers))
        for number, person in parsed
    )
    names = tuple(map(as_header, headers))
    return Table("jsonl", names, counted(rows), encoding)


def _json_object(number: int, line: str) -> dict[str, object] | Row:
    try:
        person = json.loads(line)
    except (ValueError, RecursionError) as error:
        at = getattr(error, "pos", 0) + 1
        return Row(number, (line,), Problem("import_json", {"at": at}))
    if not isinstance(person, dict):
        return Row(number, (line,), Problem("import_json_object"))
    return person
