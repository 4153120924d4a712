"""Reads the instants that calls name."""

from __future__ import annotations

from datetime import UTC, datetime


def read_instant(text: str) -> datetime:
    """Return the instant an ISO 8601 text names; one without a zone is UTC.

    Raises:
        ValueError: it names none.
    """
    at = datetime.fromisoformat(text.strip())
    try:
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except OverflowError as error:
        raise ValueError(str(error)) from error
