"""What was stored is there after a restart; a second process gets one sentence; two deciders never share a place."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from recommender.dialogue.state import GUIDE, SENIOR, Kind
from recommender.domain import Decision, Request, Slate, Suggestion, Turn, Understood
from recommender.errors import Conflict, InputRefused, StoreUnavailable, UnknownPerson
from recommender.store import Store
from tests.builders import a_junior, a_senior, decided

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def a_slate(name: str = "slate", *junior_ids: str) -> Slate:
    """Return a slate with one suggestion for each junior."""
    suggestions = tuple(
        Suggestion(rank, junior_id, "?", 2.0, {"wording": 1.5}, {"wording": 3.0}, ("Ik help.",), "place")
        for rank, junior_id in enumerate(junior_ids or ("j1",), start=1)
    )
    request = Request(f"request-{name}", "s1", "Excel graag", Understood("Excel graag", "nl"), NOW)
    return Slate(name, request, "cold-start", "hashing", 0.5, suggestions, {"full": 3})


@pytest.fixture
def store() -> Iterator[Store]:
    """Give an empty store in memory."""
    made = Store(None)
    yield made
    made.close()


def test_everything_survives_a_restart(tmp_path: Path) -> None:
    """People, slates, choices and turns come back exactly as they were put."""
    path = tmp_path / "t.duckdb"
    junior = a_junior(text="Eerste zin hier zo. Tweede zin hier ook.", rank=None, email="j@example.org")
    turns = [Turn("c", 0, GUIDE, Kind.GREETING, at=NOW), Turn("c", 1, SENIOR, Kind.GOAL, "Excel graag", at=NOW)]
    first = Store(path)
    first.people.put([junior, a_senior()])
    first.slates.put(a_slate())
    first.slates.choose("slate", "j1", "s1", "c", NOW)
    first.conversations.start("c", "s1", "nl", turns[0])
    first.conversations.append(turns[1:])
    first.close()

    again = Store(path)
    assert again.people.juniors() == [junior]
    assert again.people.seniors() == [a_senior()]
    assert [each.text for each in again.people.statements()] == ["Eerste zin hier zo.", "Tweede zin hier ook."]
    slate = again.slates.slate("slate")
    assert slate == replace(a_slate(), suggestions=(replace(a_slate().suggestions[0], name=junior.name),))
    assert again.slates.choices(waiting=True)[0].junior_id == "j1"
    assert again.conversations.turns("c") == turns
    assert again.conversations.latest_of("s1") == "c"
    again.close()


def test_second_process_gets_one_sentence(tmp_path: Path) -> None:
    """Another process is told who has the database, without a traceback."""
    store = Store(tmp_path / "telemachos.duckdb")
    other = subprocess.run(
        [sys.executable, "-m", "recommender", "doctor", "--home", str(tmp_path)],
        capture_output=True,
        text=True,
        env={"TELEMACHOS_ENCODER": "hashing", "PATH": ""},
        check=False,
    )
    store.close()
    assert other.returncode == 1
    assert "is in use by another program (process" in " ".join(other.stderr.split())
    assert "Traceback" not in other.stderr


def test_folder_that_is_a_file_is_refused_in_a_sentence(tmp_path: Path) -> None:
    """A home that can't be a folder gives a named error."""
    (tmp_path / "home").write_text("not a folder")
    with pytest.raises(StoreUnavailable, match="can't use the database"):
        Store(tmp_path / "home" / "t.duckdb")


def test_damaged_file_is_refused_in_a_sentence(tmp_path: Path) -> None:
    """A text file under the name of the database gives a named error."""
    (tmp_path / "t.duckdb").write_text("This is no database. " * 1000)
    with pytest.raises(StoreUnavailable, match="Restore a backup"):
        Store(tmp_path / "t.duckdb")


def test_a_changed_profile_has_only_its_new_statements(store: Store) -> None:
    """Statements always belong to the text beside them, and the version tells that something changed."""
    store.people.put([a_junior(text="Een. Twee drie vier vijf. Zes zeven acht negen.")])
    before = store.people.version()
    store.people.put([a_junior(text="Alleen dit nog.")])
    assert [each.text for each in store.people.statements()] == ["Alleen dit nog."]
    assert store.people.version() != before


def test_unknown_ids_are_named(store: Store) -> None:
    """An id that is nobody's or nothing's is in the message."""
    with pytest.raises(UnknownPerson, match="s9"):
        store.people.senior("s9")
    with pytest.raises(InputRefused, match="nothing"):
        store.slates.slate("nothing")


def test_vectors_are_kept_for_each_encoder(store: Store) -> None:
    """Two encoders, also of different size, don't see each other's vectors."""
    short, long = np.eye(2, 3, dtype=np.float32), np.eye(2, 4, dtype=np.float32)
    store.vectors.put("one", ["a", "b"], short)
    store.vectors.put("other", ["a", "b"], long)
    store.vectors.put("same size", ["c"], short[:1])
    found = store.vectors.known("one", 3)
    assert set(found) == {"a", "b"}
    np.testing.assert_array_equal(found["b"], short[1])
    np.testing.assert_array_equal(store.vectors.known("other", 4)["a"], long[0])


def test_showing_twice_is_one_impression(store: Store) -> None:
    """A page that is drawn again adds nothing."""
    store.slates.put(a_slate())
    for _ in range(2):
        store.slates.shown("slate", ["j1"], NOW)
    assert store.slates.counts()["impressions"] == 1


def test_pressing_choose_twice_is_one_choice(store: Store) -> None:
    """A double click stores one choice and one interaction."""
    store.people.put([a_junior()])
    store.slates.put(a_slate())
    for _ in range(2):
        store.slates.choose("slate", "j1", "s1", None, NOW)
    assert store.slates.counts()["choices"] == 1
    assert store.slates.load() == {"j1": 1}


def test_undo_of_a_choice_frees_the_place(store: Store) -> None:
    """Before a decision the choice can be taken back; afterwards it can't."""
    store.people.put([a_junior()])
    store.slates.put(a_slate())
    store.slates.choose("slate", "j1", "s1", None, NOW)
    store.slates.undo_choice("slate", NOW)
    assert store.slates.load() == {}
    with pytest.raises(Conflict, match="taken back"):
        decided(store, "slate", Decision.APPROVED, "", "", "Co", NOW)
    store.slates.choose("slate", "j1", "s1", None, NOW)
    decided(store, "slate", Decision.APPROVED, "", "", "Co", NOW)
    with pytest.raises(Conflict, match="decided already"):
        store.slates.undo_choice("slate", NOW)


def test_undo_of_a_decision_restores_the_queue(store: Store) -> None:
    """The choice waits again and the place is free again for it."""
    store.people.put([a_junior()])
    store.slates.put(a_slate())
    store.slates.choose("slate", "j1", "s1", None, NOW)
    before = store.slates.choices(waiting=True)
    step_id = decided(store, "slate", Decision.APPROVED, "", "", "Co", NOW)
    assert store.slates.choices(waiting=True) == []
    store.steps.undo(step_id, "Co", NOW)
    assert store.slates.choices(waiting=True) == before
    assert store.slates.paired_with("s1") == set()


def test_eight_deciders_never_share_a_place(store: Store) -> None:
    """Of eight approvals at once for a junior with two places, two succeed and six are told why not."""
    store.people.put([a_junior(capacity=2)])
    for number in range(8):
        store.slates.put(a_slate(f"slate{number}"))
        store.slates.choose(f"slate{number}", "j1", f"s{number}", None, NOW)
    refused: list[Conflict] = []

    def approve(number: int) -> None:
        try:
            decided(store, f"slate{number}", Decision.APPROVED, "", "", "Co", NOW)
        except Conflict as error:
            refused.append(error)

    threads = [threading.Thread(target=approve, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store.slates.counts()["matches"] == 2
    assert {error.key for error in refused} == {"no_place_left"}
    assert len(refused) == 6


def test_two_tabs_at_the_same_turn_conflict(store: Store) -> None:
    """The second tab's turn is refused, not mixed in; the first stays."""
    store.conversations.start("c", "s1", "nl", Turn("c", 0, GUIDE, Kind.GREETING, at=NOW))
    store.conversations.append([Turn("c", 1, SENIOR, Kind.GOAL, "one", at=NOW)])
    with pytest.raises(Conflict):
        store.conversations.append([Turn("c", 1, SENIOR, Kind.GOAL, "other", at=NOW)])
    assert [turn.said for turn in store.conversations.turns("c")] == ["", "one"]


def test_sql_in_a_text_is_a_text(store: Store) -> None:
    """User text reaches the database as a value only."""
    nasty = "'); DROP TABLE juniors; --"
    store.people.put([a_junior(name=nasty, text=nasty)])
    assert store.people.juniors()[0].name == nasty
