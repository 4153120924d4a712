"""The first months of a subscription for nothing."""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar, Literal

from pydantic import Field

from rekindle.config import Cost
from rekindle.offers.model import OfferTerms


class FreeMonth(OfferTerms):
    """The first months of a subscription for nothing."""

    meaning: ClassVar[str] = "The first months of a subscription for nothing."

    kind: Literal["free_month"]
    price: Cost = Field(gt=0, description="What a month costs the customer.")
    months: int = Field(1, ge=1, le=24, description="How many are free.")
    stays: int = Field(
        6, ge=1, le=120, description="Months somebody who comes back usually stays, those included."
    )

    def cost(self, basket: Decimal) -> Decimal:
        """Return the price of the months that are free."""
        return self.price * self.months

    def sale(self, basket: Decimal) -> Decimal:
        """Return the price of all the months they usually stay."""
        return self.price * max(self.stays, self.months)

    def says(self, currency: str) -> str:
        """Return its terms."""
        return "one month free" if self.months == 1 else f"{self.months} months free"


KIND = FreeMonth
