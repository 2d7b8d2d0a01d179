"""What the pages show, as plain data: no widgets, no store. Everything here can be tested without a browser."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from recommender import explain
from recommender.dialogue.state import SENIOR, Kind, Stage, State
from recommender.domain import Junior, Remote, Senior, Slate, Suggestion
from recommender.explain import join
from recommender.framework import framework
from recommender.guide import SHOWN_AT_ONCE
from recommender.registry import Manifest
from recommender.replies import Known, sentences
from recommender.service import Service
from recommender.store.slates import Choice
from recommender.text import statements
from recommender.wording import Language, catalogue, say

LEVELS = range(1, 9)
WISHES = range(1, 6)
CAPACITIES = range(6)
EXAMPLES = range(1, 8)
REJECTIONS = ("topic", "time", "place", "language", "line", "person", "other")
REFUSALS = ("topic", "level", "place", "time", "known", "other")
MAX_EVIDENCE = 2
OURS = ("ranker", "low", "high")


@dataclass(frozen=True)
class Card:
    """One junior as a senior sees them. No numbers."""

    junior_id: str
    first_name: str
    place: str
    quotes: tuple[str, ...]
    reasons: tuple[str, ...]
    minus: str | None

    @property
    def title(self) -> str:
        """First name and place."""
        return ", ".join(part for part in (self.first_name, self.place) if part)


def first_name(name: str) -> str:
    """Return the first word of a name.

    Examples
    --------
    >>> first_name("Sanne Verbruggen"), first_name("")
    ('Sanne', '?')
    """
    return (name.split() or ["?"])[0]


def card(suggestion: Suggestion, junior: Junior, language: Language) -> Card:
    """Return what a senior reads about a suggestion."""
    return Card(
        junior.id,
        first_name(junior.name),
        junior.site,
        suggestion.evidence,
        tuple(explain.reasons(suggestion, junior, language)),
        _lower_first(explain.minus_sentence(suggestion.minus, junior, language)) if suggestion.minus else None,
    )


def _lower_first(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:]


def preview(junior: Junior, language: Language) -> Card:
    """Return a junior's own card. What fits a question isn't known yet, so it shows the start of the profile."""
    reasons = [place_form(junior, language)]
    if junior.days:
        reasons.append(say("card.days", language, days=days(junior.days, language)))
    reasons.append(say("card.languages", language, languages=languages(junior.languages, language)))
    return Card(
        junior.id,
        first_name(junior.name),
        junior.site,
        tuple(statements(junior.text)[:MAX_EVIDENCE]),
        tuple(reasons),
        None,
    )


def place_form(junior: Junior, language: Language) -> str:
    """Say where somebody can meet."""
    if junior.remote is not Remote.ONLINE and junior.site:
        return say(f"card.{junior.remote}_in", language, site=junior.site)
    return say(f"card.{junior.remote}", language)


def days(codes: Sequence[str], language: Language) -> str:
    """Return weekdays as a list in words."""
    return explain.join([say(f"day.{each}", language) for each in codes], language)


def languages(codes: Sequence[str], language: Language) -> str:
    """Return languages as a list in words."""
    return explain.join([explain.language_name(each, language) for each in codes], language)


def on_screen(slate: Slate, state: State) -> tuple[list[Suggestion], bool]:
    """Return the suggestions to draw, and whether there are more to show."""
    left = [each for each in slate.suggestions if each.junior_id not in state.refused]
    number = SHOWN_AT_ONCE * state.pages
    return left[:number], len(left) > number


def said(state: State) -> list[str]:
    """Return what the senior has typed, oldest first, of what is in force."""
    return [turn.said for turn in state.turns if turn.speaker == SENIOR and turn.said]


def transcript(state: State, known: Known, name: str, language: Language) -> list[str]:
    """Return a conversation in words: what the senior typed, and what the guide said, in order."""
    found = []
    for turn in state.turns:
        if turn.speaker != SENIOR:
            guide = " ".join(sentences(turn, state, known, language))
            found.append(say("handover.you", language, name=say("app.name", language), words=guide))
        elif turn.said:
            found.append(say("handover.you", language, name=name, words=turn.said))
    return found


@dataclass(frozen=True)
class Spoken:
    """What a screen reader says: a key of the catalogue with its values."""

    key: str
    values: dict[str, object]


def spoken(state: State, service: Service, language: Language) -> Spoken:
    """Return one sentence of ours about what the guide has just answered; never anybody's words."""
    kinds = {Kind(turn.kind) for turn in state.replies}
    if Kind.SLATE in kinds and state.slate_id:
        count = len(on_screen(service.slate(state.slate_id), state)[0])
        found = "ask.announce_one" if count == 1 else "ask.announce_found"
        return Spoken("ask.announce_question" if Kind.QUESTION in kinds else found, {"count": count})
    if Kind.NOBODY in kinds:
        return Spoken("ask.announce_nobody", {"count": 0})
    if Kind.BLOCKED in kinds:
        return Spoken("ask.announce_blocked", {})
    if Kind.HANDED in kinds:
        return Spoken("ask.announce_said", {"text": say("reply.handed", language)})
    if Kind.CHECK in kinds:
        return Spoken("ask.announce_check", {})
    if Kind.SENT in kinds:
        return Spoken("ask.announce_sent", {})
    if Kind.GREETING in kinds:
        return Spoken("ask.announce_restart", {})
    told = next((turn.told["reply"] for turn in state.replies if turn.kind == Kind.REPLY), "")
    text = catalogue().get(f"reply.{told}", {}).get(language, "")
    if text and "{" not in text and told != "why_question":
        return Spoken("ask.announce_said", {"text": text})
    return Spoken("ask.announce_reply" if told else "ask.announce_back", {})


def step_of(state: State) -> int:
    """Return 1 for asking, 2 for choosing, 3 for sending, 4 for sent."""
    return [*Stage].index(state.stage) + 1


# The coordinator


def waited(since: datetime, now: datetime, language: Language) -> str:
    """Say how long something waits, in days of the calendar."""
    number = (_local(now).date() - _local(since).date()).days
    return say(
        "review.today" if number < 1 else "review.one_day" if number == 1 else "review.days", language, days=number
    )


def moment(at: datetime, language: Language) -> str:
    """Return a date in words with the time of the clock."""
    local = _local(at)
    month = say(f"month.{local.month}", language)
    return f"{local.day} {month} {local.year}, {local:%H:%M}"


def _local(at: datetime) -> datetime:
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone()


def number(value: float, language: Language, *, sign: bool = False) -> str:
    """Return a number with two decimals as the reader writes it.

    Examples
    --------
    >>> number(-0.5, "nl", sign=True), number(1.25, "en")
    ('-0,50', '1.25')
    """
    text = f"{value:+.2f}" if sign else f"{value:.2f}"
    return text.replace(".", ",") if language == "nl" else text


def warnings(choice: Choice, senior: Senior | None, junior: Junior, load: Mapping[str, int]) -> list[str]:
    """Return what to check by hand, as names under ``review.warn_`` of the catalogue. `load` counts this choice too."""
    found = []
    if junior.rank is None:
        found.append("junior_rank")
    if senior is None:
        found.append("no_senior")
    elif senior.rank is None:
        found.append("senior_rank")
    if load.get(junior.id, 0) > junior.capacity:
        found.append("full")
    if not junior.active:
        found.append("inactive")
    if not junior.consent:
        found.append("consent")
    if choice.slate.suggestions and choice.slate.suggestions[0].junior_id != choice.junior_id:
        found.append("not_first")
    return found


def chosen(choice: Choice) -> Suggestion:
    """Return the suggestion that was chosen."""
    return next(each for each in choice.slate.suggestions if each.junior_id == choice.junior_id)


def places(junior: Junior, load: Mapping[str, int], language: Language) -> str:
    """Say how many places of a junior are taken."""
    return say("review.places", language, taken=load.get(junior.id, 0), capacity=junior.capacity)


def contributions(suggestion: Suggestion, intercept: float, language: Language) -> list[tuple[str, float]]:
    """Return what each feature added to the score, largest effect first, with the start that all have at the end."""
    parts = sorted(suggestion.contributions.items(), key=lambda part: -abs(part[1]))
    return [(feature(name, language), added) for name, added in parts] + [
        (say("feature.intercept", language), intercept)
    ]


def feature(name: str, language: Language) -> str:
    """Return a feature in words; an old slate may hold one that no longer exists, which keeps its name."""
    try:
        return say(f"feature.{name}", language)
    except KeyError:
        return name


def competences(found: Sequence[tuple[str, float]], language: Language) -> str:
    """Return the names of competences, the surest first, as one phrase."""
    return join([framework().competence(code).short[language] for code, _ in found], language)


# The model


def metrics(manifest: Manifest, language: Language) -> tuple[list[str], list[tuple[str, list[str]]]]:
    """Return the columns, this model first, and for each collection a row of numbers, ours with its interval."""
    others = list(dict.fromkeys(name for values in manifest.metrics.values() for name in values if name not in OURS))
    rows = []
    for collection, values in manifest.metrics.items():
        ours, low, high = (number(values[name], language) if name in values else "?" for name in OURS)
        cells = [number(values[name], language) if name in values else "" for name in others]
        rows.append((collection, [f"{ours} ({low} - {high})", *cells]))
    return [say("model.this", language), *(feature(name, language) for name in others)], rows
