"""Wishes leave out whom they should, and move whom they should."""

from dataclasses import replace

import numpy as np
import pytest

from recommender.dialogue.brief import Brief, Wish, WishKind
from recommender.domain import JuniorId, Remote, Statement
from recommender.encoder import HashingEncoder
from recommender.index import ProfileIndex
from recommender.population import Population
from recommender.wish_fit import Words, added, blocking, permitted
from tests.builders import a_junior

ENCODER = HashingEncoder()
TEXTS = ("Excel draaitabellen", "Filmpjes voor TikTok", "Excel grafieken", "Wachtwoorden")
JUNIORS = [
    a_junior(id=JuniorId("a"), text=TEXTS[0], site="Utrecht", remote=Remote.BOTH, days=("mon",), department="IT"),
    a_junior(id=JuniorId("b"), text=TEXTS[1], site="Gent", remote=Remote.ONLINE, days=("tue",), languages=("fr",)),
    a_junior(id=JuniorId("c"), text=TEXTS[2], site="Gent", remote=Remote.ON_SITE, days=(), department="", capacity=3),
    a_junior(id=JuniorId("d"), text=TEXTS[3], site="", remote=Remote.BOTH, days=("tue", "wed")),
]
PEOPLE = Population.of(JUNIORS, styles=np.array([[2.0, 0, -1], [0, 1, 0], [-1, 0, 2], [0, 0, 0]]))
VECTORS = ENCODER.encode(list(TEXTS))
OWN = [Statement(each.id, 0, each.text) for each in JUNIORS]
INDEX = ProfileIndex([each.id for each in JUNIORS], list(TEXTS), VECTORS, OWN, VECTORS)
ALL = np.arange(4)


def who(*wishes: Wish) -> str:
    """Return the ids of those who are permitted."""
    return "".join(each.id for each, ok in zip(JUNIORS, permitted(PEOPLE, wishes), strict=True) if ok)


def first(wish: Wish) -> str:
    """Return who gains most by a wish."""
    words = Words(dict(zip(TEXTS, VECTORS, strict=True)))
    (values,) = added(PEOPLE, INDEX, [wish], words, {"a": 1}, ALL).values()
    assert values.sum() == pytest.approx(0, abs=1e-9)
    return JUNIORS[int(np.argmax(values))].id


@pytest.mark.parametrize(
    ("wishes", "left"),
    [
        ((), "abcd"),
        ((Wish(WishKind.PLACE, "Gent"),), "c"),  # b is in Gent but can't meet there
        ((Wish(WishKind.PLACE, "Gent", wanted=False),), "abd"),
        ((Wish(WishKind.ONLINE),), "abd"),
        ((Wish(WishKind.ON_SITE),), "acd"),
        ((Wish(WishKind.DAY, "tue"),), "bcd"),  # c hasn't said
        ((Wish(WishKind.DAY, "mon"), Wish(WishKind.DAY, "tue")), "abcd"),
        ((Wish(WishKind.DAY, "tue", wanted=False),), "acd"),  # d can still on Wednesday
        ((Wish(WishKind.DAY, "sun"),), ""),
        ((Wish(WishKind.LANGUAGE, "fr"),), "b"),
        ((Wish(WishKind.DEPARTMENT, "IT", wanted=False),), "bcd"),
        ((Wish(WishKind.DEPARTMENT, "IT"),), "a"),
        ((Wish(WishKind.PERSON, "a", wanted=False),), "bcd"),
        ((Wish(WishKind.PATIENT),), "abcd"),
    ],
)
def test_hard_wishes_leave_out(wishes: tuple[Wish, ...], left: str) -> None:
    """Facts hold or don't; who hasn't said a day may still be able to."""
    assert who(*wishes) == left


@pytest.mark.parametrize(
    ("wish", "best"),
    [
        (Wish(WishKind.PATIENT), "a"),
        (Wish(WishKind.HANDS_ON), "b"),
        (Wish(WishKind.TECHNICAL), "c"),
        (Wish(WishKind.TECHNICAL, wanted=False), "a"),
        (Wish(WishKind.FREE), "c"),
        (Wish(WishKind.LIKE, "b"), "b"),
        (Wish(WishKind.THEME, TEXTS[1], among=(TEXTS[0], TEXTS[3])), "b"),
    ],
)
def test_soft_wishes_move(wish: Wish, best: str) -> None:
    """Who has more of what is wished for gains most, and what one gains another loses."""
    assert first(wish) == best


def test_not_about_something_moves_it_down() -> None:
    """Anything but TikTok."""
    words = Words({"TikTok": ENCODER.encode(["TikTok"])[0]})
    values = added(PEOPLE, INDEX, [Wish(WishKind.TOPIC, "TikTok", wanted=False)], words, {}, ALL)
    assert JUNIORS[int(np.argmin(values["wished_not_topic"]))].id == "b"


def test_a_surprise_is_unlike_those_seen() -> None:
    """Whoever was on screen gains least."""
    values = added(PEOPLE, INDEX, [Wish(WishKind.SURPRISE, among=("a", "c"))], Words({}), {}, ALL)["wished_surprise"]
    assert set(np.argsort(values)[:2].tolist()) == {0, 2}


def test_the_wish_that_blocks_is_found() -> None:
    """Of three wishes the one that leaves nobody is named, and dropping it leaves somebody."""
    everybody = np.ones(4, dtype=bool)
    tokyo, online = Wish(WishKind.PLACE, "Tokyo"), Wish(WishKind.ONLINE)
    assert blocking(PEOPLE, everybody, (online, Wish(WishKind.PATIENT), tokyo)) == (tokyo,)
    both = (Wish(WishKind.PLACE, "Tokyo"), Wish(WishKind.LANGUAGE, "tlh"))
    dropped = blocking(PEOPLE, everybody, both)
    assert set(dropped) == set(both)
    assert blocking(PEOPLE, np.zeros(4, dtype=bool), both) == ()


def test_wishes_stack_and_the_later_wins() -> None:
    """Two towns can't be; a town and a day can; the same twice is once."""
    utrecht, gent, day = Wish(WishKind.PLACE, "Utrecht"), Wish(WishKind.PLACE, "Gent"), Wish(WishKind.DAY, "mon")
    assert Brief().wishing(utrecht, day, gent, day).wishes == (gent, day)
    assert Brief().wishing(Wish(WishKind.ONLINE), Wish(WishKind.ON_SITE)).wishes == (Wish(WishKind.ON_SITE),)
    brief = Brief(("Excel",), (utrecht, replace(day, wanted=False)), 3.0, "mijn netwerk")
    assert Brief.restored(brief.stored()) == brief
