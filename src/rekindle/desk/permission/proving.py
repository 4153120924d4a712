"""Everything there is to show of one person's permission, as one readable file.

The words are those on record, the rules those of today; whoever reads it needs nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rekindle.consent import (
    ConsentRecord,
    PendingConsent,
    PendingState,
    decide_permission,
    source_of,
)
from rekindle.desk.finding import find_person
from rekindle.errors import UsageError
from rekindle.journeys import Person, standing_of, week_of
from rekindle.ledger import AuditEntry, ExclusionEntry, SuppressionEntry, judge_all
from rekindle.messages import Address
from rekindle.profiles import LAST_PURCHASE, list_last_purchases
from rekindle.runtime import Workspace
from rekindle.vocabulary import Channel, Purpose
from rekindle.wording import moment

SCHEMA_VERSION = 1
UNDATED_YEAR = 1970
STATES = {
    PendingState.OPEN: "waits for it, and permits nothing",
    PendingState.CONFIRMED: "confirmed since",
    PendingState.REFUSED: "they said no",
    PendingState.OVER: "never confirmed in time",
}


@dataclass(frozen=True, slots=True)
class ProvenStanding:
    """What holds on one channel today: whether marketing may go, by which rule, until when."""

    channel: Channel
    address: str
    is_granted: bool
    is_suppressed: bool
    rule: str
    law: str
    until: datetime | None
    hours: Sequence[str]


@dataclass(frozen=True, slots=True)
class ConsentProof:
    """Every statement of a person, what stands against them, and what follows today."""

    person: str
    at: datetime
    zone: str
    place: str
    bought_at: datetime | None
    standings: Sequence[ProvenStanding]
    records: Sequence[ConsentRecord]
    pending: Sequence[tuple[PendingConsent, PendingState]]
    suppressions: Sequence[SuppressionEntry]
    exclusions: Sequence[ExclusionEntry]
    wishes: Mapping[str, Any]
    log: Sequence[AuditEntry]

    def as_record(self) -> dict[str, Any]:
        """Return it as JSON can hold it."""
        return {
            "version": SCHEMA_VERSION,
            "person": self.person,
            "at": self.at.isoformat(),
            "place": self.place,
            "last_order_at": _text(self.bought_at),
            "channels": [
                {
                    "channel": one.channel.value,
                    "address": one.address,
                    "may_be_written_to": one.is_granted and not one.is_suppressed,
                    "permission": one.is_granted,
                    "suppressed": one.is_suppressed,
                    "rule": one.rule,
                    "law": one.law,
                    "until": _text(one.until),
                    "hours": list(one.hours),
                }
                for one in self.standings
            ],
            "statements": [
                {
                    "channel": one.channel.value,
                    "granted": one.granted,
                    "at": None if _is_undated(one) else one.at.isoformat(),
                    "how": one.source.partition(":")[0],
                    "source": one.source,
                    "wording": one.wording,
                }
                for one in self.records
            ],
            "unconfirmed": [_waiting(*one) for one in self.pending],
            "suppressions": [
                {
                    "channel": one.channel,
                    "purpose": one.purpose,
                    "reason": one.reason,
                    "at": one.at.isoformat(),
                }
                for one in self.suppressions
            ],
            "exclusions": [
                {"kind": one.kind.value, "at": one.at.isoformat(), "until": _text(one.until)}
                for one in self.exclusions
            ],
            "wishes": dict(self.wishes),
            "log": [
                {
                    "at": one.at.isoformat(),
                    "who": one.who,
                    "action": one.action,
                    "detail": one.detail,
                }
                for one in self.log
            ],
        }

    def as_text(self) -> str:
        """Return it in words, line by line."""
        return "\n".join(self._lines()) + "\n"

    def _lines(self) -> Iterator[str]:
        yield f"What is on record of {self.person}, as of {self._moment(self.at)} ({self.zone})"
        yield "This is a record, not legal advice."
        yield ""
        yield f"Lives in: {self.place or 'not known'}"
        bought = self._moment(self.bought_at) if self.bought_at else "never, as far as is known"
        yield f"Last bought: {bought}"
        yield ""
        yield "What follows for marketing today"
        for one in self.standings:
            may = "yes" if one.is_granted and not one.is_suppressed else "no"
            until = f", until {self._moment(one.until)}" if one.until else ""
            source = f" ({source_of(one.law)})" if one.law else ""
            stopped = "; suppressed" if one.is_suppressed else ""
            yield f"- {one.channel}: {may}; {one.rule.replace('_', ' ')}{source}{until}{stopped}"
        yield ""
        yield "What they said, the oldest first"
        for record in self.records:
            said = "agreed" if record.granted else "refused or withdrew"
            when = "without a date" if _is_undated(record) else self._moment(record.at)
            words = f", in the words “{record.wording}”" if record.wording else ""
            yield f"- {when}, {record.channel}: {said}; from {record.source}{words}"
        if not self.records and not self.pending:
            yield "- nothing"
        for yes, state in self.pending:
            words = f", in the words “{yes.wording}”" if yes.wording else ""
            yield (
                f"- {self._moment(yes.at)}, {yes.channel}: agreed, to be confirmed "
                f"({STATES[state]}); from {yes.source}{words}"
            )
        yield ""
        yield "What stands against writing to them"
        for stop in self.suppressions:
            where, what = stop.channel or "every channel", stop.purpose or "everything"
            yield f"- {self._moment(stop.at)}, {where}, {what}: {stop.reason}"
        for kept in self.exclusions:
            until = self._moment(kept.until) if kept.until else "for good"
            yield f"- {self._moment(kept.at)}: {kept.kind.value.replace('_', ' ')}, until {until}"
        if not self.suppressions and not self.exclusions:
            yield "- nothing"

    def _moment(self, at: datetime) -> str:
        from zoneinfo import ZoneInfo

        return moment(at, ZoneInfo(self.zone))


def prove_consent(workspace: Workspace, handle: str, at: datetime) -> ConsentProof:
    """Return what there is to show of the permission of whom ``handle`` points at.

    Raises:
        UsageError: nobody here goes by this id, or several do.
    """
    person = find_person(workspace, handle)
    card = workspace.history.person(person)
    if card is None:
        raise UsageError(
            f"no customer {handle!r} in the ledger; ids are as the sources write them, and "
            "`rekindle tick` brings new ones in"
        )
    return prove_person(workspace, card, at)


def prove_person(workspace: Workspace, card: Person, at: datetime) -> ConsentProof:
    """Return what there is to show of the permission of whom a card is of."""
    history, person = workspace.history, card.id
    preferences = history.preferences_of(person)
    said, stops = history.consents_of(person), history.suppressions_of(person)
    bought_at = _find_last_purchase(workspace, person, at)
    return ConsentProof(
        person,
        at,
        str(workspace.zone),
        card.country or "",
        bought_at,
        tuple(_standings(workspace, card, at, said=said, stops=stops, bought_at=bought_at)),
        said,
        judge_all(workspace.ledger, [person], at, workspace.config.consent.confirm_within),
        stops,
        history.exclusions_of(person),
        {
            "snoozed_until": _text(preferences.snoozed_until),
            "muted_topics": sorted(preferences.muted_topics),
            "at_most_every_days": preferences.at_most_every and preferences.at_most_every.days,
        },
        workspace.audit_log.entries(person),
    )


def _standings(
    workspace: Workspace,
    card: Person,
    at: datetime,
    *,
    said: Sequence[ConsentRecord],
    stops: Sequence[SuppressionEntry],
    bought_at: datetime | None,
) -> Iterator[ProvenStanding]:
    terms, signals = workspace.terms, workspace.history.signals_of(card.id)
    for channel in terms.channels:
        standing = standing_of(terms, channel, card, bought_at=bought_at, signals=signals, at=at)
        own = [one for one in said if one.channel == channel]
        found = decide_permission(own, standing, purpose=Purpose.MARKETING, at=at)
        week = week_of(terms, channel, card, at)
        kind = terms.address_kind(channel)
        address = Address(kind, card.address_of(kind) or "")
        yield ProvenStanding(
            channel,
            address.value,
            found.is_granted,
            any(
                one.channel in (None, channel) and one.purpose in (None, Purpose.MARKETING)
                for one in stops
            ),
            found.rule.value,
            found.law,
            found.until,
            week.rows if week else (),
        )


def _find_last_purchase(workspace: Workspace, person: str, at: datetime) -> datetime | None:
    if not workspace.has_facts:
        return None
    table = list_last_purchases(workspace.profiles(at, "customer_id", *LAST_PURCHASE))
    rows = workspace.engine.run(table.filter(table.customer_id == person)).to_pylist()
    return rows[0]["bought_at"] if rows else None


def _is_undated(record: ConsentRecord) -> bool:
    return record.at.year <= UNDATED_YEAR


def _waiting(one: PendingConsent, state: PendingState) -> dict[str, str]:
    return {
        "channel": one.channel.value,
        "at": one.at.isoformat(),
        "source": one.source,
        "wording": one.wording,
        "state": state.value,
    }


def _text(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()
