"""The demo organisation: some 380 made-up people of a company that doesn't exist."""

from recommender.domain import Person
from recommender.importing import read_people
from recommender.service import Service
from recommender.settings import ROOT
from recommender.weights import Progress

FOLDER = ROOT / "data" / "demo"


def demo_people() -> list[Person]:
    """Return everybody of the demo organisation."""
    seniors = read_people(FOLDER / "seniors.jsonl", "seniors").people
    return [*seniors, *read_people(FOLDER / "juniors.jsonl", "juniors").people]


def load_demo(service: Service, progress: Progress | None = None) -> int:
    """Load the demo organisation and return how many people it has; a second call changes nothing."""
    people = demo_people()
    held = {each.id for each in service.store.people.juniors()} | {each.id for each in service.store.people.seniors()}
    new = [each for each in people if each.id not in held]
    if new:
        service.put_people(new, progress)
    return len(people)
