"""All tables of a study under one name each, made when a page asks for them: of the plan, and of the models."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from ..study import Study
from . import adjusted_tables, aspirations, homes, intercity, loans, transport
from .disclosure import protect
from .plan import Lazy, Released

Tables = Callable[[Study], Mapping[str, Released]]
MODELS: dict[Tables, tuple[str, ...]] = {
    adjusted_tables.adjusted_tables: tuple(f"adjusted_{name}" for name in adjusted_tables.IDS),
    aspirations.aspiration_tables: aspirations.IDS,
    homes.homes: tuple(f"homes_{name}" for name in homes.IDS),
    loans.loan_tables: tuple(f"loans_{name}" for name in loans.IDS),
    transport.transport_tables: tuple(f"transport_{name}" for name in transport.IDS),
    intercity.rail_tables: tuple(f"transport_{name}" for name in intercity.UNITS),
}


def release(study: Study) -> Lazy:
    """Every table that may be shown; those of a model come all at once when the first of them is asked for."""
    made = {name: partial(_one, tables, study, name) for tables, names in MODELS.items() for name in names}
    return Lazy(protect(study).makers | made)


def _one(tables: Tables, study: Study, name: str) -> Released:
    return tables(study)[name]
