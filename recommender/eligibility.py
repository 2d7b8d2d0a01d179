"""The hard rules. Each is one predicate that says whom it excludes; nothing outweighs them.

Rules that need to know the senior exclude nobody when the asker is unknown, and the rank rule needs both ranks.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recommender.domain import HELPER_LEVEL, Senior
from recommender.population import Bools, Population
from recommender.programme import OFF_AT_FIRST


@dataclass(frozen=True)
class Asker:
    """What the rules need to know of the one who asks, beside the profile itself."""

    senior: Senior | None
    reports: frozenset[str] = frozenset()
    """Everybody below the senior in the reporting line, at any depth, and everybody above."""
    forbidden: frozenset[str] = frozenset()
    already_matched: frozenset[str] = frozenset()
    rejected: frozenset[str] = frozenset()
    """Juniors whom a coordinator has rejected for this senior."""


Rule = Callable[[Population, Asker, dict[str, int]], Bools]


def _nobody(population: Population) -> Bools:
    return np.zeros(len(population), dtype=bool)


def _inactive(population: Population, asker: Asker, load: dict[str, int]) -> Bools:
    return ~population.active


def _no_consent(population: Population, asker: Asker, load: dict[str, int]) -> Bools:
    return ~population.consent


def _same_person(population: Population, asker: Asker, load: dict[str, int]) -> Bools:
    if asker.senior is None:
        return _nobody(population)
    same = population.mask({asker.senior.id})
    same[population.emails.get(asker.senior.email.casefold(), [])] = True
    return same


def _not_lower_in_rank(population: Population, asker: Asker, load: dict[str, int]) -> Bools:
    if asker.senior is None or asker.senior.rank is None:
        return _nobody(population)
    return population.rank >= asker.senior.rank


def _reporting_line(population: Population, asker: Asker, load: dict[str, int]) -> Bools:
    return population.mask(set(asker.reports))


def _no_shared_language(population: Population, asker: Asker, load: dict[str, int]) -> Bools:
    if asker.senior is None:
        return _nobody(population)
    shared = _nobody(population)
    for language in asker.senior.languages:
        shared |= population.languages.get(language, _nobody(population))
    return ~shared


def _do_not_pair(population: Population, asker: Asker, load: dict[str, int]) -> Bools:
    return population.mask(set(asker.forbidden))


def _matched_before(population: Population, asker: Asker, load: dict[str, int]) -> Bools:
    return population.mask(set(asker.already_matched))


def _rejected(population: Population, asker: Asker, load: dict[str, int]) -> Bools:
    return population.mask(set(asker.rejected))


def _below_helper_level(population: Population, asker: Asker, load: dict[str, int]) -> Bools:
    return population.level < HELPER_LEVEL  # not told is NaN, which is never below


def _full(population: Population, asker: Asker, load: dict[str, int]) -> Bools:
    return population.taken(load) >= population.capacity


# In this order: a junior whom several rules exclude is counted under the first.
RULES: dict[str, Rule] = {
    "inactive": _inactive,
    "no_consent": _no_consent,
    "same_person": _same_person,
    "not_lower_in_rank": _not_lower_in_rank,
    "reporting_line": _reporting_line,
    "do_not_pair": _do_not_pair,
    "matched_before": _matched_before,
    "rejected": _rejected,
    "no_shared_language": _no_shared_language,
    "below_helper_level": _below_helper_level,
    "full": _full,
}


ELIGIBLE = -1


def excluded_by(
    population: Population, asker: Asker, load: dict[str, int], off: frozenset[str] = OFF_AT_FIRST
) -> NDArray[np.int8]:
    """Return for each junior the place in `RULES` of the first rule that excludes them, or `ELIGIBLE`.

    Parameters
    ----------
    population : Population
        All juniors.
    asker : Asker
        Who asks, with their reporting line and do-not-pair list.
    load : dict of str to int
        Places taken, by junior id.
    off : frozenset of str, optional
        Names of rules that don't count in this programme; those of a new programme unless told.

    Returns
    -------
    ndarray of shape (n_juniors,)
    """
    found = np.full(len(population), ELIGIBLE, dtype=np.int8)
    for place, (name, rule) in enumerate(RULES.items()):
        if name not in off:
            found[rule(population, asker, load) & (found == ELIGIBLE)] = place
    return found


def each_alone(population: Population, asker: Asker, load: dict[str, int]) -> Bools:
    """Return whom each rule excludes, whatever the others do and whether it counts, shape ``(n_rules, n_juniors)``."""
    return np.array([rule(population, asker, load) for rule in RULES.values()])


def counts(excluded: NDArray[np.int8]) -> dict[str, int]:
    """Return how many juniors each rule left out, for the rules that did."""
    names = list(RULES)
    places, numbers = np.unique(excluded[excluded != ELIGIBLE], return_counts=True)
    return {names[place]: int(number) for place, number in zip(places, numbers, strict=True)}


class ReportingLines:
    """Who is above and below whom.

    Parameters
    ----------
    managers : dict of str to str
        Who reports to whom, ``{person: manager}``.

    Examples
    --------
    >>> lines = ReportingLines({"boss": "chief", "lead": "boss", "new": "lead", "other": "chief"})
    >>> sorted(lines.of("boss"))
    ['chief', 'lead', 'new']
    """

    def __init__(self, managers: dict[str, str]) -> None:
        self._managers = managers
        self._reports: dict[str, list[str]] = {}
        for below, above in managers.items():
            self._reports.setdefault(above, []).append(below)

    def of(self, person: str) -> frozenset[str]:
        """Return everybody above and below `person`, at any depth."""
        line: set[str] = set()
        waiting = list(self._reports.get(person, []))
        while waiting:
            each = waiting.pop()
            if each not in line:
                line.add(each)
                waiting += self._reports.get(each, [])
        above = self._managers.get(person)
        while above is not None and above not in line:
            line.add(above)
            above = self._managers.get(above)
        return frozenset(line - {person})
