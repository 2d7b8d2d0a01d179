"""The page of rounds: from a new round to publication, and what is said on the way."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from streamlit.testing.v1 import AppTest

from app import identity
from app import rounds_views as views
from app.identity import Role
from recommender.domain import JuniorId, SeniorId, Side
from recommender.matching import Aim
from recommender.rounds import Draft
from recommender.service import Service
from recommender.store.rounds import Options
from recommender.wording import LANGUAGES, Language, say
from tests.builders import a_senior

Visit = Callable[..., AppTest]

ASKERS = 5
PLACES = 8
"""Juniors of the test organisation, each with one place."""


@pytest.fixture(autouse=True)
def at_home(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the coordinator's visits begin at this page."""
    monkeypatch.setitem(identity.HOME, Role.COORDINATOR, "rounds")


def waiting(service: Service, number: int = ASKERS) -> None:
    """Let some people wait for somebody: all want to learn the same."""
    service.put_people(
        [
            a_senior(
                id=SeniorId(f"s{each}"),
                name=f"Vrager{each} Voorbeeld",
                text="Ik wil leren werken met Excel en draaitabellen.",
                email=f"s{each}@example.com",
            )
            for each in range(1, number + 1)
        ]
    )


def a_round(service: Service, number: int = ASKERS) -> Draft:
    """Start a round with some people."""
    waiting(service, number)
    return service.rounds.gather("Voorjaar", "coordinator")


def opened(visit: Visit, draft: Draft, language: Language = "nl", section: str = "pairs") -> AppTest:
    """Open a round on the page, at one of its parts."""
    at = visit("coordinator", language)
    at.button(key=f"round-open-{draft.round.id}").click().run()
    if section != "pairs":
        at.segmented_control(key="round-section-picked").set_value(section).run()
    assert not at.exception
    return at


def read(at: AppTest) -> str:
    """Return everything that can be read on the page, tables too."""
    parts = [*at.title, *at.header, *at.subheader, *at.markdown, *at.text, *at.caption]
    told = [part.value for part in [*parts, *at.warning, *at.error, *at.success]]
    tables = [each.value.to_csv() for each in at.table]
    return "\n".join([*told, *tables]).replace("\\", "")


@pytest.mark.parametrize("language", LANGUAGES)
def test_without_rounds_the_page_is_calm_and_each_aim_is_explained(visit: Visit, language: Language) -> None:
    """There is a form for the first round, with a sentence for each aim and for each weight."""
    at = visit("coordinator", language)
    assert not at.exception
    assert say("rounds.all_none", language) in read(at)
    assert at.radio(key="round-start-aim").options == [say(f"aim.{each}", language) for each in Aim]
    for name in views.SHARES:
        assert at.slider(key=f"round-start-{name}").label == say(f"rounds.option_{name}", language)


def test_new_round_is_gathered_with_what_was_asked_for(visit: Visit, service: Service) -> None:
    """Name, aim and weights reach the round, which is open afterwards; nobody is told anything."""
    waiting(service)
    at = visit("coordinator")
    at.text_input(key="round-name").set_value("Najaar").run()
    at.radio(key="round-start-aim").set_value(Aim.FAIREST).run()
    at.slider(key="round-start-balance_weight").set_value(60).run()
    at.button(key="round-gather").click().run()
    made = service.rounds.all()[0]
    assert (made.name, made.options.aim, made.options.balance_weight) == ("Najaar", Aim.FAIREST, 0.6)
    assert made.options.exchange_share == service.rounds.options().exchange_share
    assert at.header[0].value == "Najaar"
    assert say("rounds.nobody_told", "nl") in read(at)
    assert say("rounds.of", "nl", count=ASKERS, total=ASKERS) in read(at)
    assert not service.counts()["matches"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_round_without_a_name_is_refused_and_nothing_typed_is_lost(
    visit: Visit, service: Service, language: Language
) -> None:
    """The sentence says what is missing, and the options stay as they were set."""
    waiting(service)
    at = visit("coordinator", language)
    at.slider(key="round-start-waiting_weight").set_value(80).run()
    at.radio(key="round-start-aim").set_value(Aim.BEST_FIT).run()
    at.button(key="round-gather").click().run()
    assert say("error.round_name", language).split(",")[0] in at.error[0].value.replace("\\", "")
    assert at.slider(key="round-start-waiting_weight").value == 80
    assert at.radio(key="round-start-aim").value == Aim.BEST_FIT
    assert service.rounds.all() == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_draft_tells_of_each_pair_how_it_fits_and_how_it_was_made(
    visit: Visit, service: Service, language: Language
) -> None:
    """The list holds both names, the quality in words and as a number, the source and the places."""
    draft = a_round(service)
    told = read(opened(visit, draft, language))
    for pair in draft.pairs:
        senior, junior = service.senior(pair.senior_id).name, service.junior(pair.junior_id).name
        assert say("rounds.pair", language, senior=senior, junior=junior) in told
        assert views.fit_told(pair.quality, language) in told
    assert say("rounds.source_solver", language) in told
    assert say("review.places", language, taken=1, capacity=1) in told


def test_table_holds_what_the_list_holds(visit: Visit, service: Service) -> None:
    """The other view has a row for each pair with fit, places, source, lock and rule."""
    draft = a_round(service)
    at = opened(visit, draft)
    at.segmented_control(key="round-view").set_value("table").run()
    rows = at.table[0].value
    assert len(rows) == len(draft.pairs)
    assert list(rows.columns) == [
        say(f"rounds.head_{name}", "nl") for name in ("junior", "fit", "load", "source", "locked", "rule")
    ]


def test_long_list_is_drawn_ten_at_a_time_and_can_be_searched(visit: Visit, service: Service) -> None:
    """Only ten pairs are on the page; the next page has the others, and a name finds its own."""
    for number in range(1, PLACES + 1):
        service.put_people([replace(service.junior(f"j{number}"), capacity=3)])
    draft = a_round(service, 14)
    at = opened(visit, draft)
    assert len(at.subheader) == views.PAGE
    at.button(key="round-next-pairs").click().run()
    assert len(at.subheader) == len(draft.pairs) - views.PAGE
    at.text_input(key="round-search").set_value("vrager14").run()
    assert len(at.subheader) == 1


def test_lock_stays_when_the_rest_is_run_again(visit: Visit, service: Service) -> None:
    """A pair that is locked on the page is the same after a run with another aim."""
    draft = a_round(service)
    mine = draft.pairs[0]
    at = opened(visit, draft)
    at.toggle(key=f"round-lock-{mine.senior_id}").set_value(True).run()
    assert service.rounds.draft(draft.round.id).pairs[0].locked
    at.segmented_control(key="round-section-picked").set_value("again").run()
    assert say("rounds.again_text", "nl", count=1) in read(at)
    at.radio(key="round-again-aim").set_value(Aim.FAIREST).run()
    at.button(key="round-run").click().run()
    after = service.rounds.draft(draft.round.id)
    assert after.round.options.aim is Aim.FAIREST
    assert (after.pairs[0].junior_id, after.pairs[0].locked) == (mine.junior_id, True)


def test_several_pairs_are_locked_at_once(visit: Visit, service: Service) -> None:
    """Ticked pairs are locked in one step, which the history tells; the ticks are gone then."""
    draft = a_round(service)
    at = opened(visit, draft)
    for pair in draft.pairs[:3]:
        at.checkbox(key=f"round-tick-{pair.senior_id}").check().run()
    assert say("rounds.picked", "nl", count=3) in read(at)
    at.button(key="round-lock-picked").click().run()
    assert [each.locked for each in service.rounds.draft(draft.round.id).pairs] == [True] * 3 + [False] * 2
    assert say("rounds.picked", "nl", count=0) in read(at)
    assert [each.kind for each in service.rounds.history(draft.round.id)][:2] == ["round_locked", "round_run"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_somebody_else_was_first(visit: Visit, service: Service, language: Language) -> None:
    """The second is told who was first and what they did; nothing is overwritten, and the new state is shown."""
    draft = a_round(service)
    one, other = draft.pairs[0], draft.pairs[1]
    at = opened(visit, draft, language)
    at.checkbox(key=f"round-tick-{other.senior_id}").check().run()
    service.rounds.lock(draft.round.id, draft.round.version, "coordinator", [one.senior_id])
    at.button(key="round-lock-picked").click().run()
    told = at.error[0].value.replace("\\", "")
    assert told.startswith(views.with_capital(say("demo.name_coordinator", language)))
    assert say("step.round_locked", language) in told
    assert [each.locked for each in service.rounds.draft(draft.round.id).pairs[:2]] == [True, False]
    assert at.toggle(key=f"round-lock-{one.senior_id}").value is True
    assert at.checkbox(key=f"round-tick-{other.senior_id}").value is True
    at.button(key="round-lock-picked").click().run()
    assert not at.error
    assert service.rounds.draft(draft.round.id).pairs[1].locked


def test_pair_tells_why_and_who_else_it_could_have_been(visit: Visit, service: Service) -> None:
    """What was asked, evidence, all parts of the score, and candidates with whom they are paired with now."""
    draft = a_round(service)
    mine = draft.pairs[0]
    at = opened(visit, draft)
    at.button(key=f"round-look-{mine.senior_id}").click().run()
    assert not at.exception
    why = service.round_answers.why(draft.round.id, mine.senior_id)
    told = read(at)
    assert f"“{why.slate.request.text}”" in told
    assert all(f"“{each}”" in told for each in why.suggestion.evidence)
    assert len(at.table[0].value) == len(why.suggestion.contributions) + 1
    held = next(each for each in why.others if each.held_by)
    assert service.senior(held.held_by[0]).name in told


def test_cost_of_somebody_else_is_told_before_it_is_done(visit: Visit, service: Service) -> None:
    """Choosing a junior by hand tells what others lose, then makes a locked pair."""
    draft = a_round(service)
    mine, other = draft.pairs[0], draft.pairs[1]
    at = opened(visit, draft)
    at.button(key=f"round-look-{mine.senior_id}").click().run()
    at.selectbox(key=f"round-hand-{mine.senior_id}").set_value(other.junior_id).run()
    cost = service.round_answers.forcing(draft.round.id, mine.senior_id, other.junior_id)
    assert views.forced(cost, "nl") in read(at)
    assert service.senior(other.senior_id).name in read(at)
    at.button(key=f"round-hand-yes-{mine.senior_id}").click().run()
    made = service.rounds.draft(draft.round.id).pairs[0]
    assert (made.junior_id, made.source, made.locked) == (other.junior_id, "hand", True)
    assert say("rounds.source_hand", "nl") in read(at)


def test_pair_by_hand_that_breaks_a_rule_is_refused_with_the_names(visit: Visit, service: Service) -> None:
    """Two who share no language don't become a pair; the sentence names them and the rule, the choice stays."""
    draft = a_round(service)
    mine = draft.pairs[0].senior_id
    service.put_people([replace(service.junior("j8"), languages=("tr",))])
    at = opened(visit, draft)
    at.button(key=f"round-look-{mine}").click().run()
    at.selectbox(key=f"round-hand-{mine}").set_value("j8").run()
    at.button(key=f"round-hand-yes-{mine}").click().run()
    told = at.error[0].value.replace("\\", "")
    assert say("rule.no_shared_language", "nl").lower() in told.lower()
    assert service.senior(mine).name in told
    assert at.selectbox(key=f"round-hand-{mine}").value == "j8"
    assert service.rounds.draft(draft.round.id).pairs == draft.pairs


def test_pair_taken_apart_leaves_somebody_over(visit: Visit, service: Service) -> None:
    """The page counts the one who is left over now."""
    draft = a_round(service)
    mine = draft.pairs[0].senior_id
    at = opened(visit, draft)
    at.button(key=f"round-look-{mine}").click().run()
    at.button(key=f"round-unpair-{mine}").click().run()
    assert service.rounds.draft(draft.round.id).left_over == (mine,)
    assert say("rounds.of", "nl", count=ASKERS - 1, total=ASKERS) in read(at)


@pytest.mark.parametrize("language", LANGUAGES)
def test_people_left_over_hear_why_and_the_smallest_change(visit: Visit, service: Service, language: Language) -> None:
    """With fewer places than people each has a reason and a change in one sentence, and the group is told once."""
    draft = a_round(service, PLACES + 2)
    assert len(draft.left_over) == 2
    told = read(opened(visit, draft, language, "left"))
    assert say("leftover.all_taken", language) in told
    assert say("rounds.shared", language, people=PLACES + 2, places=PLACES) in told
    for each in service.round_answers.left_over(draft.round.id):
        assert each.change
        assert each.change.junior_id
        names = {"name": service.senior(each.senior_id).name, "junior": service.junior(each.change.junior_id).name}
        assert say(f"fix.{each.change.kind}", language, value="", **names) in told


def test_somebody_left_over_is_paired_by_hand(visit: Visit, service: Service) -> None:
    """Whom the aim left over gets a junior whose pair was not locked."""
    draft = a_round(service, PLACES + 1)
    left = draft.left_over[0]
    at = opened(visit, draft, section="left")
    at.button(key=f"round-choose-{left}").click().run()
    at.selectbox(key=f"round-hand-{left}").set_value("j1").run()
    at.button(key=f"round-hand-yes-{left}").click().run()
    pairs = {each.senior_id: each.junior_id for each in service.rounds.draft(draft.round.id).pairs}
    assert pairs[left] == JuniorId("j1")
    assert len(pairs) == PLACES


@pytest.mark.parametrize("language", LANGUAGES)
def test_three_aims_stand_side_by_side_and_one_can_be_used(visit: Visit, service: Service, language: Language) -> None:
    """Each aim is a column of numbers; using one runs the round with it."""
    draft = a_round(service)
    at = opened(visit, draft, language, "compare")
    found = service.round_answers.scenarios(draft.round.id)
    heads, rows = views.scenarios(found, language)
    drawn = at.table[0].value
    assert [each.replace("\\", "") for each in drawn.columns] == heads
    assert [[cell.replace("\\", "") for cell in row] for row in drawn.to_numpy().tolist()] == list(rows.values())
    at.button(key=f"round-use-{Aim.FAIREST}").click().run()
    assert service.rounds.round(draft.round.id).options.aim is Aim.FAIREST


def test_last_step_can_be_taken_back_and_then_the_one_before(visit: Visit, service: Service) -> None:
    """Only the newest step has the button; it restores the draft, and the one before has it then."""
    draft = a_round(service)
    service.rounds.lock(draft.round.id, draft.round.version, "coordinator", [draft.pairs[0].senior_id])
    at = opened(visit, draft, section="steps")
    undo = [each for each in at.button if str(each.key).startswith("round-undo-")]
    assert len(undo) == 1
    undo[0].click().run()
    assert service.rounds.draft(draft.round.id).pairs == draft.pairs
    assert say("rounds.undone", "nl") in read(at)
    (again,) = [each for each in at.button if str(each.key).startswith("round-undo-")]
    assert again.key != undo[0].key


@pytest.mark.parametrize("language", LANGUAGES)
def test_publication_says_first_what_it_does_and_can_be_taken_back_whole(
    visit: Visit, service: Service, language: Language
) -> None:
    """The dialog counts letters and tells what the check found; then all are invited, and undo takes all back."""
    draft = a_round(service)
    at = opened(visit, draft, language)
    at.button(key="round-publish").click().run()
    told = read(at)
    assert say("rounds.publish_letters", language, letters=ASKERS, pairs=ASKERS) in told
    assert say("rounds.publish_without", language, count=ASKERS) in told
    assert say("rounds.checked", language, pairs=ASKERS) in told
    at.button(key="round-publish-yes").click().run()
    assert not at.exception
    assert service.rounds.round(draft.round.id).state == "published"
    at.run()
    assert service.counts()["matches"] == ASKERS
    (undo,) = [each for each in at.button if each.label == say("rounds.undo_all", language)]
    undo.click().run()
    assert service.counts()["matches"] == 0
    assert service.rounds.draft(draft.round.id).pairs == draft.pairs
    assert say("rounds.nobody_told", language) in read(at)


@pytest.mark.parametrize("language", LANGUAGES)
def test_broken_rule_blocks_publication_and_is_named(visit: Visit, service: Service, language: Language) -> None:
    """A pair that broke a rule since is named with it, on the page and in the dialog, and nothing can be sent."""
    draft = a_round(service)
    junior = service.junior(draft.pairs[0].junior_id)
    service.put_people([replace(junior, consent=False)])
    at = opened(visit, draft, language)
    sentence = say(
        "rounds.broken",
        language,
        senior=service.senior(draft.pairs[0].senior_id).name,
        junior=junior.name,
        rule=say("rule.no_consent", language),
    )
    assert sentence in read(at)
    at.button(key="round-publish").click().run()
    assert read(at).count(sentence) == 2
    assert at.button(key="round-publish-yes").disabled


def test_published_round_that_was_answered_does_not_go_back(visit: Visit, service: Service) -> None:
    """Once somebody has answered the page says why the whole can't go back."""
    draft = a_round(service)
    service.rounds.publish(draft.round.id, draft.round.version, "coordinator")
    pair = service.pairs.all()[0]
    service.pairs.answer(pair.id, Side.SENIOR, True, pair.senior_id)
    at = opened(visit, draft)
    (undo,) = [each for each in at.button if each.label == say("rounds.undo_all", "nl")]
    undo.click().run()
    assert at.error[0].value == say("rounds.undo_too_late", "nl")
    assert service.counts()["matches"] == ASKERS


def test_round_is_put_away_and_taken_back(visit: Visit, service: Service) -> None:
    """Putting away asks first; the step can be undone from the round itself."""
    draft = a_round(service)
    at = opened(visit, draft)
    at.button(key="round-discard-yes").click().run()
    assert service.rounds.round(draft.round.id).state == "discarded"
    assert say("rounds.discarded", "nl") in read(at)
    next(each for each in at.button if str(each.key).startswith("round-undo-")).click().run()
    assert service.rounds.round(draft.round.id).state == "draft"


def test_names_are_never_markdown(visit: Visit, service: Service) -> None:
    """A name with marks is shown as it is in headings, sentences and errors."""
    draft = a_round(service)
    mine = draft.pairs[0].senior_id
    service.put_people([replace(service.senior(mine), name="**Sterk** <b>x</b>")])
    at = opened(visit, draft)
    assert any("\\*\\*Sterk\\*\\*" in each.value for each in at.subheader)


def test_only_the_coordinator_sees_rounds(visit: Visit, service: Service) -> None:
    """Others get a page of their own, without names from a round."""
    draft = a_round(service)
    for who in ("scientist", "j8"):
        assert service.senior(draft.pairs[0].senior_id).name not in read(visit(who))


# In words


def test_options_that_were_not_moved_keep_their_exact_value() -> None:
    """A slider holds whole percents; what it can't show isn't changed by drawing it."""
    options = Options(minimum_quality=0.123)
    assert views.with_percent(options, "minimum_quality", views.percent(options, "minimum_quality")) == options
    assert views.with_percent(options, "minimum_quality", 40).minimum_quality == 0.4


@pytest.mark.parametrize("language", LANGUAGES)
def test_many_names_are_counted(language: Language) -> None:
    """A few people are named, of many the first with how many more there are."""
    assert views.named(["Jan", "An"], language) == f"Jan {say('word.and', language)} An"
    assert views.named([str(each) for each in range(20)], language).startswith("0, 1, 2, 3, 4 ")
    assert "15" in views.named([str(each) for each in range(20)], language)


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_share_is_told_in_words(language: Language) -> None:
    """Every position of a slider has a sentence, and the ends differ."""
    for name in views.SHARES:
        told = [views.share_told(name, value / 100, language) for value in range(0, 101, 5)]
        assert len(set(told)) == 4
