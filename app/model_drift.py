"""The part of the Model page about change: features, languages and doubt, before and after, and week by week."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from app import components, model_views, views
from app.frame import Here
from app.model_views import Figures
from recommender.drift import ENOUGH_SLATES, LARGE, NOTICEABLE

WEEKS = 12
"""Weeks that are listed, the newest last."""


def draw(here: Here, figures: Figures) -> None:
    """Draw what changed since the snapshot of the model in use, or else within this one."""
    with st.container(border=True, key="drift"):
        st.header(here.say("learn.drift"), anchor=False)
        found = figures.get("drift")
        if not found:
            st.markdown(here.say("learn.no_drift"))
            return
        since = found.get("since_model_in_use")
        st.markdown(here.say("learn.drift_since" if since else "learn.drift_halves"))
        _change(here, since or found["halves"])
        _weeks(here, found["weeks"])


def _change(here: Here, change: Mapping[str, Any]) -> None:
    before, after = change["slates"]
    if not change["enough"]:
        st.markdown(here.say("learn.drift_little", before=before, after=after, needed=ENOUGH_SLATES))
        return
    rows = sorted(change["psi"].items(), key=lambda row: -row[1])
    much = sum(value >= LARGE for _, value in rows)
    told = here.say("learn.told_drift", count=much, all=len(rows))
    marks = views.number(NOTICEABLE, here.language), views.number(LARGE, here.language)
    st.markdown(f"**{told}** {here.say('learn.drift_text', little=marks[0], much=marks[1])}")
    components.bars(
        [(views.feature(name, here.language), value) for name, value in rows],
        here.say("learn.axis_psi"),
        f"{told} {here.say('learn.table_below')}",
        here.language,
        "drift-chart",
    )
    components.table(
        {
            views.feature(name, here.language): [
                views.number(value, here.language),
                model_views.moved(value, here.language),
            ]
            for name, value in rows
        },
        [here.say("learn.axis_psi"), here.say("learn.moved")],
        here.say("learn.drift_alt"),
        here.say("model.feature"),
    )
    shares = {views.languages([name], here.language): pair for name, pair in change["languages"].items()}
    shares[here.say("learn.doubtful")] = change["doubtful"]
    components.table(
        {name: [model_views.percent(share) for share in pair] for name, pair in shares.items()},
        [here.say("learn.before", slates=before), here.say("learn.after", slates=after)],
        here.say("learn.shares_alt"),
        here.say("learn.share"),
    )


def _weeks(here: Here, weeks: list[dict[str, Any]]) -> None:
    if not weeks:
        return
    st.subheader(here.say("learn.weeks"), anchor=False)
    little = here.say("learn.too_little")
    components.table(
        {
            each["begins"]: [
                str(each["slates"]),
                model_views.percent(each["approved"]) if each["enough"] else little,
                model_views.percent(each["doubtful"]) if each["enough"] else little,
            ]
            for each in weeks[-WEEKS:]
        },
        [here.say("learn.questions"), here.say("learn.approved"), here.say("learn.doubtful")],
        here.say("learn.weeks_alt"),
        here.say("learn.week"),
    )
