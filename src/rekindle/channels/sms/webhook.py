"""The ways back in: what became of a text, and what people write back."""

from __future__ import annotations

from collections.abc import Mapping

from rekindle.channels.sms.settings import REPORTS_KEY, TWILIO_TOKEN, SmsSettings
from rekindle.messages import Webhook


def build_twilio_reports(settings: SmsSettings, *, secrets: Mapping[str, str]) -> Webhook:
    """Return what reads Twilio's reports."""
    from rekindle.channels.sms.twilio.reports import TwilioReports

    return TwilioReports(settings, secrets.get(TWILIO_TOKEN, ""))


def build_gateway_reports(settings: SmsSettings, *, secrets: Mapping[str, str]) -> Webhook:
    """Return what reads the reports of a gateway, or of what stands between it and us."""
    from rekindle.channels.sms.gateway.reports import GatewayReports

    return GatewayReports(settings, secrets.get(REPORTS_KEY, ""))
