"""The page of rounds: match a whole group at once, look, lock, run again, and only then tell anybody."""

from collections.abc import Callable
from pathlib import Path

import streamlit as st

from app import components, frame, resources, rounds_pairs, rounds_parts
from app import rounds_views as views
from app.frame import Here
from app.views import moment
from recommender.domain import RoundId
from recommender.rounds import Draft
from recommender.store.rounds import Round

OPEN, SECTION, NAME, GATHERING, ASKING = (
    "round-open",
    "round-section-picked",
    "round-name",
    "round-gathering",
    "round-asking",
)
MOST_NAME = 80
STYLE = Path(__file__).parents[1] / "rounds.css"


def page() -> None:
    """Draw all rounds with a form for a new one, or the round that is open."""
    here = frame.here()
    st.html(STYLE)
    st.title(here.say("rounds.title"), anchor=False)
    if GATHERING in st.session_state:
        _gather(here)
    rounds = here.service.rounds.all()
    open_now = next((each for each in rounds if each.id == st.session_state.get(OPEN)), None)
    if open_now is None:
        _all(here, rounds)
    else:
        _one(here, here.service.rounds.draft(open_now.id))


# All rounds, and a new one


def _all(here: Here, rounds: list[Round]) -> None:
    st.markdown(here.say("rounds.intro"))
    components.problem(here.session)
    with st.container(key="round-all"):
        st.header(here.say("rounds.all"), anchor=False)
        if not rounds:
            st.markdown(here.say("rounds.all_none"))
        names = rounds_parts.names(here)
        first = rounds_parts.first("all", len(rounds))
        for each in rounds[first : first + views.PAGE]:
            with st.container(
                border=True, horizontal=True, vertical_alignment="center", gap="small", key=f"round-item-{each.id}"
            ):
                with st.container(gap=None, width="stretch"):
                    components.words(each.name)
                    made = here.say(
                        "rounds.made",
                        who=names.get(each.made_by, each.made_by),
                        when=moment(each.made_at, here.language),
                    )
                    st.caption(components.plain(f"{here.say(f'rounds.state_{each.state}')} · {made}"))
                st.button(
                    here.say("rounds.open", name=components.plain(each.name)),
                    key=f"round-open-{each.id}",
                    on_click=_open,
                    args=(each.id,),
                )
        rounds_parts.pages(here, "all", len(rounds))
    with st.container(border=True, key="round-new"):
        st.header(here.say("rounds.new"), anchor=False)
        st.markdown(here.say("rounds.new_text"))
        st.text_input(here.say("rounds.name"), key=NAME, max_chars=MOST_NAME)
        rounds_parts.ask_options(here, rounds_parts.STARTED, here.service.rounds.options())
        st.button(
            here.say("rounds.gather"), key="round-gather", type="primary", icon=":material/group_add:", on_click=_start
        )


def _gather(here: Here) -> None:
    """Make the first draft where the page shows how far it is, then draw the page anew."""
    name, options = st.session_state[GATHERING]
    with st.container(border=True, key="round-busy"):
        st.header(here.say("rounds.gathering"), anchor=False)
        bar = st.progress(0.0, text=here.say("rounds.gathering_text"))

        def progress(done: int, total: int) -> None:
            bar.progress(done / max(total, 1), text=here.say("rounds.gathered", done=done, total=total))

        with here.session.step():
            draft = here.service.rounds.gather(name, here.who.id, options, progress)
            st.session_state[OPEN], st.session_state[NAME] = draft.round.id, ""
            matched, left = len(draft.pairs), len(draft.left_over)
            here.session.announce("rounds.announce_run", focus="round-state", matched=matched, left=left)
    del st.session_state[GATHERING]
    st.rerun()


# One round


def _one(here: Here, draft: Draft) -> None:
    st.button(here.say("rounds.back"), key="round-back", icon=":material/arrow_back:", on_click=_open, args=("",))
    rounds_parts.problem(here, draft)
    {"draft": _draft, "published": _published, "discarded": _discarded}[draft.round.state](here, draft)
    if st.session_state.get(ASKING) == (draft.round.id, draft.round.version):
        st.dialog(here.say("rounds.publish_title"), on_dismiss=_not_yet)(_ask)(here, draft)


def _draft(here: Here, draft: Draft) -> None:
    with st.container(key="round-state", horizontal=True, vertical_alignment="center", gap="small"):
        with st.container(width="stretch", gap="small", key="round-state-text"):
            st.header(components.plain(draft.round.name), anchor=False)
            st.markdown(f"**{here.say('rounds.nobody_told')}**")
        st.button(
            here.say("rounds.publish"),
            key="round-publish",
            type="primary",
            icon=":material/send:",
            disabled=not draft.pairs,
            on_click=_ask_first,
            args=(draft.round.id, draft.round.version),
        )
    components.facts(views.tiles(draft, here.language), "round")
    st.caption(here.say("rounds.aims_at", aim=here.say(f"aim.{draft.round.options.aim}")))
    _broken(here, draft)
    st.segmented_control(
        here.say("rounds.sections"),
        views.SECTIONS,
        default="pairs",
        format_func=lambda each: here.say(f"rounds.section_{each}"),
        required=True,
        wrap=True,
        key=SECTION,
    )
    with st.container(key="round-section"):
        _SECTIONS[st.session_state[SECTION]](here, draft)
    with st.popover(here.say("rounds.discard"), icon=":material/delete:", key="round-discard"):
        st.markdown(here.say("rounds.discard_text"))
        st.button(
            here.say("rounds.discard_yes"),
            key="round-discard-yes",
            on_click=_discard,
            args=(draft.round.id, draft.round.version),
        )


def _left_over(here: Here, draft: Draft) -> None:
    rounds_parts.left_over(here, draft, lambda senior_id: rounds_pairs.by_hand_where_asked(here, draft, senior_id))


_SECTIONS: dict[str, Callable[[Here, Draft], None]] = {
    "pairs": rounds_pairs.draw,
    "left": _left_over,
    "compare": rounds_parts.compare,
    "again": rounds_parts.again,
    "steps": rounds_parts.steps,
}


def _broken(here: Here, draft: Draft) -> None:
    """Draw what stands in the way of publishing: each pair with the rule it breaks."""
    if draft.violations:
        with st.container(key="round-broken"):
            st.error(here.say("rounds.blocked", count=len(draft.violations)), icon=":material/block:")
            components.words("\n".join(views.broken(draft, rounds_parts.names(here), here.language)))


def _published(here: Here, draft: Draft) -> None:
    done = here.service.rounds.history(draft.round.id)
    step_id = views.published(done)
    with st.container(border=True, key="round-published"):
        st.header(components.plain(draft.round.name), icon=":material/check_circle:", anchor=False)
        at = moment(draft.round.published_at or draft.round.made_at, here.language)
        st.markdown(here.say("rounds.published", pairs=len(draft.pairs), left=len(draft.left_over), when=at))
        if here.service.post.overview().off:
            st.caption(here.say("rounds.no_post"))
        if step_id:
            st.caption(here.say("rounds.undo_all_text"))
            rounds_parts.undo_button(step_id, here.say("rounds.undo_all"))
    components.facts(views.tiles(draft, here.language), "round")
    with st.container(key="round-section"):
        rounds_pairs.draw(here, draft)
        rounds_parts.steps(here, draft)


def _discarded(here: Here, draft: Draft) -> None:
    with st.container(border=True, key="round-discarded"):
        st.header(components.plain(draft.round.name), anchor=False)
        st.markdown(here.say("rounds.discarded"))
    rounds_parts.steps(here, draft)


def _ask(here: Here, draft: Draft) -> None:
    """Draw what publishing does, and what the independent check found."""
    if st.session_state.get(ASKING) != (draft.round.id, draft.round.version):
        st.rerun()
    people, settings = here.service.store.people, resources.installation().settings
    letters, without = views.letters(draft.pairs, people.seniors(), people.juniors())
    st.markdown(here.say("rounds.publish_letters", letters=letters, pairs=len(draft.pairs)))
    if letters and here.service.post.overview().off:
        st.markdown(here.say("rounds.no_post"))
    elif letters:
        st.markdown(here.say("rounds.publish_hold", minutes=settings.mail_hold_minutes))
    if without:
        st.markdown(here.say("rounds.publish_without", count=without))
    if draft.left_over:
        st.markdown(here.say("rounds.publish_left", count=len(draft.left_over)))
    if draft.violations:
        st.error(here.say("rounds.blocked", count=len(draft.violations)), icon=":material/block:")
        components.words("\n".join(views.broken(draft, rounds_parts.names(here), here.language)))
    else:
        st.success(here.say("rounds.checked", pairs=len(draft.pairs)), icon=":material/verified:")
    with st.container(horizontal=True, gap="small"):
        st.button(
            here.say("rounds.publish_yes"),
            key="round-publish-yes",
            type="primary",
            icon=":material/send:",
            disabled=bool(draft.violations),
            on_click=_publish,
            args=(draft.round.id, draft.round.version),
        )
        st.button(here.say("rounds.publish_no"), key="round-publish-no", on_click=_not_yet)


# What the coordinator does


def _start() -> None:
    st.session_state[GATHERING] = (
        st.session_state[NAME],
        rounds_parts.asked_options(rounds_parts.STARTED, frame.here().service.rounds.options()),
    )


def _open(round_id: str) -> None:
    here = frame.here()
    here.session.problem = None
    st.session_state[OPEN] = round_id
    for key in (rounds_pairs.LOOKING, rounds_pairs.PICKED, "round-page-pairs", "round-page-left"):
        st.session_state.pop(key, None)
    here.session.announce(
        "rounds.announce_open" if round_id else "rounds.announce_all", focus="round-state" if round_id else "round-all"
    )


def _ask_first(round_id: RoundId, version: int) -> None:
    st.session_state[ASKING] = (round_id, version)


def _not_yet() -> None:
    st.session_state.pop(ASKING, None)


def _publish(round_id: RoundId, version: int) -> None:
    here = frame.here()
    _not_yet()
    with here.session.step():
        here.service.rounds.publish(round_id, version, here.who.id)
        here.session.announce("rounds.announce_published", focus="round-published")


def _discard(round_id: RoundId, version: int) -> None:
    here = frame.here()
    with here.session.step():
        here.service.rounds.discard(round_id, version, here.who.id)
        here.session.announce("rounds.announce_discarded", focus="round-discarded")
