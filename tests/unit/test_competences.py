"""What a text is about is read from its vector; the data it was learnt from is in order."""

import json
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from recommender.competence_fit import fit, fit_and_save, save
from recommender.competence_texts import CLUE, TRAINING, Example, read_examples
from recommender.competences import FOLDER, CompetenceReader, Found, ReaderManifest, load_reader
from recommender.encoder import HashingEncoder
from recommender.errors import ModelRefused
from recommender.framework import Skill, digital_skills, framework
from recommender.settings import ROOT

DATA = ROOT / "data" / "competences"
DIM = 64
ENCODER = HashingEncoder(dim=DIM)
SKILLS = (Skill("s1", "spreadsheets", "rekenbladen", ("1.3",)), Skill("s2", "video editing", "", ("3.2",)))


@cache
def quick_reader() -> CompetenceReader:
    """Return a reader of the real training texts that sees spelling only."""
    arrays, manifest = fit(ENCODER, read_examples(), SKILLS)
    return CompetenceReader(**arrays, manifest=manifest)


def rows(name: str) -> list[dict[str, object]]:
    """Return the objects of a file of labelled texts."""
    return [json.loads(line) for line in (DATA / name).read_text(encoding="utf-8").splitlines()]


def a_reader(logits: tuple[float, float, float]) -> CompetenceReader:
    """Return a reader of one-dimensional vectors: logits of 1.1, of nothing digital, and of a told level."""
    codes = framework().codes
    weights = np.full((1, len(codes) + 10), -9.0)
    weights[0, [0, len(codes), len(codes) + 1]] = logits
    weights[0, -8:] = [0, 0, 0, 0, 50, 0, 0, 0]
    manifest = ReaderManifest("e", 1, list(codes), 0.3, 0.5, 0.5, {}, {}, 7)
    return CompetenceReader(weights, np.zeros(weights.shape[1]), np.array([[1.0, 0], [1, 0]]), np.ones(3), manifest)


def test_the_framework_is_complete() -> None:
    """DigComp 2.2 has five areas, 21 competences and eight levels, each with words in both languages."""
    told = framework()
    assert [each.code for each in told.areas] == ["1", "2", "3", "4", "5"]
    assert [len(each.competences) for each in told.areas] == [3, 6, 4, 4, 4]
    assert [each.number for each in told.levels] == list(range(1, 9))
    texts = [text for each in told.competences for text in (each.name, each.short, each.plain)]
    texts += [each.name for each in told.areas] + [each.plain for each in told.levels]
    assert all(text["nl"] and text["en"] for text in texts)
    assert all(each.name_in_3 for each in told.areas)
    assert told.competence("3.4").name == {"nl": "Programmeren", "en": "Programming"}


@pytest.mark.parametrize("name", ["training.jsonl", "test.jsonl"])
def test_labelled_texts_are_in_order(name: str) -> None:
    """Each text has known codes, a level of DigComp or none, a kind and a language; each competence occurs."""
    found = rows(name)
    for row in found:
        assert set(row["codes"]) <= set(framework().codes), row
        assert row["level"] in {None, *range(1, 9)}, row
        assert row["kind"] in {"need", "offer"}, row
        assert row["lang"] in {"nl", "en", "mixed"}, row
        assert str(row["text"]).strip(), row
    assert {code for row in found for code in row["codes"]} == set(framework().codes)
    assert {row["lang"] for row in found} == {"nl", "en", "mixed"}
    assert {row["level"] for row in found} == {None, *range(1, 9)}
    assert not all(row["codes"] for row in found)


def test_no_text_is_tested_that_was_learnt() -> None:
    """No text stands in both files, nor twice in one."""
    texts = [str(row["text"]).lower() for name in ("training.jsonl", "test.jsonl") for row in rows(name)]
    assert len(texts) == len(set(texts))


def test_esco_skills_are_in_order() -> None:
    """Each digital skill has an id of its own, an English name and known codes; many have a Dutch name."""
    skills = digital_skills()
    assert 200 <= len(skills) <= 1200
    assert len({each.id for each in skills}) == len(skills)
    assert all(each.en and each.codes and set(each.codes) <= set(framework().codes) for each in skills)
    assert sum(bool(each.nl) for each in skills) > 100


def test_chances_are_chances() -> None:
    """Chances have a column for each competence and lie between 0 and 1, whatever the vectors."""
    vectors = np.random.default_rng(0).normal(0, 30, (50, DIM)).astype(np.float32)
    chances = quick_reader().chances(vectors)
    assert chances.shape == (50, 21)
    assert np.isfinite(chances).all()
    assert (chances >= 0).all()
    assert (chances <= 1).all()


def test_texts_do_not_matter_to_each_other() -> None:
    """A text is read the same alone and in company."""
    vectors = ENCODER.encode([each.text for each in read_examples()[:20]])
    together = quick_reader().read(vectors)
    assert [each.found for each in together] == [
        tuple(
            Found(one.code, pytest.approx(one.confidence, abs=1e-5)) for one in quick_reader().read(row[None])[0].found
        )
        for row in vectors
    ]


def test_training_texts_are_read_better_than_by_guessing() -> None:
    """Even with spelling alone, what was learnt comes back: the surest competence is right for most texts."""
    known = [each for each in read_examples() if each.codes]
    chances = quick_reader().chances(ENCODER.encode([each.text for each in known]))
    right = [framework().codes[row.argmax()] in each.codes for row, each in zip(chances, known, strict=True)]
    assert np.mean(right) > 0.3  # naming the commonest one would be right for one in ten


def test_no_evidence_is_not_known() -> None:
    """A vector of zeros has no chance of anything, no level and no skill."""
    nothing = np.zeros((1, DIM), dtype=np.float32)
    reader = quick_reader()
    assert not reader.chances(nothing).any()
    assert reader.read(nothing)[0].found == ()
    assert reader.read(nothing)[0].level is None
    assert reader.skills(nothing, ENCODER.encode([each.text for each in SKILLS]), ["s1", "s2"]) == [()]


def test_no_texts_give_no_readings() -> None:
    """Nothing in, nothing out."""
    empty = np.zeros((0, DIM), dtype=np.float32)
    assert quick_reader().read(empty) == []
    assert quick_reader().chances(empty).shape == (0, 21)


@pytest.mark.parametrize(
    ("logits", "codes", "level"),
    [((5, -5, 5), ["1.1"], 5.0), ((5, 9, -5), [], None), ((-5, 5, 5), [], 5.0), ((5, -5, -5), ["1.1"], None)],
)
def test_only_what_is_sure_is_named(logits: tuple[float, float, float], codes: list[str], level: float | None) -> None:
    """A competence is named from its threshold if the text is digital at all, a level from its own."""
    (reading,) = a_reader(logits).read(np.ones((1, 1), dtype=np.float32))
    assert [each.code for each in reading.found] == codes
    assert reading.level == level
    assert np.count_nonzero(a_reader(logits).named(np.ones((1, 1), dtype=np.float32))) == len(codes)


def test_another_encoder_is_refused() -> None:
    """Vectors of another dimension, or one vector instead of rows, are refused with both dimensions named."""
    for vectors in (np.ones((2, DIM + 1), dtype=np.float32), np.ones(DIM, dtype=np.float32)):
        with pytest.raises(ModelRefused) as refused:
            quick_reader().chances(vectors)
        assert refused.value.values == {"found": vectors.shape, "expected": DIM}


def test_the_nearest_skill_comes_first() -> None:
    """Skills are told by id, the likeliest first, at most k, none below the floor."""
    reader, bank = quick_reader(), ENCODER.encode([each.text for each in SKILLS])
    (found,) = reader.skills(bank[1:], bank, ["s1", "s2"])
    assert [each.code for each in found] == ["s2", "s1"]
    assert all(0 < each.confidence < 1 for each in found)
    assert [len(each) for each in reader.skills(bank, bank, ["s1", "s2"], k=1)] == [1, 1]
    assert reader.skills(bank, bank, ["s1", "s2"], floor=1) == [(), ()]


def test_the_same_texts_give_the_same_reader(tmp_path: Path) -> None:
    """A fit has no luck in it, and a saved reader says what the fitted one says."""
    few = [each for each in read_examples() if each.groups[0].startswith(CLUE) or each.text.endswith("?")]
    arrays, manifest = fit(ENCODER, few)
    again, _ = fit(ENCODER, few)
    for name, values in arrays.items():
        np.testing.assert_array_equal(values, again[name])
    save(tmp_path, arrays, manifest)
    loaded = load_reader(tmp_path)
    vectors = ENCODER.encode([each.text for each in few])
    np.testing.assert_array_equal(
        loaded.chances(vectors), CompetenceReader(**arrays, manifest=manifest).chances(vectors)
    )
    assert loaded.encoder == ENCODER.id


def test_a_changed_file_is_refused(tmp_path: Path) -> None:
    """A reader that isn't there, or isn't what its manifest says, or is for another framework, is not loaded."""
    with pytest.raises(ModelRefused, match="can't be read"):
        load_reader(tmp_path)
    reader = a_reader((0, 0, 0))
    arrays = {"weights": np.ones((1, 31)), "bias": np.ones(31), "curves": np.ones((2, 2)), "skill_curve": np.ones(3)}
    save(tmp_path, arrays, replace(reader.manifest, codes=["9.9"]))
    with pytest.raises(ModelRefused, match="other features"):
        load_reader(tmp_path)
    save(tmp_path, {"surprise": np.ones(1)}, reader.manifest)
    with pytest.raises(ModelRefused, match="can't be read"):
        load_reader(tmp_path)
    save(tmp_path, arrays, reader.manifest)
    load_reader(tmp_path)
    (tmp_path / "reader.skops").write_bytes(b"changed")
    with pytest.raises(ModelRefused, match="was changed"):
        load_reader(tmp_path)


def test_one_command_fits_and_saves(tmp_path: Path) -> None:
    """The reader lands in its folder under the models, with what it was made from."""
    reader = fit_and_save(tmp_path, ENCODER)
    manifest = json.loads((tmp_path / FOLDER / "manifest.json").read_text())
    assert manifest["encoder"] == ENCODER.id
    assert manifest["dim"] == DIM
    assert manifest["trained_on"]["texts"] == len(TRAINING.read_text(encoding="utf-8").splitlines())
    assert reader.codes == framework().codes


def test_a_clue_has_no_competence() -> None:
    """Texts that only tell a level are about nothing digital, so that they can be put beside any subject."""
    clues: list[Example] = [each for each in read_examples() if each.groups[0].startswith(CLUE)]
    assert len(clues) > 40
    assert all(not each.codes and each.level for each in clues)
