"""The way back shows what was kept, leads to the shop on a press, and changes nothing else."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta

import pytest

from rekindle.consent import LinkPurpose, PersonLink, sign_link
from rekindle.content import KeptOffer, OfferFate, WayBack
from rekindle.errors import LedgerError
from rekindle.web.portal import build_app
from tests.web.portal.conftest import SECRET
from tests.web.portal.visitor import FakeOptOuts, Visitor

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
ABOUT = "7 00ff"
OFFER = KeptOffer("15% off", "AB-12", date(2026, 6, 9), OfferFate.OPEN, is_applied=True)
WAY = WayBack("GB", False, ("Blue mug", "<b>Tea</b>"), OFFER, "https://shop.example/d/AB-12")


@dataclass
class FakeWays:
    way: WayBack | None = WAY
    is_broken: bool = False
    noted: list[tuple[str, str]] = field(default_factory=list)

    def now(self) -> datetime:
        return NOW

    def front(self) -> str:
        return "https://shop.example/"

    def look(self, about: str) -> WayBack | None:
        if self.is_broken:
            raise LedgerError("the ledger is away")
        return self.way if about == ABOUT else None

    def lead(self, about: str, person: str) -> str | None:
        way = self.look(about)
        if way is not None and way.url:
            self.noted.append((about, person))
        return None if way is None else way.url


@pytest.fixture
def ways() -> FakeWays:
    return FakeWays()


@pytest.fixture
def visitor(opt_outs: FakeOptOuts, ways: FakeWays) -> Visitor:
    return Visitor(build_app(opt_outs, SECRET, ways_back=ways))


def link(
    until: datetime = NOW + DAY,
    about: str = ABOUT,
    *,
    purpose: LinkPurpose = LinkPurpose.RETURN,
    secret: bytes = SECRET,
) -> str:
    return f"/return/{sign_link(secret, purpose, PersonLink('bob', until, about))}"


def test_it_shows_what_was_kept_and_leads_there(visitor: Visitor, ways: FakeWays) -> None:
    page = visitor.ask("GET", link())
    assert page.status == 200
    for words in ("Good to see you again.", "15% off", "AB-12", "The code is applied", "Blue mug"):
        assert words in page.body
    assert "&lt;b&gt;Tea&lt;/b&gt;" in page.body
    assert "bob" not in page.body
    answer = visitor.ask("POST", link())
    assert (answer.status, answer.headers["Location"]) == (303, WAY.url)
    assert ways.noted == [(ABOUT, "bob")]


def test_a_basket_is_shown_as_words(visitor: Visitor, ways: FakeWays) -> None:
    hostile = ("<script>alert(1)</script>", "{{ t.back_title }}{% raw %}", "javascript:alert(1)")
    ways.way = replace(WAY, products=(), basket=hostile)
    page = visitor.ask("GET", link()).body
    assert "In your basket" in page
    assert "<script>alert" not in page
    assert "{{ t.back_title }}" in page
    assert 'href="javascript' not in page
    assert "In your basket" not in visitor.ask("GET", link(until=NOW)).body


def test_a_press_of_its_button_may_leave_for_the_shop_and_nowhere_else(visitor: Visitor) -> None:
    policy = visitor.ask("GET", link()).headers["Content-Security-Policy"]
    assert "form-action 'self' https://shop.example;" in policy
    other = visitor.ask("GET", "/").headers["Content-Security-Policy"]
    assert "form-action 'self';" in other


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "PUT", "DELETE"])
def test_whoever_only_opens_it_went_nowhere(visitor: Visitor, ways: FakeWays, method: str) -> None:
    assert visitor.ask(method, link()).status == (200 if method in {"GET", "HEAD"} else 405)
    assert ways.noted == []


def test_it_may_be_used_again(visitor: Visitor) -> None:
    assert [visitor.ask("POST", link()).status for _ in range(3)] == [303] * 3


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    ("path", "status"),
    [
        (link()[:-1], 404),
        (link().replace("/return/", "/return/x"), 404),
        ("/return/", 404),
        ("/return/" + "A" * 10_000, 404),
        (link(purpose=LinkPurpose.PREFERENCES), 404),
        (link(secret=b"another"), 404),
        (link(until=NOW), 410),
        (link(about="8 00ff"), 410),
    ],
)
def test_a_link_that_does_not_work_shows_nothing(
    visitor: Visitor, ways: FakeWays, method: str, path: str, status: int
) -> None:
    answer = visitor.ask(method, path)
    assert answer.status == status
    assert "AB-12" not in answer.body
    assert "Blue mug" not in answer.body
    assert ways.noted == []


def test_of_a_link_that_ran_out_the_way_to_the_shop_is_left(visitor: Visitor) -> None:
    assert 'href="https://shop.example/"' in visitor.ask("GET", link(until=NOW)).body


def test_nobody_learns_that_somebody_was_forgotten(visitor: Visitor, ways: FakeWays) -> None:
    over = visitor.ask("GET", link(until=NOW))
    ways.way = None
    assert visitor.ask("GET", link()).body == over.body


@pytest.mark.parametrize(
    ("fate", "words"),
    [
        (OfferFate.LAPSED, "The offer in our message, “15% off”, ended on 9 June 2026."),
        (OfferFate.REDEEMED, "The offer in our message, “15% off”, has been used."),
    ],
)
def test_an_offer_that_is_over_shows_no_code(
    visitor: Visitor, ways: FakeWays, fate: OfferFate, words: str
) -> None:
    ways.way = replace(WAY, offer=replace(OFFER, fate=fate, code="", is_applied=False))
    page = visitor.ask("GET", link())
    assert words in page.body
    assert "Your offer" not in page.body


def test_a_code_that_the_way_does_not_take_along_is_to_be_typed(
    visitor: Visitor, ways: FakeWays
) -> None:
    ways.way = replace(WAY, offer=replace(OFFER, is_applied=False))
    assert "Enter the code when you pay." in visitor.ask("GET", link()).body


def test_who_came_back_already_is_thanked(visitor: Visitor, ways: FakeWays) -> None:
    ways.way = replace(WAY, has_returned=True, products=(), offer=None)
    page = visitor.ask("GET", link())
    assert "You have been with us since our message." in page.body
    assert visitor.ask("POST", link()).status == 303


def test_without_a_shop_there_is_no_button(visitor: Visitor, ways: FakeWays) -> None:
    ways.way = replace(WAY, url="")
    assert "<button" not in visitor.ask("GET", link()).body
    assert visitor.ask("POST", link()).status == 200
    assert ways.noted == []


def test_a_ledger_that_is_away_is_tried_again(visitor: Visitor, ways: FakeWays) -> None:
    ways.is_broken = True
    answer = visitor.ask("GET", link())
    assert (answer.status, answer.headers["Retry-After"]) == (503, "60")


@pytest.mark.parametrize(
    ("accepted", "words"),
    [("de-DE", "Schön, Sie"), ("fr", "Heureux"), ("es", "Nos alegra"), ("", "Good to see")],
)
def test_it_speaks_their_language(visitor: Visitor, accepted: str, words: str) -> None:
    assert words in visitor.ask("GET", link(), b"", HTTP_ACCEPT_LANGUAGE=accepted).body
