"""A made-up biller to try things on: ``python -m rekindle.testing.biller --people 60``.

It listens on loopback, speaks as Stripe does, holds a club's subscribers and what they paid,
and posts signed notices of what happens from then on. Its first line says where it is.
"""

from __future__ import annotations

import argparse
import json
import queue
import signal
import threading
import urllib.error
import urllib.request
from datetime import datetime

from rekindle.clock import MovableClock, SystemClock
from rekindle.testing.biller.lives import DAY, DAYS, ClubLives
from rekindle.testing.biller.server import KEY, FakeBiller, serving
from rekindle.testing.biller.world import BillerWorld, Thing, sign_notice

SECRET = "whsec_made_up"
TRIES, PATIENCE_SECONDS = 5, 10


class LiveBiller(FakeBiller):
    """A biller whose clock is the present, and that tells what happens as it does."""

    def __init__(self, world: BillerWorld, tell: str) -> None:
        super().__init__(world)
        self._tell, self._told = tell, len(world.events)
        self._waiting: queue.SimpleQueue[Thing] = queue.SimpleQueue()
        if tell:
            threading.Thread(target=self._deliver, daemon=True).start()

    def answer(self, method: str, path: str, wanted: Thing, key: str) -> tuple[int, Thing]:
        """Return a status and a body, and let what happened be told."""
        now = SystemClock().now()
        if now > self.world.clock.now():
            self.world.clock.set(now)
        found = super().answer(method, path, wanted, key)
        new, self._told = self.world.events[self._told :], len(self.world.events)
        for event in new:
            self._waiting.put(event)
        return found

    def _deliver(self) -> None:
        while True:
            event = self._waiting.get()
            for turn in range(TRIES):
                if self._post(event, SystemClock().now()):
                    break
                threading.Event().wait(turn)

    def _post(self, event: Thing, at: datetime) -> bool:
        headers, body = sign_notice(self.world.webhook_secret, event, at)
        asked = urllib.request.Request(self._tell, data=body, headers=headers)
        try:
            with urllib.request.urlopen(asked, timeout=PATIENCE_SECONDS) as answer:
                return int(answer.status) < 300
        except (OSError, urllib.error.URLError):
            return False


def main() -> None:
    """Run until it is told to stop."""
    parser = argparse.ArgumentParser(prog="python -m rekindle.testing.biller")
    parser.add_argument("--people", type=int, default=60, help="how many subscribed in a year")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--tell", default="", metavar="URL", help="where notices are posted")
    given = parser.parse_args()
    clock = MovableClock(SystemClock().now() - DAYS * DAY)
    world = BillerWorld(clock, webhook_secret=SECRET)
    lives = ClubLives(world, people=given.people, seed=given.seed)
    lives.run()
    over = threading.Event()
    for one in (signal.SIGTERM, signal.SIGINT):
        signal.signal(one, lambda *_: over.set())
    biller = LiveBiller(world, given.tell)
    with serving(biller):
        said = {"url": biller.url, "key": KEY, "webhook_secret": SECRET, "people": lives.people}
        print(json.dumps(said), flush=True)
        over.wait()


if __name__ == "__main__":
    main()
