"""What the portal needs from outside, said in its own words.

Whoever serves the portal brings it; so the pages know neither workspace nor ledger.
"""

from __future__ import annotations

from typing import Protocol


class Clicks(Protocol):
    """Where links in messages lead, and who followed them."""

    def follow(self, token: str, *, is_machine: bool) -> str:
        """Return where a link leads, "" where it leads nowhere; keep that it was followed.

        ``is_machine`` says that no person did. What cannot be kept is no reason not to lead
        on.
        """


class NoClicks:
    """Of a business whose messages have no such links: they lead nowhere."""

    def follow(self, token: str, *, is_machine: bool) -> str:
        """Return that it leads nowhere."""
        return ""


class OptOuts(Protocol):
    """Who is on which list, as far as a page has to know."""

    def shop_name(self) -> str:
        """Return the name people know the business by."""

    def unsubscribe(self, person: str, list_id: str, *, at_source: str, channel: str = "") -> None:
        """Take the person off the list, at once; repeatable without harm.

        The list is all marketing by ``channel``, or by every channel where that is empty.
        ``at_source`` is where they said so: ``one_click`` (their mail program's own
        button, RFC 8058) or ``page`` (ours).

        Raises:
            WorkError: it could not be recorded; the person is told to try again.
        """
