"""What the two agree on: a text to start from, that either may change, and that counts once both agree."""

from zlib import crc32

import streamlit as st

from app import components, doing, frame
from app.frame import Here
from app.matches_views import Mine
from recommender.domain import Side
from recommender.pair import Agreement, other

CHANGE = "agreement"
PARTS = ("topics", "rhythm", "between_us", "who_prepares", "how_to_stop")
LONGEST = 2000


def form(here: Here, mine: Mine) -> None:
    """Draw the text to change and to agree to."""
    name, seen = components.plain(mine.name), mine.agreement
    st.header(here.say("pactform.title"), anchor=False)
    if seen.agreed(other(mine.side)):
        st.markdown(here.say(f"pactform.other_agreed_{mine.side}", name=name))
    else:
        st.markdown(here.say(f"pactform.text_{mine.side}", name=name))
    typed = st.session_state.get(_typed(mine.pair.id), {})
    for part in PARTS:
        st.text_area(
            here.say(f"pactform.{part}"), getattr(seen, part), key=_key(mine, part), height=90, max_chars=LONGEST
        )
        if typed.get(part, getattr(seen, part)) != getattr(seen, part):
            with st.container(key=f"pact-typed-{part}", gap=None):
                st.caption(here.say(f"pactform.typed_{mine.side}"))
                components.words(typed[part])
    with st.container(horizontal=True, gap="small"):
        st.button(
            here.say("pactform.agree"),
            key="pact-agree",
            type="primary",
            icon=":material/check:",
            on_click=_agree,
            args=(mine.pair.id, mine.side, seen, tuple(_key(mine, part) for part in PARTS)),
        )
        if here.session.doing == (CHANGE, mine.pair.id):
            doing.back(here)


def text(here: Here, mine: Mine) -> None:
    """Draw the text as it stands, and who has agreed to it."""
    agreement = mine.agreement
    for part in PARTS:
        if getattr(agreement, part):
            with st.container(key=f"pact-{part}", gap=None):
                st.caption(here.say(f"pactform.{part}"))
                components.words(getattr(agreement, part))
    if agreement.settled:
        st.markdown(here.say(f"pactform.settled_{mine.side}", name=components.plain(mine.name)))
    elif agreement.agreed(mine.side):
        st.markdown(here.say(f"pactform.waits_{mine.side}", name=components.plain(mine.name)))
    st.button(
        here.say("pactform.change"),
        key="pact-change",
        on_click=doing.start,
        args=(CHANGE, mine.pair.id, here.say("pactform.title")),
    )


def _key(mine: Mine, part: str) -> str:
    """Name a field after the text it started from, so that another text is shown when the other has changed it."""
    return f"pact-{part}-{mine.pair.id}-{crc32('|'.join(mine.agreement.words).encode())}"


def _typed(pair_id: str) -> str:
    """Name where the words stay that somebody typed while the other changed the text: its fields are gone then."""
    return f"pact-typed-{pair_id}"


def _agree(pair_id: str, side: Side, seen: Agreement, keys: tuple[str, ...]) -> None:
    here = frame.here()
    words = [st.session_state[key] for key in keys]
    st.session_state[_typed(pair_id)] = {
        part: word for part, word in zip(PARTS, words, strict=True) if word != getattr(seen, part)
    }
    with here.session.step():
        wanted = seen.with_words(words)
        here.service.pairs.agree(pair_id, side, wanted, here.who.id, seen)
        del st.session_state[_typed(pair_id)]
        doing.done("pactform.announce")
