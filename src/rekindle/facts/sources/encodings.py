"""Finds out how the letters of a text file are written, by all of it.

Marks at the beginning and UTF-8 prove themselves. Among the old encodings of one byte a
letter, cp1252 is taken unless it makes nonsense of words that another one makes none of.
"""

from __future__ import annotations

import codecs
import gzip
import re
import unicodedata
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import BinaryIO, cast

from rekindle.errors import SourceError

BLOCK = 1 << 20
MOST_WORDS = 2_000
MARKS = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
OLD = ("cp1252", "cp1250", "mac_roman", "cp1251", "cp1253", "cp437")
FOREIGN = re.compile(rb"[A-Za-z]{0,20}[\x80-\xff][A-Za-z\x80-\xff]{0,20}")
WITHIN_WORDS = "\u2019\u00b4\u00b7\u00ad"  # apostrophes, a Catalan dot and a soft hyphen
CLEARLY = 4  # times fewer bad words than in cp1252, before another one is taken


def guess_encoding(path: Path) -> str:
    """Return the encoding a text file, plain or gzipped, seems to be in; utf-8 in doubt."""
    with _open(path) as file:
        head = file.read(4096)
    for mark, encoding in MARKS.items():
        if head.startswith(mark):
            return encoding
    if (wide := _wide(head)) is not None:
        return wide
    words = _foreign_words(path)
    return "utf-8" if words is None else _old_encoding(words)


def _open(path: Path) -> BinaryIO:
    if path.suffix.lower() == ".gz":
        return cast("BinaryIO", gzip.open(path, "rb"))
    return path.open("rb")


def _wide(head: bytes) -> str | None:
    """Return UTF-16 without a mark, told by the NULs in every other place."""
    half = len(head) // 2
    if half < 4:
        return None
    if head[1::2].count(0) > 0.6 * half and head[0::2].count(0) < 0.1 * half:
        return "utf-16-le"
    is_big = head[0::2].count(0) > 0.6 * half and head[1::2].count(0) < 0.1 * half
    return "utf-16-be" if is_big else None


def _foreign_words(path: Path) -> Collection[bytes] | None:
    """Return words with letters beyond ASCII, or None for a file that is UTF-8."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    words: set[bytes] = set()
    is_utf8 = True
    for block in _blocks(path):
        if is_utf8:
            try:
                decoder.decode(block)
            except UnicodeDecodeError:
                is_utf8 = False
        if len(words) < MOST_WORDS and not block.isascii():
            words.update(FOREIGN.findall(block))
    if not is_utf8:
        return words
    try:
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return words
    return None


def _blocks(path: Path) -> Iterator[bytes]:
    with _open(path) as file:
        try:
            yield from iter(lambda: file.read(BLOCK), b"")
        except EOFError as error:
            raise SourceError(f"{path} cannot be read: its end is missing") from error


def _old_encoding(words: Collection[bytes]) -> str:
    badness = {codec: sum(_badness(word, codec) for word in words) for codec in OLD}
    usual, best = badness["cp1252"], min(OLD, key=lambda codec: badness[codec])
    return best if badness[best] * CLEARLY < usual else "cp1252"


def _badness(word: bytes, codec: str) -> int:
    """Return how many signs of a wrong encoding a word shows."""
    try:
        text = word.decode(codec)
    except UnicodeDecodeError:
        return len(word)
    bad = 0
    for before, here, after in zip(" " + text, text, text[1:] + " ", strict=False):
        if here.isascii() or here in WITHIN_WORDS:
            continue
        is_inside = before.isalpha() and after.isalpha()
        bad += is_inside and not here.isalpha()
        bad += before.islower() and unicodedata.category(here) in ("No", "Sm", "So")
        bad += here.isupper() and before.islower()
        bad += before.isalpha() and here.isalpha() and _script(before) != _script(here)
    foreign = sum(1 for letter in text if not letter.isascii() and _script(letter) == "LATIN")
    return bad + (foreign if foreign >= 4 and foreign == len(text) else 0)


def _script(letter: str) -> str:
    return unicodedata.name(letter, "?").split(" ")[0]
