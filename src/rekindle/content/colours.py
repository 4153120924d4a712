"""How well colours are told apart: relative luminance and contrast, by WCAG 2.2.

https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio
"""

from __future__ import annotations

import re

READABLE = 4.5
"""The least contrast of text and what it stands on (WCAG 2.2, 1.4.3, level AA)."""

Rgb = tuple[int, int, int]

WHITE, BLACK = "#ffffff", "#1b1b1b"
# The names that stand in messages; https://www.w3.org/TR/css-color-4/#named-colors has all.
NAMES = {
    "black": "#000000", "white": "#ffffff", "red": "#ff0000", "green": "#008000",
    "blue": "#0000ff", "yellow": "#ffff00", "orange": "#ffa500", "purple": "#800080",
    "gray": "#808080", "grey": "#808080", "silver": "#c0c0c0", "navy": "#000080",
    "teal": "#008080", "maroon": "#800000", "lightgray": "#d3d3d3", "lightgrey": "#d3d3d3",
    "darkgray": "#a9a9a9", "darkgrey": "#a9a9a9",
}  # fmt: skip
_HEX = re.compile(r"#([0-9a-f]{3}|[0-9a-f]{6})")
_RGB = re.compile(r"rgb\(\s*(\d{1,3})\s*,\s*(\d{1,3})\s*,\s*(\d{1,3})\s*\)")


def read_colour(text: str) -> Rgb | None:
    """Return red, green and blue (0-255) of a CSS colour, or None where it is not known."""
    word = NAMES.get(text.strip().lower(), text.strip().lower())
    if found := _HEX.fullmatch(word):
        digits = found[1] if len(found[1]) == 6 else "".join(2 * one for one in found[1])
        return int(digits[:2], 16), int(digits[2:4], 16), int(digits[4:], 16)
    if found := _RGB.fullmatch(word):
        red, green, blue = (min(int(one), 255) for one in found.groups())
        return red, green, blue
    return None


def contrast(one: Rgb, other: Rgb) -> float:
    """Return the contrast ratio of two colours, from 1 to 21."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def text_on(colour: str) -> str:
    """Return white or black, whichever is read better on ``colour``."""
    ground = read_colour(colour) or (0, 0, 0)
    return max((WHITE, BLACK), key=lambda text: contrast(ground, read_colour(text) or ground))


def ink_of(colour: str) -> str:
    """Return ``colour``, or a darker one of its hue that can be read on white."""
    red, green, blue = read_colour(colour) or (0, 0, 0)
    while contrast((red, green, blue), (255, 255, 255)) < READABLE:
        red, green, blue = (int(one * 0.95) for one in (red, green, blue))
    return f"#{red:02x}{green:02x}{blue:02x}"


def _luminance(colour: Rgb) -> float:
    red, green, blue = (_linear(one / 255) for one in colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(share: float) -> float:
    return share / 12.92 if share <= 0.04045 else float(((share + 0.055) / 1.055) ** 2.4)
