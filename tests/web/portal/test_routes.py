"""Every route says who may see it, and every answer is sealed the same way."""

from __future__ import annotations

import re
import threading
from base64 import b64encode
from collections.abc import Iterator
from hashlib import sha256
from http.client import HTTPConnection
from pathlib import Path

import pytest
import waitress
from django.http import HttpRequest, HttpResponse
from django.urls import path

import rekindle
from rekindle.content import ClickLinks
from rekindle.web.access import declared_access
from rekindle.web.portal.app import HEADERS, Portal, Routes, build_app, build_routes
from tests.web.portal.visitor import FakeOptOuts, Visitor


@pytest.fixture
def connection(opt_outs: FakeOptOuts) -> Iterator[HTTPConnection]:
    """Yield one kept-alive connection to the portal behind its real web server."""
    server = waitress.create_server(build_app(opt_outs, b"secret"), port=0, threads=1)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    connection = HTTPConnection("127.0.0.1", server.effective_port, timeout=10)
    yield connection
    connection.close()
    server.close()
    thread.join(timeout=10)


def undeclared(request: HttpRequest) -> HttpResponse:
    return HttpResponse("a secret")


def test_every_route_declares_who_may_see_it() -> None:
    routes = build_routes(FakeOptOuts(), b"secret").urlpatterns
    silent = [
        str(route.pattern)
        for route in routes
        if (access := declared_access(route.callback)) is None or not access.reason
    ]
    assert len(routes) > 0
    assert silent == []


def test_a_route_that_declares_nothing_is_not_shown(opt_outs: FakeOptOuts) -> None:
    routes = build_routes(opt_outs, b"secret")
    added = Routes(
        (*routes.urlpatterns, path("new", undeclared)),
        routes.handler400,
        routes.handler403,
        routes.handler404,
        routes.handler500,
    )
    answer = Visitor(Portal(added)).ask("GET", "/new")
    assert answer.status == 404
    assert "a secret" not in answer.body


@pytest.mark.parametrize("address", ["link", "/", "/u/forged", "/nowhere", "/healthz"])
def test_every_answer_is_sealed(visitor: Visitor, link: str, address: str) -> None:
    answer = visitor.ask("GET", link if address == "link" else address)
    assert {name: answer.headers[name] for name in HEADERS} == HEADERS
    assert answer.headers["Set-Cookie"] is None


def test_the_policy_lets_in_the_style_of_the_page_and_nothing_else(
    visitor: Visitor, link: str
) -> None:
    answer = visitor.ask("GET", link)
    style = answer.body.split("<style>")[1].split("</style>")[0]
    hashed = b64encode(sha256(style.encode()).digest()).decode()
    policy = answer.headers["Content-Security-Policy"]
    assert f"style-src 'sha256-{hashed}'" in policy
    assert "default-src 'none'" in policy
    assert "<script" not in answer.body
    assert " style=" not in answer.body


def test_the_bare_address_says_what_it_is_for_and_nothing_else(visitor: Visitor) -> None:
    answer = visitor.ask("GET", "/")
    assert answer.status == 200
    assert "where the links in our messages lead" in answer.body
    assert "ekindle" not in answer.body
    assert "<form" not in answer.body
    assert visitor.ask("POST", "/").status == 405


def test_a_wrong_method_is_told_the_right_ones(visitor: Visitor, link: str) -> None:
    answer = visitor.ask("PUT", link)
    assert (answer.status, answer.headers["Allow"]) == (405, "GET, HEAD, POST")
    answer = visitor.ask("POST", "/healthz")
    assert (answer.status, answer.headers["Allow"]) == (405, "GET, HEAD")


def test_a_crash_shows_a_page_and_no_traceback(
    visitor: Visitor,
    opt_outs: FakeOptOuts,
    link: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def crash(*_: object, **__: object) -> None:
        raise RuntimeError("the innards")

    monkeypatch.setattr(opt_outs, "unsubscribe", crash)
    answer = visitor.ask("POST", link)
    assert answer.status == 500
    assert "That did not work" in answer.body
    assert "innards" not in answer.body


def test_health_is_answered(visitor: Visitor) -> None:
    assert visitor.ask("GET", "/healthz").body == "ok\n"


def test_a_head_request_leaves_the_connection_in_order(connection: HTTPConnection) -> None:
    connection.request("HEAD", "/healthz")
    head = connection.getresponse()
    assert (head.status, head.read(), head.headers["Content-Length"]) == (200, b"", "3")
    connection.request("GET", "/healthz")
    assert connection.getresponse().read() == b"ok\n"


def test_no_page_of_ours_is_taken_for_an_offer() -> None:
    links = ClickLinks(b"secret", "https://shop.example/re", "https://shop.example/")
    routes = Path(rekindle.__file__).parent.glob("web/portal/**/*.py")
    named = {
        name
        for file in routes
        for name in re.findall(r'path\("([^"]+)<str:token>', file.read_text())
    }
    assert {"u/", "p/", "s/", "leave/", "card/", "confirm/", "return/"} <= named
    for name in named:
        url = f"https://shop.example/re/{name}token"
        assert links.wrap({"url": url}, message="ab" * 32, person="a", channel="email") == {
            "url": url
        }
