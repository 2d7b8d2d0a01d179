"""What the whole-group matching is worth, beside other programs, as Markdown.

    python scripts/match_figures.py [--parts mentor-match sizes optimum repairs] [--mentor-match PYTHON ...] [--quick]

`--mentor-match` are Pythons that have the package of that name; left out, they are made in a temporary folder, for
which the network is needed. `--quick` does the same with less. What was made equal, and what the figures can't show,
is in docs/matching.md.
"""

import argparse
import json
import platform
import resource
import subprocess
import sys
import tempfile
import time
import venv
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track
from scipy.sparse import csr_array
from scipy.sparse.csgraph import min_weight_full_bipartite_matching

sys.path.insert(0, str(Path(__file__).parents[1]))  # so that it runs from anywhere

from recommender.matching import (
    Aim,
    Edges,
    Problem,
    apply,
    cost_of_forcing,
    left_over,
    side_by_side,
    smallest_repair,
    solve,
)
from recommender.matching.changes import ORDER
from recommender.matching.scenarios import regrets
from tests.matchings import (
    SAME,
    all_fit,
    best_by_enumeration,
    best_by_milp,
    changed,
    every_change,
    fewest_changes,
    key,
    pairs_of,
    random_problem,
    random_relaxations,
    violations,
    worth,
    wrong_about,
)

RULES_SCORE, FIT_SCORE = 15, 1000
"""The most that the rules in `run_mentor_match.py`, and fit, give a pair."""
VERSIONS = (("mentor-match==7.0.1", "munkres==1.1.4"), ("mentor-match==7.0.1", "munkres==3.0.0"))
"""mentor-match asks for any munkres: the one there was when it came out, and a later one, partly in C."""
PATIENCE = 1800
"""Seconds a child may take."""
NOTES = Console(stderr=True)
SUBJECTS = ("ai", "excel", "teams", "linkedin", "privacy", "phishing", "video", "dashboards", "code", "phone")
DEPARTMENTS = ("finance", "sales", "hr", "it", "legal", "care", "logistics", "research")
SITES = ("delft", "breda", "zwolle", "assen")


def main() -> None:
    """Print the parts that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parts: dict[str, Callable[[argparse.Namespace], None]] = {
        "mentor-match": beside_mentor_match,
        "sizes": sizes,
        "optimum": beside_an_optimum,
        "repairs": repairs,
    }
    parser.add_argument("--parts", nargs="+", choices=parts, default=list(parts))
    parser.add_argument(
        "--mentor-match", metavar="PYTHON", nargs="+", help="Pythons that have the package mentor-match"
    )
    parser.add_argument("--quick", action="store_true", help="smaller groups, fewer instances")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.child:
        print(json.dumps(in_a_child(**json.loads(asked.child))))
        return
    print(f"{platform.machine()}, {platform.system()}, Python {platform.python_version()}\n")
    for part in asked.parts:
        parts[part](asked)
        sys.stdout.flush()


def table(title: str, rows: list[dict[str, Any]]) -> None:
    """Print rows as a Markdown table."""
    print(f"### {title}\n")
    print("| " + " | ".join(rows[0]) + " |")
    print("|" + "---|" * len(rows[0]))
    for row in rows:
        print("| " + " | ".join(str(value) for value in row.values()) + " |")
    print()


# Beside mentor-match


def company(count: int, seed: int) -> tuple[dict[str, Any], NDArray[np.bool_]]:
    """Return people with mentor-match's fields, and which (junior, senior) are forbidden."""
    rng = np.random.default_rng(seed)

    def person(side: str, nth: int, grade: int) -> dict[str, Any]:
        return {
            "email": f"{side}{nth}@example.org",
            "first name": side,
            "last name": str(nth),
            "role": str(rng.choice(SUBJECTS)),
            "profession": str(rng.choice(DEPARTMENTS)),
            "organisation": str(rng.choice(SITES)),
            "grade": grade,
        }

    seniors = [person("senior", nth, int(rng.integers(5, 10))) for nth in range(count)]
    juniors = [person("junior", nth, int(rng.integers(1, 7))) for nth in range(count)]
    grade_of_senior = np.array([each["grade"] for each in seniors])
    grade_of_junior = np.array([each["grade"] for each in juniors])
    # Who reports to whom: juniors to a senior of their department, that senior to one of a higher grade.
    above = rng.integers(0, count, count)
    manager = rng.integers(0, count, count)
    forbidden = grade_of_junior[:, None] >= grade_of_senior[None, :]
    forbidden[np.arange(count), manager] = True
    forbidden[np.arange(count), above[manager]] = True
    forbidden |= rng.random((count, count)) < 0.02  # the coordinator's do-not-pair list
    return {"juniors": juniors, "seniors": seniors, "forbidden": np.argwhere(forbidden).tolist()}, forbidden


def text_fit(count: int, seed: int) -> NDArray[np.int64]:
    """Return points from 0 to `FIT_SCORE` for each junior and senior, from directions drawn for their texts."""
    rng = np.random.default_rng(seed)
    juniors, seniors = (rng.normal(size=(count, 16)) for _ in range(2))
    juniors, seniors = (each / np.linalg.norm(each, axis=1, keepdims=True) for each in (juniors, seniors))
    return np.rint((juniors @ seniors.T + 1) / 2 * FIT_SCORE).astype(np.int64)


@contextmanager
def pythons_with_mentor_match(given: list[str] | None) -> Iterator[list[str]]:
    """Yield Pythons that have the package."""
    if given:
        yield given
        return
    with tempfile.TemporaryDirectory() as folder:
        made = []
        for nth, packages in enumerate(VERSIONS):
            home = Path(folder) / str(nth)
            venv.create(home, with_pip=True)
            made.append(str(home / ("Scripts" if sys.platform == "win32" else "bin") / "python"))
            subprocess.run([made[-1], "-m", "pip", "install", "-q", *packages], check=True)
        yield made


def beside_mentor_match(asked: argparse.Namespace) -> None:
    """The same people and scores: time, total, and forbidden pairs."""
    with pythons_with_mentor_match(asked.mentor_match) as pythons:
        for count in (50, 100) if asked.quick else (100, 500):
            for scoring in ("rules", "rules and fit"):
                _beside_mentor_match(pythons, count, scoring)


def _beside_mentor_match(pythons: list[str], count: int, scoring: str) -> None:
    people, forbidden = company(count, seed=1)
    people["fit"] = text_fit(count, seed=2).tolist() if "fit" in scoring else []
    highest = RULES_SCORE + FIT_SCORE if people["fit"] else RULES_SCORE
    theirs = {
        ruled: [_by_mentor_match(python, {**people, "ruled": ruled}) for python in pythons] for ruled in (False, True)
    }
    scores = np.array(theirs[False][0]["scores"])
    rows = []
    for ruled in (False, True):
        started, worked = time.perf_counter(), time.process_time()
        senior, junior = np.nonzero(~forbidden.T if ruled else np.ones_like(forbidden))
        edges = Edges(senior, junior, scores[junior, senior] / highest)
        ids = tuple(str(nth) for nth in range(count))
        found = solve(Problem(ids, ids, edges, np.ones(count)), Aim.MOST_MATCHED)
        seconds, processor = time.perf_counter() - started, time.process_time() - worked
        ours = {
            "with": "Telemachos",
            "pairs": np.c_[found.junior, found.senior],
            "seconds": seconds,
            "processor": processor,
        }
        rows += [_row(result, ours, ruled, scores, forbidden) for result in (ours, *theirs[ruled])]
    table(f"Beside mentor-match, {count} seniors and {count} juniors, scored by {scoring}", rows)
    print(f"{forbidden.mean():.0%} of all pairs are forbidden.\n")


def _by_mentor_match(python: str, people: dict[str, Any]) -> dict[str, Any]:
    with NOTES.status(f"mentor-match on {len(people['seniors'])} seniors"):
        runner = Path(__file__).with_name("run_mentor_match.py")
        ran = subprocess.run(
            [python, str(runner)], input=json.dumps(people), capture_output=True, text=True, check=True
        )
    told: dict[str, Any] = json.loads(ran.stdout)
    return told


def _row(
    result: dict[str, Any], ours: dict[str, Any], ruled: bool, scores: NDArray[Any], forbidden: NDArray[np.bool_]
) -> dict[str, Any]:
    """Return what a result comes to; times are compared by processor, which others on the machine disturb less."""
    junior, senior = np.array(result["pairs"]).reshape(-1, 2).T
    return {
        "told what is forbidden": "yes" if ruled else "no",
        "program": result["with"],
        "pairs": len(junior),
        "total score": f"{int(scores[junior, senior].sum()):,}",
        "forbidden pairs": int(forbidden[junior, senior].sum()),
        "seconds": f"{result['seconds']:.2f}",
        "of the processor": f"{result['processor']:.2f}",
        "times ours": f"{result['processor'] / ours['processor']:.0f}",
    }


# Sizes


def a_large_problem(seniors: int, crowd: str, weights: bool) -> Problem:
    """Return a group of which each senior has 50 edges; `crowd` "popular": everybody wants the same juniors."""
    rng = np.random.default_rng(7)
    juniors, each = int(seniors * 0.6), min(50, int(seniors * 0.6))
    appeal = rng.lognormal(0, 1.0 if crowd == "popular" else 0.0001, juniors)
    # A few more than 50 are drawn, since somebody drawn twice counts once; the first 50 others stay.
    drawn = rng.choice(juniors, size=(seniors, each * 3), p=appeal / appeal.sum())
    by_junior = np.argsort(drawn, axis=1, kind="stable")
    in_order = np.take_along_axis(drawn, by_junior, axis=1)
    first = np.ones_like(drawn, dtype=bool)
    np.put_along_axis(first, by_junior[:, 1:], in_order[:, 1:] != in_order[:, :-1], axis=1)
    wanted = first & (np.cumsum(first, axis=1) <= each)
    senior, junior = np.nonzero(wanted)[0], drawn[wanted]
    liked = np.argsort(np.argsort(appeal)) / juniors
    quality = 0.4 * liked[junior] * (crowd == "popular") + rng.random(len(junior)) * 0.6
    return Problem(
        tuple(f"s{nth}" for nth in range(seniors)),
        tuple(f"j{nth}" for nth in range(juniors)),
        Edges(senior, junior, np.round(quality, 6)),
        np.full(juniors, 2),
        waiting=rng.integers(0, 90, seniors),
        waiting_weight=0.1 if weights else 0.0,
        balance_weight=0.05 if weights else 0.0,
        minimum_quality=0.05,
    )


def in_a_child(program: str, seniors: int, crowd: str, weights: bool) -> dict[str, Any]:
    """Solve one large problem, by an aim or by LAPJVsp; a process of its own, so that its peak memory is its own."""
    problem = a_large_problem(seniors, crowd, weights)
    before = _peak()
    started, worked = time.perf_counter(), time.process_time()
    if program == "LAPJVsp":
        matched, total = _by_lapjvsp(problem)
        told: dict[str, Any] = {"matched": matched, "total": total, "gap": 0.0, "regret": float("nan")}
    else:
        found = solve(problem, Aim(program))
        told = {"matched": found.matched, "total": found.objective, "gap": found.gap}
    told["seconds"], told["processor"] = time.perf_counter() - started, time.process_time() - worked
    told["more_memory"], told["memory"] = _peak() - before, _peak()
    if program != "LAPJVsp":
        told["regret"] = float(regrets(problem, found).max())
        told["violations"] = _violations(problem, found.senior, found.junior)
    told["edges"] = len(problem.edges)
    return told


def _violations(problem: Problem, senior: NDArray[Any], junior: NDArray[Any]) -> int:
    """Count what a large solution breaks."""
    pairs = set(
        zip(problem.edges.senior[problem.usable].tolist(), problem.edges.junior[problem.usable].tolist(), strict=True)
    )
    invented = sum(pair not in pairs for pair in zip(senior.tolist(), junior.tolist(), strict=True))
    crowded = int((np.bincount(junior, minlength=len(problem.juniors)) > problem.capacity).sum())
    return invented + crowded + len(senior) - len(set(senior.tolist()))


def _peak() -> float:
    """Return the most memory this process held at once, in MB."""
    held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return held / (2**20 if sys.platform == "darwin" else 2**10)


def _by_lapjvsp(problem: Problem) -> tuple[int, float]:
    """Match as many as possible with the largest sum: a column for each place, and one for each senior for nobody."""
    n, m, places = len(problem.seniors), len(problem.juniors), int(problem.capacity.max())
    edges, nobody = problem.edges.only(problem.usable), 1e4
    rows = np.r_[np.tile(edges.senior, places), np.arange(n)]
    columns = np.r_[np.concatenate([edges.junior + m * nth for nth in range(places)]), m * places + np.arange(n)]
    costs = np.r_[np.tile(2.0 - edges.quality, places), np.full(n, nobody)]
    row, column = min_weight_full_bipartite_matching(csr_array((costs, (rows, columns)), shape=(n, m * places + n)))
    matched = column < m * places
    return int(matched.sum()), float(problem.quality_of(row[matched], column[matched] % m).sum())


def sizes(asked: argparse.Namespace) -> None:
    """Time, memory and gap of large groups, and how both grow."""
    few, many = (500, 2_000) if asked.quick else (5_000, 50_000)
    rows = []
    for crowd in ("even", "popular"):
        for program, weights in [*((aim.value, True) for aim in Aim), ("most_matched", False), ("LAPJVsp", False)]:
            results = {}
            for seniors in (few, many):
                with NOTES.status(f"{program}, {seniors} seniors, {crowd}"):
                    wanted = {"program": program, "seniors": seniors, "crowd": crowd, "weights": weights}
                    results[seniors] = _child(wanted)
            rows += [_size_row(crowd, program, weights, seniors, results, few) for seniors in results]
    table("Sizes: 50 edges a senior, two places a junior, six juniors for ten seniors", rows)
    table("A round of 500 seniors, 300 juniors and 50 edges a senior, in processor time", [_a_round()])


def _child(wanted: dict[str, Any]) -> dict[str, Any] | None:
    try:
        ran = subprocess.run(
            [sys.executable, __file__, "--child", json.dumps(wanted)],
            capture_output=True,
            text=True,
            check=True,
            timeout=PATIENCE,
        )
    except subprocess.TimeoutExpired:
        return None
    told: dict[str, Any] = json.loads(ran.stdout)
    return told


def _size_row(
    crowd: str, program: str, weights: bool, seniors: int, results: dict[int, dict[str, Any] | None], few: int
) -> dict[str, Any]:
    told, first = results[seniors], results[few]
    row = {"wanted": crowd, "aim or program": program, "weights": "yes" if weights else "no", "seniors": f"{seniors:,}"}
    if told is None or first is None:
        return row | {"matched": f"not done in {PATIENCE} s"}
    return row | {
        "edges": f"{told['edges']:,}",
        "matched": f"{told['matched']:,}",
        "objective": f"{told['total']:.6f}",
        "largest regret": f"{told['regret']:.6f}" if told["regret"] == told["regret"] else "",
        "gap at most": f"{told['gap']:.3f}",
        "violations": told.get("violations", ""),
        "seconds": f"{told['seconds']:.2f}",
        "of the processor": f"{told['processor']:.2f}",
        "times the smaller": f"{told['processor'] / first['processor']:.1f}",
        "peak MB": f"{told['memory']:.0f}",
        "of which solving": f"{told['more_memory']:.0f}",
    }


def _a_round() -> dict[str, Any]:
    """Time everything a coordinator asks of one round."""
    problem = a_large_problem(500, "popular", weights=True)
    started = time.process_time()
    best = side_by_side(problem)[0].solution
    shown = time.process_time()
    pairs = range(0, len(problem.edges), 250)
    for place in pairs:
        cost_of_forcing(problem, Aim.BEST_FIT, int(problem.edges.senior[place]), int(problem.edges.junior[place]), best)
    forced = time.process_time()
    scarce = Problem(problem.seniors, problem.juniors, problem.edges, problem.capacity * (np.arange(300) % 2 == 0))
    now = solve(scarce, Aim.MOST_MATCHED)
    solved = time.process_time()
    told = left_over(scarce, now)
    explained = time.process_time()
    repaired = smallest_repair(scarce)
    done = time.process_time()
    return {
        "three aims": f"{shown - started:.2f} s",
        "cost of forcing one pair": f"{(forced - shown) / len(pairs) * 1000:.0f} ms",
        "left over when half the juniors stop": len(told),
        "why not, one person": f"{(explained - solved) / len(told) * 1000:.0f} ms",
        "smallest repair": f"{len(repaired.changes or ())} changes, {(done - explained) * 1000:.0f} ms",
    }


# Beside an independent optimum


def beside_an_optimum(asked: argparse.Namespace) -> None:
    """Count differences and violations on random instances."""
    rows = []
    for method, most_seniors, most_juniors, best in (
        ("every matching looked at", 6, 5, best_by_enumeration),
        ("HiGHS", 14, 9, best_by_milp),
    ):
        counted: Counter[str] = Counter()
        largest = 0.0
        for seed in track(range(200 if asked.quick else 5_000), method, console=NOTES, transient=True):
            problem = random_problem(np.random.default_rng([seed, most_seniors]), most_seniors, most_juniors)
            wanted = best(problem)
            counted["instances"] += 1
            counted["with locks"] += bool(problem.locked)
            counted["with weights"] += bool(problem.waiting_weight or problem.balance_weight)
            for aim in Aim:
                found = solve(problem, aim)
                pairs = pairs_of(found)
                off = max(abs(a - b) for a, b in zip(key(problem, aim, pairs), wanted[aim], strict=True))
                off = max(off, abs(found.objective - worth(problem, pairs)))
                largest = max(largest, off)
                counted["solves"] += 1
                counted["differences"] += off > SAME
                counted["violations"] += len(violations(problem, pairs))
        names = ("instances", "with locks", "with weights", "solves", "differences", "violations")
        rows.append(
            {"optimum by": method, **{name: f"{counted[name]:,}" for name in names}, "largest": f"{largest:.0e}"}
        )
    table("Random instances beside an independent optimum, three aims each", rows)


def repairs(asked: argparse.Namespace) -> None:
    """Explain and repair groups in which not everybody can be matched; check by trying every set of changes."""
    counted: Counter[str] = Counter()
    wrong: list[str] = []
    wanted, seed = 100 if asked.quick else 1_000, 0
    with NOTES.status("infeasible instances"):
        while counted["repairable instances"] < wanted:
            seed += 1
            _repair_one(np.random.default_rng([seed, 99]), counted, wrong)
    rows = [{"what": name, "count": f"{count:,}"} for name, count in sorted(counted.items())]
    table("Infeasible instances", [*rows, {"what": "wrong", "count": len(wrong)}])
    for each in wrong[:10]:
        print(f"    {each}")


def _repair_one(rng: np.random.Generator, counted: Counter[str], wrong: list[str]) -> None:
    problem = random_problem(rng, 5, 4)
    relaxed = random_relaxations(rng, problem, 8)
    everybody = set(range(len(problem.seniors)))
    if all_fit(problem, everybody):
        return
    for aim in Aim:
        found = solve(problem, aim)
        for each in left_over(problem, found, relaxed):
            counted["people left over, explained and checked"] += 1
            change = each.change.kind if each.change else "needs no change, only another aim"
            counted[f"- {'no single change' if each.nothing else change}"] += 1
            if untrue := wrong_about(problem, pairs_of(found), each, relaxed, ORDER):
                wrong.append(untrue)
    told = smallest_repair(problem, relaxed)
    everything = tuple(every_change(problem, relaxed))
    if told.changes is None:
        counted["instances said to be beyond repair"] += 1
        if all_fit(changed(problem, everything, relaxed), everybody):
            wrong.append(f"not beyond repair: {told}")
        return
    counted["repairable instances"] += 1
    counted[f"repaired with {len(told.changes)} changes"] += 1
    counted["repairs of more changes than counting proves"] += len(told.changes) > told.at_least
    if not all_fit(apply(problem, *told.changes), everybody):
        wrong.append(f"not repaired: {told}")
    if fewest_changes(problem, relaxed, len(told.changes)) != len(told.changes):
        wrong.append(f"not the fewest: {told}")


if __name__ == "__main__":
    main()
