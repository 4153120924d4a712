"""To be let in before others."""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar, Literal

from pydantic import Field

from rekindle.config import Cost, Text
from rekindle.offers.model import NOTHING, OfferTerms


class EarlyAccess(OfferTerms):
    """To be let in before others."""

    meaning: ClassVar[str] = "To be let in before others."

    kind: Literal["early_access"]
    to: Text = Field(min_length=1, description="What to.")
    costs: Cost = Field(NOTHING, description="What it costs the business.")

    def cost(self, basket: Decimal) -> Decimal:
        """Return what it costs, mostly nothing."""
        return self.costs

    def says(self, currency: str) -> str:
        """Return its terms."""
        return f"early access to {self.to}"


KIND = EarlyAccess
