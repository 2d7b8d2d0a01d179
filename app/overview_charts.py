"""The charts of the overview: counts in, one drawn chart out, with its conclusion in words as alternative text.

What a bar is and how long stands above it, so that the chart can be read on a phone as well. The same numbers always
stand below as a table.
"""

from collections.abc import Sequence
from typing import Any

import altair as alt
import pandas as pd
import streamlit as st

from app.model_charts import BLUE, FONT, ORANGE
from app.overview_views import Bar, Sides

ROW, TALL = 52, 76
"""Pixels for a bar with one line of words above it, and with two."""


def bars(rows: Sequence[Bar], alt_text: str, key: str) -> None:
    """Draw one bar for each row, in the given order; a number that isn't told has no bar."""
    frame = pd.DataFrame([(place, each.told, each.length) for place, each in enumerate(rows)])
    frame.columns = pd.Index(["place", "told", "value"])
    scale = alt.Scale(domain=[0, max(1, float(frame["value"].max()))])
    drawn = _base(frame).mark_bar(cornerRadius=3, height=18, yOffset=10, color=BLUE)
    _draw([drawn.encode(x=alt.X("value:Q", axis=None, scale=scale))], frame, alt_text, key, ROW)


def sides(rows: Sequence[Sides], alt_text: str, key: str) -> None:
    """Draw two bars back to back for each row: who can to the left, who asks to the right."""
    frame = pd.DataFrame([(place, each.told, each.right, -each.left, 0) for place, each in enumerate(rows)])
    frame.columns = pd.Index(["place", "told", "right", "left", "zero"])
    most = max(1.0, float(frame[["right"]].max().iloc[0]), float(-frame[["left"]].min().iloc[0]))
    scale = alt.Scale(domain=[-most, most])
    base = _base(frame)
    right = base.mark_bar(cornerRadius=3, height=18, yOffset=22, color=ORANGE)
    left = base.mark_bar(cornerRadius=3, height=18, yOffset=22, color=BLUE)
    middle = base.mark_tick(thickness=2, height=24, yOffset=22, color=_ink())
    _draw(
        [
            right.encode(x=alt.X("right:Q", axis=None, scale=scale), x2="zero:Q"),
            left.encode(x=alt.X("left:Q", axis=None, scale=scale), x2="zero:Q"),
            middle.encode(x=alt.X("zero:Q", axis=None, scale=scale)),
        ],
        frame,
        alt_text,
        key,
        TALL,
    )


def _base(frame: pd.DataFrame) -> Any:
    return alt.Chart(frame).encode(y=alt.Y("place:O", axis=None, sort=None))


def _draw(layers: Sequence[Any], frame: pd.DataFrame, alt_text: str, key: str, row: int) -> None:
    words = _base(frame).mark_text(
        align="left", baseline="top", dy=8 - row / 2, fontSize=FONT, lineHeight=FONT + 5, lineBreak="\n", color=_ink()
    )
    chart = alt.layer(*layers, words.encode(x=alt.value(0), text="told:N"))
    chart = chart.properties(height=row * len(frame)).configure_view(stroke=None)
    st.altair_chart(chart, alt=alt_text, key=key)


def _ink() -> str:
    return "#F2F2F2" if st.context.theme.type == "dark" else "#1A1A1A"  # the usual grey of charts is too faint
