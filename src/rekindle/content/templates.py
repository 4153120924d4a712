"""Templates: files of a workspace, compiled once and rendered for one person at a time.

Liquid runs first, with every value escaped, and MJML second. The other order would
be cheaper, but then a condition could not choose a section and a loop could not make
columns: MJML computes widths from the columns it sees. MJML costs about 0.1 ms.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from rekindle.content.language import PLAIN, Named, Part, compile_part, nearest
from rekindle.content.markup import BrokenMarkupError, add_head, check_markup, to_html
from rekindle.content.model import VARIABLES, Rendered
from rekindle.content.plaintext import derive_text
from rekindle.errors import BrokenTemplateError, TemplateError

FENCE = "---"
FRONT_KEYS = ("subject", "preheader")


# What is captured may be changed afterwards, wherever it is shown, and is compared here.
_CAPTURE = re.compile(r"\{%-?\s*(?:capture|ifchanged)\b")
_OR_ELSE = r"""(?:\|\s*default:\s*(?:'[^'{}]*'|"[^"{}]*"))?"""


@dataclass(frozen=True, slots=True)
class _Template:
    """One template, compiled. ``text`` None means: derive it from the markup."""

    subject: Part
    preheader: Part
    markup: Part
    text: Part | None

    def render(self, context: Mapping[str, object]) -> Rendered:
        subject = _one_line(self.subject.render(context))
        mjml = self.markup.render(context).strip()
        preheader = _one_line(self.preheader.render(context))
        html = to_html(add_head(mjml, title=subject, preheader=preheader), file=self.markup.file)
        return Rendered(subject, html, self._text(mjml, context))

    def _text(self, mjml: str, context: Mapping[str, object]) -> str:
        if self.text:
            return self.text.render(context).strip() + "\n"
        try:
            return derive_text(mjml)
        except BrokenMarkupError as error:
            raise TemplateError(
                f"{self.markup.file}: what Liquid made of it is no markup at "
                f"{mjml[error.at : error.at + 40]!r}"
            ) from error

    def bodies(self) -> Iterator[Part]:
        yield self.markup
        if self.text:
            yield self.text

    def parts(self) -> Iterator[Part]:
        yield from (self.subject, self.preheader)
        yield from self.bodies()


class Templates:
    """The templates of one folder, by name; of one that is broken, what is wrong with it.

    A broken template, say one that somebody is writing just now, is in nobody's way but
    that of those who ask for it by name.
    """

    def __init__(
        self, folder: Path, templates: Mapping[str, _Template | BrokenTemplateError]
    ) -> None:
        self._folder = folder
        self._templates = dict(templates)

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of all templates, sorted."""
        return tuple(sorted(self._templates))

    def variables(self, name: str) -> frozenset[str]:
        """Return every dotted name a template takes from outside."""
        return frozenset(used.name for part in self._find(name).parts() for used in part.names())

    def shown_plainly(self, name: str) -> tuple[str, ...]:
        """Return the undotted variables that a template only shows, as they are.

        They stand as ``{{ variable }}`` in the text or as a link's whole address. All that
        is asked of them is whether there is one: ``{% if variable %}``, and the filter
        ``default``; no other filter, condition or attribute looks at them.
        """
        sources = [part.source for part in self._find(name).parts()]
        if any(_CAPTURE.search(source) for source in sources):
            return ()
        names = (name for name in sorted(self.variables(name)) if "." not in name)
        return tuple(one for one in names if all(_is_only_shown(one, text) for text in sources))

    def check(
        self, name: str, known: Collection[str] = (), *, required: Collection[str] = ()
    ) -> None:
        """Check that a template uses only names it will be given.

        ``known`` are the names beside ``VARIABLES``; ``required`` have to stand in the
        markup and, where there is one, in the text file too (``MARKETING_VARIABLES``
        for anything that is marketing).

        Raises:
            BrokenTemplateError: names the file, the line, the unknown or missing name and,
                for an unknown one, the nearest known.
        """
        template = self._find(name)
        allowed = VARIABLES.keys() | set(known)
        for part in template.parts():
            _check_names(part, sorted(allowed))
        for part in template.bodies():
            used = {each.name for each in part.names()}
            if missing := [each for each in required if each not in used]:
                raise BrokenTemplateError(
                    f"{part.file}: marketing has to show {{{{ {missing[0]} }}}}; add it"
                )

    def render(self, name: str, context: Mapping[str, object]) -> Rendered:
        """Return the message for one person.

        ``context`` holds plain values and mappings (``{"shop": {"name": …}}``). The
        person's own names that it lacks are empty; any other is an error. An empty
        text counts as nothing, so that ``{% if first_name %}`` asks what it seems to.

        Raises:
            TemplateError: no such template, or it uses what ``context`` does not hold.
        """
        given = {key: None if value == "" else value for key, value in context.items()}
        return self._find(name).render({"first_name": None, "name": None, **given})

    def _find(self, name: str) -> _Template:
        found = self._templates.get(name)
        if found is None:
            raise BrokenTemplateError(
                f"{self._folder / name}.mjml does not exist{nearest(name, list(self.names))}"
            )
        if isinstance(found, BrokenTemplateError):
            raise BrokenTemplateError(str(found)) from found
        return found


def load_templates(folder: Path) -> Templates:
    """Return every ``NAME.mjml`` of ``folder``, with ``NAME.txt`` where there is one.

    A file that cannot be read, or is no valid template, is refused when it is asked for;
    the message names the file and the line.
    """
    paths = sorted(folder.glob("*.mjml"))
    return Templates(folder, {path.stem: _load(path) for path in paths})


def _load(path: Path) -> _Template | BrokenTemplateError:
    try:
        return _compile(path)
    except TemplateError as error:
        return BrokenTemplateError(str(error))


def _compile(path: Path) -> _Template:
    front, body, body_line = _split(_read(path), file=str(path))
    check_markup("\n" * (body_line - 1) + body, file=str(path))
    beside = path.with_suffix(".txt")
    return _Template(
        subject=_compile_front(front, "subject", file=str(path)),
        preheader=_compile_front(front, "preheader", file=str(path)),
        markup=compile_part(body, file=str(path), line=body_line),
        text=compile_part(_read(beside), file=str(beside), sandbox=PLAIN)
        if beside.exists()
        else None,
    )


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise TemplateError(f"{path} cannot be read as UTF-8 text: {error}") from error


def _split(source: str, *, file: str) -> tuple[dict[str, Named], str, int]:
    """Return the front block's entries with their lines, the body, and its first line."""
    lines = source.splitlines(keepends=True)
    fences = [number for number, line in enumerate(lines) if line.strip() == FENCE]
    if len(fences) < 2 or fences[0] != 0:
        raise TemplateError(
            f"{file}, line 1: a template begins with a block of '{FENCE}', 'subject: …', "
            f"'preheader: …', '{FENCE}'"
        )
    front = dict(_read_front(lines[1 : fences[1]], file=file))
    if "subject" not in front:
        raise TemplateError(f"{file}, line 1: the block has no 'subject: …'; add one")
    return front, "".join(lines[fences[1] + 1 :]), fences[1] + 2


def _read_front(lines: list[str], *, file: str) -> Iterator[tuple[str, Named]]:
    for number, line in enumerate(lines, start=2):
        if not line.strip():
            continue
        key, colon, text = line.partition(":")
        if not colon or key.strip() not in FRONT_KEYS:
            raise TemplateError(
                f"{file}, line {number}: {key.strip()!r} is not one of "
                f"{' and '.join(FRONT_KEYS)}{nearest(key.strip(), list(FRONT_KEYS))}"
            )
        yield key.strip(), Named(_unquote(text.strip()), number)


def _unquote(text: str) -> str:
    is_quoted = len(text) > 1 and text[0] == text[-1] and text[0] in "\"'"
    return text[1:-1] if is_quoted else text


def _compile_front(front: Mapping[str, Named], key: str, *, file: str) -> Part:
    entry = front.get(key, Named("", 1))
    return compile_part(entry.name, file=file, line=entry.line, sandbox=PLAIN)


def _check_names(part: Part, known: list[str]) -> None:
    for used in part.names():
        if used.name not in known:
            raise BrokenTemplateError(
                f"{part.file}, line {used.line}: unknown variable {used.name!r}"
                f"{nearest(used.name, known)}"
            )


def _is_only_shown(variable: str, source: str) -> bool:
    name = re.escape(variable)
    shown = rf"\{{\{{-?\s*{name}\s*{_OR_ELSE}\s*-?\}}\}}"
    rest = re.sub(rf'href="{shown}"', "", source)
    if re.search(rf"<[^<>]*{shown}[^<>]*>", rest):
        return False
    # Liquid takes any text that is not empty, and any number, for something that is there.
    asked = rf"\{{%-?\s*(?:if|elsif|unless)\s+{name}\s*-?%\}}"
    return re.search(rf"\b{name}\b", re.sub(rf"{shown}|{asked}", "", rest)) is None


def _one_line(text: str) -> str:
    """Return ``text`` on one line without control characters, fit for a header."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
