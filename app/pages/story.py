"""GE 1999 as a page: 500 seniors and 900 juniors, matched while you watch, in a store that is gone afterwards."""

import streamlit as st

from app import components, frame, resources, story_views
from app.frame import Here
from app.rehearsal import Rehearsal, rehearsal
from recommender.ge_1999 import JUNIORS, SENIORS, Story
from recommender.replies import Known


def page() -> None:
    """Draw the story, the button that plays it, and what came of it."""
    here, held = frame.here(), rehearsal()
    st.title(here.say("story.title"), anchor=False)
    st.markdown(here.say("story.text"))
    st.caption(here.say("story.made_up", seniors=SENIORS, juniors=JUNIORS))
    components.problem(here.session)
    if held.running:
        _watch(here, held)
        return
    if held.failed:
        st.error(here.say("frame.broken", code=held.failed), icon=":material/error:")
    again = held.story is not None
    st.button(
        here.say("story.again" if again else "story.play"),
        key="story-play",
        type="secondary" if again else "primary",
        icon=":material/play_arrow:",
        on_click=_play,
    )
    if held.story is not None:
        _outcome(here, held.story)


@st.fragment(run_every="1s")
def _watch(here: Here, held: Rehearsal) -> None:
    """Draw how far it is; looks again by itself, and draws the whole page anew when it is over."""
    if not held.running:
        here.session.announce("story.announce_over", focus="story-outcome")
        st.rerun()
    st.progress(held.done / held.total if held.total else 0.0, text=here.say("story.running"))


def _outcome(here: Here, story: Story) -> None:
    with st.container(key="story-outcome"):
        st.header(here.say("story.outcome"), anchor=False)
        components.facts(story_views.tiles(story, here.language), "story")
    counts = story_views.fits(story, here.language)
    told = here.say("story.fits_alt", good=int(counts[0][1]), fair=int(counts[1][1]), poor=int(counts[2][1]))
    components.bars(counts, here.say("story.pairs"), told, here.language, "story-fits")
    st.caption(told)
    st.header(here.say("story.steps"), anchor=False)
    heads = [here.say("story.people"), here.say("story.seconds")]
    components.table(
        story_views.steps(story, here.language), heads, here.say("story.steps_alt"), here.say("story.step")
    )
    st.header(here.say("story.some"), anchor=False)
    heads = [here.say("story.unit"), here.say("story.junior"), here.say("story.unit")]
    components.table(story_views.pairs(story), heads, here.say("story.some_alt"), here.say("story.senior"))
    if story.left_over:
        st.header(here.say("story.left"), anchor=False)
        known = Known(here.service.junior, here.service.slate)
        for line in story_views.left_over(story, known, here.language):
            components.words(line)


def _play() -> None:
    here = frame.here()
    with here.session.step():
        rehearsal().start(resources.installation().parts)
        here.session.announce("story.announce_started")
