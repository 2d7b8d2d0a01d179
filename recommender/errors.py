"""Everything that can be refused, one class per kind of refusal.

Each error carries a key of the wording catalogue and the values to fill in, so that the page and the command line can
say it in the reader's language. ``str(error)`` is the English sentence.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

from recommender.wording import Language, say


class TelemachosError(Exception):
    """Base of all errors a person may see. Never raised itself.

    Parameters
    ----------
    key : str
        Key in ``wording.toml`` under ``error``.
    **values
        What the sentence names: the value that was wrong, the limit, the next step.
    """

    def __init__(self, key: str, **values: object) -> None:
        self.key, self.values = key, values
        super().__init__(key, values)

    def __str__(self) -> str:
        return self.sentence("en")

    def sentence(self, language: Language) -> str:
        """Say what was wrong, the value, and what to do next."""
        return say(f"error.{self.key}", language, **self.values)


class InputRefused(TelemachosError):
    """A text, file or form value that can't be used as it is."""


class UnknownPerson(InputRefused):
    """An id that is in no profile."""


class SettingRefused(TelemachosError):
    """A setting with a name or value that doesn't exist."""


class StoreUnavailable(TelemachosError):
    """The database can't be opened or written: locked by another process, missing folder, no rights, full disk."""


class EncoderUnavailable(TelemachosError):
    """The chosen encoder can't be loaded here."""


class ModelRefused(TelemachosError):
    """A ranker file that is missing, damaged, or made with other versions."""


class Forbidden(TelemachosError):
    """An action that the person's role or the rules don't allow."""


class Conflict(TelemachosError):
    """Somebody else decided first, or the last place is gone."""


class Breach(Protocol):
    """A pair that breaks a rule."""

    @property
    def rule(self) -> str:
        """Key in the catalogue under ``rule``."""

    @property
    def senior_id(self) -> str:
        """Who would learn."""

    @property
    def junior_id(self) -> str:
        """Who would explain."""


class Named(Protocol):
    """Somebody with a name."""

    @property
    def name(self) -> str:
        """The name."""


class RuleBroken(TelemachosError):
    """Two people whom a hard rule keeps apart.

    Parameters
    ----------
    rule : str
        Key in the catalogue under ``rule``.
    senior, junior : str
        Their names.
    others : int
        How many more pairs break a rule.
    """

    def __init__(self, rule: str, senior: str, junior: str, others: int = 0) -> None:
        self.rule = rule
        super().__init__("rule_broken_more" if others else "rule_broken", senior=senior, junior=junior, others=others)

    def sentence(self, language: Language) -> str:
        """Say who, which rule, and what to do next."""
        return say(f"error.{self.key}", language, **self.values, rule=say(f"rule.{self.rule}", language))

    @classmethod
    def by(cls, found: Sequence[Breach], seniors: Mapping[str, Named], juniors: Mapping[str, Named]) -> "RuleBroken":
        """Return the error about the first of some breaches, with names where the ids are known."""
        first = found[0]
        senior, junior = seniors.get(first.senior_id), juniors.get(first.junior_id)
        return cls(
            first.rule,
            senior.name if senior else first.senior_id,
            junior.name if junior else first.junior_id,
            len(found) - 1,
        )
