"""Figures: drawn from what is released, with every interval, in words too."""

import base64
import io
from dataclasses import replace
from itertools import pairwise
from xml.etree import ElementTree

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from books import BOOK
from matplotlib.container import BarContainer
from matplotlib.legend import Legend
from PIL import Image
from wording import Wording

from welfare_analysis.demand import grants
from welfare_analysis.disclosure import CATEGORY, Released
from welfare_analysis.errors import WelfareError
from welfare_analysis.publishing import draw, figures
from welfare_analysis.publishing.figures.bars import tornado
from welfare_analysis.publishing.figures.lines import curve
from welfare_analysis.publishing.figures.output import noted
from welfare_analysis.publishing.figures.style import plain
from welfare_analysis.publishing.labels import format_cell, title
from welfare_analysis.results import release
from welfare_analysis.study import DATA, Study
from welfare_analysis.survey.codebook import LANGUAGES
from welfare_analysis.survey.reading import typed
from welfare_analysis.survey.standin import Parameters, generate

MODELLED = ("adjusted_", "health_rank_", "homes_", "hopes_", "loans_", "priority_", "transport_")  # with their results


@pytest.fixture(scope="module")
def study():
    """A small generated survey with register and follow-up."""
    world = generate(Parameters.read(DATA / "public"), 11, "rich", size=9000)
    frames = [typed(f, BOOK) for f in (world.answers, world.register, world.followup)]
    return Study.of(*frames, BOOK, is_standin=True)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", [name for name in figures.FIGURES if not name.startswith(MODELLED)])
def test_every_figure_is_drawn_in_every_language(study, name, language):
    """Each figure of the plan is drawn, twice alike, with its title and alternative text in the reader's language."""
    spoken = study.in_language(language)
    with matplotlib.rc_context(figures.STYLE):
        figure, tables = figures.picture(spoken, name)
        again, _ = figures.picture(spoken, name)
    made = release(spoken)
    shown = [table for table in figures.FIGURES[name].tables if table in made and len(made[table].shown)]
    if not shown:  # in so small a survey a table of places by places is hidden whole, and no segments are told apart
        assert name in ("home_city_group_by_command", "segments_hopes")
        assert not tables
        return
    assert tables
    assert figures.fingerprint(figure) == figures.fingerprint(again)
    assert figures.alt_text(name, tables, spoken).startswith(title(name, spoken))
    plt.close("all")


def test_dots_lie_where_the_estimates_are(study):
    """A dot a group at its estimate, a line from the lower to the upper bound, the highest on top."""
    figure, (table,) = figures.picture(study, "crowded_by_command")
    cells = table.shown.sort_values("estimate")
    lines, *dots = figure.axes[0].collections
    drawn = np.concatenate([np.asarray(d.get_offsets())[:, 0] for d in dots])
    assert np.sort(drawn) == pytest.approx(100 * cells["estimate"].to_numpy())
    ends = [segment[:, 0] for segment in lines.get_segments()]
    assert pd.DataFrame(ends).to_numpy() == pytest.approx(100 * cells[["low", "high"]].to_numpy())
    plt.close("all")


@pytest.mark.parametrize(("language", "middle"), [*((one, 600.0) for one in LANGUAGES), ("en", np.nan)])
def test_ends_of_a_tornado_are_told_apart_without_colour(language, middle):
    """The high end is hatched, the low one is not; a legend that covers no bar names both; also of a hidden middle."""
    spoken = Wording(codebook=BOOK, language=language)
    names = BOOK.codes("home_assumption")[:8]
    rows = [(name, end, x) for i, name in enumerate(names) for end, x in (("low", 500.0 - i), ("high", 700.0 + i))]
    ends = pd.DataFrame(rows, columns=["home_assumption", "category", "estimate"]).assign(flag="")
    base = pd.DataFrame({"estimate": [middle], "low": [middle - 50], "high": [middle + 50]})
    tables = (
        Released("homes_tornado", "total", "home_end", ("home_assumption",), "homes", frame=ends, state="shown"),
        Released("homes_realised", "total", "", ("home_realised",), "homes", frame=base, state="shown"),
    )
    with matplotlib.rc_context(figures.STYLE):
        figure = tornado(tables, spoken)
        figure.draw_without_rendering()
    low, high = [bars for bars in figure.axes[0].containers if isinstance(bars, BarContainer)]
    assert not any(bar.get_hatch() for bar in low)
    assert all(bar.get_hatch() and bar.get_width() > 0 for bar in high)
    (legend,) = figure.legends
    said = [text.get_text() for text in legend.get_texts()]
    assert said[-2:] == [BOOK.label("assumed_end", end, language) for end in ("low", "high")]
    assert not legend.get_window_extent().overlaps(figure.axes[0].get_window_extent())
    plt.close("all")


@pytest.fixture
def seen(monkeypatch):
    """What a notebook would be given: bundles and their metadata."""
    bundles = []
    monkeypatch.setattr(figures.output, "display", lambda data, raw, metadata=None: bundles.append((data, metadata)))
    return bundles


def test_a_figure_of_nothing_says_so(study, seen):
    """What was not asked gives a sentence and no picture."""
    bare = Study.of(study.frame[["status", "tenure"]], None, None, study.codebook)
    draw(bare, "crowded_by_rank")
    ((data, _),) = seen
    assert "Not asked" in data["text/markdown"]
    assert "image/png" not in data


def test_a_picture_comes_with_its_words(study, seen):
    """In a notebook: a picture with alternative text and a fingerprint, then the note with n and source."""
    draw(study, "debt_band_by_rank")
    (picture, metadata), (words, _) = seen
    assert metadata["image/png"]["alt"].startswith("Debt service over pay")
    assert "bars" in picture["text/plain"]
    assert "respondents" in words["text/markdown"]
    assert len(picture["image/png"]) < 60_000


def test_line_figures_have_a_fingerprint(study):
    """A curve that moves changes what nbval compares."""
    (table,) = (t for t in [release(study)["homes_curve"]])
    with matplotlib.rc_context(figures.STYLE):
        first = figures.fingerprint(curve([table], study))
        moved = replace(table, frame=table.frame.assign(estimate=table.frame["estimate"] * 1.1))
        second = figures.fingerprint(curve([moved], study))
    assert "paths " in first
    assert first != second
    plt.close("all")


def test_of_two_curves_the_higher_has_its_numbers_above():
    """So that the numbers of curves that cross do not lie on each other."""
    spoken = Wording(codebook=BOOK, language="en")
    frame = pd.DataFrame({"aid_threshold": ["1", "1", "2", "2"], CATEGORY: ["widow", "retired"] * 2})
    frame = frame.assign(estimate=[5.0, 4.0, 5.0, 7.0], low=4.0, high=7.0, flag="", n=90)
    table = Released("aid_curve", "total", "aid_group", ("aid_threshold",), "persons", frame=frame, state="shown")
    texts = sorted(curve([table], spoken).axes[0].texts, key=lambda text: text.xy)
    assert [text.xyann[1] > 0 for text in texts] == [False, True, False, True]
    plt.close("all")


def test_no_number_of_a_curve_covers_another():
    """Below the highest the lowest has its number and what is near it none; near nought the highest alone."""
    spoken = Wording(codebook=BOOK, language="en")
    ages = [*grants.SCHOOL]
    frame = pd.DataFrame({"cohort_year": list("00022"), CATEGORY: [*ages, *ages[:2]]})
    frame = frame.assign(estimate=[100.0, 81.0, 80.0, 4.0, 3.0], low=0.0, high=110.0, flag="", n=90)
    table = Released("schooling_cohorts", "total", "a", ("cohort_year",), "persons", frame=frame, state="shown")
    assert {text.get_text() for text in curve([table], spoken).axes[0].texts} == {"100", "80", "4"}
    plt.close("all")


def test_ids_of_a_drawing_depend_on_its_content_alone():
    """Two drawings of the same picture are the same file, whatever was drawn before."""
    drawn = []
    for _ in range(2):
        figure, axes = plt.subplots()
        axes.plot([0, 1], [1, 0])
        axes.set_xlim(0, 0.5)
        text = io.StringIO()
        figure.savefig(text, format="svg", metadata={"Date": None})
        drawn.append(figures.output.stable(text.getvalue()))
        plt.close(figure)
    assert drawn[0] == drawn[1]
    assert 'clip-path="url(#i' in drawn[0]


@pytest.mark.parametrize("language", ["ar", "en"])
def test_on_a_phone_panels_stand_below_each_other_and_nothing_is_cut(study, language):
    """The same numbers, one panel a line, in letters as large; names and legends keep inside, and legends hide none."""
    own = study.in_language(language)
    for name in ("who_they_are", "nonresponse_bias", "conditions"):
        with matplotlib.rc_context(figures.STYLE):
            wide = figures.fingerprint(figures.picture(own, name)[0])
        with matplotlib.rc_context(figures.style.NARROW):
            figure, _ = figures.picture(own, name)
            figure.draw_without_rendering()
        assert figures.fingerprint(figure).partition("|")[2] == wide.partition("|")[2]
        places = [axes.get_position() for axes in figure.axes]
        assert all(below.y1 < above.y0 for above, below in pairwise(places))
        assert not any(axes.get_legend() for axes in figure.axes)  # within a panel it hides numbers
        pixels = figure.get_window_extent()
        for box in [figure.get_tightbbox().transformed(figure.dpi_scale_trans)]:
            assert pixels.x0 - 1 <= box.x0
            assert box.x1 <= pixels.x1 + 1
        plt.close("all")


def test_a_picture_is_drawn_narrow_for_a_report_alone(study, seen):
    """A committed notebook has one picture; a page of the report has a narrow one too, in the output's metadata."""
    draw(study, "crowded_by_rank")
    draw(replace(study, languages=("en",)), "crowded_by_rank")
    (_, bare), _, (picture, metadata), _ = seen
    assert "narrow" not in bare["image/png"]
    narrow, wide = (Image.open(io.BytesIO(one)) for one in (base64.b64decode(metadata["image/png"]["narrow"]),
                                                             picture["image/png"]))  # fmt: skip
    assert narrow.width < wide.width


@pytest.mark.parametrize("name", ["profile", "who_they_are", "nonresponse_bias"])
def test_an_arabic_picture_is_the_mirror_of_the_others(study, name):
    """Values grow to the left, panels follow from the right, names and legends change sides; nothing else differs."""
    drawn = {}
    for language in ("fr", "ar"):
        drawn[language], _ = figures.picture(study.in_language(language), name)
        drawn[language].canvas.draw()
    pairs = list(zip(*(figure.axes for figure in drawn.values()), strict=True))
    for there, here in pairs:
        assert here.get_xlim() == pytest.approx(there.get_xlim()[::-1])
        assert here.get_ylim() == pytest.approx(there.get_ylim())
        assert here.spines["right"].get_visible() == there.spines["left"].get_visible()
        assert not here.spines["left"].get_visible()
        written = [[label.label1.get_visible(), label.label2.get_visible()] for label in here.yaxis.get_major_ticks()]
        assert all(not left for left, _ in written)
        for text, other in zip(here.texts, there.texts, strict=True):
            assert np.allclose(text.xyann, np.multiply(other.xyann, (-1, 1)))
    across = [[axes.get_position().x0 for axes in side] for side in zip(*pairs, strict=True)]
    assert sorted(across[0]) == across[0]
    assert sorted(across[1], reverse=True) == across[1]
    assert drawn["ar"]._suptitle.get_position()[0] == pytest.approx(1 - drawn["fr"]._suptitle.get_position()[0])
    for legend in drawn["ar"].findobj(Legend):
        (text, *_), (mark, *_) = legend.get_texts(), legend.legend_handles
        assert text.get_window_extent().x1 < mark.get_window_extent().x0
    plt.close("all")


def test_a_kind_that_is_not_there_is_an_error_that_helps():
    """A line of the plan with an unknown kind is named, with the kinds that are near."""
    row = {"figure": "mine", "kind": "group", "tables": "tenant", "needs": "", "options": ""}
    with pytest.raises(WelfareError, match=r"figures.csv, mine: no such kind; got 'group'; expected groups"):
        figures.output.read(row)
    assert figures.output.read({**row, "kind": "groups", "needs": "any"}).any_table


def test_values_on_an_axis_are_written_in_the_language(study):
    """A step of a half has its decimal comma; a whole one has none."""
    for language, written in (("en", "2.5"), ("fr", "2,5"), ("ar", "2,5")):
        form = plain(study.in_language(language), None)
        assert [form(x, 0) for x in (0, 2.5, 0.1 + 0.2 + 4.7, 40)] == ["0", written, "5", "40"]


@pytest.mark.parametrize("language", ["ar", "fr", "en"])
def test_a_figure_of_groups_says_who_is_highest_and_lowest(study, language):
    """Its title has the number of both ends, from the released table; its topic stays in the alternative text.

    There each name has its number behind a colon.
    """
    own = study.in_language(language)
    figure, (table,) = figures.picture(own, "cost_burdened_by_rank")
    cells = table.shown.sort_values("estimate")
    said = figure.get_suptitle().replace("\n", " ")
    spoken = figures.alt_text("cost_burdened_by_rank", [table], own)
    for _, cell in cells.iloc[[0, -1]].iterrows():
        assert format_cell(table, own, cell) in said
        assert own.text("list.colon") + format_cell(table, own, cell) in spoken
    assert spoken.startswith(title("cost_burdened_by_rank", own))
    plt.close(figure)


def test_a_message_with_a_hidden_number_is_not_given(study, monkeypatch):
    """The topic stands in its place."""
    gone = study.codebook.texts.copy()
    gone.loc["message.homes_funnel", "en"] = "{homes_funnel|nobody|all:number} are likely to buy"
    own = replace(study, codebook=replace(study.codebook, texts=gone))
    figure, _ = figures.picture(own, "homes_funnel")
    assert figure.get_suptitle().startswith(title("homes_funnel", own))
    plt.close(figure)


@pytest.mark.parametrize("name", ["homes_funnel", "cost_burdened_by_rank", "rent_band_by_rank"])
def test_a_picture_of_the_stand_in_says_so(study, name):
    """In its title and its alternative text, for a picture is copied without its page; one of a survey does not."""
    for own in (study, replace(study, is_standin=False)):
        figure, tables = figures.picture(own, name)
        said = figure.get_suptitle().replace("\n", " "), figures.alt_text(name, tables, own)
        assert [("stand-in population" in words) for words in said] == [own.is_standin] * 2
        plt.close(figure)


@pytest.mark.parametrize("name", ["evidence", "caravan_route"])
def test_a_picture_without_answers_does_not_say_whose_they_are(study, name):
    """The questionnaire and the map of the stops hold no answers, as their notes say: neither title names a source."""
    figure, tables = figures.picture(study, name)
    said = figure.get_suptitle().replace("\n", " "), figures.alt_text(name, tables, study)
    assert tables
    assert not any("stand-in population" in words for words in said)
    plt.close(figure)


def test_a_profile_of_levels_alone_is_drawn(study):
    """Where all groups are too small the line of all stands there, and no row."""
    levels = [release(study)[name] for name in ("tenant", "crowded")]
    alone = figures.dots.profile(levels, study, "conditions")
    assert [len(axes.lines) for axes in alone.axes] == [1, 1]
    assert len(alone.axes[0].get_yticks()) == 0
    plt.close("all")


def test_a_line_of_a_title_begins_with_a_word():
    """The space before the colon of French does not break: no line begins with the colon."""
    assert figures.style.wrapped("crédit logement : taux de la Fondation").splitlines()[1][0] == "l"


def test_a_note_stands_under_the_picture_and_under_its_legend():
    """The sheet grows by its lines, each below what was the foot; what XML reserves is written as it says."""
    said = "Ranks & regions; " * 12
    svg = noted('<svg width="576pt" height="381.6pt" viewBox="0 0 576 381.6"><g/></svg>', said)
    sheet = ElementTree.fromstring(svg)
    lines = sheet.findall("text")
    assert " ".join(line.text for line in lines) == said.strip()
    assert all(381.6 < float(line.get("y")) < float(sheet.get("viewBox").split()[3]) for line in lines)
    assert sheet.get("height") == f"{float(sheet.get('viewBox').split()[3]):g}pt"
