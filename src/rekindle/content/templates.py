"""Templates: files of a workspace, compiled once and rendered for one person at a time.

Liquid runs first, with every value escaped, and MJML second. The other order would
be cheaper, but then a condition could not choose a section and a loop could not make
columns: MJML computes widths from the columns it sees. MJML costs about 0.1 ms.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TypeVar

from rekindle.content.context import BLANK_SHOP
from rekindle.content.forms import (
    LAYOUT,
    Frame,
    Mail,
    Note,
    compile_layout,
    compile_mail,
    compile_note,
)
from rekindle.content.language import PLAIN, Part, compile_part, nearest
from rekindle.content.model import (
    BLANK_OFFER,
    LAYOUT_VARIABLES,
    MAIL,
    VARIABLES,
    Form,
    Rendered,
)
from rekindle.errors import BrokenTemplateError, TemplateError
from rekindle.profiles import find_blocks

DESTINATION = "destination"
NOTHING = Note(*(compile_part("", file="") for _ in range(3)))

# What is captured may be changed afterwards, wherever it is shown, and is compared here.
_CAPTURE = re.compile(r"\{%-?\s*(?:capture|ifchanged)\b")
_OR_ELSE = r"""(?:\|\s*default:\s*(?:'[^'{}]*'|"[^"{}]*"))?"""
_NOTE = re.compile(r"(?P<name>.+)\.(?P<channel>[a-z][a-z0-9_]{0,23})\.txt")

T = TypeVar("T")
Source = TypeVar("Source")


class Templates:
    """The templates of one folder, by name; of one that is broken, what is wrong with it.

    A broken template, say one that somebody is writing just now, is in nobody's way but
    that of those who ask for it by name. ``mails`` go by name, ``notes`` by name and
    channel.
    """

    def __init__(
        self,
        folder: Path,
        mails: Mapping[str, Mail | BrokenTemplateError],
        notes: Mapping[tuple[str, str], Note | BrokenTemplateError],
    ) -> None:
        self._folder = folder
        self._mails, self._notes = dict(mails), dict(notes)
        self._worded: dict[tuple[str, str], str] = {}

    @property
    def folder(self) -> Path:
        """Return where the files are."""
        return self._folder

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of all templates, sorted."""
        own = self._mails.keys() - self._worded.values()
        return tuple(sorted({*own, *(name for name, _ in self._notes)}))

    def worded(self, name: str, subject: str) -> str:
        """Return by which name an e-mail goes with another subject; its own where it is empty.

        A subject that is no valid Liquid is a broken template to whoever asks for that name.
        """
        if not subject or isinstance(mail := self._mails.get(name), BrokenTemplateError | None):
            return name
        if (name, subject) not in self._worded:
            known_as = f"{name} with the subject {subject!r}"
            self._worded[name, subject] = known_as
            self._mails[known_as] = _tried(partial(_reworded, mail), subject)
        return self._worded[name, subject]

    def has_subject(self, name: str, form: Form) -> bool:
        """Return whether a template has a subject on a channel."""
        return isinstance(self.find(name, form), Mail)

    def variables(self, name: str, form: Form = MAIL) -> frozenset[str]:
        """Return every dotted name a template takes from outside."""
        used = (one.name for part in self.find(name, form).parts() for one in part.names())
        return frozenset(used) - LAYOUT_VARIABLES.keys()

    def shown_plainly(self, name: str) -> tuple[str, ...]:
        """Return the undotted variables that an e-mail only shows, as they are.

        They stand as ``{{ variable }}`` in the text or as a link's whole address. All that
        is asked of them is whether there is one: ``{% if variable %}``, and the filter
        ``default``; no other filter, condition or attribute looks at them.
        """
        sources = [part.source for part in self.find(name, MAIL).parts()]
        if any(_CAPTURE.search(source) for source in sources):
            return ()
        names = (name for name in sorted(self.variables(name)) if "." not in name)
        return tuple(one for one in names if all(_is_only_shown(one, text) for text in sources))

    def check(
        self,
        name: str,
        known: Collection[str] = (),
        *,
        required: Collection[str] = (),
        form: Form = MAIL,
    ) -> None:
        """Check that a template can leave by a channel, and uses only names it will be given.

        ``known`` are the names beside ``VARIABLES`` and the blocks; ``required`` have to
        stand in an e-mail's markup or its layout and, where there is one, in the text file
        too (``MARKETING_VARIABLES`` for anything that is marketing).

        Raises:
            BrokenTemplateError: names the file, the line, the unknown or missing name and,
                for an unknown one, the nearest known.
        """
        template = self.find(name, form)
        for part in template.parts():
            framing = LAYOUT_VARIABLES if part.file == str(self._folder / f"{LAYOUT}.mjml") else ()
            blocks = (f"blocks.{block}" for block in find_blocks())
            _check_names(part, [*VARIABLES, *blocks, *sorted({*known, *framing})])
        if isinstance(template, Note):
            _check_parts(template, form)
            return
        for body in template.bodies():
            used = {each.name for part in body for each in part.names()}
            if missing := [each for each in required if each not in used]:
                raise BrokenTemplateError(
                    f"{body[0].file}: marketing has to show {{{{ {missing[0]} }}}}; add it"
                )

    def render(self, name: str, context: Mapping[str, object]) -> Rendered:
        """Return the e-mail for one person.

        ``context`` holds plain values and mappings (``{"shop": {"name": …}}``). The
        person's own names that it lacks are empty; any other is an error. An empty
        text counts as nothing, so that ``{% if first_name %}`` asks what it seems to.

        Raises:
            TemplateError: no such template, or it uses what ``context`` does not hold.
        """
        return self._mail(name).render(_given(context))

    def render_for(self, name: str, context: Mapping[str, object], form: Form) -> Mapping[str, str]:
        """Return the parts of a message for one person on one channel.

        Raises:
            TemplateError: as ``render``.
        """
        if form.is_destination:
            return {DESTINATION: name}
        template = self.find(name, form)
        if isinstance(template, Mail):
            return template.render(_given(context)).parts
        return template.render(_given(context))

    def find(self, name: str, form: Form = MAIL) -> Mail | Note:
        """Return what a template is on a channel.

        Raises:
            BrokenTemplateError: it is nothing there, or broken; says which file to write.
        """
        if form.is_destination:
            return NOTHING
        note = None if form.is_mail else self._notes.get((name, form.channel))
        if note is None and (form.is_mail or not form.parts):
            return self._mail(name)
        if note is None:
            raise BrokenTemplateError(
                f"{self._folder / name}.{form.channel}.txt does not exist, and the channel "
                f"{form.channel} takes nothing else of {name!r}; write what it says there"
            )
        return _whole(note)

    def _mail(self, name: str) -> Mail:
        found = self._mails.get(name)
        if found is None:
            raise BrokenTemplateError(
                f"{self._folder / name}.mjml does not exist{nearest(name, list(self.names))}"
            )
        return _whole(found)


def load_templates(folder: Path) -> Templates:
    """Return the templates of ``folder``, on each channel they have a file for.

    ``NAME.mjml`` is an e-mail, ``NAME.txt`` its text part, ``NAME.CHANNEL.txt`` what leaves
    by another channel; ``layout.mjml`` frames the e-mails that are no whole MJML. A file
    that cannot be read, or is no valid template, is refused when it is asked for; the
    message names the file and the line.
    """
    frame = folder / f"{LAYOUT}.mjml"
    layout: Frame | BrokenTemplateError | None = None
    if frame.exists():
        layout = _tried(compile_layout, frame)
    paths = sorted(path for path in folder.glob("*.mjml") if path != frame)
    compile_framed = partial(compile_mail, layout=layout)
    mails = {path.stem: _tried(compile_framed, path) for path in paths}
    return Templates(folder, mails, dict(_notes(folder.glob("*.txt"))))


def _notes(paths: Iterable[Path]) -> Iterable[tuple[tuple[str, str], Note | BrokenTemplateError]]:
    for path in sorted(paths):
        if (parts := _NOTE.fullmatch(path.name)) is not None:
            yield (parts["name"], parts["channel"]), _tried(compile_note, path)


def _reworded(mail: Mail, subject: str) -> Mail:
    file = f"the subject {subject!r}"
    return replace(mail, subject=compile_part(subject, file=file, sandbox=PLAIN))


def _tried(compile_: Callable[[Source], T], source: Source) -> T | BrokenTemplateError:
    try:
        return compile_(source)
    except TemplateError as error:
        return BrokenTemplateError(str(error))


def _whole(found: T | BrokenTemplateError) -> T:
    if isinstance(found, BrokenTemplateError):
        raise BrokenTemplateError(str(found)) from found
    return found


def _check_names(part: Part, known: list[str]) -> None:
    for used in part.names():
        if used.name not in known:
            raise BrokenTemplateError(
                f"{part.file}, line {used.line}: unknown variable {used.name!r}"
                f"{nearest(used.name, known)}"
            )


def _check_parts(note: Note, form: Form) -> None:
    """Check that a note has the parts that its channel asks for."""
    has = {"title": note.title, "url": note.url, "text": note.words, "body": note.words}
    for part in form.parts:
        if part not in has or not has[part].source.strip():
            raise BrokenTemplateError(
                f"{note.words.file}: the channel {form.channel} asks for a {part}; write "
                f"'{part}: …' into a block of '---' at the top"
            )


def _given(context: Mapping[str, object]) -> dict[str, object]:
    """Return a context whose empty texts are nothing, and that holds what may be left out."""
    shop, offer, blocks = (context.get(name) for name in ("shop", "offer", "blocks"))
    whole: dict[str, object] = {
        "first_name": None,
        "name": None,
        "preferences_url": None,
        "return_url": None,
        "confirm_url": None,
        "subscription_url": None,
        "leave_url": None,
        "kept_until": None,
        "kept_things": None,
        **context,
        "shop": {**BLANK_SHOP, **_mapping(shop)},
        "blocks": {**dict.fromkeys(find_blocks(), ()), **_mapping(blocks)},
        "offer": {**BLANK_OFFER, **_mapping(offer)},
    }
    return {key: _nothing(value) for key, value in whole.items()}


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}


def _nothing(value: object) -> object:
    if isinstance(value, Mapping):
        return {key: None if one in ("", (), []) else one for key, one in value.items()}
    return None if value == "" else value


def _is_only_shown(variable: str, source: str) -> bool:
    name = re.escape(variable)
    shown = rf"\{{\{{-?\s*{name}\s*{_OR_ELSE}\s*-?\}}\}}"
    rest = re.sub(rf'href="{shown}"', "", source)
    if re.search(rf"<[^<>]*{shown}[^<>]*>", rest):
        return False
    # Liquid takes any text that is not empty, and any number, for something that is there.
    asked = rf"\{{%-?\s*(?:if|elsif|unless)\s+{name}\s*-?%\}}"
    return re.search(rf"\b{name}\b", re.sub(rf"{shown}|{asked}", "", rest)) is None
