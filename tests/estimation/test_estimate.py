"""What an estimate tells: functions of it, and what the sample cannot tell."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from welfare_analysis.errors import WelfareError
from welfare_analysis.estimation import Design, joint, linear, logistic, logit, mean, quantile, share, total


@pytest.mark.parametrize("statistic", [mean, quantile, lambda d, y, **kw: total(d, y, missing="mean", **kw)])
def test_one_respondent_tells_no_error(example, drawn, statistic):
    """A domain of one respondent (or with all in one PSU) has an infinite standard error, never zero or nan."""
    f = example(1)
    y = f["y"].mask(f.index == 1)
    for part in (f.index < 2, f["psu"] == f["psu"][0]):
        e = statistic(drawn(f), y, where=part)
        assert e.se.iloc[0] == np.inf
        assert e.interval().iloc[0].tolist() == [-np.inf, np.inf]
        assert e.deff().iloc[0] == np.inf
        assert e.covariance().iloc[0, 0] == np.inf


def test_one_respondent_leaves_the_others(example, drawn):
    """What is not told of one domain leaves the others, and goes into every function that uses it, and only those."""
    f = example(1)
    d = f["d"].where(f.index > 0, "alone")
    m, rest = mean(drawn(f), f["y"], by=d), mean(drawn(f), f["y"], by=f["d"], where=f.index > 0)
    np.testing.assert_allclose(m.se[["in", "out"]], rest.se, rtol=1e-12)
    gaps = m.apply(lambda v: pd.Series({"told": v["in"] - v["out"], "not": v["in"] - v["alone"]}))
    assert gaps.se["told"] == pytest.approx(rest.apply(lambda v: v["in"] - v["out"]).se.iloc[0], rel=1e-9)
    assert gaps.se["not"] == np.inf
    assert gaps.apply(lambda v: v["not"] - v["told"]).se.iloc[0] == np.inf
    assert m.apply(lambda v: pd.Series([v["alone"], -v["alone"]])).apply(lambda v: v.sum()).se.iloc[0] == np.inf


def test_the_bounded_table_is_part_of_the_whole_table(example, drawn):
    """It has the same labels, estimates, bounds and counts, with and without domains."""
    f = example(1)
    for estimate in (mean(drawn(f), f["y"]), share(drawn(f), f["d"], by=f["stratum"])):
        table = estimate.table()
        told = estimate.bounded()
        assert [*told] == [name for name in table if name not in ("se", "deff", "n_weighted", "missing")]
        pd.testing.assert_frame_equal(told, table[[*told]])


def test_a_total_of_one_respondent_is_told(example):
    """The total of a domain of one respondent has an error: others might have been drawn instead."""
    f = example(1)
    t = total(Design(f["w"]), f["y"], where=f.index == 0)
    n, u = len(f), f["w"][0] * f["y"][0]
    assert t.se.iloc[0] ** 2 == pytest.approx(n / (n - 1) * (u**2 - u**2 / n))
    both = total(Design(f["w"]), f["y"].mask(f.index == 5), by=(f.index == 0) * 1, missing="mean")
    assert both.se.iloc[1] == pytest.approx(t.se.iloc[0])


def test_answers_that_are_all_alike(example, drawn):
    """The estimate of a constant is the constant in every sample: its error is zero and its design effect 1."""
    f = example(1)
    for e in (mean(drawn(f), 0 * f["y"] + 3), quantile(drawn(f), 0 * f["y"] + 3)):
        assert e.table().iloc[0, 1:6].tolist() == pytest.approx([3, 0, 3, 3, 1])
        assert e.se.iloc[0] == 0


def test_a_function_of_what_is_known():
    """A mean of zero without error, as in a census, goes through functions: the step of the delta method is then 1."""
    known = mean(Design(np.ones(4), fpc=np.full(4, 4)), np.array([-1.0, 1, -2, 2]))
    e = known.apply(lambda v: 2 + 5 * v)
    assert (e.value.iloc[0], e.se.iloc[0]) == (2, 0)


def test_design_effect_by_hand():
    """The variance over that of a simple random sample; as many rows as people leave no finite correction."""
    y, psu = np.array([1.0, 2, 3, 7, 8, 9]), np.repeat([0, 1, 2], 2)
    m = mean(Design(np.ones(6), psu=psu), y)
    assert m.deff().iloc[0] == pytest.approx(m.se.iloc[0] ** 2 / (y.var(ddof=1) / 6))
    double = mean(Design(np.full(6, 2.0), psu=psu), y)
    assert double.deff().iloc[0] == pytest.approx(m.deff().iloc[0] / (1 - 6 / 12))
    assert double.deff(replacement=True).iloc[0] == pytest.approx(m.deff().iloc[0])


def test_many_variables_are_each_alone(example, drawn):
    """Variables by domains are estimated as one variable in one domain at a time; the answers may have gaps."""
    f = example(2)
    y = f[["y", "x"]].assign(b=f["b"] * 1.0, gap=f["y"].where(f.index > 2))
    for statistic in (mean, lambda *a, **kw: total(*a, **kw, missing="mean")):
        both = statistic(drawn(f), y, by=f["d"])
        for (name, d), se in both.se.items():
            one = statistic(drawn(f), y[name], where=f["d"] == d)
            assert se == pytest.approx(one.se.iloc[0], rel=1e-10)
            assert both.df[(name, d)] == one.df.iloc[0]
            assert both.counts.loc[(name, d)].tolist() == pytest.approx(one.counts.iloc[0].tolist())


def test_extra_covariance_is_in_every_interval(example, drawn):
    """What has no influence adds to the variances, to the covariance and, by the delta method, to functions."""
    f = example(2)
    m = mean(drawn(f), f[["y", "x"]])
    extra = np.array([[2.0, 0.5], [0.5, 1.0]])
    more = type(m)(m.value, m.design, m.compute, m.df, m.counts, extra_covariance={"imputed": extra, "model": extra})
    np.testing.assert_allclose(more.covariance(), m.covariance() + 2 * extra)
    np.testing.assert_allclose(more.se**2, m.se**2 + 2 * np.diag(extra))
    half = stats.t.ppf(0.975, m.df) * more.se
    np.testing.assert_allclose(more.interval()["high"], m.value + half)
    a, b = more.apply(lambda v: v["y"] - 2 * v["x"]), m.apply(lambda v: v["y"] - 2 * v["x"])
    assert a.se.iloc[0] ** 2 == pytest.approx(b.se.iloc[0] ** 2 + 2 * (2 + 4 - 2))


def test_a_function_of_estimates_keeps_the_least_df_and_counts(example, drawn):
    """Degrees of freedom and counts are the least of what a result uses; of all, where it uses none."""
    f = example(2)
    m = mean(drawn(f), f["y"], by=f["stratum"])
    e = m.apply(lambda v: pd.Series({"two": v[0] * v[1], "one": v[2] ** 2, "none": 7.0}))
    n, df = m.counts["n"], m.df
    assert e.df.tolist() == [df[[0, 1]].min(), df[2], df.min()]
    assert e.counts["n"].tolist() == [n[[0, 1]].min(), n[2], n.min()]
    assert e.interval().loc["none"].tolist() == [7, 7]
    assert (e.value.index.name, m.apply(lambda v: v / v[0]).value.index.name) == ("variable", "stratum")


def test_the_delta_method_by_hand():
    """Exp and a product of means have the standard errors of calculus, also at a mean of zero."""
    y = pd.DataFrame({"a": [-1.0, 0.0, 1.0, 2.0, -2.0], "b": [1.0, 4.0, 2.0, 8.0, 5.0]})
    m = mean(Design(np.ones(5)), y)
    assert m.value["a"] == 0
    assert m.apply(lambda v: np.exp(v["a"])).se.iloc[0] == pytest.approx(m.se["a"], rel=1e-9)
    assert m.apply(lambda v: v["a"] * v["b"]).se.iloc[0] == pytest.approx(m.value["b"] * m.se["a"], rel=1e-9)
    assert m.apply(lambda v: v["b"] ** 3).se.iloc[0] == pytest.approx(3 * 16 * m.se["b"], rel=1e-9)


@pytest.mark.parametrize(
    ("f", "message"),
    [
        (lambda v: np.log(-v), "apply: the function is not finite; got .'y': nan"),
        (lambda v: 1 / (v["y"] - v["y"]), "apply: the function is not finite"),
        (lambda v: v.to_frame(), "apply: not numbers; got 'DataFrame'"),
        (lambda v: "high", "apply: not numbers"),
    ],
)
def test_functions_that_cannot_be(example, drawn, f, message):
    """A function that is not finite at the values, or gives no numbers, is an error."""
    frame = example(2)
    with pytest.raises(WelfareError, match=message):
        mean(drawn(frame), frame["y"]).apply(f)


@pytest.mark.parametrize("level", [0, 1, 95])
def test_levels_that_cannot_be(example, drawn, level):
    """A level of confidence lies between 0 and 1."""
    frame = example(2)
    with pytest.raises(WelfareError, match="level: not between 0 and 1"):
        mean(drawn(frame), frame["y"]).interval(level)


# Every case of design and weights that must have a defined result or error. Weights that are missing, zero, negative,
# infinite or text, and single-PSU strata: test_design; margins and their gaps: test_calibration.


def test_weights_that_add_up_to_the_sample(example, drawn):
    """Weights scaled to the sample's size give the same means, errors and shares; totals are the sample's."""
    f = example(5)
    small = drawn(f.assign(w=f["w"] * len(f) / f["w"].sum()))
    for statistic in (lambda d: mean(d, f["y"], by=f["d"]), lambda d: share(d, f["b"])):
        a, b = statistic(small), statistic(drawn(f))
        np.testing.assert_allclose([*a.value, *a.se, *a.df], [*b.value, *b.se, *b.df], rtol=1e-10)
    counted = total(small, pd.Series(2.0, index=f.index))
    assert counted.value.iloc[0] == pytest.approx(2 * len(f))


def test_domains_of_nobody_one_and_two(example):
    """A domain of nobody is an error; one respondent has no finite error; two have one."""
    f = example(5)
    design = Design(f["w"])
    f["part"] = np.where(f.index == 0, "one", np.where(f.index < 3, "two", "others"))
    m = mean(design, f["y"], by=f["part"])
    assert m.se["one"] == np.inf
    assert 0 < m.se["two"] < np.inf
    assert tuple(m.interval().loc["one"]) == (-np.inf, np.inf)
    with pytest.raises(WelfareError, match="no respondent is in the domain"):
        mean(design, f["y"], where=f["part"] == "nobody")
    with pytest.raises(WelfareError, match=r"no respondent answered; got .*'one'"):
        mean(design, f["y"].where(f["part"] != "one"), by=f["part"])


def test_shares_at_the_edge_and_constants(example, drawn):
    """A share of exactly 0 or 1 has an error and bounds within 0 and 1; an amount that is constant has none."""
    f = example(5)
    for value in (0.0, 1.0):
        s = share(drawn(f), pd.Series(value, index=f.index))
        low, high = s.interval().iloc[0]
        assert s.value.iloc[0] == value
        assert 0 < s.se.iloc[0] < 1
        assert 0 <= low < high <= 1
    fixed = mean(drawn(f), pd.Series(7.5, index=f.index))
    assert fixed.value.iloc[0] == pytest.approx(7.5)
    assert (fixed.se.iloc[0], fixed.deff().iloc[0]) == (0, 1)


@pytest.mark.parametrize(
    ("fit", "message"),
    [
        (lambda d, f: logistic(d, f, "sign ~ x"), "no maximum.*got .'Intercept', 'x'"),
        (lambda d, f: logistic(d, f, "coin ~ x + twice"), "collinear; got .'x', 'twice'"),
        (lambda d, f: linear(d, f, "y ~ x + twice"), "collinear"),
        (lambda d, f: logistic(d, f, "one ~ x"), "the outcome does not vary"),
        (
            lambda d, f: linear(Design(np.ones(3)), f.head(3), "y ~ x + coin + z + sign"),
            "no more cases than parameters",
        ),
    ],
)
def test_models_that_are_not_told(fit, message):
    """Separation, collinear columns, an outcome that is constant and too few cases are errors that name them."""
    rng = np.random.default_rng(0)
    f = pd.DataFrame({"x": rng.normal(size=40), "y": rng.normal(size=40), "z": rng.normal(size=40)})
    f = f.assign(coin=rng.integers(0, 2, 40), twice=2 * f["x"], one=1, sign=(f["x"] > 0).astype(int))
    with pytest.raises(WelfareError, match=message):
        fit(Design(np.ones(40)), f)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c, "an alternative is never chosen; got .'c'"),
        (lambda c: c.where(np.arange(60) // 3 != 3, 0), "no alternative is chosen in a case"),
        (lambda c: c.where(np.arange(60) // 3 != 3, 1), "two alternatives or more are chosen in a case"),
    ],
)
def test_choices_that_are_none(change, message):
    """An alternative that nobody chose, and a case without a choice or with two, are errors."""
    rng = np.random.default_rng(0)
    chosen = pd.Series((np.tile([0, 1, 2], 20) == np.repeat(rng.integers(0, 2, 20), 3)).astype(int))
    f = pd.DataFrame({"case": np.repeat(np.arange(20), 3), "alt": ["a", "b", "c"] * 20, "cost": rng.normal(size=60)})
    with pytest.raises(WelfareError, match=message):
        logit(None, f.assign(chosen=change(chosen)), "chosen ~ alt + cost", case="case", alternative="alt")


def test_an_interval_of_a_count_is_the_one_of_its_logarithm(apistrat):
    """By R: ``svycontrast(svytotal(~I(sch.wide == "No"), dstrat), quote(log(...)))``, exp of its t interval.

    survey 4.1.1, R 4.2.2; ``degf`` is 197.
    """
    f = apistrat
    count = total(Design(f["pw"], strata=f["stype"], fpc=f["fpc"]), f["sch.wide"].astype(str) == "No")
    found = [count.value.iloc[0], count.se.iloc[0], *count.interval().iloc[0]]
    assert found == pytest.approx([1065.690010071, 150.791566999, 806.202689855, 1408.696859805], rel=1e-9)


def test_a_count_of_few_is_missed_from_both_sides_alike():
    """Exact coverage by all samples of 600 of 9,830, of which some 15 to 28 are counted (hypergeometric law).

    Symmetric intervals hold 94.1 % and lie below the truth in 4.7 %: where few are drawn the error seems small too.
    """
    size, n, drawn, missed = 9830, 600, np.arange(1, 100), []
    design = Design(np.full(n, size / n), fpc=np.full(n, float(size)))
    bounds = total(design, pd.DataFrame(np.arange(n)[:, None] < drawn)).interval()
    for truth in range(250, 451, 5):
        chance = stats.hypergeom(size, truth, n).pmf(drawn)
        missed.append((chance @ (bounds["high"] < truth), chance @ (bounds["low"] > truth)))
    below, above = np.mean(missed, axis=0)
    assert 1 - below - above >= 0.95
    assert below <= 0.025
    assert above <= 0.035


def test_sums_of_counts_are_counts_and_differences_are_not(example, drawn):
    """Intervals of counts and of sums of them are multiplied and divided by one factor; of differences, symmetric."""
    f = example(3)
    design = drawn(f)
    counts = total(design, pd.DataFrame({"a": f["y"] > f["y"].median(), "b": f["y"] > f["y"].quantile(0.8)}))
    several = joint({"counts": counts, "amount": total(design, f["y"])}).apply(
        lambda v: pd.Series([v.iloc[0] + 2 * v.iloc[1], v.iloc[0] - v.iloc[1], v.iloc[0] + v.iloc[2], 9 - v.iloc[0]])
    )
    assert several.positive.tolist() == [True, False, False, False]
    value, bounds = several.value.to_numpy(), several.interval().to_numpy().T
    np.testing.assert_allclose((bounds[0] * bounds[1])[0], value[0] ** 2, rtol=1e-9)
    np.testing.assert_allclose(bounds.mean(axis=0)[1:], value[1:], rtol=1e-9)
    assert total(design, f["y"] > f["y"].max()).as_positive().interval().notna().all(axis=None)
