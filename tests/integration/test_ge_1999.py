"""The rehearsal: made-up people through the real import, round, check and publication, in a store of its own."""

from pathlib import Path

import pytest

from recommender import ge_1999
from recommender.bootstrap import Parts, load_parts
from recommender.domain import Junior, Senior
from recommender.settings import ROOT, Settings


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> Parts:
    """Give what ranks: quick vectors, the shipped ranker."""
    return load_parts(Settings(home=tmp_path_factory.mktemp("home"), encoder="hashing", models=ROOT / "models"))


def test_there_are_five_hundred_and_nine_hundred() -> None:
    """The same people each time, nobody twice, none with the name of somebody in the demo, all seniors taking part."""
    people = ge_1999.people()
    assert people == ge_1999.people()
    seniors = [each for each in people if isinstance(each, Senior)]
    assert (len(seniors), len(people) - len(seniors)) == (500, 900)
    assert len({each.id for each in people}) == len({each.name for each in people}) == 1400
    assert not {each.name for each in people} & {each.name for each in ge_1999.demo_people()}
    assert all(each.active and each.consent for each in seniors)
    below = {each.manager_id for each in people if isinstance(each, Junior)} - {None}
    assert below <= {each.id for each in seniors}


def test_it_is_played_to_the_end(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    """Smaller, but every step: pairs that break no rule, a letter for each side, and a time for each step."""
    monkeypatch.setattr(ge_1999, "SENIORS", 12)
    monkeypatch.setattr(ge_1999, "JUNIORS", 24)
    seen: list[tuple[int, int]] = []
    story = ge_1999.play(parts, lambda done, total: seen.append((done, total)))
    assert len(story.draft.pairs) + len(story.left_over) == 12
    assert len(story.draft.pairs) >= 8
    assert not story.draft.violations
    assert story.letters == 2 * len(story.draft.pairs)
    assert [each.name for each in story.timed] == [
        *("imported", "encoded", "gathered", "compared", "locked", "explained", "checked", "published")
    ]
    assert seen[-1] == (12, 12)
    assert all(story.names[each.junior_id] for each in story.draft.pairs)


def test_too_few_juniors_are_explained(parts: Parts, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """With four who explain for twelve, each of the others hears why, and what would help."""
    monkeypatch.setattr(ge_1999, "SENIORS", 12)
    monkeypatch.setattr(ge_1999, "JUNIORS", 4)
    story = ge_1999.play(parts)
    assert len(story.left_over) == 12 - len(story.draft.pairs) > 0
    assert {each.senior_id for each in story.left_over} == set(story.draft.left_over)
