"""The conversation is what its turns add up to."""

import pytest

from recommender.dialogue.state import GUIDE, SENIOR, Kind, Stage, allowed, state_of
from recommender.domain import Turn

SENIORS = {Kind.GOAL, Kind.PICK, Kind.CONFIRM, Kind.BACK, Kind.REFUSE, Kind.MORE, Kind.UNDO, Kind.RESTART}


def turns(*kinds: Kind) -> list[Turn]:
    """Return a conversation with these turns."""
    return [
        Turn("c", place, SENIOR if kind in SENIORS else GUIDE, kind, slate_id="slate", junior_id="j1")
        for place, kind in enumerate((Kind.GREETING, *kinds))
    ]


ASKED = (Kind.GOAL, Kind.SLATE)
CHECKED = (*ASKED, Kind.PICK, Kind.CHECK)
SENT = (*CHECKED, Kind.CONFIRM, Kind.SENT)


@pytest.mark.parametrize(
    ("said", "stage"),
    [
        ((), Stage.ASKING),
        ((Kind.GOAL, Kind.NOBODY), Stage.ASKING),
        (ASKED, Stage.CHOOSING),
        (CHECKED, Stage.CHECKING),
        ((*CHECKED, Kind.BACK), Stage.CHOOSING),
        (SENT, Stage.SENT),
        ((*SENT, Kind.RESTART, Kind.GREETING), Stage.ASKING),
    ],
)
def test_stage(said: tuple[Kind, ...], stage: Stage) -> None:
    """Each turn leads to the stage the senior expects."""
    assert state_of(turns(*said)).stage is stage


@pytest.mark.parametrize("before", [(), ASKED, CHECKED, (*CHECKED, Kind.BACK), (*ASKED, Kind.REFUSE, Kind.MORE)])
@pytest.mark.parametrize("step", [ASKED, (Kind.PICK, Kind.CHECK), (Kind.MORE,), (Kind.REFUSE,)])
def test_undo_restores_the_state_before(before: tuple[Kind, ...], step: tuple[Kind, ...]) -> None:
    """Any step and its undo leave the state as it was."""
    assert state_of(turns(*before, *step, Kind.UNDO)) == state_of(turns(*before))


def test_undo_goes_back_as_far_as_the_greeting() -> None:
    """Undo can be pressed for each step, and then there is nothing left to undo."""
    everything = state_of(turns(*SENT, *[Kind.UNDO] * 3))
    assert everything.stage is Stage.ASKING
    assert not everything.can_undo
    assert [turn.kind for turn in everything.turns] == [Kind.GREETING]


def test_a_late_click_is_not_allowed() -> None:
    """After sending, a card of before can't be picked; before asking, nothing can."""
    assert not allowed(state_of(turns(*SENT)), Kind.PICK)
    assert not allowed(state_of(turns()), Kind.CONFIRM)
    assert not allowed(state_of(turns()), Kind.UNDO)
    assert allowed(state_of(turns(*ASKED)), Kind.PICK)


def test_a_new_goal_forgets_what_was_put_aside() -> None:
    """Refusals and extra cards belong to one slate."""
    state = state_of(turns(*ASKED, Kind.REFUSE, Kind.MORE, *ASKED))
    assert (state.refused, state.pages) == (frozenset(), 1)
