"""What tests of several folders share."""

import numpy as np
import pandas as pd
import pytest
from books import BOOK
from hypothesis import settings

settings.register_profile("no_clock", deadline=None)  # a busy machine fails no test
settings.load_profile("no_clock")
VARIABLES = BOOK.variables


@pytest.fixture(scope="session")
def kobo():
    """Forms as KoboToolbox exports them."""
    return _kobo


def _kobo(answers, labels=False, split=False, mark="/"):
    """The same forms as KoboToolbox exports them: groups of the form before names, several answers in one column."""
    out = {"start": "2026-11-01T10:00:00", "end": "2026-11-01T10:20:00", "_draw_module": 0.4}
    taken = set()
    for group, kind in BOOK.groups["kind"].items():
        own = [name for name in VARIABLES.index[VARIABLES["group"] == group] if name in answers]
        codes = [name.removeprefix(f"{group}_") for name in own]
        words = [VARIABLES.at[name, "label_fr"] for name in own] if labels else codes
        path = f"block_{VARIABLES.at[own[0], 'block']}{mark}{group}" if own else ""
        if kind == "multiple" and own:
            taken |= set(own)
            asked = answers[own].notna().any(axis=1)
            if split:
                for name, code in zip(own, codes, strict=True):
                    told = answers[name].map({"yes": "1", "no": "0"}).where(asked)
                    out[f"{path}{mark}{code}"] = told.where(answers[name].notna(), None)
            else:
                glue = "; " if labels else " "
                yes = (answers[own] == "yes").to_numpy()
                text = [glue.join(w for w, y in zip(words, row, strict=True) if y) for row in yes]
                out[path] = pd.Series(text, index=answers.index).where(asked, "")
        elif kind == "ranking" and own:
            taken |= set(own)
            places = answers[own].astype(float).to_numpy()
            orders = [[words[i] for i in np.argsort(row) if not np.isnan(row[i])] for row in places]
            if split:
                for k in range(len(own)):
                    ending = {1: "st", 2: "nd", 3: "rd"}.get(k + 1, "th")
                    out[f"{path}/{k + 1}{ending}_choice"] = [o[k] if k < len(o) else "" for o in orders]
            else:
                out[path] = [(";" if labels else " ").join(o) for o in orders]
    for name in [n for n in answers if n not in taken]:
        line = VARIABLES.loc[name]
        values = answers[name]
        if labels and line["list"]:
            values = values.map(lambda c, line=line: BOOK.label(line["list"], c, "fr") if isinstance(c, str) else c)
        unique = (VARIABLES["label_fr"] == line["label_fr"]).sum() == 1
        out[line["label_fr"] if labels and unique else f"block_{line['block']}{mark}{name}"] = values
    tail = {
        "__version__": "v1",
        "_id": range(len(answers)),
        "_uuid": [f"uuid:{i}" for i in range(len(answers))],
        "_submission_time": "2026",
        "meta/instanceID": "u",
    }
    return pd.DataFrame({**out, **tail}, index=answers.index)
