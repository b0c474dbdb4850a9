"""Files of answers become a frame, or one table of all their faults.

Input is hostile until validated. What can be read without doubt is accepted and reported (labels in three languages,
digits of three scripts, decimal commas, units, encodings); all else is a fault with its row, column, value, rule and
what to do. Keys are never echoed.

The way of a file: ``files`` (bytes to cells: ``text_files``, ``workbooks``, ``columnar``, ``statistical``, ``layout``),
``mapping``, ``exports`` and ``repeats`` (foreign columns to those of the codebook), ``columns`` (cells to typed
values: ``cells``, ``spelling``), ``selection`` (how persons were sampled), ``rules`` (across answers and forms), and
``faults``. A register may be ``margins``.
"""

from .answers import (
    REGISTER,
    Answers,
    draft_map,
    read,
    read_any,
    read_followup,
    read_log,
    read_recheck,
    read_register,
    typed,
)
from .cells import KINDS
from .faults import Faults
from .layout import NoHeader
from .mapping import Map
from .margins import Margins
from .personal import HIDDEN
from .selection import DESIGN, FOLLOWUP, OUTCOMES, REPLICATES, design_columns
