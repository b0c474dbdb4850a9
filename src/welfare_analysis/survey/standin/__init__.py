"""A stand-in for the survey that was never published: people, their true conditions, and what comes back of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from ...errors import WelfareError
from . import answers as forms
from . import cards, collection, conditions, household, population, saying, services, wants
from .draws import Draws, added, covariates
from .parameters import Parameters

__all__ = ["MARK", "VERSIONS", "Parameters", "StandIn", "generate", "write"]
MARK = "welfare_analysis.standin"
Stage = Callable[[pd.DataFrame, Parameters, np.random.Generator], pd.DataFrame]
VERSIONS = ("plain", "rich", "strategic")
STAGES = (household.household, household.work, wants.home, wants.loans, *services.STAGES)


@dataclass(frozen=True)
class StandIn:
    """One simulated survey: the frame, the truth about everybody, the forms returned, the follow-up, the recheck.

    The truth has everybody's answers (choices on cards only of those who got cards) and what the generator alone knows:
    household_id, the tastes of `cards.tastes`, income.
    """

    register: pd.DataFrame
    truth: pd.DataFrame
    answers: pd.DataFrame
    followup: pd.DataFrame
    recheck: pd.DataFrame
    version: str


def generate(
    parameters: Parameters,
    seed: int,
    version: str = "rich",
    size: int | None = None,
    commute: Stage = conditions.commute,
) -> StandIn:
    """Draw a stand-in.

    Parameters
    ----------
    parameters : levels, as read or as drawn
    seed : int
        The same seed gives the same people and the same returners in all three versions.
    version : {"plain", "rich", "strategic"}
        Without errors of answering; with them; with overstated need as well.
    size : int, optional
        Number of people in all; the default is what the parameters say. The follow-up is scaled alike.
    commute : function
        Adds the way to work, as `conditions.commute` does: another one tells what an estimate rests on.

    Raises
    ------
    WelfareError
        If the version is unknown.
    """
    if version not in VERSIONS:
        raise WelfareError("unknown version", where="generate", got=version, expected=" or ".join(VERSIONS))
    # the first eight give the earlier questions; what is added takes further ones, so that those stay what they were
    root = np.random.SeedSequence(seed)
    children = root.spawn(8 + 1 + len(STAGES) + 3)
    streams = [np.random.default_rng(child) for child in children]
    full = sum(parameters[f"{status}_n"] for status in population.STATUSES)
    latent = population.people(parameters, streams[0], size)
    stages = (conditions.housing, conditions.wishes, conditions.debt, commute)
    for stage, rng in zip(stages, streams[1:5], strict=True):
        latent = stage(latent, parameters, rng)
    back = collection.returned(latent, parameters, streams[5])
    earlier = forms.report(latent, parameters, streams[6], version)
    n = round(parameters["followup_n"] * len(latent) / full)
    selected = collection.follow_up(latent[~back], parameters, streams[7], version, n)
    selected = collection.dated(selected, parameters, np.random.default_rng(children[7].spawn(1)[0]))
    latent = _questionnaire(latent, parameters, streams[8:], version)
    latest = np.random.default_rng(root.spawn(1)[0])
    latent = services.social_works(latent, Draws(parameters, latest, covariates(latent)))
    known = {*forms.EARLIER, *services.LATEST}
    names = [name for name in parameters.codebook.variables.index if name not in known]
    asked = latent[back | latent.index.isin(selected.index)]
    strategic = forms.strategists(len(latent), parameters, np.random.default_rng(children[6]))[asked.index]
    newer = saying.questionnaire(asked, parameters, streams[-1], names, version, strategic)
    last = asked if version == "plain" else forms.gaps(asked, parameters, latest, [], services.LATEST)
    said = pd.concat([earlier.loc[asked.index], newer, last[services.LATEST]], axis=1)
    said = forms.route(said, parameters.codebook)
    truth = forms.route(latent, parameters.codebook, modules=False)
    truth = pd.concat([truth, latent[latent.columns.difference(truth.columns, sort=False)]], axis=1)
    answers, late = said[back[said.index]], collection.with_answers(selected, said)
    seen = collection.rechecked(said, selected, truth, parameters, np.random.default_rng(root.spawn(1)[0]))
    drawn = (answers.reset_index(drop=True), late.reset_index(drop=True), seen)
    return StandIn(latent[population.REGISTER].copy(), truth, *drawn, version=version)


def _questionnaire(f: pd.DataFrame, p: Parameters, streams: list[np.random.Generator], version: str) -> pd.DataFrame:
    """Add the true answers to the newer questions, and what decides them."""
    place = p.territory[["centre_km", "rail"]].reindex(f["command"]).set_axis(f.index)
    f = pd.concat([f, place], axis=1).assign(module=streams[0].choice(p.codes("module"), len(f)))
    x = covariates(f)
    for stage, rng in zip(STAGES, streams[1:], strict=False):
        f = stage(f, Draws(p, rng, x))
    f = cards.tastes(f, Draws(p, streams[-3], x), version)
    return added(f, **cards.choose(f, p, streams[-2], version))


def write(standin: StandIn, folder: str | Path) -> list[Path]:
    """Write all but the truth as parquet files that carry the mark."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    names = ("register", "answers", "followup", "recheck")
    return [_write(getattr(standin, name), folder / f"{name}.parquet", standin.version) for name in names]


def _write(frame: pd.DataFrame, path: Path, version: str) -> Path:
    compact = {name: "Int32" for name in frame.columns if _whole(frame[name])}
    table = pa.Table.from_pandas(frame.astype(compact), preserve_index=False)
    table = table.replace_schema_metadata({**(table.schema.metadata or {}), MARK.encode(): version.encode()})
    partial = path.with_name(path.name + ".partial")
    pq.write_table(table, partial, compression="zstd", compression_level=12)
    partial.replace(path)  # a reader sees the old file or the new one, never half of one
    return path


def _whole(column: pd.Series) -> bool:
    return pd.api.types.is_numeric_dtype(column) and bool((column.dropna() % 1 == 0).all())
