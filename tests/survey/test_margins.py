"""A register that is a table of counts."""

import numpy as np
import pandas as pd
import pytest
from books import BOOK

from welfare_analysis.errors import WelfareError
from welfare_analysis.estimation import share, total
from welfare_analysis.study import Study
from welfare_analysis.survey.reading import Faults, read_any, read_register
from welfare_analysis.survey.weighting import weight

COUNTS = {
    "status|sex": {"active|m": 900, "active|f": 100, "retired|m": 450, "widow|f": 50},
    "command": {"rabat": 600, "kenitra": 400, "fes": 500},
}


def table(**changed):
    """Margins as an institution writes them, with some counts changed."""
    rows = [(v, c, n) for v, counts in COUNTS.items() for c, n in counts.items()]
    frame = pd.DataFrame(rows, columns=["variable", "category", "count"])
    return frame.assign(**changed)


def stored(frame, folder):
    """The table as a file."""
    path = folder / "register.csv"
    frame.to_csv(path, index=False)
    return path


@pytest.fixture
def answers():
    """400 forms in unequal parts of the register, some without a command."""
    rng = np.random.default_rng(5)
    status = rng.choice(["active", "retired", "widow"], 400, p=[0.4, 0.4, 0.2])
    sex = np.where(status == "widow", "f", np.where((status == "active") & (rng.random(400) < 0.3), "f", "m"))
    frame = pd.DataFrame({"status": status, "sex": sex, "command": rng.choice(["rabat", "kenitra", "fes"], 400)})
    return frame.assign(command=frame["command"].mask(rng.random(400) < 0.05), tenant=rng.random(400) < 0.4)


def test_labels_and_codes_are_read_and_places_added_up(tmp_path):
    """Labels in any language count as codes; commands are added up to their groups; counts with thousands are read."""
    changed = ["actif|homme", "active|f", "متقاعد|m", "widow|f", "Rabat", "kenitra", "fes"]
    found = read_register(stored(table(category=changed), tmp_path), BOOK)
    assert found["status|sex"].to_dict() == COUNTS["status|sex"]
    assert found["command_group"].to_dict() == {"fes_meknes": 500, "rabat_kenitra": 1000}


@pytest.mark.parametrize(
    ("changed", "column", "rule"),
    [
        ({"category": ["active|x", *table()["category"][1:]]}, "category", "one of m, f"),
        ({"category": ["active", *table()["category"][1:]]}, "category", "one code of status | sex"),
        ({"category": ["active|f", *table()["category"][1:]]}, "category", "once"),
        ({"count": ["900.5", *table()["count"][1:]]}, "count", "whole number"),
        ({"count": ["", *table()["count"][1:]]}, "count", "whole number of persons"),
        ({"count": [901, *table()["count"][1:]]}, "count", "add up to one size"),
        ({"variable": ["station"] * 4 + ["command"] * 3}, "variable", "one or several of"),
    ],
)
def test_a_fault_is_told_with_its_row(changed, column, rule, tmp_path):
    """Each wrong cell of a table of margins is a fault with row, column and rule."""
    with pytest.raises(Faults) as found:
        read_register(stored(table(**changed), tmp_path), BOOK)
    lines = found.value.table
    assert set(lines["column"]) == {column}
    assert lines["rule"].str.contains(rule, regex=False).any()


def test_check_says_what_the_file_is(tmp_path):
    """`make check` knows a table of margins and counts its rows."""
    kind, found = read_any(stored(table(), tmp_path), BOOK)
    assert kind == "margins of a register"
    assert found.frame["count"].sum() == 3000


def test_weights_reach_the_margins(answers, tmp_path):
    """Forms weigh up to every margin and to the size; a missing group takes one of its status."""
    register = read_register(stored(table(), tmp_path), BOOK)
    study = Study.of(answers, register, None, BOOK)
    assert (study.method, study.population) == ("margins", 1500)
    for name, counts in study.margins.items():
        reached = total(study.design, pd.Series(1.0, study.frame.index), by=study.classes[name])
        np.testing.assert_allclose(reached.value[counts.index], counts, rtol=1e-9)
        np.testing.assert_array_less(reached.se, 1e-6)
    free = study.design.weights.sum() / len(answers)
    assert share(study.design, study.frame["tenant"]).se.iloc[0] > 0.7 * np.sqrt(0.24 / 400 * (1 - 1 / free))


def test_what_margins_cannot_do_is_said(answers, tmp_path):
    """A follow-up needs persons; a status of the register without answers and a margin not asked are errors."""
    register = read_register(stored(table(), tmp_path), BOOK)
    with pytest.raises(WelfareError, match="list of persons"):
        weight(answers, register, answers)
    grouped = answers.assign(command_group="rabat_kenitra")
    with pytest.raises(WelfareError, match=r"nobody of a status.*got 'widow'.*out of each margin"):
        weight(grouped[grouped["status"] != "widow"], register)
    with pytest.raises(WelfareError, match="not asked"):
        weight(answers.drop(columns="command"), register)
    with pytest.raises(WelfareError, match=r"^REGISTER, status: .*whom the register does not count; got 'widow \d+'"):
        weight(grouped, {"status": pd.Series({"active": 5000.0, "retired": 3000.0})})
    few = {name: (counts / 5).round() for name, counts in register.items()}
    with pytest.raises(WelfareError, match="more answers than persons"):
        weight(grouped, few)
