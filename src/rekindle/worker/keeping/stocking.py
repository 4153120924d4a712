"""Keeps codes of offers ready that a shop makes, and has the shop end those that are over.

The shop is asked here alone, never while a message is decided: where it is away the pool
runs dry, and messages wait or go without an offer as their journey says.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from rekindle.channels import build_asker
from rekindle.config import load_secret
from rekindle.errors import (
    CodeTakenError,
    ConfigError,
    DeliveryError,
    RefusedContentError,
    RekindleError,
)
from rekindle.ledger import (
    ShopCode,
    claim_asked,
    claim_ending,
    draw_shop_codes,
    drop_asked,
    has_shop_codes,
    let_codes_go,
    note_ended,
    note_made,
    note_trouble,
    set_unwanted_aside,
)
from rekindle.offers import Shop, find_shops, terms_of
from rekindle.runtime import Workspace
from rekindle.wording import counted

A_PASS = 50
"""How many codes a shop is asked for in one pass, and to end; a pass is soon followed by more."""

SECONDS = 15.0

logger = logging.getLogger(__name__)


@dataclass
class Stocked:
    """What was done at shops: codes made and ended, and what stood in the way, by shop."""

    made: Counter[str] = field(default_factory=Counter)
    ended: Counter[str] = field(default_factory=Counter)
    troubles: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        parts = [
            f"{counted(count, 'code')} {what} at {shop}"
            for what, counts in (("made", self.made), ("ended", self.ended))
            for shop, count in sorted(counts.items())
        ]
        return "; ".join([*parts, *(f"{one}: {why}" for one, why in self.troubles.items())])


def keep_stock(
    workspace: Workspace,
    *,
    most: int = A_PASS,
    is_stopping: Callable[[], bool] = lambda: False,
) -> Stocked:
    """Ask the shops for what lacks, and to end what is over; what fails is tried again later."""
    offers, done = workspace.offers, Stocked()
    if offers.fault:
        return done
    wanted = {name: one.made_for for name, one in offers.terms.items() if one.made_at is not None}
    alias = workspace.ledger
    if not wanted and not has_shop_codes(alias):
        return done
    set_unwanted_aside(alias, wanted)
    for offer, made_for in wanted.items():
        ahead = workspace.config.offers.ahead
        draw_shop_codes(alias, offer, made_for, workspace.clock.now(), ahead=ahead, most=most)
    for word in find_shops():
        _Errand(workspace, word, done, is_stopping).run(most)
    return done


def stock_codes(workspace: Workspace) -> Stocked:
    """Keep asking until nothing lacks, or something stands in the way."""
    done = Stocked()
    while True:
        one = keep_stock(workspace)
        done.made += one.made
        done.ended += one.ended
        done.troubles |= one.troubles
        if one.troubles or not one.made + one.ended:
            return done


@contextmanager
def open_shop(workspace: Workspace, word: str) -> Iterator[Shop]:
    """Open a shop as the settings and the environment say.

    Raises:
        ConfigError: they do not say where it is, or its key.
    """
    kind = find_shops()[word]
    url = workspace.config.offers.made_at.get(word, kind.url)
    if not url:
        raise ConfigError(f"[offers.made_at] {word} is empty; say where the shop is")
    key = load_secret(kind.secret)
    if not key:
        raise ConfigError(f"{kind.secret} is empty; set it, or {kind.secret}_FILE")
    asker = build_asker(SECONDS, secrets=(key,))
    try:
        yield kind.open(asker, url, key)
    finally:
        asker.close()


class _Errand:
    """One visit to a shop. It ends where the shop is away, busy, or takes nothing from us."""

    def __init__(
        self, workspace: Workspace, word: str, done: Stocked, is_stopping: Callable[[], bool]
    ) -> None:
        self._space, self._word, self._done = workspace, word, done
        self._is_stopping = is_stopping

    def run(self, most: int) -> None:
        alias, at = self._space.ledger, self._space.clock.now()
        ending = claim_ending(alias, self._word, at, limit=most)
        asked = claim_asked(alias, self._word, at, limit=most)
        if not ending and not asked:
            return
        first = (*asked[:1], *ending[:1])
        try:
            with open_shop(self._space, self._word) as shop:
                _ = self._each(asked, shop, self._make) and self._each(ending, shop, self._end)
        except ConfigError as error:
            for one in first:
                self._note(one, error)
        finally:
            let_codes_go(alias, [*asked, *ending])

    def _each(
        self, codes: list[ShopCode], shop: Shop, do: Callable[[Shop, ShopCode], None]
    ) -> bool:
        """Do it for each code, taking it off; return whether the shop can be asked for more."""
        while codes:
            if self._is_stopping():
                return False
            one = codes.pop(0)
            try:
                do(shop, one)
            except RefusedContentError as error:  # of this code; others may be taken
                self._note(one, error)
            except DeliveryError as error:
                self._note(one, error)
                return False
            except Exception as error:
                # A defect of who speaks to the shop must not keep messages without offers back.
                logger.exception("asking %s failed", self._word)
                self._note(one, RekindleError(f"{type(error).__name__}; see the log"))
                return False
        return True

    def _make(self, shop: Shop, one: ShopCode) -> None:
        terms = terms_of(self._space.offers, one.offer, self._space.config.workspace.currency)
        if terms is None or terms.key != one.made_for:
            return  # the file has changed since this pass began; the next one ends the code
        try:
            name = shop.make(one.code, terms)
        except CodeTakenError as error:
            logger.warning("%s: %s", self._word, error)
            drop_asked(self._space.ledger, one)
            return
        if note_made(self._space.ledger, one, name):
            self._done.made[self._word] += 1

    def _end(self, shop: Shop, one: ShopCode) -> None:
        shop.end(one.code, one.name)
        note_ended(self._space.ledger, one)
        self._done.ended[self._word] += 1

    def _note(self, one: ShopCode, error: RekindleError) -> None:
        note_trouble(self._space.ledger, one, str(error))
        self._done.troubles.setdefault(self._word, str(error))
