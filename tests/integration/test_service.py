"""From a person's words to a decision, over a real store, with the test encoder."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recommender.dialogue.state import Kind, Stage
from recommender.encoder import HashingEncoder
from recommender.errors import Conflict, InputRefused, UnknownPerson
from recommender.features import FIT_FEATURES, TEXT_FEATURES
from recommender.ranker import similarity_only
from recommender.recommending import Recommender
from recommender.service import LOGGED, Service
from recommender.store import Store
from recommender.text import without_invisible
from tests.builders import a_junior, a_senior

SUBJECTS = [
    "draaitabellen in Excel",
    "filmpjes op TikTok",
    "wachtwoorden bewaren",
    "vergaderen in Teams",
    "foto's delen",
]


class Clock:
    """A clock that a test turns."""

    def __init__(self) -> None:
        self.time = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        """Return a second later each time."""
        self.time += timedelta(seconds=1)
        return self.time


def a_service(clock: Clock) -> Service:
    """Return the use cases over an empty store."""
    store = Store(None)
    return Service(store, Recommender(store, HashingEncoder(), similarity_only), clock)


@pytest.fixture
def service() -> Iterator[Service]:
    """Give a service with one senior and 20 juniors, four for each of five subjects."""
    made = a_service(Clock())
    juniors = [
        a_junior(
            id=f"j{number:02}", name=f"Junior {number}", text=f"Ik help met {SUBJECTS[number % 5]}. Nummer {number}."
        )
        for number in range(20)
    ]
    made.put_people([a_senior(), *juniors])
    yield made
    made.store.close()


def test_the_profile_that_says_so_comes_first(service: Service) -> None:
    """The four juniors of the subject are the first four, and the evidence is their own sentence."""
    slate = service.recommend("ik wil draaitabellen in excel leren", "s1", 4)
    assert {each.junior_id for each in slate.suggestions} == {"j00", "j05", "j10", "j15"}
    assert all("draaitabellen" in each.evidence[0] for each in slate.suggestions)


def test_contributions_add_up_to_the_score(service: Service) -> None:
    """What each feature adds, and the intercept, is the score; the log says the same as the page."""
    slate = service.recommend("wachtwoorden", "s1", 20)
    assert slate == service.store.slates.slate(slate.id)
    for each in slate.suggestions:
        assert set(each.contributions) == {*TEXT_FEATURES, *FIT_FEATURES}
        assert sum(each.contributions.values()) + slate.intercept == pytest.approx(each.score, abs=1e-6)


def test_excluded_are_counted_by_rule_and_never_on_the_slate(service: Service) -> None:
    """Nobody is lost without a reason: slate and exclusions together are everybody."""
    service.put_people(
        [a_junior(id="j00", active=False), a_junior(id="j01", consent=False), a_junior(id="j02", rank=9)]
    )
    slate = service.recommend("excel", "s1", 50)
    assert slate.excluded == {"inactive": 1, "no_consent": 1, "not_lower_in_rank": 1}
    assert len(slate.suggestions) == 17
    assert not {"j00", "j01", "j02"} & {each.junior_id for each in slate.suggestions}


def test_reporting_line_reaches_down_any_depth(service: Service) -> None:
    """A junior two levels below the senior is not suggested to that senior, but is to another."""
    service.put_people([a_senior(id="s2", manager_id="s1"), a_junior(id="j00", manager_id="s2"), a_senior(id="s3")])
    assert service.recommend("excel", "s1", 50).excluded == {"reporting_line": 1}
    assert service.recommend("excel", "s3", 50).excluded == {}


def test_better_circumstances_break_a_tie(service: Service) -> None:
    """Of two with the same words, the one nearby and eager comes first; the other's minus says why."""
    text = "Ik leg blockchain uit."
    service.put_people(
        [
            a_junior(id="far", text=text, site="Gent", remote="on_site"),
            a_junior(id="near", text=text, site="Utrecht", wish_to_teach=5),
        ]
    )
    first, second = service.recommend("blockchain", "s1", 2).suggestions
    assert (first.junior_id, second.junior_id) == ("near", "far")
    assert (first.minus, second.minus) == (None, "place")


def test_an_order_of_import_changes_nothing(service: Service) -> None:
    """The slate does not depend on the order in which profiles came in."""
    other = a_service(Clock())
    other.put_people([*reversed(service.store.people.juniors()), a_senior()])
    asked = "vergaderen en foto's"
    order = [each.junior_id for each in service.recommend(asked, "s1", 20).suggestions]
    assert [each.junior_id for each in other.recommend(asked, "s1", 20).suggestions] == order


@pytest.mark.parametrize("text", ["", "   ", "!?…", "\u200b\u202e"])
def test_a_request_without_words_is_refused(service: Service, text: str) -> None:
    """Nothing to search with gives a sentence, and nothing is stored."""
    with pytest.raises(InputRefused, match="own words"):
        service.recommend(text, "s1")
    assert service.store.slates.counts()["requests"] == 0


def test_unknown_senior_is_named(service: Service) -> None:
    """An id that is nobody's is refused before anything is stored."""
    with pytest.raises(UnknownPerson, match="s99"):
        service.recommend("excel", "s99")


@settings(max_examples=60, deadline=None)
@given(text=st.text(st.characters(exclude_categories=["Cs"]), max_size=300), k=st.integers(1, 30))
def test_any_text_gives_a_slate_or_a_sentence(small: Service, text: str, k: int) -> None:
    """Whatever is typed: distinct juniors in order of score, or one refusal."""
    if not any(character.isalnum() for character in without_invisible(text)):
        with pytest.raises(InputRefused):
            small.recommend(text, "s1", k)
        return
    slate = small.recommend(text, "s1", k)
    ids = [each.junior_id for each in slate.suggestions]
    scores = [each.score for each in slate.suggestions]
    assert len(ids) == len(set(ids)) == min(k, 6)
    assert scores == sorted(scores, reverse=True)
    assert np.isfinite(scores).all()
    assert [each.rank for each in slate.suggestions] == list(range(1, len(ids) + 1))


@pytest.fixture(scope="module")
def small() -> Iterator[Service]:
    """Give a service with one senior and six juniors, shared by all examples."""
    made = a_service(Clock())
    made.put_people([a_senior(), *(a_junior(id=f"j{number}", text=SUBJECTS[number % 5]) for number in range(6))])
    yield made
    made.store.close()


def test_whole_conversation(service: Service) -> None:
    """Ask, pick, confirm, approve: each step is stored and the match takes the junior's place."""
    talk = service.talk.conversation("s1", "nl")
    state = service.talk.say(talk, "s1", "ik wil filmpjes op tiktok maken", "nl")
    assert state.stage is Stage.CHOOSING
    picked = service.store.slates.slate(state.slate_id).suggestions[0].junior_id
    assert service.talk.pick(talk, picked).stage is Stage.CHECKING
    assert service.talk.confirm(talk, "s1").stage is Stage.SENT
    assert [choice.junior_id for choice in service.reviewing.waiting()] == [picked]
    service.reviewing.approve([state.slate_id], "Co Ordinator")
    assert service.reviewing.waiting() == []
    assert service.reviewing.decided()[0].reviewer == "Co Ordinator"
    assert service.recommend("tiktok", "s1", 50).excluded == {"matched_before": 1}
    service.put_people([a_senior(id="s2")])
    assert service.recommend("tiktok", "s2", 50).excluded == {"full": 1}


def test_conversation_is_found_again(service: Service) -> None:
    """The same senior comes back to the same conversation, with every turn."""
    talk = service.talk.conversation("s1", "nl")
    before = service.talk.say(talk, "s1", "excel graag", "nl")
    assert service.talk.conversation("s1", "nl") == talk
    assert service.talk.state(talk) == before


def test_undo_takes_a_sent_choice_out_of_the_queue(service: Service) -> None:
    """Undo after sending brings back the check and empties the queue; after a decision it is refused."""
    talk = service.talk.conversation("s1", "nl")
    state = service.talk.say(talk, "s1", "excel graag", "nl")
    service.talk.pick(talk, "j00")
    service.talk.confirm(talk, "s1")
    assert service.talk.undo(talk).stage is Stage.CHECKING
    assert service.reviewing.waiting() == []
    service.talk.confirm(talk, "s1")
    service.reviewing.reject([state.slate_id], "Co", "other_subject")
    with pytest.raises(Conflict, match="decided already"):
        service.talk.undo(talk)
    assert service.talk.state(talk).stage is Stage.SENT


def test_late_and_foreign_clicks_change_nothing(service: Service) -> None:
    """A pick before a slate, a pick of somebody not on it, a confirm out of turn."""
    talk = service.talk.conversation("s1", "nl")
    with pytest.raises(Conflict):
        service.talk.pick(talk, "j00")
    service.talk.say(talk, "s1", "excel graag", "nl")
    with pytest.raises(InputRefused, match="nobody"):
        service.talk.pick(talk, "nobody")
    with pytest.raises(Conflict):
        service.talk.confirm(talk, "s1")
    assert service.talk.state(talk).stage is Stage.CHOOSING


def test_nobody_left_is_said(service: Service) -> None:
    """When the rules leave nobody, the answer is not an empty list of cards."""
    service.put_people([a_junior(id=each.id, active=False) for each in service.store.people.juniors()])
    talk = service.talk.conversation("s1", "nl")
    state = service.talk.say(talk, "s1", "excel graag", "nl")
    assert state.stage is Stage.ASKING
    assert state.turns[-1].kind == Kind.NOBODY


def test_refusing_needs_a_reason(service: Service) -> None:
    """A coordinator can't reject without a reason."""
    talk = service.talk.conversation("s1", "nl")
    state = service.talk.say(talk, "s1", "excel graag", "nl")
    service.talk.pick(talk, "j00")
    service.talk.confirm(talk, "s1")
    with pytest.raises(InputRefused, match="reason"):
        service.reviewing.reject([state.slate_id], "Co", "")
    assert len(service.reviewing.waiting()) == 1


def test_a_new_profile_is_found_at_once(service: Service) -> None:
    """After a profile changes, the next request sees it, and only new texts are encoded."""
    encoded: list[int] = []
    encode = service.encoder.encode
    service.encoder.encode = lambda texts, progress=None: encoded.append(len(texts)) or encode(texts, progress)
    service.put_people([a_junior(id="new", text="Ik kan 3D-printen.")])
    assert service.recommend("3d-printen", "s1", LOGGED).suggestions[0].junior_id == "new"
    assert encoded == [1, 1]


def test_a_rejected_junior_does_not_come_back(service: Service) -> None:
    """After a rejection the same senior is shown others; another senior may still see this junior."""
    talk = service.talk.conversation("s1", "nl")
    state = service.talk.say(talk, "s1", "excel graag", "nl")
    service.talk.pick(talk, "j00")
    service.talk.confirm(talk, "s1")
    step_id = service.reviewing.reject([state.slate_id], "Co", "time")
    assert service.choice(state.slate_id).reason == "time"
    assert service.recommend("excel", "s1", 50).excluded == {"rejected": 1}
    service.put_people([a_senior(id="s2")])
    assert service.recommend("excel", "s2", 50).excluded == {}
    service.reviewing.undo(step_id, "Co")
    assert service.recommend("excel", "s1", 50).excluded == {"full": 1}


def test_doubt_is_kept_with_the_slate(service: Service) -> None:
    """A slate is doubtful when nobody is as near as asked for, and the log says so."""
    text = service.junior("j00").text
    store, encoder = service.store, service.encoder
    sure = Service(store, Recommender(store, encoder, similarity_only, doubt_below=0.2)).recommend(text)
    doubtful = Service(store, Recommender(store, encoder, similarity_only, doubt_below=1.01)).recommend(text)
    assert (sure.doubtful, doubtful.doubtful) == (False, True)
    assert service.store.slates.slate(doubtful.id).doubtful
    assert not service.recommend("heel iets anders").doubtful
