"""What the web server adds to each answer: the page's language and a few safe headers."""

import re
from urllib.parse import parse_qs

import streamlit as st
from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware import Middleware
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app import identity, session
from recommender.wording import LANGUAGES, Language, say

PAGES = {f"/{page}" for pages in identity.PAGES.values() for page in pages}
_PAGE_PATH = re.compile(r"/[^.]*")  # a file has a dot; what is left is a page

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
}


def language_of(query: str, accepted: str) -> Language:
    """Return the language of a visit: what its address says, else the browser's, else Dutch.

    Examples
    --------
    >>> language_of("as=s001&lang=en", "nl"), language_of("", "en-GB,en;q=0.9"), language_of("lang=xx", "fr")
    ('en', 'en', 'nl')
    """
    asked = parse_qs(query).get("lang", [""])[0]
    for language in LANGUAGES:
        if asked == language:
            return language
    return "en" if accepted.lower().startswith("en") else "nl"


class Frontdoor:
    """Set headers and the page's language, and lead an unknown address to the start."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        path = scope["path"]
        if path != "/" and path not in PAGES and not path.startswith("/_stcore") and _is_visit(scope):
            query = scope["query_string"].decode("latin-1")
            await RedirectResponse(f"/?{query}" if query else "/", 307)(scope, receive, send)
            return
        if _is_visit(scope):  # a page must arrive unpacked: its language is written into it
            packed = {b"accept-encoding", b"if-none-match", b"if-modified-since"}
            headers = [(name, value) for name, value in scope["headers"] if name not in packed]
            scope = {**scope, "headers": headers}
        await self.app(scope, receive, _Sender(scope, send))


def _is_visit(scope: Scope) -> bool:
    wants = Headers(scope=scope).get("accept", "")
    return scope["method"] == "GET" and "text/html" in wants and _PAGE_PATH.fullmatch(scope["path"]) is not None


class _Sender:
    """Passes an answer on; a page is held until it is whole, so that its language can be set."""

    def __init__(self, scope: Scope, send: Send) -> None:
        accepted = Headers(scope=scope).get("accept-language", "")
        self._language = language_of(scope["query_string"].decode("latin-1"), accepted)
        self._send, self._start, self._body = send, None, b""

    _start: Message | None

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers[name] = value
            if headers.get("content-type", "").startswith("text/html"):
                self._start = message
                return
        elif self._start is not None:
            self._body += message.get("body", b"")
            if message.get("more_body"):
                return
            body = self._body.replace(b'<html lang="en">', f'<html lang="{self._language}">'.encode(), 1)
            headers = MutableHeaders(scope=self._start)
            headers["content-length"] = str(len(body))
            for name in ("etag", "last-modified"):  # the same file differs from language to language
                if name in headers:
                    del headers[name]
            headers["vary"] = "Accept-Language, Accept-Encoding"
            await self._send(self._start)
            message = {"type": "http.response.body", "body": body}
            self._start = None
        await self._send(message)


MIDDLEWARE = [Middleware(Frontdoor)]


def on_script_error(error: Exception) -> bool:
    """Say that something went wrong, with a code to ask about; the details go to the log only."""
    code = session.log_unexpected(error)
    st.error(say("frame.broken", session.current().language, code=code))
    return True
