"""The page of search: every section of every page, found by its words in three languages."""

import json

import dukpy
import pytest

from welfare_analysis.publishing.report import SITE
from welfare_analysis.publishing.searching import sections, words

BODY = """<h1 id="homes">How many homes</h1><p>Dwellings, of <a href="x">members</a>.</p>
<pre class="code">secret_call()</pre>
<table><caption>Table 6.1. Rents</caption><tbody><tr><td>1,234</td></tr></tbody></table>
<h2 id="where">Où habitent-ils ?</h2><p>À Rabat &amp; Salé.</p>"""
# an engine without Unicode's tables: the letters of the test alone
ENGINE = "String.prototype.normalize = function () { return this.replace(/é/g, 'e\\u0301'); };"
PAGES = [{"page": "Homes", "title": "Where", "href": "6#a", "text": "Rabat and Salé in the east"}]
PAGES += [{"page": "Homes", "title": "In Salé", "href": "6#b", "text": "rabat"}]
PAGES += [{"page": "القروض", "title": "الأجر", "href": "7#a", "text": "كَم يَقترِضون"}]


def test_a_section_has_its_text_and_no_code_or_cell():
    """Captions are text; what stands in the cells of a table is in its file."""
    first, second = sections([("06.html", "How many homes", BODY)])
    assert first["text"] == "Dwellings, of members . Table 6.1. Rents"
    assert second == {
        "page": "How many homes",
        "title": "Où habitent-ils ?",
        "href": "06.html#where",
        "text": "À Rabat & Salé.",
    }
    assert words("<p>a&lt;b</p>") == "a<b"


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("rabat sale", ["6#a", "6#b"]),
        ("SALÉ", ["6#b", "6#a"]),
        ("east", ["6#a"]),
        ("الاجر", ["7#a"]),
        ("كم يقترضون", ["7#a"]),
        ("rabat nowhere", []),
        ("", []),
    ],
)
def test_all_words_are_found_whatever_their_accents_and_marks(asked, expected):
    """A title that holds all words comes first; nothing is found for nothing."""
    script = (SITE / "search.js").read_text(encoding="utf-8").replace('"use strict";', "")
    run = (
        f"{ENGINE}{script}; found({json.dumps(PAGES)}, {json.dumps(asked)}).map(function (one) {{ return one.href; }})"
    )
    assert dukpy.evaljs(run) == expected


def test_the_words_around_are_shown():
    """From some words before the first hit; the whole text where it is short."""
    script = (SITE / "search.js").read_text(encoding="utf-8").replace('"use strict";', "")
    text = " ".join(f"w{i}" for i in range(60))
    run = f"{ENGINE}{script}; [around({json.dumps(text)}, 'w40 x'), around('one two', 'two')]"
    cut, whole = dukpy.evaljs(run)
    assert cut.startswith("… w28 ")
    assert cut.endswith(" w57 …")
    assert whole == "one two"
