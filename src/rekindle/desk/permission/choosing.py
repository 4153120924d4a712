"""What a customer sees and does about themselves, in the ledger of one workspace."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, tzinfo

from rekindle.consent import (
    CONFIRMED_EVENT,
    LIFTED_BY_DEEDS,
    OPENS,
    ConsentRecord,
    OpensMode,
    PendingConsent,
    PendingState,
    Preferences,
    is_about,
)
from rekindle.desk.permission.proving import prove_consent, prove_person
from rekindle.feedback import LEFT, LeaveReason, event_of
from rekindle.gate import resolve_zones
from rekindle.journeys import Person, Signal
from rekindle.ledger import (
    Instructions,
    hold_person,
    judge_all,
    ledger_transaction,
    load_offers_of,
)
from rekindle.runtime import Workspace
from rekindle.vocabulary import Channel, Purpose, SignalKind

PORTAL = "portal"
"""Who did it, in the log, and where it was said."""


@dataclass(frozen=True, slots=True)
class Known:
    """What somebody gets today."""

    channels: Mapping[str, bool]
    topics: Mapping[str, bool]
    every_days: int | None
    snoozed_until: datetime | None
    country: str | None
    zone: tzinfo


@dataclass(frozen=True, slots=True)
class PendingYes:
    """A yes that waits, or waited, for its confirmation."""

    state: PendingState
    channel: str
    words: str
    country: str | None


class LedgerCustomers:
    """Does what customers ask for in the portal."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    def now(self) -> datetime:
        """Return the present."""
        return self._workspace.clock.now()

    def knows(self, person: str) -> bool:
        """Return whether somebody is on record, and was not forgotten."""
        return self._card(person) is not None

    def country_of(self, person: str) -> str | None:
        """Return where somebody lives; None where that is not known."""
        card = self._card(person)
        return None if card is None else card.country

    def look(self, person: str) -> Known | None:
        """Return what somebody gets; None for nobody, and for who was forgotten."""
        space = self._workspace
        card = self._card(person)
        if card is None:
            return None
        proof = prove_person(space, card, self.now())
        wishes = space.history.preferences_of(card.id)
        channels = {
            one.channel.value: one.is_granted and not one.is_suppressed
            for one in proof.standings
            if one.address and self._is_a_choice(one.channel)
        }
        if OpensMode(space.config.tracking.opens) is OpensMode.CONSENT and card.address:
            said = [one for one in space.history.consents_of(card.id) if one.channel == OPENS]
            channels[OPENS] = bool(said) and said[-1].granted
        every = wishes.at_most_every
        default = space.config.workspace.timezone
        zone, *_ = resolve_zones(card.timezone, card.country, card.phone, default)
        return Known(
            channels,
            {topic: topic not in wishes.muted_topics for topic in self._topics()},
            None if every is None else max(1, every.days),
            wishes.snoozed_until,
            card.country,
            zone,
        )

    def _is_a_choice(self, channel: Channel) -> bool:
        """Return whether somebody is asked about a channel: it needs a yes, or shows itself."""
        can = self._workspace.capabilities.get(channel)
        return self._workspace.terms.needs_consent(channel) or (
            can is not None and can.is_asked_for
        )

    def choose(
        self,
        person: str,
        channels: Mapping[str, bool],
        topics: Mapping[str, bool],
        every_days: int | None,
        words: Mapping[str, str],
    ) -> None:
        """Do what somebody chose; a channel that is so already states nothing.

        But for a box that is left empty where nothing was ever said: that is a no, which a later
        purchase does not undo.
        """
        space, at, person = self._workspace, self.now(), self._settled(person)
        with ledger_transaction(space.ledger):
            hold_person(space.ledger, person)
            known = self.look(person)
            if known is None:
                return
            changed = {one: on for one, on in channels.items() if known.channels.get(one) != on}
            wishes = space.history.preferences_of(person)
            muted = {topic for topic, is_wanted in topics.items() if not is_wanted}
            kept = wishes.muted_topics - frozenset(topics)
            every = None if every_days is None else timedelta(days=every_days)
            wished = replace(wishes, muted_topics=frozenset(muted) | kept, at_most_every=every)
            for name, is_wanted in changed.items():
                channel = Channel(name)
                if channel == OPENS:
                    # No way to write: a no ends no journey, and stops nothing but the noticing.
                    said = words.get(name, "") if is_wanted else ""
                    record = ConsentRecord(
                        person, OPENS, is_wanted, at, f"{PORTAL}:preferences", said
                    )
                    space.book.save_consent([record])
                elif is_wanted:
                    self._agree(person, channel, words.get(name, ""), at)
                else:
                    key = f"opt_out:{name}:{person}:{at.isoformat()}"
                    stop = Signal(person, SignalKind.OPT_OUT, at, key, channel=channel)
                    space.book.record([stop], at)
            self._refuse(person, [one for one, on in channels.items() if not on], at)
            self._keep(person, wished, {"channels": changed}, at)

    def _refuse(self, person: str, names: Collection[str], at: datetime) -> None:
        """Keep a no to each of these channels about which somebody never said anything."""
        space = self._workspace
        said = {one.channel for one in space.history.consents_of(person)}
        said |= {one.channel for one in space.history.suppressions_of(person) if one.channel}
        told = [Channel(name) for name in names if name != OPENS]
        space.book.save_consent(
            ConsentRecord(person, channel, False, at, f"{PORTAL}:preferences")
            for channel in told
            if channel not in said
        )

    def snooze(self, person: str, until: datetime | None) -> None:
        """Write no marketing to somebody until then; None ends a pause."""
        space, at, person = self._workspace, self.now(), self._settled(person)
        with ledger_transaction(space.ledger):
            hold_person(space.ledger, person)
            wishes = space.history.preferences_of(person)
            self._keep(person, replace(wishes, snoozed_until=until), {}, at)

    def leave(self, person: str) -> None:
        """Take somebody off every list."""
        at = self.now()
        key = f"opt_out::{person}:{at.isoformat()}"
        self._workspace.book.record([Signal(person, SignalKind.OPT_OUT, at, key)], at)

    def answer(self, person: str, reason: LeaveReason, words: str) -> None:
        """Keep why somebody left; the words stand in the log, and go with an erasure."""
        space, at = self._workspace, self.now()
        key = f"left:{person}:{at:%Y-%m-%d}:{reason.value}"
        signal = Signal(person, SignalKind.EVENT, at, key, event_of(reason))
        with ledger_transaction(space.ledger):
            space.book.record([signal], at)
            detail = {"reason": reason.value, "words": words}
            space.audit_log.write(PORTAL, LEFT, self._settled(person), detail, at)

    def question(self, person: str, about: str) -> PendingYes | None:
        """Return which yes a link is about and what became of it; None for none there is.

        An address that is no longer theirs cannot confirm anything.
        """
        found = self._find(person, about)
        return None if found is None else found[1]

    def confirm(self, person: str, about: str, words: str) -> PendingYes | None:
        """Confirm the yes in these words if that is still open; return it as it was before."""
        space, person = self._workspace, self._settled(person)
        with ledger_transaction(space.ledger):
            hold_person(space.ledger, person)  # so that a no is before this, or after it
            found = self._find(person, about)
            if found is None or found[1].state is not PendingState.OPEN:
                return None if found is None else found[1]
            pending, asked = found
            at = self.now()
            self._agree(person, pending.channel, words, at, source=f"{PORTAL}:confirm")
            key = f"{CONFIRMED_EVENT}:{pending.key}"
            space.book.record([Signal(person, SignalKind.EVENT, at, key, CONFIRMED_EVENT)], at)
            detail = {"channel": pending.channel.value, "asked_at": pending.at.isoformat()}
            space.audit_log.write(PORTAL, "confirmed", person, detail, at)
        return asked

    def _find(self, person: str, about: str) -> tuple[PendingConsent, PendingYes] | None:
        space, card = self._workspace, self._card(person)
        if card is None:
            return None
        within = space.config.consent.confirm_within
        for pending, state in judge_all(space.ledger, [card.id], self.now(), within):
            address = card.address_of(space.terms.address_kind(pending.channel))
            if is_about(about, space.secret, pending, address):
                asked = PendingYes(state, pending.channel.value, pending.wording, card.country)
                return pending, asked
        return None

    def export(self, person: str) -> str:
        """Return what is on record of somebody, as JSON."""
        space, person = self._workspace, self._settled(person)
        card = space.history.person(person)
        record = prove_consent(space, person, self.now()).as_record()
        record["card"] = {
            "email": card.address if card else None,
            "phone": card.phone if card else None,
            "country": card.country if card else None,
            "timezone": card.timezone if card else None,
            **(card.properties if card else {}),
        }
        record["messages"] = [
            {
                "journey": one.journey,
                "channel": one.channel,
                "template": one.template,
                "sent_at": one.accepted_at.isoformat() if one.accepted_at else None,
            }
            for one in space.history.messages_of_person(person)
        ]
        record["offers"] = [
            {"text": one.text, "code": one.code, "until": one.ends_on.isoformat(), "is": one.fate}
            for one in load_offers_of(space.ledger, person, self.now())
            if one.fate != "ghost"
        ]
        record["events"] = [
            {"event": one.event, "at": one.at.isoformat()}
            for one in space.history.signals_of(person)
        ]
        told = Instructions(space.ledger, space.config.billing.provider).of_person(person)
        record["instructions"] = [
            {
                "told": one.kind,
                "subscription": one.subscription,
                "at": one.asked_at.isoformat(),
                "reason": one.reason,
                "words": one.words,
            }
            for one in told
        ]
        space.audit_log.write(PORTAL, "exported", person, {}, self.now())
        return json.dumps(record, indent=2, ensure_ascii=False, default=str) + "\n"

    def erase(self, person: str) -> None:
        """Forget somebody."""
        space, at, person = self._workspace, self.now(), self._settled(person)
        with ledger_transaction(space.ledger):
            ended = space.book.erase(person, at)
            space.audit_log.write(PORTAL, "erased", person, {"ended": ended}, at)

    def _agree(
        self,
        person: str,
        channel: Channel,
        words: str,
        at: datetime,
        *,
        source: str = f"{PORTAL}:preferences",
    ) -> None:
        """Record consent in these words, and lift what they said against it before."""
        space = self._workspace
        record = ConsentRecord(person, channel, True, at, source, words)
        space.book.save_consent([record])
        own = [
            one
            for one in space.history.suppressions_of(person)
            if one.reason in LIFTED_BY_THEM and one.channel in (None, channel)
        ]
        if any(one.channel is None for one in own):
            self._keep_closed(person, channel, at)
        if own:
            space.book.lift(person, [(one.channel, one.purpose, one.reason) for one in own])

    def _keep_closed(self, person: str, opened: Channel, at: datetime) -> None:
        """Let what closed every channel close all but the one that they opened."""
        space = self._workspace
        said = {one.channel: one for one in space.history.consents_of(person)}
        closed = [
            ConsentRecord(person, channel, False, at, f"{PORTAL}:preferences")
            for channel in space.terms.channels
            if channel != opened and (channel not in said or said[channel].at < at)
        ]
        space.book.save_consent(closed)

    def _keep(
        self, person: str, wishes: Preferences, detail: Mapping[str, object], at: datetime
    ) -> None:
        space = self._workspace
        space.book.save_preferences(person, wishes)
        every, until = wishes.at_most_every, wishes.snoozed_until
        told = {
            **detail,
            "snoozed_until": until.isoformat() if until else None,
            "muted_topics": sorted(wishes.muted_topics),
            "at_most_every_days": every / timedelta(days=1) if every else None,
        }
        space.audit_log.write(PORTAL, "preferences", person, told, at)

    def _card(self, person: str) -> Person | None:
        """Return somebody's contact card; None for nobody, and for who was forgotten."""
        history, person = self._workspace.history, self._settled(person)
        card = history.person(person)
        return None if card is None or history.is_erased(person) else card

    def _settled(self, person: str) -> str:
        return self._workspace.book.persons.find([person])[person]

    def _topics(self) -> list[str]:
        running = self._workspace.book.running()
        found = {one.journey.topic for one in running if one.journey.purpose is Purpose.MARKETING}
        return sorted(found - {""})


LIFTED_BY_THEM = frozenset(
    {SignalKind.OPT_OUT.value, SignalKind.COMPLAINT.value, "never", *LIFTED_BY_DEEDS}
)
