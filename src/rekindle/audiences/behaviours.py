"""The words a journey's steps have beside the profile: what a person did since entering.

They are flags like ``clicked``, and ``did('cart_abandoned')`` for an event a business
names itself. A profile knows nothing of them; the engine does.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from sqlglot import exp

BEHAVIOURS: Mapping[str, str] = {
    "opened": "open",
    "clicked": "click",
    "visited": "visit",
    "viewed": "view",
    "replied": "reply",
    "used_offer": "offer_used",
    "logged_in": "login",
}
EVENT_NAME = re.compile("[a-z][a-z0-9_]*")


def event_of(node: exp.Expr) -> str | None:
    """Return the event a node asks about, or None when it asks about something else."""
    if isinstance(node, exp.Column) and not node.table:
        return BEHAVIOURS.get(node.name.lower())
    if not isinstance(node, exp.Anonymous) or str(node.this).lower() != "did":
        return None
    names = [n.this for n in node.expressions if isinstance(n, exp.Literal) and n.is_string]
    is_sound = len(names) == len(node.expressions) == 1 and EVENT_NAME.fullmatch(names[0])
    return str(names[0]) if is_sound else None


def behaviour_shown(node: exp.Expr) -> str:
    """Return how a behaviour is written."""
    return node.name.lower() if isinstance(node, exp.Column) else f"did('{event_of(node)}')"
