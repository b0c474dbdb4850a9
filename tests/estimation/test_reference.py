"""Agreement with R `survey` 4.1 on the California API samples (data/reference)."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from welfare_analysis.estimation import Design, mean, quantile, ratio, share, total

VALUES = pd.read_csv(Path(__file__).parents[2] / "data" / "reference" / "survey_api.csv", index_col="key")["value"]
# Of each design: what our functions give. Models, tests and jackknives of the file are not theirs.
PLAIN = re.compile(
    r"(strat|clus1)(nf)?\|"
    r"(mean|total|ratio|prop|propbeta|quantile|dom (mean|total|ratio)|dom diff\.\w+|deff w\w+|df)(\||$)"
)
CALIBRATED = re.compile(
    r"clus1(nf)?\+(ps|rk|gr|cr)\|(wt1|wtsumsq|mean\|.*|total\|.*|dom mean\|.*|ratio\..*|naive (mean|total)\|.*)$"
)
KEYS = [k for k in VALUES.index if PLAIN.match(k) or CALIBRATED.match(k)]
STYPE = {"E": 4421, "H": 755, "M": 1018}
MARGINS = {
    "ps": ({"stype": STYPE}, "poststratify"),
    "rk": ({"stype": STYPE, "sch.wide": {"No": 1072, "Yes": 5122}}, "raking"),
    "cr": ({"stype": STYPE, "sch.wide": {"No": 1072, "Yes": 5122}}, "raking"),
    "gr": ({"stype": STYPE, "api99": 3914069}, "linear"),
}


def _named(prefix, estimate, labels=None):
    labels = labels or {estimate.value.index[0]: ""}
    return {
        f"{prefix}{text}.{what}": values[label]
        for label, text in labels.items()
        for what, values in (("est", estimate.value), ("se", estimate.se))
    }


def _plain(name, design, f):
    m, both = mean(design, f["api00"]), {"No": "|No", "Yes": "|Yes"}
    found = _named(f"{name}|mean|api00", m) | _named(f"{name}|mean|sw", mean(design, f["sw"]))
    found |= _named(f"{name}|total|enroll", total(design, f["enroll"]))
    found |= _named(f"{name}|ratio|api.stu/enroll", ratio(design, f["api.stu"], f["enroll"]))
    found |= _named(f"{name}|prop|stype", share(design, f["stype"]), {c: f"[stype{c}]" for c in "EHM"})
    for q in (0.25, 0.5, 0.9):
        e = quantile(design, f["api00"], q)
        found |= _named(f"{name}|quantile|api00|{q}", e)
        found |= dict(zip((f"{name}|quantile|api00|{q}.{b}ci" for b in "lu"), e.interval().iloc[0], strict=True))
    for key, rule in (("prop", "logit"), ("propbeta", "korn-graubard")):
        bounds = share(design, f["sw"], interval=rule).interval().iloc[0]
        found |= dict(zip((f"{name}|{key}|sw.{b}ci" for b in "lu"), bounds, strict=True))
    by = f["sch.wide"]
    means = mean(design, f["api00"], by=by)
    found |= _named(f"{name}|dom mean", means, both)
    found |= _named(f"{name}|dom total", total(design, f["enroll"], by=by), both)
    found |= _named(f"{name}|dom ratio", ratio(design, f["api.stu"], f["enroll"], by=by), both)
    found |= _named(f"{name}|dom diff", means.apply(lambda v: v["Yes"] - v["No"]))
    deff = {f"{name}|deff wor|api00": m.deff().iloc[0], f"{name}|deff wr|api00": m.deff(replacement=True).iloc[0]}
    return found | deff | {f"{name}|df": design.df}


def _calibrated(name, design, naive, f):
    w = design.weights
    found = {f"{name}|wt1": w[0], f"{name}|wtsumsq": w @ w}
    found |= _named(f"{name}|mean|api00", mean(design, f["api00"]))
    found |= _named(f"{name}|total|enroll", total(design, f["enroll"]))
    found |= _named(f"{name}|dom mean", mean(design, f["api00"], by=f["awards"]), {"No": "|No", "Yes": "|Yes"})
    found |= _named(f"{name}|ratio", ratio(design, f["api.stu"], f["enroll"]))
    found[f"{name}|naive mean|api00.se"] = mean(naive, f["api00"]).se.iloc[0]
    found[f"{name}|naive total|enroll.se"] = total(naive, f["enroll"]).se.iloc[0]
    return found


@pytest.fixture(scope="module")
def ours(apistrat, apiclus1):
    """Our value of every key."""
    strat = {"strata": apistrat["stype"]}
    found = _plain("strat", Design(apistrat["pw"], **strat, fpc=apistrat["fpc"]), apistrat)
    found |= _plain("stratnf", Design(apistrat["pw"], **strat), apistrat)
    for name, fpc in (("clus1", apiclus1["fpc"]), ("clus1nf", None)):
        design = Design(apiclus1["pw"], psu=apiclus1["dnum"], fpc=fpc)
        found |= _plain(name, design, apiclus1)
        for short, (margins, method) in MARGINS.items():
            calibrated = design.calibrate(margins, apiclus1, method=method)
            naive = Design(calibrated.weights, psu=apiclus1["dnum"], fpc=fpc)
            found |= _calibrated(f"{name}+{short}", calibrated, naive, apiclus1)
    return found


@pytest.mark.parametrize("key", KEYS)
def test_agrees_with_r(ours, key):
    """Estimates and standard errors agree to 1e-9, bounds of intervals to 1e-8."""
    rtol = 1e-8 if key.endswith(("lci", "uci")) else 1e-9
    np.testing.assert_allclose(ours[key], float(VALUES[key]), rtol=rtol, atol=1e-12)


def test_no_key_is_lost(ours):
    """47 values of each of 4 designs and 14 of each of 8 calibrations are compared, and all that we compute."""
    assert len(KEYS) == len(set(KEYS)) == 4 * 47 + 8 * 14
    assert set(ours) == set(KEYS)


@pytest.mark.parametrize("design", [f"clus1{n}+{c}" for n in ("", "nf") for c in MARGINS])
def test_calibrated_error_is_not_the_naive_one(ours, design):
    """After calibration the standard error is that of residuals, not of weights taken as fixed."""
    for what in ("mean|api00", "total|enroll"):
        naive = float(VALUES[f"{design}|naive {what}.se"])
        assert ours[f"{design}|{what}.se"] < 0.999 * naive


def test_sharp_case(ours):
    """Calibrated to last year's score, the error of this year's is 3.44, not 22.33."""
    assert ours["clus1+gr|mean|api00.se"] == pytest.approx(3.44175311640481, rel=1e-9)
