"""How the whole programme goes: for coordinators and data scientists. Names are in one file only, for coordinators."""

import streamlit as st

from app import components, frame, model_charts, overview_charts, overview_views
from app.frame import Here
from app.identity import Role
from app.overview_views import Block
from recommender.programme_counts import PERIODS, View
from recommender.programme_figures import DIMENSIONS, Figures
from recommender.spreadsheets import Sheet, csv_file, xlsx_file
from recommender.supply import HIDDEN_BELOW

PERIOD, GROUP = "overview-period", "overview-group"


def page() -> None:
    """Draw the filters, the numbers that are looked at first, and every part with its chart and table."""
    here = frame.here()
    st.title(here.say("overview.title"), anchor=False)
    st.markdown(here.say("overview.text"))
    view = _filters(here)
    figures = here.service.figures.of(view)
    if figures is None:
        with st.container(border=True, key="too-small"):
            st.header(here.say("overview.too_small"), anchor=False)
            st.markdown(here.say("overview.too_small_text", limit=HIDDEN_BELOW))
        return
    top = overview_views.tiles(figures, here.language)
    with st.container(border=True, key="overview-top"):
        components.facts(top, "overview")
    needs, sides = overview_views.needs(figures.needs, here.language)
    spread = overview_views.spread(figures, here.language)
    funnel = overview_views.funnel(figures.funnel, here.language)
    pairs = overview_views.pair_blocks(figures, here.language)
    outcomes = [overview_views.ratings(figures, here.language), overview_views.check_ins(figures, here.language)]
    decisions = overview_views.decision_blocks(figures, here.language)
    _section(here, "way", [funnel])
    _section(here, "pairs", pairs)
    with st.container(border=True, key="overview-demand"):
        st.header(here.say("overview.demand"), anchor=False)
        _told(here, needs)
        if sides:
            st.markdown(here.say("overview.needs_text"))
            overview_charts.sides(sides, _alt(here, needs), "chart-needs")
            _table(here, needs)
        _recruit(here, figures)
    with st.container(border=True, key="overview-cards"):
        st.header(here.say("overview.cards"), anchor=False)
        _spread(here, figures, spread)
    _section(here, "outcomes", outcomes)
    _section(here, "decisions", decisions)
    blocks = [funnel, *pairs, needs, spread, *outcomes, *decisions]
    _files(here, overview_views.figure_sheet(blocks, top, view, here.language))


def _filters(here: Here) -> View:
    """Draw the choice of a period and of one group, and return what is picked."""
    groups = here.service.figures.groups()
    views = [View(), *(View(None, each, group) for each in DIMENSIONS for group in groups[each])]
    with st.container(key="overview-filters", horizontal=True, gap="medium"):
        days = st.selectbox(
            here.say("overview.period"),
            PERIODS,
            format_func=lambda each: here.say(f"overview.period_{each or 'all'}"),
            key=PERIOD,
        )
        picked = st.selectbox(
            here.say("overview.group"),
            range(len(views)),
            format_func=lambda each: components.plain(overview_views.group_name(views[each], here.language)),
            key=GROUP,
        )
    st.caption(here.say("overview.small_groups", limit=HIDDEN_BELOW))
    chosen = views[picked or 0]
    return View(days, chosen.dimension, chosen.group)


def _section(here: Here, name: str, blocks: list[Block]) -> None:
    with st.container(border=True, key=f"overview-{name}"):
        st.header(here.say(f"overview.section_{name}"), anchor=False)
        for block in blocks:
            _told(here, block)
            if block.rows:
                overview_charts.bars(block.bars, _alt(here, block), f"chart-{block.key}")
                _table(here, block)


def _told(here: Here, block: Block) -> None:
    st.subheader(block.title, anchor=False)
    words = components.plain(block.told)
    st.markdown(f"**{words}**" if block.rows else words)


def _table(here: Here, block: Block) -> None:
    rows = {name: [overview_views.cell(each, here.language) for each in cells] for name, cells in block.rows}
    with st.container(key=f"table-{block.key}"):
        components.table(rows, list(block.columns), here.say("overview.table_of", what=block.title), block.first)


def _alt(here: Here, block: Block) -> str:
    return f"{block.title}. {block.told} {here.say('learn.table_below')}"


def _recruit(here: Here, figures: Figures) -> None:
    st.subheader(here.say("overview.recruit_title"), anchor=False)
    said = overview_views.recruit(figures, here.language)
    if said:
        components.words("\n".join(f"•  {each}" for each in said))
        st.caption(here.say("overview.recruit_whole"))
    else:
        st.markdown(here.say("overview.no_recruit"))


def _spread(here: Here, figures: Figures, block: Block) -> None:
    _told(here, block)
    if figures.spread is None:
        return
    st.markdown(here.say("overview.spread_text"))
    model_charts.lorenz(
        [(here.say("overview.spread_line"), figures.spread.lorenz)],
        (here.say("overview.axis_juniors"), here.say("overview.axis_first")),
        _alt(here, block),
        here.language,
        "chart-spread",
    )
    _table(here, block)


def _files(here: Here, sheet: Sheet) -> None:
    """Draw the buttons that give files: the figures for both roles, the pairs with names for coordinators."""
    with st.container(border=True, key="overview-files"):
        st.header(here.say("overview.files"), anchor=False)
        st.markdown(here.say("overview.files_text"))
        _buttons(here, "figures", sheet)
        if here.who.role is Role.COORDINATOR:
            st.markdown(here.say("overview.files_names"))
            _buttons(here, "pairs", overview_views.pair_sheet(here.service.figures.pair_list(), here.language))


def _buttons(here: Here, name: str, sheet: Sheet) -> None:
    with st.container(horizontal=True, gap="small"):
        st.download_button(
            here.say(f"overview.{name}_csv"),
            csv_file(sheet, here.language),
            f"{name}.csv",
            "text/csv",
            key=f"{name}-csv",
            on_click="ignore",
        )
        st.download_button(
            here.say(f"overview.{name}_xlsx"),
            xlsx_file([sheet]),
            f"{name}.xlsx",
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            key=f"{name}-xlsx",
            on_click="ignore",
        )
