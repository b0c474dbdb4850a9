r"""How far groups are apart, and the part of it that an adjustment leaves, without what sampling alone adds to both.

Of k groups with values r before and a after an adjustment, and :math:`M = I - 11'/k`, the part that remains is the
slope :math:`\alpha' M \rho / \rho' M \rho` of the true values :math:`\alpha` and :math:`\rho`. Now

.. math:: E\, \hat a' M \hat r = \alpha' M \rho + \mathrm{tr}(M\, \mathrm{Cov}(\hat a, \hat r)),

and the errors of both are those of the same people, so the slope of the estimates is near 1 where nothing tells the
groups apart. The traces are subtracted (the moments of a regression whose two variables have errors of known
covariance: Fuller 1987, section 1.2).
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from ..errors import WelfareError
from .estimate import Estimate
from .joint import joint


def remaining(raw: Estimate, adjusted: Estimate) -> Estimate:
    r"""The part of the spread between groups that remains after an adjustment.

    Parameters
    ----------
    raw, adjusted : Estimate
        Of the same k groups in the same order, of one design: shares by group, and their `margins`.

    Returns
    -------
    Estimate
        ``raw`` and ``adjusted``: the variances between groups, :math:`\hat r' M \hat r / k` less its sampling part,
        which may be negative. ``remaining``: with the traces t of M times each block of the covariance,
        :math:`(\hat a' M \hat r - t_{ar}) / \max(\hat r' M \hat r - t_{rr}, t_{rr})`. The maximum keeps it from blowing
        up where the groups are no further apart than sampling makes them: there it tells little, and is near 0.

    Raises
    ------
    WelfareError
        Fewer than two groups, not as many before as after, or an error that is not known.
    """
    k, both = len(raw.value), joint({"raw": raw, "adjusted": adjusted})
    if k < 2 or len(adjusted.value) != k:
        got = f"{k} and {len(adjusted.value)}"
        raise WelfareError("not the same groups", where="remaining", got=got, expected="two or more, before and after")
    V = both.covariance().to_numpy()
    if not np.isfinite(V).all():
        raise WelfareError("an error is not known", where="remaining", expected="standard errors of all groups")
    M = np.eye(k) - 1 / k
    blocks = V.reshape(2, k, 2, k)
    noise = np.einsum("ij,ajbi->ab", M, blocks)  # traces of M times each block

    def parts(values: pd.Series) -> pd.Series:
        both = values.to_numpy().reshape(2, k)
        spread = both @ M @ both.T - noise
        part = spread[1, 0] / max(spread[0, 0], noise[0, 0])
        return pd.Series({"raw": spread[0, 0] / k, "adjusted": spread[1, 1] / k, "remaining": part})

    return both.apply(parts)
