"""The import of people: good files in every format, and bad ones that each get a sentence."""

import csv
import io
import json
import re
import tracemalloc
import zipfile
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from recommender.domain import Junior, Remote, Senior
from recommender.errors import InputRefused
from recommender.importing import ImportReport, Kind, cells, packed, people, read_people, rows, tables, write_refused
from recommender.importing.cells import import_words, read_cell, simplified
from recommender.wording import LANGUAGES, catalogue

HEADERS = ["id", "Naam", "Wat kan ik uitleggen", "Afdeling", "Talen", "Dagen", "Niveau", "Toestemming"]
SANNE = ["j1", "Zoë van Coëvorden", 'Draaitabellen, en\n"Power BI" 🎥', "Financiën", "nl, en", "ma di", 6, "ja"]
PIET = ["j2", "Piet", "Teams; Zoom", "", "", "", None, "nee"]


def read(folder: Path, name: str, content: bytes | str, kind: Kind = "juniors", mapping: str = "") -> ImportReport:
    """Read `content` as a file of that name, with a mapping file if there is one."""
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    toml = None
    if mapping:
        toml = folder / "mapping.toml"
        toml.write_text(mapping, encoding="utf-8")
    return read_people(path, kind, toml)


def as_csv(*table: list[Any], separator: str = ",") -> str:
    """Return the rows as CSV."""
    file = io.StringIO(newline="")
    csv.writer(file, delimiter=separator).writerows(table)
    return file.getvalue()


def as_xlsx(*table: list[Any], edit: Any = None) -> bytes:
    """Return the rows as a workbook, changed by `edit`."""
    book = openpyxl.Workbook()
    for row in table:
        book.active.append(row)
    if edit:
        edit(book)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def as_jsonl(*people: dict[str, Any]) -> str:
    """Return a line for each person."""
    return "\n".join(json.dumps(person) for person in people)


def as_parquet(columns: dict[str, Any]) -> bytes:
    """Return the columns as a Parquet file."""
    file = io.BytesIO()
    pq.write_table(pa.table(columns), file)
    return file.getvalue()


def refusals(report: ImportReport, language: str = "en") -> list[str]:
    """Return what the report says of refused rows."""
    return [note.sentence(language) for note in report.refused]  # type: ignore[arg-type]


SANNE_READ = Junior(
    id="j1",  # type: ignore[arg-type]
    name="Zoë van Coëvorden",
    text='Draaitabellen, en\n"Power BI" 🎥',
    department="Financiën",
    languages=("nl", "en"),
    days=("mon", "tue"),
    level=6,
    consent=True,
)
PIET_READ = Junior(id="j2", name="Piet", text="Teams; Zoom")  # type: ignore[arg-type]


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_csv(tmp_path: Path, separator: str, encoding: str) -> None:
    """Each separator and encoding gives the same people, also with quoted line ends and separators."""
    report = read(tmp_path, "people.csv", as_csv(HEADERS, SANNE, PIET, separator=separator).encode(encoding))
    assert report.people == (SANNE_READ, PIET_READ)
    assert (report.accepted, report.refused, report.changed) == (2, (), ())
    assert (report.separator, report.encoding) == (separator, encoding.removesuffix("-sig"))
    assert (report.mapping["id"], report.mapping["Wat kan ik uitleggen"]) == ("id", "text")


def test_xlsx(tmp_path: Path) -> None:
    """The first visible sheet is read, and the report says which; empty rows don't count but keep their number."""

    def edit(book: Any) -> None:
        book.active.title = "Mensen"
        book.create_sheet("Oud").append(["id", "naam"])
        book.create_sheet("Verborgen", 0).sheet_state = "hidden"

    report = read(tmp_path, "people.xlsx", as_xlsx(HEADERS, [], SANNE, PIET, [None, "Nora"], edit=edit))
    assert report.people == (SANNE_READ, PIET_READ)
    assert report.sheet == "Mensen"
    assert "Only the sheet 'Mensen' was read. Sheets that were not read: 2." in [n.sentence("en") for n in report.notes]
    assert refusals(report) == ["Row 5: Column 'Wat kan ik uitleggen': This cell is empty. Fill it in."]


def test_jsonl(tmp_path: Path) -> None:
    """A line is a person; a missing key is an empty cell; lists are lists."""
    sanne = dict(zip(HEADERS, SANNE, strict=True)) | {"Talen": ["nl", "English"], "Dagen": ["mon", "dinsdag"]}
    report = read(
        tmp_path, "p.jsonl", as_jsonl(sanne, {"id": "j2", "Naam": "Piet", "Wat kan ik uitleggen": "Teams; Zoom"})
    )
    assert report.people == (SANNE_READ, PIET_READ)


def test_parquet(tmp_path: Path) -> None:
    """Typed columns are read, lists and missing values too."""
    columns = dict(zip(HEADERS, map(list, zip(SANNE, PIET, strict=True)), strict=True))
    columns |= {"Talen": [["nl", "en"], None], "Toestemming": [True, False], "Niveau": [6.0, float("nan")]}
    report = read(tmp_path, "people.parquet", as_parquet(columns))
    assert report.people == (SANNE_READ, PIET_READ)


def test_seniors_need_only_a_name(tmp_path: Path) -> None:
    """A list of names is enough; the id is made, stays the same, and the report says so."""
    report = read(tmp_path, "seniors.csv", "naam\nMieke\nGerard\n", "seniors")
    again = read(tmp_path, "again.csv", "Afdeling;Naam\n;gerard\n", "seniors")
    assert [type(person) for person in report.people] == [Senior, Senior]
    assert report.people[1].id == again.people[0].id
    assert report.people[0].id != report.people[1].id
    assert report.people[0].id.startswith("s-")
    assert [note.sentence("en") for note in report.notes] == [
        "People who were given an id: 2. It is made of the e-mail address, or of name and department.",
        "People who have not given consent yet: 2. They are not suggested until they do.",
    ]
    assert (report.separator, report.mapping) == ("", {"naam": "name"})


def test_made_id_follows_the_email_address(tmp_path: Path) -> None:
    """Who changes department keeps the id, as long as the e-mail address is in the file."""
    first = read(tmp_path, "1.csv", "naam,afdeling,mail\nMieke,HR,m@x.nl\n", "seniors")
    later = read(tmp_path, "2.csv", "naam,afdeling,mail\nMieke,IT,M@X.nl\n", "seniors")
    assert first.people[0].id == later.people[0].id


@pytest.mark.parametrize(
    "person",
    [
        "Renée;Ik leg Excel uit",
        "Zoë;Ideeën over financiën, €5, foto\u00b4s, \u2019s avonds \u2013 café",
        "Jörg;Größe, façade, ñ, œuvre",
    ],
)
def test_windows_1252(tmp_path: Path, person: str) -> None:
    """Short files in Windows-1252 keep their accents; charset-normalizer left free reads the first as Big5."""
    report = read(tmp_path, "p.csv", f"naam;tekst\n{person}\n".encode("cp1252"))
    assert f"{report.people[0].name};{report.people[0].text}" == person
    assert report.encoding == "windows-1252"


@pytest.mark.parametrize(
    ("field", "cell", "value"),
    [
        ("languages", "Nederlands, Engels", ("nl", "en")),
        ("languages", "Dutch / French", ("nl", "fr")),
        ("languages", "nl en", ("nl", "en")),
        ("languages", "Nederlands en Frans", ("nl", "fr")),
        ("languages", "nl-BE; EN_gb", ("nl", "en")),
        ("languages", "Türkçe", ("tr",)),
        ("languages", ["nl", "Arabisch"], ("nl", "ar")),
        ("languages", "Bahasa Indonesia", ("id",)),
        ("days", "ma di", ("mon", "tue")),
        ("days", "vrijdag en Maandag", ("mon", "fri")),
        ("days", "ma t/m wo", ("mon", "tue", "wed")),
        ("days", "mon to thu, fri", ("mon", "tue", "wed", "thu", "fri")),
        ("days", "ma-wo-vr", ("mon", "wed", "fri")),
        ("days", "Elke dag", ("mon", "tue", "wed", "thu", "fri")),
        ("days", ["tue", "do"], ("tue", "thu")),
        ("consent", "JA", True),
        ("consent", True, True),
        ("consent", 1, True),
        ("active", "onwaar", False),
        ("active", "0", False),
        ("remote", "Op locatie", Remote.ON_SITE),
        ("remote", "hybride", Remote.BOTH),
        ("remote", "on_site", Remote.ON_SITE),
        ("rank", 10, 10),
        ("rank", "3.0", 3),
        ("level", 8.0, 8),
        ("capacity", "0", 0),
        ("wish_to_teach", "5", 5),
        ("email", "a.b+c@x.co.uk", "a.b+c@x.co.uk"),
        ("id", 12.0, "12"),
        ("name", "  ", None),
        ("days", [], None),
        ("rank", float("nan"), None),
    ],
)
def test_values(field: str, cell: object, value: object) -> None:
    """What a person may write for a field, in Dutch or English, is understood."""
    assert read_cell(field, cell)[0] == value


BAD_VALUES = [
    ("rang", 11, "Column 'rang', '11': Choose a whole number from 1 to 10, or clear the cell."),
    ("rang", 2.5, "Column 'rang', '2.5': Choose a whole number from 1 to 10, or clear the cell."),
    ("niveau", 0, "Column 'niveau', '0': Choose a whole number from 1 to 8, or clear the cell."),
    ("niveau", "A2", "Column 'niveau', 'A2': Choose a whole number from 1 to 8, or clear the cell."),
    ("wish_to_teach", 6, "Column 'wish_to_teach', '6': Choose a whole number from 1 to 5, or clear the cell."),
    ("capaciteit", -1, "Column 'capaciteit', '-1': Choose a whole number from 0 to 10, or clear the cell."),
    ("rang", True, "Column 'rang', 'True': Choose a whole number from 1 to 10, or clear the cell."),
    ("toestemming", "misschien", "Column 'toestemming', 'misschien': Choose yes or no."),
    ("toestemming", "x", "Column 'toestemming', 'x': Choose yes or no."),
    ("remote", "thuis", "Column 'remote', 'thuis': Choose online, on site or both."),
    ("talen", "nl, klingon", "Column 'talen', 'nl, klingon': The language 'klingon' is not known. "),
    ("talen", "nl en fr", "Column 'talen', 'nl en fr': It is not clear whether 'en' is English here. "),
    ("dagen", "za", "Column 'dagen', 'za': The day 'za' is not known. Choose from mon, tue, wed, thu and fri."),
    ("dagen", "ma-wo", "Column 'dagen', 'ma-wo': It is not clear which days these are. "),
    ("dagen", "vr t/m ma", "Column 'dagen', 'vr t/m ma': It is not clear which days these are. "),
    ("dagen", "ma t/m", "Column 'dagen', 'ma t/m': It is not clear which days these are. "),
    ("dagen", "t/m vr", "Column 'dagen', 't/m vr': It is not clear which days these are. "),
    ("email", "sanne bij werk", "Column 'email', 'sanne bij werk': This is no e-mail address. "),
    (
        "afdeling",
        "x" * 201,
        f"Column 'afdeling', '{'x' * 39}…': The text is too long: 201 characters. The limit is 200.",
    ),
    (
        "wants",
        "x" * 20_001,
        f"Column 'wants', '{'x' * 39}…': The text is too long: 20001 characters. The limit is 20000.",
    ),
    ("wants", "a\ud800", r"Column 'wants', 'a\ud800': The text holds half a character. Type the text again."),
    ("afdeling", "#N/B", "Column 'afdeling', '#N/B': This is an error of the spreadsheet. "),
    ("afdeling", {"a": 1}, "Column 'afdeling', '{\"a\": 1}': This must be one text or number."),
    ("name", "x" * 201, f"Column 'name', '{'x' * 39}…': The text is too long: 201 characters. The limit is 200."),
    ("name", "  ", "Column 'name': This cell is empty. Fill it in."),
    ("text", None, "Column 'text': This cell is empty. Fill it in."),
]


@pytest.mark.parametrize(("header", "cell", "sentence"), BAD_VALUES)
def test_bad_value_refuses_the_row(tmp_path: Path, header: str, cell: object, sentence: str) -> None:
    """A value that isn't understood is never guessed: its row is refused, the others stay."""
    bad = {"id": "b", "name": "Bo", "text": "Excel", header: cell}
    report = read(tmp_path, "p.jsonl", as_jsonl({"id": "g", "name": "Goof", "text": "Word"}, bad))
    assert [person.id for person in report.people] == ["g"]
    assert len(report.refused) == 1
    assert report.refused[0].sentence("en").startswith(f"Row 2: {sentence}")
    assert report.refused[0].id == "b"


def test_every_reason_of_a_row_is_said(tmp_path: Path) -> None:
    """Somebody who corrects a row should hear everything at once."""
    report = read(tmp_path, "p.csv", "id,naam,tekst,rang,consent\nj1,,Excel,99,soms\n")
    assert [note.field for note in report.refused] == ["naam", "rang", "consent"]
    assert {note.row for note in report.refused} == {2}


def test_duplicate_ids_are_both_refused(tmp_path: Path) -> None:
    """Both rows are refused, each with the number of the other."""
    report = read(tmp_path, "p.csv", "id,naam,tekst\n7,A,x\n8,B,y\n 7 ,C,z\n")
    assert [person.id for person in report.people] == ["8"]
    assert refusals(report) == [
        "Row 2: Column 'id', '7': This id is also in row 4. Give each person an id of their own.",
        "Row 4: Column 'id', '7': This id is also in row 2. Give each person an id of their own.",
    ]


def test_same_person_without_id_is_refused_twice(tmp_path: Path) -> None:
    """Two rows that would get the same made id are refused, with what to add."""
    report = read(tmp_path, "p.csv", "naam,tekst,afdeling\nJan,x,HR\nJan,y,HR\nJan,z,IT\n")
    assert report.accepted == 1
    assert refusals(report)[0] == (
        "Row 2: The same person is also in row 3. Remove one, or give each an id or e-mail address of their own."
    )


CHANGES = [
    ("naam", " Jan ", "Jan", "Spaces at the start or end were removed."),
    ("naam", "J\u202ean\x00", "Jan", "Invisible characters were removed."),
    ("naam", "Jan\n de  Wit", "Jan de Wit", "Double spaces and line breaks became one space."),
    ("tekst", "'+31 6", "+31 6", "The sign ' at the start was removed. It kept a formula from running."),
]


@pytest.mark.parametrize(("header", "raw", "kept", "sentence"), CHANGES)
def test_changes_are_listed(tmp_path: Path, header: str, raw: str, kept: str, sentence: str) -> None:
    """What was changed in an accepted row is said, and only that."""
    row = {"id": "j1", "naam": "Jan", "tekst": "Excel", header: raw}
    report = read(tmp_path, "p.csv", as_csv(list(row), list(row.values())))
    field = {"naam": "name", "tekst": "text"}[header]
    assert getattr(report.people[0], field) == kept
    assert sentence in [note.why("en").split(": ", 1)[1] for note in report.changed]
    assert report.changed_rows == 1


@pytest.mark.parametrize("text", ['=HYPERLINK("http://x")', "\uff1d1+1", "@SUM(1)", " =1+1", "'=1+1"])
def test_a_formula_is_refused(tmp_path: Path, text: str) -> None:
    """A text that a spreadsheet would run is no name and no profile."""
    for header in ("naam", "tekst"):
        row = {"id": "j1", "naam": "Jan", "tekst": "Excel", header: text}
        report = read(tmp_path, "p.csv", as_csv(list(row), list(row.values())))
        assert report.people == ()
        assert "This looks like a formula. Put plain text here" in refusals(report)[0]


@pytest.mark.parametrize("text", ["- Excel", "+31 6", "Excel, en  Word", "👩‍💻 leert u programmeren", "Zoe\u0308"])
def test_nothing_to_say_about_plain_text(tmp_path: Path, text: str) -> None:
    """A bullet is no formula, an emoji no hidden character, and another way to write ë no change that shows."""
    assert read(tmp_path, "p.csv", as_csv(["id", "naam", "tekst"], ["1", "Jan", text])).changed == ()


def zip_of(**files: bytes) -> bytes:
    """Return a ZIP file; ``__`` in a name stands for a slash."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name.replace("__", "/").replace("_xml", ".xml"), content)
    return file.getvalue()


GOOD = b"id,naam,tekst\n1,Jan,Excel\n"
BAD_FILES = [
    ("p.csv", b"", "The file is empty. "),
    ("p.csv", b"\xef\xbb\xbf \r\n\r\n", "The file is empty. "),
    ("p.csv", b";;;\n;;;\n", "The file is empty. "),
    ("p.csv", b"id,naam,tekst\n", "The file only has headers. "),
    ("p.csv", b"%PDF-1.7 \xe2\xe3", "This seems to be a PDF file. "),
    ("p.csv", b"\x89PNG\r\n\x1a\n\0\0", "This seems to be a PNG file. "),
    ("p.xlsx", b"\xff\xd8\xff\xe0", "This seems to be a JPEG file. "),
    ("p.csv", zip_of(a_txt=b"x"), "This seems to be a ZIP file. "),
    ("p.xlsx", zip_of(word__document_xml=b"x"), "This seems to be a Word file. "),
    ("p.xlsx", zip_of(content_xml=b"x"), "This seems to be a OpenDocument file. "),
    ("p.csv", b"<!DOCTYPE html><table>", "This seems to be a HTML file. "),
    (
        "p.xls",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(9),
        "This is an old Excel file (.xls) or a file with a password. ",
    ),
    ("p.xlsx", as_xlsx(HEADERS)[:900], "This XLSX file is damaged. "),
    ("p.xlsx", zip_of(xl__workbook_xml=b"<x>"), "This XLSX file is damaged. "),
    ("p.parquet", b"PAR1" + bytes(50) + b"PAR1", "This Parquet file is damaged. "),
    ("p.csv", "id,naam,tekst\n1,Jan,Excel".encode("utf-16-le"), "The letters in this file can't be read. "),
    ("p.csv", b"\xff\xfei\0d\0", "There is no column for name, text. Found: 'id'. "),
    ("p.csv", b"\xff\xfei\0d\0\0\xd8", "The letters in this file can't be read. "),
    ("p.csv", b"naam\x81\x8d\x8f", "The letters in this file can't be read. "),
    (
        "p.csv",
        bytes(range(0xC0, 0xD8)) + b";" + bytes(range(0xE0, 0xF8)),
        "The letters in this file can't be read. ",
    ),
    (
        "p.csv",
        b"naam;tekst\n\xcd\xf5\xce\xb0;\xce\xd2\xbf\xc9\xd2\xd4 (GB2312)\n",
        "The letters in this file can't be read. ",
    ),
    ("p.csv", "naam;tekst\nRené;financiën, reünie\n".encode("cp850"), "The letters in this file can't be read. "),
    ("p.csv", "naam;tekst\nRené;één idee\n".encode("mac_roman"), "The letters in this file can't be read. "),
    ("p.csv", "naam;tekst\nŁukasz;wyjaśnić źródła\n".encode("cp1250"), "The letters in this file can't be read. "),
    (
        "p.csv",
        "naam,tekst\nZoë,café\nIdeeën,één\n".encode() + b"Ren\xe9,x\n",
        "Line 4 is not encoded like the rest (UTF-8). ",
    ),
    (
        "p.csv",
        b"id,afdeling\n1,HR\n",
        "There is no column for name, text. Found: 'id', 'afdeling'. Make a file mapping.toml",
    ),
    ("p.csv", b"naam,full name,tekst\nJan,Jan,x\n", "More columns fit name: 'naam', 'full name'. "),
    ("p.csv", b",".join(b"k%d" % i for i in range(101)) + b"\n1", "The file has 101 columns. The limit is 100. "),
    ("p.jsonl", b'[{"name": "Jan"}]', "This is one JSON list. "),
    ("p.jsonl", b"naam\nJan\n", "Not one line with data can be read. "),
    ("p.jsonl", b'{"a": 1}', "There is no column for name, text. Found: 'a'. "),
]


@pytest.mark.parametrize(("name", "content", "sentence"), BAD_FILES, ids=[each[2][:40] for each in BAD_FILES])
def test_bad_file_is_refused_in_words(tmp_path: Path, name: str, content: bytes, sentence: str) -> None:
    """A file that can't be used at all is refused with what it seems to be and what to do."""
    with pytest.raises(InputRefused) as refused:
        read(tmp_path, name, content)
    assert refused.value.sentence("en").startswith(sentence)
    assert refused.value.sentence("nl") != refused.value.sentence("en")


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("none.csv", "There is no file"),
        (".", "is no file but a folder"),
        ("a" * 300, "can't be read"),
        ("a\0", "There is no file"),
    ],
)
def test_unusable_path(tmp_path: Path, path: str, sentence: str) -> None:
    """A path without a file behind it is refused in words."""
    with pytest.raises(InputRefused, match=re.escape(sentence)):
        read_people(tmp_path / path, "juniors")


def test_format_is_told_by_content(tmp_path: Path) -> None:
    """An XLSX file named .csv is read as what it is, and the report says so."""
    report = read(tmp_path, "people.csv", as_xlsx(["naam", "tekst"], ["Jan", "Excel"]))
    assert (report.format, report.accepted) == ("xlsx", 1)
    assert read(tmp_path, "people.csv", as_jsonl({"naam": "Jan", "tekst": "Excel"})).format == "jsonl"
    assert report.notes[0].sentence("en") == "The name ends in .csv, but this is a XLSX file. It was read as that."


def test_limits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The limits for bytes, rows and unpacked text each refuse the file, and only above the limit."""
    people = [{"name": f"n{i}", "text": "x" * 30} for i in range(4)]
    files = {
        "p.csv": as_csv(["name", "text"], *([p["name"], p["text"]] for p in people)).encode(),
        "p.xlsx": as_xlsx(["name", "text"], *([p["name"], p["text"]] for p in people)),
        "p.jsonl": as_jsonl(*people).encode(),
        "p.parquet": as_parquet({"name": [p["name"] for p in people], "text": [p["text"] for p in people]}),
    }
    for limit, sentence in ((4, None), (3, "more than 3 rows")):
        monkeypatch.setattr(rows, "MAX_ROWS", limit)
        monkeypatch.setattr(packed, "MAX_ROWS", limit)
        for name, content in files.items():
            if sentence is None:
                assert read(tmp_path, name, content).accepted == 4
            else:
                with pytest.raises(InputRefused, match=sentence):
                    read(tmp_path, name, content)
    monkeypatch.setattr(rows, "MAX_ROWS", 100)
    monkeypatch.setattr(rows, "MAX_UNPACKED", 100)
    with pytest.raises(InputRefused, match="Unpacked"):
        read(tmp_path, "p.csv", files["p.csv"])
    monkeypatch.undo()
    monkeypatch.setattr(tables, "MAX_BYTES", len(files["p.csv"]) - 1)
    with pytest.raises(InputRefused, match="larger than"):
        read(tmp_path, "p.csv", files["p.csv"])


def test_zip_bomb_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    """A workbook of 200 kB that declares 200 MB is refused by what it declares."""
    bomb = io.BytesIO(as_xlsx(["naam"]))
    with zipfile.ZipFile(bomb, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/media/bomb", bytes(200_000_000))
    assert len(bomb.getvalue()) < 300_000
    with pytest.raises(InputRefused, match="larger than 100 MB"):
        read(tmp_path, "p.xlsx", bomb.getvalue())


def test_workbook_full_of_empty_cells_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cells that hold nothing cost time and memory too: 6 million took 27 s and 2 GB before there was a limit."""
    monkeypatch.setattr(packed, "MAX_TAGS", 1000)
    with pytest.raises(InputRefused, match="too much beside the list"):
        read(tmp_path, "p.xlsx", edited(as_xlsx(["naam"]), b"</row>", b"<c/>" * 1000 + b"</row>"))


def test_workbook_full_of_merged_cells_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Merged cells cost time too, also where they are empty: 3 million took 27 s before there was a limit."""
    monkeypatch.setattr(packed, "MAX_ROWS", 3)

    def edit(book: Any) -> None:
        for row in range(5, 10):
            book.active.merge_cells(f"A{row}:B{row}")

    with pytest.raises(InputRefused, match="more than 3 rows"):
        read(tmp_path, "p.xlsx", as_xlsx(["naam", "tekst"], ["A", "x"], edit=edit))


def test_row_number_out_of_this_world_is_not_counted_to(tmp_path: Path) -> None:
    """A row that says it is number 999,999,999 ends as a file without people; counting to it would take hours."""
    content = edited(as_xlsx(["naam", "tekst"], ["A", "x"]), b'<row r="2"', b'<row r="999999999"')
    with pytest.raises(InputRefused, match="only has headers"):
        read(tmp_path, "p.xlsx", content)


def test_repeating_parquet_is_refused(tmp_path: Path) -> None:
    """A small Parquet file that says one long text 50,000 times is refused, not held 50,000 times."""
    content = as_parquet({"name": ["x"] * 50_000, "text": ["y" * 20_000] * 50_000})
    assert len(content) < 100_000
    tracemalloc.start()
    try:
        with pytest.raises(InputRefused, match="larger than 100 MB"):
            read(tmp_path, "p.parquet", content)
        assert tracemalloc.get_traced_memory()[1] < 50_000_000  # held 50,000 times it takes 1 GB
    finally:
        tracemalloc.stop()


def test_parquet_with_too_many_rows_is_not_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The number of rows in the schema is enough to refuse the file."""
    monkeypatch.setattr(packed, "_unpacked", lambda column: pytest.fail("the data was read"))
    with pytest.raises(InputRefused, match="more than 50000 rows"):
        read(tmp_path, "p.parquet", as_parquet({"name": ["x"] * 50_001}))


def test_ragged_rows_are_refused_one_by_one(tmp_path: Path) -> None:
    """A row with too few or too many cells is refused; empty cells at the end don't count."""
    report = read(tmp_path, "p.csv", "id,naam,tekst\n1,A,x,,\n2,B\n3,C,y,z\n\n4,D,w\n")
    assert [person.id for person in report.people] == ["1", "4"]
    assert [sentence.split(". ")[0] for sentence in refusals(report)] == [
        "Row 3: This row has 2 cells and the header 3",
        "Row 4: This row has 4 cells and the header 3",
    ]


def test_broken_quotes_are_named_by_line_and_nothing_is_lost(tmp_path: Path) -> None:
    """A quote that isn't closed takes the lines after it; they are all in the refused row."""
    report = read(tmp_path, "p.csv", 'id,naam,tekst\n1,A,x\n2,"B "de" C",y\n3,D,z\n4,"E,v\n5,F,u\n')
    assert [person.id for person in report.people] == ["1", "3"]
    assert [sentence.split(". ")[0] for sentence in refusals(report)] == [
        "Row 3: The quotes in lines 3 to 3 don't match",
        "Row 5: The quotes in lines 5 to 6 don't match",
    ]
    assert report.refused_rows == {3: ('2,"B "de" C",y',), 5: ('4,"E,v\n5,F,u',)}


def test_excels_separator_line(tmp_path: Path) -> None:
    """The line `sep=;` that Excel writes is no header."""
    report = read(tmp_path, "p.csv", "sep=;\r\nnaam;tekst\r\nJan;a,b,c\r\n")
    assert (report.people[0].text, report.separator) == ("a,b,c", ";")


def test_bad_lines_of_jsonl_are_named(tmp_path: Path) -> None:
    """A line that is no JSON, or no object, is refused with its number."""
    good = '{"id": "%s", "name": "A", "text": "x"}'
    report = read(tmp_path, "p.jsonl", f'{good % 1}\n{{"name": \n\n[1]\n{"[" * 9999}\n{good % 2}')
    assert [person.id for person in report.people] == ["1", "2"]
    assert [note.row for note in report.refused] == [2, 4, 5]
    assert refusals(report)[0] == "Row 2: This line is no valid JSON. Look at character 10."
    assert refusals(report)[1] == 'Row 4: This line is no person. Write: {"name": "Sanne"}.'


def test_formula_in_a_workbook(tmp_path: Path) -> None:
    """Of a formula the stored result is read; one that was never calculated is refused, never read as empty."""
    content = as_xlsx(["naam", "tekst", "afdeling"], ["Jan", "Excel", "=1+1"], ["Piet", "Word", "HR"])
    report = read(tmp_path, "p.xlsx", content)
    assert [person.name for person in report.people] == ["Piet"]
    assert refusals(report)[0].startswith("Row 2: Column 3 has a formula without a result. ")
    for stored, department in (
        (b'<c r="C2" t="str"><f>1+1</f><v>IT</v>', "IT"),
        (b'<c r="C2" t="str"><f>1+1</f><v></v>', ""),
    ):
        report = read(
            tmp_path, "p.xlsx", edited(content, b'<c r="C2"><f>1+1</f><v ?/>|<c r="C2"><f>1\\+1</f><v></v>', stored)
        )
        assert [person.department for person in report.people] == [department, "HR"]


def edited(workbook: bytes, pattern: bytes, replacement: bytes) -> bytes:
    """Return the workbook with a change in the XML of its first sheet."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(workbook)) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if name.endswith("sheet1.xml"):
                content, count = re.subn(pattern.replace(b"1+1", b"1\\+1"), replacement, content)
                assert count == 1
            new.writestr(name, content)
    return out.getvalue()


def test_merged_cells(tmp_path: Path) -> None:
    """A subheading over the whole width is left out; a value merged over rows is never guessed for the lower ones."""

    def edit(book: Any) -> None:
        for merged in ("A1:C1", "A3:C3", "C5:C6"):
            book.active.merge_cells(merged)

    table = [["Lijst"], ["naam", "tekst", "afdeling"], ["Team A"], ["A", "x", "IT"], ["B", "y", "HR"], ["C", "z"]]
    report = read(tmp_path, "p.xlsx", as_xlsx(*table, edit=edit))
    assert [person.name for person in report.people] == ["A", "B"]
    assert refusals(report)[0].startswith("Row 6: This row has a cell that is merged with the row above it. ")
    assert "Subheadings left out (rows with one merged cell): 2." in [note.sentence("en") for note in report.notes]


def test_wrong_size_in_a_workbook_loses_no_rows(tmp_path: Path) -> None:
    """Some programs write a size of one cell; all rows are read all the same."""
    content = edited(
        as_xlsx(["naam", "tekst"], ["A", "x"], ["B", "y"]), b'<dimension ref="A1:B3"', b'<dimension ref="A1"'
    )
    assert read(tmp_path, "p.xlsx", content).accepted == 2


def test_mapping_file(tmp_path: Path) -> None:
    """A mapping wins over the known names, finds headers without case, and joins a first and a last name."""
    mapping = 'name = ["VOORNAAM", "Achternaam"]\ntext = "Kolom X"\n'
    content = "Voornaam,Achternaam,kolom x,tekst,Naam\nJan,,Excel,nee,q\nAnna,de Wit,Word,nee,q\n"
    report = read(tmp_path, "p.csv", content, mapping=mapping)
    assert [(person.name, person.text) for person in report.people] == [("Jan", "Excel"), ("Anna de Wit", "Word")]
    assert report.mapping == {"Voornaam": "name", "Achternaam": "name", "kolom x": "text"}
    assert report.ignored_columns == ("tekst", "Naam")


def test_mapped_header_is_free_for_no_other_field(tmp_path: Path) -> None:
    """A header that the mapping uses is not also taken for the field that its name suggests."""
    report = read(tmp_path, "p.csv", "naam,tekst,profiel\nJan,Golf,Excel\n", mapping='wants = "tekst"')
    assert (report.people[0].wants, report.people[0].text) == ("Golf", "Excel")


@pytest.mark.parametrize(
    ("mapping", "sentence"),
    [
        ("name = ", "is no valid TOML"),
        ('nmae = "Naam"', "There is no field nmae, which the mapping names. Choose from: id, name, text, wants, "),
        ('offers = "Naam"', "There is no field offers"),
        ("name = 3", "The mapping gives name the value 3. "),
        ('rank = ["a", "b"]', "The mapping gives rank the value"),
        ('name = "Nam"', "The header 'Nam' of the mapping is not in the file. Found: 'id', 'naam', 'tekst'."),
        (" ", "The file is empty"),
    ],
)
def test_bad_mapping_file(tmp_path: Path, mapping: str, sentence: str) -> None:
    """A mapping that can't be used is refused with what is wrong in it."""
    with pytest.raises(InputRefused, match=re.escape(sentence)):
        read(tmp_path, "p.csv", GOOD, mapping=mapping)


def test_header_names_are_insensitive_and_belong_to_one_field(tmp_path: Path) -> None:
    """Case, accents, spaces and underscores don't matter; unknown columns are named as ignored."""
    content = "VOLLEDIGE_NAAM;Wat kán ik uitleggen?;Stand-plaats;Schoenmaat;;e-mail\nJan;Excel;Gent;43;;j@x.be\n"
    report = read(tmp_path, "p.csv", content)
    assert (report.people[0].site, report.people[0].email) == ("Gent", "j@x.be")
    assert report.ignored_columns == ("Schoenmaat", "#5")
    for kind in ("juniors", "seniors"):
        headers = import_words()["headers"]
        names = [n for part in ("both", kind) for ns in headers[part].values() for n in set(map(simplified, ns))]
        assert len(names) == len(set(names))
        assert {*headers["both"], *headers[kind]} == set(people._field_names(kind))


DANGEROUS = ["=1+1", "+1", "-1", "@x", "\t=1", " =1", "\uff1d1", "\uff0b1", "\uff0d1", "\uff201", "\n=1", "\ufeff=1"]


def test_refused_file_is_safe_and_can_be_offered_again(tmp_path: Path) -> None:
    """No cell of it starts a formula, and after correction the same texts come back."""
    people = [{"id": i, "=naam": "A", "text": text, "rank": 99} for i, text in enumerate(DANGEROUS)]
    report = read(tmp_path, "p.jsonl", as_jsonl(*people), mapping='name = "=naam"')
    assert len(report.refused_rows) == len(DANGEROUS)
    write_refused(report, tmp_path / "refused.csv", "nl")
    written = (tmp_path / "refused.csv").read_text(encoding="utf-8-sig")
    table = list(csv.reader(io.StringIO(written, newline=""), delimiter=";"))
    assert table[0] == ["rij", "reden", "id", "'=naam", "text", "rank"]
    assert table[1][0] == "1"
    assert "Kolom 'rank', '99': Kies een heel getal van 1 tot en met 10, of maak de cel leeg." in table[1][1]
    assert all(row[4].startswith("'") for row in table[1:])
    corrected = written.replace('"99"', '"9"').replace("'=naam", "naam")
    again = read(tmp_path, "corrected.csv", corrected)
    plain = [text.strip("\ufeff \t\n") for text in DANGEROUS]
    assert [person.text for person in again.people] == [text for text in plain if text[0] not in "=@\uff1d\uff20"]


def test_refused_file_that_cannot_be_written(tmp_path: Path) -> None:
    """A folder that isn't there is said in words."""
    report = read(tmp_path, "p.csv", "naam,tekst\n,x\n")
    with pytest.raises(InputRefused, match="can't be written"):
        write_refused(report, tmp_path / "none" / "refused.csv")


def test_every_key_has_its_sentence_in_both_languages() -> None:
    """Each key that the code names is in the catalogue, and each import key in the catalogue is named."""
    modules = (rows, packed, tables, cells, people)
    source = "".join(Path(module.__file__).read_text(encoding="utf-8") for module in modules)
    named = set(re.findall(r'"(?:refusal\.|changed\.|import\.)?(import_\w+|import\.\w+)"', source))
    named |= set(re.findall(r'"(import\.\w+)"', source))
    ours = [key for key in catalogue() if key.startswith("import.") or ".import_" in key]
    kept = {key if key.startswith("import.") else key.partition(".")[2] for key in ours}
    assert named - {"import_words"} == kept
    assert all(set(catalogue()[key]) == set(LANGUAGES) for key in ours)
