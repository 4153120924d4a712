"""Hands messages to a provider, from several threads, and says what became of each.

It notices when the provider is out of reach: after a few temporary failures in a row the
rest is not tried, so that nobody waits for a timeout a message; nor where it refuses because
of something we have to mend.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import timedelta
from enum import StrEnum
from threading import Lock

from rekindle.errors import (
    AddressGoneError,
    DeliveryError,
    MalformedAddressError,
    OptedOutError,
    OutletFaultError,
    PermanentDeliveryError,
    RefusedContentError,
    UnknownFateError,
)
from rekindle.messages import Message, Outlet, Stay, hide_address
from rekindle.vocabulary import value_by_the_million

# So many temporary failures in a row are the provider's, not one address's.
FAILURES_IN_A_ROW = 5

logger = logging.getLogger(__name__)


class Fate(StrEnum):
    """What became of a message that was handed over."""

    ACCEPTED = "accepted"
    LATER = "retried later"
    BOUNCED = "bounced"
    REFUSED = "refused"
    MALFORMED = "no address"
    GONE = "address gone"
    OPTED_OUT = "opted out"
    UNKNOWN = "unknown"
    FAULT = "ours to mend"
    NOT_TRIED = "not tried"


@value_by_the_million(frozen=True, slots=True)
class Handed:
    """A message's fate and the provider's ``word`` on it: its name for it, or the error.

    ``stay`` is where it puts somebody on a list.
    """

    fate: Fate
    word: str = ""
    retry_after: timedelta | None = None
    stay: Stay | None = None


class HandOver:
    """Hands over through one outlet; may be called from several threads at once."""

    def __init__(self, outlet: Outlet) -> None:
        self._outlet = outlet
        self._lock = Lock()
        self._in_a_row = 0
        self._is_refused = False
        self.trouble = ""

    @property
    def is_out_of_reach(self) -> bool:
        """Return whether the provider failed so often, or refused us, that trying on is no use."""
        return self._is_refused or self._in_a_row >= FAILURES_IN_A_ROW

    def note_trouble(self, word: str) -> None:
        """Keep the first thing that went wrong, for the report."""
        self.trouble = self.trouble or word

    def __call__(self, message: Message) -> Handed:
        """Hand a message over and return what became of it."""
        if self.is_out_of_reach:
            return Handed(Fate.NOT_TRIED)
        handed = self._try(message)
        # A server repeats the address in its reply; kept and logged is what it says besides.
        word = hide_address(handed.word, message.address.value)
        handed = handed if word == handed.word else replace(handed, word=word)
        with self._lock:
            is_trouble = handed.fate in {Fate.LATER, Fate.UNKNOWN}
            self._in_a_row = self._in_a_row + 1 if is_trouble else 0
            if handed.fate is Fate.FAULT:
                self._is_refused = is_trouble = True
            if is_trouble:
                self.note_trouble(handed.word)
        return handed

    def _try(self, message: Message) -> Handed:
        try:
            receipt = self._outlet.send(message)
            return Handed(Fate.ACCEPTED, receipt.provider_id, stay=receipt.stay)
        except UnknownFateError as error:
            return Handed(Fate.UNKNOWN, str(error))
        except MalformedAddressError as error:
            return Handed(Fate.MALFORMED, str(error))
        except AddressGoneError as error:
            return Handed(Fate.GONE, str(error))
        except OptedOutError as error:
            return Handed(Fate.OPTED_OUT, str(error))
        except PermanentDeliveryError as error:
            return Handed(Fate.BOUNCED, str(error))
        except RefusedContentError as error:
            return Handed(Fate.REFUSED, str(error))
        except OutletFaultError as error:
            return Handed(Fate.FAULT, str(error))
        except DeliveryError as error:
            return Handed(Fate.LATER, str(error), error.retry_after)
        except Exception as error:
            # A defect of the outlet: nobody can say whether the message left before it.
            logger.exception("the outlet %s failed", type(self._outlet).__module__)
            return Handed(Fate.UNKNOWN, f"{type(error).__name__}: {error}")
