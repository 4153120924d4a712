"""A link in a message leads to the shop, and a machine that follows it is told from a person."""

from __future__ import annotations

import pytest

from rekindle.web.portal import build_app
from tests.web.portal.conftest import SECRET
from tests.web.portal.visitor import FakeOptOuts, Visitor

SAFARI = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 "
    "(KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1"
)


class FakeClicks:
    def __init__(self) -> None:
        self.followed: list[tuple[str, bool]] = []

    def follow(self, token: str, *, is_machine: bool) -> str:
        self.followed.append((token, is_machine))
        return "https://shop.example/" if token == "known" else ""


@pytest.fixture
def clicks() -> FakeClicks:
    return FakeClicks()


@pytest.fixture
def reader(opt_outs: FakeOptOuts, clicks: FakeClicks) -> Visitor:
    return Visitor(build_app(opt_outs, SECRET, clicks=clicks))


def test_a_person_is_led_to_the_shop(reader: Visitor, clicks: FakeClicks) -> None:
    answer = reader.ask("GET", "/c/known", HTTP_USER_AGENT=SAFARI)
    assert (answer.status, answer.headers["Location"]) == (302, "https://shop.example/")
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["Cache-Control"] == "no-store"
    assert clicks.followed == [("known", False)]


@pytest.mark.parametrize(
    ("method", "told"),
    [
        ("HEAD", {"HTTP_USER_AGENT": SAFARI}),
        ("GET", {}),
        ("GET", {"HTTP_USER_AGENT": " "}),
        ("GET", {"HTTP_USER_AGENT": SAFARI, "HTTP_SEC_PURPOSE": "prefetch;prerender"}),
        ("GET", {"HTTP_USER_AGENT": SAFARI, "HTTP_PURPOSE": "prefetch"}),
        ("GET", {"HTTP_USER_AGENT": SAFARI, "HTTP_X_PURPOSE": "preview"}),
        ("GET", {"HTTP_USER_AGENT": SAFARI, "HTTP_X_MOZ": "prefetch"}),
        ("GET", {"HTTP_USER_AGENT": "Mozilla/5.0 (compatible; Barracuda Sentinel)"}),
        ("GET", {"HTTP_USER_AGENT": "python-requests/2.34"}),
        ("GET", {"HTTP_USER_AGENT": "Slackbot-LinkExpanding 1.0"}),
        ("GET", {"HTTP_USER_AGENT": "facebookexternalhit/1.1"}),
        ("GET", {"HTTP_USER_AGENT": "Mozilla/5.0 HeadlessChrome/140"}),
    ],
)
def test_a_machine_is_led_there_too_and_counted_apart(
    reader: Visitor, clicks: FakeClicks, method: str, told: dict[str, str]
) -> None:
    assert reader.ask(method, "/c/known", b"", **told).status == 302
    assert clicks.followed == [("known", True)]


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_another_method_counts_nothing(reader: Visitor, clicks: FakeClicks, method: str) -> None:
    assert reader.ask(method, "/c/known").status == 405
    assert not clicks.followed


def test_a_link_nobody_wrote_leads_nowhere(reader: Visitor, visitor: Visitor) -> None:
    for one in (reader, visitor):
        answer = one.ask("GET", "/c/forged", HTTP_USER_AGENT=SAFARI)
        assert answer.status == 404
        assert answer.headers["Location"] is None
