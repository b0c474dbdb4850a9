"""Take-up and amount: three models of the same answers, and how they are told apart."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from welfare_analysis.demand import borrowing
from welfare_analysis.estimation import Design, probit, tobit
from welfare_analysis.study import DATA
from welfare_analysis.survey.codebook import Codebook
from welfare_analysis.survey.reading import typed
from welfare_analysis.survey.standin import Parameters, generate

BOOK = Codebook.read(DATA / "codebook")
LEVEL = Parameters.read(DATA / "public")


@pytest.fixture(scope="module")
def people():
    return typed(generate(LEVEL, 9, "plain", size=16_000).truth, BOOK)


@pytest.fixture(scope="module")
def fitted(people):
    """Columns and models of each kind, everybody with a weight of one."""
    design = Design(pd.Series(1.0, people.index))
    columns = {kind: borrowing.told(people, kind) for kind in borrowing.KINDS}
    return design, columns, {kind: borrowing.fits(design, c) for kind, c in columns.items()}


def test_what_is_told_of_a_loan():
    """Amounts are of one kind; round figures are intervals; who wants the other kind tells a wish and no amount."""
    frame = pd.DataFrame(
        {
            "status": "active", "age": [30.0, 30, 30, 30, 15], "net_pay_dh": 6000.0, "pension_dh": np.nan,
            "tenure": "tenant", "children_n": [0.0, 1, 2, np.nan, 0], "loan_version": [1.0, 1, 1, 1, np.nan],
            "wants_loan": ["yes", "yes", "no", None, "yes"], "loan_purpose": ["car", "home", None, None, "car"],
            "loan_amount_dh": [50_000.0, 123_000, np.nan, np.nan, 20_000],
        }
    )  # fmt: skip
    consumer, housing = (borrowing.told(frame, kind) for kind in borrowing.KINDS)
    assert consumer["amount"].tolist()[:1] == [50_000]
    assert consumer["amount"].isna().tolist()[1:4] == [True, True, True]
    np.testing.assert_allclose(np.exp(consumer.loc[0, ["low", "high"]].astype(float)), [25_000, 75_000])
    np.testing.assert_allclose(np.exp(housing.loc[1, ["low", "high"]].astype(float)), [122_500, 123_500])
    assert consumer.loc[:2, ["least", "most"]].to_numpy().tolist() == [[0.5, 0.5], [0.0, np.inf], [-np.inf, 0.0]]
    assert consumer.loc[3:, ["wants", "least", "most"]].isna().all().all()


@pytest.mark.parametrize("kind", borrowing.KINDS)
def test_scores_add_up_to_the_likelihoods(fitted, kind):
    """Row by row and by hand, the log-likelihoods of the rows are those of the fits; amounts in dirhams, not logs."""
    _, columns, fits = fitted
    made, table = fits[kind], columns[kind]
    scores = borrowing.scores(made, table).dropna()
    log = table.loc[scores.index, "log_amount"].sum()
    assert scores["heckman"].sum() == pytest.approx(made["heckman"].log_likelihood - log, rel=1e-9)
    parts = made["take_up"].log_likelihood + made["amounts"].log_likelihood
    assert scores["two_part"].sum() == pytest.approx(parts - log, rel=1e-9)
    known = table["amount"].notna().sum() * np.log(borrowing.UNIT_DH)
    assert scores["tobit"].sum() == pytest.approx(made["tobit"].log_likelihood - known, rel=1e-9)


def test_the_truth_is_recovered(fitted):
    """Simulate and recover: the correlation of the errors and the spreads, of each kind; two parts are biased."""
    _, _, fits = fitted
    for kind, made in fits.items():
        full = made["heckman"]
        known = {
            "rho": LEVEL["loan_errors_correlation"],
            "sigma": LEVEL[f"loan_{kind}_log_sd"],
        }
        for name in ("rho", "sigma"):
            assert abs(full.value[name] - known[name]) < 3.5 * full.se[name]
        assert full.se["rho"] < 0.2
    wish = fits["consumer"]["take_up"]
    for name in ("children", "crowded"):
        assert abs(wish.value[name] - LEVEL[f"wants_loan_{name}_slope"]) < 3.5 * wish.se[name]


def test_the_tobit_is_told_from_two_causes(fitted):
    """In a population with two causes the Tobit's proportions are rejected, and it predicts worse."""
    design, columns, fits = fitted
    assert borrowing.proportional(fits["consumer"]).p < 1e-6
    found = borrowing.hold_out(design, columns["consumer"], np.random.default_rng(1))
    assert found.loc["tobit", "gap"] < -5 * found.loc["tobit", "se"]
    assert abs(found.loc["heckman", "gap"]) < 5 * found.loc["heckman", "se"]
    assert found["persons"].nunique() == 1


def test_a_tobit_population_is_not_rejected():
    """Where one cause moves both, proportions hold: simulated."""
    rng = np.random.default_rng(3)
    x, z = rng.normal(size=(2, 6000))
    y = np.maximum(0.0, 0.3 + 0.8 * x - 0.5 * z + 1.2 * rng.normal(size=6000))
    frame, design = pd.DataFrame({"y": y, "any": y > 0, "x": x, "z": z}), Design(np.ones(6000))
    fits = {"tobit": tobit(design, frame, "y ~ x + z"), "take_up": probit(design, frame, "any ~ x + z")}
    test = borrowing.proportional(fits, ("x", "z"))
    assert test.p > 0.01
    skewed = frame.assign(y=frame["y"] ** 3)
    fits["tobit"] = tobit(design, skewed, "y ~ x + z")
    assert borrowing.proportional(fits, ("x", "z")).df == 2


def test_hours_of_married_women():
    """Mroz (1987), 753 women: the Tobit of hours has -3819.09, the probit -401.30 (Wooldridge 2010, chapters 15, 17).

    The likelihood-ratio test of Cragg rejects the Tobit there (54.29 with 8 degrees of freedom); so does this one.
    """
    f = pd.read_csv(Path(__file__).parents[2] / "data" / "reference" / "sampleSelection_Mroz87.csv")
    names = ("nwifeinc", "educ", "exper", "exper2", "age", "kids5", "kids618")
    f, design = f.assign(exper2=f["exper"] ** 2, thousands=f["hours"] / 1000), Design(np.ones(753))
    right = " + ".join(names)
    fits = {"tobit": tobit(design, f, f"thousands ~ {right}"), "take_up": probit(design, f, f"lfp ~ {right}")}
    shift = (f["hours"] > 0).sum() * np.log(1000)
    assert fits["tobit"].log_likelihood - shift == pytest.approx(-3819.09, abs=0.01)
    assert fits["take_up"].log_likelihood == pytest.approx(-401.30, abs=0.01)
    assert borrowing.proportional(fits, names).p < 0.01


def test_crowding_may_be_left_out_of_the_amount(fitted):
    """Crowding moves the wish alone: in Heckman's model it is no part of the amount."""
    design, columns, _ = fitted
    assert borrowing.excluded(design, columns["consumer"]).p > 0.01


def test_round_figures_move_little(fitted):
    """Amounts as intervals give the slopes and the correlation of Heckman's model, within an error, not the same."""
    design, columns, fits = fitted
    fit, plain = borrowing.rounded(design, columns["housing"]), fits["housing"]["heckman"]
    for name in (*borrowing.OUTCOME, "rho", "sigma"):
        assert abs(fit.value[name] - plain.value[name]) < plain.se[name]
    assert fit.value["sigma"] != plain.value["sigma"]
