"""The coordinator's decisions about choices that wait: one or many at once, each a step that can be taken back."""

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from recommender.domain import Decision, JuniorId, SeniorId, SlateId
from recommender.errors import Conflict, InputRefused, RuleBroken
from recommender.letters import first_name
from recommender.pairing import Invitation, Pairing
from recommender.post import Post
from recommender.recommending import Recommender
from recommender.rounds import Rounds
from recommender.rule_check import violations
from recommender.store import Store
from recommender.store.notes import QUESTION, REMARK, Note
from recommender.store.slates import Choice
from recommender.store.steps import Done, Step, StepId
from recommender.text import clean_text

MOST_NOTE = 2_000
DECISIONS = ("review_approved", "review_rejected", "review_reassigned")

IN_A_ROW = 8
"""Approvals without a single rejection among them, after which it is worth asking whether they are still read."""
AT_LEAST = timedelta(seconds=15)
"""Reading a request and a profile takes longer than this."""


@dataclass(frozen=True)
class Pace:
    """How fast somebody approves: how many in a row without a rejection, and how long one took, the middle one."""

    approved: int
    middle: timedelta

    @property
    def stamping(self) -> bool:
        """Whether it looks as if nothing is read any more."""
        return self.approved >= IN_A_ROW and self.middle < AT_LEAST


@dataclass(frozen=True)
class Batch:
    """What was decided at once."""

    step: Done
    choices: tuple[Choice, ...]


class Reviewing:
    """The use cases of the review queue.

    Parameters
    ----------
    store : Store
        The open database.
    recommender : Recommender
        What ranks.
    rounds : Rounds
        Rounds of whole-group matching, which also make slates with somebody in particular.
    pairing : Pairing
        What asks both sides once a choice is approved.
    post : Post
        Takes a coordinator's question to the senior.
    clock : callable
        Gives the time.
    """

    def __init__(
        self,
        store: Store,
        recommender: Recommender,
        rounds: Rounds,
        pairing: Pairing,
        post: Post,
        clock: Callable[[], datetime],
    ) -> None:
        self._store, self._recommender, self._rounds = store, recommender, rounds
        self._pairing, self._post, self._clock = pairing, post, clock

    def waiting(self) -> list[Choice]:
        """Return choices that wait for a decision, oldest first."""
        return self._store.slates.choices(waiting=True)

    def decided(self) -> list[Choice]:
        """Return choices that were decided, newest first."""
        return self._store.slates.choices(waiting=False)

    def approve(
        self, slate_ids: Sequence[SlateId], who: str, note: str = "", seen: Mapping[SlateId, JuniorId] | None = None
    ) -> StepId:
        """Approve choices: each takes a place of its junior, and both sides are invited. All of them, or none.

        `seen` is whom the coordinator had on screen, where that is to be held against what the senior wants by now.

        Raises
        ------
        Conflict
            If somebody decided before, a choice was undone, or a junior has no place left.
        RuleBroken
            If a hard rule has come between two who were free to meet when the senior chose.
        """
        at, words = self._clock(), clean_text(note, MOST_NOTE)
        with self._store.steps.step("review_approved", who, at, _about(slate_ids)) as step:
            self._check(step, slate_ids, seen or {})
            invitations = []
            for slate_id in _some(slate_ids):
                senior_id = _senior(step, slate_id)
                junior_id = self._store.slates.decide(step, slate_id, Decision.APPROVED, "", words, who, at)
                if senior_id is not None:
                    invitations.append(Invitation(slate_id, senior_id, junior_id))
            self._pairing.invite_many(step, invitations, at)
            return step.id

    def reject(
        self,
        slate_ids: Sequence[SlateId],
        who: str,
        reason: str,
        note: str = "",
        seen: Mapping[SlateId, JuniorId] | None = None,
    ) -> StepId:
        """Reject choices, all for one reason, which is required: it teaches the ranker. `seen` as for `approve`."""
        if not reason:
            raise InputRefused("reason_required")
        at, words = self._clock(), clean_text(note, MOST_NOTE)
        with self._store.steps.step("review_rejected", who, at, _about(slate_ids)) as step:
            for slate_id in _some(slate_ids):
                _same_choice(step, slate_id, seen or {})
                self._store.slates.decide(step, slate_id, Decision.REJECTED, reason, words, who, at)
            return step.id

    def reassign(self, slate_id: SlateId, junior_id: JuniorId, who: str, reason: str, note: str = "") -> StepId:
        """Give the senior another junior than they chose; the reason against the first is required.

        The senior is invited as for any pair, so nobody is put with somebody they don't want.

        Raises
        ------
        RuleBroken
            If a hard rule keeps the two apart.
        """
        if not reason:
            raise InputRefused("reason_required")
        at, words = self._clock(), clean_text(note, MOST_NOTE)
        choice = self._store.slates.choice(slate_id)
        if choice is None or choice.slate.request.senior_id is None:
            raise Conflict("choice_gone")
        senior_id = choice.slate.request.senior_id
        slate = choice.slate
        if junior_id not in {each.junior_id for each in slate.suggestions}:
            slate = self._rounds.slate_with(senior_id, slate.request.text, junior_id)
        with self._store.steps.step("review_reassigned", who, at, slate_id) as step:
            _same_choice(step, slate_id, {slate_id: choice.junior_id})
            self._store.slates.decide(step, slate_id, Decision.REJECTED, reason, words, who, at)
            self._keep_rules(step, [(senior_id, junior_id)])
            card = self._store.slates.single_cards(step, [(slate.id, junior_id)])[0]
            self._store.slates.match_many(step, [(junior_id, senior_id, card)], who, at)
            self._pairing.invite(step, card, senior_id, junior_id, at)
            return step.id

    def invite_next(self, pair_id: str, junior_id: JuniorId, who: str) -> StepId:
        """Invite a senior with another junior, after the one of an earlier pair said no, left or stopped.

        Raises
        ------
        Conflict
            If the pair still runs, or the junior has no place left.
        RuleBroken
            If a hard rule keeps the two apart.
        """
        pair, at = self._pairing.pair(pair_id), self._clock()
        if pair.open:
            raise Conflict("pair_still_runs")
        slate = self._rounds.slate_with(pair.senior_id, self._store.slates.slate(pair.slate_id).request.text, junior_id)
        with self._store.steps.step("pair_next", who, at, pair_id) as step:
            self._keep_rules(step, [(pair.senior_id, junior_id)])
            card = self._store.slates.single_cards(step, [(slate.id, junior_id)])[0]
            self._store.slates.match_many(step, [(junior_id, pair.senior_id, card)], who, at)
            self._pairing.invite(step, card, pair.senior_id, junior_id, at)
            return step.id

    def remark(self, slate_id: SlateId, who: str, text: str) -> None:
        """Keep a note about a choice, for coordinators only."""
        self._write(slate_id, who, text, REMARK)

    def ask(self, slate_id: SlateId, who: str, text: str) -> None:
        """Ask the senior something before deciding; they see it on their page and get a letter about it."""
        self._write(slate_id, who, text, QUESTION)

    def answer(self, note_id: str, senior_id: SeniorId, text: str) -> None:
        """Keep what a senior answers to a coordinator's question; another answer replaces it."""
        words = _words(text)
        with self._store.steps.step("question_answered", senior_id, self._clock(), note_id) as step:
            found = step.found("notes", id=note_id, kind=QUESTION)
            if not found or _senior(step, found[0]["slate_id"]) != senior_id:
                raise InputRefused("question_unknown", id=note_id)
            step.update("notes", {"id": note_id}, {"answer": words})

    def notes(self, slate_id: SlateId) -> list[Note]:
        """Return notes and questions about a choice, oldest first."""
        return self._store.notes.about(slate_id)

    def questions_for(self, senior_id: SeniorId) -> list[Note]:
        """Return what coordinators have asked a senior about choices that still wait."""
        return self._store.notes.asked_of(senior_id)

    def undo(self, step_id: StepId, who: str) -> None:
        """Take a decision back, or a whole batch of them: the choices wait again, and there was nothing to rate.

        Raises
        ------
        Conflict
            If something came of it since: an invitation left or was answered.
        """

        def unrated(step: Step) -> None:
            for change in self._store.steps.changes(step_id):
                if change.table == "reviews" and change.before is None:
                    step.delete("outcomes", slate_id=change.key["slate_id"])

        self._store.steps.undo(step_id, who, self._clock(), unrated)

    def recent(self, most: int) -> list[Batch]:
        """Return what was decided lately and still stands, the newest first, batch by batch."""
        found = []
        for done in self._store.steps.recent(most, kinds=DECISIONS):
            slates = [each.key["slate_id"] for each in self._store.steps.changes(done.id) if each.table == "reviews"]
            choices = [self._store.slates.choice(SlateId(each)) for each in slates]
            if not done.undone:
                found.append(Batch(done, tuple(each for each in choices if each is not None)))
        return found

    def pace(self, who: str) -> Pace:
        """Return how fast somebody has been approving."""
        rows = self._store.slates.decisions_of(who, IN_A_ROW * 2)
        row = []
        for decision, at in rows:
            if decision is not Decision.APPROVED:
                break
            row.append(at)
        steps = sorted(after - before for after, before in pairwise(row))
        return Pace(len(row), steps[len(steps) // 2] if steps else timedelta.max)

    def candidates(self, choice: Choice) -> list[JuniorId]:
        """Return whom else the senior could get, best first: from the same slate, free and allowed now."""
        senior_id = choice.slate.request.senior_id
        if senior_id is None:
            return []
        others = [each.junior_id for each in choice.slate.suggestions if each.junior_id != choice.junior_id]
        allowed = self._recommender.allowed([self._store.people.senior(senior_id)], others)[0]
        return [each for each, may in zip(others, allowed, strict=True) if may]

    def _write(self, slate_id: SlateId, who: str, text: str, kind: str) -> None:
        words, at = _words(text), self._clock()
        with self._store.steps.step(f"note_{kind}", who, at, slate_id) as step:
            note_id = uuid.uuid4().hex
            row = {"id": note_id, "slate_id": slate_id, "kind": kind, "who": who, "text": words, "answer": ""}
            step.insert("notes", [row | {"happened_at": at}])
            senior_id = _senior(step, slate_id)
            if kind == QUESTION and senior_id is not None:
                senior = self._store.people.senior(senior_id)
                values = {"name": first_name(senior)}
                self._post.queue(step, f"question/{note_id}", senior, "information", values, at)

    def _check(self, step: Step, slate_ids: Sequence[SlateId], seen: Mapping[SlateId, JuniorId]) -> None:
        """Refuse approvals that break a rule now. Their own waiting choices hold the places they ask for."""
        pairs = []
        for slate_id in slate_ids:
            if step.found("reviews", slate_id=slate_id):
                raise Conflict("already_decided")
            _same_choice(step, slate_id, seen)
            for choice in step.found("choices", slate_id=slate_id):
                if choice["senior_id"] is not None:
                    pairs.append((choice["senior_id"], choice["junior_id"]))
        self._keep_rules(step, pairs, passed_over=("full", "senior_busy"))

    def _keep_rules(self, step: Step, pairs: Sequence[tuple[str, str]], passed_over: Sequence[str] = ()) -> None:
        now = self._store.world(self._store.facts.programme().rules_off, step)
        broken = [each for each in violations(pairs, now) if each.rule not in passed_over]
        if broken:
            raise RuleBroken.by(broken, now.seniors, now.juniors)


def _some(slate_ids: Sequence[SlateId]) -> Sequence[SlateId]:
    if not slate_ids:
        raise InputRefused("nothing_chosen")
    return slate_ids


def _about(slate_ids: Sequence[SlateId]) -> str:
    return slate_ids[0] if len(slate_ids) == 1 else ""


def _same_choice(step: Step, slate_id: SlateId, seen: Mapping[SlateId, JuniorId]) -> None:
    """Refuse when the senior has chosen somebody else than the coordinator saw."""
    for choice in step.found("choices", slate_id=slate_id):
        if choice["junior_id"] != seen.get(slate_id, choice["junior_id"]):
            raise Conflict("choice_changed")


def _senior(step: Step, slate_id: str) -> SeniorId | None:
    found = step.found("choices", slate_id=slate_id)
    return found[0]["senior_id"] if found else None


def _words(text: str) -> str:
    words = clean_text(text, MOST_NOTE)
    if not any(each.isalnum() for each in words):
        raise InputRefused("note_empty")
    return words
