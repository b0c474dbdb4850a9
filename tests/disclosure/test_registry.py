"""The registry: whatever is shown, drawn or said is in one file, hidden cells without a number, and nothing else."""

import ast
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import welfare_analysis.publishing as publishing
from welfare_analysis.disclosure import CATEGORY, NUMBERS, Released, protect
from welfare_analysis.disclosure.registry import COLUMNS, WHY, joined, log, read, rows, shown_share
from welfare_analysis.publishing import draw, say, show
from welfare_analysis.publishing.published import PUBLISHED, REGISTRY
from welfare_analysis.study import Study

FOLDER = Path(publishing.__file__).parent


def table():
    """Shares by group and category, of which three are hidden."""
    cells = pd.DataFrame({"g": ["a", "a", "b", "b"], CATEGORY: ["x", "y", "x", "y"], "n": [400.0, 400, 300, 300]})
    cells = cells.assign(numerator=[395.0, 5, 100, 200], estimate=[0.9875, 0.0125, 1 / 3, 2 / 3])
    cells = cells.assign(low=cells["estimate"] - 0.01, high=cells["estimate"] + 0.01)
    return protect(Released("t", "share", "tenure", ("g",), "share", "status = active"), cells, (700, 710))


def test_a_file_gives_back_the_tables_as_printed(tmp_path):
    """Numbers, units, bases, marks and universe of each cell; a table that is not shown gives its reason."""
    one, other = table(), Released("other", "share", "", ("g",), "share").without_numbers("no_totals")
    pd.concat([rows(one), rows(other)]).to_csv(tmp_path / "p.csv", index=False)
    whole = joined({"04": tmp_path / "p.csv", "05": tmp_path / "none.csv"})
    assert list(whole) == ["page", *COLUMNS]
    assert set(whole["page"]) == {"04"}
    whole.to_csv(tmp_path / "results.csv", index=False)
    back = read(tmp_path / "results.csv")
    assert back["other"].state == "no_totals"
    assert (back["t"].where, back["t"].by, back["t"].keys) == (one.where, one.by, one.keys)
    assert (back["t"].unit, back["t"].respondents, back["t"].missing_share) == ("share", 700, round(10 / 710, 3))
    assert list(joined({"05": tmp_path / "none.csv"})) == list(whole)
    assert joined({"04": tmp_path / "p.csv", "06": tmp_path / "p.csv"}).index.is_unique
    pd.testing.assert_frame_equal(
        back["t"].frame[[*one.keys, *NUMBERS, "n", "flag", "step"]],
        one.frame[[*one.keys, *NUMBERS, "n", "flag", "step"]],
        check_dtype=False,
    )


def test_a_table_of_which_no_row_is_left_is_one_row():
    """A table may have columns and no cell, as a list of differences where there are none: its state is in the file."""
    empty = Released("t", "share", "", ("g",), "share", frame=table().frame.iloc[:0], state="shown")
    assert rows(empty)[["table", "keys", "state"]].to_numpy().tolist() == [["t", "", "shown"]]
    assert rows(empty)[NUMBERS].isna().all(axis=None)


def test_nothing_hidden_is_in_the_file():
    """Of a hidden cell there are its keys and its mark; no number, no base."""
    cells = rows(table())
    hidden = cells[cells["flag"] == "hidden"]
    assert len(hidden) == 2
    assert hidden[[*NUMBERS, "n"]].isna().all(axis=None)


def test_the_log_of_what_is_hidden_reveals_nothing():
    """Two files that differ in which cells fail a rule themselves have one log: it is a function of the file alone.

    By page and table it counts what the file leaves out, and names the rules of such a table, or why there is none.
    """
    one = rows(table()).assign(page="04")
    none = rows(Released("o", "total", "", ("g",), "persons").without_numbers("withheld")).assign(page="05")
    whole = rows(Released("w", "share", "", ("g",), "share", frame=table().shown, state="shown")).assign(page="05")
    found = log(pd.concat([one, none, whole], ignore_index=True))
    assert found.to_dict("split")["data"] == [["04", "t", WHY[""], 2, 4], ["05", "o", "withheld", 1, 0]]
    placed = one.assign(keys=one["keys"].str.replace("g=", "command_group="))
    assert log(placed)["rule"].tolist() == [WHY[""] + ", min_places"]
    assert log(placed)["hidden"].tolist() == [2]
    # nothing but keys, marks and kinds of tables goes in: numbers may be anything
    blind = one.assign(**dict.fromkeys([*NUMBERS, "n", "respondents", "missing_share"], 0.0))
    pd.testing.assert_frame_equal(log(blind), log(one))


def test_how_much_is_shown_is_counted_by_page():
    """Two of four cells are hidden, and none is too unsure; a page of documents alone has no cell to hide."""
    cells = rows(table()).assign(page="04")
    found = shown_share(pd.concat([cells, cells.assign(page="13", of="document")], ignore_index=True))
    assert found.index.tolist() == ["04", "all"]
    assert found.loc["04"].tolist() == [4, 1.0, 0.5]
    unsure = shown_share(cells.assign(flag=["", "unsure", "hidden", "caution"]))
    assert unsure.loc["all"].tolist() == [4, 0.75, 0.5]


def test_protection_leaves_most_of_the_stand_in():
    """At least 85 % of its cells have a number, of those that are sure enough."""
    cells = pd.read_parquet(Path(__file__).parents[1] / "snapshot" / "standin.parquet")
    cells = cells[(cells["state"] == "shown") & (cells["statistic"] != "document") & (cells["flag"] != "unsure")]
    assert len(cells) > 3000
    assert (cells["flag"] != "hidden").mean() > 0.85


@pytest.fixture
def page(tmp_path, monkeypatch):
    """The file of a page, and a registry that knows nothing yet."""
    monkeypatch.setenv(PUBLISHED, str(tmp_path / "page.csv"))
    monkeypatch.setattr(REGISTRY, "tables", {})
    return tmp_path / "page.csv"


def test_what_is_shown_drawn_or_said_is_recorded_once(page):
    """Through each door a table reaches the file of its page, with the numbers that the reader sees."""
    study = Study.open()
    show(study, "tenant_by_status")
    assert set(read(page)) == {"tenant_by_status"}
    size = len(pd.read_csv(page))
    show(study, "tenant_by_status")
    assert len(pd.read_csv(page)) == size
    draw(study, "crowded_by_rank")
    assert "crowded_by_rank" in read(page)
    say(study, "front.commute")
    assert "commute_long" in read(page)
    own = protect(Released("own", "share", "", ("g",), "share"), table().frame.assign(n=500.0), (500, 500))
    show(study, own, name="of a reader")
    assert "own" in read(page)
    assert np.isfinite(read(page)["tenant_by_status"].shown["estimate"]).all()


def test_no_page_goes_past_the_registry():
    """Publishing takes the release from `published` alone: no other module of it imports that of `results`."""
    for path in FOLDER.rglob("*.py"):
        if path.name == "published.py":
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("results"):
                assert not {"release", "descriptive"} & {name.name for name in node.names}, path.name
            elif isinstance(node, ast.ImportFrom) and node.module is None:
                assert "results" not in {name.name for name in node.names}, path.name
