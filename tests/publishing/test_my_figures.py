"""The page of a member's own figures: its script and the library say the same, and nothing of the survey is on it."""

import base64
import hashlib
import json
import re

import dukpy
import numpy as np
import pandas as pd
import pytest
from books import BOOK
from nbformat.v4 import new_code_cell, new_notebook, new_output
from wording import Wording

from welfare_analysis.demand import credit
from welfare_analysis.demand.credit import Terms
from welfare_analysis.planning import agreements as plan
from welfare_analysis.publishing import my_figures
from welfare_analysis.publishing.report import SITE, render
from welfare_analysis.study import DATA, Study
from welfare_analysis.survey.codebook import LANGUAGES, Codebook
from welfare_analysis.survey.reading import typed

SCRIPT = (SITE / "my_figures.js").read_text(encoding="utf-8")
PRICES = (60_000.0, 140_000.0, 200_000.0, 249_000.0, 250_000.0, 400_000.0, 1_200_000.0)
MANY = 10_000
OURS = pd.DataFrame([
    {"agreement": "our bank", "product": "home_loan", "term": "rate", "value": 0.038, "ceiling_dh": 180_000,
     "term_months": 150, "who": "active|retired", "where": "east|north"},
    {"agreement": "our credit", "product": "consumer_loan", "term": "rate", "value": 0.055, "ceiling_dh": 45_000,
     "who": "widow|orphan"},
    {"agreement": "our builder", "product": "flat", "term": "discount", "value": 0.12},
    {"agreement": "our aid", "product": "flat", "term": "grant", "value": 40_000, "where": "east"},
]).reindex(columns=pd.read_csv(DATA / "public" / "agreements.csv").columns).assign(
    partner_type="bank", kind="reported", source="the contract")  # fmt: skip


@pytest.fixture
def ours(tmp_path, monkeypatch):
    """Agreements of one's own, with terms of every kind: AGREEMENTS names them."""
    OURS.to_csv(tmp_path / "ours.csv", index=False)
    monkeypatch.setenv("AGREEMENTS", str(tmp_path / "ours.csv"))


def study_in(language, book=BOOK):
    """What the page needs of a study: words alone."""
    return Wording(codebook=book, language=language, languages=("en",))


def households(rng):
    """Random households of every status, as the page asks and as the form does."""
    n = MANY

    def some(low, high, zero=0.0):
        return np.where(rng.random(n) < zero, 0.0, np.round(rng.uniform(low, high, n)))

    own = pd.DataFrame({
        "status": rng.choice(BOOK.codes("status"), n, p=[0.55, 0.2, 0.15, 0.1]),
        "place": rng.choice(BOOK.codes("command_group"), n),
        "age": rng.integers(10, 85, n).astype(float),
        "income": some(500, 16_000), "service": some(0, 2500, 0.5), "savings": some(0, 400_000, 0.3),
        "owns": rng.choice(["yes", "no"], n, p=[0.2, 0.8]), "price": rng.choice(PRICES, n),
        "amount": some(2000, 320_000), "months": some(3, 120), "files": rng.integers(0, 6, n).astype(float),
        "late": rng.choice(["yes", "no"], n, p=[0.15, 0.85]), "trains": some(100, 5000),
    })  # fmt: skip
    active, places = own["status"].eq("active"), BOOK.parent("command")
    of_group = {group: command for command, group in places.items()}
    answers = pd.DataFrame({
        "status": own["status"], "age": own["age"], "command": own["place"].map(of_group), "wants_home": "yes",
        "tenure": own["owns"].map({"yes": "owner", "no": "tenant"}),
        "net_pay_dh": own["income"].where(active), "pension_dh": own["income"].where(~active),
        "has_loan": "yes", "consumer_deduction_dh": own["service"], "housing_deduction_dh": 0.0,
        "savings_dh": own["savings"],
        "loans_n": own["files"], "arrears": own["late"], "wants_loan": "yes", "loan_purpose": "car",
        "loan_amount_dh": own["amount"], "loan_term_months": own["months"], "intercity_mode": "train",
        "intercity_trips_n": 1.0, "intercity_cost_dh": own["trains"],
    })  # fmt: skip
    return own, Study.of(typed(answers, BOOK), None, None, BOOK)


def offers_at(study, deal, prices):
    """`plan.offer` with each household's own price of the home, put together from one offer a price."""
    if deal.product not in ("home_loan", "flat"):
        made = plan.offer(study, deal)
        return made.stops, made.sides, made.reason
    market, parts = plan.homes(study), []
    for price in PRICES:
        study.results[plan.homes, ()] = market.at(offers={plan.FLAT: {"price_dh": price}})
        made, rows = plan.offer(study, deal), prices.eq(price).to_numpy()
        parts.append((made.stops[rows], made.sides[rows], made.reason[rows]))
    del study.results[plan.homes, ()]
    return tuple(pd.concat(part).loc[study.design.index] for part in zip(*parts, strict=True))


def run(page, own, call):
    """What the script makes of households."""
    given = f"var page = {json.dumps(page)}, people = {own.to_json(orient='records', double_precision=15)};"
    return json.loads(dukpy.evaljs([SCRIPT, given, f"JSON.stringify({call})"]))


def test_the_script_computes_what_the_library_does(ours):
    """10,000 random households of every status: each reason, instalment, total, its worth today and largest loan.

    The reference is `planning.agreements.offer` and, for the highest price, `credit.affordable_price_dh`.
    """
    own, study = households(np.random.default_rng(17))
    page, deals = my_figures.contents(study_in("en")), plan.agreements(BOOK)
    call = "people.map(function (one) { return page.offers.map(function (offer) {"
    call += "var f = SUMS[offer.product](page, offer, one); return [f.before, f.after, f.stops]; }); })"
    found = run(page, own, call)
    assert len(found) == MANY
    capacity = run(page, own, "people.map(function (one) { return capacity(page.rules, one); })")
    np.testing.assert_allclose(capacity, credit.capacity_dh(study.frame), atol=1e-9)
    seen = set()
    for place, (name, deal) in enumerate(deals.items()):
        stops, sides, reason = offers_at(study, deal, own["price"])
        assert page["offers"][place]["name"] == my_figures.label(study_in("en"), "partner_agreement", name)
        for code in stops:
            held = pd.Series([code in person[place][2] for person in found], stops.index)
            known = stops[code].notna() & (code != "not_wanted")
            if code in ("files", "arrears"):  # there the library counts who is too old or too young along
                earlier = [x for x in ("minor", "age_limit", "files") if x != code]
                known &= ~stops[earlier].any(axis=1)
            if code in ("pay_left", "pay_share"):  # over no month no instalment is carried: too old, and not too dear
                known &= sides["instalment_after"].notna()
            assert (held == stops[code])[known].all(), (name, code)
            seen |= {code} if held.any() else set()
        first = [next((code for code in stops if code in person[place][2]), plan.USES) for person in found]
        assert (reason == first)[reason.notna()].all()
        assert reason.notna().mean() > 0.9
        for i, side in enumerate(plan.SIDES):
            for kind, key in {"instalment": "monthly"}.items() | {(x, x) for x in ("total", "present", "most")}:
                if f"{kind}_{side}" not in sides or key not in found[0][place][i]:
                    continue
                numbers = np.array([person[place][i][key] for person in found], float)
                expected = sides[f"{kind}_{side}"].to_numpy(float)
                known = ~np.isnan(expected)
                assert known.mean() > 0.5
                np.testing.assert_allclose(numbers[known], expected[known], rtol=1e-9, atol=1e-6)
            if deal.product in ("home_loan", "flat"):
                terms = (Terms.named(plan.BANK), deal.terms(Terms.named(plan.BANK)))[i]
                reach = [person[place][i]["reach"] for person in found]
                np.testing.assert_allclose(reach, credit.affordable_price_dh(study.frame, terms), rtol=1e-9, atol=1e-6)
        usable = stops.drop(columns="not_wanted", errors="ignore").eq(False).all(axis=1)
        assert usable.any(), name
    assert seen == {"status", "command_group", "minor", "owns", "age_limit", "files", "arrears", "savings", "ceiling",
                    "pay_left", "pay_share"}  # fmt: skip


def test_what_is_missing_is_enough():
    """With so much more in savings or pay as is said to be missing, that reason is gone; with less it is not."""
    page = my_figures.contents(study_in("en"))
    one = {"status": "active", "age": 30, "income": 4500, "service": 0, "savings": 3000, "price": 250_000, "owns": "no"}

    def stops(**changed):
        return run(page, pd.DataFrame([one | changed]), "home(page, page.offers[0], people[0]).stops")

    short = stops()["savings"]
    assert short == pytest.approx(0.06 * 250_000 - 3000)  # 6 % of fees, nothing paid down
    assert "savings" not in stops(savings=3000 + short)
    assert "savings" in stops(savings=3000 + short - 1)
    dear = stops(price=500_000, savings=40_000)["pay_share"]
    assert "pay_share" not in stops(price=500_000, savings=40_000, income=4500 + dear / 0.4 + 0.01)


def test_an_agreement_on_the_flat_is_for_no_dearer_home():
    """A home above the price of the social flat is none: the agreement says up to which price it is about one."""
    page = my_figures.contents(study_in("en"))
    place = next(i for i, offer in enumerate(page["offers"]) if offer["product"] == "flat")
    one = {"status": "active", "age": 30, "income": 90_000, "service": 0, "savings": 300_000, "owns": "no"}
    people = pd.DataFrame([one | {"price": price} for price in (250_000, 250_001)])
    found = run(page, people, f"people.map(function (one) {{ return home(page, page.offers[{place}], one).stops; }})")
    assert found == [{}, {"dearer": 250_000}]


@pytest.mark.parametrize(
    ("text", "number"),
    [("4000", 4000), ("4 000", 4000), ("4.000", 4000), ("4,000", 4000), ("4\u202f000,5", 4000.5), ("0", 0), ("-5", -5),
     ("٤٠٠٠", 4000), ("٤٬٠٠٠", 4000), ("1,250,000", 1_250_000), ("4,5", 4.5), ("abc", None), ("4-5", None),
     ("1e5", None)],
)  # fmt: skip
def test_numbers_are_read_as_people_write_them(text, number):
    """With any mark or space between thousands, in Arabic digits too; what is no number is not read as one."""
    assert json.loads(dukpy.evaljs([SCRIPT, f"JSON.stringify(read({json.dumps(text)}))"])) == number


GIVEN = {"status": "retired", "age": "62", "income": "3,500", "service": "0", "savings": "20000", "owns": "no",
         "price": "250,000", "amount": "", "months": "", "files": "", "late": "no", "trains": ""}  # fmt: skip


@pytest.mark.parametrize(
    ("changed", "wrong"),
    [({}, {}), ({"age": ""}, {"age": "empty"}), ({"income": "-1"}, {"income": "range"}),
     ({"income": "much"}, {"income": "number"}), ({"service": "4000"}, {"service": "service"}),
     ({"age": "3"}, {"age": "range"}), ({"price": "0"}, {"price": "range"}), ({"amount": "-5"}, {"amount": "range"}),
     ({"savings": "", "price": ""}, {"savings": "empty", "price": "empty"})],
)  # fmt: skip
def test_what_cannot_be_is_said(changed, wrong):
    """Empty, negative, no number, beyond the limits of the form, more deducted than earned; in each language."""
    for language in LANGUAGES:
        page = my_figures.contents(study_in(language))
        given = f"var page = {json.dumps(page)}, given = {json.dumps(GIVEN | changed)};"
        found = json.loads(dukpy.evaljs([SCRIPT, given, "JSON.stringify(understood(page, given))"]))
        assert found["wrong"] == wrong
        assert all(page["words"][f"error.{key}"] for key in wrong.values())
        if not wrong:
            assert found["person"]["income"] == 3500
            assert found["person"]["amount"] is None
            assert found["person"]["files"] == 0


def test_arabic_amounts_agree_with_their_last_two_digits():
    """Digits are Western; three to ten have the plural, eleven to ninety-nine the accusative."""
    page = my_figures.contents(study_in("ar"))
    given = f"var page = {json.dumps(page)};"
    call = "JSON.stringify([1005, 250000, 1234.4].map(function (x) { return money(x, page); }))"
    found = json.loads(dukpy.evaljs([SCRIPT, given, call]))
    assert found == ["1.005\u00a0دراهم", "250.000\u00a0درهم", "1.234\u00a0درهمًا"]


def written(tmp_path, book=BOOK):
    """The site of a notebook that hands the page on, in three languages."""
    handed = {one: {"my_figures": my_figures.contents(study_in(one, book))} for one in LANGUAGES}
    outputs = [
        new_output("display_data", data={"text/markdown": "[x](my_figures.html)"},
                   metadata={"language": one, "text/markdown": handed[one]})
        for one in LANGUAGES
    ]  # fmt: skip
    render({"10_deals": new_notebook(cells=[new_code_cell("x", outputs=outputs)])}, tmp_path)
    return {one: tmp_path / one / my_figures.HREF for one in LANGUAGES}


def test_nothing_leaves_the_page_and_every_field_has_a_name(ours, tmp_path):
    """Its policy lets this script run alone and nothing be fetched or kept; it promises nothing."""
    for language, path in written(tmp_path).items():
        text = path.read_text(encoding="utf-8")
        policy = re.search(r'Content-Security-Policy" content="([^"]+)"', text)[1]
        script = re.search(r"<script>(.*?)</script>", text, re.DOTALL)[1]
        own = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        assert {"default-src 'none'", "connect-src 'none'", f"script-src 'sha256-{own}'"} <= set(policy.split("; "))
        assert not re.search(
            r"https?:|fetch\(|XMLHttp|WebSocket|sendBeacon|localStorage|sessionStorage|cookie|src=", text
        )
        names = re.findall(r'<(?:input type="text"[^>]*|select) id="([^"]+)"', text)
        assert set(names) == {field for group in my_figures.GROUPS.values() for field in group}
        for name in names:
            assert f'<label for="{name}">' in text
            assert f'aria-describedby="wrong-{name}"' in text
        assert 'autocomplete="off"' in text
        assert 'aria-live="polite"' in text
        for key in ("promise", "private", "minor"):
            assert BOOK.text(f"my_figures.{key}", language, age="{age}") in text
        assert "our bank" in text  # of AGREEMENTS
        assert f'href="{my_figures.HREF}"' in path.with_name("10_deals.html").read_text(encoding="utf-8")


def test_the_region_is_asked_where_an_agreement_depends_on_it(ours, monkeypatch):
    """Without such an agreement the page does not ask it."""
    asked = {field["id"] for group in my_figures.contents(study_in("en"))["groups"] for field in group["fields"]}
    assert "place" in asked
    monkeypatch.delenv("AGREEMENTS")
    assert {field["id"] for group in my_figures.contents(study_in("en"))["groups"] for field in group["fields"]} == (
        asked - {"place"}
    )


def test_another_institution_has_its_words_and_the_terms_say_whose_they_are(monkeypatch, tmp_path):
    """The hospitals: their statuses and currency; terms that they took over are said to be those of the example."""
    folder = DATA / "examples" / "hospital"
    monkeypatch.setenv("CODEBOOK", str(folder))
    book = Codebook.read(folder)
    for language, path in written(tmp_path, book).items():
        text = path.read_text(encoding="utf-8")
        assert book.text("source.inherited", language) in text
        assert book.label("status", "survivor", language) in text
        assert "Foundation" not in text
    assert '"other": "TND"' in path.parent.with_name("en").joinpath(my_figures.HREF).read_text(encoding="utf-8")
