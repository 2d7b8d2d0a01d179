"""What is around every page: language, text size, help, who you are, notices, and the announcer."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from app import announce, components, identity, resources, session, views
from app.identity import HOME, PAGES, STAFF, Identity, Role
from app.server import language_of
from app.session import Session, TextSize
from recommender.errors import TelemachosError
from recommender.service import Service
from recommender.wording import LANGUAGES, Language, say

STYLE = Path(__file__).with_name("theme.css")
PERCENT: dict[TextSize, int] = {"normal": 100, "large": 120, "largest": 145}
START = "s001"
"""Who looks when nobody was chosen, if there is such a person."""


@dataclass(frozen=True)
class Here:
    """What every page needs: the session and the language to speak."""

    session: Session

    @property
    def language(self) -> Language:
        """The language of the page."""
        return self.session.language

    def say(self, key: str, **values: object) -> str:
        """Say something in the language of the page."""
        return say(key, self.session.language, **values)


def open_page() -> Here:
    """Start a run: read the address, set up the page."""
    fresh = session.KEY not in st.session_state
    here = Here(session.current())
    if fresh:
        _read_address(here.session)
    st.set_page_config(page_title=here.say("app.name"), page_icon=":material/handshake:", layout="wide")
    return here


def run(here: Here, pages: Mapping[str, StreamlitPage]) -> None:
    """Draw the frame and the page that was asked for, as far as the person's role allows."""
    st.html(STYLE)
    size = PERCENT[here.session.text_size]
    st.html(f"<style>html {{ font-size: calc({size} * 0.21px) !important; }}</style>")
    try:
        identity.check_loopback(st.get_option("server.address"))
        installation = resources.installation()
        who = _who(here, installation.service)
    except TelemachosError as error:
        st.navigation([*pages.values()], position="hidden")
        _top(here)
        st.error(components.plain(error.sentence(here.language)))
        announce.draw(here.session)
        return
    allowed = [pages[name] for name in PAGES[who.role]]
    shown = [page if page in allowed else _hidden(page) for page in pages.values()]
    page = st.navigation(shown, position="top" if len(allowed) > 1 else "hidden")
    home = pages[HOME[who.role]]
    if here.session.go_home or page.url_path not in {each.url_path for each in allowed}:
        here.session.go_home = False
        st.switch_page(home, query_params=_address(here.session))
    _write_address(here.session)
    with st.container(key=f"page-{'wide' if who.role in STAFF else 'narrow'}"):
        _top(here)
        _demo(here, who, installation.service)
        for notice in installation.notices:
            with st.container(key=f"notice-{notice}"):
                st.caption(here.say(f"notice.{notice}"))
        page.run()
    announce.draw(here.session)
