"""Print how well turns are read, beside plain methods, as Markdown.

    python scripts/bench_turns.py folder

The folder holds the benchmark folders. Our own test turns are in data/conversation/test.jsonl; how they were written is
told in the README there. Intervals are 95% bootstrap intervals over utterances.

F1 of slots is micro F1 over name, sign and value. A slot of which only counts that it is there ("patient") counts once
for each utterance; one that holds a value ("place") is found where the place that was read and the right one have at
least half of the characters that either covers in common. "Strict" asks for the very same characters of every slot.
"""

import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, hstack
from sklearn.feature_extraction.text import HashingVectorizer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline, make_union
from threadpoolctl import threadpool_limits

from recommender.bootstrap import load_parts
from recommender.dialogue.acts import Name
from recommender.encoder import Encoder, SentenceEncoder, load_encoder
from recommender.settings import load_settings
from recommender.turn_fit import MEAN_SCALE, Counts, f1, idf_of, matches, mean_arrays, tags_of, text_table
from recommender.turn_reader import (
    FOLDER,
    TAGS,
    Found,
    TurnManifest,
    TurnReader,
    found,
    load_turn_reader,
    mean_vector,
)
from recommender.utterances import TEST, Utterance, read_utterances, words_of

LANGUAGES = ("nl", "en", "mix")
BINS = 10
DRAWS = 1000
SURE = 0.5
"""Confidence from which an act is taken for granted."""

Rows = NDArray[np.intp]
Mask = NDArray[np.bool_]


def main(folder: Path, reader: TurnReader, encoder: Encoder, words: SentenceEncoder) -> None:
    """Print every table."""
    training, test = read_utterances(), read_utterances(TEST)
    print(f"Encoder {encoder.id}; {len(training)} training utterances, {len(test)} test utterances.\n")
    with threadpool_limits(limits=1):  # small fits: threads that wait for each other make them much slower
        acts(reader, training, test)
        slots(reader, words, training, test)
        intents(folder / "xsid_nl", encoder, words, reader.manifest)
    told = reader.manifest.metrics
    print(f"Style of explaining, cross-validated: accuracy {told['style_accuracy']:.3f}, F1 {told['style_f1']:.3f}")


def acts(reader: TurnReader, training: Sequence[Utterance], test: Sequence[Utterance]) -> None:
    """Print accuracy of the act, and how far its confidence is from it."""
    true = np.array([each.act for each in test])
    heard = [reader.hear(each.text, each.context) for each in test]
    right = np.array([each.act for each in heard]) == true
    # The plain model sees the context too, as a word.
    plain = make_pipeline(plain_features(), LogisticRegression(C=10, max_iter=1000))
    plain.fit([with_context(each) for each in training], [each.act for each in training])
    print("| acts | accuracy | " + " | ".join(LANGUAGES) + " |\n|---|---|---|---|---|")
    print(in_languages("product", test, lambda rows: float(right[rows].mean())))
    plain_right = plain.predict([with_context(each) for each in test]) == true
    print(in_languages("TF-IDF, logistic regression", test, lambda rows: float(plain_right[rows].mean())))
    confidence = np.array([each.confidence for each in heard])
    among = np.array([one in [act for act, _ in each.acts] for one, each in zip(true, heard, strict=True)])
    sure = confidence >= SURE
    print(f"\nThe act is among the four that are told: {among.mean():.3f}")
    print(f"Calibration of the likeliest: ECE {ece(confidence, right):.3f} ({BINS} bins)")
    print(f"Confidence of {SURE} or more: {sure.mean():.3f} of turns, accuracy {right[sure].mean():.3f}\n")


def slots(reader: TurnReader, words: SentenceEncoder, training: Sequence[Utterance], test: Sequence[Utterance]) -> None:
    """Print F1 of slots, beside a model that reads each word on its own, and F1 of each slot."""
    systems = {
        "product": [reader.spans(each.text, each.context) for each in test],
        "each word by logistic regression": word_by_word(words, training, test),
    }
    print("| slots | micro F1 | " + " | ".join(LANGUAGES) + " | strict |\n|---|---|---|---|---|---|")
    counts: dict[str, list[list[Counts]]] = {}
    for name, read in systems.items():
        counts[name] = [matches(one, each) for one, each in zip(test, read, strict=True)]
        strict = [count for one, each in zip(test, read, strict=True) for count in exact(one, each)]
        line = in_languages(name, test, lambda rows, of=counts[name]: f1([one for row in rows for one in of[row]]))
        print(f"{line} {f1(strict):.3f} |")
    print("\n| slot | F1 | found | wrong | missed |\n|---|---|---|---|---|")
    for slot in Name:
        own = [one for each in counts["product"] for one in each if one[0] is slot]
        print(
            f"| {slot} | {f1(own):.2f} | " + " | ".join(str(sum(one[side] for one in own)) for side in (1, 2, 3)) + " |"
        )
    print()


def word_by_word(words: SentenceEncoder, training: Sequence[Utterance], test: Sequence[Utterance]) -> list[list[Found]]:
    """Return what a linear model reads that sees each word with the two on either side."""
    tables = [word_table(words, each) for each in (training, test)]
    tags, wanted = (np.concatenate(each) for each in zip(*(tags_of(each) for each in training), strict=True))
    tagger = LogisticRegression(C=3, max_iter=300, tol=1e-3).fit(tables[0], (tags + 1) // 2)
    inside = tags > 0
    signs = LogisticRegression(C=3, max_iter=300, class_weight="balanced").fit(tables[0][inside], wanted[inside] > 0.5)
    chances = np.full((tables[1].shape[0], TAGS), 1e-9)
    told = tagger.predict_proba(tables[1])
    for column, kind in enumerate(tagger.classes_):
        chances[:, max(2 * kind - 1, 0)] = chances[:, 2 * kind] = told[:, column]
    ends = np.cumsum([len(words_of(each.text)) for each in test])[:-1]
    parts = np.split(chances, ends), np.split(signs.predict_proba(tables[1])[:, 1], ends)
    return [list(found(words_of(one.text), *each)) for one, *each in zip(test, *parts, strict=True)]


def word_table(words: SentenceEncoder, utterances: Sequence[Utterance]) -> csr_matrix:
    """Return letters of words and of their neighbours, and vectors of the last layer, a row for each word."""
    places = [words_of(each.text) for each in utterances]
    vectors = [each[:, -words.dim :] for each in words.words([each.text for each in utterances], places)]
    letters = HashingVectorizer(analyzer="char_wb", ngram_range=(2, 4), n_features=2**13, alternate_sign=False)
    parts = []
    for step, weight in ((0, 1.0), (-1, 0.7), (1, 0.7), (-2, 0.4), (2, 0.4)):
        near = [
            one.text[slice(*where[number + step])].lower() if 0 <= number + step < len(where) else "^"
            for one, where in zip(utterances, places, strict=True)
            for number in range(len(where))
        ]
        parts.append(letters.transform(near) * weight)
    wide = [np.hstack([np.pad(each, ((1 + step, 1 - step), (0, 0)))[1:-1] for step in (0, 1, -1)]) for each in vectors]
    return hstack([*parts, csr_matrix(np.vstack(wide) * 0.3)]).tocsr()


def intents(folder: Path, encoder: Encoder, words: SentenceEncoder, manifest: TurnManifest) -> None:
    """Print accuracy on the Dutch intents of xSID, for the linear model of the acts and a plain one."""
    rows = [json.loads(line) for line in (folder / "utterances.jsonl").read_text(encoding="utf-8").splitlines()]
    rows = [row for row in rows if row["lang"] == "nl"]
    texts, true = np.array([row["text"] for row in rows]), np.array([row["intent"] for row in rows])
    vectors = encoder.encode(texts.tolist()) * manifest.scale
    of_words = words.words(texts.tolist(), [words_of(each) for each in texts.tolist()])
    arrays = mean_arrays(of_words)
    means = np.array([mean_vector(each, arrays) for each in of_words]) * MEAN_SCALE
    strength = manifest.metrics.get("act_strength", 10.0)
    right: dict[str, Mask] = {
        "linear model of the product": np.zeros(len(true), dtype=bool),
        "TF-IDF, logistic regression": np.zeros(len(true), dtype=bool),
    }
    for known, asked in StratifiedKFold(5, shuffle=True, random_state=0).split(texts, true):
        idf = idf_of(texts[known].tolist())
        table = hstack([text_table(texts.tolist(), idf), csr_matrix(np.hstack([vectors, means]))]).tocsr()
        model = LogisticRegression(C=strength, max_iter=1000).fit(table[known], true[known])
        right["linear model of the product"][asked] = model.predict(table[asked]) == true[asked]
        plain = make_pipeline(plain_features(), LogisticRegression(C=10, max_iter=1000))
        plain.fit(texts[known], true[known])
        right["TF-IDF, logistic regression"][asked] = plain.predict(texts[asked]) == true[asked]
    print(f"| intents of xSID, Dutch, {len(true)} utterances, {len(set(true))} intents | accuracy |\n|---|---|")
    for name, each in right.items():
        print(f"| {name} | {with_interval(lambda rows, each=each: float(each[rows].mean()), len(each))} |")
    print()


def plain_features() -> object:
    """Return TF-IDF of words and pairs of words, and of runs of letters."""
    return make_union(
        TfidfVectorizer(sublinear_tf=True, ngram_range=(1, 2)),
        TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True),
    )


def with_context(utterance: Utterance) -> str:
    """Return the text with its context as a word."""
    return f"context_{utterance.context} {utterance.text}"


def exact(utterance: Utterance, read: Sequence[Found]) -> list[Counts]:
    """Return `matches` for which each place must be the very same."""
    true = {(each.name, each.start, each.end, each.wanted) for each in utterance.spans}
    both = true & set(read)
    return [
        *((name, 1, 0, 0) for name, *_ in both),
        *((name, 0, 1, 0) for name, *_ in set(read) - both),
        *((name, 0, 0, 1) for name, *_ in true - both),
    ]


def in_languages(name: str, test: Sequence[Utterance], measure: Callable[[Rows], float]) -> str:
    """Return a line of a table: a figure with its interval, and the figure in each language."""
    languages = np.array([each.lang for each in test])
    each = [f"{measure(np.flatnonzero(languages == language)):.3f}" for language in LANGUAGES]
    return f"| {name} | {with_interval(measure, len(test))} | " + " | ".join(each) + " |"


def ece(chances: NDArray[np.float64], true: Mask) -> float:
    """Return the expected calibration error: the mean gap of chance and share, over bins of equal width (Guo, 2017)."""
    place = np.minimum((chances * BINS).astype(int), BINS - 1)
    gaps = [
        abs(chances[place == each].mean() - true[place == each].mean()) * (place == each).mean() for each in set(place)
    ]
    return float(sum(gaps))


def with_interval(measure: Callable[[Rows], float], n: int) -> str:
    """Return a figure with its bootstrap interval over `n` utterances."""
    rng = np.random.default_rng(0)
    low, high = np.percentile([measure(rng.integers(0, n, n)) for _ in range(DRAWS)], [2.5, 97.5])
    return f"{measure(np.arange(n)):.3f} ({low:.3f} to {high:.3f})"


if __name__ == "__main__":
    settings = load_settings()
    encoder, words = load_parts(settings).encoder, load_encoder(settings)
    if not isinstance(words, SentenceEncoder):
        sys.exit("These are no sentence vectors: see TELEMACHOS_ENCODER.")
    main(Path(sys.argv[1]), load_turn_reader(settings.models / FOLDER, encoder, words), encoder, words)
