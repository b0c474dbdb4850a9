"""What is published of agreements: who can use them, reasons, break-even rates; a file of one's own; gaps."""

import numpy as np
import pandas as pd
import pytest
from books import BOOK

from welfare_analysis.disclosure import CATEGORY
from welfare_analysis.planning import agreements
from welfare_analysis.publishing import figures, findings
from welfare_analysis.results import TOPICS, release
from welfare_analysis.results import agreements as own
from welfare_analysis.results.stored import parameters
from welfare_analysis.study import DATA, Study, public
from welfare_analysis.survey.reading import typed
from welfare_analysis.survey.standin import Parameters, generate


def world(**named):
    made = generate(Parameters.read(DATA / "public"), 41, "rich", size=9000)
    return Study.of(*(typed(f, BOOK) for f in (made.answers, made.register, made.followup)), BOOK, **named)


@pytest.fixture(scope="module")
def study():
    return world(is_standin=True)


@pytest.fixture(scope="module")
def shown(study):
    return {name: release(study)[name] for name in TOPICS["agreements"].names}


def wide(table, rows):
    return table.frame.astype({rows: str}).pivot(index=rows, columns=CATEGORY, values="estimate")


def test_every_table_is_shown(shown):
    """All tables have numbers, inside their intervals, and no small base."""
    assert len(shown) == 12
    assert shown.pop("agreements_forecast").state == "not_asked"  # no agreement is one's own
    for name, table in shown.items():
        assert table.state == "shown", name
        cells = table.shown
        assert len(cells) or name == "agreements_compared", name  # too unsure in a small population
        assert ((cells["low"] <= cells["estimate"]) & (cells["estimate"] <= cells["high"])).all(), name
        assert (cells["n"].dropna() >= 30).all(), name  # none where another table has it


def test_reasons_add_up_to_all_members(study):
    """The first reasons of all members, and those whom none stops, are all members; users are those of every table."""
    for name, offer in study.result(agreements.offers).items():
        assert offer.stopped.value.sum() == pytest.approx(study.population), name
        users = offer.users().value["all"]
        assert users == pytest.approx(offer.stopped.value[agreements.USES])
        for group in ("status", "command_group"):
            assert offer.users(group).value.sum() == pytest.approx(users), name


def test_what_all_gain_is_what_each_gains(shown):
    """The sum of an agreement is its users times their mean."""
    table = wide(shown["agreements_worth"], "partner_agreement").dropna()
    assert len(table) >= 4
    np.testing.assert_allclose(table["people"] * table["gain"], table["gain_all"], rtol=0.05)
    member = wide(shown["agreements_member"], "partner_agreement")
    assert (member["instalment_after"] < member["instalment_before"]).all()
    assert (member["total_after"] < member["total_before"]).all()


def test_a_further_cut_is_worth_more(study):
    """At the rate under talks more can use the loan than at that of the agreement, and each gains more."""
    made = study.result(agreements.offers)
    for product in ("home", "consumer"):
        now, talks = made[f"{product}_loan"], made[f"{product}_talks"]
        assert talks.stopped.value[agreements.USES] >= now.stopped.value[agreements.USES]
        assert not (now.uses & ~talks.uses).any()
        assert (talks.worth >= now.worth)[now.uses].all()


def test_the_curve_falls_and_crosses_where_the_table_says(shown):
    """Fewer can at a higher rate; half of a group can up to the rate of the other table, and fewer above it."""
    curve = wide(shown["agreements_curve"], "home_rate")
    curve.index = curve.index.astype(float)
    curve = curve.sort_index()
    assert (curve.diff().iloc[1:].fillna(0.0) <= 1e-9).all().all()
    even = wide(shown["agreements_break_even"], "rank_group")
    seen = 0
    for rank, rate in (100 * even["half_lent"]).dropna().items():
        if rank in curve and 0 < rate < 10:
            seen += 1
            assert curve.loc[curve.index <= rate - 0.01, rank].dropna().min() >= 0.5 - 1e-6
            assert curve.loc[curve.index >= rate + 0.01, rank].dropna().max() <= 0.5 + 1e-6
    assert seen >= 2


def test_two_offers_part_their_users(study, shown):
    """Better under the first or under the second; a rank of few is hidden, whole."""
    made = own.compared(study, own.subject(study))
    np.testing.assert_allclose(made.groupby("rank_group")["estimate"].sum(), 1.0, atol=1e-9)
    table = shown["agreements_compared"].frame
    hidden = table["flag"].eq("hidden").groupby(table["rank_group"])
    assert (hidden.nunique() == 1).all()
    assert set(made.loc[made["n"] < 100, "rank_group"]) == set(hidden.any()[hidden.any()].index)


def test_findings_and_pictures(study):
    """Six findings with a number each, and two pictures."""
    said = findings(study, "agreements").data
    assert said.count("\n- ") == 5
    assert all(any(c.isdigit() for c in line) for line in said.splitlines())
    for name in ("agreements_gain", "agreements_curve"):
        assert figures.output.picture(study, name)[1]


def test_a_file_of_ones_own_is_in_the_tables(tmp_path, monkeypatch):
    """Its lines replace and are added: a loan for retirees at no interest, named by its id."""
    line = dict.fromkeys(public("agreements"), "")
    line |= {"agreement": "free loan", "partner_type": "bank", "product": "home_loan", "term": "rate", "value": "0",
             "who": "retired", "kind": "reported"}  # fmt: skip
    pd.DataFrame([line]).to_csv(tmp_path / "ours.csv", index=False)
    monkeypatch.setenv("AGREEMENTS", str(tmp_path / "ours.csv"))
    study = world()
    reasons = wide(release(study)["agreements_reasons"], "agreement_reason")["free loan"]
    assert reasons["status"] > 0.5 * study.population
    assert "free loan" in set(parameters("agreements").frame["partner_agreement"])
    offer = study.result(agreements.offers)["free loan"]
    assert set(study.frame["status"][offer.uses.to_numpy()]) <= {"retired"}


def test_agreements_of_ones_own_are_forecast(study, monkeypatch, tmp_path):
    """Terms of data/public under other names have the forecasts of pages 06 to 08; changed terms replace the line."""
    lines = agreements.stated().set_index("agreement", drop=False)
    lines["value"] = lines["value"].astype(float)
    own = lines.loc[["home_loan", "developer_price", "consumer_talks", "rail_fares"], [*public("agreements")]].copy()
    own["agreement"] = "our " + own["agreement"]
    own.loc["rail_fares", "value"] = 0.35  # where page 08 has its cost
    cheap = lines.loc[["consumer_loan"], [*own]].assign(value=0.01, low=0.01, high=0.01)
    few = own.iloc[[0]].assign(agreement="for guards", who="active")
    table = pd.concat([own, cheap, few]).assign(taken_from="")
    table.to_csv(tmp_path / "agreements.csv", index=False)
    before = release(study)["agreements_use"].frame
    monkeypatch.setenv("AGREEMENTS", str(tmp_path / "agreements.csv"))
    after = release(world(is_standin=True))["agreements_use"].frame
    cells = {name: part.set_index(CATEGORY)["estimate"] for name, part in after.groupby("partner_agreement")}
    for name, part in before.groupby("partner_agreement"):
        wanted = part.set_index(CATEGORY)["estimate"].drop("use_bank", errors="ignore")
        assert len(wanted) >= (1 if name == "rail_fares" else 5)
        if name in own.index:
            pd.testing.assert_series_equal(cells[f"our {name}"].sort_index(), wanted.sort_index(), check_names=False)
        if name == "consumer_loan":
            assert cells[name]["use_cost"] > wanted["use_cost"]
        else:
            pd.testing.assert_series_equal(cells[name].drop("use_bank", errors="ignore"), wanted)
    assert "for guards" not in cells


def test_what_was_not_asked_is_said_to_be_so(study):
    """Of answers without trips, homes and loans no table has a number; without trips alone the others do."""
    plain = Study.of(study.frame[["person_id", "status", "sex"]], study.register, None, BOOK)
    assert {release(plain)[name].state for name in TOPICS["agreements"].names} == {"not_asked"}
    some = Study.of(study.frame.drop(columns=["intercity_trips_n"]), study.register, None, BOOK)
    table = release(some)["agreements_worth"]
    assert table.state == "shown"
    assert "rail_fares" not in set(table.frame["partner_agreement"])
