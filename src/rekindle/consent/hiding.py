"""Takes keys and links that are permissions out of a text.

A signed link works for as long as the message is kept (``rekindle.consent.links``), and
whoever holds a key to the API may report. Whoever reads a log must not be able to act by it.
"""

from __future__ import annotations

import re

HIDDEN = "…"
TOKEN = re.compile(r"(/(?:u|c|o|p|s|card|leave|return|export|erase|confirm)/)[^\s\"'<>?#,]+")
KEY = re.compile(r"\b(?:rk|sk|whsec)_[A-Za-z0-9_-]{8,}")
BASIC = re.compile(r"\b(Basic|Bearer)\s+[A-Za-z0-9+/=_.-]{8,}", re.IGNORECASE)


def hide_permissions(text: str) -> str:
    """Return a text without signed tokens, keys and credentials."""
    text = TOKEN.sub(rf"\1{HIDDEN}", text)
    return BASIC.sub(rf"\1 {HIDDEN}", KEY.sub(HIDDEN, text))
