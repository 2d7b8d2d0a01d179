"""What a slate says about each junior: evidence, reasons and one honest minus, from what the ranker really used.

Everything here reads the same contributions that add up to the score: nothing is told that was not used.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from recommender.domain import Junior, JuniorId, Suggestion
from recommender.features import FIT_FEATURES, NEUTRAL, TEXT_FEATURES
from recommender.index import Likeness, ProfileIndex
from recommender.ranker import AdditiveRanker
from recommender.wording import Language, catalogue, say

if TYPE_CHECKING:
    from recommender.recommending import Ranking

MAX_EVIDENCE = 2
CLOSE = 0.75
"""A second sentence is shown when it is at least this share as telling as the first."""

WEAK_TEXT = 0.5
"""Below this share of the first suggestion's text contribution, the profile fits the question only in part."""

GOOD = {
    "competence": 0.6,
    "level": 1.0,
    "gap": 1.0,
    "wish_to_teach": 0.75,
    "language": 1.0,
    "place": 1.0,
    "days": 0.5 + 1e-9,
    "distance": 1.0,
    "exchange": 0.6,
    "experience": 0.6,
    "load": 1.0,
}
"""A circumstance is told as a reason from this value on: then its sentence is true."""

ENOUGH = {
    "competence": 0.05,
    "level": 0.75,
    "gap": 0.4,
    "wish_to_teach": NEUTRAL,
    "language": 1.0,
    "place": NEUTRAL,
    "days": NEUTRAL,
    "distance": NEUTRAL,
    "exchange": 0.05,
    "experience": 0.4,
    "load": 1.0,
}
"""A circumstance below this value is worth a minus."""


def evidence(
    request: str, index: ProfileIndex, likeness: Likeness, ranker: AdditiveRanker, juniors: Sequence[int]
) -> list[tuple[str, ...]]:
    """Return for each junior the one or two statements that matter most for the request, in the profile's order.

    Parameters
    ----------
    request : str
        The words that were searched with.
    index : ProfileIndex
        The statements.
    likeness : Likeness
        The request against them.
    ranker : AdditiveRanker
        Whose curves say how much meaning and wording count.
    juniors : sequence of int
        Places of the juniors in the population.
    """
    ranges = [index.statements_of(junior) for junior in juniors]
    texts = [index.statements[place].text for places in ranges for place in places]
    # All at once: asking for the wording of a few texts costs as much as for many.
    words = iter(index.wording_of(request, texts) / max(float(likeness.wording.std()), 1e-9))
    mean, spread = float(likeness.statements.mean()), max(float(likeness.statements.std()), 1e-9)
    found = []
    for places in ranges:
        meaning = (likeness.statements[places.start : places.stop] - mean) / spread
        wording = np.fromiter(words, dtype=np.float64, count=len(places))
        telling = ranker.span("best_statement") * meaning + ranker.span("wording") * wording
        best = np.argsort(-telling, kind="stable")[:MAX_EVIDENCE]
        shown = [place for place in best if telling[place] >= CLOSE * telling[best[0]] or place == best[0]]
        found.append(tuple(index.statements[places[place]].text for place in sorted(shown)))
    return found


def text_part(contributions: dict[str, float]) -> float:
    """Return what the texts together added to a score."""
    return sum(contributions[name] for name in TEXT_FEATURES)


def minus(values: dict[str, float], contributions: dict[str, float], ranker: AdditiveRanker, best: float) -> str | None:
    """Return the name of the one thing that speaks most against a suggestion, or None.

    Parameters
    ----------
    values, contributions : dict of str to float
        Of this suggestion.
    ranker : AdditiveRanker
        Whose curves tell what each shortcoming cost.
    best : float
        `text_part` of the first suggestion.
    """
    at_best = {name: float(ranker.curves[name](np.ones(1))[0]) for name in FIT_FEATURES}
    costs = {name: at_best[name] - contributions[name] for name in FIT_FEATURES if values[name] < ENOUGH[name]}
    if text_part(contributions) < WEAK_TEXT * best:
        costs["text"] = best - text_part(contributions)
    return max(costs, key=lambda name: costs[name]) if costs else None


def minus_sentence(name: str, junior: Junior, language: Language) -> str:
    """Say the minus of a suggestion."""
    return say(f"minus.{name}", language, **_facts(junior, language))


def reasons(suggestion: Suggestion, junior: Junior, language: Language) -> list[str]:
    """Return one sentence for each circumstance that is good and raised the score, most helpful first."""
    added, seen = suggestion.contributions, suggestion.values
    helped = [name for name in FIT_FEATURES if added.get(name, 0.0) > 0 and seen[name] >= GOOD[name]]
    helped.sort(key=lambda name: -added[name])
    return [say(f"reason.{name}", language, **_facts(junior, language)) for name in helped]


def why(suggestion: Suggestion, junior: Junior, language: Language) -> list[str]:
    """Return everything that speaks for a suggestion, and its minus: one sentence for each thing that counted.

    A sentence is there only if its contribution is, so taking a feature away takes its sentence and its rank.
    """
    facts, added = _facts(junior, language), suggestion.contributions
    found = [say("why.text", language, **facts)] if text_part(added) > 0 else []
    found += [f"{each}." for each in reasons(suggestion, junior, language)]
    wished = sorted((name for name in added if name.startswith(WISHED) and added[name] > 0), key=lambda n: -added[n])
    found += [say(f"why.{name}", language, **facts) for name in wished]
    if suggestion.minus:
        found.append(say("why.minus", language, minus=minus_sentence(suggestion.minus, junior, language)))
    return found


WISHED = "wished_"
"""How the names of contributions begin that come from a wish."""


def why_not(ranking: "Ranking", junior_id: JuniorId, shown: Sequence[JuniorId]) -> dict[str, Any]:
    """Return why somebody isn't on screen, and what would have to change, as plain data for `why_not_sentences`.

    Either they are (``there``), or a rule or wish leaves them out, or others score higher: then ``less`` names the
    fewest contributions which, if they were as high as those of the lowest on screen, would bring this junior there.
    ``rank`` is 0 for those whose profile is too far away to be ranked at all.
    """
    told: dict[str, Any] = {"junior": junior_id, "there": junior_id in shown, "rule": "", "less": [], "rank": 0}
    if told["there"]:
        return told
    rule, row = ranking.rule_against(junior_id), ranking.row_of(junior_id)
    rows = [place for place in map(ranking.row_of, shown) if place is not None]
    if rule is not None:
        return told | {"rule": rule}
    if row is None or not rows:
        return told | {"less": ["text"]}
    return told | {"less": behind(ranking.contributions(row), ranking.contributions(max(rows))), "rank": row + 1}


def behind(own: dict[str, float], other: dict[str, float]) -> list[str]:
    """Return the fewest contributions, largest gap first, that keep one sum below another; texts count as one.

    Examples
    --------
    >>> behind({"best_statement": 1.0, "place": 0.5}, {"best_statement": 3.0, "place": 0.0})
    ['text']
    """
    grouped: list[dict[str, float]] = []
    for parts in (own, other):
        texts = sum(value for name, value in parts.items() if name in TEXT_FEATURES)
        grouped.append({"text": texts} | {name: value for name, value in parts.items() if name not in TEXT_FEATURES})
    gaps = {name: value - grouped[0].get(name, 0.0) for name, value in grouped[1].items()}
    missing, found = sum(gaps.values()), []
    for name in sorted(gaps, key=lambda each: -gaps[each]):
        if missing <= 0 or gaps[name] <= 0:
            break
        found.append(name)
        missing -= gaps[name]
    return found


def why_not_sentences(told: dict[str, Any], junior: Junior, language: Language) -> list[str]:
    """Say why somebody isn't among the first, and what would have to change."""
    facts = _facts(junior, language)
    if told["there"]:
        return [say("whynot.is_there", language, **facts)]
    if told["rule"] in CONFIDENTIAL:
        return [say("whynot.ask", language, **facts)]
    if told["rule"]:
        reason = say(f"rule.{told['rule']}", language)
        return [
            say("whynot.left_out", language, reason=reason, **facts),
            say(f"change.{told['rule']}", language, **facts),
        ]
    if not told["less"]:
        return [say("whynot.chance", language, **facts)]
    place = [say("whynot.rank", language, rank=told["rank"], **facts)] if told["rank"] else []
    known = [each for each in told["less"][:MOST_SAID] if f"less.{each}" in catalogue()]  # an old turn may hold others
    less = [say(f"less.{each}", language, **facts) for each in known]
    if not told["rank"] or len(told["less"]) > MOST_SAID:
        return [*place, *less]
    return [*place, *less, say("whynot.change" if len(less) == 1 else "whynot.changes", language, **facts)]


CONFIDENTIAL = frozenset({"do_not_pair", "rejected", "inactive", "no_consent"})
"""Rules that are between a junior and the coordinator."""

MOST_SAID = 3


def differences(first: Suggestion, second: Suggestion) -> list[tuple[str, bool]]:
    """Return what sets two suggestions apart most, as (contribution, whether the first has more of it)."""
    gaps: dict[str, float] = {}
    for name in {*first.contributions, *second.contributions}:
        group = "text" if name in TEXT_FEATURES else name
        gap = first.contributions.get(name, 0.0) - second.contributions.get(name, 0.0)
        gaps[group] = gaps.get(group, 0.0) + gap
    telling = sorted((name for name in gaps if abs(gaps[name]) > TELLING), key=lambda each: -abs(gaps[each]))
    return [(name, gaps[name] > 0) for name in telling[:MOST_SAID]]


TELLING = 0.05
"""Difference of contributions that is worth a sentence."""


def _facts(junior: Junior, language: Language) -> dict[str, object]:
    return {
        "name": junior.name.split()[0],
        "site": junior.site,
        "languages": join([language_name(each, language) for each in junior.languages], language),
    }


def language_name(code: str, language: Language) -> str:
    """Return the name of a language; a code that is not in the catalogue stays a code."""
    try:
        return say(f"language.{code}", language)
    except KeyError:
        return code


def join(parts: list[str], language: Language) -> str:
    """Return "a, b and c" in the reader's language.

    Examples
    --------
    >>> join(["a", "b", "c"], "nl")
    'a, b en c'
    """
    if len(parts) < 2:
        return "".join(parts)
    return f"{', '.join(parts[:-1])} {say('word.and', language)} {parts[-1]}"
