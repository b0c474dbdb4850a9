"""Calls of R `survey`, what we do in their place, and how their results are stored: data/reference/survey_calls.csv.

Run this file to have R compute the values anew: ``python tests/estimation/reference_calls.py`` (from the repository).
"""

import datetime
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

from welfare_analysis.estimation import (
    Design,
    contrast,
    correlation,
    covariance,
    linear,
    logistic,
    mean,
    ordered_logit,
    poisson,
    quantile,
    ratio,
    share,
    total,
    variance,
)

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "data" / "reference"
STORED = REFERENCE / "survey_calls.csv"

SETUP = """
options(survey.replicates.mse = TRUE, digits = 17); suppressMessages(library(survey))
put <- function(x) as.numeric(c(coef(x), unlist(SE(x))))
clus1 <- read.csv("data/reference/apiclus1.csv"); strat <- read.csv("data/reference/apistrat.csv")
clus2 <- read.csv("tests/estimation/apiclus2.csv"); mu <- read.csv("data/reference/mu284.csv")
scd <- read.csv("data/reference/scd.csv"); boot <- read.csv("data/reference/clus1_bootstrap.csv")
clus1$yes <- as.numeric(clus1$sch.wide == "Yes"); strat$yes <- as.numeric(strat$sch.wide == "Yes")
clus2$yes <- as.numeric(clus2$sch.wide == "Yes")
clus1$level <- cut(clus1$api00, c(0, 550, 650, 750, 1000)); strat$level <- cut(strat$api00, c(0, 550, 650, 750, 1000))
clus1$size <- log(clus1$enroll); strat$size <- log(strat$enroll)
MU <- svydesign(id = ~id1 + id2, fpc = ~n1 + n2, data = mu)
MW <- svydesign(id = ~id1, weights = ~I(n1 * n2 / 15), data = mu)
C2 <- svydesign(id = ~dnum + snum, fpc = ~fpc1 + fpc2, data = clus2)
C1 <- svydesign(id = ~dnum, weights = ~pw, fpc = ~fpc, data = clus1)
ST <- svydesign(id = ~1, strata = ~stype, weights = ~pw, fpc = ~fpc, data = strat)
J1 <- as.svrepdesign(svydesign(id = ~dnum, weights = ~pw, data = clus1), type = "JK1")
half <- 2 * scd[, paste0("half_", 1:4)] / 2
BR <- svrepdesign(data = scd, repweights = half, type = "BRR", combined.weights = FALSE)
FY <- svrepdesign(data = scd, repweights = 0.3 + 0.7 * half, type = "Fay", rho = 0.3, combined.weights = FALSE)
JN <- as.svrepdesign(svydesign(id = ~ambulance, strata = ~ESA, nest = TRUE, data = scd), type = "JKn")
w <- clus1$pw * as.matrix(boot[match(clus1$dnum, boot$dnum), -1])
BT <- svrepdesign(data = clus1, weights = ~pw, repweights = w, type = "bootstrap", scale = 1 / 40)
SD <- svrepdesign(data = clus1, weights = ~pw, repweights = w, type = "successive-difference")
BM <- svrepdesign(data = clus1, weights = ~pw, repweights = w, type = "bootstrap", mse = FALSE)
PS <- calibrate(C1, ~stype, c(`(Intercept)` = 6194, stypeH = 755, stypeM = 1018))
PK <- calibrate(update(C1, high = as.numeric(stype == "H")), ~0 + high, c(high = 800))
two <- clus1; two$N <- 6194; two$seen <- ave(two$snum, two$stype, FUN = seq_along) %% 3 != 0
two <- two[order(!two$seen), ]
T1 <- twophase(id = list(~snum, ~snum), strata = list(NULL, ~stype), fpc = list(~N, NULL), subset = ~seen,
  data = two, method = "full")
T2 <- twophase(id = list(~dnum, ~snum), strata = list(NULL, ~stype), fpc = list(~fpc, NULL), subset = ~seen,
  data = two, method = "full")
exact <- list(epsilon = 1e-15, maxit = 100)
"""


MOMENTS = "svymean(~a + b + aa + bb + ab, update(@, a = api00 - 650, b = enroll - 500, aa = a^2, bb = b^2, ab = a * b)"
MOMENTS = MOMENTS.replace("a^2", "(api00 - 650)^2").replace("b^2", "(enroll - 500)^2")
MOMENTS = MOMENTS.replace("a * b", "(api00 - 650) * (enroll - 500)")
CORRELATION = "put(svycontrast(%s), quote((ab - a * b) / sqrt((aa - a^2) * (bb - b^2)))))"


def _schools(path):
    f = pd.read_csv(path)
    f["yes"] = (f["sch.wide"] == "Yes").astype(float)
    if "ell" in f:
        f["size"], f["stu"] = np.log(f["enroll"]), f["api.stu"]
        f["level"] = pd.cut(f["api00"], [0, 550, 650, 750, 1000])
    return f


CLUS1, STRAT = _schools(REFERENCE / "apiclus1.csv"), _schools(REFERENCE / "apistrat.csv")
CLUS2, MU284 = _schools(ROOT / "tests/estimation/apiclus2.csv"), pd.read_csv(REFERENCE / "mu284.csv")
SCD, BOOT = pd.read_csv(REFERENCE / "scd.csv"), pd.read_csv(REFERENCE / "clus1_bootstrap.csv")


def _two_phase(phase1):
    seen = CLUS1[(CLUS1.groupby("stype").cumcount() + 1) % 3 != 0]
    count = CLUS1.groupby("stype")["stype"].transform("size")[seen.index]
    second = Design(count / seen.groupby("stype")["stype"].transform("size"), strata=seen["stype"], fpc=count)
    return Design.two_phase(phase1, second)


def designs():
    """Our designs by R's names, each with its frame."""
    one = Design(CLUS1["pw"], psu=CLUS1["dnum"])
    c1 = Design(CLUS1["pw"], psu=CLUS1["dnum"], fpc=CLUS1["fpc"])
    n1, n2 = MU284["n1"], MU284["n2"]
    m2 = CLUS2.groupby("dnum")["dnum"].transform("size")
    w2 = CLUS2["fpc1"] / CLUS2["dnum"].nunique() * CLUS2["fpc2"] / m2
    half = SCD[[f"half_{i}" for i in range(1, 5)]].to_numpy(float)
    ones = np.ones(len(SCD))
    again = CLUS1["pw"].to_numpy()[:, None] * BOOT.set_index("dnum").loc[CLUS1["dnum"]].to_numpy()
    rows = CLUS1.index[(CLUS1.groupby("stype").cumcount() + 1) % 3 != 0]
    made = Design.from_replicates
    return {
        "MU": (Design(n1 / 5 * n2 / 3, psu=[MU284["id1"], MU284.index.to_series()], fpc=[n1, n2]), MU284),
        "MW": (Design(n1 * n2 / 15, psu=MU284["id1"]), MU284),
        "C2": (Design(w2, psu=[CLUS2["dnum"], CLUS2["snum"]], fpc=[CLUS2["fpc1"], CLUS2["fpc2"]]), CLUS2),
        "C1": (c1, CLUS1),
        "ST": (Design(STRAT["pw"], strata=STRAT["stype"], fpc=STRAT["fpc"]), STRAT),
        "J1": (one.with_replicates("jackknife"), CLUS1),
        "BR": (made(ones, half, "BRR"), SCD),
        "FY": (made(ones, 0.3 + 0.7 * half, "Fay", rho=0.3), SCD),
        "JN": (Design(ones, strata=SCD["ESA"], psu=SCD["ambulance"], nest=True).with_replicates("jackknife"), SCD),
        "BT": (made(CLUS1["pw"], again, "bootstrap"), CLUS1),
        "SD": (made(CLUS1["pw"], again, "SDR"), CLUS1),
        "BM": (made(CLUS1["pw"], again, "bootstrap", mse=False), CLUS1),
        "PS": (c1.calibrate({"stype": {"E": 4421, "H": 755, "M": 1018}}, CLUS1, "linear"), CLUS1),
        "PK": (c1.calibrate({"stype": {"E": None, "H": 800, "M": None}}, CLUS1, "linear"), CLUS1),
        "T1": (_two_phase(Design(pd.Series(6194 / 183, index=CLUS1.index), fpc=np.full(183, 6194.0))), CLUS1.loc[rows]),
        "T2": (_two_phase(Design(CLUS1["fpc"] / 15, psu=CLUS1["dnum"], fpc=CLUS1["fpc"])), CLUS1.loc[rows]),
    }


def _put(estimate):
    return [*estimate.value, *estimate.se]


def _quantiles(design, f):
    e = quantile(design, f["enroll"], [0.2, 0.4, 0.6, 0.8])
    return [
        *e.value,
        *(
            b
            for name in ("low", "high")
            for b in (quantile(design, f["enroll"], q).interval()[name].iloc[0] for q in (0.2, 0.4, 0.6, 0.8))
        ),
    ]


def _share(design, f, method, where):
    kept = None if where is None else f["stype"] == where
    if method == "mean":
        e = mean(design, f["yes"], where=kept)
    else:
        e = share(design, f["yes"], where=kept, interval={"logit": "logit", "beta": "korn-graubard"}[method])
    return [e.value.iloc[0], *e.interval().iloc[0]]


def _subset(design, stype):
    return design if stype is None else f'subset({design}, stype == "{stype}")'


def calls():
    """By family: R's call, and ours of (design, frame)."""
    out = []

    def add(family, design, call, ours):
        out.append((family, design, call.replace("@", design), ours))

    for d in ("MU", "MW"):
        add("stages", d, "put(svymean(~y1, @))", lambda d, f: _put(mean(d, f["y1"])))
        add("stages", d, "put(svytotal(~y1, @))", lambda d, f: _put(total(d, f["y1"])))
        add("stages", d, "put(svyvar(~y1, @))", lambda d, f: _put(variance(d, f["y1"])))
        add("stages", d, "put(svyratio(~y1, ~n2, @))", lambda d, f: _put(ratio(d, f["y1"], f["n2"])))
        add(
            "stages",
            d,
            "as.numeric(confint(svymean(~y1, @), df = degf(@)))",
            lambda d, f: [*mean(d, f["y1"]).interval().iloc[0]],
        )
        add("stages", d, "put(svyglm(y1 ~ n2, @))", lambda d, f: _put(linear(d, f, "y1 ~ n2")))
    add("stages", "C2", "put(svymean(~api00, @))", lambda d, f: _put(mean(d, f["api00"])))
    add("stages", "C2", "put(svymean(~enroll, @, na.rm = TRUE))", lambda d, f: _put(mean(d, f["enroll"])))
    add("stages", "C2", "put(svymean(~stype, @))", lambda d, f: _put(share(d, f["stype"])))
    add(
        "stages",
        "C2",
        "put(svyglm(api00 ~ yes, @))",
        lambda d, f: _put(linear(d, f, "api00 ~ yes")),
    )
    for d in ("BR", "FY", "JN"):
        add(
            "half-samples and jackknife",
            d,
            "put(svymean(~alive + arrests, @))",
            lambda d, f: _put(mean(d, f[["alive", "arrests"]])),
        )
        add(
            "half-samples and jackknife",
            d,
            "put(svyratio(~alive, ~arrests, @))",
            lambda d, f: _put(ratio(d, f["alive"], f["arrests"])),
        )
        add("half-samples and jackknife", d, "put(svyvar(~alive, @))", lambda d, f: _put(variance(d, f["alive"])))
        add(
            "half-samples and jackknife",
            d,
            "put(svyglm(alive ~ arrests, @))",
            lambda d, f: _put(linear(d, f, "alive ~ arrests")),
        )
    for d in ("J1", "BT", "SD", "BM"):
        add("replicates", d, "put(svymean(~api00 + enroll, @))", lambda d, f: _put(mean(d, f[["api00", "enroll"]])))
        add("replicates", d, "put(svytotal(~yes, @))", lambda d, f: _put(total(d, f["yes"])))
        add("replicates", d, "put(svyratio(~api.stu, ~enroll, @))", lambda d, f: _put(ratio(d, f["stu"], f["enroll"])))
        add(
            "replicates",
            d,
            "put(svyby(~api00, ~sch.wide, @, svymean))",
            lambda d, f: _put(mean(d, f["api00"], by=f["sch.wide"])),
        )
        add("replicates", d, "put(svyvar(~api00, @))", lambda d, f: _put(variance(d, f["api00"])))
        add(
            "replicates",
            d,
            "put(svyglm(api00 ~ ell + meals, @))",
            lambda d, f: _put(linear(d, f, "api00 ~ ell + meals")),
        )
        add(
            "replicates",
            d,
            "put(svyglm(yes ~ ell + meals, @, family = quasibinomial, control = exact))",
            lambda d, f: _put(logistic(d, f, "yes ~ ell + meals")),
        )
        add(
            "replicates",
            d,
            "put(svycontrast(svyby(~api00, ~stype, @, svymean, covmat = TRUE), c(E = 1, H = -0.5, M = -0.5)))",
            lambda d, f: _put(contrast(mean(d, f["api00"], by=f["stype"]), {"E": 1, "H": -0.5, "M": -0.5})),
        )
    for d in ("J1", "ST", "C1", "PS"):
        add("quantiles", d, "as.numeric(svyquantile(~enroll, @, c(0.2, 0.4, 0.6, 0.8))[[1]][, 1:3])", _quantiles)
    for d in ("BT", "SD", "BM"):
        add(
            "replicates",
            d,
            'as.numeric(svyquantile(~enroll, @, c(0.253, 0.617), interval.type = "quantile")$enroll[, c(1, 4)])',
            lambda d, f: _put(quantile(d, f["enroll"], [0.253, 0.617])),
        )
    for d in ("ST", "C1", "C2"):
        add(
            "by domain",
            d,
            "put(svyby(~api00, ~stype, @, svymean))",
            lambda d, f: _put(mean(d, f["api00"], by=f["stype"])),
        )
        add(
            "by domain",
            d,
            "put(svyby(~api00, ~stype, @, svytotal))",
            lambda d, f: _put(total(d, f["api00"], by=f["stype"])),
        )
        add(
            "by domain",
            d,
            "put(svyby(~api00, ~stype, @, svyvar))",
            lambda d, f: _put(variance(d, f["api00"], by=f["stype"])),
        )
    for d in ("ST", "C1"):
        add(
            "by domain",
            d,
            "put(svyby(~enroll + meals, ~awards, @, svymean))",
            lambda d, f: _put(mean(d, f[["enroll", "meals"]], by=f["awards"])),
        )
        add(
            "by domain",
            d,
            "put(svyby(~api.stu, ~awards, denominator = ~enroll, @, svyratio))",
            lambda d, f: _put(ratio(d, f["stu"], f["enroll"], by=f["awards"])),
        )
        add(
            "by domain",
            d,
            "put(svyby(~enroll, ~awards, denominator = ~api00, @, svyratio))",
            lambda d, f: _put(ratio(d, f["enroll"], f["api00"], by=f["awards"])),
        )
        add(
            "by domain",
            d,
            "put(svyby(~yes, ~stype, @, svytotal))",
            lambda d, f: _put(total(d, f["yes"], by=f["stype"])),
        )
        for s in ("E", "M"):
            add(
                "models by domain",
                d,
                f"put(svyglm(api00 ~ ell + meals, {_subset('@', s)}))",
                lambda d, f, s=s: _put(linear(d, f, "api00 ~ ell + meals", where=f["stype"] == s)),
            )
            add(
                "models by domain",
                d,
                f"put(svyglm(yes ~ meals, {_subset('@', s)}, family = quasibinomial, control = exact))",
                lambda d, f, s=s: _put(logistic(d, f, "yes ~ meals", where=f["stype"] == s)),
            )
    for d in ("ST", "C1"):
        for s in (None, "E", "M"):
            for m in ("mean", "logit", "beta"):
                add(
                    "share intervals",
                    d,
                    f'as.numeric(c(x <- svyciprop(~yes, {_subset("@", s)}, method = "{m}"), confint(x)))',
                    lambda d, f, s=s, m=m: _share(d, f, m, s),
                )
    for d in ("T1", "T2"):
        add("two phases", d, "put(svymean(~api00 + enroll, @))", lambda d, f: _put(mean(d, f[["api00", "enroll"]])))
        add("two phases", d, "put(svytotal(~enroll, @))", lambda d, f: _put(total(d, f["enroll"])))
        add("two phases", d, "put(svyratio(~api.stu, ~enroll, @))", lambda d, f: _put(ratio(d, f["stu"], f["enroll"])))
        add(
            "two phases",
            d,
            "put(svyby(~api00, ~sch.wide, @, svymean))",
            lambda d, f: _put(mean(d, f["api00"], by=f["sch.wide"])),
        )
        add("two phases", d, "put(svyglm(api00 ~ ell, @))", lambda d, f: _put(linear(d, f, "api00 ~ ell")))
    for d in ("ST", "C1"):
        add(
            "ordered logit",
            d,
            "put(svyolr(level ~ ell + meals, @))",
            lambda d, f: _put(ordered_logit(d, f, "level ~ ell + meals")),
        )
        add(
            "Poisson",
            d,
            "put(svyglm(api.stu ~ ell + meals + offset(size), @, family = quasipoisson, control = exact))",
            lambda d, f: _put(poisson(d, f, "stu ~ ell + meals", offset="size")),
        )
        add(
            "Poisson",
            d,
            "put(svyglm(enroll ~ stype, @, family = quasipoisson, control = exact))",
            lambda d, f: _put(poisson(d, f, "enroll ~ stype")),
        )
    for d in ("J1", "BT"):
        add(
            "Poisson",
            d,
            "put(svyglm(api.stu ~ meals + offset(size), @, family = quasipoisson, control = exact))",
            lambda d, f: _put(poisson(d, f, "stu ~ meals", offset="size")),
        )
    for d in ("ST", "C1", "PS", "PK", "BT"):
        add(
            "covariances",
            d,
            "(function(v) c(v[1, 2], SE(v)[2]))(svyvar(~api00 + enroll, @))",
            lambda d, f: _put(covariance(d, f[["api00", "enroll"]]).apply(lambda v: v.to_numpy()[:1])),
        )
        add(
            "covariances",
            d,
            CORRELATION % (MOMENTS + (", return.replicates = TRUE" if d == "BT" else "")),
            lambda d, f: _put(correlation(d, f[["api00", "enroll"]])),
        )
    for d in ("PS", "PK"):
        add("calibrated", d, "put(svymean(~api00 + enroll, @))", lambda d, f: _put(mean(d, f[["api00", "enroll"]])))
        add("calibrated", d, "put(svytotal(~enroll, @))", lambda d, f: _put(total(d, f["enroll"])))
        add(
            "calibrated",
            d,
            "put(svyby(~api00, ~sch.wide, @, svymean))",
            lambda d, f: _put(mean(d, f["api00"], by=f["sch.wide"])),
        )
        add("calibrated", d, "put(svyratio(~api.stu, ~enroll, @))", lambda d, f: _put(ratio(d, f["stu"], f["enroll"])))
        add(
            "calibrated",
            d,
            "put(svyglm(api00 ~ ell + meals, @))",
            lambda d, f: _put(linear(d, f, "api00 ~ ell + meals")),
        )
    return out


def in_r(texts):
    """R's results of the calls, a list of numbers each, and the versions of R and `survey`."""
    lines = [SETUP, 'cat("V", as.character(getRversion()), as.character(packageVersion("survey")), "\\n")']
    lines += [f'cat("R", sprintf("%.17g", {text}), "\\n")' for text in texts]
    with tempfile.NamedTemporaryFile("w", suffix=".R") as file:
        file.write("\n".join(lines))
        file.flush()
        done = subprocess.run(
            ["Rscript", "--vanilla", file.name], cwd=ROOT, capture_output=True, text=True, check=False
        )
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
    found = [line.split()[1:] for line in done.stdout.splitlines() if line.startswith(("V ", "R "))]
    return [[np.nan if v == "NA" else float(v) for v in values] for values in found[1:]], found[0]


def r_is_here():
    """Whether R and its package can be run."""
    if shutil.which("Rscript") is None:
        return False
    return not subprocess.run(["Rscript", "-e", "library(survey)"], capture_output=True, check=False).returncode


def main():
    """Write the file of values."""
    wanted = calls()
    results, (version, package) = in_r([text for _, _, text, _ in wanted])
    today = datetime.datetime.now(tz=datetime.UTC).date().isoformat()
    rows = [
        (family, re.sub(r"\s+", " ", text), place, repr(value), version, package, today)
        for (family, _, text, _), values in zip(wanted, results, strict=True)
        for place, value in enumerate(values)
    ]
    columns = ["family", "call", "place", "value", "R", "survey", "date"]
    pd.DataFrame(rows, columns=columns).to_csv(STORED, index=False)


if __name__ == "__main__":
    main()
