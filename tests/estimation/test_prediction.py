"""Predictions and average marginal effects: by hand, statsmodels, and both parts of their error."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from welfare_analysis.errors import WelfareError
from welfare_analysis.estimation import (
    Design,
    contrast,
    linear,
    logistic,
    marginal_effects,
    margins,
    mean,
    multinomial_logit,
    ordered_logit,
    predictions,
    quantile_regression,
    share,
    tobit,
    two_part,
)


@pytest.fixture
def f(example):
    """Three samples of strata and clusters as one, with an ordered outcome."""
    parts = [
        example(s).assign(stratum=lambda g, s=s: g["stratum"] + 3 * s, psu=lambda g, s=s: g["psu"] + 100 * s)
        for s in range(3)
    ]
    frame = pd.concat(parts, ignore_index=True)
    return frame.assign(o=pd.Categorical(np.digitize(frame["y"], [9, 12]), ordered=True))


def test_mean_prediction_is_the_mean(f, drawn):
    """A logit's mean prediction is the share, and with a domain as column the domain's; so are the errors."""
    design = drawn(f)
    for model, outcome, plain in ((logistic, "b", share), (linear, "y", mean)):
        fit = model(design, f, f"{outcome} ~ d")
        for by in (None, f["d"]):
            ours, theirs = predictions(fit, by=by), plain(design, f[outcome], by=by)
            np.testing.assert_allclose(ours.value, theirs.value, rtol=1e-9)
            np.testing.assert_allclose(ours.se, theirs.se, rtol=1e-7)
            np.testing.assert_allclose(ours.interval(), theirs.interval(), rtol=1e-6)


def test_effects_of_a_linear_model_are_its_coefficients(f, drawn):
    """Of a linear model effect and error are the coefficient's; of a square the slope at the mean."""
    fit = linear(drawn(f), f, "y ~ x + d")
    effects = marginal_effects(fit, ["x", "d"])
    assert list(effects.value.index) == ["x", "d[out]"]
    np.testing.assert_allclose(effects.value, fit.value[["x", "d[T.out]"]], rtol=1e-8)
    np.testing.assert_allclose(effects.se, fit.se[["x", "d[T.out]"]], rtol=1e-7)
    square = linear(drawn(f), f, "y ~ x + I(x ** 2)")
    at = mean(drawn(f), f["x"]).value.iloc[0]
    slope = square.value["x"] + 2 * at * square.value["I(x ** 2)"]
    assert marginal_effects(square, "x").value.iloc[0] == pytest.approx(slope, rel=1e-8)


def test_both_parts_of_the_error(f, drawn):
    """The influence of a mean prediction or effect is the derivative by a design weight, the model refitted."""
    for statistic in (
        lambda fit: predictions(fit, by=f["d"]),
        lambda fit: marginal_effects(fit, "x", by=f["d"]),
        lambda fit: marginal_effects(fit, "d"),
    ):
        for model, formula in ((logistic, "b ~ x + d"), (ordered_logit, "o ~ x + d")):
            found = statistic(model(drawn(f), f, formula)).influence[[7]].toarray()[0]
            moved = [
                statistic(model(drawn(g), g, formula)).value.to_numpy()
                for g in (f.assign(w=f["w"] + s * (f.index == 7)) for s in (1e-3, -1e-3))
            ]
            np.testing.assert_allclose((moved[0] - moved[1]) / 2e-3, found, rtol=1e-4, atol=1e-7)


def test_effects_are_statsmodels(apistrat):
    """At weights of one the average marginal effects are those of Logit."""
    x = sm.add_constant(apistrat[["ell", "meals"]])
    theirs = sm.Logit(apistrat["sw"], x).fit(disp=0, tol=1e-14).get_margeff().summary_frame()["dy/dx"]
    fit = logistic(Design(np.ones(200)), apistrat, "sw ~ ell + meals")
    np.testing.assert_allclose(marginal_effects(fit, ["ell", "meals"]).value, theirs, rtol=1e-8)


def test_yes_or_no_is_a_change(f, drawn):
    """The effect of a yes or no is the mean change from no to yes, whether boolean or 0 and 1."""
    f = f.assign(one=f["b"] * 1)
    a, b = (marginal_effects(linear(drawn(f), f, f"y ~ x * {c}"), c) for c in ("b", "one"))
    fit = linear(drawn(f), f, "y ~ x * one")
    at = mean(drawn(f), f["x"]).value.iloc[0]
    assert a.value.iloc[0] == pytest.approx(fit.value["one"] + at * fit.value["x:one"])
    assert b.value.iloc[0] == pytest.approx(a.value.iloc[0])


def test_several_outcomes(f, drawn):
    """Probabilities of categories add up to one, effects on them to zero, in each domain."""
    for model in (ordered_logit, multinomial_logit):
        fit = model(drawn(f), f, "o ~ x + d")
        shares = predictions(fit, by=f["stratum"])
        np.testing.assert_allclose(shares.value.groupby("stratum").sum(), 1)
        assert shares.value.index.names == ["category", "stratum"]
        assert (shares.interval() > 0).all(axis=None)
        effects = marginal_effects(fit, "x")
        assert list(effects.value.index) == ["0: x", "1: x", "2: x"]
        assert effects.value.sum() == pytest.approx(0, abs=1e-10)
    wide = mean(drawn(f), pd.get_dummies(f["o"]).astype(float).rename(columns=str))
    np.testing.assert_allclose(predictions(multinomial_logit(drawn(f), f, "o ~ x")).value, wide.value, rtol=1e-9)


def test_margins_are_everybody_at_one_level(f, drawn):
    """By hand the mean probability with all at a level; differences are effects; with no other column raw shares."""
    fit = logistic(drawn(f), f, "b ~ x + d")
    found, levels = margins(fit, "d"), sorted(f["d"].unique())
    assert list(found.value.index) == [f"d[{level}]" for level in levels]
    for level in levels:
        eta = fit.value["Intercept"] + fit.value["x"] * f["x"] + fit.value.get(f"d[T.{level}]", 0.0)
        assert found.value[f"d[{level}]"] == pytest.approx(np.average(1 / (1 + np.exp(-eta)), weights=f["w"]))
    effect, gap = marginal_effects(fit, "d"), contrast(found, {f"d[{levels[1]}]": 1, f"d[{levels[0]}]": -1})
    assert (gap.value.iloc[0], gap.se.iloc[0]) == pytest.approx((effect.value.iloc[0], effect.se.iloc[0]), rel=1e-9)
    raw, alone = share(drawn(f), f["b"], by=f["d"]), margins(logistic(drawn(f), f, "b ~ d"), "d")
    np.testing.assert_allclose(alone.value, raw.value, rtol=1e-9)
    np.testing.assert_allclose(alone.se, raw.se, rtol=1e-7)
    assert alone.interval().stack().between(0, 1).all()
    assert list(margins(linear(drawn(f), f, "y ~ b"), "b").value.index) == ["b[False]", "b[True]"]
    with pytest.raises(WelfareError, match="x: the column has no categories"):
        margins(fit, "x")


@pytest.mark.parametrize(
    ("kind", "column"), [("int64", "C(k)"), ("int8", "C(k)"), ("float64", "C(k)"), ("category", "k")]
)
def test_numbers_that_are_categories(f, drawn, kind, column):
    """Numbers within `C()`, or of a categorical type, have a margin each, by hand, and effects against the first."""
    k = pd.Series(np.arange(len(f)) % 3 * 2 + 1)
    frame = f.assign(k=k.astype(kind))
    fit = linear(drawn(f), frame, f"y ~ {column} * x")
    found, effects = margins(fit, "k"), marginal_effects(fit, "k")
    assert len(found.value) == 3
    rest = fit.value.to_numpy()
    for level, name in zip((1, 3, 5), found.value.index, strict=True):
        at = [1.0, level == 3, level == 5]
        x = np.column_stack([np.tile(at, (len(f), 1)), f["x"], f["x"] * at[1], f["x"] * at[2]])
        assert found.value[name] == pytest.approx(np.average(x @ rest, weights=f["w"]), rel=1e-10)
    gaps = found.apply(lambda v: pd.Series(v.to_numpy()[1:] - v.iloc[0], index=effects.value.index))
    np.testing.assert_allclose(effects.value, gaps.value, rtol=1e-9)
    np.testing.assert_allclose(effects.se, gaps.se, rtol=1e-7)


def test_rows_that_are_alike_are_not_one(f, drawn):
    """Rows alike in all columns are predicted once, and each keeps its own influence: two rows, weight by weight."""
    coarse = f.assign(x=f["x"].round())
    found = margins(logistic(drawn(f), coarse, "b ~ x + d"), "d").influence
    alike = coarse.duplicated(["x", "d", "b"], keep=False)
    pair = np.flatnonzero(alike & (coarse[["x", "d", "b"]] == coarse.loc[alike, ["x", "d", "b"]].iloc[0]).all(axis=1))
    np.testing.assert_allclose(found[pair[:1]].toarray(), found[pair[1:2]].toarray(), rtol=1e-9)
    moved = [
        margins(logistic(drawn(g), g, "b ~ x + d"), "d").value.to_numpy()
        for g in (coarse.assign(w=f["w"] + s * (f.index == pair[0])) for s in (1e-3, -1e-3))
    ]
    np.testing.assert_allclose((moved[0] - moved[1]) / 2e-3, found[pair[:1]].toarray()[0], rtol=1e-4, atol=1e-7)


def test_rows_beyond_the_fit(f, drawn):
    """Predictions are of the fit's rows, or of those of ``where``; a row with a gap counts as missing."""
    gap = f.assign(x=f["x"].mask(f.index < 2), y=f["y"].mask((f.index > 1) & (f.index < 6)))
    fit = linear(drawn(f), gap, "y ~ x")
    own, all_rows = predictions(fit), predictions(fit, where=np.ones(len(f), dtype=bool))
    assert own.counts["n"].iloc[0] == len(f) - 6
    assert all_rows.counts[["n", "missing"]].iloc[0].tolist() == [len(f) - 2, 2]
    known = gap["x"].notna()
    by_hand = np.average(fit.value["Intercept"] + fit.value["x"] * gap["x"][known], weights=f["w"][known])
    assert all_rows.value.iloc[0] == pytest.approx(by_hand)


def test_predicted_quantiles(f, drawn):
    """What a quantile regression predicts is the mean of its lines."""
    fit = quantile_regression(drawn(f), f, "y ~ x")
    by_hand = fit.value["Intercept"] + fit.value["x"] * mean(drawn(f), f["x"]).value.iloc[0]
    assert predictions(fit).value.iloc[0] == pytest.approx(by_hand)


def test_calls_that_cannot_be(f, drawn):
    """An effect is of a column of the model; a prediction of rows with its columns."""
    fit = linear(drawn(f), f, "y ~ log(x)")
    with pytest.raises(WelfareError, match=r"variables: the model has no such column; got .'d'.*expected x"):
        marginal_effects(fit, ["x", "d"])
    gap = linear(drawn(f), f.assign(x=f["x"].mask(f.index < 3)), "y ~ x")
    with pytest.raises(WelfareError, match="no row has all columns of the model"):
        predictions(gap, where=f.index < 3)


MODELS = {
    "linear": lambda d, f, rows: linear(d, f, "y ~ g", where=rows),
    "logistic": lambda d, f, rows: logistic(d, f, "b ~ C(g)", where=rows),
    "ordered": lambda d, f, rows: ordered_logit(d, f, "o ~ g + x", where=rows),
    "multinomial": lambda d, f, rows: multinomial_logit(d, f, "o ~ x + x:g", where=rows),
    "quantile": lambda d, f, rows: quantile_regression(d, f, "y ~ g", where=rows),
    "two parts": lambda d, f, rows: two_part(d, f.assign(y=f["y"].where(f["b"], 0)), "y ~ g", where=rows),
    "tobit": lambda d, f, rows: tobit(d, f, "y ~ g", lower=float(f["y"].quantile(0.1)), where=rows),
}


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("kind", [object, "category"])
def test_a_level_that_the_fit_never_saw_is_an_error(f, drawn, name, kind):
    """It has no coefficient, so no prediction: not that of the reference. Rows without it have one."""
    f = f.assign(g=pd.Series(np.resize(list("abc"), len(f)), index=f.index).astype(kind))
    seen, everybody = f["g"] != "c", pd.Series(True, index=f.index)
    fit = MODELS[name](drawn(f), f, seen)
    assert np.isfinite(predictions(fit, by=f["g"], where=seen).value).all()
    with pytest.raises(WelfareError, match=r"the columns cannot be made; got .*'c'.*where="):
        predictions(fit, by=f["g"], where=everybody)
    if "x" in fit.specs[0].required_variables:
        with pytest.raises(WelfareError, match=r"the columns cannot be made; got .*'c'.*where="):
            marginal_effects(fit, "x", where=everybody)


def test_the_effect_of_a_column_that_does_not_vary(example, drawn):
    """Without a constant the model tells its coefficient, which is its effect."""
    f = example(6).assign(x=3.0)
    fit = linear(drawn(f), f, "y ~ 0 + x")
    effect = marginal_effects(fit, "x")
    assert effect.value["x"] == pytest.approx(fit.value["x"])
    assert effect.se["x"] == pytest.approx(fit.se["x"])
