"""The five services beside homes, loans and transport in one view (page 09): how many, who and where, at what cost.

One need or hope stands for each service: ``data/five.csv`` lists where its cells stand. Every cell is one of another
released table, so that what is hidden there is hidden here.
"""

from __future__ import annotations

from functools import partial

import pandas as pd

from ..disclosure import CATEGORY, NUMBERS, Lazy, policy
from ..study import DATA, Study
from . import aspirations, services
from .declare import Topic, always, beside, withheld
from .descriptive import descriptive
from .stored import PARAMETERS

PLAN = pd.read_csv(DATA / "five.csv")
MEASURES = {"people": "persons", "share": "share", "concerned": "persons"}
MEASURES |= dict.fromkeys(("least", "central", "most"), "million_dh")
KEPT = [*NUMBERS, "n", "flag", "step", "text"]
topic = Topic("five", lambda study: study, always, "share", aspirations.base, totals=False)


def tables(study: Study) -> Lazy:
    """The released tables that the view takes its cells from."""
    topics = (aspirations.topic, services.topic, services.care, services.schooling, services.aid)
    parts = (study.result(descriptive), Lazy(PARAMETERS), *(topic.release(study) for topic in topics))
    return Lazy({name: maker for part in parts for name, maker in part.makers.items()})


def cells(study: Study, address: str) -> pd.DataFrame:
    """Cells of a released table; none where it is not shown."""
    name, *codes = address.split("|")
    if name not in study.result(tables) or name in withheld():  # no grant is of active staff alone, so none by rank
        return pd.DataFrame()
    table = study.result(tables)[name]
    return table.cells(*codes) if table.state == "shown" else pd.DataFrame()


@topic.table("services", "service_domain|standing", "measure", "", adds=None)
def in_one_view(study: Study, _: Study) -> pd.DataFrame | None:
    """How many need or hope for each service, of whom its capacity is for, what that costs, and from least to most."""
    rows = []
    for (domain, standing), lines in PLAN.groupby(["service_domain", "standing"], sort=False):
        addresses = lines.set_index("measure")["address"]
        share = cells(study, addresses.get("share", addresses["people"]))
        unknown = share.assign(**dict.fromkeys(NUMBERS, 0.0), text="not_known", flag="", step=1.0)
        for measure, unit in MEASURES.items() if len(share) else ():
            found = cells(study, addresses[measure]) if measure in addresses else unknown
            kept = (found if len(found) else unknown).reindex(columns=KEPT)
            kept = kept.fillna({"step": policy().step(unit)})  # an assumption is printed as it is
            rows.append(beside(kept, measure, unit).assign(service_domain=domain, standing=standing))
    return pd.concat(rows, ignore_index=True).assign(ranked=True) if rows else None


def by_group(study: Study, _: Study, wanted: str) -> pd.DataFrame | None:
    """Cells of a measure of each status, rank, region and sex, by service."""
    rows = []
    for group in aspirations.GROUPS:
        for line in PLAN[PLAN["measure"] == wanted].itertuples():
            found = cells(study, line.address.replace("@", group))
            if len(found):
                levels = f"{group}:" + found[group if group in found else CATEGORY].astype(str)
                rows.append(found.reindex(columns=KEPT[:-1]).assign(level=levels, service_domain=line.service_domain))
    return pd.concat(rows, ignore_index=True).assign(ranked=True) if rows else None


topic.table("groups", "level", "service_domain", adds=None)(partial(by_group, wanted="groups"))
topic.table("people", "level", "service_domain", "persons", adds=None)(partial(by_group, wanted="concerned_by"))
