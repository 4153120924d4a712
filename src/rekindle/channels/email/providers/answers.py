"""What a provider's answer means for a message, and whose fault it is.

By its HTTP status first, then by the provider's own codes and words. An address is written
off only where the provider says it is about the address.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple

from rekindle.errors import (
    DeliveryError,
    MalformedAddressError,
    OutletFaultError,
    PermanentDeliveryError,
    RefusedContentError,
    TemporaryDeliveryError,
    UnknownFateError,
)

LONGEST_WAIT = timedelta(days=1)
READ = 4000
"""So many characters of an answer are looked at; none that says anything is longer."""
ADDRESS = re.compile(r"[^\s<>\"']+@[^\s<>\"']+")

# RFC 9110 section 15.5: who we are, what we pay, what we may, and where we asked.
OURS = frozenset({401, 402, 403, 404, 405, 407, 410, 451})
LATER = frozenset({408, 421, 423, 425, 429})
CONTENT = frozenset({411, 413, 414, 415, 431})
# A gateway that says these had passed the request on, and lost sight of it.
LOST = frozenset({499, 502, 504, 520, 524, 598, 599})
CONFLICT = 409

# A message of one person that is taken for a fault of ours stops everybody's: each of these is
# about a sender's address or domain, an account or a key, and about nothing else.
SENDER = (
    r"\bnot (?:been |yet )?verified|\bunverified|\bmust be verified"
    r"|\bverify (?:your|a|the) (?:\w+ )?(?:domain|sender)"
    r"|sender signature|unconfigured sending domain|not an authori[sz]ed sender"
    r"|(?:invalid|unknown|unauthori[sz]ed)\W{0,3}(?:from|sender)\b"
    r"|\b(?:from|sender)(?:['\"`]|\.email|[ _-](?:e-?mail|address|domain|field|identity|you))"
    r".{0,80}\b(?:invalid|not (?:a )?valid|inactive|disabled|does not match"
    r"|not (?:allowed|permitted|authori[sz]ed|associated))"
    r"|\b(?:invalid|missing|unknown|expired|revoked)\W{0,3}api.?(?:key|token)\b"
    r"|\bapi.?(?:key|token)\W{0,3}(?:is )?(?:invalid|missing|unknown|expired|revoked)"
    r"|payment required"
)
# And these where no recipient is named: they have a domain, an account and a quota, too.
OWN = (
    r"\bdomain\b.{0,80}\bnot (?:found|registered|allowed|configured|authenticated|authori[sz]ed)"
    r"|\baccount\b.{0,60}\b(?:suspended|disabled|pending|blocked|validation)"
    r"|\baccount\b.{0,60}\bnot (?:been )?activated"
    r"|(?:not enough|insufficient|ran out of|exceed\w*)\b.{0,30}\b(?:credits?|quota|balance|plan)"
)
THEIRS = r"\brecipients?\b|\brcpt|\bto(?:\.\d|\[\d)|[\"']to[\"']|\bmailbox\b"
RECIPIENT = (
    r"(?:invalid|malformed|illegal|not a valid|incorrect)\W{0,3}(?:\w+\W{1,3}){0,3}"
    r"(?:recipient|to\b|rcpt|e-?mail address)"
    r"|\b(?:to|recipients?|rcpt\w*|to\[\d\]\S*|to\.\d\S*)\b.{0,60}"
    r"\b(?:invalid|not (?:a )?valid|malformed|illegal)"
    r"|\bnot valid in to\b|\bnot contain a valid address\b.{0,60}\bto\b"
)
FAILURE = re.compile(r"error|fail|cancel|reject|unavailable", re.I)


class AnswerRule(NamedTuple):
    """What an answer of one provider is: with one of these statuses (any), and these words."""

    kind: type[DeliveryError]
    words: str
    statuses: Collection[int] = ()


class AlreadyTakenError(DeliveryError):
    """The provider had a message of this key before: it was taken then."""


F, L, R, U = OutletFaultError, TemporaryDeliveryError, RefusedContentError, UnknownFateError
RULES: Mapping[str, tuple[AnswerRule, ...]] = {
    # https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html#API_SendEmail_Errors
    # Only the words of an error are in its body: its name is in a header.
    "amazon_ses": (
        AnswerRule(F, r"address is not verified|paused|suspended|MAIL FROM domain|shut ?down"),
        AnswerRule(F, r"configuration set", statuses=(400, 404)),
        AnswerRule(L, r"quota exceeded|maximum sending rate|throttl|rate exceeded"),
        AnswerRule(MalformedAddressError, r"domain contains|missing final|illegal address"),
    ),
    # https://developers.brevo.com/docs/heterogenous-versions-batch-emails
    "brevo": (AnswerRule(AlreadyTakenError, r"duplicate_parameter"),),
    # https://mailchimp.com/developer/transactional/docs/error-glossary/: every error is a 500
    "mandrill": (
        AnswerRule(F, r'"name":\s*"(?:Invalid_Key|PaymentRequired|Unknown_Subaccount)"'),
        AnswerRule(R, r'"name":\s*"ValidationError"'),
        AnswerRule(F, r'"reject_reason":\s*"(?:invalid-sender|unsigned|test-mode-limit)"'),
        AnswerRule(R, r'"reject_reason":\s*"(?:soft-bounce|rule|custom|recipients)"'),
    ),
    # https://docs.postalserver.io/developer/api: every error is a 200
    "postal": (
        AnswerRule(F, r'"code":\s*"(?:AccessDenied|InvalidServerAPIKey|ServerSuspended)"'),
        AnswerRule(F, r'"code":\s*"(?:UnauthenticatedFromAddress|FromAddressMissing)"'),
        AnswerRule(R, r'"code":\s*"\w+"'),
        AnswerRule(F, r'"status":\s*"parameter-error"'),
    ),
    # https://postmarkapp.com/developer/api/overview#error-codes
    "postmark": (
        AnswerRule(F, r'"ErrorCode":\s*(?:10|400|401|405|412|413|1235|1236)\b'),
        AnswerRule(L, r'"ErrorCode":\s*100\b'),
    ),
    # https://resend.com/docs/api-reference/errors
    "resend": (
        AnswerRule(
            F, r"monthly_quota_exceeded|invalid_from_address|missing_api_key|invalid_access"
        ),
        AnswerRule(F, r"only send testing e-?mails"),
        AnswerRule(L, r"concurrent_idempotent_requests|daily_quota_exceeded|rate_limit_exceeded"),
        # Something else was taken under this key: what became of this message is not said.
        AnswerRule(U, r"invalid_idempotent_request"),
    ),
    # https://support.sparkpost.com/docs/deliverability/transmission-api-error-codes
    "sparkpost": (
        AnswerRule(L, r"sending limit", statuses=(420,)),
        AnswerRule(F, r'"code":\s*"(?:7001|1901)"'),
    ),
    # https://godocs.unisender.ru/web-api-ref#api-errors
    "unisender_go": (AnswerRule(L, r'"temporary_unavailable"'),),
}


def judge_answer(provider: str, status: int, text: str) -> type[DeliveryError]:
    """Return the kind of error that an answer is; ``text`` is its body, with no addresses."""
    found = find_rule(provider, status, text)
    if found is not None:
        return found
    if 300 <= status < 400 or status in OURS:
        return OutletFaultError
    if status in LATER:
        return TemporaryDeliveryError
    if status == CONFLICT or status in LOST or status < 200:
        return UnknownFateError
    if status in CONTENT:
        return RefusedContentError
    if status >= 500:
        return TemporaryDeliveryError
    if status < 300 and not _says_error(text):
        return UnknownFateError
    return judge_words(text)


def find_rule(provider: str, status: int, text: str) -> type[DeliveryError] | None:
    """Return what the provider's own codes say, None where they say nothing."""
    for rule in RULES.get(provider, ()):
        if (not rule.statuses or status in rule.statuses) and re.search(rule.words, text, re.I):
            return rule.kind
    return None


def judge_words(text: str) -> type[DeliveryError]:
    """Return what a refusal is by its words alone: of us, of the address, or of the message."""
    if re.search(SENDER, text, re.I | re.S):
        return OutletFaultError
    if re.search(OWN, text, re.I | re.S) and not re.search(THEIRS, text, re.I):
        return OutletFaultError
    if re.search(RECIPIENT, text, re.I | re.S):
        return MalformedAddressError
    return RefusedContentError


def judge_failure(provider: str, status: int, text: str) -> type[DeliveryError]:
    """Return what an answer is that anymail understands as one that the message failed.

    It takes an answer that says nothing for that as well.
    """
    found = find_rule(provider, status, text)
    if found is not None:
        return found
    return judge_words(text) if FAILURE.search(text) else UnknownFateError


STATUSES: Mapping[str, type[DeliveryError]] = {
    "invalid": MalformedAddressError,
    "rejected": PermanentDeliveryError,
    "unknown": UnknownFateError,
}
"""What a recipient's status means, by anymail's words; "failed" is told by the answer's."""


def wait_of(headers: Mapping[str, str]) -> timedelta | None:
    """Return how long an answer asks to wait (RFC 9110 section 10.2.3), at most a day.

    A moment is compared with the answer's own date, so that no clock but theirs matters.
    """
    said = headers.get("Retry-After", "").strip()
    if said.isdecimal():
        wait = timedelta(seconds=min(int(said[:9]), LONGEST_WAIT.total_seconds()))
    else:
        try:
            until, now = (_instant(text) for text in (said, headers.get("Date", "")))
        except ValueError:
            return None
        wait = until - now
    return min(wait, LONGEST_WAIT) if wait > timedelta(0) else None


def _instant(text: str) -> datetime:
    found = parsedate_to_datetime(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def one_line(text: str) -> str:
    """Return what an answer says in one line, without addresses, as far as anybody reads it."""
    return ADDRESS.sub("…", " ".join(text[:READ].split()))


def _says_error(text: str) -> bool:
    """Tell whether an answer that should be a success says that it is none."""
    try:
        told: Any = json.loads(text)
    except ValueError:
        return False
    if not isinstance(told, dict):
        return False
    named = {str(key).casefold(): value for key, value in told.items()}
    return bool(
        named.get("error")
        or named.get("errors")
        or named.get("errorcode")
        or named.get("status") in {"error", "failed"}
        or named.get("success") is False
    )
