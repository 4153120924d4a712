"""What a push says: its title, its body, where it leads, and the name of it."""

from __future__ import annotations

import json

from rekindle.errors import RefusedContentError
from rekindle.messages import Message


def read_payload(message: Message) -> dict[str, str]:
    """Return title, body, url and key of a message.

    Raises:
        RefusedContentError: it has neither a title nor a body.
    """
    said = {name: message.parts.get(name, "").strip() for name in ("title", "body", "url")}
    if not said["title"] and not said["body"]:
        raise RefusedContentError("its template has no title and no body for a push")
    return {**said, "key": message.key}


def write_file(message: Message) -> bytes:
    """Return the file of a push: what is said, of whom, and until when."""
    until = None if message.leave_by is None else message.leave_by.isoformat()
    written = {**read_payload(message), "person": message.person, "until": until}
    return json.dumps(written, ensure_ascii=False).encode("utf-8", "replace") + b"\n"
