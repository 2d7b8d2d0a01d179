"""The conversations that seniors have given to a person, each with its words."""

import streamlit as st

from app import components, frame, views
from app.frame import Here
from recommender.dialogue.brief import Brief
from recommender.domain import ConversationId
from recommender.replies import Known, chip


def draw(here: Here) -> None:
    """Draw who would rather talk to a person, oldest first."""
    handed = here.service.handed_over()
    if not handed:
        return
    with st.container(key="handed"):
        st.header(here.say("handover.title"), anchor=False)
        st.markdown(here.say("handover.text"))
        for each, state in handed:
            senior = here.service.senior(each.senior_id) if each.senior_id else None
            name = senior.name if senior else here.say("review.nobody")
            with st.container(border=True, key=f"handed-{each.conversation_id}"):
                st.subheader(components.plain(here.say("handover.from", name=name)), anchor=False)
                st.caption(views.waited(each.at, here.service.now(), here.language))
                brief(here, state.brief)
                with st.expander(here.say("handover.read"), key=f"read-{each.conversation_id}"):
                    known = Known(here.service.junior, here.service.slate, senior)
                    for words in views.transcript(state, known, name, here.language):
                        components.words(words)
                st.button(
                    here.say("handover.done"),
                    key=f"handed-done-{each.conversation_id}",
                    on_click=_spoken_with,
                    args=(each.conversation_id,),
                )


def brief(here: Here, wanted: Brief) -> None:
    """Draw the wishes of a conversation and what the senior would give back."""
    known = Known(here.service.junior, here.service.slate)
    if wanted.wishes:
        wishes = ", ".join(chip(each, known, here.language) for each in wanted.wishes)
        components.words(here.say("handover.wishes", wishes=wishes))
    if wanted.gives_back:
        components.words(here.say("handover.gives", words=wanted.gives_back))


def _spoken_with(conversation_id: ConversationId) -> None:
    here = frame.here()
    with here.session.step():
        here.service.spoken_with(conversation_id, here.who.id)
        here.session.announce("queue.announce_spoken", focus="handed" if here.service.handed_over() else "explore")
