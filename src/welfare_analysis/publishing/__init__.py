"""What leaves the study: tables that may be shown, pictures, sentences and the report."""

from . import aspiration_sentences, condition_sentences  # noqa: F401 - they declare their sentences
from .briefs import banner, bias, first_page, limits, main_results, method, trust, who_where
from .figures import draw
from .notebook import agrees, register
from .sentences import findings, say
from .tables import show

__all__ = [
    "agrees",
    "banner",
    "bias",
    "draw",
    "findings",
    "first_page",
    "limits",
    "main_results",
    "method",
    "say",
    "show",
    "trust",
    "who_where",
]
register()
