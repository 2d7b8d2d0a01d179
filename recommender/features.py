"""(request, junior) → the named numbers the ranker sees. `FEATURES` is the ordered list; nothing else is used.

Age, gender and origin are not here and never will be; nor is how often somebody was chosen.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recommender.domain import HELPER_LEVEL, Remote, Senior
from recommender.index import Likeness
from recommender.population import Population

TEXT_FEATURES = ("best_statement", "whole_profile", "wording")
"""Likeness of texts, as standard deviations above this request's mean over all juniors."""

FIT_FEATURES = ("wish_to_teach", "level", "language", "place", "load")
"""Circumstances in [0, 1], higher is better; `NEUTRAL` where nothing is known."""

FEATURES = TEXT_FEATURES + FIT_FEATURES

NEUTRAL = 0.5


@dataclass(frozen=True)
class Circumstances:
    """What is known of the asker and of the juniors' load when features are made."""

    senior: Senior | None
    language: str
    load: dict[str, int]


def text_features(likeness: Likeness) -> NDArray[np.float64]:
    """Return shape ``(n_juniors, 3)`` in the order of `TEXT_FEATURES`.

    Notes
    -----
    Cosines of one encoder crowd together and differ in height from request to request. Standardised over all juniors
    they mean the same for a short and a long request, and for another encoder.
    """
    columns = (likeness.best_statement, likeness.whole, likeness.wording)
    return np.column_stack([_standardised(column.astype(np.float64)) for column in columns])


def fit_features(population: Population, asked: Circumstances) -> NDArray[np.float64]:
    """Return shape ``(n_juniors, 5)`` in the order of `FIT_FEATURES`, each in [0, 1]."""
    return np.column_stack(
        [
            _wish_to_teach(population),
            _level(population),
            _language(population, asked.language),
            _place(population, asked.senior),
            _room(population, asked.load),
        ]
    )


def _standardised(column: NDArray[np.float64]) -> NDArray[np.float64]:
    spread = column.std() if column.size else 0.0
    return (column - column.mean()) / spread if spread > 0 else np.zeros_like(column)


def _wish_to_teach(population: Population) -> NDArray[np.float64]:
    return np.nan_to_num((population.wish_to_teach - 1) / 4, nan=NEUTRAL)


def _level(population: Population) -> NDArray[np.float64]:
    """1 from the level at which people can help others; more is not better for somebody who starts."""
    return np.nan_to_num(np.clip((population.level - 1) / (HELPER_LEVEL - 1), 0, 1), nan=NEUTRAL)


def _language(population: Population, language: str) -> NDArray[np.float64]:
    speaks = population.languages.get(language, np.zeros(len(population), dtype=bool))
    return speaks.astype(np.float64)


def _place(population: Population, senior: Senior | None) -> NDArray[np.float64]:
    """1 in the same building, `NEUTRAL` when they can meet online, 0 when neither works."""
    if senior is None:
        return np.full(len(population), NEUTRAL)
    place = np.zeros(len(population))
    if senior.remote is not Remote.ON_SITE:
        place[population.online] = NEUTRAL
    if senior.site and senior.remote is not Remote.ONLINE:
        place[population.sites.get(senior.site, np.zeros(len(population), dtype=bool)) & population.on_site] = 1
    return place


def _room(population: Population, load: dict[str, int]) -> NDArray[np.float64]:
    """Share of the junior's places that is free."""
    free = population.capacity - population.taken(load)
    return np.clip(free / np.maximum(population.capacity, 1), 0, 1)
