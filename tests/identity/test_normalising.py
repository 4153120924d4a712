"""Two spellings of one mailbox are one address, and two mailboxes stay two."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rekindle.identity import former_spellings, is_plain_address, normalise_address

SAME = (
    ("ada@example.org", "Ada@Example.ORG"),
    ("ada@example.org", " ada@example.org\n"),
    ("ada@example.org", "\ufeffada@example.org\u200b"),
    ("ada@example.org", "ad\u200ba@example.org"),
    ("ada@example.org", "\u00a0ada@example.org"),
    ("ada@example.org", "ada@example.org."),
    ("ada@example.org", "ada@example\u3002org"),
    ("ada@exämple.org", "ada@xn--exmple-cua.org"),
    ("ada@exämple.org", "ADA@XN--EXMPLE-CUA.ORG"),
    ("ada@exämple.org", unicodedata.normalize("NFD", "ada@exämple.org")),
    ("ada@exämple.org", "ada@EXÄMPLE.org"),
    ("rené@example.org", "rene\u0301@example.org"),
    ("rené@example.org", "RENÉ@example.org"),
    ("ada@straße.de", "ada@xn--strae-oqa.de"),
)
DIFFERENT = (
    ("ada@example.org", "a.da@example.org"),
    ("ada@example.org", "ada+shop@example.org"),
    ("ada@example.org", "ada@example.com"),
    ("rene@example.org", "rené@example.org"),
)


@pytest.mark.parametrize(("one", "other"), SAME)
def test_spellings_of_one_mailbox_are_one(one: str, other: str) -> None:
    assert normalise_address(one) == normalise_address(other) != ""


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_mailboxes_that_a_server_may_tell_apart_stay_apart(one: str, other: str) -> None:
    assert normalise_address(one) != normalise_address(other)


@pytest.mark.parametrize("nothing", [None, "", "  ", "\u200b", "\ufeff\n"])
def test_nothing_stays_nothing(nothing: str | None) -> None:
    assert normalise_address(nothing) == ""


@pytest.mark.long
@given(st.text(max_size=40) | st.emails())
def test_a_normal_spelling_is_its_own(text: str) -> None:
    once = normalise_address(text)
    assert normalise_address(once) == once


@pytest.mark.long
@given(st.emails())
def test_a_plain_address_is_spelled_as_ever(address: str) -> None:
    """What was hashed before stays found."""
    if is_plain_address(address):
        assert normalise_address(address) == address.strip().casefold()
        assert not former_spellings(address)


def test_a_hash_made_of_any_earlier_spelling_is_found_from_each() -> None:
    spellings = ("ada@exämple.org", "ada@xn--exmple-cua.org")
    for now in spellings:
        every = former_spellings(now) | {normalise_address(now)}
        assert every.issuperset(spelling.casefold() for spelling in spellings)
        assert unicodedata.normalize("NFD", spellings[0]) in every
