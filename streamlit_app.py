"""The front door: `streamlit run streamlit_app.py`.

Streamlit reads this file twice: its server imports it to find `app`, and each visit runs it as ``__main__``.
"""

import streamlit as st

from app import frame, server
from app.pages import ask, matches, model, overview, pairs, profile, programme, review, rounds, story

PAGES = {
    "ask": ask.page,
    "profile": profile.page,
    "matches": matches.page,
    "review": review.page,
    "rounds": rounds.page,
    "pairs": pairs.page,
    "overview": overview.page,
    "programme": programme.page,
    "story": story.page,
    "model": model.page,
}

if __name__ == "__main__":
    frame.run(PAGES)
else:
    app = st.App(__file__, middleware=server.MIDDLEWARE, on_script_error=server.on_script_error)
