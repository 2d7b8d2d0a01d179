"""The page of somebody who wants to learn: say it, choose somebody, send it."""

import streamlit as st

from app import components, frame, rating, views
from app.frame import Here
from recommender.dialogue import Kind, Stage, State
from recommender.domain import ConversationId, Decision, JuniorId, SeniorId, Side, Slate, SlateId
from recommender.service import MAX_REQUEST

TEXT = "ask-text"


def page() -> None:
    """Draw the conversation as it stands in the store."""
    here = frame.here()
    st.title(here.say("ask.title"), anchor=False)
    state = here.service.state(_conversation())
    with st.container(key="step"):
        st.caption(here.say(f"ask.step_{views.step_of(state)}"))
    with st.container(key="log"):
        _log(here, state)
    if state.stage in (Stage.ASKING, Stage.CHOOSING):
        _input(here, state)
    _always(here, state)


def _conversation() -> ConversationId:
    here = frame.here()
    if here.session.conversation_id is None:
        here.session.conversation_id = here.service.conversation(_senior(), here.language)
    return here.session.conversation_id


def _senior() -> SeniorId:
    return SeniorId(frame.here().who.id)


# What is on the page


def _log(here: Here, state: State) -> None:
    asked = views.questions(state)
    if not asked:
        with st.container(key="guide"):
            components.words(here.say("ask.hello", name=views.first_name(here.who.name)))
            st.markdown(here.say("ask.greeting"))
    if len(asked) > 1:
        with st.expander(here.say("ask.earlier"), key="earlier"):
            for turn in asked[:-1]:
                components.words(f"“{turn.said}”")
    if asked:
        with st.container(key="me", gap="xsmall"):
            st.caption(here.say("ask.you"))
            components.words(asked[-1].said)
    slate = here.service.slate(state.slate_id) if state.slate_id else None
    with st.container(key="now"):
        if slate is None and asked:
            _nobody(here)
        elif slate is not None:
            match state.stage:
                case Stage.CHOOSING:
                    _cards(here, state, slate)
                case Stage.CHECKING:
                    _check(here, state, slate)
                case Stage.SENT:
                    _sent(here, slate)
    components.problem(here.session)
    with st.container(key="searching"):
        st.markdown(here.say("ask.searching"))


def _cards(here: Here, state: State, slate: Slate) -> None:
    understood = slate.request.understood
    with st.container(key="understood", horizontal=True, vertical_alignment="center", gap="small"):
        with st.container(gap=None, width="stretch"):
            if understood.goal != slate.request.text:
                components.words(here.say("ask.understood", goal=understood.goal))
            components.words(here.say(f"ask.heard_{understood.language}"))
            if understood.competences:
                names = views.competences(understood.competences, here.language)
                components.words(here.say("understood.competences", names=names))
        st.button(here.say("ask.not_meant"), key="ask-not-meant", wrap=True, on_click=_undo)
    _put_aside(here, state)
    found, more = views.on_screen(slate, state)
    if not found:
        st.header(here.say("ask.all_refused"), anchor=False)
        st.markdown(here.say("ask.nobody_next"))
        return
    with st.container(key="cards"):
        these = "ask.doubtful" if slate.doubtful else "ask.these_one" if len(found) == 1 else "ask.these"
        st.markdown(here.say(these, count=len(found)))
        for each in found:
            card = views.card(each, here.service.junior(each.junior_id), here.language)
            components.suggestion_card(card, here.language, "card", _pick, _refuse)
    here.service.shown(slate.id, [each.junior_id for each in found])
    if more:
        st.button(here.say("ask.more"), key="ask-more", on_click=_more, args=(found[-1].junior_id,))


def _put_aside(here: Here, state: State) -> None:
    """Offer to say why the last card didn't fit. It is gone already, so nobody has to answer."""
    last = state.turns[-1]
    if last.kind != Kind.REFUSE or last.junior_id is None:
        return
    name = components.plain(views.first_name(here.service.junior(last.junior_id).name))
    with st.container(key="put-aside"):
        st.pills(
            here.say("aside.why", name=name),
            views.REFUSALS,
            format_func=lambda each: here.say(f"refuse.{each}"),
            key=f"aside-{last.slate_id}-{last.junior_id}",
            wrap=True,
            on_change=_why,
            args=(last.junior_id, f"aside-{last.slate_id}-{last.junior_id}"),
        )


def _nobody(here: Here) -> None:
    st.header(here.say("ask.nobody"), anchor=False)
    st.markdown(here.say("ask.nobody_next"))
    st.button(here.say("ask.not_meant"), key="ask-not-meant", wrap=True, on_click=_undo)


def _check(here: Here, state: State, slate: Slate) -> None:
    suggestion = next(each for each in slate.suggestions if each.junior_id == state.picked)
    card = views.card(suggestion, here.service.junior(suggestion.junior_id), here.language)
    name = components.plain(card.first_name)
    with st.container(border=True, key="check"):
        st.header(here.say("ask.check", name=name), anchor=False)
        st.markdown(here.say("ask.check_text"))
        with st.container(horizontal=True, gap="small"):
            st.button(here.say("ask.yes", name=name), key="ask-yes", type="primary", on_click=_confirm)
            st.button(here.say("ask.back"), key="ask-back", on_click=_back)
    with st.container(border=True, key="check-card"):
        st.header(components.plain(card.title), anchor=False)
        components.reasons(card, here.language, "check")


def _sent(here: Here, slate: Slate) -> None:
    """Draw what became of the choice."""
    choice = here.service.choice(slate.id)
    if choice is None:
        return
    name = views.first_name(views.chosen(choice).name)
    told = components.plain(name)
    with st.container(border=True, key=f"sent-{choice.decision or 'waiting'}"):
        match choice.decision:
            case None:
                st.header(here.say("ask.sent_to", name=told), icon=":material/schedule_send:", anchor=False)
                st.markdown(here.say("ask.sent_text"))
            case Decision.APPROVED:
                st.header(here.say("ask.approved", name=told), icon=":material/check_circle:", anchor=False)
                st.markdown(here.say("ask.approved_text", name=told))
                rating.draw(here, slate.id, Side.SENIOR, name)
            case Decision.REJECTED:
                st.header(here.say("ask.rejected", name=told), icon=":material/info:", anchor=False)
                components.words(here.say("ask.rejected_reason", reason=here.say(f"reject.{choice.reason}")))
                st.markdown(here.say("ask.rejected_text"))
                st.button(here.say("ask.search_again"), key="ask-again", type="primary", on_click=_again)
    _watch(here, slate.id, choice.decision)


@st.fragment(run_every="20s")
def _watch(here: Here, slate_id: SlateId, drawn: Decision | None) -> None:
    """Draw the page anew once the coordinator has answered, or has taken the answer back."""
    choice = here.service.choice(slate_id)
    if choice is not None and choice.decision is not drawn:
        here.session.announce("rating.announce_answer")
        st.rerun()


def _input(here: Here, state: State) -> None:
    with st.container(key="asking"):
        st.chat_input(
            here.say("ask.placeholder"), key=TEXT, max_chars=MAX_REQUEST, submit_mode="disable", on_submit=_ask_typed
        )
        with st.container(key="examples", gap="xsmall"):
            st.caption(here.say("ask.or_example" if state.slate_id else "ask.example"))
            with st.container(horizontal=True, gap="small"):
                for number in views.EXAMPLES:
                    text = here.say(f"ask.example_{number}")
                    st.button(text, key=f"example-{number}", wrap=True, on_click=_ask_example, args=(text,))


def _always(here: Here, state: State) -> None:
    with st.container(key="always", horizontal=True, gap="small"):
        st.button(
            here.say("ask.undo"),
            key="ask-undo",
            icon=":material/undo:",
            on_click=_undo,
            disabled=not state.can_undo or _decided(here, state),
        )
        st.button(here.say("ask.restart"), key="ask-restart", icon=":material/restart_alt:", on_click=_restart)
        with st.popover(here.say("ask.human"), icon=":material/support_agent:", key="ask-human"):
            st.markdown(here.say("ask.human_text"))
            frame.contact(here.language)


def _decided(here: Here, state: State) -> bool:
    if state.stage is not Stage.SENT or state.slate_id is None:
        return False
    choice = here.service.choice(state.slate_id)
    return choice is not None and choice.decision is not None


# What the senior does


def _ask(text: str) -> bool:
    here = frame.here()
    with here.session.step():
        state = here.service.say(_conversation(), _senior(), text, here.language)
        slate = here.service.slate(state.slate_id) if state.slate_id else None
        count = len(views.on_screen(slate, state)[0]) if slate else 0
        key = {0: "ask.announce_nobody", 1: "ask.announce_one"}.get(count, "ask.announce_found")
        here.session.announce(key, focus="me", count=count)
    return here.session.problem is None


def _ask_example(text: str) -> None:
    _ask(text)


def _ask_typed() -> None:
    text = st.session_state[TEXT]
    if text and not _ask(text):
        st.session_state[TEXT] = text  # nothing that was typed is lost


def _pick(junior_id: str) -> None:
    here = frame.here()
    with here.session.step():
        here.service.pick(_conversation(), JuniorId(junior_id))
        here.session.announce("ask.announce_check", focus="check")


def _refuse(junior_id: str) -> None:
    here = frame.here()
    with here.session.step():
        here.service.refuse(_conversation(), JuniorId(junior_id))
        here.session.announce("ask.announce_refused", focus="cards")


def _why(junior_id: JuniorId, key: str) -> None:
    here = frame.here()
    with here.session.step():
        here.service.refuse(_conversation(), junior_id, st.session_state[key] or "")
        here.session.announce("aside.announce")


def _more(last_shown: str) -> None:
    here = frame.here()
    with here.session.step():
        here.service.more(_conversation())
        here.session.announce("ask.announce_more", focus=f"card-{last_shown}")


def _back() -> None:
    here = frame.here()
    with here.session.step():
        here.service.back(_conversation())
        here.session.announce("ask.announce_back", focus="cards")


def _confirm() -> None:
    here = frame.here()
    with here.session.step():
        here.service.confirm(_conversation(), _senior())
        here.session.announce("ask.announce_sent", focus="now")


def _undo() -> None:
    here = frame.here()
    with here.session.step():
        here.service.undo(_conversation())
        here.session.announce("ask.announce_undone", focus="log")


def _restart() -> None:
    here = frame.here()
    with here.session.step():
        here.service.restart(_conversation())
        here.session.announce("ask.announce_restart", focus="log")


def _again() -> None:
    here = frame.here()
    text = views.questions(here.service.state(_conversation()))[-1].said
    with here.session.step():
        here.service.restart(_conversation())
    if here.session.problem is None:
        _ask(text)
