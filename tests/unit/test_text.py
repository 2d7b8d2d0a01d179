"""People's words: cleaned at the edge, and cut into statements."""

import time
import unicodedata

import pytest

from recommender.errors import InputRefused
from recommender.text import MAX_CHARACTERS, MAX_STATEMENTS, MAX_WORDS, clean_text, content_hash, statements


@pytest.mark.parametrize(
    ("raw", "cleaned"),
    [
        ("  Sanne \n", "Sanne"),
        ("a\r\nb\rc\u2028d", "a\nb\nc\nd"),
        ("a\tb", "a\tb"),
        ("a\x00\x07\x1b\x7f\x9fb", "ab"),
        ("Zoe\u0308", "Zoë"),
        ("evil\u202etxt.exe", "eviltxt.exe"),
        ("\ufeffna\u200bam\u2060\u00ad", "naam"),
        ("a\u200db", "ab"),
        ("hide\U000e0041\U000e0042", "hide"),
        ("العربية Ελλη ğş", "العربية Ελλη ğş"),
    ],
)
def test_clean_text(raw: str, cleaned: str) -> None:
    """What a reader can't see goes; letters, tabs and line ends stay."""
    assert clean_text(raw) == cleaned


@pytest.mark.parametrize("emoji", ["👩‍💻", "🎥", "❤️", "👍🏽", "🏳️‍🌈", "🧑‍🤝‍🧑", "🇳🇱", "1️⃣"])
def test_clean_text_keeps_emoji(emoji: str) -> None:
    """An emoji stays whole, also one that is held together by a zero-width joiner."""
    assert clean_text(f"filmpjes {emoji}!") == f"filmpjes {emoji}!"


def test_clean_text_refuses_half_characters() -> None:
    """A lone surrogate can't be stored: it is refused in words."""
    with pytest.raises(InputRefused, match="half a character"):
        clean_text("a\ud800b")


@pytest.mark.parametrize("raw", ["x" * 11, "\u200b" * 11, "\U0001d160" * 4])
def test_clean_text_refuses_long_texts(raw: str) -> None:
    """The limit holds before cleaning, and after it: U+1D160 becomes three characters in NFC."""
    with pytest.raises(InputRefused, match=r"too long: 1[12] characters"):
        clean_text(raw, 10)
    assert clean_text("x" * 10, 10) == "x" * 10


def test_content_hash_depends_on_every_character() -> None:
    """Equal texts have one hash, the one `printf Excel | sha256sum` gives; other texts have another."""
    assert content_hash("Excel") == "48d53635551c8fd4564251d49f4e6eba58c2774469144e4346310955fbadbf4c"
    assert content_hash("Excel") != content_hash("excel")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Draaitabellen", ["Draaitabellen"]),
        ("Iets met social media?", ["Iets met social media?"]),
        ("", []),
        (" \n ", []),
        ("👍", ["👍"]),
        ("Ik leer u Excel goed. Ook help ik met Word.", ["Ik leer u Excel goed.", "Ook help ik met Word."]),
        ("Power BI. Dashboards bouwen van begin tot eind.", ["Power BI. Dashboards bouwen van begin tot eind."]),
        ("Ik bouw graag mooie dashboards. Ook online.", ["Ik bouw graag mooie dashboards. Ook online."]),
        (
            "Alles met Excel, bijv. draaitabellen, o.a. voor HR.",
            ["Alles met Excel, bijv. draaitabellen, o.a. voor HR."],
        ),
        ("Ik kan Excel, Word enz. Teams leer ik u ook.", ["Ik kan Excel, Word enz.", "Teams leer ik u ook."]),
        ("Ik kan Excel, Word enz. en nog veel meer.", ["Ik kan Excel, Word enz. en nog veel meer."]),
        ("SQL; Python; Power Query", ["SQL", "Python", "Power Query"]),
        ("SQL;Python;R", ["SQL", "Python", "R"]),
        ("Excel; Word", ["Excel", "Word"]),
        ("Excel\nWord\nTeams", ["Excel", "Word", "Teams"]),
        ("Ik kan:\n- Excel\n* Word en Teams\n1. foto's", ["Ik kan:", "Excel", "Word en Teams", "foto's"]),
        ("• Excel • Word • Teams", ["Excel", "Word", "Teams"]),
        ("Bellen met beeld (Teams; Zoom; Meet) leer ik u.", ["Bellen met beeld (Teams; Zoom; Meet) leer ik u."]),
        ("Ik shop graag online ;-) en help u daar mee.", ["Ik shop graag online ;-) en help u daar mee."]),
        ("Excel. Draaitabel leg ik uit; Word; Teams", ["Excel. Draaitabel leg ik uit", "Word", "Teams"]),
    ],
)
def test_statements(text: str, expected: list[str]) -> None:
    """A profile is cut into its sentences, lines, bullets and list items."""
    assert statements(text) == expected


def test_long_sentence_is_cut_after_a_comma() -> None:
    """A sentence over the limit is cut in about equal pieces, at a comma near the middle."""
    text = " ".join(["woord"] * 22) + ", " + " ".join(["ander"] * 30)
    first, second = statements(text)
    assert first == " ".join(["woord"] * 22) + ","
    assert second == " ".join(["ander"] * 30)


def test_too_many_statements_are_joined_before_any_is_lost() -> None:
    """A list of 100 skills keeps them all, in at most `MAX_STATEMENTS` statements."""
    found = statements("; ".join(f"vaardigheid{number}" for number in range(100)))
    assert len(found) <= MAX_STATEMENTS
    assert all(f"vaardigheid{number}" in " ".join(found) for number in range(100))
    assert max(len(each.split()) for each in found) <= 8


@pytest.mark.parametrize(
    "text",
    [
        "a" * MAX_CHARACTERS,
        "a " * (MAX_CHARACTERS // 2),
        "." * MAX_CHARACTERS,
        "(" * MAX_CHARACTERS,
        ";" * MAX_CHARACTERS,
        "a;" * (MAX_CHARACTERS // 2),
        "x\n" * (MAX_CHARACTERS // 2),
        ". " * (MAX_CHARACTERS // 2),
        "1) " * (MAX_CHARACTERS // 3),
        "😀\u200d" * (MAX_CHARACTERS // 2),
        "é\u0301" * (MAX_CHARACTERS // 2),
    ],
    ids=lambda text: repr(text[:3]),
)
def test_hostile_texts_are_fast_and_within_limits(text: str) -> None:
    """No pattern runs away on text that is made to hurt: a line of dots once took 150 times as long as prose."""
    found = statements(clean_text(text))
    prose = ("Ik help graag met Excel, en dan vooral met draaitabellen. " * MAX_CHARACTERS)[:MAX_CHARACTERS]
    assert _fastest(text) < 30 * _fastest(prose)
    assert len(found) <= MAX_STATEMENTS
    assert all(len(each.split()) <= MAX_WORDS for each in found)


def test_statements_hold_the_texts_own_words() -> None:
    """Every statement is a passage of the text, so that it can be shown as evidence."""
    text = "Ik help met:\n- Excel;  draaitabellen\n\n2) Power BI. Bel me. Of mail; of kom langs; liefst 's ochtends!"
    whole = " ".join(text.split())
    found = statements(text)
    assert len(found) > 3
    assert all(each in whole for each in found)
    assert unicodedata.is_normalized("NFC", "".join(found))


def _fastest(text: str) -> float:
    """Return the seconds that cleaning and cutting takes, undisturbed: the best of five."""
    times = []
    for _ in range(5):
        start = time.perf_counter()
        statements(clean_text(text))
        times.append(time.perf_counter() - start)
    return min(times)
