"""The ledger's tables: who, with whose leave, what was decided and what was done.

Decisions, touches, consents and signals are only ever added. What must never happen
twice is a unique constraint here, so no code path can get around it.
"""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Q

from rekindle.vocabulary import Answer, Arm, SignalKind


class MessageState(models.TextChoices):
    """Where a message stands between the decision and the provider's word."""

    QUEUED = "queued"
    LEASED = "leased"
    SENDING = "sending"
    ACCEPTED = "accepted"
    FAILED = "failed"
    UNKNOWN = "unknown"
    CANCELLED = "cancelled"


STUCK = (MessageState.UNKNOWN, MessageState.FAILED)


def _word(length: int = 24, **options: Any) -> models.CharField[Any, Any]:
    return models.CharField(max_length=length, **options)


def _person(**options: Any) -> models.ForeignKey[Any, Any]:
    """Refer to a person; the composite index that begins with it serves look-ups."""
    return models.ForeignKey(
        "Person", on_delete=models.PROTECT, db_index=False, related_name="+", **options
    )


class Person(models.Model):
    """A contact card. ``address_hash`` is the keyed hash a suppression is found by."""

    id = _word(200, primary_key=True)
    address = models.TextField(null=True)
    address_hash = _word(64, db_default="")
    country = _word(2, null=True)
    timezone = _word(64, null=True)
    properties = models.JSONField(default=dict)


class Consent(models.Model):
    """One statement of will, in its exact words; never changed or removed."""

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


class Suppression(models.Model):
    """An address never to be contacted again on a channel.

    It holds a keyed hash, not the address, and outlives the person's erasure. It binds
    everyone with that address, and the person with any later one.
    """

    channel = _word()
    address_hash = _word(64, db_default="")
    person = models.ForeignKey(
        Person, null=True, on_delete=models.SET_NULL, db_index=False, related_name="+"
    )
    reason = models.TextField()
    at = models.DateTimeField()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["person", "channel", "address_hash"], name="ledger_suppression_once"
            ),
        )
        indexes = (
            models.Index(
                fields=["address_hash", "channel"],
                condition=~Q(address_hash=""),
                name="ledger_suppression_address",
            ),
        )


class JourneyVersion(models.Model):
    """A journey as it was started. ``definition`` is the parsed file, ``text`` the file."""

    name = _word(200)
    version = models.PositiveIntegerField()
    text = models.TextField()
    definition = models.JSONField()
    holdout_share = models.FloatField()
    salt = models.TextField()
    started_at = models.DateTimeField()
    is_running = models.BooleanField()

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

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["person", "journey"], name="ledger_assignment_once"),
            models.CheckConstraint(
                condition=Q(arm__in=[arm.value for arm in Arm]), name="ledger_assignment_arm"
            ),
        )


class Enrolment(models.Model):
    """Person × journey × rotation; open until ``ended_at`` and ``ended_reason`` are set."""

    person = _person()
    journey = _word(200)
    version = models.PositiveIntegerField()
    rotation = models.PositiveIntegerField()
    arm = _word()
    entered_at = models.DateTimeField()
    last_order_at = models.DateTimeField(null=True)
    position = models.PositiveSmallIntegerField()
    ready_at = models.DateTimeField()
    due_at = models.DateTimeField()
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
        indexes = (
            models.Index(
                fields=["due_at", "id"],
                condition=Q(ended_at__isnull=True),
                name="ledger_enrolment_due",
            ),
        )


class Decision(models.Model):
    """The gate's answer about one step of one enrolment; for held-out people a ghost."""

    enrolment = models.ForeignKey(Enrolment, on_delete=models.PROTECT, related_name="decisions")
    step = _word()
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
    """A step that reached (or, as a ghost, would have reached) a person.

    An enrolment is one person, journey and rotation, so the constraint below is the
    touch's identity: person, journey, version, step and rotation. ``person`` is
    repeated here because caps ask by person.
    """

    enrolment = models.ForeignKey(
        Enrolment, on_delete=models.PROTECT, db_index=False, related_name="touches"
    )
    person = _person(db_constraint=False)
    version = models.PositiveIntegerField()
    step = _word()
    channel = _word()
    at = models.DateTimeField()
    is_ghost = models.BooleanField()
    is_marketing = models.BooleanField()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["enrolment", "version", "step"], name="ledger_touch_once"
            ),
        )
        indexes = (models.Index(fields=["person", "at"], name="ledger_touch_person"),)


class Message(models.Model):
    """The outbox: what is to leave, what left, and what became of it.

    ``reason`` says why a message was cancelled; ``expires_at`` is when its touch is
    too late to be worth sending. ``attempts`` counts the times a provider was asked.
    """

    touch = models.OneToOneField(
        Touch, on_delete=models.PROTECT, primary_key=True, related_name="message"
    )
    channel = _word()
    template = models.TextField()
    state = _word(9, choices=MessageState.choices)
    reason = _word(null=True)
    not_before = models.DateTimeField()
    expires_at = models.DateTimeField()
    lease_until = models.DateTimeField(null=True)
    leased_by = models.TextField(db_default="")
    attempts = models.PositiveSmallIntegerField(db_default=0)
    last_error = models.TextField(db_default="")
    provider_id = models.TextField(db_default="")
    created_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True)
    cost_micros = models.BigIntegerField()

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(state__in=MessageState.values), name="ledger_message_state"
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["leased", "sending"]) | Q(lease_until__isnull=False),
                name="ledger_message_lease",
            ),
        )
        indexes = (
            models.Index(
                fields=["not_before", "touch"],
                condition=Q(state="queued"),
                name="ledger_message_queued",
            ),
            models.Index(
                fields=["lease_until"],
                condition=Q(state__in=["leased", "sending"]),
                name="ledger_message_leased",
            ),
            models.Index(
                fields=["created_at"],
                condition=Q(state__in=["failed", "unknown"]),
                name="ledger_message_stuck",
            ),
        )


class Signal(models.Model):
    """Something a person did or that happened to them; ``key`` arrives once."""

    person = _person()
    kind = _word()
    at = models.DateTimeField()
    key = models.TextField()
    recorded_at = models.DateTimeField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["key"], name="ledger_signal_once"),
            models.CheckConstraint(
                condition=Q(kind__in=[kind.value for kind in SignalKind]),
                name="ledger_signal_kind",
            ),
        )
        indexes = (models.Index(fields=["person", "kind", "at"], name="ledger_signal_person"),)
