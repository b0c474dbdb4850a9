"""Files of answers become a frame, or one table of all their faults.

Input is hostile until validated. What can be read without doubt is accepted and reported (Arabic-Indic digits, decimal
commas, currency signs, encodings); all else is a fault with its row, column, value and rule. Keys are never echoed.
"""

from __future__ import annotations

import difflib
import io
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from ..errors import WelfareError
from .codebook import Codebook

REGISTER = ("person_id", "status", "sex", "age", "rank", "command")
FOLLOWUP = ("stratum", "stratum_population", "outcome")
OUTCOMES = ("answered", "refused", "not_reached")
KINDS = ("answered", "not_asked", "skipped", "refused", "does_not_know")
LARGEST_BYTES = 500_000_000
MOST_COLUMNS = 2_000
HIDDEN = "(hidden)"
DIGITS = str.maketrans("٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹٫", "01234567890123456789.")
UNSEEN = "\u200e\u200f\u202a\u202b\u202c\ufeff"
MISSING_CODES = {"-98": "does_not_know", "-99": "refused", "DK": "does_not_know", "REF": "refused"}
AGE_OF_ACTIVE = (18, 65)
YOUNGEST_ENTRY = 16


@dataclass(frozen=True, eq=False)
class Answers:
    """Answers as typed columns, the kind of each missing one, and what was accepted on the way."""

    frame: pd.DataFrame
    missing: pd.DataFrame
    report: pd.DataFrame
    blocks: tuple[str, ...]


class Faults(WelfareError):  # noqa: N818 - the name that the contract gives it
    """All faults of a file: ``table`` has row (the header is row 1), column, value and rule."""

    def __init__(self, path: Path, table: pd.DataFrame) -> None:
        self.table = table
        first = table.iloc[0]
        super().__init__(
            f"{len(table)} faults, the first in row {first['row']}, column {first['column']}: {first['rule']}",
            where=path.name,
            got=first["value"],
            hint=f"`make check FILE={path.name}` lists them all.",
        )


def read(path: str | Path, codebook: Codebook) -> Answers:
    """Read a file of answers: CSV, XLSX or Parquet, one row a form.

    Returns
    -------
    Answers
        Codes as categoricals in the codebook's order, numbers as float64 with nan where missing, keys as text.

    Raises
    ------
    Faults
        Everything that is wrong with the content, in one table.
    WelfareError
        A file that cannot be read at all, or lacks the status column or every block.
    """
    return _read(Path(path), codebook, required=("status",))


def read_register(path: str | Path, codebook: Codebook) -> Answers:
    """Read the frame of persons: person_id, status, sex, age, rank, command; as `read`, and nothing may be missing."""
    path = Path(path)
    answers = _read(path, codebook, required=REGISTER)
    empty = answers.frame[list(REGISTER)].isna()
    faults = [_fault(rows, column, "", "a value for everybody in the register") for column, rows in empty.items()]
    _raise(path, faults)
    return answers


def read_followup(path: str | Path, codebook: Codebook) -> Answers:
    """Read the follow-up: one row a selected person, with stratum, stratum_population and outcome; as `read`."""
    path = Path(path)
    answers = _read(path, codebook, required=("person_id", *FOLLOWUP), extra=FOLLOWUP)
    frame = answers.frame
    count = pd.to_numeric(frame["stratum_population"], errors="coerce")
    _raise(
        path,
        [
            _fault(frame["stratum"].isna(), "stratum", "", "the stratum that the person was drawn from"),
            _fault(~(count >= 1), "stratum_population", frame["stratum_population"], "a count of at least 1"),
            _fault(~frame["outcome"].isin(OUTCOMES), "outcome", frame["outcome"], " or ".join(OUTCOMES)),
        ],
    )
    return Answers(
        frame.assign(stratum_population=count.astype(float)), answers.missing, answers.report, answers.blocks
    )


def typed(frame: pd.DataFrame, codebook: Codebook) -> pd.DataFrame:
    """A frame that is known to be sound (generated, not received) in the types of `read`, without its checks."""
    columns: dict[str, pd.Series] = {}
    for name in frame:
        kind = codebook.variables["type"].get(name, "key")
        if kind in ("integer", "amount"):
            number = frame[name].astype("Float64").astype(float)
            columns[name] = number.mask(number.isin([-98, -99]))
        elif kind == "key":
            columns[name] = frame[name]
        else:
            codes = pd.CategoricalDtype(codebook.codes(str(codebook.variables.loc[name, "list"])))
            columns[name] = frame[name].astype(codes)
    return pd.DataFrame(columns)


def _read(path: Path, codebook: Codebook, required: tuple[str, ...], extra: tuple[str, ...] = ()) -> Answers:
    raw, notes = _load(path)
    known = [*codebook.variables.index, *extra]
    unknown = [c for c in raw if c not in known]
    lacking = [c for c in required if c not in raw]
    faults = [_unknown(c, known) for c in unknown]
    faults += [pd.DataFrame({"row": [1], "column": c, "value": "", "rule": "this column is required"}) for c in lacking]
    doubled = sorted(set(raw.columns[raw.columns.duplicated()]))
    faults += [
        pd.DataFrame({"row": [1], "column": c, "value": c, "rule": "a column name occurs once"}) for c in doubled
    ]
    if doubled:
        _raise(path, faults)
    columns = [c for c in known if c in raw and c not in extra]
    absent = raw["outcome"] != "answered" if "outcome" in raw and extra else pd.Series(False, index=raw.index)
    frame, kinds = {}, {}
    for name in columns:
        frame[name], kinds[name], found = _column(raw[name], name, codebook, notes, absent)
        faults += found
    for name in columns:
        rule = codebook.condition(name)
        if rule is None or rule[0] not in frame:
            kinds[name] = kinds[name].mask(absent & frame[name].isna(), "not_asked")
            continue
        asked = frame[rule[0]].isin(rule[1])
        told = frame[name].notna() | kinds[name].isin(["refused", "does_not_know"])
        text = f"not asked unless {codebook.variables.loc[name, 'asked_if']}"
        faults.append(_fault(told & ~asked & frame[rule[0]].notna(), name, raw[name], text))
        kinds[name] = kinds[name].mask((~asked | absent) & ~told, "not_asked")
    faults += _across(frame, raw)
    _raise(path, faults)
    blocks = tuple(b for b, names in codebook.blocks.items() if any(n in frame for n in names))
    if not extra and len(raw.columns) < 2:
        raise WelfareError("no block of questions is there", where=path.name, expected="status and one block")
    result = pd.DataFrame({**frame, **{c: raw[c].astype(object).where(raw[c] != "", None) for c in extra if c in raw}})
    missing = pd.DataFrame({n: pd.Categorical(k, categories=KINDS) for n, k in kinds.items()}, index=raw.index)
    report = pd.DataFrame(notes, columns=["column", "what", "n"])
    return Answers(result, missing, report, blocks)


def _load(path: Path) -> tuple[pd.DataFrame, list[tuple[str, str, int]]]:
    """The file as text, blanks as ``""``."""
    if not path.is_file():
        raise WelfareError("the file is not there", where=str(path))
    if path.stat().st_size == 0:
        raise WelfareError("the file is empty", where=path.name)
    if path.stat().st_size > LARGEST_BYTES:
        raise WelfareError("the file is too large", where=path.name, expected=f"at most {LARGEST_BYTES} bytes")
    notes: list[tuple[str, str, int]] = []
    readers = {".csv": _csv, ".xlsx": _xlsx, ".parquet": _parquet}
    if path.suffix.lower() not in readers:
        raise WelfareError(
            "this kind of file is not read", where=path.name, got=path.suffix, expected=", ".join(readers)
        )
    raw = readers[path.suffix.lower()](path, notes)
    if raw.shape[1] > MOST_COLUMNS:
        raise WelfareError("too many columns", where=path.name, got=raw.shape[1], expected=f"at most {MOST_COLUMNS}")
    if not len(raw):
        raise WelfareError("there is a header and no row", where=path.name)
    raw.columns = pd.Index([str(c).strip().strip(UNSEEN).strip() for c in raw.columns])
    return raw.reset_index(drop=True), notes


def _csv(path: Path, notes: list[tuple[str, str, int]]) -> pd.DataFrame:
    data = path.read_bytes()
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        text, encoding = data.decode("utf-16"), "utf-16"
    elif b"\x00" in data:
        raise WelfareError("the file holds NUL bytes and is no text", where=path.name, expected="CSV in UTF-8")
    else:
        try:
            text, encoding = data.decode("utf-8-sig"), "utf-8"
        except UnicodeDecodeError:
            text, encoding = _arabic(data, path), "cp1256"
    if encoding != "utf-8":
        notes.append(("", f"read as {encoding}", 1))
    header = text.split("\n", 1)[0]
    separator = max(",;\t", key=header.count)
    if separator != ",":
        notes.append(("", f"columns separated by {separator!r}", 1))
    try:
        frame = pd.read_csv(io.StringIO(text), sep=separator, dtype=str, keep_default_na=False, header=None)
    except (pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise WelfareError("the rows are not alike", where=path.name, got=str(error)[:120]) from None
    return frame.iloc[1:].set_axis(frame.iloc[0], axis=1)


def _arabic(data: bytes, path: Path) -> str:
    try:
        text = data.decode("cp1256")
    except UnicodeDecodeError:
        text = ""
    letters = sum("\u0600" <= c <= "\u06ff" for c in text)
    latin = sum("\u00c0" <= c <= "\u024f" for c in text)
    if letters > 4 * latin:
        return text
    raise WelfareError(
        "the encoding cannot be told", where=path.name, expected="UTF-8", hint="Save the file as CSV UTF-8."
    )


def _xlsx(path: Path, notes: list[tuple[str, str, int]]) -> pd.DataFrame:
    start = path.read_bytes()[:512]
    kinds = {
        b"\xd0\xcf\x11\xe0": "an old or password-protected workbook",
        b"<": "a web page",
    }
    for mark, kind in kinds.items():
        if start.lstrip().startswith(mark):
            raise WelfareError(
                f"this is {kind}", where=path.name, expected="an XLSX workbook", hint="Save it as .xlsx."
            )
    if not zipfile.is_zipfile(path):
        raise WelfareError("this is no workbook", where=path.name, expected="an XLSX workbook")
    with zipfile.ZipFile(path) as archive:
        if sum(i.file_size for i in archive.infolist()) > 8 * LARGEST_BYTES:
            raise WelfareError("the workbook is too large once unpacked", where=path.name)
    try:
        frame = pd.read_excel(path, dtype=str, keep_default_na=False, header=None, engine="openpyxl")
    except (KeyError, ValueError, zipfile.BadZipFile) as error:
        raise WelfareError("the workbook cannot be read", where=path.name, got=str(error)[:120]) from None
    if frame.empty:
        raise WelfareError("the sheet is empty", where=path.name)
    return frame.iloc[1:].set_axis(frame.iloc[0], axis=1)


def _parquet(path: Path, notes: list[tuple[str, str, int]]) -> pd.DataFrame:
    if path.read_bytes()[:4] != b"PAR1":
        raise WelfareError("this is no Parquet file", where=path.name)
    frame = pq.read_table(path).to_pandas()
    nested = [
        c
        for c in frame
        if frame[c].dtype == object and not frame[c].map(lambda v: v is None or isinstance(v, str)).all()
    ]
    if nested:
        raise WelfareError("columns hold objects", where=path.name, got=nested[:3], expected="text and numbers")
    return frame


def _column(
    raw: pd.Series, name: str, codebook: Codebook, notes: list[tuple[str, str, int]], absent: pd.Series
) -> tuple[pd.Series, pd.Series, list[pd.DataFrame]]:
    """One typed column, the kinds of its missing answers, and its faults."""
    line = codebook.variables.loc[name]
    numeric = line["type"] in ("integer", "amount")
    if numeric and pd.api.types.is_numeric_dtype(raw.dtype):
        number = raw.astype("Float64").to_numpy(float, na_value=np.nan)
        text = pd.Series(np.where(np.isnan(number), "", "0"), index=raw.index)
        text = text.mask(number == -98, "-98").mask(number == -99, "-99")
        values = pd.Series(number, index=raw.index)
        wrong = pd.Series(False, index=raw.index)
    else:
        text = raw.astype(object).where(raw.notna(), "").astype(str).str.strip().str.strip(UNSEEN)
        text = text.str.replace(r"^(-9[89])\.0$", r"\1", regex=True)  # as spreadsheets write whole numbers
        values, wrong = _numbers(text, name, notes) if numeric else (text, pd.Series(False, index=raw.index))
    kinds = text.map(MISSING_CODES).fillna("answered").mask(text == "", "skipped")
    gone = kinds != "answered"
    if line["type"] == "key":
        twice = text.duplicated() & (text != "")
        return (
            text,
            kinds,
            [
                _fault(twice, name, HIDDEN, "each person once"),
                _fault(text == "", name, HIDDEN, "a key in each row"),
            ],
        )
    if not numeric:
        codes = codebook.codes(line["list"])
        plain = text.str.removesuffix(".0")
        bad = ~gone & ~plain.isin(codes)
        typed = pd.Series(pd.Categorical(plain.mask(gone | bad), categories=codes), index=raw.index)
        faults = [_fault(bad, name, raw, f"one of {', '.join(codes[:8])}{' ...' if len(codes) > 8 else ''}")]
        if line["required"]:
            faults.append(_fault(gone & ~absent, name, raw, "an answer is required"))
        return typed, kinds, faults
    low, high = float(line["low"]), float(line["high"])
    values = values.mask(gone)
    outside = ~gone & ~wrong & ~values.between(low, high)
    broken = (values % 1 != 0) & values.notna() & ~outside if line["type"] == "integer" else pd.Series(False, raw.index)
    return (
        values.mask(wrong),
        kinds,
        [
            _fault(wrong, name, raw, "a number"),
            _fault(outside, name, raw, f"between {low:g} and {high:g} {line['unit']}"),
            _fault(broken, name, raw, "a whole number"),
        ],
    )


def _numbers(text: pd.Series, name: str, notes: list[tuple[str, str, int]]) -> tuple[pd.Series, pd.Series]:
    """Numbers as people write them: Arabic-Indic digits, spaces, decimal comma, DH; what is left is wrong."""
    plain = text.str.translate(DIGITS)
    _note(notes, name, "Arabic-Indic digits", plain != text)
    bare = plain.str.replace(r"(?i)\s*(dh|mad|درهم)\.?$", "", regex=True)
    _note(notes, name, "a currency sign left out", bare != plain)
    packed = bare.str.replace(r"(?<=\d)[\s\u00a0\u202f](?=\d{3}(\D|$))", "", regex=True)
    _note(notes, name, "thousands separated by a space", packed != bare)
    point = packed.str.replace(r"^(-?\d+),(\d{1,2})$", r"\1.\2", regex=True)
    _note(notes, name, "a decimal comma", point != packed)
    good = point.str.fullmatch(r"-?\d+(\.\d+)?")
    return pd.to_numeric(point.where(good)), ~good & (text != "") & ~text.isin(list(MISSING_CODES))


def _note(notes: list[tuple[str, str, int]], name: str, what: str, rows: pd.Series) -> None:
    if rows.any():
        notes.append((name, what, int(rows.sum())))


def _across(frame: dict[str, pd.Series], raw: pd.DataFrame) -> list[pd.DataFrame]:
    """Rules that hold between answers."""
    faults = []
    if "age" in frame:
        active = frame["status"] == "active" if "status" in frame else pd.Series(False, raw.index)
        young, old = AGE_OF_ACTIVE
        wrong = active & frame["age"].notna() & ~frame["age"].between(young, old)
        faults.append(_fault(wrong, "age", raw["age"], f"between {young} and {old} for active staff"))
        if "seniority_years" in frame:
            early = frame["seniority_years"] > frame["age"] - YOUNGEST_ENTRY
            text = f"at most the age less {YOUNGEST_ENTRY}"
            faults.append(_fault(early, "seniority_years", raw["seniority_years"], text))
    return faults


def _unknown(column: str, known: list[str]) -> pd.DataFrame:
    near = difflib.get_close_matches(column, known, n=1)
    rule = "a column of the codebook" + (f"; did you mean {near[0]}?" if near else "")
    return pd.DataFrame({"row": [1], "column": column, "value": column, "rule": rule})


def _fault(rows: pd.Series, column: str, values: object, rule: str) -> pd.DataFrame:
    at = np.flatnonzero(rows.fillna(False).to_numpy(bool))
    shown = [str(v) for v in values.iloc[at]] if isinstance(values, pd.Series) else values
    return pd.DataFrame({"row": at + 2, "column": column, "value": shown, "rule": rule})


def _raise(path: Path, faults: list[pd.DataFrame]) -> None:
    found = [f for f in faults if len(f)]
    if found:
        raise Faults(path, pd.concat(found, ignore_index=True).sort_values(["row", "column"], ignore_index=True))
