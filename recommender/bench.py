"""Figures for this machine: how fast, each beside a named other way in the same run, and how much memory.

Absolute times say something about the machine; the ratios are what to compare. Profiles of the larger organisations are
those of the demo, repeated with a number; their vectors are random, because only the time of the product counts.
"""

import json
import resource
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recommender.benchmarks import prepare, read_judgements
from recommender.bootstrap import load_parts
from recommender.demo import demo_people
from recommender.domain import Junior, JuniorId, Senior, SeniorId
from recommender.encoder import Encoder, SentenceEncoder, load_encoder
from recommender.evaluation import ndcg_at_k
from recommender.guide import LOGGED
from recommender.importing import read_people
from recommender.ranker import AdditiveRanker
from recommender.recommending import Recommender
from recommender.service import Service
from recommender.settings import ROOT, Settings
from recommender.store import Store
from recommender.text import statements
from recommender.weights import Progress
from recommender.wording import Language, say

DEMO = ROOT / "data" / "demo"
NEEDS = ROOT / "data" / "demo_needs"
SIZES = (1_000, 10_000, 100_000)
IMPORTED = 10_000
QUESTION = "Ik wil met AI mijn mails sneller schrijven"
REPEATS = 15


@dataclass(frozen=True)
class EncodingSpeed:
    """The served copy of the model beside the library's own way, on the same texts; quality of both on the demo."""

    texts: int
    torch_s: float
    served_s: float
    ratio: float
    torch_ndcg: float
    served_ndcg: float


@dataclass(frozen=True)
class RequestSpeed:
    """One request without the encoding of its words, beside one product of the same matrix with one vector."""

    juniors: int
    rows: int
    request_ms: float
    product_ms: float
    allowed_ms: float
    index_s: float
    peak_mb: float


@dataclass(frozen=True)
class ImportSpeed:
    """Reading, checking, encoding and storing a file of profiles."""

    profiles: int
    total_s: float
    encoding_s: float
    share: float


class Instant:
    """An encoder that costs nothing: random unit vectors, the same for the same text."""

    genuine = True

    def __init__(self, dim: int) -> None:
        self.id, self.dim = f"instant-{dim}", dim

    def encode(self, texts: Sequence[str], progress: Progress | None = None) -> NDArray[np.float32]:
        """See `Encoder.encode`."""
        vectors = np.random.default_rng(len(texts)).standard_normal((len(texts), self.dim), dtype=np.float32)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        return vectors


class Timed:
    """An encoder that adds up how long it took."""

    def __init__(self, inner: Encoder) -> None:
        self._inner, self.seconds = inner, 0.0
        self.id, self.dim, self.genuine = inner.id, inner.dim, inner.genuine

    def encode(self, texts: Sequence[str], progress: Progress | None = None) -> NDArray[np.float32]:
        """See `Encoder.encode`."""
        started = time.perf_counter()
        vectors = self._inner.encode(texts, progress)
        self.seconds += time.perf_counter() - started
        return vectors


def bench(settings: Settings, scratch: Path, progress: Progress, sizes: Sequence[int] = SIZES) -> dict[str, object]:
    """Measure everything; `scratch` is an empty folder."""
    parts = load_parts(settings)
    total = len(sizes) + 2
    progress(0, total)
    encoding = encoding_speed(settings)
    progress(1, total)
    imported = import_speed(parts.encoder, scratch)
    requests = []
    for done, size in enumerate(sizes, start=2):
        progress(done, total)
        requests.append(request_speed(size, parts.encoder.dim, parts.ranker()))
    progress(total, total)
    return {
        "encoding": asdict(encoding),
        "import": asdict(imported),
        "recommend": [asdict(each) for each in requests],
        "peak_mb": _peak_mb(),
    }


def encoding_speed(settings: Settings) -> EncodingSpeed:
    """Encode the demo's profiles with both backends in turn, and rank its judged needs with both."""
    texts = [row["text"] for row in _rows("juniors.jsonl")]
    served = load_encoder(settings.model_copy(update={"encoder_backend": "onnx"}))
    library = load_encoder(settings.model_copy(update={"encoder_backend": "torch"}))
    if not isinstance(library, SentenceEncoder):
        raise TypeError("the benchmark needs a sentence-transformers encoder")
    model = library.load()
    served.encode(texts[:8])
    model.encode(texts[:8], show_progress_bar=False)
    ours, theirs = [], []
    for _ in range(2):
        theirs.append(_seconds(lambda: model.encode(texts, normalize_embeddings=True, show_progress_bar=False)))
        ours.append(_seconds(lambda: served.encode(texts)))
    return EncodingSpeed(
        texts=len(texts),
        torch_s=min(theirs),
        served_s=min(ours),
        ratio=min(theirs) / min(ours),
        torch_ndcg=_quality(library),
        served_ndcg=_quality(served),
    )


def request_speed(size: int, dim: int, ranker: AdditiveRanker) -> RequestSpeed:
    """Ask an organisation of `size` juniors one question, again and again; the first answer builds the index."""
    encoder = Instant(dim)
    store = Store(None)
    try:
        people = many(size)
        recommender = Recommender(store, encoder, lambda: ranker)
        store.people.put(people)
        index_s = _seconds(recommender.prepare)
        senior = next(person for person in people if isinstance(person, Senior))
        service = Service(store, recommender)
        rows = sum(1 + len(statements(person.text)) for person in people if isinstance(person, Junior))
        matrix = encoder.encode(["x"] * rows)
        vector = matrix[0].copy()
        product = _median_ms(partial(np.matmul, matrix, vector))
        del matrix  # it is as large as the index

        request = _median_ms(lambda: service.recommend(QUESTION, SeniorId(senior.id), LOGGED))
    finally:
        store.close()
    return RequestSpeed(size, rows, request, product, 2 * product + 15, index_s, _peak_mb())


def import_speed(encoder: Encoder, scratch: Path) -> ImportSpeed:
    """Import a file of profiles that are all different, through the product's own path."""
    path = scratch / "people.jsonl"
    rows = _rows("juniors.jsonl")
    with path.open("w", encoding="utf-8") as file:
        for number in range(IMPORTED):
            row = rows[number % len(rows)]
            text = f"{' '.join(row['text'].split()[:30])} ({number})"
            told = {"id": f"x{number:06}", "name": row["name"], "text": text, "consent": True}
            file.write(json.dumps(told) + "\n")
    timed, store = Timed(encoder), Store(None)
    try:
        recommender = Recommender(store, timed, _no_ranker)

        def everything() -> None:
            report = read_people(path, "juniors")
            Service(store, recommender).put_people(report.people)

        total = _seconds(everything)
    finally:
        store.close()
    return ImportSpeed(IMPORTED, total, timed.seconds, timed.seconds / total)


def many(size: int) -> list[Junior | Senior]:
    """Return so many juniors with the demo's circumstances and short texts, and one senior who asks."""
    known = demo_people()
    juniors = [person for person in known if isinstance(person, Junior)]
    senior = next(person for person in known if isinstance(person, Senior))
    found: list[Junior | Senior] = [senior]
    for number in range(size):
        junior = juniors[number % len(juniors)]
        text = f"{' '.join(junior.text.split()[:40])} {number}."
        found.append(replace(junior, id=JuniorId(f"x{number:06}"), text=text, email="", manager_id=None))
    return found


def told(figures: dict[str, Any], language: Language) -> str:
    """Return the figures as sentences, one a line."""
    lines = [say(f"bench.{name}", language, **_short(figures[name])) for name in ("encoding", "import")]
    lines += [say("bench.recommend", language, **_short(each)) for each in figures["recommend"]]
    return "\n".join([*lines, say("bench.memory", language, mb=round(figures["peak_mb"]))])


def _short(numbers: dict[str, float]) -> dict[str, str]:
    return {name: f"{value:,}" if isinstance(value, int) else f"{value:.3g}" for name, value in numbers.items()}


def _quality(encoder: Encoder) -> float:
    """Return the mean nDCG@10 on the demo's judged needs by the whole profile alone."""
    needs, grades = prepare(NEEDS, encoder, "../demo/juniors.jsonl"), read_judgements(NEEDS / "qrels.tsv")
    values = []
    for query, vector in zip(needs.queries, needs.query_vectors, strict=True):
        order = np.argsort(-needs.index.compare(query.text, vector).whole, kind="stable")
        judged = [grades.get(query.id, {}).get(needs.candidates[place].id, 0) for place in order]
        values.append(ndcg_at_k(np.array(judged, dtype=float)))
    return float(np.nanmean(values))


def _rows(name: str) -> list[dict[str, str]]:
    return [json.loads(line) for line in (DEMO / name).read_text(encoding="utf-8").splitlines()]


def _no_ranker() -> AdditiveRanker:
    raise AssertionError("importing asks nobody to rank")


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _median_ms(work: Callable[[], object]) -> float:
    work()
    return 1000 * statistics.median(_seconds(work) for _ in range(REPEATS))


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
