"""Needs and units by hand, cells and plans of a few members, and what draws and other terms must do."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pytest
from books import BOOK

from welfare_analysis.demand.service import Service
from welfare_analysis.demand.services import AID, aided, parameter
from welfare_analysis.estimation import Design
from welfare_analysis.planning import budget
from welfare_analysis.planning import package as made
from welfare_analysis.planning.package import TERMS, Package, assumed, lacking, services
from welfare_analysis.study import DATA, Study, public
from welfare_analysis.survey.reading import typed
from welfare_analysis.survey.standin import Parameters, generate


def terms(**values):
    """Terms of services without a range: cost, effect, reach and cost to begin of each."""
    names = [*TERMS, "fixed_dh"]
    rows = {
        service: {(term, end): x for term, x in zip(names, row, strict=True) for end in ("value", "low", "high")}
        for service, row in values.items()
    }
    return pd.DataFrame.from_dict(rows, orient="index")


def members(**changes):
    """Six members of two groups, each of whom stands for ten, before camps (2 DH a child) and rail fares (1 DH)."""
    units = pd.DataFrame({"camps": [2.0, 0, 1, 1, 0, 0], "rail": [1.0, 1, 1, 0, 1, 0]})
    group = pd.Series(pd.Categorical(["poor"] * 3 + ["rich"] * 3, ["poor", "rich"]), name="group")
    design = Design(pd.Series(10.0, units.index))
    fields = {
        "units": units.set_axis(design.index), "needs": (units > 0).astype(float).set_axis(design.index),
        "group": group.set_axis(design.index), "design": design, "budget_dh": 50.0, "floor_share": 0.0,
        "terms": terms(camps=(2.0, 0.5, 0.5, 0.0), rail=(1.0, 1.0, 0.8, 0.0)),
        "weights": pd.Series(1.0, units.columns),
    }  # fmt: skip
    return Package(**{**fields, **changes})


def test_room_and_worth_by_hand():
    """20 members of the poor lack 30 places: room for half of 60 DH; half of 20 needs over 60 DH are closed by a DH."""
    of = members()
    needs, units = of.parted(of.centre)
    assert needs.tolist() == [[20.0, 10.0], [30.0, 10.0]]
    assert units.tolist() == [[30.0, 10.0], [30.0, 10.0]]
    cells = of.cells(of.centre)
    assert cells.room == pytest.approx(np.array([[30.0, 10.0], [24.0, 8.0]]))
    assert cells.worth == pytest.approx(np.array([[1 / 6, 1 / 4], [1.0, 1.0]]))


def test_a_plan_of_members_by_hand():
    """50 DH: 32 for the fares, at one need each; then 10 for camps of the rich, a quarter each, and 8 at a sixth."""
    of = members()
    assert of.plan.spent == pytest.approx(np.array([[8.0, 10.0], [24.0, 8.0]]))
    closed = of.by_service().value
    assert closed.to_dict() == pytest.approx({"camps": 8 / 6 + 2.5, "rail": 32.0, "all": 8 / 6 + 34.5})
    assert of.at(budget_dh=0.0).by_service().value["all"] == 0
    whole = of.at(budget_dh=1e6).closed.value["closed"]
    assert whole.sum() == pytest.approx(0.5 * 0.5 * 30 + 0.8 * 40)


def test_who_is_counted():
    """A group's numbers of answers and needs are those of its respondents; a cost to begin is borne by the groups."""
    of = members(terms=terms(camps=(2.0, 0.5, 0.5, 0.0), rail=(1.0, 1.0, 0.8, 4.0)))
    assert of.met.to_numpy().tolist() == [[2, 1], [3, 1]]
    assert (of.answered == 3).all(axis=None)
    cost = of.closed.value["cost_dh"]
    assert cost.sum() == pytest.approx(50.0)
    assert cost["rail"].to_numpy() == pytest.approx(np.array([24.0, 8.0]) * (1 + 4 / 32))


def test_weights_change_the_plan_and_not_what_is_counted():
    """A need of camps that counts ten times goes first; what is closed is still counted as needs."""
    of = members().at(weights=pd.Series({"camps": 10.0, "rail": 1.0}))
    assert of.plan.spent == pytest.approx(np.array([[30.0, 10.0], [10.0, 0.0]]))
    assert of.by_service().value.to_dict() == pytest.approx({"camps": 7.5, "rail": 10.0, "all": 17.5})


def test_slopes_are_those_of_a_plan_made_again():
    """The influence of a respondent is what a hundredth of a person more of them changes, the budget being the same."""
    of = members()
    for k in range(6):
        weights = pd.Series(10.0 + 0.01 * (np.arange(6) == k), of.units.index)
        again = members(design=Design(weights)).closed.value
        assert (again - of.closed.value).to_numpy() / 0.01 == pytest.approx(of.closed.influence.toarray()[k], abs=0.01)


def frame(**columns):
    """Members of whom every column is given."""
    return pd.DataFrame({"status": "active", **columns})


def test_one_kind_of_need_is_counted_once():
    """A home that the fund pays for is not counted for chronic illness; where the fund is not known, nor is that."""
    floor = parameter("fund_floor_dh")
    found = lacking(
        frame(uncovered_cost_dh=[floor, 0, floor, np.nan], chronic_n=[1.0, 1, 0, 1], care_forgone=["yes"] * 4)
    )
    assert found["fund"].tolist()[:3] == [floor, 0.0, floor]
    assert found["chronic"].tolist()[:3] == [0.0, 1.0, 0.0]
    assert found.iloc[3].isna().all()


def test_a_status_that_was_not_asked_is_in_no_need():
    """Aid is for widows; trips that no retiree was asked of are no need, nor fares of trains where none is taken."""
    found = lacking(
        pd.DataFrame(
            {
                "status": ["active", "retired", "widow", "widow", "active"],
                "pension_dh": [np.nan, 2000.0, 2000.0, 2000.5, np.nan],
                "transport_wish_rail": ["yes", np.nan, "yes", "no", "yes"],
                "intercity_trips_n": [2.0, np.nan, 0.0, 3.0, 4.0],
                "intercity_mode": ["train", np.nan, np.nan, "train", "coach"],
            }
        )
    )
    assert found["widow"].tolist() == [0, 0, 1, 0, 0]
    assert found["retired"].tolist() == [0, 1, 0, 0, 0]
    assert found["rail"].tolist() == [1, 0, 0, 0, 0]


def test_what_a_family_lacks_for_a_week():
    """The price of a week for all persons less what the family can pay; nothing if it can, or wants none."""
    price = parameter("week_price_dh")
    found = made.holiday_gap_dh(
        pd.DataFrame(
            {
                "holiday_centre": ["ifrane", "ifrane", "none", "ifrane", None],
                "holiday_weeks_n": [1.0, 1, 0, 1, 1],
                "holiday_persons_n": [4.0, 4, 0, 2, 2],
                "holiday_budget_dh": [3 * price, 5 * price, np.nan, np.nan, 0],
            }
        )
    )
    assert found.tolist()[:3] == [price, 0.0, 0.0]
    assert found.isna().tolist() == [False, False, False, True, True]


def test_assumptions_are_whole_and_in_their_ranges():
    """Every service has every term between its ends, none of them reported; parts are parts."""
    table = assumed()
    assert {service for service, _ in table.index} == {*services(), "package"}
    for name in services():
        assert [*table.loc[name].index] == [*TERMS, "fixed_dh"]
    assert ((table["low"] <= table["value"]) & (table["value"] <= table["high"])).all()
    assert (table["kind"] == "assumption").all()
    parts = table[table["unit"].str.startswith("share")]
    assert parts[["low", "high"]].to_numpy().min() >= 0
    assert parts[["low", "high"]].to_numpy().max() <= 1


def test_a_rider_costs_what_page_08_counts():
    """The package has the shuttle of the transport page: what its runs cost a rider, by what a km costs."""
    cells = pd.read_parquet(DATA.parent / "tests" / "snapshot" / "standin.parquet")
    cells = cells.set_index(["table", "keys"])["estimate"]
    public = cells["transport_levers", "transport_lever=shuttle_likely;category=cost_dh"]
    riders = cells["transport_funnel", "transport_step=likely;category=all"]
    cost = assumed().loc[("shuttle", "cost_dh")]
    assert cost["value"] == pytest.approx(public / riders + 12 * Service.named().cost_dh, rel=0.03)
    for end in ("low", "high"):
        assert cost[end] / cost["value"] == pytest.approx(
            Service.named(dh_km=end).run_dh / Service.named().run_dh, rel=0.01
        )


def test_aid_goes_to_the_statuses_that_have_a_threshold(tmp_path, monkeypatch):
    """Whose low pensions are added to is a line of ``services.csv``, which an institution has of its own."""
    table = public("services")
    assert aided() == ["widow", "retired"]
    own = table[~table["parameter"].str.endswith(AID)]
    own = pd.concat([own, table[table["parameter"] == f"widow{AID}"].assign(parameter=f"survivor{AID}")])
    (tmp_path / "public").mkdir()
    own.to_csv(tmp_path / "public" / "services.csv", index=False)
    monkeypatch.setenv("CODEBOOK", str(tmp_path))
    assert aided() == ["survivor"]
    assert [name for name, service in services().items() if service.account == "pension"] == ["survivor"]


@pytest.fixture(scope="module")
def world():
    """A small generated collection, with the truth."""
    return generate(Parameters.read(DATA / "public"), 7, "rich", size=6000)


@pytest.fixture(scope="module")
def study(world):
    """Its forms and register."""
    return Study.of(typed(world.answers, BOOK), typed(world.register, BOOK), None, BOOK)


@pytest.fixture(scope="module")
def of(study):
    """Its members before the services."""
    return made.package(study)


def test_groups_stand_from_the_poorest_on(study, of):
    """Widows and orphans are one group and come before commanders; all services were asked for."""
    assert of.groups[-1] == "rank_group:senior"
    assert of.groups.index("status:survivors") < of.groups.index("rank_group:officers")
    assert of.services == [*services()]
    by_place = made.package(study, "command_group")
    needs, there = (x.parted(x.centre)[0].sum() for x in (of, by_place))
    assert there == pytest.approx(needs, rel=0.03)  # what is not known is guessed within other groups
    assert of.budget_dh == pytest.approx(1300 * 6000)


def test_the_same_seed_is_the_same_plan(of):
    """Draws are made from a seed of their own; terms keep to their ranges, and only where they are drawn."""
    once, again, alone = of.draws("all", 50), of.draws("all", 50), of.draws("sampling", 50)
    assert np.array_equal(once.plans.spent, again.plans.spent)
    assert np.array_equal(once.sums, alone.sums)
    for term, drawn, fixed in zip(TERMS, once.terms, alone.terms, strict=True):
        low, value, high = (of.terms[(term, end)].to_numpy() for end in ("low", "value", "high"))
        assert ((low <= drawn) & (drawn <= high)).all()
        assert np.allclose(fixed, value)
        assert np.median(drawn, axis=0) == pytest.approx(value, rel=0.25)


def test_the_error_of_the_plan_is_that_of_plans_of_replicates(of):
    """The delta method's standard error of all that is closed is the spread of plans that are made again."""
    spread = of.draws("sampling", 400).plans.value.std()
    assert of.by_service().se["all"] == pytest.approx(spread, rel=0.2)


def test_a_plan_closes_most_by_its_own_estimates(of):
    """Set aside before, the money of a plan closes what it claims; in draws no package closes more than their own."""
    draws = of.draws("all", 50)
    assert of.cells(of.centre).delivered(of.plan.spent).sum() == pytest.approx(float(of.plan.value))
    assert (
        draws.values(of.at(floor_share=0.0).plan.spent) <= of.at(floor_share=0.0).draws("all", 50).plans.value + 1e-6
    ).all()
    assert draws.values(of.plan.spent[None]).shape == (1, 50)


def test_the_plan_in_the_population_that_it_is_for(world):
    """What the plan of a survey closes among all members, whose needs are known: nearer to the corrected claim.

    The survey has its two phases, weights and errors of answering; whoever knew the needs would close more.
    """
    forms = (typed(part, BOOK) for part in (world.answers, world.register, world.followup))
    every = world.truth[[name for name in world.truth if name in BOOK.variables.index]]
    of = made.package(Study.of(*forms, BOOK))
    truth = made.package(Study.of(typed(every, BOOK), typed(world.register, BOOK), None, BOOK))
    assert (truth.services, truth.groups) == (of.services, of.groups)
    delivered = float(of.cells(truth.centre).delivered(of.plan.spent).sum())
    draws, home = of.draws("sampling", 200), of.cells(of.centre)
    elsewhere = home.delivered(draws.plans.spent).sum(axis=(-2, -1))
    claimed = float(of.plan.value)
    mended = np.array([budget.corrected(claimed, draws.plans.value, elsewhere), of.folded(splits=50)])
    assert delivered < float(truth.solved(truth.centre, budget_dh=of.budget_dh).value)
    assert claimed - delivered > 3 * of.by_service().se["all"]
    assert (abs(mended - delivered) < 0.6 * (claimed - delivered)).all()


def test_priorities_give_weights(study, of):
    """A service whose item is placed before the middle counts more than one; one that was not ranked counts one."""
    weights = made.priorities(study, of)
    assert weights["hajj"] == 1
    assert weights["home"] > 1 > weights["camps"]
    assert made.priorities(Study.of(study.frame[["status"]], None, None, BOOK), of) is None


def test_too_few_services_are_no_package(study):
    """A survey that asked for one service, or of no status, has none."""
    asked = ["status", "camp_children_n"]
    assert made.package(Study.of(study.frame[asked], None, None, BOOK)) is None
    assert made.package(study, "nowhere") is None


@dataclass(frozen=True, eq=False)
class Normal:
    """Sums that were estimated with a normal error."""

    value: pd.Series
    errors: np.ndarray

    def covariance(self):
        """Of its errors."""
        return pd.DataFrame(self.errors)


def worlds(error, count, seed=5):
    """Packages of estimates of one truth, (8 services x 5 groups), and what the plan of each closes in truth."""
    rng = np.random.default_rng(seed)
    names = [f"s{i}" for i in range(8)]
    needs = rng.uniform(200, 2000, 40)
    truth = np.concatenate([needs, needs * rng.uniform(1, 3, 40)])
    errors = np.diag((error * truth) ** 2)
    index = pd.MultiIndex.from_product([("needs", "units"), names, list("abcde")])
    of = made.Package(pd.DataFrame(columns=names), pd.DataFrame(), pd.Series(pd.Categorical(list("abcde"))), None,
                      terms(**{n: (rng.uniform(0.8, 1.2), 0.8, 0.5, 0.0) for n in names}), pd.Series(1.0, names),
                      budget_dh=0.3 * 0.5 * truth[40:].sum(), floor_share=0.0)  # fmt: skip
    for _ in range(count):
        guess = truth + budget.noise(errors, (), rng)
        own = replace(of, known=Normal(pd.Series(guess, index), errors))
        yield own, float(of.cells(truth).delivered(own.plan.spent).sum())


@pytest.mark.parametrize("error", [0.05, 0.15])
def test_folds_mend_a_claim_that_is_too_high(error):
    """Over estimates of one truth the claim is too high; judged by the fold that it did not see it is nearly right."""
    found = np.array([(own.plan.value, own.folded(splits=20), true) for own, true in worlds(error, 150)])
    claimed, folded, true = found.mean(axis=0)
    assert claimed - true > 0.015 * true
    assert abs(folded - true) < (claimed - true) / 5


def test_asking_where_nothing_would_change():
    """Without money no answer changes the plan; with some, more answers are worth more, of all more than of one."""
    poor = members(budget_dh=60.0, **wide())
    assert poor.at(budget_dh=0.0).asking(np.inf) == (0.0, 0.0)
    some, everybody = poor.asking(20), poor.asking(np.inf)
    assert everybody[0] > some[0] > 0
    assert everybody[0] > poor.asking(np.inf, "rich")[0] > 0


def wide():
    """Forty members with needs that differ."""
    rng = np.random.default_rng(2)
    units = pd.DataFrame({"camps": rng.integers(0, 3, 40) * 1.0, "rail": rng.integers(0, 2, 40) * 1.0})
    group = pd.Series(pd.Categorical(["poor", "rich"] * 20, ["poor", "rich"]), name="group")
    design = Design(pd.Series(2.0, units.index))
    tables = {"units": units, "needs": (units > 0).astype(float), "group": group}
    return {name: x.set_axis(design.index) for name, x in tables.items()} | {"design": design}


def test_needs_grow_as_their_groups_do():
    """The part in need of a group stays: half as many poor and twice as many rich have half and twice the needs."""
    of = members()
    counts = np.array([[0.0, 30.0], [30.0, 0.0], [0.0, 0.0], [0.0, 0.0]])  # the rich are active, the poor retired
    rates = {"recruits_n": 1.0, "staff_n": 1.0, "death_rate": 0.0, "retired_death_rate": 0.5, "survivor_share": 0.0,
             "survivor_exit_rate": 0.0}  # fmt: skip
    found = of.later(np.concatenate([of.centre, counts.ravel()]), rates)
    assert found.tolist() == [[30.0, 40.0, 70.0], [10.0 + 20.0, 15.0 + 20.0, 65.0]]
