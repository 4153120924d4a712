"""Ways to break a promise in the code, to see that a world notices.

Each replaces one piece of text by another. A text that is not found exactly once is an
error, so that the list cannot go stale unseen.
"""

# ruff: noqa: E501 - what is looked for stands as it does in the code
from __future__ import annotations

from dataclasses import dataclass

GATE = "gate/gate.py"
DOSSIERS = "gate/dossiers.py"
DECIDING = "journeys/deciding.py"
ENGINE = "journeys/engine.py"
EXITS = "journeys/exits.py"
SUPPRESSION = "consent/suppression.py"
DOSSIERS = "gate/dossiers.py"
CHOOSING = "offers/choosing.py"
OFFERS_SQL = "ledger/sql/offers.sql"
GIVING = "ledger/offers/giving.py"
MEMORY = "journeys/memory_book.py"
LOCAL_TIME = "gate/local_time.py"
CONSENT = "consent/rules.py"
LAW = "consent/law.py"
BOOK = "ledger/book/book.py"
OUTBOX = "ledger/outbox/outbox.py"
LEDGER_SQL = "ledger/sql/ledger.sql"


@dataclass(frozen=True, slots=True)
class Mutation:
    """One way to break the code: ``old`` becomes ``new`` in ``file`` of the package."""

    what: str
    file: str
    old: str
    new: str
    book: str = "memory"


def never(condition: str) -> tuple[str, str]:
    """Return the replacement that makes the code never follow a condition."""
    return f"if {condition}:", f"if False and ({condition}):"


MUTATIONS = (
    Mutation("an exit before the entry is not looked at", DECIDING,
        "if look.dossier.exit is not None:", "if False:"),
    Mutation("an order ends nothing", MEMORY,
        "if entry.is_ended_by(event, signal.at_for(entry.enrolment.entered_at))", "if False"),
    Mutation("an order that is corrected is not seen again", MEMORY,
        "            if not is_correction(known, signal):\n                return 0\n",
        "            return 0\n"),
    Mutation("a correction leaves the old date standing", MEMORY,
        "            self._forget(standing, known)\n", ""),
    Mutation("a draft that became a sale is no news", EXITS,
        "return known.at != told.at or is_news", "return known.at != told.at"),
    Mutation("what arrives late counts by its date alone", MEMORY,
        "signal.at_for(entry.enrolment.entered_at)", "signal.at"),
    Mutation("the ledger sees no correction", LEDGER_SQL,
        "  AND (ledger_signal.at <> excluded.at OR ledger_signal.is_void",
        "  AND (ledger_signal.is_void", "sqlite"),
    Mutation("a purchase imported late ends nothing", EXITS,
        "since = last_order_at if event == SignalKind.ORDER else None", "since = None"),
    Mutation("who is moved keeps the exits of the old version", MEMORY,
        "                entry.exit = entry.known_exit()\n", ""),
    Mutation("an objection suppresses nobody", MEMORY,
        "            self._suppress(signal.person, suppression, signal.address)\n", ""),
    Mutation("the gate forgets suppressions", GATE,
        "    if dossier.is_suppressed:\n        return _SUPPRESSED\n", ""),
    Mutation("another person at a suppressed address is written to", MEMORY,
        "found = self._suppressed.get((kind, normalise_address(value)), ())", "found = ()"),
    Mutation("a bounce of an address stops marketing alone", SUPPRESSION,
        "return Suppression(channel, None, kind.value, Whom.ADDRESS)",
        "return Suppression(channel, Purpose.MARKETING, kind.value, Whom.ADDRESS)"),
    Mutation("an opt-out stops nothing but what names its channel", SUPPRESSION,
        "return self.channel in (None, channel) and", "return self.channel == channel and"),
    Mutation("stopping a journey ends nobody", MEMORY,
        "ended = [e for e in self._open() if e.enrolment.journey == journey]", "ended = []"),
    Mutation("erasing ends nothing", MEMORY,
        "ended = list(standing.open)\n        for entry in ended:\n            self._close(entry, Reason.ERASED",
        "ended = []\n        for entry in ended:\n            self._close(entry, Reason.ERASED"),
    Mutation("the gate forgets permission", GATE,
        "    if not dossier.permission.is_granted:\n        return _NO_PERMISSION\n", ""),
    Mutation("the oldest consent counts", CONSENT, "return max(known, key", "return min(known, key"),
    Mutation("consent by purchase never expires", CONSENT,
        "    if at <= until:", "    if True:"),
    Mutation("no country's own grounds are looked at", LAW,
        "return tuple(own or (row for row in rows if ANY in row.places))",
        "return tuple(row for row in rows if ANY in row.places)"),
    Mutation("the gate forgets the hours of the law", GATE,
        "        open_at = barred_until(at, dossier.zones, dossier.hours)", "        open_at = None"),
    Mutation("the law's day of the week is the one in UTC", LOCAL_TIME,
        "    first, last = week.days[midnight.weekday()]",
        "    first, last = week.days[(midnight - timedelta(hours=12)).weekday()]"),
    Mutation("of a country alone, the hours of no state hold", LAW,
        "return any(one[:2] == country for one in row.places)", "return country in row.places"),
    Mutation("the snooze is forgotten", GATE,
        *never("snoozed_until is not None and snoozed_until > context.at")),
    Mutation("muted topics are forgotten", GATE,
        *never("context.policy.topic and context.policy.topic in preferences.muted_topics")),
    Mutation("less often is forgotten", GATE, *never("preferences.at_most_every is not None")),
    Mutation("exclusions are forgotten", GATE,
        *never("dossier.exclusion is not None or context.exclusion is not None")),
    Mutation("a bad ending cools nobody off", DOSSIERS,
        "return Exclusion.COOLING_OFF if is_late else None", "return None"),
    Mutation("stale touches are sent", DECIDING,
        "JourneyRules(journey.purpose, journey.stale_after, rules",
        "JourneyRules(journey.purpose, 2 * journey.stale_after, rules"),
    Mutation("conditions of steps are forgotten", GATE, *never("not context.is_condition_met")),
    Mutation("one more than the cap", GATE,
        "    if len(counted) < cap.max:", "    if len(counted) <= cap.max:"),
    Mutation("what left a moment from now is not counted", GATE,
        "counted = [one for one in sent if one.at > since and",
        "counted = [one for one in sent if since < one.at <= at and"),
    Mutation("the cap's day is the business's day", GATE,
        "local_day_bounds(at, context.dossier.zones[0])",
        "local_day_bounds(at, context.policy.rules.zone)"),
    Mutation("ghosts are forgotten", MEMORY,
        "if entry.standing.ghosts and self._gets_ghosts(entry):", "if False:"),
    Mutation("an offer is given on top of another", CHOOSING,
        "if (until := _open_until(who.past, who.at)) is not None:", "if False:"),
    Mutation("ghosts of offers are forgotten", MEMORY,
        "found += [one for one in standing.ghost_offers if one.ends_at > since]", "pass"),
    Mutation("the floor is forgotten", CHOOSING,
        "if one.sale * (house.margin - house.floor) >= one.cost:", "if one.sale > 0:"),
    Mutation("the budget of an offer is forgotten", CHOOSING,
        "if limit is not None and left.reserved_micros + micros_of(chosen.most) > limit:", "if False:"),
    Mutation("a code stays free when it is given", OFFERS_SQL,
        "SET touch = r.touch", "SET touch = c.touch", "sqlite"),
    Mutation("a cancelled message keeps its offer", GIVING,
        "_of(alias).filter(touch__in=[touch for touch, *_ in found]).update(state=RELEASED)", "pass",
        "sqlite"),
    Mutation("two of a person in a batch", MEMORY,
        "firsts.setdefault(entry.enrolment.person, entry)",
        "firsts.setdefault(entry.enrolment.person + entry.enrolment.journey, entry)"),
    Mutation("the night is the business's night", GATE,
        "quiet_until(at, dossier.zones, rules.quiet_hours)",
        "quiet_until(at, (rules.zone,), rules.quiet_hours)"),
    Mutation("only the first zone sleeps", GATE,
        "quiet_until(at, dossier.zones, rules.quiet_hours)",
        "quiet_until(at, dossier.zones[:1], rules.quiet_hours)"),
    Mutation("a night over midnight is swapped", LOCAL_TIME,
        "    if start < end:\n        return now + end - second if start <= second < end else now\n",
        "    if start > end:\n        start, end = end, start\n"
        "    if start < end:\n        return now + end - second if start <= second < end else now\n"),
    Mutation("nights end an hour early after the clocks change", LOCAL_TIME,
        "    offset = _steady_offset(zone, now // DAY)\n    if offset is None:\n"
        "        return _unsteady_night_end(now, zone, start, end)\n",
        "    offset = offset_at(zone, now // DAY * DAY - 2 * DAY)\n"),
    Mutation("closed days are those of the business", GATE,
        "closed_until(at, dossier.zones, rules.calendar)",
        "closed_until(at, (rules.zone,), rules.calendar)"),
    Mutation("the gate forgets budgets", GATE,
        *never("context.budget_left is not None and context.cost > context.budget_left")),
    Mutation("a message reserves nothing", MEMORY,
        "                self._reserved[name, month] += move.cost_micros", "                pass"),
    Mutation("one batch overspends together", DECIDING,
        "            self._left[name] -= cost", "            pass"),
    Mutation("the gate forgets what a touch is worth", GATE,
        *never("is_marketing and context.expected is not None and context.expected < _full_cost(context)")),
    Mutation("holdouts are written to", GATE,
        *never("context.dossier.enrolment.arm is Arm.HOLDOUT")),
    Mutation("the arm is drawn anew at every entry", ENGINE,
        "arm=self._draw(version, person) if before is None else before.arm",
        "arm=self._draw(version, person if before is None else f'{person}+{before.rotation}')"),
    Mutation("people enter while they are inside", ENGINE,
        "return reenter is not None and not past.is_open and", "return reenter is not None and"),
    Mutation("variants are drawn by the moment", DECIDING,
        "variant = _variant(send, look, answers.variants) if",
        "variant = send.variants[at.day % 2].name if"),
    Mutation("a step seen before is sent again after a move", MEMORY,
        "        if move.step.key in entry.touched:\n            return\n", ""),
    Mutation("who is moved keeps their number of the old version", MEMORY,
        "replace(one, version=version, position=place)", "replace(one, version=version)"),
    Mutation("a pause does not hold", MEMORY,
        "if PAUSED not in self._states.values():", "if True:"),
    Mutation("a resumed journey flushes", MEMORY,
        "turn = at + timedelta(seconds=over_seconds * place // len(due))", "turn = at"),
    Mutation("any click ever wakes", DECIDING,
        "if deed.event in events and deed.at > since)", "if deed.event in events)"),
    Mutation("a branch is taken whatever its condition", DECIDING,
        "met = _people(left) if when is None else self._asking.meeting(when, left, at)",
        "met = _people(left)"),
    Mutation("a hold ends at once", DECIDING,
        "after = _stand(before, before.position, before.ready_at, decision.until)",
        "after = _stand(before, before.position, before.ready_at, at)"),
    Mutation("a skipped person is stepped over twice", DECIDING,
        "    ready_at = arrival(onward, since)\n    return _stand(before, onward.position, ready_at, ready_at), None",
        "    ready_at = arrival(onward, since)\n"
        "    place = onward.position + before.position % 2\n"
        "    return _stand(before, place, ready_at, ready_at), None"),
    Mutation("a lost worker's messages are sent again", OUTBOX,
        "queued += self._queue_again(again, at, within) if is_idempotent else 0",
        "queued += self._queue_again(again, at, within)", "sqlite"),
    Mutation("a message of unknown fate is tried again", OUTBOX,
        "mine.update(**FREE, state=MessageState.UNKNOWN, last_error=error, known_until=None)",
        "mine.update(**FREE, state=MessageState.QUEUED, last_error=error, known_until=None)", "sqlite"),
    Mutation("a stopped outlet is handed messages", "ledger/outbox/stopping.py",
        "            if row.resumed_at is None or (is_others and is_held):\n",
        "            if is_others and is_held:\n", "sqlite"),
    Mutation("nobody looks again before a message leaves", "worker/dispatching/looking.py",
        "        return decide(\n",
        "        from rekindle.vocabulary import Answer\n\n"
        "        return Decision(Answer.SEND) or decide(\n", "sqlite"),
    Mutation("who returned stays on the list", "ledger/signals.py",
        "    end_enrolled_stays(alias, gone, at)\n", "", "sqlite"),
    Mutation("who returned after the journey's end stays on the list", LEDGER_SQL,
        "WHERE s.requested_at IS NULL AND e.ended_reason = 'finished'\nORDER BY 1",
        "WHERE s.requested_at IS NULL AND e.ended_reason = ''\nORDER BY 1", "sqlite"),
    Mutation("who may be on the list is forgotten", "ledger/outbox/stays/queue.py",
        "            if not is_unknown:", "            if True:", "sqlite"),
    Mutation("a paused journey puts people on lists", "ledger/outbox/stays/queue.py",
        "        if still := list(", "        if still := [] and list(", "sqlite"),
    Mutation("what is kept outlives what ended it", "ledger/cancelling.py",
        'kept.filter(touch__in=touches.order_by().values("pk")).delete()', "pass", "sqlite"),
    Mutation("nobody asks the gate when a kept message is asked for", "worker/dispatching/asking.py",
        "    return decide(context).answer is Answer.SEND", "    return True", "sqlite"),
    Mutation("a message that is given up keeps its budget", "ledger/cancelling.py",
        "((budgets, month, -cost) for", "((budgets, month, 0) for", "sqlite"),
    Mutation("two of a person in a batch of a ledger", BOOK,
        "firsts.setdefault(row[1], row)", "firsts.setdefault(row[1] + row[2], row)", "sqlite"),
    Mutation("what a look decides is not one transaction", BOOK,
        "        with ledger_transaction(self._alias):\n            self._look_rows_up()\n",
        "        if True:\n            self._look_rows_up()\n", "sqlite"),
    Mutation("a pause does not hold a ledger", LEDGER_SQL,
        "  AND e.journey NOT IN (SELECT name FROM ledger_journey WHERE state = 'paused')\n"
        "ORDER BY s.due_at, s.enrolment_id\n",
        "ORDER BY s.due_at, s.enrolment_id\n", "sqlite"),
    Mutation("what is said of one way is said of all", "ledger/statements.py",
        "        if mark[:-1] == channel.value:", "        if mark:", "ways"),
    Mutation("a suppression of one way binds none", "ledger/papers.py",
        "self.channel in (EVERY, channel)", "self.channel == EVERY", "ways"),
    Mutation("what stops every purpose stops none", "ledger/papers.py",
        "and self.purpose in (EVERY, purpose)", "and self.purpose == purpose", "ways"),
    Mutation("a device that was handed on stays its first owner's", "ledger/sql/addresses.sql",
        "    person_id = excluded.person_id, value = excluded.value,",
        "    value = excluded.value,", "ways"),
    Mutation("an address that is gone is written to again", "ledger/book/addresses.py",
        'rows.update(retired_at=at, reason=reason, value="")', "rows.update(reason=reason)", "ways"),
    Mutation("a task stays open after a purchase", "ledger/outbox/tasks.py",
        "    if any(one > touch.at for one in bought):", "    if False:", "ways"),
    Mutation("an open offer of another journey is not seen", CHOOSING,
        "found = [one.ends_at for one in past if one.redeemed_at is None and one.ends_at > at]",
        "found: list[datetime] = []", "ways"),
    Mutation("a code stays free when it is given by one of six ways", OFFERS_SQL,
        "SET touch = r.touch", "SET touch = c.touch", "ways"),
    Mutation("what a provider knows for a day is sent again for ever", "worker/dispatching/dispatcher.py",
        "until = None if within == FOR_EVER else self._begun_at + within - ON_THE_WAY",
        "until = None", "ways"),
    Mutation("a payment that cleared ends nothing", EXITS,
        "    if event not in exits:\n", '    if event not in exits or event == "payment_cleared":\n', "ways"),
    Mutation("a letter is not called back", "ledger/outbox/stays/taking_down.py",
        'told_at=None if stays[touch.pk].destination else at', "told_at=None", "ways"),
    Mutation("a letter that was called back keeps what it had reserved", "ledger/outbox/stays/queue.py",
        "                give_up(self._alias, mine, state=MessageState.CANCELLED, reason=why)\n", "                pass\n", "ways"),
    Mutation("who returned has their letter sent", "ledger/cancelling.py",
        "        numbers = {number for (number,) in chunk}\n",
        '        numbers = {n for (n,) in chunk if _stays(alias).get(pk=n).destination}\n', "ways"),
    Mutation("ids with one mailbox stay strangers", "identity/rules.py",
        "        if len(ids) < 2:", "        if True:", "files"),
    Mutation("nothing follows when two become one", "ledger/book/persons/registry.py",
        "moves, erased = follow(alias, self._versions, pairs, at)", "erased = []", "files"),
    Mutation("a restored ledger is not noticed", "worker/ticking.py",
        "        self._mark.require_newest()\n        self._access.tell(is_stopping=is_stopping)",
        "        self._access.tell(is_stopping=is_stopping)", "files"),
    Mutation("a purchase under another id is nobody's", "worker/observing.py",
        "buyer = ibis.coalesce(found.person_id, found.person)", "buyer = found.person", "files"),
    Mutation("a draft that was paid is no news", "worker/observing.py",
        "    if sold_at is not None and sold_at > entered_at:", "    if False:", "files"),
    Mutation("a subscription that begins is no return", "subscriptions/starts.py",
        "    if not facts.has_subscriptions:", "    if True:", "files"),
)  # fmt: skip
