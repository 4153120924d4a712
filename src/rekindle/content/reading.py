"""Reads the files of a template: the block at its top, and what follows it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from rekindle.content.language import PLAIN, Named, Part, compile_part, nearest
from rekindle.errors import TemplateError

FENCE = "---"


@dataclass(frozen=True, slots=True)
class Source:
    """A file taken apart: the entries of its block, the rest, and where the rest begins."""

    file: str
    front: Mapping[str, Named]
    body: str
    body_line: int

    def compile_front(self, key: str) -> Part:
        """Return an entry of the block compiled as plain text; empty where it is not there."""
        entry = self.front.get(key, Named("", 1))
        return compile_part(entry.name, file=self.file, line=entry.line, sandbox=PLAIN)


def read_text(path: Path) -> str:
    """Return the text of a file.

    Raises:
        TemplateError: it cannot be read, or is no UTF-8.
    """
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise TemplateError(f"{path} cannot be read as UTF-8 text: {error}") from error


def read_mail(path: Path, *, optional: Collection[str]) -> Source:
    """Return an e-mail's file; its block has a subject, and may have what is ``optional``.

    Raises:
        TemplateError: there is no block, or it is wrong.
    """
    file, lines = str(path), read_text(path).splitlines(keepends=True)
    fences = _fences(lines)
    if len(fences) < 2 or fences[0] != 0:
        raise TemplateError(
            f"{file}, line 1: a template begins with a block of '{FENCE}', 'subject: …', "
            f"'preheader: …', '{FENCE}'"
        )
    known = ("subject", "preheader")
    front = dict(_read_front(lines[1 : fences[1]], file=file, known=known, optional=optional))
    if "subject" not in front:
        raise TemplateError(f"{file}, line 1: the block has no 'subject: …'; add one")
    return Source(file, front, "".join(lines[fences[1] + 1 :]), fences[1] + 2)


def read_note(path: Path, *, known: Collection[str]) -> Source:
    """Return the file of another channel; it may begin with a block of what is ``known``.

    Raises:
        TemplateError: the block is wrong.
    """
    file, lines = str(path), read_text(path).splitlines(keepends=True)
    fences = _fences(lines)
    if not fences or fences[0] != 0:
        return Source(file, {}, "".join(lines), 1)
    if len(fences) < 2:
        raise TemplateError(f"{file}, line 1: the block that begins here is not closed by {FENCE}")
    front = dict(_read_front(lines[1 : fences[1]], file=file, known=known))
    return Source(file, front, "".join(lines[fences[1] + 1 :]), fences[1] + 2)


def _fences(lines: list[str]) -> list[int]:
    return [number for number, line in enumerate(lines) if line.strip() == FENCE]


def _read_front(
    lines: list[str], *, file: str, known: Collection[str], optional: Collection[str] = ()
) -> Iterator[tuple[str, Named]]:
    every = [*known, *optional]
    for number, line in enumerate(lines, start=2):
        if not line.strip():
            continue
        key, colon, text = line.partition(":")
        if not colon or key.strip() not in every:
            rest = f", nor of {', '.join(optional)}" if optional else ""
            raise TemplateError(
                f"{file}, line {number}: {key.strip()!r} is not one of "
                f"{' and '.join(known)}{rest}{nearest(key.strip(), every)}"
            )
        yield key.strip(), Named(_unquote(text.strip()), number)


def _unquote(text: str) -> str:
    is_quoted = len(text) > 1 and text[0] == text[-1] and text[0] in "\"'"
    return text[1:-1] if is_quoted else text
