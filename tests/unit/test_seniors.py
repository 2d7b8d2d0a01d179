"""Simulated seniors say what the facts of the junior in mind are, and chance treats all who ask alike."""

from dataclasses import replace

import numpy as np
import pytest

from recommender.dialogue.state import Question
from recommender.domain import Junior, JuniorId, Remote, Statement
from recommender.encoder import HashingEncoder
from recommender.index import ProfileIndex
from recommender.questions import ANYTHING, FACETS, OFFERS
from recommender.ranker import similarity_only
from recommender.seniors import (
    Company,
    Conduct,
    Luck,
    Need,
    Policy,
    Situation,
    answer,
    blurred,
    converse,
    expected_gain_policy,
    no_question,
    random_question,
)
from recommender.wording import say

TOWNS = ("Gent", "Breda", "Hasselt", "Leuven", "Aalst", "Utrecht", "Zwolle")
SURE = Conduct(slips=0, leaves=0, puzzled=0)
"""Seniors who answer well and never give up."""

TARGET = 17


@pytest.fixture(scope="module")
def company() -> Company:
    """Return 21 juniors who know the same, three in each town; one of each three knows video."""
    juniors = [
        Junior(
            JuniorId(f"j{number:02}"),
            f"J{number}",
            "Filmpjes monteren" if number % 3 == 2 else "Draaitabellen maken",
            site=TOWNS[number // 3],
            remote=Remote.ON_SITE,
            level=6,
            consent=True,
        )
        for number in range(21)
    ]
    encoder = HashingEncoder()
    said = [Statement(each.id, 0, each.text) for each in juniors]
    vectors = encoder.encode([each.text for each in juniors])
    index = ProfileIndex([each.id for each in juniors], [each.text for each in juniors], vectors, said, vectors)
    texts = [*(each.text for each in juniors), *(say(f"offer.{each}", "nl") for each in OFFERS)]
    wishes = np.zeros((len(juniors), encoder.dim), dtype=np.float32)
    return Company(juniors, index, wishes, similarity_only(), dict(zip(texts, encoder.encode(texts), strict=True)))


@pytest.fixture(scope="module")
def need(company: Company) -> Need:
    """Return a senior whose words fit all alike, and for whom one near the end of the list will do."""
    helpful = np.arange(len(company.population)) == TARGET
    texts, likeness = np.zeros((len(helpful), 3)), np.zeros(len(helpful), dtype=np.float32)
    luck = Luck.of(np.random.default_rng(5), Conduct().turns)
    return Need("n", "filmpjes monteren", "iets digitaals", "nl", texts, likeness, None, None, TARGET, helpful, luck)


def asking(*questions: Question) -> Policy:
    """Return a policy that asks these, one after the other."""

    def ask(now: Situation) -> Question | None:
        left = [each for each in questions if each.id not in now.asked]
        return left[0] if left else None

    return ask


PLACE = Question("place", "place", TOWNS)


def test_the_first_request_keeps_half_of_the_content_and_at_least_a_word() -> None:
    """Words without content go first; what is left was in the text, and typing errors are rare."""
    clear = Conduct(mistyped=0)
    for seed in range(20):
        rng = np.random.default_rng(seed)
        assert blurred("Hoe maak ik een draaitabel van onze verkoopcijfers?", rng, clear) in {
            "maak",
            "draaitabel",
            "verkoopcijfers",
        }
        assert blurred("Excel", rng, clear) == "Excel"
        assert blurred("hoe?", rng, clear)
    words = " ".join(["netwerk"] * 400)
    kept = blurred(words, np.random.default_rng(1), Conduct()).split()
    assert len(kept) == 200
    assert 0.04 < np.mean([each != "netwerk" for each in kept]) < 0.18


def test_a_senior_answers_from_the_facts_of_the_junior_in_mind(company: Company, need: Need) -> None:
    """Town, subject and level are theirs; where nothing fits it is all the same."""
    assert answer(company, need, PLACE, SURE) == TOWNS[TARGET // 3]
    assert answer(company, need, Question("place", "place", ("Gent", "Breda")), SURE) == ANYTHING
    assert answer(company, need, Question("day", "day", ("mon", "tue")), SURE) == ANYTHING
    assert answer(company, need, Question("meet", "meet", ("online", "on_site")), SURE) == "on_site"
    themes = ("Draaitabellen maken", "Filmpjes monteren")
    assert answer(company, need, Question("theme1", "theme", themes), SURE) == themes[1]
    levels = {
        answer(
            company,
            replace(need, luck=replace(need.luck, fits=dict.fromkeys(FACETS, luck))),
            Question("level", "level", ("beginner", "some", "good")),
            SURE,
        )
        for luck in (0.0, 0.5, 0.99)
    }
    assert levels == {"beginner", "some", "good"}, "the junior is one to four levels ahead"


def test_a_slip_is_an_answer_at_random(company: Company, need: Need) -> None:
    """Whoever always slips gives each answer, whatever the facts are."""
    conduct, found = replace(SURE, slips=1.0), set()
    for seed in range(60):
        luck = Luck.of(np.random.default_rng(seed), conduct.turns)
        found.add(answer(company, replace(need, luck=luck), PLACE, conduct))
    assert found == set(TOWNS)


def test_a_question_that_settles_it_brings_the_right_one_sooner(company: Company, need: Need) -> None:
    """With the town known, three are left, and the right one among them; the product finds that question itself."""
    asked = converse(company, need, asking(PLACE), SURE)
    assert (asked.helped, asked.met, asked.questions) == (2, 2, ("place",))
    silent = converse(company, need, no_question, SURE)
    assert silent.met == 6, "18th of 21 who score alike, three at a time"
    itself = converse(company, need, expected_gain_policy, SURE)
    assert itself.met is not None
    assert itself.met < silent.met


def test_whoever_gives_up_never_met_anybody(company: Company, need: Need) -> None:
    """An abandoned conversation has no turn of success; a question without an answer makes people leave sooner."""
    impatient = converse(company, need, no_question, replace(SURE, leaves=1.0))
    assert (impatient.helped, impatient.met, impatient.questions) == (None, None, ("",))
    puzzling = asking(Question("day", "day", ("mon", "tue")))
    conduct = replace(SURE, puzzled=1.0)
    assert converse(company, need, puzzling, conduct).met is None
    assert converse(company, need, no_question, conduct).met == 6


def test_chance_is_the_same_for_all_who_ask(company: Company, need: Need) -> None:
    """A facet gets the same answer whenever it is asked, and a policy that draws repeats itself with its seed."""
    level = Question("level", "level", ("beginner", "some", "good"))
    noisy = Conduct(slips=0.5, leaves=0)
    answers = {answer(company, need, PLACE, noisy) for _ in range(5)}
    assert len(answers) == 1
    first, then = (converse(company, need, asking(*each), noisy) for each in ((PLACE, level), (level, PLACE)))
    assert (first.met is None) == (then.met is None)
    drawn = [converse(company, need, random_question, noisy, np.random.default_rng(3)) for _ in range(2)]
    assert drawn[0] == drawn[1]
