"""Small settings of an organisation that live with its data."""

import secrets

from recommender.store.database import Database


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
