"""Looks, every few minutes of the worker, at what the doctor finds, and tells the team of it."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

from rekindle.errors import RekindleError
from rekindle.ledger import Alert, Alerts
from rekindle.runtime import Workspace
from rekindle.wording import moment
from rekindle.worker.examining import find_causes
from rekindle.worker.keeping.alerts.telling import Telling, read_alert_urls
from rekindle.worker.keeping.daily import DailyWatch

LEASE = timedelta(minutes=10)
WAIT = 3.0
FAILING = "worker:failing"

logger = logging.getLogger(__name__)


class AlertKeeper:
    """Tells the team of one workspace. It never raises and holds a pass for seconds at most."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._watch = DailyWatch(workspace)
        self._looked_at: datetime | None = None
        self._running: tuple[Telling, Sequence[Alert]] | None = None

    def look(self, *, failed: int = 0, error: str = "") -> None:
        """Look at what stands wrong and tell what is new; ``failed`` passes went before."""
        try:
            urls = read_alert_urls()
            if urls:
                self._look(urls, failed, error)
        except RekindleError as fault:
            logger.error("alerts: %s", fault)
        except Exception:
            logger.exception("alerts: this look failed; the next one goes on")

    def note(self, about: str, words: str) -> None:
        """Keep something that happened once, to be told with the next look."""
        if read_alert_urls() and about in self._workspace.config.alerts.about:
            at = self._workspace.clock.now()
            Alerts(self._workspace.ledger).note(f"{about}:{at.isoformat()}", words, at)

    def _look(self, urls: list[str], failed: int, error: str) -> None:
        space, now = self._workspace, self._workspace.clock.now()
        alerts = Alerts(space.ledger)
        self._collect(alerts, now, 0)
        settings = space.config.alerts
        is_time = self._looked_at is None or now - self._looked_at >= settings.every
        if self._running is not None or not (is_time or failed == settings.failed_passes):
            return
        self._looked_at = now
        problems = find_causes(space)
        if self._is_wanted("watch:"):
            problems |= self._watch.find_causes(now)
        if failed >= settings.failed_passes:
            problems[FAILING] = f"{failed} passes of the worker failed in a row: {error}"
        wanted = {name: text for name, text in problems.items() if self._is_wanted(name)}
        alerts.settle(wanted, now)
        if news := alerts.claim(now, LEASE):
            title = f"{space.config.workspace.name}: {_summary(news)}"
            self._running = (Telling(urls, title, self._words(news)), news)
            self._collect(alerts, now, WAIT)

    def _collect(self, alerts: Alerts, now: datetime, seconds: float) -> None:
        """Write down what became of what was told before; who hangs is left to hang."""
        if self._running is None:
            return
        telling, news = self._running
        if telling.wait(seconds):
            self._running = None
            if telling.is_taken:
                alerts.told(news, now)

    def _is_wanted(self, cause: str) -> bool:
        return cause.partition(":")[0] in self._workspace.config.alerts.about

    def _words(self, news: Sequence[Alert]) -> str:
        zone = self._workspace.zone
        return "\n".join(
            f"{'Over' if one.is_over else moment(one.at, zone)}: {one.words}" for one in news
        )


def _summary(news: Sequence[Alert]) -> str:
    over = sum(one.is_over for one in news)
    begun = len(news) - over
    parts = [f"{begun} to look at" if begun else "", f"{over} over" if over else ""]
    return ", ".join(filter(None, parts))
