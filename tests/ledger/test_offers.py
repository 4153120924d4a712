"""Offers in the ledger: a code is one person's, and is free again where nobody saw it."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

import pytest
from django.db import IntegrityError, connections

from rekindle.consent import ConsentRecord
from rekindle.errors import OfferError
from rekindle.gate import BookRules, Decision, HouseRules
from rekindle.journeys import JourneyEngine, JourneyVersion, Person, Signal, parse_journey
from rekindle.ledger import (
    LedgerBook,
    Outbox,
    Redemption,
    cancelling,
    learn_rates,
    load_codes,
    load_holders,
    models,
    save_redemptions,
    set_codes_aside,
    settle_ended,
    tally_offers,
)
from rekindle.ledger.offers import models as rows
from rekindle.offers import HouseOffers, Offers, parse_offers
from rekindle.testing.audiences import FixedAudience
from rekindle.vocabulary import Answer, Arm, Channel, Reason, SignalKind
from tests.ledger.queueing import DAY, HOUR, LEASE, MINUTE, START, claim

OFFERS = parse_offers(
    "offers: {ten: {kind: amount_off, amount: 10, codes: own, budget: 40, lasts: 7 days}}"
)
TERMS = BookRules(soft_opt_in=True, offers=OFFERS, offer_wait=60 * DAY)
RULES = HouseRules(offers=HouseOffers(OFFERS, Decimal("0.5"), Decimal(0), 60 * DAY, Decimal(100)))
TEXT = """\
journey: {name}
enter:
  audience: "true"
goal: {{on: order, within: 30 days}}
holdout: none
stale_after: 2 days
steps:
  - send: {{channel: email, template: hello, offer: ten}}
"""


class Shop:
    """A ledger with people in a journey whose one message gives an offer with a code."""

    def __init__(self, alias: str, people: int = 1, *, journey: str = "lapsed") -> None:
        self.alias = alias
        self.book = LedgerBook(alias, secret=b"s", terms=TERMS)
        self.outbox = Outbox(alias, terms=TERMS)
        self.people = [f"p{number}" for number in range(people)]
        self.book.save_people(Person(one, f"{one}@example.com", "GB") for one in self.people)
        self.book.save_consent(
            ConsentRecord(one, Channel("email"), True, START - DAY, "form") for one in self.people
        )
        self.enter(journey)

    def enter(self, name: str, *, held_out: str = "") -> None:
        journey = parse_journey(TEXT.format(name=name))
        self.book.start(JourneyVersion(journey, 1, 0.0, name, START))
        self.held_out = held_out

    def tick(self, at: datetime = START) -> Mapping[tuple[Answer, Reason | None], int]:
        book = LedgerBook(self.alias, secret=b"s", terms=TERMS)
        engine = JourneyEngine(
            book, FixedAudience(self.people), rules=RULES, cost={}, assign=self._assign
        )
        return engine.tick(at).decisions

    def _assign(self, person: str, *, salt: str, holdout_share: float) -> Arm:
        return Arm.HOLDOUT if person == self.held_out else Arm.TREATMENT

    def load(self, *codes: str) -> None:
        load_codes(self.alias, "ten", codes, START)

    @property
    def codes(self) -> dict[str, int | None]:
        """Return every code with the touch it is in."""
        return dict(rows.OfferCode.objects.using(self.alias).values_list("code", "touch"))

    @property
    def given(self) -> list[tuple[str, str, str]]:
        """Return to whom which code was given, and where that stands."""
        found = rows.GivenOffer.objects.using(self.alias).order_by("touch")
        return list(found.values_list("person_id", "code", "state"))

    @property
    def set_aside(self) -> int:
        return int(rows.OfferStock.objects.using(self.alias).get(offer="ten").reserved_micros)


@pytest.fixture
def shop(alias: str) -> Shop:
    """Return a shop with one person and two codes."""
    found = Shop(alias)
    found.load("AAA", "BBB")
    return found


def test_code_is_taken_with_the_message(shop: Shop) -> None:
    assert shop.tick() == {(Answer.SEND, None): 1}
    (touch,) = models.Touch.objects.using(shop.alias).values_list("pk", flat=True)
    assert shop.codes == {"AAA": touch, "BBB": None}
    assert (shop.given, shop.set_aside) == ([("p0", "AAA", "open")], 10_000_000)
    (message,) = claim(shop.outbox)
    assert message.offer is not None
    assert (message.offer.code, message.offer.ends_at) == ("AAA", START.replace(day=10, hour=0))


def test_pool_that_runs_dry_in_a_batch_holds_the_rest(alias: str) -> None:
    shop = Shop(alias, 5)
    shop.load("AAA", "BBB", "CCC")
    assert shop.tick() == {(Answer.SEND, None): 3, (Answer.HOLD, Reason.NO_CODE): 2}
    assert sorted(code for _, code, _ in shop.given) == ["AAA", "BBB", "CCC"]
    shop.load("DDD", "EEE")
    # £40 is the budget, and each is £10.
    assert shop.tick(START + 6 * HOUR) == {
        (Answer.SEND, None): 1,
        (Answer.HOLD, Reason.OFFER_SPENT): 1,
    }
    assert shop.set_aside == 40_000_000


def test_two_workers_never_give_one_code_twice(alias: str) -> None:
    shop = Shop(alias, 60)
    limit = 30
    shop.load(*(f"C{number}" for number in range(limit)))
    rows.OfferStock.objects.using(alias).all().delete()
    together, errors = threading.Barrier(2), []

    def work() -> None:
        together.wait(60)
        try:
            shop.tick()
        except BaseException as error:
            errors.append(error)
        finally:
            connections[alias].close()

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    codes = [code for _, code, _ in shop.given]
    assert len(codes) == len(set(codes)) == 4  # which is what the budget pays for
    assert shop.set_aside == 40_000_000


def test_database_itself_refuses_a_second_holder(shop: Shop) -> None:
    shop.tick()
    (touch,) = (touch for touch in shop.codes.values() if touch is not None)
    with pytest.raises(IntegrityError):
        rows.OfferCode.objects.using(shop.alias).filter(code="BBB").update(touch=touch)


def test_held_out_people_use_no_code_up(shop: Shop) -> None:
    shop.held_out = "p0"
    assert shop.tick() == {(Answer.SKIP, Reason.HELD_OUT): 1}
    assert set(shop.codes.values()) == {None}
    assert (shop.given, shop.set_aside) == ([("p0", "", "ghost")], 0)


@pytest.mark.parametrize("how", ["bought", "expired", "stopped", "unsubscribed"])
def test_message_that_does_not_leave_gives_its_code_back(shop: Shop, how: str) -> None:
    shop.tick()
    if how == "expired":
        assert shop.outbox.expire_but((), START + 3 * DAY) == 1
    elif how == "stopped":
        shop.book.stop("lapsed", START + HOUR)
        messages = claim(shop.outbox, at=START + HOUR)
        shop.outbox.settle(
            [(one, cancelled(Reason.EXIT_REACHED)) for one in messages], START + HOUR
        )
    else:
        kind = SignalKind.ORDER if how == "bought" else SignalKind.OPT_OUT
        shop.book.record([Signal("p0", kind, START + HOUR, "it")], START + HOUR)
    assert set(shop.codes.values()) == {None}
    assert (shop.given, shop.set_aside) == ([("p0", "AAA", "released")], 0)


def cancelled(reason: Reason) -> Decision:
    return Decision(Answer.SKIP, reason)


def test_refused_message_gives_its_code_back_and_takes_one_when_it_is_tried_again(
    shop: Shop,
) -> None:
    shop.tick()
    (message,) = shop.outbox.begin_sending(claim(shop.outbox), START)
    shop.outbox.fail(message, START, error="no", reason=Reason.REFUSED)
    assert set(shop.codes.values()) == {None}
    shop.outbox.resolve(message.key, sent=False, at=START + HOUR, who="me")
    assert (shop.codes["AAA"], shop.set_aside) == (message.touch, 10_000_000)
    (again,) = claim(shop.outbox, at=START + HOUR)
    assert again.offer is not None
    assert again.offer.code == "AAA"


def test_refused_message_is_not_tried_again_without_a_code(shop: Shop) -> None:
    shop.tick()
    (message,) = shop.outbox.begin_sending(claim(shop.outbox), START)
    shop.outbox.fail(message, START, error="no", reason=Reason.REFUSED)
    rows.OfferCode.objects.using(shop.alias).all().delete()
    found = shop.outbox.resolve(message.key, sent=False, at=START + HOUR, who="me")
    assert found.reason is Reason.NO_CODE


@pytest.mark.parametrize("now", ["gone", "broken"])
def test_a_code_that_went_to_somebody_else_is_not_given_twice_where_the_offer_is_not_known(
    alias: str, now: str
) -> None:
    shop = Shop(alias, people=2)
    shop.load("AAA")
    shop.tick()
    (message,) = shop.outbox.begin_sending(claim(shop.outbox), START)
    shop.outbox.fail(message, START, error="no", reason=Reason.REFUSED)
    shop.tick(START + DAY)
    assert shop.given == [("p0", "AAA", "released"), ("p1", "AAA", "open")]
    offers = Offers(fault="offers.yaml, line 1: no") if now == "broken" else Offers()
    outbox = Outbox(alias, terms=replace(TERMS, offers=offers))
    if now == "broken":
        with pytest.raises(OfferError, match="line 1"):
            outbox.resolve(message.key, sent=False, at=START + DAY, who="me")
    else:
        found = outbox.resolve(message.key, sent=False, at=START + DAY, who="me")
        assert found.reason is Reason.NO_CODE
    assert shop.given == [("p0", "AAA", "released"), ("p1", "AAA", "open")]


def test_a_message_that_is_tried_again_gets_no_code_that_is_worth_something_else(
    shop: Shop,
) -> None:
    """It says what it said when the code was given."""
    five = parse_offers(
        "offers: {ten: {kind: amount_off, amount: 5, codes: own, made_at: stripe, budget: 40}}"
    )
    codes = rows.OfferCode.objects.using(shop.alias)
    made_for = five.terms["ten"].made_for
    codes.filter(code="BBB").update(made_for=made_for, standing=rows.MADE)
    shop.tick()
    (message,) = shop.outbox.begin_sending(claim(shop.outbox), START)
    shop.outbox.fail(message, START, error="no", reason=Reason.REFUSED)
    codes.filter(code="AAA").update(touch=-1)
    outbox = Outbox(shop.alias, terms=replace(TERMS, offers=five))
    found = outbox.resolve(message.key, sent=False, at=START + HOUR, who="me")
    assert (found.reason, shop.codes["BBB"]) == (Reason.NO_CODE, None)


def test_message_of_unknown_fate_keeps_its_code(shop: Shop) -> None:
    shop.tick()
    (message,) = shop.outbox.begin_sending(claim(shop.outbox), START)
    shop.outbox.mark_unknown(message, "no answer")
    shop.book.record([Signal("p0", SignalKind.OPT_OUT, START + HOUR, "no")], START + HOUR)
    assert shop.codes["AAA"] == message.touch
    assert shop.given == [("p0", "AAA", "open")]
    # Tried again at somebody's word, and cancelled then: it may have left all the same.
    shop.outbox.resolve(message.key, sent=False, at=START + HOUR, who="me")
    touches = models.Touch.objects.using(shop.alias)
    cancelling.cancel(shop.alias, touches, Reason.STALE)
    assert shop.codes["AAA"] == message.touch
    assert (shop.given, shop.set_aside) == ([("p0", "AAA", "released")], 0)


def test_lost_message_that_left_after_all_keeps_what_it_showed(shop: Shop) -> None:
    shop.tick()
    (message,) = shop.outbox.begin_sending(claim(shop.outbox), START)
    shop.outbox.recover(START + 2 * LEASE, is_idempotent=True)
    shop.book.record([Signal("p0", SignalKind.ORDER, START + HOUR, "it")], START + HOUR)
    assert shop.codes["AAA"] == message.touch
    shop.outbox.accept([(message, "sent-1")], START + HOUR)
    assert (shop.given, shop.set_aside) == ([("p0", "AAA", "open")], 10_000_000)


def test_nobody_has_two_at_once_across_journeys(shop: Shop) -> None:
    shop.tick()
    shop.enter("other")
    assert shop.tick(START + HOUR) == {(Answer.HOLD, Reason.OFFER_OPEN): 1}
    shop.enter("third")
    assert shop.tick(START + 8 * DAY) == {
        (Answer.HOLD, Reason.OFFER_WAIT): 1,
        (Answer.SKIP, Reason.STALE): 1,
    }


def test_two_ids_that_become_one_have_the_offers_of_both(alias: str) -> None:
    shop = Shop(alias, 2)
    shop.load("AAA", "BBB")
    shop.tick()
    rows.GivenOffer.objects.using(alias).filter(person="p1").update(person="p0")
    models.Touch.objects.using(alias).filter(person="p1").update(person="p0")
    first, second = claim(shop.outbox)
    assert [len(one.dossier.offers) for one in (first, second)] == [0, 1]


# Redemptions


def redeem(
    shop: Shop, *, touch: int | None = None, discount: int = 12, at: datetime = START
) -> bool:
    """Let an order redeem what the first message brought; without a touch, let none."""
    one = Redemption("shop", "1", START + HOUR, discount * 1_000_000, is_by_other=False)
    return save_redemptions(shop.alias, {} if touch is None else {touch: one}, at)


def test_redeemed_offer_costs_its_budget_what_came_off_the_order(shop: Shop) -> None:
    shop.tick()
    (touch,) = (touch for touch in shop.codes.values() if touch is not None)
    for _ in range(2):
        assert redeem(shop, touch=touch)
        assert (shop.given, shop.set_aside) == ([("p0", "AAA", "redeemed")], 12_000_000)
    tally = tally_offers(shop.alias, START + HOUR)["ten"]
    assert (tally.given, tally.redeemed, tally.open, tally.spent_micros) == (1, 1, 0, 12_000_000)
    # The order was cancelled.
    redeem(shop)
    assert (shop.given, shop.set_aside) == ([("p0", "AAA", "open")], 10_000_000)


def test_offer_that_ran_out_frees_its_budget_and_may_still_be_redeemed(shop: Shop) -> None:
    shop.tick()
    (touch,) = (touch for touch in shop.codes.values() if touch is not None)
    late = START + 9 * DAY
    assert [settle_ended(shop.alias, at) for at in (START + DAY, late, late)] == [0, 1, 0]
    assert (shop.set_aside, tally_offers(shop.alias, late)["ten"].lapsed) == (0, 1)
    redeem(shop, touch=touch, at=late)
    assert shop.set_aside == 12_000_000
    redeem(shop, at=late)
    assert (shop.given, shop.set_aside) == ([("p0", "AAA", "open")], 0)


def test_whose_offer_was_redeemed_waits_before_the_next(shop: Shop) -> None:
    shop.tick()
    (touch,) = (touch for touch in shop.codes.values() if touch is not None)
    redeem(shop, touch=touch)
    shop.enter("other")
    assert shop.tick(START + 2 * HOUR) == {(Answer.HOLD, Reason.OFFER_WAIT): 1}


def test_holder_of_a_code_is_whom_it_is_with_now(shop: Shop) -> None:
    shop.tick()
    shop.book.record([Signal("p0", SignalKind.ORDER, START + HOUR, "it")], START + HOUR)
    assert load_holders(shop.alias, {"aaa"}) == {}


def test_share_that_is_expected_is_learned_once_the_time_to_redeem_is_over(alias: str) -> None:
    shop = Shop(alias, 2)
    shop.load("AAA", "BBB")
    shop.tick()
    touch, _ = (touch for touch in shop.codes.values() if touch is not None)
    redeem(shop, touch=touch)
    # Who redeems does so early, and who does not is known to only at the end.
    for at, share in ((START, 0), (START + 6 * DAY, 0), (START + 8 * DAY, 1 / 22)):
        assert learn_rates(alias, RULES, at).offers.rate("ten") == pytest.approx(share)


@pytest.mark.parametrize("how", ["tried again", "had left"])
def test_offer_given_after_all_is_settled_again_when_it_runs_out(shop: Shop, how: str) -> None:
    shop.tick()
    (message,) = shop.outbox.begin_sending(claim(shop.outbox), START)
    late = START + 9 * DAY
    assert settle_ended(shop.alias, late) == 1
    if how == "tried again":
        # Its journey lets messages wait for longer than the offer lasts.
        models.Touch.objects.using(shop.alias).update(expires_at=late + DAY)
        shop.outbox.fail(message, late, error="no", reason=Reason.REFUSED)
        shop.outbox.resolve(message.key, sent=False, at=late, who="me")
    else:
        shop.outbox.recover(START + 2 * LEASE, is_idempotent=True)
        shop.book.record([Signal("p0", SignalKind.ORDER, START + HOUR, "it")], START + HOUR)
        assert (shop.given, shop.set_aside) == ([("p0", "AAA", "released")], 0)
        shop.outbox.accept([(message, "sent-1")], late)
    assert (shop.given, shop.set_aside) == ([("p0", "AAA", "open")], 10_000_000)
    assert (settle_ended(shop.alias, late), shop.set_aside) == (1, 0)


# What may have left


def test_message_asked_about_again_keeps_its_code_when_it_is_cancelled(shop: Shop) -> None:
    shop.tick()
    (message,) = shop.outbox.begin_sending(claim(shop.outbox), START)
    at, until = START + MINUTE, START + HOUR
    assert shop.outbox.try_again_within(message, at, until=until, error="no answer")
    shop.book.record([Signal("p0", SignalKind.ORDER, START + HOUR, "it")], START + HOUR)
    assert shop.codes["AAA"] == message.touch
    # And whoever may have read of it is given no other beside it.
    shop.enter("other")
    assert shop.tick(START + 2 * HOUR) == {(Answer.HOLD, Reason.OFFER_OPEN): 1}


def test_message_tried_again_by_hand_sees_what_left_after_it(shop: Shop) -> None:
    shop.tick()
    (first,) = shop.outbox.begin_sending(claim(shop.outbox), START)
    shop.outbox.fail(first, START, error="no", reason=Reason.REFUSED)
    shop.enter("other")
    shop.tick(START + HOUR)
    (second,) = shop.outbox.begin_sending(claim(shop.outbox, at=START + HOUR), START + HOUR)
    shop.outbox.accept([(second, "sent-2")], START + HOUR)
    shop.outbox.resolve(first.key, sent=False, at=START + 2 * HOUR, who="me")
    (again,) = claim(shop.outbox, at=START + 2 * HOUR)
    assert [one.course for one in again.dossier.offers] == [("other", 0)]


def test_codes_of_a_ledger_that_forgot_are_given_to_nobody(shop: Shop) -> None:
    assert [set_codes_aside(shop.alias) for _ in range(2)] == [2, 0]
    assert shop.tick() == {(Answer.HOLD, Reason.NO_CODE): 1}
    shop.load("CCC")
    assert shop.tick(START + 6 * HOUR) == {(Answer.SEND, None): 1}
    assert [code for _, code, _ in shop.given] == ["CCC"]


def test_more_orders_with_codes_than_a_statement_may_name(sqlite: str) -> None:
    shop = Shop(sqlite)
    shop.load("AAA")
    shop.tick()
    limit = sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER
    connections[sqlite].connection.setlimit(limit, 12_000)
    (held,) = load_holders(sqlite, {f"k{number}" for number in range(12_001)} | {"aaa"})["aaa"]
    one = Redemption("shop", "1", START + HOUR, 1_000_000, is_by_other=False)
    strangers = range(held.touch + 1, held.touch + 12_001)
    save_redemptions(sqlite, dict.fromkeys((held.touch, *strangers), one), START)
    assert shop.given == [("p0", "AAA", "redeemed")]


def test_shared_code_has_every_holder_and_one_of_a_pool_only_its_own(alias: str) -> None:
    shop = Shop(alias, 3)
    shop.load("AAA")
    shop.tick()
    given = rows.GivenOffer.objects.using(alias)
    (first,) = given.all()
    holder = first.person_id
    for touch, person, code in (
        (1001, "p1", "SHOP10"),
        (1002, "p2", "SHOP10"),
        (1003, "p1", "AAA"),
    ):
        first.pk, first.touch, first.person_id, first.code = None, touch, person, code
        first.save(using=alias)
    found = load_holders(alias, {"aaa", "shop10", "other"})
    told = {key: [(one.person, one.is_shared) for one in held] for key, held in found.items()}
    assert told == {"aaa": [(holder, False)], "shop10": [("p1", True), ("p2", True)]}
