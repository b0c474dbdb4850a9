"""Grids of what-ifs: their base is what the pages say, and what the page says of its own error is so."""

from itertools import product

import pytest
from books import BOOK

from welfare_analysis.demand.credit import Terms
from welfare_analysis.demand.service import Service
from welfare_analysis.errors import WelfareError
from welfare_analysis.results import TOPICS, release
from welfare_analysis.results.loans import loan_market
from welfare_analysis.results.what_if import GRIDS, POINTS, axes, base, code, error, homes_at, interpolated
from welfare_analysis.study import DATA, Study, public
from welfare_analysis.survey.reading import typed
from welfare_analysis.survey.standin import Parameters, generate


@pytest.fixture(scope="module")
def study():
    world = generate(Parameters.read(DATA / "public"), 12, "plain", size=5000)
    return Study.of(*(typed(f, BOOK) for f in (world.answers, world.register, world.followup)), BOOK, is_standin=True)


def test_the_base_is_on_the_terms_of_the_pages(study):
    """The point that is marked as base is what the files of terms and offers say: nothing is typed twice unseen."""
    offers = public("home_offers").set_index(["alternative", "attribute"])["value"]
    terms, service = Terms.named("housing_foundation"), Service.named()
    assert base("homes") == {
        "rate": terms.rate,
        "months": terms.months,
        "price_dh": float(offers["social_flat", "price_dh"]),
        "grant_dh": terms.grant_dh,
    }
    assert base("loans") == {"rate": study.result(loan_market).terms["foundation"].rate}
    assert base("transport") == {"cost_dh": service.cost_dh, "headway_min": service.headway_min}
    assert set(POINTS["service"]) == set(GRIDS)


def test_at_the_base_homes_are_those_of_the_page(study):
    """The same number, interval and unit as the central case of page 06, at whose terms no state pays a grant."""
    grid, page = release(study)["homes_grid"], release(study)["homes_cases"]
    own, said = grid.cell(*map(code, base("homes").values()), "homes"), page.cell("central", "bought")
    assert list(own[["estimate", "low", "high", "step"]]) == list(said[["estimate", "low", "high", "step"]])


def test_a_cost_is_the_grant_of_every_home_at_the_rate_of_the_banks(study):
    """At the banks' rate nothing is paid for interest: cost = grant x homes, an identity."""
    at = base("homes") | {"rate": Terms.named("housing_bank").rate, "grant_dh": 40_000.0}
    rows = GRIDS["homes"].rows(homes_at(study, at)).set_index("measure")["estimate"]
    assert rows["cost"] == pytest.approx(40_000 * rows["homes"], rel=1e-9)


def test_the_error_at_the_middles_is_what_the_page_says(study):
    """The released share is the largest relative difference, found here again with a loop of its own."""
    topic, on, home = TOPICS["loans"], axes("loans"), base("loans")
    cells = topic.release(study)["loans_grid"].cells("*", "loans")
    off = []
    for low, high in zip(on["rate"], on["rate"][1:], strict=False):
        if home["rate"] in (low, high):
            middle = {"rate": (low + high) / 2}
            rows = GRIDS["loans"].rows(GRIDS["loans"].at(study, middle)).set_index("measure")["estimate"]
            off.append(abs(interpolated(cells, on, middle)["estimate"] - rows["loans"]) / rows["loans"])
    made = error(study, study.result(topic.subject), "loans")
    assert made["estimate"].iloc[0] == pytest.approx(max(off), rel=1e-9)
    assert 0 < max(off) < 0.2


def test_between_two_points_numbers_lie_between_theirs(study):
    """Weights are positive and add to one; outside the grid nothing is said."""
    on = axes("loans")
    cells = release(study)["loans_grid"].cells("*", "loans").set_index("rate")
    for (low, high), part in product(zip(on["rate"], on["rate"][1:], strict=False), (0.2, 0.5, 0.9)):
        said = interpolated(cells.reset_index(), on, {"rate": low + part * (high - low)})
        ends = sorted(cells.loc[[code(low), code(high)], "estimate"])
        assert ends[0] - said["step"] <= said["estimate"] <= ends[1] + said["step"]
    with pytest.raises(WelfareError, match="outside the grid"):
        interpolated(cells.reset_index(), on, {"rate": 0.2})
