"""What a programme is about, and its rhythm and rules, as plain data. The coordinator's own words are in it."""

from dataclasses import dataclass
from datetime import date

ALWAYS_ON = frozenset({"inactive", "no_consent", "same_person", "do_not_pair", "full"})
"""Rules that nobody can switch off: consent, places, and what a coordinator has forbidden by name."""

OFF_AT_FIRST = frozenset({"below_helper_level"})
"""Rules that a new programme doesn't start with: a level is one number for a whole profile, and many tell none."""

TEXTS = ("purpose", "who", "sponsor", "between_us", "behaviour", "measures", "contact")
"""The fields that a coordinator writes, in the order of the agreement."""


@dataclass(frozen=True)
class Programme:
    """How one programme runs. The first seven are texts for the agreement of one page.

    `rules_off` are names of `eligibility.RULES` that don't count here. `minimum_quality` and `exchange_share` are what
    a new round starts from, both in [0, 1]. A pair that isn't accepted by both in `invitation_days` makes room for the
    next.
    """

    purpose: str = ""
    who: str = ""
    sponsor: str = ""
    between_us: str = ""
    behaviour: str = ""
    measures: str = ""
    contact: str = ""
    start: date | None = None
    months: int = 6
    minutes: int = 60
    every_weeks: int = 4
    check_in_weeks: tuple[int, ...] = (4, 12, 24)
    invitation_days: int = 10
    rules_off: frozenset[str] = OFF_AT_FIRST
    minimum_quality: float = 0.05
    exchange_share: float = 0.2
