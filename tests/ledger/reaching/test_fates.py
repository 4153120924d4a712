"""What became of messages is read back as people did it."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import count

import pytest

from rekindle.ledger import load_agreed, load_fates, models, write_query
from rekindle.ledger.offers.models import GivenOffer
from rekindle.vocabulary import Channel
from tests.ledger.queueing import DAY, HOUR, START, Queue

NUMBERS = count()


@pytest.fixture
def queue(alias: str) -> Queue:
    return Queue(alias)


def _hear(queue: Queue, touch: int, kind: str, at: datetime, **changes: bool) -> None:
    queue.add(
        models.Delivery,
        key=f"heard-{next(NUMBERS)}",
        channel="email",
        outlet="smtp",
        kind=kind,
        at=at,
        touch=touch,
        is_machine=changes.get("is_machine", False),
        is_permanent=changes.get("is_permanent", False),
        recorded_at=at,
    )


def test_what_people_did_with_a_message_is_read_without_machines(queue: Queue, alias: str) -> None:
    first = queue.message("ann", state="accepted", accepted_at=START + HOUR)
    second = queue.message("bob", state="unknown", variant="asked")
    queue.message("carl")  # has not left
    queue.message("dora", "other", state="accepted", accepted_at=START)
    _hear(queue, first, "clicked", START + 3 * HOUR)
    _hear(queue, first, "clicked", START + 2 * HOUR)
    _hear(queue, first, "clicked", START + HOUR, is_machine=True)
    _hear(queue, first, "opened", START + 2 * HOUR)
    _hear(queue, first, "bounced", START + 2 * HOUR)
    _hear(queue, second, "bounced", START + 2 * HOUR, is_permanent=True)
    ann, bob = load_fates(alias, "lapsed")
    assert (ann.person, ann.channel, ann.at) == ("ann", Channel("email"), START + HOUR)
    assert ann.clicked_at == (START + 2 * HOUR, START + 3 * HOUR)
    assert ann.opened_at == (START + 2 * HOUR,)
    assert not ann.has_bounced
    assert (bob.variant, bob.at, bob.has_bounced) == ("asked", START, True)


def test_offer_that_went_with_a_message_is_read(queue: Queue, alias: str) -> None:
    touch = queue.message("ann", state="accepted", accepted_at=START)
    queue.add(
        GivenOffer,
        touch=touch,
        person_id="ann",
        journey="lapsed",
        rotation=0,
        offer="ten-percent",
        kind="percent",
        text="10 % off",
        at=START,
        ends_on=START.date(),
        ends_at=START + 30 * DAY,
        cost_micros=0,
        most_micros=0,
        expected_micros=0,
        state="open",
    )
    assert [one.offer for one in load_fates(alias, "lapsed")] == ["ten-percent"]


def test_newest_word_says_who_agreed(queue: Queue, alias: str) -> None:
    said: list[tuple[str, bool, timedelta]] = [
        ("ann", False, HOUR),
        ("ann", True, 2 * HOUR),
        ("bob", True, HOUR),
        ("bob", False, 2 * HOUR),
    ]
    for person, granted, after in said:
        queue.person(person)
        queue.add(
            models.Consent,
            person_id=person,
            channel="opens",
            granted=granted,
            at=START + after,
            source="test",
        )
    assert load_agreed(alias, "opens") == {"ann"}


def test_queries_are_written_as_the_database_reads_them(alias: str) -> None:
    assert "INSTANT" not in write_query(alias, "fates_of")
    assert write_query(alias, "fates_of").startswith("SELECT")
