"""Conversations over a real store: nothing is lost, everything can be undone, and what is told is what counted."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from recommender import explain
from recommender.conversing import MAX_REQUEST, Conversing
from recommender.dialogue.acts import Act, Context, Heard, Name, Slot
from recommender.dialogue.brief import Brief, Wish, WishKind
from recommender.dialogue.state import Kind, Offer, Stage, State
from recommender.domain import ConversationId, Remote, SeniorId
from recommender.encoder import HashingEncoder
from recommender.errors import Conflict, InputRefused
from recommender.features import TEXT_FEATURES
from recommender.guide import SHOWN_AT_ONCE
from recommender.questions import ANYTHING
from recommender.ranker import AdditiveRanker, Curve, similarity_only
from recommender.recommending import Ranking, Recommender
from recommender.replies import Known, replies
from recommender.service import Service
from recommender.store import Store
from recommender.wording import LANGUAGES, Language
from tests.builders import a_junior, a_senior
from tests.integration.test_service import Clock

S1 = SeniorId("s1")
SUBJECTS = (
    "draaitabellen in Excel",
    "grafieken in Excel",
    "formules in Excel",
    "filmpjes op TikTok",
    "vergaderen in Teams",
)


class Understands:
    """A hearer that is told what each text does and names: here it isn't understanding that is tested."""

    def __init__(self, known: dict[str, tuple[Act, tuple[Slot, ...]]]) -> None:
        self.known, self.contexts = known, list[Context]()

    def hear(self, text: str, context: Context) -> Heard:
        """Return what was told, else a goal."""
        self.contexts.append(context)
        act, slots = self.known.get(text, (Act.GOAL, ()))
        return Heard(text, ((act, 0.9),), slots, upset=0.9 if act is Act.UPSET else 0.0)


HEARS = {
    "in Gent": (Act.CRITIQUE, (Slot(Name.PLACE, "Gent"),)),
    "in Tokyo": (Act.CRITIQUE, (Slot(Name.PLACE, "Tokyo"),)),
    "ja": (Act.YES, ()),
    "nee": (Act.NO, ()),
    "waarom": (Act.WHY, ()),
    "waarom niet Junior": (Act.WHY_NOT, (Slot(Name.PERSON, "Achttien"),)),
    "vergelijk": (Act.COMPARE, ()),
    "wie ben ik": (Act.ABOUT_ME, ()),
    "mens": (Act.HUMAN, ()),
    "pesten": (Act.UPSET, ()),
    "geen": (Act.REFUSE_ALL, ()),
    "de tweede": (Act.CHOOSE, (Slot(Name.NUMBER, "tweede"),)),
    "terug": (Act.UNDO, ()),
    "als Een": (Act.CRITIQUE, (Slot(Name.PERSON, "Een"), Slot(Name.PLACE, "Gent"))),
}


@pytest.fixture
def service() -> Iterator[Service]:
    """Give a service with one senior and twenty juniors in two towns."""
    store = Store(None)
    recommender = Recommender(store, HashingEncoder(), similarity_only)
    made = Service(store, recommender, Clock(), hearer=Understands(HEARS))
    names = ("Een", "Twee", "Drie", "Vier", "Vijf", "Zes", "Zeven", "Acht", "Negen", "Tien", "Elf", "Twaalf")
    names += ("Dertien", "Veertien", "Vijftien", "Zestien", "Zeventien", "Achttien", "Negentien", "Twintig")
    juniors = [
        a_junior(
            id=f"j{number:02}",
            name=f"{names[number]} Bos",
            text=f"Ik help met {SUBJECTS[number % 5]}. Nummer {number}.",
            site="Gent" if number % 2 else "Utrecht",
            remote=Remote.BOTH if number % 3 else Remote.ON_SITE,
            wants="Leren hoe het hier echt werkt.",
        )
        for number in range(20)
    ]
    made.put_people([a_senior(site="Utrecht"), *juniors])
    yield made
    store.close()


@pytest.fixture
def talk(service: Service) -> ConversationId:
    """Give a conversation in which Excel was asked for."""
    where = service.talk.new_conversation(S1, "nl")
    service.talk.say(where, S1, "draaitabellen in Excel", "nl")
    return where


def told(service: Service, state: State, language: Language = "nl") -> str:
    """Return what the guide said last."""
    return "\n".join(replies(state, Known(service.junior, service.slate, service.senior(S1)), language))


def test_a_wish_shows_others_and_says_what_changed(service: Service, talk: ConversationId) -> None:
    """After "in Gent" everybody shown is there, the wish is a chip, and who is new is named."""
    state = service.talk.hear(talk, S1, "in Gent", "nl")
    shown = service.talk.on_screen(state)
    assert state.brief.wishes == (Wish(WishKind.PLACE, "Gent"),)
    assert {service.junior(each).site for each, _ in shown} == {"Gent"}
    new = [name.split()[0] for each, name in shown if each in state.replies[0].told["new"]]
    assert new
    assert all(name in told(service, state) for name in new)


def test_the_blocking_wish_is_named_and_dropped_on_a_yes(service: Service, talk: ConversationId) -> None:
    """Nobody in Tokyo: the wish is named, yes drops it and nothing else."""
    service.talk.wish(talk, S1, Wish(WishKind.ONLINE), "nl")
    state = service.talk.hear(talk, S1, "in Tokyo", "nl")
    assert state.offer is Offer.DROP
    assert "Tokyo" in told(service, state)
    state = service.talk.hear(talk, S1, "ja", "nl")
    assert state.stage is Stage.CHOOSING
    assert WishKind.PLACE not in {each.kind for each in state.brief.wishes}


def test_upset_is_never_matched_on(service: Service, talk: ConversationId) -> None:
    """No search is made, a person is offered, and yes hands the conversation over with its words."""
    requests = service.counts()["requests"]
    state = service.talk.hear(talk, S1, "pesten", "nl")
    assert service.counts()["requests"] == requests
    assert state.offer is Offer.HAND_OVER
    state = service.talk.hear(talk, S1, "ja", "nl")
    assert state.handed_over
    ((handed, there),) = service.handed_over()
    assert handed.senior_id == S1
    assert "pesten" in [turn.said for turn in there.turns]
    service.spoken_with(talk, "coordinator")
    assert service.handed_over() == []


def test_handing_over_can_be_undone(service: Service, talk: ConversationId) -> None:
    """Undo takes the conversation from the coordinator's list; handing over twice is once."""
    service.talk.hand_over(talk)
    service.talk.hand_over(talk)
    assert len(service.handed_over()) == 1
    service.talk.undo(talk)
    assert service.handed_over() == []


@pytest.mark.parametrize("said", [each for each in HEARS if each not in ("terug", "ja", "nee")])
def test_every_turn_can_be_undone(service: Service, talk: ConversationId, said: str) -> None:
    """Whatever was said, one undo brings the state before it back, but for what was asked."""
    before = service.talk.state(talk)
    service.talk.hear(talk, S1, said, "nl")
    after = service.talk.hear(talk, S1, "terug", "nl")
    assert replace(after, asked=before.asked) == before


def test_a_question_is_answered_skipped_and_never_repeated(service: Service, talk: ConversationId) -> None:
    """Each id comes once, at most three in all, whatever is done with them."""
    ids: list[str] = []
    for step in range(8):
        state = service.talk.state(talk)
        if state.question is None:
            state = service.talk.wish(talk, S1, Wish(WishKind.DAY, ("mon", "tue", "wed", "thu", "fri")[step % 5]), "nl")
        elif state.question.id not in ids:
            ids.append(state.question.id)
            options = (*state.question.options, ANYTHING)
            service.talk.answer(talk, S1, options[step % len(options)], "nl")
    asked = service.talk.state(talk).asked
    assert len(asked) == len(set(asked)) <= 3


def test_an_answer_that_is_not_offered_is_refused(service: Service, talk: ConversationId) -> None:
    """A late click on an old question changes nothing."""
    before = service.talk.state(talk)
    with pytest.raises(Conflict):
        service.talk.answer(talk, S1, "on_the_moon", "nl")
    assert service.talk.state(talk) == before


def test_refusing_all_shows_the_next_three(service: Service, talk: ConversationId) -> None:
    """Those who were on screen are gone, also after a wish; the log knows."""
    first = [each for each, _ in service.talk.on_screen(service.talk.state(talk))]
    state = service.talk.hear(talk, S1, "geen", "nl")
    assert not set(first) & {each for each, _ in service.talk.on_screen(state)}
    state = service.talk.wish(talk, S1, Wish(WishKind.ON_SITE), "nl")
    assert not set(first) & {each for each, _ in service.talk.on_screen(state)}


def test_chips_can_be_removed_and_reworded(service: Service, talk: ConversationId) -> None:
    """A goal can be put in other words or taken away; without any the guide asks again."""
    state = service.talk.reword(talk, S1, "draaitabellen in Excel", "filmpjes op TikTok", "nl")
    assert state.brief.goals == ("filmpjes op TikTok",)
    state = service.talk.drop(talk, S1, "filmpjes op TikTok", "nl")
    assert (state.stage, state.slate_id, state.brief.goals) == (Stage.ASKING, None, ())
    assert service.talk.undo(talk).stage is Stage.CHOOSING


def test_what_is_given_back_counts(service: Service, talk: ConversationId) -> None:
    """What the senior offers is stored with the conversation and used in the ranking."""
    given = Brief(("Excel",), gives_back="Hoe het hier echt werkt")
    ranking = service.recommender.rank(given, service.senior(S1), "nl", Clock()())
    plain = service.recommender.rank(Brief(("Excel",)), service.senior(S1), "nl", Clock()())
    exchange = list(ranking.ranker.contributions(ranking.features)[0])
    assert exchange != list(plain.ranker.contributions(plain.features)[0])
    assert service.talk.give(talk, "mijn netwerk").brief.gives_back == "mijn netwerk"


def test_like_somebody_but_in_another_town(service: Service, talk: ConversationId) -> None:
    """Whoever is named isn't who is found, and the town holds."""
    state = service.talk.hear(talk, S1, "als Een", "nl")
    assert {each.kind for each in state.brief.wishes} == {WishKind.LIKE, WishKind.PLACE}
    assert {service.junior(each).site for each, _ in service.talk.on_screen(state)} == {"Gent"}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    "said", ["waarom", "waarom niet Junior", "vergelijk", "wie ben ik", "mens", "geen", "de tweede"]
)
def test_everything_has_an_answer(service: Service, talk: ConversationId, said: str, language: Language) -> None:
    """Each question gets sentences in the reader's language."""
    assert told(service, service.talk.hear(talk, S1, said, language), language)


def test_nothing_that_is_refused_leaves_a_trace(service: Service, talk: ConversationId) -> None:
    """Too long, empty, half a character: a sentence, and the conversation as it was."""
    before = service.talk.state(talk)
    for said in ("x" * (MAX_REQUEST + 1), "   ", "?!", "\ud83d"):
        with pytest.raises(InputRefused) as refused:
            service.talk.hear(talk, S1, said, "nl")
        assert refused.value.sentence("nl")
    assert service.talk.state(talk) == before


def test_a_conversation_survives_a_restart(tmp_path: Path) -> None:
    """Closed and opened again, every chip, question and card is there."""
    path, encoder = tmp_path / "t.duckdb", HashingEncoder()

    def opened() -> Service:
        store = Store(path)
        return Service(store, Recommender(store, encoder, similarity_only), hearer=Understands(HEARS))

    first = opened()
    first.put_people([a_senior(), *(a_junior(id=f"j{each}", site="Gent") for each in range(8))])
    talk = first.talk.new_conversation(S1, "nl")
    first.talk.hear(talk, S1, "Excel", "nl")
    before = first.talk.hear(talk, S1, "in Gent", "nl")
    first.store.close()
    again = opened()
    assert again.talk.state(again.talk.conversation(S1, "nl")) == before
    again.store.close()


# What is told is what counted


def ranked(service: Service, *wishes: Wish) -> Ranking:
    """Return the ranking for Excel with some wishes."""
    brief = Brief(("draaitabellen in Excel",), wishes)
    return service.recommender.rank(brief, service.senior(S1), "nl", Clock()())


def without(name: str) -> AdditiveRanker:
    """Return a ranker that gives one feature no say."""
    ranker = similarity_only()
    return replace(ranker, curves=dict(ranker.curves) | {name: Curve.line(0.0, 0.0)})


def test_why_not_names_what_decides(service: Service) -> None:
    """Raise just what is named to the level of the third, and the junior is among the first three."""
    ranking = ranked(service, Wish(WishKind.LIKE, "j01"))
    shown = [ranking.juniors.population.juniors[each].id for each in ranking.places[:SHOWN_AT_ONCE]]
    checked = 0
    for row in range(SHOWN_AT_ONCE, len(ranking.places)):
        junior = ranking.juniors.population.juniors[ranking.places[row]]
        answer = explain.why_not(ranking, junior.id, shown)
        own, third = ranking.contributions(row), ranking.contributions(SHOWN_AT_ONCE - 1)
        changed = dict(own)
        for name in answer["less"]:
            for each in TEXT_FEATURES if name == "text" else (name,):
                changed[each] = third[each]
        assert sum(changed.values()) >= sum(third.values()) - 1e-9
        fewer = {name: third[name] for name in answer["less"][:-1] if name != "text"}
        if answer["less"][-1:] != ["text"] and "text" not in answer["less"]:
            assert sum((own | fewer).values()) < sum(third.values())
        checked += 1
    assert checked > 10


def test_a_wish_that_is_told_is_what_moved(service: Service) -> None:
    """Take the named wish away, and whoever it speaks for falls; a sentence goes with its contribution."""
    wish = Wish(WishKind.LIKE, "j05")
    with_it, without_it = ranked(service, wish), ranked(service)
    moved = 0
    slate = service.recommender.slate(with_it, 5)
    for suggestion in slate.suggestions:
        junior = service.junior(suggestion.junior_id)
        sentence = explain.say("why.wished_like", "nl", name=junior.name.split()[0])
        assert (sentence in explain.why(suggestion, junior, "nl")) == (suggestion.contributions["wished_like"] > 0)
        before, after = without_it.row_of(junior.id), with_it.row_of(junior.id)
        assert before is not None
        assert after is not None
        moved += before > after
    assert moved


@pytest.mark.parametrize("name", ["place", "days", "wish_to_teach", "distance"])
def test_each_reason_is_a_feature_that_counts(service: Service, name: str) -> None:
    """Take the feature that a sentence names out of the ranker: the sentence goes, and the junior falls."""
    favourite = a_junior(
        id="j90", name="Eenennegentig Bos", text="Ik help met grafieken in Excel. Nummer 1.", site="Utrecht"
    )
    better = {"place": {}, "days": {"days": ("tue", "wed")}, "wish_to_teach": {"wish_to_teach": 5}, "distance": {}}
    worse = {
        "place": {"site": "Gent"},
        "days": {"days": ("mon",)},
        "wish_to_teach": {"wish_to_teach": 1},
        "distance": {"department": "Verkoop"},
    }
    juniors = [
        replace(each, **({"site": "Utrecht", "remote": Remote.BOTH, "wants": ""} | worse[name]))
        for each in service.store.people.juniors()
    ]
    senior = replace(service.senior(S1), days=("tue", "wed"))
    service.put_people([senior, *juniors, replace(favourite, **better[name])])
    blind = Recommender(service.store, HashingEncoder(), lambda: without(name))
    brief = Brief(("grafieken in Excel",))
    seen, unseen = (each.rank(brief, senior, "nl", Clock()()) for each in (service.recommender, blind))
    said = explain.say(f"reason.{name}", "nl", site="Utrecht")
    before, after = (
        next(each for each in recommender.slate(ranking, 30).suggestions if each.junior_id == "j90")
        for recommender, ranking in ((service.recommender, seen), (blind, unseen))
    )
    assert f"{said}." in explain.why(before, favourite, "nl")
    assert f"{said}." not in explain.why(after, favourite, "nl")
    assert before.rank < after.rank


def test_who_is_left_out_gets_the_rule(service: Service) -> None:
    """A rule or a wish decides: it is named, with what would have to change, but for what is between two others."""
    full = service.junior("j17")
    service.put_people([replace(full, consent=False)])
    answer = explain.why_not(ranked(service), "j17", ["j00"])
    assert answer["rule"] == "no_consent"
    assert explain.why_not(ranked(service, Wish(WishKind.PLACE, "Utrecht")), "j01", ["j00"])["rule"] == "wish"
    for language in LANGUAGES:
        (said,) = explain.why_not_sentences(answer, full, language)
        assert explain.say("rule.no_consent", language) not in said
        assert len(explain.why_not_sentences(answer | {"rule": "full"}, full, language)) == 2


def test_the_language_model_only_rephrases(service: Service) -> None:
    """A phraser sees our own plain sentences and nothing of anybody; what it says back stands only for those."""
    seen: list[str] = []

    class Loud:
        def rephrase(self, sentence: str, language: Language) -> str:
            seen.append(sentence)
            return "ANDERS GEZEGD"

        def propose(self, text: str, slots: object) -> list[tuple[str, str]]:
            seen.append(text)
            return [("place", "Gent")]

    talk = Conversing(service.store, service.recommender, Clock(), Understands(HEARS), Loud())
    where = talk.new_conversation(S1, "nl")
    talk.say(where, S1, "draaitabellen in Excel", "nl")
    plain = service.talk.state(where)
    for said in ("waarom", "vergelijk", "wie ben ik", "in Gent", "de tweede", "nee"):
        talk.hear(where, S1, said, "nl")
    assert not seen
    state = talk.ask(where, S1, "help", (), "nl")
    assert told(service, state) == "ANDERS GEZEGD"
    assert all("Bos" not in each for each in seen)
    assert plain.slate_id


def test_kinds_cover_what_is_stored(service: Service, talk: ConversationId) -> None:
    """Every stored turn has a kind that is known."""
    for said in HEARS:
        service.talk.hear(talk, S1, said, "nl")
    assert {turn.kind for turn in service.store.conversations.turns(talk)} <= set(Kind)


# Late clicks and second tabs


def test_a_second_tab_that_is_behind_is_refused(service: Service, talk: ConversationId) -> None:
    """A wish that was being looked for while the other tab did something changes nothing, and nothing is lost."""
    rank = service.recommender.rank

    def slow(*given: object, **named: object) -> Ranking:
        service.recommender.rank = rank  # type: ignore[method-assign]
        service.talk.wish(talk, S1, Wish(WishKind.ON_SITE), "nl")
        return rank(*given, **named)  # type: ignore[arg-type]

    service.recommender.rank = slow  # type: ignore[assignment, method-assign]
    with pytest.raises(Conflict):
        service.talk.wish(talk, S1, Wish(WishKind.PLACE, "Gent"), "nl")
    assert service.talk.state(talk).brief.wishes == (Wish(WishKind.ON_SITE),)


def test_a_restart_can_be_taken_back(service: Service, talk: ConversationId) -> None:
    """Everything that stood there stands there again."""
    before = service.talk.state(talk)
    assert service.talk.restart(talk).can_undo
    after = service.talk.undo(talk)
    assert (after.brief, after.slate_id, after.stage) == (before.brief, before.slate_id, before.stage)


def test_whoever_was_put_aside_stays_so_after_a_dead_end(service: Service, talk: ConversationId) -> None:
    """Also when wishes left nobody in between."""
    gone = service.talk.on_screen(service.talk.state(talk))[0][0]
    service.talk.refuse(talk, gone)
    service.talk.hear(talk, S1, "in Tokyo", "nl")
    state = service.talk.hear(talk, S1, "ja", "nl")
    assert gone not in {each for each, _ in service.talk.on_screen(state)}


def test_a_late_click_changes_nothing(service: Service, talk: ConversationId) -> None:
    """On a card that isn't there, a question of before, a wish after sending."""
    with pytest.raises(InputRefused):
        service.talk.refuse(talk, "j99")
    with pytest.raises(Conflict):
        service.talk.skip(talk, question_id="of_before")
    service.talk.pick(talk, service.talk.on_screen(service.talk.state(talk))[0][0])
    service.talk.confirm(talk, S1)
    for late in (
        lambda: service.talk.wish(talk, S1, Wish(WishKind.ONLINE), "nl"),
        lambda: service.talk.drop(talk, S1, "draaitabellen in Excel", "nl"),
        lambda: service.talk.drop_blocking(talk, S1, "nl"),
    ):
        with pytest.raises(Conflict):
            late()
    assert len(service.reviewing.waiting()) == 1


@pytest.mark.parametrize("do", ["reword", "give"])
def test_hurt_in_other_places_is_seen_too(service: Service, talk: ConversationId, do: str) -> None:
    """Also in a goal that is put in other words, and in what is given back."""
    requests = service.counts()["requests"]
    if do == "reword":
        state = service.talk.reword(talk, S1, "draaitabellen in Excel", "pesten", "nl")
    else:
        state = service.talk.give(talk, "pesten")
    assert state.offer is Offer.HAND_OVER
    assert service.counts()["requests"] == requests
    assert "pesten" not in (*state.brief.goals, state.brief.gives_back)


def test_the_coordinator_reads_what_was_handed_over(service: Service, talk: ConversationId) -> None:
    """Not what the senior did afterwards."""
    service.talk.hear(talk, S1, "mens", "nl")
    service.talk.hand_over(talk)
    service.talk.restart(talk)
    service.talk.say(talk, S1, "heel iets anders", "nl")
    ((_, there),) = service.handed_over()
    said = [turn.said for turn in there.turns]
    assert "mens" in said
    assert "heel iets anders" not in said
    assert service.talk.with_person(talk)
    service.spoken_with(talk, "coordinator")
    assert not service.talk.with_person(talk)


def test_searching_again_keeps_wishes(service: Service, talk: ConversationId) -> None:
    """After a choice that came to nothing the whole brief is searched with once more."""
    service.talk.wish(talk, S1, Wish(WishKind.PLACE, "Gent"), "nl")
    before = service.talk.state(talk).brief
    assert service.talk.again(talk, S1, "nl").brief == before


def test_a_weekend_is_a_dead_end_with_words(service: Service, talk: ConversationId) -> None:
    """Nobody can on Saturday: said, not broken."""
    state = service.talk.wish(talk, S1, Wish(WishKind.DAY, "sat"), "nl")
    assert "zaterdag" in told(service, state) or state.stage is Stage.CHOOSING
