"""What a refusal is about, by its words: a fault of one recipient stops nobody else."""

from __future__ import annotations

import pytest

from rekindle.channels.email.providers.answers import judge_words
from rekindle.errors import OutletFaultError


@pytest.mark.parametrize(
    "words",
    [
        '{"errors":{"to.0.email":["The to.0.email domain was not found."]}}',
        "Invalid recipient: domain not found",
        "recipient domain not allowed",
        "recipient account disabled",
        "the recipient's mailbox exceeded quota",
        '{"to": "the domain is not registered"}',
    ],
)
def test_what_is_wrong_with_one_recipient_is_no_fault_of_ours(words: str) -> None:
    assert judge_words(words) is not OutletFaultError


@pytest.mark.parametrize(
    "words",
    [
        "The domain shop.example is not found",
        "your account is suspended",
        "not enough credits",
        "sender domain not verified for this recipient",
        "The from address does not match a verified Sender Identity",
    ],
)
def test_what_is_wrong_with_us_is(words: str) -> None:
    assert judge_words(words) is OutletFaultError
