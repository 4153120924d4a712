"""What Lob's errors say of a letter: https://docs.lob.com/#tag/Errors."""

from __future__ import annotations

import re

from rekindle.channels.asking import Answered
from rekindle.errors import (
    AddressGoneError,
    DeliveryError,
    MalformedAddressError,
    OutletFaultError,
    RefusedContentError,
    TemporaryDeliveryError,
    UnknownFateError,
)

FAULTS: dict[str, type[DeliveryError]] = {
    # Nobody gets post there, as far as the post knows: that address is written to no more.
    "failed_deliverability_strictness": AddressGoneError,
    # As it is written it cannot be used, and may be right nevertheless.
    "address_length_exceeds_limit": MalformedAddressError,
    "invalid_country_covid": TemporaryDeliveryError,  # no post goes there for now
    "rate_limit_exceeded": TemporaryDeliveryError,
    "conflict": TemporaryDeliveryError,  # the same key is being worked on
    "billing_address_required": OutletFaultError,
    "email_required": OutletFaultError,
    "feature_limit_reached": OutletFaultError,
    "foreign_return_address": OutletFaultError,
    "invalid_api_key": OutletFaultError,
    "invalid_international_feature": RefusedContentError,
    "not_found": OutletFaultError,
    "payment_method_unverified": OutletFaultError,
    "publishable_key_not_allowed": OutletFaultError,
    "unauthorized": OutletFaultError,
    "unauthorized_token": OutletFaultError,
    "unrecognized_endpoint": OutletFaultError,
    "unsupported_lob_version": OutletFaultError,
}
# It says which of what it was handed is wrong, as "to.address_zip must be in a valid format".
OF_ADDRESS = re.compile(r"\bto\.(name|address_\w+)\b|^to\b")
OF_SENDER = re.compile(r"^from\b")


def fault_of(answer: Answered) -> DeliveryError:
    """Return what an answer that took no letter means for it."""
    told = answer.fields().get("error")
    error = told if isinstance(told, dict) else {}
    code, words = str(error.get("code", "")).casefold(), str(error.get("message", ""))
    text = f"{answer.status} {code}" if code else answer.word
    kind = FAULTS.get(code)
    if kind is None and answer.status == 422 and OF_ADDRESS.search(words):
        return MalformedAddressError(f"{text}: {words}")
    if kind is None and answer.status == 422 and OF_SENDER.search(words):
        kind = OutletFaultError
    if kind is None:
        kind = _by_status(answer.status)
    return kind(f"{text}: {words}" if words else text, retry_after=answer.retry_after())


def _by_status(status: int) -> type[DeliveryError]:
    if status in {409, 429, 503}:
        return TemporaryDeliveryError
    if status in {401, 403, 404} or 300 <= status < 400:
        return OutletFaultError
    return RefusedContentError if 400 <= status < 500 else UnknownFateError
