"""What a request says: for now the language of its words. The words themselves are what is searched with."""

from functools import cache

from py3langid.langid import MODEL_FILE, LanguageIdentifier

from recommender.domain import Understood
from recommender.wording import LANGUAGES, Language

SURE = 0.8
"""Chance above which the detected language counts; below it ("Excel", "TikTok") the page's language does."""


@cache
def _identifier() -> LanguageIdentifier:
    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.set_languages(list(LANGUAGES))
    return identifier


def understand(text: str, page_language: Language = "nl") -> Understood:
    """Read a request that has been cleaned.

    Examples
    --------
    >>> understand("Ik wil met AI mijn mails sneller schrijven", "en").language
    'nl'
    >>> understand("Excel", "en").language
    'en'
    """
    language, chance = _identifier().classify(text)
    return Understood(goal=text, language=language if chance >= SURE else page_language)
