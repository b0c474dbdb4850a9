import pytest

from welfare_analysis.errors import WelfareError
from welfare_analysis.languages import amount, direction, number, with_interval


def test_numbers_by_language():
    """English 1,234.5; French with a narrow space and a comma; Arabic with a point and a comma."""
    assert [number(1234.5, code, 1) for code in ("en", "fr", "ar")] == ["1,234.5", "1\u202f234,5", "1.234,5"]


def test_shares_and_intervals():
    """A share is a percentage, with its interval in brackets; what is missing is two points."""
    assert with_interval(0.345, 0.31, 0.37, "share") == "34.5 % (31.0\u201337.0)"
    assert amount(float("nan"), "dh") == ".."
    assert with_interval(0.345, 0.31, 0.37, "share", "ar").endswith("(\u206631,0\u201337,0\u2069)")
    assert amount(-0.345, "share_points", "ar") == "\u2066-34,5\u2069"  # the minus on the left of its number


def test_directions_and_unknown_languages():
    """Arabic runs from right to left; another language is an error."""
    assert (direction("ar"), direction("fr")) == ("rtl", "ltr")
    with pytest.raises(WelfareError, match="unknown language"):
        number(1, "de")
