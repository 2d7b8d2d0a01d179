"""Whatever a text is, no spreadsheet runs it, and it comes back as it was."""

import csv
import io

from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from openpyxl import load_workbook

from recommender.spreadsheets import Sheet, cell_text, could_run, csv_file, unguarded, xlsx_file
from recommender.wording import LANGUAGES, Language

signs = st.sampled_from(
    [*"=+-@|%'\t\r\n ;,\"", "＝", "＋", "－", "＠", "\u200b", "\u00a0", "\ufeff", "\x00", "#N/A", "cmd"]
)
texts = st.one_of(
    st.lists(signs, max_size=6).map("".join),
    st.tuples(st.lists(signs, max_size=3).map("".join), st.text(max_size=12)).map("".join),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
)
numbers = st.one_of(
    st.integers(-(10**9), 10**9), st.floats(-1e6, 1e6, allow_nan=False).map(lambda each: round(each, 3))
)
FIRST = set("=+-@|%\t\r\n")


def reads_as_formula(text: str) -> bool:
    """Tell, apart from the code, whether the first character that can be seen is one of a formula."""
    plain = text.translate({ord(wide): narrow for wide, narrow in zip("＝＋－＠", "=+-@", strict=True)})
    return plain[:1] in FIRST or plain.lstrip(" \u00a0\u200b\ufeff\n\t")[:1] in FIRST - set("\t\r\n")


@given(st.lists(st.tuples(texts, numbers), max_size=6), st.sampled_from(LANGUAGES))
@examples(max_examples=200, deadline=None)
def test_csv_holds_no_formula_and_gives_every_value_back(rows: list[tuple[str, float]], language: Language) -> None:
    """Texts are in quotes and don't begin as a formula does; numbers are bare, with the comma of the language."""
    made = csv_file(Sheet("S", ["naam", "=aantal"], rows), language)
    assert made.startswith(b"\xef\xbb\xbf")
    mark, point = (";", ",") if language == "nl" else (",", ".")
    head, *read = csv.reader(io.StringIO(made.decode("utf-8-sig"), newline=""), delimiter=mark)
    assert head == ["naam", "'=aantal"]
    assert len(read) == len(rows)
    for (text, number), (told, counted) in zip(rows, read, strict=True):
        assert not reads_as_formula(told)
        assert unguarded(told) == cell_text(text)
        assert float(counted.replace(point, ".")) == number


@given(st.lists(st.tuples(texts, numbers), min_size=1, max_size=6))
@examples(max_examples=100, deadline=None)
def test_xlsx_holds_no_formula_and_gives_every_value_back(rows: list[tuple[str, float]]) -> None:
    """Every text is a cell of text, quoted where it could run; numbers are numbers."""
    page = load_workbook(io.BytesIO(xlsx_file([Sheet("S", ["=naam", "aantal"], rows)])))["S"]
    assert not [cell for line in page.iter_rows() for cell in line if cell.data_type in {"f", "e"}]
    for place, (text, number) in enumerate(rows, start=2):
        told, counted = page.cell(place, 1), page.cell(place, 2)
        assert (told.value or "") == cell_text(text)
        assert bool(told.quotePrefix) == could_run(cell_text(text))
        assert counted.value == number
