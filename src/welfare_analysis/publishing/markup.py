"""From a notebook's text to safe HTML: Markdown with formulas, and tables.

Nothing in the result loads or leads outside: raw HTML is shown as text, scripts are dropped, formulas become MathML,
a link to the network becomes its text and its address without a scheme.
"""

import html
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from itertools import zip_longest
from pathlib import PurePosixPath
from typing import Any

from latex2mathml.converter import convert
from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock
from markdown_it.rules_core import StateCore
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token

from welfare_analysis.errors import WelfareError

SCHEME = re.compile(r"^(?:https?:)?//|https?://", re.IGNORECASE)
MATHML = re.compile(r'<(/?m[a-z]+)((?: [a-z]+="[^"]*")*) ?(/?)>')
NUMBER = re.compile(r"\u2066?[<≈~]?\s*[-−+]?\d[\d\s.,\u00a0\u202f]*\s*%?\u2069?")


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


def _inline_formula(state: StateInline, silent: bool) -> bool:
    source, position = state.src, state.pos
    if source[position] != "$":
        return False
    mark = "$$" if source.startswith("$$", position) else "$"
    start = position + len(mark)
    end = source.find(mark, start)
    body = source[start:end] if end > start else ""
    # an amount in dollars is no formula: no space inside the marks, no digit behind them
    if not body.strip() or (mark == "$" and (body != body.strip() or source[end + 1 : end + 2].isdigit())):
        return False
    if not silent:
        token = state.push("formula", "math", 0)
        token.content, token.meta = body, {"display": mark == "$$"}
    state.pos = end + len(mark)
    return True


def _block_formula(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    lines = [state.src[state.bMarks[i] + state.tShift[i] : state.eMarks[i]].strip() for i in range(start, end)]
    if not lines[0].startswith("$$"):
        return False
    for count in range(1, len(lines) + 1):
        text = "\n".join(lines[:count])
        if len(text) > 4 and text.endswith("$$"):
            if not silent:
                token = state.push("formula", "math", 0)
                token.content, token.meta, token.map = text[2:-2], {"display": True}, [start, start + count]
                state.line = start + count
            return True
    return False


def _target(href: str) -> str | None:
    path, _, anchor = href.partition("#")
    if not path:
        return href
    if path.endswith(".ipynb") and "/" not in path:
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
            anchor = re.sub(r"\W+", "-", text.lower()).strip("-") or "section"
            anchor += f"-{len(headings)}" if any(anchor == known for _, known, _ in headings) else ""
            headings.append((token.tag, anchor, text))
            token.attrSet("id", anchor)


def _renderer() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    parser.inline.ruler.before("escape", "formula", _inline_formula)
    parser.block.ruler.before("fence", "formula", _block_formula, {"alt": ["paragraph", "blockquote", "list"]})
    parser.core.ruler.push("settle", _settle)
    rules: dict[str, Any] = parser.renderer.rules  # type: ignore[attr-defined]
    rules["formula"] = lambda tokens, i, options, env: formula(tokens[i].content, tokens[i].meta["display"])
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
        Shared by the texts of one page; its ``headings`` gathers (tag, anchor, text).
    """
    return _MARKDOWN.render(text, {} if environment is None else environment)


def inline(text: str) -> str:
    """Return the HTML of one line of Markdown, without a paragraph around it."""
    return _MARKDOWN.renderInline(text, {})


class _Table(HTMLParser):
    """Copies table tags, unwraps boxes, drops scripts and styles with their content, escapes the rest."""

    KEPT = frozenset(("table", "caption", "thead", "tbody", "tfoot", "tr", "th", "td"))
    INLINE = frozenset(("b", "strong", "i", "em", "sub", "sup"))
    UNWRAPPED = frozenset(("div", "span", "p", "br", "html", "body"))
    DROPPED = frozenset(("script", "style", "template", "iframe", "object", "svg"))
    VALUES = {  # noqa: RUF012 - attribute: the values it may have
        "scope": r"col|row|colgroup|rowgroup",
        "colspan": r"\d{1,4}",
        "rowspan": r"\d{1,4}",
        "dir": r"ltr|rtl|auto",
        "lang": r"[a-z]{2}",
    }

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self.opened: list[str] = []
        self.dropping: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Copy a table tag with its safe attributes; give each header its scope."""
        if tag in self.DROPPED:
            self.dropping.append(tag)
        elif self.dropping or tag in self.UNWRAPPED:
            self.parts.append(" " if tag == "br" and not self.dropping else "")
        elif tag in self.KEPT | self.INLINE:
            kept = {k: v for k, v in attrs if v and k in self.VALUES and re.fullmatch(self.VALUES[k], v)}
            if tag == "th" and "scope" not in kept:
                kept["scope"] = "col" if "thead" in self.opened else "row"
            self.opened.append(tag)
            self.parts.append("<" + " ".join([tag, *(f'{name}="{value}"' for name, value in kept.items())]) + ">")
        else:
            self.parts.append(html.escape(self.get_starttag_text() or ""))

    def handle_endtag(self, tag: str) -> None:
        """Close what is open up to this tag; ignore an end without a start."""
        if self.dropping:
            if tag in self.dropping:
                del self.dropping[self.dropping.index(tag) :]
        elif tag in self.KEPT | self.INLINE:
            while tag in self.opened:
                last = self.opened.pop()
                self.parts.append(f"</{last}>")
                if last == tag:
                    break
        elif tag not in self.UNWRAPPED:
            self.parts.append(html.escape(f"</{tag}>"))

    def handle_data(self, data: str) -> None:
        """Escape text, outside of what is dropped."""
        if not self.dropping:
            self.parts.append(html.escape(SCHEME.sub("", data)))

    def result(self) -> str:
        """Return the copy, with everything closed."""
        self.close()
        return "".join(self.parts) + "".join(f"</{tag}>" for tag in reversed(self.opened))


def table(source: str) -> str:
    """Return an HTML table with table tags only, header scopes, and numbers marked for alignment."""
    parser = _Table()
    parser.feed(source)
    copy = re.sub(
        r"<td((?: [a-z]+=\"[^\"]*\")*)>([^<]*)</td>",
        lambda cell: f'<td class="number"{cell[1]}>{cell[2]}</td>' if NUMBER.fullmatch(cell[2].strip()) else cell[0],
        re.sub(r"\([^()<>]*\u2013[^()<>]*\)", lambda m: f'<span class="interval">{m[0]}</span>', parser.result()),
    )
    return f'<div class="wide" tabindex="0">{copy.strip()}</div>\n'
