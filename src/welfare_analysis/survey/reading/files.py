"""A file becomes cells, whatever its kind; what is too large or is not what its name says is refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ...errors import WelfareError
from .columnar import parquet_cells
from .layout import Cells, Known
from .statistical import dta_cells, sav_cells
from .text_files import csv_cells
from .workbooks import xlsx_cells

LARGEST_BYTES = 500_000_000
# A further kind of file is a further line here.
READERS: dict[str, Callable[[Path, Known], Cells]] = {
    ".csv": csv_cells,
    ".xlsx": xlsx_cells,
    ".parquet": parquet_cells,
    ".sav": sav_cells,
    ".dta": dta_cells,
}


def load(path: Path, known: Known) -> Cells:
    """Read the cells of a CSV, XLSX, Parquet, SPSS or Stata file; ``known`` are the names that a header may hold.

    Raises
    ------
    WelfareError
        A file that is not there, empty, too large, of another kind, or that has no header or no row.
    """
    if path.is_dir():
        raise WelfareError("this is a folder", where=str(path), expected="a file")
    if not path.is_file():
        raise WelfareError("the file is not there", where=str(path))
    read = READERS.get(path.suffix.lower())
    if read is None:
        hint = "Save it as .xlsx or as CSV UTF-8."
        kinds = ", ".join(READERS)
        raise WelfareError("this kind of file is not read", where=path.name, got=path.suffix, expected=kinds, hint=hint)
    size = path.stat().st_size
    if size == 0:
        raise WelfareError("the file is empty", where=path.name)
    if size > LARGEST_BYTES:
        raise WelfareError("the file is too large", where=path.name, expected=f"at most {LARGEST_BYTES:,} bytes")
    try:
        cells = read(path, known)
    except OSError as error:
        raise WelfareError("the file cannot be read", where=path.name, got=error.strerror) from None
    if cells.frame.empty and not cells.faults:
        raise WelfareError("there is a header and no row", where=path.name)
    return cells
