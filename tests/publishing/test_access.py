"""Pages can be read without eyes, without a mouse, and with eyes that see little contrast (WCAG 2.2, AA)."""

import re
from itertools import product

import nbformat
import pytest
from access import faults

from welfare_analysis.publishing.report import SITE, render
from welfare_analysis.study import ROOT
from welfare_analysis.survey.codebook import LANGUAGES


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The site of one committed page, with tables, pictures, a fold, formulas and cells without a language."""
    folder = tmp_path_factory.mktemp("site")
    render({"03_weighting": nbformat.read(ROOT / "notebooks" / "03_weighting.ipynb", 4)}, folder)
    return folder


@pytest.mark.parametrize("language", LANGUAGES)
def test_pages_have_what_a_screen_reader_and_a_keyboard_need(site, language):
    """Landmarks, headings in order, names, labels, headers of tables, languages with their direction, anchors."""
    pages = sorted((site / language).glob("*.html"))
    assert len(pages) == 4  # the page, the list of pages, the glossary and the search
    assert {page.name: [*faults(page.read_text(encoding="utf-8"))] for page in pages} == {p.name: [] for p in pages}


@pytest.mark.parametrize(
    ("there", "instead", "fault"),
    [
        ('<header class="bar">', '<div class="bar">', "something stands outside all landmarks"),
        ('<main id="text"', '<div id="text"', "not one main"),
        (r'<nav class="languages" aria-label="[^"]*"', "<nav", "a nav without a name"),
        ("<h2", "<h4", "heading h4 follows h1"),
        ("<h1", "<h2", "not one h1"),
        (r"(<h2[^>]*>)[^<]*", r"\1", "heading without a name"),
        (r'(<a rel="next"[^>]*>).*?</a>', r"\1</a>", "link without a name"),
        ("<label", "<span", "no label: code"),
        (' scope="col"', "", "th without scope"),
        (' alt="[^"]*"', "", "img without alt"),
        (' tabindex="0"', "", "no keyboard reaches what scrolls"),
        ('lang="en" dir="ltr"', 'lang="en"', "div is en and runs rtl"),
        ('id="contents"', 'id="text"', "id twice: text"),
        ('id="contents"', "", "no such id: contents"),
    ],
)
def test_each_rule_finds_its_fault(site, there, instead, fault):
    """What is taken from a whole page is missed."""
    page = (site / "ar" / "03_weighting.html").read_text(encoding="utf-8")
    worse, many = re.subn(there, instead, page, count=0 if "runs rtl" in fault else 1)
    assert many
    assert any(one.startswith(fault) for one in faults(worse)), [*faults(worse)]


TEXT = [*product(("ink", "quiet", "link"), ("paper", "shade")), ("ink", "here"), ("ink", "warn"), ("mark", "paper"),
        ("paper", "link"), ("white", "bar")]  # fmt: skip
GRAPHICS = [("mark", "shade"), ("link", "warn"), ("quiet", "paper")]  # borders of fields, and what shows the focus


@pytest.mark.parametrize("mode", [0, 1], ids=["light", "dark"])
def test_colours_of_a_page_have_enough_contrast(mode):
    """4.5 of text and 3 of graphics on what they stand on, by day and by night."""
    blocks = re.findall(r":root \{([^}]*)\}", (SITE / "style.css").read_text(encoding="utf-8"))
    colours = {"white": "#fff"} | dict(re.findall(r"--(\w+): (#\w+)", blocks[mode]))
    for least, pairs in ((4.5, TEXT), (3.0, GRAPHICS)):
        assert {pair: round(_contrast(*map(colours.get, pair)), 1) for pair in pairs
                if _contrast(*map(colours.get, pair)) < least} == {}  # fmt: skip


def _contrast(*colours: str) -> float:
    """The contrast of two colours, ``#rgb`` or ``#rrggbb`` (WCAG 2.2, relative luminance)."""
    light = []
    for colour in colours:
        digits = colour[1:] if len(colour) == 7 else "".join(2 * digit for digit in colour[1:])
        parts = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
        parts = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        light.append(0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2] + 0.05)
    return max(light) / min(light)
