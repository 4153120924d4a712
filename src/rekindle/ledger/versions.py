"""Journey versions, as the ledger keeps them.

What was started is written down as its file's text, so that people finish the version
they entered even after its file has changed or gone.
"""

from __future__ import annotations

from functools import lru_cache, partial

from django.db.models import OuterRef, QuerySet, Subquery

from rekindle.errors import LedgerError
from rekindle.journeys import JourneyVersion, parse_journey
from rekindle.ledger import models
from rekindle.ledger.models import JourneyState
from rekindle.ledger.queries import (
    execute,
    fetch,
    ledger_errors,
    ledger_transaction,
    rows_of,
    text_of,
)

# Every book and outbox asks for the same files, and reading one takes milliseconds.
_read_file = lru_cache(maxsize=256)(partial(parse_journey, any_channel=True))


class Versions:
    """The versions in one ledger. What never changes about them is read once."""

    def __init__(self, alias: str) -> None:
        self._alias = alias
        self._known: dict[tuple[str, int], JourneyVersion] = {}

    def start(self, version: JourneyVersion) -> None:
        """Make this a version of its journey, which runs now."""
        name, at = version.journey.name, version.started_at
        with ledger_transaction(self._alias):
            row = (name, text_of(at), text_of(version.since))
            execute(self._alias, "start_journey", rows_of([row]))
            self._rows.get_or_create(
                name=name,
                version=version.version,
                defaults={
                    "text": version.journey.text,
                    "holdout_share": version.holdout_share,
                    "salt": version.salt,
                    "started_at": at,
                },
            )

    @ledger_errors()
    def running(self) -> list[JourneyVersion]:
        """Return the newest version of every journey that takes new people."""
        newest = self._rows.filter(name=OuterRef("name")).order_by("-version")
        rows = self._rows.filter(version=Subquery(newest.values("version")[:1]))
        states = models.Journey.objects.using(self._alias).filter(state=JourneyState.RUNNING)
        found = rows.filter(name__in=states.values("name")).order_by("name")
        return self._read(found)

    @ledger_errors()
    def of_journey(self, name: str) -> list[JourneyVersion]:
        """Return every version of a journey, oldest first."""
        return self._read(self._rows.filter(name=name).order_by("version"))

    def find(self, name: str, version: int) -> JourneyVersion:
        """Return one version.

        Raises:
            LedgerError: it was never started here.
        """
        if (name, version) not in self._known:
            self.of_journey(name)
        try:
            return self._known[name, version]
        except KeyError as error:
            raise LedgerError(
                f"version {version} of journey {name!r} was never started in this ledger"
            ) from error

    @ledger_errors()
    def state(self, name: str) -> JourneyState | None:
        """Return whether a journey runs, is paused or was stopped; None if it never started."""
        rows = models.Journey.objects.using(self._alias).filter(name=name)
        found = rows.values_list("state", flat=True).first()
        return None if found is None else JourneyState(found)

    def stopped(self) -> frozenset[str]:
        """Return the journeys that were stopped."""
        return frozenset(name for (name,) in fetch(self._alias, "stopped_journeys"))

    @property
    def _rows(self) -> QuerySet[models.JourneyVersion]:
        return models.JourneyVersion.objects.using(self._alias)

    def _read(self, rows: QuerySet[models.JourneyVersion]) -> list[JourneyVersion]:
        found = []
        opened = {
            journey.name: journey.opened_at
            for journey in models.Journey.objects.using(self._alias).filter(
                name__in={row.name for row in rows}
            )
        }
        for row in rows:
            key = (row.name, row.version)
            if key not in self._known:
                opened_at = opened[row.name]
                self._known[key] = JourneyVersion(
                    journey=_read_file(row.text, name_hint=f"{row.name}, version {row.version}"),
                    version=row.version,
                    holdout_share=row.holdout_share,
                    salt=row.salt,
                    started_at=row.started_at,
                    opened_at=None if opened_at == row.started_at else opened_at,
                )
            found.append(self._known[key])
        return found
