"""The answers of the example institution, ``data/examples/hospital``: made from a seed, of nobody.

``python tests/files/hospital.py`` writes them again. They are answers of the generated population under other names:
hospitals for commands, grades for ranks, dinars for dirhams, and one status for widows and orphans.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from welfare_analysis.study import DATA
from welfare_analysis.survey.codebook import Codebook
from welfare_analysis.survey.standin import Parameters, generate

FOLDER = DATA / "examples" / "hospital"
SEED, PEOPLE, FORMS = 1881, 900, 400
BLOCKS = ("identity", "household", "work", "housing", "income_debt", "commute", "leisure", "priorities", "satisfaction")
STATUS = {"widow": "survivor", "orphan": "survivor"}
GRADES = {"guards": "support", "inspectors": "nursing", "officers": "nursing", "senior": "medical"}
DINARS = 0.3  # to a dirham, in tens


def made() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Answers (forms x questions) and the counts of the register (variable, category, count)."""
    police, book = Codebook.read(DATA / "codebook"), Codebook.read(FOLDER)
    rng = np.random.default_rng(SEED)
    world = generate(Parameters.read(DATA / "public"), SEED, "rich", size=PEOPLE)
    grades = pd.Series({rank: GRADES[group] for rank, group in police.parent("rank").items()})
    ranks = {group: [rank for rank, parent in book.parent("rank").items() if parent == group] for group in set(grades)}
    rank_of = {rank: ranks[group][i % len(ranks[group])] for i, (rank, group) in enumerate(grades.items())}
    places = book.codes("command")
    place_of = {command: places[i % len(places)] for i, command in enumerate(police.codes("command"))}

    def renamed(frame: pd.DataFrame) -> pd.DataFrame:
        new = {"status": STATUS, "rank": rank_of, "command": place_of, "home_city": place_of}
        return frame.assign(**{c: frame[c].astype(object).replace(names) for c, names in new.items() if c in frame})

    people, answers = renamed(world.register), renamed(world.answers)
    rows = np.sort(rng.choice(len(answers), FORMS, replace=False))
    kept = [name for name in book.variables.index if name in answers and book.variables.at[name, "block"] in BLOCKS]
    forms = answers.iloc[rows][kept].reset_index(drop=True).assign(person_id=[f"h{i:04d}" for i in range(FORMS)])
    money = [name for name in forms if name.endswith("_dh")]
    amounts = forms[money].astype("Float64")
    forms[money] = amounts.mask(amounts >= 0, (amounts * DINARS / 10).round() * 10)  # below nought: why it is missing
    forms["net_pay_dh"] = forms["net_pay_dh"].clip(lower=150)
    pairs = people["status"].astype(str) + "|" + people["sex"].astype(str)
    counts = pd.concat({"status|sex": pairs.value_counts(), "command": people["command"].value_counts()})
    return forms, counts.rename_axis(["variable", "category"]).rename("count").reset_index()


if __name__ == "__main__":
    answers, register = made()
    answers.to_csv(FOLDER / "answers.csv", index=False)
    register.to_csv(FOLDER / "register.csv", index=False)
