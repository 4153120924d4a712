"""Stays on lists: what asks for their end as it is recorded; on both databases."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from rekindle.consent import ConsentRecord, Exclusion, Preferences, Suppression
from rekindle.gate import BookRules, find_withdrawal
from rekindle.identity import IdentityChange, JoinReason, Link
from rekindle.journeys import Person, Signal, order_signal
from rekindle.ledger import (
    Claimed,
    LedgerBook,
    Outbox,
    Stays,
    end_each_stay,
    load_stays_of,
    load_stays_to_judge,
    models,
    note_judged,
    tally_lists,
)
from rekindle.messages import AddressKind, Capabilities, ChangeKind, Stay
from rekindle.vocabulary import Channel, Purpose, Reason, SignalKind
from tests.ledger.conftest import SECRET
from tests.ledger.queueing import DAY, HOUR, MINUTE, START, TEXT, Queue, claim

ADS = Channel("audience")
OUTLET = "audience_csv"
ADD, REMOVE = ChangeKind.ADD, ChangeKind.REMOVE
LEASE = timedelta(minutes=30)
LATER = START + DAY
TERMS = BookRules(
    channels={
        Channel("email"): Capabilities(AddressKind.EMAIL),
        ADS: Capabilities(AddressKind.EMAIL, needs_own_yes=True),
    }
)
FILE = TEXT.replace(
    "send: {{channel: email, template: check-in}}",
    "send: {{channel: audience, destination: lapsed}}",
)


class Lists:
    """One ledger whose people are put on a list."""

    def __init__(self, alias: str) -> None:
        self.alias = alias
        self.book = LedgerBook(alias, secret=SECRET, terms=TERMS)
        self.queue = Queue(alias, text=FILE)
        self.stays = Stays(alias)

    def put(self, person: str = "alice", *, until: timedelta = 30 * DAY, **changes: Any) -> int:
        """Take somebody down for the list by a message that was accepted; return the touch."""
        changes.setdefault("ended", Reason.FINISHED)
        touch = self.queue.message(person, **changes)
        rows = models.Touch.objects.using(self.alias).filter(pk=touch)
        rows.update(channel="audience", template="lapsed", step="lapsed", outlet=OUTLET)
        self.book.save_people([Person(person, f"{person}@example.com", "GB")])
        yes = ConsentRecord(person, ADS, True, START - DAY, "form")
        self.book.save_consent([yes])
        (message,) = (one for one in claim(self.outbox) if one.touch == touch)
        stay = Stay("lapsed", person, START + until)
        self.outbox.accept([(message, "m")], START, stays={touch: stay})
        return touch

    @property
    def outbox(self) -> Outbox:
        return Outbox(self.alias, terms=TERMS)

    def judge(self, at: datetime = START) -> list[tuple[int, Reason | None]]:
        """Ask the gate of everybody new, as the worker does."""
        found = load_stays_to_judge(self.alias, TERMS, at, limit=10)
        answers = [
            (one.stay, find_withdrawal(one.dossier, purpose=one.purpose, topic=one.topic, at=at))
            for one in found
        ]
        end_each_stay(self.alias, [(n, why) for n, why in answers if why], at)
        note_judged(self.alias, [n for n, why in answers if not why], at)
        return answers

    def told(self, kind: ChangeKind, at: datetime = START) -> list[str]:
        """Tell of everything there is, as if it was taken at once; return of whom."""
        found: list[str] = []
        while (claimed := self.claim(kind, at)) is not None:
            found += claimed.members
            self.stays.take(claimed, "r", at)
        return found

    def claim(self, kind: ChangeKind, at: datetime = START) -> Claimed | None:
        return self.stays.claim(OUTLET, kind, at, limit=10, lease=LEASE)

    def on_it(self, person: str = "alice", **changes: Any) -> None:
        """Let somebody be on the list, and known to be."""
        self.put(person, **changes)
        self.judge()
        assert person in self.told(ADD)

    def row(self, person: str = "alice") -> models.Stay:
        return models.Stay.objects.using(self.alias).filter(person=person).latest("pk")


@pytest.fixture
def lists(alias: str) -> Lists:
    return Lists(alias)


def _signal(kind: SignalKind, channel: Channel | None = None) -> Callable[[Lists], object]:
    signal = Signal("alice", kind, LATER, f"{kind}-1", channel=channel)
    if kind is SignalKind.ORDER:
        signal = order_signal("alice", LATER, "shop", "1")
    return lambda lists: lists.book.record([signal], LATER)


def _no(lists: Lists) -> None:
    lists.book.save_consent([ConsentRecord("alice", ADS, False, LATER, "form")])


def _exclude(lists: Lists) -> None:
    lists.book.exclude("alice", Exclusion.BAD_ACTOR, at=LATER, until=None)


ENDS: dict[str, tuple[Callable[[Lists], object], str]] = {
    "order": (_signal(SignalKind.ORDER), "order"),
    "an event the journey ends with": (
        lambda lists: lists.book.record(
            [Signal("alice", SignalKind.EVENT, LATER, "e", "cart_abandoned")], LATER
        ),
        "event",
    ),
    "opt-out of all": (_signal(SignalKind.OPT_OUT), "opt_out"),
    "opt-out of ads": (_signal(SignalKind.OPT_OUT, ADS), "opt_out"),
    "complaint": (_signal(SignalKind.COMPLAINT, Channel("email")), "complaint"),
    "no": (_no, "no_permission"),
    "suppressed": (
        lambda lists: lists.book.suppress("alice", None, reason="by hand", at=LATER),
        "by hand",
    ),
    "erased": (lambda lists: lists.book.erase("alice", LATER), "erased"),
    "excluded": (_exclude, "excluded"),
    "stopped": (lambda lists: lists.book.stop("lapsed", LATER), "stopped"),
}


@pytest.mark.parametrize("ended", [None, Reason.FINISHED], ids=["open", "finished"])
@pytest.mark.parametrize("what", ENDS)
def test_the_end_is_asked_for_as_it_is_recorded(
    lists: Lists, what: str, ended: Reason | None
) -> None:
    """While the journey goes on, and after it has run its course."""
    happen, reason = ENDS[what]
    lists.on_it(ended=ended)
    if ended is None:
        lists.queue.stand(lists.row().touch)
    happen(lists)
    row = lists.row()
    assert (row.requested_at, row.reason) == (LATER, reason)
    assert (row.taken_at, row.effective_at, row.member) == (None, None, "alice")
    assert lists.told(REMOVE, LATER) == ["alice"]
    lists.stays.settle([row.pk], LATER + HOUR)
    row = lists.row()
    assert (row.taken_at, row.effective_at, row.member) == (LATER, LATER + HOUR, "")


HARMLESS: dict[str, Callable[[Lists], object]] = {
    "opt-out elsewhere": _signal(SignalKind.OPT_OUT, Channel("sms")),
    "click": _signal(SignalKind.CLICK),
    "bounce of mails": _signal(SignalKind.BOUNCE, Channel("email")),
    "another's order": lambda lists: lists.book.record(
        [order_signal("bob", LATER, "shop", "1")], LATER
    ),
}


@pytest.mark.parametrize("what", HARMLESS)
def test_what_says_nothing_of_ads_ends_no_stay(lists: Lists, what: str) -> None:
    lists.on_it(ended=Reason.FINISHED)
    HARMLESS[what](lists)
    assert lists.row().requested_at is None
    lists.judge(LATER)
    assert lists.row().requested_at is None


def test_who_was_never_told_of_is_off_at_once(lists: Lists) -> None:
    lists.put()
    _no(lists)
    row = lists.row()
    assert (row.requested_at, row.effective_at, row.member) == (LATER, LATER, "")
    assert lists.told(ADD, LATER) == lists.told(REMOVE, LATER) == []


def test_nobody_is_put_on_who_was_not_judged_within_the_hour(lists: Lists) -> None:
    lists.put()
    assert lists.told(ADD) == []
    lists.judge()
    assert lists.told(ADD, START + 2 * HOUR) == []
    lists.judge(START + 2 * HOUR)
    assert lists.told(ADD, START + 2 * HOUR) == ["alice"]


def test_a_wish_is_heard_when_they_are_judged(lists: Lists) -> None:
    lists.on_it(ended=Reason.FINISHED)
    lists.book.save_preferences("alice", Preferences(LATER + DAY, frozenset(), None))
    assert [why for _, why in lists.judge(LATER)] == [Reason.SNOOZED]
    assert lists.row().reason == "snoozed"


def test_who_is_killed_while_telling_tells_again(lists: Lists) -> None:
    """Before, while and after a list is told, of adding and of removing."""
    lists.put()
    lists.judge()
    assert lists.claim(ADD) is not None  # and nobody wrote down what was answered
    _signal(SignalKind.ORDER)(lists)
    assert lists.claim(REMOVE, START + MINUTE) is None  # it may be under way
    claimed = lists.claim(REMOVE, LATER)
    assert claimed is not None
    assert claimed.members == ["alice"]
    again = lists.claim(REMOVE, LATER + LEASE)
    assert again is not None
    assert again.members == ["alice"]
    lists.stays.take(again, "r", LATER + LEASE)
    assert lists.claim(REMOVE, LATER + 2 * LEASE) is None
    (asked,) = lists.stays.asked(OUTLET, LATER + LEASE)
    assert (asked.request, asked.taken_at) == ("r", LATER + LEASE)


def test_a_refusal_says_whether_they_may_be_on_it(lists: Lists) -> None:
    for number, is_unknown in enumerate((False, True)):
        person = f"p{number}"
        lists.put(person)
        lists.judge()
        claimed = lists.claim(ADD)
        assert claimed is not None
        again = START + HOUR
        lists.stays.fail(claimed, again, "away", is_unknown=is_unknown)
        lists.book.record([order_signal(person, LATER, "shop", person)], LATER)
        row = lists.row(person)
        assert (row.effective_at is None, row.last_error) == (is_unknown, "away")


def test_a_removal_that_failed_is_asked_for_again(lists: Lists) -> None:
    lists.on_it()
    _no(lists)
    assert lists.told(REMOVE, LATER) == ["alice"]
    lists.stays.ask_again([lists.row().pk], LATER + HOUR, "no", is_failed=True)
    assert lists.told(REMOVE, LATER) == []
    (one,) = tally_lists(lists.alias)
    assert (one.requested, one.taken, one.oldest_at, one.error) == (1, 0, LATER, "no")
    assert lists.told(REMOVE, LATER + HOUR) == ["alice"]
    (one,) = tally_lists(lists.alias)
    assert (one.requested, one.taken) == (0, 1)


def test_who_comes_again_waits_until_they_are_off(lists: Lists) -> None:
    lists.on_it(ended=Reason.FINISHED)
    _signal(SignalKind.ORDER)(lists)
    assert lists.told(REMOVE, LATER) == ["alice"]
    lists.put(journey="other")
    lists.judge()
    assert lists.told(ADD) == []
    lists.stays.settle([models.Stay.objects.using(lists.alias).earliest("pk").pk], LATER)
    assert lists.told(ADD) == ["alice"]
    assert list(lists.stays.everybody(OUTLET, "lapsed")) == ["alice"]
    assert [one.reason for one in load_stays_of(lists.alias, "alice")] == ["order", ""]


def test_of_two_stays_on_one_list_the_longer_counts(lists: Lists) -> None:
    lists.on_it(until=2 * DAY)
    lists.on_it(journey="other")
    lists.stays.end_overdue(START + 3 * DAY)
    lists.stays.spare(OUTLET, START + 3 * DAY)
    assert lists.told(REMOVE, START + 3 * DAY) == []
    assert list(lists.stays.everybody(OUTLET, "lapsed")) == ["alice"]
    lists.book.record([order_signal("alice", START + 3 * DAY, "s", "1")], START + 3 * DAY)
    assert lists.told(REMOVE, START + 3 * DAY) == ["alice"]


def test_two_people_of_one_address_go_together(lists: Lists) -> None:
    lists.on_it("alice")
    lists.on_it("bob")
    models.Stay.objects.using(lists.alias).update(member="shared")
    _signal(SignalKind.ORDER)(lists)
    assert [lists.row(one).reason for one in ("alice", "bob")] == ["order", "order"]
    assert lists.told(REMOVE, LATER) == ["shared"]


def test_a_paused_journey_puts_nobody_on_a_list_and_takes_people_off(lists: Lists) -> None:
    lists.on_it("bob")
    lists.put()
    lists.judge()
    lists.book.pause("lapsed", START)
    assert lists.told(ADD) == []
    lists.book.record([order_signal("bob", LATER, "shop", "1")], LATER)
    assert lists.told(REMOVE, LATER) == ["bob"]


def test_who_turns_out_to_be_somebody_who_returned_is_judged_at_once(lists: Lists) -> None:
    lists.on_it("alice")
    lists.book.save_people([Person("alan", "alan@example.com", "GB")])
    lists.book.record([order_signal("alan", START + HOUR, "shop", "1")], LATER)
    link = Link("alan", "alice", JoinReason.SAME_EMAIL, "x")
    lists.book.persons.apply(IdentityChange([link], [], []), LATER)
    assert [why for _, why in lists.judge(LATER)] == [Reason.ORDER]
    assert lists.row().reason == "order"
    lists.book.persons.part(["alan"], LATER + HOUR, by="ann")
    assert lists.row().requested_at == LATER


def test_a_suppression_reaches_whoever_shares_the_address(lists: Lists) -> None:
    lists.on_it(ended=Reason.FINISHED)
    lists.book.save_people([Person("carol", "alice@example.com", "GB")])
    never = Suppression(None, Purpose.MARKETING, "complaint")
    lists.book.suppress("carol", never.channel, reason=never.reason, at=LATER)
    assert lists.row().requested_at == LATER
