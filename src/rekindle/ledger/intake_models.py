"""The tables of event intake: who may report, what was reported, and who is who.

Beside them stands what was looked at and when: versions of the facts by passes, the figures
of a journey by people, and the shares of the holdout of all marketing.

Reports are kept as they came. ``ledger_event`` is the memory that a repeated one changes
nothing by, the spool from which the next import makes facts, and what journeys ask when
they ask what a person did.
"""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Q

ANONYMOUS = " "
"""What an anonymous id begins with among the others: no customer's does."""


def _word(length: int, **options: Any) -> models.CharField[Any, Any]:
    return models.CharField(max_length=length, **options)


class ApiKey(models.Model):
    """A key to the API. Its secret is kept as a hash, and was shown once.

    ``source`` is whom it speaks for; ``scopes`` says what it may do, each between bars.
    """

    name = _word(100, primary_key=True)
    source = _word(63)
    scopes = models.TextField()
    secret_hash = _word(64, unique=True)
    created_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "ledger_api_key"


class Event(models.Model):
    """One report. ``person`` is None while only an anonymous id is known.

    ``subject`` is the order it is about, or "". ``exported_at`` is when its facts
    reached the lake. ``deed`` is what the person did by it, in the words of a journey;
    None if nothing, or if it counts as a purchase or a stop, which is a signal. ``given`` is
    the id it came under while that stood for the person, and goes with if they part. No
    constraint ties it to the card: reports arrive in bulk, and may come before the card.
    """

    source = _word(63)
    message_id = _word(200)
    type = _word(8)
    name = _word(100)
    subject = _word(200, db_default="")
    person = _word(200, null=True)
    anonymous_id = _word(200, null=True)
    at = models.DateTimeField()
    received_at = models.DateTimeField()
    is_clamped = models.BooleanField()
    is_machine = models.BooleanField()
    payload = models.TextField()
    exported_at = models.DateTimeField(null=True)
    deed = _word(100, null=True)
    given = _word(200, null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["source", "message_id"], name="ledger_event_once"),
        )
        indexes = (
            models.Index(
                fields=["id"], condition=Q(exported_at__isnull=True), name="ledger_event_spool"
            ),
            models.Index(
                fields=["source", "subject"],
                condition=~Q(subject=""),
                name="ledger_event_subject",
            ),
            models.Index(
                fields=["anonymous_id"],
                condition=Q(person__isnull=True),
                name="ledger_event_anonymous",
            ),
            models.Index(
                fields=["person", "at"], condition=Q(deed__isnull=False), name="ledger_event_deeds"
            ),
            models.Index(
                fields=["deed", "at"], condition=Q(deed__isnull=False), name="ledger_event_doers"
            ),
            models.Index(
                fields=["given"], condition=Q(given__isnull=False), name="ledger_event_given"
            ),
        )


class Alias(models.Model):
    """Another id of a person: one they had before, or an anonymous one.

    Those begin with a space, which no id does, so that no visitor can take the place of
    a customer by calling themselves so. ``given`` is the id that a visitor was said to be,
    where that stood for the person.
    """

    id = _word(201, primary_key=True)
    person = _word(200, db_index=True)
    at = models.DateTimeField()
    given = _word(200, null=True)


class SecondaryAddress(models.Model):
    """The keyed hash of an e-mail address or phone that a person has beside the card's.

    Somebody with several ids has one card, and may have several of both. Nothing is sent to
    these; but a no binds them too, as another customer may come with one.
    """

    person = models.ForeignKey("Person", on_delete=models.PROTECT, db_index=False, related_name="+")
    kind = _word(24)
    hash = _word(64)

    class Meta:
        db_table = "ledger_secondary_address"
        constraints = (
            models.UniqueConstraint(
                fields=["person", "kind", "hash"], name="ledger_secondary_once"
            ),
        )
        indexes = (models.Index(fields=["hash"], name="ledger_secondary_hash"),)


class Join(models.Model):
    """Two persons that are one: ``gone`` goes by ``kept``, until ``undone_at``.

    ``moved`` lists the rows that came to ``kept`` by it, by table, so that they can go
    back. What is undone stays on record: those two are not joined by a rule again if
    somebody said so (``undone_by``).
    """

    gone = _word(200)
    kept = _word(200)
    reason = _word(24)
    evidence = models.TextField(db_default="")
    at = models.DateTimeField()
    by = models.TextField(db_default="")
    moved = models.JSONField(default=dict)
    undone_at = models.DateTimeField(null=True)
    undone_by = models.TextField(db_default="")

    class Meta:
        indexes = (
            models.Index(fields=["gone"], name="ledger_join_gone"),
            models.Index(fields=["kept"], name="ledger_join_kept"),
        )


class Settling(models.Model):
    """That persons were brought up to the evidence, and to which; one row."""

    id = models.PositiveSmallIntegerField(primary_key=True)
    evidence = models.TextField()
    at = models.DateTimeField()


class Observation(models.Model):
    """A version of the facts, by its newest import, and when a pass first looked at it."""

    number = models.BigIntegerField(primary_key=True)
    seen_at = models.DateTimeField()


class Look(models.Model):
    """A day on which a journey's figures were looked at; the day is the business's own."""

    journey = _word(200)
    looked_on = models.DateField()
    looked_at = models.DateTimeField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["journey", "looked_on"], name="ledger_look_once"),
        )


class Holdout(models.Model):
    """A share of the holdout of all marketing journeys, and since when it draws people.

    Whom it drew is an assignment of the journey ``*``, whose version is the number of this.
    """

    number = models.PositiveIntegerField(primary_key=True)
    share = models.FloatField()
    since = models.DateTimeField()


class MessageWorth(models.Model):
    """What one message of a journey was found to earn on a day; ``trouble`` says why nothing.

    Amounts are margin in micros. ``people`` is how many treated people it rests on,
    ``subgroup`` the part of the journey's people they are; empty is all. ``again_micros`` is
    the lower end of what a message earned from those who were written to still.
    """

    journey = _word(200)
    subgroup = _word(300, db_default="")
    found_on = models.DateField()
    found_at = models.DateTimeField()
    people = models.PositiveIntegerField(db_default=0)
    micros = models.BigIntegerField(null=True)
    low_micros = models.BigIntegerField(null=True)
    high_micros = models.BigIntegerField(null=True)
    again_micros = models.BigIntegerField(null=True)
    trouble = models.TextField(db_default="")

    class Meta:
        db_table = "ledger_message_worth"
        constraints = (
            models.UniqueConstraint(
                fields=["journey", "subgroup", "found_on"], name="ledger_worth_once"
            ),
        )


class JourneyUplift(models.Model):
    """A model of whom a journey moves, as it was learned; ``trouble`` says why it excludes nobody.

    ``content`` is a digest of what its messages said then. ``people`` were learned from, who got
    so many ``messages`` each, ``scored`` are kept in the facts with ``scored_at``.
    """

    journey = _word(200)
    version = models.PositiveIntegerField()
    found_at = models.DateTimeField()
    content = _word(64)
    scored_at = models.DateTimeField(null=True)
    good_until_on = models.DateField(null=True)
    people = models.PositiveIntegerField(db_default=0)
    scored = models.PositiveIntegerField(db_default=0)
    messages = models.FloatField(null=True)
    qini = models.FloatField(null=True)
    qini_low = models.FloatField(null=True)
    qini_high = models.FloatField(null=True)
    trouble = models.TextField(db_default="")

    class Meta:
        db_table = "ledger_journey_uplift"
        indexes = (models.Index(fields=["journey", "found_at"], name="ledger_uplift_newest"),)


class Overrule(models.Model):
    """Somebody let messages leave that had been stopped: who, why, until when.

    ``subgroup`` and ``step`` name what it is of; empty is all. It is never changed but for its
    end, where somebody ended it before ``until``.
    """

    journey = _word(200)
    subgroup = _word(300, db_default="")
    step = _word(200, db_default="")
    who = _word(200)
    why = models.TextField()
    at = models.DateTimeField()
    until = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    ended_by = _word(200, db_default="")

    class Meta:
        db_table = "ledger_overrule"
        indexes = (models.Index(fields=["journey", "at"], name="ledger_overrule_of"),)


class NoticedOpen(models.Model):
    """That a message was opened, for nobody but hygiene: no signal, event or report is made of it.

    ``touch`` is the number of the message; ``is_machine`` that no person did it.
    """

    touch = models.BigIntegerField()
    is_machine = models.BooleanField()
    at = models.DateTimeField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["touch", "is_machine"], name="ledger_open_once"),
        )


class BillerNotice(models.Model):
    """One notice of a biller: kept once by its event, until its facts reached the lake and after.

    ``thing`` is what it was about, as the biller numbers it; ``customer`` whose that is, as
    facts name them. ``statements`` are lines of JSON. ``at`` is the biller's own instant, or a
    little more where the thing was asked for anew; ``folded_at`` is when the lake had it.
    """

    provider = _word(63)
    event = _word(200)
    kind = _word(100)
    thing = _word(200)
    customer = _word(200)
    at = models.DateTimeField()
    received_at = models.DateTimeField()
    statements = models.TextField()
    folded_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "ledger_biller_notice"
        constraints = (
            models.UniqueConstraint(fields=["provider", "event"], name="ledger_biller_notice_once"),
        )
        indexes = (
            models.Index(fields=["provider", "thing", "at"], name="ledger_biller_notice_thing"),
            models.Index(fields=["customer"], name="ledger_biller_notice_whose"),
            models.Index(
                fields=["at", "id"],
                condition=Q(folded_at__isnull=True),
                name="ledger_biller_notice_spool",
            ),
        )


class BillerCharge(models.Model):
    """A retry of an invoice, written down before the biller is asked for it.

    ``number`` counts those of its invoice; ``state`` is `asked` until there is an answer, and
    ``claimed_until`` until when somebody waits for it. Of a skipped one ``decline_code`` is why.
    ``payment`` is the attempt as the biller numbers it, "" where nobody said.
    """

    provider = _word(63)
    invoice = _word(200)
    number = models.PositiveIntegerField()
    state = _word(16)
    asked_at = models.DateTimeField()
    claimed_until = models.DateTimeField()
    answered_at = models.DateTimeField(null=True)
    decline_code = _word(200, db_default="")
    advice_code = _word(200, db_default="")
    network_advice_code = _word(200, db_default="")
    payment = _word(200, db_default="")

    class Meta:
        db_table = "ledger_biller_charge"
        constraints = (
            models.UniqueConstraint(
                fields=["provider", "invoice", "number"], name="ledger_biller_charge_once"
            ),
        )
        indexes = (
            models.Index(
                fields=["claimed_until"],
                condition=Q(state="asked"),
                name="ledger_biller_charge_asked",
            ),
        )


class Instruction(models.Model):
    """What somebody told the biller to do with a subscription, written down before it is asked.

    ``number`` counts those of its subscription; ``state`` is `asked` until there is an answer, and
    ``claimed_until`` until when somebody waits for it. ``evidence`` is by which link it was told.
    """

    provider = _word(63)
    subscription = _word(200)
    number = models.PositiveIntegerField()
    person = _word(200)
    kind = _word(16)
    argument = _word(200)
    reason = _word(32)
    words = models.TextField()
    evidence = _word(200)
    state = _word(16)
    asked_at = models.DateTimeField()
    claimed_until = models.DateTimeField()
    answered_at = models.DateTimeField(null=True)
    trouble = models.TextField(db_default="")

    class Meta:
        db_table = "ledger_instruction"
        constraints = (
            models.UniqueConstraint(
                fields=["provider", "subscription", "number"], name="ledger_instruction_once"
            ),
        )
        indexes = (
            models.Index(fields=["person"], name="ledger_instruction_whose"),
            models.Index(
                fields=["claimed_until"],
                condition=Q(state="asked"),
                name="ledger_instruction_asked",
            ),
        )


class AccessNote(models.Model):
    """An access to be restored: told to the business's own system until it took it.

    ``key`` is what the receiver tells repeated ones by; ``next_at`` when it is told next, and
    ``claimed_until`` until when somebody is telling it.
    """

    key = _word(64)
    provider = _word(63)
    subscription = _word(200)
    customer = _word(200)
    because = _word(16)
    paid_at = models.DateTimeField()
    noted_at = models.DateTimeField()
    next_at = models.DateTimeField()
    failures = models.PositiveIntegerField(default=0)
    claimed_until = models.DateTimeField(null=True)
    told_at = models.DateTimeField(null=True)
    last_error = models.TextField(db_default="")

    class Meta:
        db_table = "ledger_access_note"
        constraints = (models.UniqueConstraint(fields=["key"], name="ledger_access_note_once"),)
        indexes = (
            models.Index(
                fields=["next_at"], condition=Q(told_at__isnull=True), name="ledger_access_due"
            ),
            models.Index(fields=["told_at"], name="ledger_access_told"),
        )


class Belongings(models.Model):
    """What is kept for somebody whose stay ended, until when, and what became of it.

    ``number`` counts a person's departures, ``what`` is a line a thing, as it was promised then.
    ``told`` is the last that the business's own system took of this ``kept_until``; ``answer`` is
    `kept`, `deleted` or empty. ``closed`` is `returned` or `corrected`, ``closed_on`` the day.
    """

    person = _word(200)
    number = models.PositiveIntegerField()
    what = models.TextField()
    ended_on = models.DateField()
    days = models.PositiveIntegerField()
    kept_until = models.DateField()
    noted_at = models.DateTimeField()
    warned_until = models.DateField(null=True)
    told = _word(16)
    told_at = models.DateTimeField(null=True)
    answer = _word(16)
    answered_at = models.DateTimeField(null=True)
    closed = _word(16)
    closed_on = models.DateField(null=True)
    next_at = models.DateTimeField()
    claimed_until = models.DateTimeField(null=True)
    failures = models.PositiveIntegerField(default=0)
    last_error = models.TextField(db_default="")

    class Meta:
        db_table = "ledger_belongings"
        constraints = (
            models.UniqueConstraint(fields=["person", "number"], name="ledger_belongings_once"),
        )
        indexes = (
            models.Index(
                fields=["kept_until"], condition=Q(closed=""), name="ledger_belongings_open"
            ),
        )
