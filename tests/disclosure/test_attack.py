"""An attacker with the published tables, the register and who answered, on small institutions and on the stand-in."""

import numpy as np
import pandas as pd
import pytest

from welfare_analysis.disclosure import CATEGORY, Released, policy
from welfare_analysis.disclosure.attack import MET, NOT_KNOWN, attack, identities, too_tight
from welfare_analysis.disclosure.suppression import unsafe
from welfare_analysis.results.descriptive import IDENTITIES, descriptive, inside, view
from welfare_analysis.study import DATA, Study
from welfare_analysis.survey.standin import Parameters, generate

SAME = identities(pd.read_csv(IDENTITIES).itertuples())


def labels(study, table, column):
    """The groups of a table, row by row: codes that were put together have the name of their parent."""
    parent, there = study.codebook.parent(column.name), set(table.frame[column.name].astype(str))
    own = column.astype(object).map(lambda code: code if str(code) in there else parent.get(str(code), code))
    return own.where(column.notna(), NOT_KNOWN).astype(str)


def answered(study, table):
    """Values, groups and weights of those who answered."""
    rows = study.result(view, table.of)
    keep = inside(rows.frame, table.where) & rows.frame[table.variable].notna()
    values, w = rows.frame.loc[keep, table.variable], pd.Series(rows.design.weights, rows.frame.index)[keep]
    if table.statistic == "total":  # it stands for those who did not answer too
        w = pd.Series(rows.design.weights, rows.frame.index)[inside(rows.frame, table.where)]
        return values, None, w
    group = labels(study, table, rows.frame.loc[keep, table.by[0]]) if table.by else pd.Series("", values.index)
    return values, group, w


def bases(study):
    """Respondents and weights by group of each table."""

    def of(table):
        values, group, w = answered(study, table)
        if group is None:
            return pd.DataFrame({"n": [float(len(values))], "w": [float(w.sum())]}, index=[""])
        by = w.groupby(group)
        return pd.DataFrame({"n": by.size().astype(float), "w": by.sum()})

    return of


def truth(study, found):
    """Of each attacked cell the respondents, of mean weight, who are in it, and whether it fails a rule by itself."""
    release, rows = study.result(descriptive), []
    for row in found.itertuples():
        values, group, w = answered(study, release[row.table])
        met, there = (
            values.astype(bool) if row.category == MET else values.astype(str) == row.category,
            group == row.group,
        )
        numerator = np.array([float((met & there).sum())])
        share = w[met & there].sum() / w[there].sum()
        rows.append((row.n * share, bool(unsafe(np.array([row.n]), numerator, policy())[0])))
    return pd.DataFrame(rows, columns=["value", "primary"])


def own_names(found, release):
    """The attack speaks of cells under one name; a condition's is that of its category."""
    conditions = {
        t.id for t in release.values() if t.statistic == "share" and t.state == "shown" and CATEGORY not in t.frame
    }
    return found.assign(category=found["category"].mask(found["table"].isin(conditions), MET))


def attacked(study):
    """Cells that are known too well, and how many were attacked."""
    release = {name: study.result(descriptive)[name] for name in study.result(descriptive)}
    found = own_names(attack(release, bases(study), SAME), release)
    true = truth(study, found)
    assert (found["low"] - 1e-6 <= true["value"]).all(), "what was published contradicts the truth"
    assert (true["value"] <= found["high"] + 1e-6).all(), "what was published contradicts the truth"
    primary = true["primary"].to_numpy()
    return too_tight(found[primary], true.loc[primary, "value"]), int(primary.sum())


def table(name, by=(), where="", statistic="share", of="", flag="hidden", step=0.01, **columns):
    """A table of x by hand, printed to a point; a number that is missing is ``flag``."""
    frame = pd.DataFrame(columns)
    frame = frame.assign(flag=np.where(frame["estimate"].isna(), flag, ""), step=step)
    unit = "persons" if statistic == "total" else "share"
    variable = name.split("_")[0]
    return Released(name, statistic, variable, by, unit, where, of, frame, state="shown")


def known(*tables, same=None, **weights):
    """What is known of each hidden cell, of groups of 100 with these weights: low, high, and most."""
    sizes = {"": {"": 200.0}} | {name.removeprefix("_"): w for name, w in weights.items()}
    groups = {t.id: sizes[t.by[0] if t.by else ""] for t in tables}
    bases = {name: pd.DataFrame({"n": 100.0, "w": pd.Series(w)}) for name, w in groups.items()}
    found = attack({t.id: t for t in tables}, lambda one: bases[one.id], same)
    return {(r.group, r.category): pytest.approx((r.low, r.high, r.most), abs=1e-5) for r in found.itertuples()}


WHOLE = table("x", estimate=[0.4])
GROUPS = {"by": ("g",), "g": ["a", "b"], "estimate": [0.5, np.nan]}
HALVES = {"a": 100.0, "b": 100.0}


def test_a_hidden_group_is_all_less_the_shown_one():
    """0.4 of all is a quarter of 0.5 and three quarters of what is hidden, to half a point of each."""
    parts, weights = table("x_by_g", **GROUPS), {"a": 50.0, "b": 150.0}
    low, high = 100 * (0.395 - 0.25 * 0.505) / 0.75, 100 * (0.405 - 0.25 * 0.495) / 0.75
    assert known(WHOLE, parts, g=weights) == {("b", MET): (low, high, 100 * 0.405 / 0.75)}
    assert known(parts, g=weights) == {("b", MET): (0, 100, 100)}
    rounder = table("x", estimate=[0.4], step=0.1)
    assert known(rounder, parts, g=weights)["b", MET] == (
        100 * (0.35 - 0.12625) / 0.75,
        100 * (0.45 - 0.12375) / 0.75,
        60,
    )


def test_who_is_of_no_known_group_is_open():
    """A tenth of no known group may all meet the condition, or none."""
    low, high = 100 * (0.395 - 0.45 * 0.505 - 0.1) / 0.45, 100 * (0.405 - 0.45 * 0.495) / 0.45
    found = known(WHOLE, table("x_by_g", **GROUPS), g={"a": 90.0, "b": 90.0, NOT_KNOWN: 20.0})
    assert found == {("b", MET): (low, high, 100 * 0.405 / 0.45)}


def test_categories_add_to_one_in_each_group():
    """Two hidden categories are what the shown one leaves, and what the other group leaves of all."""
    codes = list("yzu")
    whole = table("x", category=codes, estimate=[0.4, 0.3, 0.3])
    one = {"g": ["a"] * 3, "category": codes, "estimate": [0.5, np.nan, np.nan]}
    alone = known(table("x_by_g", by=("g",), **one), g={"a": 100.0})
    assert alone == {("a", "z"): (0, 50.5, 100), ("a", "u"): (0, 50.5, 100)}
    both = {"g": [*"aaabbb"], "category": codes * 2, "estimate": [0.5, np.nan, np.nan, 0.3, 0.5, 0.2]}
    found = known(whole, table("x_by_g", by=("g",), **both), g=HALVES)
    assert found == {("a", "z"): (8.5, 11.5, 61), ("a", "u"): (38.5, 41.5, 61)}


def test_a_condition_is_a_category_of_another_variable():
    """Tenants of a group are shown in their own table, and hidden as a category: the one tells the other."""
    hidden = {"g": ["a", "a", "b", "b"], "category": ["rent", "own"] * 2, "estimate": [np.nan, np.nan, 0.6, 0.4]}
    tenure, whole = (
        table("tenure_by_g", by=("g",), **hidden),
        table("tenure", category=["rent", "own"], estimate=[0.4, 0.6]),
    )
    tenant, same = table("tenant_by_g", by=("g",), g=["a", "b"], estimate=[0.2, 0.6]), {"tenant": ("tenure", "rent")}
    assert known(tenure, tenant, same=same, g=HALVES)["a", "rent"] == (19.5, 20.5, 100)
    assert known(tenure, tenant, same=same, g=HALVES)["a", "own"] == (79.5, 80.5, 100)
    assert known(tenure, tenant, g=HALVES)["a", "rent"] == (0, 100, 100)
    gone = table("tenant_by_g", by=("g",), g=["a", "b"], estimate=[np.nan, 0.6])
    assert known(whole, gone, same=same, g=HALVES) == {("a", "rent"): (18.5, 21.5, 81)}


def test_a_number_of_persons_is_a_share_of_all():
    """80 of 200 persons, to ten, are 0.375 to 0.425 of them; a hidden number tells nothing."""
    parts = table("x_by_g", **GROUPS)
    total = table("x_total", statistic="total", estimate=[80.0], step=10.0)
    assert known(total, parts, g=HALVES) == {("b", MET): (24.5, 35.5, 85)}
    hidden = table("x_total", statistic="total", estimate=[np.nan], step=10.0)
    assert known(hidden, parts, g=HALVES) == {("b", MET): (0, 100, 100)}


def test_the_active_are_the_active_of_the_table_by_status():
    """One that is of the active alone, and its groups, speak of the cell that the table by status hides."""
    status = table("x_by_status", by=("status",), status=["active", "retired"], estimate=[np.nan, 0.3])
    active, weights = {"where": "status = active"}, {"active": 150.0, "retired": 50.0}
    assert known(status, table("x_active", estimate=[0.4], **active), status=weights)["active", MET] == (
        39.5,
        40.5,
        100,
    )
    rank = table("x_by_rank", by=("rank",), rank=["low", "high"], estimate=[0.2, 0.6], **active)
    found = known(status, rank, status=weights, rank={"low": 100.0, "high": 100.0})
    assert found["active", MET] == (39.5, 40.5, 100)
    other = table("x_here", estimate=[0.4], where="status = active | widow")
    assert known(status, other, status=weights)["active", MET] == (0, 100, 100)


def test_what_is_no_share_of_all_answers_is_left_out():
    """A share of another sample, a mean, two groups at once, and what is too unsure to be shown."""
    parts, open_ = table("x_by_g", **GROUPS), {("b", MET): (0, 100, 100)}
    whole = {"estimate": [0.4]}
    others = table("x_late", of="followup", **whole), table("x_mean", statistic="mean", **whole)
    both = table("x_by_g_h", by=("g", "h"), g=["b"], h=["c"], estimate=[0.3])
    assert known(parts, *others, g=HALVES) == open_
    assert known(parts, both, g=HALVES) == open_
    assert known(parts, table("x", estimate=[np.nan], flag="unsure"), g=HALVES) == open_
    assert known(table("x", estimate=[np.nan])) == {("", MET): (0, 100, 100)}


def test_a_tenth_is_of_the_smaller_side():
    """Of 100 respondents 95 meet a condition: five must stay open below, and above where so many are left."""
    found = pd.DataFrame({"n": 100.0, "low": [88, 91, 88, 0], "high": [100, 100, 99, 100], "most": 100.0})
    assert too_tight(found, pd.Series([95.0, 95, 95, 95])).index.tolist() == [1, 2]
    assert too_tight(found.assign(most=99.0), pd.Series([95.0, 95, 95, 95]))["truth"].tolist() == [95.0]


@pytest.fixture(scope="module", params=[(1790, 7)])
def small(request):
    size, seed = request.param
    world = generate(Parameters.read(DATA / "public"), seed, "rich", size=size)
    return Study.of(world.answers, world.register, world.followup, Study.open().codebook)


def test_no_hidden_cell_of_a_small_institution_is_known(small):
    """Every hidden share leaves five respondents, or a tenth, open on both sides."""
    known, many = attacked(small)
    assert many > 50
    assert not len(known), known.to_string()


def test_no_hidden_cell_of_the_stand_in_is_known():
    """As for small institutions."""
    known, many = attacked(Study.open())
    assert many > 10
    assert not len(known), known.to_string()
