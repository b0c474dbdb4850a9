"""What goes with conditions, everything else equal."""

import re

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from books import BOOK

from welfare_analysis.disclosure import CATEGORY, NUMBERS
from welfare_analysis.needs import factors
from welfare_analysis.needs.conditions import BLOCKS, NO_FACTORS, PLACE, TENURE_BY, TOO_FEW
from welfare_analysis.publishing import figures, labels, say, show
from welfare_analysis.results import HEADLINES, TOPICS, adjusted, release
from welfare_analysis.study import DATA, Study
from welfare_analysis.survey.codebook import LANGUAGES
from welfare_analysis.survey.reading import typed
from welfare_analysis.survey.standin import Parameters, generate

FACTORS = ["rank_group", "command_group", "family_type", "earners_class", "staff_age"]


@pytest.fixture(scope="module")
def frames():
    world = generate(Parameters.read(DATA / "public"), 12, "plain", size=5000)
    return [typed(f, BOOK) for f in (world.answers, world.register, world.followup)]


@pytest.fixture(scope="module")
def study(frames):
    """Forms and a follow-up: weights that differ, and forms that are certain."""
    return Study.of(*frames, BOOK, is_standin=True)


@pytest.fixture(scope="module")
def alone(frames):
    """The forms alone, each with a weight of one."""
    return Study.of(frames[0], None, None, BOOK)


def of(frames, **columns):
    """A study of the forms alone with other columns; None drops one."""
    kept = frames[0].drop(columns=[c for c, v in columns.items() if v is None])
    return Study.of(kept.assign(**{c: v for c, v in columns.items() if v is not None}), None, None, BOOK)


def said(study):
    """All that the section says."""
    tables = [show(study, name).data for name in TOPICS["adjusted"].names]
    return " ".join([say(study, "adjusted.people").data, say(study, "adjusted.findings").data, *tables])


def constant(x):
    """The columns with a constant, whatever else does not vary."""
    return sm.add_constant(x, has_constant="add")


@pytest.fixture(scope="module")
def plain(alone):
    """Columns of the model of crowding as dummies, its outcome, and statsmodels' fit."""
    people, name = adjusted.models(alone).staff, "crowded"
    frame = people.frame[people.inside & people.frame[name].notna()]
    x = pd.get_dummies(frame[FACTORS], drop_first=True).astype(float)
    return x, sm.Logit(frame[name].astype(float), sm.add_constant(x)).fit(disp=0, tol=1e-12)


def test_effects_are_statsmodels(alone, plain):
    """At weights of one: a factor of two levels as `get_margeff`, the others as mean predictions at each level."""
    x, fit = plain
    found = (
        alone.result(adjusted.all_effects).query("condition == 'crowded'").set_index(["factor", "level"])["estimate"]
    )
    theirs = fit.get_margeff(dummy=True).summary_frame()["dy/dx"]
    assert found["earners_class", "two_over"] == pytest.approx(theirs["earners_class_two_over"], rel=1e-6)
    for factor in FACTORS:
        own = [c for c in x if c.startswith(f"{factor}_")]
        at_reference = fit.predict(constant(x.assign(**dict.fromkeys(own, 0.0)))).mean()
        for column in own:
            level = (factor, column.removeprefix(f"{factor}_"))
            moved = x.assign(**dict.fromkeys(own, 0.0) | {column: 1.0})
            gap = fit.predict(constant(moved)).mean() - at_reference
            assert np.isnan(found[level]) or found[level] == pytest.approx(gap, abs=1e-8)
    assert found.notna().sum() > 10


def test_block_tests_are_likelihood_ratios(alone, plain):
    """F times the sum of design effects is the ratio of the likelihoods; in a simple sample the effects are about 1."""
    x, fit = plain
    row = alone.result(adjusted.block_tests).set_index(["condition", "adjusted_block"]).loc[("crowded", "family")]
    own = [c for c in x if c.startswith(("family_type_", "earners_class_"))]
    smaller = sm.Logit(fit.model.endog, sm.add_constant(x.drop(columns=own))).fit(disp=0, tol=1e-12)
    assert row["F"] * row["effect"] * len(own) == pytest.approx(2 * (fit.llf - smaller.llf), rel=1e-6)
    assert row["effect"] == pytest.approx(1, abs=0.15)
    ratio = 2 * (fit.llf - smaller.llf)
    assert row["aic_more"] == pytest.approx(ratio - 2 * len(own), abs=0.05 * ratio)
    assert row["aic_more"] > 0
    b, v = fit.params[own], fit.cov_params().loc[own, own]
    W = b @ np.linalg.solve(v, b)
    assert row["bic_more"] == pytest.approx(W - len(own) * np.log(len(x)), abs=0.05 * W)


@pytest.mark.parametrize("committed", [False, True])
def test_clear_is_holm_behind_the_test_of_the_block(study, committed):
    """An effect is clear where its p times the tests not yet found stays below 5 %, for all conditions together.

    And only in a block that adds to the others: else a page says that no difference is seen, and marks one.
    """
    one = Study.open() if committed else study
    found, blocks = one.result(adjusted.all_effects), one.result(adjusted.block_tests)
    p = found["p"].dropna().sort_values()
    steps = (p * np.arange(len(p), 0, -1)).cummax()
    adds = blocks[blocks["p"] < 0.05]
    gates = {(c, factor) for c, block in adds[["condition", "adjusted_block"]].to_numpy() for factor in BLOCKS[block]}
    behind = [pair in gates for pair in zip(found["condition"], found["factor"], strict=True)]
    assert set(found.index[found["clear"]]) == set(steps.index[steps < 0.05]) & set(found.index[behind])
    inside = (found["low"] <= 0) & (found["high"] >= 0)
    assert not (found["clear"] & inside).any()


def test_with_place_alone_nothing_is_adjusted(frames):
    """Where place is the only factor, adjusted shares are the raw ones and all of the differences stays."""
    study = of(frames, rank=None, marital_status=None, earners_n=None, age=None)
    assert list(adjusted.models(study).staff.factors) == [PLACE]
    made = release(study)
    wide = made["adjusted_place"].shown.pivot(index=[PLACE, CATEGORY], columns="adjustment", values="estimate")
    np.testing.assert_allclose(wide["adjusted"], wide["raw"], atol=2e-6)
    np.testing.assert_allclose(made["adjusted_kept"].shown["estimate"], 1, atol=1e-5)


def test_what_stays_is_a_slope(alone):
    """The usual differences are the deviations of the places' shares, and what stays the slope of one on the other."""
    made = release(alone)
    shares = made["adjusted_place"].frame.pivot(index=[CATEGORY, PLACE], columns="adjustment", values="estimate")
    kept = made["adjusted_kept"].frame.set_index("condition")["estimate"]
    spread = made["adjusted_spread"].frame.set_index(["condition", CATEGORY])["estimate"]
    shown = [name for name in kept.index if shares.loc[name].notna().all(axis=None)]
    assert shown
    for name in shown:
        own = shares.loc[name] - shares.loc[name].mean()
        assert kept[name] == pytest.approx(np.polyfit(own["raw"], own["adjusted"], 1)[0], abs=1e-4)
        for view in ("raw", "adjusted"):
            assert spread[name, view] == pytest.approx(own[view].std(ddof=0), abs=2e-6)


def test_no_category_of_tenure_is_hidden_alone(frames):
    """Where few of a level are in a category, another of the level goes with it, for all add up to zero."""
    family, tenure = factors.family_type(frames[0]), frames[0]["tenure"].astype(object)
    few = family.eq("couple") & tenure.eq("family") & frames[0]["status"].eq("active")
    study = of(frames, tenure=tenure.mask(few & (few.cumsum() > 5), "owner"))
    frame = release(study)["adjusted_tenure_by_family_type"].frame
    own = frame[frame["family_type"] == "couple"].set_index(CATEGORY)["flag"]
    assert own["family"] == "hidden"
    assert own.eq("hidden").sum() == 2


def test_tenure_adds_to_zero(alone):
    """Effects on the categories of tenure add up to zero; no single one of a level is hidden."""
    for factor in TENURE_BY:
        frame = release(alone)[f"adjusted_tenure_by_{factor}"].frame
        wide = frame.pivot(index=factor, columns=CATEGORY, values="estimate")
        whole = wide.dropna()
        np.testing.assert_allclose(whole.sum(axis=1), 0, atol=1e-5)
        assert len(whole) or factor == "rank_group"
        assert (wide.isna().sum(axis=1) != 1).all()


def test_levels_of_few_are_not_told(study, alone):
    """No number is shown of a level of which, or of whose reference, few meet the condition or few were sampled."""
    for each in (study, alone):
        found = each.result(adjusted.all_effects)
        people = adjusted.models(each).staff
        rows = found.assign(first=found["factor"].map({f: levels[0] for f, levels in people.factors.items()}))
        fits = {name: model.fit.rows for name, model in adjusted.models(each).fitted.items()}
        for row in rows.itertuples():
            in_fit = people.frame[fits[row.condition]]
            for level in (row.level, row.first):
                cell = in_fit[in_fit[row.factor] == level]
                counts = cell[row.condition].value_counts().reindex([False, True], fill_value=0)
                sampled = cell.loc[people.sampled[cell.index], row.condition].value_counts()
                safe = len(cell) >= 30 and counts.min() >= 10
                sure = sampled.reindex([False, True], fill_value=0).min() >= adjusted.SAMPLED
                assert np.isnan(row.estimate) or (safe and sure)
    hidden = alone.result(adjusted.all_effects).query("hidden")
    assert len(hidden)
    assert study.result(adjusted.all_effects)["unsure"].any()
    frame = release(alone)["adjusted_rank_group"].frame
    assert frame.loc[frame["flag"] == "hidden", [*NUMBERS, "n"]].isna().all(axis=None)


def test_a_few_more_cases_are_told(frames, alone):
    """Rank with fewer than 30 in a level goes into its wider group of the codebook; who has none is not in a model."""
    rank = frames[0]["rank"].astype(object)
    top = BOOK.parent("rank")
    senior = rank.map(top).eq("senior") & frames[0]["status"].eq("active")
    some = rank.mask(senior & (senior.cumsum() > 20), "officier_paix")
    levels = adjusted.models(of(frames, rank=some)).staff.factors["rank_group"]
    assert levels == ["guards", "inspectors", "officers_up"]
    assert adjusted.models(alone).staff.factors["rank_group"] == ["guards", "inspectors", "officers", "senior"]


def test_what_was_not_asked_is_said(frames):
    """A condition without its block, a study without factors, one without staff: a sentence each, the rest runs."""
    housing = of(frames, net_pay_dh=None)
    states = {name: model.state for name, model in adjusted.models(housing).conditions.items()}
    assert states["cost_burdened"] == states["over_debt_limit"] == "not_asked"
    assert states["tenant"] == states["crowded"] == "shown"
    text = said(housing)
    assert BOOK.text("not_asked") in text
    assert f"**{labels.title('over_debt_limit', housing)}**: {BOOK.text('not_asked')}" in text
    bare = Study.of(frames[0][["status", "tenure"]], None, None, BOOK)
    assert BOOK.text(NO_FACTORS) in said(bare)
    assert {release(bare)[name].state for name in TOPICS["adjusted"].names} == {NO_FACTORS}
    retired = Study.of(frames[0][frames[0]["status"] != "active"], None, None, BOOK)
    assert BOOK.text(NO_FACTORS) in said(retired)


def test_too_few_cases_are_said(frames, alone):
    """Of rare conditions, of what all share, and of a level that tells it alone there is no model, and no error."""
    assert adjusted.models(alone).conditions["over_debt_limit"].state == TOO_FEW
    owners = of(frames, tenure="owner")
    assert adjusted.models(owners).conditions["tenant"].state == TOO_FEW
    assert adjusted.models(owners).tenure.state == TOO_FEW
    guards = frames[0]["rank"].map(BOOK.parent("rank")).eq("guards")
    apart = of(frames, tenure=frames[0]["tenure"].astype(object).mask(guards, "tenant").mask(~guards, "owner"))
    assert adjusted.models(apart).conditions["tenant"].state == TOO_FEW
    for each in (owners, apart):
        assert BOOK.text(TOO_FEW) in said(each)
        assert f"**{labels.title('tenant', each)}**: {BOOK.text(TOO_FEW)}" in said(each)


def test_sentences_tell_the_table(alone):
    """The largest clear difference of all is told first, that of the table with its sign; blocks tell their tests."""
    found = alone.result(adjusted.all_effects).query("clear")
    first = found.loc[found["estimate"].abs().idxmax()]
    line = say(alone, "adjusted.findings").data.split("\n")[0]
    assert labels.title(first["condition"], alone) in line
    assert labels.label(alone, first["factor"], first["level"]) in line
    assert f"{100 * abs(first['estimate']):.1f}" in line
    assert (") more than " if first["estimate"] > 0 else ") less than ") in line
    row = alone.result(adjusted.block_tests).query("adjusted_block == 'age' and p < 0.05")["condition"]
    says = next(x for x in say(alone, "adjusted.findings").data.split("\n") if x.startswith("- **With age"))
    assert [n for n in HEADLINES if BOOK.text(f"short.{n}") in says] == list(row)


def test_the_section_speaks_in_three_languages(study, alone):
    """All tables and sentences, and the figure with its words, come in each language without a gap."""
    for each, language in ((study, "ar"), *((alone, code) for code in LANGUAGES)):
        local = each.in_language(language)
        text = said(local)
        assert not re.search(r"\bnan\b|\bNone\b|\{", text)
        made = release(local)
        for factor in adjusted.models(local).staff.factors:
            assert labels.label(local, "adjusted_factor", factor) in text
            assert labels.title("tenant", local) in show(local, made[f"adjusted_{factor}"]).data
        with matplotlib.rc_context(figures.STYLE):
            figure, shown = figures.picture(local, "adjusted_place")
        assert figures.alt_text("adjusted_place", shown, local).startswith(figure.get_suptitle().replace("\n", " "))
        plt.close("all")


def test_no_cause_is_told():
    """The texts of the section speak of what goes with a condition, not of causes."""
    texts = pd.read_csv(DATA / "codebook" / "texts.csv").set_index("key")
    own = texts[texts.index.str.match(r"adjusted\.|title\.adjusted")].agg(" ".join, axis=1).str.lower()
    assert len(own) > 20
    assert not own.str.contains("cause|because|due to|impact|raison|entraîne|بسبب|يؤدي").any()
