"""Meetings: plan, move, cancel, say whether it happened, and a file for one's calendar.

Days and times are lists of words: the calendar of Streamlit speaks the language of the browser, not of the page.
"""

import streamlit as st

from app import components, doing, frame, matches_views, views
from app.frame import Here
from app.matches_views import ELSEWHERE, MINUTES, ONLINE, USUAL_TIME, Mine
from recommender.domain import Side
from recommender.pair import OFF_REASONS, Meeting, PairState

PLAN, MOVE, CANCEL = "plan", "move", "cancel"
LONGEST_PLACE = 150


def form(here: Here, mine: Mine, moved: Meeting | None = None) -> None:
    """Draw the form of a meeting: a new one, or one that moves."""
    about = moved.id if moved else mine.pair.id
    now = here.service.now()
    starts = moved.starts_at.astimezone() if moved else None
    st.header(here.say("meeting.move_title" if moved else "meeting.plan_title"), anchor=False)
    if mine.shared:
        days = views.days(mine.shared, here.language)
        components.words(here.say(f"meeting.shared_{mine.side}", days=days))
    days_to_pick = matches_views.days_to_pick(now, also=starts)
    st.selectbox(
        here.say("meeting.day"),
        days_to_pick,
        index=days_to_pick.index(starts.date() if starts else matches_views.first_day(days_to_pick, now, mine.shared)),
        format_func=lambda each: matches_views.day_in_words(each, here.language),
        key=f"meeting-day-{about}",
    )
    times = matches_views.times_to_pick(also=starts)
    st.selectbox(
        here.say("meeting.time"),
        times,
        index=times.index(matches_views.minute_of(starts) if starts else USUAL_TIME),
        format_func=lambda each: f"{each:%H:%M}",
        key=f"meeting-time-{about}",
    )
    minutes = moved.minutes if moved else here.service.programme.current().minutes
    lengths = sorted({*MINUTES, minutes})
    st.pills(
        here.say("meeting.minutes"),
        lengths,
        default=minutes,
        format_func=lambda each: here.say("meeting.minutes_one", minutes=each),
        required=True,
        key=f"meeting-minutes-{about}",
        wrap=True,
    )
    if not moved:
        st.pills(
            here.say("meeting.where"),
            [ONLINE, *mine.sites, ELSEWHERE],
            default=ONLINE,
            format_func=lambda each: (
                here.say(f"meeting.where_{each}") if each in (ONLINE, ELSEWHERE) else components.plain(each)
            ),
            key=f"meeting-where-{about}",
            wrap=True,
        )
    st.text_input(
        here.say("meeting.place_moved" if moved else "meeting.place"),
        moved.place if moved else "",
        max_chars=LONGEST_PLACE,
        key=f"meeting-place-{about}",
    )
    with st.container(horizontal=True, gap="small"):
        st.button(
            here.say("meeting.move_save" if moved else "meeting.plan_save"),
            key="meeting-save",
            type="primary",
            icon=":material/event_available:",
            on_click=_save,
            args=(mine.pair.id, moved.id if moved else None),
        )
        if here.session.doing[0] in (PLAN, MOVE):
            doing.back(here)
    st.caption(here.say("meeting.both_hear", name=components.plain(mine.name)))


def mark(here: Here, mine: Mine, meeting: Meeting) -> None:
    """Ask whether a meeting that is over has happened."""
    st.header(here.say("meeting.mark_title"), anchor=False)
    components.words(matches_views.when(meeting, here.language))
    if here.session.doing == (CANCEL, meeting.id):
        _why(here, mine, meeting)
        return
    with st.container(horizontal=True, gap="small"):
        st.button(
            here.say("meeting.held_yes"),
            key="meeting-held",
            type="primary",
            icon=":material/check:",
            on_click=_held,
            args=(meeting.id,),
        )
        st.button(
            here.say("meeting.held_no"),
            key="meeting-not-held",
            on_click=doing.start,
            args=(CANCEL, meeting.id, here.say("meeting.not_held_title")),
        )


def ahead(here: Here, mine: Mine, meeting: Meeting) -> None:
    """Draw a meeting to come, with what can be done about it."""
    with st.container(border=True, key=f"meeting-{meeting.id}", gap="small"):
        components.words(matches_views.when(meeting, here.language))
        if meeting.place:
            components.words(here.say("meeting.at", place=meeting.place))
        if here.session.doing == (CANCEL, meeting.id):
            _why(here, mine, meeting)
            return
        if here.session.doing == (MOVE, meeting.id):
            with st.container(key="form"):
                form(here, mine, meeting)
            return
        with st.container(horizontal=True, gap="small"):
            st.download_button(
                here.say("meeting.calendar"),
                here.service.pairs.calendar(meeting.id, here.language),
                here.say("calendarfile.name"),
                "text/calendar",
                key=f"calendar-{meeting.id}",
                icon=":material/event:",
                on_click="ignore",
            )
            if mine.pair.state is PairState.ACTIVE:
                st.button(
                    here.say("meeting.move"),
                    key=f"move-{meeting.id}",
                    on_click=doing.start,
                    args=(MOVE, meeting.id, here.say("meeting.move_title")),
                )
                st.button(
                    here.say("meeting.cancel"),
                    key=f"cancel-{meeting.id}",
                    on_click=doing.start,
                    args=(CANCEL, meeting.id, here.say("meeting.cancel_title")),
                )


def _why(here: Here, mine: Mine, meeting: Meeting) -> None:
    late = bool(mine.to_mark) and meeting in mine.to_mark
    with st.container(key="form", gap="small"):
        st.subheader(here.say("meeting.not_held_title" if late else "meeting.cancel_title"), anchor=False)
        st.pills(
            here.say(f"meeting.cancel_reason_{mine.side}"),
            OFF_REASONS,
            format_func=lambda each: here.say(f"pairoff.{each}"),
            key=f"cancel-reason-{meeting.id}",
            wrap=True,
        )
        with st.container(horizontal=True, gap="small"):
            st.button(
                here.say("meeting.not_held_save" if late else "meeting.cancel_save"),
                key="meeting-cancel",
                on_click=_cancel,
                args=(meeting.id, mine.side),
            )
            doing.back(here)


def _save(pair_id: str, meeting_id: str | None) -> None:
    here = frame.here()
    about, typed = meeting_id or pair_id, st.session_state
    with here.session.step():
        starts_at = matches_views.starts_at(typed[f"meeting-day-{about}"], typed[f"meeting-time-{about}"])
        minutes, words = typed[f"meeting-minutes-{about}"], typed[f"meeting-place-{about}"]
        if meeting_id:
            here.service.pairs.move(meeting_id, starts_at, minutes, words, here.who.id)
            doing.done("meeting.announce_moved")
        else:
            place = matches_views.place_of(typed[f"meeting-where-{about}"], words, here.language)
            here.service.pairs.plan(pair_id, starts_at, minutes, place, here.who.id)
            doing.done("meeting.announce_planned")


def _held(meeting_id: str) -> None:
    here = frame.here()
    with here.session.step():
        here.service.pairs.held(meeting_id, here.who.id)
        doing.done("meeting.announce_held")


def _cancel(meeting_id: str, side: Side) -> None:
    here = frame.here()
    with here.session.step():
        reason = matches_views.given(st.session_state[f"cancel-reason-{meeting_id}"])
        here.service.pairs.cancel(meeting_id, side, reason, here.who.id)
        doing.done("meeting.announce_cancelled")
