"""The product as it ships: real encoder, shipped ranker, demo organisation. Prints the figures it holds."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from recommender.bootstrap import load_parts
from recommender.demo import load_demo
from recommender.evaluation import interval, ndcg_at_k
from recommender.recommending import Recommender
from recommender.service import Service
from recommender.settings import Settings
from recommender.store import Store

DATA = Path(__file__).parents[1] / "data"
NEEDS = Path(__file__).parents[2] / "data" / "demo_needs"


@pytest.fixture(scope="module")
def service(encoder_home: Path) -> Iterator[Service]:
    """Give the shipped product with the demo organisation."""
    parts = load_parts(Settings(home=encoder_home))
    assert parts.notices == (), f"a stand-in is in use: {parts.trouble}"
    store = Store(None)
    made = Service(
        store, Recommender(store, parts.encoder, parts.ranker, parts.reader, parts.known_needs, parts.doubt_below)
    )
    load_demo(made)
    yield made
    made.store.close()


def pairs() -> list[dict[str, str]]:
    """Return the forty needs, each in Dutch and in English."""
    return [json.loads(line) for line in (DATA / "request_pairs.jsonl").read_text(encoding="utf-8").splitlines()]


def top(service: Service, text: str, k: int = 5) -> list[str]:
    """Return the first `k` juniors for a text of nobody in particular."""
    return [each.junior_id for each in service.recommend(text, None, k).suggestions]


def test_mails_with_ai(service: Service) -> None:
    """The example of the README: people whose profile says so, in both languages, and the parts add up."""
    slate = service.recommend("Ik wil met AI mijn mails sneller schrijven", None, 5)
    judged = grades()["p01-nl"]
    assert sum(judged.get(each.junior_id, 0) >= 1 for each in slate.suggestions) >= 4
    for each in slate.suggestions:
        assert sum(each.contributions.values()) + slate.intercept == pytest.approx(each.score, abs=1e-6)
    english = top(service, "I want to write my e-mails faster with AI")
    assert len(set(english) & {each.junior_id for each in slate.suggestions}) >= 3


def test_same_need_in_two_languages(service: Service, capsys: pytest.CaptureFixture[str]) -> None:
    """Asked in Dutch or in English, about the same people come first; with plain e5 it was 0.19."""
    overlaps = [len(set(top(service, pair["nl"])) & set(top(service, pair["en"]))) / 5 for pair in pairs()]
    with capsys.disabled():
        print(f"\nmean overlap of the first five over {len(overlaps)} pairs: {np.mean(overlaps):.3f}")
    assert np.mean(overlaps) >= 0.5


def grades() -> dict[str, dict[str, int]]:
    """Return the judgements of the demo's needs."""
    found: dict[str, dict[str, int]] = {}
    for line in (NEEDS / "qrels.tsv").read_text(encoding="utf-8").splitlines():
        query, junior, grade = line.split("\t")
        found.setdefault(query, {})[junior] = int(grade)
    return found


def test_judged_needs(service: Service, capsys: pytest.CaptureFixture[str]) -> None:
    """Whole suggestions, circumstances and all, find judged juniors, in both languages about alike."""
    juniors = [junior.id for junior in service.store.people.juniors()]
    eligible = {each.junior_id for each in service.recommend("Excel", None, len(juniors)).suggestions}
    means = {}
    for language in ("nl", "en"):
        values = []
        for pair in pairs():
            judged = grades()[f"{pair['id']}-{language}"]
            ranked = top(service, pair[language], len(juniors))
            gains = np.array([judged.get(each, 0) for each in ranked], dtype=float)
            if set(ranked) == eligible and gains.any():
                values.append(ndcg_at_k(gains))
        low, high = interval(np.array(values))
        means[language] = np.mean(values)
        with capsys.disabled():
            print(f"\nnDCG@10 over {len(values)} needs in {language}: {means[language]:.3f} [{low:.3f}, {high:.3f}]")
        assert len(values) >= 35
    assert min(means.values()) >= 0.55
    assert abs(means["nl"] - means["en"]) <= 0.1


OTHER_SUBJECTS = [
    "Ik wil leren breien",
    "how do I train for a marathon",
    "hoe repareer ik mijn auto",
    "gardening tips for roses",
    "piano spelen voor beginners",
    "learn to sail a boat",
    "wijn proeven",
    "quantum chromodynamics lattice gauge theory",
    "mijn hond luistert niet",
    "skiën leren op latere leeftijd",
]


def test_doubt_is_said(service: Service, capsys: pytest.CaptureFixture[str]) -> None:
    """Where nobody can help, the answer says so; with real needs it nearly never does."""
    asked = [pair[language] for pair in pairs() for language in ("nl", "en")]
    doubted = sum(service.recommend(text, None, 3).doubtful for text in asked)
    noticed = sum(service.recommend(text, None, 3).doubtful for text in OTHER_SUBJECTS)
    with capsys.disabled():
        print(f"\ndoubt: {noticed} of {len(OTHER_SUBJECTS)} other subjects, {doubted} of {len(asked)} real needs")
    assert noticed >= 7
    assert doubted <= 0.1 * len(asked)
