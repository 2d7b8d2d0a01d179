"""The page of the coordinator: what waits, why, and a decision that can be taken back."""

from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from app import components, frame, handed_over, review_detail, review_queue, review_recent, review_views
from app.frame import Here
from app.review_queue import Queue
from app.review_views import Row
from recommender.domain import SlateId

STYLE = Path(__file__).parents[1] / "review.css"
EXPLORE = "exploration"


def page() -> None:
    """Draw the queue, the choice that is looked at, and what was decided lately."""
    here = frame.here()
    queue = review_queue.current(here)
    st.html(STYLE)
    st.title(here.say("review.title"), anchor=False)
    review_queue.fresh(here, queue)
    top = st.container()
    review_recent.done(here, queue)
    _pace(here)
    _waiting(here, queue)
    handed_over.draw(here)
    review_recent.draw(here, queue)
    _explore(here)
    if not queue.told:
        with top:
            components.problem(here.session)


def _pace(here: Here) -> None:
    """Say calmly that choices are approved faster than they can be read. It blocks nothing."""
    told = review_views.pace(here.service.reviewing.pace(here.who.id), here.language)
    if told:
        with st.container(key="pace"):
            st.info(f"{told} {here.say('queue.pace_advice')}", icon=":material/speed:")


def _waiting(here: Here, queue: Queue) -> None:
    waiting, load = here.service.reviewing.waiting(), here.service.load()
    rows = review_views.rows(here.service, waiting, load, here.service.now(), here.language)
    gone = _gone(here, rows)
    if not rows:
        if gone:
            _closed(here, queue, gone)
        with st.container(border=True, key="empty"):
            st.header(here.say("review.empty"), icon=":material/done_all:", anchor=False)
            st.markdown(here.say("review.empty_text"))
        return
    shown = review_queue.filtered(here, queue, rows)
    row = None if gone else _looked_at(here, queue, shown)
    beside = (st.container(), st.container()) if review_queue.wide() else st.columns([5, 8], gap="medium")
    with beside[0], st.container(key="queue"):
        review_queue.draw(here, queue, rows, shown, row.id if row else None)
    with beside[1]:
        if gone:
            _closed(here, queue, gone)
        elif row:
            with st.container(key="detail"):
                review_detail.draw(here, queue, row, waiting, load)


def _gone(here: Here, rows: Sequence[Row]) -> SlateId | None:
    """Return the choice that was looked at, if it no longer waits."""
    looked_at = here.session.reviewing
    return looked_at if looked_at and all(each.id != looked_at for each in rows) else None


def _closed(here: Here, queue: Queue, slate_id: SlateId) -> None:
    with st.container(key="detail"):
        review_detail.closed(here, queue, slate_id)


def _looked_at(here: Here, queue: Queue, shown: Sequence[Row]) -> Row | None:
    """Return the choice to show, and stay with it: another one never takes its place under the pointer."""
    first = review_views.paged(shown, queue.page).rows
    found = next((each for each in shown if each.id == here.session.reviewing), first[0] if first else None)
    if found:
        here.session.reviewing = found.id
    return found


def _explore(here: Here) -> None:
    """Draw the switch for the order of cards; the store says how it stands, whoever switched it."""
    st.session_state[EXPLORE] = here.service.exploration()
    with st.container(key="explore", gap="xsmall"):
        st.header(here.say("explore.title"), anchor=False)
        st.toggle(here.say("explore.switch"), key=EXPLORE, on_change=_switch)
        st.caption(here.say("explore.text"))


def _switch() -> None:
    here = frame.here()
    with here.session.step():
        on = bool(st.session_state[EXPLORE])
        here.service.set_exploration(on)
        here.session.announce("explore.announce_on" if on else "explore.announce_off")
