"""The coordinator's page about pairs and the post."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from streamlit.testing.v1 import AppTest

from app import pairs_views
from app.pairs_views import Part
from recommender.domain import Side
from recommender.pair import QUESTIONS, Pair, PairState
from recommender.pair_letters import SIDES
from recommender.service import Service
from recommender.wording import LANGUAGES, Language, say
from tests.app.conftest import Clock
from tests.app.test_matches import agreed, invited, started
from tests.app.test_model import read

Visit = Callable[..., AppTest]


def page(visit: Visit, language: Language = "nl", part: Part = Part.INVITED) -> AppTest:
    """Open the page of the coordinator, on one part."""
    at = visit("coordinator", language)
    at.session_state["telemachos"].go_to = "pairs"
    at.run()
    assert not at.exception
    assert at.title[0].value == say("pairs.title", language)
    if part is not Part.INVITED:
        at.button_group(key="pairs-part").set_value(part).run()
        assert not at.exception
    return at


def names(service: Service, pair: Pair, language: Language = "nl") -> str:
    """Return the two as the page names them."""
    senior, junior = service.senior(pair.senior_id).name, service.junior(pair.junior_id).name
    return say("pairs.names", language, senior=senior, junior=junior)


def look(at: AppTest, pair: Pair) -> AppTest:
    """Look at one pair."""
    return at.button(key=f"look-{pair.id}").click().run()


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("part", Part)
def test_every_part_is_calm_when_empty(visit: Visit, language: Language, part: Part) -> None:
    """Without pairs and letters each part says so."""
    at = page(visit, language, part)
    assert say("letters.none" if part is Part.LETTERS else "pairs.nobody", language) in read(at)


@pytest.mark.parametrize("language", LANGUAGES)
def test_invitation_shows_who_said_what(visit: Visit, service: Service, language: Language) -> None:
    """One yes, one silence, and until when."""
    pair = invited(service)
    service.pairs.answer(pair.id, Side.SENIOR, True, pair.senior_id)
    at = page(visit, language)
    assert names(service, pair, language) in read(at)
    assert say("pairs.said_yes", language) in read(at)
    assert say("pairs.said_nothing", language) in read(at)


def test_invitation_is_taken_back_and_that_is_undone(visit: Visit, service: Service) -> None:
    """The history tells it, and the last step can be undone as long as its letters wait."""
    pair = invited(service)
    at = look(page(visit), pair)
    at.button(key="pair-withdraw").click().run()
    assert service.pairs.pair(pair.id).state is PairState.WITHDRAWN
    assert say("step.pair_withdrawn", "nl") in read(at)
    at.button(key="pair-undo-0").click().run()
    assert not at.error
    assert service.pairs.pair(pair.id) == pair


def test_after_a_no_the_next_is_invited_with_one_press(visit: Visit, service: Service) -> None:
    """The reason is there for the coordinator; the next candidates have a button each."""
    pair = invited(service)
    service.pairs.answer(pair.id, Side.JUNIOR, False, pair.junior_id, "no_time")
    at = page(visit, part=Part.AGAIN)
    assert say("pairdecline.no_time", "nl") in read(at)
    candidate = service.pairs.next_candidates(pair.id)[0]
    at.button(key=f"invite-{pair.id}-{candidate}").click().run()
    assert not at.error
    newest = service.pairs.of(pair.senior_id)[0]
    assert (newest.junior_id, newest.state) == (candidate, PairState.INVITED)
    assert say("pairs.nobody", "nl") in read(at)


@pytest.mark.parametrize("language", LANGUAGES)
def test_pair_in_trouble_is_first_and_on_top(visit: Visit, service: Service, clock: Clock, language: Language) -> None:
    """Three weeks without a talk is a warning, and the list starts with whom it concerns."""
    quiet, busy = agreed(service), agreed(service, "s2")
    clock.later(days=1)
    service.pairs.record(busy.id, clock(), 60, "", "s2")
    clock.later(days=21)
    at = page(visit, language, Part.ACTIVE)
    assert say("pairs.early", language, count=1) in read(at)
    assert say("warning.no_first", language) in read(at)
    shown = [each.key for each in at.button if each.key and each.key.startswith("look-")]
    assert shown == [f"look-{quiet.id}", f"look-{busy.id}"]


def test_answers_of_check_ins_are_nowhere(visit: Visit, service: Service, clock: Clock) -> None:
    """The coordinator reads one word of health and why, and no question with its answer."""
    pair = agreed(service)
    clock.later(weeks=4)
    answers = dict.fromkeys(QUESTIONS, 1) | {"go_on": 0, "rating": 1}
    service.pairs.check_in(pair.id, 4, Side.SENIOR, answers, pair.senior_id)
    at = look(page(visit, part=Part.ACTIVE), pair)
    seen = read(at)
    assert say("health.trouble", "nl") in seen
    assert say("healthreason.stop_asked", "nl") in seen
    assert say("scale.not_at_all", "nl") not in seen
    assert say("rating.word_1", "nl") not in seen
    assert not any(say(f"survey.{each}", "nl") in seen for each in QUESTIONS)


def test_pair_pauses_goes_on_and_ends(visit: Visit, service: Service) -> None:
    """Each with a reason, which is asked for."""
    pair = agreed(service)
    at = look(page(visit, part=Part.ACTIVE), pair)
    at.button(key="pair-pause").click().run()
    at.button(key="pair-save").click().run()
    assert say("error.reason_missing", "nl").split(".")[0] in at.error[0].value
    at.pills(key=f"pair-pause-reason-{pair.id}").set_value("ill").run()
    at.button(key="pair-save").click().run()
    assert service.pairs.pair(pair.id).state is PairState.PAUSED
    assert say("pairoff.ill", "nl") in read(at)
    at.button(key="pair-resume").click().run()
    assert service.pairs.pair(pair.id).state is PairState.ACTIVE
    at.button(key="pair-end").click().run()
    at.pills(key=f"pair-end-reason-{pair.id}").set_value("no_fit").run()
    at.button(key="pair-save").click().run()
    assert service.pairs.pair(pair.id).state is PairState.ENDED


@pytest.mark.parametrize("sure", [True, False])
def test_somebody_leaves_after_a_second_question(visit: Visit, service: Service, sure: bool) -> None:
    """Only a yes in the dialog ends the pairs of the person."""
    pair = agreed(service)
    at = look(page(visit, part=Part.ACTIVE), pair)
    at.button(key="leaves-junior").click().run()
    assert say("pairs.leave_text", "nl") in read(at)
    at.button(key="leave-yes" if sure else "leave-no").click().run()
    assert not at.exception
    assert service.pairs.pair(pair.id).state is (PairState.ENDED if sure else PairState.ACTIVE)
    assert service.junior(pair.junior_id).active is not sure


@pytest.mark.parametrize("language", LANGUAGES)
def test_table_holds_what_the_list_holds(visit: Visit, service: Service, language: Language) -> None:
    """One row for each pair with the same facts."""
    first, second = invited(service), invited(service, "s2")
    at = page(visit, language)
    at.button_group(key="pairs-view").set_value("table").run()
    assert not at.exception
    table = at.table[0].value
    assert len(table) == 2
    for place, row in enumerate(pairs_views.rows(service, [second, first])):
        told = dict(pairs_views.facts(row, language))
        assert [each.replace("\\", "") for each in table.iloc[place]] == list(told.values())


def test_department_narrows_the_list(visit: Visit, service: Service) -> None:
    """Only pairs whose senior is of that department stay."""
    service.put_people([replace(service.senior("s2"), department="Inkoop")])
    first, second = invited(service), invited(service, "s2")
    at = page(visit)
    at.selectbox(key="pairs-department").set_value("Inkoop").run()
    shown = {each.key for each in at.button if each.key and each.key.startswith("look-")}
    assert shown == {f"look-{second.id}"}
    assert first.id != second.id


def test_more_than_a_page_is_turned(visit: Visit, service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second page holds what the first does not."""
    monkeypatch.setattr(pairs_views, "ON_A_PAGE", 1)
    invited(service), invited(service, "s2")
    at = page(visit)
    first = [each.key for each in at.button if each.key and each.key.startswith("look-")]
    at.button(key="pairs-next").click().run()
    second = [each.key for each in at.button if each.key and each.key.startswith("look-")]
    assert len(first) == len(second) == 1
    assert first != second
    assert at.button(key="pairs-next").disabled


@pytest.mark.parametrize("language", LANGUAGES)
def test_letter_without_an_address_is_told_by_hand(visit: Visit, service: Service, language: Language) -> None:
    """Nobody here has an address, so each invitation waits for the coordinator."""
    invited(service)
    at = page(visit, language, Part.LETTERS)
    assert say("letters.off", language) in read(at)
    assert say("letters.troubled", language, count=len(SIDES)) in read(at)
    letter = service.post.overview().troubled[0]
    at.button(key=f"letter-told-{pairs_views.key_of(letter)}").click().run()
    assert not at.error
    assert service.post.overview().counts == {"no_address": 1, "told": 1}
    assert say("letterstate.told", language) in read(at)


def test_letter_that_somebody_else_saw_to_is_explained(visit: Visit, service: Service) -> None:
    """A second decision about one letter gives a sentence."""
    started(service)
    at = page(visit, part=Part.LETTERS)
    letter = service.post.overview().troubled[0]
    service.post.told(letter.id, "another")
    at.button(key=f"letter-give_up-{pairs_views.key_of(letter)}").click().run()
    assert say("error.letter_changed", "nl").split(".")[0] in at.error[0].value
