"""The page of the coordinator: what waits, why, and a decision that can be taken back."""

from collections.abc import Mapping
from datetime import UTC, datetime

import streamlit as st

from app import components, frame, views
from app.frame import Here
from recommender.dialogue.brief import Brief
from recommender.domain import ConversationId, Decision, Junior, Senior, SeniorId, SlateId
from recommender.replies import Known, chip
from recommender.store.slates import Choice

RECENT = 5
EXPLORE = "exploration"


def page() -> None:
    """Draw the queue, the choice that is looked at, and what was decided lately."""
    here = frame.here()
    waiting = here.service.waiting()
    st.title(here.say("review.title"), anchor=False)
    reason_missing = here.session.problem is not None and here.session.problem.key == "reason_required"
    if not reason_missing:
        components.problem(here.session)
    if not waiting:
        with st.container(border=True, key="empty"):
            st.header(here.say("review.empty"), icon=":material/done_all:", anchor=False)
            st.markdown(here.say("review.empty_text"))
    else:
        looked_at = next((each for each in waiting if each.slate.id == here.session.reviewing), waiting[0])
        left, right = st.columns([4, 9], gap="large")
        with left, st.container(key="queue"):
            _queue(here, waiting, looked_at)
        with right, st.container(key="detail"):
            _detail(here, looked_at)
            if reason_missing:
                components.problem(here.session)
    _handed_over(here)
    _recent(here, here.service.decided()[:RECENT])
    _explore(here)


def _handed_over(here: Here) -> None:
    """Draw the conversations that seniors have given to a person, each with its words."""
    handed = here.service.handed_over()
    if not handed:
        return
    st.header(here.say("handover.title"), anchor=False)
    st.markdown(here.say("handover.text"))
    for each, state in handed:
        senior = here.service.senior(each.senior_id) if each.senior_id else None
        name = senior.name if senior else here.say("review.nobody")
        with st.container(border=True, key=f"handed-{each.conversation_id}"):
            st.subheader(components.plain(here.say("handover.from", name=name)), anchor=False)
            st.caption(views.waited(each.at, datetime.now(UTC), here.language))
            _brief(here, state.brief)
            with st.expander(here.say("handover.read"), key=f"read-{each.conversation_id}"):
                known = Known(here.service.junior, here.service.slate, senior)
                for words in views.transcript(state, known, name, here.language):
                    components.words(words)
            st.button(
                here.say("handover.done"),
                key=f"handed-done-{each.conversation_id}",
                on_click=_spoken_with,
                args=(each.conversation_id,),
            )


def _brief(here: Here, brief: Brief) -> None:
    """Draw the wishes of a conversation and what the senior would give back."""
    known = Known(here.service.junior, here.service.slate)
    if brief.wishes:
        wishes = ", ".join(chip(each, known, here.language) for each in brief.wishes)
        components.words(here.say("handover.wishes", wishes=wishes))
    if brief.gives_back:
        components.words(here.say("handover.gives", words=brief.gives_back))


def _spoken_with(conversation_id: ConversationId) -> None:
    here = frame.here()
    with here.session.step():
        here.service.spoken_with(conversation_id, here.who.id)


def _names(here: Here, choice: Choice) -> tuple[str, str]:
    senior = _senior(here, choice)
    return senior.name if senior else here.say("review.nobody"), views.chosen(choice).name


def _senior(here: Here, choice: Choice) -> Senior | None:
    senior_id = choice.slate.request.senior_id
    return here.service.senior(SeniorId(senior_id)) if senior_id else None


def _queue(here: Here, waiting: list[Choice], looked_at: Choice) -> None:
    count = len(waiting)
    st.header(here.say("review.waiting_one" if count == 1 else "review.waiting", count=count), anchor=False)
    for choice in waiting:
        senior, junior = _names(here, choice)
        current = choice is looked_at
        with st.container(border=True, key=f"{'current' if current else 'item'}-{choice.slate.id}", gap="xsmall"):
            components.words(here.say("review.pair", senior=senior, junior=junior))
            st.caption(views.waited(choice.at, datetime.now(UTC), here.language))
            if current:
                st.caption(here.say("review.looking"))
            else:
                st.button(
                    here.say("review.look"), key=f"look-{choice.slate.id}", on_click=_look, args=(choice.slate.id,)
                )


def _detail(here: Here, choice: Choice) -> None:
    senior, junior = _senior(here, choice), here.service.junior(choice.junior_id)
    load = here.service.load()
    names = _names(here, choice)
    st.header(components.plain(here.say("review.pair", senior=names[0], junior=names[1])), anchor=False)
    with st.container(key="request", gap="xsmall"):
        st.caption(here.say("review.asked", name=components.plain(names[0])))
        components.words(f"“{choice.slate.request.text}”")
        _brief(here, here.service.brief_of(choice))
    for name in views.warnings(choice, senior, junior, load):
        st.warning(here.say(f"review.warn_{name}"), icon=":material/warning:")
    _people(here, senior, junior, load)
    _why(here, choice, junior)
    _compare(here, choice, load)
    _decide(here, choice)


def _people(here: Here, senior: Senior | None, junior: Junior, load: Mapping[str, int]) -> None:
    none = here.say("review.none")
    rows = [
        (here.say("review.row_load"), views.places(junior, load, here.language)),
        (here.say("review.row_site"), junior.site or none),
        (here.say("review.row_remote"), here.say(f"remote.{junior.remote}")),
        (here.say("review.row_days"), views.days(junior.days, here.language) or none),
        (here.say("review.row_languages"), views.languages(junior.languages, here.language)),
        (here.say("review.row_level"), here.say(f"level.{junior.level}") if junior.level else none),
        (here.say("review.row_senior_site"), (senior.site if senior else "") or none),
        (here.say("review.row_senior_days"), views.days(senior.days if senior else (), here.language) or none),
    ]
    components.facts(rows, "review")


def _why(here: Here, choice: Choice, junior: Junior) -> None:
    suggestion = views.chosen(choice)
    with st.container(border=True, key="why"):
        st.caption(here.say("review.on_card"))
        components.reasons(views.card(suggestion, junior, here.language), here.language, "review")
        parts = views.contributions(suggestion, choice.slate.intercept, here.language)
        with st.expander(here.say("review.numbers"), key="numbers"):
            st.markdown(
                here.say(
                    "review.numbers_text", score=views.number(suggestion.score, here.language), rank=suggestion.rank
                )
            )
            components.table(
                {name: [views.number(added, here.language, sign=True)] for name, added in parts},
                [here.say("review.added")],
                here.say("review.numbers_alt"),
                here.say("review.part"),
            )


def _compare(here: Here, choice: Choice, load: Mapping[str, int]) -> None:
    suggestions = views.compared(choice)
    if len(suggestions) < 2 or not st.toggle(here.say("review.compare"), key=f"compare-{choice.slate.id}"):
        return
    juniors = {each.junior_id: here.service.junior(each.junior_id) for each in suggestions}
    components.table(
        views.comparison(suggestions, juniors, load, here.language),
        [each.name for each in suggestions],
        here.say("review.compare_alt"),
        here.say("review.part"),
    )


def _decide(here: Here, choice: Choice) -> None:
    slate_id = choice.slate.id
    with st.container(border=True, key="decide"):
        st.subheader(here.say("review.decide"), anchor=False)
        st.text_area(here.say("review.note"), key=f"note-{slate_id}", height=90)
        st.button(
            here.say("review.approve"),
            key="approve",
            type="primary",
            icon=":material/check:",
            on_click=_approve,
            args=(slate_id,),
        )
        st.pills(
            here.say("review.reason"),
            views.REJECTIONS,
            format_func=lambda each: here.say(f"reject.{each}"),
            key=f"reason-{slate_id}",
        )
        st.button(here.say("review.reject"), key="reject", icon=":material/close:", on_click=_reject, args=(slate_id,))


def _recent(here: Here, decided: list[Choice]) -> None:
    if not decided:
        return
    with st.container(key="recent"):
        st.header(here.say("review.recent"), anchor=False)
        for choice in decided:
            senior, junior = _names(here, choice)
            with st.container(
                border=True, key=f"decided-{choice.slate.id}", horizontal=True, vertical_alignment="center", gap="small"
            ):
                with st.container(gap=None, width="stretch"):
                    components.words(here.say("review.pair", senior=senior, junior=junior))
                    st.caption(_outcome(here, choice))
                st.button(
                    here.say("review.undo"),
                    key=f"undo-{choice.slate.id}",
                    icon=":material/undo:",
                    on_click=_undo,
                    args=(choice.slate.id,),
                )


def _outcome(here: Here, choice: Choice) -> str:
    if choice.decision is Decision.APPROVED:
        return here.say("review.was_approved")
    return here.say("review.was_rejected", reason=here.say(f"reject.{choice.reason}"))


def _explore(here: Here) -> None:
    """Draw the switch for the order of cards; the store says how it stands, whoever switched it."""
    st.session_state[EXPLORE] = here.service.exploration()
    with st.container(key="explore", gap="xsmall"):
        st.header(here.say("explore.title"), anchor=False)
        st.toggle(here.say("explore.switch"), key=EXPLORE, on_change=_switch)
        st.caption(here.say("explore.text"))


# What the coordinator does


def _look(slate_id: SlateId) -> None:
    here = frame.here()
    here.session.problem = None
    here.session.reviewing = slate_id
    here.session.announce("review.announce_look", focus="detail")


def _approve(slate_id: SlateId) -> None:
    here = frame.here()
    with here.session.step():
        here.service.approve(slate_id, here.who.id, st.session_state[f"note-{slate_id}"])
        here.session.announce("review.announce_approved", focus="recent")


def _reject(slate_id: SlateId) -> None:
    here = frame.here()
    with here.session.step():
        reason = st.session_state[f"reason-{slate_id}"] or ""
        here.service.reject(slate_id, here.who.id, reason, st.session_state[f"note-{slate_id}"])
        here.session.announce("review.announce_rejected", focus="recent")


def _undo(slate_id: SlateId) -> None:
    here = frame.here()
    with here.session.step():
        here.service.undo_decision(slate_id)
        here.session.reviewing = slate_id
        here.session.announce("review.announce_undone", focus="detail")


def _switch() -> None:
    here = frame.here()
    with here.session.step():
        on = bool(st.session_state[EXPLORE])
        here.service.set_exploration(on)
        here.session.announce("explore.announce_on" if on else "explore.announce_off")
