"""All tables and all sentences of the codebook: listed, titled, and each address a cell."""

import pandas as pd
import pytest
from sayings import BOOK, addresses, given, texts

from welfare_analysis.publishing.labels import title
from welfare_analysis.publishing.sentences import sentence
from welfare_analysis.publishing.verbs import VERBS
from welfare_analysis.results import release
from welfare_analysis.results.catalogue import TOPICS, listed
from welfare_analysis.results.declare import GROUPS
from welfare_analysis.study import DATA, Study
from welfare_analysis.survey.codebook import LANGUAGES
from welfare_analysis.survey.reading import typed
from welfare_analysis.survey.standin import Parameters, generate

APART = {  # tables by group whose groups add up to nothing that is shown
    "income_fifths": "parts of the income of each status",
    "income_lorenz": "as these",
    "deprivation_own": "of each status what it alone was asked",
    "adjusted_place": "completed where the model is made",
    "agreements_compared": "a rank is shown whole or not at all",
    "recheck_amounts": "by how much amounts are wrong: no error of all is shown",
}


@pytest.fixture(scope="module")
def study():
    world = generate(Parameters.read(DATA / "public"), 13, "rich", size=6000)
    return Study.of(*(typed(f, BOOK) for f in (world.answers, world.register, world.followup)), BOOK, is_standin=True)


def test_the_list_of_tables_is_that_of_the_code():
    """The file ``data/tables.csv`` is what `catalogue.listed` gives."""
    same = pd.read_csv(DATA / "tables.csv", keep_default_na=False).equals(listed())
    assert same, "write it again with the command that CONTRIBUTING.md gives under `data/tables.csv`"


def test_what_is_listed_can_be_asked_for(study):
    """The list has every table of a release and no other, each once, with a title in every language."""
    assert sorted(release(study)) == sorted(listed()["table"])
    for name in release(study):
        assert all(title(name, study.in_language(language)) for language in LANGUAGES)


def test_groups_of_a_table_add_up():
    """Shares and numbers of persons by group have lines along it: a hidden group is else what another table leaves."""
    tables = {topic.address(name): table for topic in TOPICS.values() for name, table in topic.tables.items()}
    grouped = {
        name
        for name, table in tables.items()
        if {*table.rows, table.across} & {*GROUPS} and not table.adds
        if (table.unit, table.statistic) in {("share", "share"), ("persons", "total")}
    }
    assert grouped == {*APART}


@pytest.mark.parametrize(("key", "table"), list(texts()))
def test_every_address_is_a_cell_in_every_language(study, key, table):
    """A gap names a table, codes of its keys that it has, and a verb; the three languages name the same ones."""
    named = [addresses(BOOK.template(key, language).replace("@", table)) for language in LANGUAGES]
    assert sorted(map(repr, named[0])) == sorted(map(repr, named[1])) == sorted(map(repr, named[2]))
    for name, codes, verb in named[0]:
        assert verb in VERBS
        one = release(study)[name]
        if one.state == "shown" and codes and not verb.startswith("contrast"):
            assert len(one.cells(*codes)), f"{key}: {name}|{'|'.join(codes)}"
    fields = given(BOOK.template(key))
    for language in LANGUAGES:
        assert "{" not in sentence(study.in_language(language), key, table, **fields)
