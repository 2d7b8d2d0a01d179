"""Which form is open on a page: one at a time, opened and closed by a button."""

import streamlit as st

from app import frame
from app.frame import Here


def start(doing: str, about: str, title: str) -> None:
    """Open a form; `title` is what a screen reader hears of it."""
    here = frame.here()
    here.session.problem = None
    here.session.doing = (doing, about)
    here.session.announce("doing.announce_form", focus="form", form=title)


def stop(focus: str = "now") -> None:
    """Close the form that is open; nothing was done."""
    here = frame.here()
    here.session.problem = None
    here.session.doing = ("", "")
    here.session.announce("doing.announce_back", focus=focus)


def done(key: str, focus: str = "now") -> None:
    """Close the form after its step, and tell."""
    here = frame.here()
    here.session.doing = ("", "")
    here.session.announce(key, focus=focus)


def back(here: Here, focus: str = "now") -> None:
    """Draw the button that closes the form; `focus` is the part that has the keyboard then."""
    st.button(here.say("doing.back"), key="form-back", on_click=stop, args=(focus,))
