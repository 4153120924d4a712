"""What stands in the file of a text: to whom, in how many segments, until when, and the text."""

from __future__ import annotations

from rekindle.channels.sms.settings import SmsSettings
from rekindle.channels.sms.writing.lengths import count_segments
from rekindle.channels.sms.writing.text import dialled, require_short, write_text
from rekindle.messages import Message


def write_file(message: Message, settings: SmsSettings) -> bytes:
    """Return the file of a text; what would not leave is refused as if it were to."""
    text = write_text(message, settings)
    require_short(text, settings)
    until = f"Until: {message.leave_by.isoformat()}\n" if message.leave_by else ""
    head = f"To: {dialled(message.address.value)}\nSegments: {count_segments(text)}\n{until}"
    return f"{head}\n{text}\n".encode("utf-8", "replace")
