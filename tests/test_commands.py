"""The commands as a shell starts them: names, locks, signals, and what stays behind."""

import html
import os
import re
import signal
import stat
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import nbformat
import numpy as np
import pandas as pd
import pytest

from welfare_analysis import __main__ as command
from welfare_analysis import __version__
from welfare_analysis.errors import WelfareError
from welfare_analysis.estimation import share
from welfare_analysis.publishing import briefs
from welfare_analysis.publishing.execution import environment, state
from welfare_analysis.publishing.folders import alone, set_aside
from welfare_analysis.publishing.markup import inline, markdown
from welfare_analysis.results import runs
from welfare_analysis.results.recheck import corrected
from welfare_analysis.study import Study, several
from welfare_analysis.survey.codebook import Codebook
from welfare_analysis.survey.reading import read

ROOT = Path(__file__).parents[1]
HOSTILE = "$(shell touch {0}/a)`touch {0}/b`\"; touch {0}/c; '${{x}} é.csv"


@pytest.fixture
def make(tmp_path):
    """Run make on a copy of the Makefile whose Python prints how it was called."""
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    for name in ("requirements.txt", "requirements-test.txt", "pyproject.toml"):
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (0, 0))
    for name in ("bin/uv", "run.stamp", "test.stamp"):
        (tmp_path / ".venv" / name).touch()
    python = tmp_path / ".venv" / "bin" / "python"
    python.write_text('#!/bin/bash\nprintf \'%s|\' "$*" "$SURVEY" "$REGISTER"\n')
    python.chmod(0o755)
    variables = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", *command.READ)}

    def run(*arguments, **named):
        words = ["make", "-f", ROOT / "Makefile", *arguments]
        return subprocess.run(words, cwd=tmp_path, env=variables | named, capture_output=True, text=True, check=False)

    return run


@pytest.mark.parametrize("way", ["file", "survey", "environment"])
def test_no_shell_reads_the_name_of_a_file(make, tmp_path, way):
    """Backticks, quotes and make's own functions reach the program as they were written, and nothing is run."""
    name = HOSTILE.format(tmp_path)
    if way == "environment":
        done = make("report", SURVEY=name)
    else:
        done = make("check" if way == "file" else "report", f"{'FILE' if way == 'file' else 'SURVEY'}={name}")
    assert done.stdout.split("|")[1] == name, done.stderr
    assert not {"a", "b", "c"} & {path.name for path in tmp_path.iterdir()}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["report", "survey=a.csv"], "survey= is not read. Write SURVEY="),
        (["report", "FILE=a.csv"], "Write SURVEY="),
        (["check", "file=a.csv"], "Write SURVEY="),
        (["report", "FOLLOW_UP=a.csv"], "Write FOLLOWUP="),
        (["report", "SURVEYS=a.csv"], "Write SURVEY="),
        (["report", "listening=a.csv"], "Write LISTENING="),
        (["report", "QUESTIONS=a.csv"], "Write LISTENING="),
        (["report", "COLOUR=a.csv"], "COLOUR= is not read"),
        (["check", "FILE=a.csv", "SURVEY=b.csv"], "name the same"),
    ],
)
def test_make_refuses_a_name_that_nothing_reads(make, arguments, message):
    """Else the stand-in would be shown in place of the reader's own file."""
    done = make(*arguments)
    assert done.returncode == 2
    assert message in done.stderr
    assert not done.stdout


def test_make_takes_the_names_that_the_commands_take(make):
    """Every name of the commands may stand on make's line."""
    done = make("report", *(f"{name}=x" for name in command.READ))
    assert (done.returncode, done.stdout) == (0, "-m welfare_analysis report|x|x|")


@pytest.mark.parametrize("values", [["SURVEY=a.csv", "SURVEY=b.csv"], ["FILE=a.csv", "b.csv"]])
def test_a_name_that_is_given_twice_is_refused(values, here, capsys):
    """The last of two files is not taken in silence."""
    assert command.main(["check", *values]) == 2
    assert "this name is given twice; got" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (["report", "survey=a"], "Write SURVEY=..."),
        (["report", "FILE=a"], "Write SURVEY=..."),
        (["report", "REGSTER=a"], "Write REGISTER=..."),
        (["report", "a.csv"], "one of SURVEY"),
    ],
)
def test_python_refuses_them_too(arguments, hint, capsys):
    """Without make the names stand behind the command, and are as strict."""
    assert command.main(arguments) == 2
    assert hint in capsys.readouterr().err


def test_one_run_at_a_time(tmp_path):
    """A second run is told who holds the lock; when the first has ended, also by a kill, the lock is free."""
    script = (
        "import sys, time; from pathlib import Path; from welfare_analysis.publishing.folders import alone\n"
        "with alone(Path(sys.argv[1]), 'report'):\n    print('held', flush=True); time.sleep(600)"
    )
    with subprocess.Popen([sys.executable, "-c", script, tmp_path], stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout.readline() == "held\n"
        with (
            pytest.raises(WelfareError, match=f"process {holder.pid}, since 20.*running already"),
            alone(tmp_path, "report"),
        ):
            pass
        with alone(tmp_path, "form"):
            pass
        holder.kill()
    with alone(tmp_path, "report"):
        assert f"process {os.getpid()}" in (tmp_path / "report.lock").read_text()


def test_an_interrupt_ends_a_report_with_one_line(tmp_path):
    """Code 130, one line, no kernel and no key left, although a cell would have run for minutes."""
    (tmp_path / "notebooks").mkdir()
    for name in ("00_a", "01_b", "02_c"):
        source = f"import os, time\nopen('../{name}.pid', 'w').write(str(os.getpid()))\ntime.sleep(600)"
        cells = [nbformat.v4.new_code_cell(source)]
        nbformat.write(nbformat.v4.new_notebook(cells=cells), tmp_path / "notebooks" / f"{name}.ipynb")
    (tmp_path / "requirements.txt").touch()
    script = (
        "import signal, sys; from pathlib import Path; from welfare_analysis import __main__ as command\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job ignores it\n"
        "command.ROOT = Path(sys.argv[1]); sys.exit(command.main(['report']))"
    )
    variables = {k: v for k, v in os.environ.items() if k not in command.READ}
    words = [sys.executable, "-W", "error", "-c", script, tmp_path]
    with subprocess.Popen(words, env=variables, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as run:
        while len(list(tmp_path.glob("*.pid"))) < 2:
            assert run.poll() is None, run.stderr.read()
            time.sleep(0.05)
        run.send_signal(signal.SIGINT)
        told = run.communicate(timeout=60)
    assert (run.returncode, told) == (130, ("", "Stopped; what was not finished is not kept.\n"))
    for path in tmp_path.glob("*.pid"):
        with pytest.raises(ProcessLookupError):
            os.kill(int(path.read_text() or 0) or 2**22, 0)
    assert len(list(tmp_path.glob("*.pid"))) == 2
    left = {path.relative_to(tmp_path / "build").as_posix() for path in (tmp_path / "build").rglob("*")}
    assert left == {"notebooks", "report.lock"}


def test_what_takes_long_says_so(monkeypatch, capsys):
    """A line now and then, for as long as it lasts."""
    monkeypatch.setattr(command, "BEAT_S", 0.01)
    with command._waiting("reading answers.csv"):
        time.sleep(0.2)
    first, *_ = capsys.readouterr().err.splitlines()
    assert first == "reading answers.csv: 0 s"


def test_a_fault_leaves_no_report_of_before(tmp_path, monkeypatch, capsys):
    """The report of another file is moved away before the new file is read, and the command says where it is."""
    for name in command.READ:
        monkeypatch.setenv(name, "")
    monkeypatch.setattr(command, "ROOT", tmp_path)
    monkeypatch.setenv("CODEBOOK", str(ROOT / "data" / "codebook"))
    (tmp_path / "build" / "report").mkdir(parents=True)
    (tmp_path / "bad.csv").write_text("status,age\nactive,200\n")
    assert command.main(["report", f"SURVEY={tmp_path / 'bad.csv'}"]) == 1
    assert not (tmp_path / "build" / "report").exists()
    assert "report.before; this run wrote none" in capsys.readouterr().err
    assert set_aside(tmp_path / "build" / "report").exists()


@pytest.mark.parametrize("name", command.OWN)
def test_no_answers_of_ones_own_are_written(name, tmp_path, monkeypatch, capsys):
    """`make data` writes the answers of the stand-in; with a file of one's own it refuses, and writes nothing."""
    for other in command.READ:
        monkeypatch.setenv(other, "")
    monkeypatch.setattr(command, "ROOT", tmp_path)
    (tmp_path / "own.csv").write_text("status,age\nactive,20\n")
    assert command.main(["data", f"{name}={tmp_path / 'own.csv'}"]) == 2
    assert "only answers of the stand-in, of nobody, are written" in capsys.readouterr().err
    assert {path.name for path in tmp_path.rglob("*")} <= {"own.csv", "build", "data.lock"}


def test_clean_erases_what_was_made(tmp_path, monkeypatch):
    """Own data and results lie in build, and in the copies that the notebooks' editor keeps."""
    monkeypatch.setattr(command, "ROOT", tmp_path)
    for folder in ("build/check", "notebooks/.ipynb_checkpoints", "data"):
        (tmp_path / folder).mkdir(parents=True)
    assert command.main(["clean"]) == 0
    assert {path.name for path in tmp_path.iterdir()} == {"notebooks", "data"}
    assert not list((tmp_path / "notebooks").iterdir())


def test_all_that_is_made_is_closed_to_others(tmp_path):
    """Folders 0700 and files 0600, whatever the shell's mask is."""
    script = (
        "import os, sys; from pathlib import Path; from welfare_analysis import __main__ as command\n"
        "os.umask(0); root = Path(sys.argv[1]); (root / 'data').symlink_to(command.ROOT / 'data')\n"
        "command.ROOT = root; sys.exit(command.main(['form']))"
    )
    variables = {k: v for k, v in os.environ.items() if k not in command.READ}
    subprocess.run([sys.executable, "-c", script, tmp_path], env=variables, check=True, capture_output=True)
    made = list((tmp_path / "build").rglob("*"))
    assert len(made) > 12
    assert {stat.S_IMODE(path.stat().st_mode) for path in made if path.is_dir()} == {0o700}
    assert {stat.S_IMODE(path.stat().st_mode) for path in made if path.is_file()} == {0o600}


@pytest.fixture
def here(tmp_path, monkeypatch):
    """The root of the commands in an empty folder, with nothing named."""
    for name in command.READ:
        monkeypatch.setenv(name, "")
    monkeypatch.setenv("CODEBOOK", str(ROOT / "data" / "codebook"))
    monkeypatch.setattr(command, "ROOT", tmp_path)
    return tmp_path


@pytest.fixture
def collected(here):
    """A register of 1,200 persons and the forms of 500 of them."""
    rng = np.random.default_rng(3)
    n = 1200
    register = pd.DataFrame(
        {
            "person_id": [f"P{i:05d}" for i in rng.permutation(n)],
            "status": np.repeat(["active", "retired"], n // 2),
            "sex": "m",
            "age": np.repeat([40, 65], n // 2),
            "rank": rng.choice(["gardien", "commissaire"], n, p=[0.8, 0.2]),
            "command": rng.choice(["nador", "agadir"], n),
        }
    )
    register.to_csv(here / "register.csv", index=False)
    register.iloc[::2].head(500).assign(tenure="tenant").to_csv(here / "answers.csv", index=False)
    return here


def draw(here, *more):
    """Draw from the files of a folder; the code."""
    register = [] if "REGISTER=" in more else [f"REGISTER={here / 'register.csv'}"]
    return command.main(["draw", *register, *more])


def test_a_follow_up_is_drawn_filled_in_and_read_back(collected, capsys):
    """Round trip: the file that is drawn, filled in, is the FOLLOWUP of a study that stands for the whole register."""
    names = [f"RETURNED={collected / 'answers.csv'}", "HALF_WIDTH=8", "SEED=5", "COST=3 60 south=150"]
    assert draw(collected, *names) == 0
    told = capsys.readouterr().out
    folder = collected / "build" / "draw"
    blank = pd.read_csv(folder / "followup.csv")
    drawn = pd.read_csv(folder / "drawn.csv")
    assert f"{len(drawn):,} visits" in told
    assert (drawn["probability"] * drawn["stratum_population"]).tolist() == pytest.approx(
        drawn.groupby("stratum")["person_id"].transform("size").tolist()
    )
    assert not drawn["person_id"].isin(pd.read_csv(collected / "answers.csv")["person_id"]).any()
    for language, word in (("ar", "رفض"), ("fr", "a refusé")):
        page = (folder / f"list.{language}.html").read_text(encoding="utf-8")
        assert word in page
        assert all(key in page for key in drawn["person_id"])
    register = pd.read_csv(collected / "register.csv").set_index("person_id")
    blank = blank.astype(object)
    blank["outcome"] = np.resize(["answered", "answered", "refused", "not_reached"], len(blank))
    came = blank["outcome"] == "answered"
    for name in ("status", "sex", "age", "rank", "command"):
        blank.loc[came, name] = register.loc[blank.loc[came, "person_id"], name].to_numpy()
    blank.loc[came, "tenure"] = "owner"
    blank.to_csv(collected / "late.csv", index=False)
    study = Study.open(*(collected / f"{name}.csv" for name in ("answers", "register", "late")))
    assert study.method == "two_phase"
    assert study.design.weights.sum() == pytest.approx(1200)
    assert share(study.design, study.frame["tenure"] == "owner").value.iloc[0] == pytest.approx(700 / 1200, abs=0.02)


def test_a_recheck_is_drawn_of_those_who_answered_and_read_back(collected, capsys, monkeypatch):
    """Papers of a few: the file that is drawn, filled in, corrects what all said."""
    files = [f"SURVEY={collected / 'answers.csv'}", f"REGISTER={collected / 'register.csv'}", "OMIT="]
    assert command.main(["draw", *files, "HALF_WIDTH=3", "WRONG_RATE=20"]) == 0
    folder = collected / "build" / "draw"
    blank, answers = pd.read_csv(folder / "recheck.csv"), pd.read_csv(collected / "answers.csv")
    assert "papers of about 683 are needed for 3 points" in capsys.readouterr().out
    assert set(blank["person_id"]) <= set(answers["person_id"])
    assert blank.groupby("stratum")["stratum_population"].first().sum() == len(answers)
    assert (folder / "list.fr.html").exists()
    filled = blank.astype(object).assign(outcome="answered", status="active")
    statuses = pd.read_csv(collected / "register.csv").set_index("person_id")["status"]
    filled["status"] = statuses[filled["person_id"]].to_numpy()
    filled["tenure"] = np.where(np.arange(len(filled)) % 4 == 0, "owner", "tenant")
    filled.to_csv(collected / "seen.csv", index=False)
    study = Study.open(collected / "answers.csv", collected / "register.csv", recheck=collected / "seen.csv")
    assert corrected(study, "tenant").value.iloc[0] == pytest.approx(0.75, abs=0.01)


def test_a_draw_takes_no_sheet_that_was_filled_in(collected, capsys):
    """The folder is made anew: a sheet with outcomes in it, or a file that is named, stays what it is."""
    returned = f"RETURNED={collected / 'answers.csv'}"
    assert draw(collected, returned, "HALF_WIDTH=8") == 0
    sheet = collected / "build" / "draw" / "followup.csv"
    sheet.write_text(sheet.read_text(encoding="utf-8-sig").replace(",,", ",refused,", 1), encoding="utf-8")
    assert "refused" in set(pd.read_csv(sheet)["outcome"].dropna())
    before = sheet.read_bytes()
    assert draw(collected, returned, "HALF_WIDTH=8") == 2
    assert "a file that was filled in would be lost" in capsys.readouterr().err
    assert sheet.read_bytes() == before
    sheet.write_bytes(before.replace(b",", b";"))  # as a spreadsheet saves it
    assert draw(collected, returned, "HALF_WIDTH=8") == 2
    assert b";refused;" in sheet.read_bytes()


def test_the_same_seed_draws_the_same_persons(collected):
    """Seed and probabilities are kept beside each key, so that a draw can be repeated and checked."""
    returned = f"RETURNED={collected / 'answers.csv'}"
    drawn = []
    for seed in ("SEED=5", "SEED=5", "SEED=6"):
        assert draw(collected, returned, "HALF_WIDTH=8", seed) == 0
        drawn.append(pd.read_csv(collected / "build" / "draw" / "drawn.csv"))
    assert drawn[0].equals(drawn[1])
    assert set(drawn[0]["person_id"]) != set(drawn[2]["person_id"])
    assert drawn[0].drop(columns=["person_id", "seed"]).equals(drawn[2].drop(columns=["person_id", "seed"]))


def test_a_wish_beyond_a_census_is_said(collected, capsys):
    """Where all nonrespondents are visited and the interval is still wider, the groups are named."""
    assert draw(collected, f"RETURNED={collected / 'answers.csv'}", "HALF_WIDTH=1") == 0
    assert "Not even a visit to each nonrespondent reaches 1 points in command_group|east" in capsys.readouterr().out


def test_before_the_collection_there_is_a_plan_and_no_draw(collected, capsys):
    """How many to ask in each group, and how many visits to expect at the assumed rates."""
    assert draw(collected) == 0
    assert {path.name for path in (collected / "build" / "draw").iterdir()} == {"strata.csv", "groups.csv"}
    assert "ask" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["HALF_WIDTH=wide"], "HALF_WIDTH: this is no number; got 'wide'"),
        (["HALF_WIDTH=0"], "HALF_WIDTH: no plan can be made; got '0'"),
        (["HALF_WIDTH=nan"], "HALF_WIDTH: this is no number; got 'nan'"),
        (["RETURN_RATE=inf"], "RETURN_RATE: this is no number"),
        (["SEED=-1", "RETURNED=answers.csv"], "SEED: this is no number; got '-1'; expected a whole number"),
        (["SEED=1.5", "RETURNED=answers.csv"], "SEED: this is no number; got '1.5'"),
        (["COST=nan 60"], "COST: no plan can be made; got nan"),
        (["COST=3 inf"], "COST: no plan can be made; got inf"),
        (["COST=3 60 nowhere=150"], "COST: no such group; got 'nowhere'; expected active, east, retired, south"),
        (["COST=3 60 south=150 south=10"], "COST: the costs cannot be read"),
        (["COST=60"], "COST: the costs cannot be read"),
        (["COST=3 60 sahara="], "COST: the costs cannot be read"),
        (["REGISTER="], "REGISTER: a follow-up is drawn from a list of persons"),
        (["RETURNED=strangers.csv"], "strangers.csv: persons are not in the register; got 2"),
    ],
)
def test_a_draw_that_cannot_be(collected, more, message, capsys, monkeypatch):
    """One sentence, code 2, and no folder."""
    monkeypatch.chdir(collected)
    (collected / "strangers.csv").write_text("person_id,status,tenure\nX1,active,tenant\nX2,active,owner\n")
    assert draw(collected, *more) == 2
    assert message in capsys.readouterr().err
    assert not (collected / "build" / "draw").exists()


def test_a_log_is_replayed_into_a_file_that_is_read_again(here, capsys):
    """What the rules blank and what a hand writes as new reach the file; all else, kinds of missing too, stays."""
    text = (
        "status,age,wants_loan,loan_amount_dh,loan_instalment_dh,net_pay_dh\n"
        "active,40,yes,2000,9000,5000\nactive,41,yes,20000,900,-99\nactive,42,yes,30000,-98,"
    )
    (here / "a.csv").write_text(text)
    assert command.main(["check", f"SURVEY={here / 'a.csv'}"]) == 0
    log = here / "build" / "check" / "consistency.csv"
    lines = log.read_text() + "2,age,41,51,the form says so\n"
    (here / "log.csv").write_text(lines)
    assert command.main(["replay", f"SURVEY={here / 'a.csv'}", f"LOG={here / 'log.csv'}"]) == 0
    book = Codebook.read(ROOT / "data" / "codebook")
    before, after = read(here / "a.csv", book), read(here / "build" / "replay" / "a.csv", book)
    assert after.frame["age"].tolist() == [40, 51, 42]
    assert after.frame["loan_instalment_dh"].isna().tolist() == [True, False, True]
    kinds = before.missing.copy()
    kinds.loc[0, "loan_instalment_dh"] = "skipped"
    pd.testing.assert_frame_equal(after.missing, kinds)
    (here / "log.csv").write_text(lines.replace("9000", "9001"))
    assert command.main(["replay", f"SURVEY={here / 'a.csv'}", f"LOG={here / 'log.csv'}"]) == 2
    assert "log.csv, row 2, column old: the log cannot be applied" in capsys.readouterr().err
    saved = lines.replace(",", ";").replace("the form says so", "vérifié")  # by a spreadsheet program, in French
    (here / "log.csv").write_text(saved, encoding="cp1252")
    assert command.main(["replay", f"SURVEY={here / 'a.csv'}", f"LOG={here / 'log.csv'}"]) == 0
    pd.testing.assert_frame_equal(read(here / "build" / "replay" / "a.csv", book).frame, after.frame)
    (here / "b.csv").write_text("status,tenure\nretired,owner\n")
    several_files = f"SURVEY={here / 'a.csv'} {here / 'b.csv'}"
    assert command.main(["replay", several_files, f"LOG={here / 'log.csv'}"]) == 0
    assert len(read(here / "build" / "replay" / "a.csv", book).frame) == 4
    for text in ("form,age\n1,40\n", "form,column,old,new\nfirst,age,40,41\n", "form,column,old,new\n1,age,x,41\n"):
        (here / "log.csv").write_text(text)
        assert command.main(["replay", f"SURVEY={here / 'a.csv'}", f"LOG={here / 'log.csv'}"]) == 2
        assert "log" in capsys.readouterr().err
    assert command.main(["replay", f"SURVEY={here / 'a.csv'}", f"LOG={here / 'gone.csv'}"]) == 2
    assert "the file is not there" in capsys.readouterr().err


def test_one_name_may_stand_for_several_files(tmp_path, monkeypatch):
    """Spaces part names, quotes keep a space inside one; a file whose own name has spaces is one file."""
    for name in ("a.csv", "b c.csv", "d e.csv"):
        (tmp_path / name).write_text("x")
    monkeypatch.chdir(tmp_path)
    for text, expected in {
        "a.csv": ["a.csv"],
        "b c.csv": ["b c.csv"],
        """a.csv 'b c.csv' "d e.csv" """: ["a.csv", "b c.csv", "d e.csv"],
        "a.csv gone.csv": ["a.csv", "gone.csv"],
        "gone and away.csv": ["gone and away.csv"],
        "it's": ["it's"],
        ".": ["."],
    }.items():
        assert several(text) == [Path(name) for name in expected]
    there = environment({"SURVEY": "a.csv 'b c.csv'"})
    assert several(there["SURVEY"]) == [tmp_path / "a.csv", tmp_path / "b c.csv"]
    before = state([], there)
    (tmp_path / "b c.csv").write_text("y")
    assert state([], there) != before
    with pytest.raises(WelfareError, match=r"SURVEY: the file does not exist.*in quotation marks of its own"):
        environment({"SURVEY": "a.csv gone.csv"})


@pytest.mark.parametrize("named", ["b c.csv a.csv", "d e.csv b c.csv", "d e.csv"])
def test_names_with_blanks_that_are_not_quoted_are_told_how(here, capsys, named):
    """A part of a name is no file, nor are two names; the error shows the quotation marks that were left out."""
    for name in ("a.csv", "b c.csv"):
        (here / name).write_text("status,tenure\nactive,tenant\n")
    text = " ".join(str(here / part) if part[0] in "abd" else part for part in named.split())
    assert command.main(["check", f"SURVEY={text}"]) == 2
    assert """SURVEY="'a b.xlsx' c.csv\"""" in capsys.readouterr().err
    assert command.main(["check", "SURVEY=gone.csv"]) == 2
    assert "quotation" not in capsys.readouterr().err


def test_several_files_are_read_together(here, monkeypatch, capsys):
    """Check and study hand all of them to the reader, which joins them; the notes name each."""
    answers = pd.DataFrame({"status": "active", "tenure": ["tenant", "owner"] * 20, "age": range(20, 60)})
    answers.to_csv(here / "whole.csv", index=False)
    book, seen = Codebook.read(ROOT / "data" / "codebook"), []
    whole = read(here / "whole.csv", book)
    for name in ("a.csv", "b.csv"):
        (here / name).write_text("status,tenure\nactive,owner\n")
    monkeypatch.setattr("welfare_analysis.study.read", lambda paths, *_: seen.append(paths) or whole)
    monkeypatch.setattr(
        "welfare_analysis.survey.reading.read_any", lambda paths, *_: seen.append(paths) or ("answers", whole)
    )
    both = [here / "a.csv", here / "b.csv"]
    assert command.main(["check", "SURVEY=" + " ".join(map(str, both))]) == 0
    assert "a.csv, b.csv: no fault in 40 rows" in capsys.readouterr().out
    study = Study.open()
    assert (len(study.frame), study.survey_name, study.is_standin) == (40, "a.csv, b.csv", False)
    assert seen == [both, both]


def test_a_fault_names_the_one_file_of_an_archive(here, capsys):
    """Where all faults are of one sheet, or of one file in a ZIP, its name stands beside that of the whole."""
    with zipfile.ZipFile(here / "odk.zip", "w") as archive:
        archive.writestr("out/needs.csv", "status,age,KEY\nactive,30,uuid:1\n")
        archive.writestr("out/needs-members.csv", "age,PARENT_KEY,KEY\n4,uuid:9,uuid:9/m[1]\n")
    assert command.main(["check", f"SURVEY={here / 'odk.zip'}"]) == 1
    assert "odk.zip, out/needs-members.csv: 1 fault" in capsys.readouterr().out


@pytest.mark.parametrize(
    "name", ["DGSN$2026$.csv", "a*b*_c_.csv", "réponses [v1](x).csv", "`a` & <b>.csv", "plain.csv"]
)
def test_the_name_of_a_file_is_no_markup(name):
    """In the banner and under figures it stands as it is."""
    study = Study.of(
        pd.DataFrame({"status": ["active"] * 3}),
        None,
        None,
        Codebook.read(ROOT / "data" / "codebook"),
        survey_name=name,
    )
    said = html.unescape(inline(study.as_markdown(f"Source: {name}. * = few")))
    assert said == f"Source: {name}.\N{NO-BREAK SPACE}* = few"  # a mark stays with what it is of
    shown = html.unescape(re.sub("</?(blockquote|p)>", "", markdown(briefs.banner(study).data, {"headings": []})))
    assert name in shown


def test_a_fit_is_as_fast_without_make():
    """One thread of BLAS, set by the package before NumPy reads it; what the reader has set stays."""
    script = "import welfare_analysis, os; print(os.environ['OPENBLAS_NUM_THREADS'], os.environ['OMP_NUM_THREADS'])"
    bare = {k: v for k, v in os.environ.items() if not k.endswith("NUM_THREADS")}
    for own, expected in (({}, "1 1"), ({"OPENBLAS_NUM_THREADS": "4"}, "4 1")):
        done = subprocess.run(
            [sys.executable, "-c", script], env=bare | own, capture_output=True, text=True, check=True
        )
        assert done.stdout.strip() == expected


CHANGED, CITED = "CHANGELOG.md", "CITATION.cff"
UNFINISHED = {  # a file, what is written in another way, and what is said then
    "nothing": (CHANGED, "", "", "Version {version} may be released."),
    "no day": (CHANGED, "- 2026-12-01", "- unreleased", "CHANGELOG.md, the day of that: unreleased"),
    "another version": (CHANGED, "## {version}", "## 0.0.9", "CHANGELOG.md, its first version: 0.0.9"),
    "another cited": (CITED, "version: {version}", "version: 7", "CITATION.cff, version: 7, expected {version}"),
    "another day": (CITED, "2026-12-01", "2026-11-24", "date-released: 2026-11-24, expected 2026-12-01"),
    "a paragraph": ("", "", "", "data/prose/fr/13_can_we_trust_it.po: 1 to translate"),
    "a table": ("", "", "", "a.csv is of an earlier version, 2026-11-24 at 1234567: make validate PART=a"),
}


@pytest.mark.parametrize("lack", UNFINISHED)
def test_a_release_names_what_it_lacks(lack, tmp_path, monkeypatch, capsys):
    """Simulations of other code, a page in English alone, a version without a day: a line each, and code 1."""
    file, old, new, said = (part.format(version=__version__) for part in UNFINISHED[lack])
    (tmp_path / CHANGED).write_text(f"# Changelog\n\n## {__version__} - 2026-12-01\n\n## 0.0.1 - 2026-01-01\n")
    cited = (ROOT / CITED).read_text(encoding="utf-8")
    (tmp_path / CITED).write_text(re.sub(r"(?<=date-released: ).*", "2026-12-01", cited), encoding="utf-8")
    if file:
        text = (tmp_path / file).read_text(encoding="utf-8")
        assert old in text
        (tmp_path / file).write_text(text.replace(old, new, 1), encoding="utf-8")
    line = ["survey/a.csv", "a", "errors", "x", "2026-11-24", "1234567", "", ""]
    table = pd.DataFrame([line], columns=runs.stored().columns)
    monkeypatch.setattr(command, "ROOT", tmp_path)
    monkeypatch.setattr(
        command, "_prose", lambda: {"13_can_we_trust_it": ["Findings", "New"][: 1 + (lack == "a paragraph")]}
    )
    monkeypatch.setattr(runs, "stored", lambda: table.iloc[: int(lack == "a table")])
    assert command.main(["release"]) == (lack != "nothing")
    assert said in capsys.readouterr().out
