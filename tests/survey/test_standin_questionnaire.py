"""The questionnaire of the stand-in: rules that hold in the truth, levels that are hit, laws that are recovered."""

import hashlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy.special import softmax
from scipy.stats import norm
from statsmodels.discrete.conditional_models import ConditionalLogit

from welfare_analysis.survey import standin
from welfare_analysis.survey.standin import cards
from welfare_analysis.survey.standin.answers import EARLIER

PUBLIC = Path(__file__).parents[2] / "data" / "public"
P = standin.Parameters.read(PUBLIC)
VARIABLES = P.codebook.variables
# SHA-256, first 16 digits, of the earlier questions at seed 7 and size 4000 (answers; follow-up with stratum and
# outcome), by the code of commit 7b9675e, which had no other questions; 2026-11-24
EARLIER_ONLY = {
    "plain": ("724ab29ef19da5ef", "8f00cb86565abed8"),
    "rich": ("c576f660f2e0c159", "63f25aaaa3b714fe"),
    "strategic": ("e6f904eef87228b2", "0359c3362e9a1a6b"),
}
# the same of the truth, the answers and the follow-up without the two questions on social works, by the code of commit
# f048f41, which had not got them; 2026-11-30
LATEST = ["social_works_use", "social_works_why_not"]
BEFORE_LATEST = {
    "plain": ("5dab937c95ad6018", "bf5ab52a83f7d338", "8248a11c6c726407"),
    "rich": ("d3600f4ca53ad9ce", "5c259d7f492bc32c", "072b53f6d44d3331"),
    "strategic": ("d3600f4ca53ad9ce", "1c5522ded266c9ae", "3c982789700f28e4"),
}


@pytest.fixture(scope="module")
def truth(worlds):
    """What is true of everybody in the well specified version."""
    return worlds["plain"].truth


def digest(frame):
    """Hash of the cells as text, columns by name; amounts to four decimals, as their last digits differ by machine."""
    frame = frame[sorted(frame.columns)]
    amounts = frame.select_dtypes("float64").columns
    frame = frame.assign(**frame[amounts].round(4))
    text = frame.astype(object).where(frame.notna(), "").astype(str).to_csv(index=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def covariate(t, name):
    """What a slope stands on, computed a second time."""
    known = {
        "pay": t["log_income"], "dear": t["dear"] - 1, "children": t["children_n"], "remote": t["centre_km"] / 100,
        "decade": ((t["age"] - 40) / 10).where(t["status"] != "orphan", 0), "rail": t["rail"],
        "tenant": t["tenure"] == "tenant", "owner": t["tenure"] == "owner", "crowded": t["crowded"],
        "indebted": t["has_loan"] == "yes", "car": t["cars_n"] > 0, "wants": t["wants_home"] == "yes",
        "far": t["commute_km"].fillna(0) / 10, "shifts": t["shift"].isin(["rotating", "night"]),
        "active": t["status"] == "active", "retired": t["status"] == "retired", "widow": t["status"] == "widow",
        "orphan": t["status"] == "orphan",
    }  # fmt: skip
    return known[name].astype(float)


def linear(t, question):
    """Sum of the slopes that ``facts.csv`` gives a question, times their covariates."""
    ids = P.facts.index[P.facts.index.str.fullmatch(f"{question}_[a-z]+_slope")]
    names = [i.removeprefix(question + "_").removesuffix("_slope") for i in ids]
    return sum((P[i] * covariate(t, n) for i, n in zip(ids, names, strict=True)), pd.Series(0.0, index=t.index))


@pytest.mark.parametrize("version", standin.VERSIONS)
def test_earlier_questions_are_what_they_were(version):
    """The newer questions take streams of their own: stored simulations of the earlier ones stay valid."""
    world = standin.generate(P, 7, version, size=4000)
    found = digest(world.answers[EARLIER]), digest(world.followup[[*EARLIER, "stratum", "outcome"]])
    assert found == EARLIER_ONLY[version]


@pytest.mark.parametrize("version", standin.VERSIONS)
def test_the_latest_questions_change_no_other_answer(version):
    """Who was never served, and why, are drawn from a stream of their own: everything else is what it was."""
    world = standin.generate(P, 7, version, size=4000)
    frames = [frame.drop(columns=LATEST) for frame in (world.truth, world.answers, world.followup)]
    assert tuple(map(digest, frames)) == BEFORE_LATEST[version]
    drawn = P.draw(np.random.default_rng(20001)).levels
    earlier = sorted(
        (k, round(float(x), 9)) for k, x in drawn.items() if not k.startswith(("social_works_", "recheck_"))
    )
    assert hashlib.sha256(repr(earlier).encode()).hexdigest()[:16] == "af285db454e20487"


def test_who_was_never_served_gives_the_reason(worlds):
    """The share is that of the levels; all who never were, and nobody else, give a reason, far ones the distance."""
    truth = worlds["plain"].truth
    never = truth["social_works_use"] == "never"
    assert never.mean() == pytest.approx(P["social_works_use_never_share"], abs=0.03)
    assert (truth["social_works_why_not"].notna() == never).all()
    km = truth["centre_km"].groupby(truth["social_works_why_not"]).mean()
    assert km.idxmax() == "far"


def test_committed_files_hold_the_earlier_answers_unchanged():
    """The earlier columns of the files of seed 20120924, as written by the code of commit 7b9675e (2026-11-24)."""
    folder = PUBLIC.parent / "survey"
    register, answers, followup = (
        pd.read_parquet(folder / f"{name}.parquet") for name in ("register", "answers", "followup")
    )
    assert digest(register) == "4df66a3228c3768c"
    assert digest(answers[EARLIER]) == "7902c5cc2a777b5e"
    assert digest(followup[[*EARLIER, "stratum", "stratum_population", "outcome"]]) == "42cb3c16d7c7b76b"
    assert list(answers.columns) == list(VARIABLES.index)


def test_the_follow_up_says_how_and_when(worlds):
    """Those who answered were visited or called on a day after the forms were in; of the others nothing is said."""
    late = worlds["rich"].followup
    answered = late["outcome"] == "answered"
    assert late.loc[~answered, ["mode", "date"]].isna().all(axis=None)
    assert (late.loc[answered, "mode"] == "telephone").mean() == pytest.approx(P["followup_telephone_share"], abs=0.1)
    days = pd.to_datetime(late.loc[answered, "date"]) - pd.Timestamp("2012-09-24")
    after = P["followup_after_days"]
    assert days.dt.days.between(after, after + P["followup_days_n"] - 1).all()


def test_drawn_levels_are_what_they_were():
    """Levels of the newer questions are drawn from a stream of their own (golden value as above, seed 20001)."""
    drawn = P.draw(np.random.default_rng(20001))
    names = P.facts.index[P.facts["part"] == "conditions"]
    text = repr([round(float(drawn[name]), 9) for name in names])
    assert hashlib.sha256(text.encode()).hexdigest()[:16] == "9f6007fa905fd154"
    places = drawn.territory[["share_of_staff", "dear"]].round(9).to_csv()
    assert hashlib.sha256(places.encode()).hexdigest()[:16] == "35e016619ca601bd"
    assert drawn["wants_loan_share"] != P["wants_loan_share"]


def test_same_people_and_returners_in_all_versions(worlds):
    """Versions differ in what is said, and in the tastes behind cards; not in who lives, how, and who returns."""
    decided_by_taste = [c for c in worlds["plain"].truth if "_card_" in c or c.endswith(("_certainty", "_cost_taste"))]
    plain = worlds["plain"].truth.drop(columns=decided_by_taste)
    for version in ("rich", "strategic"):
        pd.testing.assert_frame_equal(plain, worlds[version].truth.drop(columns=decided_by_taste))
        back = worlds[version].answers[["person_id", "module"]]
        pd.testing.assert_frame_equal(worlds["plain"].answers[["person_id", "module"]], back)


@pytest.mark.parametrize("version", standin.VERSIONS)
def test_questions_are_asked_as_the_codebook_says(version, worlds):
    """Nobody answers what is not asked; who is asked and tells the truth leaves no gap."""
    world = worlds[version]
    for name, rule in VARIABLES["asked_if"].items():
        for frame in (world.answers, world.followup):
            asked = pd.Series(True, index=frame.index)
            for part in filter(None, rule.split(" & ")):
                gate, sign, value = part.split(" ")
                if sign in ("=", "in"):
                    asked &= frame[gate].isin(value.split("|"))
                else:
                    asked &= frame[gate].ge(float(value)) if sign == ">=" else frame[gate].lt(float(value))
            assert frame.loc[~asked, name].isna().all(), name
            if version == "plain" and frame is world.answers:
                assert frame.loc[asked, name].notna().all(), name


def test_modules_are_drawn_with_equal_chances(worlds):
    """A third of the forms each, whoever answers; cards and long rankings in their module only, for adults."""
    said = worlds["rich"].answers
    assert (said["module"].value_counts(normalize=True) - 1 / 3).abs().max() < 4 * np.sqrt(2 / 9 / len(said))
    assert pd.crosstab(said["module"], said["home_card_1"].notna()).loc[["b", "c"], True].sum() == 0
    assert said.loc[(said["module"] == "a") & (said["age"] < 18), "home_card_1"].isna().all()
    assert said.loc[said["module"] != "c", "priority_housing"].isna().all()


def rules(t):
    """Rules between answers, true where one is broken: those that all truth keeps."""
    ages = t[[f"dependants_{band}_n" for band in ("0_5", "6_11", "12_17", "18_24")]]
    parts = t[["spouse_earnings_dh", "others_earnings_dh", "regular_income_dh"]].fillna(0).sum(axis=1)
    kinds = t.filter(like="running_kind_").eq("yes").sum(axis=1)
    lenders, debtor = t.filter(like="running_source_").eq("yes").sum(axis=1), t["has_loan"] == "yes"
    consumer = t.filter(regex="running_kind_(car|equipment|personal|other)").eq("yes").any(axis=1)
    orphan, active = t["status"] == "orphan", t["status"] == "active"
    return {
        "earners": t["earners_n"] > t["household_size_n"],
        "links": t["register_links_n"] > t["earners_n"],
        "ages of children": ages.sum(axis=1) != t["children_n"],
        "parts of income": (parts - t["other_income_dh"]).abs() > 0.5,
        "spouse": (t["marital_status"] != "married") & t["spouse_earnings_dh"].notna(),
        "housing loan": debtor & ((t["housing_deduction_dh"] > 0) != (t["running_kind_housing"] == "yes")),
        "consumer loan": debtor & ((t["consumer_deduction_dh"] > 0) != consumer),
        "kinds": debtor & ~kinds.between(1, t["loans_n"]),
        "lenders": debtor & ~lenders.between(1, t["loans_n"]),
        "bank": debtor & (t["housing_deduction_dh"] > 0) & (t["running_source_bank"] != "yes"),
        "pupils": ~orphan & (t["primary_n"] > t["dependants_6_11_n"]),
        "students": ~orphan & (t["higher_n"] > t["dependants_18_24_n"]),
        "nowhere": (t["holiday_centre"] == "none") & (t["holiday_weeks_n"] > 0),
        "camps": t["camp_children_n"] > t["dependants_6_11_n"] + t["dependants_12_17_n"],
        "hours": active & ~t["weekly_hours_n"].between(5 * t["commute_days_n"], 14 * t["commute_days_n"]),
        "nights by day": (t["shift"] == "day") & (t["nights_month_n"] > 10),
        "nights": (t["shift"] == "night") & (t["nights_month_n"] < 10),
        "retired": (t["status"] == "retired") & (t["retired_years_n"] > t["age"] - 40),
        "child, unmarried": (t["change_child"] == "yes") & (t["marital_status"] != "married"),
        "ill": t["chronic_n"] > t["household_size_n"],
    }  # fmt: skip


def test_the_truth_contradicts_itself_nowhere(worlds):
    """Loans, incomes, ages, earners, pupils, hours and trips agree, in all versions; so do forms without error."""
    for version, world in worlds.items():
        for name, broken in rules(world.truth).items():
            assert not broken.any(), (version, name)
    assert not any(broken.any() for broken in rules(worlds["plain"].answers).values())


def test_forms_contradict_themselves_at_the_stated_rate(worlds):
    """Each rule that forms break is broken by the share that ``facts.csv`` states."""
    said = worlds["rich"].answers
    level = P["contradiction_share"]
    for name in ("earners", "pupils"):
        broken = rules(said)[name]
        assert abs(broken.mean() - level) < 0.006, name
    answered = said[["dependants_6_11_n", "dependants_0_5_n", "dependants_12_17_n", "dependants_18_24_n", "children_n"]]
    wrong = rules(said)["ages of children"][answered.notna().all(axis=1)].mean()
    assert abs(wrong - level) < 0.006


def test_households_can_be_counted_by_shared_weights(truth):
    """Weights of 1 / links add up to the number of households (Lavallee 2007); who is linked agrees on the household.

    Links are what the form says. Wives of the police share a home with a husband of the police, siblings with siblings.
    """
    size = truth.groupby("household_id")["person_id"].transform("size")
    assert (truth["register_links_n"] == size).all()
    assert (1 / truth["register_links_n"]).sum() == pytest.approx(truth["household_id"].nunique())
    shared = truth[size > 1].groupby("household_id")
    assert (shared[["command", "household_size_n"]].nunique() == 1).all(axis=None)
    kinds = shared["status"].agg(lambda s: "+".join(sorted(set(s)))).value_counts()
    assert set(kinds.index) == {"active", "active+retired", "active+widow", "orphan"}
    couples = shared.filter(lambda g: set(g["status"]) == {"active"})
    assert (couples.groupby("household_id")["sex"].nunique() == 2).all()
    assert (couples.groupby("household_id")[["children_n", "tenure"]].nunique() == 1).all(axis=None)
    assert (couples["spouse_earnings_dh"] == 0).all()  # told on the own form


def test_shares_hit_their_levels(truth):
    """A yes, a code or the two highest answers are as frequent among those asked as ``facts.csv`` says (4 s.e.)."""
    lists = {"property_elsewhere": "property", "transit_at_shift": "transit", "training_wish": "training"}
    top = {"satisfaction": ["satisfied", "very_satisfied"], "agreement": ["agree", "strongly_agree"]}
    tested = 0
    for name, row in VARIABLES.drop(EARLIER).iterrows():
        said = truth[name].dropna()
        levels = (
            {code: f"{lists.get(name, name)}_{code}_share" for code in P.codebook.codes(row["list"])}
            if row["list"]
            else {}
        )
        if row["list"] in top:
            said, levels = said.isin(top[row["list"]]), {True: f"{name}_share"}
        elif row["type"] == "yes_no":
            levels = {"yes": f"{name}_share"}
        for code, level in levels.items():
            if level in P.levels and not name.startswith("change_"):
                share = P[level]
                assert abs((said == code).mean() - share) < 4 * np.sqrt(share * (1 - share) / len(said)) + 0.002, level
                tested += 1
    assert tested > 90


def test_first_places_have_plackett_luce_chances(truth):
    """P(item first) = worth / sum of worths; P(j second | i first) = worth j / (sum - worth i) (Luce 1959)."""
    for group in ("health_rank", "priority"):
        items = [name.removeprefix(f"{group}_") for name in VARIABLES.index[VARIABLES["group"] == group]]
        worth = np.column_stack([P[f"{group}_{i}_worth"] + linear(truth, f"{group}_{i}") for i in items])
        ranks = truth[[f"{group}_{i}" for i in items]].to_numpy()
        assert (np.sort(ranks, axis=1) == np.arange(1, len(items) + 1)).all()
        chance = softmax(worth, axis=1).mean(axis=0)
        first = (ranks == 1).mean(axis=0)
        assert (np.abs(first - chance) < 4 * np.sqrt(chance * (1 - chance) / len(truth))).all()
        led = ranks[:, 0] == 1
        rest = np.exp(worth[led, 1:])
        chance = (rest / rest.sum(axis=1, keepdims=True)).mean(axis=0)
        second = (ranks[led, 1:] == 2).mean(axis=0)
        assert (np.abs(second - chance) < 4 * np.sqrt(chance * (1 - chance) / led.sum())).all()


def test_worths_differ_by_status(truth):
    """Widows put chronic illness first more often than active staff do."""
    first = (truth["health_rank_chronic_illness"] == 1).groupby(truth["status"]).mean()
    assert first["widow"] > 1.5 * first["active"]


def situations(world, block, n, constants):
    """Cards of `n` respondents as rows, an alternative each: covariates of constants, attributes, groups of income."""
    answers = world.answers
    keys = answers.index[answers[f"{block}_card_1"].notna()][:n]
    t = world.truth.set_index("person_id").loc[answers.loc[keys, "person_id"]].reset_index()
    design = P.codebook.designs[P.codebook.designs["block"] == block]
    rows = []
    for card in sorted(set(design["card"])):
        shown = design[design["card"] == card].assign(version=design["version"].astype(int))
        long = t.assign(case=t["person_id"] + card).merge(shown, left_on=f"{block}_version", right_on="version")
        rows.append(long.assign(chosen=(long[f"{block}_card_{card}"] == long["alternative"]).astype(int)))
    long = pd.concat(rows, ignore_index=True)
    x = {}
    for name in P.codebook.codes(f"{block}_alternative")[1:]:
        x[f"{name}"] = (long["alternative"] == name).astype(float)
        x |= {f"{name}:{c}": x[name] * covariate(long, c) for c in constants.get(name, ())}
    return long, pd.DataFrame(x)


def test_choices_on_cards_recover_their_coefficients(worlds):
    """Conditional logit of statsmodels on 150 forms: constants and effects of the way to work within 4 s.e."""
    constants = {"shuttle": ["shifts", "car", "far"], "season_ticket": ["car"], "car_pool": ["car"]}
    long, x = situations(worlds["plain"], "commute", 150, constants)
    current = long["alternative"] == "current"
    cost = long["cost_dh"].astype(float).mask(current, long["commute_cost_dh"]) / 100
    low, high = long["income_dh"] < P["income_low_dh"], long["income_dh"] >= P["income_high_dh"]
    x = x.assign(low=cost * low, middle=cost * ~(low | high), high=cost * high)
    x["time"] = long["time_min"].astype(float).mask(current, long["commute_min"]) / 10
    x["headway"], x["walk"] = long["headway_min"].astype(float) / 10, long["walk_min"].astype(float) / 10
    effect = P["commute_cost_dh_effect"]
    true = {n: P[f"commute_{n}_constant"] for n in constants}
    true |= {f"{n}:{c}": P[f"commute_{n}_{c}_slope"] for n, cs in constants.items() for c in cs}
    true |= {"low": effect * P["price_low_factor"], "middle": effect, "high": effect * P["price_high_factor"]}
    true |= {n: P[f"commute_{n}_min_effect"] for n in ("time", "headway", "walk")}
    true = pd.Series(true)[x.columns]
    model = ConditionalLogit(long["chosen"], x, groups=pd.factorize(long["case"])[0])
    fit = model.fit(disp=False, start_params=true.to_numpy())
    z = (fit.params - true) / fit.bse
    assert z.abs().max() < 4
    assert (z**2).sum() < 45  # chi-squared with 14 degrees of freedom: 99.99 %


def test_utilities_give_the_chances_of_choices(worlds):
    """Shares chosen on a card are the mean logit chances of the true utilities, in the rich version too."""
    for version in ("plain", "rich"):
        t = worlds[version].truth
        for block in cards.BLOCKS:
            design = P.codebook.designs.query("block == @block and version == '1' and card == '2'")
            design = design.set_index("alternative")
            used = [a for a in cards.STEP if f"{block}_{a}_effect" in P.levels]
            part = t[t[f"{block}_card_2"].notna() & (t[f"{block}_version"] == 1)]
            chance = softmax(cards.utilities(block, part, design[used].astype(float), P, version), axis=1)
            chosen = np.column_stack([part[f"{block}_card_2"] == name for name in design.index])
            error = np.sqrt((chance * (1 - chance)).sum(axis=0)) / len(part)
            assert (np.abs(chosen.mean(axis=0) - chance.mean(axis=0)) < 4 * error).all()


def test_what_is_said_on_cards_leans_to_offers(worlds):
    """Yes-sayers never go on as before; those who overstate less often still."""
    keep = {
        v: (w.answers["home_card_1"] == "stay").sum() / w.answers["home_card_1"].notna().sum()
        for v, w in worlds.items()
    }
    assert keep["strategic"] < keep["rich"] < keep["plain"]
    wants = {v: (w.answers["wants_loan"] == "yes").mean() for v, w in worlds.items()}
    assert wants["strategic"] > wants["rich"] + 0.05
    rich, strategic = (worlds[v].answers["loan_amount_dh"] for v in ("rich", "strategic"))
    both = (rich > 0) & (strategic > 0)  # those who join lately want less than those who wanted one anyhow
    more = 1 + P["strategic_share"] * (P["strategic_amount_factor"] - 1)
    assert strategic[both].mean() / rich[both].mean() == pytest.approx(more, abs=0.02)


def test_loans_wanted_are_selected(truth):
    """Heckman's two steps with statsmodels: the coefficient of sd x Mills ratio is the correlation of errors."""
    t = truth[truth["age"] >= 18]
    names = ["children", "crowded", "tenant", "indebted", "decade", "widow", "retired", "wants", "pay"]
    z = sm.add_constant(pd.DataFrame({n: covariate(t, n) for n in names}))
    wants = (t["wants_loan"] == "yes").to_numpy()
    probit = sm.Probit(wants.astype(float), z).fit(disp=False)
    for name in names:
        assert abs(probit.params[name] - P[f"wants_loan_{name}_slope"]) < 4 * probit.bse[name], name
    index = (z @ probit.params)[wants]
    housing = t.loc[wants, "loan_purpose"].isin(["home", "building"])
    sd = np.where(housing, P["loan_housing_log_sd"], P["loan_consumer_log_sd"])
    x = pd.DataFrame({n: covariate(t[wants], n) for n in ("pay", "decade", "tenant")}).assign(
        housing=housing.astype(float)
    )
    x["selected"] = sd * norm.pdf(index) / norm.cdf(index)
    fit = sm.WLS(np.log(t.loc[wants, "loan_amount_dh"]), sm.add_constant(x), weights=1 / sd**2).fit()
    assert abs(fit.params["selected"] - P["loan_errors_correlation"]) < 4 * fit.bse["selected"]
    assert fit.params["selected"] > 2 * fit.bse["selected"]


def test_trips_between_towns_fall_with_their_cost(truth):
    """A negative binomial of statsmodels recovers elasticity and dispersion within 4 s.e."""
    t = truth[:6000]
    names = ["pay", "children", "retired", "widow", "orphan", "remote"]
    x = sm.add_constant(pd.DataFrame({n: covariate(t, n) for n in names}).assign(cost=np.log(t["trip_price_dh"])))
    fit = sm.NegativeBinomial(t["intercity_trips_n"], x).fit(disp=False, method="bfgs", maxiter=300)
    assert abs(fit.params["cost"] - P["intercity_price_elasticity"]) < 4 * fit.bse["cost"]
    assert abs(fit.params["alpha"] - P["intercity_trips_n_spread"]) < 4 * fit.bse["alpha"]


def test_wishes_follow_price_and_budget(truth):
    """The dear kinds are wanted by those with a large budget; small incomes want the cheap ones more often."""
    dear = truth["home_kind"].isin(["standing_flat", "house"])
    asked = truth["home_kind"].notna()
    budget = truth.loc[asked, "home_budget_dh"].groupby(dear[asked]).median()
    assert budget[True] > 1.5 * budget[False]
    low = truth["income_dh"] < P["income_low_dh"]
    assert dear[asked & low].mean() < dear[asked & ~low].mean() - 0.05


def test_satisfaction_has_one_factor_below_need(truth):
    """Items hang together; the crowded and the indebted are less satisfied with their home and income."""
    order = {code: i for i, code in enumerate(P.codebook.codes("satisfaction"))}
    items = truth.filter(like="satisfied_").apply(lambda c: c.map(order)).astype(float)
    assert items.corr().to_numpy()[np.triu_indices(items.shape[1], 1)].min() > 0.15
    happy = items["satisfied_home"]
    assert happy[truth["crowded"]].mean() < happy[~truth["crowded"]].mean() - 0.2


def test_forms_have_habits_that_can_be_found(worlds):
    """Straight lines, partial rankings, heaped amounts, gaps and near-duplicates are there at their rates."""
    plain, rich = worlds["plain"].answers, worlds["rich"].answers
    items = list(VARIABLES.index[VARIABLES["group"] == "satisfied"])
    straight = {}
    for version, said in (("p", plain), ("r", rich)):
        active = said.loc[said["status"] == "active", items].dropna()
        straight[version] = active.eq(active[items[0]], axis=0).all(axis=1).mean()
    assert abs(straight["r"] - straight["p"] - P["straight_line_share"]) < 0.015
    ranks = rich.filter(like="health_rank_")
    short = (ranks.max(axis=1) == 3)[ranks.notna().any(axis=1)].mean()
    assert abs(short - P["partial_ranking_share"]) < 0.03
    amount = rich["loan_amount_dh"]
    assert set(amount[amount < 0]) == {-98.0, -99.0}
    assert 0.02 < (amount[rich["wants_loan"] == "yes"].isna() | (amount < 0)).mean() < 0.09
    telling = [
        "dwelling_m2",
        "services_km",
        "uncovered_cost_dh",
        "schooling_dh",
        "holiday_budget_dh",
        "intercity_cost_dh",
    ]
    twins = {}
    for version, said in (("plain", plain), ("rich", rich)):
        full = said.loc[(said[telling] > 0).all(axis=1), telling]
        twins[version] = full.duplicated().mean()
    assert twins["plain"] == 0
    assert 0.3 < twins["rich"] / P["copied_share"] < 1.5
    links = rich.merge(worlds["rich"].truth[["person_id", "register_links_n"]], on="person_id", suffixes=("", "_true"))
    linked = links[links["register_links_n_true"] > 1]
    assert abs((linked["register_links_n"] == 1).mean() - P["link_forgotten_share"]) < 0.1
