"""What is known of the stand-in alone: the truth that estimates stand beside."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from books import BOOK

from welfare_analysis.publishing.figures import picture
from welfare_analysis.results import release
from welfare_analysis.results.headlines import TRUTH, known
from welfare_analysis.study import DATA, Study
from welfare_analysis.survey import standin
from welfare_analysis.survey.reading import typed


@pytest.fixture(scope="module")
def world():
    """A generated survey, made when a test asks for it: every worker reads this file."""
    return standin.generate(standin.Parameters.read(DATA / "public"), 13, "rich", 4000)


def test_the_truth_is_that_of_everybody_by_their_true_answers(world):
    """Tenants and crowded homes by NumPy from the columns that the generator alone knows."""
    raw, table = world.truth, known(typed(world.truth, BOOK)).set_index("status")
    status, tenure = raw["status"].to_numpy(str), raw["tenure"].to_numpy(str)
    rooms, persons = raw["rooms_n"].to_numpy(float), raw["household_size_n"].to_numpy(float)
    for code in np.unique(status):
        inside = status == code
        assert np.isclose(table.loc[code, "tenant"], np.mean(tenure[inside] == "tenant"))
        assert np.isclose(table.loc[code, "crowded"], np.mean(persons[inside] > 2 * rooms[inside]))
    assert np.isclose(table.loc["all", "tenant"], np.mean(tenure == "tenant"))
    assert table["commute_long"].notna().to_dict() == {c: c in ("all", "active") for c in table.index}


def test_estimates_of_the_standin_stand_beside_its_own_truth():
    """Tenants are recovered within four standard errors; the diamonds are those of the groups that have an estimate."""
    study = Study.open()
    shown, stored = release(study)["tenant"].shown.iloc[0], pd.read_csv(TRUTH).set_index("status")
    assert abs(shown["estimate"] - stored.loc["all", "tenant"]) < 2 * (shown["high"] - shown["low"])
    assert release(study)["truth"].cell("tenant", "widow")["estimate"] == stored.loc["widow", "tenant"]
    figure, _ = picture(study, "conditions")
    diamonds = [len([line for line in axes.lines if line.get_marker() == "D"]) for axes in figure.axes]
    assert diamonds == [5, 4, 4, 2]  # one of the first stands for the legend; widows and orphans are one group at last
    plt.close(figure)


def test_nothing_is_known_of_other_answers(world):
    """A study of frames has no truth: no cell, no column, no diamond; nor one interval for both without a follow-up."""
    study = Study.of(*(typed(f, BOOK) for f in (world.answers, world.register, world.followup)), BOOK)
    assert not len(release(study)["truth"].shown)
    columns = set(release(study)["headlines"].frame["category"])
    assert "whole" in columns
    assert "truth" not in columns
    alone = Study.of(*(typed(f, BOOK) for f in (world.answers, world.register)), None, BOOK)
    assert "whole" not in set(release(alone)["headlines"].frame["category"])  # nobody was followed up
    figure, _ = picture(study, "conditions")
    assert not [line for axes in figure.axes for line in axes.lines if line.get_marker() == "D"]
    plt.close(figure)
