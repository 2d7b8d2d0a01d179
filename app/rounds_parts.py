"""Parts of the rounds page: options, who is left over, the aims side by side, and the steps that were taken."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, TypeVar

import streamlit as st

from app import components, frame, identity
from app import rounds_views as views
from app.frame import Here
from recommender.domain import RoundId, SeniorId
from recommender.errors import Conflict
from recommender.matching import Aim
from recommender.replies import Known
from recommender.rounds import Draft
from recommender.store.rounds import Options
from recommender.store.steps import StepId

ANSWERS = "round-answers"
STARTED, AGAIN = "start", "again"
"""Where the options are asked: for a new round, and to run one again."""

T = TypeVar("T")


def names(here: Here) -> Mapping[str, str]:
    """Return the name of everybody by id."""
    return {each.id: each.name for each in identity.everybody(here.service, here.language).values()}


def answer(draft: Draft, question: Callable[..., T], *about: Any) -> T:
    """Ask something about a draft, once as long as it stands as it does: an answer may take a second."""
    held: tuple[Draft, dict[tuple[Any, ...], T]] | None = st.session_state.get(ANSWERS)
    if held is None or held[0] != draft:
        held = draft, {}
        st.session_state[ANSWERS] = held
    key = (question.__name__, *about)
    if key not in held[1]:
        held[1][key] = question(draft.round.id, *about)
    return held[1][key]


def problem(here: Here, draft: Draft | None = None) -> None:
    """Say what went wrong; of somebody who was first also what they did, and when."""
    refused = here.session.problem.error if here.session.problem else None
    if draft and draft.round.state == "published" and refused and refused.key == "changed_since":
        with st.container(key="problem"):
            st.error(here.say("rounds.undo_too_late"), icon=":material/error:")
        return
    if not (draft and isinstance(refused, Conflict) and refused.key == "round_changed"):
        components.problem(here.session)
        return
    who = names(here).get(str(refused.values["who"]), str(refused.values["who"]))
    last = views.steps(here.service.rounds.history(draft.round.id, 1), names(here), here.language)
    with st.container(key="problem"):
        sentence = views.with_capital(here.say("error.round_changed", who=who))
        done = here.say("rounds.last_step", what=last[0].what, told=last[0].told) if last else ""
        st.error(components.plain(f"{sentence} {done}"), icon=":material/error:")


# Options


def ask_options(here: Here, place: str, start: Options) -> None:
    """Draw what a round aims at, with the weights under a fold."""
    st.radio(
        here.say("rounds.aim"),
        views.AIMS,
        index=views.AIMS.index(start.aim),
        format_func=lambda each: here.say(f"aim.{each}"),
        captions=[here.say(f"aim.text_{each}") for each in views.AIMS],
        key=f"round-{place}-aim",
    )
    with st.expander(here.say("rounds.more"), key=f"round-{place}-more"):
        for name in views.SHARES:
            with st.container(key=f"round-{place}-part-{name}", gap="xsmall"):
                held = st.slider(
                    here.say(f"rounds.option_{name}"),
                    0,
                    100,
                    views.percent(start, name),
                    5,
                    format="%d%%",
                    key=f"round-{place}-{name}",
                )
                st.caption(views.share_told(name, held / 100, here.language))


def asked_options(place: str, start: Options) -> Options:
    """Return what the controls of a place hold."""
    aim = st.session_state.get(f"round-{place}-aim")
    options = start if aim is None else replace(start, aim=Aim(aim))
    for name in views.SHARES:
        options = views.with_percent(
            options, name, st.session_state.get(f"round-{place}-{name}", views.percent(start, name))
        )
    return options


def again(here: Here, draft: Draft) -> None:
    """Draw the options of a round, and the button that matches the rest again."""
    st.header(here.say("rounds.again"), anchor=False)
    locked = sum(each.locked for each in draft.pairs)
    st.markdown(here.say("rounds.again_text", count=locked))
    ask_options(here, AGAIN, draft.round.options)
    st.button(
        here.say("rounds.run"),
        key="round-run",
        type="primary",
        icon=":material/refresh:",
        on_click=_run_again,
        args=(draft.round.id, draft.round.version),
    )


def _run_again(round_id: RoundId, version: int) -> None:
    here = frame.here()
    with here.session.step():
        run(here, round_id, version, asked_options(AGAIN, here.service.rounds.round(round_id).options))


def run(here: Here, round_id: RoundId, version: int, options: Options) -> None:
    """Match the rest again and tell what came of it."""
    draft = here.service.rounds.run(round_id, version, here.who.id, options)
    here.session.announce(
        "rounds.announce_run", focus="round-state", matched=len(draft.pairs), left=len(draft.left_over)
    )


# Who is left over


def left_over(here: Here, draft: Draft, by_hand: Callable[[SeniorId], None]) -> None:
    """Draw people without a junior: why, and the smallest change that would help. `by_hand` draws the choice."""
    st.header(here.say("rounds.left", count=len(draft.left_over)), anchor=False)
    if not draft.left_over:
        st.markdown(here.say("rounds.left_none"))
        return
    waiting = views.by_wait(draft)
    start = first("left", len(waiting))
    with st.spinner(here.say("rounds.thinking")):
        # Each answer costs some matchings more, so only those that are drawn are asked for.
        asked = tuple(waiting[start : start + views.PAGE])
        found = answer(draft, here.service.round_answers.left_over, asked)
    for place, group in enumerate(views.shared(found, names(here), here.language)):
        with st.container(border=True, key=f"round-shared-{place}", gap="xsmall"):
            components.words(group.told)
            st.caption(here.say("rounds.shared_juniors", names=components.plain(group.juniors)))
            st.caption(here.say("rounds.shared_people", names=components.plain(group.people)))
    known = Known(here.service.junior, here.service.slate)
    for line in views.left_lines(found, draft.takers, names(here), known, here.service.now(), here.language):
        with st.container(border=True, key=f"round-left-{line.senior_id}", gap="small"):
            st.subheader(components.plain(line.name), anchor=False)
            st.caption(line.waited)
            components.words(line.reason)
            if line.change:
                components.words(line.change)
            by_hand(line.senior_id)
    pages(here, "left", len(waiting))


# The aims side by side


def compare(here: Here, draft: Draft) -> None:
    """Draw the three aims in numbers, and for each which pairs differ from the draft and what that costs."""
    st.header(here.say("rounds.compare"), anchor=False)
    st.markdown(here.say("rounds.compare_text"))
    with st.spinner(here.say("rounds.thinking")):
        found = answer(draft, here.service.round_answers.scenarios)
    heads, rows = views.scenarios(found, here.language)
    components.table(rows, heads, here.say("rounds.compare_alt"), here.say("rounds.measure"))
    for each in found:
        with st.container(border=True, key=f"round-scenario-{each.aim}", gap="small"):
            st.subheader(here.say(f"aim.{each.aim}"), anchor=False)
            st.caption(here.say(f"aim.text_{each.aim}"))
            now = each.aim == draft.round.options.aim
            if each.differs:
                moves(here, each.aim, views.moves(each.differs, names(here), here.language), len(each.differs))
            else:
                st.markdown(here.say("rounds.same"))
            if now:
                st.caption(here.say("rounds.aim_now"))
            st.button(
                here.say("rounds.use", aim=here.say(f"aim.{each.aim}")),
                key=f"round-use-{each.aim}",
                on_click=_use,
                args=(draft.round.id, draft.round.version, each.aim),
            )


def moves(here: Here, key: str, rows: Mapping[str, list[str]], count: int) -> None:
    """Draw who would get somebody else, under a fold that says how many."""
    with st.expander(here.say("rounds.moves" if count != 1 else "rounds.moves_one", count=count), key=f"moves-{key}"):
        heads = [here.say("rounds.move_now"), here.say("rounds.move_then"), here.say("rounds.move_costs")]
        components.table(dict(rows), heads, here.say("rounds.moves_alt"), here.say("rounds.head_senior"))
        if count > len(rows):
            st.caption(here.say("rounds.moves_more", count=count - len(rows)))


def _use(round_id: RoundId, version: int, aim: Aim) -> None:
    here = frame.here()
    with here.session.step():
        rounds = here.service.rounds
        run(here, round_id, version, rounds.options(aim, rounds.round(round_id).options))


# Steps


def steps(here: Here, draft: Draft) -> None:
    """Draw what was done, the newest first, with the way back for the last."""
    st.header(here.say("rounds.steps"), anchor=False)
    st.markdown(here.say("rounds.steps_text"))
    for line in views.steps(here.service.rounds.history(draft.round.id), names(here), here.language):
        with st.container(
            border=True, horizontal=True, vertical_alignment="center", gap="small", key=f"round-done-{line.id}"
        ):
            with st.container(gap=None, width="stretch"):
                components.words(line.what)
                st.caption(components.plain(line.told))
            if line.undone:
                st.caption(here.say("rounds.undone"))
            elif line.undoable and draft.round.state != "published":  # that one goes back from its summary
                undo_button(line.id, here.say("rounds.undo"))


def undo_button(step_id: StepId, label: str) -> None:
    """Draw the button that takes a step back."""
    st.button(
        label,
        key=f"round-undo-{step_id}",
        icon=":material/undo:",
        on_click=_undo,
        args=(step_id,),
    )


def _undo(step_id: StepId) -> None:
    here = frame.here()
    with here.session.step():
        here.service.rounds.undo(step_id, here.who.id)
        here.session.announce("rounds.announce_undone", focus="round-state")


# Ten at a time


def first(part: str, count: int) -> int:
    """Return the place of the first thing that is drawn of a part."""
    page: int = st.session_state.get(f"round-page-{part}", 0)
    return min(page, views.last_page(count)) * views.PAGE


def pages(here: Here, part: str, count: int) -> None:
    """Draw which ten of a part are shown, and the way to the others."""
    if count <= views.PAGE:
        return
    start = first(part, count)
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"round-pages-{part}"):
        st.button(
            here.say("rounds.before"),
            key=f"round-before-{part}",
            icon=":material/arrow_back:",
            disabled=start == 0,
            on_click=_turn,
            args=(part, start // views.PAGE - 1),
        )
        with st.container(width="content"):
            st.caption(here.say("rounds.shown", first=start + 1, last=min(start + views.PAGE, count), count=count))
        st.button(
            here.say("rounds.next"),
            key=f"round-next-{part}",
            icon=":material/arrow_forward:",
            disabled=start + views.PAGE >= count,
            on_click=_turn,
            args=(part, start // views.PAGE + 1),
        )


def _turn(part: str, page: int) -> None:
    here = frame.here()
    st.session_state[f"round-page-{part}"] = page
    here.session.announce("rounds.announce_page", focus="round-section", number=page + 1)
