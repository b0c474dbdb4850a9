"""A stand-in for the survey that was never published: people, their true conditions, and what comes back of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from welfare_analysis.errors import WelfareError
from welfare_analysis.survey.standin import answers as forms
from welfare_analysis.survey.standin import collection, conditions, population
from welfare_analysis.survey.standin.parameters import Parameters

__all__ = ["MARK", "VERSIONS", "Parameters", "StandIn", "generate", "write"]
MARK = "welfare_analysis.standin"
VERSIONS = ("plain", "rich", "strategic")


@dataclass(frozen=True)
class StandIn:
    """One simulated survey: the frame, the truth about everybody, the forms returned, the follow-up."""

    register: pd.DataFrame
    truth: pd.DataFrame
    answers: pd.DataFrame
    followup: pd.DataFrame
    version: str


def generate(parameters: Parameters, seed: int, version: str = "rich", size: int | None = None) -> StandIn:
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

    Raises
    ------
    WelfareError
        If the version is unknown.
    """
    if version not in VERSIONS:
        raise WelfareError("unknown version", where="generate", got=version, expected=" or ".join(VERSIONS))
    streams = [np.random.default_rng(s) for s in np.random.SeedSequence(seed).spawn(8)]
    full = sum(parameters[f"{status}_n"] for status in population.STATUSES)
    latent = population.people(parameters, streams[0], size)
    stages = (conditions.housing, conditions.wishes, conditions.debt, conditions.commute)
    for stage, rng in zip(stages, streams[1:5], strict=True):
        latent = stage(latent, parameters, rng)
    back = collection.returned(latent, parameters, streams[5])
    said = forms.report(latent, parameters, streams[6], version)
    n = round(parameters["followup_n"] * len(latent) / full)
    selected = collection.follow_up(latent[~back], parameters, streams[7], version, n)
    return StandIn(
        register=latent[population.REGISTER].copy(),
        truth=forms.route(latent),
        answers=said[back].reset_index(drop=True),
        followup=collection.with_answers(selected, said).reset_index(drop=True),
        version=version,
    )


def write(standin: StandIn, folder: str | Path) -> list[Path]:
    """Write register, answers and follow-up as parquet files that carry the mark; the truth is never written."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    return [
        _write(getattr(standin, name), folder / f"{name}.parquet", standin.version)
        for name in ("register", "answers", "followup")
    ]


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
