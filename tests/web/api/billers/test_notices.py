"""What a biller posts is taken once, in whatever order, and ends what it ends at once."""

from __future__ import annotations

import json
import os
from datetime import datetime, timedelta
from typing import Any

import pytest

from rekindle.billing import find_billers, pull_facts
from rekindle.gate import Enrolment
from rekindle.journeys import JourneyVersion, parse_journey
from rekindle.ledger.intake_models import BillerNotice
from rekindle.ledger.models import Signal
from rekindle.runtime import Workspace
from rekindle.testing.biller import FakeBiller
from rekindle.vocabulary import Arm
from rekindle.worker import State, bring_notices, examine, heard_since
from tests.web.api.billers.conftest import NOW, Post
from tests.web.api.billers.receiver import subscriber

DUNNING = """journey: unpaid
purpose: transactional
enter: {on: payment_failed}
goal: {on: payment_cleared, within: 30 days}
exit: [resume]
holdout: none
steps:
  - wait: 20 days
  - send: {channel: email, template: card}
"""


def rows(space: Workspace, table: str) -> list[dict[str, Any]]:
    engine, facts = space.reading
    found: list[dict[str, Any]] = engine.run(facts.more[table]).to_pylist()
    return found


BACK = """journey: back
enter: {audience: subscription_state = 'gone'}
goal: {on: order, within: 60 days}
holdout: none
steps:
  - wait: 20 days
  - send: {channel: email, template: card}
"""


def enrol(space: Workspace, person: str = "u1", text: str = DUNNING) -> None:
    now = space.clock.now()
    version = JourneyVersion(parse_journey(text), 1, 0.0, "salt", now)
    name = version.journey.name
    space.book.start(version)
    space.book.enrol([Enrolment(person, name, 1, 0, Arm.TREATMENT, now, None, 0, now, now)])


def open_count(space: Workspace) -> int:
    return len(list(space.book.open_enrolments()))


def events_of(fake: FakeBiller, kind: str) -> list[dict[str, Any]]:
    return [event for event in fake.world.events if event["type"] == kind]


def test_notices_alone_make_the_facts_that_a_listing_makes(
    fake: FakeBiller, space: Workspace, post: Post
) -> None:
    world = fake.world
    _, card = subscriber(fake)
    world._does[card] = "insufficient_funds"
    world.advance(timedelta(days=29))
    world._does[card] = "pays"
    world.advance(timedelta(days=4))
    for event in world.events:
        assert post(event)[0] == 200
    bring_notices(space)
    tables = ("subscriptions", "invoices", "payments")
    heard = {table: rows(space, table) for table in tables}
    pull_facts(
        space.config.billing,
        space.directory,
        now=space.clock.now(),
        bring=space.import_from,
        heard=lambda since: heard_since(space, since),
    )
    assert {row["customer_id"] for row in heard["payments"]} == {"u1"}
    assert None not in {row["invoice_id"] for row in heard["payments"]}

    def key(row: dict[str, Any]) -> str:
        return json.dumps(row, default=str, sort_keys=True)

    assert {t: sorted(rows(space, t), key=key) for t in tables} == {
        t: sorted(found, key=key) for t, found in heard.items()
    }


@pytest.mark.long
def test_what_comes_twice_or_in_another_order_says_the_same(
    fake: FakeBiller, space: Workspace, post: Post
) -> None:
    sub, _ = subscriber(fake)
    fake.world.clock.move(timedelta(days=3))
    fake.world.end(sub)
    answers = [post(event)[1]["new"] for event in reversed(fake.world.events)]
    assert set(answers) == {1}
    assert {post(event)[1]["new"] for event in fake.world.events} == {0}
    bring_notices(space)
    (row,) = rows(space, "subscriptions")
    assert row["ended_at"] == fake.world.clock.now()
    (invoice,) = rows(space, "invoices")
    assert invoice["paid_at"] == NOW


def test_a_notice_that_was_not_answered_is_taken_when_it_is_sent_again(
    fake: FakeBiller, space: Workspace, post: Post
) -> None:
    subscriber(fake)
    (event,) = events_of(fake, "charge.succeeded")
    fake.breaks_after = 0
    assert post(event)[0] == 503
    assert not BillerNotice.objects.using(space.ledger).exists()
    fake.breaks_after = None
    assert post(event) == (200, {"success": True, "new": 1})


def test_what_is_forged_old_or_anothers_is_refused_and_kept_nowhere(
    fake: FakeBiller, space: Workspace, post: Post
) -> None:
    subscriber(fake)
    event = fake.world.events[-1]
    ahead = int((NOW + timedelta(hours=1)).timestamp())
    for status, answer in (
        (403, post(event, secret="whsec_other")),
        (403, post(event, body=json.dumps({**event, "id": "evt_x"}).encode())),
        (403, post({**event, "account": "acct_other"})),
        (400, post({**event, "api_version": "2020-08-27"})),
        (400, post({**event, "data": None})),
        (400, post({**event, "data": {"object": "sub_1"}})),
        (400, post({**event, "created": ahead})),
        (413, post(event, body=b"x" * 1_050_000)),
    ):
        assert answer[0] == status, answer
    assert post({**event, "data": {"object": {"object": "payout", "id": "po_1"}}})[1]["new"] == 0
    assert not BillerNotice.objects.using(space.ledger).exists()


def test_money_that_came_ends_the_journey_about_it_with_its_notice(
    fake: FakeBiller, space: Workspace, post: Post
) -> None:
    _, card = subscriber(fake)
    fake.world._does[card] = "insufficient_funds"
    fake.world.advance(timedelta(days=29))
    enrol(space)
    fake.world._does[card] = "pays"
    fake.world.advance(timedelta(days=4))
    failed, paid = (
        events_of(fake, "invoice.payment_failed")[-1],
        events_of(fake, "invoice.paid")[-1],
    )
    assert (post(failed)[0], open_count(space)) == (200, 1)
    assert (post(paid)[0], open_count(space)) == (200, 0)
    assert (post(paid)[1]["new"], Signal.objects.using(space.ledger).count()) == (0, 1)


def test_who_owes_another_invoice_is_not_clear_yet(
    fake: FakeBiller, space: Workspace, post: Post
) -> None:
    sub, card = subscriber(fake)
    customer = fake.world.things[sub]["customer"]
    other = fake.world.subscribe(customer, fake.world.add_plan("Silver")["id"])["id"]
    fake.world._does[card] = "insufficient_funds"
    fake.world.advance(timedelta(days=29))
    enrol(space)
    fake.world._does[card] = "pays"
    fake.world.pay(fake.world.things[sub]["latest_invoice"], {})
    fake.world.clock.move(timedelta(minutes=1))
    assert (post(events_of(fake, "invoice.paid")[-1])[0], open_count(space)) == (200, 1)
    fake.world.pay(fake.world.things[other]["latest_invoice"], {})
    fake.world.clock.move(timedelta(minutes=1))
    assert (post(events_of(fake, "invoice.paid")[-1])[0], open_count(space)) == (200, 0)


@pytest.mark.parametrize("what", ["pause", "end", "resume"])
def test_a_pause_an_end_and_a_return_end_it_too(
    fake: FakeBiller, space: Workspace, post: Post, what: str
) -> None:
    sub, card = subscriber(fake)
    pausing = {"pause_collection": {"behavior": "void", "resumes_at": 2_000_000_000}}
    if what == "resume":
        fake.world.update_subscription(sub, pausing)
    else:
        fake.world._does[card] = "insufficient_funds"
        fake.world.advance(timedelta(days=29))
    enrol(space)
    fake.world.clock.move(timedelta(minutes=1))
    if what == "pause":
        fake.world.update_subscription(sub, pausing)
    elif what == "resume":
        fake.world.update_subscription(sub, {"pause_collection": ""})
    else:
        fake.world.end(sub)
    fake.world.clock.move(timedelta(minutes=1))
    assert (post(fake.world.events[-1])[0], open_count(space)) == (200, 0)


@pytest.mark.parametrize("by", ["the page", "the business's own checkout"])
def test_who_subscribes_again_is_not_written_to_from_the_notice_on(
    fake: FakeBiller, space: Workspace, post: Post, by: str
) -> None:
    sub, _ = subscriber(fake)
    fake.world.end(sub)
    customer = fake.world.things[sub]["customer"]
    price = fake.world.things[sub]["items"]["data"][0]["price"]
    fake.world.advance(timedelta(days=40))
    enrol(space, text=BACK)
    fake.world.clock.move(timedelta(minutes=1))
    assert (post(events_of(fake, "customer.subscription.deleted")[-1])[0], open_count(space)) == (
        200,
        1,
    )
    before = len(fake.world.events)
    if by == "the page":
        biller = find_billers()["stripe"].build(space.config.billing, dict(os.environ))
        biller.reactivate(sub, price, key="touch")
    else:
        fake.world.subscribe(customer, price)
    fake.world.clock.move(timedelta(minutes=1))
    for event in fake.world.events[before:]:
        assert post(event)[0] == 200
    assert open_count(space) == 0


def test_a_trial_is_no_return_until_it_is_paid_for(
    fake: FakeBiller, space: Workspace, post: Post
) -> None:
    sub, _ = subscriber(fake)
    begun = fake.world.things[sub]
    fake.world.end(sub)
    fake.world.clock.move(timedelta(days=5))
    ends = int((fake.world.clock.now() + timedelta(days=7)).timestamp())
    price = begun["items"]["data"][0]["price"]
    trial = fake.world.subscribe(begun["customer"], price)
    trial.update(status="trialing", trial_end=ends)
    fake.world.clock.move(timedelta(days=1))
    enrol(space, text=BACK)
    fake.world.update_subscription(trial["id"], {})
    assert (post(fake.world.events[-1])[0], open_count(space)) == (200, 1)
    fake.world.clock.move(timedelta(days=7))
    trial["status"] = "active"
    fake.world.update_subscription(trial["id"], {})
    assert (post(fake.world.events[-1])[0], open_count(space)) == (200, 0)


def test_of_who_was_erased_only_that_a_notice_came_is_kept(
    fake: FakeBiller, space: Workspace, post: Post
) -> None:
    subscriber(fake)
    first, *rest = events_of(fake, "customer.created") + events_of(fake, "invoice.paid")
    assert post(first)[1]["new"] == 1
    space.book.erase("u1", space.clock.now())
    assert {post(event)[1]["new"] for event in rest} == {1}
    kept = BillerNotice.objects.using(space.ledger).values_list("statements", flat=True)
    assert set(kept) == {""}


@pytest.mark.long
def test_a_listing_that_is_older_than_a_notice_does_not_undo_it(
    fake: FakeBiller, space: Workspace, post: Post
) -> None:
    sub, _ = subscriber(fake)

    def heard(since: datetime) -> Any:
        # The listing is over by now. What happens here it cannot know.
        fake.world.clock.move(timedelta(minutes=1))
        fake.world.end(sub)
        assert post(fake.world.events[-1])[1]["new"] == 1
        return heard_since(space, since)

    pull_facts(
        space.config.billing,
        space.directory,
        now=space.clock.now(),
        bring=space.import_from,
        heard=heard,
    )
    (row,) = rows(space, "subscriptions")
    assert row["ended_at"] == fake.world.clock.now()


@pytest.mark.long
def test_the_doctor_names_the_address_until_notices_come(
    fake: FakeBiller, space: Workspace, post: Post
) -> None:
    subscriber(fake)

    def found() -> tuple[State, str]:
        (line,) = [one for one in examine(space) if one.about == "billing"]
        return line.state, line.words

    assert found()[0] is State.WARNS
    assert (
        "/v1/notices/stripe at Stripe, version 2026-10-28.endive, for customer.created"
        in found()[1]
    )
    post(fake.world.events[-1])
    assert found()[0] is State.WELL
    fake.world.clock.move(timedelta(days=8))
    assert found()[0] is State.WARNS
