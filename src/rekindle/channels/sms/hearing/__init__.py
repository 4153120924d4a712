"""What people write back, and what it means."""

from rekindle.channels.sms.hearing.events import event_of
from rekindle.channels.sms.hearing.words import Heard, meaning_of

__all__ = ["Heard", "event_of", "meaning_of"]
