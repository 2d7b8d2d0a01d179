"""The vocabularies of digital competence, as data with version and source: DigComp 2.2, and digital skills of ESCO.

Sources, licences and limits: ``data/frameworks/README.md``.
"""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from recommender.settings import ROOT
from recommender.wording import Language

DIGCOMP = ROOT / "data" / "frameworks" / "digcomp-2.2.json"
ESCO = ROOT / "data" / "frameworks" / "esco-digital-skills.jsonl"


@dataclass(frozen=True)
class Competence:
    """One of the 21 competences. `short` is for a label, `plain` is one sentence anybody understands."""

    code: str
    name: dict[Language, str]
    short: dict[Language, str]
    plain: dict[Language, str]


@dataclass(frozen=True)
class Area:
    """One of the five areas, with its English name in DigComp 3.0."""

    code: str
    name: dict[Language, str]
    name_in_3: str
    competences: tuple[Competence, ...]


@dataclass(frozen=True)
class Level:
    """One of the eight levels; `number` is 1 to 8."""

    number: int
    band: str
    plain: dict[Language, str]


@dataclass(frozen=True)
class Framework:
    """Areas, competences and levels of one version."""

    version: str
    source: str
    areas: tuple[Area, ...]
    levels: tuple[Level, ...]

    @property
    def competences(self) -> tuple[Competence, ...]:
        """All competences in order of their codes."""
        return tuple(each for area in self.areas for each in area.competences)

    @property
    def codes(self) -> tuple[str, ...]:
        """The codes, ``1.1`` to ``5.4``: the order of the columns of `CompetenceReader.chances`."""
        return tuple(each.code for each in self.competences)

    def competence(self, code: str) -> Competence:
        """Return the competence with a code.

        Raises
        ------
        KeyError
            If there is none.
        """
        return {each.code: each for each in self.competences}[code]


@dataclass(frozen=True)
class Skill:
    """A digital skill of ESCO, with the competences it belongs to. `nl` is empty where no Dutch name is known."""

    id: str
    en: str
    nl: str
    codes: tuple[str, ...]

    def name(self, language: Language) -> str:
        """Return its name, in English where there is no Dutch one."""
        return self.nl if language == "nl" and self.nl else self.en

    @property
    def text(self) -> str:
        """What is embedded: both names, so that either language is near."""
        return f"{self.en}; {self.nl}" if self.nl else self.en


@cache
def framework(path: Path = DIGCOMP) -> Framework:
    """Return DigComp as it is kept in ``data/frameworks``."""
    told = json.loads(path.read_text(encoding="utf-8"))
    areas = tuple(
        Area(
            area["code"],
            {"nl": area["nl"], "en": area["en"]},
            area["digcomp_3_0_en"],
            tuple(_competence(row) for row in told["competences"] if row["code"].split(".")[0] == area["code"]),
        )
        for area in told["areas"]
    )
    levels = tuple(Level(row["level"], row["band"], {"nl": row["nl"], "en": row["en"]}) for row in told["levels"])
    return Framework(told["version"], told["source"], areas, levels)


@cache
def digital_skills(path: Path = ESCO) -> tuple[Skill, ...]:
    """Return the digital skills of ESCO that are kept in ``data/frameworks``."""
    if not path.exists():  # scripts/make_esco_digital.py makes it with a reader, which must be fitted first
        return ()
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return tuple(Skill(row["id"], row["en"], row["nl"], tuple(row["codes"])) for row in rows)


def _competence(row: dict[str, str]) -> Competence:
    names: list[dict[Language, str]] = [
        {"nl": row[f"{kind}nl"], "en": row[f"{kind}en"]} for kind in ("", "short_", "plain_")
    ]
    return Competence(row["code"], *names)
