"""What the page about GE 1999 shows, as plain data."""

from collections import Counter

from app import views
from app.rounds_views import change, fit
from recommender.ge_1999 import Story
from recommender.replies import Known
from recommender.wording import Language, say

SHOWN_PAIRS = 12


def tiles(story: Story, language: Language) -> list[tuple[str, str]]:
    """Return the outcome in a few facts."""
    return [
        (say("story.tile_pairs", language), str(len(story.draft.pairs))),
        (say("story.tile_left", language), str(len(story.left_over))),
        (say("story.tile_rules", language), str(len(story.draft.violations))),
        (say("story.tile_letters", language), str(story.letters)),
        (say("story.tile_seconds", language), views.number(seconds(story), language)),
    ]


def seconds(story: Story) -> float:
    """Return how long all steps took together."""
    return sum(each.seconds for each in story.timed)


def steps(story: Story, language: Language) -> dict[str, list[str]]:
    """Return each step with how many it was about and how long it took."""
    return {
        say(f"story.step_{each.name}", language): [str(each.count), views.number(each.seconds, language)]
        for each in story.timed
    }


def fits(story: Story, language: Language) -> list[tuple[str, float]]:
    """Return how many pairs fit well, fairly or poorly."""
    counted = Counter(fit(each.quality) for each in story.draft.pairs)
    return [(say(f"fit.{name}", language), float(counted[name])) for name in ("good", "fair", "poor")]


def pairs(story: Story) -> dict[str, list[str]]:
    """Return some pairs, from over the whole list: the senior, their unit, the junior and theirs."""
    every = max(len(story.draft.pairs) // SHOWN_PAIRS, 1)
    return {
        story.names[each.senior_id]: [
            story.units[each.senior_id],
            story.names[each.junior_id],
            story.units[each.junior_id],
        ]
        for each in story.draft.pairs[::every][:SHOWN_PAIRS]
    }


def left_over(story: Story, known: Known, language: Language) -> list[str]:
    """Return for each person without a junior who it is and what would help."""
    lines = [(story.names[each.senior_id], change(each, story.names, known, language)) for each in story.left_over]
    return [f"{name}: {told}" for name, told in lines]
