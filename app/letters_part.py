"""The post as the coordinator sees it: whether letters leave, and which of them need a decision."""

import streamlit as st

from app import components, frame, pairs_views
from app.frame import Here
from app.pairs_views import Troubled
from recommender.letters import why


def draw(here: Here) -> None:
    """Draw how the post is doing and each letter in trouble."""
    overview = here.service.post.overview()
    st.header(here.say("letters.title"), anchor=False)
    if overview.off:
        st.warning(here.say("letters.off"), icon=":material/mail_off:")
    if overview.trouble:
        with st.container(key="post-trouble"):
            st.warning(components.plain(why(overview.trouble.error, here.language)), icon=":material/cloud_off:")
            st.button(here.say("letters.try_now"), key="post-try", on_click=_try_now)
    if overview.counts:
        components.facts(
            [(here.say(f"letterstate.{state}"), str(count)) for state, count in overview.counts.items()], "post"
        )
        since = pairs_views.waiting_since(overview.waiting_since, here.language)
        if since:
            st.caption(since)
    else:
        st.markdown(here.say("letters.none"))
    letters = pairs_views.troubled(here.service, overview.troubled, here.language)
    if letters:
        st.subheader(here.say("letters.troubled", count=len(letters)), anchor=False)
    for each in letters[: pairs_views.ON_A_PAGE]:
        _letter(here, each)
    if len(letters) > pairs_views.ON_A_PAGE:
        st.caption(here.say("letters.rest", count=len(letters) - pairs_views.ON_A_PAGE))


def _letter(here: Here, each: Troubled) -> None:
    letter = each.letter
    with st.container(border=True, key=f"letter-{pairs_views.key_of(letter)}", gap="small"):
        components.words(here.say("letters.one", name=each.name, subject=each.subject))
        st.caption(here.say("letters.made", state=each.state, made=each.made))
        if each.why:
            components.words(each.why)
        with st.container(horizontal=True, gap="small"):
            for act in pairs_views.acts(letter):
                st.button(
                    here.say(f"letters.act_{act}"),
                    key=f"letter-{act}-{pairs_views.key_of(letter)}",
                    on_click=_decide,
                    args=(act, letter.id),
                )


def _decide(act: str, letter_id: str) -> None:
    here = frame.here()
    post = here.service.post
    with here.session.step():
        {"again": post.send_again, "told": post.told, "give_up": post.give_up}[act](letter_id, here.who.id)
        here.session.announce(f"letters.announce_{act}", focus="part")


def _try_now() -> None:
    here = frame.here()
    with here.session.step():
        here.service.post.try_now()
        here.session.announce("letters.announce_try", focus="part")
