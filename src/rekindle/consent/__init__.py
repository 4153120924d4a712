"""May this person be contacted, on this channel, for this purpose, today, and why."""

from rekindle.consent.hiding import hide_permissions
from rekindle.consent.law import (
    Law,
    Week,
    hours_of,
    lasting_months,
    load_law,
    parse_law,
    refusal_of,
    source_of,
    tracking_of,
)
from rekindle.consent.links import OptOutLink, read_unsubscribe, sign_unsubscribe
from rekindle.consent.model import ConsentRecord, Permission, Rule, Standing
from rekindle.consent.preferences import NO_PREFERENCES, Exclusion, Preferences
from rekindle.consent.rules import decide_permission, newest_record
from rekindle.consent.suppression import (
    ERASED,
    Suppression,
    Whom,
    ends_journey,
    suppression_by,
)
from rekindle.consent.tokens import LinkPurpose, PersonLink, read_link, sign_link, sign_preferences

__all__ = [
    "ERASED",
    "NO_PREFERENCES",
    "ConsentRecord",
    "Exclusion",
    "Law",
    "LinkPurpose",
    "OptOutLink",
    "Permission",
    "PersonLink",
    "Preferences",
    "Rule",
    "Standing",
    "Suppression",
    "Week",
    "Whom",
    "decide_permission",
    "ends_journey",
    "hide_permissions",
    "hours_of",
    "lasting_months",
    "load_law",
    "newest_record",
    "parse_law",
    "read_link",
    "read_unsubscribe",
    "refusal_of",
    "sign_link",
    "sign_preferences",
    "sign_unsubscribe",
    "source_of",
    "suppression_by",
    "tracking_of",
]
