"""A package of services within a yearly budget (page 11): what is in it, for whom, what more money buys, how sure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from ..demand.stated import sums
from ..disclosure import NUMBERS, evidence, policy
from ..estimation import Estimate, joint, total
from ..needs.projection import leaving
from ..planning.budget import NEARLY, concentration, corrected, earmarked, fairest, robust, shared, worth_knowing
from ..planning.package import REPLICATES, TERMS, Draws, Package, assumed, budget_dh, flows, priorities
from ..planning.package import package as package_of
from ..study import Study
from .declare import PLACE, Base, Topic, attempted, exact, facts, long_format, part, point

FINDINGS = ("package_services", ("holds", "next", "who", "fair", "later", "sure"))
UNITS = {"cost_dh": "million_dh", "each_dh": "dh", **dict.fromkeys(("share", "worst", "kept"), "share")}
UNITS |= {"concentration": "decimal", "more": "needs_expected"}
KINDS = ("sampling", "all")  # what is drawn: the needs alone, or the assumptions too
WAY = (0, 25, 50, 75, 100)  # per cent of the way from no floor to the most equal share
CANDIDATES, KNOWING = 60, 2000  # packages that are compared, and draws by which one parameter is judged
SOME_DH = 1.0  # less is no choice
LAST = 10  # years
SHOWN, DRAWN = (0, 5), (0, 2, 4, 6, 8, LAST)
RANGE = ("low", "high")


def ready(of: Package) -> str:
    """Whether there is a plan: too few of a group may have answered."""
    return "shown" if attempted({"plan": lambda: (of.plan, of.closed.se)}) else "adjusted.too_few"


def base(of: Package) -> Base:
    """Of whom the need that is least often known is known, of all in the groups."""
    known = of.units[of.units.notna().sum().idxmin()].notna()
    return known & of.group.notna(), of.group.notna()


def package(study: Study, by: str = "people") -> Package | None:
    """The members before the services, in groups that are no smaller than the base of a number may be."""
    return study.result(package_of, by, policy().min_base)


topic = Topic("package", package, ready, "needs", base, FINDINGS)


def drawn(study: Study, kind: str, count: int = REPLICATES) -> Draws:
    """What may be true of a study, with the best plan of each draw."""
    return study.result(package).draws(kind, count)


def behind(of: Package, axis: int) -> pd.DataFrame:
    """By service (0) or group (1), and in all: ``n`` respondents of whom it is known, and ``met`` who have a need."""
    flags = pd.DataFrame({"n": of.needs.notna().any(axis=1), "met": (of.needs > 0).any(axis=1)})[of.group.notna()]
    made = pd.DataFrame({"n": of.answered.sum(axis=1), "met": of.met.sum(axis=1)})
    made = flags.groupby(of.group, observed=False).sum() if axis else made
    made.loc["all"] = flags.sum()
    several = made.index.isin(["all", *of.groups])  # of several needs: that nearly all have one is not shown
    return made.assign(met=np.where(several, np.minimum(made["met"], made["n"] // 2), made["met"]))


def measured(made: Mapping[str, Estimate], key: str, of: Package, axis: int) -> pd.DataFrame:
    """Rows by measure with their units, and the respondents behind each."""
    rows, known = long_format(made, "package_measure", key), behind(of, axis).astype(float)
    units = rows["package_measure"].map(UNITS).fillna("needs")
    ruled = np.concatenate([evidence(one)[1] for one in made.values()])
    return rows.assign(unit=units, unsafe=ruled, n=rows[key].map(known["n"]), numerator=rows[key].map(known["met"]))


def parted(one: Package, f: Callable[[np.ndarray, np.ndarray], pd.Series]) -> Estimate:
    """A function of needs and of needs closed by group, and in all last."""
    made = one.by(1)
    both = joint({name: made[name] for name in ("need", "closed")})
    return both.apply(lambda v: f(*v.to_numpy().reshape(2, -1)))


@topic.table("services", "package_service", "package_measure", "", adds="package_service")
def services(study: Study, of: Package) -> pd.DataFrame:
    """Needs, what one closed costs, needs that the plan closes and its money, by service."""
    S, made = len(of.services), of.by(0)
    rate = (of.terms[("cost_dh", "value")] / of.terms[("effect", "value")]).to_numpy()
    both = np.kron(np.eye(2 * S), np.ones(len(of.groups)))

    def each(v: pd.Series) -> pd.Series:
        needs, units = (both @ v.to_numpy()).reshape(2, S)
        return pd.Series(rate * units / needs, pd.Index(of.services))

    made["each_dh"] = of.sums.apply(each).as_positive()
    return measured(made, "package_service", of, 0)


@topic.table("closed", "package_service")
def closed(study: Study, of: Package) -> pd.DataFrame:
    """Needs that the plan closes, of the services that it holds."""
    rows = measured({"closed": of.by_service()}, "package_service", of, 0)
    return rows[rows["package_service"].isin(held(of))].drop(columns=["package_measure", "unit"])


def held(of: Package) -> list[str]:
    """Services in which the plan spends anything."""
    return [name for name, dh in zip(of.services, of.plan.spent.sum(axis=1), strict=True) if dh > SOME_DH]


def by_group(of: Package, key: str) -> pd.DataFrame:
    """Needs, needs closed, the part of them, and money, by group or by region."""
    share = parted(of, lambda needs, done: pd.Series(done / needs, [*of.groups, "all"]))
    return measured(of.by(1) | {"share": share.as_positive()}, key, of, 1)


@topic.table("groups", "package_group", "package_measure", "", adds="package_group")
def groups(study: Study, of: Package) -> pd.DataFrame:
    """What the plan does for each group."""
    return by_group(of, "package_group")


@topic.table("places", "command_group", "package_measure", "", adds="command_group")
def places(study: Study, of: Package) -> pd.DataFrame | None:
    """The same budget shared by region, with a floor for each in place of one for each group."""
    there = study.result(package, "command_group")
    return None if there is None else by_group(there, "command_group")


@topic.table("plan", "package_service", "package_group", adds="package_service|package_group")
def cells(study: Study, of: Package) -> pd.DataFrame:
    """Needs that the plan closes by service and group, of the services that it holds."""
    S, G = len(of.services), len(of.groups)
    index = pd.MultiIndex.from_product([of.services, of.groups])
    made = sums(of.closed, index, np.eye(S * G, 2 * S * G)).as_positive()
    rows = long_format(made, "package_service", "package_group")
    met, n = (table.loc[of.services, of.groups].to_numpy().ravel() for table in (of.met, of.answered))
    return rows.assign(numerator=met, n=n, unsafe=evidence(made)[1])[rows["package_service"].isin(held(of))]


def spread(values: np.ndarray, at: np.ndarray) -> pd.DataFrame:
    """Numbers (k,) with the middle 95 % of what they are in draws (draws, k)."""
    low, high = np.quantile(values, (0.025, 0.975), axis=0)
    return pd.DataFrame({"estimate": at, "low": np.minimum(low, at), "high": np.maximum(high, at)})


@topic.table("next", "package_service", adds=None, statistic="model")
def further(study: Study, of: Package) -> pd.DataFrame:
    """Needs that a million more would close if it were for one service alone, and wherever it closes most."""
    step, draws = float(assumed().at[("package", "step_dh"), "value"]), study.result(drawn, "all")
    free = of.solved(of.centre, budget_dh=of.budget_dh + step).value - of.plan.value
    more = of.solved(draws.sums, draws.terms, of.budget_dh + step).value - draws.plans.value
    at = np.append(earmarked(of.cells(of.centre), of.plan, step), free)
    rows = spread(np.column_stack([earmarked(draws.cells, draws.plans, step), more]), at)
    return rows.assign(package_service=[*of.services, "free"], n=float(base(of)[0].sum()))


for _kind in KINDS:

    @topic.table(f"stability_{_kind}", "package_service", "package_group", "share", adds=None, statistic="model")
    def stable(study: Study, of: Package, kind: str = _kind) -> pd.DataFrame:
        """Part of draws in which a service is offered to a group."""
        offered = (study.result(drawn, kind).plans.spent > SOME_DH).mean(axis=0)
        names = pd.MultiIndex.from_product([of.services, of.groups], names=["package_service", "package_group"])
        return exact(pd.Series(offered.ravel(), names, name="estimate").reset_index(), float(base(of)[0].sum()))


@topic.table("claim", "package_claim", "package_error", "", adds=None, statistic="model")
def claim(study: Study, of: Package) -> pd.DataFrame:
    """What the plan claims, corrected for its optimism, what it forgoes in draws, and how much of its money stays."""
    parts, home = [], of.cells(of.centre)
    for kind in KINDS:
        draws = study.result(drawn, kind)
        own, kept = draws.plans.value, draws.values(of.plan.spent)
        elsewhere = home.delivered(draws.plans.spent).sum(axis=(-2, -1))
        at = np.array([float(of.plan.value), kept.mean(), (own - kept).mean()])
        rows = spread(np.column_stack([own, kept, own - kept]), at)
        rows = rows.assign(package_claim=["claimed", "delivered", "regret"], unit="needs")
        mended = point(corrected(at[0], own, elsewhere), 0, package_claim="corrected", unit="needs")
        stays = point(draws.plans.alike(of.plan).mean(), 0, package_claim="money", unit="share")
        unseen = point(of.folded(), 0, package_claim="folds", unit="needs") if kind == "sampling" else None
        parts.append(pd.concat([rows.iloc[:1], mended, unseen, rows.iloc[1:], stays]).assign(package_error=kind))
    return pd.concat(parts, ignore_index=True).assign(n=float(base(of)[0].sum()))


def most_equal(study: Study) -> float:
    """The largest part of its needs that every group can have closed within the budget."""
    of = study.result(package)
    return NEARLY * float(fairest(of.cells(of.centre), of.budget_dh, of.floor(of.centre, 1.0)))


def named(study: Study) -> dict[str, Package]:
    """Packages by other rules: the plan, as equal as the budget allows, without floors, by what members put first."""
    of = study.result(package)
    made = {"central": of, "equal": of.at(floor_share=study.result(most_equal)), "free": of.at(floor_share=0.0)}
    weights = priorities(study, of)
    return made if weights is None else made | {"priorities": of.at(weights=weights)}


def compared(study: Study) -> tuple[np.ndarray, Draws]:
    """Money of packages (P, S, G), first those of `named`, then the best of some draws, and draws to judge them."""
    of = study.result(package)
    others = of.draws("all", CANDIDATES, seed=1).plans.spent
    return np.concatenate([[one.plan.spent for one in study.result(named).values()], others]), of.draws("all", KNOWING)


@topic.table("choices", "package_choice", "package_measure", "", adds=None, statistic="model")
def choices(study: Study, of: Package) -> pd.DataFrame:
    """What packages close over the draws: on average, more than the plan, in the worst twentieth, short of the best.

    The first two with the middle 95 % of draws; the last is the most that it is in 95 % of them.
    """
    spent, draws = study.result(compared)
    values, names = draws.values(spent), [*study.result(named), "best_mean", "best_worst"]
    made = values[[*range(len(names) - 2), *robust(values)]]
    parts = {name: spread(x.T, x.mean(axis=1)) for name, x in (("mean", made), ("more", made - made[0]))}
    own = study.result(drawn, "all").values(of.plan.spent)
    parts["mean"].iloc[0] = spread(own[:, None], own[:, None].mean(axis=0)).iloc[0]  # one number, as in `claim`
    ends = {"low": np.quantile(made, 0.05, axis=1), "regret": np.quantile(draws.plans.value - made, 0.95, axis=1)}
    parts |= {name: exact(pd.DataFrame({"estimate": x}), 0) for name, x in ends.items()}
    rows = pd.concat([part.assign(package_measure=name, package_choice=names) for name, part in parts.items()])
    units = rows["package_measure"].map(UNITS).fillna("needs")
    return rows.assign(unit=units, n=float(base(of)[0].sum())).reset_index(drop=True)


@topic.table("shifted", "package_service", "", "million_dh", adds=None, statistic="model")
def shifted(study: Study, of: Package) -> pd.DataFrame:
    """Money that the package which is best on average over the draws gives to each service more than the plan, DH."""
    spent, draws = study.result(compared)
    best, _ = robust(draws.values(spent))
    rows = pd.DataFrame({"package_service": of.services, "estimate": (spent[best] - spent[0]).sum(axis=1)})
    return exact(rows, float(base(of)[0].sum()))


@topic.table("frontier", "package_way", "package_line", adds=None)
def frontier(study: Study, of: Package) -> pd.DataFrame:
    """Needs closed in all as the least part of any group rises to the most equal share, and those of the worst-off."""
    return long_format({str(way): one.by_service() for way, one in study.result(ways).items()},
                       "package_way", "package_line").query("package_line == 'all'")  # fmt: skip


def ways(study: Study) -> dict[int, Package]:
    """The package with floors from the part that the worst-off group has without any up to the most equal one."""
    of, most = study.result(package), study.result(most_equal)
    free = of.at(floor_share=0.0)
    closed = free.cells(free.centre).delivered(free.plan.spent).sum(axis=0)
    least = float((closed / free.floor(free.centre, 1.0)).min())
    return {way: of.at(floor_share=least + max(most - least, 0.0) * way / 100) if way else free for way in WAY}


@topic.table("equality", "package_way", "package_measure", "", adds=None)
def equality(study: Study, of: Package) -> pd.DataFrame:
    """On the same way: the part closed of the worst-off group, and the concentration index over groups by income."""

    def numbers(needs: np.ndarray, done: np.ndarray) -> pd.Series:
        needs, done = needs[:-1], done[:-1]
        return pd.Series([(done / needs).min(), float(concentration(done, needs))], ["worst", "concentration"])

    made = {str(way): parted(one, numbers) for way, one in study.result(ways).items()}
    rows = long_format(made, "package_way", "package_measure")
    return rows.assign(unit=rows["package_measure"].map(UNITS), n=float(base(of)[0].sum()))


def everywhere(study: Study) -> dict[str, tuple[float, str]]:
    """Needs closed, and how much of the money stays, with a floor for each group and each region; shared by both."""
    of, fine = study.result(package), study.result(package_of, f"people|{PLACE}")
    if fine is None:
        return {}
    names = pd.Series(fine.groups).str.split("|", expand=True)
    classes = pd.get_dummies(names, dtype=float).to_numpy().T
    plan = shared(fine.cells(fine.centre), fine.budget_dh, classes, classes @ fine.floor(fine.centre))
    spent = pd.DataFrame(plan.spent.T, names[0], fine.services).groupby(level=0).sum()
    moved = replace(plan, spent=spent.reindex(of.groups, columns=of.services, fill_value=0.0).to_numpy().T)
    return {"closed": (float(plan.value), "needs"), "kept": (float(moved.alike(of.plan)), "share")}


@topic.table("cases", "package_case", "package_measure", "", adds=None)
def cases(study: Study, of: Package) -> pd.DataFrame:
    """Needs closed with one assumption, of all services, at an end of its range; and how much of the money stays."""
    made = {name: one for name, one in study.result(named).items() if name != "equal"}
    for end in ("low", "high"):
        made[f"budget_{end}"] = of.at(budget_dh=budget_dh(of.design, end))
        for term in TERMS:
            terms = of.terms.copy()
            terms[(term, "value")] = terms[(term, end)]
            made[f"{term}_{end}"] = of.at(terms=terms)
    rows = long_format({name: {"closed": one.by_service()} for name, one in made.items()},
                       "package_case", "package_measure", "service")  # fmt: skip
    rows = rows.query("service == 'all'").drop(columns="service").assign(unit="needs")
    stays = [one.plan.alike(of.plan) for one in made.values()]
    kept = pd.DataFrame({"package_case": list(made), "package_measure": "kept", "estimate": stays, "unit": "share"})
    n = rows["n"].min()
    finer = attempted({"both": lambda: facts(study.result(everywhere), "package_measure", n)})
    return pd.concat([rows, exact(kept, n), *(row.assign(package_case=name) for name, row in finer.items())])


@topic.table("knowing", "package_service", "package_term", adds=None, statistic="model")
def knowing(study: Study, of: Package) -> pd.DataFrame:
    """Needs that more could be closed if one assumption were known before the package is chosen (EVPPI).

    Less what the same computation gives of the assumption in a shuffled order, which says nothing.
    """
    spent, draws = study.result(compared)
    values, rng = draws.values(spent), np.random.default_rng(2)

    def gain(parameter: np.ndarray) -> float:
        return max(worth_knowing(values, parameter) - worth_knowing(values, rng.permutation(parameter)), 0.0)

    table = pd.DataFrame(np.apply_along_axis(gain, 1, draws.terms).T, of.services, TERMS)
    table = table.rename_axis(index="package_service", columns="package_term")
    return exact(table.stack().rename("estimate").reset_index(), float(base(of)[0].sum()))


@topic.table("asking", "package_group", "package_asked", "needs_expected", adds=None, statistic="model")
def asking(study: Study, of: Package) -> pd.DataFrame:
    """Needs closed more if the plan is made again after more interviews (EVSI), with the error of the simulation.

    Of so many in each group, or spread over all: in all, for each hundred, and if everybody were asked.
    """
    many = float(assumed().at[("package", "interviews_n"), "value"])
    rows = []
    for group in (*of.groups, None):
        more, whole = (np.array(of.asking(count, group)) * (1.0, 1.96) for count in (many, np.inf))
        for name, (gain, half) in {"more": more, "per_100": 100 / many * more, "everybody": whole}.items():
            rows.append((group or "all", name, gain, gain - half, gain + half))
    table = pd.DataFrame(rows, columns=["package_group", "package_asked", *NUMBERS])
    return table.assign(n=float(base(of)[0].sum()))


def projectable(study: Study) -> Package | None:
    """The members before the services; None where the age, and so who will retire, was not asked."""
    return None if study.lacking(["age"]) else study.result(package)


projection = Topic("projection", projectable, ready, "needs", base)


def projected(study: Study) -> tuple[Estimate, pd.DataFrame]:
    """Needs by year and service, and the least and most of them with one flow of members at an end of its range."""
    of, central = study.result(package), flows()
    columns = leaving(study.frame, LAST).set_axis(of.design.index)
    members = total(of.design, columns, by=of.group, where=of.group.notna(), missing="mean")
    both = joint({"sums": of.sums, "members": members})
    index = pd.MultiIndex.from_product([range(LAST + 1), [*of.services, "all"]])
    made = both.apply(lambda v: pd.Series(of.later(v.to_numpy(), central).ravel(), index)).as_positive()
    moved = [central | {name: x} for end in RANGE for name, x in flows(end).items()]
    ends = np.array([of.later(both.value.to_numpy(), rates).ravel() for rates in moved])
    return made, pd.DataFrame({"low": ends.min(axis=0), "high": ends.max(axis=0)}, index)


def in_year(study: Study, of: Package, year: int, services: Sequence[str]) -> pd.DataFrame:
    """Rows of the needs of a year, and of the least and the most that they are by what is assumed of members.

    The error of the sample is the same part of all three.
    """
    made, ends = study.result(projected)
    rows = measured({"need": part(made, year, services)}, "package_service", of, 0).drop(columns="unit")
    parts = [rows]
    for name in RANGE:
        times = rows["package_service"].map(ends.loc[year, name]) / rows["estimate"]
        parts.append(rows.assign(package_measure=name, **rows[list(NUMBERS)].mul(times.fillna(1.0), axis=0)))
    return pd.concat(parts, ignore_index=True)


@projection.table("needs", "package_service", "projected_year", adds="package_service")
def needs(study: Study, of: Package) -> pd.DataFrame:
    """Needs of each service now, in five and in ten years, and in ten by what is assumed of members."""
    rows = []
    for year in (*SHOWN, LAST):
        own = in_year(study, of, year, [*of.services, "all"])
        names = {"need": str(year)} | ({name: f"{year}_{name}" for name in RANGE} if year == LAST else {})
        rows.append(own.assign(projected_year=own.pop("package_measure").map(names)).dropna(subset="projected_year"))
    return pd.concat(rows, ignore_index=True)


@projection.table("years", "projected_year", "package_line", adds=None)
def years(study: Study, of: Package) -> pd.DataFrame:
    """Needs of all services together over ten years, and the least and the most by what is assumed of members."""
    rows = [in_year(study, of, year, ["all"]).assign(projected_year=str(year)) for year in DRAWN]
    table = pd.concat(rows, ignore_index=True).drop(columns="package_service")
    return table.rename(columns={"package_measure": "package_line"})
