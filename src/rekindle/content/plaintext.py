"""The text part of a message whose template brings none of its own.

It is read from the MJML rather than from the HTML made of it: the same words,
without the layout tables, and buttons and images are still what they are.
"""

from __future__ import annotations

import re
from html import unescape

from rekindle.content.markup import Piece, scan

HIDDEN = frozenset({"mj-head", "style", "script", "title", "mj-style"})
BLOCKS = frozenset({
    "mj-text", "mj-button", "mj-image", "mj-section", "mj-column", "mj-hero", "mj-wrapper",
    "mj-table", "mj-navbar-link", "mj-social-element", "mj-accordion-title", "mj-accordion-text",
    "p", "div", "table", "tr", "ul", "ol", "li", "blockquote", "h1", "h2", "h3", "h4", "h5", "h6",
})  # fmt: skip
LINKS = frozenset({"a", "mj-button", "mj-navbar-link", "mj-social-element"})
RULE = "-" * 40
_SPACES = re.compile(r"\s+")


class _Page:
    def __init__(self) -> None:
        self._blocks: list[str] = []
        self._line: list[str] = []

    def write(self, words: str) -> None:
        self._line.append(words)

    def break_line(self) -> None:
        self._line.append("\n")

    def end_block(self) -> None:
        if not self._line:
            return
        lines = "".join(self._line).split("\n")
        tidy = "\n".join(" ".join(line.split()) for line in lines).strip()
        if tidy:
            self._blocks.append(tidy)
        self._line = []

    def mark(self) -> int:
        return len(self._line)

    def since(self, mark: int) -> str:
        return " ".join("".join(self._line[mark:]).split())

    def finish(self) -> str:
        self.end_block()
        text = "\n\n".join(self._blocks)
        return re.sub(r"\n\n(?=- )", "\n", text) + "\n"


def derive_text(mjml: str) -> str:
    """Return the words of MJML as plain text: paragraphs, lists, and every link's address.

    Raises:
        BrokenMarkupError: a ``<`` begins no tag.
    """
    page = _Page()
    links: list[tuple[str, int]] = []
    hidden = 0
    body = max(mjml.find("<mj-body"), 0)
    for piece in scan(mjml[body:]):
        if piece.name in HIDDEN:
            hidden += 0 if piece.is_empty else -1 if piece.is_closing else 1
        elif hidden:
            continue
        elif not piece.name:
            page.write(_SPACES.sub(" ", unescape(piece.text)))
        elif piece.is_closing:
            _close(piece, page, links)
        else:
            _open(piece, page, links)
    return page.finish()


def _open(piece: Piece, page: _Page, links: list[tuple[str, int]]) -> None:
    if piece.name in BLOCKS:
        page.end_block()
    if piece.name == "br":
        page.break_line()
    elif piece.name == "li":
        page.write("- ")
    elif piece.name in ("hr", "mj-divider"):
        page.end_block()
        page.write(RULE)
        page.end_block()
    elif piece.name in ("img", "mj-image"):
        _write_image(piece, page)
    elif piece.name in ("td", "th"):
        page.write(" ")
    if piece.name in LINKS and not piece.is_empty:
        links.append((piece.attribute("href"), page.mark()))


def _close(piece: Piece, page: _Page, links: list[tuple[str, int]]) -> None:
    if piece.name in LINKS and links:
        href, mark = links.pop()
        words = page.since(mark)
        if href and href.removeprefix("mailto:") != words:
            page.write(f": {href}" if piece.name == "mj-button" else f" ({href})")
    if piece.name in BLOCKS:
        page.end_block()


def _write_image(piece: Piece, page: _Page) -> None:
    words, href = piece.attribute("alt"), piece.attribute("href")
    page.write(f" {words} ({href}) " if words and href else f" {words or href} ")
