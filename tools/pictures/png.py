"""Writes PNG files with a palette: what is flat, as pages are, comes out small and sharp."""

from __future__ import annotations

import struct
import zlib

SIGNATURE = b"\x89PNG\r\n\x1a\n"
PALETTED = 3


def write_png(width: int, height: int, palette: bytes, pixels: bytes) -> bytes:
    """Return a PNG of one byte a pixel, a place in the palette of three bytes a colour.

    The format: https://www.w3.org/TR/png-3/
    """
    head = struct.pack(">IIBBBBB", width, height, 8, PALETTED, 0, 0, 0)
    # Each line begins with its filter, and none suits palettes best (section 12.7).
    lines = b"".join(b"\0" + pixels[at : at + width] for at in range(0, len(pixels), width))
    return (
        SIGNATURE
        + _chunk(b"IHDR", head)
        + _chunk(b"PLTE", palette)
        + _chunk(b"IDAT", zlib.compress(lines, 9))
        + _chunk(b"IEND", b"")
    )


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
