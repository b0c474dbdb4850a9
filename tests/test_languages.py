import pytest
from books import BOOK

from welfare_analysis.errors import WelfareError
from welfare_analysis.languages import agreed, amount, between, counted, direction, number, with_interval
from welfare_analysis.publishing.labels import unit_forms
from welfare_analysis.survey.codebook import LANGUAGES


def test_numbers_by_language():
    """English 1,234.5; French with a narrow space and a comma; Arabic with a point and a comma.

    A half is rounded to even by the decimals that are seen (3.15 is 3.2, as in a table that is printed to tenths).
    """
    assert [number(1234.5, code, 1) for code in ("en", "fr", "ar")] == ["1,234.5", "1\u202f234,5", "1.234,5"]
    assert [number(x, digits=1) for x in (1e-6 * 3150000, 0.25, -0.04)] == ["3.2", "0.2", "0.0"]


def test_shares_and_intervals():
    """A share is a percentage, with its interval in brackets; what is missing is two points."""
    assert with_interval(0.345, 0.31, 0.37, "share") == "34.5 % (31.0\u201337.0)"
    assert amount(float("nan"), "dh") == ".."
    assert with_interval(0.345, 0.31, 0.37, "share", "ar").endswith("(\u206631,0\u201337,0\u2069)")
    assert amount(-0.345, "share_points", "ar") == "\u2066−34,5\u2069"  # the minus on the left of its number
    below = [between(-0.7e6, -0.5e6, "million_dh", code) for code in ("en", "fr", "ar")]
    assert below == ["−0.7 to −0.5", "−0,7 à −0,5", "\u2066−0,7\u2069 إلى \u2066−0,5\u2069"]  # read one by one


def test_directions_and_unknown_languages():
    """Arabic runs from right to left; another language is an error."""
    assert (direction("ar"), direction("fr")) == ("rtl", "ltr")
    with pytest.raises(WelfareError, match="unknown language"):
        number(1, "de")


HOMES = {
    "ar": {"one": "مسكن", "two": "مسكنان", "few": "مساكن", "many": "مسكنًا", "other": "مسكن"},
    "fr": {"one": "logement", "other": "logements"},
    "en": {"one": "home", "other": "homes"},
}


@pytest.mark.parametrize(
    ("x", "said"),
    [
        *((x, "مساكن") for x in (3, 10, 103, 1005)),
        *((x, "مسكنًا") for x in (11, 99, 480, 3460)),
        *((x, "مسكن") for x in (100, 102, 1000, 12_500)),
    ],
)
def test_an_arabic_noun_agrees_with_the_last_two_digits(x, said):
    """Three to ten take the plural, eleven to ninety-nine the accusative singular, hundreds the genitive.

    The rule of the grammars (Wright 1896, I, 319-325) is written here a second time.
    """
    last = x % 100
    rule = "مساكن" if 3 <= last <= 10 else "مسكنًا" if last > 10 else "مسكن"
    assert rule == said
    assert amount(x, "homes", "ar", HOMES["ar"]) == f"{number(x, 'ar')}\u00a0{said}"


def test_a_noun_agrees_with_the_number_as_it_is_printed():
    """French has the singular below two, English for one alone and never with decimals; 0.96 is printed as 1.0."""
    points = {"fr": {"one": "point", "other": "points"}, "en": {"one": "point", "other": "points"}}
    assert amount(0.0096, "share_points", "fr", points["fr"]) == "1,0\u00a0point"
    assert amount(0.019, "share_points", "fr", points["fr"]) == "1,9\u00a0point"
    assert amount(-0.0201, "share_points", "fr", points["fr"]) == "−2,0\u00a0points"
    assert amount(0.01, "share_points", "en", points["en"]) == "1.0\u00a0points"
    assert [amount(x, "homes", "en", HOMES["en"]) for x in (1, 2)] == ["1\u00a0home", "2\u00a0homes"]
    assert with_interval(480, 400, 560, "homes", "ar", HOMES["ar"]).startswith("480\u00a0مسكنًا ")
    assert counted(between(2, 10, "homes", "ar"), HOMES["ar"], "ar") == "مساكن"  # a range as its last number


def test_a_noun_of_a_text_agrees_with_the_number_before_it():
    """It is named in double brackets; what has no number before it is the plural."""
    forms = {"homes": HOMES["ar"]}
    assert agreed("هناك 5 [[homes]] و480 [[homes]].", "ar", forms.get) == "هناك 5 مساكن و480 مسكنًا."
    assert agreed("\u20661.100\u20131.211\u2069 [[homes]]", "ar", forms.get) == "\u20661.100\u20131.211\u2069 مسكنًا"
    assert agreed("1 [[homes]], 2 [[homes]]", "fr", {"homes": HOMES["fr"]}.get) == "1 logement, 2 logements"
    assert agreed(".. [[homes]]", "en", {"homes": HOMES["en"]}.get) == ".. homes"


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_counted_unit_has_the_forms_of_its_language(language):
    """An Arabic unit that is a noun differs from few to many, unless its accusative is written as its genitive."""
    nouns = ("homes", "persons", "households", "riders", "files", "points", "dh", "minutes", "hours", "trips", "nights")
    for unit in nouns:
        forms = unit_forms(type("S", (), {"codebook": BOOK, "language": language}), unit)
        assert forms["other"]
        if language == "ar":
            assert forms["few"] != forms["other"], unit
            assert forms.get("many", forms["other"]).split()[0].endswith(("ًا", "ة")), unit
        elif unit not in ("dh", "minutes"):
            assert forms["one"] != forms["other"], unit


def test_a_french_noun_agrees_with_the_whole_number():
    """Thousands are parted by a narrow space, which parts no number: of 3 000 there are several."""
    forms = {"one": "personne", "other": "personnes"}
    assert agreed("n = 3\u202f000 [[persons]].", "fr", lambda _: forms) == "n = 3\u202f000 personnes."
    assert agreed("n = 1 [[persons]].", "fr", lambda _: forms) == "n = 1 personne."
