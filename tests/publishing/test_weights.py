"""The weights and the bias of who answers, as they are shown."""

import numpy as np
import pytest

from welfare_analysis.estimation.replicates import full
from welfare_analysis.publishing import protect, weights
from welfare_analysis.study import DATA, Study
from welfare_analysis.survey.codebook import Codebook
from welfare_analysis.survey.reading import typed
from welfare_analysis.survey.standin import Parameters, generate


@pytest.fixture(scope="module")
def world():
    """A small generated survey and its truth."""
    return generate(Parameters.read(DATA / "public"), 12, "plain", size=12000)


@pytest.fixture(scope="module")
def study(world):
    book = Codebook.read(DATA / "codebook")
    return Study.of(*(typed(f, book) for f in (world.answers, world.register, world.followup)), book, is_standin=True)


@pytest.fixture(scope="module")
def released(study):
    return protect(study)


def test_bias_is_what_the_returned_forms_alone_say_less_both(study, released):
    """In each row: bias = returned alone - both; the band of the silent holds the estimate."""
    cells = released["nonresponse_bias"].frame.pivot(index="condition", columns="category", values="estimate")
    np.testing.assert_allclose(cells["bias"], cells["returned_alone"] - cells["both"], atol=1e-12)
    assert (cells["silent_less"] < cells["both"]).all()
    assert (cells["both"] < cells["silent_more"]).all()
    alone = Study.of(study.frame[study.frame["outcome"] == "returned"], study.register, None, study.codebook)
    known = protect(alone)["tenant"].frame["estimate"].iloc[0]
    assert cells.loc["tenant", "returned_alone"] == pytest.approx(known, rel=1e-9)


def test_sentence_names_the_largest_bias(study, released):
    """Tenants return the form more often, so their share is what the returned forms alone overstate most."""
    text = weights.bias_sentence(released["nonresponse_bias"], study).data
    assert "rent their home" in text
    assert weights.bias_table(released["nonresponse_bias"], study).data.count("<tr>") == 7


def test_without_a_follow_up_it_is_said(study):
    """Nothing measures the bias of who returned the form, and the page says so."""
    alone = Study.of(study.frame[study.frame["outcome"] == "returned"], study.register, None, study.codebook)
    table = protect(alone)["nonresponse_bias"]
    assert "cannot be measured" in weights.bias_table(table, alone).data
    assert "cannot be measured" in weights.bias_sentence(table, alone).data


def test_how_many_a_group_has_is_not_told(released):
    """Return rates of groups of commands show no count of the register: it would tell their strength."""
    table = released["returned_by_command"].frame
    assert table["n"].isna().all()
    assert table["estimate"].notna().all()


def test_weights_reach_the_register(study):
    """The table of weights says the size, and that no margin is missed."""
    text = weights.weights(study).data
    assert "12,000" in text
    assert "none above 1e-9" in text
    assert "cut at their 99.0 %" in weights.trimming(protect(study), study).data


def test_a_command_without_an_answer_is_named(study):
    """A whole command is missing among the answers: others stand for it, and the table of weights says which."""
    absent = study.register["command"].astype(str).value_counts().index[3]
    gone = study.register.loc[study.register["command"] == absent, "person_id"]
    returned = study.frame[study.frame["outcome"] == "returned"]
    without = Study.of(returned[~returned["person_id"].isin(gone)], study.register, None, study.codebook)
    assert without.design.weights.sum() == pytest.approx(len(study.register), rel=1e-9)
    name = study.codebook.label("command", absent)
    assert name in weights.weights(without).data
    assert name not in weights.weights(study).data


def test_trimming_is_told_with_its_units(study, released):
    """Each cell of trimming has points and a factor, and a zero has no sign."""
    shown = weights.trimming(released, study).data
    assert shown.count("points; ×") >= 10
    assert "-0.00" not in shown
    assert "Source: stand-in population" in shown


def test_replicates_bear_the_formula_out(world, monkeypatch):
    """Raked again, 100 replicates tell the errors of the formula within Monte Carlo error, and of half of it not."""
    book = Codebook.read(DATA / "codebook")
    alone = Study.of(typed(world.answers, book), typed(world.register, book), None, book)
    shown = weights.replicated(protect(alone), alone).data
    assert "For 5 of 5 the ratio" in shown
    assert "they bear the formula out" in shown
    monkeypatch.setattr(weights, "full", lambda *arguments: 0.5 * full(*arguments))
    assert "For 0 of 5" in weights.replicated(protect(alone), alone).data


def test_a_design_without_replicates_is_said(study, released):
    """The unbiased variance of these two phases is negative for some statistic: the design's own words are told."""
    assert "no replicate weights have it" in weights.replicated(released, study).data
