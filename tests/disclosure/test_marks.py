"""Marks: the rules of data/reliability.csv on tables of answers and of models."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from books import BOOK
from wording import Wording

from welfare_analysis.disclosure import Released, marks, protect
from welfare_analysis.estimation import Design, mean, share
from welfare_analysis.publishing.figures import style
from welfare_analysis.results.declare import long_format

STUDY = Wording(codebook=BOOK, language="en")


@pytest.mark.parametrize(
    ("n", "met", "flag"),
    [
        (400, 120, ""),  # 30 %, nine points wide
        (36, 18, "unsure"),  # 33 points wide: NCHS allows 30
        (150, 6, "unsure"),  # 4 %, 7 points wide, 175 % of the share
        (2000, 3, ""),  # wide beside 0.15 %, and spared because it is half a point
    ],
)
def test_shares_by_the_limits_of_nchs(n, met, flag):
    """Width, relative width and the narrow that are spared, of simple random samples of two strata."""
    design = Design(np.full(n, 10.0), strata=np.arange(n) % 2)
    assert list(marks(share(design, np.arange(n) < met), "share")) == [flag]


def test_amounts_by_the_limits_of_statistics_canada():
    """A coefficient of variation of 10, 20 and 40 % of a mean of 100: nothing, caution, not shown."""
    design = Design(np.full(400, 10.0), strata=np.arange(400) % 2)
    z = np.tile([1.0, 1.0, -1.0, -1.0], 100)
    y = pd.DataFrame({c: 100 + 20 * c * z for c in (10, 20, 40)})
    e = mean(design, y)
    np.testing.assert_allclose(e.se / e.value, [0.1, 0.2, 0.4], rtol=5e-3)
    assert list(marks(e, "amount")) == ["", "caution", "unsure"]


def test_a_model_is_marked_and_not_hidden():
    """Its interval is beside it: over a third of the number it has a mark, which few respondents give as well."""
    design = Design(np.full(400, 10.0))
    y = pd.DataFrame({"sure": np.tile([90.0, 110.0], 200), "change": np.tile([-90.0, 110.0], 200)})
    rows, blank = long_format(mean(design, y), "kind"), Released("x", "total", "", ("kind",), "dh_month")
    table = protect(blank, rows, (400, 400))
    assert list(table.frame["flag"]) == ["", "caution"]
    assert table.frame["estimate"].notna().all()
    small = protect(blank, rows.assign(n=[40.0, 20.0]), (400, 400))
    assert list(small.frame["flag"]) == ["caution", "hidden"]


def test_pictures_mark_what_tables_mark():
    """A hollow dot for a number to be used with caution, a slash and two points for those that are not shown."""
    nan = float("nan")
    cells = pd.DataFrame(
        {
            "estimate": [0.5, 0.4, nan, nan],
            "low": [0.4, 0.2, nan, nan],
            "high": [0.6, 0.6, nan, nan],
            "flag": ["", "caution", "unsure", "hidden"],
        }
    )
    figure, axes = plt.subplots()
    style.points(axes, np.arange(4), cells, "share", style.PALETTE[0])
    style.numbered(axes, np.arange(4), cells, "share", STUDY)
    _, plain, hollow = axes.collections
    assert hollow.get_offsets()[:, 1].tolist() == [1]
    assert (hollow.get_facecolors() == 1).all()
    assert not (plain.get_facecolors() == 1).all()
    assert [t.get_text() for t in axes.texts][2:] == ["/", ".."]
    plt.close(figure)
