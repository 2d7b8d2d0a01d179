"""The one catalogue of texts for people: ``wording.toml``, Dutch and English side by side.

The code says junior and senior; only this catalogue says mentor and mentee.
"""

import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, Literal, cast, get_args

Language = Literal["nl", "en"]
LANGUAGES: tuple[Language, ...] = get_args(Language)


@cache
def catalogue() -> dict[str, dict[Language, str]]:
    """Return every text by dotted key, ``{"ask.title": {"nl": ..., "en": ...}}``."""
    with Path(__file__).with_name("wording.toml").open("rb") as file:
        return dict(_flat(tomllib.load(file), ""))


def _flat(table: dict[str, Any], prefix: str) -> Iterator[tuple[str, dict[Language, str]]]:
    if set(table) == set(LANGUAGES):
        yield prefix, cast(dict[Language, str], table)
        return
    for name, inner in table.items():
        yield from _flat(inner, f"{prefix}.{name}" if prefix else name)


def say(key: str, language: Language, **values: object) -> str:
    """Return the text for `key` in `language` with `values` filled in.

    Raises
    ------
    KeyError
        If the key is not in the catalogue, or a value that the text names is missing.

    Examples
    --------
    >>> say("app.name", "nl")
    'Telemachos'
    """
    return catalogue()[key][language].format(**values)
