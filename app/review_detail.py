"""One choice of the queue: who, why, what was said about it, and the decision."""

from collections.abc import Callable, Mapping, Sequence

import pandas as pd
import streamlit as st

from app import components, frame, review_queue, review_views, views
from app.frame import Here
from app.handed_over import brief
from app.review_queue import Queue
from app.review_views import Everybody, Piece, Row
from recommender.domain import Junior, JuniorId, Senior, SlateId
from recommender.store.notes import QUESTION, Note
from recommender.store.slates import Choice


def draw(here: Here, queue: Queue, row: Row, waiting: Sequence[Choice], load: Mapping[str, int]) -> None:
    """Draw everything that is needed to decide about a choice."""
    choice, people = row.choice, review_views.everybody(here.service)
    senior, junior = people.seniors.get(choice.slate.request.senior_id or ""), people.juniors[choice.junior_id]
    st.header(components.plain(here.say("review.pair", senior=row.senior, junior=row.junior)), anchor=False)
    with st.container(key="request", gap="xsmall"):
        st.caption(here.say("review.asked", name=components.plain(row.senior)))
        components.words(f"“{row.words}”")
        brief(here, here.service.brief_of(choice))
    for name in views.warnings(choice, senior, junior, load):
        st.warning(here.say(f"review.warn_{name}"), icon=":material/warning:")
    _people(here, row, senior, junior)
    _why(here, choice, junior)
    others = here.service.reviewing.candidates(choice)
    _compare(here, choice, others, people, waiting, load)
    _notes(here, row)
    _decide(here, row)
    _another(here, row, others, people, load)
    if queue.part == "detail":
        review_queue.problem(here, queue)


def closed(here: Here, queue: Queue, slate_id: SlateId) -> None:
    """Draw what became of a choice that was looked at and no longer waits. What was typed about it stays."""
    choice = here.service.choice(slate_id)
    refused = here.session.problem is not None and queue.tried == (slate_id,)
    queue.told = queue.told or refused
    with st.container(key="problem" if refused else "closed"):
        told = review_views.clash(choice, review_views.everybody(here.service), here.language)
        st.error(components.plain(told), icon=":material/error:")
    st.markdown(here.say("queue.closed_next"))
    typed = f"note-{slate_id}"
    if choice is not None and st.session_state.get(typed):
        st.text_area(here.say("queue.typed"), key=typed, height=90, persist_state="session")
        st.button(here.say("queue.remark_keep"), key="remark-typed", on_click=_write, args=(slate_id, typed, False))


def _people(here: Here, row: Row, senior: Senior | None, junior: Junior) -> None:
    none = here.say("review.none")
    rows = [
        (here.say("queue.row_waits"), row.waits),
        (here.say("review.row_load"), row.places),
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


# Side by side


def _compare(
    here: Here,
    choice: Choice,
    others: Sequence[JuniorId],
    people: Everybody,
    waiting: Sequence[Choice],
    load: Mapping[str, int],
) -> None:
    """Draw two or three juniors in columns, with in bold what not all of them have."""
    slate_id = choice.slate.id
    if not others or not st.toggle(here.say("review.compare"), key=f"compare-{slate_id}", persist_state="session"):
        return
    offered = list(others[: review_views.PICK_FROM])
    picked = st.pills(
        here.say("queue.beside", most=review_views.BESIDE),
        offered,
        selection_mode="multi",
        default=offered[: review_views.BESIDE],
        format_func=_names(people),
        key=f"beside-{slate_id}",
        wrap=True,
    )
    if len(picked) > review_views.BESIDE:
        st.caption(here.say("queue.beside_more", most=review_views.BESIDE))
    found = review_views.suggestions(choice, picked)
    rows = review_views.comparison(found, people.juniors, load, waiting, here.language)
    with st.container(key="compared", gap="xsmall"):
        st.caption(here.say("queue.bold"))
        _side_by_side(here, rows, [each.name for each in found])


def _side_by_side(here: Here, rows: Mapping[str, list[list[Piece]]], names: Sequence[str]) -> None:
    # Two people may have one name, and a table can't have one head twice.
    heads = [
        components.plain(each) + components.WORD_JOINER * names[:place].count(each) for place, each in enumerate(names)
    ]
    cells = [[components.plain(name), *(_cell(each) for each in row)] for name, row in rows.items()]
    table = pd.DataFrame(cells, columns=[here.say("review.part"), *heads])
    st.table(table.set_index(table.columns[0]), border="horizontal", alt=here.say("review.compare_alt"))


def _cell(pieces: Sequence[Piece]) -> str:
    texts = [components.plain(each.text) for each in pieces]
    return "; ".join(f"**{text}**" if each.apart else text for text, each in zip(texts, pieces, strict=True))


def _names(people: Everybody) -> Callable[[JuniorId], str]:
    return lambda each: components.plain(people.juniors[each].name)


# What was said about it


def _notes(here: Here, row: Row) -> None:
    """Draw notes and questions, with a place to write another."""
    slate_id = row.id
    with st.container(border=True, key="notes"):
        st.subheader(here.say("queue.notes"), anchor=False)
        written = here.service.reviewing.notes(slate_id)
        if not written:
            st.caption(here.say("queue.no_notes"))
        for note in written:
            _note(here, note)
        with st.expander(here.say("queue.remark"), key="remark-box", icon=":material/edit_note:"):
            typed = f"remark-{slate_id}"
            st.text_area(here.say("queue.remark_text"), key=typed, height=90, persist_state="session")
            st.button(here.say("queue.remark_keep"), key="remark", on_click=_write, args=(slate_id, typed, False))
        if row.choice.slate.request.senior_id is not None:
            with st.expander(here.say("queue.ask"), key="ask-box", icon=":material/contact_support:"):
                typed = f"ask-{slate_id}"
                st.text_area(
                    here.say("queue.ask_text", name=components.plain(views.first_name(row.senior))),
                    key=typed,
                    height=90,
                    persist_state="session",
                )
                st.button(here.say("queue.ask_send"), key="ask", on_click=_write, args=(slate_id, typed, True))


def _note(here: Here, note: Note) -> None:
    kind = "queue.asked" if note.kind == QUESTION else "queue.wrote"
    with st.container(key=f"note-said-{note.id}", gap=None):
        who = review_views.name_of(note.who, here.language)
        line = here.say(kind, who=who, when=views.moment(note.at, here.language))
        st.caption(components.plain(line[:1].upper() + line[1:]))
        components.words(note.text)
        if note.kind == QUESTION:
            st.caption(here.say("queue.answer" if note.answer else "queue.no_answer"))
            if note.answer:
                components.words(f"“{note.answer}”")


# The decision


def _decide(here: Here, row: Row) -> None:
    slate_id = row.id
    with st.container(border=True, key="decide"):
        st.subheader(here.say("review.decide"), anchor=False)
        st.text_area(here.say("review.note"), key=f"note-{slate_id}", height=90, persist_state="session")
        st.button(
            here.say("review.approve"),
            key="approve",
            type="primary",
            icon=":material/check:",
            on_click=_approve,
            args=(slate_id, row.choice.junior_id),
        )
        _reasons(here, here.say("review.reason"), f"reason-{slate_id}")
        st.button(
            here.say("review.reject"),
            key="reject",
            icon=":material/close:",
            on_click=_reject,
            args=(slate_id, row.choice.junior_id),
        )


def _another(here: Here, row: Row, others: Sequence[JuniorId], people: Everybody, load: Mapping[str, int]) -> None:
    """Draw whom else the senior could get."""
    if not others:
        return

    def told(junior_id: JuniorId) -> str:
        junior = people.juniors[junior_id]
        parts = [junior.name, junior.site, views.places(junior, load, here.language)]
        return ", ".join(part for part in parts if part)

    with st.expander(here.say("queue.another"), key="another", icon=":material/swap_horiz:"):
        st.markdown(here.say("queue.another_text", name=components.plain(views.first_name(row.senior))))
        key = f"other-{row.id}"
        other = st.selectbox(here.say("queue.another_who"), others, format_func=told, key=key)
        first = components.plain(views.first_name(row.junior))
        _reasons(here, here.say("queue.another_reason", name=first), f"other-reason-{row.id}")
        name = components.plain(views.first_name(people.juniors[other].name))
        st.button(
            here.say("queue.another_now", name=name),
            key="reassign",
            wrap=True,
            on_click=_reassign,
            args=(row.id, other),
        )


def _reasons(here: Here, label: str, key: str) -> None:
    st.pills(label, views.REJECTIONS, format_func=lambda each: here.say(f"reject.{each}"), key=key, wrap=True)


# What the coordinator does


def _approve(slate_id: SlateId, seen: JuniorId) -> None:
    here = frame.here()
    review_queue.begin(here, "detail", {slate_id})
    with here.session.step():
        step_id = here.service.reviewing.approve(
            [slate_id], here.who.id, st.session_state[f"note-{slate_id}"], {slate_id: seen}
        )
        review_queue.finish(here, step_id, "approved")


def _reject(slate_id: SlateId, seen: JuniorId) -> None:
    here = frame.here()
    review_queue.begin(here, "detail", {slate_id})
    reason, note = st.session_state[f"reason-{slate_id}"] or "", st.session_state[f"note-{slate_id}"]
    with here.session.step():
        step_id = here.service.reviewing.reject([slate_id], here.who.id, reason, note, {slate_id: seen})
        review_queue.finish(here, step_id, "rejected")


def _reassign(slate_id: SlateId, junior_id: JuniorId) -> None:
    here = frame.here()
    review_queue.begin(here, "detail", {slate_id})
    reason, note = st.session_state[f"other-reason-{slate_id}"] or "", st.session_state[f"note-{slate_id}"]
    with here.session.step():
        step_id = here.service.reviewing.reassign(slate_id, junior_id, here.who.id, reason, note)
        review_queue.finish(here, step_id, "reassigned")


def _write(slate_id: SlateId, typed: str, to_senior: bool) -> None:
    here = frame.here()
    review_queue.begin(here, "detail", {slate_id})
    write = here.service.reviewing.ask if to_senior else here.service.reviewing.remark
    with here.session.step():
        write(slate_id, here.who.id, st.session_state[typed])
        st.session_state[typed] = ""
        here.session.announce("queue.announce_asked" if to_senior else "queue.announce_noted", focus="notes")
