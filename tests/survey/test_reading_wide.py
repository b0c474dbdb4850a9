"""Rosters with a column a member: read where it is sure whose ages they are, a named fault where it is not."""

import pandas as pd
import pytest
from books import BOOK

from welfare_analysis.survey.reading import Faults, read

BANDS = ("0_5", "6_11", "12_17", "18_24", "25_59", "60_over")


def opened(folder, columns, *members):
    """Forms of a retired and an active person with these columns; a text each of cells."""
    head, *rows = f"status,tenure,{columns}", f"retired,owner,{members[0]}", f"active,tenant,{members[1]}"
    (folder / "a.csv").write_text("\n".join([head, *rows, ""]), encoding="utf-8")
    return read(folder / "a.csv", BOOK)


def counts(found):
    """Of each form, the counts that are known and not 0."""
    frame = found.frame[[f"dependants_{band}_n" for band in BANDS]].set_axis(BANDS, axis=1)
    return [{band: n for band, n in row.items() if n != 0 and not pd.isna(n)} for _, row in frame.iterrows()]


def faults(folder, columns, *members):
    with pytest.raises(Faults) as caught:
        opened(folder, columns, *members)
    return caught.value.table[["row", "letter", "rule"]].to_numpy().tolist()


@pytest.mark.parametrize(
    "columns",
    [
        "age__0,age__1",
        "age_1,age_2",
        "child_age_1,child_age_2",
        "household[0]/age,household[1]/age",
        "members[1]/members/age,members[2]/members/age",
        "hh_1_age,hh_2_age",
        "member1_age,member2_age",
        "Âge de l'enfant 1,Âge de l'enfant 2",
        "عمر الطفل 1,عمر الطفل 2",
    ],
)
def test_a_column_a_member_is_a_roster(tmp_path, columns):
    """Whatever program wrote it, and digits as in any cell; who is not there is no member."""
    found = opened(tmp_path, columns, "٧,30", "60,")
    assert counts(found) == [{"6_11": 1, "25_59": 1}, {"60_over": 1}]
    assert not found.frame["dependants_0_5_n"].isna().any()
    assert not any(str(name) in columns for name in found.frame)


def test_a_member_without_an_age_leaves_the_counts_open(tmp_path):
    """A blank between two members, a code, and a member of whom only something else is known."""
    found = opened(
        tmp_path, "child_age_1,child_age_2,child_age_3,child_sex_1,child_sex_2,child_sex_3", "7,,9,,,", "4,-98,,,,"
    )
    assert counts(found) == [{"6_11": 2}, {"0_5": 1}]
    assert found.frame["dependants_60_over_n"].isna().all()
    found = opened(tmp_path, "child_age_1,child_age_2,child_sex_1,child_sex_2", "7,,m,f", "4,,m,")
    assert found.frame["dependants_0_5_n"].isna().tolist() == [True, False]
    said = found.report.set_index("what")["n"]
    assert said["other columns of members left out"] == 2


def test_a_form_without_a_member_is_told(tmp_path):
    """As one without a row in a sheet of its own: nobody, and the report says so."""
    found = opened(tmp_path, "age__0,age__1", ",", "60,5")
    assert found.frame["dependants_0_5_n"].tolist() == [0, 1]
    assert found.report.set_index("what")["n"]["forms without a member there: nobody depends on them"] == 1


def test_members_are_compared_with_their_number(tmp_path):
    """Fewer than the count leave the rest unknown, more are a fault; so for a roster of its own."""
    found = opened(tmp_path, "block_x/child_count,child_age_1,child_age_2", "2,7,8", "2,60,")
    assert counts(found) == [{"6_11": 2}, {"60_over": 1}]
    assert found.frame["dependants_0_5_n"].isna().tolist() == [False, True]
    more = [[2, "C", "at least as many as there are in 'child'"]]
    assert faults(tmp_path, "child_count,child_age_1,child_age_2", "1,7,8", "1,60,") == more
    (tmp_path / "a.csv").write_text("status,tenure,members_count,KEY\nactive,owner,1,u1\nretired,owner,2,u2\n")
    (tmp_path / "a-members.csv").write_text("age,PARENT_KEY,KEY\n7,u1,m1\n8,u1,m2\n9,u2,m3\n")
    with pytest.raises(Faults, match="at least as many as there are in 'members'") as caught:
        read(tmp_path, BOOK)
    assert caught.value.table["row"].tolist() == [2]


def test_a_count_of_the_form_is_compared_with_its_columns(tmp_path):
    """What the form says of an age is what its members say, or a fault."""
    assert faults(tmp_path, "dependants_6_11_n,age_1,age_2", "2,7,8", "1,60,") == [
        [3, "C", "as many as in the repeated group 'age'"]
    ]


@pytest.mark.parametrize(
    ("columns", "rule"),
    [
        ("child_age_1,child_age_3", "numbered from 0 or 1 on without a gap, not 1, 3"),
        ("age_18,age_19", "numbered from 0 or 1 on without a gap, not 18, 19"),
        ("child_age_1,member[1]/age", "one roster of ages, not two beside each other"),
        ("q1_age,q2_age", "a word that says whose ages these are"),
        ("age_1,age.1", "a column of the codebook"),
        ("car[1]/age,car[2]/age", "a column of the codebook"),
        ("age_months_1,age_months_2", "a column of the codebook"),
        ("age_1_1,age_1_2", "a column of the codebook"),
    ],
)
def test_what_is_not_sure_is_no_roster(tmp_path, columns, rule):
    """A gap, two rosters, a word that is nobody's, things, months, a roster within a roster."""
    assert rule in faults(tmp_path, columns, "7,30", "60,5")[0][2]


def test_items_that_were_ticked_are_no_infants(tmp_path):
    """Noughts and ones under a bare age may be groups of ages; where they are children's they are ages."""
    assert "may be items" in faults(tmp_path, "age__0,age__1", "1,0", "0,1")[0][2]
    assert counts(opened(tmp_path, "child_age_0,child_age_1", "1,0", "0,1")) == [{"0_5": 2}, {"0_5": 2}]


@pytest.mark.parametrize("group", ["household[0]/", "person_1-", "hh__1__", "member1/"])
def test_one_member_is_not_the_respondent(tmp_path, group):
    """A group of one member never gives the age and the sex of who filled in the form."""
    found = opened(tmp_path, f"{group}age,{group}sex", "60,m", "30,f")
    assert counts(found) == [{"60_over": 1}, {"25_59": 1}]
    assert not {"age", "sex"} & set(found.frame)


def test_a_question_number_is_no_member(tmp_path):
    """`q1_age` beside `q1_sex` is nobody's roster."""
    assert [rule for *_, rule in faults(tmp_path, "q1_age,q1_sex", "60,m", "30,f")] == ["a column of the codebook"] * 2
