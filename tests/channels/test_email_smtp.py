"""SMTP against a real server: which error leaves the message where."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from rekindle.channels import build_outlet, find_outlet
from rekindle.channels.email.settings import EmailSettings, SmtpSettings
from rekindle.channels.email.writing import OutgoingMail
from rekindle.errors import (
    DeliveryError,
    OutletFaultError,
    PermanentDeliveryError,
    RefusedContentError,
    TemporaryDeliveryError,
    UnknownFateError,
)
from tests.channels.postbox import CERTIFICATE, Mailing, Postbox

Opened = Callable[..., Mailing]
Serve = Callable[..., Postbox]


@pytest.fixture
def opened(tmp_path: Path, serve: Serve) -> Iterator[Opened]:
    outlets = []

    def open_at(port: int, *, password: str = "", **more: Any) -> Mailing:
        given = {"host": "127.0.0.1", "security": "none", "timeout_seconds": 5, **more}
        settings = EmailSettings(outlet="email_smtp", smtp=SmtpSettings(port=port, **given))
        secrets = {"REKINDLE_SMTP_PASSWORD": password}
        outlet = Mailing(build_outlet("email_smtp", settings, base=tmp_path, secrets=secrets))
        outlets.append(outlet)
        return outlet

    yield open_at
    for outlet in outlets:
        outlet.close()


def test_messages_arrive_over_one_connection(
    postbox: Postbox, opened: Opened, mail: OutgoingMail
) -> None:
    outlet = opened(postbox.port)
    for number in range(3):
        outlet.send(replace(mail, key=str(number) * 64))
    assert [m["Message-ID"][1] for m in postbox.received] == ["0", "1", "2"]
    assert postbox.received[0]["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert postbox.greetings == 1
    assert find_outlet("email_smtp")[1].capabilities.idempotent_for is None


def test_an_address_refused_for_good_is_permanent(
    postbox: Postbox, opened: Opened, mail: OutgoingMail
) -> None:
    postbox.replies["ann"] = "550 no such user"
    outlet = opened(postbox.port)
    with pytest.raises(PermanentDeliveryError, match="550 no such user"):
        outlet.send(mail)
    outlet.send(replace(mail, to_address="bob@example.com"))
    assert len(postbox.received) == 1


def test_an_address_beyond_ascii_arrives_where_the_server_takes_it(
    postbox: Postbox, opened: Opened, mail: OutgoingMail
) -> None:
    outlet = opened(postbox.port)
    outlet.send(replace(mail, to_address="ann@bücher.example"))
    with pytest.raises(RefusedContentError, match="does not take addresses like"):
        outlet.send(replace(mail, to_address="änn@example.com"))
    assert [m["To"].addresses[0].domain for m in postbox.received] == ["xn--bcher-kva.example"]


def test_a_server_that_speaks_utf8_is_written_to_in_it(
    serve: Serve, opened: Opened, mail: OutgoingMail
) -> None:
    box = serve(enable_SMTPUTF8=True)
    opened(box.port).send(replace(mail, to_address="änn@example.com"))
    assert box.received[0]["To"] == "Ann Älg <änn@example.com>"


def test_a_busy_server_is_tried_again(postbox: Postbox, opened: Opened, mail: OutgoingMail) -> None:
    postbox.replies["ann"] = "451 later"
    with pytest.raises(TemporaryDeliveryError, match="451 later"):
        opened(postbox.port).send(mail)
    postbox.data_reply = "452 full"
    with pytest.raises(TemporaryDeliveryError, match="452 full"):
        opened(postbox.port).send(replace(mail, to_address="bob@example.com"))


def test_a_message_refused_for_good_is_permanent(
    postbox: Postbox, opened: Opened, mail: OutgoingMail
) -> None:
    postbox.data_reply = "554 5.6.0 looks like spam"
    outlet = opened(postbox.port)
    with pytest.raises(RefusedContentError, match="looks like spam") as refused:
        outlet.send(mail)
    assert refused.value.permanent
    postbox.data_reply = "250 OK"
    outlet.send(mail)
    assert postbox.greetings == 1


BLOCKED = "550 5.7.1 your address is on a block list"
LOG_IN = "530 5.7.0 log in first"


@pytest.mark.parametrize(
    ("stage", "reply", "expected"),
    [
        ("recipient", BLOCKED, TemporaryDeliveryError),
        ("recipient", LOG_IN, OutletFaultError),
        ("message", BLOCKED, RefusedContentError),
        ("message", LOG_IN, OutletFaultError),
    ],
)
def test_a_refusal_of_us_writes_nobody_off(
    postbox: Postbox,
    opened: Opened,
    mail: OutgoingMail,
    *,
    reply: str,
    stage: str,
    expected: type[DeliveryError],
) -> None:
    if stage == "recipient":
        postbox.replies["ann"] = reply
    else:
        postbox.data_reply = reply
    with pytest.raises(expected, match=reply):
        opened(postbox.port).send(mail)


def test_a_refused_sender_writes_nobody_off(
    postbox: Postbox, opened: Opened, mail: OutgoingMail
) -> None:
    postbox.sender_reply = "553 not yours"
    with pytest.raises(OutletFaultError, match=r"refused the sender .* 553 not yours"):
        opened(postbox.port).send(mail)


@pytest.mark.parametrize("reply", ["250 OK", "421 closing, idle for too long"])
def test_a_connection_closed_between_messages_is_opened_again(
    postbox: Postbox, opened: Opened, mail: OutgoingMail, reply: str
) -> None:
    outlet = opened(postbox.port)
    outlet.send(mail)
    postbox.close_once = reply
    outlet.send(replace(mail, key="b" * 64))
    assert [m["Message-ID"][1] for m in postbox.received] == ["a", "b"]


def test_a_connection_lost_before_the_message_is_tried_again(
    postbox: Postbox, opened: Opened, mail: OutgoingMail
) -> None:
    postbox.replies["ann"] = "hang up"
    with pytest.raises(TemporaryDeliveryError, match="broke off"):
        opened(postbox.port).send(mail)


def test_a_line_that_begins_with_a_dot_arrives_whole(
    postbox: Postbox, opened: Opened, mail: OutgoingMail
) -> None:
    opened(postbox.port).send(replace(mail, text=".one\n..two\n.\nthree\n"))
    text = postbox.received[0].get_body(("plain",))
    assert text is not None
    assert text.get_content().splitlines() == [".one", "..two", ".", "three"]


def test_a_connection_lost_after_the_message_leaves_its_fate_unknown(
    postbox: Postbox, opened: Opened, mail: OutgoingMail
) -> None:
    postbox.hang_up = True
    outlet = opened(postbox.port)
    with pytest.raises(UnknownFateError):
        outlet.send(mail)
    postbox.hang_up = False
    outlet.send(replace(mail, key="b" * 64))
    assert len(postbox.received) == 1


def test_no_server_is_temporary_and_says_where(opened: Opened, mail: OutgoingMail) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    with pytest.raises(TemporaryDeliveryError, match=f"cannot reach the mail server.*{port}"):
        opened(port).send(mail)


def test_a_server_without_login_says_what_to_check(
    postbox: Postbox, opened: Opened, mail: OutgoingMail
) -> None:
    with pytest.raises(TemporaryDeliveryError, match=r"\[email.smtp\]"):
        opened(postbox.port, username="shop").send(mail)


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_password_travels_encrypted(
    serve: Serve,
    opened: Opened,
    mail: OutgoingMail,
    monkeypatch: pytest.MonkeyPatch,
    security: str,
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
    box = serve(security=security, password="right")
    login = {"security": security, "username": "shop"}
    opened(box.port, password="right", **login).send(mail)
    assert len(box.received) == 1
    with pytest.raises(OutletFaultError, match="REKINDLE_SMTP_PASSWORD"):
        opened(box.port, password="wrong", **login).send(mail)


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_server_nobody_vouches_for_is_told_nothing(
    serve: Serve, opened: Opened, mail: OutgoingMail, security: str
) -> None:
    box = serve(security=security)
    with pytest.raises(TemporaryDeliveryError, match="certificate verify failed"):
        opened(box.port, security=security).send(mail)
    assert box.received == []


def test_encryption_that_is_asked_for_is_not_given_up(
    postbox: Postbox, opened: Opened, mail: OutgoingMail
) -> None:
    with pytest.raises(TemporaryDeliveryError, match="STARTTLS"):
        opened(postbox.port, security="starttls").send(mail)
    assert postbox.received == []


def test_a_wish_to_wait_travels_with_the_error(
    postbox: Postbox, opened: Opened, mail: OutgoingMail
) -> None:
    postbox.replies["ann"] = "450 4.2.0 Greylisted, try again in 5 minutes"
    with pytest.raises(TemporaryDeliveryError) as refused:
        opened(postbox.port).send(mail)
    assert refused.value.retry_after == timedelta(minutes=5)


@pytest.mark.parametrize("stage", ["replies", "data_reply"])
def test_a_server_that_goes_away_is_not_asked_on_that_connection_again(
    postbox: Postbox, opened: Opened, mail: OutgoingMail, stage: str
) -> None:
    reply: Any = "421 4.3.2 closing"
    setattr(postbox, stage, {"ann": reply} if stage == "replies" else reply)
    outlet = opened(postbox.port)
    with pytest.raises(TemporaryDeliveryError, match="closing"):
        outlet.send(mail)
    postbox.replies, postbox.data_reply = {}, "250 OK"
    outlet.send(mail)
    assert postbox.greetings == 2


def test_an_answer_nobody_understands_leaves_the_fate_unknown(
    postbox: Postbox, opened: Opened, mail: OutgoingMail
) -> None:
    postbox.data_reply = "taken, thank you"
    with pytest.raises(UnknownFateError, match="no SMTP reply"):
        opened(postbox.port).send(mail)


def test_a_connection_is_opened_anew_after_so_many_messages(
    postbox: Postbox, opened: Opened, mail: OutgoingMail
) -> None:
    outlet = opened(postbox.port, messages_per_connection=2)
    for number in range(5):
        outlet.send(replace(mail, key=str(number)))
    assert len(postbox.received) == 5
    assert postbox.greetings == 3


def test_threads_share_the_connections_and_never_a_conversation(
    postbox: Postbox, opened: Opened, mail: OutgoingMail
) -> None:
    outlet = opened(postbox.port, connections=3)
    mails = [replace(mail, key=f"{n}", to_address=f"c{n}@example.com") for n in range(60)]
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(outlet.send, mails))
    found = {m["Message-ID"]: m["To"].addresses[0].addr_spec for m in postbox.received}
    assert found == {f"<{n}@example.com>": f"c{n}@example.com" for n in range(60)}
    assert len(postbox.received) == 60
    assert 1 <= postbox.greetings <= 3


def test_an_outlet_that_was_closed_opens_again(
    postbox: Postbox, opened: Opened, mail: OutgoingMail
) -> None:
    outlet = opened(postbox.port)
    outlet.send(mail)
    outlet.close()
    outlet.send(mail)
    assert postbox.greetings == 2


def test_a_server_that_closes_every_connection_is_tried_again(
    postbox: Postbox, opened: Opened, mail: OutgoingMail
) -> None:
    postbox.sender_reply = "421 not today"
    with pytest.raises(TemporaryDeliveryError, match="421 not today"):
        opened(postbox.port).send(mail)
