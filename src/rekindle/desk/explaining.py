"""Everything Rekindle knows and decided about one person, with reasons."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any
from zoneinfo import ZoneInfo

from rekindle.consent import (
    ConsentRecord,
    PendingConsent,
    PendingState,
    Permission,
    Preferences,
    decide_permission,
)
from rekindle.desk.finding import find_person
from rekindle.desk.judging import StepVerdict, Verdict, judge, judge_steps
from rekindle.desk.retracing import Sending, retrace
from rekindle.errors import UsageError
from rekindle.gate import REASONS, resolve_zones
from rekindle.journeys import Person, standing_of
from rekindle.ledger import (
    BelongingsEntry,
    BelongingsRegister,
    DecisionEntry,
    Drawn,
    EnrolmentEntry,
    ExclusionEntry,
    MessageEntry,
    OfferEntry,
    SignalEntry,
    StayEntry,
    SuppressionEntry,
    judge_all,
    load_drawn,
    load_offers_of,
    load_stays_of,
)
from rekindle.messages import AddressKind
from rekindle.profiles import last_purchase_of
from rekindle.runtime import Workspace
from rekindle.vocabulary import Channel, Purpose

SCHEMA_VERSION = 1
UTC_ZONE = ZoneInfo("UTC")
MEANINGS = {note.reason: note.meaning for note in REASONS}


@dataclass(frozen=True, slots=True)
class Explanation:
    """One person: profile, permission, wishes, enrolments, decisions and messages.

    Lists are in order of time, the oldest first; ``sent`` says of the newest messages why
    they were sent. ``steps`` are those of journeys the person is in that ask for more than
    the gate does. ``drawn`` is their arm in the holdout of all marketing journeys, if any.
    """

    person: str
    as_of: datetime
    profile: Mapping[str, Any]
    card: Person | None
    permission: Permission
    verdicts: Sequence[Verdict]
    consents: Sequence[ConsentRecord]
    suppressions: Sequence[SuppressionEntry]
    preferences: Preferences
    exclusions: Sequence[ExclusionEntry]
    zones: Sequence[str]
    signals: Sequence[SignalEntry]
    enrolments: Sequence[EnrolmentEntry]
    decisions: Sequence[DecisionEntry]
    messages: Sequence[MessageEntry]
    sent: Sequence[Sending] = ()
    offers: Sequence[OfferEntry] = ()
    steps: Sequence[StepVerdict] = ()
    pending: Sequence[tuple[PendingConsent, PendingState]] = ()
    stays: Sequence[StayEntry] = ()
    drawn: Drawn | None = None
    belongings: Sequence[BelongingsEntry] = ()
    today: date = date.min
    zone: ZoneInfo = UTC_ZONE

    def to_json(self) -> dict[str, Any]:
        """Return the explanation as documented JSON."""
        return {
            "version": SCHEMA_VERSION,
            "customer": self.person,
            "as_of": self.as_of.isoformat(),
            "profile": _plain(dict(self.profile)),
            "permission": {
                "granted": self.permission.is_granted,
                "rule": self.permission.rule.value,
            },
            "verdicts": [
                {
                    "channel": one.channel.value,
                    "answer": one.decision.answer.value,
                    "reason": one.decision.reason.value if one.decision.reason else None,
                    "until": one.decision.until.isoformat() if one.decision.until else None,
                    "detail": one.detail,
                }
                for one in self.verdicts
            ],
            "steps": [
                {
                    "journey": one.journey,
                    "step": one.send.key,
                    "channel": one.send.channel.value,
                    "condition": one.send.when,
                    "is_met": one.is_met,
                    "budget_left": one.left_micros and one.left_micros / 1_000_000,
                }
                for one in self.steps
            ],
            "consents": [_told(one) for one in self.consents],
            "unconfirmed": [
                {**_plain(asdict(one)), "state": state.value} for one, state in self.pending
            ],
            "suppressions": [_plain(asdict(one)) for one in self.suppressions],
            "preferences": _wishes(self.preferences),
            "exclusions": [_plain(asdict(one)) for one in self.exclusions],
            "zones": list(self.zones),
            "signals": [_plain(asdict(one)) for one in self.signals],
            "enrolments": [_plain(asdict(one)) for one in self.enrolments],
            "decisions": [_plain(asdict(one)) for one in self.decisions],
            "messages": [_plain(asdict(one)) for one in self.messages],
            "sent": [_plain(asdict(one)) for one in self.sent],
            "offers": [_plain(asdict(one)) for one in self.offers],
            "stays": [_plain(asdict(one)) for one in self.stays],
            "belongings": [
                {
                    **_plain(_without(asdict(one), "id", "failures")),
                    "state": one.state(self.today),
                    "found": one.found(self.zone),
                }
                for one in self.belongings
            ],
            "global_holdout": self.drawn and _plain(asdict(self.drawn)),
        }


def explain_customer(workspace: Workspace, handle: str, at: datetime) -> Explanation:
    """Return what is known of whom ``handle`` points at, at ``at`` and every decision made so far.

    Raises:
        UsageError: nobody here goes by this id.
    """
    customer = find_person(workspace, handle)
    table = workspace.profiles(at)
    rows = workspace.engine.run(table.filter(table.customer_id == customer)).to_pylist()
    history = workspace.history
    card = history.person(customer)
    if not rows and card is None:
        raise UsageError(
            f"no customer {handle!r} in the facts; ids are as the sources write them, "
            "`rekindle audience true --json` samples some"
        )
    profile = rows[0] if rows else {}
    consents, signals = history.consents_of(customer), history.signals_of(customer)
    bought_at = last_purchase_of(profile)
    standing = standing_of(
        workspace.terms, _letterbox(workspace), card, bought_at=bought_at, signals=signals, at=at
    )
    known = Explanation(
        person=customer,
        as_of=at,
        profile=profile,
        card=card,
        permission=decide_permission(consents, standing, purpose=Purpose.MARKETING, at=at),
        verdicts=judge(workspace, customer, profile, at),
        consents=consents,
        suppressions=history.suppressions_of(customer),
        preferences=history.preferences_of(customer),
        exclusions=history.exclusions_of(customer),
        zones=[str(zone) for zone in _zones(workspace, card)],
        signals=signals,
        enrolments=history.enrolments_of_person(customer),
        decisions=history.decisions_of(customer),
        messages=history.messages_of_person(customer),
        offers=load_offers_of(workspace.ledger, customer, at),
        stays=load_stays_of(workspace.ledger, customer),
        drawn=next(iter(load_drawn(workspace.ledger, customer)), None),
        belongings=BelongingsRegister(workspace.ledger).all(customer),
        today=at.astimezone(workspace.zone).date(),
        zone=workspace.zone,
        pending=judge_all(
            workspace.ledger, [customer], at, workspace.config.consent.confirm_within
        ),
    )
    steps = judge_steps(workspace, customer, known.enrolments, profile, at)
    return replace(known, sent=retrace(workspace, known), steps=steps)


def _letterbox(workspace: Workspace) -> Channel:
    """Return the channel of which a permission is told: the first that writes to addresses."""
    can = workspace.terms.channels
    mail = (name for name, one in can.items() if one.address_kind is AddressKind.EMAIL)
    return min(mail, key=lambda name: not can[name].needs_postal_address)


def _zones(workspace: Workspace, card: Person | None) -> Sequence[ZoneInfo]:
    """Return the time zones the person may be in, the likeliest first."""
    default = workspace.config.workspace.timezone
    if card is None:
        return resolve_zones(None, None, None, default)
    return resolve_zones(card.timezone, card.country, card.phone, default)


def _told(record: ConsentRecord) -> dict[str, Any]:
    """Return a statement; what was misread is none of them."""
    return {name: value for name, value in _plain(asdict(record)).items() if name != "is_unsaid"}


def _wishes(preferences: Preferences) -> dict[str, Any]:
    until, every = preferences.snoozed_until, preferences.at_most_every
    return {
        "snoozed_until": until.isoformat() if until else None,
        "muted_topics": sorted(preferences.muted_topics),
        "at_most_every_days": every / timedelta(days=1) if every else None,
    }


def _without(fields: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if name not in names}


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Decimal):
        return float(value)
    return value.isoformat() if isinstance(value, date) else value
