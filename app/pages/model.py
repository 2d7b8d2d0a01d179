"""What ranks at this moment, and what it was made from. No names, no profiles."""

import streamlit as st

from app import components, frame, resources, views
from app.frame import Here
from recommender.bootstrap import Installation


def page() -> None:
    """Draw what is in use, how well it did, what it weighs, and what was logged."""
    here = frame.here()
    installation = resources.installation()
    st.title(here.say("model.title"), anchor=False)
    _in_use(here, installation)
    _metrics(here, installation)
    _weights(here, installation)
    _counts(here)


def _in_use(here: Here, installation: Installation) -> None:
    manifest, service = installation.manifest, installation.service
    with st.container(border=True, key="in-use"):
        st.header(here.say("model.in_use"), anchor=False)
        rows = [(here.say("model.encoder"), service.encoder.id), (here.say("model.ranker"), service.ranker.id)]
        if manifest:
            rows.append((here.say("model.fitted_with"), manifest.encoder))
            rows.append((here.say("model.seed"), str(manifest.seed)))
        components.facts(rows, "in-use")
        if manifest is None:
            st.markdown(here.say("model.none"))
            return
        st.subheader(here.say("model.trained_on"), anchor=False)
        components.table(
            {name: [str(count)] for name, count in manifest.trained_on.items()},
            [here.say("model.pairs")],
            here.say("model.trained_on_alt"),
            here.say("model.collection"),
        )


def _metrics(here: Here, installation: Installation) -> None:
    with st.container(border=True, key="metrics"):
        st.header(here.say("model.metrics"), anchor=False)
        if installation.manifest is None or not installation.manifest.metrics:
            st.markdown(here.say("model.no_metrics"))
            return
        st.markdown(here.say("model.metrics_text"))
        names, rows = views.metrics(installation.manifest, here.language)
        components.table(dict(rows), names, here.say("model.metrics_alt"), here.say("model.collection"))


def _weights(here: Here, installation: Installation) -> None:
    rows = views.weights(installation.service.ranker.spans, here.language)
    with st.container(border=True, key="weights"):
        st.header(here.say("model.weights"), anchor=False)
        st.markdown(here.say("model.weights_text"))
        components.bars(rows, here.say("model.weight"), here.say("model.weights_alt"), here.language, "weights-chart")
        components.table(
            {name: [views.number(value, here.language, sign=True)] for name, value in rows},
            [here.say("model.weight")],
            here.say("model.weights_table"),
            here.say("model.feature"),
        )


def _counts(here: Here) -> None:
    with st.container(border=True, key="counts"):
        st.header(here.say("model.counts"), anchor=False)
        components.facts(
            [(here.say(f"count.{name}"), str(count)) for name, count in here.service.counts().items()], "count"
        )
