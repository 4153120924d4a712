"""Codes are read as shops compare them, and made so that nobody guesses or misreads one."""

from __future__ import annotations

import pytest

from rekindle.errors import OfferError
from rekindle.ledger import make_codes
from rekindle.offers import key_of, read_codes


@pytest.mark.parametrize(
    "text",
    ["A1\nB2\n", "\ufeffcode\nA1\nB2", "name;code\nx;A1\ny;B2\n", "A1,x\n\nB2,y", '"A1"\r\n"B2"'],
)
def test_codes_are_read_one_a_line_or_from_their_column(text: str) -> None:
    assert read_codes(text, file="codes.csv") == ["A1", "B2"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "holds no code"),
        ("A1\nB2\na1", "line 3: the code of line 1 stands here again"),
        ("A1\nB 2", "line 2: 'B 2' is no code"),
        ("A" * 101, "is no code"),
        ("A\x001", "is no code"),
        ("A|1", "is no code"),
        (f"A1\n{'x,' * 70_000}{'y' * 140_000}", "line 2: field larger than"),
    ],
)
def test_what_is_no_code_is_refused(text: str, words: str) -> None:
    with pytest.raises(OfferError, match=words):
        read_codes(text, file="codes.csv")


def test_made_codes_are_many_and_hold_nothing_that_looks_like_another() -> None:
    made = make_codes(2000)
    assert len({key_of(code) for code in made}) == 2000
    assert set("".join(made)).isdisjoint("BILOSUAEGQZ012568")
    assert {len(code) for code in made} == {14}
