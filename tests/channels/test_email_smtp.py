"""SMTP against a real server: which error leaves the message where."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rekindle.channels import OutgoingMail, Outlet, build_outlet
from rekindle.config import EmailSettings, SmtpSettings
from rekindle.errors import PermanentDeliveryError, TemporaryDeliveryError, UnknownFateError
from tests.channels.postbox import Postbox

Opened = Callable[..., Outlet]


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Opened]:
    outlets = []

    def open_at(port: int, **more: Any) -> Outlet:
        smtp = SmtpSettings(host="127.0.0.1", port=port, security="none", timeout_seconds=5, **more)
        settings = EmailSettings(outlet="email_smtp", smtp=smtp)
        outlet = build_outlet("email_smtp", settings, base=tmp_path, secrets={})
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
    assert not outlet.is_idempotent


def test_an_address_refused_for_good_is_permanent(
    postbox: Postbox, opened: Opened, mail: OutgoingMail
) -> None:
    postbox.replies["ann"] = "550 no such user"
    outlet = opened(postbox.port)
    with pytest.raises(PermanentDeliveryError, match="550 no such user"):
        outlet.send(mail)
    outlet.send(replace(mail, to_address="bob@example.com"))
    assert len(postbox.received) == 1


def test_an_address_that_cannot_be_said_is_permanent(
    postbox: Postbox, opened: Opened, mail: OutgoingMail
) -> None:
    outlet = opened(postbox.port)
    outlet.send(replace(mail, to_address="ann@bücher.example"))
    with pytest.raises(PermanentDeliveryError, match="plain letters"):
        outlet.send(replace(mail, to_address="änn@example.com"))
    assert len(postbox.received) == 1


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
    postbox.data_reply = "554 looks like spam"
    with pytest.raises(PermanentDeliveryError, match="554 looks like spam"):
        opened(postbox.port).send(mail)


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
