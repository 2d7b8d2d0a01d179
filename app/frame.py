"""What is around every page: language, text size, help, who you are, notices, and the announcer."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from app import announce, components, identity, resources, session
from app.identity import HOME, PAGES, STAFF, Identity, Role
from app.server import language_of
from app.session import Session, TextSize
from recommender.errors import TelemachosError
from recommender.service import Service
from recommender.wording import LANGUAGES, Language, say

STYLE = Path(__file__).with_name("theme.css")
ICON = Path(__file__).with_name("icon.svg")
PERCENT: dict[TextSize, int] = {"normal": 100, "large": 120, "largest": 145}
START = "s001"
"""Who looks when nobody was chosen, if there is such a person."""


@dataclass(frozen=True)
class Here:
    """What every page needs: the session, the person and the language to speak."""

    session: Session
    who: Identity

    @property
    def language(self) -> Language:
        """The language of the page."""
        return self.session.language

    @property
    def service(self) -> Service:
        """The use cases."""
        return resources.service()

    def say(self, key: str, **values: object) -> str:
        """Say something in the language of the page."""
        return say(key, self.session.language, **values)


def here() -> Here:
    """Return what the page that runs now needs."""
    held = session.current()
    if held.who is None:
        raise RuntimeError("frame.run sets the person before a page runs")
    return Here(held, held.who)


def run(pages: Mapping[str, Callable[[], None]]) -> None:
    """Draw the frame and the page that was asked for, as far as the person's role allows."""
    fresh = session.KEY not in st.session_state
    held = session.current()
    if fresh:
        _read_address(held)
    st.set_page_config(page_title=say("app.name", held.language), page_icon=str(ICON), layout="wide")
    st.html(STYLE)
    st.html(f"<style>html {{ font-size: {PERCENT[held.text_size] * 0.21:.1f}px !important; }}</style>")
    try:
        identity.check_loopback(st.get_option("server.address"))
        installation = resources.installation()
        people = identity.everybody(installation.service, held.language)
        who = _identify(held, people)
    except TelemachosError as error:
        st.navigation([pages["ask"]], position="hidden")
        with st.container(key="page-narrow"):
            _top(held)
            st.error(components.plain(error.sentence(held.language)), icon=":material/error:")
        announce.draw(held)
        return
    page = _navigate(held, who, pages)
    with st.container(key=f"page-{'narrow' if who.role is Role.SENIOR else 'wide'}"):
        _top(held)
        _demo(held, who, people)
        for notice in installation.notices:
            with st.container(key=f"notice-{notice}"):
                st.caption(say(f"notice.{notice}", held.language))
        page.run()
        with st.container(key="lost"):  # the style shows it while the browser has lost the server
            st.markdown(say("frame.lost", held.language))
    announce.draw(held)


def _navigate(held: Session, who: Identity, pages: Mapping[str, Callable[[], None]]) -> st.Page:
    """Return the page to run; a page of another role leads to one's own start."""
    allowed = PAGES[who.role]
    all_pages = {
        name: st.Page(
            function,
            title=say(f"page.{name}", held.language),
            url_path=name,
            default=name == "ask",
            visibility="visible" if name in allowed else "hidden",
        )
        for name, function in pages.items()
    }
    page = st.navigation(list(all_pages.values()), position="top" if len(allowed) > 1 else "hidden")
    wanted = held.go_to if held.go_to in allowed else ""
    if wanted or held.go_home or (page.url_path or "ask") not in allowed:
        held.go_home, held.go_to = False, ""
        st.switch_page(all_pages[wanted or HOME[who.role]], query_params=_address(held))
    for name, value in _address(held).items():
        if st.query_params.get(name) != value:
            st.query_params[name] = value
    return page


def _identify(held: Session, people: Mapping[str, Identity]) -> Identity:
    """Return the person of this session; an unknown id becomes the first who learns."""
    wanted = held.who_id if held.who_id in people else START
    held.who = people.get(wanted) or next(iter(people.values()))
    held.who_id = held.who.id
    return held.who


def _read_address(held: Session) -> None:
    """Take language, text size and demo identity from the address, so that a reload keeps them."""
    query = "&".join(f"{name}={st.query_params[name]}" for name in ("lang",) if name in st.query_params)
    held.language = language_of(query, st.context.locale or "")
    held.who_id = st.query_params.get("as", "")
    size = st.query_params.get("size", "normal")
    held.text_size = next((each for each in PERCENT if each == size), "normal")


def _address(held: Session) -> dict[str, str]:
    return {"as": held.who_id, "lang": held.language, "size": held.text_size}


def _top(held: Session) -> None:
    """Draw the bar with the name, language, text size and help."""
    language = held.language
    with st.container(key="top", horizontal=True, vertical_alignment="center", gap="small"):
        with st.container(key="brand", width="content"):
            st.markdown(f"**{say('app.name', language)}**")
        with st.container(key="settings", horizontal=True, horizontal_alignment="right", vertical_alignment="center"):
            st.segmented_control(
                say("frame.language", language),
                LANGUAGES,
                default=language,
                format_func=lambda each: say(f"frame.language_{each}", language),
                required=True,
                wrap=True,
                key="lang",
                label_visibility="collapsed",
                on_change=_set_language,
            )
            st.segmented_control(
                say("frame.size", language),
                list(PERCENT),
                default=held.text_size,
                format_func=lambda each: say(f"frame.size_{each}", language),
                required=True,
                wrap=True,
                key="size",
                label_visibility="collapsed",
                on_change=_set_size,
            )
            with st.popover(say("frame.help", language), icon=":material/help:", key="help"):
                st.markdown(say("frame.help_text", language))
                contact(language)


def contact(language: Language) -> None:
    """Draw how to reach a person."""
    st.markdown(f"**{say('contact.name', language)}**, {say('contact.role', language)}")
    st.markdown(f":material/call: {say('contact.phone', language)}")
    st.markdown(f":material/mail: {say('contact.mail', language)}")


def _set_language() -> None:
    held = session.current()
    held.language = st.session_state["lang"]
    held.announce("frame.announce_language")


def _set_size() -> None:
    session.current().text_size = st.session_state["size"]


def _demo(held: Session, who: Identity, people: Mapping[str, Identity]) -> None:
    """Draw the banner of the demo, with the switch to another person."""
    language = held.language
    with st.container(key="demo", horizontal=True, vertical_alignment="center", gap="small"):
        with st.container(width="stretch"):
            components.words(say(f"demo.banner_{who.role}", language, name=who.name))
        with st.popover(say("demo.switch", language), key="demo-switch"):
            st.markdown(say("demo.explain", language))
            for role in (Role.SENIOR, Role.JUNIOR):
                ids = identity.to_pick(people, role)
                st.selectbox(
                    say(f"demo.pick_{role}", language),
                    ids,
                    index=None,
                    format_func=lambda each: people[each].name,
                    placeholder=say("demo.pick", language),
                    key=f"demo-{role}",
                    on_change=_become_picked,
                    args=(f"demo-{role}",),
                )
            for role in STAFF:
                st.button(
                    say(f"demo.name_{role}", language),
                    key=f"demo-{role}",
                    on_click=_become,
                    args=(str(role),),
                    width="stretch",
                )


def _become_picked(key: str) -> None:
    picked = st.session_state[key]
    if picked:
        _become(picked)
        st.session_state[key] = None


def _become(who: str) -> None:
    session.current().become(who)
