"""Paper forms: numbered, with skip instructions, in the direction of the language."""

import re
from dataclasses import replace
from html import unescape

import pandas as pd
import pytest
from books import BOOK

from welfare_analysis.survey import paper

LIMITS = {"least": 10, "base": 30}


@pytest.fixture(scope="module")
def pages():
    """Forms of two statuses in two languages."""
    found = [(s, language) for s in ("active", "orphan") for language in ("ar", "fr")]
    return {key: "".join(paper.pages(BOOK, *key, **LIMITS).values()) for key in found}


def numbers(page):
    """The numbers of the questions as they stand, part by part."""
    return [[int(n) for n in re.findall(r"<b>(\d+)\.</b>", part)] for part in page.split('<h1 class="insert">')]


def test_a_page_runs_in_the_direction_of_its_language(pages):
    """Arabic from the right, French from the left; the language is named for readers by voice."""
    assert '<html lang="ar" dir="rtl">' in pages["active", "ar"]
    assert '<html lang="fr" dir="ltr">' in pages["active", "fr"]


@pytest.mark.parametrize("key", [("active", "ar"), ("active", "fr"), ("orphan", "ar"), ("orphan", "fr")])
def test_questions_are_numbered_through(pages, key):
    """The first part counts from 1; each insert goes on from it; together they are the questions of the status."""
    first, *inserts = numbers(pages[key])
    assert first == list(range(1, len(first) + 1))
    assert len(inserts) == 12
    for i, insert in enumerate(inserts):
        asked = BOOK.questions(status=key[0], module=BOOK.codes("module")[i // 4])
        assert insert == list(range(len(first) + 1, len(asked) + 1))


def test_form_and_insert_have_a_place_for_the_key():
    """The first page promises a random key: it is written there and on each insert, which else nobody could join."""
    found = paper.pages(BOOK, "active", "fr", **LIMITS)
    place = f'<p class="key">{BOOK.asks("person_id", "fr")}: {paper.LINE}</p>'
    assert found["form"].split("<h2>")[0].count(place) == 1
    assert "insert" not in found["form"].split("</style>")[1]
    inserts = found["inserts"].split('<h1 class="insert">')[1:]
    assert [text.count(place) for text in inserts] == [1] * 12


def test_the_list_of_visits_has_a_line_a_person():
    """Key, labels and a box an outcome, under the stratum, in the direction of the language; a key is never markup."""
    rows = [("a|b", "K1", "active"), ("a|b", "<K2>", "widow"), ("c", "K3", "retired")]
    drawn = pd.DataFrame(rows, columns=["stratum", "person_id", "status"]).assign(rank="gardien", command="nador")
    page = paper.visits(BOOK, drawn, "ar")
    assert 'dir="rtl"' in page
    assert re.findall(r"<h2>(.*?)</h2>", page) == ["a|b", "c"]
    assert page.count(paper.BOX) == 9
    assert "&lt;K2&gt;" in page
    assert f"{BOOK.label('status', 'widow', 'ar')}, " in unescape(page)


def test_skips_go_forward_to_a_question_of_the_form(pages):
    """Each instruction names an earlier question as its gate and a later one to go to."""
    page = pages["active", "fr"].split('<h1 class="insert">')[0]
    told = re.findall(
        r'<p class="if">Seulement si, à la question (\d+)[^<]*?passez à la question (\d+)</p>.*?<b>(\d+)', page
    )
    assert len(told) > 4
    last = numbers(pages["active", "fr"])[0][-1]
    for gate, target, here in (map(int, line) for line in told):
        assert gate < here < target <= last


def test_a_skip_names_the_right_questions(pages):
    """Those who want no home go on to the first question that is not about the wish (by place in the codebook)."""
    page = pages["active", "fr"].split('<h1 class="insert">')[0]
    order = [q for q in BOOK.questions(status="active") if not BOOK.routes(q.members[0]).get("module")]
    place = {q.name: i for i, q in enumerate(order, 1)}
    text = f"à la question {place['wants_home']} : oui; sinon, passez à la question {place['net_pay_dh']}"
    assert text in unescape(page)


def test_every_option_and_item_can_be_ticked(pages):
    """All labels of the status stand on the page, in its language."""
    page = unescape(pages["orphan", "ar"])
    for question in BOOK.questions(status="orphan"):
        for name in question.members:
            if question.kind != "cards":
                assert BOOK.asks(name, "ar") in page
            if question.kind in ("code", "yes_no", "scale"):
                code_list = BOOK.variables.loc[name, "list"]
                assert all(BOOK.label(code_list, code, "ar") in page for code in BOOK.codes(code_list))


def test_both_languages_ask_the_same(pages):
    """The same numbers, boxes and lines in Arabic and in French."""
    for status in ("active", "orphan"):
        one, other = pages[status, "ar"], pages[status, "fr"]
        assert numbers(one) == numbers(other)
        assert [one.count(mark) for mark in (paper.BOX, paper.LINE)] == [
            other.count(m) for m in (paper.BOX, paper.LINE)
        ]


def test_each_version_has_its_cards(pages):
    """Four versions of each module; the cards of one version stand on its insert, six of them."""
    insert = pages["active", "fr"].split('<h1 class="insert">')[2]
    assert BOOK.text("form.insert", "fr", module="A", version=2) in unescape(insert)
    tables = re.findall(r"Carte (\d)<table>", insert)
    assert tables == [str(i) for i in range(1, 7)]
    design = BOOK.designs.query("block == 'home' and version == '2' and card == '5' and alternative == 'social_flat'")
    price = f"{int(design['price_dh'].iloc[0]):,}".replace(",", "\u202f")
    assert price in insert.split("Carte 5<table>")[1].split("</table>")[0]


def test_labels_are_text_and_never_markup():
    """A label with markup in it is shown, not run."""
    variables = BOOK.variables.assign(label_fr=BOOK.variables["label_fr"].replace({"Sexe": "<script>x</script>"}))
    page = paper.pages(replace(BOOK, variables=variables), "active", "fr", **LIMITS)["form"]
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
