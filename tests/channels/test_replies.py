"""Whose fault a refusal is: the address's, the message's, or ours for the moment."""

from __future__ import annotations

from datetime import timedelta

import pytest

from rekindle.channels.email.smtp.replies import Reply, Stage, find_wait, judge_refusal
from rekindle.errors import (
    OutletFaultError,
    PermanentDeliveryError,
    RefusedContentError,
    TemporaryDeliveryError,
)

LATER, BOUNCE, REFUSED = TemporaryDeliveryError, PermanentDeliveryError, RefusedContentError
OURS = OutletFaultError
AT_RCPT, AT_END = Stage.RECIPIENT, Stage.CONTENT


@pytest.mark.parametrize(
    ("stage", "said", "expected"),
    [
        # Temporary by the first digit, whatever follows (RFC 5321 section 4.2.1).
        *[(at, f"{code} 4.2.0 later", LATER) for at in Stage for code in (421, 450, 451, 452)],
        (AT_RCPT, "450 4.1.1 user unknown", LATER),
        # The address (RFC 3463 section 3.2, 3.3).
        (AT_RCPT, "550 5.1.1 user unknown", BOUNCE),
        (AT_RCPT, "550 5.1.2 no such domain", BOUNCE),
        (AT_RCPT, "551 5.1.6 moved", BOUNCE),
        (AT_RCPT, "556 5.1.10 null MX", BOUNCE),
        (AT_RCPT, "550 5.2.1 disabled", BOUNCE),
        (AT_RCPT, "550 5.4.1 Recipient address rejected: Access denied", BOUNCE),
        (AT_RCPT, "550 user unknown", BOUNCE),
        (AT_RCPT, "550 <joe@blacklist.example>: no such user", BOUNCE),
        (AT_RCPT, "553 mailbox name not allowed", BOUNCE),
        (AT_RCPT, "521 host takes no mail", BOUNCE),
        (AT_END, "550 5.1.1 user unknown", BOUNCE),
        (AT_END, "550 5.2.1 disabled", BOUNCE),
        (Stage.DATA, "550 5.1.1 user unknown", BOUNCE),
        # A mailbox that is full today.
        (AT_RCPT, "552 5.2.2 over quota", LATER),
        (AT_END, "552 5.2.2 over quota", LATER),
        (AT_RCPT, "552 too many recipients", LATER),
        # The message.
        (AT_END, "550 5.7.1 looks like spam", REFUSED),
        (AT_END, "552 5.3.4 too large", REFUSED),
        (AT_END, "552 exceeded storage allocation", REFUSED),
        (AT_END, "554 5.6.0 bad content", REFUSED),
        (AT_END, "554 no", REFUSED),
        (AT_END, "550 5.1.0 no", REFUSED),
        (Stage.DATA, "554 5.5.1 no valid recipients", REFUSED),
        (Stage.SENDER, "552 5.3.4 larger than we take", REFUSED),
        (AT_RCPT, "554 transaction failed", REFUSED),
        (AT_RCPT, "501 5.5.4 syntax", REFUSED),
        # The place we write from, which is so for some recipients and not for others.
        (AT_RCPT, "550 5.7.1 your address is on a block list", LATER),
        (AT_RCPT, "550 rejected because 192.0.2.1 is in a black list", LATER),
        (AT_RCPT, "550 5.7.1 recipient takes no mail from outside", LATER),
        # Ours to mend: the sender.
        (Stage.SENDER, "553 not yours", OURS),
        (Stage.SENDER, "550 5.1.1 who?", OURS),
        (Stage.SENDER, "501 5.5.4 syntax", LATER),
        (Stage.SENDER, "451 4.1.8 sender's domain cannot be looked up", LATER),
        (AT_RCPT, "550 5.1.8 sender's domain does not exist", OURS),
        (AT_END, "554 Message rejected: Email address is not verified.", OURS),
        (AT_END, "550 5.7.60 SMTP; Client does not have permissions to send as this sender", OURS),
        # Ours to mend: the login.
        *[(stage, "530 5.7.0 log in first", OURS) for stage in Stage],
        (AT_END, "535 wrong password", OURS),
        (AT_END, "535 5.7.139 Authentication unsuccessful", OURS),
        (AT_RCPT, "554 5.7.1 relay access denied", OURS),
        (AT_RCPT, "550 relay not permitted", OURS),
        (AT_RCPT, "550 5.7.64 TenantAttribution; Relay Access Denied", OURS),
        (AT_RCPT, "550 <relay.denied@example.com>: no such user", BOUNCE),
        (AT_RCPT, "454 4.7.0 temporary authentication failure", LATER),
        # Ours to mend: what mailbox providers ask of whoever sends in bulk.
        *[
            (stage, f"{code}.7.{detail} Gmail requires all senders to authenticate", OURS)
            for stage in (AT_RCPT, AT_END)
            for code in ("421 4", "550 5")
            for detail in (26, 27, 29, 30, 32, 40)
        ],
        (AT_END, "421 4.7.28 Gmail has detected an unusual rate of unsolicited mail", OURS),
        (AT_END, "421 4.7.0 Our system has detected an unusual rate of unsolicited mail", OURS),
        (AT_END, "550 5.7.1 likely unsolicited mail; to reduce spam it has been blocked", OURS),
        (AT_END, "550 5.7.1 Unauthenticated email from x.example is not accepted: DMARC", OURS),
        (AT_END, "421 4.7.28 slow down", LATER),
        (AT_END, "421 4.7.0 Temporary System Problem. Try again later", LATER),
        (AT_END, "550 5.7.515 Access denied, sending domain x.example does not meet", OURS),
        (AT_END, "550 5.7.509 Access denied, sending domain does not pass DMARC", OURS),
        (AT_END, "550 5.7.708 Access denied, traffic not accepted from this IP", OURS),
        *[(AT_END, f"550 5.7.{detail} not authentic (RFC 7372)", OURS) for detail in range(20, 27)],
        # A word about it in the middle of something else is nothing of the kind.
        (AT_RCPT, "550 5.1.1 <dmarc@example.com> unknown; unsolicited mail is refused", BOUNCE),
        (AT_RCPT, "550 5.2.1 unauthenticated mail to a disabled box", BOUNCE),
        # What is no reply at all.
        (AT_RCPT, "-1 garbage", LATER),
    ],
)  # fmt: skip
def test_a_refusal_blames_whom_it_is_about(
    stage: Stage, said: str, expected: type[Exception]
) -> None:
    code, _, text = said.partition(" ")
    assert judge_refusal(stage, Reply(int(code), text)) is expected


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("4.7.1 Greylisted, try again in 300 seconds", 300),
        ("4.2.0 Greylisted for 5 minutes", 300),
        ("please retry after 1 hour", 3600),
        ("Greylisting in action, please come back in 00:04:59", 299),
        ("4.7.0 Retry in 90s", 90),
        ("try again within 10 mins", 600),
        ("try again after 999999 hours", 86400),
        ("4.7.1 try again later", None),
        ("retry after 0 seconds", None),
        ("4.3.2 300 seconds", None),
        ("try again in 5 months", None),
    ],
)
def test_a_wish_to_wait_is_understood(said: str, seconds: int | None) -> None:
    assert find_wait(said) == (None if seconds is None else timedelta(seconds=seconds))
