"""What brings letters away, as the post sees it, and the four ways in which a letter may not arrive."""

from contextlib import AbstractContextManager
from email.message import EmailMessage
from typing import Protocol


class Failure(Exception):
    """Base of how a letter may not leave. Never raised itself.

    Parameters
    ----------
    key : str
        Key of the catalogue under ``posterror``.
    said : str, optional
        What the server answered, short and on one line.
    """

    def __init__(self, key: str, said: str = "") -> None:
        self.key, self.said = key, said
        super().__init__(key, said)


class Unreachable(Failure):
    """The server can't be spoken with; no letter was offered."""


class NotTaken(Failure):
    """A letter has certainly not left, and may do later. `server` tells that not the letter is the matter."""

    def __init__(self, key: str, said: str = "", *, server: bool = False) -> None:
        self.server = server
        super().__init__(key, said)


class Refused(Failure):
    """The server will never take this letter."""


class Unclear(Failure):
    """The letter was handed over and no answer came: nobody knows whether it left."""


class Line(Protocol):
    """A line to a server, for one letter."""

    def send(self, message: EmailMessage, to: str) -> None:
        """Hand over a letter to an address; return only when the server took it.

        Raises
        ------
        NotTaken, Refused, Unclear
            If it did not.
        """


class Carrier(Protocol):
    """What brings letters away."""

    @property
    def sender(self) -> str:
        """Return the address that letters come from."""

    def open(self) -> AbstractContextManager[Line]:
        """Open a line; raise `Unreachable` if that can't be."""
