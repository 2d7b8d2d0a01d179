"""The parts of the Model page that change something: train, put to use, go back. For the keeper of the model only.

Training runs in a process of its own; the page looks at its folder. A model serves only once somebody puts it to use.
"""

from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import streamlit as st

from app import components, frame, model_views, resources, views
from app.frame import Here
from app.identity import Role
from recommender import jobs, learning
from recommender.errors import Forbidden, InputRefused
from recommender.jobs import OVER, Job, Status
from recommender.registry import COLD_START, Manifest, Registry
from recommender.snapshot import read_info
from recommender.training import ENOUGH_SENIORS, ENOUGH_SLATES

LOOK, SNAPSHOT, SEED, PLACE = "model-look", "train-snapshot", "train-seed", "model-problem-place"
LINES = 40
FIRST_SEED, HIGHEST_SEED = 7, 999_999


def may(here: Here) -> bool:
    """Tell whether this person may train and change models."""
    return here.who.role is Role.SCIENTIST


def draw(here: Here, known: list[str]) -> None:
    """Draw taking a snapshot, starting a training, how far it is, and what came of the last one."""
    with st.container(border=True, key="train"):
        st.header(here.say("learn.train"), anchor=False)
        _problem(here, "train")
        if not may(here):
            st.markdown(here.say("learn.only_keeper"))
            return
        st.markdown(here.say("learn.train_text"))
        last = next(iter(jobs.jobs(_home())), None)
        status = jobs.status(last) if last else None
        if last and status and status.state not in OVER:
            _at_work(here, last)
            return
        if last and status:
            _ended(here, last, status, known)
        _begin(here)


def _begin(here: Here) -> None:
    home = _home()
    choices = here.service.counts()["choices"]
    st.caption(here.say("learn.needed", slates=ENOUGH_SLATES, people=ENOUGH_SENIORS, choices=choices))
    snapshots = learning.snapshots(home)
    if snapshots:
        if st.session_state.get(SNAPSHOT) not in snapshots:
            st.session_state.pop(SNAPSHOT, None)
        st.selectbox(
            here.say("learn.snapshot"),
            snapshots,
            format_func=lambda each: _snapshot(here, home, each),
            key=SNAPSHOT,
            required=True,
        )
        with st.container(width=260):
            st.number_input(here.say("learn.seed"), 0, HIGHEST_SEED, FIRST_SEED, key=SEED)
    else:
        st.markdown(here.say("learn.no_snapshots"))
    with st.container(horizontal=True, gap="small"):
        if snapshots:
            st.button(here.say("learn.start"), key="train-start", type="primary", on_click=_start)
        st.button(here.say("learn.take"), key="train-snapshot-take", icon=":material/archive:", on_click=_take)


def _snapshot(here: Here, home: Path, snapshot_id: str) -> str:
    with suppress(InputRefused, ValueError):
        info = read_info(home / "snapshots" / snapshot_id)
        made = views.moment(datetime.fromisoformat(info.made_at), here.language)
        return here.say("learn.snapshot_named", made=made, slates=info.slates, people=info.seniors)
    return snapshot_id


# While it runs, and afterwards


def _at_work(here: Here, job: Job) -> None:
    st.subheader(here.say("learn.running"), anchor=False)
    _watch(here, job)
    with st.popover(here.say("learn.cancel"), icon=":material/stop_circle:", key="train-cancel"):
        st.markdown(here.say("learn.cancel_text"))
        st.button(here.say("learn.cancel_yes"), key="train-cancel-yes", on_click=_cancel, args=(job.id,))


@st.fragment(run_every="3s")
def _watch(here: Here, job: Job) -> None:
    """Draw how far a training is; looks again by itself, and draws the whole page anew when it is over."""
    status = jobs.status(job)
    if status.state in OVER:
        here.session.announce("learn.announce_over")
        st.rerun()
    step = model_views.named(f"learn.step_{status.step}", here.say("learn.step_queued"), here.language)
    share = min(status.done / status.total, 1.0) if status.total else 0.0
    st.progress(share, text=f"{step} ({model_views.percent(share)})")
    _log(here, job)


def _ended(here: Here, job: Job, status: Status, known: list[str]) -> None:
    with st.container(key=f"job-{status.state}"):
        st.subheader(here.say("learn.last"), anchor=False)
        match status.state:
            case "done" if status.model_id in known:
                st.success(here.say("learn.done", id=components.plain(status.model_id)), icon=":material/check_circle:")
                st.button(here.say("learn.look_at_it"), key="train-look", on_click=_look, args=(status.model_id,))
            case "done":
                st.markdown(here.say("learn.done_gone"))
            case "failed":
                st.error(here.say("learn.failed"), icon=":material/error:")
                components.words(status.message or here.say("learn.failed_silent"))
            case _:
                st.info(here.say("learn.cancelled"), icon=":material/info:")
        _log(here, job)


def _log(here: Here, job: Job) -> None:
    with st.expander(here.say("learn.log"), key=f"log-{job.id}"):
        components.words("\n".join(jobs.log(job, LINES)) or here.say("learn.log_empty"))


# May it go to work?


def verdict(here: Here, registry: Registry, manifest: Manifest, used: str) -> None:
    """Draw what the gate says of a model, and the way to put it to use where it isn't."""
    st.subheader(here.say("learn.verdict"), anchor=False)
    failed = learning.unpassed(manifest)
    if manifest.id == COLD_START:
        st.markdown(here.say("learn.verdict_first"))
    else:
        st.markdown(here.say("learn.verdict_no", count=len(failed)) if failed else here.say("learn.verdict_yes"))
        with st.container(key="checks"):
            components.words("\n".join(model_views.check(each, here.language) for each in manifest.gate))
    if manifest.id == used or not may(here):
        return
    with st.popover(here.say("learn.promote"), icon=":material/publish:", key=f"promote-{manifest.id}"):
        st.markdown(here.say("learn.promote_text", id=components.plain(manifest.id)))
        key = "learn.reason_needed" if failed else "learn.reason_free"
        st.text_area(
            here.say(key, least=learning.SHORTEST_REASON),
            key=f"promote-reason-{manifest.id}",
            height=110,
            persist_state="session",
        )
        _problem(here, "promote")
        st.button(
            here.say("learn.promote_yes"), key="promote-yes", type="primary", on_click=_promote, args=(manifest.id,)
        )


def back(here: Here, registry: Registry) -> None:
    """Draw the way back to the model that served before."""
    history = registry.history()
    if not history or not may(here):
        return
    before = components.plain(history[-1].before)
    with st.popover(here.say("learn.back", id=before), icon=":material/undo:", key="back"):
        st.markdown(here.say("learn.back_text", id=before))
        st.text_area(
            here.say("learn.reason_free"), key=f"back-reason-{len(history)}", height=110, persist_state="session"
        )
        _problem(here, "back")
        st.button(here.say("learn.back_yes"), key="back-yes", type="primary", on_click=_back, args=(len(history),))


def _problem(here: Here, place: str) -> None:
    if st.session_state.get(PLACE) == place:
        components.problem(here.session)


def _home() -> Path:
    return resources.installation().settings.home


def _registry() -> Registry:
    settings = resources.installation().settings
    return learning.registry_of(settings.home, settings.models)


# What the keeper does


def _at(place: str) -> Here:
    """Return what a step needs; what goes wrong in it is said in that place."""
    st.session_state[PLACE] = place
    return frame.here()


def _check_role(here: Here) -> None:
    if not may(here):
        raise Forbidden("only_keeper")


def _take() -> None:
    here = _at("train")
    with here.session.step():
        _check_role(here)
        st.session_state[SNAPSHOT] = learning.snapshot(here.service.store, _home()).id
        here.session.announce("learn.announce_taken", focus="train")


def _start() -> None:
    here = _at("train")
    with here.session.step():
        _check_role(here)
        jobs.start(_home(), st.session_state[SNAPSHOT], int(st.session_state[SEED]))
        here.session.announce("learn.announce_started", focus="train")


def _cancel(job_id: str) -> None:
    here = _at("train")
    with here.session.step():
        _check_role(here)
        jobs.cancel(jobs.find(_home(), job_id))
        here.session.announce("learn.announce_cancelled", focus="train")


def _look(model_id: str) -> None:
    st.session_state[LOOK] = model_id
    frame.here().session.announce("learn.announce_look", focus="look")


def _promote(model_id: str) -> None:
    here = _at("promote")
    with here.session.step():
        _check_role(here)
        reason = st.session_state[f"promote-reason-{model_id}"]
        learning.promote(_registry(), model_id, here.who.id, reason, datetime.now(UTC))
        here.session.announce("learn.announce_promoted", focus="in-use")


def _back(changes: int) -> None:
    here = _at("back")
    with here.session.step():
        _check_role(here)
        reason = st.session_state[f"back-reason-{changes}"]
        change = learning.rollback(_registry(), here.who.id, reason, datetime.now(UTC))
        st.session_state[LOOK] = change.id
        here.session.announce("learn.announce_promoted", focus="in-use")
