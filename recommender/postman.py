"""The thread that brings the post, and before it does what time brings: invitations end, check-ins fall due."""

import logging
import threading
from collections.abc import Callable

from recommender.post import Post

logger = logging.getLogger(__name__)

PATIENCE = 5.0
"""Seconds that a letter on its way gets when the app stops. One that takes longer is `uncertain` at the next start."""


class Postman:
    """Walks his round until he is stopped.

    Parameters
    ----------
    post : Post
        What is delivered.
    pairing_beat : callable
        Called before each round; may queue letters.
    every : float
        Seconds between rounds.
    """

    def __init__(self, post: Post, pairing_beat: Callable[[], object], every: float) -> None:
        self._post, self._beat, self._every = post, pairing_beat, every
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin, unless he walks already."""
        if self._thread is None:
            self._stopped.clear()
            self._thread = threading.Thread(target=self._walk, name="postman", daemon=True)
            self._thread.start()

    def stop(self, patience: float = PATIENCE) -> bool:
        """Stop after the letter that is on its way; tell whether he did within `patience` seconds."""
        self._stopped.set()
        if self._thread is None:
            return True
        self._thread.join(patience)
        if self._thread.is_alive():
            return False
        self._thread = None
        return True

    def round(self) -> None:
        """Walk one round. What goes wrong is logged without a word of the error, as that may hold a name."""
        for name, duty in (("beat", self._beat), ("post", self._deliver)):
            try:
                duty()
            except Exception as error:
                logger.error("The %s of the postman failed: %s", name, type(error).__name__)

    def _deliver(self) -> None:
        self._post.deliver(stop=self._stopped.is_set)

    def _walk(self) -> None:
        while not self._stopped.is_set():
            self.round()
            self._stopped.wait(self._every)
