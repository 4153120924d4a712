"""Whom a business does not bring back: the section on subscriptions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator

from rekindle.config.shop import Settings
from rekindle.config.values import Address, LongText, Text

ORIGIN = r"^https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?$"

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


class LeavingSettings(Settings):
    """What the page on which subscribers cancel has to show before they do."""

    pause_months: tuple[Annotated[int, Field(ge=1, le=3)], ...] = Field(
        (1, 2, 3),
        max_length=3,
        description="For how many months a subscription that is paid monthly, or more often, may "
        "be paused; empty for not at all.",
    )
    plans: tuple[Text, ...] = Field(
        (),
        max_length=20,
        description="Smaller plans by their prices' ids at the biller; shown is what costs less "
        "than the subscriber's, in the same rhythm and currency.",
    )
    discount: Text = Field(
        "",
        description="The id of a discount at the biller (a coupon at Stripe) that a subscription "
        "without one is offered, once.",
    )
    offer: Text = Field("", description="What the discount gives, in your own words.")
    help_url: Address = Field(
        "",
        pattern=r"^((https://|mailto:)[^\s]+)?$",
        description="Where you help who finds something too complex, missing or broken.",
    )
    frames: tuple[Annotated[Text, StringConstraints(pattern=ORIGIN)], ...] = Field(
        (),
        max_length=20,
        description="Web origins like https://app.example that may show the page in a frame; "
        "empty for none.",
    )
    link_minutes: int = Field(
        60, ge=5, le=1440, description="How long a link works that your own server asked for."
    )

    @model_validator(mode="after")
    def _check_offer(self) -> Self:
        """See that a discount is told, and that what is told is given."""
        if bool(self.discount) != bool(self.offer):
            raise ValueError("give `discount` and `offer` together: the id, and what it gives")
        return self


class KeptSettings(Settings):
    """What is kept for who left, for how long, and whom to ask before it ends."""

    what: tuple[Text, ...] = Field(
        (),
        max_length=20,
        description="What you keep for who left, in your own words, as `Your playlists`: the page "
        "on which they come back lists it. Empty where nothing is kept.",
    )
    days: int = Field(
        90,
        ge=1,
        le=3660,
        description="For how many days after the end of their access; what was promised to who "
        "left before stays.",
    )
    warning_days: int = Field(
        14,
        ge=0,
        le=365,
        description="How many days before its last day the event `kept_ending` begins, and your "
        "own system is asked.",
    )
    url: Address = Field(
        "",
        pattern=r"^(https?://[^\s]+)?$",
        description="Where your own system is told, signed, that something kept is about to end "
        "and that it ended, and answers; empty for nowhere.",
    )

    @model_validator(mode="after")
    def _check_warning(self) -> Self:
        """See that nobody is warned before they left."""
        if self.warning_days > self.days:
            raise ValueError("`warning_days` is more than `days`: nobody can be warned so early")
        return self


class SubscriptionsSettings(Settings):
    """Who of those who left is not worth asking back, and what keeps who is about to leave."""

    not_worth: dict[RuleName, LongText] = Field(
        default_factory=lambda: dict(NOT_WORTH),
        max_length=40,
        description="Rules as predicates over the profile, by name; somebody to whom several "
        "apply counts under the first. `audit` says whom each leaves out; a journey leaves them "
        "out where its audience says so.",
    )
    leaving: LeavingSettings = LeavingSettings()
    kept: KeptSettings = KeptSettings()
