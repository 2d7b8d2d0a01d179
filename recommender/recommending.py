"""One request, ranked: understand, compare, leave out, score, order, explain. Reads the store, writes only vectors."""

import threading
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from recommender import explain
from recommender.competences import CompetenceReader
from recommender.domain import Request, RequestId, Senior, SeniorId, Slate, SlateId, Suggestion
from recommender.eligibility import ELIGIBLE, Asker, ReportingLines, counts, excluded_by
from recommender.encoder import Encoder
from recommender.features import FEATURES, Circumstances, fit_features, text_features
from recommender.index import Likeness, ProfileIndex
from recommender.known_needs import KnownNeeds
from recommender.population import Population
from recommender.ranker import AdditiveRanker
from recommender.slate_order import explored_order, order_by_score
from recommender.store import Store
from recommender.text import content_hash
from recommender.understanding import understand
from recommender.weights import Progress
from recommender.wording import Language

SHORTLIST = 1_000
"""Juniors, best by text, whose circumstances are looked at: far more than any slate, so that nobody near is missed."""

RankerInUse = Callable[[], AdditiveRanker]


@dataclass(frozen=True)
class _Searchable:
    """All juniors as of one version of the profiles."""

    version: int
    population: Population
    index: ProfileIndex
    lines: ReportingLines


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
    """

    def __init__(
        self,
        store: Store,
        encoder: Encoder,
        ranker: RankerInUse,
        reader: CompetenceReader | None = None,
        known_needs: KnownNeeds | None = None,
        doubt_below: float | None = None,
    ) -> None:
        self.encoder, self.ranker = encoder, ranker
        self._store, self._reader, self._known_needs, self._doubt_below = store, reader, known_needs, doubt_below
        self._searchable: _Searchable | None = None
        self._building = threading.Lock()

    def prepare(self, progress: Progress | None = None) -> None:
        """Encode what is new and bring the index up to date, so that the next request needn't."""
        self._current(progress)

    def slate(
        self, goal: str, senior: Senior | None, k: int, page_language: Language, at: datetime, *, explore: bool = False
    ) -> Slate:
        """Return the `k` juniors who fit a cleaned request best, with reasons; `explore` shuffles them a little."""
        juniors, load, ranker = self._current(), self._store.slates.load(), self.ranker()
        population, index = juniors.population, juniors.index
        vector = self.encoder.encode([goal])[0]
        understood = understand(goal, page_language, vector, self._reader)
        request = Request(RequestId(uuid.uuid4().hex), senior.id if senior else None, goal, understood, at)
        wanted = self._known_needs.read_with(vector[None])[0] if self._known_needs else vector
        likeness = index.compare(goal, wanted)
        excluded = excluded_by(population, self._asker(senior, juniors.lines), load)
        texts = text_features(likeness)
        places = _best(ranker.text_score(texts), excluded == ELIGIBLE)
        asked = Circumstances(
            senior,
            understood.language,
            load,
            competences=self._reader.named(vector[None])[0] if self._reader else None,
            level=understood.level,
            offers=self._encoded([senior.offers])[0] if senior and senior.offers else None,
            ratings=self._store.outcomes.ratings(),
        )
        features = np.hstack([texts[places], fit_features(population, asked, places)])
        scores = ranker.score(features)
        best = np.lexsort((places, -scores))[:k]
        order, propensities = explored_order(scores[best], request.id) if explore else order_by_score(scores[best])
        shown = best[order]
        return Slate(
            id=SlateId(uuid.uuid4().hex),
            request=request,
            model_id=ranker.id,
            encoder_id=self.encoder.id,
            intercept=ranker.intercept,
            suggestions=self._suggestions(
                goal, ranker, places[shown], features[shown], scores[shown], propensities, likeness, juniors
            ),
            excluded=counts(excluded),
            doubtful=self._doubt_below is not None and float(likeness.whole.max(initial=-1)) < self._doubt_below,
            explored=explore,
        )

    def able(self) -> tuple[tuple[str, ...], NDArray[np.bool_]]:
        """Return the codes, and which juniors who may be suggested can explain each, shape ``(n_juniors, n_codes)``."""
        if self._reader is None:
            return (), np.zeros((0, 0), dtype=bool)
        people = self._current().population
        usable = people.active & people.consent
        return self._reader.codes, people.competences[usable] >= self._reader.manifest.threshold

    def _suggestions(
        self,
        goal: str,
        ranker: AdditiveRanker,
        places: NDArray[np.int64],
        features: NDArray[np.float64],
        scores: NDArray[np.float64],
        propensities: NDArray[np.float64],
        likeness: Likeness,
        juniors: _Searchable,
    ) -> tuple[Suggestion, ...]:
        added = [dict(zip(FEATURES, map(float, row), strict=True)) for row in ranker.contributions(features)]
        best = max((explain.text_part(each) for each in added), default=0.0)
        evidence = explain.evidence(goal, juniors.index, likeness, ranker, places.tolist())
        found = []
        for row, (place, contributions) in enumerate(zip(places, added, strict=True)):
            junior = juniors.population.juniors[place]
            values = dict(zip(FEATURES, map(float, features[row]), strict=True))
            found.append(
                Suggestion(
                    rank=row + 1,
                    junior_id=junior.id,
                    name=junior.name,
                    score=float(scores[row]),
                    contributions=contributions,
                    values=values,
                    evidence=evidence[row],
                    minus=explain.minus(values, contributions, ranker, best),
                    propensity=float(propensities[row]),
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
            already_matched=frozenset(slates.matched_with(SeniorId(senior.id))),
            rejected=frozenset(slates.rejected_for(SeniorId(senior.id))),
        )

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
        lines = ReportingLines(self._store.people.managers())
        return _Searchable(version, Population.of(juniors, competences, of_wishes), index, lines)

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


def _best(text_scores: NDArray[np.float64], eligible: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return the places of the eligible with the best text scores, at most `SHORTLIST`, in the order of the places."""
    places = np.flatnonzero(eligible)
    if len(places) > SHORTLIST:
        places = places[np.argpartition(-text_scores[places], SHORTLIST)[:SHORTLIST]]
    return np.sort(places)
