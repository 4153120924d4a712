"""The imported shop of the runtime's tests, copied for each test."""

from __future__ import annotations

from tests.runtime.conftest import imported_shop, team

__all__ = ["imported_shop", "team"]
