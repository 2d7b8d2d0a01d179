"""Whatever the bytes: an `ImportReport` or an `InputRefused`, never a traceback."""

import csv
import io
import json
from pathlib import Path
from tempfile import TemporaryDirectory

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recommender.errors import InputRefused
from recommender.importing import ImportReport, read_people, write_refused
from recommender.importing.cells import looks_like_formula
from recommender.text import MAX_STATEMENTS, MAX_WORDS, clean_text, statements

SUFFIXES = (".csv", ".xlsx", ".jsonl", ".parquet", ".txt", "")
CELLS = st.one_of(
    st.text(max_size=30),
    st.sampled_from(
        ["nl, en", "ma-vr", "ja", "99", "=1+1", "- ", "a@b.nl", '"', "'", "\ud800", "\x00", "t/m", "en en en"]
    ),
)
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), CELLS), lambda inner: st.lists(inner, max_size=3)
)
FIELDS = ["id", "name", "text", "wants", "department", "remote", "rank", "languages", "days", "consent", "email", "="]


def workbook() -> bytes:
    """Return a workbook with a formula that was never calculated."""
    book = openpyxl.Workbook()
    book.active.append(["id", "naam", "tekst"])
    book.active.append(["1", "Jan", "=1+1"])
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def parquet() -> bytes:
    """Return a small Parquet file with a list."""
    file = io.BytesIO()
    pq.write_table(pa.table({"name": ["Jan", "Piet"], "text": ["x", "y"], "days": [["mon"], None]}), file)
    return file.getvalue()


GOOD_FILES = {
    ".csv": "id;naam;tekst\n1;Zoë;Excel\n".encode(),
    ".jsonl": b'{"name": "Jan", "text": "x"}\n{"name": "Piet", "text": "y"}\n',
    ".xlsx": workbook(),
    ".parquet": parquet(),
}


def outcome(content: bytes, suffix: str) -> ImportReport | InputRefused:
    """Read `content`; check that every sentence can be said, and that no row is both accepted and refused or lost."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"people{suffix}"
        path.write_bytes(content)
        try:
            report = read_people(path, "juniors")
        except InputRefused as refused:
            _ = refused.sentence("nl").encode(), refused.sentence("en").encode()
            return refused
        for note in (*report.refused, *report.changed):
            assert note.sentence("nl").encode()
        assert report.accepted == len(report.people) == len({person.id for person in report.people})
        assert set(report.refused_rows) == {note.row for note in report.refused}
        write_refused(report, path)
        written = path.read_text(encoding="utf-8-sig")
        table = list(csv.reader(io.StringIO(written, newline=""), delimiter=report.separator or ";"))
        assert not any(looks_like_formula(cell) for row in table for cell in row)
        return report


@given(st.one_of(st.binary(max_size=400), st.text(max_size=200).map(str.encode)), st.sampled_from(SUFFIXES))
def test_random_bytes(content: bytes, suffix: str) -> None:
    """Random bytes and random text, under each name, end in a report or a refusal."""
    outcome(content, suffix)


@pytest.mark.parametrize("suffix", GOOD_FILES)
@given(data=st.data())
@settings(max_examples=60)
def test_damaged_files(suffix: str, data: st.DataObject) -> None:
    """A good file that is cut off, or in which bytes are changed, ends in a report or a refusal."""
    content = bytearray(GOOD_FILES[suffix])
    for _ in range(data.draw(st.integers(0, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    outcome(bytes(content[: data.draw(st.integers(0, len(content)))] if data.draw(st.booleans()) else content), suffix)


@pytest.mark.parametrize("suffix", GOOD_FILES)
def test_undamaged_files_are_reports(suffix: str) -> None:
    """The files that are damaged above are good to begin with."""
    assert isinstance(outcome(GOOD_FILES[suffix], suffix), ImportReport)


@given(st.lists(st.lists(CELLS.filter(lambda cell: "\ud800" not in cell), min_size=len(FIELDS), max_size=len(FIELDS))))
def test_random_cells_of_csv(rows: list[list[str]]) -> None:
    """No row of a well-formed CSV file is lost: it is accepted, refused, or empty."""
    file = io.StringIO(newline="")
    csv.writer(file, quoting=csv.QUOTE_ALL).writerows([FIELDS, *rows])
    found = outcome(file.getvalue().encode(), ".csv")
    filled = sum(any(cell.strip() for cell in row) for row in rows)
    if isinstance(found, ImportReport):
        assert found.accepted + len(found.refused_rows) == filled
    else:
        assert found.key in ("import_no_rows", "import_encoding")


@given(st.lists(st.dictionaries(st.sampled_from(FIELDS), JSON), max_size=5))
def test_random_cells_of_jsonl(people: list[dict[str, object]]) -> None:
    """Cells of any type end in a value or a reason."""
    outcome("\n".join(json.dumps(person) for person in people).encode(), ".jsonl")


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=300))
def test_clean_text_is_idempotent(text: str) -> None:
    """What was cleaned once is left alone the next time, and holds nothing hidden."""
    once = clean_text(text, 1000)
    assert clean_text(once, 1000) == once
    assert not set(once) & set("\x00\r\x1b\u202e\u200b\ufeff")


@given(
    st.lists(st.sampled_from(["Excel", "ik", "kan", ".", "; ", "\n", "- ", "• ", "(", ") ", ", ", " ", "😀", "e.g. "]))
)
def test_statements_are_passages(parts: list[str]) -> None:
    """Statements are passages of the text, in its order, within the limits; no word with a letter is lost."""
    text = " ".join("".join(parts).split(" "))
    found = statements(text)
    whole = " ".join(text.split())
    position = 0
    for each in found:
        position = whole.index(each, position) + len(each)
    assert len(found) <= MAX_STATEMENTS
    assert all(len(each.split()) <= MAX_WORDS for each in found)
    assert sum(each.count("Excel") for each in found) == text.count("Excel")
