"""The words of the field, as frozen data.

In reverse mentoring the **junior** teaches and the **senior** learns.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, NewType

from recommender.wording import Language

JuniorId = NewType("JuniorId", str)
SeniorId = NewType("SeniorId", str)
RequestId = NewType("RequestId", str)
SlateId = NewType("SlateId", str)
ConversationId = NewType("ConversationId", str)
RoundId = NewType("RoundId", str)
PairId = NewType("PairId", str)

DAYS = ("mon", "tue", "wed", "thu", "fri")
HELPER_LEVEL = 5
"""DigComp 2.2 level at which a person "applies knowledge, solves problems and helps others"."""


class Remote(StrEnum):
    """Where somebody can meet."""

    ONLINE = "online"
    ON_SITE = "on_site"
    BOTH = "both"


@dataclass(frozen=True)
class Junior:
    """Somebody who can explain digital things. `level` is DigComp 1-8, `wish_to_teach` 1-5; None is "not said"."""

    id: JuniorId
    name: str
    text: str
    wants: str = ""
    department: str = ""
    site: str = ""
    remote: Remote = Remote.BOTH
    rank: int | None = None
    manager_id: str | None = None
    languages: tuple[str, ...] = ("nl",)
    days: tuple[str, ...] = ()
    capacity: int = 1
    wish_to_teach: int | None = None
    level: int | None = None
    active: bool = True
    consent: bool = False
    email: str = ""


@dataclass(frozen=True)
class Senior:
    """Somebody who wants to learn, with what they give back in `offers`."""

    id: SeniorId
    name: str
    text: str = ""
    offers: str = ""
    department: str = ""
    site: str = ""
    remote: Remote = Remote.BOTH
    rank: int | None = None
    manager_id: str | None = None
    languages: tuple[str, ...] = ("nl",)
    days: tuple[str, ...] = ()
    active: bool = True
    consent: bool = False
    email: str = ""


Person = Junior | Senior


@dataclass(frozen=True)
class Statement:
    """One idea of a profile: the unit that is embedded, compared and shown as evidence."""

    owner: str
    position: int
    text: str


@dataclass(frozen=True)
class Understood:
    """What was read in a request. `language` is that of the text; `goal` is the text that is searched with.

    `competences` are names with the chance that the request is about each; `level` is the asker's, 1-8, where told.
    """

    goal: str
    language: Language
    competences: tuple[tuple[str, float], ...] = ()
    level: float | None = None


@dataclass(frozen=True)
class Request:
    """What a senior asked, at one time. `senior_id` is None when the asker is not in the organisation."""

    id: RequestId
    senior_id: SeniorId | None
    text: str
    understood: Understood
    at: datetime


@dataclass(frozen=True)
class Suggestion:
    """One junior on a slate.

    `contributions` plus the slate's `intercept` add up to `score`. `evidence` are sentences of the junior's own
    profile. `minus` is a key of the catalogue under ``minus`` with its values, or None where there is nothing to say.
    `propensity` is the chance that the logging policy put this junior at this rank given those above, in (0, 1].
    """

    rank: int
    junior_id: JuniorId
    name: str
    score: float
    contributions: dict[str, float]
    values: dict[str, float]
    evidence: tuple[str, ...]
    minus: str | None
    propensity: float = 1.0


@dataclass(frozen=True)
class Slate:
    """The ordered suggestions for one request, with what produced them and whom the rules left out."""

    id: SlateId
    request: Request
    model_id: str
    encoder_id: str
    intercept: float
    suggestions: tuple[Suggestion, ...]
    excluded: dict[str, int] = field(default_factory=dict)
    doubtful: bool = False
    """Nobody's profile is as near to the request as real requests nearly always have somebody."""
    explored: bool = False
    """Whether chance had a hand in the order; each suggestion's propensity says how much."""


class Action(StrEnum):
    """What a senior did with a suggestion that was shown."""

    CHOSE = "chose"
    UNDID = "undid"
    REFUSED = "refused"


class Decision(StrEnum):
    """What a coordinator decided about a suggestion."""

    APPROVED = "approved"
    REJECTED = "rejected"


class Side(StrEnum):
    """Who of a pair rates."""

    SENIOR = "senior"
    JUNIOR = "junior"


@dataclass(frozen=True)
class Outcome:
    """How a session went for one of a pair, `rating` 1-5. The other never sees it."""

    slate_id: SlateId
    side: Side
    rating: int
    at: datetime


@dataclass(frozen=True)
class Turn:
    """One event of a conversation, of a `Kind` of the dialogue.

    `said` are a person's words, never ours; `told` is what else it carries, as plain data.
    """

    conversation_id: ConversationId
    position: int
    speaker: str
    kind: str
    said: str = ""
    slate_id: SlateId | None = None
    junior_id: JuniorId | None = None
    at: datetime | None = None
    told: dict[str, Any] = field(default_factory=dict)
