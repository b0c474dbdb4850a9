"""Forms in doubt: pasted again, of persons who cannot be, of another status than in the register.

None of them is counted without a word: `settled` stops and asks, with the counts, until the reader keeps the forms of
that kind or leaves them out.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import reduce
from operator import and_

import numpy as np
import pandas as pd

from ..errors import WelfareError
from . import routing
from .codebook import Codebook

Wishes = Mapping[str, list[str]]
KINDS = ("repeated", "impossible", "status")
UNANSWERED = "unanswered"  # persons of the register of whose status too few answered: they can be left out alone
RUN = 20  # different forms in a row that follow each other as others did before: chance does not give so many
CHANCE = 1e-6  # with which rows in any order would hold a run of pasted ones
ORPHANS = "orphans"  # rows of a repeated group whose form is not there: they can be left out alone
LAGS = 20  # distances that are tried


def repeated(frame: pd.DataFrame) -> np.ndarray:
    """Rows of a file without keys that were pasted again (n,).

    Short forms are often alike, so that an equal row alone says nothing. Pasted are: all rows but the first of each
    kind, where every form occurs a multiple of some number of times; and runs of rows that follow each other as rows
    before did, with at least ``RUN`` different ones, or fewer where chance gives a run of them with ``CHANCE``.
    """
    rows = pd.Series(pd.factorize(pd.util.hash_pandas_object(frame, index=False))[0])
    counts = np.bincount(rows)
    if len(counts) >= RUN and np.gcd.reduce(counts) > 1:
        return rows.duplicated().to_numpy()
    alike = (counts * (counts - 1)).sum() / max(len(rows) * (len(rows) - 1), 1)  # that two rows are the same
    least = min(RUN, np.log(len(rows) ** 2 / 2 / CHANCE) / -np.log(np.clip(alike, CHANCE, 1 - CHANCE)))
    place = pd.Series(np.arange(len(rows)))
    lags = (place - place.groupby(rows).shift()).value_counts().index[:LAGS].astype(int)
    pasted = np.zeros(len(rows), dtype=bool)
    for lag in lags:
        same = rows == rows.shift(lag)
        runs = rows.where(same).groupby((~same).cumsum())
        pasted |= (same & (runs.transform("nunique") >= least)).to_numpy()
    return pasted


def doubts(frame: pd.DataFrame, codebook: Codebook, register: object = None) -> pd.DataFrame:
    """The forms in doubt: row (from 0), kind, rule (an id of ``impossible.csv``, or the kind).

    Parameters
    ----------
    frame : DataFrame
        Answers as they were read.
    codebook : Codebook
        With the conditions that no person can meet.
    register : DataFrame or margins, optional
        With a list of persons, the status on the form is compared with theirs.
    """
    masks: dict[tuple[str, str], np.ndarray] = {}
    if "person_id" not in frame:
        masks["repeated", "repeated"] = repeated(frame)
    elif isinstance(register, pd.DataFrame):
        theirs = register.set_index("person_id")["status"].astype(object).reindex(frame["person_id"]).to_numpy()
        differ = frame["status"].notna() & pd.notna(theirs) & (frame["status"].astype(object) != theirs)
        masks["status", "status"] = differ.to_numpy()
    for name, rule in codebook.impossible["condition"].items():
        parts = routing.clauses(rule)
        if all(part.variable in frame for part in parts):
            met = reduce(and_, (part.holds(frame[part.variable]) for part in parts))
            masks["impossible", str(name)] = met.fillna(False).to_numpy(bool)
    rows = [pd.DataFrame({"row": np.flatnonzero(met), "kind": k, "rule": r}) for (k, r), met in masks.items()]
    return pd.concat(rows, ignore_index=True) if rows else pd.DataFrame(columns=["row", "kind", "rule"])


def wishes(keep: str | None = None, omit: str | None = None) -> Wishes:
    """Kinds of doubt whose forms are kept, and left out: ``impossible,status``; where None, of KEEP and OMIT.

    Raises
    ------
    WelfareError
        A kind that is not known.
    """
    kinds = {}
    for name, given in (("KEEP", keep), ("OMIT", omit)):
        text = os.environ.get(name, "") if given is None else given
        kinds[name] = text.replace(",", " ").split()
        known = (*KINDS, *([UNANSWERED, ORPHANS] if name == "OMIT" else []))
        if set(kinds[name]) - set(known):
            raise WelfareError("no such doubt", where=name, got=text, expected=", ".join(known))
    return kinds


def decided(frame: pd.DataFrame, codebook: Codebook, register: object, wishes: Wishes) -> dict[tuple[str, str], int]:
    """Forms in doubt by kind, and whether they are ``counted`` or ``left_out`` by what is wished."""
    if not any(wishes.values()):
        return {}
    rows = doubts(frame, codebook, register).drop_duplicates(["row", "kind"])["kind"].value_counts(sort=False)
    return {(str(k), "left_out" if k in wishes["OMIT"] else "counted"): int(n) for k, n in rows.items()}


def settled(frame: pd.DataFrame, codebook: Codebook, register: object, wishes: Wishes, where: str) -> np.ndarray:
    """Which of the forms stay (n,), by what is wished.

    Raises
    ------
    WelfareError
        Forms in doubt of a kind that no wish names: how many there are, by rule.
    """
    doubtful = doubts(frame, codebook, register)
    asked = doubtful[~doubtful["kind"].isin(wishes["KEEP"] + wishes["OMIT"])]
    if len(asked):
        counts = ", ".join(f"{rule} {n:,}" for rule, n in asked["rule"].value_counts(sort=False).items())
        what = f"{asked['row'].nunique():,} of {len(frame):,} forms are in doubt: {counts}"
        names = ",".join(dict.fromkeys(asked["kind"]))
        ways = f"say KEEP={names} to count them all the same, or OMIT={names} to leave them out"
        raise WelfareError(what, where=where, hint=f"`make check` lists them. Correct the file, or {ways}.")
    return ~np.isin(np.arange(len(frame)), doubtful.loc[doubtful["kind"].isin(wishes["OMIT"]), "row"])
