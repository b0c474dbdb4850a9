"""Maps: words that cover no places, and west at the left in every language."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from books import BOOK
from wording import Wording

from welfare_analysis.disclosure import document
from welfare_analysis.publishing.figures.lines import sides, tour
from welfare_analysis.publishing.figures.style import mirrored
from welfare_analysis.study import public


def test_words_stand_where_nothing_is():
    """A lone place has its words above at the right; one with a neighbour there has them at the left."""
    assert sides(np.array([[0.0, 0.0]]), ["Oujda"]) == [(1, 1)]
    assert sides(np.array([[0.0, 0.0], [0.4, 0.1]]), ["Nador", "Oujda"])[0] == (-1, 1)


def test_a_map_is_not_turned_for_who_reads_from_right_to_left():
    """The stops lie where they lie, west at the left, also in Arabic; only the title changes its side."""
    towns = public("caravan")
    table = pd.DataFrame({"caravan_stop": towns["caravan_stop"], "estimate": np.arange(1.0, len(towns) + 1)})
    study = Wording(codebook=BOOK, language="ar")
    figure = mirrored(tour([document("caravan_route", table, ["caravan_stop"])], study))
    (axes,) = figure.axes
    assert not axes.xaxis_inverted()
    assert np.asarray(axes.lines[0].get_xydata()).tolist() == towns[["lon", "lat"]].to_numpy().tolist()
    assert figure._suptitle.get_ha() == "right"
    plt.close("all")
