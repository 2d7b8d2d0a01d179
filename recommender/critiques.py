"""Wishes that are worth offering now: each would show somebody else among the first three, and leaves somebody.

System-suggested critiques are found faster than typed ones (docs/adr/0018). Which ones help depends on who is in play.
"""

import numpy as np

from recommender.dialogue.brief import STYLES, Wish, WishKind
from recommender.domain import Senior
from recommender.questions import SHOWN, InPlay
from recommender.wish_fit import Words, added, permitted
from recommender.wording import Language

OFFERED = 6
"""Wishes that are offered at once, at most."""


def useful(play: InPlay, wishes: tuple[Wish, ...], senior: Senior | None, language: Language) -> list[Wish]:
    """Return wishes that would change the first three, in a fixed order.

    Parameters
    ----------
    play : InPlay
        Who may be suggested, best first.
    wishes : tuple of Wish
        Those that stand already; they aren't offered again.
    senior : Senior or None
        Whose town and department they may be about.
    language : {"nl", "en"}
        Of the page.
    """
    known = {(each.kind, each.value) for each in wishes}
    possible = [each for each in _possible(play, senior, language) if (each.kind, each.value) not in known]
    return [each for each in possible if _changes(play, each)][:OFFERED]


def _possible(play: InPlay, senior: Senior | None, language: Language) -> list[Wish]:
    first = tuple(play.population.juniors[each].id for each in play.places[:SHOWN])
    found = [Wish(each) for each in STYLES] if play.population.styles.size else []
    if senior is not None and senior.site:
        found.append(Wish(WishKind.PLACE, senior.site))
    found += [Wish(WishKind.ONLINE), Wish(WishKind.LANGUAGE, language)]
    if senior is not None and senior.department:
        found.append(Wish(WishKind.DEPARTMENT, senior.department, wanted=False))
    return [*found, Wish(WishKind.FREE), Wish(WishKind.SURPRISE, among=first)]


def _changes(play: InPlay, wish: Wish) -> bool:
    """Tell whether a wish would bring somebody else among the first three."""
    if wish.hard:
        fits = permitted(play.population, [wish])[play.places]
        return bool(fits.any() and not fits[:SHOWN].all())
    moved = added(play.population, play.index, [wish], Words({}), {}, play.places)
    scores = play.scores + sum(moved.values(), np.zeros(len(play.places)))
    return set(np.argsort(-scores, kind="stable")[:SHOWN].tolist()) != set(range(min(SHOWN, len(scores))))
