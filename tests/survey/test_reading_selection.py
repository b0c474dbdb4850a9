"""A sample of an institution's own, from the columns of its file to an estimate that was computed by hand."""

import numpy as np
import pandas as pd
import pytest
from books import BOOK

from welfare_analysis.disclosure import policy
from welfare_analysis.errors import WelfareError
from welfare_analysis.estimation import Design, share
from welfare_analysis.publishing import bias
from welfare_analysis.study import DATA, Study
from welfare_analysis.survey.reading import Faults, Map, draft_map, read, read_any, read_followup, typed
from welfare_analysis.survey.standin import Parameters, generate

# two strata of 10 and 8 clusters, of which 3 and 2 were drawn
TENURE = ["tenant", "tenant", "tenant", "owner", "owner", "owner", "owner", "tenant", "tenant", "tenant"]
SAMPLE = pd.DataFrame(
    {
        "status": ["active", "retired"] * 5,
        "tenure": TENURE,
        "weight": ["12.345"] * 6 + ["8.125"] * 4,
        "stratum": ["north"] * 6 + ["south"] * 4,
        "psu": ["1", "1", "2", "2", "3", "3", "1", "1", "2", "2"],
        "fpc": ["10"] * 6 + ["8"] * 4,
    }
)
ARABIC = {
    "status": "الوضعية",
    "tenure": "السكن",
    "weight": "وزن المعاينة",
    "stratum": "الطبقة",
    "psu": "العنقود",
    "fpc": "عدد العناقيد",
}


def by_hand():
    """The share of tenants and its standard error: the ratio's residuals, (1 - f) n / (n - 1) about stratum means."""
    w, y = np.r_[[12.345] * 6, [8.125] * 4], np.array([t == "tenant" for t in TENURE], dtype=float)
    p = (w @ y) / w.sum()
    totals = (w * (y - p)).reshape(5, 2).sum(axis=1)
    parts = [(1 - 3 / 10) * 3 / 2 * ((totals[:3] - totals[:3].mean()) ** 2).sum()]
    parts += [(1 - 2 / 8) * 2 / 1 * ((totals[3:] - totals[3:].mean()) ** 2).sum()]
    return p, np.sqrt(sum(parts)) / w.sum()


def save(frame, folder, kind):
    """Write a file as programs of different countries do."""
    path = folder / ("a.xlsx" if kind == "xlsx" else "a.csv")
    if kind == "xlsx":
        frame.astype({"weight": float, "psu": int}, errors="ignore").to_excel(path, index=False)
    elif kind == "french":
        frame.assign(weight=frame["weight"].str.replace(".", ",")).to_csv(path, index=False, sep=";", encoding="cp1252")
    elif kind == "arabic":
        digits = str.maketrans("0123456789.", "٠١٢٣٤٥٦٧٨٩٫")
        frame.assign(weight=frame["weight"].str.translate(digits)).rename(columns=ARABIC).to_csv(path, index=False)
    else:
        frame.to_csv(path, index=False)
    return path


@pytest.mark.parametrize("kind", ["csv", "xlsx", "french", "arabic"])
def test_a_sample_of_ones_own_is_estimated_as_by_hand(tmp_path, monkeypatch, kind):
    """Weights, strata, clusters and counts give the share and standard error of the textbook's formula."""
    names = None
    if kind == "arabic":
        names = tmp_path / "map.csv"
        lines = [f"column,,{ours},{name}" for name, ours in ARABIC.items()]
        names.write_text("\n".join(["kind,variable,from,to", *lines]), encoding="utf-8")
    for name in ("SURVEY", "REGISTER", "FOLLOWUP", "RECHECK", "CODEBOOK", "MAP"):
        monkeypatch.delenv(name, raising=False)
    study = Study.open(save(SAMPLE, tmp_path, kind), names=names, keep="repeated")
    tenants = share(study.design, study.frame["tenure"])
    value, error = by_hand()
    assert tenants.value["tenant"] == pytest.approx(value, rel=1e-12)
    assert tenants.se["tenant"] == pytest.approx(error, rel=1e-12)
    assert tenants.df["tenant"] == 3
    assert (study.method, study.population) == ("weights", round(6 * 12.345 + 4 * 8.125))
    assert not {"weight", "stratum", "psu", "fpc"} & set(study.frame)


def test_relative_weights_count_no_persons():
    """Weights of mean one give the same shares and no population."""
    relative = SAMPLE.assign(weight=SAMPLE["weight"].astype(float) / SAMPLE["weight"].astype(float).mean())
    study = Study.of(relative.assign(fpc=SAMPLE["fpc"].astype(float)), None, None, BOOK)
    tenants = share(study.design, study.frame["tenure"])
    assert (tenants.value["tenant"], tenants.se["tenant"]) == pytest.approx(by_hand(), rel=1e-12)
    assert (study.method, study.population) == ("relative", None)


def test_replicate_weights_of_a_file_give_its_error(tmp_path):
    """The jackknife of five clusters: the sum over clusters of 4/5 times the squared change of the share."""
    w, y = SAMPLE["weight"].astype(float).to_numpy(), (SAMPLE["tenure"] == "tenant").to_numpy(float)
    dropped = {f"jk1_{r + 1}": np.where(np.arange(10) // 2 == r, 0, w * 5 / 4) for r in range(5)}
    frame = SAMPLE[["status", "tenure", "weight"]].assign(**dropped)
    answers = read(save(frame, tmp_path, "csv"), BOOK).frame
    design = Study.of(answers, None, None, BOOK).design
    shares = np.array([(v @ y) / v.sum() for v in dropped.values()])
    expected = np.sqrt(4 / 5 * ((shares - (w @ y) / w.sum()) ** 2).sum())
    tenants = share(design, answers["tenure"])
    assert tenants.se["tenant"] == pytest.approx(expected, rel=1e-12)


def test_own_weights_are_raked_to_a_register_of_counts(tmp_path):
    """The margins are reached, and the strata and clusters of the file stay: as `Design.calibrate` by itself."""
    twice = pd.concat([SAMPLE, SAMPLE.assign(psu=SAMPLE["psu"] + "b", tenure=TENURE[::-1])])
    answers = read(save(twice, tmp_path, "csv"), BOOK).frame
    counts = pd.Series({"active": 60.0, "retired": 40.0})
    study = Study.of(answers, {"status": counts}, None, BOOK)
    drawn = Design(answers["weight"], answers["stratum"], answers["psu"], answers["fpc"], nest=True)
    expected = share(drawn.calibrate({"status": counts.to_dict()}, answers), answers["tenure"])
    tenants = share(study.design, study.frame["tenure"])
    pd.testing.assert_series_equal(tenants.value, expected.value)
    pd.testing.assert_series_equal(tenants.se, expected.se)
    assert study.method == "margins"


FAULTS = {
    "no weight": ({"weight": ["", *SAMPLE["weight"][1:]]}, (2, "weight", "a number in each row")),
    "a word": ({"weight": ["dix", *SAMPLE["weight"][1:]]}, (2, "weight", "a number")),
    "negative": ({"weight": ["-3", *SAMPLE["weight"][1:]]}, (2, "weight", "between 0 and 1000000000")),
    "no stratum": ({"stratum": [*SAMPLE["stratum"][:9], ""]}, (11, "stratum", "a label in each row")),
    "no unit": ({"psu": [*SAMPLE["psu"][:9], ""]}, (11, "psu", "a label in each row")),
    "one unit": ({"psu": [*SAMPLE["psu"][:6], *"1111"]}, (8, "psu", "two units or more of each stratum, or all of it")),
    "two counts": ({"fpc": ["9", *SAMPLE["fpc"][1:]]}, (2, "fpc", "the units of the whole stratum")),
    "of nothing": ({"weight": ["0"] * 9 + ["8"]}, (1, "weight", "weights above 0 of two forms or more")),
    "one replicate": ({"brr_1": ["1"] * 10}, (1, "brr_1", "two replicate weights or more")),
    "two methods": (
        {name: ["1"] * 10 for name in ("brr_1", "brr_2", "jk1_1", "jk1_2")},
        (1, "jk1_2", "replicate weights of one method, not of brr too"),
    ),
    "too small": ({"fpc": ["2"] * 6 + ["8"] * 4}, (2, "fpc", "the units of the whole stratum")),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_of_a_design_names_its_place(tmp_path, name):
    """File, row, column and rule of what a design cannot be made of."""
    changed, (row, column, rule) = FAULTS[name]
    with pytest.raises(Faults) as caught:
        read(save(SAMPLE.assign(**changed), tmp_path, "csv"), BOOK)
    first = caught.value.table.iloc[0]
    assert (first["file"], first["row"], first["column"]) == ("a.csv", row, column)
    assert first["rule"].startswith(rule)


def test_strata_without_weights_are_refused(tmp_path):
    """What says how a sample was drawn and lacks its weights would be counted as if each stood for one."""
    with pytest.raises(Faults, match="column weight: this column is required"):
        read(save(SAMPLE.drop(columns="weight"), tmp_path, "csv"), BOOK)


def test_check_reads_a_sample_as_answers_and_the_map_drafts_its_columns(tmp_path):
    """Own samples are answers, no follow-up; usual words for their columns are known to the draft of a map."""
    assert read_any(save(SAMPLE, tmp_path, "csv"), BOOK)[0] == "answers"
    words = {"weight": "Coefficient de pondération", "stratum": "Strate de sondage", "psu": "N° de grappe"}
    draft = draft_map(save(SAMPLE.rename(columns=words), tmp_path, "csv"), BOOK).set_index("from")["to"]
    assert draft.to_dict() == {header: name for name, header in words.items()}
    unsure = save(SAMPLE.drop(columns=["weight", "psu", "fpc"]).rename(columns={"stratum": "Strate"}), tmp_path, "csv")
    assert draft_map(unsure, BOOK).set_index("from").at["Strate", "to"] == ""  # much else is named so
    (tmp_path / "map.csv").write_text("kind,variable,from,to\ncolumn,,wr1,brr_1\n", encoding="utf-8")
    assert Map.read(tmp_path / "map.csv", BOOK).headers == {"wr1": "brr_1"}


def test_own_weights_and_a_followup_are_refused(tmp_path):
    """Two designs for one file: the program does not choose."""
    answers = read(save(SAMPLE, tmp_path, "csv"), BOOK).frame
    with pytest.raises(WelfareError, match="sampling weights of their own"):
        Study.of(answers, pd.DataFrame({"person_id": ["a"]}), answers, BOOK)


FOLLOWED = pd.DataFrame(
    {
        "person_id": ["a", "b", "c"],
        "stratum": "s",
        "stratum_population": "9",
        "outcome": ["answered", "answered", "refused"],
        "status": ["active", "active", ""],
        "tenure": ["owner", "tenant", ""],
        "mode": ["visite", "هاتف", ""],
        "date": ["2026-11-29", "30/11/2026", ""],
    }
)


def test_mode_and_day_of_a_followup_are_read(tmp_path):
    """Codes and labels of the mode, days in two forms; blank where nobody answered."""
    frame = read_followup(save(FOLLOWED, tmp_path, "csv"), BOOK).frame
    assert frame["mode"].tolist()[:2] == ["visit", "telephone"]
    assert pd.isna(frame["mode"][2])
    assert frame["date"].dt.strftime("%d.%m.").tolist()[:2] == ["29.11.", "30.11."]
    assert pd.isna(frame["date"][2])


@pytest.mark.parametrize(
    ("column", "cell", "rule"),
    [("mode", "pigeon", "one of form, visit"), ("date", "2026-13-40", "a day, as 2026")],
)
def test_a_mode_or_day_that_is_none_names_its_place(tmp_path, column, cell, rule):
    """Row, column and rule."""
    with pytest.raises(Faults) as caught:
        read_followup(save(FOLLOWED.assign(**{column: [cell, *FOLLOWED[column][1:]]}), tmp_path, "csv"), BOOK)
    first = caught.value.table.iloc[0]
    assert (first["row"], first["column"]) == (2, column)
    assert first["rule"].startswith(rule)


def test_a_stratum_is_not_called_as_the_forms_that_came_back(tmp_path):
    """The returned forms are a stratum of that name: both would be one."""
    with pytest.raises(Faults, match="column stratum: another name"):
        read_followup(save(FOLLOWED.assign(stratum="returned"), tmp_path, "csv"), BOOK)


@pytest.fixture(scope="module")
def world():
    """Return a small survey with a register and a follow-up."""
    return generate(Parameters.read(DATA / "public"), 1956, "plain", size=1500)


def test_the_page_counts_answers_of_another_mode(world):
    """Half of the follow-up came on forms too, the others by telephone or visit (where nothing is said)."""
    late = world.followup.assign(mode=None, date=pd.Timestamp("2026-11-30"))
    first = late.index[late["outcome"] == "answered"]
    half = len(first) // 2
    late.loc[first[:half], "mode"] = "form"
    late.loc[first[half : half + 3], "mode"] = "telephone"
    answers = typed(world.answers, BOOK).assign(date=pd.Timestamp("2026-11-01"))
    study = Study.of(answers, world.register, late, BOOK)
    other, every = (f"{policy().base(n):,.0f}" for n in (len(first) - half, len(first)))
    assert other != every
    assert f"Of the {every} answers of the follow-up, {other} came later" in bias(study).data
    old = Study.of(typed(world.answers, BOOK), world.register, world.followup, BOOK)
    assert f"Of the {every} answers of the follow-up, {every} came later" in bias(old).data
    np.testing.assert_array_equal(study.design.weights, old.design.weights)


def test_visits_before_the_last_form_are_refused(world):
    """Whoever is visited before the forms are in may still return one."""
    late = world.followup.assign(date=pd.Timestamp("2026-10-30"))
    answers = typed(world.answers, BOOK).assign(date=pd.Timestamp("2026-11-01"))
    with pytest.raises(WelfareError, match=rf"visits were made before.*got {len(late)}"):
        Study.of(answers, world.register, late, BOOK)


def test_a_replicate_weight_that_is_not_there_is_a_fault(tmp_path):
    """Three of four columns would give another error: the lost one is named."""
    path = tmp_path / "a.csv"
    path.write_text("status,tenure,weight,jk1_1,jk1_2,jk1_4\nactive,tenant,1,2,0,1\nactive,owner,1,0,2,1\n")
    with pytest.raises(Faults) as error:
        read(path, BOOK)
    assert list(error.value.table["rule"]) == ["replicate weights without a gap; jk1_3 is not there"]


def test_a_weight_of_nothing_is_told(tmp_path):
    """A form that counts for nobody is no fault, and is not passed over."""
    weights = SAMPLE["weight"].where(SAMPLE.index > 1, 0)
    report = read(save(SAMPLE.assign(weight=weights), tmp_path, "csv"), BOOK).report.set_index("what")
    assert report.at["forms whose weight is 0: they count for nobody", "n"] == 2


def test_short_words_of_a_design_are_sure_beside_each_other(tmp_path):
    """`poids`, `strate` and `grappe` together are those of a sample."""
    words = {"weight": "poids", "stratum": "strate", "psu": "grappe"}
    draft = draft_map(save(SAMPLE.rename(columns=words), tmp_path, "csv"), BOOK).set_index("from")["to"]
    assert draft.to_dict() == {header: name for name, header in words.items()}
