"""Regressions: logistic on 80,000 respondents by 12 columns, quantile regression on 20,000, beside R and statsmodels.

Ours and R's start from a design that is made and a frame, and end with the covariance of the design; statsmodels
starts from arrays that are ready and ends with a covariance that knows no design.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import statsmodels.api as sm
from timing import Case

from welfare_analysis.estimation import Design, logistic, quantile_regression

NAMES = [f"x{i}" for i in range(12)]
LOGISTIC, LINE = f"y ~ {' + '.join(NAMES)}", "v ~ x0 + x1 + x2 + x3"


class Program:
    """R with its packages and data loaded, so that only the task is timed; it ends with this process."""

    def __init__(self, executable: str, start: str) -> None:
        self.process = subprocess.Popen(
            [executable, "--vanilla", "--quiet", "--no-echo"], stdin=-1, stdout=-1, stderr=subprocess.DEVNULL, text=True
        )
        self.run(start)

    def run(self, code: str) -> str:
        """Run the code and wait until it is done; what it printed."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{code}\ncat('done\\n')\n")
        self.process.stdin.flush()
        lines: list[str] = []
        for line in self.process.stdout:
            if line == "done\n":
                return "".join(lines)
            lines.append(line)
        raise RuntimeError("R ended: are its packages survey and quantreg there?")


def made_up(n: int) -> tuple[pd.DataFrame, Design]:
    """People in clusters of 20 in strata of 10 clusters, with unequal weights."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(n, 12))
    f = pd.DataFrame(x, columns=NAMES)
    f["y"] = (rng.random(n) < 1 / (1 + np.exp(1 - x @ np.linspace(-0.4, 0.4, 12)))).astype(int)
    f["v"] = x[:, 0] + 2 * x[:, 1] + rng.normal(size=n) * np.exp(x[:, 2] / 4)
    f["w"], f["psu"], f["stratum"] = rng.uniform(1, 5, n), np.arange(n) // 20, np.arange(n) // 200
    return f, Design(f["w"], strata=f["stratum"], psu=f["psu"])


def in_r(f: pd.DataFrame, package: str, design: str, task: str) -> Callable[[], object] | None:
    """The task in R, or None where R or the package is not there."""
    executable = shutil.which("R")
    probe = [executable or "R", "--vanilla", "--no-echo", "-e", f"library({package})"]
    if executable is None or subprocess.run(probe, capture_output=True, check=False).returncode:
        return None
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "people.csv"
        f.to_csv(path, index=False)
        program = Program(executable, f"suppressMessages(library({package})); f <- read.csv('{path}'); {design}")
    return lambda: program.run(f"r <- {task}")


def cases() -> list[Case]:
    """Logistic and quantile regression."""
    f, design = made_up(80_000)
    small, part = made_up(20_000)
    survey = "d <- svydesign(id = ~psu, strata = ~stratum, weights = ~w, data = f)"
    x, line = sm.add_constant(f[NAMES].to_numpy()), sm.add_constant(small[["x0", "x1", "x2", "x3"]].to_numpy())
    y, w, v = (f["y"].to_numpy(), f["w"].to_numpy(), small["v"].to_numpy())
    return [
        Case(
            "logistic, 80,000 respondents x 12 columns",
            lambda: logistic(design, f, LOGISTIC).covariance(),
            {
                "R survey": in_r(f, "survey", survey, f"vcov(svyglm({LOGISTIC}, d, family = quasibinomial))"),
                "statsmodels GLM": lambda: sm.GLM(y, x, sm.families.Binomial(), freq_weights=w).fit().cov_params(),
            },
            {"R survey": 10},
        ),
        Case(
            "quantile regression, 20,000 respondents x 4 columns",
            lambda: quantile_regression(part, small, LINE).covariance(),
            {
                "R quantreg": in_r(small, "quantreg", "", f"summary(rq({LINE}, data = f, weights = w), se = 'nid')"),
                "statsmodels QuantReg": lambda: sm.QuantReg(v, line).fit(),
            },
        ),
    ]
