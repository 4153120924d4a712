"""Looks at a template as its readers will: with other eyes, other programs and other machines.

It reads the markup with its Liquid painted over, the layout's and the template's as the
whole they become, so every fault has a file and a line. What is decided by a value, a
colour from the settings say, cannot be seen here and is left alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from rekindle.content.forms import PLACE, Mail, frame_markup
from rekindle.content.grounds import Grounds
from rekindle.content.language import blank
from rekindle.content.markup import Piece, scan, to_html
from rekindle.content.model import MAIL, Form
from rekindle.content.plaintext import LINKS
from rekindle.content.templates import Templates
from rekindle.errors import TemplateError

LARGEST = 102 * 1024
"""What Gmail shows of a message before it cuts it off, the way out with it."""

IMAGES = frozenset({"img", "mj-image", "mj-carousel-image"})
HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
# https://www.w3.org/WAI/WCAG22/Techniques/failures/F84
MEANINGLESS = frozenset({
    "click", "click here", "here", "link", "more", "read more", "this", "this link", "go",
    "hier", "hier klicken", "mehr", "ici", "cliquez ici", "aquí", "haga clic aquí",
})  # fmt: skip
_REMOTE = re.compile(r"@import\b|@font-face\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that is looked at. What ``refuses`` keeps a journey from starting."""

    name: str
    refuses: bool
    meaning: str


CHECKS: Mapping[str, Check] = MappingProxyType({
    one.name: one
    for one in (
        Check("alt", True, 'An image has no `alt`; write `alt=""` where it is an ornament.'),
        Check("link-nowhere", True, "A link or a button has no address."),
        Check("link-empty", True, "A link has neither words nor a picture with an `alt`."),
        Check("remote-font", True, "A font or a style is asked from a server by every reader."),
        Check("size", True, "The message has more than 102 KB; Gmail cuts it, the way out too."),
        Check("heading", False, "There is no `<h1>`: who listens to messages has no way in."),
        Check("heading-order", False, "A heading skips a level, as from `<h1>` to `<h3>`."),
        Check("language", False, "`<mjml>` has no `lang`; it is read aloud in a wrong tongue."),
        Check("link-words", False, "The words of a link say nothing by themselves."),
        Check("contrast", False, "Words differ from their ground by less than 4.5:1 (WCAG AA)."),
        Check("shop-url", False, "A button leads to the shop, and `[shop]` has no `url`."),
    )
})  # fmt: skip
"""Name → what is looked at in an e-mail, beside its variables; the one table of it."""


LEADING_TO_SHOP = ("shop.url", "return_url")


@dataclass(frozen=True, slots=True)
class Flaw:
    """Something wrong with a template, and where. ``check`` says whether it refuses."""

    check: Check
    file: str
    line: int
    problem: str

    def __str__(self) -> str:
        return f"{self.file}, line {self.line}: {self.problem}"


def require_flawless(
    templates: Templates, name: str, form: Form = MAIL, *, shop_url: str = ""
) -> list[Flaw]:
    """Return what is to be said of a template that nothing keeps from being sent.

    Raises:
        TemplateError: something does; the message names all of it.
    """
    flaws = find_flaws(templates, name, form, shop_url=shop_url)
    if refusing := [str(flaw) for flaw in flaws if flaw.check.refuses]:
        raise TemplateError("\n".join(refusing))
    return flaws


def find_flaws(
    templates: Templates, name: str, form: Form = MAIL, *, shop_url: str = ""
) -> list[Flaw]:
    """Return what is wrong with a template on a channel, those that refuse first.

    Raises:
        TemplateError: it cannot be used at all.
    """
    template = templates.find(name, form)
    flaws: list[Flaw] = []
    if isinstance(template, Mail):
        flaws += _Reader(template).read()
    if not shop_url:
        flaws += _without_url(templates, name, form)
    return sorted(flaws, key=lambda flaw: (not flaw.check.refuses, flaw.file, flaw.line))


def _without_url(templates: Templates, name: str, form: Form) -> Iterator[Flaw]:
    for part in templates.find(name, form).parts():
        for used in part.names():
            if used.name in LEADING_TO_SHOP:
                problem = f"{used.name} leads nowhere; set url in [shop] of rekindle.toml"
                yield Flaw(CHECKS["shop-url"], part.file, used.line, problem)
                return


@dataclass(frozen=True, slots=True)
class _Placed:
    """A tag or a text, and where it stands."""

    piece: Piece
    file: str
    line: int


class _Reader:
    """Goes through an e-mail once, from its first tag to its last."""

    def __init__(self, mail: Mail) -> None:
        self._mail = mail
        self._pieces = list(_placed(mail))
        self._grounds = Grounds([one.piece for one in self._pieces])
        self._open_links: list[tuple[_Placed, list[str]]] = []
        self._levels: list[tuple[int, _Placed]] = []
        self._flaws: list[Flaw] = []
        self._style = False

    def read(self) -> list[Flaw]:
        """Return what was found, in the order of the message."""
        is_declared = False
        for one in self._pieces:
            self._grounds.take(one.piece)
            if one.piece.name == "mj-attributes":
                is_declared = not one.piece.is_closing
            elif is_declared:
                continue  # what elements look like, not elements
            elif not one.piece.name:
                self._take_words(one)
            elif one.piece.is_closing:
                self._take_end(one)
            else:
                self._take_start(one)
        self._look_at_headings()
        self._look_at_size()
        return self._flaws

    def _say(self, check: str, one: _Placed, problem: str) -> None:
        self._flaws.append(Flaw(CHECKS[check], one.file, one.line, problem))

    def _take_start(self, one: _Placed) -> None:
        name, piece = one.piece.name, one.piece
        if name == "mjml" and not piece.attribute("lang").strip():
            self._say("language", one, "<mjml> has no lang; write <mjml lang='en'>")
        elif name in ("mj-font", "link"):
            self._say("remote-font", one, f"<{name}> asks a server; name fonts readers have")
        elif name in IMAGES:
            self._take_image(one)
        elif name in HEADINGS:
            self._levels.append((int(name[1]), one))
        self._style = name in ("mj-style", "style")
        if name in LINKS:
            self._take_link(one)

    def _take_link(self, one: _Placed) -> None:
        href = one.piece.attribute("href").strip()
        if href in ("", "#"):
            said = "has no address; write href"
            self._say("link-nowhere", one, f"<{one.piece.name}> {said}='{{{{ shop.url }}}}'")
        if one.piece.is_empty:
            self._say("link-empty", one, f"<{one.piece.name}> has no words")
        else:
            self._open_links.append((one, []))

    def _take_image(self, one: _Placed) -> None:
        words = one.piece.attribute("alt").strip()
        if not one.piece.has("alt"):
            self._say("alt", one, f"<{one.piece.name}> has no alt; say what it shows, or alt=''")
        elif one.piece.attribute("href") and not words:
            self._say("link-empty", one, "this picture is a link, and its alt is empty")
        if self._open_links:
            self._open_links[-1][1].append(words)

    def _take_words(self, one: _Placed) -> None:
        if self._style and _REMOTE.search(one.piece.text):
            self._say("remote-font", one, "a style asks a server; name fonts readers have")
        if self._open_links:
            self._open_links[-1][1].append(one.piece.text)
        if one.piece.text.strip() and (told := self._grounds.say_unreadable()):
            self._say("contrast", one, told)

    def _take_end(self, one: _Placed) -> None:
        self._style = False
        if one.piece.name in LINKS and self._open_links:
            link, words = self._open_links.pop()
            said = " ".join("".join(words).split())
            if not said:
                self._say("link-empty", link, f"<{one.piece.name}> has no words")
            elif said.casefold().rstrip(".!…> ") in MEANINGLESS:
                self._say(
                    "link-words", link, f"{said!r} says nothing by itself; say where it leads"
                )

    def _look_at_headings(self) -> None:
        if not any(level == 1 for level, _ in self._levels):
            self._say(
                "heading", self._first(), "there is no <h1>; make the first line of the text one"
            )
        for (before, _), (level, one) in zip(self._levels, self._levels[1:], strict=False):
            if level > before + 1:
                self._say("heading-order", one, f"<h{level}> follows <h{before}>; none is between")

    def _look_at_size(self) -> None:
        whole = self._mail.body
        if self._mail.frame is not None:
            whole = frame_markup(self._mail.frame.body, whole.lstrip())
        size = len(to_html(blank(whole).lstrip(), file=self._mail.markup.file).encode())
        if size > LARGEST:
            said = f"it has {size / 1024:,.0f} KB, and Gmail cuts what is beyond 102; shorten it"
            self._say("size", self._first(), said)

    def _first(self) -> _Placed:
        """Return the template's own first tag."""
        return next(one for one in self._pieces if one.file == self._mail.markup.file)


def _placed(mail: Mail) -> Iterator[_Placed]:
    """Yield every tag and text of the whole message, each in its own file."""
    if mail.frame is None:
        yield from _scanned(mail.body, mail.markup.file, 0)
        return
    file, frame = mail.frame.markup.file, mail.frame.body
    place = PLACE.search(frame)
    end, start = (place.end(), place.start()) if place else (len(frame), len(frame))
    yield from _scanned(frame[:start], file, 0)
    yield from _scanned(mail.body, mail.markup.file, 0)
    yield from _scanned(frame[end:], file, frame.count("\n", 0, end))


def _scanned(source: str, file: str, before: int) -> Iterator[_Placed]:
    painted = blank(source)
    for piece in scan(painted):
        text = piece.text
        at = piece.at + len(text) - len(text.lstrip())
        yield _Placed(piece, file, before + painted.count("\n", 0, at) + 1)
