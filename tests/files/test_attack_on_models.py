"""The attacks on tables of models, item by item, over the file of a small study; each is seen to work on open tables.

The study has about 800 forms, so that many cells must be hidden. Each attack is run twice: on what is published, where
it must find nothing, and on a publication in which the rule that stops it is off, where it must find something.
"""

import ast
from dataclasses import replace
from pathlib import Path

import attacker
import numpy as np
import pandas as pd
import pytest
import sayings
import ties
from conftest import survey

from welfare_analysis.disclosure import CATEGORY, Released, digits, policy, protect, protection
from welfare_analysis.estimation import independence
from welfare_analysis.results import agreements, aspirations, conditions, descriptive, loans, release
from welfare_analysis.results.audit import broken
from welfare_analysis.results.descriptive import PLAN
from welfare_analysis.results.what_if import GRIDS
from welfare_analysis.study import Study
from welfare_analysis.survey.codebook import LANGUAGES

TESTS = Path(__file__).parents[1]
ATTACKS = {  # what was tried on an earlier release, and the tests in which it fails today
    "riders, runs and their cost give the strength of a place by shift": [
        "files/test_attack_on_models.py::test_nothing_speaks_of_a_station_or_a_shift_at_a_place"
    ],
    "a number of persons over its share is the size of a group": [
        "files/test_attack_on_models.py::test_a_number_over_a_share_gives_no_hidden_cell",
        "disclosure/test_rules_off.py::test_a_total_over_a_share",
    ],
    "a page's own tables, sentences and counts pass no rule": [
        "disclosure/test_registry.py::test_no_page_goes_past_the_registry",
        "test_repo.py::test_only_tables_and_the_site_build_html",
        "files/test_attack_on_models.py::test_no_shown_number_rests_on_few",
        "publishing/test_tables.py::test_an_estimate_of_ones_own_is_no_part_of_a_report_on_own_files",
        "publishing/test_tables.py::test_numbers_of_forms_in_prose_are_printed_as_bases",
        "publishing/test_tables.py::test_no_page_shows_a_frame_of_answers",
        "files/test_attack_on_models.py::test_no_hidden_number_is_said",
    ],
    "bins of a model's table add to one": [
        "files/test_attack_on_models.py::test_no_cell_is_what_the_others_leave",
        "files/test_attack_on_models.py::test_linear_programs_leave_enough_open",
        "disclosure/test_rules_off.py::test_a_single_hidden_cell_of_a_line",
    ],
    "one quantity is hidden in a table and shown in another": [
        "files/test_attack_on_models.py::test_a_quantity_is_hidden_everywhere_or_nowhere",
        "files/test_attack_on_models.py::test_hopes_and_agreements_show_what_other_tables_show",
    ],
    "two hidden rows less two hidden columns leave a cell": [
        "disclosure/test_bounds.py::test_a_cell_that_follows_from_several_lines_takes_more_along",
        "disclosure/test_bounds.py::test_random_tables_leave_enough_open",
        "disclosure/test_rules_off.py::test_lines_that_cross",
    ],
    "all less the groups are those whose group is missing": [
        "files/test_attack_on_models.py::test_groups_leave_no_few_of_all",
        "disclosure/test_rules_off.py::test_those_whose_group_is_not_known",
    ],
    "who can pay one price and not the next, one bank's terms and not another's": [
        "files/test_attack_on_models.py::test_steps_of_a_funnel_leave_few_open",
        "files/test_attack_on_models.py::test_standards_of_a_condition_differ_by_ten_or_not_at_all",
        "files/test_attack_on_models.py::test_terms_of_a_loan_differ_by_ten_or_not_at_all",
        "disclosure/test_rules_off.py::test_a_step_has_those_who_passed_the_one_before_as_its_base",
        "disclosure/test_rules_off.py::test_standards_between_which_few_lie",
    ],
    "a published share less another is a share of few": [
        "files/test_attack_on_models.py::test_no_two_shares_leave_few",
        "disclosure/test_protection.py::test_nested_shares_leave_five_between_two_of_them",
        "disclosure/test_protection.py::test_women_less_widows_are_other_women",
    ],
    "gaps, heaps and straight lines have no rule on numerators": [
        "files/test_attack_on_models.py::test_no_shown_number_rests_on_few",
        "files/test_attack_on_models.py::test_no_hidden_gap_has_a_place_among_the_shown",
    ],
    "thresholds are copied into code": ["test_repo.py::test_thresholds_of_disclosure_are_in_one_file"],
    "quartiles and deciles need few answers on a side": [
        "disclosure/test_suppression.py::test_a_median_needs_ten_answers_on_each_side"
    ],
    "bases and shares are printed to the last person": [
        "files/test_attack_on_models.py::test_printed_bases_tell_no_few",
        "disclosure/test_rules_off.py::test_printed_bases_that_differ_by_a_few",
        "disclosure/test_rules_off.py::test_how_many_gave_an_answer",
        "disclosure/test_rules_off.py::test_numbers_of_persons_that_differ_by_a_few",
        "disclosure/test_rules_off.py::test_missing_shares_give_no_exact_base",
        "disclosure/test_digits.py::test_the_data_of_pictures_are_as_they_are_printed",
    ],
    "a group of commands of which the file has one is that command": [
        "disclosure/test_rules_off.py::test_a_group_of_commands_that_is_one_command"
    ],
    "models, distances and orders say what a hidden cell does not": [
        "disclosure/test_rules_off.py::test_how_far_places_are_apart",
        "disclosure/test_rules_off.py::test_what_a_model_of_first_places_says_of_few",
        "disclosure/test_rules_off.py::test_the_place_of_a_hidden_gap",
    ],
    "linear programs over the tables of a variable": [
        "disclosure/test_attack.py::test_no_hidden_cell_of_a_small_institution_is_known",
        "disclosure/test_attack.py::test_no_hidden_cell_of_the_stand_in_is_known",
        "files/test_attack_on_models.py::test_no_family_of_the_plan_is_broken",
    ],
    "linear programs over all tables, with what ties them to each other": [
        "disclosure/test_ties.py::test_two_tables_tell_what_each_hides",
        "files/test_attack_on_models.py::test_all_tables_together_leave_enough_open",
        "files/test_attack_on_an_uneven_file.py::test_nothing_is_found",
    ],
    "integer programs over small groups": [
        "disclosure/test_whole_numbers.py::test_of_two_groups_that_weigh_unlike_few_pairs_fit_the_sum"
    ],
    "a test of groups gives two hidden groups whose sum is known": [
        "files/test_attack_on_models.py::test_tests_of_groups_give_no_hidden_group_away"
    ],
    "two editions of a report on nearly the same people": [
        "disclosure/test_rules_off.py::test_a_second_edition_tells_of_who_joined_where_a_number_passes_a_unit"
    ],
    "one term is moved, and the difference is of the few who can no longer pay": [
        "files/test_attack_on_models.py::test_no_move_along_a_slider_tells_of_few",
        "disclosure/test_digits.py::test_no_sum_is_printed_finer_than_what_five_make_of_it",
    ],
    "a forecast, or a sum, rests on few": [
        "results/test_forecasts.py::test_a_forecast_of_few_is_hidden_whatever_its_base_is",
        "results/test_forecasts.py::test_homes_rest_on_those_who_can_pay_them_on_these_terms",
        "disclosure/test_protection.py::test_a_sum_to_which_few_give_is_hidden",
    ],
    "missing shares tell how many were asked": [
        "disclosure/test_rules_off.py::test_missing_shares_do_not_tell_how_many_were_asked"
    ],
    "what one kind or one term leaves of the others adds up to the head count of a rank at a place": [
        "files/test_attack_on_models.py::test_nothing_speaks_of_a_station_or_a_shift_at_a_place"
    ],
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_each_attack_is_repeated(attack):
    """Every test that an attack is mapped to exists: who takes one away must say here what takes its place."""
    for address in ATTACKS[attack]:
        path, _, name = address.partition("::")
        known = [node.name for node in ast.walk(ast.parse((TESTS / path).read_text())) if hasattr(node, "name")]
        assert name in known, address


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """About 800 forms, opened from files as an institution has them."""
    world, folder = survey(800), tmp_path_factory.mktemp("own")
    paths = [folder / f"{name}.csv" for name in ("answers", "register", "followup")]
    for path in paths:
        getattr(world, path.stem).to_csv(path, index=False)
    with pytest.MonkeyPatch.context() as patch:
        for name in ("KEEP", "OMIT", "CODEBOOK", "MAP"):
            patch.delenv(name, raising=False)
        return Study.open(*paths, language="en")


@pytest.fixture(scope="module")
def published(study, tmp_path_factory):
    """Every table of it, as its file has them."""
    return attacker.published(study, tmp_path_factory.mktemp("report") / "results.csv")


def without(published, folder, monkeypatch, only, **off):
    """The same tables with a rule switched off: what an attacker would have without it."""
    for name, rule in off.items():
        monkeypatch.setattr(protection, name, rule)
    return attacker.again(published, folder / "open.csv", only)


def nothing_hidden(n, numerator, rules):
    """No rule on counts."""
    return np.zeros(len(n), dtype=bool)


def no_more(cells, axes, rules, hidden, within=()):
    """No secondary suppression."""
    return hidden


def listed(cells):
    """What a failing test prints."""
    return cells[["table", "codes", "n", "numerator", "printed"]].to_string()


FUNNELS = ("homes_funnel", "loans_funnel", "transport_funnel", "homes_lost", "loans_lost", "transport_lost")
ADDED = ("loans_service", "loans_guard", "loans_wish", "transport_need", "transport_shares", "priority_by_status")
SUBJECTS = {"homes", "loans", "transport", "adjusted", "priority", "hopes", "quality", "condition", "weights"}


def test_the_file_has_tables_of_every_model(published):
    """What is attacked are tables of models too, with hundreds of hidden cells."""
    assert {name.split("_")[0] for name in published.truth["table"]} >= SUBJECTS
    assert published.hidden.sum() > 200


def test_no_shown_number_rests_on_few(published, tmp_path, monkeypatch):
    """Side doors and rules on numerators (items 2 and 7): base, numerator and complement of each shown cell hold."""
    assert not len(found := attacker.against_a_rule(published)), listed(found)
    free = without(published, tmp_path, monkeypatch, (*ADDED, "quality"), unsafe=nothing_hidden, completed=no_more)
    assert set(attacker.against_a_rule(free)["table"].str.split("_").str[0]) >= {"loans", "quality"}


def test_no_cell_is_what_the_others_leave(published, tmp_path, monkeypatch):
    """Lines that add to one or to a number that is shown (item 3): none has a single hidden cell."""
    assert not len(found := attacker.alone_in_a_line(published)), listed(found)
    free = without(published, tmp_path, monkeypatch, ADDED, completed=no_more)
    assert len(attacker.alone_in_a_line(free))


@pytest.mark.parametrize("who", attacker.ATTACKERS)
def test_linear_programs_leave_enough_open(published, who):
    """Five respondents, or a tenth, are open on both sides (items 3 to 5), whichever of four attackers asks."""
    found = attacker.known_too_well(published, **attacker.ATTACKERS[who])
    assert not len(found), listed(found)


def test_all_tables_together_leave_enough_open(published, study):
    """Hopes and wishes, forecasts and grids, totals and shares (item 4): with all that ties tables to each other."""
    groups = [group for group in ("status", "sex", "rank_group", "command_group") if group in study.register]
    sizes = {group: study.register[group].value_counts().astype(float) for group in groups}
    assert sum(1 for _ in ties.same(published, sizes)) > 300
    assert not len(found := ties.joined(published, sizes)), listed(found)


def test_linear_programs_find_what_is_not_completed(published, tmp_path, monkeypatch):
    """The same attack on tables without secondary suppression learns cells of models and of the plan."""
    free = without(published, tmp_path, monkeypatch, (*ADDED, "tenure_by", "debt_class_by"), completed=no_more)
    found = set(attacker.known_too_well(free)["table"])
    assert any(name.startswith(ADDED) for name in found)
    assert any("_by_" in name for name in found)


def test_a_quantity_is_hidden_everywhere_or_nowhere(published, study, tmp_path, monkeypatch):
    """The same number in two tables (item 4), found by its value: no list of such pairs is used."""
    assert not len(found := attacker.repeated(published)), listed(found)
    assert not len(found := attacker.counted_again(published)), listed(found)
    none = tmp_path / "identities.csv"
    none.write_text("condition,variable,code,note\n")
    monkeypatch.setattr(descriptive, "IDENTITIES", none)
    only = ("tenure_by", "tenant_by", "debt_class_by", "over_debt_limit_by")
    free = attacker.published(replace(study), tmp_path / "open.csv", only)  # with no result of before
    assert len(attacker.repeated(free))


def test_no_two_shares_leave_few(published, study, tmp_path, monkeypatch):
    """Pairs of all shown shares, one of whom holds the other: who can pay at 8 % and not at 9, women less widows."""
    assert len(published.members) > 900
    assert not len(found := attacker.differing_by_few(published)), found.to_string()
    monkeypatch.setattr(protection, "units", lambda cells, *rest: digits.units(cells.drop(columns="nested"), *rest))
    monkeypatch.setattr(aspirations, "leaves_few", lambda *_: set())
    free = attacker.published(replace(study), tmp_path / "open.csv", ("agreements_curve", "hopes_by_s"))
    assert set(attacker.differing_by_few(free)["table"]) == {"agreements_curve", "hopes_by_sex"}


def test_hopes_and_agreements_show_what_other_tables_show(study, tmp_path, monkeypatch):
    """Who has no hope stands in the table of its question, who can pay a loan in the funnel; unlike, both are found."""
    for module in (aspirations, agreements):
        monkeypatch.setattr(module, "is_shown", lambda _, codes: np.ones(len(codes), dtype=bool))
    only = ("holiday_centre_by", "hopes_by", "agreements_by", "loans_funnel_by")
    free = attacker.published(replace(study), tmp_path / "open.csv", only)
    assert set(attacker.repeated(free)["table"]) == {"holiday_centre_by_status"}
    assert set(attacker.counted_again(free)["table"]) == {"loans_funnel_by_rank_group", "loans_funnel_by_command_group"}


def test_a_number_over_a_share_gives_no_hidden_cell(published, study):
    """Total, share and size of a group (item 1): where two are known the third is, so both are hidden or shown."""
    register = study.register
    groups = [register.groupby(g, observed=True).size() for g in ("status", "rank_group", "command_group")]
    sizes = np.unique(np.concatenate([[len(register)], *groups]).astype(float))
    assert not len(attacker.divided(published, sizes))


def test_nothing_speaks_of_a_station_or_a_shift_at_a_place(published):
    """Strength (item 1): no place or rank finer than the policy, no shift at a place, no cost or run of a place.

    A table of riders, runs and cost by group of commands is found, as is a share by command.
    """
    assert attacker.of_strength(published.tables) == []
    riders = pd.DataFrame({"command_group": ["east"], "estimate": [3.0], "flag": [""], "unit": ["runs"]})
    runs = Released("transport_runs", "total", "", ("command_group",), "runs", frame=riders, state="shown")
    station = Released("x", "share", "tenant", ("command",), "share")
    assert attacker.of_strength({"transport_runs": runs, "x": station}) == ["transport_runs", "x"]
    assert attacker.crossed(published.tables) == []
    assert attacker.crossed({"y": replace(runs, by=("rank_group", "command_group"))}) == ["y"]


def test_no_hidden_number_is_said(published, study, monkeypatch):
    """No sentence, alternative text or table, in three languages, holds the number of a hidden cell as it would print.

    Left aside is a number that a shown cell of the tables that it asks for has, a text or a label, and what is below a
    hundred and no percentage. Of tables that hide nothing it is found. Nor has a hidden row a number in the frames that
    the data of pictures are made of.
    """
    every = release(study)
    with monkeypatch.context() as patch:
        patch.setattr(protection, "unsafe", nothing_hidden)
        patch.setattr(protection, "completed", no_more)
        opened = {name: protect(*rest, **named) for name, (rest, named) in published.given.items()}
    secret = sayings.hidden_numbers(every, opened)
    assert len(secret) > 100
    for language in LANGUAGES:
        left = sayings.unexplained(study.in_language(language))
        assert not {where: both for where, numbers in left.items() if (both := numbers & secret)}, language
    found = {where.split()[0] for where, numbers in sayings.unexplained(study, opened).items() if numbers & secret}
    assert {"alt", "table", "who_where"} <= found
    for table in (table for table in every.values() if table.state == "shown"):
        numeric = table.frame.select_dtypes("float").drop(columns=[*table.keys, "step"], errors="ignore")
        assert numeric[table.frame["flag"] == "hidden"].isna().all(axis=None), table.id


def test_no_family_of_the_plan_is_broken(published, study):
    """What `make report` asks of the plan's tables, as the file has them: no family breaks."""
    plan = {name: published.tables[name] for name in pd.read_csv(PLAN)["id"]}
    assert broken(study, plan) == []


def test_no_move_along_a_slider_tells_of_few(published, tmp_path, monkeypatch):
    """Grids of what-ifs: where one to nine stop being able to pay, five of them are open; of exact numbers none is."""
    assert not len(found := attacker.along_sliders(published)), listed(found)
    monkeypatch.setattr(protection, "units", lambda cells, *_: np.full(len(cells), 1e-6))
    exact = attacker.again(published, tmp_path / "exact.csv", tuple(f"{name}_grid" for name in GRIDS))
    assert set(attacker.along_sliders(exact)["table"].str.split("_").str[0]) >= {"homes", "loans"}


def test_printed_bases_tell_no_few(published):
    """Differences of bases (item 7): each is one that the policy prints, so that two differ by ten or not at all."""
    assert attacker.bases_as_they_are(published.tables) == []
    as_it_is = replace(published.tables["tenant"], respondents=1213)
    assert attacker.bases_as_they_are({"tenant": as_it_is}) == ["tenant"]


@pytest.mark.parametrize("page", ["homes", "loans", "transport"])
def test_groups_leave_no_few_of_all(published, page):
    """All less the groups (item 5): the steps of a funnel leave nobody, or ten, whose group is not known."""
    whole = of_steps(published, f"{page}_funnel")
    whole = whole[whole["group"] == "all"]
    for by in ("status", "command_group"):
        parts = of_steps(published, f"{page}_funnel_by_{by}")
        assert not len(found := attacker.left_over(whole, parts, "step")), found.to_string()


def of_steps(published, name):
    """Cells of a funnel with their ``step`` and ``group``."""
    table, cells = published.tables[name], published.truth.query("table == @name")
    step = next((key for key in table.keys if key.endswith("_step")), CATEGORY)
    (group,) = (key for key in table.keys if key != step)
    return cells.assign(step=published.key(cells, step), group=published.key(cells, group))


def test_steps_of_a_funnel_leave_few_open(published, tmp_path, monkeypatch):
    """Nested conditions (item 6): of those who fall out between two steps five are open, or there are ten or none."""
    assert not len(found := attacker.along_steps(published)), listed(found)
    monkeypatch.setattr(digits, "SUMS", ())
    only = tuple(f"{page}_funnel" for page in ("homes", "loans", "transport", "services"))
    finer = attacker.again(published, tmp_path / "finer.csv", only)
    assert set(attacker.along_steps(finer)["table"]) >= {"transport_funnel_by_sex"}


def test_standards_of_a_condition_differ_by_ten_or_not_at_all(published):
    """Nested conditions of the plan (item 6): no two shown standards have one to nine respondents between them."""
    names = [name for name in published.tables if name.endswith("_standards")]
    cells = published.truth[published.truth["table"].isin(names) & published.shown]
    assert len(cells) > 8
    assert not cells.sort_values("numerator").groupby("table")["numerator"].diff().between(1, 9).any()


def test_terms_of_a_loan_differ_by_ten_or_not_at_all(published, study, tmp_path, monkeypatch):
    """Nested conditions of a model (item 6): who can pay under one set of terms and not another are none or ten."""

    def gaps(pub):
        cells = pub.truth[(pub.truth["table"] == "loans_cases") & (pub.truth["unit"] == "persons") & pub.shown]
        assert len(cells)
        return cells["numerator"].sort_values().diff()

    assert not gaps(published).between(1, policy().min_respondents - 1).any()
    monkeypatch.setattr(loans, "apart", lambda met, *_: np.ones(len(met), dtype=bool))
    free = attacker.published(replace(study), tmp_path / "open.csv", ("loans_cases",))
    assert gaps(free).between(1, policy().min_respondents - 1).any()


def test_no_hidden_gap_has_a_place_among_the_shown(published):
    """Questions stand in the order of their gaps: one whose gaps are hidden would lie between two that are shown."""
    table = published.tables["quality_gaps"]
    gaps = table.cells("*", "all_gaps")
    assert len(gaps)
    assert gaps["estimate"].notna().all()
    first = published.tables["quality_heaps"].cells("*", "first_step")
    assert first["estimate"].notna().all()


def test_tests_of_groups_give_no_hidden_group_away(published, study):
    """With the number of all, F gives two hidden groups away: of what could be, few fit the printed number.

    The attacker moves answers from one hidden group to another, and keeps what gives the printed statistic. Where a
    group is hidden the statistic is hidden too.
    """
    table, frame = published.tables["condition_tests"], conditions.members(study)
    for group, short in (("rank_group", "rank"), ("command_group", "command")):
        for condition in ("tenure", "crowded", "cost_burdened", "over_debt_limit"):
            cells = published.truth[published.truth["table"] == f"{condition}_by_{short}"]
            if (attacker.alone(cells) & (cells["flag"] == "hidden")).any():
                assert table.cells(condition, group)["estimate"].isna().all(), (condition, group)
    few = frame["over_debt_limit"].astype("boolean")
    printed = _moved(study, frame, few, 0)
    fits = [k for k in range(-8, 9) if abs(_moved(study, frame, few, k) - printed) < 0.05]
    assert len(fits) < 2 * policy().open_respondents


def _moved(study, frame, met, k):
    """F where k answers (of either sign) go from the largest group of few to the next."""
    known = met.notna() & frame["command_group"].notna()
    counts = met[known].groupby(frame.loc[known, "command_group"], observed=True).sum().sort_values()
    first, second = counts.index[:2] if k > 0 else counts.index[1::-1]
    changed = met.copy()
    inside = {code: known & (frame["command_group"] == code) for code in (first, second)}
    changed[met.index[inside[first] & met.eq(True)][: abs(k)]] = False
    changed[met.index[inside[second] & met.eq(False)][: abs(k)]] = True
    return independence(study.design, changed, frame["command_group"], where=known).statistic
