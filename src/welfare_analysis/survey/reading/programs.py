"""What collecting programs add to an export, by exact spelling: columns, keys of forms, links of repeated groups.

Known are KoboToolbox, ODK Central and Briefcase, SurveyCTO, Survey Solutions and LimeSurvey. A column that a program
adds gets a name behind `ADDED`, so that it is never taken for a question that is spelt alike (``Status``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from .spelling import listed, phrases

ADDED = "program:"
# Any of these says that a program wrote the header; none is ever the name of a question.
MARKS = listed("program")
_ALWAYS = re.compile("|".join(listed("added")))  # spelt so in no other file
_BESIDE = re.compile("|".join(listed("added beside")))  # a program's where its marks stand beside them
# the surest first: an edited form has a key of its own, and says of which it is the correction
FORM_KEYS = ("meta/rootUuid", "meta/deprecatedID", "_uuid", "KEY", "interview__id", "instanceID", "meta-instanceID",
             "meta/instanceID")  # fmt: skip
# what LimeSurvey calls its columns in full, alone or behind the code: "id. Response ID"
IN_FULL = {text: code for code in listed("limesurvey") for text in phrases(f"limesurvey {code}")}
VERSIONS = ("__version__", "_version_", "FormVersion", "formdef_version")
# what stands in a cell that was not asked, by a column of the program
NOT_ASKED = {"interview__key": ["##N/A##", "-999999999"], "submitdate": ["N/A"]}
# Of a row of a repeated group to its form, and the column of the form; the surest first.
LINKS = {
    "_submission__uuid": "_uuid",
    "_submission__id": "_id",
    "PARENT_KEY": "KEY",
    "_parent_index": "_index",
    "interview__key": "interview__key",
}


def wrote(header: Iterable[str]) -> bool:
    """Whether a collecting program wrote a header."""
    return not MARKS.isdisjoint(map(own_name, header))


def own_name(text: str) -> str:
    """A header cell as the program calls the column by itself."""
    code, _, said = text.partition(". ")
    return IN_FULL.get(text.casefold()) or (code if IN_FULL.get(said.casefold()) == code else text)


def is_added(text: str, program: bool) -> bool:
    """Whether a header cell is spelt as one that a program adds; ``program`` says that a program wrote the header."""
    return bool(_ALWAYS.fullmatch(text) or (program and _BESIDE.fullmatch(text)))
