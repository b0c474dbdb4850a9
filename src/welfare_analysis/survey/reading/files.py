"""Files become cells, whatever their kind; what is too large or is not what its name says is refused.

Several files, a folder or a ZIP are read as one: each file of forms, with the repeated groups that stand in files of
their own, and then one under the other.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import pandas as pd

from ...errors import WelfareError, printable
from .columnar import parquet_cells
from .faults import STRIDE
from .layout import Cells, Known, NoHeader, Note
from .repeats import is_repeat, of_forms
from .spelling import listed
from .text_files import csv_cells

LARGEST_BYTES = 500_000_000
QUOTED = "A name with blanks stands in quotation marks of its own: SURVEY=\"'a b.xlsx' c.csv\""


def _when_first_read(module: str, name: str) -> Callable[[Path, Known], Cells]:
    """A reader whose module is imported with its first file: openpyxl and pyreadstat are slow to import."""
    return lambda path, known: getattr(import_module(f".{module}", __package__), name)(path, known)


# A further kind of file is a further line here.
READERS: dict[str, Callable[[Path, Known], Cells]] = {
    **dict.fromkeys((".csv", ".tab", ".tsv"), csv_cells),
    **dict.fromkeys((".sav", ".dta"), _when_first_read("statistical", "statistical_cells")),
    **{".xlsx": _when_first_read("workbooks", "xlsx_cells"), ".parquet": parquet_cells},
}
# of other programs, refused by name; what else lies in a folder is told
OF_OTHERS = listed("ending")
KINDS = (*READERS, *OF_OTHERS, ".zip")
# what the first bytes say that a file is, in small letters, and the ending that it has
STARTS = {
    (b"pk\x03\x04",): ("a workbook or an archive", ".xlsx"),
    (b"par1",): ("a Parquet file", ".parquet"),
    (b"$fl",): ("an SPSS file", ".sav"),
    (b"<stata_dta>",): ("a Stata file", ".dta"),
    (b"\xd0\xcf\x11\xe0",): ("an old or password-protected workbook", ""),
    (b"\x1f\x8b",): ("compressed", ""),
    (b"%pdf",): ("a PDF", ""),
    (b"<!doctype", b"<html", b"<table", b"<?xml"): ("a web page or an XML table", ""),
    (b'{"', b"[{"): ("JSON", ""),
}
IN_ZIP = (".csv", ".tab", ".tsv")
# logs beside the forms, of Survey Solutions and of ODK
BESIDE = re.compile(r"interview__(?:actions|comments|diagnostics|errors)|assignment__actions|(?:.+ - )?audit")
NO_FORMS = frozenset(["media", "__MACOSX"])  # folders of pictures, sounds and logs in an export


def load(path: Path, known: Known, beside: bool = False) -> Cells:
    """Read the cells of a CSV, XLSX, Parquet, SPSS or Stata file; ``known`` are the names that a header may hold.

    A header alone will do for a file that is read ``beside`` others.

    Raises
    ------
    WelfareError
        A file that is not there, empty, too large, of another kind, or that has no header or no row.
    """
    inside = isinstance(path, zipfile.Path)  # of an archive
    if path.is_dir():
        raise WelfareError("this is a folder", where=str(path), expected="a file")
    if not path.is_file():
        apart = path.suffix.lower() not in KINDS or " " in path.name  # a part of a name, or several names
        raise WelfareError("the file is not there", where=str(path), hint=QUOTED if apart else "")
    read = READERS.get(path.suffix.lower())
    if read is None:
        hint = "Save it as .xlsx or as CSV UTF-8."
        kinds = ", ".join(READERS)
        raise WelfareError("this kind of file is not read", where=path.name, got=path.suffix, expected=kinds, hint=hint)
    size = len(path.read_bytes()) if inside else path.stat().st_size
    if size == 0:
        raise WelfareError("the file is empty", where=path.name)
    if size > LARGEST_BYTES:
        raise WelfareError("the file is too large", where=path.name, expected=f"at most {LARGEST_BYTES:,} bytes")
    _refuse_other(path)
    try:
        cells = read(path, known)
    except (OSError, RuntimeError, NotImplementedError, zipfile.BadZipFile) as error:
        what = getattr(error, "strerror", None) or str(error)[:120]
        raise WelfareError("the file cannot be read", where=path.name, got=what) from None
    if cells.frame.empty and not cells.faults and not beside:
        raise WelfareError("there is a header and no row", where=path.name)
    return replace(cells, path=Path(path.root.filename), sheet=path.at) if inside else cells  # type: ignore[attr-defined]


def _refuse_other(path: Path) -> None:
    """Refuse a file whose contents are not of the kind that its ending says."""
    with path.open("rb") as file:
        start = file.read(512).lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    for marks, (kind, ending) in STARTS.items():
        if start.startswith(marks) and path.suffix.lower() != ending:
            hint = "Open it in its own program and save it as .xlsx or as CSV UTF-8, without a password."
            hint = f"Give it the ending {ending}." if ending else hint
            raise WelfareError(f"this is {kind}", where=path.name, expected=f"a {path.suffix} file", hint=hint)


def load_forms(paths: Sequence[Path], known: Known) -> list[Cells]:
    """Each file of forms among some files, folders and ZIPs, with its repeated groups.

    Raises
    ------
    WelfareError
        As `load`; no file of forms; in a ZIP, no text, or what is too large once unpacked.
    """
    if len(paths) == 1 and paths[0].suffix.lower() in READERS:
        return [load(paths[0], known)]
    found = [path for path in _files(paths) if not BESIDE.fullmatch(path.stem)]
    others = [path.name for folder in paths if folder.is_dir() for path in _own(folder) if not _is_read(path)]
    tables = [load(path, replace(known, any_header=True), beside=True) for path in found]
    repeats = [cells for cells in tables if is_repeat(list(cells.frame))]
    forms = [cells for cells in tables if not is_repeat(list(cells.frame))]
    for cells in forms:
        if not known.any_header and not any(name in known for name in cells.frame):
            where = f"{cells.path.name} {cells.sheet}".strip()
            raise NoHeader("no column of the codebook is in the first rows", where=where)
    if not forms:
        where = ", ".join(path.name for path in paths)
        raise WelfareError("no file of forms is there", where=where, expected=", ".join(READERS))
    if all(cells.frame.empty and not cells.faults for cells in forms):
        raise WelfareError("there is a header and no row", where=forms[0].path.name)
    for repeat in repeats:
        shared = [int(of_forms(own, repeat).sum()) for own in forms]
        most = shared.index(max(shared))
        forms[most] = replace(forms[most], repeats=(*forms[most].repeats, repeat))
    if others:
        note = ("", f"files of other kinds, which are not read: {printable(', '.join(others))}", len(others))
        forms[0] = replace(forms[0], notes=[*forms[0].notes, note])
    return forms


def _files(paths: Iterable[Path]) -> Iterator[Path]:
    """The files of folders and ZIPs, in the order of their names.

    Raises
    ------
    WelfareError
        A folder within a folder: whether its files are forms nobody said.
    """
    for path in paths:
        if path.suffix.lower() == ".zip" and path.is_file():
            yield from _unzipped(path)
        elif path.is_dir() and path.suffix.lower() not in READERS:
            if within := next((p for p in _own(path) if p.is_dir() and not _is_read(p)), None):
                hint = 'Name the folders that hold the files: SURVEY="north south"'
                raise WelfareError("a folder lies in the folder", where=path.name, got=within.name, hint=hint)
            yield from _files(filter(_is_read, _own(path)))
        else:
            yield path


def _own(folder: Path) -> list[Path]:
    """What lies in a folder, but for what is hidden, locks of open files, and media."""
    return sorted(path for path in folder.iterdir() if path.name[0] not in ".~" and path.name not in NO_FORMS)


def _is_read(path: Path) -> bool:
    return path.suffix.lower() in KINDS


def _unzipped(path: Path) -> list[Path]:
    """The text files of a ZIP, which are never unpacked to the disk."""
    try:
        with zipfile.ZipFile(path) as archive:
            parts = [part for part in archive.infolist() if Path(part.filename).suffix.lower() in IN_ZIP]
    except (zipfile.BadZipFile, OSError) as error:
        raise WelfareError("this is no ZIP file", where=path.name, got=str(error)[:120]) from None
    if not parts or sum(part.file_size for part in parts) > LARGEST_BYTES:
        expected = f"CSV files of at most {LARGEST_BYTES:,} bytes once unpacked"
        raise WelfareError("the ZIP cannot be read: unpack it", where=path.name, expected=expected)
    names = sorted(part.filename for part in parts if NO_FORMS.isdisjoint(Path(part.filename).parts[:-1]))
    return [zipfile.Path(path, name) for name in names]  # type: ignore[misc]  # it reads as a path does


def joined(sources: Sequence[Cells]) -> Cells:
    """Files of forms one under the other; a row's number tells its file, a note how they were joined."""
    if len(sources) == 1:
        return sources[0]
    frames, faults = [], list[pd.DataFrame]()
    counts, reviews = dict[tuple[str, str], int](), dict[str, int]()
    for i, cells in enumerate(sources):
        frames.append(cells.frame.loc[:, ~cells.frame.columns.duplicated(keep=False)])
        frames[-1] = frames[-1].set_axis(frames[-1].index + i * STRIDE).astype(object)
        faults += [part.assign(row=part["row"] + i * STRIDE) for part in cells.faults]
        for column, what, n in cells.notes:
            counts[column, what] = counts.get((column, what), 0) + n
        reviews |= {state: reviews.get(state, 0) + n for state, n in cells.reviews.items()}
    notes: list[Note] = [(*note, n) for note, n in counts.items()]
    for cells in sources:
        notes.append(("", f"forms of {printable(' '.join([cells.path.name, cells.sheet]).strip())}", len(cells.frame)))
    notes.append(("", "files read one under the other, by the names of their columns", len(sources)))
    whole = pd.concat(frames).fillna("")
    unticked = frozenset().union(*(cells.unticked for cells in sources))
    first = replace(sources[0], frame=whole, notes=notes, faults=faults)
    return replace(first, unticked=unticked, reviews=reviews, sources=tuple(sources))
