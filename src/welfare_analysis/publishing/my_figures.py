"""The page on which a member enters own figures, and sees which home and loan they carry, under which agreement.

It holds published terms alone: agreements, credit, the rule of protected pay, limits of the questions. No number of the
survey is on it, nothing leaves it, and its script computes what `demand.credit` and `planning.agreements` do.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict, replace
from typing import Any

import numpy as np
import pandas as pd
from IPython.display import Markdown

from ..demand import loans
from ..demand.credit import ADULT, Terms
from ..languages import MARKS, amount, direction
from ..needs.income_debt import STANDARDS
from ..planning import agreements as plan
from ..planning.agreements import INF, SHARES, SIDES, Agreement
from ..study import INHERITED, Study, public
from ..survey.codebook import Codebook
from .labels import label, listed

HREF, HANDED, KEYS = "my_figures.html", "my_figures", "my_figures."
GROUPS: dict[str, dict[str, tuple[str, ...]]] = {  # fields, and the questions of whose limits each is
    "you": {"status": (), "place": (), "age": ("age",), "income": ("net_pay_dh", "pension_dh"),
            "service": ("consumer_deduction_dh", "housing_deduction_dh")},
    "home": {"owns": (), "savings": ("savings_dh",), "price": ()},
    "loan": {"amount": ("loan_amount_dh",), "months": ("loan_term_months",), "files": ("loans_n",), "late": ()},
    "rail": {"trains": ()},
}  # fmt: skip
OF_GROUP = {"home": ("home_loan", "flat"), "loan": ("consumer_loan",), "rail": ("rail",)}  # products
CHOSEN = {"status": "status", "place": "command_group", "owns": "yes_no", "late": "yes_no"}  # lists of codes
OPTIONAL = ("amount", "months", "files", "trains")


def own_figures(study: Study) -> Markdown:
    """Say that there is a page for a member's own figures, with a link; that page's contents go with it."""
    line = study.text("my_figures.link", page=HREF)
    return Markdown(line, metadata={HANDED: contents(study)} if study.languages else None)


def contents(study: Study) -> dict[str, Any]:
    """The published terms and the words around them, in the study's language; plain data, no answer."""
    book, language = study.codebook, study.language
    deals = plan.agreements(book)
    flat = public("home_offers").set_index(["alternative", "attribute"])["value"].astype(float)[plan.FLAT, "price_dh"]
    taken = INHERITED in set(public("credit")["source"]) | set(public("agreements")["source"])
    words = {key.removeprefix(KEYS): book.template(key, language) for key in book.texts.index if key.startswith(KEYS)}
    return {
        "words": words | {"between": study.text("list.semicolon")},
        "inherited": study.text("my_figures.inherited", source=study.text(INHERITED)) if taken else "",
        "groups": fields(study, deals.values(), flat),
        "offers": [offered(study, deal, place, flat) for place, deal in enumerate(deals.values())],
        "rules": {
            "limit_share": STANDARDS.limit_share,
            "least_left_dh": STANDARDS.least_left_dh,
            "adult": ADULT,
            "months_least": loans.assumed("months_least"),
            "months_told": loans.assumed("term_told_months"),
            "discount_rate": plan.of_programme("discount_rate"),
        },
        "active": "active",
        "currency": book.forms("dh", language),
        "marks": {"thousands": MARKS[language][0], "rtl": direction(language) == "rtl"},
    }


def fields(study: Study, deals: Collection[Agreement], price_dh: float) -> list[dict[str, Any]]:
    """What is asked, in groups: of the products that an agreement is of, and of the region where one depends on it."""
    book, products = study.codebook, {deal.product for deal in deals}
    groups = []
    for group, members in GROUPS.items():
        if not products.intersection(OF_GROUP.get(group, products)):
            continue
        asked = []
        for name, questions in members.items():
            field: dict[str, Any] = {"id": name, "name": study.text(f"my_figures.field.{name}"), "options": None}
            if name in CHOSEN:
                codes = book.codes(CHOSEN[name])
                codes = codes[::-1] if CHOSEN[name] == "yes_no" else codes
                field["options"] = [[code, label(study, CHOSEN[name], code)] for code in codes]
            else:
                low, high = limits(book, questions)
                needed = name not in OPTIONAL
                field |= {"low": low if needed else 0.0, "high": high, "required": needed}
                field["value"] = amount(price_dh, "", study.language) if name == "price" else ""
            if name != "place" or any(deal.where for deal in deals):
                asked.append(field)
        groups.append({"name": study.text(f"my_figures.group.{group}"), "fields": asked})
    return groups


def limits(book: Codebook, questions: Collection[str]) -> tuple[float, float | None]:
    """The least and the most that one of some questions takes; from one on where none says so."""
    known = book.variables.loc[book.variables.index.intersection(list(questions)), ["low", "high"]].apply(pd.to_numeric)
    return (float(known["low"].min()), float(known["high"].max())) if len(known) else (1.0, None)


def offered(study: Study, deal: Agreement, place: int, flat_dh: float) -> dict[str, Any]:
    """One agreement: its terms before and after, whom it is open to, what is said of it, and whether it is known.

    ``most_dh`` is the price of a home up to which an agreement on the social flat is one, or the largest amount of a
    consumer loan; none where there is no limit.
    """
    lines = plan.stated().set_index("agreement")
    known = str(lines.at[deal.agreement, "kind"])
    kind = study.text(f"evidence.{known}")
    value = amount(deal.value, "share" if deal.term in SHARES else "dh", study.language,
                   "" if deal.term in SHARES else study.codebook.forms("dh", study.language))  # fmt: skip
    consumer = min(Terms.named(name).loan_most_dh for name in loans.TERMS.values())
    most = {"flat": flat_dh, "consumer_loan": min(consumer, deal.ceiling_dh)}.get(deal.product, INF)
    return {
        **{name: getattr(deal, name) for name in ("product", "term", "value", "who", "where")},
        "place": place,
        "agreed": known == "reported",
        "name": label(study, "partner_agreement", deal.agreement),
        "said": study.text(f"my_figures.term.{deal.term}", value=value, kind=kind),
        "open": {
            list_: listed(study, [label(study, list_, code) for code in codes])
            for list_, codes in (("status", deal.who), ("command_group", deal.where))
        },
        "most_dh": finite(most),
        "terms": {
            side: {of: {name: finite(x) for name, x in asdict(terms).items()} for of, terms in both.items()}
            for side, both in terms_of(deal).items()
        },
    }


def terms_of(deal: Agreement) -> dict[str, dict[str, Terms]]:
    """The terms of a loan before and after an agreement, of the active and of the others; empty where nothing is lent.

    A consumer loan of the others is deducted from a pension (`loans.pensioners`); the number of loans limits these.
    """
    if deal.product == "consumer_loan":
        market, own = (Terms.named(loans.TERMS[product]) for product in (plan.MARKET, plan.OWN))
        pairs = dict(zip(SIDES, ((plan.MARKET, market), (plan.OWN, deal.terms(own))), strict=True))
        return {
            side: {"active": replace(terms, files_most_n=INF), "others": loans.pensioners(terms, product)}
            for side, (product, terms) in pairs.items()
        }
    bank = Terms.named(plan.BANK)
    return {} if deal.product == "rail" else {
        side: {"active": terms, "others": terms} for side, terms in zip(SIDES, (bank, deal.terms(bank)), strict=True)
    }  # fmt: skip


def finite(x: float) -> float | None:
    """A number for the script; none where there is no limit."""
    return float(x) if np.isfinite(x) else None
