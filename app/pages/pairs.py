"""The page of the coordinator about pairs: what needs attention, invitations, who learns together, and the post."""

import streamlit as st

from app import components, frame, letters_part, pair_detail, pairs_views
from app.frame import Here
from app.pairs_views import Part, Row
from recommender.domain import JuniorId, PairId

PART, VIEW, DEPARTMENT, PLACE = "pairs-part", "pairs-view", "pairs-department", "pairs-place"
LIST, TABLE = "list", "table"


def page() -> None:
    """Draw early warnings, the pair that is looked at, and one part of the page."""
    here = frame.here()
    st.title(here.say("pairs.title"), anchor=False)
    components.problem(here.session)
    _warnings(here)
    if here.session.pair_id:
        with st.container(border=True, key="detail"):
            pair_detail.draw(here, here.session.pair_id)
    part = st.segmented_control(
        here.say("pairs.part"),
        [*Part],
        default=Part.INVITED,
        required=True,
        format_func=lambda each: here.say(f"pairs.part_{each}"),
        key=PART,
        wrap=True,
        label_visibility="collapsed",
        on_change=_first_page,
    )
    part = Part(part or Part.INVITED)
    with st.container(key="part"):
        if part is Part.LETTERS:
            letters_part.draw(here)
        else:
            _pairs(here, part)


def _warnings(here: Here) -> None:
    """Draw the pairs that come to a stop, each once, with every sign of it."""
    early = pairs_views.early(here.service, here.language)
    if not early:
        return
    with st.container(key="early", gap="small"):
        st.header(here.say("pairs.early", count=len(early)), anchor=False)
        for each in early[: pairs_views.WARNINGS]:
            with st.container(
                border=True, key=f"early-{each.pair.id}", horizontal=True, vertical_alignment="center", gap="small"
            ):
                with st.container(gap=None, width="stretch"):
                    components.words(here.say("pairs.names", senior=each.senior, junior=each.junior))
                    components.words("\n".join(f"–  {sign}" for sign in each.signs))
                _look_button(here, each.pair.id, f"see-{each.pair.id}")
        if len(early) > pairs_views.WARNINGS:
            st.caption(here.say("pairs.early_more", count=len(early) - pairs_views.WARNINGS))


def _pairs(here: Here, part: Part) -> None:
    """Draw the pairs of one part, ten at a time, as a list or a table."""
    every = pairs_views.found(here.service, part)
    names = pairs_views.departments(here.service, every)
    with st.container(key="filters", horizontal=True, vertical_alignment="bottom", gap="medium"):
        department = st.selectbox(
            here.say("pairs.department"),
            names,
            index=None,
            placeholder=here.say("pairs.department_all"),
            key=DEPARTMENT,
            on_change=_first_page,
            width=360,
        )
        view = st.segmented_control(
            here.say("pairs.view"),
            (LIST, TABLE),
            default=LIST,
            required=True,
            format_func=lambda each: here.say(f"pairs.view_{each}"),
            key=VIEW,
        )
    found = pairs_views.of_department(here.service, every, department)
    st.header(here.say(f"pairs.head_{part}", count=len(found)), anchor=False)
    st.caption(here.say(f"pairs.text_{part}"))
    if not found:
        st.markdown(here.say("pairs.nobody"))
        return
    first = min(st.session_state.get(PLACE, 0), (len(found) - 1) // pairs_views.ON_A_PAGE * pairs_views.ON_A_PAGE)
    rows = pairs_views.rows(here.service, found[first : first + pairs_views.ON_A_PAGE])
    if view == TABLE:
        cells, columns = pairs_views.table(rows, first + 1, here.language)
        components.table(cells, columns, here.say(f"pairs.head_{part}", count=len(found)), here.say("pairs.who"))
    else:
        for row in rows:
            _item(here, row, part)
    _turn(here, first, len(found))


def _item(here: Here, row: Row, part: Part) -> None:
    with st.container(border=True, key=f"pair-{row.pair.id}", gap="small"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            with st.container(gap="xsmall", width="stretch"):
                name = here.say("pairs.names", senior=row.senior, junior=row.junior)
                st.subheader(components.plain(name), anchor=False)
                if row.department:
                    st.caption(components.plain(row.department))
            _look_button(here, row.pair.id, f"look-{row.pair.id}")
        components.facts(pairs_views.facts(row, here.language), f"pair-{row.pair.id}")
        if row.health:
            components.words("\n".join(f"–  {each}" for each in pairs_views.health_reasons(row, here.language)))
        if part is Part.AGAIN:
            _candidates(here, row)


def _candidates(here: Here, row: Row) -> None:
    """Draw who else was found for the same request, each with a button."""
    candidates = here.service.pairs.next_candidates(row.pair.id)[: pairs_views.CANDIDATES]
    if not candidates:
        st.markdown(here.say("pairs.no_candidate"))
        return
    st.caption(here.say("pairs.candidates"))
    with st.container(horizontal=True, gap="small"):
        for junior_id in candidates:
            st.button(
                here.say("pairs.invite", name=components.plain(here.service.junior(junior_id).name)),
                key=f"invite-{row.pair.id}-{junior_id}",
                icon=":material/mail:",
                on_click=_invite,
                args=(row.pair.id, junior_id),
            )


def _turn(here: Here, first: int, count: int) -> None:
    """Draw the way to the next ten and the ten before."""
    size = pairs_views.ON_A_PAGE
    if count <= size:
        return
    with st.container(key="turn", horizontal=True, vertical_alignment="center", gap="small"):
        st.button(
            here.say("pairs.before"), key="pairs-before", disabled=first == 0, on_click=_to_place, args=(first - size,)
        )
        st.button(
            here.say("pairs.next"),
            key="pairs-next",
            disabled=first + size >= count,
            on_click=_to_place,
            args=(first + size,),
        )
        st.markdown(here.say("pairs.range", first=first + 1, last=min(first + size, count), count=count))


def _look_button(here: Here, pair_id: PairId, key: str) -> None:
    st.button(here.say("pairs.look"), key=key, on_click=_look, args=(pair_id,))


# What the coordinator does


def _look(pair_id: PairId) -> None:
    here = frame.here()
    here.session.problem = None
    here.session.pair_id = pair_id
    here.session.announce("pairs.announce_look", focus="detail")


def _first_page() -> None:
    st.session_state[PLACE] = 0


def _to_place(first: int) -> None:
    st.session_state[PLACE] = max(first, 0)
    frame.here().session.announce("pairs.announce_page", focus="part")


def _invite(pair_id: PairId, junior_id: JuniorId) -> None:
    here = frame.here()
    with here.session.step():
        here.service.reviewing.invite_next(pair_id, junior_id, here.who.id)
        here.session.announce("pairs.announce_invited", focus="part")
