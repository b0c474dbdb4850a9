"""Released tables on disk: what one page has made, another page of the same study reads.

Only what may be shown is kept, never an answer, a model or an influence. Tables lie under a hash of everything that
they follow from: the files of the study and what was wished of them, the library, its data and the versions of all
packages. There is no other rule of when they are stale, and nothing is kept unless `FOLDER` names a place.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import fields
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from ..disclosure import Released, restored
from ..study import DATA, ROOT, Study

FOLDER = "WELFARE_RESULTS"  # the variable that names where tables are kept
SOURCES = (ROOT / "src", DATA, ROOT / "tests" / "simulation", ROOT / "requirements.txt")
NOTHING = {"__pycache__", "site", "prose"}  # compiled code, the look of the site and translations change no result
ABOUT = b"released"  # where a file has all but the frame


def fingerprint(trees: Iterable[Path], *words: str) -> str:
    """A hash of files, by path and content, and of words; of a folder it is that of all its files."""
    digest = hashlib.sha256(repr(words).encode())
    for tree in trees:
        for path in [tree] if tree.is_file() else sorted(p for p in tree.rglob("*") if p.is_file()):
            if not NOTHING & set(path.parts[-3:-1]):
                digest.update(f"{path}\0".encode() + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def folder(study: Study) -> Path | None:
    """Where the tables of a study are kept; None for one that was not opened from files, or where nothing is kept."""
    place = os.environ.get(FOLDER, "")
    if not (place and study.files):
        return None
    return begun(Path(place), fingerprint([*SOURCES, *study.files], *study.wishes))


def begun(place: Path, state: str) -> Path:
    """The folder of what follows from a state of the files; those of other states go when it is begun."""
    own = place / state
    if not own.is_dir():
        own.mkdir(mode=0o700, parents=True, exist_ok=True)
        for other in place.iterdir():
            if other != own:
                shutil.rmtree(other, ignore_errors=True)
    return own


def kept(study: Study, name: str, make: Callable[[], Released]) -> Released:
    """A table as it is kept, or made and then kept: whoever makes it has what others read."""
    place = study.result(folder)
    if place is None:
        return make()
    path = place / f"{name}.parquet"
    return _read(path) or _written(make(), path)


def _read(path: Path) -> Released | None:
    """The table of a file; None where there is none, or it cannot be read."""
    try:
        table = pq.read_table(path)
        about = json.loads(table.schema.metadata[ABOUT])
    except (OSError, KeyError, ValueError):  # pyarrow's own errors are among them
        return None
    return restored(about, table.to_pandas())


def _written(released: Released, path: Path) -> Released:
    """The table as its file has it, which is written whole or not at all."""
    about = {field.name: getattr(released, field.name) for field in fields(released) if field.name != "frame"}
    table = pa.Table.from_pandas(released.frame)
    table = table.replace_schema_metadata({**(table.schema.metadata or {}), ABOUT: json.dumps(about)})
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, part = tempfile.mkstemp(dir=path.parent, suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            pq.write_table(table, file)
        Path(part).replace(path)
    finally:
        Path(part).unlink(missing_ok=True)
    return _read(path) or released
