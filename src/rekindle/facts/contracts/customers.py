"""Contact cards: who a customer is and what they agreed to."""

from __future__ import annotations

from rekindle.facts.contracts.columns import COUNTRY, CUSTOMER_ID, EMAIL, FIRST_NAME, PHONE, SOURCE
from rekindle.facts.contracts.model import INSTANT, Column, Contract

CONTRACT = Contract(
    "customers",
    "Contact cards: who a customer is and what they agreed to.",
    ("customer_id",),
    (
        SOURCE,
        Column(
            "customer_id",
            "string",
            "The customer.",
            required=True,
            words=("customer_id", "id", *CUSTOMER_ID.words[1:]),
        ),
        EMAIL,
        PHONE,
        FIRST_NAME,
        Column("last_name", "string", "Family name.", words=("last_name", "surname")),
        COUNTRY,
        Column("timezone", "string", "IANA zone.", words=("timezone", "time_zone", "tz")),
        Column(
            "postcode",
            "string",
            "Postal code; two people of one name and postcode may be one.",
            words=("postcode", "postal_code", "zip", "zip_code", "plz", "postleitzahl"),
        ),
        Column(
            "loyalty_id",
            "string",
            "Number of the customer's loyalty card: it makes ids one person.",
            words=("loyalty_id", "loyalty_number", "loyalty_card", "card_number", "kundenkarte"),
        ),
        Column(
            "email_verified",
            "boolean",
            "Whether the address is known to be theirs; where it says no, it joins no ids.",
            words=("email_verified", "verified_email", "is_email_verified"),
        ),
        Column(
            "created_at",
            INSTANT,
            "When the customer became known.",
            words=("created_at", "signup_date", "registered_at", "created", "joined_at"),
        ),
        Column(
            "known_at",
            INSTANT,
            "The import that first read the card. Whoever has no `created_at` is known from then, "
            "or from their first order where that was earlier.",
            is_input=False,
        ),
        Column(
            "email_consent",
            "boolean",
            "Agreed to marketing by e-mail; empty says nothing. Every statement is kept, whichever "
            "file came last.",
            words=(
                "email_consent",
                "accepts_marketing",
                "accepts_email_marketing",
                "marketing_consent",
                "email_marketing_consent",
                "email_marketing_status",
                "email_subscription_status",
                "marketing_opt_in",
                "email_opt_in",
                "opt_in",
                "consent",
                "newsletter",
                "subscribed",
                "is_subscribed",
            ),
        ),
        Column(
            "email_consent_at",
            INSTANT,
            "When that was stated. Without a date a no counts from the import that first read "
            "it, a yes before everything that has one.",
            words=("email_consent_at", "consent_at", "consent_date", "opt_in_at"),
        ),
        Column(
            "renews_on",
            "date",
            "When the customer's plan renews, if there is one.",
            words=(
                "renews_on",
                "renews_at",
                "renewal_date",
                "renewal",
                "renewal_on",
                "next_renewal",
                "next_renewal_date",
                "next_billing_date",
                "next_billing_at",
                "current_period_end",
                "expires_on",
                "verlängerung",
            ),
        ),
        Column(
            "given_id",
            "string",
            "The id as its source writes it, where it goes by another here.",
            is_input=False,
        ),
    ),
    extra_inputs=(
        Column(
            "email_opt_out",
            "string",
            "Wants no marketing by e-mail, or cannot be reached by it. Any word but a plain no "
            "(no, false, 0, never) is taken for it; that no says nothing, and is no consent.",
            words=(
                "email_opt_out",
                "opt_out",
                "opted_out",
                "unsubscribed",
                "has_opted_out_of_email",
                "unsubscribed_from_all_email",
                "do_not_email",
                "do_not_contact",
                "email_blacklisted",
                "blacklisted",
                "blocklisted",
                "email_suppressions",
                "suppressed",
                "bounced",
                "hard_bounce",
                "abgemeldet",
            ),
        ),
        Column(
            "email_opt_out_at",
            INSTANT,
            "When that was. A date alone says that they opted out.",
            words=(
                "email_opt_out_at",
                "unsubscribed_at",
                "unsubscribed_on",
                "unsubscribe_date",
                "unsubscribe_time",
                "unsub_time",
                "opted_out_at",
                "opt_out_at",
                "opt_out_date",
                "clean_time",
                "bounced_at",
                "suppressed_at",
            ),
        ),
    ),
    known_at="created_at",
)
