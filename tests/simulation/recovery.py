r"""Whether each step of the three funnels is recovered where the model is right: intervals judged against a limit.

One population serves homes, loans and a shuttle: answers without errors, modes of transport by the tastes of the cards.
Each number is the one of the page before the bridge from what is stated to what is likely, of which there is no truth
(for the shuttle: times the true part of those who are certain). The claim is one of non-inferiority: the lower end of
an exact one-sided 95 % interval (Clopper and Pearson 1934, Biometrika 26, 404-413) of how often intervals hold the
truth is above `LEAST`. With S samples at a coverage of 95 % that is shown of a number with a probability of about
:math:`\Phi\{(0.95 - 0.92) \sqrt{S / 0.0475} - 1.645\}`: 86 % of 400 samples, 98.8 % of 800.
"""

from __future__ import annotations

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

SAMPLES, FIRST_SEED, SIZE = 640, 70_000, 10_000  # persons of a population; as many samples as 45 minutes allow
LEAST, LEVEL = 0.92, 0.95
STEPS = ["in_need", "wants", "eligible", "affordable"]
LAST = {"homes": "bought", "loans": "all", "transport": "certain"}


def one_sample(seed: int, size: int = SIZE) -> pd.DataFrame:
    """A row a step of each page: truth, estimate, se and whether the interval holds the truth."""
    study, everybody = studies("plain", seed, size, commute=transport_errors.at_the_table)
    people, everyone = transport.commuters(study), transport.commuters(everybody)
    shuttle = Shuttle.before(people).at(scale=transport_errors.SCALE)
    riding = transport_errors.true_numbers(everyone, "plain", transport_errors.SCALE)
    buying = demand_errors.true_numbers(housing.market(everybody), "plain")
    borrowing = loan_errors.true_numbers(loans.market(everybody), "plain")
    found = {
        "homes": (demand_errors.numbers(housing.market(study)), buying),
        "loans": (loan_errors.numbers(loans.market(study)), borrowing),
        "transport": (together(transport_errors.passed(people, shuttle)), pd.Series(riding)),
    }
    tables = [
        table[table["number"].isin([*STEPS, LAST[page]])].assign(page=page)
        for page, numbers in found.items()
        for table in [against(*numbers)]
    ]
    return pd.concat(tables, ignore_index=True).assign(seed=seed)


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
    return table.assign(coverage_low=tests, recovered=pd.Series(tests) > LEAST, persons=SIZE)
