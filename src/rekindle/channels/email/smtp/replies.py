"""What a mail server's refusal means, and whose fault it is.

Written as rules over the reply alone, because one mistake here is costly: an address
written off is never contacted again, so only a reply about the address may do that.
"""

from __future__ import annotations

import re
from datetime import timedelta
from enum import StrEnum

from rekindle.channels.email.smtp.faults import find_fault
from rekindle.errors import (
    DeliveryError,
    OutletFaultError,
    PermanentDeliveryError,
    RefusedContentError,
    TemporaryDeliveryError,
)
from rekindle.vocabulary import value_by_the_million

GOING_AWAY = 421
FIRST_PERMANENT = 500
LONGEST_WAIT = timedelta(days=1)

# Enhanced codes, RFC 3463 section 3, without the class in front ("5.").
ADDRESS = frozenset({"1.1", "1.2", "1.3", "1.6", "1.10", "2.1"})
SENDER = frozenset({"1.7", "1.8", "1.9"})
MAILBOX_FULL = "2.2"
TOO_LARGE = frozenset({"2.3", "3.4"})
POLICY = "7."
# What the server did not understand says nothing about the sender (RFC 5321 section 4.2.1).
SYNTAX = frozenset({500, 501, 502, 503, 504, 555})
# RFC 5321 section 4.2.2; 521 and 556 are domains that take no mail (RFC 7504).
NO_SUCH_ADDRESS = frozenset({521, 550, 551, 553, 556})
STORAGE = 552
# Many servers say 550 to everything and give no enhanced code; these words are about us.
ABOUT_US = re.compile(
    r"\b(?:spam|block(?:ed|list)|black ?list|relay|reputation|polic(?:y|ies)|authenti|denied"
    r"|banned|dnsbl|rbl|spf|dkim|dmarc)",
    re.IGNORECASE,
)
ADDRESS_IN_TEXT = re.compile(r"\S+@\S+")
WAIT = re.compile(
    r"(?:retry|again|back|wait|delay|gr[ea]y-?list\w*)\D{0,30}?"
    r"(?:(\d\d?):(\d\d):(\d\d)|(\d{1,6})\s*(s|m|h)(?:ec|econd|in|inute|r|our)?s?\b)",
    re.IGNORECASE,
)
UNITS = {"s": 1, "m": 60, "h": 3600}


class Stage(StrEnum):
    """How far the conversation about one message had come."""

    SENDER = "sender"
    RECIPIENT = "recipient"
    DATA = "data"
    CONTENT = "content"


@value_by_the_million(frozen=True, slots=True)
class Reply:
    """A server's answer. ``text`` is one line and begins with the enhanced code, if any."""

    code: int
    text: str

    @property
    def detail(self) -> str:
        """Return the enhanced code without its class ("7.1" of "5.7.1"), or nothing."""
        found = re.match(r"[245]\.(\d{1,3}\.\d{1,3})\b", self.text)
        return found[1] if found else ""

    def __str__(self) -> str:
        return f"{self.code} {self.text}"


def judge_refusal(stage: Stage, reply: Reply) -> type[DeliveryError]:
    """Return the kind of error that a refusal at ``stage`` is.

    ``PermanentDeliveryError`` only where the reply is about the recipient's address:
    by its enhanced code, else by its basic code and only as an answer to the recipient.
    ``RefusedContentError`` where the message itself is not taken. ``OutletFaultError``
    where we have to mend something: the sender, the login, what a mailbox provider asks of
    whoever sends in bulk (``faults.py``). All else is temporary: 4xx, a full mailbox, and
    a policy against the place we write from.
    """
    if find_fault(reply.code, reply.detail, ADDRESS_IN_TEXT.sub("", reply.text)) is not None:
        return OutletFaultError
    if reply.code < FIRST_PERMANENT or reply.detail == MAILBOX_FULL:
        return TemporaryDeliveryError
    if reply.detail in TOO_LARGE or (reply.code == STORAGE and stage is not Stage.RECIPIENT):
        return RefusedContentError
    if stage is Stage.SENDER or reply.detail in SENDER:
        return TemporaryDeliveryError if reply.code in SYNTAX else OutletFaultError
    if reply.detail in ADDRESS:
        return PermanentDeliveryError
    return _judge_recipient(reply) if stage is Stage.RECIPIENT else RefusedContentError


def _judge_recipient(reply: Reply) -> type[DeliveryError]:
    """Judge a refusal that names no address outright: by its words, then by its basic code."""
    if reply.detail.startswith(POLICY) or reply.code == STORAGE:
        # 552 to a recipient means too many of them (RFC 5321 section 4.5.3.1.10).
        return TemporaryDeliveryError
    if not reply.detail and ABOUT_US.search(ADDRESS_IN_TEXT.sub("", reply.text)):
        return TemporaryDeliveryError
    return PermanentDeliveryError if reply.code in NO_SUCH_ADDRESS else RefusedContentError


def find_wait(text: str) -> timedelta | None:
    """Return how long a reply asks to wait ("try again in 5 minutes"), at most a day.

    Greylisting servers say so in words of their own; None where nothing is understood.
    """
    found = WAIT.search(text)
    if found is None:
        return None
    hours, minutes, seconds, number, unit = found.groups()
    if number:
        wait = int(number) * UNITS[unit.lower()]
    else:
        wait = int(hours) * 3600 + int(minutes) * 60 + int(seconds)
    return min(timedelta(seconds=wait), LONGEST_WAIT) or None
