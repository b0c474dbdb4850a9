"""Words and signs of the report, with what they mean: a page of the site, and a list in a notebook."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd
from IPython.display import Markdown

from ..disclosure import policy
from ..errors import unknown
from ..study import DATA, Study, own_words

GLOSSARY = DATA / "glossary.csv"


@dataclass(frozen=True)
class Word:
    """A line of the glossary in one language; a term is explained where a page first uses it."""

    name: str
    meaning: str
    is_term: bool
    anchor: str


def glossary(language: str, worded: Callable[[str, str], str]) -> dict[str, Word]:
    """By English name what words and signs of the report mean, with the thresholds that the policy has."""
    rules = vars(policy()) | {"round_totals": policy().step("totals")}
    limits = {name: f"{rule:g}" for name, rule in rules.items() if isinstance(rule, int | float)}
    lines = pd.read_csv(GLOSSARY).set_index("en", drop=False)[["kind", language, f"{language}_meaning"]]
    said = {
        str(key): (kind, *(worded(str(text), language).format(**limits) for text in texts))
        for key, kind, *texts in lines.itertuples()
    }
    return {
        key: Word(name, meaning, kind == "term", f"word-{i}")
        for i, (key, (kind, name, meaning)) in enumerate(said.items())
    }


def explain(study: Study, *words: str) -> Markdown:
    """A list of words, by their English names, with what they mean.

    Raises
    ------
    WelfareError
        A word is not in the glossary.
    """
    known = glossary(study.language, own_words().said)
    if strange := set(words) - set(known):
        raise unknown("no such word", min(strange), known, where=GLOSSARY.name)
    named = study.codebook.template("named", study.language)
    lines = (named.format(name=f"**{known[word].name}**", value=known[word].meaning) for word in words)
    return Markdown("\n".join(f"- {line}" for line in lines))
