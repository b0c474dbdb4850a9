r"""What the burdens of the job go with (page 05): hopes of active staff by hours, nights and days away from the family.

The hope for a service is a linear function of the three burdens at once, and of rank, place, family and age:
:math:`\Pr(y_k = 1) = b_k'\gamma + x_k'\beta`, so that :math:`\gamma` is in points for so much more of one burden among
people alike in all else (a linear probability model, Wooldridge 2010, section 15.2, with errors of the design).
It is what goes with a burden, and not what a burden does.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import special

from ..disclosure import policy
from ..estimation import adjusted_p, contrast, linear
from ..needs.conditions import Staff, enough, staff
from ..study import Study
from .adjusted import SURE
from .aspirations import hopes_of
from .declare import Base, Topic, long_format

BURDENS = {"hours": ("weekly_hours_n", 10.0), "nights": ("nights_month_n", 5.0), "away": ("away_days_n", 5.0)}


def burdened(study: Study) -> Staff | None:
    """Active staff with the burdens that enough have, in the steps of `BURDENS`, and hopes; None if none is asked."""
    asked = {name: column for name, (column, _) in BURDENS.items() if not study.lacking((column,))}
    known = {name: study.frame[column].astype("Float64").astype(float) / BURDENS[name][1]
             for name, column in asked.items()}  # fmt: skip
    if not known or hopes_of(study).hoped.empty:
        return None
    people = staff(study, (), policy().min_base)
    frame = people.frame.assign(**known, **hopes_of(study).hoped)
    inside = people.inside & frame[list(known)].notna().all(axis=1).to_numpy()
    for name in known:  # a slope that few make tells their answers, whoever hopes or not
        usual = frame[name].isin(frame.loc[inside, name].mode().head(1)).to_numpy()
        if (inside & ~usual).sum() < policy().min_respondents:
            frame = frame.drop(columns=name)
    return Staff(frame, people.design, people.active, inside, people.factors, people.sampled)


def _base(people: Staff) -> Base:
    return pd.Series(people.inside), pd.Series(people.active)


def _ready(people: Staff) -> str:
    return "shown" if people.inside.any() and any(name in people.frame for name in BURDENS) else "too_few"


topic = Topic("burdens", burdened, _ready, "share_points", _base, totals=False)


@topic.table("hopes", "hope", "job_burden", adds=None, statistic="difference")
def compared(study: Study, people: Staff) -> pd.DataFrame | None:
    """Difference of a hope that goes with more of a burden, among staff alike in all else, in points.

    Of hopes that enough have and have not; ``clear`` after Holm for all together, rows from the clearest on.
    """
    names, parts = [name for name in BURDENS if name in people.frame], []
    for hope in hopes_of(study).hoped:
        rows = people.known(hope)
        met = people.frame[hope].fillna(value=False).to_numpy(bool)
        if rows is None or not enough(people, [rows & met, rows & ~met]):
            continue
        data = people.frame.assign(**{hope: met.astype(float)})
        fit = linear(people.design, data, f"{people.formula(hope)} + {' + '.join(names)}", where=rows)
        made = contrast(fit, {name: {name: 1.0} for name in names})
        p = 2 * special.stdtr(made.df, -np.abs(made.value / made.se)).to_numpy()
        parts.append(long_format(made, "job_burden").assign(hope=hope, p=p, flag=""))
    if not parts:
        return None
    cells = pd.concat(parts, ignore_index=True)
    first = cells.groupby("hope")["p"].transform("min")
    cells = cells.assign(clear=adjusted_p(cells["p"].to_numpy(float)) < SURE, ranked=first)
    return cells.drop(columns="p").sort_values("ranked", kind="stable")
