"""(request, junior) → the named numbers the ranker sees. `FEATURES` is the ordered list; nothing else is used.

Age, gender and origin are not here and never will be; nor is how often somebody was chosen.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from recommender.domain import DAYS, HELPER_LEVEL, Remote, Senior
from recommender.index import Likeness
from recommender.population import Bools, Population

Floats = NDArray[np.float64]
Places = NDArray[np.int64]

TEXT_FEATURES = ("best_statement", "whole_profile", "wording")
"""Likeness of texts, as standard deviations above this request's mean over all juniors."""

FIT_FEATURES = (
    "competence",
    "level",
    "gap",
    "wish_to_teach",
    "language",
    "place",
    "days",
    "distance",
    "exchange",
    "experience",
    "load",
)
"""Circumstances in [0, 1], higher is better; `NEUTRAL` where nothing is known."""

FEATURES = TEXT_FEATURES + FIT_FEATURES

NEUTRAL = 0.5

GAP = (1.0, 4.0)
"""Levels ahead at which explaining goes well: enough to know more, near enough to remember what was hard."""

MEMORY = 4.0
"""Sessions' worth of doubt about a junior's ratings: with fewer, the mean of everybody weighs more."""

LIKE_EXCHANGE = (0.2, 0.6)
"""Cosines between what is wanted and what is offered that count as nothing in common and as just that."""


@dataclass(frozen=True)
class Circumstances:
    """What is known of the asker and of the juniors when features are made.

    Parameters
    ----------
    senior : Senior or None
        Who asks.
    language : str
        Of the request.
    load : dict of str to int
        Places taken, by junior id.
    competences : ndarray of shape (n_competences,), optional
        Chance that the request is about each competence. None is "not read".
    level : float or None
        Level of the asker on what is asked, 1 to 8, where the words tell.
    offers : ndarray of shape (dim,), optional
        Unit vector of what the senior gives back.
    ratings : dict of str to (float, int)
        Sum, each in [0, 1], and number of ratings after sessions, by junior id.
    """

    senior: Senior | None
    language: str
    load: dict[str, int]
    competences: Floats | None = None
    level: float | None = None
    offers: NDArray[np.float32] | None = None
    ratings: dict[str, tuple[float, int]] = field(default_factory=dict)


def text_features(likeness: Likeness) -> Floats:
    """Return shape ``(n_juniors, 3)`` in the order of `TEXT_FEATURES`.

    Notes
    -----
    Cosines of one encoder crowd together and differ in height from request to request. Standardised over all juniors
    they mean the same for a short and a long request, and for another encoder.
    """
    columns = (likeness.best_statement, likeness.whole, likeness.wording)
    return np.column_stack([_standardised(column) for column in columns])


def fit_features(population: Population, asked: Circumstances, places: Places) -> Floats:
    """Return shape ``(len(places), n_fit_features)`` in the order of `FIT_FEATURES`, each in [0, 1].

    Parameters
    ----------
    population : Population
        All juniors.
    asked : Circumstances
        The request, beside its words.
    places : ndarray of shape (n_places,)
        Which juniors of the population.
    """
    return np.column_stack([FIT[name](population, asked, places) for name in FIT_FEATURES])


def _standardised(column: NDArray[np.float32]) -> Floats:
    spread = float(column.std()) if column.size else 0.0
    return (column - column.mean()).astype(np.float64) / spread if spread > 0 else np.zeros(len(column))


def _unknown(places: Places) -> Floats:
    return np.full(len(places), NEUTRAL)


def _competence(population: Population, asked: Circumstances, places: Places) -> Floats:
    """How much of what is asked the profile is about; nearer to `NEUTRAL` the less sure the request was read."""
    if asked.competences is None or not population.competences.size or not asked.competences.any():
        return _unknown(places)
    sure = float(asked.competences.max())
    about: Floats = population.competences[places] @ (asked.competences / asked.competences.sum())
    return NEUTRAL + sure * (np.clip(about, 0, 1) - NEUTRAL)


def _level(population: Population, asked: Circumstances, places: Places) -> Floats:
    """1 from the level at which people can help others; more is not better for somebody who starts."""
    return np.nan_to_num(np.clip((population.level[places] - 1) / (HELPER_LEVEL - 1), 0, 1), nan=NEUTRAL)


def _gap(population: Population, asked: Circumstances, places: Places) -> Floats:
    """1 where the junior is one to four levels ahead, less for each level outside of that; `NEUTRAL` if not known."""
    if asked.level is None:
        return _unknown(places)
    ahead = population.level[places] - asked.level
    outside = np.maximum(np.maximum(GAP[0] - ahead, ahead - GAP[1]), 0)
    return np.nan_to_num(np.clip(1 - outside / 4, 0, 1), nan=NEUTRAL)


def _wish_to_teach(population: Population, asked: Circumstances, places: Places) -> Floats:
    return np.nan_to_num((population.wish_to_teach[places] - 1) / 4, nan=NEUTRAL)


def _language(population: Population, asked: Circumstances, places: Places) -> Floats:
    return _among(population.languages, asked.language, population)[places].astype(np.float64)


def _place(population: Population, asked: Circumstances, places: Places) -> Floats:
    """1 in the same building, `NEUTRAL` when they can meet online, 0 when neither works."""
    senior = asked.senior
    if senior is None:
        return _unknown(places)
    near = np.zeros(len(places))
    if senior.remote is not Remote.ON_SITE:
        near[population.online[places]] = NEUTRAL
    if senior.remote is not Remote.ONLINE:
        near[(_among(population.sites, senior.site, population) & population.on_site)[places]] = 1
    return near


def _days(population: Population, asked: Circumstances, places: Places) -> Floats:
    """1 from two shared days on, half for one; `NEUTRAL` where either has not said."""
    said = population.days[places]
    if asked.senior is None or not asked.senior.days:
        return _unknown(places)
    shared = (said & np.array([day in asked.senior.days for day in DAYS])).sum(axis=1)
    return np.where(said.any(axis=1), np.clip(shared / 2, 0, 1), NEUTRAL)


def _distance(population: Population, asked: Circumstances, places: Places) -> Floats:
    """1 in another department, 0 in the same; `NEUTRAL` where either is not known."""
    if asked.senior is None or not asked.senior.department:
        return _unknown(places)
    known = np.zeros(len(population), dtype=bool)
    for members in population.departments.values():
        known |= members
    same = _among(population.departments, asked.senior.department, population)
    return np.where(known[places], np.where(same[places], 0.0, 1.0), NEUTRAL)


def _exchange(population: Population, asked: Circumstances, places: Places) -> Floats:
    """How near what the junior would like is to what the senior offers; `NEUTRAL` where either has not said."""
    wishes = population.wishes[places]
    if asked.offers is None or not wishes.size:
        return _unknown(places)
    low, high = LIKE_EXCHANGE
    near = np.clip((wishes @ asked.offers - low) / (high - low), 0, 1)
    return np.where(wishes.any(axis=1), near, NEUTRAL)


def _experience(population: Population, asked: Circumstances, places: Places) -> Floats:
    """Ratings after sessions, shrunk to the mean of all juniors, which counts as `NEUTRAL`."""
    total = sum(each for each, _ in asked.ratings.values())
    number = sum(each for _, each in asked.ratings.values())
    if not number:
        return _unknown(places)
    mean = total / number
    sums, counts = np.zeros(len(population)), np.zeros(len(population))
    for junior_id, (rated, times) in asked.ratings.items():
        if junior_id in population.position:
            sums[population.position[junior_id]], counts[population.position[junior_id]] = rated, times
    shrunk = (sums + MEMORY * mean) / (counts + MEMORY)
    return np.clip(NEUTRAL + shrunk - mean, 0, 1)[places]


def _load(population: Population, asked: Circumstances, places: Places) -> Floats:
    """Share of the junior's places that is free."""
    capacity = population.capacity[places]
    free = capacity - population.taken(asked.load)[places]
    return np.clip(free / np.maximum(capacity, 1), 0, 1)


def _among(columns: dict[str, Bools], value: str, population: Population) -> Bools:
    return columns.get(value, np.zeros(len(population), dtype=bool))


FIT: dict[str, Callable[[Population, Circumstances, Places], Floats]] = {
    "competence": _competence,
    "level": _level,
    "gap": _gap,
    "wish_to_teach": _wish_to_teach,
    "language": _language,
    "place": _place,
    "days": _days,
    "distance": _distance,
    "exchange": _exchange,
    "experience": _experience,
    "load": _load,
}
