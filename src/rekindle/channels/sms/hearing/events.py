"""What a text that came in is to the rest of the house."""

from __future__ import annotations

from datetime import datetime

from rekindle.channels.sms.hearing.words import Heard, meaning_of, meaning_word
from rekindle.messages import DeliveryEvent, DeliveryKind
from rekindle.vocabulary import Channel

SMS = Channel("sms")
KINDS = {
    Heard.STOP: DeliveryKind.UNSUBSCRIBED,
    Heard.START: DeliveryKind.RESUBSCRIBED,
    Heard.WORDS: DeliveryKind.REPLIED,
}


def event_of(outlet: str, id_: str, sender: str, text: str, at: datetime) -> DeliveryEvent | None:
    """Return what a text from a number tells; None of one that asks for help.

    Of what they wrote it keeps a word of the lists alone: the rest is theirs, and an erasure
    would not find it.
    """
    meaning = meaning_of(text)
    kind = KINDS.get(meaning)
    if kind is None:
        return None
    return DeliveryEvent(id_, kind, SMS, outlet, at, address=sender, reason=meaning_word(text))
