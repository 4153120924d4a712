"""The page of reported events: what each name means here, and why one is refused."""

from __future__ import annotations

from collections.abc import Mapping

from rekindle.intake import PROBLEMS, Meaning
from tools.markdown import note, table

LEAD = """\
What the API takes, in the shape of [Segment's
specification](https://segment.com/docs/connections/spec/). How to send it: [send
events](../how-to/send-events.md). Every address, field and answer:
[openapi.json](openapi.json), which the API serves at `/v1/openapi.json`.
"""
MEANT = """\
## Names

A name counts in snake case, however it is written: `Order Completed` and `orderCompleted` are
`order_completed`. A name that is not listed is an event of its own (`cart_abandoned`), which a
journey may wait for, branch on or begin with.
"""
RULES = """\
## Rules

- **Once.** `messageId` is unique within the source of the key. A repetition changes nothing. A
  call without one gets one from its content, so that sending it again is harmless. One that says
  no (an opt-out, `false` in `consent`) and names no time is new each time: a yes may have come
  in between.
- **When.** `timestamp`; else `originalTimestamp`, set right by how far `sentAt` was off; else
  when it was received. Nothing happens after it was received: a time to come counts as then.
- **Who.** `userId` is the customer's id. An `anonymousId` is nobody's until a call names both,
  or an `alias` joins them; earlier events of that visitor then become facts of the customer,
  but end nothing after the fact, except that an opt-out or a complaint of theirs is the
  customer's. Two customer ids joined by `alias` stop each other's journeys.
- **Machines.** Opens, clicks, visits and views marked `machine`, `bot` or `prefetch`, in
  properties or context, are kept and count for nothing; so is an open or click within 10
  seconds of the provider accepting the person's newest message.
- **Bounces** that name a soft, temporary or transient `bounce_type` end nothing.
- **Cards.** `identify` changes what it gives: `email`, `emailVerified`, `phone`, `firstName`,
  `lastName`, `address.country`, `timezone`, `createdAt`. A trait that cannot be read is left out
  with a note.
- **Further addresses**, with a server's key. `context.device.token` of an `identify` call, or of
  `Application Opened`, `Installed` or `Updated`, is the device the person is pushed to. The trait
  `pushSubscription` is a browser's, as `PushSubscription.toJSON()` writes it. The trait `address`
  with `street`, `city`, `postalCode`, `state` and `country` is where letters go. Each belongs to
  whoever was seen with it last, and the newest of a kind is written to.
- **Permission.** `traits.consent` holds a yes or no for a channel, with the words that were
  shown: `{"email": true, "wording": "Send me offers", "source": "checkout"}`. A no here is a
  withdrawal; an `Unsubscribed` event ends every journey as well. `"pending"` is a yes
  that [waits](../how-to/run/permission-by-country.md#let-a-yes-be-confirmed) for its confirmation,
  `"confirmed"` one that has it.
- **In-app messages.** What is to be shown is asked for at `/v1/inapp`, and what was done with it
  is told to `/v1/inapp/events` ([how to](../how-to/run/show-in-app.md)).
- **Orders.** Gross is `revenue`; without it `subtotal` + `discount`, or `total` − `shipping` −
  `tax` + `discount`, or the sum of `products`. A refund without an amount gives back the whole
  order. An order of a source is the one with the same `order_id` from a file of the same source
  name.
- **Baskets.** `Cart Viewed`, `Cart Updated`, `Cart Abandoned` and `Checkout Started` name the whole
  basket in `products` (`[]` is an emptied one), `Product Added` and `Product Removed` what was put
  in or taken out. The newest by its own instant counts. Of a product `product_id` or `sku` is
  needed, and one that has neither is left out; `name`, `quantity`, `price`, `currency`, `url` and
  `image_url` may be given. A page's key is not believed a price or an address. A basket has
  100 products at most ([how to](../how-to/run/ways/remember-a-basket.md)).

## Limits

500 events a batch, 32 KB an event, 1 MB a body as sent and 5 MB unpacked. `Content-Encoding:
gzip` is understood.

## Refusals

A refused event is listed in the answer with its place in the batch; the others are taken.
"""


def events_page(meanings: Mapping[str, Meaning]) -> str:
    """Return what names mean, the rules, and the reasons of refusals."""
    names = [
        {"name": name, "taken_for": f"`{meaning.kind}`", "effect": meaning.effect}
        for name, meaning in meanings.items()
    ]
    reasons = [{"reason": problem.value, "meaning": text} for problem, text in PROBLEMS.items()]
    return note("Events", LEAD.strip()) + "\n".join((MEANT, table(names), RULES, table(reasons)))
