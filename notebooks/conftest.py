"""What nbval leaves out: numbers with a tolerance, pictures, and notebooks that were never run.

Notebooks of one run share the tables that they make, in a folder that begins empty and goes at the end.
"""

import base64
import io
import math
import os
import re
import tempfile
from functools import partial

import numpy as np
import pandas as pd
import pytest
from matplotlib.image import imread
from nbval.plugin import IPyNbCell

from welfare_analysis.results import kept
from welfare_analysis.study import DATA

RELATIVE, ABSOLUTE = 1e-6, 1e-12
PICTURE_LIMIT = 8 / 255  # root mean square over all points; a bar 5 % higher gives 11 of 255, a redraw 0
NUMBER = re.compile(r"((?<![\w.])[-+]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d*)?(?:[eE][-+]?\d+)?)")
SAID = pd.read_csv(DATA / "codebook" / "texts.csv", index_col="key")["en"]
# of which version a stored simulation is: any change of the code may turn it, and fails no page
VERSION = re.compile(
    "|".join(
        [f"<td>{re.escape(SAID[key])}</td>" for key in ("run.earlier", "run.this", "run.repeated")]
        + [" ?" + re.escape(SAID[key]).replace(r"\{day\}", r"[\w ,]+") for key in ("said.earlier", "note.earlier")]
    )
)
SVG_ID = re.compile(r'(?<=\bid=")[^"]*|(?<=href="#)[^"]*|(?<=url\(#)[^)]*')


def pytest_configure(config):
    """Name the folder of the run's tables: in the first process alone, before it starts others."""
    if kept.FOLDER not in os.environ:
        folder = tempfile.TemporaryDirectory(prefix="nbval-")
        os.environ[kept.FOLDER] = folder.name
        config.add_cleanup(folder.cleanup)


def pytest_itemcollected(item):
    """Give each notebook cell the comparison below."""
    if isinstance(item, IPyNbCell):
        item.compare_outputs = partial(compare, item, item.compare_outputs)


def pytest_runtest_call(item):
    """Fail a cell that was committed without being run: nbval would compare nothing and pass."""
    if isinstance(item, IPyNbCell) and item.cell.execution_count is None and item.cell.source.strip():
        pytest.fail("this cell was committed without being run: make notebooks", pytrace=False)


def compare(item, exact, test, reference, **options):
    """Compare pictures, then the rest as nbval does, with numbers that agree made equal first."""
    fault = picture_fault(pictures(test), pictures(reference))
    if fault:
        item.comparison_traceback = [fault]
        return False
    if len(test) == len(reference):
        test = [aligned(new, old) for new, old in zip(test, reference, strict=True)]
    return exact(test, reference, **options)


def aligned(new, old):
    """Return the new output with each text that agrees with the old one replaced by it."""
    if isinstance(new, dict) and isinstance(old, dict):
        return type(new)({key: aligned(value, old[key]) if key in old else value for key, value in new.items()})
    return old if isinstance(new, str) and isinstance(old, str) and agree(new, old) else new


def agree(new, old):
    """Whether two texts are the same but for the last digits of their numbers and the version of simulations."""
    new, old = VERSION.sub("", new), VERSION.sub("", old)
    if "<svg" in new:
        new, old = SVG_ID.sub("", new), SVG_ID.sub("", old)
    ours, theirs = NUMBER.split(new), NUMBER.split(old)
    return ours[::2] == theirs[::2] and all(map(close, ours[1::2], theirs[1::2]))


def close(new, old):
    """Whether two numbers agree: whole ones exactly, others within the tolerance."""
    if re.fullmatch(r"[-+]?[\d,]+", new) and re.fullmatch(r"[-+]?[\d,]+", old):
        return new == old
    numbers = [float(text.replace(",", "")) for text in (new, old)]
    return math.isclose(*numbers, rel_tol=RELATIVE, abs_tol=ABSOLUTE)


def pictures(outputs):
    """Return (PNG in base64, alternative text) of each picture."""
    found = [output for output in outputs if "image/png" in output.get("data", {})]
    return [(o["data"]["image/png"], o.get("metadata", {}).get("image/png", {}).get("alt", "")) for o in found]


def picture_fault(new, old):
    """Return what differs between two lists of pictures, or nothing."""
    if len(new) != len(old):
        return f"{len(new)} pictures were drawn, {len(old)} are stored"
    for number, ((drawn, alt), (stored, old_alt)) in enumerate(zip(new, old, strict=True), start=1):
        if not agree(alt, old_alt):
            return f"picture {number}: the alternative text is now {alt!r}, stored is {old_alt!r}"
        if drawn.strip() != stored.strip():
            ours, theirs = (imread(io.BytesIO(base64.b64decode(text))) for text in (drawn, stored))
            if ours.shape != theirs.shape:
                return f"picture {number}: the size is now {ours.shape}, stored is {theirs.shape}"
            distance = math.sqrt(np.square(ours - theirs).mean())
            if distance > PICTURE_LIMIT:
                return f"picture {number}: differs by {distance * 255:.1f} of 255, limit {PICTURE_LIMIT * 255:.0f}"
    return ""
