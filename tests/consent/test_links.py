"""A token says who and which list, and nobody else can make one."""

from __future__ import annotations

import string
from base64 import urlsafe_b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rekindle.consent import OptOutLink, read_unsubscribe, sign_unsubscribe

SECRET = b"a secret of the tests"
TOKEN = sign_unsubscribe(SECRET, "bob", "news.example.com")
UNRESERVED = set(string.ascii_letters + string.digits + "-._~")  # RFC 3986 section 2.3
TEXT = st.text(st.characters(exclude_categories=["Cs"]))


@given(person=TEXT, list_id=TEXT)
def test_a_token_says_who_and_which_list(person: str, list_id: str) -> None:
    token = sign_unsubscribe(SECRET, person, list_id)
    assert read_unsubscribe(SECRET, token) == OptOutLink(person, list_id)
    assert set(token) <= UNRESERVED


@pytest.mark.parametrize("at", range(len(TOKEN)))
def test_a_token_with_one_letter_changed_is_refused(at: int) -> None:
    other = "A" if TOKEN[at] != "A" else "B"
    assert read_unsubscribe(SECRET, TOKEN[:at] + other + TOKEN[at + 1 :]) is None


@pytest.mark.parametrize("length", range(len(TOKEN)))
def test_a_token_cut_short_is_refused(length: int) -> None:
    assert read_unsubscribe(SECRET, TOKEN[:length]) is None


@given(st.text())
def test_garbage_is_refused(token: str) -> None:
    assert read_unsubscribe(SECRET, token) is None


def test_a_token_without_a_signature_is_refused() -> None:
    unsigned = urlsafe_b64encode(b'["bob","news.example.com"]').decode().rstrip("=")
    assert read_unsubscribe(SECRET, unsigned) is None
    assert read_unsubscribe(SECRET, f"{unsigned}.") is None


def test_a_token_of_another_secret_is_refused() -> None:
    assert read_unsubscribe(b"another secret", TOKEN) is None


def test_the_boundary_between_person_and_list_is_signed_too() -> None:
    assert sign_unsubscribe(SECRET, "ab", "c") != sign_unsubscribe(SECRET, "a", "bc")


def test_the_same_link_goes_into_every_message() -> None:
    assert sign_unsubscribe(SECRET, "bob", "news.example.com") == TOKEN
