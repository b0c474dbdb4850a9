"""Choice situations are read: order, matching to the design, coding, and what is refused."""

import numpy as np
import pandas as pd
import pytest

from welfare_analysis.errors import WelfareError
from welfare_analysis.estimation import Design
from welfare_analysis.estimation.choice import choices, logit, prepared

NAMES = {"case": "case", "alternative": "mode"}


def test_rows_are_sorted_and_told(cards):
    """Shuffled rows are put in order of case and alternative, and ``order`` says where each was."""
    f = cards(1)
    shuffled = f.sample(frac=1, random_state=2)
    c = choices(None, shuffled, "chosen ~ cost + time", **NAMES)
    pd.testing.assert_frame_equal(
        pd.DataFrame(c.x, columns=c.names), shuffled.iloc[c.order][["cost", "time"]].reset_index(drop=True)
    )
    assert (np.diff(c.case) >= 0).all()
    assert (c.labels[c.case] == shuffled["case"].to_numpy()[c.order]).all()
    assert (c.alternatives[c.alternative] == shuffled["mode"].to_numpy()[c.order]).all()
    assert shuffled["chosen"].to_numpy()[c.order][c.chosen].all()
    assert c.sizes.sum() == len(f)
    assert c.n_cases == 120


def test_persons_are_matched_by_name(cards):
    """Rows of the design are told by the names of persons, in any order; some may have no case."""
    f = cards(1)
    people = pd.Index(np.random.default_rng(1).permutation(np.arange(500, 545)))
    design = Design(pd.Series(np.arange(45) + 1.0, index=people))
    c = choices(design, f, "chosen ~ cost", **NAMES, person="person")
    assert (people[c.person] == f.groupby("case", sort=False)["person"].first()[c.labels]).all()
    assert c.n_persons == 40
    sums = c.persons(np.ones((120, 1)))[:, 0]
    np.testing.assert_array_equal(sums, np.where(people < 540, 3, 0))


def test_numbered_rows_go_by_position(cards):
    """The n labels of cases are the n numbered rows of a design in the order in which they come."""
    f = cards(1)
    for weights in (np.arange(120) + 1.0, pd.Series(np.arange(120) + 1.0)):
        np.testing.assert_array_equal(choices(Design(weights), f, "chosen ~ cost", **NAMES).weights, weights)


def test_interaction_with_a_person_characteristic_is_coded_once(cards):
    """What a person is enters by alternative, with one alternative left out, however the interaction is written."""
    f = cards(1)
    expected = ["C(mode)[T.b]", "C(mode)[T.c]", "C(mode)[T.d]", "cost"]
    expected += [f"C(mode)[T.{m}]:income" for m in "bcd"]
    for formula in ("C(mode) + cost + C(mode):income", "C(mode)*income + cost", "0 + C(mode) + cost + C(mode):income"):
        assert choices(None, f, f"chosen ~ {formula}", **NAMES).names == expected
    by_sex = choices(None, f, "chosen ~ cost + C(mode, contr.treatment('d')):C(sex)", **NAMES)
    assert by_sex.x.shape[1] == 1 + 3 * 2
    assert np.linalg.matrix_rank(by_sex.x - by_sex.x[by_sex.start][by_sex.case]) == 7


def test_changed_frame_is_coded_as_the_first(cards):
    """Attributes of a changed frame have the same columns, levels and centring."""
    f = cards(1)
    fit = logit(None, f, "chosen ~ C(mode) + center(cost) + C(mode):C(sex)", **NAMES)
    c, design = fit.cases, fit.cases.design
    np.testing.assert_array_equal(prepared(fit, design, f).cases.x, c.x)
    np.testing.assert_array_equal(prepared(fit, design, f[f["sex"] == "f"]).cases.x, c.x[(f["sex"] == "f").to_numpy()])
    up = prepared(fit, design, f.assign(cost=f["cost"] + 2)).cases.x
    np.testing.assert_allclose(up - c.x, np.where(np.array(c.names) == "center(cost)", 2.0, 0) + 0 * c.x, atol=1e-12)
    for changed, what in (
        (f.assign(sex=f["sex"].replace("f", "other")), "the columns cannot be made"),
        (f.drop(columns="cost"), "the columns cannot be made"),
        (f.assign(cost=np.nan), "missing or infinite"),
    ):
        with pytest.raises(WelfareError, match=what):
            prepared(fit, design, changed)


def test_part_is_what_reading_the_part_gives(cards):
    """The cases of a mask are those that are read from their rows alone."""
    f = cards(1)
    c = choices(None, f, "chosen ~ cost + time", **NAMES, person="person")
    keep = np.arange(120) % 4 != 1
    part, alone = (
        c.part(keep[c.case]),
        choices(c.design, f[np.isin(f["case"], c.labels[keep])], "chosen ~ cost + time", **NAMES, person="person"),
    )
    for name in ("x", "case", "start", "labels", "alternative", "chosen", "person", "sizes"):
        np.testing.assert_array_equal(getattr(part, name), getattr(alone, name))


def broken(f: pd.DataFrame, what: str) -> tuple[pd.DataFrame, dict]:
    """The frame, or the arguments, with one fault."""
    more: dict = {}
    rows = f["case"] == 1007
    if what == "no choice":
        f = f.assign(chosen=f["chosen"] & ~rows)
    elif what == "two choices":
        f = f.assign(chosen=f["chosen"] | rows)
    elif what == "twice":
        f = pd.concat([f, f[rows & ~f["chosen"]].head(1)])
    elif what == "never chosen":
        d = f.loc[(f["mode"] == "d") & f["chosen"], "case"]
        f = f[~f["case"].isin(d)]
    elif what == "never available":
        f = f.assign(mode=pd.Categorical(f["mode"], categories=list("abcde")))
    elif what == "constant":
        more["formula"] = "chosen ~ cost + income"
    elif what == "missing":
        f = f.assign(cost=f["cost"].where(~rows))
    elif what == "infinite":
        f = f.assign(cost=f["cost"].where(~rows, np.inf))
    elif what == "text":
        f = f.assign(chosen=np.where(f["chosen"], "yes", "no"))
    elif what == "two persons":
        f = f.assign(person=f["person"].where(~(rows & f["chosen"]), 501))
        more["person"] = "person"
    elif what == "other people":
        more["design"] = Design(pd.Series(1.0, index=[f"p{i}" for i in range(120)]))
    elif what == "repeated names":
        more["design"] = Design(pd.Series(1.0, index=np.repeat(np.arange(60) + 1000, 2)))
    elif what == "no column":
        more["formula"] = "chosen ~ price"
    elif what == "syntax":
        more["formula"] = "chosen ~ cost +* time"
    elif what == "no base":
        more["formula"] = "chosen ~ C(mode, contr.treatment('z')) + cost"
    elif what == "no row":
        f = f.iloc[:0]
    elif what == "two columns":
        f = pd.concat([f, f[["cost"]]], axis=1)
    elif what == "no frame":
        f = f.to_numpy()
    elif what == "nothing":
        more["formula"] = "chosen ~ 1"
    return f, more


@pytest.mark.parametrize(
    ("what", "message"),
    [
        ("no choice", r"chosen: no alternative is chosen in a case; got 'case 1007, the first of 1'"),
        ("two choices", r"chosen: two alternatives or more are chosen in a case; got 'case 1007"),
        ("twice", "mode: an alternative is twice in a case; got '. in case 1007'"),
        ("never chosen", r"mode: an alternative is never chosen; got \['d'\]"),
        ("never available", r"mode: an alternative is never available; got \['e'\]"),
        ("constant", r"the same for all alternatives of each case; got \['income'\]"),
        ("missing", "cost: rows have no value; got "),
        ("infinite", r"missing or infinite; got \['cost'\]"),
        ("text", "chosen: it is not numeric"),
        ("two persons", r"person: a case has two persons; got 'case 1007'"),
        ("other people", "case: labels are not the names of the design's rows; got '120 labels, 120 of them"),
        ("repeated names", "two rows of the design have one name"),
        ("no column", "a column is missing; got 'price'"),
        ("syntax", "the formula cannot be read"),
        ("no base", "the columns cannot be made; got .*'z'"),
        ("no row", "not a frame of choices; got 'DataFrame of shape .0, 8.'"),
        ("two columns", "not a frame of choices; got 'DataFrame of shape"),
        ("no frame", "not a frame of choices; got 'ndarray of shape"),
        ("nothing", "there is no attribute"),
    ],
)
def test_faults_are_told(cards, what, message):
    """Each fault of the data is an error that names the case or the column."""
    f, more = broken(cards(1), what)
    call = {"design": None, "formula": "chosen ~ cost + time"} | more
    with pytest.raises(WelfareError, match=message):
        choices(call.pop("design"), f, call.pop("formula"), **NAMES, **call)


def test_choices_that_no_model_weighs(cards):
    """Negative weights, which linear calibration may give, and dates are refused."""
    f = cards(1)
    design = Design(np.ones(120)).reweighted(np.where(np.arange(120) == 3, -1.0, 1.0), None)
    with pytest.raises(WelfareError, match="weights are negative"):
        logit(design, f, "chosen ~ cost", **NAMES)
    with pytest.raises(WelfareError, match="the columns cannot be made"):
        logit(None, f.assign(day=pd.date_range("2012-03-01", periods=len(f))), "chosen ~ cost + day", **NAMES)
