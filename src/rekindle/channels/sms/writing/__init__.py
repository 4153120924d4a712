"""What is written into a text message, how long it is and what that costs."""

from rekindle.channels.sms.writing.lengths import count_segments, fold
from rekindle.channels.sms.writing.text import dialled, require_short, write_text

__all__ = ["count_segments", "dialled", "fold", "require_short", "write_text"]
