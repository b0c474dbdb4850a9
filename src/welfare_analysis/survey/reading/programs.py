"""What collecting programs add to an export, by exact spelling: columns, keys of forms, links of repeated groups.

Known are KoboToolbox, ODK Central and Briefcase, SurveyCTO, Survey Solutions and LimeSurvey. A column that a program
adds gets a name behind `ADDED`, so that it is never taken for a question that is spelt alike (``Status``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from .spelling import listed

ADDED = "program:"
# Any of these says that a program wrote the header; none is ever the name of a question.
MARKS = listed("program")
# Spelt so in no other file.
_ALWAYS = re.compile(
    r"start|end|today|username|deviceid|subscriberid|simid|simserial|phonenumber|devicephonenum|device_info|start-geo|"
    r"_id|_uuid|_submission_time|_validation_status|_notes|_status|_submitted_by|__version__|_version_|_tags|_index|"
    r"_xform_id_string|_attachments|_geolocation|_bamboo_dataset_id|_media_all_received|_parent_table_name|_parent_index|"
    r"_submission__\w+|meta[/-]\w+|formhub/\w+|(?:.*/)?_[\w-]+_(?:latitude|longitude|altitude|precision)|"
    r"SubmissionDate|CompletionDate|KEY|PARENT_KEY|SET-OF-[\w-]+|setof\w+|SubmitterID|SubmitterName|AttachmentsPresent|"
    r"AttachmentsExpected|ReviewState|DeviceID|FormVersion|instanceID|instanceName|formdef_version|formdef_id|"
    r"review_(?:quality|status|comments|corrections)|interview__key|interview__id|interview__status|sssys_irnd|"
    r"has__errors|assignment__id|submitdate|"
    r"(?:.*[/.:-])?(?:note_\w+|_(?:draw|chance)_\w+)"  # of the forms that we write: notes, and what was drawn
)
# A program's where its marks stand beside them.
_BESIDE = re.compile(
    r"Status|Edits|starttime|endtime|duration|caseid|\w+__id|parentid\d|id|lastpage|startlanguage|seed|token|startdate|"
    r"datestamp|ipaddr|refurl|interviewtime|groupTime\d+|\w+Time"
)
FORM_KEYS = ("_uuid", "KEY", "interview__id", "instanceID", "meta-instanceID", "meta/instanceID")
VERSIONS = ("__version__", "_version_", "FormVersion", "formdef_version")
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
    return not MARKS.isdisjoint(header)


def is_added(text: str, program: bool) -> bool:
    """Whether a header cell is spelt as one that a program adds; ``program`` says that a program wrote the header."""
    return bool(_ALWAYS.fullmatch(text) or (program and _BESIDE.fullmatch(text)))
