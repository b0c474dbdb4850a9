"""The caravan (page 12): its order and dates, whom it reaches, and a brief for each stop.

Tours, dates and distances hold no answers. What is said of people is computed from released cells by region alone:
where in a region members live is not known, so that who lives near a stop has a least and a most.

Whoever comes to a stop and asks is no sample of members. Intervals of the log are those of questions drawn at random
from all that could have been asked: they say how many questions there are, not whose.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

import numpy as np
import pandas as pd
from scipy.special import ndtri

from ..disclosure import CATEGORY, Release, Released, declared, document, policy
from ..errors import unknown
from ..estimation import Design, mean, share, total
from ..planning import caravan as planning
from ..planning.caravan import Caravan, parameter
from ..study import Study, public
from .declare import Base, Topic, always, attempted, counted, long_format

FINDINGS = ("caravan_plans", ("order", "reach", "stop", "asked", "cost", "next"))
ELSEWHERE = "caravan.elsewhere"  # the text where the towns of `data/public` are not those of the institution
UNKNOWN = "caravan.unknown"  # the text where nothing is known of an earlier tour
FEWEST = 5  # stops of the shortest list
MOST = 6  # hopes of a brief
LEVEL = 0.05  # of all comparisons of a brief together
UNITS = {"stops": "stops", "km": "km", "hours": "hours", "first": "date", "last": "date"}
UNITS |= {"working_days": "number", "position": "number", "date": "date", "members": "share", "population": "share"}
PARTS = ("estimate", "low", "high")
STEPS = {"km": 10.0, "hours": 1.0}
NO_LOG = "listening.none"  # the text where no log is given
ASKED = {"brief_line": "asked:", "table": "listening_topics", "key": "question_topic", "code": "", "compared": "yes"}
FLAGS = {"complaint": "kind", "wish": "kind", "to_follow": "answer"}


def tour(study: Study) -> Caravan | None:
    """The caravan of a study; None where its towns are in none of the study's regions."""
    made = planning.caravan()
    return made if set(made.towns["command_group"]) & set(study.codebook.codes("command_group")) else None


def members(study: Study) -> pd.DataFrame | None:
    """Region and status of each answer; None where either was not asked."""
    if study.lacking(("status", "command_group")):
        return None
    wide = study.codebook.wider("status")
    frame = study.frame[["command_group", "status"]].astype(object).set_axis(study.design.index)
    return frame.assign(status=frame["status"].replace(wide))


def placed(frame: pd.DataFrame) -> Base:
    """Of whom the region is known, of all."""
    return frame["command_group"].notna(), pd.Series(True, frame.index)


topic = Topic("caravan", members, always, "persons", placed, FINDINGS)


@topic.table("members", "command_group", "hope_group", adds="hope_group")
def by_region(study: Study, frame: pd.DataFrame) -> pd.DataFrame:
    """Members of each region by status, to a whole band."""
    region, each = frame["command_group"], pd.get_dummies(frame["status"], dtype=float)
    own = pd.concat([pd.Series(1.0, frame.index, name="all"), each], axis=1)
    made = total(study.design, own, by=region, where=region.notna())
    rows, n = long_format(made, "hope_group", "command_group"), own.groupby(region).sum().T.stack()
    at = pd.MultiIndex.from_frame(rows[["hope_group", "command_group"]])
    return rows.assign(n=n[at].to_numpy(), flag="", step=parameter("band_persons"))


def measures(order: list[str], of: Caravan, known: bool = False) -> dict[str, float]:
    """Numbers of a tour: stops, km, hours, first and last day, working days; ``known`` are the dates of before.

    Km and hours are in whole steps: more digits than roads are known to would be invented.
    """
    table = of.timetable(order)
    first, last = of.dated["date"].iloc[[0, -1]] if known else table["date"].iloc[[0, -1]]
    days = of.working_days(first.to_numpy().astype("datetime64[D]"), last.to_numpy().astype("datetime64[D]"))
    driven = {name: round(table[name].sum() / step) * step for name, step in STEPS.items()}
    return {"stops": len(order), **driven, "first": first.toordinal(), "last": last.toordinal(), "working_days": days}


def measured(plans: Mapping[str, Mapping[str, float]], key: str) -> pd.DataFrame:
    """Numbers of plans as rows."""
    rows = [(plan, name, x) for plan, numbers in plans.items() for name, x in numbers.items()]
    table = pd.DataFrame(rows, columns=[key, "caravan_measure", "estimate"])
    names = table["caravan_measure"]
    return table.assign(unit=names.map(UNITS), step=names.map(STEPS), ranked=True)


def beside(plans: Mapping[str, Caravan], name: str = "own_tour") -> Released:
    """Tours side by side, each in its shortest order; for a reader's own."""
    table = measured({plan: measures(of.order, of) for plan, of in plans.items()}, "caravan_plan")
    return document(name, table, ["caravan_plan"], "caravan_measure")


def known_order(of: Caravan) -> list[str]:
    """The shortest order that keeps what is known of an earlier tour; empty where none does, or nothing is known."""
    return attempted({"order": lambda: of.completed}).get("order", []) if len(of.dated) else []


def plans(study: Study, of: Caravan) -> Released:
    """The shortest tour, the shortest one that keeps what is known of an earlier tour, and what lies between them."""
    made = {"ours": measures(of.order, of)}
    if kept := known_order(of):
        made["known"] = measures(kept, of, known=True)
        made["saved"] = {name: made["known"][name] - made["ours"][name] for name in (*STEPS, "working_days")}
    rows = measured(made, "caravan_plan")
    for end in ("low", "high"):
        at_end = (rows["estimate"] * parameter("road_factor", end) / of.road_factor).round(-1)
        rows[end] = at_end.where(rows["unit"] == "km", rows["estimate"])
    return document("caravan_plans", rows, ["caravan_plan"], "caravan_measure")


def timetable(study: Study, of: Caravan, known: bool = False) -> Released | None:
    """The shortest tour: date, km and hours from the stop before, languages at the stand.

    If ``known``, the shortest one that keeps what is known of an earlier tour, and of dates those alone.
    """
    order = known_order(of) if known else of.order
    if not order:
        return None
    table = of.timetable(order)
    dates = of.dated["date"].reindex(table.index) if known else table["date"]
    table["date"] = [x.toordinal() if x == x else np.nan for x in dates]
    table["km"] = (table["km"] / STEPS["km"]).round() * STEPS["km"]
    rows = table.assign(language=0.0).reset_index().melt("caravan_stop", None, "caravan_measure", "estimate")
    words = "language." + rows["caravan_stop"].map(of.towns["language"])
    rows = rows.assign(unit=rows["caravan_measure"].map(UNITS), text=words.where(rows["caravan_measure"] == "language"))
    return document(f"caravan_{'known' if known else 'timetable'}", rows.assign(ranked=True), ["caravan_stop"],
                    "caravan_measure")  # fmt: skip


def route(study: Study, of: Caravan) -> Released:
    """The place of each stop in the order: what the map shows."""
    table = pd.DataFrame({"caravan_stop": of.order, "estimate": np.arange(1.0, len(of.order) + 1), "ranked": True})
    return document("caravan_route", table, ["caravan_stop"], unit="number")


def shares(of: Caravan, stops: list[str]) -> pd.DataFrame:
    """By region: the share near a stop if members live as the population does, and the least and the most."""
    towns = of.towns.assign(near=of.reached(stops))
    towns["reached"] = towns["population"] * towns["near"]
    regions = towns.groupby("command_group")
    ends = regions["near"].agg(low="all", high="any").astype(float)
    return ends.assign(estimate=regions["reached"].sum() / regions["population"].sum())[list(PARTS)]


def reached(study: Study, of: Caravan, stops: list[str]) -> dict[str, float | str]:
    """The share of all members near a stop, as `shares`; of the public population where no members are shown."""
    table = topic.release(study)["caravan_members"]
    people = table.cells("*", "all").set_index("command_group")["estimate"] if table.state == "shown" else pd.Series()
    if people.isna().all():
        return {"reach_of": "population", **dict.fromkeys(PARTS, of.people(stops))}
    made = shares(of, stops).mul(people / people.sum(), axis=0).sum()
    return {"reach_of": "members", **{part: float(made[part]) for part in PARTS}}


def stops(study: Study, of: Caravan) -> Released:
    """Who is near one of so many stops."""
    rows = [{"caravan_stops_n": str(many), **reached(study, of, of.best(many))}
            for many in range(FEWEST, len(of.towns) + 1)]  # fmt: skip
    return document("caravan_stops", pd.DataFrame(rows), ["caravan_stops_n"], "reach_of", "share")


def reach(study: Study, of: Caravan) -> Released:
    """Members near one of few stops by region and status: as the population lives, the least and the most."""
    table = topic.release(study)["caravan_members"]
    if table.state != "shown":
        return table.without_numbers(table.state)
    cells = table.frame.rename(columns={CATEGORY: "hope_group"}).drop(columns=["low", "high", "n"])
    part = shares(of, of.best(int(parameter("few_stops")))).reindex(cells["command_group"]).reset_index(drop=True)
    numbers = part.mul(cells["estimate"], axis=0).div(cells["step"], axis=0).round().mul(cells["step"], axis=0)
    return document("caravan_reach", cells.assign(**numbers), ["command_group"], "hope_group", "persons")


def cases(study: Study, of: Caravan) -> Released:
    """The tour with one assumption at a time at an end of its range, and who is near one of few stops."""
    made = {"central": of}
    made |= {f"{name}_{end}": of.at(**{name: parameter(name, end)}) for name in planning.RANGED
             for end in ("low", "high")}  # fmt: skip
    made["two_stops"] = of.at(stops_a_day=2.0)
    few, numbers = int(parameter("few_stops")), {}
    for case, at in made.items():
        numbers[case] = {name: x for name, x in measures(at.order, at).items() if name not in ("stops", "first")}
        near = reached(study, at, at.best(few))
        numbers[case][str(near["reach_of"])] = float(near["estimate"])
    return document("caravan_cases", measured(numbers, "caravan_case"), ["caravan_case"], "caravan_measure")


def worked(of: Caravan) -> str:
    """The stop whose brief is shown: the first of whose questions something is known."""
    asked = planning.own("caravan_questions")["caravan_stop"]
    return next((stop for stop in asked if stop in of.towns.index), str(of.towns.index[0]))


def regional(every: Release, lines: pd.DataFrame) -> pd.DataFrame:
    """Released cells by region for the lines of a brief; a line that names no code is one for each."""
    parts = []
    for line in lines.fillna("").to_dict("records"):
        table = every[line["table"]]
        if len(table.shown):
            cells = table.shown.rename(columns={CATEGORY: table.variable}).assign(unit=table.unit, **line)
            if line["code"]:
                cells = cells[cells[line["key"]] == line["code"]]
            elif line["key"]:
                cells["brief_line"] += cells[line["key"]].astype(str)
            parts.append(cells.astype({"command_group": str}))
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=["command_group", "brief_line"])


def compared(cells: pd.DataFrame, group: str, lines: list[str]) -> pd.DataFrame:
    """Some lines of `regional` in a region and in the others, and in which of them it has more or less.

    The others are the mean of their regions, weighted by respondents. A difference is named where it is beyond the
    interval of all lines together (Bonferroni).
    """
    cells = cells.assign(half=(cells["high"] - cells["low"]) / 2)
    inside = cells["command_group"] == group
    own, rest = cells[inside].set_index("brief_line").loc[lines], cells[~inside & cells["compared"].eq("yes")]
    own = own[[*PARTS, "half", "unit", "step"]].assign(caravan_side="region")
    weight = rest["n"] / rest.groupby("brief_line")["n"].transform("sum")
    rest = rest.assign(estimate=rest["estimate"] * weight, half=(rest["half"] * weight) ** 2)
    rest = own[["unit", "step"]].join(rest.groupby("brief_line")[["estimate", "half"]].sum(), how="inner")
    half, same = np.sqrt(rest["half"]), own.loc[rest.index]
    rest = rest.assign(low=rest["estimate"] - half, high=rest["estimate"] + half, caravan_side="rest")
    gap, most = same["estimate"] - rest["estimate"], np.hypot(half, same["half"]) / ndtri(0.975)
    most *= ndtri(1 - LEVEL / (2 * max(len(rest), 1)))
    words = "compared." + pd.Series(np.select([gap > most, gap < -most], ["more", "less"], "none"), rest.index)
    said = pd.DataFrame({"text": words, "estimate": 0.0, "caravan_side": "compared"})
    return pd.concat([own, rest, said]).drop(columns="half").rename_axis("brief_line").reset_index()


def brief(cells: pd.DataFrame, of: Caravan, stop: str, name: str) -> Released | None:
    """Who is in a stop's region, what they need and hope for beside the others, of `regional` cells; None without any.

    Raises
    ------
    WelfareError
        No such stop.
    """
    if stop not in of.towns.index:
        raise unknown("no such stop", stop, of.towns.index, where="caravan.csv")
    if cells.empty:
        return None
    group = of.towns.at[stop, "command_group"]
    inside = cells[cells["command_group"] == group]
    hopes = inside[inside["key"] == "hope"].nlargest(MOST, "estimate")
    lines = [*inside.loc[inside["key"] != "hope", "brief_line"], *hopes["brief_line"]]
    return document(name, compared(cells, group, lines).assign(ranked=True), ["brief_line"], "caravan_side")


def suited(every: Release, of: Caravan, stop: str, name: str) -> Released:
    """Who in a stop's region can use each agreement, and what it spares one of them by status in the whole country."""
    people, gain = every["agreements_by_command_group"], every["agreements_gain"]
    if people.state != "shown" or gain.state != "shown":
        return people.without_numbers(people.state if people.state != "shown" else gain.state)
    own = people.cells(of.towns.at[stop, "command_group"]).assign(suited="worth_measure:people", unit=people.unit)
    each = gain.frame[gain.frame["agreement_group"].str.startswith("status:")].assign(unit=gain.unit)
    both = pd.concat([own, each.rename(columns={"agreement_group": "suited"})], ignore_index=True)
    columns = [CATEGORY, "suited", *PARTS, "unit", "step", "flag"]
    rows = both[columns].rename(columns={CATEGORY: "partner_agreement"})
    return document(name, rows, ["partner_agreement"], "suited")


def answers(every: Release, of: Caravan, stop: str, name: str) -> Released:
    """Questions of all stops and what can be answered, those that were asked in a stop's region first."""
    table = every["caravan_questions"]
    rows = table.frame[table.frame[CATEGORY] != "source"]
    far = rows["caravan_stop"].map(of.towns["command_group"]) != of.towns.at[stop, "command_group"]
    rows = rows.loc[far.sort_values(kind="stable").index].rename(columns={CATEGORY: "measure"})
    return document(name, rows, ["caravan_stop", "caravan_theme"], "measure")


def sheet(name: str, rows: pd.DataFrame, keys: list[str], texts: list[str], figure: str) -> Released:
    """Texts, and a figure with its unit, as a table."""
    said = rows.melt(keys, texts, "measure", "text").assign(estimate=0.0, unit="number")
    figures = rows.dropna(subset=figure).rename(columns={figure: "estimate"}).assign(measure=figure)
    cells = pd.concat([said, figures[[*keys, "measure", "estimate", "unit"]]], ignore_index=True)
    return document(name, cells.assign(ranked=True), keys, "measure")


def questions(study: Study, of: Caravan) -> Released | None:
    """What was asked or is to be expected at stops, what can be answered, where it stands, and the figure known."""
    rows = planning.own("caravan_questions").query("caravan_stop in @of.towns.index")
    if rows.empty:
        return None
    rows = rows.assign(answer="caravan.answer." + rows["caravan_theme"])
    return sheet("caravan_questions", rows, ["caravan_stop", "caravan_theme"], ["answer", "source"], "figure")


def programme(study: Study, of: Caravan) -> Released:
    """What a day at a stop is made of: when it begins, and how long it takes."""
    return sheet("caravan_day", public("caravan_day"), ["caravan_session"], ["begins"], "length")


def made(study: Study, name: str, make: Callable[[Study, Caravan], Released | None]) -> Released:
    """A table of a tour; why there is none."""
    of = study.result(tour)
    table = None if of is None else make(study, of)
    blank = declared(f"caravan_{name}", "document", "", (), "", of="document")
    return table or blank.without_numbers(ELSEWHERE if of is None else UNKNOWN)


MAKERS: dict[str, Callable[[Study, Caravan], Released | None]] = {
    "plans": plans, "timetable": timetable, "known": partial(timetable, known=True), "route": route, "stops": stops,
    "reach": reach, "cases": cases, "questions": questions, "day": programme,
}  # fmt: skip
TABLES = {f"caravan_{name}": partial(made, name=name, make=make) for name, make in MAKERS.items()}


log_topic = Topic("listening", planning.questions, lambda log: "shown" if len(log) else NO_LOG, "share",
              lambda log: (log["topic"].notna(), log["topic"].notna()), totals=False)  # fmt: skip


def topics(study: Study, log: pd.DataFrame, by: str) -> pd.DataFrame:
    """The part of each topic in the questions of each group, small statuses together, where the group is known."""
    group, topics = log[by].astype(object).replace(study.codebook.wider("status")), log["topic"].astype(object)
    made = share(Design(np.ones(len(log))), topics, by=group, where=group.notna())
    met = pd.DataFrame({"topic": topics, by: group}).value_counts()
    return counted(made, "question_topic", met.reindex(made.value.index, fill_value=0), across=by)


for _name, _group in (("topics", "command_group"), ("by_status", "status")):
    log_topic.table(_name, "question_topic", _group, adds="question_topic")(partial(topics, by=_group))


@log_topic.table("kinds", "question_topic", "question_measure", adds="question_topic")
def kinds(study: Study, log: pd.DataFrame) -> pd.DataFrame:
    """Topics of all questions, and of each the part that are complaints, wishes, or were left to be followed up."""
    design, topics = Design(np.ones(len(log))), log["topic"].astype(object).rename("question_topic")
    made = share(design, topics)
    asked = counted(made, "question_topic", topics.value_counts().reindex(made.value.index.get_level_values(-1)))
    flags = pd.DataFrame({flag: log[column].astype(object).eq(flag) for flag, column in FLAGS.items()})
    of = mean(design, flags, by=topics)
    met = flags.groupby(topics).sum().T.stack().reindex(of.value.index)
    rest = counted(of, "question_measure", met, across="question_topic")
    neither = (~flags["complaint"] & ~flags["wish"]).groupby(topics).sum()  # all less both
    few = rest["question_topic"].map(neither.between(1, policy().min_respondents - 1)).astype(bool)
    rest["unsafe"] = few & rest["question_measure"].isin(["complaint", "wish"])
    return pd.concat([asked.assign(question_measure="asked"), rest], ignore_index=True)


def heard(every: Release, of: planning.Caravan, stop: str, name: str) -> Released | None:
    """Topics asked in a stop's region and elsewhere, beside the members who need or hope for what they are about.

    A difference is named where it is beyond the interval of all lines together. None where nothing is released.
    """
    topics = public("caravan_topics").fillna("")
    needs = topics[topics["table"] != ""].assign(brief_line=lambda x: "need:" + x["question_topic"], compared="yes")
    asked, group = pd.DataFrame([ASKED]), of.towns.at[stop, "command_group"]
    cells = regional(every, pd.concat([asked, needs[list(asked)]]))
    lines = cells.loc[cells["command_group"] == group, "brief_line"].drop_duplicates()
    if not lines.str.startswith(ASKED["brief_line"]).any():
        return None
    rows = compared(cells, group, list(lines))
    named = rows.pop("brief_line").str.extract(r"(?P<side>\w+):(?P<topic>\w+)")
    rows = rows.assign(question_topic=named["topic"], question_side=named["side"] + "_" + rows.pop("caravan_side"))
    asked = rows[rows["question_side"] == "asked_region"].sort_values("estimate", ascending=False)
    words = needs[["question_topic"]].assign(question_side="need", estimate=0.0)
    words["text"] = "listening.need." + words["question_topic"]
    rows = pd.concat([rows, words]).set_index("question_topic").loc[list(asked["question_topic"])].reset_index()
    return document(name, rows.assign(ranked=True), ["question_topic"], "question_side", "share")
