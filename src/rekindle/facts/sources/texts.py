"""Makes sure that a text file is text, in the encoding it is said to be in.

A wrong encoding is refused with the line that shows it; another one than UTF-8 is
copied into UTF-8, which is what the engine reads.
"""

from __future__ import annotations

import codecs
import gzip
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO, cast

from rekindle.errors import SourceError

BLOCK = 1 << 20
NUL = "\x00"
NUL_SIGN = "\uffff"  # stands for a NUL in the copy; no text holds it, and engines read it
FEW = 20  # one character in so many may be a NUL before the file is no text
UTF16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def open_text(path: Path, codec: str, *, newline: str | None = "") -> TextIO:
    """Return the file, plain or gzipped, opened for reading; line ends are kept as they are."""
    if path.suffix.lower() == ".gz":
        return cast("TextIO", gzip.open(path, "rt", encoding=codec, newline=newline))
    return path.open(encoding=codec, newline=newline)


def as_utf8(path: Path, encoding: str, *, folder: Path) -> Path:
    """Return the file itself when it is plain UTF-8, else a copy of it in ``folder`` that is.

    A file that ends some lines in one way and some in another is copied with one, and one
    that holds a few NULs with ``NUL_SIGN`` for them.

    Raises:
        SourceError: the encoding is unknown, or the file is no text in it.
    """
    try:
        codec = codecs.lookup(encoding).name
    except LookupError as error:
        raise SourceError(f"there is no encoding {encoding!r}; write one like cp1252") from error
    is_plain = check_text(path, codec)
    if codec == "utf-8" and is_plain:
        return path
    copy = folder / f"{path.name}.utf8"
    with (
        open_text(path, codec, newline=None) as reader,
        copy.open("w", encoding="utf-8", newline="") as writer,
    ):
        for text in iter(lambda: reader.read(BLOCK), ""):
            writer.write(text.replace(NUL, NUL_SIGN))
    return copy


@contextmanager
def utf8(path: Path, encoding: str) -> Iterator[Path]:
    """Yield the file as UTF-8 for as long as the block lasts; see ``as_utf8``."""
    with tempfile.TemporaryDirectory() as folder:
        yield as_utf8(path, encoding, folder=Path(folder))


def check_text(path: Path, codec: str) -> bool:
    """Return whether a text file has one kind of line ends and no NUL; refuse what is no text.

    Raises:
        SourceError: it is no text in ``codec``; the message names the line that shows it.
    """
    ends, pairs, nuls, length, last = 0, 0, 0, 0, ""
    try:
        with open_text(path, codec) as reader:
            for text in iter(lambda: reader.read(BLOCK), ""):
                nuls, length = nuls + text.count(NUL), length + len(text)
                if nuls * FEW > length:
                    raise SourceError(
                        f"{path} is no {codec} text: it holds NUL bytes; "
                        'if it is text, name its encoding, like encoding = "utf-16"'
                    )
                ends += text.count("\n")
                pairs += text.count("\r\n") + (last == "\r" and text[0] == "\n")
                last = text[-1]
    except UnicodeDecodeError as error:
        raise SourceError(
            f"{path} is not {codec}: byte {error.object[error.start]:#04x} after line {ends + 1}; "
            + (
                f'name its encoding in the source, like encoding = "{likely}"'
                if (likely := _likely(path)) != codec
                else "it is in another encoding, or no text at all"
            )
        ) from error
    return not nuls and not 0 < pairs < ends


def _likely(path: Path) -> str:
    with path.open("rb") as file:
        return "utf-16" if file.read(2) in UTF16_MARKS else "cp1252"
