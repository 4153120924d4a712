"""Journey versions, as the ledger keeps them.

What was started is written down whole, parsed and as text, so that people finish the
version they entered even after its file has changed or gone.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from pydantic import TypeAdapter

from rekindle.errors import LedgerError
from rekindle.journeys import Journey, JourneyVersion
from rekindle.ledger import models
from rekindle.ledger.queries import ledger_errors, ledger_transaction


class Versions:
    """The versions in one ledger. What never changes about them is read once."""

    def __init__(self, alias: str) -> None:
        self._alias = alias
        self._known: dict[tuple[str, int], JourneyVersion] = {}

    def start(self, version: JourneyVersion) -> None:
        """Make this the only version of its journey that new people enter."""
        name = version.journey.name
        with ledger_transaction(self._alias):
            rows = models.JourneyVersion.objects.using(self._alias)
            rows.filter(name=name).exclude(version=version.version).update(is_running=False)
            row, is_new = rows.get_or_create(
                name=name, version=version.version, defaults=_row_of(version)
            )
            if not is_new and not row.is_running:
                rows.filter(pk=row.pk).update(is_running=True)

    @ledger_errors()
    def running(self) -> list[JourneyVersion]:
        """Return the newest version of every journey that takes new people."""
        rows = models.JourneyVersion.objects.using(self._alias)
        return [_version_of(row) for row in rows.filter(is_running=True).order_by("name")]

    @ledger_errors()
    def of_journey(self, name: str) -> list[JourneyVersion]:
        """Return every version of a journey, oldest first."""
        rows = models.JourneyVersion.objects.using(self._alias)
        return [_version_of(row) for row in rows.filter(name=name).order_by("version")]

    def find(self, name: str, version: int) -> JourneyVersion:
        """Return one version.

        Raises:
            LedgerError: it was never started here.
        """
        if (name, version) not in self._known:
            self._known |= {(name, v.version): v for v in self.of_journey(name)}
        try:
            return self._known[name, version]
        except KeyError as error:
            raise LedgerError(
                f"version {version} of journey {name!r} was never started in this ledger"
            ) from error


@cache
def _journeys() -> TypeAdapter[Journey]:
    return TypeAdapter(Journey)


def _row_of(version: JourneyVersion) -> dict[str, Any]:
    return {
        "text": version.journey.text,
        "definition": _journeys().dump_python(version.journey, mode="json", exclude={"text"}),
        "holdout_share": version.holdout_share,
        "salt": version.salt,
        "started_at": version.started_at,
        "is_running": True,
    }


def _version_of(row: models.JourneyVersion) -> JourneyVersion:
    return JourneyVersion(
        journey=_journeys().validate_python({**row.definition, "text": row.text}),
        version=row.version,
        holdout_share=row.holdout_share,
        salt=row.salt,
        started_at=row.started_at,
    )
