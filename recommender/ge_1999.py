"""Jack Welch's case as a rehearsal: 500 seniors and 900 juniors, imported, matched, reviewed and published in one go.

In 1999 the 500 top managers of General Electric each learnt the internet from somebody young. The people here are made
up: their words come from the demo organisation, shuffled, and nobody's name is that of a person.
"""

import json
import random
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from recommender.bootstrap import Parts, service_over
from recommender.demo import demo_people
from recommender.domain import Junior, JuniorId, Senior, SeniorId
from recommender.importing import read_people
from recommender.round_answers import LeftOverNow, ScenarioNow
from recommender.rounds import Draft
from recommender.store import Store
from recommender.text import statements
from recommender.weights import Progress

SENIORS, JUNIORS = 500, 900
YEAR = 1999
UNITS = {
    "GE Capital": "Stamford",
    "Aircraft Engines": "Cincinnati",
    "Medical Systems": "Milwaukee",
    "Power Systems": "Schenectady",
    "Plastics": "Bergen op Zoom",
    "Appliances": "Louisville",
    "Lighting": "Cleveland",
    "NBC": "New York",
    "Corporate": "Fairfield",
}
OWN_STORY = 0.6
"""Share of juniors who have one person's profile; the others have parts of two."""
REPORTS = 0.3
"""Share of juniors whose manager is one of the seniors: pairs that the reporting line forbids."""
WORTH_LOCKING = 0.9
"""Quality from which the rehearsal's coordinator locks a pair before running the rest again."""


@dataclass(frozen=True)
class Timed:
    """One step, how many it was about, and how long it took in seconds."""

    name: str
    count: int
    seconds: float


@dataclass(frozen=True)
class Story:
    """What came of it. `names` are those of everybody, by id; `letters` wait for both sides of each pair."""

    timed: tuple[Timed, ...]
    draft: Draft
    scenarios: tuple[ScenarioNow, ...]
    left_over: tuple[LeftOverNow, ...]
    locked: int
    letters: int
    names: dict[str, str]
    units: dict[str, str]


def people(seed: int = YEAR) -> list[Senior | Junior]:
    """Return the 500 and the 900; the same ones each time."""
    draw = random.Random(seed)  # noqa: S311  # no secret: the same people each time
    everybody = demo_people()
    seniors = [each for each in everybody if isinstance(each, Senior) and each.text]
    juniors = [each for each in everybody if isinstance(each, Junior)]
    name = _names(draw, [each.name for each in everybody])
    made_seniors = [_senior(draw, number, draw.choice(seniors), next(name)) for number in range(SENIORS)]
    made_juniors = [_junior(draw, number, juniors, made_seniors, next(name)) for number in range(JUNIORS)]
    return [*made_seniors, *made_juniors]


def play(parts: Parts, progress: Progress | None = None) -> Story:
    """Do the whole programme once, in a store of its own that is gone afterwards.

    Parameters
    ----------
    parts : Parts
        What ranks.
    progress : callable, optional
        Called with what is done and the total: people encoded, then seniors matched.
    """
    store, timed = Store(None), list[Timed]()
    service = service_over(store, parts)
    try:
        with tempfile.TemporaryDirectory() as folder:
            files = _written(Path(folder), people())
            with _timing(timed, "imported", SENIORS + JUNIORS):
                reports = [read_people(file, kind) for kind, file in files]  # type: ignore[arg-type]  # the two kinds
        with _timing(timed, "encoded", SENIORS + JUNIORS):
            service.put_people([each for report in reports for each in report.people], progress)
        with _timing(timed, "gathered", SENIORS):
            draft = service.rounds.gather("GE 1999", "jack", progress=progress)
        with _timing(timed, "compared", 3):
            scenarios = service.round_answers.scenarios(draft.round.id)
        good = [each.senior_id for each in draft.pairs if each.quality >= WORTH_LOCKING]
        with _timing(timed, "locked", len(good)):
            service.rounds.lock(draft.round.id, draft.round.version, "jack", good)
            draft = service.rounds.run(draft.round.id, draft.round.version + 1, "jack")
        with _timing(timed, "explained", len(draft.left_over)):
            left = service.round_answers.left_over(draft.round.id)
        with _timing(timed, "checked", len(draft.pairs)):
            draft = service.rounds.draft(draft.round.id)
        with _timing(timed, "published", len(draft.pairs)):
            service.rounds.publish(draft.round.id, draft.round.version, "jack")
        letters = sum(service.post.overview().counts.values())
        known = {str(each.id): each for report in reports for each in report.people}
        return Story(
            tuple(timed),
            draft,
            tuple(scenarios),
            tuple(left),
            len(good),
            letters,
            {each: person.name for each, person in known.items()},
            {each: person.department for each, person in known.items()},
        )
    finally:
        store.close()


@contextmanager
def _timing(timed: list[Timed], name: str, count: int) -> Iterator[None]:
    started = time.perf_counter()
    yield
    timed.append(Timed(name, count, time.perf_counter() - started))


def _written(folder: Path, made: Sequence[Senior | Junior]) -> list[tuple[str, Path]]:
    """Write everybody into two files, as an organisation would deliver them."""
    found = []
    for kind, wanted in (("seniors", Senior), ("juniors", Junior)):
        file = folder / f"{kind}.jsonl"
        lines = [json.dumps(asdict(each), ensure_ascii=False) for each in made if isinstance(each, wanted)]
        file.write_text("\n".join(lines), encoding="utf-8")
        found.append((kind, file))
    return found


def _names(draw: random.Random, known: Sequence[str]) -> Iterator[str]:
    """Give new names from the parts of known ones, none of them twice and none as it was."""
    first = sorted({name.split()[0] for name in known})
    last = sorted({" ".join(name.split()[1:]) for name in known if " " in name})
    given = set(known)
    while True:
        name = f"{draw.choice(first)} {draw.choice(last)}"
        if name not in given:
            given.add(name)
            yield name


def _at_work(draw: random.Random, person: str) -> dict[str, Any]:
    unit = draw.choice(list(UNITS))
    return {"department": unit, "site": UNITS[unit], "email": f"{person}@ge.example"}


def _senior(draw: random.Random, number: int, like: Senior, name: str) -> Senior:
    person = SeniorId(f"ge-s{number:03}")
    boss = f"ge-s{draw.randrange(max(number // 8, 1)):03}" if number else None
    return replace(
        like,
        id=person,
        name=name,
        rank=draw.choice((6, 7, 8, 9)),
        manager_id=boss if boss != person else None,
        active=True,
        consent=True,
        **_at_work(draw, person),
    )


def _junior(
    draw: random.Random, number: int, juniors: Sequence[Junior], seniors: Sequence[Senior], name: str
) -> Junior:
    person, like = JuniorId(f"ge-j{number:03}"), draw.choice(juniors)
    text = like.text
    if draw.random() > OWN_STORY:
        parts = [statements(each.text) for each in (like, draw.choice(juniors))]
        text = " ".join(sentence for each in parts for sentence in draw.sample(each, min(2, len(each))))
    at_work = _at_work(draw, person)
    return replace(
        like,
        id=person,
        name=name,
        text=text,
        rank=draw.choice((1, 2, 3, 4)),
        manager_id=draw.choice(seniors).id if draw.random() < REPORTS else None,
        capacity=draw.choices((1, 2, 3), (85, 12, 3))[0],
        active=draw.random() < 0.97,
        consent=draw.random() < 0.96,
        **at_work,
    )
