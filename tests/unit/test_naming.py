"""Words of a turn become the town, day or person that is meant."""

from datetime import UTC, datetime

import pytest

from recommender.dialogue.acts import Act, Heard, Name, Slot
from recommender.dialogue.brief import Wish, WishKind
from recommender.domain import JuniorId
from recommender.naming import Organisation, People, days, language, named, number
from tests.builders import a_senior

AT = datetime(2026, 11, 24, 9, tzinfo=UTC)
HERE = Organisation(
    ("Utrecht", "Gent"),
    ("Finance", "IT"),
    People([(JuniorId("j1"), "Sanne de Wit"), (JuniorId("j2"), "Piet Jansen"), (JuniorId("j3"), "Sanne Bos")]),
)
ON_SCREEN = [(JuniorId("j3"), "Sanne Bos"), (JuniorId("j2"), "Piet Jansen")]


def wishes(name: Name, words: str, *, wanted: bool = True) -> tuple[Wish, ...]:
    """Return the wishes that one slot comes to."""
    heard = Heard(words, ((Act.CRITIQUE, 1.0),), (Slot(name, words, wanted),))
    return named(heard, HERE, a_senior(site="Gent", department="IT"), ON_SCREEN, AT).wishes


@pytest.mark.parametrize(
    ("name", "words", "wanted", "wish"),
    [
        (Name.PLACE, "utrehct", True, Wish(WishKind.PLACE, "Utrecht")),
        (Name.PLACE, "Tokyo", True, Wish(WishKind.PLACE, "Tokyo")),
        (Name.NEAR, "bij mij in de buurt", True, Wish(WishKind.PLACE, "Gent")),
        (Name.DEPARTMENT, "finance", False, Wish(WishKind.DEPARTMENT, "Finance", wanted=False)),
        (Name.DEPARTMENT, "mijn eigen afdeling", False, Wish(WishKind.DEPARTMENT, "IT", wanted=False)),
        (Name.DAY, "vrijdg", True, Wish(WishKind.DAY, "fri")),
        (Name.LANGUAGE, "Engelss", True, Wish(WishKind.LANGUAGE, "en")),
        (Name.ONLINE, "online", False, Wish(WishKind.ON_SITE)),
        (Name.TECHNICAL, "technisch", False, Wish(WishKind.TECHNICAL, wanted=False)),
        (Name.PERSON, "Piet", False, Wish(WishKind.PERSON, "j2", wanted=False)),
    ],
)
def test_words_become_a_wish(name: Name, words: str, wanted: bool, wish: Wish) -> None:
    """Typing errors are forgiven; a town that isn't here stays what was said."""
    assert wishes(name, words, wanted=wanted) == (wish,)


def test_who_is_on_screen_comes_first() -> None:
    """Of two of one name the one who can be seen is meant; somebody else only where nobody there has it."""
    heard = Heard("waarom sane", ((Act.WHY, 1.0),), (Slot(Name.PERSON, "sane"),))
    assert named(heard, HERE, None, ON_SCREEN, AT).juniors == ("j3",)
    full = Heard("Sanne de Wit", ((Act.WHY, 1.0),), (Slot(Name.PERSON, "Sanne de Wit"),))
    assert named(full, HERE, None, [], AT).juniors == ("j1",)
    unknown = Heard("Xavi", ((Act.WHY, 1.0),), (Slot(Name.PERSON, "Xavi"),))
    assert named(unknown, HERE, None, ON_SCREEN, AT).unknown == ("Xavi",)


def test_a_name_that_was_not_marked_is_found() -> None:
    """A name on screen counts also where the reader of turns missed it."""
    heard = Heard("waarom piet eigenlijk", ((Act.WHY, 1.0),))
    assert named(heard, HERE, None, ON_SCREEN, AT).juniors == ("j2",)


@pytest.mark.parametrize(
    ("words", "place"),
    [("twede", 1), ("the third", 2), ("nummer 1", 0), ("nummer drie", 2), ("laatste", 3), ("99", None), ("min 1e", 0)],
)
def test_numbers(words: str, place: int | None) -> None:
    """Digits, words and ordinals; what isn't there is nobody."""
    assert number(words, 4) == place


def test_no_number_among_nobody() -> None:
    """Without cards there is no last one."""
    assert number("laatste", 0) is None


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("Thursday afternoons", ["thu"]),
        ("maandag of woensdg", ["mon", "wed"]),
        ("morgen", ["wed"]),
        ("zondag", ["sun"]),
        ("ooit", []),
    ],
)
def test_days(words: str, found: list[str]) -> None:
    """Names of days in both languages, parts of days, and dates."""
    assert days(words, AT) == found


def test_languages() -> None:
    """By name in Dutch and English."""
    assert [language(each) for each in ("nederlands", "English", "Turks", "blabla")] == ["nl", "en", "tr", None]
