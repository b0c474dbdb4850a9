"""Choice among alternatives: fitted with the design's covariance, carried through to money and forecasts."""

from .data import Cases, choices
from .forecast import predicted_shares
from .logit import ChoiceFit, logit
from .mixed import MixedFit, mixed_logit
from .nested import NestedFit, nested_logit
from .population import Target, only, prepared, recoded
from .report import hold_out
from .scenarios import Scenario, scenario
from .willingness import willingness_to_pay
