"""Means by domain, raking and replicates on 80,000 respondents, beside svy and R's survey."""

from __future__ import annotations

import importlib
import shutil
import subprocess
import tempfile
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from timing import Case

from welfare_analysis.estimation import Design, mean
from welfare_analysis.estimation.replicates import full

N, VARIABLES, DOMAINS, STRATA, PSUS = 80_000, 46, 84, 40, 20
CATEGORIES = {"a": 6, "b": 9, "c": 14, "s": 2}


def survey(n: int = N) -> pd.DataFrame:
    """A made-up sample: 46 amounts, a domain of 84, four margins, 40 strata of 20 PSUs."""
    rng = np.random.default_rng(1)
    frame = pd.DataFrame(rng.normal(10, 3, (n, VARIABLES)), columns=[f"v{j}" for j in range(VARIABLES)])
    stratum = rng.integers(0, STRATA, n)
    more = {"h": stratum, "u": stratum * PSUS + rng.integers(0, PSUS, n), "d": rng.integers(0, DOMAINS, n)}
    more |= {k: rng.integers(0, m, n).astype(str) for k, m in CATEGORIES.items()}
    return pd.concat([frame, pd.DataFrame(more | {"w": rng.uniform(1, 9, n)})], axis=1).astype(
        dict.fromkeys(CATEGORIES, "category")  # as a study has them, and R its factors
    )


def margins(frame: pd.DataFrame) -> dict[str, dict]:
    """Known counts, a tenth away from those of the sample."""
    rng, size = np.random.default_rng(2), frame["w"].sum()
    found = {}
    for name, count in CATEGORIES.items():
        share = frame.groupby(name, observed=True)["w"].sum() * rng.uniform(0.9, 1.1, count)
        found[name] = (share / share.sum() * size).to_dict()
    return found


def two_phases(n: int) -> tuple[Design, np.ndarray]:
    """Three fifths return a form, a third of the others is followed up in 15 strata, of whom seven in ten answer."""
    rng = np.random.default_rng(3)
    stratum = pd.Series(np.where(rng.random(n) < 0.6, 0, 1 + rng.integers(0, 15, n)))
    drawn = stratum.groupby(stratum).transform("size")
    size = drawn.where(stratum == 0, 3 * drawn)
    seen = (stratum == 0) | (rng.random(n) < 0.7)
    inside = stratum[seen]
    second = Design(drawn[seen] / inside.groupby(inside).transform("size"), strata=inside, fpc=drawn[seen])
    return Design.two_phase(Design(size / drawn, strata=stratum, fpc=size), second), seen.to_numpy()


def cases() -> list[Case]:
    """What the report does most, and what it rests on."""
    frame = survey()
    y, by, known = frame[[f"v{j}" for j in range(VARIABLES)]], frame["d"], margins(frame)
    design = Design(frame["w"], frame["h"], frame["u"])
    phases, seen = two_phases(N)
    raked = design.calibrate(known, frame)
    svy, r = _svy(frame, known), _r(frame, known)
    once, v0 = mean(design, y["v0"]), y["v0"].to_numpy()
    rng = np.random.default_rng(4)

    def refitted() -> object:
        return full(raked, lambda d: d.weights @ v0 / d.weights.sum(), 500, rng)

    folder = Path(tempfile.mkdtemp())
    frame.to_parquet(folder / "sample.parquet")
    reads = {"one read of the file": lambda: pd.read_parquet(folder / "sample.parquet")}
    seen_y, seen_by = y[seen].reset_index(drop=True), by[seen].reset_index(drop=True)
    phases = phases._with(names=None)
    goals = {"svy": 150, "R": 150, "one read of the file": 1 / 5}
    return [
        Case(
            "46 x 84 means, clusters",
            lambda: mean(design, y, by=by).se,
            {"svy": svy.get("means"), "R": r.get("means")} | reads,
            goals,
        ),
        Case("46 x 84 means, two phases", lambda: mean(phases, seen_y, by=seen_by).se, reads, goals),
        Case("46 x 84 means, raked", lambda: mean(raked, y, by=by).se, reads, goals),
        Case(
            "500 linear replicates",
            lambda: once.replicates(500, rng),
            {"svy": svy.get("replicates")},
            {"svy": 40},
        ),
        Case(
            "raking",
            lambda: design.calibrate(known, frame),
            {"svy": svy.get("raking"), "R": r.get("raking")},
            {"svy": 10, "R": 30},
        ),
        Case("500 re-raked replicates", refitted, {"svy": svy.get("re-raking")}, {"svy": 20}),
        _growth(),
    ]


def _growth() -> Case:
    """Ten times the respondents: the time of one, in the large sample, beside the small one's."""
    small, large = survey(), survey(10 * N)
    columns = [f"v{j}" for j in range(VARIABLES)]
    tasks = []
    for frame in (large, small):
        design, y = Design(frame["w"], frame["h"], frame["u"]), frame[columns]
        tasks.append(lambda d=design, y=y, by=frame["d"]: mean(d, y, by=by).se)
    tracemalloc.start()
    tasks[0]()
    peak = tracemalloc.get_traced_memory()[1] / (10 * N * VARIABLES * 8)
    tracemalloc.stop()
    name = f"46 x 84 means of 800,000 (memory {peak:.1f} times the data)"
    return Case(name, tasks[0], {"a tenth of it": tasks[1]}, {"a tenth of it": 0.1})


def _svy(frame: pd.DataFrame, known: dict[str, dict]) -> dict[str, Any]:
    """What svy runs, where it is installed."""
    try:
        svy, polars = importlib.import_module("svy"), importlib.import_module("polars")
    except ImportError:
        return {}
    data = polars.from_pandas(frame.astype(dict.fromkeys(CATEGORIES, str)))
    sample = svy.Sample(data, design=svy.Design(stratum="h", psu="u", wgt="w"))
    names = [f"v{j}" for j in range(VARIABLES)]

    def replicates() -> object:
        return sample.weighting.create_bs_wgts(500, rstate=1)

    def reraked() -> object:
        return replicates().weighting.rake(controls=known, tol=1e-8).estimation.mean("v0", method="replication")

    return {
        "means": lambda: sample.estimation.mean(names, by="d"),
        "replicates": lambda: replicates().estimation.mean("v0", method="replication"),
        "raking": lambda: sample.weighting.rake(controls=known, tol=1e-8),
        "re-raking": reraked,
    }


def _r(frame: pd.DataFrame, known: dict[str, dict]) -> dict[str, Any]:
    """What R runs, where it is installed: one process that has read the data and waits, so its start costs nothing."""
    if shutil.which("R") is None:
        return {}
    folder = Path(tempfile.mkdtemp())
    frame.to_csv(folder / "sample.csv", index=False)
    for name, counts in known.items():
        pd.DataFrame({name: list(counts), "Freq": list(counts.values())}).to_csv(folder / f"{name}.csv", index=False)
    session = subprocess.Popen(
        ["R", "--slave", "--vanilla"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
    )

    def run(code: str) -> None:
        assert session.stdin is not None
        assert session.stdout is not None
        session.stdin.write(f'{code}; cat("DONE\\n")\n')
        session.stdin.flush()
        for line in session.stdout:
            if line.startswith("DONE"):
                return
        raise RuntimeError("R ended")

    run(
        f'''suppressMessages(library(survey)); f <- read.csv("{folder}/sample.csv", colClasses=c(a="factor",
        b="factor", c="factor", s="factor")); d <- svydesign(id=~u, strata=~h, weights=~w, data=f);
        k <- lapply(c("a", "b", "c", "s"), function(x) read.csv(file.path("{folder}", paste0(x, ".csv")),
        colClasses=setNames("factor", x)))'''
    )
    variables = "+".join(f"v{j}" for j in range(VARIABLES))
    tasks = {
        "means": f"x <- svyby(~{variables}, ~d, d, svymean)",
        "raking": "x <- rake(d, list(~a, ~b, ~c, ~s), k, control=list(maxit=100, epsilon=1e-3))",
    }
    return {name: lambda code=code: run(code) for name, code in tasks.items()}
