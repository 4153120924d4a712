"""What a letter says: title, paragraphs, and how letters end."""

from __future__ import annotations

import re
from dataclasses import dataclass

from rekindle.channels.letter.settings import LetterSettings
from rekindle.channels.letter.writing.places import PostalAddress, envelope_lines, read_place
from rekindle.errors import RefusedContentError
from rekindle.messages import Message
from rekindle.vocabulary import Purpose

GAP = re.compile(r"\n\s*\n")


@dataclass(frozen=True, slots=True)
class WrittenLetter:
    """One letter, with nothing of how it looks. A paragraph is its lines."""

    name: str
    place: PostalAddress
    recipient: tuple[str, ...]
    title: str
    paragraphs: tuple[tuple[str, ...], ...]
    stop: str


def write_letter(message: Message, settings: LetterSettings) -> WrittenLetter:
    """Return what a message is as a letter.

    Raises:
        MalformedAddressError: there is nowhere to send it.
        RefusedContentError: it says nothing.
    """
    place = read_place(message.address)
    title, text = (message.parts.get(name, "").strip() for name in ("title", "text"))
    if not title or not text:
        raise RefusedContentError("its template has no title, or no text, for a letter")
    name = message.name.strip() or settings.unnamed
    return WrittenLetter(
        name=name,
        place=place,
        recipient=tuple(envelope_lines(name, place, posted_in=settings.country)),
        title=title,
        paragraphs=tuple(tuple(part.splitlines()) for part in GAP.split(text)),
        stop=_stop(message, text, settings),
    )


def _stop(message: Message, text: str, settings: LetterSettings) -> str:
    link = message.links.unsubscribe
    if message.purpose is not Purpose.MARKETING or (link and link in text):
        return ""
    return settings.stop_text.replace("{link}", link)
