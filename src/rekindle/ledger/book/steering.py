"""Pauses, resumes and stops a journey, and moves its people to another version.

Whole journeys are changed here, so everything is read as numbers and written in chunks.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from rekindle.gate import INSTANT
from rekindle.ledger import models
from rekindle.ledger.bulk import CHUNK, chunks
from rekindle.ledger.cancelling import cancel, end_journey_stays, take_back
from rekindle.ledger.models import JourneyState
from rekindle.ledger.queries import (
    execute,
    fetch,
    instant_of,
    ledger_transaction,
    rows_of,
    text_of,
)
from rekindle.ledger.signals import end_enrolments
from rekindle.ledger.versions import Versions
from rekindle.vocabulary import Reason

RUNNING, PAUSED, STOPPED = (
    JourneyState.RUNNING.value,
    JourneyState.PAUSED.value,
    JourneyState.STOPPED.value,
)


class Steering:
    """The journeys of one ledger as a whole. Belongs to one book."""

    def __init__(self, alias: str, versions: Versions) -> None:
        self._alias = alias
        self._versions = versions

    def pause(self, journey: str, at: datetime) -> None:
        """Hold a running journey still, and take back what workers are about to send."""
        with ledger_transaction(self._alias):
            if self._steer(journey, PAUSED, at, since=(RUNNING,)):
                take_back(
                    self._alias,
                    models.Touch.objects.using(self._alias).filter(enrolment__journey=journey),
                )

    def resume(self, journey: str, at: datetime, *, over_seconds: int) -> int:
        """Let a paused journey go on, spread out; return how many had fallen due."""
        spread = timedelta(seconds=over_seconds)
        with ledger_transaction(self._alias):
            if not self._steer(journey, RUNNING, at, since=(PAUSED,)):
                return 0
            self._spread_messages(journey, at, spread)
            return self._spread_people(journey, at, spread)

    def stop(self, journey: str, at: datetime) -> int:
        """End a journey for everyone in it; return how many ended."""
        ended = last = 0
        with ledger_transaction(self._alias):
            self._steer(journey, STOPPED, at, since=(RUNNING, PAUSED))
            while rows := fetch(self._alias, "hold_open_in", journey, last, CHUNK):
                endings = [(number, Reason.STOPPED) for (number,) in rows]
                ended += end_enrolments(self._alias, endings, at)
                last = rows[-1][0]
            self._cancel_finished(journey)
            end_journey_stays(self._alias, journey, Reason.STOPPED, at)
        return ended

    def transfer(self, journey: str, version: int, places: Mapping[int, Mapping[int, int]]) -> int:
        """Move open enrolments to ``version``; return how many moved."""
        self._versions.find(journey, version)
        moved = 0
        with ledger_transaction(self._alias):
            for old, there in sorted(places.items()):
                rows = fetch(self._alias, "standing_in", journey, old)
                found = [(number, there[place]) for number, place in rows if place in there]
                for chunk in chunks(found):
                    execute(self._alias, "stand_at", rows_of(chunk))
                    versions = rows_of((number, version) for number, _ in chunk)
                    moved += execute(self._alias, "set_versions", versions)
        return moved

    def _steer(self, journey: str, state: str, at: datetime, *, since: Iterable[str]) -> bool:
        states = rows_of((one,) for one in since)
        return execute(self._alias, "steer_journey", state, text_of(at), journey, states) > 0

    def _spread_people(self, journey: str, at: datetime, spread: timedelta) -> int:
        rows = fetch(self._alias, "overdue_in", journey, text_of(at))
        overdue = sorted((due, number) for number, due in rows)
        turns = {
            number: at + spread * place // len(overdue) for place, (_, number) in enumerate(overdue)
        }
        for chunk in chunks(sorted(turns)):
            ready = fetch(self._alias, "ready_since", rows_of((number,) for number in chunk))
            looks = []
            for number, version, ready_at in ready:
                stale_after = self._versions.find(journey, version).journey.stale_after
                latest = instant_of(ready_at) + stale_after + INSTANT
                looks.append((number, text_of(max(at, min(turns[number], latest)))))
            execute(self._alias, "look_at", rows_of(looks))
        return len(overdue)

    def _spread_messages(self, journey: str, at: datetime, spread: timedelta) -> None:
        waiting = fetch(self._alias, "waiting_messages_in", journey)
        places = []
        for place, (touch, not_before, expires_at) in enumerate(waiting):
            turn = max(at + spread * place // len(waiting), instant_of(not_before))
            latest = instant_of(expires_at) + INSTANT
            places.append((touch, text_of(max(at, min(turn, latest)))))
        for chunk in chunks(places):
            execute(self._alias, "postpone_to", rows_of(chunk))

    def _cancel_finished(self, journey: str) -> None:
        """Cancel what waits for people who came to the end of the journey."""
        rows = models.Touch.objects.using(self._alias).filter(enrolment__journey=journey)
        cancel(self._alias, rows, Reason.STOPPED)
