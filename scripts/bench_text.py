"""Rank benchmark folders through the product and print the scores beside plain methods, as Markdown.

    make bench-text BENCHMARKS=folder

The folder holds the benchmark folders and their scorer, evaluate.py. "plain encoder" is multilingual-e5-small as it
comes: one vector for each text, with the prompts its makers advise ("query: " and "passage: ").
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from recommender.benchmarks import read_texts, write_run
from recommender.encoder import load_encoder
from recommender.settings import PLAIN_ENCODER, load_settings

SETS = (
    ("iot_stackexchange", ["--qrels", "qrels_topic.tsv"]),
    ("vdab_esco_nl", ["--subset", "digital"]),
    ("vdab_esco_nl", ["--subset", "digital", "--candidates", "candidates_en.jsonl"]),
    ("job_titles_nl", []),
    ("job_titles_en", []),
    ("skill_sentences_en", []),
)


def main(folder: Path) -> None:
    """Print one table for each set."""
    encoder = load_encoder(load_settings(encoder=PLAIN_ENCODER))
    with tempfile.TemporaryDirectory() as temporary:
        for name, options in SETS:
            candidates = options[-1] if "--candidates" in options else "candidates.jsonl"
            product, plain = Path(temporary) / "telemachos", Path(temporary) / "plain-encoder"
            command = ["rank", str(folder / name), "--run", str(product), "--candidates", candidates]
            subprocess.run([sys.executable, "-m", "recommender", *command], check=True, capture_output=True)
            write_run(plain, plain_run(folder / name, candidates, encoder))
            print(evaluate(folder, name, [*options, "--systems", "bm25", "char"]).strip())
            for run in (plain, product):
                print(evaluate(folder, name, [*options, "--run", str(run)]).strip().splitlines()[-1])
            print(flush=True)


def plain_run(folder: Path, candidates: str, encoder) -> list[tuple[str, str, float]]:
    """Rank by one cosine, with the advised prompts."""
    model = encoder.load()
    queries, documents = read_texts(folder / "queries.jsonl"), read_texts(folder / candidates)
    asked = model.encode([each.text for each in queries], prompt="query: ", show_progress_bar=False)
    offered = model.encode([each.text for each in documents], prompt="passage: ", show_progress_bar=False)
    rows = []
    for query, scores in zip(queries, asked @ offered.T, strict=True):
        rows += [(query.id, documents[place].id, float(scores[place])) for place in np.argsort(-scores)[:100]]
    return rows


def evaluate(folder: Path, name: str, options: list[str]) -> str:
    """Run the benchmark's own scorer."""
    command = [sys.executable, str(folder / "evaluate.py"), str(folder / name), *options]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


main(Path(sys.argv[1]))
