"""Rounds: match a whole group at once. Gather, draft, lock the good pairs, run the rest again, publish.

Nobody is told before publication. Each step is kept with what it changed and can be taken back; each says which version
of the round it was decided on, so that two coordinators never overwrite each other unseen.
"""

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from recommender.dialogue.brief import Brief
from recommender.dialogue.state import state_of
from recommender.domain import JuniorId, RoundId, Senior, SeniorId, Slate
from recommender.errors import InputRefused, RuleBroken
from recommender.letters import language_for
from recommender.matching import Aim, Edges, Problem, Solution, solve
from recommender.matching.solver import GRID
from recommender.pairing import Invitation, Pairing
from recommender.questions import TEMPERATURE
from recommender.recommending import Recommender
from recommender.rule_check import Violation, violations
from recommender.store import Store
from recommender.store import rounds as kept
from recommender.store.rounds import DraftPair, Options, Round, Taker
from recommender.store.steps import Done, Step, StepId
from recommender.text import clean_text
from recommender.weights import Progress

CANDIDATES = 50
"""Juniors that are kept for each senior: enough for everybody to have somebody when many want the same people."""

MOST_NAME = 80

_NO_EDGES = np.zeros(0, np.int32), np.zeros(0, np.int32), np.zeros(0)


@dataclass(frozen=True)
class Draft:
    """How a round stands. `left_over` are those without a junior, `violations` what stands in the way of publishing."""

    round: Round
    takers: tuple[Taker, ...]
    pairs: tuple[DraftPair, ...]
    left_over: tuple[SeniorId, ...]
    violations: tuple[Violation, ...]

    @property
    def quality(self) -> float:
        """The mean quality of the pairs; 0 without any."""
        return float(np.mean([each.quality for each in self.pairs])) if self.pairs else 0.0


class Rounds:
    """The use cases of whole-group matching.

    Parameters
    ----------
    store : Store
        The open database.
    recommender : Recommender
        What ranks.
    pairing : Pairing
        What asks both sides after publication.
    clock : callable
        Gives the time.
    """

    def __init__(self, store: Store, recommender: Recommender, pairing: Pairing, clock: Callable[[], datetime]) -> None:
        self._store, self._recommender, self._pairing, self._clock = store, recommender, pairing, clock

    def all(self) -> list[Round]:
        """Return all rounds, the newest first."""
        return self._store.rounds.all()

    def round(self, round_id: RoundId) -> Round:
        """Return one round."""
        return self._store.rounds.round(round_id)

    def options(self, aim: Aim | None = None, base: Options | None = None) -> Options:
        """Return what a new round starts from, or `base`, with another aim where given."""
        if base is None:
            programme = self._store.facts.programme()
            base = Options(minimum_quality=programme.minimum_quality, exchange_share=programme.exchange_share)
        return replace(base, aim=aim) if aim else base

    def gather(self, name: str, who: str, options: Options | None = None, progress: Progress | None = None) -> Draft:
        """Start a round with everybody who waits for somebody, and make the first draft.

        Who takes part is active, has given consent, has said what they want to learn, and has no pair and no choice
        that waits. Pairs that know each other are in it from the start, and locked.

        Raises
        ------
        InputRefused
            If the name is empty or too long, or nobody waits.
        """
        called = clean_text(name, MOST_NAME)
        if not called:
            raise InputRefused("round_name")
        at, known = self._clock(), self._store.rounds.known()
        wanted = self._wanted()
        if not wanted:
            raise InputRefused("round_nobody")
        since, slates, takers, first = self._store.rounds.waiting_since(), [], [], []
        for number, (senior, brief, aside) in enumerate(wanted):
            friend = known.get(senior.id)
            ranking = self._recommender.rank(brief, senior, language_for(senior), at, aside, also=friend)
            slate = self._recommender.slate(ranking, CANDIDATES, also=friend)
            slates.append(slate)
            takers.append(Taker(senior.id, slate.id, since.get(senior.id, at)))
            if friend is not None and ranking.row_of(friend) is not None:
                worth = quality_on(slate, friend, (options or self.options()).exchange_share)
                first.append(DraftPair(senior.id, friend, worth, True, "known"))
            if progress:
                progress(number + 1, len(wanted))
        self._store.slates.put(*slates, for_round=True)
        made = Round(RoundId(uuid.uuid4().hex), called, "draft", 1, options or self.options(), who, at)
        with self._store.steps.step("round_gathered", who, at, made.id) as step:
            kept.add(step, made, takers)
            kept.draft(step, made.id, self._fitting(first))
        return self.run(made.id, made.version, who)

    def draft(self, round_id: RoundId) -> Draft:
        """Return how a round stands, with every rule that its draft breaks now."""
        found, takers = self.round(round_id), self._store.rounds.takers(round_id)
        pairs = self._store.rounds.pairs(round_id)
        paired = {each.senior_id for each in pairs}
        left = tuple(each.senior_id for each in takers if each.senior_id not in paired)
        broken: list[Violation] = []
        if found.state == "draft":
            off = self._store.facts.programme().rules_off
            broken = violations([(each.senior_id, each.junior_id) for each in pairs], self._store.world(off))
        return Draft(found, tuple(takers), tuple(pairs), left, tuple(broken))

    def run(self, round_id: RoundId, version: int, who: str, options: Options | None = None) -> Draft:
        """Match everybody again but those in locked pairs, with other options where given."""
        chosen = options or self.round(round_id).options
        problem = self.problem(round_id, chosen)
        solution = solve(problem, chosen.aim, keep=self.as_drafted(round_id, problem, chosen.aim))
        held = {each.senior_id: each for each in self._store.rounds.pairs(round_id) if each.locked}
        quality = dict(zip(solution.senior.tolist(), solution.quality.tolist(), strict=True))
        pairs = []
        for senior, junior in zip(solution.senior.tolist(), solution.junior.tolist(), strict=True):
            senior_id, junior_id = SeniorId(problem.seniors[senior]), JuniorId(problem.juniors[junior])
            new = DraftPair(senior_id, junior_id, quality[senior], False, "solver")
            pairs.append(replace(held[senior_id], quality=quality[senior]) if senior_id in held else new)
        with self._store.steps.step("round_run", who, self._clock(), round_id) as step:
            kept.move(step, round_id, version, options=chosen)
            kept.draft(step, round_id, pairs)
        return self.draft(round_id)

    def lock(
        self, round_id: RoundId, version: int, who: str, senior_ids: Sequence[SeniorId], *, locked: bool = True
    ) -> None:
        """Keep the pairs of some seniors as they are when the rest is run again, or let them go again."""
        with self._store.steps.step(
            "round_locked" if locked else "round_unlocked", who, self._clock(), round_id
        ) as step:
            kept.move(step, round_id, version)
            for senior_id in senior_ids:
                step.update("round_pairs", {"round_id": round_id, "senior_id": senior_id}, {"locked": locked})

    def pair_by_hand(self, round_id: RoundId, version: int, who: str, senior_id: SeniorId, junior_id: JuniorId) -> None:
        """Put two together and lock them.

        Raises
        ------
        RuleBroken
            If a rule keeps them apart, with its name.
        """
        taker = next((each for each in self._store.rounds.takers(round_id) if each.senior_id == senior_id), None)
        if taker is None:
            raise InputRefused("round_not_in_it", id=senior_id)
        self._refuse([(senior_id, junior_id)])
        slate = self._store.slates.slate(taker.slate_id)
        if junior_id not in {each.junior_id for each in slate.suggestions}:
            slate = self.slate_with(senior_id, slate.request.text, junior_id)
        quality = quality_on(slate, junior_id, self.round(round_id).options.exchange_share)
        others = [each for each in self._store.rounds.pairs(round_id) if each.senior_id != senior_id]
        with self._store.steps.step("round_by_hand", who, self._clock(), round_id) as step:
            kept.move(step, round_id, version)
            step.update("round_people", {"round_id": round_id, "senior_id": senior_id}, {"slate_id": slate.id})
            room = self._junior_room(junior_id) - 1
            stay = _without_the_least(others, junior_id, room)
            kept.draft(step, round_id, [*stay, DraftPair(senior_id, junior_id, quality, True, "hand")])
            self._check(step, round_id, senior_id)

    def slate_with(self, senior_id: SeniorId, asked: str, junior_id: JuniorId) -> Slate:
        """Return and keep a slate for a senior that has one junior on it, whom their own wishes may have left out."""
        senior = self._store.people.senior(senior_id)
        brief = self.brief_of(senior, asked)
        ranking = self._recommender.rank(brief, senior, language_for(senior), self._clock(), also=junior_id)
        if ranking.row_of(junior_id) is None:
            name = self._store.people.junior(junior_id).name
            raise RuleBroken(ranking.rule_against(junior_id) or "gone", senior.name, name)
        slate = self._recommender.slate(ranking, CANDIDATES, also=junior_id)
        self._store.slates.put(slate, for_round=True)
        return slate

    def unpair(self, round_id: RoundId, version: int, who: str, senior_id: SeniorId) -> None:
        """Take a senior's junior out of the draft."""
        with self._store.steps.step("round_unpaired", who, self._clock(), round_id) as step:
            kept.move(step, round_id, version)
            step.delete("round_pairs", round_id=round_id, senior_id=senior_id)

    def publish(self, round_id: RoundId, version: int, who: str) -> StepId:
        """Make the draft real: places are taken, both sides of each pair are asked. All of it, or nothing.

        Raises
        ------
        RuleBroken
            If a pair breaks a rule by now; nothing has changed then.
        """
        at = self._clock()
        with self._store.steps.step("round_published", who, at, round_id) as step:
            kept.move(step, round_id, version, state="published", published_at=at)
            self._check(step, round_id)
            rows = step.rows(
                "SELECT d.senior_id, d.junior_id, p.slate_id FROM round_pairs d JOIN round_people p "
                "ON p.round_id = d.round_id AND p.senior_id = d.senior_id WHERE d.round_id = ? ORDER BY 1",
                round_id,
            )
            if not rows:
                raise InputRefused("round_empty")
            cards = self._store.slates.single_cards(step, [(slate_id, junior_id) for _, junior_id, slate_id in rows])
            invitations = [
                Invitation(card, SeniorId(senior_id), JuniorId(junior_id), round_id)
                for card, (senior_id, junior_id, _) in zip(cards, rows, strict=True)
            ]
            places = [(each.junior_id, each.senior_id, each.slate_id) for each in invitations]
            self._store.slates.match_many(step, places, who, at)
            self._pairing.invite_many(step, invitations, at)
            return step.id

    def discard(self, round_id: RoundId, version: int, who: str) -> None:
        """Put a draft away; nobody was told anything."""
        with self._store.steps.step("round_discarded", who, self._clock(), round_id) as step:
            kept.move(step, round_id, version, state="discarded")

    def undo(self, step_id: StepId, who: str) -> None:
        """Take one step back, whole."""

        def further(step: Step) -> None:
            for change in step.changes:
                if change.table in ("rounds", "round_pairs", "round_people"):
                    kept.touch(step, RoundId(change.key.get("round_id") or change.key["id"]))
                    return

        self._store.steps.undo(step_id, who, self._clock(), further)

    def history(self, round_id: RoundId, most: int = 20) -> list[Done]:
        """Return what was done in a round, the newest first."""
        return self._store.steps.recent(most, about=round_id)

    def problem(self, round_id: RoundId, options: Options) -> Problem:
        """Return a round as a matching problem, without candidates whom a rule has come to leave out.

        Notes
        -----
        A score is comparable for one senior only, so what the junior can do counts as a share of the best this senior
        could have: ``exp((score - best) / TEMPERATURE)``, without what the exchange added. What the junior gets back
        counts beside it, with `Options.exchange_share`.
        """
        takers, now = self._store.rounds.takers(round_id), self._clock()
        table = self._store.rounds.candidates(round_id)
        senior_ids = tuple(str(each.senior_id) for each in takers)
        locked = {each.senior_id: each.junior_id for each in self._store.rounds.pairs(round_id) if each.locked}
        candidates = table.column("junior_id").to_pylist()
        junior_ids = tuple(sorted({*candidates, *locked.values()}))
        place_of = {each: place for place, each in enumerate(senior_ids)}
        column_of = {each: place for place, each in enumerate(junior_ids)}
        senior = np.array([place_of[each] for each in table.column("senior_id").to_pylist()], dtype=np.int32)
        junior = np.array([column_of[each] for each in candidates], dtype=np.int32)
        share = options.exchange_share
        fit = _share_of_best(senior, *(table.column(name).to_numpy() for name in ("score", "exchanged")))
        quality = np.clip((1 - share) * fit + share * table.column("exchange").to_numpy(), 0, 1)
        people = {each.id: each for each in self._store.people.seniors()}
        allowed = self._recommender.allowed([people.get(SeniorId(each)) for each in senior_ids], junior_ids)[
            senior, junior
        ]
        found = Problem(
            seniors=senior_ids,
            juniors=(),
            edges=Edges(*_NO_EDGES),
            capacity=np.zeros(0, dtype=np.int64),
            waiting=np.array([max((now - each.waiting_since) / timedelta(days=1), 0) for each in takers]),
            waiting_weight=options.waiting_weight,
            balance_weight=options.balance_weight,
            minimum_quality=options.minimum_quality,
        )
        return replace(
            self.with_juniors(found, junior_ids),
            edges=Edges(senior[allowed], junior[allowed], quality[allowed]),
            locked=tuple((place_of[s], column_of[j]) for s, j in locked.items()),
        )

    def as_drafted(self, round_id: RoundId, problem: Problem, aim: Aim) -> Solution:
        """Return the draft as it stands, whoever made it, as a matching of the problem."""
        column = {each: place for place, each in enumerate(problem.juniors)}
        held = {each.senior_id: each for each in self._store.rounds.pairs(round_id)}
        rows = [
            (place, column[held[SeniorId(each)].junior_id], held[SeniorId(each)])
            for place, each in enumerate(problem.seniors)
            if each in held and held[SeniorId(each)].junior_id in column
        ]
        senior = np.array([place for place, _, _ in rows], dtype=np.int32)
        junior = np.array([place for _, place, _ in rows], dtype=np.int32)
        quality = problem.quality_of(senior, junior)
        locked = np.array([each.locked for _, _, each in rows], dtype=bool)
        return Solution(aim, senior, junior, quality, locked, float(quality.sum()), GRID, len(problem.seniors))

    def with_juniors(self, problem: Problem, junior_ids: Sequence[str]) -> Problem:
        """Return a problem that knows more juniors, with the places of each as they are now; new ones come last."""
        ids = (*problem.juniors, *sorted(set(junior_ids) - set(problem.juniors)))
        juniors, load = {each.id: each for each in self._store.people.juniors()}, self._store.slates.load()
        taken = np.array([load.get(each, 0) for each in ids], dtype=np.int64)
        places = [juniors[JuniorId(each)].capacity if each in juniors else 0 for each in ids]
        free = np.maximum(np.array(places, dtype=np.int64) - taken, 0)
        return replace(problem, juniors=ids, capacity=free, taken=taken, room=np.zeros(0, dtype=np.int64))

    # What a round is made of

    def _wanted(self) -> list[tuple[Senior, Brief, frozenset[JuniorId]]]:
        """Return who waits for somebody, with what they want and whom they have put aside."""
        kept = self._store.rounds
        elsewhere, asked, found = kept.busy() | kept.content(), kept.asked(), []
        for senior in self._store.people.seniors():
            if not (senior.active and senior.consent) or senior.id in elsewhere:
                continue
            brief, aside = self._told(senior, asked.get(senior.id, ""))
            if brief.text:
                found.append((senior, brief, aside))
        return found

    def brief_of(self, senior: Senior, asked: str) -> Brief:
        """Return what a senior wants, as their last conversation says it, their last request, or their profile."""
        return self._told(senior, asked)[0]

    def _told(self, senior: Senior, asked: str) -> tuple[Brief, frozenset[JuniorId]]:
        """Return what a senior wants, and the juniors whom they have put aside."""
        talk = self._store.conversations.latest_of(senior.id)
        if talk:
            state = state_of(self._store.conversations.turns(talk))
            if state.brief.text:
                return state.brief, state.refused
        words = asked or senior.text
        return Brief((words,)) if any(each.isalnum() for each in words) else Brief(), frozenset()

    def _fitting(self, pairs: Sequence[DraftPair]) -> list[DraftPair]:
        """Return those that break no rule together: two may know the same junior, who has one place."""
        off = self._store.facts.programme().rules_off
        now, good = self._store.world(off), list[DraftPair]()
        for each in pairs:
            together = [*good, each]
            if not violations([(pair.senior_id, pair.junior_id) for pair in together], now):
                good = together
        return good

    def _junior_room(self, junior_id: JuniorId) -> int:
        return self._store.people.junior(junior_id).capacity - self._store.slates.load().get(junior_id, 0)

    def _check(self, step: Step, round_id: RoundId, senior_id: SeniorId | None = None) -> None:
        """Refuse when a pair of the draft, or the one of this senior, breaks a rule."""
        rows = step.rows("SELECT senior_id, junior_id FROM round_pairs WHERE round_id = ? ORDER BY 1", round_id)
        self._refuse(rows, step, senior_id)

    def _refuse(
        self, pairs: Sequence[tuple[str, str]], step: Step | None = None, senior_id: SeniorId | None = None
    ) -> None:
        now = self._store.world(self._store.facts.programme().rules_off, step)
        broken = [each for each in violations(pairs, now) if senior_id in (None, each.senior_id)]
        if broken:
            raise RuleBroken.by(broken, now.seniors, now.juniors)


def _without_the_least(pairs: Sequence[DraftPair], junior_id: JuniorId, room: int) -> list[DraftPair]:
    """Return pairs of which at most `room` are with one junior: those that may move and are worth least go."""
    theirs = [each for each in pairs if each.junior_id == junior_id]
    loose = sorted((each for each in theirs if not each.locked), key=lambda each: each.quality)
    gone = {each.senior_id for each in loose[: max(len(theirs) - room, 0)]}
    return [each for each in pairs if each.senior_id not in gone]


def quality_on(slate: Slate, junior_id: JuniorId, share: float) -> float:
    """Return the quality of one candidate of a slate, as `Rounds.problem` counts it."""
    rows = slate.suggestions
    scores = np.array([each.score for each in rows])
    exchanged = np.array([each.contributions["exchange"] for each in rows])
    place = next(place for place, each in enumerate(rows) if each.junior_id == junior_id)
    fit = _share_of_best(np.zeros(len(rows), dtype=np.int32), scores, exchanged)[place]
    return float(np.clip((1 - share) * fit + share * rows[place].values["exchange"], 0, 1))


def _share_of_best(
    senior: NDArray[np.int32], score: NDArray[np.float64], exchanged: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return how good each candidate is beside the best of the same senior, in (0, 1]."""
    own = score - exchanged
    best = np.full(int(senior.max(initial=-1)) + 1, -np.inf)
    np.maximum.at(best, senior, own)
    shares: NDArray[np.float64] = np.exp((own - best[senior]) / TEMPERATURE)
    return shares
