"""From a notebook's text to safe HTML: Markdown with formulas, and tables.

Nothing in the result loads or leads outside: raw HTML is shown as text, scripts are dropped, formulas become MathML,
a link to the network becomes its text and its address without a scheme.
"""

import html
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from itertools import zip_longest
from pathlib import PurePosixPath
from typing import Any

import nh3
from latex2mathml.converter import convert
from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markdown_it.token import Token
from mdit_py_plugins.dollarmath import dollarmath_plugin

from welfare_analysis.errors import WelfareError
from welfare_analysis.languages import TO

SCHEME = re.compile(r"^(?:https?:)?//|https?://", re.IGNORECASE)
MATHML = re.compile(r'<(/?m[a-z]+)((?: [a-z]+="[^"]*")*) ?(/?)>')
NUMBER = re.compile(r"\u2066?[<≈~]?\s*[-−+]?\d[\d.,\s\u2013]*%?\u2069?(?: \(.*\))?(?:\s[*†])?$|(?:\.\.|/)$")
NO_SCOPE = re.compile(r"<th\b(?![^>]*scope)")
LOOSE = re.compile(r" (?=[:;?!»%*](?![^<>]*>))|(?<=«) ")  # spaces of French print, and before a per cent sign or a star
DIGITS = r"[-−]?\d[\d.,\u00a0\u202f]*"
BETWEEN = rf"{DIGITS}\u2013|−{DIGITS}(?:{'|'.join(TO.values())})"  # a word where the lower end is negative
INTERVAL = re.compile(rf"\(?\u2066?(?:{BETWEEN}){DIGITS}\u2069?\)?(?![^<>]*>)")
TEXT = re.compile(r"(<caption>|<tfoot>\s*<tr>\s*<td[^>]*>)(.*?)(?=</caption>|</td>)", re.DOTALL)
CELL = re.compile(r"<td((?: [a-z]+=\"[^\"]*\")*)>(.*?)</td>")
TAGS = {"table", "caption", "thead", "tbody", "tfoot", "tr", "th", "td", "b", "strong", "i", "em", "sub", "sup"}
ATTRIBUTES = {tag: {"scope", "colspan", "rowspan", "dir", "lang"} for tag in ("th", "td")} | {"table": {"id"}}
NAME = re.compile(r"<(/?)(\w+)")
UNTOUCHED = {"a", "code", "pre", "math", "summary", "h1", "h2", "h3", "h4", "title"}
DROPPED = {"script", "style", "template", "iframe", "object", "svg"}


def page_name(stem: str) -> str:
    """Return the file name of a notebook's page; notebook 00 is the front page."""
    return "index.html" if stem.startswith("00") else f"{stem}.html"


def formula(latex: str, display: bool = False) -> str:
    """Return MathML for a LaTeX formula.

    Raises
    ------
    WelfareError
        If the formula cannot be read.
    """
    try:
        mathml = convert(latex.strip(), display="block" if display else "inline")
    except Exception as error:  # the parser has a family of its own without a common name
        raise WelfareError("a formula cannot be read", got=latex, expected="LaTeX") from error
    # The converter copies what is in \text{...} as it is. HTML needs no namespace: the page holds no address at all.
    return "".join(_mathml(part) for part in re.split(r"(<[^<>]*>)", mathml))


def _mathml(part: str) -> str:
    tag = MATHML.fullmatch(part)
    if not tag:
        return part.replace("<", "&lt;").replace(">", "&gt;")
    kept = [a for a in re.findall(r' [a-z]+="[^"]*"', tag[2]) if not a.startswith((" on", " href", " src", " xmlns"))]
    return f"<{tag[1]}{''.join(kept)}{tag[3]}>"


def _target(href: str) -> str | None:
    path, _, anchor = href.partition("#")
    if not path:
        return href
    if re.fullmatch(r"\w+\.(?:ipynb|html)", path):
        return page_name(PurePosixPath(path).stem) + (f"#{anchor}" if anchor else "")
    return None


def _local(tokens: list[Token]) -> Iterator[Token]:
    behind: list[str | None] = []  # what follows the text of each open link; None where the link stays
    for token in tokens:
        if token.type == "link_open":
            href = str(token.attrGet("href") or "")
            target = _target(href)
            outside = bool(SCHEME.match(href)) and token.info != "auto"
            behind.append(None if target else f" ({SCHEME.sub('', href)})" if outside else "")
            if target:
                token.attrSet("href", target)
                yield token
        elif token.type == "link_close":
            text = behind.pop()
            yield token if text is None else Token("text", "", 0, content=text)
        elif token.type == "image":
            yield Token("text", "", 0, content=token.content)
        else:
            if token.type == "text":
                token.content = SCHEME.sub("", token.content)
            yield token


def _settle(state: StateCore) -> None:
    headings = state.env.setdefault("headings", [])
    for token, following in zip_longest(state.tokens, state.tokens[1:]):
        if token.type == "inline":
            token.children = list(_local(token.children or []))
        elif token.type == "th_open":
            token.attrSet("scope", "col")
        elif token.type == "heading_open" and following is not None:
            text = re.sub(r"[*`$]", "", following.content)
            written = re.sub(r"[*`$]", "", following.meta.get("written", following.content))
            anchor = re.sub(r"\W+", "-", written.lower()).strip("-") or "section"
            anchor += f"-{len(headings)}" if any(anchor == known for _, known, _ in headings) else ""
            headings.append((token.tag, anchor, text))
            token.attrSet("id", anchor)


def _worded(state: StateCore) -> None:
    """Say paragraphs in the language of the page (``prose`` of the environment); one in another language says so.

    An anchor is that of the heading as it was written: the same in all languages.
    """
    prose: Any = state.env.get("prose")
    for i, token in enumerate(state.tokens if prose else ()):
        if token.type == "inline":
            token.meta["written"] = token.content
            token.content, language = prose(one_line(token.content))
            around = state.tokens[i - 2 if state.tokens[i - 1].hidden else i - 1]
            around.attrs |= prose.attributes(language)


def one_line(text: str) -> str:
    """A paragraph without its line breaks."""
    return " ".join(text.split())


def _renderer() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    # an amount in dollars is no formula: no space inside the marks, no digit behind them
    dollarmath_plugin(parser, allow_space=False, allow_digits=False, double_inline=True)
    parser.core.ruler.after("block", "worded", _worded)
    parser.core.ruler.push("settle", _settle)
    rules: dict[str, Any] = parser.renderer.rules  # type: ignore[attr-defined]
    rules["math_inline"] = lambda tokens, i, options, env: formula(tokens[i].content)
    for name in ("math_inline_double", "math_block"):
        rules[name] = lambda tokens, i, options, env: formula(tokens[i].content, display=True)
    rules["table_open"] = lambda *_: '<div class="wide" tabindex="0"><table>'
    rules["table_close"] = lambda *_: "</table></div>\n"
    return parser


_MARKDOWN = _renderer()


def markdown(text: str, environment: dict[str, Any] | None = None) -> str:
    """Return the HTML of a Markdown text; raw HTML in it is shown, never obeyed.

    Parameters
    ----------
    text : str
        CommonMark with tables, ``$inline$`` and ``$$display$$`` formulas.
    environment : dict, optional
        Shared by the texts of one page; its ``headings`` gathers (tag, anchor, text). Its ``prose`` gives each
        paragraph in the language of the page (`publishing.prose.Prose`).
    """
    return _unbroken(_MARKDOWN.render(text, {} if environment is None else environment))


def paragraphs(text: str) -> list[str]:
    """The paragraphs, headings, items and cells of a Markdown text, each on one line."""
    return [one_line(token.content) for token in _MARKDOWN.parse(text) if token.type == "inline"]


def inline(text: str) -> str:
    """Return the HTML of one line of Markdown, without a paragraph around it."""
    return _unbroken(_MARKDOWN.renderInline(text, {}))


def table(source: str, attributes: str = "", number: str = "") -> str:
    """Return an HTML table with table tags only, scopes of headers, unbroken intervals and numbers to align.

    ``attributes`` are those of the block around it, where its language is not that of the page; ``number`` goes before
    its title. Title and note are marked as texts, which keep to the width of the page where the table is wider.
    """
    source = source.replace("<caption>", f"<caption>{number}. ", 1) if number else source
    clean = SCHEME.sub("", nh3.clean(source, tags=TAGS, attributes=ATTRIBUTES, clean_content_tags=DROPPED))
    head, mark, body = clean.rpartition("</thead>")
    scoped = NO_SCOPE.sub('<th scope="col"', head) + mark + NO_SCOPE.sub('<th scope="row"', body)
    fitted = TEXT.sub(r'\1<span class="text">\2</span>', CELL.sub(_aligned, _unbroken(scoped)))
    return f'<div class="wide" tabindex="0"{attributes}>{fitted.strip()}</div>\n'


def explained(source: str, terms: Mapping[str, tuple[str, str]]) -> str:
    """HTML whose words of a glossary lead to it where they first stand, with their meaning to see on pointing.

    Parameters
    ----------
    source : str
        HTML; headings, links, code and formulas stay as they are.
    terms : mapping
        Of a word, as it is written inside a sentence, its address and its meaning.
    """
    left = {" ".join(word.lower().removeprefix("ال").split()): about for word, about in terms.items()}
    parts, inside = [], 0
    for part in re.split(r"(<[^>]*>)", source):
        if tag := NAME.match(part):
            inside += (tag[1] == "") - (tag[1] == "/") if tag[2] in UNTOUCHED else 0
        elif not inside and left:
            part = _any_of(frozenset(left)).sub(lambda found: _term(found, left), part)
        parts.append(part)
    return "".join(parts)


@lru_cache(maxsize=256)
def _any_of(terms: frozenset[str]) -> re.Pattern[str]:
    """A word of a glossary as it stands in a text: with an article or a letter before it, or an s behind."""
    words = "|".join(r"\s".join(map(re.escape, word.split())) for word in sorted(terms, key=lambda x: (-len(x), x)))
    return re.compile(rf"(?<!\w)[وفبك]?(?:ال|لل)?({words})s?(?!\w)", re.IGNORECASE)


def _term(found: re.Match[str], left: dict[str, tuple[str, str]]) -> str:
    address, meaning = left.pop(" ".join(found[1].lower().split()), ("", ""))
    return f'<a class="term" href="{address}" title="{html.escape(meaning)}">{found[0]}</a>' if address else found[0]


def _unbroken(source: str) -> str:
    """Keep each interval on one line with its brackets, and a sign with the word before it."""
    return INTERVAL.sub(lambda found: f'<span class="interval">{found[0]}</span>', LOOSE.sub("\u00a0", source))


def _aligned(cell: re.Match[str]) -> str:
    text = html.unescape(re.sub(r"<[^>]+>", "", cell[2])).strip()
    return f'<td class="number"{cell[1]}>{cell[2]}</td>' if NUMBER.match(text) else cell[0]
