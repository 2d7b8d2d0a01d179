"""What a turn can do, and what it can name: the vocabulary of the conversation (data/conversation/README.md)."""

from dataclasses import dataclass
from enum import StrEnum


class Act(StrEnum):
    """What a sentence mainly does."""

    GOAL = "goal"
    ADD_GOAL = "add_goal"
    ANSWER = "answer"
    CRITIQUE = "critique"
    CORRECT = "correct"
    WHY = "why"
    WHY_NOT = "why_not"
    WHY_QUESTION = "why_question"
    ABOUT_ME = "about_me"
    COMPARE = "compare"
    CHOOSE = "choose"
    REFUSE_ALL = "refuse_all"
    MORE = "more"
    YES = "yes"
    NO = "no"
    SKIP = "skip"
    UNDO = "undo"
    RESTART = "restart"
    HUMAN = "human"
    HELP = "help"
    SMALL_TALK = "small_talk"
    OFF_TOPIC = "off_topic"
    UPSET = "upset"


class Name(StrEnum):
    """What a slot holds."""

    TOPIC = "topic"
    PERSPECTIVE = "perspective"
    PURPOSE = "purpose"
    BEGINNER = "beginner"
    SOME = "some"
    GOOD = "good"
    PLACE = "place"
    NEAR = "near"
    ONLINE = "online"
    ON_SITE = "on_site"
    DAY = "day"
    LANGUAGE = "language"
    DEPARTMENT = "department"
    PATIENT = "patient"
    HANDS_ON = "hands_on"
    TECHNICAL = "technical"
    BUSY = "busy"
    SURPRISE = "surprise"
    PERSON = "person"
    NUMBER = "number"


class Context(StrEnum):
    """Where in the conversation something is said."""

    START = "start"
    CARDS = "cards"
    QUESTION = "question"
    CHECK = "check"


@dataclass(frozen=True)
class Slot:
    """Words of a turn that name something; `wanted` is False where it is just what the person doesn't want."""

    name: Name
    words: str
    wanted: bool = True


@dataclass(frozen=True)
class Heard:
    """What was made of a turn. `acts` are the likeliest first, each with its chance; they add up to at most 1.

    `upset` is the chance that the person is upset or speaks of health, a conflict or harassment.
    """

    text: str
    acts: tuple[tuple[Act, float], ...]
    slots: tuple[Slot, ...] = ()
    upset: float = 0.0

    @property
    def act(self) -> Act:
        """The likeliest act."""
        return self.acts[0][0]

    @property
    def confidence(self) -> float:
        """Chance of the likeliest act, in [0, 1]."""
        return self.acts[0][1]

    def words(self, *names: Name, wanted: bool = True) -> tuple[str, ...]:
        """Return the words of the slots with these names, in the order of the text."""
        return tuple(each.words for each in self.slots if each.name in names and each.wanted is wanted)
