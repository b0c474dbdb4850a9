import dataclasses
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from scipy.special import softmax

from welfare_analysis.errors import WelfareError
from welfare_analysis.survey import standin
from welfare_analysis.survey.reading.personal import says_who
from welfare_analysis.survey.standin.answers import EARLIER, MONEY
from welfare_analysis.survey.standin.chance import choose
from welfare_analysis.survey.standin.collection import strata
from welfare_analysis.survey.standin.population import people

PUBLIC = Path(__file__).parents[2] / "data" / "public"
P = standin.Parameters.read(PUBLIC)
VARIABLES = list(P.codebook.variables.index)
SIZE = 20000
# The routing of the earlier questions, written out a second time: gate, codes, questions that hang on it.
ROUTES = [
    ("status", ["active"], "seniority_years net_pay_dh shift commute_mode commute_km commute_min"),
    ("status", ["active"], "commute_cost_dh commute_days_n"),
    ("status", ["retired", "widow", "orphan"], "pension_dh"),
    ("tenure", ["tenant"], "rent_dh"),
    ("wants_home", ["yes"], "home_budget_dh home_financing home_city"),
    ("has_loan", ["yes"], "loans_n consumer_deduction_dh housing_deduction_dh debt_outstanding_dh arrears"),
]


@pytest.fixture(scope="module")
def rich(worlds):
    """Rich version, the one committed."""
    return worlds["rich"]


@pytest.fixture(scope="module")
def plain(worlds):
    """Well specified version."""
    return worlds["plain"]


@pytest.fixture(scope="module")
def strategic(worlds):
    """Version with overstated need."""
    return worlds["strategic"]


def test_same_seed_gives_the_same_survey():
    """One seed, one survey; another seed, another."""
    one, again, other = (standin.generate(P, seed, size=3000) for seed in (1, 1, 2))
    for name in ("register", "truth", "answers", "followup"):
        pd.testing.assert_frame_equal(getattr(one, name), getattr(again, name))
    assert not one.register.equals(other.register)


def test_sizes_by_status(rich):
    """`size` keeps the proportions of the four statuses."""
    counts = rich.register["status"].value_counts()
    full = {s: P[f"{s}_n"] for s in ("active", "retired", "widow", "orphan")}
    for status, n in full.items():
        assert abs(counts[status] - n * SIZE / sum(full.values())) <= 1
    assert len(rich.register) == len(rich.truth) == SIZE
    assert rich.register["person_id"].is_unique


def test_keys_of_a_large_population_are_read_as_keys():
    """None of them looks like the number of an identity card, which `read_register` refuses."""
    keys = people(P, np.random.default_rng(1), 240_000)["person_id"]
    assert keys.is_unique
    assert says_who(keys) == ""


def test_margins_are_those_of_the_parameters(plain):
    """Shares lie within four standard errors of their level; the mean pay inside its published range."""
    t = plain.truth
    active = t[t["status"] == "active"]

    def near(flag, level):
        return abs(flag.mean() - level) < 4 * np.sqrt(level * (1 - level) / len(flag))

    assert near(active["sex"] == "f", P["women_share"])
    assert near(t["has_loan"] == "yes", P["indebted_share"])
    assert near(t["tenure"] == "tenant", P["tenant_share"])
    assert near(t["wants_home"] == "yes", P["wants_home_share"])
    low, high = P.facts.loc["net_pay_mean_dh", ["low", "high"]]
    assert low < active["net_pay_dh"].mean() < high
    assert abs(active["age"].mean() - P["active_age_mean"]) < 0.4
    assert abs(t["loans_n"].mean() - P["loans_mean"]) < 0.1
    income = t["net_pay_dh"].fillna(t["pension_dh"])
    service = ((t["consumer_deduction_dh"] + t["housing_deduction_dh"]) / income).dropna()
    assert abs(service.mean() - P["debt_service_mean_share"]) < 0.015
    assert near(service.between(0.199, 0.401), P["debt_service_core_share"])
    assert (t.loc[t["status"] == "widow", "sex"] == "f").all()


@pytest.mark.parametrize("version", standin.VERSIONS)
def test_routing_is_respected(version, request):
    """A question that is not asked is blank; in the truth one that is asked is filled."""
    survey = request.getfixturevalue(version)
    routed = {name: (gate, codes) for gate, codes, names in ROUTES for name in names.split()}
    for name, (gate, codes) in routed.items():
        for frame in (survey.truth, survey.answers, survey.followup):
            assert frame.loc[~frame[gate].isin(codes), name].isna().all()
        assert survey.truth.loc[survey.truth[gate].isin(codes), name].notna().all()
    assert survey.truth[[name for name in EARLIER if name not in routed]].notna().all(axis=None)


def test_returners_are_not_the_population(plain):
    """Return is informative: tenants are more frequent among the returners, also within the strata."""
    t, back = plain.truth, plain.truth["person_id"].isin(plain.answers["person_id"])
    tenant = t["tenure"] == "tenant"
    assert abs(back.mean() - P["return_share"]) < 0.015
    assert tenant[back].mean() - tenant.mean() > 4 * np.sqrt(0.25 / back.sum())
    frame = t.assign(
        command_group=P.territory["command_group"].reindex(t["command"]).to_numpy(),
        rank_group=P.ranks["rank_group"].reindex(t["rank"]).to_numpy(),
    )
    within = tenant - tenant.groupby(strata(frame)).transform("mean")
    assert within[back].mean() > 0.03


def test_followup_counts_are_the_non_returners(rich):
    """Stratum populations add up to the non-returners; at least 15 are drawn a stratum, or all."""
    absent = len(rich.register) - len(rich.answers)
    strata = rich.followup.groupby("stratum")["stratum_population"].agg(["first", "nunique", "size"])
    assert (strata["nunique"] == 1).all()
    assert strata["first"].sum() == absent
    assert (strata["size"] >= np.minimum(15, strata["first"])).all()
    assert not set(rich.followup["person_id"]) & set(rich.answers["person_id"])
    assert 0.6 < (rich.followup["outcome"] == "answered").mean() < 0.75
    silent = rich.followup[rich.followup["outcome"] != "answered"]
    assert silent[VARIABLES[1:]].isna().all(axis=None)


def test_a_recheck_finds_the_truth_of_some_who_answered(rich):
    """Its strata are all who answered, each person did, and what is found is so; who shows nothing has blanks."""
    late = rich.followup[rich.followup["outcome"] == "answered"]
    answered = pd.concat([rich.answers["person_id"], late["person_id"]])
    assert rich.recheck.groupby("stratum")["stratum_population"].first().sum() == len(answered)
    assert rich.recheck["person_id"].isin(answered).all()
    assert rich.recheck["person_id"].is_unique
    shown = rich.recheck["outcome"] == "answered"
    assert 0.75 < shown.mean() < 0.95
    assert rich.recheck.loc[~shown, ["net_pay_dh", "rooms_n"]].isna().all(axis=None)
    found = rich.recheck[shown].set_index("person_id")["rooms_n"]
    assert (found == rich.truth.set_index("person_id").loc[found.index, "rooms_n"]).all()


def test_nobody_answers_from_outside_the_register(rich):
    """Every form belongs to one person of the register, who has one form."""
    for frame in (rich.answers, rich.followup):
        assert frame["person_id"].isin(rich.register["person_id"]).all()
        assert frame["person_id"].is_unique


def test_plain_answers_are_the_truth(plain):
    """Without measurement error an answer equals the truth, but where the module does not ask."""
    back = plain.truth["person_id"].isin(plain.answers["person_id"])
    known = plain.truth.loc[back, VARIABLES].reset_index(drop=True)
    only = list(P.codebook.variables.index[P.codebook.variables["asked_if"].str.startswith("module")])
    pd.testing.assert_frame_equal(plain.answers, known.assign(**known[only].where(plain.answers[only].notna())))


def test_rich_answers_heap_and_miss(rich):
    """Amounts heap at hundreds and 2-9 % of pay is missing, as -98, -99 or blank."""
    pay = rich.answers.loc[rich.answers["status"] == "active", "net_pay_dh"]
    truth = rich.truth["net_pay_dh"].dropna()
    assert (pay[pay > 0] % 100 == 0).mean() > (truth % 100 == 0).mean() + 0.2
    assert 0.02 < (pay.isna() | (pay < 0)).mean() < 0.09
    assert set(pay[pay < 0]) == {-98.0, -99.0}


def test_strategic_answers_overstate_need(rich, strategic):
    """The same returners, with fewer rooms, higher rents and more wishes."""
    pd.testing.assert_series_equal(rich.answers["person_id"], strategic.answers["person_id"])
    assert strategic.answers["rooms_n"].mean() < rich.answers["rooms_n"].mean() - 0.1
    assert (strategic.answers["wants_home"] == "yes").mean() > (rich.answers["wants_home"] == "yes").mean() + 0.04
    rents = [s.answers["rent_dh"].where(s.answers["rent_dh"] > 0).mean() for s in (rich, strategic)]
    assert rents[1] > 1.02 * rents[0]


def test_files_carry_the_mark(rich, tmp_path):
    """Each file says which stand-in it is, holds what was generated, and is small."""
    paths = standin.write(rich, tmp_path)
    names = ["answers.parquet", "followup.parquet", "recheck.parquet", "register.parquet"]
    assert sorted(p.name for p in tmp_path.iterdir()) == names
    for path in paths:
        assert pq.read_schema(path).metadata[standin.MARK.encode()] == b"rich"
    read = pd.read_parquet(tmp_path / "answers.parquet")
    assert list(read.columns) == VARIABLES
    for name in MONEY:
        np.testing.assert_array_equal(read[name].to_numpy(float, na_value=np.nan), rich.answers[name].to_numpy(float))
    assert sum(p.stat().st_size for p in paths) < 2_500_000


def test_draw_stays_in_the_ranges():
    """Assumed and derived levels move inside their range; reported ones do not move."""
    drawn = P.draw(np.random.default_rng(3))
    for name, row in P.facts.iterrows():
        if row["kind"] == "reported" or not row["low"] < row["high"]:
            assert drawn[name] == P[name]
        else:
            assert row["low"] <= drawn[name] <= row["high"]
            assert drawn[name] != P[name]
    assert drawn.territory["share_of_staff"].sum() == pytest.approx(1)
    assert len(standin.generate(drawn, 1, size=2000).truth) == 2000


def test_every_level_lies_in_its_range_and_has_a_source():
    """Low <= value <= high, a known kind and a source for each row; an assumption always has a range."""
    ranged = P.facts.dropna(subset=["low", "high"])
    assert (ranged["low"] <= ranged["value"]).all()
    assert (ranged["value"] <= ranged["high"]).all()
    assert set(P.facts.index[P.facts["kind"] == "assumption"]) <= set(ranged.index)
    for table in (P.facts, P.territory, P.ranks):
        assert table["kind"].isin(["reported", "derived", "assumption"]).all()
        assert table["source"].str.len().gt(0).all()


def test_choose_hits_its_levels_on_the_softmax_scale():
    """Draws have the stated mean shares, and each person's odds are e^eta times one factor a code."""
    rng = np.random.default_rng(4)
    eta = rng.normal(0, 1, (40000, 3))
    eta[rng.random(40000) < 0.5, 2] = -np.inf  # a code that half of the people cannot have
    codes = choose(np.random.default_rng(5), eta, [0.5, 0.3, 0.2], ["a", "b", "c"])
    assert pd.Series(codes).value_counts(normalize=True).to_dict() == pytest.approx(
        {"a": 0.5, "b": 0.3, "c": 0.2}, abs=0.01
    )
    assert not (codes[np.isinf(eta[:, 2])] == "c").any()
    factor = np.zeros(3)
    for _ in range(400):  # iterative scaling of the intercepts, the slow way
        factor += np.log([0.5, 0.3, 0.2]) - np.log(softmax(eta + factor, axis=1).mean(axis=0))
    below = softmax(eta + factor, axis=1).cumsum(axis=1)
    again = (np.random.default_rng(5).random((40000, 1)) > below).sum(axis=1)
    assert (np.array(["a", "b", "c"])[again] != codes).mean() < 1e-3


def test_unknown_names_are_errors():
    """An unknown version or level is told; parameters cannot be changed in place."""
    with pytest.raises(WelfareError, match="unknown version"):
        standin.generate(P, 1, "other", size=100)
    with pytest.raises(WelfareError, match=re.escape("unknown level")):
        P["no_such_level"]
    with pytest.raises(dataclasses.FrozenInstanceError):
        P.levels = {}
