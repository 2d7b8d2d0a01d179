"""What a step changes can be taken back to the letter, or not at all."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from recommender.errors import Conflict, InputRefused
from recommender.store import Store
from recommender.store.steps import KEYS, Step, StepId

NOW = datetime(2026, 11, 24, 9, 30, 0, 123456, UTC)


def state(store: Store) -> dict[str, list[str]]:
    """Return every row that steps may change."""
    return {table: sorted(map(str, store._database.rows(f"SELECT * FROM {table}"))) for table in KEYS}  # noqa: S608


def a_round(number: int, version: int, name: str) -> dict[str, Any]:
    """Return a row with every kind of value: text, number, moment and nothing."""
    return {
        "id": f"r{number}",
        "name": name,
        "state": "draft",
        "version": version,
        "options": "{}",
        "made_by": "co",
        "made_at": NOW + timedelta(microseconds=number),
        "published_at": None,
    }


operation = st.tuples(
    st.sampled_from(["add", "change", "remove"]), st.integers(0, 4), st.integers(0, 9), st.text(max_size=8)
)


def take(step: Step, what: str, number: int, version: int, name: str) -> None:
    """Do one thing, where it can be done."""
    there = bool(step.found("rounds", id=f"r{number}"))
    if what == "add" and not there:
        step.insert("rounds", [a_round(number, version, name)])
    elif what == "change" and there:
        step.update("rounds", {"id": f"r{number}"}, {"name": name, "version": version, "published_at": NOW})
    elif what == "remove":
        step.delete("rounds", id=f"r{number}")


@pytest.fixture(scope="module")
def store() -> Any:
    """Give one store: making one takes longer than an example."""
    made = Store(None)
    yield made
    made.close()


@examples(max_examples=60)
@given(st.lists(operation, max_size=8), st.lists(operation, min_size=1, max_size=12))
def test_undo_restores_the_exact_state(
    store: Store, before: list[tuple[str, int, int, str]], done: list[tuple[str, int, int, str]]
) -> None:
    """Whatever a step added, changed and removed, in any order, several times over."""
    clean = [(what, n, v, name.replace("\x00", "").encode("utf-8", "ignore").decode()) for what, n, v, name in done]
    with store.steps.step("tidy", "co", NOW) as step:
        for number in range(5):
            step.delete("rounds", id=f"r{number}")
    with store.steps.step("start", "co", NOW) as step:
        for what, number, version, _ in before:
            take(step, what, number, version, "before")
    held = state(store)
    with store.steps.step("work", "co", NOW) as step:
        for each in clean:
            take(step, *each)
    if step.changes:
        store.steps.undo(step.id, "co", NOW)
    assert state(store) == held


def test_later_work_is_never_lost(store: Store) -> None:
    """A row that changed after the step makes the undo stop, with everything as it was."""
    with store.steps.step("first", "co", NOW) as first:
        first.insert("rounds", [a_round(7, 1, "mine"), a_round(8, 1, "mine")])
    with store.steps.step("second", "other", NOW) as second:
        second.update("rounds", {"id": "r7"}, {"name": "theirs"})
    held = state(store)
    with pytest.raises(Conflict, match="happened after"):
        store.steps.undo(first.id, "co", NOW)
    assert state(store) == held
    store.steps.undo(second.id, "other", NOW)
    store.steps.undo(first.id, "co", NOW)
    with pytest.raises(Conflict, match="already"):
        store.steps.undo(first.id, "co", NOW)


def test_undo_can_be_undone(store: Store) -> None:
    """The way back is a step as well, so it has a way back."""
    with store.steps.step("made", "co", NOW, "r9") as step:
        step.insert("rounds", [a_round(9, 1, "here")])
    held = state(store)
    back = store.steps.undo(step.id, "co", NOW)
    assert not store._database.rows("SELECT 1 FROM rounds WHERE id = 'r9'")
    store.steps.undo(back.id, "co", NOW)
    assert state(store) == held
    assert [(each.kind, each.undone) for each in store.steps.recent(3, "r9")] == [
        ("undo", False),
        ("undo", True),
        ("made", True),
    ]
    store._database.rows("DELETE FROM rounds WHERE id = 'r9'")


def test_a_step_that_breaks_leaves_nothing(store: Store) -> None:
    """Neither rows nor a line in the log."""
    held, log = state(store), store.steps.recent(100)

    def breaks() -> None:
        with store.steps.step("broken", "co", NOW) as step:
            step.insert("rounds", [a_round(5, 1, "half")])
            raise RuntimeError

    with pytest.raises(RuntimeError):
        breaks()
    assert (state(store), store.steps.recent(100)) == (held, log)


def test_unknown_step_is_refused(store: Store) -> None:
    """With the id that was asked for."""
    with pytest.raises(InputRefused, match="nope"):
        store.steps.undo(StepId("nope"), "co", NOW)
