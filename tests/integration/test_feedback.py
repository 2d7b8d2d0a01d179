"""From what people did to a snapshot without names: kept through an update, blind to the other side, repeatable."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from importlib import resources
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from recommender.domain import Action, Decision, Outcome, Request, Side, Slate, Suggestion, Understood
from recommender.errors import Conflict, InputRefused
from recommender.features import FEATURES
from recommender.labels import labelled
from recommender.pairing import Pairing
from recommender.post import Post
from recommender.ranker import CENTRE
from recommender.reviewing import Reviewing
from recommender.snapshot import FILE, MANIFEST, read_snapshot, write_snapshot
from recommender.store import Store
from tests.builders import a_junior, a_senior, decided

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
ASKED = "Mijn geheime vraag over draaitabellen"


def a_slate(name: str = "slate-1", senior_id: str | None = "s1", at: datetime = NOW) -> Slate:
    """Return a slate with three juniors, in an order that chance had a hand in."""
    suggestions = tuple(
        Suggestion(
            rank, junior_id, "?", 2.0 - rank, {"wording": 1.0}, {"wording": rank / 4}, ("Ik help.",), None, propensity
        )
        for rank, (junior_id, propensity) in enumerate([("j1", 0.5), ("j2", 0.7), ("j3", 1.0)], start=1)
    )
    understood = Understood(ASKED, "nl", (("3.1", 0.7), ("1.1", 0.2)), 2.0)
    request = Request(f"request-{name}", senior_id, ASKED, understood, at)
    return Slate(name, request, "cold-start", "hashing", 0.5, suggestions, {"full": 3}, explored=True)


def fill(store: Store) -> None:
    """Let three seniors' worth of things happen: an approval that was rated, a refusal with a reason, a rejection."""
    juniors = [
        a_junior(id="j1", name="Sanne de Wit", email="sanne@havenkade.example"),
        a_junior(id="j2", name="Bilal Yilmaz", languages=("en",), department="Verkoop", capacity=2),
        a_junior(id="j3", name="Fleur Maas"),
    ]
    store.people.put([*juniors, a_senior(id="s1"), a_senior(id="s2", name="Gerrit Bos")])
    for number, senior_id in ((1, "s1"), (2, "s2"), (3, None)):
        name = f"slate-{number}"
        store.slates.put(a_slate(name, senior_id, NOW + timedelta(days=number)))
        store.slates.shown(name, ["j1", "j2"], NOW)
    store.slates.interact("slate-1", "j1", Action.REFUSED, NOW, "level")
    store.slates.choose("slate-1", "j2", "s1", None, NOW)
    decided(store, "slate-1", Decision.APPROVED, "", "Geheime notitie", "Co Coordinator", NOW)
    store.outcomes.rate("slate-1", Side.SENIOR, 5, NOW)
    store.outcomes.rate("slate-1", Side.JUNIOR, 2, NOW)
    store.slates.choose("slate-2", "j1", "s2", None, NOW)
    store.slates.choose("slate-2", "j2", "s2", None, NOW)
    decided(store, "slate-2", Decision.REJECTED, "topic", "", "Co Coordinator", NOW)
    store.slates.choose("slate-3", "j1", None, None, NOW)
    store.slates.undo_choice("slate-3", NOW)


@pytest.fixture
def store() -> Iterator[Store]:
    """Give a store in which things have happened."""
    made = Store(None)
    fill(made)
    yield made
    made.close()


# An update of the product


def test_feedback_of_the_first_version_is_kept(tmp_path: Path) -> None:
    """A database that only the first version has written is brought up to date with all that is in it."""
    path = tmp_path / "t.duckdb"
    old = duckdb.connect(str(path))
    script = resources.files("recommender.store.migrations") / "0001_initial.sql"
    old.execute(script.read_text(encoding="utf-8"))
    old.execute("CREATE TABLE migrations (number INTEGER PRIMARY KEY)")
    old.execute("INSERT INTO migrations VALUES (1)")
    old.execute("INSERT INTO requests VALUES ('request', 's1', 'Excel graag', 'Excel graag', 'nl', ?)", [NOW])
    old.execute("INSERT INTO slates VALUES ('old', 'request', 'm', 'e', 0.5, MAP {'full': 3}, false, ?)", [NOW])
    old.execute(
        "INSERT INTO suggestions VALUES "
        "('old', 1, 'j1', 2.0, MAP {'place': 0.1}, MAP {'place': 1.0}, ['Zin.'], NULL, 1)"
    )
    old.execute("INSERT INTO choices VALUES ('old', 'j1', 's1', NULL, ?)", [NOW])
    for action in ("chose", "undid", "chose"):
        old.execute(
            "INSERT INTO interactions (slate_id, junior_id, action, happened_at) VALUES ('old', 'j1', ?, ?)",
            [action, NOW],
        )
    old.close()

    store = Store(path)
    slate = store.slates.slate("old")
    assert slate.request.understood == Understood("Excel graag", "nl", (), None)
    assert (slate.explored, slate.excluded, len(slate.suggestions)) == (False, {"full": 3}, 1)
    store.slates.put(a_slate("new"))
    store.slates.interact("new", "j3", Action.REFUSED, NOW, "place")
    store.close()
    again = Store(path)
    assert again.slates.slate("old") == slate
    rows = read_snapshot(tmp_path / write_snapshot(again, tmp_path, NOW).id).rows
    again.close()
    first = rows[rows["model_id"] == "m"].iloc[0]
    assert (first["action"], first["f_place"], first["f_wording"]) == ("chosen", 1.0, CENTRE["wording"])
    assert rows["refusal_reason"].tolist().count("place") == 1


def test_what_was_read_in_a_request_comes_back(store: Store) -> None:
    """Competences keep their order and chances, the level and the hand of chance are there."""
    slate = store.slates.slate("slate-1")
    assert slate.request.understood == a_slate().request.understood
    assert slate.explored
    assert [each.propensity for each in slate.suggestions] == [0.5, 0.7, 1.0]


# After the sessions


def test_only_a_match_is_rated(store: Store) -> None:
    """A rejected, waiting or unknown pair had no sessions."""
    for slate_id in ("slate-2", "slate-3", "nothing"):
        with pytest.raises(Conflict) as refused:
            store.outcomes.rate(slate_id, Side.SENIOR, 4, NOW)
        assert refused.value.key == "not_matched"
    assert len(store.outcomes.all()) == 2


@pytest.mark.parametrize("rating", [0, 6, -1])
def test_a_rating_is_one_to_five(store: Store, rating: int) -> None:
    """Anything else is refused, and what was said before stays."""
    with pytest.raises(InputRefused) as refused:
        store.outcomes.rate("slate-1", Side.SENIOR, rating, NOW)
    assert refused.value.key == "rating_outside"
    assert store.outcomes.rating_of("slate-1", Side.SENIOR) == 5


def test_each_side_sees_its_own_rating_only(store: Store) -> None:
    """Before the other has rated there is nothing of theirs, and afterwards still one's own."""
    assert store.outcomes.rating_of("slate-1", Side.SENIOR) == 5
    assert store.outcomes.rating_of("slate-1", Side.JUNIOR) == 2
    assert store.outcomes.rating_of("slate-2", Side.JUNIOR) is None


def test_a_correction_replaces(store: Store) -> None:
    """Rating again is one rating, with its new time."""
    later = NOW + timedelta(days=1)
    store.outcomes.rate("slate-1", Side.SENIOR, 3, later)
    assert store.outcomes.all() == [
        Outcome("slate-1", Side.JUNIOR, 2, NOW),
        Outcome("slate-1", Side.SENIOR, 3, later),
    ]


def test_only_seniors_ratings_are_a_juniors_experience(store: Store) -> None:
    """A 5 counts as 1 and a 2 as a quarter, summed by junior; what the junior said of the pair is not in it."""
    assert store.outcomes.ratings() == {"j2": (1.0, 1)}
    store.slates.put(a_slate("slate-4", "s2"))
    store.slates.choose("slate-4", "j2", "s2", None, NOW)
    decided(store, "slate-4", Decision.APPROVED, "", "", "Co", NOW)
    store.outcomes.rate("slate-4", Side.SENIOR, 2, NOW)
    assert store.outcomes.ratings() == {"j2": (1.25, 2)}


def test_a_decision_taken_back_takes_its_ratings_along(store: Store) -> None:
    """The next pair from the same slate doesn't inherit what was said of the last."""
    done = next(
        each for each in store.steps.recent(9) if store.steps.changes(each.id)[-1].key == {"slate_id": "slate-1"}
    )
    post = Post(store, None, lambda: NOW, timedelta())
    pairing = Pairing(store, post, lambda: NOW)
    reviewing = Reviewing(store, None, None, pairing, post, lambda: NOW)  # ranks nothing
    reviewing.undo(done.id, "Co")
    assert store.outcomes.ratings() == {}
    store.slates.choose("slate-1", "j3", "s1", None, NOW)
    decided(store, "slate-1", Decision.APPROVED, "", "", "Co", NOW)
    assert store.outcomes.rating_of("slate-1", Side.SENIOR) is None
    assert store.outcomes.ratings() == {}


def test_exploration_is_a_switch_that_stays(tmp_path: Path) -> None:
    """On from the start; off and on again are remembered over a restart."""
    for expected, then in ((True, False), (False, True), (True, True)):
        store = Store(tmp_path / "t.duckdb")
        assert store.facts.exploration() is expected
        store.facts.set_exploration(then)
        store.close()


# The snapshot


def test_everything_is_in_it_once(store: Store, tmp_path: Path) -> None:
    """Each suggestion has one row with what became of it, and the manifest counts them."""
    info = write_snapshot(store, tmp_path, NOW)
    found = read_snapshot(tmp_path / info.id)
    assert found.info == info
    assert (info.rows, info.slates, info.seniors) == (9, 3, 2)
    assert (info.since, info.until) == ("2026-11-24T12:00:00+00:00", "2026-11-26T12:00:00+00:00")
    rows = found.rows
    assert rows["rank"].tolist() == [1, 2, 3] * 3
    assert rows["shown"].tolist() == [True, True, False] * 3
    assert rows["action"].tolist() == ["refused", "chosen", "", "undone", "chosen", "", "undone", "", ""]
    assert rows["refusal_reason"].tolist() == ["level", *[""] * 8]
    assert rows["decision"].tolist() == ["", "approved", "", "", "rejected", *[""] * 4]
    assert rows["decision_reason"].tolist() == ["", "", "", "", "topic", *[""] * 4]
    assert rows["senior_rating"].dropna().to_dict() == {1: 5}
    assert rows["junior_rating"].dropna().to_dict() == {1: 2}
    assert rows["propensity"].tolist() == [0.5, 0.7, 1.0] * 3
    assert rows["f_wording"].tolist() == [0.25, 0.5, 0.75] * 3
    assert (rows["f_level"] == CENTRE["level"]).all()
    assert rows["junior_language_nl"].tolist() == [True, False, True] * 3
    assert rows["explored"].all()
    assert labelled(found).accepted.tolist() == [0, 1, 0, 0]


def test_pseudonyms_tell_people_apart_and_nothing_else(store: Store, tmp_path: Path) -> None:
    """The same person has the same one on each slate, two have two, nobody has none; a department likewise."""
    rows = read_snapshot(tmp_path / write_snapshot(store, tmp_path, NOW).id).rows
    assert rows["senior"].nunique() == 3
    assert rows["senior"].iloc[-1] == ""
    assert rows["junior"].tolist() == rows["junior"].tolist()[:3] * 3
    assert len(set(rows["junior"]) | set(rows["senior"])) == 6
    assert rows["junior"].str.fullmatch("[0-9a-f]{16}").all()
    assert rows["junior_department"].iloc[1] == rows["senior_department"].iloc[0]
    assert rows["junior_department"].iloc[0] != rows["junior_department"].iloc[1]


def test_another_organisation_has_other_pseudonyms(store: Store, tmp_path: Path) -> None:
    """Without the secret of the database nobody can compute whose rows these are."""
    other = Store(None)
    fill(other)
    one, two = (read_snapshot(tmp_path / write_snapshot(each, tmp_path, NOW).id).rows for each in (store, other))
    other.close()
    assert not set(one["junior"]) & set(two["junior"])
    assert store.facts.snapshot_key() == store.facts.snapshot_key()


def test_nobody_is_named_in_it(store: Store, tmp_path: Path) -> None:
    """No name, address, id, text, note, place or department is in the bytes of the files, packed out."""
    store.slates.interact("slate-3", "j2", Action.REFUSED, NOW, "Hij heet Bilal Yilmaz")
    info = write_snapshot(store, tmp_path, NOW)
    pq.write_table(
        pq.read_table(tmp_path / info.id / FILE), tmp_path / "plain", compression="none", use_dictionary=False
    )
    content = b"".join((tmp_path / info.id / name).read_bytes() for name in (FILE, MANIFEST))
    content += (tmp_path / "plain").read_bytes()
    assert b"cold-start" in content
    assert b"other" in content
    people = [*store.people.juniors(), *store.people.seniors()]
    words = {word for each in people for word in each.name.split() if len(word) > 2}
    words |= {each.site for each in people} | {each.department for each in people}
    words |= {each.email for each in people if each.email} | {
        "geheim",
        "Geheim",
        "draaitabellen",
        "Ik help",
        "Co Coord",
    }
    words |= {"slate-1", "request-slate", store.facts.snapshot_key().hex()}
    assert [word for word in words if word.encode() in content] == []
    texts = {value for column in _texts(tmp_path / "plain") for value in column}
    assert not texts & {"j1", "j2", "j3", "s1", "s2"}


def _texts(path: Path) -> list[list[str]]:
    table = pq.read_table(path)
    return [column.to_pylist() for column in table.columns if pa.types.is_string(column.type)]


def test_same_data_same_file(store: Store, tmp_path: Path) -> None:
    """Written at another time it has another name, and the same bytes; written twice at once it is one folder."""
    first, again = write_snapshot(store, tmp_path, NOW), write_snapshot(store, tmp_path, NOW)
    later = write_snapshot(store, tmp_path, NOW + timedelta(hours=1))
    assert first == again
    assert first.sha256 == later.sha256
    assert first.id == f"20261123-120000-{first.sha256[:6]}"
    assert later.id == f"20261123-130000-{first.sha256[:6]}"
    assert sorted(each.name for each in tmp_path.iterdir()) == [first.id, later.id]
    store.slates.interact("slate-3", "j2", Action.REFUSED, NOW)
    assert write_snapshot(store, tmp_path, NOW).sha256 != first.sha256


def test_nothing_logged_gives_no_snapshot(tmp_path: Path) -> None:
    """An empty log is refused, and leaves no folder behind."""
    empty = Store(None)
    with pytest.raises(InputRefused) as refused:
        write_snapshot(empty, tmp_path, NOW)
    empty.close()
    assert refused.value.key == "snapshot_empty"
    assert list(tmp_path.iterdir()) == []


def test_a_write_that_fails_leaves_nothing(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half a snapshot is never there to be read."""

    def fails(*_: object, **__: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr("recommender.snapshot.json.dumps", fails)
    with pytest.raises(OSError, match="disk full"):
        write_snapshot(store, tmp_path, NOW)
    assert list(tmp_path.iterdir()) == []


def test_a_changed_snapshot_is_refused(store: Store, tmp_path: Path) -> None:
    """One byte, another list of features, a damaged or missing file: each is told by name."""
    folder = tmp_path / write_snapshot(store, tmp_path, NOW).id
    content, manifest = (folder / FILE).read_bytes(), (folder / MANIFEST).read_text(encoding="utf-8")

    def key_of_refusal() -> str:
        with pytest.raises(InputRefused) as refused:
            read_snapshot(folder)
        return refused.value.key

    (folder / FILE).write_bytes(content[:-20] + bytes([content[-20] ^ 1]) + content[-19:])
    assert key_of_refusal() == "snapshot_changed"
    (folder / FILE).write_bytes(content)
    changed = json.loads(manifest)
    (folder / MANIFEST).write_text(json.dumps(changed | {"features": [*FEATURES, "age"]}), encoding="utf-8")
    assert key_of_refusal() == "snapshot_features"
    for damaged in ("{", json.dumps({"id": "x"}), "[1]"):
        (folder / MANIFEST).write_text(damaged, encoding="utf-8")
        assert key_of_refusal() == "snapshot_unreadable"
    (folder / MANIFEST).write_text(manifest, encoding="utf-8")
    assert read_snapshot(folder).info.id == folder.name
    (folder / FILE).unlink()
    assert key_of_refusal() == "snapshot_unreadable"


def test_a_junior_who_left_keeps_their_rows(store: Store, tmp_path: Path) -> None:
    """Somebody on a slate who is in no profile is still somebody, with nothing known of them."""
    slate = a_slate("slate-9", "s1")
    store.slates.put(replace(slate, suggestions=(replace(slate.suggestions[0], junior_id="gone"),)))
    rows = read_snapshot(tmp_path / write_snapshot(store, tmp_path, NOW).id).rows
    gone = rows[rows["slate"].map(rows["slate"].value_counts()) == 1].iloc[0]
    assert gone["junior"] not in ("", "gone")
    assert gone["junior_department"] == ""
    assert not gone["junior_language_nl"]
