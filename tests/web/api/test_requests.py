"""Events are kept or refused one by one, and a key may do what it was made for."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from rekindle.clock import MovableClock
from rekindle.ledger import ApiKeys, Scope
from rekindle.ledger.intake_models import ApiKey
from rekindle.ledger.intake_models import Event as Row
from rekindle.runtime import Workspace
from rekindle.web.api import build_api
from rekindle.worker import LedgerIntake
from rekindle.worker.taking import KEY_IS_TRUSTED_SECONDS
from tests.web.api.caller import Caller, serving
from tests.web.api.fake_intake import NOW


def kept(space: Workspace) -> int:
    return Row.objects.using(space.ledger).count()


def test_five_hundred_events_are_a_batch_and_one_more_is_none(
    space: Workspace, caller: Caller
) -> None:
    calls = [caller.track("X", messageId=str(number)) for number in range(501)]
    refused = caller.send(*calls)
    assert refused.status == 413
    assert "501 events" in refused.document["error"]
    assert kept(space) == 0
    assert caller.send(*calls[:500]).document == {"success": True}
    assert kept(space) == 500


def test_of_calls_that_name_no_time_the_later_counts_as_the_later(
    space: Workspace, caller: Caller
) -> None:
    caller.send(*(caller.track("X", messageId=id_) for id_ in ("b", "a", "c")))
    rows = Row.objects.using(space.ledger).order_by("at")
    assert [row.message_id for row in rows] == ["b", "a", "c"]


def test_a_bad_event_is_refused_by_itself(space: Workspace, caller: Caller) -> None:
    good = [caller.track("X", messageId=f"good-{n}") for n in range(2)]
    bad = [
        caller.track("X", messageId="bad-1", timestamp="yesterday"),
        7,
        caller.track("X", properties={"note": "a\x00b"}),
        caller.track("X", properties={"note": "\ud800"}),
        caller.track("X", userId={"id": 1}),
        {"type": "track", "event": "X"},
        {"type": "track", "event": "", "messageId": "half-\ud800"},
    ]
    answer = caller.send(good[0], *bad, good[1])
    assert answer.status == 200
    assert answer.document["accepted"] == 2
    assert answer.reasons == [
        "bad_time",
        "not_an_object",
        "bad_text",
        "bad_text",
        "bad_field",
        "missing_id",
        "bad_text",
    ]
    assert answer.document["refused"][0]["index"] == 1
    told = [one["messageId"] for one in answer.document["refused"]]
    assert (told[0], told[-1]) == ("bad-1", "half-?")
    assert kept(space) == 2


def test_any_text_comes_back_as_it_was_sent(space: Workspace, caller: Caller) -> None:
    note = 'Grüße, 世界 😀 \\u0000 "quoted" \'); drop table ledger_event; --'
    caller.send(caller.track("Größe gewählt", userId="zoë 😀", properties={"note": note}))
    row = Row.objects.using(space.ledger).get()
    assert (row.person, row.name) == ("zoë 😀", "größe_gewählt")
    assert json.loads(row.payload)["properties"]["note"] == note


@pytest.mark.parametrize("number", ["1" * 5000, "NaN", "-Infinity", "[" * 400 + "]" * 400], ids=len)
def test_a_value_nobody_can_keep_spoils_only_its_own_event(
    space: Workspace, caller: Caller, number: str
) -> None:
    good = json.dumps(caller.track("X"))
    bad = good[:-1] + f', "properties": {{"n": {number}}}}}'
    answer = caller.ask("POST", "/v1/batch", f'{{"batch": [{good}, {bad}]}}'.encode())
    assert (answer.status, answer.reasons) == (200, ["bad_value"])
    assert kept(space) == 1


def test_a_revoked_key_stops_within_seconds(
    space: Workspace, caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    ages = iter([0.0, KEY_IS_TRUSTED_SECONDS])
    monkeypatch.setattr("rekindle.worker.taking.stopwatch", lambda: lambda: next(ages))
    assert caller.send(caller.track("X")).status == 200
    ApiKeys(space.ledger).revoke("shop", at=NOW)
    assert caller.send(caller.track("X")).status == 200  # still trusted
    assert caller.send(caller.track("X")).status == 401


def test_a_key_notes_its_use_at_most_once_an_hour(space: Workspace, secret: str) -> None:
    keys, clock = ApiKeys(space.ledger), space.clock
    assert isinstance(clock, MovableClock)
    keys.find(secret, at=NOW)
    keys.find(secret, at=NOW + timedelta(minutes=59))
    assert keys.all()[0].last_used_at == NOW
    keys.find(secret, at=NOW + timedelta(minutes=60))
    assert keys.all()[0].last_used_at == NOW + timedelta(minutes=60)


def test_the_ledger_does_not_know_a_secret(space: Workspace, secret: str) -> None:
    row = ApiKey.objects.using(space.ledger).get()
    assert secret.startswith("rk_")
    assert secret not in [str(value) for value in vars(row).values()]


def test_a_public_key_reports_behaviour_and_nothing_else(
    space: Workspace, intake: LedgerIntake
) -> None:
    keys = ApiKeys(space.ledger)
    public = keys.create("page", source="page", scopes=[Scope.BEHAVIOUR], at=NOW)
    with serving(build_api(intake)) as port:
        visitor = Caller(port, public)
        assert visitor.post("/v1/identify", {"userId": "ada"}).status == 403
        assert visitor.post("/v1/track", visitor.track("Product Viewed")).status == 200
        answer = visitor.send(
            visitor.track("Product Viewed", messageId="2"),
            visitor.track("Order Completed", properties={"order_id": "1", "revenue": 5}),
            visitor.track("Unsubscribed"),
            {"type": "identify", "userId": "ada", "traits": {"email": "eve@example.com"}},
        )
    assert answer.reasons == ["not_allowed"] * 3
    assert kept(space) == 2


@pytest.mark.parametrize(
    ("path", "call"),
    [
        ("/v1/track", {"userId": "ada", "event": "X"}),
        ("/v1/t", {"userId": "ada", "event": "X", "type": "nonsense"}),
        ("/v1/page", {"userId": "ada", "name": "Home"}),
        ("/v1/identify", {"userId": "ada", "traits": {"email": "ada@example.com"}}),
        ("/v1/alias", {"userId": "ada", "previousId": "visitor"}),
        ("/v1/group", {"userId": "ada", "groupId": "team", "traits": {"plan": "gold"}}),
        ("/v1/import", {"batch": [{"type": "screen", "userId": "ada"}]}),
    ],
)
def test_every_address_takes_its_call(
    space: Workspace, caller: Caller, path: str, call: dict[str, Any]
) -> None:
    answer = caller.post(path, call)
    assert (answer.status, answer.document) == (200, {"success": True})
    assert kept(space) == 1


def test_a_bad_trait_is_noted_and_the_rest_is_taken(caller: Caller) -> None:
    traits = {"firstName": "Ada", "timezone": "Mars/Olympus"}
    answer = caller.post("/v1/identify", {"userId": "ada", "traits": traits})
    (note,) = answer.document["notes"]
    assert "Mars/Olympus" in note["note"]
