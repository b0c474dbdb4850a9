"""Choice among alternatives: fitted with the design's covariance, carried through to money and forecasts."""

from .data import Cases, choices
from .logit import ChoiceFit, logit
from .nested import NestedFit, nested_logit
from .pooling import pooled_logit
from .report import hold_out, market, summary
from .willingness import willingness_to_pay

__all__ = [
    "Cases",
    "ChoiceFit",
    "NestedFit",
    "choices",
    "hold_out",
    "logit",
    "market",
    "nested_logit",
    "pooled_logit",
    "summary",
    "willingness_to_pay",
]
