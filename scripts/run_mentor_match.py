"""Let PyPI `mentor-match` match people; run by `match_figures.py` with a Python that has it.

    python scripts/run_mentor_match.py < people.json > result.json

Reads ``{"juniors": [...], "seniors": [...], "fit": [[...]], "forbidden": [[junior, senior], ...], "ruled": bool}``,
people with the package's own fields, fit as a row for each junior or empty. Writes its scores, its pairs and the
seconds it took to match, without scoring. Imports nothing of Telemachos.
"""

import json
import operator
import sys
import time
from importlib.metadata import version
from typing import Any

from matching.match import Match
from matching.mentee import Mentee
from matching.mentor import Mentor
from matching.process import generate_match_matrix, match_and_assign_participants
from matching.rules.rule import Disqualify, Equivalent, Grade, Rule, RuleProtocol


class Fit(Rule):
    """Adds how well two people's texts fit, which was worked out before."""

    def __init__(self, fit: dict[tuple[str, str], int]) -> None:
        super().__init__()
        self.fit = fit

    def apply(self, match: Match) -> int:
        """Return the points of a pair."""
        return self.fit[match.mentor.email, match.mentee.email]


def main() -> None:
    """Score and match once, as the package's `process_data` does for one list of rules."""
    given = json.load(sys.stdin)
    mentors = [Mentor(**person) for person in given["juniors"]]
    mentees = [Mentee(**person) for person in given["seniors"]]
    scoring: list[RuleProtocol] = [
        Equivalent("role", {True: 6, False: 0}),
        Equivalent("organisation", {True: 4, False: 0}),
        Equivalent("profession", {True: 0, False: 3}),
        Grade(-3, operator.lt, {True: 2, False: 0}),
    ]
    forbidden = {
        (given["juniors"][junior]["email"], given["seniors"][senior]["email"]) for junior, senior in given["forbidden"]
    }
    rules = list(scoring)
    if given["fit"]:
        points = {
            (junior["email"], senior["email"]): given["fit"][row][column]
            for row, junior in enumerate(given["juniors"])
            for column, senior in enumerate(given["seniors"])
        }
        rules.append(Fit(points))
    if given["ruled"]:
        rules.append(Disqualify(lambda match: (match.mentor.email, match.mentee.email) in forbidden))
    matrix = generate_match_matrix(mentors, mentees, rules)
    scores = [[match.score for match in row] for row in matrix]
    started, worked = time.perf_counter(), time.process_time()
    match_and_assign_participants(matrix)
    seconds, processor = time.perf_counter() - started, time.process_time() - worked
    place: dict[Any, int] = {mentee.email: nth for nth, mentee in enumerate(mentees)}
    pairs = [(nth, place[mentee.email]) for nth, mentor in enumerate(mentors) for mentee in mentor.mentees]
    told = {"scores": scores, "pairs": pairs, "seconds": seconds, "processor": processor}
    json.dump(told | {"with": f"mentor-match {version('mentor-match')}, munkres {version('munkres')}"}, sys.stdout)


if __name__ == "__main__":
    main()
