"""A key that anyone can read in a page speaks for its own visitor, and for nobody else."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from rekindle.intake import MEANINGS
from rekindle.ledger import ApiKeys, Scope, models
from rekindle.ledger.intake_models import Event
from rekindle.runtime import Workspace
from rekindle.vocabulary import SignalKind
from rekindle.web.api import build_api
from rekindle.web.api.app import build_routes
from rekindle.worker import LedgerIntake
from tests.web.api.caller import Caller, serving
from tests.web.api.fake_intake import NOW

PAGE = {"type": "page", "name": "Home"}
ALLOWED = ("Product Viewed", "Product Added", "Cart Viewed", "Checkout Started", "Page Viewed")
CALLS: dict[str, dict[str, Any]] = {
    "identify": {"anonymousId": "v1", "traits": {"firstName": "Eve"}},
    "alias": {"userId": "ada", "previousId": "v1"},
    "group": {"userId": "ada", "groupId": "g"},
    "track": {"anonymousId": "v1", "event": "Product Viewed"},
    "page": {"anonymousId": "v1", "name": "Home"},
    "screen": {"anonymousId": "v1", "name": "Home"},
}
SHORT = {"i": "identify", "a": "alias", "g": "group", "t": "track", "p": "page", "s": "screen"}
MAY = {
    Scope.EVENTS: set(CALLS),
    Scope.BROWSER: {"identify", "track", "page", "screen"},
    Scope.BEHAVIOUR: {"track", "page", "screen"},
    Scope.METRICS: set(),
}


@pytest.fixture
def callers(space: Workspace, intake: LedgerIntake) -> Iterator[dict[Scope, Caller]]:
    """Yield a caller for each scope, all of one source."""
    keys = ApiKeys(space.ledger)
    with serving(build_api(intake)) as port:
        yield {
            scope: Caller(port, keys.create(scope.value, source="web", scopes=[scope], at=NOW))
            for scope in Scope
        }


@pytest.fixture
def browser(callers: dict[Scope, Caller]) -> Caller:
    return callers[Scope.BROWSER]


@pytest.fixture
def server(callers: dict[Scope, Caller]) -> Caller:
    return callers[Scope.EVENTS]


def signals(space: Workspace) -> list[tuple[str, str]]:
    rows = models.Signal.objects.using(space.ledger)
    return list(rows.values_list("person_id", "kind"))


def deeds(space: Workspace) -> list[tuple[str | None, str | None]]:
    rows = Event.objects.using(space.ledger).order_by("id")
    return list(rows.values_list("person", "deed"))


def test_every_address_asks_every_scope(intake: LedgerIntake, callers: dict[Scope, Caller]) -> None:
    asked = 0
    for route in build_routes(intake):
        word = route.path.rpartition("/")[2]
        call = CALLS.get(SHORT.get(word, word))
        if call is None:
            continue
        for scope, caller in callers.items():
            answer = caller.post(route.path, {**call, "messageId": f"{scope} {word}"})
            is_taken = answer.status == 200 and not answer.reasons
            assert is_taken is (SHORT.get(word, word) in MAY[scope]), (route.path, scope)
            asked += 1
    assert asked == len(CALLS) * 2 * len(Scope)


@pytest.mark.parametrize("scope", [Scope.BROWSER, Scope.BEHAVIOUR])
def test_a_claimed_customer_is_not_believed(
    space: Workspace, callers: dict[Scope, Caller], scope: Scope
) -> None:
    answer = callers[scope].send(
        {"type": "track", "event": "Product Added", "userId": "ada", "anonymousId": "v9"},
        {"type": "track", "event": "Product Viewed", "userId": "ada"},
        {**PAGE, "userId": "ada"},
    )
    assert answer.status == 200
    assert [note["index"] for note in answer.document["notes"]] == [0, 1, 2]
    assert deeds(space) == [(None, None)] * 3
    assert signals(space) == []
    assert not models.Person.objects.using(space.ledger).filter(pk="ada").exists()


def test_a_visitor_whom_the_server_knows_is_a_person(
    space: Workspace, browser: Caller, server: Caller
) -> None:
    server.send({"type": "identify", "userId": "ada", "anonymousId": "v1", "traits": {}})
    browser.send(
        {"type": "track", "event": "Product Viewed", "anonymousId": "v1"},
        {"type": "identify", "userId": "bob", "anonymousId": "v1", "traits": {"firstName": "Ada"}},
    )
    assert deeds(space)[1:] == [("ada", "view"), ("ada", None)]
    card = space.history.person("ada")
    assert card is not None
    assert card.properties == {"first_name": "Ada"}
    assert space.history.person("bob") is None


@pytest.mark.parametrize("traits", [{"email": "eve@example.org"}, {"email_consent": True}])
def test_a_page_cannot_change_the_card_of_somebody_else(
    space: Workspace, browser: Caller, server: Caller, traits: dict[str, Any]
) -> None:
    server.send({"type": "identify", "userId": "ada", "traits": {"email": "ada@example.org"}})
    browser.send(
        {"type": "identify", "userId": "ada", "traits": traits},
        {"type": "identify", "userId": "ada", "anonymousId": "mine", "traits": traits},
    )
    card = space.history.person("ada")
    assert card is not None
    assert card.address == "ada@example.org"
    assert not models.Consent.objects.using(space.ledger).exists()
    server.send({"type": "track", "event": "X", "userId": "eve", "anonymousId": "mine"})
    assert space.history.person("ada") == card


def test_a_page_names_no_address_and_says_no_yes_even_of_its_own_visitor(
    space: Workspace, browser: Caller, server: Caller
) -> None:
    traits = {"email": "ada@example.org", "phone": "+44 20 7946 0000"}
    server.send({"type": "identify", "userId": "ada", "anonymousId": "v1", "traits": traits})
    card = space.history.person("ada")
    assert card is not None
    said = {"email": "victim@example.org", "phone": "+44 20 7946 0001", "emailVerified": True}
    answer = browser.send(
        {"type": "identify", "anonymousId": "v1", "traits": {**said, "consent": {"email": True}}},
        {"type": "identify", "anonymousId": "v1", "traits": {"consent": {"sms": False}}},
    )
    assert [note["note"].split(" was")[0] for note in answer.document["notes"]] == [
        "email",
        "phone",
        "a yes",
    ]
    assert space.history.person("ada") == card
    said_last = models.Consent.objects.using(space.ledger).values_list("channel", "granted")
    assert list(said_last) == [("sms", False)]


@pytest.mark.long
def test_what_a_page_says_is_no_evidence_of_who_is_one(
    space: Workspace, browser: Caller, server: Caller
) -> None:
    """The way of the report into the lake leaves out what a page said, whoever it was then."""
    browser.send({"type": "identify", "anonymousId": "v1", "traits": {"email": "bob@example.org"}})
    for who, visitor in (("bob", "b"), ("eve", "v1")):
        traits = {"email": f"{who}@example.org", "firstName": who}
        call = {"type": "identify", "userId": who, "anonymousId": visitor, "traits": traits}
        server.send(call)
    browser.send(
        {
            "type": "identify",
            "anonymousId": "v1",
            "traits": {"email": "bob@example.org", "firstName": "Bob", "createdAt": "2001-01-01"},
        }
    )
    space.import_facts()
    cards = space.engine.run(space.facts.customers.order_by("customer_id")).to_pylist()
    assert [(one["customer_id"], one["email"]) for one in cards] == [
        ("bob", "bob@example.org"),
        ("eve", "eve@example.org"),
    ]
    assert cards[1]["first_name"] == "eve"
    assert space.book.persons.known() == {}


def test_a_visitor_who_calls_themselves_like_a_customer_is_nobodys(
    space: Workspace, browser: Caller, server: Caller
) -> None:
    browser.send({**PAGE, "anonymousId": "c100", "messageId": "before"})
    server.send({"type": "identify", "userId": "c100", "traits": {"email": "ada@example.org"}})
    server.send({"type": "alias", "previousId": "c100", "userId": "ada"})
    browser.send({**PAGE, "anonymousId": "c100"})
    assert space.book.persons.find(["c100"]) == {"c100": "ada"}
    visits = [who for who, deed in deeds(space) if deed == "visit"]
    assert visits == []
    assert [who for who, deed in deeds(space)].count(None) == 2


def test_a_page_joins_nobody(space: Workspace, browser: Caller, server: Caller) -> None:
    server.send({"type": "identify", "userId": "ada", "anonymousId": "v1", "traits": {}})
    call = {"userId": "eve", "previousId": "ada", "anonymousId": "v2"}
    for word in ("identify", "page", "track"):
        browser.send({**call, "type": word, "event": "Cart Viewed", "traits": {}})
    assert browser.send({**call, "type": "alias"}).reasons == ["not_allowed"]
    browser.send({**PAGE, "anonymousId": "v2"})
    assert space.book.persons.ids_of("ada") == [" v1"]
    assert {who for who, deed in deeds(space) if deed is not None} == set()


def test_only_what_a_visitor_does_is_taken(space: Workspace, browser: Caller) -> None:
    names = sorted({*MEANINGS, "my_own_event", "cart_abandoned"} - {"product_viewed"})
    names = [name for name in names if MEANINGS.get(name) is None or not is_look(name)]
    order = {"order_id": "1", "revenue": 5}
    answer = browser.send(
        *({"type": "track", "event": n, "anonymousId": "v1", "properties": order} for n in names)
    )
    assert answer.reasons == ["not_allowed"] * len(names)
    answer = browser.send(*({"type": "track", "event": n, "anonymousId": "v1"} for n in ALLOWED))
    assert answer.document == {"success": True}
    assert signals(space) == []


def test_a_page_cannot_use_up_the_message_id_of_a_server(
    space: Workspace, browser: Caller, server: Caller
) -> None:
    browser.send({**PAGE, "anonymousId": "v1", "messageId": "unsubscribe-ada"})
    server.send(
        {"type": "track", "event": "Unsubscribed", "userId": "ada", "messageId": "unsubscribe-ada"}
    )
    assert ("ada", SignalKind.OPT_OUT.value) in signals(space)


def test_a_long_message_id_is_told_apart_too(space: Workspace, browser: Caller) -> None:
    for end in "ab":
        browser.send({**PAGE, "anonymousId": "v1", "messageId": "x" * 199 + end})
        browser.send({**PAGE, "anonymousId": "v1", "messageId": "x" * 199 + end})
    assert len(deeds(space)) == 2


def is_look(name: str) -> bool:
    return MEANINGS[name].kind in (SignalKind.VIEW, SignalKind.VISIT)
