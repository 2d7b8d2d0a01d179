"""The page where the programme is set up: typed text is never lost, and every step has a way back."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from streamlit.testing.v1 import AppTest

from app import identity, programme_views
from app.components import WORD_JOINER
from app.identity import Role
from recommender.domain import JuniorId, SeniorId
from recommender.service import Service
from recommender.wording import LANGUAGES, Language, say

Visit = Callable[..., AppTest]
S1, J1 = SeniorId("s1"), JuniorId("j1")


def plain(text: str) -> str:
    """Return a text as somebody reads it."""
    return text.replace("\\", "").replace(WORD_JOINER, "")


def read(at: AppTest) -> str:
    """Return everything that can be read on the page."""
    parts = [*at.title, *at.header, *at.subheader, *at.markdown, *at.text, *at.caption, *at.error, *at.warning]
    return plain("\n".join(part.value for part in parts))


@pytest.fixture
def at(visit: Visit, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    """Give the page in Dutch."""
    return opened(visit, monkeypatch)


def opened(visit: Visit, monkeypatch: pytest.MonkeyPatch, language: str = "nl") -> AppTest:
    """Open the page as the coordinator, in a tab of its own."""
    monkeypatch.setitem(identity.HOME, Role.COORDINATOR, "programme")
    return visit("coordinator", language)


def go(at: AppTest, step: str) -> AppTest:
    """Open a step."""
    return at.segmented_control(key="programme-open").set_value(step).run()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_step_is_numbered_and_labelled(visit: Visit, monkeypatch: pytest.MonkeyPatch, language: Language) -> None:
    """Five steps, each with its heading, and a label at every control."""
    at = opened(visit, monkeypatch, language)
    assert at.title[0].value == say("programme.title", language)
    for number, step in enumerate(programme_views.STEPS, start=1):
        go(at, step)
        assert not at.exception
        assert at.header[0].value == f"{number}. {say(f'programme.head_{step}', language)}"
        controls = [*at.text_area, *at.text_input, *at.number_input, *at.toggle, *at.date_input, *at.selectbox]
        assert all(each.label.strip() for each in controls)


def test_next_and_back_lead_through_the_steps(at: AppTest) -> None:
    """With the keyboard alone: a button forth and one back."""
    assert not [each for each in at.button if each.key == "programme-go-before"]
    at.button(key="programme-go-after").click().run()
    assert at.segmented_control(key="programme-open").value == "rhythm"
    at.button(key="programme-go-before").click().run()
    assert at.segmented_control(key="programme-open").value == "why"


def test_what_is_saved_counts(at: AppTest, service: Service) -> None:
    """Texts, numbers and switches of several steps are kept by one press, and the page says so."""
    at.text_area(key="programme-purpose").set_value("Samen leren")
    go(at, "rhythm").number_input(key="programme-months").set_value(9)
    at.text_input(key="programme-check_in_weeks").set_value("2, 8 en 30").run()
    go(at, "rules").toggle(key="programme-rule-below_helper_level").set_value(True).run()
    assert say("programme.unsaved", "nl") in read(at)
    at.button(key="programme-save").click().run()
    kept = service.programme.current()
    assert (kept.purpose, kept.months, kept.check_in_weeks) == ("Samen leren", 9, (2, 8, 30))
    assert kept.rules_off == frozenset()
    assert say("programme.saved", "nl") in read(at)
    assert at.button(key="programme-save").disabled


def test_typed_text_survives_everything_but_dropping_it(at: AppTest, service: Service) -> None:
    """Another step, another language, another page, and a save that is refused."""
    at.text_area(key="programme-purpose").set_value("Half af").run()
    go(at, "rhythm").text_input(key="programme-check_in_weeks").set_value("vier").run()
    at.segmented_control(key="lang").set_value("en").run()
    assert at.text_input(key="programme-check_in_weeks").value == "vier"
    go(at, "why").button(key="programme-save").click().run()
    assert "vier" in at.error[0].value
    assert at.segmented_control(key="programme-open").value == "rhythm"  # where the mistake is
    assert at.text_input(key="programme-check_in_weeks").value == "vier"
    assert go(at, "why").text_area(key="programme-purpose").value == "Half af"
    assert service.programme.history(1) == []
    at.button(key="programme-drop").click().run()
    assert at.text_area(key="programme-purpose").value == ""
    assert not at.error


def test_text_typed_in_the_same_moment_as_the_press_is_saved(at: AppTest, service: Service) -> None:
    """Nobody has to leave a field before pressing the button."""
    at.text_area(key="programme-purpose").set_value("eerst").run()
    at.text_area(key="programme-purpose").set_value("net getypt")
    at.button(key="programme-save").click().run()
    assert service.programme.current().purpose == "net getypt"


@pytest.mark.parametrize("language", LANGUAGES)
def test_examples_fill_what_is_empty_and_nothing_else(
    visit: Visit, service: Service, monkeypatch: pytest.MonkeyPatch, language: Language
) -> None:
    """They are in the fields, in the language of the page, and not stored before Save."""
    at = opened(visit, monkeypatch, language)
    at.text_area(key="programme-purpose").set_value("Mijn doel").run()
    at.button(key="programme-examples").click().run()
    assert at.text_area(key="programme-purpose").value == "Mijn doel"
    assert at.text_area(key="programme-who").value == say("programme.example_who", language)
    assert service.programme.history(1) == []
    assert not [each for each in at.button if each.key == "programme-examples"]


def test_rules_tell_what_they_exclude(at: AppTest, service: Service) -> None:
    """Each is a sentence with today's numbers; those that always hold have no switch."""
    go(at, "rules")
    lines = programme_views.rule_lines(service.programme.rules(), "nl")
    assert {each.label for each in at.toggle} == {each.sentence for each in lines if each.switchable}
    for each in lines:
        assert each.effect in read(at)
        assert each.switchable or each.sentence in read(at)


def test_another_who_saved_meanwhile_is_never_overwritten_unseen(at: AppTest, service: Service) -> None:
    """The page says what changed; one's own text stays, and either may go on."""
    at.text_area(key="programme-purpose").set_value("Van mij").run()
    seen = service.programme.current()
    service.programme.save(replace(seen, purpose="Van haar", months=8), "other", seen)
    at.button(key="programme-save").click().run()
    assert service.programme.current().purpose == "Van haar"
    fields = f"{say('programme.field_purpose', 'nl')}, {say('programme.field_months', 'nl')}"
    assert say("programme.meanwhile", "nl", fields=fields) in [each.value for each in at.warning]
    assert at.text_area(key="programme-purpose").value == "Van mij"
    at.button(key="programme-mine").click().run()
    at.button(key="programme-save").click().run()
    assert service.programme.current().purpose == "Van mij"


def test_what_somebody_else_saved_can_be_taken_over(at: AppTest, service: Service) -> None:
    """With unsaved text by a button, and without any at the next look."""
    seen = service.programme.current()
    at.text_area(key="programme-purpose").set_value("Van mij").run()
    hers = service.programme.save(replace(seen, purpose="Van haar"), "other", seen)
    at.run()
    at.button(key="programme-theirs").click().run()
    assert at.text_area(key="programme-purpose").value == "Van haar"
    service.programme.save(replace(hers, purpose="Nog nieuwer"), "other", hers)
    at.run()
    assert at.text_area(key="programme-purpose").value == "Nog nieuwer"


def test_undo_brings_back_what_was_there(at: AppTest, service: Service) -> None:
    """From the list of what was done lately; the undo is in it as well."""
    before = service.programme.current()
    at.text_area(key="programme-purpose").set_value("Even").run()
    at.button(key="programme-save").click().run()
    step = service.programme.history(1)[0]
    at.button(key=f"programme-undo-{step.id}").click().run()
    assert service.programme.current() == before
    assert at.text_area(key="programme-purpose").value == ""
    assert say("programme.undone", "nl") in read(at)


def test_known_pair_is_added_and_taken_off(at: AppTest, service: Service) -> None:
    """With two name pickers, and a button beside each pair."""
    go(at, "rules")
    at.selectbox(key="programme-known-learns").set_value(S1)
    at.selectbox(key="programme-known-explains").set_value(J1).run()
    at.button(key="programme-known-add").click().run()
    assert service.programme.known_pairs() == [(S1, J1)]
    assert at.selectbox(key="programme-known-learns").value is None
    at.button(key=f"programme-remove-known-{S1}-{J1}").click().run()
    assert service.programme.known_pairs() == []


def test_known_pair_against_a_rule_is_refused_with_the_rule(at: AppTest, service: Service) -> None:
    """And what was picked stays."""
    service.programme.keep_apart(S1, J1, "Buren", "coordinator")
    go(at, "rules")
    assert "Buren" in read(at)
    at.selectbox(key="programme-known-learns").set_value(S1)
    at.selectbox(key="programme-known-explains").set_value(J1).run()
    at.button(key="programme-known-add").click().run()
    assert say("rule.do_not_pair", "nl") in plain(at.error[0].value)
    assert at.selectbox(key="programme-known-learns").value == S1
    assert service.programme.known_pairs() == []


def test_half_a_pair_is_refused(at: AppTest) -> None:
    """With what to do next."""
    go(at, "rules").button(key="programme-apart-add").click().run()
    assert plain(at.error[0].value) == say("error.pair_incomplete", "nl")


def test_agreement_shows_what_is_typed_and_gives_what_is_kept(at: AppTest) -> None:
    """While something isn't saved the file can't be had, so paper and programme never differ."""
    at.text_area(key="programme-purpose").set_value("**Vet** <b>doel</b>").run()
    go(at, "agreement")
    assert "**Vet** <b>doel</b>" in [each.value for each in at.text]
    buttons = list(at.get("download_button"))
    assert len(buttons) == 2
    assert all(each.proto.disabled for each in buttons)
    at.button(key="programme-save").click().run()
    assert not any(each.proto.disabled for each in at.get("download_button"))


def test_the_page_is_for_coordinators_only() -> None:
    """Nobody else has it in their menu, and the frame leads them away from it."""
    assert "programme" not in {page for role in Role if role is not Role.COORDINATOR for page in identity.PAGES[role]}
