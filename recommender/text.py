"""People's words: made safe at the edge, hashed, and cut into statements. Standard library only."""

import hashlib
import re
import unicodedata
from collections.abc import Iterator

from recommender.errors import InputRefused

MAX_CHARACTERS = 20_000
"""A long CV has some 12,000 characters; what is longer is not a profile, and costs time in every later step."""
MAX_STATEMENTS = 64
"""Each statement is one vector to store and compare; a profile of 64 ideas is already a very full one."""
MAX_WORDS = 40
"""About 60 tokens: one idea for a sentence encoder, and short enough to show as evidence."""
SHORT_WORDS = 3
"""A fragment of up to three words ("Power BI.") says too little alone, unless it is an item of a list."""
ITEM_WORDS = 6
"""A line of up to six words without a full stop, beside another such line, is an item of a list."""

_LINE_ENDS = re.compile("\r\n|[\r\x85\u2028\u2029]")
_INVISIBLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # C0 and C1 controls, but not tab and newline
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # bidi controls: they make a text read other than it is
    "\u00ad\u180e\u200b\u200c\u2060-\u2064\u206a-\u206f\ufeff\ufff9-\ufffb"  # zero width
    "\ufffe\uffff\U000e0000-\U000e007f]"  # not characters; tags, which hide whole sentences
)
_EMOJI = "[\u2190-\u2bff\ufe0f\U0001f000-\U0001faff]"
_LOOSE_JOINER = re.compile(f"(?<!{_EMOJI})\u200d|\u200d(?!{_EMOJI})")
"""The zero-width joiner holds 👩‍💻 together; anywhere else it only hides."""
_SURROGATE = re.compile("[\ud800-\udfff]")


def clean_text(text: str, limit: int = MAX_CHARACTERS) -> str:
    r"""Return `text` as every later step may trust it.

    Line ends become ``\n``; controls, bidi controls and zero-width characters go; the text is NFC and has no white
    space around it. Emoji stay. Cleaning twice changes nothing more.

    Raises
    ------
    InputRefused
        If `text` is longer than `limit` or holds half a character (a lone surrogate), which no database can store.

    Examples
    --------
    >>> clean_text(" Zoe\u0308\u202e\x00\r\nleert 👩‍💻 ")
    'Zoë\nleert 👩‍💻'
    """
    if len(text) > limit:
        raise InputRefused("text_too_long", length=len(text), limit=limit)
    if text.isascii() and text.isprintable():
        return text.strip()
    if _SURROGATE.search(text):
        raise InputRefused("text_surrogate")
    cleaned = unicodedata.normalize("NFC", without_invisible(text)).strip()
    if len(cleaned) > limit:  # some old characters take more room in NFC
        raise InputRefused("text_too_long", length=len(cleaned), limit=limit)
    return cleaned


def without_invisible(text: str) -> str:
    """Return `text` with plain line ends and without characters that a reader can't see."""
    return _LOOSE_JOINER.sub("", _INVISIBLE.sub("", _LINE_ENDS.sub("\n", text)))


def content_hash(text: str) -> str:
    """Return the SHA-256 of `text` in hexadecimal: an unchanged text needs no new embedding.

    Examples
    --------
    >>> content_hash("Excel")[:12]
    '48d53635551c'
    """
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


_WORD = re.compile(r"\S{1,40}")
"""An endless run without spaces counts as several words, so that it is cut too."""
_BULLET = re.compile(r"[ \t]*(?:[-*+•·▪●◦‣\u2013—✓✔]|\(?\d{1,2}[.)]|\(?[a-z]\))[ \t]+")
_INLINE_BULLET = re.compile(r"\s[•▪●◦‣]\s")
_PARENTHESES = re.compile(r"\([^()\n]{1,200}\)")
_SEMICOLON = re.compile(r";(?!['-]?[()DPp](?:\W|$))")
"""Not in a smiley, such as ;-)"""
_SENTENCE_END = re.compile("(?<![.!?…])[.!?…]+[)\"'\u2019\u201d»]*\\s+")
"""The look-behind keeps a line of dots linear: without it, 20,000 dots took 4.5 s."""
_ABBREVIATION = re.compile(
    r"(?:\b(?:\w\.)+\w|\b(?:bijv|bv|evt|incl|excl|nr|dhr|mevr|mw|dr|drs|ir|ing|mr|ms|mrs|prof|vs|max|min|ca"
    r"|resp|ong|blz|afd|tel|jl|jr|sr|approx|dept))$",
    re.IGNORECASE,
)
_AND_SO_ON = re.compile(r"\b(?:enz|etc|e\.d)$", re.IGNORECASE)
_CLAUSE_END = tuple(",:\u2013—")
_BUDGETS = (8, 12, 16, 24, 32, MAX_WORDS)

_Span = tuple[int, int]


def statements(text: str) -> list[str]:
    """Cut a profile into statements: its sentences, lines, bullets and the items of ``;`` lists.

    A fragment of up to `SHORT_WORDS` words is joined to its neighbour unless it is an item of a list. A statement has
    at most `MAX_WORDS` words. With more than `MAX_STATEMENTS`, neighbours are joined too; only what then still doesn't
    fit is left out, from the end. Each statement is a passage of the text, with its white space made single.

    Examples
    --------
    >>> statements("Power BI. Dashboards bouwen, van begin tot eind. Ook op afstand, met plezier.")
    ['Power BI. Dashboards bouwen, van begin tot eind.', 'Ook op afstand, met plezier.']
    >>> statements("SQL; Python; Power Query")
    ['SQL', 'Python', 'Power Query']
    """
    spans = [span for group in _groups(text) for span in _joined_short(text, group)]
    short_enough = [piece for span in spans or [(0, len(text))] for piece in _cut(text, span)]
    return [" ".join(text[start:end].split()) for start, end in _at_most(text, short_enough)]


def _groups(text: str) -> Iterator[list[_Span]]:
    """Yield the fragments that may be joined to each other: those of one list item, or of the prose between lists."""
    prose: list[_Span] = []
    offset = 0
    lines = text.split("\n")
    bare = [False, *(_is_bare(line) for line in lines), False]
    for number, line in enumerate(lines, start=1):
        bullet = _BULLET.match(line)
        start = bullet.end() if bullet else 0
        items = _split(line, start, _INLINE_BULLET)
        is_list = bullet is not None or len(items) > 1 or (bare[number] and (bare[number - 1] or bare[number + 1]))
        if len(items) == 1:
            items = _split(line, start, _SEMICOLON)
            is_list = is_list or len(items) > 2 or (len(items) == 2 and _is_bare(line))
        for item in items:
            fragments = [(offset + first, offset + last) for first, last in _sentences(line, *item)]
            if is_list:
                yield prose
                yield fragments
                prose = []
            else:
                prose += fragments
        offset += len(line) + 1
    yield prose


def _is_bare(line: str) -> bool:
    """Tell whether a line looks like an item of a list: a few words without the full stop of a sentence."""
    stripped = line.strip()
    return 0 < len(_words(stripped, (0, len(stripped)))) <= ITEM_WORDS and stripped[-1] not in ".!?…,:"


def _split(line: str, start: int, mark: re.Pattern[str]) -> list[_Span]:
    """Return the spans of `line` from `start` on, between the marks that are not inside parentheses."""
    inside = [found.span() for found in _PARENTHESES.finditer(line)]
    spans = []
    for found in mark.finditer(line, start):
        if not any(first < found.start() < last for first, last in inside):
            spans.append((start, found.start()))
            start = found.end()
    return [*spans, (start, len(line))]


def _sentences(line: str, start: int, end: int) -> list[_Span]:
    spans = []
    for mark in _SENTENCE_END.finditer(line, start, end):
        before = line[max(start, mark.start() - 12) : mark.start()]
        goes_on = _ABBREVIATION.search(before) is not None
        if _AND_SO_ON.search(before):
            goes_on = not line[mark.end() : mark.end() + 1].isupper()
        if line[mark.start()] != "." or not goes_on:
            spans.append((start, mark.end()))
            start = mark.end()
    return [*spans, (start, end)]


def _words(text: str, span: _Span) -> list[_Span]:
    return [word.span() for word in _WORD.finditer(text, *span)]


def _joined_short(text: str, spans: list[_Span]) -> list[_Span]:
    """Join each short fragment to the next, a short last one to the one before; drop those without letter or digit."""
    joined: list[_Span] = []
    for span in spans:
        if not any(character.isalnum() for character in text[span[0] : span[1]]):
            continue
        if joined and len(_words(text, joined[-1])) <= SHORT_WORDS and _fits(text, joined[-1], span):
            joined[-1] = (joined[-1][0], span[1])
        else:
            joined.append(span)
    if len(joined) > 1 and len(_words(text, joined[-1])) <= SHORT_WORDS and _fits(text, joined[-2], joined[-1]):
        last = joined.pop()
        joined[-1] = (joined[-1][0], last[1])
    return joined


def _fits(text: str, first: _Span, last: _Span, budget: int = MAX_WORDS) -> bool:
    return len(_words(text, (first[0], last[1]))) <= budget


def _cut(text: str, span: _Span) -> Iterator[_Span]:
    """Cut a long fragment into about equal pieces of at most `MAX_WORDS` words, after a comma where there is one."""
    words = _words(text, span)
    while len(words) > MAX_WORDS:
        target = round(len(words) / -(-len(words) // MAX_WORDS))
        commas = [i for i in range(target // 2, MAX_WORDS + 1) if text[words[i - 1][1] - 1] in _CLAUSE_END]
        cut = min(commas, key=lambda i: abs(i - target), default=target)
        yield words[0][0], words[cut - 1][1]
        words = words[cut:]
    if words:
        yield words[0][0], words[-1][1]


def _at_most(text: str, spans: list[_Span]) -> list[_Span]:
    """Join neighbours, as few as needed, until there are `MAX_STATEMENTS`; leave out what then still doesn't fit."""
    packed = spans
    for budget in _BUDGETS:
        if len(packed) <= MAX_STATEMENTS:
            break
        packed = spans[:1]
        for span in spans[1:]:
            if _fits(text, packed[-1], span, budget):
                packed[-1] = (packed[-1][0], span[1])
            else:
                packed.append(span)
    return packed[:MAX_STATEMENTS]
