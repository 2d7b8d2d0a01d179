"""An invitation: who it is, what saying yes means, and two buttons. A no never needs a reason."""

import streamlit as st

from app import components, doing, frame
from app.frame import Here
from app.matches_views import Mine
from recommender.domain import Side
from recommender.letters import day
from recommender.pair import DECLINE_REASONS

DECLINE = "decline"


def draw(here: Here, mine: Mine) -> None:
    """Draw an invitation that waits for this side's answer."""
    name, side, pair = components.plain(mine.name), mine.side, mine.pair
    st.header(here.say(f"invited.title_{side}", name=name), anchor=False)
    components.words(here.say(f"invited.topic_{side}", name=mine.name, topic=mine.agreement.topics))
    st.markdown(here.say(f"invited.means_{side}", name=name))
    components.words(mine.agreement.rhythm)
    if mine.gives:
        with st.container(key="invited-gives", gap="xsmall"):
            st.caption(here.say("invited.gives", name=name))
            components.words(f"“{mine.gives}”")
    st.markdown(f"**{here.say(f'invited.until_{side}', until=day(pair.expires_at, here.language))}**")
    if here.session.doing == (DECLINE, pair.id):
        _decline(here, mine)
    else:
        with st.container(horizontal=True, gap="small"):
            st.button(
                here.say("invited.yes"),
                key="invited-yes",
                type="primary",
                icon=":material/check:",
                on_click=_accept,
                args=(pair.id, side),
            )
            st.button(
                here.say("invited.no"),
                key="invited-no",
                on_click=doing.start,
                args=(DECLINE, pair.id, here.say(f"invited.why_{side}")),
            )
    if mine.card:
        with st.container(key="invited-card"):
            components.reasons(mine.card, here.language, "invited")


def waiting(here: Here, mine: Mine) -> None:
    """Draw an invitation to which this side has said yes."""
    name = components.plain(mine.name)
    st.header(here.say(f"invited.wait_{mine.side}"), icon=":material/schedule:", anchor=False)
    until = day(mine.pair.expires_at, here.language)
    st.markdown(here.say("invited.wait_text", name=name, until=until))


def _decline(here: Here, mine: Mine) -> None:
    with st.container(key="form", gap="small"):
        st.subheader(here.say(f"invited.why_{mine.side}"), anchor=False)
        st.pills(
            here.say("invited.reason"),
            DECLINE_REASONS,
            format_func=lambda each: here.say(f"pairdecline.{each}"),
            key=f"decline-{mine.pair.id}",
            wrap=True,
        )
        st.caption(here.say(f"invited.secret_{mine.side}", name=components.plain(mine.name)))
        with st.container(horizontal=True, gap="small"):
            st.button(
                here.say("invited.no_sure"), key="invited-no-sure", on_click=_refuse, args=(mine.pair.id, mine.side)
            )
            doing.back(here)


def _accept(pair_id: str, side: Side) -> None:
    here = frame.here()
    with here.session.step():
        here.service.pairs.answer(pair_id, side, True, here.who.id)
        doing.done("invited.announce_yes")


def _refuse(pair_id: str, side: Side) -> None:
    here = frame.here()
    with here.session.step():
        reason = st.session_state[f"decline-{pair_id}"] or ""
        here.service.pairs.answer(pair_id, side, False, here.who.id, reason)
        doing.done("invited.announce_no")
