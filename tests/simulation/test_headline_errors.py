import headline_errors
import numpy as np
import pandas as pd
import pytest
from parts import PARTS

from welfare_analysis.estimation import Design
from welfare_analysis.study import DATA, Study
from welfare_analysis.survey.reading import typed
from welfare_analysis.survey.standin import generate

SAMPLES, SIZE = 4, 6_000
BOOK, PARAMETERS, TABLES = headline_errors.read()


@pytest.fixture(scope="module")
def samples():
    """A few small samples of the well specified version, headlines and one table of several cells."""
    few = TABLES.loc[[*headline_errors.HEADLINES, "tenure_by_rank"]]
    drawn = [headline_errors.one_sample("plain", seed, BOOK, PARAMETERS, few, size=SIZE) for seed in range(SAMPLES)]
    return pd.concat(drawn, ignore_index=True)


def test_the_follow_up_recovers_what_informative_return_hides(samples):
    """Simulate and recover: two phases err by chance only; returners alone miss tenancy by many standard errors."""
    found = headline_errors.summarise(samples).set_index(["method", "headline"])
    mean_error = found["mean_se"] / np.sqrt(SAMPLES)
    for name in headline_errors.HEADLINES:
        assert abs(found.loc[("two_phase", name), "bias"]) < 4 * mean_error["two_phase", name]
    assert found.loc[("returners", "tenant"), "bias"] > 5 * found.loc[("returners", "tenant"), "mean_se"]
    assert found.loc[("returners", "tenant"), "coverage"] == 0
    table = found.loc[("two_phase", "tenure_by_rank")]
    assert table["cells"] > 10
    assert table["coverage"] > 0.85


def test_the_truth_is_what_a_census_gives():
    """Every table, computed with pandas alone, is what the estimators give when everybody answers with weight one."""
    truth = typed(generate(PARAMETERS, 3, "plain", size=4000).truth, BOOK)
    everybody = headline_errors.with_conditions(Study.of(truth, None, None, BOOK).frame)
    census = Design(np.ones(len(everybody)))
    for name, table in TABLES.iterrows():
        estimate = headline_errors.estimated(census, everybody, table).value
        known = headline_errors.true_values(everybody, table)
        cells = [headline_errors.cell(*np.atleast_1d(key)) if table["by"] else "" for key in estimate.index]
        assert known.reindex(cells).to_numpy() == pytest.approx(estimate.to_numpy(), rel=1e-12), name


def test_summary_by_hand():
    """Tables of several cells pool the coverage and give the worst; a cell that is seldom printed is left out."""
    rows = [  # cell, seed, truth, estimate, se, covered
        ("a", 1, 0.5, 0.6, 0.1, True),
        ("a", 2, 0.5, 0.6, 0.1, True),
        ("b", 1, 0.3, 0.1, 0.3, False),
        ("b", 2, 0.3, 0.3, 0.3, True),
        ("b", 3, 0.3, 0.2, 0.3, False),
        ("c", 3, 0.1, 0.9, 0.5, False),
    ]
    family = pd.DataFrame(rows, columns=["cell", "seed", "truth", "estimate", "se", "covered"])
    single = family[family["cell"] == "b"].assign(cell="", headline="crowded")
    both = pd.concat([family.assign(headline="crowded_by_status"), single]).assign(version="plain", method="two_phase")
    found = headline_errors.summarise(both)
    assert found["headline"].to_list() == ["crowded", "crowded_by_status"]  # headlines first
    one, several = found.iloc[0], found.iloc[1]
    assert one[["truth", "bias", "spread", "mean_se", "coverage", "worst_coverage"]].to_list() == pytest.approx(
        [0.3, -0.1, 0.1, 0.3, 1 / 3, 1 / 3]
    )
    assert several[["truth", "bias", "spread", "mean_se", "coverage", "worst_coverage"]].to_list() == pytest.approx(
        [0.4, 0.1, 0.05, 0.2, 3 / 5, 1 / 3]
    )
    assert found["samples"].to_list() == [3, 3]
    assert found["cells"].to_list() == [1, 2]


def test_stored_results_are_of_the_counts_in_the_code():
    """The committed results hold every table, version and method, from as many samples and worlds as the code says."""
    stored = pd.read_csv(DATA / "survey" / "validation.csv")
    assert stored.columns.to_list() == [
        *headline_errors.KEYS,
        *("truth", "bias", "spread", "mean_se", "coverage", "samples", "cells", "worst_coverage"),
    ]
    versions = dict(PARTS["headlines"].samples)
    worlds = versions.pop(headline_errors.WORLD)
    assert (stored["samples"] == stored["version"].map(versions)).all()
    headlines = stored[stored["headline"].isin(headline_errors.HEADLINES)]
    assert len(headlines) == len(versions) * 2 * len(headline_errors.HEADLINES)
    assert (headlines["cells"] == 1).all()
    families = stored.drop(headlines.index)
    assert len(families) == len(versions) * len(headline_errors.FAMILIES)
    assert set(families["headline"]) == set(headline_errors.FAMILIES)
    assumed = pd.read_csv(DATA / "survey" / "assumptions.csv")
    assert assumed["headline"].to_list() == list(headline_errors.HEADLINES)
    assert (assumed["worlds"] == worlds).all()
