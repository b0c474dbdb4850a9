"""Tables of the caravan: bounds by hand, a brief of made-up cells, an institution without the towns."""

import datetime
import re
from types import SimpleNamespace

import pandas as pd
import pytest
from books import BOOK
from wording import Wording

from welfare_analysis.disclosure import Released, digits, policy, protection
from welfare_analysis.errors import WelfareError
from welfare_analysis.planning.caravan import Caravan
from welfare_analysis.publishing.caravan_sentences import differences
from welfare_analysis.results import caravan, catalogue
from welfare_analysis.results.caravan import brief, shares
from welfare_analysis.study import DATA, Study
from welfare_analysis.survey.reading import typed
from welfare_analysis.survey.standin import Parameters, generate

TERMS = {"speed_kmh": 60.0, "road_factor": 1.0, "km_a_day": 400.0, "stops_a_day": 1.0, "reach_hours": 1.0}


def tour():
    """Two towns of the north, 3 and 1 thousand, near and far of the first; one of the east by itself."""
    index = pd.Index(["a", "b", "c"], name="caravan_stop")
    columns = {"lat": 0.0, "lon": [0.0, 5.0, 9.0], "population": [3, 1, 7], "command_group": ["north", "north", "east"]}
    table = pd.DataFrame(columns, index)
    return Caravan(table, pd.DataFrame({"position": [], "date": []}), datetime.date(2012, 9, 24), (), **TERMS)


def test_who_is_near_is_bounded_by_the_region_by_hand():
    """A stop in one of two towns reaches none to all of it, and three quarters if members live as the population."""
    made = shares(tour(), ["a"])
    assert made.loc["north"].to_dict() == {"estimate": 0.75, "low": 0.0, "high": 1.0}
    assert made.loc["east"].to_dict() == {"estimate": 0.0, "low": 0.0, "high": 0.0}
    whole = shares(tour(), ["a", "b"]).loc["north"]
    assert (whole == 1).all()


def released(name, by, across, cells, unit="share"):
    frame = pd.DataFrame(cells, columns=[*by, *([] if not across else ["category"]), "estimate", "low", "high", "n"])
    return Released(name, "share", across, tuple(by), unit, frame=frame.assign(step=0.001, flag=""), state="shown")


LINES = pd.DataFrame(
    [("tenants", "tenant_by", "", "", "yes"), ("hope:", "hopes_by", "hope", "", "yes"),
     ("silent", "nobody_by", "", "", "yes")],
    columns=["brief_line", "table", "key", "code", "compared"],
)  # fmt: skip


@pytest.fixture
def every():
    """Tenants and one hope by region; a third table is not shown."""
    rest = [("north", 0.30, 0.28, 0.32, 300), ("south", 0.20, 0.18, 0.22, 100)]
    hopes = [("home", region, 0.5, 0.45, 0.55, 100) for region in ("east", "north", "south")]
    nothing = released("nobody_by", ["command_group"], "", []).without_numbers("not_asked")
    return {
        "tenant_by": released("tenant_by", ["command_group"], "", [("east", 0.50, 0.46, 0.54, 50), *rest]),
        "hopes_by": released("hopes_by", ["hope"], "command_group", hopes),
        "nobody_by": nothing,
    }


def cells(every):
    """Cells by region of the lines of a brief."""
    return caravan.regional(every, LINES)


def test_a_brief_by_hand(every):
    """The others are the mean by respondents, 0.275; 0.50 is clearly more; an equal hope is no clear difference."""
    table = brief(cells(every), tour(), "c", "own_brief")
    assert table.cell("tenants", "region")["estimate"] == 0.50
    rest = table.cell("tenants", "rest")
    assert rest["estimate"] == pytest.approx(0.275)
    assert rest["high"] - rest["estimate"] == pytest.approx(((0.02 * 0.75) ** 2 + (0.02 * 0.25) ** 2) ** 0.5)
    assert table.cell("tenants", "compared")["text"] == "compared.more"
    assert table.cell("hope:home", "compared")["text"] == "compared.none"
    assert table.cell("silent", "region") is None


def test_a_difference_is_said_with_both_shares(every):
    """A line alone, without what it is beside, would be no finding."""
    table = brief(cells(every), tour(), "c", "own_brief")
    said = differences(Wording(codebook=BOOK, language="en"), table, "brief_line")
    assert re.fullmatch(r"More frequent in the region than .*: tenants, 50.0\s% \(.*\) against 27.5\s% \(.*\)\.", said)


def test_a_brief_of_the_region_with_less(every):
    """Seen from the south the sign is the other one."""
    towns = tour().towns.assign(command_group=["south", "south", "east"])
    of = Caravan(towns, tour().dated, tour().start, (), **TERMS)
    assert brief(cells(every), of, "a", "own_brief").cell("tenants", "compared")["text"] == "compared.less"


def test_a_stop_that_is_none(every):
    """The error names stops that are near in spelling."""
    with pytest.raises(WelfareError, match="no such stop"):
        brief(cells(every), tour(), "zagora", "own_brief")


def test_towns_of_nobody_s_region_give_a_reason(monkeypatch):
    """An institution whose regions hold none of the towns is told so by every table."""
    study = SimpleNamespace(codebook=SimpleNamespace(codes=lambda _: ["coast"]))
    study.result = lambda function, *arguments: function(study, *arguments)
    for make in [*caravan.TABLES.values(), catalogue.brief]:
        assert make(study).state == caravan.ELSEWHERE


@pytest.fixture(scope="module")
def standin():
    """A small generated survey with its register."""
    world = generate(Parameters.read(DATA / "public"), 11, "rich", size=9000)
    return Study.of(*(typed(frame, BOOK) for frame in (world.answers, world.register, world.followup)), BOOK)


def test_members_are_printed_in_bands_and_by_region_alone(standin, monkeypatch):
    """Whole hundreds of a region and a status; all are the sum of the statuses, to the bands."""
    monkeypatch.setattr(protection, "units", digits.units)
    table = catalogue.release(standin)["caravan_members"]
    numbers = table.frame["estimate"].dropna()
    assert (numbers % 100 == 0).all()
    assert table.keys == ["command_group", "category"]
    assert set(table.frame["command_group"]) == set(BOOK.codes("command_group"))
    wide = table.frame.pivot(index="command_group", columns="category", values="estimate").dropna()
    assert len(wide)
    assert ((wide["all"] - wide.drop(columns="all").sum(axis=1)).abs() <= 200).all()
    assert table.frame["n"].dropna().min() >= policy().min_base


def test_more_stops_reach_no_fewer(standin):
    """The population that is reached never falls with a further stop, and every estimate lies between its bounds."""
    cells = catalogue.release(standin)["caravan_stops"].frame
    of = standin.result(caravan.tour)
    reached = [of.people(of.best(many)) for many in range(caravan.FEWEST, 12)]
    assert reached == sorted(reached)
    assert (cells["low"] <= cells["estimate"] + 1e-12).all()
    assert (cells["estimate"] <= cells["high"] + 1e-12).all()
    assert cells["estimate"].iloc[-1] == pytest.approx(1.0)


def test_a_tour_saves_what_lies_between_two(standin):
    """The line of differences is the second less the first; the dates of 2012 are those of the table of sources."""
    of = standin.result(caravan.tour)
    of.__dict__["completed"] = [of.order[0], *of.order[2:0:-1], *of.order[3:]]  # found in `tests/planning`
    table = catalogue.release(standin)["caravan_plans"]
    for name in ("km", "working_days"):
        ours, known, saved = (table.cell(plan, name)["estimate"] for plan in ("ours", "known", "saved"))
        assert saved == known - ours >= 0
    assert datetime.date.fromordinal(int(table.cell("known", "last")["estimate"])) == datetime.date(2012, 11, 21)


@pytest.mark.parametrize(("freed", "shows"), [(40.0, "no"), (290.0, "yes")])
def test_whether_what_is_expected_would_show(monkeypatch, freed, shows):
    """Of 1,480 (1,300-1,700) a change of sqrt(2) x 200 shows, 290 by two digits upward: 40 does not, 290 does."""

    def table(name, unit, low, estimate, high):
        frame = pd.DataFrame({"estimate": [estimate], "low": [low], "high": [high], "unit": [unit]})
        return protection.document(name, frame.assign(lender="freed", measure="value"), ["lender"], "measure")

    none = Released("none", "document", "", (), "")
    debt = Released("debt", "total", "", (), "persons", frame=pd.DataFrame({"estimate": [1480.0], "low": [1300.0],
                    "high": [1700.0], "flag": [""]}), state="shown")  # fmt: skip
    known = {"over_debt_limit_total": debt, "loans_consolidation": table("x", "persons", freed, freed, freed)}
    every = type("Every", (), {"__getitem__": lambda _, name: known.get(name, none)})()
    monkeypatch.setattr(catalogue, "release", lambda _: every)
    made = catalogue.tracker(None)
    assert made.cell("indebted", "seen")["estimate"] == 290
    assert made.cell("indebted", "shows")["text"] == f"yes_no:{shows}"
    assert made.cell("core_need", "shows") is None  # nothing is known of it
