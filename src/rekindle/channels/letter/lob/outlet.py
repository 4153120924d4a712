"""Hands letters to Lob: https://docs.lob.com/#tag/Letters."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from html import escape

from rekindle.channels.asking import Asker
from rekindle.channels.letter.lob.refusals import fault_of
from rekindle.channels.letter.settings import LetterSettings
from rekindle.channels.letter.writing import WrittenLetter, write_letter
from rekindle.errors import RefusedContentError, UnknownFateError
from rekindle.messages import Message, Receipt, Stay, fingerprint
from rekindle.vocabulary import Purpose

# Lob takes letters up to half a year ahead (docs.lob.com, send_date).
LONGEST_STAY = timedelta(days=180)
LONGEST_FILE = 10_000
LONGEST_NAME = 40
# The upper third of the first page is Lob's, which prints the address there.
PAGE = """\
<html lang="{language}"><head><meta charset="utf-8"><title>{title}</title><style>
body {{ margin: 0.8in; padding-top: 3in; font: 11pt/1.4 serif; }}
h1 {{ font-size: 14pt; }} footer {{ font-size: 8pt; margin-top: 3em; }}
</style></head><body><h1>{title}</h1>{paragraphs}{stop}</body></html>"""


class LobOutlet:
    """Implements ``rekindle.messages.Outlet`` with Lob."""

    def __init__(self, settings: LetterSettings, key: str) -> None:
        self._settings, self._key = settings, key
        self._asker = Asker(settings.timeout_seconds, secrets=(key,))
        self._url = f"{settings.lob.api_url.rstrip('/')}/v1/letters"

    def send(self, message: Message) -> Receipt:
        """Hand one letter over and return Lob's name for it."""
        body = json.dumps(self._written(message)).encode()
        headers = {"Content-Type": "application/json", "Idempotency-Key": message.key}
        answer = self._asker.ask(self._url, data=body, headers=headers, user=(self._key, ""))
        if not answer.is_taken:
            raise fault_of(answer)
        name = answer.fields().get("id")
        if not isinstance(name, str) or not name:
            raise UnknownFateError(f"it answered {answer.status} and named no letter")
        return Receipt(name, _until_it_leaves(name, answer.fields().get("send_date"), message.at))

    def close(self) -> None:
        """Let go of the connections."""
        self._asker.close()

    def _written(self, message: Message) -> dict[str, object]:
        letter, lob = write_letter(message, self._settings), self._settings.lob
        return {
            "to": {
                "name": letter.name[:LONGEST_NAME],
                "address_line1": letter.place.street,
                "address_city": letter.place.city,
                "address_state": letter.place.state,
                "address_zip": letter.place.postal_code,
                "address_country": letter.place.country or self._settings.country or "US",
            },
            "from": lob.sender,
            "file": self._page(letter),
            "color": lob.color,
            "mail_type": lob.mail_type,
            "address_placement": "top_first_page",
            "use_type": "marketing" if message.purpose is Purpose.MARKETING else "operational",
            # Said again by its reports: which message, and which address, it was.
            "metadata": {"message": message.key, "address": fingerprint(message.address)},
        }

    def _page(self, letter: WrittenLetter) -> str:
        paragraphs = (
            f"<p>{'<br>'.join(escape(line) for line in one)}</p>" for one in letter.paragraphs
        )
        page = PAGE.format(
            language=self._settings.language,
            title=escape(letter.title),
            paragraphs="".join(paragraphs),
            stop=f"<footer>{escape(letter.stop)}</footer>" if letter.stop else "",
        )
        if len(page) > LONGEST_FILE:
            raise RefusedContentError(
                f"it is longer than the {LONGEST_FILE:,} characters Lob takes"
            )
        return page


def _until_it_leaves(name: str, given: object, at: datetime) -> Stay | None:
    """Return until when a letter can be called back; None where Lob does not say."""
    try:
        until = datetime.fromisoformat(str(given))
    except ValueError:
        return None
    until = until if until.tzinfo is not None else until.replace(tzinfo=UTC)
    return Stay("", name, until) if at < until <= at + LONGEST_STAY else None
