"""What is around every page: identity, language, headers, and people's words as plain text."""

import asyncio
from collections.abc import Callable

import pytest
from streamlit import config
from streamlit.testing.v1 import AppTest

from app import identity, resources, server
from app.components import plain
from recommender.errors import Forbidden, StoreUnavailable
from recommender.wording import LANGUAGES, Language, say

Visit = Callable[..., AppTest]

EVERYWHERE = "0.0.0.0"  # noqa: S104  # named, never bound
TITLES = {"s1": "ask.title", "j1": "profile.title", "coordinator": "review.title", "scientist": "model.title"}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("who", TITLES)
def test_everybody_gets_their_own_page(visit: Visit, who: str, language: Language) -> None:
    """The role decides which page opens; the banner says that it is a demo."""
    at = visit(who, language)
    assert at.title[0].value == say(TITLES[who], language)
    assert any("Demo" in part.value for part in at.text)


def test_unknown_person_becomes_somebody_who_learns(visit: Visit) -> None:
    """An address with a made-up id does no harm."""
    assert visit("<script>").title[0].value == say("ask.title", "nl")


@pytest.mark.parametrize(("who", "key"), [("coordinator", "demo-coordinator"), ("scientist", "demo-scientist")])
def test_switching_identity_opens_the_other_page(visit: Visit, who: str, key: str) -> None:
    """The demo switch leads to that role's page and keeps the address in step."""
    at = visit("s1").button(key=key).click().run()
    assert at.title[0].value == say(TITLES[who], "nl")
    assert at.query_params["as"] in (who, [who])


def test_switching_to_a_junior_forgets_the_senior(visit: Visit) -> None:
    """Nothing of the person before is left."""
    at = visit("s1")
    at.selectbox(key="demo-junior").set_value("j3").run()
    assert at.title[0].value == say("profile.title", "nl")
    assert not [each for each in at.text if "Vrager1" in each.value]


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "localhost", "127.0.0.9"])
def test_demo_runs_on_this_machine(address: str) -> None:
    """Loopback addresses are allowed."""
    identity.check_loopback(address)


@pytest.mark.parametrize("address", [None, "", EVERYWHERE, "192.168.1.4", "::", "example.org", "127.0.0.1.example.org"])
def test_demo_refuses_other_addresses(address: str | None) -> None:
    """Without sign-in nobody else may reach the names."""
    with pytest.raises(Forbidden):
        identity.check_loopback(address)


@pytest.mark.parametrize("language", LANGUAGES)
def test_refusal_shows_a_sentence_and_no_names(visit: Visit, language: Language) -> None:
    """On an open address the page says why it stops, and draws nothing else."""
    before = config.get_option("server.address")
    config.set_option("server.address", EVERYWHERE)
    try:
        at = visit("s1", language)
    finally:
        config.set_option("server.address", before)
    assert say("error.demo_only_here", language, address=EVERYWHERE).split(".")[0] in at.error[0].value.replace(
        "\\", ""
    )
    assert not at.title
    assert not at.text


@pytest.mark.parametrize("language", LANGUAGES)
def test_locked_database_is_explained(visit: Visit, monkeypatch: pytest.MonkeyPatch, language: Language) -> None:
    """When another program has the database, the page says which, in the page's language."""

    def locked() -> None:
        raise StoreUnavailable("store_locked", path="x.duckdb", pid="12")

    monkeypatch.setattr(resources, "installation", locked)
    at = visit("s1", language)
    assert not at.exception
    assert "12" in at.error[0].value
    assert plain(say("error.store_locked", language, path="x.duckdb", pid="12")) == at.error[0].value


@pytest.mark.parametrize(
    "text",
    [
        ":material/home:",
        ":smile:",
        ":red[x]",
        ":red-background[x]",
        "www.example.com",
        "WWW.example.com",
        "http://example.com",
        "a@example.com",
        "a -> b <- c -- d",
        "<b>x</b>",
        "![x](http://y)",
        "[x](javascript:alert(1))",
        "$x^2$",
        "# kop",
        "`code`",
        "~~weg~~",
        "1. een",
        "&lt;b&gt;",
        "*a* _b_ \\ |",
    ],
)
def test_plain_keeps_the_letters_and_breaks_the_marks(text: str) -> None:
    """Without backslashes and word joiners the text is unchanged; every mark is escaped; no late pattern is left."""
    shown = plain(text)
    without = shown.replace("\u2060", "")
    unescaped = "".join(part for index, part in enumerate(_split_escapes(without)) if part)
    assert unescaped == text
    rendered = "".join(_split_escapes(shown))  # what Streamlit's late patterns see
    for pattern in (":material/", ":smile:", ":red", "www.", "WWW.", "://", "@e", "->", "<-", "--"):
        assert pattern not in rendered


def _split_escapes(text: str) -> list[str]:
    """Undo Markdown's backslash escapes; an unescaped ASCII punctuation mark is an error."""
    found, index = [], 0
    while index < len(text):
        if text[index] == "\\":
            index += 1
        else:
            assert text[index].isalnum() or text[index].isspace() or not text[index].isascii()
        found.append(text[index])
        index += 1
    return found


def test_plain_makes_one_line() -> None:
    """A line break in a name can't start a heading or a list."""
    assert plain("Sanne\n# kop") == "Sanne \\# kop"


async def _answer(path: str, headers: dict[str, str], content_type: str = "text/html") -> tuple[int, dict, bytes, dict]:
    """Send one request through the front door to an app that answers with a page."""
    seen: dict = {}
    sent: list[dict] = []

    async def app(scope, receive, send):  # type: ignore[no-untyped-def]
        seen.update(scope)
        kind = content_type.encode()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", kind)]})
        await send({"type": "http.response.body", "body": b'<html lang="en">', "more_body": True})
        await send({"type": "http.response.body", "body": b"</html>"})

    async def send(message):  # type: ignore[no-untyped-def]
        sent.append(message)

    path, _, query = path.partition("?")
    scope = {
        "type": "http",
        "method": "GET",
        "path": path,
        "query_string": query.encode(),
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
    }
    await server.Frontdoor(app)(scope, None, send)  # type: ignore[arg-type]
    body = b"".join(each.get("body", b"") for each in sent)
    return sent[0]["status"], {k.decode(): v.decode() for k, v in sent[0]["headers"]}, body, seen


@pytest.mark.parametrize(
    ("path", "accepted", "language"),
    [
        ("/?lang=nl", "en", "nl"),
        ("/?lang=en", "nl", "en"),
        ("/", "en-GB,en;q=0.8", "en"),
        ("/", "nl-BE", "nl"),
        ("/", "fr", "nl"),
        ("/review?lang=en&as=coordinator", "", "en"),
        ('/?lang="><script>', "", "nl"),
    ],
)
def test_page_carries_its_language_and_safe_headers(path: str, accepted: str, language: str) -> None:
    """The language comes from the address, then the browser, then Dutch; and the headers are there."""
    headers = {"accept": "text/html", "accept-language": accepted, "accept-encoding": "gzip"}
    status, sent, body, seen = asyncio.run(_answer(path, headers))
    assert status == 200
    assert body == f'<html lang="{language}"></html>'.encode()
    assert sent["content-length"] == str(len(body))
    assert sent["x-content-type-options"] == "nosniff"
    assert sent["x-frame-options"] == "DENY"
    assert b"accept-encoding" not in dict(seen["headers"])


def test_unknown_address_leads_to_the_start() -> None:
    """Nobody meets Streamlit's English "page not found"."""
    status, sent, _, _ = asyncio.run(_answer("/bestaat-niet?lang=nl", {"accept": "text/html"}))
    assert (status, sent["location"]) == (307, "/?lang=nl")


@pytest.mark.parametrize("path", ["/_stcore/health", "/static/js/index.js", "/media/x.svg"])
def test_other_answers_pass_unchanged(path: str) -> None:
    """Only pages are rewritten; files and health checks just get the headers."""
    status, sent, body, _ = asyncio.run(_answer(path, {"accept": "*/*"}, "application/json"))
    assert (status, body) == (200, b'<html lang="en"></html>')
    assert sent["x-content-type-options"] == "nosniff"
