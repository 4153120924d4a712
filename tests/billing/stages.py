"""What the contract of billers sets up at each provider that is stood in for."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from rekindle.billing import Biller, BillerFolder, find_billers
from rekindle.clock import MovableClock
from rekindle.testing.biller import BillerWorld, FakeBiller, post_notice, sign_notice
from rekindle.testing.biller.contract import OWNER, Signed

DOES = {"pays": "pays", "declines": "insufficient_funds", "asks": "authentication_required"}


class WorldStage:
    """A stage before a world of ``rekindle.testing.biller``, whichever shapes it speaks."""

    def __init__(self, world: BillerWorld, fake: FakeBiller, biller: Biller, name: str) -> None:
        self.world, self.fake, self.biller = world, fake, biller
        self.folder: BillerFolder = find_billers()[name]
        self.clock: MovableClock = world.clock
        self.price = world.add_plan()["id"]

    def add_person(self, own_id: str = OWNER) -> str:
        customer = str(self.world.add_customer(f"{own_id}@example.com", user_id=own_id)["id"])
        self.world.add_card(customer)
        return customer

    def add_card(self, customer: str, does: str = "pays") -> str:
        return str(self.world.add_card(customer, DOES[does])["id"])

    def spoil(self, customer: str, does: str) -> None:
        for one in self.world.things.values():
            if one["object"] == "payment_method" and one["customer"] == customer:
                self.world._does[one["id"]] = DOES[does]

    def subscribe(self, customer: str) -> str:
        return str(self.world.subscribe(customer, self.price)["id"])

    def add_plan(self, amount: int) -> str:
        return str(self.world.add_plan("Other", amount=amount)["id"])

    def add_discount(self) -> str:
        return str(self.world.add_coupon(months=3)["id"])

    def end(self, subscription: str) -> None:
        self.world.end(subscription)

    def lose(self, customer: str) -> None:
        self.world.things[customer]["deleted"] = True

    def advance(self, by: timedelta) -> None:
        self.world.advance(by)

    def attempts(self) -> int:
        return len(self.world.attempts)

    def running(self, customer: str) -> Sequence[str]:
        things = self.world.things.values()
        subs = [one for one in things if one["object"] == "subscription"]
        mine = [one for one in subs if one["customer"] == customer]
        return [one["id"] for one in mine if one["status"] != "canceled"]

    def break_after(self, answers: int | None) -> None:
        self.fake.breaks_after = answers


class StripeStage(WorldStage):
    """A stage before Stripe."""

    def _signed(self, event: dict[str, Any], secret: str = "whsec_test") -> Signed:
        return sign_notice(secret, event, self.clock.now())

    def notices(self) -> Sequence[Signed]:
        return [self._signed(event) for event in self.world.events]

    def forged(self, notice: Signed) -> Sequence[Signed]:
        headers, body = notice
        event = json.loads(body)
        old, _ = sign_notice("whsec_test", event, self.clock.now() - timedelta(minutes=6))
        return [self._signed(event, "whsec_other"), (headers, body + b" "), (old, body)]

    def foreign(self, notice: Signed) -> Signed:
        return self._signed({**json.loads(notice[1]), "account": "acct_other"})

    def outdated(self, notice: Signed) -> Signed:
        return self._signed({**json.loads(notice[1]), "api_version": "2020-08-27"})


class ChargebeeStage(WorldStage):
    """A stage before Chargebee."""

    def notices(self) -> Sequence[Signed]:
        return [post_notice(event) for event in self.world.events]

    def forged(self, notice: Signed) -> Sequence[Signed]:
        event = json.loads(notice[1])
        invented = {**event, "id": "ev_invented", "event_type": "payment_succeeded"}
        coded = notice[0]["authorization"].removeprefix("Basic ")
        bearer = {"authorization": f"Bearer {coded}"}
        return [
            post_notice(event, "another password"),
            post_notice(invented),
            (bearer, notice[1]),
            ({"authorization": "Basic ***"}, notice[1]),
        ]

    def foreign(self, notice: Signed) -> Signed:
        return post_notice({**json.loads(notice[1]), "id": "ev_of_another_site"})

    def outdated(self, notice: Signed) -> Signed:
        return post_notice({**json.loads(notice[1]), "api_version": "v1"})
