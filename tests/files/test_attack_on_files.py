"""An attacker who has the published file and nothing else of the study but the register and who answered."""

import pandas as pd
from conftest import survey

from welfare_analysis.disclosure.registry import joined, read, rows
from welfare_analysis.results import release
from welfare_analysis.results.audit import broken
from welfare_analysis.results.descriptive import PLAN


def test_what_the_file_holds_gives_no_hidden_cell_away(opened, tmp_path):
    """The plan's tables of about 800 forms, as results.csv has them: no family breaks, and many cells are hidden."""
    world = survey(800)
    study = opened(world.answers, world.register, world.followup)
    tables = [release(study)[name] for name in pd.read_csv(PLAN)["id"]]
    pd.concat([rows(table) for table in tables]).to_csv(tmp_path / "page.csv", index=False)
    joined({"page": tmp_path / "page.csv"}).to_csv(tmp_path / "results.csv", index=False)
    published = read(tmp_path / "results.csv")
    assert sum((t.frame["flag"] == "hidden").sum() for t in published.values() if len(t.frame)) > 50
    assert broken(study, published) == []
