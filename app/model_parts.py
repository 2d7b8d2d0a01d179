"""The parts of the Model page that show figures: each draws one question about a model, with its chart and table.

Where there are no figures yet, a part says so and what is needed.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from app import components, model_charts, model_curves, model_views, views
from app.frame import Here
from app.model_views import Figures
from recommender.comparison import CANDIDATE, IN_USE
from recommender.features import FEATURES, TEXT_FEATURES
from recommender.registry import Manifest
from recommender.supply import Gap

COLUMNS = 100
"""People shown most who are drawn, one column each; of the others each has a share that nobody could see."""


def metrics(here: Here, manifest: Manifest | None, figures: Figures) -> None:
    """Draw how good the order is beside plain ones, and the paired difference from the model that was in use."""
    with st.container(border=True, key="metrics"):
        st.header(here.say("model.metrics"), anchor=False)
        if figures.get("table"):
            told = model_views.orders_told(figures, here.language)
            st.markdown(here.say("learn.orders_text", slates=figures["slates"], people=figures["seniors"]))
            st.markdown(f"**{components.plain(told)}**")
            rows = model_views.orders(figures, here.language)
            model_charts.intervals(rows, here.say("learn.axis_ndcg"), _alt(here, told), here.language, "orders-chart")
            components.table(
                model_views.order_rows(figures, here.language),
                [here.say("learn.measure"), here.say("learn.difference")],
                here.say("learn.orders_alt"),
                here.say("learn.order"),
            )
        elif manifest is not None and (rows := model_views.collections(manifest, here.language)):
            told = model_views.collections_told(manifest, here.language)
            st.markdown(here.say("model.metrics_text"))
            st.markdown(f"**{told}** {here.say('learn.no_difference')}")
            model_charts.intervals(rows, here.say("learn.axis_ndcg"), _alt(here, told), here.language, "orders-chart")
            names, table = views.metrics(manifest, here.language)
            components.table(dict(table), names, here.say("model.metrics_alt"), here.say("model.collection"))
        else:
            st.markdown(here.say("model.no_metrics"))


def learning_curve(here: Here, figures: Figures) -> None:
    """Draw nDCG by the number of questions to learn from."""
    with st.container(border=True, key="learning-curve"):
        st.header(here.say("learn.curve"), anchor=False)
        points = model_views.steps(figures)
        if len(points) < 2:
            st.markdown(here.say("learn.no_curve"))
            return
        told = model_views.steps_told(figures, here.language)
        st.markdown(f"**{told}** {here.say('learn.curve_text')}")
        axes = here.say("learn.axis_questions"), here.say("learn.axis_ndcg")
        model_charts.curve(points, axes, _alt(here, told), here.language, "learning-curve-chart")
        components.table(
            model_views.step_rows(figures, here.language),
            [here.say("learn.people"), here.say("learn.mean"), here.say("learn.ends")],
            here.say("learn.curve_alt"),
            here.say("learn.questions"),
        )


def calibration(here: Here, figures: Figures, *, calibrated: bool) -> None:
    """Draw whether the chances come true, or say that the scores are none."""
    with st.container(border=True, key="calibration"):
        st.header(here.say("learn.chances"), anchor=False)
        bins, chances = model_views.bins(figures, here.language), figures.get("chances", {}).get(CANDIDATE)
        if not calibrated or not bins or not chances:
            st.markdown(here.say("learn.chances_unknown" if calibrated else "learn.no_chances"))
            return
        told = here.say("learn.told_chances", ece=model_views.percent(chances["ece"]))
        st.markdown(f"**{told}** {here.say('learn.chances_text')}")
        rows = [
            (here.say(f"learn.{name}"), model_views.fraction(chances[name], here.language))
            for name in ("ece", "brier", "log_loss")
        ]
        components.facts(rows, "chances")
        axes = here.say("learn.axis_foretold"), here.say("learn.axis_found")
        model_charts.reliability(bins, axes, _alt(here, told), here.language, "reliability-chart")
        components.table(
            {
                each.name: [model_views.percent(each.foretold), model_views.percent(each.found), str(each.rows)]
                for each in bins
            },
            [here.say("learn.foretold"), here.say("learn.found"), here.say("learn.suggestions")],
            here.say("learn.chances_alt"),
            here.say("learn.chance"),
        )


def weights(here: Here, curves: Mapping[str, Any], *, learnt: bool) -> None:
    """Draw how much each feature counts, and the shape of the one that is picked."""
    rows = model_curves.spans(curves, here.language)
    with st.container(border=True, key="weights"):
        st.header(here.say("model.weights"), anchor=False)
        st.markdown(here.say("learn.weights_learnt" if learnt else "model.weights_text"))
        most = max(rows, key=lambda row: abs(row[1]))
        told = here.say("learn.told_most", part=most[0], added=views.number(most[1], here.language, sign=True))
        alt_text = f"{told} {here.say('model.weights_alt')}."
        components.bars(rows, here.say("model.weight"), alt_text, here.language, "weights-chart")
        components.table(
            {name: [views.number(value, here.language, sign=True)] for name, value in rows},
            [here.say("model.weight")],
            here.say("model.weights_table"),
            here.say("model.feature"),
        )
        st.subheader(here.say("learn.shape"), anchor=False)
        name = st.selectbox(
            here.say("learn.shape_pick"),
            FEATURES,
            format_func=lambda each: views.feature(each, here.language),
            key="model-shape",
            required=True,
        )
        _shape(here, curves, name or FEATURES[0])


def _shape(here: Here, curves: Mapping[str, Any], name: str) -> None:
    points = model_curves.shape(curves, name)
    told = model_curves.shape_told(curves, name, here.language)
    st.markdown(f"**{told}**")
    value = here.say("learn.axis_text" if name in TEXT_FEATURES else "learn.axis_circumstance")
    alt_text = f"{views.feature(name, here.language)}. {_alt(here, told)}"
    model_charts.curve(points, (value, here.say("learn.axis_added")), alt_text, here.language, "shape-chart")
    components.table(
        model_curves.shape_rows(points, here.language),
        [here.say("learn.axis_added")],
        here.say("learn.shape_alt"),
        value,
    )


def exposure(here: Here, figures: Figures, shown: Sequence[int]) -> None:
    """Draw how first places are spread over juniors: by this model, and in what was really shown. No names."""
    with st.container(border=True, key="exposure"):
        st.header(here.say("learn.first"), anchor=False)
        measured = figures.get("exposure", {})
        if CANDIDATE in measured:
            _first_places(here, measured)
        else:
            st.markdown(here.say("learn.no_first"))
        st.subheader(here.say("learn.shown"), anchor=False)
        _shown(here, shown)


def _first_places(here: Here, measured: Mapping[str, Any]) -> None:
    names = [name for name in (CANDIDATE, IN_USE) if name in measured]
    tenths = {name: model_curves.tenths(measured[name]["lorenz"]) for name in names}
    told = here.say("learn.told_first", share=model_views.percent(tenths[CANDIDATE][0]))
    st.markdown(f"**{told}** {here.say('learn.first_text')}")
    labels = {name: model_views.order_name(name, here.language) for name in names}
    gini = [(f"Gini: {labels[name]}", views.number(measured[name]["gini"], here.language)) for name in names]
    components.facts(gini, "gini")
    model_charts.lorenz(
        [(labels[name], measured[name]["lorenz"]) for name in names],
        (here.say("learn.axis_juniors"), here.say("learn.axis_first")),
        _alt(here, told),
        here.language,
        "lorenz-chart",
    )
    components.table(
        {
            here.say("learn.tenth", place=place + 1): [model_views.percent(tenths[name][place]) for name in names]
            for place in range(model_curves.TENTHS)
        },
        [labels[name] for name in names],
        here.say("learn.first_alt"),
        here.say("learn.juniors"),
    )


def _shown(here: Here, shown: Sequence[int]) -> None:
    total = sum(shown)
    if not total:
        st.markdown(here.say("learn.no_shown"))
        return
    shares = [each / total for each in sorted(shown, reverse=True)]
    never = sum(not each for each in shown)
    told = here.say("learn.told_shown", share=model_views.percent(shares[0]), never=never, all=len(shown))
    st.markdown(f"**{told}**")
    axes = here.say("learn.axis_rank"), here.say("learn.axis_cards")
    model_charts.columns(shares[:COLUMNS], axes, _alt(here, told), here.language, "shown-chart")
    components.table(
        {str(place + 1): [model_views.percent(share)] for place, share in enumerate(shares[: model_curves.TENTHS])},
        [here.say("learn.axis_cards")],
        here.say("learn.shown_alt"),
        here.say("learn.axis_rank"),
    )


def supply(here: Here, gaps: Sequence[Gap]) -> None:
    """Draw who asks for each competence beside who can explain it, the largest shortage first."""
    with st.container(border=True, key="supply"):
        st.header(here.say("learn.supply"), anchor=False)
        rows = model_views.supply_rows(gaps, here.language)
        if not gaps:
            st.markdown(here.say("learn.no_reader"))
            return
        st.markdown(here.say("learn.supply_text"))
        if all(each.asked == 0 for each in gaps):
            st.markdown(here.say("learn.no_asked"))
        if not rows:
            st.markdown(here.say("learn.all_hidden"))
            return
        name, asked, can = rows[0]
        told = here.say("learn.told_supply", name=name, asked=asked, can=can)
        st.markdown(f"**{components.plain(told)}**")
        drawn = [each for each in gaps if not each.hidden]
        model_charts.pairs(
            [
                (
                    words[0],
                    [
                        (here.say("learn.asked"), float(each.asked or 0), here.say("learn.bar_asked", people=words[1])),
                        (here.say("learn.can"), float(each.can or 0), here.say("learn.bar_can", people=words[2])),
                    ],
                )
                for each, words in zip(drawn, rows, strict=True)
            ],
            here.say("learn.axis_people"),
            _alt(here, told),
            here.language,
            "supply-chart",
        )
        components.table(
            {name: [asked, can] for name, asked, can in rows},
            [here.say("learn.asked"), here.say("learn.can")],
            here.say("learn.supply_alt"),
            here.say("learn.competence"),
        )
        if len(rows) < len(gaps):
            st.caption(here.say("learn.hidden", count=len(gaps) - len(rows)))


def _alt(here: Here, told: str) -> str:
    return f"{told} {here.say('learn.table_below')}"
