"""The commands as a shell starts them: names, locks, signals, and what stays behind."""

import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import pytest

from welfare_analysis import __main__ as command
from welfare_analysis.errors import WelfareError
from welfare_analysis.publishing.folders import alone, set_aside

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
        "import sys; from pathlib import Path; from welfare_analysis import __main__ as command\n"
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


def test_a_fit_is_as_fast_without_make():
    """One thread of BLAS, set by the package before NumPy reads it; what the reader has set stays."""
    script = "import welfare_analysis, os; print(os.environ['OPENBLAS_NUM_THREADS'], os.environ['OMP_NUM_THREADS'])"
    bare = {k: v for k, v in os.environ.items() if not k.endswith("NUM_THREADS")}
    for own, expected in (({}, "1 1"), ({"OPENBLAS_NUM_THREADS": "4"}, "4 1")):
        done = subprocess.run(
            [sys.executable, "-c", script], env=bare | own, capture_output=True, text=True, check=True
        )
        assert done.stdout.strip() == expected
