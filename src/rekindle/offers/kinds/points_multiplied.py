"""More points than usual for a purchase."""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar, Literal

from pydantic import Field

from rekindle.config import Cost
from rekindle.offers.model import OfferTerms


class PointsMultiplied(OfferTerms):
    """More points than usual for a purchase."""

    meaning: ClassVar[str] = "More points than usual for a purchase."

    kind: Literal["points_multiplied"]
    times: Decimal = Field(gt=1, le=100, description="× the usual points.")
    points_per_unit: Decimal = Field(
        gt=0, le=1_000_000, description="Points usually given for one unit of the currency."
    )
    point_costs: Cost = Field(description="What one point costs the business.")

    def cost(self, basket: Decimal) -> Decimal:
        """Return what the points beyond the usual ones cost."""
        return self.sale(basket) * self.points_per_unit * (self.times - 1) * self.point_costs

    def says(self, currency: str) -> str:
        """Return its terms."""
        return f"{self.times.normalize():f} times the points"


KIND = PointsMultiplied
