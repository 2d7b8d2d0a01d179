"""The page that says what ranks, how good that is, and what is asked."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from app import resources, views
from app.components import WORD_JOINER
from recommender.bootstrap import Installation
from recommender.domain import SeniorId
from recommender.features import FEATURES
from recommender.framework import framework
from recommender.ranker import similarity_only
from recommender.service import Service
from recommender.supply import Gap
from recommender.wording import LANGUAGES, Language, say

Visit = Callable[..., AppTest]


def plain(text: str) -> str:
    """Return a text as somebody reads it."""
    return text.replace("\\", "").replace(WORD_JOINER, "")


def read(at: AppTest) -> str:
    """Return everything that can be read on the page, beside tables."""
    parts = [*at.title, *at.header, *at.subheader, *at.markdown, *at.text, *at.caption, *at.error, *at.warning]
    return plain("\n".join(part.value for part in parts))


def table(at: AppTest, alt: str, language: Language) -> pd.DataFrame:
    """Return the table with this alternative text, as a frame."""
    return next(each.value for each in at.table if each.proto.alt == say(alt, language))


def alts(at: AppTest) -> list[str]:
    """Return the alternative text of every chart."""
    return [each.proto.alt for each in at.get("vega_lite_chart")]


@pytest.mark.parametrize("language", LANGUAGES)
def test_says_what_is_in_use(visit: Visit, installation: Installation, language: Language) -> None:
    """Encoder, ranker, since when and why, notices and every weight are on the page."""
    at = visit("scientist", language)
    assert not at.exception
    assert at.title[0].value == say("model.title", language)
    for each in (installation.service.encoder.id, installation.service.ranker.id):
        assert each in read(at)
    for key in ("learn.since_start", "learn.by_product", "learn.why_first", "notice.encoder_test"):
        assert say(key, language) in read(at)
    weights = table(at, "model.weights_table", language)
    assert [plain(name) for name in weights.index] == [views.feature(each, language) for each in FEATURES]
    first = installation.service.ranker.spans[FEATURES[0]]
    assert views.number(first, language, sign=True) == plain(weights.iloc[0, 0])


@pytest.mark.parametrize("language", LANGUAGES)
def test_fresh_organisation_says_what_is_missing(visit: Visit, language: Language) -> None:
    """Without any answers each part says so, and none of them breaks."""
    at = visit("scientist", language)
    assert not at.exception
    for key in ("no_difference", "no_curve", "no_chances", "no_first", "no_shown", "no_drift", "no_reader"):
        assert say(f"learn.{key}", language) in read(at)
    assert say("learn.no_snapshots", language) in read(at)
    assert say("learn.verdict_first", language) in read(at)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_chart_says_its_conclusion_and_has_a_table(visit: Visit, language: Language) -> None:
    """Charts have words, tables have words, and headings skip no rank."""
    at = visit("scientist", language)
    assert len(alts(at)) == 3
    assert all(each.strip() for each in alts(at))
    assert all(each.proto.alt for each in at.table)
    assert len(at.title) == 1


def test_measures_stand_beside_the_baselines(visit: Visit, installation: Installation) -> None:
    """Each collection is a row, with this model first, and the words say on how many it is best."""
    assert installation.manifest
    at = visit("scientist")
    found = table(at, "model.metrics_alt", "nl")
    assert len(found) == len(installation.manifest.metrics)
    assert found.columns[0] == say("model.this", "nl")
    assert f"van {len(found)} verzamelingen" in read(at)


@pytest.mark.parametrize("name", FEATURES)
def test_shape_of_every_part_can_be_seen(visit: Visit, installation: Installation, name: str) -> None:
    """The picked part is drawn from the ranker's own curve, with both ends in the table."""
    at = visit("scientist", "en")
    at.selectbox(key="model-shape").set_value(name).run()
    assert not at.exception
    rows = table(at, "learn.shape_alt", "en")
    ends = (float(plain(rows.index[0])), float(plain(rows.index[-1])))
    assert ends == ((-2, 4) if name in FEATURES[:3] else (0, 1))
    added = installation.service.ranker.curves[name](np.array(ends))
    assert [float(plain(cell)) for cell in rows.iloc[[0, -1], 0]] == pytest.approx(added, abs=0.006)
    assert any(each.startswith(views.feature(name, "en")) for each in alts(at))


def test_counts_are_those_of_the_store(visit: Visit, installation: Installation) -> None:
    """One question is counted as one."""
    installation.service.recommend("Excel", SeniorId("s1"))
    facts = [part.value for part in visit("scientist").text]
    assert facts[-5:] == [str(each) for each in installation.service.counts().values()]
    assert "1" in facts[-5:]


def test_cards_that_were_shown_are_spread_without_names(visit: Visit, service: Service) -> None:
    """Three cards of eight people: the busiest has a third, five were never shown."""
    slate = service.recommend("Excel", SeniorId("s1"))
    service.shown(slate.id, [each.junior_id for each in slate.suggestions[:3]])
    at = visit("scientist", "en")
    assert say("learn.told_shown", "en", share="33%", never=5, all=8) in read(at)
    assert len(table(at, "learn.shown_alt", "en")) == 8


@pytest.mark.parametrize("language", LANGUAGES)
def test_demand_stands_beside_supply(visit: Visit, monkeypatch: pytest.MonkeyPatch, language: Language) -> None:
    """The largest shortage is first and said in words; small groups are not counted out, empty rows left out."""
    first, second, *others = framework().competences
    gaps = [Gap(first.code, 14, 5), Gap(second.code, 6, None), *(Gap(each.code, None, 0) for each in others)]
    monkeypatch.setattr(Service, "demand_and_supply", lambda _: gaps)
    at = visit("scientist", language)
    assert not at.exception
    rows = table(at, "learn.supply_alt", language)
    assert [plain(name) for name in rows.index] == [first.short[language], second.short[language]]
    assert list(rows.iloc[0]) == ["14", "5"]
    assert rows.iloc[1, 1] == say("learn.few", language, limit=5)
    told = say("learn.told_supply", language, name=first.short[language], asked=14, can=5)
    assert told in read(at)
    assert any(each.startswith(told) for each in alts(at))
    assert say("learn.hidden", language, count=19) in read(at)


@pytest.mark.parametrize("language", LANGUAGES)
def test_stand_in_is_named(
    visit: Visit, installation: Installation, monkeypatch: pytest.MonkeyPatch, language: Language
) -> None:
    """Without a trained ranker the page says so, every page shows the notice, and nothing can be trained."""
    parts = replace(installation.parts, registry=None, notices=("ranker_missing",))
    monkeypatch.setattr(installation.service.recommender, "ranker", similarity_only)
    monkeypatch.setattr(resources, "installation", lambda: replace(installation, parts=parts))
    for who in ("scientist", "s1", "j1", "coordinator"):
        at = visit(who, language)
        assert not at.exception
        assert say("notice.ranker_missing", language) in read(at)
    at = visit("scientist", language)
    assert say("model.none", language) in read(at)
    assert say("learn.train", language) not in read(at)


def test_holds_no_names(visit: Visit, service: Service) -> None:
    """No junior or senior is named on the page, also when cards were shown."""
    slate = service.recommend("Excel", SeniorId("s1"))
    service.shown(slate.id, [each.junior_id for each in slate.suggestions[:3]])
    at = visit("scientist")
    shown = read(at) + "\n".join(each.value.to_string() for each in at.table)
    people = service.store.people
    assert not [each.name for each in [*people.juniors(), *people.seniors()] if each.name in shown]
