"""Asks a provider whether it takes our key, by a call that sends and changes nothing.

What a channel's ``look`` yields for it goes to a terminal: a status and the name of the
secret, never what the provider wrote, which may say the key back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from rekindle.channels.asking import Answered, Asker
from rekindle.errors import DeliveryError
from rekindle.messages import Finding, Severity

SECONDS = 10
# RFC 9110 section 15.5: who we are is not known.
REFUSED = 401


Verdict = bool | str | None
"""Whether a key was taken, None for an answer that does not say; a word for what else is wrong."""


def _as_usual(answer: Answered) -> Verdict:
    """Return whether the key was taken; None where the answer does not say."""
    if answer.is_taken:
        return True
    return False if answer.status == REFUSED else None


@dataclass(frozen=True, slots=True)
class Knock:
    """One harmless call: where, and with what. ``source`` is where the provider describes it.

    ``key`` names the secret in the environment. A key that may only send is refused everything
    else, so that not every refusal says something of it; ``judge`` knows which does.
    """

    url: str
    key: str
    source: str
    headers: Mapping[str, str] = field(default_factory=dict)
    user: tuple[str, str] | None = None
    data: str | None = None
    judge: Callable[[Answered], Verdict] = _as_usual


def knock(called: str, one: Knock, *, seconds: float = SECONDS) -> Iterator[Finding]:
    """Yield what is wrong with a key; nothing where its provider takes it."""
    asker = Asker(min(seconds, SECONDS))
    try:
        answer = asker.ask(
            one.url,
            data=one.data,
            headers=one.headers,
            user=one.user,
            method="GET" if one.data is None else "POST",
        )
    except DeliveryError as error:
        # It says what went wrong with the line, and nothing of what was asked.
        problem = f"{called} could not be asked about {one.key}: {error}"
        yield Finding(Severity.WARNS, problem, "look again once it can be reached")
        return
    finally:
        asker.close()
    yield from _findings(called, one.key, answer.status, one.judge(answer))


def _findings(called: str, key: str, status: int, verdict: Verdict) -> Iterator[Finding]:
    if isinstance(verdict, str):
        yield Finding(Severity.REFUSES, f"{called} takes {key}, but {verdict}", "mend it there")
    elif verdict is False:
        problem = f"{called} does not take {key}: it answered {status}"
        yield Finding(Severity.REFUSES, problem, f"make a new key there, and set {key}")
    elif verdict is None:
        yield Finding(
            Severity.NOTES,
            f"{called} answered {status}, which does not say whether it takes {key}",
            "a key that may only send is answered so, too; `rekindle send-test` shows if it does",
        )


def has_none(called: str, key: str) -> Finding:
    """Return that a provider has no call by which its key could be tried without sending."""
    return Finding(
        Severity.NOTES,
        f"{called} has no call that tries {key} and sends nothing",
        "`rekindle send-test` shows whether it takes it",
    )
