"""A real mail server on this machine that can be told to misbehave, and counts what it was given."""

import asyncio
import socket
import ssl
import threading
from collections import Counter
from collections.abc import Awaitable, Callable
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any, Literal

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

Stage = Literal["greeting", "mail", "rcpt", "data", "end"]
"""Where a talk is: `data` is before the letter itself comes, `end` after its last byte."""
Behaviour = Callable[[Stage, "Talk"], Awaitable[str | None]]
"""Returns what to answer, or None for what a good server says."""

USER, PASSWORD = "post", "een goed geheim"


class Talk(SMTP):
    """One talk with a client."""

    def __init__(self, server: "MailServer", **options: Any) -> None:
        self.mail_server = server
        super().__init__(server, loop=server.loop, hostname="mail.test", **options)

    def drop(self) -> None:
        """Go away without a word."""
        if self.transport is not None:
            self.transport.abort()

    async def push(self, status: str) -> None:
        """Answer; the greeting is an answer too."""
        if isinstance(status, str) and status.startswith("220 mail.test"):
            status = await self.mail_server.behave("greeting", self) or status
        await super().push(status)

    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802
        """Ask for a letter, or don't."""
        said = await self.mail_server.behave("data", self)
        await (self.push(said) if said else super().smtp_DATA(arg))


class MailServer:
    """A server at a free port of 127.0.0.1, in a thread of its own.

    Parameters
    ----------
    behave : callable, optional
        What it does at each stage of a talk.
    port : int
        Where; 0 is a free one.
    tls : SSLContext, optional
        For a port that speaks TLS from the first byte.
    """

    def __init__(
        self, behave: Behaviour | None = None, port: int = 0, tls: ssl.SSLContext | None = None, **options: Any
    ) -> None:
        self.behave = behave or well
        self.arrived: list[tuple[str, EmailMessage]] = []
        self.talks: list[Talk] = []
        self.loop = asyncio.new_event_loop()
        self._options = options
        self._thread = threading.Thread(target=self.loop.run_forever, name="mail-server", daemon=True)
        self._thread.start()
        made = asyncio.run_coroutine_threadsafe(self._serve(port, tls), self.loop)
        self._server = made.result(10)
        self.port: int = self._server.sockets[0].getsockname()[1]

    async def _serve(self, port: int, tls: ssl.SSLContext | None) -> asyncio.Server:
        return await self.loop.create_server(self._talk, "127.0.0.1", port, ssl=tls)

    def _talk(self) -> Talk:
        talk = Talk(self, **self._options)
        self.talks.append(talk)
        return talk

    def stop(self) -> None:
        """Close the door and end every talk."""
        asyncio.run_coroutine_threadsafe(self._end(), self.loop).result(10)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(10)
        self.loop.close()

    async def _end(self) -> None:
        self._server.close()
        for talk in self.talks:
            talk.drop()
        others = [each for each in asyncio.all_tasks() if each is not asyncio.current_task()]
        for each in others:
            each.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    def times(self) -> Counter[str]:
        """Return how often each letter arrived, by its Message-ID."""
        return Counter(str(message["Message-ID"]) for _, message in self.arrived)

    async def handle_MAIL(  # noqa: N802
        self, server: Talk, _: Session, envelope: Envelope, address: str, __: list[str]
    ) -> str:
        """Hear who writes."""
        said = await self.behave("mail", server)
        if said is None:
            envelope.mail_from = address
        return said or "250 OK"

    async def handle_RCPT(  # noqa: N802
        self, server: Talk, _: Session, envelope: Envelope, address: str, __: list[str]
    ) -> str:
        """Hear to whom."""
        envelope.rcpt_tos.append(address)
        said = await self.behave("rcpt", server)
        if said is not None:
            envelope.rcpt_tos.remove(address)
        return said or "250 OK"

    async def handle_DATA(  # noqa: N802
        self, server: Talk, _: Session, envelope: Envelope
    ) -> str:
        """Take a letter: from here on it has arrived, unless the answer says that it has not."""
        message = message_from_bytes(envelope.original_content or b"", policy=default)
        assert isinstance(message, EmailMessage)
        letter = (envelope.rcpt_tos[0], message)
        self.arrived.append(letter)
        said = await self.behave("end", server)
        if said is not None and said[0] in "45":
            self.arrived.remove(letter)
        return said or "250 OK"


async def well(_: Stage, __: Talk) -> None:
    """Behave."""


def who(_: Talk, __: Session, ___: Envelope, mechanism: str, data: object) -> AuthResult:
    """Let in whom we know."""
    right = isinstance(data, LoginPassword) and (data.login, data.password) == (USER.encode(), PASSWORD.encode())
    return AuthResult(success=right, handled=False) if right else AuthResult(success=False, handled=False)


def free_port() -> int:
    """Return a port where nothing listens."""
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        port: int = door.getsockname()[1]
        return port


def with_certificate(certificate: str, key: str) -> ssl.SSLContext:
    """Return what a server proves itself with."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context
