"""Survey estimation: every estimate is a value and its influence; the variance is a property of the design."""

from .design import Design
from .estimate import Estimate
from .means import mean, ratio, total
from .quantiles import quantile
from .shares import share

__all__ = ["Design", "Estimate", "mean", "quantile", "ratio", "share", "total"]
