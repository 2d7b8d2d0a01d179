"""An organisation that never tires of answering, to see whether a ranker gets better from feedback or is only lucky.

What seniors need comes from judgements of others about real texts, never from a formula of the ranker. What they mind
is drawn for each senior, with thresholds and things that only matter together, and they don't look at all cards. Who
learns sees nothing of this, only the snapshot of what was drawn, clicked and decided (docs/learning.md).
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from recommender.domain import DAYS, Remote, Senior, Understood
from recommender.eligibility import ELIGIBLE, Asker, excluded_by
from recommender.evaluation import ndcg_at_k
from recommender.features import FEATURES, Circumstances, fit_features
from recommender.population import Population
from recommender.ranker import AdditiveRanker
from recommender.slate_order import explored_order, order_by_score
from recommender.snapshot import Snapshot, SnapshotInfo
from recommender.wording import LANGUAGES

Floats = NDArray[np.float64]
Places = NDArray[np.int64]
Part = Literal["feedback", "unseen"]

SLATE, PAGE = 9, 3
"""Juniors on a slate and cards on a page, as in the product."""

START, APART = datetime(2026, 1, 5, 9, tzinfo=UTC), timedelta(hours=2)
"""When the first request comes, and the time between two."""

NOT_SAID = ("request", "senior_department", "junior_department", "refusal_reason")


@dataclass(frozen=True)
class Behaviour:
    """What people do, set before any figure was seen. Chances in [0, 1] unless it says otherwise.

    What a senior minds multiplies the chance that somebody pleases: in log-odds nothing here is a sum.
    """

    # A card pleases, by judged grade 0 to 3: cards are misread, so some are chosen who can't help.
    pleases: tuple[float, ...] = (0.03, 0.2, 0.5, 0.75)
    # How much seniors differ in how easily they are pleased: standard deviation in log-odds.
    pickiness: float = 0.7
    # The card at rank k is looked at with chance k ** -eta: between not at all (0) and as in web search (1).
    eta: float = 0.7
    # After a page on which nobody pleased, three more are asked for.
    more: float = 0.5
    # Seniors who mind place, days, level, own department, language: no two want the same.
    minds: tuple[float, ...] = (0.5, 0.5, 0.4, 0.3, 0.4)
    # What is left of a chance when something is against what a senior minds, and where they don't mind it.
    minded: float = 0.2
    not_minded: float = 0.85
    # Level below which who minds level says no, unless the subject is exactly right (grade 3).
    expert: float = 5.0
    # The coordinator agrees about the subject, by grade: they know people better than a card tells.
    approves: tuple[float, ...] = (0.3, 0.8, 0.95, 1.0)
    # A junior whose wish to teach is 3 or less of 5 finds time; others always do.
    unwilling: float = 0.5
    # The coordinator passes a pair that can't meet: another building, and one of them on site only.
    strangers: float = 0.3
    # Rejected for something that has nothing to do with the pair.
    elsewhere: float = 0.04
    # A session is rated afterwards: 2.2 + 0.8 for each grade + noise, rounded.
    rated: float = 0.6
    # A place of a junior is taken when somebody asks.
    busy: float = 0.2


@dataclass(frozen=True)
class Asked:
    """One request and all juniors whom the hard rules allow, one row each.

    `pleases` is the chance that the senior wants whom they look at, `hurdles`, of shape ``(n, 3)``, that the
    coordinator passes subject, time and place; `expected`, their product, is what all is measured by.
    """

    senior: str
    need: Understood
    places: Places
    features: Floats
    grade: Places
    pleases: Floats
    hurdles: Floats

    @property
    def expected(self) -> Floats:
        """Return the chance that both sides accept each junior once looked at, shape ``(n,)``."""
        return np.asarray(self.pleases * self.hurdles.prod(axis=1))


Order = Callable[[Asked], Floats]
"""A request in, one number for each of its juniors out: higher stands first."""


@dataclass(frozen=True)
class Quality:
    """How good an order is, one row a request: nDCG@10 of what is expected, regret of the slate, and whose it is.

    `ndcg` is ``nan`` where nobody who is free has a grade above 0: it would praise the order of those who can't help.
    """

    ndcg: Floats
    regret: Floats
    senior: NDArray[np.str_]


@dataclass(frozen=True)
class World:
    """Juniors, and seniors who ask.

    `parts` tells which places of `seniors` and of `needs` give feedback, and which stay unseen. `tastes` has shape
    ``(n_seniors, 5)``, `grades` ``(n_needs, n_juniors)``, and `texts` one axis more.
    """

    population: Population
    behaviour: Behaviour
    encoder_id: str
    parts: Mapping[Part, tuple[Places, Places]]
    seniors: tuple[Senior, ...]
    tastes: NDArray[np.bool_]
    pickiness: Floats
    offers: NDArray[np.float32]
    needs: tuple[Understood, ...]
    grades: Places
    texts: Floats
    competences: Floats | None

    def requests(self, part: Part, n: int, seed: int) -> Iterator[Asked]:
        """Yield `n` requests of one part of the seniors, the same ones for the same seed."""
        seniors, needs = self.parts[part]
        for number in range(n):
            rng = np.random.default_rng([seed, int(part == "unseen"), number])
            senior, need = int(rng.choice(seniors)), int(rng.choice(needs))
            yield self.ask(senior, need, rng)

    def ask(self, senior: int, need: int, rng: np.random.Generator) -> Asked:
        """Return one request, by places of senior and need; chance decides who is busy."""
        who, read, all_of = self.seniors[senior], self.needs[need], self.population
        taken = rng.binomial(np.nan_to_num(all_of.capacity).astype(int), self.behaviour.busy).tolist()
        load: dict[str, int] = {junior.id: each for junior, each in zip(all_of.juniors, taken, strict=True)}
        places = np.flatnonzero(excluded_by(all_of, Asker(who), load) == ELIGIBLE)
        about = None if self.competences is None else self.competences[need]
        offers = self.offers[senior] if who.offers else None
        asked = Circumstances(who, read.language, load, competences=about, level=read.level, offers=offers)
        features = np.hstack([self.texts[need][places], fit_features(all_of, asked, places)])
        grade = self.grades[need][places]
        return Asked(who.id, read, places, features, grade, *self._chances(senior, read.language, places, grade))

    def _chances(self, senior: int, language: str, places: Places, grade: Places) -> tuple[Floats, Floats]:
        who, all_of, rules = self.seniors[senior], self.population, self.behaviour
        nobody = np.zeros(len(all_of), dtype=bool)
        online = all_of.online[places] & (who.remote is not Remote.ON_SITE)
        near = (all_of.sites.get(who.site, nobody) & all_of.on_site)[places] & (who.remote is not Remote.ONLINE)
        days, own = all_of.days[places], np.array([day in who.days for day in DAYS])
        no_day = days.any(axis=1) & own.any() & ~(days & own).any(axis=1)
        foreign = ~all_of.languages.get(language, nobody)[places]
        colleague = all_of.departments.get(who.department, nobody)[places]
        below = (np.nan_to_num(all_of.level[places], nan=8) < rules.expert) & (grade < 3)
        # Online is fine also for who minds place, as long as nothing else is amiss: together it is too much.
        against = np.column_stack([~near & (~online | no_day | foreign), no_day, below, colleague, foreign])
        left = np.where(self.tastes[senior], rules.minded, rules.not_minded)
        odds = np.array(rules.pleases) / (1 - np.array(rules.pleases)) * np.exp(self.pickiness[senior])
        pleases = (odds / (1 + odds))[grade] * np.where(against, left, 1.0).prod(axis=1)
        time = np.where(np.nan_to_num(all_of.wish_to_teach[places], nan=5) > 3, 1.0, rules.unwilling)
        place = np.where(near | online, 1.0, rules.strangers)
        return pleases, np.column_stack([np.array(rules.approves)[grade], time, place])


def simulate(world: World, ranker: AdditiveRanker, n: int, seed: int, *, explore: bool) -> Snapshot:
    """Let a ranker serve `n` requests of the seniors who give feedback, and return what was logged."""
    rows: list[dict[str, object]] = []
    for number, asked in enumerate(world.requests("feedback", n, seed)):
        request, scores = f"{seed}-{number}", ranker.score(asked.features)
        best = np.lexsort((asked.places, -scores))[:SLATE]
        order, propensities = explored_order(scores[best], request) if explore else order_by_score(scores[best])
        shown = best[order]
        drawn, answers = _answer(asked, shown, world.behaviour, np.random.default_rng([seed, 7, number]))
        slate = {"slate": request, "senior": asked.senior, "at": START + number * APART, "explored": explore}
        slate |= {"model_id": ranker.id, "encoder_id": world.encoder_id, "language": asked.need.language}
        for place, each in enumerate(shown):
            junior = world.population.juniors[asked.places[each]]
            row = slate | {"junior": junior.id, "rank": place + 1, "propensity": propensities[place]}
            row |= {"score": scores[each], "shown": place < drawn, "doubtful": False} | dict.fromkeys(NOT_SAID, "")
            row |= {"action": "", "decision": "", "decision_reason": "", "senior_rating": None, "junior_rating": None}
            row |= {f"junior_language_{name}": name in junior.languages for name in LANGUAGES}
            row |= {f"f_{name}": value for name, value in zip(FEATURES, asked.features[each], strict=True)}
            rows.append(row | answers.get(place, {}))
    table = pd.DataFrame(rows).astype({"senior_rating": "Int8", "junior_rating": "Int8"})
    return Snapshot(SnapshotInfo(f"simulated-{seed}", len(table), n, 0, "", "", "", list(FEATURES), ""), table)


def true_quality(world: World, order: Order, requests: Iterable[Asked]) -> Quality:
    """Measure an order by what is really expected of each junior, which no ranker ever sees.

    Regret is what the best possible slate has more in the chance that somebody who is looked at would be accepted by
    both sides. Ranks count as much as they are looked at, so that sorting by `Asked.expected` is best.
    """
    ranks = np.arange(SLATE)
    looked = (ranks + 1.0) ** -world.behaviour.eta * world.behaviour.more ** (ranks // PAGE)
    ndcg, regret, senior = [], [], []
    for asked in requests:
        ranked = asked.expected[np.lexsort((asked.places, -order(asked)))]
        slates = (each[:SLATE] for each in (ranked, -np.sort(-ranked)))
        missed, best = (np.prod(1 - looked[: len(each)] * each) for each in slates)
        ndcg.append(ndcg_at_k(ranked) if asked.grade.any() else np.nan)
        regret.append(missed - best)
        senior.append(asked.senior)
    return Quality(np.array(ndcg), np.array(regret), np.array(senior))


def _answer(
    asked: Asked, shown: Places, rules: Behaviour, rng: np.random.Generator
) -> tuple[int, dict[int, dict[str, object]]]:
    """Return how many cards were drawn, and what came of the one that was chosen, by its place.

    The senior looks at some cards of a page, takes one of those that please, and else may ask for more.
    """
    mood, looks, luck = rng.random(len(asked.places))[shown], rng.random(SLATE)[: len(shown)], rng.random(SLATE + 5)
    looked = looks < (np.arange(len(shown)) + 1.0) ** -rules.eta
    liked = looked & (mood < asked.pleases[shown])
    drawn = min(PAGE, len(shown))
    while not liked[:drawn].any() and drawn < len(shown) and luck[drawn - 1] < rules.more:
        drawn = min(drawn + PAGE, len(shown))
    found = np.flatnonzero(liked[:drawn])
    if not len(found):
        return drawn, {}
    weights = asked.pleases[shown[found]]
    chosen = int(rng.choice(found, p=weights / weights.sum()))
    passed = luck[SLATE : SLATE + 4] < [*asked.hurdles[shown[chosen]], 1 - rules.elsewhere]
    if not passed.all():
        reason = ("topic", "time", "place", "other")[int(passed.argmin())]
        return drawn, {chosen: {"action": "chosen", "decision": "rejected", "decision_reason": reason}}
    rating = float(np.clip(round(2.2 + 0.8 * int(asked.grade[shown[chosen]]) + rng.normal(0, 0.8)), 1, 5))
    rated = {"senior_rating": int(rating)} if luck[-1] < rules.rated else {}
    return drawn, {chosen: {"action": "chosen", "decision": "approved", **rated}}
