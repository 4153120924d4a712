"""Asks Twilio whether it takes our token: https://www.twilio.com/docs/usage/api/account."""

from __future__ import annotations

from collections.abc import Iterator

from rekindle.channels.asking import Answered
from rekindle.channels.knocking import Knock, Verdict, knock
from rekindle.channels.sms.settings import TWILIO_TOKEN, SmsSettings
from rekindle.messages import Finding

# Of a token that is not the account's; of one of another account; of an account that is none.
WRONG = frozenset({401, 403, 404})


def try_key(settings: SmsSettings, token: str) -> Iterator[Finding]:
    """Yield what Twilio says of the account and its token."""
    twilio = settings.twilio
    if token:
        url = f"{twilio.api_url.rstrip('/')}/2010-04-01/Accounts/{twilio.account}.json"
        source = "https://www.twilio.com/docs/usage/api/account"
        user = (twilio.account, token)
        one = Knock(url, TWILIO_TOKEN, source, user=user, judge=_judge)
        yield from knock("Twilio", one, seconds=settings.timeout_seconds)


def _judge(answer: Answered) -> Verdict:
    if not answer.is_taken:
        return False if answer.status in WRONG else None
    status = answer.fields().get("status")
    return f"says that the account is {status}" if status in {"suspended", "closed"} else True
