"""Choice among alternatives: fitted with the design's covariance, carried through to money and forecasts."""

from .data import Cases, choices
from .logit import ChoiceFit, logit
from .mixed import MixedFit, mixed_logit
from .nested import NestedFit, nested_logit
from .population import Target, only, prepared, recoded
from .report import hold_out, market, summary
from .scenarios import predicted_shares
from .willingness import willingness_to_pay

__all__ = [
    "Cases",
    "ChoiceFit",
    "MixedFit",
    "NestedFit",
    "Target",
    "choices",
    "hold_out",
    "logit",
    "market",
    "mixed_logit",
    "nested_logit",
    "only",
    "predicted_shares",
    "prepared",
    "recoded",
    "summary",
    "willingness_to_pay",
]
