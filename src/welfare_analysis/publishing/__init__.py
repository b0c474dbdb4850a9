"""What leaves the study: tables that may be shown, pictures, sentences and the report."""

from . import aspiration_sentences, caravan_sentences, condition_sentences  # noqa: I001 - they declare sentences
from ..study import Study
from . import briefs, calendars, glossary, grids, my_figures, notebook, sentences, stop_briefs, tables
from .notebook import in_each_language

adjustable = in_each_language(grids.adjustable)
agrees = in_each_language(notebook.agrees)
all_briefs = in_each_language(stop_briefs.all_briefs)
banner = in_each_language(briefs.banner)
bias = in_each_language(briefs.bias)
calendar = in_each_language(calendars.calendar)
explain = in_each_language(glossary.explain)
findings = in_each_language(sentences.findings)
first_page = in_each_language(briefs.first_page)
limits = in_each_language(briefs.limits)
method = in_each_language(briefs.method)
own_figures = in_each_language(my_figures.own_figures)
say = in_each_language(sentences.say)
show = in_each_language(tables.show)
trust = in_each_language(briefs.trust)
what_if = in_each_language(tables.what_if)
who_where = in_each_language(briefs.who_where)


@in_each_language
def draw(study: Study, name: str) -> None:
    """Draw a figure (`figures.draw`); what draws is imported with the first one, for it takes a second."""
    from . import figures

    figures.draw(study, name)


notebook.register()
