"""What the guide says, in the language of the page: turns in, sentences out. The page and the terminal draw these.

All words are from the catalogue but for names and quoted sentences, which are people's own.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from recommender import explain
from recommender.dialogue.brief import Wish, WishKind, wishes_of
from recommender.dialogue.state import Kind, Question, Stage, State
from recommender.domain import Junior, JuniorId, Senior, Slate, SlateId, Turn
from recommender.explain import join, language_name
from recommender.wording import Language, say

OWN_WORDS = frozenset({"theme", "place"})
"""Facets whose options are people's words or names, not keys of the catalogue."""


@dataclass(frozen=True)
class Known:
    """Where a reply gets its facts: juniors and slates by id, and who is talking."""

    junior: Callable[[str], Junior]
    slate: Callable[[SlateId], Slate]
    senior: Senior | None = None


def replies(state: State, known: Known, language: Language, *, drawn: bool = False) -> list[str]:
    """Return what the guide said last, paragraph by paragraph.

    With `drawn`, what a page draws as parts of its own is left out: the question, and what stands above the cards.
    """
    told = [each for turn in state.replies for each in sentences(turn, state, known, language, drawn=drawn)]
    if drawn:
        return told
    return told or ([say("reply.here_again", language)] if state.stage is Stage.CHOOSING else [])


ALWAYS = {
    Kind.GREETING: ("ask.greeting",),
    Kind.NOBODY: ("reply.nobody", "ask.nobody_next"),
    Kind.SENT: ("ask.sent",),
    Kind.HANDED: ("reply.handed",),
}
"""What is said word for word."""


def sentences(turn: Turn, state: State, known: Known, language: Language, *, drawn: bool = False) -> list[str]:
    """Return what one turn of the guide says. A question says only itself, without its options."""
    kind = Kind(turn.kind)
    if kind in ALWAYS:
        return [say(key, language) for key in ALWAYS[kind]]
    match kind:
        case Kind.SLATE if turn.slate_id:
            found = [] if drawn else [_found(known.slate(turn.slate_id), language)]
            return [*_changed(turn, known, language), *found]
        case Kind.QUESTION if not drawn:
            return [question_text(Question.restored(turn.told), language)]
        case Kind.BLOCKED:
            told = _named(wishes_of(turn.told["wishes"]), known, language)
            by = [say("reply.blocked_by", language, wishes=each) for each in told]
            return [say("reply.blocked", language), *by, say("reply.blocked_offer", language)]
        case Kind.CHECK if turn.junior_id:
            name = _first(known.junior(turn.junior_id))
            return [say("ask.check", language, name=name), say("ask.check_text", language)]
        case Kind.REPLY:
            return _reply(turn, state, known, language)
        case _:
            return []


def question_text(question: Question, language: Language) -> str:
    """Return a question in words."""
    return say(f"question.{question.facet}", language)


def option_text(facet: str, option: str, language: Language) -> str:
    """Return an answer that can be picked in words."""
    if option == "any":
        return say("question.any", language)
    match facet:
        case facet if facet in OWN_WORDS:
            return option
        case "day":
            return say(f"day.{option}", language)
        case "language":
            return language_name(option, language)
        case "exchange":
            return say(f"offer.{option}", language)
        case _:
            return say(f"option.{option}", language)


def chip(wish: Wish, known: Known, language: Language) -> str:
    """Return a wish as the few words of a chip."""
    match wish.kind:
        case WishKind.DAY:
            value = say(f"day.{wish.value}", language)
        case WishKind.LANGUAGE:
            value = language_name(wish.value, language)
        case WishKind.LIKE | WishKind.PERSON:
            value = _first(known.junior(wish.value))
        case _:
            value = wish.value
    return say(f"chip.{wish.kind}" if wish.wanted else f"chip.not_{wish.kind}", language, value=value)


def _named(wishes: Sequence[Wish], known: Known, language: Language) -> list[str]:
    """Return wishes in words, three to a sentence: a long list is hard to read."""
    chips = [chip(each, known, language) for each in wishes]
    return [join(chips[start : start + THREE], language) for start in range(0, len(chips), THREE)]


THREE = 3


def _changed(turn: Turn, known: Known, language: Language) -> list[str]:
    """Say what a wish or an answer has changed among the first three."""
    if turn.told.get("afresh", True):
        return []
    new: Sequence[str] = turn.told["new"]
    if not new:
        return [say("reply.same", language)]
    names = join([_first(known.junior(each)) for each in new], language)
    return [say("reply.new_one" if len(new) == 1 else "reply.new", language, names=names)]


def _found(slate: Slate, language: Language) -> str:
    return say("ask.doubtful" if slate.doubtful else "ask.found", language)


def _reply(turn: Turn, state: State, known: Known, language: Language) -> list[str]:
    told = turn.told
    juniors = [JuniorId(each) for each in told.get("juniors", ())]
    match told["reply"]:
        case "why" if turn.slate_id:
            return [each for one in juniors for each in _why(one, known.slate(turn.slate_id), known, language)]
        case "why_not":
            return explain.why_not_sentences(told, known.junior(told["junior"]), language)
        case "compare" if turn.slate_id:
            return _compared(juniors, known.slate(turn.slate_id), known, language)
        case "why_question":
            return [say(f"because.{told['facet']}", language), say("reply.why_question", language)]
        case "about_me":
            return _about(state, known, language)
        case "why" | "compare":
            return [say("reply.first_goal", language)]
        case name:
            phrased: dict[str, str] = told.get("phrased", {})
            return [phrased.get(language) or say(f"reply.{name}", language)]


def _why(junior_id: JuniorId, slate: Slate, known: Known, language: Language) -> list[str]:
    suggestion = next(each for each in slate.suggestions if each.junior_id == junior_id)
    junior = known.junior(junior_id)
    quotes = [say("why.says", language, name=_first(junior), quote=each) for each in suggestion.evidence]
    return [*explain.why(suggestion, junior, language), *quotes]


def _compared(juniors: Sequence[JuniorId], slate: Slate, known: Known, language: Language) -> list[str]:
    """Say for each two neighbours what sets them apart."""
    by_id = {each.junior_id: each for each in slate.suggestions}
    if len(juniors) < 2:
        return [say("reply.nobody_to_compare", language)]
    found = []
    for one, other in pairwise(juniors):
        names = {True: _first(known.junior(one)), False: _first(known.junior(other))}
        for name, ahead in explain.differences(by_id[one], by_id[other]):
            found.append(say(f"more.{name}", language, name=names[ahead], other=names[not ahead]))
    return found or [say("reply.alike", language)]


def _about(state: State, known: Known, language: Language) -> list[str]:
    """Say what is known and kept: the profile, this conversation, and who sees it."""
    senior, brief = known.senior, state.brief
    found = []
    if senior is not None:
        facts = {
            "name": senior.name,
            "department": senior.department,
            "site": senior.site,
            "languages": join([language_name(each, language) for each in senior.languages], language),
            "days": join([say(f"day.{each}", language) for each in senior.days], language),
        }
        found += [say(f"about.{key}", language, value=value) for key, value in facts.items() if value]
        found += [say("about.offers", language, quote=senior.offers)] if senior.offers else []
    found += [say("about.goal", language, quote=each) for each in brief.goals]
    found += [say("about.wishes", language, value=each) for each in _named(brief.wishes, known, language)]
    found += [say("about.offers", language, quote=brief.gives_back)] if brief.gives_back else []
    return [*found, say("about.seen", language), say("about.change", language)]


def _first(junior: Junior) -> str:
    return (junior.name.split() or ["?"])[0]
