"""One request, ranked: understand, compare, leave out, score, order, explain, ask. Writes nothing but vectors."""

import threading
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from recommender import explain
from recommender.competences import CompetenceReader
from recommender.critiques import useful
from recommender.dialogue.brief import Brief, Wish
from recommender.dialogue.state import Question
from recommender.domain import JuniorId, Request, RequestId, Senior, SeniorId, Slate, SlateId, Suggestion
from recommender.eligibility import ELIGIBLE, RULES, Asker, ReportingLines, counts, excluded_by
from recommender.encoder import Encoder
from recommender.features import FEATURES, Circumstances, fit_features, text_features
from recommender.index import Likeness, ProfileIndex
from recommender.known_needs import KnownNeeds
from recommender.naming import Organisation, People
from recommender.population import Population
from recommender.questions import IN_PLAY, OFFERS, SHOWN, InPlay, best_question, chances
from recommender.ranker import AdditiveRanker
from recommender.slate_order import explored_order, order_by_score
from recommender.store import Store
from recommender.text import content_hash
from recommender.understanding import understand
from recommender.weights import Progress
from recommender.wish_fit import Words, added, blocking, column_standardised, permitted
from recommender.wording import Language, say

SHORTLIST = 1_000
"""Juniors, best by text, whose circumstances are looked at: far more than any slate, so that nobody near is missed."""

RankerInUse = Callable[[], AdditiveRanker]

WISHED = "wish"
"""Name among the rules of what a senior's own wishes left out."""

ASIDE = "aside"
"""And of whom a senior has put aside."""


class StyleReader(Protocol):
    """Reads in sentences of profiles how somebody explains."""

    def styles(self, vectors: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return the chances of patience, of doing it together and of depth, shape ``(n_texts, 3)``."""


@dataclass(frozen=True)
class _Searchable:
    """All juniors as of one version of the profiles."""

    version: int
    population: Population
    index: ProfileIndex
    lines: ReportingLines
    names: Organisation


@dataclass(frozen=True)
class Ranking:
    """Everybody whom rules and wishes allow, best first, for one request.

    `places` are in the population and, like `features`, `added` and `scores`, in the order of the ranking. `added` is
    what wishes contribute, by name. `excluded` has a code for each junior of the population (`excluded_by`), and
    `unwished` tells whom the senior's own wishes left out, and `aside` are the ids of those who were put aside.
    """

    request: Request
    brief: Brief
    senior: Senior | None
    ranker: AdditiveRanker
    juniors: _Searchable
    likeness: Likeness
    places: NDArray[np.int64]
    features: NDArray[np.float64]
    added: dict[str, NDArray[np.float64]]
    scores: NDArray[np.float64]
    excluded: NDArray[np.int8]
    unwished: NDArray[np.bool_]
    aside: frozenset[JuniorId]

    @property
    def blocked(self) -> tuple[Wish, ...]:
        """The fewest wishes that have to go before anybody is left; empty where wishes aren't what leaves nobody."""
        if len(self.places):
            return ()
        possible = (self.excluded == ELIGIBLE) & ~self.juniors.population.mask(set(self.aside))
        return blocking(self.juniors.population, possible, self.brief.wishes)

    def contributions(self, row: int) -> dict[str, float]:
        """Return what adds up, with the intercept, to the score of the one at this rank, from 0."""
        of_ranker = self.ranker.contributions(self.features[row : row + 1])[0]
        parts = dict(zip(FEATURES, map(float, of_ranker), strict=True))
        return parts | {name: float(values[row]) for name, values in self.added.items()}

    def row_of(self, junior_id: str) -> int | None:
        """Return the rank of a junior, from 0, or None for who isn't in it."""
        place = self.juniors.population.position.get(junior_id)
        if place is None or place not in self.places:
            return None
        return int(np.flatnonzero(self.places == place)[0])

    def rule_against(self, junior_id: str) -> str | None:
        """Return the rule that leaves a junior out, `WISHED` for a wish of the senior, or None."""
        place = self.juniors.population.position.get(junior_id)
        if place is None:
            return None
        if self.excluded[place] != ELIGIBLE:
            return tuple(RULES)[int(self.excluded[place])]
        if junior_id in self.aside:
            return ASIDE
        return WISHED if self.unwished[place] else None

    def in_play(self, beyond: int = 0) -> InPlay:
        """Return the best of it, without the first `beyond`, who are on screen."""
        best = slice(beyond, beyond + IN_PLAY)
        shown = chances(self.scores)[:beyond].sum()
        return InPlay(
            self.juniors.population,
            self.juniors.index,
            self.places[best],
            self.scores[best],
            self.likeness.statements,
            weight=1 - float(shown),
        )


class Recommender:
    """Ranks the juniors of a store for one request at a time.

    Parameters
    ----------
    store : Store
        The open database.
    encoder : Encoder
        What texts are embedded with.
    ranker : callable
        Gives the ranker in use; asked once a request, so that a promotion acts at the next.
    reader : CompetenceReader, optional
        What names the competences in a text. Without one, none are named.
    known_needs : KnownNeeds, optional
        What a request is read together with. Without any, it is searched with as it is.
    doubt_below : float, optional
        A slate is doubtful when no profile as a whole is nearer to the request than this. None is never.
    styles : StyleReader, optional
        What reads how a profile explains. Without one, wishes about that move nobody.
    """

    def __init__(
        self,
        store: Store,
        encoder: Encoder,
        ranker: RankerInUse,
        reader: CompetenceReader | None = None,
        known_needs: KnownNeeds | None = None,
        doubt_below: float | None = None,
        styles: StyleReader | None = None,
    ) -> None:
        self.encoder, self.ranker, self._styles = encoder, ranker, styles
        self._store, self._reader, self._known_needs, self._doubt_below = store, reader, known_needs, doubt_below
        self._searchable: _Searchable | None = None
        self._building = threading.Lock()

    def prepare(self, progress: Progress | None = None) -> None:
        """Encode what is new and bring the index up to date, so that the next request needn't."""
        self._current(progress)

    def organisation(self) -> Organisation:
        """Return the names that are known here."""
        return self._current().names

    def population(self) -> Population:
        """Return all juniors as columns."""
        return self._current().population

    def askers(self, seniors: Sequence[Senior | None]) -> list[Asker]:
        """Return what the rules need to know of each of many."""
        return self._askers(seniors, self._current().lines)

    def rank(
        self,
        brief: Brief,
        senior: Senior | None,
        page_language: Language,
        at: datetime,
        aside: frozenset[JuniorId] = frozenset(),
        off: frozenset[str] = frozenset(),
        also: JuniorId | None = None,
    ) -> Ranking:
        """Rank everybody but those put aside for what a senior wants; the goals in the brief have been cleaned.

        `off` are rules that don't count here, beside those that the programme has switched off. `also` is in
        it however far their text is from the request and whatever the senior wished.
        """
        juniors, load, ranker = self._current(), self._store.slates.load(), self.ranker()
        population, index, goal = juniors.population, juniors.index, brief.text
        vector = self.encoder.encode([goal])[0]
        understood = understand(goal, page_language, vector, self._reader)
        if brief.level is not None:
            understood = replace(understood, level=brief.level)
        wanted = self._known_needs.read_with(vector[None])[0] if self._known_needs else vector
        likeness = index.compare(goal, wanted)
        off |= self._store.facts.programme().rules_off
        excluded = excluded_by(population, self._asker(senior, juniors.lines), load, off)
        unwished = ~permitted(population, brief.wishes)
        texts = text_features(likeness)
        possible = (excluded == ELIGIBLE) & ~unwished & ~population.mask(set(aside))
        places = _best(ranker.text_score(texts), possible)
        if also in population.position and excluded[population.position[also]] == ELIGIBLE:
            places = np.union1d(places, [population.position[also]])
        offers = brief.gives_back or (senior.offers if senior else "")
        asked = Circumstances(
            senior,
            understood.language,
            load,
            competences=self._reader.named(vector[None])[0] if self._reader else None,
            level=understood.level,
            offers=self.encoder.encode([offers])[0] if offers else None,
            ratings=self._store.outcomes.ratings(),
        )
        features = np.hstack([texts[places], fit_features(population, asked, places)])
        spoken = Words.needed(brief.wishes)
        words = Words(dict(zip(spoken, self.encoder.encode(spoken), strict=True)) if spoken else {})
        moved = added(population, index, brief.wishes, words, load, places)
        scores = ranker.score(features) + sum(moved.values(), np.zeros(len(places)))
        order = np.lexsort((places, -scores))
        return Ranking(
            Request(RequestId(uuid.uuid4().hex), senior.id if senior else None, goal, understood, at),
            brief,
            senior,
            ranker,
            juniors,
            likeness,
            places[order],
            features[order],
            {name: values[order] for name, values in moved.items()},
            scores[order],
            excluded,
            unwished,
            aside,
        )

    def rules(self) -> frozenset[str]:
        """Return the names of all hard rules."""
        return frozenset(RULES)

    def allowed(self, seniors: Sequence[Senior | None], junior_ids: Sequence[str]) -> NDArray[np.bool_]:
        """Return whom no rule excludes for whom, shape ``(n_seniors, n_juniors)``; nobody for None."""
        juniors, load, off = self._current(), self._store.slates.load(), self._store.facts.programme().rules_off
        population, known = juniors.population, [each in juniors.population.position for each in junior_ids]
        places = [population.position[each] for each in junior_ids if each in population.position]
        found = np.zeros((len(seniors), len(junior_ids)), dtype=bool)
        for row, asker in enumerate(self._askers(seniors, juniors.lines)):
            if asker.senior is not None:
                found[row, known] = excluded_by(population, asker, load, off)[places] == ELIGIBLE
        return found

    def slate(self, ranking: Ranking, k: int, *, explore: bool = False, also: JuniorId | None = None) -> Slate:
        """Return the first `k` of a ranking with reasons, and `also` if that is lower; `explore` shuffles a little."""
        scores, request, likeness = ranking.scores[:k], ranking.request, ranking.likeness
        order, propensities = explored_order(scores, request.id) if explore else order_by_score(scores)
        extra = ranking.row_of(also) if also is not None else None
        if extra is not None and extra >= k:
            order, propensities = np.append(order, extra), np.append(propensities, 1.0)
        left_out = counts(ranking.excluded)
        wished = int((ranking.unwished & (ranking.excluded == ELIGIBLE)).sum())
        return Slate(
            id=SlateId(uuid.uuid4().hex),
            request=request,
            model_id=ranking.ranker.id,
            encoder_id=self.encoder.id,
            intercept=ranking.ranker.intercept,
            suggestions=self._suggestions(ranking, order, propensities),
            excluded=left_out | ({WISHED: wished} if wished else {}),
            doubtful=self._doubt_below is not None and float(likeness.whole.max(initial=-1)) < self._doubt_below,
            explored=explore,
        )

    def question(self, ranking: Ranking, asked: Sequence[str], goal_number: int) -> Question | None:
        """Return the question that helps most now, or None where none is worth asking."""
        play = ranking.in_play(beyond=SHOWN)
        wishes = ranking.juniors.population.wishes[play.places]
        exchange = None
        if wishes.size and wishes.any():
            texts = [say(f"offer.{each}", ranking.request.understood.language) for each in OFFERS]
            exchange = (wishes @ self.encoder.encode(texts).T).astype(np.float64)
        return best_question(play, ranking.brief, ranking.senior, asked, goal_number, exchange)

    def critiques(self, ranking: Ranking, language: Language) -> list[Wish]:
        """Return wishes that would show other people, for chips."""
        return useful(ranking.in_play(), ranking.brief.wishes, ranking.senior, language)

    def able(self) -> tuple[tuple[str, ...], NDArray[np.bool_]]:
        """Return the codes, and which juniors who may be suggested can explain each, shape ``(n_juniors, n_codes)``."""
        if self._reader is None:
            return (), np.zeros((0, 0), dtype=bool)
        people = self._current().population
        usable = people.active & people.consent
        return self._reader.codes, people.competences[usable] >= self._reader.manifest.threshold

    def _suggestions(
        self, ranking: Ranking, order: NDArray[np.int64], propensities: NDArray[np.float64]
    ) -> tuple[Suggestion, ...]:
        rows = order.tolist()
        ranker, juniors = ranking.ranker, ranking.juniors
        contributions = [ranking.contributions(row) for row in rows]
        best = max((explain.text_part(each) for each in contributions), default=0.0)
        shown = [int(ranking.places[row]) for row in rows]
        evidence = explain.evidence(ranking.request.text, juniors.index, ranking.likeness, ranker, shown)
        found = []
        for number, (row, place) in enumerate(zip(rows, shown, strict=True)):
            junior = juniors.population.juniors[place]
            values = dict(zip(FEATURES, map(float, ranking.features[row]), strict=True))
            found.append(
                Suggestion(
                    rank=number + 1,
                    junior_id=junior.id,
                    name=junior.name,
                    score=float(ranking.scores[row]),
                    contributions=contributions[number],
                    values=values,
                    evidence=evidence[number],
                    minus=explain.minus(values, contributions[number], ranker, best),
                    propensity=float(propensities[number]),
                )
            )
        return tuple(found)

    def _asker(self, senior: Senior | None, lines: ReportingLines) -> Asker:
        if senior is None:
            return Asker(None)
        people, slates = self._store.people, self._store.slates
        return Asker(
            senior,
            reports=lines.of(senior.id),
            forbidden=frozenset(people.forbidden_for(SeniorId(senior.id))),
            already_matched=frozenset(slates.paired_with(SeniorId(senior.id))),
            rejected=frozenset(slates.rejected_for(SeniorId(senior.id))),
        )

    def _askers(self, seniors: Sequence[Senior | None], lines: ReportingLines) -> list[Asker]:
        """Return what the rules need to know of many, read at once."""
        forbidden, paired = self._store.people.forbidden(), self._store.slates.paired()
        rejected, nobody = self._store.slates.rejected(), frozenset[str]()
        return [
            Asker(None)
            if each is None
            else Asker(
                each,
                lines.of(each.id),
                forbidden.get(each.id, nobody),
                paired.get(each.id, nobody),
                rejected.get(each.id, nobody),
            )
            for each in seniors
        ]

    def _current(self, progress: Progress | None = None) -> _Searchable:
        """Return the index of today's profiles; rebuild it when a profile has changed."""
        version = self._store.people.version()
        held = self._searchable
        if held is not None and held.version == version:
            return held
        with self._building:
            version = self._store.people.version()
            if self._searchable is None or self._searchable.version != version:
                self._searchable = self._build(version, progress)
            return self._searchable

    def _build(self, version: int, progress: Progress | None) -> _Searchable:
        juniors, statements = self._store.people.juniors(), self._store.people.statements()
        texts = [junior.text for junior in juniors]
        wishes = [junior.wants for junior in juniors]
        parts = [texts, [each.text for each in statements], wishes]
        vectors = self._encoded([text for part in parts for text in part], progress)
        of_texts, of_statements, of_wishes = np.split(vectors, np.cumsum([len(part) for part in parts[:-1]]))
        of_wishes[[not wish for wish in wishes]] = 0
        index = ProfileIndex([junior.id for junior in juniors], texts, of_texts, statements, of_statements)
        competences = index.best_of(self._reader.chances(of_statements)) if self._reader else None
        styles = index.best_of(_log_odds(self._styles.styles(of_statements))) if self._styles else None
        lines = ReportingLines(self._store.people.managers())
        styles = None if styles is None else column_standardised(styles)
        population = Population.of(juniors, competences, of_wishes, styles)
        # Who takes no part can't be asked about: that is nobody's business.
        people = People((each.id, each.name) for each in population.juniors if each.active and each.consent)
        names = Organisation(tuple(population.sites), tuple(population.departments), people)
        return _Searchable(version, population, index, lines, names)

    def _encoded(self, texts: Sequence[str], progress: Progress | None = None) -> NDArray[np.float32]:
        """Return vectors of shape ``(len(texts), dim)``; only texts that are new to this encoder are encoded."""
        encoder, stored = self.encoder, self._store.vectors
        by_hash = {content_hash(text): text for text in texts}
        known = stored.known(encoder.id, encoder.dim, list(by_hash) if len(by_hash) < FEW else None)
        new = [each for each in by_hash if each not in known]
        if new:
            fresh = encoder.encode([by_hash[each] for each in new], progress)
            stored.put(encoder.id, new, fresh)
            known |= dict(zip(new, fresh, strict=True))
        return np.stack([known[content_hash(text)] for text in texts])


FEW = 50
"""Texts that are looked up one by one; for more, all vectors of the encoder are read at once."""


def _log_odds(chances: NDArray[np.float64]) -> NDArray[np.float64]:
    clipped = np.clip(chances, 1e-4, 1 - 1e-4)
    found: NDArray[np.float64] = np.log(clipped / (1 - clipped))
    return found


def _best(text_scores: NDArray[np.float64], eligible: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return the places of the eligible with the best text scores, at most `SHORTLIST`, in the order of the places."""
    places = np.flatnonzero(eligible)
    if len(places) > SHORTLIST:
        places = places[np.argpartition(-text_scores[places], SHORTLIST)[:SHORTLIST]]
    return np.sort(places)
