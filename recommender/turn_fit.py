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
from recommender.turn_reader import (
    ACTS,
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
    Tagger,
    TurnManifest,
    WordFeatures,
    found,
    text_features,
    word_features,
)
from recommender.utterances import CLOSED, Utterance, pattern, varied, words_of

SEED = 7
FOLDS = 5
STRENGTHS = (10.0, 30.0)
"""Inverse strengths of the regulariser that are tried for acts."""
SCALES = (2.0, 3.0)
"""Factors of the sentence vector, beside the words, that are tried."""
STYLE_STRENGTH = 10.0
"""Of 1, 3, 10 and 30 the figures are alike."""
RESERVES = (0.0, 0.3, 0.6, 0.9, 1.2)
"""What may be taken from the log-chance of "in no slot"."""
ALIKE = 0.5
"""Share of two places that both cover, from which an open slot counts as found."""
WORD_SIZE, LETTER_SIZE, CONTEXT_SIZE, HIDDEN, MIX = 96, 48, 8, 96, 96
"""Sizes of the layers of a network."""
DROPPED = 0.4
"""Share of the outputs of a layer that are left out while it learns."""
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
    """How much is computed. `networks` vote; `copies` are rounds of variants; without `folds`, there are no figures."""

    networks: int = 3
    epochs: int = 6
    copies: int = 4
    folds: int = FOLDS


@dataclass(frozen=True)
class Sentence:
    """An utterance as the tagger learns from it: features, word vectors, and the right tag and sign of each word."""

    features: WordFeatures
    vectors: NDArray[np.float16]
    tags: NDArray[np.int64]
    wanted: Vectors


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
        acts, scale, temperature, of_acts = _fit_acts(encoder, utterances, folds, effort)
        tagger, reserve, of_slots = _fit_slots(words, utterances, folds, fillers, effort)
        style_arrays, of_styles = _fit_styles(encoder, styles, effort)
    manifest = TurnManifest(
        encoder=encoder.id,
        dim=encoder.dim,
        word_dim=words.word_dim,
        acts=list(ACTS),
        names=list(NAMES),
        scale=scale,
        temperature=temperature,
        reserve=reserve,
        trained_on={"utterances": len(utterances), "styles": len(styles)},
        metrics=of_acts | of_slots | of_styles,
        seed=SEED,
    )
    arrays = acts | tagger | style_arrays
    return {name: np.asarray(each, dtype=np.float16) for name, each in arrays.items()}, manifest


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
    """Return the fold of each utterance; those that differ in the words of their slots only share one."""
    patterns = sorted({pattern(each) for each in utterances})
    random.Random(SEED).shuffle(patterns)  # noqa: S311
    fold = {each: place % folds for place, each in enumerate(patterns)}
    return np.array([fold[pattern(each)] for each in utterances], dtype=np.intp)


# Acts


@dataclass(frozen=True)
class ActTexts:
    """Texts as the act model sees them: words and letters as columns, vectors, context; and the acts, as places."""

    counts: csr_matrix
    vectors: Vectors
    contexts: Floats
    acts: NDArray[np.intp]

    def table(self, scale: float) -> csr_matrix:
        """Return all features beside each other."""
        return hstack([self.counts, csr_matrix(self.vectors * scale), csr_matrix(self.contexts)]).tocsr()


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


def act_texts(encoder: Encoder, utterances: Sequence[Utterance], idf: Vectors) -> ActTexts:
    """Return utterances as the act model sees them."""
    texts = [each.text for each in utterances]
    contexts = np.array([[each.context is one for one in CONTEXTS] for each in utterances], dtype=float)
    acts = np.array([ACTS.index(each.act) for each in utterances], dtype=np.intp)
    return ActTexts(text_table(texts, idf), encoder.encode(texts), contexts, acts)


def _fit_acts(
    encoder: Encoder, utterances: Sequence[Utterance], folds: NDArray[np.intp], effort: Effort
) -> tuple[dict[str, NDArray[np.floating]], float, float, dict[str, float]]:
    """Return arrays, scale of the vector, temperature, and figures."""
    idf = idf_of([each.text for each in utterances])
    texts = act_texts(encoder, utterances, idf)
    strength, scale, temperature, figures = STRENGTHS[0], SCALES[0], 1.0, {}
    if effort.folds:
        tried = {(c, s): _held_out(texts.table(s), texts.acts, folds, c) for s in SCALES for c in STRENGTHS}
        loss = {each: _log_loss(odds, texts.acts, _temperature(odds, texts.acts)) for each, odds in tried.items()}
        strength, scale = min(loss, key=loss.__getitem__)
        odds = tried[strength, scale]
        temperature = _temperature(odds, texts.acts)
        accuracy = float((odds.argmax(axis=1) == texts.acts).mean())
        figures = {"act_accuracy": accuracy, "act_log_loss": loss[strength, scale], "act_strength": strength}
    weights, bias = _act_model(texts.table(scale), texts.acts, strength)
    return {"act_idf": idf, "act_weights": weights, "act_bias": bias}, scale, temperature, figures


def _act_model(table: csr_matrix, acts: NDArray[np.intp], strength: float) -> tuple[Floats, Floats]:
    """Return weights and bias with a column for each act; one that doesn't occur can't be likely."""
    model = LogisticRegression(C=strength, max_iter=1000).fit(table, acts)
    weights, bias = np.zeros((table.shape[1], len(ACTS))), np.full(len(ACTS), -1e4)
    weights[:, model.classes_], bias[model.classes_] = model.coef_.T, model.intercept_
    return weights, bias


def _held_out(table: csr_matrix, acts: NDArray[np.intp], folds: NDArray[np.intp], strength: float) -> Floats:
    """Return the log-odds of each utterance by the model that was fitted without its fold."""
    odds = np.zeros((len(acts), len(ACTS)))
    for fold in set(folds):
        weights, bias = _act_model(table[folds != fold], acts[folds != fold], strength)
        odds[folds == fold] = table[folds == fold] @ weights + bias
    return odds


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
        self.centre, self.spread = (
            torch.from_numpy(each.astype(np.float16).astype(np.float32)) for each in (centre, spread)
        )
        self.letters = nn.EmbeddingBag(GRAM_BUCKETS, LETTER_SIZE, mode="mean")
        self.context = nn.Embedding(len(CONTEXTS), CONTEXT_SIZE)
        self.words = nn.Linear(len(centre), WORD_SIZE)
        size = WORD_SIZE + LETTER_SIZE + SHAPES + CONTEXT_SIZE
        self.both_ways = nn.LSTM(size, HIDDEN, bidirectional=True, batch_first=True)
        self.mix, self.tag, self.sign = nn.Linear(4 * HIDDEN, MIX), nn.Linear(MIX, TAGS), nn.Linear(MIX, 1)
        self.drop, self.drop_some = nn.Dropout(DROPPED), nn.Dropout(DROPPED / 2)

    def forward(self, batch: dict[str, torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the log-odds of the tags of each word, and of its sign, padded to the longest text."""
        mask, longest = batch["mask"], batch["mask"].shape[1]
        letters = torch.zeros(*mask.shape, LETTER_SIZE)
        letters[mask] = self.letters(batch["grams"], batch["starts"])
        vectors = (batch["vectors"] - self.centre) / self.spread
        if self.training:  # a word is sometimes known by its letters only, or by its meaning only
            letters = letters * (torch.rand(*mask.shape, 1) > 0.1)
            vectors = vectors * (torch.rand(*mask.shape, 1) > 0.05)
        inputs = [
            torch.relu(self.words(self.drop_some(vectors))),
            self.drop(letters),
            batch["shapes"],
            self.context(batch["contexts"])[:, None].expand(-1, longest, -1),
        ]
        lengths = mask.sum(dim=1)
        packed = nn.utils.rnn.pack_padded_sequence(
            torch.cat(inputs, dim=-1), lengths, batch_first=True, enforce_sorted=False
        )
        outputs, _ = nn.utils.rnn.pad_packed_sequence(self.both_ways(packed)[0], batch_first=True, total_length=longest)
        largest = outputs.masked_fill(~mask[..., None], -1).amax(dim=1, keepdim=True)
        both = torch.cat([outputs, largest.expand(-1, longest, -1)], dim=-1)
        mixed = self.drop(torch.relu(self.mix(self.drop(both))))
        return self.tag(mixed), self.sign(mixed)

    def arrays(self) -> dict[str, Vectors]:
        """Return what `Tagger` needs of this network."""
        lstm, both = self.both_ways, ("", "_reverse")
        told = {
            "letters": self.letters.weight,
            "context": self.context.weight,
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
        for name, layer in (("mix", self.mix), ("tag", self.tag), ("sign", self.sign)):
            told |= {f"{name}_weight": layer.weight.T, f"{name}_bias": layer.bias[None]}
        return {name: each.detach().numpy().astype(np.float32) for name, each in told.items()}


def sentences(words: WordEncoder, utterances: Sequence[Utterance]) -> list[Sentence]:
    """Return utterances as the tagger learns from them."""
    places = [words_of(each.text) for each in utterances]
    vectors = words.words([each.text for each in utterances], places)
    return [
        Sentence(word_features(each.text, where, each.context), vector.astype(np.float16), *tags_of(each))
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


def learn(known: Sequence[Sentence], epochs: int, seed: int) -> Network:
    """Return a network that has learnt the sentences; the same sentences and seed give the same network."""
    torch.manual_seed(seed)
    rng = random.Random(seed)  # noqa: S311
    known = [each for each in known if len(each.tags)]
    every = np.vstack([each.vectors for each in known]).astype(np.float32)
    network = Network(every.mean(axis=0), np.maximum(every.std(axis=0), LEAST_SPREAD))
    optimiser = torch.optim.AdamW(network.parameters(), lr=RATE, weight_decay=0.01)
    steps = epochs * (-(-len(known) // BATCH))
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, total_steps=steps + 1, pct_start=0.15)
    network.train()
    for _ in range(epochs):
        for rows in _batches(known, rng):
            batch = _batch([known[row] for row in rows])
            tags, signs = network(batch)
            loss = _loss(tags, signs, batch)
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimiser.step()
            schedule.step()
    return network.eval()


def _loss(tags: torch.Tensor, signs: torch.Tensor, batch: dict[str, torch.Tensor]) -> torch.Tensor:
    """Return the loss of the tags, and half of that of the signs of words in slots."""
    mask = batch["mask"]
    loss = nn.functional.cross_entropy(tags[mask], batch["tags"][mask])
    inside = mask & (batch["tags"] > 0)
    if inside.any():
        wanted = nn.functional.binary_cross_entropy_with_logits(signs[..., 0][inside], batch["wanted"][inside])
        loss = loss + 0.5 * wanted
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
        "grams": torch.tensor([one for word in grams for one in word]),
        "starts": torch.tensor(np.cumsum([0, *(len(word) for word in grams[:-1])])),
    }


def _fit_slots(
    words: WordEncoder,
    utterances: Sequence[Utterance],
    folds: NDArray[np.intp],
    fillers: Mapping[Name, Sequence[str]],
    effort: Effort,
) -> tuple[dict[str, Vectors], float, dict[str, float]]:
    """Return arrays of the tagger, the reserve, and figures."""
    known = sentences(words, utterances)
    # Variants of a fold are made within it, so that leaving it out leaves out all that was made from it.
    variants: dict[int, list[Sentence]] = {}
    for fold in sorted(set(folds.tolist())):
        own = [each for each, of in zip(utterances, folds, strict=True) if of == fold]
        variants[fold] = sentences(words, [each for each, _ in varied(own, fillers, effort.copies, SEED + fold)])

    def fitted(without: int | None, networks: int) -> dict[str, Vectors]:
        rows = [each for each, fold in zip(known, folds, strict=True) if fold != without]
        rows += [each for fold, more in variants.items() if fold != without for each in more]
        return tagger_of([learn(rows, effort.epochs, SEED + number) for number in range(networks)])

    reserve, figures = 0.0, {}
    if effort.folds:
        read = _read_held_out(known, folds, lambda fold: fitted(fold, 1))
        tried = {
            each: slot_f1(
                utterances, [said(one, *chances, each) for one, chances in zip(utterances, read, strict=True)]
            )
            for each in RESERVES
        }
        reserve = max(tried, key=tried.__getitem__)
        figures = {"slot_f1_of_one_network": tried[reserve]}
    return fitted(None, effort.networks), reserve, figures


def _read_held_out(
    known: Sequence[Sentence], folds: NDArray[np.intp], fitted: Callable[[int], dict[str, Vectors]]
) -> list[tuple[Floats, Floats]]:
    """Return the chances of tags and signs of each sentence by the tagger that was fitted without its fold."""
    read: list[tuple[Floats, Floats]] = [(np.zeros((0, TAGS)), np.zeros(0))] * len(known)
    for fold in sorted(set(folds.tolist())):
        tagger = Tagger(fitted(fold))
        for row in np.flatnonzero(folds == fold).tolist():
            if len(known[row].tags):
                read[row] = tagger(known[row].features, known[row].vectors.astype(np.float32))
    return read


def said(utterance: Utterance, tags: Floats, wanted: Floats, reserve: float) -> list[Found]:
    """Return the slots that are read in an utterance."""
    return list(found(words_of(utterance.text), tags, wanted, reserve))


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
