"""The way back in: what mail servers send to the address a message came from.

A server that took a message and could not deliver it, or a provider whose user called it
spam, writes a mail about it (RFC 3464, RFC 5965). Whatever receives those mails posts each
of them here as it came, with the key of ``REKINDLE_MAIL_REPORTS_KEY``.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence

from rekindle.channels.email.providers.table import Provider
from rekindle.channels.email.settings import REPORTS_KEY, EmailSettings
from rekindle.errors import ConfigError, ForgedReportError
from rekindle.messages import DeliveryEvent, Webhook, WebhookRequest

BEARER = "Bearer "


class MailReports:
    """Implements ``rekindle.messages.Webhook`` for mails about mails."""

    def __init__(self, key: str) -> None:
        self._key = key

    def read(self, request: WebhookRequest) -> Sequence[DeliveryEvent]:
        """Return what one mail says of the messages it is about; nothing of any other mail."""
        given = request.headers.get("authorization", "")
        is_known = hmac.compare_digest(given.encode(), (BEARER + self._key).encode())
        if not self._key or not is_known:
            raise ForgedReportError(f"the report does not carry the key of {REPORTS_KEY}")
        from rekindle.channels.email.smtp.reports import read_report

        return read_report(request.body, received_at=request.received_at)


def build_reports(settings: EmailSettings, *, secrets: Mapping[str, str]) -> Webhook:
    """Return what reads mails about mails."""
    return MailReports(secrets.get(REPORTS_KEY, ""))


def build_provider_reports(provider: Provider, secrets: Mapping[str, str]) -> Webhook:
    """Return what reads a provider's reports.

    Raises:
        ConfigError: the secret by which they would be believed is not set.
    """
    secret = secrets.get(provider.signing_secret, "")
    if not secret:
        raise ConfigError(f"{provider.signing_secret} is not set: no report is believed")
    if provider.name == "amazon_ses":
        from rekindle.channels.email.providers.notices import SnsReports

        return SnsReports(provider, secret)
    from rekindle.channels.email.providers.reports import SignedReports

    return SignedReports(provider, secret)
