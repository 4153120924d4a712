"""Who bills subscriptions, and when what failed is tried again: the section on the biller."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field, model_validator

from rekindle.config.shop import Settings
from rekindle.config.values import Address, Duration, Text


class BillingSettings(Settings):
    """The system that bills subscriptions; its keys come from the environment."""

    provider: Text = Field(
        "", description="The biller by name, as `stripe`; empty where nobody is billed by one."
    )
    url: Address = Field(
        "",
        pattern=r"^(https?://[^\s]+)?$",
        description="Where it is asked; empty for the provider's own address.",
    )
    account: Text = Field(
        "",
        description="The account whose notices are taken, where the provider names one in them; "
        "at Chargebee the site.",
    )
    customer_key: Text = Field(
        "",
        description="The key of a customer's metadata that holds your own customer id; empty "
        "where people go by the provider's.",
    )
    timeout_seconds: int = Field(20, gt=0, le=600, description="How long to wait for an answer.")
    link_days: int = Field(
        30, ge=1, le=365, description="For how many days a link back to a subscription works."
    )
    retries: tuple[Duration, ...] = Field(
        (),
        max_length=15,
        description="How long after a payment first failed each retry of ours is made, as "
        '`["3 days", "5 days", "7 days"]`; empty where the provider retries.',
    )
    retry_hour: Literal["learnt", "schedule"] = Field(
        "learnt",
        description="At which hour of the day they are made: `learnt`, the one at which your own "
        "retries go through more often, where enough of them prove it; or `schedule`, that of "
        "the first failure.",
    )
    access_url: Address = Field(
        "",
        pattern=r"^(https?://[^\s]+)?$",
        description="Where your own system is told, signed, that somebody paid and gets their "
        "access back; empty for nowhere.",
    )

    @model_validator(mode="before")
    @classmethod
    def _check_kept(cls, given: Any) -> Any:
        """Say where `kept` went, which was there once."""
        if isinstance(given, Mapping) and "kept" in given:
            raise ValueError("`kept` is `what` in [subscriptions.kept] now, with for how long")
        return given
