"""Parts of a funnel are parts of its whole, on every page: counts add up, whoever left an answer out."""

import pytest
from books import BOOK

from welfare_analysis.disclosure import CATEGORY
from welfare_analysis.results import release
from welfare_analysis.study import DATA, Study
from welfare_analysis.survey.reading import typed
from welfare_analysis.survey.standin import Parameters, generate

PAGES = {"homes": "home", "loans": "loan", "transport": "transport"}
SIDES = ["in_need", "not_in_need"]


@pytest.fixture(scope="module")
def study():
    world = generate(Parameters.read(DATA / "public"), 13, "rich", size=6000)
    return Study.of(*(typed(f, BOOK) for f in (world.answers, world.register, world.followup)), BOOK, is_standin=True)


def wide(study, name, rows, of="estimate"):
    """Numbers of a table (or what they are printed to), NaN where they are hidden."""
    frame = release(study)[name].frame.astype({rows: str, CATEGORY: str})
    return frame.pivot(index=rows, columns=CATEGORY, values=of).astype(float)


def adds_up(parts, whole, step):
    """Every whole is the sum of its parts (rows are the same) up to rounding, where all of them are shown."""
    table = parts.assign(whole=whole, within=step.max(axis=1) / 2 * (parts.shape[1] + 1) + 1e-6).dropna()
    assert len(table)
    off = table[parts.columns].sum(axis=1) - table["whole"]
    assert (off.abs() <= table["within"]).all(), off


@pytest.mark.parametrize("page", PAGES)
def test_those_in_need_and_not_are_all(study, page):
    """At each step, and of those who fall out before it: a count in need is never above the count of all."""
    for name, rows in ((f"{page}_funnel", f"{PAGES[page]}_step"), (f"{page}_lost", f"{PAGES[page]}_lost")):
        table = wide(study, name, rows)
        step = wide(study, name, rows, "step")
        adds_up(table[SIDES], table["all"], step)
        for side in SIDES:
            both = table[[side, "all"]].assign(step=step.max(axis=1)).dropna()
            assert (both[side] <= both["all"] + both["step"]).all()


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("group", ["status", "command_group", "rank_group"])
def test_groups_add_up_to_the_whole(study, page, group):
    """Groups are parts of the whole of the first picture; ranks, which are of the active, of the active."""
    name = f"{page}_funnel_by_{group}"
    steps, unit = (wide(study, name, group, of).T for of in ("estimate", "step"))
    if group == "rank_group":
        whole = wide(study, f"{page}_funnel_by_status", "status").loc["active"]
    else:
        funnel = wide(study, f"{page}_funnel", f"{PAGES[page]}_step")
        whole = funnel["all"].drop("people")
        whole["in_need"] = funnel.loc["people", "in_need"]
    adds_up(steps, whole.reindex(steps.index), unit)
