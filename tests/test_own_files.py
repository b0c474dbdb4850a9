"""Files of one's own, from the command to the pages: checked, published, and nothing in the repository changed."""

import html
import os
import re
import shutil
import stat
import subprocess
from pathlib import Path

import nbformat
import pandas as pd
import pytest
from books import BOOK

from welfare_analysis import __main__ as command
from welfare_analysis.disclosure import policy
from welfare_analysis.errors import WelfareError
from welfare_analysis.publishing.report import publish
from welfare_analysis.study import DATA
from welfare_analysis.survey.codebook import Codebook
from welfare_analysis.survey.reading import read_any
from welfare_analysis.survey.standin import Parameters, generate

REPOSITORY = DATA.parent
NOTEBOOKS = ("02_collection.ipynb", "04_social_conditions.ipynb")


def printed(forms: int) -> str:
    """Return how many forms there are as pages say it: to the policy's base."""
    return f"{policy().base(forms):,.0f}"


def git(*arguments: str) -> str:
    """Return what git says of the repository."""
    return subprocess.run(["git", *arguments], cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout


@pytest.fixture(scope="module")
def world():
    """Return the survey of other people than the stand-in of the repository."""
    return generate(Parameters.read(DATA / "public"), 1956, "rich", size=3000)


@pytest.fixture
def root(tmp_path):
    """Return a repository to publish from: links to code and data, copies of two notebooks."""
    (tmp_path / "notebooks").mkdir()
    for name in NOTEBOOKS:
        shutil.copyfile(REPOSITORY / "notebooks" / name, tmp_path / "notebooks" / name)
    for name in ("src", "data", "requirements.txt"):
        (tmp_path / name).symlink_to(REPOSITORY / name)
    return tmp_path


def whole(root: Path, files: dict[str, str]) -> Path:
    """Publish a report that lacks no result, and return its front page."""
    published = publish(root, variables={**os.environ, **files})
    assert not published.gaps
    return published.front.parent / "en" / "index.html"


def pages(front: Path) -> dict[str, str]:
    """Return the text of each page, without code and tags."""
    found = {}
    for path in front.parent.glob("*.html"):
        text = re.sub(r"<(details|style|script)\b.*?</\1>", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
        found[path.name] = html.unescape(re.sub(r"<[^>]+>", " ", text))
    return found


def intervals(text):
    """Intervals of a page: two surveys share few, while marks of axes and bases are alike."""
    return set(re.findall(r"\d[\d.,]*–\d[\d.,]*", text))


def numbers(text: str) -> set[str]:
    """Return percentages and amounts of a page."""
    return set(re.findall(r"\d+\.\d %|\d,\d{3}", text.replace("\u00a0", " ")))


@pytest.fixture(scope="module")
def committed():
    """Return the text of the outputs of the committed notebooks, on the stand-in."""
    outputs = [
        "".join(output.get("data", {}).get("text/html", "") + output.get("data", {}).get("text/markdown", ""))
        for name in NOTEBOOKS
        for cell in nbformat.reads(git("show", f"HEAD:notebooks/{name}"), as_version=4).cells
        if cell.cell_type == "code"
        for output in cell.outputs
    ]
    return html.unescape(re.sub(r"<[^>]+>", " ", " ".join(outputs)))


def test_own_answers_and_register_give_own_pages(root, world, committed):
    """Another survey: no banner, other numbers and sentences, numbers of people, and an untouched repository."""
    before = git("status", "--porcelain")
    world.answers.to_excel(root / "answers.xlsx", index=False)
    world.register.to_csv(root / "register.csv", index=False)
    files = {"SURVEY": str(root / "answers.xlsx"), "REGISTER": str(root / "register.csv")}
    found = pages(whole(root, files))
    text = " ".join(found.values())
    assert len(found) >= 2
    assert BOOK.text("banner") in committed
    for language in ("ar", "fr", "en"):
        assert BOOK.text("banner", language) not in text
    assert BOOK.text("source.own", name="answers.xlsx") in text
    assert f"Source: {BOOK.text('source.standin')}" not in text
    assert "3,000" in text
    assert BOOK.text("no_totals") not in text
    assert len(numbers(text)) > 50
    assert len(intervals(text)) > 20
    assert len(intervals(text) & intervals(committed)) < 0.1 * len(intervals(text))
    assert not re.search(r"\bnan\b|\bNone\b|Traceback", text)
    assert git("status", "--porcelain") == before


def test_a_status_and_one_block_without_a_register(root, world):
    """What was not asked is said to be so, there are no numbers of people, and the rest runs."""
    housing = world.answers[["status", *(n for n in BOOK.blocks["housing"] if n in world.answers)]]
    housing.to_excel(root / "housing.xlsx", index=False)
    found = pages(whole(root, {"SURVEY": str(root / "housing.xlsx")}))
    for text in found.values():
        assert BOOK.text("banner") not in text
    text = found["04_social_conditions.html"]
    assert BOOK.text("not_asked") in text
    assert BOOK.text("no_totals") in text
    assert BOOK.label("tenure", "tenant") in text
    assert len(numbers(text)) > 5
    assert BOOK.text("method.respondents", n=printed(len(housing))) in text
    assert not re.search(r"\bnan\b|\bNone\b|Traceback", text)


def test_an_export_and_a_table_of_counts_give_pages_with_numbers_of_people(root, world, kobo):
    """A full KoboToolbox export and the margins of a register: own pages, numbers of people, no rate of return."""
    for name in NOTEBOOKS:
        (root / "notebooks" / name).unlink()
    for name in ("02_collection.ipynb", "03_weighting.ipynb"):
        shutil.copyfile(REPOSITORY / "notebooks" / name, root / "notebooks" / name)
    kobo(world.answers).to_csv(root / "export.csv", index=False, sep=";")
    people = world.register.assign(pair=world.register["status"] + "|" + world.register["sex"])
    counts = pd.concat({"status|sex": people["pair"].value_counts(), "command": people["command"].value_counts()})
    margins = counts.rename_axis(["variable", "category"]).rename("count").reset_index()
    margins.to_excel(root / "margins.xlsx", index=False)
    files = {"SURVEY": str(root / "export.csv"), "REGISTER": str(root / "margins.xlsx")}
    found = pages(whole(root, files))
    text = " ".join(found.values())
    assert BOOK.text("banner") not in text
    assert BOOK.text("method.margins", n=printed(len(world.answers)), people="3,000") in text
    assert BOOK.text("no_followup") in text
    assert len(numbers(text)) > 20
    assert not re.search(r"\bnan\b|\bNone\b|Traceback", text)


def test_a_whole_form_without_a_register(root, world):
    """All blocks, no register: shares of the respondents, no number of people, no weight, of quality too."""
    for name in NOTEBOOKS:
        (root / "notebooks" / name).unlink()
    for name in ("02_collection.ipynb", "03_weighting.ipynb"):
        shutil.copyfile(REPOSITORY / "notebooks" / name, root / "notebooks" / name)
    world.answers.to_csv(root / "answers.csv", index=False)
    found = pages(whole(root, {"SURVEY": str(root / "answers.csv")}))
    assert {"02_collection.html", "03_weighting.html"} <= set(found)
    text = " ".join(found.values())
    assert BOOK.text("banner") not in text
    assert BOOK.text("no_totals") in text
    assert BOOK.text("method.respondents", n=printed(len(world.answers))) in text
    assert len(numbers(text)) > 50
    assert not re.search(r"\bnan\b|\bNone\b|Traceback", text)


def test_a_fault_stops_before_half_a_report(root, world):
    """The message names file, row and column; an old report is moved away, and no new one is begun."""
    (root / "notebooks" / NOTEBOOKS[0]).unlink()
    old = root / "build" / "report"
    old.mkdir(parents=True)
    (old / "index.html").write_text("old")
    world.answers.head(50).assign(age=["200", *["40"] * 49]).to_csv(root / "answers.csv", index=False)
    with pytest.raises(WelfareError, match=r"answers\.csv: .*row 2, column age"):
        publish(root, variables={**os.environ, "SURVEY": str(root / "answers.csv")})
    assert (root / "build" / "report.before" / "index.html").read_text() == "old"
    assert {path.name for path in (root / "build").iterdir()} <= {"report.before", "notebooks"}


@pytest.fixture
def here(tmp_path, monkeypatch):
    """Return an empty root of the commands, with no file named in the environment."""
    for name in command.READ:
        monkeypatch.setenv(name, "")
    monkeypatch.setenv("CODEBOOK", str(DATA / "codebook"))
    monkeypatch.setattr(command, "ROOT", tmp_path)
    return tmp_path


GOOD = "status;age;net_pay_dh\nactif;٣٥;5 200,50 DH\n"
BAD = "person_id,status,age,=1+1\nAB123456,activ,40,\nAB123457,active,=2+2,\n"


def test_check_prints_what_was_accepted(here, capsys):
    """A sound file: code 0, the report of what was accepted, and no faults of an earlier file left."""
    (here / "build" / "check").mkdir(parents=True)
    (here / "build" / "check" / "faults.csv").write_text("old")
    (here / "good.csv").write_text(GOOD)
    assert command.main(["check", str(here / "good.csv")]) == 0
    told = capsys.readouterr().out
    for text in ("no fault in 1 rows, read as answers", "';'", "Arabic-Indic digits", "a decimal comma", "net_pay_dh"):
        assert text in told
    assert not (here / "build" / "check" / "faults.csv").exists()


def test_check_says_once_what_was_so_in_many_columns(here, capsys, world, kobo):
    """An export in words: what holds for the file stands first, and a line says of how many columns a thing is so."""
    kobo(world.answers.head(30), labels=True).to_csv(here / "kobo.csv", index=False)
    assert command.main(["check", str(here / "kobo.csv")]) == 0
    said = capsys.readouterr().out.split("Accepted on the way:")[1]
    lines = said.split("Answers that contradict")[0].strip().splitlines()
    assert len(lines) < 20
    assert "columns of the collecting program left out" in lines[1]
    assert sum("another spelling of the column's name" in line and "columns)" in line for line in lines) == 1


def test_check_lists_faults_and_writes_them_as_text(here, capsys):
    """Faults: code 1, first ones printed, all in a private table without a formula or a key like a card's number."""
    (here / "bad.csv").write_text(BAD)
    assert command.main(["check", str(here / "bad.csv")]) == 1
    told = capsys.readouterr().out
    table = pd.read_csv(here / "build" / "check" / "faults.csv", dtype=str, keep_default_na=False)
    assert list(table.columns) == ["file", "sheet", "row", "letter", "column", "value", "rule", "what_to_do"]
    assert table[["row", "column", "value"]].to_numpy().tolist() == [
        ["1", "'=1+1", "'=1+1"],
        ["1", "person_id", "(hidden)"],
        ["2", "status", "activ"],
        ["3", "age", "'=2+2"],
    ]
    assert "did you mean active?" in told
    assert "AB123456" not in told + table.to_string()
    assert stat.S_IMODE((here / "build").stat().st_mode) == 0o700
    draft = pd.read_csv(here / "build" / "check" / "map.csv", dtype=str, keep_default_na=False)
    assert draft.to_numpy().tolist() == [["column", "", "'=1+1", ""], ["code", "status", "activ", "active"]]
    assert {path.name for path in (here / "build" / "check").iterdir()} == {"faults.csv", "map.csv"}


def test_check_logs_what_a_rule_would_blank(here, capsys):
    """An instalment above its loan: read all the same, told, and written to a log with row, old value and rule."""
    (here / "a.csv").write_text("status,age,wants_loan,loan_amount_dh,loan_instalment_dh\nactive,40,yes,2000,9000\n")
    assert command.main(["check", str(here / "a.csv")]) == 0
    assert "instalment_below_amount" in capsys.readouterr().out
    log = pd.read_csv(here / "build" / "check" / "consistency.csv", keep_default_na=False)
    assert log[["form", "column", "old", "reason"]].to_numpy().tolist() == [
        [1, "loan_instalment_dh", 9000.0, "instalment_below_amount"]
    ]


PERSONS = """status,sex,age,rank,command,person_id,tenure
widow,m,40,gardien,nador,K1,tenant
widow,f,8,gardien,nador,K2,tenant
orphan,f,50,gardien,nador,K3,tenant
retired,m,25,gardien,nador,K4,tenant
retired,m,61,gardien,nador,K5,tenant
active,m,61,gardien,nador,K6,tenant
"""


def test_check_asks_about_persons_who_cannot_be(here, capsys):
    """Counted by rule, listed with form and key for whoever holds the file; code 1 until it is said what to do."""
    (here / "a.csv").write_text(PERSONS)
    assert command.main(["check", str(here / "a.csv")]) == 1
    told = capsys.readouterr().out
    assert "4 of 6 forms are in doubt: male_widow 1, young_widow 1, old_orphan 1, young_retiree 1" in told
    assert not re.search("K[1-6]", told)
    table = pd.read_csv(here / "build" / "check" / "doubts_answers.csv")
    assert table[["form", "person_id", "rule", "label_en"]].to_numpy().tolist()[0] == [
        1,
        "K1",
        "male_widow",
        "a widow who is a man",
    ]
    assert command.main(["check", str(here / "a.csv"), "KEEP=impossible"]) == 0


def test_check_compares_the_status_with_the_register(here, capsys):
    """Answers and register named together: who has another status there is counted and listed."""
    (here / "a.csv").write_text(PERSONS)
    (here / "r.csv").write_text(
        PERSONS.replace("active,m,61", "retired,m,61").replace(",tenant", "").replace(",tenure", "")
    )
    names = [f"SURVEY={here / 'a.csv'}", f"REGISTER={here / 'r.csv'}", "OMIT=impossible"]
    assert command.main(["check", *names]) == 1
    assert "1 of 6 forms are in doubt: status 1" in capsys.readouterr().out
    assert command.main(["check", *names, "KEEP=status"]) == 0


def test_check_reads_a_file_as_what_it_was_named(here, capsys):
    """A register with a column more is a register: an age that is blank stops the report, so `check` names it."""
    (here / "r.csv").write_text(
        "person_id,status,sex,age,rank,command,marital_status\n"
        "0001,active,m,,gardien,nador,single\n0002,active,m,40,gardien,nador,single\n"
    )
    assert command.main(["check", f"REGISTER={here / 'r.csv'}"]) == 1
    assert "a value for everybody in the register" in capsys.readouterr().out
    assert command.main(["check", f"SURVEY={here / 'r.csv'}", "REGISTER="]) == 0


def test_check_names_keys_that_the_register_lacks(here, capsys):
    """`check` of both files says what `report` would stop at, and how the keys differ."""
    (here / "a.csv").write_text("person_id,status,tenure\n1,active,owner\n2,active,owner\n3,active,owner\n")
    (here / "r.csv").write_text(
        "person_id,status,sex,age,rank,command\n"
        + "".join(f"{key},active,m,4{i},gardien,nador\n" for i, key in enumerate(["0001", "0002", "0003", "0004"]))
    )
    assert command.main(["check", f"SURVEY={here / 'a.csv'}", f"REGISTER={here / 'r.csv'}"]) == 1
    assert "3 of the keys are in the register but for case, blanks or zeros in front" in capsys.readouterr().out


def test_check_lists_the_forms_that_are_alike(here, capsys, world):
    """The pairs, by form and key, in a file for whoever holds the answers; the screen has their number alone."""
    rows = world.answers[world.answers["status"] == "active"].head(60)
    copy = rows.iloc[[7]].assign(person_id="other", age=rows["age"].iloc[7] + 1)
    pd.concat([rows, copy]).to_csv(here / "a.csv", index=False)
    assert command.main(["check", str(here / "a.csv")]) == 0
    table = pd.read_csv(here / "build" / "check" / "alike.csv")
    assert [8, rows["person_id"].iloc[7], 61, "other"] in table[
        ["first", "first_person_id", "second", "second_person_id"]
    ].to_numpy().tolist()
    told = capsys.readouterr().out
    assert f"{len(table)} pairs of forms are alike" in told
    assert rows["person_id"].iloc[7] not in told


def test_check_joins_a_recheck_to_those_who_answered(here, capsys, world):
    """`check` of both files stops at what `report` would stop at: here one of those drawn gave no answer."""
    names = ["person_id", "status", "sex", "age", "rank", "command"]
    world.register[names].to_csv(here / "r.csv", index=False)
    world.answers.to_csv(here / "a.csv", index=False)
    files = [f"SURVEY={here / 'a.csv'}", f"REGISTER={here / 'r.csv'}", f"RECHECK={here / 'seen.csv'}"]
    drawn = (
        world.answers[["person_id"]]
        .head(20)
        .assign(stratum="all", stratum_population=len(world.answers), outcome="not_reached")
    )
    drawn.to_csv(here / "seen.csv", index=False)
    assert command.main(["check", *files]) == 0
    others = world.register.loc[~world.register["person_id"].isin(world.answers["person_id"]), "person_id"]
    drawn.assign(person_id=[*drawn["person_id"][1:], others.iloc[0]]).to_csv(here / "seen.csv", index=False)
    assert command.main(["check", *files]) == 2
    assert "RECHECK: persons gave no answer that counts; got 1;" in " ".join(capsys.readouterr().err.split())


def test_check_says_how_often_when_faults_are_many(here, capsys):
    """Of three hundred faults twenty are printed, and the number of each kind."""
    (here / "bad.csv").write_text("status,age\n" + "active,200\n" * 300)
    assert command.main(["check", str(here / "bad.csv")]) == 1
    told = capsys.readouterr().out
    assert re.search(r"between 5 and 110 years +300", told)
    assert len(told.splitlines()) < 30


def test_check_says_once_what_is_wrong_with_many_columns(here, capsys):
    """Of three hundred columns that are not ours: one line says how many, and each was placed with the others."""
    names = [f"c{i}" for i in range(300)]
    (here / "wide.csv").write_text(f"status,tenure,{','.join(names)}\n" + f"active,tenant{',1' * 300}\n" * 3)
    assert command.main(["check", str(here / "wide.csv")]) == 1
    told = capsys.readouterr().out
    assert re.search(r"c0, c1 \.\.\. \(300 columns\) +a column of the codebook +300", told)
    assert len(told.splitlines()) < 30


@pytest.mark.parametrize("arguments", [["check"], ["check", ""], ["check", "nowhere.csv"], ["check", "."]])
def test_check_of_no_file(here, capsys, arguments):
    """A missing name, a missing file and a folder: code 2 and one sentence, nothing written."""
    assert command.main(arguments) == 2
    told = capsys.readouterr()
    assert len(told.err.splitlines()) == 1
    assert not told.out
    assert not (here / "build").exists()


@pytest.mark.parametrize("how", ["killed", "full", "no folder"])
def test_the_old_table_survives(here, capsys, monkeypatch, how):
    """A kill before the renaming, a full disk, a folder that cannot be made: an old table stays whole."""
    (here / "bad.csv").write_text(BAD)
    folder = here / "build" / "check"
    if how == "no folder":
        (here / "build").write_text("a file")
        assert command.main(["check", str(here / "bad.csv")]) == 2
        assert "cannot be written" in capsys.readouterr().err
        return
    folder.mkdir(parents=True)
    (folder / "faults.csv").write_text("old")

    def fail(*_, **__):
        raise KeyboardInterrupt if how == "killed" else OSError(28, "No space left on device")

    monkeypatch.setattr(*((Path, "replace") if how == "killed" else (pd.DataFrame, "to_csv")), fail)
    if how == "killed":
        assert command.main(["check", str(here / "bad.csv")]) == 130
    else:
        assert command.main(["check", str(here / "bad.csv")]) == 2
        told = capsys.readouterr()
        assert "No space left" in told.err
        assert "did you mean active?" in told.out
        assert [path.name for path in folder.iterdir()] == ["faults.csv"]
    assert (folder / "faults.csv").read_text() == "old"


def test_report_checks_all_files_first(here, capsys, monkeypatch, world):
    """Faults of the answers and of the register are in one table, and no notebook is run."""
    world.answers.head(30).assign(age=200).to_csv(here / "answers.csv", index=False)
    world.register.head(30).assign(sex="?").to_csv(here / "register.csv", index=False)
    monkeypatch.setenv("SURVEY", str(here / "answers.csv"))
    monkeypatch.setenv("REGISTER", str(here / "register.csv"))
    monkeypatch.setattr(command, "publish", lambda *_, **__: pytest.fail("a notebook was run"))
    assert command.main(["report"]) == 1
    assert "answers.csv, register.csv: 60 faults" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["answers", "register", "followup"])
def test_the_committed_files_are_sound(name):
    """The stand-in's own files pass the checks that an institution's files pass, with nothing to report."""
    kind, answers = read_any(DATA / "survey" / f"{name}.parquet", BOOK)
    assert kind == {"followup": "follow-up"}.get(name, name)
    assert answers.report.empty


OURS = "data/public/agreements.csv"


def test_check_and_report_name_the_fault_of_an_agreement(here, capsys):
    """A sound table of agreements: code 0; a rate in per cent: code 2, and the report does not begin."""
    good = (REPOSITORY / OURS).read_text(encoding="utf-8")
    (here / "ours.csv").write_text(good)
    assert command.main(["check", f"AGREEMENTS={here / 'ours.csv'}"]) == 0
    assert "ours.csv: no fault; 7 agreements" in capsys.readouterr().out
    first, line, *_ = good.splitlines()
    (here / "ours.csv").write_text(f"{first}\n{line.replace('rate,,', 'rate,4.5,', 1)}\n")
    for name in ("check", "report"):
        assert command.main([name, f"AGREEMENTS={here / 'ours.csv'}"]) == 2
        assert "ours.csv, row 2, column value: not what an agreement may say" in capsys.readouterr().err


def test_check_and_report_name_the_faults_of_a_log(here, capsys, monkeypatch):
    """A sound log: code 0; a faulty one: code 1, every fault in a table, and no page is made; both with one command."""
    monkeypatch.setattr(command, "publish", lambda *_, **__: pytest.fail("a notebook was run"))
    head = "stop,date,status,topic,kind,answer,desk\n"
    (here / "log.csv").write_text(f"{head}nador,2012-10-02,widow,housing,wish,answered,\n")
    assert command.main(["check", f"LISTENING={here / 'log.csv'}"]) == 0
    assert "log.csv: no fault in 1 questions" in capsys.readouterr().out
    (here / "log.csv").write_text(f"{head}nador,2012-10-02,widow,houzing,wish,to_follow,\n")
    for name in ("check", "report"):
        assert command.main([name, f"LISTENING={here / 'log.csv'}"]) == 1
        said = capsys.readouterr().out
        assert "log.csv: 2 faults" in said
        assert "houzing" in said
        table = pd.read_csv(here / "build" / "check" / "questions.csv")
        assert table["column"].tolist() == ["desk", "topic"]


@pytest.mark.parametrize(
    ("name", "old", "new", "message"),
    [
        ("rents", ",", ";", "public/rents.csv, row 1: a column is not there"),
        ("rents", "harbour,450", "harbour,quatre cents", "public/rents.csv, row 3, column value"),
        ("rents", "harbour,450", "harbour,inf", "row 3, column value: a cell cannot be read; got 'inf'"),
        ("rents", "harbour,450,", "harbour,-450,", "row 3, column value: a cell cannot be read; got '-450'"),
        ("rents", "harbour", "harbor", "row 3, column command: a cell cannot be read; got 'harbor'"),
        ("rent", "", "", "public/rent.csv: no page reads a table of this name; got 'rent'; expected rents"),
        ("rents", "harbour,450,", "harbour,,", "row 3, column value: a cell cannot be read; got ''; expected a value"),
        (
            "rents",
            "children",
            "harbour",
            "row 4, column command: a cell cannot be read; got 'harbour'; expected each once",
        ),
        (
            "rents",
            "harbour,450,",
            "harbour,4500,",
            "row 3, column high: a cell cannot be read; got '540'; expected at least",
        ),
        ("rents", "made for", "d’été à", "public/rents.csv: the table cannot be read"),
    ],
)
def test_check_names_what_is_wrong_in_an_institutions_own_tables(here, capsys, name, old, new, message):
    """A table that no page could read is told by the first command, by its row and column, before a form is read."""
    folder = shutil.copytree(DATA / "examples" / "hospital", here / "ours")
    text = (folder / "public" / "rents.csv").read_text(encoding="utf-8")
    (folder / "public" / f"{name}.csv").write_text(text.replace(old, new) if old else text, encoding="cp1252")
    arguments = ["check", f"CODEBOOK={folder}", f"SURVEY={folder / 'answers.csv'}"]
    assert command.main(arguments) == 2
    assert message in capsys.readouterr().err


def test_the_example_has_tables_that_pages_read(monkeypatch):
    """What the hospitals give of their own is in the form of `data/public`."""
    folder = DATA / "examples" / "hospital"
    monkeypatch.setenv("CODEBOOK", str(folder))
    command._own_tables(Codebook.read(folder))
