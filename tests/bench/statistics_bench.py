"""Quantiles with intervals and Gini of 80,000 respondents in 2,000 PSUs, by 84 domains (means: `design_bench`)."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from timing import Case

from welfare_analysis.estimation import Design, gini, quantile

PEOPLE, VARIABLES, DOMAINS, STRATA = 80_000, 46, 84, 40


def frame() -> pd.DataFrame:
    """Made-up answers: normal in 40 strata of about 50 PSUs, with unequal weights and 84 domains."""
    rng = np.random.default_rng(20120924)
    stratum = rng.integers(0, STRATA, PEOPLE)
    y = rng.normal(size=(PEOPLE, VARIABLES)) + stratum[:, None] / STRATA
    out = pd.DataFrame(y, columns=[f"y{j}" for j in range(VARIABLES)])
    known = {
        "stratum": stratum,
        "psu": 100 * stratum + rng.integers(0, 50, PEOPLE),
        "d": rng.integers(0, DOMAINS, PEOPLE),
    }
    return out.assign(**known, w=rng.uniform(1, 9, PEOPLE))


class Session:
    """R with the data in memory: a task is sent as text and timed without start-up and reading."""

    def __init__(self, data: pd.DataFrame) -> None:
        file = Path(tempfile.mkdtemp()) / "bench.csv"
        data.to_csv(file, index=False)
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(["R", "--no-echo", "--no-save"], stdin=pipe, stdout=pipe, text=True)
        self.run(
            f'suppressMessages(library(survey)); f <- read.csv("{file}");'
            "s <- svydesign(id=~psu, strata=~stratum, weights=~w, data=f)"
        )
        shutil.rmtree(file.parent)

    def run(self, text: str) -> None:
        """Run one line and wait for it."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f'{text}; cat("done\\n")\n')
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if line.strip() != "done":
            raise RuntimeError(f"R said {line!r}")


def in_r(data: pd.DataFrame) -> Callable[[str], Callable[[], object] | None]:
    """What makes a task of R text, or None where R or its package is not here."""
    asked = ["Rscript", "-e", "library(survey)"]
    if shutil.which("R") is None or subprocess.run(asked, capture_output=True, check=False).returncode:
        return lambda text: None
    session = Session(data)
    return lambda text: lambda: session.run(text)


def cases() -> list[Case]:
    """Our time beside svy's and R's."""
    data = frame()
    names = [c for c in data if c.startswith("y")]
    y, one, by = data[names], data["y0"], data["d"]
    design = Design(data["w"], strata=data["stratum"], psu=data["psu"])
    r, theirs = in_r(data), None
    try:
        import polars
        import svy
    except ImportError:
        pass
    else:
        sample = svy.Sample(polars.from_pandas(data), svy.Design(stratum="stratum", psu="psu", wgt="w"))
        theirs = sample.estimation
    return [
        Case(
            "median with interval x 84 domains",
            lambda: quantile(design, one, by=by).interval(),
            {
                "svy": None if theirs is None else lambda: theirs.quantile("y0", p=0.5, by="d"),
                "R survey": r("invisible(svyby(~y0, ~d, s, svyquantile, quantiles=0.5, ci=TRUE))"),
            },
            {"svy": 20},
        ),
        Case(
            "median with interval, 46 variables x 84 domains",
            lambda: quantile(design, y, by=by).interval(),
            {"svy": None if theirs is None else lambda: theirs.quantile(names, p=0.5, by="d")},
            {"svy": 20},
        ),
        Case(
            "Gini x 84 domains",
            lambda: gini(design, one.abs(), by=by).se,
            {"median": lambda: quantile(design, one, by=by).se},
        ),
    ]
