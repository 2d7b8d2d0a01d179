"""The texts for people: complete in both languages, short, plain, and all in use."""

import ast
import re
from pathlib import Path
from string import Formatter

import pytest

from recommender.wording import LANGUAGES, catalogue

ROOT = Path(__file__).parents[2]
CODE = [*ROOT.glob("recommender/**/*.py"), *ROOT.glob("app/**/*.py"), *ROOT.glob("scripts/*.py")]
MAX_WORDS = 15
BANNED = {"indien", "middels", "matchen", "match", "skills", "feedback", "senior", "prompt", "embedding", "algoritme"}
"""Words of forms, of the trade, or of the code. Dutch people who come to learn meet none of them."""

KEYS = sorted(catalogue())
GROUPS = {group: [key for key in KEYS if key.split(".")[0] == group] for group in {key.split(".")[0] for key in KEYS}}
by_group = pytest.mark.parametrize("group", sorted(GROUPS))
"""One test a group: one for each of thousands of texts takes longer to count than to run."""


def placeholders(text: str) -> set[str]:
    """Return the names a text fills in."""
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def sentences(text: str) -> list[str]:
    """Cut a text at the ends of its sentences; a full stop inside a name or number is none."""
    return [part for part in re.split(r"(?<=[.!?:])\s+", text) if part]


@by_group
def test_is_said_in_both_languages(group: str) -> None:
    """Both texts are there, and fill in the same names."""
    for key in GROUPS[group]:
        texts = catalogue()[key]
        assert set(texts) == set(LANGUAGES), key
        assert all(text.strip() for text in texts.values()), key
        assert len({frozenset(placeholders(text)) for text in texts.values()}) == 1, key


@by_group
def test_sentences_are_short(group: str) -> None:
    """No sentence is longer than fifteen words."""
    texts = [text for key in GROUPS[group] for text in catalogue()[key].values()]
    long = [each for text in texts for each in sentences(text) if len(each.split()) > MAX_WORDS]
    assert not long


@by_group
def test_dutch_is_plain(group: str) -> None:
    """No banned word."""
    for key in GROUPS[group]:
        words = set(re.findall(r"[a-zà-ÿ]+", re.sub(r"{.*?}", "", catalogue()[key]["nl"]).lower()))
        assert not BANNED & words, key


def _constants() -> tuple[set[str], set[str]]:
    """Return every string of the code, and the fixed beginning of every f-string."""
    whole, beginnings = set(), set()
    for path in CODE:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                whole.add(node.value)
            elif isinstance(node, ast.JoinedStr) and node.values and isinstance(node.values[0], ast.Constant):
                beginnings.add(str(node.values[0].value))
    return whole, {each for each in beginnings if re.fullmatch(r"[a-z]+\.[a-z_]*", each)}


WHOLE, BEGINNINGS = _constants()
IMPLIED = {"error.", "notice.", "refusal.", "changed.", "import.", "progress.", "rule."}
"""Groups whose members the code names without the group: ``InputRefused("empty_request")``."""


@by_group
def test_is_used(group: str) -> None:
    """No text is left over."""
    for key in GROUPS[group]:
        name = key.partition(".")[2]
        by_whole = key in WHOLE or (f"{group}." in IMPLIED and name in WHOLE)
        by_beginning = any(
            key.startswith(each) for each in BEGINNINGS if f"{group}." not in IMPLIED or each != f"{group}."
        )
        assert by_whole or by_beginning, key


def _said() -> set[tuple[str, bool]]:
    """Return what is passed to a function called `say`: the key, or its beginning with True."""
    found = set()
    for path in CODE:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not (isinstance(node, ast.Call) and node.args and ast.unparse(node.func).split(".")[-1] == "say"):
                continue
            inside = list(ast.walk(node.args[0]))
            joined = [each for each in inside if isinstance(each, ast.JoinedStr)]
            parts = {value for each in joined for value in each.values}
            found |= {(str(each.values[0].value), True) for each in joined if isinstance(each.values[0], ast.Constant)}
            found |= {(str(e.value), False) for e in inside if isinstance(e, ast.Constant) and e not in parts}
    return {(key, begins) for key, begins in found if re.match(r"[a-z]+\.", key)}


def test_keys_in_code_exist() -> None:
    """Nothing is said that is not in the catalogue."""
    for key, begins in _said():
        assert any(each.startswith(key) if begins else each == key for each in KEYS), key


def _filled_in() -> list[tuple[str, frozenset[str]]]:
    """Return every literal key with the names that its call fills in."""
    found = set()
    for path in CODE:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not (isinstance(node, ast.Call) and node.args and ast.unparse(node.func).split(".")[-1] == "say"):
                continue
            names = {each.arg for each in node.keywords}
            if isinstance(node.args[0], ast.Constant) and None not in names:
                found.add((str(node.args[0].value), frozenset(str(each) for each in names)))
    return sorted(found, key=str)


def test_calls_fill_in_every_name() -> None:
    """A text with {name} in it is never said without one."""
    for key, names in _filled_in():
        assert placeholders(catalogue()[key]["en"]) <= names, key


def _refused() -> set[str]:
    """Return the first argument of every refusal in the code."""
    found = set()
    for path in CODE:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call) and node.exc.args:
                first = node.exc.args[0]
                if isinstance(first, ast.Constant) and re.fullmatch(r"[a-z]+(_[a-z]+)+", str(first.value)):
                    found.add(str(first.value))
    return found


def test_refusals_have_a_sentence() -> None:
    """Every error that is raised by key can be said."""
    for name in _refused():
        assert any(f"{group}.{name}" in KEYS for group in ("error", "refusal", "posterror")), name
