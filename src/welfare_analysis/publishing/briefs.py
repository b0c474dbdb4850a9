"""Sentences with conditions: whose answers these are, how they were weighted, what they say, what limits them."""

from __future__ import annotations

from IPython.display import Markdown

from ..disclosure import CATEGORY, Released, policy
from ..languages import GAP, amount
from ..results import HEADLINES, TOPICS
from ..results.coverage import STEPS
from ..results.weights import NEEDED
from ..study import Study
from ..survey.xlsform import FIRST_PAGE, longest
from .labels import label, listed, source, title
from .published import release
from .sentences import conditional, points, sentence


def banner(study: Study) -> Markdown:
    """On the stand-in the warning that no answer is real; else whose answers these are."""
    if study.is_standin:
        return Markdown(f"> **{study.text('banner')}**")
    text = study.text("own", source=source(study))
    return Markdown(f"> {study.as_markdown(text)}")


def method(study: Study) -> Markdown:
    """How many answers of which kind, and whom they stand for."""
    followed = int((study.frame["outcome"] == "answered").sum()) if "outcome" in study.frame else 0
    n, step = len(study.frame), policy().step("persons")
    fields = {k: policy().base(x) for k, x in (("n", n), ("sent", n - followed), ("followed", followed))}
    fields["people"] = round((study.population or 0) / step) * step
    lines = [study.text(f"method.{study.method}", **fields)]
    if study.left_out:
        statuses = listed(study, [label(study, "status", code) for code in study.left_out])
        many = sum(study.left_out.values())  # of a register that tables do not show either
        gone = policy().base(many) if many >= policy().min_base else GAP
        lines.append(study.text("method.left_out", n=gone, statuses=statuses))
    return Markdown(" ".join(lines))


def limits(study: Study, topic: str = "") -> Markdown:
    """The largest share of missing answers in a topic's tables (of the headlines where none is named).

    Of a topic with a funnel also how often its steps were recovered where the model is right.

    On the stand-in also that no level can carry a decision.
    """
    released = release(study)
    names = TOPICS[topic].names if topic else HEADLINES
    shown = [t for t in (released[name] for name in names) if t.state == "shown" and t.respondents]
    lines = [study.text("limits.standin")] if study.is_standin else []
    worst = max(shown, key=lambda t: t.missing_share, default=None)
    if worst is not None and worst.missing_share > 0:
        missing = amount(worst.missing_share, "share", study.language)
        lines.append(study.text("limits.missing", missing=missing, table=title(worst.id, study)))
    if topic in STEPS:
        lines.append(sentence(study, f"{topic}.recovery"))
    return Markdown("\n".join(f"- {line}" for line in lines))


def who_where(study: Study) -> Markdown:
    """For each headline the groups with the highest and lowest share: by status where all are asked, rank, region."""
    released, lines = release(study), []
    for name in HEADLINES:
        state, every = released[f"{name}_by_rank"].state, f"{name}_by_status" in released
        if state == "shown":
            lines.append(f"- {sentence(study, 'who_where' if every else 'who_where.active', name)}")
        else:
            lines.append(f"- **{title(name, study)}**: {study.text(state)}")
    return Markdown("\n".join(lines))


def trust(study: Study) -> Markdown:
    """What the weights stand on, and how often intervals held a known truth: in stored simulations, and here."""
    lines = [sentence(study, f"sure.{study.method}"), sentence(study, "trust")]
    released = release(study)
    levels = {name: released[name].shown for name in HEADLINES if len(released[name].shown)}
    true = {name: released["truth"].cell(name, "all") for name in levels}
    missed = [
        title(name, study)
        for name, cells in levels.items()
        if (known := true[name]) is not None and not cells["low"].iloc[0] <= known["estimate"] <= cells["high"].iloc[0]
    ]
    if missed:
        counts = {"held": len(levels) - len(missed), "of": len(levels)}
        lines.append(sentence(study, "trust.truth", **counts, names=listed(study, missed, "semicolon")))
    return Markdown(" ".join(lines))


def bias(study: Study) -> Markdown:
    """The condition that the returned forms alone miss by most, or that no bias is seen; the least firm finding."""
    table = release(study)["nonresponse_bias"]
    if table.state != "shown":
        return Markdown(study.text(table.state))
    gaps = table.cells("*", "bias").dropna(subset="estimate")
    clear = gaps[(gaps["low"] > 0) | (gaps["high"] < 0)]
    if clear.empty:
        said = sentence(study, "bias.none")
    else:
        worst = str(clear.at[clear["estimate"].abs().idxmax(), "condition"])
        said = sentence(study, "bias.found", worst, count=len(clear), of=len(gaps))
    return Markdown("\n\n".join([said, *_modes(study), *points(study, "bias.least_firm")]))


def _modes(study: Study) -> list[str]:
    """How many of the followed-up answered in another way than most who returned a form, where the way is known."""
    if not {"outcome", "mode"} <= set(study.frame):
        return []
    late, way = study.frame["outcome"] == "answered", study.frame["mode"]
    followed, many = int(late.sum()), int((late & ~way.isin(way[~late].mode())).sum())
    if not followed:
        return []
    few = 0 < min(many, followed - many) < policy().min_respondents
    return [study.text("bias.modes", n=GAP if few else policy().base(many), followed=policy().base(followed))]


@conditional("recheck.found", "recheck_found", why=True)
def _found(study: Study, table: Released) -> list[str]:
    """Each condition that was looked into, as found and as said."""
    return [sentence(study, "recheck.one", name) for name in dict.fromkeys(table.shown["condition"].astype(str))]


@conditional("condition.sure")
def _sure(study: Study) -> list[str]:
    """What those who never answered may change, where a follow-up tells; else what the weights stand on."""
    tipping = release(study)["nonresponse_tipping"].state == "shown"
    return [sentence(study, "condition.sure" if tipping else f"sure.{study.method}")]


@conditional("bias.least_firm", "nonresponse_tipping")
def _least_firm(study: Study, table: Released) -> list[str]:
    """The finding that the smallest difference of those who never answered would move out of its interval."""
    cells = table.shown[table.shown["estimate"].between(0, 1)]
    of = cells[cells[CATEGORY] == "followed_up"].set_index("condition")["estimate"]
    needed = cells[cells[CATEGORY].isin(NEEDED)].reset_index(drop=True)
    apart = (needed["estimate"] - needed["condition"].map(of)).abs().dropna()
    if apart.empty:
        return []
    least = needed.loc[apart.idxmin()]
    share = amount(least["estimate"], table.unit, study.language)
    return [sentence(study, "bias.tipping", str(least["condition"]), needed=share)]


def first_page(study: Study, status: str) -> Markdown:
    """What stands before the first question of a form, with the thresholds of disclosure in force."""
    rules, minutes = policy(), longest(study.codebook, status)
    fields = {"least": rules.min_respondents, "base": rules.min_base, "minutes": minutes}
    head = study.text("form.title", status=study.codebook.label("status", status, study.language))
    texts = [study.text(f"form.{key}", **fields) for key in FIRST_PAGE if key != "guardian"]
    return Markdown("\n\n".join([f"**{head}**", *texts]))
