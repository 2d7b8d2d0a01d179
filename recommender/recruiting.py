"""Who is missing: seniors with few juniors to choose from. A look at everybody at once, over arrays."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recommender.domain import HELPER_LEVEL, Junior, Person, Remote, Senior

FEW_CHOICES = 3
"""A senior is shown three people: with fewer, there is nothing to choose."""


def choices(seniors: Sequence[Senior], juniors: Sequence[Junior], load: Mapping[str, int]) -> NDArray[np.int64]:
    """Return how many juniors each senior could be paired with now, shape ``(n_seniors,)``.

    Counted are juniors who take part, can explain and have a place, are of lower rank, share a language, and can meet:
    both online, or both at the same site. Lines of reporting and lists of names are left out: they concern few.

    Parameters
    ----------
    seniors : sequence of Senior
        Who looks for somebody.
    juniors : sequence of Junior
        Everybody who may explain.
    load : mapping of str to int
        Places taken, by junior id.
    """
    free = [
        each
        for each in juniors
        if each.active
        and each.consent
        and load.get(each.id, 0) < each.capacity
        and (each.level is None or each.level >= HELPER_LEVEL)
    ]
    if not free or not seniors:
        return np.zeros(len(seniors), dtype=np.int64)
    ranks = np.array([-np.inf if each.rank is None else each.rank for each in free])
    lower = ranks[None, :] < np.array([[np.inf if each.rank is None else each.rank] for each in seniors]).reshape(-1, 1)
    everybody: list[Person] = [*seniors, *free]
    spoken = sorted({language for each in everybody for language in each.languages})
    fits = lower & (_has(seniors, spoken) @ _has(free, spoken).T)
    sites = {site: place for place, site in enumerate(sorted({each.site for each in everybody}))}
    same = _column(sites[each.site] for each in seniors) == _column(sites[each.site] for each in free).T
    online = _column(each.remote is not Remote.ON_SITE for each in seniors)
    here = _column(each.remote is not Remote.ONLINE for each in seniors)
    theirs_online = _column(each.remote is not Remote.ON_SITE for each in free).T
    theirs_here = _column(each.remote is not Remote.ONLINE for each in free).T
    fits &= (online & theirs_online) | (same & here & theirs_here)
    found: NDArray[np.int64] = fits.sum(axis=1)
    return found


def _has(people: Sequence[Person], languages: Sequence[str]) -> NDArray[np.bool_]:
    return np.array([[each in person.languages for each in languages] for person in people], dtype=bool).reshape(
        len(people), len(languages)
    )


def _column(values: Iterable[int | bool]) -> NDArray[Any]:
    return np.array(list(values)).reshape(-1, 1)
