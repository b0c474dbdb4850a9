"""The record of a report: a hash of each of its files and of what it was made from, and what differs from it since."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from .. import __version__
from ..errors import WelfareError
from ..study import OWN_FILES, several
from .execution import WISHES, environment

RECORD = "record.json"
MADE_FROM = {"code": "src", "notebooks": "notebooks", "data": "data", "policy": "data/policy.csv"}
MADE_FROM |= {"lock": "requirements.txt", "confidentiality": "CONFIDENTIALITY.md"}
LEFT_OUT = {"__pycache__", ".ipynb_checkpoints", RECORD}


def digest(path: Path) -> str:
    """SHA-256 of a file; of a folder that of the names and hashes of its files, compiled code left out."""
    content = path.read_bytes() if path.is_file() else "\n".join(f"{h} {n}" for n, h in _files(path).items()).encode()
    return hashlib.sha256(content).hexdigest()


def _files(folder: Path) -> dict[str, str]:
    paths = (path for path in sorted(folder.rglob("*")) if path.is_file() and not LEFT_OUT & set(path.parts))
    return {path.relative_to(folder).as_posix(): digest(path) for path in paths}


def _sources(root: Path, variables: Mapping[str, str]) -> dict[str, str]:
    """What a report is made from, by name; files of one's own by the variable that names them, never by their path."""
    given = environment(variables)
    own = {name: [digest(path) for path in several(given[name])] for name in OWN_FILES if name in given}
    wishes = {name: given[name] for name in WISHES if given.get(name)}
    parts = {name: digest(root / place) for name, place in MADE_FROM.items() if (root / place).exists()}
    return parts | {name: " ".join(hashes) for name, hashes in own.items()} | wishes


def write(report: Path, root: Path, variables: Mapping[str, str], languages: Sequence[str]) -> None:
    """Write the record of a report into its folder."""
    made = {"version": __version__, "languages": list(languages), "made_from": _sources(root, variables)}
    text = json.dumps(made | {"files": _files(report)}, indent=1)
    (report / RECORD).write_text(text + "\n", encoding="utf-8")


def differences(report: Path, root: Path, variables: Mapping[str, str]) -> list[str]:
    """What differs from the record of a report, a line each: its own files, then what it was made from.

    Raises
    ------
    WelfareError
        There is no report with a record, or the record cannot be read.
    """
    try:
        record = json.loads((report / RECORD).read_text(encoding="utf-8"))
        was, sources = record["files"], record["made_from"]
    except (OSError, ValueError, KeyError):
        raise WelfareError("no record of a report", where=str(report), hint="Make one: make report") from None
    files, now = _files(report), _sources(root, variables)
    return [
        *(f"{name}: {_change(was, files, name)}" for name in sorted(was | files) if was.get(name) != files.get(name)),
        *(f"{name}: not what the report was made from" for name in sources | now if sources.get(name) != now.get(name)),
    ]


def _change(was: Mapping[str, str], files: Mapping[str, str], name: str) -> str:
    if name not in files:
        return "missing"
    return "changed since the report was written" if name in was else "not a file of the report"
