"""Choice among alternatives: fitted with the design's covariance, carried through to money and forecasts."""

from .data import Cases, choices
from .logit import ChoiceFit, logit

__all__ = ["Cases", "ChoiceFit", "choices", "logit"]
