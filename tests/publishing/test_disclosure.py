import numpy as np
import pandas as pd
import pytest

from welfare_analysis.publishing.disclosure import Policy, cells

RULES = Policy(min_respondents=10, min_base=30, caution_base=50, round_totals=10)


def table(**columns):
    frame = pd.DataFrame(columns)
    return frame.assign(low=frame["estimate"] - 0.1, high=frame["estimate"] + 0.1)


def flags(frame, numerators, by=("g",), **options):
    return cells(frame, None if numerators is None else pd.DataFrame(numerators), by, RULES, **options)


def test_bases():
    """Fewer than 30 respondents are hidden, 30 to 49 marked, 50 shown."""
    out = flags(table(g=list("abcd"), estimate=[5.0] * 4, n=[29, 30, 49, 50]), None)
    assert list(out["flag"]) == ["hidden", "caution", "caution", ""]
    assert out.loc[0, ["estimate", "low", "high", "n"]].isna().all()


def test_numerators_and_complements():
    """A share that rests on 1 to 9 respondents, or leaves 1 to 9, is hidden; 10 is shown."""
    frame = table(g=list("abcd"), estimate=[0.1] * 4, n=[100] * 4)
    out = flags(frame, {"g": list("abcd"), "numerator": [9, 10, 91, 90]})
    assert list(out["flag"]) == ["hidden", "", "hidden", ""]


def test_nobody_and_everybody_in_a_small_group():
    """0 % or 100 % speaks of each person in a group under 50, and not in a large one."""
    frame = table(g=list("abc"), estimate=[0.0, 1.0, 0.0], n=[40, 49, 500])
    out = flags(frame, {"g": list("abc"), "numerator": [0, 49, 0]})
    assert list(out["flag"]) == ["hidden", "hidden", ""]


def test_a_single_hidden_category_takes_the_next_smallest_along():
    """Shares add to one, so one hidden category could be computed from the others."""
    frame = table(g=["a"] * 3 + ["b"] * 3, category=list("xyz") * 2, estimate=[0.3] * 6, n=[200] * 6)
    counts = {"g": ["a"] * 3 + ["b"] * 3, "category": list("xyz") * 2, "numerator": [100, 95, 5, 80, 70, 50]}
    out = flags(frame, counts)
    assert list(out["flag"]) == ["", "hidden", "hidden", "", "", ""]


def test_numbers_of_people_are_rounded():
    """Totals and their bounds are multiples of ten."""
    out = flags(table(estimate=[1234.0], n=[100]), {"numerator": [50.0]}, by=(), persons=True)
    assert (out[["estimate", "low", "high"]].to_numpy() == 1230).all()


def test_no_hidden_number_reaches_a_page(hidden_study):
    """Neither table, figure data, alternative text nor sentence holds a number of a hidden group."""
    study, released, secret = hidden_study
    from welfare_analysis.publishing import briefs, figures, tables

    one = released["rent_median_by_command"]
    assert (one.frame["flag"] == "hidden").any()
    texts = [tables.show(one, study).data, figures.alt_text(one, study), briefs.highest_lowest(one, study).data]
    figure = figures.dots_with_intervals(one, study)
    texts.append(figures.fingerprint(figure))
    figures.plt.close(figure)
    assert all(secret not in text and "4,321" not in text for text in texts)


@pytest.fixture
def hidden_study(tmp_path):
    """Tenants of two commands, one of them with few respondents and a rent that nobody else pays."""
    from pathlib import Path

    from welfare_analysis.publishing import protect
    from welfare_analysis.study import DATA, Study
    from welfare_analysis.survey.codebook import Codebook

    n = 100
    frame = pd.DataFrame(
        {
            "status": pd.Categorical(["active"] * n),
            "tenure": pd.Categorical(["tenant"] * n),
            "rent_dh": np.where(np.arange(n) < 12, 4321.0, 1500.0 + np.arange(n)),
            "command": ["nador"] * 12 + ["rabat"] * (n - 12),
        }
    )
    study = Study.of(frame, None, None, Codebook.read(Path(DATA) / "codebook"))
    return study, protect(study), "4321"
