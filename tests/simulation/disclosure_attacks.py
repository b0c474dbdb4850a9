"""Attacks on many releases: what an attacker learns from the files of generated institutions, small and large.

A release is every table of an institution (``whole``) or those of ``data/release.csv`` (``plan``). Each is made from a
population of its own, opened from files, published to a file and attacked (`attacker`): nothing may be found. How many
cells are shown is counted beside it, before what the rules on single cells hide is completed, and after.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from summaries import ROOT

from welfare_analysis.results.descriptive import PLAN
from welfare_analysis.study import DATA, Study
from welfare_analysis.survey.standin import Parameters, generate

sys.path.insert(0, str(ROOT / "tests"))
import attacker

RELEASES, FIRST_SEED = {"plan": 950, "whole": 50}, 90_000
SIZES = (300, 50_000)  # persons of the smallest and the largest institution
CLASSES = [0, 1_000, 5_000, 50_001]  # persons, of the summary
TIGHT = {f"known_by_{who.replace(' ', '_')}": known for who, known in attacker.ATTACKERS.items()}
FAULTS = ["against_a_rule", "alone_in_a_line", "repeated", "along_sliders", "differing_by_few", *TIGHT, "strength"]


def size(kind: str, number: int) -> int:
    """Persons of a release: even on a logarithmic scale between `SIZES`, the small ones first."""
    low, high = np.log(SIZES)
    return int(np.exp(low + (high - low) * number / (RELEASES[kind] - 1)))


def spread(kind: str) -> list[int]:
    """Numbers of the releases of a kind in the order of van der Corput: any first few of them are of all sizes."""
    n = RELEASES[kind]
    bits = (n - 1).bit_length()
    turned = [int(f"{number:0{bits}b}"[::-1], 2) for number in range(2**bits)]
    return [number for number in turned if number < n]


def one_release(kind: str, number: int) -> pd.DataFrame:
    """What the attacks find in one release, and how much it shows: a row a subject (first word of its tables)."""
    persons, seed = size(kind, number), FIRST_SEED + number + (kind == "whole") * RELEASES["plan"]
    world = generate(Parameters.read(DATA / "public"), seed, "rich", size=persons)
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder, f"{name}.csv") for name in ("answers", "register", "followup")]
        for path in paths:
            getattr(world, path.stem).to_csv(path, index=False)
        study = Study.open(*paths, language="en")
        only = tuple(pd.read_csv(PLAN)["id"]) if kind == "plan" else ("",)
        made = attacker.published(study, Path(folder, "results.csv"), only)
    cells = made.truth.assign(
        subject="plan" if kind == "plan" else made.truth["table"].str.split("_").str[0],
        before=~attacker.alone(made.truth) & np.isfinite(made.truth["estimate"]),
        after=made.shown,
        primary=attacker.alone(made.truth) & made.hidden,
    )[lambda x: ~x["unseen"]]
    out = cells.groupby("subject").agg(
        cells=("after", "size"), before=("before", "sum"), after=("after", "sum"), primary=("primary", "sum")
    )
    attacks = {
        "against_a_rule": attacker.against_a_rule(made),
        "alone_in_a_line": attacker.alone_in_a_line(made),
        "repeated": attacker.repeated(made),
        "along_sliders": attacker.along_sliders(made),
        "differing_by_few": attacker.differing_by_few(made),
    } | {name: attacker.known_too_well(made, seed=seed, **known) for name, known in TIGHT.items()}
    for name, found in attacks.items():
        subject = "plan" if kind == "plan" else found["table"].str.split("_").str[0]
        out[name] = found.assign(subject=subject).groupby("subject").size().reindex(out.index, fill_value=0)
        if len(found):
            print(kind, number, name, found[["table", "codes", "n", "numerator"]].to_dict("records")[:3], flush=True)
    out["strength"] = len(attacker.of_strength(made.tables))
    return out.reset_index().assign(kind=kind, release=number, persons=persons)


def summarised(releases: pd.DataFrame) -> pd.DataFrame:
    """By kind and size of institution, and of whole releases by subject: what was attacked, found and shown."""
    classes = pd.cut(releases["persons"], CLASSES, right=False, labels=[f"from_{n}" for n in CLASSES[:-1]])
    sums = releases.assign(persons=classes.astype(str))
    parts = [sums.assign(subject="all"), sums[sums["kind"] == "whole"]]
    keys, counts = (
        ["kind", "subject", "persons"],
        releases.columns.difference(["kind", "subject", "persons", "release"]),
    )
    table = pd.concat(parts).groupby(keys, sort=False)
    out = table[list(counts)].sum().assign(releases=table["release"].nunique())
    first = ["releases", "cells", "before", "after", "primary"]
    out = out[[*first, *(c for c in out if c not in first)]]
    out[["before", "after"]] = out[["before", "after"]].div(out["cells"], axis=0)
    return out.rename(columns={"before": "shown_before_completion", "after": "shown"}).reset_index()
