"""What Twilio's error codes say of a message: https://www.twilio.com/docs/api/errors.

The same codes come as the answer to a message and later in a report of it.
"""

from __future__ import annotations

from enum import StrEnum

from rekindle.channels.asking import Answered
from rekindle.errors import (
    DeliveryError,
    OptedOutError,
    OutletFaultError,
    PermanentDeliveryError,
    RefusedContentError,
    TemporaryDeliveryError,
    UnknownFateError,
)


class Why(StrEnum):
    """Whom or what a code is about."""

    ADDRESS = "address"  # it takes no texts, and will not
    OPTED_OUT = "opted out"
    OURS = "ours"  # a key, an account, a number, a registration
    MESSAGE = "message"
    LATER = "later"


CODES: dict[int, Why] = {
    20003: Why.OURS,  # authenticate
    20005: Why.OURS,  # account not active
    20006: Why.OURS,  # access denied
    20008: Why.OURS,  # a resource that test credentials may not use
    20404: Why.OURS,  # no such account
    20429: Why.LATER,  # too many requests
    20500: Why.LATER,  # internal error: nothing was made
    20503: Why.LATER,  # service unavailable
    21211: Why.ADDRESS,  # invalid To number
    21217: Why.ADDRESS,  # a number that does not appear to be valid
    21401: Why.ADDRESS,  # invalid number
    21408: Why.MESSAGE,  # texts to this country are not switched on: others are
    21601: Why.OURS,  # our number cannot send texts
    21602: Why.MESSAGE,  # no body
    21603: Why.OURS,  # no From
    21604: Why.MESSAGE,  # no To
    21605: Why.MESSAGE,  # longer than the longest
    21606: Why.OURS,  # From is no number of ours
    21608: Why.OURS,  # a trial account writes to verified numbers only
    21610: Why.OPTED_OUT,  # the recipient wrote STOP to this sender
    21611: Why.LATER,  # our number's queue is full
    21612: Why.MESSAGE,  # no way from this sender to that number
    21614: Why.ADDRESS,  # no mobile number
    21617: Why.MESSAGE,  # longer than 1,600 characters
    21659: Why.OURS,  # From is no number of this account
    21660: Why.OURS,  # From belongs to another account
    21703: Why.OURS,  # the messaging service has no numbers
    21704: Why.OURS,  # the messaging service has no number for this country
    21705: Why.OURS,  # no such messaging service
    30001: Why.LATER,  # queue overflow
    30002: Why.OURS,  # account suspended
    30003: Why.LATER,  # handset unreachable: off, or away
    30004: Why.MESSAGE,  # blocked at the recipient's
    30005: Why.ADDRESS,  # unknown handset
    30006: Why.ADDRESS,  # landline, or a carrier that cannot be reached
    30007: Why.MESSAGE,  # filtered by a carrier
    30008: Why.MESSAGE,  # unknown error
    30010: Why.MESSAGE,  # dearer than the highest price asked for
    30023: Why.LATER,  # the day's limit of a campaign
    30027: Why.LATER,  # the day's limit at one carrier
    30032: Why.OURS,  # an unverified toll-free number
    30034: Why.OURS,  # an unregistered number (A2P 10DLC)
    30036: Why.MESSAGE,  # ValidityPeriod ran out: it was not delivered
    30038: Why.MESSAGE,  # a password in it, which only some senders may write
    30450: Why.MESSAGE,  # more of the same than one recipient may get
}
FAULTS: dict[Why, type[DeliveryError]] = {
    Why.ADDRESS: PermanentDeliveryError,
    Why.OPTED_OUT: OptedOutError,
    Why.OURS: OutletFaultError,
    Why.MESSAGE: RefusedContentError,
    Why.LATER: TemporaryDeliveryError,
}


def fault_of(answer: Answered) -> DeliveryError:
    """Return what an answer that took no message means for it."""
    told = answer.fields()
    code, words = told.get("code"), told.get("message")
    text = f"{code}: {words}" if code and isinstance(words, str) else answer.word
    why = CODES.get(code) if isinstance(code, int) else None
    if why is not None:
        return FAULTS[why](text, retry_after=answer.retry_after())
    if answer.status == 429:
        return TemporaryDeliveryError(text, retry_after=answer.retry_after())
    if answer.status in {401, 403, 404}:
        return OutletFaultError(text)
    if answer.status == 503:  # nobody was there to take it
        return TemporaryDeliveryError(text, retry_after=answer.retry_after())
    if 400 <= answer.status < 500:
        return RefusedContentError(text)
    return UnknownFateError(text)
