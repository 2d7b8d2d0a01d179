"""One pair as the coordinator sees it: how it goes, what was done, and what can be done. No answers of check-ins."""

import streamlit as st

from app import components, doing, frame, matches_views, pairs_views
from app.frame import Here
from app.pairs_views import Row
from recommender.domain import PairId
from recommender.pair import END_REASONS, LEFT, OFF_REASONS, PairState
from recommender.pair_letters import SIDES
from recommender.store.steps import StepId

PAUSE, END = "pair-pause", "pair-end"
REASONS = {PAUSE: OFF_REASONS, END: tuple(each for each in END_REASONS if each != LEFT)}


def draw(here: Here, pair_id: PairId) -> None:
    """Draw the pair with its meetings, its history and the buttons."""
    row = pairs_views.rows(here.service, [here.service.pairs.pair(pair_id)])[0]
    st.header(components.plain(here.say("pairs.names", senior=row.senior, junior=row.junior)), anchor=False)
    components.facts(pairs_views.facts(row, here.language), "looked-at")
    if row.health:
        components.words("\n".join(f"–  {each}" for each in pairs_views.health_reasons(row, here.language)))
        st.caption(here.say("pairs.health_from"))
    if here.session.doing in ((PAUSE, pair_id), (END, pair_id)):
        _form(here, row, here.session.doing[0])
    else:
        _actions(here, row)
    meetings = here.service.pairs.meetings(pair_id)
    if meetings:
        with st.expander(here.say("pairs.meetings", count=len(meetings)), key=f"meetings-of-{pair_id}"):
            for meeting in meetings:
                components.words(pairs_views.meeting_line(meeting, here.language))
    _history(here, row)


def _actions(here: Here, row: Row) -> None:
    pair = row.pair
    with st.container(key="pair-actions", horizontal=True, gap="small"):
        if pair.state is PairState.INVITED:
            st.button(
                here.say("pairs.withdraw"),
                key="pair-withdraw",
                icon=":material/undo:",
                on_click=_withdraw,
                args=(pair.id,),
            )
        if pair.state is PairState.ACTIVE:
            _opens(here, row, PAUSE)
        if pair.state is PairState.PAUSED:
            st.button(here.say("pairs.resume"), key="pair-resume", on_click=_resume, args=(pair.id,))
        if pair.state in (PairState.ACTIVE, PairState.PAUSED):
            _opens(here, row, END)
        for side, name in zip(SIDES, (row.senior, row.junior), strict=True):
            person_id, leaves = pair.person(side), here.say("pairs.leaves", name=components.plain(name))
            if not pairs_views.people(here.service)[person_id].active:
                continue
            if st.button(leaves, key=f"leaves-{side}"):
                _ask_leave(here, person_id, name)
        st.button(here.say("pairs.close"), key="pair-close", icon=":material/close:", on_click=_close)


def _opens(here: Here, row: Row, what: str) -> None:
    title = here.say("pairs.pause" if what == PAUSE else "pairs.end")
    st.button(title, key=what, on_click=doing.start, args=(what, row.pair.id, title))


def _form(here: Here, row: Row, what: str) -> None:
    with st.container(border=True, key="form", gap="small"):
        st.subheader(here.say("pairs.pause" if what == PAUSE else "pairs.end"), anchor=False)
        st.pills(
            here.say("pairs.reason"),
            REASONS[what],
            format_func=lambda each: here.say(f"pairoff.{each}" if what == PAUSE else f"pairend.{each}"),
            key=f"{what}-reason-{row.pair.id}",
            wrap=True,
        )
        st.caption(here.say("pairs.both_hear"))
        with st.container(horizontal=True, gap="small"):
            st.button(
                here.say("pairs.pause_save" if what == PAUSE else "pairs.end_save"),
                key="pair-save",
                on_click=_save,
                args=(what, row.pair.id),
            )
            doing.back(here, "detail")


def _ask_leave(here: Here, person_id: str, name: str) -> None:
    """Ask once more before somebody is taken out of the programme."""

    @st.dialog(here.say("pairs.leave_title", name=components.plain(name)))
    def ask() -> None:
        st.markdown(here.say("pairs.leave_text"))
        with st.container(horizontal=True, gap="small"):
            yes = st.button(here.say("pairs.leave_yes"), key="leave-yes", on_click=_leave, args=(person_id,))
            no = st.button(here.say("doing.back"), key="leave-no")
        if yes or no:
            st.rerun()

    ask()


def _history(here: Here, row: Row) -> None:
    with st.expander(here.say("pairs.history"), key=f"history-{row.pair.id}"):
        for place, each in enumerate(pairs_views.history(here.service, row.pair.id, here.language)):
            with st.container(key=f"past-{place}", horizontal=True, vertical_alignment="center", gap="small"):
                with st.container(gap=None, width="stretch"):
                    components.words(here.say("pairs.step_undone", what=each.what) if each.done.undone else each.what)
                    st.caption(components.plain(here.say("pairs.step_by", who=each.who, at=each.at)))
                if each.can_undo:
                    st.button(
                        here.say("review.undo"),
                        key=f"pair-undo-{place}",
                        icon=":material/undo:",
                        on_click=_undo,
                        args=(each.done.id,),
                    )


# What the coordinator does


def _close() -> None:
    here = frame.here()
    here.session.pair_id, here.session.doing = None, ("", "")
    here.session.announce("pairs.announce_closed", focus="part")


def _withdraw(pair_id: PairId) -> None:
    here = frame.here()
    with here.session.step():
        here.service.pairs.withdraw(pair_id, here.who.id)
        doing.done("pairs.announce_withdrawn", focus="detail")


def _resume(pair_id: PairId) -> None:
    here = frame.here()
    with here.session.step():
        here.service.pairs.resume(pair_id, here.who.id)
        doing.done("pairs.announce_resumed", focus="detail")


def _save(what: str, pair_id: PairId) -> None:
    here = frame.here()
    with here.session.step():
        reason = matches_views.given(st.session_state[f"{what}-reason-{pair_id}"])
        if what == PAUSE:
            here.service.pairs.pause(pair_id, here.who.id, reason)
            doing.done("pairs.announce_paused", focus="detail")
        else:
            here.service.pairs.end(pair_id, here.who.id, reason)
            doing.done("pairs.announce_ended", focus="detail")


def _leave(person_id: str) -> None:
    here = frame.here()
    with here.session.step():
        here.service.pairs.leave(person_id, here.who.id)
        doing.done("pairs.announce_left", focus="detail")


def _undo(step_id: StepId) -> None:
    here = frame.here()
    with here.session.step():
        here.service.pairs.undo(step_id, here.who.id)
        doing.done("pairs.announce_undone", focus="detail")
