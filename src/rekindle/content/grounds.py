"""What colour words have where they stand, and what colour is beneath them.

Attributes are looked up as MJML does: an element's own, its classes', its kind's, and
those of all. https://documentation.mjml.io/#mj-attributes
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from rekindle.content.colours import READABLE, Rgb, contrast, read_colour
from rekindle.content.markup import Piece

WHITE, BLACK = (255, 255, 255), (0, 0, 0)
DEFAULTS: Mapping[tuple[str, str], str] = {
    ("mj-button", "background-color"): "#414141",
    ("mj-button", "color"): "#ffffff",
    ("mj-text", "color"): "#000000",
    ("mj-table", "color"): "#000000",
    ("mj-navbar-link", "color"): "#000000",
}
_STYLE = re.compile(r"(?:^|;)\s*(color|background(?:-color)?)\s*:\s*([^;]+)")
UNSEEN = frozenset({"mj-head", "mj-style", "style", "mj-title", "title", "mj-preview", "mj-raw"})


class _Ground(NamedTuple):
    """The colours inside an element; None where a value decides them. ``is_seen``: by a reader."""

    name: str
    words: Rgb | None
    beneath: Rgb | None
    is_seen: bool


class Grounds:
    """Follows a message tag by tag."""

    def __init__(self, pieces: Iterable[Piece]) -> None:
        self._attributes = _read_head(pieces)
        self._stack = [_Ground("", BLACK, WHITE, True)]
        self._told: set[tuple[Rgb, Rgb]] = set()

    def take(self, piece: Piece) -> None:
        """Go into an element, or out of it."""
        if not piece.name or piece.is_empty:
            return
        if piece.is_closing:
            if len(self._stack) > 1:
                self._stack.pop()
            return
        above = self._stack[-1]
        style = dict(_STYLE.findall(piece.attribute("style").lower()))
        words = self._value(piece, "color") or style.get("color")
        beneath = (
            self._value(piece, "background-color")
            or self._value(piece, "container-background-color")
            or style.get("background-color")
            or style.get("background")
        )
        if piece.name == "a" and not words:
            words = "as the reader's program has it"
        if self._value(piece, "background-url"):
            beneath = "a picture"
        self._stack.append(
            _Ground(
                piece.name,
                above.words if words is None else read_colour(words),
                above.beneath if beneath is None else read_colour(beneath),
                above.is_seen and piece.name not in UNSEEN,
            )
        )

    def say_unreadable(self) -> str:
        """Return why words here can hardly be read, "" where they can; of each pair once."""
        here = self._stack[-1]
        if not here.is_seen or here.words is None or here.beneath is None:
            return ""
        ratio = contrast(here.words, here.beneath)
        if ratio >= READABLE or (here.words, here.beneath) in self._told:
            return ""
        self._told.add((here.words, here.beneath))
        return (
            f"{_hex(here.words)} on {_hex(here.beneath)} has a contrast of {ratio:.1f}:1; "
            f"take colours with {READABLE}:1 or more"
        )

    def _value(self, piece: Piece, key: str) -> str | None:
        if not piece.name.startswith("mj-"):
            return None
        if piece.has(key):
            return piece.attribute(key)
        classes = [f".{one}" for one in piece.attribute("mj-class").split()]
        for place in (*reversed(classes), piece.name, "mj-all"):
            if (found := self._attributes.get((place, key))) is not None:
                return found
        return DEFAULTS.get((piece.name, key))


def _read_head(pieces: Iterable[Piece]) -> Mapping[tuple[str, str], str]:
    """Return what ``<mj-attributes>`` says, by element or class and attribute."""
    found: dict[tuple[str, str], str] = {}
    is_inside = False
    for piece in pieces:
        if piece.name == "mj-attributes":
            is_inside = not piece.is_closing
        elif is_inside and piece.name and not piece.is_closing:
            place = f".{piece.attribute('name')}" if piece.name == "mj-class" else piece.name
            found |= {(place, key): value for key, value in piece.pairs()}
    return found


def _hex(colour: Rgb) -> str:
    return "#{:02x}{:02x}{:02x}".format(*colour)
