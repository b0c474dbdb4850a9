"""The page of what-ifs: its script and Python say the same, nothing leaves it, and it hides what is hidden."""

import base64
import hashlib
import json
import re
from itertools import product

import dukpy
import numpy as np
import pandas as pd
import pytest
from books import BOOK
from nbformat.v4 import new_code_cell, new_notebook, new_output
from wording import Wording

from welfare_analysis.disclosure import CATEGORY, Lazy, Released
from welfare_analysis.languages import amount, with_interval
from welfare_analysis.publishing import grids
from welfare_analysis.publishing.report import SITE, render
from welfare_analysis.results.what_if import GRIDS, GROUPED, axes, base, code, interpolated
from welfare_analysis.survey.codebook import LANGUAGES

CODES = {"rank_group": ["guards", "senior"], "command_group": ["north", "sahara"]}
NUMBERS = ["estimate", "low", "high"]


def invented(rng, service):
    """Released tables of a service with numbers drawn anew, a few of them marked, unsure or hidden."""
    grid, made = GRIDS[service], {}

    def table(name, on, last, across, unit, units):
        rows = pd.DataFrame(
            [(*map(code, x), y) for x, y in product(product(*on.values()), last)], columns=[*on, across or "category"]
        )
        named = pd.Series([units[y] for y in rows.iloc[:, -1]])
        step = rng.choice([1, 2, 5, 10, 50], len(rows)) * np.where(named == "million_dh", 1e5, 10.0)
        near = rng.integers(20, 400, len(rows)) * step
        flag = rng.choice(["", "caution", "unsure", "hidden"], len(rows), p=[0.82, 0.1, 0.04, 0.04])
        flag[:2] = ["hidden", "unsure"]
        wide = rng.integers(0, 15, len(rows)) * step
        rows = rows.assign(
            estimate=near, low=near - wide, high=near + 2 * wide, n=100.0, step=step, unit=named, flag=flag
        )
        gone = rows["flag"].isin(["unsure", "hidden"])
        rows.loc[gone, NUMBERS] = np.nan
        by = tuple(on) if across == CATEGORY else (*on, across)
        return Released(
            name, "total", "measure", by, unit, frame=rows, respondents=100, missing_share=0.0, state="shown"
        )

    address = grid.topic.address
    units = dict(grid.units)
    made[address("grid")] = table(address("grid"), axes(service), list(units), CATEGORY, "homes", units)
    for group in GROUPED:
        one = dict.fromkeys(CODES[group], next(iter(units.values())))
        name = address(f"grid_by_{group}")
        made[name] = table(name, axes(service, grouped=True), CODES[group], group, "homes", one)
    off = pd.DataFrame({"measure": [next(iter(units))], "estimate": 0.034, "low": 0.034, "high": 0.034, "n": 100.0,
                        "step": 0.001, "flag": ""})  # fmt: skip
    name = address("grid_error")
    made[name] = Released(name, "model", "", ("measure",), "share", frame=off, respondents=100, missing_share=0.0,
                          state="shown")  # fmt: skip
    return made


@pytest.fixture(scope="module")
def tables():
    rng = np.random.default_rng(5)
    return {name: one for service in GRIDS for name, one in invented(rng, service).items()}


@pytest.fixture
def study(tables, monkeypatch):
    """A study of invented tables, in a language."""
    monkeypatch.setattr(grids, "release", lambda _: Lazy({name: (lambda t=t: t) for name, t in tables.items()}))

    def of(language):
        return Wording(codebook=BOOK, language=language, is_standin=True, survey_name="", languages=("en",))

    return of


@pytest.mark.parametrize("service", GRIDS)
def test_the_script_prints_what_python_prints(study, tables, service):
    """1,000 random points of each service, for all and by group: every printed digit and mark of every number.

    The reference is `interpolated` on the released tables, printed by `with_interval`.
    """
    rng = np.random.default_rng(11)
    address, asked, found = GRIDS[service].topic.address, [], []
    groups = [("", "")] + [(group, one) for group in GROUPED for one in CODES[group]]
    places = []
    for group, one in groups:
        on, table = axes(service, grouped=bool(group)), tables[address(f"grid_by_{group}" if group else "grid")]
        units = list(GRIDS[service].units.items())[: 1 if group else None]
        cells = [(table.cells(*["*"] * len(on), one or measure), unit) for measure, unit in units]
        home = {axis: base(service)[axis] for axis in on}
        places.append((on, [(known, interpolated(known, on, home), unit) for known, unit in cells]))
    for place in rng.integers(len(groups), size=1000).tolist():
        on, lines = places[place]
        at = {a: float(rng.choice([rng.uniform(x[0], x[-1]), rng.choice(x)], p=[0.7, 0.3])) for a, x in on.items()}
        asked.append([place, at])
        found.append([(before, interpolated(known, on, at), unit) for known, before, unit in lines])
    script = (SITE / "what_if.js").read_text(encoding="utf-8")
    run = "JSON.stringify(asked.map(function (q) { return lines(page, page.grids[q[0]], q[1]).map("
    run += "function (line) { return line.slice(1); }); }))"
    for language in LANGUAGES:
        page = grids.contents(study(language), service)
        assert len(page["grids"]) == len(groups)
        given = f"var page = {json.dumps(page)}, asked = {json.dumps(asked)};"
        expected = [
            [[said(b, unit, language), said(a, unit, language), less(b, a, unit, language)] for b, a, unit in lines]
            for lines in found
        ]
        assert json.loads(dukpy.evaljs([script, given, run])) == expected
        assert {"..", "/"} <= {cell for lines in expected for line in lines for cell in line}


def said(cell, unit, language):
    """A number as tables print it, with its mark."""
    if cell["flag"] in ("hidden", "unsure"):
        return {"hidden": "..", "unsure": "/"}[cell["flag"]]
    text = with_interval(*(cell[name] for name in NUMBERS), unit, language, "", cell["step"])
    return text + (" *" if cell["flag"] == "caution" else "")


def less(before, after, unit, language):
    """The difference of two printed numbers, in the coarser of their units."""
    gone = [cell for cell in (before, after) if cell["flag"] in ("hidden", "unsure")]
    if gone:
        return said(gone[0], unit, language)
    step = max(before["step"], after["step"])
    by = np.floor((after["estimate"] - before["estimate"]) / step + 0.5) * step
    if by <= 0:
        return amount(by, unit, language, "", step)
    text = "+" + amount(by, unit, language, "", step)
    return f"\u2066{text}\u2069" if language == "ar" else text


def test_at_its_points_the_grid_says_the_released_numbers(tables):
    """Weights of 1 on one corner: estimate, interval and mark are those of the cell, hidden ones stay so."""
    for service in GRIDS:
        on, table = axes(service), tables[GRIDS[service].topic.address("grid")]
        measure = list(GRIDS[service].units)[-1]
        cells = table.cells(*["*"] * len(on), measure)
        for values in product(*on.values()):
            cell = interpolated(cells, on, dict(zip(on, values, strict=True)))
            own = table.cell(*map(code, values), measure)
            assert cell["flag"] == own["flag"]
            np.testing.assert_allclose([cell[name] for name in NUMBERS], own[NUMBERS].astype(float), rtol=1e-12)


def written(study, tmp_path, services=tuple(GRIDS)):
    """The site of a notebook that hands on services, in three languages."""
    outputs = [
        new_output("display_data", data={"text/markdown": "[x](what_if.html)"},
                   metadata={"language": language, "text/markdown": {"what_if": grids.contents(study(language), one)}})
        for language in LANGUAGES for one in services
    ]  # fmt: skip
    render({"06_homes": new_notebook(cells=[new_code_cell("x", outputs=outputs)])}, tmp_path)
    return {language: tmp_path / language / grids.HREF for language in LANGUAGES}


def test_nothing_leaves_the_page_and_every_control_has_a_name(study, tmp_path):
    """Its policy lets only this script run and nothing be fetched; there is no address in it but the report's own."""
    for language, path in written(study, tmp_path).items():
        text = path.read_text(encoding="utf-8")
        policy = re.search(r'Content-Security-Policy" content="([^"]+)"', text)[1]
        script = re.search(r"<script>(.*?)</script>", text, re.DOTALL)[1]
        own = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        assert "default-src 'none'" in policy
        assert f"script-src 'sha256-{own}';" in policy
        assert not re.search(
            r"https?:|fetch\(|XMLHttp|WebSocket|sendBeacon|src=|@import|<link [^>]*href=\"(?!style|\.\.)", text
        )
        names = re.findall(r'<(?:input type="range"|select) id="([^"]+)"', text)
        assert len(names) == sum(len(axes(service)) + 1 for service in GRIDS)
        assert all(f'<label for="{name}">' in text for name in names)
        assert text.count('aria-live="polite"') == len(GRIDS)
        assert BOOK.text("banner", language) in text
        assert path.stat().st_size < 500_000
        assert f'href="{grids.HREF}"' in path.with_name("06_homes.html").read_text(encoding="utf-8")


def test_without_a_service_it_is_left_out(study, tmp_path):
    """Of what was not asked there is no part; where nothing was asked there is no page and no link to it."""
    page = written(study, tmp_path / "one", ["loans"])["en"].read_text(encoding="utf-8")
    assert 'id="loans"' in page
    assert 'id="homes"' not in page
    none = written(study, tmp_path / "none", [])["en"]
    assert not none.exists()
    assert BOOK.text("site.what_if", "en") not in none.with_name("06_homes.html").read_text(encoding="utf-8")
