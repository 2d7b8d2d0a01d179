"""One cell of somebody's file as one value of a person. What isn't understood is refused, never guessed."""

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
from recommender.importing.rows import Problem, printable
from recommender.text import clean_text, without_invisible

MAX_LINE = 200
"""Characters of a name, department or id. The longest official names have some 150."""
SHOWN_CHARACTERS = 40
RANGES = {"rank": (1, 10), "level": (1, 8), "wish_to_teach": (1, 5), "capacity": (0, 10)}
LONG_TEXTS = ("text", "wants", "offers")

SHEET_ERRORS = {"#N/A", "#REF!", "#VALUE!", "#NAME?", "#DIV/0!", "#NULL!", "#NUM!"} | {
    "#N/B",
    "#VERW!",
    "#WAARDE!",
    "#NAAM?",
    "#DEEL/0!",
    "#LEEG!",
    "#GETAL!",
}
"""What Excel shows for a formula that went wrong, in English and in Dutch."""
_FORMULA_SIGNS = "=+\\-@\uff1d\uff0b\uff0d\uff20"
_FORMULA = re.compile(f"[\\s\ufeff]*[{_FORMULA_SIGNS}\t\r]")
_FORMULA_TEXT = re.compile("[=@\uff1d\uff20]")
"""A bullet (`- Excel`) or a phone number (`+31 6`) is no formula, though a spreadsheet may think so."""
_EMAIL = re.compile(r"[^@\s,;<>()]+@[^@\s,;<>()]+\.[^@\s.,;<>()]{2,}")
_WHOLE_NUMBER = re.compile(r"([+-]?\d{1,9})(?:[.,]0{1,9})?")
_UP_TO = re.compile(r"\bt\s?[/.]?\s?m\b|\btot en met\b|\bthrough\b|\bto\b", re.IGNORECASE)
_BETWEEN_DAYS = re.compile(r"[,;/|+&\s]+")
_HYPHEN = re.compile("[-\u2013]")
_LIST_MARK = re.compile(r"[,;/|+&\n]")


class CellRefused(Exception):  # a refusal, as in errors.py
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
    """Return ``words.toml``."""
    with Path(__file__).with_name("words.toml").open("rb") as file:
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
    if isinstance(value, list) and field in LIST_READERS:
        return LIST_READERS[field]([_as_text(item) for item in value]) or None, ()
    if value is None or value != value:  # NaN, by which pandas says that there is no value
        return None, ()
    raw = _as_text(value)
    if raw.strip().upper() in SHEET_ERRORS:
        raise CellRefused("refusal.import_sheet_error")
    text, changed = _cleaned(field, raw)
    if not text:
        return None, ()
    if field in LIST_READERS:
        return LIST_READERS[field]([text]) or None, changed
    return (READERS[field](field, text) if field in READERS else text), changed


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
    if field not in LONG_TEXTS and field not in LIST_READERS:
        line = " ".join(text.split())
        if len(line) > MAX_LINE:
            raise CellRefused("error.text_too_long", length=len(line), limit=MAX_LINE)
        if line != text:
            changed.append("import_one_line")
        text = line
    if _FORMULA_TEXT.match(text):
        raise CellRefused("refusal.import_formula_text")
    return text, tuple(changed)


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
    if not _EMAIL.fullmatch(text):
        raise CellRefused("refusal.import_email")
    return text


def _languages(texts: list[str]) -> tuple[str, ...]:
    found: list[str] = []
    for item in (item for text in texts for item in _LIST_MARK.split(text) if item.strip()):
        words = [item] if _language(item) else item.split()
        middle = {word.casefold() for word in words[1:-1]}
        # Between two names "en" is Dutch for "and"; in "nl en fr" it may as well be English.
        if "en" in middle and any(len(word) == 2 for word in (words[0], words[-1])):
            raise CellRefused("refusal.import_languages_unclear")
        if middle & {"en", "and"}:
            words = [words[0], *(word for word in words[1:-1] if word.casefold() not in ("en", "and")), words[-1]]
        for word in words:
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


def _days(texts: list[str]) -> tuple[str, ...]:
    found: set[str] = set()
    for text in texts:
        if _meanings("days").get(simplified(text)) == "all":
            return DAYS
        marked = _UP_TO.sub(" ~ ", text)
        words = [word for word in _BETWEEN_DAYS.split(marked) if word and word.casefold() not in ("en", "and")]
        for position, word in enumerate(words):
            if word != "~":
                found |= _day_or_list(word)
            elif 0 < position < len(words) - 1:
                found |= _from_to(_day(words[position - 1]), _day(words[position + 1]))
            else:
                raise CellRefused("refusal.import_days_unclear")
    return tuple(day for day in DAYS if day in found)


def _day_or_list(word: str) -> set[str]:
    """Read "ma" or "ma-wo-vr". "ma-wo" may mean two days or three, so only neighbours may stand so."""
    days = [_day(part) for part in _HYPHEN.split(word)]
    if len(days) == 2 and DAYS.index(days[1]) - DAYS.index(days[0]) != 1:
        raise CellRefused("refusal.import_days_unclear")
    return set(days)


def _from_to(first: str, last: str) -> set[str]:
    if DAYS.index(first) >= DAYS.index(last):
        raise CellRefused("refusal.import_days_unclear")
    return set(DAYS[DAYS.index(first) : DAYS.index(last) + 1])


def _day(word: str) -> str:
    day = _meanings("days").get(simplified(word))
    if day not in DAYS:
        raise CellRefused("refusal.import_day", word=shown(word))
    return day


LIST_READERS: dict[str, Callable[[list[str]], tuple[str, ...]]] = {"languages": _languages, "days": _days}
READERS: dict[str, Callable[[str, str], object]] = {
    **dict.fromkeys(RANGES, _whole_number),
    "active": _yes_no,
    "consent": _yes_no,
    "remote": _remote,
    "email": _email,
}
