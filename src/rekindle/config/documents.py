"""YAML as plain data of which every complaint can name the line.

Read are no tags, anchors or aliases, no duplicate keys, and nothing larger or deeper than a
person would write. The library is loaded when a file is: not every command reads one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rekindle.errors import RekindleError

if TYPE_CHECKING:
    import yaml

KeyPath = tuple[int | str, ...]

# What PyYAML says, and what it means to somebody who writes such a file.
_PROBLEMS = (
    (
        "mapping values are not allowed",
        "a colon stands where none can; put a value that holds one in quotes",
    ),
    ("could not find expected ':'", "a key has no colon: after a key stand ':' and a space"),
    ("'\\t' that cannot start any token", "a tab; indent by spaces"),
    ("that cannot start any token", "a value begins with a sign YAML keeps; put it in quotes"),
    ("end of stream", "a quote or a bracket is not closed"),
    ("expected ',' or", "a bracket is not closed, or a comma is missing before this"),
    ("expected a single document", "a line '---' begins a second document; keep one"),
    (
        "expected <block end>",
        "this is indented unlike the lines above, or an earlier quote is open",
    ),
    ("expected the node content", "something is missing here"),
)


@dataclass(frozen=True, slots=True)
class DocumentKind:
    """A kind of file: the error that its complaints are, how large it may be, and how deep.

    ``hint`` is said of one that is larger.
    """

    error: type[RekindleError]
    most_characters: int
    most_deep: int
    hint: str


def compose_yaml(text: str, *, file: str, kind: DocumentKind) -> yaml.Node | None:
    """Return what ``text`` holds as nodes, None for nothing; ``file`` is its name in messages.

    Raises:
        RekindleError: the kind's own; it is no YAML, is too large or deep, or uses tags,
            anchors or aliases.
    """
    import yaml

    if len(text) > kind.most_characters:
        raise kind.error(f"{file} has more than {kind.most_characters:,} characters; {kind.hint}")
    try:
        _check_events(text, file, kind)
        return yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"{file}, line {mark.line + 1}, column {mark.column + 1}" if mark else file
        raise kind.error(f"{where}: not valid YAML: {_say(error)}") from error
    except yaml.YAMLError as error:
        raise kind.error(
            f"{file} is not valid YAML: it holds a character that no text file has"
        ) from error


def read_yaml(text: str, *, file: str, kind: DocumentKind) -> tuple[Any, Mapping[KeyPath, int]]:
    """Return the plain values that ``text`` holds, and the line of each place.

    Raises:
        RekindleError: as ``compose_yaml``, or a key stands twice, or no calendar has a date.
    """
    import yaml

    node = compose_yaml(text, file=file, kind=kind)
    lines: dict[KeyPath, int] = {}
    if node is None:
        return {}, lines
    _note_lines(node, (), lines, file=file, error=kind.error)
    try:
        return yaml.SafeLoader("").construct_document(node), lines
    except (yaml.YAMLError, ValueError) as error:  # a date that no calendar has, too
        raise kind.error(f"{file} is not valid YAML: {error}") from error


def _say(error: yaml.MarkedYAMLError) -> str:
    """Return what is wrong with the YAML in words of ours, where there are some."""
    told = f"{error.context or ''} {error.problem or ''}"
    return next((words for sign, words in _PROBLEMS if sign in told), str(error.problem))


def _check_events(text: str, file: str, kind: DocumentKind) -> None:
    """Refuse, before anything is built, what a hostile or confused file would hold."""
    import yaml

    depth = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        line = event.start_mark.line + 1 if event.start_mark else 1
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise kind.error(f"{file}, line {line}: anchors (&) and aliases (*) are not read")
        if getattr(event, "tag", None):
            raise kind.error(f"{file}, line {line}: tags (!) are not read; write plain values")
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > kind.most_deep:
            raise kind.error(f"{file}, line {line}: nested more than {kind.most_deep} deep")


def _note_lines(
    node: yaml.Node,
    place: KeyPath,
    lines: dict[KeyPath, int],
    *,
    file: str,
    error: type[RekindleError],
) -> None:
    """Note the line of a node and of all below it; that of a value is its key's."""
    import yaml

    lines.setdefault(place, node.start_mark.line + 1 if node.start_mark else 1)
    if isinstance(node, yaml.SequenceNode):
        for number, item in enumerate(node.value):
            _note_lines(item, (*place, number), lines, file=file, error=error)
    if not isinstance(node, yaml.MappingNode):
        return
    for key, value in node.value:
        inner, line = (*place, str(key.value)), key.start_mark.line + 1
        if inner in lines:
            raise error(f"{file}, line {line}: {inner[-1]!r} stands here twice; remove one")
        lines[inner] = line
        _note_lines(value, inner, lines, file=file, error=error)
