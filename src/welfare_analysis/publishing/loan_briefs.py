"""Sentences and tables of the page on loans: the findings, public figures beside the survey's, models compared."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
from IPython.display import HTML, Markdown

from ..demand import borrowing
from ..demand.credit import Terms
from ..demand.loans import assumed
from ..errors import WelfareError
from ..estimation import Estimate, mean, ratio, share
from ..estimation.regression import Regression
from ..languages import GAP, amount, between, number, with_interval
from ..needs import income_debt
from ..study import DATA, Study, public
from .briefs import contrast
from .loan_demand import KINDS, RATES, market_of
from .loans import loan_tables
from .modelled import HOLD_OUT_SEED, absent, cell_of, coefficients, fit_tables
from .plan import Release
from .suppression import CATEGORY
from .tables import Z, label, markup, source, title, told

VALIDATION = DATA / "survey" / "loan_validation.csv"
FINDINGS = ("many", "carry", "where", "cost", "changes", "debts", "guard", "sure", "realised")


def findings(released: Release, study: Study) -> Markdown:
    """The page in two minutes: how many, who and where, at what cost, what changes it, how sure."""
    book, language = study.codebook, study.language
    first = released["loans_files"]
    if first.state != "shown":
        return Markdown(book.text(first.state, language))
    fields = {
        "consumer": _cell(released, study, "loans_wish", loan_kind="consumer", **{CATEGORY: "all"}),
        "housing": _cell(released, study, "loans_wish", loan_kind="housing", **{CATEGORY: "all"}),
        "median": _cell(released, study, "loans_amounts", loan_quantile="q50", **{CATEGORY: "consumer"}),
        "median_housing": _cell(released, study, "loans_amounts", loan_quantile="q50", **{CATEGORY: "housing"}),
        "where": contrast(released["loans_by_command_group"], study, "foundation"),
        "who": contrast(released["wants_loan_by_status"], study, "yes"),
        "wants": contrast(released["wants_loan_by_command"], study, "yes"),
    }
    for name in ("files", "volume"):
        for stage in ("stated", "affordable"):
            of = {KINDS: "foundation", CATEGORY: stage}
            fields[f"{name}_{stage}"] = _cell(released, study, f"loans_{name}", **of)
    curve = released["loans_curve"].shown.query(f"{CATEGORY} == 'foundation'")
    rates = {name: Terms.named(terms).rate for name, terms in RATES.items()}
    ends = curve.assign(at=curve["loan_rate"].map(rates)).sort_values("at").iloc[[0, -1]]
    for name, row in zip(("cheap", "dear"), ends.to_dict("records"), strict=True):
        fields[name] = told(released["loans_curve"], study, pd.Series(row))
        fields[f"{name}_rate"] = amount(row["at"], "share", language)
    for loan_gain in ("gain_company", "gain_bank", "margin"):
        fields[loan_gain] = _cell(released, study, "loans_gain", loan_gain=loan_gain, **{CATEGORY: "foundation"})
    fields["lost"] = _losses(released, study)
    fields["point"] = _cell(released, study, "loans_worth_dh", loan_improvement="point_less", **{CATEGORY: "middle"})
    for guard in ("within", "pushed_over", "already_over"):
        fields[guard] = _cell(released, study, "loans_guard", loan_guard=guard, **{CATEGORY: "foundation"})
    for loan_freed in ("freed", "freed_longer"):
        fields[loan_freed] = _cell(released, study, "loans_consolidation", loan_freed=loan_freed, **{CATEGORY: "value"})
    fields["over"] = told(released["over_debt_limit_total"], study)
    real = released["loans_realised"].frame.set_index("loan_realisation")["estimate"]
    fields["certain"] = between(real.drop("renewal", errors="ignore").min(), real["stated"], "files", language)
    renewal = real.get("renewal", np.nan)
    fields["renewal"] = amount(renewal, "files", language)
    fields["household"] = _cell(released, study, "loans_views", **{KINDS: "foundation", CATEGORY: "household"})
    fields |= _joint(released, study) | _known_errors(study)
    return Markdown("\n".join(f"- {book.text(f'loans.{name}', language, **fields)}" for name in FINDINGS))


def _cell(released: Release, study: Study, table: str, **keys: str) -> str:
    """A cell as number, unit and interval; dots where it is hidden, a sentence where there is no table."""
    one = released[table]
    if one.state != "shown":
        return study.codebook.text(one.state, study.language)
    try:
        cell = cell_of(one, **keys)
    except IndexError:
        return GAP
    return told(one, study, cell) if pd.notna(cell["estimate"]) else GAP


def _losses(released: Release, study: Study) -> str:
    last = released["loans_losses"].shown
    last = last[last["loan_year"].astype(float) == last["loan_year"].astype(float).max()]["estimate"]
    unit = study.codebook.text("unit.million_dh", study.language)
    return f"{between(last.min(), last.max(), 'million_dh', study.language)}\u00a0{unit}"


def _joint(released: Release, study: Study) -> dict[str, str]:
    """Files of all products alone, and after a home on the same account."""
    table = released["loans_joint"]
    if table.state != "shown":
        return dict.fromkeys(("alone", "after_home"), study.codebook.text(table.state, study.language))
    sums = table.frame.groupby(CATEGORY)["estimate"].sum()
    unit = study.codebook.text("unit.files", study.language)
    return {view: amount(sums[view], "files", study.language, unit) for view in ("alone", "after_home")}


def _known_errors(study: Study, path: Path = VALIDATION) -> dict[str, str]:
    """Mean error over the truth of files under the agreement by version, and of housing loans with overstated need."""
    stored = pd.read_csv(path).set_index(["version", "number"])
    part = stored["error"] / stored["truth"]
    asked = {version: (version, "foundation") for version in ("plain", "rich", "strategic")}
    asked["housing_strategic"] = ("strategic", "housing")
    return {name: amount(float(part.get(key, np.nan)), "share", study.language) for name, key in asked.items()}


def standing(study: Study) -> HTML:
    """Where members stand, beside the public figures of civil servants, which are not of the police."""
    book, language = study.codebook, study.language
    lacking = {"has_loan", "debt_outstanding_dh", "loans_n", "consumer_deduction_dh"} - set(study.frame)
    if lacking:
        return absent(study, "not_asked")
    rows, known = [], public("debt_benchmarks").set_index("indicator")
    for name, (estimate, unit) in _standing(study).items():
        row = known.loc[name]
        low, high = estimate.interval().iloc[0]
        text = "" if unit == "share" else book.text(f"unit.{unit}", language)
        shown = with_interval(float(estimate.value.iloc[0]), low, high, unit, language, text)
        other = amount(float(row["value"]), unit, language, text)
        rows.append([label(study, "loan_standing", name), shown, f"{other} ({row['year']})",
                     number(estimate.counts["n"].iloc[0], language)])  # fmt: skip
    heads = [book.text(f"col.{c}", language) for c in ("quantity", "loan_survey", "loan_civil_servants", "n")]
    below = book.text("loans.benchmarks", language, source=source(study))
    return HTML(markup(title("loans_standing", study), heads, rows, below))


def _standing(study: Study) -> dict[str, tuple[Estimate, str]]:
    frame, design = study.frame.set_axis(study.design.index), study.design
    has = (frame["has_loan"] == "yes").fillna(False)
    service, income = income_debt.debt_service_dh(frame), income_debt.member_income_dh(frame)
    part = income_debt.debt_service_share(frame)
    both = has & service.notna() & income.notna()
    middle = (part.between(0.2, 0.4)).where(part.notna()).astype("boolean").rename("x")
    above = (part > income_debt.STANDARDS.limit_share).where(part.notna()).astype("boolean").rename("x")
    return {
        "indebted": (share(design, income_debt.indebted(frame)), "share"),
        "debt_outstanding": (mean(design, frame["debt_outstanding_dh"].astype(float), where=has), "dh"),
        "debt_service_share": (ratio(design, service, income, where=both), "share"),
        "loans": (mean(design, frame["loans_n"].astype(float), where=has), "files_each"),
        "within_20_40": (share(design, middle, where=has), "share"),
        "over_40": (share(design, above, where=has), "share"),
    }


def model(study: Study) -> HTML:
    """What the model of the cards rests on, and whether it predicts persons it has not seen."""
    market, state = market_of(study), loan_tables(study)["loans_files"].state
    if market is None or state != "shown":
        return absent(study, "not_asked" if market is None else state)
    return fit_tables(market.fit(), "loan", study)


@cache
def borrowed(study: Study, kind: str) -> tuple[pd.DataFrame, dict[str, Regression]] | None:
    """Columns and models of take-up and amount of a kind; None where they cannot be fitted."""
    market = market_of(study)
    if market is None:
        return None
    columns = borrowing.told(market.frame, kind)
    try:
        return columns, borrowing.fits(market.design, columns)
    except WelfareError:
        return None


def borrowing_models(study: Study, kind: str) -> HTML:
    """What moves the wish for a loan and the amount, in three models and with round figures as intervals."""
    made = borrowed(study, kind)
    if made is None:
        return absent(study, "not_asked" if market_of(study) is None else "too_few")
    columns, fits = made
    shown = {"amounts": fits["amounts"], "heckman": fits["heckman"]}
    shown["heckman_rounded"] = borrowing.rounded(fits["amounts"].design, columns)
    names = ["Intercept", *borrowing.OUTCOME, "sigma", "rho"]
    wish = {"take_up": fits["take_up"], "tobit": fits["tobit"]}
    first = coefficients(f"loans_amount_models_{kind}", shown, names, study).data
    return HTML(first + coefficients(f"loans_wish_models_{kind}", wish, ["Intercept", *borrowing.WISH], study).data)


@cache
def held_out(study: Study, kind: str) -> pd.DataFrame:
    """`borrowing.hold_out` of the models of a kind, which can be fitted."""
    columns, fits = borrowed(study, kind) or (pd.DataFrame(), {})
    return borrowing.hold_out(fits["amounts"].design, columns, np.random.default_rng(HOLD_OUT_SEED))


def compared(study: Study) -> HTML:
    """The three models before persons that they have not seen, and the tests between them."""
    book, language = study.codebook, study.language
    body = []
    for kind in borrowing.KINDS:
        made = borrowed(study, kind)
        if made is None:
            return absent(study, "not_asked" if market_of(study) is None else "too_few")
        found = held_out(study, kind)
        for name, row in found.iterrows():
            half = Z * row["se"]
            gap = _bounded(row["gap"], row["gap"] - half, row["gap"] + half, 4, language)
            body.append([label(study, "loan_kind", kind), label(study, "loan_model", name),
                         number(row["score"], language, 4), gap, number(row["persons"], language)])  # fmt: skip
    heads = [book.text(f"col.{c}", language) for c in ("loan_kind", "model", "loan_score", "loan_gap", "n")]
    below = book.text("note.loans_compared", language, source=source(study))
    return HTML(markup(title("loans_compared", study), heads, body, below))


def choice_of_model(study: Study) -> Markdown:
    """Which model the tests and the persons left out speak for, of each kind."""
    book, language, lines = study.codebook, study.language, []
    for kind in borrowing.KINDS:
        made = borrowed(study, kind)
        if made is None:
            return Markdown(book.text("not_asked" if market_of(study) is None else "too_few", language))
        columns, fits = made
        low, high = fits["heckman"].interval().loc["rho"]
        better = held_out(study, kind).loc["heckman"]
        predicts = better["gap"] > Z * better["se"]
        verdict = "heckman" if predicts else "related" if low > 0 or high < 0 else "apart"
        fields = {
            "kind": label(study, "loan_kind", kind),
            "rho": _bounded(fits["heckman"].value["rho"], low, high, 2, language),
            "proportional": _p(borrowing.proportional(fits).p, language),
            "excluded": _p(borrowing.excluded(fits["amounts"].design, columns).p, language),
            "verdict": book.text(f"loans.verdict_{verdict}", language),
        }
        lines.append(f"- {book.text('loans.model_choice', language, **fields)}")
    return Markdown("\n".join(lines))


def _bounded(x: float, low: float, high: float, digits: int, language: str) -> str:
    """A number of any sign with its interval."""
    shown, *bounds = (number(v, language, digits) for v in (x, low, high))
    return f"{shown} ({'; '.join(bounds)})"


def _p(p: float, language: str) -> str:
    return f"< {number(0.001, language, 3)}" if p < 0.001 else f"= {number(p, language, 3)}"


def standards(study: Study) -> Markdown:
    """The rules of protected pay that the page goes by."""
    book, language, of = study.codebook, study.language, income_debt.STANDARDS
    left = amount(of.least_left_dh, "dh", language, book.text("unit.dh", language))
    limit = amount(of.limit_share, "share", language)
    return Markdown(book.text("loans.standards", language, limit=limit, left=left))


def terms_used(study: Study) -> Markdown:
    """The assumptions that decide, with their ranges."""
    book, language = study.codebook, study.language
    lines = []
    for item, unit in (("replacement_share", "share"), ("stress_points", "rate_points"), ("old_rate", "share"),
                       ("funding_rate", "share"), ("running_cost_share", "share")):  # fmt: skip
        value, low, high = (assumed(item, c) for c in ("value", "low", "high"))
        text = "" if unit == "share" else book.text("unit.points", language)
        lines.append(
            f"- {label(study, 'loan_assumption', item)}: {with_interval(value, low, high, unit, language, text)}"
        )
    return Markdown("\n".join(lines))


def errors(study: Study, path: Path = VALIDATION) -> HTML:
    """How far the numbers are from the truth of generated populations, by how well people answer."""
    book, language = study.codebook, study.language
    body, stored = [], pd.read_csv(path)
    for row in stored.to_dict("records"):
        name = label(study, "loan_number", row["number"])
        told_ = [amount(row[column] / row["truth"], "share", language) for column in ("error", "mean_se")]
        told_ += [amount(row["coverage"], "share", language), number(row["samples"], language)]
        body.append([book.text(f"version.{row['version']}", language), name, *told_])
    heads = [
        book.text(f"col.{n}", language) for n in ("version", "quantity", "error", "se_of_truth", "coverage", "samples")
    ]
    below = book.text("note.loans_errors", language, persons=number(stored["persons"].iloc[0], language))
    return HTML(
        markup(
            title("loans_errors", study), heads, body, below + " " + book.text("own", language, source=source(study))
        )
    )
