"""Real messages are refused with links, senders and servers that are only for trying out."""

from __future__ import annotations

from typing import Any

import pytest

from rekindle.channels import find_channel, find_faults
from rekindle.messages import Severity, Surroundings

SMTP = {"host": "smtp.shop.co.uk"}
GOOD: dict[str, Any] = {
    "outlet": "email_smtp",
    "from_address": "hello@shop.co.uk",
    "postal_address": "1 Street",
    "smtp": SMTP,
}
PORTAL = "https://news.shop.co.uk"


def faults(portal: str = PORTAL, **given: Any) -> list[tuple[str, str]]:
    folder = find_channel("email")
    settings = folder.settings.model_validate({**GOOD, **given})
    found = find_faults(folder, settings, Surroundings(portal))
    return [(one.severity.value, one.problem) for one in found]


def test_settings_of_a_business_are_fine() -> None:
    assert faults() == []


@pytest.mark.parametrize(
    ("portal", "given", "word"),
    [
        ("http://news.shop.co.uk", {}, "https"),
        ("http://127.0.0.1:8080", {}, "nobody else can open"),
        ("https://localhost", {}, "nobody else can open"),
        ("http://[::1]:8080", {}, "nobody else can open"),
        (PORTAL, {"from_address": "shop@example.com"}, "RFC 2606"),
        (PORTAL, {"from_address": "shop@news.EXAMPLE.org"}, "RFC 2606"),
        (PORTAL, {"from_address": "shop@shop.test"}, "RFC 2606"),
        (PORTAL, {"from_address": "shop@localhost"}, "RFC 2606"),
        (PORTAL, {"smtp": {"port": 25}}, "host is not set"),
        (PORTAL, {"postal_address": " "}, "postal_address"),
    ],
)
def test_what_only_works_here_is_refused(portal: str, given: dict[str, Any], word: str) -> None:
    ((severity, problem),) = faults(portal, **given)
    assert severity == Severity.REFUSES
    assert word in problem


def test_a_server_of_this_machine_is_for_trying_out() -> None:
    trial = {"smtp": {"host": "127.0.0.1"}, "from_address": "shop@example.com"}
    found = faults("http://127.0.0.1:8080", **trial)
    assert [severity for severity, _ in found] == [Severity.WARNS, Severity.WARNS]


def test_a_folder_takes_anything() -> None:
    assert faults("http://127.0.0.1:8080", outlet="email_folder", smtp={}) == []
