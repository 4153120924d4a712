"""Hands texts to Twilio: https://www.twilio.com/docs/messaging/api/message-resource."""

from __future__ import annotations

from rekindle.channels.asking import Asker
from rekindle.channels.sms.settings import SmsSettings
from rekindle.channels.sms.twilio.refusals import fault_of
from rekindle.channels.sms.writing import dialled, require_short, write_text
from rekindle.errors import UnknownFateError
from rekindle.messages import Message, Receipt

# A message that Twilio could not deliver by then is dropped by it (error 30036).
LONGEST_VALIDITY = 36_000


class TwilioOutlet:
    """Implements ``rekindle.messages.Outlet`` with Twilio."""

    def __init__(self, settings: SmsSettings, token: str) -> None:
        self._settings, self._twilio, self._token = settings, settings.twilio, token
        self._asker = Asker(settings.timeout_seconds)
        self._url = (
            f"{self._twilio.api_url.rstrip('/')}/2010-04-01/Accounts/"
            f"{self._twilio.account}/Messages.json"
        )

    def send(self, message: Message) -> Receipt:
        """Hand one text over and return Twilio's name for it."""
        text = write_text(message, self._settings)
        require_short(text, self._settings)
        form = {"To": dialled(message.address.value), "Body": text, **self._sender()}
        if (within := message.leave_within) is not None:
            seconds = int(within.total_seconds())
            form["ValidityPeriod"] = str(max(1, min(seconds, LONGEST_VALIDITY)))
        if self._twilio.reports_url:
            form["StatusCallback"] = f"{self._twilio.reports_url}?message={message.key}"
        answer = self._asker.ask(self._url, data=form, user=(self._twilio.account, self._token))
        if not answer.is_taken:
            raise fault_of(answer)
        sid = answer.fields().get("sid")
        if not isinstance(sid, str) or not sid:
            raise UnknownFateError(f"it answered {answer.status} and named no message")
        return Receipt(sid)

    def close(self) -> None:
        """Let go of the connections."""
        self._asker.close()

    def _sender(self) -> dict[str, str]:
        if self._twilio.messaging_service:
            return {"MessagingServiceSid": self._twilio.messaging_service}
        return {"From": self._twilio.from_number}
