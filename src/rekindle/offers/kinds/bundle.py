"""Several things together for less than one by one."""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar, Literal

from pydantic import Field

from rekindle.config import Cost, Text
from rekindle.offers.model import OfferTerms
from rekindle.wording import amount


class Bundle(OfferTerms):
    """Several things together for less than one by one."""

    meaning: ClassVar[str] = "Several things together for less than one by one."
    is_discount: ClassVar[bool] = True

    kind: Literal["bundle"]
    items: tuple[Text, ...] = Field(min_length=2, description="What is in it.")
    price: Cost = Field(gt=0, description="What it costs the customer.")
    saves: Cost = Field(gt=0, description="What they save beside buying one by one.")

    def cost(self, basket: Decimal) -> Decimal:
        """Return what the customer saves."""
        return self.saves

    def sale(self, basket: Decimal) -> Decimal:
        """Return what the bundle would bring one by one."""
        return max(self.price + self.saves, self.minimum_basket)

    def says(self, currency: str) -> str:
        """Return its terms."""
        saved = amount(self.saves, currency)
        return f"{', '.join(self.items)} for {amount(self.price, currency)}; you save {saved}"


KIND = Bundle
