"""The attack before publication: families that hold are published, families that break are withheld and say so."""

import numpy as np
import pandas as pd
import pytest
from books import BOOK

from welfare_analysis.disclosure import protection
from welfare_analysis.publishing import show
from welfare_analysis.results import declare
from welfare_analysis.results.audit import broken
from welfare_analysis.results.descriptive import descriptive
from welfare_analysis.study import DATA, Study

TENURE = ["tenure_by_status", "tenant_by_status"]


def opened():
    """Of 400 active all but 60 rent, of 200 retired 5 live with family: that share is hidden for its own sake."""
    tenure = ["tenant"] * 340 + ["owner"] * 60 + ["owner"] * 145 + ["tenant"] * 50 + ["family"] * 5
    tenure += ["owner"] * 80 + ["tenant"] * 45 + ["family"] * 25
    people = pd.DataFrame({"status": np.repeat(["active", "retired", "widow"], [400, 200, 150]), "tenure": tenure})
    kinds = {c: pd.CategoricalDtype(BOOK.codes(c)) for c in people}
    return Study.of(people.astype(kinds), None, None, BOOK)


@pytest.fixture
def plan(tmp_path, monkeypatch):
    """Only the tables of one family: fewer are made."""
    rows = pd.read_csv(DATA / "release.csv", keep_default_na=False)
    rows[rows["id"].isin([*TENURE, "tenant", "crowded_by_status"])].to_csv(tmp_path / "plan.csv", index=False)
    whole = descriptive
    monkeypatch.setattr("welfare_analysis.results.audit.descriptive", lambda s: whole(s, tmp_path / "plan.csv"))


def test_what_is_protected_holds(plan):
    """Nothing is withheld where the hidden cells leave enough open."""
    assert broken(opened()) == []


def test_a_family_that_gives_a_cell_away_is_withheld_whole(plan, monkeypatch):
    """Without secondary suppression the 5 are what the other shares of their line leave: both tables go."""
    monkeypatch.setattr(protection, "completed", lambda cells, axes, rules, hidden, within=(): hidden)
    assert set(broken(opened())) == set(TENURE)


def test_a_withheld_table_says_so_and_others_stay(monkeypatch):
    """In the place of the table stands its reason; a table that no name is given of is shown."""
    monkeypatch.setenv(declare.WITHHELD, "tenure_by_status")
    study = opened()
    assert "Withheld" in show(study, "tenure_by_status").data
    assert '<table id="tenant">' in show(study, "tenant").data
