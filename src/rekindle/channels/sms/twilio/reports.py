"""Reads what Twilio posts: what became of a text, and texts that come in.

A report of a text: https://www.twilio.com/docs/messaging/guides/track-outbound-message-status;
one that came in: https://www.twilio.com/docs/messaging/guides/webhook-request.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import parse_qs, urlsplit
from xml.sax.saxutils import escape

from rekindle.channels.sms.hearing import Heard, event_of, meaning_of
from rekindle.channels.sms.settings import TWILIO_TOKEN, SmsSettings
from rekindle.channels.sms.twilio.refusals import CODES, Why
from rekindle.channels.sms.twilio.signing import is_signed
from rekindle.errors import EventError, ForgedReportError
from rekindle.messages import DeliveryEvent, DeliveryKind, WebhookAnswer, WebhookRequest
from rekindle.vocabulary import Channel

OUTLET = "sms_twilio"
SIGNATURE = "x-twilio-signature"
FAILED = frozenset({"failed", "undelivered", "canceled"})
# Words that Twilio answers itself, by default or where "advanced opt-out" is switched on.
KNOWN_STOPS = frozenset(
    {"stop", "stopall", "unsubscribe", "cancel", "end", "quit", "revoke", "optout"}
)
KINDS = {Why.ADDRESS: DeliveryKind.BOUNCED, Why.OPTED_OUT: DeliveryKind.UNSUBSCRIBED}


class TwilioReports:
    """Implements ``rekindle.messages.Webhook`` for Twilio."""

    def __init__(self, settings: SmsSettings, token: str) -> None:
        self._settings, self._token = settings, token

    def read(self, request: WebhookRequest) -> Sequence[DeliveryEvent]:
        """Return what one report says."""
        form = self._checked(request)
        if "Body" in form and not form.get("MessageStatus"):
            found = self._heard(form, request)
            return [] if found is None else [found]
        return self._become(form, request)

    def answer(self, request: WebhookRequest) -> WebhookAnswer | None:
        """Return what is written back to somebody, as TwiML; nothing where Twilio does so."""
        form = self._checked(request)
        if "Body" not in form or form.get("MessageStatus"):
            return None
        meaning, is_answered = meaning_of(form["Body"]), bool(form.get("OptOutType"))
        text = ""
        if meaning is Heard.HELP and not is_answered:
            text = self._settings.help_text
        elif meaning is Heard.STOP and not is_answered and not _is_known_stop(form["Body"]):
            text = self._settings.stopped_text
        message = f"<Message>{escape(text)}</Message>" if text else ""
        body = f'<?xml version="1.0" encoding="UTF-8"?><Response>{message}</Response>'
        return WebhookAnswer("text/xml; charset=utf-8", body.encode())

    def _checked(self, request: WebhookRequest) -> Mapping[str, str]:
        try:
            text = request.body.decode()
            fields = parse_qs(text, keep_blank_values=True, max_num_fields=200)
        except ValueError as error:
            raise EventError("unreadable", "the report is no form") from error
        # Twilio signs the address it was told, whatever proxies made of it.
        public = self._settings.twilio.reports_url
        query = urlsplit(request.url).query
        url = f"{public}?{query}" if public and query else public or request.url
        signature = request.headers.get(SIGNATURE, "")
        if not is_signed(self._token, signature, url, request.body, fields):
            raise ForgedReportError(
                f"the report is not signed with {TWILIO_TOKEN}, or not for {urlsplit(url).netloc}"
                f"{urlsplit(url).path}: see sms.twilio.reports_url"
            )
        return {name: values[0] for name, values in fields.items()}

    def _heard(self, form: Mapping[str, str], request: WebhookRequest) -> DeliveryEvent | None:
        sid, sender = form.get("MessageSid", ""), form.get("From", "")
        if not sid or not sender:
            raise EventError("unreadable", "the report names no MessageSid or no From")
        said = {"STOP": "stop", "START": "start", "HELP": "help"}.get(form.get("OptOutType", ""))
        text = said or form["Body"]
        return event_of(OUTLET, sid, sender, text, request.received_at)

    def _become(self, form: Mapping[str, str], request: WebhookRequest) -> Sequence[DeliveryEvent]:
        sid, status = form.get("MessageSid", ""), form.get("MessageStatus", "").casefold()
        if not sid or not status:
            raise EventError("unreadable", "the report names no MessageSid or no MessageStatus")
        code = int(form["ErrorCode"]) if form.get("ErrorCode", "").isdecimal() else 0
        if status == "delivered":
            kind = DeliveryKind.DELIVERED
        elif status in FAILED:
            kind = KINDS.get(CODES.get(code, Why.MESSAGE), DeliveryKind.FAILED)
        else:  # queued, sending, sent: on its way, which says nothing of where it ends
            return []
        key = parse_qs(urlsplit(request.url).query).get("message", [""])[0]
        return [
            DeliveryEvent(
                id=f"{sid}:{status}",
                kind=kind,
                channel=Channel("sms"),
                outlet=OUTLET,
                at=request.received_at,
                provider_id=sid,
                message=key,
                address=form.get("To", ""),
                reason=f"{status} {code or ''}".strip(),
            )
        ]


def _is_known_stop(text: str) -> bool:
    return text.strip().casefold() in KNOWN_STOPS
