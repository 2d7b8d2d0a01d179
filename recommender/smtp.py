"""Sending a letter by SMTP, and telling apart what certainly did not leave from what may have.

`smtplib` tells errors by what the server answered; here it matters at which word of the talk they came. Until the last
byte of a letter is handed over it has not left, whatever happens. After that only the server's answer tells.
"""

import re
import smtplib
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from email.message import EmailMessage
from email.policy import SMTP
from typing import Literal

from pydantic import SecretStr

from recommender.calendar_files import one_line
from recommender.carrier import NotTaken, Refused, Unclear, Unreachable
from recommender.errors import SettingRefused
from recommender.letters import NoAddress, address
from recommender.settings import Settings

Security = Literal["none", "starttls", "tls"]

TIMEOUT = 60.0
"""Seconds for opening a line, and again for a letter on it. Long, as a server that is slow to answer has often taken
the letter, and then a person must look."""
GOODBYE = 2.0
"""Seconds for taking leave of a server once the letter is gone."""
SAID = 200
"""Characters of a server's answer that are kept."""
LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})


class Smtp:
    """A mail server.

    Parameters
    ----------
    host, port : str, int
        Where it is.
    security : {"none", "starttls", "tls"}
        How the line is kept private. With `starttls` a server that doesn't offer it gets no letter.
    user, password : str, SecretStr
        What to log in with; an empty user doesn't log in.
    sender : str
        Address that letters come from.
    timeout : float
        Seconds for opening a line, and for one letter, however slowly bytes come.
    trusted : ssl.SSLContext, optional
        Which certificates count; the system's by default.

    Raises
    ------
    SettingRefused
        If the sender is no address, or a password would go to another machine in the clear.
    """

    def __init__(
        self,
        host: str,
        port: int,
        security: Security,
        user: str,
        password: SecretStr,
        sender: str,
        timeout: float = TIMEOUT,
        trusted: ssl.SSLContext | None = None,
    ) -> None:
        try:
            self.sender = address(sender)
        except NoAddress as error:
            raise SettingRefused("smtp_sender", value=sender) from error
        if user and security == "none" and host not in LOCAL:
            raise SettingRefused("smtp_in_the_clear", host=host)
        self._host, self._port, self._security = host, port, security
        self._user, self._password, self._timeout = user, password, timeout
        self._trusted = trusted or ssl.create_default_context()

    @contextmanager
    def open(self) -> Iterator["SmtpLine"]:
        """Open a line for one letter; raise `Unreachable` if the server can't be spoken with."""
        domain = self.sender.rpartition("@")[2]  # said as our name: looking up this machine's own can take a minute
        if self._security == "tls":
            server: smtplib.SMTP = smtplib.SMTP_SSL(local_hostname=domain, timeout=self._timeout, context=self._trusted)
        else:
            server = smtplib.SMTP(local_hostname=domain, timeout=self._timeout)
        # The name that the certificate must hold; smtplib sets it only where its constructor connects.
        server._host = self._host  # type: ignore[attr-defined]
        try:
            with _deadline(server, self._timeout) as passed:
                self._greet(server, passed)
            line = SmtpLine(server, self.sender, self._timeout)
            yield line
            if line.alive:
                with suppress(OSError, smtplib.SMTPException), _deadline(server, GOODBYE):
                    server.quit()
        finally:
            server.close()

    def _come_in(self, server: smtplib.SMTP) -> None:
        code, said = server.connect(self._host, self._port)
        if server.sock:  # else the end of a letter waits for the server to confirm its beginning
            server.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if code != 220:
            raise Unreachable("greeting", _plain(code, said))
        if self._security == "starttls":
            server.starttls(context=self._trusted)
        server.ehlo_or_helo_if_needed()
        if self._user:
            server.login(self._user, self._password.get_secret_value())

    def _greet(self, server: smtplib.SMTP, passed: threading.Event) -> None:
        try:
            self._come_in(server)
        except smtplib.SMTPAuthenticationError as error:
            raise Unreachable("login", str(error.smtp_code)) from error  # its words may repeat the name
        except smtplib.SMTPNotSupportedError as error:
            raise Unreachable("unsafe" if self._security == "starttls" else "login") from error
        except smtplib.SMTPResponseException as error:
            raise Unreachable("greeting", _plain(error.smtp_code, error.smtp_error)) from error
        except ssl.SSLError as error:
            raise Unreachable("certificate") from error
        except socket.gaierror as error:
            raise Unreachable("no_such_host") from error
        except (OSError, smtplib.SMTPException, ValueError) as error:
            raise Unreachable(_silence(error, passed)) from error


class SmtpLine:
    """An open line, for one letter."""

    def __init__(self, server: smtplib.SMTP, sender: str, timeout: float) -> None:
        self._server, self._sender, self._timeout = server, sender, timeout
        self.alive = True

    def send(self, message: EmailMessage, to: str) -> None:
        """Hand over a letter; return only when the server took it.

        Raises
        ------
        NotTaken
            If it has certainly not left.
        Refused
            If the server says no to the address or the letter, for good.
        Unclear
            If the whole letter was handed over and no answer came.
        """
        data = re.sub(rb"(?m)^\.", b"..", message.as_bytes(policy=SMTP)).removesuffix(b"\r\n") + b"\r\n"
        with _deadline(self._server, self._timeout) as passed:
            try:
                self._offer(to)
                self._server.send(data)
            except (OSError, smtplib.SMTPException, ValueError) as error:
                self.alive = False
                raise NotTaken(_silence(error, passed), server=True) from error
            try:
                self._server.send(b".\r\n")
                code, said = self._server.getreply()
            except (OSError, smtplib.SMTPException, ValueError) as error:
                self.alive = False
                raise Unclear("silent") from error
        if 400 <= code < 500:
            raise NotTaken("later", _plain(code, said), server=code == 421)
        if 500 <= code < 600:
            raise Refused("refused", _plain(code, said))
        if not 200 <= code < 300:
            raise Unclear("silent")

    def _offer(self, to: str) -> None:
        """Say who writes to whom, up to where the letter itself begins."""
        code, said = self._server.mail(self._sender)
        if code != 250:
            raise NotTaken("sender", _plain(code, said), server=True)
        code, said = self._server.rcpt(to)
        if code not in (250, 251):
            self._say_no(code, said)
        code, said = self._server.docmd("DATA")
        if code != 354:
            self._say_no(code, said)

    def _say_no(self, code: int, said: bytes) -> None:
        if 500 <= code < 600:
            raise Refused("refused", _plain(code, said))
        raise NotTaken("later", _plain(code, said), server=code in (421, -1))


def carrier_of(settings: Settings) -> Smtp | None:
    """Return the mail server of these settings, or None where none is set."""
    if not settings.smtp_host:
        return None
    return Smtp(
        settings.smtp_host,
        settings.smtp_port,
        settings.smtp_security,
        settings.smtp_user,
        settings.smtp_password,
        settings.smtp_sender,
    )


@contextmanager
def _deadline(server: smtplib.SMTP, seconds: float) -> Iterator[threading.Event]:
    """Cut the line after so long: the time limit of a socket starts again with each byte that drips in."""
    over, passed = threading.Event(), threading.Event()

    def watch() -> None:
        while not over.wait(seconds):  # again, as it may have been connecting and there was nothing to cut
            passed.set()
            line = server.sock
            if line:
                with suppress(OSError):
                    socket.socket.shutdown(line, socket.SHUT_RDWR)  # a TLS socket's own forgets its keys at once

    watcher = threading.Thread(target=watch, name="smtp-deadline", daemon=True)
    watcher.start()
    try:
        yield passed
    finally:
        over.set()
        watcher.join()


def _silence(error: Exception, passed: threading.Event) -> str:
    """Tell a server that is slow from one that went away; smtplib hides the one in the other."""
    slow = passed.is_set() or isinstance(error, TimeoutError) or isinstance(error.__context__, TimeoutError)
    return "slow" if slow else "down"


def _plain(code: int, said: bytes | str) -> str:
    """Return a server's answer on one line, without addresses."""
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
    return one_line(re.sub(r"\S*@\S*", "…", f"{code} {text}"), SAID)
