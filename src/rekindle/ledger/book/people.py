"""Who people are, what they asked for, and what the business decided about them."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime

from django.db.models import Q

from rekindle.consent import ERASED, ConsentRecord, Exclusion, Preferences, Suppression
from rekindle.feedback import LEFT
from rekindle.gate import BookRules
from rekindle.identity import is_dialable
from rekindle.intake import keep_amounts
from rekindle.journeys import Person
from rekindle.ledger import intake_models, models
from rekindle.ledger.book.addresses import Given, save_addresses
from rekindle.ledger.book.own_words import OwnCard, load_own_cards, note_said
from rekindle.ledger.bulk import chunks, is_postgresql
from rekindle.ledger.cancelling import cancel, cancel_each, end_stays, take_back_from
from rekindle.ledger.guards.forgetting import forget_notices, forget_words, private_words
from rekindle.ledger.guards.marking import ids_of
from rekindle.ledger.hashing import Hashing
from rekindle.ledger.queries import (
    Row,
    barred,
    execute,
    fetch,
    instant_of,
    ledger_transaction,
    rows_of,
    text_of,
    text_or_none,
)
from rekindle.ledger.signals import (
    EVERY,
    LIFTED,
    end_enrolments,
    hold_people,
    know_people,
    suppress_again,
    suppress_people,
)
from rekindle.ledger.statements import note_people, sum_consents_up
from rekindle.messages import AddressKind
from rekindle.vocabulary import Reason

WRITTEN_AS = "cards, 4"
"""Another word whenever a card is read or written in another way: everybody is told again."""

MARK_LENGTH = 8
"""How much of a keyed hash tells by which secret, and how, a card was written."""


class People:
    """The people of one ledger. Belongs to one book."""

    def __init__(
        self,
        alias: str,
        hashing: Hashing,
        terms: BookRules,
    ) -> None:
        self._alias = alias
        self._hashing = hashing
        self._terms = terms

    def save(self, people: Iterable[Person]) -> None:
        """Insert or update contact cards by id; a person who was erased stays erased.

        What somebody said of themselves stays until there is something new.
        """
        # In one order everywhere: two that write the same cards wait, not lock.
        cards = sorted({person.id: person for person in people}.items())
        with ledger_transaction(self._alias):
            for chunk in chunks(cards):
                self._hold(person for person, _ in chunk)
                own = load_own_cards(self._alias, (person for person, _ in chunk))
                told = [one for _, one in chunk]
                written = self._write([own[p.id].take(p) if p.id in own else p for p in told])
                note_said(self._alias, own.values())
                self._note_secondary(told, written)

    def _hold(self, people: Iterable[str]) -> None:
        """Hold people's cards until the commit, also of those who have none yet.

        What somebody says of themselves meanwhile would be written over, and never be said again.
        """
        if is_postgresql(self._alias):  # SQLite has one writer at a time
            ids = list(people)
            know_people(self._alias, ids)
            fetch(self._alias, "hold_cards", rows_of((one,) for one in ids))

    def told(self) -> dict[str, str]:
        """Return a digest of what was last told of each person.

        What was told before an address was hashed by another secret, or written down in
        another way, is not known any more.
        """
        mark = self._mark
        rows = fetch(self._alias, "told_of_people", len(mark) + 1, len(mark), mark)
        return dict(rows)

    def note_told(self, digests: Mapping[str, str]) -> None:
        """Remember what was told; of who was erased or is another person now, nothing."""
        rows = sorted((person, self._mark + digest) for person, digest in digests.items())
        with ledger_transaction(self._alias):
            for chunk in chunks(rows):
                execute(self._alias, "note_told", rows_of(chunk))

    @property
    def _mark(self) -> str:
        return f"{self._hashing.of_text(WRITTEN_AS)[:MARK_LENGTH]}:"

    def save_own(self, cards: Iterable[OwnCard]) -> None:
        """Write cards as people gave them, with what they gave."""
        own = sorted(cards, key=lambda card: card.person.id)
        with ledger_transaction(self._alias):
            for chunk in chunks(own):
                people = [card.person for card in chunk]
                written = self._write(people)
                note_said(self._alias, chunk)
                self._note_secondary(people, written)

    def save_addresses(self, given: Iterable[Given]) -> None:
        """Let addresses of which people have several be of whom they were given as."""
        save_addresses(self._alias, self._hashing, given)

    def _write(self, people: Sequence[Person]) -> list[Row]:
        written = [self._card(person) for person in people]
        changed = {id_ for (id_,) in fetch(self._alias, "save_people", rows_of(written))}
        self._carry_suppressions(people, written)
        suppress_again(self._alias, self._terms, changed)
        return written

    def _note_secondary(self, told: Iterable[Person], written: Iterable[Row]) -> None:
        """Note the addresses that are told of people and that are not on their cards."""
        found: set[Row] = set()
        for person, card in zip(told, written, strict=True):
            places = [("email", person.address), ("phone", person.phone), *person.secondary]
            if not person.secondary and (person.address, person.phone) == (card[1], card[5]):
                continue
            hashed = {(kind, self._hashing.of(kind, value)) for kind, value in places}
            hashed -= {("email", card[2]), ("phone", card[6]), ("email", ""), ("phone", "")}
            found |= {(person.id, *one) for one in hashed}
        if found:
            new = fetch(self._alias, "add_secondary", rows_of(sorted(found)))
            suppress_again(self._alias, self._terms, {person for (person,) in new})

    def save_consent(self, records: Iterable[ConsentRecord]) -> None:
        """Append records, and cancel the marketing that new withdrawals end.

        A yes that was misread stays on record, as one to no channel.
        """
        with ledger_transaction(self._alias):
            for chunk in chunks(records):
                people = {record.person for record in chunk}
                know_people(self._alias, people)
                if not all(record.granted for record in chunk):
                    hold_people(self._alias, people)
                gone = [_consent(record)[:5] for record in chunk if record.is_unsaid]
                unsaid = fetch(self._alias, "take_back_consents", rows_of(gone)) if gone else []
                said = [record for record in chunk if not record.is_unsaid]
                rows = sorted(_consent(record) for record in self._unheard(said))
                added = fetch(self._alias, "add_consents", rows_of(rows))
                withdrawn = [
                    (person, channel, text_of(instant_of(at)))
                    for person, channel, granted, at in added
                    if not granted
                ]
                sum_consents_up(self._alias, {row[0] for row in (*unsaid, *added)})
                self._cancel_withdrawn(withdrawn)

    def _unheard(self, records: Sequence[ConsentRecord]) -> Sequence[ConsentRecord]:
        """Leave out each no without a date that is on record already, as of an earlier pass."""
        asked = [
            (number, one.person, one.channel.value, one.source, one.wording, text_of(one.since))
            for number, one in enumerate(records)
            if one.since is not None
        ]
        if not asked:
            return records
        said = {number for (number,) in fetch(self._alias, "said_since", rows_of(asked))}
        return [one for number, one in enumerate(records) if number not in said]

    def suppress(self, person: str, suppression: Suppression, at: datetime) -> None:
        """Never contact this person, nor their address, as far as the suppression reaches."""
        with ledger_transaction(self._alias):
            know_people(self._alias, [person])
            suppress_people(self._alias, self._terms, [(person, suppression, at, "")])

    def suppress_addresses(self, stops: Iterable[tuple[str, str, Suppression, datetime]]) -> None:
        """Never write to these addresses, whoever has them; they are kept as keyed hashes."""
        hashed = [("", one, at, self._hashing.of(kind, value)) for kind, value, one, at in stops]
        with ledger_transaction(self._alias):
            suppress_people(self._alias, self._terms, [row for row in hashed if row[3]])

    def lift(self, person: str, reaches: Collection[tuple[str | None, str | None, str]]) -> None:
        """Let suppressions of a person or their address hold nowhere any more.

        Each is (channel, purpose, reason), None for every one. What another person with
        that address said stays.
        """
        rows = models.Suppression.objects.using(self._alias)
        with ledger_transaction(self._alias):
            card = models.Person.objects.using(self._alias).select_for_update().get(pk=person)
            hashes = [one for one in (card.address_hash, card.phone_hash) if one]
            mine = Q(person=person) | Q(person=None, address_hash__in=hashes)
            for channel, purpose, reason in reaches:
                found = rows.filter(
                    mine, channel=channel or EVERY, purpose=purpose or EVERY, reason=reason
                )
                for row in found.order_by("id"):
                    # Lifted before, and given rise to again since: one row of it is enough.
                    rows.filter(
                        person=row.person_id,
                        channel=LIFTED,
                        purpose=row.purpose,
                        reason=reason,
                        address_hash=row.address_hash,
                    ).delete()
                    rows.filter(pk=row.pk).update(channel=LIFTED)

    def save_preferences(self, person: str, preferences: Preferences) -> None:
        """Keep what a person asked for, in place of what they asked before."""
        every, topics = preferences.at_most_every, sorted(preferences.muted_topics)
        row = (
            person,
            text_or_none(preferences.snoozed_until),
            barred(topics),
            None if every is None else int(every.total_seconds()),
        )
        with ledger_transaction(self._alias):
            know_people(self._alias, [person])
            execute(self._alias, "save_preferences", rows_of([row]))
            note_people(self._alias, [person])
            take_back_from(self._alias, [person])

    def exclude(
        self, person: str, exclusion: Exclusion, *, at: datetime, until: datetime | None
    ) -> None:
        """Write no marketing to this person until ``until``, or ever (None)."""
        row = (person, exclusion.value, text_of(at), text_or_none(until))
        with ledger_transaction(self._alias):
            know_people(self._alias, [person])
            execute(self._alias, "exclude", rows_of([row]))
            note_people(self._alias, [person])
            take_back_from(self._alias, [person])
            if until is None or until > at:
                marketing = models.Touch.objects.using(self._alias).filter(
                    person=person, is_marketing=True
                )
                stays = models.Stay.objects.using(self._alias)
                mine = stays.filter(touch__in=marketing.values("pk"))
                end_stays(self._alias, mine, Reason.EXCLUDED, at)

    def include(self, person: str, exclusion: Exclusion) -> None:
        """Take back an exclusion."""
        rows = models.Exclusion.objects.using(self._alias)
        with ledger_transaction(self._alias):
            rows.filter(person=person, kind=exclusion.value).delete()

    def erase(self, person: str, at: datetime) -> int:
        """Forget a person's card; return how many enrolments that ended."""
        with ledger_transaction(self._alias):
            know_people(self._alias, [person])
            held = fetch(self._alias, "hold_open_of", rows_of([(person,)]))
            reports = fetch(self._alias, "reports_of", person, person)
            words = private_words(self._alias, person, reports)
            # Before the card is empty: another card with this address is theirs as well.
            erased = Suppression(None, None, ERASED)
            suppress_people(self._alias, self._terms, [(person, erased, at, "")])
            execute(self._alias, "erase_person", text_of(at), person)
            ended = end_enrolments(self._alias, [(row[0], Reason.ERASED) for row in held], at)
            rest = models.Touch.objects.using(self._alias).filter(person=person)
            cancel(self._alias, rest, Reason.ERASED)
            models.Preference.objects.using(self._alias).filter(person=person).delete()
            for model in (models.Address, intake_models.SecondaryAddress):
                model.objects.using(self._alias).filter(person=person).delete()
            models.Assignment.objects.using(self._alias).filter(person=person).update(covariates={})
            self._forget_reports(reports, at)
            forget_words(self._alias, person, words, (row[0] for row in reports))
            forget_notices(self._alias, person)
            execute(self._alias, "forget_evidence", person, person)
            self._forget_answers(person)
            intake_models.Belongings.objects.using(self._alias).filter(person=person).delete()
            return ended

    def _forget_answers(self, person: str) -> None:
        """Leave of why somebody left the reason alone: their words may say who they are."""
        log = models.AuditEntry.objects.using(self._alias)
        # What they said before they were found to be this person stands under their other ids.
        ids = [person, *ids_of(self._alias, [person]).get(person, ())]
        for entry in log.filter(subject__in=ids, action=LEFT):
            log.filter(pk=entry.pk).update(detail={"reason": entry.detail.get("reason")})
        told = intake_models.Instruction.objects.using(self._alias).filter(person=person)
        told.exclude(words="").update(words="")

    def _forget_reports(self, rows: Iterable[Row], at: datetime) -> None:
        """Leave of what was reported that it was, and what an order came to."""
        left = [
            (number, _amounts(payload) if subject else "{}", text_of(at))
            for number, subject, payload in rows
        ]
        execute(self._alias, "forget_reports", rows_of(left))

    def _cancel_withdrawn(self, withdrawn: list[Row]) -> None:
        if withdrawn:
            rows = fetch(self._alias, "withdrawn_messages", rows_of(withdrawn))
            cancel_each(self._alias, {touch: Reason.NO_PERMISSION for (touch,) in rows})
            stays = models.Stay.objects.using(self._alias)
            for stay, at in fetch(self._alias, "withdrawn_stays", rows_of(withdrawn)):
                mine = stays.filter(pk=stay)
                end_stays(self._alias, mine, Reason.NO_PERMISSION, instant_of(at))

    def _carry_suppressions(self, people: Iterable[Person], cards: Iterable[Row]) -> None:
        """Let what was suppressed by another spelling bind these addresses.

        That is how an earlier release hashed it, or a number as it is dialled at home, which may be
        others' in other countries. Only a few addresses have another spelling; of the rest nothing
        is asked.
        """
        moved, shared = [], []
        for person, card in zip(people, cards, strict=True):
            _, address, hashed, _, _, phone, phone_hash, *_ = card
            moved += [(former, hashed) for former in self._hashing.former(address)]
            moved += [(former, phone_hash) for former in self._hashing.former_phone(phone)]
            shared += [
                (self._hashing.of_phone(text), phone_hash)
                for kind, text in person.secondary
                if kind == AddressKind.PHONE and phone_hash and not is_dialable(text)
            ]
        if moved:
            execute(self._alias, "rehash_suppressions", rows_of(sorted(moved)))
        if shared:
            execute(self._alias, "bind_spellings", rows_of(sorted(set(shared))))

    def _card(self, person: Person) -> Row:
        return (
            person.id,
            person.address,
            self._hashing.of_address(person.address),
            person.country,
            person.timezone,
            person.phone,
            self._hashing.of_phone(person.phone),
            json.dumps(dict(person.properties)),
        )


def _consent(record: ConsentRecord) -> Row:
    return (
        record.person,
        record.channel.value,
        record.granted,
        text_of(record.at),
        record.source,
        record.wording,
    )


def _amounts(payload: str) -> str:
    """Return the part of an order's report that says what was bought."""
    given = json.loads(payload).get("properties")
    kept = keep_amounts(given) if isinstance(given, dict) else {}
    return json.dumps({"properties": kept}, ensure_ascii=False)
