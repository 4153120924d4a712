"""May this person be contacted, on this channel, for this purpose, today, and why."""

from rekindle.consent.hiding import hide_permissions
from rekindle.consent.links import OptOutLink, read_unsubscribe, sign_unsubscribe
from rekindle.consent.model import ConsentRecord, Permission, Rule
from rekindle.consent.preferences import NO_PREFERENCES, Exclusion, Preferences
from rekindle.consent.rules import decide_permission, newest_record
from rekindle.consent.suppression import (
    ERASED,
    Suppression,
    Whom,
    ends_journey,
    suppression_by,
)

__all__ = [
    "ERASED",
    "NO_PREFERENCES",
    "ConsentRecord",
    "Exclusion",
    "OptOutLink",
    "Permission",
    "Preferences",
    "Rule",
    "Suppression",
    "Whom",
    "decide_permission",
    "ends_journey",
    "hide_permissions",
    "newest_record",
    "read_unsubscribe",
    "sign_unsubscribe",
    "suppression_by",
]
