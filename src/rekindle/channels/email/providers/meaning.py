"""What a provider's event means here, beyond the words that django-anymail has for it.

Anymail tells no soft bounce from a hard one, nor a scanner from a person: that is in what
the provider sent itself. An address is written off only where both the provider and the
mail server's reply, if it is quoted, are about the address.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from rekindle.channels.email.smtp.replies import Reply, Stage, judge_refusal
from rekindle.errors import PermanentDeliveryError, RefusedContentError
from rekindle.messages import DeliveryKind, is_opening_agent

Raw = Mapping[str, Any]

# Anymail's words (anymail.signals.EventType); what is not here says nothing that matters.
KINDS: Mapping[str, DeliveryKind] = {
    "queued": DeliveryKind.ACCEPTED,
    "sent": DeliveryKind.ACCEPTED,
    "delivered": DeliveryKind.DELIVERED,
    "bounced": DeliveryKind.BOUNCED,
    "failed": DeliveryKind.FAILED,
    "rejected": DeliveryKind.FAILED,
    "complained": DeliveryKind.COMPLAINED,
    "unsubscribed": DeliveryKind.UNSUBSCRIBED,
    "opened": DeliveryKind.OPENED,
    "clicked": DeliveryKind.CLICKED,
}
# Why a provider did not try: it remembers what a person did, or their address, from before.
REMEMBERED: Mapping[str, DeliveryKind] = {
    "invalid": DeliveryKind.BOUNCED,
    "bounced": DeliveryKind.BOUNCED,
    "spam": DeliveryKind.COMPLAINED,
    "unsubscribed": DeliveryKind.UNSUBSCRIBED,
}
SPARKPOST_HARD = frozenset({"10", "30", "90"})
UNISENDER_HARD = frozenset(
    {"err_user_unknown", "err_user_inactive", "err_domain_inactive", "err_mailbox_discarded"}
)
REPLY = re.compile(r"(?<![\d.])([245])(\d\d)\b[ :#-]*(?:\(?\#?([245]\.\d{1,3}\.\d{1,3})\b)?")
ENHANCED = re.compile(r"(?<![\d.])([245])\.\d{1,3}\.\d{1,3}(?![\d.])")


def kind_of(provider: str, told: Any, raw: Raw) -> DeliveryKind | None:
    """Return what an event is, None where it tells nothing that matters here."""
    kind = KINDS.get(told.event_type)
    if provider == "postmark" and raw.get("Type") == "SpamNotification":
        return DeliveryKind.FAILED  # a filter's word on the message, and not a person's
    if provider == "mailgun":
        reason = _at(raw, "event-data", "reason")
        if reason in {"suppress-complaint", "suppress-unsubscribe"}:
            is_complaint = reason == "suppress-complaint"
            return DeliveryKind.COMPLAINED if is_complaint else DeliveryKind.UNSUBSCRIBED
    if provider == "postal" and _at(raw, "payload", "status") == "HardFail":
        return DeliveryKind.BOUNCED
    if told.event_type == "rejected":
        return REMEMBERED.get(told.reject_reason, kind)
    return kind


def is_hard(provider: str, told: Any, raw: Raw) -> bool:
    """Tell whether the provider says of a bounce that the address will take no mail."""
    if told.event_type == "rejected" and provider != "mailjet":
        return True  # it remembers the address from before
    match provider:
        case "brevo" | "mandrill":
            return raw.get("event") in {"hard_bounce", "invalid_email"}
        case "mailersend":
            return bool(_at(raw, "data", "type") == "hard_bounced")
        case "postmark":
            return raw.get("Type") in {"HardBounce", "BadEmailAddress"}
        case "mailjet":
            return raw.get("hard_bounce") in {True, "true"}
        case "sendgrid":
            return raw.get("type") != "blocked"
        case "sparkpost":
            return any(str(found) in SPARKPOST_HARD for found in _deep(raw, "bounce_class"))
        case "amazon_ses" | "resend":
            said = _at(raw, "bounce", "bounceType"), _at(raw, "data", "bounce", "type")
            return all(one in {None, "Permanent"} for one in said)
        case "unisender_go":
            said = _at(raw, "delivery_info", "delivery_status")
            return said is None or said in UNISENDER_HARD
    return True


def is_machine(provider: str, told: Any, raw: Raw) -> bool:
    """Tell whether a program opened or clicked, by what the provider or it says of itself."""
    if told.event_type not in {"opened", "clicked"}:
        return False
    match provider:
        case "brevo" if raw.get("event") in {"proxy_open", "unique_proxy_open"}:
            return True
        case "sendgrid" if raw.get("sg_machine_open") in {True, "true"}:
            return True
        case "mailgun" if _at(raw, "event-data", "client-info", "bot") not in {None, ""}:
            return True
        case "sparkpost" if any(found is True for found in _deep(raw, "is_prefetched")):
            return True
    agent = told.user_agent if isinstance(told.user_agent, str) else ""
    return is_opening_agent(agent)


def judge_reply(reply: str, *, is_hard: bool) -> tuple[DeliveryKind, bool]:
    """Return what a bounce is, and whether it is final of the address.

    Where the mail server's reply is quoted it has to be about the address as well: many
    providers call it a hard bounce when a policy turns a message away.
    """
    if not is_hard:
        return DeliveryKind.BOUNCED, False
    found = REPLY.search(reply)
    enhanced = ENHANCED.search(reply)
    if found is not None:
        code = int(found[1] + found[2])
    elif enhanced is not None:
        code = int(enhanced[1]) * 100 + 50
    else:
        return DeliveryKind.BOUNCED, True
    words = f"{enhanced[0]} {reply}" if enhanced is not None else reply
    error = judge_refusal(Stage.RECIPIENT, Reply(code, words))
    if issubclass(error, PermanentDeliveryError):
        return DeliveryKind.BOUNCED, True
    if issubclass(error, RefusedContentError):
        return DeliveryKind.FAILED, True
    return DeliveryKind.BOUNCED, False


def _at(raw: Any, *names: str) -> Any:
    """Return what stands at a place of nested objects, None where that is not there."""
    for name in names:
        if not isinstance(raw, Mapping):
            return None
        raw = raw.get(name)
    return raw


def _deep(raw: Any, name: str, levels: int = 4) -> Iterator[Any]:
    """Yield what goes by a name in nested objects."""
    if not isinstance(raw, Mapping) or not levels:
        return
    for key, value in raw.items():
        if key == name:
            yield value
        else:
            yield from _deep(value, name, levels - 1)
