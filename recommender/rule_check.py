"""The independent check of a draft: which pair breaks which rule? It shares no code with what ranks or solves.

One pair at a time, in plain loops over profiles, so that a mistake in the masks of `eligibility` or in the solver can't
hide here as well. It runs on every draft and again, inside the same transaction, before anything is published.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from recommender.domain import HELPER_LEVEL, Junior, Senior


@dataclass(frozen=True)
class World:
    """Everything the rules look at, as it is at this moment.

    `earlier`, `rejected` and `forbidden` are pairs of a senior's and a junior's id. `taken` are places of juniors that
    others hold, `busy` are seniors who have a junior or a choice that waits, and `off` are the rules that this
    programme has switched off.
    """

    juniors: Mapping[str, Junior]
    seniors: Mapping[str, Senior]
    managers: Mapping[str, str] = field(default_factory=dict)
    forbidden: Collection[tuple[str, str]] = frozenset()
    earlier: Collection[tuple[str, str]] = frozenset()
    rejected: Collection[tuple[str, str]] = frozenset()
    taken: Mapping[str, int] = field(default_factory=dict)
    busy: Collection[str] = frozenset()
    off: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Violation:
    """One pair that breaks one rule, a key of the catalogue under ``rule``."""

    rule: str
    senior_id: str
    junior_id: str


def violations(pairs: Sequence[tuple[str, str]], world: World) -> list[Violation]:
    """Return every rule that a set of pairs breaks; empty when it may be published.

    Parameters
    ----------
    pairs : sequence of (str, str)
        A senior's and a junior's id each.
    world : World
        Profiles, lists and places.
    """
    found = [Violation(rule, *pair) for pair in pairs for rule in _broken(*pair, world) if rule not in world.off]
    wanted = Counter(junior_id for _, junior_id in pairs)
    asked = Counter(senior_id for senior_id, _ in pairs)
    for senior_id, junior_id in pairs:
        junior = world.juniors.get(junior_id)
        if junior is not None and world.taken.get(junior_id, 0) + wanted[junior_id] > junior.capacity:
            found.append(Violation("full", senior_id, junior_id))
        if asked[senior_id] > 1:
            found.append(Violation("senior_twice", senior_id, junior_id))
    return found


def _broken(senior_id: str, junior_id: str, world: World) -> Iterator[str]:
    senior, junior = world.seniors.get(senior_id), world.juniors.get(junior_id)
    if senior is None or junior is None:
        yield "gone"
        return
    yield from (name for name, broken in _OF_ONE.items() if broken(senior, junior, world))


def _same_person(senior: Senior, junior: Junior, world: World) -> bool:
    same_address = bool(senior.email) and senior.email.casefold() == junior.email.casefold()
    return str(senior.id) == str(junior.id) or same_address


def _not_lower(senior: Senior, junior: Junior, world: World) -> bool:
    return senior.rank is not None and junior.rank is not None and junior.rank >= senior.rank


def _same_line(senior: Senior, junior: Junior, world: World) -> bool:
    return senior.id in _above(junior.id, world.managers) or junior.id in _above(senior.id, world.managers)


def _shares_no_language(senior: Senior, junior: Junior, world: World) -> bool:
    return not any(language in junior.languages for language in senior.languages)


_OF_ONE: dict[str, Callable[[Senior, Junior, World], bool]] = {
    "senior_busy": lambda senior, junior, world: senior.id in world.busy,
    "inactive": lambda senior, junior, world: not junior.active,
    "senior_inactive": lambda senior, junior, world: not senior.active,
    "no_consent": lambda senior, junior, world: not junior.consent,
    "senior_no_consent": lambda senior, junior, world: not senior.consent,
    "same_person": _same_person,
    "not_lower_in_rank": _not_lower,
    "reporting_line": _same_line,
    "no_shared_language": _shares_no_language,
    "below_helper_level": lambda senior, junior, world: junior.level is not None and junior.level < HELPER_LEVEL,
    "do_not_pair": lambda senior, junior, world: (senior.id, junior.id) in world.forbidden,
    "matched_before": lambda senior, junior, world: (senior.id, junior.id) in world.earlier,
    "rejected": lambda senior, junior, world: (senior.id, junior.id) in world.rejected,
}
"""Whether one pair breaks each rule."""


def _above(person: str, managers: Mapping[str, str]) -> set[str]:
    """Return everybody whom a person reports to, however far up."""
    line: set[str] = set()
    above = managers.get(person)
    while above is not None and above not in line:
        line.add(above)
        above = managers.get(above)
    return line
