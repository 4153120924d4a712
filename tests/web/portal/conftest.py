"""The portal of one shop, over a list kept in memory."""

from __future__ import annotations

import pytest

from rekindle.consent import sign_unsubscribe
from rekindle.web.portal import build_app
from tests.web.portal.visitor import FakeOptOuts, Visitor

SECRET = b"a secret of the tests"


@pytest.fixture
def opt_outs() -> FakeOptOuts:
    return FakeOptOuts()


@pytest.fixture
def visitor(opt_outs: FakeOptOuts) -> Visitor:
    return Visitor(build_app(opt_outs, SECRET))


@pytest.fixture
def link() -> str:
    """Return Bob's unsubscribe link, without the host."""
    return f"/u/{sign_unsubscribe(SECRET, 'bob', 'news.example.com')}"
