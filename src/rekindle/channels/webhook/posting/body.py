"""What is posted of a message."""

from __future__ import annotations

import json
from typing import Any

from rekindle.messages import Message


def build_body(message: Message) -> bytes:
    """Return a message as JSON in UTF-8: whom it is about, and what is to be said."""
    data: dict[str, Any] = {
        "key": message.key,
        "person": message.person,
        "name": message.name,
        "purpose": message.purpose.value,
        "topic": message.topic,
        "parts": dict(message.parts),
        "unsubscribe_url": message.links.unsubscribe,
        "leave_by": None if message.leave_by is None else message.leave_by.isoformat(),
    }
    told = {"type": "message.created", "timestamp": message.at.isoformat(), "data": data}
    return json.dumps(told, ensure_ascii=False).encode("utf-8", "replace")
