"""What leaves the study: tables that may be shown, pictures, sentences and the report."""

from . import aspiration_sentences, condition_sentences  # noqa: F401 - they declare their sentences
from .briefs import banner, limits, method
from .figures import draw
from .notebook import agrees, register
from .sentences import findings, say
from .tables import show

__all__ = ["agrees", "banner", "draw", "findings", "limits", "method", "say", "show"]
register()
