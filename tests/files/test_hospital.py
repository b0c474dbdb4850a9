"""A second institution, from its form to its report, by the commands of the README; and without its public figures."""

import os
import re
import shutil
import subprocess
import sys

import nbformat
import pandas as pd
import pytest
from hospital import BLOCKS, FOLDER, made
from run_cells import said
from said_numbers import differences

from welfare_analysis.publishing.prose import catalogue, messages, translations
from welfare_analysis.results import release
from welfare_analysis.study import DATA, Study, public
from welfare_analysis.survey.codebook import LANGUAGES, Codebook, words

REPOSITORY = DATA.parent
POLICE = re.compile(r"\bpolice\b|\bFoundation\b|\bDH\b|\bNador\b|brigadier|Moroccan|March 2012", re.IGNORECASE)
# what the page on the instrument says of 2012, and pages of tests on public data, speak of others
ABOUT_OTHERS = {"01_instrument.html", "13_can_we_trust_it.html"}
EARLIER = re.compile(rf"{POLICE.pattern}|2012|الناظور|درهم|fondation|الشرطة", re.IGNORECASE)  # of the earlier tour


def commands():
    """Return the commands of the README's section for another institution."""
    text = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    section = text.partition("## Your own survey in an hour")[2].partition("\n## ")[0]
    return re.findall(r"^make (\w+) ?(.*?)(?:\s+#.*)?$", section, flags=re.MULTILINE)


def test_the_readme_goes_from_the_form_to_the_report():
    """The section says how to write the form, check the files and publish, in this order."""
    assert [command for command, _ in commands()] == ["form", "check", "report"]


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """Return a copy of the repository, so that its own build folder is left alone."""
    folder = tmp_path_factory.mktemp("repository")
    for name in ("src", "data", "notebooks"):
        shutil.copytree(REPOSITORY / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("requirements.txt", "CONFIDENTIALITY.md"):
        shutil.copyfile(REPOSITORY / name, folder / name)
    return folder


def test_its_commands_give_a_report_of_the_hospitals(root):
    """Each command ends well; every page is there, speaks of the hospitals and lacks no result."""
    environment = {**os.environ, "PYTHONPATH": str(root / "src")}
    for command, names in commands():
        arguments = [sys.executable, "-m", "welfare_analysis", command, *names.split()]
        done = subprocess.run(arguments, cwd=root, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    # a kernel that ends may say so on stderr with a traceback of its own; the pages and the last line count
    assert "could not be made" not in done.stderr
    assert {path.stem for path in (root / "build" / "form").glob("*.xlsx")} == {
        "active",
        "retired",
        "survivor",
        "questions",
    }
    found = {}
    for path in (root / "build" / "report" / "en").glob("*.html"):
        text = re.sub(
            r"<(details|style|script|nav|head|pre)\b.*?</\1>", "", path.read_text(encoding="utf-8"), flags=re.DOTALL
        )
        found[path.name] = re.sub(r"<[^>]+>", " ", text)
    assert {"confidentiality.html", "glossary.html", "search.html", "my_figures.html"} < set(found)
    assert len(found) == len(list((root / "notebooks").glob("*.ipynb"))) + 4
    for name in found:
        pages = {
            one: (root / "build" / "report" / one / name).read_text(encoding="utf-8") for one in ("en", "fr", "ar")
        }
        assert differences(pages) == {}, name
    assert "TND" in found["04_social_conditions.html"]
    assert "Harbour" in " ".join(found.values()) or "coast" in found["04_social_conditions.html"]
    for name, text in found.items():
        if name not in ABOUT_OTHERS:
            assert not POLICE.search(text), f"{name}: {POLICE.search(text)}"


def test_without_local_rents_the_page_says_so_and_goes_on(tmp_path, monkeypatch):
    """A folder without ``public``: no class of need is made up, and all else is there."""
    folder = shutil.copytree(FOLDER, tmp_path / "hospital", ignore=shutil.ignore_patterns("public"))
    monkeypatch.setenv("CODEBOOK", str(folder))
    study = Study.open(FOLDER / "answers.csv", FOLDER / "register.csv", codebook=folder)
    texts = said(study, ("04", "06", "08", "10"), monkeypatch)
    assert study.codebook.text("no_rents") in texts["06"]
    assert "crowded" in texts["04"].lower()


def prose_of(page, language):
    """Return all that is written on a page in a language, in the institution's own words."""
    (path,) = (REPOSITORY / "notebooks").glob(f"{page}_*.ipynb")
    said = messages(nbformat.read(path, as_version=4))
    known = translations(catalogue(path.stem, language)) if language != "en" else {}
    return " ".join(words(FOLDER).said(known.get(text, text), language) for text in said)


@pytest.mark.parametrize("towns", [False, True])
def test_the_tour_of_another_institution_is_nowhere_on_its_page(tmp_path, monkeypatch, towns):
    """In three languages, folds and prose too; also where it has towns of its own, and so a tour, and no past one."""
    folder = shutil.copytree(FOLDER, tmp_path / "hospital")
    if towns:
        stops = ["harbour", "north_general", "children", "valley", "mountain", "university"]
        places = {"lat": [36.8, 37.2, 36.8, 36.5, 36.9, 36.8], "lon": [10.3, 9.9, 10.2, 8.8, 8.7, 10.1]}
        regions = Codebook.read(folder).parent("command")
        table = pd.DataFrame({"caravan_stop": stops, "command_group": [regions[stop] for stop in stops], **places})
        made = table.assign(population=range(6, 0, -1), language="arabic", kind="assumption", source="made for a test")
        made.to_csv(folder / "public" / "caravan.csv", index=False)
        rules = public("caravan_rules").assign(source="made for a test")
        rules.loc[rules["rule"] == "few_stops", ["value", "low", "high"]] = 5
        rules.loc[rules["unit"] == "date", ["value", "low", "high"]] = 20300902
        rules.to_csv(folder / "public" / "caravan_rules.csv", index=False)
    monkeypatch.setenv("CODEBOOK", str(folder))
    study = Study.open(FOLDER / "answers.csv", FOLDER / "register.csv", codebook=folder)
    for language in LANGUAGES:
        shown = said(study.in_language(language), ("12",), monkeypatch)["12"]
        assert not EARLIER.search(shown), EARLIER.search(shown)
        assert not EARLIER.search(prose_of("12", language)), EARLIER.search(prose_of("12", language))
        assert (study.codebook.text("caravan.elsewhere", language) in shown) != towns
        assert (study.codebook.text("caravan.unknown", language) in shown) == towns
        assert (study.codebook.label("command", "harbour", language) in shown) == towns
    assert not towns or set(release(study)["caravan_plans"].frame["caravan_plan"]) == {"ours"}


def test_its_files_are_those_of_the_script():
    """The committed answers are of nobody: the script gives as many forms, of the same blocks and statuses."""
    answers, register = made()
    stored = pd.read_csv(FOLDER / "answers.csv", dtype=str)
    assert len(stored) == len(answers)
    assert set(stored["status"]) == set(answers["status"]) == set(Codebook.read(FOLDER).codes("status"))
    assert set(Codebook.read(FOLDER).variables.loc[stored.columns, "block"]) == set(BLOCKS)
    assert register["count"].sum() == 2 * register.loc[register["variable"] == "command", "count"].sum()
