"""Points that ran out, given back."""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar, Literal

from pydantic import Field

from rekindle.config import Cost
from rekindle.offers.model import OfferTerms


class PointsReinstated(OfferTerms):
    """Points that ran out, given back."""

    meaning: ClassVar[str] = "Points that ran out, given back."

    kind: Literal["points_reinstated"]
    points: int = Field(gt=0, le=1_000_000_000, description="How many.")
    point_costs: Cost = Field(description="What one point costs the business.")

    def cost(self, basket: Decimal) -> Decimal:
        """Return what the points cost."""
        return self.points * self.point_costs

    def says(self, currency: str) -> str:
        """Return its terms."""
        return f"your {self.points:,} points back"


KIND = PointsReinstated
