"""What a typed sentence does and names: its act, with chances, and its slots.

The act is read from the words, their letters and the vector of the sentence by one linear model. The slots are read by
small recurrent networks that go over the words in both directions and vote; they see the vector of each word in its
context, its letters and its shape. Which words mean what is nowhere written down: `turn_fit` learns it from the
utterances in ``data/conversation``. Everything is kept as arrays and computed with numpy.
"""

import hashlib
import json
import re
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import skops.io
from numpy.typing import NDArray

from recommender.dialogue.acts import Act, Context, Heard, Name, Slot
from recommender.encoder import Encoder, Place, WordEncoder
from recommender.errors import ModelRefused
from recommender.utterances import words_of

FOLDER = "turns"
"""Of the reader, within the folder of models."""
ACT_CHARACTERS = 400
"""Of a text that its act is read from: who writes more says first what they want."""
SLOT_WORDS, SLOT_CHARACTERS = 120, 1200
"""Of a text that slots are looked for in."""
TOLD = 4
"""Acts that are told with their chances."""
ACTS, NAMES, CONTEXTS = tuple(Act), tuple(Name), tuple(Context)
STYLES = (Name.PATIENT, Name.HANDS_ON, Name.TECHNICAL)
"""Columns of `TurnReader.styles`."""
TAGS = 1 + 2 * len(NAMES)
"""Of a word: 0 is in no slot, an odd one begins a slot, the even one after it goes on with it."""
WORD_BUCKETS, LETTER_BUCKETS, GRAM_BUCKETS = 2**14, 2**15, 2**12
SHAPES = 16
"""Features of `shapes`."""
LONG_WORD = 40
"""Characters after which a word is cut off: no name is longer, and a pasted link can have thousands."""

_TOKEN = re.compile(r"\w+", re.UNICODE)

Vectors = NDArray[np.float32]
Floats = NDArray[np.float64]
Found = tuple[Name, int, int, bool]
"""A slot: its name, where it starts and ends, and whether it is wanted."""


@dataclass(frozen=True)
class TurnManifest:
    """What a reader file is, and what it was made from.

    `scale` is the factor of the sentence vector beside the words, `temperature` divides the log-odds of the acts, and
    `reserve` is taken from the log-chance that a word is in no slot. `metrics` are of cross-validation on the training
    utterances.
    """

    encoder: str
    dim: int
    word_dim: int
    acts: list[str]
    names: list[str]
    scale: float
    temperature: float
    reserve: float
    trained_on: dict[str, int]
    metrics: dict[str, float]
    seed: int
    versions: dict[str, str] = field(default_factory=dict)
    sha256: str = ""


class TurnReader:
    """Reads turns. Safe to share between threads if the encoders are.

    Parameters
    ----------
    encoder : Encoder
        Of sentences; the one it was fitted with.
    words : WordEncoder
        Of words in their context; the one it was fitted with.
    arrays : mapping of str to ndarray
        As `turn_fit.fit` returns them.
    manifest : TurnManifest
        Dimensions and constants.

    Raises
    ------
    ModelRefused
        If the encoders have other dimensions than those it was fitted with.
    """

    def __init__(
        self, encoder: Encoder, words: WordEncoder, arrays: Mapping[str, NDArray[np.generic]], manifest: TurnManifest
    ) -> None:
        if (encoder.dim, words.word_dim) != (manifest.dim, manifest.word_dim):
            raise ModelRefused(
                "reader_dimension", found=(encoder.dim, words.word_dim), expected=(manifest.dim, manifest.word_dim)
            )
        self._encoder, self._words, self.manifest = encoder, words, manifest
        self._arrays = {name: np.asarray(each, dtype=np.float32) for name, each in arrays.items()}
        self._tagger = Tagger({name: each for name, each in self._arrays.items() if name.startswith("net_")})

    def hear(self, text: str, context: Context) -> Heard:
        """Return what a turn does and names.

        Parameters
        ----------
        text : str
            As it was typed; of a long one, only the beginning is read.
        context : Context
            Where in the conversation it was typed.
        """
        # Half a surrogate pair, as JSON can carry it, is no text to any tokenizer.
        clean = text[:SLOT_CHARACTERS].encode("utf-8", "replace").decode()
        chances = self._act_chances(clean[:ACT_CHARACTERS], context)
        order = np.argsort(-chances, kind="stable")[:TOLD]
        acts = tuple((ACTS[place], float(chances[place])) for place in order)
        slots = tuple(Slot(name, clean[start:end], sign) for name, start, end, sign in self.spans(clean, context))
        return Heard(text, acts, slots, float(chances[ACTS.index(Act.UPSET)]))

    def styles(self, vectors: Vectors) -> Floats:
        """Return the chances that sentences of a profile tell each of `STYLES`.

        Parameters
        ----------
        vectors : ndarray of shape (n_texts, dim)
            Of the sentence encoder. A row of zeros is a text without any evidence.

        Returns
        -------
        ndarray of shape (n_texts, 3)
            In [0, 1]; rows don't add up to 1. Zeros for a row of zeros.
        """
        odds = (vectors @ self._arrays["style_weights"] + self._arrays["style_bias"]).astype(np.float64)
        some: NDArray[np.bool_] = np.asarray(vectors.any(axis=1, keepdims=True))
        found: Floats = _sigmoid(odds) * some
        return found

    def _act_chances(self, text: str, context: Context) -> Floats:
        """Return the calibrated chance of each of `ACTS`, shape ``(n_acts,)``."""
        places, values = text_features(text, self._arrays["act_idf"])
        weights, start = self._arrays["act_weights"], WORD_BUCKETS + LETTER_BUCKETS
        vector = self._encoder.encode([text])[0] * self.manifest.scale
        odds = values @ weights[places] + vector @ weights[start : start + self.manifest.dim]
        odds += weights[start + self.manifest.dim + CONTEXTS.index(context)] + self._arrays["act_bias"]
        return _softmax(odds.astype(np.float64) / self.manifest.temperature)

    def spans(self, text: str, context: Context) -> list[Found]:
        """Return the slots of the first `SLOT_WORDS` words of a text, in its order, with their places."""
        places = words_of(text)[:SLOT_WORDS]
        if not places:
            return []
        # What comes after the last word that is read would only cost time.
        text = text[: places[-1][1] + 1]
        (vectors,) = self._words.words([text], [places])
        tags, wanted = self._tagger(word_features(text, places, context), vectors)
        return list(found(places, tags, wanted, self.manifest.reserve))


@dataclass(frozen=True)
class WordFeatures:
    """What the tagger sees of the words of a text beside their vectors.

    `grams` are the buckets of each word's letters, `shapes` has shape ``(n_words, SHAPES)``, `context` is a place in
    `CONTEXTS`.
    """

    grams: tuple[tuple[int, ...], ...]
    shapes: Vectors
    context: int


class Tagger:
    """Networks that read the tag and the sign of each word, and vote.

    Parameters
    ----------
    arrays : mapping of str to ndarray
        Named after the layers in `turn_fit`, with the networks along the first axis.

    Notes
    -----
    A layer of long short-term memory in each direction (Hochreiter and Schmidhuber, 1997; gates in the order of torch).
    What both found, and the largest value of each of their outputs over the sentence, goes through one more layer.
    """

    def __init__(self, arrays: Mapping[str, Vectors]) -> None:
        self._of = {name.removeprefix("net_"): each for name, each in arrays.items()}

    def __call__(self, features: WordFeatures, vectors: Vectors) -> tuple[Floats, Floats]:
        """Return the chances of each tag, shape ``(n_words, TAGS)``, and that a word is wanted, shape ``(n_words,)``.

        Parameters
        ----------
        features : WordFeatures
            Of at least one word.
        vectors : ndarray of shape (n_words, word_dim)
            Of the word encoder.
        """
        of, n = self._of, len(features.shapes)
        letters = np.stack([of["letters"][:, each].mean(axis=1) for each in map(list, features.grams)], axis=1)
        even = (vectors - of["words_centre"]) / of["words_spread"]
        words = np.maximum(even @ of["words_weight"] + of["words_bias"], 0)
        shapes = np.broadcast_to(features.shapes, (len(words), n, SHAPES))
        context = np.repeat(of["context"][:, features.context][:, None], n, axis=1)
        outputs = self._both_ways(np.concatenate([words, letters, shapes, context], axis=2))
        largest = np.repeat(outputs.max(axis=1, keepdims=True), n, axis=1)
        mixed = np.maximum(np.concatenate([outputs, largest], axis=2) @ of["mix_weight"] + of["mix_bias"], 0)
        tags = _softmax((mixed @ of["tag_weight"] + of["tag_bias"]).astype(np.float64)).mean(axis=0)
        wanted = _sigmoid((mixed @ of["sign_weight"] + of["sign_bias"]).astype(np.float64)).mean(axis=0)[:, 0]
        return tags, wanted

    def _both_ways(self, inputs: Vectors) -> Vectors:
        """Return the outputs of both directions beside each other, shape ``(n_networks, n_words, 2 * size)``."""
        of = self._of
        # (networks, directions, words, gates): what doesn't depend on the word before is computed at once.
        ways = np.stack([inputs, inputs[:, ::-1]], axis=1)
        gates = ways @ of["into_weight"] + of["into_bias"]
        size = gates.shape[-1] // 4
        hidden: Vectors = np.zeros((*gates.shape[:2], 1, size), dtype=np.float32)
        cell = hidden
        outputs = np.zeros((*gates.shape[:3], size), dtype=np.float32)
        for place in range(inputs.shape[1]):
            now: Vectors = gates[:, :, place : place + 1] + hidden @ of["again_weight"]
            keep = _logistic(now)
            cell = keep[..., size : 2 * size] * cell + keep[..., :size] * np.tanh(now[..., 2 * size : 3 * size])
            hidden = np.asarray(keep[..., 3 * size :] * np.tanh(cell))
            outputs[:, :, place] = hidden[:, :, 0]
        both: Vectors = np.concatenate([outputs[:, 0], outputs[:, 1, ::-1]], axis=2)
        return both


def found(places: Sequence[Place], tags: Floats, wanted: Floats, reserve: float = 0.0) -> Iterator[Found]:
    """Yield the slots of a text: name, start, end, and whether it is wanted.

    Parameters
    ----------
    places : sequence of (int, int)
        Where its words start and end.
    tags, wanted : ndarray of shape (n_words, TAGS) and (n_words,)
        Chances, as `Tagger` returns them.
    reserve : float
        Taken from the log-chance that a word is in no slot.
    """
    path = likeliest(tags, reserve) if len(places) else []
    for first, tag in enumerate(path):
        if tag % 2 == 0:
            continue
        last = first
        while last + 1 < len(path) and path[last + 1] == tag + 1:
            last += 1
        sign = bool(wanted[first : last + 1].mean() >= 0.5)
        yield NAMES[tag // 2], places[first][0], places[last][1], sign


def likeliest(tags: Floats, reserve: float = 0.0) -> list[int]:
    """Return the likeliest tags of words, among those in which a slot begins before it goes on (Viterbi, 1967)."""
    scores = np.log(tags + 1e-9)
    scores[:, 0] -= reserve
    allowed = np.zeros((TAGS, TAGS))
    for tag in range(2, TAGS, 2):
        allowed[:, tag] = -np.inf
        allowed[[tag - 1, tag], tag] = 0
    best = np.where(np.arange(TAGS) % 2 == 0, -np.inf, scores[0])
    best[0] = scores[0, 0]
    back = []
    for score in scores[1:]:
        ways = best[:, None] + allowed
        back.append(ways.argmax(axis=0))
        best = ways.max(axis=0) + score
    path = [int(best.argmax())]
    for each in reversed(back):
        path.append(int(each[path[-1]]))
    return path[::-1]


def word_features(text: str, places: Sequence[Place], context: Context) -> WordFeatures:
    """Return what the tagger sees of words beside their vectors."""
    grams = tuple(_grams(text[start:end]) for start, end in places)
    return WordFeatures(grams, shapes(text, places), CONTEXTS.index(context))


def shapes(text: str, places: Sequence[Place]) -> Vectors:
    """Return how words look and what stands around them, shape ``(n_words, SHAPES)``, each 0 or 1."""
    rows = np.zeros((len(places), SHAPES), dtype=np.float32)
    edges = [0, *(edge for place in places for edge in place), len(text)]
    for number, (start, end) in enumerate(places):
        word = text[start:end]
        before, after = text[edges[2 * number] : start], text[end : edges[2 * number + 3]]
        rows[number] = (
            word[0].isupper(),
            len(word) > 1 and word.isupper(),
            any(each.isdigit() for each in word),
            word.isdigit(),
            number == 0,
            number == len(places) - 1,
            "," in before,
            any(each in ".!?;:\n" for each in before),
            "," in after,
            any(each in ".!;:\n" for each in after),
            "?" in after,
            len(word) <= 2,
            len(word) > 8,
            any(each in "\"“'‘(" for each in before),
            any(each.isupper() for each in word[1:]),
            "?" in text,
        )
    return rows


def text_features(text: str, idf: Vectors) -> tuple[NDArray[np.intp], Vectors]:
    """Return the columns that aren't zero, and their values: words and pairs of words, and runs of 2 to 5 letters.

    Parameters
    ----------
    text : str
        Any text.
    idf : ndarray of shape (WORD_BUCKETS + LETTER_BUCKETS,)
        Weight of each bucket: the rarer, the heavier. Both kinds are scaled to unit length.
    """
    told = text.lower()
    tokens = _TOKEN.findall(told)
    words = Counter(
        _bucket(each, WORD_BUCKETS) for each in [*tokens, *(f"{one} {other}" for one, other in pairwise(tokens))]
    )
    letters = Counter(WORD_BUCKETS + _bucket(each, LETTER_BUCKETS) for each in _runs(told.split(), range(2, 6)))
    parts = [_weighed(each, idf) for each in (words, letters) if each]
    if not parts:
        return np.zeros(0, dtype=np.intp), np.zeros(0, dtype=np.float32)
    return np.concatenate([each for each, _ in parts]), np.concatenate([each for _, each in parts])


def _weighed(counts: Counter[int], idf: Vectors) -> tuple[NDArray[np.intp], Vectors]:
    places = np.fromiter(counts, dtype=np.intp)
    values = (1 + np.log(np.fromiter(counts.values(), dtype=np.float32))) * idf[places]
    return places, (values / np.linalg.norm(values)).astype(np.float32)


def _grams(word: str) -> tuple[int, ...]:
    """Return the buckets of a word: of itself, and of its runs of 2 to 4 letters with its ends."""
    told = word.lower()[:LONG_WORD]
    runs = [f"<{told}>!", *_runs([told], range(2, 5), "<", ">")]
    return tuple(_bucket(each, GRAM_BUCKETS) for each in runs)


def _runs(words: Iterable[str], lengths: range, before: str = " ", after: str = " ") -> Iterator[str]:
    """Yield runs of characters of each word, its ends included."""
    for word in words:
        whole = before + word + after
        for length in lengths:
            for start in range(max(len(whole) - length + 1, 1)):
                yield whole[start : start + length]


def _bucket(text: str, buckets: int) -> int:
    """Return a place that is the same in every process, unlike `hash`."""
    return zlib.crc32(text.encode("utf-8", "replace")) % buckets


def load_turn_reader(folder: Path, encoder: Encoder, words: WordEncoder) -> TurnReader:
    """Read the reader of a folder, after checking its hash.

    Raises
    ------
    ModelRefused
        If a file is missing, damaged or changed, or it was made for other acts, names or encoders.
    """
    try:
        manifest = TurnManifest(**json.loads((folder / "manifest.json").read_text(encoding="utf-8")))
        content = (folder / "reader.skops").read_bytes()
    except (OSError, ValueError, TypeError) as error:
        raise ModelRefused("model_unreadable", folder=folder) from error
    if hashlib.sha256(content).hexdigest() != manifest.sha256:
        raise ModelRefused("model_changed", folder=folder)
    if (tuple(manifest.acts), tuple(manifest.names)) != (ACTS, NAMES):
        raise ModelRefused("model_features", folder=folder, features=", ".join([*manifest.acts, *manifest.names]))
    try:
        arrays = skops.io.loads(content, trusted=[])
        if set(arrays) != ARRAYS:
            raise ModelRefused("model_unreadable", folder=folder)
        return TurnReader(encoder, words, arrays, manifest)
    except (skops.io.exceptions.UntrustedTypesFoundException, BadZipFile, TypeError, ValueError) as error:
        raise ModelRefused("model_unreadable", folder=folder) from error


NET = (
    *(
        "letters",
        "context",
        "words_centre",
        "words_spread",
        "words_weight",
        "words_bias",
        "into_weight",
        "into_bias",
        "again_weight",
    ),
    *("mix_weight", "mix_bias", "tag_weight", "tag_bias", "sign_weight", "sign_bias"),
)
"""Arrays of the tagger."""
ARRAYS = {
    *("act_idf", "act_weights", "act_bias", "style_weights", "style_bias"),
    *(f"net_{each}" for each in NET),
}
"""What a reader file holds."""


def _logistic(values: Vectors) -> Vectors:
    chances: Vectors = 0.5 * (1 + np.tanh(0.5 * values))
    return chances


def _sigmoid(odds: Floats) -> Floats:
    chances: Floats = 1 / (1 + np.exp(-np.clip(odds, -50, 50)))
    return chances


def _softmax(odds: Floats) -> Floats:
    """Return shares that add up to 1 along the last axis."""
    shares = np.exp(odds - odds.max(axis=-1, keepdims=True))
    chances: Floats = shares / shares.sum(axis=-1, keepdims=True)
    return chances
