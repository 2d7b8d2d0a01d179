"""The charts of the Model page: numbers in, one drawn chart out. Each has its conclusion in words as alternative text.

The same numbers always stand below as a table. Colours differ in lightness too, and none says something alone.
"""

from collections.abc import Sequence
from typing import Any

import altair as alt
import pandas as pd
import streamlit as st

from app.model_views import Bin, Interval, Point
from recommender.wording import Language

BLUE, ORANGE = "#3A8FC0", "#C2703D"
FONT = 15


def intervals(rows: Sequence[Interval], axis: str, alt_text: str, language: Language, key: str) -> None:
    """Draw a dot with its 95% interval for each row; the model itself is a filled dot, the others are open."""
    frame = pd.DataFrame([(each.name, each.value, each.low, each.high, each.ours) for each in rows])
    frame.columns = pd.Index(["name", "value", "low", "high", "ours"])
    names = alt.Y("name:N", sort=None, title=None, axis=alt.Axis(labelLimit=420))
    scale = alt.Scale(zero=False, nice=True)
    base = alt.Chart(frame).encode(y=names, color=_two("ours:N", [True, False]))
    bars = base.mark_rule(strokeWidth=3).encode(x=_x("low:Q", axis, language, scale), x2="high:Q")
    dots = base.mark_point(size=140, strokeWidth=3, opacity=1).encode(
        x=alt.X("value:Q", scale=scale),
        fill=alt.Fill("ours:N", legend=None, scale=alt.Scale(domain=[True, False], range=[BLUE, "transparent"])),
        shape=alt.Shape("ours:N", legend=None, scale=alt.Scale(domain=[True, False], range=["circle", "square"])),
    )
    _draw((bars + dots).properties(height=40 * len(frame) + 50), alt_text, key)


def curve(points: Sequence[Point], axes: tuple[str, str], alt_text: str, language: Language, key: str) -> None:
    """Draw a line; where points have a low and a high, a band around it and dots on it."""
    frame = pd.DataFrame([(each.x, each.y, each.low, each.high) for each in points], columns=["x", "y", "low", "high"])
    scale = alt.Scale(zero=False, nice=True)
    base = alt.Chart(frame).encode(x=_x("x:Q", axes[0], language, scale))
    line = base.mark_line(color=BLUE, strokeWidth=3).encode(y=_y("y:Q", axes[1], language, scale))
    if frame["low"].notna().all():
        band = base.mark_area(color=BLUE, opacity=0.25).encode(y=_y("low:Q", axes[1], language, scale), y2="high:Q")
        line = band + line + base.mark_point(color=BLUE, filled=True, size=90).encode(y=alt.Y("y:Q"))
    _draw(line.properties(height=320), alt_text, key)


def reliability(bins: Sequence[Bin], axes: tuple[str, str], alt_text: str, language: Language, key: str) -> None:
    """Draw what was foretold against what was found: a dot for each bin with its number of rows, on a diagonal."""
    frame = pd.DataFrame([(each.foretold, each.found, each.rows) for each in bins])
    frame.columns = pd.Index(["foretold", "found", "rows"])
    # What was found can be above 1: a choice at a place that few look at stands for several.
    scale = alt.Scale(domain=[0, max(1.0, float(frame["found"].max()))])
    ends = pd.DataFrame({"at": [0.0, 1.0]})
    diagonal = (
        alt.Chart(ends)
        .mark_line(strokeDash=[6, 4], color=_ink(), opacity=0.6)
        .encode(x=_x("at:Q", axes[0], language, alt.Scale(domain=[0, 1])), y=_y("at:Q", axes[1], language, scale))
    )
    base = alt.Chart(frame).encode(x="foretold:Q", y="found:Q")
    dots = base.mark_point(filled=True, color=BLUE, opacity=1).encode(
        size=alt.Size("rows:Q", legend=None, scale=alt.Scale(range=[60, 500]))
    )
    counts = base.mark_text(dy=-18, fontSize=FONT, color=_ink()).encode(text="rows:Q")
    _draw((diagonal + dots + counts).properties(height=360), alt_text, key)


def lorenz(
    lines: Sequence[tuple[str, Sequence[tuple[float, float]]]],
    axes: tuple[str, str],
    alt_text: str,
    language: Language,
    key: str,
) -> None:
    """Draw Lorenz curves, the first one solid; the straight dashed line is "all alike often"."""
    rows = [(name, x, y) for name, points in lines for x, y in points]
    frame = pd.DataFrame(rows, columns=["name", "x", "y"])
    names = [name for name, _ in lines]
    whole = alt.Scale(domain=[0, 1])
    base = alt.Chart(frame).encode(
        x=_x("x:Q", axes[0], language, whole, percent=True), y=_y("y:Q", axes[1], language, whole, percent=True)
    )
    drawn = base.mark_line(strokeWidth=3).encode(
        color=alt.Color(
            "name:N", title=None, scale=alt.Scale(domain=names, range=[BLUE, ORANGE]), legend=_legend("stroke")
        ),
        strokeDash=alt.StrokeDash(
            "name:N", title=None, legend=None, scale=alt.Scale(domain=names, range=[[1, 0], [8, 4]])
        ),
    )
    alike = alt.Chart(pd.DataFrame({"x": [0.0, 1.0], "y": [0.0, 1.0]})).mark_line(
        strokeDash=[2, 4], color=_ink(), opacity=0.6
    )
    _draw((alike.encode(x="x:Q", y="y:Q") + drawn).properties(height=360), alt_text, key)


def pairs(
    rows: Sequence[tuple[str, Sequence[tuple[str, float, str]]]], axis: str, alt_text: str, language: Language, key: str
) -> None:
    """Draw two bars for each name, each with its own words at the end: (what, how many, words)."""
    frame = pd.DataFrame(
        [(name, what, value, told) for name, each in rows for what, value, told in each],
        columns=["name", "what", "value", "told"],
    )
    kinds = list(dict.fromkeys(frame["what"]))
    base = alt.Chart(frame).encode(
        y=alt.Y("name:N", sort=None, title=None, axis=alt.Axis(labelLimit=420)),
        yOffset=alt.YOffset("what:N", sort=kinds),
        x=_x("value:Q", axis, language, alt.Scale(nice=True), whole=True),
    )
    bars = base.mark_bar(cornerRadius=3).encode(
        color=alt.Color("what:N", title=None, scale=alt.Scale(domain=kinds, range=[ORANGE, BLUE]), legend=_legend())
    )
    told = base.mark_text(align="left", dx=5, fontSize=FONT - 1, color=_ink()).encode(text="told:N")
    _draw((bars + told).properties(height=54 * len(rows) + 90), alt_text, key)


def columns(values: Sequence[float], axes: tuple[str, str], alt_text: str, language: Language, key: str) -> None:
    """Draw one thin column for each value, in the given order and numbered from 1: shares in [0, 1]."""
    rows = [(place + 0.55, place + 1.45, value, 0.0) for place, value in enumerate(values)]
    frame = pd.DataFrame(rows, columns=["from", "to", "value", "zero"])
    ends = alt.Scale(domain=[0.5, len(values) + 0.5], nice=False)
    chart = (
        alt.Chart(frame)
        .mark_bar(color=BLUE)
        .encode(
            x=_x("from:Q", axes[0], language, ends, whole=True),
            x2="to:Q",
            y=_y("value:Q", axes[1], language, alt.Scale(zero=True), percent=True),
            y2="zero:Q",
        )
    )
    _draw(chart.properties(height=280), alt_text, key)


def _draw(chart: Any, alt_text: str, key: str) -> None:
    ink = _ink()
    chart = chart.configure_axis(titleFontSize=FONT, labelFontSize=FONT, titleColor=ink, labelColor=ink)
    chart = chart.configure_legend(labelFontSize=FONT, labelColor=ink, labelLimit=420)
    st.altair_chart(chart, alt=alt_text, key=key)


def _ink() -> str:
    return "#F2F2F2" if st.context.theme.type == "dark" else "#1A1A1A"  # the usual grey of charts is too faint


def _two(field: str, domain: list[bool]) -> alt.Color:
    return alt.Color(field, legend=None, scale=alt.Scale(domain=domain, range=[BLUE, ORANGE]))


def _legend(symbol: str = "square") -> alt.Legend:
    return alt.Legend(orient="top", direction="vertical", symbolType=symbol)


def _x(
    field: str, title: str, language: Language, scale: alt.Scale, *, percent: bool = False, whole: bool = False
) -> alt.X:
    return alt.X(field, title=title, scale=scale, axis=_axis(language, percent=percent, whole=whole))


def _y(field: str, title: str, language: Language, scale: alt.Scale, *, percent: bool = False) -> alt.Y:
    return alt.Y(field, title=title, scale=scale, axis=_axis(language, percent=percent, whole=False))


def _axis(language: Language, *, percent: bool, whole: bool) -> alt.Axis:
    """Return an axis with numbers as the reader writes them."""
    comma = "replace(datum.label, '.', ',')" if language == "nl" else "datum.label"
    format_ = "%" if percent else "d" if whole else ""
    kinds: dict[str, Any] = {"format": format_} if format_ else {}
    if whole:
        kinds["tickMinStep"] = 1
    return alt.Axis(tickCount=5, labelExpr=comma, **kinds)
