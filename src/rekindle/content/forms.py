"""What one template is on each channel: an e-mail of MJML, or a note of plain text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

from rekindle.content.language import PLAIN, Part, compile_part, one_line
from rekindle.content.markup import (
    BrokenMarkupError,
    add_head,
    check_fragment,
    check_markup,
    to_html,
)
from rekindle.content.model import Rendered
from rekindle.content.plaintext import derive_text
from rekindle.content.reading import read_mail, read_note, read_text
from rekindle.errors import TemplateError

LAYOUT = "layout"
WHOLE = re.compile(r"<mjml\b")
PLACE = re.compile(r"\{\{-?\s*content\s*-?\}\}")
CONTENT = "content"
BUTTON = "<mj-button"
MAIL_KEYS = ("language", "why")
NOTE_KEYS = ("title", "url")
# https://www.unicode.org/cldr/: the languages whose usual script runs from right to left.
RIGHT_TO_LEFT = frozenset({"ar", "ckb", "dv", "fa", "he", "iw", "ks", "ps", "sd", "ug", "ur", "yi"})


@dataclass(frozen=True, slots=True)
class Frame:
    """The frame that templates share: MJML with a place for their own sections."""

    markup: Part
    body: str


@dataclass(frozen=True, slots=True)
class Mail:
    """An e-mail, compiled. ``text`` None means: derive it from the markup.

    ``body`` is the markup as it stands in the file, from its own line on.
    """

    subject: Part
    preheader: Part
    why: Part
    language: str
    markup: Part
    text: Part | None
    frame: Frame | None
    body: str

    def render(self, context: Mapping[str, object]) -> Rendered:
        """Return the e-mail for one person."""
        subject = one_line(self.subject.render(context))
        mjml = self._mjml(context).strip()
        preheader = one_line(self.preheader.render(context))
        html = to_html(add_head(mjml, title=subject, preheader=preheader), file=self.markup.file)
        return Rendered(subject, html, self._text(mjml, context))

    def bodies(self) -> Iterator[tuple[Part, ...]]:
        """Yield what makes up each body: what marketing has to show may stand in any of it."""
        yield (self.markup,) if self.frame is None else (self.markup, self.frame.markup)
        if self.text:
            yield (self.text,)

    def parts(self) -> Iterator[Part]:
        """Yield everything that takes variables."""
        yield from (self.subject, self.preheader, self.why)
        for body in self.bodies():
            yield from body

    def _mjml(self, context: Mapping[str, object]) -> str:
        own = self.markup.render(context)
        if self.frame is None:
            return own
        language = self.language or _language_of(context)
        is_turned = language.partition("-")[0] in RIGHT_TO_LEFT
        # The template's own markup was escaped when it was rendered.
        framed = {
            CONTENT: Markup(own),
            "has_button": BUTTON in own,
            "language": language,
            "direction": "rtl" if is_turned else "ltr",
            "start": "right" if is_turned else "left",
            "why": one_line(self.why.render(context)) or None,
        }
        return self.frame.markup.render({**context, **framed})

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


@dataclass(frozen=True, slots=True)
class Note:
    """What leaves by a channel of plain words: a text, and a title and a link where it has them."""

    title: Part
    url: Part
    words: Part

    def render(self, context: Mapping[str, object]) -> Mapping[str, str]:
        """Return the parts for one person; the words are ``text`` and ``body``."""
        words = self.words.render(context).strip()
        title, url = one_line(self.title.render(context)), one_line(self.url.render(context))
        return {"title": title, "url": url, "text": words, "body": words}

    def parts(self) -> Iterator[Part]:
        """Yield everything that takes variables."""
        yield from (self.title, self.url, self.words)


def compile_layout(path: Path) -> Frame:
    """Return a layout.

    Raises:
        TemplateError: it is no whole MJML, or has no place for what it frames, or two.
    """
    file, body = str(path), read_text(path)
    part = compile_part(body, file=file)
    places = [one for one in part.names() if one.name == CONTENT]
    if len(places) != 1:
        raise TemplateError(
            f"{file}: a layout shows {{{{ {CONTENT} }}}} once, inside <mj-body>, "
            f"and this one {len(places)} times"
        )
    if PLACE.search(body) is None:
        raise TemplateError(f"{file}: write the place of the templates as {{{{ {CONTENT} }}}}")
    check_markup(frame_markup(body, ""), file=file)
    return Frame(part, body)


def compile_mail(path: Path, layout: Frame | TemplateError | None) -> Mail:
    """Return an e-mail; one that does not begin with ``<mjml>`` is framed by the layout.

    Raises:
        TemplateError: it is broken, or its layout is.
    """
    source = read_mail(path, optional=MAIL_KEYS)
    body = "\n" * (source.body_line - 1) + source.body
    frame = None
    if WHOLE.search(source.body):
        check_markup(body, file=source.file)
    else:
        frame = _frame(source.file, body, layout)
    beside = path.with_suffix(".txt")
    text = None
    if beside.exists():
        text = compile_part(read_text(beside), file=str(beside), sandbox=PLAIN)
    return Mail(
        subject=source.compile_front("subject"),
        preheader=source.compile_front("preheader"),
        why=source.compile_front("why"),
        language=source.front["language"].name if "language" in source.front else "",
        markup=compile_part(source.body, file=source.file, line=source.body_line),
        text=text,
        frame=frame,
        body=body,
    )


def compile_note(path: Path) -> Note:
    """Return what leaves by one channel.

    Raises:
        TemplateError: it is broken, or says nothing.
    """
    source = read_note(path, known=NOTE_KEYS)
    if not source.body.strip():
        raise TemplateError(f"{source.file}: it says nothing; write the words below its block")
    return Note(
        title=source.compile_front("title"),
        url=source.compile_front("url"),
        words=compile_part(source.body, file=source.file, line=source.body_line, sandbox=PLAIN),
    )


def _frame(file: str, body: str, layout: Frame | TemplateError | None) -> Frame:
    """Return the layout, with which the body makes a whole."""
    if layout is None:
        raise TemplateError(
            f"{file}: it has no <mjml>, and there is no {LAYOUT}.mjml beside it to frame it; "
            "write a whole MJML document, or the layout"
        )
    if isinstance(layout, TemplateError):
        raise layout
    check_fragment(body, file=file)
    check_markup(frame_markup(layout.body, body.lstrip()), file=file)
    return layout


def frame_markup(layout: str, body: str) -> str:
    """Return a layout with a body in its place."""
    return PLACE.sub(lambda _: body, layout, count=1)


def _language_of(context: Mapping[str, object]) -> str:
    shop = context.get("shop")
    return str(shop["language"]) if isinstance(shop, Mapping) else "en"
