"""A machine is one to the portal and to the reports of providers alike."""

from __future__ import annotations

import pytest

from rekindle.messages import is_machine_agent, is_opening_agent

PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 Safari/604.1"


@pytest.mark.parametrize(
    "agent",
    [
        "WhatsApp/2.23.20.0",
        "TelegramBot (like TwitterBot)",
        "facebookexternalhit/1.1",
        "Slackbot-LinkExpanding 1.0",
        "SkypeUriPreview Preview/0.5",
        "Mozilla/5.0 (compatible; Barracuda Sentinel)",
        "GoogleImageProxy (via ggpht.com GoogleImageProxy)",
        "Mozilla/5.0 (via ggpht.com)",
        "Apache-HttpClient/4.5",
        "axios/1.6",
        "python-requests/2.32",
    ],
)
def test_what_looks_before_people_is_a_machine(agent: str) -> None:
    assert is_machine_agent(agent)
    assert is_opening_agent(agent)


def test_people_are_none_and_apples_proxy_only_opens() -> None:
    assert not is_machine_agent(PHONE)
    assert not is_opening_agent(PHONE)
    assert not is_machine_agent("Mozilla/5.0")
    assert is_opening_agent(" Mozilla/5.0 ")
