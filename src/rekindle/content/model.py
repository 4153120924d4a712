"""The nouns of content: a rendered message, and the names a template may use.

Frozen values only. Everything that parses Liquid or MJML is in the other files, so
that a room which only passes a message on knows neither language.
"""

from __future__ import annotations

from rekindle.vocabulary import value_by_the_million

VARIABLES = {
    "first_name": "What to call the person; empty when the facts do not say.",
    "name": "The person's full name; empty when the facts do not say.",
    "email": "The address the message goes to.",
    "shop.name": "The business, as people know it.",
    "shop.postal_address": "Where the business can be reached by post.",
    "variant": "The one of the step's variants that was drawn; empty where it has none.",
    "unsubscribe_url": "The page on which this person leaves this list.",
}
"""Name → meaning of what every template may use beside the profile's columns."""

MARKETING_VARIABLES = ("shop.postal_address", "unsubscribe_url")
"""What every marketing message has to show (CAN-SPAM, 15 U.S.C. § 7704(a)(5))."""


@value_by_the_million(frozen=True, slots=True)
class Rendered:
    """One message as one person reads it. ``subject`` is a single line of plain text."""

    subject: str
    html: str
    text: str
