"""What is reported takes effect at once: purchases end journeys, links join people."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import pytest

from rekindle.gate import Enrolment
from rekindle.intake import read_event
from rekindle.journeys import JourneyVersion, Trigger, parse_journey
from rekindle.journeys import Person as Known
from rekindle.ledger import History, Inbox, Taken, load_counts, ready_events
from rekindle.ledger.intake_models import Alias
from rekindle.ledger.intake_models import Event as Row
from rekindle.ledger.models import Consent, Person, Signal, Touch
from rekindle.ledger.models import Enrolment as Enrolled
from rekindle.runtime import Workspace
from rekindle.vocabulary import Arm
from tests.web.api.fake_intake import NOW

HOUR = timedelta(hours=1)
JOURNEY = """\
journey: calm
enter: {audience: orders_count >= 1}
goal: {on: order, within: 30 days}
holdout: none
steps:
  - send: {channel: email, template: check-in}
"""


class Reporter:
    """Reports events and looks at what became of them."""

    def __init__(self, space: Workspace) -> None:
        self.alias = space.ledger
        self.book = space.book
        self._inbox = Inbox(space.ledger, space.book)

    def take(self, *calls: dict[str, Any], at: datetime = NOW) -> Taken:
        events = [read_event({"type": "track", **call}, received_at=at) for call in calls]
        return self._inbox.take("web", ready_events(self.alias, events), at)

    def enrol(self, person: str, *, entered_at: datetime = NOW - HOUR) -> None:
        journey = parse_journey(JOURNEY, name_hint="calm")
        version = JourneyVersion(journey, 1, 0.0, "salt", entered_at)
        self.book.start(version)
        enrolment = Enrolment(
            person=person,
            journey="calm",
            version=1,
            rotation=0,
            arm=Arm.TREATMENT,
            entered_at=entered_at,
            last_order_at=None,
            position=0,
            ready_at=entered_at,
            due_at=NOW + 30 * HOUR,
        )
        self.book.enrol([enrolment])

    def ended(self, person: str) -> str | None:
        person = self.book.persons.find([person])[person]
        row = Enrolled.objects.using(self.alias).get(person_id=person)
        return None if row.ended_reason is None else str(row.ended_reason)

    def signals(self) -> list[tuple[str, str]]:
        """Return who did what, as the ledger answers when it is asked about a person."""
        history = History(self.alias)
        people = Row.objects.using(self.alias).exclude(person=None).values_list("person", flat=True)
        cards = Person.objects.using(self.alias).values_list("id", flat=True)
        return [
            (person, entry.kind.value)
            for person in sorted({*people, *cards})
            for entry in history.signals_of(person)
        ]


@pytest.fixture
def reporter(space: Workspace) -> Reporter:
    return Reporter(space)


def order(number: str = "1", **given: Any) -> dict[str, Any]:
    content = {"order_id": number, "revenue": 25}
    return {"event": "Order Completed", "userId": "ada", "properties": content, **given}


def stated(at: datetime) -> dict[str, str]:
    return {"timestamp": at.isoformat()}


def test_a_purchase_ends_the_enrolment_in_its_transaction(reporter: Reporter) -> None:
    reporter.enrol("ada")
    assert reporter.take(order()).ended == 1
    assert load_counts(reporter.alias)["returned",] == 1
    assert reporter.ended("ada") == "order"


def test_a_purchase_older_than_the_enrolment_ends_nothing(reporter: Reporter) -> None:
    reporter.enrol("ada")
    assert reporter.take(order(**stated(NOW - 2 * HOUR))).ended == 0
    assert reporter.ended("ada") is None


@pytest.mark.parametrize("ahead", [timedelta(minutes=5), timedelta(days=400)])
def test_a_purchase_from_the_future_counts_from_now(reporter: Reporter, ahead: timedelta) -> None:
    reporter.enrol("ada")
    assert reporter.take(order(**stated(NOW + ahead))).ended == 1
    assert Signal.objects.using(reporter.alias).get().at == NOW


def test_a_repetition_changes_nothing(reporter: Reporter) -> None:
    call = order(messageId="m1")
    assert reporter.take(call, call).repeated == 1
    assert reporter.take(call) == Taken(1, 1, 0)
    assert reporter.signals() == [("ada", "order")]


def test_an_order_told_twice_under_two_ids_is_one_purchase(reporter: Reporter) -> None:
    reporter.take(order(messageId="m1"), order(messageId="m2"))
    assert reporter.signals() == [("ada", "order")]


def test_two_sources_may_use_the_same_message_id(reporter: Reporter, space: Workspace) -> None:
    event = read_event({"type": "track", **order(messageId="m1")}, received_at=NOW)
    inbox = Inbox(space.ledger, space.book)
    taken = [
        inbox.take(source, ready_events(space.ledger, [event]), NOW) for source in ("web", "app")
    ]
    assert [one.repeated for one in taken] == [0, 0]


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        ("Unsubscribed", "opt_out"),
        ("Email Marked as Spam", "complaint"),
        ("Email Bounced", "bounce"),
    ],
)
def test_what_stops_a_person_stops_them_at_once(
    reporter: Reporter, event: str, reason: str
) -> None:
    reporter.enrol("ada")
    reporter.take({"event": event, "userId": "ada"})
    assert reporter.ended("ada") == reason


def test_an_event_for_nobody_waits_until_somebody_is_known(reporter: Reporter) -> None:
    view = {"event": "Product Viewed", "anonymousId": "visitor", "messageId": "1"}
    assert reporter.take(view) == Taken(1, 0, 0)
    assert reporter.signals() == []
    reporter.take({"type": "identify", "userId": "ada", "anonymousId": "visitor"})
    reporter.take({**view, "messageId": "2"})
    assert reporter.signals() == [("ada", "view")]


def test_a_link_holds_within_its_own_batch(reporter: Reporter) -> None:
    login = {"event": "Signed In", "userId": "ada", "anonymousId": "visitor"}
    reporter.take(login, {"event": "Product Viewed", "anonymousId": "visitor"})
    assert sorted(reporter.signals()) == [("ada", "login"), ("ada", "view")]


def test_a_purchase_under_either_id_ends_the_journeys_of_both(reporter: Reporter) -> None:
    reporter.enrol("old-ada")
    reporter.take({"type": "alias", "previousId": "old-ada", "userId": "ada"})
    reporter.take(order())
    assert reporter.ended("old-ada") == "order"


def test_a_visitor_cannot_take_the_place_of_a_customer(reporter: Reporter) -> None:
    reporter.take({"event": "Signed In", "userId": "eve", "anonymousId": "ada"})
    reporter.take(order())
    assert ("ada", "order") in reporter.signals()
    assert ("eve", "order") not in reporter.signals()


def who_is(reporter: Reporter, *ids: str) -> list[str]:
    rows = Alias.objects.using(reporter.alias).filter(pk__in=ids)
    return [person for _, person in sorted(rows.values_list("pk", "person"))]


def test_a_repeated_call_teaches_nothing_of_who_is_who(reporter: Reporter) -> None:
    first = {"type": "identify", "userId": "ada", "anonymousId": "phone", "messageId": "1"}
    reporter.take(first)
    reporter.take({**first, "userId": "bob", "messageId": "2"}, at=NOW + HOUR)
    taken = reporter.take(first, at=NOW + 2 * HOUR)
    assert (taken.repeated, who_is(reporter, " phone")) == (1, ["bob"])
    old = {"type": "alias", "userId": "ada", "previousId": "cem", "messageId": "3"}
    reporter.take(old)
    reporter.book.persons.part(["cem"], NOW + HOUR, by="somebody")
    reporter.take(old, at=NOW + 2 * HOUR)
    assert who_is(reporter, "cem") == []


def test_of_who_a_visitor_is_the_newest_word_counts_whenever_it_comes(reporter: Reporter) -> None:
    def said(who: str, before: timedelta) -> dict[str, Any]:
        at = (NOW - before).isoformat()
        return {"type": "identify", "userId": who, "anonymousId": "phone", "timestamp": at}

    reporter.take(said("bob", HOUR))
    reporter.take(said("ada", 72 * HOUR))
    assert who_is(reporter, " phone") == ["bob"]
    reporter.take(said("cem", timedelta()), said("ada", 2 * HOUR))
    assert who_is(reporter, " phone") == ["cem"]


def test_aliases_that_go_in_a_circle_do_no_harm(reporter: Reporter) -> None:
    for one, other in (("a", "b"), ("b", "c"), ("c", "a"), ("a", "a")):
        reporter.take({"type": "alias", "previousId": one, "userId": other})
    reporter.take(order(userId="a"))
    assert {kind for _, kind in reporter.signals()} == {"order"}


def test_an_identify_changes_only_what_it_says(reporter: Reporter) -> None:
    first = {"email": "ada@example.com", "firstName": "Ada", "address": {"country": "GB"}}
    reporter.take({"type": "identify", "userId": "ada", "traits": first})
    reporter.take({"type": "identify", "userId": "ada", "traits": {"lastName": "King"}})
    card = Person.objects.using(reporter.alias).get(pk="ada")
    assert (card.address, card.country) == ("ada@example.com", "GB")
    assert card.properties == {"first_name": "Ada", "last_name": "King"}


def test_a_statement_is_recorded_once_until_it_changes(reporter: Reporter) -> None:
    for number, granted in enumerate((True, True, False)):
        consent = {"email": granted, "wording": "Send me offers"}
        call = {"type": "identify", "userId": "ada", "traits": {"consent": consent}}
        reporter.take(call, at=NOW + number * HOUR)
    records = Consent.objects.using(reporter.alias).order_by("at")
    assert [record.granted for record in records] == [True, False]
    assert records[0].wording == "Send me offers"


def test_what_was_reported_of_an_erased_person_is_forgotten_but_for_what_was_bought(
    reporter: Reporter,
) -> None:
    who = {"userId": "ada", "context": {"traits": {"email": "ada@example.com"}}}
    bought = {"order_id": "1", "revenue": 25, "email": "ada@example.com", "address": "1 High St"}
    reporter.take(
        {"type": "identify", "traits": {"email": "ada@example.com"}, "messageId": "1", **who},
        {"event": "Product Viewed", "messageId": "2", "anonymousId": "phone", **who},
        {**order(messageId="3", properties=bought), **who},
    )
    reporter.book.erase("ada", NOW)
    rows = Row.objects.using(reporter.alias).order_by("message_id")
    assert [json.loads(row.payload) for row in rows] == [
        {},
        {},
        {"properties": {"order_id": "1", "revenue": 25}},
    ]
    assert [row.exported_at for row in rows] == [NOW, NOW, None]
    assert {row.anonymous_id for row in rows} == {None}


@pytest.mark.parametrize(
    ("name", "said", "channel"),
    [
        ("Unsubscribed", {}, None),
        ("Unsubscribed", {"channel": "email"}, "email"),
        ("Email Marked as Spam", {}, None),
    ],
)
@pytest.mark.parametrize("is_one_batch", [True, False])
def test_a_no_of_a_visitor_is_the_no_of_who_they_turn_out_to_be(
    reporter: Reporter, name: str, said: dict[str, str], channel: str | None, is_one_batch: bool
) -> None:
    reporter.enrol("ada")
    calls: list[dict[str, Any]] = [
        {"event": name, "anonymousId": "phone", "messageId": "1", "properties": said},
        {"type": "identify", "userId": "ada", "anonymousId": "phone", "messageId": "2"},
    ]
    for batch in [calls] if is_one_batch else [[call] for call in calls]:
        reporter.take(*batch)
    (found,) = History(reporter.alias).suppressions_of("ada")
    assert found.channel == channel
    assert reporter.ended("ada") in {"opt_out", "complaint"}
    before = Signal.objects.using(reporter.alias).count()
    reporter.take({"type": "page", "userId": "ada", "anonymousId": "phone", "messageId": "3"})
    assert Signal.objects.using(reporter.alias).count() == before


def test_a_no_that_a_page_reports_of_a_visitor_is_nobodys(reporter: Reporter) -> None:
    call = {"event": "Unsubscribed", "anonymousId": "phone", "messageId": "visitor:1"}
    reporter.take(call)
    reporter.take({"type": "identify", "userId": "ada", "anonymousId": "phone", "messageId": "2"})
    assert History(reporter.alias).suppressions_of("ada") == []


def test_an_older_word_that_arrives_late_does_not_change_a_card(reporter: Reporter) -> None:
    """Also where the newer one only repeated what a file had told."""
    reporter.book.save_people([Known("ada", "ada@example.com")])
    for number, mail in enumerate(("ada@example.com", "old@example.com")):
        call = {"type": "identify", "userId": "ada", "traits": {"email": mail}}
        reporter.take({**call, "messageId": mail, **stated(NOW - (1 + 4 * number) * HOUR)})
    assert Person.objects.using(reporter.alias).get(pk="ada").address == "ada@example.com"


def test_reports_under_a_persons_other_ids_are_forgotten_with_them(reporter: Reporter) -> None:
    reporter.take(
        {"type": "page", "anonymousId": "phone", "messageId": "1"},
        {"type": "identify", "userId": "old", "traits": {"email": "a@b.cc"}, "messageId": "2"},
        {"type": "alias", "userId": "ada", "previousId": "old", "messageId": "3"},
        {"type": "page", "userId": "ada", "anonymousId": "phone", "messageId": "4"},
    )
    reporter.book.erase("ada", NOW)
    rows = Row.objects.using(reporter.alias)
    assert {row.payload for row in rows} == {"{}"}
    assert not rows.filter(exported_at=None)


def test_an_erased_person_does_not_come_back_by_another_name(reporter: Reporter) -> None:
    reporter.book.erase("ada", NOW)
    alias = {"type": "alias", "userId": "ada2", "previousId": "ada", "messageId": "1"}
    other = {"type": "alias", "userId": "ada", "previousId": "bob", "messageId": "2"}
    assert reporter.take(alias, other).erased == {"1", "2"}
    again = {"type": "identify", "userId": "ada", "messageId": "3", "traits": {"email": "a@b.cc"}}
    assert reporter.take(again).erased == {"3"}
    assert reporter.take({"type": "page", "userId": "bob"}).erased == frozenset()


def test_an_event_that_is_called_like_a_kind_is_none(reporter: Reporter) -> None:
    reporter.take({"event": "Opt Out", "userId": "ada"}, {"event": "View", "userId": "ada"})
    assert reporter.signals() == [("ada", "event"), ("ada", "event")]
    trigger = Trigger("view", times=1, within=HOUR)
    assert reporter.book.triggered(trigger, since=NOW - HOUR, at=NOW) == {}


def test_an_order_identified_while_it_is_exported_is_exported_again(
    reporter: Reporter, space: Workspace
) -> None:
    inbox = Inbox(space.ledger, space.book)
    reporter.take({**order(messageId="1"), "userId": None, "anonymousId": "phone"})
    read = inbox.spooled(limit=10)
    reporter.take({"type": "page", "userId": "ada", "anonymousId": "phone", "messageId": "2"})
    inbox.mark_exported(read, NOW)
    assert [(one.message_id, one.person) for one in inbox.spooled(limit=10)] == [
        ("1", "ada"),
        ("2", "ada"),
    ]


def test_what_someone_did_is_kept_once_as_its_report(reporter: Reporter) -> None:
    reporter.take({"event": "Product Viewed", "userId": "ada"}, order())
    assert reporter.signals() == [("ada", "view"), ("ada", "order")]
    assert Signal.objects.using(reporter.alias).get().kind == "order"
    assert Row.objects.using(reporter.alias).get(name="product_viewed").deed == "view"
    assert Row.objects.using(reporter.alias).get(name="order_completed").deed is None


def test_someone_who_only_looked_around_can_be_forgotten_too(reporter: Reporter) -> None:
    reporter.take({"event": "Product Viewed", "userId": "guest"})
    assert History(reporter.alias).person("guest") is not None
    reporter.book.erase("guest", NOW)
    again = {"event": "Product Viewed", "userId": "guest", "messageId": "2"}
    assert reporter.take(again).erased == {"2"}


def test_an_erased_person_stays_erased(reporter: Reporter) -> None:
    reporter.take({"type": "identify", "userId": "ada", "messageId": "1"}, order(messageId="2"))
    Person.objects.using(reporter.alias).filter(pk="ada").update(erased_at=NOW)
    traits = {"email": "ada@example.com"}
    again = {"type": "identify", "userId": "ada", "messageId": "3", "traits": traits}
    assert reporter.take(again).erased == {"3"}
    assert Person.objects.using(reporter.alias).get(pk="ada").address is None
    assert not Row.objects.using(reporter.alias).filter(message_id="3").exists()


@pytest.mark.parametrize(("age", "counted"), [(0, 0), (9, 0), (10, 1), (3600, 1)])
def test_a_click_within_ten_seconds_is_a_machine(
    reporter: Reporter, age: int, counted: int
) -> None:
    reporter.enrol("ada")
    Touch.objects.using(reporter.alias).create(
        enrolment=Enrolled.objects.using(reporter.alias).get(),
        person_id="ada",
        version=1,
        step="check-in",
        channel="email",
        state="accepted",
        at=NOW - HOUR,
        is_marketing=True,
        not_before=NOW - HOUR,
        expires_at=NOW,
        accepted_at=NOW - timedelta(seconds=age),
    )
    reporter.take({"event": "Email Link Clicked", "userId": "ada"})
    assert len(reporter.signals()) == counted
    assert Row.objects.using(reporter.alias).get().is_machine is (counted == 0)


def test_a_batch_is_kept_whole_or_not_at_all(
    space: Workspace, reporter: Reporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(space.book), "end_by", lambda *_, **__: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        reporter.take(order(), {"event": "Product Viewed", "userId": "ada"})
    assert Row.objects.using(reporter.alias).count() == 0
