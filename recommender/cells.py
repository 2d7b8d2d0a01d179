"""One cell of somebody's file as one value of a `Junior` or `Senior`. What isn't understood is refused, never guessed."""

import json
import re
import tomllib
import unicodedata
from collections.abc import Callable
from datetime import date, datetime, time
from decimal import Decimal
from functools import cache
from pathlib import Path

from recommender.domain import DAYS, Remote
from recommender.errors import InputRefused
from recommender.rows import Problem, printable
from recommender.text import clean_text, without_invisible

MAX_LINE = 200
"""Characters of a name, department or id. The longest official names have some 150."""
MAX_EMAIL = 254
"""RFC 5321, section 4.5.3.1.3: a path of 256 with its brackets."""
SHOWN_CHARACTERS = 40
RANGES = {"rank": (1, 10), "level": (1, 8), "wish_to_teach": (1, 5), "capacity": (0, 10)}
LONG_TEXTS = ("text", "wants", "offers")

SHEET_ERRORS = frozenset(
    "#N/A #REF! #VALUE! #NAME? #DIV/0! #NULL! #NUM! #SPILL! #N/B #VERW! #WAARDE! #NAAM? #DEEL/0! #LEEG! #GETAL!".split()
)
_FORMULA_SIGNS = "=+\\-@\uff1d\uff0b\uff0d\uff20"
_FORMULA = re.compile(f"[\\s\ufeff]*[{_FORMULA_SIGNS}\t\r]")
_FORMULA_TEXT = re.compile("[=@\uff1d\uff20]|[+\\-\uff0b\uff0d][^\\s\\-]")
"""A bullet (`- Excel`) is no formula, though a spreadsheet may think so."""
_EMAIL = re.compile(r"[^@\s,;<>()]+@[^@\s,;<>()]+\.[^@\s.,;<>()]{2,}")
_WHOLE_NUMBER = re.compile(r"([+-]?\d{1,9})(?:[.,]0{1,9})?")
_LIST_MARK = re.compile(r"[,;/|+&\n]")

Readers = dict[str, Callable[[str, object], object]]


class CellRefused(Exception):
    """A cell that can't be used as it is. Becomes a `RowNote`, never reaches a person as an error."""

    def __init__(self, key: str, **values: object) -> None:
        self.problem = Problem(key, values)
        super().__init__(key)


def shown(value: object, characters: int = SHOWN_CHARACTERS) -> str:
    """Return a cell as one short printable line."""
    line = " ".join(without_invisible(as_cell(value)[: 4 * characters]).split())
    return line if len(line) <= characters else f"{line[: characters - 1]}…"


def as_cell(value: object) -> str:
    """Return any value as the text of a cell."""
    if value is None:
        return ""
    if isinstance(value, list | dict):
        try:
            return printable(json.dumps(value, ensure_ascii=False, default=str))
        except (ValueError, RecursionError):  # thousands of brackets in one another
            return "[…]"
    return printable(value)


def looks_like_formula(text: str) -> bool:
    """Tell whether a spreadsheet could run `text`, also in full-width signs or after a space."""
    return _FORMULA.match(text) is not None


def simplified(words: str) -> str:
    """Return `words` without case, accents, spaces and punctuation.

    Examples
    --------
    >>> simplified("E-mail_Adrés ")
    'emailadres'
    """
    decomposed = unicodedata.normalize("NFKD", words).casefold()
    return "".join(character for character in decomposed if character.isalnum())


@cache
def import_words() -> dict[str, dict[str, dict[str, list[str]]]]:
    """Return ``import_words.toml``."""
    with Path(__file__).with_name("import_words.toml").open("rb") as file:
        return tomllib.load(file)


@cache
def _meanings(values: str) -> dict[str, str]:
    return {simplified(word): meaning for meaning, words in import_words()["values"][values].items() for word in words}


def read_cell(field: str, value: object) -> tuple[object, tuple[str, ...]]:
    """Return the value of `field`, and the keys (under ``changed``) of what was changed to get it.

    An empty cell is None: the default of the field holds.

    Raises
    ------
    CellRefused
        If the value isn't one that the field can have.
    """
    if value is None or value != value:  # NaN, by which pandas says that there is no value
        return None, ()
    if isinstance(value, list):
        texts = [_as_text(item) for item in value]
        return (LIST_READERS[field](texts) if texts else None) if field in LIST_READERS else _no_list(field), ()
    raw = _as_text(value)
    if raw.strip().upper() in SHEET_ERRORS:
        raise CellRefused("refusal.import_sheet_error")
    text, changed = _cleaned(field, raw)
    if not text:
        return None, ()
    if field in LIST_READERS:
        return LIST_READERS[field](_LIST_MARK.split(text)), ()
    if field in READERS:
        return READERS[field](field, text), ()
    return text, changed


def _no_list(field: str) -> object:
    raise CellRefused("refusal.import_one_value")


def _as_text(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, int | float | Decimal):  # also True and False, which read as yes and no
        return str(value)
    if isinstance(value, date | datetime | time):
        return value.isoformat()
    raise CellRefused("refusal.import_one_value")


def _cleaned(field: str, raw: str) -> tuple[str, tuple[str, ...]]:
    changed = []
    try:
        text = clean_text(raw)
    except InputRefused as error:
        raise CellRefused(f"error.{error.key}", **error.values) from error
    if without_invisible(raw) != raw.replace("\r\n", "\n").replace("\r", "\n"):
        changed.append("import_hidden")
    if raw != raw.strip():
        changed.append("import_trimmed")
    if text.startswith("'") and looks_like_formula(text[1:]):
        text = text[1:].strip()
        changed.append("import_quote")
    if field not in LONG_TEXTS:
        text, changed = _one_line(field, text, changed)
    if _FORMULA_TEXT.match(text):
        changed.append("import_formula_text")
    return text, tuple(changed)


def _one_line(field: str, text: str, changed: list[str]) -> tuple[str, list[str]]:
    line = " ".join(text.split())
    if len(line) > MAX_LINE and field not in LIST_READERS:
        raise CellRefused("error.text_too_long", length=len(line), limit=MAX_LINE)
    if line != text and field not in LIST_READERS:
        return line, [*changed, "import_one_line"]
    return text, changed


def _whole_number(field: str, text: str) -> int:
    low, high = RANGES[field]
    number = _WHOLE_NUMBER.fullmatch(text)
    if number is None or not text.isascii() or not low <= int(number[1]) <= high:
        raise CellRefused("refusal.import_number", low=low, high=high)
    return int(number[1])


def _yes_no(field: str, text: str) -> bool:
    meaning = _meanings("yes_no").get(simplified(text))
    if meaning is None:
        raise CellRefused("refusal.import_yes_no")
    return meaning == "yes"


def _remote(field: str, text: str) -> Remote:
    meaning = _meanings("remote").get(simplified(text))
    if meaning is None:
        raise CellRefused("refusal.import_remote")
    return Remote(meaning)


def _email(field: str, text: str) -> str:
    if len(text) > MAX_EMAIL or not _EMAIL.fullmatch(text):
        raise CellRefused("refusal.import_email")
    return text


def _languages(items: list[str]) -> tuple[str, ...]:
    found: list[str] = []
    for item in filter(str.strip, items):
        code = _language(item)
        words = item.split()
        if code:
            found.append(code)
            continue
        # "nl fr" are two codes and "Nederlands en Frans" two names, but in "nl en fr" the middle may be English or "and".
        names = [word for word in words if word.casefold() not in ("en", "and")]
        if len(names) < len(words) and any(len(word) == 2 for word in names) and words[-1].casefold() != "en":
            raise CellRefused("refusal.import_languages_unclear")
        if len(names) == len(words) - 1 and words[-1].casefold() == "en" and all(len(word) == 2 for word in names):
            names = words
        for word in names:
            code = _language(word)
            if code is None:
                raise CellRefused("refusal.import_language", word=shown(word))
            found.append(code)
    return tuple(dict.fromkeys(found))


def _language(words: str) -> str | None:
    """Return the code of one language, also with a country ("nl-BE")."""
    meanings = _meanings("languages")
    code, mark, country = words.strip().replace("_", "-").partition("-")
    if mark and len(code) == 2 and len(country) == 2:
        words = code
    return meanings.get(simplified(words))


_TO = re.compile(r"\s+(?:t\W?m|tot en met|to|through|until)\s+", re.IGNORECASE)


def _days(items: list[str]) -> tuple[str, ...]:
    ...


LIST_READERS: dict[str, Callable[[list[str]], tuple[str, ...]]] = {"languages": _languages, "days": _days}
READERS: Readers = {
    **dict.fromkeys(RANGES, _whole_number),
    "active": _yes_no,
    "consent": _yes_no,
    "remote": _remote,
    "email": _email,
}
