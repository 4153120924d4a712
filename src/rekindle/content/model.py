"""The nouns of content: a rendered message, and the names a template may use.

Frozen values only. Everything that parses Liquid or MJML is in the other files, so
that a room which only passes a message on knows neither language.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rekindle.vocabulary import value_by_the_million

VARIABLES = {
    "first_name": "What to call the person; empty when the facts do not say.",
    "name": "The person's full name; empty when the facts do not say.",
    "email": "The address the message goes to.",
    "shop.name": "The business, as people know it.",
    "shop.postal_address": "Where the business can be reached by post.",
    "shop.url": "Where people buy, from `[shop]`; empty where it is not set.",
    "shop.logo": "The address of the logo; empty where there is none.",
    "shop.colour": "The colour of buttons.",
    "shop.on_colour": "White or black, whichever is read better on that colour.",
    "shop.ink": "That colour, dark enough for words on white.",
    "shop.button": "The words of a button that leads to the shop.",
    "variant": "The one of the step's variants that was drawn; empty where it has none.",
    "offer.code": "The person's own code of the step's offer; empty where it has none.",
    "offer.text": "What the offer gives, in words.",
    "offer.ends": "The day on which it ends.",
    "unsubscribe_url": "The page on which this person leaves this list.",
    "preferences_url": "The page on which this person chooses what they hear of, for 90 days.",
    "subscription_url": "The page on which this person gives another card for the subscription "
    "they owe a payment of, or comes back to the one they left last; whoever has none is not "
    "written to. Empty without `[billing] provider`.",
    "leave_url": "The page on which this person cancels or pauses that subscription, likewise.",
    "kept_until": "The last day on which what is kept for this person since they left is kept; "
    "whoever has nothing kept is not written to.",
    "kept_things": "What that is, a list of lines as `[subscriptions.kept]` has them, likewise.",
    "return_url": "The page that shows what was kept for this person and leads to the shop, for 30 "
    "days.",
    "confirm_url": "The page on which this person confirms a yes that waits for it; a message "
    "that shows it leaves only while one waits.",
}
"""Name → meaning of what every template may use beside the profile's columns."""

LAYOUT_VARIABLES = {
    "content": "The template's own sections; a layout shows them once, inside `<mj-body>`.",
    "has_button": "Whether these sections have a button of their own, which leads elsewhere.",
    "language": "The template's language, or else that of `[shop]`.",
    "direction": "`rtl` where that language is written from right to left, else `ltr`.",
    "start": "The side on which its lines begin: `left` or `right`.",
    "why": "Why the person receives this, from the template's block.",
}
"""Name → meaning of what a layout may use beside ``VARIABLES``."""

MARKETING_VARIABLES = ("shop.postal_address", "unsubscribe_url")
"""What every marketing e-mail has to show (CAN-SPAM, 15 U.S.C. § 7704(a)(5))."""

BLANK_OFFER: Mapping[str, str] = {"code": "", "text": "", "ends": ""}


@dataclass(frozen=True, slots=True)
class Form:
    """What content has to know of a channel: its name, and what its messages have to have.

    A channel that asks for ``html`` takes ``NAME.mjml``. Any other takes ``NAME.CHANNEL.txt``,
    and one that asks for nothing ``NAME.mjml`` where it has no such file. One that
    ``is_destination`` takes no file: the name is that of a list, and all there is to say.
    """

    channel: str
    parts: tuple[str, ...] = ()
    is_destination: bool = False

    @property
    def is_mail(self) -> bool:
        """Return whether nothing but an e-mail will do."""
        return "html" in self.parts


MAIL = Form("email", ("subject", "html", "text"))


@value_by_the_million(frozen=True, slots=True)
class Rendered:
    """One e-mail as one person reads it. ``subject`` is a single line of plain text."""

    subject: str
    html: str
    text: str

    @property
    def parts(self) -> Mapping[str, str]:
        """Return the parts by the names that a message has for them."""
        return {"subject": self.subject, "html": self.html, "text": self.text}
