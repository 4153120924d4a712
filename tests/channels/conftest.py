"""A real mail server that misbehaves on request."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from rekindle.channels.email.writing import OutgoingMail
from tests.channels.postbox import Postbox, build_mail, serving


@pytest.fixture
def serve() -> Iterator[Callable[..., Postbox]]:
    """Return a function that starts a server; it outlives the outlets that use it."""
    with ExitStack() as servers:
        yield lambda **how: servers.enter_context(serving(**how))


@pytest.fixture
def postbox(serve: Callable[..., Postbox]) -> Postbox:
    return serve()


@pytest.fixture
def mail() -> OutgoingMail:
    return build_mail()
