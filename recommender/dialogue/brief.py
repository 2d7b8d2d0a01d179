"""What a senior wants, as it was understood so far: goals in their own words, and wishes about who, where and how.

A brief is what the chips on the page show. Wishes stack; one that contradicts an earlier one takes its place.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any


class WishKind(StrEnum):
    """What a wish is about. Those of `HARD` leave people out; the others only move them up or down."""

    PLACE = "place"
    ONLINE = "online"
    ON_SITE = "on_site"
    DAY = "day"
    LANGUAGE = "language"
    DEPARTMENT = "department"
    PERSON = "person"

    PATIENT = "patient"
    HANDS_ON = "hands_on"
    TECHNICAL = "technical"
    FREE = "free"
    TOPIC = "topic"
    THEME = "theme"
    LIKE = "like"
    SURPRISE = "surprise"


HARD = frozenset(
    {
        WishKind.PLACE,
        WishKind.ONLINE,
        WishKind.ON_SITE,
        WishKind.DAY,
        WishKind.LANGUAGE,
        WishKind.DEPARTMENT,
        WishKind.PERSON,
    }
)
STYLES = (WishKind.PATIENT, WishKind.HANDS_ON, WishKind.TECHNICAL)

_ONE_OF = (
    frozenset({WishKind.ONLINE, WishKind.ON_SITE}),
    frozenset({WishKind.PLACE, WishKind.ONLINE}),
    frozenset({WishKind.PLACE}),
    frozenset({WishKind.LANGUAGE}),
    frozenset({WishKind.THEME}),
    frozenset({WishKind.SURPRISE}),
    frozenset({WishKind.LIKE}),
)
"""Wishes that can't hold together where both are wanted: the later one stays."""

_OF_A_GOAL = frozenset({WishKind.TOPIC, WishKind.THEME, WishKind.LIKE, WishKind.SURPRISE, WishKind.PERSON})
"""Wishes that mean nothing any more when something else is to be learnt."""


@dataclass(frozen=True)
class Wish:
    """One wish. `value` is a site, a day code, a language code, a department, a subject, a junior's id, or nothing.

    `among` are what else could be chosen (theme) or who was on screen (surprise).
    """

    kind: WishKind
    value: str = ""
    wanted: bool = True
    among: tuple[str, ...] = ()

    @property
    def hard(self) -> bool:
        """Whether it leaves people out."""
        return self.kind in HARD


@dataclass(frozen=True)
class Brief:
    """What is searched with. `level` is the asker's own, 1 to 8; `gives_back` is what they offer in their own words."""

    goals: tuple[str, ...] = ()
    wishes: tuple[Wish, ...] = ()
    level: float | None = None
    gives_back: str = ""

    @property
    def text(self) -> str:
        """All goals as one text to search with."""
        return "\n".join(self.goals)

    def with_goal(self, words: str) -> "Brief":
        """Return the brief with one more goal; the same words again add nothing."""
        return self if words in self.goals else replace(self, goals=(*self.goals, words))

    def about(self, *goals: str) -> "Brief":
        """Return a brief for other goals, which keeps wishes that are not about the goals."""
        kept = tuple(each for each in self.wishes if each.kind not in _OF_A_GOAL)
        return replace(self, goals=tuple(dict.fromkeys(goals)), wishes=kept, level=None)

    def wishing(self, *wishes: Wish) -> "Brief":
        """Return the brief with more wishes; each takes the place of those it contradicts.

        Examples
        --------
        >>> utrecht, gent = Wish(WishKind.PLACE, "Utrecht"), Wish(WishKind.PLACE, "Gent")
        >>> [each.value for each in Brief().wishing(utrecht, gent).wishes]
        ['Gent']
        >>> Brief().wishing(utrecht).wishing(replace(utrecht, wanted=False)).wishes
        ()
        """
        brief = self
        for wish in wishes:
            opposite = replace(wish, wanted=True)
            if not wish.wanted and opposite in brief.wishes:  # "not in Utrecht after all": the wish goes, no more
                brief = brief.without(opposite)
                continue
            kept = tuple(each for each in brief.wishes if not _contradicts(wish, each))
            brief = replace(brief, wishes=(*kept, wish))
        return brief

    def without(self, *wishes: Wish) -> "Brief":
        """Return the brief without these wishes."""
        return replace(self, wishes=tuple(each for each in self.wishes if each not in wishes))

    def without_goal(self, goal: str) -> "Brief":
        """Return the brief without a goal."""
        return replace(self, goals=tuple(each for each in self.goals if each != goal))

    def stored(self) -> dict[str, Any]:
        """Return it as plain data for a stored turn."""
        return asdict(self)

    @classmethod
    def restored(cls, data: Mapping[str, Any]) -> "Brief":
        """Return the brief of `stored`."""
        return cls(tuple(data["goals"]), wishes_of(data["wishes"]), data["level"], data["gives_back"])


def wishes_of(data: Sequence[Mapping[str, Any]]) -> tuple[Wish, ...]:
    """Return stored wishes."""
    return tuple(Wish(WishKind(each["kind"]), each["value"], each["wanted"], tuple(each["among"])) for each in data)


def _contradicts(new: Wish, old: Wish) -> bool:
    if new.kind == old.kind and new.value == old.value:
        return True
    return new.wanted and old.wanted and any({new.kind, old.kind} <= group for group in _ONE_OF)
