"""The tables by which a ledger recognises the files that belong to it."""

from __future__ import annotations

from typing import Any

from django.db import models


def _word(length: int, **options: Any) -> models.CharField[Any, Any]:
    return models.CharField(max_length=length, **options)


class Seal(models.Model):
    """With which secret the hashes of this ledger were made; one row.

    ``fingerprint`` is a keyed hash of a constant, so it tells secrets apart and gives none
    away.
    """

    id = models.PositiveSmallIntegerField(primary_key=True)
    fingerprint = _word(64)
    at = models.DateTimeField()

    class Meta:
        db_table = "ledger_seal"


class Mark(models.Model):
    """How far one file of a mark has come, which lies outside the ledger and says the same.

    ``number`` counts how often it was set and ``token`` is drawn anew each time: a copy of
    the ledger is behind its file, and one that went on by itself has another token.
    """

    id = models.UUIDField(primary_key=True)
    number = models.PositiveBigIntegerField()
    token = _word(32)
    at = models.DateTimeField()

    class Meta:
        db_table = "ledger_mark"


class Move(models.Model):
    """That this ledger was moved to another database, or came from one; one row at most.

    ``place`` is the other database. Neither end may be used while ``done_at`` is not set;
    the one that was left (``is_out``) never again.
    """

    id = models.PositiveSmallIntegerField(primary_key=True)
    is_out = models.BooleanField()
    place = models.TextField()
    token = _word(32)
    at = models.DateTimeField()
    done_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "ledger_move"


class Alert(models.Model):
    """What the team is told of once: that it began, and that it is over.

    Told when ``told_at`` is set, over since ``over_at``; a worker tells it until
    ``claimed_until``. What happened once (``is_event``) is gone when it was told.
    """

    cause = _word(300)
    words = models.TextField()
    at = models.DateTimeField()
    is_event = models.BooleanField()
    told_at = models.DateTimeField(null=True)
    over_at = models.DateTimeField(null=True)
    claimed_until = models.DateTimeField(null=True)

    class Meta:
        db_table = "ledger_alert"
        constraints = (models.UniqueConstraint(fields=["cause"], name="ledger_alert_once"),)
