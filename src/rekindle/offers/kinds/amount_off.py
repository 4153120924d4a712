"""An amount off the price."""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar, Literal

from pydantic import Field

from rekindle.config import Cost
from rekindle.offers.model import Discount, OfferTerms
from rekindle.wording import amount


class AmountOff(OfferTerms):
    """An amount off the price."""

    meaning: ClassVar[str] = "An amount off the price."
    is_discount: ClassVar[bool] = True

    kind: Literal["amount_off"]
    amount: Cost = Field(gt=0, description="What comes off.")

    @property
    def discount(self) -> Discount | None:
        """Return it."""
        return Discount(amount=self.amount)

    def cost(self, basket: Decimal) -> Decimal:
        """Return the amount, or the whole sale where that is less."""
        return min(self.amount, self.sale(basket)) if self.sale(basket) else self.amount

    def most(self, basket: Decimal) -> Decimal:
        """Return the amount."""
        return self.amount

    def says(self, currency: str) -> str:
        """Return its terms."""
        return f"{amount(self.amount, currency)} off"


KIND = AmountOff
