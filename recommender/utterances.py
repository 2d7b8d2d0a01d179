"""The utterances of ``data/conversation``: sentences with their act, and slots marked in place."""

import json
import random
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from recommender.dialogue.acts import Act, Context, Name
from recommender.settings import ROOT

FOLDER = ROOT / "data" / "conversation"
TEST = FOLDER / "test.jsonl"
STYLES = FOLDER / "styles.jsonl"
FILLERS = FOLDER / "fillers.json"

SWAPPED = {Name.TOPIC, Name.PLACE, Name.DAY, Name.LANGUAGE, Name.DEPARTMENT, Name.PERSON, Name.NUMBER}
"""Slots whose words can change places with those of the same slot in another sentence."""
CLOSED = set(Name) - SWAPPED - {Name.PURPOSE}
"""Slots of which only counts that they are there, not what words they hold."""
JOINTS = (". ", ", ", " ", " - ", "! ", " en ", " and ", "; ", "\n")
LONGEST = 120
"""Characters of a sentence that another is still put beside."""

_MARK = re.compile(r"\{(-?)([a-z_]+):([^{}]*)\}")
_WORD = re.compile(r"\w+(?:['’.@&/+-]\w+)*", re.UNICODE)


@dataclass(frozen=True)
class Span:
    """A slot in a text, from `start` to `end`."""

    name: Name
    start: int
    end: int
    wanted: bool


@dataclass(frozen=True)
class Utterance:
    """Something somebody says, with what it means.

    `who` is the made-up person who says it, or "" where there is none; `alone` is False if another sentence was put
    behind it.
    """

    text: str
    lang: str
    context: Context
    act: Act
    spans: tuple[Span, ...]
    who: str = ""
    alone: bool = True


def parse(marked: str) -> tuple[str, tuple[Span, ...]]:
    """Return the text without marks, and the slots in it.

    Examples
    --------
    >>> parse("niet van {-department:Finance}")
    ('niet van Finance', (Span(name=<Name.DEPARTMENT: 'department'>, start=9, end=16, wanted=False),))
    """
    parts, spans, length, last = [], [], 0, 0
    for found in _MARK.finditer(marked):
        before, words = marked[last : found.start()], found.group(3)
        start = length + len(before)
        parts += [before, words]
        length, last = start + len(words), found.end()
        spans.append(Span(Name(found.group(2)), start, length, not found.group(1)))
    return "".join([*parts, marked[last:]]), tuple(spans)


def read_utterances(*paths: Path) -> list[Utterance]:
    """Return the utterances of files; without any, all that the reader of turns is fitted on."""
    found = []
    for row in (row for path in paths or sorted(FOLDER.glob("training_*.jsonl")) for row in _rows(path)):
        text, spans = parse(row["text"])
        found.append(Utterance(text, row["lang"], Context(row["context"]), Act(row["act"]), spans, row.get("who", "")))
    return found


def read_styles(path: Path = STYLES) -> list[tuple[str, str]]:
    """Return sentences of profiles, each with the style of explaining that it tells, or "none"."""
    return [(row["text"], row["style"]) for row in _rows(path)]


def read_fillers(path: Path = FILLERS) -> dict[Name, tuple[str, ...]]:
    """Return names and phrases to put in slots of `SWAPPED`, beside those in the utterances themselves."""
    return {Name(name): tuple(each) for name, each in json.loads(path.read_text(encoding="utf-8")).items()}


def pattern(utterance: Utterance) -> str:
    """Return the words around the slots, and the names of these: what utterances of one pattern have in common."""
    parts, last = [], 0
    for span in utterance.spans:
        parts += [utterance.text[last : span.start], f"<{span.name}>"]
        last = span.end
    return " ".join(re.findall(r"[\w<>]+", ("".join(parts) + utterance.text[last:]).lower()))


def varied(
    utterances: Sequence[Utterance], fillers: Mapping[Name, Sequence[str]], copies: int, seed: int
) -> list[tuple[Utterance, int]]:
    """Return utterances with other words in their slots, with another beside them, and with errors of typing.

    Parameters
    ----------
    utterances : sequence of Utterance
        To be varied. Those with slots in every copy, the others in some.
    fillers : mapping of Name to sequence of str
        More words for slots.
    copies : int
        Rounds over the utterances.
    seed : int
        The same seed gives the same variants.

    Returns
    -------
    list of (Utterance, int)
        Each with the place of the utterance it was made from.
    """
    rng = random.Random(seed)  # noqa: S311
    pool: dict[Name, list[str]] = {name: list(fillers.get(name, ())) for name in SWAPPED}
    for utterance in utterances:
        for span in utterance.spans:
            if span.name in SWAPPED:
                pool[span.name].append(utterance.text[span.start : span.end])
    made = []
    for _ in range(copies):
        for place, utterance in enumerate(utterances):
            if not utterance.spans and rng.random() < 0.6:
                continue
            variant = _refilled(utterance, pool, rng)
            other = rng.choice(utterances)
            if rng.random() < 0.2 and max(len(variant.text), len(other.text)) < LONGEST:
                variant = _joined(variant, _refilled(other, pool, rng), rng)
            variant = _mistyped(variant, rng)
            if variant.text.strip():
                made.append((variant, place))
    return made


def _refilled(utterance: Utterance, pool: Mapping[Name, Sequence[str]], rng: random.Random) -> Utterance:
    parts, spans, length, last = [], [], 0, 0
    for span in utterance.spans:
        before, words = utterance.text[last : span.start], utterance.text[span.start : span.end]
        if span.name in SWAPPED and rng.random() < 0.6:
            words = rng.choice(pool[span.name])
        parts += [before, words]
        start = length + len(before)
        length, last = start + len(words), span.end
        spans.append(replace(span, start=start, end=length))
    return replace(utterance, text="".join([*parts, utterance.text[last:]]), spans=tuple(spans))


def _joined(one: Utterance, other: Utterance, rng: random.Random) -> Utterance:
    joint = rng.choice((" ", "  ", "\n") if one.text[-1:] in ".?!" else JOINTS)
    added = other.text[:1].lower() + other.text[1:] if rng.random() < 0.4 else other.text
    start = len(one.text) + len(joint)
    moved = tuple(replace(each, start=each.start + start, end=each.end + start) for each in other.spans)
    return replace(one, text=one.text + joint + added, spans=one.spans + moved, alone=False)


def _mistyped(utterance: Utterance, rng: random.Random) -> Utterance:
    """Return the utterance as people type: without capitals, full stop or commas, or with wrong letters."""
    drawn = rng.random()
    if drawn < 0.25:
        utterance = _edited(utterance, lambda letter: letter.lower() if len(letter.lower()) == 1 else letter)
    elif drawn < 0.3:
        utterance = replace(utterance, text=utterance.text[:1].upper() + utterance.text[1:])
    if rng.random() < 0.15:
        utterance = _edited(utterance, lambda letter: _slip(letter, rng) if rng.random() < 0.04 else letter)
    if (
        rng.random() < 0.2
        and utterance.text[-1:] in ".?!"
        and all(each.end < len(utterance.text) for each in utterance.spans)
    ):
        utterance = replace(utterance, text=utterance.text[:-1])
    if rng.random() < 0.1:
        utterance = _edited(utterance, lambda letter: "" if letter in ",'." else letter)
    return utterance


def _slip(letter: str, rng: random.Random) -> str:
    return rng.choice(("", "", letter * 2, rng.choice("aeiounrst"))) if letter.isalpha() else letter


def _edited(utterance: Utterance, edit: Callable[[str], str]) -> Utterance:
    """Return the utterance with each letter edited; slots keep their places in the new text."""
    letters = [edit(each) for each in utterance.text]
    places = [0]
    for each in letters:
        places.append(places[-1] + len(each))
    moved = (replace(each, start=places[each.start], end=places[each.end]) for each in utterance.spans)
    return replace(utterance, text="".join(letters), spans=tuple(each for each in moved if each.end > each.start))


def words_of(text: str) -> list[tuple[int, int]]:
    """Return where the words of a text start and end.

    Examples
    --------
    >>> words_of("foto's, snel")
    [(0, 6), (8, 12)]
    """
    return [found.span() for found in _WORD.finditer(text)]


def _rows(path: Path) -> Iterator[dict[str, str]]:
    for line in path.read_text(encoding="utf-8").splitlines():
        yield json.loads(line)
