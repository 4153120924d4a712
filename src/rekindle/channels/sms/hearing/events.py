"""What a text that came in is to the rest of the house."""

from __future__ import annotations

from datetime import datetime

from rekindle.channels.sms.hearing.words import Meaning, meaning_of
from rekindle.messages import DeliveryEvent, DeliveryKind
from rekindle.vocabulary import Channel

SMS = Channel("sms")
KINDS = {
    Meaning.STOP: DeliveryKind.UNSUBSCRIBED,
    Meaning.START: DeliveryKind.RESUBSCRIBED,
    Meaning.WORDS: DeliveryKind.REPLIED,
}
LONGEST_WORDS = 160


def event_of(outlet: str, id_: str, sender: str, text: str, at: datetime) -> DeliveryEvent | None:
    """Return what a text from a number tells; None of one that asks for help."""
    kind = KINDS.get(meaning_of(text))
    if kind is None:
        return None
    words = " ".join(text.split())[:LONGEST_WORDS]
    return DeliveryEvent(id_, kind, SMS, outlet, at, address=sender, reason=words)
