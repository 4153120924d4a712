"""Whom a business does not bring back: the section on subscriptions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field, StringConstraints

from rekindle.config.shop import Settings
from rekindle.config.values import LongText

NOT_WORTH: Mapping[str, str] = {
    "poor_fit": "churn_kind = 'voluntary' and times_churned = 1 and paid_months < 2",
    "abuse": "churn_reason like '%fraud%' or churn_reason like '%abuse%' "
    "or churn_reason like '%chargeback%' or churn_reason like '%dispute%'",
    "payment_trouble": "times_churned_unpaid >= 2",
    "negative_value": "subscription_value <= 0",
    "burned_bridge": "months_since_churn < 12 and (churn_reason like '%service%' "
    "or churn_reason like '%support%' or churn_reason like '%quality%')",
}
RuleName = Annotated[
    str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$", max_length=40, strip_whitespace=True)
]


class SubscriptionsSettings(Settings):
    """Who of those who left is not worth asking back."""

    not_worth: dict[RuleName, LongText] = Field(
        default_factory=lambda: dict(NOT_WORTH),
        max_length=40,
        description="Rules as predicates over the profile, by name; somebody to whom several "
        "apply counts under the first. `audit` says whom each leaves out; a journey leaves them "
        "out where its audience says so.",
    )
