"""Tables of the package: they add up, agree with each other, and hide what would give persons away."""

import numpy as np
import pytest
from books import BOOK

from welfare_analysis.disclosure import NUMBERS
from welfare_analysis.results import package
from welfare_analysis.results import package as tables
from welfare_analysis.study import DATA, Study
from welfare_analysis.survey.reading import typed
from welfare_analysis.survey.standin import Parameters, generate


@pytest.fixture(scope="module")
def study():
    """A generated survey with its register."""
    world = generate(Parameters.read(DATA / "public"), 7, "rich", size=9000)
    return Study.of(typed(world.answers, BOOK), typed(world.register, BOOK), None, BOOK)


@pytest.fixture(scope="module")
def release(study):
    """Its tables of this topic."""
    return tables.topic.release(study)


def number(table, *codes):
    """The estimate of a cell."""
    return table.cell(*codes)["estimate"]


def test_services_and_groups_add_up_to_the_whole(release):
    """Needs, needs closed and money of services, and of groups, are those of all, and the money is the budget."""
    for name in ("package_services", "package_groups"):
        cells = release[name].frame
        for measure, step in (("need", 10), ("closed", 10), ("cost_dh", 1e4)):
            own = cells[cells["category"] == measure].set_index(release[name].by[0])["estimate"]
            assert own.drop("all").sum() == pytest.approx(own["all"], abs=step * len(own))
    assert number(release["package_services"], "all", "cost_dh") == pytest.approx(1300 * 9000, rel=1e-3)
    assert number(release["package_groups"], "all", "cost_dh") == pytest.approx(1300 * 9000, rel=1e-3)


def test_the_same_number_in_two_tables(release):
    """What a service closes and what the plan claims are alike wherever they stand."""
    closed, services = release["package_closed"], release["package_services"]
    for service in closed.frame["package_service"]:
        assert number(closed, service) == number(services, service, "closed")
    claimed = number(release["package_claim"], "claimed", "sampling")
    assert claimed == pytest.approx(number(services, "all", "closed"), abs=10)
    assert claimed == pytest.approx(number(release["package_cases"], "central", "closed"), abs=10)


def test_a_million_where_it_does_most_closes_most(release):
    """No service alone closes more than the free choice; shares of draws are shares."""
    cells = release["package_next"].frame.set_index("package_service")["estimate"]
    assert cells.max() == cells["free"]
    for name in ("package_stability_all", "package_stability_sampling"):
        assert release[name].frame["estimate"].between(0, 1).all()


def test_equality_costs_needs(release):
    """On the way to the most equal plan fewer needs are closed, more of the worst-off group's, and the index falls."""
    closed = release["package_frontier"].frame["estimate"].to_numpy()
    assert (np.diff(closed) <= 0).all()
    wide = release["package_equality"].frame.pivot(index="package_way", columns="category", values="estimate")
    wide = wide.loc[sorted(wide.index, key=int)]
    assert (np.diff(wide["worst"]) > 0).all()
    assert abs(wide["concentration"].iloc[-1]) < abs(wide["concentration"].iloc[0])


def test_assumptions_move_the_plan_as_they_should(release):
    """More money, cheaper services, more effect and more reach close more; the other ends less."""
    cases = release["package_cases"].cells("*", "closed").set_index("package_case")["estimate"]
    for name, good in (("budget", "high"), ("cost_dh", "low"), ("effect", "high"), ("reach", "high")):
        bad = "low" if good == "high" else "high"
        assert cases[f"{name}_{bad}"] < cases["central"] < cases[f"{name}_{good}"]
    assert cases["free"] >= cases["central"]
    assert cases["both"] >= 0.9 * cases["central"]  # shared by region too, with floors for regions


def test_the_claim_is_too_high_and_regret_is_none_below_nought(release):
    """The correction lowers the claim, most with the assumptions; packages close less than the best of each draw."""
    claim = release["package_claim"]
    for kind in tables.KINDS:
        assert number(claim, "corrected", kind) < number(claim, "claimed", kind)
    assert number(claim, "regret", "all") > 0
    choices = release["package_choices"]
    best = number(choices, "best_mean", "mean")
    assert all(number(choices, name, "mean") <= best for name in choices.frame["package_choice"])
    assert (release["package_knowing"].frame["estimate"] >= 0).all()


def test_what_the_plan_closes_over_draws_has_one_form(release):
    """Its mean over the draws stands beside other packages as in its claim, with the same interval."""
    choices, claim = release["package_choices"], release["package_claim"]
    assert choices.cell("central", "mean")[NUMBERS].tolist() == claim.cell("delivered", "all")[NUMBERS].tolist()
    assert number(choices, "central", "more") == 0


def test_what_the_best_on_average_moves(study, release):
    """It spends the same budget otherwise: what it moves adds up to what beginning with its services costs."""
    moved = release["package_shifted"].frame.set_index("package_service")["estimate"]
    spent, draws = study.result(tables.compared)
    best = spent[draws.values(spent).mean(axis=1).argmax()]
    begun = [draws.cells.fixed[plan.sum(axis=1) > tables.SOME_DH].sum() for plan in (best, spent[0])]
    assert moved.abs().max() > 0
    assert moved.sum() == pytest.approx(begun[1] - begun[0], abs=1e5 * len(moved))


def test_few_are_hidden_by_service_and_group(study, release):
    """A cell of one to nine respondents in need has no number, and it does not stand alone in its lines."""
    met = study.result(tables.package).met
    cells = release["package_plan"].frame
    few = [1 <= met.at[s, g] < 10 for s, g in zip(cells["package_service"], cells["category"], strict=True)]
    assert any(few)
    assert cells.loc[few, "estimate"].isna().all()
    hidden = cells[cells["flag"] == "hidden"]
    assert (hidden.groupby("package_service").size() > 1).all()


def test_evidence_is_whole_numbers(study):
    """Half of a group is a whole number of respondents: what a reader may have met of them is a quantile of counts."""
    for axis in (0, 1):
        known = tables.behind(study.result(tables.package), axis)
        assert (known == np.floor(known)).all(axis=None)
        assert (known["met"] <= known["n"]).all()


def test_without_a_register_there_are_no_totals(study):
    """Numbers of needs ask for numbers of people."""
    alone = Study.of(study.frame[[c for c in study.frame if c in BOOK.variables.index]], None, None, BOOK)
    assert tables.topic.release(alone)["package_services"].state == "no_totals"


def test_more_answers_are_worth_more(release):
    """Of each group a hundred are worth a fifth of five hundred, and everybody more; all groups more than any alone."""
    cells = release["package_asking"].frame.pivot(index="package_group", columns="category", values="estimate")
    assert cells["per_100"].to_numpy() == pytest.approx(cells["more"].to_numpy() / 5, abs=0.2)
    assert (cells["everybody"] > cells["more"]).all()
    assert cells["everybody"].idxmax() == "all"
    table = release["package_asking"].frame
    assert ((table["low"] <= table["estimate"]) & (table["estimate"] <= table["high"])).all()


def test_what_folds_close_is_less_than_the_claim(release):
    """Judged where it was not made the plan closes less than it claims, and about what the correction says."""
    claim = release["package_claim"]
    claimed, folds, corrected = (number(claim, name, "sampling") for name in ("claimed", "folds", "corrected"))
    assert folds < claimed
    assert folds == pytest.approx(corrected, abs=(claimed - corrected) / 2)
    assert "folds" not in set(claim.frame.loc[claim.frame["category"] == "all", "package_claim"])


def test_needs_over_ten_years(study, release):
    """They begin with those of the package, add up to all, and the range of what is assumed holds the middle."""
    made = package.projection.release(study)
    cells = made["projection_needs"].frame.pivot(index="package_service", columns="category", values="estimate")
    needs = release["package_services"].frame.query("category == 'need'").set_index("package_service")["estimate"]
    assert cells["0"].to_dict() == needs.reindex(cells.index).to_dict()
    for year in ("0", "5", "10"):
        own = cells[year]
        assert own.drop("all").sum() == pytest.approx(own["all"], abs=20 * len(own))
    assert ((cells["10_low"] <= cells["10"]) & (cells["10"] <= cells["10_high"])).all()
    years = made["projection_years"].frame.pivot(index="projected_year", columns="category", values="estimate")
    assert years.at["10", "need"] == cells.at["all", "10"]
    assert years.loc["0", "low"] == years.loc["0", "high"]


def test_without_ages_nobody_knows_who_retires(study):
    """A survey that did not ask the age has no projection, and its package all the same."""
    alone = Study.of(study.frame.drop(columns="age"), study.register, None, BOOK)
    assert package.projection.release(alone)["projection_needs"].state == "not_asked"
    assert tables.topic.release(alone)["package_services"].state == "shown"
