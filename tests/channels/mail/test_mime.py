"""What a message looks like when it leaves."""

from __future__ import annotations

import re
from dataclasses import replace
from email import message_from_bytes, policy
from typing import Any

import pytest

from rekindle.channels.email.writing import OutgoingMail, build_message
from rekindle.errors import DeliveryError, PermanentDeliveryError, TemporaryDeliveryError


def test_a_message_has_a_text_and_an_html_part(mail: OutgoingMail) -> None:
    message = build_message(mail)
    assert message.get_content_type() == "multipart/alternative"
    assert [p.get_content_type() for p in message.iter_parts()] == ["text/plain", "text/html"]
    assert message["Subject"] == "Schön, dich zu sehen"
    assert message["To"] == "Ann Älg <ann@example.com>"


def test_list_headers_are_set_together(mail: OutgoingMail) -> None:
    message = build_message(mail)
    assert message["List-ID"] == "<winback.example.com>"
    assert message["List-Unsubscribe"] == "<https://shop.example.com/u/token>"
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


def test_or_not_at_all(mail: OutgoingMail) -> None:
    message = build_message(replace(mail, list_id="", unsubscribe_url=""))
    assert not [name for name in message if name.startswith("List-")]
    with pytest.raises(TemporaryDeliveryError, match="together"):
        build_message(replace(mail, list_id=""))


def test_the_same_key_gives_the_same_message_id(mail: OutgoingMail) -> None:
    again = build_message(replace(mail, subject="another"))
    assert build_message(mail)["Message-ID"] == again["Message-ID"] == f"<{'a' * 64}@example.com>"


def test_a_long_link_stays_a_link_on_the_wire(mail: OutgoingMail) -> None:
    link = "https://shop.example.com/u/" + "x" * 300
    raw = build_message(replace(mail, unsubscribe_url=link)).as_bytes()
    assert f"List-Unsubscribe: <{link}>\r\n".encode() in raw


@pytest.mark.parametrize(
    "change",
    [
        {"subject": "Hello\r\nBcc: everyone@example.com"},
        {"to_name": "Ann\nBcc: everyone@example.com"},
        {"list_id": "x>\r\nX-Evil: 1"},
        {"unsubscribe_url": "https://a>\r\nX-Evil: 1"},
        {"to_address": "ann@example.com\r\nBcc: everyone@example.com"},
        {"to_address": "nobody"},
        {"to_address": ""},
        {"to_address": "@example.com"},
    ],
)
def test_nothing_is_smuggled_into_a_header(mail: OutgoingMail, change: dict[str, str]) -> None:
    try:
        message = build_message(replace(mail, **change))  # type: ignore[arg-type]
    except DeliveryError:
        return
    head = message.as_bytes().partition(b"\r\n\r\n")[0]
    assert b"\r\nBcc:" not in head
    assert b"\r\nX-Evil:" not in head


def test_an_international_domain_is_written_as_servers_read_it(mail: OutgoingMail) -> None:
    message = build_message(replace(mail, to_address="ann@bücher.example"))
    assert "xn--bcher-kva.example" in message["To"]


@pytest.mark.parametrize(
    "address",
    [
        "",
        "nobody",
        "@example.com",
        "ann@",
        "ann@example.com,bob@example.com",
        "ann @example.com",
        "ann@exa mple.com",
        "<ann@example.com>",
        "ann@example..com",
        "ann@example.com\r\nBcc: everyone@example.com",
    ],
)
def test_only_a_single_address_is_written_to(mail: OutgoingMail, address: str) -> None:
    with pytest.raises(PermanentDeliveryError, match="is no e-mail address"):
        build_message(replace(mail, to_address=address))


@pytest.mark.parametrize(
    "change",
    [
        {"from_address": "shop"},
        {"subject": "a\nb"},
        {"list_id": "x> y"},
        {"unsubscribe_url": "https://a>,<b"},
        {"unsubscribe_url": "javascript:alert(1)"},
        {"key": "../../a"},
        {"text": "\ud800"},
    ],
)
def test_our_own_mistake_is_no_fault_of_the_recipients(
    mail: OutgoingMail, change: dict[str, Any]
) -> None:
    # A permanent error is written down as a bounce, and the person never hears from us again.
    with pytest.raises(TemporaryDeliveryError, match="cannot be written"):
        build_message(replace(mail, **change))


def test_a_name_with_line_breaks_becomes_one_line(mail: OutgoingMail) -> None:
    message = build_message(replace(mail, to_name="Ann\r\nBcc: x@example.com\0"))
    assert message["To"].addresses[0].display_name == "Ann Bcc: x@example.com"
    assert message["Bcc"] is None


def test_names_and_subjects_survive_the_wire(mail: OutgoingMail) -> None:
    raw = build_message(replace(mail, subject="Größe, Ωmega – 你好 " * 9)).as_bytes()
    read = message_from_bytes(raw, policy=policy.default)
    assert read["To"] == "Ann Älg <ann@example.com>"
    assert read["Subject"].strip() == ("Größe, Ωmega – 你好 " * 9).strip()
    words = re.findall(rb"=\?utf-8\?[bq]\?[^?]*\?=", raw)
    assert max(map(len, words)) <= 75  # RFC 2047 section 2


def test_the_same_mail_is_the_same_bytes(mail: OutgoingMail) -> None:
    assert build_message(mail).as_bytes() == build_message(mail).as_bytes()


def test_lines_stay_within_what_servers_take(mail: OutgoingMail) -> None:
    long = "ä" + "x" * 5000
    raw = build_message(replace(mail, html=f"<p>{long}</p>", text=long)).as_bytes()
    assert max(map(len, raw.split(b"\r\n"))) <= 998  # RFC 5322 section 2.1.1
