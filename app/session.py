"""Everything a session remembers, as one typed object. The truth is in the store; this is only a cache of it."""

import logging
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal

import streamlit as st

from app.identity import Identity
from recommender.domain import ConversationId, Junior, PairId, SlateId
from recommender.errors import TelemachosError
from recommender.wording import Language, say

KEY = "telemachos"
TextSize = Literal["normal", "large", "largest"]

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Problem:
    """What went wrong in the last step: an error with a sentence of its own, or a reference code."""

    error: TelemachosError | None
    code: str = ""

    @property
    def key(self) -> str:
        """Which refusal this is; empty for what nobody expected."""
        return self.error.key if self.error else ""

    def sentence(self, language: Language) -> str:
        """Say it in the language of the page, also when that is switched afterwards."""
        return self.error.sentence(language) if self.error else say("frame.broken", language, code=self.code)


@dataclass
class Session:
    """What one browser tab remembers between runs.

    `reply` counts what happened since the tab was opened; the announcer speaks once for each. `focus` is a CSS class
    of the part that took the place of what was clicked. `doing` is the form that is open, with the id it is about.
    """

    language: Language = "nl"
    text_size: TextSize = "normal"
    who_id: str = ""
    who: Identity | None = None
    go_home: bool = False
    go_to: str = ""
    conversation_id: ConversationId | None = None
    reviewing: SlateId | None = None
    pair_id: PairId | None = None
    doing: tuple[str, str] = ("", "")
    reply: int = 0
    spoken: str = ""
    spoken_values: dict[str, object] = field(default_factory=dict)
    focus: str = ""
    problem: Problem | None = None
    draft: Junior | None = None
    saved: bool = False

    def announce(self, key: str, focus: str = "", **values: object) -> None:
        """Let screen readers hear one of our own sentences, once."""
        self.reply += 1
        self.spoken, self.spoken_values, self.focus = key, values, focus

    def become(self, who: str) -> None:
        """Forget what belonged to the person before."""
        self.who_id, self.go_home = who, True
        self.conversation_id = self.reviewing = self.problem = None
        self.draft, self.saved = None, False
        self.pair_id, self.doing = None, ("", "")
        self.spoken = self.focus = ""

    @contextmanager
    def step(self) -> Iterator[None]:
        """Run one step of the user; what goes wrong in it is kept for the page to say."""
        self.problem, self.saved = None, False
        try:
            yield
        except TelemachosError as error:
            self.problem = Problem(error)
        except Exception:
            self.problem = Problem(None, log_unexpected())
        if self.problem:
            self.announce("frame.announce_problem", focus="problem")


def current() -> Session:
    """Return this tab's session."""
    if KEY not in st.session_state:
        st.session_state[KEY] = Session()
    session: Session = st.session_state[KEY]
    return session


def log_unexpected(error: Exception | None = None) -> str:
    """Log the error at hand, or `error`, and return the code by which a person can ask about it."""
    code = secrets.token_hex(2).upper()
    _log.error("unexpected error, reference %s", code, exc_info=error or True)
    return code
