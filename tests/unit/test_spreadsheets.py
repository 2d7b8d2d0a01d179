"""What could run, what is guarded, and what stays as it is."""

import io
from datetime import date

import pytest
from openpyxl import load_workbook

from recommender.spreadsheets import MAX_CELL, Sheet, cell_text, could_run, csv_file, guarded, unguarded, xlsx_file


@pytest.mark.parametrize(
    "text",
    [
        *("=1+1", "+1", "-1", "@SUM(A1)", "|calc", "%0a", "\tx", "\rx", "\n=1", "  =1", "\u200b=1", "\u00a0@a"),
        *("＝1", "＋1", "－1", "＠a", "\x00=1", "\ufeff=1", "\u202e=1"),
    ],
)
def test_what_could_run_is_guarded(text: str) -> None:
    """Also behind what nobody sees, and in wide signs."""
    assert could_run(text)
    assert guarded(text) == f"'{text}"
    assert unguarded(guarded(text)) == text


@pytest.mark.parametrize("text", ["", "Anneke", "'s-Gravenhage", "a=1", "12-3", "“=”", "é"])
def test_the_rest_stays_as_it_is(text: str) -> None:
    """A name is a name."""
    assert guarded(text) == text
    assert unguarded(text) == text


def test_an_apostrophe_that_was_there_comes_back() -> None:
    """Taking one away gives the text, also when it began with one."""
    assert guarded("'=1") == "''=1"
    assert unguarded("''=1") == "'=1"


def test_dutch_has_semicolons_and_commas() -> None:
    """Excel opens each language's file with its own marks."""
    sheet = Sheet("S", ["a", "b", "c"], [("x;y", 0.5, date(2026, 11, 24)), ('"', None, -3)])
    assert csv_file(sheet, "nl").decode("utf-8-sig") == '"a";"b";"c"\r\n"x;y";0,5;2026-11-24\r\n"""";;-3\r\n'
    assert csv_file(sheet, "en").decode("utf-8-sig").splitlines()[1] == '"x;y",0.5,2026-11-24'


def test_workbook_has_a_sheet_each_with_numbers_and_dates() -> None:
    """Numbers can be added up, dates are dates, and an error value is a text."""
    rows = [(1, 0.25, date(2026, 11, 24)), ("#N/A", "=1", None)]
    book = load_workbook(io.BytesIO(xlsx_file([Sheet("Een", ["a", "b", "c"], rows), Sheet("Twee", ["d"], [])])))
    assert book.sheetnames == ["Een", "Twee"]
    assert [cell.value for cell in book["Een"][2]][:2] == [1, 0.25]
    assert book["Een"]["C2"].is_date
    assert [cell.data_type for cell in book["Een"][3]][:2] == ["s", "s"]
    assert book["Een"]["B3"].quotePrefix
    assert book["Een"].freeze_panes == "A2"


def test_a_cell_holds_what_a_sheet_can_hold() -> None:
    """Line ends are plain, controls go, and what is too long is cut."""
    assert cell_text("a\r\nb\rc\x00\x07") == "a\nb\nc"
    assert len(cell_text("x" * (MAX_CELL + 5))) == MAX_CELL
