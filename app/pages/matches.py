"""The page of the two: the one thing to do now on top, and below it what they have together. The side is data."""

import streamlit as st

from app import agreement_form, check_in_form, components, doing, frame, invitation, matches_views, meeting_form, rating
from app.frame import Here
from app.identity import Role
from app.matches_views import Mine, Next
from app.pause_or_stop import draw as pause_or_stop
from recommender.domain import Side
from recommender.letters import day
from recommender.pair import STARTED, PairState


def page() -> None:
    """Draw one open pair at a time, then what is over."""
    here = frame.here()
    side = Side.JUNIOR if here.who.role is Role.JUNIOR else Side.SENIOR
    mine = matches_views.mine(here.service, here.who.id, side, here.language)
    with st.container(key="matches"):
        _draw(here, mine, side)


def _draw(here: Here, mine: list[Mine], side: Side) -> None:
    st.title(here.say("matches.title"), anchor=False)
    open_now = [each for each in mine if each.pair.open]
    if open_now:
        looked_at = _choose(here, open_now)
        with st.container(border=True, key="now"):
            components.problem(here.session)
            _now(here, looked_at)
        if looked_at.pair.state in STARTED:
            _together(here, looked_at)
    else:
        with st.container(key="now"):
            components.problem(here.session)
            _empty(here, side)
    _over(here, [each for each in mine if not each.pair.open])


def _choose(here: Here, mine: list[Mine]) -> Mine:
    """Let somebody with more pairs than one say which; what asks something comes first."""
    if len(mine) == 1:
        return mine[0]
    by_id = {each.pair.id: each for each in mine}
    chosen = st.pills(
        here.say(f"matches.which_{mine[0].side}"),
        list(by_id),
        default=mine[0].pair.id,
        required=True,
        format_func=lambda each: here.say(
            "matches.which_asks" if by_id[each].asks else "matches.which_one", name=components.plain(by_id[each].name)
        ),
        key=f"matches-which-{here.who.id}",
        wrap=True,
    )
    return by_id.get(chosen, mine[0])


def _now(here: Here, mine: Mine) -> None:
    """Draw the one thing that comes first."""
    name = components.plain(mine.name)
    if mine.asks:
        with st.container(key="now-title"):
            st.markdown(here.say("matches.now"))
    match mine.next:
        case Next.ANSWER:
            invitation.draw(here, mine)
        case Next.WAIT:
            invitation.waiting(here, mine)
        case Next.MARK:
            meeting_form.mark(here, mine, mine.to_mark[0])
        case Next.CHECK_IN if mine.check_in:
            check_in_form.form(here, mine, mine.check_in)
        case Next.AGREE:
            agreement_form.form(here, mine)
        case Next.PLAN:
            meeting_form.form(here, mine)
        case Next.REST:
            st.header(here.say("stop.paused_title", name=name), icon=":material/pause_circle:", anchor=False)
            st.markdown(here.say(f"stop.paused_text_{mine.side}"))
        case _:
            st.header(here.say(f"matches.nothing_{mine.side}"), icon=":material/done_all:", anchor=False)
            components.words(here.say("matches.next_meeting", when=matches_views.when(mine.ahead[0], here.language)))


def _together(here: Here, mine: Mine) -> None:
    """Draw what two have who work together: meetings, agreement, how it goes, and the way out."""
    open_form = here.session.doing
    st.header(here.say("matches.with", name=components.plain(mine.full_name)), anchor=False)
    components.words(here.say("matches.about", topic=mine.agreement.topics))
    with st.container(key="meetings", gap="small"):
        _meetings(here, mine, open_form)
    with st.container(key="pact", gap="small"):
        if open_form == (agreement_form.CHANGE, mine.pair.id):
            with st.container(border=True, key="form"):
                agreement_form.form(here, mine)
        elif mine.next is not Next.AGREE:
            with st.expander(here.say("pactform.title"), key=f"pact-open-{mine.pair.id}"):
                agreement_form.text(here, mine)
    with st.container(key="how", gap="small"):
        _how(here, mine, open_form)
    pause_or_stop(here, mine)


def _meetings(here: Here, mine: Mine, open_form: tuple[str, str]) -> None:
    st.subheader(here.say("meeting.title"), anchor=False)
    if not mine.ahead:
        st.markdown(here.say("meeting.none"))
    for each in mine.ahead:
        meeting_form.ahead(here, mine, each)
    if mine.pair.state is PairState.ACTIVE and mine.next is not Next.PLAN:
        if open_form == (meeting_form.PLAN, mine.pair.id):
            with st.container(border=True, key="form"):
                meeting_form.form(here, mine)
        else:
            st.button(
                here.say("meeting.another" if mine.ahead else "meeting.plan_title"),
                key="meeting-plan",
                icon=":material/add:",
                on_click=doing.start,
                args=(meeting_form.PLAN, mine.pair.id, here.say("meeting.plan_title")),
            )
    if mine.done:
        with st.expander(here.say("meeting.done", count=len(mine.done)), key=f"done-{mine.pair.id}"):
            for each in mine.done:
                line = (matches_views.when(each, here.language), matches_views.what_came(each, mine, here.language))
                components.words(" ".join(line))


def _how(here: Here, mine: Mine, open_form: tuple[str, str]) -> None:
    """Draw the mark, and the short questions that were answered: those may be answered again."""
    if mine.next is Next.CHECK_IN:
        return
    if mine.check_in and open_form == (check_in_form.AGAIN, mine.pair.id):
        with st.container(border=True, key="form"):
            check_in_form.form(here, mine, mine.check_in)
        return
    rating.draw(here, mine.pair.slate_id, mine.side, mine.name)
    if mine.check_in:
        st.button(
            here.say("checkin.again", week=mine.check_in.week),
            key="checkin-again",
            on_click=doing.start,
            args=(check_in_form.AGAIN, mine.pair.id, here.say("checkin.title")),
        )


def _empty(here: Here, side: Side) -> None:
    with st.container(border=True, key="empty"):
        st.header(here.say("matches.empty"), anchor=False)
        st.markdown(here.say(f"matches.empty_{side}"))
        if side is Side.SENIOR:
            st.button(here.say("matches.ask"), key="matches-ask", type="primary", on_click=_go, args=("ask",))


def _over(here: Here, mine: list[Mine]) -> None:
    """Draw what is over; how it went can still be said of those who worked together."""
    if not mine:
        return
    with st.container(key="over", gap="small"):
        st.header(here.say("matches.over"), anchor=False)
        for each in mine:
            with st.container(border=True, key=f"over-{each.pair.id}", gap="small"):
                components.words(matches_views.over(each, here.language))
                if each.pair.ended_at:
                    st.caption(day(each.pair.ended_at, here.language))
                if not each.has_worked:
                    continue
                if each.next is Next.CHECK_IN and each.check_in:
                    check_in_form.form(here, each, each.check_in)
                else:
                    rating.draw(here, each.pair.slate_id, each.side, each.name)


def _go(page_name: str) -> None:
    frame.here().session.go_to = page_name
