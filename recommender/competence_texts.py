"""Texts with the competences and levels they are about, as `competence_fit` learns from them.

Where they come from, and how they were labelled: ``data/competences/README.md``.
"""

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from recommender.framework import framework
from recommender.settings import ROOT

TRAINING = ROOT / "data" / "competences" / "training.jsonl"
CLUE = "clue"
"""Topic of the training texts that tell a level and nothing else."""
CLUES_A_TEXT = 2
COMPOSED_WEIGHT = 0.25
"""Of a text that was put together from two, beside 1 for one that was written whole."""


@dataclass(frozen=True)
class Example:
    """A labelled text. Texts that share one of `groups` are never on both sides of a fold."""

    text: str
    codes: tuple[str, ...]
    level: int | None
    lang: str
    groups: tuple[str, ...] = ()
    weight: float = 1.0


def read_examples(path: Path = TRAINING) -> list[Example]:
    """Return the labelled texts of a file."""
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return [
        Example(
            row["text"],
            tuple(row["codes"]),
            row["level"],
            row["lang"],
            (f"{CLUE}: {row['text']}" if row.get("topic") == CLUE else row.get("topic", ""),),
        )
        for row in rows
    ]


def described() -> list[Example]:
    """Return the framework's own sentences as examples: they hold in each fold, as nothing else says what is meant."""
    return [
        Example(f"{each.name[language]}. {each.plain[language]}", (each.code,), None, language)
        for each in framework().competences
        for language in ("nl", "en")
    ]


def composed(examples: Sequence[Example], seed: int) -> list[Example]:
    """Return texts with the sentence of a level before or after them.

    So each level is seen with many subjects, and each subject with many levels: neither is taken for the other.
    """
    rng = random.Random(seed)  # noqa: S311
    clues = [each for each in examples if each.groups[0].startswith(f"{CLUE}: ")]
    found = []
    for each in (each for each in examples if each.level is None):
        fitting = [clue for clue in clues if each.lang in (clue.lang, "mixed")]
        for clue in rng.sample(fitting, min(CLUES_A_TEXT, len(fitting))):
            text = f"{clue.text} {each.text}" if rng.random() < 1 / 3 else f"{each.text} {clue.text}"
            groups = (*each.groups, *clue.groups)
            found.append(Example(text, each.codes, clue.level, each.lang, groups, COMPOSED_WEIGHT))
    return found
