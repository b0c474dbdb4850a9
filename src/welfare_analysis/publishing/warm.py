"""What the kernels of a report are forked from: the library imported, the study that the environment names open."""

import gc
from contextlib import suppress

from ..study import Study
from . import kernels  # noqa: F401 - imports all that a kernel needs, once for all

with suppress(Exception):  # the first cell of each page opens it again, and says what is wrong
    Study.open()
gc.freeze()  # memory that no collection touches stays shared
