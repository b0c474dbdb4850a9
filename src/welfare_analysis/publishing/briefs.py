"""Sentences with conditions: whose answers these are, how they were weighted, what limits them."""

from __future__ import annotations

from IPython.display import Markdown

from ..languages import amount, number
from ..results import HEADLINES, TOPICS, release
from ..study import Study
from .labels import source, title


def banner(study: Study) -> Markdown:
    """On the stand-in the warning that no answer is real; else whose answers these are."""
    if study.is_standin:
        return Markdown(f"> **{study.codebook.text('banner', study.language)}**")
    text = study.codebook.text("own", study.language, source=source(study))
    return Markdown(f"> {study.as_markdown(text)}")


def method(study: Study) -> Markdown:
    """How many answers of which kind, and whom they stand for."""
    followed = int((study.frame["outcome"] == "answered").sum()) if "outcome" in study.frame else 0
    n, people = len(study.frame), study.population or 0
    fields = {"n": n, "returned": n - followed, "followed": followed, "people": people}
    shown = {k: number(v, study.language) for k, v in fields.items()}
    return Markdown(study.codebook.text(f"method.{study.method}", study.language, **shown))


def limits(study: Study, topic: str = "") -> Markdown:
    """The largest share of missing answers in a topic's tables (of the headlines where none is named).

    On the stand-in also that no level can carry a decision.
    """
    book, language, released = study.codebook, study.language, release(study)
    names = TOPICS[topic].names if topic else HEADLINES
    shown = [t for t in (released[name] for name in names) if t.state == "shown" and t.respondents]
    lines = [book.text("limits.standin", language)] if study.is_standin else []
    if shown:
        worst = max(shown, key=lambda t: t.missing_share)
        missing = amount(worst.missing_share, "share", language)
        lines.append(book.text("limits.missing", language, missing=missing, table=title(worst.id, study)))
    return Markdown("\n".join(f"- {line}" for line in lines))
