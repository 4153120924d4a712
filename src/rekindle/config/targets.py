"""The section on what is to be reached: a measure, what it is to be, and by when."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from rekindle.config.shop import Settings
from rekindle.config.values import CalendarDay

# A room above declares what they are; a test holds these equal to it.
MeasureName = Literal[
    "drifted_share",
    "returned_share",
    "entered",
    "reached",
    "opened",
    "clicked",
    "started",
    "completed",
    "returned",
    "retained",
    "response_rate",
    "click_through_rate",
    "reactivation_rate",
    "revenue_per_reactivated",
    "subsequent_revenue",
    "subsequent_retention",
    "second_lapse",
    "cost_per_reactivated",
    "cost_per_acquisition",
    "cost_per_incremental_return",
    "incremental_revenue",
    "churn_reduction",
    "engagement_depth",
]
SHARES = frozenset(
    {
        "drifted_share",
        "returned_share",
        "response_rate",
        "click_through_rate",
        "reactivation_rate",
        "subsequent_retention",
        "second_lapse",
        "churn_reduction",
    }
)


class TargetSettings(Settings):
    """What a measure is to be by a day, seen from the baseline that the audit keeps."""

    measure: MeasureName = Field(
        description="A measure of the catalogue, or of the audit: `drifted_share`, "
        "`returned_share`."
    )
    value: Annotated[float, Field(ge=0, le=1e9, allow_inf_nan=False)] = Field(
        description="What it is to be: a share as 0.12, an amount in the currency, or a number."
    )
    by: CalendarDay = Field(description="The day by which, like 2027-06-30.")

    @model_validator(mode="after")
    def _check_share(self) -> Self:
        if self.measure in SHARES and self.value > 1:
            raise ValueError(
                f"{self.measure} is a share: write one from 0 to 1, as 0.12 for 12 %, "
                f"not {self.value:g}"
            )
        return self
