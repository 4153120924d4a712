"""What the names of events mean here: one frozen mapping, printed in the reference.

Names are those of Segment's e-commerce and e-mail specifications. Every other name is an
event of its own, which a journey may wait for or begin with.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from rekindle.config import known_channels
from rekindle.intake.model import Event, EventType
from rekindle.intake.orders import read_amounts
from rekindle.vocabulary import COMPLAINED, LEFT, Channel, SignalKind

SIGNALLING = frozenset({EventType.TRACK, EventType.PAGE, EventType.SCREEN})
ORDER_EVENTS = frozenset({"order_completed", "order_updated", "order_cancelled", "order_refunded"})
HUMAN_KINDS = frozenset(
    {SignalKind.OPEN, SignalKind.CLICK, SignalKind.VISIT, SignalKind.VIEW, SignalKind.REPLY}
)
REFUSED = frozenset({SignalKind.OPT_OUT, SignalKind.COMPLAINT})
BEHAVIOUR = HUMAN_KINDS | {SignalKind.LOGIN, SignalKind.EVENT}
# Segment's e-commerce specification, "Browsing", "Promotions", "Core Ordering" and
# "Wishlisting", as far as a visitor does it and nobody has to believe it; and `Cart Updated`,
# which says of a basket what it lacks: that it was emptied.
CART_EVENTS = frozenset(
    {
        "product_list_viewed",
        "product_list_filtered",
        "products_searched",
        "product_clicked",
        "product_added",
        "product_removed",
        "product_added_to_wishlist",
        "product_removed_from_wishlist",
        "promotion_viewed",
        "promotion_clicked",
        "cart_viewed",
        "cart_updated",
        "checkout_started",
        "checkout_step_viewed",
        "checkout_step_completed",
    }
)
SOFT_BOUNCES = ("soft", "temporary", "transient", "block")
MACHINE_MARKS = frozenset(
    {
        "machine",
        "is_machine",
        "machine_open",
        "machine_click",
        "bot",
        "is_bot",
        "isBot",
        "prefetch",
        "is_prefetch",
    }
)


@dataclass(frozen=True, slots=True)
class Meaning:
    """What an event is taken for: the signal, and what it does."""

    kind: SignalKind
    effect: str


DELIVERIES: Mapping[str, Meaning] = MappingProxyType(
    {
        "opened": Meaning(SignalKind.OPEN, "An open, unless a machine did it."),
        "link_clicked": Meaning(SignalKind.CLICK, "A click, unless a machine did it."),
        "replied": Meaning(SignalKind.REPLY, "A reply."),
        "bounced": Meaning(
            SignalKind.BOUNCE,
            "A dead address: ends the journeys that have no other way to it. A soft bounce is "
            "an event.",
        ),
        COMPLAINED: Meaning(SignalKind.COMPLAINT, "Stops all marketing, for good."),
    }
)
"""What becomes of messages: after the name of a channel there is, as in ``email_opened``."""

MEANINGS: Mapping[str, Meaning] = MappingProxyType(
    {
        "order_completed": Meaning(
            SignalKind.ORDER, "A purchase: ends journeys at once, becomes an order."
        ),
        "order_updated": Meaning(SignalKind.EVENT, "Corrects the order."),
        "order_cancelled": Meaning(SignalKind.EVENT, "The order counts no more."),
        "order_refunded": Meaning(SignalKind.EVENT, "Taken off the order."),
        "coupon_applied": Meaning(SignalKind.OFFER_USED, "An offer was used."),
        "product_viewed": Meaning(SignalKind.VIEW, "A product was looked at."),
        "page_viewed": Meaning(SignalKind.VISIT, "A visit; every `page` call is one."),
        "screen_viewed": Meaning(SignalKind.VISIT, "A visit; every `screen` call is one."),
        "signed_in": Meaning(SignalKind.LOGIN, "A login."),
        # Those of Segment's e-mail specification; another channel's are called alike.
        **{f"email_{word}": meaning for word, meaning in DELIVERIES.items()},
        LEFT: Meaning(
            SignalKind.OPT_OUT,
            "Stops marketing for good: of the `channel` it names, or of every one.",
        ),
        "subscription_resumed": Meaning(SignalKind.RESUME, "A subscription goes on."),
    }
)


def kind_of(name: str, content: Mapping[str, Any]) -> SignalKind:
    """Return what an event of this name and content is taken for."""
    meaning = MEANINGS.get(name)
    if meaning is None and _channel_in(name) is not None:
        meaning = DELIVERIES[name.partition("_")[2]]
    if meaning is None:
        return SignalKind.EVENT
    if meaning.kind is SignalKind.BOUNCE and _is_soft(content):
        return SignalKind.EVENT
    return meaning.kind


def refusals() -> list[str]:
    """Return the names of the events that are a no: opt-outs, and complaints of any channel."""
    told = {name: meaning.kind for name, meaning in MEANINGS.items()}
    for channel in known_channels():
        told |= {f"{channel}_{word}": meaning.kind for word, meaning in DELIVERIES.items()}
    return sorted(name for name, kind in told.items() if kind in REFUSED)


def channel_of(name: str, content: Mapping[str, Any]) -> Channel | None:
    """Return the channel an event is about, by its name or what it says; None if neither does."""
    if (found := _channel_in(name)) is not None:
        return found
    said = content.get("channel")
    # A word for something else ("web") must not make a no smaller than it is.
    return Channel(said) if isinstance(said, str) and said in known_channels() else None


def _channel_in(name: str) -> Channel | None:
    channel, _, word = name.partition("_")
    # The cheap question first: most names are a shop's own, and say nothing of a message.
    return Channel(channel) if word in DELIVERIES and channel in known_channels() else None


def signal_kind(event: Event) -> SignalKind | None:
    """Return the signal an event is, or None if it is none.

    What a machine did is no sign of a person, and an order of nothing is no purchase.
    """
    if event.type not in SIGNALLING:
        return None
    kind = kind_of(event.name, event.content)
    if event.is_machine and kind in HUMAN_KINDS:
        return None
    if kind is SignalKind.ORDER and read_amounts(event.content).gross <= 0:
        return SignalKind.EVENT
    return kind


def is_behaviour(event: Event) -> bool:
    """Return whether an event only says what someone did: no card, order or permission."""
    if event.type not in SIGNALLING or event.name in ORDER_EVENTS:
        return False
    return kind_of(event.name, event.content) in BEHAVIOUR


def is_visitors_own(event: Event) -> bool:
    """Return whether a page may report an event of its own visitor: a view, a cart, who they are.

    A login, an order, a permission or a shop's own event ends or starts journeys, and has
    to come from a server; so has an alias, which says who somebody else is.
    """
    if event.type is EventType.IDENTIFY:
        return True
    if event.type not in SIGNALLING:
        return False
    kind = kind_of(event.name, event.content)
    return kind in (SignalKind.VISIT, SignalKind.VIEW) or event.name in CART_EVENTS


def order_id_of(name: str, content: Mapping[str, Any]) -> str:
    """Return the order an order event is about, "" for any other event or none given."""
    if name not in ORDER_EVENTS:
        return ""
    given = content.get("order_id", content.get("orderId"))
    if isinstance(given, bool) or not isinstance(given, str | int):
        return ""
    return str(given).strip()


def is_by_machine(content: Mapping[str, Any], context: Mapping[str, Any]) -> bool:
    """Return whether the call itself says that no person did it."""
    if MACHINE_MARKS.isdisjoint(content) and MACHINE_MARKS.isdisjoint(context):
        return False
    return any(content.get(mark) or context.get(mark) for mark in MACHINE_MARKS)


def _is_soft(content: Mapping[str, Any]) -> bool:
    said = [content.get(key) for key in ("bounce_type", "bounceType", "type", "category")]
    return any(isinstance(word, str) and word.lower().startswith(SOFT_BOUNCES) for word in said)
