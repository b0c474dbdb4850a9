"""Parquet: columns of text or numbers, by type and never by content; objects are refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from ...errors import WelfareError
from .layout import MOST_COLUMNS, Cells, Known, lettered, limit_rows, names_of
from .personal import header_shown

LARGEST_UNPACKED = 2_000_000_000
OF_TEXT = (pa.types.is_string, pa.types.is_large_string)
OTHERS = (pa.types.is_date, pa.types.is_timestamp, pa.types.is_decimal)
SIMPLE = (*OF_TEXT, *OTHERS, pa.types.is_integer, pa.types.is_floating, pa.types.is_boolean, pa.types.is_null)


def parquet_cells(path: Path, known: Known) -> Cells:
    """The cells of a Parquet file; numbers stay numbers."""
    try:
        file = pq.ParquetFile(path)
        facts, schema = file.metadata, file.schema_arrow
        if facts.num_columns > MOST_COLUMNS:
            raise WelfareError("too many columns", where=path.name, got=facts.num_columns)
        limit_rows(path, facts.num_rows)
        if sum(facts.row_group(i).total_byte_size for i in range(facts.num_row_groups)) > LARGEST_UNPACKED:
            raise WelfareError("the file is too large once unpacked", where=path.name)
        odd = [field.name for field in schema if not _simple(field.type)]
        if odd:
            what = "columns hold objects, not text or numbers"
            raise WelfareError(what, where=path.name, got=list(map(header_shown, odd[:3])), expected="text and numbers")
        words = [field.name for field in schema if any(test(field.type) for test in OF_TEXT)]
        table = pq.ParquetFile(path, read_dictionary=words).read()  # each distinct text once, as it is stored
    except (pa.ArrowException, OSError) as error:
        raise WelfareError("this is no Parquet file", where=path.name, got=str(error)[:120]) from None
    names = [name for name in table.column_names if not name.startswith("__index_level_")]  # what pandas adds
    columns = [_column(table[i], name in words) for i, name in enumerate(table.column_names) if name in names]
    frame = pd.DataFrame(dict(enumerate(columns))).set_axis(range(2, len(table) + 2), axis=0)
    header = names_of(names, known)
    return Cells(path, frame.set_axis(header, axis=1), letters=lettered(header))


def _simple(kind: pa.DataType) -> bool:
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    return any(test(kind) for test in SIMPLE)


def _column(values: pa.ChunkedArray, words: bool) -> pd.Series:
    """The cells of a column, each distinct one once; ``words`` were read so."""
    if pa.types.is_decimal(values.type):
        values = values.cast(pa.float64())
    if pa.types.is_temporal(values.type):
        values = values.cast(pa.string())
    if pa.types.is_boolean(values.type):
        return pd.Series([{True: "TRUE", False: "FALSE"}.get(v, "") for v in values.to_pylist()], dtype="str")
    whole = values.combine_chunks() if words else values
    which, levels = pd.factorize((whole.indices if words else whole).to_pandas())
    if words:
        levels = whole.dictionary.to_pandas().to_numpy(object)[levels.astype(int)]
    cells = list(dict.fromkeys([*levels.astype(object), ""]))
    codes = np.where(which < 0, cells.index(""), which)
    return pd.Series(pd.Categorical.from_codes(codes, pd.Index(cells, dtype=object)))
