"""Liquid, sandboxed: the one place that touches the template language.

A template can read the values it is given and nothing else: no files, no other
templates, no attributes of objects, no unbounded loops or output. What it names
can be listed without running it, so a wrong name is found before anyone is written to.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from liquid import BoundTemplate, Environment, StrictDefaultUndefined
from liquid.exceptions import LiquidError

from rekindle.errors import TemplateError

# Length and index are properties Liquid itself adds to any value.
BUILT_IN_PROPERTIES = ("size", "first", "last")
# Blocks whose inside is no markup, and single tags: what `blank` replaces.
_LIQUID = re.compile(
    r"\{%-?\s*(?P<block>comment|doc)\b.*?\{%-?\s*end(?P=block)\s*-?%\}|\{%.*?%\}|\{\{.*?\}\}",
    re.DOTALL,
)


class _Sandbox(Environment):
    loop_iteration_limit = 10_000
    local_namespace_limit = 1_000_000
    output_stream_limit = 2_000_000


def _build_sandbox(*, is_escaping: bool, may_trust: bool = False) -> Environment:
    sandbox = _Sandbox(autoescape=is_escaping, undefined=StrictDefaultUndefined)
    for tag in ("include", "render"):
        del sandbox.tags[tag]
    if not may_trust:
        del sandbox.filters["safe"]
    return sandbox


PLAIN = _build_sandbox(is_escaping=False)
MARKUP = _build_sandbox(is_escaping=True)
PAGE = _build_sandbox(is_escaping=True, may_trust=True)


@dataclass(frozen=True, slots=True)
class Named:
    """A name a template uses, and the line of the file it stands in."""

    name: str
    line: int


@dataclass(frozen=True, slots=True)
class Part:
    """A compiled piece of a template: its subject, its preheader, its markup or its text."""

    file: str
    compiled: BoundTemplate
    source: str

    def render(self, context: Mapping[str, object]) -> str:
        """Return the text for one person.

        Raises:
            TemplateError: a name is not in ``context``, a filter cannot use its value,
                or a limit of the sandbox was reached.
        """
        try:
            return self.compiled.render(context)
        except LiquidError as error:
            raise _located(self.file, error) from error

    def names(self) -> Iterator[Named]:
        """Yield every name that has to come from outside, where it is used."""
        for uses in self.compiled.analyze(include_partials=False).globals.values():
            for use in uses:
                line, _ = use.span.line_col(self.source)
                yield Named(_dotted(list(use.segments)), line)


def compile_part(
    source: str, *, file: str, line: int = 1, sandbox: Environment = MARKUP
) -> Part:
    """Return ``source`` compiled; ``line`` is where it begins in ``file``.

    Raises:
        TemplateError: it is no valid Liquid, or uses an unknown tag or filter.
    """
    placed = "\n" * (line - 1) + source
    try:
        compiled = sandbox.from_string(placed)
        _check_filters(compiled, placed, file=file)
    except LiquidError as error:
        raise _located(file, error) from error
    return Part(file, compiled, placed)


def render_page(template: str, context: Mapping[str, object]) -> str:
    """Return one of our own HTML pages: Liquid with every value escaped.

    A value that is markup already (a chart) goes through the filter ``safe``, which
    templates of a workspace do not have.

    Raises:
        TemplateError: the template does not parse, or names what ``context`` lacks.
    """
    return compile_part(template, file="page", sandbox=PAGE).render(context)


def blank(source: str) -> str:
    """Return ``source`` with Liquid painted over, every offset and line kept.

    Output becomes zeros, which may stand where a number, a text or an address does;
    tags become spaces.
    """
    return _LIQUID.sub(_paint, source)


def nearest(name: str, known: list[str]) -> str:
    """Return the end of a message that suggests the known name closest to ``name``."""
    found = get_close_matches(name, known, 1, cutoff=0.5)
    return f"; did you mean {found[0]!r}?" if found else ""


def _paint(match: re.Match[str]) -> str:
    ink = "0" if match[0].startswith("{{") else " "
    return re.sub(r"[^\n]", ink, match[0])


def _dotted(segments: list[object]) -> str:
    words = [str(segments[0])]
    for segment in segments[1:]:
        if not isinstance(segment, str) or segment in BUILT_IN_PROPERTIES:
            break
        words.append(segment)
    return ".".join(words)


def _check_filters(compiled: BoundTemplate, source: str, *, file: str) -> None:
    known = sorted(compiled.env.filters)
    for name, spans in compiled.analyze(include_partials=False).filters.items():
        if name not in known:
            line, _ = spans[0].line_col(source)
            raise TemplateError(
                f"{file}, line {line}: unknown filter {name!r}{nearest(name, known)}"
            )


def _located(file: str, error: LiquidError) -> TemplateError:
    place = error.context()
    where = f"{file}, line {place[0]}" if place else file
    return TemplateError(f"{where}: {error.message}")
