"""Folders of what is made: closed to other users, whole or not there at all, and for one command at a time."""

import contextlib
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from welfare_analysis.errors import WelfareError


def private(folder: Path) -> Path:
    """Return the folder, made if need be, closed to other users: results on an institution's answers go there."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    return folder


@contextlib.contextmanager
def replacing(folder: Path) -> Iterator[Path]:
    """A new folder beside one, which takes its place when all is written; else the old one stays as it was.

    What a run that was killed left of its own goes. One command at a time has it (`alone`).
    """
    hidden = f".{folder.name}-"
    for left in folder.parent.glob(f"{hidden}*"):
        shutil.rmtree(left, ignore_errors=True)
    fresh = Path(tempfile.mkdtemp(prefix=hidden, dir=private(folder.parent)))
    old = fresh.with_suffix(".old")
    try:
        yield fresh
        if folder.exists():
            folder.rename(old)
        fresh.rename(folder)
    finally:
        for gone in (fresh, old):
            shutil.rmtree(gone, ignore_errors=True)


def set_aside(report: Path) -> Path:
    """Move a report away, so that nobody takes it for the one that is begun; return where it would be."""
    before = report.with_name(f"{report.name}.before")
    if report.exists():
        shutil.rmtree(before, ignore_errors=True)
        report.rename(before)
    return before


@contextlib.contextmanager
def alone(folder: Path, command: str) -> Iterator[None]:
    """Hold the lock of a command in a folder while it runs; the system gives it back however the command ends.

    Raises
    ------
    WelfareError
        If the same command runs already: who holds the lock, and since when.
    """
    with (private(folder) / f"{command}.lock").open("a+", encoding="utf-8") as file:
        try:
            _lock(file)
        except OSError:
            file.seek(0)
            hint = "Wait until it has ended, or stop it."
            raise WelfareError(f"`{command}` is running already", where=file.read().strip(), hint=hint) from None
        file.truncate(0)
        file.write(f"process {os.getpid()}, since {time.strftime('%Y-%m-%d %H:%M')}")
        file.flush()
        yield


def _lock(file: IO[str]) -> None:
    """Lock a file for this process, or raise OSError at once."""
    if sys.platform == "win32":
        import msvcrt

        file.seek(1 << 20)  # a byte behind the text, which others must be able to read
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
