"""Says of a message that left what the gate was asked, and what it found.

A message leaves only where every question was answered in its favour, so the questions are
those of the gate, in its order; what answered each is read back from the record, as it stood
at that instant. The rules of the house are those of ``rekindle.toml`` today.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pyarrow as pa

from rekindle.audiences import parse_predicate
from rekindle.channels import word_for
from rekindle.config import write_duration
from rekindle.consent import (
    NO_PREFERENCES,
    ConsentRecord,
    Permission,
    Rule,
    decide_permission,
    newest_record,
    source_of,
)
from rekindle.errors import PredicateError
from rekindle.gate import INSTANT, KEPT_ON, OVERRULED, SENT_TO_LEARN, Cap, HouseRules
from rekindle.journeys import (
    Journey,
    JourneyVersion,
    Send,
    find_customers,
    standing_of,
    week_of,
)
from rekindle.journeys.population import find_person_uplifts
from rekindle.ledger import (
    MAY_HAVE_LEFT,
    DecisionEntry,
    EnrolmentEntry,
    MessageEntry,
    OfferEntry,
    load_uplifts,
)
from rekindle.profiles import say_column
from rekindle.runtime import Workspace
from rekindle.vocabulary import Answer, Money, Purpose, Reason
from rekindle.wording import amount, moment, percent

if TYPE_CHECKING:
    from rekindle.desk.explaining import Explanation

MOST = 5
NOT_ASKED = "not asked: the message is no marketing"
OFFER_QUESTIONS = (
    Reason.OFFER_OVER,
    Reason.OFFER_OPEN,
    Reason.OFFER_WAIT,
    Reason.NO_OFFER,
    Reason.OFFER_MARGIN,
    Reason.NO_CODE,
    Reason.OFFER_SPENT,
)


@dataclass(frozen=True, slots=True)
class Asked:
    """A question of the gate, named by the answer that would have stopped the message."""

    asked: Reason
    found: str


@dataclass(frozen=True, slots=True)
class Sending:
    """A message that was sent: what let the person in, and what the gate found."""

    journey: str
    version: int
    rotation: int
    step: str
    at: datetime
    entered: str
    findings: Sequence[Asked]


def retrace(workspace: Workspace, known: Explanation) -> list[Sending]:
    """Return why the newest few messages were sent, the oldest first."""
    sent = [one for one in known.decisions if one.answer is Answer.SEND][-MOST:]
    values = _Values(workspace, known.person)
    return [
        found for one in sent if (found := _retrace_one(workspace, known, values, one)) is not None
    ]


def _retrace_one(
    workspace: Workspace, known: Explanation, values: _Values, sent: DecisionEntry
) -> Sending | None:
    enrolment = next((one for one in known.enrolments if _is_same_way(one, sent)), None)
    message = next(
        (one for one in known.messages if _is_same_way(one, sent) and one.step == sent.step), None
    )
    versions = {one.version: one for one in workspace.book.versions(sent.journey)}
    # People may have been moved to another version since: the message names its own.
    version = versions.get(message.version if message else sent.version)
    if enrolment is None or version is None:
        return None
    step = next((one for one in version.journey.sends if one.key == sent.step), None)
    if step is None:
        return None
    look = _Look(workspace, known, values, sent, enrolment, version, step, message)
    return Sending(
        sent.journey,
        version.version,
        sent.rotation,
        sent.step,
        sent.at,
        values.say(version.journey.audience, enrolment.entered_at),
        tuple(Asked(reason, found) for reason, found in look.findings()),
    )


def _is_same_way(one: DecisionEntry | EnrolmentEntry | MessageEntry, sent: DecisionEntry) -> bool:
    return (one.journey, one.rotation) == (sent.journey, sent.rotation)


class _Values:
    """What the profile held at an instant, by the facts as they are known today."""

    def __init__(self, workspace: Workspace, person: str) -> None:
        self._workspace, self._person = workspace, person
        self._rows: dict[tuple[datetime, frozenset[str]], Mapping[str, Any]] = {}

    def say(self, predicate: str, at: datetime) -> str:
        """Return a condition with the value of each column it names."""
        try:
            asked = parse_predicate(predicate, allow_behaviours=True)
        except PredicateError:  # a column that an earlier version knew
            return predicate
        row = self._row(at, asked.columns) if asked.columns else {}
        shown = [
            f"{name.replace('_', ' ')} {self._say(name, row[name])}"
            for name in sorted(asked.columns)
            if name in row
        ]
        shown += [f"did {event}" for event in sorted(asked.behaviours)]
        return f"{predicate}: {', '.join(shown)}" if shown else predicate

    def _say(self, name: str, value: Any) -> str:
        space = self._workspace
        currency = space.config.workspace.currency
        return say_column(name, value, currency=currency, zone=space.zone)

    def _row(self, at: datetime, columns: frozenset[str]) -> Mapping[str, Any]:
        if (at, columns) not in self._rows:
            table = self._workspace.profiles(at, *sorted({"customer_id", *columns}))
            rows = self._workspace.engine.run(table.filter(table.customer_id == self._person))
            self._rows[at, columns] = next(iter(rows.to_pylist()), {})
        return self._rows[at, columns]


@dataclass(frozen=True, slots=True)
class _Look:
    """One sending with everything the gate was told about it."""

    workspace: Workspace
    known: Explanation
    values: _Values
    sent: DecisionEntry
    enrolment: EnrolmentEntry
    version: JourneyVersion
    step: Send
    message: MessageEntry | None

    def findings(self) -> Iterator[tuple[Reason, str]]:
        """Yield every question in the order of the gate, with what was found."""
        yield Reason.EXIT_REACHED, self._exit()
        yield Reason.ERASED, "not asked to be forgotten"
        yield Reason.SUPPRESSED, self._suppression()
        yield Reason.NO_PERMISSION, self._permission()
        yield Reason.STALE, self._age()
        yield Reason.CONDITION_NOT_MET, self._condition()
        yield Reason.SNOOZED, self._of_marketing(self._wish)
        yield Reason.PREFERENCE, self._of_marketing(self._topic)
        yield Reason.EXCLUDED, self._of_marketing(self._exclusion)
        yield Reason.STILL_SUBSCRIBED, self._of_marketing(self._stay)
        yield Reason.UNREACHABLE, f"there was an address for {word_for(self.step.channel)}"
        yield Reason.BLACKOUT, self._of_marketing(self._calendar)
        yield Reason.QUIET_HOURS, self._of_marketing(self._clock)
        yield Reason.CAP, self._of_marketing(self._caps)
        yield from self._offers()
        yield Reason.BUDGET, self._budget()
        yield Reason.NOT_WORTH_IT, self._of_marketing(self._worth)
        yield Reason.GLOBAL_HOLDOUT, self._of_marketing(self._draw)
        yield Reason.HELD_OUT, self._arm()

    def _offers(self) -> Iterator[tuple[Reason, str]]:
        """Yield what was asked about the offer that the message brings."""
        given = next((one for one in self.known.offers if self._brings(one)), None)
        if given is None:
            why = self.sent.detail or "not asked: the message brings no offer"
            yield from ((reason, why) for reason in OFFER_QUESTIONS)
            return
        yield Reason.OFFER_OVER, f"{given.offer} lasts until {given.ends_on}"
        yield Reason.OFFER_OPEN, "no other offer was open"
        yield Reason.OFFER_WAIT, "no offer of another journey was over too short a while ago"
        yield Reason.NO_OFFER, self.sent.detail
        yield Reason.OFFER_MARGIN, f"at least {percent(float(self.rules.offers.floor))} is left"
        yield Reason.NO_CODE, f"its code is {given.code}" if given.code else "it needs no code"
        yield Reason.OFFER_SPENT, "its budget, if it has one, had as much left"

    def _brings(self, one: OfferEntry) -> bool:
        is_same_way = (one.journey, one.rotation) == (self.sent.journey, self.sent.rotation)
        return is_same_way and one.at == self.sent.at

    def _of_marketing(self, find: Callable[[], str]) -> str:
        return find() if self.journey.purpose is Purpose.MARKETING else NOT_ASKED

    @property
    def journey(self) -> Journey:
        return self.version.journey

    @property
    def zone(self) -> ZoneInfo:
        return self.workspace.zone

    @property
    def rules(self) -> HouseRules:
        return self.workspace.rules

    def _exit(self) -> str:
        ends = ", ".join(sorted(self.journey.exits)) or "nothing of their own"
        since = moment(self.enrolment.entered_at, self.zone)
        return f"none of what ends it ({ends}) since they entered, {since}"

    def _suppression(self) -> str:
        later = [one for one in self.known.suppressions if one.at >= self.sent.at]
        earlier = len(self.known.suppressions) - len(later)
        parts = ["none that binds it was on record"]
        if earlier:
            parts.append(f"{earlier} dated before, of another channel or purpose or recorded since")
        if later:
            parts.append(f"since then {later[0].reason}, {moment(later[0].at, self.zone)}")
        return "; ".join(parts)

    def _permission(self) -> str:
        records = [one for one in self.known.consents if one.channel == self.step.channel]
        card, at = self.known.card, self.sent.at
        standing = standing_of(
            self.workspace.terms,
            self.step.channel,
            card,
            bought_at=self.enrolment.last_order_at,
            signals=self.known.signals,
            at=at,
        )
        permission = decide_permission(records, standing, purpose=self.journey.purpose, at=at)
        if not permission.is_granted:
            return (
                f"it was given then; by the record and settings of today it would be refused "
                f"({permission.rule.value.replace('_', ' ')})"
            )
        return self._ground(permission, newest_record(records, at), standing.inquired_at)

    def _ground(
        self, permission: Permission, record: ConsentRecord | None, inquired_at: datetime | None
    ) -> str:
        rule, source = permission.rule, source_of(permission.law)
        said = f"rule {rule.value.replace('_', ' ')}"
        if rule is Rule.EXPRESS and record is not None:
            wording = f", in the words “{record.wording}”" if record.wording else ""
            when = moment(record.at, self.zone) if record.at.year > 1970 else "without a date"
            return f"{said}: they agreed, {when}, recorded from {record.source}{wording}"
        if not source:
            return said
        dates = (("bought", self.enrolment.last_order_at), ("inquired", inquired_at))
        deeds = [f"{deed} on {moment(at, self.zone)}" for deed, at in dates if at is not None]
        ends = f", until {moment(permission.until, self.zone)}" if permission.until else ""
        return f"{said}: they {' and '.join(deeds)}{ends} ({source})"

    def _age(self) -> str:
        looks = [
            one.at
            for one in self.known.decisions
            if _is_same_way(one, self.sent) and one.step == self.sent.step
        ]
        first = min(looks, default=self.sent.at)
        waited = self.sent.at - first
        limit = write_duration(self.journey.stale_after)
        if waited < timedelta(minutes=1):
            return f"first looked at then; {limit} are allowed"
        return f"first looked at {moment(first, self.zone)}; {limit} are allowed"

    def _condition(self) -> str:
        when = self.step.when
        return "the step has none" if when is None else self.values.say(when, self.sent.at)

    def _wish(self) -> str:
        wishes = self.known.preferences
        if wishes == NO_PREFERENCES:
            return "no wish is on record"
        until = wishes.snoozed_until
        if until is not None and until > self.sent.at:
            return f"none then; they have asked since for nothing before {moment(until, self.zone)}"
        return "nothing to wait for"

    def _topic(self) -> str:
        wishes, topic = self.known.preferences, self.journey.topic
        parts = [f"its topic {topic} was not muted" if topic else "the journey has no topic"]
        if wishes.at_most_every is not None:
            parts.append(f"one message in {write_duration(wishes.at_most_every)} is their wish now")
        return "; ".join(parts)

    def _exclusion(self) -> str:
        later = [one for one in self.known.exclusions if one.at > self.sent.at]
        since = f"; since then {later[0].kind.value.replace('_', ' ')}" if later else ""
        rule = self.rules.excluded_when
        return f"none held{f', nor {rule}' if rule else ''}{since}"

    def _stay(self) -> str:
        spared = find_customers(self.journey)
        if spared is None:
            return "the journey is for those whose subscription rests"
        return self.values.say(spared, self.sent.at)

    def _calendar(self) -> str:
        if self.rules.calendar is None:
            return "the calendar closes no day"
        return "no day on which marketing rests, where they are or may be"

    def _clock(self) -> str:
        times = ", ".join(
            f"{self.sent.at.astimezone(ZoneInfo(zone)):%H:%M} in {zone}"
            for zone in self.known.zones
        )
        week = week_of(self.workspace.terms, self.step.channel, self.known.card, self.sent.at)
        if week is not None:
            times += f"; within the hours of the law ({', '.join(week.rows)})"
        hours = self.rules.quiet_hours
        if hours is None:
            return f"{times}; no hours are quiet"
        if self.step.channel in self.rules.quiet:
            return f"{times}; this channel wakes nobody"
        return f"{times}; quiet from {hours.start:%H:%M} to {hours.end:%H:%M}"

    def _caps(self) -> str:
        before = self._sends_before()
        parts = []
        for cap in self.rules.caps:
            if not cap.binds(self.step.channel):
                continue
            where = f"by {word_for(cap.channel)}" if cap.channel else "by any channel"
            since, span = self._window(cap)
            count = sum(at > since for channel, at in before if cap.binds(channel))
            parts.append(f"{count} of {cap.max} {where} {span}")
        return "; ".join(parts) or "no cap binds it"

    def _window(self, cap: Cap) -> tuple[datetime, str]:
        """Return since when a cap counts, and how that is said."""
        if cap.per is None:
            local = self.sent.at.astimezone(ZoneInfo(self.known.zones[0]))
            return local.replace(hour=0, minute=0, second=0) - INSTANT, "on their day"
        return self.sent.at - cap.per, f"in {write_duration(cap.per)}"

    def _sends_before(self) -> list[tuple[Any, datetime]]:
        """Return the marketing that had left, or was on its way, when this was decided."""
        purposes: dict[str, bool] = {}
        found = []
        for one in self.known.messages:
            if one.created_at >= self.sent.at or (
                one.state not in MAY_HAVE_LEFT and one.accepted_at is None
            ):
                continue
            if one.journey not in purposes:
                versions = self.workspace.book.versions(one.journey)
                purposes[one.journey] = any(
                    v.journey.purpose is Purpose.MARKETING for v in versions
                )
            if purposes[one.journey]:
                found.append((one.channel, one.accepted_at or one.created_at))
        return found

    def _budget(self) -> str:
        cost = self.message.cost_micros if self.message else 0
        paid = f"it cost {self._money(cost, digits=3)}"
        names = [
            f"{one.name} of {self._money(one.limit_micros)} a month"
            for one in self.rules.budgets
            if one.binds(self.sent.journey, self.step.channel)
        ]
        if not names:
            return f"no budget binds it; {paid}"
        return f"there was enough in {', '.join(names)}; {paid}"

    def _money(self, micros: int, digits: int = 2) -> str:
        currency = self.workspace.config.workspace.currency
        return amount(Money.from_micros(micros, currency).amount, currency, digits=digits)

    def _worth(self) -> str:
        if self.sent.detail.startswith((KEPT_ON, OVERRULED, SENT_TO_LEARN)):
            return self.sent.detail
        if self.workspace.config.stopping.by_person:
            return self._uplift()
        if not self.rules.worth:
            return "nothing says what a touch earns ([[worth]] is empty)"
        return "it was expected to earn at least its cost"

    def _uplift(self) -> str:
        """Return what was kept of what the journey does to this person when it was decided."""
        alias, journey, number = self.workspace.ledger, self.sent.journey, self.version.version
        entry, _ = load_uplifts(alias, journey, number, before=self.sent.at)
        if entry is None:
            return "nothing had been learned of whom the journey moves"
        if entry.trouble or entry.scored_at is None:
            return f"nobody is left out on the word of a model: {entry.trouble}"
        engine, facts = self.workspace.reading
        ids = pa.table({"customer_id": pa.array([self.enrolment.person], pa.string())})
        found = find_person_uplifts(
            facts, engine.run, engine.bring("retraced", ids), (journey, entry.scored_at), None
        )
        if (known := found.get(self.enrolment.person)) is None:
            return "nothing was kept of what the journey does to this person"
        low, high = percent(known.low), percent(known.high)
        return f"with it, people like this one return {percent(known.share)} more ({low} to {high})"

    def _draw(self) -> str:
        drawn = self.known.drawn
        if drawn is None or drawn.at > self.sent.at:
            return "not drawn: there was no holdout of all marketing journeys"
        return f"drawn into the {drawn.arm.value} arm of all marketing journeys"

    def _arm(self) -> str:
        arm = self.enrolment.arm.value
        return f"drawn into the {arm} arm; {percent(self.version.holdout_share)} are held out"
