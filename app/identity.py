"""Who is looking. Until there is sign-in: a demo identity that anybody on this machine may switch."""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from itertools import islice

from recommender.errors import Forbidden
from recommender.service import Service
from recommender.store.people import People
from recommender.wording import Language, say


class Role(StrEnum):
    """What somebody comes to do."""

    SENIOR = "senior"
    JUNIOR = "junior"
    COORDINATOR = "coordinator"
    SCIENTIST = "scientist"


HOME = {Role.SENIOR: "ask", Role.JUNIOR: "profile", Role.COORDINATOR: "review", Role.SCIENTIST: "model"}
PAGES = {
    Role.SENIOR: ("ask", "matches"),
    Role.JUNIOR: ("profile", "matches"),
    Role.COORDINATOR: ("review", "rounds", "pairs", "overview", "programme", "story", "model"),
    Role.SCIENTIST: ("model", "overview"),
}
STAFF = (Role.COORDINATOR, Role.SCIENTIST)


@dataclass(frozen=True)
class Identity:
    """Somebody in a role. `id` is that of a senior or junior, or the name of a staff role."""

    id: str
    name: str
    role: Role


MOST = 300
"""Names of a role to pick from: more make a list that nobody reads, and a slow page."""


def everybody(service: Service, language: Language) -> dict[str, Identity]:
    """Return all demo identities by id, by name: those who learn, those who explain, staff."""
    return _everybody(service.store.people, service.store.people.version(), language)


def to_pick(people: Mapping[str, Identity], role: Role) -> list[str]:
    """Return the ids of the first `MOST` of a role."""
    return list(islice((each.id for each in people.values() if each.role is role), MOST))


@lru_cache(maxsize=4)
def _everybody(people: People, version: int, language: Language) -> dict[str, Identity]:
    """Read all names once for each version of the profiles: this is asked at every run of every page."""
    found = [Identity(each.id, each.name, Role.SENIOR) for each in people.seniors()]
    found += [Identity(each.id, each.name, Role.JUNIOR) for each in people.juniors()]
    found += [Identity(role, say(f"demo.name_{role}", language), role) for role in STAFF]
    order = [*Role]
    return {each.id: each for each in sorted(found, key=lambda each: (order.index(each.role), each.name))}


def check_loopback(address: str | None) -> None:
    """Refuse the demo identity on an address that other machines can reach.

    Raises
    ------
    Forbidden
        If `address` is not a loopback address; None means every network of this machine.
    """
    try:
        safe = address == "localhost" or ipaddress.ip_address(address or "").is_loopback
    except ValueError:
        safe = False
    if not safe:
        raise Forbidden("demo_only_here", address=address or "0.0.0.0")  # noqa: S104  # named, not bound
