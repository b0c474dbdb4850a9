"""What members hope for, and what comes first, as it is published."""

import re
from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from books import BOOK
from scipy import stats

from welfare_analysis.disclosure import CATEGORY, policy
from welfare_analysis.estimation import Design, contrast, share
from welfare_analysis.needs.aspirations import HOPES
from welfare_analysis.needs.factors import merged
from welfare_analysis.needs.hopes import PAIRS
from welfare_analysis.publishing import figures, findings, say, show
from welfare_analysis.publishing.labels import title
from welfare_analysis.results import TOPICS, aspirations, priorities, release
from welfare_analysis.study import DATA, Study
from welfare_analysis.survey.codebook import LANGUAGES
from welfare_analysis.survey.reading import typed
from welfare_analysis.survey.standin import Parameters, generate

NUMBERS = ["estimate", "low", "high"]
NAN = re.compile(r"\bnan\b")
RULES = policy()
NAMES = [name for topic in ("hopes", *priorities.RANKINGS) for name in TOPICS[topic].names]
FIGURES = [name for name in figures.FIGURES if name.startswith(("hopes_", "priority_", "health_rank_"))]


@pytest.fixture(scope="module")
def world():
    return generate(Parameters.read(DATA / "public"), 23, "plain", size=5000)


def opened(world, columns=None, rows=None):
    """The study of a world, or of some columns and rows of its answers without a register."""
    if columns is None:
        frames = [typed(f, BOOK) for f in (world.answers, world.register, world.followup)]
        return Study.of(*frames, BOOK, is_standin=True)
    part = world.answers.iloc[slice(rows)]
    return Study.of(typed(part[[c for c in columns if c in part]], BOOK), None, None, BOOK)


@pytest.fixture(scope="module")
def study(world):
    return opened(world)


@pytest.fixture(scope="module")
def shown(study):
    return release(study)


def test_every_table_has_numbers_inside_their_intervals(shown):
    """All tables are shown, their cells inside the intervals and those of shares inside 0 and 1; people by tens."""
    for name in NAMES:
        table = shown[name]
        cells = table.shown
        if name == "hopes_apart_by_rank_group":  # ranks hope alike in the generator but for one service
            assert table.state in ("shown", "hopes.none_unequal")
            continue
        assert table.state == "shown", name
        assert len(cells), name
        assert ((cells["low"] <= cells["estimate"]) & (cells["estimate"] <= cells["high"])).all(), name
        assert (cells["n"] >= RULES.min_base).all(), name
        if table.unit == "share" and "unit" not in cells:
            assert cells[NUMBERS].stack().between(0, 1).all(), name
        assert table.frame.loc[table.frame["flag"].isin(["hidden", "unsure"]), NUMBERS].isna().all(axis=None), name
    people = shown["hopes_total"].shown
    np.testing.assert_allclose(people[NUMBERS] % RULES.step("persons"), 0)
    assert set(people["hope"]) == set(HOPES)


def test_numbers_are_those_of_the_estimators(study, shown):
    """Independent computation: a share, a number of members and a difference are those asked for one at a time."""
    frame = study.frame
    for name, where in (("rail", None), ("shuttle", frame["status"] == "active")):
        column = frame[f"transport_wish_{name}"]
        rows = column.notna() if where is None else column.notna() & where
        one = share(study.design, column.eq("yes"), where=rows).bounded().iloc[0]
        np.testing.assert_allclose(
            shown["hopes"].cell(name)[NUMBERS].astype(float), one[NUMBERS].astype(float), atol=1e-6
        )
        size = study.population if where is None else (study.register["status"] == "active").sum()
        many = shown["hopes_total"].cell(name)["estimate"]
        assert many == pytest.approx(one["estimate"] * size, rel=0.02)
    home = frame["wants_home"].map({"yes": True, "no": False})
    side = frame["tenure"].eq("tenant").where(frame["tenure"].notna()).map({True: "with", False: "without"})
    both = home.notna() & side.notna()
    found = share(study.design, home.astype(float), by=side, where=both)
    gap = contrast(found, {"gap": {"with": 1.0, "without": -1.0}}).bounded().iloc[0]
    row = shown["hopes_gaps"].cell("home_tenant")
    np.testing.assert_allclose(row[NUMBERS].astype(float), gap[NUMBERS].astype(float), atol=2e-6)
    assert row["clear"]


def test_truth_is_covered(world, shown):
    """Simulate and recover: shares that hope, first places and mean places hold the truth of the generated persons."""
    t = world.truth
    gaps = []
    for name in ("rail", "coach", "season_ticket"):
        cell, true = shown["hopes"].cell(name), (t[f"transport_wish_{name}"] == "yes").mean()
        gaps.append((cell["estimate"] - true) / ((cell["high"] - cell["low"]) / 3.92))
    for group in priorities.RANKINGS:
        for item in BOOK.codes(group):
            place, counted = t[f"{group}_{item}"], shown[f"{group}_places"]
            cell = counted.cell(item, "ranked_among")
            gaps.append((cell["estimate"] - (place <= 3).mean()) / ((cell["high"] - cell["low"]) / 3.92))
            cell = shown[f"{group}_mean"].cell(item, "all")
            gaps.append((cell["estimate"] - place.mean()) / ((cell["high"] - cell["low"]) / 3.92))
    gaps = np.array(gaps, dtype=float)
    gaps = gaps[~np.isnan(gaps)]
    assert len(gaps) > 25
    assert np.abs(gaps).max() < 3.8
    assert (np.abs(gaps) < 1.96).mean() > 0.8


def test_places_add_up(shown):
    """First places add up to one in each group, by the model and in every reading too; the first three to three."""
    for group in priorities.RANKINGS:
        places = shown[f"{group}_places"].frame.groupby(CATEGORY)["estimate"].sum(min_count=len(BOOK.codes(group)))
        for measure, whole in (("ranked_first", 1), ("model_first", 1), ("ranked_among", 3), ("model_among", 3)):
            if places.notna()[measure]:
                assert places[measure] == pytest.approx(whole, abs=1e-4), (group, measure)
        assert places.notna()["model_first"]
        readings = shown[f"{group}_variants"].frame.groupby(CATEGORY)["estimate"].sum()
        np.testing.assert_allclose(readings, 1, atol=1e-4)
        assert set(readings.index) == set(BOOK.codes("rank_variant"))
        frames = [shown[f"{group}_{part}"].frame for part in ("variants", "places")]
        alone, counted = (
            f[f[CATEGORY] == c].set_index(group)["estimate"]
            for f, c in zip(frames, ("first_only", "ranked_first"), strict=True)
        )
        np.testing.assert_allclose(alone[counted.index], counted.fillna(alone), atol=0.004)  # one choice is a count
        model = shown[f"{group}_by_status"].frame.query("rank_view == 'model'").groupby(CATEGORY)["estimate"].sum()
        np.testing.assert_allclose(model, 1, atol=1e-4)
        mean = shown[f"{group}_mean"].frame.query(f"{CATEGORY} == 'all'")["estimate"].mean()
        assert mean == pytest.approx((len(BOOK.codes(group)) + 1) / 2, abs=1e-4)


def test_a_hidden_cell_is_not_alone(shown):
    """Of one service, and of the first places of a status, what is hidden cannot be had from the others."""
    for name in (f"hopes_by_{g}" for g in aspirations.GROUPS):
        hidden = shown[name].frame.groupby("hope")["flag"].apply(lambda x: (x == "hidden").sum())
        assert not (hidden == 1).any(), name
    for group in priorities.RANKINGS:
        for by in ("status", "sex"):
            frame = shown[f"{group}_by_{by}"].frame
            counted = frame[(frame["rank_view"] == "ranked") & (frame[CATEGORY] != "all")]
            for axis in (group, CATEGORY):
                hidden = counted.groupby(axis)["flag"].apply(lambda x: (x == "hidden").sum())
                assert not (hidden == 1).any(), (group, by, axis)


def test_women_and_men_rank_as_they_answered(study, shown):
    """Independent computation: first places of women are shares of their answers; the model adds up.

    The counts stand in the table where none of them is hidden.
    """
    frame = study.frame
    for group in priorities.RANKINGS:
        table = shown[f"{group}_by_sex"]
        assert set(table.frame[CATEGORY].astype(str)) == {"m", "f"}
        counts = priorities.by_status(study, study.result(priorities.ranked, group, "sex"))
        counts = counts[(counts["rank_view"] == "ranked") & (counts["hope_group"] != "all")]
        assert counts["unsafe"].any() == (table.cell(BOOK.codes(group)[0], "ranked", "f") is None)
        found = counts[counts["hope_group"] == "f"].set_index(group)["estimate"]
        ranked = frame.filter(regex=f"^{group}_").astype(float)
        one = ranked.eq(1)
        where = frame["sex"].eq("f") & one.sum(axis=1).eq(1)
        for item in BOOK.codes(group):
            expected = share(study.design.superpopulation(), one[f"{group}_{item}"], where=where).value.iloc[0]
            assert found[item] == pytest.approx(expected, abs=1e-6)
        model = table.frame.query("rank_view == 'model'").groupby(CATEGORY)["estimate"].sum()
        np.testing.assert_allclose(model, 1, atol=1e-4)


def test_labels_are_those_of_the_questionnaire():
    """Services are called as on the form, in three languages, and every pair and hope has a name."""
    for group in priorities.RANKINGS:
        for item in BOOK.codes(group):
            for language in LANGUAGES:
                assert BOOK.label(group, item, language) == BOOK.variables.loc[f"{group}_{item}", f"label_{language}"]
    assert BOOK.codes("hope_pair") == list(PAIRS)
    assert set(BOOK.codes("hope")) == set(HOPES)


def test_the_page_speaks_in_three_languages(shown, study):
    """Findings, views, tables and figures come in each language, with all their texts and signs."""
    for language in LANGUAGES:
        local = study.in_language(language)
        text = findings(local, "hopes").data
        assert text.count("\n- ") + 1 <= 6
        assert "{" not in text
        assert not NAN.search(text)
        assert BOOK.label("priority", "housing", language) in text
        assert ("؛" in text) == (language == "ar")
        for group in priorities.RANKINGS:
            assert "{" not in say(local, f"{group}.asked").data
            assert show(local, f"{group}_overview").data.count("<tr>") == len(BOOK.codes(group)) + 2
        assert show(local, "hopes_overview").data.count("<tr>") == len(HOPES) + 2
        assert show(local, "hopes_with_condition").data.count("<tr>") == len(PAIRS) + 2
        for group in aspirations.GROUPS:
            assert BOOK.text(f"title.hopes_apart_by_{group}", language) in show(local, f"hopes_apart_by_{group}").data
        for name in ("priority_mean", "health_rank_variants", "training_wish_by_rank", "holiday_centre_by_status"):
            assert "<tfoot>" in show(local, name).data
        for name in FIGURES:
            figure, of = figures.picture(local, name)
            assert of, name
            assert figures.alt_text(name, of, local).startswith(title(name, local))
            plt.close(figure)


def test_dots_are_the_counts_and_the_model(shown, study):
    """In the figure of first places the dots of everybody are the shares counted and those of the model."""
    figure, (table,) = figures.picture(study, "priority_by_status")
    drawn = [np.asarray(c.get_offsets())[:, 0] for c in figure.axes[0].collections if not hasattr(c, "get_segments")]
    for view, dots in zip(("ranked", "model"), drawn, strict=True):
        cells = table.frame[(table.frame["rank_view"] == view) & (table.frame[CATEGORY] == "all")]
        assert sorted(dots[~np.isnan(dots)]) == pytest.approx(sorted(100 * cells["estimate"].dropna()))
    plt.close(figure)


def test_services_are_listed_where_groups_differ(shown, study):
    """By status many services differ (they do in the generator), from the widest gap on, highest before lowest."""
    table = shown["hopes_by_status"]
    found = {s: aspirations.ends(table, s) for s in table.shown["hope"].unique()}
    assert {"home", "hajj", "loan"} <= {s for s, e in found.items() if e is not None}
    assert found["rail"] is None  # the same for every status
    for high, low in (e for e in found.values() if e is not None):
        own = table.shown[table.shown["hope"] == high["hope"]]
        assert (high["estimate"], low["estimate"]) == (own["estimate"].max(), own["estimate"].min())
        assert high["p"] < 0.05
    text = show(study, "hopes_apart_by_status").data
    gaps = sorted((e[1]["estimate"] - e[0]["estimate"], s) for s, e in found.items() if e is not None)
    at = [text.index(f">{BOOK.label('hope', s, 'en')}<") for _, s in gaps]
    assert all(a < b for a, b in pairwise(at))


def test_groups_that_hope_alike_are_not_told_apart():
    """Independent computation: of two groups of one sample Wald's F is the squared z of their difference."""
    rng = np.random.default_rng(8)
    n = 400
    frame = pd.DataFrame({"status": np.repeat(["active", "retired"], n // 2), "wants_home": "yes"})
    frame["wants_home"] = np.where(rng.random(n) < 0.5, "yes", "no")
    small = Study.of(typed(frame, BOOK), None, None, BOOK)
    table = release(small)["hopes_by_status"]
    one = share(small.design, small.frame["wants_home"].eq("yes"), by=small.frame["status"])
    z2 = float((one.value.iloc[0] - one.value.iloc[1]) ** 2 / (one.se**2).sum())
    assert table.frame["p"].iloc[0] == pytest.approx(stats.f.sf(z2, 1, one.df.max()), rel=1e-6)


def test_groups_are_compared_with_their_covariance():
    """Two groups that answer alike in each cluster: their difference has no error between clusters, only within.

    Independent computation: the F of the mean difference within 40 clusters.
    """
    rng = np.random.default_rng(4)
    cluster, group = np.repeat(np.arange(40), 20), np.tile(["a", "b"], 400)
    level = rng.uniform(0.1, 0.9, 40)[cluster]
    yes = pd.Series(rng.random(800) < level + np.where(group == "a", 0.05, -0.05))
    hopes = pd.DataFrame({"rail": yes, "coach": ~yes})
    made = share(Design(np.ones(800), psu=cluster), hopes, by=pd.Series(group, name="status"))
    sides = [yes[group == g].groupby(cluster[group == g]).mean() for g in "ab"]
    gap = sides[0] - sides[1]
    F = gap.mean() ** 2 / (gap.var(ddof=1) / 40)
    np.testing.assert_allclose(aspirations.alike(made), [stats.f.sf(F, 1, 39)] * 4, rtol=1e-6)


@pytest.mark.parametrize(
    ("block", "silent"),
    [
        (["priority_" + c for c in BOOK.codes("priority")], ("hopes", "health_rank_places", "hopes_pairs")),
        (["transport_wish_rail", "transport_wish_coach"], ("priority_places", "hopes_gaps")),
        (["tenure"], ("hopes", "hopes_by_status", "priority_places", "hopes_pairs")),
    ],
)
def test_a_status_and_one_block(world, block, silent):
    """What was not asked says so, there are no numbers of people without a register, and the rest runs."""
    own = opened(world, ["status", *block])
    released = release(own)
    for name in silent:
        assert released[name].state == "not_asked", name
    assert released["hopes_total"].state in ("no_totals", "not_asked")
    text = findings(own, "hopes").data
    assert BOOK.text("not_asked") in text
    assert not NAN.search(text)
    for group in priorities.RANKINGS:
        assert show(own, f"{group}_overview").data
        assert say(own, f"{group}.asked").data
    for name in ("hopes_overview", "hopes_with_condition"):
        assert show(own, name).data
    for name in FIGURES:
        figures.picture(own, name)
    if block[0].startswith("transport"):
        assert text.startswith(
            f"- **Most hoped for**, of the 2 services on the form: {BOOK.label('hope', 'rail', 'en')}"
        )
    if block[0].startswith("priority"):
        assert released["priority_places"].state == "shown"
    plt.close("all")


@pytest.mark.parametrize("n", [40, 300])
def test_few_respondents(world, n):
    """With 40 forms no ranking is shown; with 300 what is shown rests on enough, and the page speaks."""
    own = opened(world, list(world.answers), n)
    released = release(own)
    text = findings(own, "hopes").data
    assert not NAN.search(text)
    for name in NAMES:
        assert (released[name].shown.get("n", pd.Series(dtype=float)) >= RULES.min_base).all(), name
    if n == 40:
        assert released["priority_places"].state == "aspirations.too_few"
        assert BOOK.text("aspirations.too_few") in text
    for name in ("hopes_overview", "hopes_with_condition"):
        assert show(own, name).data


def test_ties_and_wrong_ranks_are_defined(world):
    """A form with ties, one with a rank outside the list and one that is empty change no state and break nothing."""
    columns = ["status", *(f"priority_{c}" for c in BOOK.codes("priority"))]
    frame = opened(world, columns).frame
    ranks = columns[1:]
    some = frame.index[frame[ranks].notna().all(axis=1)][:200]
    changed = frame.astype(dict.fromkeys(ranks, float))
    changed.loc[some[:100], ranks[:2]] = 1.0
    changed.loc[some[100:], ranks[0]] = 99.0
    own = Study.of(changed[columns], None, None, BOOK)
    table = release(own)["priority_places"]
    assert table.state == "shown"
    first = table.frame.query(f"{CATEGORY} == 'ranked_first'")
    plain = release(opened(world, columns))["priority_places"].frame
    assert first["n"].max() < plain["n"].max()  # two in the first place are no first place


def test_small_statuses_are_put_together(world):
    """Widows and orphans too few to be shown alone are shown as survivors."""
    own = opened(world, ["status", "wants_home"])
    few = own.frame["status"].isin(["active", "widow"]) | (np.arange(len(own.frame)) % 40 == 0)
    column = merged(BOOK, own.frame["status"], few.to_numpy(), RULES.min_base)
    assert "survivors" in set(column)
    assert not {"widow", "orphan"} & set(column)
