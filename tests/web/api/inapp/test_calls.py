"""A server asks for anybody, a browser for whom its token names, and neither too much."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from rekindle.ledger import ApiKey, Scope
from rekindle.web.api import build_api
from rekindle.web.api.app import build_routes
from rekindle.web.api.inapp import sign_person
from rekindle.web.api.inapp.allowance import Allowance
from rekindle.web.api.inapp.views import InApp
from tests.web.api.caller import Caller, serving
from tests.web.api.fake_intake import NOW, FakeIntake
from tests.web.api.inapp.fake_kept import KEY, SECRET, FakeKept

HOUR = timedelta(hours=1)
SHOP = "https://shop.example"
KEYS = {
    "server": frozenset({Scope.EVENTS}),
    "browser": frozenset({Scope.BROWSER}),
    "behaviour": frozenset({Scope.BEHAVIOUR}),
}


class Keys(FakeIntake):
    def key_of(self, secret: str) -> ApiKey | None:
        return ApiKey(secret, "web", KEYS[secret], NOW) if secret in KEYS else None


@pytest.fixture
def kept() -> FakeKept:
    return FakeKept()


@pytest.fixture
def port(kept: FakeKept) -> Iterator[int]:
    with serving(build_api(Keys(), kept=kept, origins=[SHOP])) as port:
        yield port


def token(user: str = "ada", until: datetime = NOW + HOUR, secret: str = SECRET) -> str:
    return sign_person(secret, user, until)


def ask(port: int, key: str, user: str = "", given: str = "", **headers: str) -> tuple[int, Any]:
    path = "/v1/inapp" + (f"?user={user}" if user else "")
    answer = Caller(port, key).ask("GET", path, b"", Rekindle_Person=given, **headers)
    return answer.status, answer.document


def test_a_server_asks_for_anybody(port: int) -> None:
    message = {
        "id": KEY,
        "title": "Hello",
        "body": "Back",
        "url": "",
        "until": "2026-03-01T13:00:00+00:00",
    }
    assert ask(port, "server", "ada") == (200, {"success": True, "message": message})
    assert ask(port, "server", "bob") == (200, {"success": True, "message": None})
    assert ask(port, "server")[0] == 400
    assert ask(port, "server", "a" * 201)[0] == 400
    assert ask(port, "nobody", "ada")[0] == 401
    assert ask(port, "server", "ada&user=bob")[0] == 400
    assert ask(port, "server", "ada" + "&a=1" * 20)[0] == 400
    assert ask(port, "server", "%00")[0] == 400
    assert ask(port, "server", "%ff%fe")[1]["message"] is None


def test_a_browser_asks_for_whom_its_token_names(port: int) -> None:
    assert ask(port, "browser", given=token())[1]["message"]["id"] == KEY
    assert ask(port, "browser", given=token("bob"))[1]["message"] is None
    assert ask(port, "browser", given=token("Åse 😀"))[1]["message"] is None
    assert ask(port, "browser", "ada")[0] == 403
    assert ask(port, "browser", "bob", given=token())[0] == 403
    assert ask(port, "behaviour", given=token())[0] == 403


def forged() -> dict[str, str]:
    good = token()
    who, end, signature = good.split(".")
    other = base64.urlsafe_b64encode(b"bob").decode().rstrip("=")
    return {
        "none": "",
        "of another secret": token(secret="another secret, as long as ours"),
        "of nobody": token(""),
        "over": token(until=NOW),
        "for too long": token(until=NOW + timedelta(days=2)),
        "another person": f"{other}.{end}.{signature}",
        "another end": f"{who}.{int(end) + 60}.{signature}",
        "no end": f"{who}..{signature}",
        "cut off": good[:-1],
        "cut to the id": who,
        "upper case": f"{who}.{end}.{signature.upper()}",
        "oversized": "a" * 4000,
        "a long end": sign_person(SECRET, "ada", NOW + HOUR).replace(end, end + "0" * 300),
        "not ascii": "é.1.x",
    }


@pytest.mark.parametrize("how", forged())
def test_a_token_that_is_not_the_servers_shows_nothing(port: int, kept: FakeKept, how: str) -> None:
    bad = forged()[how]
    body = {"token": bad, "events": [{"message": KEY, "event": "dismissed"}]}
    assert Caller(port, "browser").post("/v1/inapp/events", body).status == 403
    assert kept.told == []
    if bad.isascii():
        assert ask(port, "browser", given=bad)[0] == 403


def test_no_secret_lets_no_browser_in(port: int, kept: FakeKept) -> None:
    kept.secret = ""
    assert ask(port, "browser", given=token(secret=""))[0] == 403


def test_only_pages_of_the_shop_may_ask(port: int) -> None:
    status, document = ask(port, "browser", given=token(), Origin="https://evil.example")
    assert (status, document["success"]) == (403, False)
    assert ask(port, "browser", given=token(), Origin=SHOP)[0] == 200
    answer = Caller(port, "browser").ask("OPTIONS", "/v1/inapp", Origin=SHOP)
    assert answer.status == 204
    assert "rekindle-person" in answer.headers["Access-Control-Allow-Headers"]


def test_what_was_done_is_told_without_a_preflight(port: int, kept: FakeKept) -> None:
    events = [{"message": KEY, "event": word} for word in ("shown", "clicked", "dismissed")]
    body = {"writeKey": "browser", "token": token(), "events": events}
    answer = Caller(port, "").ask(
        "POST",
        "/v1/inapp/events",
        json.dumps(body).encode(),
        Authorization="",
        Content_Type="text/plain",
        Origin=SHOP,
    )
    assert (answer.status, answer.document["new"]) == (200, 3)
    assert [kind.value for *_, kind in kept.told] == ["shown", "clicked", "dismissed"]


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        ({"message": "cd" * 32, "event": "shown"}, "unknown_message"),
        ({"message": KEY[:40], "event": "shown"}, "unreadable"),
        ({"message": KEY, "event": "opened"}, "unreadable"),
        ({"message": KEY, "event": ["shown"]}, "unreadable"),
        ({"message": "", "event": "shown"}, "unreadable"),
        ("shown", "unreadable"),
        (None, "unreadable"),
    ],
)
def test_a_bad_report_is_refused_by_its_place_and_no_other(
    port: int, kept: FakeKept, event: object, reason: str
) -> None:
    good = {"message": KEY, "event": "shown"}
    answer = Caller(port, "server").post(
        "/v1/inapp/events", {"user": "ada", "events": [event, good]}
    )
    assert answer.document["new"] == 1
    assert answer.document["refused"] == [{"index": 0, "reason": reason}]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b'{"user": "ada"}', 400),
        (b'{"user": "ada", "events": {}}', 400),
        (b'{"user": ["ada"], "events": []}', 400),
        (b'{"events": []}', 400),
        (b'{"user": "ada", "events": [', 400),
        (b"[]", 400),
        (json.dumps({"user": "ada", "events": [1] * 51}).encode(), 413),
        (b" " * 1_048_577, 413),
    ],
)
def test_a_body_that_is_none_is_refused(port: int, body: bytes, status: int) -> None:
    assert Caller(port, "server").ask("POST", "/v1/inapp/events", body).status == status


def test_a_page_in_a_loop_is_slowed_down_alone(kept: FakeKept) -> None:
    few = InApp(kept, [SHOP], Allowance(most=2))
    routes = build_routes(Keys(), inapp=few)
    (view,) = [route.view for route in routes if route.path == "/v1/inapp"]
    assert view == few.ask
    allowance = Allowance(most=2)
    assert [allowance.take("ada") for _ in range(4)] == [True, True, False, False]
    assert allowance.take("bob")


def test_too_many_questions_are_told_when_to_come_back(kept: FakeKept) -> None:
    with serving(build_api(Keys(), kept=kept)) as port:
        caller = Caller(port, "server")
        answers = [caller.ask("GET", "/v1/inapp?user=bob") for _ in range(61)]
    assert [one.status for one in answers] == [200] * 60 + [429]
    assert int(answers[-1].headers["Retry-After"]) > 0
