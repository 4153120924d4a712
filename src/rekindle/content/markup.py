"""MJML, checked before it is trusted: tags, their nesting and their names.

The renderer drops what it does not know and says no line when it fails. A message
with a part silently missing is worse than none, so the outline is checked here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape, unescape
from typing import NamedTuple

import mrml

from rekindle.content.language import blank, nearest
from rekindle.errors import TemplateError

# https://documentation.mjml.io/#components; mj-include is left out: no other files.
ELEMENTS = frozenset({
    "mjml", "mj-head", "mj-body", "mj-attributes", "mj-all", "mj-class", "mj-breakpoint",
    "mj-font", "mj-preview", "mj-style", "mj-title", "mj-accordion", "mj-accordion-element",
    "mj-accordion-title", "mj-accordion-text", "mj-button", "mj-carousel", "mj-carousel-image",
    "mj-column", "mj-divider", "mj-group", "mj-hero", "mj-image", "mj-navbar", "mj-navbar-link",
    "mj-raw", "mj-section", "mj-social", "mj-social-element", "mj-spacer", "mj-table", "mj-text",
    "mj-wrapper",
})  # fmt: skip
# https://html.spec.whatwg.org/#void-elements
VOID = frozenset({
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track",
    "wbr",
})  # fmt: skip

_PIECE = re.compile(
    r"""<!--.*?--> | <![^>]*>
    | <(?P<close>/)?(?P<name>[A-Za-z][\w:-]*)
       (?P<attributes>(?:\s+[\w:@.-]+(?:\s*=\s*(?:"[^"]*"|'[^']*'))?)*)
       \s*(?P<empty>/)?>
    | (?P<text>[^<]+)""",
    re.VERBOSE | re.DOTALL,
)
_ATTRIBUTE = re.compile(r"""([\w:@.-]+)\s*=\s*(?:"([^"]*)"|'([^']*)')""")


class Piece(NamedTuple):
    """A tag, or the text between tags (then ``name`` is empty). ``at`` is its offset."""

    at: int
    name: str = ""
    text: str = ""
    attributes: str = ""
    is_closing: bool = False
    is_empty: bool = False

    def attribute(self, name: str) -> str:
        """Return the value of an attribute with its entities resolved, or ''."""
        return next((value for key, value in self.pairs() if key == name), "")

    def has(self, name: str) -> bool:
        """Return whether an attribute is there, be it empty."""
        return any(key == name for key, _ in self.pairs())

    def pairs(self) -> Iterator[tuple[str, str]]:
        """Yield each attribute with its value, entities resolved."""
        for key, double, single in _ATTRIBUTE.findall(self.attributes):
            yield key, unescape(double or single)


class BrokenMarkupError(Exception):
    """A ``<`` at offset ``at`` begins no tag."""

    def __init__(self, at: int) -> None:
        super().__init__(at)
        self.at = at


def scan(source: str) -> Iterator[Piece]:
    """Yield the tags and texts of ``source`` in order; comments are left out.

    Raises:
        BrokenMarkupError: a ``<`` begins no tag.
    """
    at = 0
    while at < len(source):
        match = _PIECE.match(source, at)
        if match is None:
            raise BrokenMarkupError(at)
        if match["text"]:
            yield Piece(at, text=match["text"])
        elif name := match["name"]:
            yield Piece(
                at,
                name=name.lower(),
                attributes=match["attributes"],
                is_closing=bool(match["close"]),
                is_empty=bool(match["empty"]) or name.lower() in VOID,
            )
        at = match.end()


def check_markup(source: str, *, file: str) -> None:
    """Check MJML that still holds its Liquid; each branch has to be whole in itself.

    Raises:
        TemplateError: names the file, the line, what is wrong and what to do.
    """
    check_fragment(source, file=file)
    to_html(blank(source).lstrip(), file=file)


def check_fragment(source: str, *, file: str) -> None:
    """Check a part of MJML that still holds its Liquid, as ``check_markup`` does.

    Raises:
        TemplateError: as there.
    """
    painted = blank(source)
    try:
        _check_outline(painted, file=file)
    except BrokenMarkupError as error:
        raise TemplateError(
            f"{_place(file, painted, error.at)}: this '<' begins no tag; write &lt; for the "
            f"character itself, and quotes around every attribute's value"
        ) from error


def to_html(mjml: str, *, file: str) -> str:
    """Return the HTML page of MJML whose Liquid is done.

    Raises:
        TemplateError: the renderer refuses it.
    """
    try:
        # Without fonts it adds none of its own, and asks nobody's server for one.
        options = mrml.RenderOptions(fonts={})
        return str(mrml.to_html(mjml, render_options=options).content)
    except OSError as error:
        raise TemplateError(f"{file}: the MJML cannot be rendered: {error}") from error


def add_head(mjml: str, *, title: str, preheader: str) -> str:
    """Return MJML with a title and the preview line inboxes show beside the subject."""
    head = f"<mj-title>{escape(title)}</mj-title>"
    if preheader:
        head += f"<mj-preview>{escape(preheader)}</mj-preview>"
    if "<mj-head>" in mjml:
        return mjml.replace("<mj-head>", f"<mj-head>{head}", 1)
    return mjml.replace("<mj-body", f"<mj-head>{head}</mj-head><mj-body", 1)


def _check_outline(source: str, *, file: str) -> None:
    opened: list[Piece] = []
    for piece in scan(source):
        if not piece.name:
            continue
        if not piece.is_closing:
            _check_element(piece, source, file=file)
            if not piece.is_empty:
                opened.append(piece)
        elif not opened or opened.pop().name != piece.name:
            raise TemplateError(
                f"{_place(file, source, piece.at)}: </{piece.name}> closes a tag that is not "
                f"open here; close the tags in the order they were opened, in every branch"
            )
    if opened:
        last = opened[-1]
        raise TemplateError(
            f"{_place(file, source, last.at)}: <{last.name}> is never closed; add </{last.name}>"
        )


def _check_element(piece: Piece, source: str, *, file: str) -> None:
    name = piece.name
    if name == "mj-include":
        raise TemplateError(
            f"{_place(file, source, piece.at)}: <mj-include> is not available; "
            f"a template stands alone"
        )
    if name.startswith("mj") and name not in ELEMENTS:
        raise TemplateError(
            f"{_place(file, source, piece.at)}: unknown element <{name}>"
            f"{nearest(name, sorted(ELEMENTS))}"
        )


def _place(file: str, source: str, at: int) -> str:
    return f"{file}, line {source.count(chr(10), 0, at) + 1}"
