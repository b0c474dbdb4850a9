"""Where records are kept: a file of cells for each study, one of texts for all, the lists of changes and of reasons."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cells
import fragments
import pandas as pd
from comparison import KINDS, LISTED
from surveys import STUDIES

HERE = Path(__file__).resolve().parent
TEXTS, CHANGES, WRITTEN = (HERE / name for name in ("texts.parquet", "changes.csv", "written.csv"))


@dataclass(frozen=True)
class Scope:
    """What a command speaks of: studies, tables alone or pages too, and the beginning of their names."""

    studies: tuple[str, ...] = STUDIES
    tables_only: bool = False
    only: str = ""

    def lines(self) -> pd.DataFrame:
        """Listed changes that must exist within the scope; a line with a pattern needs all that it may speak of."""
        listed = changes()
        of = listed["study"].isin(self.studies) | (set(self.studies) == set(STUDIES))
        names = listed["table"].str.replace(r"^.*/", "", regex=True)
        return listed[of & names.str.startswith(self.only) & ~(self.tables_only & (listed["kind"] == "text"))]


def changes() -> pd.DataFrame:
    """The listed changes, as text; an empty list where there is no file.

    Raises
    ------
    ValueError
        If a line has no reason, or a kind that is not known.
    """
    if not CHANGES.exists():
        return pd.DataFrame(columns=LISTED, dtype=str)
    listed = pd.read_csv(CHANGES, dtype=str, keep_default_na=False)[LISTED]
    bad = listed[~listed["kind"].isin(KINDS) | (listed["reason"].str.strip() == "")]
    if len(bad):
        raise ValueError(f"changes.csv: a line needs a reason and a kind of {', '.join(KINDS)}:\n{bad}")
    return listed


def stored(studies: tuple[str, ...] = STUDIES) -> bool:
    """Whether there is a record of any of the studies."""
    return any((HERE / f"{study}.parquet").exists() for study in studies)


def tables(study: str, only: str = "") -> pd.DataFrame:
    """Stored cells of a study's tables whose name begins with ``only``; none if it was never written."""
    path = HERE / f"{study}.parquet"
    frame = pd.read_parquet(path) if path.exists() else pd.DataFrame(columns=cells.COLUMNS)
    return frame[frame["table"].str.startswith(only).astype(bool)]


def texts(study: str, only: str = "") -> pd.DataFrame:
    """Stored fragments of a study's pages whose name begins with ``only``."""
    frame = _texts()
    return frame[(frame["study"] == study) & frame["page"].str.startswith(only).astype(bool)][fragments.COLUMNS]


def _texts() -> pd.DataFrame:
    return pd.read_parquet(TEXTS) if TEXTS.exists() else pd.DataFrame(columns=["study", *fragments.COLUMNS])


def store(study: str, made: pd.DataFrame, said: pd.DataFrame | None, only: str) -> None:
    """Store a study's cells, and its fragments if there are any, in place of those of the same beginning."""
    old = tables(study)
    old = old[~old["table"].str.startswith(only).astype(bool)]
    _write(pd.concat([old, made], ignore_index=True) if len(old) else made, HERE / f"{study}.parquet")
    if said is not None:
        known = _texts()
        kept = known[(known["study"] != study) | ~known["page"].str.startswith(only).astype(bool)]
        new = said.assign(study=study)[["study", *fragments.COLUMNS]]
        both = pd.concat([kept, new], ignore_index=True) if len(kept) else new
        _write(both.sort_values(["study", *fragments.COLUMNS], ignore_index=True), TEXTS)


def settle(scope: Scope, reason: str) -> None:
    """Keep the reason of a record, and take out the listed changes that it made its own."""
    what = {"studies": "|".join(scope.studies), "tables_only": scope.tables_only, "only": scope.only, "reason": reason}
    known = [pd.read_csv(WRITTEN, dtype=str, keep_default_na=False)] if WRITTEN.exists() else []
    pd.concat([*known, pd.DataFrame([what])]).to_csv(WRITTEN, index=False)
    listed = changes()
    listed.drop(scope.lines().index).to_csv(CHANGES, index=False)


def _write(frame: pd.DataFrame, path: Path) -> None:
    partial = path.with_name(path.name + ".partial")
    frame.to_parquet(partial, index=False, compression="zstd", compression_level=15)
    partial.replace(path)  # a reader sees the old file or the new one
