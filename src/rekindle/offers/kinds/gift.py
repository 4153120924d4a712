"""Something for nothing with an order."""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar, Literal

from pydantic import Field

from rekindle.config import Cost, Text
from rekindle.offers.model import OfferTerms


class Gift(OfferTerms):
    """Something for nothing with an order."""

    meaning: ClassVar[str] = "Something for nothing with an order."

    kind: Literal["gift"]
    gift: Text = Field(min_length=1, description="What it is.")
    costs: Cost = Field(description="What it costs the business.")

    def cost(self, basket: Decimal) -> Decimal:
        """Return what the gift costs."""
        return self.costs

    def says(self, currency: str) -> str:
        """Return its terms."""
        return f"{self.gift} with your order"


KIND = Gift
