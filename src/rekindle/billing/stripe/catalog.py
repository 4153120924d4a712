"""What subscriptions only name: coupons, and the products that plans are called by.

A listing expands four levels of a thing at the most. What stands deeper is asked for once.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from rekindle.billing.stripe.reading import Thing, id_of
from rekindle.errors import BillerRefusedError

# Products that a coupon is for, and its amounts in other currencies, stand with it alone.
OF_COUPON = {"expand": ["applies_to", "currency_options"]}
Ask = Callable[[Callable[[], Any]], dict[str, Any]]

logger = logging.getLogger(__name__)


class StripeCatalog:
    """Completes subscriptions. What it was told of a coupon or a product it keeps."""

    def __init__(self, api: Any, ask: Ask) -> None:
        self._api, self._ask = api, ask
        self._coupons: dict[str, Thing] = {}
        self._products: dict[str, Thing] = {}

    def forget(self) -> None:
        """Ask again for all of it, as for a new listing: products may be called otherwise."""
        self._coupons.clear()
        self._products.clear()

    def learn(self, subscription: Thing) -> None:
        """Keep the products that stand whole in a subscription, as they are called now."""
        for item in subscription["items"]["data"]:
            product = (item.get("price") or {}).get("product")
            if isinstance(product, dict):
                self._products[product["id"]] = product

    def complete(self, subscription: Thing) -> dict[str, Any]:
        """Return a subscription in which coupons, and products that name a plan, stand whole."""
        items, customer = subscription.get("items") or {}, subscription.get("customer")
        whole = {
            **subscription,
            "items": {**items, "data": [self._item(one) for one in items.get("data") or []]},
            "discounts": self._discounts(subscription),
        }
        if isinstance(customer, dict) and customer.get("discount"):
            whole["customer"] = {**customer, "discount": self._discount(customer["discount"])}
        return whole

    def _item(self, item: Thing) -> Thing:
        found = {**item, "discounts": self._discounts(item)}
        price = item.get("price") or {}
        product = price.get("product")
        if isinstance(product, str) and not price.get("nickname"):
            found["price"] = {**price, "product": self._product(product)}
        return found

    def _discounts(self, thing: Thing) -> list[Any]:
        return [self._discount(one) for one in thing.get("discounts") or []]

    def _discount(self, discount: Any) -> Any:
        source: Thing = (discount.get("source") or {}) if isinstance(discount, dict) else {}
        if not (named := id_of(source.get("coupon"))):
            return discount
        if named not in self._coupons:
            self._coupons[named] = self._coupon(named)
        # One that was deleted is taken off still, and told where it stood in a listing.
        found = self._coupons[named] or source["coupon"]
        return {**discount, "source": {**source, "coupon": found}}

    def _coupon(self, id_: str) -> Thing:
        found = self._retrieve(self._api.coupons, id_, OF_COUPON)
        if not found:
            logger.warning(
                "the coupon %s is deleted at Stripe; discounts of it are taken off as "
                "far as they were told of before",
                id_,
            )
        return found

    def _product(self, id_: str) -> Thing:
        if id_ not in self._products:
            self._products[id_] = self._retrieve(self._api.products, id_, {}) or {"id": id_}
        return self._products[id_]

    def _retrieve(self, service: Any, id_: str, wanted: Thing) -> Thing:
        try:
            return self._ask(lambda: service.retrieve(id_, wanted))
        except BillerRefusedError as error:
            if "resource_missing" in str(error):
                return {}
            raise
