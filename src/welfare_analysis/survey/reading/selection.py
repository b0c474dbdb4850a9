"""How the persons of a file were selected: the strata of a follow-up, or a sample of the institution's own."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Mapping

import pandas as pd

from ..codebook import Codebook
from .cells import Question
from .columns import read_column, read_text, respelt
from .faults import fault, fault_at
from .spelling import clean, fold, latin, texts

FOLLOWUP = ("stratum", "stratum_population", "outcome")
OUTCOMES = ("answered", "refused", "not_reached")
COLLECTED = ("mode", "date")  # how an answer was given, and on which day; files may lack both
DESIGN = ("weight", "stratum", "psu", "fpc")
REPLICATES = {"brr": "BRR", "jk1": "JK1", "sdr": "SDR", "bootstrap": "bootstrap"}
REPLICATE = re.compile(rf"({'|'.join(REPLICATES)})_\d+")
DECIMAL = re.compile(r"-?\d+([.,]\d+)?([eE][+-]?\d+)?")
TIME = re.compile(r"(?<=\d)[T ]\d\d?:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?$")  # behind a day
LARGEST = 1e9
A_YEAR = pd.Timedelta(days=366)
Selection = tuple[dict[str, pd.Series], list[pd.DataFrame]]


def design_columns(header: Iterable[Hashable]) -> tuple[str, ...]:
    """The columns of a header that say how its persons were sampled."""
    return tuple(n for n in map(str, header) if n in DESIGN or REPLICATE.fullmatch(n))


def unusable(design: Mapping[str, pd.Series], header: int) -> list[pd.DataFrame]:
    """Faults of a design of which no sampling error can be computed: a column a fault.

    Replicate weights of two methods, one alone, or a gap among them; weights that count for fewer than two persons.
    """
    found, todo = dict[str, str](), "Take them from the file of the sample."
    kinds = {k: {int(n.rpartition("_")[2]) for n in design if n.startswith(f"{k}_")} for k in REPLICATES}
    for kind, numbers in ((kind, numbers) for kind, numbers in kinds.items() if numbers):
        lost, last = sorted(set(range(1, max(numbers))) - numbers), f"{kind}_{max(numbers)}"
        found |= {last: f"replicate weights without a gap; {kind}_{lost[0]} is not there"} if lost else {}
        found |= {last: "two replicate weights or more"} if numbers == {1} else {}
        others = [other for other in kinds if other < kind and kinds[other]]
        found |= {last: f"replicate weights of one method, not of {others[0]} too"} if others else {}
    if "weight" in design and (design["weight"] == 0).sum() > len(design["weight"]) - 2:
        found["weight"] = "weights above 0 of two forms or more"
    return [fault_at(header, column, "", rule, todo) for column, rule in found.items()]


def sampled(raw: pd.DataFrame) -> Selection:
    """The design that a file brings along, and its faults.

    Parameters
    ----------
    raw : DataFrame
        Cells of ``weight`` (persons that a row stands for, or in proportion to it), ``stratum``, ``psu`` (first-stage
        unit, distinct within its stratum), ``fpc`` (such units of the stratum in the population; persons where there
        is no ``psu``) and of replicate weights ``brr_1``, ``jk1_1``, ``sdr_1``, ``bootstrap_1`` and so on.

    Returns
    -------
    dict, list
        Labels as text and numbers as floats by column, and what breaks a rule: a cell that is blank, a weight below
        zero, a stratum of a single unit that is not all of it, a count that changes in its stratum or is too small.
    """
    columns: dict[str, pd.Series] = {}
    faults: list[pd.DataFrame] = []
    for name in map(str, raw):
        if name in ("stratum", "psu"):
            columns[name] = read_text(raw[name])
            rule, todo = "a label in each row", "Write the stratum or unit that the person was sampled in."
            faults += [fault(columns[name].isna(), name, "", rule, todo), _respelt(columns[name], raw[name])]
        else:
            low = 1.0 if name == "fpc" else 0.0
            number = read_column(raw[name].map(_number), Question(name, "amount", low=low, high=LARGEST))
            columns[name] = number.values
            gone, rule = number.values.isna() & (number.kinds != "answered"), "a number in each row"
            faults += [*number.faults, fault(gone, name, "", rule, "Take it from the file of the sample.")]
    return columns, [*faults, *_strata(columns, raw.index)] if columns else []


def _strata(columns: dict[str, pd.Series], index: pd.Index) -> list[pd.DataFrame]:
    """Strata of which no sampling error can be computed, and counts that are not those of a stratum."""
    own = columns.get("stratum", pd.Series("", index))
    units = columns.get("psu", pd.Series(range(len(index)), index)).groupby(own).transform("nunique")
    count = columns.get("fpc", pd.Series(float("inf"), index))
    least = "psu" if "psu" in columns else "stratum"
    shown = columns.get(least, own)
    counts = "the units of the whole stratum: one count a stratum, at least those in the file"
    return [
        fault((units == 1) & (count > 1), least, shown, "two units or more of each stratum, or all of it",
              "Put the stratum together with one that is alike."),
        fault((count.groupby(own).transform("nunique") > 1) | (count < units), "fpc", count, counts, "Correct it."),
    ]  # fmt: skip


def _respelt(labels: pd.Series, raw: pd.Series) -> pd.DataFrame:
    return fault(respelt(labels, fold), str(raw.name), raw, "one spelling a label", "Write it as in the rows above.")


def _number(cell: Hashable) -> Hashable:
    """A weight as a number: one mark in it is always decimal, for nobody writes weights with thousands apart."""
    text = latin(clean(cell)) if isinstance(cell, str) else ""
    return float(text.replace(",", ".")) if DECIMAL.fullmatch(text) else cell


def collected(raw: pd.DataFrame, codebook: Codebook) -> Selection:
    """How and when answers were given, where a file says so: a code of the list ``mode``, and a day.

    A day is written as 2026-11-29 or 29/11/2026; it is missing where the cell is blank.
    """
    columns: dict[str, pd.Series] = {}
    faults: list[pd.DataFrame] = []
    if "mode" in raw:
        mode = read_column(raw["mode"], Question.of_list(codebook, "mode"))
        columns["mode"], faults = mode.values.astype(object), [*faults, *mode.faults]
    if "date" in raw:
        text = texts(raw["date"]).map(latin)
        day = text.str.replace(TIME, "", regex=True)
        day = day.str.replace(r"^(\d\d?)[-.](\d\d?)[-.](\d{4})$", r"\1/\2/\3", regex=True)
        days = [pd.to_datetime(day, format=form, errors="coerce") for form in ("%Y-%m-%d", "%d/%m/%Y")]
        columns["date"] = days[0].fillna(days[1])
        wrong, rule = columns["date"].isna() & (text != ""), "a day, as 2026-11-29 or 29/11/2026"
        todo = "Write the day, or give the column the format of a date; or leave the cell blank."
        middle = columns["date"].quantile(0.5, interpolation="nearest")
        far = (columns["date"] - middle).abs() > A_YEAR
        faults.append(fault(wrong, "date", raw["date"], rule, todo))
        faults.append(fault(far, "date", raw["date"], "a day within a year of the others", "Correct the year."))
    return columns, faults


def followed_up(raw: pd.DataFrame, of_whom: str) -> Selection:
    """The design of a follow-up or a recheck: stratum as text, its population as a count, the outcome as a code."""
    count = Question.counting("stratum_population", low=1)
    outcome = Question("outcome", codes=OUTCOMES, spellings={o.replace("_", " "): o for o in OUTCOMES})
    stratum = read_text(raw["stratum"])
    counts, outcomes = read_column(raw["stratum_population"], count), read_column(raw["outcome"], outcome)
    sizes = counts.values.groupby(stratum.fillna("")).transform("nunique")
    drawn = counts.values.groupby(stratum.fillna("")).transform("size")
    size, people = counts.values, f"Write how many persons of the stratum {of_whom}."
    rules = (
        (stratum.isna(), "stratum", "", "the stratum that the person was drawn from", "Write its name."),
        (stratum == "returned", "stratum", stratum, "another name: this is for forms that came back", "Rename it."),
        (counts.kinds != "answered", "stratum_population", size, "a count of at least 1", "Write it."),
        (outcomes.kinds != "answered", "outcome", "", f"one of {', '.join(OUTCOMES)}", "Write the outcome."),
        ((sizes > 1) & stratum.notna(), "stratum_population", size, "one count a stratum", "Correct it."),
        (size < drawn, "stratum_population", size, "at least the number of persons drawn from the stratum", people),
    )
    faults = [*counts.faults, *outcomes.faults, *(fault(*rule) for rule in rules), _respelt(stratum, raw["stratum"])]
    selection = {"stratum": stratum, "stratum_population": counts.values, "outcome": outcomes.values.astype(object)}
    return selection, faults
