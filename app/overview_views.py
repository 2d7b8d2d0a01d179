"""What the overview says, as plain data: figures in; sentences, bars, tables and sheets out. No widgets."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from app.model_views import counted, named, percent
from app.views import languages, number
from recommender.domain import Side
from recommender.framework import framework
from recommender.programme_counts import Breakdown, Count, View
from recommender.programme_figures import Figures, Paired, Scarce
from recommender.programme_journeys import Step
from recommender.spreadsheets import Cell, Sheet
from recommender.supply import HIDDEN_BELOW, Gap
from recommender.wording import Language, say

DRAWN = 12
"""Competences in the chart; the table has all."""
NOTHING = "–"


@dataclass(frozen=True)
class Bar:
    """One bar with the words above it; its length is 0 for a number that isn't told."""

    told: str
    length: int


@dataclass(frozen=True)
class Sides:
    """Two bars back to back with the words above them."""

    told: str
    left: int
    right: int


@dataclass(frozen=True)
class Block:
    """One thing that is told: its conclusion, bars, and the table with the same numbers. Shares are floats in [0, 1].

    A block without rows has only its conclusion, which says what is missing.
    """

    key: str
    title: str
    told: str
    first: str = ""
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str, tuple[Count | float | str, ...]], ...] = ()
    bars: tuple[Bar, ...] = ()


def group_name(view: View, language: Language) -> str:
    """Return the group that is looked at, in words."""
    if not view.group:
        return say("overview.everybody", language)
    return say(f"overview.in_{view.dimension}", language, name=view.group)


def cell(value: Count | float | str, language: Language) -> str:
    """Return one cell of a table in words."""
    if value is None:
        return say("overview.hidden", language)
    return percent(value) if isinstance(value, float) else str(value)


# At the top


def tiles(figures: Figures, language: Language) -> list[tuple[str, str]]:
    """Return the few numbers that are looked at first, each under its name."""
    waits, parts = figures.waits, figures.states.parts
    return [
        (say("overview.funnel_asked", language), cell(figures.funnel[0].count, language)),
        (say("overview.tile_working", language), cell(parts["active"], language)),
        (say("overview.tile_paused", language), cell(parts["paused"], language)),
        (say("overview.tile_invited", language), cell(parts["invited"], language)),
        (say("overview.tile_ended", language), cell(parts["ended"], language)),
        (say("overview.tile_days", language), _days(waits.median, language)),
        (say("overview.tile_ninety", language), _days(waits.ninety, language)),
        (say("overview.tile_waiting", language), cell(waits.waiting, language)),
        (say("overview.tile_longest", language), _days(waits.longest, language)),
    ]


def _days(days: float | None, language: Language) -> str:
    if days is None:
        return NOTHING
    whole = round(days)
    return say("overview.one_day" if whole == 1 else "overview.days", language, days=whole)


# How far people come


def funnel(steps: Sequence[Step], language: Language) -> Block:
    """Return the steps from a question to a pair that goes well."""
    title = say("overview.funnel", language)
    if steps[0].count == 0:
        return Block("funnel", title, say("overview.no_asked", language))
    rows = tuple(
        (
            say(f"overview.funnel_{each.name}", language),
            (_range(steps, place, language), NOTHING if each.share is None else each.share),
        )
        for place, each in enumerate(steps)
    )
    columns = (say("overview.people", language), say("overview.share", language))
    bars = [
        Bar(f"{name}: {cell(cells[0], language)}", each.count or 0)
        for (name, cells), each in zip(rows, steps, strict=True)
    ]
    first, last = steps[0].count, steps[-1].count
    told = say("overview.told_funnel_hidden", language)
    if first is not None and last is not None:
        told = say("overview.told_funnel", language, asked=first, well=last)
    return Block("funnel", title, told, say("overview.step", language), columns, rows, tuple(bars))


def _range(steps: Sequence[Step], place: int, language: Language) -> Count | str:
    """Return a count; for one that isn't told, what follows from the steps around it."""
    if steps[place].count is not None:
        return steps[place].count
    above = next((each.count for each in reversed(steps[:place]) if each.count is not None), None)
    below = next((each.count for each in steps[place:] if each.count is not None), None)
    if above is None or not below:
        return None
    return say("overview.between", language, low=below, high=above)


# Pairs


def breakdown(
    key: str, counts: Breakdown, names: Mapping[str, str], told: str, missing: str, language: Language
) -> Block:
    """Return a whole and what it is made of; kinds that nobody is in are left out."""
    title = say(f"overview.{key}", language)
    if counts.empty:
        return Block(key, title, missing)
    parts = [(names.get(name, name), count) for name, count in counts.parts.items() if count != 0]
    rows = tuple((name, (count, _share(count, counts.total))) for name, count in parts)
    columns = (say("overview.number", language), say("overview.of_all", language))
    bars = tuple(Bar(f"{name}: {cell(count, language)}", count or 0) for name, count in parts)
    return Block(key, title, told, say("overview.kind", language), columns, rows, bars)


def _share(count: Count, total: Count) -> float | str:
    return NOTHING if count is None or not total else count / total


def pair_blocks(figures: Figures, language: Language) -> list[Block]:
    """Return pairs by state, how they do, why they ended, and their meetings."""
    states = {name: say(f"pairstate.{name}", language) for name in figures.states.parts}
    healths = {name: say(f"health.{name}", language) for name in figures.health.parts}
    ends = {name: named(f"pairend.{name}", name, language) for name in figures.reasons.parts}
    meetings = {name: say(f"overview.meeting_{name}", language) for name in figures.meetings.parts}
    working, good = figures.health.total, figures.health.parts["good"]
    held = figures.meetings.parts["held"]
    return [
        breakdown(
            "states",
            figures.states,
            states,
            _told("states", language, count=figures.states.parts["active"], all=figures.states.total),
            say("overview.no_pairs", language),
            language,
        ),
        breakdown(
            "health",
            figures.health,
            healths,
            _told("health", language, count=good, all=working),
            say("overview.no_working", language),
            language,
        ),
        breakdown(
            "reasons",
            figures.reasons,
            ends,
            _told("reasons", language, count=figures.reasons.total),
            say("overview.no_ended", language),
            language,
        ),
        breakdown(
            "meetings",
            figures.meetings,
            meetings,
            _told("meetings", language, count=held, all=figures.meetings.total),
            say("overview.no_meetings", language),
            language,
        ),
    ]


def _told(key: str, language: Language, **counts: Count) -> str:
    """Say a conclusion, or that the numbers are too small for one."""
    if None in counts.values():
        return say("overview.told_small", language)
    return say(f"overview.told_{key}", language, **counts)


# Demand and supply


def needs(gaps: Sequence[Gap], language: Language) -> tuple[Block, tuple[Sides, ...]]:
    """Return who asks for each competence and who can explain it, with the bars of the largest shortages."""
    title = say("overview.needs", language)
    names = {each.code: each.short[language] for each in framework().competences}
    known = [each for each in gaps if not each.hidden]
    if not gaps:
        return Block("needs", title, say("overview.no_reader", language)), ()
    if not known:
        return Block("needs", title, say("overview.no_needs", language)), ()
    rows = tuple((_capital(names[each.code]), (_asked(each, language), counted(each.can, language))) for each in known)
    said = [say("overview.asked_can", language, name=name, asked=cells[0], can=cells[1]) for name, cells in rows]
    bars = tuple(
        Sides(words.replace(": ", "\n", 1), each.can or 0, each.asked or 0)
        for words, each in zip(said, known[:DRAWN], strict=False)
    )
    columns = (say("overview.asked", language), say("overview.can", language))
    return Block("needs", title, said[0], say("overview.subject", language), columns, rows), bars


def _asked(gap: Gap, language: Language) -> str:
    return cell(gap.asked, language)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def recruit(figures: Figures, language: Language) -> list[str]:
    """Say who should be looked for: subjects, sites and languages, the largest shortage first."""
    names = {each.code: each.short[language] for each in framework().competences}
    said = [_missing(each, names[each.code], language) for each in figures.recruit]
    said += [_scarce("site", each, each.name, language) for each in figures.sites]
    said += [
        _scarce("language", each, languages(each.name.split(","), language), language) for each in figures.languages
    ]
    return said


def _missing(gap: Gap, name: str, language: Language) -> str:
    if gap.can is None:
        return say("overview.recruit_least", language, count=gap.gap - HIDDEN_BELOW + 1, name=name)
    return say("overview.recruit", language, count=gap.gap, name=name)


def _scarce(kind: str, each: Scarce, name: str, language: Language) -> str:
    return say(f"overview.scarce_{kind}", language, name=name, few=cell(each.few, language))


# Cards


def spread(figures: Figures, language: Language) -> Block:
    """Return how first places are spread over those who explain."""
    title, found = say("overview.spread", language), figures.spread
    if found is None:
        return Block("spread", title, say("overview.no_shown", language))
    never = cell(found.never, language)
    rows: list[tuple[str, tuple[Count | float | str, ...]]] = [
        (say("overview.spread_shown", language), (found.shown,)),
        (say("overview.spread_juniors", language), (found.juniors,)),
        (say("overview.spread_never", language), (found.never,)),
        (say("overview.spread_gini", language), (number(found.gini, language),)),
    ]
    at = dict(found.lorenz)
    for tenth in range(10, 0, -1):
        low, high = (min(at, key=lambda x: abs(x - edge / 10)) for edge in (tenth - 1, tenth))
        rows.append((say("learn.tenth", language, place=11 - tenth), (at[high] - at[low],)))
    told = say("overview.told_spread", language, share=percent(found.top), never=never, all=found.juniors)
    columns = (say("overview.number", language),)
    return Block("spread", title, told, say("overview.kind", language), columns, tuple(rows))


# Outcomes


def ratings(figures: Figures, language: Language) -> Block:
    """Return the marks of each side, the best first."""
    title, sides = say("overview.ratings", language), list(Side)
    if all(figures.ratings[side].empty for side in sides):
        return Block("ratings", title, say("overview.no_ratings", language))
    marks = list(figures.ratings[Side.SENIOR].parts)
    rows = tuple((mark, tuple(figures.ratings[side].parts[mark] for side in sides)) for mark in marks)
    columns = tuple(say(f"overview.side_{side}", language) for side in sides)
    bars = tuple(
        Bar(say(f"overview.mark_{side}", language, mark=mark, people=cell(count, language)), count or 0)
        for mark, counts in rows
        for side, count in zip(sides, counts, strict=True)
    )
    good = [figures.ratings[side].parts[mark] for side in sides for mark in marks if int(mark) >= 4]
    total = [figures.ratings[side].total for side in sides]
    whole = None if None in [*good, *total] else sum(each or 0 for each in total)
    told = _told("ratings", language, count=None if whole is None else sum(each or 0 for each in good), all=whole)
    return Block("ratings", title, told, say("overview.mark", language), columns, rows, bars)


def check_ins(figures: Figures, language: Language) -> Block:
    """Return the answers to the short questions of each week."""
    title = say("overview.check_ins", language)
    if not figures.check_ins:
        return Block("check_ins", title, say("overview.no_check_ins", language))
    kinds = list(next(iter(figures.check_ins.values())).parts)
    rows = tuple(
        (say("overview.week", language, week=week), tuple(each.parts[kind] for kind in kinds))
        for week, each in figures.check_ins.items()
    )
    good = {week: each.parts["content"] for week, each in figures.check_ins.items()}
    bars = tuple(
        Bar(say("overview.week_content", language, week=week, people=cell(count, language)), count or 0)
        for week, count in good.items()
    )
    last, found = list(figures.check_ins.items())[-1]
    told = _told("check_ins", language, week=last, count=found.parts["content"], all=found.total)
    columns = tuple(say(f"overview.check_{kind}", language) for kind in kinds)
    return Block("check_ins", title, told, say("overview.moment", language), columns, rows, bars)


def decision_blocks(figures: Figures, language: Language) -> list[Block]:
    """Return what coordinators decided: against the first suggestion or not, and why they rejected."""
    kinds = {name: say(f"overview.approval_{name}", language) for name in figures.approvals.parts}
    reasons = {name: _capital(named(f"reject.{name}", name, language)) for name in figures.rejections.parts}
    return [
        breakdown(
            "approvals",
            figures.approvals,
            kinds,
            _told("approvals", language, count=figures.approvals.parts["lower"], all=figures.approvals.total),
            say("overview.no_approvals", language),
            language,
        ),
        breakdown(
            "rejections",
            figures.rejections,
            reasons,
            _told("rejections", language, count=figures.rejections.total),
            say("overview.no_rejections", language),
            language,
        ),
    ]


# Files


def figure_sheet(blocks: Sequence[Block], top: Sequence[tuple[str, str]], view: View, language: Language) -> Sheet:
    """Return every number that is on the page, one a row, without names of people."""
    period = say(f"overview.period_{view.days or 'all'}", language)
    shared = (period, group_name(view, language))
    rows: list[Sequence[Cell]] = [(*shared, say("overview.top", language), name, "", value) for name, value in top]
    for block in blocks:
        for name, cells in block.rows:
            for column, value in zip(block.columns, cells, strict=True):
                shown = say("overview.hidden", language) if value is None else value
                rows.append((*shared, block.title, name, column, shown))
    heads = [say(f"overview.head_{each}", language) for each in ("period", "group", "part", "what", "measure", "value")]
    return Sheet(say("overview.sheet_figures", language), heads, rows)


def pair_sheet(pairs: Sequence[Paired], language: Language) -> Sheet:
    """Return every pair with names."""
    names = ["senior", "department", "site", "junior", "state", "health", "reason"]
    names += ["invited", "started", "ended", "held", "cancelled", "last"]
    rows = [
        (
            each.senior,
            each.department,
            each.site,
            each.junior,
            say(f"pairstate.{each.pair.state}", language),
            say(f"health.{each.word}", language) if each.word else "",
            _reason(each, language),
            _day(each.pair.invited_at),
            _day(each.pair.started_at),
            _day(each.pair.ended_at),
            each.held,
            each.cancelled,
            _day(each.last),
        )
        for each in pairs
    ]
    heads = [say(f"overview.pair_{name}", language) for name in names]
    return Sheet(say("overview.sheet_pairs", language), heads, rows)


def _day(moment: datetime | None) -> date | None:
    return moment.date() if moment else None


def _reason(each: Paired, language: Language) -> str:
    """Return why a pair ended, in words. What one side said against an invitation stays with them."""
    key = each.pair.end_reason
    return named(f"pairend.{key}", key, language) if each.pair.state == "ended" and key else ""
