"""Parts that pages share: data in, widgets out. Each takes a key prefix, so that a part may occur twice."""

import re
from collections.abc import Callable, Sequence

import altair as alt
import pandas as pd
import streamlit as st

from app.session import Session
from app.views import Card
from recommender.wording import Language, say

WORD_JOINER = "\u2060"

_MARKS = re.compile(r"([!-/:-@\[-`{-~])")
_AFTER_PARSING = re.compile(r"[:@]|(?i:www)(?=\.)|[-<=>](?=[-<=>])")


def plain(text: str) -> str:
    r"""Return somebody's words so that a Markdown label shows them as they are.

    Every ASCII punctuation mark is escaped. Streamlit replaces some patterns only after parsing (icons, emoji codes,
    arrows, bare links): an invisible word joiner breaks those.

    Examples
    --------
    >>> plain("*Sanne*")
    '\\*Sanne\\*'
    """
    text = " ".join(text.split())
    broken = _AFTER_PARSING.sub(lambda found: found.group() + WORD_JOINER, text)
    return _MARKS.sub(r"\\\1", broken)


def words(text: str) -> None:
    """Show somebody's words: no Markdown, no HTML."""
    st.text(text)


def problem(session: Session) -> None:
    """Say what went wrong in the last step."""
    if session.problem:
        with st.container(key="problem"):
            st.error(plain(session.problem.sentence(session.language)), icon=":material/error:")


def suggestion_card(
    card: Card,
    language: Language,
    prefix: str,
    on_choose: Callable[[str], None] | None = None,
    on_refuse: Callable[[str], None] | None = None,
) -> None:
    """Draw one junior with quoted evidence, reasons, one honest minus, and what the senior can do."""
    with st.container(border=True, key=f"{prefix}-{card.junior_id}"):
        st.header(plain(card.title), anchor=False)
        reasons(card, language, prefix)
        if on_choose and on_refuse:
            with st.container(horizontal=True, gap="small"):
                st.button(
                    say("ask.choose", language, name=plain(card.first_name)),
                    key=f"{prefix}-choose-{card.junior_id}",
                    type="primary",
                    on_click=on_choose,
                    args=(card.junior_id,),
                )
                st.button(
                    say("ask.refuse", language),
                    key=f"{prefix}-refuse-{card.junior_id}",
                    on_click=on_refuse,
                    args=(card.junior_id,),
                )


def reasons(card: Card, language: Language, prefix: str) -> None:
    """Draw why a junior fits: their own sentences first."""
    st.subheader(say("card.why", language), anchor=False)
    if card.quotes:
        with st.container(key=f"{prefix}-quote-{card.junior_id}", gap="xsmall"):
            st.caption(say("card.says", language, name=plain(card.first_name)))
            for quote in card.quotes:
                words(f"“{quote}”")
    if card.reasons:
        with st.container(key=f"{prefix}-plus-{card.junior_id}"):
            words("\n".join(f"✓  {each}" for each in card.reasons))
    if card.minus:
        with st.container(key=f"{prefix}-minus-{card.junior_id}"):
            words(f"{say('card.minus', language)} {card.minus}")


def facts(rows: Sequence[tuple[str, str]], prefix: str) -> None:
    """Draw short facts, each under its name."""
    with st.container(key=f"{prefix}-facts", horizontal=True, gap="medium"):
        for place, (name, value) in enumerate(rows):
            with st.container(key=f"{prefix}-fact-{place}", gap=None, width="content"):
                st.caption(plain(name))
                words(value)


def table(rows: dict[str, list[str]], columns: list[str], alt_text: str, first: str = "") -> None:
    """Draw a small table with named rows; cells are people's words or ours, never Markdown."""
    heads = [plain(first) or " ", *(plain(each) for each in columns)]
    frame = pd.DataFrame(
        [[plain(name), *(plain(cell) for cell in cells)] for name, cells in rows.items()],
        # Two people may have one name, and a table can't have one head twice.
        columns=[head + WORD_JOINER * heads[:place].count(head) for place, head in enumerate(heads)],
    )
    st.table(frame.set_index(frame.columns[0]), border="horizontal", alt=alt_text)


def bars(rows: Sequence[tuple[str, float]], axis: str, alt_text: str, language: Language, key: str) -> None:
    """Draw one bar for each row, in the given order. The same numbers always stand beside it as a table."""
    frame = pd.DataFrame(rows, columns=["name", "value"])
    frame["up"] = frame["value"] >= 0
    ink = "#F2F2F2" if st.context.theme.type == "dark" else "#1A1A1A"  # the usual grey of charts is too faint
    comma = "replace(datum.label, '.', ',')" if language == "nl" else "datum.label"
    chart = (
        alt.Chart(frame)
        .mark_bar(cornerRadius=3, height={"band": 0.62})
        .encode(
            x=alt.X("value:Q", title=axis, axis=alt.Axis(tickCount=5, labelExpr=comma)),
            y=alt.Y("name:N", sort=None, title=None, axis=alt.Axis(labelLimit=420, labelFontSize=15)),
            color=alt.Color("up:N", legend=None, scale=alt.Scale(domain=[True, False], range=["#3A8FC0", "#C2703D"])),
            tooltip=[alt.Tooltip("name:N", title=" "), alt.Tooltip("value:Q", format="+.2f", title=axis)],
        )
        .properties(height=36 * max(len(frame), 1) + 50)
        .configure_axis(titleFontSize=15, labelFontSize=15, titleColor=ink, labelColor=ink)
    )
    st.altair_chart(chart, alt=alt_text, key=key)
