"""Gives offers with touches and takes them back, in the transaction of the touch itself.

Whoever gives holds the stock of the offers (``hold_stock``) from before the choice until
the commit, in the order of their names and after the budgets. What is taken back is added to
the stock last of all, as budgets are.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet

from rekindle.errors import LedgerError
from rekindle.ledger.bulk import CHUNK
from rekindle.ledger.offers.models import (
    GHOST,
    LOADED,
    MADE,
    OPEN,
    RELEASED,
    GivenOffer,
    OfferCode,
    OfferStock,
)
from rekindle.ledger.queries import (
    Row,
    barred,
    execute,
    fetch,
    ledger_transaction,
    rows_of,
    text_of,
)
from rekindle.offers import Codes, Offers, OfferTerms, Stock, ToGive, key_of
from rekindle.vocabulary import Reason


@dataclass(frozen=True, slots=True)
class Giving:
    """An offer that goes with the touch of a step, which is written already."""

    enrolment: int
    step: str
    person: str
    course: tuple[str, int]
    at: datetime
    offer: ToGive
    is_ghost: bool


def hold_stock(alias: str, offers: Offers, *, most: int) -> dict[str, Stock]:
    """Return what is left of every offer, held until the commit; codes counted to ``most``."""
    names = rows_of((name,) for name in sorted(offers.terms))
    execute(alias, "open_stock", names)
    reserved: dict[str, int] = dict(fetch(alias, "hold_stock", names))
    own = set(offers.with_own_codes)
    return {
        name: Stock(_count_free(alias, name, offers, most) if name in own else 0, int(micros))
        for name, micros in reserved.items()
    }


def give_offers(alias: str, givings: Sequence[Giving]) -> None:
    """Write down what goes with touches, and take the codes for it.

    Raises:
        LedgerError: a code is missing that was there when it was chosen; nothing is written.
    """
    if not givings:
        return
    places = rows_of((n, one.enrolment, one.step) for n, one in enumerate(givings))
    touches: dict[int, int] = dict(fetch(alias, "touches_at", places))
    codes = _take_codes(alias, [(touches[n], one) for n, one in enumerate(givings)])
    rows = (_row(touches[n], one, codes) for n, one in enumerate(givings))
    execute(alias, "give_offers", rows_of(rows))
    book_stock(
        alias, ((one.offer.offer, one.offer.most_micros) for one in givings if not one.is_ghost)
    )


def take_offers_back(alias: str, touches: Collection[int]) -> None:
    """Let what goes with touches that did not leave be given to others."""
    columns = ("touch", "offer", "most_micros", "is_settled", "is_doubtful")
    found = list(_held(alias, touches, OPEN).order_by("touch").values_list(*columns))
    if not found:
        return
    _of(alias).filter(touch__in=[touch for touch, *_ in found]).update(state=RELEASED)
    certain = [(touch,) for touch, *_, is_doubtful in found if not is_doubtful]
    if certain:
        execute(alias, "return_codes", rows_of(certain))
    book_stock(alias, ((offer, -most) for _, offer, most, is_settled, _ in found if not is_settled))


def doubt_offers(alias: str, touches: Collection[int]) -> None:
    """Note of messages that are tried again that they may have left already."""
    if touches:
        _of(alias).filter(touch__in=touches).update(is_doubtful=True)


def give_again(alias: str, touch: int, offers: Offers) -> Reason | None:
    """Give what goes with a touch anew, which was taken back; return what is missing for it.

    Its message says what it said the first time, so a code has to be worth that: it is the one
    it had, or another that was made for the same.

    Raises:
        OfferError: the file that declares the offers cannot be used.
    """
    row = _held(alias, [touch], RELEASED).first()
    if row is None:
        return None
    execute(alias, "open_stock", rows_of([(row.offer,)]))
    ((_, reserved),) = fetch(alias, "hold_stock", rows_of([(row.offer,)]))
    terms = offers.require_sound().terms.get(row.offer)
    limit = None if terms is None else terms.budget_micros
    if limit is not None and reserved + row.most_micros > limit:
        return Reason.OFFER_SPENT
    code = _take_code_again(alias, row, terms)
    if code is None:
        return Reason.NO_CODE
    _of(alias).filter(pk=row.pk).update(state=OPEN, is_settled=False, code=code)
    book_stock(alias, [(row.offer, row.most_micros)])
    return None


def _take_code_again(alias: str, row: GivenOffer, terms: OfferTerms | None) -> str | None:
    """Return the code that goes with a touch once more; None if it had one and none is free."""
    codes = OfferCode.objects.using(alias)
    was = codes.filter(offer=row.offer, key=key_of(row.code)).first() if row.code else None
    if was is None:
        return None if terms is not None and terms.codes is Codes.OWN else row.code
    if was.touch == row.touch:
        return row.code
    is_sound = was.standing in (LOADED, MADE)
    if is_sound and codes.filter(pk=was.pk, touch=None).update(touch=row.touch):
        return was.code
    free = fetch(alias, "free_codes", row.offer, was.made_for, 1)
    if not free:
        return None
    ((number, code),) = free
    execute(alias, "take_codes", rows_of([(number, row.touch)]))
    return str(code)


def keep_after_all(alias: str, touch: int) -> None:
    """Let what goes with a message that did leave be given after all, as it was shown."""
    row = _held(alias, [touch], RELEASED).first()
    if row is None:
        return
    own = OfferCode.objects.using(alias)
    if row.code and not own.filter(touch=touch).exists():
        own.filter(offer=row.offer, code=row.code, touch=None).update(touch=touch)
    _of(alias).filter(pk=row.pk).update(state=OPEN, is_settled=False)
    book_stock(alias, [(row.offer, row.most_micros)])


def settle_ended(alias: str, at: datetime) -> int:
    """Give back to the budgets what was set aside for offers that ran out; count them."""
    ended = _of(alias).filter(state=OPEN, is_settled=False, ends_at__lte=at)
    with ledger_transaction(alias):
        hold_every_stock(alias)
        rows = ended.select_for_update(skip_locked=True).order_by("pk")[:CHUNK]
        found = list(rows.values_list("pk", "offer", "most_micros"))
        if found:
            _of(alias).filter(pk__in=[number for number, *_ in found]).update(is_settled=True)
            book_stock(alias, ((offer, -most) for _, offer, most in found))
    return len(found) + (settle_ended(alias, at) if len(found) == CHUNK else 0)


def hold_every_stock(alias: str) -> None:
    """Hold what all budgets have set aside, for whoever changes offers of anybody.

    Whoever decides holds it before they touch an offer given earlier, and whoever cancels
    holds that offer first; so with the stock held, rows that others hold are left to them.
    """
    rows = OfferStock.objects.using(alias).select_for_update().order_by("offer")
    list(rows.values_list("offer"))


def book_stock(alias: str, amounts: Iterable[tuple[str, int]]) -> None:
    """Add (offer, micros) to what is set aside, in the caller's transaction."""
    totals: Counter[str] = Counter()
    for offer, micros in amounts:
        totals[offer] += micros
    if changed := sorted((offer, micros) for offer, micros in totals.items() if micros):
        names = rows_of((offer,) for offer, _ in changed)
        execute(alias, "open_stock", names)
        # Held first, in one order: an update alone takes rows as the plan meets them.
        fetch(alias, "hold_stock", names)
        execute(alias, "book_stock", rows_of(changed))


def _take_codes(alias: str, givings: Sequence[tuple[int, Giving]]) -> dict[int, str]:
    """Take a code for each touch whose offer has its own; return them by touch."""
    wanting: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
    for touch, one in givings:
        if one.offer.takes_code and not one.is_ghost:
            wanting[one.offer.offer, one.offer.made_for].append(touch)
    taken: dict[int, str] = {}
    for (offer, made_for), touches in sorted(wanting.items()):
        free = fetch(alias, "free_codes", offer, made_for, len(touches))
        pairs = [(number, touch) for (number, _), touch in zip(free, touches, strict=False)]
        if len(pairs) < len(touches) or execute(alias, "take_codes", rows_of(pairs)) < len(touches):
            raise LedgerError(f"codes of {offer} were taken by somebody else; it is tried again")
        taken |= {touch: code for (_, code), touch in zip(free, touches, strict=True)}
    return taken


def _row(touch: int, one: Giving, codes: dict[int, str]) -> Row:
    given = one.offer
    return (
        touch,
        one.person,
        *one.course,
        given.offer,
        given.kind,
        given.ladder,
        given.rung,
        given.text,
        given.tied_to,
        "" if one.is_ghost else codes.get(touch, given.code),
        text_of(one.at),
        given.ends_on.isoformat(),
        text_of(given.ends_at),
        given.cost_micros,
        given.most_micros,
        given.expected_micros,
        given.minimum_micros,
        GHOST if one.is_ghost else OPEN,
        barred(given.options),
        given.propensity,
    )


def _count_free(alias: str, offer: str, offers: Offers, most: int) -> int:
    made_for = offers.terms[offer].made_for
    ((count,),) = fetch(alias, "count_free_codes", offer, made_for, most)
    return int(count)


def _of(alias: str) -> QuerySet[GivenOffer]:
    return GivenOffer.objects.using(alias)


def _held(alias: str, touches: Collection[int], state: str) -> QuerySet[GivenOffer]:
    return _of(alias).select_for_update().filter(touch__in=touches, state=state)
