"""The summary on paper: what stands on the page, tagged for screen readers, and no sign of a text taken for markup."""

import base64
import html
import json
import re
from pathlib import Path

import nbformat
import pytest
import typst
from books import BOOK
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from wording import Wording

from welfare_analysis.disclosure import policy
from welfare_analysis.errors import WelfareError
from welfare_analysis.publishing import pdf
from welfare_analysis.publishing.glossary import explain, glossary
from welfare_analysis.publishing.report import around, render
from welfare_analysis.publishing.verbs import in_ten
from welfare_analysis.study import ROOT

DOT = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
SIGNS = r'#let x = 1; *a* _b_ [c] $d$ "e" \f <g> @h `i` // j /* k */ {l} ~ = - + 1. https://m.ma'


def pages(path: Path) -> int:
    return len(re.findall(rb"/Type/Page\b", path.read_bytes()))


STUDY = Wording(codebook=BOOK, language="en")


@pytest.fixture
def labels():
    return around("en") | {"made": "Made today"}


def write(tmp_path: Path, body: str, labels: dict[str, str], language: str = "en") -> Path:
    path = tmp_path / "summary.pdf"
    pdf.write("A title", body, path, labels, language)
    return path


def test_no_sign_of_a_text_is_markup(tmp_path, labels):
    """Each stands as it was written, in a paragraph, an item and a heading."""
    body = f"<p>{html.escape(SIGNS)}</p><ul><li>{html.escape(SIGNS)}</li></ul><h2>{html.escape(SIGNS)}</h2>"
    assert pdf.document(body).count(f"#{pdf.quoted(SIGNS)};") == 3
    write(tmp_path, f"<h1>A</h1>{body}", labels)
    source = (
        f"#let all = [{pdf.document(f'<p>{html.escape(SIGNS)}</p>')}]\n#metadata(all.children.last().body.text) <t>"
    )
    assert typst.query(source.encode(), "<t>", field="value", one=True) == json.dumps(SIGNS)


def test_what_means_nothing_on_paper_is_left_out():
    """Code, hints for a screen and links to files; the text of other links stays."""
    body = (
        '<p>a <a href="b.html">link</a></p><pre class="code"><code>x = <b>1</b></code></pre>'
        '<figure><p class="hint">slide</p><div class="wide"><img src="images/a.png" width="1" alt="An alt"></div>'
        '<figcaption>Figure 1. <span class="data">Data: <a href="c.csv">c.csv</a></span></figcaption></figure>'
        "<p>end</p>"
    )
    made = pdf.document(body)
    assert all(
        word in made for word in ('"a "', '"link"', '"Figure 1. "', '#image("/images/a.png", alt: "An alt")', '"end"')
    )
    assert not re.search(r"slide|c\.csv|Data|x = |\b1\b(?!\.)", made.replace("Figure 1", ""))
    assert made.count("[") == made.count("]")


def test_words_of_a_line_stay_apart():
    """A space between two tags is one, and an interval is not torn."""
    made = pdf.document('<p><strong>About</strong> <em>3</em> <span class="interval">(1\u20132)</span> in 10</p>')
    assert re.sub(r'#(?:strong|emph|unbroken|par)\[|[\]\n]|#"|";', "", made) == "About 3 (1\u20132) in 10"
    assert '#unbroken[#"(1\u20132)";]' in made


@pytest.mark.parametrize("language", ["ar", "fr", "en"])
def test_the_pdf_is_tagged_and_says_its_language_and_title(tmp_path, language):
    """PDF/UA-1, as typst checks it; short sections share a page."""
    labels = around(language) | {"made": "-"}
    body = "<h1>One</h1><blockquote><p>None of it is real.</p></blockquote><h2>Two</h2><p>a</p><h2>Three</h2><p>b</p>"
    data = write(tmp_path, body, labels, language).read_bytes()
    assert b"<pdfuaid:part>1" in data
    assert b"A title" in data
    assert f"<rdf:li>{language}" in data.decode("latin-1") or f"/Lang({language})" in data.decode("latin-1")
    assert pages(tmp_path / "summary.pdf") == 1


def test_a_picture_without_words_is_no_tagged_pdf(tmp_path, labels):
    """What a screen reader cannot say stops the report, as a fault of the program."""
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "a.png").write_bytes(base64.b64decode(DOT))
    write(tmp_path, '<img src="images/a.png" alt="A dot">', labels)
    with pytest.raises(KeyError):
        write(tmp_path, '<img src="images/a.png">', labels)


def test_the_summary_is_written_for_paper_in_each_language(tmp_path):
    """Beside its page; every page leads to it; other pages have none."""
    picture = new_output("display_data", {"image/png": DOT}, metadata={"image/png": {"alt": "A dot"}})
    cells = [new_markdown_cell("# Title\n\n## Homes"), new_code_cell("draw()", outputs=[picture])]
    render({"00_guide": new_notebook(cells=cells[:1]), "14_summary": new_notebook(cells=cells)}, tmp_path)
    for language in ("ar", "fr", "en"):
        assert [path.name for path in (tmp_path / language).glob("*.pdf")] == ["14_summary.pdf"]
        assert 'href="14_summary.pdf"' in (tmp_path / language / "index.html").read_text(encoding="utf-8")
    render({"00_guide": new_notebook(cells=cells[:1])}, tmp_path / "other")
    assert ".pdf" not in (tmp_path / "other" / "en" / "index.html").read_text(encoding="utf-8")


def test_the_committed_summary_has_nine_sections_behind_its_first_page():
    """A page each; the tenth is the title's."""
    notebook = nbformat.read(ROOT / "notebooks" / "14_summary.ipynb", 4)
    assert sum(cell.source.startswith("## ") for cell in notebook.cells) == 9


@pytest.mark.parametrize(
    ("share", "said"),
    [(0.274, "1 in 4"), (0.293, "3 in 10"), (0.614, "6 in 10"), (0.33, "1 in 3"), (0.042, "1 in 25"),
     (0.019, "1 in 50"), (0.0049, "Fewer than 1 in 100"), (0.0051, "1 in 100"), (0.97, "9 in 10"), (0.74, "3 in 4")],
)  # fmt: skip
def test_a_share_in_words_is_the_nearest_plain_fraction(share, said):
    assert in_ten(STUDY, share).removeprefix("About ") == said


def test_words_are_explained_with_the_thresholds_of_the_policy():
    """By their English names, in the language of the study; a wrong name says which are near."""
    known = glossary("en", lambda text, _: text)
    assert f"to {policy().step('totals'):g} at the finest" in known["rounding"].meaning
    assert explain(STUDY, "follow-up", "member").data == "\n".join(
        f"- **{known[word].name}**: {known[word].meaning}" for word in ("follow-up", "member")
    )
    with pytest.raises(WelfareError, match=r"no such word.*follow-ups"):
        explain(STUDY, "follow-ups")


def test_ten_pages_are_ten(tmp_path):
    """The summary as it is kept, with its pictures, has no more pages than its title says."""
    kept = nbformat.read(ROOT / "notebooks" / "14_summary.ipynb", as_version=4)
    assert kept.cells[0].source.startswith("# The survey in ten pages")
    guide = new_notebook(cells=[new_markdown_cell("# Title")])
    render({"00_guide": guide, "14_summary": kept}, tmp_path)
    assert 5 < pages(tmp_path / "en" / "14_summary.pdf") <= 10
