"""Liquid, sandboxed: the one place that touches the template language.

A template can read the values it is given and nothing else: no files, no other
templates, no attributes of objects, no unbounded loops or output. What it names
can be listed without running it, so a wrong name is found before anyone is written to.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sized
from dataclasses import dataclass
from difflib import get_close_matches
from functools import wraps
from typing import Any

from liquid import BoundTemplate, Environment, StrictDefaultUndefined, is_undefined
from liquid.exceptions import FilterArgumentError, LiquidError

from rekindle.content.complaints import find_line, say_liquid
from rekindle.errors import TemplateError
from rekindle.wording import CONTROLS

# What a filter may be given: together they bound what one filter can make (50 MB).
LONGEST_INPUT = 50_000
LONGEST_ARGUMENT = 1_000
LARGEST_NUMBER = 10**18
# Length and index are properties Liquid itself adds to any value.
BUILT_IN_PROPERTIES = ("size", "first", "last")
# Blocks whose inside is no markup, and single tags: what `blank` replaces.
_LIQUID = re.compile(
    r"\{%-?\s*(?P<block>comment|doc)\b.*?\{%-?\s*end(?P=block)\s*-?%\}|\{%.*?%\}|\{\{.*?\}\}",
    re.DOTALL,
)
_BLOCK = re.compile(
    r"\{%-?\s*(?P<end>end)?(?:if|unless|case|for|tablerow|capture|ifchanged|comment|doc)\b"
)


class _Sandbox(Environment):
    loop_iteration_limit = 10_000
    local_namespace_limit = 1_000_000
    output_stream_limit = 2_000_000


class _OwnSandbox(_Sandbox):
    """For the pages of the house."""

    # Loops within loops count as their product: sections, tables, rows and cells of a page.
    loop_iteration_limit = 1_000_000


UNUSABLE = (ValueError, ArithmeticError, LookupError, TypeError, OSError)


def _build_sandbox(*, is_escaping: bool, is_ours: bool = False) -> Environment:
    kind = _OwnSandbox if is_ours else _Sandbox
    sandbox = kind(autoescape=is_escaping, undefined=StrictDefaultUndefined)
    for tag in ("include", "render"):
        del sandbox.tags[tag]
    sandbox.filters["date"] = _without_clock(sandbox.filters["date"])
    if not is_ours:
        del sandbox.filters["safe"]
        for name, function in sandbox.filters.items():
            sandbox.filters[name] = _bounded(function)
    return sandbox


def _bounded(function: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(function)
    def apply(value: object, *arguments: object, **options: object) -> object:
        _check_size(value, LONGEST_INPUT)
        for argument in arguments:
            _check_size(argument, LONGEST_ARGUMENT)
        try:
            return function(value, *arguments, **options)
        except LiquidError:
            raise
        except UNUSABLE as error:  # of a value that the filter has not thought of
            raise FilterArgumentError(f"it cannot use this value: {error}", token=None) from error

    return apply


def _check_size(value: object, longest: int) -> None:
    if isinstance(value, int | float):
        if abs(value) > LARGEST_NUMBER:
            raise FilterArgumentError("this number is too large for a template", token=None)
    elif isinstance(value, Sized) and not is_undefined(value) and len(value) > longest:
        raise FilterArgumentError(
            f"a filter is given {len(value):,} characters or items; {longest:,} is the most",
            token=None,
        )


def _without_clock(date: Callable[..., Any]) -> Callable[..., Any]:
    """Return the filter ``date`` that formats the dates it is given and knows no other."""

    @wraps(date)
    def apply(value: object, *arguments: object, **options: object) -> object:
        if value in ("now", "today"):
            raise FilterArgumentError(
                "the date of today is not available; write it out or use a column", token=None
            )
        return date(value, *arguments, **options)

    return apply


PLAIN = _build_sandbox(is_escaping=False)
MARKUP = _build_sandbox(is_escaping=True)
PAGE = _build_sandbox(is_escaping=True, is_ours=True)


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
            raise _located(error, self.source, file=self.file) from error

    def names(self) -> Iterator[Named]:
        """Yield every name that has to come from outside, where it is used."""
        for uses in self.compiled.analyze(include_partials=False).globals.values():
            for use in uses:
                line, _ = use.span.line_col(self.source)
                yield Named(_dotted(list(use.segments)), line)


def compile_part(source: str, *, file: str, line: int = 1, sandbox: Environment = MARKUP) -> Part:
    """Return ``source`` compiled; ``line`` is where it begins in ``file``.

    Raises:
        TemplateError: it is no valid Liquid, or uses an unknown tag or filter.
    """
    placed = "\n" * (line - 1) + source
    try:
        compiled = sandbox.from_string(placed)
        _check_filters(compiled, placed, file=file)
    except LiquidError as error:
        raise _located(error, placed, file=file, sandbox=sandbox) from error
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


def one_line(text: str) -> str:
    """Return ``text`` on one line without control characters, fit for a header."""
    return " ".join(CONTROLS.sub(" ", text).split())


def nearest(name: str, known: list[str]) -> str:
    """Return the end of a message that suggests the known name closest to ``name``."""
    within = [one for one in known if one.startswith(f"{name}.")]
    found = within or get_close_matches(name, known, 1, cutoff=0.5)
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


def _located(
    error: LiquidError, source: str, *, file: str, sandbox: Environment = MARKUP
) -> TemplateError:
    place = error.context()
    is_unclosed = "expected tag end" in str(error.message)
    line = place[0] if place else find_line(source, sandbox)
    if is_unclosed or line is None:
        line = _unclosed_line(source) or line
    column = f", column {place[1] + 1}" if place and not is_unclosed else ""
    where = f"{file}, line {line}{column}" if line else file
    return TemplateError(f"{where}: {say_liquid(error, sandbox.tags)}")


def _unclosed_line(source: str) -> int | None:
    """Return where the innermost block that nothing ends begins: Liquid does not say."""
    opened: list[int] = []
    for tag in _BLOCK.finditer(source):
        if not tag["end"]:
            opened.append(source.count("\n", 0, tag.start()) + 1)
        elif opened:
            opened.pop()
    return opened[-1] if opened else None
