"""What there is to see of pairs: for the two, and for the coordinator."""

from collections.abc import Callable, Collection
from datetime import datetime

from recommender.calendar_files import calendar_of
from recommender.domain import JuniorId, PairId, Side
from recommender.letters import first_name
from recommender.pair import STARTED, Agreement, CheckIn, Meeting, MeetingState, Pair, PairState, open_check_ins
from recommender.pair_health import Health, Warning_, health, warnings_of
from recommender.pair_letters import Letters, PairLetters, topic_of
from recommender.store import Store
from recommender.store.steps import Done
from recommender.wording import Language, say

PERSON_LEFT = "person_left"
"""Kind of the step that takes somebody out of the programme; it is about the person."""


class PairReads:
    """Looks at pairs and changes nothing.

    Parameters
    ----------
    store : Store
        The open database.
    post : Letters
        Where letters go.
    clock : callable
        Gives the time.
    """

    def __init__(self, store: Store, post: Letters, clock: Callable[[], datetime]) -> None:
        self._store, self._clock = store, clock
        self._letters = PairLetters(store, post)

    def pair(self, pair_id: str) -> Pair:
        """Return one pair."""
        return self._store.pairs.pair(pair_id)

    def all(self, states: Collection[PairState] | None = None) -> list[Pair]:
        """Return all pairs, or those in some states, the newest first."""
        return self._store.pairs.all(states)

    def of(self, person_id: str) -> list[Pair]:
        """Return the pairs of one person, the newest first."""
        return self._store.pairs.of(person_id)

    def meetings(self, pair_id: str) -> list[Meeting]:
        """Return the meetings of a pair, in order of time."""
        return self._store.pairs.meetings(pair_id)

    def to_mark(self, person_id: str) -> list[Meeting]:
        """Return the meetings of one person that are over while nobody has said whether they were held."""
        now = self._clock()
        pairs = [each for each in self.of(person_id) if each.state in STARTED]
        return [meeting for each in pairs for meeting in self.meetings(each.id) if meeting.to_mark(now)]

    def check_ins(self, pair_id: str) -> list[CheckIn]:
        """Return the check-ins of both sides, by week: for figures, never for a person's page."""
        return self._store.pairs.check_ins(pair_id)

    def my_check_ins(self, pair_id: str, side: Side) -> list[CheckIn]:
        """Return the check-ins that one side can answer now, with their own answers so far."""
        pair = self.pair(pair_id)
        return open_check_ins(pair, self.check_ins(pair_id), side, self._clock())

    def warnings(self) -> list[Warning_]:
        """Return the early signs that pairs come to a stop, the oldest first."""
        now, meetings, resumed = self._clock(), self._store.pairs.all_meetings(), self._store.pairs.resumed()
        found = [
            warning
            for pair in self.all({PairState.ACTIVE})
            for warning in warnings_of(pair, meetings.get(pair.id, []), now, resumed.get(pair.id))
        ]
        return sorted(found, key=lambda each: each.since)

    def health(self) -> dict[PairId, Health]:
        """Return how each pair does that works together now."""
        now, pairs = self._clock(), self._store.pairs
        meetings, check_ins, resumed = pairs.all_meetings(), pairs.all_check_ins(), pairs.resumed()
        return {
            each.id: health(each, meetings.get(each.id, []), check_ins.get(each.id, []), now, resumed.get(each.id))
            for each in self.all(STARTED)
        }

    def next_candidates(self, pair_id: str) -> list[JuniorId]:
        """Return who else was found for the same request and can be invited, the best first."""
        return self._store.pairs.next_candidates(self.pair(pair_id))

    def to_match_again(self) -> list[Pair]:
        """Return the last pair of each senior who was left with nobody: the coordinator's queue of next candidates."""
        return self._store.pairs.to_match_again()

    def history(self, pair_id: str, most: int = 50) -> list[Done]:
        """Return what was done with a pair, or by its coordinator with one of the two, the newest first."""
        pair, steps = self.pair(pair_id), self._store.steps
        left = [steps.recent(most, about=each, kinds=[PERSON_LEFT]) for each in (pair.senior_id, pair.junior_id)]
        done = [*steps.recent(most, about=pair_id), *(step for each in left for step in each)]
        return sorted(done, key=lambda each: each.number, reverse=True)[:most]

    def calendar(self, meeting_id: str, language: Language) -> bytes:
        """Return the calendar file of one meeting."""
        meeting = self._store.pairs.meeting(meeting_id)
        senior, junior = self._letters.both(self.pair(meeting.pair_id))
        return calendar_of(
            meeting,
            [first_name(senior), first_name(junior)],
            meeting.sequence,
            meeting.state is MeetingState.CANCELLED,
            language,
            "",
            now=self._clock(),
        )

    def agreement(self, pair_id: str, language: Language) -> Agreement:
        """Return what the two agreed on; until then what they may start from, in the programme's words."""
        pair, programme = self.pair(pair_id), self._store.facts.programme()
        if pair.agreement is not None:
            return pair.agreement
        return Agreement(
            topics=topic_of(pair, self._store.pairs.topics([pair.slate_id]), language),
            rhythm=say("pact.start_rhythm", language, weeks=programme.every_weeks, minutes=programme.minutes),
            between_us=programme.between_us or say("pact.start_between_us", language),
            who_prepares=say("pact.start_who_prepares", language),
            how_to_stop=say("pact.start_how_to_stop", language),
        )
