"""What was decided lately, batch by batch, each with the way back."""

import streamlit as st

from app import components, frame, review_queue, review_views
from app.frame import Here
from app.review_queue import Queue
from app.review_views import Told
from recommender.domain import SlateId
from recommender.store.steps import StepId


def done(here: Here, queue: Queue) -> None:
    """Say what has just been decided, with one press to take it back."""
    if queue.done is None:
        return
    with st.container(key="done", horizontal=True, vertical_alignment="center", gap="small"):
        count = len(queue.done.slate_ids)
        components.words(here.say(f"queue.done_{queue.done.kind}{'' if count == 1 else '_many'}", count=count))
        st.button(
            here.say("review.undo"),
            key="take-back",
            icon=":material/undo:",
            on_click=_undo,
            args=(queue.done.step_id, queue.done.slate_ids),
        )


def draw(here: Here, queue: Queue) -> None:
    """Draw the last batches that still stand."""
    batches = _batches(here, queue)
    if not batches:
        return
    with st.container(key="recent"):
        st.header(here.say("review.recent"), anchor=False)
        for each in batches:
            with st.container(
                border=True, key=f"decided-{each.step_id}", horizontal=True, vertical_alignment="center", gap="small"
            ):
                with st.container(gap=None, width="stretch"):
                    _batch(here, each)
                st.button(
                    here.say("review.undo"),
                    key=f"undo-{each.step_id}",
                    icon=":material/undo:",
                    on_click=_undo,
                    args=(each.step_id, each.slate_ids),
                )
        if queue.part == "recent":
            review_queue.problem(here, queue)


def _batches(here: Here, queue: Queue) -> list[Told]:
    """Return the last batches in words; they are read anew only when something was decided or taken back."""
    mark = (here.language, review_views.mark(here.service))
    if queue.mark != mark:
        people = review_views.everybody(here.service)
        found = here.service.reviewing.recent(review_views.RECENT)
        queue.mark, queue.recent = mark, [review_views.told(each, people, here.language) for each in found]
    return queue.recent


def _batch(here: Here, batch: Told) -> None:
    if len(batch.pairs) == 1:
        components.words(batch.pairs[0])
        st.caption(batch.what)
    else:
        components.words(batch.what)
        with st.expander(here.say("queue.which"), key=f"which-{batch.step_id}"):
            components.words("\n".join(batch.pairs))
    st.caption(components.plain(batch.by))


def _undo(step_id: StepId, slate_ids: tuple[SlateId, ...]) -> None:
    here = frame.here()
    queue = review_queue.current(here)
    queue.part, queue.tried, queue.done = "recent", (), None
    with here.session.step():
        here.service.reviewing.undo(step_id, here.who.id)
        here.session.reviewing = slate_ids[0]
        here.session.announce("review.announce_undone", focus="detail")
