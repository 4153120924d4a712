"""The ledger's tables: who, with whose leave, what was decided and what was done.

Decisions, touches, consents and signals are only ever added. What must never happen
twice is a unique constraint here, so no code path can get around it.
"""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Q

from rekindle.messages import DeliveryKind
from rekindle.vocabulary import Answer, Arm, SignalKind


class MessageState(models.TextChoices):
    """Where a touch stands between the decision and the provider's word.

    GHOST is the touch of a held-out person: it is counted, and never leaves.
    """

    QUEUED = "queued"
    LEASED = "leased"
    SENDING = "sending"
    ACCEPTED = "accepted"
    FAILED = "failed"
    UNKNOWN = "unknown"
    CANCELLED = "cancelled"
    GHOST = "ghost"


MAY_HAVE_LEFT = frozenset({MessageState.ACCEPTED, MessageState.UNKNOWN})


class JourneyState(models.TextChoices):
    """Whether a journey lets people in and moves them on."""

    RUNNING = "running"
    PAUSED = "paused"
    STOPPED = "stopped"


STUCK = (MessageState.UNKNOWN, MessageState.FAILED)


def _word(length: int = 24, **options: Any) -> models.CharField[Any, Any]:
    return models.CharField(max_length=length, **options)


def _person(**options: Any) -> models.ForeignKey[Any, Any]:
    """Refer to a person; the composite index that begins with it serves look-ups."""
    return models.ForeignKey(
        "Person", on_delete=models.PROTECT, db_index=False, related_name="+", **options
    )


class Person(models.Model):
    """A contact card. ``address_hash`` is the keyed hash a suppression is found by.

    ``phone_hash`` is the same of the phone. ``country`` is where they live, with the state where
    that is known (``US-TX``, ISO 3166-2). The card says as well what else is on file, so
    that a look at a million people asks only about the few. ``statements`` is what the newest
    consent record of each channel says (``email+``), the last of them of ``stated_at``;
    ``is_noted`` is set once there is a suppression, a preference or an exclusion of this person.

    Who was found to be another person is ``joined_to`` them: what was theirs is the
    other's, and the card stays empty.

    ``said`` is which fields the person gave themselves, each with when and with what stood
    there before, as JSON; "" if none. ``told`` is a digest of what the facts said last, "" where
    that has to be read again.
    """

    id = _word(200, primary_key=True)
    address = models.TextField(null=True)
    address_hash = _word(64, db_default="")
    country = _word(6, null=True)
    timezone = _word(64, null=True)
    properties = models.JSONField(default=dict)
    phone = models.TextField(null=True)
    phone_hash = _word(64, db_default="")
    erased_at = models.DateTimeField(null=True)
    statements = models.TextField(db_default="")
    stated_at = models.DateTimeField(null=True)
    is_noted = models.BooleanField(db_default=False)
    said = models.TextField(db_default="")
    told = _word(40, db_default="")
    joined_to = _word(200, null=True)

    class Meta:
        indexes = (
            # Who has an address that bounced or whose owner complained.
            models.Index(
                fields=["address_hash"],
                condition=~Q(address_hash=""),
                name="ledger_person_address",
            ),
            models.Index(
                fields=["phone_hash"], condition=~Q(phone_hash=""), name="ledger_person_phone"
            ),
        )


class Address(models.Model):
    """An address of a kind of which people have several: a push subscription, a device, a home.

    ``hash`` is the keyed hash of what tells it from others; there is one row of each, which
    is of whoever had it last. ``seen_at`` is the newest statement of it, under the id ``given``
    where that stands for the person. One that was retired, for what ``reason`` says, keeps
    its hash alone.
    """

    person = _person()
    kind = _word()
    value = models.TextField()
    hash = _word(64)
    first_seen_at = models.DateTimeField()
    seen_at = models.DateTimeField()
    given = _word(200, null=True)
    retired_at = models.DateTimeField(null=True)
    reason = models.TextField(db_default="")

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["kind", "hash"], name="ledger_address_once"),
        )
        indexes = (
            models.Index(fields=["person", "kind"], name="ledger_address_person"),
            models.Index(
                fields=["given"], condition=Q(given__isnull=False), name="ledger_address_given"
            ),
        )


class Preference(models.Model):
    """What a person asked for beside "never"; topics stand between bars."""

    person = models.OneToOneField(
        Person, on_delete=models.PROTECT, primary_key=True, related_name="+"
    )
    snoozed_until = models.DateTimeField(null=True)
    muted_topics = models.TextField(db_default="")
    at_most_every_seconds = models.PositiveBigIntegerField(null=True)


class Exclusion(models.Model):
    """Why the business does not write to a person, until when (never mind: None)."""

    person = _person()
    kind = _word()
    at = models.DateTimeField()
    until = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["person", "kind"], name="ledger_exclusion_once"),
        )


class Consent(models.Model):
    """One statement of will, in its exact words; never removed.

    One that a file makes no more was misread: its channel is none (``-`` and its number).
    """

    person = _person()
    channel = _word()
    granted = models.BooleanField()
    at = models.DateTimeField()
    source = models.TextField()
    wording = models.TextField(db_default="")

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["person", "channel", "granted", "at"], name="ledger_consent_once"
            ),
        )


class PendingConsent(models.Model):
    """A yes that waits for its confirmation; it permits nothing, so it stands apart."""

    person = _person()
    channel = _word()
    at = models.DateTimeField()
    source = models.TextField()
    wording = models.TextField(db_default="")

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["person", "channel", "at"], name="ledger_pending_once"),
        )


class Suppression(models.Model):
    """Somebody, or an address, never to be contacted again: where, what for and why.

    ``channel`` and ``purpose`` are ``*`` where it holds for every one. It keeps a keyed
    hash of the address, not the address, and outlives the person's erasure. It binds
    everyone with that address, on channels that write to such addresses, and ``person``
    with any later one. A bounce names no ``person``: it says nothing of another address.
    One that was lifted has the channel ``-``, which is none.
    """

    channel = _word()
    purpose = _word(db_default="*")
    address_hash = _word(64, db_default="")
    person = models.ForeignKey(
        Person, null=True, on_delete=models.SET_NULL, db_index=False, related_name="+"
    )
    reason = models.TextField()
    at = models.DateTimeField()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["person", "channel", "purpose", "reason", "address_hash"],
                name="ledger_suppression_once",
            ),
            models.UniqueConstraint(
                fields=["address_hash", "channel", "purpose", "reason"],
                condition=Q(person=None),
                name="ledger_suppression_address_once",
            ),
        )
        indexes = (
            models.Index(
                fields=["address_hash", "channel"],
                condition=~Q(address_hash=""),
                name="ledger_suppression_address",
            ),
        )


class Journey(models.Model):
    """A journey across its versions. ``opened_at`` is when the first of them started."""

    name = _word(200, primary_key=True)
    state = _word(choices=JourneyState.choices)
    changed_at = models.DateTimeField()
    opened_at = models.DateTimeField()

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(state__in=JourneyState.values), name="ledger_journey_state"
            ),
        )


class JourneyVersion(models.Model):
    """A journey as it was started. ``text`` is its file, read again when it is needed."""

    name = _word(200)
    version = models.PositiveIntegerField()
    text = models.TextField()
    holdout_share = models.FloatField()
    salt = models.TextField()
    started_at = models.DateTimeField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["name", "version"], name="ledger_version_once"),
        )


class Assignment(models.Model):
    """The arm a person was drawn into, once for all rotations and versions."""

    person = _person()
    journey = _word(200)
    arm = _word()
    assigned_at = models.DateTimeField()
    version = models.PositiveIntegerField()
    covariates = models.JSONField(default=dict)  # the profile's columns as they entered

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["person", "journey"], name="ledger_assignment_once"),
            models.CheckConstraint(
                condition=Q(arm__in=[arm.value for arm in Arm]), name="ledger_assignment_arm"
            ),
        )


class Lane(models.Model):
    """A fixed part of all people; who holds its row is alone in deciding about them."""

    id = models.PositiveSmallIntegerField(primary_key=True)


class Enrolment(models.Model):
    """Person × journey × rotation; open until ``ended_at`` and ``ended_reason`` are set."""

    person = _person()
    journey = _word(200)
    version = models.PositiveIntegerField()
    rotation = models.PositiveIntegerField()
    arm = _word()
    entered_at = models.DateTimeField()
    last_order_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    ended_reason = _word(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["person", "journey", "rotation"], name="ledger_enrolment_once"
            ),
            models.CheckConstraint(
                condition=Q(arm__in=[arm.value for arm in Arm]), name="ledger_enrolment_arm"
            ),
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True, ended_reason__isnull=True)
                | Q(ended_at__isnull=False, ended_reason__isnull=False),
                name="ledger_enrolment_end_has_reason",
            ),
        )


class Place(models.Model):
    """Where an open enrolment stands, and when to look at it next; gone when it ends.

    It stands apart because it changes at every look, while the wide row and its indexes
    never do. ``lane`` follows from the person. ``wakes_on`` names events, between bars.
    """

    enrolment = models.OneToOneField(
        Enrolment,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        primary_key=True,
        related_name="place",
    )
    lane = models.PositiveSmallIntegerField()
    position = models.PositiveSmallIntegerField()
    ready_at = models.DateTimeField()
    due_at = models.DateTimeField()
    wakes_on = models.TextField(db_default="")

    class Meta:
        indexes = (models.Index(fields=["lane", "due_at", "enrolment"], name="ledger_place_due"),)


def _enrolment(related_name: str, **options: Any) -> models.ForeignKey[Any, Any]:
    """Refer to an enrolment without a constraint in the database.

    These rows are written a million at a time, with ids read in the same transaction,
    and enrolments are never removed: a check of each row would only cost.
    """
    return models.ForeignKey(
        Enrolment,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        related_name=related_name,
        **options,
    )


class Decision(models.Model):
    """The gate's answer about one step of one enrolment; for held-out people a ghost."""

    enrolment = _enrolment("decisions")
    step = _word(80)
    at = models.DateTimeField()
    answer = _word()
    reason = _word(null=True)
    until = models.DateTimeField(null=True)
    is_ghost = models.BooleanField()
    detail = models.TextField(db_default="")

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(answer__in=[answer.value for answer in Answer]),
                name="ledger_decision_answer",
            ),
        )


class Touch(models.Model):
    """A step that is to reach, reached or (a ghost) would have reached a person.

    It is the outbox as well: what is to leave, what left, and what became of it. An
    enrolment is one person, journey and rotation, so the constraint below means that no
    step reaches anyone twice in a rotation, whatever version it came from. ``person`` is
    repeated here because caps ask by person.

    ``key`` is what it goes by outside, where that no longer follows from the rest because
    its person turned out to be another. ``at`` is when it was decided; ``reason`` says why it
    was cancelled; ``expires_at`` is when it is too late to be worth sending. ``attempts``
    counts the times a provider was asked, and ``outlet`` is by which way the last time.
    ``known_until`` is set where it may have left and is sent again as long as that outlet
    recognises it by its key. Its cost is reserved in ``budgets`` (names, each
    between bars) of ``budget_month``.
    """

    enrolment = _enrolment("touches", db_index=False)
    person = _person(db_constraint=False)
    version = models.PositiveIntegerField()
    step = _word(80)
    channel = _word()
    template = models.TextField(db_default="")
    variant = models.TextField(db_default="")
    at = models.DateTimeField()
    state = _word(9, choices=MessageState.choices)
    reason = _word(null=True)
    is_marketing = models.BooleanField()
    not_before = models.DateTimeField()
    expires_at = models.DateTimeField()
    lease_until = models.DateTimeField(null=True)
    leased_by = models.TextField(db_default="")
    attempts = models.PositiveSmallIntegerField(db_default=0)
    last_error = models.TextField(db_default="")
    provider_id = models.TextField(db_default="")
    accepted_at = models.DateTimeField(null=True)
    cost_micros = models.BigIntegerField(db_default=0)
    budgets = models.TextField(db_default="")
    budget_month = _word(7, db_default="")
    key = _word(64, db_default="")
    outlet = models.TextField(db_default="")
    known_until = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["enrolment", "step"], name="ledger_touch_once"),
            models.CheckConstraint(
                condition=Q(state__in=MessageState.values), name="ledger_touch_state"
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["leased", "sending"]) | Q(lease_until__isnull=False),
                name="ledger_touch_lease",
            ),
        )
        indexes = (
            models.Index(fields=["person", "at"], name="ledger_touch_person"),
            models.Index(
                fields=["not_before", "id"],
                condition=Q(state="queued"),
                name="ledger_touch_queued",
            ),
            models.Index(
                fields=["known_until"],
                condition=Q(known_until__isnull=False),
                name="ledger_touch_known",
            ),
            models.Index(
                fields=["lease_until"],
                condition=Q(state__in=["leased", "sending"]),
                name="ledger_touch_leased",
            ),
            models.Index(
                fields=["at"],
                condition=Q(state__in=["failed", "unknown"]),
                name="ledger_touch_stuck",
            ),
            models.Index(
                fields=["accepted_at"],
                condition=Q(accepted_at__isnull=False),
                name="ledger_touch_accepted",
            ),
        )


class Task(models.Model):
    """What somebody at the business did about a touch that is theirs to do.

    A task that nobody has taken yet has no row. ``outcome`` is None until it is done; one
    that is to be tried again has ``again_at``.
    """

    touch = models.BigIntegerField(unique=True)
    person = _person()
    taken_by = models.TextField(db_default="")
    taken_at = models.DateTimeField(null=True)
    again_at = models.DateTimeField(null=True)
    outcome = _word(null=True)
    note = models.TextField(db_default="")
    done_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(outcome__isnull=True, done_at__isnull=True)
                | Q(outcome__isnull=False, done_at__isnull=False),
                name="ledger_task_done_has_outcome",
            ),
        )
        indexes = (models.Index(fields=["person"], name="ledger_task_person"),)


class Stay(models.Model):
    """Somebody's time on a list that another system keeps, since the touch that put them there.

    That they are to be taken off is *requested* (``requested_at``, for ``reason``), *taken* by
    whoever keeps the list, which calls it ``request``, and *effective*; each has its own time.
    ``told_at`` is since when they may be on it, ``added_at`` since when that was taken. The gate
    last let them stay at ``judged_at``. ``member`` is what they are known by there, and is
    forgotten once they are off. Whoever tells the other system holds the row by
    ``lease_until``. One with no ``destination`` is of a message that can be called back until it
    leaves at ``until``: ``member`` is its provider's name of it.
    """

    touch = models.BigIntegerField(unique=True)
    person = _person()
    channel = _word()
    outlet = models.TextField()
    destination = models.TextField()
    member = models.TextField()
    at = models.DateTimeField()
    until = models.DateTimeField()
    judged_at = models.DateTimeField(null=True)
    told_at = models.DateTimeField(null=True)
    added_at = models.DateTimeField(null=True)
    requested_at = models.DateTimeField(null=True)
    reason = models.TextField(db_default="")
    taken_at = models.DateTimeField(null=True)
    request = models.TextField(db_default="")
    effective_at = models.DateTimeField(null=True)
    not_before = models.DateTimeField()
    lease_until = models.DateTimeField(null=True)
    attempts = models.PositiveIntegerField(db_default=0)
    last_error = models.TextField(db_default="")

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(requested_at__isnull=False)
                | Q(taken_at__isnull=True, effective_at__isnull=True),
                name="ledger_stay_ends_on_request",
            ),
        )
        indexes = (
            models.Index(fields=["person"], name="ledger_stay_person"),
            models.Index(
                fields=["outlet", "destination", "member"],
                condition=Q(effective_at__isnull=True),
                name="ledger_stay_member",
            ),
            models.Index(
                fields=["until"], condition=Q(requested_at__isnull=True), name="ledger_stay_live"
            ),
            models.Index(
                fields=["requested_at"],
                condition=Q(requested_at__isnull=False, effective_at__isnull=True),
                name="ledger_stay_leaving",
            ),
        )


class Kept(models.Model):
    """A message that was accepted and waits until its person asks for it; gone when it is over.

    ``parts`` are what it says, as it was written, as JSON. It may be shown until ``until``.
    """

    touch = models.BigIntegerField(unique=True)
    person = _person()
    parts = models.TextField()
    until = models.DateTimeField()

    class Meta:
        indexes = (
            # What somebody is to see now, the newest of it first.
            models.Index(fields=["person", "touch"], name="ledger_kept_person"),
            models.Index(fields=["until"], name="ledger_kept_until"),
        )


class Delivery(models.Model):
    """What a provider said later of a message; ``key`` arrives once, never changed.

    ``touch`` is the number of the message, where it was found. ``reason`` is the provider's
    word, without the address.
    """

    key = models.TextField(unique=True)
    channel = _word()
    outlet = models.TextField()
    kind = _word(choices=[(kind.value, kind.value) for kind in DeliveryKind])
    at = models.DateTimeField()
    touch = models.BigIntegerField(null=True)
    is_machine = models.BooleanField()
    is_permanent = models.BooleanField()
    reason = models.TextField(db_default="")
    recorded_at = models.DateTimeField()

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(kind__in=[kind.value for kind in DeliveryKind]),
                name="ledger_delivery_kind",
            ),
        )
        indexes = (
            models.Index(
                fields=["touch"], condition=Q(touch__isnull=False), name="ledger_delivery_touch"
            ),
        )


class Budget(models.Model):
    """What is spent or spoken for of a budget in one local month (``2026-03``)."""

    name = _word(300)
    month = _word(7)
    reserved_micros = models.BigIntegerField(db_default=0)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["name", "month"], name="ledger_budget_once"),
        )


class Meter(models.Model):
    """What a throttle or a warm-up has to remember across restarts."""

    name = _word(300, primary_key=True)
    tokens = models.FloatField(db_default=0)
    at = models.DateTimeField()
    window = models.TextField(db_default="")
    used = models.BigIntegerField(db_default=0)


class StoppedOutlet(models.Model):
    """An outlet that sends nothing because of something we have to mend; gone when it sends.

    ``at`` and ``reason`` say since when and what the provider said. Once it was resumed
    (``resumed_at``) one message tries it out: the worker ``probed_by`` may, until
    ``probed_until``.
    """

    outlet = _word(200)
    at = models.DateTimeField()
    reason = models.TextField()
    resumed_at = models.DateTimeField(null=True)
    probed_by = models.TextField(db_default="")
    probed_until = models.DateTimeField(null=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["outlet"], name="ledger_outlet_once"),)


class AuditEntry(models.Model):
    """Who did what to which subject, and when; never changed or removed."""

    at = models.DateTimeField()
    who = models.TextField()
    action = _word(64)
    subject = models.TextField()
    detail = models.JSONField(default=dict)

    class Meta:
        indexes = (models.Index(fields=["subject", "at"], name="ledger_audit_subject"),)


class Signal(models.Model):
    """Something a person did or that happened to them; ``key`` arrives once.

    ``name`` says which event one of kind ``event`` is. A purchase is the order ``subject``
    of ``source`` and follows it: redated with it, ``is_void`` while it is none. Since
    ``arrived_at`` it is known to be one, where its date does not show that it is news.
    """

    person = _person()
    kind = _word()
    at = models.DateTimeField()
    key = models.TextField()
    recorded_at = models.DateTimeField()
    name = models.TextField(db_default="")
    source = models.TextField(db_default="")
    subject = models.TextField(db_default="")
    arrived_at = models.DateTimeField(null=True)
    is_void = models.BooleanField(db_default=False)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["key"], name="ledger_signal_once"),
            models.CheckConstraint(
                condition=Q(kind__in=[kind.value for kind in SignalKind]),
                name="ledger_signal_kind",
            ),
        )
        indexes = (
            models.Index(fields=["person", "kind", "at"], name="ledger_signal_person"),
            models.Index(fields=["kind", "name", "at"], name="ledger_signal_event"),
            models.Index(
                fields=["source", "subject"],
                condition=~Q(subject=""),
                name="ledger_signal_subject",
            ),
        )


from rekindle.ledger import intake_models  # noqa: E402, F401 - Django finds models here
from rekindle.ledger.guards import models as guard_models  # noqa: E402, F401 - and these
from rekindle.ledger.offers import models as offer_models  # noqa: E402, F401 - and these
