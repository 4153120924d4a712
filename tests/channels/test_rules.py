"""Real messages leave only with links that mailbox providers accept."""

from __future__ import annotations

import pytest

from rekindle.channels import find_channel, require_ready
from rekindle.channels.email.settings import EmailSettings, SmtpSettings
from rekindle.config import PortalSettings
from rekindle.errors import ConfigError
from rekindle.messages import Surroundings

# A server to try things out with; what is asked of others is in test_email_findings.py.
TRIAL = SmtpSettings(host="127.0.0.1")
SMTP = EmailSettings(outlet="email_smtp", postal_address="1 High Street", smtp=TRIAL)
FOLDER = EmailSettings(outlet="email_folder", postal_address="1 High Street")


def require_safe_links(email: EmailSettings, portal: PortalSettings) -> None:
    require_ready(find_channel("email"), email, Surroundings(portal.url))


@pytest.mark.parametrize(
    "url", ["http://shop.example.com", "http://localhost.example.com/u", "http://127.0.0.1@x.com"]
)
def test_plain_links_are_refused_where_people_are_written_to(url: str) -> None:
    with pytest.raises(ConfigError, match=r"portal.url .* https .*RFC 8058"):
        require_safe_links(SMTP, PortalSettings(url=url))
    require_safe_links(FOLDER, PortalSettings(url=url))


@pytest.mark.parametrize(
    "url",
    ["https://shop.example.com", "http://127.0.0.1:8080", "http://localhost/x", "http://[::1]:80"],
)
def test_safe_links_and_this_machine_pass(url: str) -> None:
    require_safe_links(SMTP, PortalSettings(url=url))
