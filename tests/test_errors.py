"""Errors say what came as a reader would write it."""

import numpy as np

from welfare_analysis.errors import WelfareError


def test_numbers_have_no_type_name():
    """NumPy's numbers are shown as numbers, alone, in lists, tuples and mappings; what is not a number stays."""
    for got, shown in (
        (np.float64(7.0), "7.0"),
        (np.int8(3), "3"),
        ([np.float64(0.5), "a"], "[0.5, 'a']"),
        ((np.str_("b"), None), "('b', None)"),
        ({"x": np.bool_(True)}, "{'x': True}"),
        ("text", "'text'"),
    ):
        assert str(WelfareError("it is wrong", where="here", got=got)) == f"here: it is wrong; got {shown}"
