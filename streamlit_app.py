"""The front door: `streamlit run streamlit_app.py`.

Streamlit reads this file twice: its server imports it to find `app`, and each visit runs it as ``__main__``.
"""

import streamlit as st

from app import frame, server
from app.pages import ask, model, profile, review

PAGES = {"ask": ask.page, "profile": profile.page, "review": review.page, "model": model.page}

if __name__ == "__main__":
    frame.run(PAGES)
else:
    app = st.App(__file__, middleware=server.MIDDLEWARE, on_script_error=server.on_script_error)
