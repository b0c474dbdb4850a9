"""The five services beside homes, loans and transport in one view (page 09): how many, who and where, at what cost.

One need or hope stands for each service: the one whose capacity the page computes, else the one that most hope for.
Every cell is one of another released table, so that what is hidden there is hidden here.
"""

from __future__ import annotations

import pandas as pd

from ..disclosure import CATEGORY, NUMBERS, Lazy, Released
from ..study import Study
from . import aspirations, grants, services
from .declare import Topic, always, beside
from .descriptive import descriptive

HEALTH = "without_care"  # of health no service was asked as yes or no
STANDING = {"education": "scholarship", "sport": "pool", "leisure": "clubs", "holidays": "holiday_centres"}
# what is costed: the service, how many it is for, and its cost with the cheapest and the dearest case
COSTED = {
    "health": {"concerned": ("care_fund", "all", "people"), "central": ("care_fund", "all", "cost_dh"),
               "least": ("care_fund", "1000", "cost_dh")},
    "education": {"concerned": ("schooling_wishes", "scholarship", "children"),
                  "central": ("schooling_wishes", "scholarship", "cost_dh")},
    "holidays": {"concerned": ("services_where", "all", "persons"), "central": ("services_where", "all", "cost_dh"),
                 "least": ("services_cases", "place_cost_dh_low", "cost_dh"),
                 "most": ("services_cases", "place_cost_dh_high", "cost_dh")},
}  # fmt: skip
MEASURES = {"people": "persons", "share": "share", "concerned": "persons"}
MEASURES |= dict.fromkeys(("least", "central", "most"), "million_dh")
topic = Topic("five", lambda study: study, always, "share", aspirations.base, totals=False)


def tables(study: Study) -> Lazy:
    """The released tables that the view takes its cells from."""
    parts = (study.result(descriptive), *(t.release(study) for t in (aspirations.topic, services.topic, grants.care,
                                                                     grants.schooling)))  # fmt: skip
    return Lazy({name: maker for part in parts for name, maker in part.makers.items()})


def cells(table: Released, *codes: str) -> pd.DataFrame:
    """Cells of a released table; none where it is not shown."""
    return table.cells(*codes) if table.state == "shown" else pd.DataFrame()


@topic.table("services", "service_domain|standing", "measure", "", adds=None)
def in_one_view(study: Study, _: Study) -> pd.DataFrame | None:
    """How many need or hope for each service, of whom its capacity is for, what that costs, and from least to most."""
    made, rows = study.result(tables), []
    stands: dict[str, tuple[str, dict[str, tuple[str, ...]]]] = {}
    stands |= {"health": (f"condition:{HEALTH}", {"people": (f"{HEALTH}_total",), "share": (HEALTH,)})}
    stands |= {d: (f"hope:{h}", {"people": ("hopes_total", h), "share": ("hopes", h)}) for d, h in STANDING.items()}
    for domain, (standing, addresses) in stands.items():
        known = {**addresses, **COSTED.get(domain, {})}
        found = {measure: cells(made[name], *codes) for measure, (name, *codes) in known.items()}
        if found["share"].empty:
            continue
        for measure, unit in MEASURES.items():
            cell = found.get(measure, pd.DataFrame())
            if cell.empty:
                cell = found["share"].assign(text="not_known", estimate=0.0, low=0.0, high=0.0, flag="", step=1.0)
            kept = cell[[c for c in (*NUMBERS, "n", "flag", "step", "text") if c in cell]]
            rows.append(beside(kept, measure, unit).assign(service_domain=domain, standing=standing))
    return pd.concat(rows, ignore_index=True).assign(ranked=True) if rows else None


@topic.table("groups", "level", "service_domain", adds=None)
def by_group(study: Study, _: Study) -> pd.DataFrame | None:
    """Share of each status, rank, region and sex that needs or hopes for each service."""
    made, rows = study.result(tables), []
    for group in aspirations.GROUPS:
        found = {"health": cells(made[f"{HEALTH}_by_{group}"])}
        found |= {domain: cells(made[f"hopes_by_{group}"], hope) for domain, hope in STANDING.items()}
        for domain, table in found.items():
            if len(table):
                codes = table[group if domain == "health" else CATEGORY].astype(str)
                kept = table[[*NUMBERS, "n", "flag", "step"]]
                rows.append(kept.assign(level=f"{group}:" + codes, service_domain=domain))
    return pd.concat(rows, ignore_index=True).assign(ranked=True) if rows else None
