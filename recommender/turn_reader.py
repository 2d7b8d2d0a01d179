"""What a typed sentence does and names: its act, with chances, and its slots.

A linear model reads the act, and which closed slots are there, from the words, their letters, the vector of the
sentence and the mean of those of its words. Small recurrent networks go over the words in both directions and vote on
the slots and the act; they see the vector of each word in its context, its letters and its shape. What both say is put
together. Which words mean what is nowhere written down: `turn_fit` learns it from the utterances in
``data/conversation``. Everything is kept as arrays and computed with numpy.
"""

import re
import threading
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import ThreadpoolController

from recommender.dialogue.acts import Act, Context, Heard, Name, Slot
from recommender.encoder import Encoder, Place, WordEncoder
from recommender.errors import ModelRefused
from recommender.kept_arrays import arrays_in, read_checked
from recommender.odds import log_softmax, sigmoid, softmax
from recommender.utterances import CLOSED, words_of

FOLDER = "turns"
"""Of the reader, within the folder of models."""
ACT_CHARACTERS = 400
"""Of a text that its act is read from: who writes more says first what they want."""
SLOT_WORDS, SLOT_CHARACTERS = 120, 1200
"""Of a text that slots are looked for in."""
TOLD = 4
"""Acts that are told with their chances."""
ACTS, NAMES, CONTEXTS = tuple(Act), tuple(Name), tuple(Context)
CLOSED_SLOTS = tuple((name, wanted) for name in NAMES if name in CLOSED for wanted in (False, True))
"""Those of which only counts that they are there, with their sign: what the linear model tells behind the acts."""
STYLES = (Name.PATIENT, Name.HANDS_ON, Name.TECHNICAL)
"""Columns of `TurnReader.styles`."""
TAGS = 1 + 2 * len(NAMES)
"""Of a word: 0 is in no slot, an odd one begins a slot, the even one after it goes on with it."""
WORD_BUCKETS, LETTER_BUCKETS, GRAM_BUCKETS = 2**14, 2**15, 2**12
SHAPES = 16
"""Features of `shapes`."""
LEAST_CHANCE = 1e-4
"""Of a closed slot: what is beyond it, or as near to 1, tells nothing more."""
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

    `scale` is the factor of the sentence vector beside the words, `act_share` that of the networks in the log-chances
    of the acts, which `temperature` divides. `reserve` is taken from the log-chance that a word is in no slot;
    `closed_share` is that of the linear model in the log-odds of a closed slot, which is there above `closed_least`.
    `metrics` are of cross-validation on the training utterances.
    """

    encoder: str
    dim: int
    word_dim: int
    acts: list[str]
    names: list[str]
    scale: float
    act_share: float
    temperature: float
    reserve: float
    closed_share: float
    closed_least: float
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
        self._lock, self._threads = threading.Lock(), ThreadpoolController()
        self._arrays = {name: np.ascontiguousarray(each, dtype=np.float32) for name, each in arrays.items()}
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
        chances, found = self._read(clean, context)
        order = np.argsort(-chances, kind="stable")[:TOLD]
        acts = tuple((ACTS[place], float(chances[place])) for place in order)
        slots = tuple(Slot(name, clean[start:end], sign) for name, start, end, sign in found)
        return Heard(text, acts, slots, float(chances[ACTS.index(Act.UPSET)]))

    def spans(self, text: str, context: Context) -> list[Found]:
        """Return the slots of the first `SLOT_WORDS` words of a text, in its order, with their places."""
        return self._read(text, context)[1]

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
        found: Floats = sigmoid(odds) * some
        return found

    def _read(self, text: str, context: Context) -> tuple[Floats, list[Found]]:
        """Return the calibrated chance of each of `ACTS`, and the slots with their places."""
        # The products are small: a second thread would only wait, and take processor time for that.
        with self._lock, self._threads.limit(limits=1, user_api="blas"):
            return self._read_alone(text, context)

    def _read_alone(self, text: str, context: Context) -> tuple[Floats, list[Found]]:
        told, places = self.manifest, words_of(text)[:SLOT_WORDS]
        if not places:
            odds = self._odds(text[:ACT_CHARACTERS], np.zeros(told.word_dim, dtype=np.float32), context)
            return act_chances(odds[: len(ACTS)], None, told.act_share, told.temperature), []
        # What comes after the last word that is read would only cost time.
        near = text[: places[-1][1] + 1]
        (vectors,) = self._words.words([near], [places])
        read = self._tagger(word_features(near, places, context), vectors)
        odds = self._odds(text[:ACT_CHARACTERS], mean_vector(vectors, self._arrays), context)
        slots = slots_of(places, read, odds[len(ACTS) :], told.reserve, told.closed_share, told.closed_least)
        return act_chances(odds[: len(ACTS)], read.acts, told.act_share, told.temperature), slots

    def _odds(self, text: str, mean: Vectors, context: Context) -> Floats:
        """Return the log-odds of `ACTS` and `CLOSED_SLOTS` by the linear model."""
        places, values = text_features(text, self._arrays["act_idf"])
        weights, start = self._arrays["act_weights"], WORD_BUCKETS + LETTER_BUCKETS
        vector = self._encoder.encode([text])[0] * self.manifest.scale
        whole = np.concatenate([vector, mean])
        odds = values @ weights[places] + whole @ weights[start : start + len(whole)]
        odds += weights[start + len(whole) + CONTEXTS.index(context)] + self._arrays["act_bias"]
        return np.asarray(odds, dtype=np.float64)


@dataclass(frozen=True)
class WordFeatures:
    """What the tagger sees of the words of a text beside their vectors.

    `grams` are the buckets of each word's letters, `shapes` has shape ``(n_words, SHAPES)``, `context` is a place in
    `CONTEXTS`.
    """

    grams: tuple[tuple[int, ...], ...]
    shapes: Vectors
    context: int


@dataclass(frozen=True)
class Read:
    """What networks read in a text of some words.

    `tags` are the chances of each tag, shape ``(n_words, TAGS)``, `wanted` that a word is wanted, shape ``(n_words,)``,
    and `acts` the log-chances of each act.
    """

    tags: Floats
    wanted: Floats
    acts: Floats


class Tagger:
    """Networks that read the tag and the sign of each word, and the act of all, and vote.

    Parameters
    ----------
    arrays : mapping of str to ndarray
        Named after the layers in `turn_fit`, with the networks along the first axis.

    Notes
    -----
    A layer of long short-term memory in each direction (Hochreiter and Schmidhuber, 1997; gates in the order of torch).
    What both found goes through one more layer, with the largest value of each of their outputs over the sentence, a
    summary of the vectors of all words, and the context.
    """

    def __init__(self, arrays: Mapping[str, Vectors]) -> None:
        self._of = {name.removeprefix("net_"): each for name, each in arrays.items()}

    def __call__(self, features: WordFeatures, vectors: Vectors) -> Read:
        """Return what the networks read.

        Parameters
        ----------
        features : WordFeatures
            Of at least one word.
        vectors : ndarray of shape (n_words, word_dim)
            Of the word encoder.
        """
        of, n = self._of, len(features.shapes)
        flat = [one for word in features.grams for one in word]
        starts = np.cumsum([0, *(len(word) for word in features.grams[:-1])])
        sizes = np.array([len(word) for word in features.grams], dtype=np.float32)
        letters = np.add.reduceat(of["letters"][:, flat], starts, axis=1) / sizes[:, None]
        even = (vectors - of["words_centre"]) / of["words_spread"]
        words = np.maximum(even @ of["words_weight"] + of["words_bias"], 0)
        shapes = np.broadcast_to(features.shapes, (len(words), n, SHAPES))
        here = np.eye(len(CONTEXTS), dtype=np.float32)[features.context]
        context = np.broadcast_to(here, (len(words), n, len(CONTEXTS)))
        outputs = self._both_ways(np.concatenate([words, letters, shapes, context], axis=2))
        whole = np.maximum(even.mean(axis=1, keepdims=True) @ of["whole_weight"] + of["whole_bias"], 0)
        largest = outputs.max(axis=1, keepdims=True)
        around = np.concatenate([largest, whole, context[:, :1]], axis=2)
        each = np.concatenate([outputs, np.broadcast_to(around, (len(words), n, around.shape[2]))], axis=2)
        mixed = np.maximum(each @ of["mix_weight"] + of["mix_bias"], 0)
        tags = softmax((mixed @ of["tag_weight"] + of["tag_bias"]).astype(np.float64)).mean(axis=0)
        wanted = sigmoid((mixed @ of["sign_weight"] + of["sign_bias"]).astype(np.float64)).mean(axis=0)[:, 0]
        top = np.concatenate([outputs.mean(axis=1, keepdims=True), around], axis=2) @ of["top_weight"] + of["top_bias"]
        odds = np.maximum(top, 0) @ of["act_weight"] + of["act_bias"]
        acts = log_softmax(odds[:, 0].astype(np.float64)).mean(axis=0)
        return Read(tags, wanted, acts)

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


def act_chances(odds: Floats, read: Floats | None, share: float, temperature: float) -> Floats:
    """Return the chances of acts, from the log-odds of the linear model and the log-chances that networks read."""
    told = log_softmax(odds)
    if read is not None:
        told = (1 - share) * told + share * read
    return softmax(told / temperature)


def mean_vector(vectors: Vectors, arrays: Mapping[str, Vectors]) -> Vectors:
    """Return the mean of the vectors of the words of a text, in the scale that the linear model has learnt.

    Zeros for a text without words.
    """
    if not len(vectors):
        return np.zeros(vectors.shape[1], dtype=np.float32)
    mean: Vectors = (vectors.mean(axis=0) - arrays["mean_centre"]) / arrays["mean_spread"]
    return mean


def slots_of(
    places: Sequence[Place], read: Read, odds: Floats, reserve: float, share: float, least: float
) -> list[Found]:
    """Return the slots of a text, in its order.

    Parameters
    ----------
    places : sequence of (int, int)
        Where its words start and end.
    read : Read
        What the networks read.
    odds : ndarray of shape (n_closed_slots,)
        Log-odds of `CLOSED_SLOTS` by the linear model.
    reserve, share, least : float
        See `TurnManifest`.
    """
    likely = list(found(places, read.tags, read.wanted, reserve))
    kept = [each for each in likely if each[0] not in CLOSED]
    both = (1 - share) * closed_odds(read) + share * odds
    for column in np.flatnonzero(both > least).tolist():
        name, wanted = CLOSED_SLOTS[column]
        own = [each for each in likely if (each[0], each[3]) == (name, wanted)]
        kept += own or [(name, *_most(places, closed_words(read)[:, column]), wanted)]
    return sorted(kept, key=lambda each: each[1:3])


def closed_words(read: Read) -> Floats:
    """Return the chance that each word is in each of `CLOSED_SLOTS`, shape ``(n_words, n_closed_slots)``."""
    first = np.array([1 + 2 * NAMES.index(name) for name, _ in CLOSED_SLOTS])
    signs = np.array([wanted for _, wanted in CLOSED_SLOTS])
    chances: Floats = (read.tags[:, first] + read.tags[:, first + 1]) * np.where(
        signs, read.wanted[:, None], 1 - read.wanted[:, None]
    )
    return chances


def closed_odds(read: Read) -> Floats:
    """Return the log-odds of `CLOSED_SLOTS` by the networks: those of the word that tells it most."""
    chances = closed_words(read).max(axis=0)
    odds: Floats = np.log((chances + LEAST_CHANCE) / (1 - chances + LEAST_CHANCE))
    return odds


def _most(places: Sequence[Place], chances: Floats) -> Place:
    """Return where the word with the highest chance starts and ends, and those beside it that have half of that."""
    first = last = int(chances.argmax())
    half = chances[first] / 2
    while first > 0 and chances[first - 1] >= half:
        first -= 1
    while last + 1 < len(chances) and chances[last + 1] >= half:
        last += 1
    return places[first][0], places[last][1]


def found(places: Sequence[Place], tags: Floats, wanted: Floats, reserve: float = 0.0) -> Iterator[Found]:
    """Yield the slots of a text: name, start, end, and whether it is wanted.

    Parameters
    ----------
    places : sequence of (int, int)
        Where its words start and end.
    tags, wanted : ndarray of shape (n_words, TAGS) and (n_words,)
        Chances, as in `Read`.
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
    manifest, content = read_checked(folder, TurnManifest)
    if (tuple(manifest.acts), tuple(manifest.names)) != (ACTS, NAMES):
        raise ModelRefused("model_features", folder=folder, features=", ".join([*manifest.acts, *manifest.names]))
    arrays = arrays_in(content, folder)
    if set(arrays) != ARRAYS:
        raise ModelRefused("model_unreadable", folder=folder)
    try:
        return TurnReader(encoder, words, arrays, manifest)
    except (TypeError, ValueError) as error:
        raise ModelRefused("model_unreadable", folder=folder) from error


NET = (
    *(
        "letters",
        "words_centre",
        "words_spread",
        "words_weight",
        "words_bias",
        "into_weight",
        "into_bias",
        "again_weight",
    ),
    *(f"{layer}_{kind}" for layer in ("whole", "mix", "tag", "sign", "top", "act") for kind in ("weight", "bias")),
)
"""Arrays of the tagger."""
ARRAYS = {
    *("act_idf", "act_weights", "act_bias", "mean_centre", "mean_spread", "style_weights", "style_bias"),
    *(f"net_{each}" for each in NET),
}
"""What a reader file holds."""


def _logistic(values: Vectors) -> Vectors:
    chances: Vectors = 0.5 * (1 + np.tanh(0.5 * values))
    return chances
