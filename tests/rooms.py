"""Gives each worker a room at a time: what its tests compile and build is made once.

A worker that meets a room compiles its queries, and builds the shops that its tests share.
Where neighbours in a folder go to different workers, each of them does all of that.
"""

from __future__ import annotations

from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]


class RoomScheduling(LoadScopeScheduling):  # type: ignore[misc]
    """Hands out folders, in the order in which they were collected."""

    def _split_scope(self, nodeid: str) -> str:
        return nodeid.partition("::")[0].rpartition("/")[0]
