"""The next question: the one with the highest expected gain, asked only where an answer can change the first three.

Whoever is on screen needn't be asked about: if the right one were there, the senior would choose. So a question is
about the others. Each of them is the right one with some chance. Somebody best helped by a junior gives each answer
with a chance that follows from that junior's own facts. So each answer gives new chances by Bayes' rule, and a new
first three; the gain of a question is how much more likely the right junior is then among the three, over all answers.
This is the expected value of information (Howard, 1966) for what the senior sees, not the information about everything.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recommender.dialogue.brief import STYLES, Brief, WishKind
from recommender.dialogue.state import MAX_QUESTIONS, Question
from recommender.domain import DAYS, Remote, Senior
from recommender.index import ProfileIndex
from recommender.population import Population
from recommender.wish_fit import LUCK, Words, answer_chances, theme_likelihood

Floats = NDArray[np.float64]
Places = NDArray[np.int64]

SHOWN = 3
IN_PLAY = 60
"""Juniors, best by score, whom a question is about."""

TEMPERATURE = 1.5
"""Of the chances of those in play. A score is a log-odds of fitting, but a bolder one than it should be: chosen on the
demo's judged needs among 0.7, 1 and 1.5 (docs/questions.md)."""

LEAST_GAIN = 0.02
"""Chance to have the right one among the three that a question must win: below it, asking costs more than it gives."""

THEMES = 4
"""Options of a theme, at most."""

CLEARLY = 2.0
"""Standard deviations above the mean likeness to the request from which a statement is clearly about it."""

MOST_WORDS = 12
"""Words of a sentence that may stand as an option."""

ANYTHING = "any"
"""The option of somebody to whom it is all the same."""


@dataclass(frozen=True)
class InPlay:
    """Who may be the right one, best first, and what is known of them.

    `places` are in the population, `scores` are theirs.
    """

    population: Population
    index: ProfileIndex
    places: Places
    scores: Floats
    likeness: NDArray[np.float32]
    """Of each statement of the index to the request, shape ``(n_statements,)``."""
    weight: float = 1.0
    """Chance that the right one is among these at all; a question is worth as much less."""

    @property
    def chances(self) -> Floats:
        """Chance of each to be the right one, shape ``(len(places),)``; adds up to 1."""
        return chances(self.scores)

    def telling_statement(self, junior: int, floor: float) -> int | None:
        """Return the place of a junior's short statement that is nearest to the request, from `floor` on, or None."""
        short = [
            each
            for each in self.index.statements_of(junior)
            if 2 <= len(self.index.statements[each].text.split()) <= MOST_WORDS and self.likeness[each] >= floor
        ]
        return max(short, key=lambda each: float(self.likeness[each])) if short else None


def chances(scores: Floats) -> Floats:
    """Return the chance of each to be the right one, adding up to 1, from scores, which are log-odds of fitting."""
    if not len(scores):
        return np.zeros(0)
    shares = np.exp((scores - scores.max()) / TEMPERATURE)
    found: Floats = shares / shares.sum()
    return found


@dataclass(frozen=True)
class Candidate:
    """A question that could be asked. `likelihood[j, a]` is the chance of answer `a` if junior `j` is the right one.

    What is missing to 1 is the chance of no answer: a fact that nobody knows can't be answered from.
    """

    question: Question
    likelihood: Floats


def best_question(
    play: InPlay, brief: Brief, senior: Senior | None, asked: Sequence[str], goal_number: int, exchange: Floats | None
) -> Question | None:
    """Return the question to ask now, or None: enough were asked, or no answer would change enough.

    Parameters
    ----------
    play : InPlay
        Who may be the right one.
    brief : Brief
        What is known; it isn't asked again.
    senior : Senior or None
        Whose profile may tell already.
    asked : sequence of str
        Ids of the questions asked before.
    goal_number : int
        Which goal of the conversation this is: a theme may be asked once for each.
    exchange : ndarray of shape (n_in_play, n_offers), optional
        How near what each junior would like is to each thing that seniors give back.
    """
    if len(asked) >= MAX_QUESTIONS or len(play.places) <= SHOWN:
        return None
    possible = [
        each for each in candidates(play, brief, senior, goal_number, exchange) if each.question.id not in asked
    ]
    gains = [play.weight * expected_gain(play.chances, each.likelihood) for each in possible]
    if not gains or max(gains) < LEAST_GAIN:
        return None
    best = possible[int(np.argmax(gains))].question
    return Question(best.id, best.facet, best.options, round(float(max(gains)), 4))


def expected_gain(chances: Floats, likelihood: Floats) -> float:
    """Return how much likelier the right junior is among the first three once the answer is known.

    Parameters
    ----------
    chances : ndarray of shape (n_juniors,)
        Of being the right one, adding up to 1.
    likelihood : ndarray of shape (n_juniors, n_answers)
        What is missing in a row to 1 is the chance of no answer, which changes nothing.

    Examples
    --------
    Nobody gains from an answer that all would give alike.

    >>> expected_gain(np.full(6, 1 / 6), np.full((6, 2), 0.5))
    0.0
    >>> round(expected_gain(np.full(6, 1 / 6), np.repeat(np.eye(2), 3, axis=0)), 3)
    0.5
    """
    joint = chances[:, None] * likelihood
    now = np.argsort(-chances, kind="stable")[:SHOWN]
    best = -np.sort(-joint, axis=0)[:SHOWN]
    return float(max(best.sum() - joint[now].sum(), 0.0))


def information(chances: Floats, likelihood: Floats) -> float:
    """Return the mutual information of junior and answer in nats: what plain information gain would maximise."""
    silent = np.clip(1 - likelihood.sum(axis=1, keepdims=True), 0, 1)
    likelihood = np.hstack([likelihood, silent])
    joint = chances[:, None] * likelihood
    answers = joint.sum(axis=0)
    ratio = np.where(likelihood > 0, likelihood / np.maximum(answers, 1e-12), 1.0)
    return float((joint * np.log(ratio)).sum())


def candidates(
    play: InPlay, brief: Brief, senior: Senior | None, goal_number: int, exchange: Floats | None
) -> list[Candidate]:
    """Return every question that isn't answered by what is known."""
    found = []
    for facet, ask in FACETS.items():
        made = ask(play, brief, senior, exchange)
        if made is not None:
            options, likelihood = made
            name = f"theme{goal_number}" if facet == "theme" else facet
            found.append(Candidate(Question(name, facet, options), likelihood))
    return found


# What can be asked: options, and the chance of each answer if each junior is the right one; None where it is known.

Made = tuple[tuple[str, ...], Floats] | None


def _theme(play: InPlay, brief: Brief, senior: Senior | None, exchange: Floats | None) -> Made:
    if any(each.kind is WishKind.THEME for each in brief.wishes):
        return None
    options = themes(play)
    if len(options) < 2:
        return None
    words = Words({play.index.statements[each].text: play.index.vector(each) for each in options})
    texts = tuple(words.of)
    if len(texts) < 2:
        return None
    return texts, theme_likelihood(play.index, texts, words, play.places)


def _meet(play: InPlay, brief: Brief, senior: Senior | None, exchange: Floats | None) -> Made:
    known = {WishKind.ONLINE, WishKind.ON_SITE, WishKind.PLACE} & {each.kind for each in brief.wishes}
    if known or (senior is not None and senior.remote is not Remote.BOTH):
        return None
    online, on_site = play.population.online[play.places], play.population.on_site[play.places]
    return ("online", "on_site"), _spread(np.column_stack([online, on_site]).astype(np.float64))


def _day(play: InPlay, brief: Brief, senior: Senior | None, exchange: Floats | None) -> Made:
    if any(each.kind is WishKind.DAY for each in brief.wishes) or (senior is not None and senior.days):
        return None
    return DAYS, _spread(play.population.days[play.places].astype(np.float64))


def _place(play: InPlay, brief: Brief, senior: Senior | None, exchange: Floats | None) -> Made:
    known = {WishKind.ONLINE, WishKind.PLACE} & {each.kind for each in brief.wishes}
    if known or (senior is not None and senior.site):
        return None
    there = {site: has & play.population.on_site for site, has in play.population.sites.items()}
    weights = {site: float(play.chances[has[play.places]].sum()) for site, has in there.items()}
    options = tuple(sorted(weights, key=lambda each: (-weights[each], each))[:THEMES])
    if len(options) < 2:
        return None
    return options, _spread(np.column_stack([there[each][play.places] for each in options]).astype(np.float64))


def _language(play: InPlay, brief: Brief, senior: Senior | None, exchange: Floats | None) -> Made:
    spoken = tuple(senior.languages) if senior is not None else ("nl", "en")
    if any(each.kind is WishKind.LANGUAGE for each in brief.wishes) or len(spoken) < 2:
        return None
    nobody = np.zeros(len(play.population), dtype=bool)
    has = [play.population.languages.get(each, nobody)[play.places] for each in spoken[:THEMES]]
    return spoken[:THEMES], _spread(np.column_stack(has).astype(np.float64))


def _style(play: InPlay, brief: Brief, senior: Senior | None, exchange: Floats | None) -> Made:
    if {each.kind for each in brief.wishes} & set(STYLES) or not play.population.styles.size:
        return None
    told = np.exp(np.clip(play.population.styles[play.places], -2, 2))
    return tuple(STYLES), _noisy(told / told.sum(axis=1, keepdims=True))


def _level(play: InPlay, brief: Brief, senior: Senior | None, exchange: Floats | None) -> Made:
    if brief.level is not None:
        return None
    ahead = play.population.level[play.places][:, None] - np.array([1.5, 3.0, 5.0])
    outside = np.maximum(np.maximum(1 - ahead, ahead - 4), 0)
    fits = np.clip(1 - np.nan_to_num(outside) / 4, 0.05, 1)
    known = ~np.isnan(ahead[:, :1])
    return ("beginner", "some", "good"), np.where(known, _noisy(fits / fits.sum(axis=1, keepdims=True)), 0.0)


def _exchange(play: InPlay, brief: Brief, senior: Senior | None, exchange: Floats | None) -> Made:
    if exchange is None or brief.gives_back or (senior is not None and senior.offers):
        return None
    shares = np.exp((exchange - exchange.max(axis=1, keepdims=True)) / SHARP_OFFERS)
    return OFFERS, _noisy(shares / shares.sum(axis=1, keepdims=True))


OFFERS = ("network", "rules", "customers", "leading")
"""What seniors give back, as keys under ``offer`` of the catalogue."""

SHARP_OFFERS = 0.1

FACETS: dict[str, Callable[[InPlay, Brief, Senior | None, Floats | None], Made]] = {
    "theme": _theme,
    "level": _level,
    "style": _style,
    "meet": _meet,
    "day": _day,
    "place": _place,
    "language": _language,
    "exchange": _exchange,
}


def themes(play: InPlay) -> list[int]:
    """Return places of up to `THEMES` short statements that tell those in play apart, in the juniors' own words.

    Only what is clearly about the request may stand as an option. The likeliest comes first; each next one is that
    with which the answer is expected to gain most.
    """
    floor = float(play.likeness.mean()) + CLEARLY * float(play.likeness.std())
    likely = [play.telling_statement(int(each), floor) for each in play.places]
    found = list(dict.fromkeys(each for each in likely if each is not None))
    if not found:
        return []
    near = play.index.nearest(np.stack([play.index.vector(each) for each in found]), play.places)
    taken = [0]
    while len(taken) < min(THEMES, len(found)):
        gains = {
            each: expected_gain(play.chances, answer_chances(near[:, [*taken, each]]))
            for each in range(len(found))
            if each not in taken
        }
        taken.append(max(gains, key=lambda each: gains[each]))
    return [found[each] for each in taken]


def _spread(has: Floats) -> Floats:
    """Return chances of answers from facts that hold or don't: one who can do several is named for each alike."""
    some = has.sum(axis=1, keepdims=True)
    return np.where(some > 0, _noisy(has / np.maximum(some, 1)), 0.0)


def _noisy(likelihood: Floats) -> Floats:
    found: Floats = (1 - LUCK) * likelihood + LUCK / likelihood.shape[1]
    return found
