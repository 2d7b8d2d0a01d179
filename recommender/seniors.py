"""Seniors who ask vaguely and answer questions, to see whether asking helps them to the right junior sooner.

What a senior needs is a query of a benchmark, and who can help is what others judged. The senior types half of it. One
of those who can help is the one they have in mind: all answers come from that junior's own facts, never from vectors or
chances of the product. What this shows and what it can't is in docs/questions.md.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from recommender.dialogue.brief import Brief, Wish, WishKind
from recommender.dialogue.state import MAX_QUESTIONS, Question
from recommender.domain import Junior, Remote
from recommender.features import Circumstances, fit_features, text_features
from recommender.index import Likeness, ProfileIndex
from recommender.lexical import CharacterIndex
from recommender.population import Population
from recommender.questions import (
    ANYTHING,
    FACETS,
    IN_PLAY,
    OFFERS,
    SHOWN,
    InPlay,
    best_question,
    candidates,
    chances,
    information,
)
from recommender.ranker import AdditiveRanker
from recommender.wish_fit import Words, added, blocking, permitted
from recommender.wording import Language, say

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
Places = NDArray[np.int64]
Vectors = NDArray[np.float32]

LEVELS = {"beginner": 1.5, "some": 3.0, "good": 5.0}
"""Level of who gives each answer about it, as the product takes it."""


@dataclass(frozen=True)
class Conduct:
    """How seniors behave. All numbers were set before any figure was seen.

    Parameters
    ----------
    kept : float
        Share of the words with content that the first request keeps; at least one stays.
    mistyped : float
        Chance of a typing error in each word of it.
    slips : float
        Chance that an answer is picked at random: people misread.
    leaves : float
        Chance of giving up after each turn without the right card.
    puzzled : float
        What is added to it by a question that the senior has no answer to.
    alike : float
        Cosine of character n-grams below which two texts have nothing in common.
    nearest, furthest : float
        Levels that the junior in mind is ahead of the senior, drawn evenly in between.
    turns : int
        Turns after which nobody goes on.
    """

    kept: float = 0.5
    mistyped: float = 0.1
    slips: float = 0.1
    leaves: float = 0.08
    puzzled: float = 0.04
    alike: float = 0.05
    nearest: float = 1.0
    furthest: float = 4.0
    turns: int = 6


@dataclass(frozen=True)
class Need:
    """What a senior wants, and what they typed of it. The product sees `request` and what is read in it, no more.

    `texts` are the text features of all juniors, shape ``(n_juniors, 3)``; `likeness` is of each statement. `target` is
    the place of the junior in mind, `helpful` holds where those who can help are, `luck` what chance holds ready.
    """

    id: str
    full: str
    request: str
    language: Language
    texts: Floats
    likeness: Vectors
    competences: Floats | None
    level: float | None
    target: int
    helpful: Bools
    luck: "Luck"


@dataclass(frozen=True)
class Luck:
    """Chance, drawn before the conversation: the same for all who ask, whatever they ask and when.

    `leaves` has a number in [0, 1) for each turn; `slips`, `picks` and `fits` have one for each facet.
    """

    leaves: Floats
    slips: dict[str, float]
    picks: dict[str, float]
    fits: dict[str, float]

    @classmethod
    def of(cls, rng: np.random.Generator, turns: int) -> "Luck":
        """Draw it."""
        leaves = rng.random(turns)
        return cls(leaves, *(dict(zip(FACETS, rng.random(len(FACETS)).tolist(), strict=True)) for _ in range(3)))


class Company:
    """The juniors as the product sees them, and as those see them who know them.

    Parameters
    ----------
    juniors : sequence of Junior
        In the order of the index.
    index : ProfileIndex
        Of their profiles.
    wishes : ndarray of shape (n_juniors, dim)
        Vectors of what they want in return; zeros where none is said.
    ranker : AdditiveRanker
        In use.
    vectors : mapping of str to ndarray
        Of all texts that may be an option or an offer.
    competences : ndarray of shape (n_juniors, n_competences), optional
        What their profiles are about.
    """

    def __init__(
        self,
        juniors: Sequence[Junior],
        index: ProfileIndex,
        wishes: Vectors,
        ranker: AdditiveRanker,
        vectors: Mapping[str, Vectors],
        competences: Floats | None = None,
    ) -> None:
        # Styles stay unread: there is nothing but the product's own reader from which a senior could answer.
        self.population = Population.of(juniors, competences, wishes)
        self.index, self.ranker, self.vectors = index, ranker, vectors
        self.wording = CharacterIndex([each.text for each in juniors])
        self.manners = CharacterIndex([*(each.wants for each in juniors), *_offers("nl"), *_offers("en")])

    def read(self, text: str, vector: Vectors) -> tuple[Floats, Vectors]:
        """Return the text features of all juniors for a request, and the likeness of each statement."""
        found: Likeness = self.index.compare(text, vector)
        return text_features(found), found.statements

    def rank(self, need: Need, brief: Brief, aside: Bools) -> tuple[Places, Floats]:
        """Return the places of all who are permitted and not put aside, best first, and their scores."""
        places = np.flatnonzero(permitted(self.population, brief.wishes))
        level = need.level if brief.level is None else brief.level
        offers = self.vectors[brief.gives_back] if brief.gives_back else None
        asked = Circumstances(None, need.language, {}, need.competences, level, offers)
        features = np.hstack([need.texts[places], fit_features(self.population, asked, places)])
        words = Words({each: self.vectors[each] for each in Words.needed(brief.wishes)})
        moved = added(self.population, self.index, brief.wishes, words, {}, places)
        scores = self.ranker.score(features) + sum(moved.values(), np.zeros(len(places)))
        order = np.lexsort((places, -scores))
        order = order[~aside[places[order]]]
        return places[order], scores[order]

    def exchange(self, places: Places, language: Language) -> Floats | None:
        """Return how near what some juniors would like is to each thing that seniors give back."""
        wishes = self.population.wishes[places]
        if not wishes.size or not wishes.any():
            return None
        found: Floats = (wishes @ np.stack([self.vectors[each] for each in _offers(language)]).T).astype(np.float64)
        return found


@dataclass(frozen=True)
class Situation:
    """What a policy may look at when it chooses a question."""

    play: InPlay
    brief: Brief
    asked: tuple[str, ...]
    exchange: Floats | None
    language: Language
    rng: np.random.Generator


Policy = Callable[[Situation], Question | None]


@dataclass(frozen=True)
class Conversation:
    """How it went. A turn is None where it never came, and then the conversation was abandoned.

    Parameters
    ----------
    helped, met : int or None
        Turn, from 1, with somebody who can help among the cards, and with the very junior in mind.
    questions : tuple of str
        Ids, one for each turn after which one was asked; "" where none was.
    answered : tuple of bool
        Whether each of them had an answer.
    """

    helped: int | None
    met: int | None
    questions: tuple[str, ...]
    answered: tuple[bool, ...]

    def asked(self, until: int | None) -> int:
        """Return how many questions were asked before a turn; all of them for None."""
        return sum(bool(each) for each in self._before(until))

    def unanswered(self, until: int | None) -> int:
        """Return how many of those had no answer."""
        pairs = zip(self._before(until), self.answered, strict=False)
        return sum(bool(question) and not answered for question, answered in pairs)

    def _before(self, until: int | None) -> tuple[str, ...]:
        return self.questions[: None if until is None else until - 1]


def converse(
    company: Company,
    need: Need,
    policy: Policy,
    conduct: Conduct,
    rng: np.random.Generator | None = None,
    *,
    with_shown: bool = False,
) -> Conversation:
    """Let a senior look at cards and answer questions until the junior in mind is there, or they give up.

    Cards that were not right are put aside, whatever the policy, so that each turn shows new people. Somebody who can
    help and has what the senior said is right; who is only looking for that stops there, which `Conversation.helped`
    tells, and everything up to there is the same.

    Parameters
    ----------
    company : Company
        Who could be suggested.
    need : Need
        What is wanted.
    policy : callable
        Chooses the question.
    conduct : Conduct
        Of the senior.
    rng : numpy.random.Generator, optional
        For policies that draw.
    with_shown : bool
        Whether a question is also about those on screen; the product leaves them out.
    """
    rng = rng or np.random.default_rng(0)
    brief, aside = Brief(goals=(need.request,)), np.zeros(len(company.population), dtype=bool)
    asked: tuple[str, ...] = ()
    questions: list[str] = []
    answered: list[bool] = []
    helped: int | None = None
    ranked: tuple[Brief, Places, Floats] | None = None
    for turn in range(1, conduct.turns + 1):
        brief = _unblocked(company, brief, aside)
        if ranked is None or ranked[0] != brief:
            ranked = (brief, *company.rank(need, brief, aside))
        left = ~aside[ranked[1]]
        places, scores = ranked[1][left], ranked[2][left]
        cards = places[:SHOWN]
        if helped is None and need.helpful[cards].any():
            helped = turn
        if need.target in cards:
            return Conversation(helped, turn, tuple(questions), tuple(answered))
        aside[cards] = True
        beyond = 0 if with_shown else SHOWN
        best = slice(beyond, beyond + IN_PLAY)
        play = InPlay(
            company.population,
            company.index,
            places[best],
            scores[best],
            need.likeness,
            weight=1 - float(chances(scores)[:beyond].sum()),
        )
        question = None
        if len(asked) < MAX_QUESTIONS and len(play.places) > SHOWN and turn < conduct.turns:
            exchange = company.exchange(play.places, need.language)
            question = policy(Situation(play, brief, asked, exchange, need.language, rng))
        questions.append(question.id if question else "")
        answered.append(False)
        impatience = conduct.leaves
        if question is not None:
            asked = (*asked, question.id)
            option = answer(company, need, question, conduct)
            if option == ANYTHING:
                impatience += conduct.puzzled
            else:
                answered[-1] = True
                brief = with_answer(brief, question, option, need.language)
        if need.luck.leaves[turn - 1] < impatience:
            break
    return Conversation(helped, None, tuple(questions), tuple(answered))


def answer(company: Company, need: Need, question: Question, conduct: Conduct) -> str:
    """Return the option that a senior picks, from the facts of the junior in mind; `ANYTHING` where none fits."""
    luck, options, facet = need.luck, question.options, question.facet
    if luck.slips[facet] < conduct.slips:
        return options[int(luck.picks[facet] * len(options))]
    junior = company.population.juniors[need.target]
    fits: tuple[str, ...] = ()
    match facet:
        case "theme":
            known = f"{junior.text}\n{need.full}"
            return _most_alike(company.wording, known, options, options, conduct.alike)
        case "exchange":
            texts = [say(f"offer.{each}", need.language) for each in options]
            return _most_alike(company.manners, junior.wants, options, texts, conduct.alike)
        case "level":
            if junior.level is None:
                return ANYTHING
            ahead = conduct.nearest + luck.fits[facet] * (conduct.furthest - conduct.nearest)
            return min(options, key=lambda each: abs(LEVELS[each] - (junior.level or 0) + ahead))
        case "meet":
            fits = {Remote.ONLINE: ("online",), Remote.ON_SITE: ("on_site",), Remote.BOTH: options}[junior.remote]
        case "place":
            fits = (junior.site,) if junior.remote is not Remote.ONLINE else ()
        case "day":
            fits = junior.days
        case "language":
            fits = junior.languages
    fits = tuple(each for each in options if each in fits)
    return fits[int(luck.fits[facet] * len(fits))] if fits else ANYTHING


def with_answer(brief: Brief, question: Question, option: str, language: Language) -> Brief:
    """Return the brief with an answer in it, as the product does."""
    match question.facet:
        case "theme":
            others = tuple(each for each in question.options if each != option)
            return brief.wishing(Wish(WishKind.THEME, option, among=others))
        case "level":
            return replace(brief, level=LEVELS[option])
        case "exchange":
            return replace(brief, gives_back=say(f"offer.{option}", language))
        case "meet":
            return brief.wishing(Wish(WishKind(option)))
        case facet:
            return brief.wishing(Wish(WishKind(facet), option))


# Policies


def expected_gain_policy(now: Situation) -> Question | None:
    """Ask as the product does."""
    return best_question(now.play, now.brief, None, now.asked, 1, now.exchange)


def no_question(now: Situation) -> Question | None:
    """Show the next ones."""
    return None


def random_question(now: Situation) -> Question | None:
    """Ask any question that isn't answered yet."""
    possible = [
        each.question
        for each in candidates(now.play, now.brief, None, 1, now.exchange)
        if each.question.id not in now.asked
    ]
    return possible[int(now.rng.integers(len(possible)))] if possible else None


def information_gain(now: Situation) -> Question | None:
    """Ask what tells most about who it is, whether or not that changes who is shown."""
    possible = [
        each for each in candidates(now.play, now.brief, None, 1, now.exchange) if each.question.id not in now.asked
    ]
    if not possible:
        return None
    return max(possible, key=lambda each: information(now.play.chances, each.likelihood)).question


def fixed_form(areas: Mapping[Language, tuple[str, ...]], facets: Sequence[str] = ("theme", "level", "meet")) -> Policy:
    """Return a policy that asks everybody the same: an area of digital competence, the level, and how to meet."""

    def ask(now: Situation) -> Question | None:
        options = {"theme": areas[now.language], "level": tuple(LEVELS), "meet": ("online", "on_site")}
        left = [each for each in facets if each not in now.asked]
        return Question(left[0], left[0], options[left[0]]) if left else None

    return ask


# First requests

_FUNCTION_WORDS = """
de
het
een
en
of
in
op
van
voor
met
bij
aan
te
om
tot
door
over
uit
naar
is
zijn
was
ben
heb
heeft
hebben
kan
kunnen
wil
ik
je
jij
u
we
wij
ze
zij
hij
mij
me
mijn
uw
onze
ons
die
dat
deze
dit
er
als
dan
maar
ook
niet
geen
hoe
wat
wie
waar
welke
wanneer
waarom
al
nog
wel
zo
steeds
iets
iemand
moet
moeten
zonder
the
a
an
and
or
in
on
of
for
with
by
at
to
from
is
are
was
be
been
do
does
did
can
could
should
would
will
i
you
we
they
he
she
it
my
your
our
their
this
that
these
those
there
as
than
but
not
no
how
what
who
where
which
when
why
any
some
have
has
had
if
so
its
it's
using
via
m.b.v
"""
FUNCTION_WORDS = frozenset(_FUNCTION_WORDS.split())
"""Words without content of their own, Dutch and English."""


def blurred(text: str, rng: np.random.Generator, conduct: Conduct) -> str:
    """Return what a senior types of what they want: a part of the words with content, some of them mistyped.

    Examples
    --------
    >>> blurred("Radiocommunicatie", np.random.default_rng(0), Conduct(mistyped=0))
    'Radiocommunicatie'
    """
    words = [each.strip(".,;:?!()[]\"'") for each in text.split()]
    content = [each for each in words if each and each.lower() not in FUNCTION_WORDS] or [text]
    number = max(1, int(conduct.kept * len(content)))
    kept = np.sort(rng.permutation(len(content))[:number])
    return " ".join(_mistyped(content[each], rng, conduct.mistyped) for each in kept)


def _mistyped(word: str, rng: np.random.Generator, chance: float) -> str:
    """Return a word, perhaps with a letter left out, doubled or swapped with the next."""
    wrong, kind, where = rng.random(3)
    if wrong >= chance or len(word) < 4:
        return word
    place = 1 + int(where * (len(word) - 2))
    before, letter, after = word[:place], word[place], word[place + 1 :]
    return before + ("", letter * 2, after[:1] + letter)[int(kind * 3)] + (after[1:] if int(kind * 3) == 2 else after)


def _most_alike(index: CharacterIndex, known: str, options: Sequence[str], texts: Sequence[str], least: float) -> str:
    likeness = index.between(known, list(texts))
    best = int(np.argmax(likeness))
    return options[best] if likeness[best] >= least else ANYTHING


def _unblocked(company: Company, brief: Brief, aside: Bools) -> Brief:
    """Return the brief without the wishes that leave nobody: the product offers to drop them, and seniors agree."""
    if (permitted(company.population, brief.wishes) & ~aside).any():
        return brief
    return brief.without(*blocking(company.population, ~aside, brief.wishes))


def _offers(language: Language) -> list[str]:
    return [say(f"offer.{each}", language) for each in OFFERS]
