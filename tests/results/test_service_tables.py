"""Grants by group: the groups are those of the whole, by hand and by the tables of all."""

import pytest
from books import BOOK

from welfare_analysis.demand import services as terms
from welfare_analysis.demand.services import parameter
from welfare_analysis.results import five, services
from welfare_analysis.study import DATA, Study
from welfare_analysis.survey.reading import typed
from welfare_analysis.survey.standin import Parameters, generate

GROUPS = ("status", "command_group", "sex")


@pytest.fixture(scope="module")
def study():
    """A generated survey with its register: numbers of people need one."""
    world = generate(Parameters.read(DATA / "public"), 7, "rich", size=9000)
    return Study.of(typed(world.answers, BOOK), typed(world.register, BOOK), None, BOOK)


@pytest.fixture(scope="module")
def shown(study):
    """Tables of care, schooling and aid."""
    return {topic.name: topic.release(study) for topic in (services.care, services.schooling, services.aid)}


@pytest.mark.parametrize("group", GROUPS)
def test_groups_add_up_to_the_whole(study, shown, group):
    """Whoever draws, studies or is entitled is of one group: answers that are missing make little difference."""
    answers = study.frame.set_axis(study.design.index)
    fund, wishes = shown["care"]["care_fund"], shown["schooling"]["schooling_wishes"]
    drawn = services.fund_by_group(study, answers, group=group).groupby("fund_measure")["estimate"].sum()
    for measure in ("people", "cost_dh"):
        assert drawn[measure] == pytest.approx(fund.cell("all", measure)["estimate"], rel=0.03)
    students = services.students_by_group(study, answers, group=group)["estimate"].sum()
    assert students == pytest.approx(wishes.cell("scholarship", "children")["estimate"], rel=0.05)


def test_costs_of_women_by_hand(study, shown):
    """The part who pay and the mean of those who do, weighted; women who are no widows must not be few."""
    frame = study.frame.assign(weight=study.design.weights)
    women = frame[(frame["sex"] == "f") & frame["uncovered_cost_dh"].notna()]
    some = women[women["uncovered_cost_dh"] > 0]
    table = shown["care"]["care_by_sex"]
    pays = some["weight"].sum() / women["weight"].sum()
    assert table.cell("f", "any")["estimate"] == pytest.approx(pays, abs=0.006)
    mean = (some["weight"] * some["uncovered_cost_dh"].astype(float)).sum() / some["weight"].sum()
    assert table.cell("f", "mean")["estimate"] == pytest.approx(mean, rel=0.02)
    others = frame["sex"].eq("f") & frame["status"].ne("widow")
    answers = study.frame.set_axis(study.design.index)
    few = answers.assign(
        uncovered_cost_dh=answers["uncovered_cost_dh"].where((~others | (others.cumsum() <= 9)).to_numpy())
    )
    rows = services.costs(study, few).query("care_measure == 'any'").set_index("sex")
    assert rows["lost"].to_dict() == {"f": True, "m": False}


def test_families_of_the_peak_week_are_its_persons(study):
    """Sizes hold all who ask, and each its own: families of seven and more by hand, known answers standing for all."""
    of, frame = study.result(services.holidays), study.frame.set_axis(study.design.index)
    made = services.families(study, of).set_index("family_size")["estimate"]
    assert made.sum() == pytest.approx(of.persons().value["all"])
    asks = (of.goes.fillna(False) & frame["holiday_persons_n"].ge(7)).to_numpy()
    weeks = frame["holiday_weeks_n"].clip(upper=of.weeks_most).astype(float)
    each = terms.home_share(frame) * weeks * frame["holiday_persons_n"].astype(float)
    met = study.design.weights[asks] @ each[asks].to_numpy()
    known = study.design.weights[of.goes.notna().to_numpy()].sum() / study.design.weights.sum()
    assert made["more"] == pytest.approx(of.take_up * max(of.season) * met / known)


def test_who_is_entitled_is_of_a_region(study, shown):
    """Regions hold all who are entitled, and each its own: weights of those under their threshold, by hand."""
    table = shown["aid"]["aid_by_command_group"]
    made = services.entitled_where(study, study.frame.set_axis(study.design.index))
    assert made["estimate"].sum() == pytest.approx(shown["aid"]["aid_rule"].cell("all", "people")["estimate"], rel=0.03)
    frame = study.frame.assign(weight=study.design.weights)
    own = frame[frame["status"].isin(terms.aided()) & (frame["command_group"].astype(str) == "rabat_kenitra")]
    limit = own["status"].astype(object).map({s: parameter(s + terms.AID) for s in terms.aided()})
    known = own["pension_dh"].notna()
    under = own["weight"][known & own["pension_dh"].le(limit)].sum() / own["weight"][known].sum()
    cell = table.cell("rabat_kenitra")
    assert cell["estimate"] == pytest.approx(under * own["weight"].sum(), abs=10)


def test_people_of_each_group_are_those_of_the_tables(study, shown):
    """The view by group has the very cells, and none where a service has no such table."""
    view = five.topic.release(study)["five_people"]
    region = view.frame["level"].str.split(":").str[1][view.frame["level"].str.startswith("command_group")].iloc[0]
    at = f"command_group:{region}"
    assert view.cell(at, "aid")["estimate"] == shown["aid"]["aid_by_command_group"].cell(region)["estimate"]
    fund = shown["care"]["care_fund_by_command_group"].cell(region, "people")
    assert view.cell(at, "health")["estimate"] == fund["estimate"]
    assert view.cell("sex:f", "aid") is None
    assert not view.frame["level"].str.startswith("rank_group").any()


def test_the_printed_threshold_is_hidden_where_the_rule_hides_it(study, monkeypatch):
    """Who is entitled stands by threshold too: where the table of the rule hides a status, so does the curve."""
    monkeypatch.setattr(services, "is_shown", lambda table, codes: (codes["aid_group"] != "retired").to_numpy())
    cells = services.below(study, study.frame)
    assert cells.loc[cells["lost"], ["aid_threshold", "aid_group"]].to_numpy().tolist() == [["2500", "retired"]]
    points = cells.loc[cells["lost"], "estimate"].tolist()
    assert points == pytest.approx([services.under_thresholds(study).value["retired"]])
