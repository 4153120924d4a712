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


def test_a_provider_asks_for_its_keys_and_settings() -> None:
    found = {problem: severity for severity, problem in faults(outlet="email_scaleway")}
    assert found["REKINDLE_SCALEWAY_SECRET_KEY is not set, which Scaleway asks for"] == "refuses"
    assert found["email.scaleway.project_id is not set"] == "refuses"
    assert any("opens and clicks" in problem and found[problem] == "notes" for problem in found)


def test_a_provider_that_is_set_up_is_fine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REKINDLE_POSTMARK_SERVER_TOKEN", "t")
    ((severity, problem),) = faults(outlet="email_postmark")
    assert (severity, "is not believed" in problem) == ("warns", True)
    monkeypatch.setenv("REKINDLE_POSTMARK_WEBHOOK_SECRET", "u:p")
    assert faults(outlet="email_postmark") == []
