"""Benchmark folders: other people's requests, profiles and judgements, ranked through the product's own path.

A folder holds ``candidates.jsonl`` and ``queries.jsonl`` (``id``, ``text``, ``lang``) and ``qrels.tsv`` (query,
candidate, grade).
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recommender.domain import Statement
from recommender.encoder import Encoder
from recommender.errors import InputRefused
from recommender.features import text_features
from recommender.index import ProfileIndex
from recommender.known_needs import KnownNeeds
from recommender.ranker import AdditiveRanker
from recommender.text import clean_text, statements
from recommender.weights import Progress


@dataclass(frozen=True)
class Text:
    """One line of a benchmark file."""

    id: str
    text: str


@dataclass(frozen=True)
class Benchmark:
    """Requests against profiles that are ready to be compared."""

    queries: tuple[Text, ...]
    candidates: tuple[Text, ...]
    index: ProfileIndex
    query_vectors: NDArray[np.float32]

    def text_features(self) -> Iterator[tuple[Text, NDArray[np.float64]]]:
        """Yield each request with its text features, shape ``(n_candidates, n_text_features)``."""
        for query, vector in zip(self.queries, self.query_vectors, strict=True):
            yield query, text_features(self.index.compare(query.text, vector))


def prepare(
    folder: Path,
    encoder: Encoder,
    candidates: str = "candidates.jsonl",
    progress: Progress | None = None,
    known_needs: KnownNeeds | None = None,
) -> Benchmark:
    """Read a folder and encode its texts.

    Raises
    ------
    InputRefused
        If a file is missing or a line is not an object with ``id`` and ``text``.
    """
    profiles, queries = read_texts(folder / candidates), read_texts(folder / "queries.jsonl")
    cut = [
        Statement(each.id, position, text) for each in profiles for position, text in enumerate(statements(each.text))
    ]
    whole = [each.text for each in profiles]
    vectors = encoder.encode([*whole, *(each.text for each in cut)], progress)
    of_texts, of_statements = vectors[: len(whole)], vectors[len(whole) :]
    index = ProfileIndex([each.id for each in profiles], whole, of_texts, cut, of_statements)
    wanted = encoder.encode([each.text for each in queries])
    return Benchmark(queries, profiles, index, known_needs.read_with(wanted) if known_needs else wanted)


def rank_folder(
    folder: Path,
    encoder: Encoder,
    ranker: AdditiveRanker,
    candidates: str = "candidates.jsonl",
    k: int = 100,
    progress: Progress | None = None,
    known_needs: KnownNeeds | None = None,
) -> list[tuple[str, str, float]]:
    """Return the `k` best candidates of each query by text alone, as rows of query, candidate and score."""
    benchmark = prepare(folder, encoder, candidates, progress, known_needs)
    rows = []
    for query, features in benchmark.text_features():
        scores = ranker.text_score(features)
        for place in np.argsort(-scores, kind="stable")[:k]:
            rows.append((query.id, benchmark.candidates[place].id, float(scores[place])))
    return rows


def read_judgements(path: Path) -> dict[str, dict[str, int]]:
    """Return grades above 0 as ``{query: {candidate: grade}}``."""
    grades: dict[str, dict[str, int]] = {}
    for number, line in enumerate(_lines(path), start=1):
        try:
            query, candidate, grade = line.split("\t")
            if int(grade) > 0:
                grades.setdefault(query, {})[candidate] = int(grade)
        except ValueError as error:
            raise InputRefused("benchmark_line", path=path, line=number) from error
    return grades


def write_run(path: Path, rows: Sequence[tuple[str, str, float]]) -> None:
    """Write a run, ``query TAB candidate TAB score``."""
    path.write_text("".join(f"{query}\t{candidate}\t{score:.6f}\n" for query, candidate, score in rows))


def read_texts(path: Path) -> tuple[Text, ...]:
    """Return the texts of a file of candidates or queries."""
    found = []
    for number, line in enumerate(_lines(path), start=1):
        try:
            row = json.loads(line)
            found.append(Text(str(row["id"]), clean_text(str(row["text"]))))
        except (ValueError, KeyError, TypeError) as error:
            raise InputRefused("benchmark_line", path=path, line=number) from error
    if not found:
        raise InputRefused("file_empty", path=path)
    return tuple(found)


def _lines(path: Path) -> list[str]:
    try:
        return [line for line in path.read_text(encoding="utf-8").split("\n") if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise InputRefused("file_unreadable", path=path) from error
