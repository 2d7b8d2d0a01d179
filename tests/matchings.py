"""Random matching problems, and their best answers found without any code of the solver."""

from collections.abc import Iterator
from itertools import combinations

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import coo_array

from recommender.matching import Aim, Edges, Kind, LeftOver, Problem, Reason, Relaxed, Solution, apply

Pairs = tuple[tuple[int, int], ...]
Key = tuple[float, ...]
Atom = tuple[str, int, str, str]
SAME = 1e-9
"""The numbers of random problems are multiples of the solver's grid, so nothing is lost by rounding."""


def random_problem(rng: np.random.Generator, most_seniors: int, most_juniors: int) -> Problem:
    """Return a problem with weights, locks, minimum, taken places and many ties; small ones are often infeasible."""
    n, m = int(rng.integers(0, most_seniors + 1)), int(rng.integers(1, most_juniors + 1))
    count = int(rng.integers(0, n * m + 1))
    senior, junior = np.divmod(rng.permutation(n * m)[:count], m)
    quality = rng.integers(0, int(rng.choice([5, 11, 1001])), count)
    quality = quality / max(quality.max(initial=0), 1)
    capacity = rng.integers(0, 4, m)
    locked = []
    left = capacity.copy()
    for one in np.flatnonzero(rng.random(n) < rng.choice([0, 0.3])):
        other = int(rng.integers(m))
        if left[other] > 0:
            left[other] -= 1
            locked.append((int(one), other))
    return Problem(
        tuple(f"s{each}" for each in range(n)),
        tuple(f"j{each}" for each in range(m)),
        Edges(senior, junior, np.round(quality, 3)),
        capacity,
        locked=tuple(locked),
        waiting=rng.integers(0, 16, n) * 6.0,
        waiting_weight=float(rng.choice([0, 0.1, 0.5])),
        balance_weight=float(rng.choice([0, 0.05, 0.4])),
        minimum_quality=float(rng.choice([0, 0.3, 0.6])),
        taken=rng.integers(0, 3, m),
        lowered=tuple((int(one), 0.1) for one in np.flatnonzero(rng.random(n) < 0.1)),
        room=rng.integers(0, 3, m),
    )


def random_relaxations(rng: np.random.Generator, problem: Problem, most: int) -> tuple[Relaxed, ...]:
    """Return some edges that would exist if something were given up."""
    n, m = len(problem.seniors), len(problem.juniors)
    kinds = (("drop_wish", "site"), ("drop_wish", "day"), ("add_language", "en"), ("switch_rule", "rank"))
    return tuple(
        Relaxed(
            int(rng.integers(n)),
            int(rng.integers(m)),
            float(rng.integers(0, 11)) / 10,
            kinds[int(rng.integers(len(kinds)))],
        )
        for _ in range(int(rng.integers(0, most + 1)) if n else 0)
    )


def usable(problem: Problem) -> dict[tuple[int, int], float]:
    """Return the edges that are at least the minimum, in plain Python."""
    least = [problem.minimum_quality] * len(problem.seniors)
    for senior, quality in problem.lowered:
        least[senior] = min(least[senior], quality)
    return {pair: quality for pair, quality in all_edges(problem).items() if quality >= least[pair[0]]}


def all_edges(problem: Problem) -> dict[tuple[int, int], float]:
    """Return the quality of each edge, in plain Python."""
    edges = problem.edges
    return {
        (senior, junior): quality
        for senior, junior, quality in zip(
            edges.senior.tolist(), edges.junior.tolist(), edges.quality.tolist(), strict=True
        )
    }


def worth(problem: Problem, pairs: Pairs) -> float:
    """Return the objective of pairs, added up one by one."""
    quality = all_edges(problem)
    load = problem.taken.tolist()
    total = 0.0
    for senior, junior in pairs:
        total += quality.get((senior, junior), 0.0)
        total += problem.waiting_weight * min(float(problem.waiting[senior]) / 60, 1)
        total -= problem.balance_weight * load[junior]
        load[junior] += 1
    return total


def key(problem: Problem, aim: Aim, pairs: Pairs) -> Key:
    """Return what an aim compares, larger being better."""
    if aim is Aim.BEST_FIT:
        return (worth(problem, pairs),)
    if aim is Aim.MOST_MATCHED:
        return (len(pairs), worth(problem, pairs))
    edges = usable(problem)
    best: dict[int, float] = {}
    for (senior, _), quality in edges.items():
        best[senior] = max(best.get(senior, 0.0), quality)
    regret = max(
        (best[senior] - edges[senior, junior] for senior, junior in set(pairs) - set(problem.locked)), default=0
    )
    return (len(pairs), -round(regret, 9), worth(problem, pairs))


def every_matching(problem: Problem) -> Iterator[Pairs]:
    """Return all matchings that keep to edges, places and locks."""
    edges = usable(problem)
    locked = dict(problem.locked)
    free = [senior for senior in range(len(problem.seniors)) if senior not in locked]
    options = {senior: [junior for one, junior in sorted(edges) if one == senior] for senior in free}
    left = problem.capacity.tolist()
    for junior in locked.values():
        left[junior] -= 1

    def go_on(nth: int, pairs: Pairs) -> Iterator[Pairs]:
        if nth == len(free):
            yield pairs
            return
        yield from go_on(nth + 1, pairs)
        for junior in options[free[nth]]:
            if left[junior] > 0:
                left[junior] -= 1
                yield from go_on(nth + 1, (*pairs, (free[nth], junior)))
                left[junior] += 1

    yield from go_on(0, problem.locked)


def best_by_enumeration(problem: Problem) -> dict[Aim, Key]:
    """Return the best there is for each aim, having looked at every matching."""
    matchings = list(every_matching(problem))
    return {aim: max(key(problem, aim, pairs) for pairs in matchings) for aim in Aim}


def best_by_milp(problem: Problem) -> dict[Aim, Key]:
    """Return the best there is for each aim by HiGHS, a solver of mixed integer programs."""
    locked = dict(problem.locked)
    edges = {pair: quality for pair, quality in usable(problem).items() if pair[0] not in locked}
    left = problem.capacity.tolist()
    load = problem.taken.tolist()
    for junior in locked.values():
        left[junior] -= 1
        load[junior] += 1
    best: dict[int, float] = {}
    for (senior, _), quality in edges.items():
        best[senior] = max(best.get(senior, 0.0), quality)

    def most(pairs: list[tuple[int, int]], gains: list[float], at_least: int, places: bool) -> Pairs:
        """Return the pairs with the largest sum of gains minus balance, of at least so many."""
        steps = [(j, nth) for j in range(len(left)) for nth in range(min(left[j], len(pairs)))] if places else []
        columns = len(pairs) + len(steps)
        if not pairs:
            return ()
        rows, cells, values = [], [], []
        n, m = len(problem.seniors), len(left)
        for column, (senior, junior) in enumerate(pairs):
            rows += [senior, n + junior, n + m]
            cells += [column] * 3
            values += [1.0] * 3
        for column, (junior, _) in enumerate(steps, len(pairs)):
            rows.append(n + junior)
            cells.append(column)
            values.append(-1.0)
        upper = [1.0] * n + ([0.0] * m if places else [float(each) for each in left]) + [np.inf]
        lower = [-np.inf] * (n + m) + [float(at_least)]
        matrix = coo_array((values, (rows, cells)), shape=(n + m + 1, columns))
        costs = [-gain for gain in gains] + [problem.balance_weight * (load[j] + nth) for j, nth in steps]
        answer = milp(
            costs,
            integrality=np.ones(columns),
            bounds=Bounds(0, 1),
            constraints=LinearConstraint(matrix.tocsr(), lower, upper),
            options={"mip_rel_gap": 0},
        )
        assert answer.success, answer.message
        return tuple(pair for pair, chosen in zip(pairs, answer.x[: len(pairs)], strict=True) if chosen > 0.5)

    def full(pairs: list[tuple[int, int]], at_least: int) -> Pairs:
        gains = [edges[p] + problem.waiting_weight * min(float(problem.waiting[p[0]]) / 60, 1) for p in pairs]
        return (*problem.locked, *most(pairs, gains, at_least, places=True))

    everything = list(edges)
    count = len(most(everything, [1.0] * len(everything), 0, places=False))
    found = {
        Aim.BEST_FIT: key(problem, Aim.BEST_FIT, full(everything, 0)),
        Aim.MOST_MATCHED: key(problem, Aim.MOST_MATCHED, full(everything, count)),
    }
    regrets = sorted({round(best[pair[0]] - quality, 9) for pair, quality in edges.items()})
    for limit in regrets or [0.0]:
        part = [pair for pair in everything if best[pair[0]] - edges[pair] <= limit + SAME]
        if len(most(part, [1.0] * len(part), 0, places=False)) == count:
            found[Aim.FAIREST] = key(problem, Aim.FAIREST, full(part, count))
            break
    return found


def pairs_of(solution: Solution) -> Pairs:
    """Return a solution's pairs in plain Python."""
    return tuple(zip(solution.senior.tolist(), solution.junior.tolist(), strict=True))


def violations(problem: Problem, pairs: Pairs) -> list[str]:
    """Return what pairs break: an edge that is none, too many for a junior, a lock left out, a senior twice."""
    edges = usable(problem)
    broken = [f"no edge {pair}" for pair in pairs if pair not in edges and pair not in problem.locked]
    broken += [f"lock {pair}" for pair in problem.locked if pair not in pairs]
    seniors = [senior for senior, _ in pairs]
    broken += [f"twice {senior}" for senior in set(seniors) if seniors.count(senior) > 1]
    juniors = [junior for _, junior in pairs]
    return broken + [f"full {junior}" for junior in set(juniors) if juniors.count(junior) > problem.capacity[junior]]


def all_fit(problem: Problem, seniors: set[int]) -> bool:
    """Whether all of some seniors can have a junior at once, by Kuhn's algorithm."""
    edges = usable(problem)
    locked = dict(problem.locked)
    left = problem.capacity.tolist()
    for junior in locked.values():
        left[junior] -= 1
    if min(left, default=0) < 0:
        return False
    helped: list[list[int]] = [[] for _ in left]
    options = {senior: [junior for one, junior in edges if one == senior] for senior in seniors}

    def place(senior: int, seen: set[int]) -> bool:
        for junior in options[senior]:
            if junior in seen:
                continue
            seen.add(junior)
            if len(helped[junior]) < left[junior]:
                helped[junior].append(senior)
                return True
            for nth, other in enumerate(helped[junior]):
                if place(other, seen):
                    helped[junior][nth] = senior
                    return True
        return False

    return all(place(senior, set()) for senior in sorted(seniors - set(locked)))


def every_change(problem: Problem, relaxations: tuple[Relaxed, ...]) -> list[Atom]:
    """Return everything that could be changed, a place more as often as there is room."""
    below = {senior for senior, _ in all_edges(problem)} | {each.senior for each in relaxations}
    return [
        *(("one_more_place", junior, "", "") for junior, room in enumerate(problem.room.tolist()) for _ in range(room)),
        *(("lower_minimum", senior, "", "") for senior in sorted(below)),
        *sorted({("give_up", each.senior, *each.needs) for each in relaxations}),
    ]


def changed(problem: Problem, atoms: tuple[Atom, ...], relaxations: tuple[Relaxed, ...]) -> Problem:
    """Return the problem with changes made, the minimum lowered to nothing."""
    given_up = {(whom, kind, value) for what, whom, kind, value in atoms if what == "give_up"}
    opened = [each for each in relaxations if (each.senior, *each.needs) in given_up]
    more = [whom for what, whom, _, _ in atoms if what == "one_more_place"]
    return Problem(
        problem.seniors,
        problem.juniors,
        Edges(
            [*problem.edges.senior, *(each.senior for each in opened)],
            [*problem.edges.junior, *(each.junior for each in opened)],
            [*problem.edges.quality, *(each.quality for each in opened)],
        ),
        problem.capacity + np.bincount(more, minlength=len(problem.juniors)),
        locked=problem.locked,
        minimum_quality=problem.minimum_quality,
        lowered=(*problem.lowered, *((whom, 0.0) for what, whom, _, _ in atoms if what == "lower_minimum")),
    )


def fewest_changes(problem: Problem, relaxations: tuple[Relaxed, ...], most: int) -> int | None:
    """Return the smallest number of changes, up to `most`, after which everybody fits, by trying all; None for none."""
    everybody = set(range(len(problem.seniors)))
    atoms = every_change(problem, relaxations)
    for count in range(most + 1):
        for chosen in set(combinations(atoms, count)):
            if all_fit(changed(problem, chosen, relaxations), everybody):
                return count
    return None


def wrong_about(
    problem: Problem, pairs: Pairs, told: LeftOver, relaxations: tuple[Relaxed, ...], order: tuple[Kind, ...]
) -> str:
    """Return what is untrue about an explanation; empty when it is right."""
    matched = {senior for senior, _ in pairs}
    wanted = matched | {told.senior}
    edges = usable(problem)
    mine = {junior for senior, junior in edges if senior == told.senior}
    some = told.senior in problem.edges.senior.tolist()
    fits = all_fit(problem, wanted)
    reason = Reason.NO_CANDIDATES if not some else Reason.BELOW_MINIMUM if not mine else Reason.ALL_TAKEN
    if told.reason != (Reason.BY_AIM if fits else reason):
        return f"reason {told}"
    if told.reason is Reason.BY_AIM:
        return ""
    if told.reason is Reason.ALL_TAKEN:
        locked = dict(problem.locked)
        places = sum(int(problem.capacity[j]) - list(locked.values()).count(j) for j in told.juniors)
        shared = {junior for senior, junior in edges if senior in told.seniors}
        if places != told.places or len(told.seniors) <= places or not shared <= set(told.juniors):
            return f"bottleneck {told}"
        if set(told.seniors) & set(locked) or told.senior not in told.seniors:
            return f"bottleneck people {told}"
    helping = {
        Kind(atom[0] if atom[0] != "give_up" else atom[2])
        for atom in set(every_change(problem, relaxations))
        if (atom[0] == "one_more_place" or atom[1] == told.senior)
        and all_fit(changed(problem, (atom,), relaxations), wanted)
    }
    if told.change is None:
        return f"helped by {helping}: {told}" if helping else ""
    if not all_fit(apply(problem, told.change), wanted):
        return f"does not help {told}"
    return "" if told.change.kind == min(helping, key=order.index) else f"not preferred {told}"
