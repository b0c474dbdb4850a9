r"""Whether each step of the three funnels is recovered where the model is right: intervals judged against a limit.

One population serves homes, loans and a shuttle: answers without errors, modes of transport by the tastes of the cards.
Each number is the one of the page before the bridge from what is stated to what is likely, of which there is no truth
(for the shuttle: times the true part of those who are certain). The claim is one of non-inferiority: the lower end of
an exact one-sided 95 % interval (Clopper and Pearson 1934, Biometrika 26, 404-413) of how often intervals hold the
truth is above `LEAST`. With S samples at a coverage of 95 % that is shown of a number with a probability of about
:math:`\Phi\{(0.95 - 0.92) \sqrt{S / 0.0475} - 1.645\}`: 86 % of 400 samples, 98.8 % of 800.
"""

from __future__ import annotations

from collections.abc import Sequence

import demand_errors
import loan_errors
import pandas as pd
import transport_errors
from demand_errors import against, studies
from scipy import stats
from summaries import summarised

from welfare_analysis.demand import housing, loans, transport
from welfare_analysis.demand.shuttle import Shuttle
from welfare_analysis.estimation import Estimate, joint
from welfare_analysis.study import Study

INTERVAL = "log"  # scale of the intervals of counts; runs before 29 November 2026 had symmetric ones
FIRST_SEED, SIZE = 70_000, 10_000  # persons of a population
LEAST, LEVEL = 0.92, 0.95
STEPS = ["in_need", "wants", "eligible", "affordable"]
LAST = {"homes": "bought", "loans": "all", "transport": "certain"}


def one_sample(seed: int, size: int = SIZE, pages: Sequence[str] = tuple(LAST)) -> pd.DataFrame:
    """A row a step of each page: truth, estimate, se and whether the interval holds the truth."""
    study, everybody = studies("plain", seed, size, commute=transport_errors.at_the_table)
    tables = []
    for page in pages:
        table = against(*NUMBERS[page](study, everybody))
        tables.append(table[table["number"].isin([*STEPS, LAST[page]])].assign(page=page))
    return pd.concat(tables, ignore_index=True).assign(seed=seed)


def of_homes(study: Study, everybody: Study) -> tuple[Estimate, pd.Series]:
    """Steps of homes as they are estimated, and as they are."""
    known = demand_errors.true_numbers(housing.market(everybody), "plain")
    return demand_errors.numbers(housing.market(study)), known


def of_loans(study: Study, everybody: Study) -> tuple[Estimate, pd.Series]:
    """Steps of loans as they are estimated, and as they are."""
    return loan_errors.numbers(loans.market(study)), loan_errors.true_numbers(loans.market(everybody), "plain")


def of_transport(study: Study, everybody: Study) -> tuple[Estimate, pd.Series]:
    """Steps of a shuttle as they are estimated, and as they are."""
    people, scale = transport.commuters(study), transport_errors.SCALE
    known = transport_errors.true_numbers(transport.commuters(everybody), "plain", scale)
    return together(transport_errors.passed(people, Shuttle(people).at(scale=scale))), pd.Series(known)


NUMBERS = {"homes": of_homes, "loans": of_loans, "transport": of_transport}


def together(numbers: dict[str, Estimate]) -> Estimate:
    """Estimates of one number each as one, named."""
    return joint(numbers).apply(lambda v: pd.Series(v.to_numpy(), index=list(numbers)))


def judged(samples: pd.DataFrame) -> pd.DataFrame:
    """By page and step: error, coverage, the lower end of its interval, and whether it is above the limit."""
    table = summarised(samples, ["page", "number"])
    held = (table["coverage"] * table["samples"]).round().astype(int)
    tests = [
        stats.binomtest(k, n, LEAST, "greater").proportion_ci(LEVEL, "exact").low
        for k, n in zip(held, table["samples"], strict=True)
    ]
    return table.assign(coverage_low=tests, recovered=pd.Series(tests) > LEAST, persons=SIZE, interval=INTERVAL)
