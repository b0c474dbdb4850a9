"""The recovery of funnels as pages show it: the stored simulation, and what sentences say of it."""

import pandas as pd
import pytest

from welfare_analysis.results import coverage
from welfare_analysis.study import DATA

STORED = pd.read_csv(DATA / "survey" / "recovery.csv")


@pytest.mark.parametrize("page", coverage.STEPS)
def test_a_table_says_what_is_stored(page):
    """By the file: coverage, the lower end of its interval, samples, the error of the truth and that of the spread."""
    table = coverage.recovery(page)
    for row in STORED[STORED["page"] == page].itertuples():
        found = [table.cell(row.number, row.interval, measure)["estimate"] for measure in coverage.RECOVERY]
        ratios = [row.error / row.truth, row.mean_se / row.spread]
        assert found == pytest.approx([row.coverage, row.coverage_low, *ratios, row.samples])


def test_sentences_name_the_steps_that_were_not_recovered():
    """By the file: all steps but who can pay a home and homes bought, of as many samples each."""
    rows = STORED.set_index(["page", "number"])
    assert list(rows.index[~rows["recovered"]]) == [("homes", "affordable"), ("homes", "bought")]
    summary = coverage.recovery_summary()
    assert [summary.cell(name)["estimate"] for name in ("recovered", "of", "samples")] == [13, 15, 640]
    assert rows["samples"].eq(640).all()
    assert (rows["coverage_low"] > summary.cell("limit")["estimate"]).eq(rows["recovered"]).all()


def test_false_alarms_are_counted_beside_what_is_marked():
    """By the file of coverage: of cells under 92 % those that are marked, and of the others too."""
    cells = pd.read_csv(DATA / "reference" / "coverage.csv").query("part == 'statistics'")
    poor, hit = cells["coverage"] < 0.92, cells["flagged"] > 0.5
    facts = [(poor & hit).sum(), poor.sum(), (~poor & hit).sum(), (~poor).sum()]
    found = coverage.summary()
    assert [found.cell(name)["estimate"] for name in ("marked", "poor", "alarms", "good")] == facts
    assert facts[2] > 0
