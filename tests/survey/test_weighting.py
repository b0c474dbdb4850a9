import numpy as np
import pandas as pd
import pytest

from welfare_analysis.errors import WelfareError
from welfare_analysis.estimation import mean, share, total
from welfare_analysis.survey.weighting import merged, weight


@pytest.fixture
def people():
    """A register of 400: two statuses in two command groups, need known for each, and more need among returners."""
    rng = np.random.default_rng(3)
    n = 400
    register = pd.DataFrame(
        {
            "person_id": [f"p{i}" for i in range(n)],
            "status": np.where(np.arange(n) < 300, "active", "retired"),
            "rank_group": np.where(np.arange(n) % 2 == 0, "guards", "officers"),
            "age_group": np.where(np.arange(n) < 300, "30_39", "60_over"),
            "command_group": np.where(np.arange(n) % 4 < 2, "north", "east"),
            "sex": "m",
        }
    )
    need = (rng.random(n) < 0.4).astype(float)
    returned = rng.random(n) < np.where(need == 1, 0.8, 0.3)
    return register, pd.Series(need, index=register["person_id"]), pd.Series(returned, index=register["person_id"])


def collect(register, need, returned, rng, answered=1.0):
    """Forms of those who returned, and a follow-up of a third of the others in strata of status."""
    others = register[~returned.to_numpy()]
    drawn = others.groupby("status").sample(frac=1 / 3, random_state=rng)
    size = others["status"].value_counts()
    outcome = np.where(rng.random(len(drawn)) < answered, "answered", "refused")
    followup = pd.DataFrame(
        {
            "person_id": drawn["person_id"].to_numpy(),
            "stratum": drawn["status"].to_numpy(),
            "stratum_population": drawn["status"].map(size).to_numpy(),
            "outcome": outcome,
            "need": np.where(outcome == "answered", need[drawn["person_id"]], np.nan),
        }
    )
    ids = register["person_id"][returned.to_numpy()]
    return pd.DataFrame({"person_id": ids.to_numpy(), "need": need[ids].to_numpy()}), followup


def test_returners_stand_for_themselves_and_the_follow_up_for_the_others(people):
    """Hansen and Hurwitz: before calibration a returner weighs 1, a followed-up non-returner N2h / n2h."""
    register, need, returned = people
    rng = np.random.default_rng(1)
    answers, followup = collect(register, need, returned, rng)
    weighted = weight(answers, register, followup)
    assert weighted.method == "two_phase"
    # Calibration keeps the register's margins, so the size is exact.
    assert weighted.design.weights.sum() == pytest.approx(400, rel=1e-9)
    assert total(weighted.design, pd.Series(1.0, index=range(weighted.design.n))).se.iloc[0] == 0
    late = (weighted.frame["outcome"] == "answered").to_numpy()
    assert weighted.design.weights[late].min() > 2 > weighted.design.weights[~late].max()


def test_informative_return_misleads_returners_and_not_the_two_phases(people):
    """When return depends on need, weighting returners to the register misses the truth; the follow-up recovers it."""
    register, need, returned = people
    rng = np.random.default_rng(2)
    covered = {"two_phase": 0, "returners": 0}
    errors = []
    for _ in range(60):
        answers, followup = collect(register, need, returned, rng, answered=0.7)
        for second in (followup, None):
            weighted = weight(answers, register, second)
            estimate = share(weighted.design, weighted.frame["need"])
            bounds = estimate.interval().iloc[0]
            covered[weighted.method] += bounds["low"] <= need.mean() <= bounds["high"]
            if second is not None:
                errors.append(estimate.value.iloc[0] - need.mean())
    assert covered["two_phase"] >= 52
    assert covered["returners"] == 0
    assert abs(np.mean(errors)) < 4 * np.std(errors) / np.sqrt(len(errors)) + 0.01


def test_the_young_answer_visits_less():
    """Simulate and recover: the follow-up reaches few of the young, whose returners differ: it stands for them by age.

    Raking to ages does not mend it: it raises the young who returned a form with those who did not.
    """
    rng, n, errors = np.random.default_rng(4), 1600, []
    young, back = np.arange(n) % 2 == 0, np.arange(n) % 4 < 2
    register = pd.DataFrame({"person_id": [f"p{i}" for i in range(n)], "status": "active", "sex": "m"})
    register = register.assign(rank_group="guards", command_group="north", age_group=np.where(young, "18_29", "50_59"))
    need = (
        pd.Series(np.where(young & back, 0.9, np.where(young, 0.3, 0.2)) > rng.random(n), register["person_id"]) * 1.0
    )
    for _ in range(30):
        answers, followup = collect(register, need, pd.Series(back), rng)
        reached = rng.random(len(followup)) < np.where(
            followup["person_id"].isin(register["person_id"][young]), 0.4, 0.9
        )
        followup = followup.assign(
            outcome=np.where(reached, "answered", "not_reached"), need=followup["need"].where(reached)
        )
        weighted = weight(answers, register, followup)
        errors.append(share(weighted.design, weighted.frame["need"]).value.iloc[0] - need.mean())
    assert abs(np.mean(errors)) < 3 * np.std(errors) / np.sqrt(len(errors)) + 0.005


def test_without_a_register_respondents_speak_for_themselves(people):
    """Weights of one, and the mean is the plain mean."""
    register, need, returned = people
    answers, _ = collect(register, need, returned, np.random.default_rng(4))
    weighted = weight(answers)
    assert weighted.method == "respondents"
    assert mean(weighted.design, weighted.frame["need"]).value.iloc[0] == pytest.approx(answers["need"].mean())


def test_small_classes_are_merged_within_their_coarse_class():
    """A class with too few answers joins the others of its status; where these are too few the whole status is one."""
    fine = pd.Series(["a1"] * 20 + ["a2"] * 12 + ["a3"] * 15 + ["b1"] * 30 + ["b2"] * 3)
    coarse = pd.Series(["a"] * 47 + ["b"] * 33)
    seen = np.array([True] * 20 + [True] * 6 + [False] * 6 + [True] * 6 + [False] * 9 + [True] * 33)
    labels = merged(fine, coarse, seen, least=10)
    assert labels.value_counts().to_dict() == {"b": 33, "other a": 27, "a1": 20}


def test_persons_must_be_in_the_register(people):
    """An answer of a person that the register lacks is an error that counts, and names no person."""
    register, need, returned = people
    answers, followup = collect(register, need, returned, np.random.default_rng(5))
    with pytest.raises(WelfareError, match="not in the register") as caught:
        weight(answers.assign(person_id=lambda d: d["person_id"] + "x"), register, followup)
    assert answers["person_id"].iloc[0] not in str(caught.value)
    answers["person_id"] = answers["person_id"].str.upper()
    with pytest.raises(WelfareError, match=f"{len(answers)} of the keys are in the register but for case"):
        weight(answers, register, followup)


def test_a_returner_is_not_followed_up(people):
    """The follow-up is of persons who did not return the form."""
    register, need, returned = people
    answers, followup = collect(register, need, returned, np.random.default_rng(6))
    twice = followup.assign(person_id=[answers["person_id"].iloc[0], *followup["person_id"].iloc[1:]])
    with pytest.raises(WelfareError, match="were followed up"):
        weight(answers, register, twice)


def test_one_answer_of_a_status_tells_no_error(people):
    """Of a hundred retired one answered: that is said with their name, and what to do."""
    register, need, _ = people
    back = [*register["person_id"][:200], register["person_id"].iloc[-1]]
    answers = pd.DataFrame({"person_id": back, "need": need[back].to_numpy()})
    with pytest.raises(WelfareError, match=r"one person alone.*retired"):
        weight(answers, register)
    rest = register[register["status"] == "active"]
    assert weight(answers.iloc[:200], rest).design.weights.sum() == pytest.approx(300, rel=1e-9)
