"""Tells a screen reader what happened, sets the page's language, and keeps the keyboard in place.

Streamlit has no live region, fixes ``lang="en"`` and drops the focus when a clicked button goes away. Only our own
fixed sentences come through here, never anybody's words.
"""

import json

import streamlit as st

from app.session import Session
from recommender.wording import say

# A function of its own each time: declaring the same names twice would end the second run silently.
_SCRIPT = """
<span></span><script>(() => {
  const told = %s;
  document.documentElement.lang = told.language;
  let live = document.getElementById("sr-live");
  if (!live) {
    live = document.createElement("div");
    live.id = "sr-live";
    live.setAttribute("role", "status");
    live.setAttribute("aria-live", "polite");
    document.body.appendChild(live);
  }
  if (live.dataset.reply === told.reply) return;
  live.dataset.reply = told.reply;
  live.textContent = told.text;
  if (!told.focus) return;
  let tries = 0;
  const move = () => {
    const stays = document.activeElement && document.activeElement.matches("textarea, input, .st-key-examples button");
    const part = document.querySelector(`.st-key-${CSS.escape(told.focus)}`);
    if (part) {
      if (!stays) {
        const heading = part.querySelector("h1, h2, h3, [role=alert]") || part;
        heading.setAttribute("tabindex", "-1");
        heading.focus({ preventScroll: true });
      }
      part.scrollIntoView({ block: "start" });
    } else if (tries++ < 40) setTimeout(move, 50);
  };
  setTimeout(move, 120);
})();</script>
"""


def draw(session: Session) -> None:
    """Announce what happened since the last run, once."""
    text = say(session.spoken, session.language, reply=session.reply, **session.spoken_values) if session.spoken else ""
    told = {"language": session.language, "reply": str(session.reply), "text": text, "focus": session.focus}
    st.html(_SCRIPT % json.dumps(told).replace("<", "\\u003c"), unsafe_allow_javascript=True)
