"""Hypothesis tests: their algebra, their size under the hypothesis, and errors."""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.multitest import multipletests

from welfare_analysis.errors import WelfareError
from welfare_analysis.estimation import (
    Design,
    adjusted_p,
    contrast,
    differences,
    independence,
    mean,
    rank_test,
    share,
    t_tests,
    total,
    wald,
)

sys.path.append(str(Path(__file__).parents[1] / "simulation"))
import independence_size

SEEDS = st.integers(0, 2**32 - 1)
few = settings(max_examples=15, deadline=None)


@few
@given(seed=SEEDS, a=st.floats(-3, 3))
def test_a_contrast_has_the_covariance_of_what_it_compares(example, drawn, seed, a):
    """Weighted sums of estimates have the variance c' V c, several at once with their covariance."""
    f = example(seed)
    m = mean(drawn(f), f[["y", "x"]], by=f["d"])
    both = {"gap": {("y", "in"): 1, ("y", "out"): -1}, "mix": {("x", "in"): a, ("y", "out"): 2}}
    c, V = np.array([[1, -1, 0, 0], [0, 2, a, 0]]), m.covariance().to_numpy()
    found = contrast(m, both)
    assert list(found.value.index) == ["gap", "mix"]
    np.testing.assert_allclose(found.value, c @ m.value, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(found.covariance(), c @ V @ c.T, rtol=1e-6, atol=1e-9)
    one = contrast(mean(drawn(f), f["y"], by=f["d"]), {"in": 1, "out": -1})
    assert one.se.iloc[0] == pytest.approx(found.se["gap"], rel=1e-9)


def test_differences_are_all_pairs_or_to_a_reference(example, drawn):
    """Pairs are named later less earlier; against a reference each other value has one."""
    f = example(3)
    m = mean(drawn(f), f["y"], by=f["stratum"])
    pairs, first = differences(m), differences(m, 1)
    assert list(pairs.value.index) == ["1 - 0", "2 - 0", "2 - 1"]
    assert list(first.value.index) == ["0 - 1", "2 - 1"]
    assert pairs.value["2 - 0"] == pytest.approx(m.value[2] - m.value[0])
    assert first.se["2 - 1"] == pytest.approx(pairs.se["2 - 1"], rel=1e-9)
    cells = differences(mean(drawn(f), f["y"], by=[f["d"], f["b"]]))
    assert cells.value.index[0] == "in, True - in, False"


def test_t_tests_of_an_unweighted_sample(example):
    """With weights of one the test of a mean is Student's; p are adjusted for all of the table together."""
    f = example(5)
    table = t_tests(mean(Design(np.ones(len(f))), f[["y", "x"]]), null=9.0)
    for name in ("y", "x"):
        plain = stats.ttest_1samp(f[name], 9.0)
        assert table.loc[name, ["t", "p", "df"]].tolist() == pytest.approx([plain.statistic, plain.pvalue, plain.df])
    p = np.array([0.01, 0.04, 0.03, 0.5])
    assert adjusted_p(p) == pytest.approx([0.04, 0.09, 0.09, 0.5])  # by hand: 4p, 3p, 2p, p
    pairs = differences(mean(Design(f["w"]), f["y"], by=f["stratum"]))
    assert adjusted_p(np.insert(p, 2, np.nan)) == pytest.approx([0.04, 0.09, np.nan, 0.09, 0.5], nan_ok=True)
    for method in ("holm", "fdr_bh"):
        found = t_tests(pairs, adjust=method)
        np.testing.assert_allclose(found["p_adjusted"], multipletests(found["p"], method=method)[1])
    assert (t_tests(pairs)["p_adjusted"] > t_tests(pairs)["p"]).any()


def test_wald_is_anova(example):
    """Of independent groups with weights of one Wald's W is the sum over groups of squared t, q = groups - 1 left."""
    f = example(7)
    m = mean(Design(np.ones(len(f))), f["y"], by=f["stratum"])
    found = wald(differences(m, 0), correction=False)
    v = (m.se**2).to_numpy()  # means of domains are uncorrelated here
    pooled = (m.value / v).sum() / (1 / v).sum()
    assert found.statistic == pytest.approx((((m.value - pooled) ** 2) / v).sum() / 2, rel=1e-6)
    assert (found.df, found.df_error) == (2, m.df.min())
    corrected = wald(differences(m, 0), df=12)
    assert corrected.statistic == pytest.approx(found.statistic * 11 / 12, rel=1e-9)
    assert (corrected.df_error, corrected.p) == (11, pytest.approx(stats.f.sf(corrected.statistic, 2, 11)))
    same = wald(m, null=m.value.to_numpy())
    assert (same.statistic, same.p) == (0, 1)
    one = wald(differences(mean(Design(np.ones(len(f))), f["y"], by=f["d"])))
    row = t_tests(differences(mean(Design(np.ones(len(f))), f["y"], by=f["d"]))).iloc[0]
    assert (one.statistic, one.p) == pytest.approx((row["t"] ** 2, row["p"]))


def test_wald_does_not_depend_on_the_contrasts(example, drawn):
    """Equality of groups has one statistic, whichever group is the reference, whatever the unit of the variable."""
    f = example(9)
    m = mean(drawn(f), f["y"], by=f["d"] + f["b"].astype(str))
    found = [wald(differences(e, r), df=30).statistic for e, r in ((m, m.value.index[0]), (m, m.value.index[2]))]
    found.append(
        wald(
            differences(mean(drawn(f), f["y"] * 1e6, by=f["d"] + f["b"].astype(str)), m.value.index[1]), df=30
        ).statistic
    )
    np.testing.assert_allclose(found, found[0], rtol=1e-5)


def test_independence_of_an_unweighted_sample():
    """In a simple random sample the effects are near one and the first order is Pearson's chi-squared."""
    rng = np.random.default_rng(3)
    n = 4000
    a, b = rng.integers(0, 3, n), rng.integers(0, 2, n)
    found = independence(Design(np.ones(n)), a, b, statistic="chisq")
    plain = stats.chi2_contingency(pd.crosstab(a, b), correction=False)
    assert (found.statistic, found.df) == pytest.approx((plain.statistic, plain.dof))
    assert found.p == pytest.approx(plain.pvalue, abs=0.01)
    second = independence(Design(np.ones(n)), a, b)
    assert second.df == pytest.approx(2, abs=0.01)
    assert second.df_error == pytest.approx(second.df * (n - 1))


@few
@given(seed=SEEDS)
def test_independence_is_symmetric(example, drawn, seed):
    """Rows and columns may be exchanged, categories renamed, weights scaled; missing answers are left out."""
    f = example(seed)
    a, b = f["d"], pd.cut(f["y"], 3, labels=list("xyz")).astype(object).where(f.index != 2)
    first = independence(drawn(f), a, b)
    scaled = Design(f["w"] * 7, strata=f["stratum"], psu=f["psu"], fpc=f["fpc"])
    renamed = b.replace({"x": "w"}).rename("b")
    for other in (
        independence(drawn(f), b, a),
        independence(scaled, a.map({"in": 2, "out": 1}), renamed),
        independence(drawn(f), a, b.where(b.notna(), "q"), where=f.index != 2),
    ):
        assert (other.statistic, other.df, other.p) == pytest.approx((first.statistic, first.df, first.p), rel=1e-8)


EMPTY = {
    "a row of three": (
        np.repeat([0, 0, 1, 1, 2], [40, 50, 45, 55, 3]),
        np.repeat([0, 1, 0, 1, 0], [40, 50, 45, 55, 3]),
    ),
    "ten of sixty": (np.repeat(["p", "q"], [10, 50]), np.repeat(["s", "r", "s"], [10, 20, 30])),
    "two of the diagonal": (np.repeat([0, 1, 1], [20, 20, 30]), np.repeat([0, 1, 2], [20, 20, 30])),
    "two halves alike": (np.repeat([0, 1], 30), np.repeat([0, 1], 30)),
}


@pytest.mark.parametrize("table", EMPTY)
def test_an_empty_cell_in_a_simple_random_sample(table):
    """An independent computation: without clusters or strata the test is Pearson's, times (n - 1) / n."""
    a, b = EMPTY[table]
    n, plain = len(a), stats.chi2_contingency(pd.crosstab(a, b), correction=False)
    first, second = (independence(Design(np.ones(n)), a, b, statistic=s) for s in ("chisq", "F"))
    assert first.statistic == pytest.approx(plain.statistic)
    assert first.p == pytest.approx(stats.chi2.sf(plain.statistic * (n - 1) / n, plain.dof), rel=1e-9)
    f = plain.statistic * (n - 1) / n / plain.dof
    assert second.p == pytest.approx(stats.f.sf(f, plain.dof, plain.dof * (n - 1)), rel=1e-9)


def test_an_empty_cell_in_clusters():
    """Of clusters that are all alike within, the test is that of one answer a cluster."""
    a, b = EMPTY["ten of sixty"]
    one, many = (
        independence(Design(np.ones(60 * m), psu=np.repeat(np.arange(60), m)), np.repeat(a, m), np.repeat(b, m))
        for m in (1, 7)
    )
    assert (many.statistic, many.df, many.p) == pytest.approx((one.statistic, one.df, one.p), rel=1e-9)


def test_the_correction_by_hand():
    """In equal clusters: design effects of the products from sums of clusters, times 15 / 14, and Huynh and Feldt's d.

    An independent computation: of the residuals (a - p)(b - q) of the answers and their sums in clusters.
    """
    rng = np.random.default_rng(2)
    clusters, m = 15, 12
    psu, n = np.repeat(np.arange(clusters), m), clusters * m
    a, b = (np.where(rng.random(n) < 0.8, rng.integers(0, k, clusters)[psu], rng.integers(0, k, n)) for k in (3, 4))
    found = independence(Design(np.full(n, 7.0), psu=psu), a, b)
    marks = [np.eye(k)[v] for k, v in ((3, a), (4, b))]
    residuals = np.einsum("ki,kj->kij", *((v - v.mean(axis=0))[:, :-1] for v in marks)).reshape(n, 6)
    sums = np.add.reduceat(residuals - residuals.mean(axis=0), np.arange(0, n, m)) / n
    V = n * clusters / (clusters - 1) * sums.T @ sums * clusters / (clusters - 1)
    expected = np.outer(*(v.mean(axis=0) for v in marks))
    gap = np.einsum("ki,kj->ij", *marks) / n - expected
    root = np.linalg.inv(np.linalg.cholesky(np.cov(residuals.T, bias=True)))  # of a simple random sample
    effects = np.linalg.eigvalsh(root @ V @ root.T)
    one, two, nu = effects.sum() ** 2, (effects**2).sum(), clusters - 1
    d = min(((nu + 1) * one - 2 * two) / (nu * two - one), 6)
    statistic = n * (gap**2 / expected).sum() / effects.sum()
    assert one / two < d < 6
    assert (found.statistic, found.df, found.df_error) == pytest.approx((statistic, d, nu * d), rel=1e-9)
    assert found.p == pytest.approx(stats.f.sf(statistic, d, nu * d), rel=1e-9)


@pytest.mark.parametrize(
    ("cell", "samples", "lowest"), [("2x2 srs_60 rare", 1500, 0.03), ("2x2 30_by_20 rare", 1000, 0.0)]
)
def test_the_size_is_held(cell, samples, lowest):
    """Simulation of the hypothesis: of 5 % at most 6 % are rejected, beyond three errors of the simulation."""
    p = np.array([independence_size.one_sample(cell, seed, ["corrected"])[0] for seed in range(samples)])
    rejected, error = (p < 0.05).mean(), np.sqrt(0.05 * 0.95 / samples)
    assert lowest - 3 * error <= rejected <= 0.06 + 3 * error


def test_sizes_of_the_long_simulation():
    """`make validate` stores the size in all cells: at most 6 %, and 3 % where tables are full and clusters many."""
    table = pd.read_csv(Path(__file__).parents[2] / "data" / "reference" / "independence_size.csv")
    assert set(table["cell"]) == set(independence_size.CELLS)
    error = table["monte_carlo_error"]
    assert (table["rejected"] <= 0.06 + 2.5 * error).all()
    full = (table["least_expected"] >= 5) & (table["psus"] >= 10 * table["interactions"])
    assert full.sum() >= 10
    assert (table.loc[full, "rejected"] >= 0.03 - 2.5 * error[full]).all()


def test_sizes():
    """Under the hypothesis 1.5 to 9.5 % of 200 clustered samples are rejected at 5 %, by a naive test over 12 %."""
    rng = np.random.default_rng(17)
    psu = np.repeat(np.arange(40), 8)
    design, p = Design(np.ones(320), psu=psu), []
    for _ in range(200):
        level = rng.normal(size=40)[psu]
        a, thirds = (
            level + rng.normal(size=320),
            np.digitize(rng.normal(size=40)[psu] + rng.normal(size=320), [-0.6, 0.6]),
        )
        first, second = (independence(design, a > 0, thirds, statistic=s) for s in ("chisq", "F"))
        p.append([second.p, stats.chi2.sf(first.statistic, 2), rank_test(design, np.exp(a), thirds).p])
    second, naive, rank = (np.array(p) < 0.05).mean(axis=0)
    assert 0.015 <= second <= 0.095
    assert 0.015 <= rank <= 0.095
    assert naive > 0.12


def test_ranks_of_an_unweighted_sample():
    """The two-group test is near Wilcoxon's, the other near Kruskal and Wallis's; both see only the order."""
    rng = np.random.default_rng(8)
    y, g = rng.normal(size=600).round(1), rng.integers(0, 3, 600)
    design = Design(np.ones(600))
    plain = stats.kruskal(*(y[g == k] for k in range(3)))
    assert rank_test(design, y, g).p == pytest.approx(plain.pvalue, abs=0.02)
    two = rank_test(design, y, g, where=g < 2)
    assert two.p == pytest.approx(stats.mannwhitneyu(y[g == 0], y[g == 1]).pvalue, abs=0.02)
    assert two.df_error == (g < 2).sum() - 2
    again = rank_test(design, np.exp(y) * 5, g)
    assert (again.statistic, again.what) == (pytest.approx(rank_test(design, y, g).statistic), "Kruskal-Wallis")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda d, f: contrast(mean(d, f["y"], by=f["d"]), {"in": 1, "no": -1}), "contrast: no such value; got .'no'"),
        (lambda d, f: contrast(mean(d, f["y"]), {}), "there is nothing to compare"),
        (lambda d, f: differences(mean(d, f["y"])), "there is nothing to compare"),
        (lambda d, f: t_tests(mean(d, f["y"], where=f["psu"] == 0)), "t_tests: no error is known to test against"),
        (lambda d, f: wald(share(d, f["d"]), null=0.5), "wald: one value follows from the others"),
        (lambda d, f: wald(mean(d, f["y"], where=f["psu"] == 0)), "wald: no error is known"),
        (lambda d, f: wald(total(d, f[["y", "x"]]), df=1), "wald: too many values for the sample; got 1.0"),
        (lambda d, f: independence(d, f["d"], f["b"], where=f["b"]), "a variable has one category; got '2 x 1'"),
        (lambda d, f: independence(d, f["d"], f["b"], statistic="G"), "statistic: unknown statistic; got 'G'"),
        (lambda d, f: independence(d, f["d"].head(4), f["b"]), "its length is not that of the design"),
        (lambda d, f: rank_test(d, f["y"], f["d"], where=f["d"] == "in"), "by: there is one group"),
    ],
)
def test_bad_calls(example, drawn, call, message):
    """What cannot be tested is an error that says why."""
    f = example(41)
    with pytest.raises(WelfareError, match=message):
        call(drawn(f), f)


def test_a_table_that_the_design_fixes():
    """A census has no error, and a test would be of nothing."""
    n = 40
    with pytest.raises(WelfareError, match="the design fixes the table"):
        independence(Design(np.ones(n), fpc=np.full(n, n)), np.arange(n) % 2, np.arange(n) % 3)


def test_a_share_below_zero_is_in_no_table():
    """Weights that linear calibration made negative, more than the others of their cell: no table has the shares."""
    a, b = np.arange(40) % 2, np.arange(40) // 2 % 2
    design = Design(np.ones(40)).reweighted(np.where(a + b == 2, -1.0, 2.0), None)
    with pytest.raises(WelfareError, match="independence: weights are negative; got 10"):
        independence(design, a, b)


def test_one_cluster_tells_nothing_of_a_table():
    """All respondents in one PSU: the variance is rounding, and p was 1e-17."""
    rng = np.random.default_rng(3)
    a, b, psu = rng.integers(0, 2, 60), rng.integers(0, 3, 60), np.repeat(np.arange(6), 10)
    with pytest.raises(WelfareError, match="or tells no error of it"):
        independence(Design(rng.uniform(1, 3, 60), psu=psu), a, b, where=psu == 2)


def test_a_table_of_too_many_cells():
    """Numbers taken for categories: more interactions than respondents have no test, and no memory."""
    y = np.arange(400.0)
    with pytest.raises(WelfareError, match="too many categories; got '400 x 400'"):
        independence(Design(np.ones(400)), y, -y)


def test_nulls_go_by_name(example, drawn):
    """A Series of nulls is put in the order of the values; too many or too few are an error."""
    f = example(5)
    both = mean(drawn(f), f[["y", "x"]])
    assert wald(both, pd.Series({"x": 2.0, "y": 11.0})) == wald(both, [11.0, 2.0])
    for null in ([1.0, 2.0, 3.0], pd.Series({"x": 2.0, "z": 11.0})):
        with pytest.raises(WelfareError, match="not a null for each value"):
            wald(both, null)
