"""The codebook, read once for all tests."""

from welfare_analysis.study import DATA
from welfare_analysis.survey.codebook import Codebook

BOOK = Codebook.read(DATA / "codebook")
