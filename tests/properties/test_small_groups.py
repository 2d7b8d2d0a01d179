"""Nothing that is told, and nothing that can be computed from it, is about one to four people."""

from fractions import Fraction
from itertools import combinations

from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from recommender.small_groups import EVERYBODY, Place, Tally, safe_counts
from recommender.supply import HIDDEN_BELOW

GROUPS, PERIODS, KINDS = ("a", "b", "c"), 2, 3
SMALL = range(1, HIDDEN_BELOW)

Atom = tuple[str, int, int]
Sizes = dict[Atom, int]
Shape = tuple[list[frozenset[int]], list[tuple[int, list[int]]]]

sizes = st.dictionaries(
    st.tuples(st.sampled_from(GROUPS), st.integers(0, PERIODS - 1), st.integers(0, KINDS - 1)),
    st.sampled_from([0, 1, 2, 3, 4, 5, 6, 9, 20]),
)
FUNNEL = [frozenset(range(kind, KINDS)) for kind in range(KINDS)]
PARTS = [frozenset(range(KINDS)), *(frozenset({kind}) for kind in range(KINDS))]
shapes = st.sampled_from([(FUNNEL, []), (PARTS, [(0, [1, 2, 3])])])


def tallies(counts: Sizes) -> list[Tally]:
    """Return as many people as each size says, everybody once."""
    return [Tally(f"{atom}{number}", *atom) for atom, size in counts.items() for number in range(size)]


def atoms_of(place: Place, cells: list[frozenset[int]], counts: Sizes) -> frozenset[Atom]:
    """Return what a told number is the sum of, without what is empty."""
    period, group, cell = place
    return frozenset(
        (name, band, kind)
        for (name, band, kind), size in counts.items()
        if size and band >= period and group in (EVERYBODY, name) and kind in cells[cell]
    )


def size(atoms: frozenset[Atom], counts: Sizes) -> int:
    """Return how many people are in some atoms."""
    return sum(counts[each] for each in atoms)


def follows(wanted: frozenset[Atom], told: list[frozenset[Atom]], atoms: list[Atom]) -> bool:
    """Tell by exact elimination whether a sum over atoms is a combination of the told sums."""
    rows = [[Fraction(atom in each) for atom in atoms] for each in told]
    target = [Fraction(atom in wanted) for atom in atoms]
    for column in range(len(atoms)):
        pivot = next((row for row in rows if row[column]), None)
        if pivot is None:
            continue
        rows.remove(pivot)
        for row in [*rows, target]:
            factor = row[column] / pivot[column]
            row[:] = [value - factor * other for value, other in zip(row, pivot, strict=True)]
    return not any(target)


@given(sizes, shapes)
@examples(max_examples=300, deadline=None)
def test_no_number_and_no_difference_is_about_few(counts: Sizes, shape: Shape) -> None:
    """No told count is 1 to 4, nor one minus another within it, nor everybody minus the groups that are told."""
    cells, splits = shape
    told = safe_counts(tallies(counts), cells, splits, PERIODS, GROUPS)
    known = {place: atoms_of(place, cells, counts) for place, number in told.items() if number is not None}
    assert all(told[place] == size(atoms, counts) for place, atoms in known.items())
    assert not [place for place in known if told[place] in SMALL]
    for one, other in combinations(known.values(), 2):
        inner, outer = sorted((one, other), key=len)
        assert not (inner <= outer and size(outer - inner, counts) in SMALL)
    for period in range(PERIODS):
        for cell in range(len(cells)):
            whole = told[period, EVERYBODY, cell]
            parts = [told[period, group, cell] for group in GROUPS]
            rest = None if whole is None else whole - sum(each or 0 for each in parts)
            assert rest is None or rest not in SMALL
            assert rest is None or not rest or rest > parts.count(None)


@given(sizes, shapes)
@examples(max_examples=100, deadline=None)
def test_no_sum_of_told_numbers_gives_a_small_one(counts: Sizes, shape: Shape) -> None:
    """However told numbers are added and taken away, no cell of one to four people comes out."""
    cells, splits = shape
    told = safe_counts(tallies(counts), cells, splits, PERIODS, GROUPS)
    atoms = sorted(atom for atom, number in counts.items() if number)
    known = [atoms_of(place, cells, counts) for place, number in told.items() if number]
    for place in told:
        wanted = atoms_of(place, cells, counts)
        if size(wanted, counts) in SMALL:
            assert not follows(wanted, known, atoms)
    for atom in atoms:
        if counts[atom] in SMALL:
            assert not follows(frozenset({atom}), known, atoms)


@given(st.lists(st.integers(5, 30), min_size=1, max_size=6), st.integers(1, 4))
def test_the_smallest_beside_a_hidden_group_is_hidden_too(large: list[int], few: int) -> None:
    """One group of few takes one other with it, the smallest; everybody is told."""
    groups = [f"g{number}" for number in range(len(large) + 1)]
    counts = dict(zip(groups, [few, *large], strict=True))
    people = [Tally(f"{name}{number}", name, 0, 0) for name, size in counts.items() for number in range(size)]
    told = safe_counts(people, [frozenset({0})], groups=groups)
    hidden = [name for name in groups if told[0, name, 0] is None]
    assert told[0, EVERYBODY, 0] == sum(counts.values())
    assert groups[0] in hidden
    assert len(hidden) == 2
    assert counts[hidden[1]] == min(large)


@given(st.lists(st.integers(5, 30), max_size=5))
def test_large_groups_are_all_told(large: list[int]) -> None:
    """Nothing is hidden where nobody is few."""
    groups = [f"g{number}" for number in range(len(large))]
    people = [Tally(f"{n}{k}", n, 0, 0) for n, size in zip(groups, large, strict=True) for k in range(size)]
    told = safe_counts(people, [frozenset({0})], groups=groups)
    assert [told[0, name, 0] for name in groups] == large


def test_many_things_of_few_people_are_hidden() -> None:
    """Twelve cancellations of three people point at three people."""
    assert safe_counts([Tally(f"s{number % 3}", "a", 0, 0) for number in range(12)], [frozenset({0})]) == {
        (0, EVERYBODY, 0): None
    }
