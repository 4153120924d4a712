"""A corner shop on either database."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from rekindle.runtime import Workspace
from tests.ledger.conftest import postgres, postgres_ledger, sqlite_template  # noqa: F401 - fixtures
from tests.seam.corner import Corner
from tests.web.api.conftest import space  # noqa: F401 - a fixture


@pytest.fixture
def corner(space: Workspace) -> Iterator[Corner]:  # noqa: F811 - the fixture
    shop = Corner(space)
    yield shop
    shop.space.forget_facts()
