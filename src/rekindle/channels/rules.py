"""What has to be settled before anything may leave through an outlet."""

from __future__ import annotations

from urllib.parse import urlsplit

from rekindle.config import EmailSettings, PortalSettings
from rekindle.errors import ConfigError

THIS_MACHINE = frozenset({"127.0.0.1", "::1", "localhost"})


def require_safe_links(email: EmailSettings, portal: PortalSettings) -> None:
    """Refuse to send real messages whose unsubscribe links are not https.

    RFC 8058 section 3.1 asks for an HTTPS URI; mailbox providers ignore any other. A portal
    on this machine passes, so that the whole way can be tried out.

    Raises:
        ConfigError: ``portal.url`` is http and the outlet sends to people.
    """
    url = urlsplit(portal.url)
    if email.outlet == "email_folder" or url.scheme == "https" or url.hostname in THIS_MACHINE:
        return
    raise ConfigError(
        f"portal.url is {portal.url!r}, and unsubscribe links have to be https (RFC 8058); "
        "serve the portal over https, or let email.outlet be 'email_folder'"
    )


def require_postal_address(email: EmailSettings) -> None:
    """Refuse to write to anyone without saying where the business is.

    Raises:
        ConfigError: ``email.postal_address`` is empty.
    """
    if not email.postal_address.strip():
        raise ConfigError(
            "email.postal_address is empty; every marketing message has to carry one "
            "(CAN-SPAM, 15 U.S.C. § 7704(a)(5)): set it in rekindle.toml"
        )
