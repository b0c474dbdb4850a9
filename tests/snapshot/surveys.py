"""The studies whose releases are recorded: the stand-in, and three files of one's own that lack something each."""

from __future__ import annotations

import tempfile
from pathlib import Path

from welfare_analysis.study import DATA, Study
from welfare_analysis.survey.codebook import Codebook
from welfare_analysis.survey.standin import Parameters, StandIn, generate

SEED = 2011
PEOPLE = {"forms800": 1790, "housing_only": 5330, "no_register": 5330}  # about 800 forms come back, and 2,400
STUDIES = ("standin", *PEOPLE)
LANGUAGES = ("en", "fr", "ar")


def opened(name: str) -> Study:
    """Open a study by name, always the same; files of one's own have no mark of the stand-in.

    ``standin`` is what the repository holds. ``forms800`` is small, with register and follow-up. ``housing_only`` asked
    for identity and housing, and has a register. ``no_register`` has every block of those who answered, nothing else.
    """
    if name == "standin":
        return Study.open()
    world = generate(Parameters.read(DATA / "public"), SEED, "rich", size=PEOPLE[name])
    with tempfile.TemporaryDirectory() as folder:
        return Study.open(**_written(name, world, Path(folder)))


def _written(name: str, world: StandIn, folder: Path) -> dict[str, Path]:
    """Files as an institution has them, so that the reader's checks and kinds of missing answers are part of it."""
    frames = {"survey": world.answers, "register": world.register, "followup": world.followup}
    if name == "housing_only":
        blocks = Codebook.read(DATA / "codebook").blocks
        kept = [c for block in ("identity", "housing") for c in blocks[block] if c in world.answers]
        frames = {"survey": world.answers[kept], "register": world.register}
    elif name == "no_register":
        frames = {"survey": world.answers}
    paths = {kind: folder / f"{name}_{kind}.csv" for kind in frames}
    for kind, frame in frames.items():
        frame.to_csv(paths[kind], index=False)
    return paths
