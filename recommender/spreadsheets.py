"""Tables as CSV and XLSX in which no cell can run: a text stays a text, whatever it looks like, and numbers numbers.

A name such as ``=HYPERLINK(...)`` is somebody else's text, and whoever opens the file trusts it. In CSV such a text
gets an apostrophe in front, which a spreadsheet takes for "this is text"; in XLSX the cell says so itself.
"""

import io
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font

from recommender.wording import Language

Cell = str | int | float | date | None

MAX_CELL = 32_767
"""Characters that a cell of Excel can hold."""
_STARTS = frozenset("=+-@|%")
_NOT_IN_A_SHEET = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
"""Characters that XML can't hold."""
_LINE_ENDS = re.compile("\r\n?")


@dataclass(frozen=True)
class Sheet:
    """One table with its heads. The name has at most 31 characters, letters and spaces alone."""

    name: str
    heads: Sequence[str]
    rows: Sequence[Sequence[Cell]]


def could_run(text: str) -> bool:
    r"""Tell whether a spreadsheet could take a text for a formula, also behind what can't be seen or in wide signs.

    Examples
    --------
    >>> [could_run(each) for each in ("=1", " \u200b＝1", "\tx", "'=1", "a=1", "")]
    [True, True, True, False, False, False]
    """
    if text[:1] in {"\t", "\r", "\n"}:
        return True
    for character in text:
        if unicodedata.category(character)[0] not in "ZCM":
            return bool(_STARTS & set(unicodedata.normalize("NFKC", character)[:1]))
    return False


def cell_text(text: str) -> str:
    r"""Return a text as both files hold it: plain line ends, no characters that a sheet can't hold, not too long."""
    return _NOT_IN_A_SHEET.sub("", _LINE_ENDS.sub("\n", text))[:MAX_CELL]


def guarded(text: str) -> str:
    """Return a text with an apostrophe in front where it could run.

    One that has apostrophes before a formula already gets one more: so taking one away always gives the text back.

    Examples
    --------
    >>> guarded("=1+1"), guarded("'=1"), guarded("Anneke"), guarded("'s-Gravenhage")
    ("'=1+1", "''=1", 'Anneke', "'s-Gravenhage")
    """
    return f"'{text}" if could_run(text.lstrip("'")) else text


def unguarded(text: str) -> str:
    """Return what `guarded` was given."""
    return text[1:] if text.startswith("'") and could_run(text.lstrip("'")) else text


def csv_file(sheet: Sheet, language: Language) -> bytes:
    """Return one table as CSV that Excel opens right in this language: UTF-8 with a mark, Dutch with semicolons.

    Texts are always in quotes, numbers never; Dutch numbers have a comma.
    """
    mark = ";" if language == "nl" else ","
    lines = [mark.join(_csv_cell(each, language) for each in row) for row in (sheet.heads, *sheet.rows)]
    return "".join(f"{line}\r\n" for line in lines).encode("utf-8-sig")


def _csv_cell(value: Cell, language: Language) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return '"{}"'.format(guarded(cell_text(value)).replace('"', '""'))
    if isinstance(value, date):
        return f"{value:%Y-%m-%d}"
    number = str(value)
    return number.replace(".", ",") if language == "nl" else number


def xlsx_file(sheets: Sequence[Sheet]) -> bytes:
    """Return tables as an Excel workbook, one sheet each; every text is a cell of text, never a formula."""
    book = Workbook(write_only=True)
    for sheet in sheets:
        page = book.create_sheet(sheet.name)
        page.freeze_panes = "A2"
        for column, width in enumerate(_widths(sheet)):
            page.column_dimensions[chr(ord("A") + column)].width = width
        heads = [_xlsx_cell(page, each) for each in sheet.heads]
        for head in heads:
            head.font = Font(bold=True)
        page.append(heads)
        for row in sheet.rows:
            page.append([_xlsx_cell(page, each) for each in row])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _xlsx_cell(page: object, value: Cell) -> WriteOnlyCell:
    if not isinstance(value, str):
        return WriteOnlyCell(page, value=value)
    cell = WriteOnlyCell(page, value=cell_text(value))
    cell.data_type = "s"  # openpyxl takes what begins with "=" for a formula, and "#N/A" for an error
    cell.quotePrefix = could_run(value)
    return cell


def _widths(sheet: Sheet) -> list[int]:
    """Return the widths of columns in characters, so that most texts can be read at once."""
    columns = zip(sheet.heads, *sheet.rows, strict=True)
    return [min(50, max(len(str(each or "")) for each in column) + 2) for column in columns]
