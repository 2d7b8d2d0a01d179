"""What the Model page says, as plain data: figures of a model in, rows and sentences out. No widgets, no names."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from recommender.comparison import CANDIDATE, IN_USE
from recommender.drift import LARGE, NOTICEABLE
from recommender.framework import framework
from recommender.registry import Manifest
from recommender.supply import HIDDEN_BELOW, Gap
from recommender.wording import LANGUAGES, Language, say

Figures = Mapping[str, Any]
"""What `learning.read_figures` gives: empty for a model that was never compared."""

Rows = dict[str, list[str]]
"""A table: cells by the name of their row."""

PAYS = 0.005
"""nDCG from the middle to the end of a learning curve from which on more answers help."""


@dataclass(frozen=True)
class Interval:
    """A number with its 95% interval; `ours` is the model that is looked at."""

    name: str
    value: float
    low: float
    high: float
    ours: bool


@dataclass(frozen=True)
class Point:
    """A point of a curve, with a band where there is one."""

    x: float
    y: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Bin:
    """Suggestions with about the same chance: what was foretold, what was found, and how many there are."""

    name: str
    foretold: float
    found: float
    rows: int


def fraction(value: float, language: Language, *, sign: bool = False) -> str:
    """Return a number with three decimals as the reader writes it.

    Examples
    --------
    >>> fraction(0.0123, "nl", sign=True)
    '+0,012'
    """
    text = f"{value:+.3f}" if sign else f"{value:.3f}"
    return text.replace(".", ",") if language == "nl" else text


def percent(share: float) -> str:
    """Return a share in whole percents.

    Examples
    --------
    >>> percent(0.256)
    '26%'
    """
    return f"{100 * share:.0f}%"


def span(low: float, high: float, language: Language, *, sign: bool = False) -> str:
    """Return an interval in words."""
    return say(
        "learn.interval", language, low=fraction(low, language, sign=sign), high=fraction(high, language, sign=sign)
    )


def named(key: str, fallback: str, language: Language, **values: object) -> str:
    """Say a text whose key ends in a name from a file; a name that the catalogue doesn't know keeps itself."""
    try:
        return say(key, language, **values)
    except KeyError:
        return fallback


# How good the order is


def orders(figures: Figures, language: Language) -> list[Interval]:
    """Return nDCG of this model and of every order beside it, the best first."""
    table = figures.get("table", {})
    found = [
        Interval(order_name(name, language), line["ndcg"], line["low"], line["high"], name == CANDIDATE)
        for name, line in table.items()
    ]
    return sorted(found, key=lambda each: -each.value)


def order_name(name: str, language: Language) -> str:
    """Return an order in words."""
    return named(f"learn.order_{name}", name, language)


def order_rows(figures: Figures, language: Language) -> Rows:
    """Return the same numbers as `orders`, and the paired difference from the model that was in use."""
    table = figures.get("table", {})
    return {
        order_name(name, language): [
            f"{fraction(line['ndcg'], language)} ({span(line['low'], line['high'], language)})",
            "–"
            if name == IN_USE
            else f"{fraction(line['difference'], language, sign=True)} "
            f"({span(line['difference_low'], line['difference_high'], language, sign=True)})",
        ]
        for name, line in sorted(table.items(), key=lambda each: -each[1]["ndcg"])
    }


def orders_told(figures: Figures, language: Language) -> str:
    """Say whether this model beats the one that was in use."""
    line = figures.get("table", {}).get(CANDIDATE)
    if line is None:
        return say("learn.no_difference", language)
    key = "better" if line["difference_low"] > 0 else "worse" if line["difference_high"] < 0 else "unsure"
    return say(f"learn.told_{key}", language, difference=fraction(line["difference"], language, sign=True))


def collections(manifest: Manifest, language: Language) -> list[Interval]:
    """Return nDCG of a model that was measured on collections of others, one row a collection, this model only."""
    return [
        Interval(name, values["ranker"], values["low"], values["high"], True)
        for name, values in manifest.metrics.items()
        if {"ranker", "low", "high"} <= set(values)
    ]


def collections_told(manifest: Manifest, language: Language) -> str:
    """Say on how many collections this model is at least as good as each simple method."""
    measured = [values for values in manifest.metrics.values() if "ranker" in values]
    plain = [[value for name, value in each.items() if name not in {"ranker", "low", "high"}] for each in measured]
    best = sum(each["ranker"] >= max(others, default=0) for each, others in zip(measured, plain, strict=True))
    return say("learn.told_collections", language, best=best, all=len(measured))


# The learning curve


def steps(figures: Figures) -> list[Point]:
    """Return nDCG by the number of questions that were learnt from, with the lowest and highest of the draws."""
    return [
        Point(each["slates"], each["mean"], each["low"], each["high"]) for each in figures.get("learning_curve", [])
    ]


def step_rows(figures: Figures, language: Language) -> Rows:
    """Return the same numbers as `steps`."""
    return {
        str(each["slates"]): [
            str(each["seniors"]),
            fraction(each["mean"], language),
            span(each["low"], each["high"], language),
        ]
        for each in figures.get("learning_curve", [])
    }


def steps_told(figures: Figures, language: Language) -> str:
    """Say whether more answers still help."""
    points = steps(figures)
    middle, last = points[(len(points) - 1) // 2].y, points[-1].y
    key = "learn.told_rising" if last - middle > PAYS else "learn.told_level"
    return say(key, language, middle=fraction(middle, language), last=fraction(last, language))


# Chances


def bins(figures: Figures, language: Language) -> list[Bin]:
    """Return what was foretold and found in each tenth of the chances that has suggestions."""
    return [
        Bin(
            say("learn.between", language, low=percent(each["from"]), high=percent(each["to"])),
            each["foretold"],
            each["found"],
            int(each["rows"]),
        )
        for each in figures.get("reliability", {}).get(CANDIDATE, [])
    ]


# Demand and supply


def supply_rows(gaps: Sequence[Gap], language: Language) -> list[tuple[str, str, str]]:
    """Return competence, how many asked, how many can: what may be told of it."""
    competences = {each.code: each for each in framework().competences}
    return [
        (competences[each.code].short[language], counted(each.asked, language), counted(each.can, language))
        for each in gaps
        if not each.hidden
    ]


def counted(people: int | None, language: Language) -> str:
    """Return a number of people; a small group is not counted out."""
    return say("learn.few", language, limit=HIDDEN_BELOW) if people is None else str(people)


# What changed


def moved(psi: float, language: Language) -> str:
    """Say how far a feature has moved."""
    key = "much" if psi >= LARGE else "little" if psi >= NOTICEABLE else "hardly"
    return say(f"learn.moved_{key}", language)


# May it go to work?


NUMBERS = ("slates", "seniors", "needed", "people", "difference", "difference_low", "difference_high", "plain", "ece")
COUNTS = frozenset({"slates", "seniors", "needed", "people"})


def check(each: Mapping[str, Any], language: Language) -> str:
    """Say one condition of the gate with its numbers, beginning with whether it holds."""
    told = dict.fromkeys(NUMBERS, "?")
    for name, value in each["numbers"].items():
        told[name] = f"{value:.0f}" if name in COUNTS else fraction(value, language, sign=name.startswith("difference"))
    holds = say("check.yes" if each["passed"] else "check.no", language)
    key = str(each["key"])
    spoken = [
        f"{say(f'language.{name}', language)} {fraction(value, language, sign=True)}"
        for name, value in each["numbers"].items()
        if name in LANGUAGES
    ]
    more = f" ({', '.join(spoken)})" if spoken else ""
    return f"{holds} {named(f'check.{key}', key, language, **told)}{more}"
