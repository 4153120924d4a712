"""Every route says who may call it, and every answer is sealed the same way."""

from __future__ import annotations

import pytest

from rekindle.errors import LedgerError
from rekindle.web.access import declared_access
from rekindle.web.api import Api, build_api, build_openapi
from rekindle.web.api.app import HEADERS, Endpoint, build_routes
from rekindle.web.api.inapp import InApp
from rekindle.web.api.messages import Request, Response
from tests.web.api.caller import Caller, serving
from tests.web.api.fake_intake import FakeIntake
from tests.web.api.inapp.fake_kept import FakeKept


class FakeLinks:
    """Makes no link for anybody."""

    def link(self, user: str, source: str, subscription: str) -> None:
        return None


def undeclared(request: Request) -> Response:
    return Response({"a": "secret"})


def test_every_route_declares_who_may_call_it() -> None:
    routes = build_routes(FakeIntake(), inapp=InApp(FakeKept()), leaving=FakeLinks())
    silent = [r.path for r in routes if (a := declared_access(r.view)) is None or not a.reason]
    assert len(routes) > 0
    assert silent == []


def test_only_the_description_is_open_to_anyone() -> None:
    routes = build_routes(FakeIntake(), inapp=InApp(FakeKept()), leaving=FakeLinks())
    declared = {route.path: declared_access(route.view) for route in routes}
    assert [path for path, access in declared.items() if access and access.is_open] == [
        "/v1/openapi.json"
    ]


def test_a_route_that_declares_nothing_is_not_reached() -> None:
    with serving(Api([Endpoint("/v1/new", "GET", undeclared)], FakeIntake())) as port:
        answer = Caller(port, "right").ask("GET", "/v1/new")
    assert (answer.status, "secret" in str(answer.document)) == (404, False)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/v1/batch", 400),
        ("GET", "/v1/batch", 405),
        ("GET", "/v1/nowhere", 404),
        ("POST", "/v1/batch/", 404),
        ("GET", "/v1/openapi.json", 200),
        ("HEAD", "/v1/openapi.json", 200),
        ("OPTIONS", "/v1/batch", 405),
    ],
)
def test_every_answer_is_sealed(method: str, path: str, status: int) -> None:
    with serving(build_api(FakeIntake())) as port:
        answer = Caller(port, "right").ask(method, path)
    assert answer.status == status
    assert {name: answer.headers[name] for name in HEADERS} == HEADERS
    assert answer.headers["Access-Control-Allow-Origin"] is None


def test_a_wrong_method_is_told_the_right_one() -> None:
    with serving(build_api(FakeIntake())) as port:
        assert Caller(port, "right").ask("PUT", "/v1/track").headers["Allow"] == "POST"


def test_a_ledger_that_is_away_asks_to_send_again() -> None:
    intake = FakeIntake()
    intake.failure = LedgerError("the ledger is away")
    with serving(build_api(intake)) as port:
        caller = Caller(port, "right")
        answer = caller.send(caller.track("X"))
    assert answer.status == 503
    assert int(answer.headers["Retry-After"]) >= 1


def test_a_crash_tells_nothing_of_the_innards() -> None:
    intake = FakeIntake()
    intake.failure = RuntimeError("the innards")
    with serving(build_api(intake)) as port:
        caller = Caller(port, "right")
        answer = caller.send(caller.track("X"))
    assert answer.status == 500
    assert "innards" not in str(answer.document)


def test_only_listed_origins_may_call_from_a_browser() -> None:
    with serving(build_api(FakeIntake(), origins=["https://shop.example/"])) as port:
        caller = Caller(port, "right")
        ours = caller.ask("OPTIONS", "/v1/t", Origin="https://shop.example")
        theirs = caller.ask("OPTIONS", "/v1/t", Origin="https://evil.example")
    assert (ours.status, theirs.status) == (204, 405)
    assert ours.headers["Access-Control-Allow-Origin"] == "https://shop.example"
    assert theirs.headers["Access-Control-Allow-Origin"] is None


def test_the_description_names_every_address_but_the_short_ones() -> None:
    routes = build_routes(FakeIntake(), inapp=InApp(FakeKept()), leaving=FakeLinks())
    paths = {route.path for route in routes}
    assert {path for path in paths if len(path) > len("/v1/x")} == set(build_openapi()["paths"])
