"""The page where a coordinator sets the programme up, in five short steps, with the agreement to print."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date

import streamlit as st

from app import components, frame, identity
from app import programme_views as views
from app.frame import Here
from app.programme_views import Draft
from app.views import first_name
from recommender import agreement_page
from recommender.domain import JuniorId, SeniorId
from recommender.programme_setup import MOST_CHARACTERS, RANGES, YEARS
from recommender.store.named_pairs import Pair
from recommender.store.steps import StepId
from recommender.wording import LANGUAGES

DRAFT = "programme-draft"
OPEN = "programme-open"
PAIR_REFUSALS = ("known_pair_away", "known_pair_twice", "rule_broken", "unknown_person", "pair_incomplete")
LISTS = ("known", "apart")
SHORT = 420
"""Pixels of a control for a number, a day or a few weeks, with its label on one line."""


def page() -> None:
    """Draw the step that is open, what saves it, and what was done lately."""
    here = frame.here()
    st.title(here.say("programme.title"), anchor=False)
    st.markdown(here.say("programme.intro"))
    draft = _draft(here)
    _changed_meanwhile(here, draft)
    _show(OPEN, draft.step)
    st.segmented_control(
        here.say("programme.steps"),
        list(views.STEPS),
        format_func=lambda each: f"{list(views.STEPS).index(each) + 1}. {here.say(f'programme.step_{each}')}",
        required=True,
        wrap=True,
        key=OPEN,
        on_change=_go_picked,
    )
    with st.container(border=True, key="programme-step"):
        st.header(f"{draft.number}. {here.say(f'programme.head_{draft.step}')}", anchor=False)
        st.markdown(here.say(f"programme.text_{draft.step}"))
        {"why": _texts, "rhythm": _rhythm, "rules": _rules, "between": _texts, "agreement": _agreement}[draft.step](
            here, draft
        )
        _next_step(here, draft)
    _save_bar(here, draft)
    if draft.step == "rules":
        _by_name(here)
    _history(here)


# What is typed, and where it is kept


def _held(here: Here) -> Draft:
    """Return what is typed, with what the controls hold at this moment: a click may come before its run."""
    draft: Draft | None = st.session_state.get(DRAFT)
    if draft is None or draft.who != here.who.id:
        draft = Draft.of(here.service.programme.current(), here.who.id)
    for field in views.STEPS[draft.step]:
        if _key(field) in st.session_state:
            draft = draft.with_value(field, st.session_state[_key(field)])
    if draft.step == "rules":
        for key, value in st.session_state.items():
            if str(key).startswith(_key("rule-")):
                draft = draft.with_rule(str(key).removeprefix(_key("rule-")), bool(value))
    return draft


def _draft(here: Here) -> Draft:
    """Return what is typed; without anything unsaved, what is kept by now."""
    held: Draft | None = st.session_state.get(DRAFT)
    kept = here.service.programme.current()
    if held is None or held.who != here.who.id:
        held = Draft.of(kept, here.who.id)
    elif not held.changed and held.seen != kept:
        held = Draft.of(kept, here.who.id, held.step)
    _keep(held)
    return held


def _keep(draft: Draft) -> None:
    st.session_state[DRAFT] = draft


def _key(field: str) -> str:
    return f"programme-{field}"


def _show(key: str, value: object) -> None:
    """Let a control hold what is typed. Streamlit forgets a control that isn't drawn, and the draft doesn't."""
    if key not in st.session_state or st.session_state[key] != value:
        st.session_state[key] = value


def _typed() -> None:
    _keep(_held(frame.here()))


# The steps


def _texts(here: Here, draft: Draft) -> None:
    """Draw the texts of a step, each with a short advice, and the button that fills in examples."""
    for field in views.STEPS[draft.step]:
        with st.container(key=f"programme-part-{field}", gap="xsmall"):
            _show(_key(field), draft.value(field))
            st.text_area(
                here.say(f"programme.field_{field}"),
                key=_key(field),
                height=120,
                max_chars=MOST_CHARACTERS,
                on_change=_typed,
            )
            st.caption(here.say(f"programme.advice_{field}"))
    if views.empty_texts(draft):
        st.button(
            here.say("programme.examples"), key="programme-examples", icon=":material/edit_note:", on_click=_examples
        )


def _rhythm(here: Here, draft: Draft) -> None:
    with st.container(key="programme-part-start", gap="xsmall"):
        _show(_key("start"), draft.value("start"))
        st.date_input(
            here.say("programme.field_start"),
            value=None,
            min_value=date(YEARS[0], 1, 1),
            max_value=date(YEARS[1], 12, 31),
            format="DD-MM-YYYY",
            width=SHORT,
            key=_key("start"),
            on_change=_typed,
        )
        st.caption(here.say("programme.advice_start"))
    for field in ("months", "minutes", "every_weeks"):
        _number(here, draft, field, *RANGES[field], step=15 if field == "minutes" else 1)
    with st.container(key="programme-part-check_in_weeks", gap="xsmall"):
        _show(_key("check_in_weeks"), draft.value("check_in_weeks"))
        st.text_input(
            here.say("programme.field_check_in_weeks"),
            key=_key("check_in_weeks"),
            max_chars=100,
            width=SHORT,
            on_change=_typed,
        )
        st.caption(here.say("programme.advice_check_in_weeks"))
    _number(here, draft, "invitation_days", *RANGES["invitation_days"])


def _number(here: Here, draft: Draft, field: str, lowest: int, highest: int, step: int = 1) -> None:
    with st.container(key=f"programme-part-{field}", gap="xsmall"):
        _show(_key(field), draft.value(field))
        st.number_input(
            here.say(f"programme.field_{field}"),
            lowest,
            highest,
            step=step,
            width=SHORT,
            key=_key(field),
            on_change=_typed,
        )
        st.caption(here.say(f"programme.advice_{field}"))


def _rules(here: Here, draft: Draft) -> None:
    """Draw each rule with what it does today: those to switch, then those that always hold."""
    lines = views.rule_lines(here.service.programme.rules(draft.typed.rules_off), here.language)
    for line in lines:
        if line.switchable:
            with st.container(key=f"programme-switch-{line.name}", gap="xsmall"):
                _show(_key(f"rule-{line.name}"), line.on)
                st.toggle(line.sentence, key=_key(f"rule-{line.name}"), on_change=_typed)
                st.caption(line.effect)
    st.subheader(here.say("programme.always"), anchor=False)
    for line in lines:
        if not line.switchable:
            with st.container(key=f"programme-always-{line.name}", gap=None):
                st.markdown(line.sentence)
                st.caption(line.effect)
    st.subheader(here.say("programme.weights"), anchor=False)
    for field in views.SHARES:
        _number(here, draft, field, 0, 100, step=5)


def _agreement(here: Here, draft: Draft) -> None:
    """Draw the agreement as it is typed now, and the file of what is kept."""
    over = agreement_page.too_long(draft.typed)
    if over:
        st.warning(here.say("programme.too_long", over=over), icon=":material/warning:")
    with st.container(horizontal=True, gap="small", key="programme-download"):
        for language in sorted(LANGUAGES, key=lambda each: each != here.language):
            st.download_button(
                here.say(f"programme.download_{language}"),
                agreement_page.document(draft.seen, language),
                here.say(f"programme.file_{language}"),
                "text/html",
                key=f"programme-download-{language}",
                icon=":material/download:",
                on_click="ignore",
                disabled=draft.changed,
            )
    st.caption(here.say("programme.download_later" if draft.changed else "programme.download_text"))
    with st.container(border=True, key="programme-paper", gap="small"):
        st.subheader(here.say("agreement.title"), anchor=False)
        st.markdown(here.say("agreement.lead"))
        for part in agreement_page.parts(draft.typed, here.language):
            with st.container(gap=None):
                st.markdown(f"**{part.heading}**")
                components.words(part.text or here.say("agreement.empty"))
        st.markdown(f"**{here.say('agreement.ours')}**")
        st.markdown(here.say("programme.by_hand"))


def _next_step(here: Here, draft: Draft) -> None:
    steps = list(views.STEPS)
    with st.container(horizontal=True, gap="small", key="programme-next"):
        if draft.number > 1:
            before = steps[draft.number - 2]
            st.button(here.say("programme.before"), key="programme-go-before", on_click=_go, args=(before,))
        if draft.number < len(steps):
            after = steps[draft.number]
            st.button(
                here.say("programme.after", step=here.say(f"programme.step_{after}")),
                key="programme-go-after",
                on_click=_go,
                args=(after,),
            )


def _save_bar(here: Here, draft: Draft) -> None:
    problem = here.session.problem
    if problem is not None and problem.key not in (*PAIR_REFUSALS, "programme_changed"):
        components.problem(here.session)
    with st.container(key="programme-save-bar", horizontal=True, vertical_alignment="center", gap="small"):
        st.button(
            here.say("programme.save"),
            key="programme-save",
            type="primary",
            icon=":material/check:",
            on_click=_save,
            disabled=not draft.changed,
        )
        if draft.changed:
            st.button(here.say("programme.drop"), key="programme-drop", on_click=_drop)
            st.caption(here.say("programme.unsaved"))
        elif here.session.saved:
            st.caption(here.say("programme.saved"))


def _changed_meanwhile(here: Here, draft: Draft) -> None:
    """Say that somebody else has saved since, and let the person choose: nobody's text goes without a word."""
    kept = here.service.programme.current()
    if draft.seen == kept:
        return
    with st.container(border=True, key="programme-meanwhile"):
        fields = views.different(draft.seen, kept, here.language)
        st.warning(here.say("programme.meanwhile", fields=fields), icon=":material/warning:")
        with st.container(horizontal=True, gap="small"):
            st.button(here.say("programme.mine"), key="programme-mine", on_click=_mine)
            st.button(here.say("programme.theirs"), key="programme-theirs", on_click=_drop)


# Pairs by name


def _by_name(here: Here) -> None:
    """Draw the two lists of pairs by name. Each change is kept at once."""
    people = here.service.store.people
    seniors, juniors = views.to_pick(people, people.version())
    with st.container(key="programme-by-name"):
        st.header(here.say("programme.by_name"), anchor=False)
        st.markdown(here.say("programme.by_name_text"))
        if here.session.problem is not None and here.session.problem.key in PAIR_REFUSALS:
            components.problem(here.session)
        reasons = here.service.programme.kept_apart()
        for kind, pairs in zip(LISTS, (here.service.programme.known_pairs(), list(reasons)), strict=True):
            with st.container(border=True, key=f"programme-{kind}"):
                st.subheader(here.say(f"programme.{kind}"), anchor=False)
                st.caption(here.say(f"programme.{kind}_text"))
                for pair in pairs:
                    _named(here, kind, pair, (seniors, juniors), reasons.get(pair, "") if kind == "apart" else "")
                _pickers(here, kind, seniors, juniors)


def _named(here: Here, kind: str, pair: Pair, labels: tuple[Mapping[str, str], Mapping[str, str]], why: str) -> None:
    """Draw one pair of a list with the button that takes it off."""
    names = [of.get(each, each).split(",")[0] for of, each in zip(labels, pair, strict=True)]
    first = [first_name(each) for each in names]
    both = here.say("review.pair", senior=names[0], junior=names[1])
    with st.container(
        horizontal=True, vertical_alignment="center", gap="small", key=f"programme-{kind}-{pair[0]}-{pair[1]}"
    ):
        with st.container(gap=None, width="stretch"):
            components.words(both)
            if why:
                components.words(why)
        st.button(
            here.say("programme.remove", senior=components.plain(first[0]), junior=components.plain(first[1])),
            key=f"programme-remove-{kind}-{pair[0]}-{pair[1]}",
            icon=":material/close:",
            on_click=_remove,
            args=(kind, pair),
        )


def _pickers(here: Here, kind: str, seniors: Mapping[str, str], juniors: Mapping[str, str]) -> None:
    for column, side, labels in zip(st.columns(2), ("learns", "explains"), (seniors, juniors), strict=True):
        column.selectbox(
            here.say(f"agreement.{side}"),
            list(labels),
            index=None,
            format_func=lambda each, of=labels: of[each],  # type: ignore[misc]
            placeholder=here.say("demo.pick"),
            key=f"programme-{kind}-{side}",
        )
    if kind == "apart":
        st.text_input(here.say("programme.field_reason"), key="programme-apart-reason", max_chars=MOST_CHARACTERS)
    st.button(here.say(f"programme.{kind}_add"), key=f"programme-{kind}-add", on_click=_add, args=(kind,))


def _history(here: Here) -> None:
    """Draw the last steps, each with its way back."""
    done = here.service.programme.history(views.KEPT)
    if not done:
        return
    names = {each.id: each.name for each in identity.everybody(here.service, here.language).values()}
    with st.container(key="programme-history"):
        st.header(here.say("programme.history"), anchor=False)
        for line in views.step_lines(done, names, here.language):
            with st.container(
                border=True,
                horizontal=True,
                vertical_alignment="center",
                gap="small",
                key=f"programme-done-{line.id}",
            ):
                with st.container(gap=None, width="stretch"):
                    components.words(line.what)
                    st.caption(components.plain(line.told))
                if line.undone:
                    st.caption(here.say("programme.undone"))
                else:
                    st.button(
                        here.say("programme.undo"),
                        key=f"programme-undo-{line.id}",
                        icon=":material/undo:",
                        on_click=_undo,
                        args=(line.id,),
                    )


# What the coordinator does


def _go_picked() -> None:
    _go(st.session_state[OPEN])


def _go(step: str) -> None:
    here = frame.here()
    if here.session.problem is not None and here.session.problem.key in PAIR_REFUSALS:
        here.session.problem = None
    draft = replace(_held(here), step=step)
    _keep(draft)
    here.session.announce("programme.announce_step", focus="programme-step", number=draft.number)


def _examples() -> None:
    here = frame.here()
    _keep(_held(here).with_examples(here.language))
    here.session.announce("programme.announce_examples", focus="programme-step")


def _save() -> None:
    here = frame.here()
    draft = _held(here)
    _keep(draft)
    with here.session.step():
        kept = here.service.programme.save(draft.wanted(), here.who.id, draft.seen)
        _keep(Draft.of(kept, here.who.id, draft.step))
        here.session.saved = True
        here.session.announce("programme.announce_saved", focus="programme-save-bar")
    _lead_to_problem(here, draft)


def _lead_to_problem(here: Here, draft: Draft) -> None:
    """Open the step where the refused field is, or show what changed in between."""
    problem = here.session.problem
    if problem is None:
        return
    if problem.key == "programme_changed":
        here.session.focus = "programme-meanwhile"
    _keep(replace(draft, step=views.step_of(views.field_of(problem.error)) or draft.step))


def _drop() -> None:
    """Go back to what is kept."""
    here = frame.here()
    here.session.problem = None
    _keep(Draft.of(here.service.programme.current(), here.who.id, _held(here).step))
    here.session.announce("programme.announce_dropped", focus="programme-step")


def _mine() -> None:
    """Go on with what is typed, over what somebody else saved."""
    here = frame.here()
    here.session.problem = None
    _keep(replace(_held(here), seen=here.service.programme.current()))
    here.session.announce("programme.announce_mine", focus="programme-save-bar")


def _add(kind: str) -> None:
    here = frame.here()
    senior_id, junior_id = (st.session_state[f"programme-{kind}-{side}"] for side in ("learns", "explains"))
    with here.session.step():
        pair = views.picked(senior_id, junior_id)
        if kind == "known":
            here.service.programme.add_known(*pair, here.who.id)
        else:
            reason = st.session_state["programme-apart-reason"]
            here.service.programme.keep_apart(*pair, reason, here.who.id)
            st.session_state["programme-apart-reason"] = ""
        for side in ("learns", "explains"):
            st.session_state[f"programme-{kind}-{side}"] = None
        here.session.announce("programme.announce_added", focus=f"programme-{kind}")


def _remove(kind: str, pair: tuple[SeniorId, JuniorId]) -> None:
    here = frame.here()
    with here.session.step():
        remove = here.service.programme.remove_known if kind == "known" else here.service.programme.allow
        remove(*pair, here.who.id)
        here.session.announce("programme.announce_removed", focus=f"programme-{kind}")


def _undo(step_id: str) -> None:
    here = frame.here()
    with here.session.step():
        here.service.programme.undo(StepId(step_id), here.who.id)
        here.session.announce("programme.announce_undone", focus="programme-history")
