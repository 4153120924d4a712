"""The text as it leaves: as its template became it, with how to stop, in few segments."""

from __future__ import annotations

from rekindle.channels.sms.settings import SmsSettings
from rekindle.channels.sms.writing.lengths import count_segments, fold
from rekindle.errors import MalformedAddressError, RefusedContentError
from rekindle.identity import international
from rekindle.messages import Message
from rekindle.vocabulary import Purpose

LINK = "{link}"


def write_text(message: Message, settings: SmsSettings) -> str:
    """Return what is sent. Marketing tells how to stop, unless its template does.

    Raises:
        RefusedContentError: there is nothing to say.
    """
    text = message.parts.get("text", "").strip()
    if not text:
        raise RefusedContentError("its template has no text for a telephone")
    if message.purpose is Purpose.MARKETING:
        stop = settings.stop_text.replace(LINK, message.links.unsubscribe).strip()
        link = message.links.unsubscribe
        if stop not in text and not (link and link in text):
            text = f"{text}\n{stop}"
    return fold(text) if settings.plain_punctuation else text


def require_short(text: str, settings: SmsSettings) -> None:
    """Refuse what would cost more than was set aside for it.

    Raises:
        RefusedContentError: it is longer than ``sms.max_segments``.
    """
    if (segments := count_segments(text)) > settings.max_segments:
        raise RefusedContentError(
            f"the text takes {segments} segments and sms.max_segments is {settings.max_segments}; "
            "shorten its template"
        )


def dialled(address: str) -> str:
    """Return a number as providers are told it (E.164).

    One that begins with 00 is not taken for it: a STOP comes from +44 and would not be found
    by the hash of the number on the card.

    Raises:
        MalformedAddressError: it names no country, or is no number.
    """
    # As suppressions are kept: what somebody writes back comes from the number in this spelling.
    number = international(address)
    if not number:
        raise MalformedAddressError("the telephone number on the card names no country (+44 …)")
    return number
