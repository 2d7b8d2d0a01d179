"""The short questions of weeks 4, 12 and 24: words to press, no typing. Nobody reads one person's answers."""

import streamlit as st

from app import components, doing, frame
from app.frame import Here
from app.matches_views import Mine, answers
from app.rating import RATINGS
from recommender.domain import Side
from recommender.pair import GO_ON, QUESTIONS, RATING, SCALE, CheckIn

AGAIN = "check-in"


def form(here: Here, mine: Mine, check_in: CheckIn) -> None:
    """Draw the questions; what was answered before is chosen already."""
    name = components.plain(mine.name)
    st.header(here.say("checkin.title"), anchor=False)
    st.markdown(here.say(f"checkin.text_{mine.side}", name=name, week=check_in.week))
    st.caption(here.say(f"checkin.blind_{mine.side}", name=name))
    for question in QUESTIONS:
        st.pills(
            here.say(f"survey.{question}"),
            range(1, len(SCALE) + 1),
            default=check_in.answers.get(question),
            format_func=lambda each: here.say(f"scale.{SCALE[each - 1]}"),
            key=_key(check_in, question),
            wrap=True,
        )
    st.pills(
        here.say("survey.go_on"),
        (1, 0),
        default=check_in.answers.get(GO_ON),
        format_func=lambda each: here.say("checkin.yes" if each else "checkin.no"),
        key=_key(check_in, GO_ON),
        wrap=True,
    )
    st.pills(
        here.say("checkin.rating", name=name),
        RATINGS,
        default=here.service.rating_of(mine.pair.slate_id, mine.side),
        format_func=lambda each: here.say(f"rating.word_{each}"),
        key=_key(check_in, RATING),
        wrap=True,
    )
    with st.container(horizontal=True, gap="small"):
        st.button(
            here.say("checkin.send"),
            key="checkin-send",
            type="primary",
            icon=":material/check:",
            on_click=_send,
            args=(check_in,),
        )
        if here.session.doing == (AGAIN, mine.pair.id):
            doing.back(here)


def _key(check_in: CheckIn, question: str) -> str:
    return f"checkin-{question}-{check_in.pair_id}-{check_in.week}"


def _send(check_in: CheckIn) -> None:
    here = frame.here()
    with here.session.step():
        asked = (*QUESTIONS, GO_ON, RATING)
        given = answers({question: st.session_state[_key(check_in, question)] for question in asked})
        side = Side(check_in.side)
        here.service.pairs.check_in(check_in.pair_id, check_in.week, side, given, here.who.id)
        doing.done(f"checkin.announce_{side}")
