"""Rounds from gathering to publication, over a real store and a real solver."""

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from recommender.bootstrap import load_parts
from recommender.domain import JuniorId, Remote, SeniorId, Side
from recommender.errors import Conflict, InputRefused, RuleBroken, TelemachosError
from recommender.matching import Aim, Kind, Reason
from recommender.recommending import Recommender
from recommender.rounds import Draft
from recommender.service import Service
from recommender.settings import ROOT, Settings
from recommender.store import Store
from recommender.store.rounds import Options
from recommender.store.steps import KEYS
from tests.builders import a_junior, a_senior

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)
SUBJECTS = ("Excel en draaitabellen", "filmpjes op Instagram", "vergaderen met Teams", "veilige wachtwoorden")


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> object:
    """Give what ranks: quick vectors, the shipped ranker."""
    return load_parts(Settings(home=tmp_path_factory.mktemp("home"), encoder="hashing", models=ROOT / "models"))


@pytest.fixture
def service(parts: object) -> Iterator[Service]:
    """Give eight who want to learn and eight who explain, two a subject; each junior has one place."""
    store = Store(None)
    made = Service(store, Recommender(store, parts.encoder, parts.ranker), clock=lambda: NOW)
    juniors = [
        a_junior(
            id=JuniorId(f"j{n}"),
            name=f"Junior {n}",
            text=f"Ik leg {SUBJECTS[n % 4]} graag uit.",
            email=f"j{n}@example.com",
        )
        for n in range(8)
    ]
    seniors = [
        a_senior(
            id=SeniorId(f"s{n}"), name=f"Senior {n}", text=f"Ik wil {SUBJECTS[n % 4]} leren.", email=f"s{n}@example.com"
        )
        for n in range(8)
    ]
    made.put_people([*juniors, *seniors])
    yield made
    store.close()


def everything(store: Store) -> dict[str, list[str]]:
    """Return every row that steps may change, but for the version of rounds, which only grows."""
    columns = {table: "* EXCLUDE (version)" if table == "rounds" else "*" for table in KEYS}
    return {
        table: sorted(map(str, store._database.rows(f"SELECT {wanted} FROM {table}")))  # noqa: S608
        for table, wanted in columns.items()
    }


def gathered(service: Service, **options: object) -> Draft:
    """Return a fresh draft."""
    return service.rounds.gather("Voorjaar", "co", Options(**options) if options else None)


def partners(draft: Draft) -> dict[str, str]:
    """Return who has whom."""
    return {each.senior_id: each.junior_id for each in draft.pairs}


def test_everybody_who_waits_is_matched_on_their_subject(service: Service) -> None:
    """Eight pairs, each about what was asked, no rule broken, and nobody was told."""
    draft = gathered(service)
    assert len(draft.pairs) == 8
    assert not draft.left_over
    assert not draft.violations
    assert all(int(senior[1]) % 4 == int(junior[1]) % 4 for senior, junior in partners(draft).items())
    assert service.post.overview().counts.get("waiting", 0) == 0
    assert not service.pairs.all()


def test_locked_pairs_stay_when_the_rest_runs_again(service: Service) -> None:
    """A pair made by hand is locked; running again leaves it and moves the others."""
    draft = gathered(service)
    mine = partners(draft)["s0"]
    other = "j4" if mine == "j0" else "j0"
    service.rounds.pair_by_hand(draft.round.id, draft.round.version, "co", "s0", "j1")
    again = service.rounds.run(draft.round.id, draft.round.version + 1, "co")
    assert partners(again)["s0"] == "j1"
    assert len(again.pairs) == 8
    assert len(set(partners(again).values())) == 8
    service.rounds.lock(again.round.id, again.round.version, "co", ["s0"], locked=False)
    back = service.rounds.run(again.round.id, again.round.version + 1, "co")
    assert partners(back)["s0"] in {mine, other}


def test_by_hand_keeps_to_the_rules(service: Service) -> None:
    """Somebody higher in rank is refused with both names and the rule, and the draft is as it was."""
    service.put_people([a_junior(id="boss", name="Baas", text="Ik leg alles uit.", rank=9, consent=True)])
    draft = gathered(service)
    with pytest.raises(RuleBroken, match="Senior 0 and Baas") as refused:
        service.rounds.pair_by_hand(draft.round.id, draft.round.version, "co", "s0", "boss")
    assert "not lower in rank" in str(refused.value)
    assert service.rounds.draft(draft.round.id) == draft


def test_two_coordinators_never_overwrite_each_other(service: Service) -> None:
    """The second, who saw an older version, is told who was first; nothing of theirs is stored."""
    draft = gathered(service)
    seen = draft.round.version
    service.rounds.unpair(draft.round.id, seen, "Piet", "s1")
    for act in (
        lambda: service.rounds.unpair(draft.round.id, seen, "co", "s2"),
        lambda: service.rounds.lock(draft.round.id, seen, "co", ["s3"]),
        lambda: service.rounds.pair_by_hand(draft.round.id, seen, "co", "s1", "j1"),
        lambda: service.rounds.run(draft.round.id, seen, "co"),
        lambda: service.rounds.publish(draft.round.id, seen, "co"),
        lambda: service.rounds.discard(draft.round.id, seen, "co"),
    ):
        with pytest.raises(Conflict, match="Piet"):
            act()
    assert len(service.rounds.draft(draft.round.id).pairs) == 7


def test_publication_takes_places_and_invites_both(service: Service) -> None:
    """Eight matches, eight invitations, sixteen letters; the round can't change any more."""
    draft = gathered(service)
    service.rounds.publish(draft.round.id, draft.round.version, "co")
    assert len(service.pairs.all()) == 8
    assert service.load() == {f"j{n}": 1 for n in range(8)}
    assert service.post.overview().counts["waiting"] == 16
    assert all(choice.decision == "approved" for choice in service.reviewing.decided())
    with pytest.raises(Conflict, match="published already"):
        service.rounds.run(draft.round.id, draft.round.version + 1, "co")


def test_undoing_a_publication_restores_everything(service: Service) -> None:
    """Letters included, to the letter; then it can be published again."""
    draft = gathered(service)
    before = everything(service.store)
    step_id = service.rounds.publish(draft.round.id, draft.round.version, "co")
    service.rounds.undo(step_id, "co")
    assert everything(service.store) == before
    service.rounds.publish(draft.round.id, draft.round.version + 2, "co")
    assert len(service.pairs.all()) == 8


def test_an_undo_never_makes_an_old_version_current(service: Service) -> None:
    """Who saw a round before somebody's undo and next step is refused, though as many steps stand."""
    draft = gathered(service)
    service.rounds.unpair(draft.round.id, draft.round.version, "Piet", SeniorId("s1"))
    seen = service.rounds.round(draft.round.id).version
    service.rounds.undo(service.rounds.history(draft.round.id)[0].id, "Piet")
    service.rounds.unpair(draft.round.id, seen + 1, "Piet", SeniorId("s2"))
    with pytest.raises(Conflict, match="Piet"):
        service.rounds.lock(draft.round.id, seen, "co", [SeniorId("s3")])
    for _ in range(2):
        standing = [each for each in service.rounds.history(draft.round.id) if not each.undone and each.kind != "undo"]
        service.rounds.undo(standing[0].id, "Piet")
    assert partners(service.rounds.draft(draft.round.id)) == {}


def test_a_publication_that_was_answered_stays(service: Service) -> None:
    """Somebody has said yes: the batch can't go back in one go, and their yes isn't lost."""
    draft = gathered(service)
    step_id = service.rounds.publish(draft.round.id, draft.round.version, "co")
    pair = service.pairs.all()[0]
    service.pairs.answer(pair.id, Side.SENIOR, True, pair.senior_id)
    before = everything(service.store)
    with pytest.raises(Conflict, match="something happened after"):
        service.rounds.undo(step_id, "co")
    assert everything(service.store) == before


@pytest.mark.parametrize(
    ("rule", "change"),
    [
        ("do_not_pair", lambda service, s, j: service.store.people.forbid_pair(j, s, "")),
        ("inactive", lambda service, s, j: service.put_people([a_junior(id=j, name="X", active=False)])),
        ("no_consent", lambda service, s, j: service.put_people([a_junior(id=j, name="X", consent=False)])),
        ("senior_inactive", lambda service, s, j: service.put_people([a_senior(id=s, name="X", active=False)])),
        ("reporting_line", lambda service, s, j: service.put_people([a_junior(id=j, name="X", manager_id=s)])),
        ("no_shared_language", lambda service, s, j: service.put_people([a_junior(id=j, name="X", languages=("tr",))])),
        ("full", lambda service, s, j: service.put_people([a_junior(id=j, name="X", capacity=0)])),
    ],
)
def test_what_changed_since_the_draft_blocks_publication(
    service: Service, rule: str, change: Callable[[Service, str, str], None]
) -> None:
    """The independent check names the pair and the rule; nothing is published, nobody told."""
    draft = gathered(service)
    pair = draft.pairs[0]
    change(service, pair.senior_id, pair.junior_id)
    found = service.rounds.draft(draft.round.id).violations
    assert [(each.rule, each.senior_id) for each in found] == [(rule, pair.senior_id)]
    with pytest.raises(RuleBroken) as refused:
        service.rounds.publish(draft.round.id, draft.round.version, "co")
    assert refused.value.rule == rule
    assert service.store.slates.counts()["matches"] == 0
    assert service.rounds.round(draft.round.id).state == "draft"


def test_known_pairs_come_first(service: Service) -> None:
    """Two who know each other are together and locked, though others fit better."""
    with service.store.steps.step("known", "co", NOW) as step:
        step.insert("known_pairs", [{"senior_id": "s0", "junior_id": "j3"}])
    pair = next(each for each in gathered(service).pairs if each.senior_id == "s0")
    assert (pair.junior_id, pair.locked, pair.source) == ("j3", True, "known")


def test_who_waits_for_a_decision_takes_no_part(service: Service) -> None:
    """A choice in the review queue is not overtaken by a round."""
    talk = service.talk.conversation("s0", "nl")
    service.talk.say(talk, "s0", "Excel leren", "nl")
    service.talk.pick(talk, "j0")
    service.talk.confirm(talk, "s0")
    draft = gathered(service)
    assert "s0" not in {each.senior_id for each in draft.takers}
    assert "j0" not in partners(draft).values()


def test_nobody_gets_two_juniors_from_two_drafts(service: Service) -> None:
    """Two drafts of the same people: once one is published, the other can't be, and a new run leaves them out."""
    first, second = gathered(service), gathered(service)
    service.rounds.publish(first.round.id, first.round.version, "co")
    assert {each.rule for each in service.rounds.draft(second.round.id).violations} >= {"senior_busy"}
    with pytest.raises(RuleBroken):
        service.rounds.publish(second.round.id, second.round.version, "co")
    assert service.rounds.run(second.round.id, second.round.version, "co").pairs == ()
    assert len(service.pairs.all()) == 8


def test_an_invitation_that_ran_out_may_come_again(service: Service) -> None:
    """After a withdrawn invitation the same two may be paired, by the solver and by hand."""
    draft = gathered(service)
    who = partners(draft)
    service.rounds.publish(draft.round.id, draft.round.version, "co")
    for pair in service.pairs.all():
        service.pairs.withdraw(pair.id, "co")
    again = gathered(service)
    assert partners(again) == who


def test_whom_a_senior_put_aside_is_not_given_to_them(service: Service) -> None:
    """A junior refused in the conversation isn't a candidate of the round."""
    talk = service.talk.conversation(SeniorId("s0"), "nl")
    state = service.talk.say(talk, SeniorId("s0"), "Excel en draaitabellen", "nl")
    first = service.slate(state.slate_id).suggestions[0].junior_id
    service.talk.refuse(talk, first, "known")
    draft = gathered(service)
    slate = next(each.slate_id for each in draft.takers if each.senior_id == "s0")
    assert first not in {each.junior_id for each in service.slate(slate).suggestions}


def test_a_changed_profile_counts_in_the_next_round(service: Service) -> None:
    """What a round asked in somebody's words is not what they asked last."""
    draft = gathered(service)
    service.rounds.discard(draft.round.id, draft.round.version, "co")
    service.put_people([a_senior(id="s0", name="Senior 0", text="Ik wil filmpjes op Instagram leren.")])
    again = gathered(service)
    slate = next(each.slate_id for each in again.takers if each.senior_id == "s0")
    assert "Instagram" in service.slate(slate).request.text


def test_an_answer_that_was_taken_back_is_not_what_is_learnt(service: Service) -> None:
    """No, undone, then yes: the log says yes."""
    draft = gathered(service)
    service.rounds.publish(draft.round.id, draft.round.version, "co")
    pair = service.pairs.all()[0]
    service.pairs.answer(pair.id, Side.SENIOR, False, pair.senior_id, "topic")
    service.store.steps.undo(service.store.steps.recent(1)[0].id, "co", NOW)
    service.pairs.answer(pair.id, Side.SENIOR, True, pair.senior_id)
    rows = service.store.outcomes.log([]).to_pylist()
    assert [each["action"] for each in rows if each["slate"] == pair.slate_id] == ["chose"]
    assert len(rows) == 8


def test_more_locks_than_places_are_told_and_not_thrown(service: Service) -> None:
    """A capacity that was lowered under a lock: no scenario, no forcing, and a run says why."""
    draft = gathered(service)
    pair = draft.pairs[0]
    service.rounds.lock(draft.round.id, draft.round.version, "co", [pair.senior_id])
    junior = service.junior(pair.junior_id)
    service.put_people([a_junior(**{**junior.__dict__, "capacity": 0})])
    assert service.round_answers.scenarios(draft.round.id) == []
    assert not service.round_answers.forcing(draft.round.id, draft.pairs[1].senior_id, pair.junior_id).possible
    with pytest.raises(InputRefused):
        service.rounds.run(draft.round.id, draft.round.version + 1, "co")


def test_left_over_hears_what_would_help(service: Service) -> None:
    """Nine for eight places: one is left over, shares with others, and one more place would do."""
    service.put_people([a_senior(id="s8", name="Senior 8", text="Ik wil Excel en draaitabellen leren.")])
    draft = gathered(service, minimum_quality=0.0)
    (left,) = service.round_answers.left_over(draft.round.id)
    assert left.senior_id == draft.left_over[0]
    assert left.reason is Reason.ALL_TAKEN
    assert len(left.seniors) == left.places + 1
    assert left.change is not None
    assert left.change.kind is Kind.ONE_MORE_PLACE
    junior = service.junior(left.change.junior_id)
    service.put_people([a_junior(**{**junior.__dict__, "capacity": 2})])
    again = service.rounds.run(draft.round.id, draft.round.version, "co")
    assert not again.left_over


def test_a_language_or_a_rule_is_what_keeps_somebody_out(service: Service) -> None:
    """Somebody who shares no language hears which would help; somebody low in rank hears of the rule."""
    service.put_people(
        [
            a_junior(id="extra", name="Extra", text="Ik leg Excel uit.", rank=1),
            a_senior(id="tr", name="Turks", text="Excel leren", languages=("tr",)),
            a_senior(id="low", name="Laag", text="Excel leren", rank=1),
        ]
    )
    draft = gathered(service, minimum_quality=0.0)
    found = {each.senior_id: each for each in service.round_answers.left_over(draft.round.id)}
    assert found["tr"].reason is Reason.NO_CANDIDATES
    assert (found["tr"].change.kind, found["tr"].change.value) == (Kind.ADD_LANGUAGE, "en")
    assert (found["low"].change.kind, found["low"].change.value) == (Kind.SWITCH_RULE, "not_lower_in_rank")


def test_a_wish_is_what_keeps_somebody_out(service: Service) -> None:
    """Somebody who wants a place where nobody works hears that dropping it would help."""
    service.put_people([a_junior(id="extra", name="Extra", text="Ik leg Excel uit.", remote=Remote.ON_SITE)])
    draft = gathered(service, minimum_quality=0.0)
    service.rounds.discard(draft.round.id, draft.round.version, "co")
    talk = service.talk.conversation("s0", "nl")
    service.talk.say(talk, "s0", "Excel leren", "nl")
    from recommender.dialogue.brief import Wish, WishKind

    wish = Wish(WishKind.PLACE, "Gent")
    service.put_people([a_junior(id="far", name="Ver", text="Breien", site="Gent", active=False)])
    asked = service.rounds.brief_of(service.senior("s0"), "")
    service.rounds._told = lambda senior, words: (  # type: ignore[method-assign]  # a brief as a talk would leave it
        (asked.wishing(wish) if senior.id == "s0" else type(asked)((senior.text,))),
        frozenset(),
    )
    draft = gathered(service, minimum_quality=0.0)
    (left,) = service.round_answers.left_over(draft.round.id)
    assert (left.senior_id, left.reason) == ("s0", Reason.NO_CANDIDATES)
    assert (left.change.kind, left.change.wish) == (Kind.DROP_WISH, wish)


def test_scenarios_stand_side_by_side(service: Service) -> None:
    """The three aims, each with who moves; the one in use moves nobody."""
    draft = gathered(service, aim=Aim.MOST_MATCHED)
    found = {each.aim: each for each in service.round_answers.scenarios(draft.round.id)}
    assert set(found) == set(Aim)
    assert found[Aim.MOST_MATCHED].numbers.matched == 8
    assert found[Aim.MOST_MATCHED].differs == ()


def test_forcing_says_who_pays(service: Service) -> None:
    """To give one senior another's junior, that other moves, and both lose something."""
    draft = gathered(service)
    who = partners(draft)
    found = service.round_answers.forcing(draft.round.id, "s0", JuniorId(who["s1"]))
    assert found.possible
    assert found.lost > 0
    assert "s1" in {each.senior_id for each in found.moved}
    assert service.rounds.draft(draft.round.id) == draft


def test_why_shows_the_card_and_the_others(service: Service) -> None:
    """The suggestion as it was made, and other candidates with who holds them."""
    draft = gathered(service)
    pair = draft.pairs[0]
    why = service.round_answers.why(draft.round.id, pair.senior_id)
    assert why.suggestion.junior_id == pair.junior_id
    assert why.suggestion.evidence
    assert sum(why.suggestion.contributions.values()) + why.slate.intercept == pytest.approx(why.suggestion.score)
    assert {each.held_by for each in why.others} - {()}


def at_once(acts: list[Callable[[], object]]) -> list[BaseException]:
    """Do everything in threads of its own and return what nobody expected."""
    problems: list[BaseException] = []

    def work(act: Callable[[], object]) -> None:
        try:
            act()
        except TelemachosError:
            pass
        except BaseException as error:
            problems.append(error)

    threads = [threading.Thread(target=work, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return problems


def test_capacity_holds_under_eight_threads(service: Service) -> None:
    """Publications, undos and approvals at once never give away a place twice, whatever the order."""
    text = "Ik leg Excel en draaitabellen graag uit."
    service.put_people([a_junior(id="j0", name="Junior 0", text=text, capacity=2)])
    drafts = [gathered(service) for _ in range(2)]
    service.put_people([a_senior(id=f"s{n}", name=f"Senior {n}", email=f"x{n}@example.com") for n in range(20, 26)])
    slates = [service.recommend("Excel en draaitabellen", SeniorId(f"s{n}"), 8) for n in range(20, 26)]
    for number, slate in enumerate(slates):
        service.store.slates.choose(slate.id, "j0", SeniorId(f"s{20 + number}"), None, NOW)

    def publish(draft: Draft) -> None:
        step_id = service.rounds.publish(draft.round.id, draft.round.version, "co")
        service.rounds.undo(step_id, "co")
        service.rounds.publish(draft.round.id, draft.round.version + 2, "co")

    problems = at_once(
        [partial(publish, draft) for draft in drafts]
        + [partial(service.reviewing.approve, [slate.id], "co") for slate in slates]
    )
    assert not problems
    held = dict(service.store._database.rows("SELECT junior_id, count(*) FROM matches GROUP BY junior_id"))
    assert held["j0"] == 2
    assert all(count <= service.junior(junior_id).capacity for junior_id, count in held.items())
    most = "SELECT max(n) FROM (SELECT count(*) AS n FROM matches GROUP BY senior_id)"
    assert service.store._database.rows(most) == [(1,)]


def test_what_makes_no_sense_is_refused(service: Service) -> None:
    """An empty name, a weight outside its range, an empty draft, a stranger."""
    with pytest.raises(InputRefused, match="name"):
        service.rounds.gather("  ", "co")
    with pytest.raises(InputRefused, match="balance_weight is 3"):
        Options(balance_weight=3)
    with pytest.raises(InputRefused, match="nope"):
        service.rounds.draft("nope")
    draft = gathered(service)
    with pytest.raises(InputRefused, match="stranger"):
        service.rounds.pair_by_hand(draft.round.id, draft.round.version, "co", "stranger", "j0")
    version = draft.round.version
    for pair in draft.pairs:
        service.rounds.unpair(draft.round.id, version, "co", pair.senior_id)
        version += 1
    with pytest.raises(InputRefused, match="no pair"):
        service.rounds.publish(draft.round.id, version, "co")


def test_waiting_counts_from_the_first_question(service: Service) -> None:
    """Who asked sixty days ago is served before who asks as well today, when there is one place."""
    service.put_people([a_junior(id=f"j{n}", active=False) for n in range(8)])
    service.put_people([a_junior(id="one", name="Enige", text="Ik leg Excel en draaitabellen uit.")])
    early = Service(service.store, service.recommender, clock=lambda: NOW - timedelta(days=60))
    early.recommend("Excel en draaitabellen", SeniorId("s4"))
    draft = gathered(service, minimum_quality=0.0, waiting_weight=1.0)
    assert partners(draft) == {"s4": "one"}


def test_the_check_shares_no_code() -> None:
    """Nothing of the solver, the masks or the ranker is in it (see also test_layers)."""
    source = Path(ROOT / "recommender/rule_check.py").read_text(encoding="utf-8")
    assert [line for line in source.splitlines() if line.startswith("from recommender")] == [
        "from recommender.domain import HELPER_LEVEL, Junior, Senior"
    ]
