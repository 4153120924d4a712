"""The card: what the business knows of a person beside their orders."""

from __future__ import annotations

from rekindle.profiles.model import CardTally, Family, ProfileColumn

FAMILY = Family(
    name="card",
    meaning="What the contact card says; of several cards of one person, the greatest value.",
    columns=(
        ProfileColumn(
            "country", "text", "", "From the contact card.", place=300, is_covariate=True
        ),
        ProfileColumn(
            "renews_on",
            "date",
            "",
            "When the plan renews, as the contact card says now; empty without one.",
            place=310,
        ),
        ProfileColumn(
            "has_email", "flag", "", "Whether an e-mail address is known.", blank=False, place=320
        ),
    ),
    how=CardTally(
        {
            "country": lambda cards: cards.country.max(),
            "renews_on": lambda cards: cards.renews_on.max(),
            "has_email": lambda cards: cards.email.notnull().any(),
        }
    ),
    tables=("customers",),
    is_known=lambda facts: facts.has_cards,
)
