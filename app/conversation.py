"""Parts of the conversation: what the guide says, its question, what was understood, and wishes to pick from.

Data in, widgets out. What a click does is given by the page. Each part keeps its place also when there is nothing in
it: the focus and what is below stay where they are.
"""

import zlib
from collections.abc import Callable, Sequence

import streamlit as st

from app import components
from app.frame import Here
from recommender.dialogue.acts import Act
from recommender.dialogue.brief import Brief, Wish
from recommender.dialogue.state import Offer, Question, State
from recommender.questions import ANYTHING
from recommender.replies import Known, chip, option_text, question_text

SHORT = 60
"""Characters of a goal on its chip; the whole of it stands inside."""


def known(here: Here) -> Known:
    """Return where replies get their facts."""
    senior = here.service.senior(here.who.id)
    return Known(here.service.junior, here.service.slate, senior)


def reply(here: Here, paragraphs: Sequence[str]) -> None:
    """Draw what the guide says."""
    with st.container(key="reply", gap="xsmall"):
        if paragraphs:
            st.caption(here.say("ask.guide"))
        for each in paragraphs:
            components.words(each)


def question(
    here: Here,
    asked: Question | None,
    on_answer: Callable[[str, str], None],
    on_skip: Callable[[str], None],
    on_why: Callable[[], None],
) -> None:
    """Draw the one open question: chips, no preference, skip, and why it is asked."""
    with st.container(key="question", gap="small"):
        if asked is None:
            return
        st.header(question_text(asked, here.language), anchor=False)
        with st.container(horizontal=True, gap="small", key="options"):
            for place, option in enumerate((*asked.options, ANYTHING)):
                text = components.plain(option_text(asked.facet, option, here.language))
                st.button(
                    text, key=f"option-{asked.id}-{place}", wrap=True, on_click=on_answer, args=(option, asked.id)
                )
        with st.container(horizontal=True, gap="small", vertical_alignment="center"):
            st.button(
                here.say("question.skip"), key="question-skip", type="tertiary", on_click=on_skip, args=(asked.id,)
            )
            st.button(here.say("question.why"), key="question-why", type="tertiary", on_click=on_why)
            st.caption(here.say("question.or_type"))


def brief(
    here: Here,
    facts: Known,
    told: Brief,
    on_reword: Callable[[str, str], None],
    on_drop: Callable[[Wish | str], None],
) -> None:
    """Draw what was understood as chips: a goal opens to be changed, anything goes away with a click."""
    with st.container(key="brief", gap="xsmall"):
        if told == Brief():
            return
        st.caption(here.say("ask.brief"))
        with st.container(horizontal=True, gap="small"):
            for place, goal in enumerate(told.goals):
                _goal(here, place, goal, on_reword, on_drop)
            for wish in told.wishes:
                name = f"wish-{wish.kind}-{zlib.crc32(wish.value.encode())}"
                _gone(here, name, chip(wish, facts, here.language), wish, on_drop)
            if told.level is not None:
                key = "beginner" if told.level < LOW else "some" if told.level < MIDDLE else "good"
                text = here.say("chip.level", value=here.say(f"option.{key}"))
                _gone(here, "level", text, "level", on_drop)
            if told.gives_back:
                text = here.say("chip.gives_back", value=_short(told.gives_back))
                _gone(here, "gives-back", text, "gives_back", on_drop)


LOW, MIDDLE = 2.0, 4.0
"""Levels from which somebody knows the usual things, and uses it often."""


def wishes(here: Here, facts: Known, offered: Sequence[Wish], on_wish: Callable[[Wish], None]) -> None:
    """Draw wishes that would show other people."""
    with st.container(key="wishes", gap="xsmall"):
        if not offered:
            return
        st.caption(here.say("ask.wishes"))
        with st.container(horizontal=True, gap="small"):
            for each in offered:
                text = components.plain(chip(each, facts, here.language))
                key = f"wish-{each.kind}-{'yes' if each.wanted else 'no'}"
                st.button(text, key=key, wrap=True, on_click=on_wish, args=(each,))


def offer(here: Here, state: State, on_yes: Callable[[Offer], None], on_no: Callable[[], None]) -> None:
    """Draw yes and no to what the guide has offered."""
    with st.container(key="offer", horizontal=True, gap="small"):
        if state.offer is None:
            return
        yes = "ask.hand_over_yes" if state.offer is Offer.HAND_OVER else "ask.drop_yes"
        st.button(here.say(yes), key="offer-yes", type="primary", on_click=on_yes, args=(state.offer,))
        st.button(here.say("ask.offer_no"), key="offer-no", on_click=on_no)


def unsure(here: Here, acts: Sequence[Act], on_meant: Callable[[Act], None]) -> None:
    """Draw what the last words may have meant."""
    with st.container(key="unsure", horizontal=True, gap="small"):
        for each in acts:
            st.button(here.say(f"unsure.{each}"), key=f"meant-{each}", wrap=True, on_click=on_meant, args=(each,))
        if acts:
            st.caption(here.say("unsure.none"))


def _goal(
    here: Here,
    place: int,
    goal: str,
    on_reword: Callable[[str, str], None],
    on_drop: Callable[[Wish | str], None],
) -> None:
    same = zlib.crc32(goal.encode())
    with st.popover(components.plain(_short(goal)), icon=":material/edit:", key=f"goal-{place}"):
        key = f"reword-{same}"
        st.text_area(here.say("ask.reword"), value=goal, key=key)
        st.button(
            here.say("ask.reword_go"),
            key=f"reword-go-{same}",
            type="primary",
            on_click=lambda: on_reword(goal, st.session_state[key]),
        )
        st.button(here.say("ask.remove"), key=f"goal-gone-{same}", on_click=on_drop, args=(goal,))


def _gone(here: Here, name: str, text: str, gone: Wish | str, on_drop: Callable[[Wish | str], None]) -> None:
    st.button(
        components.plain(_short(text)),
        key=f"drop-{name}",
        icon=":material/close:",
        help=None,
        wrap=True,
        on_click=on_drop,
        args=(gone,),
    )


def _short(text: str) -> str:
    one_line = " ".join(text.split())
    return one_line if len(one_line) <= SHORT else f"{one_line[: SHORT - 1].rstrip()}…"
