"""What a request says: its language, the digital competences it is about, and a level where the words give one.

The words themselves are what is searched with; the rest helps to rank, and is shown back.
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray
from py3langid.langid import MODEL_FILE, LanguageIdentifier

from recommender.competences import CompetenceReader
from recommender.domain import Understood
from recommender.wording import LANGUAGES, Language

SURE = 0.8
"""Chance above which the detected language counts; below it ("Excel", "TikTok") the page's language does."""


@cache
def _identifier() -> LanguageIdentifier:
    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.set_languages(list(LANGUAGES))
    return identifier


def understand(
    text: str, page_language: Language, vector: NDArray[np.float32], reader: CompetenceReader | None
) -> Understood:
    """Read a request that has been cleaned; `vector`, of shape ``(dim,)``, is its embedding.

    Without a reader, competences and level stay unknown.
    """
    if reader is None:
        return Understood(text, language_of(text, page_language))
    (reading,) = reader.read(vector[None])
    found = tuple((each.code, each.confidence) for each in reading.found)
    return Understood(text, language_of(text, page_language), found, reading.level)


def language_of(text: str, page_language: Language) -> Language:
    """Return the language of a text, or the page's where the text is too short to tell.

    Examples
    --------
    >>> language_of("Ik wil met AI mijn mails sneller schrijven", "en")
    'nl'
    >>> language_of("Excel", "en")
    'en'
    """
    language, chance = _identifier().classify(text)
    found: Language = language if chance >= SURE else page_language
    return found
