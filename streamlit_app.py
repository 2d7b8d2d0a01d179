"""The front door: `streamlit run streamlit_app.py`.

Streamlit reads this file twice: its server imports it to find `app`, and each visit runs it as ``__main__``.
"""

import streamlit as st

from app import frame, server
from app.pages import ask, model, profile, review

if __name__ == "__main__":
    here = frame.open_page()
    pages = {
        "ask": st.Page(ask.page, title=here.say("page.ask"), url_path="ask", default=True),
        "profile": st.Page(profile.page, title=here.say("page.profile"), url_path="profile"),
        "review": st.Page(review.page, title=here.say("page.review"), url_path="review"),
        "model": st.Page(model.page, title=here.say("page.model"), url_path="model"),
    }
    frame.run(here, pages)
else:
    app = st.App(__file__, middleware=server.MIDDLEWARE, on_script_error=server.on_script_error)
