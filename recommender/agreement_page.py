"""The agreement of one page that a pair signs: what the programme is, and lines for what the two agree on."""

from dataclasses import dataclass
from html import escape

from recommender.explain import join
from recommender.programme import TEXTS, Programme
from recommender.wording import Language, say

BEFORE_RHYTHM = 3
"""Texts that stand before the rhythm, which is told in sentences of ours."""

ROOM = 2_600
"""Characters of the coordinator's texts together that still fit on one A4 with everything else."""
ROOMY = 900
"""Up to so many, letters are of the usual size."""

LINES = ("topics", "prepares", "stop")
"""What the two write down by hand."""

_STYLE = """
:root { color-scheme: light; }
body { margin: 0 auto; padding: 1.5rem 1rem; max-width: 46rem; font: 10.5pt/1.4 Georgia, "Times New Roman", serif;
  color: #1a1a1a; background: #fff; }
body.small { font-size: 9pt; line-height: 1.3; }
h1 { margin: 0 0 .3em; font-size: 1.8em; line-height: 1.15; color: #0b3b57; }
h2, h3 { margin: .8em 0 .1em; font: bold 1em/1.3 system-ui, sans-serif; color: #0b3b57; }
p { margin: 0; white-space: pre-line; overflow-wrap: anywhere; }
.lead { padding-bottom: .6em; border-bottom: 2px solid #0b3b57; }
.empty { color: #4a5560; font-style: italic; }
.ours { margin-top: 1.1em; padding: .2em 1em 1em; border: 1px solid #767676; border-radius: 6px; }
.line { height: 1.7em; border-bottom: 1px solid #767676; }
.signed { display: grid; grid-template-columns: repeat(auto-fit, minmax(15rem, 1fr)); gap: 0 2rem; margin-top: .4em; }
@page { size: A4; margin: 12mm 15mm; }
@media print { body { padding: 0; max-width: none; } h2, h3 { break-after: avoid; } .ours { break-inside: avoid; }
  .signed { grid-template-columns: 1fr 1fr; } }
"""


@dataclass(frozen=True)
class Part:
    """One heading with what is under it; an empty text is one that nobody has written yet."""

    heading: str
    text: str


def parts(programme: Programme, language: Language) -> list[Part]:
    """Return what the programme says, in the order of the page."""
    told = [Part(say(f"agreement.{each}", language), getattr(programme, each)) for each in TEXTS]
    told.insert(BEFORE_RHYTHM, Part(say("agreement.rhythm", language), rhythm(programme, language)))
    return told


def rhythm(programme: Programme, language: Language) -> str:
    """Say how often, how long and when it is asked how it goes."""
    sentences = [
        say("agreement.lasts", language, time=_number("month", programme.months, language)),
        say("agreement.meets", language, time=_number("week", programme.every_weeks, language), n=programme.minutes),
    ]
    if programme.start:
        start = programme.start
        day = f"{start.day} {say(f'month.{start.month}', language)} {start.year}"
        sentences.insert(0, say("agreement.starts", language, day=day))
    if programme.check_in_weeks:
        weeks = join([str(each) for each in programme.check_in_weeks], language)
        sentences.append(say("agreement.asks", language, weeks=weeks))
    return " ".join(sentences)


def too_long(programme: Programme) -> int:
    """Return how many characters the texts are over what one page holds; 0 when they fit."""
    return max(0, _length(programme) - ROOM)


def document(programme: Programme, language: Language) -> str:
    """Return the whole page as one HTML file: no scripts, nothing from elsewhere, every text escaped."""

    def told(key: str) -> str:
        return escape(say(f"agreement.{key}", language))

    programme_says = "\n".join(
        f"<h2>{escape(each.heading)}</h2>\n"
        + (f"<p>{escape(each.text)}</p>" if each.text else f'<p class="empty">{told("empty")}</p>')
        for each in parts(programme, language)
    )
    ours = "\n".join(f'<h3>{told(each)}</h3>\n<div class="line"></div>\n<div class="line"></div>' for each in LINES)
    signed = "\n".join(
        f'<div><h3>{told(each)}</h3>\n<p>{told("signature")}</p>\n<div class="line"></div></div>'
        for each in ("learns", "explains")
    )
    size = "" if _length(programme) <= ROOMY else ' class="small"'
    return f"""<!doctype html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{told("title")}</title>
<style>{_STYLE}</style>
</head>
<body{size}>
<main>
<h1>{told("title")}</h1>
<p class="lead">{told("lead")}</p>
{programme_says}
<section class="ours">
<h2>{told("ours")}</h2>
{ours}
<div class="signed">
{signed}
</div>
</section>
</main>
</body>
</html>
"""


def _length(programme: Programme) -> int:
    """Return the characters of all texts; a line of its own counts as many as it takes away."""
    texts = [getattr(programme, each) for each in TEXTS]
    return sum(len(each) + A_LINE * each.count("\n") for each in texts)


A_LINE = 125
"""Characters in a line of small print on A4."""


def _number(of: str, count: int, language: Language) -> str:
    return say(f"agreement.{of}_one" if count == 1 else f"agreement.{of}s", language, count=count)
