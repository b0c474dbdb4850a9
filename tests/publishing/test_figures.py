"""Figures: drawn from what is released, with every interval, in words too."""

from dataclasses import replace

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from welfare_analysis.publishing import figures, protect
from welfare_analysis.study import DATA, Study
from welfare_analysis.survey.codebook import LANGUAGES, Codebook
from welfare_analysis.survey.reading import typed
from welfare_analysis.survey.standin import Parameters, generate

MODELLED = (
    "adjusted_",
    "health_rank_",
    "homes_",
    "hopes_",
    "loans_",
    "priority_",
    "transport_",
)  # drawn in the tests of their own pages


@pytest.fixture(scope="module")
def study():
    """A small generated survey with register and follow-up."""
    book = Codebook.read(DATA / "codebook")
    world = generate(Parameters.read(DATA / "public"), 11, "rich", size=9000)
    frames = [typed(f, book) for f in (world.answers, world.register, world.followup)]
    return Study.of(*frames, book, is_standin=True)


@pytest.fixture(scope="module")
def released(study):
    return protect(study)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", [name for name in figures.FIGURES if not name.startswith(MODELLED)])
def test_every_figure_is_drawn_in_every_language(study, released, name, language):
    """Each figure of the plan is drawn, twice alike, with its title and alternative text in the reader's language."""
    spoken = replace(study, language=language)
    with matplotlib.rc_context(figures.STYLE):
        figure, tables = figures.draw(name, released, spoken)
        again, _ = figures.draw(name, released, spoken)
    assert tables
    assert figures.fingerprint(figure) == figures.fingerprint(again)
    assert figures.alt_text(name, tables, spoken).startswith(figure.get_suptitle())
    plt.close("all")


def test_dots_lie_where_the_estimates_are(study, released):
    """A dot a group at its estimate, a line from the lower to the upper bound, the highest on top."""
    figure, (table,) = figures.draw("crowded_by_command", released, study)
    cells = table.shown.sort_values("estimate")
    lines, dots = figure.axes[0].collections
    assert np.asarray(dots.get_offsets())[:, 0] == pytest.approx(100 * cells["estimate"].to_numpy())
    ends = [segment[:, 0] for segment in lines.get_segments()]
    assert pd.DataFrame(ends).to_numpy() == pytest.approx(100 * cells[["low", "high"]].to_numpy())
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
    figures.show("crowded_by_rank", protect(bare), bare)
    ((data, _),) = seen
    assert "Not asked" in data["text/markdown"]
    assert "image/png" not in data


def test_a_picture_comes_with_its_words(study, released, seen):
    """In a notebook: a picture with alternative text and a fingerprint, then the note with n and source."""
    figures.show("debt_band_by_rank", released, study)
    (picture, metadata), (words, _) = seen
    assert metadata["image/png"]["alt"].startswith("Debt service over pay")
    assert "bars" in picture["text/plain"]
    assert "respondents" in words["text/markdown"]
    assert len(picture["image/png"]) < 60_000
