"""The list of what waits: filters, a list or a table, pages, and a decision about several at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import streamlit as st

from app import components, frame, review_views, views
from app.frame import Here
from app.review_views import Filters, Mark, Options, Part, Row, Told
from recommender.domain import SlateId
from recommender.store.steps import StepId
from recommender.wording import Language

KEY = "review-queue"
VIEWS = ("list", "table")
VIEW = "queue-view"
PICK_PAGE = "pick-page"
REASON = "bulk-reason"
FIELDS = {"department": None, "site": None, "subject": None, "words": "", "long": False, "asked": False}
WIDTHS = (5, 4, 2, 3, 2)


@dataclass(frozen=True)
class Done:
    """The decision that was taken last, which one press takes back."""

    step_id: StepId
    kind: str
    slate_ids: tuple[SlateId, ...]


@dataclass
class Queue:
    """What a tab remembers of the queue. The truth is in the store; what no longer waits is left out.

    `part` is where the last step was taken and `tried` what it was about, so that a problem is told there; `told` says
    whether that was done in this run.
    """

    who_id: str = ""
    chosen: set[SlateId] = field(default_factory=set)
    page: int = 1
    part: str = ""
    tried: tuple[SlateId, ...] = ()
    told: bool = False
    done: Done | None = None
    narrowed: bool = False
    mark: tuple[Language, Mark] | None = None
    recent: list[Told] = field(default_factory=list)


def current(here: Here) -> Queue:
    """Return what this tab remembers for the one who looks."""
    held = st.session_state.get(KEY)
    if not isinstance(held, Queue) or held.who_id != here.who.id:
        held = st.session_state[KEY] = Queue(here.who.id)
    return held


def wide() -> bool:
    """Tell whether the queue is drawn as a table, over the whole width."""
    return st.session_state.get(VIEW) == "table"


# Filters


def filtered(here: Here, queue: Queue, rows: Sequence[Row]) -> list[Row]:
    """Draw the filters and return the rows that they leave."""
    found = _filters(here, review_views.options(rows, here.language))
    shown = [each for each in rows if found.keep(each)]
    if queue.narrowed:
        queue.narrowed = False
        here.session.announce("queue.announce_shown", shown=len(shown), count=len(rows))
    with st.container(key="shown", horizontal=True, vertical_alignment="center", gap="small"):
        components.words(here.say("queue.shown", shown=len(shown), count=len(rows)))
        if found.any:
            st.button(here.say("queue.clear"), key="filter-clear", icon=":material/filter_alt_off:", on_click=_clear)
        st.segmented_control(
            here.say("queue.view"),
            VIEWS,
            default=VIEWS[0],
            required=True,
            format_func=lambda each: here.say(f"queue.view_{each}"),
            key=VIEW,
            persist_state="session",
            wrap=True,
            label_visibility="collapsed",
        )
    return shown


def _filters(here: Here, offered: Options) -> Filters:
    with (
        st.expander(here.say("queue.filters"), key="filters", icon=":material/filter_alt:"),
        st.container(key="filter-fields"),
    ):
        department = _one_of(here, "department", {each: each for each in offered.departments})
        site = _one_of(here, "site", {each: each for each in offered.sites})
        subject = _one_of(here, "subject", offered.subjects) if offered.subjects else ""
        words = st.text_input(here.say("queue.filter_words"), key="filter-words", max_chars=80, on_change=_narrowed)
        long = st.checkbox(
            here.say("queue.filter_long", days=review_views.LONG), key="filter-long", on_change=_narrowed
        )
        asked = st.checkbox(here.say("queue.filter_asked"), key="filter-asked", on_change=_narrowed)
    return Filters(department, site, subject, words, long, asked)


def _one_of(here: Here, name: str, names: Mapping[str, str]) -> str:
    key = f"filter-{name}"
    if st.session_state.get(key) not in names:  # the last choice with it has been decided
        st.session_state[key] = None
    return (
        st.selectbox(
            here.say(f"queue.filter_{name}"),
            list(names),
            index=None,
            format_func=lambda each: names[each],
            placeholder=here.say("queue.all"),
            key=key,
            on_change=_narrowed,
        )
        or ""
    )


# The list


def draw(here: Here, queue: Queue, rows: Sequence[Row], shown: Sequence[Row], looked_at: SlateId | None) -> None:
    """Draw a page of the queue with its boxes to tick, and what can be done with those that are ticked."""
    count = len(rows)
    st.header(here.say("review.waiting_one" if count == 1 else "review.waiting", count=count), anchor=False)
    queue.chosen &= {each.id for each in shown}
    part = review_views.paged(shown, queue.page)
    queue.page = part.number
    if not shown:
        st.markdown(here.say("queue.none_shown"))
        return
    if count > 1:
        _bulk(here, queue, part)
    if wide():
        _table(here, queue, part, looked_at)
    else:
        for row in part.rows:
            current = row.id == looked_at
            with st.container(border=True, key=f"{'current' if current else 'item'}-{row.id}", gap="xsmall"):
                _who(here, queue, row)
                components.words(f"“{row.excerpt}”")
                _question(here, row)
                with st.container(horizontal=True, vertical_alignment="center", gap="small"):
                    with st.container(width="stretch"):
                        st.caption(f"{row.waits}  \n{_load(here, row)}")
                    _look_button(here, row, current=current)
    _pages(here, part)


def _table(here: Here, queue: Queue, part: Part, looked_at: SlateId | None) -> None:
    """Draw the same as rows under each other. It is no data grid: each box and button is a stop of the keyboard."""
    with st.container(key="rows", gap=None):
        with st.container(key="rows-head"):
            heads = ("who", "words", "waits", "load", "look")
            for column, name in zip(st.columns(WIDTHS), heads, strict=True):
                column.caption(here.say(f"queue.head_{name}"))
        for row in part.rows:
            current = row.id == looked_at
            with st.container(key=f"{'current' if current else 'item'}-row-{row.id}"):
                who, words, waits, load, look = st.columns(WIDTHS, vertical_alignment="center")
                with who:
                    _who(here, queue, row)
                with words:
                    components.words(f"“{row.excerpt}”")
                    _question(here, row)
                waits.caption(row.waits)
                load.caption(_load(here, row))
                with look:
                    _look_button(here, row, current=current)


def _who(here: Here, queue: Queue, row: Row) -> None:
    key = f"pick-{row.id}"
    st.session_state[key] = row.id in queue.chosen
    pair = here.say("review.pair", senior=row.senior, junior=row.junior)
    st.checkbox(components.plain(pair), key=key, wrap=True, on_change=_pick, args=(row.id,))


def _load(here: Here, row: Row) -> str:
    key = "queue.load_over" if row.full else "queue.load"
    return components.plain(here.say(key, name=views.first_name(row.junior), places=row.places))


def _question(here: Here, row: Row) -> None:
    if row.question:
        icon = ":material/hourglass_top:" if row.question == "open" else ":material/mark_chat_read:"
        st.markdown(f"{icon} **{here.say(f'queue.question_{row.question}')}**")


def _look_button(here: Here, row: Row, *, current: bool) -> None:
    if current:
        st.caption(here.say("review.looking"))
    else:
        st.button(here.say("review.look"), key=f"look-{row.id}", on_click=look, args=(row.id,))


def _pages(here: Here, part: Part) -> None:
    if part.of == 1:
        return
    with st.container(key="pages", horizontal=True, vertical_alignment="center", gap="small"):
        st.button(
            here.say("queue.before"),
            key="page-before",
            disabled=part.number == 1,
            on_click=_turn,
            args=(part.number - 1, part.of),
        )
        components.words(here.say("queue.page", number=part.number, of=part.of))
        st.button(
            here.say("queue.after"),
            key="page-after",
            disabled=part.number == part.of,
            on_click=_turn,
            args=(part.number + 1, part.of),
        )


# Several at once


def _bulk(here: Here, queue: Queue, part: Part) -> None:
    """Draw what can be done at once. It is always there, so that nothing moves when a box is ticked."""
    ids = tuple(each.id for each in part.rows)
    st.session_state[PICK_PAGE] = queue.chosen.issuperset(ids)
    with st.container(key="bulk", border=True, gap="xsmall"):
        st.checkbox(here.say("queue.pick_page", count=len(ids)), key=PICK_PAGE, on_change=_pick_page, args=(ids,))
        elsewhere = len(queue.chosen.difference(ids))
        chosen = here.say("queue.chosen", count=len(queue.chosen))
        components.words(f"{chosen} {here.say('queue.elsewhere', count=elsewhere)}" if elsewhere else chosen)
        with st.container(horizontal=True, gap="small"):
            st.button(here.say("review.approve"), key="bulk-approve", icon=":material/check:", on_click=_approve)
            with st.popover(here.say("review.reject"), key="bulk-reject-open", icon=":material/close:"):
                st.pills(
                    here.say("queue.reason"),
                    views.REJECTIONS,
                    format_func=lambda each: here.say(f"reject.{each}"),
                    key=REASON,
                    wrap=True,
                )
                st.button(here.say("queue.reject_now", count=len(queue.chosen)), key="bulk-reject", on_click=_reject)
    if queue.part == "bulk":
        problem(here, queue)


def problem(here: Here, queue: Queue) -> None:
    """Say what went wrong. When somebody decided first, that is the reason, whatever refused the step."""
    if here.session.problem is None:
        return
    queue.told = True
    choices = [(each, here.service.choice(each)) for each in queue.tried]
    gone = [choice for _, choice in choices if choice is None or choice.decision is not None]
    if not gone:
        components.problem(here.session)
        return
    people = review_views.everybody(here.service)
    with st.container(key="problem"):
        lines = [here.say("queue.clash"), *(review_views.clash(each, people, here.language) for each in gone)]
        st.error("  \n".join(components.plain(each) for each in lines), icon=":material/error:")


# What the coordinator does


def look(slate_id: SlateId) -> None:
    """Show another choice."""
    here = frame.here()
    here.session.problem = None
    here.session.reviewing = slate_id
    here.session.announce("review.announce_look", focus="detail")


def _narrowed() -> None:
    queue = current(frame.here())
    queue.page, queue.narrowed = 1, True


def _clear() -> None:
    for name, empty in FIELDS.items():
        st.session_state[f"filter-{name}"] = empty
    queue = current(frame.here())
    queue.page = 1
    frame.here().session.announce("queue.announce_cleared", focus="queue")


def _turn(number: int, of: int) -> None:
    here = frame.here()
    current(here).page = number
    here.session.announce("queue.announce_page", focus="queue", number=number, of=of)


def _pick(slate_id: SlateId) -> None:
    _choose({slate_id}, on=bool(st.session_state[f"pick-{slate_id}"]))


def _pick_page(slate_ids: Sequence[SlateId]) -> None:
    _choose(set(slate_ids), on=bool(st.session_state[PICK_PAGE]))


def _choose(slate_ids: set[SlateId], *, on: bool) -> None:
    here = frame.here()
    queue = current(here)
    queue.chosen = queue.chosen | slate_ids if on else queue.chosen - slate_ids
    here.session.announce("queue.announce_chosen", count=len(queue.chosen))


def _approve() -> None:
    here = frame.here()
    queue = current(here)
    chosen = begin(here, "bulk", queue.chosen)
    with here.session.step():
        step_id = here.service.reviewing.approve(chosen, here.who.id)
        finish(here, step_id, "approved")


def _reject() -> None:
    here = frame.here()
    queue = current(here)
    chosen = begin(here, "bulk", queue.chosen)
    with here.session.step():
        step_id = here.service.reviewing.reject(chosen, here.who.id, st.session_state[REASON] or "")
        st.session_state[REASON] = None
        finish(here, step_id, "rejected")


def begin(here: Here, part: str, slate_ids: set[SlateId]) -> list[SlateId]:
    """Remember where a step is taken and about what; return the choices in a fixed order."""
    queue = current(here)
    queue.part, queue.tried, queue.done = part, tuple(sorted(slate_ids)), None
    return list(queue.tried)


def finish(here: Here, step_id: StepId, kind: str) -> None:
    """Offer to take a decision back, and go on with the next choice."""
    queue = current(here)
    queue.chosen.difference_update(queue.tried)
    queue.done = Done(step_id, kind, queue.tried)
    if here.session.reviewing in queue.tried:
        here.session.reviewing = None
    here.session.announce(f"queue.announce_{kind}", focus="done", count=len(queue.tried))


def fresh(here: Here, queue: Queue) -> None:
    """Begin a run: what the last step was about matters only while its problem is told."""
    queue.told = False
    if here.session.problem is None:
        queue.part, queue.tried = "", ()
