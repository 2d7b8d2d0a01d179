"""The page of somebody who explains: their own words, and how a card with them looks."""

from dataclasses import replace

import streamlit as st

from app import components, frame, views
from app.frame import Here
from recommender.domain import DAYS, Junior, Remote

TEXT, WANTS = "profile-text", "profile-wants"
LANGUAGES = ("nl", "en", "fr", "de", "tr", "pl", "ar", "es")


def page() -> None:
    """Draw the profile beside its preview. What is typed stays until it is saved or taken back."""
    here = frame.here()
    stored = here.service.junior(here.who.id)
    if here.session.draft is None:
        here.session.draft = stored
    st.title(here.say("profile.title"), anchor=False)
    st.markdown(here.say("profile.intro"))
    left, right = st.columns([3, 2], gap="large")
    with left:
        here.session.draft = draft = _form(here, here.session.draft)
        _save(here, draft, stored)
    with right, st.container(key="preview"):
        st.header(here.say("profile.preview"), anchor=False)
        st.caption(here.say("profile.preview_text"))
        components.suggestion_card(views.preview(draft, here.language), here.language, "preview-card")
        if not draft.active or not draft.consent:
            st.warning(here.say("profile.not_shown"), icon=":material/visibility_off:")


def _form(here: Here, junior: Junior) -> Junior:
    """Draw the fields and return the profile as it is typed now."""
    say = here.say
    none = say("level.none")
    with st.container(border=True, key="profile-words"):
        st.header(say("profile.part_words"), anchor=False)
        text = st.text_area(say("profile.text"), junior.text, height=210, key=TEXT)
        st.caption(say("profile.text_help"))
        wants = st.text_area(say("profile.wants"), junior.wants, height=110, key=WANTS)
    with st.container(border=True, key="profile-level-part"):
        st.header(say("profile.part_level"), anchor=False)
        levels = [None, *views.LEVELS]
        level = st.selectbox(
            say("profile.level"),
            levels,
            index=levels.index(junior.level),
            format_func=lambda each: say(f"level.{each}") if each else none,
            key="profile-level",
        )
        wishes = [None, *views.WISHES]
        wish = st.selectbox(
            say("profile.wish"),
            wishes,
            index=wishes.index(junior.wish_to_teach),
            format_func=lambda each: say(f"wish.{each}") if each else none,
            key="profile-wish",
        )
    with st.container(border=True, key="profile-when"):
        st.header(say("profile.part_when"), anchor=False)
        known = [*LANGUAGES, *(each for each in junior.languages if each not in LANGUAGES)]
        languages = st.pills(
            say("profile.languages"),
            known,
            selection_mode="multi",
            default=list(junior.languages),
            format_func=lambda each: views.languages([each], here.language),
            key="profile-languages",
        )
        days = st.pills(
            say("profile.days"),
            DAYS,
            selection_mode="multi",
            default=list(junior.days),
            format_func=lambda each: say(f"day.{each}"),
            key="profile-days",
        )
        remote = st.segmented_control(
            say("profile.remote"),
            [*Remote],
            default=junior.remote,
            format_func=lambda each: say(f"remote.{each}"),
            required=True,
            key="profile-remote",
        )
        capacities = [*views.CAPACITIES, *(each for each in [junior.capacity] if each not in views.CAPACITIES)]
        capacity = st.segmented_control(
            say("profile.capacity"), capacities, default=junior.capacity, required=True, key="profile-capacity"
        )
    with st.container(border=True, key="profile-share"):
        st.header(say("profile.part_share"), anchor=False)
        consent = st.checkbox(say("profile.consent"), junior.consent, key="profile-consent")
        pause = st.checkbox(say("profile.pause"), not junior.active, key="profile-pause")
    return replace(
        junior,
        text=text,
        wants=wants,
        level=level,
        wish_to_teach=wish,
        languages=junior.languages if set(languages) == set(junior.languages) else tuple(languages),
        days=junior.days if set(days) == set(junior.days) else tuple(each for each in DAYS if each in days),
        remote=Remote(remote or junior.remote),
        capacity=junior.capacity if capacity is None else capacity,
        consent=consent,
        active=not pause,
    )


def _save(here: Here, draft: Junior, stored: Junior) -> None:
    components.problem(here.session)
    changed = draft != stored
    with st.container(key="save", horizontal=True, vertical_alignment="center", gap="small"):
        st.button(
            here.say("profile.save"),
            key="profile-save",
            type="primary",
            icon=":material/check:",
            on_click=_save_clicked,
            disabled=not changed,
        )
        if changed:
            st.caption(here.say("profile.unsaved"))
        elif here.session.saved:
            st.caption(here.say("profile.saved"))


def _save_clicked() -> None:
    here = frame.here()
    draft = _typed(here)
    if draft is None:
        return
    with here.session.step():
        stored = here.session.draft = here.service.save_junior(draft)
        st.session_state[TEXT], st.session_state[WANTS] = stored.text, stored.wants  # as cleaned
        here.session.saved = True
        here.session.announce("profile.announce_saved")


def _typed(here: Here) -> Junior | None:
    """Return the draft with what was typed since the page was drawn: a click may come before its run."""
    draft = here.session.draft
    if draft is None:
        return None
    return replace(draft, text=st.session_state[TEXT], wants=st.session_state[WANTS])
