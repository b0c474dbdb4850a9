"""The report: whole or not at all, safe, offline, and only as much work as needed."""

import os
import re
import stat
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import pandas as pd
import pytest
from nbformat import NotebookNode

from welfare_analysis.__main__ import as_text, main
from welfare_analysis.disclosure import Released, policy
from welfare_analysis.disclosure.registry import rows
from welfare_analysis.errors import WelfareError
from welfare_analysis.publishing import kernels
from welfare_analysis.publishing.calendars import KIND
from welfare_analysis.publishing.execution import run_in_place
from welfare_analysis.publishing.folders import replacing
from welfare_analysis.publishing.markup import explained, formula, markdown, table
from welfare_analysis.publishing.report import SITE, around, confidentiality, publish, render
from welfare_analysis.study import DATA

DOT = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
PICTURE = f"""from IPython.display import display
data = {{"image/png": "{DOT}", "text/plain": "fingerprint"}}
display(data, raw=True, metadata={{"image/png": {{"alt": 'Rent & "rooms"'}}}})"""
CELLS = pd.DataFrame({"g": list("abcd"), "estimate": [0.1, 0.2, 0.3, None], "flag": ["", "", "caution", "hidden"]})
SURVEY = "import os\nprint(os.environ.get('SURVEY', 'stand-in'), os.getcwd().endswith('notebooks'))"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a repository of two notebooks."""
    for name in ("src", "data", "notebooks"):
        (tmp_path / name).mkdir()
    (tmp_path / "data" / "a.csv").write_text("1")
    (tmp_path / "requirements.txt").write_text("")
    write(tmp_path / "notebooks" / "00_guide.ipynb", "# Guide\n\n## First\n\n[next](04_life.ipynb)", SURVEY)
    write(tmp_path / "notebooks" / "04_life.ipynb", "# Life\n\n> None of it is real.", PICTURE)
    return tmp_path


def write(path: Path, text: str, *sources: str) -> None:
    """Write a notebook of one text and some code cells."""
    cells = [nbformat.v4.new_markdown_cell(text), *map(nbformat.v4.new_code_cell, sources)]
    for number, cell in enumerate(cells):
        cell["id"] = f"cell-{number}"
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)


def read(published, page="index.html", language="en"):
    """Return a page of a report."""
    return (published.front.parent / language / page).read_text()


def test_report_is_a_private_site_of_all_pages(root, monkeypatch):
    """Pages, pictures and style are there, closed to others; the notebooks are not written; own paths are absolute."""
    before = (root / "notebooks" / "00_guide.ipynb").read_bytes()
    own = root / "answers.csv"
    own.write_text("x")
    monkeypatch.chdir(root)
    front = publish(root, variables={"SURVEY": "answers.csv"}).front.parent / "en" / "index.html"
    life = (front.parent / "04_life.html").read_text()
    assert stat.S_IMODE((root / "build").stat().st_mode) == 0o700
    assert f"{own} True" in front.read_text()
    assert 'href="04_life.html"' in front.read_text()
    assert '<html lang="en" dir="ltr">' in life
    assert 'alt="Rent &amp; &quot;rooms&quot;"' in life
    assert "<pre" not in re.sub(r'<pre class="code".*?</pre>', "", life, flags=re.DOTALL)
    assert life.count('<input type="checkbox" id="code">') == 1
    assert "<blockquote>" in life
    assert (front.parent / "images" / "04_life-1.png").read_bytes().startswith(b"\x89PNG")
    assert not re.search(r"<script|https?:|//", re.sub(r"<pre.*?</pre>", "", life, flags=re.DOTALL))
    assert (root / "notebooks" / "00_guide.ipynb").read_bytes() == before


def test_only_what_changed_is_run_again(root):
    """New text and its translation need no run; new code, data or answers do."""
    path, done = root / "notebooks" / "00_guide.ipynb", root / "build" / "notebooks" / "00_guide.ipynb"
    publish(root, variables={})
    first = done.stat().st_mtime_ns
    write(path, "# Another title", SURVEY)
    (root / "data" / "prose" / "fr").mkdir(parents=True)
    (root / "data" / "prose" / "fr" / "00_guide.po").write_text("")
    assert "Another title" in read(publish(root, variables={}))
    assert done.stat().st_mtime_ns == first
    (root / "data" / "a.csv").write_text("2")
    publish(root, variables={})
    assert done.stat().st_mtime_ns != first


def test_no_study_leaves_no_report_that_could_be_taken_for_its_own(root):
    """The first cell opens the study: if it fails it is named; the report of before goes with the next one."""
    old = read(publish(root, variables={}))
    write(root / "notebooks" / "04_life.ipynb", "# Life", "1 / 0")
    with pytest.raises(WelfareError, match=r"04_life.ipynb, cell 1.*ZeroDivisionError"):
        publish(root, variables={})
    assert not (root / "build" / "report").exists()
    assert (root / "build" / "report.before" / "en" / "index.html").read_text() == old
    write(root / "notebooks" / "04_life.ipynb", "# Life", "1 / 1")
    publish(root, variables={})
    assert {p.name for p in (root / "build").iterdir()} == {"report", "notebooks"}


def test_the_report_says_what_it_does_not_publish_and_why(root):
    """A page of its own in each language, to which all others lead, with the share of cells that is shown by page."""
    cells = rows(Released("t", "share", "x", ("g",), "share", frame=CELLS, state="shown")).assign(page="04_life")
    titles = {"en": {"04_life": "Life"}, "fr": {"04_life": "La vie"}}
    text = "\n".join(cell.source for cell in confidentiality(cells, titles).cells)
    assert {
        "| Life | 4 | 100 % | 75 % |",
        "| all | 4 | 100 % | 75 % |",
        "| La vie | 4 | 100\u202f% | 75\u202f% |",
    } <= set(text.splitlines())
    published = publish(root, variables={})
    for language in ("ar", "fr", "en"):
        assert 'href="confidentiality.html"' in read(published, "04_life.html", language)
        assert "min_base" not in read(published, "confidentiality.html", language)
        page = read(published, "confidentiality.html", language).partition("<main")[2]
        assert page.count(around(language)["shown"]) == 1
        assert 'class="notice"' not in page
        assert 'lang="en" dir="ltr"' not in page
    assert (published.front.parent / "hidden.csv").read_text().startswith("page,table,rule,hidden,cells")


REFUSES = """import welfare_analysis.publishing
from welfare_analysis.errors import WelfareError
raise WelfareError("nobody of a group answered", where="/home/somebody/a.csv", got="Fatima")"""


@pytest.mark.parametrize("language", ["ar", "fr", "en"])
def test_a_result_that_cannot_be_made_says_so_in_its_place(root, language):
    """An error of the house gives its clause, any other none; the cells behind it and the other pages are there."""
    write(root / "notebooks" / "04_life.ipynb", "# Life", "x = 1", REFUSES, "{}['Fatima']", "print('kept')")
    published = publish(root, variables=os.environ)
    page, log = read(published, "04_life.html", language), root / "build" / "report.log"
    shown = re.sub(r'<pre class="code".*?</pre>', "", page, flags=re.DOTALL)
    assert around(language)["gap"] in shown
    assert around(language)["error"] in shown
    assert '(<bdi lang="en">nobody of a group answered</bdi>)' in shown
    assert "kept" in shown
    assert not re.search("somebody|Fatima|Error|Traceback", shown)
    assert (published.gaps, published.errors) == ({"04_life": 2}, 1)
    assert "KeyError: 'Fatima'" in log.read_text()
    assert stat.S_IMODE(log.stat().st_mode) == 0o600
    write(root / "notebooks" / "04_life.ipynb", "# Life", "x = 1", "print('kept')")
    assert not publish(root, variables={}).gaps
    assert not log.exists()


def test_a_page_with_a_gap_is_run_again(root):
    """What failed once may be made the next time; a page that is whole is not run again."""
    source = "from pathlib import Path\nn = Path('n')\nn.write_text(n.read_text() + '+' if n.exists() else '+')"
    write(root / "notebooks" / "04_life.ipynb", "# Life", source, "assert n.read_text() != '+'")
    assert publish(root, variables={}).gaps
    assert not publish(root, variables={}).gaps
    assert not publish(root, variables={}).gaps
    assert (root / "notebooks" / "n").read_text() == "++"


def test_a_kernel_that_dies_takes_its_own_results_alone(root):
    """The cells that were not run say that they lack a result; what was made before stays."""
    write(root / "notebooks" / "04_life.ipynb", "# Life", "print('kept')", "import os\nos._exit(1)", "print('lost')")
    published = publish(root, variables={})
    page = read(published, "04_life.html")
    assert "kept" in page
    assert page.count(around("en")["error"]) == published.errors == 2


def test_a_committed_notebook_never_takes_a_gap(root):
    """In place a failing cell stops the run, and its notebook stays as it was."""
    path = root / "notebooks" / "04_life.ipynb"
    write(path, "# Life", "x = 1", "1 / 0")
    before = path.read_bytes()
    with pytest.raises(WelfareError, match=r"04_life.ipynb, cell 2.*ZeroDivisionError"):
        run_in_place([path], {}, root, lambda _: None)
    assert path.read_bytes() == before


def test_no_page_and_no_kept_notebook_shows_a_warning(root):
    """What goes to stderr names files and users of the machine: it is on no page; the progress says that it was."""
    source = "import warnings, sys\nwarnings.warn('/home/somebody/file.py')\nprint('kept')\nprint('x', file=sys.stderr)"
    write(root / "notebooks" / "04_life.ipynb", "# Life", source)
    lines = []
    page = read(publish(root, variables={}, say=lines.append), "04_life.html")
    shown = re.sub(r'<pre class="code".*?</pre>', "", page, flags=re.DOTALL)
    assert "kept" in shown
    assert not re.search("somebody|Warning|x</pre>", shown)
    assert sorted(re.sub(r"\d+ s", "0 s", line) for line in lines) == [
        "00_guide: 0 s",
        "04_life: 0 s, with warnings (`make lab` shows them)",
    ]


@pytest.mark.skipif(not kernels.FORKS, reason="this operating system is not known to fork well")
def test_a_kernel_starts_with_the_library_imported_and_the_study_open(root):
    """Each page runs in a process of its own, with its own variables, where `Study.open` gives what is open already."""
    source = """import os, sys
print("welfare_analysis.publishing" in sys.modules, os.getcwd(), os.environ["WELFARE_PUBLISHED"])
from welfare_analysis.study import Study, _opened
Study.open()
print(_opened.cache_info().misses, os.getpid())"""
    write(root / "notebooks" / "04_life.ipynb", "# Life", source)
    write(root / "notebooks" / "05_more.ipynb", "# More", source)
    run = f"from welfare_analysis.publishing.report import publish; publish(__import__('pathlib').Path({str(root)!r}))"
    subprocess.run([sys.executable, "-c", run], check=True)  # a process of its own has a fork server of its own
    notebooks = [nbformat.read(root / "build" / "notebooks" / f"{stem}.ipynb", 4) for stem in ("04_life", "05_more")]
    said = [notebook.cells[-1].outputs[0].text.split() for notebook in notebooks]
    folder = root / "build" / "notebooks"
    assert [one[:4] for one in said] == [
        ["True", str(root / "notebooks"), str(folder / f"{stem}.cells.csv"), "1"] for stem in ("04_life", "05_more")
    ]
    assert said[0][4] != said[1][4]


def test_keys_of_kernels_lie_in_a_private_folder_and_go(root):
    """The connection file is readable by its owner alone, under build; that of a killed run goes with the next."""
    source = (
        "import stat\nfrom pathlib import Path\nfrom ipykernel import get_connection_file\n"
        "p = Path(get_connection_file())\nprint(oct(stat.S_IMODE(p.stat().st_mode)), p.parents[2].name)"
    )
    write(root / "notebooks" / "04_life.ipynb", "# Life", source)
    left = root / "build" / "notebooks" / ".kernels-killed"
    left.mkdir(parents=True)
    page = read(publish(root, variables={}), "04_life.html")
    assert "0o600 build" in page
    assert not list((root / "build" / "notebooks").glob(".kernels-*"))


def test_a_full_disk_leaves_the_folder_as_it_was(tmp_path):
    """A folder is replaced when all of it is written; an error on the way leaves the old one and nothing else."""
    (tmp_path / "form").mkdir()
    (tmp_path / "form" / "old").write_text("old")
    with pytest.raises(OSError, match="No space"), replacing(tmp_path / "form") as folder:  # noqa: PT012
        (folder / "new").write_text("half")
        raise OSError(28, "No space left on device")
    assert [p.relative_to(tmp_path).as_posix() for p in sorted(tmp_path.rglob("*"))] == ["form", "form/old"]
    with replacing(tmp_path / "form") as folder:
        (folder / "new").write_text("whole")
    assert [p.relative_to(tmp_path).as_posix() for p in sorted(tmp_path.rglob("*"))] == ["form", "form/new"]


def test_what_a_killed_run_left_of_a_folder_goes_with_the_next(tmp_path):
    """Killed while it writes: the old folder is whole, the next run ends as any, and a reader's own copy stays."""
    code = "import os, sys; from pathlib import Path; from welfare_analysis.publishing.folders import replacing\n"
    code += "with replacing(Path(sys.argv[1])) as folder: (folder / 'half').touch(); os.kill(os.getpid(), 9)"
    for name in ("report", "report-mine"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "whole").touch()
    assert subprocess.run([sys.executable, "-c", code, tmp_path / "report"], check=False).returncode == -9
    assert len(list(tmp_path.glob("*/half"))) == 1
    assert (tmp_path / "report" / "whole").exists()
    with replacing(tmp_path / "report") as folder:
        (folder / "new").touch()
    left = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.glob("*/*"))
    assert left == ["report-mine/whole", "report/new"]


def test_missing_file_is_an_error_before_anything_runs(root):
    """A file that is named and does not exist stops the report."""
    with pytest.raises(WelfareError, match="SURVEY"):
        publish(root, variables={"SURVEY": "nowhere.csv"})


def test_site_without_a_first_notebook_lists_its_pages(tmp_path):
    """Without notebook 00 the front page is a list; Arabic runs from right to left."""
    notebook: NotebookNode = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("# Vie")])
    render({"04_life": notebook}, tmp_path)
    front = (tmp_path / "ar" / "index.html").read_text()
    assert '<html lang="ar" dir="rtl">' in front
    assert 'href="04_life.html"' in front


SPEAKS = """from IPython.display import Markdown, display
for language in ("en", "fr", "ar"):
    display({"text/markdown": f"said in {language}"}, metadata={"language": language}, raw=True)
print("of no language")"""


def test_a_calendar_is_a_file_beside_the_pictures_that_takes_no_number(tmp_path):
    """A cell that gives a calendar is a link to it in the site, byte for byte; the next figure is the first one."""
    dates = nbformat.v4.new_output("display_data", {KIND: "BEGIN:VCALENDAR\r\n", "text/markdown": "dates"})
    dot = nbformat.v4.new_output("display_data", {"image/png": DOT})
    cells = [nbformat.v4.new_code_cell("x", outputs=[one], execution_count=1) for one in (dates, dot)]
    render({"12_tour": nbformat.v4.new_notebook(cells=cells)}, tmp_path, ["en"])
    page = (tmp_path / "en" / "12_tour.html").read_text()
    assert '<a href="images/12_tour.ics" download>Download the calendar</a>' in page
    assert (tmp_path / "en" / "images" / "12_tour.ics").read_bytes() == b"BEGIN:VCALENDAR\r\n"
    assert (tmp_path / "en" / "images" / "12_tour-1.png").is_file()


def test_a_picture_is_narrow_on_a_phone_and_never_on_paper(tmp_path):
    """The page serves the narrow one where its query holds; a picture without one scrolls, and only that says so."""
    about = [{"alt": "A dot", "narrow": DOT}, {"alt": "A map"}]
    outputs = [nbformat.v4.new_output("display_data", {"image/png": DOT}, metadata={"image/png": a}) for a in about]
    cells = [nbformat.v4.new_code_cell("draw(a)", outputs=[output]) for output in outputs]
    render({"04_life": nbformat.v4.new_notebook(cells=cells)}, tmp_path)
    page = (tmp_path / "fr" / "04_life.html").read_text()
    (source,) = re.findall(r'<picture><source media="([^"]+)" srcset="([^"]+)" width="1" height="1"><img ', page)
    assert source == ("screen and (max-width: 46rem)", "images/04_life-1-narrow.png")
    assert (tmp_path / "fr" / source[1]).is_file()
    assert 'src="images/04_life-2.png"' in page
    style = (SITE / "style.css").read_text()
    assert "figure:has(picture) .hint { display: none; }" in style.partition(f"@media {source[0]}")[2]


def test_one_run_gives_a_report_in_each_language(root):
    """A page has the outputs of its language and those of none; it links to itself in the others, the wished first."""
    write(root / "notebooks" / "04_life.ipynb", "# Life", SPEAKS)
    lines = []
    published = publish(root, variables={"LANGUAGE_OF_REPORT": "fr"}, say=lines.append)
    assert len(lines) == 2  # a run a notebook
    for language in ("ar", "fr", "en"):
        page = read(published, "04_life.html", language)
        assert re.findall(r"said in (\w+)", re.sub(r"<pre.*?</pre>", "", page, flags=re.DOTALL)) == [language]
        assert "of no language" in page
        direction = "rtl" if language == "ar" else "ltr"
        assert f'<html lang="{language}" dir="{direction}">' in page
        switch = page[page.index('class="languages"') :].partition("</nav>")[0]
        assert re.findall(r'href="([^"]+)"', switch) == [f"../{one}/04_life.html" for one in ("fr", "en", "ar")]
        assert re.search(rf'lang="{language}"[^>]*aria-current', switch)
        others = re.findall(r'<link rel="alternate" hreflang="(\w+)" href="\.\./(\w+)/04_life\.html">', page)
        assert others == [("fr", "fr"), ("en", "en"), ("ar", "ar")]
    leads = published.front.read_text()
    assert re.findall(r'<a href="([^"]+)"', leads) == [f"{one}/index.html" for one in ("fr", "en", "ar")]
    assert "<script" not in leads
    assert "refresh" not in leads


def test_a_page_that_is_in_english_still_says_so_in_its_language(root):
    """Its paragraphs are marked as English; the English page says nothing."""
    published = publish(root, variables={})
    for language in ("ar", "fr"):
        page = read(published, "04_life.html", language)
        assert around(language)["in_english"] in page
        assert '<h1 id="life" lang="en" dir="ltr">' in page or '<h1 lang="en" dir="ltr" id="life">' in page
    assert 'class="notice"' not in read(published, "04_life.html")


def test_a_language_that_is_not_known_stops_before_the_run(root):
    """No notebook is run for it."""
    with pytest.raises(WelfareError, match="the language is not known"):
        publish(root, variables={"LANGUAGE_OF_REPORT": "de"})
    assert not (root / "build").exists()


def test_what_specialists_read_is_folded(tmp_path):
    """A section tagged ``fold`` opens on demand, up to the next section; every fold is closed."""
    cells = [nbformat.v4.new_markdown_cell(text) for text in ("# A", "## Models", "More of it.", "## Limits")]
    cells[1].metadata["tags"] = ["fold"]
    render({"04_life": nbformat.v4.new_notebook(cells=cells)}, tmp_path)
    body = (tmp_path / "en" / "04_life.html").read_text()
    fold = body[body.index('<details class="fold">') : body.index("</details>", body.index('class="fold"'))]
    assert "<summary>Models</summary>" in fold
    assert "More of it." in fold
    assert "Limits</h2>" not in fold
    cells.pop()
    render({"04_life": nbformat.v4.new_notebook(cells=cells)}, tmp_path)
    body = (tmp_path / "en" / "04_life.html").read_text()
    assert body.count("<details") == body.count("</details>")


def test_no_id_stands_twice_on_a_page(tmp_path):
    """A table that a page shows again has its id the first time alone."""
    table = '<table id="a"><caption>A</caption><tr><td>1</td></tr></table>'
    outputs = [nbformat.v4.new_output("display_data", {"text/html": table})] * 2
    cells = [nbformat.v4.new_code_cell("show(a)", outputs=outputs)]
    render({"04_life": nbformat.v4.new_notebook(cells=cells)}, tmp_path)
    body = (tmp_path / "en" / "04_life.html").read_text()
    assert (body.count('id="a"'), body.count("<table")) == (1, 2)


SHOWN = """import pandas as pd
from IPython.display import HTML, Markdown, display
from welfare_analysis.disclosure import Released
from welfare_analysis.publishing.published import REGISTRY
frame = pd.DataFrame({"group": ["=1+1"], "estimate": [0.3]})
for name in ("tenants", "a title / of one's own"):
    REGISTRY.record(Released(name, "share", "tenure", ("group",), "share", "", "", frame))
display(HTML('<table id="tenants"><caption>Tenants</caption><tr><td>30 %</td></tr></table>'))
display(HTML('<table><caption>Of pandas</caption><tr><td>1</td></tr></table>'))
display(HTML('<table id="owners"><caption>Owners</caption><tr><td>70 %</td></tr></table>'))"""
DRAWN = PICTURE.replace("'}}", '\', "tables": ["tenants"]}}') + "\ndisplay({'text/markdown': 'A *note*.'}, raw=True)"


def test_tables_and_figures_are_numbered_and_lead_to_their_cells(root):
    """Within the page whose number comes first; a frame of pandas has none. Each leads to a file that is there."""
    write(root / "notebooks" / "04_life.ipynb", "# Life", SHOWN, DRAWN)
    published = publish(root, variables={})
    for language, words in {"en": ("Table 4.", "Figure 4."), "ar": ("الجدول 4.", "الشكل 4.")}.items():
        page = read(published, "04_life.html", language)
        assert re.findall(rf"{words[0]}(\d)\. (\w+)", page) == [("1", "Tenants"), ("2", "Owners")]
        assert f"<figcaption>{words[1]}1. A <em>note</em>." in page
        assert page.count('<a href="../results/tenants.csv" download>') == 2
    folder = published.front.parent
    assert [path.name for path in (folder / "results").iterdir()] == ["tenants.csv"]
    cells = pd.read_csv(folder / "results" / "tenants.csv")
    assert cells["keys"].tolist() == ["group==1+1"]
    assert cells["estimate"].tolist() == [0.3]
    book = pd.read_excel(folder / "results.xlsx", engine="calamine")
    pd.testing.assert_frame_equal(book, pd.read_csv(folder / "results.csv"), check_dtype=False)


def test_the_glossary_has_each_word_in_each_language_and_the_thresholds_of_the_policy(root):
    """As many words as the file has; what the policy says is hidden is what the sign of hidden numbers says."""
    published, words = publish(root, variables={}), pd.read_csv(DATA / "glossary.csv")
    assert not words.isna().any(axis=None)
    for language in ("ar", "fr", "en"):
        page = read(published, "glossary.html", language)
        assert page.count("<dt ") == page.count("<dd>") == len(words)
        assert not re.search(r"[{}]", re.sub(r"<style.*?</style>", "", page))
        hidden = re.search(r"<dt [^>]*><bdi>\.\.</bdi></dt><dd>(.*?)</dd>", page)[1]
        assert [int(n) for n in re.findall(r"\d+", hidden)] == [policy().min_respondents, policy().min_base]
        assert 'href="glossary.html"' in read(published, "index.html", language)


def test_a_term_is_explained_where_a_page_first_uses_it(root):
    """A link to its line in the glossary, whose meaning is seen on pointing; once, and not in headings or code."""
    words = pd.read_csv(DATA / "glossary.csv").query("kind == 'term'")
    assert {"Erreygers index", "Fieller’s interval", "replicates", "with answering errors"} <= set(words["en"])
    text = "# Standard error\n\nThe `standard error` and its Standard error.\n\nA standard error again, no runner."
    write(root / "notebooks" / "04_life.ipynb", text)
    page = read(publish(root, variables={}), "04_life.html").partition("<main")[2]
    linked = re.findall(r'<a class="term" href="glossary.html#([\w-]+)" title="([^"]+)">([^<]+)</a>', page)
    assert [word for _, _, word in linked] == ["Standard error"]
    glossary = read(publish(root, variables={}), "glossary.html")
    assert f'<dt id="{linked[0][0]}"><bdi>standard error</bdi></dt><dd>{linked[0][1]}</dd>' in glossary
    arabic = explained("<p>بالخطأ المعياري، والمعامل</p>", {"المعامل": ("#a", "x"), "الخطأ المعياري": ("#b", "y")})
    assert arabic.count('class="term"') == 2
    assert ">weights</a>" in explained("<p>The weights, no weightless</p>", {"weight": ("#a", "x")})


def test_table_keeps_table_tags_only():
    """Scripts and handlers go, other tags leave their text, headers get a scope, open tags are closed."""
    copy = table(
        '<table onclick="x()"><thead><tr><th>A<script>bad()</script></th></tr></thead>'
        '<tr><td>1,5<a href="javascript:x">'
    )
    assert "bad" not in copy
    assert "onclick" not in copy
    assert "<a " not in copy
    assert '<th scope="col">A</th>' in copy
    assert copy.count("<table>") == copy.count("</table>") == 1


def test_what_is_wider_than_the_page_says_so():
    """A table casts a shadow where there is more of it, and keeps its first column; a picture has a line that says it.

    On paper neither is there.
    """
    style = (SITE / "style.css").read_text(encoding="utf-8")
    screen, _, paper = style.partition("@media print")
    wide = "".join(re.findall(r"\n\.wide {(.*?)}", screen, re.DOTALL))
    assert "background-attachment: local, local, scroll, scroll" in wide
    assert re.search(r"tbody tr > :first-child {[^}]*position: sticky", screen)
    assert re.search(r"\.wide[^{]*{ overflow: visible; background: none", paper)
    assert ".hint" in re.search(r"([^}]*){ display: none; }", paper)[1]


def test_texts_of_a_wide_table_stay_in_sight():
    """Title and note keep to the width of the page, however wide the table; numbers break at intervals only."""
    copy = table(
        "<table><caption>Tenants</caption><thead><tr><th>a</th></tr></thead><tbody><tr><th>b</th>"
        "<td>29.3 % (28.6\u201330.1) *</td><td>35\u20131,830</td></tr></tbody>"
        '<tfoot><tr><td colspan="3">n = 5</td></tr></tfoot></table>'
    )
    assert '<caption><span class="text">Tenants</span></caption>' in copy
    assert '<td colspan="3"><span class="text">n = 5</span></td>' in copy
    assert '<td class="number">29.3\u00a0% <span class="interval">(28.6\u201330.1)</span>\u00a0*</td>' in copy
    assert '<td class="number"><span class="interval">35\u20131,830</span></td>' in copy
    for low, high in (("−4,0 à ", "−3,0"), ("\u2066−4,0\u2069 إلى \u2066", "−3,0\u2069")):
        negative = table(f"<table><tbody><tr><td>−3,5 ({low}{high})</td></tr></tbody></table>")
        assert f'<td class="number">−3,5 <span class="interval">({low}{high})</span></td>' in negative
    style = (SITE / "style.css").read_text(encoding="utf-8")
    assert re.search(r"\.text {[^}]*position: sticky;[^}]*max-width: calc\(100cqi", style)
    assert re.search(r"\.wide {[^}]*container-type: inline-size", style)


def test_markdown_shows_raw_html_and_leads_nowhere_outside():
    """Raw HTML is text, a link to the network is text, an amount in dollars is no formula."""
    text = markdown("<script>x</script> [a](https://example.org/x) costs $5 to $6, $x<y$ ![p](https://x.org/p.png)")
    assert "<script" not in text
    assert "a (example.org/x)" in text
    assert "costs $5 to $6" in text
    assert text.count("<math") == 1
    assert not re.search("https?:|<a |<img", text)


def test_a_link_to_a_page_of_the_site_stays_one():
    """Of a notebook and of a page that no notebook makes; a path elsewhere is text."""
    assert '<a href="04_life.html#homes">x</a>' in markdown("[x](04_life.ipynb#homes)")
    assert '<a href="what_if.html">x</a>' in markdown("[x](what_if.html)")
    for elsewhere in ("../a.html", "b/a.html", "file:a.html", "a.b.html", "a.exe"):
        assert "<a " not in markdown(f"[x]({elsewhere})")


@pytest.mark.parametrize("said", ["&lt;&nbsp;0.001 †", "0.583", "1.9 % (1.7\u20132.3) *", "..", "/"])
def test_a_cell_of_a_number_is_aligned_as_one(said):
    """With the signs behind it too, and where its first sign is escaped; a word is none."""
    rows = f"<table><thead><tr><th>a</th></tr></thead><tbody><tr><td>{said}</td><td>word</td></tr></tbody></table>"
    assert (
        re.findall(r'<td class="number">(.*?)</td>', table(rows)) == re.findall(r"<td[^>]*>(.*?)</td>", table(rows))[:1]
    )


def test_signs_and_intervals_are_not_torn_apart():
    """A sign stays with the word before it, as French is printed; an interval with its brackets."""
    text = markdown("Combien ? « oui » : 5 % (1–2) [a](04_life.ipynb)")
    assert "Combien\u00a0? «\u00a0oui\u00a0»\u00a0: 5\u00a0% " in text
    assert '<span class="interval">(1–2)</span>' in text
    assert 'href="04_life.html"' in text


def test_words_beside_an_interval_are_not_kept_on_its_line():
    """A bracket with words in it breaks between them: kept whole it was wider than a phone."""
    for space in (",", ".", "\u202f"):
        text = markdown(f"places (2{space}650–13{space}000 places and 265–1{space}300 million DH by what is assumed)")
        kept = re.findall('<span class="interval">(.*?)</span>', text)
        assert kept == [f"(2{space}650–13{space}000", f"265–1{space}300"]


def test_formula_is_safe_mathml():
    """What stands in a formula's text is text; a link in it is dropped."""
    assert "<script" not in formula(r"\text{<script>x</script>}")
    assert "javascript" not in formula(r"\href{javascript:x}{y}")
    assert "xmlns" not in formula("x")


@pytest.mark.parametrize(
    ("cell", "shown"), [("=1+1", "'=1+1"), ("-98", "'-98"), ("@x", "'@x"), ("+2", "'+2"), ("a=b", "a=b")]
)
def test_fault_is_never_a_formula(cell, shown):
    """A cell that a spreadsheet would compute is written as text."""
    assert as_text(cell) == shown


def test_command_tells_an_error_in_a_sentence(capsys, monkeypatch):
    """An error that the reader can mend goes to stderr with exit code 2, without a traceback."""
    monkeypatch.setenv("SURVEY", "")
    assert main(["check", "nowhere.csv"]) == 2
    told = capsys.readouterr()
    assert "nowhere.csv" in told.err
    assert "Traceback" not in told.err
    assert not told.out


def test_nothing_is_said_without_a_fault():
    """A sentence that does not apply is an empty text."""
    assert markdown("") == ""


@pytest.mark.skipif(sys.platform != "linux", reason="kernels are forked on Linux alone")
def test_a_kernel_ends_with_the_process_that_it_was_forked_from(tmp_path):
    """Whatever kills a report, no process stays that holds answers."""
    with kernels.Warm({}) as warm:
        kernel = warm.fork(str(tmp_path / "kernel.json"), os.environ, str(tmp_path))
        state = Path(f"/proc/{kernel.pid}/stat")
        until = time.monotonic() + 60
        while not (tmp_path / "kernel.json").exists() and time.monotonic() < until:
            time.sleep(0.1)
        warm.process.kill()
        while state.exists() and ") Z " not in state.read_text() and time.monotonic() < until:
            time.sleep(0.1)
        assert not state.exists() or ") Z " in state.read_text()
