"""What a page must have for those who do not see it, or move through it by keyboard: the static part of WCAG 2.2."""

from collections.abc import Iterator
from itertools import pairwise

from lxml import html

from welfare_analysis.languages import direction

WITHOUT_NAME = {  # what a screen reader would read as nothing, by rule
    "link": "//a[@href]",
    "button": "//button | //summary",
    "header of a table": "//th",
    "title": "/html/head/title",
    "heading": "//h1 | //h2 | //h3 | //h4",
}
UNLABELLED = "//input[not(@type='hidden')][not(ancestor::label)] | //select[not(ancestor::label)] | //textarea"
SCROLLS = "(//pre | //div[contains(concat(' ', @class, ' '), ' wide ')])[not(@tabindex='0')]"


def faults(page: str) -> Iterator[str]:
    """Each fault of a page, in a line."""
    tree = html.document_fromstring(page)
    ids = tree.xpath("//@id")
    yield from (f"id twice: {one}" for one in {one for one in ids if ids.count(one) > 1})
    if len(tree.xpath("//main")) != 1:
        yield "not one main"
    if tree.xpath("//body/*[not(self::header or self::nav or self::main or self::script or self::a[@class='skip'])]"):
        yield "something stands outside all landmarks"
    yield from ("a nav without a name" for one in tree.xpath("//nav[not(@aria-label)]"))
    levels = [int(one.tag[1]) for one in tree.xpath("//main//*[self::h1 or self::h2 or self::h3 or self::h4]")]
    if levels.count(1) != 1 or levels[0] != 1:
        yield f"not one h1 that comes first: {levels[:5]}"
    yield from (f"heading h{after} follows h{before}" for before, after in pairwise(levels) if after > before + 1)
    for rule, path in WITHOUT_NAME.items():
        yield from (f"{rule} without a name" for one in tree.xpath(path) if not _name(one))
    labels = set(tree.xpath("//label/@for"))
    yield from (f"no label: {one.get('id')}" for one in tree.xpath(UNLABELLED) if one.get("id") not in labels)
    yield from ("th without scope" for one in tree.xpath("//th[not(@scope)]"))
    yield from ("table without header or caption" for one in tree.xpath("//table[not(.//th)]"))
    yield from (f"img without alt: {one}" for one in tree.xpath("//img[not(normalize-space(@alt))]/@src"))
    yield from ("svg without a name" for one in tree.xpath("//svg[not(@aria-hidden)][not(@aria-label)]"))
    yield from (f"no keyboard reaches what scrolls: {one.tag}" for one in tree.xpath(SCROLLS))
    for one in tree.xpath("//*[@lang]"):
        inherited = next((up.get("dir") for up in (one, *one.iterancestors()) if up.get("dir")), "ltr")
        if inherited != direction(one.get("lang")):
            yield f"{one.tag} is {one.get('lang')} and runs {inherited}"
    wanted = [part for name in ("aria-labelledby", "aria-describedby", "for") for part in tree.xpath(f"//@{name}")]
    wanted += [href[1:] for href in tree.xpath("//a/@href[starts-with(., '#')]")]
    yield from (f"no such id: {one}" for one in wanted if one not in ids)


def _name(element: html.HtmlElement) -> str:
    """What a screen reader says of an element: its own words, or those that it is given."""
    return "".join([element.text_content(), *element.xpath(".//@alt | ./@aria-label")]).strip()
