"""What ranks at this moment, how good that is, and how it gets better. No names, no profiles."""

from datetime import datetime
from html import escape

import streamlit as st

from app import components, frame, model_drift, model_parts, model_training, model_views, resources, views
from app.frame import Here
from app.identity import STAFF
from recommender import learning, model_card
from recommender.bootstrap import Installation
from recommender.errors import ModelRefused
from recommender.registry import COLD_START, Manifest, Registry, load


def page() -> None:
    """Draw what is in use, the training, everything about one model, and what was asked and logged."""
    here = frame.here()
    installation = resources.installation()
    registry = installation.parts.registry
    st.title(here.say("model.title"), anchor=False)
    _in_use(here, installation)
    if registry is None:
        model_parts.metrics(here, None, {})
        model_parts.weights(here, learning.curves(here.service.ranker), learnt=False)
    else:
        models = _models(registry)
        model_training.draw(here, list(models))
        _one(here, registry, models)
    model_parts.supply(here, here.service.demand_and_supply())
    _counts(here)


def _models(registry: Registry) -> dict[str, Manifest]:
    """Return all readable models by id; the one in use is among them also when the shipped one can't be read."""
    used = registry.current()[1]
    try:
        return {each.id: each for each in registry.models()}
    except ModelRefused:
        return {used.id: used}


# In use


def _in_use(here: Here, installation: Installation) -> None:
    manifest, service, registry = installation.manifest, installation.service, installation.parts.registry
    with st.container(border=True, key="in-use"):
        st.header(here.say("model.in_use"), anchor=False)
        rows = [(here.say("model.encoder"), service.encoder.id), (here.say("model.ranker"), service.ranker.id)]
        if manifest is None or registry is None:
            components.facts(rows, "in-use")
            st.markdown(here.say("model.none"))
            return
        history = registry.history()
        at, by, why = here.say("learn.since_start"), here.say("learn.by_product"), here.say("learn.why_first")
        if history:
            at, by, why = _moment(here, history[-1].at), _who(here, history[-1].by), history[-1].reason or "–"
        rows += [(here.say("learn.since"), at), (here.say("learn.by"), by), (here.say("learn.why"), why)]
        components.facts(rows, "in-use")
        if manifest.id != registry.current_id():
            wanted = components.plain(registry.current_id())
            st.warning(here.say("learn.unreadable", wanted=wanted), icon=":material/warning:")
        model_training.back(here, registry)
        if history:
            with st.expander(here.say("learn.history"), key="history"):
                components.table(
                    {
                        f"{len(history) - place}. {each.id}": [_moment(here, each.at), _who(here, each.by), each.reason]
                        for place, each in enumerate(reversed(history))
                    },
                    [here.say("learn.since"), here.say("learn.by"), here.say("learn.why")],
                    here.say("learn.history_alt"),
                    here.say("learn.model"),
                )


def _moment(here: Here, at: str) -> str:
    try:
        return views.moment(datetime.fromisoformat(at), here.language)
    except ValueError:
        return at or "–"


def _who(here: Here, who: str) -> str:
    return here.say(f"demo.name_{who}") if who in STAFF else who


# One model


def _one(here: Here, registry: Registry, models: dict[str, Manifest]) -> None:
    """Draw everything about the model that is looked at; at first the one in use."""
    used = registry.current()[1].id
    with st.container(border=True, key="look"):
        st.header(here.say("learn.look_title"), anchor=False)
        st.markdown(here.say("learn.look_text"))
        looked_at = models[_pick(here, list(models), used)]
        folder = registry.folder_of(looked_at.id)
        figures = learning.read_figures(folder)
        _facts(here, looked_at)
        card = folder / model_card.FILE
        _card(here, card.read_text(encoding="utf-8") if card.is_file() else "")
        model_training.verdict(here, registry, looked_at, used)
    model_parts.metrics(here, looked_at, figures)
    model_parts.learning_curve(here, figures)
    model_parts.calibration(here, figures, calibrated=looked_at.calibrated)
    try:
        ranker = here.service.ranker if looked_at.id == used else load(folder)[0]
        model_parts.weights(here, learning.curves(ranker), learnt=looked_at.id != COLD_START)
    except ModelRefused as error:
        st.error(components.plain(error.sentence(here.language)), icon=":material/error:")
    model_parts.exposure(here, figures, here.service.cards_shown())
    model_drift.draw(here, figures)


def _pick(here: Here, ids: list[str], used: str) -> str:
    if st.session_state.get(model_training.LOOK) not in ids:
        st.session_state[model_training.LOOK] = used if used in ids else ids[0]
    picked = st.selectbox(
        here.say("learn.look"),
        ids,
        format_func=lambda each: here.say("learn.look_in_use", id=each) if each == used else each,
        key=model_training.LOOK,
        required=True,
    )
    return picked or used


def _facts(here: Here, manifest: Manifest) -> None:
    learner = model_views.named(f"learn.learner_{manifest.learner}", manifest.learner, here.language)
    rows = [
        (here.say("learn.learner"), learner),
        (here.say("model.fitted_with"), manifest.encoder),
        (here.say("model.seed"), str(manifest.seed)),
        (here.say("learn.snapshot"), manifest.snapshot.get("id") or here.say("learn.made_before")),
        (here.say("learn.versions"), ", ".join(f"{name} {each}" for name, each in manifest.versions.items())),
    ]
    if manifest.made_at:
        rows.append((here.say("learn.made_at"), _moment(here, manifest.made_at)))
    if manifest.parent:
        rows.append((here.say("learn.parent"), manifest.parent))
    components.facts(rows, "look")
    st.subheader(here.say("model.trained_on"), anchor=False)
    components.table(
        {
            model_views.named(f"learn.count_{name}", name, here.language): [str(count)]
            for name, count in manifest.trained_on.items()
        },
        [here.say("model.pairs")],
        here.say("model.trained_on_alt"),
        here.say("model.collection"),
    )


def _card(here: Here, card: str) -> None:
    with st.expander(here.say("learn.card"), key="card"):
        if not card:
            st.markdown(here.say("learn.no_card"))
            return
        st.caption(here.say("learn.card_text"))
        # The card is ours and holds nobody's words; it is in English on every page, and says so to a screen reader.
        st.html(f'<pre lang="en" style="white-space: pre-wrap; overflow-wrap: anywhere">{escape(card)}</pre>')


def _counts(here: Here) -> None:
    with st.container(border=True, key="counts"):
        st.header(here.say("model.counts"), anchor=False)
        components.facts(
            [(here.say(f"count.{name}"), str(count)) for name, count in here.service.counts().items()], "count"
        )
