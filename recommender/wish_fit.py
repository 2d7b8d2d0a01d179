"""Wishes as numbers: whom they leave out, and what they add to whose score. What is added is what is explained.

A hard wish (a town, online, a day, a language, a department) is a fact of a profile that holds or doesn't. The others
are read in the profile's text, or say how busy somebody is; they add to the score like a feature of the ranker does.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recommender.dialogue.brief import STYLES, Wish, WishKind
from recommender.domain import DAYS
from recommender.index import ProfileIndex
from recommender.population import Bools, Population

Floats = NDArray[np.float64]
Vectors = NDArray[np.float32]
Places = NDArray[np.int64]

WEIGHTS = {
    WishKind.PATIENT: 0.6,
    WishKind.HANDS_ON: 0.6,
    WishKind.TECHNICAL: 0.6,
    WishKind.FREE: 0.6,
    WishKind.TOPIC: 1.0,
    WishKind.LIKE: 1.0,
    WishKind.SURPRISE: 0.8,
}
"""Log-odds for one standard deviation among those in play: enough to choose between people who fit, not to win from
whom the words fit."""

MOST = 2.0
"""Standard deviations that count, at most."""

SHARPNESS = 0.05
"""Cosine by which one option must be nearer to a profile to be e times as likely the one that it is about."""

LUCK = 0.15
"""Chance that an answer says nothing: people misread and slip."""


@dataclass(frozen=True)
class Words:
    """Vectors of the texts in wishes, by text."""

    of: Mapping[str, Vectors]

    @staticmethod
    def needed(wishes: Sequence[Wish]) -> list[str]:
        """Return the texts in the wishes that are compared with profiles."""
        texts = [each.value for each in wishes if each.kind in (WishKind.TOPIC, WishKind.THEME)]
        return [*texts, *(other for each in wishes if each.kind is WishKind.THEME for other in each.among)]


def permitted(population: Population, wishes: Sequence[Wish]) -> Bools:
    """Return whom no hard wish leaves out, shape ``(n_juniors,)``."""
    found = np.ones(len(population), dtype=bool)
    for wish in wishes:
        if wish.hard and wish.kind is not WishKind.DAY:
            holds = _holds(population, wish)
            found &= holds if wish.wanted else ~holds
    return found & _on_days(population, [each for each in wishes if each.kind is WishKind.DAY])


def blocking(population: Population, eligible: Bools, wishes: Sequence[Wish]) -> tuple[Wish, ...]:
    """Return the fewest hard wishes without which somebody is left; of several, what leaves most. Empty: none helps.

    Examples
    --------
    A town that nobody works in blocks by itself, whatever else is wished.
    """
    hard = [each for each in wishes if each.hard]
    left: list[Wish] = list(hard)
    dropped: list[Wish] = []
    while left:
        kept = {each: int((permitted(population, [w for w in left if w != each]) & eligible).sum()) for each in left}
        best = max(left, key=lambda each: (kept[each], -left.index(each)))
        # Where no single one helps, the one that is hardest to meet goes first.
        if not kept[best]:
            best = min(left, key=lambda each: int((permitted(population, [each]) & eligible).sum()))
        dropped.append(best)
        left.remove(best)
        if kept[best]:
            return tuple(dropped)
    return ()


def added(
    population: Population,
    index: ProfileIndex,
    wishes: Sequence[Wish],
    words: Words,
    load: Mapping[str, int],
    places: Places,
) -> dict[str, Floats]:
    """Return what each soft wish adds to the scores, by name of its contribution, each of shape ``(len(places),)``.

    Contributions are centred, so that a wish moves people relative to each other and to nothing else.
    """
    found: dict[str, Floats] = {}
    for wish in wishes:
        if wish.hard or not len(places):
            continue
        if wish.kind is WishKind.THEME:
            value = np.log(theme_likelihood(index, [wish.value, *wish.among], words, places)[:, 0])
        else:
            sign = 1.0 if wish.wanted else -1.0
            value = sign * WEIGHTS[wish.kind] * standardised(_value(population, index, wish, words, load, places))
        name = f"wished_{wish.kind}" if wish.wanted else f"wished_not_{wish.kind}"
        found[name] = found.get(name, np.zeros(len(places))) + value - value.mean()
    return found


def theme_likelihood(index: ProfileIndex, options: Sequence[str], words: Words, places: Places) -> Floats:
    """Return the chance that somebody who is best helped by each junior picks each option.

    Shape ``(len(places), len(options))``. A profile is about the option that its best statement is nearest to; with
    chance `LUCK` the answer says nothing.
    """
    return answer_chances(index.nearest(np.stack([words.of[each] for each in options]), places))


def answer_chances(near: Floats) -> Floats:
    """Return the chance of each answer from how near each junior is to it, both of shape ``(n_juniors, n_options)``."""
    shares = np.exp((near - near.max(axis=1, keepdims=True)) / SHARPNESS)
    shares /= shares.sum(axis=1, keepdims=True)
    found: Floats = (1 - LUCK) * shares + LUCK / near.shape[1]
    return found


def standardised(values: Floats) -> Floats:
    """Return standard deviations above the mean, at most `MOST` either way; zeros where all are alike."""
    spread = float(values.std())
    if spread < 1e-9:
        return np.zeros(len(values))
    found: Floats = np.clip((values - values.mean()) / spread, -MOST, MOST)
    return found


def column_standardised(values: Floats) -> Floats:
    """Return each column in standard deviations above its mean, same shape."""
    if not len(values):
        return values
    spread = values.std(axis=0)
    found: Floats = (values - values.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    return found


def _value(
    population: Population,
    index: ProfileIndex,
    wish: Wish,
    words: Words,
    load: Mapping[str, int],
    places: Places,
) -> Floats:
    match wish.kind:
        case kind if kind in STYLES:
            if not population.styles.size:
                return np.zeros(len(places))
            return np.asarray(population.styles[places, STYLES.index(kind)])
        case WishKind.FREE:
            free = population.capacity[places] - population.taken(dict(load))[places]
            return np.asarray(np.clip(free, 0, 3) / 3 + population.days[places].mean(axis=1))
        case WishKind.TOPIC:
            return index.nearest(words.of[wish.value][None], places)[:, 0].astype(np.float64)
        case WishKind.LIKE:
            return index.alike(population.position.get(wish.value), places)
        case _:
            seen = [population.position[each] for each in wish.among if each in population.position]
            nearness = [index.alike(each, places) for each in seen]
            return -np.max(nearness, axis=0) if nearness else np.zeros(len(places))


def _holds(population: Population, wish: Wish) -> Bools:
    """Return for whom a fact holds. Who hasn't said a department isn't in it."""
    nobody = np.zeros(len(population), dtype=bool)
    match wish.kind:
        case WishKind.PLACE:
            return np.asarray(population.sites.get(wish.value, nobody) & population.on_site)
        case WishKind.ONLINE:
            return population.online
        case WishKind.ON_SITE:
            return population.on_site
        case WishKind.LANGUAGE:
            return population.languages.get(wish.value, nobody)
        case WishKind.DEPARTMENT:
            return population.departments.get(wish.value, nobody)
        case WishKind.PERSON:
            return population.mask({wish.value})
        case _:
            raise ValueError(f"{wish.kind} is no fact of a profile")


def _on_days(population: Population, wishes: Sequence[Wish]) -> Bools:
    """Return who can on one of the days that are wanted; who hasn't said their days may still be able to."""
    if not wishes:
        return np.ones(len(population), dtype=bool)
    wanted = [each.value for each in wishes if each.wanted]
    unwanted = {each.value for each in wishes if not each.wanted}
    good = np.array([(day in wanted if wanted else True) and day not in unwanted for day in DAYS])
    silent = ~population.days.any(axis=1)
    possible = bool(good.any())
    return np.asarray((population.days & good).any(axis=1) | (silent & possible))
