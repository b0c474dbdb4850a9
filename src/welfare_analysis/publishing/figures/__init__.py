"""Figures of what was released; the only place that draws.

A figure is a kind (a function of released tables and the study) and the tables that it shows: a line of
``data/figures.csv``. It is drawn with a note that has n, weights and source, and an alternative text made of the same
numbers.
"""

from .output import FIGURES, alt_text, draw, fingerprint, picture, write_headlines
from .style import STYLE, Plan

__all__ = ["FIGURES", "STYLE", "Plan", "alt_text", "draw", "fingerprint", "picture", "write_headlines"]
