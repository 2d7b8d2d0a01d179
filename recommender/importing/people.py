"""The import of people: a file becomes juniors or seniors, with a report of what was accepted, changed and refused.

Nothing is written here and there is no database. Whether some refused rows stop the whole import is for the caller.
"""

import csv
import dataclasses
import hashlib
import tomllib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from recommender.domain import Junior, Person, Senior
from recommender.errors import InputRefused
from recommender.importing.cells import (
    LONG_TEXTS,
    CellRefused,
    as_cell,
    import_words,
    looks_like_formula,
    read_cell,
    shown,
    simplified,
)
from recommender.importing.rows import Format, Problem, Row, Table, printable
from recommender.importing.tables import SUFFIXES, read_bytes, read_table
from recommender.wording import Language, say

Kind = Literal["juniors", "seniors"]
PEOPLE: dict[Kind, type[Junior] | type[Senior]] = {"juniors": Junior, "seniors": Senior}
REQUIRED: dict[Kind, tuple[str, ...]] = {"juniors": ("name", "text"), "seniors": ("name",)}
JOINED = {"name": " ", **dict.fromkeys(LONG_TEXTS, "\n")}
"""Fields that a mapping file may fill from several columns, and what then comes between: a first and a last name."""
SHOWN_HEADERS = 20
SHOWN_ROWS = 5


@dataclass(frozen=True)
class RowNote:
    """What was changed in a row, or why it was refused.

    Parameters
    ----------
    row : int
        As a spreadsheet shows it: the header is row 1. In JSONL the number of the line.
    id : str
        The person's id as far as it could be read, else empty.
    field : str
        The header in their own file, or empty where the whole row is meant.
    value : str
        What stood there, shortened.
    reason : str
        Key in ``wording.toml``; `values` fill it in.
    """

    row: int
    id: str
    field: str
    value: str
    reason: str
    values: dict[str, object] = dataclasses.field(default_factory=dict)

    def why(self, language: Language) -> str:
        """Say the reason, with the column but without the row."""
        why = say(self.reason, language, **self.values)
        if not self.field:
            return why
        key = "import.in_column" if self.value else "import.in_empty_column"
        return say(key, language, column=self.field, value=self.value, why=why)

    def sentence(self, language: Language) -> str:
        """Say the row and the reason."""
        return say("import.in_row", language, row=self.row, why=self.why(language))


@dataclass(frozen=True)
class FileNote:
    """Something about the whole file that the reader should know."""

    reason: str
    values: dict[str, object] = dataclasses.field(default_factory=dict)

    def sentence(self, language: Language) -> str:
        """Say it."""
        return say(self.reason, language, **self.values)


@dataclass(frozen=True)
class ImportReport:
    """What was found in a file: the people of the accepted rows, and everything that should be said about the rest."""

    kind: Kind
    format: Format
    people: tuple[Junior, ...] | tuple[Senior, ...]
    accepted: int
    changed: tuple[RowNote, ...]
    """Changes in accepted rows; one row can have several."""
    refused: tuple[RowNote, ...]
    """Every reason of every refused row; one row can have several."""
    notes: tuple[FileNote, ...]
    mapping: dict[str, str]
    """Their header -> our field."""
    ignored_columns: tuple[str, ...]
    headers: tuple[str, ...]
    refused_rows: dict[int, tuple[object, ...]]
    """Row number -> the cells as they were, for the file that people correct and offer again."""
    encoding: str = ""
    separator: str = ""
    sheet: str = ""

    @property
    def changed_rows(self) -> int:
        """Number of accepted rows in which something was changed."""
        return len({note.row for note in self.changed})


def read_people(path: Path, kind: Kind, mapping: Path | None = None) -> ImportReport:
    """Read juniors or seniors from a CSV, XLSX, JSONL or Parquet file.

    Parameters
    ----------
    mapping : Path, optional
        TOML file with lines ``field = "Their header"``. `name` and the long texts may have a list of headers:
        ``name = ["First name", "Last name"]``.

    Raises
    ------
    InputRefused
        If the file as a whole, or the mapping, can't be used. A row that can't be used is in the report.

    Notes
    -----
    A person without an id gets one made of the e-mail address, or else of name and department: the same person has
    the same id in the next file.
    """
    table = read_table(path)
    columns = _columns(table.headers, kind, _read_mapping(mapping, kind) if mapping else {})
    drafts = [_draft(row, kind, columns, table.headers) for row in table.rows]
    _refuse_duplicates(drafts, columns, table.headers)
    accepted = [draft for draft in drafts if not draft.refused]
    people = tuple(draft.person(kind) for draft in accepted)
    refused = [draft for draft in drafts if draft.refused]
    if not drafts:
        raise InputRefused("import_no_rows")
    used = {table.headers[position]: name for name, positions in columns.items() for position in positions}
    positions_used = {position for positions in columns.values() for position in positions}
    return ImportReport(
        kind=kind,
        format=table.format,
        people=people,  # type: ignore[arg-type]  # all of one kind
        accepted=len(people),
        changed=tuple(note for draft in accepted for note in draft.changed),
        refused=tuple(note for draft in refused for note in draft.refused),
        notes=tuple(_file_notes(path, table, people, sum(draft.made_id for draft in accepted))),
        mapping=used,
        ignored_columns=tuple(
            header or f"#{position + 1}"
            for position, header in enumerate(table.headers)
            if position not in positions_used
        ),
        headers=table.headers,
        refused_rows={draft.row.number: draft.row.cells for draft in refused},
        encoding=table.encoding,
        separator=table.separator,
        sheet=table.sheet,
    )


def write_refused(report: ImportReport, path: Path, language: Language = "en") -> None:
    """Write the refused rows as they were, with the reasons in front, to a CSV file to correct and offer again.

    A text that a spreadsheet could run gets a ``'`` in front; `read_people` takes it away again.

    Raises
    ------
    InputRefused
        If the file can't be written.
    """
    reasons: dict[int, list[str]] = defaultdict(list)
    for note in report.refused:
        reasons[note.row].append(note.why(language))
    header = [say("import.row", language), say("import.reason", language), *report.headers]
    try:
        # The mark at the start (utf-8-sig) tells Excel the encoding.
        with path.open("w", encoding="utf-8-sig", newline="") as file:
            writer = csv.writer(file, delimiter=report.separator or ";", quoting=csv.QUOTE_ALL)
            writer.writerow([_harmless(cell) for cell in header])
            for row, cells in report.refused_rows.items():
                writer.writerow([_harmless(cell) for cell in (row, " ".join(reasons[row]), *cells)])
    except (OSError, ValueError) as error:
        raise InputRefused("import_cannot_write", path=printable(path), why=str(error)) from error


def _harmless(cell: object) -> str:
    text = as_cell(cell)
    return f"'{text}" if looks_like_formula(text) else text


# --- headers


Columns = dict[str, tuple[int, ...]]
"""Our field -> the positions of the columns that fill it."""


def _columns(headers: Sequence[str], kind: Kind, mapping: dict[str, tuple[str, ...]]) -> Columns:
    mapped = {name: tuple(_position(headers, header) for header in wanted) for name, wanted in mapping.items()}
    taken = {position for positions in mapped.values() for position in positions}
    columns: Columns = {}
    names = import_words()["headers"]
    for name in _field_names(kind):
        if name in mapped:
            columns[name] = mapped[name]
            continue
        known = {simplified(header) for header in (*names["both"].get(name, ()), *names[kind].get(name, ()), name)}
        found = [i for i, header in enumerate(headers) if i not in taken and simplified(header) in known]
        if len(found) > 1:
            both = _listed([headers[position] for position in found])
            raise InputRefused("import_field_twice", field=name, headers=both)
        if found:
            columns[name] = (found[0],)
    missing = [name for name in REQUIRED[kind] if name not in columns]
    if missing:
        raise InputRefused(
            "import_missing_column", fields=", ".join(missing), headers=_listed(headers), example=missing[0]
        )
    return columns


def _position(headers: Sequence[str], wanted: str) -> int:
    found = [i for i, header in enumerate(headers) if header == wanted.strip()]
    found = found or [
        i for i, header in enumerate(headers) if simplified(wanted) and simplified(header) == simplified(wanted)
    ]
    if not found:
        raise InputRefused("import_mapping_header", header=shown(wanted), headers=_listed(headers))
    return found[0]


def _read_mapping(path: Path, kind: Kind) -> dict[str, tuple[str, ...]]:
    try:
        table = tomllib.loads(read_bytes(path).decode("utf-8-sig"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise InputRefused("import_mapping_toml", path=printable(path), why=str(error)) from error
    mapping: dict[str, tuple[str, ...]] = {}
    for name, headers in table.items():
        if name not in _field_names(kind):
            raise InputRefused("import_mapping_field", field=shown(name), fields=", ".join(_field_names(kind)))
        wanted = [headers] if isinstance(headers, str) else headers
        is_texts = isinstance(wanted, list) and bool(wanted) and all(isinstance(header, str) for header in wanted)
        if not is_texts or (len(wanted) > 1 and name not in JOINED):
            raise InputRefused("import_mapping_value", field=name, value=shown(headers))
        mapping[name] = tuple(wanted)
    return mapping


def _field_names(kind: Kind) -> list[str]:
    return [each.name for each in dataclasses.fields(PEOPLE[kind])]


def _listed(headers: Sequence[str]) -> str:
    names = [f"'{shown(header)}'" for header in headers[:SHOWN_HEADERS]]
    return ", ".join(names) + (", …" if len(headers) > SHOWN_HEADERS else "")


# --- rows


@dataclass
class _Draft:
    """A row on its way to becoming a person."""

    row: Row
    values: dict[str, Any] = dataclasses.field(default_factory=dict)  # the fields of a person have many types
    changed: list[RowNote] = dataclasses.field(default_factory=list)
    refused: list[RowNote] = dataclasses.field(default_factory=list)
    made_id: bool = False

    @property
    def id(self) -> str:
        return str(self.values.get("id", ""))

    def person(self, kind: Kind) -> Person:
        return PEOPLE[kind](**self.values)

    def read(self, name: str, position: int, headers: Sequence[str]) -> Any:
        """Return the value of one cell, or None where it is empty or refused."""
        cell = self.row.cells[position]
        try:
            value, changes = read_cell(name, cell)
        except CellRefused as refused:
            self.refuse(refused.problem, headers[position], cell)
            return None
        keys = (f"changed.{change}" for change in changes)
        self.changed += [RowNote(self.row.number, self.id, headers[position], shown(cell), key) for key in keys]
        return value

    def refuse(self, problem: Problem, column: str = "", value: object = "") -> None:
        self.refused.append(RowNote(self.row.number, self.id, column, shown(value), problem.key, problem.values))


def _draft(row: Row, kind: Kind, columns: Columns, headers: Sequence[str]) -> _Draft:
    draft = _Draft(row)
    if row.problem:
        draft.refuse(Problem(f"refusal.{row.problem.key}", row.problem.values))
        return draft
    for name, positions in columns.items():  # the id comes first, so that every note can name it
        texts = [text for text in (draft.read(name, position, headers) for position in positions) if text is not None]
        if texts:
            draft.values[name] = texts[0] if len(texts) == 1 else JOINED[name].join(texts)
        elif name in REQUIRED[kind] and not any(note.field == headers[positions[0]] for note in draft.refused):
            draft.refuse(Problem("refusal.import_required"), headers[positions[0]])
    if "id" not in draft.values and "name" in draft.values and not draft.refused:
        draft.values["id"], draft.made_id = _made_id(kind, draft.values), True
    return draft


def _made_id(kind: Kind, values: dict[str, Any]) -> str:
    said = values.get("email") or f"{values['name']}|{values.get('department', '')}"
    return f"{kind[0]}-{hashlib.sha256(said.casefold().encode()).hexdigest()[:16]}"


def _refuse_duplicates(drafts: list[_Draft], columns: Columns, headers: Sequence[str]) -> None:
    """Refuse every row whose id another row has too; which of them is right is not for us to say."""
    by_id: dict[str, list[_Draft]] = defaultdict(list)
    for draft in drafts:
        if draft.id:
            by_id[draft.id].append(draft)
    for same in by_id.values():
        for draft in same if len(same) > 1 else ():
            others = [str(other.row.number) for other in same if other is not draft]
            rows = ", ".join(others[:SHOWN_ROWS]) + (", …" if len(others) > SHOWN_ROWS else "")
            if draft.made_id:
                draft.refuse(Problem("refusal.import_duplicate_person", {"rows": rows}))
            else:
                draft.refuse(Problem("refusal.import_duplicate", {"rows": rows}), headers[columns["id"][0]], draft.id)


def _file_notes(path: Path, table: Table, people: Sequence[Person], made_ids: int) -> Iterator[FileNote]:
    expected = SUFFIXES.get(path.suffix.lower())
    if expected and expected != table.format:
        yield FileNote("import.other_format", {"suffix": path.suffix.lower(), "format": table.format.upper()})
    if table.other_sheets:
        yield FileNote("import.first_sheet", {"sheet": shown(table.sheet), "count": table.other_sheets})
    if table.titles:
        yield FileNote("import.titles", {"count": table.titles})
    if made_ids:
        yield FileNote("import.made_ids", {"count": made_ids})
    without_consent = sum(not person.consent for person in people)
    if without_consent:
        yield FileNote("import.no_consent", {"count": without_consent})
