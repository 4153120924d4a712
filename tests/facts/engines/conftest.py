"""The shop that the whole loop is tested on, for engines to run the loop over."""

from __future__ import annotations

from tests.runtime.conftest import imported_shop, team

__all__ = ["imported_shop", "team"]
