"""One message that is kept in memory, for what does not depend on a database."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from rekindle.messages import DeliveryKind
from rekindle.worker import Showing, Told
from tests.web.api.fake_intake import NOW

SECRET = "a secret of the tests, long enough"
KEY = "ab" * 32
HOUR = timedelta(hours=1)


class FakeKept:
    """Keeps one message of Ada's."""

    secret = SECRET

    def __init__(self) -> None:
        self.told: list[tuple[str, str, DeliveryKind]] = []

    def now(self) -> datetime:
        return NOW

    def ask(self, user: str, source: str) -> Showing | None:
        parts = {"title": "Hello", "body": "Back", "url": "", "text": "Back"}
        return Showing(KEY, parts, NOW + HOUR) if user == "ada" else None

    def tell(self, user: str, source: str, said: Sequence[tuple[str, DeliveryKind]]) -> Told:
        new = [(user, *one) for one in said if user == "ada" and one[0] == KEY]
        self.told += new
        return Told(len(new), frozenset(key for key, _ in said if user != "ada" or key != KEY))
