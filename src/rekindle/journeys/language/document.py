"""YAML as a tree that remembers its lines, so that every complaint can name one.

Only plain data is read: no tags, anchors or aliases, no duplicate keys, and nothing
larger than a person would write. What the words mean is not this module's business.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from typing import NoReturn

import yaml

from rekindle.config import DocumentKind, compose_yaml
from rekindle.errors import JourneyError

MAX_CHARACTERS = 64 * 1024
DOCUMENT = DocumentKind(
    JourneyError, most_characters=MAX_CHARACTERS, most_deep=30, hint="is it a journey?"
)


@dataclass(frozen=True, slots=True)
class Scalar:
    """A word or sentence; ``text`` is as written, so ``on`` stays "on"."""

    file: str
    line: int
    text: str


@dataclass(frozen=True, slots=True)
class Items:
    """A list."""

    file: str
    line: int
    items: tuple[Entry, ...]

    def __iter__(self) -> Iterator[Entry]:
        return iter(self.items)


@dataclass(frozen=True, slots=True)
class Section:
    """Keys with their entries. ``lines`` tells where each key stands."""

    file: str
    line: int
    entries: dict[str, Entry]
    lines: dict[str, int]

    def get(self, key: str) -> Entry | None:
        """Return the entry under ``key``, or None."""
        return self.entries.get(key)


Entry = Scalar | Items | Section


def refuse(place: Entry, message: str, *, line: int | None = None) -> NoReturn:
    """Raise a ``JourneyError`` that names the file and line of ``place``."""
    raise JourneyError(f"{place.file}, line {line or place.line}: {message}")


def read_document(text: str, *, file: str) -> Section:
    """Return the one mapping that ``text`` holds; ``file`` is its name in messages.

    Raises:
        JourneyError: it is no YAML, no mapping, too large or deep, or uses tags,
            anchors, aliases or a key twice.
    """
    node = compose_yaml(text, file=file, kind=DOCUMENT)
    if node is None:
        raise JourneyError(f"{file} is empty; write a journey into it or remove it")
    entry = _read(node, file)
    if not isinstance(entry, Section):
        refuse(entry, "a journey begins with a key, such as 'journey: lapsed-buyers'")
    return entry


def check_keys(section: Section, known: Collection[str], *, later: Collection[str] = ()) -> None:
    """Refuse keys that are not ``known``; those in ``later`` with a word of comfort.

    Raises:
        JourneyError: naming the line, the key and the nearest known one.
    """
    for key, line in section.lines.items():
        if key in known:
            continue
        if key in later:
            choices = ", ".join(known)
            refuse(section, f"{key!r} is not supported yet; known here: {choices}", line=line)
        refuse(section, f"unknown key {key!r}{suggest(key, known)}", line=line)


def suggest(word: str, known: Collection[str]) -> str:
    """Return the end of a message: the nearest known word, or all of them."""
    near = get_close_matches(word.lower(), known, n=1)
    return f"; did you mean {near[0]!r}?" if near else f"; known here: {', '.join(known)}"


def _read(node: yaml.Node, file: str) -> Entry:
    line = node.start_mark.line + 1 if node.start_mark else 1
    if isinstance(node, yaml.MappingNode):
        return _read_section(node, file, line)
    if isinstance(node, yaml.SequenceNode):
        return Items(file, line, tuple(_read(item, file) for item in node.value))
    return Scalar(file, line, str(node.value).strip())


def _read_section(node: yaml.MappingNode, file: str, line: int) -> Section:
    section = Section(file, line, {}, {})
    for key_node, value_node in node.value:
        key = _read(key_node, file)
        if not isinstance(key, Scalar):
            refuse(key, "a key is a single word")
        if key.text in section.entries:
            refuse(key, f"{key.text!r} stands here twice; remove one")
        section.entries[key.text] = _read(value_node, file)
        section.lines[key.text] = key.line
    return section
