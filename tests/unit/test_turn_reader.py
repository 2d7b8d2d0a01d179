"""What a turn does and names is read from its words; the utterances it was learnt from are in order."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from recommender.dialogue.acts import Act, Context, Heard, Name
from recommender.encoder import HashingEncoder, SentenceEncoder
from recommender.errors import ModelRefused
from recommender.settings import ROOT
from recommender.turn_fit import (
    Effort,
    Network,
    Sentence,
    f1,
    fit,
    folds_of,
    learn,
    matches,
    save,
    search,
    sentences,
    tagger_of,
)
from recommender.turn_reader import (
    ACTS,
    ARRAYS,
    CLOSED_SLOTS,
    FOLDER,
    NAMES,
    STYLES,
    TAGS,
    Read,
    Tagger,
    TurnManifest,
    TurnReader,
    found,
    likeliest,
    load_turn_reader,
    shapes,
    slots_of,
    text_features,
)
from recommender.utterances import (
    FOLDER as DATA,
)
from recommender.utterances import (
    STYLES as STYLE_TEXTS,
)
from recommender.utterances import (
    TEST,
    Span,
    Utterance,
    parse,
    pattern,
    read_fillers,
    read_styles,
    read_utterances,
    varied,
    words_of,
)

DIM = 64
ENCODER = HashingEncoder(dim=DIM)
TRAINING = sorted(DATA.glob("training_*.jsonl"))
SENTENCES = (
    ("start", "goal", "I want to learn {topic:Excel}"),
    ("start", "goal", "teach me {topic:Word} in {place:Gent}"),
    ("start", "goal", "ik wil {topic:Teams} leren"),
    ("cards", "critique", "someone like {person:Sanne} but not in {-place:Utrecht}"),
    ("cards", "critique", "iemand {online:online} graag"),
    ("cards", "choose", "I take {person:Tim}"),
    ("check", "yes", "yes"),
    ("check", "no", "no thanks"),
)
ODD = ("", " ", "?!", "😀😀", "\ud800", "a" * 4000, "woord " * 700, "\n\t", "#2", "{topic:x}", "\x00", "İİİ", "ﬁ ß ŉ")


def utterance(context: str, act: str, marked: str) -> Utterance:
    """Return an English utterance."""
    text, spans = parse(marked)
    return Utterance(text, "en", Context(context), Act(act), spans)


@cache
def quick_fit() -> tuple[dict[str, NDArray[np.float16]], TurnManifest]:
    """Return a reader of a handful of utterances that sees spelling only."""
    known = [utterance(*each) for each in SENTENCES for _ in range(4)]
    styles = [("slowly and calmly", "patient"), ("we practise", "hands_on"), ("the code", "technical"), ("hi", "none")]
    return fit(ENCODER, ENCODER, known, styles, {}, Effort(networks=2, epochs=60, copies=1, folds=0))


def quick_reader() -> TurnReader:
    """Return the reader of `quick_fit`."""
    return TurnReader(ENCODER, ENCODER, *quick_fit())


def rows() -> Iterator[tuple[Path, dict[str, str]]]:
    """Yield the objects of all files of utterances."""
    for path in (*TRAINING, TEST):
        for line in path.read_text(encoding="utf-8").splitlines():
            yield path, json.loads(line)


def test_utterances_are_in_order() -> None:
    """Each utterance has a language, a known context and act, and marks that put back give the text that was marked."""
    for path, row in rows():
        assert set(row) - {"who"} == {"lang", "context", "act", "text"}, path.name
        assert row["lang"] in {"nl", "en", "mix"}
        text, spans = parse(row["text"])
        assert not re.search(r"[{}]", text), path.name
        assert text.strip()
        Context(row["context"]), Act(row["act"])
        assert marked(text, spans) == row["text"]
        assert all(text[each.start : each.end].strip() == text[each.start : each.end] != "" for each in spans)


def test_every_act_and_slot_is_learnt() -> None:
    """The training utterances have all acts and names, and more than a few of each."""
    known = read_utterances()
    assert {each.act for each in known} == set(Act)
    assert {span.name for each in known for span in each.spans} == set(Name)
    assert {each.context for each in known} == set(Context)
    assert set(read_fillers()) <= set(Name)


def test_no_utterance_is_tested_that_was_learnt() -> None:
    """No whole sentence of the test is in the training files, but for those of a few words that anybody says."""
    learnt = {each.text.lower().strip(" .!?") for each in read_utterances()}
    tested = {each.text.lower().strip(" .!?") for each in read_utterances(TEST)}
    assert [each for each in learnt & tested if len(words_of(each)) > 3] == []


def test_styles_are_in_order() -> None:
    """Each sentence of a profile tells one style, or none; all occur."""
    assert {style for _, style in read_styles()} == {*STYLES, "none"}
    assert STYLE_TEXTS.exists()


def test_variants_keep_their_slots() -> None:
    """Each variant's slots are within its text, don't overlap, and don't begin or end with a space."""
    known = read_utterances()[::7]
    made = varied(known, read_fillers(), 2, seed=1)
    assert made == varied(known, read_fillers(), 2, seed=1)
    assert len(made) > len(known)
    for variant, place in made:
        assert 0 <= place < len(known)
        assert variant.act is known[place].act
        ends = [0, *(edge for span in variant.spans for edge in (span.start, span.end)), len(variant.text)]
        assert ends == sorted(ends)
        assert [each.name for each in variant.spans][: len(known[place].spans)] == [
            each.name for each in known[place].spans
        ][: len(variant.spans)]


def test_what_was_learnt_is_heard() -> None:
    """Even with spelling alone, a few sentences come back with their act and their slots."""
    heard = quick_reader().hear("I want to learn Excel", Context.START)
    assert heard.act is Act.GOAL
    assert heard.words(Name.TOPIC) == ("Excel",)
    heard = quick_reader().hear("someone like Sanne but not in Utrecht", Context.CARDS)
    assert heard.act is Act.CRITIQUE
    assert heard.words(Name.PERSON) == ("Sanne",)
    assert heard.words(Name.PLACE, wanted=False) == ("Utrecht",)
    assert heard.words(Name.PLACE) == ()


@pytest.mark.parametrize("text", ODD, ids=range(len(ODD)))
def test_odd_texts_are_heard(text: str) -> None:
    """Whatever was typed, acts have chances that add up to at most 1, and slots hold words of the text."""
    for context in Context:
        heard = quick_reader().hear(text, context)
        in_order(heard)
        assert heard.text == text
        if not words_of(text):
            assert heard.slots == ()


def test_only_the_beginning_of_a_long_text_is_read() -> None:
    """What is said after some hundred words changes nothing."""
    start = "I want to learn Excel " * 30
    one, other = (quick_reader().hear(start + end * 100, Context.START) for end in ("Word ", "Teams "))
    assert one.acts == other.acts
    assert one.slots == other.slots


def test_styles_have_chances() -> None:
    """Each style has a chance of its own; a text without a vector tells none."""
    vectors = np.vstack([ENCODER.encode(["we practise", "the code"]), np.zeros((1, DIM), dtype=np.float32)])
    chances = quick_reader().styles(vectors)
    assert chances.shape == (3, 3)
    assert chances[0].argmax() == STYLES.index(Name.HANDS_ON)
    assert chances[1].argmax() == STYLES.index(Name.TECHNICAL)
    assert not chances[2].any()
    assert quick_reader().styles(vectors[:0]).shape == (0, 3)


def test_a_slot_begins_before_it_goes_on() -> None:
    """A tag that goes on with a slot is read only after one of the same slot."""
    rng = np.random.default_rng(0)
    for _ in range(50):
        path = likeliest(rng.dirichlet(np.full(TAGS, 0.1), size=8))
        for before, tag in zip([0, *path], path, strict=False):
            assert tag == 0 or tag % 2 == 1 or before in {tag, tag - 1}


def test_slots_are_found_in_tags() -> None:
    """Two slots beside each other stay two; the sign is that of most of the words."""
    topic, place = 1 + 2 * NAMES.index(Name.TOPIC), 1 + 2 * NAMES.index(Name.PLACE)
    tags = np.full((5, TAGS), 1e-6)
    tags[np.arange(5), [topic, topic + 1, topic, 0, place]] = 1
    slots = list(found([(0, 1), (2, 3), (4, 5), (6, 7), (8, 9)], tags, np.array([0.9, 0.9, 0.9, 0.9, 0.2])))
    assert slots == [(Name.TOPIC, 0, 3, True), (Name.TOPIC, 4, 5, True), (Name.PLACE, 8, 9, False)]


def test_matches_count_closed_slots_once() -> None:
    """A closed slot counts once wherever its words are; an open one where half of the characters are the same."""
    said = utterance("cards", "critique", "{online:online} or {online:by video} in {place:New York} please")
    assert f1(matches(said, [(Name.ONLINE, 0, 3, True), (Name.PLACE, 26, 30, True)])) == 1.0
    assert f1(matches(said, [(Name.ONLINE, 0, 3, False)])) == 0.0
    assert sum(each[2] for each in matches(said, [(Name.PLACE, 0, 30, True)])) == 1
    assert np.isnan(f1([]))


def test_a_closed_slot_is_there_if_both_models_say_so() -> None:
    """The linear model can add a closed slot that the networks half believe in, and take one away; signs count."""
    places, tags = [(0, 2), (3, 5), (6, 8)], np.full((3, TAGS), 1e-3)
    tags[:, 0] = 0.9
    tags[1, 1 + 2 * NAMES.index(Name.PATIENT)] = 0.4
    read = Read(tags, np.array([0.9, 0.9, 0.9]), np.zeros(len(ACTS)))
    odds = np.full(len(CLOSED_SLOTS), -6.0)
    assert slots_of(places, read, odds, 0.0, 0.5, 0.0) == []
    odds[CLOSED_SLOTS.index((Name.PATIENT, True))] = 3.0
    assert slots_of(places, read, odds, 0.0, 0.5, 0.0) == [(Name.PATIENT, 3, 5, True)]
    odds[CLOSED_SLOTS.index((Name.PATIENT, True))], odds[CLOSED_SLOTS.index((Name.PATIENT, False))] = -6.0, 4.0
    assert slots_of(places, read, odds, 0.0, 0.5, 0.0) == [(Name.PATIENT, 3, 5, False)]
    tags[1, 1 + 2 * NAMES.index(Name.PATIENT)] = 0.99
    odds[:] = -6.0
    assert slots_of(places, read, odds, 0.0, 0.9, 0.0) == []


def test_what_one_person_says_is_held_out_together() -> None:
    """A person is in one fold only, and so are sentences that differ in the words of their slots."""
    known = read_utterances()
    folds = folds_of(known, 3)
    where: dict[str, set[int]] = {}
    for each, fold in zip(known, folds.tolist(), strict=True):
        where.setdefault(each.who or pattern(each), set()).add(fold)
    assert {len(each) for each in where.values()} == {1}
    assert set(folds.tolist()) == {0, 1, 2}


def test_numpy_computes_what_torch_learnt() -> None:
    """The stacked arrays of two networks give the mean of their chances."""
    import torch

    known = sentences(ENCODER, [utterance(*each) for each in SENTENCES])
    networks = [learn(known, [], 2, seed) for seed in (0, 1)]
    one = known[3]
    read = Tagger(tagger_of(networks))(one.features, one.vectors.astype(np.float32))
    for number, told in enumerate((read.tags, read.wanted, read.acts)):
        right = np.mean([torch_chances(each, one)[number] for each in networks], axis=0)
        np.testing.assert_allclose(told, right, atol=1e-5)
    assert isinstance(networks[0], torch.nn.Module)


def test_letters_have_the_same_place_in_every_process() -> None:
    """Features are hashed without the salt that Python puts on its own hashes."""
    places, values = text_features("Ja", np.ones(2**14 + 2**15, dtype=np.float32))
    assert sorted(places.tolist()) == [28, 32283, 32796, 34042, 36113, 43217, 44490]
    assert np.linalg.norm(values) == pytest.approx(2**0.5)


def test_shapes_tell_how_words_look() -> None:
    """Capitals, digits, places and signs around a word are seen."""
    told = shapes("Sanne, IT 2?", words_of("Sanne, IT 2?"))
    assert told[:, 0].tolist() == [1, 1, 0]
    assert told[:, 1].tolist() == [0, 1, 0]
    assert told[:, 3].tolist() == [0, 0, 1]
    assert told[:, 8].tolist() == [1, 0, 0]
    assert told[:, 15].tolist() == [1, 1, 1]


def test_hashed_words_have_vectors() -> None:
    """The stand-in for the word encoder has a row for each word, and none for a text without words."""
    vectors = ENCODER.words(["a word", "", "x"], [[(0, 1), (2, 6)], [], [(0, 1)]])
    assert [each.shape for each in vectors] == [(2, DIM), (0, DIM), (1, DIM)]
    assert ENCODER.words([], []) == []
    assert hasattr(SentenceEncoder, "words")


def test_a_changed_file_is_refused(tmp_path: Path) -> None:
    """A reader that isn't there, isn't what its manifest says, or is for other acts or encoders, is not loaded."""
    arrays, manifest = quick_fit()
    with pytest.raises(ModelRefused, match="can't be read"):
        load_turn_reader(tmp_path, ENCODER, ENCODER)
    save(tmp_path, arrays, replace(manifest, acts=["sing"]))
    with pytest.raises(ModelRefused, match="other features"):
        load_turn_reader(tmp_path, ENCODER, ENCODER)
    save(tmp_path, {"surprise": np.ones(1, dtype=np.float16)}, manifest)
    with pytest.raises(ModelRefused, match="can't be read"):
        load_turn_reader(tmp_path, ENCODER, ENCODER)
    save(tmp_path, arrays, manifest)
    heard = load_turn_reader(tmp_path, ENCODER, ENCODER).hear("teach me Word", Context.START)
    assert heard == quick_reader().hear("teach me Word", Context.START)
    with pytest.raises(ModelRefused) as refused:
        load_turn_reader(tmp_path, HashingEncoder(dim=DIM + 1), ENCODER)
    assert refused.value.values == {"found": (DIM + 1, DIM), "expected": (DIM, DIM)}
    (tmp_path / "reader.skops").write_bytes(b"changed")
    with pytest.raises(ModelRefused, match="was changed"):
        load_turn_reader(tmp_path, ENCODER, ENCODER)


def test_the_kept_reader_is_whole() -> None:
    """The reader of the product is small, is what its manifest says, and beats what it is measured beside."""
    folder = ROOT / "models" / FOLDER
    told = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    dims = (HashingEncoder(dim=told["dim"]), HashingEncoder(dim=told["word_dim"]))
    reader = load_turn_reader(folder, *dims)
    assert reader.manifest.acts == [str(each) for each in ACTS]
    assert (folder / "reader.skops").stat().st_size < 12_000_000
    in_order(reader.hear("Wie leert mij draaitabellen in Utrecht?", Context.START))


def test_constants_are_set_on_people_who_were_held_out() -> None:
    """With folds, a fit tells its figures, those of people apart, and the search has a loss for each choice."""
    known = [replace(utterance(*each), who=str(place % 4)) for place, each in enumerate(SENTENCES * 4)]
    styles = [("slowly", "patient"), ("we practise", "hands_on"), ("the code", "technical"), ("hi", "none")] * 2
    effort = Effort(networks=1, epochs=1, rounds=1, copies=1, folds=2)
    _, manifest = fit(ENCODER, ENCODER, known, styles, {}, effort)
    assert {"act_accuracy", "act_accuracy_of_people", "slot_f1_of_one_network_of_people"} <= set(manifest.metrics)
    assert all(0 <= each <= 1 for name, each in manifest.metrics.items() if "accuracy" in name or "f1" in name)
    losses = search(ENCODER, ENCODER, known)
    assert len(losses) == 12
    assert all(np.isfinite(each) for each in losses.values())


def test_a_fit_has_what_a_reader_needs() -> None:
    """The arrays of a fit are those that a reader file must hold, in half precision."""
    arrays, manifest = quick_fit()
    assert set(arrays) == ARRAYS
    assert {each.dtype for each in arrays.values()} == {np.dtype(np.float16)}
    assert all(np.isfinite(each).all() for each in arrays.values())
    assert (manifest.dim, manifest.word_dim) == (DIM, DIM)


def in_order(heard: Heard) -> None:
    """Check what is true of everything that was heard."""
    chances = [chance for _, chance in heard.acts]
    assert chances == sorted(chances, reverse=True)
    assert 0 < sum(chances) <= 1 + 1e-9
    assert 0 <= heard.upset <= 1
    clean = heard.text.encode("utf-8", "replace").decode()
    assert all(each.words in clean for each in heard.slots)


def marked(text: str, spans: tuple[Span, ...]) -> str:
    """Return a text with its slots marked."""
    for span in reversed(spans):
        sign = "" if span.wanted else "-"
        text = f"{text[: span.start]}{{{sign}{span.name}:{text[span.start : span.end]}}}{text[span.end :]}"
    return text


def torch_chances(network: Network, sentence: Sentence) -> tuple[NDArray[np.float64], ...]:
    """Return the chances of tags and signs, and the log-chances of acts, by torch."""
    import torch

    from recommender.turn_fit import _batch

    with torch.no_grad():
        tags, signs, acts = network(_batch([sentence]))
    told = torch.softmax(tags[0], dim=-1), torch.sigmoid(signs[0, :, 0]), torch.log_softmax(acts[0], dim=-1)
    return tuple(each.numpy() for each in told)
