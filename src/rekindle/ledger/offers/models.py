"""The tables of offers: the codes there are, what was given to whom, what is set aside.

A code is a row that names at most one touch, and a touch is named by at most one code: so
no code path can give one to two people, or two to one message.
"""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Q

from rekindle.ledger.models import Person

STANDINGS = LOADED, ASKED, MADE, ENDING, ENDED = "", "asked", "made", "ending", "ended"
STATES = OPEN, RELEASED, REDEEMED, GHOST = "open", "released", "redeemed", "ghost"


def _word(length: int = 64, **options: Any) -> models.CharField[Any, Any]:
    return models.CharField(max_length=length, **options)


class OfferCode(models.Model):
    """A code of an offer. ``key`` is it as shops compare it; ``touch`` the message it is in.

    It stays with a message that may have left, also one that was cancelled on paper. A
    negative number is no message's: that code was set aside, for nobody can say who has it.

    A code that a shop makes is written down before the shop is asked for it (``asked``), with
    such a number, and is free once the shop is known to have it (``made``). It is ``ending``
    from before the shop is told that it holds no more, and then nobody's for good. ``made_for``
    names what it is worth there, ``shop_name`` what the shop calls it; ``tried_at`` is when the
    shop was asked last, and ``trouble`` what came of that where it was no use.
    """

    offer = _word()
    code = models.TextField()
    key = models.TextField()
    touch = models.BigIntegerField(null=True)
    loaded_at = models.DateTimeField()
    made_for = _word(db_default="")
    standing = _word(8, db_default=LOADED)
    shop_name = models.TextField(db_default="")
    tried_at = models.DateTimeField(null=True)
    trouble = models.TextField(db_default="")

    class Meta:
        db_table = "ledger_offer_code"
        constraints = (
            models.UniqueConstraint(fields=["key"], name="ledger_offer_code_once"),
            models.UniqueConstraint(
                fields=["touch"], condition=Q(touch__isnull=False), name="ledger_offer_code_touch"
            ),
            models.CheckConstraint(
                condition=Q(standing__in=STANDINGS), name="ledger_offer_code_standing"
            ),
        )
        indexes = (
            models.Index(
                fields=["offer", "id"],
                condition=Q(touch__isnull=True),
                name="ledger_offer_code_free",
            ),
            models.Index(
                fields=["standing", "id"],
                condition=Q(standing__in=(ASKED, MADE, ENDING)),
                name="ledger_offer_code_shop",
            ),
        )


class GivenOffer(models.Model):
    """An offer given with a touch, on the terms it had then; of a held-out person a ghost.

    It is ``open`` until it is redeemed, or released because its message did not leave; that it
    ran out follows from ``ends_at``. ``is_settled`` says that what its budget had set aside
    for it was given back after that. ``is_doubtful`` says that its message may have left though
    it is not known to have: then its code is nobody else's any more. ``is_by_other`` says that
    somebody else's order redeemed it. ``options`` are what its ladder could have given (names,
    each between bars, what costs least first), ``propensity`` the chance that this one had.
    """

    touch = models.BigIntegerField(unique=True)
    person = models.ForeignKey(
        Person, on_delete=models.PROTECT, db_index=False, db_constraint=False, related_name="+"
    )
    journey = _word(200)
    rotation = models.PositiveIntegerField()
    offer = _word()
    kind = _word()
    ladder = _word(db_default="")
    rung = models.PositiveSmallIntegerField(db_default=0)
    text = models.TextField()
    tied_to = _word(db_default="")
    code = models.TextField(db_default="")
    at = models.DateTimeField()
    ends_on = models.DateField()
    ends_at = models.DateTimeField()
    cost_micros = models.BigIntegerField()
    most_micros = models.BigIntegerField()
    expected_micros = models.BigIntegerField()
    minimum_micros = models.BigIntegerField(db_default=0)
    state = _word(10)
    is_settled = models.BooleanField(db_default=False)
    is_doubtful = models.BooleanField(db_default=False)
    redeemed_at = models.DateTimeField(null=True)
    is_by_other = models.BooleanField(db_default=False)
    source = models.TextField(db_default="")
    order = models.TextField(db_default="")
    discount_micros = models.BigIntegerField(null=True)
    options = models.TextField(db_default="")
    propensity = models.FloatField(db_default=1.0)

    class Meta:
        db_table = "ledger_given_offer"
        constraints = (
            models.CheckConstraint(condition=Q(state__in=STATES), name="ledger_given_offer_state"),
        )
        indexes = (
            models.Index(fields=["person", "ends_at"], name="ledger_given_offer_person"),
            models.Index(
                fields=["ends_at"],
                condition=Q(state=OPEN, is_settled=False),
                name="ledger_given_offer_ends",
            ),
            models.Index(fields=["offer", "state"], name="ledger_given_offer_offer"),
        )


class OfferStock(models.Model):
    """What the budget of an offer has set aside: for what is open, and what was redeemed.

    Its row is held by whoever gives, so that no two workers give the last code twice.
    """

    offer = _word()
    reserved_micros = models.BigIntegerField(db_default=0)

    class Meta:
        db_table = "ledger_offer_stock"
        constraints = (models.UniqueConstraint(fields=["offer"], name="ledger_offer_stock_once"),)
