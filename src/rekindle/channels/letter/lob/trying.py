"""Asks Lob whether it takes our key and knows the sender: https://docs.lob.com/#tag/Addresses."""

from __future__ import annotations

from collections.abc import Iterator

from rekindle.channels.asking import Answered
from rekindle.channels.knocking import Knock, Verdict, knock
from rekindle.channels.letter.settings import LOB_KEY, LetterSettings
from rekindle.messages import Finding


def try_key(settings: LetterSettings, key: str) -> Iterator[Finding]:
    """Yield what Lob says of the key, asked for the address that letters are from."""
    lob = settings.lob
    url = f"{lob.api_url.rstrip('/')}/v1/addresses/{lob.sender}"
    one = Knock(url, LOB_KEY, "https://docs.lob.com/#tag/Addresses", user=(key, ""), judge=_judge)
    yield from knock("Lob", one, seconds=settings.timeout_seconds)


def _judge(answer: Answered) -> Verdict:
    if answer.is_taken:
        return True
    if answer.status == 404:
        return "knows no address of the id in letter.lob.sender"
    return False if answer.status in {401, 403} else None
