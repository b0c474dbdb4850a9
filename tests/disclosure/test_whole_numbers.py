"""People are whole: where the linear program leaves a cell of a small group open, an integer program may not."""

from dataclasses import replace

import attacker
import numpy as np
import pandas as pd

from welfare_analysis.disclosure import protect
from welfare_analysis.disclosure.released import declared


def published(folder, weight, wide=0.005, met=(8.0, 8, 30), n=(40.0, 40, 60)):
    """Shares of three groups, of which two are small and have few; all of a group weigh the same."""
    table = pd.DataFrame({"g": list("abc"), "n": n, "numerator": met, "weight": weight})
    table["estimate"] = table["numerator"] / table["n"]
    table = table.assign(low=table["estimate"] - wide, high=table["estimate"] + wide)
    given = {"t": ((declared("t", "share", "x", ("g",), "share"), table, (2000, 2000)), {"adds": ["g"]})}
    made = {"t": protect(*given["t"][0], **given["t"][1])}
    pub = attacker.written(made, given, folder / "t.csv")
    return replace(pub, weights={i: np.full(40, weight[i]) for i in range(2)})  # of the small ones


def test_of_two_groups_that_weigh_unlike_few_pairs_fit_the_sum(tmp_path):
    """7 k + 9 l = 128: k is 8 or 17, though any number from 0 to 18 fits where people may be cut."""
    pub = published(tmp_path, (7.0, 9, 1))
    assert pub.truth["flag"].tolist() == ["hidden", "hidden", ""]
    assert not len(attacker.known_too_well(pub))
    assert attacker.whole_numbers(pub)["codes"].tolist() == [("a",), ("b",)]
    assert not len(attacker.whole_numbers(published(tmp_path, (1.0, 1, 1))))  # all that add to 16


def test_rounding_leaves_whole_numbers_open(tmp_path):
    """The third group is printed to a hundredth, and its respondents weigh 8: sums of many more pairs fit."""
    pub = published(tmp_path, (7.0, 9, 8), wide=0.04)
    assert not len(attacker.whole_numbers(pub))


def test_where_weights_differ_within_a_group(tmp_path):
    """Of the lightest and the heaviest: 3 of a weigh 19.5 to 22.5, and 12 of b all but 20 of 128; 2 leave no number."""
    pub = published(tmp_path, (7.0, 9, 1))
    mixed = replace(pub, weights={0: np.r_[np.full(20, 6.5), np.full(20, 7.5)], 1: pub.weights[1]})
    cells, small = pub.truth.reset_index(names="row"), np.array([True, True, False])
    assert attacker._whole(mixed, cells, small, np.array([0, 1])).round(6).tolist() == [[3, 19], [0, 12]]
