"""An attacker with the published tables, the register and who answered, on small institutions and on the stand-in."""

import numpy as np
import pandas as pd
import pytest

from welfare_analysis.disclosure import CATEGORY, policy
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
