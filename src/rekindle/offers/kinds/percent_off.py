"""A share off the price."""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar, Literal

from pydantic import Field

from rekindle.config import Cost
from rekindle.offers.model import Discount, OfferTerms
from rekindle.wording import amount


class PercentOff(OfferTerms):
    """A share off the price, at most an amount where one is named."""

    meaning: ClassVar[str] = "A share off the price."
    is_discount: ClassVar[bool] = True

    kind: Literal["percent_off"]
    percent: Decimal = Field(gt=0, le=100, description="Of the goods' price.")
    at_most: Cost | None = Field(None, description="The largest discount; none for no limit.")

    @property
    def discount(self) -> Discount | None:
        """Return it; a code of a shop knows no largest discount."""
        return None if self.at_most is not None else Discount(percent=self.percent)

    def cost(self, basket: Decimal) -> Decimal:
        """Return the discount on the sale."""
        off = self.sale(basket) * self.percent / 100
        return off if self.at_most is None else min(off, self.at_most)

    def most(self, basket: Decimal) -> Decimal:
        """Return the largest discount, where one is named; else that of the usual basket."""
        return self.cost(basket) if self.at_most is None else self.at_most

    def says(self, currency: str) -> str:
        """Return its terms."""
        most = "" if self.at_most is None else f", at most {amount(self.at_most, currency)}"
        return f"{self.percent.normalize():f} % off{most}"


KIND = PercentOff
