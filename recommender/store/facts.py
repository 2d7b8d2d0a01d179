"""Small settings of an organisation that live with its data."""

import json
import secrets
from dataclasses import asdict
from datetime import date

from recommender.programme import Programme
from recommender.store.database import Database
from recommender.store.steps import Step


class Facts:
    """One value for each name."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def exploration(self) -> bool:
        """Tell whether slates may be shuffled a little; on until somebody switches it off."""
        return self._value("exploration") != "off"

    def set_exploration(self, on: bool) -> None:
        """Switch exploration on or off for requests from now on."""
        with self._database.writing() as cursor:
            cursor.execute(
                "INSERT OR REPLACE INTO facts (name, value) VALUES ('exploration', ?)", ["on" if on else "off"]
            )

    def programme(self) -> Programme:
        """Return how the programme runs; the defaults until a coordinator has set it up."""
        kept = json.loads(self._value("programme") or "{}")
        start = kept.pop("start", None)
        kept |= {"start": date.fromisoformat(start) if start else None}
        for name, kind in (("check_in_weeks", tuple), ("rules_off", frozenset)):
            if name in kept:
                kept[name] = kind(kept[name])
        return Programme(**kept)

    def set_programme(self, step: Step, programme: Programme) -> None:
        """Keep how the programme runs from now on."""
        told = asdict(programme) | {
            "start": programme.start.isoformat() if programme.start else None,
            "check_in_weeks": list(programme.check_in_weeks),
            "rules_off": sorted(programme.rules_off),
        }
        value = json.dumps(told, ensure_ascii=False)
        if step.found("facts", name="programme"):
            step.update("facts", {"name": "programme"}, {"value": value})
        else:
            step.insert("facts", [{"name": "programme", "value": value}])

    def snapshot_key(self) -> bytes:
        """Return the secret behind the pseudonyms, 32 random bytes; made once and never written into a snapshot."""
        with self._database.writing() as cursor:
            cursor.execute(
                "INSERT OR IGNORE INTO facts (name, value) VALUES ('snapshot_key', ?)", [secrets.token_hex(32)]
            )
        return bytes.fromhex(self._value("snapshot_key"))

    def _value(self, name: str) -> str:
        rows = self._database.rows("SELECT value FROM facts WHERE name = ?", name)
        return str(rows[0][0]) if rows else ""
