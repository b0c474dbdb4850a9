"""Choice among alternatives: fitted with the design's covariance, carried through to money and forecasts."""

from .calibration import calibrated
from .data import Cases, choices
from .logit import ChoiceFit, logit
from .mixed import MixedFit, mixed_logit
from .nested import NestedFit, nested_logit
from .pooling import pooled_logit
from .population import New, Target, only, prepared, recoded
from .report import hold_out, market, summary
from .scenarios import elasticities, predicted_shares, scenario
from .willingness import willingness_to_pay

__all__ = [
    "Cases",
    "ChoiceFit",
    "MixedFit",
    "NestedFit",
    "New",
    "Target",
    "calibrated",
    "choices",
    "elasticities",
    "hold_out",
    "logit",
    "market",
    "mixed_logit",
    "nested_logit",
    "only",
    "pooled_logit",
    "predicted_shares",
    "prepared",
    "recoded",
    "scenario",
    "summary",
    "willingness_to_pay",
]
