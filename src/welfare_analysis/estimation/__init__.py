"""Survey estimation: every estimate is a value and its influence; the variance is a property of the design."""

from .censored import tobit
from .choice import logit, mixed_logit, nested_logit
from .comparison import aic, bic, likelihood_ratio
from .counts import negative_binomial, poisson, two_part
from .design import Design
from .estimate import Estimate
from .hypotheses import adjusted_p, contrast, differences, independence, rank_test, t_tests, wald
from .inequality import concentration, correlation, covariance, gini, variance
from .intervals import imbens_manski
from .joint import by_domain, joint
from .linear_models import linear, logistic, probit
from .means import mean, ratio, total
from .ordered import multinomial_logit, ordered_logit
from .poverty import lorenz, poverty, quantile_ratio, quantile_shares, share_ratio
from .prediction import marginal_effects, margins, predictions
from .quantile_regression import quantile_regression
from .quantiles import quantile
from .ranking import plackett_luce
from .reliability import reliability
from .selection import heckman
from .shares import share
from .spread import remaining

__all__ = [
    "Design",
    "Estimate",
    "adjusted_p",
    "aic",
    "bic",
    "by_domain",
    "concentration",
    "contrast",
    "correlation",
    "covariance",
    "differences",
    "gini",
    "heckman",
    "imbens_manski",
    "independence",
    "joint",
    "likelihood_ratio",
    "linear",
    "logistic",
    "logit",
    "lorenz",
    "marginal_effects",
    "margins",
    "mean",
    "mixed_logit",
    "multinomial_logit",
    "negative_binomial",
    "nested_logit",
    "ordered_logit",
    "plackett_luce",
    "poisson",
    "poverty",
    "predictions",
    "probit",
    "quantile",
    "quantile_ratio",
    "quantile_regression",
    "quantile_shares",
    "rank_test",
    "ratio",
    "reliability",
    "remaining",
    "share",
    "share_ratio",
    "t_tests",
    "tobit",
    "total",
    "two_part",
    "variance",
    "wald",
]
