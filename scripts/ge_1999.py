"""Play GE 1999 and print how long each step took: 500 seniors and 900 juniors, from file to published pairs."""

import argparse
import json
import sys
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from recommender.bootstrap import load_parts
from recommender.cli import progress_bar
from recommender.ge_1999 import JUNIORS, SENIORS, Story, play
from recommender.settings import load_settings


def main() -> None:
    """Print the figures, as text or as one JSON document."""
    reader = argparse.ArgumentParser(description=__doc__)
    reader.add_argument("--json", action="store_true")
    asked = reader.parse_args()
    with progress_bar("GE 1999") as bar:
        story = play(load_parts(load_settings(), bar), bar)
    print(json.dumps(figures(story), indent=2) if asked.json else told(story))


def figures(story: Story) -> dict[str, object]:
    """Return what came of it in numbers."""
    qualities = [each.quality for each in story.draft.pairs]
    return {
        "seniors": SENIORS,
        "juniors": JUNIORS,
        "seconds": {each.name: round(each.seconds, 2) for each in story.timed},
        "matched": len(qualities),
        "left_over": Counter(each.reason.value for each in story.left_over),
        "would_help": Counter(each.change.kind.value if each.change else "nothing" for each in story.left_over),
        "mean_quality": sum(qualities) / max(len(qualities), 1),
        "lowest_quality": min(qualities, default=None),
        "locked": story.locked,
        "violations": len(story.draft.violations),
        "letters": story.letters,
        "scenarios": {
            each.aim.value: {
                "matched": each.numbers.matched,
                "mean_quality": each.numbers.mean_quality,
                "lowest_quality": each.numbers.lowest_quality,
                "largest_regret": each.numbers.largest_regret,
                "got_best": each.numbers.got_best,
            }
            for each in story.scenarios
        },
    }


def told(story: Story) -> str:
    """Return it as lines."""
    steps = [f"{each.name:>10}  {each.count:>5}  {each.seconds:7.2f} s" for each in story.timed]
    total = sum(each.seconds for each in story.timed)
    rest = {name: value for name, value in figures(story).items() if name not in ("seconds", "seniors", "juniors")}
    return "\n".join([*steps, f"{'in all':>10}  {'':>5}  {total:7.2f} s", *(f"{n}: {v}" for n, v in rest.items())])


if __name__ == "__main__":
    main()
