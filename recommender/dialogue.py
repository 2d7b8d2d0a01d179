"""The conversation as a pure state machine: turns in, state out. No page, no store, no clock.

The state is what the turns add up to, so a stored conversation can always be restored and each step undone. Guide turns
carry no text: what is said is looked up in the catalogue when it is drawn, in the language of the page.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from recommender.domain import JuniorId, SlateId, Turn

SENIOR, GUIDE = "senior", "guide"


class Kind(StrEnum):
    """What a turn does. The first group is the senior's, the second the guide's."""

    GOAL = "goal"
    PICK = "pick"
    CONFIRM = "confirm"
    BACK = "back"
    REFUSE = "refuse"
    MORE = "more"
    UNDO = "undo"
    RESTART = "restart"

    GREETING = "greeting"
    SLATE = "slate"
    NOBODY = "nobody"
    CHECK = "check"
    SENT = "sent"


class Stage(StrEnum):
    """What the senior can do now."""

    ASKING = "asking"
    CHOOSING = "choosing"
    CHECKING = "checking"
    SENT = "sent"


@dataclass(frozen=True)
class State:
    """Where a conversation stands. `turns` are those in force: what was undone or restarted is left out."""

    stage: Stage
    turns: tuple[Turn, ...]
    slate_id: SlateId | None = None
    picked: JuniorId | None = None
    refused: frozenset[JuniorId] = frozenset()
    pages: int = 1

    @property
    def can_undo(self) -> bool:
        """Whether there is a step of the senior to take back."""
        return any(turn.speaker == SENIOR for turn in self.turns)


def state_of(turns: Sequence[Turn]) -> State:
    """Return the state that the turns add up to."""
    kept = _in_force(turns)
    stage, slate_id, picked = Stage.ASKING, None, None
    refused: set[JuniorId] = set()
    pages = 1
    for turn in kept:
        match Kind(turn.kind):
            case Kind.SLATE:
                stage, slate_id, picked, refused, pages = Stage.CHOOSING, turn.slate_id, None, set(), 1
            case Kind.NOBODY:
                stage, slate_id, picked = Stage.ASKING, None, None
            case Kind.REFUSE if turn.junior_id:
                refused.add(turn.junior_id)
            case Kind.MORE:
                pages += 1
            case Kind.PICK:
                stage, picked = Stage.CHECKING, turn.junior_id
            case Kind.BACK:
                stage, picked = Stage.CHOOSING, None
            case Kind.SENT:
                stage = Stage.SENT
    return State(stage, kept, slate_id, picked, frozenset(refused), pages)


def allowed(state: State, kind: Kind) -> bool:
    """Tell whether the senior can do this now. A late click on an old card must change nothing."""
    return {
        Kind.GOAL: state.stage in {Stage.ASKING, Stage.CHOOSING},
        Kind.PICK: state.stage is Stage.CHOOSING,
        Kind.REFUSE: state.stage is Stage.CHOOSING,
        Kind.MORE: state.stage is Stage.CHOOSING,
        Kind.CONFIRM: state.stage is Stage.CHECKING,
        Kind.BACK: state.stage is Stage.CHECKING,
        Kind.UNDO: state.can_undo,
        Kind.RESTART: True,
    }[kind]


def _in_force(turns: Sequence[Turn]) -> tuple[Turn, ...]:
    """Leave out what was undone, and what stands before a fresh start."""
    kept: list[Turn] = []
    for turn in turns:
        if turn.kind == Kind.RESTART:
            kept = []
        elif turn.kind == Kind.UNDO:
            while kept and kept[-1].speaker == GUIDE and kept[-1].kind != Kind.GREETING:
                kept.pop()
            if kept and kept[-1].speaker == SENIOR:
                kept.pop()
        else:
            kept.append(turn)
    return tuple(kept)
