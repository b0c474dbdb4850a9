"""The plan of what is published, protected."""

import numpy as np
import pandas as pd
import pytest
from books import BOOK

from welfare_analysis.errors import WelfareError
from welfare_analysis.publishing import figures, show
from welfare_analysis.publishing.verbs import contrast
from welfare_analysis.results import release
from welfare_analysis.results.descriptive import CONDITION, IDENTITIES, descriptive, inside, view
from welfare_analysis.study import DATA, Study


def study(frame, register=None):
    """A study of generated answers; codes as the codebook orders them."""
    kinds = {c: pd.CategoricalDtype(BOOK.codes(c)) for c in ("status", "tenure", "command", "rank") if c in frame}
    return Study.of(frame.astype(kinds), register, None, BOOK)


def plan(tmp_path, *rows):
    path = tmp_path / "release.csv"
    columns = ["id", "statistic", "variables", "by", "where", "unit"]
    pd.DataFrame(rows, columns=columns).to_csv(path, index=False)
    return path


def people(status, n, **columns):
    return pd.DataFrame({"status": status, **{k: np.resize(v, n) for k, v in columns.items()}}, index=range(n))


@pytest.fixture
def family():
    """Active staff, retirees, and two small groups: 20 widows and 15 orphans."""
    parts = [
        people("active", 400, tenure=["tenant", "owner"], rooms_n=[2.0], household_size_n=[3.0, 6.0]),
        people("retired", 200, tenure=["tenant", "owner"], rooms_n=[2.0], household_size_n=[3.0, 6.0]),
        people("widow", 20, tenure=["tenant", "owner"], rooms_n=[2.0], household_size_n=[3.0, 6.0]),
        people("orphan", 15, tenure=["tenant", "owner"], rooms_n=[2.0], household_size_n=[3.0, 6.0]),
    ]
    return study(pd.concat(parts, ignore_index=True))


def test_small_groups_are_first_made_coarser(family):
    """Widows and orphans, each too few, are shown together as the hierarchy of the codebook says."""
    frame = descriptive(family)["crowded_by_status"].frame.set_index("status")
    assert list(frame.index) == ["active", "retired", "survivors"]
    assert frame.loc["survivors", "n"] == 40  # 35, to ten
    assert (frame["flag"] == ["", "", "unsure"]).all()


def test_what_stays_small_is_hidden(family):
    """Where the coarser group is still too small it is hidden, and the next smallest with it."""
    few = Study.of(family.frame.iloc[:-20].drop(columns="age_group", errors="ignore"), None, None, BOOK)
    frame = descriptive(few)["crowded_by_status"].frame.set_index("status")
    assert list(frame["flag"]) == ["", "hidden", "hidden"]
    assert frame.loc["survivors", ["estimate", "low", "high", "n"]].isna().all()


def test_standards_hide_what_differs_by_a_few(tmp_path):
    """Homes between two standards that are fewer than ten would be the difference of two published numbers."""
    sizes = [2.0] * 300 + [4.5] * 100 + [5.5] * 4 + [8.0] * 96
    one = study(people("active", 500, rooms_n=[2.0], household_size_n=sizes))
    frame = descriptive(one, plan(tmp_path, ("x", "standards", "crowded", "", "", "share")))["x"].frame
    assert frame["standard"].tolist() == [1.0, 1.5, 2.0, 2.5, 3.0]
    assert frame["flag"].tolist() == ["", "", "", "", "hidden"]


def test_numbers_of_people_are_rounded(tmp_path):
    """Totals, their bounds and counts are multiples of ten."""
    register = pd.DataFrame({"person_id": [f"p{i}" for i in range(1234)], "status": "active", "sex": "m", "age": 40.0})
    register = register.assign(rank="gardien", command=np.resize(["rabat", "nador"], 1234))
    answers = register.iloc[:600].assign(tenure=np.resize(["tenant", "owner"], 600))
    one = study(answers, register)
    rows = [("t", "total", "tenant", "", "", "persons"), ("c", "count", "", "status|age_group", "", "persons")]
    released = descriptive(one, plan(tmp_path, *rows))
    for name in ("t", "c"):
        assert (released[name].frame[["estimate", "low", "high"]].to_numpy() % 10 == 0).all()
    assert released["c"].frame["estimate"].tolist() == [1230.0]


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        (("x", "mode", "tenure", "", "", "share"), "unknown statistic"),
        (("x", "share", "tenure", "", "status > 3", "share"), "a condition cannot be read"),
    ],
)
def test_a_plan_that_cannot_be_read(family, tmp_path, row, fault):
    """An unknown statistic or condition names its row."""
    with pytest.raises(WelfareError, match=f"release.csv, x: {fault}"):
        descriptive(family, plan(tmp_path, row))


def test_the_plan_speaks_the_codebook():
    """Every condition of the plan reads, and names codes of its variable."""
    for rule in pd.read_csv(DATA / "release.csv", keep_default_na=False)["where"]:
        if rule:
            name, codes = CONDITION.match(rule).groups()
            assert set(codes.split("|")) <= set(BOOK.codes(str(BOOK.variables.loc[name, "list"])))


@pytest.fixture
def secret():
    """Tenants of two commands, one of them with few respondents and a rent that nobody else pays."""
    rent = np.where(np.arange(200) < 12, 4321.0, 1500.0 + np.arange(200))
    command = np.where(np.arange(200) < 12, "nador", "rabat")
    return study(people("active", 200, tenure=["tenant"], rent_dh=rent, command=command))


def test_no_hidden_number_reaches_a_page(secret):
    """Neither table, figure data, alternative text nor sentence holds a number of a hidden group."""
    one = release(secret)["rent_median_by_command"]
    assert (one.frame["flag"] == "hidden").all()
    figure, tables = figures.picture(secret, "rent_median_by_command")
    texts = [show(secret, one).data, contrast(one, secret), show(secret, "rent_median").data]
    assert not tables
    assert all("4321" not in text and "4,321" not in text for text in texts)
    assert not figure.axes


def test_a_condition_that_is_one_category_is_hidden_as_that_category(tmp_path):
    """Three of 60 retirees live in service housing: the line of tenants is completed too, and both tables agree."""
    frame = pd.concat(
        [
            people("active", 200, tenure=["tenant"] * 9 + ["owner"] * 8 + ["service"] * 3),
            people("retired", 60, tenure=["tenant"] * 12 + ["owner"] * 45 + ["service"] * 3),
            people("widow", 300, tenure=["tenant", "owner", "service"]),
        ],
        ignore_index=True,
    )
    rows = [("tenant_by_status", "share", "tenant", "status", "", "share"),
            ("tenure_by_status", "share", "tenure", "status", "", "share")]  # fmt: skip
    alone = descriptive(study(frame), plan(tmp_path, rows[0]))["tenant_by_status"].frame
    assert not alone["flag"].eq("hidden").any()  # by itself it would show what the other table hides
    both = descriptive(study(frame), plan(tmp_path, *rows))
    whole = both["tenure_by_status"].frame
    tenants = whole[whole["category"] == "tenant"].set_index("status")
    own = both["tenant_by_status"].frame.set_index("status")
    assert tenants["flag"].eq("hidden").any()
    assert (own["flag"] == tenants["flag"]).all()
    assert own["estimate"].equals(tenants["estimate"])


def test_identities_hold():
    """Each condition of the list is met by just those who are in its category, in the truth of the stand-in's form."""
    frame = view(Study.open(), "").frame
    for row in pd.read_csv(IDENTITIES).itertuples():
        met, there = frame[row.condition].astype("boolean"), frame[row.variable].astype(object).eq(row.code)
        known = met.notna() & frame[row.variable].notna()
        assert known.sum() == met.notna().sum() == frame[row.variable].notna().sum()
        assert (met[known] == there[known]).all()


def test_those_whose_group_is_not_known_are_no_remainder(tmp_path):
    """Of 12 of unknown status 3 are tenants: all less the groups would tell it, unless a group is hidden."""
    groups = {"active": 200, "retired": 100, "widow": 80}
    frame = pd.concat([people(s, n, tenure=["tenant", "owner"]) for s, n in groups.items()], ignore_index=True)
    unknown = people(np.nan, 12, tenure=["tenant", "owner", "owner", "owner"])
    row = ("tenant_by_status", "share", "tenant", "status", "", "share")
    known = descriptive(study(frame), plan(tmp_path, row))["tenant_by_status"].frame
    assert not known["flag"].eq("hidden").any()
    whole = study(pd.concat([frame, unknown], ignore_index=True))
    shown = descriptive(whole, plan(tmp_path, row))["tenant_by_status"].frame.set_index("status")
    assert list(shown.index[shown["flag"] == "hidden"]) == ["widow"]


def test_of_a_question_that_was_not_asked_no_row_meets_a_condition():
    """A file without a column ``sex``: nobody is known to be a woman, and no table ends in an error of the program."""
    frame = pd.DataFrame({"status": ["active", "widow"]})
    assert not inside(frame, "sex = f").any()
    assert inside(frame, "status in active|retired").tolist() == [True, False]
    assert inside(frame, "").all()
