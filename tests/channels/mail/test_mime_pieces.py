"""A letter in pieces leaves as the same letter, its pieces written once for many."""

from __future__ import annotations

from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rekindle.channels.email.writing import build_bytes, build_message
from rekindle.vocabulary import PiecedText
from tests.channels.postbox import build_mail

SHARED = st.lists(
    st.sampled_from([*"a=. \n\té–", "\r\n", "x" * 30, "y" * 75, '<a href="u">', "From "]),
    max_size=9,
).map("".join)
OWN = st.sampled_from(["", "Ann", "Zoë Müller", "https://shop.example/u/" + "t" * 90, "7"])


def html_of(html: str) -> EmailMessage:
    _, part = build_message(build_mail(html=html)).iter_parts()
    assert isinstance(part, EmailMessage)
    return part


def said(html: str) -> bytes:
    found = html_of(html).get_payload(decode=True)
    assert isinstance(found, bytes)
    return found


@pytest.mark.long
@given(st.lists(SHARED, min_size=1, max_size=4), st.lists(OWN, min_size=4, max_size=4))
def test_it_says_what_a_plain_text_says(shared: list[str], own: list[str]) -> None:
    pieces = [piece for pair in zip(shared, own, strict=False) for piece in pair][:-1]
    whole = PiecedText.of(pieces)
    assert said(whole) == said(str(whole))
    written = str(html_of(whole).get_payload())
    # Where a line ends with a space the library's own function goes two beyond what is asked.
    assert max(map(len, written.splitlines())) <= 78


@pytest.mark.parametrize(
    ("pieces", "encoding"),
    [
        (["<p>Hello ", "Ann", "</p>\n"], "7bit"),
        (["<p>Hello ", "Ann", "</p>" + "<p>and so on</p>" * 20], "quoted-printable"),
        (["<p>你好", "安", "</p>" + "<p>好久不见欢迎回来</p>" * 20], "base64"),
    ],
)
def test_it_is_encoded_as_a_plain_text_is(pieces: list[str], encoding: str) -> None:
    for html in (PiecedText.of(pieces), "".join(pieces)):
        assert html_of(html)["Content-Transfer-Encoding"] == encoding


def test_the_same_pieces_are_written_the_same_way_for_everybody() -> None:
    begins, ends = "<p>" + "It has been a while. " * 9, "</p>" + "<p>See you soon.</p>" * 9
    letters = [build_bytes(build_mail(html=PiecedText.of([begins, own, ends]))) for own in "AB"]
    bodies = [letter.split(b"\r\n\r\n")[-1] for letter in letters]
    assert [body.replace(b"B=\r\n", b"A=\r\n") for body in bodies] == [bodies[0]] * 2
