"""The pairs of a round's draft: locking, taking apart, why, and somebody else by hand."""

from collections.abc import Sequence

import streamlit as st

from app import components, frame, programme_views, rounds_parts
from app import rounds_views as views
from app.frame import Here
from app.rounds_views import Line
from app.views import card, contributions, number
from recommender.domain import JuniorId, RoundId, SeniorId
from recommender.errors import InputRefused
from recommender.round_answers import Other
from recommender.rounds import Draft
from recommender.store.rounds import DraftPair

PICKED, LOOKING, VIEW, SEARCH, ORDER = "round-picked", "round-looking", "round-view", "round-search", "round-order"
VIEWS = ("list", "table")


def draw(here: Here, draft: Draft) -> None:
    """Draw the pairs, ten at a time, as a list to work on or as a table to read."""
    editable = draft.round.state == "draft"
    st.header(here.say("rounds.pairs", count=len(draft.pairs)), anchor=False)
    if not draft.pairs:
        st.markdown(here.say("rounds.pairs_none"))
        return
    found = _found(here, draft)
    first = rounds_parts.first("pairs", len(found))
    drawn = _lines(here, draft, found[first : first + views.PAGE])
    if not drawn:
        st.markdown(here.say("rounds.pairs_not_found"))
    elif st.session_state[VIEW] == "table":
        heads, rows = views.table(drawn, here.language)
        components.table(rows, heads, here.say("rounds.pairs_alt"), here.say("rounds.head_senior"))
    else:
        if editable:
            _picked(here, draft)
        for line in drawn:
            _pair(here, draft, line)
    rounds_parts.pages(here, "pairs", len(found))


def _found(here: Here, draft: Draft) -> list[DraftPair]:
    """Draw what is searched for, in which order, and how it is shown; return the pairs that were found."""
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom", key="round-filter"):
        search = st.text_input(here.say("rounds.search"), key=SEARCH, max_chars=80)
        order = st.selectbox(
            here.say("rounds.order"), views.ORDERS, format_func=lambda each: here.say(f"rounds.order_{each}"), key=ORDER
        )
        st.segmented_control(
            here.say("rounds.view"),
            VIEWS,
            default="list",
            format_func=lambda each: here.say(f"rounds.view_{each}"),
            required=True,
            key=VIEW,
        )
    return views.ordered(draft, rounds_parts.names(here), search, order)


def _lines(here: Here, draft: Draft, pairs: Sequence[DraftPair]) -> list[Line]:
    juniors = {each.junior_id: here.service.junior(each.junior_id) for each in pairs}
    load = here.service.load() if draft.round.state == "draft" else {}
    return views.lines(draft, pairs, rounds_parts.names(here), juniors, load, here.language)


def _picked(here: Here, draft: Draft) -> None:
    """Draw what can be done with the pairs that are ticked."""
    picked = sorted(_ticked(draft))
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="round-picked-bar"):
        st.caption(here.say("rounds.picked" if len(picked) != 1 else "rounds.picked_one", count=len(picked)))
        for name, locked in (("lock", True), ("unlock", False)):
            st.button(
                here.say("rounds.lock_picked") if locked else here.say("rounds.unlock_picked"),
                key=f"round-{name}-picked",
                icon=":material/lock:" if locked else ":material/lock_open:",
                disabled=not picked,
                on_click=_lock,
                args=(draft.round.id, draft.round.version, picked, locked),
            )


def _ticked(draft: Draft) -> set[SeniorId]:
    """Return the seniors whose pair is ticked and still there."""
    picked: set[SeniorId] = st.session_state.setdefault(PICKED, set())
    return picked & {each.senior_id for each in draft.pairs}


def _pair(here: Here, draft: Draft, line: Line) -> None:
    """Draw one pair, of a draft with its lock; the one that is looked at with everything about it."""
    senior_id = line.pair.senior_id
    looking = draft.round.state == "draft" and st.session_state.get(LOOKING) == senior_id
    key = f"{'current' if looking else 'round'}-pair-{senior_id}"
    with st.container(border=True, key=key, gap="small"):
        title = here.say("rounds.pair", senior=line.senior, junior=line.junior)
        st.subheader(components.plain(title), anchor=False)
        components.words(here.say("rounds.about", fit=line.fit, source=line.source))
        st.caption(components.plain(here.say("rounds.load", junior=line.junior, load=line.load)))
        for rule in line.broken:
            st.error(components.plain(here.say("rounds.breaks", rule=rule)), icon=":material/block:")
        if draft.round.state != "draft":
            return
        with st.container(horizontal=True, vertical_alignment="center", gap="medium", key=f"round-do-{senior_id}"):
            tick, lock = f"round-tick-{senior_id}", f"round-lock-{senior_id}"
            st.session_state[tick] = senior_id in _ticked(draft)
            st.checkbox(here.say("rounds.tick"), key=tick, on_change=_tick, args=(senior_id,))
            st.session_state[lock] = line.pair.locked
            st.toggle(
                here.say("rounds.locked"),
                key=lock,
                on_change=_lock,
                args=(draft.round.id, draft.round.version, [senior_id], not line.pair.locked),
            )
            st.button(
                here.say("rounds.look_away" if looking else "rounds.look"),
                key=f"round-look-{senior_id}",
                icon=":material/expand_less:" if looking else ":material/expand_more:",
                on_click=_look,
                args=("" if looking else senior_id,),
            )
        if looking:
            _why(here, draft, line)


# Why, and somebody else


def _why(here: Here, draft: Draft, line: Line) -> None:
    pair = line.pair
    why = rounds_parts.answer(draft, here.service.round_answers.why, pair.senior_id)
    with st.container(key="request", gap="xsmall"):
        st.caption(here.say("review.asked", name=components.plain(line.senior)))
        components.words(f"“{why.slate.request.text}”")
    junior = here.service.junior(pair.junior_id)
    components.reasons(card(why.suggestion, junior, here.language), here.language, "round-why")
    with st.expander(here.say("rounds.numbers"), key="round-numbers"):
        st.markdown(here.say("rounds.numbers_text", score=number(why.suggestion.score, here.language)))
        components.table(
            {
                name: [number(added, here.language, sign=True)]
                for name, added in contributions(why.suggestion, why.slate.intercept, here.language)
            },
            [here.say("review.added")],
            here.say("review.numbers_alt"),
            here.say("review.part"),
        )
    if why.others:
        st.subheader(here.say("rounds.others"), anchor=False)
        components.table(
            views.others_table(why.others, rounds_parts.names(here), here.language),
            [here.say("rounds.head_fit"), here.say("rounds.head_held")],
            here.say("rounds.others_alt"),
            here.say("rounds.head_junior"),
        )
    by_hand(here, draft, pair.senior_id, why.others)
    st.button(
        here.say("rounds.unpair"),
        key=f"round-unpair-{pair.senior_id}",
        icon=":material/link_off:",
        on_click=_unpair,
        args=(draft.round.id, draft.round.version, pair.senior_id),
    )


def by_hand(here: Here, draft: Draft, senior_id: SeniorId, others: Sequence[Other] = ()) -> None:
    """Draw the choice of a junior by hand, and before it is made what it would cost the others."""
    names = rounds_parts.names(here)
    people = here.service.store.people
    near = {each.junior_id: each.label for each in views.candidates(others, names, here.language)}
    everybody = programme_views.to_pick(people, people.version())[1]
    labels = near | {each: label for each, label in everybody.items() if each not in near}
    key = f"round-hand-{senior_id}"
    chosen = st.selectbox(
        here.say("rounds.by_hand", name=components.plain(names.get(senior_id, senior_id))),
        list(labels),
        index=None,
        format_func=lambda each: labels.get(each, each),
        placeholder=here.say("demo.pick"),
        key=key,
    )
    if chosen is None:
        return
    with st.container(border=True, key=f"round-cost-{senior_id}", gap="xsmall"):
        _costs(here, draft, senior_id, JuniorId(chosen))
        st.button(
            here.say("rounds.by_hand_yes", name=components.plain(names.get(chosen, chosen))),
            key=f"round-hand-yes-{senior_id}",
            type="primary",
            icon=":material/link:",
            on_click=_by_hand,
            args=(draft.round.id, draft.round.version, senior_id, JuniorId(chosen)),
        )


def by_hand_where_asked(here: Here, draft: Draft, senior_id: SeniorId) -> None:
    """Draw the choice by hand for the one person it was asked for: each holds the names of everybody."""
    looking = st.session_state.get(LOOKING) == senior_id
    if looking:
        by_hand(here, draft, senior_id)
    st.button(
        here.say("rounds.by_hand_close" if looking else "rounds.by_hand_open"),
        key=f"round-choose-{senior_id}",
        on_click=_choose,
        args=("" if looking else senior_id,),
    )


def _costs(here: Here, draft: Draft, senior_id: SeniorId, junior_id: JuniorId) -> None:
    """Draw what a pair by hand costs the others, once the rest is run again."""
    names = rounds_parts.names(here)
    held = [names.get(each, each) for each in views.holders(draft, junior_id, senior_id)]
    if held:
        st.caption(here.say("rounds.cost_held", names=components.plain(views.named(held, here.language))))
    try:
        cost = rounds_parts.answer(draft, here.service.round_answers.forcing, senior_id, junior_id)
    except InputRefused:  # nobody in this round has this junior among their candidates
        st.markdown(here.say("rounds.cost_alone"))
        return
    if not cost.possible:
        st.markdown(here.say("rounds.cost_locked"))
        return
    components.words(
        here.say(
            "rounds.cost_fit", name=names.get(junior_id, junior_id), fit=views.fit_told(cost.quality, here.language)
        )
    )
    st.markdown(views.forced(cost, here.language))
    if cost.moved:
        rows = views.moves(cost.moved, names, here.language)
        rounds_parts.moves(here, f"force-{senior_id}", rows, len(cost.moved))


# What the coordinator does


def _tick(senior_id: SeniorId) -> None:
    picked: set[SeniorId] = st.session_state.setdefault(PICKED, set())
    picked ^= {senior_id}


def _look(senior_id: str) -> None:
    here = frame.here()
    here.session.problem = None
    before = st.session_state.get(LOOKING, "")
    st.session_state[LOOKING] = senior_id
    focus = f"current-pair-{senior_id}" if senior_id else f"round-pair-{before}"
    here.session.announce("rounds.announce_look" if senior_id else "rounds.announce_look_away", focus=focus)


def _choose(senior_id: str) -> None:
    st.session_state[LOOKING] = senior_id


def _lock(round_id: RoundId, version: int, senior_ids: Sequence[SeniorId], locked: bool) -> None:
    here = frame.here()
    with here.session.step():
        here.service.rounds.lock(round_id, version, here.who.id, senior_ids, locked=locked)
        st.session_state[PICKED] = set()
        here.session.announce("rounds.announce_locked" if locked else "rounds.announce_unlocked", count=len(senior_ids))


def _unpair(round_id: RoundId, version: int, senior_id: SeniorId) -> None:
    here = frame.here()
    with here.session.step():
        here.service.rounds.unpair(round_id, version, here.who.id, senior_id)
        st.session_state[LOOKING] = ""
        here.session.announce("rounds.announce_unpaired", focus="round-state")


def _by_hand(round_id: RoundId, version: int, senior_id: SeniorId, junior_id: JuniorId) -> None:
    here = frame.here()
    with here.session.step():
        here.service.rounds.pair_by_hand(round_id, version, here.who.id, senior_id, junior_id)
        st.session_state[f"round-hand-{senior_id}"] = None
        here.session.announce("rounds.announce_by_hand", focus="round-state")
