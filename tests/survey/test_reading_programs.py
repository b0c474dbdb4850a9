"""Exports in the literal shapes of the programs that write them: what they add is left out, and no answer is lost."""

import zipfile

import pandas as pd
import pyreadstat
import pytest
from books import BOOK

from welfare_analysis.errors import WelfareError
from welfare_analysis.survey.reading import Faults, Map, read

CENTRAL = (
    "SubmissionDate,meta-instanceID,{questions},KEY,SubmitterID,SubmitterName,AttachmentsPresent,AttachmentsExpected,"
    "Status,ReviewState,DeviceID,Edits,FormVersion\n"
)
KOBO = (
    "start,end,today,username,deviceid,start-geo,_start-geo_latitude,_start-geo_longitude,_start-geo_altitude,"
    "_start-geo_precision,{questions},_id,_uuid,_submission_time,_validation_status,_notes,_status,_submitted_by,"
    "__version__,_tags,_index,meta/rootUuid\n"
)
CTO = (
    "SubmissionDate,CompletionDate,starttime,endtime,deviceid,subscriberid,simid,devicephonenum,username,device_info,"
    "duration,caseid,{questions},instanceID,instanceName,formdef_version,review_quality,review_status,review_comments,"
    "review_corrections,KEY\n"
)
SOLUTIONS = "interview__key\tinterview__id\t{questions}\tsssys_irnd\thas__errors\tinterview__status\tassignment__id\n"
LIME = (
    "id,submitdate,lastpage,startlanguage,seed,token,startdate,datestamp,ipaddr,refurl,{questions},interviewtime,"
    "groupTime4,statusTime\n"
)


def central(answers, key, review=""):
    return f"2026-01-01T00:00:00.000Z,{key},{answers},{key},22,collector,0,0,,{review},collect:x,0,1\n"


def kobo(answers, index, review="", status="submitted_via_web"):
    front = "2026-01-01T10:00:00,2026-01-01T10:20:00,2026-01-01,u,d,1 2 3 4,1,2,3,4"
    return f"{front},{answers},{index},uuid:{index},2026-01-01T11:00:00,{review},,{status},,v1,,{index},uuid:{index}\n"


def cto(answers, key, review="NONE"):
    return f"1,2,3,4,d,s,m,p,u,i,600,,{answers},{key},name,26,good,{review},,,{key}\n"


def solutions(answers, key, state="100"):
    return f"{key}\t{key}i\t{answers}\t0.5\t0\t{state}\t1\n"


def lime(answers, number, submitted="2026-01-01 10:00:00"):
    return f"{number},{submitted},4,fr,7,,2026-01-01,2026-01-01,,,{answers},60,5,6\n"


def opened(folder, text, name="a.csv"):
    (folder / name).write_text(text, encoding="utf-8")
    return read(folder / name, BOOK)


def faults(folder, text, name="a.csv"):
    with pytest.raises(Faults) as caught:
        opened(folder, text, name)
    return caught.value.table


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (
            CENTRAL.format(questions="block_identity-status,block_housing-tenure")
            + central("active,tenant", "uuid:1")
            + central("retired,owner", "uuid:2"),
            "central.csv",
        ),
        (
            KOBO.format(questions="block_identity/status,block_housing/tenure")
            + kobo("active,tenant", 1)
            + kobo("retired,owner", 2),
            "kobo.csv",
        ),
        (KOBO.format(questions="status,tenure") + kobo("active,tenant", 1) + kobo("retired,owner", 2), "bare.csv"),
        (CTO.format(questions="status,tenure") + cto("active,tenant", "a") + cto("retired,owner", "b"), "cto.csv"),
        (
            SOLUTIONS.format(questions="status\ttenure")
            + solutions("active\ttenant", "a")
            + solutions("retired\towner", "b"),
            "needs.tab",
        ),
        (
            "\ufeff" + LIME.format(questions="status,tenure") + lime("active,tenant", 1) + lime("retired,owner", 2),
            "lime.csv",
        ),
    ],
)
def test_the_programs_columns_are_no_questions(tmp_path, text, name):
    """Headers as each program writes them: two answers, and `Status` or `_status` is the program's."""
    found = opened(tmp_path, text, name)
    assert found.frame.astype(str).to_numpy().tolist() == [["active", "tenant"], ["retired", "owner"]]
    assert "columns of the collecting program left out" in set(found.report["what"])


def test_status_alone_with_a_capital_is_still_a_question(tmp_path):
    """No program wrote this header: `Status` is the question."""
    assert opened(tmp_path, "Status,Tenure\nactive,owner\n").frame["status"].tolist() == ["active"]


def test_a_calculation_of_the_form_is_not_a_question(tmp_path):
    """`_age` is not the age; that there is such a column is a fault, and no name that is taken is proposed."""
    table = faults(tmp_path, KOBO.format(questions="status,age,_age") + kobo("active,40,70", 1))
    assert table["column"].tolist() == ["_age"]
    assert "did you mean" not in table["rule"].iloc[0]


@pytest.mark.parametrize(
    "header",
    [
        "block_leisure-promotion/camps,block_leisure-promotion/hajj",
        "block_leisure/promotion/camps,block_leisure/promotion/hajj",
        "block_leisure.promotion.camps,promotion:hajj",
        "promotion[camps],promotion[hajj]",
        "promotion[camps]. Quoi ? [les colonies],promotion[hajj]. Quoi ? [le hajj]",
        "block_leisure__promotion__camps,block_leisure|promotion|hajj",
        "block_leisure > promotion > camps,block_leisure\\promotion\\hajj",
        "promotion_camps,promotion_hajj",
    ],
)
def test_headers_are_split_at_any_mix_of_marks(tmp_path, header):
    """Groups, question and answer of one header, between whatever marks."""
    found = opened(tmp_path, f"status,{header}\nactive,1,0\n").frame
    assert found[["promotion_camps", "promotion_hajj"]].to_numpy().tolist() == [["yes", "no"]]


@pytest.mark.parametrize(
    ("text", "counts"),
    [
        (
            CENTRAL.format(questions="status,tenure")
            + central("active,tenant", 1)
            + central("widow,tenant", 2, "hasIssues")
            + central("retired,owner", 3, "rejected"),
            {"not reviewed": 1, "has issues": 1, "rejected": 1},
        ),
        (
            KOBO.format(questions="status,tenure")
            + kobo("active,tenant", 1, "Approved")
            + kobo("widow,tenant", 2, "validation_status_on_hold")
            + kobo("nonsense,owner", 3, "Not Approved")
            + kobo("retired,owner", 4, "validation_status_not_approved"),
            {"approved": 1, "on hold": 1, "rejected": 2},
        ),
        (
            CTO.format(questions="status,tenure")
            + cto("active,tenant", "a", "APPROVED")
            + cto("widow,tenant", "b")
            + cto("retired,owner", "c", "REJECTED"),
            {"approved": 1, "not reviewed": 1, "rejected": 1},
        ),
        (
            LIME.format(questions="status,tenure")
            + lime("active,tenant", 1)
            + lime("widow,tenant", 2)
            + lime("retired,", 3, ""),
            {"submitted": 2, "not submitted": 1},
        ),
    ],
)
def test_rejected_forms_do_not_count_and_each_state_is_counted(tmp_path, text, counts):
    """Of each state how many; rejected and unfinished forms are in no count and give no fault."""
    found = opened(tmp_path, text)
    assert found.frame["status"].tolist() == ["active", "widow"]
    assert dict(found.reviews) == counts
    assert any("left out" in what for what in found.report["what"] if "review" in what)


def test_states_of_survey_solutions(tmp_path):
    """Numbers or labels: 65 and 125 were rejected, less than 100 is not completed; 120 and 130 are approved."""
    states = ["100", "65", "120", "125", "130", "60", "RejectedBySupervisor"]
    text = SOLUTIONS.format(questions="status\ttenure") + "".join(
        solutions("active\ttenant", f"k{i}", s) for i, s in enumerate(states)
    )
    text += solutions("active\t##N/A##", "last")
    found = opened(tmp_path, text, "a.tab")
    assert found.missing["tenure"].tolist() == ["answered"] * 3 + ["skipped"]
    assert dict(found.reviews) == {"completed": 2, "approved": 2, "rejected": 3, "not completed": 1}


@pytest.mark.parametrize(
    ("word", "state"),
    [("Non approuvé", "rejected"), ("مرفوضة", "rejected"), ("غير معتمد", "rejected"), ("No aprobado", "rejected"),
     ("En attente", "on hold"), ("Approuvé", "approved"), ("received", "not reviewed")],
)  # fmt: skip
def test_states_in_another_language(tmp_path, word, state):
    """The program was set to another language: what is rejected there is rejected here."""
    text = KOBO.format(questions="status,tenure") + kobo("widow,owner", 1) + kobo("active,tenant", 2, word)
    found = opened(tmp_path, text)
    assert len(found.frame) == 1 + (state != "rejected")
    assert found.reviews[state] >= 1


def test_states_of_survey_solutions_in_words_and_as_numbers_of_a_table(tmp_path):
    """An interview that nobody completed does not count, however its state is written."""
    states = ["100.0", "InterviewerAssigned", "Restarted", "65.0"]
    rows = "".join(solutions("active\ttenant", f"k{i}", s) for i, s in enumerate(states))
    found = opened(tmp_path, SOLUTIONS.format(questions="status\ttenure") + rows, "a.tab")
    assert dict(found.reviews) == {"completed": 1, "not completed": 2, "rejected": 1}


@pytest.mark.parametrize("blank", ["", "N/A", "NULL", "NA"])
def test_a_survey_that_was_begun_has_no_day_of_submission(tmp_path, blank):
    """However a program writes a blank day."""
    text = LIME.format(questions="status,tenure") + lime("active,tenant", 1) + lime("active,owner", 2, blank)
    assert opened(tmp_path, text).frame["tenure"].tolist() == ["tenant"]


@pytest.mark.parametrize(
    "header",
    [
        "id. Response ID,submitdate. Date submitted,lastpage. Last page,startlanguage. Start language,seed. Seed",
        "Response ID,Date submitted,Last page,Start language,Seed",
        "ID de la réponse,Date de soumission,Dernière page,Langue de départ,Tête de série",
    ],
)
def test_a_survey_exported_with_full_texts_is_known(tmp_path, header):
    """LimeSurvey's own columns in words: what was not submitted does not count, what was not shown was not asked."""
    rows = "1,2012-10-05 10:00:00,3,fr,7,active,owner,N/A\n2,,1,fr,8,active,tenant,900\n"
    found = opened(tmp_path, f"{header},status,tenure,rent_dh\n{rows}")
    assert found.frame["tenure"].tolist() == ["owner"]
    assert dict(found.reviews) == {"submitted": 1, "not submitted": 1}


@pytest.mark.parametrize(("header", "no"), [("consent", "no"), ("intro/consentement", "Non"), ("موافقة", "لا أوافق")])
def test_forms_of_those_who_did_not_agree_are_left_out(tmp_path, header, no):
    """A question of consent is no column to remove: who says no to it is in no count, and it is told."""
    text = f"status,tenure,{header}\nactive,owner,{{}}\nretired,tenant,{no}\nwidow,owner,\n"
    found = opened(tmp_path, text.format("1"))
    assert found.frame["status"].tolist() == ["active", "widow"]
    assert found.report.set_index("what").at["forms in review: not agreed, left out", "n"] == 1
    assert faults(tmp_path, text.format("perhaps"))[["row", "letter"]].to_numpy().tolist() == [[2, "C"]]


@pytest.mark.parametrize("kind", ["kobo", "cto"])
def test_forms_that_were_filled_in_too_fast_are_told(tmp_path, kind):
    """Under a third of the middle time, from the times that the device wrote; few forms have no usual time."""
    ended = [f"10:{m}:00" for m in range(20, 32)] + ["10:02:00", "10:03:00"]
    kobos = [kobo("active,owner", i).replace("T10:20:00", f"T{e}", 1) for i, e in enumerate(ended)]
    ctos = [cto("active,owner", i).replace(",600,", f",{s},") for i, s in enumerate([*range(1500, 1512), 100, 90])]
    head, rows = {"kobo": (KOBO, kobos), "cto": (CTO, ctos)}[kind]
    told = opened(tmp_path, head.format(questions="status,tenure") + "".join(rows)).report
    line = told[told["what"].str.contains("a third of the middle time")]
    assert line["what"].str.contains("2[45] min: rows 14, 15$").tolist() == [True]
    assert line["n"].tolist() == [2]
    few = opened(tmp_path, head.format(questions="status,tenure") + "".join(rows[8:]))
    assert not few.report["what"].str.contains("middle time").any()


def test_an_unknown_state_is_a_fault_and_no_form_is_left_is_an_error(tmp_path):
    """A state that no program gives is not taken for an answer that counts."""
    head = CENTRAL.format(questions="status,tenure")
    table = faults(tmp_path, head + central("active,tenant", 1, "refused"))
    assert table[["row", "column"]].to_numpy().tolist() == [[2, "ReviewState"]]
    with pytest.raises(WelfareError, match="every form was rejected"):
        opened(tmp_path, head + central("active,tenant", 1, "rejected"))


def test_a_form_that_came_twice_is_a_fault(tmp_path):
    """The key of the program says that two rows are one form."""
    text = KOBO.format(questions="status,tenure") + 2 * kobo("active,tenant", 1)
    assert faults(tmp_path, text)[["row", "column"]].to_numpy().tolist() == [[3, "meta/rootUuid"]]


@pytest.mark.parametrize(
    ("added", "first", "second"),
    [("meta/rootUuid", "uuid:one", "uuid:one"), ("meta/deprecatedID", "", "uuid:one"), ("_id", "uuid:one", "uuid:two")],
)
def test_a_form_that_was_edited_between_two_exports_is_told(tmp_path, added, first, second):
    """An edit gives a form another `_uuid`: it is known by its first one, or by the one that it corrects."""
    for name, key, root, tenure in (("a", "one", first, "tenant"), ("b", "two", second, "owner")):
        (tmp_path / f"{name}.csv").write_text(f"status,tenure,_uuid,{added}\nactive,{tenure},{key},{root}\n")
    if added == "_id":
        assert len(read([tmp_path / "a.csv", tmp_path / "b.csv"], BOOK).frame) == 2
        return
    with pytest.raises(Faults) as caught:
        read([tmp_path / "a.csv", tmp_path / "b.csv"], BOOK)
    assert caught.value.table[["file", "row", "column"]].to_numpy().tolist() == [["b.csv", 2, added]]


def test_a_row_of_hxl_tags_is_left_out(tmp_path):
    """Tags under the header are no form."""
    found = opened(tmp_path, "status,age\n#status+code,#age\nactive,40\n")
    assert found.frame["age"].tolist() == [40]
    assert "a row of HXL tags under the header left out" in set(found.report["what"])


@pytest.mark.parametrize("head", ["{}", "1. {}", "status. {}", "Section A: {}"])
def test_headers_with_a_number_or_a_code_before_the_question(tmp_path, head):
    """The number of a question and its code before its words make no difference; other words before them do."""
    text = f'"{head.format("Quelle est votre situation ?")}",tenure\nactive,owner\n'
    if "Section" in head:
        assert "status" in set(faults(tmp_path, text)["column"])
    else:
        assert opened(tmp_path, text).frame["status"].tolist() == ["active"]


SINGLE = "status,block_leisure/promotion,block_leisure/promotion/camps,block_leisure/promotion/hajj\n"


@pytest.mark.parametrize(
    ("row", "camps", "hajj"),
    [
        ("active,camps hajj,1,1", "yes", "yes"),
        ("active,camps,1,0", "yes", "no"),
        ("active,camps hajj,,", "yes", "yes"),
        ("active,,0,0", "no", "no"),
        ("active,,,", None, None),
    ],
)
def test_single_and_separate_columns_that_agree(tmp_path, row, camps, hajj):
    """One column of several answers beside one an answer: what both or either say is the answer."""
    found = opened(tmp_path, SINGLE + "active,camps hajj,1,1\nactive,camps,1,0\n" + row + "\n").frame
    assert [None if pd.isna(v) else v for v in found.loc[2, ["promotion_camps", "promotion_hajj"]]] == [camps, hajj]


@pytest.mark.parametrize("row", ["active,camps hajj,1,0", "active,camps,1,1", "active,,0,1"])
def test_single_and_separate_columns_that_disagree_are_two_faults(tmp_path, row):
    """Two columns that tell the same thing and differ: both are named, neither is believed."""
    table = faults(tmp_path, SINGLE + "active,camps,1,0\n" + row + "\n")
    assert table[["row", "letter", "column"]].to_numpy().tolist() == [
        [3, "B", "promotion"],
        [3, "D", "promotion_hajj"],
    ]


def test_an_item_that_one_column_only_has_does_not_vanish(tmp_path):
    """The single column names an item that has no column of its own, and an item that the codebook lacks."""
    head = "status,promotion,promotion/camps\n"
    found = opened(tmp_path, head + "active,camps hajj,1\n").frame
    assert found[["promotion_camps", "promotion_hajj"]].to_numpy().tolist() == [["yes", "yes"]]
    assert faults(tmp_path, head + "active,camps spaceships,1\n")["column"].tolist() == ["promotion"]
    assert faults(tmp_path, "status,promotion,promotion/spaceships\nactive,camps,1\n")["column"].tolist() == [
        "promotion/spaceships"
    ]


ITEMS = [n for n in BOOK.variables.index if BOOK.variables.at[n, "group"] == "health_rank"]
CODES = [n.removeprefix("health_rank_") for n in ITEMS]


def test_two_shapes_of_a_ranking_are_compared(tmp_path):
    """The order in one column and a column a place: alike they are one ranking, else two faults."""
    head = f"status,module,health_rank,{','.join(f'health_rank/{i + 1}st_choice' for i in range(len(CODES)))}\n"
    order = CODES[::-1]
    found = opened(tmp_path, head + f"active,b,{' '.join(order)},{','.join(order)}\n").frame
    assert [int(found.loc[0, n]) for n in ITEMS] == list(range(len(ITEMS), 0, -1))
    table = faults(tmp_path, head + f"active,b,{' '.join(order)},{','.join(CODES)}\n")
    assert table["column"].tolist() == ["health_rank", "health_rank/1"]


def test_a_place_that_is_blank_moves_no_item(tmp_path):
    """An item in the column of the second place has the second place, whatever the first holds."""
    head = "status,module,health_rank/1st_choice,health_rank/2nd_choice\n"
    found = opened(tmp_path, head + f"active,b,,{CODES[2]}\n").frame
    assert found.loc[0, ITEMS[2]] == 2
    table = faults(tmp_path, head + f"active,b,{CODES[2]},{CODES[2]}\n")
    assert table[["row", "column"]].to_numpy().tolist() == [[2, "health_rank/2"]]


def test_one_odd_cell_is_one_fault(tmp_path):
    """300 marks and one `n/a`: one fault; ones and twos are not read as marks."""
    rows = ["active,1,0"] * 150 + ["active,n/a,1"]
    table = faults(tmp_path, "status,promotion_camps,promotion_hajj\n" + "\n".join(rows) + "\n")
    assert table[["row", "letter", "column", "value"]].to_numpy().tolist() == [[152, "B", "promotion_camps", "n/a"]]
    table = faults(tmp_path, "status,promotion_camps,promotion_hajj\nactive,1,2\nactive,2,1\n")
    assert len(table) == 4


def test_marks_are_ones_ticks_or_the_answer_itself(tmp_path):
    """Codes or labels instead of ones; 1 or Y beside blanks: a blank is a no only where something was ticked."""
    label = BOOK.variables.at["promotion_camps", "label_fr"]
    head = "status,promotion/camps,promotion/hajj\n"
    for text in (
        "active,camps,\nactive,,\n",
        f'active,"{label}",\nactive,,\n',
        "active,Y,\nactive,,\n",
        "active,1,\nactive,,\n",
        "active,Oui,\nactive,,\n",
        "active,x,\nactive,,\n",
        "active,Sélectionné,Non sélectionné\nactive,,\n",
        "active,VRAI,FAUX\nactive,,\n",
    ):
        found = opened(tmp_path, head + text).frame[["promotion_camps", "promotion_hajj"]]
        assert found.iloc[0].tolist() == ["yes", "no"]
        assert found.iloc[1].isna().all()


def test_items_without_a_column_are_told(tmp_path):
    """A list of which the export has not every item: the others are no answer, and it is said which."""
    found = opened(tmp_path, "status,transport_wish/shuttle,transport_wish/rail\nactive,1,0\n")
    assert "transport_wish_coach" not in found.frame
    told = found.report.set_index("what")["n"]
    assert told["no column of season_ticket, coach, car_pool, accompanied: not asked"] == 4
    whole = opened(tmp_path, "status,transport_wish,transport_wish/shuttle\nactive,shuttle coach,1\n")
    assert not whole.report["what"].str.startswith("no column of").any()
    assert whole.frame.loc[0, "transport_wish_coach"] == "yes"


def test_labels_that_hold_a_comma_are_joined_by_commas(tmp_path):
    """Every ordered pair of transport services as labels joined by a comma gives both, in each language."""
    names = [n for n in BOOK.variables.index if BOOK.variables.at[n, "group"] == "transport_wish"]
    for language in ("ar", "fr", "en"):
        names = [n for n in names if "accompanied" not in n]  # asked of others
        labels = [BOOK.variables.at[n, f"label_{language}"] for n in names]
        pairs = [(i, j) for i in range(len(names)) for j in range(len(names)) if i != j]
        frame = pd.DataFrame({"status": "active", "transport_wish": [f"{labels[i]}, {labels[j]}" for i, j in pairs]})
        frame.to_csv(tmp_path / "a.csv", index=False)
        found = read(tmp_path / "a.csv", BOOK).frame[names]
        assert [set(found.columns[(row == "yes").to_numpy()]) for _, row in found.iterrows()] == [
            {names[i], names[j]} for i, j in pairs
        ]


FORMS = [("active", "tenant", 1), ("retired", "owner", 2), ("widow", "owner", 3)]


def roster(folder, sheet, columns, rows, forms=FORMS):
    with pd.ExcelWriter(folder / "a.xlsx") as book:
        pd.DataFrame(forms, columns=["status", "tenure", "_index"]).to_excel(book, sheet_name="form", index=False)
        pd.DataFrame(rows, columns=columns).to_excel(book, sheet_name=sheet, index=False)
    return folder / "a.xlsx"


AGES = [("٣٥", 1), ("7 ans", 1), (5.5, 1), (0.5, 1), (-98, 2), (-99, 2), (-3, 2), ("35", 2), (None, 3), ("18,0", 3)]


def test_ages_of_a_roster_are_read_as_cells_are(tmp_path):
    """Digits of other scripts, units, halves; an age that is not known makes no zero."""
    found = read(roster(tmp_path, "membres", ["age", "_parent_index"], AGES), BOOK)
    counts = found.frame.filter(like="dependants_").rename(columns=lambda n: n.removeprefix("dependants_"))
    assert counts.iloc[0].to_dict() == {
        "0_5_n": 2,
        "6_11_n": 1,
        "12_17_n": 0,
        "18_24_n": 0,
        "25_59_n": 1,
        "60_over_n": 0,
    }
    assert counts.iloc[1].dropna().to_dict() == {"25_59_n": 1}
    assert counts.iloc[2].dropna().to_dict() == {"18_24_n": 1}
    said = found.report.set_index("what")["n"]
    assert said["rows of a repeated group whose age is not known: a count of their form is left open"] == 4


def test_cars_are_no_children(tmp_path):
    """A repeated group of things has ages too; it is left out, and that is said."""
    found = read(roster(tmp_path, "vehicules", ["brand", "age", "_parent_index"], [("D", 3, 1), ("R", 12, 1)]), BOOK)
    assert not found.frame.filter(like="dependants_").shape[1]
    assert any("vehicules" in what and n == 2 for what, n in found.report[["what", "n"]].to_numpy())


def test_words_and_orphan_rows_of_a_roster_are_faults(tmp_path):
    """A word for an age, and a row without its form: the sheet, the row and the column of each."""
    path = roster(tmp_path, "members", ["age", "_parent_index"], [("old", 1), (4, 9), (5, 2)])
    with pytest.raises(Faults) as caught:
        read(path, BOOK)
    table = caught.value.table
    assert table[["sheet", "row", "letter"]].to_numpy().tolist() == [["members", 2, "A"], ["members", 3, ""]]
    assert "belongs to a form" in table["rule"].iloc[1]


@pytest.mark.parametrize(
    ("forms", "rows", "place"),
    [
        ([*FORMS[:2], ("widow", "owner", 2)], [(4, 2, 1), (5, 1, 2)], [["form", 3, ""], ["form", 4, ""]]),
        (FORMS, [(4, 1, 1), (4, 1, 1), (4, 1, 2)], [["members", 3, ""]]),
    ],
    ids=["two_forms_of_one_number", "a_row_pasted_again"],
)
def test_rows_of_a_roster_that_would_count_twice_are_faults(tmp_path, forms, rows, place):
    """A number that two forms share, and a row that stands there twice; twins have numbers of their own."""
    with pytest.raises(Faults) as caught:
        read(roster(tmp_path, "members", ["age", "_parent_index", "_index"], rows, forms), BOOK)
    assert caught.value.table[["sheet", "row", "letter"]].to_numpy().tolist() == place


def test_a_roster_within_a_roster_belongs_to_the_form_of_the_outer_one(tmp_path):
    """`_parent_index` is then a row of the outer group, `2.0` is 2, and no other form gets its children."""
    path = roster(tmp_path, "members", ["age", "_parent_index", "_parent_table_name"], [(4, "2.0", "homes")])
    with pd.ExcelWriter(path, mode="a") as book:
        outer = pd.DataFrame([(1, 1), (2, 3)], columns=["_index", "_parent_index"])
        outer.to_excel(book, sheet_name="homes", index=False)
    assert read(path, BOOK).frame["dependants_0_5_n"].tolist() == [0, 0, 1]


def test_a_zip_of_central_with_its_repeats(tmp_path):
    """Forms and members in one ZIP; the rows of a rejected form do not count, and are no orphans."""
    forms = CENTRAL.format(questions="block_identity-status,block_housing-tenure,block_leisure-promotion/camps")
    forms += (
        central("active,tenant,1", "uuid:1")
        + central("retired,owner,0", "uuid:2")
        + central("widow,owner,0", "uuid:3", "rejected")
    )
    members = (
        "age,PARENT_KEY,KEY\n4,uuid:1,uuid:1/members[1]\n15,uuid:1,uuid:1/members[2]\n7,uuid:3,uuid:3/members[1]\n"
    )
    with zipfile.ZipFile(tmp_path / "needs.zip", "w") as archive:
        archive.writestr("needs.csv", forms)
        archive.writestr("needs-members.csv", members)
        archive.writestr("media/photo.jpg", b"\xff\xd8")
    found = read(tmp_path / "needs.zip", BOOK)
    assert found.frame["status"].tolist() == ["active", "retired"]
    assert found.frame["dependants_0_5_n"].tolist() == [1, 0]
    assert found.frame["dependants_12_17_n"].tolist() == [1, 0]
    assert found.frame["dependants_6_11_n"].tolist() == [0, 0]


def zipped(folder, **files):
    with zipfile.ZipFile(folder / "a.zip", "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return folder / "a.zip"


TWO = CENTRAL.format(questions="status,tenure") + central("active,tenant", "u1") + central("retired,owner", "u2")
LINKED = "{age},PARENT_KEY,KEY\n3,u1,u1/p[1]\n40,u1,u1/p[2]\n8,u2,u2/p[1]\n"
COUNTS = {"0_5": [1, 0], "6_11": [0, 1], "25_59": [1, 0], "60_over": [0, 0]}


@pytest.mark.parametrize("age", ["member-age", "Âge de la personne", "Quel est l’âge de cette personne ?", "عمر الفرد"])
def test_the_ages_of_a_roster_in_a_group_or_in_words(tmp_path, age):
    """The column of ages has its name behind groups, or a question of nothing but the age of a person."""
    files = {"needs.csv": TWO, "needs-members.csv": LINKED.format(age=age)}
    found = read(zipped(tmp_path, **files), BOOK).frame
    assert {band: found[f"dependants_{band}_n"].tolist() for band in COUNTS} == COUNTS


@pytest.mark.parametrize("age", ["age_months", "âge au mariage", "age,age"])
def test_other_ages_of_a_roster_are_none(tmp_path, age):
    """Months, an age at an event, and two columns of ages give no counts; the rows are said to be left out."""
    lines = LINKED.format(age=age).replace("\n3,", "\n3,3,").replace("\n40,", "\n40,40,").replace("\n8,", "\n8,8,")
    text = lines if age == "age,age" else LINKED.format(age=age)
    found = read(zipped(tmp_path, **{"needs.csv": TWO, "needs-members.csv": text}), BOOK)
    assert not found.frame.filter(like="dependants_").shape[1]
    assert any("left out" in what and n == 3 for what, n in found.report[["what", "n"]].to_numpy())


def test_a_zip_with_an_empty_repeat_logs_and_media(tmp_path):
    """A repeat that nobody filled in is a header alone; logs of a device and what lies in `media` are no forms."""
    files = {
        "needs.csv": TWO,
        "needs-members.csv": "age,PARENT_KEY,KEY\n",
        "needs - audit.csv": "instance ID,event,node\nu1,question,/data/status\n",
        "media/log.csv": "event,node\nquestion,/data/status\n",
    }
    found = read(zipped(tmp_path, **files), BOOK).frame
    assert found["dependants_0_5_n"].tolist() == [0, 0]


def test_a_form_that_nobody_filled_in_yet_stops_no_other(tmp_path):
    """Of four exports one may be a header alone: it counts no form, and that is said; if all are, it is an error."""
    (tmp_path / "a.csv").write_text("status,tenure\nactive,owner\n")
    (tmp_path / "b.csv").write_text("status,tenure,age\n")
    found = read(tmp_path, BOOK)
    assert found.frame["status"].tolist() == ["active"]
    assert found.report.set_index("what").at["forms of b.csv", "n"] == 0
    (tmp_path / "a.csv").write_text("status,tenure\n")
    with pytest.raises(WelfareError, match="a header and no row"):
        read(tmp_path, BOOK)


def test_a_folder_of_survey_solutions(tmp_path):
    """The ids of assignments make no roster of the forms; what was not asked in a roster is not known."""
    text = (
        SOLUTIONS.format(questions="status\ttenure") + solutions("active\ttenant", "a") + solutions("widow\towner", "b")
    )
    (tmp_path / "needs.tab").write_text(text)
    rows = "a\t1\t4\na\t2\t40\nb\t1\t##N/A##\nb\t2\t-999999999\n"
    (tmp_path / "members.tab").write_text("interview__key\tmembers__id\tage\n" + rows)
    (tmp_path / "assignment__actions.tab").write_text("assignment__id\taction\n1\t1\n")
    found = read(tmp_path, BOOK).frame
    assert found["dependants_0_5_n"].fillna(-1).tolist() == [1, -1]


def test_counts_of_a_form_and_of_its_roster_are_compared(tmp_path):
    """A count on the form that the roster does not give is a fault; so are two rosters that differ."""
    forms = "status,_uuid,dependants_0_5_n\nactive,u1,1\nwidow,u2,2\nretired,u3,\n"
    link = "age,_parent_index,_submission__uuid\n"
    (tmp_path / "a.csv").write_text(forms)
    (tmp_path / "members.csv").write_text(link + "3,1,u1\n4,2,u2\n70,3,u3\n")
    with pytest.raises(Faults) as caught:
        read(tmp_path, BOOK)
    assert caught.value.table[["row", "letter", "column", "value"]].to_numpy().tolist() == [
        [3, "C", "dependants_0_5_n", "2"]
    ]
    (tmp_path / "a.csv").write_text(forms.replace("u2,2", "u2,1"))
    assert read(tmp_path, BOOK).frame["dependants_60_over_n"].tolist() == [0, 0, 1]
    (tmp_path / "children.csv").write_text(link + "3,1,u1\n4,2,u2\n")
    with pytest.raises(Faults, match="as many as in the repeated group"):
        read(tmp_path, BOOK)


def test_four_forms_are_read_one_under_the_other(tmp_path):
    """Files with other columns: every form once, what a file did not ask is not asked, and how they were joined."""
    (tmp_path / "a.csv").write_text("status,tenure,rank\nactive,owner,gardien\n")
    (tmp_path / "b.csv").write_text("tenure;status\ntenant;widow\nowner;widow\n")
    pd.DataFrame({"status": ["orphan"], "tenure": ["family"], "age": [19]}).to_excel(tmp_path / "c.xlsx", index=False)
    whole, named = read(tmp_path, BOOK), read([tmp_path / n for n in ("a.csv", "b.csv", "c.xlsx")], BOOK)
    pd.testing.assert_frame_equal(whole.frame, named.frame)
    assert whole.frame["status"].tolist() == ["active", "widow", "widow", "orphan"]
    assert whole.missing["rank"].tolist() == ["answered", "not_asked", "not_asked", "not_asked"]
    said = whole.report.set_index("what")["n"]
    assert said["files read one under the other, by the names of their columns"] == 3
    assert said["forms of b.csv"] == 2


def test_a_form_in_two_exports_is_a_fault(tmp_path):
    """Last month's export beside this month's: a form that both hold is named in the second, not counted twice."""
    (tmp_path / "a.csv").write_text("status,tenure,_uuid\nactive,owner,u1\nactive,owner,u2\n")
    (tmp_path / "b.csv").write_text("status,tenure,_uuid\nactive,owner,u2\nretired,owner,u3\nretired,owner,u3\n")
    with pytest.raises(Faults) as caught:
        read(tmp_path, BOOK)
    found = caught.value.table[["file", "row", "letter", "column"]].to_numpy().tolist()
    assert found == [["b.csv", 2, "C", "_uuid"], ["b.csv", 4, "C", "_uuid"]]


def test_a_folder_without_forms_and_no_file_at_all_are_errors(tmp_path):
    """Nothing to read is said in a sentence; a folder of other things too."""
    (tmp_path / "notes.txt").write_text("x")
    for paths in (tmp_path, []):
        with pytest.raises(WelfareError, match="no file of forms"):
            read(paths, BOOK)


def test_faults_of_several_files_name_their_file(tmp_path):
    """Row, letter and file of each fault; one person in two files is a fault of the second."""
    (tmp_path / "a.csv").write_text("person_id,status,tenure\nk1,active,owner\n")
    (tmp_path / "b.csv").write_text("status,person_id,colour,tenure\nwidow,k1,x,castle\n")
    with pytest.raises(Faults) as caught:
        read([tmp_path / "a.csv", tmp_path / "b.csv"], BOOK)
    found = caught.value.table[["file", "row", "letter", "column"]].to_numpy().tolist()
    assert found == [["b.csv", 1, "C", "colour"], ["b.csv", 2, "B", "person_id"], ["b.csv", 2, "D", "tenure"]]


def test_partly_labelled_numbers_stay_numbers(tmp_path):
    """0 = none, 9 = 9 and more, 60 = 60 and over are numbers; a label that is a kind of missing is no number."""
    table = pd.DataFrame(
        {
            "status": ["active"] * 4,
            "age": [35.0, 40, 41, 60],
            "children_n": [0.0, 2, 3, 9],
            "rent_dh": [0.0, 1500, 2000, 99999],
        }
    ).assign(tenure="tenant")
    labels = {
        "age": {60: "60 ans et plus"},
        "children_n": {0: "aucun", 9: "9 et plus"},
        "rent_dh": {0: "logé gratuitement", 99999: "refus"},
    }
    pyreadstat.write_sav(table, str(tmp_path / "a.sav"), variable_value_labels=labels)
    found = read(tmp_path / "a.sav", BOOK)
    assert found.frame["children_n"].tolist() == [0, 2, 3, 9]
    assert found.frame["age"].tolist() == [35, 40, 41, 60]
    assert found.frame["rent_dh"].tolist()[:3] == [0, 1500, 2000]
    assert found.missing["rent_dh"].tolist()[3] == "refused"
    labels["children_n"][9] = "non réponse"
    pyreadstat.write_sav(table, str(tmp_path / "a.sav"), variable_value_labels=labels)
    with pytest.raises(Faults) as caught:
        read(tmp_path / "a.sav", BOOK)
    assert caught.value.table[["row", "column"]].to_numpy().tolist() == [[5, "children_n"]]


@pytest.mark.parametrize(
    "header",
    [
        "رقم الهوية",
        "Date of birth",
        "الاسم",
        "CIN",
        "tel",
        "nom",
        "Nom et prénom",
        "Numéro de téléphone",
        "dateNaissance",
    ],
)
def test_personal_columns_are_named_as_such_and_left_out(tmp_path, header):
    """A column that asks who somebody is is not read; no cell of it is anywhere in what comes back."""
    found = opened(tmp_path, f"status,tenure,{header}\nactive,owner,Fatima\n")
    assert found.frame.columns.tolist() == ["status", "tenure"]
    said = found.report[found.report["what"].str.contains("looks personal")]
    assert said["column"].tolist() == [header]
    assert "Fatima" not in found.report.to_string()


@pytest.mark.parametrize(
    ("keys", "kind"),
    [
        (["Fatima Zahra", "Ali Ben Omar"], "names"),
        (["محمد", "فاطمة"], "names"),
        (["AB123456", "J498765"], "identity cards"),
        (["0661234567", "+212661234568"], "phone"),
    ],
)
def test_keys_that_say_who_somebody_is_are_refused(tmp_path, keys, kind):
    """Names, numbers of identity cards and of phones are no random keys; they are not shown."""
    table = faults(tmp_path, "person_id,status,age\n" + "".join(f"{k},active,{40 + i}\n" for i, k in enumerate(keys)))
    assert table["column"].tolist() == ["person_id"]
    assert kind in table["rule"].iloc[0]
    assert keys[0] not in table.to_string()


def test_headers_with_markup_or_too_long_are_told_with_their_letter(tmp_path):
    """The letter of the column, and its text without markup, cut."""
    long = "Combien de personnes vivent dans le logement que vous occupez en ce moment ?"
    text = f'status;"<span style=""color:red"">*</span> Votre couleur ?";{long}\nactive;35;x\n'
    table = faults(tmp_path, text)
    assert table["letter"].tolist() == ["B", "C"]
    assert table["value"].tolist() == ["* Votre couleur ?", f"{long[:40]}…"]


def test_a_proposal_never_makes_the_next_fault(tmp_path):
    """`tenure_other` beside `tenure` is not to be renamed to a name that is taken."""
    table = faults(tmp_path, "status,tenure,tenure_other\nactive,owner,x\n")
    assert "tenure" not in table["what_to_do"].iloc[0]
    table = faults(tmp_path, "status,tenure,promotion_camps,promotion_other\nactive,owner,yes,x\n")
    assert "Rename" not in table["what_to_do"].iloc[0]


def test_a_required_column_under_another_name_is_one_fault(tmp_path):
    """The header that is nearly `status` is the cause; that `status` is lacking follows from it."""
    table = faults(tmp_path, "statuss,tenure\nactive,owner\n")
    assert table["column"].tolist() == ["statuss"]
    assert table["what_to_do"].tolist() == ["Rename it status, or remove it."]


def test_letters_of_excel_are_decoded_and_letters_that_a_terminal_obeys_are_not_written(tmp_path):
    """`_x000D_` is a line break; an escape in a cell or a header is written out."""
    pd.DataFrame({"status": ["active_x000D_"], "tenure": ["owner"]}).to_excel(tmp_path / "a.xlsx", index=False)
    assert read(tmp_path / "a.xlsx", BOOK).frame["status"].tolist() == ["active"]
    table = faults(tmp_path, "status,tenure,\x1b[31mx\nactive,\x1b]0;own,1\n")
    assert "\x1b" not in table.to_csv()


def test_columns_that_disagree_on_two_items_are_no_row_that_moved(tmp_path):
    """Of a short form they are most of the row: each pair is named all the same."""
    with pytest.raises(Faults) as error:
        opened(tmp_path, "status,promotion,promotion/camps,promotion/hajj\nactive,camps,0,1\nactive,camps,1,0\n")
    assert set(error.value.table["row"]) == {2}
    assert error.value.table["rule"].str.startswith("the same answer as in").sum() == len(error.value.table) == 4


def test_a_question_of_a_group_that_is_not_ours_is_told_by_its_header(tmp_path):
    """`souhait/tenure` may be another question than ours: who reads the report sees which column was taken."""
    text = "identity/status,identity/sex,souhait/tenure,_uuid\nactive,m,owner,u1\n"
    told = opened(tmp_path, text).report.set_index("column")["what"]
    assert "souhait/tenure" in told["tenure"]
    assert "souhait" not in told["status"]


def test_items_in_the_words_of_an_earlier_form(tmp_path):
    """Answers that were collected before a label changed: `wordings.csv` keeps it, and its comma parts nothing."""
    words = "une réduction sur le train, un transport du personnel, du quartier au travail"
    found = opened(tmp_path, f'status,transport_wish\nactive,"{words}"\n').frame.loc[0]
    assert [found[f"transport_wish_{item}"] for item in ("shuttle", "rail", "coach")] == ["yes", "yes", "no"]


def test_groups_of_one_question_each_are_groups(tmp_path):
    """`identite/status` and `logement/tenure`: no group has two of our questions, and both are told."""
    found = opened(tmp_path, "identite/status,logement/tenure\nactive,owner\n")
    assert found.frame.loc[0, ["status", "tenure"]].tolist() == ["active", "owner"]
    assert found.report["what"].str.contains("of a group of the form's own").sum() == 2


def test_words_behind_other_do_not_say_what_a_group_is(tmp_path):
    """`log/tenure` beside `log/tenure_other` is the question: the words are one fault, the answer none."""
    table = faults(tmp_path, "id/status,id/sex,log/tenure,log/tenure_other\nactive,m,other,barge\n")
    assert table["column"].tolist() == ["log/tenure_other"]


def test_a_group_of_central_is_no_part_of_a_name(tmp_path):
    """`home-tenure` is `tenure` in a group `home`, and not the question `home_tenure`."""
    text = CENTRAL.format(questions="home-status,home-tenure") + central("active,owner", "uuid:1")
    assert opened(tmp_path, text).frame.loc[0, ["status", "tenure"]].tolist() == ["active", "owner"]
    with pytest.raises(Faults, match="did you mean home_tenure"):
        opened(tmp_path, CENTRAL.format(questions="status,home-tenure") + central("active,owner", "uuid:1"))


def test_orphan_rows_of_a_roster_are_left_out_as_wished(tmp_path, monkeypatch):
    """OMIT=orphans, or the argument: they are counted in what was accepted."""
    path = roster(tmp_path, "members", ["age", "_parent_index"], [(3, 1), (4, 9), (5, 2)])
    with pytest.raises(Faults) as caught:
        read(path, BOOK)
    assert "OMIT=orphans" in caught.value.table["what_to_do"].iloc[0]
    found = read(path, BOOK, omit="orphans")
    assert found.frame["dependants_0_5_n"].tolist() == [1, 1, 0]
    what = "rows of the repeated group 'members' left out: their form is not there"
    assert found.report.set_index("what").at[what, "n"] == 1
    assert found.reviews["orphans"] == 1
    monkeypatch.setenv("OMIT", "orphans")
    assert read(path, BOOK).frame.equals(found.frame)


def test_a_map_names_items_of_a_question_of_several_answers(tmp_path):
    """Its own words for an item, alone or among others, in one column or a column a place."""
    lines = "code,promotion,COL HAJ,hajj\ncode,promotion,COL,camps\n"
    (tmp_path / "map.csv").write_text(f"kind,variable,from,to\n{lines}", encoding="utf-8")
    (tmp_path / "a.csv").write_text("status,promotion\nactive,COL HAJ\nactive,COL COL HAJ\nactive,clubs;COL\n")
    found = read(tmp_path / "a.csv", BOOK, Map.read(tmp_path / "map.csv", BOOK)).frame
    told = [
        [item for item in ("camps", "hajj", "clubs") if row[f"promotion_{item}"] == "yes"]
        for _, row in found.iterrows()
    ]
    assert told == [["hajj"], ["camps", "hajj"], ["camps", "clubs"]]
    (tmp_path / "map.csv").write_text("kind,variable,from,to\ncode,promotion,COL,-98\n", encoding="utf-8")
    with pytest.raises(WelfareError, match="no code of the list"):
        Map.read(tmp_path / "map.csv", BOOK)
