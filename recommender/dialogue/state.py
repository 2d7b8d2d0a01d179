"""The conversation as a pure state machine: turns in, state out. No page, no store, no clock.

The state is what the turns add up to, so a stored conversation can always be restored and each step undone. Guide turns
carry no text: what is said is looked up in the catalogue when it is drawn, in the language of the page.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from recommender.dialogue.acts import Act, Context
from recommender.dialogue.brief import Brief, Wish, wishes_of
from recommender.domain import JuniorId, SlateId, Turn

SENIOR, GUIDE = "senior", "guide"

MAX_QUESTIONS = 3


class Kind(StrEnum):
    """What a turn does. The first group is the senior's, the second the guide's."""

    GOAL = "goal"
    WISH = "wish"
    ANSWER = "answer"
    SKIP = "skip"
    DROP = "drop"
    GIVE = "give"
    ASK = "ask"
    SAID = "said"
    PICK = "pick"
    CONFIRM = "confirm"
    BACK = "back"
    REFUSE = "refuse"
    REFUSE_ALL = "refuse_all"
    MORE = "more"
    HAND_OVER = "hand_over"
    UNDO = "undo"
    RESTART = "restart"

    GREETING = "greeting"
    SLATE = "slate"
    NOBODY = "nobody"
    BLOCKED = "blocked"
    QUESTION = "question"
    REPLY = "reply"
    CHECK = "check"
    SENT = "sent"
    HANDED = "handed"


ASIDE = frozenset({Kind.ASK, Kind.SAID, Kind.GIVE, Kind.HAND_OVER})
"""Turns of the senior that change nothing of what is searched."""

KEEPS_QUESTION = ASIDE | {Kind.MORE, Kind.REFUSE, Kind.REFUSE_ALL, Kind.PICK, Kind.BACK}
"""Turns of the senior after which an open question is still open."""


class Stage(StrEnum):
    """What the senior can do now."""

    ASKING = "asking"
    CHOOSING = "choosing"
    CHECKING = "checking"
    SENT = "sent"


class Offer(StrEnum):
    """What the guide has offered to do, and a yes will do."""

    HAND_OVER = "hand_over"
    DROP = "drop"


@dataclass(frozen=True)
class Question:
    """A question of the guide. `id` is its facet, and for a theme its goal; `options` are what can be picked.

    An option is a key under ``option`` of the catalogue, or for a theme, a place or a day its value or own words.
    """

    id: str
    facet: str
    options: tuple[str, ...]
    gain: float = 0.0

    @classmethod
    def restored(cls, told: Mapping[str, Any]) -> "Question":
        """Return the question of a stored turn."""
        return cls(told["id"], told["facet"], tuple(told["options"]), told["gain"])


@dataclass(frozen=True)
class State:
    """Where a conversation stands. `turns` are those in force: what was undone or restarted is left out.

    `asked` are the ids of all questions since the last fresh start, undone or not, so that none comes twice. `unsure`
    holds the acts that the guide asked to choose from, for the words in `unclear`; `misunderstood` counts how often in
    a row it had to.
    """

    stage: Stage
    turns: tuple[Turn, ...]
    slate_id: SlateId | None = None
    picked: JuniorId | None = None
    refused: frozenset[JuniorId] = frozenset()
    pages: int = 1
    brief: Brief = field(default_factory=Brief)
    question: Question | None = None
    asked: tuple[str, ...] = ()
    offer: Offer | None = None
    unsure: tuple[Act, ...] = ()
    unclear: str = ""
    misunderstood: int = 0
    goals_stated: int = 0
    handed_over: bool = False
    critiques: tuple[Wish, ...] = ()
    """Wishes that are worth offering for the slate at hand."""
    searched: tuple[str, ...] = ()
    """The goals of the last search that found somebody."""
    asks_no_more: bool = False
    """No question was worth asking about the slate at hand."""
    restarted: bool = False
    """A fresh start can be taken back."""
    recorded: int = field(default=0, compare=False)
    """Turns that are stored, in force or not: a second tab that knows fewer is behind."""

    @property
    def can_undo(self) -> bool:
        """Whether there is a step of the senior to take back."""
        return self.restarted or any(turn.speaker == SENIOR for turn in self.turns)

    @property
    def replies(self) -> tuple[Turn, ...]:
        """What the guide said last: its turns since the senior's last one."""
        last = max((place for place, turn in enumerate(self.turns) if turn.speaker == SENIOR), default=-1)
        return self.turns[last + 1 :]

    @property
    def context(self) -> Context:
        """Where in the conversation the next words are said."""
        if self.stage is Stage.CHECKING:
            return Context.CHECK
        if self.question is not None and self.stage is Stage.CHOOSING:
            return Context.QUESTION
        return Context.START if self.stage is Stage.ASKING else Context.CARDS


def state_of(turns: Sequence[Turn]) -> State:
    """Return the state that the turns add up to."""
    kept, restarted = _in_force(turns)
    held: dict[str, Any] = {"stage": Stage.ASKING, "restarted": restarted, "recorded": len(turns)}
    for turn in kept:
        kind = Kind(turn.kind)
        if turn.speaker == SENIOR:
            _after_senior(held, turn, kind)
        else:
            _after_guide(held, turn, kind)
    return State(turns=kept, asked=_asked(turns), **held)


def _after_senior(held: dict[str, Any], turn: Turn, kind: Kind) -> None:
    held.update(offer=None, unsure=(), unclear="")
    if "brief" in turn.told:
        held["brief"] = Brief.restored(turn.told["brief"])
        if not held["brief"].goals:
            held.update(stage=Stage.ASKING, slate_id=None, picked=None)
    if kind not in KEEPS_QUESTION:
        held["question"] = None
    match kind:
        case Kind.GOAL:
            held["goals_stated"] = held.get("goals_stated", 0) + 1
        case Kind.REFUSE | Kind.REFUSE_ALL:
            gone = {JuniorId(each) for each in turn.told.get("juniors", ())} | ({turn.junior_id} - {None})
            held["refused"] = held.get("refused", frozenset()) | gone
        case Kind.MORE:
            held["pages"] = held.get("pages", 1) + 1
        case Kind.PICK:
            held.update(stage=Stage.CHECKING, picked=turn.junior_id)
        case Kind.BACK:
            held.update(stage=Stage.CHOOSING, picked=None)


def _after_guide(held: dict[str, Any], turn: Turn, kind: Kind) -> None:
    lost = turn.told.get("misunderstood", False)
    held["misunderstood"] = held.get("misunderstood", 0) + 1 if lost else 0
    held["offer"] = Offer(turn.told["offer"]) if turn.told.get("offer") else None
    match kind:
        case Kind.SLATE:
            # People who were put aside stay aside until something else is asked.
            gone = frozenset() if turn.told.get("afresh", True) else held.get("refused", frozenset())
            held.update(stage=Stage.CHOOSING, slate_id=turn.slate_id, picked=None, refused=gone, pages=1)
            held["critiques"] = wishes_of(turn.told.get("critiques", ()))
            held.update(searched=held.get("brief", Brief()).goals, asks_no_more=True)
        case Kind.NOBODY | Kind.BLOCKED:
            held.update(stage=Stage.ASKING, slate_id=None, picked=None)
        case Kind.QUESTION:
            held.update(question=Question.restored(turn.told), asks_no_more=False)
        case Kind.REPLY if turn.told.get("acts"):
            held.update(unsure=tuple(map(Act, turn.told["acts"])), unclear=turn.told["words"])
        case Kind.SENT:
            held["stage"] = Stage.SENT
        case Kind.HANDED:
            held["handed_over"] = True


def allowed(state: State, kind: Kind) -> bool:
    """Tell whether the senior can do this now. A late click on an old card must change nothing."""
    choosing, open_to_words = state.stage is Stage.CHOOSING, state.stage in {Stage.ASKING, Stage.CHOOSING}
    return {
        Kind.ANSWER: choosing and state.question is not None,
        Kind.SKIP: choosing and state.question is not None,
        Kind.WISH: open_to_words,
        Kind.DROP: open_to_words,
        Kind.PICK: choosing,
        Kind.REFUSE: choosing,
        Kind.REFUSE_ALL: choosing,
        Kind.MORE: choosing,
        Kind.CONFIRM: state.stage is Stage.CHECKING,
        Kind.BACK: state.stage is Stage.CHECKING,
        Kind.UNDO: state.can_undo,
    }.get(kind, True)


def _in_force(turns: Sequence[Turn]) -> tuple[tuple[Turn, ...], bool]:
    """Leave out what was undone and what stands before a fresh start; tell whether that start can be taken back."""
    kept: list[Turn] = []
    before: list[list[Turn]] = []
    for turn in turns:
        if turn.kind == Kind.RESTART:
            before.append(kept)
            kept = []
        elif turn.kind != Kind.UNDO:
            kept.append(turn)
        elif any(each.speaker == SENIOR for each in kept):
            while kept[-1].speaker == GUIDE:
                kept.pop()
            kept.pop()
        elif before:
            kept = before.pop()
    return tuple(kept), bool(before)


def _asked(turns: Sequence[Turn]) -> tuple[str, ...]:
    fresh = max((place for place, turn in enumerate(turns) if turn.kind == Kind.RESTART), default=-1)
    return tuple(turn.told["id"] for turn in turns[fresh + 1 :] if turn.kind == Kind.QUESTION)
