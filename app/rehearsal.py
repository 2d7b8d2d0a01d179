"""GE 1999 played in the background: one at a time for the whole app, its outcome kept until the app stops."""

import threading
from dataclasses import dataclass, field

import streamlit as st

from app.session import log_unexpected
from recommender.bootstrap import Parts
from recommender.ge_1999 import Story, play


@dataclass
class Rehearsal:
    """How far it is, and what came of it. `failed` is the code by which a person can ask about an error."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    done: int = 0
    total: int = 0
    running: bool = False
    story: Story | None = None
    failed: str = ""

    def start(self, parts: Parts) -> None:
        """Play it, unless it is being played."""
        with self.lock:
            if self.running:
                return
            self.running, self.failed, self.done, self.total = True, "", 0, 0
        threading.Thread(target=self._play, args=(parts,), name="ge-1999", daemon=True).start()

    def _play(self, parts: Parts) -> None:
        try:
            self.story = play(parts, self._progress)
        except Exception as error:
            self.failed = log_unexpected(error)
        finally:
            self.running = False

    def _progress(self, done: int, total: int) -> None:
        self.done, self.total = done, total


@st.cache_resource(show_spinner=False)
def rehearsal() -> Rehearsal:
    """Return the one rehearsal of this process."""
    return Rehearsal()
