"""All tables and all sentences of the codebook: listed, titled, and each address a cell."""

import pandas as pd
import pytest
from sayings import BOOK, addresses, given, texts

from welfare_analysis.publishing.labels import title
from welfare_analysis.publishing.sentences import VERBS, sentence
from welfare_analysis.results import release
from welfare_analysis.results.catalogue import listed
from welfare_analysis.study import DATA, Study
from welfare_analysis.survey.codebook import LANGUAGES
from welfare_analysis.survey.reading import typed
from welfare_analysis.survey.standin import Parameters, generate


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
