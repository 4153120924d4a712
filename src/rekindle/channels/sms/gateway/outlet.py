"""Hands texts to a gateway that the settings describe."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

from rekindle.channels.asking import Answered, Asker
from rekindle.channels.sms.settings import SmsSettings
from rekindle.channels.sms.writing import dialled, require_short, write_text
from rekindle.errors import (
    OutletFaultError,
    RefusedContentError,
    TemporaryDeliveryError,
    UnknownFateError,
)
from rekindle.messages import Message, Receipt

LONGEST = 10 * 365 * 86_400


class GatewayOutlet:
    """Implements ``rekindle.messages.Outlet`` with a gateway over HTTP."""

    def __init__(self, settings: SmsSettings, secret: str) -> None:
        self._settings, self._gateway, self._secret = settings, settings.gateway, secret
        self._asker = Asker(settings.timeout_seconds, secrets=(secret,))

    def send(self, message: Message) -> Receipt:
        """Hand one text over and return the gateway's name for it."""
        text = write_text(message, self._settings)
        require_short(text, self._settings)
        within = message.leave_within
        words = {
            "to": dialled(message.address.value),
            "text": text,
            "from": self._gateway.from_number,
            "key": message.key,
            "seconds": str(LONGEST if within is None else int(within.total_seconds())),
            "secret": self._secret,
        }
        answer = self._ask(words)
        self._require_taken(answer)
        given = answer.fields().get(self._gateway.id_field)
        return Receipt(str(given) if isinstance(given, (str, int)) and given != "" else message.key)

    def close(self) -> None:
        """Let go of the connections."""
        self._asker.close()

    def _ask(self, words: Mapping[str, str]) -> Answered:
        gateway = self._gateway
        fields = {name: _filled(value, words) for name, value in gateway.fields.items()}
        headers = {name: _header(_filled(value, words)) for name, value in gateway.headers.items()}
        url = _filled(gateway.url, {name: quote(word, safe="") for name, word in words.items()})
        data: Any = None
        if gateway.body == "query" or gateway.method == "GET":
            url += ("&" if "?" in url else "?") + urlencode(fields)
        elif gateway.body == "form":
            data = fields
        else:
            data = json.dumps(fields).encode()
            headers = {"Content-Type": "application/json", **headers}
        return self._asker.ask(url, data=data, headers=headers, method=gateway.method)

    def _require_taken(self, answer: Answered) -> None:
        """Raise what an answer that took no message means for it."""
        gateway = self._gateway
        if answer.status in gateway.taken:
            if not gateway.taken_field:
                return
            said = answer.fields().get(gateway.taken_field)
            if isinstance(said, bool):
                said = "true" if said else "false"
            if said is not None and str(said) in gateway.taken_values:
                return
            if said is None:
                raise UnknownFateError(
                    f"the answer has no field {gateway.taken_field!r}: {answer.word}"
                )
            raise RefusedContentError(answer.word)  # 200 with an error inside
        if answer.status in {401, 402, 403, 404, 407} or 300 <= answer.status < 400:
            raise OutletFaultError(answer.word)
        if answer.status in {408, 425, 429, 503}:
            raise TemporaryDeliveryError(answer.word, retry_after=answer.retry_after())
        if 400 <= answer.status < 500:
            raise RefusedContentError(answer.word)
        raise UnknownFateError(answer.word)


def _filled(pattern: str, words: Mapping[str, str]) -> str:
    """Return a pattern with its words; what stands in a word is not looked at again."""
    parts = pattern.split("{")
    filled = [parts[0]]
    for part in parts[1:]:
        name, closed, rest = part.partition("}")
        filled.append(words[name] + rest if closed and name in words else "{" + part)
    return "".join(filled)


def _header(value: str) -> str:
    """Return a value as one line: a text with a line break is no second header."""
    return " ".join(value.split())
