"""Everything that a study releases, made once, in a process of its own."""

from __future__ import annotations

import time

import pandas as pd
import remembering

remembering.install()  # before any module of the study is imported

import cells  # noqa: E402
import fragments  # noqa: E402
from surveys import opened  # noqa: E402

Made = tuple[str, pd.DataFrame, pd.DataFrame | None]


def make(study: str, only: str, tables_only: bool) -> Made:
    """Cells of a study, and fragments unless they are not asked for."""
    begun = time.monotonic()

    def progress(text: str) -> None:
        print(f"{time.monotonic() - begun:6.0f} s  {study}: {text}", flush=True)

    progress("opening")
    survey = opened(study)
    tables = cells.recorded(survey, only, progress)
    texts = None if tables_only else fragments.recorded(survey, only, progress)
    count = f"{tables['table'].nunique()} tables, {len(tables)} cells"
    progress(f"done: {count}" + ("" if texts is None else f", {len(texts)} fragments"))
    return study, tables, texts
