"""A real mail server that misbehaves on request."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest
from aiosmtpd.controller import Controller

from rekindle.channels import OutgoingMail
from tests.channels.postbox import Postbox, build_mail


@pytest.fixture
def postbox() -> Iterator[Postbox]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        box = Postbox(port=free.getsockname()[1])
    controller = Controller(box, hostname="127.0.0.1", port=box.port)
    controller.start()
    yield box
    controller.stop()


@pytest.fixture
def mail() -> OutgoingMail:
    return build_mail()
