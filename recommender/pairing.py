"""What people do with a pair, from invitation to end. Each use case is one step, so all of it can be taken back."""

import uuid
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from recommender.domain import JuniorId, PairId, RoundId, SeniorId, Side, SlateId
from recommender.errors import Conflict, Forbidden, InputRefused
from recommender.pair import (
    AFTER,
    DECLINE_REASONS,
    END_REASONS,
    ENDED,
    LEFT,
    MEETING_MINUTES,
    OFF_REASONS,
    PAUSED,
    RATING,
    STARTED,
    YES,
    Agreement,
    CheckIn,
    Event,
    Meeting,
    MeetingState,
    Pair,
    PairState,
    answered,
    cancelled,
    check_ins_of,
    clash,
    fault_in,
    happened,
    moved_by_pause,
    open_check_ins,
    other,
)
from recommender.pair_letters import SIDES, due_letters
from recommender.pair_reads import PERSON_LEFT, PairReads
from recommender.store.pairs import RESUMED
from recommender.store.steps import Step, StepId
from recommender.text import clean_text

TELEMACHOS = "telemachos"
"""Who takes the steps that time brings."""
MOST_WORDS = 2000
"""Characters in one part of an agreement."""
MOST_PLACE = 200
NOT_NOW = {
    PairState.INVITED: "pair_invited",
    PairState.ACTIVE: "pair_active",
    PairState.PAUSED: "pair_paused",
    PairState.ENDED: "pair_ended",
    PairState.DECLINED: "pair_declined",
    PairState.EXPIRED: "pair_expired",
    PairState.WITHDRAWN: "pair_withdrawn",
}
"""What is said when something can't be done with a pair as it is: errors by state."""


@dataclass(frozen=True)
class Invitation:
    """Two people to be invited. The junior's place is taken in `matches` already."""

    slate_id: SlateId
    senior_id: SeniorId
    junior_id: JuniorId
    round_id: RoundId | None = None


class Pairing(PairReads):
    """The life of pairs; what can be seen of them comes from `PairReads`."""

    # Invitation

    def invite(
        self,
        step: Step,
        slate_id: SlateId,
        senior_id: SeniorId,
        junior_id: JuniorId,
        at: datetime,
        round_id: RoundId | None = None,
    ) -> Pair:
        """Invite two people, as a part of the step that brought them together."""
        return self.invite_many(step, [Invitation(slate_id, senior_id, junior_id, round_id)], at)[0]

    def invite_many(self, step: Step, invitations: Sequence[Invitation], at: datetime) -> list[Pair]:
        """Invite many at once; the pairs come back in the same order."""
        expires_at = at + timedelta(days=self._store.facts.programme().invitation_days)
        pairs = [
            Pair(
                PairId(uuid.uuid4().hex),
                each.slate_id,
                each.senior_id,
                each.junior_id,
                each.round_id,
                PairState.INVITED,
                at,
                expires_at,
            )
            for each in invitations
        ]
        self._store.pairs.add(step, pairs)
        self._letters.tell_many(step, pairs, "invitation", at, expires_at)
        return pairs

    def answer(self, pair_id: str, side: Side, yes: bool, who: str, reason: str = "") -> Pair:
        """Say yes or no to an invitation. The second yes starts the pair; a no frees the place.

        Raises
        ------
        Conflict
            If the invitation is over, or this side has answered.
        Forbidden
            If `who` isn't on that side.
        """
        _known(reason, ("", *DECLINE_REASONS))
        with self._step("pair_accepted" if yes else "pair_declined", pair_id, who) as (step, pair, now):
            _is(pair, side, who)
            if pair.state is PairState.INVITED and now >= pair.expires_at:
                raise Conflict("invitation_over")
            if pair.state is PairState.INVITED and pair.said(side):
                raise Conflict("answered_already")
            if pair.state is not PairState.INVITED:
                raise Conflict("answered_already" if pair.said(side) else "invitation_over")
            changed = answered(pair, side, yes, now, "" if yes else reason)
            self._store.pairs.save(step, changed)
            if side is Side.SENIOR:
                self._store.slates.answered(step, pair.slate_id, pair.junior_id, yes=yes, reason=reason, at=now)
            if changed.state is PairState.ACTIVE:
                weeks = self._store.facts.programme().check_in_weeks
                self._store.pairs.add_check_ins(step, check_ins_of(changed, weeks))
                self._letters.tell(step, changed, "started", now)
            elif changed.state is PairState.DECLINED:
                self._store.pairs.free_place(step, changed)
                self._letters.tell(step, changed, "declined", now, to=[other(side)])
        return changed

    def withdraw(self, pair_id: str, who: str) -> Pair:
        """Take an invitation back."""
        with self._step("pair_withdrawn", pair_id, who) as (step, pair, now):
            changed = self._close(step, pair, Event.WITHDRAW, now)
            self._letters.tell(step, changed, "withdrawn", now)
        return changed

    # Working together

    def agree(self, pair_id: str, side: Side, agreement: Agreement, who: str, seen: Agreement | None = None) -> Pair:
        """Agree to a text, or to one's own change of it: then the other is asked again.

        Parameters
        ----------
        pair_id, side, who : str
            Which pair, and who of it.
        agreement : Agreement
            The text to agree to.
        seen : Agreement, optional
            What was on the page before it was edited; left out where nothing was.

        Raises
        ------
        Conflict
            If the text has changed under one's eyes, or the two don't work together.
        """
        wanted = agreement.with_words([clean_text(each, MOST_WORDS) for each in agreement.words])
        if not any(wanted.words):
            raise InputRefused("agreement_empty")
        with self._step("pair_agreed", pair_id, who) as (step, pair, now):
            _is(pair, side, who)
            _works(pair)
            held = pair.agreement
            if held is not None and held.words not in {wanted.words, (seen or agreement).words}:
                raise Conflict("agreement_changed")
            if held is not None and held.words == wanted.words:
                changed = held.by(side, *(each for each in SIDES if held.agreed(each)))
            else:
                changed = wanted.by(side)
                if held is not None:
                    self._letters.tell(step, pair, "agreement_changed", now, to=[other(side)])
            pair = replace(pair, agreement=changed)
            self._store.pairs.save(step, pair)
        return pair

    def pause(self, pair_id: str, who: str, reason: str) -> Pair:
        """Let a pair rest. What was planned is off; what is due later moves when it goes on."""
        _known(reason, OFF_REASONS)
        with self._step("pair_paused", pair_id, who) as (step, pair, now):
            changed = _after(pair, Event.PAUSE, now, reason)
            self._store.pairs.save(step, changed)
            self._cancel_all(step, changed, now, PAUSED, SIDES)
            self._letters.tell(step, changed, "paused", now)
        return changed

    def resume(self, pair_id: str, who: str) -> Pair:
        """Go on after a pause: check-ins move by the time it took."""
        with self._step(RESUMED, pair_id, who) as (step, pair, now):
            changed = _after(pair, Event.RESUME, now)
            self._store.pairs.save(step, changed)
            for each in moved_by_pause(self._store.pairs.check_ins(pair_id, step), pair.paused_at or now, now):
                self._store.pairs.save_check_in(step, each)
            self._letters.tell(step, changed, "resumed", now)
        return changed

    def end(self, pair_id: str, who: str, reason: str) -> Pair:
        """End a pair; the place is free."""
        _known(reason, END_REASONS)
        with self._step("pair_ended", pair_id, who) as (step, pair, now):
            changed = self._close(step, pair, Event.END, now, reason)
            self._cancel_all(step, changed, now, ENDED, SIDES)
            self._letters.tell(step, changed, "ended", now)
        return changed

    def rematch(self, pair_id: str, who: str, reason: str = "no_fit") -> list[JuniorId]:
        """End a pair where it still works together, and return who else can be invited, the best first.

        Raises
        ------
        Conflict
            If an invitation is still open: that is taken back first.
        """
        state = self.pair(pair_id).state
        if state is PairState.INVITED:
            raise Conflict(NOT_NOW[state])
        if state in STARTED:
            self.end(pair_id, who, reason)
        return self.next_candidates(pair_id)

    def leave(self, person_id: str, who: str) -> list[Pair]:
        """Take somebody out of the programme: their pairs end, places are free, partners are told.

        Choices that wait stay for the coordinator.
        """
        now = self._clock()
        with self._store.steps.step(PERSON_LEFT, who, now, person_id) as step:
            self._store.pairs.deactivate(step, person_id)
            ended = []
            for pair in self._store.pairs.of(person_id, step):
                if not pair.open:
                    continue
                partner = [each for each in SIDES if pair.person(each) != person_id]
                changed = self._close(step, pair, Event.LEAVE, now, LEFT)
                self._cancel_all(step, changed, now, LEFT, partner)
                self._letters.tell(step, changed, "partner_left", now, to=partner)
                ended.append(changed)
        return ended

    # Meetings

    def plan(self, pair_id: str, starts_at: datetime, minutes: int, place: str, who: str) -> Meeting:
        """Plan a meeting; both get it for their calendars.

        Raises
        ------
        InputRefused
            If it is in the past, too short or too long.
        Conflict
            If the two have another at that time, or don't work together.
        """
        with self._step("meeting_planned", pair_id, who) as (step, pair, now):
            _active(pair)
            meeting = Meeting(uuid.uuid4().hex, pair.id, starts_at, minutes, clean_text(place, MOST_PLACE))
            if starts_at <= now:
                raise InputRefused("meeting_past", starts_at=_moment(starts_at))
            self._fits(step, meeting)
            self._store.pairs.add_meeting(step, meeting)
            self._letters.tell_meeting(step, pair, "meeting", meeting, now)
        return meeting

    def record(self, pair_id: str, starts_at: datetime, minutes: int, place: str, who: str) -> Meeting:
        """Write down a meeting that was held without being planned."""
        with self._step("meeting_held", pair_id, who) as (step, pair, now):
            _works(pair)
            if starts_at > now:
                raise InputRefused("meeting_to_come", starts_at=_moment(starts_at))
            place = clean_text(place, MOST_PLACE)
            meeting = Meeting(uuid.uuid4().hex, pair.id, starts_at, minutes, place, MeetingState.HELD)
            self._fits(step, meeting)
            self._store.pairs.add_meeting(step, meeting)
        return meeting

    def move(self, meeting_id: str, starts_at: datetime, minutes: int, place: str, who: str) -> Meeting:
        """Move a planned meeting; both get the new time."""
        with self._meeting_step("meeting_moved", meeting_id, who) as (step, pair, meeting, now):
            _active(pair)
            if starts_at <= now:
                raise InputRefused("meeting_past", starts_at=_moment(starts_at))
            moved = replace(meeting, starts_at=starts_at, minutes=minutes, place=clean_text(place, MOST_PLACE))
            moved = replace(moved, sequence=meeting.sequence + 1)
            self._fits(step, moved)
            self._store.pairs.save_meeting(step, moved)
            self._letters.tell_meeting(step, pair, "meeting_moved", moved, now)
        return moved

    def cancel(self, meeting_id: str, side: Side | None, reason: str, who: str) -> Meeting:
        """Cancel a meeting, or say afterwards that it didn't happen; `side` is None for a coordinator."""
        _known(reason, OFF_REASONS)
        with self._meeting_step("meeting_cancelled", meeting_id, who) as (step, pair, meeting, now):
            if side is not None:
                _is(pair, side, who)
            off = cancelled(meeting, side, reason)
            self._store.pairs.save_meeting(step, off)
            if meeting.ends_at > now:
                self._letters.tell_meeting(step, pair, "meeting_cancelled", off, now)
        return off

    def held(self, meeting_id: str, who: str) -> Meeting:
        """Say that a meeting was held."""
        with self._meeting_step("meeting_held", meeting_id, who) as (step, _, meeting, now):
            if meeting.starts_at > now:
                raise InputRefused("meeting_to_come", starts_at=_moment(meeting.starts_at))
            held = replace(meeting, state=MeetingState.HELD)
            self._store.pairs.save_meeting(step, held)
        return held

    # Check-ins

    def check_in(self, pair_id: str, week: int, side: Side, answers: Mapping[str, int], who: str) -> CheckIn:
        """Answer a check-in; again replaces. The mark, where given, goes to the outcomes and isn't kept here.

        Raises
        ------
        InputRefused
            If a question has no answer or one that isn't on its scale.
        Conflict
            If this check-in is over or still far away.
        """
        fault = fault_in(answers)
        if fault is not None:
            raise InputRefused("check_in_answer", number=fault)
        with self._step("check_in_answered", pair_id, who) as (step, pair, now):
            _is(pair, side, who)
            pairs = self._store.pairs
            found = [e for e in open_check_ins(pair, pairs.check_ins(pair_id, step), side, now) if e.week == week]
            if not found:
                raise Conflict("check_in_closed", week=week)
            told = {question: number for question, number in answers.items() if question != RATING}
            given = replace(found[0], answered_at=now, answers=told)
            pairs.save_check_in(step, given)
            if RATING in answers:
                pairs.rate(step, pair, side, answers[RATING], now)
        return given

    def undo(self, step_id: StepId, who: str) -> None:
        """Take one step back, whole.

        Raises
        ------
        Conflict
            If something came of it since: a letter left, or somebody went on.
        """
        self._store.steps.undo(step_id, who, self._clock())

    # What time brings

    def beat(self) -> int:
        """Do what is due by now and return how many pairs that touched; again, or at the same time, does no harm.

        Invitations expire, who hasn't answered is reminded halfway, and check-ins that are due are asked for.
        """
        return sum(self._beat(each) for each in self._due(self._clock()))

    def _due(self, now: datetime) -> list[PairId]:
        """Return the pairs for which there may be something to do."""
        made = self._store.pairs.letters(["reminder", "check_in"])
        check_ins = self._store.pairs.all_check_ins()
        due = []
        for pair in self.all({PairState.INVITED, PairState.ACTIVE}):
            letters = {each.key for each in due_letters(pair, check_ins.get(pair.id, []), now)}
            if (pair.state is PairState.INVITED and pair.expires_at <= now) or letters - made:
                due.append(pair.id)
        return due

    def _beat(self, pair_id: PairId) -> bool:
        with self._step("beat", pair_id, TELEMACHOS) as (step, pair, now):
            if pair.state is PairState.INVITED and pair.expires_at <= now:
                changed = self._close(step, pair, Event.EXPIRE, pair.expires_at)
                willing = [each for each in SIDES if pair.said(each) == YES]
                self._letters.tell(step, changed, "expired", now, to=willing, key=pair.id)
            for each in due_letters(pair, self._store.pairs.check_ins(pair_id, step), now):
                self._letters.tell(step, pair, each.kind, now, to=[each.side], key=each.about, until=each.until)
        return bool(step.changes)

    # Inside steps

    @contextmanager
    def _step(self, kind: str, pair_id: str, who: str) -> Iterator[tuple[Step, Pair, datetime]]:
        """Take a step about one pair as it is then: nobody else changes anything meanwhile."""
        now = self._clock()
        with self._store.steps.step(kind, who, now, pair_id) as step:
            yield step, self._store.pairs.pair(pair_id, step), now

    @contextmanager
    def _meeting_step(self, kind: str, meeting_id: str, who: str) -> Iterator[tuple[Step, Pair, Meeting, datetime]]:
        """Take a step about one planned meeting of a pair that works together."""
        pair_id = self._store.pairs.meeting(meeting_id).pair_id
        with self._step(kind, pair_id, who) as (step, pair, now):
            meeting = self._store.pairs.meeting(meeting_id, step)
            _works(pair)
            if meeting.state is not MeetingState.PLANNED:
                raise Conflict("meeting_done")
            yield step, pair, meeting, now

    def _close(self, step: Step, pair: Pair, event: Event, now: datetime, reason: str = "") -> Pair:
        if pair.paused_at:  # the time of a pause doesn't count, whether it ends by going on or by stopping
            for each in moved_by_pause(self._store.pairs.check_ins(pair.id, step), pair.paused_at, now):
                self._store.pairs.save_check_in(step, each)
        changed = _after(pair, event, now, reason)
        self._store.pairs.save(step, changed)
        self._store.pairs.free_place(step, changed)
        return changed

    def _cancel_all(self, step: Step, pair: Pair, now: datetime, reason: str, to: Collection[Side]) -> None:
        """Cancel what is still to come; it counts as nobody's cancelling."""
        for each in self._store.pairs.meetings(pair.id, step):
            if each.state is MeetingState.PLANNED and each.starts_at > now:
                off = cancelled(each, None, reason)
                self._store.pairs.save_meeting(step, off)
                self._letters.tell_meeting(step, pair, "meeting_cancelled", off, now, to)

    def _fits(self, step: Step, meeting: Meeting) -> None:
        shortest, longest = MEETING_MINUTES
        if not shortest <= meeting.minutes <= longest:
            raise InputRefused("meeting_minutes", minutes=meeting.minutes, shortest=shortest, longest=longest)
        other_one = clash(self._store.pairs.meetings(meeting.pair_id, step), meeting)
        if other_one:
            raise Conflict("meeting_clash", starts_at=_moment(other_one.starts_at))


def _moment(at: datetime) -> str:
    return f"{at.astimezone():%d-%m-%Y %H:%M}"


def _is(pair: Pair, side: Side, who: str) -> None:
    if pair.person(side) != who:
        raise Forbidden("not_in_pair", who=who)


def _works(pair: Pair) -> None:
    if pair.state not in STARTED:
        raise Conflict(NOT_NOW[pair.state])


def _active(pair: Pair) -> None:
    if pair.state is not PairState.ACTIVE:
        raise Conflict(NOT_NOW[pair.state])


def _after(pair: Pair, event: Event, at: datetime, reason: str = "") -> Pair:
    if (pair.state, event) not in AFTER:
        raise Conflict(NOT_NOW[pair.state])
    return happened(pair, event, at, reason)


def _known(reason: str, allowed: Collection[str]) -> None:
    if reason not in allowed:
        raise InputRefused("reason_unknown", reason=reason)
