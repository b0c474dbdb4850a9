"""The commands behind `make`; each also runs as ``python -m welfare_analysis COMMAND NAME=value ...``."""

from __future__ import annotations

import argparse
import contextlib
import difflib
import itertools
import os
import re
import shutil
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pandas as pd

from . import __version__
from .demand import housing, tastes
from .disclosure import Policy
from .errors import WelfareError, unknown
from .planning.agreements import agreements
from .publishing import execution, record
from .publishing.folders import alone, private, replacing, set_aside
from .publishing.prose import TRANSLATED, further, in_english, messages, translated, update
from .publishing.report import publish
from .results import headlines, kept, runs
from .results.audit import broken
from .results.declare import WITHHELD
from .study import DATA, KEYED, Study, grouped, log_book, not_given, own_log, several
from .survey import card_designs, doubts, followup, paper, quality, reading, recheck, standin, weighting, xlsform
from .survey.codebook import Codebook
from .survey.reading.text_files import small_table

ROOT = Path(__file__).resolve().parents[2]
STANDIN_SEED = 20120924  # the first day of the caravan
SHOWN_FAULTS = 20
WIDEST = 80  # letters of a cell on the screen
BEAT_S = 5.0  # seconds without a word
OWN = ("SURVEY", "REGISTER", "FOLLOWUP", "RECHECK")
WISHES = ("KEEP", "OMIT", "HALF_WIDTH", "COST", "RETURN_RATE", "ANSWER_RATE", "WRONG_RATE", "SEED")
# from the environment, or as NAME=value
READ = (*OWN, "CODEBOOK", "MAP", "AGREEMENTS", "LISTENING", "RETURNED", "LOG", "PART", *WISHES)
Command = Callable[[argparse.Namespace], int]
# what a spreadsheet takes for the start of a formula, full-width signs too
FORMULA_SIGNS = tuple("=+-@＝＋－＠")


def report(_: argparse.Namespace) -> int:
    """Run the notebooks and write the site; files of one's own are checked first.

    What would be published is attacked first, and tables that give hidden cells away are withheld. The last lines name
    them, and the pages that lack a result: 1 if an error of the program is the cause, 0 if the answers are.
    """
    before = set_aside(ROOT / "build" / "report")
    named, withheld = _own(), []
    try:
        if _named("AGREEMENTS"):
            agreements(_codebook())  # a fault in a table of one's own is said before anything runs
        if _named("LISTENING") and not _heard():
            return 1
        if named:
            if not _sound(named):
                return 1
            with _waiting("opening the files together"):
                study = Study.open()  # what they say together: an error comes without a notebook around it
            with _waiting("attacking the tables as they would be published"):
                withheld = broken(study)
            os.environ[WITHHELD] = " ".join(withheld)
        published = publish(ROOT, say=_progress)
    finally:
        if before.exists():
            print(f"The report of before is in {os.path.relpath(before)}; this run wrote none", file=sys.stderr)
    print(os.path.relpath(published.front))
    if withheld:
        why = "Tables withheld, each said in its place, because what else is published would give hidden cells away"
        print(f"{why}: {', '.join(withheld)}", file=sys.stderr)
    if published.gaps:
        pages = ", ".join(f"{page} {n}" for page, n in published.gaps.items())
        log = os.path.relpath(ROOT / "build" / "report.log")
        print(f"Results that could not be made, each said in its place: {pages}. Why: {log}", file=sys.stderr)
    return 1 if published.errors else 0


def verify(_: argparse.Namespace) -> int:
    """Compare the report with its record: 1 if a file of it was changed, or it is not of these data, code and rules.

    Files of one's own are named as they were for `report`.
    """
    found = record.differences(ROOT / "build" / "report", ROOT, os.environ)
    print("\n".join(found) or "The report is as it was written, from these data, this code and these rules.")
    return bool(found)


def notebooks(_: argparse.Namespace) -> int:
    """Run every notebook in place, on the stand-in, and draw the headline figures again."""
    from welfare_analysis.publishing.figures import write_headlines  # no other command draws in this process

    # the committed notebooks show the stand-in only, whatever files the reader has named
    for name in execution.OWN_FILES:
        os.environ.pop(name, None)
    with tempfile.TemporaryDirectory(dir=private(ROOT / "build")) as place:
        os.environ[kept.FOLDER] = place  # what the pages make is read for the pictures
        execution.run_in_place(execution.find(ROOT / "notebooks"), os.environ, private(ROOT / "build"), _progress)
        write_headlines(ROOT / "figures")
    return 0


def prose(_: argparse.Namespace) -> int:
    """Bring the catalogues of translated pages up to the notebooks; say what is left to translate."""
    for name, lacking in update(_prose()).items():
        print(f"{name}: {lacking} to translate" if lacking else f"{name}: complete")
    return 0


def _prose() -> dict[str, list[str]]:
    """All that is translated of pages, by catalogue."""
    pages = {path.stem: nbformat.read(path, as_version=4) for path in execution.find(ROOT / "notebooks")}
    return {stem: messages(page) for stem, page in pages.items()} | further()


def lab(_: argparse.Namespace) -> int:
    """Open the notebooks; with files of one's own copies of them, which git does not see."""
    folder, variables = ROOT / "notebooks", execution.environment()
    if not _named(*OWN):
        variables.setdefault(kept.FOLDER, str(ROOT / "build" / "cache"))
    else:
        folder = private(ROOT / "build" / "lab")
        for path in execution.find(ROOT / "notebooks"):
            if not (folder / path.name).exists():
                shutil.copyfile(path, folder / path.name)
    return subprocess.call([sys.executable, "-m", "jupyterlab", str(folder)], env=variables)


def clean(_: argparse.Namespace) -> int:
    """Erase everything built, own data too; the environment stays."""
    for folder in (ROOT / "build", ROOT / "notebooks" / ".ipynb_checkpoints"):
        shutil.rmtree(folder, ignore_errors=True)
    return 0


def data(_: argparse.Namespace) -> int:
    """Make the choice cards, the stand-in population, its answers, and what is true of it again."""
    if _named(*OWN):
        hint = "Answers of one's own are read and never written: `make report` publishes tables of them"
        raise WelfareError("only answers of the stand-in, of nobody, are written", where=" or ".join(OWN), hint=hint)
    codebook = Codebook.read(ROOT / "data" / "codebook")
    card_designs.designs(codebook).to_csv(
        ROOT / "data" / "codebook" / "card_designs.csv", index=False, float_format="%g"
    )
    world = standin.generate(standin.Parameters.read(ROOT / "data" / "public"), STANDIN_SEED)
    standin.write(world, ROOT / "data" / "survey")
    headlines.known(reading.typed(world.truth, codebook)).to_csv(headlines.TRUTH, index=False, float_format="%.5f")
    return 0


def form(_: argparse.Namespace) -> int:
    """Write the questionnaire, an XLSForm a status and forms to print, and the form of a log of a caravan's stops."""
    codebook = _codebook()
    rules = Policy.read(ROOT / "data" / "policy.csv")
    limits = {"least": int(rules.min_respondents), "base": int(rules.min_base)}
    with replacing(ROOT / "build" / "form") as folder:
        xlsform.log(log_book(codebook)).save(folder / "questions.xlsx")
        for status in codebook.codes("status"):
            xlsform.workbook(codebook, status, **limits).save(folder / f"{status}.xlsx")
            for language in ("ar", "fr"):
                for part, text in paper.pages(codebook, status, language, **limits).items():
                    (folder / f"{status}.{part}.{language}.html").write_text(text, encoding="utf-8")
    print(os.path.relpath(ROOT / "build" / "form"))
    return 0


def check(_: argparse.Namespace) -> int:
    """Check files of answers, a register, a follow-up, a log: 0 if they can be read, 1 if they have faults."""
    named, terms, log = _own(), _named("AGREEMENTS"), _named("LISTENING")
    if terms:
        print(f"{terms[0].name}: no fault; {len(agreements(_codebook()))} agreements with those of data/public")
    elif not named and not log:
        raise WelfareError("no file was named", where="SURVEY", hint="For example: make check SURVEY=answers.xlsx")
    heard = not log or _heard()
    return 0 if (not named or _sound(named)) and heard else 1


def _heard() -> bool:
    """Whether the log of questions has no fault; all are printed, and written to a table."""
    target = ROOT / "build" / "check" / "questions.csv"
    target.unlink(missing_ok=True)  # of an earlier file
    try:
        log = own_log(_codebook())
    except reading.Faults as error:
        _tell(error.table, target)
        return False
    print(f"{_named('LISTENING')[0].name}: no fault in {0 if log is None else len(log):,} questions")
    return True


def _named(*names: str) -> list[Any]:
    """What some variables name: a path each, or several in a list."""
    sources = [several(value) for name in names if (value := os.environ.get(name, "").strip())]
    return [paths if len(paths) > 1 else paths[0] for paths in sources]


def _own() -> dict[str, Any]:
    """What is named of one's own, by variable, as `_named`."""
    return {variable: source for variable in OWN for source in _named(variable)}


def _codebook() -> Codebook:
    return Codebook.read((_named("CODEBOOK") or [ROOT / "data" / "codebook"])[0])


def _progress(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


@contextlib.contextmanager
def _waiting(what: str) -> Iterator[None]:
    """Say every five seconds what goes on, for as long as it does."""
    done, began = threading.Event(), time.monotonic()

    def beat() -> None:
        while not done.wait(BEAT_S):
            _progress(f"{what}: {time.monotonic() - began:.0f} s")

    threading.Thread(target=beat, daemon=True).start()
    try:
        yield
    finally:
        done.set()


def _sound(sources: dict[str, Any]) -> bool:
    """Whether files, by variable, have no fault; what was accepted and all faults are printed, these in a table too."""
    codebook, found, drafts, sound = _codebook(), [], [], True
    frames: dict[str, pd.DataFrame] = {}
    names = next((reading.Map.read(named, codebook) for named in _named("MAP")), None)
    for left in (ROOT / "build" / "check").glob("[ad]*.csv"):  # forms alike and in doubt, of an earlier file
        left.unlink()
    _own_tables(codebook)
    for table, codes in not_given(codebook).items():
        print(f"public/{table}.csv has no row for {', '.join(codes)}: the pages say less of them")
    for variable, source in sources.items():
        name = ", ".join(path.name for path in (source if isinstance(source, list) else [source]))
        try:
            with _waiting(f"reading {name}"):
                kind, answers = reading.read_any(source, codebook, names, variable)
        except (reading.Faults, reading.NoHeader) as error:
            sound = False
            if isinstance(error, reading.Faults):
                found.append(error.table)
            else:
                print(error)
            begun = 0 if names is None else len(names.headers) + sum(map(len, names.codes.values()))
            draft = reading.draft_map(source, codebook, names)
            drafts += [draft] if len(draft) > begun else []
            continue
        print(f"{name}: no fault in {len(answers.frame):,} rows, read as {kind}; {', '.join(answers.blocks)}")
        if len(answers.report):
            # what is of the whole file first
            accepted = answers.report.sort_values("column", key=lambda names: names != "", kind="stable")
            print(f"Accepted on the way:\n{_lines(_alike(accepted, 'what'))}")
        frames[kind] = answers.frame
    for kind in [kind for kind in frames if kind in ("answers", "follow-up")]:
        _log(frames[kind], codebook)
        sound &= _settled(frames[kind], codebook, frames.get("register"), kind)
    target = ROOT / "build" / "check" / "faults.csv"
    if found:
        _tell(pd.concat(found, ignore_index=True), target)
    else:
        target.unlink(missing_ok=True)  # of an earlier file
    if any(len(draft) for draft in drafts):
        write_table(pd.concat(drafts), target.with_name("map.csv"))
        place = os.path.relpath(target.with_name("map.csv"))
        print(f"A map to complete, for columns and codes that are not known: {place}; then say MAP={place}")
    if sound and {"SURVEY", "RECHECK"} <= set(sources):
        Study.open()  # refuses a recheck that is not of those who answered
    return sound


def _own_tables(codebook: Codebook) -> None:
    """Refuse tables of an institution's folder ``public`` that the pages could not read.

    Raises
    ------
    WelfareError
        A name that no table of ``data/public`` has, no CSV in UTF-8, a column that is not there, a word for a number, a
        place that the codebook lacks.
    """
    for path in [path for folder in _named("CODEBOOK") for path in sorted((folder / "public").glob("*.csv"))]:
        where, model = f"public/{path.name}", DATA / "public" / path.name
        if not model.is_file():
            names = [table.stem for table in model.parent.glob("*.csv")]
            raise unknown("no page reads a table of this name", path.stem, names, "a name of data/public", where=where)
        whole = pd.read_csv(model, keep_default_na=False, na_values=[""])
        try:
            own = pd.read_csv(path, dtype=str, keep_default_na=False)
        except ValueError:
            raise WelfareError("the table cannot be read", where=where, expected="CSV in UTF-8, with commas") from None
        if not set(whole) <= set(own):
            listed, hint = ", ".join(whole), "Save it as CSV in UTF-8, with commas between columns."
            raise WelfareError("a column is not there", where=f"{where}, row 1", expected=listed, hint=hint)
        least, above = (0.0, ", 0 or more") if path.stem in KEYED else (-np.inf, "")  # rents
        for name in whole:
            number, expected = pd.to_numeric(own[name], errors="coerce"), f"a number{above}"
            wrong = (own[name] != "") & ~(np.isfinite(number) & (number >= least))
            if name == KEYED.get(path.stem):
                wrong, expected = ~own[name].isin(["", *codebook.codes(name)]), f"a code of the list {name}"
            elif not pd.api.types.is_numeric_dtype(whole[name]) or whole[name].isna().all():
                continue
            _refuse_cell(wrong, own[name], where, expected)
        for name in [name for name in whole if whole[name].notna().all()]:
            _refuse_cell(own[name] == "", own[name], where, "a value, as in data/public")
        if path.stem in KEYED:
            key = own[KEYED[path.stem]]
            _refuse_cell(key.duplicated() & (key != ""), key, where, "each once")
        if {"low", "value", "high"} <= set(whole):
            low, value, high = (pd.to_numeric(own[name], errors="coerce") for name in ("low", "value", "high"))
            _refuse_cell(low > value, own["low"], where, "at most the value")
            _refuse_cell(high < value, own["high"], where, "at least the value")


def _refuse_cell(wrong: pd.Series, cells: pd.Series, where: str, expected: str) -> None:
    """Raise on the first cell of a column that a mask names."""
    for row in wrong[wrong].index[:1]:
        at = f"{where}, row {row + 2}, column {cells.name}"
        raise WelfareError("a cell cannot be read", where=at, got=cells[row], expected=expected)


def _alike(rows: pd.DataFrame, what: str) -> pd.DataFrame:
    """Column, what was so, and how often (``n``); where the rows are many, what was so in many columns is one."""
    if len(rows) <= SHOWN_FAULTS:
        return rows
    alike = rows.groupby(what, sort=False)
    made = alike.agg(column=("column", lambda names: ", ".join(names[:2])), more=("column", "size"), n=("n", "sum"))
    more = made["more"].map(lambda n: f" ... ({n} columns)" if n > 2 else "")
    return made.assign(column=made["column"] + more).reset_index()[["column", what, "n"]]


def _log(frame: pd.DataFrame, codebook: Codebook) -> None:
    """Say how many answers contradict each other and which forms are alike; a log has each such answer."""
    folder, rules = ROOT / "build" / "check", quality.read_rules(codebook)
    against = quality.inconsistent(frame, rules).query("broken > 0")
    if len(against):
        print(f"Answers that contradict each other:\n{_lines(against.rename_axis('rule').reset_index())}")
    log = _of_forms(quality.corrections(frame, rules), "row", frame)
    with _waiting("comparing the forms"):
        pairs = quality.near_duplicates(frame.filter(codebook.variables.index.drop("person_id", errors="ignore")))
    alike = _of_forms(_of_forms(pairs, "first", frame), "second", frame)
    for table, name, what in (
        (log, "consistency.csv", "What the rules find, and would blank, is in {}; write what is right as `new`"),
        (alike, "alike.csv", f"{len(alike):,} pairs of forms are alike in nearly all answers: {{}}"),
    ):
        if len(table):
            write_table(table, folder / name)
            print(what.format(os.path.relpath(folder / name)))


def _of_forms(table: pd.DataFrame, rows: str, frame: pd.DataFrame) -> pd.DataFrame:
    """A table with the number of the form, from 1, and its key if there is one, in place of rows of a frame."""
    keys = {f"{rows}_person_id": frame["person_id"].iloc[table[rows]].to_numpy()} if "person_id" in frame else {}
    return table.assign(**{rows: table[rows] + 1}, **keys).rename(columns={"row": "form", "row_person_id": "person_id"})


def _settled(frame: pd.DataFrame, codebook: Codebook, register: pd.DataFrame | None, kind: str) -> bool:
    """Whether it is known what is done with forms in doubt; they are listed for whoever holds the file."""
    doubtful = doubts.doubts(frame, codebook, register)
    if len(doubtful):
        target = ROOT / "build" / "check" / f"doubts_{kind}.csv"
        write_table(_of_forms(doubtful.join(codebook.impossible["label_en"], on="rule"), "row", frame), target)
        print(f"{doubtful['row'].nunique():,} forms of the {kind} are in doubt: {os.path.relpath(target)}")
    try:
        if register is not None:
            weighting.in_register(kind, frame, pd.Index(register["person_id"]))
        doubts.settled(frame, codebook, register, doubts.wishes(), kind)
    except WelfareError as error:
        print(error)
        return False
    return True


def _tell(table: pd.DataFrame, target: Path) -> None:
    """Print the first faults, and how many there are of each kind if they are many; write all of them."""
    shown = table.drop(columns=[name for name in ("file", "sheet") if table[name].nunique() == 1])
    where = [*table["file"].unique(), *(s for s in table["sheet"].unique() if s and "sheet" not in shown)]
    print(f"{', '.join(where)}: {len(table):,} fault{'s' if len(table) > 1 else ''}")
    print(_lines(shown.head(SHOWN_FAULTS)))
    if len(table) > SHOWN_FAULTS:
        counts = _alike(table.groupby(["column", "rule"], sort=False).size().rename("n").reset_index(), "rule")
        often = counts.sort_values("n", ascending=False, kind="stable").head(SHOWN_FAULTS)
        print(f"...\nHow often:\n{_lines(often)}")
    write_table(table, target)
    print(f"All of them are in {os.path.relpath(target)}")


def _lines(table: pd.DataFrame) -> str:
    """A table in which a long cell goes on in the next line."""
    cells = [[textwrap.wrap(str(cell), WIDEST) or [""] for cell in row] for row in table.itertuples(index=False)]
    rows = [line for row in cells for line in itertools.zip_longest(*row, fillvalue="")]
    return pd.DataFrame(rows, columns=table.columns).to_string(index=False, justify="left")


def write_table(table: pd.DataFrame, target: Path) -> None:
    """Write a table whose cells and headers no spreadsheet takes for formulas; whole, or not at all.

    Raises
    ------
    WelfareError
        If the folder cannot be written; a table of before is then as it was.
    """
    text = table.astype("str").fillna("").map(as_text).rename(columns=lambda name: as_text(str(name)))
    part = target.with_name(target.name + ".part")
    try:
        private(ROOT / "build")
        target.parent.mkdir(exist_ok=True)
        text.to_csv(part, index=False, encoding="utf-8")
        part.replace(target)
    except OSError as error:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
        hint = "Free some space or the right to write there, and run it again."
        raise WelfareError("the table cannot be written", where=str(target), got=error.strerror, hint=hint) from None


def draw(_: argparse.Namespace) -> int:
    """Plan the follow-up, and draw it where RETURNED names the forms that came back; all in build/draw.

    Where SURVEY names the answers, it is a recheck that is drawn: who of those who answered is to show papers.
    """
    codebook, wish = _codebook(), _wish()
    if _named("SURVEY"):
        return _draw_recheck(codebook, wish)
    names = next((reading.Map.read(named, codebook) for named in _named("MAP")), None)
    registers = [reading.read_register(path, codebook, names) for path in _named("REGISTER")]
    if not registers or not isinstance(registers[0], reading.Answers):
        raise WelfareError("a follow-up is drawn from a list of persons", where="REGISTER", expected="its file")
    people, back = grouped(registers[0].frame, codebook), None
    for path in _named("RETURNED"):
        forms = reading.read(path, codebook, names).frame
        weighting.in_register(", ".join(one.name for one in several(path)), forms, pd.Index(people["person_id"]))
        back = people["person_id"].astype(object).isin(forms["person_id"])
    strata, groups, stratum = followup.plan(people, back, wish)
    with _draw_folder() as folder:
        strata.round(4).to_csv(folder / "strata.csv")
        groups.round(4).to_csv(folder / "groups.csv")
        if back is not None:
            seed = int(_number("SEED", 1, whole=True))
            chosen = followup.drawn(people[~back], strata, stratum, np.random.default_rng(seed))
            _write_drawn(folder, "followup", chosen, codebook, seed)
    visits, cost = strata["visits"].sum(), (strata["visits"] * strata["visit_dh"]).sum()
    needed = f"{visits:,.0f} visits, {cost:,.0f} {codebook.text('unit.dh')}"
    print(f"{needed}; to reach each group:\n{_lines(groups.reset_index().round(3))}")
    if len(wide := groups.index[groups["half_width"] > wish.half_width + 1e-9]):
        short = ", ".join("|".join(group) for group in wide)
        print(f"Not even a visit to each nonrespondent reaches {100 * wish.half_width:g} points in {short}")
    print(os.path.relpath(ROOT / "build" / "draw"))
    return 0


def _draw_recheck(codebook: Codebook, wish: followup.Wish) -> int:
    """Draw a recheck (`survey.recheck`), of named persons, for the half width wished."""
    study, wrong = Study.open(), _number("WRONG_RATE", 10) / 100
    if not 0 < wrong < 1:
        raise WelfareError("no plan can be made", where="WRONG_RATE", got=100 * wrong, expected="above 0, under 100")
    if study.register is None:
        what, hint = "a recheck is drawn from persons of a register", "Name its file; the answers have its keys."
        raise WelfareError(what, where="REGISTER", hint=hint)
    seed, wanted = int(_number("SEED", 1, whole=True)), recheck.needed(wish.half_width, wrong)
    n = min(int(np.ceil(wanted / wish.answer_rate)), len(study.frame))
    chosen = recheck.drawn(study.frame, study.design.weights, n, np.random.default_rng(seed))
    drawn = chosen.groupby("stratum")["stratum"].transform("size")
    chosen = chosen.assign(probability=drawn / chosen["stratum_population"])
    chosen = chosen.merge(study.register[["person_id", "status", "rank", "command"]], on="person_id", how="left")
    with _draw_folder() as folder:
        _write_drawn(folder, "recheck", chosen, codebook, seed)
    cost = f"{len(chosen) * wish.visit_dh:,.0f} {codebook.text('unit.dh')}"
    print(f"{len(chosen):,} visits, {cost}; papers of about {wanted:,} are needed for {100 * wish.half_width:g} points")
    if wanted > wish.answer_rate * len(chosen) + 1:
        print("Not even a visit to all who answered gives as many: wish for a wider interval")
    print(os.path.relpath(ROOT / "build" / "draw"))
    return 0


def _draw_folder() -> contextlib.AbstractContextManager[Path]:
    """The folder of a draw, made anew.

    Raises
    ------
    WelfareError
        A file in it that is named, or was filled in: it would be lost.
    """
    folder = ROOT / "build" / "draw"
    named = [path.resolve() for name in (*OWN, "RETURNED") for path in _named(name)]
    filled = [p for p in folder.glob("*.csv") if p.stem in ("followup", "recheck") and _filled(p)]
    if lost := [path for path in (*named, *filled) if folder.resolve() in path.resolve().parents]:
        what, hint = "a file that was filled in would be lost", "Move it to another folder, and draw then."
        raise WelfareError(what, where=os.path.relpath(lost[0]), hint=hint)
    return replacing(folder)


def _filled(path: Path) -> bool:
    """Whether a sheet of a draw has an outcome, or was saved in another way than it was written."""
    try:
        return bool(pd.read_csv(path, dtype=str, usecols=["outcome"])["outcome"].notna().any())
    except ValueError:  # semicolons, another encoding
        return True


def _write_drawn(folder: Path, name: str, chosen: pd.DataFrame, codebook: Codebook, seed: int) -> None:
    """Those drawn with the chance of each, the file to fill in, and lists to print."""
    known = ["person_id", *reading.FOLLOWUP[:2]]
    chosen[[*known, "probability"]].assign(seed=seed).to_csv(folder / "drawn.csv", index=False)
    asked = [question for question in codebook.variables.index if question != "person_id"]
    blank = chosen[known].reindex(columns=["person_id", *reading.FOLLOWUP, *asked])
    blank.to_csv(folder / f"{name}.csv", index=False, encoding="utf-8-sig")
    for language in ("ar", "fr"):
        (folder / f"list.{language}.html").write_text(paper.visits(codebook, chosen, language), encoding="utf-8")


def _number(name: str, usual: float, whole: bool = False) -> float:
    text = os.environ.get(name, "").strip() or str(usual)
    pattern = r"\d{1,15}" if whole else r"-?\d{1,15}(\.\d+)?"
    if not re.fullmatch(pattern, text):
        expected = "a whole number" if whole else "digits, with a point before decimals"
        raise WelfareError("this is no number", where=name, got=text, expected=expected)
    return float(text)


def _wish() -> followup.Wish:
    """The wish that HALF_WIDTH, RETURN_RATE and ANSWER_RATE (in per cent) and COST tell: ``3 60 sahara=150``, in DH."""
    usual, costs = followup.Wish(), os.environ.get("COST", "").split()
    rates = [_number(n.upper(), 100 * getattr(usual, n)) / 100 for n in ("half_width", "return_rate", "answer_rate")]
    try:
        plain = [float(cost) for cost in costs if "=" not in cost] or [usual.form_dh, usual.visit_dh]
        groups = [(group, float(cost)) for group, _, cost in (c.partition("=") for c in costs if "=" in c)]
        (form, visit), some = plain, dict(groups)
        if len(some) < len(groups):
            raise ValueError
    except ValueError:
        expected = "the cost of a form, of a visit, and of a visit in some groups, each once: 3 60 sahara=150"
        raise WelfareError("the costs cannot be read", where="COST", got=" ".join(costs), expected=expected) from None
    return followup.Wish(rates[0], form, visit, some, *rates[1:])


def replay(_: argparse.Namespace) -> int:
    """Apply a log of corrections, LOG, to the answers; the corrected file is in build/replay."""
    survey, log = _named("SURVEY"), _named("LOG")
    if not survey or not log:
        raise WelfareError("two files are needed", where="SURVEY and LOG", hint="LOG=build/check/consistency.csv")
    codebook = _codebook()
    names = next((reading.Map.read(named, codebook) for named in _named("MAP")), None)
    answers = reading.read(survey[0], codebook, names)
    changes = small_table(log[0], ("form", "column", "old", "new"), "the log", "`make check` writes one.")
    mended = quality.replay(answers.frame, changes, codebook, log[0].name)
    gaps = answers.missing.isin(list(quality.SPECIAL)) & mended.isna()
    mended = mended.where(~gaps, answers.missing.astype(object).replace(quality.SPECIAL))
    target = ROOT / "build" / "replay" / f"{(survey[0][0] if isinstance(survey[0], list) else survey[0]).stem}.csv"
    with replacing(target.parent) as folder:
        mended.to_csv(folder / target.name, index=False, encoding="utf-8")
    print(os.path.relpath(target))
    return 0


def validate(_: argparse.Namespace) -> int:
    """Run the long simulations, or those that PART names; what is done of one is kept, and goes on."""
    return subprocess.call([sys.executable, ROOT / "tests" / "simulation", *os.environ.get("PART", "").split()])


def release(_: argparse.Namespace) -> int:
    """Say whether this version may go out: simulations of this code, languages complete, one version and one day."""
    left = list(_unfinished())
    print("\n".join(left) or f"Version {__version__} may be released.")
    return bool(left)


def _unfinished() -> Iterator[str]:
    """What a release still lacks, a line each."""
    stored = runs.stored()
    for run in stored[runs.stale(stored)].itertuples():
        yield f"data/{run.table} is of an earlier version, {run.date} at {run.commit}: make validate PART={run.part}"
    yield from (f"data/prose/in_english.txt: {stem} is in English alone" for stem in in_english())
    for stem, said in _prose().items():
        for language in TRANSLATED:
            if lacking := sum(text not in translated(stem, language) for text in said):
                yield f"data/prose/{language}/{stem}.po: {lacking} to translate"
    head = re.search(r"^## (\S+) - (\S+)$", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    cited = dict(re.findall(r"^([\w-]+): (.+)$", (ROOT / "CITATION.cff").read_text(encoding="utf-8"), re.MULTILINE))
    version, day = head.groups() if head else ("none", "no day")
    dated = bool(re.fullmatch(r"\d{4}-\d\d-\d\d", day))
    for where, found, expected in (
        ("CHANGELOG.md, its first version", version, __version__),
        ("CHANGELOG.md, the day of that", day, day if dated else "the day of the release"),
        ("CITATION.cff, version", cited["version"], __version__),
        ("CITATION.cff, date-released", cited["date-released"], day if dated else cited["date-released"]),
    ):
        if found != expected:
            yield f"{where}: {found}, expected {expected}"


def mixed(_: argparse.Namespace) -> int:
    """Fit the mixed logit of the cards on homes, on a subsample: of the stand-in, or of files of one's own."""
    study = Study.open()
    folder = ROOT / "data" / "survey" if study.is_standin else ROOT / "build"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = tastes.Subsample(tastes.most_lent(housing.market(study))).result()
    partial = folder / f"{tastes.NAME}.partial"
    found.to_csv(partial, index=False, float_format="%.9g")
    partial.replace(folder / tastes.NAME)
    print(os.path.relpath(folder / tastes.NAME))
    return 0


def as_text(cell: str) -> str:
    """Return a cell that no spreadsheet takes for a formula: an apostrophe before its signs, tabs and line breaks."""
    return f"'{cell}" if cell.startswith(("\t", "\r", "\n")) or cell.lstrip().startswith(FORMULA_SIGNS) else cell


COMMANDS = (report, verify, notebooks, prose, lab, data, form, check, draw, replay, validate, release, mixed, clean)
WRITERS = (report, notebooks, prose, data, form, draw, replay, mixed)  # one run at a time


def _take(command: Command, values: list[str]) -> None:
    """Take ``NAME=value`` as if it stood in the environment; of `check` a bare value is the file.

    Raises
    ------
    WelfareError
        A name that is not read, with the one that may be meant; one that is given twice.
    """
    taken = set()
    for value in values:
        name, sign, given = value.partition("=") if "=" in value or command is not check else ("SURVEY", "=", value)
        name = "SURVEY" if name == "FILE" and command is check else name
        if name not in READ or not sign:
            meant = "SURVEY" if name.upper() in ("FILE", "") else name.upper()
            near = difflib.get_close_matches(meant, READ, 1, 0.7)
            hint = f"Write {near[0]}=..." if near else ""
            raise WelfareError("this name is not read", got=value, expected=f"one of {', '.join(READ)}", hint=hint)
        if name in taken:
            hint = "Write it once. Several files of one survey stand in quotes: SURVEY='a.xlsx b.csv'."
            raise WelfareError("this name is given twice", where=name, got=value, expected="each name once", hint=hint)
        taken.add(name)
        os.environ[name] = given


def main(arguments: list[str] | None = None) -> int:
    """Run one command; an error that the reader can mend is a sentence, with exit code 2.

    Interrupted, it says so in one line and gives 130.
    """
    parser = argparse.ArgumentParser(prog="welfare_analysis", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="command")
    for command in COMMANDS:
        sub = commands.add_parser(command.__name__, help=command.__doc__)
        sub.set_defaults(run=command)
        sub.add_argument("values", nargs="*", metavar="NAME=value", help=", ".join(READ))
    parsed = parser.parse_args(arguments)
    try:
        _take(parsed.run, parsed.values)
        os.umask(0o077)
        with _lock(parsed.run):
            return parsed.run(parsed)
    except WelfareError as error:
        print(error, file=sys.stderr)
    except OSError as error:  # a folder that cannot be written, a full disk
        print(f"{error.filename or 'a file'}: {error.strerror or error}", file=sys.stderr)
    except KeyboardInterrupt:
        print("Stopped; what was not finished is not kept.", file=sys.stderr)
        return 130
    return 2


def _lock(command: Command) -> contextlib.AbstractContextManager[None]:
    if command not in WRITERS:
        return contextlib.nullcontext()
    return alone(ROOT / "build", command.__name__)


if __name__ == "__main__":
    sys.exit(main())
