"""Intervals of shares where a part is known and few cases of the rest were sampled."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from welfare_analysis.errors import WelfareError
from welfare_analysis.estimation import Design, mean, share, total

RETURNED, SILENT, FOLLOWED = 1000, 1200, 120


def survey(cases_returned, cases_followed):
    """Those who returned a form stand for themselves; a sample of the silent stands for the others."""
    y = np.zeros(RETURNED + FOLLOWED)
    y[:cases_returned] = 1
    y[RETURNED : RETURNED + cases_followed] = 1
    part = np.repeat(["returned", "silent"], [RETURNED, FOLLOWED])
    size = np.repeat([float(RETURNED), float(SILENT)], [RETURNED, FOLLOWED])
    weights = np.repeat([1.0, SILENT / FOLLOWED], [RETURNED, FOLLOWED])
    return Design(weights, strata=part, fpc=size), pd.Series(y)


def test_no_sampled_case_is_no_certainty():
    """With cases only among those who returned, the upper bound is that of none in the sample (0 in 120)."""
    design, y = survey(25, 0)
    estimate = share(design, y)
    bounds = estimate.interval().iloc[0]
    most = 1 - 0.025 ** (1 / FOLLOWED)  # Clopper and Pearson's for none
    assert bounds["low"] == pytest.approx(25 / 2200)
    assert bounds["high"] == pytest.approx((25 + SILENT * most) / 2200)


def test_all_sampled_cases_is_no_certainty_either():
    """The same of the complement: none in the sample without the condition."""
    design, y = survey(25, 0)
    bounds, other = share(design, y).interval().iloc[0], share(design, 1 - y).interval().iloc[0]
    assert (other["low"], other["high"]) == pytest.approx((1 - bounds["high"], 1 - bounds["low"]))


def logit(estimate):
    """Bounds symmetric on the logit scale, by hand."""
    p, se, df = estimate.value.iloc[0], estimate.se.iloc[0], estimate.df.iloc[0]
    half = stats.t.ppf(0.975, df) * se / (p * (1 - p))
    return 1 / (1 + np.exp(-np.log(p / (1 - p)) + np.array([half, -half])))


def test_enough_cases_are_left_to_the_variance():
    """From five sampled cases on, and in a design without a known part, the logit interval stands as it is."""
    for design, y in (survey(25, 5), (Design(np.full(100, 20.0)), pd.Series(np.arange(100) < 3).astype(float))):
        estimate = share(design, y)
        assert estimate.interval().iloc[0].to_numpy() == pytest.approx(logit(estimate))
    few = share(*survey(25, 4))
    assert few.interval()["high"].iloc[0] > logit(few)[1]


def test_domains_are_widened_one_by_one():
    """Only the domain with few sampled cases is widened, and each variable in its own place."""
    design, y = survey(200, 40)
    domain = pd.Series(np.where(np.arange(len(y)) % 2 == 0, "a", "b"))
    rare = y.where(~((domain == "b") & (np.arange(len(y)) >= RETURNED)), 0.0)
    both = share(design, pd.DataFrame({"rare": rare, "y": y}), by=domain)
    alone = share(design, y, by=domain).interval()
    pd.testing.assert_frame_equal(both.interval().loc["y"], alone, check_names=False)
    assert both.interval().loc[("rare", "b"), "high"] > both.value[("rare", "b")] + 0.02
    pd.testing.assert_series_equal(both.interval().loc[("rare", "a")], alone.loc["a"], check_names=False)


def test_rare_conditions_are_held():
    """Of a condition that 1 % have, the interval holds the truth in at least 93 of 100 surveys (68 without care)."""
    rng = np.random.default_rng(7)
    returned, truth = rng.random(RETURNED) < 0.01, (rng.random(SILENT) < 0.01)
    level = (returned.sum() + truth.sum()) / 2200
    drawn = np.array([rng.choice(truth, FOLLOWED, replace=False) for _ in range(1000)]).T
    design, _ = survey(0, 0)
    y = np.vstack([np.repeat(np.sort(returned)[::-1, None], 1000, axis=1), drawn])
    bounds = share(design, pd.DataFrame(y.astype(bool))).interval()
    held = (bounds["low"] <= level) & (level <= bounds["high"])
    assert np.mean(held) >= 0.93


def posterior(cases, n):
    """Standard deviation of a share of which ``cases`` in ``n`` were seen, all shares alike likely before."""
    return stats.beta(cases + 1, n - cases + 1).std()


@pytest.mark.parametrize("cases", [0, 1, 4, 116, 119, 120])
def test_error_of_rare_cases_is_that_of_the_sampled_part(cases):
    """With few sampled cases the printed error is the posterior's of the sampled part, in proportion to its weight."""
    estimate = share(*survey(25, cases))
    linear = mean(*survey(25, cases)[:1], survey(25, cases)[1] + 1.0).se.iloc[0]  # an amount keeps its own error
    expected = SILENT / 2200 * posterior(cases, FOLLOWED)
    assert estimate.se.iloc[0] == pytest.approx(max(expected, linear), rel=1e-9)
    assert expected > linear  # so the linearised error alone would be too small
    half = estimate.interval().iloc[0].diff()["high"] / 2 / stats.t.ppf(0.975, estimate.df.iloc[0])
    assert 0.6 < half / estimate.se.iloc[0] < 1.6


def test_rare_cases_of_unequal_weights():
    """The effective size is that of the sampled weights (Kish), the cases are weighed, the known part is added."""
    design, y = survey(25, 3)
    weights = design.weights * np.where(np.arange(len(y)) % 2 == 0, 1.0, np.where(design.weights > 1, 3.0, 1.0))
    uneven = Design(weights, strata=np.repeat([0, 1], [RETURNED, FOLLOWED]), fpc=np.repeat([1000.0, 3000], [1000, 120]))
    w = weights[RETURNED:]
    S, n = w.sum(), w.sum() ** 2 / (w**2).sum()
    x = n * (w * y[RETURNED:]).sum() / S
    bounds = share(uneven, y).interval(0.9).iloc[0]
    low = (25 + S * stats.beta.ppf(0.05, x, n - x + 1)) / (RETURNED + S)
    high = (25 + S * stats.beta.ppf(0.95, x + 1, n - x)) / (RETURNED + S)
    plain = share(uneven, y)
    assert bounds["low"] <= low + 1e-12
    assert bounds["high"] >= high - 1e-12
    assert bounds["low"] == pytest.approx(low) or bounds["high"] == pytest.approx(high)
    assert plain.se.iloc[0] >= S / (RETURNED + S) * posterior(x, n) * (1 - 1e-9)


def test_a_mean_and_a_total_of_a_condition_are_its_share():
    """The mean of a condition has the error of its share; its total has the size times both, and their bounds at 0."""
    for cases in (0, 2, 60):
        design, y = survey(0 if cases == 0 else 25, cases)
        s, m, t = share(design, y), mean(design, y == 1), total(design, y == 1)
        assert m.se.iloc[0] == pytest.approx(s.se.iloc[0], rel=1e-9)
        assert t.value.iloc[0] == pytest.approx(2200 * s.value.iloc[0])
        assert t.se.iloc[0] == pytest.approx(2200 * s.se.iloc[0], rel=1e-9)
        if cases == 0:
            np.testing.assert_allclose(m.interval(), s.interval())
            np.testing.assert_allclose(t.interval(), 2200 * s.interval())
            assert t.interval()["high"].iloc[0] > 30


@pytest.mark.parametrize("kind", [bool, object, "boolean"])
def test_a_condition_that_nobody_or_everybody_meets(kind):
    """In a domain where all are alike a condition has the posterior's error, as mean and total; amounts have none."""
    n, domain = 60, np.repeat(["none", "some", "all"], 20)
    y = pd.Series(np.r_[np.zeros(20), np.arange(20) % 2, np.ones(20)]).astype(bool).astype(kind)
    design = Design(np.full(n, 2.0))
    m, t = mean(design, y, by=domain), total(design, y, by=domain)
    error = posterior(0, 20 * (stats.t.ppf(0.975, 19) / stats.t.ppf(0.975, m.df["none"])) ** 2)
    assert m.se[["none", "all"]].tolist() == pytest.approx([error, error], rel=1e-9)
    assert m.se["some"] == pytest.approx(mean(design, y.astype(float) * 2, by=domain).se["some"] / 2)
    assert t.se["none"] == pytest.approx(40 * error, rel=1e-9)
    assert t.se["all"] == pytest.approx(np.hypot(40 * error, total(design, np.ones(n), by=domain).se["all"]), rel=1e-9)
    bounds = share(design, y, by=domain).interval()
    np.testing.assert_allclose(m.interval().loc[["none", "all"]], bounds.loc[["none", "all"]])
    np.testing.assert_allclose(t.interval().loc["none"], 40 * bounds.loc["none"])
    assert m.apply(lambda v: v["all"] - v["none"]).se.iloc[0] == pytest.approx(np.sqrt(2) * error)


def test_what_is_no_condition():
    """A column of ones counts people and is sure; ones beside twos are amounts; a census leaves no doubt."""
    design = Design(np.full(30, 2.0))
    ones = np.ones(30)
    assert (total(design, ones).se.iloc[0], mean(design, ones).se.iloc[0]) == (0, 0)
    assert mean(design, ones == 1).se.iloc[0] == pytest.approx(posterior(0, 30))
    for zeros in (np.arange(30) // 15, np.arange(30) // 15 * 1.0):
        assert mean(design, zeros, by=np.arange(30) // 15).se.tolist() == [0, 0]
        assert share(design, zeros, by=np.arange(30) // 15).se.tolist() == pytest.approx([posterior(0, 15)] * 2)
    assert mean(design, 1 + np.arange(30) // 15, by=np.arange(30) // 15).se.tolist() == [0, 0]
    assert total(design, np.zeros(30)).interval()["high"].iloc[0] == 0
    assert total(design, ones == 0).interval()["high"].iloc[0] == pytest.approx(60 * (1 - 0.025 ** (1 / 30)))
    assert mean(design, pd.Series(0.0, range(30), name="amount_dh")).interval().iloc[0].tolist() == [0, 0]
    census = Design(np.ones(30), fpc=np.full(30, 30))
    assert (total(census, ones == 0).se.iloc[0], mean(census, ones == 0).interval().iloc[0].tolist()) == (0, [0, 0])


def test_a_total_with_gaps_of_a_condition_that_nobody_meets():
    """Where some did not answer the total of none is the size of all times the bounds of those who did."""
    design, y = Design(np.full(40, 3.0)), pd.Series(False, range(40), dtype="boolean").where(np.arange(40) > 9)
    t, s = total(design, y, missing="mean"), share(design, y)
    assert t.se.iloc[0] == pytest.approx(120 * s.se.iloc[0])
    np.testing.assert_allclose(t.interval(), 120 * s.interval())


def test_conditions_beside_amounts(example, drawn):
    """In one frame a condition and an amount are each what they are alone, in the order given."""
    f = example(3)
    frame = f[["y"]].assign(never=f["b"] & ~f["b"], x=f["x"])
    for statistic in (mean, total):
        found = statistic(drawn(f), frame)
        for name in frame:
            alone = statistic(drawn(f), frame[name])
            assert found.se[name] == pytest.approx(alone.se.iloc[0], rel=1e-9)
            np.testing.assert_allclose(found.interval().loc[name], alone.interval().iloc[0], rtol=1e-9)


@pytest.mark.parametrize("rule", ["logit", "korn-graubard"])
def test_bounds_by_hand(rule):
    """Of 12 of 80 in 20 clusters: the logit interval, and Clopper and Pearson's with n p q / V and t's correction."""
    y = np.isin(np.arange(80), [0, 1, 2, 3, 9, 17, 18, 30, 41, 42, 66, 79])
    e = share(Design(np.ones(80), psu=np.arange(80) // 4), y, interval=rule)
    p, V, t = 0.15, e.se.iloc[0] ** 2, stats.t.ppf(0.95, 19)
    low, high = e.interval(0.9).iloc[0]
    if rule == "logit":
        z = np.log(p / (1 - p)) + np.array([-1, 1]) * t * np.sqrt(V) / (p * (1 - p))
        assert (low, high) == pytest.approx(tuple(1 / (1 + np.exp(-z))))
    else:
        n = p * (1 - p) / V * (stats.t.ppf(0.95, 79) / t) ** 2
        assert (low, high) == pytest.approx(
            (stats.beta.ppf(0.05, n * p, n - n * p + 1), stats.beta.ppf(0.95, n * p + 1, n - n * p))
        )


def test_categories_keep_their_order_and_names():
    """Categories are named as they are, in their own order; a level that nobody chose is left out."""
    answers = pd.Series(pd.Categorical(["b", "a", None, "b"], categories=["c", "b", "a"]), name="answer")
    e = share(Design(np.ones(4)), answers)
    assert e.value.to_dict() == {"b": pytest.approx(2 / 3), "a": pytest.approx(1 / 3)}
    assert e.value.index.name == "category"
    assert share(Design(np.ones(4)), np.array([1.0, 0, np.nan, 1])).value.index.name == "variable"


def test_a_design_without_known_part_is_not_taken_apart():
    """Few cases of a part in which nobody came in with certainty are left to the linearised variance."""
    design, y = survey(25, 1)
    drawn = share(design, y, where=np.arange(len(y)) >= RETURNED)
    alone = share(Design(np.full(FOLLOWED, 10.0), fpc=np.full(FOLLOWED, float(SILENT))), y[RETURNED:])
    assert drawn.se.iloc[0] == pytest.approx(alone.se.iloc[0], rel=1e-9)
    assert drawn.interval().iloc[0].to_numpy() == pytest.approx(logit(drawn), rel=1e-9)


def clusters(rng, samples, p, rho, m=50, count=12):
    """Answers (n x samples) of ``count`` clusters of ``m``, with correlation ``rho`` within; and the design."""
    psu = np.repeat(np.arange(count), m)
    common, own = rng.random((count, samples)) < p, rng.random((count * m, samples)) < p
    return Design(np.ones(count * m), psu=psu), np.where(rng.random(own.shape) < np.sqrt(rho), common[psu], own)


@pytest.mark.parametrize("p", [0.01, 0.05, 0.1, 0.9, 0.98])
def test_coverage_near_the_edges_in_few_clusters(p):
    """Simulation: of attributes that are constant within 12 clusters of 50, 93 % of the intervals hold the share."""
    design, y = clusters(np.random.default_rng(5), 1500, p, 1.0)
    bounds = [share(design, y[:, j]).interval().iloc[0].to_numpy() for j in range(1500)]
    assert np.mean([low <= p <= high for low, high in bounds]) >= 0.93


def test_what_respondents_are_worth_is_pooled_over_like_items():
    """None of 600 in 12 clusters: alone it is none of 12; beside other items it is what these tell, by hand."""
    rng = np.random.default_rng(6)
    for rho, least, most in ((0.0, 400, 600), (1.0, 11.9, 14)):
        design, y = clusters(rng, 8, 0.3, rho)
        frame = pd.DataFrame(y).assign(none=False)
        p, V = y.mean(axis=0), share(design, pd.DataFrame(y)).se.to_numpy() ** 2
        effect = V / (p * (1 - p) / 600)
        pooled = np.clip((p * (1 - p)) @ (effect - 1) / ((p * (1 - p)).sum() * 49), 0, 1)
        m = 600 / (1 + 49 * pooled)
        m *= min(1, stats.t.ppf(0.975, m - 1) / stats.t.ppf(0.975, 11)) ** 2
        assert least < m < most
        found = share(design, frame)
        assert found.se["none"] == pytest.approx(posterior(0, m), rel=1e-6)
        assert found.interval().loc["none", "high"] == pytest.approx(1 - 0.025 ** (1 / m), rel=1e-6)
    alone = share(design, frame["none"])
    assert alone.interval()["high"].iloc[0] == pytest.approx(1 - 0.025 ** (1 / 12))
    assert mean(design, frame["none"]).se.iloc[0] == pytest.approx(posterior(0, 12))


def test_one_item_tells_nothing_of_another():
    """An attribute that is constant within clusters, beside one that is not: 93 % of the intervals hold the share."""
    rng, held = np.random.default_rng(8), []
    for _ in range(150):
        design, y = clusters(rng, 1, 0.1, 1.0)
        frame = pd.DataFrame({"alike": y[:, 0], "other": rng.random(600) < 0.3})
        low, high = share(design, frame).interval().loc["alike"]
        held.append(low <= 0.1 <= high)
    assert np.mean(held) >= 0.93


def test_an_empty_category_and_its_complement():
    """Categories add up to one, so an empty one is as sure as all others together, and their sum is sure."""
    domain = np.repeat(["a", "b", "c", "d"], [40, 50, 60, 80])
    answer = np.resize(["p", "q", "r", "s"], 230)
    answer[domain == "a"] = np.resize(["q", "r", "r", "s"], 40)  # one is empty
    answer[domain == "b"] = np.resize(["q", "r"], 50)  # two are
    answer[domain == "c"] = "s"  # all but one are
    design, by = Design(np.full(230, 2.0)), pd.Series(domain)
    for e in (share(design, pd.Series(answer), by=by), mean(design, pd.get_dummies(pd.Series(answer)), by=by)):
        for d, empty, n in (("a", "p", 40), ("b", "ps", 50), ("c", "pqr", 60)):
            error = posterior(0, n * (stats.t.ppf(0.975, n - 1) / stats.t.ppf(0.975, e.df["p", d])) ** 2)
            assert e.se[[(c, d) for c in empty]].tolist() == pytest.approx([error] * len(empty), rel=1e-9)
            others = [c for c in "pqrs" if c not in empty]
            for together in (list(empty), others):
                found = e.apply(lambda v, d=d, names=together: sum(v[c, d] for c in names))
                assert found.se.iloc[0] == pytest.approx(error, rel=1e-6)
            whole = e.apply(lambda v, d=d: sum(v[c, d] for c in "pqrs"))
            assert whole.se.iloc[0] == pytest.approx(0, abs=1e-7)
        assert np.linalg.eigvalsh(e.covariance().to_numpy())[0] > -1e-12


def test_rows_that_hold_lists_are_an_error():
    """A list in each row is no answer, and the error says where."""
    with pytest.raises(WelfareError, match="share: a row holds a list; expected one answer a row"):
        share(Design(np.ones(3)), pd.Series([[1]] * 3))


def test_a_category_of_rows_of_weight_zero_is_none():
    """Rows of weight zero count for nothing, so what they alone answer is no category; replicates keep all others."""
    answers = pd.Series(["own", "rent", "own", "rent", "own", "lent", "none"])
    w = pd.Series([2.0, 1, 1, 3, 1, 2, 0])
    found, kept = share(Design(w), answers), share(Design(w[:6]), answers[:6])
    pd.testing.assert_frame_equal(found.table(), kept.table())
    again = share(Design(w).with_replicates("jackknife"), answers)  # one of them leaves the only "lent" out
    assert list(again.value.index) == ["lent", "own", "rent"]
    assert again.se["lent"] > 0


def test_a_share_below_zero_is_an_error():
    """Linear calibration made more weight negative than positive there: -0.62 was printed, with bounds of 0 to 0.06."""
    y = np.arange(40) < 4
    design = Design(np.ones(40)).reweighted(np.where(np.arange(40) < 3, -1.0, 1.0), None)
    with pytest.raises(WelfareError, match="weights are negative; got 3"):
        share(design, y)
