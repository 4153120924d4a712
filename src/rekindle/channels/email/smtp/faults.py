"""The replies of mail servers that are about us: what we have to mend before anybody is written to.

One rule a line, with its source. A wrong one costs a stop that nobody needed, and a missing
one a campaign that goes on while a mailbox provider refuses it whole; neither touches anyone's
address.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import NamedTuple

RFC_4954 = "https://www.rfc-editor.org/rfc/rfc4954#section-6"
IANA = "https://www.iana.org/assignments/smtp-enhanced-status-codes"
GMAIL = "https://support.google.com/a/answer/3726730"
GMAIL_SENDERS = "https://support.google.com/a/answer/81126"
OUTLOOK = (
    "https://techcommunity.microsoft.com/blog/microsoftdefenderforoffice365blog/"
    "strengthening-email-ecosystem-outlook%E2%80%99s-new-requirements-for-high-volume-senders/4399730"
)
EXCHANGE = (
    "https://learn.microsoft.com/exchange/mail-flow-best-practices/"
    "non-delivery-reports-in-exchange-online/non-delivery-reports-in-exchange-online"
)
EXCHANGE_TENANT = (
    "https://learn.microsoft.com/exchange/mail-flow-best-practices/"
    "non-delivery-reports-in-exchange-online/fix-error-code-5-7-700-through-5-7-750"
)
POSTFIX = "https://www.postfix.org/SMTPD_ACCESS_README.html#relay"
SES = "https://docs.aws.amazon.com/ses/latest/dg/troubleshoot-error-messages.html"


class FaultRule(NamedTuple):
    """What is ours to mend: a reply with one of these codes, or enhanced codes, and words.

    ``details`` are enhanced codes without their class, so that 4.7.26 and 5.7.26 are one.
    """

    what: str
    source: str
    codes: Collection[int] = ()
    details: Collection[str] = ()
    words: str = ""
    is_final: bool = False


RULES = (
    FaultRule("the login", RFC_4954, codes=(530, 534, 535, 538)),
    # With a 4 in front these say as well that a name server did not answer (RFC 7372).
    FaultRule("DKIM of the sender's domain", IANA, details=("7.20", "7.21", "7.22"), is_final=True),
    FaultRule("SPF of the sender's domain", IANA, details=("7.23", "7.24"), is_final=True),
    FaultRule("the reverse DNS of the server", IANA, details=("7.25",), is_final=True),
    FaultRule("SPF and DKIM of the sender's domain", IANA, details=("7.26",)),
    # Gmail gives 27, 29, 30, 32 and 40 meanings of its own; IANA's are about us as well.
    FaultRule("SPF of the sender's domain", GMAIL, details=("7.27",)),
    FaultRule("TLS to the mailbox provider", GMAIL, details=("7.29",)),
    FaultRule("DKIM of the sender's domain", GMAIL, details=("7.30",)),
    FaultRule("the From header's domain, which DKIM or SPF has to be of", GMAIL, details=("7.32",)),
    FaultRule("DMARC of the sender's domain", GMAIL, details=("7.40",)),
    # A plain limit on the rate is none of these: it passes by itself.
    FaultRule(
        "too much mail that nobody wants",
        GMAIL_SENDERS,
        details=("7.0", "7.1", "7.28"),
        words=r"unsolicited|(?:very )?low reputation of the sending",
    ),
    FaultRule("authentication of the sender's domain", OUTLOOK, details=("7.515",)),
    FaultRule("DMARC of the sender's domain", EXCHANGE, details=("7.509",)),
    FaultRule("the From header", EXCHANGE, details=("7.512",)),
    FaultRule("the right to write as this sender", EXCHANGE, details=("7.60", "2.252")),
    FaultRule("the login", EXCHANGE, details=("7.3", "7.57", "7.139"), is_final=True),
    FaultRule("the sending address, which is banned", EXCHANGE, details=("7.511",)),
    FaultRule("the account", EXCHANGE_TENANT, details=("7.705", "7.708", "7.750")),
    FaultRule(
        "DMARC of the sender's domain",
        GMAIL_SENDERS,
        details=("7.0", "7.1", "7.9"),
        words=r"\bDMARC\b|unauthenticated (?:e-?)?mail",
        is_final=True,
    ),
    FaultRule(
        "the login: the server passes nothing on for us",
        POSTFIX,
        words=r"\brelay(?:ing)?\b.{0,20}\b(?:denied|not (?:permitted|allowed)|prohibited)"
        r"|(?:unable|not allowed) to relay",
        is_final=True,
    ),
    FaultRule(
        "the sender's address or domain, which is not verified",
        SES,
        words=r"(?:address|domain|identity|sender|from)\b.{0,60}\bnot (?:been )?verified",
        is_final=True,
    ),
)

_WORDS = {rule: re.compile(rule.words, re.IGNORECASE) for rule in RULES if rule.words}


def find_fault(code: int, detail: str, text: str) -> FaultRule | None:
    """Return the rule by which a reply is about something that we have to mend, or None.

    ``detail`` is the enhanced code without its class; ``text`` holds no addresses.
    """
    return next((rule for rule in RULES if _holds(rule, code, detail, text)), None)


def _holds(rule: FaultRule, code: int, detail: str, text: str) -> bool:
    if rule.is_final and code < 500:
        return False
    if rule.codes and code not in rule.codes:
        return False
    if rule.details and detail not in rule.details:
        return False
    return not rule.words or _WORDS[rule].search(text) is not None
