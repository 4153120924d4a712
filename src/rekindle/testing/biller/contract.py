"""Every promise of ``rekindle.billing.Biller``, as one suite for all providers.

A test module subclasses ``BillerContract`` and overrides ``stage``, which sets up at the
provider what a test needs; pytest then runs the whole suite. What a provider's folder says it
can (``BillerAbilities``) is held to; what it cannot, it has to refuse.
"""

# ruff: noqa: D102 - a test's name says the behaviour
from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Protocol

import pytest

from rekindle.billing import (
    BilledFact,
    BilledStanding,
    Biller,
    BillerFolder,
    ChargeOutcome,
    Instruction,
    InstructionKind,
    Notice,
    SubscriptionState,
    carry_out,
    is_so,
)
from rekindle.clock import MovableClock
from rekindle.errors import BillerError, BillerRefusedError, EventError, ForgedReportError

Signed = tuple[Mapping[str, str], bytes]
DAY = timedelta(days=1)
MONTH = timedelta(days=31)
OWNER = "u1"


class BillerStage(Protocol):
    """What a test sets up at a provider, and looks at there.

    People pay for one monthly plan. Their cards do as they are told: `pays`, `declines`, or
    `asks` for its owner. The business knows people by ids of its own (`customer_key`).
    """

    clock: MovableClock
    folder: BillerFolder
    biller: Biller

    def add_person(self, own_id: str = OWNER) -> str:
        """Return the provider's id of somebody new, whose card pays."""

    def add_card(self, customer: str, does: str = "pays") -> str:
        """Return a further card, saved as the provider's page saves one."""

    def spoil(self, customer: str, does: str) -> None:
        """Let every card that somebody has do something else from now on."""

    def subscribe(self, customer: str) -> str:
        """Return a subscription that began now."""

    def add_plan(self, amount: int) -> str:
        """Return a price, by the provider's id, of a further plan at so much a month.

        ``amount`` is in minor units; the plan that people pay for costs 1000.
        """

    def add_discount(self) -> str:
        """Return something that can be taken off a subscription, by the provider's id."""

    def end(self, subscription: str) -> None:
        """End a subscription at once, as its owner may at the provider."""

    def lose(self, customer: str) -> None:
        """Delete somebody at the provider."""

    def advance(self, by: timedelta) -> None:
        """Move the clock, and let happen what would: renewals, retries, ends of pauses."""

    def attempts(self) -> int:
        """Return how often money was tried to be taken."""

    def running(self, customer: str) -> Sequence[str]:
        """Return the subscriptions of somebody that have not ended."""

    def notices(self) -> Sequence[Signed]:
        """Return all that was told so far, oldest first, as it is sent at this moment."""

    def forged(self, notice: Signed) -> Sequence[Signed]:
        """Return what others may make of a notice."""

    def foreign(self, notice: Signed) -> Signed:
        """Return a notice as another account would send it to us."""

    def outdated(self, notice: Signed) -> Signed:
        """Return a notice as an endpoint of another version sends it."""

    def break_after(self, answers: int | None) -> None:
        """Answer so many requests, then none; all again with None."""


def read(stage: BillerStage, notice: Signed) -> Notice | None:
    """Return what the provider's folder reads in a notice."""
    return stage.biller.read_notice(*notice, stage.clock.now())


def notices_of(stage: BillerStage) -> list[Notice]:
    """Return what was told so far, as far as it concerns anything here."""
    found = (read(stage, one) for one in stage.notices())
    return [one for one in found if one is not None]


def listed(biller: Biller, kind: str, cursor: str = "") -> Iterator[tuple[str, BilledFact]]:
    """Yield what a listing says, each with the cursor behind its page."""
    while True:
        page = biller.list_page(kind, cursor)
        yield from ((page.cursor, one) for one in page.statements)
        if not (cursor := page.cursor):
            return


def rows_of(stage: BillerStage, table: str) -> list[BilledFact]:
    """Return all that listings say of a table."""
    return [one for one in everything(stage) if one.table == table]


def everything(stage: BillerStage) -> list[BilledFact]:
    """Return all that listings say."""
    biller = stage.biller
    return [one for kind in biller.kinds for _, one in listed(biller, kind)]


def standing(stage: BillerStage, subscription: str) -> BilledStanding:
    """Return what is known of a subscription that is there."""
    found = stage.biller.look(subscription)
    assert found is not None
    return found


def owe(stage: BillerStage, does: str = "declines") -> tuple[str, str, str]:
    """Let a renewal fail; return customer, subscription and open invoice."""
    customer = stage.add_person()
    subscription = stage.subscribe(customer)
    stage.spoil(customer, does)
    stage.advance(MONTH + DAY)
    waiting = standing(stage, subscription).open_invoice
    assert waiting is not None
    return customer, subscription, waiting.id


def leave(stage: BillerStage) -> tuple[str, str, str]:
    """Let somebody leave; return customer, subscription and the price of today."""
    customer = stage.add_person()
    subscription = stage.subscribe(customer)
    stage.end(subscription)
    stage.advance(2 * MONTH)
    now = standing(stage, subscription).now
    assert now is not None
    return customer, subscription, now.price_id


class ListingContract:
    """What is listed."""

    def test_a_listing_says_everything_once(self, stage: BillerStage) -> None:
        people = [f"u{number}" for number in range(230)]
        for own_id in people:
            stage.subscribe(stage.add_person(own_id))
        every = everything(stage)
        said = [one for one in every if one.table == "subscriptions"]
        keys = [one.key for one in said]
        assert (len(keys), len(set(keys))) == (230, 230)
        assert {one.row["customer_id"] for one in said} == set(people)
        for table in ("invoices", "payments", "payment_methods"):
            assert len({one.key for one in every if one.table == table}) == 230, table

    def test_who_is_killed_goes_on_at_the_cursor(self, stage: BillerStage) -> None:
        for number in range(230):
            stage.subscribe(stage.add_person(f"u{number}"))
        (kind,) = [one for one in stage.biller.kinds if one == "subscriptions"]
        before = stage.biller.list_page(kind)
        assert before.cursor
        stage.break_after(0)
        with pytest.raises(BillerError):
            stage.biller.list_page(kind, before.cursor)
        stage.break_after(None)
        # Somebody new must not move what is still to come.
        stage.subscribe(stage.add_person("late"))
        keys = {one.key for one in before.statements if one.table == "subscriptions"}
        rest = {
            one.key
            for _, one in listed(stage.biller, kind, before.cursor)
            if one.table == "subscriptions" and one.row["customer_id"] != "late"
        }
        assert (len(keys | rest), keys & rest) == (230, set())

    def test_a_card_is_never_more_than_its_last_four(self, stage: BillerStage) -> None:
        stage.subscribe(stage.add_person())
        (card, *_) = rows_of(stage, "payment_methods")
        assert len(card.row["last_four"]) == 4
        assert 1 <= card.row["expiry_month"] <= 12 < card.row["expiry_year"]
        assert not {"number", "iin", "masked_number"} & card.row.keys()


class NoticeContract:
    """What is told."""

    def test_the_folder_says_what_is_to_be_set_up(self, stage: BillerStage) -> None:
        folder = stage.folder
        assert folder.name.isidentifier()
        assert folder.called
        assert folder.notices

    def test_whose_money_came_and_what_ended_is_told(self, stage: BillerStage) -> None:
        customer, subscription, _ = owe(stage)
        stage.spoil(customer, "pays")
        stage.advance(7 * DAY)
        stage.end(subscription)
        told = notices_of(stage)
        assert {tuple(one.paid) for one in told if one.paid} == {(subscription,)}
        assert subscription in {one.restored for one in told}
        last = [s for one in told for s in one.statements if s.table == "subscriptions"][-1]
        assert last.row["ended_at"] == stage.clock.now()
        assert {one.customer for one in told} == {customer}

    def test_the_last_notice_and_a_listing_say_the_same(self, stage: BillerStage) -> None:
        _, subscription, _ = owe(stage)
        stage.end(subscription)
        told = [s for one in notices_of(stage) for s in one.statements]
        for table in ("subscriptions", "invoices", "payments"):
            newest = {one.key: one.row for one in told if one.table == table}
            assert newest == {one.key: one.row for one in rows_of(stage, table)}, table

    def test_a_forged_notice_is_not_believed(self, stage: BillerStage) -> None:
        stage.subscribe(stage.add_person())
        notice = stage.notices()[-1]
        tries = [*stage.forged(notice), ({}, notice[1]), stage.foreign(notice)]
        for one in tries:
            with pytest.raises(ForgedReportError):
                read(stage, one)

    def test_a_notice_of_another_version_is_refused_with_a_reason(self, stage: BillerStage) -> None:
        stage.subscribe(stage.add_person())
        with pytest.raises(EventError):
            read(stage, stage.outdated(stage.notices()[-1]))

    def test_a_repeated_notice_is_the_same_one(self, stage: BillerStage) -> None:
        stage.subscribe(stage.add_person())
        first = notices_of(stage)
        again = notices_of(stage)
        assert first == again
        assert len({one.id for one in first}) == len(first)

    def test_what_comes_late_is_renewed_to_what_is_so_now(self, stage: BillerStage) -> None:
        subscription = stage.subscribe(stage.add_person())
        early = next(one for one in notices_of(stage) if one.thing == subscription)
        stage.end(subscription)
        renewed = stage.biller.renew(early)
        (row,) = [one.row for one in renewed.statements if one.table == "subscriptions"]
        assert row["ended_at"] == stage.clock.now()
        assert (renewed.id, renewed.thing) == (early.id, early.thing)

    def test_what_is_renewed_loses_nothing_that_was_told(self, stage: BillerStage) -> None:
        owe(stage)
        for one in notices_of(stage):
            told = {statement.table for statement in one.statements}
            assert told <= {statement.table for statement in stage.biller.renew(one).statements}


class ChargeContract:
    """How money is taken."""

    def test_a_decline_says_why_and_what_is_owed(self, stage: BillerStage) -> None:
        customer, subscription, invoice = owe(stage)
        found = standing(stage, subscription)
        assert found.open_invoice is not None
        assert (found.state, found.open_invoice.id) == (SubscriptionState.OWING, invoice)
        assert found.open_invoice.decline_code == "insufficient_funds"
        assert stage.biller.is_owing(customer)
        assert not stage.biller.is_owing(customer, besides=subscription)

    def test_one_key_takes_money_once(self, stage: BillerStage) -> None:
        _, _, invoice = owe(stage)
        before = stage.attempts()
        if not stage.folder.abilities.can_charge:
            with pytest.raises(BillerRefusedError):
                stage.biller.charge(invoice, key="one")
            assert stage.attempts() == before
            return
        first = stage.biller.charge(invoice, key="one")
        assert first.outcome is ChargeOutcome.DECLINED
        assert first.decline_code == "insufficient_funds"
        assert stage.biller.charge(invoice, key="one") == first
        assert stage.attempts() == before + 1
        assert stage.folder.abilities.keys_live > timedelta(minutes=5), "a retry is asked again"

    @pytest.mark.parametrize("does", ["declines", "pays"])
    def test_an_attempt_is_named_as_listings_and_notices_name_it(
        self, stage: BillerStage, does: str
    ) -> None:
        customer, _, invoice = owe(stage)
        if not stage.folder.abilities.can_charge:
            pytest.skip("it takes no payment when it is asked to")
        stage.spoil(customer, does)
        before = {one.key for one in rows_of(stage, "payments")}
        charge = stage.biller.charge(invoice, key="one")
        if charge.payment:  # else it is known by invoice and instant alone
            rows = rows_of(stage, "payments")
            assert {one.key for one in rows} - before == {charge.payment}
            told = [one for notice in notices_of(stage) for one in notice.statements]
            assert charge.payment in {one.key for one in told if one.table == "payments"}

    def test_nothing_is_taken_of_what_is_paid(self, stage: BillerStage) -> None:
        if not stage.folder.abilities.can_charge:
            pytest.skip("it takes no payment when it is asked to")
        customer, subscription, invoice = owe(stage)
        stage.spoil(customer, "pays")
        assert stage.biller.charge(invoice, key="one").outcome is ChargeOutcome.PAID
        before = stage.attempts()
        assert stage.biller.charge(invoice, key="two").outcome is ChargeOutcome.CLOSED
        assert stage.attempts() == before
        assert standing(stage, subscription).state is SubscriptionState.ACTIVE

    def test_who_does_not_answer_is_no_refusal(self, stage: BillerStage) -> None:
        _, subscription, invoice = owe(stage)
        stage.break_after(0)
        with pytest.raises(BillerError) as found:
            stage.biller.look(subscription)
        assert not isinstance(found.value, BillerRefusedError)
        if stage.folder.abilities.can_charge:
            with pytest.raises(BillerError) as found:
                stage.biller.charge(invoice, key="one")
            assert not isinstance(found.value, BillerRefusedError)

    def test_another_card_pays_what_is_open_once(self, stage: BillerStage) -> None:
        customer, subscription, _ = owe(stage)
        card = standing(stage, subscription).card
        assert card is not None
        with pytest.raises(BillerRefusedError):
            stage.biller.adopt_card(subscription, instead_of=card.id, key="k")
        page = stage.biller.card_page(subscription, return_url="https://p.example/s/x")
        assert page.startswith("https://")
        stage.advance(DAY / 24)
        new = stage.add_card(customer)
        before = stage.attempts()
        charge = stage.biller.adopt_card(subscription, instead_of=card.id, key="k")
        assert charge is not None
        assert charge.outcome is ChargeOutcome.PAID
        assert stage.biller.adopt_card(subscription, instead_of=card.id, key="k") is None
        assert stage.attempts() == before + 1
        found = standing(stage, subscription)
        assert found.card is not None
        assert (found.card.id, found.state) == (new, SubscriptionState.ACTIVE)


class ResumingContract:
    """Pauses and ends."""

    def test_a_pause_takes_nothing_and_ends_by_itself(self, stage: BillerStage) -> None:
        subscription = stage.subscribe(stage.add_person())
        until = stage.clock.now() + 2 * MONTH
        if not stage.folder.abilities.can_pause:
            with pytest.raises(BillerRefusedError):
                stage.biller.pause(subscription, until, key="p")
            return
        stage.biller.pause(subscription, until, key="p")
        before = stage.attempts()
        stage.advance(2 * MONTH - DAY)
        assert standing(stage, subscription).state is SubscriptionState.PAUSED
        assert stage.attempts() == before
        assert {one.key for one in rows_of(stage, "pauses")} == {subscription}
        stage.advance(MONTH + 2 * DAY)
        assert standing(stage, subscription).state is SubscriptionState.ACTIVE
        assert stage.attempts() > before

    def test_a_pause_is_over_when_it_is_said(self, stage: BillerStage) -> None:
        if not stage.folder.abilities.can_pause:
            pytest.skip("it does not pause")
        subscription = stage.subscribe(stage.add_person())
        stage.biller.pause(subscription, stage.clock.now() + 2 * MONTH, key="p")
        stage.advance(MONTH + DAY)
        assert standing(stage, subscription).state is SubscriptionState.PAUSED
        stage.biller.resume(subscription, key="r")
        assert standing(stage, subscription).state is SubscriptionState.ACTIVE
        assert rows_of(stage, "pauses") == []
        assert any(one.is_back for one in notices_of(stage))

    def test_a_pause_that_is_called_off_before_the_next_payment_leaves_all_as_it_was(
        self, stage: BillerStage
    ) -> None:
        if not stage.folder.abilities.can_pause:
            pytest.skip("it does not pause")
        subscription = stage.subscribe(stage.add_person())
        before, tried = standing(stage, subscription), stage.attempts()
        stage.biller.pause(subscription, stage.clock.now() + 2 * MONTH, key="p")
        stage.advance(DAY)
        stage.biller.resume(subscription, key="r")
        assert standing(stage, subscription) == before
        assert rows_of(stage, "pauses") == []
        stage.advance(MONTH)
        assert stage.attempts() == tried + 1

    def test_what_is_paid_for_is_not_paused(self, stage: BillerStage) -> None:
        if not stage.folder.abilities.pause_spares_paid:
            pytest.skip("a pause takes what is paid for, so none is offered")
        subscription = stage.subscribe(stage.add_person())
        before = standing(stage, subscription)
        stage.biller.pause(subscription, stage.clock.now() + 2 * MONTH, key="p")
        stage.advance(DAY)
        assert standing(stage, subscription).paid_until == before.paid_until
        (row,) = [one.row for one in rows_of(stage, "subscriptions")]
        assert row["ended_at"] is None

    def test_who_paused_and_cancels_is_charged_no_more(self, stage: BillerStage) -> None:
        if not stage.folder.abilities.can_pause:
            pytest.skip("it does not pause")
        subscription = stage.subscribe(stage.add_person())
        stage.biller.pause(subscription, stage.clock.now() + 2 * MONTH, key="p")
        stage.biller.cancel(subscription, key="c")
        before = stage.attempts()
        stage.advance(4 * MONTH)
        assert stage.attempts() == before
        assert standing(stage, subscription).state is SubscriptionState.ENDED

    def test_a_cancellation_can_be_taken_back_until_then(self, stage: BillerStage) -> None:
        subscription = stage.subscribe(stage.add_person())
        stage.biller.cancel(subscription, key="c")
        stage.biller.keep(subscription, key="k")
        found, before = standing(stage, subscription), stage.attempts()
        assert (found.state, found.leaves_at) == (SubscriptionState.ACTIVE, None)
        stage.advance(MONTH + DAY)
        assert stage.attempts() > before

    def test_it_says_whose_it_is(self, stage: BillerStage) -> None:
        assert standing(stage, stage.subscribe(stage.add_person())).owner == OWNER

    def test_another_plan_is_of_who_can_change_it(self, stage: BillerStage) -> None:
        assert stage.biller.find_plan("no-such-plan") is None
        subscription = stage.subscribe(stage.add_person())
        before = standing(stage, subscription).before
        if not stage.folder.abilities.can_change:
            with pytest.raises(BillerRefusedError):
                stage.biller.change_plan(subscription, before.price_id, key="p")
            return
        assert stage.biller.find_plan(before.price_id) == before
        smaller = stage.biller.find_plan(stage.add_plan(500))
        assert smaller is not None
        told = Instruction(subscription, InstructionKind.PLAN, smaller.price_id)
        for _ in range(2):
            carry_out(stage.biller, told, key="p")
        assert is_so(told, standing(stage, subscription))
        assert standing(stage, subscription).before == smaller
        stage.advance(MONTH + DAY)
        assert [one.row["amount"] for one in rows_of(stage, "invoices")].count(Decimal(5)) == 1

    def test_a_discount_is_given_once_beside_what_there_is(self, stage: BillerStage) -> None:
        subscription, discount = stage.subscribe(stage.add_person()), stage.add_discount()
        told = Instruction(subscription, InstructionKind.OFFER, discount)
        if not stage.folder.abilities.can_change:
            with pytest.raises(BillerRefusedError):
                carry_out(stage.biller, told, key="o")
            return
        assert not is_so(told, standing(stage, subscription))
        for _ in range(2):
            carry_out(stage.biller, told, key="o")
        assert is_so(told, standing(stage, subscription))
        with pytest.raises(BillerRefusedError):
            stage.biller.give(subscription, "no-such-discount", key="n")
        assert standing(stage, subscription).has_discount

    def test_what_is_taken_off_is_told_by_a_notice_as_by_a_listing(
        self, stage: BillerStage
    ) -> None:
        if not stage.folder.abilities.can_change:
            pytest.skip("it gives no discounts")
        subscription = stage.subscribe(stage.add_person())
        stage.advance(DAY)
        stage.biller.give(subscription, stage.add_discount(), key="g")
        told = [one for notice in notices_of(stage) for one in notice.statements]
        last = [one.row for one in told if one.table == "subscriptions"][-1]
        assert [one.row for one in rows_of(stage, "subscriptions")] == [last]

    def test_a_cancelled_one_runs_to_its_end_and_no_further(self, stage: BillerStage) -> None:
        subscription = stage.subscribe(stage.add_person())
        ends = standing(stage, subscription).paid_until
        stage.biller.cancel(subscription, key="c", reason="too_expensive", words="Too much.")
        found, before = standing(stage, subscription), stage.attempts()
        assert (found.state, found.leaves_at) == (SubscriptionState.ACTIVE, ends)
        stage.advance(2 * MONTH)
        assert standing(stage, subscription).state is SubscriptionState.ENDED
        assert stage.attempts() == before
        (row,) = [one.row for one in rows_of(stage, "subscriptions")]
        assert row["ended_at"] == ends


class ReturnContract:
    """How who left comes back."""

    def test_one_press_brings_back(self, stage: BillerStage) -> None:
        customer, subscription, price = leave(stage)
        before = stage.attempts()
        back = stage.biller.reactivate(subscription, price, key="touch")
        assert (back.outcome, stage.attempts()) == (ChargeOutcome.PAID, before + 1)
        assert list(stage.running(customer)) == [back.subscription]
        assert (back.subscription == subscription) is stage.folder.abilities.revives
        assert (back.revived_at is not None) is stage.folder.abilities.revives
        assert standing(stage, back.subscription).state is SubscriptionState.ACTIVE

    def test_an_old_debt_is_no_part_of_the_return(self, stage: BillerStage) -> None:
        customer, subscription, _ = owe(stage)
        stage.end(subscription)
        stage.advance(2 * MONTH)
        stage.spoil(customer, "pays")
        now = standing(stage, subscription).now
        assert now is not None
        told = len(stage.notices())
        back = stage.biller.reactivate(subscription, now.price_id, key="touch")
        assert back.outcome is ChargeOutcome.PAID
        found = standing(stage, back.subscription)
        assert (found.state, found.open_invoice) == (SubscriptionState.ACTIVE, None)
        fresh = [read(stage, one) for one in stage.notices()[told:]]
        assert back.subscription in {one.restored for one in fresh if one is not None}

    @pytest.mark.parametrize("key", ["touch", "another"])
    def test_two_presses_are_one_return(self, stage: BillerStage, key: str) -> None:
        customer, subscription, price = leave(stage)
        first = stage.biller.reactivate(subscription, price, key="touch")
        before = stage.attempts()
        second = stage.biller.reactivate(subscription, price, key=key)
        assert (second.subscription, second.outcome) == (first.subscription, ChargeOutcome.PAID)
        assert second.takes_place_of(subscription) == first.takes_place_of(subscription)
        assert stage.attempts() == before
        assert list(stage.running(customer)) == [first.subscription]

    def test_a_notice_tells_of_the_return_by_the_same_name(self, stage: BillerStage) -> None:
        _, subscription, price = leave(stage)
        told = len(stage.notices())
        back = stage.biller.reactivate(subscription, price, key="touch")
        fresh = [read(stage, one) for one in stage.notices()[told:]]
        (said,) = {
            (one.restored, one.instead_of) for one in fresh if one is not None and one.restored
        }
        assert said == (back.subscription, back.takes_place_of(subscription))
        assert any(one is not None and one.is_back for one in fresh)

    def test_who_left_a_second_time_comes_back_a_second_time(self, stage: BillerStage) -> None:
        customer, subscription, price = leave(stage)
        first = stage.biller.reactivate(subscription, price, key="touch")
        stage.advance(DAY)
        stage.end(first.subscription)
        stage.advance(2 * MONTH)
        before = stage.attempts()
        second = stage.biller.reactivate(subscription, price, key="touch 2")
        assert stage.attempts() == before + 1
        assert list(stage.running(customer)) == [second.subscription]
        told = [one.takes_place_of(subscription) + one.subscription for one in (first, second)]
        assert told[0] != told[1]

    @pytest.mark.parametrize(
        ("does", "outcome"),
        [("declines", ChargeOutcome.DECLINED), ("asks", ChargeOutcome.AUTHENTICATE)],
    )
    def test_a_card_that_does_not_pay_brings_nobody_back_unpaid(
        self, stage: BillerStage, does: str, outcome: ChargeOutcome
    ) -> None:
        customer, subscription, price = leave(stage)
        stage.spoil(customer, does)
        back = stage.biller.reactivate(subscription, price, key="touch")
        assert back.outcome is outcome
        assert back.page_url.startswith("https://")
        assert len(stage.running(customer)) <= 1
        told = [one.restored for one in notices_of(stage)]
        assert not any(told)

    def test_only_the_price_that_was_shown_is_taken(self, stage: BillerStage) -> None:
        customer, subscription, price = leave(stage)
        before = stage.attempts()
        with pytest.raises(BillerRefusedError):
            stage.biller.reactivate(subscription, f"{price}x", key="touch")
        assert (stage.attempts(), list(stage.running(customer))) == (before, [])

    def test_nothing_is_taken_of_who_never_left(self, stage: BillerStage) -> None:
        customer = stage.add_person()
        subscription = stage.subscribe(customer)
        now, before = standing(stage, subscription).now, stage.attempts()
        assert now is not None
        try:
            back = stage.biller.reactivate(subscription, now.price_id, key="touch")
        except BillerRefusedError:
            pass
        else:
            assert back.subscription == subscription
        assert (stage.attempts(), list(stage.running(customer))) == (before, [subscription])

    def test_nobody_is_shown_of_what_is_gone(self, stage: BillerStage) -> None:
        customer, subscription, _ = leave(stage)
        stage.lose(customer)
        assert stage.biller.look(subscription) is None
        assert stage.biller.look("sub_none") is None


class BillerContract(
    ListingContract, NoticeContract, ChargeContract, ResumingContract, ReturnContract
):
    """The whole of it."""

    @pytest.fixture
    def stage(self) -> Iterator[BillerStage]:
        raise NotImplementedError("yield the stage of the provider")
