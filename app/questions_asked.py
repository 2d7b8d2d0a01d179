"""What a coordinator has asked a senior before deciding, with a place for the answer."""

import streamlit as st

from app import components, frame
from app.frame import Here
from recommender.domain import SeniorId
from recommender.reviewing import MOST_NOTE


def draw(here: Here) -> None:
    """Draw the questions about choices that still wait; nothing where nobody asked."""
    for note in here.service.reviewing.questions_for(SeniorId(here.who.id)):
        typed = f"answer-{note.id}"
        with st.container(border=True, key=f"asked-{note.id}"):
            st.header(here.say("asked.title"), icon=":material/contact_support:", anchor=False)
            components.words(f"“{note.text}”")
            if note.answer:
                st.caption(here.say("asked.answered"))
                components.words(f"“{note.answer}”")
            st.text_area(
                here.say("asked.again" if note.answer else "asked.answer"),
                key=typed,
                height=120,
                max_chars=MOST_NOTE,
                persist_state="session",
            )
            st.button(
                here.say("asked.send"),
                key=f"answer-send-{note.id}",
                type="secondary" if note.answer else "primary",
                on_click=_answer,
                args=(note.id, typed),
            )


def _answer(note_id: str, typed: str) -> None:
    here = frame.here()
    with here.session.step():
        here.service.reviewing.answer(note_id, SeniorId(here.who.id), st.session_state[typed])
        st.session_state[typed] = ""
        here.session.announce("asked.announce", focus=f"asked-{note_id}")
