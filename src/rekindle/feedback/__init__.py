"""Why people leave: what they answer when they are asked, and what may keep them."""

from rekindle.feedback.model import (
    ASKED_OF_READERS,
    ASKED_OF_SUBSCRIBERS,
    LEFT,
    REMEDIES,
    LeaveReason,
    Remedy,
    event_of,
    read_reason,
    read_words,
)
from rekindle.feedback.themes import LeaveAnswer, Theme, find_themes

__all__ = [
    "ASKED_OF_READERS",
    "ASKED_OF_SUBSCRIBERS",
    "LEFT",
    "REMEDIES",
    "LeaveAnswer",
    "LeaveReason",
    "Remedy",
    "Theme",
    "event_of",
    "find_themes",
    "read_reason",
    "read_words",
]
