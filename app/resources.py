"""The composition root: one service for all sessions, put together once. Tests replace `installation`."""

import gc
import threading
from dataclasses import dataclass, field

import streamlit as st

from app import session
from recommender.bootstrap import Installation, install
from recommender.demo import load_demo
from recommender.postman import Postman
from recommender.service import Service
from recommender.settings import load_settings
from recommender.wording import say

ROUND_SECONDS = 15.0
"""Between two rounds of the postman: soon enough for a person, and nothing to a processor."""


@dataclass
class _Held:
    lock: threading.Lock = field(default_factory=threading.Lock)
    installation: Installation | None = None


@st.cache_resource(show_spinner=False)
def _held() -> _Held:
    return _Held()


def installation() -> Installation:
    """Return the one installation of this process; the first visit makes it and shows how far it is."""
    held = _held()
    if held.installation is None:
        with held.lock:
            if held.installation is None:
                held.installation = _start()
    return held.installation


def service() -> Service:
    """Return the use cases."""
    return installation().service


def _start() -> Installation:
    language = session.current().language
    place = st.empty()

    def progress(done: int, total: int) -> None:
        place.progress(done / max(total, 1), text=say("frame.starting", language))

    progress(0, 1)
    made = install(load_settings(), progress)
    people = made.service.store.people
    if not people.juniors() and not people.seniors():
        load_demo(made.service, progress)
    made.service.prepare(progress)
    Postman(made.service.post, made.service.pairs.beat, ROUND_SECONDS).start()
    gc.collect()
    gc.freeze()  # what was loaded stays: no collection has to look at it again
    place.empty()
    return made
