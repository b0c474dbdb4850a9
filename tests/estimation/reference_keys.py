"""Which test file compares which of the 448 values of data/reference/survey_api.csv; each belongs to exactly one."""

import re

OWNERS = {
    "test_replicates.py": re.compile(r"JK"),
    "test_linear_models.py": re.compile(r"(strat|clus1)(nf)?(\+\w\w)?\|(lm|logit)\|"),
    "test_reference.py": re.compile(
        r"(strat|clus1)(nf)?\|(mean|total|ratio|prop|propbeta|quantile|dom (mean|total|ratio)|dom diff\.\w+|deff w\w+"
        r"|df|RS F|RS chisq|ttest|rank wilcoxon)(\||$)"
        r"|clus1(nf)?\+(ps|rk|gr|cr)\|(wt1|wtsumsq|mean\||total\||dom mean\||ratio\.|naive (mean|total)\|)"
    ),
}


def owners(key):
    """Test files that compare the value of a key."""
    return [name for name, pattern in OWNERS.items() if pattern.match(key)]
