"""What a notebook's cells need besides tables, pictures and sentences."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

import numpy as np
from IPython.core.getipython import get_ipython
from IPython.display import Markdown, display
from IPython.utils.capture import capture_output

from ..errors import WelfareError
from ..estimation import Estimate
from ..study import Study
from .labels import title
from .published import release
from .tables import show

P = ParamSpec("P")
Shown = TypeVar("Shown")


def in_each_language(
    function: Callable[Concatenate[Study, P], Shown],
) -> Callable[Concatenate[Study, P], Shown | None]:
    """Let a display give an output for each language of the report, with the language in its metadata.

    All are made of the same results: those of the study's own language come first, the others share them. Where no
    report is made (in Jupyter, and where notebooks are tested) the display is as it was.
    """

    @wraps(function)
    def shown(study: Study, *arguments: P.args, **named: P.kwargs) -> Shown | None:
        if not study.languages:
            return function(study, *arguments, **named)
        for language in sorted(study.languages, key=lambda one: one != study.language):
            own = study.in_language(language) if language != study.language else study
            with capture_output(stdout=False, stderr=False) as captured:
                result = function(own, *arguments, **named)
                if result is not None:
                    display(result)
            for output in captured.outputs:
                display(output.data, metadata={**(output.metadata or {}), "language": language}, raw=True)
        return None

    return shown


def agrees(study: Study, address: str, value: float) -> Markdown:
    """Say that a number computed in a notebook is the released one of an address, after its rounding.

    Raises
    ------
    WelfareError
        It is another number.
    """
    name, *codes = address.split("|")
    table = release(study)[name]
    cell = table.cell(*codes) if table.state == "shown" else None
    heading = title(table.id, study)
    if cell is None or np.isnan(cell["estimate"]):
        return Markdown(study.text("agrees.hidden", title=heading))
    step = max(abs(cell["estimate"]) * 1e-9, cell.get("step", 0.0) / 2 * (1 + 1e-9))
    if not abs(value - cell["estimate"]) <= step:
        raise WelfareError("not the released number", where=address, got=value, expected=str(cell["estimate"]))
    return Markdown(study.text("agrees", title=heading))


def lacking(study: Study, address: str) -> str:
    """Why a table, or its cell of these codes, is not there: the key of a text; nothing where it is shown."""
    name, *codes = address.split("|")
    table = release(study)[name]
    state = "not_asked" if table.state == "shown" and codes and table.cell(*codes) is None else table.state
    return "" if state == "shown" else state


def needs(line: str, cell: str) -> None:
    """Cell magic ``%%needs ADDRESS``: run the cell where a table is shown (and has a cell of these codes).

    Else it says why it is not.
    """
    shell: Any = get_ipython()
    study = shell.user_ns["study"]
    if why := lacking(study, line.strip()):
        display(*filter(None, [in_each_language(lambda one: Markdown(one.text(why)))(study)]))
        return
    shell.run_cell(cell).raise_error()


def protected(estimate: Estimate) -> str | None:
    """An estimate as the last line of a cell: a protected table; as ever where there is no study of its rows."""
    shell: Any = get_ipython()
    study = shell.user_ns.get("study")
    if not isinstance(study, Study) or estimate.design.n != study.design.n:
        return None
    return str(show(study, estimate, study.text("own_estimate")).data)


def register() -> None:
    """Make the magic known to the notebook that imports this package, and show estimates protected."""
    shell: Any = get_ipython()
    if shell is not None:
        shell.register_magic_function(needs, "cell")
        shell.display_formatter.formatters["text/html"].for_type(Estimate, protected)
