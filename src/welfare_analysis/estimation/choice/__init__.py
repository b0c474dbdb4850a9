"""Choice among alternatives: fitted with the design's covariance, carried through to money and forecasts."""

from .data import Cases, choices
from .logit import ChoiceFit, logit
from .nested import NestedFit, TreeFit, nested_logit
from .pooling import pooled_logit

__all__ = ["Cases", "ChoiceFit", "NestedFit", "TreeFit", "choices", "logit", "nested_logit", "pooled_logit"]
