"""The portal of one shop, over a list kept in memory."""

from __future__ import annotations

import pytest

from rekindle.consent import sign_unsubscribe
from rekindle.web.portal import build_app
from tests.web.portal.visitor import FakeSubscriptions, Visitor

SECRET = b"a secret of the tests"


@pytest.fixture
def subscriptions() -> FakeSubscriptions:
    return FakeSubscriptions()


@pytest.fixture
def visitor(subscriptions: FakeSubscriptions) -> Visitor:
    return Visitor(build_app(subscriptions, SECRET))


@pytest.fixture
def link() -> str:
    """Return Bob's unsubscribe link, without the host."""
    return f"/u/{sign_unsubscribe(SECRET, 'bob', 'news.example.com')}"
