"""Leaving the list: a GET shows, a POST acts, and nobody else's link works."""

from __future__ import annotations

import html

import pytest

from rekindle.consent import sign_unsubscribe
from rekindle.web.portal import build_app
from tests.web.portal.conftest import SECRET
from tests.web.portal.visitor import FakeOptOuts, Visitor

ONE_CLICK = b"List-Unsubscribe=One-Click"  # RFC 8058 section 3.2
MULTIPART = (
    b'--x\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--x--\r\n'
)
BOB = ("bob", "news.example.com")


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "PUT", "DELETE"])
def test_only_a_post_changes_anything(
    visitor: Visitor, opt_outs: FakeOptOuts, link: str, method: str
) -> None:
    visitor.ask(method, link, ONE_CLICK)
    assert opt_outs.left == []


def test_the_page_asks_with_a_button_that_posts(visitor: Visitor, link: str) -> None:
    answer = visitor.ask("GET", link)
    assert answer.status == 200
    assert '<form method="post">' in answer.body
    assert "Nothing has changed yet" in answer.body


def test_the_button_takes_the_person_off_the_list(
    visitor: Visitor, opt_outs: FakeOptOuts, link: str
) -> None:
    answer = visitor.ask("POST", link)
    assert opt_outs.left == [(*BOB, "page")]
    assert answer.status == 200
    assert "You are unsubscribed" in answer.body


@pytest.mark.parametrize("body", [ONE_CLICK, MULTIPART], ids=["form", "multipart"])
def test_a_mail_program_unsubscribes_in_one_click(
    visitor: Visitor, opt_outs: FakeOptOuts, link: str, body: bytes
) -> None:
    # No cookie, referrer or origin comes with it, and a redirect may not come back.
    assert visitor.ask("POST", link, body).status == 200
    assert opt_outs.left == [(*BOB, "one_click")]


def test_a_broken_body_is_still_a_wish_to_leave(
    visitor: Visitor, opt_outs: FakeOptOuts, link: str
) -> None:
    visitor.ask("POST", link, b"\xff--", CONTENT_TYPE="multipart/form-data")
    assert opt_outs.left == [(*BOB, "page")]


def test_saying_it_twice_is_harmless(visitor: Visitor, link: str) -> None:
    first, second = visitor.ask("POST", link), visitor.ask("POST", link)
    assert (first.status, first.body) == (second.status, second.body)


def test_a_forged_link_gets_a_clear_page_and_changes_nothing(
    visitor: Visitor, opt_outs: FakeOptOuts
) -> None:
    forged = f"/u/{sign_unsubscribe(b'a guess', *BOB)}"
    for method in ("GET", "POST"):
        answer = visitor.ask(method, forged, ONE_CLICK)
        assert answer.status == 404
        assert "This link does not work" in answer.body
    assert opt_outs.left == []


@pytest.mark.parametrize("path", ["/u/", "/u/ä", "/u/a/b", "/u/..", "/\xff", "/admin"])
def test_any_other_address_is_not_found(visitor: Visitor, path: str) -> None:
    assert visitor.ask("GET", path).status == 404


def test_a_failure_is_admitted_and_may_be_tried_again(
    visitor: Visitor, opt_outs: FakeOptOuts, link: str
) -> None:
    opt_outs.is_broken = True
    answer = visitor.ask("POST", link, ONE_CLICK)
    assert answer.status == 503
    assert answer.headers["Retry-After"] == "60"
    assert "<strong>not</strong>" in answer.body


def test_the_page_speaks_the_name_of_the_shop(
    visitor: Visitor, opt_outs: FakeOptOuts, link: str
) -> None:
    opt_outs.name = "<b>Alice & Bob's</b>"
    body = visitor.ask("GET", link).body
    assert "<b>" not in body
    assert "<b>Alice & Bob's</b>" in html.unescape(body)


def test_two_shops_are_served_side_by_side() -> None:
    alice, charlie = FakeOptOuts(), FakeOptOuts()
    at_alice = Visitor(build_app(alice, b"the secret of Alice"))
    at_charlie = Visitor(build_app(charlie, b"the secret of Charlie"))
    link = f"/u/{sign_unsubscribe(b'the secret of Charlie', *BOB)}"
    assert at_alice.ask("POST", link).status == 404
    assert at_charlie.ask("POST", link).status == 200
    assert (alice.left, charlie.left) == ([], [(*BOB, "page")])


def test_a_link_leaves_the_marketing_of_its_channel(
    visitor: Visitor, opt_outs: FakeOptOuts
) -> None:
    link = f"/u/{sign_unsubscribe(SECRET, *BOB, channel='email')}"
    assert "Stop our marketing by email?" in visitor.ask("GET", link).body
    visitor.ask("POST", link, ONE_CLICK)
    answer = visitor.ask("POST", link, b"scope=everything")
    assert opt_outs.channels == ["email", ""]
    assert "no more marketing. This" in answer.body.replace("\n", " ")


def test_a_link_of_an_earlier_release_leaves_all_marketing(
    visitor: Visitor, opt_outs: FakeOptOuts, link: str
) -> None:
    visitor.ask("POST", link, ONE_CLICK)
    assert opt_outs.channels == [""]
