"""Answers to the guide's questions: which option a typed answer comes to, and what an option adds to the brief."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from recommender.dialogue.acts import Heard, Name
from recommender.dialogue.brief import Brief, Wish, WishKind
from recommender.dialogue.policy import Named
from recommender.naming import LEVELS, days, language, number
from recommender.wording import Language, say


def answered(brief: Brief, facet: str, option: str, options: Sequence[str], page_language: Language) -> Brief:
    """Return the brief with the answer to a question in it."""
    match facet:
        case "theme":
            others = tuple(each for each in options if each != option)
            return brief.wishing(Wish(WishKind.THEME, option, among=others))
        case "level":
            return replace(brief, level=LEVELS[Name(option)])
        case "exchange":
            return replace(brief, gives_back=say(f"offer.{option}", page_language))
        case "meet" | "style":
            return brief.wishing(Wish(WishKind(option)))
        case _:
            return brief.wishing(Wish(WishKind(facet), option))


def option_meant(facet: str, options: Sequence[str], heard: Heard, found: Named, at: datetime) -> str | None:
    """Return the option that a typed answer comes to, or None for an answer of another kind."""
    counted = facet == "theme" and len(heard.text.split()) <= FEW_WORDS
    by_number = _number(heard, len(options)) if counted else None
    if by_number is not None:
        return options[by_number]
    match facet:
        case "level":
            spoken = [each.name.value for each in heard.slots if each.name.value in options and each.wanted]
            return spoken[0] if spoken else None
        case "meet" | "style":
            wished = [each.kind.value for each in found.wishes if each.wanted and each.kind.value in options]
            return wished[0] if wished else None
        case "day":
            said = days(heard.text, at)
            return said[0] if len(said) == 1 and said[0] in options else None
        case "language":
            code = language(heard.text)
            return code if code in options else None
        case "place":
            wished = [each.value for each in found.wishes if each.kind is WishKind.PLACE and each.value in options]
            return wished[0] if wished else None
        case _:
            return None


FEW_WORDS = 5
"""Words of an answer that is no more than a number: "doe maar de tweede"."""


def _number(heard: Heard, n: int) -> int | None:
    places = [number(words, n) for words in heard.words(Name.NUMBER)]
    return next((each for each in places if each is not None), None)
