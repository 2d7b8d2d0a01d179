"""People for tests, with defaults that break no rule: a test names only what it is about."""

from dataclasses import replace
from typing import Any

from recommender.domain import Junior, JuniorId, Senior, SeniorId

JUNIOR = Junior(
    id=JuniorId("j1"),
    name="Sanne de Wit",
    text="Ik help mensen met draaitabellen in Excel.",
    department="Finance",
    site="Utrecht",
    rank=2,
    languages=("nl", "en"),
    days=("tue",),
    wish_to_teach=4,
    level=6,
    consent=True,
)

SENIOR = Senior(
    id=SeniorId("s1"),
    name="Anneke Vos",
    department="Verkoop",
    site="Utrecht",
    rank=8,
    languages=("nl", "en"),
    consent=True,
)


def a_junior(**changes: Any) -> Junior:
    """Return a junior who may be suggested to `a_senior()`."""
    return replace(JUNIOR, **changes)


def a_senior(**changes: Any) -> Senior:
    """Return a senior."""
    return replace(SENIOR, **changes)
