"""One family of errors: what went wrong, where, what came, what was expected, and what to do."""

import traceback
from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any

import numpy as np


class WelfareError(Exception):
    """An error that a reader can act on.

    Parameters
    ----------
    what : str
        The fault in one clause.
    where, got, expected, hint : str, optional
        The file, column or argument; the offending value (never a personal one); the rule; the next step.
    """

    def __init__(self, what: str, *, where: str = "", got: object = None, expected: str = "", hint: str = "") -> None:
        self.what, self.where, self.got, self.expected, self.hint = what, where, got, expected, hint
        parts = [f"{where}: {what}" if where else what]
        if got is not None:
            parts.append(f"got {plain(got)!r}")
        if expected:
            parts.append(f"expected {expected}")
        message = "; ".join(parts)
        super().__init__(printable(f"{message}. {hint}" if hint else message))

    def _render_traceback_(self) -> list[str]:
        """What IPython shows of it: the fault first, alone, so that a report can give it without place and value."""
        return [self.what, *traceback.format_exception(self)]


def unknown(
    what: str, name: str, names: Iterable[str], otherwise: str = "", *, where: str = "", hint: str = ""
) -> WelfareError:
    """The error of a name that is none of ``names``: it gives those that are near, else says ``otherwise``."""
    near = " or ".join(get_close_matches(name, [*names], 3, 0.5))
    return WelfareError(what, where=where, got=name, expected=near or otherwise, hint=hint)


def printable(text: str) -> str:
    """A text in which letters that a terminal would obey are written out."""
    return "".join(c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode() for c in text)


def plain(value: Any) -> Any:
    """A value as Python shows it: NumPy's numbers without the name of their type, also in lists."""
    if type(value) in (list, tuple):
        return type(value)(map(plain, value))
    if isinstance(value, dict):
        return {plain(k): plain(v) for k, v in value.items()}
    return value.item() if isinstance(value, np.generic) else value
