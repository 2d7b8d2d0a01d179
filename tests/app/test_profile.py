"""The page of somebody who explains."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from streamlit.testing.v1 import AppTest

from recommender.domain import Remote
from recommender.service import Service
from recommender.text import MAX_CHARACTERS
from recommender.wording import LANGUAGES, Language, say

Visit = Callable[..., AppTest]


def read(at: AppTest) -> str:
    """Return everything that can be read on the page."""
    return "\n".join(part.value for part in [*at.title, *at.header, *at.text, *at.caption, *at.warning, *at.error])


@pytest.mark.parametrize("language", LANGUAGES)
def test_shows_the_stored_profile(visit: Visit, service: Service, language: Language) -> None:
    """Every field starts with what is stored, and saving is off until something changes."""
    at = visit("j2", language)
    junior = service.junior("j2")
    assert not at.exception
    assert at.title[0].value == say("profile.title", language)
    assert at.text_area(key="profile-text").value == junior.text
    assert at.selectbox(key="profile-level").value == junior.level
    assert at.selectbox(key="profile-wish").value == junior.wish_to_teach
    assert tuple(at.pills(key="profile-languages").value) == junior.languages
    assert tuple(at.pills(key="profile-days").value) == junior.days
    assert at.checkbox(key="profile-consent").value is junior.consent
    assert at.button(key="profile-save").disabled


def test_saves_every_field_and_makes_it_findable(visit: Visit, service: Service) -> None:
    """What is saved is stored whole, and the next question finds the new words."""
    at = visit("j5")
    at.text_area(key="profile-text").set_value("  Podcasts opnemen en monteren.  ")
    at.text_area(key="profile-wants").set_value("Leren presenteren.")
    at.selectbox(key="profile-level").set_value(8)
    at.selectbox(key="profile-wish").set_value(5)
    at.pills(key="profile-languages").set_value(["nl", "fr"])
    at.pills(key="profile-days").set_value(["fri", "mon"])
    at.segmented_control(key="profile-remote").set_value(Remote.ONLINE)
    at.segmented_control(key="profile-capacity").set_value(3)
    at.run()
    assert say("profile.unsaved", "nl") in read(at)
    at.button(key="profile-save").click().run()
    stored = service.junior("j5")
    assert (stored.text, stored.wants) == ("Podcasts opnemen en monteren.", "Leren presenteren.")
    assert (stored.level, stored.wish_to_teach, stored.capacity) == (8, 5, 3)
    assert (stored.languages, stored.days, stored.remote) == (("nl", "fr"), ("mon", "fri"), Remote.ONLINE)
    assert say("profile.saved", "nl") in read(at)
    assert service.recommend("podcast opnemen").suggestions[0].junior_id == "j5"


def test_order_of_languages_and_days_is_no_change(visit: Visit, service: Service) -> None:
    """A profile with its languages in another order than the page's is not "unsaved" at once."""
    service.put_people([replace(service.junior("j1"), languages=("fr", "en", "nl"), days=("fri", "mon"))])
    assert visit("j1").button(key="profile-save").disabled


def test_preview_follows_what_is_typed_before_saving(visit: Visit, service: Service) -> None:
    """The card beside the form shows the words that are in the form, and nothing is stored yet."""
    at = visit("j1")
    at.text_area(key="profile-text").set_value("Ik leg spreadsheets uit.").run()
    assert "“Ik leg spreadsheets uit.”" in [part.value for part in at.text]
    assert service.junior("j1").text != "Ik leg spreadsheets uit."


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("text", ["", " \n ", "!!!"])
def test_empty_text_is_refused_and_nothing_typed_is_lost(
    visit: Visit, service: Service, language: Language, text: str
) -> None:
    """An empty profile is explained; the other field keeps what was typed."""
    at = visit("j1", language)
    before = service.junior("j1")
    at.text_area(key="profile-text").set_value(text)
    at.text_area(key="profile-wants").set_value("Nog niet bewaard").run()
    at.button(key="profile-save").click().run()
    assert say("error.empty_profile", language).split(".")[0] in at.error[0].value
    assert at.text_area(key="profile-wants").value == "Nog niet bewaard"
    assert service.junior("j1") == before


def test_too_long_text_is_refused_and_kept(visit: Visit, service: Service) -> None:
    """Twenty thousand characters is the limit; the page says so and keeps the text."""
    at = visit("j1")
    before = service.junior("j1").text
    at.text_area(key="profile-text").set_value("a" * (MAX_CHARACTERS + 1)).run()
    at.button(key="profile-save").click().run()
    assert str(MAX_CHARACTERS) in at.error[0].value
    assert len(at.text_area(key="profile-text").value) == MAX_CHARACTERS + 1
    assert service.junior("j1").text == before


def test_without_a_language_nothing_is_stored(visit: Visit, service: Service) -> None:
    """Somebody must speak at least one language."""
    at = visit("j1")
    at.pills(key="profile-languages").set_value([]).run()
    at.button(key="profile-save").click().run()
    assert say("error.no_language", "nl").rstrip(".") in at.error[0].value
    assert service.junior("j1").languages


def test_switching_language_keeps_unsaved_edits(visit: Visit) -> None:
    """A draft survives a switch of the page's language, in every kind of field."""
    at = visit("j1")
    at.text_area(key="profile-text").set_value("Een half idee")
    at.selectbox(key="profile-level").set_value(2)
    at.pills(key="profile-days").set_value(["wed"])
    at.segmented_control(key="profile-capacity").set_value(4)
    at.checkbox(key="profile-pause").check().run()
    at.segmented_control(key="lang").set_value("en").run()
    assert at.title[0].value == say("profile.title", "en")
    assert at.text_area(key="profile-text").value == "Een half idee"
    assert at.selectbox(key="profile-level").value == 2
    assert at.pills(key="profile-days").value == ["wed"]
    assert at.segmented_control(key="profile-capacity").value == 4
    assert at.checkbox(key="profile-pause").value is True


@pytest.mark.parametrize("box", ["profile-pause", "profile-consent"])
def test_pause_and_consent_decide_who_is_suggested(visit: Visit, service: Service, box: str) -> None:
    """With a pause, or without consent, the page says the card is hidden, and it is."""
    at = visit("j5")
    at.checkbox(key=box).set_value(box == "profile-pause").run()
    assert say("profile.not_shown", "nl") in read(at)
    at.button(key="profile-save").click().run()
    assert "j5" not in {each.junior_id for each in service.recommend("filmpjes voor Instagram").suggestions}


def test_unexpected_error_keeps_the_draft(visit: Visit, monkeypatch: pytest.MonkeyPatch) -> None:
    """When saving breaks, the page says so with a code and the text is still there."""
    at = visit("j1")
    at.text_area(key="profile-text").set_value("Belangrijk verhaal").run()
    monkeypatch.setattr(Service, "save_junior", lambda *_: 1 / 0)
    at.button(key="profile-save").click().run()
    assert "Code" in at.error[0].value
    assert at.text_area(key="profile-text").value == "Belangrijk verhaal"
