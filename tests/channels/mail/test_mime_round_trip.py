"""Whatever people write comes back as they wrote it, read by a parser that is not ours."""

from __future__ import annotations

import re
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.utils import parseaddr
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from rekindle.channels.email.writing import build_bytes
from tests.channels.postbox import build_mail

EMOJI = "\U0001f469\u200d\U0001f469\u200d\U0001f467"  # one picture of five code points
HEBREW = "שלום, חזרו אלינו"
PERSIAN = "\u0639\u0644\u06cc\u200c\u0631\u0636\u0627"  # a name with a joiner inside
AWKWARD = st.sampled_from(
    [
        ".", "..", "\r", "\n", "\r\n", "\0", "\x0b", "\x1b", "\x85", "\u2028", " ", "  ", "\t", "=",
        "=?", "?=", "=?utf-8?q?a?=", "--=_", "--=_" + "a" * 40, "From ", "\\", '"', "<", ">", "@",
        "(", ",", ";", EMOJI, HEBREW, "你好", "x" * 80, "x" * 1200, "ä" * 300, "=20\r\n",
        "\r\n.\r\n",
    ]
)  # fmt: skip
WRITTEN = st.lists(AWKWARD | st.text(max_size=20), max_size=12).map("".join)
ONE_LINE = WRITTEN.map(lambda text: re.sub(r"[\r\n]", "", text))
FEW = settings(max_examples=150, deadline=None)


def read(**changes: Any) -> EmailMessage:
    return message_from_bytes(build_bytes(build_mail(**changes)), policy=policy.default)


def lines(text: str) -> list[str]:
    """Return the lines of a body: however they end, and whether the last one does."""
    return re.sub(r"\r\n|\r", "\n", text).removesuffix("\n").split("\n")


@pytest.mark.long
@FEW
@given(ONE_LINE)
@example("a" * 67 + " b  c" + " d" * 40)
@example(" leading and trailing ")
@example("=?utf-8?q?a?= b")
@example("")
def test_a_subject_comes_back(subject: str) -> None:
    assert read(subject=subject)["Subject"] == subject


@pytest.mark.long
@FEW
@given(WRITTEN)
@example('Ann "the (best) <one>" \\ O\'Neil, Ltd.')
@example("a" * 500)
@example("=?utf-8?q?a?= b")
@example(PERSIAN)
def test_a_name_comes_back_on_one_line(name: str) -> None:
    # The newer parser keeps the spaces between a name's words, which RFC 2047 section 6.2 drops.
    raw = build_bytes(build_mail(to_name=name, from_name=name))
    message = message_from_bytes(raw, policy=policy.compat32)
    expected = " ".join(re.sub(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]", " ", name).split())
    for header, address in (("To", "ann@example.com"), ("From", "shop@example.com")):
        found, addr_spec = parseaddr(re.sub(r"\r\n(?= )", "", message[header]))
        assert (str(make_header(decode_header(found))), addr_spec) == (expected, address)


@pytest.mark.parametrize(
    "name", ["Ann", "Ann Älg", 'Ann "the" (best)', EMOJI, HEBREW, "O'Neil, B."]
)
def test_a_usual_name_is_read_by_the_newer_parser_too(name: str) -> None:
    (found,) = read(to_name=name)["To"].addresses
    assert (found.display_name, found.addr_spec) == (name, "ann@example.com")


@pytest.mark.long
@FEW
@given(WRITTEN, WRITTEN)
@example("\r", "")
@example(f"--=_{'a' * 40}", f"\n--=_{'a' * 40}--\n")
@example(".one\n..two\n.\n", "trailing \t \n\nspaces ")
def test_both_bodies_come_back(text: str, html: str) -> None:
    parts = list(read(text=text, html=html).iter_parts())
    assert [part.get_content_subtype() for part in parts] == ["plain", "html"]
    assert [lines(part.get_content()) for part in parts] == [lines(text), lines(html)]


@pytest.mark.long
@FEW
@given(WRITTEN, ONE_LINE, WRITTEN)
@example("\0", "", "")
@example("", "a" * 60 + " " * 200 + "b", "")
def test_servers_get_short_ascii_lines_that_end_as_they_must(
    text: str, subject: str, name: str
) -> None:
    changes = {"text": text, "html": text, "subject": f"({subject})", "to_name": name}
    raw = build_bytes(build_mail(key="a", **changes))
    assert raw.isascii()
    assert b"\0" not in raw
    assert raw.endswith(b"--\r\n")
    assert not re.search(rb"(?<!\r)\n|\r(?!\n)", raw)  # RFC 5322 section 2.3
    assert max(map(len, raw.split(b"\r\n"))) <= 78
    assert not re.search(rb"[ \t]\r\n", raw.partition(b"\r\n\r\n")[0])


@pytest.mark.long
@FEW
@given(
    st.from_regex(r"[a-z0-9.-]{1,40}", fullmatch=True),
    st.from_regex(r"https://[!#-;=?-~]{1,200}", fullmatch=True),
    st.from_regex(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,80}", fullmatch=True),
)
def test_links_and_identifiers_come_back(list_id: str, link: str, key: str) -> None:
    message = read(list_id=list_id, unsubscribe_url=link, key=key)
    assert message["List-ID"] == f"<{list_id}>"
    assert message["List-Unsubscribe"] == f"<{link}>"
    assert message["Message-ID"] == f"<{key}@example.com>"
    assert message.is_multipart()


@pytest.mark.parametrize("written", [EMOJI * 20, "é" * 200, f"a{HEBREW}" * 9])
def test_no_letter_is_torn_apart(written: str) -> None:
    raw = build_bytes(build_mail(subject=written, from_name="", to_name="")).decode()
    words = re.findall(r"=\?utf-8\?[qb]\?[^?]+\?=", raw)
    assert len(words) > 1
    for word in words:  # each decodes by itself: RFC 2047 section 5
        assert "\ufffd" not in read_word(word)


def read_word(word: str) -> str:
    header = message_from_bytes(f"Subject: {word}\r\n\r\n".encode(), policy=policy.default)
    return str(header["Subject"])
