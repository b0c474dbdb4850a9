"""Headline numbers of page 07 again from raw answers and weights, with NumPy alone."""

import numpy as np
import pytest

from welfare_analysis.results import release
from welfare_analysis.study import Study


@pytest.fixture(scope="module")
def study():
    return Study.open()


def cell(study, table, *codes):
    """A released number."""
    return float(release(study)[table].cells(*codes)["estimate"].iloc[0])


def column(study, name):
    """Answers as an array of objects, or of floats with NaN."""
    values = study.frame[name]
    if values.dtype.kind in "iufF" or str(values.dtype) in ("Float64", "Int64"):
        return values.astype(float).to_numpy()
    return values.astype(object).to_numpy()


@pytest.fixture(scope="module")
def raw(study):
    names = (
        "age status wants_loan loan_purpose loan_amount_dh loan_term_months net_pay_dh pension_dh has_loan loans_n "
        "arrears consumer_deduction_dh housing_deduction_dh running_source_finance_company uncovered_cost_dh savings_dh"
    )
    found = {name: column(study, name) for name in names.split()}
    found["w"] = np.asarray(study.design.weights, dtype=float)
    found["adult"] = found["age"] >= 18
    return found


def is_(values, *codes):
    """1, 0 or NaN where the answer is missing."""
    return np.array([np.nan if v is None or v != v else float(v in codes) for v in values])


def wants(raw):
    """Who wants a consumer loan: yes, and a purpose that is no home; NaN where it is not known."""
    wish, home = is_(raw["wants_loan"], "yes"), is_(raw["loan_purpose"], "home", "building")
    return np.where(wish == 0, 0.0, np.where(home == 1, 0.0, np.where(np.isnan(wish + home), np.nan, 1.0)))


def wanted(raw):
    """How many adults want one: those who answered stand for the others."""
    w, x, adult = raw["w"], wants(raw), raw["adult"]
    known = adult & ~np.isnan(x)
    return (w * np.nan_to_num(x))[known].sum() / w[known].sum() * w[adult].sum()


def means(raw):
    """Income and deductions of the member."""
    active = raw["status"] == "active"
    income = np.where(active, raw["net_pay_dh"], raw["pension_dh"])
    service = np.where(raw["has_loan"] == "no", 0.0, raw["consumer_deduction_dh"] + raw["housing_deduction_dh"])
    return income, np.where(is_(raw["has_loan"], "yes", "no") >= 0, service, np.nan), active


def test_who_wants_a_consumer_loan(study, raw):
    """Answers and weights give the first number of the page, and the wishes of a year."""
    assert cell(study, "loans_wish", "consumer", "all") == pytest.approx(wanted(raw), abs=5)
    assert cell(study, "loans_funnel", "wants", "all") == pytest.approx(wanted(raw), abs=5)
    assert cell(study, "loans_reconciled", "wishes") == pytest.approx(wanted(raw) / 2, abs=5)


def test_who_is_in_need_of_credit(study, raw):
    """Four reasons, each of them enough; unknown where none holds and one is missing."""
    income, service, _ = means(raw)
    none = raw["has_loan"] == "no"
    dear = np.where(none, 0.0, is_(raw["running_source_finance_company"], "yes"))
    late = np.where(none, 0.0, is_(raw["arrears"], "yes"))
    with np.errstate(invalid="ignore"):
        broken = (service > 0.4 * income) | (income - service < 1500)
        over = np.where(service == 0, 0.0, np.where(np.isnan(income + service), np.nan, (broken & (service > 0)) * 1.0))
        limit = raw["savings_dh"] + income
        expense = np.where(np.isnan(limit + raw["uncovered_cost_dh"]), np.nan, raw["uncovered_cost_dh"] > limit)
    table = np.array([dear, late, over, expense])
    need = np.where((table == 1).any(axis=0), 1.0, np.where(np.isnan(table).any(axis=0), np.nan, 0.0))
    known, w, adult = raw["adult"] & ~np.isnan(need), raw["w"], raw["adult"]
    number = w[known & (need == 1)].sum() / w[known].sum() * w[adult].sum()
    assert cell(study, "loans_funnel", "people", "in_need") == pytest.approx(number, abs=5)


def test_who_is_eligible_and_can_pay(study, raw):
    """Months before the age limit, arrears, loans on a pension; then the instalment against the law's limit."""
    income, service, active = means(raw)
    wish, w = wants(raw) == 1, raw["w"]
    term = np.where(np.isnan(raw["loan_term_months"]), 60.0, raw["loan_term_months"])
    longest = np.where(
        active, np.clip(np.floor(12 * (65 - raw["age"])), 0, 72), np.clip(np.floor(12 * (75 - raw["age"])), 0, 60)
    )
    months = np.minimum(term, longest)
    late, many = is_(raw["arrears"], "yes") == 1, np.nan_to_num(raw["loans_n"]) >= 3
    open_ = (months >= 12) & ~late & (active | ~many)
    left = np.minimum(0.4 * income, income - 1500) - service
    left = np.where(left > 0, left, np.where(np.isnan(left), np.nan, 0.0))
    amount = np.where(raw["loan_amount_dh"] > 0, np.minimum(raw["loan_amount_dh"], 200_000), np.nan)
    able = np.zeros(len(w), dtype=bool)
    for pay, pension in ((0.0728, 0.1107), (0.0728, 0.0728), (0.065, 0.065)):
        i = (np.where(active, pay, pension) * 1.1 + 0.0065) / 12
        with np.errstate(invalid="ignore", divide="ignore"):
            able |= amount * i / (1 - (1 + i) ** -months) <= left
    known_open = wish & is_(raw["status"], "active", "retired", "widow", "orphan").astype(bool) & ~np.isnan(raw["age"])
    known = known_open & ~np.isnan(left) & ~np.isnan(amount)
    part = w[known & open_].sum() / w[known].sum()
    assert cell(study, "loans_funnel", "eligible", "all") == pytest.approx(wanted(raw) * part, abs=5)
    eligible = known & open_
    can = w[eligible & able].sum() / w[eligible].sum()
    assert cell(study, "loans_funnel", "affordable", "all") == pytest.approx(wanted(raw) * part * can, abs=5)


def test_the_flow_that_keeps_the_loans(study, raw):
    """Running consumer loans over a mean term of four years."""
    has = is_(raw["has_loan"], "yes")
    running = np.clip(raw["loans_n"] - (np.nan_to_num(raw["housing_deduction_dh"]) > 0), 0, None)
    running = np.where(has == 0, 0.0, np.where(np.isnan(has), np.nan, running))
    known, w, adult = raw["adult"] & ~np.isnan(running), raw["w"], raw["adult"]
    stock = (w * np.nan_to_num(running))[known].sum() / w[known].sum() * w[adult].sum()
    assert cell(study, "loans_reconciled", "renewal") == pytest.approx(stock / 4, abs=5)
