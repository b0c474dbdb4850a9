"""Domains: what `by` and `where` may be, and what names them."""

import numpy as np
import pandas as pd
import pytest

from welfare_analysis.errors import WelfareError
from welfare_analysis.estimation import Design, mean, share


def test_only_levels_that_are_there(example, drawn):
    """Categories that nobody is in give no domain; the order is that of the categories."""
    f = example(2)
    d = pd.Categorical(f["d"], categories=["out", "abroad", "in"])
    assert mean(drawn(f), f["y"], by=pd.Series(d)).value.index.tolist() == ["out", "in"]


def test_a_domain_is_a_mask(example, drawn):
    """Each combination of `by` equals `where` of it; booleans may be nullable or objects, and missing is outside."""
    f = example(2)
    parts = mean(drawn(f), f["y"], by=[f["d"], f["b"]])
    for (d, b), value in parts.value.items():
        whole = mean(drawn(f), f["y"], where=((f["d"] == d) & (f["b"] == b)).astype("boolean").mask(f["d"] != d))
        assert value == pytest.approx(whole.value.iloc[0], rel=1e-12)
        assert parts.se[(d, b)] == pytest.approx(whole.se.iloc[0], rel=1e-12)
    kept = f["b"].astype(object).where(f.index > 2, None)
    assert mean(drawn(f), f["y"], where=kept).counts["n"].iloc[0] == f["b"][3:].sum()
    assert mean(drawn(f), f["y"], by=kept).counts["n"].sum() == len(f) - 3


def test_a_list_of_labels_is_one_column(example, drawn):
    """A plain list of labels is one `by`; a frame is as many as it has columns."""
    f = example(2)
    assert mean(drawn(f), f["y"], by=f["d"].tolist()).value.index.name == "domain_1"
    assert mean(drawn(f), f["y"], by=f[["d", "b"]]).value.index.names == ["d", "b"]


def test_the_table_names_variable_and_domain(example, drawn):
    """Variable, domains, then numbers: also of one variable, and of categories under their own name."""
    f = example(2)
    numbers = ["estimate", "se", "low", "high", "deff", "n", "n_weighted", "missing"]
    one = mean(drawn(f), f["y"], by=f["d"]).table()
    assert [*one] == ["variable", "d", *numbers]
    assert set(one["variable"]) == {"y"}
    assert [*mean(drawn(f), f[["y", "x"]], by=f["d"]).table()] == ["variable", "d", *numbers]
    assert [*mean(drawn(f), f["y"]).table()] == ["variable", *numbers]
    assert [*share(drawn(f), f["d"], by=f["b"]).table()] == ["category", "b", *numbers]


@pytest.mark.parametrize(
    ("by", "where", "message"),
    [
        (None, "d", "where: it is not a mask; got 'str'"),
        (None, "psu", "where: it is not a mask; got 'int64'"),
        (["d", "d"], None, "by: a name is taken; got .'d'"),
        ("estimate", None, "by: a name is taken; got .'estimate'"),
        ("nothing", None, "no respondent is in the domain"),
    ],
)
def test_bad_domains(example, drawn, by, where, message):
    """A mask that is no mask, names that a table cannot show and a domain of nobody are errors."""
    f = example(2).assign(estimate=1, nothing=np.nan)
    with pytest.raises(WelfareError, match=message):
        mean(
            drawn(f),
            f["y"],
            by=None if by is None else f[by] if by != ["d", "d"] else [f["d"]] * 2,
            where=None if where is None else f[where],
        )


def test_domains_are_named_by_columns_of_the_designs_frame():
    """``by="sex"`` is the column of that name, after calibration too; another name is an error that helps."""
    frame = pd.DataFrame({"sex": ["m", "f"] * 6, "age": np.arange(12.0), "rank": list("aabb") * 3})
    design = Design(pd.Series(2.0, frame.index)).with_frame(frame)
    for own in (design, design.superpopulation(), design.calibrate({"sex": {"m": 13, "f": 11}}, frame)):
        named = mean(own, frame["age"], by=["sex", "rank"])
        given = mean(own, frame["age"], by=[frame["sex"], frame["rank"]])
        pd.testing.assert_series_equal(named.value, given.value)
        pd.testing.assert_series_equal(named.se, given.se)
    with pytest.raises(WelfareError, match="by: no such column; got 'region'"):
        mean(design, frame["age"], by="region")
    with pytest.raises(WelfareError, match=r"Pass columns: by=frame\[...\]"):
        mean(Design(np.ones(12)), np.arange(12.0), by="sex")
    with pytest.raises(WelfareError, match="not a row for each"):
        design.with_frame(frame.head(3))


def test_lists_are_no_levels():
    """Several answers in one cell have no domain."""
    with pytest.raises(WelfareError, match="by: a row holds a list"):
        mean(Design(np.ones(4)), np.arange(4.0), by=pd.Series([["a"], ["b"], ["a"], ["a", "b"]]))
