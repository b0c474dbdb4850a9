"""Of which version stored simulations are: what makes a table stale, what does not, and what a page says of it."""

import sys
from dataclasses import replace
from importlib.util import module_from_spec, spec_from_file_location

import pandas as pd
import pytest
from books import BOOK

from welfare_analysis.publishing import labels, show
from welfare_analysis.publishing.sentences import sentence
from welfare_analysis.results import runs
from welfare_analysis.results.stored import DOCUMENTS
from welfare_analysis.study import DATA, ROOT, Study

sys.path.append(str(ROOT / "tests" / "simulation"))
import keeping

TREE = {
    "src/welfare_analysis/__init__.py": "",
    "src/welfare_analysis/means.py": (
        '"""Means."""\n\n\ndef mean(x):\n    """Sum over n."""\n    return sum(x) / len(x)\n'
    ),
    "src/welfare_analysis/survey/__init__.py": "from .weights import weigh\nfrom .paper import page\n",
    "src/welfare_analysis/survey/weights.py": "from ..means import mean\n\n\ndef weigh(x):\n    return mean(x)\n",
    "src/welfare_analysis/survey/paper.py": "def page():\n    return 1\n",
    "tests/simulation/helper.py": "START = 1\n",
    "tests/simulation/errors_of.py": (
        "import helper\nfrom welfare_analysis.survey import weigh\n\n\ndef one(x):\n    def inner():\n"
        "        return weigh(x), public('levels')\n    return inner()\n\n\ndef main():\n    print(one([1]))\n\n\n"
        "if __name__ == '__main__':\n    main()\n"
    ),
    "data/public/levels.csv": "id,value,source\na,1,a paper\n",
    "data/public/others.csv": "id,value\na,1\n",
}
MEANS, WEIGHTS, PAPER = (f"src/welfare_analysis/{name}.py" for name in ("means", "survey/weights", "survey/paper"))
SCRIPT = "tests/simulation/errors_of.py"
CHANGES = {  # file, old, new, and whether the table is of an earlier version then
    "code": (WEIGHTS, "mean(x)", "2 * mean(x)", True),
    "code further on": (MEANS, "len(x)", "(len(x) - 1)", True),
    "a default": (WEIGHTS, "weigh(x)", "weigh(x=None)", True),
    "the simulation": (SCRIPT, "return weigh(x)", "return 2 * weigh(x)", True),
    "a module beside it": ("tests/simulation/helper.py", "START = 1", "START = 0", True),
    "a number of data": ("data/public/levels.csv", "a,1", "a,2", True),
    "a docstring": (MEANS, "Sum over n.", "The mean.", False),
    "a docstring of a module": (MEANS, '"""Means."""', "", False),
    "a comment": (WEIGHTS, "    return", "    # as in the book\n    return", False),
    "a line break": (WEIGHTS, "mean(x)", "mean(\n        x\n    )", False),
    "what starts the script": (SCRIPT, "print(one([1]))", "print(one([2]))", False),
    "an unrelated module": (PAPER, "return 1", "return 2", False),
    "another name of a package": ("src/welfare_analysis/survey/__init__.py", "import page", "import page as p", False),
    "a source of data": ("data/public/levels.csv", "a paper", "a book", False),
    "other data": ("data/public/others.csv", "a,1", "a,2", False),
}


def planted(root, file="", old="", new=""):
    """The small tree, with one text replaced by another."""
    for name, text in TREE.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        assert name != file or old in text
        path.write_text(text.replace(old, new) if name == file else text)
    return root


@pytest.mark.parametrize("change", CHANGES)
def test_a_table_is_stale_when_what_it_used_has_changed(change, tmp_path):
    """Code that the simulation reaches and numbers that it names count; words about them and all else do not."""
    *text, stale = CHANGES[change]
    before, after = (planted(tmp_path / name, *args) for name, args in (("before", ()), ("after", text)))
    assert (runs.fingerprint("errors_of", before) != runs.fingerprint("errors_of", after)) is stale


def test_what_a_simulation_used_is_found_from_imports():
    """The headlines use weights, estimators and the generator, and neither pages nor other services."""
    names = {name.removeprefix("welfare_analysis.") for name in runs.used(ROOT, "headline_errors")}
    assert names >= {"headline_errors", "estimation.means", "survey.weighting", "survey.standin.collection", "study"}
    assert not {name for name in names if name.startswith(("publishing", "planning"))} | (names & {"results.caravan"})
    assert "estimation.choice.mixed" not in names


def test_every_stored_table_has_its_run():
    """By the files: each line names a table, modules that are there, released tables, a day and a commit."""
    stored = runs.stored()
    tables = {path.relative_to(DATA).as_posix() for path in DATA.glob("*/*validation.csv")}
    assert set(stored["table"]) >= tables | {"survey/recovery.csv", "survey/attacks.csv", "reference/coverage.csv"}
    assert all((DATA / table).is_file() for table in stored["table"])
    assert all(name in runs.named(ROOT) for names in stored["made_by"] for name in names.split("|"))
    assert stored["date"].str.fullmatch(r"\d{4}-\d\d-\d\d").all()
    assert stored["commit"].str.fullmatch(r"[0-9a-f]{7,}(-dirty)?").all()
    simulated = ("validation", "coverage", "recovery", "_errors")
    assert {n for n in DOCUMENTS if any(w in n for w in simulated)} <= set("|".join(stored["shown"]).split("|"))


@pytest.fixture(scope="module")
def tiny():
    """A few forms: what is stored is shown beside any answers."""
    answers = pd.DataFrame({"status": ["active"] * 40, "tenure": ["tenant", "owner"] * 20})
    kinds = {c: pd.CategoricalDtype(BOOK.codes(str(BOOK.variables.loc[c, "list"]))) for c in answers}
    return Study.of(answers.astype(kinds), None, None, BOOK)


WARNINGS = {"en": "earlier version", "fr": "version antérieure", "ar": "نسخة سابقة"}


@pytest.mark.parametrize("language", WARNINGS)
@pytest.mark.parametrize("stale", [True, False])
def test_what_shows_an_earlier_version_says_so(language, stale, tiny, monkeypatch):
    """The sentence that quotes coverage, in itself, and the note under the table; with the day, in each language."""
    study, day = replace(tiny, language=language), pd.Timestamp(2026, 11, 24).toordinal()
    monkeypatch.setattr(labels.runs, "earlier", lambda *tables: day * (stale and "validation_summary" in tables))
    said, table = sentence(study, "trust"), show(study, "validation_summary").data
    other = sentence(study, "coverage.found")
    assert WARNINGS[language] not in other
    for text in (said, table):
        assert (WARNINGS[language] in text) is stale
        assert ("2026" in text) is stale
    assert said.endswith(")." if stale else ".")


def test_the_page_lists_what_is_of_which_version(tiny, monkeypatch):
    """A line a simulation, its day and whether it is of this version."""
    hashes = [*[runs.fingerprint("independence_size")] * 3, *[""] * (len(runs.stored()) - 3)]
    stored = runs.stored().assign(hash=hashes, repeated=["", "", "12", *[""] * (len(hashes) - 3)])
    monkeypatch.setattr(runs, "stored", lambda: stored.assign(made_by="independence_size"))
    table = runs.versions()
    said = {name: table.cell(name, "version_of")["text"] for name in ("validation", "homes_errors", "coverage")}
    assert said == {"validation": "run.this", "homes_errors": "run.repeated", "coverage": "run.earlier"}
    assert table.cell("validation", "run_on")["estimate"] == pd.Timestamp(stored["date"][0]).toordinal()
    shown = (stored["shown"] != "").sum()  # what tests find in the library itself is on no page
    assert show(tiny, table).data.count("<tr>") == shown + 2  # with the head and the note


@pytest.fixture
def written(tmp_path, monkeypatch):
    """Two runs in a file of their own, of the small tree."""
    lines = [("survey/a.csv", "a", "errors_of"), ("survey/b.csv", "b", "errors_of")]
    table = pd.DataFrame(lines, columns=["table", "part", "made_by"])
    monkeypatch.setattr(runs, "RUNS", tmp_path / "runs.csv")
    table.assign(shown="x", date="2026-01-01", commit="1234567", hash="", repeated="").to_csv(runs.RUNS, index=False)
    return tmp_path


@pytest.fixture(scope="module")
def simulations():
    """The program behind `make validate`."""
    spec = spec_from_file_location("long_simulations", ROOT / "tests" / "simulation" / "__main__.py")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def part(written, simulations, monkeypatch):
    """A part of three samples whose mean is its table, run by one process; what its samples hold, and those made."""
    holds, made = {("plain", seed): float(seed) for seed in (7, 8, 9)}, []

    def one(kind, seed):
        made.append(seed)
        return pd.DataFrame({"estimate": [holds[kind, seed]]})

    def tables(samples):
        return (pd.concat(samples).mean().to_frame("mean"),)

    (written / "data" / "survey").mkdir(parents=True)
    monkeypatch.setattr(simulations, "ROOT", written)
    for module in (simulations, keeping):
        monkeypatch.setattr(module, "CACHE", written / "cache")
        monkeypatch.setattr(module, "key", lambda part: "now")
    monkeypatch.setattr(simulations, "git", lambda *words: b"89abcde-dirty\n")
    monkeypatch.setitem(
        simulations.PARTS,
        "a",
        replace(simulations.PARTS["sizes"], samples={"plain": 3}, one=one, tables=tables, first=7),
    )
    monkeypatch.setenv("JOBS", "1")
    return holds, made


def lines():
    """Day, commit, hash and repeated samples of each run."""
    return runs.stored()[["date", "commit", "hash", "repeated"]].to_numpy().tolist()


BEFORE = ["2026-01-01", "1234567", "", ""]


def test_whoever_writes_a_table_registers_its_run(written, part, simulations):
    """The table is stored, and beside it the day, the commit and the hash of the code that the run began with."""
    simulations.main("a")
    assert pd.read_csv(written / "data" / "survey" / "a.csv")["mean"].tolist() == [8]
    assert lines() == [[pd.Timestamp.today().date().isoformat(), "89abcde-dirty", "now", ""], BEFORE]


def test_a_part_whose_time_is_over_stores_no_table_and_goes_on(written, part, simulations, monkeypatch):
    """What is done is kept and not made again; no table, no line, and the reader is told how to go on."""
    monkeypatch.setenv("SAMPLES", "2")
    simulations.main("a")  # a look
    monkeypatch.delenv("SAMPLES")
    before = lines()
    assert before == [BEFORE] * 2
    monkeypatch.setenv("MINUTES", "0")
    with pytest.raises(SystemExit, match="goes on"):
        simulations.main("a")
    assert lines() == before
    assert not (written / "data" / "survey" / "a.csv").exists()
    monkeypatch.delenv("MINUTES")
    simulations.main("a")
    assert part[1] == [7, 8, 9]
    assert pd.read_csv(written / "data" / "survey" / "a.csv")["mean"].tolist() == [8]


def test_samples_of_other_code_are_made_again(written, part, simulations, monkeypatch):
    """The cache goes by the hash."""
    simulations.main("a")
    monkeypatch.setattr(keeping, "key", lambda part: "later")
    simulations.main("a")
    assert part[1] == [7, 8, 9, 7, 8, 9]


def test_a_sample_is_written_whole_or_not_at_all(tmp_path):
    """A computation that breaks off leaves nothing that would be read as a result."""
    path = tmp_path / "plain-1.parquet"

    def breaks():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        keeping.stored(path, breaks)
    path.with_name(path.name + ".1.partial").write_bytes(b"half")
    good = pd.DataFrame({"x": [1]})
    pd.testing.assert_frame_equal(keeping.stored(path, lambda: good), good)
    pd.testing.assert_frame_equal(keeping.stored(path, breaks), good)


@pytest.mark.parametrize("now", [8.0, 8.0 + 1e-7])
def test_samples_of_a_run_that_later_code_gives_once_more(now, part, simulations, monkeypatch):
    """Equal to nine digits: the run is of this code too, of its own day and commit; else nothing is registered."""
    simulations.main("a")
    first = lines()[0]
    monkeypatch.setattr(simulations, "key", lambda part: "later")
    part[0]["plain", 8] = now
    if now == 8.0:
        simulations.again("a", "3")
    else:
        with pytest.raises(SystemExit, match="plain-8 is another sample now"):
            simulations.again("a", "3")
    assert lines() == [[*first[:2], "later", "3"] if now == 8.0 else first, BEFORE]


def test_a_hash_is_made_once_a_state_of_the_files(tmp_path, monkeypatch):
    """Another process reads it; a changed byte makes it again; where nothing can be written it is made each time."""
    root, made = planted(tmp_path / "one"), []
    meant = runs.meant
    monkeypatch.setattr(runs, "meant", lambda *given: made.append(given) or meant(*given))

    def again(root):
        for function in (runs.fingerprint, runs.as_files, runs.named, runs.tree, runs.written):
            function.cache_clear()  # as a process begins
        return runs.fingerprint("errors_of", root)

    first = again(root)
    assert [again(root), len(made)] == [first, 1]
    planted(root, MEANS, "len(x)", "(len(x) - 1)")
    assert again(root) != first
    assert len(made) == 2
    other = planted(tmp_path / "other")
    (other / "build").write_text("a file where a folder would be")
    assert [again(other), again(other), len(made)] == [first, first, 4]


def test_without_the_tests_a_run_is_not_known(tmp_path, monkeypatch):
    """A copy of the library alone opens, and takes no run for one of its own version."""
    (tmp_path / "src").mkdir()
    assert runs.fingerprint("mutants_read", tmp_path) == ""
    monkeypatch.setattr(runs, "fingerprint", lambda made_by: "")
    assert all(runs.stale(runs.stored()))
