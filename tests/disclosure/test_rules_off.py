"""Each rule of protection with and without it: off, an attack takes a cell of a small table; on, it takes none.

The tables are made by hand so that one rule alone stands between the attack and the cell. What an attack has is the
file that is published (`attacker.written`). Rules that need answers are tried on a small generated survey.
"""

from dataclasses import replace
from functools import partial

import attacker
import numpy as np
import pandas as pd
import pytest
from books import BOOK

from welfare_analysis.disclosure import CATEGORY, NUMBERS, digits, policy, protect, protection, suppression
from welfare_analysis.disclosure.released import declared
from welfare_analysis.results import adjusted, aspirations, declare, descriptive, priorities, quality
from welfare_analysis.study import DATA, Study
from welfare_analysis.survey.reading import typed
from welfare_analysis.survey.standin import Parameters, generate


def without(base=True, numerator=True, complement=True, everybody=True):
    """`suppression.unsafe` less the rules that are set to False."""

    def rule(n, met, rules):
        least = np.fmin(met if numerator else np.inf, n - met if complement else np.inf)
        few = (least > 0) & (least < rules.min_respondents) & np.isfinite(met)
        of_all = (np.fmin(met, n - met) == 0) & (n < rules.caution_base)
        return (base & (n < rules.min_base)) | few | (everybody & of_all)

    return rule


def shares(n, met, **keys):
    """Cells of a table of shares, each respondent with a weight of one."""
    keys = keys or {"g": [f"g{i}" for i in range(len(n))]}
    cells = pd.DataFrame({**keys, "n": n, "numerator": met}, dtype=None).astype({"n": float, "numerator": float})
    part = cells["numerator"] / cells["n"]
    return cells.assign(estimate=part, low=part - 0.01, high=part + 0.01, weight=1.0)


def counts(n, **keys):
    """Cells of a table of numbers of persons."""
    cells = pd.DataFrame({**keys, "n": np.asarray(n, dtype=float)})
    return cells.assign(**dict.fromkeys(NUMBERS, cells["n"]))


def published(folder, cells, adds=(), statistic="share", unit="share", **named):
    """A table of cells as its file has it."""
    by = tuple(c for c in cells if c not in (*NUMBERS, CATEGORY, "n", "numerator", "weight", "unsafe"))
    given = (declared("t", statistic, "x", by, unit), cells, (1000, 1000)), {"adds": adds, **named}
    table = protect(*given[0], **given[1])
    return attacker.written({"t": table}, {"t": given}, folder / "t.csv")


COUNTED = {  # the rule, and a cell that it alone protects: respondents, and how many meet the condition
    "base": (25, 12),
    "numerator": (200, 6),
    "complement": (200, 194),
    "everybody": (40, 0),
}


@pytest.mark.parametrize("rule", COUNTED)
def test_few_behind_a_number(tmp_path, monkeypatch, rule):
    """Base, numerator, complement, and nobody or everybody of a small group: each is needed by itself."""
    n, met = COUNTED[rule]
    cells = shares([n, 400, 300], [met, 200, 100])
    assert not len(attacker.against_a_rule(published(tmp_path, cells)))
    monkeypatch.setattr(protection, "unsafe", without(**{rule: False}))
    assert attacker.against_a_rule(published(tmp_path, cells))["n"].tolist() == [n]


def test_a_single_hidden_cell_of_a_line(tmp_path, monkeypatch):
    """Completion: without it the hidden group is all less the shown ones."""
    cells = shares([500, 500, 500, 500], [6, 100, 150, 200])
    on = published(tmp_path, cells, ["g"])
    assert on.hidden.sum() == 2
    assert not len(attacker.alone_in_a_line(on))
    assert not len(attacker.known_too_well(on))
    monkeypatch.setattr(protection, "completed", lambda cells, axes, rules, hidden, within=(): hidden)
    off = published(tmp_path, cells, ["g"])
    assert attacker.alone_in_a_line(off)["numerator"].tolist() == [6]
    assert attacker.known_too_well(off)["numerator"].tolist() == [6]


def test_parts_of_all_add_up_whatever_is_declared(tmp_path):
    """Statuses and all of them: where the table declares no line, the hidden status is all less the others."""
    cells = shares([900, 500, 300, 100], [156, 100, 50, 6], g=["all", "active", "retired", "widow"])
    cells = cells.assign(**dict.fromkeys(NUMBERS, 1.37 * cells["numerator"])).drop(columns="weight")
    make = partial(published, tmp_path, cells, statistic="total", unit="persons")
    assert not len(attacker.alone_in_a_line(make(adds=["g"])))
    assert attacker.alone_in_a_line(make())["codes"].tolist() == [("widow",)]


def test_lines_that_cross(tmp_path, monkeypatch):
    """The range that all lines leave: without it two hidden rows less two hidden columns leave a cell of few."""
    table = np.array([[300, 437, 378, 179, 0], [0, 2, 27, 271, 0], [12, 10, 18, 123, 0], [11, 0, 0, 0, 31.0]])
    rows, columns = np.nonzero(table)
    cells = counts(table[rows, columns], g=rows.astype(str), h=columns.astype(str))
    make = partial(published, tmp_path, cells, ["g", "h"], "count", "persons")
    assert not len(attacker.known_too_well(make()))
    monkeypatch.setattr(suppression, "_opened", lambda *_: False)
    assert len(attacker.known_too_well(make()))


def test_one_quantity_in_two_columns(tmp_path, monkeypatch):
    """Who wants no home is stopped by that from each agreement: hidden beside few in one column, shown in another."""
    met = [6, 18, 90, 30, 18, 66]
    cells = shares([114] * 6, met, g=["young", "not_wanted", "none"] * 2, category=["a"] * 3 + ["b"] * 3)
    cells = cells.assign(**dict.fromkeys(NUMBERS, 1.37 * cells["numerator"])).drop(columns="weight")
    make = partial(published, tmp_path, cells, ["g"], "total", "persons")
    assert not len(attacker.repeated(make()))
    monkeypatch.setattr(suppression, "_alike", lambda cells, _: np.arange(len(cells)))
    assert attacker.repeated(make())["codes"].tolist() == [("not_wanted", "a")]


def test_money_that_one_hidden_cell_has_alone(tmp_path, monkeypatch):
    """Of two hidden services one gets no money: what the others leave is the money of the other, whoever is in need."""
    cells = shares([200] * 4, [8, 60, 100, 120]).assign(**dict.fromkeys(NUMBERS, np.array([3e6, 0, 5e6, 9e6])))
    make = partial(published, tmp_path, cells.drop(columns="weight"), ["g"], "total", "million_dh")
    assert not len(attacker.known_too_well(make()))
    monkeypatch.setattr(protection, "SUMS", digits.COUNTED)
    assert attacker.known_too_well(make())["numerator"].tolist() == [8]


def test_those_whose_group_is_not_known(tmp_path):
    """All less the groups: 4 respondents without a group, whose number the groups leave where they count as no cell."""
    cells, whole = shares([400, 300, 200], [100, 90, 60]), pd.DataFrame({"step": ["x"], "numerator": [254.0]})
    whole["printed"] = 254 / 907
    unseen = pd.DataFrame({"g": ["?"], "n": [7.0], "numerator": [4.0], "estimate": [4 / 7], "weight": [1.0]})

    def left(pub):
        groups = pub.truth[~pub.truth["unseen"]].assign(step="x")
        return attacker.left_over(whole, groups, "step")

    assert len(left(published(tmp_path, cells, ["g"])))
    on = published(tmp_path, cells, ["g"], unseen=unseen)
    assert not len(left(on))
    assert not len(attacker.known_too_well(on))


def test_a_total_over_a_share(tmp_path):
    """Total = share x size of the group: where the total is completed as the share is, a known size gives no share.

    Six of 500 are hidden, and 100 beside them. A total of which nothing else is hidden would tell the 100 again.
    """
    part = shares([500, 500, 500], [6, 100, 150])
    many = part.assign(**dict.fromkeys(NUMBERS, 2 * part["numerator"])).drop(columns="weight")

    def both(adds):
        given = {
            "s": ((declared("s", "share", "x", ("g",), "share"), part, (1500, 1500)), {"adds": ["g"]}),
            "t": ((declared("t", "total", "x", ("g",), "persons"), many, (1500, 1500)), {"adds": adds}),
        }
        made = {name: protect(*rest, **named) for name, (rest, named) in given.items()}
        return attacker.divided(attacker.written(made, given, tmp_path / "t.csv"), np.array([1000.0]))

    assert not len(both(["g"]))
    assert both([])["numerator"].tolist() == [100]


def test_a_second_edition_tells_of_who_joined_where_a_number_passes_a_unit(tmp_path):
    """One more answered, of a sample of 400: whether it was yes or no is seen in two numbers of five, or fewer.

    Of a census, which has no error, units are a tenth of a point, and it is seen in each; so is the passing of a
    threshold: who makes nine ten is known to have.
    """
    met = np.arange(5, 201)

    def edition(n, known, error=1.0):
        cells = shares([n] * len(met), known)
        half = error * np.sqrt(cells["estimate"] * (1 - cells["estimate"]) / n)
        cells = cells.assign(low=cells["estimate"] - 1.96 * half, high=cells["estimate"] + 1.96 * half)
        return published(tmp_path, cells).tables["t"].frame

    def told(error=1.0):
        yes, no = (edition(401, known, error)["estimate"] for known in (met + 1, met))
        return (yes != no)[yes.notna() & no.notna()].mean()

    assert told() <= 2 / 5
    first, second = edition(400, met), edition(401, met + 1)
    assert met[first["estimate"].isna() & second["estimate"].notna()].tolist() == [9]
    assert told(error=0.01) == 1


def test_a_step_has_those_who_passed_the_one_before_as_its_base(tmp_path):
    """Funnels: 4 of 204 fall out at a step. Of all 900 as its base, both steps are shown, and their difference is 4."""

    def passed(*bases):
        rows = shares(bases, [204, 200], transport_step=["wants", "eligible"])
        return published(tmp_path, rows, statistic="total").tables["t"].shown

    assert len(passed(900, 900)) == 2
    assert len(passed(900, 204)) == 1


def test_numbers_of_persons_that_differ_by_a_few(tmp_path, monkeypatch):
    """Rounding: of two numbers printed to ten the difference is open by five on both sides; exact, it is known."""
    cells = counts([1000, 1003], g=["all", "all but those who gave no rent"]).assign(low=900.0, high=1100.0)

    def difference():
        printed = published(tmp_path, cells, statistic="total", unit="persons").truth
        gap, half = np.diff(printed["printed"])[0], printed["step"].sum() / 2
        return gap - half, gap + half

    low, high = difference()
    least = policy().open_respondents
    assert low <= 3 - least
    assert high >= 3 + least
    monkeypatch.setattr(protection, "units", lambda cells, *_: np.full(len(cells), 1e-6))
    assert difference() == pytest.approx((3, 3), abs=1e-5)


def of_members(pub, register, *members):
    """A table of which it is known who is in each cell, and of whom; ``register`` has the status of each (n,)."""
    return replace(pub, members=dict(enumerate(members)), register=pd.Series(register))


def test_sums_of_nearly_the_same_people(tmp_path, monkeypatch):
    """Of 2,000 persons in need 2,060 are in need or without a hope: three respondents lie between, each of whom is 20.

    In a census, whose numbers have no error, a unit of five of them leaves the three open; a unit of ten persons tells.
    """
    who, met = np.arange(400), [100, 103]
    cells = counts([400, 400], g=["need", "either"]).assign(numerator=[100.0, 103.0])
    cells = cells.assign(**dict.fromkeys(NUMBERS, 20 * cells["numerator"]))

    def between():
        pub = published(tmp_path, cells, statistic="total", unit="persons")
        return attacker.differing_by_few(of_members(pub, who * 0, *((who < k, who >= 0) for k in met)))["more"].tolist()

    assert between() == []
    monkeypatch.setattr(digits, "SUMS", ())
    assert between() == [3]


def test_a_share_of_one_more(tmp_path):
    """One more is asked, of whom the register tells: the share of all tells the answer, unless others differ too."""
    who = np.arange(55)

    def more(narrow):
        cells = shares([54, 55], [narrow, 38])
        sides = ((who > 0) & (who <= narrow), who > 0), (who < 38, who >= 0)
        pub = of_members(published(tmp_path, cells), np.where(who > 0, "active", "widow"), *sides)
        return attacker.differing_by_few(pub)[["more", "of"]].to_numpy().tolist()

    assert more(37) == [[0, 1], [1, 1]]  # nobody more does not, and one of one does
    assert more(20) == []


def test_printed_bases_that_differ_by_a_few(tmp_path, monkeypatch):
    """Bases of two neighbouring tables: as they are, the difference is those who left one question open."""
    cells = shares([493, 490], [200, 190])

    def bases():
        return published(tmp_path, cells).tables["t"].frame["n"].tolist()

    assert len(set(bases())) == 1
    monkeypatch.setattr(type(policy()), "base", lambda _, n: np.asarray(n, dtype=float))
    assert bases() == [493, 490]


def test_missing_shares_give_no_exact_base():
    """Of 800 asked, 3 or 4 gave no answer: the printed share is the same, since their number is rounded as bases."""
    blank, cells = declared("t", "share", "x", ("g",), "share"), shares([400, 390], [100, 90])
    left = [protect(blank, cells, (known, 800)).missing_share for known in (797, 796, 788, 760)]
    assert left == [0.0, 0.0, 10 / 800, 40 / 800]


@pytest.mark.parametrize(("many", "known"), [(153, 133), (66, 56), (81, 71), (188, 148), (250, 210), (400, 260)])
def test_missing_shares_do_not_tell_how_many_were_asked(monkeypatch, many, known):
    """Of 153 asked 20 gave no answer, 13.1 % with a base of 150: no other number fits. Ten must.

    So it would be known exactly how many are tenants, or have a loan, where a question is put to them alone.
    """
    bases = policy().base(np.arange(500))

    def fit():
        said = round(protection.missing_share(known, many, policy()), 3)
        pairs = ((n, k) for n in range(many - 60, many + 60) for k in np.flatnonzero(bases[: n + 1] == bases[known]))
        return np.unique([n for n, k in pairs if round(protection.missing_share(int(k), n, policy()), 3) == said])

    assert len(fit()) >= 2 * policy().open_respondents
    monkeypatch.setattr(protection, "ladder", lambda _: 0.0)
    assert len(fit()) < 2 * policy().open_respondents


def test_what_a_test_says_of_a_hidden_number_is_hidden(tmp_path):
    """A mark for "clearly not zero" beside a hidden number would tell how large it is."""
    blank, cells = declared("t", "share", "x", ("g",), "share"), shares([400, 390], [4, 90]).assign(clear=True)
    assert protect(blank, cells, (790, 800)).frame["clear"].tolist() == [False, True]


@pytest.fixture(scope="module")
def answers():
    """Forms of a small survey."""
    return typed(generate(Parameters.read(DATA / "public"), 12, "rich", size=3000).answers, BOOK)


def test_a_sum_that_one_person_makes(answers, monkeypatch):
    """Dominance: who pays second most takes the others as nothing, and knows the largest amount to a tenth.

    In a sample such a mean is marked as unsure too; of a census, which has no error, dominance alone hides it.
    """
    monkeypatch.setattr(descriptive, "marks", lambda made, _: np.full(len(made.value), "", dtype=object))
    rows = answers.index[(answers["status"] == "active") & answers["commute_cost_dh"].notna()]
    place = answers.loc[rows, "command"].map(BOOK.parent("command"))
    one = place.value_counts().index[0]
    inside = rows[place == one]
    rich = answers.copy()
    rich["commute_cost_dh"] = rich["commute_cost_dh"].astype(float)
    rich.loc[inside[0], "commute_cost_dh"] = 2e6

    def guessed():
        study = Study.of(rich, None, None, BOOK)
        table = descriptive.own(study, "mean", "commute_cost_dh", "command_group", "dh")
        cell = table.cell(one)  # a hidden group is first put together with its siblings
        return np.nan if cell is None else cell["estimate"] * rich.loc[inside, "commute_cost_dh"].notna().sum()

    assert np.isnan(guessed())
    monkeypatch.setattr(descriptive, "dominated", lambda amounts, cell, rules: np.zeros(cell.max() + 1, dtype=bool))
    assert guessed() == pytest.approx(2e6, rel=0.1)


def test_standards_between_which_few_lie(answers, monkeypatch):
    """Nested conditions: without the rule two shown standards have one to nine respondents between them."""
    steps = descriptive.standards("commute_long")
    minutes = pd.Series(float(steps[-1] + 30), answers.index).where(answers.index % 2 == 0, 10.0)
    minutes.iloc[:5] = steps[1] - 1.0  # five lie between the two mildest
    study = Study.of(answers.assign(commute_min=minutes), None, None, BOOK)
    blank = declared("commute_long_standards", "standards", "commute_long", (), "share", "status = active")

    def gaps():
        rows = study.result(descriptive.view, "")
        met = descriptive._standards(rows, blank, rows.frame["commute_long"].notna())
        return met.loc[~met["unsafe"], "numerator"].sort_values().diff()

    assert not gaps().between(1, 9).any()
    monkeypatch.setattr(descriptive, "apart", lambda met, *_: np.ones(len(met), dtype=bool))
    assert gaps().between(1, 9).any()


def test_how_many_gave_an_answer(answers, monkeypatch):
    """Bases: of a place all but 6 say why no service reached them, so 6 it did reach, which another table hides."""
    place = answers["command"].map(BOOK.parent("command"))
    one = place.value_counts().index[0]
    use = answers["social_works_use"].mask(place == one, "never")
    use[answers.index[place == one][:6]] = BOOK.codes(BOOK.variables.at["social_works_use", "list"])[0]
    reasons = pd.Series(np.resize(["unknown", "far"], len(answers)), answers.index)
    why = answers["social_works_why_not"].astype(object).where(use != "never", reasons).where(use == "never", None)

    def base():
        study = Study.of(answers.assign(social_works_use=use, social_works_why_not=why), None, None, BOOK)
        assert (
            descriptive.own(study, "share", "social_works_use", "command_group").cell(one, "never")["flag"] == "hidden"
        )
        where = "social_works_use = never"
        cells = descriptive.own(study, "share", "social_works_why_not", "command_group", where=where).cells(one)
        assert cells["estimate"].notna().any()
        return cells["n"]

    assert base().isna().all()
    monkeypatch.setattr(descriptive, "_base_shown", lambda study, rows, blank, cells: np.ones(len(cells), dtype=bool))
    assert base().notna().any()


def test_how_far_places_are_apart(answers, monkeypatch):
    """Two hidden places, whose sum is known: of all ways to share it, few fit the printed distance between places.

    The attacker has how many met the condition at each other place, and how many answered everywhere.
    """

    def kept():
        study = Study.of(answers, None, None, BOOK)
        levels = adjusted.flagged(adjusted.models(study).fitted["crowded"].counts).loc[adjusted.PLACE]
        (cell,) = adjusted.topic.release(study)["adjusted_spread"].cells("crowded", "raw").to_dict("records")
        return levels, cell

    levels, cell = kept()
    assert levels["hidden"].any()
    assert np.isnan(cell["estimate"])
    real = adjusted.flagged
    monkeypatch.setattr(adjusted, "flagged", lambda counts: real(counts).assign(hidden=False))
    _, cell = kept()
    met, n = (levels[column].to_numpy(float) for column in ("met", "n"))
    first, second = np.argsort(met)[:2]  # the one of few, and the one that is hidden beside it
    fits = []
    for moved in range(-int(met[first]), int(met[second]) + 1):
        other = met.copy()
        other[[first, second]] += moved, -moved
        if abs((other / n).std() - cell["estimate"]) <= cell["step"] / 2:
            fits.append(moved)
    assert 0 in fits
    assert -policy().open_respondents not in fits


def test_what_a_model_of_first_places_says_of_few(answers, monkeypatch):
    """Five rank an item first: the model less its lead, and a model of first places alone, are their share."""
    ranks = answers.filter(regex="^priority_")
    last = "priority_sport_leisure"
    swapped = ranks[last].eq(1) & (ranks[last].eq(1).cumsum() <= ranks[last].eq(1).sum() - 5)
    item = ranks.eq(2).idxmax(axis=1)
    other = ranks.copy()
    for row in ranks.index[swapped & ranks.eq(2).any(axis=1)]:
        other.loc[row, [last, item[row]]] = ranks.loc[row, [item[row], last]].to_numpy()

    def computed():
        """Number of respondents by either way, and what rounding leaves open."""
        study = Study.of(answers.assign(**other), None, None, BOOK)
        tables, code = priorities.TOPICS["priority"].release(study), "sport_leisure"
        share, model = (tables["priority_places"].cell(code, way) for way in ("ranked_first", "model_first"))
        assert share["flag"] == "hidden"
        lead, alone = tables["priority_lead"].cell(code), tables["priority_variants"].cell(code, "first_only")
        n = int(study.result(priorities.ranked, "priority").ranking.answered.sum())
        steps = model["step"] + lead["step"], alone["step"]
        return n * np.array([[model["estimate"] - lead["estimate"], alone["estimate"]], np.array(steps) / 2])

    assert np.isnan(computed()[0]).all()
    monkeypatch.setattr(priorities, "few_first", lambda *_: [])
    known, half = computed()
    few = int((other[last] == 1).sum())
    assert few < policy().min_respondents
    assert (np.abs(known - few) <= half).all()
    assert (half < policy().open_respondents).all()


def test_the_place_of_a_hidden_gap(answers, monkeypatch):
    """Questions stand in the order of their gaps: a hidden one between two that are shown is known to their distance.

    Of 40 who were asked one question 8 left it open, a fifth; of two others it is 26 and 15 % of 400.
    """
    gaps = {"children_n": (400, 104), "rent_dh": (40, 8), "rooms_n": (400, 60)}
    kinds = pd.DataFrame("not_asked", answers.index, list(gaps), dtype=object)
    for name, (asked, left) in gaps.items():
        kinds.iloc[:asked, kinds.columns.get_loc(name)] = "answered"
        kinds.iloc[:left, kinds.columns.get_loc(name)] = "skipped"

    def between():
        """Shares of the gaps of the questions in order; nan is hidden."""
        study = replace(Study.of(answers, None, None, BOOK), kinds=kinds)
        return quality.topic.release(study)["quality_gaps"].cells("*", "all_gaps")["estimate"].tolist()

    assert between() == pytest.approx([0.26, 0.15], abs=0.01)
    monkeypatch.setattr(quality, "unsafe", lambda n, met, rules: np.zeros(len(n), dtype=bool))
    assert between() == pytest.approx([0.26, np.nan, 0.15], abs=0.01, nan_ok=True)


def test_a_group_of_commands_that_is_one_command(monkeypatch):
    """All of the east serve at Oujda: the east is that station. Its wider group is shown, or no number of it.

    In tables of the plan, of the register, and of models; sentences, maps and pictures are made of these. The register
    says so where there is one, whatever the answers hold.
    """
    world = generate(Parameters.read(DATA / "public"), 12, "rich", size=3000)
    answers, register, late = (typed(f, BOOK) for f in (world.answers, world.register, world.followup))
    groups = BOOK.parent("command")

    def east(frame):
        there = frame["command"].map(groups).eq("east")
        return frame.assign(command=frame["command"].astype(object).mask(there, "oujda"))

    def shown(*frames):
        """Groups of commands with a number, by table."""
        study = Study.of(*frames, BOOK)
        own = partial(descriptive.own, study, by="command_group")
        tables = [own("share", "tenant"), own("count", "", unit="persons")]
        tables += [aspirations.topic.release(study)["hopes_by_command_group"]]
        tables += [adjusted.topic.release(study)["adjusted_place"]]
        return [set(t.shown["command_group" if "command_group" in t.shown else CATEGORY]) for t in tables]

    whole = [f if f is None else east(f) for f in (answers, register, late)]
    for codes, wider in zip(shown(*whole), (True, True, False, False), strict=True):
        assert not {"east", "oujda"} & codes
        assert len(codes) > 2
        assert ("north_east" in codes) == wider
        assert not ({"north_east", "north"} <= codes)
    assert all("east" in codes for codes in shown(answers, register, late)[:2])
    monkeypatch.setattr(declare, "of_few_places", lambda *_: [])
    assert all("east" in codes for codes in shown(*whole)[:3])
