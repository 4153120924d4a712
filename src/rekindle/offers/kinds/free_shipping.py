"""The parcel is sent for nothing."""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar, Literal

from pydantic import Field

from rekindle.config import Cost
from rekindle.offers.model import Discount, OfferTerms


class FreeShipping(OfferTerms):
    """The parcel is sent for nothing."""

    meaning: ClassVar[str] = "The parcel is sent for nothing."

    kind: Literal["free_shipping"]
    costs: Cost = Field(description="What sending a parcel costs the business.")

    @property
    def discount(self) -> Discount | None:
        """Return it."""
        return Discount(is_shipping=True)

    def cost(self, basket: Decimal) -> Decimal:
        """Return what a parcel costs."""
        return self.costs

    def says(self, currency: str) -> str:
        """Return its terms."""
        return "free shipping"


KIND = FreeShipping
