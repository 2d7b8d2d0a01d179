"""The independent check of a draft: does any pair break a rule? It shares no code with what ranks, leaves out or solves.

One pair at a time, in plain loops over profiles, so that a mistake in the masks of `eligibility` or in the solver can't
hide here as well. It runs on every draft and again, inside the same transaction, before anything is published.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from recommender.domain import HELPER_LEVEL, Junior, Senior


@dataclass(frozen=True)
class World:
    """Everything the rules look at, as it is at this moment.

    `earlier`, `rejected` and `forbidden` are pairs of a senior's and a junior's id. `taken` are places of juniors that
    others hold, and `off` the rules that this programme has switched off.
    """

    juniors: Mapping[str, Junior]
    seniors: Mapping[str, Senior]
    managers: Mapping[str, str] = field(default_factory=dict)
    forbidden: Collection[tuple[str, str]] = frozenset()
    earlier: Collection[tuple[str, str]] = frozenset()
    rejected: Collection[tuple[str, str]] = frozenset()
    taken: Mapping[str, int] = field(default_factory=dict)
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
    if not junior.active:
        yield "inactive"
    if not senior.active:
        yield "senior_inactive"
    if not junior.consent:
        yield "no_consent"
    if not senior.consent:
        yield "senior_no_consent"
    if senior_id == junior_id or (senior.email and senior.email.casefold() == junior.email.casefold()):
        yield "same_person"
    if senior.rank is not None and junior.rank is not None and junior.rank >= senior.rank:
        yield "not_lower_in_rank"
    if senior_id in _above(junior_id, world.managers) or junior_id in _above(senior_id, world.managers):
        yield "reporting_line"
    if not any(language in junior.languages for language in senior.languages):
        yield "no_shared_language"
    if junior.level is not None and junior.level < HELPER_LEVEL:
        yield "below_helper_level"
    pair = (senior_id, junior_id)
    if pair in world.forbidden:
        yield "do_not_pair"
    if pair in world.earlier:
        yield "matched_before"
    if pair in world.rejected:
        yield "rejected"


def _above(person: str, managers: Mapping[str, str]) -> set[str]:
    """Return everybody whom a person reports to, however far up."""
    line: set[str] = set()
    above = managers.get(person)
    while above is not None and above not in line:
        line.add(above)
        above = managers.get(above)
    return line
