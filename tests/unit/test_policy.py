"""What the guide does with each act, wherever it is said."""

from dataclasses import replace

import pytest

from recommender.dialogue.acts import Act, Heard, Name, Slot
from recommender.dialogue.brief import Brief, Wish, WishKind
from recommender.dialogue.policy import SURE, UPSET, Do, Named, respond
from recommender.dialogue.state import Kind, Offer, Question, Stage, State
from recommender.domain import JuniorId, SlateId

START = State(Stage.ASKING, ())
CARDS = State(Stage.CHOOSING, (), SlateId("s"), brief=Brief(("Excel",)))
ASKED = replace(CARDS, question=Question("meet", "meet", ("online", "on_site")))
CHECK = replace(CARDS, stage=Stage.CHECKING, picked=JuniorId("j1"))
OFFERED = replace(CARDS, offer=Offer.HAND_OVER)
SENT = replace(CARDS, stage=Stage.SENT)
EVERYWHERE = (START, CARDS, ASKED, CHECK, OFFERED, SENT)
NOTHING = Named()


def heard(act: Act, text: str = "iets", chance: float = 0.9, slots: tuple[Slot, ...] = ()) -> Heard:
    """Return a turn with one act."""
    return Heard(text, ((act, chance),), slots)


@pytest.mark.parametrize("state", EVERYWHERE)
@pytest.mark.parametrize("act", Act)
def test_there_is_always_something_to_do(state: State, act: Act) -> None:
    """No act leads nowhere: there is something to do, and where it is to tell, something is told."""
    plan = respond(state, heard(act), NOTHING)
    assert plan.do is not Do.TELL or plan.reply
    assert plan.do is not Do.SEARCH or (plan.brief and plan.brief.goals)


@pytest.mark.parametrize(
    ("state", "act", "named", "do"),
    [
        (START, Act.GOAL, NOTHING, Do.SEARCH),
        (CARDS, Act.CRITIQUE, Named((Wish(WishKind.ONLINE),)), Do.SEARCH),
        (START, Act.CRITIQUE, Named((Wish(WishKind.ONLINE),)), Do.NOTE),
        (ASKED, Act.ANSWER, NOTHING, Do.ANSWER),
        (ASKED, Act.CRITIQUE, Named((Wish(WishKind.ONLINE),)), Do.ANSWER),
        (ASKED, Act.SKIP, NOTHING, Do.SKIP),
        (ASKED, Act.NO, NOTHING, Do.SKIP),
        (CHECK, Act.YES, NOTHING, Do.CONFIRM),
        (CHECK, Act.NO, NOTHING, Do.BACK),
        (CHECK, Act.CHOOSE, Named(juniors=(JuniorId("j2"),)), Do.PICK),
        (OFFERED, Act.YES, NOTHING, Do.HAND_OVER),
        (CARDS, Act.CHOOSE, Named(juniors=(JuniorId("j2"),)), Do.PICK),
        (CARDS, Act.REFUSE_ALL, NOTHING, Do.REFUSE_ALL),
        (CARDS, Act.MORE, NOTHING, Do.MORE),
        (CARDS, Act.UNDO, NOTHING, Do.TELL),
        (CARDS, Act.RESTART, NOTHING, Do.RESTART),
    ],
)
def test_an_act_does_what_people_expect(state: State, act: Act, named: Named, do: Do) -> None:
    """The same words mean another thing at another moment."""
    assert respond(state, heard(act), named).do is do


@pytest.mark.parametrize("state", EVERYWHERE)
def test_upset_people_are_pointed_to_a_person(state: State) -> None:
    """Already a suspicion is enough: nobody is matched on what hurts."""
    plan = respond(state, replace(heard(Act.GOAL), upset=UPSET), Named(topics=("Outlook",)))
    assert (plan.do, plan.reply, plan.offer) == (Do.TELL, "care", Offer.HAND_OVER)


def test_below_the_bar_the_guide_asks() -> None:
    """It doesn't guess, and offers what may have been meant."""
    unclear = Heard("hm", ((Act.CHOOSE, SURE - 0.1), (Act.MORE, 0.2), (Act.HELP, 0.01)))
    plan = respond(CARDS, unclear, NOTHING)
    assert (plan.reply, plan.acts, plan.misunderstood) == ("unsure", (Act.CHOOSE, Act.MORE), True)


def test_the_second_misunderstanding_offers_a_person() -> None:
    """Twice in a row is enough."""
    plan = respond(replace(CARDS, misunderstood=1), heard(Act.CHOOSE, chance=0.2), NOTHING)
    assert (plan.reply, plan.offer) == ("unsure_again", Offer.HAND_OVER)


def test_acts_that_come_to_the_same_add_up() -> None:
    """At the start a goal and one more goal are one thing, so doubt between them is no doubt."""
    plan = respond(START, Heard("Excel", ((Act.GOAL, 0.3), (Act.ADD_GOAL, 0.3))), NOTHING)
    assert plan.do is Do.SEARCH


def test_a_town_is_nothing_to_learn() -> None:
    """Where a sentence holds wishes, only its subject is searched with; the wishes stand beside it."""
    wish = Wish(WishKind.PLACE, "Utrecht")
    turn = heard(Act.GOAL, "Excel leren van iemand in Utrecht", slots=(Slot(Name.TOPIC, "Excel"),))
    plan = respond(START, turn, Named((wish,), topics=("Excel",)))
    assert plan.brief == Brief(("Excel",), (wish,))


def test_a_new_goal_keeps_where_and_when() -> None:
    """A town holds for the next subject too; "not TikTok" doesn't."""
    before = CARDS.brief.wishing(Wish(WishKind.PLACE, "Gent"), Wish(WishKind.TOPIC, "TikTok", wanted=False))
    plan = respond(replace(CARDS, brief=before), heard(Act.GOAL, "Word"), NOTHING)
    assert plan.brief == Brief(("Word",), (Wish(WishKind.PLACE, "Gent"),))


def test_like_somebody_but_elsewhere() -> None:
    """Somebody like Sanne, but in Utrecht: two wishes."""
    named = Named((Wish(WishKind.PLACE, "Utrecht"),), (JuniorId("j1"),))
    plan = respond(CARDS, heard(Act.CRITIQUE), named)
    assert plan.brief
    assert [each.kind for each in plan.brief.wishes] == [WishKind.PLACE, WishKind.LIKE]


def test_a_name_that_nobody_has_is_said_to_be_unknown() -> None:
    """The guide doesn't take somebody else."""
    for act in (Act.CHOOSE, Act.WHY, Act.WHY_NOT, Act.CRITIQUE):
        assert respond(CARDS, heard(act), Named(unknown=("Xavi",))).reply == "unknown_name"


def test_an_aside_keeps_the_question_open() -> None:
    """Asking why doesn't answer."""
    plan = respond(ASKED, heard(Act.WHY_QUESTION), NOTHING)
    assert (plan.kind, plan.reply) == (Kind.ASK, "why_question")


def test_a_yes_never_sends_to_somebody_else() -> None:
    """While Sanne waits for a yes, "yes, but rather Piet" is about Piet, and an unknown name is nobody."""
    piet, xavi = Named(juniors=(JuniorId("j2"),)), Named(unknown=("Xavi",))
    for act in (Act.YES, Act.CHOOSE):
        assert respond(CHECK, heard(act), piet).do is Do.PICK
        assert respond(CHECK, heard(act), xavi).reply == "unknown_name"
        assert respond(CHECK, heard(act), Named(several=("Sanne",))).reply == "several"
        not_her = Named((Wish(WishKind.PERSON, "j1", wanted=False),))
        assert respond(CHECK, heard(act), not_her).do is Do.SEARCH


def test_the_second_is_a_card_unless_options_are_sentences() -> None:
    """While "online or at a table?" is open, "the second" is a person; of four sentences it is the second sentence."""
    named = Named(juniors=(JuniorId("j2"),))
    assert respond(ASKED, heard(Act.ANSWER), named).do is Do.PICK
    theme = replace(ASKED, question=Question("theme1", "theme", ("Ik doe Excel.", "Ik doe Word.")))
    assert respond(theme, heard(Act.ANSWER), named).do is Do.ANSWER
    with_day = Named((Wish(WishKind.DAY, "mon"),), (JuniorId("j2"),))
    assert respond(ASKED, heard(Act.ANSWER), with_day).do is Do.ANSWER
