"""Ours = svy 0.35 = R's stored values on the two API samples; where svy differs, the test says how and why."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from welfare_analysis.estimation import Design, mean, quantile, ratio, share, total

svy = pytest.importorskip("svy")
pl = pytest.importorskip("polars")
R = pd.read_csv(Path(__file__).parents[2] / "data" / "reference" / "survey_api.csv", index_col="key")["value"]
STYPE, WIDE = {"E": 4421, "H": 755, "M": 1018}, {"No": 1072, "Yes": 5122}


@pytest.fixture(scope="module")
def samples(apistrat, apiclus1):
    """Of each design: ours, svy's, and the schools."""
    strat, clus1 = (pl.from_pandas(f) for f in (apistrat, apiclus1))
    both = {"stratum": "stype", "wgt": "pw"}, {"psu": "dnum", "wgt": "pw"}
    ours = (
        Design(apistrat["pw"], strata=apistrat["stype"], fpc=apistrat["fpc"]),
        Design(apistrat["pw"], strata=apistrat["stype"]),
        Design(apiclus1["pw"], psu=apiclus1["dnum"], fpc=apiclus1["fpc"]),
        Design(apiclus1["pw"], psu=apiclus1["dnum"]),
    )
    theirs = [
        svy.Sample(frame, svy.Design(**given, **more))
        for frame, given in ((strat, both[0]), (clus1, both[1]))
        for more in ({"pop_size": "fpc"}, {})
    ]
    names, frames = ("strat", "stratnf", "clus1", "clus1nf"), (apistrat, apistrat, apiclus1, apiclus1)
    return dict(zip(names, zip(ours, theirs, frames, strict=True), strict=True))


def agree(estimate, theirs, key=None):
    """Values, errors and bounds agree with svy's in the order of ours; value and error with R's of a key."""
    bounds = estimate.interval()
    np.testing.assert_allclose(estimate.value, [e.est for e in theirs], rtol=1e-9)
    np.testing.assert_allclose(estimate.se, [e.se for e in theirs], rtol=1e-9)
    np.testing.assert_allclose(bounds["low"], [e.lci for e in theirs], rtol=1e-8)
    np.testing.assert_allclose(bounds["high"], [e.uci for e in theirs], rtol=1e-8)
    if key is not None:
        np.testing.assert_allclose(theirs[0].est, float(R[f"{key}.est"]), rtol=1e-9)
        np.testing.assert_allclose(theirs[0].se, float(R[f"{key}.se"]), rtol=1e-9)


@pytest.mark.parametrize("name", ["strat", "stratnf", "clus1", "clus1nf"])
class TestDesign:
    """Statistics of one design."""

    def test_means_totals_ratios(self, samples, name):
        """Means, totals and ratios, with t intervals, of all and by domains."""
        ours, theirs, f = samples[name]
        e = theirs.estimation
        agree(mean(ours, f["api00"]), e.mean("api00").estimates, f"{name}|mean|api00")
        agree(total(ours, f["enroll"]), e.total("enroll").estimates, f"{name}|total|enroll")
        agree(
            ratio(ours, f["api.stu"], f["enroll"]),
            e.ratio("api.stu", "enroll").estimates,
            f"{name}|ratio|api.stu/enroll",
        )
        by = f["sch.wide"]
        agree(mean(ours, f["api00"], by=by), e.mean("api00", by="sch.wide").estimates, f"{name}|dom mean|No")
        agree(total(ours, f["enroll"], by=by), e.total("enroll", by="sch.wide").estimates, f"{name}|dom total|No")

    def test_shares(self, samples, name):
        """Shares of categories with logit intervals, where the strata do not fix them."""
        ours, theirs, f = samples[name]
        agree(share(ours, f["sch.wide"]), theirs.estimation.prop("sch.wide").estimates)
        if name.startswith("clus1"):
            agree(share(ours, f["stype"]), theirs.estimation.prop("stype").estimates)

    def test_quantiles(self, samples, name):
        """Quantiles, smallest value that reaches q, with Woodruff's intervals."""
        ours, theirs, f = samples[name]
        for q in (0.25, 0.5, 0.9):
            found = theirs.estimation.quantile("api00", p=q).estimates
            agree(quantile(ours, f["api00"], q), found, f"{name}|quantile|api00|{q}")
        found = theirs.estimation.quantile("api00", p=0.5, by="sch.wide").estimates
        domains = quantile(ours, f["api00"], by=f["sch.wide"])
        if name.startswith("strat"):
            agree(domains, found)
            return
        # All weights are alike and 160 answer Yes: the 80th reaches a half, unless rounding of the sum hides it.
        assert domains.value["Yes"] == np.sort(f.loc[f["sch.wide"] == "Yes", "api00"])[79]
        assert found[1].est == np.sort(f.loc[f["sch.wide"] == "Yes", "api00"])[80]


def test_a_share_that_the_strata_fix(samples):
    """The share of a stratum has no error: ours is 0, svy's 1e-9, the square root of rounding."""
    ours, theirs, f = samples["strat"]
    found = theirs.estimation.prop("stype").estimates
    assert share(ours, f["stype"]).se.tolist() == [0, 0, 0]
    assert all(0 <= e.se < 1e-8 for e in found)


@pytest.mark.parametrize("name", ["clus1", "clus1nf"])
@pytest.mark.parametrize("short", ["ps", "rk", "gr"])
def test_calibrated_weights(samples, name, short):
    """Post-stratified, raked and linearly calibrated weights are alike, so values are; so are the errors."""
    ours, theirs, f = samples[name]
    if short == "ps":
        ours = ours.calibrate({"stype": STYPE}, f, method="poststratify")
        found = theirs.weighting.poststratify(STYPE, cells="stype")
    elif short == "rk":
        ours = ours.calibrate({"stype": STYPE, "sch.wide": WIDE}, f)
        found = theirs.weighting.rake(controls={"stype": STYPE, "sch.wide": WIDE}, tol=1e-12, max_iter=1000)
    else:
        ours = ours.calibrate({"stype": STYPE, "api99": 3914069}, f, method="linear")
        found = theirs.weighting.calibrate(controls={svy.Cat("stype"): STYPE, "api99": 3914069})
    for estimate, other, what in (
        (mean(ours, f["api00"]), found.estimation.mean("api00"), "mean|api00"),
        (total(ours, f["enroll"]), found.estimation.total("enroll"), "total|enroll"),
    ):
        agree(estimate, other.estimates, f"{name}+{short}|{what}")


def test_replicates_ignore_the_fpc(samples):
    """Of svy's jackknife the error with fpc is that without (26.59, R's JK1), which ours with fpc (23.54) is not."""
    ours, theirs, f = samples["clus1"]
    jackknife = theirs.weighting.create_jk_wgts()
    found = jackknife.estimation.mean("api00", method="replication").estimates[0]
    assert found.se == pytest.approx(float(R["JK1|mean|api00.se"]), rel=1e-9)
    assert mean(ours, f["api00"]).se.iloc[0] == pytest.approx(float(R["clus1|mean|api00.se"]), rel=1e-9)
