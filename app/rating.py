"""How it went, in one of five words, for each side of a pair apart. No stars, and nobody sees the other's answer."""

import streamlit as st

from app import components, frame
from app.frame import Here
from recommender.domain import Side, SlateId

RATINGS = (5, 4, 3, 2, 1)


def draw(here: Here, slate_id: SlateId, side: Side, name: str) -> None:
    """Draw the five words; what was said before is chosen already, and another word replaces it."""
    key = f"rating-{side}-{slate_id}"
    said = here.service.rating_of(slate_id, side)
    with st.container(key=f"rate-{slate_id}", gap="small"):
        st.subheader(here.say("rating.title", name=components.plain(name)), anchor=False)
        st.pills(
            here.say(f"rating.ask_{side}"),
            RATINGS,
            default=said,
            required=True,
            format_func=lambda each: here.say(f"rating.word_{each}"),
            key=key,
            wrap=True,
            on_change=_rated,
            args=(slate_id, side, key),
        )
        if said:
            components.words(here.say(f"rating.said_{side}", word=here.say(f"rating.word_{said}")))
        st.caption(here.say(f"rating.blind_{side}", name=components.plain(name)))


def _rated(slate_id: SlateId, side: Side, key: str) -> None:
    here = frame.here()
    rating = st.session_state[key]
    if rating is None:
        return
    with here.session.step():
        here.service.rate(slate_id, side, rating)
        here.session.announce(f"rating.announce_{side}")
