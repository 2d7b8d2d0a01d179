"""Fit what reads turns, on the utterances in ``data/conversation``.

To be run again whenever the encoder or the utterances change (``scripts/fit_turns.py``).
"""

import hashlib
import json
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import sklearn
import skops.io
import torch
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.sparse import csr_matrix, hstack
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score
from sklearn.model_selection import StratifiedKFold
from threadpoolctl import threadpool_limits
from torch import nn

from recommender.dialogue.acts import Name
from recommender.encoder import Encoder, WordEncoder
from recommender.files import write
from recommender.odds import log_softmax
from recommender.turn_reader import (
    ACTS,
    CLOSED_SLOTS,
    CONTEXTS,
    GRAM_BUCKETS,
    LETTER_BUCKETS,
    NAMES,
    NET,
    SHAPES,
    STYLES,
    TAGS,
    WORD_BUCKETS,
    Found,
    Read,
    Tagger,
    TurnManifest,
    WordFeatures,
    closed_odds,
    mean_vector,
    slots_of,
    text_features,
    word_features,
)
from recommender.utterances import CLOSED, Utterance, pattern, varied, words_of

SEED = 7
FOLDS = 3
STRENGTH, SCALE, MEAN_SCALE = 3.0, 2.0, 2.0
"""Inverse strength of the regulariser of the linear model, and factors of the sentence vector and of the mean vector of
the words beside the words themselves. Chosen by cross-validation: see `search`."""
STRENGTHS, SCALES, MEAN_SCALES = (3.0, 10.0), (2.0, 3.0), (0.0, 1.0, 2.0)
"""What `search` tries."""
PEOPLE_WEIGHT = 3.0
"""Of what a made-up person says, in the linear model: the nearest there is to real talk. 1, 2 and 3 were compared."""
PEOPLE_TIMES = 2
"""How often a network sees in each epoch what a made-up person says. 1 and 3 were compared, on people held out."""
LEAST_SEEN = 4
"""Utterances with a closed slot, below which the linear model doesn't learn it."""
UNSEEN = -6.0
"""Log-odds of what doesn't occur."""
STYLE_STRENGTH = 10.0
"""Of 1, 3, 10 and 30 the figures are alike."""
RESERVES = (-1.2, -0.9, -0.6, -0.3, 0.0)
"""What may be taken from the log-chance of "in no slot"."""
ACT_SHARES = (0.0, 0.15, 0.3, 0.45, 0.6)
"""What the networks may count for in the acts."""
CLOSED_SHARES, CLOSED_LEAST = (0.0, 0.2, 0.35, 0.5), (-1.5, -1.25, -1.0, -0.75, -0.5, -0.25, 0.0, 0.25, 0.5)
"""What the linear model may count for in the closed slots, and from which log-odds these may be there."""
ALIKE = 0.5
"""Share of two places that both cover, from which an open slot counts as found."""
WORD_SIZE, LETTER_SIZE, WHOLE_SIZE, HIDDEN, MIX = 96, 48, 48, 96, 128
"""Sizes of the layers of a network."""
DROPPED = 0.4
"""Share of the outputs of a layer that are left out while it learns."""
ACT_WEIGHT = 0.3
"""Of the loss of the act beside that of the tags."""
BATCH, RATE = 64, 3e-3
LEAST_SPREAD = 1e-2
"""Of a dimension of word vectors; one that never changes tells nothing."""

Vectors = NDArray[np.float32]
Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
Counts = tuple[Name, int, int, int]
"""Of one slot: how often it was found, wrongly named, and missed."""


@dataclass(frozen=True)
class Effort:
    """How much is computed.

    `networks` vote. In each of `epochs`, a network sees the utterances and one of `rounds` of variants, `copies` of
    each. Without `folds`, there are no figures.
    """

    networks: int = 4
    epochs: int = 8
    rounds: int = 3
    copies: int = 2
    folds: int = FOLDS


@dataclass(frozen=True)
class Sentence:
    """An utterance as networks learn from it: features, word vectors, and the right tag and sign of each word.

    `act` is a place in `ACTS`, or -1 where another sentence was put behind the utterance.
    """

    features: WordFeatures
    vectors: NDArray[np.float16]
    tags: NDArray[np.int64]
    wanted: Vectors
    act: int


@dataclass(frozen=True)
class Choice:
    """The constants of `TurnManifest` that are set on what was held out; those of the last fit stand in without it."""

    act_share: float = 0.15
    temperature: float = 0.91
    reserve: float = -1.2
    closed_share: float = 0.5
    closed_least: float = -1.25


def fit(
    encoder: Encoder,
    words: WordEncoder,
    utterances: Sequence[Utterance],
    styles: Sequence[tuple[str, str]],
    fillers: Mapping[Name, Sequence[str]],
    effort: Effort | None = None,
) -> tuple[dict[str, NDArray[np.float16]], TurnManifest]:
    """Fit a reader; the same utterances and encoders give the same reader.

    Parameters
    ----------
    encoder, words : Encoder, WordEncoder
        Of sentences and of words.
    utterances : sequence of Utterance
        What is learnt from.
    styles : sequence of (str, str)
        Sentences of profiles with the style they tell, or "none".
    fillers : mapping of Name to sequence of str
        More words for open slots, for the variants.
    effort : Effort, optional
        How much is computed.

    Returns
    -------
    dict, TurnManifest
        The arguments of `TurnReader`.
    """
    effort = effort or Effort()
    # Thousands of small products: on a busy machine, threads that wait for each other make them ten times slower.
    torch.set_num_threads(1)
    with threadpool_limits(limits=1):
        folds = folds_of(utterances, max(effort.folds, 2))
        known = sentences(words, utterances)
        fixed, texts = turn_texts(encoder, utterances, known)
        table = texts.table(SCALE, MEAN_SCALE)
        weights, bias = linear_model(table, texts, STRENGTH)
        fixed["mean_spread"] = (fixed["mean_spread"] / MEAN_SCALE).astype(np.float32)
        rounds = _rounds(words, utterances, folds, fillers, effort)
        times = [PEOPLE_TIMES if each.who else 1 for each in utterances]
        choice, figures = Choice(), dict[str, float]()
        if effort.folds:
            odds = _held_out(table, texts, folds, STRENGTH)
            read = _read_held_out(known, folds, lambda fold: _networks(known, times, rounds, folds, effort, 1, fold))
            choice, figures = _chosen(utterances, odds, read)
        tagger = tagger_of(_networks(known, times, rounds, folds, effort, effort.networks))
        style_arrays, of_styles = _fit_styles(encoder, styles, effort)
    manifest = TurnManifest(
        encoder=encoder.id,
        dim=encoder.dim,
        word_dim=words.word_dim,
        acts=list(ACTS),
        names=list(NAMES),
        scale=SCALE,
        **asdict(choice),
        trained_on={"utterances": len(utterances), "styles": len(styles)},
        metrics=figures | of_styles,
        seed=SEED,
    )
    arrays = fixed | {"act_weights": weights, "act_bias": bias} | tagger | style_arrays
    return {name: np.asarray(each, dtype=np.float16) for name, each in arrays.items()}, manifest


def search(encoder: Encoder, words: WordEncoder, utterances: Sequence[Utterance]) -> dict[str, float]:
    """Return the log-loss of the acts in cross-validation, by strength, scale, and scale of the mean vector.

    Parameters
    ----------
    encoder, words : Encoder, WordEncoder
        Of sentences and of words.
    utterances : sequence of Utterance
        What is learnt from.
    """
    found = {}
    with threadpool_limits(limits=1):
        folds = folds_of(utterances, FOLDS)
        _, texts = turn_texts(encoder, utterances, sentences(words, utterances))
        for scale in SCALES:
            for mean_scale in MEAN_SCALES:
                for strength in STRENGTHS:
                    odds = _held_out(texts.table(scale, mean_scale), texts, folds, strength, closed=False)
                    told = log_softmax(odds[:, : len(ACTS)])
                    loss = _log_loss(told, texts.acts, _temperature(told, texts.acts))
                    found[f"strength {strength}, scale {scale}, mean {mean_scale}"] = loss
    return found


def save(folder: Path, arrays: Mapping[str, NDArray[np.float16]], manifest: TurnManifest) -> TurnManifest:
    """Write a reader into a folder, and return its manifest with hash and versions."""
    folder.mkdir(parents=True, exist_ok=True)
    content = skops.io.dumps(dict(arrays))
    told = replace(
        manifest,
        sha256=hashlib.sha256(content).hexdigest(),
        versions={"numpy": np.__version__, "scikit-learn": sklearn.__version__, "torch": torch.__version__},
    )
    write(folder / "reader.skops", content)
    write(folder / "manifest.json", (json.dumps(asdict(told), indent=2) + "\n").encode())
    return told


def folds_of(utterances: Sequence[Utterance], folds: int) -> NDArray[np.intp]:
    """Return the fold of each utterance, drawn by group: all of one person, or of one pattern where nobody is named.

    Utterances of one pattern differ in the words of their slots only.
    """
    group = [each.who or pattern(each) for each in utterances]
    groups = sorted(set(group))
    random.Random(SEED).shuffle(groups)  # noqa: S311
    fold = {each: place % folds for place, each in enumerate(groups)}
    return np.array([fold[each] for each in group], dtype=np.intp)


def _chosen(
    utterances: Sequence[Utterance], odds: Floats, read: Sequence[Read | None]
) -> tuple[Choice, dict[str, float]]:
    """Return the constants that do best on what people say who were held out, and the figures with them.

    Parameters
    ----------
    utterances : sequence of Utterance
        What was held out. If nobody is named, all count.
    odds : ndarray of shape (n_utterances, n_acts + n_closed_slots)
        By the linear model.
    read : sequence of Read or None
        By a network; None where there are no words.
    """
    acts = np.array([ACTS.index(each.act) for each in utterances], dtype=np.intp)
    closed = np.array([closed_of(each) for each in utterances])
    people = np.array([bool(each.who) for each in utterances])
    some = people if people.any() else np.ones(len(utterances), dtype=bool)
    linear, told = log_softmax(odds[:, : len(ACTS)]), odds[:, len(ACTS) :]
    nets = np.array([line if one is None else one.acts for one, line in zip(read, linear, strict=True)])
    nearly = np.array([np.full(len(CLOSED_SLOTS), UNSEEN) if one is None else closed_odds(one) for one in read])

    def loss(share: float) -> float:
        mixed = ((1 - share) * linear + share * nets)[some]
        return _log_loss(mixed, acts[some], _temperature(mixed, acts[some]))

    def closed_f1(pair: tuple[float, float]) -> float:
        there, true = ((1 - pair[0]) * nearly + pair[0] * told)[some] > pair[1], closed[some]
        return float(2 * (there & true).sum() / max(there.sum() + true.sum(), 1))

    def found_f1(reserve: float, rows: Mask) -> float:
        kept = np.flatnonzero(rows).tolist()
        parts = ((row, words_of(utterances[row].text), read[row]) for row in kept)
        slots = [slots_of(where, one, told[row], reserve, *pair) if one else [] for row, where, one in parts]
        return slot_f1([utterances[row] for row in kept], slots)

    share = min(ACT_SHARES, key=loss)
    pair = max(((part, least) for part in CLOSED_SHARES for least in CLOSED_LEAST), key=closed_f1)
    reserve = max(RESERVES, key=lambda each: found_f1(each, some))
    mixed = (1 - share) * linear + share * nets
    right = mixed.argmax(axis=1) == acts
    every = np.ones(len(utterances), dtype=bool)
    figures = {
        "act_strength": STRENGTH,
        "act_accuracy": float(right.mean()),
        "act_accuracy_of_people": float(right[some].mean()),
        "act_accuracy_of_people_linear": float((linear.argmax(axis=1) == acts)[some].mean()),
        "act_log_loss_of_people": loss(share),
        "slot_f1_of_one_network": found_f1(reserve, every),
        "slot_f1_of_one_network_of_people": found_f1(reserve, some),
        "closed_f1_of_one_network_of_people": closed_f1(pair),
        "closed_f1_of_one_network_of_people_alone": closed_f1((0.0, 0.0)),
    }
    return Choice(share, _temperature(mixed[some], acts[some]), reserve, *pair), figures


# The linear model


@dataclass(frozen=True)
class TurnTexts:
    """Texts as the linear model sees them, and what it is to tell.

    Words and letters as columns, vectors of the sentences, means of those of the words, contexts; acts as places,
    which of `CLOSED_SLOTS` are there, and what each text counts for.
    """

    counts: csr_matrix
    vectors: Vectors
    means: Vectors
    contexts: Floats
    acts: NDArray[np.intp]
    closed: Mask
    weight: Floats

    def table(self, scale: float, mean_scale: float) -> csr_matrix:
        """Return all features beside each other."""
        parts = [self.counts, *(csr_matrix(each) for each in (self.vectors * scale, self.means * mean_scale))]
        return hstack([*parts, csr_matrix(self.contexts)]).tocsr()


def idf_of(texts: Sequence[str]) -> Vectors:
    """Return the weight of each bucket, by the share of texts that have it, smoothed as scikit-learn does."""
    counts = np.zeros(WORD_BUCKETS + LETTER_BUCKETS)
    ones = np.ones(len(counts), dtype=np.float32)
    for text in texts:
        counts[text_features(text, ones)[0]] += 1
    return (np.log((1 + len(texts)) / (1 + counts)) + 1).astype(np.float32)


def text_table(texts: Sequence[str], idf: Vectors) -> csr_matrix:
    """Return `text_features` of texts as rows."""
    rows = [text_features(text, idf) for text in texts]
    ends = np.cumsum([0, *(len(places) for places, _ in rows)])
    values, places = (np.concatenate([each[side] for each in rows]) for side in (1, 0))
    return csr_matrix((values, places, ends), shape=(len(texts), len(idf)))


def turn_texts(
    encoder: Encoder, utterances: Sequence[Utterance], known: Sequence[Sentence]
) -> tuple[dict[str, Vectors], TurnTexts]:
    """Return the arrays that features are made with, and utterances as the linear model sees them."""
    texts = [each.text for each in utterances]
    vectors = [each.vectors.astype(np.float32) for each in known]
    arrays = {"act_idf": _half(idf_of(texts))} | mean_arrays(vectors)
    return arrays, TurnTexts(
        text_table(texts, arrays["act_idf"]),
        encoder.encode(texts),
        np.array([mean_vector(each, arrays) for each in vectors]),
        np.array([[each.context is one for one in CONTEXTS] for each in utterances], dtype=float),
        np.array([ACTS.index(each.act) for each in utterances], dtype=np.intp),
        np.array([closed_of(each) for each in utterances]),
        np.array([PEOPLE_WEIGHT if each.who else 1.0 for each in utterances]),
    )


def mean_arrays(vectors: Sequence[Vectors]) -> dict[str, Vectors]:
    """Return centre and spread of the mean vectors of the words of texts, for length 1 on average: as of a sentence."""
    means = np.vstack([each.mean(axis=0, keepdims=True) for each in vectors if len(each)])
    centre = _half(means.mean(axis=0))
    spread = np.maximum(means.std(axis=0), LEAST_SPREAD)
    length = np.sqrt((((means - centre) / spread) ** 2).sum(axis=1).mean())
    return {"mean_centre": centre, "mean_spread": _half(spread * length)}


def closed_of(utterance: Utterance) -> Mask:
    """Return which of `CLOSED_SLOTS` an utterance has."""
    own = {(each.name, each.wanted) for each in utterance.spans}
    return np.array([each in own for each in CLOSED_SLOTS])


def linear_model(table: csr_matrix, texts: TurnTexts, strength: float, closed: bool = True) -> tuple[Floats, Floats]:
    """Return weights and bias with a column for each act and each closed slot; what doesn't occur isn't likely."""
    model = LogisticRegression(C=strength, max_iter=300, tol=1e-3).fit(table, texts.acts, texts.weight)
    columns = len(ACTS) + len(CLOSED_SLOTS)
    weights, bias = np.zeros((table.shape[1], columns)), np.full(columns, UNSEEN)
    bias[: len(ACTS)] = -1e4
    weights[:, model.classes_], bias[model.classes_] = model.coef_.T, model.intercept_
    seen = (texts.closed.sum(axis=0) >= LEAST_SEEN) & (~texts.closed).any(axis=0)
    for column in np.flatnonzero(seen).tolist() if closed else []:
        one = LogisticRegression(C=strength, max_iter=100, tol=1e-3).fit(table, texts.closed[:, column], texts.weight)
        weights[:, len(ACTS) + column], bias[len(ACTS) + column] = one.coef_[0], one.intercept_[0]
    return weights, bias


def _held_out(
    table: csr_matrix, texts: TurnTexts, folds: NDArray[np.intp], strength: float, closed: bool = True
) -> Floats:
    """Return the log-odds of each utterance by the model that was fitted without its fold."""
    odds = np.zeros((table.shape[0], len(ACTS) + len(CLOSED_SLOTS)))
    for fold in sorted(set(folds.tolist())):
        rest = folds != fold
        some = replace(texts, acts=texts.acts[rest], closed=texts.closed[rest], weight=texts.weight[rest])
        weights, bias = linear_model(table[rest], some, strength, closed)
        odds[~rest] = table[~rest] @ weights + bias
    return odds


def _half(values: NDArray[np.floating]) -> Vectors:
    """Return values as they will be once they were kept in half precision."""
    return values.astype(np.float16).astype(np.float32)


def _log_loss(odds: Floats, acts: NDArray[np.intp], temperature: float) -> float:
    told = odds / temperature
    told = told - told.max(axis=1, keepdims=True)
    return float((np.log(np.exp(told).sum(axis=1)) - told[np.arange(len(acts)), acts]).mean())


def _temperature(odds: Floats, acts: NDArray[np.intp]) -> float:
    """Return what the log-odds are to be divided by so that chances are shares (Guo et al., 2017)."""
    best = minimize_scalar(lambda log: _log_loss(odds, acts, float(np.exp(log))), bounds=(-2, 2), method="bounded")
    return float(np.exp(best.x))


# Slots


class Network(nn.Module):
    """What `Tagger` computes, in a form that can learn."""

    def __init__(self, centre: Vectors, spread: Vectors) -> None:
        super().__init__()
        # In half precision from the start, as they are kept: a few dimensions have a centre of many spreads.
        self.centre, self.spread = torch.from_numpy(_half(centre)), torch.from_numpy(_half(spread))
        self.letters = nn.EmbeddingBag(GRAM_BUCKETS, LETTER_SIZE, mode="mean")
        self.words, self.whole = nn.Linear(len(centre), WORD_SIZE), nn.Linear(len(centre), WHOLE_SIZE)
        size = WORD_SIZE + LETTER_SIZE + SHAPES + len(CONTEXTS)
        self.both_ways = nn.LSTM(size, HIDDEN, bidirectional=True, batch_first=True)
        around = 4 * HIDDEN + WHOLE_SIZE + len(CONTEXTS)
        self.mix, self.tag, self.sign = nn.Linear(around, MIX), nn.Linear(MIX, TAGS), nn.Linear(MIX, 1)
        self.top, self.act = nn.Linear(around, MIX), nn.Linear(MIX, len(ACTS))
        self.drop, self.drop_some = nn.Dropout(DROPPED), nn.Dropout(DROPPED / 2)

    def forward(self, batch: dict[str, torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Return the log-odds of the tags of each word and of its sign, padded to the longest text, and of the act."""
        mask, longest = batch["mask"], batch["mask"].shape[1]
        letters = torch.zeros(*mask.shape, LETTER_SIZE)
        letters[mask] = self.letters(batch["grams"], batch["starts"])
        vectors = (batch["vectors"] - self.centre) / self.spread
        if self.training:  # a word is sometimes known by its letters only, or by its meaning only
            letters = letters * (torch.rand(*mask.shape, 1) > 0.1)
            vectors = vectors * (torch.rand(*mask.shape, 1) > 0.05)
        lengths = mask.sum(dim=1)
        context = nn.functional.one_hot(batch["contexts"], len(CONTEXTS)).float()
        inputs = [
            torch.relu(self.words(self.drop_some(vectors))),
            self.drop(letters),
            batch["shapes"],
            context[:, None].expand(-1, longest, -1),
        ]
        packed = nn.utils.rnn.pack_padded_sequence(
            torch.cat(inputs, dim=-1), lengths, batch_first=True, enforce_sorted=False
        )
        outputs, _ = nn.utils.rnn.pad_packed_sequence(self.both_ways(packed)[0], batch_first=True, total_length=longest)
        mean = (vectors * mask[..., None]).sum(dim=1) / lengths[:, None]
        whole = torch.relu(self.whole(self.drop_some(mean)))
        around = torch.cat([outputs.masked_fill(~mask[..., None], -1).amax(dim=1), whole, context], dim=-1)
        each = torch.cat([outputs, around[:, None].expand(-1, longest, -1)], dim=-1)
        mixed = self.drop(torch.relu(self.mix(self.drop(each))))
        middle = (outputs * mask[..., None]).sum(dim=1) / lengths[:, None]
        top = self.drop(torch.relu(self.top(self.drop(torch.cat([middle, around], dim=-1)))))
        return self.tag(mixed), self.sign(mixed), self.act(top)

    def arrays(self) -> dict[str, Vectors]:
        """Return what `Tagger` needs of this network."""
        lstm, both = self.both_ways, ("", "_reverse")
        told = {
            "letters": self.letters.weight,
            "words_centre": self.centre[None],
            "words_spread": self.spread[None],
            "words_weight": self.words.weight.T,
            "words_bias": self.words.bias[None],
            "into_weight": torch.stack([getattr(lstm, f"weight_ih_l0{way}").T for way in both]),
            "into_bias": torch.stack(
                [(getattr(lstm, f"bias_ih_l0{way}") + getattr(lstm, f"bias_hh_l0{way}"))[None] for way in both]
            ),
            "again_weight": torch.stack([getattr(lstm, f"weight_hh_l0{way}").T for way in both]),
        }
        for name in ("whole", "mix", "tag", "sign", "top", "act"):
            layer = getattr(self, name)
            told |= {f"{name}_weight": layer.weight.T, f"{name}_bias": layer.bias[None]}
        return {name: each.detach().numpy().astype(np.float32) for name, each in told.items()}


def sentences(words: WordEncoder, utterances: Sequence[Utterance]) -> list[Sentence]:
    """Return utterances as the tagger learns from them."""
    places = [words_of(each.text) for each in utterances]
    vectors = words.words([each.text for each in utterances], places)
    return [
        Sentence(
            word_features(each.text, where, each.context),
            vector.astype(np.float16),
            *tags_of(each),
            ACTS.index(each.act) if each.alone else -1,
        )
        for each, where, vector in zip(utterances, places, vectors, strict=True)
    ]


def tags_of(utterance: Utterance) -> tuple[NDArray[np.int64], Vectors]:
    """Return the tag of each word, and 1 for those that are wanted."""
    tags, wanted, before = [], [], None
    for start, end in words_of(utterance.text):
        inside = next((each for each in utterance.spans if each.start < end and each.end > start), None)
        if inside is None:
            tags.append(0)
        else:
            tags.append(1 + 2 * NAMES.index(inside.name) + (inside is before))
        wanted.append(inside is None or inside.wanted)
        before = inside
    return np.array(tags, dtype=np.int64), np.array(wanted, dtype=np.float32)


def tagger_of(networks: Sequence[Network]) -> dict[str, Vectors]:
    """Return the arrays of networks, stacked for `Tagger`."""
    told = [each.arrays() for each in networks]
    return {f"net_{name}": np.stack([each[name] for each in told]) for name in NET}


def learn(known: Sequence[Sentence], rounds: Sequence[Sequence[Sentence]], epochs: int, seed: int) -> Network:
    """Return a network that has learnt the sentences; the same sentences and seed give the same network.

    Parameters
    ----------
    known : sequence of Sentence
        What it sees in each epoch.
    rounds : sequence of sequence of Sentence
        What it sees beside it, one after the other.
    epochs : int
        How often it sees the sentences.
    seed : int
        Of what is drawn.
    """
    torch.manual_seed(seed)
    rng = random.Random(seed)  # noqa: S311
    every = np.vstack([each.vectors for each in known if len(each.tags)]).astype(np.float32)
    network = Network(every.mean(axis=0), np.maximum(every.std(axis=0), LEAST_SPREAD))
    seen = [
        [each for each in (*known, *(rounds[(epoch + seed) % len(rounds)] if rounds else ())) if len(each.tags)]
        for epoch in range(epochs)
    ]
    optimiser = torch.optim.AdamW(network.parameters(), lr=RATE, weight_decay=0.01)
    steps = sum(-(-len(each) // BATCH) for each in seen)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, total_steps=steps + 1, pct_start=0.15)
    network.train()
    for each in seen:
        for rows in _batches(each, rng):
            batch = _batch([each[row] for row in rows])
            tags, signs, acts = network(batch)
            loss = _loss(tags, signs, acts, batch)
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimiser.step()
            schedule.step()
    return network.eval()


def _loss(tags: torch.Tensor, signs: torch.Tensor, acts: torch.Tensor, batch: dict[str, torch.Tensor]) -> torch.Tensor:
    """Return the loss of the tags, half of that of the signs of words in slots, and some of that of the acts."""
    mask = batch["mask"]
    loss = nn.functional.cross_entropy(tags[mask], batch["tags"][mask])
    inside, known = mask & (batch["tags"] > 0), batch["acts"] >= 0
    if inside.any():
        wanted = nn.functional.binary_cross_entropy_with_logits(signs[..., 0][inside], batch["wanted"][inside])
        loss = loss + 0.5 * wanted
    if known.any():
        loss = loss + ACT_WEIGHT * nn.functional.cross_entropy(acts[known], batch["acts"][known])
    return loss


def _batches(known: Sequence[Sentence], rng: random.Random) -> list[list[int]]:
    """Return rows of sentences of like length, in a drawn order."""
    order = list(range(len(known)))
    rng.shuffle(order)
    near: list[int] = []
    for start in range(0, len(order), 20 * BATCH):
        near += sorted(order[start : start + 20 * BATCH], key=lambda row: len(known[row].tags))
    batches = [near[start : start + BATCH] for start in range(0, len(near), BATCH)]
    rng.shuffle(batches)
    return batches


def _batch(rows: Sequence[Sentence]) -> dict[str, torch.Tensor]:
    """Return sentences as tensors, padded to the longest; the letters of all words are one row."""
    longest = max(len(each.tags) for each in rows)

    def padded(values: Sequence[NDArray[np.generic]]) -> torch.Tensor:
        whole = np.zeros((len(values), longest, *values[0].shape[1:]), dtype=values[0].dtype)
        for row, each in enumerate(values):
            whole[row, : len(each)] = each
        return torch.from_numpy(whole)

    grams = [word for each in rows for word in each.features.grams]
    return {
        "vectors": padded([each.vectors for each in rows]).float(),
        "shapes": padded([each.features.shapes for each in rows]),
        "tags": padded([each.tags for each in rows]),
        "wanted": padded([each.wanted for each in rows]),
        "mask": padded([np.ones(len(each.tags), dtype=bool) for each in rows]),
        "contexts": torch.tensor([each.features.context for each in rows]),
        "acts": torch.tensor([each.act for each in rows]),
        "grams": torch.tensor([one for word in grams for one in word]),
        "starts": torch.tensor(np.cumsum([0, *(len(word) for word in grams[:-1])])),
    }


def _rounds(
    words: WordEncoder,
    utterances: Sequence[Utterance],
    folds: NDArray[np.intp],
    fillers: Mapping[Name, Sequence[str]],
    effort: Effort,
) -> list[dict[int, list[Sentence]]]:
    """Return rounds of variants, by fold.

    Variants of a fold are made within it, so that leaving it out leaves out all that was made from it.
    """
    parts = {
        fold: [each for each, of in zip(utterances, folds, strict=True) if of == fold]
        for fold in sorted(set(folds.tolist()))
    }
    rounds = []
    for number in range(effort.rounds):
        seeds = {fold: SEED + fold + len(parts) * number for fold in parts}
        made = {fold: varied(own, fillers, effort.copies, seeds[fold]) for fold, own in parts.items()}
        rounds.append({fold: sentences(words, [each for each, _ in some]) for fold, some in made.items()})
    return rounds


def _networks(
    known: Sequence[Sentence],
    times: Sequence[int],
    rounds: Sequence[Mapping[int, Sequence[Sentence]]],
    folds: NDArray[np.intp],
    effort: Effort,
    number: int,
    without: int | None = None,
) -> list[Network]:
    """Return networks that have learnt all but one fold, with each sentence so many times."""
    rows = [each for each, n, fold in zip(known, times, folds, strict=True) if fold != without for _ in range(n)]
    others = [[each for fold, more in some.items() if fold != without for each in more] for some in rounds]
    return [learn(rows, others, effort.epochs, SEED + place) for place in range(number)]


def _read_held_out(
    known: Sequence[Sentence], folds: NDArray[np.intp], fitted: Callable[[int], Sequence[Network]]
) -> list[Read | None]:
    """Return what networks read in each sentence that were fitted without its fold; None where it has no words."""
    read: list[Read | None] = [None] * len(known)
    for fold in sorted(set(folds.tolist())):
        tagger = Tagger(tagger_of(fitted(fold)))
        for row in np.flatnonzero(folds == fold).tolist():
            if len(known[row].tags):
                read[row] = tagger(known[row].features, known[row].vectors.astype(np.float32))
    return read


def matches(utterance: Utterance, read: Sequence[Found], share: float = ALIKE) -> list[Counts]:
    """Return for each name with its sign how many slots were found, wrongly named, and missed.

    A closed slot counts once, and where its words are doesn't matter. An open one is found if the place that was read
    and the right one have at least `share` of the characters that either covers in common.
    """
    true = _once([(each.name, each.start, each.end, each.wanted) for each in utterance.spans])
    counts = []
    left = list(true)
    for each in _once(read):
        hit = next((one for one in left if _same(one, each, share)), None)
        if hit:
            left.remove(hit)
        counts.append((Name(each[0]), int(hit is not None), int(hit is None), 0))
    return counts + [(Name(each[0]), 0, 0, 1) for each in left]


def _once(slots: Sequence[Found]) -> list[Found]:
    """Return the slots, each closed one once for each sign."""
    kept: dict[object, Found] = {}
    for each in slots:
        kept.setdefault((each[0], each[3]) if each[0] in CLOSED else each, each)
    return list(kept.values())


def _same(one: Found, other: Found, share: float) -> bool:
    if (one[0], one[3]) != (other[0], other[3]):
        return False
    common = min(one[2], other[2]) - max(one[1], other[1])
    return one[0] in CLOSED or common >= share * (max(one[2], other[2]) - min(one[1], other[1]))


def f1(counts: Sequence[Counts]) -> float:
    """Return F1 of `matches`; nan where there is nothing to find and nothing was found."""
    _, hits, wrong, missed = zip(*counts, strict=True) if counts else ((), (), (), ())
    right, errors = sum(hits), sum(wrong) + sum(missed)
    return 2 * right / (2 * right + errors) if right + errors else float("nan")


def slot_f1(utterances: Sequence[Utterance], read: Sequence[Sequence[Found]]) -> float:
    """Return micro F1 of slots over utterances."""
    return f1([one for each, slots in zip(utterances, read, strict=True) for one in matches(each, slots)])


# Styles


def _fit_styles(
    encoder: Encoder, styles: Sequence[tuple[str, str]], effort: Effort
) -> tuple[dict[str, Floats], dict[str, float]]:
    """Return arrays and figures of the styles of explaining."""
    vectors = encoder.encode([text for text, _ in styles])
    true = np.array([[style == each for each in STYLES] for _, style in styles])
    weights, bias = _style_model(vectors, true)
    figures = {}
    if effort.folds:
        kinds = [style for _, style in styles]
        odds = np.zeros(true.shape)
        for rows, out in StratifiedKFold(effort.folds, shuffle=True, random_state=SEED).split(vectors, kinds):
            some_weights, some_bias = _style_model(vectors[rows], true[rows])
            odds[out] = vectors[out] @ some_weights + some_bias
        likeliest = np.where(odds.max(axis=1) > 0, odds.argmax(axis=1), len(STYLES))
        right = np.where(true.any(axis=1), true.argmax(axis=1), len(STYLES))
        figures = {
            "style_accuracy": float((likeliest == right).mean()),
            "style_f1": float(f1_score(true, odds > 0, average="macro")),
        }
    return {"style_weights": weights, "style_bias": bias}, figures


def _style_model(vectors: Vectors, true: Mask) -> tuple[Floats, Floats]:
    models = [LogisticRegression(C=STYLE_STRENGTH, max_iter=1000).fit(vectors, column) for column in true.T]
    return np.vstack([each.coef_ for each in models]).T, np.concatenate([each.intercept_ for each in models])
