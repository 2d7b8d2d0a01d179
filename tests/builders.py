"""People for tests, with defaults that break no rule: a test names only what it is about."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from recommender.domain import Decision, Junior, JuniorId, Senior, SeniorId, SlateId
from recommender.store import Store
from recommender.store.steps import StepId

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


def decided(store: Store, slate_id: str, decision: Decision, reason: str, note: str, who: str, at: datetime) -> StepId:
    """Store a decision about a choice as a step of its own, and return the step."""
    with store.steps.step("decided", who, at) as step:
        store.slates.decide(step, SlateId(slate_id), decision, reason, note, who, at)
        return step.id
