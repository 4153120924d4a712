"""May this person be contacted, on this channel, for this purpose, today, and why."""

from rekindle.consent.confirming import (
    CONFIRM_WITHIN,
    CONFIRMED_EVENT,
    PENDING_EVENT,
    PendingConsent,
    PendingState,
    is_about,
    judge_pending,
    needs_confirming,
    write_about,
)
from rekindle.consent.hiding import hide_permissions
from rekindle.consent.hygiene import (
    ANSWERS,
    ARCHIVED,
    LIFTED_BY_DEEDS,
    NO_RESPONSE,
    Care,
    Patience,
    Silence,
    decide_care,
)
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
from rekindle.consent.model import ConsentRecord, LegalStanding, Permission, Rule
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
    "ANSWERS",
    "ARCHIVED",
    "CONFIRMED_EVENT",
    "CONFIRM_WITHIN",
    "ERASED",
    "LIFTED_BY_DEEDS",
    "NO_PREFERENCES",
    "NO_RESPONSE",
    "PENDING_EVENT",
    "Care",
    "ConsentRecord",
    "Exclusion",
    "Law",
    "LegalStanding",
    "LinkPurpose",
    "OptOutLink",
    "Patience",
    "PendingConsent",
    "PendingState",
    "Permission",
    "PersonLink",
    "Preferences",
    "Rule",
    "Silence",
    "Suppression",
    "Week",
    "Whom",
    "decide_care",
    "decide_permission",
    "ends_journey",
    "hide_permissions",
    "hours_of",
    "is_about",
    "judge_pending",
    "lasting_months",
    "load_law",
    "needs_confirming",
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
    "write_about",
]
