"""The caravan (page 12): its order and dates, whom it reaches, and a brief for each stop.

Tours, dates and distances hold no answers. What is said of people is computed from released cells by region alone:
where in a region members live is not known, so that who lives near a stop has a least and a most.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

import numpy as np
import pandas as pd
from scipy.stats import norm

from ..disclosure import CATEGORY, Release, Released, declared, document
from ..errors import unknown
from ..estimation import total
from ..planning import caravan as planning
from ..planning.caravan import Caravan, parameter
from ..study import Study, public
from .declare import Base, Topic, always, long_format

FINDINGS = ("caravan_plans", ("order", "dates", "saved", "reach", "stop", "sure"))
ELSEWHERE = "caravan.elsewhere"  # the text where the towns of `data/public` are not those of the institution
FEWEST = 5  # stops of the shortest list
MOST = 6  # hopes of a brief
LEVEL = 0.05  # of all comparisons of a brief together
UNITS = {"stops": "stops", "km": "km", "hours": "hours", "first": "date", "last": "date"}
UNITS |= {"working_days": "number", "position": "number", "date": "date", "members": "share"}
PARTS = ("estimate", "low", "high")
STEPS = {"km": 10.0, "hours": 1.0}


def tour(study: Study) -> Caravan | None:
    """The caravan of a study; None where its towns are in none of the study's regions."""
    made = planning.caravan()
    return made if set(made.towns["command_group"]) & set(study.codebook.codes("command_group")) else None


def members(study: Study) -> pd.DataFrame | None:
    """Region and status of each answer; None where either was not asked."""
    if study.lacking(("status", "command_group")):
        return None
    wide = {code: up for code, up in study.codebook.parent("status").items() if up}
    frame = study.frame[["command_group", "status"]].astype(object).set_axis(study.design.index)
    return frame.assign(status=frame["status"].replace(wide))


def placed(frame: pd.DataFrame) -> Base:
    """Of whom the region is known, of all."""
    return frame["command_group"].notna(), pd.Series(True, frame.index)


topic = Topic("caravan", members, always, "persons", placed, FINDINGS)


@topic.table("members", "command_group", "hope_group", adds="hope_group")
def by_region(study: Study, frame: pd.DataFrame) -> pd.DataFrame:
    """Members of each region by status, to a whole band."""
    parts = []
    for status in ("all", *sorted(frame["status"].dropna().unique())):
        own = pd.Series(1.0 if status == "all" else frame["status"].eq(status).astype(float), frame.index)
        known = frame["command_group"].notna()
        made = total(study.design, own.rename("members"), by=frame["command_group"], where=known)
        n = own[known].groupby(frame.loc[known, "command_group"]).sum()
        rows = long_format(made, "", "command_group").assign(hope_group=status)
        parts.append(rows.assign(n=rows["command_group"].map(n), flag=""))
    return pd.concat(parts, ignore_index=True).assign(step=parameter("band_persons"))


def measures(order: list[str], of: Caravan, known: bool = False) -> dict[str, float]:
    """Numbers of a tour: stops, km, hours, first and last day, working days; ``known`` are the dates of before."""
    table = of.timetable(order)
    first, last = of.dated["date"].iloc[[0, -1]] if known else table["date"].iloc[[0, -1]]
    days = of.working_days(first.to_numpy().astype("datetime64[D]"), last.to_numpy().astype("datetime64[D]"))
    km, hours = table["km"].sum(), table["hours"].sum()
    return {"stops": len(order), "km": km, "hours": hours, "first": first.toordinal(), "last": last.toordinal(),
            "working_days": days}  # fmt: skip


def measured(plans: Mapping[str, Mapping[str, float]], key: str) -> pd.DataFrame:
    """Numbers of plans as rows, km and hours in whole steps."""
    rows = [(plan, name, x) for plan, numbers in plans.items() for name, x in numbers.items()]
    table = pd.DataFrame(rows, columns=[key, "caravan_measure", "estimate"])
    table["unit"] = table["caravan_measure"].map(UNITS)
    table["step"] = table["caravan_measure"].map(STEPS)
    whole = (table["estimate"] / table["step"]).round() * table["step"]
    return table.assign(estimate=whole.fillna(table["estimate"]), ranked=True)


def beside(plans: Mapping[str, Caravan], name: str = "own_tour") -> Released:
    """Tours side by side, each in its shortest order; for a reader's own."""
    table = measured({plan: measures(of.order, of) for plan, of in plans.items()}, "caravan_plan")
    return document(name, table, ["caravan_plan"], "caravan_measure")


def plans(study: Study, of: Caravan) -> Released:
    """The shortest tour, the shortest one that keeps what is known of 2012, and what lies between them."""
    made = {"ours": measures(of.order, of)}
    if len(of.dated):
        made["known"] = measures(study.result(completed), of, known=True)
        made["saved"] = {name: made["known"][name] - made["ours"][name] for name in ("km", "hours", "working_days")}
    rows = measured(made, "caravan_plan")
    ends = {end: np.where(rows["unit"] == "km", parameter("road_factor", end) / of.road_factor, 1.0)
            for end in ("low", "high")}  # fmt: skip
    bounds = {end: (rows["estimate"] * part / rows["step"]).round() * rows["step"] for end, part in ends.items()}
    return document("caravan_plans", rows.assign(**{k: v.fillna(rows["estimate"]) for k, v in bounds.items()}),
                    ["caravan_plan"], "caravan_measure")  # fmt: skip


def completed(study: Study) -> list[str]:
    """The shortest tour that keeps the positions and dates that are known."""
    return study.result(tour).completed


def listed(table: pd.DataFrame, of: Caravan, name: str, shown: tuple[str, ...]) -> Released:
    """A timetable as a table, in its order; the language at the stand as a word."""
    days = pd.Series([x.toordinal() if x == x else np.nan for x in table["date"]], table.index)
    rows = table.assign(date=days)[list(shown)].rename_axis("caravan_stop").reset_index()
    rows = rows.melt("caravan_stop", var_name="caravan_measure", value_name="estimate")
    words = pd.DataFrame({"caravan_stop": table.index, "caravan_measure": "language", "estimate": 0.0,
                          "text": ("language." + of.towns.loc[table.index, "language"]).to_numpy()})  # fmt: skip
    rows["unit"] = rows["caravan_measure"].map(UNITS)
    rows = pd.concat([rows, words.assign(unit="number")], ignore_index=True).assign(ranked=True)
    return document(name, rows, ["caravan_stop"], "caravan_measure")


def timetable(study: Study, of: Caravan) -> Released:
    """The shortest tour: date, and km and hours from the stop before."""
    return listed(of.timetable(), of, "caravan_timetable", ("position", "date", "km", "hours"))


def known(study: Study, of: Caravan) -> Released | None:
    """The shortest tour that keeps what is known of 2012; only known dates are shown."""
    if not len(of.dated):
        return None
    table = of.timetable(study.result(completed))
    dates = of.dated["date"].reindex(table.index)
    return listed(table.assign(date=dates), of, "caravan_known", ("position", "date", "km"))


def route(study: Study, of: Caravan) -> Released:
    """The place of each stop in the order: what the map shows."""
    table = pd.DataFrame({"caravan_stop": of.order, "estimate": np.arange(1.0, len(of.order) + 1), "ranked": True})
    return document("caravan_route", table, ["caravan_stop"], unit="number")


def shares(of: Caravan, stops: list[str]) -> pd.DataFrame:
    """By region: the share near a stop if members live as the population does, and the least and the most."""
    near, towns = of.reached(stops), of.towns
    people = towns["population"].groupby(towns["command_group"]).sum()
    mid = (towns["population"] * near).groupby(towns["command_group"]).sum() / people
    ends = near.groupby(towns["command_group"]).agg(["all", "any"]).astype(float)
    return pd.DataFrame({"estimate": mid, "low": ends["all"], "high": ends["any"]})


def totals(study: Study, group: str = "all") -> pd.Series | None:
    """Released members by region; None where no number is shown."""
    table = topic.release(study)["caravan_members"]
    cells = table.cells("*", group).dropna(subset="estimate") if table.state == "shown" else pd.DataFrame()
    return cells.set_index("command_group")["estimate"] if len(cells) else None


def of_members(study: Study, of: Caravan, stops: list[str]) -> dict[str, float] | None:
    """The share of all members near a stop, as `shares`; None where no member is shown."""
    people = totals(study)
    if people is None:
        return None
    return {str(k): float(x) for k, x in shares(of, stops).mul(people / people.sum(), axis=0).dropna().sum().items()}


def stops(study: Study, of: Caravan) -> Released:
    """Share of members near one of so many stops; of the public population where members are not known."""
    parts, towns = [], of.towns
    for many in range(FEWEST, len(towns) + 1):
        best = of.best(many)
        own, part = of_members(study, of, best), of.people(best)
        numbers = dict.fromkeys(PARTS, part) if own is None else own
        parts.append({"caravan_stops_n": str(many), "reach_of": "population" if own is None else "members", **numbers})
    return document("caravan_stops", pd.DataFrame(parts), ["caravan_stops_n"], "reach_of", "share")


def reach(study: Study, of: Caravan) -> Released | None:
    """Members near one of few stops by region and status: as the population lives, the least and the most."""
    table = topic.release(study)["caravan_members"]
    if table.state != "shown":
        return table.without_numbers(table.state)
    near, band = shares(of, of.best(int(parameter("few_stops")))), parameter("band_persons")
    cells = table.frame.rename(columns={"category": "hope_group"})
    part = near.reindex(cells["command_group"]).to_numpy()
    numbers = np.round(cells[["estimate"]].to_numpy() * part / band) * band
    cells = cells[["command_group", "hope_group", "flag", "step"]].assign(**dict(zip(PARTS, numbers.T, strict=True)))
    return document("caravan_reach", cells, ["command_group"], "hope_group", "persons")


def cases(study: Study, of: Caravan) -> Released:
    """The tour with one assumption at a time at an end of its range, and who is near one of few stops."""
    made = {"central": of}
    made |= {f"{name}_{end}": of.at(**{name: parameter(name, end)}) for name in planning.TERMS if name != "stops_a_day"
             for end in ("low", "high")}  # fmt: skip
    made["two_stops"] = of.at(stops_a_day=2.0)
    few, numbers = int(parameter("few_stops")), {}
    for case, at in made.items():
        share = of_members(study, at, at.best(few))
        own = {} if share is None else {"members": share["estimate"]}
        kept = measures(at.order, at)
        numbers[case] = {name: kept[name] for name in ("km", "hours", "last", "working_days")} | own
    return document("caravan_cases", measured(numbers, "caravan_case"), ["caravan_case"], "caravan_measure")


def worked(of: Caravan) -> str:
    """The stop whose brief is shown: the first of whose questions something is known."""
    asked = public("caravan_questions")["caravan_stop"]
    return next((stop for stop in asked if stop in of.towns.index), str(of.towns.index[0]))


def against_rest(cells: pd.DataFrame, region: str) -> pd.DataFrame:
    """A region's cell beside the mean of the others, each weighted by its respondents."""
    own = cells["command_group"].astype(str) == region
    rest = cells[~own]
    weight = rest["n"] / rest["n"].sum()
    mean, half = (rest["estimate"] * weight).sum(), np.sqrt((((rest["high"] - rest["low"]) / 2 * weight) ** 2).sum())
    other = pd.DataFrame([{"estimate": mean, "low": mean - half, "high": mean + half}])
    both = pd.concat([cells.loc[own, [*PARTS, "unit", "step"]], other], ignore_index=True)
    return both.assign(caravan_side=["region", "rest"]).ffill()


def compared(pairs: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Both sides of each pair as rows, and whether the region has more, less, or no clear difference (Bonferroni)."""
    z, parts = norm.ppf(1 - LEVEL / (2 * max(len(pairs), 1))), []
    for name, pair in pairs.items():
        gap = pair["estimate"].iloc[0] - pair["estimate"].iloc[1]
        error = np.sqrt((((pair["high"] - pair["low"]) / (2 * norm.ppf(0.975))) ** 2).sum())
        word = "none" if abs(gap) <= z * error else "more" if gap > 0 else "less"
        said = pd.DataFrame([{"caravan_side": "compared", "estimate": 0.0, "text": f"compared.{word}"}])
        parts.append(pd.concat([pair, said], ignore_index=True).assign(brief_line=name))
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


def brief(every: Release, of: Caravan, stop: str, name: str) -> Released:
    """Who is in a stop's region, what they need and hope for against the other regions; from released tables.

    Raises
    ------
    WelfareError
        No such stop.
    """
    if stop not in of.towns.index:
        raise unknown("no such stop", stop, of.towns.index, where="caravan.csv")
    region, pairs, counts = str(of.towns.at[stop, "command_group"]), {}, []
    lines = public("caravan_brief").fillna("").to_dict("records")
    lines += [{"brief_line": f"hope:{hope}", "table": "hopes_by_command_group", "code": hope, "compared": "yes"}
              for hope in hoped(every["hopes_by_command_group"], region)]  # fmt: skip
    for line in lines:
        table = every[line["table"]]
        if table.state != "shown":
            continue
        cells = table.frame.rename(columns={CATEGORY: table.variable})
        others = [key for key in (*table.by, table.variable) if key in cells and key != "command_group"]
        cells = cells[cells[others[0]].astype(str) == line["code"]] if line["code"] else cells
        cells = cells.dropna(subset="estimate").assign(unit=table.unit)
        own = cells[cells["command_group"].astype(str) == region]
        if line["compared"] == "no":
            counts.append(own[[*PARTS, "step", "unit"]].assign(caravan_side="region", brief_line=line["brief_line"]))
        elif len(own) and len(cells) > 1:
            pairs[line["brief_line"]] = against_rest(cells, region)
    rows = pd.concat([*counts, compared(pairs)], ignore_index=True)
    return document(name, rows.assign(ranked=True), ["brief_line"], "caravan_side")


def hoped(table: Released, region: str) -> list[str]:
    """What most hope for in a region."""
    cells = table.shown
    own = cells[cells[CATEGORY].astype(str) == region] if len(cells) else cells
    return [] if own.empty else own.nlargest(MOST, "estimate")["hope"].astype(str).tolist()


def questions(study: Study, of: Caravan) -> Released:
    """What was asked or is to be expected at stops, what can be answered, the figure known, and where it stands."""
    rows = public("caravan_questions").query("caravan_stop in @of.towns.index")
    keys, said = ["caravan_stop", "caravan_theme"], "caravan.answer." + rows["caravan_theme"]
    texts = [rows[keys].assign(measure=name, text=text, estimate=0.0, unit="number")
             for name, text in (("answer", said), ("source", rows["source"]))]  # fmt: skip
    figures = rows.dropna(subset="value")[[*keys, "value", "unit"]].rename(columns={"value": "estimate"})
    cells = pd.concat([texts[0], figures.assign(measure="figure"), texts[1]], ignore_index=True)
    return document("caravan_questions", cells.assign(ranked=True), keys, "measure")


def programme(study: Study, of: Caravan) -> Released:
    """What a day at a stop is made of: when it begins, and how long it takes."""
    rows = public("caravan_day")
    start = rows["start_hours"].map(lambda h: f"{int(h):02d}:{round(h % 1 * 60):02d}")
    texts = pd.DataFrame({"caravan_session": rows["session"], "measure": "begins", "text": start, "estimate": 0.0})
    length = pd.DataFrame({"caravan_session": rows["session"], "measure": "length", "estimate": rows["minutes"]})
    parts = pd.concat([texts.assign(unit="number"), length.assign(unit="minutes")], ignore_index=True)
    return document("caravan_day", parts.assign(ranked=True), ["caravan_session"], "measure")


def made(study: Study, name: str, make: Callable[[Study, Caravan], Released | None]) -> Released:
    """A table of a tour; why there is none."""
    of = study.result(tour)
    table = None if of is None else make(study, of)
    blank = declared(f"caravan_{name}", "document", "", (), "", of="document")
    return table or blank.without_numbers(ELSEWHERE if of is None else "not_asked")


MAKERS = {"plans": plans, "timetable": timetable, "known": known, "route": route, "stops": stops, "reach": reach,
          "cases": cases, "questions": questions, "day": programme}  # fmt: skip
TABLES: dict[str, Callable[[Study], Released]] = {
    f"caravan_{name}": partial(made, name=name, make=make) for name, make in MAKERS.items()
}
