"""Tables of the page on aspirations that put several released tables side by side."""

from __future__ import annotations

import pandas as pd
from IPython.display import HTML, Markdown

from ..errors import WelfareError
from ..estimation.rank_order import order
from ..estimation.ranking import unranked_matters
from ..languages import amount, number, with_interval
from ..needs.priorities import ALL, TOP
from ..study import DATA, Study
from .aspirations import SURE
from .briefs import differ
from .modelled import absent, cell_of
from .plan import Release, Released
from .priorities import ranked
from .suppression import CATEGORY, Policy
from .tables import MARK, cell_label, in_order, label, markup, note, title, told

CLEAR = " \u2020"


def text(study: Study, key: str, **fields: object) -> str:
    """A text of the page in the language of the study."""
    return study.codebook.text(f"aspirations.{key}", study.language, **fields)


def rules() -> Policy:
    """The rules of disclosure."""
    return Policy.read(DATA / "policy.csv")


def asked_of(study: Study, group: str) -> Markdown:
    """Who had the ranking on the form, who ranked anything, who ranked everything, and what open items change."""
    found = ranked(study, group, rules())
    if found is None:
        return Markdown(study.codebook.text("not_asked", study.language))
    given = found.placed.notna().sum(axis=1)[found.told]
    parts = {"asked": found.asked.sum(), "told": found.told.sum()}
    fields = {k: number(int(v), study.language) for k, v in parts.items()} | {"top": number(TOP, study.language)}
    fields["whole"] = amount(float((given == found.placed.shape[1]).mean()), "share", study.language)
    lines = [text(study, "asked", **fields)]
    try:
        moved = unranked_matters(found.design, found.placed, where=found.known).value["difference"].abs().max()
        lines.append(text(study, "open", moved=number(float(moved), study.language, 2)))
    except WelfareError:  # too few for a model
        pass
    return Markdown(" ".join(lines))


def hoped(released: Release, study: Study) -> HTML:
    """Each service from the most hoped for: members, share of those asked, respondents."""
    book, language, table = study.codebook, study.language, released["hopes"]
    if not len(table.shown):
        return absent(study, table.silence)
    people = released["hopes_total"].frame.set_index("hope") if released["hopes_total"].state == "shown" else None
    body = []
    for _, row in table.frame.sort_values("estimate", ascending=False, na_position="last").iterrows():
        many = [] if people is None else [told(released["hopes_total"], study, people.loc[row["hope"]], MARK)]
        n = number(row["n"], language)
        body.append([label(study, "hope", row["hope"]), *many, told(table, study, row, MARK), n])
    heads = ["service", *([] if people is None else ["people"]), "share", "n"]
    return HTML(
        markup(title("hopes", study), [book.text(f"col.{h}", language) for h in heads], body, note([table], study))
    )


def apart(released: Release, study: Study, group: str) -> HTML:
    """The services that groups hope for unequally, from the widest gap, with the highest and the lowest group."""
    book, language, table = study.codebook, study.language, released[f"hopes_by_{group}"]
    if not len(table.shown):
        return absent(study, table.silence)
    found = [ends(table, service) for service in table.shown["hope"].unique()]
    clear = sorted((e for e in found if e is not None), key=lambda e: e[1]["estimate"] - e[0]["estimate"])
    body = [
        [label(study, "hope", high["hope"]), *(_side(table, row, group, study) for row in (high, low))]
        for high, low in clear
    ]
    heads = [book.text(f"col.{h}", language) for h in ("service", "highest", "lowest")]
    foot = text(study, "apart", clear=number(len(clear), language), services=number(len(found), language))
    return HTML(markup(title(table.id, study), heads, body, f"{foot} {note([table], study)}"))


def ends(table: Released, service: str) -> tuple[pd.Series, pd.Series] | None:
    """The highest and the lowest group of a service; None where groups are not told apart, by either rule."""
    own = table.shown[table.shown["hope"] == service]
    if len(own) < 2 or not (own["p"] < SURE).any():
        return None
    high, low = own.loc[own["estimate"].idxmax()], own.loc[own["estimate"].idxmin()]
    return (high, low) if differ(high, low, len(own)) else None


def _side(table: Released, row: pd.Series, group: str, study: Study) -> str:
    mark = MARK if row["flag"] == "caution" else ""
    return f"{label(study, group, row[CATEGORY])}, {told(table, study, row)}{mark}"


def order_of(released: Release, study: Study, group: str) -> HTML:
    """A ranking in one table: counts and model of first places, the first few, mean place, range and stability."""
    book, language, table = study.codebook, study.language, released[f"{group}_places"]
    found = ranked(study, group, rules())
    if table.state != "shown" or found is None:
        return absent(study, table.state)
    placed, stable, mean = order(found.fit()), released[f"{group}_order"], released[f"{group}_mean"]
    measures = in_order(table, study, CATEGORY)
    cells = table.frame.set_index([group, CATEGORY])
    body = []
    for item, row in placed.iterrows():
        best, worst = (number(row[c], language) for c in ("best_rank", "worst_rank"))
        place = best if best == worst else f"{best}\u2013{worst}"
        shares = [told(table, study, cells.loc[(item, measure)], MARK) for measure in measures]
        own = cell_of(mean, **{group: item, CATEGORY: ALL})
        average = with_interval(own["estimate"], own["low"], own["high"], mean.unit, language)
        lead = told(stable, study, cell_of(stable, **{group: item, CATEGORY: "first"}))
        body.append([label(study, group, item), place, *shares, average, lead])
    heads = [book.text("col.service", language), book.text("col.place", language)]
    heads += [cell_label(table, study, CATEGORY, m) for m in measures]
    heads += [book.text(f"col.{h}", language) for h in ("mean_place", "leads")]
    return HTML(markup(title(f"{group}_places", study), heads, body, note([table], study)))


def pairs(released: Release, study: Study) -> HTML:
    """Each service with and without the condition that would call for it, and the difference."""
    book, language, sides, gaps = study.codebook, study.language, released["hopes_pairs"], released["hopes_gaps"]
    if not len(sides.shown):
        return absent(study, sides.silence)
    cells, gap, body = sides.frame.set_index(["hope_pair", CATEGORY]), gaps.frame.set_index("hope_pair"), []
    for code in in_order(gaps, study, "hope_pair"):
        both = [told(sides, study, cells.loc[(code, side)], MARK) for side in ("with", "without")]
        mark = CLEAR if bool(gap.loc[code, "clear"]) else ""
        n = number(gap.loc[code, "n"], language)
        body.append([label(study, "hope_pair", code), *both, told(gaps, study, gap.loc[code]) + mark, n])
    heads = ("pair", "with", "without", "difference", "n")
    foot = f"{text(study, 'clear')} {note([sides], study)}"
    return HTML(markup(title("hopes_pairs", study), [book.text(f"col.{h}", language) for h in heads], body, foot))
