"""What a message looks like when it leaves."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rekindle.channels import OutgoingMail, build_message
from rekindle.errors import PermanentDeliveryError


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
    with pytest.raises(PermanentDeliveryError, match="together"):
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
    except PermanentDeliveryError:
        return
    head = message.as_bytes().partition(b"\r\n\r\n")[0]
    assert b"\r\nBcc:" not in head
    assert b"\r\nX-Evil:" not in head


def test_an_international_domain_is_written_as_servers_read_it(mail: OutgoingMail) -> None:
    message = build_message(replace(mail, to_address="ann@bücher.example"))
    assert "xn--bcher-kva.example" in message["To"]
