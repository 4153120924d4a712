"""Why people leave: what they answer when they are asked."""

from rekindle.feedback.model import LEFT, LeaveReason, event_of, reason_of

__all__ = ["LEFT", "LeaveReason", "event_of", "reason_of"]
