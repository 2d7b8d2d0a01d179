"""The page of somebody who wants to learn: say it, choose somebody, send it."""

from collections.abc import Callable

import streamlit as st

from app import components, conversation, frame, questions_asked, views
from app.frame import Here
from recommender.conversing import MAX_REQUEST
from recommender.dialogue.acts import Act
from recommender.dialogue.brief import Wish
from recommender.dialogue.state import Kind, Offer, Stage, State
from recommender.domain import ConversationId, Decision, JuniorId, SeniorId, Slate, SlateId
from recommender.replies import Known, replies

TEXT = "ask-text"
GIVE = "ask-give"


def page() -> None:
    """Draw the conversation as it stands in the store."""
    here = frame.here()
    st.title(here.say("ask.title"), anchor=False)
    state = here.service.talk.state(_conversation())
    with st.container(key="step"):
        st.caption(here.say(f"ask.step_{views.step_of(state)}"))
    questions_asked.draw(here)
    with st.container(key="log"):
        _log(here, state)
    if state.stage in (Stage.ASKING, Stage.CHOOSING):
        _input(here, state)
    _always(here, state)


def _conversation() -> ConversationId:
    here = frame.here()
    if here.session.conversation_id is None:
        here.session.conversation_id = here.service.talk.conversation(_senior(), here.language)
    return here.session.conversation_id


def _senior() -> SeniorId:
    return SeniorId(frame.here().who.id)


# What is on the page


def _log(here: Here, state: State) -> None:
    said = views.said(state)
    if not said:
        with st.container(key="guide"):
            components.words(here.say("ask.hello", name=views.first_name(here.who.name)))
            st.markdown(here.say("ask.greeting"))
    if len(said) > 1:
        with st.expander(here.say("ask.earlier"), key="earlier"):
            for words in said[:-1]:
                components.words(f"“{words}”")
    if said:
        with st.container(key="me", gap="xsmall"):
            st.caption(here.say("ask.you"))
            components.words(said[-1])
    with st.container(key="now"):
        _now(here, state)
    components.problem(here.session)
    with st.container(key="searching"):
        st.markdown(here.say("ask.searching"))


def _now(here: Here, state: State) -> None:
    """Draw the guide's answer and what can be done with it."""
    slate = here.service.slate(state.slate_id) if state.slate_id else None
    if state.stage is Stage.CHECKING and slate is not None:
        _check(here, state, slate)
        return
    if state.stage is Stage.SENT and slate is not None:
        _sent(here, slate)
        return
    fresh = not views.said(state) and not state.brief.wishes and all(t.kind == Kind.GREETING for t in state.replies)
    facts = conversation.known(here)
    told = [] if fresh else replies(state, facts, here.language, drawn=True)
    conversation.reply(here, told)
    conversation.unsure(here, state.unsure, _meant)
    conversation.offer(here, state, _offer_yes, _offer_no)
    conversation.question(here, state.question, _answer, _skip, _why_question)
    conversation.brief(here, facts, state.brief, _reword, _drop)
    if slate is not None:
        _cards(here, facts, state, slate)


def _cards(here: Here, facts: Known, state: State, slate: Slate) -> None:
    understood = slate.request.understood
    with st.container(key="understood", horizontal=True, vertical_alignment="center", gap="small"):
        with st.container(gap=None, width="stretch"):
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
    with st.container(horizontal=True, gap="small"):
        if more:
            st.button(here.say("ask.more"), key="ask-more", on_click=_more, args=(found[-1].junior_id,))
        if len(found) > 1:
            st.button(here.say("ask.compare"), key="ask-compare", on_click=_compare)
    conversation.wishes(here, facts, state.critiques, _wish)
    if state.asks_no_more:
        st.caption(here.say("reply.stop"))


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
    told = here.service.senior(here.who.id).offers or state.brief.gives_back or "exchange" in state.asked
    if not told:
        with st.container(key="give"):
            st.text_input(here.say("ask.give"), key=GIVE, max_chars=MAX_REQUEST, on_change=_give)
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
                st.button(here.say("ask.to_matches"), key="ask-to-matches", type="primary", on_click=_to_matches)
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
        placeholder = "ask.placeholder_more" if state.brief.goals else "ask.placeholder"
        st.chat_input(
            here.say(placeholder), key=TEXT, max_chars=MAX_REQUEST, submit_mode="disable", on_submit=_hear_typed
        )
        if state.brief.goals:
            return
        with st.container(key="examples", gap="xsmall"):
            st.caption(here.say("ask.example"))
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
        if state.stage in (Stage.ASKING, Stage.CHOOSING):
            st.button(here.say("ask.about_me"), key="ask-about-me", icon=":material/badge:", on_click=_about_me)
        with st.popover(here.say("ask.human"), icon=":material/support_agent:", key="ask-human"):
            st.markdown(here.say("ask.human_text"))
            frame.contact(here.language)
            if here.service.talk.with_person(_conversation()):
                st.markdown(here.say("ask.handed_title"))
            else:
                st.button(here.say("ask.hand_over_yes"), key="ask-hand-over", on_click=_hand_over)


def _decided(here: Here, state: State) -> bool:
    if state.stage is not Stage.SENT or state.slate_id is None:
        return False
    choice = here.service.choice(state.slate_id)
    return choice is not None and choice.decision is not None


# What the senior does


def _step(do: Callable[[], State], focus: str = "now") -> bool:
    """Do one step and let screen readers hear the guide's answer, once."""
    here = frame.here()
    with here.session.step():
        state = do()
        spoken = views.spoken(state, here.service, here.language)
        here.session.announce(spoken.key, focus=focus, **spoken.values)
    return here.session.problem is None


def _hear_typed() -> None:
    text = st.session_state[TEXT]
    talk, language = frame.here().service.talk, frame.here().language
    if text and not _step(lambda: talk.hear(_conversation(), _senior(), text, language), focus="me"):
        st.session_state[TEXT] = text  # nothing that was typed is lost


def _ask_example(text: str) -> None:
    talk, language = frame.here().service.talk, frame.here().language
    _step(lambda: talk.say(_conversation(), _senior(), text, language), focus="me")


def _reword(goal: str, words: str) -> None:
    talk, language = frame.here().service.talk, frame.here().language
    _step(lambda: talk.reword(_conversation(), _senior(), goal, words, language))


def _drop(gone: Wish | str) -> None:
    talk, language = frame.here().service.talk, frame.here().language
    _step(lambda: talk.drop(_conversation(), _senior(), gone, language))


def _wish(wish: Wish) -> None:
    talk, language = frame.here().service.talk, frame.here().language
    _step(lambda: talk.wish(_conversation(), _senior(), wish, language))


def _answer(option: str, question_id: str) -> None:
    talk, language = frame.here().service.talk, frame.here().language
    _step(lambda: talk.answer(_conversation(), _senior(), option, language, question_id))


def _skip(question_id: str) -> None:
    _step(lambda: frame.here().service.talk.skip(_conversation(), question_id=question_id))


def _why_question() -> None:
    _told("why_question")


def _about_me() -> None:
    _told("about_me")


def _compare() -> None:
    _told("compare")


def _told(about: str) -> None:
    talk, language = frame.here().service.talk, frame.here().language
    _step(lambda: talk.ask(_conversation(), _senior(), about, (), language))


def _meant(act: Act) -> None:
    talk, language = frame.here().service.talk, frame.here().language
    _step(lambda: talk.meant(_conversation(), _senior(), act, language))


def _offer_yes(offered: Offer) -> None:
    talk, language = frame.here().service.talk, frame.here().language
    if offered is Offer.DROP:
        _step(lambda: talk.drop_blocking(_conversation(), _senior(), language))
    else:
        _hand_over()


def _offer_no() -> None:
    _told("declined")


def _hand_over() -> None:
    _step(lambda: frame.here().service.talk.hand_over(_conversation()))


def _give() -> None:
    talk, given = frame.here().service.talk, st.session_state[GIVE]
    if not _step(lambda: talk.give(_conversation(), given), focus="check"):
        st.session_state[GIVE] = given


def _pick(junior_id: str) -> None:
    here = frame.here()
    with here.session.step():
        here.service.talk.pick(_conversation(), JuniorId(junior_id))
        here.session.announce("ask.announce_check", focus="check")


def _refuse(junior_id: str) -> None:
    here = frame.here()
    with here.session.step():
        here.service.talk.refuse(_conversation(), JuniorId(junior_id))
        here.session.announce("ask.announce_refused", focus="cards")


def _why(junior_id: JuniorId, key: str) -> None:
    here = frame.here()
    with here.session.step():
        here.service.talk.refuse(_conversation(), junior_id, st.session_state[key] or "")
        here.session.announce("aside.announce")


def _more(last_shown: str) -> None:
    here = frame.here()
    with here.session.step():
        here.service.talk.more(_conversation())
        here.session.announce("ask.announce_more", focus=f"card-{last_shown}")


def _back() -> None:
    here = frame.here()
    with here.session.step():
        here.service.talk.back(_conversation())
        here.session.announce("ask.announce_back", focus="cards")


def _confirm() -> None:
    here = frame.here()
    with here.session.step():
        here.service.talk.confirm(_conversation(), _senior())
        here.session.announce("ask.announce_sent", focus="now")


def _undo() -> None:
    here = frame.here()
    with here.session.step():
        here.service.talk.undo(_conversation())
        here.session.announce("ask.announce_undone", focus="log")


def _restart() -> None:
    here = frame.here()
    with here.session.step():
        here.service.talk.restart(_conversation())
        here.session.announce("ask.announce_restart", focus="log")


def _to_matches() -> None:
    frame.here().session.go_to = "matches"


def _again() -> None:
    talk, language = frame.here().service.talk, frame.here().language
    _step(lambda: talk.again(_conversation(), _senior(), language), focus="me")
