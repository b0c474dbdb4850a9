"""A study: the only place where files become answers, a design, a banner and a language."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from .errors import WelfareError, unknown
from .estimation import Design
from .languages import number
from .survey import doubts, institution, recheck
from .survey.codebook import Codebook, words
from .survey.reading import Answers, Map, Margins, read, read_followup, read_log, read_recheck, read_register
from .survey.reading.reviews import LEFT_OUT
from .survey.reading.text_files import small_table
from .survey.response import Collection, collection
from .survey.weighting import RETURNED, answering, household_share, in_register, unanswered, weight

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT / "data"
MARK = b"welfare_analysis.standin"
# variables that name files of one's own
OWN_FILES = ("SURVEY", "REGISTER", "FOLLOWUP", "RECHECK", "CODEBOOK", "MAP", "AGREEMENTS")
# and those that decide what is made of them: `doubts`, `results.kept` and `results.catalogue`
WISHED = ("KEEP", "OMIT", "LANGUAGE_OF_REPORT", "LANGUAGES_OF_REPORT", "WELFARE_RESULTS", "WELFARE_WITHHELD")
SEVERAL = re.compile(r"""\"([^"]+)\"|'([^']+)'|(\S+)""")
MARKS = re.compile(r"[\\`*_\[\]$<>#&~!|]")  # what Markdown obeys
AGES = (0, 18, 30, 40, 50, 60, 200)
GROUPED = (
    ("rank", "rank", "rank_group"),
    ("command", "command", "command_group"),
    ("home_city", "command", "home_city_group"),
)
STANDIN = ("answers", "register", "followup", "recheck")  # its files
KEYED = {"rents": "command", "transport_zones": "command_group"}  # tables of data/public by codes of the codebook
INHERITED = "source.inherited"  # key of a text
BESIDE = ("AGREEMENTS", "LISTENING")  # variables that name a table of one's own beside the answers
AGE_GROUPS = ("under_18", "18_29", "30_39", "40_49", "50_59", "60_over")


@dataclass(frozen=True, eq=False, repr=False)
class Study:
    """Answers and all that is needed to speak of the people behind them.

    Attributes
    ----------
    frame : DataFrame (n rows)
        One row a respondent: the codebook's variables and the groups rank_group, command_group, age_group.
    design : Design
        Aligned with the rows of ``frame``.
    codebook : Codebook
        Questions, codes and texts.
    register : DataFrame or None
        The frame of persons with the same groups; None where there is none, or only its margins.
    margins : mapping
        The counts that the weights reach, each indexed by category; empty without a register.
    classes : DataFrame (n rows)
        The category of each row in each margin.
    followup : DataFrame or None
        Those selected of the silent, with stratum, stratum_population and outcome.
    checked : Checked or None
        Those whose papers were seen (`survey.recheck`).
    kinds : DataFrame
        Of each answer whether it was given, and why not; in the order of the files, not of ``frame``.
    is_standin : bool
        Whether the file of answers carries the mark of the stand-in population.
    method : str
        ``two_phase``, ``returners``, ``margins``, ``weights``, ``relative`` or ``respondents``: see `weighting.weight`.
    language : str
        ar, fr or en.
    left_out : mapping
        Statuses of the register that the pages do not speak of (OMIT=unanswered), and how many persons have them.
    states : mapping
        Forms by review state or kind of doubt, and whether they are ``counted`` or ``left_out``.
    files : tuple of Path
        What it was opened from; empty for a study of frames.
    wishes : tuple of str
        What was said of forms in doubt.
    languages : tuple of str
        Of the report that is made; empty in Jupyter, where a display is in ``language`` alone.
    """

    frame: pd.DataFrame
    design: Design
    codebook: Codebook
    register: pd.DataFrame | None
    is_standin: bool = False
    method: str = "respondents"
    margins: Margins = field(default_factory=dict)
    classes: pd.DataFrame = field(default_factory=pd.DataFrame, repr=False)
    followup: pd.DataFrame | None = field(default=None, repr=False)
    checked: recheck.Checked | None = field(default=None, repr=False)
    kinds: pd.DataFrame = field(default_factory=pd.DataFrame, repr=False)
    language: str = "en"
    survey_name: str = ""
    left_out: Mapping[str, int] = field(default_factory=dict)
    states: Mapping[tuple[str, str], int] = field(default_factory=dict)
    files: tuple[Path, ...] = ()
    wishes: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    results: dict[Any, Any] = field(default_factory=dict, init=False, repr=False)

    def __repr__(self) -> str:
        """How many answers stand for whom; no answer is shown."""
        people = f"{self.population:,} members" if self.population else "themselves alone"
        whose = "the stand-in population" if self.is_standin else self.survey_name or "frames"
        return f"<Study: {len(self.frame):,} answers for {people}, {self.method}, of {whose}, in {self.language}>"

    def result(self, function: Callable[..., Any], *arguments: Hashable) -> Any:
        """What a function gives of this study, computed when it is first asked for.

        The function's first argument is the study; it must change nothing and draw from a seed of its own. This is the
        only place where results are kept, so that pages and tables of one study share their models and forecasts.
        """
        key = function, arguments
        if key not in self.results:
            self.results[key] = function(self, *arguments)
        return self.results[key]

    def in_language(self, language: str) -> Study:
        """The same study in another language. Its results are those of this one, since they hold no words."""
        other = replace(self, language=language, languages=(language,) if self.languages else ())
        object.__setattr__(other, "results", self.results)
        return other

    def as_markdown(self, text: str) -> str:
        """A text for Markdown in which the name of the file of answers stays as it is."""
        return text.replace(self.survey_name, MARKS.sub(r"\\\g<0>", self.survey_name)) if self.survey_name else text

    def text(self, key: str, **fields: str | float) -> str:
        """A text of the codebook in the study's language, its fields `written`."""
        return self.codebook.text(key, self.language, **self.written(fields))

    def written(self, fields: Mapping[str, str | float]) -> dict[str, str]:
        """Words as they are, numbers as the study's language writes them."""
        return {name: x if isinstance(x, str) else number(x, self.language) for name, x in fields.items()}

    def lacking(self, needed: Iterable[str]) -> list[str]:
        """Questions among those needed that were not asked."""
        return [name for name in needed if name not in self.frame]

    @classmethod
    def open(
        cls,
        survey: str | Path | Sequence[Path] | None = None,
        register: str | Path | None = None,
        followup: str | Path | None = None,
        codebook: str | Path | None = None,
        names: str | Path | None = None,
        language: str | None = None,
        keep: str | None = None,
        omit: str | None = None,
        recheck: str | Path | None = None,
    ) -> Study:
        """Open the files named, or those of SURVEY, REGISTER, FOLLOWUP, RECHECK, CODEBOOK, MAP and LANGUAGE_OF_REPORT.

        ``survey`` may be several files, or a folder of them: answers to the forms of one survey (`several`).
        With no SURVEY at all it opens the stand-in population, its register, follow-up and recheck. ``keep`` and
        ``omit``, or KEEP and OMIT, say what is done with forms in doubt (`survey.doubts`): ``repeated``, ``impossible``
        or ``status``, several with commas; OMIT also ``orphans`` (`read`) and ``unanswered``: those of the register of
        whose status too few answered. A person of the follow-up whose answers are left out counts as not reached.

        Opened again with the same files, unchanged, it is the same study, with the results that it has.

        Raises
        ------
        WelfareError
            A file that is not there or has faults; a follow-up without a register; forms in doubt, until it is said
            what is done with them.
        """
        files = (survey if isinstance(survey, str | Path | None) else tuple(survey), register, followup, recheck)
        said = tuple((name, os.environ.get(name, "")) for name in (*OWN_FILES, *WISHED))
        named = [*files, codebook, names, *(value.strip() for _, value in said[: len(OWN_FILES)])]
        read = [DATA, *(path for one in named if one for path in several(one))]
        return _opened((*files, codebook, names, language, keep, omit), (said, *map(_written, read)))

    @classmethod
    def _open(cls, *given: Any) -> Study:
        """The study of `open`, read."""
        survey, register, followup, checks, codebook, names, language, keep, omit = given
        survey, register = survey or os.environ.get("SURVEY", "").strip() or None, register or _named("REGISTER")
        followup, codebook = followup or _named("FOLLOWUP"), codebook or _named("CODEBOOK")
        checks = checks or _named("RECHECK")
        if survey is None:
            if register or followup or checks:
                what, hint = "a file is named that goes with answers, but no SURVEY", "Name the file of answers too."
                raise WelfareError(what, where="REGISTER, FOLLOWUP or RECHECK", hint=hint)
            survey, register, followup, checks = (DATA / "survey" / f"{n}.parquet" for n in STANDIN)
        if followup and not register:
            raise WelfareError(
                "a follow-up is named, but no register", hint="Name the register that it was drawn from."
            )
        book = Codebook.read(Path(codebook or DATA / "codebook"))
        names = names or _named("MAP")
        known = Map.read(names, book) if names else None
        wishes, terms = doubts.wishes(keep, omit), [_named(name) for name in BESIDE]
        people = _register(Path(register), book, known) if register else None
        sources = several(survey)
        name, source = ", ".join(path.name for path in sources), (sources if len(sources) > 1 else sources[0])
        answers = read(source, book, known, omit)
        stay = doubts.settled(answers.frame, book, people, wishes, name)
        kinds, late = [answers.missing[stay]], None
        if followup:
            again = read_followup(Path(followup), book, known)
            reached = doubts.settled(again.frame, book, people, wishes, Path(followup).name)
            late = again.frame.assign(outcome=again.frame["outcome"].where(reached, "not_reached"))
            kinds.append(again.missing[(late["outcome"] == "answered").to_numpy()])
        states = {(state, "left_out" if state in LEFT_OUT else "counted"): n for state, n in answers.reviews.items()}
        states |= doubts.decided(answers.frame, book, people, wishes)
        forms, left = answers.frame[stay].reset_index(drop=True), {}
        if doubts.UNANSWERED in wishes["OMIT"] and isinstance(people, pd.DataFrame) and "person_id" in forms:
            gone = people["status"].isin(unanswered(forms, people, late))
            left = {str(code): int(n) for code, n in people.loc[gone, "status"].astype(str).value_counts().items()}
            lost, people = people.loc[gone, "person_id"], people[~gone].reset_index(drop=True)
            here = _stay(forms, lost)
            forms, kinds[0] = forms[here].reset_index(drop=True), kinds[0][here]
            if late is not None:
                here = _stay(late, lost)
                kinds[1] = kinds[1][here[(late["outcome"] == "answered").to_numpy()]]
                late = late[here].reset_index(drop=True)
        drawn = read_recheck(Path(checks), book, known).frame if checks else None
        if drawn is not None:
            if "status" in drawn:  # papers of another person than was drawn
                reached = doubts.settled(drawn, book, people, wishes, Path(checks).name)
                drawn = drawn.assign(outcome=drawn["outcome"].where(reached, "not_reached"))
            in_register(name, forms, pd.Index(forms.get("person_id", ())))  # they have keys
            before, after = (
                answering(*both) for both in ((answers.frame, again.frame if followup else None), (forms, late))
            )
            drawn = recheck.of_those_left(drawn, before, after)
        return cls.of(
            forms,
            people,
            late,
            book,
            drawn,
            kinds=pd.concat(kinds, ignore_index=True),
            left_out=left,
            states=states,
            is_standin=all(map(_marked, sources)),
            language=language or os.environ.get("LANGUAGE_OF_REPORT", "en"),
            languages=tuple(os.environ.get("LANGUAGES_OF_REPORT", "").split()),
            survey_name=name,
            files=tuple(Path(path) for path in (*sources, register, followup, checks, codebook, names, *terms) if path),
            wishes=(repr(wishes),),
        )

    @classmethod
    def of(
        cls,
        answers: pd.DataFrame,
        register: pd.DataFrame | Margins | None,
        followup: pd.DataFrame | None,
        codebook: Codebook,
        drawn: pd.DataFrame | None = None,
        **named: Any,
    ) -> Study:
        """A study of frames that were read already, ``drawn`` that of a recheck; ``named`` are further attributes."""
        people = grouped(register, codebook) if isinstance(register, pd.DataFrame) else None
        w = weight(grouped(answers, codebook), register if people is None else people, followup)
        frame = grouped(w.frame.reset_index(drop=True), codebook)
        if "register_links_n" in frame:
            frame = frame.assign(household_share=household_share(frame))
        seen = None if drawn is None else recheck.checked(frame, w.design, drawn)
        named |= {"followup": followup, "checked": seen, "method": w.method, "margins": w.margins}
        named["classes"] = w.classes.reset_index(drop=True)
        return cls(frame, w.design.with_frame(frame), codebook, people, **named)

    @cached_property
    def collection(self) -> Collection | None:
        """Who was asked, and what came of it; None without a list of persons."""
        if self.register is None:
            return None
        back = self.frame["outcome"] == RETURNED if "outcome" in self.frame else slice(None)
        return collection(self.register, self.frame.loc[back], self.followup)

    def followed_up(self, known: pd.Series) -> int:
        """Of some of those who answered, a mask, how many did so in the follow-up."""
        if "outcome" not in self.frame or len(known) != len(self.frame):
            return 0  # nobody was asked again; or forms that were sent are counted, not answers
        return int((np.asarray(known, bool) & (self.frame["outcome"] == "answered")).sum())

    @property
    def population(self) -> int | None:
        """Persons that the answers stand for; None without a register or weights that count them."""
        if self.register is not None:
            return len(self.register)
        if self.method == "weights":
            return round(self.design.weights.sum())
        return int(next(iter(self.margins.values())).sum()) if self.margins else None


def _stay(frame: pd.DataFrame, lost: pd.Series) -> np.ndarray:
    """Rows of persons who are not among those left out (boolean, n)."""
    return ~frame["person_id"].astype(object).isin(lost).to_numpy()


@lru_cache(maxsize=1)
def _opened(given: tuple[Any, ...], _: Hashable) -> Study:
    """The study that was opened last, as long as nothing changed: its arguments, what was said, the state of files."""
    return Study._open(*given)


def _written(place: Path) -> Hashable:
    """When a file, or each file of a folder, was last written, and how large it is."""
    files = [path for path in [place, *place.rglob("*")] if path.is_file()]
    return tuple((str(path), path.stat().st_mtime_ns, path.stat().st_size) for path in files)


def reference(name: str) -> pd.DataFrame:
    """One of the small public data sets of ``data/reference``, by name."""
    return pd.read_csv(DATA / "reference" / f"{name}.csv")


def public(name: str) -> pd.DataFrame:
    """One of the tables of ``data/public``, levels with their range and source, by name.

    A table of the same name in the folder ``public`` of the codebook that CODEBOOK names stands in its place. What
    another institution takes over from ``data/public`` has the text `INHERITED` for its sources, which are not its own.

    Raises
    ------
    WelfareError
        A name that no table has.
    """
    codebook = _named("CODEBOOK")
    own = codebook / "public" / f"{name}.csv" if codebook else None
    if own and own.is_file():
        return _public(own).copy()
    names = [path.stem for path in (DATA / "public").glob("*.csv")]
    if name not in names:
        raise unknown("no such table", name, names, where="data/public")
    table = _public(DATA / "public" / f"{name}.csv").copy()
    if codebook and institution.is_part(codebook) and "source" in table:
        table["source"] = INHERITED
    return table


def own_lines(variable: str, what: str) -> tuple[str, pd.DataFrame] | None:
    """Name and cells, as text, of a small table of one's own that a variable names; None where it names none.

    Raises
    ------
    WelfareError
        A file that is not there or cannot be read.
    """
    path = _named(variable)
    return None if path is None else (path.name, small_table(path, (), what, f"{variable}= names it."))


def log_book(codebook: Codebook) -> Codebook:
    """The codebook of a log of what is asked at the stops of ``data/public/caravan.csv``."""
    return codebook.of_questions(public("caravan")["caravan_stop"])


def own_log(codebook: Codebook) -> pd.DataFrame | None:
    """The log that LISTENING names, read and checked; None where it names none."""
    path = _named("LISTENING")
    return None if path is None else read_log(path, log_book(codebook))


def own_words() -> institution.Words:
    """The words of the institution whose codebook CODEBOOK names, its currency among them."""
    folder = _named("CODEBOOK") or DATA / "codebook"
    return _words(folder, _written(folder))


@lru_cache(maxsize=2)
def _words(folder: Path, _: Hashable) -> institution.Words:
    """Those of a folder, as long as nothing in it changed: each label of a table asks for them."""
    return words(folder)


def not_given(codebook: Codebook) -> dict[str, list[str]]:
    """By table of ``data/public``: the codes of a codebook that it has no row for, so that pages say less of them."""
    rows = {name: set(public(name)[column].dropna()) for name, column in KEYED.items()}
    lacking = {name: [c for c in codebook.codes(column) if c not in rows[name]] for name, column in KEYED.items()}
    return {name: codes for name, codes in lacking.items() if codes}


@cache
def _public(path: Path) -> pd.DataFrame:
    return pd.read_csv(path, keep_default_na=False, na_values=[""])


def _register(path: Path, codebook: Codebook, known: Map | None) -> pd.DataFrame | Margins:
    found = read_register(path, codebook, known)
    return found.frame if isinstance(found, Answers) else found


def several(text: str | Path | Sequence[Path]) -> list[Path]:
    """The files that a text names: one, or several with spaces between, in quotes where a name has spaces itself."""
    if not isinstance(text, str | Path):
        return list(text)
    whole = Path(text).expanduser()
    parts = [Path("".join(part)).expanduser() for part in SEVERAL.findall(str(text))]
    return parts if not whole.exists() and any(part.exists() for part in parts) else [whole]


def _named(variable: str) -> Path | None:
    value = os.environ.get(variable, "").strip()
    return Path(value) if value else None


def _marked(path: Path) -> bool:
    return path.suffix == ".parquet" and MARK in (pq.read_schema(path).metadata or {})


def grouped(frame: pd.DataFrame, codebook: Codebook) -> pd.DataFrame:
    """The frame with its coarse groups, as far as the columns are there."""
    groups: dict[str, pd.Series] = {}
    for column, coded, group in GROUPED:
        if column in frame:
            names = frame[column].map(codebook.parent(coded))
            kind = pd.CategoricalDtype(codebook.codes(f"{coded}_group"), ordered=False)
            groups[group] = names.astype(kind)
    if "age" in frame:
        ages = pd.cut(frame["age"], list(AGES), right=False, labels=list(AGE_GROUPS), ordered=False)
        groups["age_group"] = pd.Series(ages, index=frame.index)
    return frame.assign(**groups)
