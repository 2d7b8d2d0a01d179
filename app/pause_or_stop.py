"""A pause, going on, or stopping: always possible, with a reason that the other doesn't see."""

import streamlit as st

from app import components, doing, frame, matches_views
from app.frame import Here
from app.matches_views import Mine
from recommender.pair import END_REASONS, LEFT, OFF_REASONS, PairState

PAUSE, STOP = "pause", "stop"
STOP_REASONS = tuple(each for each in END_REASONS if each != LEFT)
"""Leaving the programme is said to a coordinator."""


def draw(here: Here, mine: Mine) -> None:
    """Draw the buttons, or the form of one of them."""
    pair = mine.pair
    with st.container(key="stop", gap="small"):
        st.subheader(here.say("stop.title"), anchor=False)
        for each, reasons in ((PAUSE, OFF_REASONS), (STOP, STOP_REASONS)):
            if here.session.doing == (each, pair.id):
                _form(here, mine, each, reasons)
                return
        with st.container(horizontal=True, gap="small"):
            if pair.state is PairState.PAUSED:
                st.button(
                    here.say("stop.resume"),
                    key="stop-resume",
                    type="primary",
                    icon=":material/play_arrow:",
                    on_click=_resume,
                    args=(pair.id,),
                )
            else:
                st.button(
                    here.say("stop.pause"),
                    key="stop-pause",
                    on_click=doing.start,
                    args=(PAUSE, pair.id, here.say("stop.pause")),
                )
            st.button(
                here.say("stop.stop"),
                key="stop-stop",
                on_click=doing.start,
                args=(STOP, pair.id, here.say("stop.stop")),
            )


def _form(here: Here, mine: Mine, what: str, reasons: tuple[str, ...]) -> None:
    with st.container(border=True, key="form", gap="small"):
        st.subheader(here.say(f"stop.title_{what}"), anchor=False)
        st.markdown(here.say(f"stop.text_{what}_{mine.side}"))
        st.pills(
            here.say("stop.reason"),
            reasons,
            format_func=lambda each: here.say(f"pairoff.{each}" if what == PAUSE else f"pairend.{each}"),
            key=f"stop-reason-{what}-{mine.pair.id}",
            wrap=True,
        )
        st.caption(here.say("stop.secret", name=components.plain(mine.name)))
        with st.container(horizontal=True, gap="small"):
            st.button(here.say(f"stop.save_{what}"), key="stop-save", on_click=_save, args=(what, mine.pair.id))
            doing.back(here)


def _save(what: str, pair_id: str) -> None:
    here = frame.here()
    with here.session.step():
        reason = matches_views.given(st.session_state[f"stop-reason-{what}-{pair_id}"])
        if what == PAUSE:
            here.service.pairs.pause(pair_id, here.who.id, reason)
            doing.done("stop.announce_pause")
        else:
            here.service.pairs.end(pair_id, here.who.id, reason)
            doing.done("stop.announce_stop")


def _resume(pair_id: str) -> None:
    here = frame.here()
    with here.session.step():
        here.service.pairs.resume(pair_id, here.who.id)
        doing.done("stop.announce_resume")
