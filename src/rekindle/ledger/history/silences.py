"""Who does not answer, by what was sent and what came back; and leaving them alone."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from django.db.models import Exists, OuterRef

from rekindle.consent import ANSWERS, LIFTED_BY_DEEDS, OPENS, Silence
from rekindle.ledger import intake_models, models
from rekindle.ledger.bulk import chunks
from rekindle.ledger.cancelling import take_back_from
from rekindle.ledger.history.addresses import chunked
from rekindle.ledger.queries import (
    execute,
    fetch,
    instant_of,
    ledger_errors,
    ledger_transaction,
    rows_of,
    text_of,
)
from rekindle.ledger.signals import EVERY, LIFTED
from rekindle.ledger.statements import note_people
from rekindle.vocabulary import Purpose, SignalKind

KINDS = sorted(kind.value for kind in ANSWERS)


@ledger_errors()
def find_silences(
    alias: str, *, least: int, since: datetime, asked_for: Collection[str] = ()
) -> list[Silence]:
    """Return who had ``least`` messages on a channel unanswered, the first before ``since``.

    A message of a channel that is ``asked_for`` counts once it was shown.
    """
    asked = rows_of((kind,) for kind in KINDS)
    rows = fetch(
        alias, "silent_people", asked, rows_of((one,) for one in asked_for), least, text_of(since)
    )
    return [
        Silence(person, channel, count, instant_of(first), bool(opened))
        for person, channel, count, first, opened in rows
    ]


def leave_alone(alias: str, stops: Sequence[tuple[str, str, str]], at: datetime) -> None:
    """Suppress the marketing of people, each on a channel (``*`` for all) for a reason."""
    with ledger_transaction(alias):
        for chunk in chunks(sorted(stops)):
            rows = rows_of((*stop, text_of(at)) for stop in chunk)
            execute(alias, "leave_alone", rows)
            note_people(alias, {person for person, *_ in chunk})
            take_back_from(alias, {person for person, *_ in chunk})


@ledger_errors()
def left_alone(
    alias: str, *, reasons: Collection[str] = tuple(sorted(LIFTED_BY_DEEDS))
) -> dict[str, datetime]:
    """Return who is left alone for one of these reasons, and since when at the latest."""
    rows = models.Suppression.objects.using(alias).filter(
        reason__in=list(reasons), person__isnull=False
    )
    found: dict[str, datetime] = {}
    for person, at in rows.order_by("at").values_list("person_id", "at"):
        found[person] = at
    return found


@ledger_errors()
def people_suppressed_since(alias: str, since: datetime) -> list[tuple[str, str, datetime]]:
    """Return who is suppressed in marketing since then, on any channel: person, reason, instant.

    A bounce suppresses an address and names nobody; what was lifted is not there. Whoever said
    no by a file or a report, and no yes since, is there like who pressed a link.
    """
    rows = models.Suppression.objects.using(alias).filter(
        person__isnull=False, at__gte=since, purpose__in=(EVERY, Purpose.MARKETING.value)
    )
    rows = rows.exclude(channel=LIFTED).order_by("at", "id")
    found = list(rows.values_list("person_id", "reason", "at"))
    told = {person for person, reason, _ in found if reason == SignalKind.OPT_OUT.value}
    return found + [one for one in _withdrawn_since(alias, since) if one[0] not in told]


def _withdrawn_since(alias: str, since: datetime) -> list[tuple[str, str, datetime]]:
    """Return whose newest statement about a channel is a no of since then."""
    said = models.Consent.objects.using(alias)
    later = said.filter(
        person=OuterRef("person"), channel=OuterRef("channel"), granted=True, at__gt=OuterRef("at")
    )
    # What is said in the portal leaves a suppression, or is an empty box.
    rows = said.filter(~Exists(later), granted=False, at__gte=since)
    rows = rows.exclude(source__startswith="portal").exclude(channel__startswith="-")
    found = rows.exclude(channel=OPENS).order_by("at", "id").values_list("person_id", "at")
    return [(person, SignalKind.OPT_OUT.value, at) for person, at in found]


@ledger_errors()
def active_among(alias: str, people: Collection[str], *, since: datetime) -> set[str]:
    """Return those of these people who did anything since then, or were written to."""
    found: set[str] = set()
    for chunk in chunked(sorted(people)):
        signals = models.Signal.objects.using(alias).filter(
            person__in=chunk, at__gte=since, is_void=False, kind__in=KINDS
        )
        reports = intake_models.Event.objects.using(alias).filter(person__in=chunk, at__gte=since)
        found.update(signals.values_list("person_id", flat=True))
        found.update(reports.exclude(deed=None).values_list("person", flat=True))
    return found
