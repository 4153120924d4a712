"""Why people leave: what they answer when they are asked."""

from rekindle.feedback.model import LEFT, LeaveReason, event_of, reason_of
from rekindle.feedback.themes import LeaveAnswer, Theme, find_themes

__all__ = ["LEFT", "LeaveAnswer", "LeaveReason", "Theme", "event_of", "find_themes", "reason_of"]
