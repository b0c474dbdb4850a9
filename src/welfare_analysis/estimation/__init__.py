"""Survey estimation: every estimate is a value and its influence; the variance is a property of the design."""

from .censored import tobit
from .choice import logit, mixed_logit, nested_logit
from .comparison import aic, bic, likelihood_ratio
from .counts import cloglog, gamma, negative_binomial, poisson, two_part
from .design import Design
from .double_sampling import double_sampling
from .estimate import Estimate
from .hypotheses import adjusted_p, contrast, differences, independence, rank_test, t_tests, wald
from .inequality import concentration, correlation, covariance, gini, variance
from .intervals import imbens_manski
from .joint import by_domain, joint
from .latent_classes import latent_classes
from .linear_models import linear, logistic
from .means import mean, ratio, total
from .ordered import multinomial_logit, ordered_logit
from .poverty import lorenz, poverty, quantile_ratio, quantile_shares, share_ratio
from .prediction import marginal_effects, margins, predictions
from .quantile_regression import quantile_regression
from .quantiles import quantile
from .ranking import plackett_luce
from .reliability import reliability, satterthwaite
from .selection import heckman
from .shares import share
