"""Good files changed in twenty ways, each of which changes what cells mean, and what reading must make of them.

A mutant is right if it gives the answers that its cells mean, or a fault in one of its rows or columns. It is wrong if
it gives other answers without a fault, or ends in anything but a `WelfareError`.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from welfare_analysis.survey.codebook import Codebook
from welfare_analysis.survey.reading import Faults, read

Table = pd.DataFrame
# The changed file, the answers that it now means (None: it means nothing sure), and what a fault may name.
Mutant = tuple[Table, Table | None, set[str]]
Change = Callable[[Table, np.random.Generator, Codebook], Mutant]


def as_text(answers: Table) -> Table:
    """Answers as they stand in a file."""
    text = answers.dropna(axis=1, how="all").astype(object)
    text = text.where(text.notna(), "").map(lambda v: f"{v:.12g}" if isinstance(v, float) else str(v))
    return text.reset_index(drop=True)


def _cell(table: Table, rng: np.random.Generator, names: list[str]) -> tuple[int, str]:
    """A row and a column that hold an answer, by chance."""
    names = [name for name in names if name in table and (table[name] != "").any()]
    name = names[rng.integers(len(names))]
    rows = np.flatnonzero(table[name] != "")
    return int(rows[rng.integers(len(rows))]), name


def _of(codebook: Codebook, *types: str) -> list[str]:
    return [str(n) for n, line in codebook.lines.items() if line["type"] in types and not line["drawn"]]


def _with(table: Table, row: int, name: str, cell: str) -> Table:
    changed = table.copy()
    changed.iloc[row, changed.columns.get_loc(name)] = cell
    return changed


def _codes(table: Table, rng: np.random.Generator, book: Codebook) -> tuple[int, str, list[str]]:
    row, name = _cell(table, rng, _of(book, "code", "yes_no"))
    return row, name, book.codes(book.lines[name]["list"])


def other_code(table: Table, rng: np.random.Generator, book: Codebook) -> Mutant:
    """Another code of the list: the answer changes, or a rule between answers breaks."""
    row, name, codes = _codes(table, rng, book)
    changed = _with(table, row, name, codes[rng.integers(len(codes))])
    return changed, changed, set(book.lines)


def label(table: Table, rng: np.random.Generator, book: Codebook) -> Mutant:
    """A label in one of three languages for its code: the same answer."""
    row, name, _ = _codes(table, rng, book)
    text = book.label(book.lines[name]["list"], table[name].iloc[row], ("ar", "fr", "en")[rng.integers(3)])
    return _with(table, row, name, text), table, {name}


def misspelt(table: Table, rng: np.random.Generator, book: Codebook) -> Mutant:
    """A letter of a code is lost, doubled or exchanged."""
    row, name, codes = _codes(table, rng, book)
    text = table[name].iloc[row]
    letters = [i for i, letter in enumerate(text) if letter.isalpha()]
    if len(text) < 3 or not letters:
        return table, table, set()
    at = int(rng.choice(letters))
    cell = text[:at] + ("", text[at] * 2, "q")[rng.integers(3)] + text[at + 1 :]
    means = _with(table, row, name, cell) if cell in codes else None
    return _with(table, row, name, cell), means, {name}


def foreign(table: Table, rng: np.random.Generator, book: Codebook) -> Mutant:
    """A word, a number or a date that is no answer."""
    row, name = _cell(table, rng, _of(book, "code", "yes_no", "integer", "amount"))
    words = ["n/a", "#REF!", "Fatima Zahra", "31/02/2012", "1e99", "inf", "=1+1", "12 345 678 901", "?", "\x1b[31m"]
    return _with(table, row, name, words[rng.integers(len(words))]), None, {name}


def missing(table: Table, rng: np.random.Generator, book: Codebook) -> Mutant:
    """The code of no answer: missing, never a number."""
    row, name = _cell(table, rng, [n for n in _of(book, "integer", "amount") if book.lines[n]["group"] not in RANKS])
    return _with(table, row, name, ("-98", "-99")[rng.integers(2)]), _with(table, row, name, ""), {name}


def blank(table: Table, rng: np.random.Generator, book: Codebook) -> Mutant:
    """An answer is deleted: missing, or a fault of what hangs on it."""
    row, name = _cell(table, rng, _of(book, "code", "yes_no", "integer", "amount"))
    changed = _with(table, row, name, "")
    return changed, changed, set(book.lines)


def digits(table: Table, rng: np.random.Generator, book: Codebook) -> Mutant:
    """A number in Arabic-Indic or Persian digits: the same number."""
    row, name = _cell(table, rng, _of(book, "integer", "amount"))
    script = ("٠١٢٣٤٥٦٧٨٩", "۰۱۲۳۴۵۶۷۸۹")[rng.integers(2)]
    text = table[name].iloc[row].translate(str.maketrans("0123456789.", script + "٫"))
    return _with(table, row, name, text), table, {name}


def two_scripts(table: Table, rng: np.random.Generator, book: Codebook) -> Mutant:
    """A number whose digits are of two scripts."""
    row, name = _cell(table, rng, _of(book, "integer", "amount"))
    return _with(table, row, name, "٣" + table[name].iloc[row]), None, {name}


def scaled(table: Table, rng: np.random.Generator, book: Codebook) -> Mutant:
    """A number ten times as large, or of the other sign: that number, or a fault."""
    row, name = _cell(table, rng, _of(book, "integer", "amount"))
    value = float(table[name].iloc[row])
    cell = f"{(10 * value, -value)[rng.integers(2)]:.12g}"
    changed = _with(table, row, name, cell)
    return changed, changed, set(book.lines) | set(book.groups.index)


def decimal(table: Table, rng: np.random.Generator, book: Codebook) -> Mutant:
    """A half more, with a decimal comma: that amount, or a fault where a whole number is asked."""
    row, name = _cell(table, rng, _of(book, "integer", "amount"))
    value = float(table[name].iloc[row]) + 0.5
    return (
        _with(table, row, name, f"{value:.1f}".replace(".", ",")),
        _with(table, row, name, f"{value:.12g}"),
        set(book.lines) | set(book.groups.index),
    )


def columns_exchanged(table: Table, rng: np.random.Generator, book: Codebook) -> Mutant:
    """The headers of two columns change places: what stands under a name is its answer, or a fault."""
    one, two = rng.choice([n for n in table if n != "person_id"], 2, replace=False)
    changed = table.rename(columns={one: two, two: one})
    return changed, changed, set(book.lines) | set(book.groups.index)


def header_lost(table: Table, rng: np.random.Generator, book: Codebook) -> Mutant:
    """A header is misspelt."""
    name = str(rng.choice([n for n in table if n != "status"]))
    wrong = name[:-2] + "zq"
    return table.rename(columns={name: wrong}), None, {wrong}


def header_doubled(table: Table, rng: np.random.Generator, book: Codebook) -> Mutant:
    """A column stands twice, with other answers."""
    name = str(rng.choice(list(table)))
    again = table[name].iloc[::-1].set_axis(table.index)
    return pd.concat([table, again], axis=1), None, {name}


def person_again(table: Table, rng: np.random.Generator, book: Codebook) -> Mutant:
    """A row is pasted a second time."""
    row = int(rng.integers(len(table)))
    return pd.concat([table, table.iloc[[row]]]), None, {"person_id"}


def row_cut(table: Table, rng: np.random.Generator, book: Codebook) -> Mutant:
    """The answers of a row move by a column: faults of the row, or the answers as they now stand."""
    row = int(rng.integers(len(table)))
    changed = table.copy()
    changed.iloc[row] = [*table.iloc[row, 1:], ""]
    return changed, changed, set(book.lines) | set(book.groups.index) | {""}


def rows_shuffled(table: Table, rng: np.random.Generator, book: Codebook) -> Mutant:
    """Rows and columns in another order: the same answers in the order of the rows."""
    changed = table.iloc[rng.permutation(len(table)), rng.permutation(table.shape[1])]
    return changed, changed, set()


def item_in_one_column(table: Table, rng: np.random.Generator, book: Codebook) -> Mutant:
    """One column of several answers for the columns of a question, with one item more or less than they had."""
    group, members = _group(table, rng, book, "multiple")
    ticked = (table[members] == "yes").to_numpy()
    asked = (table[members] != "").all(axis=1).to_numpy() & ticked.any(axis=1)
    rows = np.flatnonzero(asked & (ticked.sum(axis=1) > 1))
    if not len(rows):
        return table, table, set()
    row = int(rows[rng.integers(len(rows))])
    item = int(rng.choice(np.flatnonzero(ticked[row])))
    ticked[row, item] = False
    codes = np.array([n.removeprefix(f"{group}_") for n in members])
    text = [" ".join(codes[own]) if a else "" for own, a in zip(ticked, asked, strict=True)]
    means = table.copy()
    means[members] = np.where(asked[:, None], np.where(ticked, "yes", "no"), "")
    return table.drop(columns=members).assign(**{group: text}), means, {group, *members}


def both_shapes(table: Table, rng: np.random.Generator, book: Codebook) -> Mutant:
    """One column of several answers beside those of 0 and 1; in one row an item differs."""
    changed, means, names = item_in_one_column(table, rng, book)
    if means is table:
        return table, table, set()
    group = next(name for name in changed if name not in table)
    members = [n for n in table if n not in changed]
    marks = table[members].replace({"yes": "1", "no": "0"})
    marks = marks.rename(columns=lambda name: name.replace(f"{group}_", f"{group}/"))
    return pd.concat([changed, marks], axis=1), None, names


def marks_changed(table: Table, rng: np.random.Generator, book: Codebook) -> Mutant:
    """Ones and noughts for the answers to a question, one of them another sign."""
    _, members = _group(table, rng, book, "multiple")
    changed = table.copy()
    changed[members] = table[members].replace({"yes": "1", "no": "0"})
    rows = np.flatnonzero((changed[members] != "").all(axis=1))
    if not len(rows):
        return table, table, set()
    row, name = int(rows[rng.integers(len(rows))]), members[rng.integers(len(members))]
    return _with(changed, row, name, ("2", "n/a", "x", "-")[rng.integers(4)]), None, {name}


def place_twice(table: Table, rng: np.random.Generator, book: Codebook) -> Mutant:
    """Two items of a ranking at one place."""
    group, members = _group(table, rng, book, "ranking")
    rows = np.flatnonzero((table[members] != "").all(axis=1))
    if not len(rows):
        return table, table, set()
    row = int(rows[rng.integers(len(rows))])
    return _with(table, row, members[0], table[members[1]].iloc[row]), None, {group}


def _group(table: Table, rng: np.random.Generator, book: Codebook, kind: str) -> tuple[str, list[str]]:
    groups = [str(g) for g in book.groups.index[book.groups["kind"] == kind]]
    whole = {g: [n for n in book.lines if book.lines[n]["group"] == g and n in table] for g in groups}
    routed = [g for g in groups if kind == "multiple" and any(book.lines[n]["asked_if"] for n in whole[g])]
    groups = [g for g in groups if len(whole[g]) > 1 and g not in routed]
    group = groups[rng.integers(len(groups))]
    return group, whole[group]


def some_of(table: Table, rng: np.random.Generator, book: Codebook, change: Change) -> Table:
    """The key, who answers, a block by chance, and where the change needs them two with lists and rankings."""
    blocks = ["identity", str(rng.choice(list(book.blocks))), *(("leisure", "priorities") if change in GROUPED else ())]
    return table[[n for n in table if n == "person_id" or book.lines[n]["block"] in blocks]]


OUTCOMES = ("right", "named_fault", "wrong")
RANKS = ("health_rank", "priority")
CHANGES: tuple[Change, ...] = (
    other_code, label, misspelt, foreign, missing, blank, digits, two_scripts, scaled, decimal, columns_exchanged,
    header_lost, header_doubled, person_again, row_cut, rows_shuffled, item_in_one_column, both_shapes, marks_changed,
    place_twice,
)  # fmt: skip
GROUPED = (item_in_one_column, both_shapes, marks_changed, place_twice)


def judged(change: Change, table: Table, rng: np.random.Generator, book: Codebook, folder: Path) -> tuple[str, str]:
    """How a mutant is read, one of `OUTCOMES`, and what is wrong with it if it is."""
    changed, means, names = change(table, rng, book)
    suffix = (".csv", ".xlsx", ".parquet")[rng.integers(3)]
    path = folder / f"mutant{suffix}"
    if suffix == ".parquet" and not changed.columns.has_duplicates:
        changed.astype(str).to_parquet(path, index=False)
    elif suffix == ".xlsx" and not changed.astype(str).map(lambda c: "\x1b" in c or c.startswith("=")).any(axis=None):
        changed.to_excel(path, index=False)
    else:
        path = path.with_suffix(".csv")
        changed.to_csv(path, index=False)
    try:
        found = read(path, book).frame
    except Faults as error:
        named = set(error.table["column"])
        return ("named_fault", "") if named & names else ("wrong", f"a fault elsewhere: {sorted(named)}")
    except Exception as error:  # one of the file, or a traceback
        return "wrong", f"no table of faults: {type(error).__name__}: {error}"
    what = "read without a fault" if means is None else _differing(found, means, book)
    return ("wrong", what) if what else ("right", "")


def _differing(found: Table, means: Table, book: Codebook) -> str:
    """The first column whose answers are not those that the cells mean."""
    for name in means:
        if book.lines[name]["type"] in ("integer", "amount"):
            want = pd.to_numeric(means[name].replace("", None).astype(object), errors="coerce").astype(float).to_numpy()
            want = np.where(np.isin(want, [-98, -99]), np.nan, want)
            same = np.isclose(found[name].to_numpy(float), want, equal_nan=True)
        else:
            want = means[name].replace({"-98": "", "-99": ""}).to_numpy(str)
            same = found[name].astype(object).fillna("").to_numpy(str) == want
        if not same.all():
            return f"{name} is not what its cells mean in {int((~same).sum())} rows"
    return ""
