"""What the words of a turn name in this organisation: its towns, departments and people; days, languages and numbers.

Which words name something was learnt (`turn_reader`). Here they are looked up, with typing errors forgiven: names in
the organisation's own data, days, languages and numbers in well-kept libraries.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache

from babel import Locale
from dateparser.date import DateDataParser
from rapidfuzz import fuzz, process
from rapidfuzz.utils import default_process
from text_to_num import alpha2digit

from recommender.dialogue.acts import Act, Heard, Name, Slot
from recommender.dialogue.brief import Wish, WishKind
from recommender.dialogue.policy import Named
from recommender.domain import JuniorId, Senior
from recommender.wording import LANGUAGES, say

NEARLY = 84
"""Likeness of spelling, 0 to 100, from which a name is taken for one that is known."""

LEVELS = {Name.BEGINNER: 1.5, Name.SOME: 3.0, Name.GOOD: 5.0}
"""What people say of themselves as a level of DigComp."""

ORDINALS = (*map(str, range(1, 10)), "last", "middle")
"""Keys under ``ordinal`` of the catalogue: how people count cards."""

SIMPLE = {
    Name.ONLINE: WishKind.ONLINE,
    Name.ON_SITE: WishKind.ON_SITE,
    Name.PATIENT: WishKind.PATIENT,
    Name.HANDS_ON: WishKind.HANDS_ON,
    Name.TECHNICAL: WishKind.TECHNICAL,
    Name.BUSY: WishKind.FREE,
}
"""Slots whose words needn't be looked up."""

OPPOSITE = {Name.ONLINE: WishKind.ON_SITE, Name.ON_SITE: WishKind.ONLINE}
"""Not online is at a table: who can do both is not left out."""

ABOUT_PEOPLE = frozenset({Act.WHY, Act.WHY_NOT, Act.CHOOSE, Act.COMPARE})
"""Acts in which a name on screen is meant, also where it was not read as one."""

MOST = 100
"""Characters in which a day is looked for."""

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class People:
    """Names that can be looked up by a first name or a full one, also among a hundred thousand.

    Parameters
    ----------
    people : iterable of (JuniorId, str)
        Ids and full names.

    Examples
    --------
    >>> People([("j1", "Tim Bos"), ("j2", "Sanne de Wit")]).meant("sane")
    'j2'
    """

    def __init__(self, people: Iterable[tuple[JuniorId, str]] = ()) -> None:
        self.ids, names = [], []
        for junior_id, name in people:
            self.ids.append(junior_id)
            names.append(default_process(name))
        self._full = names
        self._first = [each.split(" ")[0] for each in names]

    def meant(self, words: str) -> JuniorId | None:
        """Return who is meant, or None where that is nobody, or several as well."""
        found = self.all_meant(words)
        return found[0] if len(found) == 1 else None

    def all_meant(self, words: str) -> list[JuniorId]:
        """Return everybody whose name is as near to the words as the nearest."""
        words = default_process(words)
        names = self._full if " " in words else self._first
        best = process.extractOne(words, names, scorer=fuzz.ratio, score_cutoff=NEARLY)
        return [self.ids[place] for place, name in enumerate(names) if name == best[0]] if best else []


@dataclass(frozen=True)
class Organisation:
    """The names that are known here: towns, departments and all juniors."""

    sites: tuple[str, ...] = ()
    departments: tuple[str, ...] = ()
    people: People = field(default_factory=People)


def named(
    heard: Heard,
    organisation: Organisation,
    senior: Senior | None,
    on_screen: Sequence[tuple[JuniorId, str]],
    at: datetime,
) -> Named:
    """Return what a turn names.

    Parameters
    ----------
    heard : Heard
        The turn.
    organisation : Organisation
        Names that may be meant.
    senior : Senior or None
        Whose own town and department are "here" and "mine".
    on_screen : sequence of (JuniorId, str)
        Ids and names of those whose cards are drawn, in order: a number or a first name means one of them first.
    at : datetime
        What "tomorrow" counts from.
    """
    here = People(on_screen)
    juniors: list[JuniorId] = []
    wishes: list[Wish] = []
    unknown: list[str] = []
    several: list[str] = []
    for slot in heard.slots:
        match slot.name:
            case Name.PERSON:
                meant = here.all_meant(slot.words) or organisation.people.all_meant(slot.words)
                if len(meant) != 1:
                    (several if meant else unknown).append(slot.words)
                elif slot.wanted:
                    juniors.append(meant[0])
                else:
                    wishes.append(Wish(WishKind.PERSON, meant[0], wanted=False))
            case Name.NUMBER:
                place = number(slot.words, len(on_screen))
                if place is None:
                    unknown.append(slot.words)
                else:
                    juniors.append(on_screen[place][0])
            case _:
                wishes += _wishes(slot, organisation, senior, [each for each, _ in on_screen], at)
    spelt = {each.name for each in heard.slots}
    if heard.act in ABOUT_PEOPLE and not spelt & {Name.PERSON, Name.NUMBER}:
        juniors += [who for word in default_process(heard.text).split() if (who := here.meant(word))]
    if heard.act in (Act.CRITIQUE, Act.ANSWER) and Name.PLACE not in spelt:
        towns = [found for word in default_process(heard.text).split() if (found := known(word, organisation.sites))]
        wishes += [Wish(WishKind.PLACE, each) for each in towns[:1]]
    levels = [LEVELS[each.name] for each in heard.slots if each.name in LEVELS and each.wanted]
    return Named(
        wishes=tuple(dict.fromkeys(wishes)),
        juniors=tuple(dict.fromkeys(juniors)),
        level=levels[0] if levels else None,
        topics=heard.words(Name.TOPIC, Name.PERSPECTIVE),
        unknown=tuple(unknown),
        several=tuple(several),
    )


def _wishes(
    slot: Slot, organisation: Organisation, senior: Senior | None, on_screen: Sequence[JuniorId], at: datetime
) -> Iterator[Wish]:
    match slot.name:
        case Name.PLACE | Name.NEAR | Name.DEPARTMENT:
            yield from _where(slot, organisation, senior)
        case Name.DAY:
            yield from (Wish(WishKind.DAY, each, slot.wanted) for each in days(slot.words, at))
        case Name.LANGUAGE:
            code = language(slot.words)
            if code:
                yield Wish(WishKind.LANGUAGE, code, slot.wanted)
        case Name.TOPIC if not slot.wanted:
            yield Wish(WishKind.TOPIC, slot.words, wanted=False)
        case Name.SURPRISE if slot.wanted:
            yield Wish(WishKind.SURPRISE, among=tuple(on_screen))
        case name if name in OPPOSITE and not slot.wanted:
            yield Wish(OPPOSITE[name])
        case name if name in SIMPLE:
            yield Wish(SIMPLE[name], wanted=slot.wanted)


def _where(slot: Slot, organisation: Organisation, senior: Senior | None) -> Iterator[Wish]:
    """Yield the town or the department that is meant; "mine" where it is no name that is known."""
    match slot.name:
        case Name.PLACE:
            yield Wish(WishKind.PLACE, known(slot.words, organisation.sites) or slot.words, slot.wanted)
        case Name.NEAR if senior and senior.site:
            yield Wish(WishKind.PLACE, senior.site, slot.wanted)
        case Name.DEPARTMENT:
            found = known(slot.words, organisation.departments)
            own = senior.department if senior and not slot.wanted else ""
            yield Wish(WishKind.DEPARTMENT, found or own or slot.words, slot.wanted)


def known(words: str, names: Sequence[str]) -> str | None:
    """Return the name that the words spell, nearly, or None.

    Examples
    --------
    >>> known("utrehct", ["Utrecht", "Gent"]), known("Tokyo", ["Utrecht", "Gent"])
    ('Utrecht', None)
    """
    found = process.extractOne(words, names, scorer=fuzz.ratio, processor=default_process, score_cutoff=NEARLY)
    return found[0] if found else None


def number(words: str, n: int) -> int | None:
    """Return the place, from 0, that a number or an ordinal means among `n`, or None.

    Examples
    --------
    >>> number("de tweede", 3), number("number 3", 3), number("laatste", 3), number("99", 3)
    (1, 2, 2, None)
    """
    for code in LANGUAGES:
        digits = "".join(each if each.isdecimal() else " " for each in alpha2digit(words, code, 0)).split()
        if digits:
            return int(digits[0]) - 1 if len(digits[0]) < 4 and 1 <= int(digits[0]) <= n else None
    spelt = {say(f"ordinal.{each}", code): each for code in LANGUAGES for each in ORDINALS}
    for word in default_process(words).split():
        found = known(word, list(spelt))
        if found:
            place = {"last": n - 1, "middle": n // 2}.get(spelt[found]) if n else None
            place = int(spelt[found]) - 1 if place is None and spelt[found].isdecimal() else place
            return place if place is not None and place < n else None
    return None


def days(words: str, at: datetime) -> list[str]:
    """Return the days of the week that are named, by name or as a date; "sat" and "sun" too.

    Examples
    --------
    >>> days("dinsdagmiddag of vrijdg", datetime(2026, 11, 24)), days("3 december", datetime(2026, 11, 24))
    (['tue', 'fri'], ['thu'])
    """
    found: list[str] = []
    words = words[:MOST]
    for word in default_process(words).split():
        near = {code: max(_like_day(word, name) for name in names) for code, names in _weekdays().items()}
        best = max(near, key=lambda code: near[code])
        if near[best] >= NEARLY and best not in found:
            found.append(best)
    if found:
        return found
    base = at.replace(tzinfo=None)
    rules = {"PREFER_DATES_FROM": "future", "RELATIVE_BASE": base, "REQUIRE_PARTS": ["day", "month"]}
    reader = DateDataParser(languages=list(LANGUAGES), settings=rules)
    read = reader.get_date_data(words)
    # A week or a month is no day.
    return [WEEKDAYS[read.date_obj.weekday()]] if read.date_obj and read.period == "day" else []


def _like_day(word: str, name: str) -> float:
    """Return how like a word is to the name of a day; a longer word may begin with it ("dinsdagmiddag")."""
    return 0.0 if len(word) < len(name) - 2 else float(fuzz.ratio(word[: len(name) + (len(name) > 3)], name))


def language(words: str) -> str | None:
    """Return the code of the language that is named in Dutch or English, or None.

    Examples
    --------
    >>> language("Engels"), language("dutch"), language("fraans"), language("Klingon") in (None, "tlh")
    ('en', 'nl', 'fr', True)
    """
    found = process.extractOne(
        words, list(_language_names()), scorer=fuzz.ratio, processor=default_process, score_cutoff=80
    )
    return _language_names()[found[0]] if found else None


@cache
def _weekdays() -> dict[str, tuple[str, ...]]:
    wide = [Locale(code).days["format"]["wide"] for code in LANGUAGES]
    return {code: tuple(str(each[place]).lower() for each in wide) for place, code in enumerate(WEEKDAYS)}


@cache
def _language_names() -> dict[str, str]:
    """Return codes by name, the two of the product first, so that they win where names are alike."""
    codes = [*LANGUAGES, *(code for code in Locale("en").languages if len(str(code)) <= 3 and code not in LANGUAGES)]
    return {
        str(Locale(spoken).languages[code]).lower(): code
        for code in map(str, codes)
        for spoken in LANGUAGES
        if code in Locale(spoken).languages
    }
