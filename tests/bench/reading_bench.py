"""Files of answers: a workbook beside openpyxl and pandas, and the check of 400,000 forms, against a bar in seconds.

The bars: a workbook at 200,000 cells a second, checking apart, and a minute for a check.
"""

from __future__ import annotations

import tempfile
from functools import partial
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.csv
from books import BOOK
from timing import Case

from welfare_analysis.study import DATA
from welfare_analysis.survey import quality
from welfare_analysis.survey.reading import files, read, workbooks
from welfare_analysis.survey.reading.exports import header_names

FORMS, MANY, CELLS_A_SECOND = 1_000, 400_000, 200_000


def forms(n: int) -> pd.DataFrame:
    """Forms of the stand-in, drawn again with a key of their own."""
    drawn = pd.read_parquet(DATA / "survey" / "answers.parquet").sample(n, replace=True, random_state=1)
    return drawn.assign(person_id=[f"P{i:07}" for i in range(n)]).reset_index(drop=True)


def by_openpyxl(path: Path) -> object:
    """The same cells by the other program, as `workbooks` reads what is not usual."""
    with workbooks._opened(path, usual=False) as sheets:
        return [list(rows()) for rows in sheets.values()]


def check(path: Path) -> None:
    """What `make check` does with a file of answers, but for printing."""
    frame, rules = read(path, BOOK).frame, quality.read_rules(BOOK)
    quality.corrections(frame, rules)
    quality.near_duplicates(frame.filter(BOOK.variables.index.drop("person_id")))


def cases() -> list[Case]:
    """A workbook, then many forms as CSV and as Parquet."""
    folder = Path(tempfile.mkdtemp())
    few, many = forms(FORMS), forms(MANY)
    few.to_excel(folder / "a.xlsx", index=False)
    pa.csv.write_csv(pa.Table.from_pandas(many, preserve_index=False), folder / "a.csv")
    many.to_parquet(folder / "a.parquet", index=False)
    known = header_names(BOOK)
    peers = {
        "openpyxl": partial(by_openpyxl, folder / "a.xlsx"),
        "pandas and openpyxl": partial(pd.read_excel, folder / "a.xlsx", dtype=object, engine="openpyxl"),
        "bar": few.size / CELLS_A_SECOND,
    }
    goals = {"openpyxl": 3.0, "pandas and openpyxl": 3.0, "bar": 1.0}
    return [
        Case(f"XLSX, {few.size:,} cells", partial(files.load, folder / "a.xlsx", known), peers, goals),
        *(
            Case(f"check {MANY:,} forms as {kind}", partial(check, folder / f"a.{kind}"), {"bar": 60.0}, {"bar": 1.0})
            for kind in ("csv", "parquet")
        ),
    ]
